"""Word problems of the world: a chain of quantities, each made from the one before.

    Question: Ray owns 17 keys. Pam has 7 fewer keys than Ray. Gil owns double the keys of Pam. How many keys does Gil
        own?
    Answer: Ray has 17. Pam has 17 - 7 = 10. Gil has 10 * 2 = 20. The answer is 20.

A story is kept as its parts (`Story`), so that the same chain can be told of other people, of other things, in other
words, in another order or with sentences that do not matter, and still have the same answer.

What documents tell of: 30 short names or the first 120 first names of the world's people; 24 things; the wordings
"has" and "owns". What they do not, the held-out parts of the shifts: 60 first names (met in statements about people),
8 things and the wording "keeps" (met in passages to be read alone).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from onset.ladder.world import world

Order = Literal["in", "shuffled"]
Operation = Literal["more", "fewer", "twice", "half"]

_NAMES_WORDS = """
    Ann Bob Cid Dan Eve Fay Gus Hal Ivy Jon Kim Lee Max Ned Oda Pam Ray Sue Tom Una Vic Wes Zoe Abe Bea Cal Dee
    Eli Flo Gil
"""
NAMES = tuple(_NAMES_WORDS.split())
_THINGS_WORDS = """
    eggs pens cups hats keys nuts figs toys caps maps balls beads bells boats bones books boxes cards coats
    dolls forks masks shoes spoons
"""
THINGS = tuple(_THINGS_WORDS.split())
_HELD_THINGS_WORDS = """
    lamps rings coins plums seeds tents vases drums
"""
HELD_THINGS = tuple(_HELD_THINGS_WORDS.split())
_MORE_THINGS_WORDS = """
    apples bags baskets benches bikes bottles bowls bricks brushes buttons cans chairs clocks combs crates flags
    flutes gloves jars kites ladders lemons marbles mugs nails onions pears pots ropes scarves shells stamps
    stones tickets towels wheels
