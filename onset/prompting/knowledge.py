"""Knowledge in the context: a triple of a knowledge graph and a gloss of each concept stand before a question.

Source: Xu et al. 2021, arXiv 2012.04808, section 3 (DEKCOR), whose input for a choice is question, choice,
the descriptions of both concepts and a triple. The triple is an edge between the question's concept and the choice
where the graph has one (the heaviest); else, of those that begin at the choice's concept, the one of the largest weight
times N / N_r, N their number and N_r that of them with its relation, which favours rare relations.

    Context: keys: metal tools that open locks. bag: a container of cloth. keys at location bag.
    Question: Where would you look for keys?
    Options: bag; lake
    Answer: The answer is bag.

Deviations: the paper tunes ALBERT on it and scores choices apart; here the knowledge of all choices stands in one
context of an answer-only prompt, of every demonstration as of the question. The concept of a question is its column
``concept`` where the task has one, else the longest run of its words that triples or glosses know (of equally long
ones the last). A question that nothing is known about is asked without. A question without choices has up to ``most``
triples of its own concept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from onset.errors import DataError, StudyError
from onset.models.chat import ChatTemplate
from onset.prompting.ask import Ask
from onset.prompting.base import Prompt, answered, gold_score
from onset.prompting.passages import read_rows, refuse, text_of
from onset.prompting.text import render
from onset.records import Attempt, Item, content_hash
from onset.tasks.base import Task
from onset.votes.base import Vote

_WHERE = "method knowledge"


@dataclass(frozen=True, slots=True)
class Triple:
    """An edge of a knowledge graph; concepts in lower case."""

    head: str
    relation: str
    tail: str
    weight: float = 1.0

    def text(self) -> str:
        """``keys at location bag`` of AtLocation."""
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.relation).replace("_", " ").lower()
        return f"{self.head} {spaced} {self.tail}"


@dataclass(frozen=True)
class Knowledge:
    """Triples by the concepts that they join, glosses by concept; ``hashes`` of both, by setting."""

    triples: Mapping[str, tuple[Triple, ...]]
    glosses: Mapping[str, str]
    longest: int
    hashes: Mapping[str, str]

    def known(self, concept: str) -> bool:
        """Is anything known of it?"""
        return concept in self.triples or concept in self.glosses

    def concept_of(self, item: Item) -> str | None:
        """What the question is about."""
        said = item.meta.get("concept")
        if isinstance(said, str):
            return " ".join(said.lower().replace("_", " ").split())
        words = re.findall(r"[\w'-]+", item.question.lower())
        for size in range(min(self.longest, len(words)), 0, -1):
            for place in range(len(words) - size, -1, -1):
                if self.known(run := " ".join(words[place : place + size])):
                    return run
        return None

    def about(self, item: Item, most: int) -> list[str]:
        """What is known about an item, in lines: glosses of its concepts, then triples; a line once."""
        own = self.concept_of(item)
        choices = [" ".join(one.lower().split()) for one in item.choices or ()]
        concepts = [one for one in ([own] if own else []) + choices if one in self.glosses]
        lines = [f"{one}: {self.glosses[one]}" for one in concepts]
        if choices:
            best = [self._best(own, one) for one in choices]
            lines += [one.text() for one in best if one is not None]
        elif own is not None:
            lines += [one.text() for one in _ranked(self.triples.get(own, ()))[:most]]
        return list(dict.fromkeys(lines))

    def _best(self, own: str | None, choice: str) -> Triple | None:
        mine = self.triples.get(choice, ())
        between = [one for one in mine if own is not None and {one.head, one.tail} == {own, choice}]
        if between:
            return max(between, key=lambda one: one.weight)
        ranked = _ranked([one for one in mine if one.head == choice])
        return ranked[0] if ranked else None


def _ranked(triples: Sequence[Triple]) -> list[Triple]:
    """Largest weight x N / N_r first, equal ones in the order of the file."""
    relations = Counter(one.relation for one in triples)
    return sorted(triples, key=lambda one: -one.weight * len(triples) / relations[one.relation])


def read_knowledge(triples: str | None, glosses: str | None) -> Knowledge:
    """The files' content; a file that did not change is read once. Raises DataError, with the place, for rows that are
    no triples or glosses, and where there are none.
    """
    return _read(triples, glosses, tuple(_changed(key, one) for key, one in _named(triples, glosses)))


def _named(triples: str | None, glosses: str | None) -> list[tuple[str, str]]:
    return [(key, one) for key, one in (("triples", triples), ("glosses", glosses)) if one is not None]


def _changed(key: str, path: str) -> tuple[int, int]:
    try:
        held = Path(path).stat()
    except OSError:
        raise DataError(f"{_WHERE}, '{key}': no file '{path}'") from None
    return held.st_mtime_ns, held.st_size


@lru_cache(maxsize=8)
def _read(triples: str | None, glosses: str | None, _changed: tuple[tuple[int, int], ...]) -> Knowledge:
    by_concept: dict[str, list[Triple]] = {}
    edges = [] if triples is None else _triples(triples)
    for one in edges:
        for concept in dict.fromkeys((one.head, one.tail)):
            by_concept.setdefault(concept, []).append(one)
    described = {} if glosses is None else _glosses(glosses)
    longest = max((len(one.split()) for one in [*by_concept, *described]), default=0)
    hashes = {} if triples is None else {"triples": content_hash([astuple(one) for one in edges])}
    hashes |= {} if glosses is None else {"glosses": content_hash(described)}
    return Knowledge({key: tuple(held) for key, held in by_concept.items()}, described, longest, hashes)


def _triples(path: str) -> list[Triple]:
    where = f"{_WHERE}, 'triples'"
    found = []
    for place, row in read_rows(path, where):
        head, relation, tail = (text_of(row, key, where, path, place) for key in ("head", "relation", "tail"))
        weight = row.get("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            refuse(where, path, place, f"'weight' must be a number above 0, received {weight!r}")
        found.append(Triple(_concept(head), relation, _concept(tail), float(weight)))
    if not found:
        raise DataError(f"{where}: {path} holds no triple")
    return found


def _glosses(path: str) -> dict[str, str]:
    where = f"{_WHERE}, 'glosses'"
    found: dict[str, str] = {}
    for place, row in read_rows(path, where):
        term, gloss = (text_of(row, key, where, path, place) for key in ("term", "gloss"))
        found.setdefault(_concept(term), gloss)  # the first of several, as the paper takes Wiktionary's
    if not found:
        raise DataError(f"{where}: {path} holds no gloss")
    return found


def _concept(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").split())


class KnowledgePrompt(Prompt):
    """Files of ``triples`` (JSON lines or Parquet: head, relation, tail and, if there, weight)
    and of ``glosses`` (term, gloss), at least one of them; ``most``: triples of a question without choices.
    """

    kind: ClassVar[str] = "knowledge"
    source: ClassVar[str] = "Xu et al. 2021, arXiv 2012.04808, section 3"
    words: ClassVar[str] = "question and answer pairs, each after triples and glosses of what it is about"
    paths: ClassVar[tuple[str, ...]] = ("triples", "glosses")

    triples: str | None = Field(default=None, min_length=1)
    glosses: str | None = Field(default=None, min_length=1)
    most: int = Field(default=3, ge=1, le=100)

    def check(self, vote: Vote | None) -> None:
        """There is something to know."""
        if self.triples is None and self.glosses is None:
            raise StudyError(f"method: '{self.kind}' needs a file: 'triples', 'glosses' or both")

    def contents(self) -> dict[str, str]:
        """The hash of each file's triples or glosses."""
        return dict(read_knowledge(self.triples, self.glosses).hashes)

    async def prepare(self, ask: Ask, examples: object) -> Knowledge:
        """The files' content, the same for every item. No example is looked at."""
        return read_knowledge(self.triples, self.glosses)

    def _told(self, item: Item, held: Knowledge) -> Item:
        lines = held.about(item, self.most)
        known = " ".join(f"{one.rstrip('.')}." for one in lines)
        return item if not known else replace(item, context=f"{known} {item.context}" if item.context else known)

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """The prompt with all knowledge in it."""
        held = read_knowledge(self.triples, self.glosses)
        shown = [self._told(one, held) for one in demos]
        return render(task, shown, self._told(item, held), rationale=False, chat=chat)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask once (or for as many samples as the vote wants) with the knowledge in the context. A question that
        nothing is known about is asked as it is; how many lines were known is kept (``known``).
        """
        held: Knowledge = ask.state
        shown = [self._told(one, held) for one in ask.demos]
        prompt = ask.prompt(self._told(item, held), rationale=False, demos=shown)
        done, found = await answered(prompt, item, ask, self)
        announced = f"{prompt}{ask.lead}{ask.task.layout.marker}"
        gold = await gold_score(announced, item, ask, run=done[0].finish != "overlong")
        detail = {**found.detail, "known": len(held.about(item, self.most))}
        return Attempt(prompt, done, found.answers, found.voted.answer, gold, detail=detail)
