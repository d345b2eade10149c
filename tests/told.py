"""A model behind an `Ask` that does as a test says: texts by prompt, probabilities by context and option."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from onset.answers import ChoiceFormat, NumberFormat, TextFormat
from onset.models.scripted import ScriptedModel
from onset.prompting.ask import Ask, bare
from onset.prompting.base import Prompt
from onset.records import Attempt, Completion, Item, Pair, Request, Scored
from onset.tasks.base import AnswerFormat, Task

Reply = Callable[[str, int], str]
Probability = Callable[[str, str], float | None]


def task_of(*items: Item, pool: Sequence[Item] = (), number: bool = False) -> Task:
    """A task of ``items``, read by their kind."""
    kind: AnswerFormat = ChoiceFormat() if items[0].choices else NumberFormat() if number else TextFormat()
    return Task("made", "knowledge reasoning", tuple(pool), tuple(items), kind, 0.0, "made")


@dataclass
class Told:
    """``reply``: the text of a sample; ``probability`` of an option after a context (None: it does not fit);
    ``fits``: does a prompt that generates fit?
    """

    reply: Reply
    probability: Probability = lambda context, option: 0.5
    fits: Callable[[str], bool] = lambda prompt: True
    requests: list[Request] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    async def generate(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        if not self.fits(request.prompt):
            return [Completion("", 0, 0, None, "overlong")] * request.n
        return ScriptedModel(self.reply).generate([request])[0]

    async def score(self, pair: Pair) -> Scored:
        self.pairs.append(pair)
        held = self.probability(pair.context, pair.continuation)
        return Scored(None if held is None else math.log(held), 1, len(pair.context.split()))

    @property
    def prompts(self) -> list[str]:
        return [one.prompt for one in self.requests]


def solve(
    method: Prompt, item: Item, told: Told, *, task: Task | None = None, demos: Sequence[Item] = (), **options: Any
) -> tuple[Attempt, Ask]:
    """One item solved by ``method``, prepared without examples."""
    ask = Ask(told, bare(task or task_of(item)), item, tuple(demos), seed=5, **options)

    async def both() -> Attempt:
        ask.state = await method.prepare(replace(ask, transcript=[]), ())
        return await method.solve(item, ask)

    return asyncio.run(both()), ask


class Turns:
    """A chat template that can be read."""

    end = "<end>"

    def __call__(self, turns: Sequence[tuple[str, str]]) -> str:
        return "".join(f"<{who}>{text}" for who, text in turns) + "<assistant>"
