"""Word problems of the ladder's world: a chain of quantities, in order or shuffled.

    Question: Ray owns 17 keys. Pam has 7 fewer keys than Ray. How many keys does Pam have?
    Answer: Ray has 17. Pam has 17 - 7 = 10. The answer is 10.

The labelled pool is what documents of the world look like: 1 to 5 steps, half of the problems shuffled, a quarter with
a sentence that does not matter. The test items have ``steps`` steps in the given order. ``things: held`` makes both of
things that no word problem of the documents tells of.

Test sets, each the same problems told otherwise (twins), but ``longer``:

    unseen-names      first names that word problems of the documents never have (statements about people do)
    unseen-things     things that word problems never have (passages to read do); not with ``things: held``
    seen-things       things that word problems have; only with ``things: held``
    unseen-wording    a verb and comparisons that word problems never have (passages do)
    distractors       two sentences about other people and other things
    second-root       a sentence about somebody else who has the same thing
    shuffled          the sentences in random order; only where the order is ``in``
    longer            two steps more: other problems

The key of a problem is its numbers: the same sum told otherwise is on the same side of the split.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from onset.answers import NumberFormat
from onset.chains.steps import Claims
from onset.ladder import stories
from onset.ladder.lessons import from_story
from onset.records import Item, derive_seed
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, whole
from onset.tasks.solving.chains import Chains
from onset.tasks.traces import limit, of_chain
from onset.tasks.world import item_of, label, one_of, split

NAME = "world-problems"
DEFAULTS: dict[str, str | int] = {"steps": 4, "order": "in", "things": "told"}
FURTHER_STEPS = 2
MOST_STEPS = 8

Retell = Callable[[random.Random, stories.Story], stories.Story]
CLAIMS = Claims((r"\b(?P<key>[A-Z]\w+) has (?:[^.=\n]*= )?(?P<value>\d+)(?=[.\n]|$)",))
"""How many each person has."""


def answer_format() -> AnswerFormat:
    """A number."""
    return NumberFormat()


def load(
    *, steps: int = 4, order: str = "in", things: str = "told", pool: int = 512, test: int = 200, seed: int = 0
) -> list[Task]:
    """Problems of ``steps`` (1 to 8) steps, ``order`` in or shuffled, about ``things`` told or held.

    Raises DataError for a value that is not allowed or for more problems than exist.
    """
    whole(NAME, "steps", steps, 1, MOST_STEPS)
    one_of(NAME, "order", order, ("in", "shuffled"))
    one_of(NAME, "things", things, ("told", "held"))
    name = label(NAME, DEFAULTS, {"steps": steps, "order": order, "things": things})
    objects = stories.THINGS if things == "told" else stories.HELD_THINGS
    told: dict[str, stories.Story] = {}

    def draw(rng: random.Random, steps: int) -> Problem:
        story = stories.story(rng, steps, things=objects)
        shown = stories.shuffled(rng, story) if order == "shuffled" else story
        problem = _problem(shown)
        told[problem.item.id] = story
        return problem

    pool_items, items = split(
        name, partial(_like_documents, objects), partial(draw, steps=steps), sizes=(pool, test), seed=seed
    )
    _, longer = split(
        f"{name} longer", partial(_like_documents, objects), partial(draw, steps=steps + FURTHER_STEPS),
        sizes=(1, test), seed=seed,
    )  # fmt: skip
    retold = {
        shift: tuple(_twin(item, told[item.id], shift, retell, order) for item in items)
        for shift, retell in _retellings(order, things).items()
    }
    return [
        Task(
            name=name,
            ability="complex reasoning",
            pool=pool_items,
            test=items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=16,
            rationale_tokens=24 * (max(steps, 5) + FURTHER_STEPS),
            test_sets=(*retold.items(), ("longer", longer)),
            claims=CLAIMS,
            trace=of_chain,
            trace_tokens=limit(max(steps, 5) + FURTHER_STEPS + 1),
            solver=Chains(starts=True, most=stories.LARGEST),
        )
    ]


def _problem(story: stories.Story) -> Problem:
    return Problem(item_of(from_story(story), steps=len(story.steps)), story.key)


def _like_documents(things: tuple[str, ...], rng: random.Random) -> Problem:
    order: stories.Order = rng.choice(["in", "shuffled"])
    asides = int(rng.random() < 0.25)
    return _problem(stories.story(rng, rng.choice(stories.STEPS_TOLD), order=order, asides=asides, things=things))


def _twin(item: Item, story: stories.Story, shift: str, retell: Retell, order: str) -> Item:
    rng = random.Random(derive_seed("world problems", shift, item.id))
    other = retell(rng, story)
    if order == "shuffled":
        other = stories.shuffled(rng, other)
    return replace(_problem(other).item, twin=item.id)


def _retellings(order: str, things: str) -> dict[str, Retell]:
    swapped = ("unseen-things", stories.HELD_THINGS) if things == "told" else ("seen-things", stories.THINGS)
    retellings: dict[str, Retell] = {
        "unseen-names": _renamed,
        swapped[0]: partial(_of_other_things, swapped[1]),
        "unseen-wording": lambda _, story: stories.reworded(story),
        "distractors": partial(_distracted, False),
        "second-root": partial(_distracted, True),
    }
    if order == "in":
        retellings["shuffled"] = stories.shuffled
    return retellings


def _renamed(rng: random.Random, story: stories.Story) -> stories.Story:
    return replace(story, names=tuple(rng.sample(stories.held_names(), len(story.names))))


def _of_other_things(things: tuple[str, ...], rng: random.Random, story: stories.Story) -> stories.Story:
    return replace(story, thing=rng.choice(things))


def _distracted(same_thing: bool, rng: random.Random, story: stories.Story) -> stories.Story:
    others = [name for name in stories.NAMES if name not in story.names]
    kinds = stories.HELD_THINGS if story.thing in stories.HELD_THINGS else stories.THINGS
    things = [story.thing] if same_thing else [thing for thing in kinds if thing != story.thing]
    return stories.with_asides(rng, story, rng.sample(others, 1 if same_thing else 2), things)
