"""How does accuracy grow with the size of the model?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from onset.analysis.curves.place import Place
from onset.analysis.emergence.verdict import MIN_SIZES
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CURVE_VERDICTS, Question, tones
from onset.analysis.questions.curve_words import (
    curve_in_words,
    curve_line,
    measured_words,
)
from onset.analysis.questions.emergence import tasks_said
from onset.analysis.questions.say import Say


class Size(Question):
    """For each task the curve, at the largest budget, of the method that is best at the largest size.

    Not where the findings on emergence or on tasks by size have said it.
    """

    kind = "size"
    figure = "size"
    unit = "parameters"
    verdicts = CURVE_VERDICTS
    wait = 1
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        said = tasks_said(study) | {task for order in study.sizes.task_orders for task in order.tasks}
        groups: dict[str, list[SizeCurve]] = {}
        for curve in study.sizes.curves:
            if curve.shift == "none" and curve.different > 2 and curve.task not in said:
                groups.setdefault(curve.task, []).append(curve)
        bare = study.measured.foreign
        for task, curves in groups.items():
            best = max(curves, key=lambda one: (one.labels, one.correct[-1] / one.n[-1]))
            if best.found is None:
                continue
            place, what = Place(), "halfway: profile likelihood"
            if best.found.verdict == "emergent":
                place, what = best.found.threshold.place, "threshold: profile likelihood"
            elif best.found.midpoint is not None:
                place = best.found.midpoint.profile.interval()
            yield self.finding(
                f"{task}, {best.method}, family {best.family}", best.found.verdict, partial(_sentence, best),
                curve_line(best, study.named(task), bare=bare and len({one.method for one in curves}) == 1),
                estimate=place.estimate, interval=None if place.estimate is None else (place.low, place.high),
                n=sum(best.n), test=f"bootstrap against the best smooth curve; {what}",
            )  # fmt: skip


class NoCurve(Question):
    """Once for all tasks that were measured at too few sizes for a curve: what was measured, and that there is none."""

    kind = "size"
    figure = "size"
    unit = "count"
    verdicts = tones({"no curve": "open"})
    always = True
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        curves = [one for one in study.sizes.curves if one.shift == "none" and one.different > 2]
        with_curve = {one.task for one in curves if one.found is not None}
        short = {}
        for one in sorted(curves, key=lambda one: (one.labels, one.correct[-1] / one.n[-1])):
            if one.task not in with_curve:
                short[one.task] = one
        if not short:
            return
        sizes = sorted({one.different for one in short.values()})
        n = sum(sum(one.n) for one in short.values())
        measured = lines.count("size", sizes[-1])
        said_short = lines.line("curves.no curve", sizes=measured, least=str(MIN_SIZES))
        yield self.finding("curves over size", "no curve", partial(_no_curve, short), said_short, n=n)


def _sentence(curve: SizeCurve, say: Say) -> str:
    return say.text([say("Size: {said}", said=curve_in_words(curve, say))])


def _no_curve(short: Mapping[str, SizeCurve], say: Say) -> str:
    """``short``: task -> a curve of too few sizes."""
    listed = [
        say(
            "{method} on {task}, {measured}", method=say.named(one.method), task=say.named_task(task),
            measured=measured_words(one, say),
        )
        for task, one in list(short.items())[:_SHORT]
    ]  # fmt: skip
    more = len(short) - _SHORT
    sizes = say.listed([str(size) for size in sorted({one.different for one in short.values()})])
    text = say(
        "Size: {sizes} sizes: no curve, which takes {least} ({listed}{more})", sizes=sizes, least=MIN_SIZES,
        listed=say.clauses(listed), more=say("; and {count} more tasks", count=more) if more > 0 else "",
    )  # fmt: skip
    return say.text([text])


_SHORT = 3
"""Tasks with too few sizes for a curve that are listed."""
