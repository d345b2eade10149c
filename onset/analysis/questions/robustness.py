"""Who falls how much under a shift at equal accuracy, does the order of methods change, and from which size on?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.falls import Worst
from onset.analysis.estimates.matched import Grid, MatchedMethod
from onset.analysis.estimates.reorder import Lead, LeadCurve, Overtaking, Slope
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, of_largest, of_one_model, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.setting import BASE
from onset.analysis.stats.shares import Interval

# ---- at matched clean accuracy -------------------------------------------------------------------------------------

_MATCHED = {"loses": "falls more", "wins": "falls less", "equivalent": "as others", "undecided": "undecided"}


class MatchedLoss(Question):
    """Per task and shift: the method that falls most beyond what others lose at its clean accuracy, or least."""

    kind = "matched loss"
    figure = "matched"
    unit = "points"
    wait = 1
    verdicts = tones({"falls more": "against", "falls less": "for", "as others": "level", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        found = []
        for grid in study.robustness.grids:
            known = sorted((one for one in grid.methods if one.difference is not None), key=_rank)
            if known:
                top = known[0]
                found.append(
                    self.finding(
                        f"{grid.task}, {grid.shift}, {top.method}",
                        _MATCHED[top.verdict],
                        partial(_matched_sentence, grid, known),
                        _matched_line(study, top),
                        estimate=top.difference,
                        interval=top.interval,
                        n=top.n,
                        test=None if top.estimate is None else top.estimate.test,
                    )
                )
        yield from sorted(found, key=lambda finding: finding.verdict == "undecided")


def _rank(one: MatchedMethod) -> tuple[int, float]:
    order = ("loses", "wins", "equivalent", "undecided")
    return order.index(one.verdict), -abs(one.difference or 0.0)


def _away(one: MatchedMethod) -> tuple[float, Interval]:
    """How much more, or less (`_less`), it falls, as a positive number."""
    value, (low, high) = one.difference or 0.0, one.interval or (0.0, 0.0)
    return (value, (low, high)) if _less(one) else (-value, (-high, -low))


def _less(one: MatchedMethod) -> bool:
    return (one.difference or 0.0) >= 0


def _matched_line(study: Analysis, top: MatchedMethod) -> Lines:
    value, interval = _away(top)
    way = ".less" if top.verdict in ("equivalent", "undecided") and _less(top) else ""
    return lines.line(
        f"matched loss.{_MATCHED[top.verdict]}{way}", study.named(top.task), method=lines.method(top.method),
        shift=lines.shift(top.shift), points=lines.points(value), range=lines.share_range(interval),
    )  # fmt: skip


def _matched_sentence(grid: Grid, known: Sequence[MatchedMethod], say: Say) -> str:
    said = {
        ("loses", False): "{method} falls {points} more than other methods of its clean accuracy ({range}; {arms})",
        ("wins", True): "{method} falls {points} less than other methods of its clean accuracy ({range}; {arms})",
        ("equivalent", False): "{method} falls as they do, within the margin ({points} more; {range}; {arms})",
        ("equivalent", True): "{method} falls as they do, within the margin ({points} less; {range}; {arms})",
        ("undecided", False): "{method} falls {points} more, which is not shown ({range}; {arms})",
        ("undecided", True): "{method} falls {points} less, which is not shown ({range}; {arms})",
    }
    parts = [
        say(
            said[one.verdict, _less(one)], method=say.named(one.method), points=say.points(_away(one)[0]),
            range=say.point_range(_away(one)[1]), arms=say.counted("arm", len(one.arms)),
        )
        for one in known
    ]  # fmt: skip
    line = ""
    if grid.line is not None:
        line = say(
            "over all {arms} shifted accuracy follows clean accuracy on a line of slope {slope} in log-odds",
            arms=say.counted("arm", grid.line.points), slope=words.number(grid.line.slope, 2),
        )  # fmt: skip
    out = len(grid.left_out)
    left = say("{arms} could not be held against others", arms=say.counted("arm", out)) if out else ""
    first = say(
        "under the shift {shift} on {task}, at equal clean accuracy: {said} ({sample})", shift=say.shift(grid.shift),
        task=say.named_task(grid.task), said=say.clauses(parts), sample=say.sample(known[0].n, len(known[0].draws)),
    )  # fmt: skip
    return say.text([first, say.clauses([line, left])])


# ---- the order of two methods --------------------------------------------------------------------------------------

_ORDER = tones({"reverses": "against", "narrows": "against", "widens": "for", "keeps": "for", "undecided": "open"})


class OrderUnderShift(Question):
    """Per task and shift: does the lead of the best tuned method over the best prompt, or the other way round, last?

    At the largest model and budget, and where the order reverses at a smaller model, there; with all sizes in the
    sentence.
    """

    kind = "order under shift"
    figure = "shift"
    unit = "points"
    wait = 1
    verdicts = _ORDER

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        found = []
        groups: dict[tuple[str, str], list[Lead]] = {}
        for one in self._pairs(study):
            groups.setdefault((one.task, one.shift), []).append(one)
        for (task, shift), group in groups.items():
            top = _top(group)
            curve = _curve_of(study, top)
            reversed_at = curve.reversed[-1] if curve is not None and curve.reversed else None
            one = top if reversed_at is None else _alike(reversed_at, top)
            one = one if one.leader > 0 else one.turned()
            shown = one.change if one.verdict in ("widens", "keeps", "undecided") else one.change.turned()
            ahead, behind = one.sides
            found.append(
                self.finding(
                    f"{task}, {shift}, {ahead} and {behind}, {one.model}",
                    one.verdict,
                    partial(_order_sentence, study, one, curve),
                    lines.line(
                        f"order under shift.{one.verdict}",
                        study.named(task),
                        a=lines.method(ahead),
                        b=lines.method(behind),
                        shift=lines.shift(shift),
                        points=lines.points(shown.gap),
                        range=lines.share_range(shown.spread),
                    ),
                    estimate=one.change.difference,
                    interval=one.change.interval,
                    n=one.change.n,
                    test=one.change.test,
                )
            )
        yield from sorted(found, key=lambda finding: finding.verdict == "undecided")

    def _pairs(self, study: Analysis) -> list[Lead]:
        """Tuned against prompted."""
        tuned = {arm.method for arm in study.arms if arm.tuned}
        return [one for one in study.robustness.leads if (one.sides[0] in tuned) != (one.sides[1] in tuned)]


class ComplexLead(OrderUnderShift):
    """The same of prompts that show complex demonstrations against prompts that show others."""

    kind = "complex demonstrations"

    def _pairs(self, study: Analysis) -> list[Lead]:
        complex_ones = {name for name, choice in _choices(study).items() if choice == "complex"}
        tuned = {arm.method for arm in study.arms if arm.tuned}
        return [
            one
            for one in study.robustness.leads
            if not tuned & {*one.sides} and (one.sides[0] in complex_ones) != (one.sides[1] in complex_ones)
        ]


def _choices(study: Analysis) -> Mapping[str, str]:
    """Method -> how its demonstrations are chosen."""
    found = {}
    for name, spec in study.measured.cells.select("method", "method_spec").unique().iter_rows():
        choice = (json.loads(spec) if spec else {}).get("choose", "random")
        found[name] = choice["kind"] if isinstance(choice, dict) else str(choice)
    return found


def _top(group: Sequence[Lead]) -> Lead:
    """At the largest model and budget, the pair of highest accuracy over both test sets: what picks it is not how it
    changes between them.
    """
    return max(of_largest(group), key=lambda one: min(_level(one, side) for side in (0, 1)))


def _level(one: Lead, side: int) -> float:
    return (one.clean.levels[side] or 0.0) + (one.shifted.levels[side] or 0.0)


def _curve_of(study: Analysis, lead: Lead) -> LeadCurve | None:
    place = lead.at.without("model", "params", "method")
    return next((one for one in study.robustness.curves if one.at == place and set(one.sides) == set(lead.sides)), None)


def _alike(one: Lead, other: Lead) -> Lead:
    return one if one.sides == other.sides else one.turned()


def _order_sentence(study: Analysis, one: Lead, curve: LeadCurve | None, say: Say) -> str:
    """``one``: said of whoever leads on clean items."""
    a, b = one.sides
    said = {
        "reverses": "the order of {a} and {b} reverses",
        "narrows": "the lead of {a} over {b} narrows",
        "widens": "the lead of {a} over {b} widens",
        "keeps": "{a} keeps its lead over {b}",
        "undecided": "whether the order of {a} and {b} changes is not shown",
    }
    head = say(said[one.verdict], a=say.named(a), b=say.named(b))
    parts = [
        say(
            "{a} minus {b} is {before} on clean items ({before_range}) and {after} under the shift ({after_range}), a"
            " change of {change} ({range})",
            a=say.named(a), b=say.named(b), before=say.points(one.clean.gap),
            before_range=say.point_range(one.clean.spread), after=say.points(one.shifted.gap),
            after_range=say.point_range(one.shifted.spread), change=say.points(one.change.gap),
            range=say.point_range(one.change.spread),
        )
    ]  # fmt: skip
    first = say(
        "under the shift {shift} on {task}, {model} {given}: {head}: {said} ({sample})", shift=say.shift(one.shift),
        task=say.named_task(one.task), model=one.model,
        given=given_words(study, one.labels, one.sides, one.task, say), head=head, said=say.clauses(parts),
        sample=say.sample(one.change.n, len(one.change.draws)),
    )  # fmt: skip
    return say.text([first, "" if curve is None else _over_sizes(curve, say)])


def _over_sizes(curve: LeadCurve, say: Say) -> str:
    parts = [
        say("over {count} sizes of {family}, on clean items {said}", count=len(curve.leads), family=curve.family,
            said=_ahead(curve.clean, curve, say)),
        say("under the shift {said}", said=_ahead(curve.shifted, curve, say)),
    ]  # fmt: skip
    if curve.reversed:
        sizes = say.listed([say.size(one.params) for one in curve.reversed])
        parts.append(say("the order is shown to reverse at {sizes}", sizes=sizes))
    if curve.slope is not None:
        a, b = curve.sides
        parts.append(
            say(
                "per tenfold parameters the shift changes {a} minus {b} by {points} ({range})", a=say.named(a),
                b=say.named(b), points=say.points(curve.slope.value),
                range=say.point_range(curve.slope.estimate.interval),
            )
        )  # fmt: skip
    return say.clauses(parts)


def _ahead(one: Overtaking, curve: LeadCurve, say: Say) -> str:
    """From which size on who is ahead."""
    held = one.crossover
    at = ""
    if held.estimate is not None and held.interval is not None:
        at = say(
            ", the fitted curves meeting at {size} ({range})", size=say.parameters(held.estimate),
            range=say.size_range(held.interval),
        )  # fmt: skip
    name = say.named(one.method)
    if held.verdict == "always":
        return say("{method} is ahead at every size", method=name)
    if held.verdict == "from" and held.shown_from is not None:
        return say("{method} is shown ahead from {size} on{at}", method=name, size=say.size(held.shown_from), at=at)
    if held.verdict == "none":
        return say("neither is ahead at any size")
    ahead = [lead for lead in curve.leads if _shown(lead, one, curve) == "wins"]
    if ahead:
        sizes = say.listed([say.size(lead.params) for lead in ahead])
        return say("{method} is shown ahead at {sizes} alone{at}", method=name, sizes=sizes, at=at)
    return say("no size is shown from which on one is ahead{at}", at=at)


def _shown(lead: Lead, one: Overtaking, curve: LeadCurve) -> str:
    point: Contrast = lead.clean if one is curve.clean else lead.shifted
    return (point if point.names[0] == one.method else point.turned()).verdict


# ---- the worst of several shifts -----------------------------------------------------------------------------------


class WorstShift(Question):
    """Per task: what the worst of its shifts takes from the method that is most accurate over all test sets, at the
    largest model and budget; the other methods in the sentence.
    """

    kind = "worst shift"
    figure = "shift map"
    unit = "points"
    wait = 2
    verdicts = tones({"loses": "against", "holds": "level", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[str, list[Worst]] = {}
        for one in study.robustness.worst:
            groups.setdefault(one.task, []).append(one)
        for task, group in groups.items():
            rows = of_largest(group)
            levels: dict[tuple[str, str, str], list[float]] = {}
            for arm in study.arms:
                if (arm.task, arm.params, arm.labels) == (task, rows[0].params, rows[0].labels):
                    levels.setdefault((arm.model, arm.stage, arm.method), []).append(arm.accuracy)

            def level(one: Worst, levels: Mapping[tuple[str, str, str], Sequence[float]] = levels) -> float:
                held = levels[one.model, one.stage, one.method]
                return sum(held) / len(held)

            rows.sort(key=lambda one: -level(one))
            top = rows[0]
            rows = of_one_model(top, rows)
            yield self.finding(
                f"{task}, {top.method}, {top.model}", top.verdict, partial(_worst_sentence, study, rows),
                lines.line(
                    f"worst shift.{top.verdict}", study.named(task), method=lines.method(top.method),
                    shift=lines.shift(top.most), count=str(len(top.shifts)), points=lines.points(top.drop),
                    range=lines.share_range(top.interval),
                ),
                estimate=top.drop, interval=top.interval, n=top.n,
                test=f"simultaneous over {len(top.shifts)} shifts (Bonferroni)",
            )  # fmt: skip


def _worst_sentence(study: Analysis, rows: Sequence[Worst], say: Say) -> str:
    top = rows[0]

    def told(one: Worst) -> str:
        return say(
            "{method} loses most under {shift}, {points} ({range}), and is least accurate under {least}, with {share}"
            " ({share_range})",
            method=say.named(one.method), shift=say.shift(one.most), points=say.points(one.drop),
            range=say.point_range(one.interval), least=say.shift(one.least), share=words.percent(one.accuracy),
            share_range=say.share_range(one.accuracy_interval),
        )  # fmt: skip

    return say.text(
        [
            say(
                "worst of {count} shifts on {task}, {model} {given}: {said}; intervals hold whichever shift is worst"
                " ({sample})",
                count=len(top.shifts), task=say.named_task(top.task), model=top.model,
                given=given_words(study, top.labels, [one.method for one in rows], top.task, say),
                said=say.clauses(say.first(rows, 3, told)), sample=say.sample(top.n, len(top.draws)),
            )
        ]
    )  # fmt: skip


# ---- drops over size -----------------------------------------------------------------------------------------------


class DropBySize(Question):
    """Per task and shift: does what the shift takes grow or shrink with the model's size?"""

    kind = "drop by size"
    figure = "drops by size"
    unit = "points"
    wait = 2
    verdicts = tones({"rises": "against", "falls": "for", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[str, str, str], list[Slope]] = {}
        for one in study.robustness.slopes:
            groups.setdefault((one.task, one.shift, one.family), []).append(one)
        found = []
        for (task, shift, _), group in groups.items():
            based = [one for one in group if one.stage == BASE] or group
            budget = max(one.labels for one in based)
            rows = [one for one in based if one.labels == budget]
            rows.sort(key=lambda one: (one.verdict == "undecided", -abs(one.value)))
            top = rows[0]
            verdict = _GROWS.get(top.verdict, "undecided")
            found.append(
                self.finding(
                    f"{task}, {shift}, {top.sides[0]}",
                    verdict,
                    partial(_slope_sentence, study, rows),
                    lines.line(
                        f"drop by size.{verdict}",
                        study.named(task),
                        method=lines.method(top.sides[0]),
                        shift=lines.shift(shift),
                        points=lines.points(top.value),
                        range=lines.share_range(top.estimate.interval),
                    ),
                    estimate=max(-1.0, min(1.0, top.value)),
                    interval=(max(-1.0, top.estimate.interval[0]), min(1.0, top.estimate.interval[1])),
                    n=top.n,
                    test=top.estimate.test,
                )
            )
        yield from sorted(found, key=lambda finding: finding.verdict == "undecided")


_GROWS = {"wins": "rises", "loses": "falls"}


def _slope_sentence(study: Analysis, rows: Sequence[Slope], say: Say) -> str:
    top = rows[0]
    said = {
        "wins": "that of {method} rises by {points} per tenfold parameters ({range})",
        "loses": "that of {method} falls by {points} per tenfold parameters ({range})",
        "undecided": "that of {method} is not shown to change ({points} per tenfold parameters; {range})",
    }

    def told(one: Slope) -> str:
        low, high = one.estimate.interval
        down = one.verdict == "loses"
        return say(
            said[one.verdict], method=say.named(one.sides[0]), points=say.points(-one.value if down else one.value),
            range=say.point_range((-high, -low) if down else (low, high)),
        )  # fmt: skip

    return say.text(
        [
            say(
                "what the shift {shift} takes on {task} {given}, over {count} sizes of {family}: {said} ({sample})",
                shift=say.shift(top.shift), task=say.named_task(top.task),
                given=given_words(study, top.labels, [one.sides[0] for one in rows], top.task, say),
                count=len(top.sizes), family=top.family, said=say.clauses(say.first(rows, 4, told)),
                sample=say.sample(top.n, len(top.draws)),
            )
        ]
    )  # fmt: skip
