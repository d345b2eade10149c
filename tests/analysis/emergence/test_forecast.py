"""Forecasts: known truth, the refusal at chance, what the sentence says; coverage in a simulation (slow)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from onset.analysis.curves.likelihood import counts
from onset.analysis.curves.series import Curve, Scale, SizePoint, curves_of
from onset.analysis.curves.shapes import Constant, LogLinear
from onset.analysis.emergence.ensemble import EQUAL, WALK, ensemble
from onset.analysis.emergence.forecast import Forecast, forecast
from onset.errors import InputError
from onset.scores import wilson

X = np.linspace(8, 11, 7)
RISING = (20, 36, 61, 79, 102, 118, 141)
"""Of 200: 20 points a decade, from 10 %."""


def counted(right: Sequence[int], n: int = 200, chance: float | None = 0.0, x: np.ndarray = X) -> Curve:
    return curves_of(
        SizePoint("task", "fam", f"m{i}", float(10 ** x[i]), "acc", n=n, correct=one, chance=chance)
        for i, one in enumerate(right)
    )[0]


def scored(values: Sequence[float], stderr: float | None = 0.05, scale: Scale = "params") -> Curve:
    return curves_of(
        (
            SizePoint("task", "fam", f"m{i}", float(10 ** X[i]), "logprob", score=one, stderr=stderr, continuous=True)
            for i, one in enumerate(values)
        ),
        scale,
    )[0]


def test_a_straight_line_goes_on_and_persistence_stands_beside_it() -> None:
    made = forecast(counted(RISING))
    (one,) = made.sizes
    assert one.size == pytest.approx(10**11.5)
    assert one.estimate == pytest.approx(0.8, abs=0.04)
    assert one.curve is not None
    assert one.model is not None
    assert one.measured is not None
    assert one.curve[0] < 0.8 < one.curve[1]
    assert one.curve[1] - one.curve[0] < one.measured[1] - one.measured[0]
    assert one.model[1] - one.model[0] >= one.curve[1] - one.curve[0]
    assert one.persistence == 141 / 200
    assert one.persistence_interval == wilson(141, 200)
    assert made.refused is None
    assert sum(made.weights.values()) == pytest.approx(1)


def test_the_back_test_is_the_forecast_of_the_shorter_curve() -> None:
    """The sizes left out are not looked at: another last value changes what is observed and nothing else."""
    made, other = forecast(counted(RISING)), forecast(counted((*RISING[:-1], 90)))
    assert [(one.left_out, round(np.log10(one.size), 1)) for one in made.backtest] == [(1, 11), (2, 10.5), (2, 11)]
    assert made.backtest[0].estimate == other.backtest[0].estimate
    assert made.backtest[0].estimate == forecast(counted(RISING[:-1]), [1e11]).sizes[0].estimate
    assert made.backtest[0].persistence == 118 / 200
    assert made.backtest[0].persistence_error == pytest.approx(-23 / 200)
    assert made.backtest[0].held is True
    assert made.backtest[0].error == pytest.approx((made.backtest[0].estimate or 0) - 141 / 200)
    assert other.backtest[0].observed == 90 / 200
    assert other.backtest[0].held is False


def test_equal_arguments_give_equal_numbers() -> None:
    assert forecast(counted(RISING)).json() == forecast(counted(RISING)).json()


def test_at_chance_it_refuses_and_says_why() -> None:
    made = forecast(counted([51, 48, 50, 53, 49, 52, 54], chance=0.25))
    assert made.refused == (
        "no size is shown to be above chance (25.0 %), and from accuracy at chance an ability about to emerge cannot be"
        " told from one that never will (on ten BIG-bench tasks labelled emergent, every method missed the largest size"
        " by 15 points or more on average); a continuous score of the same outputs is needed, such as the"
        " log-probability of the right answer"
    )
    (one,) = made.sizes
    assert (one.estimate, one.curve, one.measured) == (None, None, None)
    assert one.persistence == 54 / 200
    assert made.sentence.startswith("No forecast: no size is shown")
    assert all(tested.refused and tested.estimate is None for tested in made.backtest)


def test_one_size_above_chance_is_enough_not_to_refuse() -> None:
    made = forecast(counted([51, 48, 50, 53, 49, 52, 90], chance=0.25))
    assert made.refused is None
    assert [one.refused for one in made.backtest] == [True, True, True]
    assert "no forecast would have been made: the others are at chance" in made.sentence


def test_without_a_chance_level_nothing_is_refused_and_a_note_says_so() -> None:
    made = forecast(counted([51, 48, 50, 53, 49, 52, 54], chance=None))
    assert made.refused is None
    assert made.notes == ("The source states no chance level: whether the sizes are at chance was not tested.",)


def test_a_refusal_reports_the_trend_of_a_continuous_score() -> None:
    flat = counted([51, 48, 50, 53, 49, 52, 54], chance=0.25)
    rising = scored([-4.0 + 0.8 * (x - 8) + 0.02 * (-1) ** i for i, x in enumerate(X)])
    made = forecast(flat, scores=[rising])
    assert made.companion is not None
    assert made.companion.slope == pytest.approx(0.8, abs=0.03)
    assert made.companion.interval[0] < 0.8 < made.companion.interval[1]
    assert "The continuous score logprob rises: 0.8" in made.sentence
    level = forecast(flat, scores=[scored([-4.0 + 0.02 * (-1) ** i for i in range(7)])])
    assert "The continuous score logprob shows no trend" in level.sentence
    with pytest.raises(InputError, match="score acc of task: expected a continuous score"):
        forecast(flat, scores=[flat])


def test_scatter_beyond_the_standard_errors_widens_the_trend() -> None:
    noise = (0.4, -0.5, 0.3, -0.2, 0.5, -0.4, 0.1)
    values = [-4.0 + 0.8 * (x - 8) + one for x, one in zip(X, noise, strict=True)]
    flat = counted([50] * 7, chance=0.25)
    precise, vague = (forecast(flat, scores=[scored(values, error)]).companion for error in (0.01, 2.0))
    assert precise is not None
    assert vague is not None
    half = (precise.interval[1] - precise.interval[0]) / 2
    # ordinary least squares by hand: residual standard error over the root of the sum of squares, t with 5 degrees
    line = np.polyfit(X, values, 1)
    rest = np.array(values) - np.polyval(line, X)
    expected = 2.570582 * np.sqrt((rest**2).sum() / 5 / ((X - X.mean()) ** 2).sum())
    assert half == pytest.approx(float(expected), rel=1e-5)
    assert vague.interval[1] - vague.interval[0] > precise.interval[1] - precise.interval[0]


def test_scores_with_standard_errors_are_forecast_beyond_0_and_1() -> None:
    (one,) = forecast(scored([-4.0 + 0.8 * (x - 8) for x in X])).sizes
    assert one.estimate == pytest.approx(-4.0 + 0.8 * 3.5, abs=0.1)
    assert one.persistence == pytest.approx(-1.6)
    assert one.n is None


def test_scores_without_standard_errors_are_refused() -> None:
    made = forecast(scored([-4.0 + 0.8 * (x - 8) for x in X], stderr=None))
    assert made.refused == "neither counts nor a standard error is known for m0, m1 and m2"
    assert made.json()["sizes"][0]["persistence_interval"] == [None, None]
    json.dumps(made.json(), allow_nan=False)


def test_too_few_sizes_are_refused() -> None:
    made = forecast(counted([20, 50, 90], x=X[:3]))
    assert made.refused == "3 sizes, at least 4 are needed"
    assert made.backtest == ()


def test_far_beyond_intervals_widen_and_further_is_refused() -> None:
    curve = counted(RISING)
    near, far = forecast(curve, [1e12, 5e12]).sizes
    assert near.decades == pytest.approx(1)
    assert far.curve is not None
    assert near.curve is not None
    unwidened = ensemble(
        counts(np.array(RISING), np.full(7, 200)), X, np.array([12.0, np.log10(5e12)]), np.random.default_rng(0)
    )
    low = np.quantile(unwidened.expected[:, 1], 0.025)
    assert far.curve[0] < low - 0.05
    assert any("intervals are widened" in note for note in forecast(curve, [5e12]).notes)
    assert forecast(curve, [1e12]).notes == ()
    near, far, inside = forecast(curve, [1e12, 2e13, 1e11]).sizes[1:] + forecast(curve, [1e11]).sizes
    assert near.refused is None
    assert near.estimate is not None
    assert far.refused == ("it is 2.3 decades beyond the largest size, 100 B parameters, and at most 2 are forecast")
    assert (far.estimate, far.curve, far.measured) == (None, None, None)
    assert inside.refused == "it is not beyond the largest measured size, 100 B parameters"
    assert "At 20 T parameters no forecast: it is 2.3 decades" in forecast(curve, [2e13]).sentence
    with pytest.raises(InputError, match="n is 0: expected at least 1 item"):
        forecast(curve, n=0)


def test_fewer_items_widen_the_measurement_alone() -> None:
    curve = counted(RISING)
    many, few = forecast(curve).sizes[0], forecast(curve, n=20).sizes[0]
    assert (many.estimate, many.curve, many.model) == (few.estimate, few.curve, few.model)
    assert many.measured is not None
    assert few.measured is not None
    assert few.measured[1] - few.measured[0] > many.measured[1] - many.measured[0] + 0.1
    assert few.n == 20


def test_sizes_that_scatter_make_one_model_less_certain_than_the_curve() -> None:
    smooth, rough = counted([100] * 7, n=1000, chance=None), counted([100, 160, 60, 130, 50, 150, 70], 1000, None)
    made = [forecast(one) for one in (smooth, rough)]
    assert made[0].scatter < 0.001
    assert made[1].scatter > 0.005

    def width(one: Forecast) -> float:
        assert one.sizes[0].model is not None
        assert one.sizes[0].curve is not None
        return (one.sizes[0].model[1] - one.sizes[0].model[0]) - (one.sizes[0].curve[1] - one.sizes[0].curve[0])

    assert width(made[1]) > width(made[0]) + 0.05


def test_loss_as_size_grows_downwards() -> None:
    losses = 10 ** (-0.076 * (X - 20))
    points = [
        SizePoint("task", "fam", f"m{i}", float(losses[i]), "acc", n=200, correct=one, chance=0.0)
        for i, one in enumerate(RISING)
    ]
    made = forecast(curves_of(points, "loss")[0])
    reference = forecast(counted(RISING))
    assert made.sizes[0].size < losses.min()
    assert made.sizes[0].persistence == 141 / 200
    assert made.sizes[0].estimate == pytest.approx(reference.sizes[0].estimate or 0, abs=0.01)


def test_models_of_one_size_are_taken_together() -> None:
    curve = counted(RISING)
    twice = replace(curve, points=(*curve.points, replace(curve.points[-1], model="again", correct=131)))
    (one,) = forecast(twice).sizes
    assert one.persistence == 272 / 400
    assert [tested.left_out for tested in forecast(twice).backtest] == [1, 2, 2]


def test_the_constant_alone_is_the_beta_posterior() -> None:
    """Exact with a flat prior, but for the scatter that is allowed for: 180 of 1,200 right."""
    data = counts(np.full(6, 30), np.full(6, 200))
    made = ensemble(data, X[:6], X[6:], np.random.default_rng(0), draws=20_000, prior={Constant.name: 1.0})
    exact = stats.beta(181, 1021)
    assert made.expected.mean() == pytest.approx(exact.mean(), abs=0.001)
    assert exact.std() * 0.98 < made.expected.std() < 1.3 * exact.std()


def test_without_a_prior_weight_a_family_is_left_out() -> None:
    data = counts(np.full(7, 30), np.full(7, 200))
    made = ensemble(data, X, np.array([11.5]), np.random.default_rng(0), prior={**EQUAL, WALK: 0.0})
    assert WALK not in made.weights
    assert WALK in ensemble(data, X, np.array([11.5]), np.random.default_rng(0)).weights


def test_the_line_alone_agrees_with_its_normal_approximation() -> None:
    """Weighted least squares by hand; many items, so that likelihood and normal approximation agree."""
    n, right = np.full(7, 20_000), np.round(20_000 * (0.3 + 0.1 * (X - 8)))
    made = ensemble(
        counts(right, n), X, np.array([11.5]), np.random.default_rng(0), draws=20_000, prior={LogLinear.name: 1.0}
    )
    share = right / n
    weight = n / (share * (1 - share))
    basis = np.stack([np.ones(7), X - 11.5], axis=1)
    covariance = np.linalg.inv((basis * weight[:, None]).T @ basis)
    assert made.expected.mean() == pytest.approx(0.65, abs=0.002)
    # scatter of the sizes is allowed for, so no narrower, and little wider
    assert np.sqrt(covariance[0, 0]) * 0.95 < made.expected.std() < 2 * np.sqrt(covariance[0, 0])


def test_many_items_are_not_lost_between_the_shapes_of_a_grid() -> None:
    """A logistic seen through 100,000 items: the grid's own shapes all misfit, which would read as scatter."""

    def truth(x: np.ndarray) -> np.ndarray:
        return 0.1 + 0.8 / (1 + np.exp(-2 * (x - 9.7)))

    made = forecast(counted([round(1e5 * one) for one in truth(X)], n=100_000))
    (one,) = made.sizes
    assert made.weights["logistic"] > 0.95
    assert one.estimate == pytest.approx(float(truth(np.array([11.5]))[0]), abs=0.004)
    assert one.curve is not None
    assert one.curve[1] - one.curve[0] < 0.02


