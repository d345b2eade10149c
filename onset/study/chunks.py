"""The items of a cell in fixed chunks: each is committed before the next begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from onset.errors import ItemsFailed, Unanswered
from onset.pipeline import Evaluation, as_record
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


def ask_again(
    cell: Cell,
    folder: CellFolder,
    evaluation: Evaluation,
    examples: Sequence[Item],
    items: Sequence[Item],
    before: Collection[int],
) -> None:
    """Ask those items again at which the method raised an error, of the chunks that begin at the places ``before``. The
    other records stay, byte for byte, but for what a method concludes of all items together. A chunk of an unfinished
    cell is committed before the next is asked; a finished one stays as it is until all are.
    """
    records, finished = [as_record(row) for row in folder.rows()], folder.done
    timed, started = getattr(evaluation.model, "timed", True), time.perf_counter()
    failed = {
        first: some
        for first in sorted(before)
        if (some := [one for one in records[first : first + cell.chunk] if one.status == "failed"])
    }
    if not failed:
        return
    with Peak(evaluation.model.facts.device) as memory:
        evaluation = replace(evaluation, state=evaluation.prepare(examples).state)
        cell.check_files()
        if not finished:
            folder.cut(records, cell.chunk)
        for first, some in failed.items():
            found = evaluation.evaluate([items[one.position] for one in some], first)
            for old, record in zip(some, found, strict=True):
                records[old.position] = replace(record, position=old.position)
            if not finished:
                folder.commit(records[first : first + cell.chunk], first, cell.chunk)
                folder.took(time.perf_counter() - started if timed else None, memory.bytes)
                started = time.perf_counter()
        if finished:
            folder.rewrite(records, cell.chunk)
            folder.took(time.perf_counter() - started if timed else None, memory.bytes)


def check_items(folder: CellFolder, budget: float) -> int:
    """How many items failed: they stay, as wrong answers with their cause. Raises ItemsFailed where more than the share
    ``budget`` did; where all did, nothing of the cell is kept.
    """
    rows = folder.rows()
    causes = [str(row["cause"]) for row in rows if row["status"] == "failed"]
    if causes and len(causes) == len(rows):
        folder.restart()
        raise ItemsFailed(f"every one of the {len(rows)} items failed; first: {causes[0]}")
    if len(causes) > budget * len(rows):
        raise ItemsFailed(
            f"{len(causes)} of {len(rows)} items failed (item_error_budget {budget:.0%}), the others are kept; first:"
            f" {causes[0]}"
        )
    return len(causes)
