"""Chain-of-thought prompting: the demonstrations show the steps before the answer.

Source: Wei et al. 2022, arXiv 2201.11903, section 2. Greedy decoding as there; with a vote it is self-consistency (Wang
et al. 2022, arXiv 2203.11171).

    Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
    Answer: Pam has 17 - 7 = 10. The answer is 10.
"""

from __future__ import annotations

from typing import ClassVar

from onset.prompting.ask import Ask
from onset.prompting.base import Need, Prompt, answered, gold_score
from onset.records import Attempt, Item
from onset.tasks.base import Layout


class Chain(Prompt):
    """Demonstrations with their rationales."""

    kind: ClassVar[str] = "cot"
    source: ClassVar[str] = "Wei et al. 2022, arXiv 2201.11903, section 2"
    words: ClassVar[str] = "questions with worked steps and answers (chain of thought)"
    needs: ClassVar[frozenset[Need]] = frozenset({"rationales"})
    chain: ClassVar[bool] = True

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask once (or for as many samples as the vote wants) for steps and answer.

        The continuous score is the log-probability of the gold answer after the model's *own* chain (the
        first sample's), cut at "The answer is": it measures what the chain made of the question.
        """
        prompt = ask.prompt(item, rationale=True, demos=self.dressed(ask.demos, ask.task))
        done, found = await answered(prompt, item, ask, self)
        announced = prompt + until_marker(done[0].text, ask.task.layout, ask.lead)
        gold = await gold_score(announced, item, ask, run=done[0].finish != "overlong")
        return Attempt(prompt, done, found.answers, found.voted.answer, gold, detail=found.detail)


def until_marker(chain: str, layout: Layout, lead: str) -> str:
    """The chain up to and including its last "the answer is" (in any case), added where it is missing: after ``lead``
    where nothing stands before it.
    """
    place = chain.lower().rfind(layout.marker.lower())
    if place >= 0:
        return chain[: place + len(layout.marker)]
    return f"{chain.rstrip()}{layout.lead if chain.strip() else lead}{layout.marker}"
