"""From one set of results to another: paired comparison of A and B, task by task and over all tasks.

It reads as "from A to B": a difference is B minus A, and the verdict is said of B. Within a task, items are paired by
content and tested as two methods of a study are (`onset.analysis.contrast.paired`: exact McNemar with its interval for
right and wrong; the bootstrap alone for other scores; several draws crossed with the items, their noise pooled over the
tasks). Over tasks the p-values are adjusted to q by Benjamini and Hochberg (1995).

Over all tasks: the pooled items (``overall``), and means in which every task counts the same (``means``): over tasks,
and over groups of tasks where the table of tasks declares some (the three sizes of two tasks of BIG-Bench Hard are
averaged first). Their intervals resample the items within each task (and several draws; below six the t interval over
draws is taken where it is wider); the tasks themselves are taken as given.

Nothing is left out in silence: what only one side has, what was refused (another version of a task, another gold
answer) and what differs but is compared all the same (prompts, labels, filters) is counted in ``mismatches``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.paired import Comparison, Kind, Verdict, compare, measure, share_noise
from onset.analysis.outcomes import Outcomes
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.stats.adjust import ALPHA, MARGIN, benjamini_hochberg
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, crossed_bootstrap
from onset.analysis.stats.draws import ENOUGH_DRAWS, over_draws, rounding_of
from onset.analysis.stats.pooling import Pool
from onset.analysis.stats.shares import Interval
from onset.analysis.words import counted, listed
from onset.errors import DataError
from onset.tasks import group_of

RUN = ("model", "method", "labels", "stage")
"""What runs of one task may differ in."""
SELECTABLE = (*RUN, "task", "shift")

MismatchKind = Literal["task", "run", "items", "target", "version", "prompt", "metric", "draws", "setting", "unscored"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where the sides are not alike. ``count``: how many items, draws or tasks; ``refused``: they were not compared
    (False: compared all the same); ``message``: in words.
    """

    kind: MismatchKind
    task: str | None
    count: int
    refused: bool
    message: str


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task. Accuracies (means of the metric) are over the ``n`` items both sides have; ``difference`` is B minus A.

    ``discordant``: outcomes only A has right, only B has right (of other scores: higher on A, on B); ``parse_rate_a``
    and ``_b``: the share of outputs an answer was found in (None: not known); ``verdict`` is said of B; ``pool`` and
    ``not_pooled``: what noise between draws was pooled with over the tasks, or why it was not (None for one draw). What
    was measured is None when nothing could be paired.
    """

    task: str
    metric: str
    filter: str
    n: int
    draws: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    interval: Interval | None
    p: float | None
    q: float | None
    test: str
    verdict: Verdict
    discordant: tuple[int, int]
    parse_rate_a: float | None
    parse_rate_b: float | None
    pool: Pool | None = None
    not_pooled: str | None = None


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


@dataclass(frozen=True, slots=True)
class SetComparison:
    """A against B. ``overall``: all items pooled, None where the tasks' metrics do not add up; ``means``: ``tasks``,
    ``items`` and, where tasks form groups, ``families``; ``notes``: what had to be decided, in words.
    """

    sides: tuple[str, str]
    sources: tuple[str, str]
    margin: float
    tasks: tuple[TaskComparison, ...]
    overall: TaskComparison | None
    means: Mapping[str, Mean]
    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two outcomes of one task, with ``a`` and ``b`` bare: without versions and plans, which were looked at before."""

    label: str
    first: Outcomes
    second: Outcomes
    a: Outcomes
    b: Outcomes
    kind: Kind
    compared: Comparison


def select(outcomes: Sequence[Outcomes], wanted: Mapping[str, str], side: str) -> tuple[Outcomes, ...]:
    """The outcomes whose model, method, labels, stage, task or shift are as ``wanted``.

    Raises DataError, with what there is, for another key and when nothing is left.
    """
    for key, value in wanted.items():
        if key not in SELECTABLE:
            raise DataError(f"side {side}: cannot choose by '{key}'. Allowed: {', '.join(SELECTABLE)}")
        held = tuple(one for one in outcomes if _value(one, key) == value)
        if not held:
            found = ", ".join(sorted({_value(one, key) for one in outcomes}))
            raise DataError(f"side {side}: no results with {key} '{value}', found: {found}")
        outcomes = held
    return tuple(outcomes)


