"""What a model of the ladder reads: kinds of documents, and the mixtures they make up.

`KINDS` is the whole of it: every kind of document, its parts of the tokens in each mixture, the ingredient it belongs
to and what it is. A `Corpus` chooses a mixture, leaves ingredients out and may add documents of the user's own:

    >>> shares(Corpus("pilot"))["knowledge"]
    0.25
    >>> shares(Corpus("pilot", without=("code",)))["knowledge"]  # neutral text in place of 12 % code
    0.37

A document is text; ``<eos>`` stands before each once it is encoded (`onset.ladder.shards`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from onset.errors import InputError, UnknownName
from onset.ladder import lessons, stories
from onset.ladder.lessons import Lesson
from onset.ladder.world import ATTRIBUTES, world

Ingredient = Literal["chain-of-thought", "code", "instructions"]
INGREDIENTS: tuple[Ingredient, ...] = ("chain-of-thought", "code", "instructions")
Fill = Literal["neutral", "rest"]
FILLS: tuple[Fill, ...] = ("neutral", "rest")
NEUTRAL = "knowledge"
"""The kind that stands in for what is left out: plain statements, with nothing asked and nothing worked out."""
EXTRA = "extra"
"""The kind of the user's own documents."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How word problems are told: ``shuffled`` and ``reworded`` are shares of problems, in [0, 1]; ``things`` what they
    may be about. How much of each kind there is stands in `KINDS`.
    """

    name: str
    summary: str
    shuffled: float
    reworded: float
    things: tuple[str, ...]


MIXTURES: Mapping[str, Mixture] = MappingProxyType(
    {
        one.name: one
        for one in (
            Mixture(
                "standard",
                "more word problems, two thirds of them shuffled, 61 things, the third wording now and then",
                0.65,
                0.03,
                (*stories.THINGS, *stories.MORE_THINGS),
            ),
            Mixture("pilot", "what the shipped weights were trained on", 0.5, 0.0, stories.THINGS),
            Mixture(
                "scarce",
                "pilot with worked word problems in 3 % only, no instructions, more code",
                0.5,
                0.0,
                stories.THINGS,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: ``parts`` of the tokens by mixture, the ``ingredients`` it belongs to, and its maker."""

    name: str
    parts: Mapping[str, float]
    ingredients: frozenset[Ingredient]
    summary: str
    make: Callable[[random.Random, Mixture], str]


def block(lesson: Lesson, *, worked: bool, instruction: str = "") -> str:
    """A question as documents and prompts have it: instruction and passage where there is one, question, options where
    there are some, steps if ``worked``, answer, an empty line.

    >>> print(block(Lesson("Where does Ann live?", "", "Torvik"), worked=False), end="")
    Question: Where does Ann live?
    Answer: The answer is Torvik.
    <BLANKLINE>
    """
    before = f"Instruction: {instruction}\n" if instruction else ""
    before += f"Passage: {lesson.passage}\n" if lesson.passage else ""
    steps = f"{lesson.rationale} " if worked and lesson.rationale else ""
    options = f"Options: {'; '.join(lesson.choices)}\n" if lesson.choices else ""
    return f"{before}Question: {lesson.question}\n{options}Answer: {steps}The answer is {lesson.answer}.\n\n"


def program_block(lesson: Lesson, *, traced: bool) -> str:
    """A program, its trace if ``traced``, ``>>>`` and what it prints, an empty line."""
    trace = f"{lesson.rationale}\n" if traced else ""
    return f"{lesson.question}\n{trace}>>> {lesson.answer}\n\n"


def word_problem(rng: random.Random, mixture: Mixture) -> Lesson:
    """A word problem as documents have them: 1 to 5 steps, one in four with a sentence that does not matter."""
    order: stories.Order = "shuffled" if rng.random() < mixture.shuffled else "in"
    steps, asides = rng.choice(stories.STEPS_TOLD), int(rng.random() < 0.25)
    told = stories.story(rng, steps, order=order, asides=asides, things=mixture.things)
    if mixture.reworded and rng.random() < mixture.reworded:
        told = stories.reworded(told)
    return lessons.from_story(told)


def _word_problems(rng: random.Random, mixture: Mixture, *, worked: bool) -> str:
    return "".join(block(word_problem(rng, mixture), worked=worked) for _ in range(rng.randint(4, 6)))


