"""What the tasks of the ladder's world share: the table's names, labels, and items made of lessons.

The world and everything that is asked about it are in `onset.ladder`; a model that was not pretrained on its documents
can only learn of it from the demonstrations.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from onset.errors import DataError
from onset.ladder.lessons import Lesson
from onset.ladder.world import BANDS
from onset.records import Item, derive_seed
from onset.tasks.base import Layout
from onset.tasks.generated import Problem, Side, Space, sample

Draw = Callable[[random.Random], Problem]


def item_of(lesson: Lesson, **meta: str | int) -> Item:
    """The lesson as an item."""
    return Item(
        lesson.question,
        lesson.answer,
        lesson.rationale or None,
        choices=lesson.choices or None,
        context=lesson.passage or None,
        meta=dict(meta),
    )


def label(name: str, defaults: dict[str, str | int], given: dict[str, str | int]) -> str:
    """The task's label: its name, and the dials that are not at their default.

    >>> label("world-problems", {"steps": 4, "order": "in"}, {"steps": 4, "order": "shuffled"})
    'world-problems[order=shuffled]'
    """
    turned = [f"{dial}={value}" for dial, value in given.items() if value != defaults[dial]]
    return f"{name}[{', '.join(turned)}]" if turned else name


def one_of(task: str, name: str, value: object, allowed: tuple[str, ...]) -> str:
    """``value`` if it is one of ``allowed``; raises DataError otherwise."""
    if value not in allowed:
        raise DataError(f"task '{task}': {name} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


PASSAGES = ("none", "right", "wrong")
"""Of a question about the world: no passage, one that says what is true, or one that contradicts it."""
READ = Layout(context="Passage:")


def passage_of(seed: int, question: str) -> random.Random:
    """What draws the passage of a question: apart from what draws the questions, so that these are the same without."""
    return random.Random(derive_seed("passage of the world", seed, question))


def held(rng: random.Random, frequency: str) -> int:
    """The rank of a person of that band whom no document asks about."""
    band = next(ranks for name, ranks in BANDS.items() if name == frequency)
    return rng.choice(band) // 2 * 2 + 1


def drawn(name: str, which: Side, draw: Draw, count: int, seed: int) -> tuple[Item, ...]:
    """``count`` different items where the hands that draw pool and test items can never draw the same.

    Raises DataError when there are not as many.
    """
    rng = random.Random(derive_seed("world task", name, which, seed))
    found: dict[str, Item] = {}
    for _ in range(40 * count + 4_000):
        problem = draw(rng)
        found.setdefault(problem.key, problem.item)
        if len(found) == count:
            return tuple(found.values())
    raise DataError(f"task '{name}': {count} {which} items asked for, but only about {len(found)} different ones exist")


def split(
    name: str, pool: Draw, test: Draw, *, sizes: tuple[int, int], seed: int, balance: tuple[str, ...] = ()
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """``sizes`` (pool, test) items drawn by two hands; a key is on one side only (`onset.tasks.generated`)."""
    pool_items, _ = sample(Space(f"{name} pool", pool, balance=balance), pool=sizes[0], test=1, seed=seed)
    _, test_items = sample(Space(name, test, balance=balance), pool=1, test=sizes[1], seed=seed)
    return pool_items, test_items
