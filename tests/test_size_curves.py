"""Accuracy against size: the binomial logistic fit, against statsmodels and a known truth; labels, cost and shifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from test_paired import arm, outcomes

from onset.analysis.arms import Arm
from onset.analysis.cost import break_even_queries, break_evens
from onset.analysis.intervals import Block, crossed_bootstrap
from onset.analysis.labels import label_curves, mean_accuracy, overtakings
from onset.analysis.paired import compare_all
from onset.analysis.robustness import loss_differences, losses
from onset.analysis.size_curves import LogisticWithFloor, fit_logistic, size_curves
from onset.errors import InputError
from onset.scores import wilson

SIZES = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000]


def test_without_a_floor_it_is_logistic_regression() -> None:
    for correct in ([3, 20, 60, 95], [90, 70, 40, 30], [10, 12, 9, 15]):
        fit = fit_logistic(SIZES, correct, [100] * 4)
        counts = np.column_stack([correct, 100 - np.array(correct)])
        x = np.log10(SIZES)
        glm = sm.GLM(counts, sm.add_constant(x), family=sm.families.Binomial()).fit()
        assert fit.curve.slope == pytest.approx(glm.params[1], rel=1e-4, abs=1e-5)
        assert fit.curve(SIZES) == pytest.approx(glm.fittedvalues, abs=1e-5)
        flat = sm.GLM(counts, np.ones((4, 1)), family=sm.families.Binomial()).fit()
        assert fit.p_flat == pytest.approx(stats.chi2.sf(2 * (glm.llf - flat.llf), 1), rel=1e-4)


def test_profile_interval_is_the_wald_interval_in_large_samples() -> None:
    correct = [30_000, 200_000, 600_000, 950_000]
    fit = fit_logistic(SIZES, correct, [1_000_000] * 4)
    counts = np.column_stack([correct, 1_000_000 - np.array(correct)])
    # the counts were made up and need not lie on a logistic: near its optimum the likelihood is quadratic all the same
    glm = sm.GLM(counts, sm.add_constant(np.log10(SIZES)), family=sm.families.Binomial()).fit()
    midpoint = -glm.params[0] / glm.params[1]
    gradient = np.array([-1 / glm.params[1], glm.params[0] / glm.params[1] ** 2])
    error = np.sqrt(gradient @ glm.cov_params() @ gradient)
    low, high = fit.midpoint_interval
    assert low == pytest.approx(midpoint - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(midpoint + 1.96 * error, abs=0.1 * error)


@pytest.mark.parametrize("truth", [LogisticWithFloor(0.25, 1.0, 2.5, 8.0), LogisticWithFloor(0.5, 0.8, 4.0, 7.5)])
def test_a_known_curve_is_recovered(truth: LogisticWithFloor) -> None:
    sizes = [int(10**power) for power in (6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5)]
    n = [2_000_000] * len(sizes)
    correct = [round(share * 2_000_000) for share in truth(sizes)]
    fit = fit_logistic(sizes, correct, n, floor=truth.floor, fit_ceiling=truth.ceiling < 1)
    assert fit.curve.ceiling == pytest.approx(truth.ceiling, abs=1e-3)
    assert fit.curve.slope == pytest.approx(truth.slope, abs=0.02)
    assert fit.curve.midpoint == pytest.approx(truth.midpoint, abs=2e-3)
    assert fit.midpoint_interval[0] is not None
    assert fit.midpoint_interval[1] is not None
    assert fit.midpoint_interval[0] < truth.midpoint < fit.midpoint_interval[1]


@pytest.mark.parametrize("ceiling", [False, True])
def test_no_random_search_finds_a_better_fit(ceiling: bool) -> None:
    rng = np.random.default_rng(0)
    sizes = [10**power for power in range(6, 12)]
    for _ in range(5):
        correct = rng.integers(10, 60, 6)
        fit = fit_logistic(sizes, correct.tolist(), [60] * 6, floor=0.1, fit_ceiling=ceiling)
        slope, midpoint = rng.normal(0, 3, 20_000), rng.uniform(4, 13, 20_000)
        top = rng.uniform(0.15, 1.0, 20_000) if ceiling else np.ones(20_000)
        share = 0.1 + (top - 0.1)[:, None] / (1 + np.exp(-slope[:, None] * (np.log10(sizes) - midpoint[:, None])))
        likelihood = stats.binom.logpmf(correct, 60, share).sum(axis=1)
        own = stats.binom.logpmf(correct, 60, fit.curve(sizes)).sum()
        assert own >= likelihood.max() - 1e-6


def test_the_interval_of_the_midpoint_covers() -> None:
    truth = LogisticWithFloor(0.25, 1.0, 2.0, 7.6)
    sizes = [10**6, 10**7, 10**8, 10**9]
    rng = np.random.default_rng(3)
    covered = 0
    for correct in rng.binomial(200, truth(sizes), size=(150, 4)):
        low, high = fit_logistic(sizes, correct.tolist(), [200] * 4, floor=0.25).midpoint_interval
        covered += (low is None or low <= truth.midpoint) and (high is None or truth.midpoint <= high)
    assert 0.90 <= covered / 150 <= 0.99


def test_a_jump_between_two_sizes_has_a_midpoint_interval_of_that_gap() -> None:
    fit = fit_logistic(SIZES, [0, 0, 100, 100], [100] * 4)
    low, high = fit.midpoint_interval
    assert low is not None
    assert high is not None
    assert 7.0 <= low < high <= 8.0
    assert fit.p_flat < 1e-9


def test_a_design_effect_widens_what_is_claimed() -> None:
    plain = fit_logistic(SIZES, [20, 30, 45, 60], [100] * 4)
    heavy = fit_logistic(SIZES, [20, 30, 45, 60], [100] * 4, design_effect=[4.0] * 4)
    quarter = fit_logistic(SIZES, [5, 7.5, 11.25, 15], [25] * 4)  # type: ignore[list-item]
    assert heavy.curve.midpoint == pytest.approx(plain.curve.midpoint, abs=1e-3)
    assert heavy.p_flat == pytest.approx(quarter.p_flat, rel=1e-3)
    assert heavy.p_flat > plain.p_flat
    assert (heavy.midpoint_interval[0] or 0) < (plain.midpoint_interval[0] or 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 1], [2, 2]), "size curve: 2 different sizes, at least 3 are needed"),
        (([10, 20, 20, 10], [1] * 4, [2] * 4), "size curve: 2 different sizes, at least 3 are needed"),
        (([1, 2, 3], [1, 1, 3], [2, 2, 2]), "size curve: 3 correct of 2 at 3 parameters is impossible"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments: tuple[list[int], ...], message: str) -> None:
    with pytest.raises(InputError) as error:
        fit_logistic(*arguments)
    assert str(error.value) == message
    with pytest.raises(InputError, match=r"^size curve: 4 different sizes, at least 6 are needed$"):
        fit_logistic(SIZES, [1] * 4, [2] * 4, fit_ceiling=True)


def ladder(family: str, shares: list[float], sizes: list[int] = SIZES, method: str = "cot") -> list[Arm]:
    rng = np.random.default_rng(len(family))
    return [
        arm(
            (rng.random((3, 80)) < share).astype(float),
            method,
            family=family,
            params=size,
            model=f"{family}-{size}",
        )
        for size, share in zip(sizes, shares, strict=False)
    ]


def test_families_are_never_on_one_curve() -> None:
    curves = size_curves([*ladder("red", [0.1, 0.3, 0.8, 0.9]), *ladder("blue", [0.5, 0.6])])
    red, blue = curves
    assert (red.family, red.sizes, red.verdict) == ("red", tuple(SIZES), "grows")
    assert (blue.fit, blue.verdict, blue.sizes) == (None, "not fitted", tuple(SIZES[:2]))
    assert blue.sentence == "no curve for cot on t (8 labels): 2 sizes of the family blue, at least 3 are needed."
    assert red.sentence.startswith(
        "cot on t (8 labels), family red: accuracy grows with size and is halfway between 0 % and 100.0 % at about"
    )


def test_a_curve_says_when_nothing_changes_and_when_the_middle_is_out_of_sight() -> None:
    (flat,) = size_curves(ladder("red", [0.3] * 4))
    assert flat.verdict == "flat"
    assert flat.sentence == (
        "cot on t (8 labels), family red: no change of accuracy with size can be shown between 1 M and 1 B parameters."
    )
    (low,) = size_curves(ladder("red", [0.02, 0.05, 0.1, 0.25]))
    assert "is not yet halfway between 0 % and 100.0 % at the largest model (1 B parameters;" in low.sentence
    below = [replace(one, chance=0.5) for one in ladder("red", [0.1, 0.55, 0.7, 0.9])]
    (warned,) = size_curves(below)
    assert "; red-1000000 lies below the chance level, which the curve cannot follow." in warned.sentence


def test_a_jump_is_placed_between_two_sizes_or_beyond_the_last() -> None:
    (jump,) = size_curves(ladder("red", [0.0, 0.0, 1.0, 1.0]))
    assert jump.sentence == (
        "cot on t (8 labels), family red: accuracy grows with size and passes halfway between 0 % and 100.0 %"
        " between 10 M and 100 M parameters; how steeply is open."
    )
    (last,) = size_curves(ladder("red", [0.0, 0.0, 0.0, 0.2]))
    assert last.verdict == "grows"
    assert "is not yet halfway between 0 % and 100.0 % at the largest model" in last.sentence


def test_mean_accuracy_over_draws_and_items() -> None:
    values = (np.random.default_rng(0).random((5, 100)) < 0.6).astype(float)
    point = mean_accuracy(arm(values))
    crossed = crossed_bootstrap([Block(values)])
    assert crossed is not None
    assert point.accuracy == pytest.approx(values.mean())
    assert point.interval == crossed.interval()
    single = mean_accuracy(arm(values[:1]))
    assert single.interval == wilson(int(values[0].sum()), 100)
    perfect = mean_accuracy(arm(np.ones((5, 100))))
    assert perfect.interval[1] == 1.0
    assert perfect.interval[0] == pytest.approx(1 - 3.84 / 103.84, abs=2e-3)


def test_the_budget_from_which_tuning_overtakes_prompting() -> None:
    rng = np.random.default_rng(0)
    shared = rng.random((1, 300))

    def level(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return (shared + rng.normal(0, 0.02, (5, 300)) < share).astype(float)

    shares = {8: 0.3, 32: 0.5, 128: 0.8}
    arms = [arm(level(0.5), "cot", labels=labels) for labels in shares]
    arms += [arm(level(share), "lora", labels=labels, tune="lora") for labels, share in shares.items()]
    curves = {curve.method: curve for curve in label_curves(arms, replicates=500)}
    assert [point.labels for point in curves["lora"].points] == [8, 32, 128]
    (one,) = overtakings(compare_all(arms, replicates=2000), {"lora"})
    assert (one.verdict, one.budget, one.wins, one.losses) == ("reached", 128, (128,), (8,))
    assert (
        one.sentence == "m on t: lora overtakes cot at 128 labels; cot is ahead at 8 labels; equivalent at 32 labels."
    )
    (never,) = overtakings(compare_all([one for one in arms if one.labels < 128], replicates=2000), {"lora"})
    assert (never.verdict, never.budget) == ("not reached", None)
    assert never.sentence == ("m on t: lora does not overtake cot: cot is ahead at 8 labels; equivalent at 32 labels.")
    (always,) = overtakings(compare_all([one for one in arms if one.labels > 32], replicates=2000), {"lora"})
    assert always.sentence == "m on t: lora is ahead of cot at every budget tried (128 labels)."


def test_break_even_queries() -> None:
    # shared notes' example: 512 examples of 250 tokens, ten epochs of LoRA on 1.5 B parameters
    assert break_even_queries(7.7e15, 4.35e12, 0.75e12) == pytest.approx(2139, rel=1e-3)
    assert break_even_queries(1e12, 1e9, 1e9) is None
    tuned = arm(np.ones((1, 4)), "lora", tune="lora", flops_query=2.0, flops_tuning=900.0)
    cheap, dear = arm(np.ones((1, 4)), "cot", flops_query=1.0), arm(np.ones((1, 4)), "vote", flops_query=5.0)
    never, pays = break_evens([tuned, cheap, dear])
    assert (never.queries, pays.queries) == (None, 300.0)
    assert (
        never.sentence
        == "m on t, 8 labels: a query of lora costs no less than one of cot: tuning never pays for itself."
    )
    assert pays.sentence == "m on t, 8 labels: lora is cheaper than vote from about 300 queries on."
    (parts,) = break_evens([arm(np.ones((1, 4)), "lora", tune="lora", flops_query=2.0, flops_tuning=91.9), dear])
    assert parts.queries == pytest.approx(30.63, abs=0.01)
    assert parts.sentence.endswith("from about 31 queries on.")


def shifted(clean: Arm, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, twins: bool) -> Arm:
    """``clean`` under a shift that rewrites its items, or that is another test set."""
    names = tuple(f"x{index:04d}" for index in range(values.shape[1]))
    origin = clean.items if twins else (None,) * values.shape[1]
    return replace(clean, shift="typos", items=names, twins=origin, values=values)


def test_losses_are_paired_with_the_clean_twin() -> None:
    rng = np.random.default_rng(0)
    left, right = outcomes(rng, 5, 200, 0.8)
    clean = arm(left, "cot")
    (loss,) = losses([clean, shifted(clean, right, twins=True)], replicates=2000)
    crossed = crossed_bootstrap([Block(left - right)], 2000)
    assert crossed is not None
    assert (loss.paired, loss.n) == (True, 200)
    assert loss.loss == pytest.approx((left - right).mean())
    assert (loss.interval, loss.p) == (crossed.interval(), crossed.p())
    assert loss.clean == pytest.approx(left.mean())
    assert loss.shifted == pytest.approx(right.mean())
    assert loss.verdict == "loses"
    order = rng.permutation(200)
    scrambled = shifted(clean, right[:, order], twins=True)
    scrambled = replace(scrambled, twins=tuple(clean.items[index] for index in order))
    (again,) = losses([clean, scrambled], replicates=2000)
    assert again.loss == pytest.approx(loss.loss)
    assert again.p == pytest.approx(loss.p, abs=0.01)


def test_another_test_set_is_not_paired_but_methods_are() -> None:
    rng = np.random.default_rng(1)
    first, second = outcomes(rng, 5, 200, 0.8)
    elsewhere_a, elsewhere_b = outcomes(rng, 5, 120, 0.8)
    a, b = arm(first, "cot", tune="lora"), arm(second, "plain")
    arms = [a, b, shifted(a, elsewhere_a, twins=False), shifted(b, elsewhere_b, twins=False)]
    of_a, _ = losses(arms, replicates=2000)
    assert (of_a.paired, of_a.n, of_a.n_clean) == (False, 120, 200)
    assert of_a.loss == pytest.approx(first.mean() - elsewhere_a.mean())
    (between,) = loss_differences(arms, replicates=2000)
    assert between.sides == ("cot", "plain")
    expected = (first.mean() - elsewhere_a.mean()) - (second.mean() - elsewhere_b.mean())
    assert between.difference == pytest.approx(expected)
    paired = crossed_bootstrap([Block(first - second), Block(elsewhere_a - elsewhere_b, -1.0)], 2000)
    assert paired is not None
    assert between.interval == paired.interval()


def test_a_shift_without_its_clean_counterpart_has_no_loss() -> None:
    clean = arm(np.ones((2, 10)), "cot")
    assert losses([shifted(clean, np.zeros((2, 10)), twins=True)]) == ()
