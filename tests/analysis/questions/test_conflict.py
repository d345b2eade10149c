"""Passages that contradict memory: the tasks, and what is said of answers by passage, by memory and neither."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.questions import question
from onset.errors import DataError
from onset.ladder.world import world
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_task, open_tasks


@pytest.mark.parametrize("name", ["world-one-hop", "world-two-hop"])
def test_the_questions_are_those_without_a_passage_and_a_wrong_one_contradicts_the_world(name: str) -> None:
    plain, right, wrong = (
        open_task({"name": name, "frequency": "mid", "pool": 40, "test": 60, "passage": told})
        for told in ("none", "right", "wrong")
    )
    assert wrong.name == f"{name}[frequency=mid, passage=wrong]"
    assert [one.question for one in right.test] == [one.question for one in wrong.test]
    assert [one.question for one in plain.test] == [one.question for one in wrong.test]
    assert [one.answer for one in right.test] == [one.answer for one in plain.test]
    assert [one.meta["memory"] for one in wrong.test] == [one.answer for one in plain.test]
    assert all("memory" not in one.meta for one in (*right.test, *right.pool, *wrong.pool))
    assert [replace(one, context=None) for one in wrong.pool] == list(plain.pool)
    known = world()
    in_country = {city: known.countries[known.country_of[at]] for at, city in enumerate(known.cities)}
    for item in (*right.test, *wrong.test, *right.pool, *wrong.pool):
        person = re.search(r"(?:does|of) (\w+ \w+)", item.question)
        assert person is not None
        told = [one for one in (item.context or "").split(". ") if person[1] in one]
        assert len(told) == 1
        if name == "world-one-hop":
            assert item.answer in told[0]
        else:
            (city,) = [one for one in in_country if one in told[0]]
            assert in_country[city] == item.answer
            assert f"{city} is in {item.answer}" in str(item.context)
        assert item.answer != item.meta.get("memory")


def test_a_passage_is_none_right_or_wrong() -> None:
    with pytest.raises(DataError) as error:
        open_tasks({"name": "world-one-hop", "passage": "maybe"})
    assert str(error.value) == "task 'world-one-hop': passage must be one of none, right, wrong, not 'maybe'"


ITEMS = 40


def answers(prompt: str, sample: int) -> str:
    """It knows every capital but each fourth; with a passage it keeps two of five, and answers each tenth by neither."""
    number = int(re.findall(r"land (\d+)\?", prompt)[-1])
    if "Context:" not in prompt.rpartition("Question:")[0][-60:]:
        return f" The answer is {'Old' if number % 4 else 'Nowhere'}{number}."
    if number % 10 == 9:
        return " The answer is Nowhere."
    return f" The answer is {'Old' if number % 5 < 2 else 'New'}{number}."


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A task of a user's own with a column ``memory``, and the same questions without passages."""
    return studied(tmp_path_factory.mktemp("conflict"), "capitals", "contradicted")


def studied(place: Path, *names: str) -> Analysis:

    def written(name: str, rows: list[dict[str, Any]]) -> str:
        (place / name).write_text("\n".join(map(json.dumps, rows)))
        return str(place / name)

    asked = [{"question": f"What is the capital of land {i}?", "answer": f"Old{i}"} for i in range(ITEMS + 4)]
    told = [
        {**row, "answer": f"New{i}", "memory": f"Old{i}", "context": f"The capital of land {i} is New{i}."}
        for i, row in enumerate(asked)
    ]
    right = [{**row, "context": f"The capital of land {i} is Old{i}."} for i, row in enumerate(asked)]
    tasks = [
        {"name": name, "train": written(f"{name}.train.jsonl", rows[ITEMS:]), "near_duplicates": "allow",
         "test": written(f"{name}.jsonl", rows[:ITEMS])}
        for name, rows in (("capitals", asked), ("contradicted", told), ("supported", right))
        if name in names
    ]  # fmt: skip
    study = make_study(
        name="conflict",
        models=[{"spec": f"scripted:{size}.json", "label": size} for size in ("large", "small")],
        tasks=tasks, methods=[{"prompt": "answer-only", "shots": 0, "name": "asked"}], labels=[0], seeds=1, items="all",
    )  # fmt: skip
    models = {
        "large": ScriptedModel(answers, facts=replace(MADE_UP_FACTS, name="large", params=4_000_000)),
        "small": ScriptedModel(lambda prompt, sample: " I am\n not sure,\n sorry.", facts=MADE_UP_FACTS),
    }
    run(study, place / "out", models=models)
    return analyse(load(place / "out"), replicates=300)


