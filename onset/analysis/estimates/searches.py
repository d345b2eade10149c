"""What choosing settings brought: every arm whose settings were searched, beside the same method as it is written.

Arms of a rule that looks beyond the budget (`onset.search.base.Search.bound`) are upper bounds. They are taken out of a
study before anything is estimated of it (`apart`): no comparison, curve, pool of noise, recommendation or correction
has them in it; here alone they are held against the method as written, each by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from onset.analysis.contrast.contrast import Contrast, decide, measure
from onset.analysis.estimates.label_curves import LabelPoint, label_curves, means_of
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.records import canonical_json


@dataclass(frozen=True, slots=True)
class Bounds:
    """The upper bounds of a study: their ``outcomes`` and ``cells``."""

    outcomes: tuple[Outcomes, ...]
    cells: pl.DataFrame


def apart(measured: Measured) -> tuple[Measured, Bounds]:
    """What was ``measured`` without the upper bounds, and these."""
    bound = pl.col("cell").is_in(measured.cells.filter(pl.col("bound"))["cell"].to_list())
    bounds = Bounds(tuple(one for one in measured.outcomes if one.asked.bound), measured.cells.filter(bound))
    if not len(bounds.cells):
        return measured, bounds
    fair = replace(
        measured,
        outcomes=tuple(one for one in measured.outcomes if not one.asked.bound),
        cells=measured.cells.filter(~bound),
        records=measured.records.filter(~bound),
    )
    return fair, bounds


@dataclass(frozen=True, slots=True)
class Taken:
    """A ``setting`` that a search took (what differs from the method as written: empty, it itself), in ``draws``."""

    setting: Mapping[str, Any]
    draws: int


@dataclass(frozen=True, eq=False)
class Searched(Placed):
    """An arm whose settings were searched.

    ``select``: the rule; ``bound``: an upper bound; ``point``: its accuracy on the test items; ``trials`` of a draw,
    and how many of all ``failed``; ``taken``: most often taken first; ``decided``: what told the taken setting from the
    next one -> draws; ``score``: mean held-out accuracy of the settings taken (too high: they were picked by it), and
    ``own_score`` of the method as written (None: it failed in a draw); ``flops`` and ``seconds`` of the search, means
    over draws (None: not known); ``outside``: labels beyond the budget; ``against``: this arm minus the ``plain`` one
    (None: it was not measured).
    """

    at: Setting
    select: str
    bound: bool
    point: LabelPoint
    trials: int
    failed: int
    taken: tuple[Taken, ...]
    decided: Mapping[str, int]
    score: float
    own_score: float | None
    flops: float | None
    seconds: float | None
    outside: int
    plain: str | None
    against: Contrast | None

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        held = None if self.against is None else self.against.json()
        names = ("difference", "interval", "p", "p_holm", "test", "margin", "verdict")
        return self.coordinates(method=self.method) | {
            "select": self.select,
            "upper_bound": self.bound,
            "accuracy": self.point.accuracy,
            "interval": list(self.point.interval),
            "n": self.point.n,
            "draws": self.point.draws,
            "trials": self.trials,
            "failed_trials": self.failed,
            "taken": [{"setting": dict(one.setting), "draws": one.draws} for one in self.taken],
            "decided": dict(self.decided),
            "score": self.score,
            "score_as_written": self.own_score,
            "flops": self.flops,
            "seconds": self.seconds,
            "labels_outside": self.outside,
            "plain": self.plain,
            "against": None if held is None else {name: held[name] for name in names},
        }


def searches_of(
    fair: Measured,
    bounds: Bounds,
    compared: Sequence[Contrast],
    means: Mapping[tuple[Any, ...], LabelPoint],
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> tuple[Searched, ...]:
    """Every searched arm of a results folder, in the order of its cells, the upper bounds last.

    ``compared``: the comparisons of methods, of which those of an arm with itself as written are taken as they were
    decided; ``means``: accuracies of all arms but the bounds.
    """
    every = [*fair.outcomes, *bounds.outcomes]
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in every}
    points = {**means, **means_of(label_curves(bounds.outcomes, replicates=replicates))}
    cells = pl.concat([fair.cells, bounds.cells]).filter(pl.col("n") > 0)
    plain: dict[tuple[Setting, str], Outcomes] = {}
    held = {key: table.sort("seed").to_dicts() for key, table in cells.group_by(KEY, maintain_order=True)}
    for key, rows in held.items():
        if rows[0]["search"] is None and key in arms and rows[0]["method_spec"] is not None:
            plain.setdefault((arms[key].at.without("method"), rows[0]["method_spec"]), arms[key])
    made = []
    for key, rows in held.items():
        if rows[0]["search"] is not None:
            arm = arms[key]
            spec = {name: one for name, one in json.loads(rows[0]["method_spec"]).items() if name != "search"}
            other = plain.get((arm.at.without("method"), canonical_json(spec)))
            against = None if other is None else _against(arm, other, compared, margin, replicates)
            made.append(_searched(arm, rows, points[key], other, against))
    return tuple(made)


def _against(
    arm: Outcomes, plain: Outcomes, compared: Sequence[Contrast], margin: float, replicates: int
) -> Contrast | None:
    if arm.asked.bound:
        (one,) = decide([measure(arm, plain, "method", margin=margin, replicates=replicates)])
        return one
    for one in compared:
        place = (one.model, one.stage, one.labels, one.task, one.shift)
        if place == (arm.model, arm.stage, arm.labels, arm.task, arm.shift):
            if one.names == (arm.method, plain.method):
                return one
            if one.names == (plain.method, arm.method):
                return one.turned()
    return None


def _searched(
    arm: Outcomes,
    rows: Sequence[Mapping[str, Any]],
    point: LabelPoint,
    plain: Outcomes | None,
    against: Contrast | None,
) -> Searched:
    said = [json.loads(row["search"]) for row in rows]
    taken = [one["trials"][one["taken"]] for one in said]
    settings = Counter(canonical_json(one["setting"]) for one in taken)
    own = [one["trials"][0]["accuracy"] for one in said]
    flops, seconds = ([row[name] for row in rows] for name in ("flops_search", "search_seconds"))
    return Searched(
        at=arm.at,
        select=said[0]["select"],
        bound=arm.asked.bound,
        point=point,
        trials=len(said[0]["trials"]),
        failed=sum(trial["failed"] is not None for one in said for trial in one["trials"]),
        taken=tuple(Taken(json.loads(text), count) for text, count in settings.most_common()),
        decided=dict(Counter(one["decided"] for one in said)),
        score=sum(one["accuracy"] for one in taken) / len(taken),
        own_score=None if None in own else sum(own) / len(own),
        flops=None if None in flops else sum(flops) / len(flops),
        seconds=None if None in seconds else sum(seconds) / len(seconds),
        outside=len(said[0]["outside"]),
        plain=None if plain is None else plain.method,
        against=against,
    )
