"""What is measured: prompts behind one shared few-shot prefix, made from the data's files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

STOP = ("Q:",)
TEMPERATURE = 0.7
SHOTS = 8
"""Demonstrations of GSM8K; more where the prefix is to be longer than eight of `LONGEST` tokens."""
LONGEST = 300
CHOICE_TASK = "logical_deduction_five_objects"
CHOICE_POOL = 100
"""The last items of the multiple-choice task serve as demonstrations."""

Count = Callable[[str], int]


class MissingData(Exception):
    """A file of the data is absent: the workload is skipped with this reason."""


@dataclass(frozen=True, slots=True)
class Workload:
    """``kind`` greedy, vote or choice; ``target`` the wished length of the prefix in tokens; ``prompts`` in full;
    ``choices`` to score behind each; ``samples`` of each prompt, of at most ``max_tokens``.
    """

    kind: str
    target: int
    prompts: tuple[str, ...]
    max_tokens: int
    choices: tuple[tuple[str, ...], ...] = ()
    samples: int = 1

    def first(self, units: int) -> Workload:
        """At most ``units`` of the work. When voting: whole questions, or fewer samples of several."""
        if self.kind != "vote":
            return replace(self, prompts=self.prompts[:units], choices=self.choices[:units])
        if units >= self.samples:
            return replace(self, prompts=self.prompts[: units // self.samples])
        samples = max(one for one in range(1, 9) if units % one == 0)
        return replace(self, prompts=self.prompts[: units // samples], samples=samples)

    @property
    def units(self) -> int:
        """Texts that come of it, or items scored."""
        return len(self.prompts) * self.samples

    def message(self, seed: int, batch: int | None = None) -> dict[str, Any]:
        """The work as a worker is told it."""
        told: dict[str, Any] = {
            "prompts": self.prompts,
            "max_tokens": self.max_tokens,
            "stop": STOP,
            "temperature": TEMPERATURE if self.kind == "vote" else 0.0,
            "n": self.samples,
            "seed": seed,
            "batch": batch,
        }
        return {**told, "choices": self.choices} if self.choices else told


@dataclass(frozen=True, slots=True)
class Sizes:
    """Items of each kind: problems answered greedily, questions voted on with so many samples, items with choices;
    and the most tokens of an answer.
    """

    items: int
    questions: int
    samples: int
    choice_items: int
    max_tokens: int


def make(kind: str, target: int, data: Path, sizes: Sizes, count: Count) -> Workload:
    """Raises MissingData. ``count``: tokens of a text for the model in question."""
    if kind == "choice":
        return _choice(target, data, sizes, count)
    pool = [_solved(row) for row in _lines(data / "gsm8k" / "train.jsonl")]
    shots = max(SHOTS, math.ceil(target / LONGEST))
    prefix = "".join(demonstrations(pool, target, shots, count))
    questions = [str(row["question"]) for row in _lines(data / "gsm8k" / "test.jsonl")]
    wanted = sizes.items if kind == "greedy" else sizes.questions
    prompts = tuple(f"{prefix}Q: {question}\nA:" for question in questions[:wanted])
    return Workload(kind, target, prompts, sizes.max_tokens, samples=sizes.samples if kind == "vote" else 1)


def demonstrations(pool: Sequence[str], target: int, shots: int, count: Count) -> list[str]:
    """The ``shots`` of the pool whose lengths are nearest to an equal share of the target, in the pool's order."""
    share = target / shots
    nearest = sorted(range(len(pool)), key=lambda place: (abs(count(pool[place]) - share), place))[:shots]
    return [pool[place] for place in sorted(nearest)]


def _solved(row: dict[str, Any]) -> str:
    """A problem of GSM8K with its steps on one line, without the calculator's annotations."""
    steps, answer = str(row["answer"]).split("\n#### ")
    return f"Q: {row['question']}\nA: {' '.join(re.sub('<<.*?>>', '', steps).split())} The answer is {answer}.\n\n"


def _choice(target: int, data: Path, sizes: Sizes, count: Count) -> Workload:
    path = data / "bbh" / "tasks" / f"{CHOICE_TASK}.json"
    if not path.is_file():
        raise MissingData(f"{path} is absent")
    examples = json.loads(path.read_text(encoding="utf-8"))["examples"]
    pool = [f"Q: {one['input']}\nA: {one['target']}\n\n" for one in examples[-CHOICE_POOL:]]
    usual = sorted(map(count, pool))[len(pool) // 2]
    prefix = "".join(demonstrations(pool, target, max(1, round(target / usual)), count))
    asked = [str(one["input"]) for one in examples[:-CHOICE_POOL][: sizes.choice_items]]
    choices = tuple(tuple(f" ({letter})" for letter in re.findall(r"^\(([A-Z])\)", one, re.M)) for one in asked)
    return Workload("choice", target, tuple(f"{prefix}Q: {one}\nA:" for one in asked), sizes.max_tokens, choices)


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise MissingData(f"{path} is absent")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shared_length(rows: Sequence[Sequence[int]]) -> int:
    """Tokens that all rows begin with."""
    return next((at for at, column in enumerate(zip(*rows, strict=False)) if len(set(column)) > 1), min(map(len, rows)))
