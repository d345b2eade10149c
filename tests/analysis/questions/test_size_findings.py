"""Ladders with known truth: what is said about emergence, crossover, voting, related tasks and ingredients."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from made_arms import arm, changed
from scipy import stats
from statsmodels.stats.multitest import multipletests
from synthetic import LADDER, ladder_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.contrast.asked import compare_all, stage_comparisons
from onset.analysis.curves.likelihood import Counts
from onset.analysis.curves.midpoint import midpoints
from onset.analysis.curves.place import Profile, apart
from onset.analysis.curves.shapes import Logistic
from onset.analysis.estimates.gains import GainCurve, gain_curves
from onset.analysis.estimates.size_curves import SizeCurve, size_curves
from onset.analysis.estimates.stage_sizes import stage_shifts
from onset.analysis.estimates.task_sizes import stem_of, task_orders, times, within
from onset.analysis.outcomes import Outcomes, pair
from onset.analysis.questions import MOST_WITH_LADDER, question
from onset.analysis.questions.comparison_words import stage_sentence
from onset.analysis.questions.crossover import Overtakes
from onset.analysis.questions.emergence import Emerges
from onset.analysis.questions.size_by_task import SizeByTask
from onset.analysis.questions.training import IngredientBySize
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap
from onset.analysis.stats.pooling import Moderated, pool
from onset.analysis.study import stage_json
from onset.report import figures
from onset.report.html import build_report

FAST = 2000
WITHOUT = "without chain of thought"
TRUTH = {
    ("chains", "answer-only"): (0.03, 0.04, 0.14, 0.22, 0.45, 0.52, 0.61, 0.73),
    ("chains", "cot"): (0.02, 0.04, 0.88, 0.96, 0.99, 0.99, 0.99, 0.99),
    ("chains", "cot-vote"): (0.03, 0.05, 0.98, 0.99, 1.0, 1.0, 1.0, 1.0),
    ("chains", "lora-rationales"): (0.10, 0.45, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80),
    ("chains", "cot", "names"): (0.02, 0.04, 0.60, 0.70, 0.80, 0.85, 0.90, 0.90),
    ("chains", "lora-rationales", "names"): (0.40, 0.60, 0.62, 0.64, 0.66, 0.68, 0.70, 0.70),
    ("fact[frequency=head]", "answer-only"): (0.08, 0.30, 0.60, 0.80, 0.90, 0.97, 0.98, 0.99),
    ("fact[frequency=tail]", "answer-only"): (0.05, 0.05, 0.08, 0.15, 0.30, 0.50, 0.70, 0.85),
    ("fact[frequency=none]", "answer-only"): (0.05,) * 8,
}
VARIANTS = (
    (WITHOUT, 650_000, {("chains", "cot"): 0.43, ("chains", "answer-only"): 0.45}),
    (WITHOUT, 260_000, {("chains", "cot"): 0.22}),
    ("without code", 650_000, {("chains", "cot"): 0.99}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ladder_results(tmp_path_factory.mktemp("rungs"), TRUTH, variants=VARIANTS)


@pytest.fixture(scope="module")
def jump(folder: Path) -> Analysis:
    return analyse(load(folder), replicates=FAST)


def finding(analysis: Analysis, kind: str) -> Any:
    return next(one for one in analysis.findings if one.kind == kind)


def table(analysis: Analysis, task: str, method: str, shift: str = "none", stage: str = "base") -> Array:
    """Sizes x items, read from the records by hand."""
    cells = analysis.measured.cells.filter(
        (pl.col("task") == task)
        & (pl.col("method") == method)
        & (pl.col("shift") == shift)
        & (pl.col("stage") == stage)
    ).sort("params")
    rows = []
    for cell in cells["cell"]:
        records = analysis.measured.records.filter(pl.col("cell") == cell).sort("item")
        rows.append(records["correct"].to_numpy().astype(float))
    return np.array(rows)


def ladder_arms(rows: dict[str, Array], sizes: tuple[int, ...] = LADDER, **changes: object) -> list[Outcomes]:
    """Arms of one family: method -> sizes x items (one draw) or sizes x draws x items."""
    prompts = {"cot": ("cot", None), "cot-vote": ("cot", 5), "answer-only": ("answer-only", None)}
    made = []
    for method, values in rows.items():
        prompt, vote = prompts[method]
        for size, outcome in zip(sizes, values, strict=True):
            options = {"prompt": prompt, "vote": vote, "model": f"m{size}", "params": size, **changes}
            made.append(arm(outcome, method, **options))
    return made


def gains(rows: dict[str, Array], sizes: tuple[int, ...] = LADDER, **changes: object) -> GainCurve:
    arms = ladder_arms(rows, sizes, **changes)
    (curve,) = gain_curves(arms, compare_all(arms, replicates=FAST), replicates=FAST)
    return curve


def split(correct: int, n: int = 100) -> Array:
    """The first ``correct`` of ``n`` items right."""
    return (np.arange(n) < correct).astype(float)


# ---- a jump --------------------------------------------------------------------------------------------------------


def test_the_line_of_an_emergent_curve_and_its_estimate_are_one_size(
    jump: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onset.analysis.questions.size.tasks_said", lambda _: set())
    said = next(one for one in question("size").ask(jump) if one.verdict == "emergent")
    curves = [one for one in jump.sizes.curves if one.found is not None and one.found.verdict == "emergent"]
    places = [one.found.threshold.place for one in curves if one.found is not None]
    assert (said.estimate, said.interval) in [(one.estimate, (one.low, one.high)) for one in places]


def test_emergence_is_the_verdict_of_the_curve_with_the_gains_beside_it(jump: Analysis) -> None:
    said = finding(jump, "emergence")
    curve = next(
        one for one in jump.sizes.curves
        if (one.task, one.method, one.shift, one.stage) == ("chains", "cot", "none", "base")
    )  # fmt: skip
    assert curve.found is not None
    assert (said.verdict, curve.found.verdict) == ("emergent", "emergent")
    place = curve.found.threshold.place
    assert (said.estimate, said.interval) == (place.estimate, (place.low, place.high))
    assert 20_000 < said.estimate < 130_000
    chain, direct = table(jump, "chains", "cot"), table(jump, "chains", "answer-only")
    gain = 100 * (chain.mean(axis=1) - direct.mean(axis=1))
    assert said.sentence.startswith(
        "On chains with 3 labelled examples, family rungs, chain of thought emerges: it stays at chance and then grows"
        " faster than any smooth curve (q = "
    )
    above = next(place for place, size in enumerate(LADDER) if size >= said.estimate)
    assert f"at least {gain[above:].min():.1f} points from " in said.sentence
    steps = 100 * np.diff(chain.mean(axis=1)), 100 * np.diff(direct.mean(axis=1))
    said_rise = (
        f"The largest rise measured between neighbouring sizes is {steps[0].max():.1f} points (from 60 k to 130 k; "
    )
    assert said_rise in said.sentence
    gains = next(one for one in jump.sizes.gains if one.kind == "chain of thought" and one.shift == "none")
    assert f"{100 * gains.own_rise.gap:.1f} points more than answer-only over the same step (" in said.sentence
    assert f"; that of answer-only is {steps[1].max():.1f} points (from " in said.sentence
    assert said.sentence.endswith("allow for 7 steps (n = 200 items, one draw of examples, at each size).")
    for word in ("jump", "no growth"):
        assert word not in said.sentence


def _read(one: Outcomes, share: float) -> Outcomes:
    """With an answer found in that share of the outputs alone."""
    statuses = tuple(
        tuple("ok" if place < share * len(row) else "none" for place in range(len(row))) for row in one.outputs.statuses
    )
    return replace(one, outputs=replace(one.outputs, statuses=statuses))


def test_emergence_out_of_unreadable_answers_is_said_to_be_perhaps_the_format(jump: Analysis) -> None:
    """Learning the format of the answer must not pass for learning the answer."""
    split = max(size for size in LADDER if size < finding(jump, "emergence").estimate)
    small = {split: 0.3, 650_000: 0.3}
    arms = tuple(_read(one, small.get(one.params, 1.0)) if one.method == "cot" else one for one in jump.arms)
    said = Emerges().ask(replace(jump, measured=replace(jump.measured, outcomes=arms)))[0]
    plain = finding(jump, "emergence").sentence
    size = f"{split // 1000} k"
    assert said.sentence == (
        f"{plain} At {size} fewer than 80 % of its outputs held a readable answer, so part of what emerges may be the"
        " format."
    )


def test_gains_and_rises_are_those_of_plain_arithmetic(jump: Analysis) -> None:
    curve = next(one for one in jump.sizes.gains if one.kind == "chain of thought" and one.shift == "none")
    chain, direct = table(jump, "chains", "cot"), table(jump, "chains", "answer-only")
    for point, a, b in zip(curve.points, chain, direct, strict=True):
        assert point.gap == pytest.approx(a.mean() - b.mean())
        only_a, only_b = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
        exact = stats.binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
        assert point.p_adjusted >= exact - 1e-12
        assert point.interval[0] <= point.gap <= point.interval[1]
    assert curve.rises is not None
    level = stats.norm.ppf(1 - 0.05 / 7 / 2)
    for rise, values in zip(curve.rises, (chain, direct), strict=True):
        place = int(np.diff(values.mean(axis=1)).argmax())
        step = values[place + 1] - values[place]
        assert (rise.step.minus.params, rise.step.plus.params) == LADDER[place : place + 2]
        assert rise.step.difference == pytest.approx(step.mean())
        half = level * step.std(ddof=1) / np.sqrt(200)
        assert rise.step.interval == pytest.approx((step.mean() - half, step.mean() + half), abs=0.02)
    own = (chain[2] - chain[1]) - (direct[2] - direct[1])
    half = level * own.std(ddof=1) / np.sqrt(200)
    assert curve.own_rise is not None
    assert curve.own_rise.difference == pytest.approx(own.mean())
    assert curve.own_rise.interval == pytest.approx((own.mean() - half, own.mean() + half), abs=0.02)


def test_rises_over_two_draws_pool_their_noise_over_the_steps(tmp_path: Path) -> None:
    """One degree of freedom, allowed for seven steps, gave "85.0 points (95 % interval -100 to 100)"."""
    truth = {
        ("chains", "cot"): (0.03, 0.05, 0.9, 0.92, 0.95, 0.95, 0.97, 0.97),
        ("chains", "answer-only"): (0.03, 0.04, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3),
    }
    ladder_results(tmp_path / "d", truth, seeds=2, items=60)
    results = load(tmp_path / "d")
    found = analyse(results)
    (curve,) = [one for one in found.sizes.gains if one.kind == "chain of thought"]
    assert curve.rises is not None
    arms = sorted((one for one in found.arms if one.method == "cot"), key=lambda one: one.params)
    steps = [pair(high, low, ("high", "low")) for low, high in pairwise(arms)]
    crossed = [crossed_bootstrap([Block(one.plus - one.minus)]) for one in steps]
    made = pool(crossed, ["steps"] * 7, [(low.model, high.model) for low, high in pairwise(arms)])
    top = max(range(7), key=lambda index: crossed[index].estimate if crossed[index] else 0.0)
    held = made[top]
    assert isinstance(held, Moderated)
    assert curve.rises[0].step.spread == pytest.approx(held.interval(1.0, 1 - 0.05 / 7))
    assert curve.rises[0].step.spread[1] - curve.rises[0].step.spread[0] < 0.6
    assert curve.own_rise is not None
    low, high = curve.own_rise.spread
    assert 0 < low < curve.own_rise.gap < high < 1.2


def test_the_crossover_says_what_happens_below(jump: Analysis) -> None:
    said = finding(jump, "crossover")
    curve = next(one for one in jump.sizes.gains if one.kind == "chain of thought" and one.shift == "none")
    assert said.verdict == "from"
    # where the fitted curves meet, and the size from which on a win is shown, are two things
    assert 20_000 < said.estimate < 130_000
    assert (said.estimate, said.interval) == (curve.crossover.estimate, curve.crossover.interval)
    assert (curve.crossover.gap, curve.crossover.shown_from) == ((60_000, 130_000), 130_000)
    assert said.sentence.startswith(
        "Crossover on chains, with 3 labelled examples, family rungs: by the fitted curves chain of thought overtakes"
        " answer-only at about "
    )
    assert (
        "); taken size by size, a win of chain of thought over answer-only is shown at every size measured from 130 k"
        " parameters on, not at 60 k" in said.sentence
    )
    below = said.sentence.split(". Below 130 k, it ")[1]
    for point in curve.points[:2]:
        low, high = (f"{100 * end:.1f}".replace("-", "−") for end in point.interval)
        assert f"95 % interval {low} to {high}" in below
        word = {"undecided": "is undecided", "equivalent": "makes no difference", "loses": "is worse"}[point.verdict]
        assert word in below


def test_curves_that_meet_before_a_win_is_shown_are_explained(jump: Analysis) -> None:
    """Curves that meet at 52 k beside a win from 130 k on, not at 60 k, are no contradiction: the sentence says why."""

    def sentence(gain: GainCurve) -> str:
        return Overtakes().ask(replace(jump, sizes=replace(jump.sizes, gains=(gain,))))[0].sentence

    curve = next(one for one in jump.sizes.gains if one.kind == "chain of thought" and one.shift == "none")
    why = ": the lead that the curves have at 60 k is too small to be shown there by itself. Below 130 k, it "
    for place, said in ((52_000, True), (70_000, False)):
        moved = replace(curve, crossover=replace(curve.crossover, estimate=float(place)))
        assert (why in sentence(moved)) == said
    lost = tuple(
        replace(one, decided=replace(one.decided, verdict="loses")) if one.params == 60_000 else one
        for one in curve.points
    )
    moved = replace(curve, crossover=replace(curve.crossover, estimate=52_000.0), points=lost)
    assert why not in sentence(moved)


def test_voting_names_the_size_of_the_largest_gain(jump: Analysis) -> None:
    said = finding(jump, "voting")
    gain = table(jump, "chains", "cot-vote").mean(axis=1) - table(jump, "chains", "cot").mean(axis=1)
    assert LADDER[int(gain.argmax())] == 130_000
    assert said.estimate == pytest.approx(gain.max())
    assert said.sentence.startswith(
        "Voting on chains, with 3 labelled examples, family rungs: a gain of cot-vote over cot is shown at 130 k. The"
        f" largest is measured at 130 k parameters, {100 * gain.max():.1f} points (95 % interval "
    )
    ends = [point.verdict for point in next(one for one in jump.sizes.gains if one.kind == "voting").points]
    expected = "helps in between" if {ends[0], ends[-1]} == {"equivalent"} else "helps"
    assert said.verdict == expected


def test_rare_facts_need_more_parameters(jump: Analysis) -> None:
    said = finding(jump, "size by task")
    (order,) = jump.sizes.task_orders
    assert order.tasks == ("fact[frequency=head]", "fact[frequency=tail]")
    assert order.without == (("fact[frequency=none]", "no growth"),)
    low, high = order.ratios[0].interval
    assert low is not None
    assert high is not None
    assert 1 < low < order.ratios[0].ratio < high
    assert order.ratios[0].ratio == pytest.approx(order.places[1].midpoint / order.places[0].midpoint)
    assert said.verdict == "ordered"
    ratio, ends = f"{order.ratios[0].ratio:.3g}", (f"{low:.3g}", f"{high:.3g}")
    assert said.sentence.startswith(
        "Size by task on fact (answer-only, with 3 labelled examples, family rungs): frequency=tail needs"
        f" {ratio} times the parameters of frequency=head (95 % interval {ends[0]} to {ends[1]}). Accuracy is halfway"
    )
    assert "; frequency=none is left out (no growth shown)" in said.sentence
    assert "allow for" not in said.sentence
    twice = replace(jump, sizes=replace(jump.sizes, task_orders=(replace(order, ratios=order.ratios * 2),)))
    assert ") (intervals that allow for 2 steps)" in SizeByTask().ask(twice)[0].sentence


def test_the_two_that_lie_farthest_apart_allow_for_all_pairs(jump: Analysis) -> None:
    held = [one for one in jump.sizes.curves if one.task in ("fact[frequency=head]", "fact[frequency=tail]")]
    again = [replace(one, at=replace(one.at, task="fact[frequency=torso]")) for one in held if "tail" in one.task]
    (two,), (three,) = task_orders(held), task_orders([*held, *again])
    assert len(three.places) == 3
    places = {
        one.task: within(one) for one in [*held, *again] if (one.method, one.labels) == (three.method, three.labels)
    }
    first, last = (places[task] for task in three.overall.tasks)
    assert first is not None
    assert last is not None
    assert three.overall.interval == times(first, last, 1 - 0.05 / 3)
    assert (three.overall.interval[0] or 0) < (two.overall.interval[0] or 0)
    study = replace(jump, sizes=replace(jump.sizes, task_orders=(three,)))
    assert "the interval of the largest ratio allows for 3 pairs of tasks" in SizeByTask().ask(study)[0].sentence


def test_an_ingredient_is_compared_with_the_base_of_its_size(jump: Analysis) -> None:
    said = finding(jump, "ingredient")
    base, lacking = table(jump, "chains", "cot"), table(jump, "chains", "cot", stage=WITHOUT)
    lost = [
        base[LADDER.index(size)].mean() - values.mean()
        for size, values in zip((260_000, 650_000), lacking, strict=True)
    ]
    assert said.verdict == "loses"
    assert said.estimate == pytest.approx(-max(lost))
    first, second = sorted(zip(lost, ("260 k", "650 k"), strict=True), reverse=True)
    assert said.sentence.startswith(
        "Ingredients on chains, with 3 labelled examples, family rungs, against the base model of the same size: the"
        f" model without chain of thought loses {100 * first[0]:.1f} points at {first[1]} with cot (95 % interval "
    )
    assert f"loses {100 * second[0]:.1f} points at {second[1]} with cot" in said.sentence
    assert "no difference beyond the margin: without code at 650 k with cot (" in said.sentence
    assert "undecided: without chain of thought at 650 k with answer-only (" in said.sentence
    assert said.sentence.endswith("(n = 200 items, one draw of examples; one training run a stage).")


def test_prompt_or_tune_is_said_size_by_size_and_under_the_shift(jump: Analysis) -> None:
    said = finding(jump, "prompt or tune").sentence
    clause = said.split(" By size in the family rungs, ")[1].split(" Of all ")[0]
    assert clause.startswith(
        "the best tuned against the best prompted method with 3 labelled examples: tuning wins at "
    )
    plain, shifted = clause.split("; under the shift names ")
    for text, shift in ((plain, "none"), (shifted, "names")):
        tuned = table(jump, "chains", "lora-rationales", shift).mean(axis=1)
        prompted = table(jump, "chains", "cot", shift).mean(axis=1)
        for size, a, b in zip(("20 k", "60 k", "130 k", "260 k"), tuned, prompted, strict=False):
            if abs(a - b) > 0.15:
                winner = "tuning" if a > b else "prompting"
                assert re.search(rf"{winner} wins at [^,;]*?(, [^,;]*?)*\b{size}\b", text), (winner, size, text)


def test_the_order_of_reading_over_a_ladder(jump: Analysis) -> None:
    kinds = list(dict.fromkeys(one.kind for one in jump.findings))
    order = ["emergence", "crossover", "voting", "size by task", "prompt or tune", "ingredient", "best method", "shift"]
    assert [kind for kind in kinds if kind in order] == order
    assert "chain of thought" not in kinds
    assert len(jump.findings) <= MOST_WITH_LADDER


# ---- no jump -------------------------------------------------------------------------------------------------------


def logistic(slope: float, midpoint: float, sizes: Any = LADDER) -> tuple[float, ...]:
    return tuple(float(share) for share in Logistic(0.0, 1.0, slope, midpoint)(np.log10(sizes)))


def test_smooth_growth_is_not_said_to_emerge(tmp_path: Path) -> None:
    truth = {("smooth", "answer-only"): logistic(2.0, 5.8), ("smooth", "cot"): logistic(2.0, 5.4)}
    alike = analyse(load(ladder_results(tmp_path / "alike", truth)), replicates=FAST)
    (said,) = [one for one in alike.findings if one.kind == "emergence"]
    assert said.verdict == "smooth"
    assert "chain of thought grows smoothly with size" in said.sentence
    assert "halfway between " in said.sentence
    assert "emerges" not in " ".join(one.sentence for one in alike.findings)


def test_nothing_is_claimed_about_sizes_where_there_is_only_noise(tmp_path: Path) -> None:
    truth = {("coin", method): (0.5,) * 8 for method in ("answer-only", "cot", "cot-vote")}
    truth |= {(f"fact[frequency={name}]", "answer-only"): (0.5,) * 8 for name in ("head", "tail")}
    variants = ((WITHOUT, 650_000, {("coin", "cot"): 0.5, ("coin", "answer-only"): 0.5}),)
    made = ladder_results(tmp_path / "noise", truth, variants=variants, seeds=3, items=100)
    quiet = analyse(load(made), replicates=FAST)
    verdicts = {one.kind: one.verdict for one in quiet.findings}
    assert verdicts["emergence"] in ("flat", "unresolved")
    assert verdicts["crossover"] == "unresolved"
    assert verdicts["voting"] in ("undecided", "equivalent")
    assert verdicts["ingredient"] in ("undecided", "equivalent")
    assert "size by task" not in verdicts
    text = " ".join(one.sentence for one in quiet.findings)
    for claim in ("emerges", " beats answer-only at", "times the parameters", " loses ", "; a gain)"):
        assert claim not in text
    # what one of eight sizes shows by luck is not left standing
    for part in re.split("[;:] ", text):
        if "wins at" in part or "is worse than" in part:
            assert part.endswith("but not after correcting for 8 sizes")


# ---- the crossover, by construction --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "verdict", "gap"),
    [
        ((30, 60, 90), "always", None),
        ((5, 60, 90), "from", (60_000, 130_000)),
        ((5, 10, 60), "from", (130_000, 260_000)),
        ((0, 0, 0), "none", None),
        ((60, 10, 10), "unresolved", None),
    ],
)  # fmt: skip
def test_verdicts_on_the_crossover(chain: tuple[int, ...], verdict: str, gap: tuple[int, int] | None) -> None:
    direct = np.array([split(10)] * 4)
    rows = {"answer-only": direct, "cot": np.array([split(chain[0]), *map(split, chain)])}
    if verdict == "from":
        rows["cot"] = np.array([split(5), *map(split, chain)])
    curve = gains(rows, LADDER[:4])
    assert (curve.crossover.verdict, curve.crossover.gap) == (verdict, gap)


def test_equal_outcomes_everywhere_are_a_crossover_that_is_not_there() -> None:
    rng = np.random.default_rng(0)
    same = (rng.random((3, 400)) < 0.4).astype(float)
    curve = gains({"answer-only": same, "cot": same}, LADDER[:3])
    assert {point.verdict for point in curve.points} == {"equivalent"}
    assert (curve.crossover.verdict, curve.crossover.gap) == ("none", None)
    assert (curve.crossover.estimate, curve.crossover.shown_from) == (None, None)
    assert curve.crossover.notes == ("3 sizes: no curve, which takes 4",)


def test_a_size_with_two_models_is_won_when_both_win() -> None:
    direct = np.array([split(10)] * 4)
    chain = np.array([split(10), split(60), split(10), split(60)])
    sizes = (20_000, 60_000, 60_000, 130_000)
    arms = [
        changed(one, model=f"{one.model}-{place % 4}")
        for place, one in enumerate(ladder_arms({"answer-only": direct, "cot": chain}, sizes))
    ]
    (curve,) = gain_curves(arms, compare_all(arms, replicates=FAST), replicates=FAST)
    assert curve.sizes == (20_000, 60_000, 130_000)
    assert len(curve.points) == 4
    assert curve.crossover.gap == (60_000, 130_000)


def test_two_sizes_make_no_ladder_and_two_families_share_none() -> None:
    arms = ladder_arms({"answer-only": np.array([split(10)] * 4), "cot": np.array([split(60)] * 4)}, LADDER[:4])
    compared = compare_all(arms, replicates=FAST)
    two = [one for one in arms if one.params in LADDER[:2]]
    assert gain_curves(two, compared, replicates=FAST) == ()
    mixed = [changed(one, family="f" if one.params in LADDER[:2] else "g") for one in arms]
    assert gain_curves(mixed, compared, replicates=FAST) == ()


def test_the_gain_is_said_of_chain_of_thought_whichever_side_it_is_on() -> None:
    rows = {"answer-only": np.array([split(10)] * 3), "cot": np.array([split(60)] * 3)}
    turned = dict(reversed(rows.items()))
    one, other = gains(rows, LADDER[:3]), gains(turned, LADDER[:3])
    assert [point.gap for point in one.points] == pytest.approx([point.gap for point in other.points])
    for first, second in zip(one.points, other.points, strict=True):
        assert first.interval == pytest.approx(second.interval)
    assert one.crossover == other.crossover
    assert {point.verdict for point in one.points} == {"wins"}


# ---- related tasks -------------------------------------------------------------------------------------------------


def size_curve(task: str, shares: tuple[float, ...], n: int, rng: np.random.Generator) -> SizeCurve:
    arms = [
        arm((rng.random(n) < share).astype(float), task=task, model=f"m{size}", params=size)
        for size, share in zip(LADDER[1:6], shares, strict=True)
    ]
    (curve,) = size_curves(arms)
    return curve


def profile_of(curve: SizeCurve) -> Profile:
    halfway = within(curve)
    assert halfway is not None
    return halfway.found.profile


def test_the_interval_of_a_ratio_is_walds_in_large_samples() -> None:
    """Against the inverse of the expected information of two four-parameter logistics, by numerical slopes."""
    x, n = np.log10(np.array(LADDER[1:7], dtype=float)), 400_000.0
    profiles, errors = [], []
    for midpoint in (5.3, 5.5):
        truth = np.array([0.1, 0.9, 6.0, midpoint])
        p = Logistic(*truth)(x)
        data = Counts((n * p).round()[None], np.full((1, x.size), n), np.zeros(1))
        profiles.append(midpoints(data, x, [np.random.default_rng(0)], margin=0.05)[0].profile)
        assert profiles[-1].free is None
        slopes = np.array([(Logistic(*(truth + h))(x) - Logistic(*(truth - h))(x)) / 2e-5 for h in 1e-5 * np.eye(4)])
        errors.append(np.linalg.inv((slopes * (n / (p * (1 - p)))) @ slopes.T)[3, 3])
    found = apart(*profiles).interval()
    error = float(np.sqrt(sum(errors)))
    assert found.estimate is not None
    assert found.low is not None
    assert found.high is not None
    low, high = found.low, found.high
    assert np.log10(found.estimate) == pytest.approx(0.2, abs=0.2 * error)
    assert np.log10([low, high]) == pytest.approx([0.2 - 1.96 * error, 0.2 + 1.96 * error], abs=0.3 * error)


def test_tasks_of_equal_size_are_undecided_and_bonferroni_widens() -> None:
    rng = np.random.default_rng(1)
    shares = logistic(4.0, 5.3, LADDER[1:6])
    curves = [size_curve(f"t[{name}]", shares, 100, rng) for name in "abc"]
    (order,) = task_orders(curves)
    assert not any(one.larger for one in order.ratios)
    pair = [next(one for one in curves if one.task == task) for task in order.ratios[0].tasks]
    alone = apart(*(profile_of(one) for one in pair)).interval()
    assert alone.low is not None
    assert alone.high is not None
    assert (order.ratios[0].interval[0] or 0) < alone.low
    assert (order.ratios[0].interval[1] or np.inf) > alone.high
    assert task_orders(curves[:1]) == ()


def staged(stage: str, midpoint: float, n: int, rng: np.random.Generator, sizes: Any = LADDER[1:6]) -> list[Outcomes]:
    """Arms of one stage whose accuracy is a logistic with that midpoint; inf: no growth."""
    shares = np.full(len(sizes), 0.05) if np.isinf(midpoint) else np.array(logistic(5.0, midpoint, sizes))
    return [
        arm((rng.random((1, n)) < share).astype(float), "cot", model=f"{stage} {size}", params=int(size), stage=stage)
        for size, share in zip(sizes, shares, strict=True)
    ]


def test_an_ingredient_moves_the_size_from_which_an_ability_is_there() -> None:
    rng = np.random.default_rng(2)
    moved = {"without x": 5.6, "base, extra notes": 5.0, "without y": np.inf, "without z": 5.3}
    arms = [one for stage, at in {"base": 5.3, **moved}.items() for one in staged(stage, at, 400, rng)]
    found = {one.stages[0]: one for one in stage_shifts(size_curves(arms))}
    assert {stage: one.verdict for stage, one in found.items()} == {
        "without x": "later", "base, extra notes": "earlier", "without y": "not reached", "without z": "undecided",
    }  # fmt: skip
    for stage, at in moved.items():
        one = found[stage]
        assert one.stages[1] == "base"
        if stage == "without y":
            assert (one.ratio, one.midpoints[0], one.interval) == (None, None, (None, None))
            continue
        low, high = one.interval
        assert low is not None
        assert high is not None
        assert low < 10 ** (at - 5.3) < high
        assert one.ratio == pytest.approx((one.midpoints[0] or 0) / one.midpoints[1])
    evidence = cast(
        Analysis,
        SimpleNamespace(
            sizes=SimpleNamespace(stage_shifts=list(found.values())),
            given=lambda *_: "with 8 labelled examples",
            shown=lambda *_: {},
            used=lambda labels, *_: labels,
            named=lambda _: None,
        ),
    )
    (said,) = IngredientBySize().ask(evidence)
    assert (said.kind, said.subject) == ("ingredient by size", "t, cot, family f")
    assert said.verdict in ("later", "earlier")
    assert "the base model is halfway between its floor and its ceiling at" in said.sentence
    assert "undecided whether the model without z needs more: " in said.sentence
    assert said.sentence.endswith("(4000 outcomes at 5 sizes; one training run a point).")


def test_a_stage_that_no_curve_fits_is_undecided_and_not_out_of_reach() -> None:
    rng = np.random.default_rng(3)
    base, after = size_curves([*staged("base", 5.3, 400, rng), *staged("without x", 5.6, 400, rng)])
    assert after.found is not None
    (one,) = stage_shifts([base, replace(after, found=replace(after.found, midpoint=None))])
    assert (one.verdict, one.without) == ("undecided", "no curve fits")
    evidence = cast(
        Analysis,
        SimpleNamespace(
            sizes=SimpleNamespace(stage_shifts=[one]),
            given=lambda *_: "with 8 labelled examples",
            shown=lambda *_: {},
            used=lambda labels, *_: labels,
            named=lambda _: None,
        ),
    )
    (said,) = IngredientBySize().ask(evidence)
    assert (
        ": undecided where the model without x is halfway: no rising curve fits (the base model is at " in said.sentence
    )
    assert "at no size measured" not in said.sentence


def test_a_stage_of_other_sizes_or_without_a_growing_reference_moves_nothing() -> None:
    rng = np.random.default_rng(3)
    base, other = staged("base", 5.3, 200, rng), staged("without x", 5.6, 200, rng, LADDER[2:7])
    assert stage_shifts(size_curves([*base, *other])) == ()
    flat, stage = staged("base", np.inf, 200, rng), staged("without x", 5.3, 200, rng)
    assert stage_shifts(size_curves([*flat, *stage])) == ()


def test_an_interval_that_never_ends_is_open() -> None:
    """One midpoint is known to be about 5, of the other only that it is not below 6."""
    places = np.linspace(3.0, 8.0, 501)
    known, at_least = 40 * (places - 5.0) ** 2, np.where(places > 6.0, 0.0, 40 * (places - 6.0) ** 2)
    a, b = (Profile(places, deviance, places[[0, -1]]) for deviance in (known, at_least))
    found = apart(a, b).interval()
    low, high = found.low, found.high
    # two parabolas of one width: their deviances add up to half of that of their distance
    assert low == pytest.approx(10 ** (1.0 - np.sqrt(stats.chi2.ppf(0.95, 1) / 20)), rel=3e-3)
    assert high is None


def test_the_stem_of_a_task() -> None:
    assert stem_of("world/one-hop[frequency=head,held=yes]") == "world/one-hop"
    assert stem_of("gsm8k") == "gsm8k"


# ---- stages --------------------------------------------------------------------------------------------------------


def stage_arms(rng: np.random.Generator) -> list[Outcomes]:
    base = arm((rng.random((1, 120)) < 0.8).astype(float), "cot", model="r4", params=1_000_000)
    without = arm((rng.random((1, 120)) < 0.5).astype(float), "cot", model="r4-x", params=1_010_000, stage="without x")
    other = arm((rng.random((1, 120)) < 0.7).astype(float), "cot", model="r4-y", params=995_000, stage="without y")
    return [base, without, other]


def test_stages_are_tested_as_methods_are_and_adjusted_together() -> None:
    arms = stage_arms(np.random.default_rng(3))
    found = stage_comparisons(arms, replicates=FAST)
    assert [(one.names, (one.plus.model, one.minus.model)) for one in found] == [
        (("without x", "base"), ("r4-x", "r4")),
        (("without y", "base"), ("r4-y", "r4")),
    ]
    plain = []
    for one, variant in zip(found, arms[1:], strict=True):
        a, b = variant.values[0], arms[0].values[0]
        only_a, only_b = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
        plain.append(stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)
        assert one.difference == pytest.approx(a.mean() - b.mean())
        assert one.params == 1_000_000
    assert [one.p for one in found] == pytest.approx(plain)
    assert [one.p_adjusted for one in found] == pytest.approx(list(multipletests(plain, method="holm")[1]))
    assert {one.decided.family for one in found if one.decided} == {"stages of f on t, shift none"}
    low, high = found[0].interval or (0.0, 0.0)
    assert stage_sentence(found[0]) == (
        "cot with 8 labels on t, 1 M parameters: without x is worse than base with these examples by"
        f" {-100 * (found[0].difference or 0):.1f} points (95 % interval {-100 * high:.1f} to {-100 * low:.1f};"
        " n = 120 items, one draw of examples)."
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda one: changed(one, params=1_030_000),
        lambda one: changed(one, family="g"),
        lambda one: changed(one, labels=32),
        lambda one: changed(one, stage="base"),
    ],
    ids=["another size", "another family", "another budget", "no other stage"],
)
def test_only_models_that_differ_in_nothing_but_the_stage_are_compared(change: Callable[[Outcomes], Outcomes]) -> None:
    base, without, _ = stage_arms(np.random.default_rng(0))
    assert len(stage_comparisons([base, without], replicates=FAST)) == 1
    assert stage_comparisons([base, change(without)], replicates=FAST) == ()
    assert stage_comparisons([changed(base, stage="without z"), without], replicates=FAST) == ()


def test_a_stage_of_several_steps_is_held_against_the_one_before() -> None:
    base, without, other = stage_arms(np.random.default_rng(1))
    both = changed(other, stage="without x, without y")
    found = stage_comparisons([base, without, both], replicates=FAST)
    assert [one.names for one in found] == [("without x", "base"), ("without x, without y", "without x")]
    alone = stage_comparisons([base, both], replicates=FAST)
    assert [one.names for one in alone] == [("without x, without y", "base")]


def test_draws_one_stage_lacks_are_named_by_stage() -> None:
    rng = np.random.default_rng(5)
    base = arm((rng.random((3, 60)) < 0.8).astype(float), "cot")
    without = arm((rng.random((2, 60)) < 0.5).astype(float), "cot", stage="without x", model="x")
    (one,) = stage_comparisons([base, without], replicates=FAST)
    assert one.refused == ("only base has seed 2",)


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_the_json_holds_gains_orders_and_stages(jump: Analysis) -> None:
    shown = json.loads(json.dumps(to_json(jump), allow_nan=False))
    gain = {"kind", "task", "labels", "shift", "stage", "family", "sides", "points", "crossover", "rises", "own_rise"}
    assert gain | {"own_rise_interval"} == set(shown["gains"][0])
    point = {"model", "params", "n", "draws", "accuracy", "accuracy_against", "gain", "interval", "p_holm", "verdict"}
    assert point | {"p_sizes", "test"} == set(shown["gains"][0]["points"][0])
    assert shown["gains"][0]["crossover"]["gap"] == [60_000, 130_000]
    stage = {"sides", "models", "model_family", "params", "method", "labels", "task", "shift", "n", "difference"}
    assert stage | {"interval", "p", "p_holm", "test", "family", "margin", "verdict", "sentence"} <= set(
        shown["stages"][0]
    )
    order = {"stem", "method", "labels", "stage", "family", "tasks", "midpoints", "intervals", "ceilings", "sizes"}
    assert order | {"floors", "ratios", "overall", "without", "n"} == set(shown["task_orders"][0])


def layer_rows(chart: Any, mark: str) -> list[list[dict[str, Any]]]:
    return [one["data"]["values"] for one in chart["layer"] if one["mark"]["type"] == mark]


def test_the_figures_draw_the_numbers_of_the_analysis(jump: Analysis) -> None:
    shown = json.loads(json.dumps(to_json(jump)))
    drawn = {figure.name: figure for figure in figures.figures(shown)}
    assert list(drawn)[:4] == ["size", "gains", "tasks", "stages"]
    (panel,) = [one for one in drawn["gains"].panels if one.where["shift"] == "none"]
    points = layer_rows(panel.charts[0], "point")[0]
    expected = {(c["sides"][0], p["params"], float(f"{p['gain']:.5g}")) for c in shown["gains"] for p in c["points"]}
    assert {(row["method"], row["params"], row["gain"]) for row in points} <= expected
    assert len(points) == 16
    assert layer_rows(panel.charts[0], "rect") == [[{"x": 60_000, "to": 130_000}]]
    (tasks,) = drawn["tasks"].panels
    middles = layer_rows(tasks.charts[0], "text")[-1]
    order = shown["task_orders"][0]
    assert [row["task"] for row in middles] == ["often read", "hardly ever read"]
    assert [row["x"] for row in middles] == pytest.approx(order["midpoints"], rel=1e-4)
    (stages,) = drawn["stages"].panels
    rows = layer_rows(stages.charts[1], "point")[0]
    assert sorted(row["difference"] for row in rows) == pytest.approx(
        sorted(one["difference"] for one in shown["stages"]), rel=1e-4
    )


def test_rows_of_stages_have_room_for_the_longest_name() -> None:
    rng = np.random.default_rng(1)
    base, without, other = stage_arms(rng)
    found = stage_comparisons([base, without, changed(other, stage="without x, without y")], replicates=FAST)
    shown = [stage_json(one) for one in found]
    assert sorted(len(one["sides"][1].split()) for one in shown) == [1, 2]  # one against the base, one "given" another
    figure = figures.stage_figure(figures.Shown((), figures.Style(("cot",), ("f",)), {"stages": shown}))
    assert figure is not None
    for chart in figure.panels[0].charts:
        assert chart["height"] >= 2 * 3 * 14  # two rows of three lines each


def test_a_study_without_a_ladder_has_none_of_these_figures(tmp_path: Path) -> None:
    truth = {("chains", "answer-only"): (0.1, 0.2), ("chains", "cot"): (0.1, 0.6)}
    made = ladder_results(tmp_path / "two", truth, sizes=LADDER[:2], items=60)
    two = analyse(load(made), replicates=FAST)
    assert [one.kind for one in two.findings][:2] == ["best method", "chain of thought"]
    assert {"gains", "tasks", "stages"} & {one.name for one in figures.figures(to_json(two))} == set()


def test_every_finding_about_size_links_to_its_figure(folder: Path, jump: Analysis, tmp_path: Path) -> None:
    text = build_report(folder, out=tmp_path / "report.html", analysis=jump).read_text()
    findings = re.split(r'<p class="sentence"[^>]*>', text)[1:]
    expected = {
        "Emergence": "size",
        "Crossover": "gains",
        "Voting": "gains",
        "Size by task": "tasks",
        "Ingredient": "stages",
    }
    seen = set()
    for part in findings:
        named = re.search(r'<span class="kind"[^>]*>([^<]*)</span>', part)
        assert named is not None
        kind = named[1].partition(" · ")[0]
        if kind in expected:
            assert f'<a href="#figure-{expected[kind]}">' in part
            assert f'<figure id="figure-{expected[kind]}"' in text
            seen.add(kind)
        if kind == "Crossover":
            assert ">from a size on</span>" in part  # "from" alone says nothing
    assert seen == set(expected)
