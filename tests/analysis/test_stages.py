"""What stages of training change: gains, reach of samples and steps, against what was planted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_arms import arm
from scipy import stats
from staged import step, tell, training
from synthetic import LADDER, ladder_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.contrast.asked import compare_all, stage_comparisons
from onset.analysis.estimates.banks import Bank, BankPoint
from onset.analysis.estimates.chains import Chains
from onset.analysis.estimates.shares import ratio
from onset.analysis.estimates.stage_gains import StageGain, stage_gains
from onset.analysis.estimates.stage_reach import StageReach, stage_reaches
from onset.analysis.estimates.stage_steps import stage_steps
from onset.analysis.estimates.stages import Training, sides, tokens_of, trainings_of
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.setting import model_of_stage
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.subsets import passes
from onset.report.figures import figures

FAST = 300
STEPS, SHUFFLED = step("steps", 9000), step("shuffled", 9000, control="shuffled", seed=4)
MADE = {"steps": [STEPS], "shuffled": [SHUFFLED], "steps, code": [STEPS, step("code", 500)]}


# ---- what is held against what ---------------------------------------------------------------------------------------


def test_a_placebo_differs_from_its_stage_in_the_control_alone() -> None:
    plain, placebo = training(STEPS), training(SHUFFLED)
    assert placebo.is_placebo_of(plain)
    assert not plain.is_placebo_of(placebo)
    assert not placebo.is_placebo_of(training(step("other", 9000, data="another")))
    assert not placebo.is_placebo_of(training(SHUFFLED))
    after = [training(first, second) for first in (STEPS, SHUFFLED) for second in (STEPS, SHUFFLED)]
    assert after[1].is_placebo_of(after[0])
    assert not after[1].is_placebo_of(after[2])  # made of another model


def told(stage: str, **changes: Any) -> Outcomes:
    return arm([[1, 0]], model=stage or "base", stage=stage, **changes)


def trainings(*stages: str) -> dict[tuple[str, str], Training]:
    return {(stage, stage): training(*MADE[stage]) for stage in stages}


def test_a_stage_is_held_against_what_it_was_made_from_and_its_placebos() -> None:
    group = [told(stage) for stage in ("", *MADE)]
    known = trainings(*MADE)
    found = [(a.stage, b.stage, against) for a, b, against in sides(group, known)]
    assert found == [
        ("steps", "base", "base"),
        ("steps", "shuffled", "placebo"),
        ("shuffled", "base", "base"),
        ("steps, code", "steps", "stage before"),
    ]
    base, steps_, shuffled, code = group
    assert tokens_of(steps_, shuffled, known).equal
    assert tokens_of(steps_, base, known).json() == [9000, 0]
    assert tokens_of(code, steps_, known).json() == [500, 0]
    assert tokens_of(code, base, known).json() == [9500, 0]
    assert tokens_of(steps_, base, {}).equal is None
    assert not list(sides([base, told("steps", params=2_000_000)], known))  # not of one size


def test_of_two_models_of_one_size_each_stage_is_held_against_its_own() -> None:
    """Two base models of one family and size through the same stages: no stage of one is held against the other."""
    group, known = [], {}
    for label in ("one", "two"):
        group.append(arm([[1, 0]], model=label, stage=""))
        for name, control in (("steps", "none"), ("shuffled", "shuffled")):
            called = model_of_stage(label, name)
            known[called, name] = training(step(name, 9000, made=f"{name} of {label}", control=control))
            group.append(arm([[1, 0]], model=called, stage=name))
    found = {(a.model, b.model, against) for a, b, against in sides(group, known)}
    expected = {
        row
        for label in ("one", "two")
        for row in (
            (f"{label} (steps)", label, "base"),
            (f"{label} (shuffled)", label, "base"),
            (f"{label} (steps)", f"{label} (shuffled)", "placebo"),
        )
    }
    assert found == expected
    compared = {(each.plus.model, each.minus.model) for each in stage_comparisons(group, replicates=FAST)}
    assert compared == {(one, other) for one, other, against in expected if against == "base"}
    assert not stage_comparisons([each for each in group if each.model in ("one", "two (steps)")], replicates=FAST)


# ---- gains -----------------------------------------------------------------------------------------------------------


def gains_of(
    rng: np.random.Generator,
    levels: dict[str, tuple[float, float]],
    draws: int = 3,
    items: int = 200,
    noise: float = 0.0,
) -> tuple[StageGain, ...]:
    """Stage -> true accuracy with steps and without; items differ in difficulty, draws by ``noise`` (logits)."""
    hard = rng.normal(0, 1, items)

    def table(level: float) -> Array:
        logit = stats.logistic.ppf(level) * 1.2 - hard + noise * rng.normal(0, 1, (draws, 1))
        return (rng.random((draws, items)) < stats.logistic.cdf(logit)).astype(float)

    arms = [
        arm(table(level), name, prompt=prompt, model=stage or "base", stage=stage, shown=(4, 4))
        for stage, both in levels.items()
        for (name, prompt), level in zip((("mine", "cot"), ("plain", "answer-only")), both, strict=True)
    ]
    comparisons = compare_all(arms, replicates=FAST)
    return stage_gains(arms, comparisons, trainings("steps", "shuffled"), replicates=FAST)


def test_a_planted_gain_is_found_and_level_ones_are_not() -> None:
    levels = {"": (0.4, 0.4), "steps": (0.8, 0.4), "shuffled": (0.6, 0.6)}
    found = {one.sides: one for one in gains_of(np.random.default_rng(3), levels)}
    assert set(found) == {("steps", "base"), ("steps", "shuffled"), ("shuffled", "base")}
    steps_, placebo = found["steps", "base"], found["steps", "shuffled"]
    for one in (steps_, placebo):
        assert one.added.verdict == "wins"
        assert one.added.difference == pytest.approx(one.gains[0].gap - one.gains[1].gap)
        assert one.added.interval is not None
        assert one.added.interval[0] < 0.35 < one.added.interval[1]
        assert one.methods == ("mine", "plain")
    assert (steps_.against, placebo.against) == ("base", "placebo")
    assert (steps_.tokens.equal, placebo.tokens.equal) == (False, True)
    assert found["shuffled", "base"].added.verdict != "wins"  # both accuracies rise alike
    assert json.loads(json.dumps(placebo.json(), allow_nan=False)) == placebo.json()


def test_a_stage_that_changes_nothing_may_be_shown_to_be_level() -> None:
    levels = {"": (0.9, 0.5), "steps": (0.9, 0.5)}
    (one,) = gains_of(np.random.default_rng(1), levels, draws=4, items=4000)
    assert one.added.verdict == "equivalent"


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "noise"), [(1, 0.0), (3, 0.0), (3, 0.4), (6, 0.4)])
def test_a_difference_in_differences_is_found_no_more_often_than_its_level(draws: int, noise: float) -> None:
    """Both accuracies rise by the stage, the gain does not: at most 5 % of studies find one, and 2 of 300 more."""
    rng = np.random.default_rng(draws * 10 + int(10 * noise))
    levels = {"": (0.5, 0.3), "steps": (0.5, 0.3)}
    runs = 300
    wrong = sum(
        any(one.added.verdict in ("wins", "loses") for one in gains_of(rng, levels, draws, 80, noise))
        for _ in range(runs)
    )
    assert stats.binomtest(wrong, runs, 0.06, alternative="greater").pvalue > 0.01


# ---- created, or made likelier ---------------------------------------------------------------------------------------


def bank(rng: np.random.Generator, shares: Array, stage: str, samples: int, draws: int = 4) -> Bank:
    """``samples`` an item and draw, each right with its item's share."""
    right = rng.binomial(samples, shares, (draws, len(shares)))
    passed = np.stack([passes(int(one), samples) for one in right.ravel()], axis=1).reshape(samples, draws, -1)
    whole = arm(passed[0], "vote", model=stage or "base", stage=stage, prompt="cot", vote=samples)
    point = BankPoint(1, 0.0, (0.0, 1.0), 0.0, (0.0, 1.0))
    return Bank(
        at=whole.at, methods=("vote",), draws=whole.draws, n=len(shares), samples=samples, unread=0.0,
        points=(point,), gain=None, room=0.0, room_interval=(0.0, 0.0), arm=whole, passed=passed,
    )  # type: ignore[arg-type]  # fmt: skip


