"""Logs of inspect: which of several is read, how samples are paired, what scorers say, files that are not as it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import INSPECT, edited_log

from onset.analysis.outcomes import Outcomes, pair
from onset.cli import main
from onset.errors import DataError
from onset.read import read_measured, read_outcomes
from onset.records import content_hash

SUMS = INSPECT / "small" / "sums.json"
CREATED = "2026-11-24T18:07:53+00:00"


def log(file: Path, value: str | None = None, samples: int = 12, **evaluation: Any) -> Path:
    """The real log of twelve sums, all scored ``value``, the first ``samples`` of them; ``evaluation``: what it says."""

    def change(content: dict[str, Any]) -> None:
        for key in ("status", "plan", "results"):
            if key in evaluation:
                content[key] = evaluation.pop(key)
        content["eval"] |= evaluation
        content["samples"] = content["samples"][:samples]
        for sample in content["samples"] if value is not None else ():
            sample["scores"]["match"]["value"] = value

    return edited_log(SUMS, file, change)


def scores(path: Path, metric: str = "match") -> list[Outcomes]:
    return [one for one in read_outcomes(path) if one.metric == metric]


# ----------------------------------------------------------------------------------------------------- which is read


@pytest.mark.parametrize("status", ["cancelled", "error"])
@pytest.mark.parametrize("samples", [2, 0])
def test_an_unfinished_log_does_not_take_the_place_of_a_finished_one(status: str, samples: int, tmp_path: Path) -> None:
    log(tmp_path / "a.json", "C")
    log(tmp_path / "b.json", "I", samples, status=status, results=None, created="2026-11-25T10:00:00+00:00")
    (found,) = scores(tmp_path)
    assert found.accuracy == 1.0
    assert found.notes == (
        f"sums: of 2 logs one was read ({CREATED}, 12 samples) that is not the latest"
        f" (2026-11-25T10:00:00+00:00, {samples} samples, {status})",
    )


def test_times_are_compared_as_times(tmp_path: Path) -> None:
    log(tmp_path / "a.json", "C", created="2026-01-01T23:30:00+00:00")
    log(tmp_path / "b.json", "I", created="2026-01-02T00:30:00+02:00")
    (found,) = scores(tmp_path)
    assert (found.accuracy, found.notes) == (1.0, ("sums: of 2 logs the latest was read (2026-01-01T23:30:00+00:00)",))
    log(tmp_path / "b.json", "I", created="yesterday")
    with pytest.raises(DataError) as caught:
        read_outcomes(tmp_path)
    file = tmp_path / "b.json"
    assert str(caught.value) == f"{file}: expected a date and time as eval.created, found 'yesterday'"


def test_logs_of_other_settings_are_other_methods(tmp_path: Path) -> None:
    def plan(template: str) -> dict[str, Any]:
        return {"steps": [{"solver": "prompt_template", "params": {"template": template}}, {"solver": "generate"}]}

    log(tmp_path / "a.json", "C", model_generate_config={"reasoning_effort": "high", "max_retries": 3})
    log(tmp_path / "b.json", "I", model_generate_config={"reasoning_effort": "low"})
    log(tmp_path / "other.json", "C", model="mockllm/large", model_generate_config={"reasoning_effort": "low"})
    log(tmp_path / "c.json", "C", plan=plan("A"))
    log(tmp_path / "d.json", "I", plan=plan("B" * 100))
    found = {(one.model, one.method): one.accuracy for one in read_measured(tmp_path, metric="match").outcomes}
    asked = "prompt_template, generate, prompt_template.template="
    assert found == {
        ("mockllm/small", "generate, reasoning_effort=high"): 1.0,
        ("mockllm/small", "generate, reasoning_effort=low"): 0.0,
        ("mockllm/large", "generate, reasoning_effort=low"): 1.0,
        ("mockllm/small", f"{asked}A"): 1.0,
        ("mockllm/small", f"{asked}{content_hash('B' * 100)[:8]}"): 0.0,
    }
    assert {one.method for one in scores(tmp_path / "a.json")} == {"generate"}


def test_a_cancelled_log_says_how_many_of_its_samples_it_has(tmp_path: Path) -> None:
    file = log(tmp_path / "a.json", "C", 3, status="cancelled", results=None)
    notes = ("sums: the log's status is cancelled", "sums: 3 of 12 samples are in the log")
    assert scores(file)[0].notes == notes
    file = log(tmp_path / "a.json", "C", 3, status="cancelled", results=None, dataset={"samples": 50})
    assert scores(file)[0].notes[1] == "sums: 3 of 50 samples are in the log"


# ------------------------------------------------------------------------------------------------------------ samples


def test_samples_that_ask_the_same_are_paired_by_their_id(tmp_path: Path) -> None:
    def same(content: dict[str, Any]) -> None:
        for sample in content["samples"]:
            sample |= {"input": "Solve the task.", "target": f"{sample['id']}"}
            sample["scores"]["match"]["value"] = "C" if sample["id"] < 6 else "I"

    def fewer(content: dict[str, Any]) -> None:
        same(content)
        del content["samples"][0]

    (whole,) = scores(edited_log(SUMS, tmp_path / "a.json", same))
    (part,) = scores(edited_log(SUMS, tmp_path / "b.json", fewer))
    assert set(part.items) == set(whole.items[1:])
    targets = dict(zip(whole.items, whole.targets, strict=True))
    assert part.targets == tuple(targets[item] for item in part.items)
    both = pair(whole, part, ("a", "b"))
    assert np.array_equal(both.plus[:, 1:], both.minus[:, 1:])


def test_a_scorer_that_names_no_answer_does_not_say_that_there_was_none(tmp_path: Path) -> None:
    def silent(content: dict[str, Any]) -> None:
        for sample in content["samples"]:
            del sample["scores"]["match"]["answer"]

    file = edited_log(SUMS, tmp_path / "a.json", silent)
    assert scores(file)[0].parse_rate is None
    rate = scores(SUMS)[0].parse_rate
    assert rate is not None
    assert 0 < rate < 1
    assert scores(file, "exact")[0].parse_rate == scores(SUMS, "exact")[0].parse_rate


def test_the_keys_of_a_score_are_metrics(tmp_path: Path) -> None:
    def graded(content: dict[str, Any]) -> None:
        for sample in content["samples"]:
            sample["scores"]["rubric"] = {"value": {"helpful": "C", "harmless": 0.5}}
            sample["scores"]["words"] = {"value": ["a", "b"]}

    found = read_outcomes(edited_log(SUMS, tmp_path / "a.json", graded))
    assert {one.metric: one.accuracy for one in found if "/" in one.metric} == {
        "rubric/helpful": 1.0,
        "rubric/harmless": 0.5,
    }
    assert {one.notes for one in found} == {("sums: words gives no number for any sample and is left out",)}


# -------------------------------------------------------------------------------------------------------- what is not


@pytest.mark.parametrize(
    ("where", "wrong", "message"),
    [
        ("sample", {"epoch": None}, "expected a whole number as samples[0].epoch, found null"),
        ("sample", {"epoch": "a"}, 'expected a whole number as samples[0].epoch, found "a"'),
        ("sample", {"scores": [1]}, "expected an object or null as samples[0].scores, found a list"),
        ("sample", {"choices": 3}, "expected a list or null as samples[0].choices, found 3"),
        ("sample", {"attachments": [1]}, "expected an object or null as samples[0].attachments, found a list"),
        ("sample", {"target": [0.5]}, "expected a text or a whole number as samples[0].target[0], found 0.5"),
        ("sample", {"output": "x"}, 'expected an object or null as samples[0].output, found "x"'),
        ("log", {"samples": [1, 2]}, "expected an object as samples[0], found 1"),
        ("log", {"plan": [1]}, "expected an object or null as plan, found a list"),
        ("log", {"results": [1]}, "expected an object or null as results, found a list"),
        ("eval", {"metadata": [1]}, "expected an object or null as eval.metadata, found a list"),
    ],
)
def test_logs_that_are_not_as_inspect_writes_them(
    where: str, wrong: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(content: dict[str, Any]) -> None:
        {"sample": content["samples"][0], "log": content, "eval": content["eval"]}[where].update(wrong)

    file = edited_log(SUMS, tmp_path / "a.json", change)
    with pytest.raises(SystemExit) as end:
        main(["show", str(file)])
    assert end.value.code == 2
    assert capsys.readouterr().err == f"onset: {file}: {message}\n"
