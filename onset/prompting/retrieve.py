r"""Retrieve, then read: the best passages of a corpus by BM25 stand before the question.

Source: BM25 as in Robertson and Zaragoza 2009 (doi 10.1561/1500000019), by bm25s; the reader's prompt is
that of generate-then-read (Yu et al. 2023, arXiv 2209.10063), so that the two differ in the passage alone.

    Refer to the passage below and answer the following question with just one entity. \n\n Passage: Marie Curie: Born
    in Warsaw in 1867, she ... \n\n Question: Where was Marie Curie born? \n\n The answer is

Several passages stand in one prompt, best first, a line each. A question that shares no word with any passage is asked
after an empty one. ``control: shuffled`` shows the passages found for another question of the cell, the next one that
none of the own passages are found for: what is left of a gain then came of a passage being there.
"""

from __future__ import annotations

from collections.abc import Sequence
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
Found = tuple[int, float]
"""The place of a passage in its corpus, and its score."""
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
        """Find and read. ``detail``: places of the ``passages`` in the corpus, best first, and their ``scores``, both
        empty where no passage shares a word with the question. Raises MethodError where the control has no other
        question with other passages.
        """
        index: Index = ask.state
        query, found = item.question, index.best(item.question, self.passages)
        if self.control != "none":
            query, found = self._another(item.question, found, index, ask.questions)
        made = await self.answers(["\n".join(index.corpus.texts[place] for place, _ in found)], item, ask)
        kept = {"passages": [place for place, _ in found], "scores": [round(score, 4) for _, score in found]}
        shuffled = {} if self.control == "none" else {"found_for": query}
        return replace(made, detail={**made.detail, **kept, **shuffled})

    def _another(
        self, question: str, own: Sequence[Found], index: Index, questions: Sequence[str]
    ) -> tuple[str, list[Found]]:
        """The next question, round the end, for which passages are found and none of ``own``; and these."""
        held = {index.corpus.texts[place] for place, _ in own}
        place = questions.index(question) if question in questions else 0
        for other in dict.fromkeys([*questions[place + 1 :], *questions[:place]]):
            found = index.best(other, self.passages)
            if found and held.isdisjoint(index.corpus.texts[one] for one, _ in found):
                return other, found
        raise MethodError(
            f"control 'shuffled': no other of the cell's {len(questions)} questions finds passages of {self.corpus}"
            f" that are not this one's: {question[:60]}"
        )
