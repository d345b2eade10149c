"""Facts in context and the same facts in weights: what each way of telling them lets a model answer.

A task whose name ends in ``told=passage]`` and one of the same name with ``told=weights]`` ask the same questions about
the same facts (`onset.tasks.world_new_facts`; Lampinen et al. 2025, arXiv 2505.00661): in a passage before the
question, or by tuning on all of them. For each model, stage, budget and probe every tuned method of the one is held
against every method that reads the passage, question by question, on the draws that both have; p is adjusted by Holm
over all of a model. Where fewer examples are granted than there are facts, some of what is asked was told in passages
alone: such a budget is in no comparison.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.contrast.contrast import Contrast, contrast, decide
from onset.analysis.outcomes import Measured, Outcomes, Outputs
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES

_PASSAGE, _WEIGHTS = ", told=passage]", ", told=weights]"


@dataclass(frozen=True, eq=False)
class Placement(Placed):
    """One probe: ``contrast``, in weights minus in context (shares), of the methods that it names."""

    probe: str
    contrast: Contrast

    @property
    def at(self) -> Setting:
        """The setting of the passage's side."""
        return self.contrast.at

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        held = self.contrast.json()
        return self.coordinates(probe=self.probe) | {
            "methods": held["sides"],
            "weights": held["accuracy_a"],
            "context": held["accuracy_b"],
            **{key: held[key] for key in _SAME},
        }


_SAME = (
    "seeds", "n", "difference", "interval", "p", "p_holm", "p_equivalent_holm", "margin", "test", "family_size",
    "verdict",
)  # fmt: skip


def placements_of(measured: Measured, *, margin: float = MARGIN, replicates: int = REPLICATES) -> tuple[Placement, ...]:
    """Every probe that a study asks both ways, models in order of appearance."""
    arms = [one for one in measured.outcomes if one.task.endswith((_PASSAGE, _WEIGHTS)) and one.at.clean]
    if not arms:
        return ()
    questions = _questions(measured)
    facts = _facts(measured)
    groups: dict[tuple[str, str], list[Placement]] = {}
    for passage in arms:
        if passage.tuned or not passage.task.endswith(_PASSAGE):
            continue
        stem = passage.task.removesuffix(_PASSAGE)
        for weights in arms:
            alike = (weights.model, weights.stage, weights.labels) == (passage.model, passage.stage, passage.labels)
            told = weights.labels >= facts.get(weights.task, 0)
            if weights.tuned and alike and told and weights.task == stem + _WEIGHTS:
                made = contrast(
                    _by_question(weights, questions), _by_question(passage, questions), "method",
                    margin=margin, replicates=replicates, names=(weights.method, passage.method),
                )  # fmt: skip
                probe = stem.rpartition("probe=")[2]
                groups.setdefault((passage.model, passage.stage), []).append(Placement(probe, made))
    out = []
    for (model, stage), held in groups.items():
        decided = decide([one.contrast for one in held], f"in weights against in context, {model}, stage {stage}")
        out += [replace(one, contrast=each) for one, each in zip(held, decided, strict=True)]
    return tuple(out)


def _facts(measured: Measured) -> dict[str, int]:
    """Task -> how many facts there are, as far as its items say so."""
    if "meta" not in measured.records.columns:
        return {}
    tasks = dict(measured.cells.select("cell", "task").iter_rows())
    found: dict[str, int] = {}
    for cell, meta in measured.records.select("cell", "meta").unique().iter_rows():
        if meta and tasks.get(cell, "").endswith(_WEIGHTS):
            found[tasks[cell]] = max(found.get(tasks[cell], 0), int(json.loads(meta).get("facts", 0)))
    return found


def _questions(measured: Measured) -> Mapping[str, str]:
    """Item -> its question and first right answer: what the two tasks have in common."""
    tasks = measured.cells.filter(pl.col("task").str.ends_with(_PASSAGE) | pl.col("task").str.ends_with(_WEIGHTS))
    held = measured.records.filter(pl.col("cell").is_in(tasks["cell"].to_list()))
    asked = zip(held["question"].to_list(), held["gold"].to_list(), strict=True)
    return dict(zip(held["item"].to_list(), (f"{question} {gold}" for question, gold in asked), strict=True))


def _by_question(arm: Outcomes, questions: Mapping[str, str]) -> Outcomes:
    """The outcomes with questions as items: passages make items of their own of them."""
    items = tuple(questions[one] for one in arm.items)
    stem = arm.task.removesuffix(_PASSAGE).removesuffix(_WEIGHTS)
    return replace(
        arm, at=replace(arm.at, task=f"{stem}]"), items=items, targets=(), twins=(), plans=(), versions=(),
        outputs=Outputs(), values=np.array(arm.values),
    )  # fmt: skip


def probes(found: Sequence[Placement]) -> list[str]:
    """The probes, in order of appearance."""
    return list(dict.fromkeys(one.probe for one in found))
