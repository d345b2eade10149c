"""The batcher: many items' solvers wait, the model is called once for all of them.

Solvers are coroutines; each awaits `Calls.generate` or `Calls.score`. When every solver of the chunk is
waiting, the collected requests go to the model in one call each, so that a method of two calls an item
is as fast as a method of one. The order of the requests depends on nothing but the order of the items:
the same chunk gives the same batches, bit for bit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from onset.models.base import Model
from onset.prompting.base import Context, Solver
from onset.records import Attempt, Completion, Item, Pair, Request, Scored

_QUIET_ROUNDS = 3
"""Rounds of the event loop without a new request after which every solver must be waiting: solvers
await nothing but the model, and a gather inside a solver needs one round to start its calls."""


class Batcher:
    """`Calls` over a model that answers whole batches. Use one for each chunk of items."""

    def __init__(self, model: Model) -> None:
        self._model = model
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

    async def run(self, solver: Solver, items: Sequence[Item], context: Context) -> list[Attempt]:
        """Solve ``items`` in order; the first error of a solver or of the model ends the chunk."""
        work = [asyncio.ensure_future(solver(item, context)) for item in items]
        try:
            while not all(one.done() for one in work):
                await self._settle()
                self._serve()
            return [one.result() for one in work]
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

    def _serve(self) -> None:
        requests, self._requests = self._requests, []
        pairs, self._pairs = self._pairs, []
        if requests:
            _deliver([future for _, future in requests], self._model.generate([one for one, _ in requests]))
        if pairs:
            _deliver([future for _, future in pairs], self._model.score([one for one, _ in pairs]))


def _deliver(futures: Sequence[asyncio.Future[Any]], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        future.set_result(result)


def solve_all(model: Model, solver: Solver, items: Sequence[Item], context_of: Any) -> list[Attempt]:
    """Run ``solver`` over ``items`` with a fresh batcher; ``context_of(calls)`` makes the context."""

    async def main() -> list[Attempt]:
        batcher = Batcher(model)
        return await batcher.run(solver, items, context_of(batcher))

    return asyncio.run(main())