def reach(seed: int, before: Array, after: Array, samples: int = 32) -> StageReach:
    rng = np.random.default_rng(seed)
    banks = [bank(rng, before, "", samples), bank(rng, after, "steps", samples)]
    (found,) = stage_reaches(banks, trainings("steps"), replicates=FAST)
    return found


def test_an_ability_that_only_part_of_the_items_had_is_created_or_made_likelier() -> None:
    """Items at which the model before never was right are reached: created. Where it was right now and then, and often
    after: likelier alone.
    """
    some = np.where(np.arange(300) < 150, 0.0, 0.4)
    created = reach(1, some, np.where(np.arange(300) < 150, 0.4, 0.4))
    assert created.verdict == "created"
    assert created.all.gap == pytest.approx(0.5, abs=0.06)
    assert created.growth.gap > 0.2
    rare = np.where(np.arange(300) < 150, 0.0, 0.2)
    likelier = reach(2, rare, np.where(np.arange(300) < 150, 0.0, 0.8))
    assert likelier.verdict == "made likelier"
    assert likelier.one.gap == pytest.approx(0.3, abs=0.05)
    assert likelier.all.gap == pytest.approx(0.0, abs=0.02)
    assert likelier.growth.verdict == "loses"
    narrowed = reach(3, np.full(300, 0.2), np.where(np.arange(300) < 150, 0.0, 1.0))
    assert narrowed.verdict == "narrowed"
    assert reach(4, np.full(300, 0.5), np.full(300, 0.1)).verdict == "lost"
    assert reach(5, np.full(3000, 0.5), np.full(3000, 0.5)).verdict == "no change"


