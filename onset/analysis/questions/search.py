"""What does it bring to choose a method's settings within the budget, and what would labels beyond it bring?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.searches import Searched
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_SAID, CHANGE_VERDICTS, Question, first_of_tasks
from onset.analysis.questions.say import Say


class Search(Question):
    """Per task: the method whose settings, chosen within the budget, change its accuracy most clearly."""

    kind = "search"
    unit = "points"
    verdicts = CHANGE_VERDICTS
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        told = [one for one in study.searches if one.at.clean and not one.bound and _known(one)]
        for one in sorted(first_of_tasks(told, _clear), key=_clear, reverse=True):
            held = one.against
            assert held is not None
            verdict = CHANGE[held.verdict]
            yield self.finding(
                f"{one.task}, {one.method}, {one.model}", verdict, partial(_sentence, study, one),
                lines.line(
                    f"search.{verdict}", study.named(one.task), method=lines.method(one.plain or ""),
                    points=lines.points(held.gap), range=lines.share_range(held.spread),
                ),
                estimate=held.difference, interval=held.interval, n=held.n, test=held.test,
            )  # fmt: skip


def _known(one: Searched) -> bool:
    return one.against is not None and one.against.difference is not None


def _clear(one: Searched) -> tuple[bool, float, int, int]:
    held = one.against
    decided = held is not None and held.verdict in ("wins", "loses")
    return decided, -1.0 if held is None or held.p is None else -held.p, one.params, one.labels


def _sentence(study: Analysis, one: Searched, say: Say) -> str:
    held = one.against
    assert held is not None
    plain = one.plain or ""
    given = say.with_labels(one.labels, study.shown(one.labels, [plain, one.method], one.task), 2)
    parts = [
        say(
            "Choosing settings on {task}, {model} {given}: with the best of {trials} settings by the granted examples,"
            " {method} is right in {share}; against its settings as written that is {points} ({range}; {verdict};"
            " {sample})",
            task=say.named_task(one.task), model=one.model, given=given, trials=one.trials, method=say.named(plain),
            share=words.percent(one.point.accuracy), points=say.points(held.gap), range=say.point_range(held.spread),
            verdict=say(CHANGE_SAID[held.verdict]), sample=say.sample(one.point.n, one.point.draws),
        )
    ]  # fmt: skip
    kept = next((each.draws for each in one.taken if not each.setting), 0)
    parts.append(say("in {kept} of {draws} draws the settings as written were kept", kept=kept, draws=one.point.draws))
    if one.failed:
        parts.append(say("{failed} trials failed and count", failed=one.failed))
    if one.flops is not None:
        parts.append(say("a search takes {flops}", flops=words.operations(one.flops)))
    beside = (each for each in study.searches if each.bound and each.plain == one.plain and _beside(each, one))
    top = next(beside, None)
    if top is not None:
        parts.append(
            say(
                "chosen on {outside} labels beyond the budget, an upper bound, it would be right in {share} ({range})",
                outside=top.outside, share=words.percent(top.point.accuracy),
                range=say.share_range(top.point.interval),
            )
        )  # fmt: skip
    return say.text(parts)


def _beside(one: Searched, other: Searched) -> bool:
    return one.at.without("method") == other.at.without("method")
