"""Coin flip: which side is up after ``flips`` people flipped the coin or left it.

    Question: A coin lies heads up. Ada flips the coin. Bo does not flip the coin. Which side is up now?
    Options: heads; tails
    Answer: The coin starts heads up. Ada flips it: tails up. Bo does not flip it: still tails up. The answer is tails.

Wei et al. 2022 (arXiv 2201.11903, section 5), asked for the side instead of yes or no and started
from either side. Heads and tails are equally frequent in pool and test (in every pair of successive items),
so chance is one half. The key of a problem is the whole question.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import partial

from onset.answers import ChoiceFormat
from onset.chains.steps import Claims
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import ENUMERABLE, Problem, Space, further, labelled, sample, token_limit, whole
from onset.tasks.solving.small import Coins
from onset.tasks.traces import of_coin
from onset.tasks.words import FIRST_NAMES

NAME = "coin-flip"
DEFAULT_FLIPS = 2
_SIDES = ("heads", "tails")
CLAIMS = Claims(
    (
        r"\b(?P<key>The coin starts) (?P<value>heads|tails)\b",
        r"\b(?P<key>[A-Z]\w+) (?P<value>flips|does not flip) it: (?:still )?(?P<value2>heads|tails)\b",
    )
)
"""The side the coin starts with, and what each person does to it, with the side that is then up."""


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return ChoiceFormat()


def load(*, flips: int = DEFAULT_FLIPS, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Stories in which ``flips`` people (1 to 32) each flip the coin or leave it. Raises DataError for a
    value out of range or for more problems than exist (one person: 240 in all).
    """
    whole(NAME, "flips", flips, 1, 32)
    label = labelled(NAME, "flips", flips, DEFAULT_FLIPS)

    def draw(rng: random.Random) -> Problem:
        names = rng.sample(FIRST_NAMES, flips)
        return _problem(rng.randrange(2), names, [rng.randrange(2) for _ in range(flips)])

    def every() -> Iterator[Problem]:
        for start, names in itertools.product(range(2), itertools.permutations(FIRST_NAMES, flips)):
            for turns in itertools.product(range(2), repeat=flips):
                yield _problem(start, names, turns)

    size = math.perm(len(FIRST_NAMES), flips) * 2 ** (flips + 1)
    space = Space(label, draw, every if size <= ENUMERABLE else None, balance=_SIDES)
    pool_items, test_items = sample(space, pool=pool, test=test, seed=seed)
    return [
        Task(
            name=label,
            ability="symbolic",
            pool=pool_items,
            test=test_items,
            format=answer_format(),
            chance=0.5,
            source=f"generated: {label}, seed {seed}",
            rationale_tokens=token_limit(48 * flips + 60),
            claims=CLAIMS,
            trace=of_coin,
            trace_tokens=token_limit(62 * flips + 160),
            longer=partial(further, load, "flips", flips, test=test, seed=seed),
            solver=Coins(
                "The coin starts {side} up.", "{name} flips it: {side} up.", "{name} does not flip it: still {side} up."
            ),
        )
    ]


def _problem(start: int, names: Sequence[str], turns: Sequence[int]) -> Problem:
    up = start
    events, steps = [], [f"The coin starts {_SIDES[start]} up."]
    for name, turn in zip(names, turns, strict=True):
        up ^= turn
        events.append(f"{name} {'flips' if turn else 'does not flip'} the coin.")
        steps.append(f"{name} {'flips it:' if turn else 'does not flip it: still'} {_SIDES[up]} up.")
    question = f"A coin lies {_SIDES[start]} up. {' '.join(events)} Which side is up now?"
    meta = {"flips": len(names), "turned": sum(turns)}
    return Problem(Item(question, _SIDES[up], " ".join(steps), choices=_SIDES, meta=meta), question)
