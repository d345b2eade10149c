"""A word-overlap trap: a fact with all the words of the question but its chain, and a wrong option as its value.

    What is the home town of the teacher of Mirel?
    ... The home town of Mirel is Inkbury. The teacher of Mirel is Tolan. The home town of Tolan is Rustford. ...

A reader that matches words takes the first (the heuristic of McCoy et al. 2019, HANS, arXiv 1902.01007); the chain says
the second. The fact contradicts no other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.tasks.base import Task
from onset.tasks.solving.facts import FACT, path_of


class Overlap(Shift):
    """One more fact: the last relation of the question, of the person or place that it names, with a wrong option.
    Items of one hop, and those whose context has such a fact, stay.
    """

    kind: ClassVar[str] = "overlap"
    source: ClassVar[str] = "after McCoy et al. 2019, arXiv 1902.01007"
    group: ClassVar[Group] = "adversarial"
    example: ClassVar[Any] = "multi-hop"
    touches: ClassVar[frozenset[str]] = frozenset({"context"})

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task without questions of several hops over facts in their context."""
        if not any(self.rewrite(item, task) != item for item in task.test):
            raise self.refuse(task, "it has no questions of two hops or more over facts in their context")

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with the trap."""
        asked = path_of(item.question)
        facts = list(FACT.finditer(item.context or ""))
        wrong = [one for one in item.choices or () if one != item.answer]
        if asked is None or len(asked[1]) < 2 or not facts or not wrong:
            return item
        start, relation = asked[0], asked[1][-1]
        if any((one["relation"], one["subject"]) == (relation, start) for one in facts):
            return item
        rng = self.rng(item)
        said = [one.group() for one in facts]
        said.insert(rng.randint(0, len(said)), f"The {relation} of {start} is {rng.choice(wrong)}.")
        return replace(item, context=" ".join(said))
