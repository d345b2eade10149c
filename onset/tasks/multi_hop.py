"""Questions of ``hops`` steps over facts of a fictional world.

    Context: The teacher of Mirel is Tolan. The home town of Tolan is Rustford. The teacher of Wolla is Jorel. ...
    Question: What is the home town of the teacher of Mirel?
    Options: Rustford; Inkbury; Oxmarsh; Yewford
    Answer: The teacher of Mirel is Tolan. The home town of Tolan is Rustford. The answer is Rustford.

Composition of facts as in Press et al. 2022 (arXiv 2210.03350), in a world no model has read about. Every item has a
world of its own, given as context, so that what a tuned model remembers of the training facts cannot
answer a test question. The context holds four chains of the same relations from four different starts, which share no
entity, and one more fact about each chain, all in random order. The four options are the ends of the four
chains: each is named by the same relation, and only the chain tells them apart. Chance is one quarter. The key
of a problem is its question (start and relations), whatever its facts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from onset.answers import ChoiceFormat
from onset.chains.steps import Claims
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, Space, further, labelled, sample, token_limit, whole
from onset.tasks.solving.facts import Facts
from onset.tasks.words import PEOPLE, PROVINCES, RIVERS, TOWNS

NAME = "multi-hop"
DEFAULT_HOPS = 2
_CHAINS = 4

_ENTITIES = {"person": PEOPLE, "town": TOWNS, "province": PROVINCES, "river": RIVERS}

# kind of the subject -> (relation, kind of the object); every kind has at least two, for the further facts
_RELATIONS = {
    "person": (("teacher", "person"), ("neighbour", "person"), ("rival", "person"), ("home town", "town")),
    "town": (("province", "province"), ("river", "river"), ("mayor", "person")),
    "province": (("capital", "town"), ("governor", "person")),
    "river": (("port", "town"), ("ferry captain", "person")),
}
CLAIMS = Claims((r"\b[Tt]he (?P<key>[a-z ]+ of [A-Z]\w+) is (?P<value>[A-Z]\w+)",), closed=True)
"""Facts: what the context does not hold is made up."""


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return ChoiceFormat()


def load(*, hops: int = DEFAULT_HOPS, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Questions of ``hops`` steps (1 to 4). Raises DataError for a value out of range."""
    whole(NAME, "hops", hops, 1, 4)
    label = labelled(NAME, "hops", hops, DEFAULT_HOPS)
    space = Space(label, lambda rng: _problem(rng, hops))
    pool_items, test_items = sample(space, pool=pool, test=test, seed=seed)
    return [
        Task(
            name=label,
            ability="knowledge reasoning",
            pool=pool_items,
            test=test_items,
            format=answer_format(),
            chance=1 / _CHAINS,
            source=f"generated: {label}, seed {seed}",
            rationale_tokens=token_limit(50 * hops + 40),
            claims=CLAIMS,
            longer=partial(further, load, "hops", hops, test=test, seed=seed),
            solver=Facts(),
        )
    ]


def _problem(rng: random.Random, hops: int) -> Problem:
    kinds, relations = _path(rng, hops)
    unused = {kind: iter(rng.sample(names, len(names))) for kind, names in _ENTITIES.items()}
    chains = [[next(unused[kind]) for kind in kinds] for _ in range(_CHAINS)]
    facts = [fact for chain in chains for fact in _facts(chain, relations)]
    facts += [_further_fact(rng, chain, kinds, relations, unused) for chain in chains]
    rng.shuffle(facts)
    asked = " of ".join(f"the {relation}" for relation in reversed(relations))
    question = f"{'Who' if kinds[-1] == 'person' else 'What'} is {asked} of {chains[0][0]}?"
    choices = tuple(rng.sample([chain[-1] for chain in chains], _CHAINS))
    item = Item(
        question,
        chains[0][-1],
        " ".join(_facts(chains[0], relations)),
        choices=choices,
        context=" ".join(facts),
        meta={"hops": hops},
    )
    return Problem(item, question)


def _path(rng: random.Random, hops: int) -> tuple[list[str], list[str]]:
    """The kinds of the entities on a chain (``hops`` + 1) and the relations between them (``hops``)."""
    kinds = [rng.choice(sorted(_ENTITIES))]
    relations = []
    for _ in range(hops):
        relation, kind = rng.choice(_RELATIONS[kinds[-1]])
        relations.append(relation)
        kinds.append(kind)
    return kinds, relations


def _facts(chain: list[str], relations: list[str]) -> list[str]:
    return [_fact(relation, chain[step], chain[step + 1]) for step, relation in enumerate(relations)]


def _fact(relation: str, subject: str, value: str) -> str:
    return f"The {relation} of {subject} is {value}."


def _further_fact(
    rng: random.Random, chain: list[str], kinds: list[str], relations: list[str], unused: dict[str, Iterator[str]]
) -> str:
    """Another relation of a random subject of the chain, with a value that is nowhere else."""
    step = rng.randrange(len(relations))
    relation, kind = rng.choice([known for known in _RELATIONS[kinds[step]] if known[0] != relations[step]])
    return _fact(relation, chain[step], next(unused[kind]))
