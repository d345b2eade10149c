"""What would a study of 10 models up to 70B, 30 tasks and 10^8 records cost, and what breaks first on the way there?

    python benchmarks/scale.py [--records 1e8] [--devices 64] [--json]

A small simulation. Measured: seconds and bytes a record, a cell and an arm take in writing, reading, analysis and the
page, from `benchmarks/load.py` (`Measured`). From the package: FLOPs of a token in inference and in tuning
(`onset.tuning`). Assumed, and to be changed where they are wrong: the devices (`Device`) and which share of their speed
is reached, lengths of prompts and answers (`METHODS`), how often a device fails.

Jobs are (model, task, budget and draw): they are dealt to groups of devices as these become free, the longest first; a
group holds one copy of the model's weights. A device that fails costs its job the chunk that was under way and a fresh
start; nothing else is done again.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from onset.tuning import TUNERS

SIZES = (135e6, 360e6, 0.5e9, 1e9, 1.7e9, 3e9, 8e9, 14e9, 32e9, 70e9)
"""Parameters of the models."""
PREFILL_SHARE, DECODE_SHARE, TUNING_SHARE = 0.45, 0.15, 0.4
"""Shares of a device's speed that are reached in prefill, decoding and training: none was measured on a GPU."""
TASKS, LABELS, SEEDS, SHIFTS = 30, (8, 32, 128), 5, 4
"""Tasks, budgets, draws of examples, and test sets of each task (the items as given, and three shifts)."""


@dataclass(frozen=True)
class Asked:
    """A method: tokens of a prompt's ``own`` question and of what all prompts of a cell ``share``, tokens ``written``
    by each of ``samples``; ``tune``: the kind of tuning (None: prompted), of ``steps`` of 8 texts.
    """

    name: str
    share: int
    own: int
    written: int
    samples: int = 1
    tune: str | None = None
    steps: int = 0


METHODS = (
    Asked("answer-only", 800, 120, 8),
    Asked("cot", 2400, 120, 220),
    Asked("cot, 8 votes", 2400, 120, 220, samples=8),
    Asked("calibrated", 800, 140, 8),
    Asked("lora on answers", 0, 120, 8, tune="lora", steps=200),
    Asked("lora on rationales", 0, 120, 220, tune="lora", steps=200),
)
TEXT = 350
"""Tokens of a text that is tuned on."""


@dataclass(frozen=True)
class Device:
    """An accelerator: dense bfloat16 ``flops`` a second at most, ``memory`` and memory ``bandwidth`` (bytes, bytes a
    second), ``price`` of an hour, ``hours`` between failures, and how fast weights are read (bytes a second).
    """

    name: str = "80 GB accelerator"
    flops: float = 990e12
    memory: float = 80e9
    bandwidth: float = 3.35e12
    price: float = 2.5
    hours: float = 2000.0
    loading: float = 2e9


@dataclass(frozen=True)
class Measured:
    """Of one core and one process, from `benchmarks/load.py` (benchmarks/RESULTS.md, "A million records in a folder").

    Seconds of the processor a record: ``read``, ``analysed``, ``written``; a cell: ``read_cell``, ``planned``; an arm
    (a cell's draws): ``analysed_arm``. Bytes a record: ``held`` in memory, ``disk``; a cell: ``page``, of the report
    besides ``page_base`` (its library and most items), with a row of the table of cells for each arm. ``files`` of a
    cell.
    """

    read: float = 2e-6
    read_cell: float = 0.0045
    analysed: float = 2.6e-5
    analysed_arm: float = 0.024
    written: float = 2.5e-4
    held: float = 1750.0
    disk: float = 400.0
    files: float = 4.0
    page: float = 1480.0
    page_base: float = 6.5e6
    planned: float = 0.0002


@dataclass(frozen=True)
class Limit:
    """What ends where, at which number of ``records``; ``what`` is exceeded there."""

    records: float
    what: str
    remedy: str


# ---- running -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """``seconds`` on ``group`` devices, ``flops`` and ``texts`` written."""

    group: int
    seconds: float
    flops: float


def group_of(params: float, device: Device) -> int:
    """Devices that hold a model in bfloat16 with a third more for keys and values: a power of two."""
    return 2 ** max(0, math.ceil(math.log2(2 * params * 4 / 3 / device.memory)))


