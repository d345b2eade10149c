"""A line of shares in log size: slope, interval and misfit against statsmodels and known truths."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from onset.analysis.estimates.log_linear import line_of
from onset.analysis.stats.counting import Counted, counted
from onset.analysis.stats.log_line import log_line

SIZES = np.array([1e4, 5e4, 2e5, 1e6, 5e6])


@pytest.mark.filterwarnings("ignore:The Identity link function")
def test_inside_the_bounds_it_is_the_binomial_model_with_identity_link() -> None:
    n, correct = np.array([200.0, 150, 200, 100, 200]), np.array([30.0, 45, 70, 52, 130])
    x = np.log10(SIZES)
    model = sm.GLM(
        np.column_stack([correct, n - correct]), sm.add_constant(x),
        family=sm.families.Binomial(sm.families.links.Identity()),
    )  # fmt: skip
    theirs = model.fit(start_params=[-0.5, 0.17])
    found = log_line(SIZES, correct, n)
    assert found.slope == pytest.approx(theirs.params[1], abs=2e-4)
    low, high = theirs.conf_int()[1]  # of Wald: near the profile's with so many trials
    assert found.interval == pytest.approx((low, high), abs=0.006)
    assert found.p == pytest.approx(stats.chi2.sf(theirs.deviance, 3), abs=2e-3)


def test_a_jump_is_refused_and_a_line_is_not() -> None:
    n = np.full(5, 200.0)
    assert log_line(SIZES, np.array([2.0, 4, 6, 190, 198]), n).p < 1e-6
    rng, refused, covered = np.random.default_rng(0), 0, 0
    truth = 0.1 + 0.2 * np.log10(SIZES / SIZES[0])
    for _ in range(20):
        found = log_line(SIZES, rng.binomial(200, truth).astype(float), n)
        refused += found.p < 0.05
        covered += found.interval[0] <= 0.2 <= found.interval[1]
    assert refused <= 4  # 1 expected
    assert covered >= 16  # 19 expected


def test_all_wrong_and_too_few_sizes() -> None:
    found = log_line(SIZES, np.zeros(5), np.full(5, 100.0))
    assert found.interval[0] < 0 < found.interval[1]
    assert found.p > 0.9
    with pytest.raises(ValueError, match="three sizes, received 2"):
        log_line(SIZES[:2], np.ones(2), np.full(2, 10.0))


def test_models_of_one_size_share_its_degree_of_freedom() -> None:
    rng = np.random.default_rng(4)
    sizes = np.repeat([1e6, 1e7, 1e8, 1e9], 3)
    n = np.full(12, 100.0)
    refused = sum(log_line(sizes, rng.binomial(100, 0.5, 12).astype(float), n).p <= 0.05 for _ in range(60))
    assert refused <= 8
    correct = rng.binomial(100, 0.4, 12).astype(float)
    pooled = log_line(np.unique(sizes), correct.reshape(4, 3).sum(axis=1), np.full(4, 300.0))
    assert log_line(sizes, correct, n).p == pytest.approx(pooled.p, rel=1e-3)


def test_a_dispersion_that_is_estimated_makes_f_of_chi_squared() -> None:
    n, correct = np.array([200.0, 150, 200, 100, 200]), np.array([30.0, 45, 70, 52, 130])
    known, found = log_line(SIZES, correct, n), log_line(SIZES, correct, n, df=4)
    assert found.slope == known.slope
    assert found.p == pytest.approx(stats.f.sf(stats.chi2.isf(known.p, 3) / 3, 3, 4))
    wider = np.sqrt(stats.f.isf(0.05, 1, 4) / stats.chi2.isf(0.05, 1))
    low, high = np.subtract(found.interval, found.slope) / np.subtract(known.interval, known.slope)
    assert (low, high) == pytest.approx((wider, wider), rel=0.03)  # the profile is nearly a parabola
    assert log_line(SIZES, correct, n, df=1e12).p == pytest.approx(known.p)


@pytest.mark.parametrize(("draws", "sizes"), [(2, 6), (3, 4)])
def test_noise_between_draws_of_examples_keeps_level_and_coverage(draws: int, sizes: int) -> None:
    """Examples drawn well lift all items of a size; of two draws at six sizes a third of all lines was refused."""
    rng, runs, refused, covered = np.random.default_rng(1), 50, 0, 0
    for _ in range(runs):
        easy = rng.normal(0.5, 0.08, (sizes, 1, 200)) + rng.normal(0, 0.13, (sizes, 1, 200))
        share = np.clip(easy + rng.normal(0, 0.08, (sizes, draws, 1)), 0, 1)
        tables = (rng.random(share.shape) < share).astype(float)
        found = line_of([10**place for place in range(4, 4 + sizes)], [counted(one) for one in tables])
        refused += found.p <= 0.05
        covered += found.interval[0] <= 0 <= found.interval[1]
    assert refused <= 6  # 2.5 expected
    assert covered >= 44  # 47.5 expected


def test_one_draw_and_draws_that_are_all_alike_estimate_no_dispersion() -> None:
    rng, sizes = np.random.default_rng(2), [int(one) for one in SIZES]
    tables = [(rng.random((1, 100)) < share).astype(float) for share in (0.1, 0.3, 0.4, 0.6, 0.7)]
    plain = log_line(SIZES, np.array([one.sum() for one in tables]), np.full(5, 100.0))
    assert line_of(sizes, [counted(one) for one in tables]) == plain
    assert line_of(sizes, [counted(one.repeat(3, axis=0)) for one in tables]) == plain
    # several draws that show no noise: as many trials as outcomes, and still no more than is known of it
    quiet = [Counted(int(one.sum()), 100, 1.0, 1) for one in tables]
    assert line_of(sizes, quiet) == log_line(SIZES, np.array([one.sum() for one in tables]), np.full(5, 100.0), df=5)
