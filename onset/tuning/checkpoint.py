"""Training that is killed goes on where it was: checkpoints, and what is done with one that does not fit.

A checkpoint is one safetensors file of the weights under training, the optimiser's state and the random generators.
`onset.tuning.optimise.optimise` writes and reads it; a caller says where, and what it knows of the run:

    checkpoint = Checkpoint(path, {"base": model.facts.revision}, note=print)
    tuned, report = method.tune(model, examples, seeds, schedule, checkpoint=checkpoint)
    ...                        # keep the tuned weights
    checkpoint.remove()
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import StoreError

if TYPE_CHECKING:
    from torch import Tensor

EVERY = 60.0
"""Seconds between two checkpoints: what a killed run loses at most."""

SHARE = 0.1
"""The share of the time that writing checkpoints may take: one that takes longer to write than this share of `EVERY`
is written less often.
"""


@dataclass(frozen=True)
class State:
    """Training as it stands after ``step`` steps: a loss for each (`onset.tuning.optimise.Trace`), the ``tokens`` run,
    ``figures`` of each step, the ``micro`` limit where memory ran out (None: it did not), and all ``tensors`` that the
    next step depends on, by name.
    """

    step: int
    losses: Sequence[float]
    tokens: int
    figures: Mapping[str, Sequence[float]]
    micro: int | None
    tensors: Mapping[str, Tensor]


def _nobody(_: str) -> None:
    pass


def _always() -> None:
    pass


@dataclass
class Checkpoint:
    """The checkpoint of one training run, in the file ``path``.

    ``identity``: what the weights depend on that the caller knows (JSON: revision of the base model, template). A loop
    adds its own (examples), and `onset.tuning.optimise.optimise` the rest (schedule, seeds, first weights, versions). A
    run goes on from a checkpoint only if all of it is the same; the number of threads is not among it, and another one
    changes the last bits, as it always does. ``note`` is told, in one line, what the user should know. ``check`` is
    called before each change of the file, and raises StoreError where this run may change nothing any more. ``every``:
    seconds from one checkpoint to the next (None: `EVERY`; 0: after every step), by ``clock``, which decides when one
    is written and never what is in it. ``seconds``: how long runs before the present one trained, once it has gone on
    from theirs; ``before``: how long they took before they trained, for what is kept of that. ``shown``: what training
    shows to people until now (plain JSON), which goes on with it.
    """

    path: Path
    identity: dict[str, Any] = field(default_factory=dict)
    note: Callable[[str], None] = _nobody
    check: Callable[[], None] = _always
    every: float | None = None
    clock: Callable[[], float] = time.monotonic
    seconds: float = 0.0
    before: float = 0.0
    shown: list[Any] = field(default_factory=list)
    _begun: float = 0.0
    _next: float = 0.0
    _failed: bool = False

    def resume(self, identity: Mapping[str, Any]) -> State | None:
        """The state that an earlier run left, and the clock starts; None where there is none.

        A file that is damaged, or of another run than ``identity`` and the caller's own say, is put aside with a note.
        """
        self._begun = self.clock()
        self._next = self._begun + self._every
        if not self.path.exists():
            return None
        wanted = self._said(identity)
        try:
            told, tensors = _read(self.path)
        except Exception as error:  # whatever safetensors, JSON or the file system have to say of a damaged file
            self._aside(f"is damaged ({' '.join(str(error).split())[:120]})")
            return None
        found = told["identity"]
        differing = [key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key)]
        if differing:
            self._aside(f"is of another run (another {', '.join(differing)})")
            return None
        self.seconds = float(told["seconds"])
        self.shown[:] = told.get("shown", [])  # not in checkpoints of before it was kept
        self.note(f"training goes on after {told['step']} steps, from {self.path}")
        return State(told["step"], told["losses"], told["tokens"], told["figures"], told["micro"], tensors)

    @property
    def due(self) -> bool:
        """Is it time for the next one?"""
        return self.clock() >= self._next

    def write(self, identity: Mapping[str, Any], state: State) -> None:
        """Put ``state`` in the place of the last checkpoint, by rename. Where that fails, training goes on, with a
        note. Raises as `check`.
        """
        from safetensors.torch import save_file

        began = self.clock()
        tensors = {name: one.detach().cpu().contiguous() for name, one in state.tensors.items()}
        told = {
            "identity": self._said(identity),
            "step": state.step,
            "losses": list(state.losses),
            "tokens": state.tokens,
            "figures": {name: list(values) for name, values in state.figures.items()},
            "micro": state.micro,
            "seconds": self.seconds + began - self._begun,
            "shown": self.shown,
        }
        text = json.dumps(told)  # floats come back to the bit
        self.check()
        partial = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_file(
                tensors, partial, metadata={"told": text, "digest": _digest(text, tensors), "onset_format": _format()}
            )
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
            self.check()  # writing may take as long as it takes another run to take over
            os.replace(partial, self.path)
        except StoreError:
            raise
        except Exception as error:  # safetensors has exceptions of its own for a full disk
            with suppress(OSError):
                partial.unlink(missing_ok=True)  # it holds the room that other files need
            if not self._failed:
                self.note(f"no checkpoint in {self.path} ({' '.join(str(error).split())[:120]}): training goes on")
            self._failed = True
        now = self.clock()
        self._next = now + (max(self._every, (now - began) / SHARE) if self._every else 0.0)

    def remove(self) -> None:
        """What was trained is kept elsewhere, or the run is given up: nothing is left to go on from."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    @property
    def _every(self) -> float:
        return EVERY if self.every is None else self.every

    def _said(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(json.dumps({**self.identity, **identity}))
        return said

    def _aside(self, why: str) -> None:
        self.check()
        aside = self.path.with_name(f"{self.path.name}.aside")
        try:
            os.replace(self.path, aside)
        except OSError as error:
            self.note(f"checkpoint {self.path} {why} and cannot be put aside ({error.strerror}): training begins anew")
            return
        self.note(f"checkpoint {self.path} {why}: put aside as {aside.name}, training begins anew")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a file holds. Raises ValueError where its bytes are not those that were written."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    text = metadata.get("told", "")
    if metadata.get("digest") != _digest(text, tensors):
        raise ValueError("its hash is not that of its content")
    told: dict[str, Any] = json.loads(text)
    return told, tensors


def _format() -> str:
    from onset.tuning.weights import FORMAT

    return FORMAT


def _digest(told: str, tensors: Mapping[str, Tensor]) -> str:
    from onset.tuning.weights import digest

    return digest(told, tensors)
