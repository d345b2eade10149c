"""Accuracy against thinking tokens: counted by hand over the records of a scripted study of three budgets."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl
import pytest
from rich.console import Console

from onset.analysis import Analysis, analyse, load, to_json
from onset.models.scripted import ScriptedModel
from onset.report import figures
from onset.report.figures.base import Shown
from onset.report.figures.thinking import thinking_figure
from onset.report.outputs import print_thinking
from onset.results.read import Results
from onset.study.runner import run
from onset.study.spec import make_study

FAST = 300
BUDGETS = (8, 16, 40)


def thinks(prompt: str, sample: int) -> str:
    """Coins lying tails up take 30 words of thinking, others 6; one in four flips is not thought about at all."""
    question = prompt.rpartition("Question:")[2]
    if "not flip" not in question:
        return " The answer is heads."
    words = 30 if "tails up" in question else 6
    return f" <think>{' hm' * words} </think> The answer is heads."


def asked(budget: int, *, forced: bool = False, **more: object) -> dict[str, object]:
    prompt = {"kind": "thinking", "budget": budget} | ({"forced": True} if forced else {})
    return {"prompt": prompt, "shots": 0, "name": f"think-{budget}{'-forced' if forced else ''}", **more}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "flips": 2, "pool": 8, "test": 40}],
        methods=["answer-only", *map(asked, BUDGETS), *(asked(one, forced=True) for one in BUDGETS[:2])],
        labels=[2],
        seeds=1,
        items=40,
    )
    made = tmp_path_factory.mktemp("d") / "d"
    run(study, made, models={"fake": ScriptedModel(thinks)})
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return load(folder)


@pytest.fixture(scope="module")
def study(results: Results) -> Analysis:
    return analyse(results, replicates=FAST)


def test_points_are_what_the_records_say(study: Analysis, results: Results) -> None:
    assert [one.name for one in study.thinking] == ["thinking", "thinking (forced True)"]
    assert [[point.budget for point in one.points] for one in study.thinking] == [[8, 16, 40], [8, 16]]
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    for line in study.thinking:
        for one in line.points:
            cell = cells[one.method]
            rows = results.records.filter(pl.col("cell") == cell["cell"]).to_dicts()
            long = [row for row in rows if "tails up" in row["question"] and "not flip" in row["question"]]
            none = [row for row in rows if "not flip" not in row["question"]]
            assert long
            assert none
            assert one.point.accuracy == cell["accuracy"]
            assert one.point.interval == pytest.approx((cell["low"], cell["high"]))
            thought = [row["thinking"][0] or 0 for row in rows]
            assert one.tokens == pytest.approx(np.mean(thought))
            assert one.thinks == pytest.approx(1 - len(none) / len(rows))
            # 6 words and both marks are the whole of the smallest budget, and are thought to their end within it
            assert one.cut == pytest.approx(0 if one.budget == BUDGETS[-1] else len(long) / len(rows))
            assert 0 <= one.cut_interval[0] <= one.cut <= one.cut_interval[1] <= 1
            if "forced" not in line.name:
                assert one.cut == cell["out_of_budget_rate"]
    tokens = [one.tokens for one in study.thinking[0].points]
    assert tokens == sorted(set(tokens))


def test_lines_are_of_ways_that_differ_in_the_budget_alone(results: Results) -> None:
    """Other settings of a method, and other labels, are another line; a method's name says nothing."""
    cells = results.cells.with_columns(
        pl.when(pl.col("method") == "think-16").then(pl.lit("short")).otherwise(pl.col("method")).alias("method")
    )
    named = analyse(Results(results.study, cells, results.records, (), {}), replicates=FAST).thinking
    assert [one.method for one in named[0].points] == ["think-8", "short", "think-40"]
    spec = results.cells.filter(pl.col("method") == "think-16")["method_spec"][0]
    other = json.dumps(json.loads(spec) | {"shots": 4})
    cells = results.cells.with_columns(
        pl.when(pl.col("method") == "think-16")
        .then(pl.lit(other))
        .otherwise(pl.col("method_spec"))
        .alias("method_spec")
    )
    apart = analyse(Results(results.study, cells, results.records, (), {}), replicates=FAST).thinking
    assert [[point.budget for point in one.points] for one in apart] == [[8, 40], [16], [8, 16]]
    assert len({one.name for one in apart}) == 3


