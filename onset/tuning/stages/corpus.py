"""Training on examples with the loss of tuning: a corpus of one's own, or a mixture of several.

    recipes:
      instruct: {data: instructions.jsonl, steps: 400}
      mixed: {data: [{file: a.jsonl, cap: 3000, templates: [...]}, {file: b.jsonl, share: 0.2}], steps: 400}
      placebo: {data: instructions.jsonl, steps: 400, control: shuffled}
      plain: {data: instructions.jsonl, steps: 400, control: plain, text: book.txt}

A line of a corpus is ``{"prompt": ..., "completion": ...}``, of which the completion is learnt (instructions, worked
steps), or ``{"text": ...}``, of which everything is (code, plain text). Other keys are left aside.

Placebos of equal tokens: ``shuffled`` deals every prompt the completion of another one of its source; ``plain`` puts a
run of ``text`` in the place of every row, as many tokens, of which as many at the end are learnt. Steps, batches,
tokens run, tokens learnt and FLOPs are then those of the corpus, and the report has both counts.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from onset.errors import DataError
from onset.prompting.base import CHARACTERS_PER_TOKEN
from onset.tuning.base import Example, Progress, Seeds
from onset.tuning.full import Full
from onset.tuning.stages import mixture
from onset.tuning.stages.base import Stage, Text, Trained, Work, report_of
from onset.tuning.stages.mixture import Source
from onset.tuning.stages.texts import digest, read_corpus, text_of

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint


@dataclass(frozen=True)
class Part:
    """The ``rows`` of a ``source``, and how many are ``drawn`` in all (None: batches go through them as they are)."""

    source: Source
    rows: tuple[Example, ...]
    drawn: int | None = None


class Supervised(Stage):
    """A stage that learns the completions of examples.

    ``data``: a file of JSON lines beside the study file, or a list of sources that are mixed
    (`onset.tuning.stages.mixture`); ``control``: the placebo it is, ``shuffled`` or ``plain``; ``text``: the file of
    plain text of the latter.
    """

    rate = Full.learning_rate
    equal: ClassVar[bool] = False
    """Do sources without a share get as many rows as each other, whatever their size?"""
    paths = ("data", "text")
    data: Annotated[str | tuple[Source, ...], BeforeValidator(mixture.sources)]
    control: Literal["none", "shuffled", "plain"] = "none"
    text: str | None = None

    @model_validator(mode="after")
    def _check_text(self) -> Supervised:
        if (self.control == "plain") != (self.text is not None):
            raise ValueError("'control: plain' and 'text', a file of plain text, go together")
        return self

    @abstractmethod
    def read(self, source: Source) -> tuple[Example, ...]:
        """The rows of one source. Raises DataError, with the line."""

    @abstractmethod
    def content(self, source: Source) -> str:
        """A hash of what a source holds. Raises DataError when it cannot be read."""

    @property
    def listed(self) -> tuple[Source, ...]:
        """The sources, one where ``data`` is a file."""
        return (Source(file=self.data),) if isinstance(self.data, str) else self.data

    @property
    def where(self) -> str:
        """The sources by name, or the plain text in their place."""
        return f"text {self.text}" if self.text is not None else f"corpus {', '.join(one.name for one in self.listed)}"

    def contents(self) -> dict[str, Any]:
        """Hashes of the sources, with their settings, and of the plain text. Raises DataError when one cannot be
        read.
        """
        found: dict[str, Any] = {
            "data": self.content(self.listed[0])
            if isinstance(self.data, str)
            else [{**one.said(), "file" if one.file else "task": self.content(one)} for one in self.data]
        }
        return found if self.text is None else {**found, "text": digest(self.text)[:16]}

    def parts(self, *, control: bool = True) -> tuple[Part, ...]:
        """What it draws from, the placebo's completions dealt anew where it is one (and ``control``).

        Raises DataError for a file that is no corpus, and where shares or the placebo cannot be.
        """
        rows = [self.read(one) for one in self.listed]
        if control and self.control == "shuffled":
            rows = [self._dealt(one, held) for one, held in zip(self.listed, rows, strict=True)]
        if isinstance(self.data, str):
            return (Part(self.listed[0], rows[0]),)
        shares = mixture.rates(self.data, [len(one) for one in rows], equal=self.equal)
        counts = mixture.apportioned(shares, self.steps * self.batch_size)
        if 0 in counts:
            raise DataError(
                f"stage mixture: {self.data[counts.index(0)].name} gets none of the {self.steps * self.batch_size} rows"
                " of all steps; raise its share, 'steps' or 'batch_size'"
            )
        return tuple(Part(*one) for one in zip(self.data, rows, counts, strict=True))

    def corpus(self, *, control: bool = True) -> tuple[Example, ...]:
        """The examples that batches are made of, in every epoch; of a mixture those of all steps. (The plain text that
        stands in their place is cut by tokens: `train`.) Raises DataError as `parts` does.
        """
        return tuple(self._drawn(control=control))

    def _drawn(self, *, control: bool) -> Iterator[Example]:
        for at, part in enumerate(self.parts(control=control)):
            if part.drawn is None:
                yield from part.rows
            else:
                yield from mixture.drawn(part.rows, part.source, part.drawn, f"{self.seed} {at}")

    def _dealt(self, source: Source, rows: tuple[Example, ...]) -> tuple[Example, ...]:
        if len(rows) < 2 or not all(one.prompt for one in rows):
            raise DataError(
                f"stage corpus {source.name}: 'control: shuffled' needs two prompts with completions or more"
            )
        order = list(range(len(rows)))
        random.Random(self.seed).shuffle(order)
        dealt = dict(zip(order, [*order[1:], order[0]], strict=True))
        return tuple(Example(one.prompt, rows[dealt[place]].completion) for place, one in enumerate(rows))

    def texts(self) -> Iterator[Text]:
        """Of every source; the plain text alone where it stands in their place."""
        if self.text is not None:
            yield Text("", text_of(self.text))
            return
        for part in self.parts(control=False):
            yield from (Text(one.prompt, one.completion) for one in part.rows)

    def work(self) -> Work:
        """All rows of all steps; those of the corpus where plain text stands in their place."""
        rows = self.corpus()
        tokens = sum(len(one.prompt) + len(one.completion) for one in rows) / len(rows) / CHARACTERS_PER_TOKEN
        return Work(tokens * self.steps * min(self.batch_size, len(rows)))

    def train(
        self, model: HFModel, seeds: Seeds, progress: Progress | None = None, checkpoint: Checkpoint | None = None
    ) -> Trained:
        """Full tuning on `corpus`, or on plain text in its shape. The report's detail: ``learnt``, tokens in the loss;
        ``sources`` (name, rows, drawn); of a placebo ``of``, the tokens run and learnt that the corpus itself takes,
        and of a shuffled one ``right``: how many prompts were dealt an equal completion all the same.
        """
        from onset.tuning.loop import encode, run_and_learnt
        from onset.tuning.stages.plain import in_the_shape_of

        schedule = self.schedule()
        limit = schedule.limit(model.facts.known("context"))
        rows = encode(model.tokenizer, self.corpus(), limit)
        detail: dict[str, Any] = {"learnt": 0, "sources": self.said()}
        if self.control != "none":
            own = encode(model.tokenizer, self.corpus(control=False), limit)
            run, learnt = run_and_learnt(own, schedule, seeds.order)
            detail["of"] = {"tokens": run, "learnt": learnt}
        if self.control == "shuffled":
            detail["right"] = self._right()
        if self.text is not None:
            rows = in_the_shape_of(rows, text_of(self.text), model.tokenizer, self.text)
        _, detail["learnt"] = run_and_learnt(rows, schedule, seeds.order)
        trained, report = Full().fit(model, rows, seeds, schedule, progress, checkpoint)
        return Trained(trained, report_of(report, report.flops, detail))

    def said(self) -> list[dict[str, Any]]:
        """The sources, for the report: name, rows, and how many were drawn in all."""
        return [
            {"name": one.source.short, "rows": len(one.rows), "drawn": one.drawn} for one in self.parts(control=False)
        ]

    def _right(self) -> int:
        """Of the prompts of all sources, how many were dealt a completion equal to their own."""
        pairs = zip(self.parts(), self.parts(control=False), strict=True)
        return sum(a.completion == b.completion for one, own in pairs for a, b in zip(one.rows, own.rows, strict=True))


class Corpus(Supervised):
    """A corpus of one's own, or a mixture of several with ``templates``."""

    kind = "corpus"
    source = (
        "every weight, the loss of tuning; with prompts on completions alone (Ouyang et al. 2022, arXiv 2203.02155);"
        " mixtures: Raffel et al. 2020, arXiv 1910.10683, and Wei et al. 2021, arXiv 2109.01652"
    )
    words = "training on a corpus"

    @model_validator(mode="after")
    def _check_files(self) -> Corpus:
        if any(one.task is not None for one in self.listed):
            raise ValueError("a source of a corpus is a 'file'; examples of a task are for the kind 'multi-format'")
        return self

    def read(self, source: Source) -> tuple[Example, ...]:
        """The rows of the file. Templates need prompts. Raises DataError."""
        rows = read_corpus(str(source.file))
        if source.templates and not all(one.prompt for one in rows):
            raise DataError(f"stage corpus {source.file}: 'templates' need lines of 'prompt' and 'completion'")
        return rows

    def content(self, source: Source) -> str:
        """16 hex digits of the file's hash."""
        return digest(str(source.file))[:16]
