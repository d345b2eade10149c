"""One item solved by a method with a scripted model, and what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onset.models.chat import ChatTemplate, Turn
from onset.models.scripted import Reply, Rule, ScriptedModel
from onset.prompting.ask import Ask
from onset.prompting.base import Prompt
from onset.records import Attempt, Completion, Item, Pair, Request, Scored
from onset.tasks.base import Task

Replies = Mapping[str, str | Sequence[str]] | Sequence[Rule] | Reply


@dataclass
class Kept:
    """The calls of a solver, answered by a scripted model and kept."""

    model: ScriptedModel
    requests: list[Request] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    async def generate(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        return self.model.generate([request])[0]

    async def score(self, pair: Pair) -> Scored:
        self.pairs.append(pair)
        return self.model.score([pair])[0]


class Turns(ChatTemplate):
    """A template that writes ``<user>``, ``<assistant>`` and ``<end>``."""

    def __init__(self) -> None:
        super().__init__(None, "scripted", "<end>", "0" * 16)

    def __call__(self, turns: Sequence[Turn]) -> str:
        return "".join(f"<{who}>{text}<end>" for who, text in turns) + "<assistant>"


def solve(
    method: Prompt, item: Item, task: Task, replies: Replies | ScriptedModel, **options: Any
) -> tuple[Attempt, Kept, Ask]:
    """The attempt, the calls, and the ask with its transcript."""
    kept = Kept(replies if isinstance(replies, ScriptedModel) else ScriptedModel(replies))
    ask = Ask(kept, task, item, seed=3, **options)
    return asyncio.run(method.solve(item, ask)), kept, ask
