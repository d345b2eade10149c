"""Several seeds of one size: the same recipe and documents, drawn anew in what a seed of pretraining draws.

    OUT/seed-0, OUT/seed-1 ...   a model each, as `onset.ladder.pretrain` leaves it

Whether an ability appears at a size can be a matter of the seed (Zhao et al. 2025, "Distributional Scaling of Emergent
Capabilities", arXiv 2502.17356), so that one model a size says little about the size. The documents are the same for
all seeds: a seed draws the first weights and the order of reading, or one of the two.

Models this small gain nothing from a second thread. So each has one, and as many run side by side as there are
processes asked for. What a model becomes does not depend on how many those are.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from onset.errors import InputError, ModelError, OnsetError, StoreError
from onset.ladder import tokenizer as tokenizers
from onset.ladder.pretrain import MICRO, Progress, is_finished, next_token_loss, pretrain, read_corpus
from onset.ladder.recipe import Held, Recipe
from onset.ladder.run import Run
from onset.ladder.shards import Source
from onset.models.loading import pick_device

Vary = Literal["both", "weights", "order"]
"""What a seed draws."""
MOST = 1000
"""Seeds asked for at once, at most."""


def parse_seeds(text: str) -> tuple[int, ...]:
    """``5`` as 0 to 4, ``2-6`` as 2 to 6, ``0,3,7`` as they are, ``0-2,9`` as both. Raises InputError.

    >>> parse_seeds("3"), parse_seeds("4-6"), parse_seeds("0-1,9")
    ((0, 1, 2), (4, 5, 6), (0, 1, 9))
    """
    asked = text.strip()
    if re.fullmatch(r"\d+", asked):
        asked = f"0-{int(asked) - 1}" if int(asked) else ""
    found: list[int] = []
    for part in asked.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last - first >= MOST:
            raise InputError(f"seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received '{text}'")
        found += range(first, last + 1)
    repeated = sorted({seed for seed in found if found.count(seed) > 1})
    if repeated or len(found) > MOST:
        why = f"seed {repeated[0]} comes twice" if repeated else f"at most {MOST} at once"
        raise InputError(f"seeds '{text}': {why}")
    return tuple(found)


def recipes_of(recipe: Recipe, seeds: Sequence[int], vary: Vary = "both") -> tuple[Recipe, ...]:
    """``recipe`` with each of ``seeds``; of what ``vary`` leaves out the seed stays that of ``recipe``."""
    held = None if vary == "both" else Held("order" if vary == "weights" else "weights", recipe.seed)
    return tuple(replace(recipe, seed=seed, held=held) for seed in seeds)


def folder_of(out: Path, recipe: Recipe) -> Path:
    """Where the model of a seed is."""
    return out / f"seed-{recipe.seed}"


@dataclass(frozen=True, slots=True)
class Pace:
    """What the models that are not there yet will take: ``models`` of ``tokens`` each, ``jobs`` side by side;
    ``rate``: tokens a second of one of them alone, measured; ``seconds``: of all, if they do not slow each other.
    """

    models: int
    tokens: int
    jobs: int
    rate: float

    @property
    def seconds(self) -> float:
        """Rounds of ``jobs`` models at that rate."""
        return -(-self.models // self.jobs) * self.tokens / self.rate


def pace_of(
    recipes: Sequence[Recipe],
    source: Source,
    out: Path,
    *,
    device: str = "auto",
    jobs: int = 1,
    documents: str | None = None,
) -> Pace | None:
    """Measured on this machine as it is now, by a pass and a step of the optimiser; None where all models are there.

    Raises StoreError where a folder holds another model, ModelError for a device that is not there.
    """
    missing = _missing(recipes, source, out, documents or source.fingerprint())
    if not missing:
        return None
    schedule = missing[0].schedule
    where = torch.device(pick_device(missing[0].rung.name, device))
    vocabulary = tokenizers.load(source.tokenizer).get_vocab_size()
    with _one_thread(where):
        run = Run.begin(missing[0], vocabulary, where)
        rows = min(MICRO[where.type], schedule.batch)
        ids = torch.zeros((rows, schedule.sequence + 1), dtype=torch.long, device=where)
        passes, steps = [], []
        for _ in range(3):  # the first finds its kernels
            begun = time.monotonic()
            torch.autograd.backward(next_token_loss(run.module, ids))
            _wait(where)
            passes.append(time.monotonic() - begun)
            run.optimiser.step(0.0)
            _wait(where)
            steps.append(time.monotonic() - begun - passes[-1])
    batch = min(passes[1:]) * schedule.batch / rows + min(steps[1:])
    whole = schedule.steps * schedule.batch * schedule.sequence
    return Pace(len(missing), whole, min(jobs, len(missing)), schedule.batch * schedule.sequence / batch)


def pretrain_seeds(  # noqa: PLR0913 - as `pretrain`, and how many at a time
    recipes: Sequence[Recipe],
    source: Source,
    out: Path,
    *,
    corpora: Path | None = None,
    device: str = "auto",
    workers: int = 1,
    jobs: int = 1,
    progress: Progress | None = None,
    documents: str | None = None,
) -> tuple[Path, ...]:
    """Train a model of each of ``recipes``, which differ in their seeds alone, and return their folders in ``out``.

    Those that are there are kept, and those that were stopped go on, as in `onset.ladder.pretrain.pretrain`. ``jobs``
    run side by side, on a CPU each on one thread; ``corpora`` (default: beside ``out``) keeps the documents, which
    ``workers`` processes make; ``progress`` is told of the phases ``corpus`` and ``seed N``; ``documents``: the
    fingerprint of ``source``, where it is known already. Where one seed fails the others go on.

    Raises ModelError or StoreError as `onset.ladder.pretrain.pretrain` does, of the first seed that fails; InputError
    for ``jobs`` below 1.
    """
    if jobs < 1:
        raise InputError(f"jobs is {jobs}: expected at least 1")
    kept = corpora or out.parent / "corpora"
    known = documents or source.fingerprint()
    missing = _missing(recipes, source, out, known)
    if missing:
        read_corpus(missing[0], source, known, kept, workers, progress)
    failed: list[tuple[Recipe, OnsetError]] = []
    asked = [_Asked(one, source, known, folder_of(out, one), kept, device) for one in missing]
    side = min(jobs, len(asked))
    for one, error in _in_turn(asked, progress) if side < 2 else _side_by_side(asked, side, progress):
        failed += [(one.recipe, error)] if error is not None else []
    if failed:
        recipe, error = failed[0]
        more = f" (and {len(failed) - 1} more of {len(recipes)} seeds failed)" if len(failed) > 1 else ""
        kind = StoreError if isinstance(error, StoreError) else ModelError
        raise kind(f"seed {recipe.seed}: {error}{more}") from error
    return tuple(folder_of(out, one) for one in recipes)


def _missing(recipes: Sequence[Recipe], source: Source, out: Path, documents: str) -> list[Recipe]:
    return [one for one in recipes if not is_finished(one, source, folder_of(out, one), documents)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One model to train."""

    recipe: Recipe
    source: Source
    documents: str
    out: Path
    corpora: Path
    device: str

    def train(self, progress: Progress | None) -> None:
        name = f"seed {self.recipe.seed}"

        def told(phase: str, done: int, total: int, loss: float | None) -> None:
            if progress is not None and phase == "training":
                progress(name, done, total, loss)

        with _one_thread(torch.device(pick_device(self.recipe.rung.name, self.device))):
            pretrain(
                self.recipe, self.source, self.out, corpora=self.corpora, device=self.device, progress=told,
                documents=self.documents,
            )  # fmt: skip


