"""The figure of labels marks where tuning comes to be ahead, and nothing where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from onset.report.figures.base import Shown, style_of
from onset.report.figures.labels import label_figure


def cell(method: str, labels: int, accuracy: float) -> dict[str, Any]:
    mean = {"accuracy": accuracy, "interval": [accuracy - 0.05, accuracy + 0.05], "draws": 1, "parse_rate": 1.0}
    flops = {"flops_query": 1.0, "flops_tuning": 0.0, "flops_search": 0.0}
    own = {"model": "m", "task": "t", "shift": "none", "stage": "base", "family": "f", "params": 10**6, "seed": 0}
    counts = {"correct": 50, "n": 100, "interval": mean["interval"], "chance": 0.0, "accuracy": accuracy}
    tune = "lora" if method.startswith("lora") else None
    return own | counts | {"method": method, "labels": labels, "tune": tune, "mean": mean | flops}


CELLS = [
    cell(method, labels, accuracy)
    for method, shares in {"cot": (0.5, 0.5), "none": (0.2, 0.2), "lora": (0.3, 0.8), "lora-b": (0.3, 0.6)}.items()
    for labels, accuracy in zip((8, 32), shares, strict=True)
]


def pair(tuned: str, prompted: str, verdict: str, at: float | None, interval: list[float | None]) -> dict[str, Any]:
    where = {"model": "m", "task": "t", "shift": "none", "stage": "base"}
    mean = {"verdict": verdict, "at": at, "interval": interval}
    return where | {"tuned": tuned, "prompted": prompted, "leads": [{"labels": 8}, {"labels": 32}], "mean": mean}


OTHER = pair("lora-b", "none", "reached", 9.0, [8.5, 10.0])


def marks(*pairs: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    figure = label_figure(Shown(CELLS, style_of(CELLS), {"break_even_labels": list(pairs)}))
    assert figure is not None
    (panel,) = figure.panels
    parts = [part for part in panel.charts[0]["layer"] if "until" in str(part["data"]["values"])]
    return parts, figure.caption


def test_the_best_pair_is_marked_with_its_interval() -> None:
    (band, line), caption = marks(OTHER, pair("lora", "cot", "reached", 16.0, [12.0, 24.0]))
    assert (band["mark"]["type"], line["mark"]["type"]) == ("rect", "rule")
    assert band["data"]["values"] == [{"method": "lora", "begin": 12.0, "until": 24.0, "place": 16.0}]
    assert (band["encoding"]["x"]["field"], band["encoding"]["x2"]["field"]) == ("begin", "until")
    assert line["encoding"]["x"]["field"] == "place"
    assert band["encoding"]["x"]["scale"]["type"] == line["encoding"]["x"]["scale"]["type"] == "log"
    assert "Dotted upright line" in caption


def test_an_end_that_is_not_known_runs_to_the_edge() -> None:
    (band,), _ = marks(pair("lora", "cot", "reached", None, [None, 24.0]))
    (row,) = band["data"]["values"]
    assert row["begin"] == pytest.approx(band["encoding"]["x"]["scale"]["domain"][0], rel=1e-4)
    assert row["begin"] < 8
    assert row["until"] == 24.0


@pytest.mark.parametrize("verdict", ["undecided", "not reached", "throughout", "lost again"])
def test_what_is_not_reached_is_not_marked(verdict: str) -> None:
    found, caption = marks(OTHER, pair("lora", "cot", verdict, None, [None, None]))
    assert found == []
    assert "Dotted upright line" not in caption
