"""What a person sees while a study runs or a model is trained: a bar with the time left, or plain lines when piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from onset.untrusted import printable

if TYPE_CHECKING:  # training a model of the ladder needs a bar, and none of the packages for tables
    from onset.study.cell import Cell
    from onset.study.estimate import Estimate
    from onset.study.grid import Grid
    from onset.study.made import Made

Raised = type[BaseException] | BaseException | TracebackType | None


class Display:
    """An observer (`onset.study.observer`) of a run.

    Progress is weighted by each cell's estimated seconds; the time left comes from the pace so far, so a
    wrong estimate of the machine's speed cancels out.
    """

    def __init__(self, console: Console, estimate: Estimate) -> None:
        self._console = console
        self._estimate = estimate
        self._live = console.is_terminal
        self._bar = Progress(
            # on a narrow terminal the name of the step gives way, never the numbers
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, min_width=12)),
            BarColumn(bar_width=16, table_column=Column(no_wrap=True, min_width=16)),
            TaskProgressColumn(table_column=Column(no_wrap=True, min_width=4)),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
            expand=True,
            console=console,
        )
        self._task: TaskID | None = None
        self._total = 0.0
        self._done = 0.0
        self._skipped = 0.0
        self._started = time.monotonic()
        self._pending: dict[str, int] = {}
        self._tuned: dict[str, float] = {}
        self._searched: dict[str, float] = {}
        self._step = ""
        self.is_tuning = False
        """Is the step under way a tuning? Of it a minute may be lost."""

    def __enter__(self) -> Display:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *_: Raised) -> None:
        if self._live:
            self._bar.stop()

    def begin(self, grid: Grid, missing: Sequence[Cell]) -> None:
        """Start the clock: ``missing`` cells and the tunings they need make up the whole."""
        self._total = sum(self._estimate.weight(cell) for cell in missing)
        trained = {one for cell in missing for one in (cell.tuned, cell.verifier) if one}
        trained |= {one.id for cell in missing if cell.made is not None for one in cell.made.chain}
        self._total += sum(self._estimate.tunings[one].seconds or 0.0 for one in trained)
        searched = {cell.search for cell in missing if cell.search}
        self._total += sum(self._estimate.searches[one].seconds or 0.0 for one in searched)
        self._started = time.monotonic()
        kept = len(grid.cells) - len(missing)
        self._console.print(f"{len(missing)} cells to run" + (f", {kept} already there" if kept else ""))
        if self._live:
            self._task = self._bar.add_task("starting", total=self._total or 1.0, left="")

    def doing(self, text: str) -> None:
        """Name the step."""
        self.is_tuning = "· tuning " in text
        self._step = text = printable(text)
        if self._task is not None:
            self._bar.update(self._task, description=text)
        else:
            share = self._done / self._total if self._total else 0.0
            print(printable(f"[{share:4.0%}{self._left()}] {text}"), file=sys.stderr, flush=True)

    def advanced(self, cell: Cell, items: int) -> None:
        """Count committed items, weighted by what the cell costs."""
        first = cell.id not in self._pending
        self._pending[cell.id] = self._pending.get(cell.id, 0) + items
        weight = self._estimate.weight(cell) * items / cell.items
        if first:  # what was found committed says nothing about the pace
            self._skipped += weight
        self._advance(weight)

    def tuning(self, cell: Cell, done: int, steps: int) -> None:
        """Count the steps of a tuning, and name the last one beside the bar."""
        self._trained_to(cell.tuned, done, steps)

    def verifying(self, cell: Cell, done: int, steps: int) -> None:
        """Likewise of a verifier."""
        self._trained_to(cell.verifier, done, steps)

    def training(self, made: Made, done: int, steps: int) -> None:
        """Likewise of a stage of training."""
        self._trained_to(made.id, done, steps)

    def _trained_to(self, tuned: str | None, done: int, steps: int) -> None:
        if tuned:
            self._tuned_to(tuned, done / steps)
        if self._task is not None:
            self._bar.update(self._task, description=f"step {done} of {steps} · {self._step}")

    def tuned(self, cell: Cell) -> None:
        """Count a tuning, what is left of it."""
        if cell.tuned:
            self._tuned_to(cell.tuned, 1.0)

    def searched(self, cell: Cell, done: int, trials: int) -> None:
        """Count the trials of a search."""
        if cell.search and (share := done / trials) > (before := self._searched.get(cell.search, 0.0)):
            self._searched[cell.search] = share
            self._advance((share - before) * (self._estimate.searches[cell.search].seconds or 0.0))

    def _tuned_to(self, tuned: str, share: float) -> None:
        before = self._tuned.get(tuned, 0.0)
        if share > before:
            self._tuned[tuned] = share
            self._advance((share - before) * (self._estimate.tunings[tuned].seconds or 0.0))

    def failed(self, cell: Cell, error: str) -> None:
        """Say at once that a cell failed."""
        self._console.print(
            f"failed: {cell.model}, {cell.method.name}, {cell.task}: {error}", style="red", markup=False
        )

    def note(self, text: str) -> None:
        """Say it at once."""
        self._console.print(f"note: {text}", markup=False)

    def _advance(self, weight: float) -> None:
        self._done += weight
        if self._task is not None:
            self._bar.update(self._task, completed=self._done, left=self._left())

    def _left(self) -> str:
        from onset.analysis.words import duration

        earned = self._done - self._skipped
        if earned <= 0 or self._total <= 0:
            return ""
        seconds = (time.monotonic() - self._started) * (self._total - self._done) / earned
        return f" about {duration(max(seconds, 0.0))} left"


class Phases:
    """Work in phases: one bar a phase with the time left, or plain lines when piped."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._live = console.is_terminal
        self._said: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[loss]}"),
            console=console,
        )

    def __enter__(self) -> Phases:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *_: Raised) -> None:
        if self._live:
            self._bar.stop()

    def of(self, phase: str) -> Callable[[int, int], None]:
        """A callback of one phase."""
        return lambda done, total: self.told(phase, done, total, None)

    def told(self, phase: str, done: int, total: int, loss: float | None) -> None:
        """Show it; in plain lines every twentieth of the way and whenever there is a loss."""
        shown = "" if loss is None else f"loss {loss:.3f}"
        if not self._live:
            twentieth = 20 * done // total
            if loss is not None or twentieth > self._said.get(phase, 0):
                self._said[phase] = twentieth
                print(f"[{done / total:4.0%}] {phase} {shown}".rstrip(), file=sys.stderr, flush=True)
            return
        if phase not in self._tasks:
            self._tasks[phase] = self._bar.add_task(phase, total=total, loss="")
        task = self._tasks[phase]
        self._bar.update(task, completed=done)
        if shown:
            self._bar.update(task, loss=shown)
