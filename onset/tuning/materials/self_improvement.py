"""The model's own worked steps, kept where they lead to the answer that most of its samples give: self-improvement.

    on: {kind: self-improvement, shots: 8, samples: 32}

A worked example, with three samples of one question (the majority is 10, and two paths agree):

    Pam has 17 - 7 = 10. The answer is 10.      kept
    Pam has 7 keys. The answer is 7.            left out
    Ray has 17, so Pam 10. The answer is 10.    kept

Each path that is kept is trained on in four formats, in which the model may be asked: after demonstrations with steps,
the path; after demonstrations without, "The answer is 10."; after the question and "Let's think step by step.", the
path; after the question alone, "The answer is 10.". No label but those of the demonstrations is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from onset.errors import ModelError
from onset.plan import Use
from onset.prompting.cot import Chain
from onset.prompting.text import render
from onset.prompting.zero_shot_cot import ZeroShotChain, asking
from onset.records import Answer, Item, Sampling
from onset.scores import vote
from onset.tasks.base import Task
from onset.tuning.base import Example
from onset.tuning.materials.base import Expected, Format, Given, Material, Texts
from onset.tuning.materials.demonstrations import Sampled, counted, lengths, refuse_few, sample, split, uses

FORMATS = 4


@dataclass(frozen=True, slots=True)
class Voted:
    """The ``answers`` of a question's samples, the majority's (``won``), and the texts that agree with it."""

    answers: tuple[Answer, ...]
    won: Answer
    paths: tuple[str, ...]


class SelfImprovement(Material):
    """``shots`` demonstrations with rationales, the first of the granted examples; ``samples`` chains of thought for
    each of the other questions at ``temperature``; all that agree with the majority are trained on, however small it is
    (the paper has no threshold). A question without an answer that can be read is left out, which the kept rows say.

    The tuned model is asked by chain of thought with the same demonstrations, as in the paper, or with ``zero_shot`` by
    `zero-shot-cot`, without any (its second call only where the steps announce no answer).

    Deviations: the schedule is that of every material (there: 10,000 steps of 32); equal texts of the formats without
    steps are not removed, as there.
    """

    kind = "self-improvement"
    source = "Huang et al. 2022, arXiv 2210.11610, sections 3.1 and 3.2"
    words = "its own worked steps that lead to the majority's answer"
    uses = (
        "the first `shots`: demonstrations, with rationales; of the others the question alone, which counts as no label"
    )
    calls = "samples of the base model on every other question"
    shots: int = Field(default=8, ge=1)
    samples: int = Field(default=32, ge=2, le=1000)
    temperature: float = Field(default=0.7, gt=0, le=5)
    zero_shot: bool = False

    @property
    def format(self) -> Format:
        """Steps, in half of the texts."""
        return "rationales"

    @property
    def asked(self) -> str | Mapping[str, Any]:
        """Chain of thought, with demonstrations or without."""
        return {"kind": ZeroShotChain.kind, "announced": True} if self.zero_shot else Chain.kind

    @property
    def shown(self) -> int:
        """The demonstrations, unless ``zero_shot``."""
        return 0 if self.zero_shot else self.shots

    def usable(self, granted: Sequence[Item]) -> tuple[Item, ...]:
        """All: a question needs no rationale."""
        return tuple(granted)

    def check(self, task: Task, labels: int) -> None:
        """A question beside the demonstrations is needed."""
        refuse_few(self.kind, task, labels, self.shots, steps=True, others=False)

    def ledger(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """The demonstrations, and the others' questions."""
        return uses(examples, self.shots, self.format)

    def make(self, given: Given) -> Texts:
        """Four texts a path that is kept. Raises ModelError where no sample has an answer that can be read."""
        demos, asked = split(given.examples, self.shots, self.format)
        how = Sampling(self.samples, self.temperature)
        found, tokens = sample(given, f"'on: {self.kind}'", demos, asked, self.format, how)
        voted = [_voted(given.task, one) for one in found]
        if not any(one.paths for one in voted):
            raise ModelError(
                f"'on: self-improvement': none of {self.samples} samples for each of {len(found)} questions has an"
                f" answer that can be read, nothing is left to tune on (first: {found[0].done[0].text[:60]!r})"
            )
        texts = [
            text
            for one, votes in zip(found, voted, strict=True)
            for path in votes.paths
            for text in formats(given, demos, one.item, path, str(votes.won.value))
        ]
        rows = [_row(one, votes, demos) for one, votes in zip(found, voted, strict=True)]
        return Texts(tuple(texts), tokens, tuple(rows))

    def expected(self, task: Task, examples: Sequence[Item]) -> Expected:
        """As if half of the samples agreed; half of the texts have demonstrations, and half have steps."""
        demos, asked = split(examples, self.shots, self.format)
        question, demo, written = lengths(task, examples, self.format)
        prompt, samples = question + len(demos) * demo, len(asked) * self.samples
        tokens = question + len(demos) * demo / 2 + (written + 8.0) / 2
        return Expected(samples * FORMATS / 2, tokens, len(asked) * prompt, samples * written)


def _voted(task: Task, one: Sampled) -> Voted:
    """The majority of a question's samples (`onset.scores.vote`), and those that agree with it."""
    chain = Chain()
    answers = tuple(chain.read(done, one.item, task) for done in one.done)
    won = vote(answers, [done.logprob for done in one.done])
    agree = zip(one.done, answers, strict=True)
    paths = tuple(done.text for done, answer in agree if answer.value is not None and answer.value == won.value)
    return Voted(answers, won, paths)


def formats(given: Given, demos: Sequence[Item], item: Item, path: str, answer: str) -> tuple[Example, ...]:
    """A ``path`` to ``answer`` in the paper's four formats (section 3.2), in its order."""
    task, chat = given.task, given.chat
    lead = task.layout.lead if chat is None else ""
    direct, steps = lead + _announced(task, path, answer), path.rstrip()
    told = f"{asking(task, item, chat)}{lead}{ZeroShotChain().trigger}"
    pairs = [
        (render(task, demos, item, rationale=True, chat=chat), steps),
        (render(task, demos, item, rationale=False, chat=chat), direct),
        (told, f" {steps.lstrip()}"),
        (render(task, (), item, rationale=False, chat=chat), direct),
    ]
    end = None if chat is None else chat.end
    return tuple(Example(prompt, text, templated=chat is not None, end=end) for prompt, text in pairs)


def _announced(task: Task, path: str, answer: str) -> str:
    """The words in which ``path`` announces its answer, or those of the task around it."""
    place = path.lower().rfind(task.layout.marker.lower())
    return path[place:].strip() if place >= 0 else f"{task.layout.marker} {answer}{task.layout.end}"


def _row(one: Sampled, votes: Voted, demos: Sequence[Item]) -> dict[str, Any]:
    counts = Counter(answer.value for answer in votes.answers if answer.value is not None)
    read = zip(one.done, votes.answers, strict=True)
    others = [(done.text, said) for done, said in read if said.value is None or said.value != votes.won.value]
    return {
        "question": one.item.question,
        "prompt": one.prompt,
        "demonstrations": [demo.id for demo in demos],
        "samples": len(one.done),
        "answer": votes.won.value,
        "agreeing": len(votes.paths),
        "answers": dict(counts.most_common()),
        "paths": counted(votes.paths),
        "left_out": [{"text": text, "answer": said.value, "status": said.status} for text, said in others],
    }
