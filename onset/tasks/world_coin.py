"""The coin of the ladder's world: which side it shows after some people flipped it or left it.

    Question: A coin shows heads. Tom leaves it. Eli flips it. Which side does it show?
    Answer: It shows heads. Tom leaves: heads. Eli flips: tails. The answer is tails.

The labelled pool has 1 to 5 people, the test items ``people``. Heads and tails are equally frequent: chance is one
half. The key of a problem is the whole question.
"""

from __future__ import annotations

import random
from functools import partial

from onset.answers import TextFormat
from onset.chains.steps import Claims
from onset.ladder.lessons import coin
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, further, whole
from onset.tasks.solving.small import Coins
from onset.tasks.world import item_of, label, split

NAME = "world-coin"
DEFAULTS: dict[str, str | int] = {"people": 4}
CLAIMS = Claims(
    (
        r"\b(?P<key>It shows) (?P<value>heads|tails)\b",
        r"\b(?P<key>[A-Z]\w+) (?P<value>flips|leaves): (?P<value2>heads|tails)\b",
    )
)
"""The side the coin shows at first, and what each person does to it, with the side it then shows."""


def answer_format() -> AnswerFormat:
    """A short text: heads or tails."""
    return TextFormat()


def load(*, people: int = 4, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Stories of ``people`` (2 to 12) people. Raises DataError for a value out of range."""
    whole(NAME, "people", people, 2, 12)
    name = label(NAME, DEFAULTS, {"people": people})

    def shown(rng: random.Random) -> Problem:
        return _problem(rng, rng.randint(1, 5))

    def asked(rng: random.Random) -> Problem:
        return _problem(rng, people)

    pool_items, items = split(name, shown, asked, sizes=(pool, test), seed=seed, balance=("heads", "tails"))
    return [
        Task(
            name=name,
            ability="symbolic",
            pool=pool_items,
            test=items,
            format=answer_format(),
            chance=0.5,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=16,
            rationale_tokens=14 * (max(people, 5) + 1) + 16,
            claims=CLAIMS,
            longer=partial(further, load, "people", people, test=test, seed=seed),
            solver=Coins("It shows {side}.", "{name} flips: {side}.", "{name} leaves: {side}."),
        )
    ]


def _problem(rng: random.Random, people: int) -> Problem:
    lesson = coin(rng, people)
    return Problem(item_of(lesson, people=people), lesson.question)
