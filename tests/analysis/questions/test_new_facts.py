"""New facts in a passage and in weights: the tasks, and the two held against each other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_arms import arm

from onset.analysis.estimates.new_facts import placements_of
from onset.analysis.outcomes import Measured
from onset.analysis.questions.new_facts import FactsInWeights
from onset.errors import DataError
from onset.ladder.world import new_people, world
from onset.study.grid import expand
from onset.study.spec import make_study
from onset.tasks import open_task, open_tasks
from onset.tasks.base import Task
from onset.tasks.world_new_facts import PROBES, countries


def opened(probe: str, told: str, **more: Any) -> Task:
    return open_task({"name": "world-new-facts", "probe": probe, "told": told, **more})


def test_nobody_of_them_is_in_the_world() -> None:
    assert len(new_people()) == 400
    assert not set(new_people()) & set(world().people)


@pytest.mark.parametrize("probe", PROBES)
def test_both_ways_of_telling_ask_the_same_and_tell_the_same_facts(probe: str) -> None:
    weights, passage = opened(probe, "weights"), opened(probe, "passage")
    assert [replace(one, context=None) for one in passage.test] == list(weights.test)
    assert [replace(one, context=None) for one in passage.pool] == list(weights.pool)
    learnt = {one.question.removeprefix("What is the home of ").rstrip("?"): one.answer for one in weights.pool}
    assert len(learnt) == 64
    assert set(learnt) <= set(new_people())
    assert len(set(learnt.values())) == 64
    for item in passage.test:
        told = [one.rstrip(".") for one in (item.context or "").split(". ")]
        homes = {person: city for person, city in learnt.items() if any(person in one and city in one for one in told)}
        assert len(homes) == len(told) == 4
        if probe == "reversed":
            city = item.question.removeprefix("Who lives in ").rstrip("?")
            assert [one for one in homes if homes[one] == city] == [item.answer]
            continue
        (person,) = [one for one in learnt if one in item.question]
        answers = {one: city if probe == "direct" else countries()[city] for one, city in homes.items()}
        assert answers[person] == item.answer
        assert len(set(answers.values())) == 4


def test_of_many_facts_all_who_live_in_a_city_are_right_in_reverse() -> None:
    task = opened("reversed", "weights", pool=200, test=200)
    learnt = {one.question.removeprefix("What is the home of ").rstrip("?"): one.answer for one in task.pool}
    for item in task.test:
        city = item.question.removeprefix("Who lives in ").rstrip("?")
        assert sorted(item.golds) == sorted(one for one in learnt if learnt[one] == city)


def test_more_questions_than_facts_are_refused() -> None:
    with pytest.raises(DataError) as error:
        open_tasks({"name": "world-new-facts", "pool": 20, "test": 30})
    assert str(error.value) == (
        "task 'world-new-facts': 30 questions asked for about 20 facts: test must be at most pool"
    )


N = 60
SHARES = {"direct": (1.0, 0.9), "reversed": (0.3, 0.9), "syllogism": (0.5, 0.5)}
"""Accuracy in weights and in context."""


def measured() -> Measured:
    """Two draws of each probe, told both ways; the items of the two tasks are others, their questions the same."""
    arms, records, cells = [], [], []
    for probe, shares in SHARES.items():
        for told, share in zip(("weights", "passage"), shares, strict=True):
            task = f"world-new-facts[probe={probe}, told={told}]"
            order = range(N) if told == "weights" else range(N - 1, -1, -1)
            items = tuple(f"{told} {probe} {at}" for at in order)
            values = np.array([[float(at < share * N) for at in order]] * 2)
            arms.append(
                arm(
                    values,
                    "in-weights" if told == "weights" else "in-context",
                    items=items,
                    task=task,
                    tune="full" if told == "weights" else None,
                    versions=(told,) * 2,
                )
            )
            cells.append({"cell": task, "task": task})
            records += [{"cell": task, "item": item, "question": f"{probe} {at // 2}?", "gold": str(at)} for at, item in zip(order, items,
                        strict=True)]  # fmt: skip
    return Measured(tuple(arms), {"name": "facts"}, pl.DataFrame(cells), pl.DataFrame(records))


def test_the_two_are_held_against_each_other_question_by_question() -> None:
    found = {one.probe: one for one in placements_of(measured(), replicates=500)}
    assert list(found) == list(SHARES)
    for probe, (weights, context) in SHARES.items():
        held = found[probe].json()
        assert held["methods"] == ["in-weights", "in-context"]
        assert (held["weights"], held["context"]) == (pytest.approx(weights), pytest.approx(context))
        assert held["difference"] == pytest.approx(weights - context)
        assert (held["n"], held["seeds"], held["family_size"]) == (N, [0, 1], 3)
        assert held["task"] == f"world-new-facts[probe={probe}]"
        json.dumps(held, allow_nan=False)
    assert found["reversed"].contrast.verdict == "loses"
    # the same questions are right on both sides: paired, nothing differs
    assert found["syllogism"].contrast.discordant == (0, 0)


def test_what_is_said_of_it() -> None:
    class Study:
        placements = placements_of(measured(), replicates=500)

        def named(self, task: str) -> None:
            return None

    (found,) = FactsInWeights().ask(Study())  # type: ignore[arg-type]
    assert (found.verdict, found.tone, found.n) == ("context", "against", N)
    assert found.estimate == pytest.approx(-0.6)
    assert found.sentence.startswith(
        "New facts in weights against the same in context, m: asked directly: 100.0 % with"
    )
    assert "asked in reverse: 30.0 % with in-weights, 90.0 % with in-context, −60.0 points (" in found.sentence
    assert "context is better" in found.sentence
    assert found.short.startswith("New facts, asked in reverse, are right in 30.0 % in weights and 90.0 % in context: ")
    assert found.lines["zh"].startswith("新事实（反向提问）：")
    assert "反向提问" in found.sentences["zh"]


def test_a_study_that_asks_one_way_has_none() -> None:
    half = measured()
    assert placements_of(replace(half, outcomes=half.outcomes[::2])) == ()


def test_a_budget_that_does_not_hold_all_facts_is_not_compared() -> None:
    whole = measured()
    labels = whole.outcomes[0].labels
    for facts, compared in ((labels, 3), (labels + 1, 0)):
        meta = json.dumps({"probe": "direct", "facts": facts})
        records = whole.records.with_columns(pl.lit(meta).alias("meta"))
        assert len(placements_of(replace(whole, records=records), replicates=500)) == compared
    assert all(one.meta["facts"] == 80 for one in opened("direct", "weights", pool=80).test)


def test_a_budget_that_does_not_tell_all_facts_is_said_before_anything_runs() -> None:
    tuned: dict[str, Any] = {"tune": "full", "on": "answers", "name": "tuned"}
    prompt: dict[str, Any] = {"prompt": "answer-only", "shots": 4, "name": "asked"}

    def notes(told: str, method: dict[str, Any], *labels: int) -> list[str]:
        task = {"name": "world-new-facts", "told": told, "pool": 16, "test": 16}
        study = make_study(
            name="facts", models=["ladder/r0"], tasks=[task], methods=[method], labels=list(labels), seeds=1, items=16
        )
        return [note for note in expand(study).notes if "facts" in note]

    assert notes("weights", tuned, 8, 16) == [
        "task world-new-facts[probe=direct, told=weights]: 8 labelled examples tell fewer than its 16 facts; a model"
        " tuned on them cannot know the others, and facts in weights are compared with facts in a passage at 16 labels"
        " alone"
    ]
    assert notes("weights", tuned, 16) == notes("weights", prompt, 8) == notes("passage", tuned, 8) == []