def test_an_item_at_which_the_method_failed_has_no_output_to_count(results: Results) -> None:
    cell = results.cells.filter(pl.col("method") == "think-16")["cell"][0]
    lost = (pl.col("cell") == cell) & (pl.col("position") < 20)
    names = ("outputs", "finishes", "thinking", "answers", "rights")
    empty = {name: pl.when(lost).then([]).otherwise(pl.col(name)).cast(results.records.schema[name]) for name in names}
    failed = results.records.with_columns(**empty)
    (line, _) = analyse(Results(results.study, results.cells, failed, (), {}), replicates=FAST).thinking
    rows = results.records.filter((pl.col("cell") == cell) & (pl.col("position") >= 20)).to_dicts()
    (point,) = [one for one in line.points if one.budget == 16]
    assert point.cut == pytest.approx(np.mean([row["finishes"] == ["budget"] for row in rows]))
    assert point.tokens == pytest.approx(np.mean([row["thinking"][0] or 0 for row in rows]))
    all_lost = results.records.with_columns(
        **{
            name: pl.when(pl.col("cell") == cell).then([]).otherwise(pl.col(name)).cast(results.records.schema[name])
            for name in names
        }
    )
    (line, _) = analyse(Results(results.study, results.cells, all_lost, (), {}), replicates=FAST).thinking
    assert [one.budget for one in line.points] == [8, 40]


def test_it_is_in_json_and_the_terminal(study: Analysis) -> None:
    shown = to_json(study)
    assert json.loads(json.dumps(shown["thinking"], allow_nan=False)) == shown["thinking"]
    assert {cell["method"]: cell["method_spec"]["prompt"] for cell in shown["cells"]}["think-8"] == {
        "kind": "thinking",
        "budget": 8,
    }
    console = Console(width=80, record=True, file=io.StringIO())
    print_thinking(shown, console)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for line in shown["thinking"]:
        for one in line["points"]:
            assert re.search(rf"{one['budget']} +{one['tokens']:.1f} +{100 * one['accuracy']:.1f}", text)


def test_the_figure_draws_the_numbers_of_the_table(study: Analysis) -> None:
    shown = to_json(study)
    (figure,) = [one for one in figures.figures(shown) if one.name == "thinking"]
    (panel,) = figure.panels
    assert figure.grid == "task"
    above, below = panel.charts
    for chart in panel.charts:
        alt.Chart.from_dict(figures.specification(chart))
    points = above["layer"][-1]["data"]["values"]
    expected = [one for line in shown["thinking"] for one in line["points"]]
    for row, one in zip(points, expected, strict=True):
        assert (row["method"], row["budget"]) == (one["method"], one["budget"])
        assert [row["tokens"], row["accuracy"], row["cut"]] == pytest.approx(
            [one["tokens"], one["accuracy"], one["cut"]], rel=1e-4
        )
        assert [row["low"], row["high"]] == pytest.approx(one["interval"], rel=1e-4)
    assert below["layer"][-1]["data"]["values"] == points
    assert above["layer"][0]["mark"]["type"] == "rule"  # chance
    assert above["layer"][-1]["encoding"]["x"]["scale"]["type"] == "log"


def test_where_nothing_is_thought_the_axis_has_a_zero(study: Analysis) -> None:
    shown = to_json(study)
    for line in shown["thinking"]:
        line["points"][0]["tokens"] = 0.0
    figure = thinking_figure(Shown(shown["cells"], figures.style_of(shown["cells"]), shown))
    assert figure is not None
    assert figure.panels[0].charts[0]["layer"][-1]["encoding"]["x"]["scale"]["type"] == "symlog"
    for line in shown["thinking"]:
        line["points"] = line["points"][:1]
    assert thinking_figure(Shown(shown["cells"], figures.style_of(shown["cells"]), shown)) is None


def test_it_speaks_chinese(study: Analysis) -> None:
    shown = to_json(study, "zh")
    (figure,) = [one for one in figures.figures(shown, "zh") if one.name == "thinking"]
    said = [figure.caption, *(panel.describe for panel in figure.panels)]
    said += [
        chart["title"]["text"]
        for panel in figure.panels
        for chart in panel.charts
        if chart["title"]["text"] != "Accuracy"
    ]
    for text in said:
        assert not re.search("[a-z]{3,}", re.sub(r"thinking(?: \(forced True\))?|fake", "", text)), text
