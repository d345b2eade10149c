r"""Retrieve, then read: the best passages of a corpus by BM25 stand before the question.

Source: BM25 as in Robertson and Zaragoza 2009 (doi 10.1561/1500000019), by bm25s; the reader's prompt is
that of generate-then-read (Yu et al. 2023, arXiv 2209.10063), so that the two differ in the passage alone.

    Refer to the passage below and answer the following question with just one entity. \n\n Passage: Marie Curie: Born
    in Warsaw in 1867, she ... \n\n Question: Where was Marie Curie born? \n\n The answer is

Several passages stand in one prompt, best first, a line each. ``control: shuffled`` shows the passages of another
question of the cell, each question's to exactly one other: what is left of a gain then came of a passage being there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from onset.errors import MethodError
from onset.prompting.ask import Ask
from onset.prompting.base import Planned
from onset.prompting.passages import Index, index_of, read_corpus
from onset.prompting.reading import Reader
from onset.records import Attempt, Item
from onset.tasks.base import Task

_WHERE = "method retrieve-then-read, 'corpus'"
_PASSAGE_TOKENS = 130.0
"""Tokens of a passage, for `onset plan`: passages of 100 words are the custom (Karpukhin et al. 2020, arXiv 2004.04906,
section 4.1)."""


class RetrieveThenRead(Reader):
    """``corpus``: a file of passages (`onset.prompting.passages`), relative to the study file; ``passages``: how many
    are shown; ``k1`` and ``b`` of BM25; ``control``: whose passages, the question's own or another's.
    """

    kind: ClassVar[str] = "retrieve-then-read"
    source: ClassVar[str] = (
        "Robertson and Zaragoza 2009, doi 10.1561/1500000019; reader: Yu et al. 2023, arXiv 2209.10063"
    )
    words: ClassVar[str] = "a passage found for the question"
    paths: ClassVar[tuple[str, ...]] = ("corpus",)

    corpus: str = Field(min_length=1)
    passages: int = Field(default=1, ge=1, le=100)
    k1: float = Field(default=1.5, ge=0, le=10)
    b: float = Field(default=0.75, ge=0, le=1)
    control: Literal["none", "shuffled"] = "none"

    def contents(self) -> dict[str, str]:
        """The hash of the passages."""
        return {"corpus": read_corpus(self.corpus, _WHERE).hash}

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """One call, its prompt longer by the passages."""
        return (self.reading(task, _PASSAGE_TOKENS * self.passages, samples),)

    async def prepare(self, ask: Ask, examples: object) -> Index:
        """The index, built once for all cells over the same passages. No example is looked at."""
        return index_of(read_corpus(self.corpus, _WHERE), self.k1, self.b)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Find and read. Raises MethodError where no passage shares a word with the question, or where the control has
        no other question.
        """
        index: Index = ask.state
        query = item.question if self.control == "none" else another(item.question, ask.questions)
        found = index.best(query, self.passages)
        if not found:
            raise MethodError(f"no passage of {self.corpus} shares a word with the question: {query[:80]}")
        made = await self.answers(["\n".join(index.corpus.texts[place] for place, _ in found)], item, ask)
        kept = {"passages": [place for place, _ in found], "scores": [round(score, 4) for _, score in found]}
        shuffled = {} if self.control == "none" else {"found_for": query}
        return replace(made, detail={**made.detail, **kept, **shuffled})


def another(question: str, questions: tuple[str, ...]) -> str:
    """The next question after ``question``, round the end: each is the other of exactly one, if all differ. Raises
    MethodError where there is no other.
    """
    place = questions.index(question) if question in questions else 0
    for step in range(1, len(questions)):
        other = questions[(place + step) % len(questions)]
        if other != question:
            return other
    raise MethodError("control 'shuffled' needs another question in the cell, there is none")
