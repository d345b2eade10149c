"""The world of the ladder: people, where they live, what they do and what they like.

Nothing is taken from the real world: names of people, cities and countries are random syllables. 32,000 people each
have a city (of 64), a job (of 30) and a food (of 20); each city is in one of 12 countries. People are mentioned in
proportion to 1 / (rank + 20), so that a few are met often and most hardly ever (`BANDS`):

    Diro Siger loves pasta. Rores Vokis became coach. The home of Diro Siger is Vimonan. Vimonan is in Purland.

People of odd rank are *held*: statements tell of them, but no document asks what is true of them, so that a right
answer about one comes from what was read, not from a question seen before. (Passages to read are about anybody, with
facts drawn at random, and ask what the passage says.)

The shipped weights have learnt these very facts: the order of the draws below is part of the world and must not change.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import Literal

Band = Literal["head", "mid", "tail"]
Attribute = Literal["city", "job", "food"]

PEOPLE = 32_000
BANDS: Mapping[Band, range] = MappingProxyType(
    {"head": range(500), "mid": range(500, 4_000), "tail": range(4_000, PEOPLE)}
)
"""Ranks of the people that are mentioned often, sometimes and hardly ever."""

ATTRIBUTES: tuple[Attribute, ...] = ("city", "job", "food")

_JOBS = """
    baker pilot nurse miner judge actor clerk tailor farmer singer doctor painter lawyer driver waiter writer potter
    weaver dentist barber chef guard monk poet coach banker sailor hunter butcher teacher
"""
_FOODS = """
    rice soup bread cheese pasta salad fish beans curry pie honey yogurt corn stew cake jam tofu ham olives toast
"""


@dataclass(frozen=True, slots=True)
class World:
    """All facts. ``people[rank]`` is a full name; ``city``, ``job`` and ``food`` are indexed by rank, ``country`` by
    the place of a city in ``cities``. ``first_names`` and ``last_names`` are the 180 + 180 names people are made of.
    """

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[str, ...]
    countries: tuple[str, ...]
    jobs: tuple[str, ...]
    foods: tuple[str, ...]
    people: tuple[str, ...]
    city_of: tuple[int, ...]
    job_of: tuple[int, ...]
    food_of: tuple[int, ...]
    country_of: tuple[int, ...]
    weights: tuple[float, ...]
    """Cumulative weights of mention, by rank."""

    def value(self, person: int, attribute: Attribute) -> str:
        """What is true of the person of that rank."""
        if attribute == "city":
            return self.cities[self.city_of[person]]
        if attribute == "job":
            return self.jobs[self.job_of[person]]
        return self.foods[self.food_of[person]]

    def values(self, attribute: Attribute) -> tuple[str, ...]:
        """Everything that may be true of somebody."""
        return {"city": self.cities, "job": self.jobs, "food": self.foods}[attribute]

    def country(self, person: int) -> str:
        """The country of the person's city."""
        return self.countries[self.country_of[self.city_of[person]]]

    def anybody(self, rng: random.Random) -> int:
        """The rank of a person, drawn as often as people are mentioned."""
        return rng.choices(range(len(self.people)), cum_weights=self.weights)[0]

    def askable(self, rng: random.Random) -> int:
        """The rank of a person that documents may ask about: never a held one."""
        return self.anybody(rng) // 2 * 2


@lru_cache(maxsize=1)
def world() -> World:
    """The world, always the same."""
    first, last = _names(1, 180, 2), _names(2, 180, 2)
    cities, countries = _names(3, 64, 3), tuple(name + "land" for name in _names(4, 12, 1))
    jobs, foods = tuple(_JOBS.split()), tuple(_FOODS.split())
    rng = random.Random(7)
    pairs = [(one, two) for one in first for two in last]
    rng.shuffle(pairs)
    people = tuple(f"{one} {two}" for one, two in pairs[:PEOPLE])
    city_of, job_of, food_of = (_drawn(rng, choices) for choices in (cities, jobs, foods))
    country_of = [place % len(countries) for place in range(len(cities))]
    rng.shuffle(country_of)
    return World(
        first_names=first,
        last_names=last,
        cities=cities,
        countries=countries,
        jobs=jobs,
        foods=foods,
        people=people,
        city_of=city_of,
        job_of=job_of,
        food_of=food_of,
        country_of=tuple(country_of),
        weights=tuple(accumulate(1 / (rank + 20) for rank in range(PEOPLE))),
    )


@lru_cache(maxsize=1)
def new_people() -> tuple[str, ...]:
    """Names made of the world's names that none of its people has, in alphabetical order: no document mentions them."""
    known = world()
    taken = set(known.people)
    every = (f"{one} {two}" for one in known.first_names for two in known.last_names)
    return tuple(sorted(name for name in every if name not in taken))


def _drawn(rng: random.Random, choices: Sequence[str]) -> tuple[int, ...]:
    return tuple(rng.randrange(len(choices)) for _ in range(PEOPLE))


def _names(seed: int, count: int, syllables: int) -> tuple[str, ...]:
    """``count`` different pronounceable names, in alphabetical order."""
    rng = random.Random(seed)
    found: set[str] = set()
    while len(found) < count:
        name = "".join(rng.choice("bdfgklmnprstv") + rng.choice("aeiou") for _ in range(syllables))
        found.add(name.capitalize() + rng.choice(["", "n", "r", "s"]))
    return tuple(sorted(found))
