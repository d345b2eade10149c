"""Two readers over the same texts: how often the answers that they find differ, and what each says of accuracy.

The texts are those of the records, read again without a call; the second reader is math-verify
(`onset.answers.math_verify`). Each output is looked at by itself, before any vote. An item at which the method failed
has no text: it is wrong by both, as in every other table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.contrast.contrast import Contrast, contrast, decide
from onset.analysis.estimates.shares import mean
from onset.analysis.outcomes import KEY, Measured, Outcomes, Outputs
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array
from onset.analysis.stats.shares import Interval
from onset.answers import canonical_number
from onset.answers.math_verify import Reader, Second, math_verify
from onset.errors import InputError
from onset.records import Item, content_hash

Estimate = tuple[float, Interval]
"""A share of outputs (0..1), a mean over draws and items, with its 95 % interval."""
NAMES = ("math-verify", "the task's reader")


@dataclass(frozen=True, eq=False)
class SecondReading(Placed):
    """The outputs of one setting, read twice.

    ``methods``: those that have these very outputs (votes over one bank of samples); ``n``: items; ``outputs``: all
    texts, of every draw and sample; ``right``: how many are right by (``both``, the ``first`` reader alone, the
    ``second`` alone, ``neither``); ``unread``: in how many the first and the second reader find no answer;
    ``first``, ``second``: accuracy of an output by each; ``differ``: share of outputs in which they find different
    answers, or one of them none; ``disagree``: share that is right by one alone; ``change``: the second's accuracy
    against the first's, decided with all other settings; ``timeouts``: outputs at which math-verify ran out of time.
    """

    at: Setting
    methods: tuple[str, ...]
    draws: tuple[int, ...]
    n: int
    outputs: int
    right: Mapping[str, int]
    unread: tuple[int, int]
    first: Estimate
    second: Estimate
    differ: Estimate
    disagree: Estimate
    change: Contrast
    timeouts: int

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        held = self.change.json()
        shares = ("first", "second", "differ", "disagree")
        return self.coordinates(methods=list(self.methods)) | {
            "seeds": list(self.draws),
            "reader": NAMES[0],
            "n": self.n,
            "outputs": self.outputs,
            "right": dict(self.right),
            "unread": {"first": self.unread[0], "second": self.unread[1]},
            **{name: {"value": one[0], "interval": list(one[1])} for name in shares for one in [getattr(self, name)]},
            **{
                name: held[name]
                for name in ("difference", "interval", "p", "p_holm", "test", "margin", "verdict", "discordant")
            },
            "timeouts": self.timeouts,
        }


def second_readings(
    measured: Measured, *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[SecondReading, ...]:
    """Every setting whose gold answers are all numbers and whose answers were read from texts, in the order of its
    cells; votes over the same samples once. A setting that was measured before records held which samples are right
    (`onset.records.Record.rights`) has none.

    Raises InputError for another tool's results, whose texts were read by that tool, and as `math_verify` does.
    """
    if measured.foreign:
        raise InputError("math-verify reads the texts of a results folder of `onset run`, not another tool's results")
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    groups: dict[str, tuple[Outcomes, list[str], list[list[dict[str, Any]]]]] = {}
    for key, held in _settings(measured):
        said = [[(row["outputs"], row["answers"], row["rights"]) for row in draw] for draw in held]
        place = content_hash([list(map(str, key[:2] + key[3:])), said])
        if place in groups:
            groups[place][1].append(str(key[2]))
        else:
            groups[place] = (arms[key], [str(key[2])], held)
    with math_verify() as read:
        made = [_read(arm, methods, held, read, margin, replicates) for arm, methods, held in groups.values()]
    decided = decide([one.change for one in made], "second readings")
    return tuple(replace(one, change=change) for one, change in zip(made, decided, strict=True))


def _settings(measured: Measured) -> Iterator[tuple[tuple[Any, ...], list[list[dict[str, Any]]]]]:
    """The settings that can be read again, by the values of `KEY`, with the records of each draw."""
    tables = by_cell(measured.records, ("item", "question", "gold", "golds", "outputs", "answers", "rights"))
    for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        held = [tables[cell].to_dicts() for cell in table.sort("seed")["cell"]]
        rows = [row for draw in held for row in draw]
        if (
            any(row["outputs"] for row in rows)
            and all(_whole(row) for row in rows)
            and all(None not in _golds(row) for row in rows)
        ):
            yield key, held


def _whole(row: Mapping[str, Any]) -> bool:
    """Does the record hold an answer of every output, and whether it is right?"""
    texts = row["outputs"]
    return not texts or (row["rights"] is not None and len(row["rights"]) == len(row["answers"]) == len(texts))


def _golds(row: Mapping[str, Any]) -> list[str | None]:
    """All right answers in their canonical form; None for one that is no number."""
    return [canonical_number(one.rpartition("####")[2]) for one in row["golds"] or [row["gold"]]]


def _read(
    arm: Outcomes,
    methods: Sequence[str],
    held: Sequence[Sequence[Mapping[str, Any]]],
    read: Reader,
    margin: float,
    replicates: int,
) -> SecondReading:
    place = {item: column for column, item in enumerate(arm.items)}
    first, second, differ, disagree = (np.full((len(held), len(place)), np.nan) for _ in range(4))
    pairs: list[tuple[bool, bool, Second]] = []
    for row, draw in enumerate(held):
        for record in draw:
            column, twice = place[record["item"]], _twice(record, read)
            pairs += twice
            first[row, column] = _share([right for right, _, _ in twice])
            second[row, column] = _share([one.right for _, _, one in twice])
            differ[row, column] = _share([not one.same for _, _, one in twice])
            disagree[row, column] = _share([right != one.right for right, _, one in twice])
    return SecondReading(
        at=arm.at,
        methods=tuple(methods),
        draws=arm.draws,
        n=len(arm.items),
        outputs=len(pairs),
        right={
            name: sum((right, one.right) == said for right, _, one in pairs)
            for name, said in (
                ("both", (True, True)),
                ("first", (True, False)),
                ("second", (False, True)),
                ("neither", (False, False)),
            )
        },
        unread=(sum(not answered for _, answered, _ in pairs), sum(not one.found for _, _, one in pairs)),
        first=mean(first, replicates),
        second=mean(second, replicates),
        differ=mean(differ, replicates),
        disagree=mean(disagree, replicates),
        change=_change(arm, first, second, margin, replicates),
        timeouts=sum(one.timeouts > 0 for _, _, one in pairs),
    )


def _twice(record: Mapping[str, Any], read: Reader) -> list[tuple[bool, bool, Second]]:
    """Of every output: right by the first reader, answered by it, and what the second says."""
    golds = [one for one in _golds(record) if one is not None]
    item = Item(record["question"], record["gold"])
    out = []
    for text, answer, right in zip(record["outputs"], record["answers"], record["rights"], strict=True):
        number = None if answer is None else canonical_number(answer)
        second = read(text, item, golds, number)
        if answer is not None and number is None:  # an answer that is no number is none that math-verify could find
            second = replace(second, same=False)
        out.append((right, answer is not None, second))
    return out


def _share(said: Sequence[bool]) -> float:
    return sum(said) / len(said) if said else 0.0


def _change(arm: Outcomes, first: Array, second: Array, margin: float, replicates: int) -> Contrast:
    whole = all(bool(np.isin(table[~np.isnan(table)], (0.0, 1.0)).all()) for table in (first, second))
    return contrast(
        replace(arm, values=second, outputs=Outputs()),
        replace(arm, values=first, outputs=Outputs()),
        "method",
        margin=margin,
        replicates=replicates,
        names=NAMES,
        kind="binary" if whole else "share",
    )
