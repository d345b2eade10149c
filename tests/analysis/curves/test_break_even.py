"""Where a lead begins, against leads that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from onset.analysis.curves.break_even import isotonic, place_of_lead


def around(leads: list[float], half: float) -> list[tuple[float, float]]:
    return [(one - half, one + half) for one in leads]


def test_a_lead_that_crosses_zero_between_two_budgets() -> None:
    place = place_of_lead([8, 32], [-0.2, 0.2], around([-0.2, 0.2], 0.1))
    assert place.verdict == "reached"
    assert place.at == pytest.approx(16)  # halfway on a logarithmic axis
    # the ends of the interval: where the upper end of the lead, and the lower one, are 0
    assert place.interval == pytest.approx((8 * 4**0.25, 8 * 4**0.75))


def test_what_lies_beyond_the_budgets_is_not_guessed() -> None:
    ahead = place_of_lead([8, 32, 128], [0.2, 0.3, 0.3], around([0.2, 0.3, 0.3], 0.1))
    assert (ahead.verdict, ahead.at, ahead.interval) == ("throughout", None, (None, 8.0))
    behind = place_of_lead([8, 32, 128], [-0.4, -0.3, -0.2], around([-0.4, -0.3, -0.2], 0.1))
    assert (behind.verdict, behind.at, behind.interval) == ("not reached", None, (128.0, None))
    still = place_of_lead([8, 32, 128], [-0.4, -0.1, 0.05], around([-0.4, -0.1, 0.05], 0.2))
    assert still.verdict == "undecided"
    assert still.interval[1] is None
    assert 8 < still.interval[0] < 32 < still.at < 128
    unknown = place_of_lead([8, 32], [0.01, -0.01], around([0.01, -0.01], 0.2))
    assert (unknown.verdict, unknown.at, unknown.interval) == ("undecided", None, (None, None))
    early = place_of_lead([8, 32], [0.05, 0.3], around([0.05, 0.3], 0.1))
    assert (early.verdict, early.at, early.interval[0]) == ("reached", None, None)
    assert 8 < early.interval[1] < 32


def test_a_lead_that_is_lost_again_has_no_place() -> None:
    place = place_of_lead([8, 32, 128], [-0.3, 0.3, -0.3], around([-0.3, 0.3, -0.3], 0.1))
    assert (place.verdict, place.at, place.interval) == ("lost again", None, (None, None))


def test_isotonic_regression_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        values, weights = rng.normal(size=6), rng.uniform(0.5, 3, 6)
        made = isotonic(values, weights)
        theirs = optimize.isotonic_regression(values, weights=weights).x
        assert made == pytest.approx(theirs)


@pytest.mark.parametrize("points", [[8], [0, 8], [8, 8], [32, 8]])
def test_points_that_are_no_axis_are_refused(points: list[float]) -> None:
    with pytest.raises(ValueError, match="two points or more that ascend"):
        place_of_lead(points, [0.1] * len(points), [(0.0, 0.2)] * len(points))


def test_it_covers_where_leads_are_normal() -> None:
    """Leads on a line in log labels with independent errors: the place is in its interval in 95 % of studies or more."""
    rng = np.random.default_rng(2)
    points, error = np.array([8, 32, 128, 512]), 0.05
    truth = 0.12 * np.log(points / 50.0)
    half = float(stats.norm.ppf(0.975)) * error
    held = 0
    for _ in range(2000):
        leads = truth + rng.normal(0, error, 4)
        low, high = place_of_lead(points, leads, [(one - half, one + half) for one in leads]).interval
        held += (low or 0) <= 50 <= (high or math.inf)
    assert held / 2000 >= 0.94
