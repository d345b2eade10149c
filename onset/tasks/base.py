"""What a task is: items, a pool of labelled examples, an answer format, a chance level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from onset.chains.steps import Claims
from onset.records import Answer, Item, Score, content_hash
from onset.tasks.solving.base import Solver

Ability = Literal["complex reasoning", "knowledge reasoning", "robustness", "symbolic", "own"]


class AnswerFormat(Protocol):
    """How an answer is found in a text and judged. `onset grade` needs only this, never the data."""

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The answer in ``text``. ``truncated``: the text was cut by a token limit."""
        ...

    def score(self, answer: Answer, item: Item) -> Score:
        """Strict score: does a found answer equal a right one? Not when none was found. And, in the formats that have
        one, the partial score: how much of a right answer it is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """How an item and its answer are written: the words before context, question and answer (empty: no such line
    of its own), what joins the answer to what stands before it, the words that announce it, and its end.

        Question: What is 27 + 48?
        Answer: The answer is 75.

    A text ends where its answer does: after ``marker`` and a value, with the sentence that ``end`` ends (empty: with
    the line), see `onset.records.EndRule`.
    """

    context: str = "Context:"
    question: str = "Question:"
    answer: str = "Answer:"
    lead: str = " "
    marker: str = "The answer is"
    end: str = "."


PLAIN = Layout()


@dataclass(frozen=True, slots=True)
class Task:
    """A task, loaded.

    ``name`` is its label in tables (``gsm8k``, ``bbh/navigate``, ``addition[digits=3]``); ``pool`` the
    labelled examples any method may learn from; ``test`` the items, in file order; ``chance`` the
    accuracy of a blind guess (0..1); ``instruction`` a line put before the demonstrations (may be empty);
    ``answer_tokens`` and ``rationale_tokens`` the token limits of a direct answer and of a chain;
    ``test_sets`` other test sets of the same task by shift name (a shift of domain); ``source`` says
    where the data came from; ``layout`` how items are written; ``notes`` what a person should know of the data before
    a run (near duplicates, answers that look like classes); ``claims`` what it can check of a chain beside
    the sums in it; ``trace`` writes the state trace of a labelled example, for a scratchpad (None: the task has none),
    and ``trace_tokens`` is the token limit of a trace and its answer. ``instruction_last``: the instruction stands
    behind the demonstrations; ``longer`` gives the same generated task so many steps further (None: it has no length);
    ``solver`` works an item out from its text alone (None: nothing can).
    """

    name: str
    ability: Ability
    pool: tuple[Item, ...]
    test: tuple[Item, ...]
    format: AnswerFormat
    chance: float
    source: str
    instruction: str = ""
    answer_tokens: int = 24
    rationale_tokens: int = 256
    test_sets: tuple[tuple[str, tuple[Item, ...]], ...] = ()
    layout: Layout = PLAIN
    notes: tuple[str, ...] = ()
    claims: Claims | None = None
    trace: Callable[[Item], str] | None = None
    trace_tokens: int = 0
    instruction_last: bool = False
    longer: Callable[[int], Task] | None = field(default=None, compare=False)
    solver: Solver | None = field(default=None, compare=False)

    @property
    def hash(self) -> str:
        """16 hex digits over the labelled pool, rationales included, and everything else but the test items that
        shapes a prompt or an answer's score. (A cell's identity has the ids of its test items beside it: a new
        test set leaves the results on the others, and the tuned models, as they are; what traces say, only prompts that
        show them depend on: `traces`.)
        """
        pool = [(item.id, item.rationale) for item in self.pool]
        limits = [self.answer_tokens, self.rationale_tokens]
        shape = [self.name, self.instruction, pool, repr(self.format), self.chance, limits]
        shape += [] if self.layout == PLAIN else [repr(self.layout)]
        shape += ["instruction last"] if self.instruction_last else []
        told = asked_beside(self.pool)
        return content_hash([*shape, told] if told else shape)

    @property
    def traces(self) -> str | None:
        """16 hex digits over the traces of the labelled pool; None where there are none."""
        if self.trace is None:
            return None
        return content_hash([self.trace_tokens, *map(self.trace, self.pool)])


TOLD = ("statement", "negation", "concept")
"""Keys of `onset.records.Item.meta` that prompting methods put into prompts, where an item has them."""


def asked_beside(items: Sequence[Item]) -> list[list[str | int | float | None]]:
    """What prompts may hold of ``items`` that their ids do not: their `TOLD`; nothing where none has any."""
    found = [[item.meta.get(key) for key in TOLD] for item in items]
    return found if any(one is not None for row in found for one in row) else []
