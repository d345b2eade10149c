"""Results folders of Onset: each way of asking with all its seeds.

Items are keyed by their id (a hash of question, answer, choices and context); seeds are draws. Continuous scores are
those of `onset.analysis.study_points`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.outcomes import KEY, Outcomes, outcomes_of
from onset.analysis.stats.bootstrap import Array
from onset.analysis.study_points import SCORES, cell_scores
from onset.read.base import Sizes
from onset.results.read import load


def read(path: Path, sizes: Sizes) -> tuple[Outcomes, ...]:
    """The outcomes of every way of asking with a finished cell, in running order.

    Cells that failed or did not run are told in the notes. Raises StoreError for a damaged folder.
    """
    results = load(path)
    unfinished = len(results.missing) + len(results.failed)
    notes = [f"{path}: {unfinished} of {unfinished + len(results.cells)} cells are not finished"] if unfinished else []
    measured = cell_scores(results)
    cells = results.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True)
    return tuple(
        _told(one, table.sort("seed")["cell"].to_list(), measured, sizes, notes)
        for one, (_, table) in zip(outcomes_of(results, str(path)), cells, strict=True)
    )


def _told(
    one: Outcomes,
    cells: Sequence[str],
    measured: Mapping[str, Mapping[str, Mapping[str, float]]],
    sizes: Sizes,
    notes: Sequence[str],
) -> Outcomes:
    """With scores and notes, and what the user says of sizes and families."""
    draws = [measured.get(cell, {}) for cell in cells]
    scores = {
        metric: _table(one, [draw[metric] for draw in draws])
        for metric in sorted(SCORES)
        if all(metric in draw for draw in draws)
    }
    family = one.family if sizes.family is None else sizes.family
    said = [f"{one.ran.overlong} prompts did not fit and count as wrong"] * (one.ran.overlong > 0)
    said += [f"{one.ran.failed} items failed and count as wrong"] * (one.ran.failed > 0)
    return replace(
        one,
        at=replace(one.at, family=family, params=sizes.of(one.model, one.at.params)),
        scores=scores,
        notes=(*notes, *(f"{one.task}, {one.method}: {line}" for line in said)),
    )


def _table(one: Outcomes, draws: Sequence[Mapping[str, Any]]) -> Array:
    return np.array([[draw.get(item, np.nan) for item in one.items] for draw in draws], dtype=np.float64)