def test_json_and_sentence() -> None:
    made = forecast(counted(RISING))
    said = made.json()
    json.dumps(said, allow_nan=False)
    assert list(said) == [
        "curve", "family", "metric", "scale", "refused", "best", "sizes", "backtest", "weights", "scatter", "companion",
        "notes", "sentence",
    ]  # fmt: skip
    assert list(said["sizes"][0]) == [
        "size", "tokens", "decades", "refused", "estimate", "interval", "model_interval", "measured_interval",
        "measured_interval_90", "n", "persistence", "persistence_interval", "routes",
    ]  # fmt: skip
    assert said["sizes"][0]["tokens"] is None


def test_from_accuracy_alone_the_last_value_is_recommended_with_an_interval() -> None:
    made = forecast(counted(RISING))
    assert made.best == "last value"
    assert made.sentence.startswith(
        "At 316 B parameters the best guess is the last value carried forward, 70.5 %: from accuracy alone forecasts"
        " gained about a point over it one size ahead and nothing two ahead. Measured there on 200 items, 95 % lie within "
    )
    assert (
        "Without the largest size, the last value is off by \N{MINUS SIGN}11.5 points there; the interval held it."
        in (made.sentence)
    )


@pytest.mark.slow
def test_intervals_hold_what_is_measured_next() -> None:
    """Straight lines and logistics, without and with scatter between sizes: 95 % intervals hold 90 % or more."""
    rng = np.random.default_rng(5)
    for rho in (0.0, 0.01):
        held = []
        for index in range(150):
            slope = rng.uniform(0, 0.2)
            share = 0.1 + slope * (X - 8) if index % 2 else 0.1 + 0.8 / (1 + np.exp(-2 * (X - rng.uniform(8.5, 11.5))))
            if rho:
                share = rng.beta(share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho)
            right = rng.binomial(200, share)
            made = forecast(counted([int(one) for one in right], chance=None), draws=1500)
            held.append(bool(made.backtest[0].held))
        # three standard errors below 95 %
        assert np.mean(held) >= 0.90
