"""Accuracy against the tokens that a reasoning model thinks: a line for each way of asking, a point for each budget.

The ways are cells of ``prompt: thinking`` that differ in nothing but the budget (`onset.prompting.thinking`). What was
thought is counted by the backend, in tokens, the marks of thinking included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.estimates.label_curves import LabelPoint
from onset.analysis.estimates.shares import mean
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.shares import Interval
from onset.prompting.thinking import FORCED, Thinks
from onset.records import canonical_json
from onset.results.read import distinct_names

_DEFAULT: int = Thinks.model_fields["budget"].default


@dataclass(frozen=True, slots=True)
class ThinkingPoint:
    """One ``budget`` (tokens), asked by ``method``: its accuracy (``point``).

    ``tokens``: thinking tokens of an output, a mean over draws, items and samples in which one that does not think has
    0; ``thinks``: share of outputs that do; ``cut``: share of outputs that used up the budget, whether an answer was
    then forced or not, with ``cut_interval`` (95 %). An item at which the method failed has no output, and one that was
    measured before thinking was counted no number of it: they count for none of the three.
    """

    method: str
    budget: int
    point: LabelPoint
    tokens: float
    thinks: float
    cut: float
    cut_interval: Interval

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        return {
            "method": self.method,
            "budget": self.budget,
            "tokens": self.tokens,
            "thinks": self.thinks,
            "accuracy": self.point.accuracy,
            "interval": list(self.point.interval),
            "cut": self.cut,
            "cut_interval": list(self.cut_interval),
            "n": self.point.n,
            "draws": self.point.draws,
        }


@dataclass(frozen=True, eq=False)
class ThinkingLine(Placed):
    """The budgets of one way of asking, ``points`` in ascending order; ``name`` tells it from the study's others."""

    at: Setting
    name: str
    points: tuple[ThinkingPoint, ...]

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return self.coordinates(line=self.name) | {
            "points": [one.json() for one in self.points],
        }


def thinking_lines(
    measured: Measured, means: Mapping[tuple[Any, ...], LabelPoint], *, replicates: int = REPLICATES
) -> tuple[ThinkingLine, ...]:
    """Every line of a results folder, in the order of its cells; ``means``: the accuracy of every arm, by the values of
    `onset.analysis.outcomes.KEY`. An arm of which no output is left (all of its items failed) has no point.
    """
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    found: dict[tuple[Any, ...], tuple[Setting, dict[str, Any], list[ThinkingPoint]]] = {}
    for key, budget, rest, cells in _asked(measured):
        point = _point(arms[key], budget, means[key], _records(measured, cells), replicates)
        if point is not None:
            place = (*key[:2], *key[3:], canonical_json(rest))
            found.setdefault(place, (arms[key].at, rest, []))[2].append(point)
    settings = [rest for _, rest, _ in found.values()]
    names = distinct_names([Thinks.kind] * len(settings), settings, [""] * len(settings))
    return tuple(
        ThinkingLine(at, name, tuple(sorted(points, key=lambda one: one.budget)))
        for name, (at, _, points) in zip(names, found.values(), strict=True)
    )


def _asked(measured: Measured) -> Iterator[tuple[tuple[Any, ...], int, dict[str, Any], list[str]]]:
    """Arms that think: their key, budget, other settings, and the ids of their cells by draw."""
    thinking = measured.cells.filter((pl.col("prompt") == Thinks.kind) & (pl.col("n") > 0))
    for key, table in thinking.group_by(KEY, maintain_order=True):
        spec = json.loads(table["method_spec"][0])
        prompt = spec["prompt"] if isinstance(spec["prompt"], dict) else {"kind": spec["prompt"]}
        others = {name: _said(value) for name, value in (spec | prompt).items() if name not in _OWN}
        yield key, int(prompt.get("budget", _DEFAULT)), others, table.sort("seed")["cell"].to_list()


_OWN = ("prompt", "kind", "budget", "name")


def _said(value: Any) -> str:
    """A setting in a few words."""
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_said(one)}" for name, one in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _records(measured: Measured, cells: Sequence[str]) -> list[list[dict[str, Any]]]:
    tables = by_cell(measured.records, ("item", "outputs", "finishes", "thinking", "calls"), cells)
    return [tables[cell].to_dicts() for cell in cells]


def _point(
    arm: Outcomes, budget: int, point: LabelPoint, draws: Sequence[Sequence[Mapping[str, Any]]], replicates: int
) -> ThinkingPoint | None:
    place = {item: column for column, item in enumerate(arm.items)}
    tokens, thinks, cut = (np.full((len(draws), len(place)), np.nan) for _ in range(3))
    for row, draw in enumerate(draws):
        for record in draw:
            if not record["outputs"] or record["thinking"] is None:
                continue
            column, thought = place[record["item"]], record["thinking"]
            tokens[row, column] = np.mean([one or 0 for one in thought])
            thinks[row, column] = np.mean([one is not None for one in thought])
            cut[row, column] = _used_up(record) / len(thought)
    if np.isnan(cut).all():
        return None
    share, interval = mean(cut, replicates)
    return ThinkingPoint(
        arm.method, budget, point, float(np.nanmean(tokens)), float(np.nanmean(thinks)), share, interval
    )


def _used_up(record: Mapping[str, Any]) -> int:
    """Outputs whose thinking took the whole budget; where an answer was forced then, a call says so."""
    forced = sum(call["role"] == FORCED for call in record["calls"] or ())
    unfinished = sum(one == "budget" for one in record["finishes"])
    return int(forced + unfinished)