def test_answers_are_the_passages_the_memorys_or_neither(study: Analysis) -> None:
    large, small = study.conflicts
    assert {side: round(one.value, 6) for side, one in large.shares.items()} == {
        "passage": 0.5, "memory": 0.4, "neither": 0.1,
    }  # fmt: skip
    assert (large.closed, large.known, large.verdict) == ("capitals", 30, "undecided")
    kept = [i for i in range(ITEMS) if i % 4 and i % 5 < 2]
    assert large.kept is not None
    assert large.kept.value == pytest.approx(len(kept) / 30)
    assert {side: one.value for side, one in small.shares.items()} == {"passage": 0, "memory": 0, "neither": 1}
    assert (small.known, small.kept) == (0, None)
    low, high = large.lead.interval
    assert low < 0.1 < high


def test_questions_with_a_passage_that_is_right_are_not_closed_book(tmp_path: Path) -> None:
    large, _ = studied(tmp_path, "contradicted", "supported").conflicts
    assert (large.closed, large.known, large.kept) == (None, 0, None)


def test_the_arm_picked_from_several_has_an_interval_for_all_of_them(study: Analysis) -> None:
    large = study.conflicts[0]
    ahead = replace(large, leads=np.repeat([1.0, -1.0], [27, 13])[None, :])
    assert ahead.among(1)[0] == "passage"
    verdict, (low, high) = ahead.among(20)
    assert verdict == "undecided"
    assert low < ahead.among(1)[1][0] < ahead.among(1)[1][1] < high
    assert large.among(1) == (large.verdict, large.lead.interval)


def test_what_is_said_of_it(study: Analysis) -> None:
    (found,) = question("passage or memory").ask(study)
    assert (found.verdict, found.tone, found.n) == ("undecided", "open", ITEMS)
    assert found.estimate == pytest.approx(0.1)
    assert "large (asked, without labelled examples) answers by the passage in 50.0 % (" in found.sentence
    assert "Of 30 answers that it knows without a passage (capitals) it keeps 40.0 % (" in found.sentence
    assert "Of 2 sizes the smallest, small, follows the passage in 0.0 % and memory in 0.0 %" in found.sentence
    shown = to_json(study)["conflicts"]
    json.dumps(shown, allow_nan=False)
    assert [one["model"] for one in shown] == ["large", "small"]


def test_memory_may_be_a_number(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"How many are {i} and {i}?",
            "answer": 100 + i,
            "memory": 2 * i,
            "context": f"They are {100 + i}.",
        }
        for i in range(12)
    ]
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, rows[:8])))
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows[8:])))
    made = make_study(
        name="sums",
        models=["scripted:m.json"],
        tasks=[{"name": "sums", "train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "sums.jsonl"),
                "near_duplicates": "allow"}],
        methods=[{"prompt": "answer-only", "shots": 0}], labels=[0], seeds=1, items="all",
    )  # fmt: skip

    def remembers(prompt: str, sample: int) -> str:
        number = int(re.findall(r"many are (\d+)", prompt)[-1])
        return f" The answer is {2 * number if number < 6 else 100 + number}."

    run(made, tmp_path / "d", models={"m": ScriptedModel(remembers, facts=MADE_UP_FACTS)})
    (told,) = to_json(analyse(load(tmp_path / "d"), replicates=100))["conflicts"]
    assert (told["memory"], told["passage"], told["neither"]) == (0.75, 0.25, 0.0)


def test_the_record_holds_what_memory_says(study: Analysis) -> None:
    held = study.measured.records
    details = [json.loads(one) for one in held["detail"].to_list() if one]
    assert len(details) == 2 * ITEMS
    assert all(re.fullmatch(r"old\d+", one["memory"]) for one in details)
