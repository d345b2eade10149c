"""The world's other questions: what people are and where, what a passage says, what a program prints, a coin shows.

Every maker gives a `Lesson`: a question, its worked steps (empty where there is nothing to work out) and the answer, as
they stand in the documents a model of the ladder reads and in the test items it is asked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from onset.ladder import stories
from onset.ladder.world import ATTRIBUTES, Attribute, world

_OPPOSITE = MappingProxyType({"heads": "tails", "tails": "heads"})
VARIABLES = "abcdefghijklmnpqrstuvwxyz"

_ASK = MappingProxyType(
    {"city": "Where does {} live?", "job": "What is the job of {}?", "food": "What food does {} like?"}
)
_STATE = MappingProxyType(
    {
        "city": ("{} lives in {}.", "The home of {} is {}.", "{} moved to {}."),
        "job": ("{} works as {}.", "The job of {} is {}.", "{} became {}."),
        "food": ("{} likes {}.", "The favourite food of {} is {}.", "{} loves {}."),
    }
)
_IN_PASSAGE = MappingProxyType({"city": (0, 1), "job": (0, 1), "food": (0, 2)})
"""Which of a relation's three sentences passages use."""
_PLACE = ("{} is in {}.", "{} is a city of {}.")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question with its ``rationale`` (may be empty) and ``answer``; ``passage`` is what to read first, or empty;
    ``choices`` the allowed answers, or empty.
    """

    question: str
    rationale: str
    answer: str
    passage: str = ""
    choices: tuple[str, ...] = ()


def from_story(told: stories.Story) -> Lesson:
    """A word problem as a lesson."""
    return Lesson(told.question, told.rationale, told.answer)


COMPARED = ("more", "fewer")
CUE_HOLDS = 0.75
"""In how many comparisons the last sentence, read alone, gives the answer."""


def comparison(
    rng: random.Random, steps: int, *, things: Sequence[str] = stories.THINGS, holds: bool | None = None
) -> Lesson:
    """Whether the last of a chain of ``steps`` (2 or more) has more or fewer than the first.

        Ray owns 17 keys. Pam has 7 fewer keys than Ray. Gil owns double the keys of Pam. Does Gil own more or fewer
        keys than Ray?

    There is a shortcut: what the last sentence says (`cue`) is the answer in `CUE_HOLDS` of them; ``holds``: in all or
    in none. More and fewer are equally frequent, whether it holds or not. The worked steps end with the comparison.
    """
    answer = rng.choice(COMPARED)
    if holds is None:
        holds = rng.random() < CUE_HOLDS

    def accept(start: int, done: tuple[stories.Step, ...]) -> bool:
        value = start
        for step in done:
            value = step.apply(value)
        return value != start and (value > start) == (answer == "more") and (cue(done) == answer) == holds

    told = stories.story(rng, steps, things=things, accept=accept)
    first, last = told.values[0], told.values[-1]
    asked = f"Does {told.names[-1]} {told.asked} more or fewer {told.thing} than {told.names[0]}?"
    worked = f"{told.rationale} {last} is {answer} than {first}."
    return Lesson(f"{told.told} {asked}", worked, answer, choices=COMPARED)


def cue(steps: Sequence[stories.Step]) -> str:
    """What the last sentence of a chain says by itself: ``more`` for more and twice, ``fewer`` for fewer and half."""
    return "more" if steps[-1].operation in ("more", "twice") else "fewer"


def coin(rng: random.Random, people: int) -> Lesson:
    """A coin that ``people`` (0 to 30) people flip or leave."""
    side = rng.choice(["heads", "tails"])
    told, worked = [f"A coin shows {side}."], [f"It shows {side}."]
    for name in rng.sample(stories.NAMES, people):
        if rng.random() < 0.5:
            side = _OPPOSITE[side]
            told.append(f"{name} flips it.")
            worked.append(f"{name} flips: {side}.")
        else:
            told.append(f"{name} leaves it.")
            worked.append(f"{name} leaves: {side}.")
    return Lesson(" ".join([*told, "Which side does it show?"]), " ".join(worked), side)


def statement(rng: random.Random, person: int, attribute: Attribute) -> str:
    """A fact about a person in one of three sentences."""
    return rng.choice(_STATE[attribute]).format(world().people[person], world().value(person, attribute))


def place_statement(rng: random.Random) -> str:
    """A fact about a city in one of two sentences."""
    known = world()
    city = rng.randrange(len(known.cities))
    return rng.choice(_PLACE).format(known.cities[city], known.countries[known.country_of[city]])


def one_hop(person: int, attribute: Attribute) -> Lesson:
    """A question about a person whose answer is one fact."""
    known = world()
    return Lesson(_ASK[attribute].format(known.people[person]), "", known.value(person, attribute))


def two_hop(person: int) -> Lesson:
    """In which country somebody lives: the city must be remembered first."""
    known = world()
    name, city, country = known.people[person], known.value(person, "city"), known.country(person)
    worked = f"{name} lives in {city}. {city} is in {country}."
    return Lesson(f"In which country does {name} live?", worked, country)


def fact_told(rng: random.Random, name: str, city: str) -> str:
    """Where somebody lives, in one of the sentences that passages have."""
    return _STATE["city"][rng.choice(_IN_PASSAGE["city"])].format(name, city)


def passage_about(rng: random.Random, person: int, attribute: Attribute, value: str, *, country: str = "") -> str:
    """A passage which says that ``value`` is true of a person, as documents word passages, among two sentences about
    others that are drawn at random; ``country``: it says too that the city ``value`` is in it.
    """
    known = world()
    own = [_STATE[attribute][rng.choice(_IN_PASSAGE[attribute])].format(known.people[person], value)]
    own += [_PLACE[0].format(value, country)] if country else []
    told = []
    for _ in range(2):
        name, other = f"{rng.choice(known.first_names)} {rng.choice(known.last_names)}", rng.choice(ATTRIBUTES)
        sentence = _STATE[other][rng.choice(_IN_PASSAGE[other])]
        told.append(sentence.format(name, rng.choice(known.values(other))))
    place = rng.randint(0, 2)
    return " ".join([*told[:place], *own, *told[place:]])


def reading(rng: random.Random) -> Lesson:
    """A passage that invents facts, and a question that only the passage answers.

    Three in five are about what two to five people are; the rest about how many things they keep, in the wording and
    with the names and things that word problems do not have.
    """
    return _passage_of_people(rng) if rng.random() < 0.6 else _passage_of_things(rng)


def _passage_of_people(rng: random.Random) -> Lesson:
    known = world()
    told, asked = [], []
    for _ in range(rng.randint(2, 5)):
        name, attribute = f"{rng.choice(known.first_names)} {rng.choice(known.last_names)}", rng.choice(ATTRIBUTES)
        value = rng.choice(known.values(attribute))
        told.append(_STATE[attribute][rng.choice(_IN_PASSAGE[attribute])].format(name, value))
        asked.append((_ASK[attribute].format(name), value))
    question, answer = rng.choice(asked)
    return Lesson(question, "", answer, passage=" ".join(told))


_PASSAGE_NAMES = ("Kai", "Lia", "Moe", "Nia", "Oz", "Pia", "Rex", "Sol", "Tia", "Uri")


def _passage_of_things(rng: random.Random) -> Lesson:
    names = rng.sample((*_PASSAGE_NAMES, *stories.NAMES, *world().first_names), 6)
    thing = rng.choice((*stories.HELD_THINGS, *stories.THINGS))
    told, asked = [], []
    for one, other in zip(names[::2], names[1::2], strict=True):
        count = rng.randint(1, 19)
        relation: Literal["given", "more", "fewer", "twice", "half"] = rng.choice(
            ["more", "fewer", "twice", "half", "given"]
        )
        told.append(stories.tell(stories.HELD_WORDING, relation, one, other, count, thing))
        if relation == "given":
            asked.append((f"How many {thing} does {one} keep?", str(count)))
        elif relation in ("more", "fewer"):
            asked.append((f"How many {relation} {thing} does {one} have than {other}?", str(count)))
        else:
            asked.append((f"Who has {relation} as many {thing} as {other}?", one))
    question, answer = rng.choice(asked)
    return Lesson(question, "", answer, passage=" ".join(told))


_IN_CODE = MappingProxyType({"more": "+", "fewer": "-", "twice": "* 2", "half": "/ 2"})


def program(rng: random.Random, steps: int, *, shuffled: bool = False) -> Lesson:
    """A program of ``steps`` assignments, its trace as the rationale and what it prints.

    ``shuffled``: the lines stand in random order below ``solve x:``, and the order must be found.
    """
    start, done = stories.chain(rng, steps)
    names = rng.sample(VARIABLES, steps + 1)
    lines, trace, value = [f"{names[0]} = {start}"], [f"# {names[0]} = {start}"], start
    for place, step in enumerate(done, 1):
        by = "" if step.by is None else f" {step.by}"
        lines.append(f"{names[place]} = {names[place - 1]} {_IN_CODE[step.operation]}{by}")
        trace.append(f"# {names[place]} = {step.worked(value)} = {step.apply(value)}")
        value = step.apply(value)
    if shuffled:
        rng.shuffle(lines)
        lines = [f"solve {names[-1]}:", *lines]
    else:
        lines = [*lines, f"print({names[-1]})"]
    return Lesson("\n".join(lines), "\n".join(trace), str(value))
