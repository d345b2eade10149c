"""Jobs given to workers elsewhere: which job to whom, what becomes of those whose worker died, and what is passed on.

A `Pool` starts workers and carries what is said to them and by them; everything else is the same for processes and
clusters. A worker keeps the model that it has open and is given jobs of it first. A model is opened, or made by stages
of training, by one worker alone, so that the type of its weights is chosen and its training done once; then by as many
as have jobs of it. A worker that dies loses its job, which is given to another, `TRIES` times in all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from onset.errors import ExecutorError, StoreError, StudyError
from onset.results.admitted import Admitted, admit, dismiss, dismiss_all
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.jobs import Ended, Job, Node, Opened, Work
from onset.study.made import Made
from onset.study.revisions import Revisions
from onset.study.written import versions

TRIES = 3
"""How often a job is begun whose workers die."""

WAIT = 0.5
"""Seconds that news are waited for at a time."""


@dataclass(frozen=True)
class Bench:
    """What a worker works on, to be sent to it: the ``files`` of the results folder as it may change them, the
    ``grid``, the folder ``home`` that relative paths of the study are seen from, variables of the ``environ``ment, and
    the ``versions`` of what computes.
    """

    files: Admitted
    grid: Grid
    home: str
    environ: Mapping[str, str]
    versions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker is there. ``where``: its process and machine, for people."""

    where: str


@dataclass(frozen=True, slots=True)
class Told:
    """A call of the run's `onset.study.observer.Observer`: its ``name`` and arguments, cells and what stages made by
    their ids.
    """

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The run cannot go on: an error of the class ``kind`` of `onset.errors` ("": none of these), and its ``text``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The worker is not there any more; ``cause``: in a few words, such as ``signal 9``."""

    cause: str


Message = Ready | Told | Opened | Ended | Broken | Gone


class Pool(Protocol):
    """Workers somewhere. Each has a name, which it is given when it is started."""

    def start(self, worker: str, bench: Bench, shape: Hashable) -> None:
        """Start a worker on ``bench``, of a ``shape`` (`Staff.shape`); `news` will tell when it is `Ready`."""
        ...

    def give(self, worker: str, job: Job, dtype: str | None) -> None:
        """Let a worker run ``job`` (`onset.executors.worker.Worker.run`)."""
        ...

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        """What workers have said since, in each one's order, `Gone` its last; waits up to ``seconds`` for the first."""
        ...

    def stop(self, worker: str) -> None:
        """End a worker at once; nothing is heard of it any more."""
        ...


@dataclass(frozen=True)
class Staff:
    """How many workers, and which: ``most`` at a time of a shape; ``shape``: of the worker that a model needs, by
    label (equal ones are one worker's); ``together``: how many of all shapes at a time (None: the pool waits for room).
    """

    most: Callable[[Hashable], int]
    shape: Callable[[str], Hashable]
    together: int | None = None


@dataclass
class _Hand:
    """A worker as the run sees it."""

    shape: Hashable
    ready: bool = False
    node: Node | None = None
    job: Job | None = None
    barred: set[Node] = field(default_factory=set)


def run_on(
    pool: Pool, work: Work, jobs: Sequence[Job], staff: Staff, environ: Mapping[str, str]
) -> Generator[Ended, None, None]:
    """`onset.study.jobs.Executor.run` with the workers of ``pool``, which have the variables of ``environ``.

    Raises ExecutorError where workers end before they begin, StudyError where a model is open here, and what a worker
    cannot go on with.
    """
    if work.models:
        raise StudyError(
            f"model '{next(iter(work.models))}' was given open, and is in this process alone: name it in the study, or"
            " run in this process"
        )
    dismiss_all(work.store.files)
    course = _Course(pool, work, jobs, staff, environ)
    try:
        yield from course.run()
    finally:
        course.close()


