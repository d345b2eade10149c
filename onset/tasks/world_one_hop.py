"""Facts about the people of the ladder's world, asked without a text to look them up in.

    Question: Where does Diro Siger live?
    Answer: The answer is Vimonan.

``passage``: before the question stands a passage (which documents have too, about anybody and with any facts):

    Passage: Nanar Voke likes soup. Diro Siger lives in Kafepo. Bele Nora works as judge.
    Question: Where does Diro Siger live?

``right``: it says what is true; ``wrong``: it contradicts what documents say, and the right answer is the passage's;
what they say is kept as ``meta["memory"]``. The labelled pool has right passages in both, so that examples do not say
which to believe. The questions are those asked without a passage.

``frequency``: people that documents mention often (head: 500), sometimes (mid: 3,500) or hardly ever (tail: 28,000).
The labelled pool asks about people of even rank as often as they are mentioned; the test items about people of odd rank
in the band, about whom no document asks without a passage: they are told of in statements.
"""

from __future__ import annotations

import random
from dataclasses import replace

from onset.answers import TextFormat
from onset.ladder.lessons import one_hop, passage_about
from onset.ladder.world import ATTRIBUTES, BANDS, world
from onset.tasks.base import PLAIN, AnswerFormat, Task
from onset.tasks.generated import Problem, whole
from onset.tasks.world import PASSAGES, READ, drawn, held, item_of, one_of, passage_of

NAME = "world-one-hop"


def answer_format() -> AnswerFormat:
    """A short text."""
    return TextFormat()


def load(
    *, frequency: str = "head", passage: str = "none", pool: int = 512, test: int = 200, seed: int = 0
) -> list[Task]:
    """One fact about a person of the band. Raises DataError for a value that is not allowed or too many items."""
    name = f"{NAME}[frequency={one_of(NAME, 'frequency', frequency, tuple(BANDS))}]"
    told = one_of(NAME, "passage", passage, PASSAGES)
    for size, value in (("pool", pool), ("test", test)):
        whole(NAME, size, value, 1, 1_000_000)

    def anybody(rng: random.Random) -> Problem:
        return _problem(world().askable(rng), rng, "none" if told == "none" else "right", seed)

    def somebody(rng: random.Random) -> Problem:
        return _problem(held(rng, frequency), rng, told, seed)

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
            layout=PLAIN if told == "none" else READ,
        )
    ]


def _problem(person: int, rng: random.Random, told: str, seed: int) -> Problem:
    attribute = rng.choice(ATTRIBUTES)
    lesson = one_hop(person, attribute)
    item = item_of(lesson, hops=1, rank=person)
    if told != "none":
        mine, true = passage_of(seed, lesson.question), lesson.answer
        other = true if told == "right" else mine.choice([one for one in world().values(attribute) if one != true])
        memory: dict[str, str | int | float] = {} if told == "right" else {"memory": true}
        item = replace(
            item, answer=other, context=passage_about(mine, person, attribute, other), meta={**item.meta, **memory}
        )
    return Problem(item, lesson.question)
