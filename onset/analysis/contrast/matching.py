"""What of two sets of results belongs together, and what is not alike: runs of a task, and the items of two runs.

Nothing is left out in silence: what only one side has, what was refused (another version of a task, another gold
answer) and what differs but is compared all the same (prompts, labels, filters) is a `Mismatch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from onset.analysis.outcomes import Outcomes
from onset.analysis.words import counted, listed
from onset.errors import DataError

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


# ----------------------------------------------------------------------------------------------------- sides and runs

Run = tuple[tuple[str, ...], list[Outcomes]]


def source_of(outcomes: Sequence[Outcomes]) -> str:
    """What a side was read from, in one text."""
    return listed(list(dict.fromkeys(one.source for one in outcomes)))


def names_of(a: Sequence[Outcomes], b: Sequence[Outcomes], sources: tuple[str, str]) -> tuple[str, str]:
    """What the sides are called: what they differ in (model, method, labels, stage), else their paths."""
    for key in RUN:
        ours, theirs = ({_value(one, key) for one in side} for side in (a, b))
        if len(ours) == len(theirs) == 1 and ours != theirs and "" not in ours | theirs:
            first, second = ours.pop(), theirs.pop()
            return (f"{first} labels", f"{second} labels") if key == "labels" else (first, second)
    last = Path(sources[0]).name, Path(sources[1]).name
    return last if last[0] != last[1] else sources if sources[0] != sources[1] else ("A", "B")


def runs_of(outcomes: Sequence[Outcomes], side: str) -> dict[tuple[str, str], list[Run]]:
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


def matched(
    a: Mapping[tuple[str, str], list[Run]],
    b: Mapping[tuple[str, str], list[Run]],
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
    label: str, a: Sequence[Run], b: Sequence[Run], sides: tuple[str, str], mismatches: list[Mismatch]
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


# ------------------------------------------------------------------------------------------------------ items of a task


def refused_items(label: str, a: Outcomes, b: Outcomes, mismatches: list[Mismatch]) -> frozenset[str]:
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


def without_items(one: Outcomes, refused: frozenset[str]) -> Outcomes:
    """The outcomes of all other items."""
    return one.only([place for place, item in enumerate(one.items) if item not in refused])


def differences(label: str, a: Outcomes, b: Outcomes, sides: tuple[str, str]) -> list[Mismatch]:
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
        for draw, line in zip(one.draws, one.outputs.prompts, strict=True)
        for item, prompt in zip(one.items, line, strict=True)
        if prompt is not None
    }