_Done = Iterator[tuple[_Asked, OnsetError | None]]


def _in_turn(asked: Sequence[_Asked], progress: Progress | None) -> _Done:
    for one in asked:
        try:
            one.train(progress)
        except OnsetError as error:
            yield one, error
        else:
            yield one, None


def _side_by_side(asked: Sequence[_Asked], jobs: int, progress: Progress | None) -> _Done:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    reader = threading.Thread(target=_tell, args=(queue, progress), daemon=True)
    reader.start()
    try:
        with ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(queue, os.getpid())) as pool:
            futures: list[tuple[_Asked, Future[OnsetError | None]]] = [(one, pool.submit(_train, one)) for one in asked]
            for one, future in futures:
                yield one, future.result()
    finally:
        queue.put(None)
        reader.join()


def _tell(queue: Any, progress: Progress | None) -> None:
    """Pass on what the processes say, until None."""
    while (said := queue.get()) is not None:
        if progress is not None:
            progress(*said)


_STATE: dict[str, Any] = {}
"""Of a process that trains: the queue it tells, and who started it."""


def _begin(queue: Any, parent: int) -> None:
    _STATE.update(queue=queue, parent=parent)


def _train(one: _Asked) -> OnsetError | None:
    def told(phase: str, done: int, total: int, loss: float | None) -> None:
        if os.getppid() != _STATE["parent"]:
            os._exit(1)  # whoever calls again must not meet us in the same folder
        _STATE["queue"].put((phase, done, total, loss))

    try:
        one.train(told)
    except OnsetError as error:
        return error
    return None


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """On a CPU one thread, and as many as before afterwards."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
