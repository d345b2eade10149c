"""Accuracy by part of the items: both halves of a trap set, and the worst group.

**By answer.** A trap set is built so that a shallow cue gives one answer (McCoy et al. 2019, HANS, arXiv 1902.01007):
its accuracy over all items hides that one half is right by the cue and the other wrong by it. Balanced accuracy is the
mean over the answers of the accuracy on the items with that answer, which is one over their number (two halves: 50 %)
for any constant answer; each arm is held against that, p by Holm over the arms of a task and test set. Where an answer
has fewer than `FEWEST_EACH` items they say too little of their own spread for a test (a single one says nothing): the
interval is then the mean of the answers' simultaneous ones, and nothing is decided. A test set on which all items have
one answer shows nothing of that kind (`SingleLabel`).

**By group.** Groups are given by the items (category, subtask, number of steps: `onset.records.Item.meta`): of a test
set every key of two to `MOST_GROUPS` values, on average `FEWEST_EACH` items each or more; groups of fewer items are
left out and counted. The worst group is picked by what was measured, so that its accuracy, and how far it lies below
all items, have simultaneous intervals (Bonferroni over the groups), as the worst shift has
(`onset.analysis.estimates.falls`; worst-group accuracy: Sagawa et al. 2020, arXiv 1911.08731).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl

from onset.analysis.contrast.combined import estimate_of
from onset.analysis.estimates.classification import Classified
from onset.analysis.outcomes import Measured, Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, crossed_bootstrap
from onset.analysis.stats.shares import Interval
from onset.answers import canonical_text
from onset.scores import wilson

MOST_GROUPS, FEWEST_EACH = 20, 10
BY_ANSWER = "answer"
BreakdownVerdict = Literal["above", "below", "uneven", "undecided"]


@dataclass(frozen=True, slots=True)
class Part:
    """The items of one answer or group: their number, accuracy (0..1) with its interval, which is simultaneous over the
    parts; ``answered``: in which share of all outputs this answer was given (None: no answer, or not known).
    """

    name: str
    n: int
    accuracy: float
    interval: Interval
    answered: float | None = None

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "name": self.name,
            "n": self.n,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "answered": self.answered,
        }


@dataclass(frozen=True, eq=False)
class Breakdown(Placed):
    """An arm's accuracy by the parts of a test set.

    ``by``: `BY_ANSWER`, or the key of the groups; ``paired``: False where the test set is no rewrite of the clean one;
    ``worst``: the part of lowest accuracy, ``worst_interval`` of the lowest true one, whichever it is. ``value`` with
    its ``interval`` and ``p``: by answer balanced accuracy less that of a ``constant`` answer; by group how far the
    worst lies below all items (simultaneous). ``left_out``: items in groups too small.
    """

    at: Setting
    by: str
    paired: bool
    parts: tuple[Part, ...]
    worst_interval: Interval
    value: float
    interval: Interval
    p: float | None
    n: int
    draws: tuple[int, ...]
    test: str
    constant: float | None = None
    p_adjusted: float | None = None
    left_out: int = 0

    @property
    def worst(self) -> Part:
        """The part of lowest accuracy."""
        return min(self.parts, key=lambda part: part.accuracy)

    @property
    def balanced(self) -> float:
        """The mean over the parts."""
        return sum(part.accuracy for part in self.parts) / len(self.parts)

    @property
    def verdict(self) -> BreakdownVerdict:
        """By answer: ``above`` or ``below`` a constant answer; by group: ``uneven`` where one is shown to lie below."""
        if self.by != BY_ANSWER:
            return "uneven" if self.interval[0] > 0 else "undecided"
        if self.p_adjusted is None or self.p_adjusted > ALPHA:
            return "undecided"
        return "above" if self.value > 0 else "below"

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        worst = self.worst
        return self.coordinates(method=self.method) | {
            "by": self.by,
            "paired": self.paired,
            "seeds": list(self.draws),
            "n": self.n,
            "left_out": self.left_out,
            "parts": [part.json() for part in self.parts],
            "worst": {"name": worst.name, "accuracy": worst.accuracy, "interval": list(self.worst_interval)},
            "balanced": self.balanced,
            "constant": self.constant,
            "difference": self.value,
            "interval": list(self.interval),
            "p": self.p,
            "p_holm": self.p_adjusted,
            "test": self.test,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class SingleLabel:
    """A test set whose ``n`` items all have one answer, of a task with several: a constant answer is always right."""

    task: str
    shift: str
    label: str
    n: int

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"task": self.task, "shift": self.shift, "label": self.label, "n": self.n}


@dataclass(frozen=True, eq=False)
class _Sorted:
    """A test set's items by part: answers as they are written most, or values of a key."""

    by: str
    parts: Mapping[str, tuple[str, ...]]
    left_out: int = 0


