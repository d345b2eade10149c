"""A server's own chat template: prompts are written as turns, of which the server makes what its model was trained on.

    ⟦user⟧
    Write the answer as "The answer is ...".

    Ray owns 17 keys. ...

    ⟦assistant⟧

What stands behind the last mark begins the assistant's turn. The text is what records show; the server is sent the
turns (`ServerChat.turns`). A text that holds such a bracket has it doubled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onset.models.chat import ChatTemplate, Turn
from onset.records import content_hash

_MARK = re.compile(r"(?<!⟦)⟦(user|assistant)⟧\n")


@dataclass(frozen=True, slots=True)
class ServerChat(ChatTemplate):
    """The template of a model behind a server: ``end`` is None, for the server ends turns itself."""

    def __call__(self, turns: Sequence[Turn]) -> str:
        """The turns in one text, which the assistant's turn begins after."""
        written = [f"⟦{role}⟧\n{content.replace('⟦', '⟦⟦')}\n\n" for role, content in turns]
        return "".join([*written, "⟦assistant⟧\n"])

    def turns(self, prompt: str) -> tuple[tuple[Turn, ...], str]:
        """The turns of a prompt, and how its answer begins (mostly empty)."""
        _, *parts = _MARK.split(prompt)
        said: list[Turn] = []
        for role, content in zip(parts[::2], parts[1::2], strict=True):
            who: Literal["user", "assistant"] = "user" if role == "user" else "assistant"
            said.append((who, content.removesuffix("\n\n").replace("⟦⟦", "⟦")))
        return tuple(said[:-1]), parts[-1].replace("⟦⟦", "⟦")


def server_chat(model: str) -> ServerChat:
    """The template of a server's ``model``. Its hash says only that it is the server's."""
    return ServerChat(None, model, None, content_hash("the server's own"))
