"""Results folders of Onset: each way of asking with all its seeds.

Items are keyed by their id (a hash of question, answer, choices and context); seeds are draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from onset.analysis.outcomes import Outcomes, outcomes_of
from onset.read.base import Sizes
from onset.results.files import Files, as_files
from onset.results.read import load


def read(path: Path | Files, sizes: Sizes) -> tuple[Outcomes, ...]:
    """The outcomes of every way of asking with a finished cell, in running order; not those of a rule that looks beyond
    the budget (`onset.search.base.Search.bound`), which are compared with nothing.

    Cells that failed or did not run are told in the notes, and what is left out. Raises StoreError for a damaged
    folder.
    """
    results, where = load(path, prompts=False), as_files(path).name()
    unfinished = len(results.missing) + len(results.failed)
    notes = [f"{where}: {unfinished} of {unfinished + len(results.cells)} cells are not finished"] if unfinished else []
    found = outcomes_of(results, where)
    bounds = dict.fromkeys(one.method for one in found if one.asked.bound)
    notes += [f"{where}: {name} is an upper bound, chosen with labels beyond the budget: left out" for name in bounds]
    return tuple(_told(one, sizes, notes) for one in found if not one.asked.bound)


def _told(one: Outcomes, sizes: Sizes, notes: Sequence[str]) -> Outcomes:
    """With notes, and what the user says of sizes and families."""
    family = one.family if sizes.family is None else sizes.family
    said = [f"{one.ran.overlong} prompts did not fit and count as wrong"] * (one.ran.overlong > 0)
    said += [f"{one.ran.failed} items failed and count as wrong"] * (one.ran.failed > 0)
    return replace(
        one,
        at=replace(one.at, family=family, params=sizes.of(one.model, one.at.params)),
        notes=(*notes, *(f"{one.task}, {one.method}: {line}" for line in said)),
    )
