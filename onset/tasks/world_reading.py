"""Reading in the ladder's world: a passage that invents facts, and a question that only the passage answers.

    Passage: The job of Guvon Donin is baker. Nanar Voke lives in Susudur.
    Question: Where does Nanar Voke live?
    Answer: The answer is Susudur.

What the passage says of a person is drawn at random, whatever documents say of them: memory does not help (it is right
by chance, one time in 20 for a food, in 64 for a city). The key of a problem is passage and question.
"""

from __future__ import annotations

import random

from onset.answers import TextFormat
from onset.ladder.lessons import reading
from onset.tasks.base import AnswerFormat, Layout, Task
from onset.tasks.generated import Problem
from onset.tasks.world import item_of, split

NAME = "world-reading"


def answer_format() -> AnswerFormat:
    """A short text: a place, a job, a food, a name or a number."""
    return TextFormat()


def load(*, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Passages of two to five sentences. Raises DataError for a value out of range."""
    pool_items, items = split(NAME, _problem, _problem, sizes=(pool, test), seed=seed)
    return [
        Task(
            name=NAME,
            ability="knowledge reasoning",
            pool=pool_items,
            test=items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {NAME}, seed {seed}",
            layout=Layout(context="Passage:"),
        )
    ]


def _problem(rng: random.Random) -> Problem:
    lesson = reading(rng)
    return Problem(item_of(lesson), f"{lesson.passage}\n{lesson.question}")