@pytest.mark.parametrize(
    ("samples", "before", "after"), [(2, 0.1, 0.5), (5, 0.02, 0.2), (5, 0.1, 0.5), (16, 0.02, 0.2), (20, 0.05, 0.4)]
)
def test_with_few_samples_rare_right_answers_are_not_said_to_be_created(
    samples: int, before: float, after: float
) -> None:
    """Every item was right now and then, and is so more often: the lead grows with so few samples all the same."""
    one = reach(7, np.full(300, before), np.full(300, after), samples=samples)
    assert one.all.verdict == "wins"
    assert not one.ended
    assert one.verdict == "undecided"
    assert one.json()["ended"] is False


def test_a_lead_that_closes_but_is_still_there_is_left_open() -> None:
    one = reach(6, np.full(300, 0.08), np.full(300, 0.9), samples=16)
    assert (one.one.verdict, one.all.verdict, one.growth.verdict) == ("wins", "wins", "loses")
    assert one.verdict == "undecided"


def test_the_curves_are_pass_at_every_k() -> None:
    one = reach(7, np.full(50, 0.3), np.full(50, 0.6), samples=8)
    held = one.json()
    assert [point["k"] for point in held["points"]] == list(range(1, 9))
    assert held["points"][-1]["after"] == pytest.approx(held["all"]["after"])
    assert held["points"][0]["before"] == pytest.approx(held["one"]["before"])
    assert json.loads(json.dumps(held, allow_nan=False)) == held


@pytest.mark.slow
@pytest.mark.parametrize("shares", [(0.05, 0.4), (0.3, 0.3), (0.0, 0.6)])
def test_no_change_is_seldom_called_one(shares: tuple[float, float]) -> None:
    """The same model twice: at most 5 % of pairs are called anything but level or undecided."""
    runs = 300
    items = np.where(np.arange(100) < 50, *shares)
    wrong = sum(reach(100 + at, items, items, 8).verdict not in ("no change", "undecided") for at in range(runs))
    assert stats.binomtest(wrong, runs, 0.06, alternative="greater").pvalue > 0.01


@pytest.mark.slow
def test_what_is_only_likelier_is_seldom_called_created() -> None:
    """No item is new: shares of .1 to .3 become .7, all of which 32 samples reach."""
    runs = 200
    rng = np.random.default_rng(5)
    called = [reach(500 + at, rng.uniform(0.1, 0.3, 100), np.full(100, 0.7)).verdict for at in range(runs)]
    assert called.count("created") == 0
    assert called.count("made likelier") > runs / 2


