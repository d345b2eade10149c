"""What a bank of samples says of every number of samples: accuracy of one, of a majority of k, of any of k.

Where a method drew N samples of each item, every subset of k of them is a run with k samples that could have been:
`onset.analysis.stats.subsets` averages over all of them, so that one cell gives the accuracy of every vote up to N, and
pass@k, what a perfect choice among k samples would reach. Votes of several kinds over the same samples are one bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from onset.analysis.contrast.asked import link
from onset.analysis.contrast.contrast import Contrast, decide, measure, share_noise
from onset.analysis.estimates.shares import means
from onset.analysis.outcomes import KEY, Measured, Outcomes, Outputs
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array
from onset.analysis.stats.shares import Interval
from onset.analysis.stats.subsets import majorities, passes
from onset.records import content_hash

EVERY = 64
"""Up to it every k has its point; above, points stand evenly on a logarithmic scale, the last at N."""


@dataclass(frozen=True, slots=True)
class BankPoint:
    """With ``k`` samples an item: accuracy of the ``majority`` (maj@k; samples without an answer do not vote, ties are
    split evenly), and the share of items at which ``any`` sample is right (pass@k), with their 95 % intervals.
    """

    k: int
    majority: float
    majority_interval: Interval
    any: float
    any_interval: Interval


@dataclass(frozen=True, eq=False)
class Bank(Placed):
    """The samples of one setting, which the votes ``methods`` share.

    ``samples``: N of an item; ``unread``: share of samples without an answer; ``points``: by ascending k, from 1 to N;
    ``gain``: the majority of all N against one sample, on the same items, decided with all other banks of the study;
    ``room``: pass@N minus maj@N, what a perfect choice would add, with ``room_interval``; ``arm``: the outcomes of its
    first vote, and ``passed``: pass@k of each item, k (1 to N) x draws x items as in ``arm``.
    """

    at: Setting
    methods: tuple[str, ...]
    draws: tuple[int, ...]
    n: int
    samples: int
    unread: float
    points: tuple[BankPoint, ...]
    gain: Contrast
    room: float
    room_interval: Interval
    arm: Outcomes
    passed: Array

    @property
    def one(self) -> BankPoint:
        """A single sample."""
        return self.points[0]

    @property
    def all(self) -> BankPoint:
        """All N samples."""
        return self.points[-1]

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        gain = self.gain.json()
        return self.coordinates(methods=list(self.methods)) | {
            "seeds": list(self.draws),
            "n": self.n,
            "samples": self.samples,
            "unread": self.unread,
            "points": [
                {
                    "k": one.k,
                    "majority": one.majority,
                    "majority_interval": list(one.majority_interval),
                    "any": one.any,
                    "any_interval": list(one.any_interval),
                }
                for one in self.points
            ],
            "gain": gain["difference"],
            "gain_interval": gain["interval"],
            **{name: gain[name] for name in ("p", "p_holm", "test", "margin", "verdict")},
            "room": self.room,
            "room_interval": list(self.room_interval),
        }


def banks_of(measured: Measured, *, margin: float = MARGIN, replicates: int = REPLICATES) -> tuple[Bank, ...]:
    """Every bank of samples of a results folder, in the order of its cells.

    A bank needs to know which samples are right: a setting with a cell that was measured before records held that
    (`onset.records.Record.rights`) has none.
    """
    wanted = ("item", "outputs", "answers", "rights", "status")
    cells = measured.cells.filter(pl.col("vote").is_not_null() & (pl.col("n") > 0))
    tables = by_cell(measured.records, wanted, cells["cell"])
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    found: dict[str, tuple[Outcomes, list[str], _Samples]] = {}
    for key, table in cells.select(*KEY, "seed", "cell", "vote").group_by(KEY, maintain_order=True):
        group = table.sort("seed")
        held = [tables[cell] for cell in group["cell"].to_list()]
        if any(_unknown(draw) for draw in held):
            continue
        outputs = [draw["outputs"].to_list() for draw in held]
        place = content_hash([list(map(str, key[:2] + key[3:])), outputs])
        if place in found:
            found[place][1].append(str(key[2]))
        else:
            found[place] = (arms[key], [str(key[2])], _samples(arms[key], held, int(group["vote"][0])))
    made = [_bank(arm, methods, held, margin, replicates) for arm, methods, held in found.values()]
    gains = share_noise(
        [one.gain for one in made],
        [f"majorities of samples, {'tuned' if one.arm.tuned else 'prompted'}" for one in made],
        [link(one.arm, one.arm) for one in made],
    )
    decided = decide(gains, "banks of samples")
    return tuple(replace(one, gain=gain) for one, gain in zip(made, decided, strict=True))


@dataclass(frozen=True, slots=True)
class _Samples:
    """What is kept of a bank's records, whose texts are many: maj@k and pass@k of every k up to ``count`` (`_tables`),
    and the share of samples in which no answer was found.
    """

    count: int
    majority: Array
    right: Array
    unread: float


def _unknown(draw: pl.DataFrame) -> bool:
    """Does a record not say which of its samples are right?"""
    told = draw["rights"].list.len() == draw["answers"].list.len()
    return draw["rights"].null_count() > 0 or not told.all()


def _samples(arm: Outcomes, held: Sequence[pl.DataFrame], count: int) -> _Samples:
    asked = [answers for draw in held for answers in draw["answers"].to_list() if answers]
    said = sum(len(answers) - answers.count(None) for answers in asked)
    return _Samples(count, *_tables(arm, held, count), 1 - said / (count * len(asked)) if asked else 1.0)


def _bank(arm: Outcomes, methods: Sequence[str], held: _Samples, margin: float, replicates: int) -> Bank:
    samples, majority, right = held.count, held.majority, held.right
    places = _places(samples)
    tables = [table[k - 1] for k in places for table in (majority, right)]
    *pairs, (room, room_interval) = means([*tables, right[-1] - majority[-1]], replicates)
    points = tuple(
        BankPoint(k, *of_majority, *of_right)
        for k, of_majority, of_right in zip(places, pairs[::2], pairs[1::2], strict=True)
    )
    gain = measure(
        replace(arm, values=majority[-1], outputs=Outputs()),
        replace(arm, values=majority[0], outputs=Outputs()),
        "method",
        margin=margin,
        replicates=replicates,
        names=(f"maj@{samples}", "1 sample"),
        kind="share",
    )
    return Bank(
        at=arm.at,
        methods=tuple(methods),
        draws=arm.draws,
        n=len(arm.items),
        samples=samples,
        unread=held.unread,
        points=points,
        gain=gain,
        room=room,
        room_interval=room_interval,
        arm=arm,
        passed=right,
    )


def _places(samples: int) -> tuple[int, ...]:
    few = range(1, min(samples, EVERY) + 1)
    more = np.geomspace(EVERY, samples, EVERY // 2).round().astype(int) if samples > EVERY else ()
    return tuple(sorted({*few, *map(int, more)}))


_Votes: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""How many samples gave each of the answers that are right, and each of those that are wrong."""


