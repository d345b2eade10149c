"""Results folders of Onset: each arm (model, stage, method, labels, task, shift) with all its seeds.

Items are keyed by their id (a hash of question, answer, choices and context); seeds are draws. Continuous scores are
those of `onset.analysis.study_points`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from onset.analysis.arms import KEY
from onset.analysis.study_points import SCORES, cell_scores
from onset.read.base import ItemRow, Outcomes, Sizes, tabulate
from onset.records import content_hash
from onset.results.read import load

METRIC = "accuracy"


def read(path: Path, sizes: Sizes) -> tuple[Outcomes, ...]:
    """The outcomes of every arm with a finished cell, in running order.

    Cells that failed or did not run are told in the notes. Raises StoreError for a damaged folder.
    """
    results = load(path)
    rows = results.records.partition_by("cell", as_dict=True, maintain_order=True)
    unfinished = len(results.missing) + len(results.failed)
    notes = [f"{path}: {unfinished} of {unfinished + len(results.cells)} cells are not finished"] if unfinished else []
    cells = results.cells.filter(pl.col("n") > 0)
    scores = cell_scores(results)
    out = []
    for _, group in cells.group_by(KEY, maintain_order=True):
        held = group.sort("seed").to_dicts()
        first = held[0]
        measured = [scores.get(cell["cell"], {}) for cell in held]
        shared = [metric for metric in SCORES if all(metric in one for one in measured)]
        draws = {
            cell["seed"]: _item_rows(rows[cell["cell"],], {metric: one[metric] for metric in shared})
            for cell, one in zip(held, measured, strict=True)
        }
        overlong = sum(cell["overlong"] for cell in held)
        failed = sum(cell["failed_items"] for cell in held)
        said = [f"{overlong} prompts did not fit and count as wrong"] * (overlong > 0)
        said += [f"{failed} items failed and count as wrong"] * (failed > 0)
        out.append(
            Outcomes(
                task=first["task"],
                model=first["model"],
                family=first["family"] if sizes.family is None else sizes.family,
                params=sizes.of(first["model"], first["params"]),
                metric=METRIC,
                method=first["method"],
                labels=first["labels"],
                shift=first["shift"],
                stage=first["stage"],
                plans=tuple(cell["plan_hash"] for cell in held),
                chance=first["chance"],
                version=", ".join(dict.fromkeys(cell["task_hash"] for cell in held)),
                source=str(path),
                notes=(*notes, *(f"{first['task']}, {first['method']}: {one}" for one in said)),
                **tabulate(draws, str(path)),
            )
        )
    return tuple(out)


def _item_rows(records: pl.DataFrame, scores: Mapping[str, Mapping[str, float]]) -> list[ItemRow]:
    columns = ("item", "correct", "gold", "prompt_hash", "status")
    return [
        ItemRow(
            row["item"],
            float(row["correct"]),
            target=content_hash(row["gold"]),
            prompt=row["prompt_hash"],
            status=row["status"],
            scores={metric: values[row["item"]] for metric, values in scores.items()},
        )
        for row in records.select(columns).to_dicts()
    ]
