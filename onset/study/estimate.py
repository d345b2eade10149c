"""What a study will cost, before anything runs: FLOPs from token counts, time from a short measurement.

FLOPs follow the rules of design: inference 2 N a token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1, without the
attention term), tuning as each tuner says (`onset.tuning.base.Tuning.flops`): full 6 N, LoRA 4 N.
Tokens are guessed from characters; the time is a guess to within a factor of about two.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

from onset.errors import ModelError
from onset.models import backend_of
from onset.models.backend import Told
from onset.models.dtypes import MARGIN, SMALL
from onset.models.peek import Size, peek, peek_template
from onset.plan import make_plan
from onset.prompting.base import Planned
from onset.study.cell import Cell
from onset.study.cost import DECODE_SHARE, PREFILL_SHARE, TUNING_SHARE, Cost, learning, scoring
from onset.study.grid import Grid
from onset.study.made import Made
from onset.study.prompts import Prompts, prompt_rows, prompts_of
from onset.tasks.base import Task

STEP_SECONDS = {"cpu": 0.01, "cuda": 0.025}
"""The least time of one decoding step: Python and launch overhead."""

ROWS = 64
"""Rows decoded together, as a guess."""


@dataclass(frozen=True)
class Estimate:
    """``cells``: cell id -> cost of its inference; ``tunings``: id of a tuned or staged model -> cost of its training;
    ``speeds``: dtype -> the measured matrix-product speed (FLOP/s) behind the seconds; ``prompts``: cell id -> what it
    shows, and how long its prompts are; ``shares``: id of each cell that asks nothing -> id of the cell whose outputs
    it reads (`onset.study.grid.Cell.bank`): it costs nothing more; ``searches``: id of a search -> cost of all its
    trials.
    """

    cells: Mapping[str, Cost]
    tunings: Mapping[str, Cost]
    speeds: Mapping[str, float]
    prompts: Mapping[str, Prompts]
    shares: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, Cost] = field(default_factory=dict)

    def total(self) -> Cost:
        """Everything together."""
        return sum([*self.cells.values(), *self.tunings.values(), *self.searches.values()], Cost(0.0, 0.0))

    def price(self, cell: Cell) -> tuple[float, float]:
        """FLOPs of ``cell`` that grow with its items, and those of the tuning and search it needs. Cells that read the
        same outputs pay for them in equal parts. Where FLOPs are not known, items stand for the first: what is weighed
        against it is of the same model.
        """
        chain = self._chain(cell.id)
        costs = [self.cells[one].flops for one in chain]
        if None in costs:
            return float(cell.items) / self._payers[chain[-1]], 0.0
        paid = sum((cost or 0.0) / self._payers[one] for cost, one in zip(costs, chain, strict=True))
        once = [self.tunings[one] for one in (cell.tuned, cell.verifier) if one]
        once += [self.searches[cell.search]] if cell.search else []
        return paid, sum(one.flops or 0.0 for one in once)

    def _chain(self, cell: str) -> list[str]:
        """``cell``, the one whose outputs it reads, and the one that this reads (a verifier's: those of a majority)."""
        found = [cell]
        while found[-1] in self.shares:
            found.append(self.shares[found[-1]])
        return found

    @cached_property
    def _payers(self) -> Counter[str]:
        """How many cells rest on what each runs."""
        return Counter(one for cell in self.cells for one in self._chain(cell))

    def weight(self, cell: Cell) -> float:
        """What ``cell`` counts in a bar of progress: its seconds; one an item where they are not known."""
        seconds = self.cells[cell.id].seconds
        return float(cell.items) if seconds is None else seconds

    def to_json(self, grid: Grid) -> dict[str, Any]:
        """What ``onset plan --json`` prints of the estimated ``grid`` (docs/notes/formats.md).

        Raises ModelError when a model's configuration cannot be read.
        """
        total = self.total()
        return {
            "study": grid.study.name,
            "cells": len(grid.cells),
            "shared": len(self.shares),
            "flops": total.flops,
            "seconds": total.seconds,
            "search": self._search(grid),
            "models": self._models(grid),
            "prompts": prompt_rows((cell, self.prompts[cell.id]) for cell in grid.cells),
            "notes": list(grid.notes),
            "grid": [
                _cell_json(cell, self.cells[cell.id], self.prompts[cell.id]) | {"shares": self.shares.get(cell.id)}
                for cell in grid.cells
            ],
        }

    def _search(self, grid: Grid) -> dict[str, Any]:
        """All trials, and what they cost, a part of the sums."""
        trials = {cell.search: len(cell.settings or ()) for cell in grid.cells if cell.search}
        total = sum(self.searches.values(), Cost(0.0, 0.0))
        return {"trials": sum(trials.values()), "flops": total.flops, "seconds": total.seconds}

    def _models(self, grid: Grid) -> list[dict[str, Any]]:
        """One row a model: its cells and tunings, what they cost, and the templates it is asked through."""
        cells: dict[str, list[Cell]] = {}
        for cell in grid.cells:
            cells.setdefault(cell.model, []).append(cell)
        return [self._model(name, held) for name, held in cells.items()]

    def _model(self, name: str, cells: Sequence[Cell]) -> dict[str, Any]:
        tuned = dict.fromkeys(one for cell in cells for one in (cell.tuned, cell.verifier) if one)
        tuned |= dict.fromkeys(made.id for cell in cells if cell.made is not None for made in cell.made.chain)
        searched = {cell.search: len(cell.settings or ()) for cell in cells if cell.search}
        costs = [*(self.cells[cell.id] for cell in cells), *(self.tunings[one] for one in tuned)]
        costs += [self.searches[one] for one in searched]
        total = sum(costs, Cost(0.0, 0.0))
        return {
            "model": name,
            "cells": len(cells),
            "tunings": len(tuned),
            "trials": sum(searched.values()),
            "flops": total.flops,
            "seconds": total.seconds,
            "templates": sorted({cell.method.template or peek_template(cell.model_spec) for cell in cells}),
        }


def _cell_json(cell: Cell, cost: Cost, prompts: Prompts) -> dict[str, Any]:
    return {
        "id": cell.id,
        "model": cell.model,
        "stage": cell.stage,
        "method": cell.method.name,
        "labels": cell.labels,
        "task": cell.task,
        "shift": cell.shift,
        "seed": cell.seed,
        "items": cell.items,
        "trials": len(cell.settings or ()),
        "demonstrations": prompts.demonstrations,
        "prompt_tokens": round(prompts.tokens),
        "flops": cost.flops,
        "seconds": cost.seconds,
    }


def estimate(grid: Grid, sizes: Mapping[str, Size] | None = None) -> Estimate:
    """Estimate every cell of ``grid``. ``sizes``: spec -> size, for models already open.

    Raises ModelError when a model's configuration cannot be read.
    """
    device = _device(grid.study.device)
    speeds: dict[str, float] = {}
    known, peeked = dict(sizes or {}), dict[str, Size]()
    cells: dict[str, Cost] = {}
    tunings: dict[str, Cost] = {}
    prompts: dict[str, Prompts] = {}
    known_prompts: dict[tuple[Any, ...], Prompts] = {}
    read, verifiers = _read(grid), {cell.id: cell.verifier for cell in grid.cells}
    shares: dict[str, str] = {}
    searches: dict[str, Cost] = {}
    known_trials: dict[tuple[Any, ...], Cost] = {}
    for cell in grid.cells:
        size = known.get(cell.model_spec) or peeked.get(cell.model)
        if size is None:
            size = peeked[cell.model] = peek(cell.model_spec, grid.told.get(cell.model, Told()))
        here = backend_of(cell.model_spec)[0].local
        speed = _speed(grid.study.dtype, device, size, speeds) if here else None
        key = (cell.task, cell.shift, cell.method, cell.labels, size.context)
        if key not in known_prompts:
            known_prompts[key] = prompts_of(grid, cell, size.context)
        prompts[cell.id] = known_prompts[key]
        if cell.id in read:
            shares[cell.id], cells[cell.id] = read[cell.id], Cost(0.0, 0.0)
        else:
            cells[cell.id] = _inference(grid, cell, size, prompts[cell.id], speed, device)
        if cell.tuned and cell.tuned not in tunings:
            tunings[cell.tuned] = _tuning(grid, cell, size, speed)
        if cell.verifier:
            if verifiers.get(shares.get(cell.id, "")) != cell.verifier:
                cells[cell.id] += scoring(cell, grid.tasks[cell.task], size, prompts[cell.id].tokens, speed)
            tunings[cell.verifier] = learning(cell, grid.tasks[cell.taught], size, speed)
        if cell.search and cell.search not in searches:  # draws differ in nothing that is guessed here
            alike = (cell.model, cell.task, cell.method, cell.labels)
            if alike not in known_trials:
                known_trials[alike] = _trials(grid, cell, size, speed, device)
            searches[cell.search] = known_trials[alike]
        chain = () if cell.made is None else cell.made.chain
        tunings |= {made.id: _stage(made, size, speed) for made in chain if made.id not in tunings}
    return Estimate(cells, tunings, speeds, prompts, shares, searches)


def _read(grid: Grid) -> dict[str, str]:
    """The cell whose outputs each reads that asks for none: one with the scores that it needs, else the first of its
    bank to run, which a cell with a verifier is where no other has them.
    """
    first: dict[tuple[str, str | None], str] = {}
    found: dict[str, str] = {}
    for cell in sorted(grid.cells, key=lambda one: one.verifier is not None):
        if cell.bank is None:
            continue
        held = first.get((cell.bank, cell.verifier)) or first.get((cell.bank, None))
        first.setdefault((cell.bank, cell.verifier), cell.id)
        if held is not None:
            found[cell.id] = held
    return found


def _trials(grid: Grid, cell: Cell, size: Size, speed: float | None, device: str) -> Cost:
    """Of all settings that the search of ``cell`` tries, each with every part of the examples."""
    rule, cost = cell.method.search, Cost(0.0, 0.0)
    assert rule is not None
    scored = rule.ties == "log-probability"
    for setting, (used, held) in product(cell.settings or (), rule.sizes(cell.labels)):
        part = replace(cell, method=setting, settings=None, labels=used, items=held, continuous=scored)
        shown = prompts_of(grid, part, size.context)
        cost += _inference(grid, part, size, shown, speed, device)
        if scored and size.params_compute is not None:  # the gold answers decide: unlike a cell's, they count
            cost += Cost(2.0 * size.params_compute * shown.tokens * held, 0.0)
        cost += _tuning(grid, part, size, speed) if setting.tune is not None else Cost(0.0, 0.0)
        if part.verifier:
            cost += learning(part, grid.tasks[part.taught], size, speed)
            cost += scoring(part, grid.tasks[part.task], size, shown.tokens, speed)
    return cost


def _inference(grid: Grid, cell: Cell, size: Size, prompts: Prompts, speed: float | None, device: str) -> Cost:
    """FLOPs without reuse of what prompts share; seconds with it: once a chunk (`onset.models.engine`).

    ``speed``: None where the model runs elsewhere.
    """
    if size.params_compute is None:
        return Cost(None, None)
    task = grid.tasks[cell.task]
    each = 2.0 * size.params_compute
    most = math.inf if size.context is None else size.context
    before = 0 if cell.method.tune is None else cell.method.tune.own_tokens
    prompt, shared = (min(one + before, most) for one in (prompts.tokens, prompts.shared))
    if speed is None:
        planned = _planned(cell, task)
        return Cost(sum(_flops(call, _each(call, size.params_compute), prompt, cell.items) for call in planned), None)
    computed = each * ((prompt - shared) * cell.items + shared * -(-cell.items // cell.chunk))
    cost = Cost(0.0, computed / (PREFILL_SHARE * speed) if cell.continuous else 0.0)  # to score the gold answer
    for call in _planned(cell, task):
        each = _each(call, size.params_compute)
        more = each * call.tokens_more * call.prompts * cell.items
        own = None if call.tokens_in is None else each * call.tokens_in * call.prompts * cell.items
        decode = each * call.tokens_out * call.samples * call.prompts * cell.items
        waves = max(1.0, cell.items * call.samples * call.prompts / ROWS)
        seconds = ((computed * call.prompts if own is None else own) + more) / (PREFILL_SHARE * speed)
        seconds += max(decode / (DECODE_SHARE * speed), waves * call.tokens_out * STEP_SECONDS[device])
        cost += Cost(_flops(call, each, prompt, cell.items), seconds)
    return cost


def _planned(cell: Cell, task: Task) -> tuple[Planned, ...]:
    method = cell.method
    return method.prompt.planned(task, method.vote.samples if method.vote else 1)


def _each(call: Planned, params: int) -> float:
    """FLOPs of a token of a planned call, of a model that multiplies it with ``params`` or of the call's own."""
    return 2.0 * (params if call.params is None else call.params)


def _flops(call: Planned, each: float, prompt: float, items: int) -> float:
    """Of a planned call about each of ``items``, ``each`` a token."""
    prefill = prompt if call.tokens_in is None else call.tokens_in
    return each * (prefill + call.tokens_more + call.tokens_out * call.samples) * call.prompts * items


def _tuning(grid: Grid, cell: Cell, size: Size, speed: float | None) -> Cost:
    """Of a tuning, and of what the base model is asked first."""
    tuner, material = cell.method.tune, cell.method.on
    if size.params_compute is None or speed is None:  # a model that runs elsewhere is not tuned
        return Cost(None, None)
    assert tuner is not None
    assert material is not None
    task = grid.tasks[cell.taught]
    granted = make_plan(task, cell.seed).take(cell.labels)
    made = material.expected(task, material.usable(granted) or granted)
    schedule = cell.method.schedule(made.texts)
    tokens = (made.tokens + tuner.own_tokens) * schedule.steps * min(schedule.batch_size, made.texts)
    flops = tuner.flops * size.params_compute * tokens
    read, written = (2.0 * size.params_compute * one for one in (made.read, made.written))
    seconds = flops / TUNING_SHARE + read / PREFILL_SHARE + written / DECODE_SHARE
    return Cost(flops + read + written, seconds / speed)


def _stage(made: Made, size: Size, speed: float | None) -> Cost:
    """Of a stage of training, all weights."""
    if size.params_compute is None or speed is None:
        return Cost(None, None)
    work = made.recipe.step.work()
    each = size.params_compute / speed
    seconds = each * ((6.0 * work.trained + 2.0 * work.read) / TUNING_SHARE + 2.0 * work.written / DECODE_SHARE)
    return Cost(work.flops(size.params_compute), seconds)


def _device(device: str) -> str:
    """The device that will be used. Raises ModelError when it is not there."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("device 'cuda': torch sees no GPU here; write 'device: auto' or 'device: cpu'")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def _speed(dtype: str, device: str, size: Size, known: dict[str, float]) -> float:
    """The speed of a model in the dtype that it will be loaded in (`onset.models.dtypes`); speeds are measured once."""

    def of(name: str) -> float:
        if name not in known:
            known[name] = measure_speed(device, name)
        return known[name]

    if dtype != "auto":
        return of(dtype)
    if device != "cpu":
        return of("bfloat16")
    if size.params_compute is None or size.params_compute < SMALL or of("bfloat16") < MARGIN * of("float32"):
        return of("float32")
    return of("bfloat16")


def measure_speed(device: str, dtype: str) -> float:
    """The speed of linear layers (FLOP/s) on ``device`` in ``dtype``, as the engine multiplies them, measured for a
    fraction of a second.
    """
    import torch
    import torch.nn.functional as F

    from onset.models.engine.linear import fast_linears

    size = 4096 if device == "cuda" else 1024
    left = torch.ones(size, size, device=device, dtype=getattr(torch, dtype))
    best = float("inf")
    with torch.no_grad(), fast_linears(left.device):
        for _ in range(5):
            start = time.perf_counter()
            product = F.linear(left, left)
            float(product[0, 0])  # waits for the device
            best = min(best, time.perf_counter() - start)
    return 2.0 * size**3 / best
