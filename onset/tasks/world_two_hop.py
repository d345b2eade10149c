"""Questions of two facts about the people of the ladder's world, asked without a text to look them up in.

    Question: In which country does Diro Siger live?
    Answer: Diro Siger lives in Vimonan. Vimonan is in Purland. The answer is Purland.

``frequency``: people that documents mention often (head: 500), sometimes (mid: 3,500) or hardly ever (tail: 28,000).
The labelled pool asks about people of even rank as often as they are mentioned; the test items about people of odd rank
in the band, about whom no document asks without a passage: they are told of in statements.
"""

from __future__ import annotations

import random
from functools import lru_cache

from onset.answers import TextFormat
from onset.chains.steps import Claims
from onset.ladder.lessons import two_hop
from onset.ladder.world import BANDS, world
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, whole
from onset.tasks.world import drawn, held, item_of, one_of

NAME = "world-two-hop"


@lru_cache(maxsize=1)
def places() -> str:
    """Every city with its country, as worked steps say it."""
    known = world()
    return " ".join(
        f"{city} is in {known.countries[known.country_of[place]]}." for place, city in enumerate(known.cities)
    )


CLAIMS = Claims(
    (
        r"\b(?P<key>[A-Z]\w+(?: [A-Z]\w+)?) lives in (?P<value>[A-Z]\w+)",
        r"\b(?P<key>[A-Z]\w+) is in (?P<value>[A-Z]\w+)",
    ),
    known=places,
)
"""Where a person lives, and in which country any city of the world is."""


def answer_format() -> AnswerFormat:
    """A short text."""
    return TextFormat()


def load(*, frequency: str = "head", pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """The country of a person of the band. Raises DataError for a value that is not allowed or too many items."""
    name = f"{NAME}[frequency={one_of(NAME, 'frequency', frequency, tuple(BANDS))}]"
    for size, value in (("pool", pool), ("test", test)):
        whole(NAME, size, value, 1, 1_000_000)

    def anybody(rng: random.Random) -> Problem:
        return _problem(world().askable(rng))

    def somebody(rng: random.Random) -> Problem:
        return _problem(held(rng, frequency))

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
            rationale_tokens=80,
            claims=CLAIMS,
        )
    ]


def _problem(person: int) -> Problem:
    lesson = two_hop(person)
    return Problem(item_of(lesson, hops=2, rank=person), lesson.question)