# ---- steps -----------------------------------------------------------------------------------------------------------


def chains(rng: np.random.Generator, share: float, stage: str, items: int = 200) -> Chains:
    """Three steps an item, of which each can be checked in two of three items; ``share`` of them right."""
    whole = arm(rng.integers(0, 2, (4, items)), model=stage or "base", stage=stage, prompt="cot")
    checked = 3.0 * (rng.random((4, items)) < 2 / 3)
    right = rng.binomial(checked.astype(int), share).astype(float)
    return Chains(
        at=whole.at, draws=whole.draws, n=items, outputs=4 * items, counts={}, unchecked_steps=0,
        steps=ratio(right, checked), lucky=None, sound=None, faulty=None, calculator=None, replaced=0,
        arm=whole, right_steps=right, checked_steps=checked,
    )  # fmt: skip


def test_steps_after_a_stage_are_compared_with_those_before() -> None:
    rng = np.random.default_rng(2)
    held = [chains(rng, share, stage) for share, stage in ((0.6, ""), (0.9, "steps"), (0.6, "shuffled"))]
    found = {one.sides: one for one in stage_steps(held, trainings("steps", "shuffled"), replicates=FAST)}
    assert set(found) == {("steps", "base"), ("steps", "shuffled"), ("shuffled", "base")}
    one = found["steps", "base"]
    assert one.change.verdict == "wins"
    assert one.change.difference == pytest.approx(one.shares[0].value - one.shares[1].value)
    assert one.change.interval is not None
    assert one.change.interval[0] < 0.3 < one.change.interval[1]
    assert found["shuffled", "base"].change.verdict in ("equivalent", "undecided")
    assert json.loads(json.dumps(one.json(), allow_nan=False)) == one.json()


# ---- of a folder -----------------------------------------------------------------------------------------------------

SIZE = LADDER[4]
AFTER = {("chains", "answer-only"): 0.3, ("chains", "cot"): 0.8, ("chains", "cot-vote"): 0.8}
BEFORE = {("chains", "answer-only"): [0.3], ("chains", "cot"): [0.35], ("chains", "cot-vote"): [0.35]}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = tmp_path_factory.mktemp("d") / "d"
    placebo = dict(AFTER) | {("chains", "cot"): 0.35, ("chains", "cot-vote"): 0.35}
    stages = [("steps", SIZE, AFTER), ("shuffled", SIZE, placebo)]
    ladder_results(folder, BEFORE, sizes=(SIZE,), variants=stages, items=150, seeds=4)
    return analyse(load(tell(folder, {name: MADE[name] for name in ("steps", "shuffled")})), replicates=FAST)


def test_a_folder_says_what_made_its_models(study: Analysis) -> None:
    known = trainings_of(study.measured)
    assert {stage for _, stage in known} == {"steps", "shuffled"}
    assert {one["made"]["id"] for one in to_json(study)["cells"] if one["stage"] == "steps"} == {"steps"}
    assert {one["made"] for one in to_json(study)["cells"] if one["stage"] == "base"} == {None}


def test_a_model_that_was_trained_is_held_against_its_own_base_alone(study: Analysis, tmp_path: Path) -> None:
    """Of a label that a study has in one stage only there is no base: another model of that size is none."""
    assert {arm.model for arm in study.arms} == {"rungs/r0", "rungs/r0 (steps)", "rungs/r0 (shuffled)"}
    folder = ladder_results(tmp_path / "d", BEFORE, sizes=(SIZE,), variants=[("steps", SIZE, AFTER)], items=20, seeds=1)
    for path in folder.glob("cells/*/cell.json"):
        cell = json.loads(path.read_text())
        if cell["stage"] == "steps":
            path.write_text(json.dumps(cell | {"made": {"id": "steps", "base_revision": "0", "stages": [STEPS]}}))
    other = analyse(load(folder), replicates=FAST)
    assert {arm.model for arm in other.arms} == {"rungs/r0", "rungs/r0-steps (steps)"}
    assert (other.contrasts.stages, other.stages.gains, other.stages.reach) == ((), (), ())


