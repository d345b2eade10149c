"""What is asked several times counts once, and what is picked from many has to be shown among them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_arms import arm, changed
from scipy import stats

from onset.analysis.contrast.contrast import contrast
from onset.analysis.estimates.banks import Bank
from onset.analysis.estimates.break_evens import break_evens, cheaper_until
from onset.analysis.estimates.decisions import Basis, Decision, decide_among
from onset.analysis.estimates.label_curves import label_curves, mean_accuracy, means_of
from onset.analysis.estimates.models import compare_models
from onset.analysis.estimates.scores import compare_scores
from onset.analysis.estimates.shares import mean, ratio
from onset.analysis.estimates.stage_reach import StageReach, stage_reaches
from onset.analysis.outcomes import Flops, Outcomes, Ran
from onset.analysis.questions import question
from onset.analysis.questions.cost import break_even_words
from onset.analysis.questions.decision import recommendation
from onset.analysis.questions.say import ENGLISH
from onset.analysis.questions.stage_reach import _lead
from onset.analysis.stats.adjust import ALPHA
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.subsets import passes

FAST = 500


# ---- models over all tasks -----------------------------------------------------------------------------------------


def two_models(*ways: str) -> list[Outcomes]:
    """Two models on two tasks of 50 items, with the same outcomes in every way of asking."""
    rng = np.random.default_rng(1)
    held = {(model, task): (rng.random((1, 50)) < 0.5).astype(float) for model in "ab" for task in ("t", "u")}
    return [arm(values, method=way, model=model, task=task) for (model, task), values in held.items() for way in ways]


def test_an_item_that_is_asked_in_several_ways_is_one_item_of_all_tasks() -> None:
    once, often = (compare_models(two_models(*ways), replicates=FAST) for ways in (("x",), ("x", "y", "z")))
    for found in (once, often):
        assert [(len(one.items), one.task) for one in found.overall] == [(100, ""), (100, "")]
    ours, theirs = (next(one for one in found.pairs if not one.task) for found in (once, often))
    assert (ours.n, ours.difference) == (theirs.n, pytest.approx(theirs.difference))
    assert theirs.interval == pytest.approx(ours.interval, abs=0.03)


def test_items_under_a_shift_are_no_part_of_all_tasks() -> None:
    shifted = [changed(one, shift="typos") for one in two_models("x")]
    assert [len(one.items) for one in compare_models([*two_models("x"), *shifted], replicates=FAST).overall] == [
        100,
        100,
    ]


def test_scores_are_ranked_on_the_items_that_all_have() -> None:
    rng = np.random.default_rng(0)
    easy = rng.random(40)
    better = np.concatenate([easy + 2.3 + 0.05 * rng.standard_normal(40), rng.random(60)])
    arms = [
        arm(easy + 2, model="A", metric="f1", chance=None),
        arm(better, model="B", metric="f1", chance=None, params=2),
    ]
    scores = compare_scores(arms, [], replicates=FAST)
    study: Any = SimpleNamespace(contrasts=SimpleNamespace(scores=scores), named=lambda task: None)
    (said,) = question("score").ask(study)
    assert said.verdict == "best"
    assert "B has the best f1" in said.sentence


# ---- above chance --------------------------------------------------------------------------------------------------


def right(count: int, of: int = 200, **changes: Any) -> Outcomes:
    return arm((np.arange(of) < count).astype(float), chance=0.5, **changes)


def decided(arms: list[Outcomes]) -> Decision:
    return decide_among(arms, Basis({}, means_of(label_curves(arms, replicates=FAST)), {}, {}, replicates=FAST))


def test_p_of_chance_is_the_score_test_of_which_the_interval_is_the_inversion() -> None:
    for count in (100, 113, 115, 130):
        point = mean_accuracy(right(count))
        z = (count / 200 - 0.5) / np.sqrt(0.25 / 200)
        assert point.p_chance == pytest.approx(stats.norm.sf(z))
        assert point.above_chance() == (point.interval[0] > 0.5)
    assert mean_accuracy(arm(np.ones(8), chance=None)).above_chance(100)


def test_the_best_of_many_that_guess_is_not_said_to_be_above_chance() -> None:
    rng, runs = np.random.default_rng(5), 150
    said = 0
    for _ in range(runs):
        arms = [arm((rng.random(100) < 0.5).astype(float), chance=0.5, method=f"m{at}") for at in range(12)]
        said += decided(arms).verdict != "not above chance"
    assert stats.binomtest(said, runs, ALPHA / 2, alternative="greater").pvalue > 0.001


def test_the_best_is_used_where_the_cheaper_one_that_is_level_may_guess() -> None:
    values = np.arange(1000)
    best = arm((values < 540).astype(float), chance=0.5, method="vote", ran=Ran(Flops(1e12, 0.0)))
    cheap = arm(((values < 500) | ((values >= 540) & (values < 570))).astype(float), chance=0.5, method="once",
                ran=Ran(Flops(1e10, 0.0)))  # fmt: skip
    made = decided([cheap, best])
    assert made.held.rivals[0].level
    assert (made.method, made.verdict) == ("vote", "level")
    assert made.others.level == ()


def test_what_was_tried_is_no_next_step() -> None:
    arms = [right(share, method="lora", labels=labels) for labels, share in ((8, 106), (64, 104), (512, 102))]
    said = recommendation(decided(arms), ENGLISH)
    assert "picked as the best of 3: " in said
    assert "more labelled examples than 512" in said


def test_hardly_is_said_where_two_are_shown_to_be_level_alone() -> None:
    few = [right(22, 30, method="lora", labels=64), right(18, 30, method="lora", labels=8)]
    assert "perhaps more labelled examples (64 is not shown to beat 8" in recommendation(decided(few), ENGLISH)
    alike = [right(1601, 2000, method="lora", labels=64), right(1600, 2000, method="lora", labels=8)]
    made = decided(alike)
    assert [(one.what, one.level) for one in made.changes][:1] == [("labels", True)]
    assert "more labelled examples hardly (64 and 8 are level)" in recommendation(made, ENGLISH)


# ---- banks of samples ----------------------------------------------------------------------------------------------


def bank(counts: Array, stage: str, labels: int, *, shows: bool = True) -> Bank:
    """Of eight samples an item, of which so many are right (draws x items)."""
    made = np.moveaxis(np.array([[passes(int(one), 8) for one in row] for row in counts]), 2, 0)
    shown = {} if shows else {"shown": (0, 0), "used": 0}
    one = arm(
        made[-1], method="vote", labels=labels, model=f"M ({stage})" if stage else "M", stage=stage, vote=8, **shown
    )
    gain = contrast(one, replace(one, values=made[0]), "method", names=("all", "one"), kind="share", replicates=FAST)
    return Bank(one.at, ("vote",), one.draws, made.shape[2], 8, 0.0, (), gain, 0.0, (0.0, 0.0), one, made)


def reaches(*budgets: int, shows: bool = True) -> list[StageReach]:
    rng = np.random.default_rng(1)
    before, after = (rng.binomial(8, share, (1, 120)) for share in (0.30, 0.345))
    banks = [
        bank(counts, stage, labels, shows=shows) for labels in budgets for counts, stage in ((before, ""), (after, "s"))
    ]
    return list(stage_reaches(banks, {}, replicates=FAST))


def test_votes_without_examples_are_one_test_at_every_budget() -> None:
    alone, *_ = reaches(8, shows=False)
    often = reaches(8, 64, 512, shows=False)
    assert len(often) == 3
    assert {one.one.p_adjusted for one in often} == {alone.one.p_adjusted}
    assert often[0].one.decided is not None
    assert often[0].one.decided.size == 3


def test_a_lead_that_narrows_is_said_to_narrow() -> None:
    reach, *_ = reaches(8)
    values = np.tile([1.0] * 16 + [-1.0] * 42 + [0.0] * 842, (1, 1))
    growth = contrast(arm(values + 1), arm(np.ones((1, 900))), "method", kind="score", replicates=FAST)
    made = replace(reach, growth=replace(growth), margin=1.0)
    assert made.keeps_its_lead
    assert made.growth.gap < 0
    said = _lead(made, ENGLISH)
    assert said.startswith("the lead narrows by 2.9 points as samples grow")


# ---- few draws -----------------------------------------------------------------------------------------------------


def test_two_draws_that_differ_have_the_interval_of_students_t() -> None:
    values = np.vstack([np.arange(100) < 55, np.arange(100) < 70]).astype(float)
    low, high = stats.t.interval(0.95, 1, 0.625, 0.075)
    assert mean(values, FAST)[1] == (max(0.0, low), min(1.0, high))
    share = ratio(values, np.ones_like(values))
    assert share is not None
    assert share.interval == (max(0.0, low), min(1.0, high))


# ---- costs ---------------------------------------------------------------------------------------------------------


def test_tuning_is_cheaper_at_first_where_the_search_for_the_prompt_took_more() -> None:
    assert cheaper_until(-1000.0, 10.0, 12.0) == 500.0
    assert cheaper_until(100.0, 10.0, 12.0) is None
    assert cheaper_until(-1000.0, 12.0, 10.0) is None
    arms = [
        arm(np.ones(4), method="lora", tune="lora", ran=Ran(Flops(12.0, 100.0))),
        arm(np.ones(4), method="sought", ran=Ran(Flops(10.0, 0.0, 1100.0))),
    ]
    (one,) = break_evens(arms)
    assert (one.queries, one.until) == (None, 500.0)
    assert one.json()["until"] == 500.0
    assert "lora is cheaper than sought up to about 500 queries: finding the prompt took more" in break_even_words(
        one, ENGLISH
    )
