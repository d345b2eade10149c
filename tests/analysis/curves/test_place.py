"""From a profile to an interval: parabolas with known ends, what lies beyond the sizes, gaps, and ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from onset.analysis.curves.place import Place, Profile, apart
from onset.analysis.curves.shapes import unplace

SIZES = np.linspace(6.0, 10.0, 9)
PLACES = np.linspace(6.0, 10.0, 401)
WIDE = np.linspace(4.0, 12.0, 1601)


def parabola(middle: float, error: float, places: np.ndarray = PLACES, **given: float) -> Profile:
    """Of a normal likelihood with a standard ``error``."""
    return Profile(places, ((places - middle) / error) ** 2, SIZES, **given)


def logs(found: Place) -> list[float | None]:
    return [None if end is None else math.log10(end) for end in (found.estimate, found.low, found.high)]


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_of_a_parabola_is_walds(level: float) -> None:
    half = 0.3 * stats.norm.ppf((1 + level) / 2)
    assert logs(parabola(8.0, 0.3).interval(level)) == pytest.approx([8.0, 8.0 - half, 8.0 + half], abs=1e-3)


def test_with_estimated_scatter_it_is_that_of_f() -> None:
    found = parabola(8.0, 0.3, free=5).interval()
    half = 0.3 * stats.t.ppf(0.975, 5)
    assert logs(found) == pytest.approx([8.0, 8.0 - half, 8.0 + half], abs=1e-3)


def test_what_lies_beyond_the_sizes_is_not_said() -> None:
    half = 0.3 * stats.norm.ppf(0.975)
    assert logs(parabola(9.8, 0.3, WIDE).interval()) == [
        pytest.approx(9.8, abs=5e-3), pytest.approx(9.8 - half, abs=1e-3), None
    ]  # fmt: skip
    beyond = parabola(10.3, 0.3, WIDE).interval()
    assert (beyond.estimate, beyond.high, beyond.censored) == (None, None, "above")
    assert beyond.low is not None
    assert math.log10(beyond.low) == pytest.approx(10.3 - half, abs=1e-3)
    # nothing between the sizes is likely: no sooner than the largest
    assert parabola(12.0, 0.3, WIDE).interval() == Place(None, pytest.approx(1e10), None, "above")
    assert parabola(4.0, 0.3, WIDE).interval() == Place(None, None, pytest.approx(1e6), "below")


def test_what_is_said_of_beyond_opens_an_end() -> None:
    half = 0.3 * stats.norm.ppf(0.975)
    assert logs(parabola(7.0, 0.3, below=3.0).interval()) == [
        pytest.approx(7.0, abs=1e-2), None, pytest.approx(7.0 + half, abs=1e-3)
    ]  # fmt: skip
    found = Profile(PLACES, (PLACES - 7.0) ** 2 / 0.09 + 2.0, SIZES, below=0.0).interval()
    assert (found.estimate, found.low, found.censored) == (None, None, "below")
    assert found.high is not None
    nowhere = Profile(PLACES, np.full(PLACES.size, 50.0), SIZES, above=0.0).interval()
    assert nowhere == Place(None, pytest.approx(1e10), None, "above")


def test_a_profile_that_is_level_between_two_sizes_says_their_gap() -> None:
    inside = (PLACES >= 7.5) & (PLACES <= 8.0)
    found = Profile(PLACES, np.where(inside, 0.0, 60.0), SIZES).interval()
    assert found.censored == "gap"
    assert logs(found) == pytest.approx([7.75, 7.5, 8.0])
    wider = Profile(PLACES, np.where((PLACES >= 7.5) & (PLACES <= 8.3), 0.0, 60.0), SIZES).interval()
    assert wider.censored is None


def test_it_reaches_over_a_hill_between_two_valleys() -> None:
    deviance = np.minimum(((PLACES - 7.0) / 0.1) ** 2, ((PLACES - 9.0) / 0.1) ** 2 + 1.0)
    _, low, high = logs(Profile(PLACES, deviance, SIZES).interval())
    assert low == pytest.approx(7.0 - 0.1 * stats.norm.ppf(0.975), abs=2e-3)
    assert high == pytest.approx(9.0 + 0.1 * math.sqrt(stats.chi2.ppf(0.95, 1) - 1.0), abs=2e-3)


def test_a_loss_is_said_as_a_loss() -> None:
    places = np.linspace(-8.0, -4.0, 401)
    found = Profile(places, ((places + 6.0) / 0.2) ** 2, np.linspace(-8.0, -4.0, 9), scale="loss").interval()
    assert found.estimate == pytest.approx(unplace(-6.0, "loss"))
    assert found.low == pytest.approx(unplace(-6.0 - 0.2 * stats.norm.ppf(0.975), "loss"), rel=1e-3)


@pytest.mark.parametrize(("first", "second"), [(0.2, 0.2), (0.05, 0.3), (0.01, 0.02)])
def test_errors_of_two_places_add_up_in_their_ratio(first: float, second: float) -> None:
    found = apart(parabola(7.0, first, WIDE), parabola(8.2, second, WIDE)).interval()
    half = math.hypot(first, second) * stats.norm.ppf(0.975)
    assert logs(found) == pytest.approx([1.2, 1.2 - half, 1.2 + half], abs=0.02 * half)


def test_the_ratio_counts_the_scatter_of_both() -> None:
    a, b = parabola(7.0, 0.2, WIDE, free=4), parabola(8.0, 0.2, WIDE)
    assert apart(a, b).free == 8
    assert apart(a, parabola(8.0, 0.2, WIDE, free=6)).free == 10
    assert apart(b, b).free is None
