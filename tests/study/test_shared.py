"""Outputs that several cells read: asked for once, counted once, and the same as when each asks."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_runner import Counted, study

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.planning import detectable
from onset.analysis.outcomes import outcomes_of
from onset.models.backend import Size
from onset.prompting import PROMPTING
from onset.records import Completion, Request
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
SIZES = {"scripted:none.json": Size(1000, 4096)}
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
        varies = ("seconds", "tuning_seconds", "peak_bytes", "tuning_peak_bytes")
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
    asked = study(methods=[{"prompt": "brittle", "shots": 0}], seeds=1, item_error_budget=1)
    run(asked, tmp_path / "d", models={"fake": model})
    failed = load(tmp_path / "d").cells["failed_items"].to_list()
    assert 0 < failed[0] == failed[1] < 10
    assert model.served == 20
    assert not sources(tmp_path / "d")


class ByDraw(Counted):
    """Its texts depend on the seed and on the prompt, as those of a model that samples."""

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        texts = [
            [
                "heads" if random.Random(f"{one.prompt} {one.seed} {place}").random() < 0.7 else "tails"
                for place in range(one.n)
            ]
            for one in requests
        ]
        return [
            [replace(done, text=f" The answer is {text}.") for done, text in zip(found, said, strict=True)]
            for found, said in zip(super().generate(requests), texts, strict=True)
        ]


def test_what_stands_at_several_budgets_is_one_measurement(tmp_path: Path) -> None:
    voted = [{"prompt": "answer-only", "shots": 0, "vote": 3}, {"prompt": "zero-shot-cot", "vote": 3}]
    shown = [{"prompt": "answer-only", "shots": 1}, {"prompt": "cot", "shots": 1}]

    def compared(name: str, labels: list[int], methods: list[Any]) -> list[Contrast]:
        run(study(methods=methods, labels=labels, seeds=3), tmp_path / name, models={"fake": ByDraw()})
        return [*compare_all(outcomes_of(load(tmp_path / name)), replicates=50)]

    def said(one: Contrast) -> tuple[Any, ...]:
        return one.gap, one.interval, one.p, one.test, one.p_adjusted, one.json()["family_size"]

    (alone,) = compared("one", [2], voted)
    several = compared("three", [2, 4, 8], voted)
    assert alone.gap != 0
    assert len(several) == 3
    assert [said(one) for one in several] == [said(alone)] * 3
    grid = expand(study(methods=[*voted, *shown], labels=[2, 4], seeds=3))
    planned = {one.beside.family_size for one in detectable(grid, estimate(grid, SIZES).price)}
    found = compared("both", [2, 4], [*voted, *shown])
    assert len(found) == 2 * 6
    assert {one.json()["family_size"] for one in found} == planned == {1 + 2 * 5}
