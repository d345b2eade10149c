"""Outputs read twice, counted by hand over the records of a scripted study; the second reader is a made-up one."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from commands import call, shown_json
from foreign import LM_EVAL
from rich.console import Console

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.words import said
from onset.answers.math_verify import Reader, Second
from onset.errors import InputError
from onset.models.scripted import ScriptedModel
from onset.read import read_measured
from onset.records import Item
from onset.report.outputs import print_second_readings
from onset.results.read import Results
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks

FAST = 300
TASK = {"name": "word-problems", "pool": 16, "test": 24, "steps": 1}
HERE = "onset.analysis.estimates.second_reader.math_verify"


@contextmanager
def last_number() -> Iterator[Reader]:
    """A reader by the last number of a text, as lm-evaluation-harness' flexible-extract."""

    def read(text: str, item: Item, golds: Sequence[str], first: str | None) -> Second:
        assert item.question
        numbers = re.findall(r"-?\d+", text)
        found = numbers[-1] if numbers else None
        return Second(found is not None, found in golds, found == first, int("slow" in text))

    yield read


def replies(number: int, answer: str) -> list[str]:
    """Both right; the first alone; the second alone; by both none."""
    off = str(int(answer) + 1)
    kinds = (
        f" The answer is {answer}.",
        f" The answer is {answer} (not {off}).",
        f" The answer is {off} or {answer} (slow).",
        " I do not know.",
    )
    return [kinds[number % 4], kinds[(number + number // 4) % 4]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (task,) = open_tasks(TASK)
    rules = {item.question: replies(at, item.answer) for at, item in enumerate(task.test)}
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[TASK, {"name": "coin-flip", "pool": 8, "test": 24}],
        methods=[
            "answer-only",
            {"prompt": "cot", "vote": 2},
            {"prompt": "cot", "vote": {"kind": "weighted", "samples": 2}},
        ],
        labels=[2],
        seeds=2,
        items=24,
    )
    made = tmp_path_factory.mktemp("d") / "d"
    run(study, made, models={"fake": ScriptedModel(rules, default=" The answer is heads.")})
    return made


@pytest.fixture
def study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Analysis:
    monkeypatch.setattr(HERE, last_number)
    return analyse(load(folder), replicates=FAST, math_verify=True)


def test_outputs_are_counted_by_who_has_them_right(study: Analysis, folder: Path) -> None:
    results = load(folder)
    assert [one.methods for one in study.second_readings] == [("answer-only",), ("cot-vote2", "cot-weighted2")]
    for one in study.second_readings:
        cells = results.cells.filter(
            (pl.col("method") == one.methods[0]) & (pl.col("task").str.starts_with("word-problems"))
        )
        rows = results.records.filter(pl.col("cell").is_in(cells["cell"].to_list())).to_dicts()
        texts = [(text, row["gold"]) for row in rows for text in row["outputs"]]
        kinds = {"both": 0, "first": 0, "second": 0, "neither": 0}
        for text, gold in texts:
            kind = "neither" if "know" in text else "second" if " or " in text else "first" if "not" in text else "both"
            kinds[kind] += 1
            assert gold
        assert one.right == kinds
        assert min(kinds.values()) > 0
        assert one.outputs == len(texts) == sum(kinds.values())
        assert one.unread == (kinds["second"] + kinds["neither"], kinds["neither"])
        assert one.timeouts == kinds["second"]
        assert one.first[0] == pytest.approx((kinds["both"] + kinds["first"]) / len(texts))
        assert one.second[0] == pytest.approx((kinds["both"] + kinds["second"]) / len(texts))
        assert one.differ[0] == one.disagree[0] == pytest.approx((kinds["first"] + kinds["second"]) / len(texts))
        for value, (low, high) in (one.first, one.second, one.differ, one.disagree):
            assert 0 <= low < value < high <= 1
        assert one.change.difference == pytest.approx(one.second[0] - one.first[0])
        assert one.change.decided is not None
        assert one.change.decided.size == 2


def test_a_single_sample_is_what_the_table_of_cells_has(study: Analysis) -> None:
    (one,) = [each for each in study.second_readings if each.methods == ("answer-only",)]
    (arm,) = [each for each in study.arms if (each.method, each.task) == ("answer-only", one.task)]
    assert one.first[0] == pytest.approx(float(np.nanmean(arm.values)))
    assert one.change.discordant is not None


def test_an_item_at_which_the_method_failed_is_wrong_by_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HERE, last_number)
    results = load(folder)
    (before, *_) = analyse(results, replicates=FAST, math_verify=True).second_readings
    cell = results.cells.filter(
        (pl.col("method") == "answer-only") & (pl.col("task").str.starts_with("word-problems"))
    )["cell"][0]
    first = results.records.filter((pl.col("cell") == cell) & pl.col("correct"))["item"][0]
    lost = (pl.col("cell") == cell) & (pl.col("item") == first)
    empty = {
        name: pl.when(lost).then([]).otherwise(pl.col(name)).cast(results.records.schema[name])
        for name in ("outputs", "answers", "rights")
    }
    failed = results.records.with_columns(
        **empty,
        status=pl.when(lost).then(pl.lit("failed")).otherwise(pl.col("status")),
        correct=pl.col("correct") & ~lost,
    )
    (after, *_) = analyse(
        Results(results.study, results.cells, failed, (), {}), replicates=FAST, math_verify=True
    ).second_readings
    assert after.outputs == before.outputs - 1
    assert after.first[0] == pytest.approx(before.first[0] - 1 / (2 * after.n))


def test_an_arm_from_before_records_said_which_samples_are_right_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HERE, last_number)
    results = load(folder)
    cell = results.cells.filter(pl.col("method") == "answer-only")["cell"][0]
    old = results.records.with_columns(
        pl.when(pl.col("cell") == cell).then(None).otherwise(pl.col("rights")).alias("rights")
    )
    kept = analyse(Results(results.study, results.cells, old, (), {}), replicates=FAST, math_verify=True)
    assert [one.methods for one in kept.second_readings] == [("cot-vote2", "cot-weighted2")]


