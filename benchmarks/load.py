"""How do `onset show` and `onset report` grow with the records in one folder? Up to a million, made from the demo's.

    onset demo --out DEMO
    python benchmarks/load.py make DEMO FOLDER [--families 4 --tasks 8 --seeds 4 --items 1]
    python benchmarks/load.py measure FOLDER... [--commands show,report,plan-free]
    python benchmarks/load.py all DEMO WORK            (10^4, 10^5 and 10^6 records, and the line through them)

A copy of the demo is made of its real cells and records. Copies differ as the parts of a large study do: in the family
of the model, in the task (other items: the same problems about other people and places, under other ids), in the draw
of examples, and in how many items a cell has. What a model answered in another family or draw is, for one item in
seven, what another model of the demo answered to that item in the same cell otherwise: right and wrong, texts, tokens
and steps stay those of one real record. Seconds are those of the command in a process of its own, by the clock and of
its processor time (user and system); memory is the most that the process had resident.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from onset.records import content_hash
from onset.results.files import as_files, get_json, put_json

OTHERS = 1 / 7
"""The share of records that are another model's."""
SIZES = {"10^4": (1, 1, 1), "10^5": (2, 2, 3), "10^6": (4, 8, 4)}
"""Families, tasks and seeds of each size: about 8,300 records a copy."""
TEXTS = ("question", "gold", "cause", "meta", "detail", "answer")
LISTS = ("outputs", "answers", "golds")
IDS = ("item", "twin", "prompt_hash")
WORD = re.compile(r"[A-Za-z]+")
CELL_FILES = ("timing.json", "prepared.json")


@dataclass(frozen=True)
class Cell:
    """One cell of the demo: its ``facts`` (cell.json), its ``records`` in order and the JSON ``beside`` them."""

    facts: dict[str, Any]
    records: pl.DataFrame
    beside: dict[str, Any]

    @property
    def alike(self) -> tuple[Any, ...]:
        """What cells share that asked the same items in the same way, of whatever model."""
        return (*(self.facts[name] for name in ("method", "labels", "task", "shift")), "elsewhere" in self.facts)


def get(path: Path) -> dict[str, Any]:
    """A JSON file of a results folder."""
    return get_json(as_files(path.parent), path.name)


