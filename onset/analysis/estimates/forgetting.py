"""What training makes a model forget: accuracy on other tasks and bits a byte of a text, before and after.

A model after a stage of training is held against the base model (the stage before, where the base was not asked), and a
tuned one against the model it was tuned from, asked alike: without examples, in the format of the tuned one. The model
before has no draw of examples: its answers stand beside each draw's tuned model. Change is after minus before, on the
items that both have; noise between draws is pooled where there are enough, p is adjusted by Holm over all changes of
accuracy, and over all of bits a byte. A method that prompts changes no weight: what it forgets is 0 by construction.

Where the model before is not shown to be above chance there is nothing that accuracy could lose, and equivalence within
the margin would be no keeping: that is a verdict of its own. Where it is above chance by the margin or less, all of it
may be lost within the margin: equivalence is then undecided.

Beside each change stands what the training gained where it was meant to: of a tuned model over the most accurate prompt
with the same examples, of a stage as `onset.analysis.contrast.asked.stage_comparisons` has it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.asked import decided, made_of, place
from onset.analysis.contrast.contrast import Contrast, measure, share_noise
from onset.analysis.outcomes import Aside, Outcomes, Outputs
from onset.analysis.setting import BASE, Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Link
from onset.scores import wilson

ForgettingVerdict = Literal["forgets", "keeps", "improves", "nothing to lose", "undecided"]


@dataclass(frozen=True, eq=False)
class Forgetting(Placed):
    """One change elsewhere. ``change``: after minus before (shares of items, or bits a byte, of which more is worse);
    ``levels``: before and after; ``home``: the task of the tuned model's examples (None: a stage); ``lost``: is there
    anything to lose, the model before being shown to be above chance (a text: always)?; ``room``: is it above chance by
    more than the margin?; ``gain``: what the training gained, None where that was not measured.
    """

    change: Contrast
    home: str | None
    lost: bool
    gain: Contrast | None
    is_text: bool
    room: bool = True

    @property
    def at(self) -> Setting:
        """What was trained, asked elsewhere."""
        return self.change.plus

    @property
    def levels(self) -> tuple[float, float]:
        """Before and after."""
        after, before = self.change.levels
        return before or 0.0, after or 0.0

    @property
    def verdict(self) -> ForgettingVerdict:
        """Said of the training."""
        if not self.lost and self.change.verdict != "wins":
            return "nothing to lose"
        if self.change.verdict == "equivalent" and not self.room:
            return "undecided"
        said: dict[str, ForgettingVerdict] = {"loses": "forgets", "wins": "improves", "equivalent": "keeps"}
        return said.get(self.change.verdict, "undecided")

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares, or bits a byte."""
        held = self.change.json()
        names = ("difference", "interval", "p", "p_holm", "p_equivalent_holm", "test", "margin", "unpaired", "mismatch")
        gain = None
        if self.gain is not None:
            gain = {
                "task": self.gain.task,
                "sides": list(self.gain.names),
                "difference": self.gain.difference,
                "interval": None if self.gain.interval is None else list(self.gain.interval),
                "verdict": self.gain.verdict,
            }
        return self.coordinates(method=self.method if self.home is not None else None) | {
            "family": self.family,
            "home": self.home,
            "metric": "bits a byte" if self.is_text else "accuracy",
            "against": self.change.names[1],
            "seeds": list(self.change.draws),
            "n": self.change.n,
            "before": self.levels[0],
            "after": self.levels[1],
            **{name: held[name] for name in (*names, "family_size")},
            "verdict": self.verdict,
            "gain": gain,
        }


