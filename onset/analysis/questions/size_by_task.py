"""Which of several related tasks needs the larger model?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.task_sizes import SizeRatio, TaskOrder, stem_of
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    WITHOUT,
    given_words,
    outcomes_words,
)
from onset.analysis.questions.say import Say
from onset.analysis.setting import BASE


class SizeByTask(Question):
    """Per stem and family: related tasks in the order of the size at which they are halfway."""

    kind = "size by task"
    figure = "tasks"
    unit = "ratio"
    verdicts = tones({"ordered": "for", "partly ordered": "for", "undecided": "open"})
    about_size = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        stages = {(one.stem, one.family) for one in study.sizes.task_orders if one.stage == BASE}
        for order in study.sizes.task_orders:
            if order.stage == BASE or (order.stem, order.family) not in stages:
                yield self._finding(study, order)

    def _finding(self, study: Analysis, order: TaskOrder) -> Finding:
        shown = [one.larger for one in order.ratios]
        verdict = "ordered" if all(shown) else "partly ordered" if any(shown) or order.overall.larger else "undecided"
        return self.finding(
            f"{order.stem}, {order.method}, family {order.family}", verdict, partial(_sentence, study, order),
            lines.line(
                f"size by task.{'ordered' if order.overall.larger else 'undecided'}", order.stem,
                smaller=lines.parameters(order.overall.tasks[0]), larger=lines.parameters(order.overall.tasks[1]),
                ratio=words.ratio(order.overall.ratio), range=lines.ratio_range(order.overall.interval),
            ),
            estimate=order.overall.ratio,
            interval=order.overall.interval, n=order.n, test="profile likelihood of the ratio of two midpoints",
        )  # fmt: skip


def _sentence(study: Analysis, order: TaskOrder, say: Say) -> str:
    first = say(
        "Size by task on {task} ({method}, {given}, {family}): {said}", task=say.named_task(order.stem),
        method=say.named(order.method), given=given_words(study, order.labels, [order.method], None, say),
        family=say("family {family}", family=order.family), said=_ratio(order.overall, say),
    )  # fmt: skip
    halves = [
        say(
            "{task} at about {size} ({range}; from {floor} to {ceiling})", task=_parameter(one.task, say),
            size=say.size(one.midpoint), range=say.size_range(one.interval), floor=words.percent(one.floor),
            ceiling=words.percent(one.ceiling),
        )
        for one in order.places
    ]  # fmt: skip
    places = say("; then ").join(halves)
    parts = [say("accuracy is halfway between its floor and its ceiling for {places}", places=places)]
    if len(order.ratios) > 1:
        parts.append(
            say(
                "the interval of the largest ratio allows for {count} pairs of tasks",
                count=math.comb(len(order.places), 2),
            )
        )
        ratios = [_ratio(one, say) for one in order.ratios]
        parts.append(
            say(
                "step by step, {ratios} (intervals that allow for {count} steps)", ratios=say.parted(ratios),
                count=len(ratios),
            )
        )  # fmt: skip
    for task, why in order.without:
        parts.append(say("{task} is left out ({why})", task=_parameter(task, say), why=say(WITHOUT[why])))
    sample = outcomes_words(order.n, order.sizes, say)
    return say.text([first, say("{sentence} ({sample})", sentence=say.clauses(parts), sample=sample)])


def _ratio(one: SizeRatio, say: Say) -> str:
    first, second = (_parameter(task, say) for task in one.tasks)
    places = {"first": first, "second": second, "ratio": words.ratio(one.ratio), "range": say.ratio_range(one.interval)}
    if one.larger:
        return say("{second} needs {ratio} times the parameters of {first} ({range})", **places)
    return say("undecided whether {second} needs more than {first} ({ratio} times; {range})", **places)


def _parameter(task: str, say: Say) -> str:
    """The part of a task's name that tells it from its relatives."""
    if say.language != "en":
        return words.plain_parameters(task, say.language) or say.task(task)
    return task.removeprefix(stem_of(task)).removeprefix("[").removesuffix("]") or task
