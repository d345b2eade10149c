"""Questions of several hops over facts that the context states."""

from __future__ import annotations

import re

from onset.records import Item
from onset.tasks.solving.base import Premises, Solved, Solver, sentences

FACT = re.compile(r"The (?P<relation>[a-z ]+) of (?P<subject>[A-Z]\w*) is (?P<value>[A-Z]\w*)\.")
_OTHERWISE = re.compile(r"(?P<subject>[A-Z]\w*) has (?P<value>[A-Z]\w*) as (?P<relation>[a-z ]+)\.")
_ASKED = re.compile(r"(?:Who|What) is (?P<path>(?:the [a-z ]+? of )+)(?P<start>[A-Z]\w*)\?")
_NAMED = re.compile(r"Name (?P<path>(?:the [a-z ]+? of )+)(?P<start>[A-Z]\w*)\.")


def path_of(question: str) -> tuple[str, list[str]] | None:
    """Where the chain of a question starts, and its relations in the order in which they are followed."""
    found = _ASKED.fullmatch(question) or _NAMED.fullmatch(question)
    if found is None:
        return None
    relations = re.findall(r"the ([a-z ]+?) of ", found["path"])
    return found["start"], relations[::-1]


class Facts(Solver):
    """Every fact is one sentence of the context; two of one relation and subject contradict each other."""

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """The end of the chain that the question names."""
        asked = path_of(item.question)
        facts: dict[tuple[str, str], str] = {}
        for sentence in sentences(item.context or ""):
            found = FACT.fullmatch(sentence) or _OTHERWISE.fullmatch(sentence)
            if found is None and strict:
                return None
            if (
                found is not None
                and facts.setdefault((found["relation"], found["subject"]), found["value"]) != found["value"]
            ):
                return None
        if asked is None:
            return None
        at, steps = asked[0], []
        for relation in asked[1]:
            if (relation, at) not in facts:
                return None
            steps.append(f"The {relation} of {at} is {facts[relation, at]}.")
            at = facts[relation, at]
        return Solved(at, " ".join(steps)) if at in (item.choices or (at,)) else None

    def premises(self, item: Item) -> Premises | None:
        """The facts."""
        return None if self.solve(item) is None else Premises("context", "", tuple(sentences(item.context or "")), "")