def _value(one: Outcomes, key: str) -> str:
    """What may tell runs apart, in one text; labels that are not known are ``None``."""
    return str(one.at.labels if key == "labels" else getattr(one, key))


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
    told = sources or (_source(a), _source(b))
    sides = _names(a, b, told)
    pairs = []
    for label, ours, theirs in _matched(_runs(a, "A"), _runs(b, "B"), sides, mismatches):
        try:
            choice = choose(ours, metric=metric, filter=filter, other=theirs)
        except NoChoice as error:
            mismatches.append(Mismatch("metric", label, 1, True, f"{label}: {error}"))
            continue
        notes += [f"{label}: {line}" for line in choice.notes]
        pairs.append(_pair(label, picked(ours, choice), picked(theirs, choice), sides, mismatches, margin, replicates))
    pairs = _shared_noise(pairs)
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


def to_json(one: SetComparison) -> dict[str, Any]:
    """The value of ``onset compare A B --json``, as documented in docs/notes/formats.md."""
    return {
        "sides": list(one.sides),
        "sources": list(one.sources),
        "margin": one.margin,
        "tasks": [_plain(asdict(task)) for task in one.tasks],
        "overall": None if one.overall is None else _plain(asdict(one.overall)),
        "means": {name: _plain(asdict(mean)) for name, mean in one.means.items()},
        "mismatches": [asdict(mismatch) for mismatch in one.mismatches],
        "notes": list(one.notes),
    }


def _plain(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}


# ----------------------------------------------------------------------------------------------------- sides and runs

_Run = tuple[tuple[str, ...], list[Outcomes]]


def _source(outcomes: Sequence[Outcomes]) -> str:
    return listed(list(dict.fromkeys(one.source for one in outcomes)))


def _names(a: Sequence[Outcomes], b: Sequence[Outcomes], sources: tuple[str, str]) -> tuple[str, str]:
    """What the sides are called: what they differ in (model, method, labels, stage), else their paths."""
    for key in RUN:
        ours, theirs = ({_value(one, key) for one in side} for side in (a, b))
        if len(ours) == len(theirs) == 1 and ours != theirs and "" not in ours | theirs:
            first, second = ours.pop(), theirs.pop()
            return (f"{first} labels", f"{second} labels") if key == "labels" else (first, second)
    last = Path(sources[0]).name, Path(sources[1]).name
    return last if last[0] != last[1] else sources if sources[0] != sources[1] else ("A", "B")


def _runs(outcomes: Sequence[Outcomes], side: str) -> dict[tuple[str, str], list[_Run]]:
    """The runs of each (task, shift): what identifies one, and its outcomes by metric and filter."""
    runs: dict[tuple[str, str], dict[tuple[str, ...], list[Outcomes]]] = {}
    for one in outcomes:
        key = tuple(_value(one, name) for name in RUN)
        runs.setdefault((one.task, one.shift), {}).setdefault(key, []).append(one)
    for (task, _), held in runs.items():
        for candidates in held.values():
            sources = list(dict.fromkeys(one.source for one in candidates))
            if len(sources) > 1:
                model = candidates[0].model
                raise DataError(f"side {side} has task {task} by {model} more than once: {listed(sources)}; name one")
    return {key: list(held.items()) for key, held in runs.items()}


def _matched(
    a: Mapping[tuple[str, str], list[_Run]],
    b: Mapping[tuple[str, str], list[_Run]],
    sides: tuple[str, str],
    mismatches: list[Mismatch],
) -> Iterable[tuple[str, list[Outcomes], list[Outcomes]]]:
    """Label and outcomes of the runs that belong together."""
    common = [key for key in a if key in b]
    if not common and len(a) == len(b) == 1:
        # two names of one set of documents (gsm8k, gsm8k_cot): the items tell
        (ours, first), (theirs, second) = next(iter(a.items())), next(iter(b.items()))
        label = f"{_label(ours)} / {_label(theirs)}"
        mismatches.append(Mismatch("task", label, 1, False, f"the tasks have different names: {label}"))
        yield from _matched_runs(label, first, second, sides, mismatches)
        return
    for name, only in ((sides[0], [key for key in a if key not in b]), (sides[1], [key for key in b if key not in a])):
        for key in only:
            label = _label(key)
            mismatches.append(Mismatch("task", label, 1, True, f"{label}: only {name} has this task"))
    for key in common:
        yield from _matched_runs(_label(key), a[key], b[key], sides, mismatches)


