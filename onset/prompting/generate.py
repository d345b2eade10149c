r"""Generate, then read: the model writes a background document, then answers from it.

Source: Yu et al. 2023, arXiv 2209.10063 (zero-shot, and with clusters); prompts word by word as released:

    Provide a background document from Wikipedia to answer the given question. \n\n Where was Marie Curie born? \n\n

    Refer to the passage below and answer the following question with just one entity. \n\n Passage: Marie Curie was
    ... \n\n Question: Where was Marie Curie born? \n\n The answer is

Greedy documents of at most 300 tokens, read greedily, as released. With ``passages`` above 1 as many documents are
sampled, each is read, and the majority of the answers is taken. With ``clusters`` the model first writes a document for
each granted question; those that hold a gold answer are kept (this uses labels: ``filter`` in the ledger), k-means
makes clusters of them, and at most five of each cluster are shown before the item's question: one document of each
cluster at temperature 0.95, each is read, and the majority is taken.

Deviations: the paper reads several documents together by a tuned reader (FiD), here each is read by the same model
zero-shot; clusters are of TF-IDF vectors, where the paper has embeddings of another model; which five are shown is
drawn by the cell's seed, where the released code has none; a document holds an answer where it has its words in a row,
whatever the punctuation between them. A model that writes fewer documents with their answer than there are clusters is
shown as many clusters as it has documents, and asked without any for the others: it has answers then, and no cell is
missing.
"""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import ClassVar

from pydantic import Field

from onset.errors import StudyError
from onset.plan import Use, use_of
from onset.prompting.ask import GREEDY, Ask
from onset.prompting.base import Planned, guessed_tokens, unanswered
from onset.prompting.clusters import clusters
from onset.prompting.reading import PROVIDE, SUPPORT, Reader, one_line, query_of
from onset.prompting.text import is_statement
from onset.records import Attempt, Completion, Item, Sampling, derive_seed
from onset.tasks.base import Task
from onset.votes.base import Vote

PASSAGE = "passage"
"""Role of the calls that write a document."""
SHOWN = 5
"""Documents of a cluster that are shown, as released."""
MOST = 200
"""Granted examples that documents are written for, as released."""


