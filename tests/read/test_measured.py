"""Other tools' results as what a report is made of: which score, each setting once, and null for what is not known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from foreign import INSPECT, LM_EVAL, copied, edited_log, harness_run, restated
from scipy import stats
from synthetic import synthetic_results

from onset.analysis.outcomes import Outcomes
from onset.errors import DataError
from onset.read import read_measured
from onset.results.format import CELL_SCHEMA, RECORD_SCHEMA
from onset.results.read import load

RIGHT = [place % 3 > 0 for place in range(60)]


def refused(what: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        what()
    return str(caught.value)


def told(rung: str) -> dict[str, Any]:
    (file,) = (LM_EVAL / rung).glob("results_*.json")
    return dict(json.loads(file.read_text())["results"])


# ------------------------------------------------------------------------------------------------------------- tables


def test_cells_of_lm_eval_have_the_scores_of_its_results_files_and_null_for_what_it_does_not_say() -> None:
    found = read_measured(LM_EVAL)
    assert found.foreign
    assert found.study == {"name": "lm_eval"}
    assert found.cells.schema == pl.Schema(CELL_SCHEMA)
    cells = {(cell["model"], cell["task"]): cell for cell in found.cells.to_dicts()}
    assert len(cells) == 4
    for (model, task), cell in cells.items():
        score = "acc,none" if task == "world_facts" else "exact_match,strict-match"
        assert cell["accuracy"] == pytest.approx(told(model)[task][score])
        interval = stats.binomtest(cell["correct"], cell["n"]).proportion_ci(method="wilson")
        assert (cell["low"], cell["high"]) == pytest.approx((interval.low, interval.high))
        assert cell["method"] == "0-shot"
        assert cell["params"] == {"r2": 132432, "r4": 652320}[model]
        unknown = ("labels", "tokens", "flops", "seconds", "plan_hash", "demonstrations", "tune", "overlong")
        assert [cell[name] for name in unknown] == [None] * len(unknown)
    assert "world_steps: filter strict-match was used, not flexible-extract (choose with --filter)" in found.notes


def test_records_hold_what_was_asked_and_answered_where_texts_are_wanted() -> None:
    assert not len(read_measured(LM_EVAL).records)
    found = read_measured(LM_EVAL, texts=True)
    assert found.records.schema == pl.Schema({"cell": pl.String, **RECORD_SCHEMA})
    names = {cell["cell"]: (cell["model"], cell["task"]) for cell in found.cells.to_dicts()}
    rows = {name: [row for row in found.records.to_dicts() if names[row["cell"]] == name] for name in names.values()}
    for (model, task), held in rows.items():
        (file,) = (LM_EVAL / model).glob(f"samples_{task}_*.jsonl")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        lines = [line for line in lines if line["filter"] in ("none", "strict-match")]
        assert [row["question"] for row in held] == [line["doc"]["question"] for line in lines]
        assert [row["prompt"] for row in held] == [line["arguments"]["gen_args_0"]["arg_0"] for line in lines]
        key = "acc" if task == "world_facts" else "exact_match"
        assert [row["correct"] for row in held] == [line[key] == 1 for line in lines]
        if task == "world_facts":
            # the answer shown is right exactly where the harness counts it
            assert [row["answer"] == row["gold"] for row in held] == [row["correct"] for row in held]
            assert {row["gold"] for row in held} <= {one for line in lines for one in line["doc"]["choices"]}
        else:
            assert [row["outputs"] for row in held] == [line["resps"][0] for line in lines]
            assert all(row["answer"] == row["gold"] for row in held if row["correct"])


def test_samples_of_earlier_versions_have_their_prompts_in_lists(tmp_path: Path) -> None:
    folder = harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    (file,) = folder.glob("samples_*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    asked = [[list(one.values()) for one in row["arguments"].values()] for row in rows]
    bare = [{**row, "arguments": lists, "doc": {"id": 1}} for row, lists in zip(rows, asked, strict=True)]
    file.write_text("\n".join(map(json.dumps, bare)))
    records = read_measured(folder, texts=True).records
    assert records["prompt"].to_list() == [lists[0][0] for lists in asked]
    # a document that does not call its question anything: the last paragraph of the prompt
    assert records["question"].to_list() == [lists[0][0].rpartition("\n\n")[2] for lists in asked]


def test_epochs_of_inspect_are_draws_and_its_solvers_the_method() -> None:
    found = read_measured(INSPECT, texts=True)
    cells = {(cell["task"], cell["model"], cell["seed"]): cell for cell in found.cells.to_dicts()}
    assert sorted(seed for task, model, seed in cells if task == "colours" and model == "mockllm/small") == [1, 2]
    assert {cell["method"] for cell in cells.values()} == {"multiple_choice", "generate"}
    log = json.loads((INSPECT / "small" / "sums.json").read_text())
    sums = cells["sums", "mockllm/small", 1]
    assert sums["accuracy"] == pytest.approx(log["results"]["scores"][0]["metrics"]["accuracy"]["value"])
    rows = [row for row in found.records.to_dicts() if row["cell"] == sums["cell"]]
    assert [row["outputs"] for row in rows] == [[sample["output"]["completion"]] for sample in log["samples"]]
    assert [row["question"] for row in rows] == [sample["input"] for sample in log["samples"]]
    assert [row["gold"] for row in rows] == [sample["target"] for sample in log["samples"]]


def test_json_lines_that_do_not_say_how_they_were_asked(tmp_path: Path) -> None:
    rows = [{"model": "m", "question": f"{n}?", "prediction": "x", "correct": n > 2} for n in range(8)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = read_measured(file, texts=True)
    (cell,) = found.cells.to_dicts()
    assert (cell["method"], cell["labels"], cell["correct"], cell["n"]) == ("as asked", None, 5, 8)
    assert found.records["question"].to_list() == [row["question"] for row in rows]
    assert found.study["name"] == "rows"


# ----------------------------------------------------------------------------------------------------- what is chosen


def test_a_metric_that_is_not_right_or_wrong_is_a_score_and_no_accuracy(tmp_path: Path) -> None:
    harness_run(tmp_path / "a", "a", 10**6, RIGHT)
    (file,) = (tmp_path / "a").glob("samples_*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    soft = [row | {"acc": 0.5 if row["doc_id"] == 7 else row["acc"]} for row in rows]
    file.write_text("\n".join(map(json.dumps, soft)))
    restated(*(tmp_path / "a").glob("results_*.json"), file)
    found = read_measured(tmp_path)
    assert [one.metric for one in found.outcomes] == ["acc_norm"]
    assert [(one.metric, one.accuracy) for one in found.scores] == [("acc", pytest.approx((40 - 0.5) / 60))]
    file.write_text("\n".join(json.dumps(row | {"metrics": ["acc"]}) for row in soft))
    bare = read_measured(tmp_path)
    assert (bare.outcomes, [one.metric for one in bare.scores]) == ((), ["acc"])
    assert [one.metric for one in bare.stated] == ["acc_norm"]
    assert not len(bare.cells)
    assert refused(lambda: read_measured(LM_EVAL, metric="f1")) == (
        f"{LM_EVAL}: no metric 'f1' to show (metrics found: acc, acc_norm, exact_match)"
    )


def test_all_runs_of_a_task_are_read_by_the_metric_that_they_share(tmp_path: Path) -> None:
    for name in "ab":
        harness_run(tmp_path / name, name, 10**6, RIGHT)
    (file,) = (tmp_path / "b").glob("samples_*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("\n".join(json.dumps(row | {"metrics": ["acc_norm"]}) for row in rows))
    assert {one.metric for one in read_measured(tmp_path).outcomes} == {"acc_norm"}


def test_runs_with_other_numbers_of_examples_are_other_methods(tmp_path: Path) -> None:
    harness_run(tmp_path, "a", 10**6, RIGHT, shots=0)
    harness_run(tmp_path, "a", 10**6, [not one for one in RIGHT], shots=5, date="2026-11-25")
    found = {one.method: one.accuracy for one in read_measured(tmp_path).outcomes}
    assert found == {"0-shot": pytest.approx(2 / 3), "5-shot": pytest.approx(1 / 3)}


def test_the_same_setting_twice_is_refused(tmp_path: Path) -> None:
    for name in ("first", "second"):
        harness_run(tmp_path / name, "a", 10**6, RIGHT)
    message = refused(lambda: read_measured(tmp_path))
    assert message.startswith("world_facts by a 0-shot is there more than once: ")
    assert message.endswith("; name one of them")


def test_items_with_another_right_answer_in_another_run_are_left_out(tmp_path: Path) -> None:
    for name in "ab":
        harness_run(tmp_path / name, name, 10**6, RIGHT)
    (file,) = (tmp_path / "b").glob("samples_*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[4]["target_hash"] = rows[9]["target_hash"] = "f" * 64
    file.write_text("\n".join(map(json.dumps, rows)))
    found = read_measured(tmp_path)
    assert [one.values.shape for one in found.outcomes] == [(1, 58), (1, 58)]
    assert "world_facts: 2 items with another right answer in another run left out" in found.notes


def test_of_two_logs_of_one_task_the_latest_is_read(tmp_path: Path) -> None:
    def later(log: dict[str, Any]) -> None:
        log["eval"]["created"] = "2026-11-25T10:00:00+00:00"
        for sample in log["samples"]:
            sample["scores"]["match"]["value"] = "C"

    first = copied(INSPECT / "small", tmp_path / "logs") / "sums.json"
    edited_log(first, tmp_path / "logs" / "again.json", later)
    (sums,) = (one for one in read_measured(tmp_path).outcomes if one.task == "sums")
    assert sums.accuracy == 1.0
    assert "sums: of 2 logs the latest was read (2026-11-25T10:00:00+00:00)" in sums.notes


def test_outcomes_without_a_score_do_not_count(tmp_path: Path) -> None:
    def unscored(log: dict[str, Any]) -> None:
        for sample in log["samples"][:3]:
            sample["scores"] = {}

    edited_log(INSPECT / "small" / "sums.json", tmp_path / "sums.json", unscored)
    found = read_measured(tmp_path)
    (cell,) = found.cells.to_dicts()
    assert cell["n"] == 9
    assert "sums, mockllm/small: 3 of 12 outcomes have no score and do not count" in found.notes


def test_an_own_folder_is_taken_as_it_is_and_says_itself_what_other_tools_do_not(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path / "own", seeds=2, items=20)
    found, results = read_measured(folder), load(folder, prompts=False)
    assert found.cells.equals(results.cells)
    assert found.records.equals(results.records)
    assert not found.foreign
    assert all(isinstance(one, Outcomes) for one in found.outcomes)
    assert refused(lambda: read_measured(folder, params={"tiny": 5.0}, grade_as="gsm8k")) == (
        f"{folder}: --params and --grade-as: for results of other tools; a results folder of Onset says it itself"
    )
