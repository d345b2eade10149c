"""The same study by every executor: cells a minute, and how long it takes until the first worker is there.

    OMP_NUM_THREADS=1 python benchmarks/executors.py --items 40 --repeats 2

The study is of rungs of the ladder, prompted and tuned. Each run has a folder of its own; records are compared byte for
byte with those of this process. ``start``: from the call to the first committed chunk of an item, libraries and models
included; ``cells a minute``: of what comes after it.
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
}


def study(items: int) -> Study:
    return make_study(
        name="executors",
        models=["ladder/r1", "ladder/r2", "ladder/r3"],
        tasks=["world-problems"],
        methods=[
            "answer-only",
            "cot",
            {"prompt": "cot", "vote": {"samples": 4}, "name": "cot-vote"},
            {"tune": "lora", "on": "rationales", "steps": 20},
        ],
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


def measured(name: str, items: int, place: Path) -> tuple[dict[str, float], str]:
    executor, settings = CONTENDERS[name]
    watch, begun = First(), time.perf_counter()
    summary = run(study(items), place, observer=watch, executor=open_executor(executor, **settings))
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
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS))
    asked = parser.parse_args()
    make_reproducible()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in asked.only}
    digests = set()
    for _ in range(asked.repeats):
        for name in asked.only:  # in turn, so that what else the machine does meets all
            with tempfile.TemporaryDirectory() as place:
                values, digest = measured(name, asked.items, Path(place) / "d")
            found[name].append(values)
            digests.add(digest)
            print(json.dumps({"executor": name, **values, "load": os.getloadavg()[0]}), flush=True)
    print(f"records of all runs are {'the same bytes' if len(digests) == 1 else 'NOT the same'}")
    for name, held in found.items():
        shown = ", ".join(f"{key} {statistics.median(one[key] for one in held):.1f}" for key in held[0])
        print(f"{name}: {shown}")


if __name__ == "__main__":
    main()
