"""A name is one method's, and a budget that the prompt does not show whole says so."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from results_json import write_json
from synthetic import ladder_results

from onset.analysis import words
from onset.analysis.study import analyse, to_json
from onset.cli import main
from onset.errors import StudyError
from onset.models.scripted import ScriptedModel
from onset.report import facts
from onset.report.notes import budget_notes
from onset.results.read import distinct_names, load, read_cells
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import Study, make_study


def study(methods: Sequence[Any] = ("answer-only",), **changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 40}],
        "methods": methods,
        "labels": [4],
        "seeds": 2,
        "items": 30,
    }
    return make_study(**{**values, **changes})


def measured(folder: Path, methods: Sequence[Any]) -> Path:
    model = ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")
    run(study(methods), folder, models={"fake": model})
    return folder


def test_two_parts_may_not_call_different_methods_by_one_name() -> None:
    parts = [{"methods": ["cot"]}, {"methods": [{"prompt": "cot", "shots": 2, "name": "cot"}]}]
    with pytest.raises(StudyError) as caught:
        expand(study(parts=parts))
    assert str(caught.value) == "study: two parts call different methods 'cot'; give one another name"
    parts = [{"methods": ["cot"]}, {"methods": [{"prompt": "cot", "name": "steps"}]}]
    with pytest.raises(StudyError) as caught:
        expand(study(parts=parts))
    assert str(caught.value) == "study: methods 'cot' and 'steps' of two parts are the same; use one name in both"
    assert len(expand(study(parts=[{"methods": ["cot"]}, {"methods": ["cot"], "labels": 2}])).cells) == 4


def test_a_folder_in_which_two_methods_share_a_name_tells_them_apart(tmp_path: Path) -> None:
    folder = measured(tmp_path / "d", [{"prompt": "cot", "shots": 1}, {"prompt": "cot", "shots": 2}, "answer-only"])
    for path in folder.glob("cells/*/cell.json"):
        held = json.loads(path.read_text())
        write_json(path, {**held, "method": held["method"].split("-shots")[0]})
    names = {"answer-only", "cot (shots 1)", "cot (shots 2)"}
    assert set(load(folder).cells["method"]) == names
    assert {row["method"]: row["words"] for row in facts.methods(read_cells(folder))}.keys() == names
    assert len(analyse(load(folder)).arms) == 3


def test_a_template_of_one_model_makes_no_other_method(tmp_path: Path) -> None:
    models = [{"spec": "scripted:a.json", "label": "a", "template": "plain"}, {"spec": "scripted:b.json", "label": "b"}]
    asked = study(models=models)
    replies = ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")
    run(asked, tmp_path / "d", models={"a": replies, "b": replies})
    assert set(load(tmp_path / "d").cells["method"]) == {"answer-only"}
    [row] = facts.methods(read_cells(tmp_path / "d"))
    assert row["method"] == "answer-only"
    assert "plain" not in row["words"]
    parts = [{"models": models}, {"models": [{"spec": "scripted:a.json", "label": "a"}]}]
    with pytest.raises(StudyError, match=r"^study: two parts call different methods 'answer-only'"):
        expand(study(parts=parts))
    specs = [{"prompt": "cot", "template": "chat"}, {"prompt": "cot"}]
    assert distinct_names(["cot", "cot"], specs, ["a", "b"]) == ["cot", "cot"]
    assert distinct_names(["cot", "cot"], specs, ["a", "a"]) == ["cot (template chat)", "cot"]


def test_names_say_what_is_set_and_leave_others_alone() -> None:
    specs = [{"prompt": "cot"}, {"prompt": "cot", "shots": 4}, {"prompt": "cot"}, {"prompt": "answer-only"}]
    assert distinct_names(["cot", "cot", "cot", "other"], specs, ["m"] * 4) == [
        "cot",
        "cot (shots 4)",
        "cot",
        "other",
    ]
    several = [{"shots": 1}, {"shots": 1, "vote": 5}, {"vote": 5}, {"shots": None}]
    names = ["cot (shots 1)", "cot (shots 1, vote 5)", "cot (vote 5)", "cot"]
    assert distinct_names(["cot"] * 4, several, ["m"] * 4) == names


def test_each_pair_of_methods_has_its_own_finding_on_chain_of_thought(tmp_path: Path) -> None:
    folder = measured(tmp_path / "d", ["answer-only", "cot", {"prompt": "cot", "shots": 1}])
    findings = [one for one in analyse(load(folder)).findings if one.kind == "chain of thought"]
    assert [one.subject for one in findings] == [
        "coin-flip, cot against answer-only",
        "coin-flip, cot-shots1 against answer-only",
    ]
    said = [one.sentence for one in findings]
    assert [sentence.split(":")[0] for sentence in said] == [
        "Chain of thought (cot against answer-only) on coin-flip, with 4 labelled examples",
        "Chain of thought (cot-shots1 against answer-only) on coin-flip, with 4 labelled examples, of which cot-shots1"
        " shows 1",
    ]
    assert ["(1 shown)" in one.short for one in findings] == [False, True]  # no two lines say the same of another


def test_steps_are_held_against_no_steps_asked_in_the_same_way(tmp_path: Path) -> None:
    folder = measured(tmp_path / "d", ["answer-only", "cot", {"prompt": "cot", "shots": 1}])
    for path in folder.glob("cells/*/cell.json"):
        held = json.loads(path.read_text())
        write_json(path, {**held, "template": "chat" if held["method"] == "cot-shots1" else "plain"})
    findings = [one for one in analyse(load(folder)).findings if one.kind == "chain of thought"]
    assert [one.subject for one in findings] == ["coin-flip"]
    assert findings[0].sentence.startswith("Chain of thought on coin-flip")


def test_a_budget_that_is_not_shown_whole_is_said_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = measured(tmp_path / "d", [{"prompt": "answer-only", "shots": 1}])
    analysis = analyse(load(folder))
    best = next(one.sentence for one in analysis.findings if one.kind == "best method")
    assert best.startswith("On coin-flip, fake with 4 labelled examples, 1 of them shown")
    assert budget_notes(to_json(analysis)["cells"]) == [
        "With 4 labelled examples, answering at once (1 shown) shows 1."
    ]
    with pytest.raises(SystemExit):
        main(["show", str(folder), "--details"])
    out = " ".join(capsys.readouterr().out.split())
    assert "4 labelled examples, 1 of them shown" in out
    assert "With 4 labelled examples, answering at once (1 shown) shows 1." in out
    whole = measured(tmp_path / "whole", ["answer-only"])
    assert all("them shown" not in one.sentence for one in analyse(load(whole)).findings if one.kind == "best method")
    assert budget_notes(to_json(analyse(load(whole)))["cells"]) == []


def test_findings_by_size_say_it_too(tmp_path: Path) -> None:
    truth = {("addition", method): shares for method, shares in
             {"answer-only": (0.05, 0.1, 0.2), "cot": (0.1, 0.5, 0.9), "cot-vote": (0.2, 0.6, 0.95)}.items()}  # fmt: skip
    folder = ladder_results(tmp_path / "d", truth, sizes=(20_000, 260_000, 3_300_000), items=60)
    for path in folder.glob("cells/*/cell.json"):
        held = json.loads(path.read_text())
        if held["method"] == "cot":
            held["ledger"][0]["ids"] = held["ledger"][0]["ids"][:1]
            write_json(path, held)
    findings = [one for one in analyse(load(folder)).findings if one.kind != "warning"]
    naming = [
        one
        for one in findings
        if "3 labelled examples" in one.sentence and re.search(r"\bcot(?!-vote)\b", one.sentence)
    ]
    assert {"crossover", "voting"} <= {one.kind for one in naming}
    unsaid = [
        one.sentence for one in naming if "1 of them shown" not in one.sentence and "cot shows 1" not in one.sentence
    ]
    assert unsaid == []


@pytest.mark.parametrize(
    ("labels", "shown", "methods", "expected"),
    [
        (0, {}, 1, "without labelled examples"),
        (1, {}, 1, "with 1 labelled example"),
        (64, {"cot": (64, 64)}, 1, "with 64 labelled examples"),
        (64, {"cot": (4, 4)}, 1, "with 64 labelled examples, 4 of them shown"),
        (64, {"cot": (60, 62)}, 1, "with 64 labelled examples, 60 to 62 of them shown"),
        (64, {"cot": (4, 4), "all": (64, 64)}, 2, "with 64 labelled examples, of which cot shows 4"),
        (9, {"a": (4, 4), "b": (4, 4)}, 2, "with 9 labelled examples, of which a and b show 4"),
        (64, {"a": (4, 4), "b": (60, 64)}, 2, "with 64 labelled examples, of which a shows 4 and b shows 60 to 64"),
    ],
)
def test_budgets_in_words(labels: int, shown: dict[str, tuple[int, int]], methods: int, expected: str) -> None:
    assert words.with_labels(labels, shown, methods) == expected
