"""New facts about new people of the ladder's world, in a passage or learnt in weights, asked about in three ways.

    Where does Nomi Sari live?              direct: the fact as it was told, in other words
    Who lives in Vimonan?                   reversed
    In which country does Nomi Sari live?   syllogism: with what the model read in pretraining, Vimonan is in Purland

After Lampinen et al. 2025, arXiv 2505.00661, who tell the same facts in context and by fine-tuning and ask for
reversals and syllogisms (the reversal curse: Berglund et al. 2023, arXiv 2309.12288); there the documents are
statements, here each is a question with its answer. No document of the ladder mentions the people.

``told: weights``: the labelled pool is the facts ("What is the home of Nomi Sari?"), a test item has no passage: only a
model that is tuned on all of the pool can know. ``told: passage``: before each question, of the pool too, stand its
fact and three others that give other answers. The questions of the test items are the same. Up to 64 facts are of
cities of their own; of more, all people who were told to live in a city are right in reverse. (Others live there too,
of whom documents tell: naming one is wrong here.)
"""

from __future__ import annotations

import random
from functools import lru_cache

from onset.answers import TextFormat
from onset.errors import DataError
from onset.ladder.lessons import fact_told
from onset.ladder.world import new_people, world
from onset.records import Item, derive_seed
from onset.tasks.base import PLAIN, AnswerFormat, Task
from onset.tasks.generated import whole
from onset.tasks.world import READ, one_of

NAME = "world-new-facts"
PROBES = ("direct", "reversed", "syllogism")
TOLD = ("weights", "passage")
_SENTENCES = 4
"""Facts of a passage."""


def answer_format() -> AnswerFormat:
    """A city, a name or a country."""
    return TextFormat()


def load(*, probe: str = "direct", told: str = "weights", pool: int = 64, test: int = 64, seed: int = 0) -> list[Task]:
    """``pool`` facts, of which ``test`` are asked about. Raises DataError for a value that is not allowed, and for more
    questions than facts.
    """
    asked, place = one_of(NAME, "probe", probe, PROBES), one_of(NAME, "told", told, TOLD)
    size = whole(NAME, "pool", pool, 2 * _SENTENCES, len(new_people()))
    if whole(NAME, "test", test, 1, 1_000_000) > size:
        raise DataError(f"task '{NAME}': {test} questions asked for about {size} facts: test must be at most pool")
    rng = random.Random(derive_seed(NAME, "facts", seed))
    people = rng.sample(new_people(), size)
    cities = rng.sample(world().cities, len(world().cities))
    facts = {one: cities[at % len(cities)] for at, one in enumerate(people)}
    passage = place == "passage"
    learnt = tuple(_item(one, "home", facts, passage, seed) for one in people)
    items = tuple(_item(one, asked, facts, passage, seed) for one in rng.sample(people, test))
    return [
        Task(
            name=f"{NAME}[probe={asked}, told={place}]",
            ability="knowledge reasoning",
            pool=learnt,
            test=items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {NAME}[probe={asked}, told={place}], seed {seed}",
            answer_tokens=24,
            layout=READ if passage else PLAIN,
        )
    ]


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """City -> country."""
    known = world()
    return {city: known.countries[known.country_of[at]] for at, city in enumerate(known.cities)}


_ASKED = {
    "home": "What is the home of {}?",
    "direct": "Where does {} live?",
    "reversed": "Who lives in {}?",
    "syllogism": "In which country does {} live?",
}


def _item(person: str, asked: str, facts: dict[str, str], passage: bool, seed: int) -> Item:
    """A question about a fact, with the passage that tells it and three others that give other answers."""
    rng = random.Random(derive_seed(NAME, asked, person, seed))

    def said(one: str) -> str:
        return one if asked == "reversed" else countries()[facts[one]] if asked == "syllogism" else facts[one]

    told = {person: said(person)}
    for one in rng.sample(sorted(facts), len(facts)):
        if len(told) < _SENTENCES and said(one) not in told.values() and facts[one] not in map(facts.get, told):
            told[one] = said(one)
    named = rng.sample(list(told), len(told))
    context = " ".join(fact_told(rng, one, facts[one]) for one in named) if passage else None
    city = facts[person]
    others = [one for one in facts if facts[one] == city and one != person] if asked == "reversed" else []
    subject = city if asked == "reversed" else person
    return Item(
        _ASKED[asked].format(subject), said(person), context=context, meta={"probe": asked, "facts": len(facts)},
        others=() if passage else tuple(others),
    )  # fmt: skip
