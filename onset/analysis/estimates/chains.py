"""Right answers by right and by wrong chains, and what a calculator would have changed: from records, without a call.

A chain is wrong with a wrong step, right with checked steps none of which is wrong, unchecked else
(`onset.chains.steps`). Shares of some outputs (of the right answers, of the wrong chains) are ratios of sums over draws
and items (`onset.analysis.estimates.shares`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from onset.analysis.contrast.asked import link
from onset.analysis.contrast.contrast import Contrast, decide, measure, share_noise
from onset.analysis.estimates.shares import Share, ratio
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.outcomes.cells import by_cell, cells_with
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array

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
        shares = {name: getattr(self, name) for name in _SHARES}
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
    wanted = ("item", "rights", "detail", "status", pl.col("outputs").list.len())
    tables = by_cell(measured.records, wanted, cells_with(measured.records, "detail", '"process":'))
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    parse = functools.lru_cache(maxsize=_KNOWN)(_parsed)
    found: list[Chains] = []
    for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        cells = table.sort("seed")["cell"].to_list()
        if not all(cell in tables for cell in cells):
            continue
        read = [_read(tables[cell], parse) for cell in cells]
        if all(read):
            found.append(_chains(arms[key], [one for one in read if one], margin, replicates))
    asked = [(one.calculator, link(one.arm, one.arm)) for one in found if one.calculator is not None]
    shared = share_noise([one for one, _ in asked], ["calculators"] * len(asked), [same for _, same in asked])
    decided = iter(decide(shared, "calculators"))
    return tuple(one if one.calculator is None else replace(one, calculator=next(decided)) for one in found)


_SHARES = ("steps", "lucky", "sound", "faulty")
_KNOWN = 16_384
"""Details that are kept as read: many records have the same, and a large study too many."""

_Detail = tuple[list[tuple[int, int, int]] | None, tuple[bool, int] | None]
"""What a record's details say: of each of its outputs the steps that are right, wrong and unchecked; is the answer with
a calculator right, and how many outputs it changed something in. None where they do not."""


def _parsed(detail: str | None) -> _Detail:
    held = json.loads(detail or "{}")
    process, sums = held.get("process"), held.get("calculator")
    return (
        None if process is None else [(one["right"], one["wrong"], one["unchecked"]) for one in process],
        None if sums is None else (bool(sums["correct"]), sum(count > 0 for count in sums["replaced"])),
    )


_KINDS = tuple((good, verdict) for good in (True, False) for verdict in VERDICTS)


@dataclass(frozen=True, slots=True)
class _Draw:
    """One draw: its ``items``; the place of the ``record`` that each output is of, whether it is ``good``, and its
    steps (outputs x right, wrong, unchecked); by place what is said of a calculator, of records with outputs.
    """

    items: list[str]
    record: NDArray[np.int64]
    good: NDArray[np.bool_]
    steps: NDArray[np.int64]
    calculated: dict[int, tuple[bool, int] | None]

    def sums(self, values: NDArray[Any]) -> Array:
        """Of ``values``, one an output, the sum of each record."""
        made: Array = np.bincount(self.record, values.astype(np.float64), len(self.items)).astype(np.float64)
        return made

    def chains(self) -> Array:
        """Of each record the number of its outputs of each kind (`_KINDS`): by whether the answer is right, and by the
        verdict on the chain (`onset.chains.Steps.verdict`).
        """
        right, wrong, _ = self.steps.T > 0
        verdict = np.where(wrong, 1, np.where(right, 0, 2))
        kind = len(_KINDS) * self.record + 3 * ~self.good + verdict
        made: Array = np.bincount(kind, minlength=len(_KINDS) * len(self.items)).astype(np.float64)
        return made.reshape(-1, len(_KINDS))


def _read(table: pl.DataFrame, parse: Callable[[str | None], _Detail]) -> _Draw | None:
    """None where a record does not hold what is needed; no outputs where the method failed."""
    items = table["item"].to_list()
    record: list[int] = []
    good: list[bool] = []
    every: list[tuple[int, int, int]] = []
    calculated = {}
    rows = zip(*(table[name].to_list() for name in ("rights", "detail", "status", "outputs")), strict=True)
    for place, (rights, detail, status, outputs) in enumerate(rows):
        if not outputs:
            continue
        steps, sums = parse(detail)
        if status == "failed" and steps is None:  # a vote that failed over texts that are there
            continue
        if steps is None or rights is None:
            return None
        if len(steps) != len(rights):
            raise ValueError(f"item {items[place]}: {len(steps)} chains of {len(rights)} outputs")
        record += [place] * len(steps)
        good += rights
        every += steps
        if steps:
            calculated[place] = sums
    steps_of = np.array(every, dtype=np.int64).reshape(-1, 3)
    return _Draw(items, np.array(record, dtype=np.int64), np.array(good, dtype=np.bool_), steps_of, calculated)


def _chains(arm: Outcomes, draws: Sequence[_Draw], margin: float, replicates: int) -> Chains:
    place = {item: column for column, item in enumerate(arm.items)}
    columns = [np.array([place[item] for item in draw.items], dtype=np.int64) for draw in draws]

    def table(values: Sequence[Array]) -> Array:
        """Draws x items, of a value a record of each draw: NaN where the draw lacks the item."""
        made = np.full((len(draws), len(place)), np.nan)
        for row, (held, of) in enumerate(zip(columns, values, strict=True)):
            made[row, held] = of
        return made

    right = table([draw.sums(draw.steps[:, 0]) for draw in draws])
    checked = table([draw.sums(draw.steps[:, :2].sum(axis=1)) for draw in draws])
    chains = [draw.chains() for draw in draws]
    kinds = {kind: table([one[:, at] for one in chains]) for at, kind in enumerate(_KINDS)}

    def good_among(name: str) -> Share | None:
        return ratio(kinds[True, name], kinds[True, name] + kinds[False, name])

    return Chains(
        at=arm.at,
        draws=arm.draws,
        n=len(arm.items),
        outputs=sum(len(draw.good) for draw in draws),
        counts={good: {name: int(np.nansum(kinds[good, name])) for name in VERDICTS} for good in (True, False)},
        unchecked_steps=sum(int(draw.steps[:, 2].sum()) for draw in draws),
        steps=ratio(right, checked),
        lucky=ratio(kinds[True, "wrong"], kinds[True, "wrong"] + kinds[True, "right"]),
        sound=good_among("right"),
        faulty=good_among("wrong"),
        calculator=_calculator(arm, draws, columns, margin, replicates),
        replaced=sum(sums[1] for draw in draws for sums in draw.calculated.values() if sums is not None),
        arm=arm,
        right_steps=right,
        checked_steps=checked,
    )


def _calculator(
    arm: Outcomes, draws: Sequence[_Draw], columns: Sequence[Any], margin: float, replicates: int
) -> Contrast | None:
    known = [sums for draw in draws for sums in draw.calculated.values()]
    if not known or None in known:
        return None
    values = np.full(arm.values.shape, np.nan)
    for row, (draw, held) in enumerate(zip(draws, columns, strict=True)):
        right = np.zeros(len(draw.items))  # not where the method failed
        for place, sums in draw.calculated.items():
            right[place] = sums is not None and sums[0]
        values[row, held] = right
    return measure(
        replace(arm, values=values),
        arm,
        "method",
        margin=margin,
        replicates=replicates,
        names=("with a calculator", "without"),
    )