class GenerateThenRead(Reader):
    """``passages``: documents of an item, read one by one (1: greedy); ``clusters``: of the granted examples'
    documents, one document of an item each (unset: zero-shot); ``tokens``: the most a document has; ``temperature`` of
    documents that are sampled.
    """

    kind: ClassVar[str] = "generate-then-read"
    source: ClassVar[str] = "Yu et al. 2023, arXiv 2209.10063"
    words: ClassVar[str] = "a passage that the model has written for the question"
    calls: ClassVar[str] = (
        "2 calls an item (one writes, one reads); of each of several passages or clusters; with clusters also one an "
        "example, once a cell"
    )

    passages: int = Field(default=1, ge=1, le=100)
    clusters: int | None = Field(default=None, ge=2, le=100)
    tokens: int = Field(default=300, ge=1, le=4096)
    temperature: float = Field(default=0.95, gt=0, le=5)

    @property
    def several(self) -> int:
        """Passages that are read about an item."""
        return self.clusters or self.passages

    def check(self, vote: Vote | None) -> None:
        """A vote is over samples of one passage's answer; several passages have their own majority."""
        if self.clusters is not None and self.passages > 1:
            raise StudyError(f"method: '{self.kind}' takes 'passages' or 'clusters', not both")
        if vote is not None and self.several > 1:
            raise StudyError(f"method: '{self.kind}' votes over its {self.several} passages; leave out 'vote'")

    def check_budget(self, labels: int) -> None:
        """A cluster has a document at least, and a document an example."""
        if self.clusters is not None and labels < self.clusters:
            raise StudyError(
                f"method: '{self.kind}' with 'clusters: {self.clusters}' needs as many labelled examples (received"
                f" {labels}); leave out smaller budgets, or set fewer clusters"
            )

    def seeded(self) -> bool:
        """With several passages or clusters."""
        return self.several > 1

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """Documents of about half their limit, and their readings."""
        long = 0.5 * self.tokens
        asked = guessed_tokens(task, passage_prompt)
        shown = 0.0 if self.clusters is None else SHOWN * (asked + long)
        prompts = self.several if self.clusters else 1
        write = Planned(PASSAGE, long, prompts, 1 if self.clusters else self.passages, asked + shown)
        return (write, self.reading(task, long, samples, self.several))

    def uses_examples(self) -> bool:
        """With clusters."""
        return self.clusters is not None

    def used(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """With clusters, the answers of the first `MOST` examples, which filter their documents."""
        return () if self.clusters is None or not examples else (use_of("filter", examples[:MOST], rationales=False),)

    async def prepare(self, ask: Ask, examples: Sequence[Item]) -> tuple[str, ...] | None:
        """With clusters, what stands before a question in the prompt of each; where fewer documents than clusters hold
        their answer, nothing in those that are left.
        """
        if self.clusters is None:
            return None
        asked = list(examples[:MOST])
        prompts = [passage_prompt(one) for one in asked]
        texts = await asyncio.gather(*(self._write(one, ask, GREEDY) for one in prompts))
        documents = [one_line(each[0].text) for each in texts]
        held = [
            (item, prompt, document)
            for item, prompt, document in zip(asked, prompts, documents, strict=True)
            if any(holds(document, one) for one in item.golds)
        ]
        most = min(self.clusters, len(held))
        texts_of = [f"{item.question} {document}" for item, _, document in held]
        groups = clusters(texts_of, most, ask.seed) if most else []
        rng = Random(derive_seed("clusters", ask.seed))
        drawn = [rng.sample(group, min(SHOWN, len(group))) for group in groups]
        shown = ["".join(f"{held[one][1]} {held[one][2]} \n\n\n\n " for one in group) for group in drawn]
        return (*shown, *[""] * (self.clusters - most))

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Write and read. Where the prompt that asks for a document does not fit, the item is overlong. With clusters
        ``detail`` holds how many of the prompts show documents (``clusters``).
        """
        own = passage_prompt(item)
        if self.clusters is not None:
            drawn = Sampling(1, self.temperature)
            calls = (
                self._write(f"{shown}{own}", ask, drawn, f"cluster{place}") for place, shown in enumerate(ask.state)
            )
            written = [one for each in await asyncio.gather(*calls) for one in each]
        else:
            sampling = GREEDY if self.passages == 1 else Sampling(self.passages, self.temperature)
            written = list(await self._write(own, ask, sampling, "passage"))
        for one in written:
            if one.finish == "overlong":
                return unanswered(ask.wrap(own), one)
        made = await self.answers([one_line(one.text) for one in written], item, ask)
        if self.clusters is None:
            return made
        return replace(made, detail={**made.detail, "clusters": sum(1 for one in ask.state if one)})

    async def _write(self, prompt: str, ask: Ask, sampling: Sampling, key: str = "") -> tuple[Completion, ...]:
        stop = () if ask.chat is None else None
        text = ask.wrap(prompt)
        return await ask.generate(text, PASSAGE, max_tokens=self.tokens, sampling=sampling, stop=stop, key=key)


def passage_prompt(item: Item) -> str:
    """The prompt that asks for a document, in plain text."""
    return (SUPPORT if is_statement(item) else PROVIDE).format(query=query_of(item))


def holds(document: str, answer: str) -> bool:
    """Is ``answer`` a run of words of ``document``, whatever case and punctuation?"""
    words = f" {' '.join(_words(answer))} "
    return words.strip() != "" and words in f" {' '.join(_words(document))} "


def _words(text: str) -> list[str]:
    return re.findall(rf"\w+|[^\w\s{re.escape(string.punctuation)}]", text.casefold())
