"""Prompts that hold demonstrations: the format of few-shot prompting itself is trained on.

    on: {kind: few-shot, shots: 2}

    Question: What is 12 + 5?
    Answer: The answer is 17.

    Question: What is 40 + 9?
    Answer: The answer is 49.

    Question: What is 27 + 48?
    Answer: < The answer is 75.>

The loss is on the last answer. The tuned model is asked with as many demonstrations, those that a prompting method with
as many shots would show.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from pydantic import Field

from onset.plan import Use, use_of
from onset.records import Item, derive_seed
from onset.tasks.base import Task
from onset.tuning.materials.base import Expected, Format, Given, Material, Texts, guessed, labelled
from onset.tuning.materials.demonstrations import refuse_few


class FewShot(Material):
    """``shots`` demonstrations before each question, drawn from the other granted examples by the cell's seed, in
    random order; ``draws``: prompts of each example, each with demonstrations of its own; ``of``: answers alone, or
    worked steps and answers.

    The number of optimiser steps is that of every material: more draws are more variety, not more training. A prompt
    with demonstrations is longer, so that training and asking cost more.
    """

    kind = "few-shot"
    source = (
        "Bornschein et al. 2025, arXiv 2512.19879 (tuning on prompts of the k-shot format); Min et al. 2022, arXiv"
        " 2110.15943, section 3.1 (a loss on the last answer alone)"
    )
    words = "prompts with demonstrations"
    uses = "every example: training, and as demonstrations of the others"
    shots: int = Field(default=4, ge=1)
    of: Format = "answers"
    draws: int = Field(default=8, ge=1)

    @property
    def format(self) -> Format:
        """As ``of`` says."""
        return self.of

    @property
    def shown(self) -> int:
        """As many as in training."""
        return self.shots

    def check(self, task: Task, labels: int) -> None:
        """An example and ``shots`` others are needed."""
        refuse_few(self.kind, task, labels, self.shots, steps=self.of == "rationales", others=self.of == "rationales")

    def ledger(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """All are trained on."""
        return (use_of("training", examples, rationales=self.of == "rationales"),)

    def make(self, given: Given) -> Texts:
        """``draws`` texts an example."""
        texts = []
        for draw in range(self.draws):
            for item in given.examples:
                others = [one for one in given.examples if one is not item]
                seed = derive_seed("few-shot", given.seed, draw, item.id)
                demos = random.Random(seed).sample(others, min(self.shots, len(others)))
                texts.append(labelled(given, demos, item, self.of))
        return Texts(tuple(texts))

    def expected(self, task: Task, examples: Sequence[Item]) -> Expected:
        """``draws`` texts an example, each as long as ``shots`` and one examples."""
        return Expected(len(examples) * self.draws, guessed(task, examples, self.of) * (1 + self.shots))
