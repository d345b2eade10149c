"""Outcomes: what one way of asking got right at one setting, draws x items. Contrasts and curves start from them.

Whoever's logs are read, the same table comes out; what a source does not say is None, or empty.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.counting import Counted, counted

ACCURACY = "accuracy"
NO_FILTER = "none"
"""What lm-evaluation-harness calls the filter of a task that has none."""

Strings = tuple[tuple[str | None, ...], ...]
"""Draws x items, None where not known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a method asks, as far as methods are told apart by it. A foreign source says none of it.

    ``prompt``: the kind of prompt; ``tune``: the kind of tuning, None for prompting; ``vote``: samples that vote, None
    for one; ``template``: ``chat`` or ``plain``; ``shown``: the fewest and most demonstrations of a draw's prompts,
    None for a tuned model and without labels; ``used``: the most labelled examples that a draw used for anything (None:
    not said); ``select``: the rule by which its settings were chosen; ``bound``: by
    labels beyond the budget, so that it is an upper bound.
    """

    prompt: str = ""
    tune: str | None = None
    vote: int | None = None
    template: str = "plain"
    shown: tuple[int, int] | None = None
    used: int | None = None
    select: str = "none"
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Flops:
    """Mean floating-point operations of a ``query``, of one ``tuning`` run (0 for prompting), and of one ``search`` for
    settings (0: none).
    """

    query: float
    tuning: float
    search: float = 0.0

    @property
    def once(self) -> float:
        """Before the first query."""
        return self.tuning + self.search


@dataclass(frozen=True, slots=True)
class Ran:
    """What running took and what went wrong, over all draws.

    ``flops``: None where not known; ``overlong``: prompts that did not fit; ``failed``: items at which the method
    raised an error, with the first ``cause``.
    """

    flops: Flops | None = None
    overlong: int = 0
    failed: int = 0
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What one item asked in one draw and what came back, for people to read; None: the source does not say.

    ``gold``: the right answer; ``prompt``: all that the model was given; ``outputs``: what it wrote, or its choices
    with their log-probabilities; ``answer``: what was read from it.
    """

    question: str
    gold: str
    prompt: str | None = None
    outputs: tuple[str, ...] = ()
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured: the ``metric`` and, of lm-evaluation-harness, the ``filter`` that read the outputs.

    ``chance``: the score of guessing (None: not known); ``higher_is_better``: False for an error or a loss.
    """

    metric: str
    filter: str = NO_FILTER
    chance: float | None = None
    higher_is_better: bool = True


class Measuring:
    """What has a measure, which says its parts."""

    if TYPE_CHECKING:

        @property
        def measure(self) -> Measure:
            """What was measured: a field of the class."""

    @property
    def metric(self) -> str:
        """The metric's name, as the source writes it."""
        return self.measure.metric

    @property
    def filter(self) -> str:
        """The filter's name; `NO_FILTER` without one."""
        return self.measure.filter

    @property
    def chance(self) -> float | None:
        """The score of guessing."""
        return self.measure.chance

    @property
    def higher_is_better(self) -> bool:
        """Not of an error or a loss."""
        return self.measure.higher_is_better


@dataclass(frozen=True, eq=False)
class Outputs:
    """What was asked and came back, all draws x items; empty where the source does not say.

    ``prompts``: hashes; ``statuses``: of parsing; ``texts``: where they were asked for, None where an item was not in a
    draw (a results folder has them in its records); ``scores``: continuous scores of the same outputs by name
    (``gold_logprob`` in nats, ``gold_prob`` in 0..1), NaN where not known.
    """

    prompts: Strings = ()
    statuses: Strings = ()
    texts: tuple[tuple[Text | None, ...], ...] = ()
    scores: Mapping[str, Array] = field(default_factory=dict)

    def only(self, places: Sequence[int]) -> Outputs:
        """Those of the items at ``places``."""
        return Outputs(
            tuple(tuple(row[place] for place in places) for row in self.prompts),
            tuple(tuple(row[place] for place in places) for row in self.statuses),
            tuple(tuple(row[place] for place in places) for row in self.texts),
            {name: table[:, places] for name, table in self.scores.items()},
        )


