"""From one set of results to another: paired comparison of A and B, task by task and over all tasks.

It reads as "from A to B": a difference is B minus A, and the verdict is said of B. Within a task, items are paired by
content and tested as two methods of a study are (`onset.analysis.contrast.estimating`: exact McNemar with its interval
for right and wrong; the bootstrap alone for other scores; several draws crossed with the items, their noise pooled over
the tasks). Over tasks the p-values are adjusted to q by Benjamini and Hochberg (1995).

Over all tasks: the pooled items (``overall``), and means in which every task counts the same (``means``): over tasks,
and over groups of tasks where the table of tasks declares some (the three sizes of two tasks of BIG-Bench Hard are
averaged first). Their intervals resample the items within each task (and several draws; below six the t interval over
draws is taken where it is wider); the tasks themselves are taken as given.

What belongs together, and what is not alike, is said by `onset.analysis.contrast.matching`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from onset.analysis.contrast.contrast import Contrast, contrast, decide, measure, share_noise
from onset.analysis.contrast.estimating import draws_apart, few_draws
from onset.analysis.contrast.matching import (
    Mismatch,
    differences,
    matched,
    names_of,
    refused_items,
    runs_of,
    source_of,
    without_items,
)
from onset.analysis.contrast.parts import Kind, Scale, kind_of
from onset.analysis.outcomes import Outcomes
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.stats.adjust import MARGIN, benjamini_hochberg
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, crossed_bootstrap
from onset.analysis.stats.draws import ENOUGH_DRAWS
from onset.analysis.stats.shares import Interval
from onset.analysis.words import listed
from onset.errors import DataError
from onset.tasks import group_of


@dataclass(frozen=True, eq=False)
class TaskContrast:
    """One task: ``contrast`` is B minus A over the items both sides have, decided with all other tasks; ``parse_rates``
    of A and B: the share of the outputs compared that an answer was found in (None: not known).
    """

    task: str
    metric: str
    filter: str
    contrast: Contrast
    parse_rates: tuple[float | None, float | None]

    def json(self) -> dict[str, Any]:
        """Plain JSON; what was measured is None where nothing could be paired."""
        one = self.contrast
        accuracy_b, accuracy_a = one.levels
        only_b, only_a = one.discordant
        return {
            "task": self.task,
            "metric": self.metric,
            "filter": self.filter,
            "kind": one.scale.kind,
            "n": one.n,
            "draws": len(one.draws),
            "accuracy_a": accuracy_a,
            "accuracy_b": accuracy_b,
            "difference": one.difference,
            "interval": None if one.interval is None else list(one.interval),
            "p": one.p,
            "q": one.p_adjusted,
            "test": one.test,
            "verdict": one.verdict,
            "discordant": [only_a, only_b],
            "parse_rate_a": self.parse_rates[0],
            "parse_rate_b": self.parse_rates[1],
            "pool": None if one.pool is None else asdict(one.pool),
            "not_pooled": one.not_pooled,
        }


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over ``n_tasks`` tasks (or groups of them, or over ``n`` items of all), B minus A."""

    accuracy_a: float
    accuracy_b: float
    difference: float
    interval: Interval
    p: float
    n_tasks: int
    n: int


