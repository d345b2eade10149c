"""Last-letter concatenation: the last letters of ``words`` words, joined.

    Question: Take the last letters of the words in "garden valley" and concatenate them.
    Answer: The last letter of "garden" is "n". The last letter of "valley" is "y". Together: "ny". The answer is ny.

Wei et al. 2022 (arXiv 2201.11903, section 5), with common words whose last letters are spread evenly over
23 letters in place of names. The key of a problem is its list of words in order.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import partial

from onset.answers import TextFormat
from onset.chains.steps import Claims
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import ENUMERABLE, Problem, Space, further, labelled, sample, token_limit, whole
from onset.tasks.solving.small import LastLetters
from onset.tasks.words import LAST_LETTER_WORDS

NAME = "last-letters"
DEFAULT_WORDS = 2
CLAIMS = Claims(
    (
        r"\b[Ll]ast letter of \"(?P<key>\w+)\" is \"(?P<value>\w+)\"",
        r"\b(?P<key>Together): \"(?P<value>\w+)\"",
    )
)
"""The last letter of each word, and all of them."""


def answer_format() -> AnswerFormat:
    """A short text."""
    return TextFormat()


def load(*, words: int = DEFAULT_WORDS, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Lists of ``words`` different words (1 to 16). Raises DataError for a value out of range or for
    more problems than exist (one word: as many as the word list has).
    """
    whole(NAME, "words", words, 1, 16)
    label = labelled(NAME, "words", words, DEFAULT_WORDS)

    def draw(rng: random.Random) -> Problem:
        return _problem(rng.sample(LAST_LETTER_WORDS, words))

    def every() -> Iterator[Problem]:
        return (_problem(chosen) for chosen in itertools.permutations(LAST_LETTER_WORDS, words))

    space = Space(label, draw, every if math.perm(len(LAST_LETTER_WORDS), words) <= ENUMERABLE else None)
    pool_items, test_items = sample(space, pool=pool, test=test, seed=seed)
    return [
        Task(
            name=label,
            ability="symbolic",
            pool=pool_items,
            test=test_items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {label}, seed {seed}",
            answer_tokens=24 + 2 * words,
            rationale_tokens=token_limit(44 * words + 60),
            claims=CLAIMS,
            longer=partial(further, load, "words", words, test=test, seed=seed),
            solver=LastLetters(),
        )
    ]


def _problem(words: Sequence[str]) -> Problem:
    answer = "".join(word[-1] for word in words)
    steps = [f'The last letter of "{word}" is "{word[-1]}".' for word in words]
    if len(words) == 1:
        question = f'What is the last letter of the word "{words[0]}"?'
    else:
        question = f'Take the last letters of the words in "{" ".join(words)}" and concatenate them.'
        steps.append(f'Together: "{answer}".')
    return Problem(Item(question, answer, " ".join(steps), meta={"words": len(words)}), " ".join(words))
