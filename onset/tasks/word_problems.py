"""Arithmetic word problems of ``steps`` steps, one rationale sentence a step.

    Question: Ray has 17 keys. Pam has 7 fewer keys than Ray. Pam then finds 5 more. How many keys does Pam have now?
    Answer: Pam has 17 - 7 = 10. Pam now has 10 + 5 = 15. The answer is 15.

In the manner of the grade-school problems of Cobbe et al. 2021 (arXiv 2110.14168), with the number of steps
under control. A step compares a new person with the last one (more, fewer, times as many, a half or a
third as many) or changes what the last one has (finds, gives away, splits into equal piles); the last step may ask
what the last person and an earlier one have together, or how many more one has than the other, so that no step can be
left out. Everybody has a whole number from 1 to 400.
The key of a problem is its numbers and relations without names and things: the same sum told of
other people is on the same side.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from onset.answers import NumberFormat
from onset.chains.steps import Claims
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, Space, further, labelled, sample, token_limit, whole
from onset.tasks.solving.chains import Chains
from onset.tasks.traces import limit, of_problem
from onset.tasks.words import FIRST_NAMES, THINGS

NAME = "word-problems"
DEFAULT_STEPS = 3
_MOST = 400
_TIMES = {2: "twice", 3: "three times", 4: "four times"}
_PARTS = {2: "half", 3: "a third"}
CLAIMS = Claims(
    (
        r"\b(?P<key>[A-Z]\w+(?: now)? has|Together they have) (?:[^.=\n]*= )?(?P<value>\d+)"
        r"(?P<key2> more)?(?! \w+ (?:fewer|less)| (?:fewer|less|times|as|[-+*/x]))[^.=\n]*(?=[.\n]|$)",
    )
)
"""What a person has, or two have together; a person who gave or got something has what they had before, too."""


def answer_format() -> AnswerFormat:
    """A number."""
    return NumberFormat()


def load(*, steps: int = DEFAULT_STEPS, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Word problems of ``steps`` steps (1 to 8). Raises DataError for a value out of range."""
    whole(NAME, "steps", steps, 1, 8)
    label = labelled(NAME, "steps", steps, DEFAULT_STEPS)
    space = Space(label, lambda rng: _problem(rng, steps))
    pool_items, test_items = sample(space, pool=pool, test=test, seed=seed)
    return [
        Task(
            name=label,
            ability="complex reasoning",
            pool=pool_items,
            test=test_items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {label}, seed {seed}",
            rationale_tokens=token_limit(42 * steps + 40),
            claims=CLAIMS,
            trace=of_problem,
            trace_tokens=limit(steps + 2),
            longer=partial(further, load, "steps", steps, test=test, seed=seed),
            solver=Chains(starts=False, most=_MOST),
        )
    ]


@dataclass(slots=True)
class _Story:
    """A problem while it is told: who has how much, and who was last spoken of."""

    rng: random.Random
    things: str
    names: list[str]
    has: dict[str, int] = field(default_factory=dict)
    last: str = ""
    changed: bool = False
    told: list[str] = field(default_factory=list)
    worked: list[str] = field(default_factory=list)
    key: list[str | int] = field(default_factory=list)

    @property
    def value(self) -> int:
        return self.has[self.last]

    def introduce(self) -> None:
        """A person whose number is given."""
        self.last, self.changed = self.names.pop(), False
        self.has[self.last] = self.rng.randint(3, 40)
        self.told.append(f"{self.last} has {self.value} {self.things}.")
        self.key += ["given", self.value]

    def compare(self, words: str, sign: str, by: int, value: int) -> None:
        """A new person who has ``value``: the last one's number, ``sign``, ``by``."""
        old, new = self.last, self.names.pop()
        self.told.append(f"{new} has {words} {old} has now." if self.changed else f"{new} has {words} {old}.")
        self.worked.append(f"{new} has {self.value} {sign} {by} = {value}.")
        self.key += ["compare", sign, by]
        self.last, self.changed = new, False
        self.has[new] = value

    def change(self, words: str, sign: str, by: int, value: int) -> None:
        """The last person has ``value`` after ``words``."""
        self.told.append(f"{self.last} then {words}.")
        self.worked.append(f"{self.last} now has {self.value} {sign} {by} = {value}.")
        self.key += ["change", sign, by]
        self.changed = True
        self.has[self.last] = value


