"""What a page opens with, and whose legends it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_arms import arm
from synthetic import synthetic_results

from onset.analysis import analyse, load
from onset.analysis.questions import question
from onset.cli import main
from onset.report.figures.rows import budget_name, largest_budget_first
from onset.report.layout import _without_legend


def test_the_largest_budget_comes_first_and_all_else_stays_in_order() -> None:
    rows = [{"labels": labels, "method": method} for labels in (8, 128, None) for method in "ab"]
    ordered = largest_budget_first(rows)
    assert [one["method"] for one in ordered] == ["a", "b"] * 3
    assert [one["labels"] for one in ordered[::2]] == [budget_name(128), budget_name(8), budget_name(None)]


def test_legends_that_the_page_has_itself_go_and_others_stay() -> None:
    part = {"color": {"field": "method"}, "shape": {"field": "family"}, "layer": [{"color": {"field": "what"}}]}
    made = _without_legend(part)
    assert made["color"]["legend"] is None
    assert made["shape"]["legend"] is None
    assert "legend" not in made["layer"][0]["color"]


def test_methods_that_are_equal_are_named_together(tmp_path: Path) -> None:
    study = analyse(load(synthetic_results(tmp_path / "d", models=(("m", 10**6),), seeds=1, items=30)), replicates=100)
    values = (np.arange(30) < 24).astype(float)
    arms = [
        arm(values, method="cot", task=study.arms[0].task, labels=8),
        arm(values[::-1].copy(), method="lora", task=study.arms[0].task, labels=8, tune="lora"),
    ]
    from dataclasses import replace

    from onset.analysis.contrast.asked import compare_all
    from onset.analysis.estimates.label_curves import label_curves

    tied = replace(
        study, measured=replace(study.measured, outcomes=tuple(arms)), labels=replace(study.labels, curves=label_curves(arms)),
        contrasts=replace(study.contrasts, methods=compare_all(arms, replicates=100)), decisions=(),
    )  # fmt: skip
    (said,) = question("best method").ask(tied)
    assert "scores highest with cot and lora" in said.sentence.replace("chain of thought", "cot").replace(
        "LoRA", "lora"
    )
    assert "score highest alike, 80.0 %" in said.lines["en"]


def test_two_ways_of_showing_all_are_not_asked_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = synthetic_results(tmp_path / "d", models=(("m", 10**6),), shifts=("none", "typos"), seeds=1, items=20)
    with pytest.raises(SystemExit) as stopped:
        main(["show", str(folder), "--robustness", "--details"])
    assert stopped.value.code == 2
    assert "ask for one of them" in capsys.readouterr().err