def breakdowns(
    measured: Measured, classes: Sequence[Classified], *, replicates: int = REPLICATES
) -> tuple[tuple[Breakdown, ...], tuple[SingleLabel, ...]]:
    """Of every task that was asked under a shift, each arm by answer (where answers are labels) and by group; and the
    test sets of one label. ``classes``: arms of tasks whose answers are labels.
    """
    shifted = {arm.task for arm in measured.outcomes if not arm.at.clean}
    labelled = {one.task for one in classes}
    answered = {one.at: _answered(one) for one in classes}
    made: list[Breakdown] = []
    single: list[SingleLabel] = []
    for (task, shift), table in _test_sets(measured, shifted).items():
        sets = []
        if task in labelled:
            by_answer = _by_answer(table)
            sets = [by_answer] if len(by_answer.parts) > 1 else []
            if not sets:
                (label,) = by_answer.parts
                single.append(SingleLabel(task, shift, label, len(by_answer.parts[label])))
        sets += _by_key(table)
        arms = [arm for arm in measured.outcomes if (arm.task, arm.shift) == (task, shift)]
        for one in sets:
            given = answered if one.by == BY_ANSWER else {}
            found = [_breakdown(arm, one, given.get(_bare(arm.at), {}), replicates) for arm in arms]
            made += _decided([each for each in found if each is not None])
    return tuple(made), tuple(single)


def _bare(at: Setting) -> Setting:
    """The setting as the table of classes has it: without family and size."""
    return replace(at, family=None, params=None)


def _answered(one: Classified) -> dict[str, float]:
    """Canonical label -> the share of all outputs that gave it."""
    whole = sum(map(sum, one.said.counts))
    return {_form(name): count / whole for name, count in zip(one.said.classes, one.said.answered, strict=True)}


def _form(text: str) -> str:
    return canonical_text(text) or text


def _test_sets(measured: Measured, tasks: set[str]) -> dict[tuple[str, str], pl.DataFrame]:
    """Task and shift -> item, gold answer and facts, each item once."""
    places = measured.cells.select("cell", "task", "shift").filter(pl.col("task").is_in(sorted(tasks)))
    columns = ["cell", "item", "gold", *(["meta"] if "meta" in measured.records.columns else [])]
    table = measured.records.select(columns).join(places, on="cell", maintain_order="left")
    return {
        (str(task), str(shift)): group.unique("item", keep="first", maintain_order=True)
        for (task, shift), group in table.group_by("task", "shift", maintain_order=True)
    }


def _by_answer(table: pl.DataFrame) -> _Sorted:
    forms: dict[str, list[str]] = {}
    written: dict[str, Counter[str]] = {}
    for item, gold in table.select("item", "gold").iter_rows():
        forms.setdefault(_form(gold), []).append(item)
        written.setdefault(_form(gold), Counter())[gold] += 1
    order = sorted(forms, key=lambda form: (-len(forms[form]), form))
    spelled = {form: min(written[form], key=lambda text: (-written[form][text], text)) for form in order}
    return _Sorted(BY_ANSWER, {spelled[form]: tuple(forms[form]) for form in order})


def _by_key(table: pl.DataFrame) -> Iterator[_Sorted]:
    """Every key of the items' facts whose values are groups."""
    if "meta" not in table.columns or table["meta"].null_count() == len(table):
        return
    facts = {item: json.loads(meta) if meta else {} for item, meta in table.select("item", "meta").iter_rows()}
    for key in dict.fromkeys(key for one in facts.values() for key in one):
        groups: dict[str, list[str]] = {}
        for item, one in facts.items():
            if key in one:
                groups.setdefault(str(one[key]), []).append(item)
        if not 2 <= len(groups) <= MOST_GROUPS or FEWEST_EACH * len(groups) > sum(map(len, groups.values())):
            continue
        kept = {name: tuple(groups[name]) for name in sorted(groups) if len(groups[name]) >= FEWEST_EACH}
        if len(kept) > 1:
            yield _Sorted(key, kept, len(facts) - sum(map(len, kept.values())))


