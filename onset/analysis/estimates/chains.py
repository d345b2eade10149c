"""Right answers by right and by wrong chains, and what a calculator would have changed: from records, without a call.

A chain is wrong with a wrong step, right with checked steps none of which is wrong, unchecked else
(`onset.chains.steps`). Shares of some outputs (of the right answers, of the wrong chains) are ratios of sums over draws
and items (`onset.analysis.estimates.shares`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.contrast.contrast import Contrast, contrast, decide
from onset.analysis.estimates.shares import Share, ratio
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array
from onset.chains import Steps

VERDICTS = ("right", "wrong", "unchecked")
"""Of a chain."""


@dataclass(frozen=True, eq=False)
class Chains(Placed):
    """The chains of one arm.

    ``n``: items; ``outputs``: all texts, of every draw and sample; ``counts``: answer right or not -> verdict on the
    chain -> outputs. Shares are None where there is nothing to take them of: ``steps`` right among those checked;
    ``lucky``: chains with a wrong step among those of right answers that could be checked; ``sound`` and ``faulty``:
    right answers among right and among wrong chains. ``calculator``: accuracy with its sums worked out against without,
    decided with all such of the study (None: answers are no numbers); ``replaced``: outputs in which it changed a
    result. ``right_steps`` and ``checked_steps``: how many of each item, draws x items as in ``arm``.
    """

    at: Setting
    draws: tuple[int, ...]
    n: int
    outputs: int
    counts: Mapping[bool, Mapping[str, int]]
    unchecked_steps: int
    steps: Share | None
    lucky: Share | None
    sound: Share | None
    faulty: Share | None
    calculator: Contrast | None
    replaced: int
    arm: Outcomes
    right_steps: Array
    checked_steps: Array

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        shares = {name: getattr(self, name) for name in ("steps", "lucky", "sound", "faulty")}
        return self.coordinates(method=self.method) | {
            "seeds": list(self.draws),
            "n": self.n,
            "outputs": self.outputs,
            "counts": {"right answer": dict(self.counts[True]), "wrong answer": dict(self.counts[False])},
            "unchecked_steps": self.unchecked_steps,
            **{name: one and one.json() for name, one in shares.items()},
            "calculator": self.calculator and _calculator_json(self.calculator, self.replaced),
        }


def _calculator_json(one: Contrast, replaced: int) -> dict[str, Any]:
    held = one.json()
    names = ("difference", "interval", "p", "p_holm", "test", "margin", "verdict", "discordant")
    levels = {"accuracy": held["accuracy_a"], "accuracy_without": held["accuracy_b"], "replaced": replaced}
    return levels | {name: held[name] for name in names}


def chains_of(measured: Measured, *, margin: float = MARGIN, replicates: int = REPLICATES) -> tuple[Chains, ...]:
    """Every arm whose outputs have steps, in the order of its cells.

    An arm with a record that was measured before steps were checked has none.
    """
    wanted = ("cell", "item", "rights", "detail", "status", "outputs")
    held = measured.records.select(wanted).filter(
        pl.col("cell").is_in(
            measured.records.filter(pl.col("detail").str.contains('"process":', literal=True))["cell"]
            .unique()
            .to_list()
        )
    )
    records = {str(cell): table.to_dicts() for (cell,), table in held.group_by("cell", maintain_order=True)}
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    found = []
    for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        draws = [records.get(cell, []) for cell in table.sort("seed")["cell"]]
        read = [[_read(row) for row in draw] for draw in draws]
        if all(read) and all(one is not None for draw in read for one in draw):
            found.append(_chains(arms[key], [[one for one in draw if one] for draw in read], margin, replicates))
    asked = [one.calculator for one in found if one.calculator is not None]
    decided = iter(decide(asked, "calculators"))
    return tuple(one if one.calculator is None else replace(one, calculator=next(decided)) for one in found)


@dataclass(frozen=True, slots=True)
class _Item:
    """One item of one draw: is each output right, its steps; the answer with a calculator is right (None: not known),
    and outputs in which it changed something.
    """

    item: str
    rights: tuple[bool, ...]
    steps: tuple[Steps, ...]
    calculated: bool | None
    replaced: int


def _read(row: Mapping[str, Any]) -> _Item | None:
    """None where the record does not hold what is needed; no outputs where the method failed."""
    if not row["outputs"]:
        return _Item(row["item"], (), (), None, 0)
    detail = json.loads(row["detail"] or "{}")
    if row["status"] == "failed" and "process" not in detail:  # a vote that failed over texts that are there
        return _Item(row["item"], (), (), None, 0)
    if "process" not in detail or row["rights"] is None:
        return None
    sums = detail.get("calculator")
    return _Item(
        row["item"],
        tuple(row["rights"]),
        tuple(Steps(**one) for one in detail["process"]),
        None if sums is None else bool(sums["correct"]),
        0 if sums is None else sum(count > 0 for count in sums["replaced"]),
    )


def _chains(arm: Outcomes, draws: Sequence[Sequence[_Item]], margin: float, replicates: int) -> Chains:
    pairs = [pair for draw in draws for one in draw for pair in zip(one.rights, one.steps, strict=True)]
    counts = {
        good: {said: sum(right is good and steps.verdict == said for right, steps in pairs) for said in VERDICTS}
        for good in (True, False)
    }

    def share(part: Callable[[bool, Steps], int], whole: Callable[[bool, Steps], int]) -> Share | None:
        tables = (_table(arm, draws, part), _table(arm, draws, whole))
        return ratio(*tables, replicates)

    right, checked = (
        _table(arm, draws, lambda _, steps: steps.right),
        _table(arm, draws, lambda _, steps: steps.right + steps.wrong),
    )

    def among(said: str) -> Share | None:
        return share(lambda right, steps: right and steps.verdict == said, lambda _, steps: steps.verdict == said)

    return Chains(
        at=arm.at,
        draws=arm.draws,
        n=len(arm.items),
        outputs=len(pairs),
        counts=counts,
        unchecked_steps=sum(steps.unchecked for _, steps in pairs),
        steps=ratio(right, checked, replicates),
        lucky=share(
            lambda right, steps: right and steps.verdict == "wrong",
            lambda right, steps: right and steps.verdict != "unchecked",
        ),
        sound=among("right"),
        faulty=among("wrong"),
        calculator=_calculator(arm, draws, margin, replicates),
        replaced=sum(one.replaced for draw in draws for one in draw),
        arm=arm,
        right_steps=right,
        checked_steps=checked,
    )


def _table(arm: Outcomes, draws: Sequence[Sequence[_Item]], counted: Callable[[bool, Steps], int]) -> Array:
    """Draws x items: the sum of ``counted`` over an item's outputs, NaN where the draw lacks the item."""
    place = {item: column for column, item in enumerate(arm.items)}
    table = np.full((len(draws), len(place)), np.nan)
    for row, draw in enumerate(draws):
        for one in draw:
            table[row, place[one.item]] = sum(counted(*pair) for pair in zip(one.rights, one.steps, strict=True))
    return table


def _calculator(arm: Outcomes, draws: Sequence[Sequence[_Item]], margin: float, replicates: int) -> Contrast | None:
    known = [one.calculated is not None for draw in draws for one in draw if one.rights]
    if not known or not all(known):
        return None
    place = {item: column for column, item in enumerate(arm.items)}
    values = np.full(arm.values.shape, np.nan)
    for row, draw in enumerate(draws):
        for one in draw:
            values[row, place[one.item]] = bool(one.calculated)
    return contrast(
        replace(arm, values=values),
        arm,
        "method",
        margin=margin,
        replicates=replicates,
        names=("with a calculator", "without"),
    )
