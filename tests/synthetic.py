"""A results folder with made-up outcomes, in the format of docs/notes/formats.md.

The outcomes come from a known model (size, method, labels, item difficulty, draw noise), so that the analysis and
the report can be tested without running a language model. Everything follows from ``seed``: equal arguments give
equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from onset.records import Item, Record, content_hash, derive_seed
from onset.results.format import RECORD_SCHEMA

TASK_ABILITY = {"coin-flip": "symbolic", "last-letter": "symbolic", "addition": "symbolic"}
METHOD_SPECS: dict[str, dict[str, Any]] = {
    "answer-only": {"prompt": "answer-only"},
    "cot": {"prompt": "cot"},
    "cot-vote": {"prompt": "cot", "vote": {"samples": 5, "temperature": 0.7}},
    "lora-answers": {"prompt": "answer-only", "shots": 0, "tune": "lora", "on": "answers"},
    "lora-rationales": {"prompt": "cot", "shots": 0, "tune": "lora", "on": "rationales"},
    "full-answers": {"prompt": "answer-only", "shots": 0, "tune": "full", "on": "answers"},
}


@dataclass(frozen=True, slots=True)
class CellKey:
    model: str
    params: int
    method: str
    labels: int
    task: str
    chance: float
    shift: str
    seed: int
    stage: str = "base"

    @property
    def id(self) -> str:
        held = asdict(self)
        return content_hash({name: value for name, value in held.items() if (name, value) != ("stage", "base")})


def synthetic_results(
    folder: Path,
    *,
    models: Sequence[tuple[str, int]] = (("tiny", 1_000_000), ("small", 10_000_000), ("mid", 100_000_000)),
    methods: Sequence[str] = ("answer-only", "cot", "lora-answers"),
    labels: Sequence[int] = (8, 32),
    tasks: Sequence[tuple[str, float]] = (("addition", 0.0), ("coin-flip", 0.5)),
    shifts: Sequence[str] = ("none",),
    seeds: int = 3,
    items: int = 60,
    seed: int = 0,
    voting: bool = True,
    incomplete: bool = False,
    families: Sequence[str] = (),
    own: Sequence[str] = (),
    price: Mapping[str, Any] | None = None,
) -> Path:
    """Write the folder and return it.

    ``voting`` adds one cell of 5 samples a question (largest model, first task, most labels, seed 0); ``incomplete``
    leaves one cell without its done.json and makes another one fail; ``families`` names the family of each
    model (default: all in ``made-up``); ``own``: tasks that are the user's own; ``price``: the study's. The shift ``domain`` is another test set; every other one rewrites the items.
    """
    keys = [
        CellKey(model, params, method, budget, task, chance, shift, number)
        for model, params in models
        for task, chance in tasks
        for method in methods
        for budget in labels
        for shift in shifts
        for number in range(seeds)
    ]
    if voting:
        keys.append(CellKey(*models[-1], "cot-vote", max(labels), *tasks[0], shifts[0], 0))
    family = dict(zip([name for name, _ in models], families or ["made-up"] * len(models), strict=True))
    study: dict[str, Any] = {
        "name": "synthetic",
        "models": [{"spec": m, "label": m} for m, _ in models],
        "methods": list(methods),
        "labels": list(labels),
    }
    study |= {
        "tasks": [{"name": t} if t in own else t for t, _ in tasks],
        "price": price,
        "shifts": list(shifts),
        "seeds": seeds,
        "items": items,
    }
    _write_json(
        folder / "study.json", {"format": 2, "onset": "0.1.0", "study": study, "cells": [key.id for key in keys]}
    )
    for number, key in enumerate(keys):
        outcome = "done"
        if incomplete:
            outcome = {1: "missing", 4: "failed"}.get(number, "done")
        _write_cell(folder, key, family[key.model], items=items, seed=seed, outcome=outcome)
    return folder


LADDER = (20_000, 60_000, 130_000, 260_000, 650_000, 1_300_000, 3_300_000, 6_500_000)
Truth = Mapping[tuple[str, ...], Sequence[float]]


def ladder_results(
    folder: Path,
    truth: Truth,
    *,
    sizes: Sequence[int] = LADDER,
    variants: Sequence[tuple[str, int, Mapping[tuple[str, str], float]]] = (),
    items: int = 200,
    seeds: int = 1,
    seed: int = 0,
) -> Path:
    """A ladder of one family, ``rungs``, with known accuracies, 3 labelled examples a method.

    ``truth``: (task, method[, shift]) -> true accuracy at each of ``sizes``; ``variants``: (stage, size, (task, method)
    -> true accuracy). Two methods on one item agree more often than by chance: half the items are decided by a common
    draw.
    """
    keys: list[tuple[CellKey, float]] = []
    for (task, method, *rest), shares in truth.items():
        shift = rest[0] if rest else "none"
        for place, (size, share) in enumerate(zip(sizes, shares, strict=True)):
            for number in range(seeds):
                keys.append((CellKey(f"rungs/r{place}", size, method, 3, task, 0.0, shift, number), share))
    for stage, size, held in variants:
        for (task, method), share in held.items():
            name = f"rungs/r{list(sizes).index(size)}-{stage.replace(' ', '-')}"
            for number in range(seeds):
                keys.append((CellKey(name, size, method, 3, task, 0.0, "none", number, stage), share))
    study = {"name": "rungs", "items": items, "seeds": seeds}
    _write_json(
        folder / "study.json", {"format": 2, "onset": "0.1.0", "study": study, "cells": [key.id for key, _ in keys]}
    )
    for key, share in keys:
        _write_records(folder, key, "rungs", _drawn_records(key, items, seed, share))
    return folder


def _drawn_records(key: CellKey, items: int, seed: int, share: float) -> list[Record]:
    common = np.random.default_rng(derive_seed("items", key.task, key.shift, key.seed, seed)).random(items)
    own = np.random.default_rng(derive_seed("cell", key.id, seed))
    solved = np.where(own.random(items) < 0.5, common, own.random(items)) < share
    return [_record(key, position, bool(solved[position]), False, False, own) for position in range(items)]


def _write_cell(folder: Path, key: CellKey, family: str, *, items: int, seed: int, outcome: str) -> None:
    cell = folder / "cells" / key.id
    _write_json(cell / "cell.json", _cell_json(key, family, items))
    if outcome == "missing":
        return
    if outcome == "failed":
        _write_json(cell / "failed.json", {"error": "ModelError: the model ran out of memory at batch size 1"})
        return
    _write_records(folder, key, family, _records(key, items, seed))


def _write_records(folder: Path, key: CellKey, family: str, records: Sequence[Record]) -> None:
    cell, items = folder / "cells" / key.id, len(records)
    _write_json(cell / "cell.json", _cell_json(key, family, items))
    rows = [asdict(record) for record in records]
    path = cell / "records.parquet"
    pl.DataFrame(rows, schema=RECORD_SCHEMA).write_parquet(path)
    _write_json(cell / "done.json", {"records": items, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    seconds = 1e-8 * key.params * items + 1.0
    _write_json(cell / "timing.json", {"seconds": seconds, "tuning_seconds": 9.0 if "lora" in key.method else 0.0})


def _cell_json(key: CellKey, family: str, items: int) -> dict[str, Any]:
    spec = METHOD_SPECS[key.method]
    plan = [content_hash([key.task, key.seed, index]) for index in range(key.labels)]
    tuning = None
    if "tune" in spec:
        factor = 6 if spec["tune"] == "full" else 4
        tokens = 120 * 8 * 60
        tuning = {"steps": 120, "tokens": tokens, "flops": float(factor * key.params * tokens)}
        tuning |= {"trained_params": key.params // 50, "first_loss": 2.5, "last_loss": 0.4}
    rationales = spec["on"] == "rationales" if "tune" in spec else spec["prompt"] == "cot"
    use = "training" if "tune" in spec else "demonstration"
    facts = {
        "name": key.model,
        "family": family,
        "stage": key.stage,
        "params": key.params,
        "params_non_embedding": int(key.params * 0.8),
        "params_compute": int(key.params * 0.9),
        "context": 2048,
        "tokenizer": "made-up",
        "revision": content_hash(key.model),
        "dtype": "float32",
        "device": "cpu",
    }
    environment = {"onset": "0.1.0", "python": "3.11.9", "torch": "2.13.0", "transformers": "5.23.0"}
    return {
        "id": key.id,
        "model": key.model,
        "model_spec": f"./{key.model}",
        "facts": facts,
        "stage": key.stage,
        "method": key.method,
        "method_spec": spec,
        "labels": key.labels,
        "task": key.task,
        "ability": TASK_ABILITY.get(key.task, "own"),
        "task_hash": content_hash(["task", key.task]),
        "chance": key.chance,
        "shift": key.shift,
        "seed": key.seed,
        "items": items,
        "plan_hash": content_hash([key.task, key.seed]),
        "ledger": [{"use": use, "ids": plan, "rationales": rationales}] if key.labels else [],
        "tuned": content_hash([key.model, key.method, key.labels, key.task, key.seed]) if tuning else None,
        "tuning": tuning,
        "environment": environment | {"device": "cpu", "dtype": "float32"},
    }


def accuracy_of(key: CellKey) -> float:
    """The true mean logit of a cell, before item difficulty and draw noise."""
    size = math.log10(key.params)
    gain = {"answer-only": -0.4, "cot": 1.2 * (size - 7.0), "cot-vote": 1.2 * (size - 7.0) + 0.6}.get(key.method)
    if gain is None:
        gain = -0.8 + 0.9 * math.log2(max(key.labels, 1) / 8 + 1)
    shifted = -0.9 if key.shift != "none" else 0.0
    return 1.1 * (size - 7.0) + gain + shifted + (-0.3 if key.task == "addition" else 0.2)


def _records(key: CellKey, items: int, seed: int) -> list[Record]:
    shared = np.random.default_rng(derive_seed("items", key.task, seed))
    difficulty = shared.normal(0, 1.5, items)
    draw = np.random.default_rng(derive_seed("draw", key.task, key.method, key.labels, key.seed, seed)).normal(0, 0.2)
    own = np.random.default_rng(derive_seed("cell", key.id, seed))
    logits = accuracy_of(key) + draw - difficulty + own.normal(0, 0.5, items)
    chance_hit = own.random(items) < key.chance
    solved = (own.random(items) < 1 / (1 + np.exp(-logits))) | chance_hit
    weak = key.method == "cot" and key.params < 5e6
    unparsed = own.random(items) < (0.35 if weak else 0.03)
    overlong = np.zeros(items, dtype=bool)
    if weak and key.labels >= 32:
        overlong[-2:] = True
    return [
        _record(key, position, bool(solved[position]), bool(unparsed[position]), bool(overlong[position]), own)
        for position in range(items)
    ]


def _record(
    key: CellKey, position: int, solved: bool, unparsed: bool, overlong: bool, rng: np.random.Generator
) -> Record:
    item, twin = _item(key, position)
    samples = 5 if key.method == "cot-vote" else 1
    prompt = f"Question: An example?\nAnswer: The answer is 1.\n\nQuestion: {item.question}\nAnswer:"
    wrong = _wrong(item.answer)
    shown = item.answer if solved else wrong
    found = not (unparsed or overlong)
    texts, answers = [], []
    for sample in range(samples):
        value = shown if sample < 3 else (wrong if rng.random() < 0.5 else item.answer)
        chain = f" First look at <{item.question[:24]}> & think." if key.method.startswith("cot") else ""
        texts.append("" if overlong else f"{chain} The answer is {value}." if found else f"{chain} I am not sure that")
        answers.append(value if found else None)
    finish = "overlong" if overlong else "stop" if found else "length"
    prompt_tokens = 0 if overlong else 20 + 15 * (key.labels if "lora" not in key.method else 0) + position % 7
    output_tokens = 0 if overlong else samples * (40 if key.method.startswith("cot") else 6)
    return Record(
        position=position,
        item=item.id,
        twin=twin,
        question=item.question,
        gold=item.answer,
        prompt_hash=content_hash(prompt),
        prompt=prompt,
        outputs=tuple(texts),
        finishes=(finish,) * samples,
        answers=tuple(answers),
        answer=shown if found else None,
        status="ok" if found else "none" if overlong else "truncated",
        correct=solved and found,
        overlong=overlong,
        gold_logprob=None if overlong else float(-0.3 - 2 * rng.random() - (0 if solved else 2)),
        gold_prob=float(rng.uniform(0.5, 1) if solved else rng.uniform(0, 0.5)) if item.choices else None,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        flops=2.0 * 0.9 * key.params * (prompt_tokens + output_tokens),
        rights=tuple(value == item.answer for value in answers),
    )


def _item(key: CellKey, position: int) -> tuple[Item, str | None]:
    """The test item of a cell's position and the id of its clean twin where a shift rewrote it."""
    start = 1000 + position if key.shift == "domain" else position
    clean = _clean_item(key.task, key.chance, start)
    if key.shift in ("none", "domain"):
        return clean, None
    return Item(f"{clean.question} ({key.shift})", clean.answer, choices=clean.choices), clean.id


def _clean_item(task: str, chance: float, number: int) -> Item:
    if chance > 0:
        return Item(f"{task} {number}: is the coin still heads up?", ("yes", "no")[number % 2], choices=("yes", "no"))
    return Item(f"{task} {number}: what is {number} + {2 * number + 3}?", str(3 * number + 3))


def _wrong(answer: str) -> str:
    return {"yes": "no", "no": "yes"}.get(answer) or str(int(answer) + 10)


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