def _label(key: tuple[str, str]) -> str:
    return key[0] if key[1] == "none" else f"{key[0]}, shift {key[1]}"


def _matched_runs(
    label: str, a: Sequence[_Run], b: Sequence[_Run], sides: tuple[str, str], mismatches: list[Mismatch]
) -> Iterable[tuple[str, list[Outcomes], list[Outcomes]]]:
    """What varies within a side tells its runs apart; what does not is what is compared."""
    varying = [place for place in range(len(RUN)) if any(len({key[place] for key, _ in side}) > 1 for side in (a, b))]
    ours, theirs = ({tuple(key[place] for place in varying): held for key, held in side} for side in (a, b))
    for name, held, others in ((sides[0], ours, theirs), (sides[1], theirs, ours)):
        for key in (key for key in held if key not in others):
            run = _run_name(varying, key)
            mismatches.append(Mismatch("run", label, 1, True, f"{label}: only {name} has {run}"))
    for key in ours:
        if key in theirs:
            yield f"{label}, {_run_name(varying, key)}" if varying else label, ours[key], theirs[key]


def _run_name(varying: Sequence[int], key: Sequence[str]) -> str:
    return ", ".join(f"{RUN[place]} {value}" for place, value in zip(varying, key, strict=True)) or "this run"


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
    refused = _refused(label, first, second, mismatches)
    if refused:
        first, second = _without(first, refused), _without(second, refused)
    else:
        mismatches += _differences(label, first, second, sides)
    kind = _kind(first, second)
    a, b = _bare(first), _bare(second)
    compared = measure(b, a, margin=margin, replicates=replicates, names=(sides[1], sides[0]), kind=kind)
    return _Pair(label, first, second, a, b, kind, compared)


def _shared_noise(pairs: Sequence[_Pair]) -> list[_Pair]:
    """The pairs with noise between draws pooled over tasks of one kind of outcome."""
    out = list(pairs)
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        places = [place for place, pair in enumerate(pairs) if pair.kind == kind]
        held = [pairs[place] for place in places]
        # a task under several shifts has the same examples: one link
        links = [(_source_of("A", pair.first), _source_of("B", pair.second)) for pair in held]
        metrics = [f"{kind} outcomes, {pair.first.metric}" for pair in held]
        made = share_noise([pair.compared for pair in held], metrics, links, kind=kind)
        for place, one in zip(places, made, strict=True):
            out[place] = replace(pairs[place], compared=one)
    return out


def _source_of(side: str, one: Outcomes) -> tuple[str, ...]:
    return side, *(_value(one, key) for key in RUN), one.task


def _refused(label: str, a: Outcomes, b: Outcomes, mismatches: list[Mismatch]) -> frozenset[str]:
    """Items that must not be compared: all of another version of the task; those with another gold answer."""
    common = set(a.items) & set(b.items)
    # versions of tasks with different names say nothing about each other
    if a.task == b.task and None not in (a.version, b.version) and a.version != b.version:
        said = f"{label}: version {a.version} of the task against {b.version}, refused"
        mismatches.append(Mismatch("version", label, len(common), True, said))
        return frozenset({*a.items, *b.items})
    golds = dict(zip(a.items, a.targets, strict=True)), dict(zip(b.items, b.targets, strict=True))
    known = (item for item in common if None not in (golds[0][item], golds[1][item]))
    wrong = {item for item in known if golds[0][item] != golds[1][item]}
    if wrong:
        said = f"{label}: {counted(len(wrong), 'item')} of {len(common)} have another gold answer, refused"
        mismatches.append(Mismatch("target", label, len(wrong), True, said))
    return frozenset(wrong)


def _without(one: Outcomes, refused: frozenset[str]) -> Outcomes:
    keep = [place for place, item in enumerate(one.items) if item not in refused]
    return replace(
        one,
        items=tuple(one.items[place] for place in keep),
        values=one.values[:, keep],
        targets=tuple(one.targets[place] for place in keep),
        prompts=tuple(tuple(line[place] for place in keep) for line in one.prompts),
        statuses=tuple(tuple(line[place] for place in keep) for line in one.statuses),
    )


