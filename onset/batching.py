"""The batcher: many items' solvers wait, the model is called once for all of them.

Solvers are coroutines; each awaits `Calls.generate` or `Calls.score`. When every solver of the chunk is
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
from typing import Any, TypeVar

from onset.models.base import Model
from onset.prompting.base import Calls, Context, Solver
from onset.records import Attempt, Completion, Item, Pair, Request, Scored

_QUIET_ROUNDS = 3
"""Rounds of the event loop without a new request after which every solver must be waiting: solvers
await nothing but the model, and a gather inside a solver needs one round to start its calls."""

T = TypeVar("T")
Work = Callable[[], Any]
Caller = Callable[[Work], Awaitable[Any]]
"""Does a piece of work in the thread that may call the model, and hands back what it returns."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is left of an item whose solver raised: the ``cause`` in one line, the first ``prompt`` it asked
    (empty when it asked nothing), and the tokens that ran for it.
    """

    cause: str
    prompt: str
    prompt_tokens: int
    output_tokens: int


class _Line:
    """`Calls` of one item: what was asked is known also when its solver never comes to hand it back."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self.prompt: str | None = None
        self.prompt_tokens = 0
        self.output_tokens = 0

    async def generate(self, request: Request) -> list[Completion]:
        """Wait for the batch that holds ``request``."""
        if self.prompt is None:
            self.prompt = request.prompt
        done = await self._batcher.generate(request)
        if done and done[0].finish != "overlong":  # such a prompt is never run
            self.prompt_tokens += done[0].prompt_tokens
            self.output_tokens += sum(one.tokens for one in done)
        return done

    async def score(self, pair: Pair) -> Scored:
        """Wait for the batch that holds ``pair``."""
        return await self._batcher.score(pair)

    def failure(self, error: BaseException) -> Failure:
        """The end of this item by ``error``."""
        cause = " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())[:500]
        return Failure(cause, self.prompt or "", self.prompt_tokens, self.output_tokens)


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

    async def run(
        self, solver: Solver, items: Sequence[Item], context_of: Callable[[Calls], Context]
    ) -> list[Attempt | Failure]:
        """Solve ``items`` in order. A solver that raises fails its item; an error of the model ends the chunk."""
        lines = [_Line(self) for _ in items]
        work = [asyncio.ensure_future(solver(item, context_of(line))) for item, line in zip(items, lines, strict=True)]
        try:
            while not all(one.done() for one in work):
                await self._settle()
                await self._serve()
            return [_outcome(one, line) for one, line in zip(work, lines, strict=True)]
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
            _deliver([future for _, future in requests], await self._call(lambda: self._model.generate(asked)))
        if pairs:
            scored = [one for one, _ in pairs]
            _deliver([future for _, future in pairs], await self._call(lambda: self._model.score(scored)))


def _outcome(work: asyncio.Future[Attempt], line: _Line) -> Attempt | Failure:
    if work.cancelled():
        return line.failure(asyncio.CancelledError())
    error = work.exception()
    return work.result() if error is None else line.failure(error)


def _deliver(futures: Sequence[asyncio.Future[Any]], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if not future.done():  # a solver that was cancelled in a gather waits no more
            future.set_result(result)


def solve_all(
    model: Model, solver: Solver, items: Sequence[Item], context_of: Callable[[Calls], Context]
) -> list[Attempt | Failure]:
    """Run ``solver`` over ``items`` with a fresh batcher; ``context_of(calls)`` makes an item's context."""

    def main(call: Caller) -> Coroutine[Any, Any, list[Attempt | Failure]]:
        return Batcher(model, call).run(solver, items, context_of)

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
