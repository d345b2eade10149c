"""The figure of cost has a plot in money where the study gives prices, and none where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from onset.report.figures.base import Shown, style_of
from onset.report.figures.cost import cost_figure

AT = {"model": "m", "task": "t", "shift": "none", "stage": "base", "labels": 8}


def cell(method: str, accuracy: float) -> dict[str, Any]:
    mean = {"accuracy": accuracy, "interval": [accuracy - 0.05, accuracy + 0.05], "draws": 1, "parse_rate": 1.0}
    mean |= {"flops_query": 1e6, "flops_tuning": 1e9, "flops_search": 0.0}
    own = {"family": "f", "params": 10**6, "seed": 0, "tune": None, "flops_inference": 1e8, "method": method}
    counts = {"correct": 50, "n": 100, "interval": mean["interval"], "chance": 0.0, "accuracy": accuracy}
    return AT | own | counts | {"mean": mean}


def cost(method: str, query: float | None, once: float | None = 0.0, currency: str = "$") -> dict[str, Any]:
    money = None if query is None else {"query": query, "once": once, "currency": currency}
    return AT | {"method": method, "money": money}


CELLS = [cell("cot", 0.5), cell("lora", 0.7), cell("full", 0.6)]


def charts(*costs: dict[str, Any]) -> tuple[list[Any], str]:
    figure = cost_figure(Shown(CELLS, style_of(CELLS), {"costs": list(costs)}))
    assert figure is not None
    (panel,) = figure.panels
    return list(panel.charts), figure.caption


def test_arms_are_where_their_price_is() -> None:
    (_, money), caption = charts(cost("cot", 0.002), cost("lora", 0.001, 5.0), cost("full", None))
    points = next(part for part in money["layer"] if part["mark"]["type"] == "point")
    rows = {row["method"]: (row["inference"], row["tuning"]) for row in points["data"]["values"]}
    assert rows == {"cot": (0.002, 0.0), "lora": (0.001, 5.0)}
    assert points["encoding"]["x"]["title"] == "$ a query"
    assert "Below: the same in money" in caption


@pytest.mark.parametrize(
    "costs",
    [
        [],
        [cost(method, None) for method in ("cot", "lora", "full")],
        [cost("cot", 1.0, None)],
        [cost("cot", 0.0)],
        [cost("cot", 1.0), cost("lora", 1.0, currency="\u20ac")],
    ],
    ids=["none", "no price", "once not known", "free", "two currencies"],
)
def test_without_prices_of_one_currency_there_is_one_plot(costs: list[dict[str, Any]]) -> None:
    found, caption = charts(*costs)
    assert len(found) == 1
    assert found[0]["layer"][-1]["encoding"]["x"]["title"] == "FLOPs a query"
    assert "money" not in caption
