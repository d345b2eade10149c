"""Two quantities of the ladder's world compared: more or fewer, with a shortcut that is right three times in four.

    Question: Ray owns 17 keys. Pam has 7 fewer keys than Ray. Gil owns double the keys of Pam. Does Gil own more or
        fewer keys than Ray?
    Options: more; fewer
    Answer: Ray has 17. Pam has 17 - 7 = 10. Gil has 10 * 2 = 20. 20 is more than 17. The answer is more.

What the last sentence says by itself ("fewer", "half" ...: the cue) is the answer in 75 % of the problems. So a model
that answers at once can have 75 % without any sum, whereas one that works the steps out is right as often as its chain
is: where chains derail, working out may lose to answering at once. More and fewer are equally frequent, whether the
cue holds or not: chance is one half.

The labelled pool has 2 to 5 steps, as documents have; the test items ``steps``. The test set ``misleading`` is other
problems in which the cue is always wrong: a model that relies on it is worse than chance there.

Only the mixture ``standard`` holds such documents: the weights that come with the package have never read one.

The key of a problem is its numbers.
"""

from __future__ import annotations

import random
import re
from functools import partial

from onset.answers import ChoiceFormat
from onset.chains.steps import Claims
from onset.ladder.lessons import COMPARED, comparison
from onset.ladder.stories import LARGEST, STEPS_COMPARED
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import Problem, further, whole
from onset.tasks.solving.chains import Chains
from onset.tasks.world import item_of, label, split

NAME = "world-compare"
DEFAULTS: dict[str, str | int] = {"steps": 4}
CLAIMS = Claims(
    (
        r"\b(?P<key>[A-Z]\w+) has (?:[^.=\n]*= )?(?P<value>\d+)(?=[.\n]|$)",
        r"(?P<key>\b\d+) is (?P<value>more|fewer) than (?P<key2>\d+)",
    )
)
"""How many each person has, and which of the two numbers is more."""


def answer_format() -> AnswerFormat:
    """More or fewer."""
    return ChoiceFormat()


def load(*, steps: int = 4, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Chains of ``steps`` (2 to 8) steps. Raises DataError for a value out of range or more problems than exist."""
    whole(NAME, "steps", steps, 2, 8)
    name = label(NAME, DEFAULTS, {"steps": steps})
    asked = partial(_problem, steps=steps)
    pool_items, items = split(name, _like_documents, asked, sizes=(pool, test), seed=seed, balance=COMPARED)
    _, misleading = split(
        f"{name} misleading", _like_documents, partial(asked, holds=False),
        sizes=(1, test), seed=seed, balance=COMPARED,
    )  # fmt: skip
    return [
        Task(
            name=name,
            ability="complex reasoning",
            pool=pool_items,
            test=items,
            format=answer_format(),
            chance=0.5,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=16,
            rationale_tokens=24 * (max(steps, 5) + 2),
            test_sets=(("misleading", misleading),),
            claims=CLAIMS,
            longer=partial(further, load, "steps", steps, test=test, seed=seed),
            solver=Chains(starts=True, most=LARGEST),
        )
    ]


def _like_documents(rng: random.Random) -> Problem:
    return _problem(rng, rng.choice(STEPS_COMPARED))


def _problem(rng: random.Random, steps: int, holds: bool | None = None) -> Problem:
    lesson = comparison(rng, steps, holds=holds)
    sums = re.findall(r"\d+ [-+*/] \d+", lesson.rationale)
    return Problem(item_of(lesson, steps=steps), ", ".join(sums))
