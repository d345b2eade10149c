"""Subtasks of BIG-Bench Hard whose premises may stand in any order."""

from __future__ import annotations

import re

from onset.records import Item
from onset.tasks.solving.base import Premises, Solved, Solver, sentences


class Deduction(Solver):
    """logical_deduction: an order of objects told by statements, and options."""

    def premises(self, item: Item) -> Premises | None:
        """The statements behind the list of objects."""
        text, gap, options = item.question.partition("\n(A)")
        told = sentences(text)
        first = next((place for place, one in enumerate(told) if re.search(r": .+, and .+\.$", one)), None)
        if first is None or len(told) - first < 3:
            return None
        return Premises("question", " ".join(told[: first + 1]), tuple(told[first + 1 :]), gap + options)


class Liars(Solver):
    """web_of_lies: who says whom to lie or to tell the truth."""

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """Yes or no, by going from the one whose word is given."""
        *told, asked = sentences(item.question)
        honest: dict[str, bool] = {}
        said: list[tuple[str, str, bool]] = []
        truth = r"(tells the truth|does not lie|lies|does not tell the truth)"
        for sentence in told:
            given, claim = (
                re.fullmatch(rf"(\w+) {truth}\.", sentence),
                re.fullmatch(rf"(\w+) says (\w+) {truth}\.", sentence),
            )
            if given is not None:
                honest[given[1]] = given[2] in ("tells the truth", "does not lie")
            elif claim is not None:
                said.append((claim[1], claim[2], claim[3] in ("tells the truth", "does not lie")))
            elif strict:
                return None
        while ready := [one for one in said if one[1] in honest and one[0] not in honest]:
            speaker, other, claimed = ready[0]
            honest[speaker] = honest[other] == claimed
        found = re.fullmatch(r"Does (\w+) tell the truth\?", asked)
        if found is None or found[1] not in honest:
            return None
        return Solved("Yes" if honest[found[1]] else "No", None)

    def premises(self, item: Item) -> Premises | None:
        """All but the question."""
        *told, asked = sentences(item.question)
        return Premises("question", "", tuple(told), asked) if self.solve(item) is not None else None