def put(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file of a results folder; an old digest in it does not stay."""
    put_json(as_files(path.parent), path.name, value)


def read_demo(folder: Path) -> tuple[dict[str, Any], list[Cell]]:
    """The study of a demo's folder, and its cells in running order."""
    study = get(folder / "study.json")
    cells = []
    for one in study["cells"]:
        place = folder / "cells" / one
        beside = {name: get(place / name) for name in CELL_FILES if (place / name).exists()}
        records = pl.read_parquet(place / "records.parquet").sort("position")
        cells.append(Cell(get(place / "cell.json"), records, beside))
    return study, cells


# ---- other people and places -----------------------------------------------------------------------------------------


def names_in(cells: Sequence[Cell]) -> list[str]:
    """The proper names in the texts: words that are written with a capital alone."""
    words: set[str] = set()
    for one in cells:
        for text in one.records["prompt"]:
            words.update(WORD.findall(text))
    return sorted(word for word in words if word[0].isupper() and len(word) > 3 and word.lower() not in words)


class Renamed:
    """Texts with every proper name exchanged for another one: the same exchange everywhere under one ``key``."""

    def __init__(self, names: Sequence[str], key: str) -> None:
        self.key = key
        order = np.random.default_rng(int(content_hash(key), 16)).permutation(len(names)) if key else range(len(names))
        self.to = {name: names[place] for name, place in zip(names, order, strict=True)}
        self.to |= {old.lower(): new.lower() for old, new in self.to.items()}
        self.known: dict[str, str] = {}

    def text(self, text: str | None) -> str | None:
        if text is None or not self.key:
            return text
        if text not in self.known:
            self.known[text] = WORD.sub(lambda found: self.to.get(found[0], found[0]), text)
        return self.known[text]

    def id(self, one: str | None) -> str | None:
        return one if one is None or not self.key else content_hash([one, self.key])


def renamed(records: pl.DataFrame, items: Renamed, examples: Renamed) -> pl.DataFrame:
    """Records about other items (``items``), asked with other examples (``examples``)."""

    def prompt(text: str) -> str:
        cut = text.rfind("\n\n") + 2 if "\n\n" in text else 0
        return f"{examples.text(text[:cut])}{items.text(text[cut:])}"

    columns: dict[str, Any] = {name: [items.text(one) for one in records[name]] for name in TEXTS}
    columns["prompt"] = list(map(prompt, records["prompt"]))
    columns |= {name: [items.id(one) for one in records[name]] for name in IDS}
    for name in LISTS:
        columns[name] = [None if row is None else [items.text(one) for one in row] for row in records[name].to_list()]
    return records.with_columns(pl.Series(name, held, records.schema[name]) for name, held in columns.items())


# ---- copies ----------------------------------------------------------------------------------------------------------


def mixed(cells: Sequence[Cell], tables: Sequence[pl.DataFrame], key: str) -> Iterator[pl.DataFrame]:
    """The tables, some of whose records are those of another model that was asked the same (none without ``key``)."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, one in enumerate(cells):
        groups.setdefault(one.alike, []).append(place)
    for place, (one, table) in enumerate(zip(cells, tables, strict=True)):
        group = [other for other in groups[one.alike] if tables[other]["item"].equals(table["item"])]
        if not key or len(group) < 2:
            yield table
            continue
        rng = np.random.default_rng(int(content_hash([key, one.facts["id"]]), 16))
        taken = np.where(rng.random(len(table)) < OTHERS, rng.integers(len(group), size=len(table)), group.index(place))
        stacked = pl.concat([tables[other] for other in group])
        yield stacked[taken * len(table) + np.arange(len(table))]


def make(demo: Path, into: Path, families: int, tasks: int, seeds: int, items: int) -> int:
    """Write the folder of ``families`` x ``tasks`` x ``seeds`` copies, ``items`` times as many items in each cell.

    Returns the number of records.
    """
    os.fsync = lambda handle: None  # a folder that can be made again need not outlive a power cut
    study, cells = read_demo(demo)
    names = names_in(cells)
    shutil.rmtree(into, ignore_errors=True)
    (into / "cells").mkdir(parents=True)
    written, total = [], 0
    for task in range(tasks):
        others = [Renamed(names, f"task {task}, {one}" if task or one else "") for one in range(items)]
        for seed in range(seeds):
            examples = Renamed(names, f"examples {task}, {seed}" if task or seed else "")
            tables = [
                pl.concat([renamed(one.records, other, examples) for other in others]).with_columns(
                    pl.int_range(pl.len(), dtype=pl.Int64).alias("position")
                )
                for one in cells
            ]
            for family in range(families):
                where = f"{family}, {task}, {seed}" if family or seed else ""
                for cell, table in zip(cells, mixed(cells, tables, where), strict=True):
                    if seed and not cell.facts["labels"]:
                        continue  # without examples there is no draw of them
                    written.append(write(cell, table, demo, into, family, task, seed))
                    total += len(table)
    content = {**study, "study": {**study["study"], "name": into.name}, "cells": written}
    put(into / "study.json", {key: one for key, one in content.items() if key != "digest"})
    return total


def task_name(name: str, task: int) -> str:
    """``world-problems[steps=2]`` -> ``world-problems-2[steps=2]``."""
    base, bracket, rest = name.partition("[")
    return name if task == 0 else f"{base}-{task + 1}{bracket}{rest}"


def write(cell: Cell, table: pl.DataFrame, demo: Path, into: Path, family: int, task: int, seed: int) -> str:
    """Write one cell of a copy; returns its id."""

    def anew(one: str | None, *key: Any) -> str | None:
        return one if one is None or not any(key) else content_hash([one, *key])

    held = cell.facts
    model = held["model"] if family == 0 else held["model"].replace("ladder/", f"family-{family + 1}/")
    name = str(anew(held["id"], family, task, seed))
    facts = {
        **held,
        "id": name,
        "model": model,
        "task": task_name(held["task"], task),
        "task_hash": anew(held["task_hash"], task),
        "plan_hash": anew(held["plan_hash"], task, seed),
        "seed": held["seed"] + seed,
        "items": len(table),
        "ledger": [line | {"ids": [anew(one, task, seed) for one in line["ids"]]} for line in held["ledger"]],
        "tuned": anew(held["tuned"], family, task, seed),
        "facts": held["facts"]
        | {
            "name": model,
            "family": held["facts"]["family"] + (f"-{family + 1}" if family else ""),
            "revision": anew(held["facts"]["revision"], family),
        },
    }
    if "elsewhere" in held:
        home = held["elsewhere"]["task"]
        facts["elsewhere"] = held["elsewhere"] | {"task": home and task_name(home, task)}
    place = into / "cells" / name
    place.mkdir()
    put(place / "cell.json", {key: one for key, one in facts.items() if key != "digest"})
    for file, content in cell.beside.items():
        put(place / file, {key: one for key, one in content.items() if key != "digest"})
    packed = io.BytesIO()
    table.write_parquet(packed, compression="zstd")
    (place / "records.parquet").write_bytes(packed.getvalue())
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    put(place / "done.json", {"records": len(table), "sha256": digest})
    kept = demo / "tuned" / (held["tuned"] or ".")
    if held["tuned"] and kept.exists() and not (into / "tuned" / facts["tuned"]).exists():
        shutil.copytree(kept, into / "tuned" / facts["tuned"], copy_function=os.link)
    return name


# ---- measured --------------------------------------------------------------------------------------------------------


def measured(folder: Path, command: str) -> dict[str, Any]:
    """One command on a folder, in a process of its own: seconds by the clock and of the processor, GiB, bytes."""
    page = folder.parent / f"{folder.name}.html"
    asked = {"show": ["show", str(folder), "--json"], "report": ["report", str(folder), "--out", str(page)]}[command]
    start = time.perf_counter()
    with open(folder.parent / f"{folder.name}.{command}.out", "wb") as out:
        child = subprocess.Popen([sys.executable, "-m", "onset", *asked], stdout=out)
        _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"onset {' '.join(asked)}: exit status {os.waitstatus_to_exitcode(status)}")
    return {
        "folder": folder.name,
        "records": sum(get(one)["records"] for one in folder.glob("cells/*/done.json")),
        "cells": sum(1 for _ in folder.glob("cells/*/done.json")),
        "command": command,
        "seconds": round(time.perf_counter() - start, 2),
        "processor": round(used.ru_utime + used.ru_stime, 2),
        "gib": round(used.ru_maxrss / 2**20, 2),
        "megabytes": round(
            (page if command == "report" else folder.parent / f"{folder.name}.show.out").stat().st_size / 1e6, 2
        ),
    }


def exponent(rows: Sequence[Mapping[str, Any]], what: str) -> float:
    """The slope of log ``what`` on log records, by least squares: 1 is linear growth."""
    x, y = (np.log([float(row[name]) for row in rows]) for name in ("records", what))
    return float(np.polyfit(x, y, 1)[0])


def report(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        print(json.dumps(row))
    for command in dict.fromkeys(row["command"] for row in rows):
        same = [row for row in rows if row["command"] == command]
        if len(same) > 1:
            slopes = {what: round(exponent(same, what), 2) for what in ("processor", "gib", "megabytes")}
            print(f"{command}: grows with records to the power of {slopes}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = parser.add_subparsers(dest="what", required=True)
    making = asked.add_parser("make")
    making.add_argument("demo", type=Path)
    making.add_argument("folder", type=Path)
    for name, default in (("families", 4), ("tasks", 8), ("seeds", 4), ("items", 1)):
        making.add_argument(f"--{name}", type=int, default=default)
    measuring = asked.add_parser("measure")
    measuring.add_argument("folders", type=Path, nargs="+")
    measuring.add_argument("--commands", default="show,report")
    everything = asked.add_parser("all")
    everything.add_argument("demo", type=Path)
    everything.add_argument("work", type=Path)
    given = parser.parse_args()
    if given.what == "make":
        print(make(given.demo, given.folder, given.families, given.tasks, given.seeds, given.items), "records")
    elif given.what == "measure":
        report([measured(one, command) for command in given.commands.split(",") for one in given.folders])
    else:
        folders = []
        for size, (families, tasks, seeds) in SIZES.items():
            folders.append(given.work / size)
            make(given.demo, folders[-1], families, tasks, seeds, 1)
        report([measured(one, command) for command in ("show", "report") for one in folders])


if __name__ == "__main__":
    main()