def _differences(label: str, a: Outcomes, b: Outcomes, sides: tuple[str, str]) -> list[Mismatch]:
    """What differs and is told: items and draws of one side, outcomes without a score, prompts, settings."""
    out = []
    common = set(a.items) & set(b.items)
    for name, one in zip(sides, (a, b), strict=True):
        lone = len(one.items) - len(common)
        if lone:
            said = f"{label}: only {name} has {counted(lone, 'item')} of {len(one.items)}"
            out.append(Mismatch("items", label, lone, True, said))
        missing = int((~np.isfinite(one.values)).sum())
        if missing:
            said = f"{label}: {counted(missing, 'outcome')} of {one.values.size} of {name} have no score"
            out.append(Mismatch("unscored", label, missing, True, said))
        others = b.draws if one is a else a.draws
        extra = [draw for draw in one.draws if draw not in others]
        if extra:
            said = f"{label}: only {name} has {counted(len(extra), 'draw')} of {len(one.draws)}"
            out.append(Mismatch("draws", label, len(extra), True, said))
    prompts = _prompts(a), _prompts(b)
    known = [key for key in prompts[0] if key in prompts[1]]
    differ = sum(prompts[0][key] != prompts[1][key] for key in known)
    if differ:
        out.append(Mismatch("prompt", label, differ, False, f"{label}: {differ} of {len(known)} prompts differ"))
    for key in ("labels", "stage", "filter"):
        ours, theirs = (one.at.labels if key == "labels" else getattr(one, key) for one in (a, b))
        if ours != theirs and None not in (ours, theirs):
            out.append(Mismatch("setting", label, 1, False, f"{label}: {key} {ours} against {theirs}"))
    if a.plans and b.plans and a.at.labels == b.at.labels:
        plans = dict(zip(a.draws, a.plans, strict=True)), dict(zip(b.draws, b.plans, strict=True))
        other = sum(plans[0][draw] != plans[1][draw] for draw in plans[0] if draw in plans[1])
        if other:
            said = f"{label}: {counted(other, 'draw')} with another example plan"
            out.append(Mismatch("draws", label, other, False, said))
    return out


def _prompts(one: Outcomes) -> dict[tuple[int, str], str]:
    return {
        (draw, item): prompt
        for draw, line in zip(one.draws, one.prompts, strict=True)
        for item, prompt in zip(one.items, line, strict=True)
        if prompt is not None
    }


def _kind(a: Outcomes, b: Outcomes) -> Kind:
    if a.binary and b.binary:
        return "binary"
    known = [one.values[np.isfinite(one.values)] for one in (a, b)]
    return "share" if all(((values >= 0) & (values <= 1)).all() for values in known) else "score"


def _bare(one: Outcomes) -> Outcomes:
    """The outcomes alone: versions and example plans were looked at before, and what differs was told."""
    return Outcomes(one.at, one.metric, one.draws, one.items, one.values)


def _decided(pairs: Sequence[_Pair]) -> list[TaskComparison]:
    """Verdicts at a false discovery rate of 5 % over the tasks."""
    tested = [pair.compared.p for pair in pairs if pair.compared.p is not None]
    q = iter(benjamini_hochberg(tested))
    level = [pair.compared.p_equivalent for pair in pairs if pair.compared.p_equivalent is not None]
    q_equivalent = iter(benjamini_hochberg(level))
    return [
        _row(
            pair,
            None if pair.compared.p is None else next(q),
            None if pair.compared.p_equivalent is None else next(q_equivalent),
        )
        for pair in pairs
    ]


def _row(pair: _Pair, q: float | None, q_equivalent: float | None) -> TaskComparison:
    one, first, second = pair.compared, pair.first, pair.second
    return TaskComparison(
        task=pair.label,
        metric=first.metric,
        filter=first.filter if first.filter == second.filter else f"{first.filter} / {second.filter}",
        n=one.n,
        draws=len(one.seeds),
        accuracy_a=one.accuracy_b,
        accuracy_b=one.accuracy_a,
        difference=one.difference,
        interval=one.interval,
        p=one.p,
        q=q,
        test=one.test,
        verdict=_verdict(one.difference, q, q_equivalent, higher_is_better=first.higher_is_better),
        discordant=(one.discordant[1], one.discordant[0]),
        parse_rate_a=first.parse_rate,
        parse_rate_b=second.parse_rate,
        pool=one.pool,
        not_pooled=one.not_pooled,
    )


