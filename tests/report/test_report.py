"""The report: nothing left out, nothing that runs, nothing loaded, and figures that draw the numbers they were given."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import polars as pl
import pytest
import vl_convert
from rich.console import Console
from synthetic import LADDER, ladder_results, synthetic_results

from onset.analysis import Analysis, analyse, to_json
from onset.analysis.estimates.label_curves import means_over_draws
from onset.analysis.outcomes import KEY
from onset.analysis.words import duration
from onset.errors import StoreError
from onset.report import facts, figures
from onset.report.embedded import Rows, packed_if_large, rows_of
from onset.report.figures.base import QUERIES, Shown, Spec
from onset.report.figures.cost import cost_figure
from onset.report.figures.labels import label_figure
from onset.report.html import build_report, page, write_png
from onset.report.items import pack
from onset.report.lists import print_grade, print_list
from onset.report.plans import print_plan
from onset.report.terminal import print_accuracies, print_findings, print_show
from onset.report.words import whole
from onset.results.read import load, read_cells
from onset.results.recorded import Prompts

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class Made:
    folder: Path
    analysis: Analysis
    shown: dict[str, Any]


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Three sizes of one family, two tasks, a shift, voting; one cell missing and one failed."""
    return _made(tmp_path_factory.mktemp("ladder"), shifts=("none", "domain"), seeds=2, items=20, incomplete=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One size of each of two families, one budget, one seed."""
    models, families = (("small", 135_000_000), ("large", 270_000_000)), ("a", "b")
    options: dict[str, Any] = {"models": models, "families": families, "labels": (8,), "seeds": 1, "voting": False}
    return _made(tmp_path_factory.mktemp("pair"), **options, items=20)


@pytest.fixture(scope="module")
def ladder_page(ladder: Made) -> str:
    return _page(ladder)


def _made(folder: Path, **options: Any) -> Made:
    results = load(synthetic_results(folder, **options))
    analysis = analyse(results, replicates=50)
    return Made(folder, analysis, to_json(analysis))


def _page(made: Made, **options: Any) -> str:
    analysis = made.analysis
    return page(made.shown, analysis.study, read_cells(made.folder), analysis.measured.records, **options)


class _Elements(HTMLParser):
    """Every element with its attributes, and the text of every script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self.in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.in_script = tag == "script"
        if self.in_script:
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False

    def handle_data(self, data: str) -> None:
        if self.in_script:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        else:
            self.text.append(data)

    def script(self, name: str) -> str:
        return next(text for attributes, text in self.scripts if attributes.get("id") == name)


def _unpack(data: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(data)))
    return content


# ---- the page ------------------------------------------------------------------------------------------------------