def test_it_is_in_json_the_finding_and_the_terminal(study: Analysis) -> None:
    shown = to_json(study)
    assert json.loads(json.dumps(shown["second_readings"], allow_nan=False)) == shown["second_readings"]
    (found,) = question("second reader").ask(study)
    widest = max(study.second_readings, key=lambda one: abs(one.change.gap))
    assert found.subject.endswith(f"{widest.methods[0]}, fake")
    assert found.estimate == widest.change.difference
    for language in LANGUAGES:
        assert 0 < len(found.lines[language]) <= LONGEST
        assert said(found.kind, found.verdict, language)
    assert "math-verify ran out of time in" in found.sentence
    assert (
        re.search("[a-z]{4,}", re.sub(r"math-verify|fake|cot-vote2|[a-z]+-[a-z]+", "", found.sentences["zh"])) is None
    )
    console = Console(width=80, record=True, file=io.StringIO())
    print_second_readings(shown, console)
    text = console.export_text()
    assert "by math-verify alone" in text
    assert max(map(len, text.splitlines())) <= 80


def test_it_is_read_where_it_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(HERE, last_number)
    assert shown_json(capsys, "show", str(folder), "--json")["second_readings"] == []
    assert len(shown_json(capsys, "show", str(folder), "--json", "--math-verify")["second_readings"]) == 2
    page = tmp_path / "page.html"
    assert call(capsys, "report", str(folder), "--math-verify", "--out", str(page))[0] == 0
    assert "Math-verify reads" in page.read_text()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "math_verify", None)
    code, _, told = call(capsys, "show", str(folder), "--math-verify")
    assert (code, len(told.splitlines())) == (2, 1)


def test_other_tools_results_and_a_lacking_library_are_refused_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="not another tool's results"):
        analyse(read_measured(LM_EVAL), math_verify=True)
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(InputError, match=r"pip install 'lm-onset\[math\]'"):
        analyse(load(folder), math_verify=True)


def test_every_right_answer_of_an_item_must_be_a_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HERE, last_number)
    results = load(folder)
    for other, count in (("1000000", 2), ("red", 0)):
        several = results.records.with_columns(golds=pl.concat_list("gold", pl.lit(other)))
        found = analyse(Results(results.study, results.cells, several, (), {}), replicates=FAST, math_verify=True)
        assert len(found.second_readings) == count
