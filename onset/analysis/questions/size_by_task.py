"""Which of several related tasks needs the larger model?"""

from __future__ import annotations

from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.task_sizes import SizeRatio, TaskOrder, stem_of
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    WITHOUT,
    ratio_range,
    size_range,
)
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
        halves = [
            f"{_parameter(one.task)} at about {words.short_count(one.midpoint)}"
            f" ({size_range(one.interval)}; from {words.percent(one.floor)} to {words.percent(one.ceiling)})"
            for one in order.places
        ]
        given = study.given(order.labels, [order.method])
        text = f"Size by task on {order.stem} ({order.method}, {given}, family {order.family}):"
        text += f" {_ratio(order.overall)}."
        text += f" Accuracy is halfway between its floor and its ceiling for {'; then '.join(halves)}"
        if len(order.ratios) > 1:
            text += f"; step by step, {', '.join(_ratio(one) for one in order.ratios)}"
            text += f" (intervals that allow for {len(order.ratios)} steps)"
        for task, why in order.without:
            text += f"; {_parameter(task)} is left out ({WITHOUT[why]})"
        shown = [one.larger for one in order.ratios]
        verdict = "ordered" if all(shown) else "partly ordered" if any(shown) or order.overall.larger else "undecided"
        text += f" ({words.counted(order.n, 'outcome')} at {words.counted(len(set(order.sizes)), 'size')})."
        return self.finding(
            f"{order.stem}, {order.method}, family {order.family}", verdict, text,
            lines.line(
                f"size by task.{'ordered' if order.overall.larger else 'undecided'}", order.stem,
                smaller=lines.parameters(order.overall.tasks[0]), larger=lines.parameters(order.overall.tasks[1]),
                ratio=words.ratio(order.overall.ratio), range=lines.ratio_range(order.overall.interval),
            ),
            estimate=order.overall.ratio,
            interval=order.overall.interval, n=order.n, test="profile likelihood of the ratio of two midpoints",
        )  # fmt: skip


def _ratio(one: SizeRatio) -> str:
    first, second = (_parameter(task) for task in one.tasks)
    interval = ratio_range(one.interval)
    if one.larger:
        return f"{second} needs {words.ratio(one.ratio)} times the parameters of {first} ({interval})"
    return f"undecided whether {second} needs more than {first} ({words.ratio(one.ratio)} times; {interval})"


def _parameter(task: str) -> str:
    """The part of a task's name that tells it from its relatives."""
    return task.removeprefix(stem_of(task)).removeprefix("[").removesuffix("]") or task