def _tables(arm: Outcomes, held: Sequence[pl.DataFrame], samples: int) -> tuple[Array, Array]:
    """maj@k and pass@k of every k, each k x draws x items; NaN where a draw lacks the item. At an item at which the
    method failed no sample is right.
    """
    place = {item: column for column, item in enumerate(arm.items)}
    known: dict[_Votes, int] = {}  # votes fall in few ways: of a large study the same over and over
    drawn = []
    for draw in held:
        records = zip(*(draw[name].to_list() for name in ("item", "answers", "rights")), strict=True)
        votes = [(place[item], _votes(item, answers, rights, samples)) for item, answers, rights in records]
        drawn.append(([column for column, _ in votes], [known.setdefault(one, len(known)) for _, one in votes]))
    ways = np.array([_of(*one, samples) for one in known]).reshape(-1, 2, samples)
    majority, right = (np.full((samples, len(held), len(place)), np.nan) for _ in range(2))
    for row, (columns, numbers) in enumerate(drawn):
        majority[:, row, columns], right[:, row, columns] = ways[numbers].transpose(1, 2, 0)
    return majority, right


def _votes(item: str, answers: Sequence[str | None], rights: Sequence[bool], samples: int) -> _Votes:
    if not answers:  # the method failed
        return (), ()
    if len(answers) != samples:
        raise ValueError(f"item {item}: {len(answers)} answers of a vote over {samples} samples")
    counts: dict[tuple[str | None, bool], int] = {}
    for one in zip(answers, rights, strict=True):
        counts[one] = counts.get(one, 0) + 1
    right, wrong = (
        tuple(sorted(count for (answer, good), count in counts.items() if answer is not None and bool(good) is which))
        for which in (True, False)
    )
    return right, wrong


def _of(right: tuple[int, ...], wrong: tuple[int, ...], samples: int) -> tuple[Array, Array]:
    return majorities(right, wrong, samples - sum(right) - sum(wrong)), passes(sum(right), samples)
