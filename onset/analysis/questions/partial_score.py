"""Does the partial score of open answers say the same of methods as exact match?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.partial import PARTIAL, PartialPair
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import OF_TWO, Question, by_task, largest, tones
from onset.analysis.questions.say import Say


class PartialScore(Question):
    """Per task, of the largest model: the pair of methods on which the two scores differ most clearly, else the pair
    that token F1 tells apart most clearly.
    """

    kind = "partial score"
    unit = "points"
    verdicts = tones({"agrees": "level", "differs": "open"})
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task, arms in by_task(study.clean()).items():
            top = largest(arms)[0]
            here = [one for one in study.partial if one.task == task and one.at.clean and _beside(one, top)]
            if not here:
                continue
            told = min(here, key=lambda one: (one.same, 1.0 if one.partial.p is None else one.partial.p))
            one = told.partial.turned() if (told.partial.difference or 0.0) < 0 else told.partial
            verdict = "agrees" if all(pair.same for pair in here) else "differs"
            yield self.finding(
                f"{task}, {top.model}, {PARTIAL}", verdict, partial(_sentence, study, told, here),
                lines.line(
                    f"partial score.{verdict}", study.named(task), method=lines.method(one.names[0]),
                    other=lines.method(one.names[1]), points=lines.points(one.difference or 0.0),
                    range=lines.share_range(one.interval),
                ),
                estimate=one.difference, interval=one.interval, n=one.n, test=f"{one.test}; p adjusted by Holm",
            )  # fmt: skip


def _beside(one: PartialPair, top: Outcomes) -> bool:
    return (one.model, one.stage, one.labels) == (top.model, top.stage, top.labels)


def _sentence(study: Analysis, told: PartialPair, here: Sequence[PartialPair], say: Say) -> str:
    """How many verdicts differ, and the pair that is told in both scores."""
    turned = (told.partial.difference or 0.0) < 0
    f1, strict = (one.turned() if turned else one for one in (told.partial, told.strict))
    differing = sum(not one.same for one in here)
    a, b = map(say.named, f1.names)
    where = say(
        "{task}, {model} {given}", task=say.named_task(told.task), model=told.model,
        given=say.with_labels(told.labels, study.shown(told.labels, f1.names, told.task), 2),
    )  # fmt: skip
    count = say(
        "{where}: by token F1, how much of a right answer each answer is, {count} of {whole} comparisons of methods"
        " have another verdict than by exact match",
        where=where, count=differing, whole=len(here),
    )  # fmt: skip
    level_a, level_b = f1.levels
    pair = say(
        "token F1 is {high} for {a} and {low} for {b}: {difference} ({range}, p {p}; {verdict}; {sample}); by exact"
        " match the difference is {strict} ({other})",
        high=words.percent(level_a or 0.0), low=words.percent(level_b or 0.0), a=a, b=b,
        difference=say.points(f1.difference or 0.0), range=say.point_range(f1.interval or (0.0, 0.0)),
        p=say.probability(f1.p_adjusted), verdict=say(OF_TWO[f1.verdict]), sample=say.sample(f1.n, len(f1.draws)),
        strict=say.points(strict.difference or 0.0), other=say(OF_TWO[strict.verdict]),
    )  # fmt: skip
    return say.text([count, pair])
