"""What the generated tasks share: a split that cannot leak, and sampling from it.

**Disjoint by construction.** Every problem has a key (the operands of a sum, the words of a list); the
SHA-256 of the key alone decides whether the problem belongs to the labelled pool or to the test items
(`side`, 30 % test). Neither the sizes asked for nor the generator's seed move a problem to the other
side, so no problem is in the pool of one study and in the test items of another.

**Deterministic.** Draws come from `random.Random` seeded by `onset.records.derive_seed`; nothing depends
on the process or on ``PYTHONHASHSEED``. A larger request begins with the items of a smaller one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from onset.errors import DataError
from onset.records import Item, content_hash, derive_seed
from onset.tasks.checks import question_key

if TYPE_CHECKING:
    from onset.tasks.base import Task

Side = Literal["pool", "test"]
TEST_SHARE = 0.3
ENUMERABLE = 20_000
"""Spaces up to this many problems are listed, so that a request too large can say what exists."""

_PATIENCE = 4_000
"""Draws in a row without a new item after which a space counts as used up (more than 99 % of a side, then)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An item and the key that decides its side."""

    item: Item
    key: str


@dataclass(frozen=True, slots=True)
class Space:
    """All problems of one task at one difficulty.

    ``draw`` gives a random problem; ``every`` lists all of them (None when there are more than
    `ENUMERABLE`); ``balance`` names the answers that must be equally frequent (empty: no balancing).
    """

    task: str
    draw: Callable[[random.Random], Problem]
    every: Callable[[], Iterable[Problem]] | None = None
    balance: tuple[str, ...] = ()


def further(load: Callable[..., list[Task]], key: str, steps: int, by: int, **settings: Any) -> Task:
    """The task that ``load`` makes with ``key`` raised ``by`` from ``steps``, of test items alone."""
    return load(**{key: steps + by}, pool=1, **settings)[0]


def side(key: str) -> Side:
    """The side a problem is on, from its key alone."""
    return "test" if int(content_hash(key, 8), 16) < TEST_SHARE * 16**8 else "pool"


def sample(space: Space, *, pool: int, test: int, seed: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """``pool`` and ``test`` distinct items. Raises DataError when there are not as many on a side, or
    when a size or the seed is no whole number in range.
    """
    whole(space.task, "pool", pool, 1, 1_000_000)
    whole(space.task, "test", test, 1, 1_000_000)
    whole(space.task, "seed", seed, 0, 2**31 - 1)
    wanted: dict[Side, int] = {"pool": pool, "test": test}
    if space.every is None:
        return _drawn(space, "pool", pool, seed), _drawn(space, "test", test, seed)
    listed: dict[Side, list[Item]] = {"pool": [], "test": []}
    for problem in space.every():
        listed[side(problem.key)].append(problem.item)
    have = {which: _usable(items, space.balance) for which, items in listed.items()}
    if any(wanted[which] > have[which] for which in wanted):
        total = sum(len(items) for items in listed.values())
        even = f", equally often {' and '.join(space.balance)}" if space.balance else ""
        raise DataError(
            f"task '{space.task}': {pool} pool and {test} test items asked for, but only {have['pool']} and "
            f"{have['test']} exist ({total} problems in all{even})"
        )
    return _listed(space, "pool", listed["pool"], pool, seed), _listed(space, "test", listed["test"], test, seed)


def _usable(items: list[Item], balance: tuple[str, ...]) -> int:
    if not balance:
        return len(items)
    return len(balance) * min(sum(item.answer == answer for item in items) for answer in balance)


def _listed(space: Space, which: Side, items: list[Item], n: int, seed: int) -> tuple[Item, ...]:
    _random(space, which, seed, "draws").shuffle(items)
    queues = {answer: iter([item for item in items if answer in (None, item.answer)]) for answer in _kinds(space)}
    return tuple(next(queues[answer]) for answer in _answers(space, which, n, seed))


def _drawn(space: Space, which: Side, n: int, seed: int) -> tuple[Item, ...]:
    rng = _random(space, which, seed, "draws")
    found: list[Item] = []
    seen: set[tuple[str, ...]] = set()
    for answer in _answers(space, which, n, seed):
        for _ in range(_PATIENCE):
            problem = space.draw(rng)
            if side(problem.key) != which or answer not in (None, problem.item.answer):
                continue
            key = question_key(problem.item)
            if key not in seen:
                seen.add(key)
                found.append(problem.item)
                break
        else:
            raise DataError(
                f"task '{space.task}': {n} {which} items asked for, but only about {len(found)} different ones exist"
            )
    return tuple(found)


def _kinds(space: Space) -> tuple[str | None, ...]:
    return space.balance or (None,)


def _answers(space: Space, which: Side, n: int, seed: int) -> Iterator[str | None]:
    """The answer each item must have, in blocks that hold each one once in random order."""
    rng = _random(space, which, seed, "balance")
    block: list[str | None] = []
    for _ in range(n):
        if not block:
            block = list(_kinds(space))
            rng.shuffle(block)
        yield block.pop()


def _random(space: Space, which: Side, seed: int, use: str) -> random.Random:
    return random.Random(derive_seed("generated task", space.task, which, use, seed))


def whole(task: str, name: str, value: object, low: int, high: int) -> int:
    """``value`` if it is an int from ``low`` to ``high``; raises DataError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DataError(f"task '{task}': {name} must be a whole number from {low} to {high}, not {value!r}")
    return value


def labelled(name: str, dial: str, value: int, default: int) -> str:
    """The task's label: ``addition``, or ``addition[digits=5]`` off the default difficulty."""
    return name if value == default else f"{name}[{dial}={value}]"


def token_limit(characters: int) -> int:
    """Tokens that hold a text of so many characters at two characters a token, and 30 to spare."""
    return -(-characters // 2) + 30