def _more(story: _Story) -> None:
    by = story.rng.randint(2, 30)
    story.compare(f"{by} more {story.things} than", "+", by, story.value + by)


def _fewer(story: _Story) -> None:
    by = story.rng.randint(2, min(30, story.value - 1))
    story.compare(f"{by} fewer {story.things} than", "-", by, story.value - by)


def _times(story: _Story) -> None:
    by = story.rng.choice([by for by in _TIMES if story.value * by <= _MOST])
    story.compare(f"{_TIMES[by]} as many {story.things} as", "*", by, story.value * by)


def _part(story: _Story) -> None:
    by = story.rng.choice([by for by in _PARTS if story.value % by == 0])
    story.compare(f"{_PARTS[by]} as many {story.things} as", "/", by, story.value // by)


def _finds(story: _Story) -> None:
    by = story.rng.randint(2, 30)
    story.change(f"{story.rng.choice(('finds', 'buys', 'gets'))} {by} more", "+", by, story.value + by)


def _gives(story: _Story) -> None:
    by = story.rng.randint(2, min(30, story.value - 1))
    story.change(f"{story.rng.choice(('gives away', 'loses', 'sells'))} {by} of them", "-", by, story.value - by)


def _splits(story: _Story) -> None:
    by = story.rng.choice([by for by in range(2, 7) if story.value % by == 0])
    words = f"splits them into {by} equal piles and keeps one pile"
    story.change(words, "/", by, story.value // by)


_STEPS: tuple[tuple[Callable[[_Story], None], Callable[[int], bool]], ...] = (
    (_more, lambda value: value + 30 <= _MOST),
    (_fewer, lambda value: value > 2),
    (_times, lambda value: value * 2 <= _MOST),
    (_part, lambda value: any(value % by == 0 for by in _PARTS)),
    (_finds, lambda value: value + 30 <= _MOST),
    (_gives, lambda value: value > 2),
    (_splits, lambda value: any(value % by == 0 for by in range(2, 7))),
)
"""Each step with the condition on the last number under which it can be told."""


def _problem(rng: random.Random, steps: int) -> Problem:
    story = _Story(rng, rng.choice(THINGS), rng.sample(FIRST_NAMES, len(FIRST_NAMES)))
    story.introduce()
    ending = rng.choice(("last", "last", "together", "difference"))
    for _ in range(steps if ending == "last" else steps - 1):
        rng.choice([tell for tell, possible in _STEPS if possible(story.value)])(story)
    if ending == "last":
        now = " now" if story.changed else ""
        question, answer = f"How many {story.things} does {story.last} have{now}?", story.value
    else:
        question, answer = _ask_two(story, ending)
    item = Item(" ".join([*story.told, question]), str(answer), " ".join(story.worked), meta={"steps": steps})
    return Problem(item, " ".join(str(part) for part in [*story.key, ending]))


def _ask_two(story: _Story, ending: str) -> tuple[str, int]:
    """The closing step over two people: what they have together, or how many more one has."""
    if len(story.has) == 1:
        story.introduce()
    # the last person is always one of the two: only then are all the steps needed
    people = [story.last, story.rng.choice([person for person in story.has if person != story.last])]
    first, second = sorted(people, key=lambda person: -story.has[person])
    now = " now" if "change" in story.key else ""
    x, y = story.has[first], story.has[second]
    story.key += sorted(list(story.has).index(person) for person in people)
    if ending == "together" or x == y:
        story.worked.append(f"Together they have {x} + {y} = {x + y}.")
        return f"How many {story.things} do {first} and {second} have together{now}?", x + y
    story.worked.append(f"{first} has {x} - {y} = {x - y} more.")
    return f"How many more {story.things} does {first} have than {second}{now}?", x - y
