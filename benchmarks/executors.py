"""The same study by every executor: cells a minute, and how long it takes until the first worker is there.

    OMP_NUM_THREADS=1 python benchmarks/executors.py --items 40 --repeats 2
    python benchmarks/executors.py --model ./smollm2 --server http://127.0.0.1:8732/v1#smollm2 --items 16

The study is of rungs of the ladder, prompted and tuned. With ``--model`` it is of that one model, prompted alone, and
with ``--server`` another contender asks the same model of a server that is already there (docs/servers.md), whose
records are its own: the others' bytes are not expected of it. Each run has a folder of its own; records are compared
byte for byte with those of this process. ``start``: from the call to the first committed chunk of an item, libraries
and models included; ``cells a minute``: of what comes after it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from onset.executors import open_executor
from onset.models.reproducible import make_reproducible
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study

CONTENDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "in-process": ("in-process", {}),
    "local, 2 workers": ("local", {"workers": 2}),
    "ray, 2 actors": ("ray", {"workers": 2}),
    "server": ("in-process", {}),
}


def study(items: int, model: str | None) -> Study:
    """Of rungs of the ladder, or of ``model``, which is not tuned."""
    tuned = [] if model else [{"tune": "lora", "on": "rationales", "steps": 20}]
    return make_study(
        name="executors",
        models=["ladder/r1", "ladder/r2", "ladder/r3"]
        if model is None
        else [{"spec": model, "label": "one", "template": "plain"}],
        tasks=["world-problems"],
        methods=["answer-only", "cot", {"prompt": "cot", "vote": {"samples": 4}, "name": "cot-vote"}, *tuned],
        labels=[16],
        seeds=2,
        items=items,
        shifts=["none", "shuffled"],
        dtype="float32",
        device="cpu",
    )


class First(Silent):
    """Notes when the first chunk was committed."""

    def __init__(self) -> None:
        self.at: float | None = None

    def advanced(self, cell: Any, items: int) -> None:
        if items and self.at is None:
            self.at = time.perf_counter()


def measured(name: str, items: int, model: str | None, place: Path) -> tuple[dict[str, float], str]:
    """Figures of one run, and the digest of its records."""
    executor, settings = CONTENDERS[name]
    watch, begun = First(), time.perf_counter()
    summary = run(study(items, model), place, observer=watch, executor=open_executor(executor, **settings))
    ended = time.perf_counter()
    assert watch.at is not None
    records = sorted(place.glob("cells/*/records.parquet"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in records)).hexdigest()
    return {
        "cells": summary.ran,
        "start": watch.at - begun,
        "total": ended - begun,
        "cells a minute": 60 * summary.ran / (ended - watch.at),
    }, digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS))
    parser.add_argument("--model", help="a model instead of the ladder, prompted alone")
    parser.add_argument("--server", help="the same model behind a server: URL#NAME")
    asked = parser.parse_args()
    if asked.server and not asked.model:
        parser.error("--server needs --model, the model that is behind it")
    asked.only = asked.only or [name for name in CONTENDERS if name != "server" or asked.server]
    make_reproducible()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in asked.only}
    digests = set()
    for _ in range(asked.repeats):
        for name in asked.only:  # in turn, so that what else the machine does meets all
            with tempfile.TemporaryDirectory() as place:
                model = f"openai:{asked.server}" if name == "server" else asked.model
                values, digest = measured(name, asked.items, model, Path(place) / "d")
            found[name].append(values)
            if name != "server":
                digests.add(digest)
            print(json.dumps({"executor": name, **values, "load": os.getloadavg()[0]}), flush=True)
    if digests:
        print(f"records of all runs here are {'the same bytes' if len(digests) == 1 else 'NOT the same'}")
    for name, held in found.items():
        shown = ", ".join(f"{key} {statistics.median(one[key] for one in held):.1f}" for key in held[0])
        print(f"{name}: {shown}")


if __name__ == "__main__":
    main()
