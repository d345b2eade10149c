"""Accuracy against size and labels, cost and shifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_arms import arm, by_itself, changed, outcomes

from onset.analysis.contrast.asked import compare_all, loss_differences, losses
from onset.analysis.estimates.break_evens import break_even_queries, break_evens
from onset.analysis.estimates.label_curves import label_curves, mean_accuracy, means_over_draws, overtakings
from onset.analysis.estimates.size_curves import size_curves
from onset.analysis.outcomes import Flops, Outcomes
from onset.analysis.questions.cost import break_even_words
from onset.analysis.questions.curve_words import curve_line, curve_sentence
from onset.analysis.questions.prompt_or_tune import budget_words
from onset.analysis.questions.say import ENGLISH
from onset.analysis.stats.bootstrap import Block, crossed_bootstrap
from onset.scores import wilson

SIZES = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000]


def ladder(family: str, shares: list[float], chance: float = 0.0) -> list[Outcomes]:
    rng = np.random.default_rng(len(family))
    return [
        arm((rng.random((3, 80)) < share).astype(float), "cot", family=family, params=size, model=f"{family}-{size}",
            chance=chance)
        for size, share in zip(SIZES, shares, strict=False)
    ]  # fmt: skip


def test_families_are_never_on_one_curve_and_two_sizes_are_none() -> None:
    red, blue = size_curves([*ladder("red", [0.1, 0.3, 0.8, 0.9]), *ladder("blue", [0.5, 0.6])])
    assert (red.family, red.sizes) == ("red", tuple(SIZES))
    assert red.found is not None
    assert (blue.found, blue.check, blue.scores, blue.sizes) == (None, None, (), tuple(SIZES[:2]))
    assert curve_sentence(blue) == "cot on t (8 labels), family blue: 2 sizes, no curve, which takes 4."
    assert blue.json()["verdict"] == "no curve"


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.3] * 4, "cot on t (8 labels), family red: "),
        ([0.05, 0.3, 0.7, 0.9], "; halfway between "),
        ([0.02, 0.05, 0.1, 0.25], "cot on t (8 labels), family red: "),
        ([0.0, 0.0, 1.0, 1.0], "; halfway between 0.0 % and 100.0 % at about "),
        ([0.9, 0.6, 0.2, 0.1], "family red: accuracy falls with size"),
    ],
)
def test_a_curve_in_words_says_nothing_the_verdict_does_not(shares: list[float], words: str) -> None:
    (curve,) = size_curves(ladder("red", shares))
    found = curve.found
    assert found is not None
    assert words in curve_sentence(curve)
    assert ("halfway" in curve_sentence(curve)) == (found.midpoint is not None)
    assert ("emerges" in curve_sentence(curve)) == (found.verdict == "emergent")
    assert ("no curve of the families fits" in curve_sentence(curve)) == (found.fit is None or not found.fit.drawn)


def test_mean_accuracy_over_draws_and_items() -> None:
    values = (np.random.default_rng(0).random((6, 100)) < 0.6).astype(float)
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


def two_draws(*shares: tuple[float, float]) -> list[Outcomes]:
    """Arms whose two draws are right in these shares of 100 items."""
    rows = [np.array([[*[1.0] * round(100 * one), *[0.0] * round(100 - 100 * one)] for one in pair]) for pair in shares]
    return [arm(row, f"m{place}") for place, row in enumerate(rows)]


def test_two_draws_of_too_few_arms_have_the_wider_of_bootstrap_and_t() -> None:
    one, other = two_draws((0.4, 0.6), (0.5, 0.5))
    apart, alike = means_over_draws([one, other])
    mean, error = 0.5, 0.1
    assert apart.interval == pytest.approx((max(0, mean - 12.706 * error), min(1, mean + 12.706 * error)), abs=1e-4)
    crossed = crossed_bootstrap([Block(other.values)])
    assert crossed is not None
    assert alike.interval == crossed.interval()  # two draws that agree to the item leave t no width


def test_noise_between_two_draws_is_pooled_over_the_arms_of_one_kind() -> None:
    shares = [(0.4, 0.6), (0.5, 0.5), (0.7, 0.78), (0.3, 0.34)]
    prompted = two_draws(*shares)
    alone = [mean_accuracy(one).interval for one in prompted]
    pooled = [one.interval for one in means_over_draws(prompted)]
    width = [high - low for low, high in pooled]
    assert width[0] < alone[0][1] - alone[0][0]
    assert width[1] > 0.2  # it had the luck of two equal draws, and its neighbours say so
    tuned = [replace(one, asked=replace(one.asked, tune="lora")) for one in two_draws((0.1, 0.9), *shares[:2])]
    assert [one.interval for one in means_over_draws([*prompted, *tuned])][: len(prompted)] == pooled
    again = [replace(one, at=replace(one.at, shift="longer")) for one in prompted[:2]]
    few = [one.interval for one in means_over_draws([*prompted[:2], *again])]
    assert few == [*alone[:2], *alone[:2]]  # a shift of an arm is no arm more, and two are too few


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
    assert (one.verdict, one.budget, one.at("wins"), one.at("loses")) == ("reached", 128, [128], [8])
    assert (
        budget_words(one, ENGLISH)
        == "m on t: lora overtakes cot at 128 labels; cot is ahead at 8 labels; equivalent at 32 labels"
    )
    (never,) = overtakings(compare_all([one for one in arms if one.labels < 128], replicates=2000), {"lora"})
    assert (never.verdict, never.budget) == ("not reached", None)
    assert budget_words(never, ENGLISH) == (
        "m on t: lora does not overtake cot: cot is ahead at 8 labels; equivalent at 32 labels"
    )
    (always,) = overtakings(compare_all([one for one in arms if one.labels > 32], replicates=2000), {"lora"})
    assert budget_words(always, ENGLISH) == "m on t: lora is ahead of cot at every budget tried (128 labels)"


def test_break_even_queries() -> None:
    # shared notes' example: 512 examples of 250 tokens, ten epochs of LoRA on 1.5 B parameters
    assert break_even_queries(7.7e15, 4.35e12, 0.75e12) == pytest.approx(2139, rel=1e-3)
    assert break_even_queries(1e12, 1e9, 1e9) is None
    tuned = arm(np.ones((1, 4)), "lora", tune="lora", flops=Flops(2.0, 900.0))
    cheap, dear = (
        arm(np.ones((1, 4)), "cot", flops=Flops(1.0, 0.0)),
        arm(np.ones((1, 4)), "vote", flops=Flops(5.0, 0.0)),
    )
    never, pays = break_evens([tuned, cheap, dear])
    assert (never.queries, pays.queries) == (None, 300.0)
    assert (
        break_even_words(never, ENGLISH)
        == "m on t, 8 labels: a query of lora costs no less than one of cot: tuning never pays for itself"
    )
    assert break_even_words(pays, ENGLISH) == "m on t, 8 labels: lora is cheaper than vote from about 300 queries on"
    (parts,) = break_evens([arm(np.ones((1, 4)), "lora", tune="lora", flops=Flops(2.0, 91.9)), dear])
    assert parts.queries == pytest.approx(30.63, abs=0.01)
    assert break_even_words(parts, ENGLISH).endswith("from about 31 queries on")


def shifted(clean: Outcomes, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, twins: bool) -> Outcomes:
    """``clean`` under a shift that rewrites its items, or that is another test set."""
    names = tuple(f"x{index:04d}" for index in range(values.shape[1]))
    origin = clean.items if twins else (None,) * values.shape[1]
    return changed(clean, shift="typos", items=names, twins=origin, values=values)


def test_losses_are_paired_with_the_clean_twin() -> None:
    rng = np.random.default_rng(0)
    left, right = outcomes(rng, 5, 200, 0.8)
    clean = arm(left, "cot")
    (loss,) = losses([clean, shifted(clean, right, twins=True)], replicates=2000)
    interval, p = by_itself(Block(left - right), replicates=2000)
    assert (loss.sample.table.paired, loss.n) == (True, 200)
    assert loss.difference == pytest.approx((left - right).mean())
    assert loss.interval == pytest.approx(interval)
    assert loss.p == pytest.approx(p)
    assert loss.levels == pytest.approx((left.mean(), right.mean()))
    assert loss.verdict == "wins"
    order = rng.permutation(200)
    scrambled = shifted(clean, right[:, order], twins=True)
    scrambled = replace(scrambled, twins=tuple(clean.items[index] for index in order))
    (again,) = losses([clean, scrambled], replicates=2000)
    assert again.difference == pytest.approx(loss.difference)
    assert again.p == pytest.approx(loss.p, abs=0.01)


def test_another_test_set_is_not_paired_but_methods_are() -> None:
    rng = np.random.default_rng(1)
    first, second = outcomes(rng, 5, 200, 0.8)
    elsewhere_a, elsewhere_b = outcomes(rng, 5, 120, 0.8)
    a, b = arm(first, "cot", tune="lora"), arm(second, "plain")
    arms = [a, b, shifted(a, elsewhere_a, twins=False), shifted(b, elsewhere_b, twins=False)]
    of_a, _ = losses(arms, replicates=2000)
    assert (of_a.sample.table.paired, of_a.n, len(of_a.sample.table.items)) == (False, 120, 200)
    assert of_a.difference == pytest.approx(first.mean() - elsewhere_a.mean())
    (between,) = loss_differences(arms, replicates=2000)
    assert between.names == ("cot", "plain")
    expected = (first.mean() - elsewhere_a.mean()) - (second.mean() - elsewhere_b.mean())
    assert between.difference == pytest.approx(expected)
    blocks = Block(first - second), Block(elsewhere_a - elsewhere_b, -1.0)
    assert between.interval == pytest.approx(by_itself(*blocks, replicates=2000)[0])


def test_losses_are_compared_on_what_both_methods_have() -> None:
    """One method lacks ten shifted items, and at one draw it was shown other examples."""
    rng = np.random.default_rng(2)
    first, second = outcomes(rng, 4, 90, 0.8)
    shifted_a, shifted_b = outcomes(rng, 4, 90, -0.4)
    plans = ("plan0", "plan1", "another", "plan3")
    a, b = arm(first, "cot", tune="lora"), arm(second, "plain", plans=plans)
    fewer = shifted(b, shifted_b, twins=True)
    fewer = replace(fewer, items=fewer.items[10:], twins=fewer.twins[10:], values=fewer.values[:, 10:])
    (one,) = loss_differences([a, b, shifted(a, shifted_a, twins=True), fewer], replicates=2000)
    table = ((first - shifted_a) - (second - shifted_b))[[0, 1, 3], 10:]
    interval, p = by_itself(Block(table), replicates=2000)
    assert (one.names, one.n, one.draws) == (("cot", "plain"), 80, (0, 1, 3))
    assert one.difference == pytest.approx(table.mean())
    assert one.interval == pytest.approx(interval)
    assert one.p == pytest.approx(p)
    assert one.refused == ("seed 2: example plan plan2 against another, refused",)


def test_a_shift_without_its_clean_counterpart_has_no_loss() -> None:
    clean = arm(np.ones((2, 10)), "cot")
    assert losses([shifted(clean, np.zeros((2, 10)), twins=True)]) == ()


def test_a_curve_that_nothing_fits_is_not_said_to_stand_still() -> None:
    """Up, down and up again, from 3 to 98 %: that is no lack of change."""
    counts = {22_000: 2, 58_000: 26, 132_000: 8, 261_000: 12, 652_000: 59}
    arms = [
        arm((np.arange(60)[None, :] < right).astype(float), "cot", family="red", params=size, model=f"red-{size}")
        for size, right in counts.items()
    ]
    (curve,) = size_curves(arms)
    assert curve.found is not None
    assert curve.found.verdict == "unresolved"
    line = curve_line(curve, None)
    assert line["en"] == "Chain of thought follows no curve over size: 3.3 % right at 22 k parameters, 98.3 % at 652 k"
    assert line["zh"].startswith("思维链不随规模成任何曲线")
