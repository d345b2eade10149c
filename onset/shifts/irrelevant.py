"""Sentences that do not matter, put before the question.

    ... Pam has 7 fewer. Ray's cousin lives at number 12 of a long street. How many keys does Pam have?

In the manner of GSM-IC (Shi et al. 2023, arXiv 2302.00093, section 3.1), by its three factors: is the sentence of the
problem's topic, does it name somebody of the problem, and is its number of the size of the problem's numbers? What it
tells can be no part of the answer, since nothing in the problem refers to it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.names import names_in
from onset.shifts.text import options_at
from onset.shifts.words import OTHER_MEN, OTHER_WOMEN
from onset.tasks.base import Task

_OFF = (
    "{name}'s cousin lives at number {n} of a long street.",
    "A shoe of {name}'s uncle is of size {n}.",
    "{name}'s grandmother once read {n} pages of a novel on a train.",
    "The bus that stops in front of {name}'s school is line {n}.",
    "A former neighbour of {name} is {n} years old.",
    "The tower that {name} sees from the window is {n} metres high.",
)
_IN = (
    "A shop in another town sells {n} {things} a day.",
    "An uncle of {name} once lost {n} {things} on a journey.",
    "Somewhere else, a museum shows {n} {things} behind glass.",
)
_ASKED = re.compile(r"\bHow many (?:more |fewer |of the )?([a-z]+s)\b")
_QUESTION = re.compile(r"(?:(?<=[.!?]) +|\n)(?=[A-Z][^.!?\n]*\?\s*$)")


class Irrelevant(Shift):
    """``sentences`` (1 to 4, on topic to 3) before the question. ``topic``: ``off``, or ``in`` where the question asks
    how many of something; ``role``: about somebody of the problem (``same``; about somebody else where it has no name
    of a person that the tables know) or not (``other``); ``number``: of the ``same`` size as the problem's numbers, or
    ``large``, a hundred times as much. Items of one sentence, and those that end with no question, stay.
    """

    kind: ClassVar[str] = "irrelevant"
    source: ClassVar[str] = "Shi et al. 2023 (GSM-IC), arXiv 2302.00093"
    group: ClassVar[Group] = "adversarial"

    sentences: int = Field(default=1, ge=1, le=4)
    topic: Literal["off", "in"] = "off"
    role: Literal["same", "other"] = "same"
    number: Literal["same", "large"] = "same"

    @model_validator(mode="after")
    def _as_many_as_there_are(self) -> Irrelevant:
        if self.topic == "in" and self.sentences > len(_IN):
            raise ValueError(
                f"'sentences' must be at most {len(_IN)} with 'topic: in', which has no more (received"
                f" {self.sentences})"
            )
        return self

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with the sentences in it."""
        rng, end = self.rng(item), options_at(item.question)
        asked = _QUESTION.search(item.question[:end])
        if asked is None:
            return item
        things = _ASKED.search(item.question, asked.start())
        forms = [*_IN] if self.topic == "in" else [*_OFF]
        if self.topic == "in" and things is None:
            return item
        said = [
            form.format(name=self._name(rng, item), n=self._number(rng, item), things=things[1] if things else "")
            for form in rng.sample(forms, self.sentences)
        ]
        text = f"{item.question[: asked.start()]} {' '.join(said)}{item.question[asked.start() :]}"
        return replace(item, question=text)

    def _name(self, rng: Random, item: Item) -> str:
        present = names_in(item.question)
        if self.role == "same" and present:
            return rng.choice(present)
        return rng.choice([one for one in (*OTHER_WOMEN, *OTHER_MEN) if one not in item.question])

    def _number(self, rng: Random, item: Item) -> int:
        held = [int(one) for one in re.findall(r"(?<![\d.,])\d{1,6}(?![\d.,]*\d)", item.question)] or [5, 60]
        low, high = max(2, min(held)), max(20, *held)
        if self.number == "large":
            low, high = 100 * low, 100 * high
        golds = {one for one in item.golds if one.isdigit()}
        free = [one for one in {rng.randint(low, high) for _ in range(20)} if one not in held and str(one) not in golds]
        return rng.choice(sorted(free)) if free else high + 7