class _Course:
    """The course of one run."""

    def __init__(self, pool: Pool, work: Work, jobs: Sequence[Job], staff: Staff, environ: Mapping[str, str]) -> None:
        self._pool, self._work, self._staff, self._environ = pool, work, staff, environ
        self._left: dict[Node, deque[Job]] = {}
        for job in jobs:
            self._left.setdefault(job.node, deque()).append(job)
        self._hands: dict[str, _Hand] = {}
        self._opened: dict[Node, str] = {}
        self._tries: Counter[str] = Counter()
        self._stillborn: Counter[Hashable] = Counter()  # of a shape, one after the other
        self._started = 0
        self._relay = _Relay(work, jobs)
        self._revisions = Revisions(work.store, work.grid)

    def run(self) -> Iterator[Ended]:
        """Until every job has ended."""
        while any(self._left.values()) or any(hand.job is not None for hand in self._hands.values()):
            self._hire()
            self._deal()
            for worker, message in self._pool.news(WAIT):
                yield from self._heard(worker, message)

    def close(self) -> None:
        """End all workers."""
        for worker in self._hands:
            self._pool.stop(worker)
        with suppress(StoreError):  # of a folder that cannot be written any more: the workers are gone
            for worker in self._hands:
                dismiss(self._work.store.files, worker)

    def _hire(self) -> None:
        """Start the workers that there is work for, and end those that there is none for where others wait."""
        wanted: Counter[Hashable] = Counter()
        for node, held in self._left.items():
            wanted[self._staff.shape(node[0])] += len(held)
        for shape in wanted:
            self._replace(shape)
        idle = Counter(hand.shape for hand in self._hands.values() if hand.job is None)
        there = Counter(hand.shape for hand in self._hands.values())
        for shape in wanted:
            while idle[shape] < wanted[shape] and there[shape] < self._most(shape, there[shape]):
                if self._staff.together is not None and len(self._hands) >= self._staff.together:
                    spare = [one for one, hand in self._hands.items() if hand.job is None and not wanted[hand.shape]]
                    if not spare:
                        return
                    self._dismiss(spare[0])
                self._start(shape)
                idle[shape] += 1
                there[shape] += 1
        for worker, hand in list(self._hands.items()):
            if hand.job is None and hand.ready and not wanted[hand.shape]:
                self._dismiss(worker)

    def _most(self, shape: Hashable, there: int) -> int:
        """How many workers of a shape, of which so many are ``there``: none more where the last ones did not begin."""
        return max(there, 1) if self._stillborn[shape] >= TRIES else self._staff.most(shape)

    def _replace(self, shape: Hashable) -> None:
        """End the workers of a shape where what is left is what all of them could not open: others may."""
        left = [node for node, held in self._left.items() if held and self._staff.shape(node[0]) == shape]
        hands = {worker: hand for worker, hand in self._hands.items() if hand.shape == shape}
        if left and all(node in hand.barred for node in left for hand in hands.values()):
            for worker, hand in hands.items():
                if hand.job is None:
                    self._dismiss(worker)

    def _start(self, shape: Hashable) -> None:
        self._started += 1
        worker = f"w{self._started:03d}"
        files = admit(self._work.store.files, worker, str(self._pool))
        bench = Bench(files, self._work.grid, str(Path.cwd()), self._environ, versions())
        self._hands[worker] = _Hand(shape)
        self._pool.start(worker, bench, shape)

    def _dismiss(self, worker: str) -> None:
        del self._hands[worker]
        self._pool.stop(worker)
        dismiss(self._work.store.files, worker)

    def _deal(self) -> None:
        for worker, hand in self._hands.items():
            if hand.ready and hand.job is None and (job := self._pick(hand)) is not None:
                hand.node, hand.job = job.node, job
                self._tries[job.key] += 1
                self._pool.give(worker, job, self._opened.get((job.label, None)))

    def _pick(self, hand: _Hand) -> Job | None:
        """The next job of ``hand``: of the model that it has open; else of one that fewest are at, for their jobs."""
        opening = {one.job.label for one in self._hands.values() if one.job and one.job.node not in self._opened}
        can = [
            node
            for node, held in self._left.items()
            if held and node not in hand.barred and self._staff.shape(node[0]) == hand.shape
            if node in self._opened or node[0] not in opening
        ]
        if hand.node in can:
            return self._left[hand.node].popleft()
        at = Counter(one.node for one in self._hands.values() if one.job is not None)
        own = None if hand.node is None else hand.node[0]

        def use(node: Node) -> tuple[bool, bool, float]:
            return not at[node], node[0] == own, len(self._left[node]) / (1 + at[node])

        best = max(can, key=use, default=None)
        return None if best is None else self._left[best].popleft()

    def _heard(self, worker: str, message: Message) -> Iterator[Ended]:
        hand = self._hands[worker]
        match message:
            case Ready():
                hand.ready = True
                self._stillborn[hand.shape] = 0
            case Told():
                self._relay.tell(message)
            case Opened():
                self._opened.setdefault(message.node, message.dtype)
                self._revisions.opened(message)
            case Broken():
                raise message_error(message)
            case Ended():
                hand.job = None
                yield from self._ended(hand, message)
            case Gone():
                yield from self._gone(worker, hand, message.cause)

    def _ended(self, hand: _Hand, ended: Ended) -> Iterator[Ended]:
        job = ended.job
        elsewhere = False
        if ended.unopened is not None and job.node in self._opened:  # others had it open: it is this worker's trouble
            hand.barred.add(job.node)
            if self._tries[job.key] < TRIES:
                self._left[job.node].appendleft(job)
                return
            elsewhere = any(one.shape == hand.shape and job.node not in one.barred for one in self._hands.values())
        for cell in job.cells:
            if cell.id in ended.failed:
                self._work.watch.failed(cell, ended.failed[cell.id])
        yield ended
        if ended.unopened is not None and not elsewhere:  # nobody is left who could open it
            base = (job.label, None)
            lost = [job.node] if base in self._opened else [node for node in self._left if node[0] == job.label]
            for node in lost:
                while self._left[node]:
                    yield self._fail(self._left[node].popleft(), ended.unopened)

    def _gone(self, worker: str, hand: _Hand, cause: str) -> Iterator[Ended]:
        self._dismiss(worker)
        if not hand.ready:
            self._not_begun(hand.shape, cause)
        if (job := hand.job) is None:
            return
        if self._tries[job.key] < TRIES:
            self._relay.again(job)
            self._left[job.node].appendleft(job)
            self._work.watch.note(f"a worker died ({cause}); its job, {_words(job)}, is given to another")
        else:
            yield self._fail(job, f"the worker died ({cause}), {TRIES} times in all")

    def _not_begun(self, shape: Hashable, cause: str) -> None:
        """A worker has ended before it began. Raises ExecutorError where that was one of several, and none is left."""
        self._stillborn[shape] += 1
        number, left = self._stillborn[shape], sum(hand.shape == shape for hand in self._hands.values())
        if number < TRIES:
            return
        if not left:
            raise ExecutorError(
                f"{number} workers have ended before they began ({cause}); a script that runs a study with workers"
                " calls it under \"if __name__ == '__main__':\""
            )
        if number == TRIES:
            self._work.watch.note(
                f"{number} workers have ended before they began ({cause}): no more are started while others work"
            )

    def _fail(self, job: Job, cause: str) -> Ended:
        """End ``job`` with all of its cells failed that are not done."""
        failed = {}
        for cell in job.cells:
            held = self._work.store.cell(cell.id)
            if not held.done:
                held.fail(cause)
                failed[cell.id] = cause
                self._work.watch.failed(cell, cause)
        return Ended(job, failed)