def forgettings(
    asides: Sequence[Aside],
    arms: Sequence[Outcomes],
    methods: Sequence[Contrast],
    stages: Sequence[Contrast],
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> tuple[Forgetting, ...]:
    """Every trained model that was asked elsewhere, and what it was made of too. ``arms``, ``methods`` and
    ``stages``: the study's own outcomes and comparisons, for what was gained.
    """
    prompted = {arm.method for arm in arms if not arm.tuned}
    made: list[Forgetting] = []
    links: list[Link] = []
    for after, before, name in _pairs(asides):
        one = measure(
            replace(after.outcomes, plans=(), outputs=Outputs()),
            _beside(before, after.outcomes),
            "stage" if after.home is None else "method",
            margin=margin,
            replicates=replicates,
            names=(after.outcomes.stage if after.home is None else after.outcomes.method, name),
            kind="score" if after.is_text else "binary",
        )
        if one.difference is not None:
            gain = _tuning_gain(after, methods, prompted) if after.home else _stage_gain(after, stages)
            lost = after.is_text or _above_chance(before)
            room = after.is_text or (one.levels[1] or 0.0) - (before.chance or 0.0) > margin
            made.append(Forgetting(one, after.home, lost, gain, after.is_text, room))
            links.append(((place(after.outcomes), after.home), place(before)))
    order = sorted(range(len(made)), key=lambda at: made[at].is_text)
    designs = [
        f"{'a text' if one.is_text else 'other tasks'} after {'tuning' if one.home else 'a stage'}" for one in made
    ]
    changes = share_noise([made[at].change for at in order], [designs[at] for at in order], [links[at] for at in order])
    asked: list[Hashable] = [made[at].is_text for at in order]
    done = decided(changes, asked, lambda one: "what training forgets")
    return tuple(replace(made[at], change=change) for at, change in zip(order, done, strict=True))


def _pairs(asides: Sequence[Aside]) -> Iterator[tuple[Aside, Outcomes, str]]:
    """(after, before, what that is called)."""
    untuned = [one for one in asides if one.home is None]
    for after in asides:
        mine = after.outcomes
        if after.home is None:
            if mine.stage == BASE:
                continue
            names = (BASE, mine.stage.rpartition(", ")[0])
            alike = [other.outcomes for other in untuned if _alike(other.outcomes, mine)]
            made = (made_of(mine, [other for other in alike if other.stage == name]) for name in names)
        else:
            made = (
                other.outcomes
                for other in untuned
                if (other.outcomes.stage, other.outcomes.model) == (mine.stage, mine.model)
                and _asked_alike(other.outcomes, mine)
            )
        before = next((one for one in made if one is not None), None)
        if before is not None:
            yield after, before, before.stage


def _alike(one: Outcomes, other: Outcomes) -> bool:
    """Of one task and family, asked in one way."""
    return (one.task, one.family, one.method) == (other.task, other.family, other.method)


def _asked_alike(one: Outcomes, other: Outcomes) -> bool:
    return (one.task, one.asked.prompt, one.asked.template) == (other.task, other.asked.prompt, other.asked.template)


def _beside(before: Outcomes, after: Outcomes) -> Outcomes:
    """The one table of ``before`` beside every draw of ``after``, where it has a single draw."""
    if len(before.draws) > 1:
        return replace(before, plans=(), outputs=Outputs())
    draws = len(after.draws)
    return replace(
        before,
        draws=after.draws,
        values=np.repeat(before.values, draws, axis=0),
        versions=before.versions * draws,
        plans=(),
        outputs=Outputs(),
    )


def _above_chance(before: Outcomes) -> bool:
    """Is the accuracy of the first draw shown to be above chance (Wilson, 95 %)?"""
    known = before.values[0][np.isfinite(before.values[0])]
    return bool(len(known)) and wilson(int(known.sum()), len(known))[0] > (before.chance or 0.0)


def _tuning_gain(after: Aside, methods: Sequence[Contrast], prompted: Set[str]) -> Contrast | None:
    """Over the most accurate prompt with the same examples, on the task of these."""
    mine = after.outcomes
    place = (after.home, mine.model, mine.stage, mine.labels)
    found = [
        said
        for one in methods
        for said in (one, one.turned())
        if said.at.clean
        and said.difference is not None
        and (said.task, said.model, said.stage, said.labels) == place
        and said.names[0] == mine.method
        and said.names[1] in prompted
    ]
    return max(found, key=lambda one: one.levels[1] or 0.0, default=None)


def _stage_gain(after: Aside, stages: Sequence[Contrast]) -> Contrast | None:
    """On the study's own tasks: that of the most accurate method at the largest budget."""
    mine = after.outcomes
    found = [
        one
        for one in stages
        if one.at.clean and one.difference is not None and (one.plus.model, one.names[0]) == (mine.model, mine.stage)
    ]
    return max(found, key=lambda one: (one.labels, one.levels[0] or 0.0), default=None)
