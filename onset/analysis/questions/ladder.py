"""What a study over a ladder of sizes says: emergence, crossover, voting, tasks by size, ingredients.

Each function chooses from the estimates and puts them in words, as `onset.analysis.questions.headlines` does, and
yields nothing where a study has no ladder. Whether an ability emerges is the verdict on its curve
(`onset.analysis.emergence.verdict`) and nothing else; paired gains over answer-only and the steepest rise stand beside
it as evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.factors import BASE, StageComparison
from onset.analysis.contrast.paired import Comparison, Verdict
from onset.analysis.curves.threshold import Place
from onset.analysis.emergence.verdict import Emergence
from onset.analysis.finding import LOW_PARSE_RATE, Evidence, Finding
from onset.analysis.questions.crossover import GainCurve, GainKind, GainPoint, Rise
from onset.analysis.questions.size_curves import SizeCurve, fit_words, halfway_words
from onset.analysis.questions.stage_sizes import StageShift
from onset.analysis.questions.task_sizes import SizeRatio, TaskOrder, stem_of
from onset.analysis.stats.intervals import Interval

MIN_SIZES = 3
_ENOUGH_TO_LIST = 3
_SHOWN_STAGES = 4
_VERDICTS: tuple[Verdict, ...] = ("loses", "equivalent", "undecided", "wins")


def emergence(evidence: Evidence) -> Iterable[Finding]:
    """Per task and family: does chain of thought emerge with size? The verdict on its curve; clear cases first."""
    order = ("emergent", "smooth", "inverse", "u-shaped", "flat", "unresolved")
    made = [
        (fitted, curve)
        for curve in _chosen(evidence.gains, "chain of thought")
        if (fitted := _size_curve(evidence, curve, curve.sides[0])) is not None and fitted.found is not None
    ]
    made.sort(key=lambda pair: (order.index(_verdict(pair[0])), -(pair[0].found.rise or 0.0 if pair[0].found else 0.0)))
    for fitted, curve in made:
        yield _emergence(evidence, curve, fitted)


def _verdict(fitted: SizeCurve) -> str:
    return "unresolved" if fitted.found is None else fitted.found.verdict


def _emergence(evidence: Evidence, curve: GainCurve, fitted: SizeCurve) -> Finding:
    found = fitted.found
    assert found is not None  # chosen for having a verdict
    name, family = _name(curve.sides[0]), _family(curve)
    given = evidence.given(curve.labels, curve.sides, curve.task)
    text = f"On {curve.task} {given}, {family}, {_grows(found, name)}"
    place = found.threshold.place
    if place.estimate is not None or place.low is not None or place.high is not None:
        text += f". It leaves chance {place_words(place)}"
    text += f"{halfway_words(found)}{fit_words(fitted)}"
    split = _split(curve, place.estimate)
    text += f". {_around(curve, split)}" if split else ""
    # of what falls with size the largest rise says nothing
    text += "" if found.verdict == "inverse" else f". {_rises(curve)}"
    text += f" ({_sample(curve.points)}).{_format_caution(evidence, curve, found, split)}"
    return Finding(
        "emergence", f"{curve.task}, {curve.sides[0]}, {family}", found.verdict, place.estimate,
        None if place.estimate is None else (place.low, place.high), max(point.n for point in curve.points),
        "bootstrap against the best smooth curve; threshold: profile likelihood; paired differences",
        text,
    )  # fmt: skip


def _grows(found: Emergence, name: str) -> str:
    """The verdict as a clause about the method."""
    p = "" if found.q_value is None else f" (q = {words.p_words(found.q_value)} against smooth growth)"
    if found.verdict == "emergent":
        return f"{name} emerges: it stays at chance and then grows faster than any smooth curve{p}"
    if found.verdict == "smooth":
        return f"{name} grows smoothly with size{p}"
    if found.verdict == "unresolved":
        why = f": {found.notes[0]}" if found.notes else ""
        if found.q_value is None:
            return f"{name} is not shown to change with size{why}"
        return f"{name} grows with size, and whether smoothly or by emerging is not resolved{why}"
    said = {
        "flat": "does not change with size beyond the margin",
        "inverse": "falls with size",
        "u-shaped": "falls with size and then rises",
    }
    return f"{name} {said[found.verdict]}"


def place_words(place: Place) -> str:
    """``between 58 k and 132 k parameters``, ``at about 84 k parameters (95 % interval ...)``, ``beyond 6.5 M``."""
    if place.censored == "gap" and place.low is not None and place.high is not None:
        return f"between {words.short_count(place.low)} and {words.parameters(place.high)}"
    ends = words.range_words((place.low, place.high), words.short_count)
    if place.estimate is not None:
        return f"at about {words.parameters(place.estimate)} ({ends})"
    return f"{'below' if place.censored == 'below' else 'beyond'} the sizes measured ({ends})"


def _split(curve: GainCurve, threshold: float | None) -> tuple[int, int] | None:
    """The two neighbouring sizes between which the curve leaves chance; None where it does so at none."""
    below = [size for size in curve.sizes if threshold is not None and size < threshold]
    above = [size for size in curve.sizes if threshold is not None and size >= threshold]
    return (below[-1], above[0]) if below and above else None


def _format_caution(evidence: Evidence, curve: GainCurve, found: Emergence, split: tuple[int, int] | None) -> str:
    """An answer that is learnt to be written down looks like one that is learnt to be found."""
    if found.verdict != "emergent" or split is None:
        return ""
    place = (curve.task, curve.sides[0], curve.labels, curve.shift, curve.stage, curve.family)
    below = [
        words.short_count(arm.params)
        for arm in sorted(evidence.arms, key=lambda arm: arm.params)
        if (arm.task, arm.method, arm.labels, arm.shift, arm.stage, arm.family) == place
        and arm.params <= split[0]
        and arm.parse_rate < LOW_PARSE_RATE
    ]
    if not below:
        return ""
    share = words.number(100 * LOW_PARSE_RATE, 0)
    return (
        f" At {words.listed(below)} fewer than {share} % of its outputs held a readable answer, so part of what"
        " emerges may be the format."
    )


def _around(curve: GainCurve, split: tuple[int, int]) -> str:
    """The gain over the other method on both sides of the threshold."""
    low, high = split
    below = max((point for point in curve.points if point.params <= low), key=lambda point: point.gain)
    above = min((point for point in curve.points if point.params >= high), key=lambda point: point.gain)
    one_below = sum(point.params <= low for point in curve.points) == 1
    one_above = sum(point.params >= high for point in curve.points) == 1
    before = f"{'' if one_below else 'at most '}{words.points(below.gain)}"
    after = f"{'' if one_above else 'at least '}{words.points(above.gain)}"
    there = "" if one_above else f"least at {words.short_count(above.params)}; "
    return (
        f"Its gain over {_name(curve.sides[1])} is measured as {before}"
        f" {'at' if one_below else 'up to'} {words.short_count(low)} ({words.point_range(below.interval)}), and as"
        f" {after} {'at' if one_above else 'from'} {words.short_count(high)}{'' if one_above else ' on'}"
        f" ({there}{words.point_range(above.interval)})"
    )


def _rises(curve: GainCurve) -> str:
    if curve.rises is None:
        return "Neighbouring sizes cannot be compared"
    chain, direct = curve.rises
    text = f"The largest rise measured between neighbouring sizes is {_rise(chain)}"
    if curve.own_rise is not None and curve.own_rise_interval is not None:
        more = "more" if curve.own_rise >= 0 else "less"
        own = (
            curve.own_rise_interval if curve.own_rise >= 0 else tuple(-end for end in reversed(curve.own_rise_interval))
        )
        text += f", {words.points(abs(curve.own_rise))} {more} than {_name(direct.method)}"
        text += f" over the same step ({words.point_range((own[0], own[1]))})"
    text += f"; that of {_name(direct.method)} is {_rise(direct)}"
    return text + (f"; the intervals allow for {chain.steps} steps" if chain.steps > 1 else "")


def _rise(rise: Rise) -> str:
    span = f"from {words.short_count(rise.sizes[0])} to {words.short_count(rise.sizes[1])}"
    return f"{words.points(rise.difference)} ({span}; {words.point_range(rise.interval)})"


# ---- crossover -----------------------------------------------------------------------------------------------------


def crossover(evidence: Evidence) -> Iterable[Finding]:
    """Per task and family: from which size on chain of thought wins, and what it does below."""
    order = {"from": 0, "always": 1, "none": 1, "unresolved": 2}

    def rank(curve: GainCurve) -> tuple[int, float]:
        # a loss at a small size says most about what happens below
        worst = min((point.gain for point in curve.points if point.verdict == "loses"), default=0.0)
        return order[curve.crossover.verdict], worst

    for curve in sorted(_chosen(evidence.gains, "chain of thought"), key=rank):
        found = curve.crossover
        test = "paired comparisons at each size"
        test += "; place: both fitted curves, profile likelihood" if found.interval is not None else ""
        said = None if found.verdict == "none" else found.estimate
        yield Finding(
            "crossover", f"{curve.task}, {curve.sides[0]} over {curve.sides[1]}, {_family(curve)}", found.verdict,
            said, None if said is None else found.interval,
            max(point.n for point in curve.points), test, f"{_crossover(evidence, curve)} ({_sample(curve.points)}).",
        )  # fmt: skip


def _crossover(evidence: Evidence, curve: GainCurve) -> str:
    found, sizes = curve.crossover, curve.sizes
    name, other = _name(curve.sides[0]), _name(curve.sides[1])
    given = evidence.given(curve.labels, curve.sides, curve.task)
    text = f"Crossover on {curve.task}, {given}, {_family(curve)}: "
    if found.verdict == "from" and found.gap:
        low, high = found.gap
        shown = "only at the largest size," if high == sizes[-1] else "at every size measured from"
        alone = "taken size by size, " if found.estimate is not None else ""
        text += f"{_meets(curve)}{alone}a win of {name} over {other} is shown {shown} {words.parameters(high)}"
        text += f"{'' if high == sizes[-1] else ' on'}, not at {words.short_count(low)}{_before_shown(curve, high)}."
        text += f" Below {words.short_count(high)}, it {_by_verdict(curve, low)}"
    elif found.verdict == "always":
        text += f"a win of {name} over {other} is shown at every size measured, from {words.parameters(sizes[0])} on"
        text += f"; a crossover, if there is one, lies below. It {_by_verdict(curve, sizes[0])}"
    elif found.verdict == "none":
        text += f"{name} does not beat {other} at any size up to {words.parameters(sizes[-1])}: it"
        text += f" {_by_verdict(curve, sizes[-1])}"
    else:
        text += f"{_meets(curve)}from which size on {name} beats {other} is not shown: it"
        text += f" {_by_verdict(curve, sizes[-1])}"
    return text


def _meets(curve: GainCurve) -> str:
    """Where the fitted curves meet, or why that is not said, before a semicolon."""
    found = curve.crossover
    name, other = _name(curve.sides[0]), _name(curve.sides[1])
    if found.notes:
        return f"{'; '.join(found.notes)}, so where the two meet is not said; "
    if found.interval is None:
        return ""
    if found.estimate is None:
        return "the fitted curves do not meet within the sizes; "
    spread = _size_range(found.interval)
    return f"by the fitted curves {name} overtakes {other} at about {words.parameters(found.estimate)} ({spread}); "


def _before_shown(curve: GainCurve, high: int) -> str:
    """Why a win is shown only beyond the place where the curves meet; empty where it is shown right after it."""
    place = curve.crossover.estimate
    between = [one for one in curve.points if place is not None and place < one.params < high]
    if not between or any(one.verdict in ("wins", "loses") for one in between):
        return ""
    return f": the lead that the curves have at {_sizes(between)} is too small to be shown there by itself"


def _sizes(points: Sequence[GainPoint]) -> str:
    return words.listed([words.short_count(one.params) for one in points])


def _by_verdict(curve: GainCurve, up_to: int) -> str:
    """What the comparisons say at the sizes up to one, verdict by verdict."""
    verbs = {
        "loses": f"is worse than {_name(curve.sides[1])} at",
        "equivalent": "makes no difference beyond the margin at",
        "undecided": "is undecided at",
        "wins": "wins at",
    }
    parts = []
    for verdict in _VERDICTS:
        points = [one for one in curve.points if one.params <= up_to and one.verdict == verdict]
        picked = verdict in ("wins", "loses")
        firm = [one for one in points if not picked or curve.settled(one)]
        loose = [one for one in points if picked and not curve.settled(one)]
        parts += [f"{verbs[verdict]} {_sizes_with_gains(firm)}"] if firm else []
        if loose:
            unless = f"but not after correcting for {len(curve.points)} sizes"
            parts.append(f"{verbs[verdict]} {_sizes_with_gains(loose)}, {unless}")
    return "; ".join(parts)


def _sizes_with_gains(points: Sequence[GainPoint]) -> str:
    if len(points) <= _ENOUGH_TO_LIST:
        return words.listed(
            [
                f"{words.short_count(one.params)} ({words.points(one.gain)}, {words.point_range(one.interval)})"
                for one in points
            ]
        )
    gains = [one.gain for one in points]
    hull = min(one.interval[0] for one in points), max(one.interval[1] for one in points)
    sizes = _sizes(points)
    span = f"{words.number(100 * min(gains))} to {words.points(max(gains))}"
    return f"{sizes} ({span}; 95 % intervals within {words.number(100 * hull[0])} to {words.number(100 * hull[1])})"


# ---- voting --------------------------------------------------------------------------------------------------------


def voting(evidence: Evidence) -> Iterable[Finding]:
    """Per task and family: at which size a vote adds most to a single sample, and what it adds at both ends."""
    curves = _chosen(evidence.gains, "voting")
    for curve in sorted(curves, key=lambda curve: -_most(curve).gain):
        top = _most(curve)
        wins = [
            words.short_count(point.params)
            for point in curve.points
            if point.verdict == "wins" and curve.settled(point)
        ]
        given = evidence.given(curve.labels, curve.sides, curve.task)
        text = f"Voting on {curve.task}, {given}, {_family(curve)}: a gain of"
        text += f" {curve.sides[0]} over {curve.sides[1]} is shown at {words.listed(wins) if wins else 'no size'}."
        text += f" The largest is measured at {words.parameters(top.params)},"
        text += f" {words.points(top.gain)} ({words.point_range(top.interval)}; {_picked(curve, top)})"
        ends = [("smallest", curve.points[0]), ("largest", curve.points[-1])]
        said = [
            f"at the {end} size, {words.short_count(one.params)}, it is {words.points(one.gain)}"
            f" ({words.point_range(one.interval)}; {_verdict_words(one)})"
            for end, one in ends
            if one.params != top.params
        ]
        yield Finding(
            "voting", f"{curve.task}, {curve.sides[0]} over {curve.sides[1]}, {_family(curve)}",
            _voting_verdict(curve, top), top.gain, top.interval, top.n, top.test,
            f"{text}; {'; '.join(said)} ({_sample(curve.points)}).",
        )  # fmt: skip


def _most(curve: GainCurve) -> GainPoint:
    return max(curve.points, key=lambda point: point.gain)


def _voting_verdict(curve: GainCurve, top: GainPoint) -> str:
    inside = curve.sizes[0] < top.params < curve.sizes[-1]
    shown = {point.verdict for point in curve.points if curve.settled(point)}
    if "wins" in shown:
        ends = {point.verdict for point in curve.points if point.params in (curve.sizes[0], curve.sizes[-1])}
        return "helps in between" if inside and ends == {"equivalent"} else "helps"
    level = all(point.verdict == "equivalent" for point in curve.points)
    return "hurts" if "loses" in shown else "equivalent" if level else "undecided"


def _picked(curve: GainCurve, point: GainPoint) -> str:
    """The verdict of a point that was picked from all sizes."""
    if point.verdict in ("wins", "loses") and not curve.settled(point):
        return f"not settled after correcting for {len(curve.points)} sizes"
    return _verdict_words(point)


def _verdict_words(point: GainPoint) -> str:
    named = {"wins": "a gain", "loses": "a loss", "equivalent": "equivalent within the margin"}
    return named.get(point.verdict, "undecided")


# ---- tasks by the size they need -----------------------------------------------------------------------------------


def tasks_by_size(evidence: Evidence) -> Iterable[Finding]:
    """Per stem and family: related tasks in the order of the size at which they are halfway."""
    stages = {(one.stem, one.family) for one in evidence.task_orders if one.stage == BASE}
    for order in evidence.task_orders:
        if order.stage == BASE or (order.stem, order.family) not in stages:
            yield _tasks_by_size(evidence, order)


def _tasks_by_size(evidence: Evidence, order: TaskOrder) -> Finding:
    halves = [
        f"{_parameter(task)} at about {words.short_count(middle)}"
        f" ({_size_range(ends)}; from {words.percent(floor)} to {words.percent(top)})"
        for task, middle, ends, floor, top in zip(
            order.tasks, order.midpoints, order.intervals, order.floors, order.ceilings, strict=True
        )
    ]
    given = evidence.given(order.labels, [order.method])
    text = f"Size by task on {order.stem} ({order.method}, {given}, family {order.family}):"
    text += f" {_ratio(order.overall)}."
    text += f" Accuracy is halfway between its floor and its ceiling for {'; then '.join(halves)}"
    if len(order.ratios) > 1:
        text += f"; step by step, {', '.join(_ratio(one) for one in order.ratios)}"
        text += f" (intervals that allow for {len(order.ratios)} steps)"
    for task, why in order.without:
        text += f"; {_parameter(task)} is left out ({_WITHOUT[why]})"
    shown = [one.larger for one in order.ratios]
    verdict = "ordered" if all(shown) else "partly ordered" if any(shown) or order.overall.larger else "undecided"
    text += f" ({words.counted(order.n, 'outcome')} at {words.counted(len(set(order.sizes)), 'size')})."
    return Finding(
        "size by task", f"{order.stem}, {order.method}, family {order.family}", verdict, order.overall.ratio,
        order.overall.interval, order.n, "profile likelihood of the ratio of two midpoints", text,
    )  # fmt: skip


_WITHOUT = {
    "no growth": "no growth shown",
    "no curve fits": "no rising curve fits",
    "not halfway": "halfway at no size measured",
}


def _ratio(one: SizeRatio) -> str:
    first, second = (_parameter(task) for task in one.tasks)
    interval = _ratio_range(one.interval)
    if one.larger:
        return f"{second} needs {words.ratio(one.ratio)} times the parameters of {first} ({interval})"
    return f"undecided whether {second} needs more than {first} ({words.ratio(one.ratio)} times; {interval})"


def _parameter(task: str) -> str:
    """The part of a task's name that tells it from its relatives."""
    return task.removeprefix(stem_of(task)).removeprefix("[").removesuffix("]") or task


