"""What is said of searches: upper bounds stand apart and change nothing else, costs are counted, the finding is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_arms import arm

import onset
from onset.analysis import Analysis, to_json
from onset.analysis.estimates.advice import Wanted, advise
from onset.analysis.estimates.break_evens import break_evens
from onset.analysis.outcomes import Flops, Outcomes, Ran
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions import question
from onset.analysis.words import plain_method
from onset.errors import DataError
from onset.models.scripted import ScriptedModel
from onset.report.facts import examples
from onset.report.searches import _trials, search_tables
from onset.study.runner import run
from onset.study.spec import make_study

SHOWN = re.compile(r"The answer is")
ASKED = re.compile(r"(\d+) \+ (\d+)\S*\nAnswer:$")


def reply(prompt: str, sample: int) -> str:
    """Right with two demonstrations; with others in one question of three."""
    found = ASKED.search(prompt)
    assert found, prompt
    total = int(found[1]) + int(found[2])
    right = len(SHOWN.findall(prompt)) == 2 or total % 3 == 0
    return f" The answer is {total if right else total + 1}."


def analysed(folder: Path, rules: list[Any]) -> Analysis:
    made = make_study(
        name="s",
        models=[{"spec": "scripted:x.json", "label": "fake"}],
        tasks=[{"name": "addition", "digits": 2, "pool": 60, "test": 60}],
        methods=[
            {"prompt": "answer-only", "shots": 4, "name": "ask", "grid": [{"shots": 1}, {"shots": 2}]},
            {"prompt": "answer-only", "shots": 3, "name": "other", "search": "none"},
        ],
        labels=8,
        seeds=2,
        items=60,
        search=rules,
    )
    run(made, folder, models={"fake": ScriptedModel(reply)})
    return onset.analyse(onset.load(folder))


WITHIN = {"select": "within", "trials": 3}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Analysis]:
    """A study without upper bounds, and the same one with them."""
    place = tmp_path_factory.mktemp("s")
    bounded = ["none", WITHIN, {"select": "oracle-dev", "dev": 30, "trials": 3}]
    return analysed(place / "without", ["none", WITHIN]), analysed(place / "with", bounded)


def test_an_upper_bound_changes_nothing_but_what_is_said_of_searches(both: tuple[Analysis, Analysis]) -> None:
    without, bounded = (to_json(one) for one in both)
    assert [one["method"] for one in bounded["searches"]] == ["ask-within", "ask-oracle-dev"]
    alone, beside = ([{**one, "seconds": None} for one in said["searches"]] for said in (without, bounded))
    assert alone == beside[:1]
    for key in without.keys() - {"searches", "findings", "cells", "costs"}:
        assert without[key] == bounded[key], key

    def timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: one for key, one in row.items() if not re.search("seconds|peak", key)} for row in rows]

    assert timeless(without["cells"]) == timeless(bounded["cells"])
    assert timeless(without["costs"]) == timeless(bounded["costs"])
    assert "oracle-dev" not in str(bounded["cells"]) + str(bounded["comparisons"])
    said = [one for one in bounded["findings"] if one["kind"] != "search"]
    assert said == [one for one in without["findings"] if one["kind"] != "search"]
    assert len(both[1].bounds.cells) == 2  # type: ignore[union-attr]


def test_a_planted_gain_is_said_with_its_upper_bound(both: tuple[Analysis, Analysis]) -> None:
    (one,) = question("search").ask(both[1])
    assert one.verdict == "gains"
    held = both[1].searches[0].against
    assert held is not None
    assert one.estimate == held.difference == pytest.approx(1 - (60 - _wrong()) / 60, abs=1e-9)
    assert "chosen on 30 labels beyond the budget, an upper bound" in one.sentence.lower()
    assert "with the best of 3 settings by the granted examples" in one.sentence
    assert "in 0 of 2 draws the settings as written were kept" in one.sentence.lower()
    assert set(one.sentences) == set(LANGUAGES)
    assert "上限" in one.sentences["zh"]
    (plain,) = question("search").ask(both[0])
    assert "upper bound" not in plain.sentence


def _wrong() -> int:
    (task,) = onset.tasks.open_tasks({"name": "addition", "digits": 2, "pool": 60, "test": 60})
    return sum(int(item.answer) % 3 != 0 for item in task.test)


def test_a_search_is_told_as_it_was(both: tuple[Analysis, Analysis]) -> None:
    within, bound = (one.json() for one in both[1].searches)
    assert (within["select"], within["upper_bound"], within["labels_outside"]) == ("within", False, 0)
    assert (bound["select"], bound["upper_bound"], bound["labels_outside"]) == ("oracle-dev", True, 30)
    assert within["taken"] == bound["taken"] == [{"setting": {"shots": 2}, "draws": 2}]
    assert within["decided"] == {"accuracy": 2}
    assert within["score"] == within["accuracy"] == 1.0
    assert within["plain"] == bound["plain"] == "ask"
    assert bound["against"]["difference"] == within["against"]["difference"] > 0
    assert within["flops"] > 0


def test_a_cell_costs_its_search_too(both: tuple[Analysis, Analysis]) -> None:
    rows = {(one["method"], one["seed"]): one for one in to_json(both[1])["cells"]}
    plain, searched = rows["ask", 0], rows["ask-within", 0]
    assert (plain["select"], plain["flops_search"], plain["search"]) == ("none", 0.0, None)
    assert searched["select"] == "within"
    assert searched["flops"] == searched["flops_inference"] + searched["flops_search"]
    assert searched["search"]["taken"] == 2
    spent = {key[2]: one for key, one in both[1].spent.items()}
    assert spent["ask-within"].once == spent["ask-within"].search > 0 == spent["ask"].once


def test_break_even_counts_what_both_sides_searched() -> None:
    def costing(one: Outcomes, tune: str | None, flops: Flops) -> Outcomes:
        return replace(one, asked=replace(one.asked, tune=tune), ran=Ran(flops=flops))

    tuned = costing(arm(np.ones((1, 4)), method="lora", labels=8), "lora", Flops(query=1.0, tuning=100.0, search=500.0))
    (plain,) = break_evens([tuned, costing(arm(np.ones((1, 4)), method="cot", labels=8), None, Flops(3.0, 0.0))])
    assert plain.queries == (100 + 500) / 2
    (searched,) = break_evens(
        [tuned, costing(arm(np.ones((1, 4)), method="cot", labels=8), None, Flops(3.0, 0.0, 200.0))]
    )
    assert searched.queries == (100 + 500 - 200) / 2
    (dear,) = break_evens([tuned, costing(arm(np.ones((1, 4)), method="cot", labels=8), None, Flops(3.0, 0.0, 900.0))])
    assert (dear.queries, dear.interval) == (0.0, None)  # from the first query on


def test_searched_methods_have_names_a_person_can_read() -> None:
    assert plain_method("cot-within") == "chain of thought (settings chosen)"
    assert plain_method("cot-shots4-oracle-dev").endswith("(4 shown, upper bound: settings chosen on more labels)")


def test_the_page_says_what_was_taken_and_which_labels_are_beyond_the_budget(both: tuple[Analysis, Analysis]) -> None:
    within, bound = search_tables(to_json(both[1]), str)
    assert (within["title"], bound["title"][:13]) == ("Settings chosen within the budget", "Upper bounds:")
    assert [one["took"] for one in (*within["rows"], *bound["rows"])] == ["shots 2 (2)", "shots 2 (2)"]
    assert search_tables(to_json(both[0]), str)[1:] == []
    line = {"use": "dev", "ids": ["a", "b"], "rationales": False}
    cell = {"method": "m", "labels": 2, "ledger": [line], "search": {"outside": ["x", "y", "z"]}}
    (row,) = examples([cell])
    assert row["used"] == "2 tried settings on, 3 beyond the budget"


def test_a_study_of_upper_bounds_alone_says_so(tmp_path: Path) -> None:
    made = analysed(tmp_path, [{"select": "oracle-dev", "dev": 30, "trials": 3}])
    fair = tuple(one for one in made.measured.outcomes if one.method != "other")
    alone = replace(made, measured=replace(made.measured, outcomes=fair))
    (said,) = question("results").ask(alone)
    assert said.sentence == ("Every finished cell is an upper bound, its settings chosen on labels beyond the budget.")
    with pytest.raises(DataError, match="every finished cell of this study is an upper bound"):
        advise(alone, Wanted())


def test_a_gain_is_said_in_points(both: tuple[Analysis, Analysis]) -> None:
    (said,) = question("search").ask(both[1])
    assert re.search(r"that is [−\d.]+ points \(95 % interval [−\d.]+ to [−\d.]+; ", said.sentence)
    assert re.search(r"A search takes [\d.]+ [kMGTP]?FLOPs", said.sentence)


def test_trials_are_counted_for_every_method_of_a_table() -> None:
    """A method may have fewer settings than the rule allows."""
    assert _trials([{"trials": 6}, {"trials": 2}, {"trials": 6}]) == "2 to 6 trials a draw"
    assert _trials([{"trials": 6}, {"trials": 6}]) == "6 trials a draw"
