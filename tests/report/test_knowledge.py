"""Figures and tables of knowledge: whom passages persuade, facts in weights, and the straight line over size."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pytest
from rich.console import Console
from synthetic import synthetic_results
from test_chinese import ENGLISH, _Said, drawn, pointed_at

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.phrases.knowledge import KNOWLEDGE
from onset.analysis.stats.log_line import log_line
from onset.report import figures
from onset.report.figures.base import Shown
from onset.report.html import page
from onset.report.knowledge import print_knowledge
from onset.report.terminal import print_show
from onset.results.read import read_cells

AT = {"stage": "base", "labels": 8, "shift": "none"}


def conflict(model: str, params: int, method: str, passage: float, memory: float) -> dict[str, Any]:
    shares = {"passage": passage, "memory": memory, "neither": 1 - passage - memory}
    ends = {f"{side}_interval": [max(0.0, value - 0.1), min(1.0, value + 0.1)] for side, value in shares.items()}
    lead = {"lead": passage - memory, "lead_interval": [passage - memory - 0.2, passage - memory + 0.2]}
    known = {"closed": "world-one-hop[frequency=head]", "known": 30, "kept": 0.4, "kept_interval": [0.2, 0.6]}
    at = {"model": model, "params": params, "method": method, "task": "world-one-hop[frequency=head, passage=wrong]"}
    return {**AT, **at, **shares, **ends, **lead, **known, "seeds": [0], "n": 100, "verdict": "undecided"}


def placement(probe: str, weights: float, context: float) -> dict[str, Any]:
    gap = weights - context
    return {
        **AT, "model": "mid", "params": 10**8, "task": f"world-new-facts[probe={probe}]", "probe": probe,
        "methods": ["lora-answers", "answer-only"], "weights": weights, "context": context, "seeds": [0, 1], "n": 64,
        "difference": gap, "interval": [gap - 0.1, gap + 0.1], "p": 0.01, "p_holm": 0.03, "p_equivalent_holm": 1.0,
        "margin": 0.05, "test": "crossed bootstrap over draws and items", "family_size": 3, "verdict": "wins" if gap > 0 else "loses",
    }  # fmt: skip


CONFLICTS = [
    conflict("mid", 10**8, "answer-only", 0.6, 0.2),
    conflict("tiny", 10**6, "answer-only", 0.1, 0.3),
    conflict("tiny", 10**6, "cot", 0.0, 0.5),
]
PLACEMENTS = [placement("direct", 0.9, 0.5), placement("reversed", 0.0, 0.6)]
GROWTH = {
    "task": "addition", "method": "cot", **AT, "family": "made-up", "sizes": [10**6, 10**7, 10**8], "per_tenfold": 0.2,
    "interval": [0.1, 0.3], "p": 0.5, "p_holm": 0.5, "line": [[1e6, 0.1], [1e8, 0.5]], "verdict": "grows",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results(
        tmp_path_factory.mktemp("d"), items=10, seeds=1, labels=(8,), tasks=(("addition", 0.0),), voting=False,
        models=(("tiny", 10**6), ("mid", 10**8)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def analysis(folder: Path) -> Analysis:
    return analyse(load(folder), replicates=50)


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request: pytest.FixtureRequest, folder: Path, analysis: Analysis) -> tuple[str, dict[str, Any], str]:
    """Language, tables and page of a study to which findings about knowledge are added."""
    shown = to_json(analysis, request.param)
    shown |= {"conflicts": CONFLICTS, "facts_in_weights": PLACEMENTS, "knowledge_by_size": [GROWTH]}
    text = page(shown, analysis.study, read_cells(folder), analysis.measured.records, language=request.param)
    return request.param, shown, text


def figure(shown: dict[str, Any], name: str, language: Any = "en") -> figures.Figure:
    return next(one for one in figures.figures(shown, language) if one.name == name)


def rows(panel: figures.Panel, mark: str, chart: int = 0) -> list[dict[str, Any]]:
    layers = [one for one in panel.charts[chart]["layer"] if one["mark"]["type"] == mark]
    return [row for one in layers for row in one["data"]["values"]]


def test_each_side_of_each_model_is_drawn_with_its_interval(made: Any) -> None:
    (panel,) = figure(made[1], "passage or memory").panels
    points = rows(panel, "point")
    assert {(row["model"], row["method"], row["side"]): row["share"] for row in points} == {
        (one["model"], one["method"], side): pytest.approx(one[side])
        for one in CONFLICTS
        for side in ("passage", "memory", "neither")
    }
    for row in rows(panel, "rule"):
        assert row["low"] <= row["share"] <= row["high"]
    order = panel.charts[0]["layer"][0]["encoding"]["y"]["sort"]
    assert [name.partition("\n")[0] for name in order] == ["tiny", "tiny", "mid"]  # the smallest first
    shapes = {one["mark"]["shape"] for one in panel.charts[0]["layer"] if one["mark"]["type"] == "point"}
    assert len(shapes) == 3


def test_facts_in_weights_stand_beside_the_same_in_context(made: Any) -> None:
    (panel,) = figure(made[1], "facts in weights").panels
    levels, gaps = rows(panel, "point"), rows(panel, "point", 1)
    assert [(row["weights"], row["context"]) for row in levels[:2]] == [(0.9, 0.5), (0.0, 0.6)]
    assert [row["difference"] for row in gaps] == [pytest.approx(0.4), pytest.approx(-0.6)]
    low, high = panel.charts[1]["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert low == -high <= -0.7


def test_the_line_of_knowledge_is_drawn_beside_its_method_alone(made: Any) -> None:
    panels = figure(made[1], "size").panels
    lines = [row for panel in panels for row in rows(panel, "line") if "line" in row]
    assert [(row["method"], row["x"], row["accuracy"]) for row in lines] == [("cot", 1e6, 0.1), ("cot", 1e8, 0.5)]
    assert "Fine dashes" in figure(made[1], "size").caption
    without = made[1] | {"knowledge_by_size": []}
    assert "Fine dashes" not in figure(without, "size").caption


@pytest.mark.parametrize("name", ["passage or memory", "facts in weights", "size"])
def test_the_charts_validate_against_the_vega_lite_schema(name: str, made: Any) -> None:
    for panel in figure(made[1], name, made[0]).panels[:1]:
        for chart in panel.charts:
            alt.Chart.from_dict(figures.specification(chart))


def test_the_page_has_their_tables_and_nothing_of_them_is_left_in_english(made: Any) -> None:
    language, shown, text = made
    said = _Said(text).found
    for table in ("conflict-table", "placement-table", "growth-table"):
        assert f'id="{table}"' in text
    if language == "en":
        assert {"By the passage", "In weights", "asked in reverse", "Knowledge and the logarithm of size"} <= {*said}
        return
    charts = [chart for panel in json.loads(_Said(text).scripts["specs"]) for chart in panel]
    told = {*said, *drawn(charts), *(one for chart in charts for one in pointed_at(chart))}
    assert not told & {one for one in KNOWLEDGE if "{" not in one}
    assert {KNOWLEDGE[one] for one in ("Share of the answers", "by memory", "In weights, by")} <= told
    for name in ("passage or memory", "facts in weights"):
        one = figure(shown, name, "zh")
        assert not [
            text for panel in one.panels for text in (one.caption, panel.describe, *panel.said) if ENGLISH.search(text)
        ]


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_has_them_too(width: int, made: Any) -> None:
    out = io.StringIO()
    print_knowledge(made[1], Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert (
        sum(line.startswith(("Passage or memory (", "Facts in weights and", "Knowledge by size")) for line in lines)
        == 3
    )
    rows = [line.split() for line in lines]
    assert any(row[:1] == ["direct"] and {"90.0", "50.0", "+40.0", "wins"} <= {*row} for row in rows)
    assert any(row[:1] == ["mid"] and {"60.0", "20.0", "+40.0", "30", "40.0"} <= {*row} for row in rows)


def test_the_details_of_a_study_have_its_tables(made: Any) -> None:
    out = io.StringIO()
    print_show(made[1], Console(file=out, width=120))
    assert "Passage or memory (answers in per cent" in out.getvalue()


def test_a_study_without_them_has_neither_figure_nor_section(folder: Path, analysis: Analysis) -> None:
    shown = to_json(analysis)
    assert not {"passage or memory", "facts in weights"} & {one.name for one in figures.figures(shown)}
    assert 'id="knowledge"' not in page(shown, analysis.study, read_cells(folder), analysis.measured.records)


# ---- the line itself -----------------------------------------------------------------------------------------------


def test_the_points_of_a_line_lie_on_it_and_bend_where_it_is_cut() -> None:
    sizes, n = np.array([1e5, 1e6, 1e7, 1e8]), np.full(4, 400.0)
    straight = log_line(sizes, n * np.array([0.2, 0.4, 0.6, 0.8]), n)
    assert [size for size, _ in straight.points(1e5, 1e8)] == pytest.approx([1e5, 1e8])
    assert [share for _, share in straight.points(1e5, 1e8)] == pytest.approx([0.2, 0.8], abs=0.005)
    cut = log_line(sizes, n * np.array([0.0, 0.1, 0.6, 1.0]), n)
    (first, low), *bends, (last, high) = cut.points(1e5, 1e8)
    assert (first, last, low, high) == (pytest.approx(1e5), pytest.approx(1e8), 0.0, 1.0)
    assert [share for _, share in bends] == pytest.approx([0.0, 1.0])
    (down, _), (up, _) = bends
    assert 1 / (math.log10(up) - math.log10(down)) == pytest.approx(cut.slope)


def test_it_is_only_drawn_from_what_the_tables_say() -> None:
    nothing = Shown([], figures.style_of([]), {})
    assert figures.FIGURES
    assert all(
        draw(nothing) is None for draw in figures.FIGURES if draw.__name__ in ("conflict_figure", "placement_figure")
    )