@dataclass(frozen=True, eq=False)
class SetComparison:
    """A against B. ``overall``: all items pooled, None where the tasks' metrics do not add up; ``means``: ``tasks``,
    ``items`` and, where tasks form groups, ``families``; ``notes``: what had to be decided, in words.
    """

    sides: tuple[str, str]
    sources: tuple[str, str]
    margin: float
    tasks: tuple[TaskContrast, ...]
    overall: TaskContrast | None
    means: Mapping[str, Mean]
    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two outcomes of one task, with ``a`` and ``b`` bare: without versions and plans, which were looked at before.

    ``compared``: B minus A.
    """

    label: str
    first: Outcomes
    second: Outcomes
    a: Outcomes
    b: Outcomes
    kind: Kind
    compared: Contrast


def compare_sets(
    a: Sequence[Outcomes],
    b: Sequence[Outcomes],
    *,
    metric: str | None = None,
    filter: str | None = None,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    sources: tuple[str, str] | None = None,
) -> SetComparison:
    """Compare two sets of results, as `onset.read.read_outcomes` reads them.

    Runs are matched by task and shift; where a side has several runs of a task, also by whatever of model, method,
    labels and stage varies within a side. ``metric`` and ``filter``: by default as
    `onset.analysis.outcomes.choosing` says; ``margin``: differences below it count as equivalent (a share).
    ``sources``: what was read, by default what the outcomes say. Raises DataError when the sides have no task and no
    items in common, or a side has a task twice.
    """
    mismatches: list[Mismatch] = []
    notes = list(dict.fromkeys(line for one in (*a, *b) for line in one.notes))
    told = sources or (source_of(a), source_of(b))
    sides = names_of(a, b, told)
    pairs = []
    for label, ours, theirs in matched(runs_of(a, "A"), runs_of(b, "B"), sides, mismatches):
        try:
            choice = choose(ours, metric=metric, filter=filter, other=theirs)
        except NoChoice as error:
            mismatches.append(Mismatch("metric", label, 1, True, f"{label}: {error}"))
            continue
        notes += [f"{label}: {line}" for line in choice.notes]
        pairs.append(_pair(label, picked(ours, choice), picked(theirs, choice), sides, mismatches, margin, replicates))
    pairs = _shared_noise(_once(pairs, notes))
    if not any(pair.compared.n for pair in pairs):
        why = "; ".join(one.message for one in mismatches if one.refused) or "they share no items"
        raise DataError(f"nothing to compare between {told[0]} and {told[1]}: {why}")
    return SetComparison(
        sides=sides,
        sources=told,
        margin=margin,
        tasks=tuple(_decided(pairs)),
        overall=_overall(pairs, margin, replicates),
        means=_means(pairs, replicates),
        mismatches=tuple(mismatches),
        notes=tuple(dict.fromkeys(notes)),
    )


def _once(pairs: Sequence[_Pair], notes: list[str]) -> list[_Pair]:
    """``pairs`` without those that are another at a larger budget on both sides, of which ``notes`` tell then."""
    first: dict[Hashable, _Pair] = {}
    repeated = []
    for pair in sorted(pairs, key=lambda pair: (pair.first.labels, pair.second.labels)):
        sides = pair.first.once, pair.second.once
        same = first.setdefault(id(pair) if None in sides else sides, pair)
        if same is not pair:
            repeated.append(pair)
            notes.append(f"{pair.label}: the same prompts and outcomes as {same.label}, counted once")
    return [pair for pair in pairs if pair not in repeated]


def to_json(one: SetComparison) -> dict[str, Any]:
    """The value of ``onset compare A B --json``, as documented in docs/notes/formats.md."""
    means = {name: asdict(mean) | {"interval": list(mean.interval)} for name, mean in one.means.items()}
    return {
        "sides": list(one.sides),
        "sources": list(one.sources),
        "margin": one.margin,
        "tasks": [task.json() for task in one.tasks],
        # all items are one test: nothing to correct for
        "overall": None if one.overall is None else one.overall.json() | {"q": None},
        "means": means,
        "mismatches": [asdict(mismatch) for mismatch in one.mismatches],
        "notes": list(one.notes),
    }


# ----------------------------------------------------------------------------------------------------------- one task


def _pair(
    label: str,
    first: Outcomes,
    second: Outcomes,
    sides: tuple[str, str],
    mismatches: list[Mismatch],
    margin: float,
    replicates: int,
) -> _Pair:
    if len(first.draws) == len(second.draws) == 1:
        second = replace(second, draws=first.draws)  # one draw on each side: its number says nothing
    refused = refused_items(label, first, second, mismatches)
    mismatches += differences(label, first, second, sides)
    if refused:
        first, second = without_items(first, refused), without_items(second, refused)
    kind = kind_of(first, second)
    a, b = _bare(first), _bare(second)
    compared = measure(b, a, "set", margin=margin, replicates=replicates, names=(sides[1], sides[0]), kind=kind)
    return _Pair(label, first, second, a, b, kind, compared)


def _shared_noise(pairs: Sequence[_Pair]) -> list[_Pair]:
    """The pairs with noise between draws pooled over tasks of one kind of outcome."""
    out = list(pairs)
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        places = [place for place, pair in enumerate(pairs) if pair.kind == kind]
        held = [pairs[place] for place in places]
        made = share_noise(
            [pair.compared for pair in held],
            [f"{kind} outcomes, {pair.first.metric}" for pair in held],
            # a task under several shifts has the same examples: one link
            [(("A", pair.first.at.without("shift")), ("B", pair.second.at.without("shift"))) for pair in held],
        )
        for place, one in zip(places, made, strict=True):
            out[place] = replace(pairs[place], compared=one)
    return out


def _bare(one: Outcomes) -> Outcomes:
    """The outcomes alone: versions and example plans were looked at before, and what differs was told."""
    return Outcomes(one.at, one.measure, one.draws, one.items, one.values)


def _decided(pairs: Sequence[_Pair]) -> list[TaskContrast]:
    """Verdicts at a false discovery rate of 5 % over the tasks."""
    made = decide([pair.compared for pair in pairs], "tasks", benjamini_hochberg)
    return [_row(pair, one) for pair, one in zip(pairs, made, strict=True)]


def _row(pair: _Pair, one: Contrast) -> TaskContrast:
    first, second = pair.first, pair.second
    filters = first.filter if first.filter == second.filter else f"{first.filter} / {second.filter}"
    return TaskContrast(pair.label, first.metric, filters, one, _rates([pair]))


# ---------------------------------------------------------------------------------------------------------- all tasks


def _usable(pairs: Sequence[_Pair]) -> list[_Pair]:
    """The pairs with items, where their metrics add up: all right and wrong, or one metric, with one sense of better.

    Where tasks have different draws, the outcomes of each item are averaged over its draws first.
    """
    held = [pair for pair in pairs if pair.compared.n]
    alike = len({pair.first.metric for pair in held}) == 1 or all(pair.kind == "binary" for pair in held)
    if not alike or len({pair.first.higher_is_better for pair in held}) > 1:
        return []
    return held if len({pair.compared.draws for pair in held}) == 1 else [_averaged(pair) for pair in held]


def _averaged(pair: _Pair) -> _Pair:
    """The pair with one draw: the mean of each item over the draws in which both sides have it."""
    items, first, second = _both(pair, pair.compared.draws)
    measured = np.isfinite(first).sum(axis=0)
    a, b = (
        _one_draw(replace(arm, items=items), np.nansum(table, axis=0) / measured)
        for arm, table in ((pair.a, first), (pair.b, second))
    )
    several = len(pair.compared.draws) > 1 and pair.kind == "binary"
    return replace(pair, a=a, b=b, kind="share" if several else pair.kind)


def _one_draw(arm: Outcomes, values: Array) -> Outcomes:
    return replace(arm, draws=(0,), values=values[None, :])


def _overall(pairs: Sequence[_Pair], margin: float, replicates: int) -> TaskContrast | None:
    """All items of all tasks, pooled: each item counts the same."""
    held = _usable(pairs)
    if not held:
        return None
    a, b = _pooled([pair.a for pair in held]), _pooled([pair.b for pair in held])
    kinds = {pair.kind for pair in held}
    kind: Kind = "binary" if kinds == {"binary"} else "score" if "score" in kinds else "share"
    (one,) = decide([contrast(b, a, "set", margin=margin, replicates=replicates, kind=kind)])
    if one.estimate is not None and any(len(pair.compared.draws) > len(pair.a.draws) for pair in held):
        test = f"{one.test}, each item averaged over its draws"
        one = replace(one, estimate=replace(one.estimate, test=test))
    metrics, filters = (listed(sorted({getattr(pair.first, key) for pair in held})) for key in ("metric", "filter"))
    return TaskContrast("all", metrics, filters, one, _rates(held))


def _rates(pairs: Sequence[_Pair]) -> tuple[float | None, float | None]:
    """The parse rates of A and B over the outcomes that were compared."""
    sides: tuple[list[str], list[str]] = [], []
    for pair in pairs:
        first, second = _statuses(pair.first), _statuses(pair.second)
        for found, held, other in ((sides[0], first, second), (sides[1], second, first)):
            found += [status for key, status in held.items() if key in other and status is not None]
    a, b = (sum(status == "ok" for status in known) / len(known) if known else None for known in sides)
    return a, b


def _statuses(one: Outcomes) -> dict[tuple[int, str], str | None]:
    """How the answer of each outcome was found, by draw and item."""
    return {
        (draw, item): status
        for draw, line, values in zip(one.draws, one.outputs.statuses, one.values, strict=True)
        for item, status, value in zip(one.items, line, values, strict=True)
        if np.isfinite(value)
    }


def _pooled(arms: Sequence[Outcomes]) -> Outcomes:
    draws = tuple(dict.fromkeys(draw for arm in arms for draw in arm.draws))
    tables = []
    for arm in arms:
        table = np.full((len(draws), len(arm.items)), np.nan)
        table[[draws.index(draw) for draw in arm.draws]] = arm.values
        tables.append(table)
    items = tuple(f"{place}/{item}" for place, arm in enumerate(arms) for item in arm.items)
    return replace(arms[0], draws=draws, items=items, values=np.hstack(tables))


def _means(pairs: Sequence[_Pair], replicates: int) -> dict[str, Mean]:
    """Means over tasks, over groups of tasks where there are any, and over items."""
    held = _usable(pairs)
    if not held:
        return {}
    groups = [group_of(pair.first.task) for pair in held]
    count = len(set(groups))
    weights = {"tasks": [1 / len(held)] * len(held)}
    if count < len({pair.first.task for pair in held}):
        weights["families"] = [1 / (count * groups.count(group)) for group in groups]
    total = sum(pair.compared.n for pair in held)
    weights["items"] = [pair.compared.n / total for pair in held]
    return {
        name: _mean(held, shares, count if name == "families" else len(held), replicates)
        for name, shares in weights.items()
    }


def _mean(pairs: Sequence[_Pair], weights: Sequence[float], n_tasks: int, replicates: int) -> Mean:
    tables = [_both(pair, [draw for draw in pair.a.draws if draw in pair.b.draws])[1:] for pair in pairs]
    blocks = [Block(second - first, weight) for (first, second), weight in zip(tables, weights, strict=True)]
    scores = any(pair.kind == "score" for pair in pairs)
    crossed = crossed_bootstrap(blocks, replicates, shares=not scores)
    assert crossed is not None  # every pair has items
    scale = Scale("score" if scores else "share", None, limit=math.inf if scores else 1.0)
    interval, p = scale.cut(crossed.interval()), crossed.p()
    if 1 < crossed.draws < ENOUGH_DRAWS:
        # as for one task: below six draws the crossed bootstrap alone hardly sees how draws differ
        by_draw = sum(block.weight * np.nanmean(block.values, axis=1) for block in blocks)
        sizes = [block.values.shape[1] for block in blocks]
        both = few_draws(crossed, draws_apart(np.asarray(by_draw), scale, sizes, weights), scale, "")
        interval, p = both.interval, both.p
    return Mean(
        accuracy_a=sum(weight * float(np.nanmean(first)) for (first, _), weight in zip(tables, weights, strict=True)),
        accuracy_b=sum(weight * float(np.nanmean(second)) for (_, second), weight in zip(tables, weights, strict=True)),
        difference=crossed.estimate,
        interval=interval,
        p=p,
        n_tasks=n_tasks,
        n=sum(pair.compared.n for pair in pairs),
    )


def _both(pair: _Pair, draws: Sequence[int]) -> tuple[tuple[str, ...], Array, Array]:
    """Items of both sides and the outcomes of A and B on them, draws x items, NaN where either lacks one."""
    theirs = set(pair.b.items)
    items = [item for item in pair.a.items if item in theirs]
    tables = []
    for arm in (pair.a, pair.b):
        columns = {item: place for place, item in enumerate(arm.items)}
        kept = arm.values[[arm.draws.index(draw) for draw in draws]]
        tables.append(kept[:, [columns[item] for item in items]])
    known = np.isfinite(tables[0]) & np.isfinite(tables[1])
    kept_items = np.flatnonzero(known.any(axis=0))
    first, second = (np.where(known, table, np.nan)[:, kept_items] for table in tables)
    return tuple(items[place] for place in kept_items), first, second
