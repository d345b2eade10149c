"""Reading what other tools write (real files, tests/fixtures), and writing what they read."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import shared
from foreign import restated
from synthetic import synthetic_results

from onset.analysis.curves.series import SizePoint, curves_of
from onset.analysis.outcomes import Measure, Outputs
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.setting import Setting
from onset.analysis.stats.counting import variance
from onset.errors import DataError, StoreError, UnknownName
from onset.read import Outcomes, read_outcomes, read_points
from onset.read.detect import KNOWN
from onset.results.read import load
from onset.write.base import export

FIXTURES = Path(__file__).parents[1] / "fixtures"
LM_EVAL, INSPECT = FIXTURES / "lm_eval", FIXTURES / "inspect"


def results_of(rung: str) -> dict[str, Any]:
    (file,) = (LM_EVAL / rung).glob("results_*.json")
    return dict(json.loads(file.read_text()))


def samples_of(rung: str, task: str) -> tuple[Path, list[dict[str, Any]]]:
    (file,) = (LM_EVAL / rung).glob(f"samples_{task}_*.jsonl")
    return file, [json.loads(line) for line in file.read_text().splitlines()]


def one(outcomes: tuple[Outcomes, ...], task: str, metric: str, filter: str = "none") -> Outcomes:
    (found,) = [o for o in outcomes if (o.task, o.metric, o.filter) == (task, metric, filter)]
    return found


def refused(what: Callable[[], object], error: type[Exception] = DataError) -> str:
    with pytest.raises(error) as caught:
        what()
    return str(caught.value)


# ----------------------------------------------------------------------------------------------------------- lm-eval


@pytest.mark.parametrize("rung", ["r2", "r4"])
def test_lm_eval_scores_are_those_of_its_results_file(rung: str) -> None:
    outcomes, told = read_outcomes(LM_EVAL / rung), results_of(rung)
    scores = {f"{o.metric},{o.filter}": o.values.mean() for o in outcomes}
    expected = {
        key: value
        for row in told["results"].values()
        for key, value in row.items()
        if "," in key and "stderr" not in key
    }
    assert scores == pytest.approx(expected)
    assert {o.params for o in outcomes} == {told["config"]["model_num_parameters"]}
    assert {o.model for o in outcomes} == {rung}
    assert {o.version for o in outcomes} == {"1.0"}


def test_lm_eval_items_are_keyed_by_document_in_order_of_doc_id() -> None:
    file, lines = samples_of("r2", "world_steps")
    steps = one(read_outcomes(LM_EVAL / "r2"), "world_steps", "exact_match", "strict-match")
    strict = sorted((line for line in lines if line["filter"] == "strict-match"), key=lambda line: line["doc_id"])
    # documents 20 and 21 are copies: both count, the second under a key of its own
    assert strict[20]["doc_hash"] == strict[21]["doc_hash"]
    keys = [line["doc_hash"] for line in strict]
    keys[21] += "#2"
    assert list(steps.items) == keys
    assert list(steps.values[0]) == [line["exact_match"] for line in strict]
    assert list(steps.targets) == [line["target_hash"] for line in strict]
    assert list(steps.outputs.prompts[0]) == [line["prompt_hash"] for line in strict]
    assert list(steps.outputs.statuses[0]) == [
        "none" if line["filtered_resps"] == ["[invalid]"] else "ok" for line in strict
    ]
    assert steps.parse_rate == 0.64
    assert steps.notes == ("world_steps: 1 of 25 documents are copies of another and count too",)
    assert one(read_outcomes(file), "world_steps", "exact_match", "strict-match").items == steps.items


def test_lm_eval_gold_choice_scores_agree_with_its_accuracy() -> None:
    facts = one(read_outcomes(LM_EVAL / "r2"), "world_facts", "acc")
    _, lines = samples_of("r2", "world_facts")
    for place, line in enumerate(lines):
        logprobs = np.array([float(answer[0]) for answer in line["filtered_resps"]])
        gold = int(line["target"])
        assert facts.outputs.scores["gold_logprob"][0, place] == logprobs[gold]
        assert facts.outputs.scores["gold_prob"][0, place] == pytest.approx(
            np.exp(logprobs[gold]) / np.exp(logprobs).sum()
        )
        assert facts.values[0, place] == (logprobs.argmax() == gold)
    assert facts.chance == 0.25


def edited(folder: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Path:
    """A copy of a real run whose samples of world_steps are changed."""
    shutil.copytree(LM_EVAL / "r2", folder)
    (file,) = folder.glob("samples_world_steps_*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))
    return folder


def test_lm_eval_lines_that_say_the_same_count_once_and_are_told(tmp_path: Path) -> None:
    folder = edited(tmp_path / "run", lambda lines: [*lines[::-1], *lines[:3]])
    steps = one(read_outcomes(folder), "world_steps", "exact_match", "strict-match")
    assert steps.items == one(read_outcomes(LM_EVAL / "r2"), "world_steps", "exact_match", "strict-match").items
    assert "world_steps: 3 repeated lines counted once" in steps.notes


def test_lm_eval_lines_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*lines, {**lines[0], "exact_match": 1 - lines[0]["exact_match"]}]

    folder = edited(tmp_path / "run", change)
    (file,) = folder.glob("samples_world_steps_*.jsonl")
    message = f"{file}, line 51: document 0 is there twice with different outcomes"
    assert refused(lambda: read_outcomes(folder)) == message


def test_lm_eval_documents_without_a_hash_get_the_one_of_later_versions(tmp_path: Path) -> None:
    folder = edited(
        tmp_path / "run", lambda lines: [{k: v for k, v in line.items() if k != "doc_hash"} for line in lines]
    )
    steps = one(read_outcomes(folder), "world_steps", "exact_match", "strict-match")
    assert steps.items == one(read_outcomes(LM_EVAL / "r2"), "world_steps", "exact_match", "strict-match").items
    assert "world_steps: 50 lines without doc_hash, which was computed" in steps.notes


def test_lm_eval_a_document_without_the_metric_stays_as_not_measured(tmp_path: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**line, "exact_match": None} if line["doc_id"] == 3 else line for line in lines]

    folder = edited(tmp_path / "run", change)
    restated(*folder.glob("results_*.json"), *folder.glob("samples_world_steps_*.jsonl"), "world_steps")
    steps = one(read_outcomes(folder), "world_steps", "exact_match", "strict-match")
    assert np.isnan(steps.values[0, 3])
    assert len(steps.items) == 25
    told: list[str] = []
    points = read_points(tmp_path / "run", only="world_steps", note=told.append)
    assert [point.n for point in points] == [24]
    assert "world_steps, 0-shot, r2, exact_match: 1 of 25 outcomes are not measured" in told


def test_lm_eval_the_latest_of_two_runs_is_read_and_told(tmp_path: Path) -> None:
    folder = edited(tmp_path / "run", lambda lines: [{**line, "exact_match": 0.0} for line in lines])
    (steps,) = folder.glob("samples_world_steps_*.jsonl")
    steps.rename(folder / "samples_world_steps_2020-01-01T00-00-00.000000.jsonl")
    shutil.copytree(LM_EVAL / "r2", folder, dirs_exist_ok=True)
    read = one(read_outcomes(folder), "world_steps", "exact_match", "strict-match")
    assert read.values.mean() == 0.4
    date = "2026-11-24T18-08-52.335607"
    assert read.notes[0] == f"world_steps: of 2 runs the latest was read ({date})"


def test_lm_eval_without_samples_gives_scores_to_curves_and_none_to_comparisons(tmp_path: Path) -> None:
    for rung in ("r2", "r4"):
        (file,) = (LM_EVAL / rung).glob("results_*.json")
        (tmp_path / rung).mkdir()
        shutil.copy(file, tmp_path / rung)
    message = f"{tmp_path}: no per-item results (samples_*.jsonl): run lm-eval with --log_samples"
    assert refused(lambda: read_outcomes(tmp_path)) == message
    told: list[str] = []
    points = read_points(tmp_path, family="ladder", note=told.append)
    assert [(p.curve, p.model, p.metric, p.n, round(p.score or 0, 4), round(p.stderr or 0, 4)) for p in points] == [
        ("world_steps, 0-shot", "r2", "exact_match,strict-match", None, 0.4, 0.1),
        ("world_facts, 0-shot", "r2", "acc", None, 0.8333, 0.0777),
        ("world_steps, 0-shot", "r4", "exact_match,strict-match", None, 0.52, 0.102),
        ("world_facts, 0-shot", "r4", "acc", None, 1.0, 0.0),
    ]
    assert told[0] == (
        f"{tmp_path}: no samples of world_steps, world_facts, so scores and their standard errors are read, not counts"
    )


def test_lm_eval_a_task_without_samples_is_told_and_keeps_its_score(tmp_path: Path) -> None:
    shutil.copytree(LM_EVAL / "r2", tmp_path / "run")
    (file,) = (tmp_path / "run").glob("samples_world_steps_*.jsonl")
    file.unlink()
    outcomes = read_outcomes(tmp_path / "run")
    assert {o.task for o in outcomes} == {"world_facts"}
    assert outcomes[0].notes == ("world_steps: no samples file, so no per-item results",)
    points = [p for p in read_points(tmp_path / "run") if not p.continuous]
    assert [(p.curve, p.n, p.score) for p in points] == [
        ("world_steps, 0-shot", None, 0.4),
        ("world_facts, 0-shot", 24, None),
    ]
    assert [p.curve for p in read_points(tmp_path / "run", only="world_steps")] == ["world_steps, 0-shot"]


def test_the_same_run_from_two_places_is_refused(tmp_path: Path) -> None:
    shutil.copytree(LM_EVAL / "r2", tmp_path / "again")
    first, second = (str(next(one.glob("samples_world_steps_*.jsonl"))) for one in (LM_EVAL / "r2", tmp_path / "again"))
    assert refused(lambda: read_points([LM_EVAL / "r2", tmp_path / "again"], only="world_steps")) == (
        f"world_steps, 0-shot by r2 is there more than once: {first} and {second}; name one of them (a table tells"
        " models apart by the columns model and seed)"
    )


def test_points_that_are_not_there_are_said() -> None:
    message = f"{LM_EVAL}: no points found of task 'gsm8k'"
    assert refused(lambda: read_points(LM_EVAL, only="gsm8k")) == message
    (file,) = (LM_EVAL / "r2").glob("samples_world_facts_*.jsonl")
    assert {p.curve for p in read_points(file)} == {"world_facts, 0-shot"}
    message = "r2, world_facts: no metric 'f1': it has acc, acc_norm, gold_logprob, gold_prob"
    assert refused(lambda: read_points(file, metric="f1")) == message


def test_lm_eval_curves_have_counts_and_continuous_twins() -> None:
    told: list[str] = []
    points = read_points([LM_EVAL / "r4", LM_EVAL / "r2"], family="ladder", note=told.append)
    curves = {(c.curve, c.metric): c for c in curves_of(points)}
    assert set(curves) == {
        ("world_steps, 0-shot", "exact_match,strict-match"),
        ("world_facts, 0-shot", "acc"),
        ("world_facts, 0-shot", "gold_logprob"),
        ("world_facts, 0-shot", "gold_prob"),
    }
    acc = curves["world_facts, 0-shot", "acc"].points
    assert [(p.x, p.n, p.correct, p.chance) for p in acc] == [(132432.0, 24, 20, 0.25), (652320.0, 24, 24, 0.25)]
    (small, _) = curves["world_facts, 0-shot", "gold_logprob"].points
    facts = one(read_outcomes(LM_EVAL / "r2"), "world_facts", "acc").outputs.scores["gold_logprob"][0]
    assert small.continuous
    assert small.score == pytest.approx(facts.mean())
    assert small.stderr == pytest.approx(facts.std(ddof=1) / len(facts) ** 0.5)
    assert "world_steps: filter strict-match was used, not flexible-extract (choose with --filter)" in told


def test_lm_eval_a_filter_can_be_chosen_and_a_family_follows_from_the_name() -> None:
    points = read_points(LM_EVAL, only="world_steps", filter="flexible-extract")
    assert [(p.metric, p.correct, p.n) for p in points] == [
        ("exact_match,flexible-extract", 17, 25),
        ("exact_match,flexible-extract", 18, 25),
    ]
    assert [p.family for p in points] == ["r2", "r4"]


def test_a_size_nobody_knows_is_a_named_error_and_can_be_given(tmp_path: Path) -> None:
    shutil.copytree(LM_EVAL / "r2", tmp_path / "run")
    (file,) = (tmp_path / "run").glob("results_*.json")
    content = json.loads(file.read_text())
    content["config"]["model_num_parameters"] = None
    content["model_name"] = "EleutherAI/pythia-70m"
    file.write_text(json.dumps(content))
    (samples,) = (tmp_path / "run").glob("samples_world_facts_*.jsonl")
    message = (
        f"{samples}: the size of model 'EleutherAI/pythia-70m' is unknown: give it"
        " (--params EleutherAI/pythia-70m=7e9, or a column params)"
    )
    assert refused(lambda: read_points(tmp_path / "run")) == message
    points = read_points(tmp_path / "run", params={"EleutherAI/pythia-70m": 7e7})
    assert {(p.x, p.family) for p in points} == {(7e7, "EleutherAI/pythia")}


# ----------------------------------------------------------------------------------------------------------- inspect


@pytest.mark.parametrize(
    ("file", "metric", "score"),
    [
        ("small/sums.json", "match", 7 / 12),
        ("small/sums.json", "exact", 1 / 12),
        ("large/sums.eval", "match", 10 / 12),
        ("small/colours.eval", "choice", 8 / 12),
        ("large/colours.json", "choice", 10 / 12),
    ],
)
def test_inspect_scores_are_those_of_its_log(file: str, metric: str, score: float) -> None:
    outcomes = read_outcomes(INSPECT / file)
    (read,) = [o for o in outcomes if o.metric == metric]
    assert read.values.mean() == pytest.approx(score)
    assert read.values.shape == ((2, 6) if "colours" in file else (1, 12))  # epochs are draws
    assert read.model == f"mockllm/{file.split('/', maxsplit=1)[0]}"
    assert read.params == {"small": 1e6, "large": 8e6}[file.split("/", maxsplit=1)[0]]
    assert read.chance == (0.25 if "colours" in file else None)


def test_inspect_items_of_both_formats_have_the_same_keys() -> None:
    for task in ("sums", "colours"):
        small, large = (read_outcomes(INSPECT / side, only=task) for side in ("small", "large"))
        assert small[0].items == large[0].items
        assert small[0].targets == large[0].targets
    assert [o.version for o in read_outcomes(INSPECT / "small", only="sums")] == ["2", "2"]


def log(**changes: Any) -> dict[str, Any]:
    (held,) = INSPECT.glob("small/sums.json")
    return {**json.loads(held.read_text()), **changes}


def test_inspect_a_sample_that_failed_is_not_measured_and_told(tmp_path: Path) -> None:
    content = log(status="error", unheard_of={"a": 1})
    content["samples"][4]["scores"] = None
    content["samples"][5]["scores"]["match"]["value"] = "P"
    content["samples"][6]["scores"]["match"]["value"] = True
    (tmp_path / "log.json").write_text(json.dumps(content))
    read = one(read_outcomes(tmp_path / "log.json"), "sums", "match")
    assert np.isnan(read.values[0, 4])
    assert list(read.values[0, 5:7]) == [0.5, 1.0]
    assert read.notes == ("sums: the log's status is error", "sums: 1 of 12 samples have no score")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (log(version=1), "{file}: inspect log of version 1; this Onset reads 2"),
        (log(samples=None), "{file}: the log holds no samples; run inspect with log_samples"),
        ({"version": 2}, "{file}: not a known format: expected " + KNOWN),
        ([1], "{file}: not a known format: expected " + KNOWN),
    ],
)
def test_inspect_logs_that_cannot_be_read(tmp_path: Path, content: Any, message: str) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps(content))
    assert refused(lambda: read_outcomes(file)) == message.format(file=file)


def test_inspect_archives_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "log.eval"
    file.write_bytes(b"no archive")
    assert refused(lambda: read_outcomes(file)) == (
        f"{file}: expected an inspect log (.eval, a ZIP file), found another kind of file"
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    assert refused(lambda: read_outcomes(file)) == f"{file}: the log is not finished: it holds no header.json"
    whole = bytearray((INSPECT / "large" / "sums.eval").read_bytes())
    with zipfile.ZipFile(INSPECT / "large" / "sums.eval") as archive:
        info = archive.getinfo("header.json")
    assert info.compress_type == 93  # Zstandard, as the tool writes it today
    start = info.header_offset + 30 + len("header.json")
    whole[start + 60 : start + 80] = bytes(20)
    file.write_bytes(whole)
    assert refused(lambda: read_outcomes(file)).startswith(f"{file}: damaged, ")


def test_inspect_archives_without_zstandard_are_read_too(tmp_path: Path) -> None:
    content = log()
    with zipfile.ZipFile(tmp_path / "old.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({key: content[key] for key in content if key != "samples"}))
        for sample in content["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    old, new = read_outcomes(tmp_path / "old.eval"), read_outcomes(INSPECT / "small" / "sums.json")
    assert [list(o.values[0]) for o in old] == [list(o.values[0]) for o in new]
    assert [o.items for o in old] == [o.items for o in new]


# ------------------------------------------------------------------------------------------------------------- texts

ROWS = [
    {"task": "navigate", "index": 0, "prediction": "So the answer is No.", "target": "No"},
    {"task": "navigate", "index": 1, "prediction": "So the answer is Yes.", "target": "No"},
    {"task": "snarks", "index": 0, "prediction": "no idea", "target": "(A)", "model": "codex"},
]


def written(file: Path, rows: list[Any]) -> Path:
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return file


def test_texts_are_graded_by_the_task_and_grouped_by_subtask(tmp_path: Path) -> None:
    first, second = read_outcomes(written(tmp_path / "cot.jsonl", ROWS), grade_as="bbh")
    assert (first.task, first.model, list(first.values[0])) == ("bbh/navigate", "cot", [1.0, 0.0])
    assert (second.task, second.model, list(second.values[0])) == ("bbh/snarks", "codex", [0.0])
    assert second.outputs.statuses == (("none",),)
    (only,) = read_outcomes(tmp_path / "cot.jsonl", grade_as="bbh/navigate")
    assert only.task == "bbh/navigate"


def test_texts_are_paired_by_index_then_question_then_line(tmp_path: Path) -> None:
    row = {"prediction": "The answer is 1.", "target": "1"}
    index, question, line = ({**row, **more} for more in ({"index": 5, "question": "a"}, {"question": "a"}, {}))
    keys = [
        read_outcomes(written(tmp_path / "a.jsonl", [one]), grade_as="number")[0].items[0] for one in (index, question)
    ]
    again = [{**index, "question": "another way"}, {**question, "prediction": "2"}]
    assert keys == [read_outcomes(written(tmp_path / "b.jsonl", [one]), grade_as="number")[0].items[0] for one in again]
    (read,) = read_outcomes(written(tmp_path / "c.jsonl", [line, line]), grade_as="number")
    assert len(set(read.items)) == 2
    assert read.notes == ("number: rows without index and question are paired by their line",)
    (read,) = read_outcomes(written(tmp_path / "c.jsonl", [index, index]), grade_as="number")
    assert len(set(read.items)) == 2
    assert read.notes == ("number: 1 rows have the key of an earlier row and count too",)


def test_rows_that_say_what_they_are_worth_need_no_task(tmp_path: Path) -> None:
    rows = [{"task": "t", "index": 0, "correct": True}, {"task": "t", "index": 1, "correct": False}]
    (read,) = read_outcomes(written(tmp_path / "m.jsonl", rows))
    assert (read.metric, list(read.values[0])) == ("exact_match", [1.0, 0.0])
    (read,) = read_outcomes(written(tmp_path / "m.jsonl", [{"index": 0, "score": 0.25, "params": 7e9}]))
    assert (read.metric, read.task, read.params, read.values[0, 0]) == ("score", "m", 7e9, 0.25)


def test_rows_of_one_model_say_one_size(tmp_path: Path) -> None:
    rows: list[Any] = [{"model": "m", "task": f"t{n}", "index": n, "correct": True} for n in range(3)]
    file = written(tmp_path / "rows.jsonl", [rows[0], rows[1] | {"params": 1e6, "family": "f"}, rows[2]])
    assert {(one.params, one.family) for one in read_outcomes(file)} == {(1e6, "f")}
    written(file, [rows[0] | {"params": 1e6}, rows[1] | {"params": 7e9}])
    assert refused(lambda: read_outcomes(file)) == (
        f"{file}, line 2: params of model 'm' is 7000000000.0, in line 1 it is 1000000.0: models that differ need"
        " names that differ (key 'model')"
    )
    written(file, [rows[0] | {"family": "f"}, rows[1] | {"family": "g"}])
    assert refused(lambda: read_outcomes(file)) == (
        f"{file}, line 2: family of model 'm' is g, in line 1 it is f: models that differ need names that differ (key"
        " 'model')"
    )


@pytest.mark.parametrize(
    ("rows", "task", "message"),
    [
        (ROWS, None, "{file}, line 1: the row does not say 'correct' or 'score': name the task whose extractor grades it (--grade-as gsm8k, --grade-as bbh, or one of number, choice, text, open)"),
        ([*ROWS, {"prediction": "x"}], "bbh", "{file}, line 4: expected the key 'target', found: prediction"),
        ([ROWS[0], "{"], "bbh", "{file}, line 2: not JSON (Expecting property name enclosed in double quotes)"),
        ([ROWS[0], "", ROWS[1]], "bbh", "{file}, line 2: expected a JSON object, found an empty line"),
        (ROWS, "bbh/word_sorting", "{file}: no row of task 'bbh/word_sorting', found: navigate, snarks"),
        ([{"index": 0, "correct": True}, {"index": 1, "correct": "yes"}], None, "{file}, line 2: 'correct' is \"yes\": expected true or false"),
        ([{"index": 0, "correct": True}, {"index": 1, "prediction": "5"}], None, "{file}, line 2: the row does not say 'correct' or 'score': name the task whose extractor grades it (--grade-as gsm8k, --grade-as bbh, or one of number, choice, text, open)"),
        ([{"index": 0, "score": 0.5}, {"index": 1, "correct": True}], None, "{file}, line 2: the row has no 'score', which others have"),
        ([{"index": 0, "score": 0.5}, '{"index": 1, "score": Infinity}'], None, "{file}, line 2: 'score' is Infinity: expected a finite number"),
        ([{"text": "x"}], "bbh", "{file}: not a known format: expected " + KNOWN),
    ],
)  # fmt: skip
def test_texts_that_cannot_be_read(tmp_path: Path, rows: list[Any], task: str | None, message: str) -> None:
    file = written(tmp_path / "rows.jsonl", rows)
    assert refused(lambda: read_outcomes(file, grade_as=task)) == message.format(file=file)


@pytest.mark.parametrize("key", ["task", "model", "question", "prompt", "target"])
def test_half_a_surrogate_pair_is_refused_with_its_line(tmp_path: Path, key: str) -> None:
    rows = [{"task": "t", "question": "a", "target": "5", "prediction": "5"} | more for more in ({}, {key: "\ud800"})]
    file = written(tmp_path / "rows.jsonl", rows)
    said = f"{file}, line 2: holds half a surrogate pair, which is no character (such as \\ud800 alone)"
    assert refused(lambda: read_outcomes(file, grade_as="number")) == said


def test_half_a_surrogate_pair_that_a_model_wrote_is_replaced(tmp_path: Path) -> None:
    rows = [{"task": "t", "question": "\U0001f600", "target": "5", "prediction": "\ud83d The answer is 5"}]
    (found,) = read_outcomes(written(tmp_path / "rows.jsonl", rows), grade_as="number", texts=True)
    assert found.accuracy == 1
    (text,) = found.outputs.texts[0]
    assert text is not None
    assert text.outputs == ("\ufffd The answer is 5",)


def test_an_unknown_task_is_said_once(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", ROWS)
    assert refused(lambda: read_outcomes(file, grade_as="gsm9k"), UnknownName).startswith(
        "unknown task 'gsm9k': did you mean 'gsm8k'?"
    )


# --------------------------------------------------------------------------------------------------------------- CSV


def test_bigbench_reads_as_48_curves_of_12_sizes() -> None:
    points = read_points(shared("data", "scaling", "bigbench_bigg_3shot.csv"))
    curves = curves_of(points)
    assert (len(curves), {curve.sizes for curve in curves}, len(points)) == (48, {12}, 576)
    assert all(p.n is not None and p.score is None and p.chance is not None for p in points)
    assert {p.metric for p in points} >= {"exact_str_match", "multiple_choice_grade"}


def table(folder: Path, *lines: str) -> Path:
    file = folder / "curves.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_csv_counts_scores_and_what_becomes_of_them(tmp_path: Path) -> None:
    file = table(
        tmp_path,
        ",task, family,model,params,n,correct,score,stderr,chance,metric,continuous,label",
        "0,t,F,a,1e6,200,50,0.25,,0.1,acc,,x",
        "1,t,F,b,2e6,200,,0.3001,0.02,0.1,acc,false,x",  # 60.02 of 200: counts
        "2,t,F,c,4e6,200,,0.3013,0.02,0.1,acc,no,x",  # 60.26 of 200: a score
        "3,t,F,d,8e6,,,0.5,NA,0.1,acc,,x",
        "4,t,F,d,8e6,200,,-3.25,0.1,,logprob,true,x",
    )
    made = [(p.x, p.n, p.correct, p.score, p.stderr, p.continuous) for p in read_points(file)]
    assert made == [
        (1e6, 200, 50, None, None, False),
        (2e6, 200, 60, None, None, False),
        (4e6, None, None, 0.3013, 0.02, False),
        (8e6, None, None, 0.5, None, False),
        (8e6, None, None, -3.25, 0.1, True),
    ]


def test_csv_a_model_is_once_in_a_curve_or_has_several_seeds(tmp_path: Path) -> None:
    heading = "curve,family,model,params,n,correct,seed"
    file = table(tmp_path, heading, "t,F,a,1e6,100,10,0", "t,F,a,1e6,100,12,1", "t,F,b,1e6,100,10,0", "u,F,a,1e6,9,5,0")
    assert [p.correct for p in read_points(file)] == [10, 12, 10, 5]
    end = "; name one of them (a table tells models apart by the columns model and seed)"
    said = f"t by a, seed 0, is there more than once: {file}, line 2 and {file}, line 2{end}"
    assert refused(lambda: read_points([file, file])) == said
    table(tmp_path, heading, "t,F,,1e6,100,10,", "t,F,,1e6,100,10,")
    said = f"t by 1e+06 is there more than once: {file}, line 2 and {file}, line 3{end}"
    assert refused(lambda: read_points(file)) == said


def test_csv_defaults_other_scales_and_sizes_given(tmp_path: Path) -> None:
    file = table(tmp_path, "curve,model,flops,loss,value", "t,pythia-70m,1e19,3.5,0.2", "t,pythia-1b,1e21,2.5,0.4")
    assert [p.x for p in read_points(file, scale="flops")] == [1e19, 1e21]
    assert [p.x for p in read_points(file, scale="loss")] == [3.5, 2.5]
    points = read_points(file, params={"pythia-70m": 7e7, "pythia-1b": 1e9})
    assert [(p.x, p.family, p.metric) for p in points] == [(7e7, "pythia", "accuracy"), (1e9, "pythia", "accuracy")]
    assert [p.x for p in read_points(table(tmp_path, "curve,params,score", "t,5,0.5", "u,7,0.5"), only="u")] == [7]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["model,params,score", "a,1,0.5"], "{file}: expected a column curve or task, found: model, params, score"),
        (["curve,model,params,score,score", "t,a,1,0.5,0.6"], "{file}: two columns are called 'score'"),
        (["curve,params", "t,1"], "{file}: expected a column correct or score or value, found: curve, params"),
        (["curve,model,score", "t,a,0.5"], "{file}: expected a column params (the size of each model), found: curve, model, score"),
        (["curve,params,score"], "{file}: the table has no rows"),
        (["curve,model,params,score", "t,a,,0.5"], "{file}, line 2: the size of model 'a' is unknown: give it (--params a=7e9, or a column params)"),
        (["curve,params,score", "t,seven,0.5"], "{file}, line 2: params is 'seven': expected a number"),
        (["curve,params,score", "t,-7,0.5"], "{file}, line 2: size of -7 is -7.0: expected a finite number above 0"),
        (["curve,params,score", "t,7,52.8"], "{file}, line 2: score 52.8: expected a share in 0..1 (or a column continuous with true)"),
        (["curve,params,n,correct", "t,7,10,11"], "{file}, line 2: t, 7: 11 correct of 10 is impossible"),
        (["curve,params,n,correct", "t,7,10,1.5"], "{file}, line 2: correct is '1.5': expected a whole number from 0"),
        (["curve,params,n,correct,n", "t,7,10,5,9"], "{file}: two columns are called 'n'"),
        (["curve,params,n,correct", "t,7,1e30,5"], "{file}, line 2: n is '1e30': expected at most 1e+12"),
        (["curve,params,n,correct", "t,7,,5"], "{file}, line 2: correct needs n beside it"),
        (["curve,params,n,correct,score", "t,7,10,5,0.6"], "{file}, line 2: score 0.6 is not 5 of 10"),
        (["curve,params,n,score", "t,7,10,"], "{file}, line 2: t, 7: neither counts nor a score"),
        (["curve,params,score,continuous", "t,7,0.5,maybe"], "{file}, line 2: continuous is 'maybe': expected true or false"),
        (["curve,params,score", "t,7"], "{file}, line 2: expected 3 cells, as in the heading"),
        (["curve,params,score", "t,7,0.5,1"], "{file}, line 2: expected 3 cells, as in the heading"),
        (["curve,params,score", ",7,0.5"], "{file}, line 2: no curve or task"),
    ],
)  # fmt: skip
def test_csv_tables_that_cannot_be_read(tmp_path: Path, lines: list[str], message: str) -> None:
    file = table(tmp_path, *lines)
    assert refused(lambda: read_points(file)) == message.format(file=file)


def test_csv_has_no_items_to_compare(tmp_path: Path) -> None:
    file = table(tmp_path, "curve,params,score", "t,7,0.5")
    message = f"{file}: a CSV table has no per-item results, so it cannot be compared item by item"
    assert refused(lambda: read_outcomes(file)) == message


# ------------------------------------------------------------------------------------------------------ Onset's own


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results(
        tmp_path_factory.mktemp("own") / "results",
        labels=(8,),
        methods=("answer-only", "cot"),
        shifts=("none", "typos"),
        seeds=2,
        items=30,
    )


def test_own_results_give_each_arm_with_its_draws(own: Path) -> None:
    results = load(own)
    outcomes = read_outcomes(own)
    assert len(outcomes) == 3 * 2 * 2 * 2 + 1
    for o in outcomes:
        cells = results.cells.filter(
            model=o.model, task=o.task, method=o.method, shift=o.shift, labels=o.labels, stage=o.stage
        )
        assert o.values.sum() == cells["correct"].sum()
        assert o.draws == tuple(cells["seed"])
        assert o.version == cells["task_hash"][0]
    assert len(read_outcomes(own, only="addition")) == 13


def test_own_results_give_curves_pooled_over_seeds_with_continuous_scores(own: Path) -> None:
    results, points = load(own), read_points(own, only="coin-flip")
    curves = {(c.curve, c.metric): c for c in curves_of(points)}
    assert {name for name, _ in curves} == {
        f"coin-flip, {method}, 8 labels{shift}" for method in ("answer-only", "cot") for shift in ("", ", shift typos")
    }
    assert {metric for _, metric in curves} == {"accuracy", "gold_logprob", "gold_prob", "1 - Brier"}
    cells = results.cells.filter(task="coin-flip", method="cot", shift="none").group_by("params", maintain_order=True)
    expected = [(float(size), int(t["n"].sum()), int(t["correct"].sum()), 0.5) for (size,), t in cells]
    curve = curves["coin-flip, cot, 8 labels", "accuracy"]
    assert [(p.x, p.json()["n"], p.json()["correct"], p.chance) for p in curve.points] == sorted(expected)
    for point in curve.points:  # two draws of the same items are no independent trials
        assert point.counted is not None
        assert point.n == round(point.counted.n / point.counted.design_effect)
    prob = curves["coin-flip, answer-only, 8 labels", "gold_prob"].points[0]
    held = next(o for o in read_outcomes(own) if (o.task, o.method, o.shift) == ("coin-flip", "answer-only", "none"))
    by_item = np.nanmean(held.outputs.scores["gold_prob"], axis=0)
    assert prob.continuous
    assert prob.score == pytest.approx(by_item.mean())
    assert prob.stderr == pytest.approx(variance(held.outputs.scores["gold_prob"]) ** 0.5)


def test_unfinished_cells_are_told(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path / "d", incomplete=True)
    told: list[str] = []
    read_points(folder, note=told.append)
    assert told[0] == f"{folder}: 2 of 109 cells are not finished"


def test_a_scale_that_results_do_not_know(own: Path) -> None:
    message = f"{own}: only a CSV table has flops; these results know params"
    assert refused(lambda: read_points(own, scale="flops")) == message


# ------------------------------------------------------------------------------------------------ formats and choices


def test_what_is_no_result_is_said(tmp_path: Path) -> None:
    assert refused(lambda: read_outcomes(tmp_path / "gone")) == f"no file '{tmp_path / 'gone'}'"
    message = f"{tmp_path}: no results found in this folder: expected {KNOWN}"
    assert refused(lambda: read_outcomes(tmp_path)) == message
    (tmp_path / "notes.txt").write_text("x")
    message = f"{tmp_path / 'notes.txt'}: not a known format: expected {KNOWN}"
    assert refused(lambda: read_points(tmp_path / "notes.txt")) == message
    message = f"{LM_EVAL}: no results of task 'gsm8k', found: world_facts, world_steps"
    assert refused(lambda: read_outcomes(LM_EVAL, only="gsm8k")) == message


def fake(metric: str, filter: str = "none") -> Outcomes:
    empty = np.empty((0, 0))
    return Outcomes(
        Setting("t", model="m"), Measure(metric, filter), (), (), empty, outputs=Outputs(scores={"gold_prob": empty})
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "asked", "chosen"),
    [
        ([("f1", "none"), ("exact_match", "none")], [], {}, ("exact_match", "none", 0)),
        ([("acc_norm", "none"), ("acc", "none")], [], {}, ("acc", "none", 0)),
        ([("bleu", "none"), ("f1", "none")], [], {}, ("bleu", "none", 1)),
        ([("acc", "a"), ("acc", "b-strict")], [], {}, ("acc", "b-strict", 1)),
        ([("acc", "a"), ("acc", "none")], [], {}, ("acc", "none", 1)),
        ([("acc", "a"), ("acc", "b")], [("acc", "b"), ("acc", "c")], {}, ("acc", "b", 0)),
        ([("acc", "a"), ("acc", "b")], [], {"filter": "b"}, ("acc", "b", 0)),
        ([("acc", "none")], [], {"filter": "b"}, ("acc", "none", 0)),
        ([("acc", "none"), ("f1", "none")], [("f1", "none")], {}, ("f1", "none", 0)),
        ([("acc", "none")], [], {"metric": "gold_prob"}, ("gold_prob", "none", 0)),
    ],
)
def test_the_rule_of_metrics_and_filters(
    ours: list[tuple[str, str]],
    theirs: list[tuple[str, str]],
    asked: dict[str, str],
    chosen: tuple[str, str, int],
) -> None:
    candidates = [fake(*pair) for pair in ours]
    choice = choose(candidates, other=[fake(*pair) for pair in theirs], **asked)  # type: ignore[arg-type]
    assert (choice.metric, choice.filter, len(choice.notes)) == chosen
    assert picked(candidates, choice).metric == chosen[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "asked", "message"),
    [
        ([("acc", "none")], [("f1", "none")], {}, "no metric in common: acc against f1"),
        ([("acc", "a")], [("acc", "b")], {}, "no filter in common: a against b"),
        ([("acc", "none")], [], {"metric": "f1"}, "no metric 'f1': it has acc, gold_prob"),
        ([("acc", "a"), ("acc", "b")], [("acc", "b")], {"filter": "a"}, "no filter 'a': it has b"),
    ],
)
def test_what_cannot_be_chosen(
    ours: list[tuple[str, str]], theirs: list[tuple[str, str]], asked: dict[str, str], message: str
) -> None:
    other = [fake(*pair) for pair in theirs]
    assert refused(lambda: choose([fake(*pair) for pair in ours], other=other, **asked), NoChoice) == message  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------------- writing


def test_exported_lm_eval_files_read_back_as_what_they_were(own: Path, tmp_path: Path) -> None:
    export(own, tmp_path / "out", "lm-eval")
    back = read_outcomes(tmp_path / "out")
    table = load(own)
    assert len({o.source for o in back}) == len(table.cells)
    for cell in table.cells.to_dicts():
        shift = "" if cell["shift"] == "none" else f"__shift-{cell['shift']}"
        name = f"{cell['model']}__{cell['method']}__{cell['labels']}-labels{shift}__seed-{cell['seed']}"
        (found,) = [o for o in back if (o.model, o.task, o.metric) == (name, cell["task"], "exact_match")]
        assert (found.values.sum(), found.values.size, found.params) == (cell["correct"], cell["n"], cell["params"])
        assert found.parse_rate == cell["parse_rate"]


def test_exported_lm_eval_files_have_the_keys_of_real_ones(own: Path, tmp_path: Path) -> None:
    export(own, tmp_path / "out", "lm-eval")
    folder = tmp_path / "out" / "mid__cot__8-labels__seed-0"
    (results,), (samples,) = folder.glob("results_*.json"), folder.glob("samples_addition_*.jsonl")
    content, real = json.loads(results.read_text()), results_of("r2")
    assert set(real["config"]) == set(content["config"])
    needed = {"results", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config", "task_hashes"}
    assert needed <= set(content) <= {*real, "onset_version"}
    assert content["results"]["addition"].keys() >= {"name", "alias", "sample_len", "exact_match,none"}
    _, lines = samples_of("r2", "world_steps")
    written = [json.loads(line) for line in samples.read_text().splitlines()]
    assert all(set(lines[0]) <= set(line) <= {*lines[0], "gold_logprob", "gold_prob"} for line in written)
    # the hashes are those the harness computes
    doc, prompt = lines[0]["doc"], lines[0]["arguments"]["gen_args_0"]["arg_0"]
    assert lines[0]["doc_hash"] == hashlib.sha256(json.dumps(doc, indent=2, ensure_ascii=False).encode()).hexdigest()
    assert lines[0]["prompt_hash"] == hashlib.sha256(prompt.encode()).hexdigest()
    for line in written:
        assert line["doc_hash"] == hashlib.sha256(json.dumps(line["doc"], indent=2).encode()).hexdigest()
        assert line["filtered_resps"][0] == "[invalid]" or line["exact_match"] in (0.0, 1.0)


AGGREGATE = {
    "schema_version",
    "evaluation_id",
    "retrieved_timestamp",
    "source_metadata",
    "eval_library",
    "model_info",
    "evaluation_results",
    "detailed_evaluation_results",
}
INSTANCE = {
    "schema_version",
    "evaluation_id",
    "model_id",
    "evaluation_name",
    "sample_id",
    "interaction_type",
    "input",
    "answer_attribution",
    "evaluation",
}


def test_exported_every_eval_ever_files_hold_what_the_schema_asks(own: Path, tmp_path: Path) -> None:
    """The real validator (every_eval_ever 0.3.0) passed on these files without a warning; here: its required fields."""
    files = export(own, tmp_path / "out", "every-eval-ever")
    runs = [file for file in files if file.suffix == ".json"]
    assert len(files) == 2 * len(runs)
    total = 0
    for file in runs:
        held = json.loads(file.read_text())
        assert held.keys() >= AGGREGATE
        details = held["detailed_evaluation_results"]
        samples = tmp_path / "out" / details["file_path"]
        assert samples == file.with_name(f"{file.stem}_samples.jsonl")
        assert details["checksum"] == hashlib.sha256(samples.read_bytes()).hexdigest()
        lines = [json.loads(line) for line in samples.read_text().splitlines()]
        assert len(lines) == details["total_rows"]
        total += len(lines)
        for line in lines:
            assert line.keys() >= INSTANCE
            assert line["evaluation_id"] == held["evaluation_id"]
            assert line["model_id"] == held["model_info"]["id"]
            assert all(isinstance(value, str) for value in line["metadata"].values())
        for result in held["evaluation_results"]:
            own_lines = [line for line in lines if line["evaluation_name"] == result["evaluation_name"]]
            share = sum(line["evaluation"]["is_correct"] for line in own_lines) / len(own_lines)
            assert result["score_details"]["score"] == pytest.approx(share)
            interval = result["score_details"]["uncertainty"]["confidence_interval"]
            assert interval["lower"] <= share <= interval["upper"]
    assert total == len(load(own).records)
    assert [f.relative_to(tmp_path / "out") for f in files] == [
        f.relative_to(tmp_path / "again") for f in export(own, tmp_path / "again", "every-eval-ever")
    ]


def test_exports_that_are_refused(own: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    message = f"folder {tmp_path / 'full'} is not empty; export to another one"
    assert refused(lambda: export(own, tmp_path / "full", "lm-eval"), StoreError) == message
    message = "unknown export format 'lm-evil': did you mean 'lm-eval'? Known: every-eval-ever, lm-eval"
    assert refused(lambda: export(own, tmp_path / "out", "lm-evil"), UnknownName) == message
    message = f"{tmp_path} is no results folder: it holds no study.json"
    assert refused(lambda: export(tmp_path, tmp_path / "out", "lm-eval"), StoreError) == message


def test_a_point_says_where_it_was_read() -> None:
    (point,) = read_points(LM_EVAL / "r2", only="world_steps")
    assert isinstance(point, SizePoint)
    assert Path(point.source).name.startswith("samples_world_steps_")
