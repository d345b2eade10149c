"""Class-balanced demonstrations: as many of each label as of every other, give or take one.

Source: the balance of the demonstrations' labels is one of the three biases of few-shot prompts that Zhao et al. 2021,
arXiv 2102.09690, section 4, measure ("majority label bias").

Labels take turns, each with its next example in the order of the plan, and begin in the order in which they turn up in
it: with eight demonstrations of six labels, which two have a second one is up to the draw. A label of which no example
is left is passed over. Those chosen are shown in an order that has nothing to do with their labels (by their ids, which
are hashes): labels that take turns in the prompt as well would be a pattern to be continued.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import ClassVar

from onset.demos.base import Choice
from onset.errors import DataError
from onset.records import Item
from onset.tasks.base import Task

MOST = 20
"""Different answers of items without choices that may be labels; more are refused."""


class Balanced(Choice):
    """The labels in turn, so that each is shown equally often."""

    kind: ClassVar[str] = "balanced"
    source: ClassVar[str] = "Zhao et al. 2021, arXiv 2102.09690, section 4 (majority label bias)"
    words: ClassVar[str] = "each label equally often"
    reads: ClassVar[bool] = True

    def check_task(self, task: Task) -> None:
        """Raises DataError where the answers are no labels: items with choices of their own, or answers that are more
        than `MOST`, or of which there are fewer than two examples each.
        """
        answers = {item.answer for item in task.pool}
        closed = len({item.choices for item in task.pool}) == 1 and task.pool[0].choices is not None
        if not closed and (len(answers) > MOST or 2 * len(answers) > len(task.pool)):
            raise DataError(
                f"task {task.name}: 'choose: balanced' needs answers that are a few labels (at most {MOST}, or choices"
                f" that all items share), its {len(task.pool)} labelled examples have {len(answers)} different answers"
            )

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """The labels in turn, each with its next example."""
        by_label: dict[str, list[Item]] = {}
        for one in examples:
            by_label.setdefault(one.answer, []).append(one)
        return [one for one in chain.from_iterable(zip_longest(*by_label.values())) if one is not None]

    def arrange(self, chosen: Sequence[Item]) -> tuple[Item, ...]:
        """In an order that has nothing to do with the labels."""
        return tuple(sorted(chosen, key=lambda one: one.id))
