"""What a question is: one file, one line in the table of `onset.analysis.questions`, and the conformance tests hold.

A question reads the estimates (`onset.analysis.estimates`), chooses what to say of them, and says it. It declares every
verdict it may give with its tone, so that page and terminal colour it without knowing the question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import ALWAYS, Finding, Interval, Tone, Unit
from onset.analysis.outcomes import Outcomes
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say, Sentence
from onset.analysis.setting import BASE, Placed


class OfTask(Protocol):
    """An estimate about one task."""

    @property
    def task(self) -> str:
        """Its name."""


_Of = TypeVar("_Of", bound=OfTask)
_At = TypeVar("_At", bound=Placed)


def tones(verdicts: Mapping[str, Tone]) -> Mapping[str, Tone]:
    """``verdicts``, read-only."""
    return MappingProxyType(dict(verdicts))


OF_TWO: Mapping[str, str] = MappingProxyType(
    {
        "wins": "the first is better",
        "loses": "the second is better",
        "equivalent": "equivalent within the margin",
        "undecided": "undecided",
    }
)
"""Verdicts on two methods, in words."""

CURVE_VERDICTS = tones(
    {
        "emergent": "for",
        "smooth": "for",
        "flat": "level",
        "inverse": "against",
        "u-shaped": "against",
        "unresolved": "open",
    }
)
"""Verdicts on a curve over size (`onset.analysis.emergence.verdict`)."""

CHANGE = {"wins": "gains", "loses": "loses", "equivalent": "equivalent", "undecided": "undecided"}
"""The verdict of a contrast -> the verdict of a question on one thing that is done to the same outputs."""
CHANGE_VERDICTS = tones({"gains": "for", "loses": "against", "equivalent": "level", "undecided": "open"})
CHANGE_SAID = {
    "wins": "a gain",
    "loses": "a loss",
    "equivalent": "equivalent within the margin",
    "undecided": "undecided",
}
"""The verdict of such a contrast in a sentence."""


class Question(ABC):
    """One thing that a study is asked.

    ``kind`` of its findings; ``unit`` of their estimates; ``figure``: name of the figure that shows them, None: none;
    ``verdicts``: every verdict it may give, with its tone; ``always``: its findings are never left out; ``wait``:
    rounds of dealing that its first finding waits; ``about_size``: what it leaves open waits one round more;
    ``of_anybody``: asked of other tools' results too, since it needs no study: only who had what right.
    """

    kind: ClassVar[str]
    unit: ClassVar[Unit]
    verdicts: ClassVar[Mapping[str, Tone]]
    figure: ClassVar[str | None] = None
    always: ClassVar[bool] = False
    wait: ClassVar[int] = 0
    about_size: ClassVar[bool] = False
    of_anybody: ClassVar[bool] = False

    @abstractmethod
    def _ask(self, study: Analysis) -> Iterable[Finding]:
        """Findings, the one that says most first; none where the study has nothing to say of it."""

    def ask(self, study: Analysis) -> tuple[Finding, ...]:
        """What the study says of it, the one that says most first: each waits one round of dealing more."""
        found = enumerate(self._ask(study))
        return tuple(one if self.always else replace(one, rank=one.rank + place) for place, one in found)

    def finding(
        self,
        subject: str,
        verdict: str,
        sentence: Sentence,
        short: Lines,
        *,
        estimate: float | None = None,
        interval: Interval | None = None,
        n: int | None = None,
        test: str | None = None,
    ) -> Finding:
        """A finding of this question, ``short``: its line (`onset.analysis.questions.lines`).

        Raises ValueError for a verdict that the question does not declare.
        """
        if verdict not in self.verdicts:
            declared = ", ".join(self.verdicts)
            raise ValueError(f'the question "{self.kind}" declares no verdict "{verdict}", but {declared}')
        tone = self.verdicts[verdict]
        late = self.wait + (self.about_size and tone == "open")
        return Finding(
            kind=self.kind,
            subject=subject,
            verdict=verdict,
            estimate=estimate,
            interval=interval,
            n=n,
            test=test,
            tone=tone,
            unit=self.unit,
            figure=self.figure,
            rank=ALWAYS if self.always else late,
            sentences={language: sentence(Say(language)) for language in LANGUAGES},
            lines=short,
        )


def first_of_tasks(found: Iterable[_Of], rank: Callable[[_Of], Any]) -> list[_Of]:
    """Of each task the one of highest ``rank``, the earlier one where ranks are equal; tasks as they come."""
    best: dict[str, _Of] = {}
    for one in found:
        if one.task not in best or rank(one) > rank(best[one.task]):
            best[one.task] = one
    return list(best.values())


def largest(arms: Sequence[Outcomes]) -> list[Outcomes]:
    """The arms of the model with most parameters, at its largest budget that several methods share."""
    top = max(arms, key=lambda arm: arm.params)
    same = of_one_model(top, arms)
    budgets = sorted({arm.labels for arm in same}, key=lambda labels: (_shared(same, labels), labels))
    return [arm for arm in same if arm.labels == budgets[-1]]


def _shared(arms: Sequence[Outcomes], labels: int) -> bool:
    return sum(arm.labels == labels for arm in arms) > 1


def of_largest(group: Sequence[_At]) -> list[_At]:
    """Those of the largest model, at its largest budget; of models on no stage where there are any of these."""
    based = [one for one in group if one.stage == BASE] or group
    size = max(one.params for one in based)
    budget = max(one.labels for one in based if one.params == size)
    return [one for one in based if (one.params, one.labels) == (size, budget)]


def of_one_model(one: _At, group: Iterable[_At]) -> list[_At]:
    """Those of ``group`` that are of the model and stage of ``one``: models of one size are told apart."""
    return [other for other in group if (other.model, other.stage) == (one.model, one.stage)]


def means_in_common(arms: Sequence[Outcomes]) -> list[float]:
    """The mean of each of ``arms`` on the items that all have, or on its own where there are none."""
    common = set.intersection(*(set(arm.items) for arm in arms))

    def mean(arm: Outcomes) -> float:
        held = arm.values[:, [place for place, item in enumerate(arm.items) if item in common]]
        return float(np.nanmean(held)) if np.isfinite(held).any() else arm.accuracy

    return [mean(arm) for arm in arms]


def by_task(arms: Iterable[Outcomes]) -> dict[str, list[Outcomes]]:
    """Task -> its arms."""
    groups: dict[str, list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault(arm.task, []).append(arm)
    return groups