def _size_range(ends: tuple[float | None, float | None]) -> str:
    return words.range_words(ends, words.short_count)


def _ratio_range(ends: tuple[float | None, float | None]) -> str:
    return words.range_words(ends, words.ratio)


# ---- ingredients ---------------------------------------------------------------------------------------------------


def ingredients(evidence: Evidence) -> Iterable[Finding]:
    """Per task and family: which stage changes what at which size, strongest first, and what makes no difference."""
    groups: dict[tuple[str, str], list[StageComparison]] = {}
    for one in evidence.stages:
        if one.shift == "none" and one.difference is not None:
            groups.setdefault((one.task, one.model_family), []).append(one)
    findings = [_ingredients(evidence, task, family, group) for (task, family), group in groups.items()]
    yield from sorted(
        findings, key=lambda finding: (finding.verdict not in ("loses", "gains"), -abs(finding.estimate or 0))
    )


def _ingredients(evidence: Evidence, task: str, family: str, group: Sequence[StageComparison]) -> Finding:
    budget = max(one.labels for one in group)
    rows = sorted((one for one in group if one.labels == budget), key=lambda one: -abs(one.difference or 0.0))
    decided = [one for one in rows if one.verdict in ("wins", "loses")]
    parts = [
        f"the model {one.sides[0]} {'gains' if (one.difference or 0) > 0 else 'loses'} {_against_base(one)}"
        for one in decided[:_SHOWN_STAGES]
    ]
    more = len(decided) - _SHOWN_STAGES
    if more > 0:
        parts.append(f"{words.counted(more, 'smaller difference')} {'is' if more == 1 else 'are'} shown too")
    for verdict, phrase in (("equivalent", "no difference beyond the margin"), ("undecided", "undecided")):
        settings = [one for one in rows if one.verdict == verdict]
        if len(settings) > _SHOWN_STAGES:
            parts.append(f"{phrase} in {len(settings)} further settings")
        elif settings:
            parts.append(f"{words}: {words.listed([_setting(one) for one in settings])}")
    top = (decided or rows)[0]
    kinds = {one.verdict for one in rows}
    verdict = {"wins": "gains", "loses": "loses"}.get(
        top.verdict, "equivalent" if kinds == {"equivalent"} else "undecided"
    )
    where = f"{task}, {evidence.given(budget, [one.method for one in rows], task)}, family {family}"
    other = " unless another is named" if any(one.sides[1] != BASE for one in rows) else ""
    text = f"Ingredients on {where}, against the base model of the same size{other}:"
    rest = f". Besides, {'; '.join(parts[1:])}" if parts[1:] else ""
    return Finding(
        "ingredient", f"{task}, family {family}", verdict, top.difference, top.interval, top.n, top.test,
        f"{text} {parts[0]}{rest} ({words.sample(top.n, len(top.seeds))}; one training run a stage).",
    )  # fmt: skip