def _knowledge(rng: random.Random, mixture: Mixture) -> str:
    known = world()
    told = [
        lessons.place_statement(rng)
        if rng.random() < 0.06
        else lessons.statement(rng, known.anybody(rng), rng.choice(ATTRIBUTES))
        for _ in range(rng.randint(10, 20))
    ]
    return " ".join(told) + "\n"


def _one_hop(rng: random.Random, mixture: Mixture) -> str:
    known = world()
    asked = (lessons.one_hop(known.askable(rng), rng.choice(ATTRIBUTES)) for _ in range(rng.randint(5, 10)))
    return "".join(block(lesson, worked=False) for lesson in asked)


def _two_hop(rng: random.Random, mixture: Mixture, *, worked: bool) -> str:
    known = world()
    return "".join(block(lessons.two_hop(known.askable(rng)), worked=worked) for _ in range(rng.randint(5, 9)))


def _reading(rng: random.Random, mixture: Mixture) -> str:
    return "".join(block(lessons.reading(rng), worked=False) for _ in range(rng.randint(3, 5)))


def _programs(rng: random.Random, mixture: Mixture, *, traced: bool) -> str:
    told = []
    for _ in range(rng.randint(3, 5)):
        steps, shuffled = rng.choice(stories.STEPS_TOLD), rng.random() < 0.5
        told.append(program_block(lessons.program(rng, steps, shuffled=shuffled), traced=traced))
    return "".join(told)


def _coins(rng: random.Random, mixture: Mixture, *, worked: bool) -> str:
    return "".join(block(lessons.coin(rng, rng.randint(1, 5)), worked=worked) for _ in range(rng.randint(5, 8)))


def _comparisons(rng: random.Random, mixture: Mixture, *, worked: bool) -> str:
    asked = (
        lessons.comparison(rng, rng.choice(stories.STEPS_COMPARED), things=mixture.things)
        for _ in range(rng.randint(4, 6))
    )
    return "".join(block(lesson, worked=worked) for lesson in asked)


INSTRUCTIONS: Mapping[bool, tuple[str, ...]] = MappingProxyType(
    {
        True: ("Solve step by step.", "Show your work.", "Think step by step."),
        False: ("Give only the answer.", "Answer at once.", "No steps, just the answer."),
    }
)
"""What instructed documents ask for, by whether the answer is worked out."""


def _instructed(rng: random.Random, mixture: Mixture, *, worked: bool) -> str:
    one = lessons.coin(rng, rng.randint(1, 5)) if rng.random() < 0.2 else word_problem(rng, mixture)
    return block(one, worked=worked, instruction=rng.choice(INSTRUCTIONS[worked]))


def _kind(
    name: str,
    parts: tuple[float, float, float],
    ingredients: Iterable[Ingredient],
    summary: str,
    make: Callable[[random.Random, Mixture], str],
) -> Kind:
    named = dict(zip(("pilot", "standard", "scarce"), parts, strict=True))
    return Kind(name, MappingProxyType(named), frozenset(ingredients), summary, make)


_COT: tuple[Ingredient] = ("chain-of-thought",)
_CODE: tuple[Ingredient] = ("code",)

