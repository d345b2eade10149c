"""The contract of a task's solver."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from onset.records import Item


@dataclass(frozen=True, slots=True)
class Solved:
    """An ``answer`` as the task writes it, and the worked steps (None: the solver writes none)."""

    answer: str
    rationale: str | None


@dataclass(frozen=True, slots=True)
class Premises:
    """Sentences of an item that may stand in any order: ``part`` says of what text, which is ``before``, the
    ``sentences`` and ``after``, each joined to the next by a space.
    """

    part: Literal["question", "context"]
    before: str
    sentences: tuple[str, ...]
    after: str

    def put(self, item: Item, order: list[str]) -> Item:
        """``item`` with its sentences in this ``order``."""
        gap = "" if self.after.startswith("\n") else " "
        text = " ".join(filter(None, [self.before, *order])) + (gap + self.after if self.after else "")
        return replace(item, question=text) if self.part == "question" else replace(item, context=text)


class Solver:
    """Of a task whose items can be worked out, or at least taken apart."""

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """The answer of ``item`` by its question, context and choices alone; None where they cannot be read, or have no
        answer that the task allows. ``strict``: also where a sentence is not understood; else it is passed over.
        """
        return None

    def premises(self, item: Item) -> Premises | None:
        """The sentences that may stand in any order; None where order matters."""
        return None


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its mark."""
    return [one for one in re.split(r"(?<=[.?!])\s+", text.strip()) if one]
