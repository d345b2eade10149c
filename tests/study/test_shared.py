"""Outputs that several cells read: asked for once, counted once, and the same as when each asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_runner import Counted, study

from onset.prompting import PROMPTING
from onset.registry import Entry
from onset.results.read import load
from onset.study.estimate import estimate
from onset.study.grid import expand
from onset.study.runner import run

VOTES_ON_ONE_BANK = [
    {"prompt": "cot", "vote": 8},
    {"prompt": "cot", "vote": {"kind": "complexity", "samples": 8, "keep": 4}},
    {"prompt": "cot", "vote": {"kind": "weighted", "samples": 8}},
]
ZERO_SHOT = [
    {"prompt": "answer-only", "shots": 0},
    "zero-shot-cot",
    {"prompt": "zero-shot-cot", "vote": 3},
    {"prompt": {"kind": "rank-classification", "calibration": "contextual"}, "shots": 0},
    {"prompt": {"kind": "rank-classification", "calibration": "batch"}, "shots": 0},
]
RUNG: dict[str, Any] = {"models": ["ladder/r0"], "seeds": 1, "items": 4}


def sources(folder: Path) -> dict[str, str]:
    """Cell that reads -> cell that was asked."""
    found = (folder / "cells").glob("*/source.json")
    return {path.parent.name: json.loads(path.read_text())["cell"] for path in found}


def test_a_plan_counts_samples_that_votes_share_once() -> None:
    alone = [estimate(expand(study(**RUNG, methods=[one]))).total().flops or 0.0 for one in VOTES_ON_ONE_BANK]
    grid = expand(study(**RUNG, methods=VOTES_ON_ONE_BANK))
    plan = estimate(grid)
    assert alone[0] == alone[1] == alone[2] > 0
    assert plan.total().flops == alone[0]
    assert sum(plan.price(cell)[0] for cell in grid.cells) == pytest.approx(alone[0])
    assert len({plan.price(cell) for cell in grid.cells if cell.labels == 2}) == 1
    other = [*VOTES_ON_ONE_BANK, {"prompt": "cot", "vote": 9}]  # another bank
    more = estimate(expand(study(**RUNG, methods=other))).total().flops or 0.0
    nine = estimate(expand(study(**RUNG, methods=other[-1:]))).total().flops or 0.0
    assert more == pytest.approx(alone[0] + nine)


def test_a_plan_counts_what_uses_no_example_once() -> None:
    plans = [
        estimate(expand(study(**RUNG, methods=ZERO_SHOT, labels=labels))).total().flops for labels in ([0], [0, 2, 8])
    ]
    assert plans[0] == plans[1]


def test_a_plan_promises_the_sharing_that_a_run_does(tmp_path: Path) -> None:
    asked = study(**RUNG, methods=[*VOTES_ON_ONE_BANK, *ZERO_SHOT, "cot"], labels=[2, 4])
    plan = estimate(expand(asked))
    run(asked, tmp_path / "d")
    assert plan.shares == sources(tmp_path / "d") != {}
    shown = plan.to_json(expand(asked))
    assert shown["shared"] == len(plan.shares)
    assert {row["id"]: row["shares"] for row in shown["grid"] if row["shares"]} == plan.shares


def test_what_uses_no_example_is_asked_once_and_each_budget_has_what_asking_gives(tmp_path: Path) -> None:
    def ran(name: str, **changes: Any) -> Counted:
        model = Counted()
        run(study(methods=ZERO_SHOT, **changes), tmp_path / name, models={"fake": model})
        return model

    once = ran("once", labels=[0])
    assert ran("both", labels=[0, 2, 4]).served == once.served > 0
    both = load(tmp_path / "both")
    assert len(sources(tmp_path / "both")) == 2 * 6  # two budgets; the vote has two draws
    assert {one["labels_used"] for one in both.cells.to_dicts()} == {0}
    for labels in (2, 4):
        ran(f"{labels}", labels=[labels])
        alone = load(tmp_path / f"{labels}")
        assert not sources(tmp_path / f"{labels}")
        read = both.records.filter(pl.col("cell").is_in(alone.cells["cell"].to_list()))
        assert read.sort("cell", "position").equals(alone.records.sort("cell", "position"))
        varies = ("seconds", "tuning_seconds")
        rows = both.cells.filter(pl.col("labels") == labels).drop(varies)
        assert rows.sort("cell").equals(alone.cells.drop(varies).sort("cell"))


def test_an_edited_study_reads_what_is_there_and_a_method_with_examples_is_asked(tmp_path: Path) -> None:
    first, then = Counted(), Counted()
    methods = [{"prompt": "answer-only", "shots": 0}, {"prompt": "answer-only", "shots": 2}]
    run(study(methods=methods, labels=[2], seeds=1), tmp_path / "d", models={"fake": first})
    run(study(methods=methods, labels=[2, 4], seeds=1), tmp_path / "d", models={"fake": then})
    assert (first.served, then.served) == (20, 10)
    (reads, asked) = next(iter(sources(tmp_path / "d").items()))
    labels = {row["cell"]: row["labels"] for row in load(tmp_path / "d").cells.to_dicts()}
    assert (labels[reads], labels[asked]) == (4, 2)


def test_a_cell_with_a_failed_item_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROMPTING._entries, "brittle", Entry("test_runner:Brittle", "raises"))
    model = Counted()
    run(study(methods=[{"prompt": "brittle", "shots": 0}], seeds=1), tmp_path / "d", models={"fake": model})
    failed = load(tmp_path / "d").cells["failed_items"].to_list()
    assert 0 < failed[0] == failed[1] < 10
    assert model.served == 20
    assert not sources(tmp_path / "d")