def test_findings_of_stages_say_gain_tokens_and_placebo(study: Analysis) -> None:
    (found,) = question("gain by stage").ask(study)
    assert found.verdict == "gains"
    assert "its placebo “shuffled”" in found.sentence
    assert "both trained on 9,000 tokens" in found.sentence
    assert "its placebo" not in found.short
    (reached,) = question("reach").ask(study)
    assert reached.verdict in ("created", "undecided", "made likelier")
    assert "one of 5 samples is right in" in reached.sentence


def test_steps_of_a_stage_are_said(study: Analysis) -> None:
    rng = np.random.default_rng(2)
    held = [chains(rng, share, stage) for share, stage in ((0.6, ""), (0.9, "steps"))]
    steps = stage_steps(held, trainings("steps"), replicates=FAST)
    (found,) = question("steps by stage").ask(replace(study, stages=replace(study.stages, steps=steps)))
    assert found.verdict == "gains"
    assert re.search(
        r"of the steps that can be checked (89|9\d)\.\d % are right .*, with the base model (5|6)\d\.\d %",
        found.sentence,
    )
    assert len(found.short) <= LONGEST
    assert "None" not in found.sentences["zh"]


def test_a_stage_that_beats_a_placebo_alone_has_added_nothing(tmp_path: Path) -> None:
    """The placebo loses the gain that the base model has, and the stage keeps it."""
    before = {("chains", "answer-only"): [0.3], ("chains", "cot"): [0.8], ("chains", "cot-vote"): [0.8]}
    after = {place: share[0] for place, share in before.items()}
    harmed = after | {("chains", "cot"): 0.35, ("chains", "cot-vote"): 0.35}
    stages = [("steps", SIZE, after), ("shuffled", SIZE, harmed)]
    folder = ladder_results(tmp_path / "d", before, sizes=(SIZE,), variants=stages, items=150, seeds=4)
    study = analyse(load(tell(folder, {name: MADE[name] for name in ("steps", "shuffled")})), replicates=FAST)
    verdicts = {one.sides: one.added.verdict for one in study.stages.gains}
    assert verdicts["steps", "shuffled"] == "wins"
    assert verdicts["steps", "base"] == "undecided"
    assert verdicts["shuffled", "base"] == "loses"
    found = question("gain by stage").ask(study)[0]
    assert (found.verdict, "“steps”" in found.short) == ("undecided", True)
    assert "So nothing is shown of the stage itself: its references differ" in found.sentence
    assert "Shown too: “shuffled” against the base model" in found.sentence
    reached = question("reach").ask(study)[0]
    assert reached.verdict == "undecided"


def test_two_models_after_one_stage_are_two_findings_not_two_references(study: Analysis) -> None:
    """Of one size and family: what one gains is not taken back by what the other does not."""
    rng = np.random.default_rng(11)
    arms, known = [], {}
    for label, gain in (("one", 0.5), ("two", 0.0)):
        for stage, with_steps in (("", 0.3), ("steps", 0.3 + gain)):
            model = model_of_stage(label, stage) if stage else label
            if stage:
                known[model, stage] = training(step("steps", 9000, made=f"made of {label}"))
            for name, prompt, share in (("mine", "cot", with_steps), ("plain", "answer-only", 0.3)):
                table = (rng.random((3, 200)) < share).astype(float)
                arms.append(arm(table, name, prompt=prompt, model=model, stage=stage, shown=(4, 4)))
    found = stage_gains(arms, compare_all(arms, replicates=FAST), known, replicates=FAST)
    assert {one.gains[0].model: one.added.verdict == "wins" for one in found} == {
        "one (steps)": True,
        "two (steps)": False,
    }
    (said,) = question("gain by stage").ask(replace(study, stages=replace(study.stages, gains=found)))
    assert said.verdict == "gains"
    assert "its references differ" not in said.sentence


def test_stages_have_figures(study: Analysis, tmp_path: Path) -> None:
    for language in ("en", "zh"):
        drawn = {one.name: one for one in figures(to_json(study), language)}
        assert {"stage gains", "reach"} <= set(drawn)
        assert len(drawn["reach"].panels) == len(study.stages.reach)
