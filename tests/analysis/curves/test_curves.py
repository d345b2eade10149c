"""Curve families and their fits, against scipy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from onset.analysis.curves.draws import Draws
from onset.analysis.curves.fit import Shapes, best_fit, fit_family, solve, solve_through
from onset.analysis.curves.likelihood import Counts, Scores, constant_fit, counts, overdispersion
from onset.analysis.curves.shapes import (
    FAMILIES,
    BrokenPowerLaw,
    Constant,
    Curve,
    ErrorPowerLaw,
    Hinge,
    Logistic,
    LogLinear,
    Quadratic,
    Step,
    logistics,
    place,
    unplace,
)
from onset.errors import InputError

X = np.linspace(7, 11, 9)
TRUTHS: dict[str, Curve] = {
    "constant": Constant(0.4),
    "log-linear": LogLinear(-0.6, 0.12),
    "logistic": Logistic(0.1, 0.8, 2.5, 9.2),
    "hinge": Hinge(0.1, 0.3, 9.1),
    "step": Step(0.1, 0.7, 9.25),
    "power law of the error": ErrorPowerLaw(0.1, 0.8, 0.4, 7.0),
    "smoothly broken power law": BrokenPowerLaw(0.05, 0.85, 0.02, 0.5, 9.0, 0.3, 7.0),
    "quadratic": Quadratic(0.2, 0.09, 8.6),
}


def drawn(truth: Curve, n: int, seed: int = 0, rows: int = 1) -> Counts:
    rng = np.random.default_rng(seed)
    return counts(rng.binomial(n, np.clip(truth(X), 0, 1), size=(rows, len(X))), np.full((rows, len(X)), n))


def test_the_truths_cover_all_families() -> None:
    assert set(TRUTHS) == {family.name for family in FAMILIES}


@pytest.mark.parametrize("name", TRUTHS)
def test_a_fit_finds_the_curve_that_made_the_data(name: str) -> None:
    truth = TRUTHS[name]
    data = drawn(truth, 2_000)
    family = next(one for one in FAMILIES if one.name == name)
    fit = fit_family(data, X, family)
    np.testing.assert_allclose(fit.curves[0](X), truth(X), atol=0.035)
    true = float(data.log_likelihood(truth(X)[None, None, :])[0, 0])
    assert fit.log_likelihood[0] >= true - 1.0


@pytest.mark.parametrize("seed", range(4))
def test_a_logistic_is_as_likely_as_the_best_that_scipy_finds(seed: int) -> None:
    data = drawn(Logistic(0.25, 0.9, 3.0, 9.4), 200, seed)

    def loss(theta: np.ndarray) -> float:
        p = np.clip(Logistic(*theta)(X), 1e-9, 1 - 1e-9)
        return -float((data.right[0] * np.log(p) + (200 - data.right[0]) * np.log1p(-p)).sum())

    starts = [(0.2, 0.9, slope, middle) for slope in (1.0, 3.0, 9.0) for middle in (8.5, 9.0, 9.5, 10.0)]
    bounds = [(0, 1), (0, 1), (0.01, 60), (5, 13)]
    best = min(optimize.minimize(loss, one, method="L-BFGS-B", bounds=bounds).fun for one in starts)
    assert fit_family(data, X, Logistic).log_likelihood[0] >= -best - 0.02


def test_the_constant_is_the_pooled_share() -> None:
    data = drawn(TRUTHS["logistic"], 150)
    found, level = constant_fit(data)
    assert level[0] == pytest.approx(data.right.sum() / data.n.sum())
    assert found[0] == pytest.approx(float(data.log_likelihood(np.full((1, 1, 9), level[0]))[0, 0]))


def test_likelihoods_are_those_of_scipy() -> None:
    data = drawn(TRUTHS["logistic"], 60)
    first, second = TRUTHS["logistic"](X), TRUTHS["log-linear"](X)
    shares = np.stack([first, second])[None]
    ours = data.log_likelihood(shares)[0]
    theirs = [stats.binom.logpmf(data.right[0], 60, p).sum() for p in (first, second)]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1])
    scattered = Counts(data.right, data.n, np.array([0.05]))
    size = 0.95 / 0.05
    theirs = [stats.betabinom.logpmf(data.right[0], 60, p * size, (1 - p) * size).sum() for p in (first, second)]
    ours = scattered.log_likelihood(shares)[0]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1])
    scores = Scores(data.share, np.full((1, 9), 0.07))
    theirs = [stats.norm.logpdf(data.share[0], p, 0.07).sum() for p in (first, second)]
    ours = scores.log_likelihood(shares)[0]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1])


def test_given_the_shape_the_ends_are_the_best_that_scipy_finds() -> None:
    data = drawn(Logistic(0.0, 0.3, 4.0, 10.0), 40, 3)
    shape = Logistic.unit(X, np.array([[4.0, 10.0]]))

    def loss(ends: np.ndarray) -> float:
        p = ends[0] + (ends[1] - ends[0]) * shape
        return -float(data.log_likelihood(p[None])[0, 0])

    best = optimize.minimize(loss, (0.1, 0.4), method="L-BFGS-B", bounds=[(0, 1), (0, 1)])
    found, low, high = solve(data, shape[None], iterations=20)
    assert found[0, 0] == pytest.approx(-best.fun, abs=1e-3)
    assert (low[0, 0], high[0, 0]) == pytest.approx(best.x, abs=0.01)
    assert low[0, 0] >= 0
    assert high[0, 0] <= 1


def test_a_curve_forced_through_its_own_point_loses_nothing_and_elsewhere_something() -> None:
    data = drawn(TRUTHS["logistic"], 500)
    shape = Logistic.unit(X, np.array([[2.5, 9.2]]))
    found, low, high = solve(data, shape[None], iterations=20)
    at = 0.6
    through = low[0, 0] + (high[0, 0] - low[0, 0]) * at
    same = solve_through(data, shape[None], np.array([[at]]), np.array([through]), iterations=12)
    other = solve_through(data, shape[None], np.array([[at]]), np.array([through + 0.1]), iterations=12)
    assert same[0, 0] == pytest.approx(found[0, 0], abs=0.01)
    assert other[0, 0] < found[0, 0] - 5


def test_rising_fits_do_not_fall() -> None:
    data = drawn(LogLinear(1.3, -0.1), 200)
    fit = best_fit(data, Shapes.of(X, (Logistic, Logistic.grid(X)), (Step, Step.grid(X))))
    assert fit.high[0] == fit.low[0] == pytest.approx(data.share.mean(), abs=1e-6)
    free = best_fit(data, Shapes.of(X, (Logistic, Logistic.grid(X))), rising=False)
    assert free.high[0] < free.low[0]


def test_scatter_is_seen_where_it_is_and_estimated() -> None:
    rng = np.random.default_rng(1)
    rho, rows, n = 0.05, 300, 200
    x = np.linspace(7, 11, 20)
    truth = Logistic(0.2, 0.8, 2.0, 9.0)(x)
    size = (1 - rho) / rho
    share = rng.beta(truth * size, (1 - truth) * size, size=(rows, 20))
    full = np.full((rows, 20), n)
    fitted = np.repeat(truth[None], rows, axis=0)
    found = overdispersion(counts(rng.binomial(n, share), full), fitted, 0)
    assert np.mean(found > 0) > 0.99
    assert np.median(found) == pytest.approx(rho, rel=0.15)
    none = overdispersion(counts(rng.binomial(n, truth, size=(rows, 20)), full), fitted, 0)
    assert np.mean(none > 0) < 0.09


def test_draws_spread_as_far_as_the_likelihood_allows() -> None:
    data = drawn(TRUTHS["logistic"], 200)
    shapes = Shapes.of(X, (Logistic, logistics(X, 0.5, 10, 12)))
    curves = Draws.of(data, shapes).shares(0, 4000, np.random.default_rng(0))
    assert curves.shape == (4000, 9)
    spread = curves.std(axis=0)
    alone = np.sqrt(data.share[0] * (1 - data.share[0]) / 200)
    assert (np.abs(curves.mean(axis=0) - TRUTHS["logistic"](X)) < 4 * alone).all()
    assert (spread < 1.3 * alone).all()
    assert (spread > 0.2 * alone).all()


def test_places_of_sizes() -> None:
    np.testing.assert_allclose(place([1e6, 1e9]), [6, 9])
    assert unplace(float(place([3e8])[0])) == pytest.approx(3e8)
    losses = place([4.0, 2.0], "loss")
    assert losses[1] > losses[0]
    assert losses[1] - losses[0] == pytest.approx(math.log10(2) / 0.076)
    assert unplace(float(losses[1]), "loss") == pytest.approx(2.0)
    with pytest.raises(InputError, match="size 0: expected a number above 0"):
        place([0.0])


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InputError, match="expected 0 <= right <= n"):
        counts(np.array([5.0]), np.array([4.0]))


def test_a_row_that_is_likely_enough_stays_at_the_grid_and_the_others_are_as_without() -> None:
    rng = np.random.default_rng(4)
    right = rng.binomial(60, Logistic(0.1, 0.8, 2.5, 8.7)(X), (40, len(X)))
    data = counts(right, np.full(right.shape, 60))
    full, none = fit_family(data, X, Logistic), fit_family(data, X, Logistic, enough=np.full(40, -np.inf))
    assert (none.log_likelihood <= full.log_likelihood + 1e-9).all()
    enough = (full.log_likelihood + none.log_likelihood) / 2
    part = fit_family(data, X, Logistic, enough=enough)
    assert (part.log_likelihood >= enough).tolist() == (full.log_likelihood >= enough).tolist()
    sought = none.log_likelihood < enough
    assert sought.any()
    assert part.log_likelihood[sought] == pytest.approx(full.log_likelihood[sought], abs=1e-9)
