"""What a stage of training adds to the gain of chain of thought: a difference in differences.

The gain is accuracy with worked steps minus accuracy when answering at once, of one model with the same examples and
items. What a stage adds to it is its gain after the stage minus that of the reference: the model it was made from, or a
placebo of as many tokens (`onset.analysis.estimates.stages`), at equal size, on the draws and items that all four
tables have. It is an interaction of two contrasts (`onset.analysis.contrast.contrast.interaction`), with noise between
draws pooled where there are enough, p by Holm over all of a task, shift and family, and equivalence within the margin
asked.

A stage may raise both accuracies alike and add nothing to the gain: that is what the gain, and not accuracy, tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.contrast.asked import decided, link
from onset.analysis.contrast.contrast import Contrast, interaction, share_noise
from onset.analysis.estimates.stages import Against, Tokens, Trainings, sides, tokens_of
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Link


@dataclass(frozen=True, eq=False)
class StageGain(Placed):
    """What a stage adds to the gain of one method over another.

    ``added``: the gain after the stage minus that of the reference, decided with all others of its task, shift and
    family; ``gains``: both, each of them with an interval of its own; ``against``: what the reference is; ``tokens``:
    of training, of either; ``placebo``: is the stage itself one?
    """

    added: Contrast
    gains: tuple[Contrast, Contrast]
    against: Against
    tokens: Tokens
    placebo: bool = False

    @property
    def at(self) -> Setting:
        """The reference's setting, with the method whose gain it is."""
        return self.gains[1].plus

    @property
    def sides(self) -> tuple[str, str]:
        """The stage and its reference."""
        return self.gains[0].stage, self.gains[1].stage

    @property
    def methods(self) -> tuple[str, str]:
        """The method and the one it gains over."""
        return self.gains[0].names

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares -1..1 and 0..1."""
        held = self.added.json()
        names = (
            *("seeds", "n", "difference", "interval", "p", "p_holm", "p_equivalent", "p_equivalent_holm", "test"),
            *("margin", "mismatch", "family", "family_size", "by_draw", "not_pooled", "verdict"),
            *("needed", "needed_draws"),
        )
        return {
            "task": self.task,
            "shift": self.shift,
            "labels": self.labels,
            "family": self.family,
            "params": self.params,
            "methods": list(self.methods),
            "models": [one.model for one in self.gains],
            "sides": list(self.sides),
            "against": self.against,
            "tokens": self.tokens.json(),
            "tokens_equal": self.tokens.equal,
            "gains": [
                {
                    "gain": one.difference,
                    "interval": None if one.interval is None else list(one.interval),
                    "accuracy": one.levels[0],
                    "accuracy_against": one.levels[1],
                    "verdict": one.verdict,
                }
                for one in self.gains
            ],
            **{name: held[name] for name in names},
        }


def stage_gains(
    arms: Sequence[Outcomes],
    comparisons: Sequence[Contrast],
    trainings: Trainings,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> tuple[StageGain, ...]:
    """Every stage that was asked with chain of thought and at once, as its reference was.

    ``comparisons``: those of ``arms``, decided. Methods that show as many examples are paired, without tuning or vote;
    all of them where none does.
    """
    known = {
        (said.plus.without("method"), said.names): said
        for one in comparisons
        if one.difference is not None
        for said in (one, one.turned())
    }
    made: list[tuple[_Place, Contrast, tuple[Contrast, Contrast], Against, Tokens, Link]] = []
    groups: dict[tuple[str, str, str, int], list[Outcomes]] = {}
    for arm in arms:
        if not arm.tuned and arm.asked.vote is None and arm.at.params:
            groups.setdefault((arm.task, arm.shift, arm.family, arm.labels), []).append(arm)
    for (task, shift, family, _), group in groups.items():
        for method, other in _pairs(group):
            with_steps = [arm for arm in group if arm.method == method]
            for stage, reference, against in sides(with_steps, trainings):
                gains = tuple(known.get((one.at.without("method"), (method, other))) for one in (stage, reference))
                if gains[0] is None or gains[1] is None:
                    continue
                one = interaction(gains[0], gains[1], margin=margin, replicates=replicates)
                both = gains[0], gains[1]
                if one.difference is not None:
                    tokens = tokens_of(stage, reference, trainings)
                    made.append(((task, shift, family), one, both, against, tokens, link(stage, reference)))
    made.sort(key=lambda row: row[0])
    members = share_noise(
        [row[1] for row in made], ["gains of two stages, prompted"] * len(made), [row[-1] for row in made]
    )
    family_of = "what stages add to gains on {task}, shift {shift}, family {family}"
    found = decided(
        members,
        [row[0] for row in made],
        lambda one: family_of.format(task=one.task, shift=one.shift, family=one.family),
    )
    controls = {place for place, one in trainings.items() if one.is_placebo}
    return tuple(
        StageGain(added, *row[2:5], placebo=(row[2][0].model, row[2][0].stage) in controls)
        for added, row in zip(found, made, strict=True)
    )


_Place = tuple[str, str, str]
"""Task, shift and family."""


def _pairs(group: Sequence[Outcomes]) -> Iterator[tuple[str, str]]:
    """(chain of thought, answering at once) by method, with as many examples shown where there are such."""
    shown: Mapping[str, Outcomes] = {arm.method: arm for arm in group}
    every = [
        (one, other)
        for one in shown.values()
        for other in shown.values()
        if (one.asked.prompt, other.asked.prompt) == ("cot", "answer-only")
    ]
    alike = [pair for pair in every if pair[0].asked.shown == pair[1].asked.shown]
    yield from ((one.method, other.method) for one, other in alike or every)