def _words(job: Job) -> str:
    first = job.cells[0]
    what = f"{first.model} · {first.method.name} · {first.task} · {first.labels} labels · seed {first.seed}"
    return what if len(job.cells) == 1 else f"{what} and {len(job.cells) - 1} more cells"


def message_error(broken: Broken) -> Exception:
    """The error that a worker could not go on with."""
    from onset import errors

    kind = getattr(errors, broken.kind, None) if broken.kind else None
    if kind is None:
        return RuntimeError(f"a worker could not go on: {broken.text}")
    error: Exception = kind(broken.text)
    return error


class _Relay:
    """Passes on to the observer of a run what workers say, each thing once: notes that several have, and progress that
    was made before a job was begun again.
    """

    def __init__(self, work: Work, jobs: Sequence[Job]) -> None:
        self._watch = work.watch
        self._cells: dict[str, Cell] = {cell.id: cell for job in jobs for cell in job.cells}
        self._mades: dict[str, Made] = {one.id: one for job in jobs if job.made for one in job.made.chain}
        self._notes: set[str] = set()
        self._items: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def tell(self, told: Told) -> None:
        """One call."""
        name, arguments = told.name, told.arguments
        if name == "note":
            if arguments[0] not in self._notes:
                self._notes.add(arguments[0])
                self._watch.note(arguments[0])
        elif name == "doing":
            self._watch.doing(arguments[0])
        elif name == "training":
            self._watch.training(self._mades[arguments[0]], *arguments[1:])
        elif name == "advanced":
            cell, items = arguments
            self._seen[cell] += items
            # the first is what was committed before, nothing too: the pace is reckoned without it
            if (more := self._seen[cell] - self._items[cell]) > 0 or cell not in self._items:
                self._items[cell] += more
                self._watch.advanced(self._cells[cell], more)
        else:
            getattr(self._watch, name)(self._cells[arguments[0]], *arguments[1:])

    def again(self, job: Job) -> None:
        """``job`` is begun again: what was committed is told once more."""
        for cell in job.cells:
            self._seen[cell.id] = 0
