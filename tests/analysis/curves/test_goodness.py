"""Does a curve fit, and where is it halfway: against statsmodels, by construction, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from onset.analysis.curves.goodness import Fit, best, candidates, deviance, fit_of
from onset.analysis.curves.likelihood import Counts, Scores
from onset.analysis.curves.midpoint import midpoints
from onset.analysis.curves.series import SizePoint, curves_of
from onset.analysis.curves.shapes import Constant, Curve, Logistic, LogLinear, Step
from onset.analysis.emergence.verdict import Settings, emergence_of

X = np.linspace(6.0, 8.8, 8)


def counts(right: np.ndarray, n: float) -> Counts:
    right = np.atleast_2d(np.asarray(right, dtype=float))
    return Counts(right, np.full_like(right, n), np.zeros(len(right)))


def held(data: Counts | Scores, x: np.ndarray, curve: Curve) -> Fit:
    return fit_of(data, x, curve, np.random.default_rng(0), margin=0.05)


def test_the_deviance_is_that_of_a_binomial_model() -> None:
    right = np.array([3, 9, 13, 20, 38, 50, 69, 72])
    glm = sm.GLM(np.column_stack([right, 100 - right]), sm.add_constant(X), family=sm.families.Binomial()).fit()
    data = counts(right, 100)
    assert deviance(data, glm.fittedvalues[None])[0] == pytest.approx(glm.deviance)
    slope, place = glm.params[1], -glm.params[0] / glm.params[1]
    found = held(data, X, Logistic(0.0, 1.0, slope, place))
    assert found.deviance == pytest.approx(glm.deviance)
    assert found.df == 8 - 4
    edges = np.array([[0, 0, 100, 100]])
    assert deviance(counts(edges, 100), edges / 100)[0] == pytest.approx(0.0, abs=1e-5)


def test_a_curve_through_every_share_has_no_deviance_and_p_1() -> None:
    for low, high in ((0, 150), (12, 132), (18, 68), (7, 64)):
        right = [low] * 4 + [high] * 4
        data = counts(right, 200)
        fit = held(data, X, Step(low / 200, high / 200, float(X[3:5].mean())))
        assert fit.deviance == pytest.approx(0.0, abs=1e-5)
        assert fit.deviance >= 0
        assert fit.p_value == pytest.approx(1.0)


def test_a_curve_that_misses_by_much_is_rejected_and_one_that_misses_by_little_is_not() -> None:
    few = held(counts([17, 25, 92, 95], 100), X[:4], Logistic(0.0, 1.0, 3.0, 6.7))
    assert (few.drawn, few.df) == (False, 1)
    assert few.p_value < 0.01
    # twenty thousand items: off by two points, and chi-square has no doubt
    truth = Logistic(0.1, 0.9, 3.0, 7.4)
    many = held(counts(20_000 * (truth(X) + 0.02 * (-1.0) ** np.arange(8)), 20_000), X, truth)
    assert many.p_value < 1e-6
    assert many.gap == pytest.approx(0.02)
    assert many.drawn


def test_with_as_many_parameters_as_sizes_only_a_bend_it_cannot_make_rejects() -> None:
    data = counts([5, 30, 70, 92], 100)
    chosen = next(one for one in candidates(data, X[:4])[0] if one.family == "logistic")
    assert held(data, X[:4], chosen.curve).p_value > 0.1
    zigzag = counts([5, 80, 20, 92], 100)
    bent = [held(zigzag, X[:4], one.curve) for one in candidates(zigzag, X[:4])[0]]
    assert not any(one.drawn for one in bent)


def test_few_sizes_are_offered_no_more_parameters_than_there_are_sizes() -> None:
    data = counts([1, 2, 90, 93], 100)
    among = candidates(data, X[:4])[0]
    assert {one.family for one in among} == {
        "constant", "log-linear", "logistic", "hinge", "step", "power law of the error", "quadratic",
        "power law of the log-probability",
    }  # fmt: skip
    assert best(among).family == "step"
    assert best(candidates(counts([30] * 4, 100), X[:4])[0]).family == "constant"


def test_scores_are_held_against_their_errors() -> None:
    line = LogLinear(-6.0, 0.5)
    data = Scores(line(X)[None] + 0.1 * (-1.0) ** np.arange(8), np.full((1, 8), 0.1))
    assert held(data, X, line).deviance == pytest.approx(8.0)


def test_a_step_is_halfway_somewhere_in_its_gap() -> None:
    data = counts([2, 1, 3, 88, 90, 92, 91, 90], 100)
    place = midpoints(data, X, [np.random.default_rng(0)], margin=0.05)[0].profile.interval()
    assert place.low is not None
    assert place.high is not None
    assert X[2] - 0.01 <= np.log10(place.low) < np.log10(place.high) <= X[3] + 0.01
    assert np.log10(place.high / place.low) > 0.35


def test_a_midpoint_beyond_the_sizes_is_not_said() -> None:
    data = counts([0, 1, 0, 2, 3, 5, 9, 16], 100)
    late = midpoints(data, X, [np.random.default_rng(0)], margin=0.05)[0].profile.interval()
    assert (late.estimate, late.high) == (None, None)
    assert late.censored == "above"
    assert late.low is not None


def judged(share: np.ndarray, n: int, count: int, seed: int, scatter: float = 0.0) -> list[tuple[SizePoint, ...]]:
    rng = np.random.default_rng(seed)
    out = []
    for index in range(count):
        size = (1 - scatter) / scatter if scatter else 0.0
        drawn = rng.beta(share * size, (1 - share) * size) if scatter else share
        right = rng.binomial(n, drawn)
        out.append(
            tuple(
                SizePoint(f"c{index}", "f", f"m{i}", 10**place, "accuracy", n=n, correct=int(one), chance=0.0)
                for i, (place, one) in enumerate(zip(X[: len(share)], right, strict=True))
            )
        )
    return out


@pytest.mark.slow
@pytest.mark.parametrize(
    "truth", [Logistic(0.02, 0.95, 2.0, 7.4), Logistic(0.1, 0.8, 6.0, 7.2), Step(0.05, 0.9, 7.8), Constant(0.4)]
)
def test_true_curves_are_hardly_ever_rejected(truth: Curve) -> None:
    made = judged(np.asarray(truth(X)), 100, 200, 1)
    found = emergence_of(
        curves_of(one for some in made for one in some), Settings(replicates=99, threshold_replicates=0)
    )
    assert sum(one.fit is None or not one.fit.drawn for one in found) <= 4


@pytest.mark.slow
@pytest.mark.parametrize(("n", "scatter"), [(100, 0.0), (400, 0.0), (100, 0.01)])
def test_the_interval_of_the_midpoint_covers(n: int, scatter: float) -> None:
    truth = Logistic(0.05, 0.9, 4.0, 7.4)
    covered = said = 0
    for some in judged(np.asarray(truth(X)), n, 250, 2, scatter):
        data = counts(np.array([one.correct for one in some]), n)
        (found,) = midpoints(data, X, [np.random.default_rng(0)], margin=0.05)
        if found.fit.drawn:
            place, said = found.profile.interval(), said + 1
            covered += (place.low is None or place.low <= 10**7.4) and (place.high is None or place.high >= 10**7.4)
    assert said > 200
    assert covered / said > 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / said)
