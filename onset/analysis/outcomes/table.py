"""Outcomes: what one way of asking got right at one setting, draws x items. Contrasts and curves start from them.

Whoever's logs are read, the same table comes out; what a source does not say is None, or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    None for a tuned model and without labels.
    """

    prompt: str = ""
    tune: str | None = None
    vote: int | None = None
    template: str = "plain"
    shown: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Flops:
    """Mean floating-point operations of a ``query``, and of one ``tuning`` run (0 for prompting)."""

    query: float
    tuning: float


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


@dataclass(frozen=True, eq=False)
class Outcomes(Placed):
    """One metric at one setting.

    ``values``: draws x items (0 or 1 for a strict metric), NaN where a draw lacks the item; ``draws`` names its rows
    (seeds of Onset, epochs of inspect), ``items`` its columns by content: the source's document hash, else a hash of
    what the item is. ``targets``: hashes of the gold answers and ``twins`` the clean items that shifted ones were made
    from, one an item; ``prompts`` (hashes) and ``statuses`` (of parsing): draws x items; ``scores``: continuous scores
    of the same outputs by name (``gold_logprob`` in nats, ``gold_prob`` in 0..1), draws x items, NaN where not known.
    ``plans``: example plans, and ``versions``: of the task, one a draw. ``texts``: draws x items where they were asked
    for, None where an item was not in a draw; a results folder has them in its records.

    ``chance``: the score of guessing; ``higher_is_better``: False for an error or a loss; ``source``: the file or
    folder; ``notes``: what the reader had to decide, in words.
    """

    at: Setting
    metric: str
    draws: tuple[int, ...]
    items: tuple[str, ...]
    values: Array
    targets: tuple[str | None, ...] = ()
    prompts: Strings = ()
    statuses: Strings = ()
    source: str = ""
    filter: str = NO_FILTER
    twins: tuple[str | None, ...] = ()
    plans: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    chance: float | None = None
    higher_is_better: bool = True
    scores: Mapping[str, Array] = field(default_factory=dict)
    asked: Asked = Asked()
    ran: Ran = Ran()
    texts: tuple[tuple[Text | None, ...], ...] = ()
    notes: tuple[str, ...] = ()

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
        known = [status for row in self.statuses for status in row if status is not None]
        return sum(status == "ok" for status in known) / len(known) if known else None

    @property
    def readable(self) -> float:
        """The share of outputs an answer was found in; 1 where the source does not say: nothing speaks against it."""
        rate = self.parse_rate
        return 1.0 if rate is None else rate
