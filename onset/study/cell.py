"""A cell of a study: one measurement, and the ids of what it is and of what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from onset.errors import DataError
from onset.methods import Method
from onset.records import content_hash
from onset.study.made import Made

UNSAID: Mapping[str, Any] = {
    "stage": "base",
    "shift": "none",
    "shift_said": None,
    "chunk": 64,
    "continuous": True,
    "device": "auto",
    "dtype": "auto",
    "batch_tokens": 32768,
    "schedule": {},
    "traces": None,
    "made": None,
    "settings": None,
    "home": None,
}
"""What a cell's id does not say: a cell with one of these values has the id of a cell that has no such key.

An axis or option added later gets a line here, with the value that means "as before", and changes no id. These
values never change: where the default of a study does, the new default is another value, and is said.
"""

UNSAID_SCHEDULE: Mapping[str, Any] = {
    "steps": 60,
    "batch_size": 8,
    "learning_rate": None,
    "warmup": 0.1,
    "weight_decay": 0.0,
    "clip": 1.0,
    "max_length": None,
}
"""The same for a tuning schedule."""

_ASKING = ("prompt", "shots", "vote", "steps", "learning_rate")
"""Keys of a method that do not tell tuned models apart: how they are asked, and what the schedule says already."""


@dataclass(frozen=True)
class Cell:
    """One measurement: a model, used in one way, with one draw of examples, on one set of items.

    ``id`` is the hash of everything that shapes its records; it names the cell's folder. Where the model was read from
    is not part of it: the label stands for the weights, and their revision is checked.
    ``made``: the model that stages of training made of it, ``stage`` their names (``base``: none).
    ``aside``: asked beside the study's own tasks (`onset.study.aside`), ``home``: there, of a tuned model, the task of
    its examples, by name and hash. ``items_hash`` covers the ids of the test items in order; ``traces`` is a hash of
    the state traces its prompts show.
    ``shift_said``: what shapes its prompts of its shift, beyond the items and the shift's name, as plain JSON.
    ``settings``: the method as its search tries it; ``chosen``: as it is taken (in no id).
    """

    model: str
    model_spec: str
    stage: str
    method: Method
    labels: int
    task: str
    task_hash: str
    shift: str
    seed: int
    items: int
    items_hash: str
    chunk: int
    compute: tuple[str, str, int]
    continuous: bool
    traces: str | None = None
    made: Made | None = None
    settings: tuple[Method, ...] | None = None
    chosen: Method | None = field(default=None, compare=False)
    aside: bool = False
    home: tuple[str, str] | None = None
    shift_said: Any = None

    @property
    def under_way(self) -> str:
        """What is under way while it runs: ``ladder/r1 · cot · coin-flip · shift typos · 8 labels · seed 0``."""
        shift = "" if self.shift == "none" else f" · shift {self.shift}"
        return f"{self.model} · {self.method.name} · {self.task}{shift} · {self.labels} labels · seed {self.seed}"

    @property
    def used(self) -> Method:
        """The method as it is asked, with the setting that a search took."""
        return self.chosen or self.method

    @cached_property
    def id(self) -> str:
        """16 hex digits of the canonical JSON of `said`."""
        return content_hash(self.said)

    def check_files(self) -> None:
        """Raises DataError where files that the method's settings name do not hold what the id was made of: they have
        changed since the study was expanded.
        """
        if content_hash(self.said) != self.id:
            raise DataError(
                f"method {self.method.name}: a file that its settings name has changed since the study was read; run"
                " the study again"
            )

    @property
    def said(self) -> dict[str, Any]:
        """All that shapes the cell's records and is not as in `UNSAID`, as plain JSON."""
        own = {
            "name": self.method.name,
            "items": self.items_hash,
            "shift": self.shift,
            "shift_said": self.shift_said,
            "chunk": self.chunk,
            "continuous": self.continuous,
            "home": None if self.home is None else list(self.home),
        }
        return _said(self._shared() | own, UNSAID)

    @cached_property
    def bank(self) -> str | None:
        """The id of the outputs that it reads (`onset.methods.Method.bank`), shared with cells that vote otherwise on
        them and, where no example is used, with those of other budgets; None where there can be no such cells.
        """
        bank = self.method.bank()
        if bank is None:
            return None
        beside = ("name", "labels") if self.method.zero_shot else ("name",)
        held = {key: value for key, value in self.said.items() if key not in beside}
        return content_hash(_said(held | {"method": bank}, UNSAID))

    @cached_property
    def tuned(self) -> str | None:
        """The id of the tuned model it needs (shared by its shifts and test sizes), None when prompted."""
        if self.method.tune is None:
            return None
        recipe = {key: value for key, value in self.method.identity().items() if key not in _ASKING}
        taught = {} if self.home is None else dict(zip(("task", "task_hash"), self.home, strict=True))
        return content_hash(_said(self._shared() | taught | {"method": recipe}, UNSAID))

    @cached_property
    def verifier(self) -> str | None:
        """The id of the verifier that its vote ranks samples by (shared by the votes that do and their shifts); None:
        it needs none.
        """
        vote = self.method.vote
        if self.tuned is None or vote is None or not vote.verified or not self.method.prompt.chain:
            return None
        return content_hash({"generator": self.tuned, "verifier": vote.learning()})

    @property
    def weights(self) -> tuple[str, ...]:
        """The ids of all weights that are made for it."""
        stages = () if self.made is None else tuple(one.id for one in self.made.chain)
        return (*stages, *(one for one in (self.tuned, self.verifier) if one is not None))

    def kept(self, *, every: bool) -> tuple[str, ...]:
        """Those of `weights` that stay when the cell is finished. ``every``: weights as large as the model, too."""
        if every:
            return self.weights
        own = self.method.tune is not None and self.method.tune.keep
        return tuple(one for one in (self.tuned, self.verifier) if own and one is not None)

    @property
    def taught(self) -> str:
        """The task whose examples are granted."""
        return self.task if self.home is None else self.home[0]

    @cached_property
    def search(self) -> str | None:
        """The id of the search it needs (shared by its shifts and test sizes); None: nothing is searched."""
        return None if self.settings is None else content_hash(_said(self._shared(), UNSAID))

    def _shared(self) -> dict[str, Any]:
        """What the cell shares with its shifted siblings, as plain JSON."""
        device, dtype, batch_tokens = self.compute
        schedule = {} if self.method.tune is None else _said(asdict(self.method.schedule()), UNSAID_SCHEDULE)
        return {
            "model": self.model,
            "stage": self.stage,
            "method": self.method.identity(),
            "labels": self.labels,
            "task": self.task,
            "task_hash": self.task_hash,
            "seed": self.seed,
            "device": device,
            "dtype": dtype,
            "batch_tokens": batch_tokens,
            "schedule": schedule,
            "traces": self.traces,
            "made": None if self.made is None else self.made.id,
            "settings": None if self.settings is None else [one.identity() for one in self.settings],
        }


def _said(values: Mapping[str, Any], unsaid: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in unsaid or unsaid[key] != value}
