"""Cross-entropy on plain text: what a model still knows of it after training.

A text is read in windows: each scores a segment of it after the characters before that segment, so that every
character scored has a full context, and no character is scored twice. Segments are cut at white space, and in
characters, not in tokens: models of other tokenizers read the same segments, which are then compared in pairs. What is
measured is bits a byte, the summed -log2 probability of the segments over the bytes they have (Gao et al. 2020, "The
Pile", arXiv 2101.00027, section 3.1: it does not depend on how a tokenizer cuts).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from onset.answers import OpenFormat
from onset.errors import DataError
from onset.prompting.ask import Ask
from onset.prompting.base import Need, Planned, Prompt
from onset.records import Answer, Attempt, Call, Completion, Gold, Item, Pair
from onset.step import Settings
from onset.tasks.base import Task

TEXT = "text"
"""The name of the task, and of the way of asking."""


class TextEntry(Settings):
    """``file``: UTF-8 text beside the study file; ``segment`` and ``context``: characters scored in a window, and read
    before them; ``segments``: the most windows, spread evenly over the text where it has more.
    """

    file: str = Field(min_length=1)
    segment: int = Field(default=400, ge=50)
    context: int = Field(default=800, ge=50)
    segments: int = Field(default=200, ge=10)


class ReadText(Prompt):
    """Scores the text that goes on after a window's context; asks nothing."""

    kind: ClassVar[str] = TEXT
    source: ClassVar[str] = "Gao et al. 2020, arXiv 2101.00027, section 3.1 (bits a byte)"
    words: ClassVar[str] = "plain text, scored"
    needs: ClassVar[frozenset[Need]] = frozenset({"scores"})
    shows: ClassVar[bool] = False
    calls: ClassVar[str] = "1 call a window that scores its segment"

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: Any) -> str:
        """Context and segment."""
        return item.question + item.answer

    def limit(self, task: Task, chat: Any) -> int:
        """Nothing is written."""
        return 0

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """The window once."""
        return (Planned(TEXT, 0.0),)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """The log-probability of the segment after its context, without a template: it is no turn of a chat."""
        scored = await ask.calls.score(Pair(item.question, item.answer, False))
        nothing = Answer(None, "none")
        ran = scored.logprob is not None
        tokens = scored.tokens if ran else 0
        ask.transcript.append(Call(TEXT, item.question, scored.context_tokens if ran else 0, tokens, ()))
        done = Completion("", tokens, scored.context_tokens, scored.logprob, "stop" if ran else "overlong")
        return Attempt(item.question, (done,), (nothing,), nothing, Gold(scored.logprob, None))


def text_task(entry: TextEntry) -> Task:
    """The windows of a text as the test items of a task without examples: question is the context, answer the segment.

    Raises DataError where the file cannot be read, or is shorter than ten windows.
    """
    path = Path(entry.file).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"text {entry.file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"text {entry.file}: not UTF-8") from None
    windows = [*_windows(text, entry)]
    if len(windows) < _LEAST:
        raise DataError(
            f"text {entry.file}: {len(text)} characters make {len(windows)} windows of {entry.context} and"
            f" {entry.segment} characters; at least {_LEAST} are needed"
        )
    count = min(entry.segments, len(windows))
    chosen = [windows[round(place * (len(windows) - 1) / (count - 1))] for place in range(count)]
    items = tuple(Item(context, segment) for context, segment in dict.fromkeys(chosen))
    return Task(
        name=TEXT,
        ability="own",
        pool=(),
        test=items,
        format=OpenFormat(),
        chance=0.0,
        source=f"{entry.file}: {len(items)} of {len(windows)} windows",
    )


_LEAST = 10


def _windows(text: str, entry: TextEntry) -> list[tuple[str, str]]:
    """Every context and segment, a segment behind the other."""
    out = []
    start = _cut(text, 0, entry.context)
    while start + entry.segment <= len(text):
        end = _cut(text, start, start + entry.segment)
        out.append((text[max(0, start - entry.context) : start], text[start:end]))
        start = end
    return out


def _cut(text: str, low: int, place: int) -> int:
    """The last white space before ``place`` that leaves at least half of what is behind ``low``; else ``place``."""
    for at in range(place, low + math.ceil((place - low) / 2), -1):
        if at < len(text) and text[at].isspace() and not text[at - 1].isspace():
            return at
    return place
