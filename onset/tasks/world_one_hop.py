"""Facts about the people of the ladder's world, asked without a text to look them up in.

    Question: Where does Diro Siger live?
    Answer: The answer is Vimonan.

``frequency``: people that documents mention often (head: 500), sometimes (mid: 3,500) or hardly ever (tail: 28,000).
The labelled pool asks about people of even rank as often as they are mentioned; the test items about people of odd rank
in the band, about whom no document asks without a passage: they are told of in statements.
"""

from __future__ import annotations

import random

from onset.answers import TextFormat
from onset.ladder.lessons import one_hop
from onset.ladder.world import ATTRIBUTES, BANDS, world
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, whole
from onset.tasks.world import drawn, held, item_of, one_of

NAME = "world-one-hop"


def answer_format() -> AnswerFormat:
    """A short text."""
    return TextFormat()


def load(*, frequency: str = "head", pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """One fact about a person of the band. Raises DataError for a value that is not allowed or too many items."""
    name = f"{NAME}[frequency={one_of(NAME, 'frequency', frequency, tuple(BANDS))}]"
    for size, value in (("pool", pool), ("test", test)):
        whole(NAME, size, value, 1, 1_000_000)

    def anybody(rng: random.Random) -> Problem:
        return _problem(world().askable(rng), rng)

    def somebody(rng: random.Random) -> Problem:
        return _problem(held(rng, frequency), rng)

    return [
        Task(
            name=name,
            ability="knowledge reasoning",
            pool=drawn(name, "pool", anybody, pool, seed),
            test=drawn(name, "test", somebody, test, seed),
            format=answer_format(),
            chance=0.0,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=24,
        )
    ]


def _problem(person: int, rng: random.Random) -> Problem:
    lesson = one_hop(person, rng.choice(ATTRIBUTES))
    return Problem(item_of(lesson, hops=1, rank=person), lesson.question)
