"""Which method does best on a task, with the largest model at its largest shared budget?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, largest, tones
from onset.analysis.questions.comparison_words import agreement
from onset.analysis.stats.shares import Interval


class BestMethod(Question):
    """Per task: the most accurate method, and which of the others it is shown to beat."""

    kind = "best method"
    unit = "share"
    verdicts = tones({"best": "for", "undecided": "open", "measured": "open", "not above chance": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task, arms in by_task(study.clean()).items():
            rivals = sorted(largest(arms), key=lambda arm: -arm.accuracy)
            best, point = rivals[0], study.point(rivals[0])
            given = study.given(best.labels, [arm.method for arm in rivals if arm.labels == best.labels], task)
            start = f"On {task}, {best.model} {given}"
            stop = "," if given != words.with_labels(best.labels) else ""
            level = (
                f"{words.percent(point.accuracy)}, {_share_range(point.interval)}; {words.sample(point.n, point.draws)}"
            )
            beaten, level_with, unsettled = _standing(study, best, rivals[1:])
            if best.chance and point.interval[0] <= best.chance:
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
                    "; nor from ".join(unsettled)
                    if any(", " in name for name in unsettled)
                    else words.listed(unsettled)
                )
                parts += [f"it cannot be told apart from {apart}"] if unsettled else []
                claim = "does best" if verdict == "best" else "scores highest"
                scope = "with these examples " if beaten and point.draws == 1 and best.labels else ""
                text = f"{start}{stop} {claim} with {best.method} ({level}): {scope}{', '.join(parts)}"
            yield self.finding(
                f"{task}, {best.model}", verdict, f"{text}.",
                lines.line(
                    f"best method.{verdict}", study.named(task), method=lines.method(best.method),
                    share=words.percent(point.accuracy), range=lines.share_range(point.interval),
                    chance=words.percent(best.chance or 0.0),
                ),
                estimate=point.accuracy, interval=point.interval,
                n=point.n, test="mean over draws and items; comparisons adjusted by Holm",
            )  # fmt: skip


def _share_range(interval: Interval) -> str:
    return f"95 % interval {words.number(100 * interval[0])} to {words.number(100 * interval[1])} %"


def _standing(study: Analysis, best: Outcomes, others: Sequence[Outcomes]) -> tuple[list[str], list[str], list[str]]:
    """Which methods ``best`` beats, is equivalent to, cannot be told apart from."""
    beaten: list[str] = []
    level: list[str] = []
    unsettled: list[str] = []
    for other in others:
        one = _between(study.contrasts.methods, best, other)
        verdict = "undecided" if one is None else one.verdict
        ahead = one is not None and verdict == ("wins" if one.names[0] == best.method else "loses")
        name = other.method
        agreed = agreement(one) if one is not None and verdict == "undecided" else None
        if agreed is not None and agreed[0] == best.method:
            name = f"{name}, though it is ahead in {agreed[1]}"
        (beaten if ahead else level if verdict == "equivalent" else unsettled).append(name)
    return beaten, level, unsettled


def _between(comparisons: Iterable[Contrast], a: Outcomes, b: Outcomes) -> Contrast | None:
    for one in comparisons:
        place = (one.model, one.stage, one.labels, one.task, one.shift)
        if place == (a.model, a.stage, a.labels, a.task, a.shift) and set(one.names) == {a.method, b.method}:
            return one
    return None
