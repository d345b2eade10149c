"""Self-check: the model samples answers, says of each how probably it is true, and the best one or a vote decides.

Source: Kadavath et al. 2022, arXiv 2207.05221 (P(True) of proposed answers, and with other samples shown); choosing
among samples by a verifier's score and voting with it: Cobbe et al. 2021, arXiv 2110.14168. P(True) is the probability
of (A) among (A) and (B).

    Question: What is 27 + 48?
    Proposed Answer: The answer is 75.
    Is the proposed answer:
     (A) True
     (B) False
    The proposed answer is:

Deviation: the paper shows 20 examples of checked answers, here the check is zero-shot; a proposed answer is the sample
as it is, steps included. Equal samples are checked once. Samples without an answer are not chosen and have no vote.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.errors import MethodError, StudyError
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, Ask
from onset.prompting.base import Need, Planned, Prompt, gold_score, guessed_chain, guessed_tokens
from onset.prompting.cot import until_marker
from onset.prompting.reading import query_of
from onset.prompting.text import most_tokens
from onset.records import Answer, Attempt, Completion, Item, Sampling
from onset.scores import normalised_choice_probability, vote
from onset.tasks.base import Task
from onset.votes.base import Vote

CHECK = "check"
"""Role of the calls that score a proposed answer."""
_OPTIONS = (" (A)", " (B)")


class SelfCheck(Prompt):
    """``samples`` answers at ``temperature``; ``steps``: chains of thought, after demonstrations with rationales, and
    not answers at once; ``shown``: how many of the samples stand before a proposed answer as ideas; ``take``: the
    ``best`` sample, or a ``vote`` in which each counts P(True).
    """

    kind: ClassVar[str] = "self-check"
    source: ClassVar[str] = "Kadavath et al. 2022, arXiv 2207.05221"
    words: ClassVar[str] = "samples that the model itself then calls true or false"
    needs: ClassVar[frozenset[Need]] = frozenset({"scores"})
    calls: ClassVar[str] = "1 call an item that samples, and 1 score for each different sample"

    samples: int = Field(default=10, ge=2, le=200)
    temperature: float = Field(default=1.0, gt=0, le=5)
    steps: bool = False
    shown: int = Field(default=0, ge=0, le=50)
    take: Literal["best", "vote"] = "best"

    def needed(self) -> frozenset[Need]:
        """With ``steps``, rationales too."""
        return self.needs | {"rationales"} if self.steps else self.needs

    def check(self, vote: Vote | None) -> None:
        """It draws and weighs samples of its own, and shows no more than there are."""
        if vote is not None:
            raise StudyError(f"method: '{self.kind}' draws {self.samples} samples of its own; leave out 'vote'")
        if self.shown > self.samples:
            raise StudyError(
                f"method: '{self.kind}' shows {self.shown} of {self.samples} samples; 'shown' is too large"
            )

    def seeded(self) -> bool:
        """Its samples are drawn."""
        return True

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """The token limit of a sample."""
        return most_tokens(task, rationale=self.steps, chat=chat)

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """The samples, and a check of each, as if all were different."""
        out = guessed_chain(task) if self.steps else 8.0
        asked = guessed_tokens(task, query_of)
        check = Planned(CHECK, 3.0, prompts=self.samples, tokens_in=asked + 30 + out * (1 + self.shown))
        return (Planned(ANSWER, out, samples=self.samples), check)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Sample, check, choose. ``detail``: ``p_true`` of every sample (None: not checked, or too long to be).

        Raises MethodError where there are answers and none of them could be checked.
        """
        prompt = ask.prompt(item, rationale=self.steps)
        limit, sampling = self.limit(ask.task, ask.chat), Sampling(self.samples, self.temperature)
        done = await ask.generate(prompt, ANSWER, max_tokens=limit, sampling=sampling, until=ask.end)
        answers = tuple(self.read(one, item, ask.task) for one in done)
        scores = await self._scores(done, answers, item, ask)
        answer = self._taken(answers, scores)
        layout = ask.task.layout
        stem = until_marker(done[0].text, layout, ask.lead) if self.steps else f"{ask.lead}{layout.marker}"
        gold = await gold_score(f"{prompt}{stem}", item, ask, run=done[0].finish != "overlong")
        detail: dict[str, Any] = {"p_true": [None if one is None else round(one, 6) for one in scores]}
        return Attempt(prompt, done, answers, answer, gold, detail=detail)

    async def _scores(
        self, done: Sequence[Completion], answers: Sequence[Answer], item: Item, ask: Ask
    ) -> list[float | None]:
        """P(True) of each sample that has an answer."""
        texts = [one.text.strip() for one in done]
        proposed = list(dict.fromkeys(text for text, one in zip(texts, answers, strict=True) if one.status == "ok"))
        ideas = texts[: self.shown]
        contexts = [ask.wrap(check_prompt(item, text, ideas)) for text in proposed]
        scored = await asyncio.gather(*(ask.score(one, self._options(ask), CHECK) for one in contexts))
        known = {
            text: normalised_choice_probability(0, [one.logprob for one in pair])
            for text, pair in zip(proposed, scored, strict=True)
        }
        if proposed and all(one is None for one in known.values()):
            raise MethodError(f"none of {len(proposed)} proposed answers fits the model's context with its check")
        return [known.get(text) if one.status == "ok" else None for text, one in zip(texts, answers, strict=True)]

    @staticmethod
    def _options(ask: Ask) -> tuple[str, ...]:
        return _OPTIONS if ask.chat is None else tuple(one.strip() for one in _OPTIONS)

    def _taken(self, answers: Sequence[Answer], scores: Sequence[float | None]) -> Answer:
        """The best sample's answer (of equals the one sampled first), or that of the largest sum."""
        held = [(one, score) for one, score in zip(answers, scores, strict=True) if score is not None]
        if not held:
            return vote(answers, None)
        if self.take == "best":
            return max(held, key=lambda pair: pair[1])[0]
        sums: dict[str, list[float]] = {}
        for one, score in held:
            sums.setdefault(str(one.value), []).append(score)
        weights = {value: math.fsum(own) for value, own in sums.items()}
        return Answer(max(weights, key=lambda value: weights[value]), "ok")


def check_prompt(item: Item, proposed: str, ideas: Sequence[str] = ()) -> str:
    """The prompt that asks whether ``proposed`` is true, in plain text; ``ideas``: other samples, shown before it."""
    lines = [f"Question: {query_of(item)}"]
    if ideas:
        lines += ["Here are some brainstormed ideas:", *ideas]
    said = "possible" if ideas else "proposed"
    lines += [f"{said.capitalize()} Answer: {proposed}", f"Is the {said} answer:", " (A) True", " (B) False"]
    return "\n".join([*lines, f"The {said} answer is:"])