def ingredients_by_size(evidence: Evidence) -> Iterable[Finding]:
    """Per task and family: does a stage move the size at which accuracy is halfway? With the largest budget and the
    method that is halfway at the smallest size.
    """
    groups: dict[tuple[str, str], list[StageShift]] = {}
    for one in evidence.stage_shifts:
        groups.setdefault((one.task, one.family), []).append(one)
    order = {"later": 0, "earlier": 0, "not reached": 1, "undecided": 2}
    for group in groups.values():
        best = max(group, key=lambda one: (one.labels, -one.midpoints[1]))
        rows = [one for one in group if (one.labels, one.method) == (best.labels, best.method)]
        rows.sort(key=lambda one: (order[one.verdict], -abs(math.log(one.ratio or 1.0))))
        first = rows[0]
        given = evidence.given(first.labels, [first.method], first.task)
        where = f"{first.task} ({_name(first.method)}, {given}, family {first.family})"
        sample = f"{words.counted(first.n, 'outcome')} at {words.counted(len(set(first.sizes)), 'size')}"
        said = "; ".join(_moved(one) for one in rows)
        yield Finding(
            "ingredient by size", f"{first.task}, {first.method}, family {first.family}", first.verdict, first.ratio,
            None if first.ratio is None else first.interval, first.n,
            "profile likelihood of the ratio of two midpoints",
            f"Size by ingredient on {where}: {said} ({sample}; one training run a point).",
        )  # fmt: skip


