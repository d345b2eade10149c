"""Does what a model knows grow by equal steps with the logarithm of its size?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.log_linear import Growth
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, first_of_tasks, tones
from onset.analysis.questions.say import Say


class KnowledgeBySize(Question):
    """Per knowledge task: the way of asking that is most often right at the largest size."""

    kind = "knowledge by size"
    unit = "points"
    figure = "size"
    verdicts = tones({"grows": "for", "falls": "against", "not linear": "against", "undecided": "open"})
    about_size = True
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for one in first_of_tasks(study.growths, _top):
            line = one.line
            yield self.finding(
                f"{one.task}, {one.method}, family {one.at.family}", one.verdict, partial(_sentence, study, one),
                lines.line(
                    f"knowledge by size.{one.verdict}", study.named(one.task), method=lines.method(one.method),
                    points=lines.points(line.slope), range=lines.share_range(line.interval),
                ),
                estimate=max(-1.0, min(1.0, line.slope)), interval=_within(line.interval), n=one.curve.n[-1],
                test="deviance of a line in log size from one share a size, Holm",
            )  # fmt: skip


def _within(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    return max(-1.0, min(1.0, low)), max(-1.0, min(1.0, high))


def _top(one: Growth) -> tuple[float, int]:
    return one.curve.correct[-1] / one.curve.n[-1], one.labels


def _sentence(study: Analysis, one: Growth, say: Say) -> str:
    """The slope, the misfit, and the accuracies that the line is to go through."""
    given = say.with_labels(one.labels, study.shown(one.labels, [one.method], one.task))
    rows = zip(one.curve.sizes, one.curve.correct, one.curve.n, strict=True)
    levels = [say("{share} at {size}", share=words.percent(k / n), size=say.size(size)) for size, k, n in rows]
    text = say(
        "knowledge on {task}, {method} {given}, family {family}: {points} for a tenfold size ({range}); a line in the"
        " logarithm of size is {fits} (p {p}); measured are {levels}",
        task=say.named_task(one.task), method=say.named(one.method), given=given, family=str(one.at.family),
        points=say.points(one.line.slope), range=say.point_range(one.line.interval),
        fits=say("refused" if one.verdict == "not linear" else "not refused"), p=say.probability(one.p_holm),
        levels=say.listed(levels),
    )  # fmt: skip
    return say.text([text])
