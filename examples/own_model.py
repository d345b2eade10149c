"""A model of one's own: an object with `facts`, `generate`, `score` and `count_tokens` takes part in any study.

This one holds no weights. It answers with the answer of the demonstration whose question shares the most words with
the one asked: what a language model has to beat on a task that key words decide.

    python examples/own_model.py
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import onset

TICKETS = Path(__file__).parent / "tickets" / "tickets.csv"


def words(text: str) -> list[str]:
    """The words of a text, lower case."""
    return re.findall(r"\w+", text.casefold())


class NearestDemonstration:
    """Reads the prompt as any model does: demonstrations first, the question last."""

    facts = onset.ModelFacts(
        name="nearest-demonstration",
        family="no-weights",
        stage="base",
        params=1,
        params_non_embedding=1,
        params_compute=1,
        context=100_000,
        tokenizer="words",
        revision="1",
        dtype="none",
        device="cpu",
    )

    def generate(self, requests: Sequence[onset.Request]) -> list[list[onset.Completion]]:
        """One completion a sample: there is nothing random in it."""
        return [[self._complete(request.prompt)] * request.n for request in requests]

    def score(self, pairs: Sequence[onset.Pair]) -> list[onset.Scored]:
        """All or nothing, as far as a probability goes: e^-1 for what it would say, e^-10 for anything else."""
        scored = []
        for pair in pairs:
            said = words(self._complete(pair.context).text) == words(f"The answer is {pair.continuation}")
            scored.append(
                onset.Scored(-1.0 if said else -10.0, len(words(pair.continuation)), self.count_tokens(pair.context))
            )
        return scored

    def count_tokens(self, text: str) -> int:
        """A word is a token."""
        return len(words(text))

    def _complete(self, prompt: str) -> onset.Completion:
        *shown, asked = prompt.split("\n\n")
        said = [block.partition("The answer is ")[::2] for block in shown]
        nearest = max(said, key=lambda one: self._likeness(one[0], asked), default=("", "unknown."))
        text = f" The answer is {nearest[1]}"
        return onset.Completion(text, self.count_tokens(text), self.count_tokens(prompt), None, "eos")

    def _likeness(self, one: str, other: str) -> float:
        a, b = set(words(one)), set(words(other))
        return len(a & b) / math.sqrt(len(a) * len(b) or 1)


def main(folder: str = "results/own-model") -> None:
    """Ask it about the tickets, with 8 and with 40 labelled examples."""
    study = onset.make_study(
        name="own-model",
        models=["nearest-demonstration"],
        tasks=[
            {
                "name": "tickets",
                "train": str(TICKETS),
                "test": 0.3,
                "columns": {"question": "text", "answer": "topic"},
                "labels": ["account", "refund", "shipping"],
            }
        ],
        methods=["answer-only"],
        labels=[8, 40],
        seeds=3,
        items="all",
    )
    onset.run(study, folder, models={"nearest-demonstration": NearestDemonstration()})
    for finding in onset.analyse(onset.load(folder)).findings:
        print(finding.sentence)


if __name__ == "__main__":
    main()