@dataclass(frozen=True, eq=False)
class Outcomes(Placed, Measuring):
    """One metric at one setting.

    ``values``: draws x items (0 or 1 for a strict metric), NaN where a draw lacks the item; ``draws`` names its rows
    (seeds of Onset, epochs of inspect), ``items`` its columns by content: the source's document hash, else a hash of
    what the item is. ``targets``: hashes of the gold answers and ``twins`` the clean items that shifted ones were made
    from, one an item. ``plans``: example plans, and ``versions``: of the task, one a draw. ``source``: the file or
    folder; ``notes``: what the reader had to decide, in words.
    """

    at: Setting
    measure: Measure
    draws: tuple[int, ...]
    items: tuple[str, ...]
    values: Array
    targets: tuple[str | None, ...] = ()
    twins: tuple[str | None, ...] = ()
    plans: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    outputs: Outputs = Outputs()
    asked: Asked = Asked()
    ran: Ran = Ran()
    source: str = ""
    notes: tuple[str, ...] = ()

    def only(self, places: Sequence[int]) -> Outcomes:
        """The outcomes of the items at ``places``."""
        return replace(
            self,
            items=tuple(self.items[place] for place in places),
            values=self.values[:, places],
            targets=tuple(self.targets[place] for place in places) if self.targets else (),
            twins=tuple(self.twins[place] for place in places) if self.twins else (),
            outputs=self.outputs.only(places),
        )

    def as_score(self, name: str) -> Outcomes:
        """The continuous score of that name in the place of the metric; each grows with the ability."""
        measure = replace(self.measure, metric=name, higher_is_better=True)
        return replace(self, measure=measure, values=self.outputs.scores[name])

    @property
    def accuracy(self) -> float:
        """Mean over everything measured."""
        return float(np.nanmean(self.values))

    def counts(self) -> Counted:
        """How many of the outcomes (0 or 1) are right, and how many independent trials they are worth: a point of a
        curve. Items are trials; several draws of the same items are worth fewer (`onset.analysis.stats.counting`).
        """
        return counted(self.values)

    @property
    def shows_none(self) -> bool:
        """Was the model asked without any demonstration, and not tuned, and no example used for anything else?"""
        shown = self.asked.shown or ((0, 0) if self.asked.prompt and not self.at.labels else None)
        return not self.tuned and shown is not None and shown[1] == 0 and not self.asked.used

    @property
    def given(self) -> int:
        """The labelled examples that it has use of: its budget, or 0 where it uses none."""
        return 0 if self.shows_none else self.labels

    @property
    def repeated(self) -> bool:
        """Do all draws have the same outcomes because no example is shown, and nothing else differs?"""
        return self.shows_none and bool(np.array_equal(self.values, self.values[:1].repeat(len(self.draws), 0), True))

    @property
    def once(self) -> Hashable | None:
        """What is the same where one measurement stands at several budgets: a prompt that shows four examples is one at
        every budget that has those four (asked the same, it came out the same). None: not known to be one.
        """
        if self.tuned or not self.outputs.prompts:
            return None
        return self.at.without("labels"), self.outputs.prompts, self.draws, self.items, self.values.tobytes()

    @property
    def tuned(self) -> bool:
        """Is the model tuned on the examples, rather than shown them?"""
        return self.asked.tune is not None

    @property
    def binary(self) -> bool:
        """Is every score 0 or 1?"""
        known = self.values[np.isfinite(self.values)]
        return bool(np.isin(known, (0.0, 1.0)).all())

    @property
    def version(self) -> str | None:
        """The versions of the task, in one text; None where the source says none."""
        return ", ".join(dict.fromkeys(self.versions)) or None

    @property
    def parse_rate(self) -> float | None:
        """The share of outputs an answer was found in (0..1); None where the source does not say."""
        known = [status for row in self.outputs.statuses for status in row if status is not None]
        return sum(status == "ok" for status in known) / len(known) if known else None

    @property
    def readable(self) -> float:
        """The share of outputs an answer was found in; 1 where the source does not say: nothing speaks against it."""
        rate = self.parse_rate
        return 1.0 if rate is None else rate
