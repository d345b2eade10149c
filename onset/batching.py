"""The batcher: many items' solvers wait, the model is called once for all of them.

Solvers are coroutines; each awaits `onset.prompting.ask.Ask.generate` or ``score``. When every solver of the chunk is
waiting, the collected requests go to the model in one call each, so that a method of two calls an item
is as fast as a method of one. The order of the requests depends on nothing but the order of the items:
the same chunk gives the same batches, bit for bit.

The model is always called in the thread that asks for the answers. Where an event loop runs in it already
(a notebook, an async program) the solvers get a thread with a loop of their own.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from onset.errors import RequestRefused, Unanswered
from onset.models.base import Model
from onset.prompting.ask import Ask, Calls
from onset.records import Call, Completion, Item, Pair, Request, Scored

_QUIET_ROUNDS = 3
"""Rounds of the event loop without a new request after which every solver must be waiting: solvers
await nothing but the model, and a gather inside a solver needs one round to start its calls."""

T = TypeVar("T")
Work = Callable[[], Any]
Caller = Callable[[Work], Awaitable[Any]]
"""Does a piece of work in the thread that may call the model, and hands back what it returns."""


Solver = Callable[[Item, Ask], Awaitable[Any]]
"""``async def solve(item, ask)``: pure but for the model's calls."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What a solver handed back for an item (None where it raised), the ``transcript`` of its calls, and the ``cause``,
    in one line, where it raised.
    """

    result: Any
    transcript: tuple[Call, ...]
    cause: str | None = None


class Batcher:
    """`Calls` over a model that answers whole batches. Use one for each chunk of items.

    ``call`` does a piece of work in the thread that may call the model.
    """

    def __init__(self, model: Model, call: Caller) -> None:
        self._model = model
        self._call = call
        self._requests: list[tuple[Request, asyncio.Future[list[Completion]]]] = []
        self._pairs: list[tuple[Pair, asyncio.Future[Scored]]] = []
        self._arrived = 0
        self._waiting = 0

    async def generate(self, request: Request) -> list[Completion]:
        """Wait for the batch that holds ``request``."""
        future: asyncio.Future[list[Completion]] = asyncio.get_running_loop().create_future()
        self._requests.append((request, future))
        self._arrived += 1
        return await future

    async def score(self, pair: Pair) -> Scored:
        """Wait for the batch that holds ``pair``."""
        future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        self._pairs.append((pair, future))
        self._arrived += 1
        return await future

    async def run(self, solver: Solver, items: Sequence[Item], ask_of: Callable[[Item, Calls], Ask]) -> list[Solved]:
        """Solve ``items`` in order. A solver that raises fails its item; an error of the model ends the chunk.

        Raises Unanswered, once nothing can be asked any more without them, where answers are yet to come: a solver that
        needs one waits, and the others go on, so that all is asked that can be.
        """
        asks = [ask_of(item, self) for item in items]
        work = [asyncio.ensure_future(solver(item, ask)) for item, ask in zip(items, asks, strict=True)]
        for one, ask in zip(work, asks, strict=True):
            one.add_done_callback(partial(_close, ask))
        try:
            while not all(one.done() for one in work):
                await self._settle()
                if self._waiting and not (self._requests or self._pairs):
                    break
                await self._serve()
            if self._waiting:
                raise Unanswered(f"{self._waiting} answers are yet to come")
            return [_outcome(one, ask) for one, ask in zip(work, asks, strict=True)]
        finally:
            for one in work:
                one.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _settle(self) -> None:
        quiet, seen = 0, self._arrived
        while quiet < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._arrived == seen else 0
            seen = self._arrived

    async def _serve(self) -> None:
        requests, self._requests = self._requests, []
        pairs, self._pairs = self._pairs, []
        if requests:
            asked = [one for one, _ in requests]
            # a server may refuse one request: the item that asked fails, not the chunk
            answers = getattr(self._model, "answers", self._model.generate)
            self._deliver([future for _, future in requests], await self._call(lambda: answers(asked)))
        if pairs:
            scored = [one for one, _ in pairs]
            scores = getattr(self._model, "scores", self._model.score)
            self._deliver([future for _, future in pairs], await self._call(lambda: scores(scored)))

    def _deliver(self, futures: Sequence[asyncio.Future[Any]], results: Sequence[Any]) -> None:
        for future, result in zip(futures, results, strict=True):
            if isinstance(result, Unanswered):
                self._waiting += 1
            elif future.done():  # a solver that was cancelled in a gather waits no more
                continue
            elif isinstance(result, RequestRefused):
                future.set_exception(result)
            else:
                future.set_result(result)


def _close(ask: Ask, _: asyncio.Future[Any]) -> None:
    ask.closed = True


def _outcome(work: asyncio.Future[Any], ask: Ask) -> Solved:
    error = asyncio.CancelledError() if work.cancelled() else work.exception()
    if error is None:
        return Solved(work.result(), tuple(ask.transcript))
    return Solved(None, tuple(ask.transcript), cause_of(error))


def cause_of(error: BaseException) -> str:
    """What ``error`` says, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())[:500]


def solve_all(
    model: Model, solver: Solver, items: Sequence[Item], ask_of: Callable[[Item, Calls], Ask]
) -> list[Solved]:
    """Run ``solver`` over ``items`` with a fresh batcher; ``ask_of(item, calls)`` makes an item's `Ask`."""

    def main(call: Caller) -> Coroutine[Any, Any, list[Solved]]:
        return Batcher(model, call).run(solver, items, ask_of)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main(_here))
    return _beside(main)


async def _here(work: Work) -> Any:
    return work()


def _beside(main: Callable[[Caller], Coroutine[Any, Any, T]]) -> T:
    """Run ``main`` in a thread with an event loop of its own, and what it wants called in this thread.

    An interrupt (Ctrl-C in a program, Stop in a notebook) arrives in this thread: it ends the other one, and goes on.
    """
    wanted: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
    outcome: Future[T] = Future()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def call(work: Work) -> Any:
        done: Future[Any] = Future()
        wanted.put((work, done))
        return await asyncio.wrap_future(done)

    async def begin() -> T:
        running.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await main(call)

    def other() -> None:
        try:
            outcome.set_result(asyncio.run(begin()))
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            wanted.put(None)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(other,), name="onset-solvers", daemon=True)
    thread.start()
    try:
        while (job := wanted.get()) is not None:
            work, done = job
            try:
                done.set_result(work())
            except Exception as error:
                done.set_exception(error)
            except BaseException:
                done.cancel()
                raise
    except BaseException:
        for loop, task in running:
            if task is not None and not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        while (job := wanted.get()) is not None:
            job[1].cancel()
        raise
    finally:
        thread.join()
    return outcome.result()