def _verdict(difference: float | None, p: float | None, equivalent: float | None, *, higher_is_better: bool) -> Verdict:
    if difference is None or p is None:
        return "undecided"
    if p <= ALPHA and difference != 0:
        return "wins" if (difference > 0) == higher_is_better else "loses"
    return "equivalent" if equivalent is not None and equivalent <= ALPHA else "undecided"


# ---------------------------------------------------------------------------------------------------------- all tasks


def _usable(pairs: Sequence[_Pair]) -> list[_Pair]:
    """The pairs with items, where their metrics add up: all right and wrong, or one metric, with one sense of better.

    Where tasks have different draws, the outcomes of each item are averaged over its draws first.
    """
    held = [pair for pair in pairs if pair.compared.n]
    alike = len({pair.first.metric for pair in held}) == 1 or all(pair.kind == "binary" for pair in held)
    if not alike or len({pair.first.higher_is_better for pair in held}) > 1:
        return []
    return held if len({pair.compared.seeds for pair in held}) == 1 else [_averaged(pair) for pair in held]


def _averaged(pair: _Pair) -> _Pair:
    """The pair with one draw: the mean of each item over the draws in which both sides have it."""
    items, first, second = _both(pair, pair.compared.seeds)
    measured = np.isfinite(first).sum(axis=0)
    a, b = (
        _one_draw(replace(arm, items=items), np.nansum(table, axis=0) / measured)
        for arm, table in ((pair.a, first), (pair.b, second))
    )
    several = len(pair.compared.seeds) > 1 and pair.kind == "binary"
    return replace(pair, a=a, b=b, kind="share" if several else pair.kind)


def _one_draw(arm: Outcomes, values: Array) -> Outcomes:
    return replace(arm, draws=(0,), values=values[None, :])


def _overall(pairs: Sequence[_Pair], margin: float, replicates: int) -> TaskComparison | None:
    """All items of all tasks, pooled: each item counts the same."""
    held = _usable(pairs)
    if not held:
        return None
    a, b = _pooled([pair.a for pair in held]), _pooled([pair.b for pair in held])
    kinds = {pair.kind for pair in held}
    kind: Kind = "binary" if kinds == {"binary"} else "score" if "score" in kinds else "share"
    one = compare(b, a, margin=margin, replicates=replicates, kind=kind)
    metrics, filters = (listed(sorted({getattr(pair.first, key) for pair in held})) for key in ("metric", "filter"))
    base = replace(held[0].first, metric=metrics, filter=filters)
    pooled = _row(_Pair("all", base, replace(base), a, b, kind, one), one.p, one.p_equivalent)
    averaged = any(len(pair.compared.seeds) > len(pair.a.draws) for pair in held)
    return replace(
        pooled,
        q=None,
        test=f"{one.test}, each item averaged over its draws" if averaged else one.test,
        parse_rate_a=_rate([pair.first for pair in held]),
        parse_rate_b=_rate([pair.second for pair in held]),
    )


def _rate(outcomes: Sequence[Outcomes]) -> float | None:
    statuses = [status for one in outcomes for line in one.statuses for status in line if status is not None]
    return sum(status == "ok" for status in statuses) / len(statuses) if statuses else None


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
    crossed = crossed_bootstrap(blocks, replicates)
    assert crossed is not None  # every pair has items
    limit = math.inf if any(pair.kind == "score" for pair in pairs) else 1.0
    (low, high), p = crossed.interval(), crossed.p()
    if 1 < crossed.draws < ENOUGH_DRAWS:
        # as for one task: below six draws the crossed bootstrap alone hardly sees how draws differ
        by_draw = sum(block.weight * np.nanmean(block.values, axis=1) for block in blocks)
        rounding = sum(block.weight**2 * rounding_of(block.values.shape[1]) for block in blocks)
        apart = over_draws(np.asarray(by_draw), rounding if limit == 1.0 else 0.0)
        t_low, t_high = apart.interval(limit)
        low, high, p = min(low, t_low), max(high, t_high), max(p, apart.p())
    return Mean(
        accuracy_a=sum(weight * float(np.nanmean(first)) for (first, _), weight in zip(tables, weights, strict=True)),
        accuracy_b=sum(weight * float(np.nanmean(second)) for (_, second), weight in zip(tables, weights, strict=True)),
        difference=crossed.estimate,
        interval=(max(-limit, low), min(limit, high)),
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
