"""Onset in a notebook and in async programs, and what its values show there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient
from synthetic import synthetic_results

from onset.analysis.finding import Finding
from onset.analysis.study import analyse
from onset.models.scripted import ScriptedModel
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import Study, make_study

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only", "cot"],
        "labels": [2],
        "seeds": 2,
        "items": 6,
    }
    return make_study(**{**values, **changes})


def replies() -> ScriptedModel:
    return ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")


@pytest.mark.slow
def test_the_example_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)  # outputs would go stale
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        output["data"]
        for cell in code
        for output in cell.outputs
        if output["output_type"] in ("execute_result", "display_data")
    ]
    assert len(shown) == len(code)
    assert "<b>Study notebook</b> · Do worked steps pay?" in shown[0]["text/html"]
    assert "Summary(cells=4, ran=4, kept=0, failed={}, waiting=0, items=0)" in shown[1]["text/plain"]
    assert "<b>Results of notebook</b> · 4 cells finished" in shown[2]["text/html"]
    assert "<b>Findings of notebook</b>" in shown[3]["text/html"]
    assert "world-problems" in shown[4]["text/html"]
    assert load(tmp_path / "results" / "notebook").cells["n"].to_list() == [20] * 4


def test_a_study_runs_inside_an_async_program(tmp_path: Path) -> None:
    async def program() -> None:
        run(study(), tmp_path / "inside", models={"fake": replies()})

    asyncio.run(program())
    run(study(), tmp_path / "plain", models={"fake": replies()})
    inside, plain = load(tmp_path / "inside"), load(tmp_path / "plain")
    assert inside.records.equals(plain.records)
    varies = ("seconds", "peak_bytes")
    assert inside.cells.drop(varies).equals(plain.cells.drop(varies))


def test_a_study_shows_its_axes_and_escapes_them() -> None:
    html = study(question="Is 1 < 2 & 3?", shifts=["none", "typos"])._repr_html_()
    assert html == (
        "<p><b>Study s</b> · Is 1 &lt; 2 &amp; 3?</p><table>"
        + "".join(
            f'<tr><th style="text-align: left">{name}</th><td style="text-align: left">{value}</td></tr>'
            for name, value in [
                ("models", "fake"),
                ("tasks", "coin-flip"),
                ("methods", "answer-only, cot"),
                ("labels", "2"),
                ("shifts", "typos"),
                ("seeds", "0, 1"),
                ("items", "6"),
            ]
        )
        + "</table>"
    )
    parts = study(parts=[{"labels": 1}, {"labels": 2}])._repr_html_()
    assert parts.startswith("<p><b>Study s</b></p><p><b>Part 1</b></p>")
    assert parts.count("<table>") == 2


def test_results_and_findings_show_what_they_hold(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path / "d", items=20, seeds=2, voting=False, incomplete=True)
    results = load(folder)
    html = results._repr_html_()
    done = results.cells.height
    assert f"<b>Results of synthetic</b> · {done} cells finished · 1 missing · 1 failed" in html
    assert html.count("<tr>") == 1 + 30
    assert f"… and {done - 30} more rows" in html
    first = results.cells.row(0, named=True)
    assert f"<td>{100 * first['accuracy']:.1f} %</td>" in html
    analysis = analyse(results)
    assert analysis._repr_html_().count("<li>") == len(analysis.findings) > 0
    assert "2 cells not finished" in analysis._repr_html_()


def test_text_of_a_finding_is_escaped() -> None:
    finding = Finding(
        "warning", "<script>", "a & b", None, None, 1, None, "warning", "count", None, 0.0, {"en": "x < y"}, {}
    )
    assert finding._repr_html_() == (
        "<p><b>&lt;script&gt;</b> · a &amp; b</p><table>"
        '<tr><th style="text-align: left">says</th><td style="text-align: left">x &lt; y</td></tr></table>'
    )


def test_results_without_a_measurement_say_so(tmp_path: Path) -> None:
    results = load(synthetic_results(tmp_path / "d", items=4, seeds=1, voting=False))
    blank = results.cells.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("accuracy", "low", "high"))
    from dataclasses import replace

    assert "<td>not measured</td>" in replace(results, cells=blank)._repr_html_()