def _moved(one: StageShift) -> str:
    stage, reference = ("the base model" if name == BASE else f"the model {name}" for name in one.stages)
    before = words.short_count(one.midpoints[1])
    if one.ratio is None or one.midpoints[0] is None:
        if one.without == "no curve fits":
            return f"undecided where {stage} is halfway: no rising curve fits ({reference} is at {before})"
        why = "" if one.without is None else f" ({_WITHOUT[one.without]})"
        return f"{reference} is halfway between its floor and its ceiling at {before}, {stage} at no size measured{why}"
    said = f"{words.ratio(one.ratio)} times the parameters of {reference} to be halfway between its floor and its"
    said += f" ceiling ({words.short_count(one.midpoints[0])} against {before}; {_ratio_range(one.interval)})"
    return f"undecided whether {stage} needs more: {said}" if one.verdict == "undecided" else f"{stage} needs {said}"


def _against_base(one: StageComparison) -> str:
    gap, interval = one.difference or 0.0, one.interval or (-1.0, 1.0)
    shown: Interval = interval if gap > 0 else (-interval[1], -interval[0])
    levels = f"{words.percent(one.accuracy_b or 0.0)} to {words.percent(one.accuracy_a or 0.0)}"
    return (
        f"{words.points(abs(gap))} at {words.short_count(one.params)} with {one.method}"
        f" ({words.point_range(shown)}; {levels}{_reference(one)})"
    )


