"""Studies for executors, and what of a results folder must be the same bytes whoever ran it."""

from __future__ import annotations

import hashlib
import json
import queue
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onset.executors.base import Bench, Gone, Message, Staff, run_on
from onset.executors.worker import Worker
from onset.study.jobs import Job, Work
from onset.study.spec import Study, make_study

RULES = {
    "rules": [{"contains": "heads", "texts": [" The answer is heads.", " It is tails. The answer is tails."]}],
    "default": " The answer is tails.",
    "facts": {"params": 1000000, "context": 4096},
}
COIN = {"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}
PROMISED = {"records.parquet", "cell.json", "done.json", "study.json", "source.json", "prepared.json", "failed.json"}
MEASURED = {"seconds", "peak_bytes", "digest", "files"}
"""Of what is kept of tunings and searches: what they took, and sums of files that hold it."""


def fakes(place: Path, **changes: Any) -> Study:
    """A study of two scripted models: prompts, votes of one bank, prompts without examples, a search."""
    models = []
    for name in ("one", "two"):
        path = place / f"{name}.json"
        path.write_text(json.dumps(RULES | {"facts": RULES["facts"] | {"context": 4096 if name == "one" else 2048}}))
        models.append({"spec": f"scripted:{path}", "label": name})
    values: dict[str, Any] = {
        "name": "s",
        "models": models,
        "tasks": [COIN],
        "methods": [
            {"prompt": "cot", "vote": {"kind": "majority", "samples": 3}, "name": "most"},
            {"prompt": "cot", "vote": {"kind": "weighted", "samples": 3}, "name": "likely"},
            {"prompt": "cot", "shots": 0, "name": "zero"},
            {
                "prompt": "cot",
                "search": {"select": "within", "trials": 2, "folds": 2},
                "grid": {"shots": [1, 2]},
                "name": "sought",
            },
        ],
        "labels": [4, 8],
        "seeds": 1,
        "items": 10,
        "chunk": 4,
    }
    return make_study(**(values | changes))


def ladder(place: Path) -> Study:
    """A study of two rungs that are prompted, searched, tuned in two ways, and trained in a stage first."""
    corpus = place / "say.jsonl"
    lines = [{"text": f"Problem {n}: {n} + 1 is {n + 1}. The answer is {n + 1}."} for n in range(20)]
    corpus.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return make_study(
        name="s",
        models=["ladder/r0", "ladder/r1"],
        tasks=["world-problems"],
        methods=[
            {"prompt": "answer-only", "shots": 2},
            {"prompt": "cot", "shots": 1, "vote": {"samples": 2}, "name": "vote"},
            {"tune": "lora", "on": "answers", "steps": 2},
            {"tune": "full", "on": "rationales", "steps": 2, "name": "full"},
        ],
        labels=[4],
        seeds=1,
        items=4,
        chunk=4,
        dtype="float32",
        device="cpu",
        shifts=["none", "shuffled"],
        stages=[[], ["say"]],
        recipes={"say": {"data": str(corpus), "steps": 2}},
    )


def bytes_of(folder: Path) -> dict[str, str]:
    """Hash of every file whose bytes are promised, by path; of weights but for the order in which safetensors writes
    the two words of its header; of tunings and trials but for the time that they took.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name in PROMISED:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.suffix == ".safetensors":
            data = path.read_bytes()
            start = 8 + int.from_bytes(data[:8], "little")
            header = json.dumps(json.loads(data[8:start]), sort_keys=True).encode()
            found[name] = hashlib.sha256(header + data[start:]).hexdigest()
        elif path.name == "tuning.json" or (name.startswith("searches/") and path.suffix == ".json"):
            said = json.loads(path.read_text())
            found[name] = json.dumps({key: one for key, one in said.items() if key not in MEASURED}, sort_keys=True)
    return found


class Watch:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.calls.append((name, arguments))

    def told(self, name: str) -> list[tuple[Any, ...]]:
        """Arguments of all calls of ``name``."""
        return [arguments for called, arguments in self.calls if called == name]

    def items(self) -> dict[str, int]:
        """How many items of each cell were told to be committed."""
        found: dict[str, int] = {}
        for cell, items in self.told("advanced"):
            found[cell.id] = found.get(cell.id, 0) + items
        return found


@dataclass
class Here:
    """A `Pool` whose workers run in this process, one message after the other, and die as is told: ``dies``: of the
    n-th job that is given (from 0), after how many messages; ``stillborn``: which of those that are started (from 0)
    end before they begin.
    """

    dies: dict[int, int] = field(default_factory=dict)
    stillborn: Container[int] = ()
    workers: dict[str, Worker] = field(default_factory=dict)
    given: list[tuple[str, Job, str | None]] = field(default_factory=list)
    shapes: dict[str, Hashable] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    said: queue.SimpleQueue[tuple[str, Message]] = field(default_factory=queue.SimpleQueue)
    jobs: list[tuple[str, Job, str | None]] = field(default_factory=list)

    def start(self, worker: str, bench: Bench, shape: Hashable) -> None:
        self.alive.add(worker)
        self.shapes[worker] = shape
        if len(self.shapes) - 1 in self.stillborn:
            self.said.put((worker, Gone("exit status 1")))
            return
        self.workers[worker] = Worker(bench, lambda message: self._say(worker, message))

    def give(self, worker: str, job: Job, dtype: str | None) -> None:
        self.given.append((worker, job, dtype))
        self.jobs.append((worker, job, dtype))

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        if self.said.empty() and self.jobs:
            self._run(*self.jobs.pop(0))
        found = []
        while not self.said.empty():
            found.append(self.said.get())
        return [(worker, message) for worker, message in found if worker in self.alive]

    def stop(self, worker: str) -> None:
        self.alive.remove(worker)

    def _run(self, worker: str, job: Job, dtype: str | None) -> None:
        place = next(n for n, one in enumerate(self.given) if one[:2] == (worker, job))
        self.left = self.dies.get(place)
        try:
            self.workers[worker].run(job, dtype)
        except Died:
            self.said.put((worker, Gone("signal 9")))
        self.left = None

    def _say(self, worker: str, message: Message) -> None:
        left = getattr(self, "left", None)
        if left is not None:
            if left == 0:
                raise Died
            self.left = left - 1
        self.said.put((worker, message))


class Died(BaseException):
    """Nobody catches it."""


@dataclass
class On:
    """An executor with ``workers`` of ``pool``."""

    pool: Here
    workers: int = 2
    staff: Staff | None = None

    def run(self, work: Work, jobs: list[Job]) -> Any:
        yield from run_on(self.pool, work, jobs, self.staff or Staff(lambda _: self.workers, lambda _: None), {})
