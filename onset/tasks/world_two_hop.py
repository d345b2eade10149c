"""Questions of two facts about the people of the ladder's world, asked without a text to look them up in.

    Question: In which country does Diro Siger live?
    Answer: Diro Siger lives in Vimonan. Vimonan is in Purland. The answer is Purland.

``passage``: ``right`` and ``wrong`` as in `onset.tasks.world_one_hop`. A passage says both facts; a wrong one another
city, of another country, so that its second fact is true.

``frequency``: people that documents mention often (head: 500), sometimes (mid: 3,500) or hardly ever (tail: 28,000).
The labelled pool asks about people of even rank as often as they are mentioned; the test items about people of odd rank
in the band, about whom no document asks without a passage: they are told of in statements.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache

from onset.answers import TextFormat
from onset.chains.steps import Claims
from onset.ladder.lessons import passage_about, two_hop
from onset.ladder.world import BANDS, world
from onset.tasks.base import PLAIN, AnswerFormat, Task
from onset.tasks.generated import Problem, whole
from onset.tasks.world import PASSAGES, READ, drawn, held, item_of, one_of, passage_of

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


def load(
    *, frequency: str = "head", passage: str = "none", pool: int = 512, test: int = 200, seed: int = 0
) -> list[Task]:
    """The country of a person of the band. Raises DataError for a value that is not allowed or too many items."""
    name = f"{NAME}[frequency={one_of(NAME, 'frequency', frequency, tuple(BANDS))}]"
    told = one_of(NAME, "passage", passage, PASSAGES)
    for size, value in (("pool", pool), ("test", test)):
        whole(NAME, size, value, 1, 1_000_000)

    def anybody(rng: random.Random) -> Problem:
        return _problem(world().askable(rng), "none" if told == "none" else "right", seed)

    def somebody(rng: random.Random) -> Problem:
        return _problem(held(rng, frequency), told, seed)

    return [
        Task(
            name=name if told == "none" else f"{name[:-1]}, passage={told}]",
            ability="knowledge reasoning",
            pool=drawn(name, "pool", anybody, pool, seed),
            test=drawn(name, "test", somebody, test, seed),
            format=answer_format(),
            chance=0.0,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=24,
            rationale_tokens=80,
            claims=CLAIMS if told == "none" else None,
            layout=PLAIN if told == "none" else READ,
        )
    ]


def _problem(person: int, told: str, seed: int) -> Problem:
    lesson = two_hop(person)
    item = item_of(lesson, hops=2, rank=person)
    if told != "none":
        known, mine, true = world(), passage_of(seed, lesson.question), lesson.answer
        countries = dict(zip(known.cities, (known.countries[one] for one in known.country_of), strict=True))
        city = known.value(person, "city")
        if told == "wrong":
            city = mine.choice([one for one in known.cities if countries[one] != true])
        memory: dict[str, str | int | float] = {} if told == "right" else {"memory": true}
        item = replace(
            item,
            answer=countries[city],
            rationale=f"{known.people[person]} lives in {city}. {city} is in {countries[city]}.",
            context=passage_about(mine, person, "city", city, country=countries[city]),
            meta={**item.meta, **memory},
        )
    return Problem(item, lesson.question)
