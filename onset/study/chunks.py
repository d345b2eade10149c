"""The items of a cell in fixed chunks: each is committed before the next begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from onset.errors import Unanswered
from onset.pipeline import Evaluation
from onset.records import Item
from onset.results.cell import CellFolder
from onset.study.cell import Cell
from onset.study.memory import Peak


def measure(
    cell: Cell,
    folder: CellFolder,
    evaluation: Evaluation,
    examples: Sequence[Item],
    items: Sequence[Item],
    done: Collection[int],
    advanced: Callable[[Cell, int], None],
) -> None:
    """Prepare the method, then measure the chunks of ``items`` whose first places are not in ``done``. ``advanced`` is
    told of each committed chunk.

    Raises Unanswered where answers are yet to come, after all has been asked that can be: what stands before the first
    chunk that lacks one is committed.
    """
    timed = getattr(evaluation.model, "timed", True)
    with Peak(evaluation.model.facts.device) as memory:
        started = time.perf_counter()
        prepared = evaluation.prepare(examples)
        cell.check_files()  # what was prepared is what the id says, and stays so
        if prepared.calls:
            folder.set_prepared(prepared.to_json(evaluation.model.facts))
        evaluation = replace(evaluation, state=prepared.state)
        waits: Unanswered | None = None
        for at in range(0, len(items), cell.chunk):
            if at in done:
                continue
            chunk = items[at : at + cell.chunk]
            try:
                records = evaluation.evaluate(chunk, at)
            except Unanswered as error:
                waits, records = waits or error, []
            if waits is None:
                folder.commit(records, at, cell.chunk)
                folder.took(time.perf_counter() - started if timed else None, memory.bytes)
                started = time.perf_counter()
                advanced(cell, len(chunk))
    if waits is not None:
        raise waits