"""
MORE_THINGS = tuple(_MORE_THINGS_WORDS.split())
"""Further things that documents may tell of (`onset.ladder.corpora`); no test item does."""

FIRST_NAMES_TOLD = 120
LARGEST = 99
STEPS_TOLD = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5)
"""How many steps the problems of documents have: 1 to 5, short ones more often."""
STEPS_COMPARED = (2, 2, 2, 3, 3, 4, 4, 5)
"""How many steps the comparisons of documents have: in one step the last sentence is all there is."""

_TELL = {
    "has": {
        "given": "{b} has {k} {t}.",
        "more": "{b} has {k} more {t} than {a}.",
        "fewer": "{b} has {k} fewer {t} than {a}.",
        "twice": "{b} has twice as many {t} as {a}.",
        "half": "{b} has half as many {t} as {a}.",
    },
    "owns": {
        "given": "{b} owns {k} {t}.",
        "more": "{b} owns {k} {t} more than {a}.",
        "fewer": "{b} owns {k} {t} less than {a}.",
        "twice": "{b} owns double the {t} of {a}.",
        "half": "{b} owns half the {t} of {a}.",
    },
    "keeps": {
        "given": "{b} keeps {k} {t}.",
        "more": "{b} keeps {k} extra {t} over {a}.",
        "fewer": "{b} keeps {k} {t} under {a}.",
        "twice": "{b} keeps two times the {t} of {a}.",
        "half": "{b} keeps one half of the {t} of {a}.",
    },
}
WORDINGS = ("has", "owns")
HELD_WORDING = "keeps"


def tell(
    wording: str, relation: Operation | Literal["given"], one: str, other: str, count: int | None, thing: str
) -> str:
    """One sentence: ``one`` has ``count`` of ``thing``, or stands in that relation to ``other``."""
    return _TELL[wording][relation].format(b=one, a=other, k=count, t=thing)


@dataclass(frozen=True, slots=True)
class Step:
    """One derived quantity: ``by`` is None for twice and half."""

    operation: Operation
    by: int | None

    def apply(self, value: int) -> int:
        """The new quantity."""
        by = self.by or 0
        return {"more": value + by, "fewer": value - by, "twice": 2 * value, "half": value // 2}[self.operation]

    def worked(self, value: int) -> str:
        """``17 - 7``."""
        sign, by = {"more": ("+", self.by), "fewer": ("-", self.by), "twice": ("*", 2), "half": ("/", 2)}[
            self.operation
        ]
        return f"{value} {sign} {by}"


@dataclass(frozen=True, slots=True)
class Aside:
    """A sentence that does not matter: somebody else has ``count`` of ``thing``. It is put before the sentence that
    stands at ``place`` then.
    """

    name: str
    count: int
    thing: str
    wording: str
    place: int


@dataclass(frozen=True, slots=True)
class Story:
    """A word problem in parts: ``names[0]`` has ``start``, ``names[i]`` the result of ``steps[i - 1]`` from
    ``names[i - 1]``; ``wordings`` one a sentence; ``asked`` the verb of the question; ``order`` the places of the
    sentences, asides included, once they are told.
    """

    names: tuple[str, ...]
    thing: str
    start: int
    steps: tuple[Step, ...]
    wordings: tuple[str, ...]
    asked: str
    asides: tuple[Aside, ...] = ()
    order: tuple[int, ...] | None = None

    @property
    def values(self) -> tuple[int, ...]:
        """What everybody has, 1 to `LARGEST`."""
        values = [self.start]
        for step in self.steps:
            values.append(step.apply(values[-1]))
        return tuple(values)

    @property
    def told(self) -> str:
        """The problem in words, but for what is asked."""
        sentences = [tell(self.wordings[0], "given", self.names[0], "", self.start, self.thing)]
        for place, step in enumerate(self.steps, 1):
            two = self.names[place], self.names[place - 1]
            sentences.append(tell(self.wordings[place], step.operation, *two, step.by, self.thing))
        for aside in self.asides:
            sentences.insert(aside.place, tell(aside.wording, "given", aside.name, "", aside.count, aside.thing))
        if self.order is not None:
            sentences = [sentences[place] for place in self.order]
        return " ".join(sentences)

    @property
    def question(self) -> str:
        """The problem in words."""
        return f"{self.told} How many {self.thing} does {self.names[len(self.steps)]} {self.asked}?"

    @property
    def rationale(self) -> str:
        """One sentence a quantity, in the order of the chain."""
        values = self.values
        told = [f"{self.names[0]} has {self.start}."]
        for place, step in enumerate(self.steps, 1):
            told.append(f"{self.names[place]} has {step.worked(values[place - 1])} = {values[place]}.")
        return " ".join(told)

    @property
    def answer(self) -> str:
        """What the last of the chain has."""
        return str(self.values[-1])

    @property
    def key(self) -> str:
        """The numbers alone: the same sum told otherwise has the same key."""
        return f"{self.start} " + " ".join(f"{step.operation}{step.by or ''}" for step in self.steps)


def chain(rng: random.Random, steps: int) -> tuple[int, tuple[Step, ...]]:
    """A first quantity (2 to 20) and ``steps`` steps, every quantity a whole number from 1 to `LARGEST`."""
    start = value = rng.randint(2, 20)
    done = []
    for _ in range(steps):
        operations: list[Operation] = []
        operations += ["more"] if value <= 80 else []
        operations += ["fewer"] if value > 2 else []
        operations += ["twice"] if value <= 45 else []
        operations += ["half"] if value % 2 == 0 and value >= 4 else []
        operation = rng.choice(operations)
        by = None
        if operation == "more":
            by = rng.randint(1, min(19, LARGEST - value))
        elif operation == "fewer":
            by = rng.randint(1, min(19, value - 1))
        done.append(Step(operation, by))
        value = done[-1].apply(value)
    return start, tuple(done)


def told_names(rng: random.Random) -> tuple[str, ...]:
    """The names one problem of the documents takes its people from: the short ones in three problems of five."""
    return NAMES if rng.random() < 0.6 else world().first_names[:FIRST_NAMES_TOLD]


def held_names() -> tuple[str, ...]:
    """First names that word problems of the documents never have."""
    return world().first_names[FIRST_NAMES_TOLD:]


def story(
    rng: random.Random,
    steps: int,
    *,
    order: Order = "in",
    asides: int = 0,
    names: Sequence[str] | None = None,
    things: Sequence[str] = THINGS,
    accept: Callable[[int, tuple[Step, ...]], bool] | None = None,
) -> Story:
    """A random problem of ``steps`` steps; ``names`` and ``things`` to choose from (default: those told of).

    ``asides`` sentences about other people and other things stand among the sentences at random places. ``accept``
    chooses among chains, of which some must please it.
    """
    pool = told_names(rng) if names is None else names
    chosen = rng.sample(pool, steps + 1 + asides)
    thing = rng.choice(things)
    start, done = chain(rng, steps)
    while accept and not accept(start, done):
        start, done = chain(rng, steps)
    wordings = tuple(rng.choice(WORDINGS) for _ in range(steps + 1))
    told = Story(tuple(chosen[: steps + 1]), thing, start, done, wordings, rng.choice(["have", "own"]))
    others = [other for other in things if other != thing]
    told = with_asides(rng, told, chosen[steps + 1 :], others)
    return shuffled(rng, told) if order == "shuffled" else told


def with_asides(rng: random.Random, told: Story, names: Sequence[str], things: Sequence[str]) -> Story:
    """The story with one sentence for each of ``names`` that does not matter. A story already shuffled is refused."""
    if told.order is not None:
        raise ValueError("asides are put in before a story is shuffled")
    sentences = len(told.steps) + 1 + len(told.asides)
    extra = tuple(
        Aside(name, rng.randint(2, 40), rng.choice(things), rng.choice(WORDINGS), rng.randint(0, sentences + place))
        for place, name in enumerate(names)
    )
    return replace(told, asides=told.asides + extra)


def shuffled(rng: random.Random, told: Story) -> Story:
    """The story with its sentences in random order: who is asked about must be looked up."""
    order = list(range(len(told.steps) + 1 + len(told.asides)))
    rng.shuffle(order)
    return replace(told, order=tuple(order))


def reworded(told: Story) -> Story:
    """The story in the wording that no word problem of the documents has."""
    return replace(told, wordings=(HELD_WORDING,) * len(told.wordings), asked="keep")