def job(params: float, items: int, device: Device) -> Job:
    """A model, a task, a budget and a draw: every method on every test set."""
    group = group_of(params, device)
    speed, bandwidth = device.flops * group, device.bandwidth * group
    seconds, flops = 2 * params / device.loading / group, 0.0
    for one in METHODS:
        count = items * SHIFTS
        prefill = 2 * params * (one.own * count + one.share * SHIFTS)
        decode = 2 * params * one.written * one.samples * count
        # weights are read for each step of a batch of 256 texts: below that a device waits for its memory
        steps = one.written * math.ceil(one.samples * count / 256)
        seconds += prefill / (PREFILL_SHARE * speed)
        seconds += max(decode / (DECODE_SHARE * speed), steps * 2 * params / bandwidth)
        flops += prefill + decode
        if one.tune is not None:
            trained = TUNERS.load(one.tune).flops * params * one.steps * 8 * TEXT
            seconds += trained / (TUNING_SHARE * speed)
            flops += trained
    return Job(group, seconds, flops)


def run(jobs: list[Job], devices: int, device: Device) -> tuple[float, float, int]:
    """Seconds until all is done, device seconds, and failures."""
    rng = np.random.default_rng(0)
    clock, busy, failed = 0.0, 0.0, 0
    for size in sorted({one.group for one in jobs}, reverse=True):
        free = [clock] * max(1, devices // size)
        heapq.heapify(free)
        for one in sorted((each for each in jobs if each.group == size), key=lambda each: -each.seconds):
            broken = int(rng.poisson(one.seconds * size / (device.hours * 3600)))
            # a chunk of a thousandth of the job, a start of Python, and the weights again
            lost = broken * (one.seconds / 1000 + 60 + 2 * max(SIZES) / device.loading / size)
            start = heapq.heappop(free)
            heapq.heappush(free, start + one.seconds + lost)
            busy, failed = busy + (one.seconds + lost) * size, failed + broken
        clock = max(free)
    return clock, busy, failed


# ---- what breaks ---------------------------------------------------------------------------------------------------


def limits(one: Measured, each: int) -> list[Limit]:
    """Where something breaks that a study of ``each`` records a cell meets, the first first."""
    record = one.read + one.analysed + (one.read_cell + one.analysed_arm / SEEDS) / each
    page = (20e6 - one.page_base) / one.page * each
    return sorted(
        [
            Limit(16 * 2**30 / one.held, "16 GiB, since `onset show` holds all records",
                  "a folder for each task"),
            Limit(256 * 2**30 / one.held, "256 GiB of a server", "the same"),
            Limit(600 / record, "ten minutes for `onset show`", "keeping what was estimated of a finished cell"),
            Limit(page, "20 MB of a page, whose tables and charts grow with arms", "a page for each task"),
            Limit(10 / one.planned * each, "ten seconds for `onset plan`", "nothing: it grows with the cells alone"),
            Limit(10e6 / one.files * each, "ten million files", "one file for each job"),
        ],
        key=lambda limit: limit.records,
    )  # fmt: skip


def study(records: float, devices: int, device: Device, one: Measured) -> dict[str, Any]:
    """The whole study in numbers."""
    cells = len(SIZES) * TASKS * len(METHODS) * len(LABELS) * SEEDS * SHIFTS
    items = max(1, round(records / cells))
    per = len(METHODS) * SHIFTS * items
    jobs = [job(size, items, device) for size in SIZES for _ in range(TASKS * len(LABELS) * SEEDS)]
    clock, busy, failed = run(jobs, devices, device)
    total = per * len(jobs)
    biggest = sum(each.seconds * each.group for each in jobs[-TASKS * len(LABELS) * SEEDS :])
    return {
        "cells": cells,
        "items a cell": items,
        "records": total,
        "jobs": len(jobs),
        "FLOPs": sum(each.flops for each in jobs),
        "device hours": busy / 3600,
        "share of the largest model": biggest / sum(each.seconds * each.group for each in jobs),
        "price": busy / 3600 * device.price,
        "days": clock / 86400,
        "failures": failed,
        "disk GB": total * one.disk / 1e9,
        "files": cells * one.files,
        "writing hours": total * one.written / 3600,
        "reading hours": (total * one.read + cells * one.read_cell) / 3600,
        "analysis hours": (total * one.analysed + cells / SEEDS * one.analysed_arm) / 3600,
        "memory GiB": total * one.held / 2**30,
        "page MB": (one.page_base + cells * one.page) / 1e6,
        "plan seconds": cells * one.planned,
        "breaks": [asdict(limit) for limit in limits(one, items)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=float, default=1e8)
    parser.add_argument("--devices", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    made = study(given.records, given.devices, Device(), Measured())
    if given.json:
        print(json.dumps(made, indent=1))
        return
    for name, value in made.items():
        if name == "breaks":
            for limit in value:
                print(f"at {limit['records']:.2g} records: {limit['what']} (would help: {limit['remedy']})")
        else:
            print(f"{name:28} {value:,.3g}" if isinstance(value, float) else f"{name:28} {value:,}")


if __name__ == "__main__":
    main()