def _reference(one: StageComparison) -> str:
    return "" if one.sides[1] == BASE else f"; against the model {one.sides[1]}"


def _setting(one: StageComparison) -> str:
    where = f"{one.sides[0]} at {words.short_count(one.params)} with {one.method}"
    return f"{where} ({words.points(one.difference or 0.0)}{_reference(one)})"


# ---- prompt or tune over the sizes ---------------------------------------------------------------------------------


def prompt_or_tune_by_size(evidence: Evidence, facing: Sequence[Comparison]) -> str:
    """Where tuning and where prompting wins, by size, unshifted and under each shift; empty below three sizes.

    ``facing``: tuned methods against prompting ones on one task, under any shift. At each size the most accurate
    tuned method stands against the most accurate prompting one, at the largest budget.
    """
    families = {arm.model: arm.family for arm in evidence.arms}
    score = {(*arm.key[:4], arm.task, arm.shift): arm.accuracy for arm in evidence.arms}
    text = ""
    budget = max((one.labels for one in facing), default=0)
    for family in dict.fromkeys(families[one.model] for one in facing):
        mine = [one for one in facing if families[one.model] == family and one.labels == budget]
        stages = {one.stage for one in mine}
        mine = [one for one in mine if one.stage == BASE or BASE not in stages]
        if len({one.params for one in mine if one.shift == "none"}) < MIN_SIZES:
            continue
        parts = []
        for shift in sorted(dict.fromkeys(one.shift for one in mine), key=lambda shift: shift != "none"):
            rows = _best_pairs([one for one in mine if one.shift == shift], score)
            where = "" if shift == "none" else f"under the shift {shift} "
            parts.append(f"{where}{_winners(rows)}")
        text += f" By size in the family {family}, the best tuned against the best prompted method"
        text += f" {evidence.given(budget, [side for one in mine for side in one.sides])}: {'; '.join(parts)}."
    return text


