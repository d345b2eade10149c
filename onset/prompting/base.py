"""The contract of a prompting method: settings, and how an item is solved through an `Ask`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from onset.answers import OpenFormat
from onset.models.chat import ChatTemplate
from onset.plan import Use
from onset.prompting.ask import ANSWER, GOLD, Ask, total
from onset.prompting.text import most_tokens, render
from onset.records import Answer, Attempt, Completion, Gold, Item
from onset.scores import normalised_choice_probability
from onset.step import Step
from onset.tasks.base import Task
from onset.thinking import answer_part
from onset.votes.base import Sample, Vote, Voted

Need = Literal["rationales", "traces", "choices", "scores"]
"""What a method cannot do without: demonstrations with rationales, or with state traces; items with choices; a model
that gives log-probabilities of texts."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Calls that `onset plan` counts with: of ``role``, to ``prompts`` prompts of ``tokens_in`` tokens (None: those of
    the whole prompt) and ``tokens_more``, ``samples`` completions each, of about ``tokens_out`` tokens. ``params``: of
    another model that is asked (those each token is multiplied with; None: the measured one is).
    """

    role: str
    tokens_out: float
    prompts: float = 1
    samples: int = 1
    tokens_in: float | None = None
    tokens_more: float = 0.0
    params: int | None = None


CHARACTERS_PER_TOKEN = 3.5
"""What `onset plan` counts with: English prose has about 4 characters a token, numbers and names fewer."""


def guessed_tokens(task: Task, text: Callable[[Item], str]) -> float:
    """Tokens of ``text`` about an item of ``task``, guessed as the mean over its first test items."""
    items = task.test[:20]
    return sum(len(text(one)) for one in items) / len(items) / CHARACTERS_PER_TOKEN


def guessed_chain(task: Task) -> float:
    """Tokens of worked steps, guessed: most end before their limit."""
    return 0.6 * task.rationale_tokens


class Prompt(Step):
    """A prompting method: one file and one line in `onset.prompting.PROMPTING`.

    ``needs``: what it cannot do without; ``shows``: does it show demonstrations (a zero-shot method: no, whatever the
    budget); ``calls``: what it asks about an item, in words.
    """

    needs: ClassVar[frozenset[Need]] = frozenset()
    shows: ClassVar[bool] = True
    chain: ClassVar[bool] = False
    """Does the model write steps before its answer?"""
    instead: ClassVar[tuple[str, ...]] = ()
    """Keys of `onset.records.Item.meta` that its prompts hold in place of the question, where an item has them."""
    calls: ClassVar[str] = "1 call an item"

    @property
    def rationale(self) -> bool:
        """Do its demonstrations show steps, their rationales or what stands for them?"""
        return not self.needed().isdisjoint({"rationales", "traces"})

    def needed(self) -> frozenset[Need]:
        """`needs`, and what its settings make it need."""
        return self.needs

    def seeded(self) -> bool:
        """Does what it asks depend on the cell's seed (calls that sample, or the granted examples), though it shows no
        demonstration and has no vote?
        """
        return False

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """The prompt about ``item`` that has to fit the model's context together with `limit` tokens."""
        return render(task, self.dressed(demos, task), item, rationale=self.rationale, chat=chat)

    def dressed(self, demos: Sequence[Item], task: Task) -> tuple[Item, ...]:
        """``demos`` as they are shown."""
        return tuple(demos)

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """The token limit of an answer."""
        return most_tokens(task, rationale=self.chain, chat=chat)

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """The calls about an item, for `onset plan`: most answers end before their limit."""
        out = guessed_chain(task) if self.chain else 8.0
        return (Planned(ANSWER, out, samples=samples),)

    def check(self, vote: Vote | None) -> None:
        """Raises StudyError where its settings do not go together with ``vote``."""

    def check_task(self, task: Task) -> None:
        """Raises DataError where ``task`` lacks what its settings need, beyond `needs`."""

    def check_budget(self, labels: int) -> None:
        """Raises StudyError where ``labels`` labelled examples, one of a study's budgets, are too few for its settings,
        so that `prepare` could never succeed.
        """

    def uses_examples(self) -> bool:
        """Does `prepare` use granted examples? Else cells that show none are the same at every budget, and run once."""
        return False

    def used(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """What `prepare` uses of the granted examples, for the ledger: nothing, unless `uses_examples`."""
        return ()

    @classmethod
    def prepares(cls) -> bool:
        """Is anything done once for a cell?"""
        return cls.prepare is not Prompt.prepare

    async def prepare(self, ask: Ask, examples: Sequence[Item]) -> Any:
        """What is done once for a cell, before its first item: `Ask.state` of every item. ``examples``: those that the
        budget grants; each that is looked at must be in `used`. ``ask.item`` has no question, only the choices that all
        items share, and an empty context where all have one; no choices where each item has its own, or is shown
        demonstrations of its own. Equal arguments give an equal state.
        """
        return None

    def grid(self) -> Sequence[Mapping[str, Any]]:
        """Its own settings that a search tries, by name, most promising first (`onset.search.grid`): none, unless it
        says so. Demonstrations and their order are tried of every method that shows some.
        """
        return ()

    @abstractmethod
    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask about one item. What it hands back depends on nothing but its arguments and the model's answers."""

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """The answer in one completion, after its thinking if it thinks; the first of its steps is none. Pure."""
        if done.finish == "budget":
            return Answer(None, "out of budget")
        answers = task.format
        if self.chain and isinstance(answers, OpenFormat):
            answers = replace(answers, first_line=False)
        return answers.extract(answer_part(done.text), item, truncated=done.finish == "length")

    def announces(self, item: Item, task: Task) -> str:
        """The words in a text after which its answer stands: no step of it."""
        return task.layout.marker

    def conclude(self, items: Sequence[Item], scores: Sequence[Sequence[float | None] | None]) -> list[Answer] | None:
        """The answers of a whole cell, where they depend on all of its items (None: they do not). ``scores``: each
        item's `onset.records.Attempt.scores`, None for an item that failed. Pure.
        """
        return None


def unanswered(prompt: str, done: Completion) -> Attempt:
    """The attempt of an item that has no answer because of ``done``, the first call: one whose prompt did not fit."""
    nothing = Answer(None, "none")
    return Attempt(prompt, (done,), (nothing,), nothing)


def joined(first: Completion, text: str, then: Completion) -> Completion:
    """``first``, of which ``text`` is kept (what was put behind it for a second call too), gone on with by ``then``."""
    known = first.logprob is not None and then.logprob is not None
    return replace(
        first,
        text=text + then.text,
        tokens=total([first.tokens, then.tokens]),
        logprob=(first.logprob or 0.0) + (then.logprob or 0.0) if known else None,
        finish=then.finish,
        thinking=first.thinking if then.thinking is None else then.thinking + (first.thinking or 0),
        thought="\n\n".join(filter(None, (first.thought, then.thought))),
        summed=None if first.summed is then.summed is None else total([first.length, then.length]),
    )


async def answered(prompt: str, item: Item, ask: Ask, method: Prompt) -> tuple[tuple[Completion, ...], Answered]:
    """Ask ``prompt`` for an answer, or for as many as the vote wants, and read them."""
    done = await ask.generate(
        prompt, ANSWER, max_tokens=method.limit(ask.task, ask.chat), sampling=ask.sampling, until=ask.end
    )
    return done, read_all(done, item, ask, method, ask.verify(prompt, done))


Scores = Sequence[float | None] | None
"""A verifier's scores of samples, in their order; None where there is no verifier."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The ``answers`` of all samples, what was ``voted``, and a verifier's ``scores`` of the samples, where there is
    one.
    """

    answers: tuple[Answer, ...]
    voted: Voted
    scores: Scores = None

    @property
    def detail(self) -> dict[str, Any]:
        """What the vote keeps of its choice, under ``vote``: another vote over the same samples puts its own there."""
        return vote_detail(self.voted, self.scores)


def vote_detail(voted: Voted, scores: Scores = None) -> dict[str, Any]:
    """What a vote keeps of its choice, as a part of a record's detail, and the ``scores`` that it ranked by."""
    kept: dict[str, Any] = {"vote": dict(voted.detail)} if voted.detail else {}
    return kept if scores is None else kept | {"verifier": list(scores)}


def taken(
    vote: Vote | None, done: Sequence[Completion], answers: Sequence[Answer], item: Item, scores: Scores = None
) -> Voted:
    """The answer that ``vote`` takes of ``done``, in which ``answers`` were read; without a vote the first."""
    if vote is None:
        return Voted(answers[0])
    rated = scores or (None,) * len(done)
    samples = [
        Sample(one.text, answer, one.logprob, one.length, score)
        for one, answer, score in zip(done, answers, rated, strict=True)
    ]
    return vote.choose(samples, item)


def read_all(done: Sequence[Completion], item: Item, ask: Ask, method: Prompt, scores: Scores = None) -> Answered:
    """The answers of ``done``, and the one that is taken."""
    answers = tuple(method.read(one, item, ask.task) for one in done)
    return Answered(answers, taken(ask.vote, done, answers, item, scores), scores)


async def gold_score(stem: str, item: Item, ask: Ask, *, run: bool) -> Gold:
    """Score the gold answer, and every choice of a multiple-choice item, after ``stem``.

    The continuation is ``" {answer}."`` (in the task's layout): with the full stop, so that 18 is not credited with the
    probability of 180; of several right answers the first. Nothing is run, and nothing is known, when
    ``ask.continuous`` is false or ``run`` is (a prompt that did not fit).
    """
    if not (ask.continuous and run):
        return Gold(None, None)
    options = item.choices if item.choices else (item.answer,)
    scored = await ask.score(stem, [f" {option}{ask.task.layout.end}" for option in options], GOLD)
    gold = options.index(item.answer)
    logprobs = [one.logprob for one in scored]
    probability = normalised_choice_probability(gold, logprobs) if item.choices else None
    return Gold(logprobs[gold], probability)
