"""The contract of what is trained on: which granted examples are used for what, the texts made of them, and how the
tuned model is asked.

    on: answers                                       # the material called so, as it is by default
    on: {kind: few-shot, shots: 4, of: rationales}    # with its settings
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from onset.models.base import Model
from onset.models.chat import ChatTemplate
from onset.plan import Use
from onset.prompting.base import CHARACTERS_PER_TOKEN, Need
from onset.prompting.text import answer_text, render
from onset.records import Item
from onset.step import Step
from onset.tasks.base import Task
from onset.tuning.base import Example

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.materials.kept import Kept

Format = Literal["answers", "rationales"]
"""Questions with their answers, or with worked steps and answers."""

PROMPT_OF: Mapping[Format, str] = {"answers": "answer-only", "rationales": "cot"}
"""The prompting method that renders a format, and by which the tuned model is asked."""


@dataclass(frozen=True, slots=True)
class Given:
    """What texts are made of: the base ``model``, the ``task`` without its examples, the granted ``examples`` that
    carry what the material needs (in the order of the plan, at least one), the template to ask through (None: plain
    text), the ``seed`` of the cell, and where samples are ``kept`` while they are drawn (None: nowhere).
    """

    model: Model
    task: Task
    examples: Sequence[Item]
    chat: ChatTemplate | None
    seed: int
    kept: Kept | None = None

    @property
    def hf(self) -> HFModel:
        """The model, of which more is needed than completions. Only such models are tuned."""
        from onset.models.hf import HFModel

        assert isinstance(self.model, HFModel)
        return self.model


@dataclass(frozen=True, slots=True)
class Texts:
    """What is trained on: ``examples``; the ``tokens`` that the base model ran to make them (in and out; prompts that
    samples share once); and ``rows``, plain JSON a line of which says how some of them came about.
    """

    examples: tuple[Example, ...]
    tokens: int = 0
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What `onset plan` counts with: about ``texts`` to train on, of ``tokens`` each on average; and what the base
    model runs first, in all: tokens ``read`` (prompts) and ``written`` (samples).
    """

    texts: float
    tokens: float
    read: float = 0.0
    written: float = 0.0


class Material(Step):
    """What is trained on: one file and one line in `onset.tuning.MATERIALS`. ``uses``: what of the granted examples it
    uses and what for, in words; ``calls``: what the base model is asked first.
    """

    uses: ClassVar[str]
    calls: ClassVar[str] = ""
    distributions: ClassVar[bool] = False
    """Does it need the base model's distribution at every token (`Given.hf`)?"""

    @property
    @abstractmethod
    def format(self) -> Format:
        """What the texts hold."""

    @property
    def asked(self) -> str | Mapping[str, Any]:
        """The prompting method by which the tuned model is asked, a step of its table: the format it was tuned on."""
        return PROMPT_OF[self.format]

    @property
    def shown(self) -> int:
        """How many demonstrations the tuned model is asked with."""
        return 0

    def needed(self) -> frozenset[Need]:
        """What the examples must carry."""
        return frozenset({"rationales"}) if self.format == "rationales" else frozenset()

    def usable(self, granted: Sequence[Item]) -> tuple[Item, ...]:
        """Those of ``granted`` that carry what is needed, in their order."""
        return tuple(item for item in granted if item.rationale or "rationales" not in self.needed())

    def check(self, task: Task, labels: int) -> None:
        """Raises DataError where ``labels`` granted examples of ``task`` are too few for the settings, so that `make`
        could never succeed.
        """

    @abstractmethod
    def ledger(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """What `make` uses of the usable ``examples``, and what for."""

    @abstractmethod
    def make(self, given: Given) -> Texts:
        """The texts. Equal arguments give equal texts. Raises ModelError where none can be made."""

    @abstractmethod
    def expected(self, task: Task, examples: Sequence[Item]) -> Expected:
        """A guess of what `make` gives of the usable ``examples`` (at least one), and of what that takes."""

    @classmethod
    def facts(cls) -> dict[str, Any]:
        """What ``onset list methods`` says of the material beside its settings and source."""
        return {"uses": cls.uses}


def labelled(given: Given, demos: Sequence[Item], item: Item, form: Format) -> Example:
    """The very prompt by which a tuned model is asked about ``item`` after ``demos``, and its labelled answer."""
    task, chat, steps = given.task, given.chat, form == "rationales"
    prompt = render(task, demos, item, rationale=steps, chat=chat)
    answer = answer_text(item, rationale=steps, layout=task.layout, chat=chat is not None)
    return Example(prompt, answer) if chat is None else Example(prompt, answer, templated=True, end=chat.end)


def guessed(task: Task, examples: Sequence[Item], form: Format) -> float:
    """Tokens of a question with its labelled answer, guessed as the mean over ``examples``."""
    text = [len(render(task, (), one, rationale=False)) + len(one.answer) for one in examples]
    if form == "rationales":
        text = [size + len(one.rationale or "") for size, one in zip(text, examples, strict=True)]
    return sum(text) / len(text) / CHARACTERS_PER_TOKEN
