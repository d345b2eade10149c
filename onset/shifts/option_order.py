"""The options in another order; of lettered ones the answer gets its new letter.

    (A) red (B) blue, answer (B)  ->  (A) blue (B) red, answer (A)

Source: Pezeshkpour and Hruschka 2024, arXiv 2308.11483; Zheng et al. 2024, arXiv 2309.03882.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

from onset.records import Item, derive_seed
from onset.shifts.base import Group, Rewrite, Shift
from onset.tasks.base import Task

_LETTER = re.compile(r"\(([A-Z])\)")
_FIXED = re.compile(r"\b(?:above|none of|all of|both)\b", re.IGNORECASE)


class OptionOrder(Shift):
    """Options in another order, never as they were. Where all items share their choices, all get the same order. An
    option that speaks of the others (all of the above) keeps its place. Methods whose prompts show no options
    (statements that are read after a passage) are left out of a study's cells under it, with a note.
    """

    kind: ClassVar[str] = "option-order"
    source: ClassVar[str] = "Pezeshkpour and Hruschka 2024, arXiv 2308.11483"
    group: ClassVar[Group] = "adversarial"
    example: ClassVar[Any] = "multi-hop"
    touches: ClassVar[frozenset[str]] = frozenset({"question", "choices", "answer", "rationale"})

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task without choices."""
        if not any(item.choices for item in task.test):
            raise self.refuse(task, "its items have no choices")

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with its options in another order."""
        return self.rewriting(task)(item)

    def rewriting(self, task: Task) -> Rewrite:
        """Whether all items share their choices is found out once."""
        lists = {item.choices for item in (*task.test, *task.pool)}

        def rewrite(item: Item) -> Item:
            if not item.choices:
                return item
            if all(_LETTER.fullmatch(one) for one in item.choices):
                return _lettered(self.rng(item), item)
            shared = Random(derive_seed(self.kind, *item.choices, self.seed))
            order = _order(shared if len(lists) == 1 else self.rng(item), item.choices)
            return replace(item, choices=tuple(item.choices[place] for place in order))

        return rewrite


def _order(rng: Random, texts: tuple[str, ...]) -> list[int]:
    """Places of ``texts`` in a new order."""
    free = [place for place, text in enumerate(texts) if not _FIXED.search(text)]
    mixed = rng.sample(free, len(free))
    if mixed == free:
        mixed = [*mixed[1:], *mixed[:1]]
    moved = dict(zip(free, mixed, strict=True))
    return [moved.get(place, place) for place in range(len(texts))]


def _lettered(rng: Random, item: Item) -> Item:
    """Options are lines of the question, ``(A) ...``, and the answer is a letter."""
    choices = item.choices or ()
    lines = item.question.split("\n")
    at = [place for place, line in enumerate(lines) if _LETTER.match(line)]
    texts = tuple(lines[place][3:] for place in at)
    letters = tuple(lines[place][:3] for place in at)
    if letters != choices or item.answer not in letters:
        return item
    order = _order(rng, texts)
    for place, letter, source in zip(at, letters, order, strict=True):
        lines[place] = letter + texts[source]
    answer = letters[order.index(letters.index(item.answer))]
    return replace(item, question="\n".join(lines), answer=answer, rationale=None)
