"""Programs of the ladder's world: what is printed, answered at once or after a trace of the variables.

    a = 5
    b = a + 3
    print(b)
    # a = 5
    # b = 5 + 3 = 8
    >>> 8

The layout is that of the documents: no "Question:" and no "The answer is". The labelled pool has programs of 1 to 5
assignments in the given order, the test items ``steps``. ``order: shuffled`` asks ``solve b:`` of lines in random
order. The key of a problem is the whole program.
"""

from __future__ import annotations

import random
from functools import partial

from onset.answers import NumberFormat
from onset.chains.steps import Claims
from onset.ladder.lessons import program
from onset.ladder.stories import LARGEST, STEPS_TOLD
from onset.tasks.base import AnswerFormat, Layout, Task
from onset.tasks.generated import Problem, further, whole
from onset.tasks.solving.small import Programs
from onset.tasks.traces import limit, of_program
from onset.tasks.world import item_of, label, one_of, split

NAME = "world-programs"
DEFAULTS: dict[str, str | int] = {"steps": 3, "order": "in"}
LAYOUT = Layout(question="", answer="", lead="\n", marker=">>>", end="")
CLAIMS = Claims((r"^# (?P<key>[a-z]) = (?:[^=\n]*= )?(?P<value>-?\d+)\s*$",))
"""The value of each variable."""


def answer_format() -> AnswerFormat:
    """A number."""
    return NumberFormat()


def load(*, steps: int = 3, order: str = "in", pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Programs of ``steps`` (1 to 8) assignments after the first. Raises DataError for a value that is not allowed."""
    whole(NAME, "steps", steps, 1, 8)
    one_of(NAME, "order", order, ("in", "shuffled"))
    name = label(NAME, DEFAULTS, {"steps": steps, "order": order})

    def shown(rng: random.Random) -> Problem:
        return _problem(rng, rng.choice(STEPS_TOLD), order)

    def asked(rng: random.Random) -> Problem:
        return _problem(rng, steps, order)

    pool_items, items = split(name, shown, asked, sizes=(pool, test), seed=seed)
    return [
        Task(
            name=name,
            ability="symbolic",
            pool=pool_items,
            test=items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {name}, seed {seed}",
            answer_tokens=12,
            rationale_tokens=20 * (max(steps, 5) + 1),
            layout=LAYOUT,
            claims=CLAIMS,
            trace=of_program,
            trace_tokens=limit(max(steps, 5) + 1),
            longer=partial(further, load, "steps", steps, test=test, seed=seed, order=order),
            solver=Programs(LARGEST),
        )
    ]


def _problem(rng: random.Random, steps: int, order: str) -> Problem:
    lesson = program(rng, steps, shuffled=order == "shuffled")
    return Problem(item_of(lesson, steps=steps), lesson.question)
