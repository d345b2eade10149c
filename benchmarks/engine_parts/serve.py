"""The worker's half of the conversation: one JSON object a line in, one out, timed around the work alone.

Only the standard library is imported here, since every contender's interpreter runs it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

HELLO = {"prompts": ["Q: What is 1 + 1?\nA:"], "max_tokens": 1, "stop": ["Q:"], "temperature": 0.0, "n": 1, "seed": 0}
"""Asked once after loading: the time to its answer is the time to the first token."""


class Backend(Protocol):
    """A loaded contender."""

    def prepare(self, work: dict[str, Any]) -> None:
        """Called before the clock starts: batch size of this run, caches of the last run dropped."""

    def generate(self, work: dict[str, Any]) -> list[list[str]]:
        """The texts of every prompt: ``n`` each."""

    def score(self, work: dict[str, Any]) -> list[list[float]]:
        """The log-probability (nats) of every choice behind its context."""

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        """The tokens of each text as this contender reads a prompt."""


Extra = Callable[[Backend, dict[str, Any]], dict[str, Any]]


def serve(
    load: Callable[[dict[str, Any]], Backend], packages: list[str], extras: dict[str, Extra] | None = None
) -> None:
    """Answer commands until the input ends. ``packages`` are those whose versions are told."""
    replies = _claim_stdout()
    _end_first()
    backend: Backend | None = None
    for line in sys.stdin:
        message = json.loads(line)
        command = message["command"]
        try:
            if command == "load":
                backend = load(message)
                answer = _loaded(backend, packages)
            elif backend is None:
                raise RuntimeError("nothing is loaded")
            elif command == "run":
                answer = _run(backend, message["work"])
            elif command == "digest":
                answer = {"digest": _digest(backend.token_ids(message["texts"]))}
            else:
                answer = (extras or {})[command](backend, message)
        except Exception as error:  # told to the driver, which leaves this contender out
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(answer) + "\n")
        replies.flush()


def _claim_stdout() -> Any:
    """The real standard output, for replies only: whatever a library prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _end_first() -> None:
    """Where memory runs out, a contender is to end, not the program that waits for it."""
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        return


def _loaded(backend: Backend, packages: list[str]) -> dict[str, Any]:
    """Seconds since the epoch at which it was ready and had its first token; versions; threads."""
    import torch

    ready = time.time()
    backend.generate(HELLO)
    return {
        "ready": ready,
        "first_token": time.time(),
        "versions": {name: metadata.version(name) for name in packages},
        "threads": getattr(backend, "threads", None) or torch.get_num_threads(),
    }


def _run(backend: Backend, work: dict[str, Any]) -> dict[str, Any]:
    """Seconds of one run, and its texts or scores."""
    backend.prepare(work)
    start = time.perf_counter()
    if "choices" in work:
        scores = backend.score(work)
        return {"seconds": time.perf_counter() - start, "scores": scores}
    texts = backend.generate(work)
    return {"seconds": time.perf_counter() - start, "texts": texts}


def _digest(ids: list[list[int]]) -> str:
    return hashlib.sha256(json.dumps([list(map(int, row)) for row in ids]).encode()).hexdigest()[:16]


def cut(text: str, stop: list[str]) -> str:
    """``text`` up to the first of the stop strings."""
    return min((text.split(word, maxsplit=1)[0] for word in stop), key=len, default=text)
