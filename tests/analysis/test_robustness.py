"""What is estimated of shifts: drops, flips, matched drops, the worst shift, orders of methods, parts of test sets."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from made_arms import arm, changed
from rich.console import Console
from scipy import optimize, special
from synthetic import synthetic_results

from onset.analysis import analyse, load
from onset.analysis.contrast.asked import compare_all, loss_differences, losses
from onset.analysis.contrast.combined import crossed_of, estimate_of, together
from onset.analysis.estimates.breakdowns import Breakdown, breakdowns
from onset.analysis.estimates.classification import classified
from onset.analysis.estimates.falls import falls, worst_cases
from onset.analysis.estimates.label_curves import label_curves, means_of
from onset.analysis.estimates.matched import AT_CHANCE, FEWEST_POINTS, Grid, matched
from onset.analysis.estimates.reorder import Lead, Overtaking, drop_slopes, lead_curves, leads
from onset.analysis.outcomes import Outcomes
from onset.analysis.outcomes.measured import Measured, foreign
from onset.analysis.stats.adjust import ALPHA
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap
from onset.analysis.stats.line import covariance_of_means, fit_line, logit, logit_slope, share
from onset.records import LONGEST_FACT, Item
from onset.report.robustness import print_robustness
from onset.scores import wilson

FAST = 400


def clean_and_shifted(
    clean: Array, shifted: Array, *, paired: bool = True, shift: str = "typos", **of: Any
) -> list[Outcomes]:
    """An arm on clean items and under a shift."""
    items = np.atleast_2d(shifted).shape[1]
    twins = tuple(f"{index:04d}" for index in range(items)) if paired else (None,) * items
    names = tuple(f"{shift}{index:04d}" for index in range(items))
    return [arm(clean, **of), arm(shifted, items=names, shift=shift, twins=twins, **of)]


def study(
    rng: np.random.Generator,
    *,
    draws: int = 1,
    items: int = 200,
    models: int = 6,
    effect: float = 0.0,
    scatter: float = 0.0,
    paired: bool = True,
    slope: float = 0.85,
    drop: float = 0.5,
    shift: str = "typos",
) -> list[Outcomes]:
    """Two methods on ``models`` sizes whose shifted logits are a line of their clean ones; ``effect``: of the first."""
    hard = rng.normal(0, 1.5, (2, items))
    hard[1] = hard[0] if paired else hard[1]
    out = []
    for place, method in enumerate(("a", "b")):
        for size, level in enumerate(np.linspace(-1.5, 2.0, models)):
            at = level + 0.3 * place
            there = slope * at - drop + (effect if place == 0 else 0.0) + rng.normal(0, scatter)
            own, noise = rng.normal(0, 0.5, items), rng.normal(0, 0.2, (draws, 1))
            chances = [special.expit(1.8 * one + noise - hard[side] + own) for side, one in enumerate((at, there))]
            clean, shifted = ((rng.random((draws, items)) < chance).astype(float) for chance in chances)
            out += clean_and_shifted(
                clean, shifted, paired=paired, shift=shift, method=method, model=f"m{size}", params=10 ** (6 + size)
            )
    return out


# ---- a line on the logit scale -------------------------------------------------------------------------------------


def test_without_noise_the_line_is_that_of_least_squares_with_its_errors() -> None:
    rng = np.random.default_rng(0)
    u = rng.normal(0, 1, 9)
    v = 0.8 * u - 0.4 + rng.normal(0, 0.2, 9)
    line = fit_line(u, v)
    assert line is not None
    fitted = sm.OLS(v, sm.add_constant(u)).fit()
    assert (line.intercept, line.slope) == pytest.approx(tuple(fitted.params))
    assert line.scatter == pytest.approx(fitted.mse_resid)
    assert line.r2 == pytest.approx(fitted.rsquared)
    new = np.array([0.3, 1.1])
    predicted = fitted.get_prediction(sm.add_constant(new))
    assert line.at(new) == pytest.approx(predicted.predicted_mean)
    # one new observation, and the mean of two whose line part is shared
    assert line.error(np.array([1.0]), new[:1]) == pytest.approx(predicted.se_obs[0])
    mean_row = np.array([[1.0, new.mean()]])
    both = np.sqrt(fitted.mse_resid / 2 + (mean_row @ fitted.cov_params() @ mean_row.T)[0, 0])
    assert line.error(np.array([0.5, 0.5]), new) == pytest.approx(both)


def test_noise_in_clean_accuracy_is_corrected_as_fuller_has_it() -> None:
    rng = np.random.default_rng(1)
    m, noise = 1500, 0.7
    truth = rng.normal(0, 1, m)
    shared = rng.normal(0, 0.4, m)
    u, v = truth + shared + rng.normal(0, noise, m), 0.6 * truth + shared + rng.normal(0, noise, m)
    covariance = np.zeros((2 * m, 2 * m))
    every = np.arange(m)
    covariance[every, every] = noise**2 + 0.16
    covariance[every, m + every] = covariance[m + every, every] = 0.16
    line = fit_line(u, v, covariance)
    plain = fit_line(u, v)
    assert line is not None
    assert plain is not None
    assert line.slope == pytest.approx(0.6, abs=0.06)
    assert abs(plain.slope - 0.6) > 0.1
    assert line.reliability == pytest.approx(1 / 1.65, abs=0.04)


def test_nothing_is_fitted_where_points_differ_by_noise_alone() -> None:
    u = np.array([0.1, -0.1, 0.0])
    assert fit_line(u, u, np.eye(6)) is None
    assert fit_line(np.zeros(5), np.arange(5.0)) is None


def test_the_lines_derivatives_are_those_of_its_value() -> None:
    rng = np.random.default_rng(2)
    u, v, at = rng.normal(0, 1, 6), rng.normal(0, 1, 6), 0.7
    line = fit_line(u, v)
    assert line is not None
    by_u, by_v = line.by_points(at)

    def value(both: Array) -> float:
        moved = fit_line(both[:6], both[6:])
        assert moved is not None
        return float(moved.at(np.array([at]))[0])

    numeric = optimize.approx_fprime(np.concatenate([u, v]), value, 1e-6)
    assert np.concatenate([by_u, by_v]) == pytest.approx(numeric, abs=1e-4)


def test_logits_of_shares_have_an_inverse_and_are_finite_at_the_ends() -> None:
    shares = np.array([0.0, 0.02, 0.5, 1.0])
    assert share(logit(shares, 50), 50) == pytest.approx(shares)
    assert logit_slope(shares[1:3], 50) == pytest.approx(
        (logit(shares[1:3] + 1e-6, 50) - logit(shares[1:3] - 1e-6, 50)) / 2e-6
    )


@pytest.mark.parametrize("draws", [1, 4])
def test_covariances_of_means_are_the_variances_that_intervals_have(draws: int) -> None:
    rng = np.random.default_rng(3)
    table = rng.random((3, draws, 40)) + rng.normal(0, 0.5, (1, draws, 1)) + rng.normal(0, 0.5, (3, 1, 40))
    found = covariance_of_means([table])
    for weights in (*np.eye(3).tolist(), [1.0, -1.0, 0.0], [0.2, 0.3, -0.7]):
        crossed = crossed_bootstrap([Block(np.einsum("t,tdi->di", weights, table))], 10, shares=False)
        assert crossed is not None
        parts = crossed.parts
        expected = parts.total
        if parts.between_draws is not None and parts.item_part is not None and parts.residual is not None:
            expected = parts.between_draws + parts.item_part - parts.residual
        assert float(np.array(weights) @ found @ weights) == pytest.approx(expected)
    other = rng.random((2, draws, 30)) + rng.normal(0, 0.5, (1, draws, 1))
    apart = covariance_of_means([table, other])
    assert apart[:3, :3] == pytest.approx(found)
    across = np.cov(np.concatenate([table.mean(axis=2), other.mean(axis=2)]))[:3, 3:] / draws if draws > 1 else 0.0
    assert apart[:3, 3:] == pytest.approx(across)


# ---- matched clean accuracy ----------------------------------------------------------------------------------------


def test_an_arm_is_held_against_the_line_of_the_other_methods() -> None:
    rng = np.random.default_rng(4)
    arms = study(rng, items=4000, effect=-0.4)
    (grid,) = matched(arms, replicates=FAST)
    falls_more, falls_less = grid.methods
    assert (falls_more.method, falls_more.verdict, falls_less.verdict) == ("a", "loses", "wins")
    rest = [one for one in arms if one.method == "b"]
    u, v = (special.logit([one.accuracy for one in rest if one.at.clean is side]) for side in (True, False))
    fitted = sm.OLS(v, sm.add_constant(u)).fit()
    for one in falls_more.arms:
        expected = special.expit(fitted.params @ [1.0, special.logit(one.clean)])
        assert one.expected == pytest.approx(expected, abs=0.003)
        assert one.difference == pytest.approx(one.shifted - one.expected)
        low, high = one.estimate.interval
        assert low < one.difference < high
    assert falls_more.difference == pytest.approx(np.mean([one.difference for one in falls_more.arms]))
    assert falls_more.interval is not None
    assert falls_more.interval[0] < (falls_more.difference or 0.0) < falls_more.interval[1] < 0


def reasons(grid: Grid) -> set[str]:
    return set(grid.left_out.values())


def test_what_no_line_carries_is_refused_with_the_reason() -> None:
    rng = np.random.default_rng(5)
    few = study(rng, models=FEWEST_POINTS - 1)
    (grid,) = matched(few, replicates=FAST)
    assert [one.estimate for one in grid.methods] == [None, None]
    assert reasons(grid) == {"4 arms of other methods: a line takes 5"}
    same = [
        one
        for size in range(6)
        for method in "ab"
        for one in clean_and_shifted(
            (rng.random((1, 100)) < 0.6).astype(float), (rng.random((1, 100)) < 0.4).astype(float),
            method=method, model=f"m{size}",
        )
    ]  # fmt: skip
    (grid,) = matched(same, replicates=FAST)
    assert [one.why for one in grid.methods] == [
        "the clean accuracies of other methods differ by little more than their noise: too narrow for a line"
    ] * 2
    guesses = [one for one in study(rng) if one.method == "b"]
    guesses += clean_and_shifted(np.arange(200) % 2, np.arange(200) % 2, method="coin", model="m0")
    guesses = [arm(one.values, items=one.items, twins=one.twins, shift=one.shift, method=one.method, model=one.model, chance=0.5 if one.method == "coin" else 0.0) for one in guesses]  # fmt: skip
    (grid,) = matched(guesses, replicates=FAST)
    assert AT_CHANCE in reasons(grid)
    far = [one for one in study(rng) if one.method == "b" and one.model != "m5"]
    far += clean_and_shifted(np.r_[np.ones(199), 0.0], np.ones(200), method="top", model="m0")
    (grid,) = matched(far, replicates=FAST)
    assert "its clean accuracy is beyond the range of the other methods'" in reasons(grid)
    assert grid.methods[-1].outside == 1


def test_an_arm_without_examples_stands_beside_every_draw() -> None:
    rng = np.random.default_rng(6)
    arms = study(rng, draws=3)
    once = [one.values[:1] for one in arms if one.method == "a"]
    alone = [one for one in arms if one.method == "b"]
    for place in range(6):
        alone += clean_and_shifted(once[2 * place], once[2 * place + 1], method="zero", model=f"m{place}", labels=0)
    held = together([one for one in alone if one.at.clean], [one for one in alone if not one.at.clean])
    assert not isinstance(held, str)
    assert held.draws == (0, 1, 2)
    assert (held.clean[-1] == once[-2]).all()
    (grid,) = matched(alone, replicates=FAST)
    assert all(one.estimate is not None for one in grid.methods)
    apart = study(rng, draws=1)[:2]
    moved = [
        arm(one.values, items=one.items, twins=one.twins, shift=one.shift, method="late", draws=(7,)) for one in apart
    ]
    assert together([apart[0], moved[0]], [apart[1], moved[1]]) == "they share no draw of examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draws", "paired", "scatter"), [(1, True, 0.0), (3, True, 0.0), (5, False, 0.0), (1, True, 0.4)]
)
def test_methods_on_one_line_are_hardly_ever_told_apart(draws: int, paired: bool, scatter: float) -> None:
    rng = np.random.default_rng(7)
    claims, shown = 0, 0
    studies = 200
    for _ in range(studies):
        (grid,) = matched(study(rng, draws=draws, paired=paired, scatter=scatter, items=150), replicates=FAST)
        claims += any(one.verdict in ("wins", "loses") for one in grid.methods)
        shown += sum(one.estimate is not None for one in grid.methods)
    assert shown > studies  # most of the two methods a study are tested
    assert claims <= 0.055 * studies


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "paired"), [(1, True), (1, False), (5, True)])
def test_intervals_of_matched_drops_hold_the_truth(draws: int, paired: bool) -> None:
    """The truth: the same line through accuracies over 40,000 items of the same distribution."""
    rng = np.random.default_rng(8)
    slope, drop, effect = 0.8, 0.4, -0.3
    sample = np.random.default_rng(9).normal(0, np.sqrt(1.5**2 + 0.5**2 + 0.2**2), 40_000)

    def accuracy(level: float) -> float:
        return float(special.expit(1.8 * level - sample).mean())

    levels = {"a": np.linspace(-1.5, 2.0, 6), "b": np.linspace(-1.5, 2.0, 6) + 0.3}
    clean = {name: np.array([accuracy(one) for one in held]) for name, held in levels.items()}
    there = {
        name: np.array([accuracy(slope * one - drop + (effect if name == "a" else 0.0)) for one in held])
        for name, held in levels.items()
    }
    fitted = sm.OLS(special.logit(there["b"]), sm.add_constant(special.logit(clean["b"]))).fit()
    truth = there["a"] - special.expit(fitted.predict(sm.add_constant(special.logit(clean["a"]))))
    inside, known, method_inside, methods = 0, 0, 0, 0
    for _ in range(150):
        arms = study(rng, draws=draws, paired=paired, effect=effect, slope=slope, drop=drop)
        (grid,) = matched(arms, replicates=FAST)
        one = grid.methods[0]
        for each in one.arms:
            low, high = each.estimate.interval
            inside += low <= truth[int(each.model[1:])] <= high
            known += 1
        if one.interval is not None:
            expected = np.mean([truth[int(each.model[1:])] for each in one.arms])
            method_inside += one.interval[0] <= expected <= one.interval[1]
            methods += 1
    assert known > 600
    assert inside / known >= 0.92
    assert method_inside / methods >= 0.95


# ---- drops, flips, the worst shift ---------------------------------------------------------------------------------


def test_a_fall_has_both_accuracies_the_drop_and_its_flips() -> None:
    clean, shifted = np.repeat([1, 1, 0, 0], [60, 20, 15, 5]), np.repeat([1, 0, 0, 1], [60, 20, 15, 5])
    arms = clean_and_shifted(clean, shifted)
    (one,) = falls(losses(arms, replicates=FAST), means_of(label_curves(arms, replicates=FAST)))
    assert (one.clean.accuracy, one.shifted.accuracy, one.drop.gap) == (0.8, 0.65, pytest.approx(0.15))
    to_wrong, to_right = one.flips
    assert to_wrong is not None
    assert to_right is not None
    assert (to_wrong.part, to_wrong.whole, to_wrong.interval) == (20, 80, wilson(20, 80))
    assert (to_right.part, to_right.whole, to_right.interval) == (5, 20, wilson(5, 20))
    assert (one.verdict, one.json()["drop"], one.json()["n"]) == ("loses", one.drop.gap, 100)
    gained = clean_and_shifted(shifted, clean)
    (other,) = falls(losses(gained, replicates=FAST), means_of(label_curves(gained, replicates=FAST)))
    assert other.verdict == "gains"


def test_two_test_sets_have_no_flips_and_an_arm_that_is_always_right_has_none_to_right() -> None:
    apart = clean_and_shifted(np.ones(40), np.zeros(40), paired=False)
    (one,) = falls(losses(apart, replicates=FAST), means_of(label_curves(apart, replicates=FAST)))
    assert (one.flips, one.paired) == ((None, None), False)
    right = clean_and_shifted(np.ones(40), np.repeat([1.0, 0.0], 20))
    (one,) = falls(losses(right, replicates=FAST), means_of(label_curves(right, replicates=FAST)))
    assert one.flips[1] is None


def several(rng: np.random.Generator, shifts: int, lost: float, draws: int = 1) -> list[Outcomes]:
    """One arm under shifts that each lose the same."""
    hard = rng.normal(0, 1.5, 120)
    out: list[Outcomes] = []
    for place in range(shifts + 1):
        values = (rng.random((draws, 120)) < special.expit(0.6 - hard - (lost if place else 0.0))).astype(float)
        held = clean_and_shifted(values, values, shift=f"s{place}")
        out += held[1:] if place else held[:1]
    return out


@pytest.mark.parametrize("draws", [1, 3])
def test_the_worst_shift_has_the_simultaneous_interval_of_all(draws: int) -> None:
    arms = several(np.random.default_rng(10), 4, 0.8, draws)
    found = falls(losses(arms, replicates=FAST), means_of(label_curves(arms, replicates=FAST)))
    (worst,) = worst_cases(found, arms, margin=0.05, replicates=FAST)
    assert worst.drop == max(one.drop.gap for one in found)
    assert worst.most == max(found, key=lambda one: one.drop.gap).shift
    assert worst.accuracy == min(one.shifted.accuracy for one in found)
    plain = [one.drop.spread for one in found]
    # wider than the largest single ends: the worst was picked
    assert worst.interval[1] > max(high for _, high in plain)
    assert worst.interval[0] < max(low for low, _ in plain)
    assert worst.verdict == "loses"
    if draws == 1:
        ends = [wilson(int(one.values.sum()), 120, 1 - ALPHA / 4) for one in arms[1:]]
        assert worst.accuracy_interval == (min(low for low, _ in ends), min(high for _, high in ends))
    else:
        means = [one.values.mean(axis=1) for one in arms[1:]]
        half = [special.stdtrit(draws - 1, 1 - ALPHA / 8) * one.std(ddof=1) / math.sqrt(draws) for one in means]
        assert (
            worst.accuracy_interval[0] <= min(max(0.0, m.mean() - h) for m, h in zip(means, half, strict=True)) + 1e-9
        )
        assert (
            worst.accuracy_interval[1] >= min(min(1.0, m.mean() + h) for m, h in zip(means, half, strict=True)) - 1e-9
        )


@pytest.mark.slow
@pytest.mark.parametrize("draws", [1, 3])
def test_no_shift_is_called_the_worst_where_none_takes_anything(draws: int) -> None:
    rng = np.random.default_rng(11)
    claims = 0
    for _ in range(300):
        arms = several(rng, 6, 0.0, draws)
        found = falls(losses(arms, replicates=FAST), means_of(label_curves(arms, replicates=FAST)))
        (worst,) = worst_cases(found, arms, margin=0.05, replicates=FAST)
        claims += worst.verdict == "loses"
    assert claims <= 0.06 * 300


# ---- the order of methods ------------------------------------------------------------------------------------------


def pairs_of(
    levels: dict[str, tuple[list[float], list[float]]], rng: np.random.Generator, items: int = 400
) -> list[Outcomes]:
    """Arms by method: true accuracies by size on clean items and under the shift; the first method is tuned."""
    common = rng.random(items)
    out = []
    for place, (method, (clean, shifted)) in enumerate(levels.items()):
        for size, both in enumerate(zip(clean, shifted, strict=True)):
            own = rng.random(items)
            draws = [(np.where(rng.random(items) < 0.5, common, own) < level).astype(float) for level in both]
            out += clean_and_shifted(
                *draws, method=method, model=f"m{size}", params=10 ** (6 + size), tune="lora" if place == 0 else None
            )
    return out


def test_the_order_reverses_where_both_leads_are_shown_and_on_which_sizes() -> None:
    rng = np.random.default_rng(12)
    arms = pairs_of(
        {
            "tuned": ([0.5, 0.6, 0.7, 0.8], [0.4, 0.4, 0.4, 0.4]),
            "prompt": ([0.3, 0.4, 0.5, 0.6], [0.2, 0.38, 0.6, 0.75]),
        },
        rng,
    )
    methods, more = compare_all(arms, replicates=FAST), loss_differences(arms, replicates=FAST)
    found = leads(methods, more)
    said = {one.model: one for one in found}
    assert [said[f"m{place}"].verdict for place in range(4)] == ["keeps", "narrows", "reverses", "reverses"]
    for one in found:
        assert one.sides == ("tuned", "prompt")
        assert one.change.gap == pytest.approx(one.shifted.gap - one.clean.gap)
        assert one.turned().verdict == one.verdict
    (curve,) = lead_curves(found, arms, replicates=FAST)
    assert [one.model for one in curve.reversed] == ["m2", "m3"]
    assert curve.slope is not None
    changes = [one.change.gap for one in curve.leads]
    assert curve.slope.value == pytest.approx(np.polyfit(np.arange(6, 10), changes, 1)[0])
    assert (curve.slope.verdict, curve.clean) == ("loses", Overtaking("tuned", curve.clean.crossover))
    assert curve.clean.crossover.verdict == "always"
    shifted = curve.shifted.crossover
    assert (curve.shifted.method, shifted.verdict, shifted.gap) == ("prompt", "from", (10**7, 10**8))
    assert shifted.estimate is not None
    assert 10**6.5 < shifted.estimate < 10**8
    slopes = {one.sides[0]: one for one in drop_slopes(losses(arms, replicates=FAST), arms, replicates=FAST)}
    assert (slopes["tuned"].verdict, slopes["prompt"].verdict) == ("wins", "loses")


def test_a_lead_that_was_measured_alone_and_turns_is_not_said_to_widen() -> None:
    def shown(difference: float, verdict: str) -> Any:
        return SimpleNamespace(difference=difference, verdict=verdict)

    def said(clean: Any, shifted: Any, change: Any) -> tuple[int, str]:
        lead = Lead(clean, shifted, change)
        return lead.leader, lead.verdict

    measured, behind = shown(0.02, "undecided"), shown(-0.15, "loses")
    assert said(measured, behind, shown(-0.17, "loses")) == (1, "narrows")
    assert said(measured, shown(0.15, "wins"), shown(0.13, "wins")) == (1, "widens")
    assert said(shown(0.1, "wins"), behind, shown(-0.25, "loses")) == (1, "reverses")
    assert said(shown(-0.1, "loses"), shown(-0.3, "loses"), shown(-0.2, "loses")) == (-1, "widens")


@pytest.mark.slow
def test_no_order_reverses_and_no_lead_moves_where_shifts_take_the_same() -> None:
    rng = np.random.default_rng(13)
    turned, moved, slopes = 0, 0, 0
    for _ in range(300):
        arms = pairs_of({"tuned": ([0.5] * 3, [0.4] * 3), "prompt": ([0.5] * 3, [0.4] * 3)}, rng, items=150)
        found = leads(compare_all(arms, replicates=FAST), loss_differences(arms, replicates=FAST))
        (curve,) = lead_curves(found, arms, replicates=FAST)
        turned += bool(curve.reversed)
        moved += any(one.verdict in ("narrows", "widens") for one in found[:1])
        assert curve.slope is not None
        slopes += curve.slope.verdict != "undecided"
    assert turned <= 3
    assert moved <= 18
    assert slopes <= 0.065 * 300


# ---- parts of a test set -------------------------------------------------------------------------------------------


def trapped(golds: dict[str, list[str]], said: dict[str, list[str]], facts: list[str | None] | None = None) -> Measured:
    """A study of one arm by what is right and what it said, test set by test set; the clean one first."""
    arms = []
    for shift, right in golds.items():
        values = np.array([float(a == b) for a, b in zip(right, said[shift], strict=True)])
        names = tuple(f"{shift}{place:04d}" for place in range(len(right)))
        arms.append(arm(values, items=names, shift=shift, twins=(None,) * len(right), source=shift))
    measured = foreign(arms, "study")
    rows = []
    for cell, (shift, right) in zip(measured.cells["cell"], golds.items(), strict=True):
        for place, gold in enumerate(right):
            answer = said[shift][place]
            rows.append(
                {
                    "cell": cell, "item": f"{shift}{place:04d}", "gold": gold, "answer": answer, "golds": [],
                    "correct": answer == gold, "gold_prob": 0.5, "meta": None if facts is None else facts[place],
                }
            )  # fmt: skip
    schema = {name: kind for name, kind in measured.records.schema.items() if name in rows[0]}
    return Measured(measured.outcomes, measured.study, measured.cells, pl.DataFrame(rows, schema=schema))


def parts_of(measured: Measured) -> tuple[dict[tuple[str, str], Breakdown], list[tuple[str, str, int]]]:
    found, single = breakdowns(measured, classified(measured, replicates=FAST)[0], replicates=FAST)
    return {(one.shift, one.by): one for one in found}, [(one.shift, one.label, one.n) for one in single]


def test_a_constant_answer_is_half_right_on_a_trap_set_and_never_above_it() -> None:
    golds = {"none": ["yes", "no"] * 40, "trap": ["yes"] * 80 + ["no"] * 20}
    found, single = parts_of(trapped(golds, {"none": golds["none"], "trap": ["yes"] * 100}))
    assert single == []
    trap = found["trap", "answer"]
    assert (trap.balanced, trap.constant, trap.value, trap.verdict) == (0.5, 0.5, 0.0, "undecided")
    assert [(part.name, part.n, part.accuracy, part.answered) for part in trap.parts] == [
        ("yes", 80, 1.0, 1.0),
        ("no", 20, 0.0, 0.0),
    ]
    assert trap.worst.name == "no"
    assert trap.worst_interval == wilson(0, 20, 1 - ALPHA / 2)
    assert trap.interval[0] < 0 < trap.interval[1]  # equal values are no certainty
    clean = found["none", "answer"]
    assert (clean.balanced, clean.verdict) == (1.0, "above")


def test_an_answer_of_few_items_carries_no_test() -> None:
    rng = np.random.default_rng(5)
    golds = {"none": ["yes", "no"] * 20, "trap": ["yes"] * 40 + ["no"]}
    covered = 0
    for _ in range(20):  # guesses: half right, whatever is asked
        said = {shift: [("yes", "no")[one] for one in rng.integers(0, 2, len(of))] for shift, of in golds.items()}
        found, _ = parts_of(trapped(golds, said))
        trap = found["trap", "answer"]
        assert (trap.p, trap.p_adjusted, trap.verdict) == (None, None, "undecided")
        assert trap.value == pytest.approx(trap.balanced - 0.5)
        covered += trap.interval[0] <= 0 <= trap.interval[1]
    assert covered >= 18


def test_a_fallen_trap_is_below_a_constant_answer_and_both_halves_show_it() -> None:
    rng = np.random.default_rng(14)
    right = ["yes", "no"] * 60
    said = [("no" if gold == "yes" else "yes") if rng.random() < 0.8 else gold for gold in right]
    found, _ = parts_of(trapped({"none": right, "trap": right}, {"none": right, "trap": said}))
    assert found["trap", "answer"].verdict == "below"


def test_a_test_set_of_one_label_is_told() -> None:
    golds = {"none": ["yes", "no"] * 20, "trap": ["no"] * 30}
    found, single = parts_of(trapped(golds, {"none": golds["none"], "trap": ["no"] * 30}))
    assert single == [("trap", "no", 30)]
    assert ("trap", "answer") not in found


def test_groups_are_given_by_the_items_and_the_worst_has_a_simultaneous_interval() -> None:
    kinds = ["easy"] * 50 + ["hard"] * 50 + ["odd"] * 3
    facts = [json.dumps({"kind": kind, "row": place}) for place, kind in enumerate(kinds)]
    golds = {"none": ["yes", "no"] * 51 + ["yes"], "trap": ["yes", "no"] * 51 + ["yes"]}
    wrong = [{"yes": "no", "no": "yes"}[gold] for gold in golds["none"]]
    said = golds["none"][:50] + wrong[50:90] + golds["none"][90:]
    found, _ = parts_of(trapped(golds, {"none": said, "trap": said}, facts))
    assert {by for _, by in found} == {"answer", "kind"}  # a number of its own for every item is no group
    one = found["trap", "kind"]
    assert (one.worst.name, one.worst.accuracy, one.left_out, one.n) == ("hard", 0.2, 3, 100)
    assert one.worst_interval == wilson(10, 50, 1 - ALPHA / 2)
    assert (one.value, one.verdict) == (pytest.approx(0.4), "uneven")
    assert one.interval[0] < 0.4 < one.interval[1]


@pytest.mark.slow
def test_no_group_is_called_worse_where_all_are_alike() -> None:
    rng = np.random.default_rng(15)
    claims, above = 0, 0
    facts: list[str | None] = [json.dumps({"kind": place % 5}) for place in range(200)]
    right = ["yes" if flip else "no" for flip in np.random.default_rng(1).random(200) < 0.5]
    for _ in range(200):
        said = ["yes" if flip else "no" for flip in rng.random(200) < 0.7]
        found, _ = parts_of(trapped({"none": right, "trap": right}, {"none": right, "trap": said}, facts))
        claims += found["trap", "kind"].verdict == "uneven"
        above += found["trap", "answer"].verdict in ("above", "below")
    assert claims <= 12
    assert above <= 17  # 5 % of 200 are 10, and 17 at most in 99 of 100 times


def test_facts_of_an_item_are_kept_but_for_long_texts_and_what_is_no_number() -> None:
    held = Item("q", "a", meta={"kind": "x", "steps": 2, "text": "y" * (LONGEST_FACT + 1), "score": float("nan")})
    assert held.facts == '{"kind":"x","steps":2}'
    assert Item("q", "a").facts is None


# ---- a whole study -------------------------------------------------------------------------------------------------


def test_a_study_without_a_shift_has_nothing_of_it_and_one_without_clean_items_says_so(tmp_path: Path) -> None:
    plain = analyse(load(synthetic_results(tmp_path / "a", models=(("m", 10**7),), items=20)), replicates=FAST)
    assert not any(plain.robustness.json().values())
    lone = analyse(
        load(synthetic_results(tmp_path / "b", models=(("m", 10**7),), shifts=("typos",), items=20, voting=False)),
        replicates=FAST,
    )
    assert lone.robustness.falls == ()
    assert len(lone.robustness.json()["without_clean"]) == 12
    json.dumps(lone.robustness.json(), allow_nan=False)


def test_sums_of_tables_are_tested_as_the_bootstrap_tests_them() -> None:
    rng = np.random.default_rng(16)
    for draws in (1, 8):
        values = rng.random((draws, 50))
        crossed = crossed_of([values, -rng.random((draws, 30))], FAST)
        assert crossed is not None
        made = estimate_of(crossed)
        assert (made.interval, made.p) == (crossed.interval(), crossed.p())


def test_the_tables_say_what_was_refused_once_and_every_number_that_is_shown(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path, models=(("a", 10**7), ("b", 10**8)), shifts=("none", "typos", "domain"), labels=(8,), items=30,
        seeds=1, voting=False, tasks=(("coin-flip", 0.5),),
    )  # fmt: skip
    found = analyse(load(folder), replicates=FAST).robustness
    console = Console(width=80, file=io.StringIO(), highlight=False)
    print_robustness(found.json(), console)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert all(len(line) <= 80 for line in said.splitlines())
    for one in found.falls:
        assert f"{100 * one.clean.accuracy:.1f}" in said
    assert said.count("a line takes 5") <= 2  # both shifts in one line a reason
    assert "()" not in said
    assert "a constant answer 50.0 %" in said
    chinese = Console(width=160, file=io.StringIO(), highlight=False)
    shown = found.json()
    win = {"model": "b", "stage": "base", "task": "coin-flip", "shift": "typos", "labels": 8, "seeds": [0], "n": 30}
    win |= {"sides": ["cot", "answer-only"], "difference": 0.3, "interval": [0.1, 0.5], "p_shifts": 0.01, "clean": 0.1}
    print_robustness({**shown, "wins": [{**win, "clean_interval": [-0.1, 0.3]}]}, chinese, "zh")
    assert isinstance(chinese.file, io.StringIO)
    text = chinese.file.getvalue()
    assert not re.findall("[A-Za-z]{3,} [A-Za-z]{3,}", text)
    assert all(one in text for one in ("稳健性（", "只在变化下领先（", "拼写错误", "直接作答"))
    assert sum(text.count(f"{100 * one.clean.accuracy:.1f}") for one in found.falls) >= len(found.falls)


def test_what_a_drop_leaves_out_is_told() -> None:
    clean = arm(np.ones((5, 100)), plans=tuple("abcde"))
    twins = tuple(f"{at:04d}" if at < 60 else f"x{at}" for at in range(100))
    names = tuple(f"s{at:04d}" for at in range(100))
    shifted = arm(np.zeros((3, 100)), items=names, twins=twins, shift="typos", plans=("a", "z", "c"))
    (loss,) = losses([clean, shifted])
    assert loss.draws == (0, 2)
    told = falls([loss], means_of(label_curves([clean, shifted])))[0].json()
    assert told["unpaired"] == [2 * 40, 2 * 40]
    assert told["mismatch"] == [
        "only none has seeds 3 and 4",
        "seed 1: example plan b against z, refused",
    ]


def test_slopes_of_what_shows_no_example_are_one_test_at_every_budget() -> None:
    rng = np.random.default_rng(3)
    made = [one for method in "ab" for one in study(rng, draws=3, models=4, items=60) if one.method == method]
    found = {}
    for budgets in ((8,), (8, 32)):
        arms = [changed(one, labels=labels, shown=(0, 0), used=0) for labels in budgets for one in made]
        found[budgets] = {(one.method, one.p_adjusted) for one in drop_slopes(losses(arms), arms, replicates=FAST)}
    assert found[8,] == found[8, 32]
    assert len(found[8,]) == 2
