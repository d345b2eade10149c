"""From how many queries on is tuning cheaper than prompting?"""

from __future__ import annotations

import math
from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.costs import BreakEven
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, largest, tones


class Cost(Question):
    """Per task: the break-even of the most accurate tuned and prompted methods of the largest model."""

    kind = "cost"
    figure = "cost"
    unit = "queries"
    verdicts = tones({"pays": "for", "never": "against"})
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
            verdict = "never" if one.queries is None else "pays"
            yield self.finding(
                f"{task}, {one.model}", verdict, f"Cost: {break_even_sentence(one)}",
                lines.line(
                    f"cost.{verdict}", study.named(task), tuned=lines.method(one.tuned),
                    prompted=lines.method(one.prompted), queries=lines.size(math.ceil(one.queries or 0)),
                ),
                estimate=one.queries,
                test="FLOPs counted, no prefix reuse",
            )  # fmt: skip


def break_even_sentence(one: BreakEven) -> str:
    """From how many queries on, or that it never does."""
    where = f"{one.model} on {one.task}, {words.counted(one.labels, 'label')}"
    if one.queries is None:
        return (
            f"{where}: a query of {one.tuned} costs no less than one of {one.prompted}: tuning never pays for itself."
        )
    first = words.short_count(math.ceil(one.queries))
    return f"{where}: {one.tuned} is cheaper than {one.prompted} from about {first} queries on."
