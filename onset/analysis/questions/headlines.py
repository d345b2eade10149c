"""The handful of findings a first-time reader sees: chosen by rule from what was estimated, never written in advance.

Each kind of finding is a function from the estimates to candidates, most informative first. Warnings about the data
(cells missing, answers unread, prompts too long) always have a place; the rest is dealt out kind by kind, so that one
task with many comparisons does not crowd out the others. Nothing is claimed whose verdict is not decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from onset.analysis import words
from onset.analysis.arms import Arm
from onset.analysis.contrast.paired import Comparison
from onset.analysis.contrast.robustness import Loss
from onset.analysis.contrast.sentences import agreement, draws_agree
from onset.analysis.curves.threshold import Place
from onset.analysis.emergence.verdict import MIN_SIZES
from onset.analysis.finding import LOW_PARSE_RATE, Evidence, Finding
from onset.analysis.questions import ladder
from onset.analysis.questions.classification import Classified
from onset.analysis.questions.labels import Overtaking
from onset.analysis.questions.size_curves import SizeCurve, measured_words
from onset.analysis.stats.intervals import Interval

MOST = 8
MOST_WITH_LADDER = 10


def headlines(evidence: Evidence) -> tuple[Finding, ...]:
    """At most `MOST` findings (`MOST_WITH_LADDER` over a ladder), in the order of reading: results, then warnings."""
    kinds = (_no_curve, _incomplete, _refused, _unread, _too_long, _failed_items, _stuck, _baseline)
    warnings = [one for find in kinds for one in find(evidence)]
    if not evidence.arms:
        none = Finding(
            "results", "the study", "no results", None, None, None, None, "No cell of this study is finished."
        )
        return (none, *warnings)
    return (*_deal(evidence, len(warnings)), *warnings)


Kind = tuple[Callable[[Evidence], Iterable[Finding]], int]


def _deal(evidence: Evidence, taken: int) -> list[Finding]:
    """Each kind's first finding, then each kind's second, until there is no room; in the order of reading.

    ``taken``: places the warnings have. A study over a ladder of sizes is read by size first.
    """
    kinds, most = (_ladder_kinds(), MOST_WITH_LADDER) if _has_ladder(evidence) else (_plain_kinds(), MOST)
    candidates = [
        (wait + place + (finding.kind in _BY_SIZE and finding.verdict in _OPEN), order, finding)
        for order, (find, wait) in enumerate(kinds)
        for place, finding in enumerate(find(evidence))
    ]
    candidates.sort(key=lambda candidate: candidate[:2])
    return [finding for _, _, finding in sorted(candidates[: most - taken], key=lambda candidate: candidate[1])]


_BY_SIZE = ("emergence", "crossover", "voting", "size by task")
_OPEN = ("undecided", "unresolved")
"""Verdicts that leave the question of a kind about size open: it then waits a round."""


def _has_ladder(evidence: Evidence) -> bool:
    return any(curve.shift == "none" for curve in evidence.gains) or bool(evidence.task_orders)


def _plain_kinds() -> tuple[Kind, ...]:
    """A number says how many rounds a kind waits: the three questions of every study come before the rest."""
    first: tuple[Kind, ...] = ((_best, 0), (_prompt_or_tune, 0), (ladder.ingredients, 0), (_chain_of_thought, 0))
    return (*first, (_size, 1), (_shifts, 0), (_undecided, 1), (_break_even, 2))


def _ladder_kinds() -> tuple[Kind, ...]:
    by_size: tuple[Kind, ...] = (
        (ladder.emergence, 0),
        (ladder.crossover, 0),
        (ladder.voting, 0),
        (ladder.tasks_by_size, 0),
    )
    ingredients: tuple[Kind, ...] = ((ladder.ingredients, 0), (ladder.ingredients_by_size, 0))
    rest: tuple[Kind, ...] = ((_prompt_or_tune, 0), *ingredients, (_best, 0), (_chain_of_thought, 0))
    return (*by_size, *rest, (_size, 1), (_shifts, 0), (_break_even, 2), (_undecided, 1))


def _largest(arms: Sequence[Arm]) -> list[Arm]:
    """The arms of the model with most parameters, at its largest budget that several methods share."""
    top = max(arms, key=lambda arm: arm.params)
    same = [arm for arm in arms if (arm.model, arm.stage) == (top.model, top.stage)]
    budgets = sorted({arm.labels for arm in same}, key=lambda labels: (_shared(same, labels), labels))
    return [arm for arm in same if arm.labels == budgets[-1]]


def _shared(arms: Sequence[Arm], labels: int) -> bool:
    return sum(arm.labels == labels for arm in arms) > 1


def _by_task(arms: Iterable[Arm]) -> dict[str, list[Arm]]:
    groups: dict[str, list[Arm]] = {}
    for arm in arms:
        groups.setdefault(arm.task, []).append(arm)
    return groups


def _best(evidence: Evidence) -> Iterable[Finding]:
    for task, arms in _by_task(evidence.clean()).items():
        rivals = sorted(_largest(arms), key=lambda arm: -arm.accuracy)
        best, point = rivals[0], evidence.point(rivals[0])
        given = evidence.given(best.labels, [arm.method for arm in rivals if arm.labels == best.labels], task)
        start = f"On {task}, {best.model} {given}"
        stop = "," if given != words.with_labels(best.labels) else ""
        level = f"{words.percent(point.accuracy)}, {_share_range(point.interval)}; {words.sample(point.n, point.draws)}"
        beaten, level_with, unsettled = _standing(evidence, best, rivals[1:])
        if point.interval[0] <= best.chance and best.chance > 0:
            verdict = "not above chance"
            text = f"{start}: no method is shown to be above chance ({words.percent(best.chance)})"
            text += f"; best is {best.method} ({level})"
        elif not rivals[1:]:
            verdict, text = (
                "measured",
                f"{start}{stop} reaches {words.percent(point.accuracy)} with {best.method} ({level})",
            )
        else:
            verdict = "best" if len(beaten) == len(rivals) - 1 else "undecided"
            parts = [f"it beats {words.listed(beaten)}"] if beaten else []
            parts += [f"it is equivalent to {words.listed(level_with)}"] if level_with else []
            apart = (
                "; nor from ".join(unsettled) if any(", " in name for name in unsettled) else words.listed(unsettled)
            )
            parts += [f"it cannot be told apart from {apart}"] if unsettled else []
            claim = "does best" if verdict == "best" else "scores highest"
            scope = "with these examples " if beaten and point.draws == 1 and best.labels else ""
            text = f"{start}{stop} {claim} with {best.method} ({level}): {scope}{', '.join(parts)}"
        yield Finding(
            "best method", f"{task}, {best.model}", verdict, point.accuracy, point.interval, point.n,
            "mean over draws and items; comparisons adjusted by Holm", f"{text}.",
        )  # fmt: skip


def _share_range(interval: Interval) -> str:
    return f"95 % interval {words.number(100 * interval[0])} to {words.number(100 * interval[1])} %"


def _standing(evidence: Evidence, best: Arm, others: Sequence[Arm]) -> tuple[list[str], list[str], list[str]]:
    """Which methods ``best`` beats, is equivalent to, cannot be told apart from."""
    beaten: list[str] = []
    level: list[str] = []
    unsettled: list[str] = []
    for other in others:
        one = _between(evidence.comparisons, best, other)
        verdict = "undecided" if one is None else one.verdict
        ahead = one is not None and verdict == ("wins" if one.sides[0] == best.method else "loses")
        name = other.method
        agreed = agreement(one) if one is not None and verdict == "undecided" else None
        if agreed is not None and agreed[0] == best.method:
            name = f"{name}, though it is ahead in {agreed[1]}"
        (beaten if ahead else level if verdict == "equivalent" else unsettled).append(name)
    return beaten, level, unsettled


def _between(comparisons: Iterable[Comparison], a: Arm, b: Arm) -> Comparison | None:
    for one in comparisons:
        place = (one.model, one.stage, one.labels, one.task, one.shift)
        if place == (a.model, a.stage, a.labels, a.task, a.shift) and set(one.sides) == {a.method, b.method}:
            return one
    return None


def _prompt_or_tune(evidence: Evidence) -> Iterable[Finding]:
    for task, arms in _by_task(evidence.clean()).items():
        tuned = {arm.method for arm in arms if arm.tune is not None}
        everywhere = [
            one
            for one in evidence.comparisons
            if one.task == task and one.difference is not None and one.sides[0] in tuned and one.sides[1] not in tuned
        ]
        facing = [one for one in everywhere if one.shift == "none"]
        if not facing:
            continue
        wins, losses = (sum(one.verdict == verdict for one in facing) for verdict in ("wins", "loses"))
        shown = _strongest_pair(arms, facing)
        verdict = {"wins": "tuning", "loses": "prompting"}.get(shown.verdict, shown.verdict)
        text = f"Prompt or tune on {task}, {shown.model} {evidence.given(shown.labels, shown.sides, task)}:"
        text += f" {shown.sentence}"
        path = _overtaking(evidence.overtakings, shown)
        text += f" Over the budgets, {path.sentence}" if path and len(path.budgets) > 1 else ""
        text += ladder.prompt_or_tune_by_size(evidence, everywhere)
        if len(facing) > 1:
            text += (
                f" Of all {len(facing)} comparisons of tuning with prompting on the same examples, tuning wins {wins}"
            )
            open_ones = len(facing) - wins - losses
            text += f", prompting {losses}; {open_ones} {'has' if open_ones == 1 else 'have'} no winner."
        yield Finding(
            "prompt or tune", f"{task}, {shown.model}", verdict, shown.difference, shown.interval, shown.n, shown.test,
            text,
        )  # fmt: skip


def _overtaking(overtakings: Iterable[Overtaking], pair: Comparison) -> Overtaking | None:
    place = (pair.model, pair.stage, pair.task, pair.shift, *pair.sides)
    for one in overtakings:
        if (one.model, one.stage, one.task, one.shift, one.tuned, one.prompted) == place:
            return one
    return None


def _strongest_pair(arms: Sequence[Arm], facing: Sequence[Comparison]) -> Comparison:
    """On the largest model at its largest budget, the most accurate tuned method against the best prompting one."""
    score = {(arm.model, arm.stage, arm.method, arm.labels): arm.accuracy for arm in arms}

    def rank(one: Comparison) -> tuple[float, ...]:
        a, b = (score[(one.model, one.stage, side, one.labels)] for side in one.sides)
        return one.params, one.labels, a + b

    return max(facing, key=rank)


def _chain_of_thought(evidence: Evidence) -> Iterable[Finding]:
    """Of the tasks without a finding on emergence, which says more."""
    by_size = _tasks_with_emergence(evidence)
    for task, arms in _by_task(evidence.clean()).items():
        if task in by_size:
            continue
        plain = [arm for arm in arms if arm.tune is None and arm.vote is None]
        chains = {arm.method for arm in plain if arm.prompt == "cot"}
        direct = {arm.method for arm in plain if arm.prompt == "answer-only"}
        pairs = [
            one
            for one in evidence.comparisons
            if one.task == task and one.shift == "none" and one.difference is not None and set(one.sides) & chains
            and set(one.sides) & direct
        ]  # fmt: skip
        if not pairs:
            continue
        # where a study asks in several ways, steps are held against none asked in the same way
        asked = {(arm.model, arm.method): arm.template for arm in plain}
        alike = [one for one in pairs if len({asked[one.model, side] for side in one.sides}) == 1]
        pairs = alike or pairs
        budget = max(one.labels for one in pairs)
        families = {arm.model: arm.family for arm in plain}
        gains = [_as_gain(one, chains) for one in pairs if one.labels == budget]
        settings = dict.fromkeys(tuple(sorted(one.sides, key=lambda side: side in direct)) for one, *_ in gains)
        for setting in settings:  # a pair of methods each: they may differ in more than the steps
            rows = sorted((row for row in gains if {*row[0].sides} == {*setting}), key=lambda row: row[0].params)
            who = "Chain of thought" if len(settings) == 1 else f"Chain of thought ({' against '.join(setting)})"
            where = f"{who} on {task}, {evidence.given(budget, setting, task)}"
            subject = task if len(settings) == 1 else f"{task}, {' against '.join(setting)}"
            yield _chain_finding(subject, where, rows, families)


def _tasks_with_emergence(evidence: Evidence) -> set[str]:
    return {
        one.task
        for one in evidence.gains
        if one.kind == "chain of thought" and one.shift == "none" and len(one.sizes) >= MIN_SIZES
    }


def _as_gain(one: Comparison, chains: set[str]) -> tuple[Comparison, str, float, Interval]:
    """The comparison said of chain of thought, whichever side it is on: verdict, gain and its interval."""
    difference, interval = one.difference or 0.0, one.interval or (-1.0, 1.0)
    if one.sides[0] in chains:
        return one, one.verdict, difference, interval
    turned = {"wins": "loses", "loses": "wins"}.get(one.verdict, one.verdict)
    return one, turned, -difference, (-interval[1], -interval[0])


def _chain_finding(
    subject: str, where: str, rows: Sequence[tuple[Comparison, str, float, Interval]], families: Mapping[str, str]
) -> Finding:
    verbs = {
        "wins": "helps",
        "loses": "hurts",
        "equivalent": "makes no difference for",
        "undecided": "is undecided for",
    }
    parts = []
    for verdict, phrase in verbs.items():
        models = [one.model for one, said, *_ in rows if said == verdict]
        if models:
            parts.append(f"{phrase} {words.listed(list(dict.fromkeys(models)))}")
    onset = _onset_size(rows, families)
    one, said, gain, interval = rows[-1]
    scope = "with these examples it " if one.scope == "these examples" else ""
    text = f"{where}: {scope}{'; '.join(parts)}"
    text += f"; {onset}" if onset else ""
    text += f"; the gain for {one.model} is {words.points(gain)} ({words.point_range(interval)}"
    text += f"; {words.sample(one.n, len(one.seeds))})"
    text += draws_agree(one) if said == "undecided" else ""
    different = len({families[row[0].model] for row in rows}) > 1
    caution = ". The models are of different families, so this is not an effect of size alone" if different else ""
    kinds = {row[1] for row in rows}
    verdict = "helps" if said == "wins" else "hurts" if said == "loses" else "mixed" if len(kinds) > 1 else said
    return Finding("chain of thought", subject, verdict, gain, interval, one.n, one.test, f"{text}{caution}.")


def _onset_size(rows: Sequence[tuple[Comparison, str, float, Interval]], families: Mapping[str, str]) -> str:
    """The size from which on it helps at every size of one family (at least three); empty where there is none."""
    for family in dict.fromkeys(families[row[0].model] for row in rows):
        ladder = [row for row in rows if families[row[0].model] == family]
        if len({row[0].params for row in ladder}) < 3:
            continue
        helped = [row[1] == "wins" for row in ladder]
        if True in helped and not all(helped) and all(helped[helped.index(True) :]):
            first = ladder[helped.index(True)][0]
            larger = " and at every larger size tried" if len(helped) - helped.index(True) > 1 else ""
            return f"in the family {family} it first helps at {words.parameters(first.params)}{larger}"
    return ""


def _size(evidence: Evidence) -> Iterable[Finding]:
    """For each task the curve, at the largest budget, of the method that is best at the largest size.

    Not where the findings on emergence or on tasks by size have said it.
    """
    said = _tasks_with_emergence(evidence) | {task for order in evidence.task_orders for task in order.tasks}
    groups: dict[str, list[SizeCurve]] = {}
    for curve in evidence.curves:
        if curve.shift == "none" and curve.different > 2 and curve.task not in said:
            groups.setdefault(curve.task, []).append(curve)
    for task, curves in groups.items():
        best = max(curves, key=lambda one: (one.labels, one.correct[-1] / one.n[-1]))
        if best.found is None:
            continue
        place = best.found.midpoint.place() if best.found.midpoint is not None else Place()
        yield Finding(
            "size", f"{task}, {best.method}, family {best.family}", best.found.verdict, place.estimate,
            None if place.estimate is None else (place.low, place.high), sum(best.n),
            "bootstrap against the best smooth curve; halfway: profile likelihood", f"Size: {best.sentence}",
        )  # fmt: skip


def _no_curve(evidence: Evidence) -> Iterable[Finding]:
    """Once for all tasks that were measured at too few sizes for a curve: what was measured, and that there is none."""
    curves = [one for one in evidence.curves if one.shift == "none" and one.different > 2]
    with_curve = {one.task for one in curves if one.found is not None}
    short = {}
    for one in sorted(curves, key=lambda one: (one.labels, one.correct[-1] / one.n[-1])):
        if one.task not in with_curve:
            short[one.task] = one
    if not short:
        return
    sizes = sorted({one.different for one in short.values()})
    listed = "; ".join(f"{one.method} on {task}, {measured_words(one)}" for task, one in list(short.items())[:_SHORT])
    more = f"; and {len(short) - _SHORT} more tasks" if len(short) > _SHORT else ""
    said = words.listed([str(size) for size in sizes])
    text = f"Size: {said} sizes: no curve, which takes {MIN_SIZES} ({listed}{more})."
    n = sum(sum(one.n) for one in short.values())
    yield Finding("size", "curves over size", "no curve", None, None, n, None, text)


_SHORT = 3
"""Tasks with too few sizes for a curve that are listed."""


def _shifts(evidence: Evidence) -> Iterable[Finding]:
    groups: dict[tuple[str, str], list[Loss]] = {}
    for loss in evidence.losses:
        groups.setdefault((loss.shift, loss.task), []).append(loss)
    findings = []
    for (shift, task), losses in groups.items():
        params = max(loss.params for loss in losses)
        labels = max(loss.labels for loss in losses if loss.params == params)
        top = [loss for loss in losses if (loss.params, loss.labels) == (params, labels)]
        for model in dict.fromkeys(loss.model for loss in top):
            of_it = sorted((loss for loss in top if loss.model == model), key=lambda loss: -loss.loss)
            findings.append(_shift_finding(evidence, shift, task, of_it))
    yield from sorted(findings, key=lambda finding: finding.verdict == "undecided")


def _shift_finding(evidence: Evidence, shift: str, task: str, top: Sequence[Loss]) -> Finding:
    worst = next((loss for loss in top if loss.verdict == "loses"), top[0])
    lose = [loss for loss in top if loss.verdict == "loses"]
    gain = [loss.method for loss in top if loss.verdict == "gains"]
    unsettled = [loss.method for loss in top if loss.verdict == "undecided"]
    parts = [f"{loss.method} loses {words.points(loss.loss)} ({words.point_range(loss.interval)})" for loss in lose[:3]]
    parts += [f"{words.listed([loss.method for loss in lose[3:]])} lose less"] if lose[3:] else []
    parts += [f"{words.listed(gain)} gain{'s' if len(gain) == 1 else ''}"] if gain else []
    parts += [f"a change is not shown for {words.listed(unsettled)}"] if unsettled else []
    between = [
        one
        for one in evidence.loss_differences
        if (one.model, one.task, one.shift, one.labels) == (worst.model, task, shift, worst.labels)
    ]
    decided = [f"{one.sides[0]} {one.verdict} than {one.sides[1]}" for one in between if one.verdict != "undecided"]
    if decided:
        parts.append(f"between methods, {words.listed(decided)}")
    elif between:
        parts.append("which method suffers more is undecided")
    verdict = "loses" if lose else "gains" if gain else "undecided"
    scope = "with these examples " if len(worst.seeds) == 1 and worst.labels and (lose or gain) else ""
    given = evidence.given(worst.labels, [loss.method for loss in top], task)
    text = f"Under the shift {shift} on {task}, {worst.model} {given}: {scope}"
    text += "; ".join(parts)
    size = words.sample(worst.n, len(worst.seeds))
    return Finding(
        "shift", f"{task}, {shift}, {worst.model}", verdict, worst.loss, worst.interval, worst.n, worst.test,
        f"{text} ({size}).",
    )  # fmt: skip


def _undecided(evidence: Evidence) -> Iterable[Finding]:
    measured = [one for one in evidence.comparisons if one.difference is not None]
    open_ones = [one for one in measured if one.verdict == "undecided"]
    if not open_ones:
        return
    needed = sorted(one.needed for one in open_ones if one.needed is not None)
    verb = "is" if len(open_ones) == 1 else "are"
    text = f"{len(open_ones)} of {words.counted(len(measured), 'comparison')} {verb} undecided: neither a difference"
    text += f" nor equivalence within {words.points(open_ones[0].margin)} is shown"
    if needed:
        text += f"; at the differences observed, {items_needed(needed)}"
    draws = sorted(one.needed_draws for one in open_ones if one.needed is None and one.needed_draws is not None)
    if draws:
        span = f"{draws[0]}" if draws[0] == draws[-1] else f"{draws[0]} to {draws[-1]}"
        text += f"; {len(draws)} take{'s' * (len(draws) == 1)} {span} draws rather than more items"
    stuck = sum(one.needed is None and one.needed_draws is None and bool(one.difference) for one in open_ones)
    text += f"; {stuck} need{'s' * (stuck == 1)} more seeds rather than more items" if stuck else ""
    yield Finding("undecided", "comparisons", "undecided", None, None, len(open_ones), None, f"{text}.")


def items_needed(needed: Sequence[int]) -> str:
    """What it would take to decide the comparisons that more items can decide; ``needed`` ascending, not empty."""
    if len(needed) == 1:
        return f"one of them takes about {needed[0]} items to decide"
    if needed[0] == needed[-1]:
        return f"{len(needed)} of them take about {needed[0]} items to decide"
    half = f", half of them at most {round(median(needed))}" if len(needed) > 2 else ""
    return f"{len(needed)} of them take about {needed[0]} to {needed[-1]} items to decide{half}"


def _break_even(evidence: Evidence) -> Iterable[Finding]:
    clean = [one for one in evidence.break_evens if one.shift == "none"]
    for task, arms in _by_task(evidence.clean()).items():
        group = _largest(arms)
        place = (group[0].model, group[0].stage, group[0].labels, task)
        here = [one for one in clean if (one.model, one.stage, one.labels, one.task) == place]
        if not here:
            continue
        accuracy = {arm.method: arm.accuracy for arm in group}
        one = max(here, key=lambda pair: accuracy[pair.tuned] + accuracy[pair.prompted])
        verdict = "never" if one.queries is None else "pays"
        yield Finding(
            "cost", f"{task}, {one.model}", verdict, one.queries, None, None, "FLOPs counted, no prefix reuse",
            f"Cost: {one.sentence}",
        )  # fmt: skip


def _incomplete(evidence: Evidence) -> Iterable[Finding]:
    missing, failed = len(evidence.missing), len(evidence.failed)
    if not missing and not failed:
        return
    parts = [f"{words.counted(missing, 'cell')} not run yet"] if missing else []
    if failed:
        example = next(iter(evidence.failed.values())).rstrip(".")
        parts.append(f"{words.counted(failed, 'cell')} failed (for example: {example})")
    text = f"Incomplete: {' and '.join(parts)}; what is said here rests on the rest."
    yield Finding("warning", "cells", "incomplete", None, None, missing + failed, None, text)


def _refused(evidence: Evidence) -> Iterable[Finding]:
    refused = [one for one in evidence.comparisons if any("refused" in reason for reason in one.mismatch)]
    if refused:
        text = (
            f"In {words.counted(len(refused), 'comparison')} the two sides did not have the same task or example plan"
        )
        text += f" at some seed; those seeds were left out (first: {refused[0].mismatch[-1]})."
        yield Finding("warning", "pairing", "refused", None, None, len(refused), None, text)


def _unread(evidence: Evidence) -> Iterable[Finding]:
    low = sorted((arm for arm in evidence.arms if arm.parse_rate < LOW_PARSE_RATE), key=lambda arm: arm.parse_rate)
    if not low:
        return
    settings = {(arm.model, arm.stage, arm.labels, arm.task, arm.shift, arm.method) for arm in low}
    touched = sum(
        one.verdict in ("wins", "loses")
        and any((one.model, one.stage, one.labels, one.task, one.shift, side) in settings for side in one.sides)
        for one in evidence.comparisons
    )
    worst = low[0]
    text = f"Answers not found: in {len(low)} of {words.counted(len(evidence.arms), 'setting')} fewer than"
    text += f" {words.number(100 * LOW_PARSE_RATE, 0)} % of the outputs held a readable answer (lowest: {worst.method}"
    text += f" {evidence.given(worst.labels, [worst.method], worst.task)}"
    text += f" for {worst.model} on {worst.task}, {words.percent(worst.parse_rate)})"
    text += "; a low accuracy there may be a matter of format, not of ability"
    if touched:
        text += f"; {words.counted(touched, 'verdict')} on who wins {'rests' if touched == 1 else 'rest'} on them"
    yield Finding("warning", "parse rate", "low parse rate", worst.parse_rate, None, len(low), None, f"{text}.")


def _failed_items(evidence: Evidence) -> Iterable[Finding]:
    broken = [arm for arm in evidence.arms if arm.failed_items]
    if broken:
        total = sum(arm.failed_items for arm in broken)
        names = list(dict.fromkeys(f"{arm.method} on {arm.task} for {arm.model}" for arm in broken))
        shown = words.listed(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} other settings"])
        first = f"{broken[0].cause}".rstrip(".")
        count = "it counts" if total == 1 else "they count"
        text = f"At {words.counted(total, 'item')} the method raised an error: {count} as wrong ({shown})."
        text += f" The first error: {first}."
        yield Finding("warning", "failed items", "failed items", None, None, total, None, text)


def _too_long(evidence: Evidence) -> Iterable[Finding]:
    longer = [arm for arm in evidence.arms if arm.overlong]
    if longer:
        total = sum(arm.overlong for arm in longer)
        names = list(dict.fromkeys(f"{arm.method} on {arm.task} for {arm.model}" for arm in longer))
        shown = words.listed(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} other settings"])
        verb = (
            "does not fit the model's context and counts" if total == 1 else "do not fit the model's context and count"
        )
        text = f"{words.counted(total, 'prompt')} {verb} as wrong ({shown})."
        yield Finding("warning", "context", "overlong prompts", None, None, total, None, text)


def _stuck(evidence: Evidence) -> Iterable[Finding]:
    stuck = sorted((one for one in evidence.classified if one.stuck), key=lambda one: -one.top_share)
    if not stuck:
        return
    worst = stuck[0]
    outputs = sum(map(sum, worst.counts))
    share = worst.gold[worst.classes.index(worst.top or "")] / worst.n
    text = f"One label nearly always: {worst.method} {words.with_labels(worst.labels)} for {worst.model} answers"
    given = round(worst.top_share * outputs)
    text += f' "{worst.top}" in {given} of {words.counted(outputs, "output")} on {worst.task}'
    text += f" (right for {words.percent(share)} of its items)"
    if len(stuck) > 1:
        text += f", and in {len(stuck) - 1} more of {words.counted(len(evidence.classified), 'setting')} with labels"
        text += " one label is given to nine in ten items or more"
    text += "; its accuracy says how frequent that label is, not what the method can tell apart"
    yield Finding("warning", "labels", "one label", worst.top_share, None, len(stuck), None, f"{text}.")


def _baseline(evidence: Evidence) -> Iterable[Finding]:
    """Tasks on which no setting is shown to do better than always answering the most frequent label."""
    places: dict[tuple[str, str], list[Classified]] = {}
    for one in evidence.classified:
        places.setdefault((one.task, one.shift), []).append(one)
    for (task, shift), group in places.items():
        if any(one.lead_interval[0] > 0 for one in group):
            continue
        best = max(group, key=lambda one: one.lead)
        where = task if shift == "none" else f"{task} under the shift {shift}"
        text = (
            f'No better than one label: always answering "{best.classes[0]}" is right on'
            f" {words.percent(best.majority)} of the test items of {where}, and none of"
            f" {words.counted(len(group), 'setting')} is shown to do better (best: {best.method}"
            f" {words.with_labels(best.labels)} for {best.model}, {words.points(abs(best.lead))}"
            f" {'above' if best.lead >= 0 else 'below'} it,"
            f" {words.point_range(best.lead_interval)})."
        )
        yield Finding(
            "warning", f"{task}, majority", "majority baseline", best.lead, best.lead_interval, best.n,
            "paired with a constant answer", text,
        )  # fmt: skip
