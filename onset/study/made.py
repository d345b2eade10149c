"""What a model is that stages of training make of another, and where it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from onset.errors import DataError
from onset.records import content_hash
from onset.tuning.base import TuningReport
from onset.tuning.stages.base import Recipe

if TYPE_CHECKING:
    from onset.models.base import Model


@dataclass(frozen=True)
class Made:
    """A model made by a stage: of the model called ``model``, or of what was made of it before (``base``), computed
    as ``compute`` says (device and dtype).
    """

    model: str
    recipe: Recipe
    compute: tuple[str, str]
    base: Made | None = None

    @cached_property
    def id(self) -> str:
        """16 hex digits of all that shapes its weights, the name of the stage not among it: where it is kept.

        Raises DataError where its corpus cannot be read.
        """
        return content_hash(self._said)

    @property
    def _said(self) -> dict[str, Any]:
        return {
            "made of": self.model if self.base is None else self.base.id,
            "step": self.recipe.step.identity(),
            "compute": list(self.compute),
        }

    def check_files(self) -> None:
        """Raises DataError where the corpus does not hold what the id was made of, and what was searched for test
        items: it has changed since the study was expanded.
        """
        if content_hash(self._said) != self.id:
            raise DataError(
                f"stage {self.recipe.name}: {self.recipe.step.where} has changed since the study was read; run the"
                " study again"
            )

    @property
    def chain(self) -> tuple[Made, ...]:
        """What was made, first to last, itself the last."""
        return (*(() if self.base is None else self.base.chain), self)

    @property
    def stage(self) -> str:
        """The names of its stages in order."""
        return ", ".join(one.recipe.name for one in self.chain)

    def to_json(self, base: Model, reports: Mapping[str, TuningReport]) -> dict[str, Any]:
        """What ``cell.json`` says of it; ``base``: the model that the study opened."""
        return {
            "id": self.id,
            "base_revision": base.facts.revision,
            "stages": [
                {
                    "name": one.recipe.name,
                    "made": one.id,
                    "step": one.recipe.step.identity(),
                    "training": reports[one.id].to_json(),
                }
                for one in self.chain
            ],
        }
