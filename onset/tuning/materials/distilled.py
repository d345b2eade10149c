"""The few-shot prompt itself: the base model's own distribution after demonstrations is what the model without them is
tuned towards. The bridge between prompting and tuning: the same labels, put into weights.

    on: {kind: distilled, shots: 8, samples: 4}

Texts are sampled from the base model after the demonstrations, on questions whose answers nobody looks at. The loss is
the Kullback-Leibler divergence of the model without demonstrations from the base model with them, at every token of a
text and at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from onset.plan import Use
from onset.prompting.text import render
from onset.records import Item, Sampling
from onset.tasks.base import Task
from onset.tuning.base import Example
from onset.tuning.materials.base import Expected, Format, Given, Material, Texts
from onset.tuning.materials.demonstrations import Sampled, counted, lengths, refuse_few, sample, split, uses


class Distilled(Material):
    """``shots`` demonstrations, the first of the granted examples; ``samples`` texts for each of the other questions,
    drawn at ``temperature`` (1: from the distribution that is distilled); ``of``: answers alone, or worked steps and
    answers. The tuned model is asked without demonstrations.

    What differs between the two is the demonstrations alone: instruction, template and question stand in both prompts.
    """

    kind = "distilled"
    source = (
        "Askell et al. 2021, arXiv 2112.00861, section 2.2 (context distillation by the KL divergence); Snell et al."
        " 2022, arXiv 2209.15189 (demonstrations as the context, the model's own samples as the texts)"
    )
    words = "what the prompted model says itself"
    uses = "the first `shots`: demonstrations; of the others the question alone, which counts as no label"
    calls = "samples of the base model on every other question, and its distribution at their tokens"
    distributions = True
    shots: int = Field(default=8, ge=1)
    samples: int = Field(default=4, ge=1, le=1000)
    temperature: float = Field(default=1.0, gt=0, le=5)
    of: Format = "answers"

    @property
    def format(self) -> Format:
        """As ``of`` says."""
        return self.of

    def usable(self, granted: Sequence[Item]) -> tuple[Item, ...]:
        """All: a question needs no rationale."""
        return tuple(granted)

    def check(self, task: Task, labels: int) -> None:
        """A question beside the demonstrations is needed."""
        refuse_few(self.kind, task, labels, self.shots, steps=self.of == "rationales", others=False)

    def ledger(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """The demonstrations, and the others' questions."""
        return uses(examples, self.shots, self.of)

    def make(self, given: Given) -> Texts:
        """A text a sample; equal ones count as often as they were drawn."""
        demos, asked = split(given.examples, self.shots, self.of)
        found, tokens = sample(
            given, f"'on: {self.kind}'", demos, asked, self.of, Sampling(self.samples, self.temperature)
        )
        texts: list[Example] = []
        for one in found:
            known: dict[str, Example] = {}
            for done in one.done:
                if done.text not in known:
                    known[done.text], taught = self._taught(given, one, done.text)
                    tokens += taught
                texts.append(known[done.text])
        return Texts(tuple(texts), tokens, tuple(self._row(one, demos) for one in found))

    def _taught(self, given: Given, one: Sampled, text: str) -> tuple[Example, int]:
        """``text`` after the question alone, with what the base model says after the demonstrations; and the tokens
        that took.
        """
        from onset.tuning.target import target_of

        chat = given.chat
        end = None if chat is None else chat.end
        shown = Example(one.prompt, text, templated=chat is not None, end=end)
        target = target_of(given.hf, shown)
        bare = render(given.task, (), one.item, rationale=self.of == "rationales", chat=chat)
        return replace(shown, prompt=bare, target=target), target.ran

    def _row(self, one: Sampled, demos: Sequence[Item]) -> dict[str, object]:
        return {
            "question": one.item.question,
            "prompt": one.prompt,
            "demonstrations": [demo.id for demo in demos],
            "samples": counted([done.text for done in one.done]),
        }

    def expected(self, task: Task, examples: Sequence[Item]) -> Expected:
        """``samples`` texts a question; the base model reads each prompt once to sample, and once more for each
        text.
        """
        demos, asked = split(examples, self.shots, self.of)
        question, demo, written = lengths(task, examples, self.of)
        texts, prompt = len(asked) * self.samples, question + len(demos) * demo
        read = len(asked) * prompt + texts * (prompt + written)
        return Expected(texts, question + written, read, texts * written)