def _best_pairs(
    facing: Sequence[Comparison], score: dict[tuple[str, str, str, int, str, str], float]
) -> list[Comparison]:
    def rank(one: Comparison) -> float:
        return sum(score[(one.model, one.stage, side, one.labels, one.task, one.shift)] for side in one.sides)

    models = dict.fromkeys(one.model for one in sorted(facing, key=lambda one: one.params))
    return [max((one for one in facing if one.model == model), key=rank) for model in models]


def _winners(rows: Sequence[Comparison]) -> str:
    verbs = {
        "wins": "tuning wins at",
        "loses": "prompting wins at",
        "equivalent": "equivalent at",
        "undecided": "undecided at",
    }
    parts = []
    for verdict, said in verbs.items():
        sizes = [words.short_count(one.params) for one in rows if one.verdict == verdict]
        parts += [f"{said} {words.listed(sizes)}"] if sizes else []
    return ", ".join(parts)


# ---- which curves, and how they are called -------------------------------------------------------------------------


def _chosen(gains: Iterable[GainCurve], kind: GainKind) -> list[GainCurve]:
    """Per task and family the curve at the largest budget of the method most accurate at the largest size.

    Without a shift; of the stage "base" where there is one.
    """
    groups: dict[tuple[str, str], list[GainCurve]] = {}
    for curve in gains:
        if curve.kind == kind and curve.shift == "none":
            groups.setdefault((curve.task, curve.family), []).append(curve)
    out = []
    for group in groups.values():
        based = [curve for curve in group if curve.stage == BASE] or group
        for stage in dict.fromkeys(curve.stage for curve in based):
            same = [curve for curve in based if curve.stage == stage]
            out.append(max(same, key=lambda curve: (curve.labels, curve.points[-1].accuracy)))
    return out


def _size_curve(evidence: Evidence, gain: GainCurve, method: str) -> SizeCurve | None:
    place = (gain.task, method, gain.labels, gain.shift, gain.stage, gain.family)
    for curve in evidence.curves:
        if (curve.task, curve.method, curve.labels, curve.shift, curve.stage, curve.family) == place:
            return curve
    return None


def _family(curve: GainCurve) -> str:
    return f"family {curve.family}" + ("" if curve.stage == BASE else f", stage {curve.stage}")


def _name(method: str) -> str:
    return "chain of thought" if method == "cot" else method


def _sample(points: Sequence[GainPoint]) -> str:
    items, draws = sorted({one.n for one in points}), sorted({one.draws for one in points})
    if len(items) == len(draws) == 1:
        return f"{words.sample(items[0], draws[0])}, at each size"
    spans = ["–".join(dict.fromkeys(str(end) for end in (found[0], found[-1]))) for found in (items, draws)]
    return f"n = {spans[0]} items × {spans[1]} draws a size"