def test_page_loads_nothing_and_runs_only_its_own_scripts(ladder_page: str) -> None:
    elements = _Elements(ladder_page)
    policy = next(a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    running = [text for attributes, text in elements.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert policy.split("script-src ")[1].split(";")[0].split() == [f"'sha256-{digest}'" for digest in digests]
    addresses = [a[key] for _, a in elements.found for key in ("src", "href", "action", "data") if a.get(key)]
    assert {address for address in addresses if address and not address.startswith("#")} == {"data:,"}
    assert not [key for _, a in elements.found for key in a if key.startswith("on")]


def test_what_a_model_or_a_user_wrote_stays_text(pair: Made) -> None:
    shown = json.loads(json.dumps(pair.shown).replace('"large"', json.dumps(HOSTILE)))
    shown["findings"][0]["sentence"] = HOSTILE
    records = pair.analysis.measured.records.with_columns(
        pl.lit(HOSTILE).alias("question"), pl.lit(HOSTILE).alias("gold"), pl.Series("outputs", [[HOSTILE]]).first()
    )
    plain = _Elements(_page(pair))
    study = {**pair.analysis.study, "name": HOSTILE, "question": HOSTILE}
    elements = _Elements(page(shown, study, read_cells(pair.folder), records))
    assert [tag for tag, _ in elements.found if tag == "img"] == []
    assert len(elements.scripts) == len(plain.scripts)
    assert {cell["model"] for cell in json.loads(elements.script("cell-index"))} == {"small", HOSTILE}
    assert HOSTILE in _unpack(elements.script("packed"))["texts"]
    assert HOSTILE in " ".join(elements.text)


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    assert whole(
        "at 58 k and 1.3 M (95 % interval; n = 3) 5 Bees"
    ) == "at 58~k and 1.3~M (95~% interval; n~=~3) 5 Bees".replace("~", "\N{NO-BREAK SPACE}")


def test_every_finding_comparison_and_cell_is_in_the_page(ladder: Made, ladder_page: str) -> None:
    elements = _Elements(ladder_page)
    text = " ".join(" ".join(elements.text).replace("\N{NO-BREAK SPACE}", " ").split())
    for finding in ladder.shown["findings"]:
        assert finding["sentence"] in text
    rows = [attributes for tag, attributes in elements.found if tag == "button" and "data-cell" in attributes]
    assert [row["data-cell"] for row in rows] == [cell["cell"] for cell in ladder.shown["cells"]]
    titles = [attributes["title"] for tag, attributes in elements.found if tag == "tr" and "title" in attributes]
    assert titles == [one["sentence"] for one in ladder.shown["comparisons"]]
    assert "ModelError: the model ran out of memory at batch size 1" in text
    assert "tiny · answer-only · 8 labels · addition · seed 1" in text  # the missing cell, by name


def test_page_of_a_study_without_a_finished_cell_says_so(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(
        json.dumps({"format": 1, "onset": "0.1.0", "study": {"name": "begun"}, "cells": ["abc"]})
    )
    text = build_report(tmp_path).read_text()
    assert "No cell of this study has been run yet." in text
    assert "abc (not begun)" in text


def test_equal_results_give_equal_bytes(pair: Made, tmp_path: Path) -> None:
    first = build_report(pair.folder, out=tmp_path / "a.html").read_bytes()
    assert build_report(pair.folder, out=tmp_path / "b.html", analysis=None).read_bytes() == first


def test_page_that_cannot_be_written_is_one_clear_line(pair: Made, tmp_path: Path) -> None:
    path = tmp_path / "absent" / "report.html"
    with pytest.raises(StoreError) as error:
        build_report(pair.folder, out=path, analysis=pair.analysis)
    assert str(error.value).startswith(f"cannot write {path}: No such file or directory")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_leaves_the_page_that_was_there(
    pair: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build_report(pair.folder, out=tmp_path / "report.html", analysis=pair.analysis)
    before = path.read_bytes()
    monkeypatch.setattr("onset.results.local.secrets.token_hex", lambda _: "0")
    scratch = tmp_path / ".report.html.0.part"
    scratch.symlink_to("/dev/full")
    with pytest.raises(StoreError, match=f"^cannot write {path}: the disk is full"):
        build_report(pair.folder, out=path, analysis=pair.analysis)
    assert path.read_bytes() == before
    assert not scratch.is_symlink()


def test_report_never_imports_torch() -> None:
    code = "import sys, onset.report.html, onset.report.terminal; print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- items ---------------------------------------------------------------------------------------------------------


def _rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The records again, from what the page carries (as templates/items.js reads it)."""
    texts, columns = content["texts"], content["rows"]

    def text(number: int) -> str | None:
        return None if number < 0 else texts[number]

    heads = [head for head in content["cells"] for _ in range(head["kept"])]
    return [
        {
            "cell": head["cell"],
            "question": text(columns["question"][i]),
            "prompt": f"{text(head['beginning'])}{text(columns['rest'][i])}",
            "gold": text(columns["gold"][i]),
            "outputs": [text(one) for one in columns["outputs"][i]],
            "answers": [text(one) for one in columns["answers"][i]],
            "finishes": [text(one) for one in columns["finishes"][i]],
            "answer": text(columns["answer"][i]),
            "correct": bool(columns["correct"][i]),
        }
        for i, head in enumerate(heads)
    ]


def test_items_carry_every_record_in_full(ladder: Made) -> None:
    records = ladder.analysis.measured.records
    packed = pack(ladder.shown["cells"], records)
    rows = _rows(_unpack(packed.data))
    assert rows == records.select(list(rows[0])).to_dicts()
    assert (packed.shown, packed.total, packed.limit) == (len(records), len(records), None)


@pytest.mark.parametrize("most", [0, 1, 7, 50, 10**6])
def test_prompts_read_cell_by_cell_pack_as_those_of_the_records(ladder: Made, most: int) -> None:
    cells, records = ladder.shown["cells"], ladder.analysis.measured.records
    most *= len(cells)
    packed = pack(cells, records.drop("prompt"), prompts=Prompts(ladder.folder).of, most=most)
    assert packed == pack(cells, records, most=most)


def test_a_text_is_carried_once_and_a_shared_beginning_once_a_cell(ladder: Made) -> None:
    content = _unpack(pack(ladder.shown["cells"], ladder.analysis.measured.records).data)
    assert len(content["texts"]) == len(set(content["texts"]))
    beginnings = {content["texts"][head["beginning"]] for head in content["cells"]}
    assert beginnings == {"Question: An example?\nAnswer: The answer is 1.\n\n"}
    assert not [
        text for text in content["texts"] if text.startswith("Question: An example?") and text not in beginnings
    ]


def test_too_much_text_keeps_the_first_items_and_the_page_says_so(ladder: Made) -> None:
    cells, records = ladder.shown["cells"], ladder.analysis.measured.records
    packed = pack(cells, records, text_limit=4000)
    assert packed.limit is not None
    assert 1 <= packed.limit < 20
    assert packed.shown == packed.limit * len(cells)
    kept = records.filter(pl.col("position") < packed.limit)
    assert [row["question"] for row in _rows(_unpack(packed.data))] == kept["question"].to_list()
    said = " ".join(" ".join(_Elements(_page(ladder, text_limit=4000)).text).split())
    assert (
        f"Only the first {packed.limit} items of each cell ({packed.shown:,} of {packed.total:,}) are in this page"
        in said
    )


def test_a_page_carries_so_many_items_and_one_of_each_cell(ladder: Made) -> None:
    cells, records = ladder.shown["cells"], ladder.analysis.measured.records
    assert pack(cells, records, most=len(records)).limit is None
    few = pack(cells, records, most=3 * len(cells) + 1)
    assert (few.limit, few.shown, few.total) == (3, 3 * len(cells), len(records))
    kept = records.filter(pl.col("position") < 3)
    assert [row["question"] for row in _rows(_unpack(few.data))] == kept["question"].to_list()
    assert pack(cells, records, most=1).shown == len(cells)


def test_a_page_has_so_many_rows_of_cells_and_one_of_each_way_of_asking() -> None:
    def cell(method: str, seed: int) -> dict[str, Any]:
        return dict.fromkeys(KEY, "same") | {"method": method, "seed": seed}

    cells = [cell(method, seed) for seed in range(4) for method in ("a", "b", "c")] + [cell("d", 0)]
    assert rows_of(cells, 13) == Rows(cells, 13, None)
    few = rows_of(cells, 8)
    assert (len(few.cells), few.total, few.draws) == (7, 13, 2)
    assert [(one["method"], one["seed"]) for one in few.cells] == [*product("abc", [0]), *product("abc", [1]), ("d", 0)]
    assert [one["method"] for one in rows_of(cells, 2).cells] == ["a", "b", "c", "d"]


def test_a_large_table_of_cells_says_what_it_leaves_out(ladder: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onset.report.html.rows_of", lambda cells: rows_of(cells, 1))
    arms = len({tuple(cell[name] for name in KEY) for cell in ladder.shown["cells"]})
    elements = _Elements(_page(ladder))
    said = " ".join(" ".join(elements.text).split())
    assert f"(1 of each, {arms} of {len(ladder.shown['cells'])} cells) are in this table" in said


def test_charts_of_a_large_study_are_packed(ladder: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.loads(_Elements(_page(ladder)).script("specs"))
    monkeypatch.setattr("onset.report.html.packed_if_large", lambda value: packed_if_large(value, 1000))
    text = _page(ladder)
    assert '<script type="application/octet-stream" id="specs">' in text
    assert _unpack(_Elements(text).script("specs")) == whole


# ---- figures -------------------------------------------------------------------------------------------------------


def _figure(made: Made, name: str) -> figures.Figure:
    return next(figure for figure in figures.figures(made.shown) if figure.name == name)


def _data_of(chart: Spec, mark: str) -> list[list[dict[str, Any]]]:
    """The rows behind each layer of a mark."""
    return [layer["data"]["values"] for layer in chart["layer"] if layer["mark"]["type"] == mark]


def test_every_chart_validates_against_the_vega_lite_schema(ladder: Made, pair: Made) -> None:
    drawn = [figure for made in (ladder, pair) for figure in figures.figures(made.shown)]
    charts = [chart for figure in drawn for panel in figure.panels[-2:] for chart in panel.charts]
    assert {figure.name for figure in drawn} == {
        "size", "gains", "labels", "cost", "samples", "shift", "comparisons", "confusion", "matched",
        "drops by size", "halves", "confidence",
    }  # fmt: skip
    for chart in charts:
        alt.Chart.from_dict(figures.specification(chart))


def test_points_and_bars_are_the_cells_numbers(ladder: Made) -> None:
    panel = next(
        p for p in _figure(ladder, "size").panels
        if p.where == {"task": "coin-flip", "shift": "none", "stage": "base", "labels": "32"}
    )  # fmt: skip
    cells = [
        cell
        for cell in ladder.shown["cells"]
        if (cell["task"], cell["shift"], cell["labels"]) == ("coin-flip", "none", 32)
    ]
    chance, bars = _data_of(panel.charts[0], "rule")
    assert chance == [{"chance": 0.5, "text": "chance 50.0 %"}]

    def shown(end: float) -> float:
        return float(f"{end:.5g}")

    # the interval of the mean over seeds, and each seed as a point
    drawn = {(bar["model"], bar["method"], bar["low"], bar["high"]) for bar in bars if bar["ink"] == 1}
    assert drawn == {(c["model"], c["method"], *map(shown, c["mean"]["interval"])) for c in cells}
    seeds = sorted((bar["model"], bar["method"], bar["low"], bar["high"]) for bar in bars if bar["ink"] < 1)
    assert seeds == sorted((c["model"], c["method"], *[shown(c["accuracy"])] * 2) for c in cells)
    means = {(c["model"], c["method"]): c["mean"] for c in cells}
    for arm, direct in zip(ladder.analysis.arms, means_over_draws(ladder.analysis.arms, 50), strict=True):
        if (arm.task, arm.shift, arm.labels) == ("coin-flip", "none", 32):
            assert means[arm.model, arm.method]["interval"] == pytest.approx(direct.interval)
    points = _data_of(panel.charts[0], "point")[-1]
    for point in points:
        same = [c["accuracy"] for c in cells if (c["model"], c["method"]) == (point["model"], point["method"])]
        assert point["accuracy"] == pytest.approx(sum(same) / len(same), rel=1e-4)
        assert point["counts"].count(" of 20, ") == len(same)


def test_sizes_of_two_families_are_never_joined(tmp_path: Path) -> None:
    models = (("a1", 1_000_000), ("b1", 2_000_000), ("a2", 10_000_000), ("b2", 20_000_000))
    made = _made(tmp_path, models=models, families=("a", "b", "a", "b"), seeds=1, items=20, voting=False)
    figure = _figure(made, "size")
    assert figure.title == "Accuracy and model size"
    for panel in figure.panels:
        spec = panel.charts[0]
        line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
        assert line["encoding"]["detail"]["field"] == "family"
        rows = line["data"]["values"]
        assert {(row["method"], row["family"]) for row in rows} == {
            (method, family) for method in ("answer-only", "cot", "lora-answers") for family in "ab"
        }


@pytest.fixture(scope="module")
def rungs(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Eight sizes of one family: chain of thought jumps from nothing, answer-only grows from 20 %."""
    truth: dict[tuple[str, ...], list[float]] = {
        ("sums", "cot"): [0.0, 0.0, 0.0, 0.0, 0.9, 0.9, 0.95, 0.95],
        ("sums", "answer-only"): [0.2, 0.27, 0.33, 0.4, 0.46, 0.53, 0.6, 0.66],
    }
    results = load(ladder_results(tmp_path_factory.mktemp("rungs"), truth, items=150))
    analysis = analyse(results, replicates=200)
    return Made(Path(), analysis, to_json(analysis))


def test_the_line_drawn_is_the_curve_of_the_verdict(rungs: Made) -> None:
    for method in ("cot", "answer-only"):
        curve = next(c for c in rungs.shown["curves"] if c["method"] == method)
        fit = curve["emergence"]["fit"]
        assert fit["drawn"]
        assert len(fit["sizes"]) == len(fit["values"]) == 33
        panel = _figure(rungs, "size").panels[0]
        (lines,) = _data_of(panel.charts[0], "line")
        line = [row for row in lines if row["method"] == method]
        points = [row for row in _data_of(panel.charts[0], "point")[-1] if row["method"] == method]
        aside = points[0]["x"] / points[0]["params"]
        assert [row["x"] / aside for row in line] == pytest.approx(fit["sizes"], rel=1e-3)
        assert [row["accuracy"] for row in line] == pytest.approx(fit["values"], abs=1e-4)
        found = next(one.found for one in rungs.analysis.sizes.curves if one.method == method)
        assert found is not None
        assert found.fit is not None
        shares = found.fit.curve(np.log10(curve["sizes"]))
        observed = np.array(curve["correct"]) / np.array(curve["n"])
        assert np.abs(shares - observed).max() == pytest.approx(fit["largest_gap"])


def test_what_no_curve_fits_is_joined_by_straight_lines(tmp_path: Path) -> None:
    truth = {("sums", "cot"): [0.1, 0.8, 0.15, 0.85, 0.2, 0.9], ("sums", "answer-only"): [0.3] * 6}
    results = load(ladder_results(tmp_path / "d", truth, sizes=LADDER[:6], items=150))
    analysis = analyse(results, replicates=200)
    shown = to_json(analysis)
    curve = next(one for one in shown["curves"] if one["method"] == "cot")
    fit = curve["emergence"]["fit"]
    assert not fit["drawn"]
    assert fit["p_value"] < 0.01
    assert (fit["sizes"], fit["values"]) == ([], [])
    assert curve["emergence"]["threshold"]["midpoint"] is None
    assert "no curve of the families fits (p = below 0.001), so no place on it is said: measured " in curve["sentence"]
    made = Made(Path(), analysis, shown)
    figure = _figure(made, "size")
    joined = [row for rows in _data_of(figure.panels[0].charts[0], "line") for row in rows if row["method"] == "cot"]
    points = [row for row in _data_of(figure.panels[0].charts[0], "point")[-1] if row["method"] == "cot"]
    assert [(row["x"], row["accuracy"]) for row in joined] == [(row["x"], row["accuracy"]) for row in points]
    assert all(row["joined"] for row in joined)
    assert "Thin straight lines join the points of a method for which there is no curve" in figure.caption
    crossed = next(one for one in shown["gains"] if one["kind"] == "chain of thought")["crossover"]
    assert crossed["estimate"] is None
    assert crossed["notes"] == ["no rising curve fits cot"]


def test_a_curve_of_four_sizes_has_its_verdict_and_threshold_in_the_figure(rungs: Made) -> None:
    found = {one["method"]: one for one in rungs.shown["curves"]}
    assert (found["cot"]["emergence"]["verdict"], found["answer-only"]["emergence"]["verdict"]) == (
        "emergent",
        "smooth",
    )
    panel = _figure(rungs, "size").panels[0]
    above = panel.said
    assert any(line.startswith("chain of thought: emergent, leaves chance ") for line in above)
    assert any(line.startswith("answering at once: smooth") for line in above)
    assert "Chain of thought: emergent" in panel.describe
    threshold = found["cot"]["emergence"]["threshold"]
    assert 260_000 <= threshold["low"] < threshold["high"] <= 650_001
    (bands,) = _data_of(panel.charts[0], "rect")
    band = next(row for row in bands if row["method"] == "cot")
    assert (band["x"], band["to"]) == pytest.approx((threshold["low"], threshold["high"]), rel=1e-3)


def test_the_continuous_score_stands_under_the_accuracy_on_the_same_axis(rungs: Made) -> None:
    panel = _figure(rungs, "size").panels[0]
    assert len(panel.charts) == 3
    accuracy, score, _ = panel.charts
    (points,) = figures.specification(score)["datasets"].values()  # one table behind all its layers
    held = {one["method"]: one["scores"] for one in rungs.shown["curves"]}
    metric = held["cot"][0]["metric"]
    assert {one["metric"] for one in rungs.shown["curves"][0]["metric_check"]["scores"]} >= {metric}
    for row in points:
        known = next(one for one in held[row["method"]] if one["metric"] == metric)
        value = known["values"][known["models"].index(row["model"])]
        assert row["score"] == pytest.approx(value, abs=1e-4)
        assert row["low"] <= row["score"] <= row["high"]
    places = {(row["method"], row["model"]): row["x"] for row in _data_of(accuracy, "point")[-1]}
    assert {(row["method"], row["model"]): row["x"] for row in points} == places


def test_the_crossing_of_the_fitted_curves_is_in_the_findings(rungs: Made) -> None:
    (gain,) = [one for one in rungs.shown["gains"] if one["kind"] == "chain of thought"]
    found = gain["crossover"]
    assert (found["verdict"], found["gap"]) == ("from", [260_000, 650_000])
    assert found["interval"][0] <= found["estimate"] <= found["interval"][1]
    said = next(one for one in rungs.shown["findings"] if one["kind"] == "crossover")
    assert said["estimate"] == found["estimate"]
    assert "by the fitted curves chain of thought overtakes answer-only at about" in said["sentence"]
    assert found["shown_from"] == 650_000


def test_the_words_under_the_figures_say_verdict_and_metric(rungs: Made) -> None:
    text = page(rungs.shown, rungs.analysis.study, [], rungs.analysis.measured.records)
    assert "accuracy emerges, staying at chance and then growing faster than any smooth curve" in text
    assert "In the middle: a continuous score of the same outputs" in text


def test_three_sizes_have_no_verdict(ladder: Made) -> None:
    assert all(one["emergence"] is None and one["metric_check"] is None for one in ladder.shown["curves"])
    assert all(len(panel.charts) == 2 for panel in _figure(ladder, "size").panels)


def test_one_size_a_family_gives_a_dot_plot_and_says_why(pair: Made) -> None:
    figure = _figure(pair, "size")
    assert figure.title == "Accuracy by model"
    assert "No model family has two sizes here, so there is no curve over size to draw." in figure.caption
    assert [one.name for one in figures.figures(pair.shown)] == [
        "size", "cost", "comparisons", "confusion"
    ]  # fmt: skip


def test_a_budget_alone_is_no_curve_over_budgets(pair: Made, ladder: Made) -> None:
    tasks = sorted({cell["task"] for cell in ladder.shown["cells"]})
    single = [c for c in ladder.shown["cells"] if c["task"] == tasks[0] or c["labels"] in (0, 8)]
    for made, cells, expected in ((pair, pair.shown["cells"], None), (ladder, single, tasks[:1])):
        figure = label_figure(Shown(cells, figures.style_of(made.shown["cells"])))
        assert (figure and sorted({panel.where["task"] for panel in figure.panels})) == expected


def test_an_axis_of_cost_has_labels_where_all_cost_nearly_the_same(ladder: Made) -> None:
    one = [cell for cell in ladder.shown["cells"] if cell["method"] == "answer-only" and cell["model"] == "tiny"]
    for cells, labels in ((ladder.shown["cells"], "test(/^[13]e/"), (one, "replace(format(datum.value, '.1e')")):
        figure = cost_figure(Shown(cells, figures.style_of(cells)))
        assert figure is not None
        axis = figure.panels[0].charts[0]["layer"][-1]["encoding"]["x"]["axis"]
        assert axis["labelExpr"].startswith(labels)


def test_the_steps_of_cost_are_the_highest_accuracy_so_far(ladder: Made) -> None:
    """As Vega draws them, at two numbers of queries: each step's accuracy against the highest of all that cost no more."""
    for panel in _figure(ladder, "cost").panels:
        (steps,) = [one for one in panel.charts[0]["layer"] if one["mark"].get("interpolate") == "step-after"]
        rows = steps["data"]["values"]
        assert {row["accuracy"] for row in rows} == {
            row["accuracy"] for row in panel.charts[0]["layer"][-1]["data"]["values"]
        }
        for queries in (10, 10**6):
            costs = [(row["inference"] + row["tuning"] / queries, row["accuracy"]) for row in rows]
            expected = {max(other for at, other in costs if at <= cost) for cost, _ in costs}
            marks = {"mark": "point", "params": [{"name": QUERIES, "value": queries}]}
            chart = steps | marks | {"encoding": {"x": {"field": "cost"}, "description": {"field": "highest"}}}
            drawn = set(re.findall(r'aria-label="([0-9.]+)"', vl_convert.vegalite_to_svg(chart)))
            assert {float(one) for one in drawn} == expected


def test_panels_of_a_shift_share_one_scale_a_task(ladder: Made) -> None:
    domains: dict[str, set[str]] = {}
    for panel in _figure(ladder, "shift").panels:
        scale = panel.charts[0]["layer"][-1]["encoding"]["y"]["scale"]
        domains.setdefault(panel.where["task"], set()).add(str(scale["domain"]))
    assert {len(found) for found in domains.values()} == {1}


def test_a_method_has_one_colour_everywhere(ladder: Made) -> None:
    expected = figures.style_of(ladder.shown["cells"]).colours
    assert len(set(expected.values())) == len(expected)
    for figure in figures.figures(ladder.shown):
        for spec in (chart for panel in figure.panels for chart in panel.charts):
            for layer in spec["layer"]:
                colour = layer["encoding"].get("color", {})
                if colour.get("field") == "method":
                    assert dict(zip(colour["scale"]["domain"], colour["scale"]["range"], strict=True)) == expected


def test_cells_of_unknown_size_and_cost_are_left_out_in_words(ladder: Made) -> None:
    shown = json.loads(json.dumps(ladder.shown))
    lost = [cell for cell in shown["cells"] if cell["model"] == "tiny"]
    for cell in lost:
        cell["params"], cell["flops_inference"] = None, None
    size, cost = (next(f for f in figures.figures(shown) if f.name == name) for name in ("size", "cost"))
    said = f" Not drawn: {len(lost)} of {len(shown['cells'])} cells, which have no"
    assert f"{said} parameter count." in size.caption
    assert f"{said} FLOP count." in cost.caption
    points = _data_of(size.panels[0].charts[0], "point")[-1]
    assert {point["model"] for point in points} == {"small", "mid"}


def test_colours_stand_out_from_white_and_from_the_dark_page() -> None:
    def luminance(colour: str) -> float:  # WCAG 2.2, relative luminance
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in figures.PALETTE:
        assert 1.05 / (luminance(colour) + 0.05) >= 3
        assert (luminance(colour) + 0.05) / (luminance("#15181c") + 0.05) >= 3


def test_pictures_for_papers(pair: Made, tmp_path: Path) -> None:
    paths = write_png(analyse(load(pair.folder)), tmp_path / "figures")
    names = [path.name for path in paths]
    assert names == [
        "size.png", "size.svg", "cost.png", "cost.svg", "comparisons.png", "comparisons.svg",
        "confusion.png", "confusion.svg", "captions.txt",
    ]  # fmt: skip
    for path in paths[:-1]:
        content = path.read_bytes()
        if path.suffix == ".png":
            assert content[:8] == b"\x89PNG\r\n\x1a\n"
            svg = path.with_suffix(".svg").read_text()
            width = float(svg.split('width="')[1].split('"')[0])
            assert struct.unpack(">I", content[16:20])[0] == pytest.approx(2 * width, abs=2)
        else:
            assert "<svg" in content.decode()[:200]
    assert paths[-1].read_text().startswith("size: Above: accuracy")


def test_pictures_that_cannot_be_written_are_one_clear_line(pair: Made, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError) as error:
        figures.write_pictures(figures.figures(pair.shown), tmp_path / "taken")
    assert str(error.value) == f"cannot write figures into {tmp_path / 'taken'}: File exists"


# ---- facts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("cot-vote", "Prompt with questions with worked steps and answers (chain of thought); as many of the labelled"
                     " examples as fit; majority of 5 samples at temperature 0.7"),
        ("lora-answers", "LoRA (low-rank adapters) on questions and answers; the tuned model is asked without"
                         " demonstrations"),
    ],
)  # fmt: skip
def test_methods_are_spelled_out(ladder: Made, method: str, words: str) -> None:
    spelled = {row["method"]: row["words"] for row in facts.methods(read_cells(ladder.folder))}
    assert spelled[method] == words


def test_examples_used_come_from_the_ledger(ladder: Made) -> None:
    rows = {(row["method"], row["labels"]): row for row in facts.examples(read_cells(ladder.folder))}
    assert rows["cot", 32] == {"method": "cot", "labels": 32, "used": "32 shown in the prompt", "rationales": "32"}
    assert rows["lora-answers", 8] == {"method": "lora-answers", "labels": 8, "used": "8 trained on", "rationales": "0"}


# ---- the terminal --------------------------------------------------------------------------------------------------


def _printed(width: int, *calls: Any) -> str:
    console = Console(width=width, highlight=False, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        for call, *arguments in calls:
            call(*arguments, console)
    return console.export_text()


def test_show_fits_80_columns_and_keeps_every_number(ladder: Made) -> None:
    text = _printed(80, (print_show, ladder.shown))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for cell in ladder.shown["cells"]:
        low, high = (f"{100 * end:.1f}" for end in cell["interval"])
        assert f"{100 * cell['accuracy']:.1f} %" in text
        assert f"{low} to {high}" in text
        assert f"{100 * cell['parse_rate']:.1f} %" in text
    assert text.count(" undecided") >= sum(one["verdict"] == "undecided" for one in ladder.shown["comparisons"])
    assert "ModelError: the model ran out of memory at batch size 1" in text


def test_accuracies_stand_side_by_side_and_fit_80_columns() -> None:
    cells = [
        {"model": f"model-{place}", "task": "t", "shift": shift, "method": "cot", "accuracy": place / 10,
         "interval": [0.0, 1.0]}
        for place in range(5) for shift in ("none", "typos") if (place, shift) != (4, "typos")
    ]  # fmt: skip
    text = _printed(80, (print_accuracies, {"cells": cells}))
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split("  ") for line in text.replace("\u00a0", " ").splitlines() if " (0–100)" in line]
    shown = [[value.strip() for value in row if value.strip()] for row in rows]
    assert shown == [
        ["t", "cot", "0 (0–100)", "10 (0–100)", "20 (0–100)"],
        ["t, typos", "cot", "0 (0–100)", "10 (0–100)", "20 (0–100)"],
        ["t", "cot", "30 (0–100)", "40 (0–100)"],
        ["t, typos", "cot", "30 (0–100)", "–"],
    ]


def test_names_in_the_terminal_are_text_and_long_ones_fold(pair: Made) -> None:
    name = "[bold]a-very-long-organisation/a-very-long-model-name-with-a-date-2026-01-01[/bold]"
    shown = json.loads(json.dumps(pair.shown).replace('"large"', json.dumps(name)))
    text = _printed(80, (print_show, shown))
    assert max(map(len, text.splitlines())) <= 80
    assert name in "".join(text.split())
    cells = text.split("\nCells\n")[1]
    column = [line[: line.find("  ")].strip() for line in cells.splitlines()]
    assert name in "".join(column)


def test_what_was_not_measured_is_a_dash() -> None:
    cell = {
        "model": "m", "method": "cot", "labels": 8, "task": "t", "shift": "none", "stage": "base", "seed": 0, "n": 0,
        "template": "plain", "chance": 0.0, "accuracy": None, "interval": None, "parse_rate": None,
        "tune": None, "demonstrations": 8,
    }  # fmt: skip
    shown = {"study": "s", "findings": [], "comparisons": [], "cells": [cell], "failed": {}, "missing": []}
    last = _printed(80, (print_show, shown)).strip().splitlines()[-1]
    assert last.split() == ["m", "cot", "8", "–", "–", "–"]


def test_findings_name_the_verdict_first(ladder: Made) -> None:
    lines = _printed(200, (print_findings, ladder.shown)).splitlines()
    first = ladder.shown["findings"][0]
    assert lines[0].startswith(f"• {first['verdict']}: {first['sentence'][:60]}")


def test_plan_list_and_grade_fit_80_columns() -> None:
    promised = {
        "design": "tuned against prompted", "items": 200, "draws": 3, "discordance": 0.2, "difference": 0.05117,
        "comparisons": 9, "independent": 6, "prior_df": 3.0, "family_size": 9, "noise": 0.125, "source": "recorded",
        "decides": True, "proposal": None,
    }  # fmt: skip
    model = {"model": "SmolLM2-135M-Instruct", "templates": ["chat", "plain"], "cells": 24, "tunings": 9, "trials": 48}
    model |= {"flops": 1.0e15, "seconds": 2000.0}
    prompts = {"method": "lora-rationales-steps15-chat", "labels": 256, "fitted": True}
    prompts |= {"demonstrations": [96, 128], "usable": [256, 256], "prompt_tokens": [1890, 7912]}
    plan = {
        "study": "small", "cells": 24, "shared": 1, "flops": 1.0e15, "seconds": 2000.0, "models": [model],
        "search": {"trials": 48, "flops": 1.0e14, "seconds": 200.0},
        "detectable": [promised], "notes": ["a note"], "prompts": [prompts],
    }  # fmt: skip
    rows = [{"prediction": "x" * 100, "status": "none"}, {"prediction": "18", "status": "ok"}]
    status = {"ok": 1, "none": 1, "truncated": 0, "ambiguous": 0}
    summary = {"n": 2, "correct": 1, "accuracy": 0.5, "interval": [0.09, 0.91], "parse_rate": 0.5, "status": status}
    listed = [{"name": "addition", "summary": "s" * 90, "ability": "symbolic", "parameters": ("digits=3",)}]
    text = _printed(
        80, (print_plan, plan), (print_list, "tasks", listed), (print_grade, {"rows": rows, "summary": summary})
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "33 min 20 s" in text
    assert "256        96–128" in text
    assert "1 cell of these read what another one was answered (the same samples, or no" in text
    assert "1,890–7,912" in text
    assert "Fewer than are granted: no more fit beside the longest question and its answer." in text
    assert "5.1 points" in text
    assert "symbolic · digits=3" in text
    assert "Of 2 rows: 1 with an answer, 1 without an answer." in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(59.4, "59 s"), (95, "1 min 35 s"), (3599.6, "1 h 0 min"), (9000, "2 h 30 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