def _breakdown(arm: Outcomes, one: _Sorted, answered: Mapping[str, float], replicates: int) -> Breakdown | None:
    """None where an arm has no outcome in a part."""
    column = {item: at for at, item in enumerate(arm.items)}
    tables: dict[str, Array] = {}
    for name, items in one.parts.items():
        values = arm.values[:, [column[item] for item in items if item in column]]
        values = values[:, np.isfinite(values).any(axis=0)]
        if values.size:
            tables[name] = values
    if len(tables) < len(one.parts):
        return None
    level = 1 - ALPHA / len(tables)
    ends = [_interval(values, level, replicates) for values in tables.values()]
    parts = tuple(
        Part(name, values.shape[1], float(np.nanmean(values)), interval, answered.get(_form(name)))
        for (name, values), interval in zip(tables.items(), ends, strict=True)
    )
    made = _against_constant(tables, ends, replicates) if one.by == BY_ANSWER else _below_all(tables, level, replicates)
    value, interval, p, test = made
    return Breakdown(
        at=arm.at,
        by=one.by,
        paired=any(twin is not None for twin in arm.twins) or arm.at.clean,
        parts=parts,
        worst_interval=(min(part.interval[0] for part in parts), min(part.interval[1] for part in parts)),
        value=value,
        interval=interval,
        p=p,
        n=sum(part.n for part in parts),
        draws=arm.draws,
        test=test,
        constant=1 / len(parts) if one.by == BY_ANSWER else None,
        left_out=one.left_out,
    )


def _interval(values: Array, level: float, replicates: int) -> Interval:
    if values.shape[0] == 1 and np.isin(values, (0.0, 1.0)).all():
        return wilson(int(values.sum()), values.shape[1], level)
    crossed = crossed_bootstrap([Block(values)], replicates)
    assert crossed is not None  # there is an outcome
    low, high = estimate_of(crossed, level=level).interval
    items = values.shape[1]
    if items < FEWEST_EACH:
        # so few items hardly show how items differ: as if all draws of an item were one trial
        right = float(np.nanmean(values, axis=0).sum())
        low = min(low, wilson(math.floor(right + 1e-9), items, level)[0])
        high = max(high, wilson(math.ceil(right - 1e-9), items, level)[1])
    return max(0.0, low), min(1.0, high)


def _against_constant(
    tables: Mapping[str, Array], ends: Sequence[Interval], replicates: int
) -> tuple[float, Interval, float | None, str]:
    """Balanced accuracy less that of a constant answer. ``ends``: the simultaneous intervals of the parts."""
    share = 1 / len(tables)
    if min(values.shape[1] for values in tables.values()) < FEWEST_EACH:
        value = sum(float(np.nanmean(values)) for values in tables.values()) * share - share
        low, high = (share * sum(one[side] for one in ends) - share for side in (0, 1))
        return value, (low, high), None, f"an answer of fewer than {FEWEST_EACH} items carries no test"
    crossed = crossed_bootstrap([Block(values - share, share) for values in tables.values()], replicates)
    assert crossed is not None  # each answer has an outcome
    made = estimate_of(crossed)
    return crossed.estimate, made.interval, made.p, f"{made.test}, items within each answer"


def _below_all(tables: Mapping[str, Array], level: float, replicates: int) -> tuple[float, Interval, None, str]:
    """How far the worst group lies below all items, with its simultaneous interval."""
    n = sum(values.shape[1] for values in tables.values())
    gaps, ends, test = [], [], ""
    for worst in tables:
        blocks = [Block(values, values.shape[1] / n - (name == worst)) for name, values in tables.items()]
        crossed = crossed_bootstrap(blocks, replicates)
        assert crossed is not None  # each group has an outcome
        made = estimate_of(crossed, level=level)
        gaps.append(crossed.estimate)
        ends.append(made.interval)
        test = made.test
    interval = max(low for low, _ in ends), max(high for _, high in ends)
    return max(gaps), interval, None, f"{test}, items within each group, simultaneous over {len(tables)} groups"


def _decided(found: Sequence[Breakdown]) -> list[Breakdown]:
    """P over the arms of a test set; those that show no example and stand at several budgets are one test."""
    tests: dict[Hashable, float] = {}
    keys: list[Hashable] = []
    for one in found:
        key = (one.at.without("labels"), one.value, one.interval)
        keys.append(key)
        if one.p is not None:
            tests[key] = one.p
    adjusted = dict(zip(tests, holm([*tests.values()]), strict=True))
    return [replace(one, p_adjusted=adjusted.get(key)) for one, key in zip(found, keys, strict=True)]
