"""From how many queries on is tuning cheaper than prompting?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.break_evens import BreakEven
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, largest, tones
from onset.analysis.questions.say import Say


class Cost(Question):
    """Per task: the break-even of the most accurate tuned and prompted methods of the largest model."""

    kind = "cost"
    figure = "cost"
    unit = "queries"
    verdicts = tones({"pays": "for", "at first": "for", "never": "against"})
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        clean = [one for one in study.break_evens if one.shift == "none"]
        for task, arms in by_task(study.clean()).items():
            group = largest(arms)
            place = (group[0].model, group[0].stage, group[0].labels, task)
            here = [one for one in clean if (one.model, one.stage, one.labels, one.task) == place]
            if not here:
                continue
            accuracy = {arm.method: arm.accuracy for arm in group}
            one = max(here, key=lambda pair: accuracy[pair.tuned] + accuracy[pair.prompted])
            verdict = "pays" if one.queries is not None else "never" if one.until is None else "at first"
            yield self.finding(
                f"{task}, {one.model}", verdict, partial(_sentence, one),
                lines.line(
                    _line(one), study.named(task),
                    tuned=lines.method(one.tuned), prompted=lines.method(one.prompted),
                    queries=lines.size(math.ceil(one.queries or math.floor(one.until or 0.0))),
                    range=lines.size_range(one.interval and _whole(one.interval)),
                ),
                estimate=one.queries, interval=one.interval,
                test="FLOPs counted, no prefix reuse",
            )  # fmt: skip


def _line(one: BreakEven) -> str:
    if one.queries is None:
        return "cost.never" if one.until is None else "cost.at first"
    if one.queries <= 0:
        return "cost.pays.first"
    return "cost.pays" if one.interval is None else "cost.pays.range"


def _sentence(one: BreakEven, say: Say) -> str:
    return say.text([say("Cost: {said}", said=break_even_words(one, say)), *_reuse(one, say)])


def _reuse(one: BreakEven, say: Say) -> list[str]:
    """The same where what prompts begin with is kept between queries."""
    if not one.knows_reuse:
        return []
    if one.reused_until is not None:
        queries = say.size(math.floor(one.reused_until))
        return [
            say("where what the prompts begin with is kept between queries, up to about {queries}", queries=queries)
        ]
    if one.reused is None:
        return [say("where what the prompts begin with is kept between queries, it never is")]
    if one.reused <= 0:
        return [say("where what the prompts begin with is kept between queries, from the first on")]
    queries = say.size(math.ceil(one.reused))
    return [say("where what the prompts begin with is kept between queries, from about {queries} on", queries=queries)]


def _whole(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Ends in whole queries, as the estimate is: the first at which tuning is cheaper."""
    return ends[0] and math.ceil(ends[0]), ends[1] and math.ceil(ends[1])


def break_even_words(one: BreakEven, say: Say) -> str:
    """From how many queries on, or that it never does."""
    places = {"tuned": say.named(one.tuned), "prompted": say.named(one.prompted)}
    if one.until is not None:
        said = "{tuned} is cheaper than {prompted} up to about {queries} queries: finding the prompt took more"
        text = say(said, queries=say.size(math.floor(one.until)), **places)
    elif one.queries is None:
        said = "a query of {tuned} costs no less than one of {prompted}: tuning never pays for itself"
        text = say(said, **places)
    elif one.queries <= 0:
        said = "{tuned} is cheaper than {prompted} from the first query on: finding the prompt took more"
        text = say(said, **places)
    else:
        said = "{tuned} is cheaper than {prompted} from about {queries} queries on"
        text = say(said, queries=say.size(math.ceil(one.queries)), **places)
        if one.interval is not None:
            text = say("{said} ({range})", said=text, range=say.size_range(_whole(one.interval)))
    where = say("{model} on {task}", model=one.model, task=say.named_task(one.task))
    where = say.parted([where, say.counted("label", one.labels)])
    return say("{where}: {said}", where=where, said=text)