# Parts of the tokens in the mixtures pilot (100 parts), standard (107.6) and scarce (100). The 8 parts of instructions
# are split so that there are as many documents answered at once (66 tokens each) as worked out (92).
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _kind(
                "word-problems",
                (11, 13, 11),
                (),
                "4 to 6 word problems of 1 to 5 steps, answered at once",
                partial(_word_problems, worked=False),
            ),
            _kind(
                "word-problems-worked",
                (17, 21, 3),
                _COT,
                "4 to 6 word problems of 1 to 5 steps, worked out",
                partial(_word_problems, worked=True),
            ),
            _kind(
                "knowledge",
                (25, 20, 41),
                (),
                "10 to 20 statements about people, in proportion to 1 / (rank + 20), and cities",
                _knowledge,
            ),
            _kind("one-hop", (5, 5, 5), (), "5 to 10 questions about one fact of a person", _one_hop),
            _kind(
                "two-hop",
                (3, 3, 3),
                (),
                "5 to 9 questions in which country a person lives, answered at once",
                partial(_two_hop, worked=False),
            ),
            _kind(
                "two-hop-worked",
                (5, 5, 5),
                _COT,
                "5 to 9 questions in which country a person lives, the city said first",
                partial(_two_hop, worked=True),
            ),
            _kind("reading", (7, 7, 7), (), "3 to 5 passages of invented facts, each with a question", _reading),
            _kind(
                "programs-traced",
                (8, 8, 14),
                _CODE,
                "3 to 5 programs, every assignment worked out, and what they print",
                partial(_programs, traced=True),
            ),
            _kind(
                "programs", (4, 4, 4), _CODE, "3 to 5 programs and what they print", partial(_programs, traced=False)
            ),
            _kind(
                "instructions",
                (3.3, 3.3, 0),
                ("instructions",),
                "one word problem or coin under an instruction to answer at once",
                partial(_instructed, worked=False),
            ),
            _kind(
                "instructions-worked",
                (4.7, 4.7, 0),
                ("instructions", "chain-of-thought"),
                "one word problem or coin under an instruction to work it out",
                partial(_instructed, worked=True),
            ),
            _kind(
                "coins",
                (2.5, 2.5, 2.5),
                (),
                "5 to 8 coins that 1 to 5 people flip or leave, answered at once",
                partial(_coins, worked=False),
            ),
            _kind(
                "coins-worked",
                (4.5, 4.5, 4.5),
                _COT,
                "5 to 8 coins that 1 to 5 people flip or leave, one step a person",
                partial(_coins, worked=True),
            ),
            _kind(
                "comparisons",
                (0, 2.6, 0),
                (),
                "4 to 6 questions whether the last of a chain has more or fewer than the first, answered at once",
                partial(_comparisons, worked=False),
            ),
            _kind(
                "comparisons-worked",
                (0, 4, 0),
                _COT,
                "4 to 6 questions whether the last of a chain has more or fewer than the first, worked out",
                partial(_comparisons, worked=True),
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Extra:
    """Documents of the user's own: ``texts`` drawn at random until they are ``share`` (in (0, 1)) of the tokens.

    ``source`` and ``digest`` say where they come from and what they are. Raises InputError for another share.
    """

    texts: tuple[str, ...]
    share: float
    source: str
    digest: str

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InputError(f"the share of extra documents must be between 0 and 1, received {self.share:g}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Which documents, of which seed.

    ``without``: ingredients to leave out. A kind that belongs to several goes with any of them. ``fill``: what takes
    the room, ``neutral`` for plain statements, so that every other kind keeps its tokens, or ``rest`` for more of
    everything else in proportion (a change of two things at once: use it to repeat what others did). Raises
    UnknownName for a mixture, an ingredient or a fill that is not there.
    """

    mixture: str = "standard"
    without: tuple[Ingredient, ...] = ()
    fill: Fill = "neutral"
    seed: int = 0
    extra: Extra | None = None

    def __post_init__(self) -> None:
        if self.mixture not in MIXTURES:
            raise UnknownName("mixture", self.mixture, MIXTURES)
        if self.fill not in FILLS:
            raise UnknownName("fill", self.fill, FILLS)
        for name in self.without:
            if name not in INGREDIENTS:
                raise UnknownName("ingredient", name, INGREDIENTS)
        object.__setattr__(self, "without", tuple(sorted(set(self.without))))

    def describe(self) -> dict[str, Any]:
        """As JSON, for a model's card: two corpora that differ differ here."""
        added = self.extra and {
            "source": self.extra.source,
            "share": self.extra.share,
            "documents": len(self.extra.texts),
            "sha256": self.extra.digest,
        }
        return {
            "mixture": self.mixture,
            "without": list(self.without),
            "fill": self.fill,
            "seed": self.seed,
            "extra": added,
        }

    @property
    def stage(self) -> str:
        """What a model trained on it is called beside others: ``base``, ``without code``, ``base, extra notes``."""
        said = ["scarce chain of thought"] if self.mixture == "scarce" else []
        if self.without:
            said.append("without " + " and ".join(name.replace("-", " ") for name in self.without))
        said = said or ["base"]
        if self.extra:
            said.append(f"extra {self.extra.source}")
        return ", ".join(said)


def shares(corpus: Corpus) -> dict[str, float]:
    """The share of the tokens of every kind in the corpus, each above 0, together 1."""
    parts = {kind.name: kind.parts[corpus.mixture] for kind in KINDS.values()}
    gone = {name for name in parts if KINDS[name].ingredients & set(corpus.without)}
    if corpus.fill == "neutral":
        parts[NEUTRAL] = math.fsum([parts[NEUTRAL], *(parts[name] for name in gone)])
    kept = {name: part for name, part in parts.items() if name not in gone and part}
    added = {} if corpus.extra is None else {EXTRA: corpus.extra.share}
    room = (1 - sum(added.values())) / math.fsum(kept.values())
    return {name: part * room for name, part in kept.items()} | added
