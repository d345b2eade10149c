"""Outcomes: what one way of asking got right at one setting, draws x items. Contrasts and curves start from them.

Whoever's logs are read, the same table comes out; what a source does not say is None, or empty.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.setting import Placed, Setting, steps
from onset.analysis.stats.bootstrap import Array
from onset.records import content_hash
from onset.results.read import Results

ACCURACY = "accuracy"
NO_FILTER = "none"
"""What lm-evaluation-harness calls the filter of a task that has none."""
KEY = ("model", "stage", "method", "labels", "task", "shift")
"""Columns of a results folder's cells that name one `Outcomes`; its cells are the draws."""

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


@dataclass(frozen=True, eq=False)
class Outcomes(Placed):
    """One metric at one setting.

    ``values``: draws x items (0 or 1 for a strict metric), NaN where a draw lacks the item; ``draws`` names its rows
    (seeds of Onset, epochs of inspect), ``items`` its columns by content: the source's document hash, else a hash of
    what the item is. ``targets``: hashes of the gold answers and ``twins`` the clean items that shifted ones were made
    from, one an item; ``prompts`` (hashes) and ``statuses`` (of parsing): draws x items; ``scores``: continuous scores
    of the same outputs by name (``gold_logprob`` in nats, ``gold_prob`` in 0..1), draws x items, NaN where not known.
    ``plans``: example plans, and ``versions``: of the task, one a draw.

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
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        """Mean over everything measured."""
        return float(np.nanmean(self.values))

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


@dataclass(frozen=True, eq=False)
class Aligned:
    """Two tables side by side, on what both have.

    ``plus`` and ``minus``: draws x items. With ``paired`` a column is one item (or an item and its clean twin), NaN
    where either side lacks it; else the sides are two test sets, ``items`` and ``others``. ``only``: outcomes of the
    draws compared that only one side has; ``refused``: draws left out, and why.
    """

    draws: tuple[int, ...]
    items: tuple[str, ...]
    others: tuple[str, ...]
    plus: Array
    minus: Array
    paired: bool = True
    only: tuple[int, int] = (0, 0)
    refused: tuple[str, ...] = ()


def aligned(plus: Outcomes, minus: Outcomes, draws: Sequence[int], refused: Sequence[str] = ()) -> Aligned:
    """The tables of both on ``draws``, their items paired by name and in the order of their names.

    The order does not depend on which side is which, so that resamples of a pair and of its mirror are the same.
    """
    items = sorted({*plus.items, *minus.items})
    left, right = _table(plus, draws, items), _table(minus, draws, items)
    has_plus, has_minus = np.isfinite(left), np.isfinite(right)
    both = has_plus & has_minus
    shared = both.any(axis=0)
    names = tuple(items[place] for place in np.flatnonzero(shared))
    return Aligned(
        tuple(draws),
        names,
        names,
        np.where(both, left, np.nan)[:, shared],
        np.where(both, right, np.nan)[:, shared],
        only=(int((has_plus & ~has_minus).sum()), int((has_minus & ~has_plus).sum())),
        refused=tuple(refused),
    )


def _table(one: Outcomes, draws: Sequence[int], items: Sequence[str]) -> Array:
    out = np.full((len(draws), len(items)), np.nan)
    position = {item: index for index, item in enumerate(items)}
    rows = [one.draws.index(draw) for draw in draws]
    out[:, [position[item] for item in one.items]] = one.values[rows]
    return out


def twinned(clean: Outcomes, shifted: Outcomes) -> Aligned | None:
    """Clean (plus) and shifted (minus) outcomes on the draws of both, in the order of the shifted items; None without
    a draw in common.

    Shifted items that were made from clean ones are paired with them; where none was, the shift is another test set.
    """
    draws = tuple(draw for draw in shifted.draws if draw in clean.draws)
    if not draws:
        return None
    rows = [clean.draws.index(draw) for draw in draws], [shifted.draws.index(draw) for draw in draws]
    column = {item: index for index, item in enumerate(clean.items)}
    made = [(index, column[twin]) for index, twin in enumerate(shifted.twins) if twin is not None and twin in column]
    if not made:
        return Aligned(draws, clean.items, shifted.items, clean.values[rows[0]], shifted.values[rows[1]], paired=False)
    places, twins = [place for place, _ in made], [twin for _, twin in made]
    return Aligned(
        draws,
        tuple(clean.items[twin] for twin in twins),
        tuple(shifted.items[place] for place in places),
        clean.values[np.ix_(rows[0], twins)],
        shifted.values[np.ix_(rows[1], places)],
    )


# ---- from a results folder -----------------------------------------------------------------------------------------


def outcomes_of(results: Results, source: str = "") -> tuple[Outcomes, ...]:
    """The accuracies of a results folder: one for every way of asking with a record, in order of first appearance.

    ``source``: what the outcomes say they were read from.
    """
    columns = ("item", "twin", "correct", "gold", "prompt_hash", "status", "cause")
    records = {
        str(cell): table.to_dict(as_series=False)
        for (cell,), table in results.records.select("cell", *columns).group_by("cell", maintain_order=True)
    }
    hash_of = functools.cache(content_hash)
    cells = results.cells.filter(pl.col("n") > 0)
    return tuple(
        _outcomes(table.sort("seed").to_dicts(), records, hash_of, source)
        for _, table in cells.group_by(KEY, maintain_order=True)
    )


def _outcomes(
    cells: Sequence[Mapping[str, Any]],
    records: Mapping[str, Mapping[str, list[Any]]],
    hash_of: Callable[[str], str],
    source: str,
) -> Outcomes:
    held = [records[cell["cell"]] for cell in cells]
    place: dict[str, int] = {}
    twins: list[str | None] = []
    targets: list[str | None] = []
    for one in held:
        for item, twin, gold in zip(one["item"], one["twin"], one["gold"], strict=True):
            if item not in place:
                place[item] = len(place)
                twins.append(twin)
                targets.append(hash_of(gold))
    first, n = cells[0], sum(cell["n"] for cell in cells)
    shown = [cell["demonstrations"] for cell in cells]
    return Outcomes(
        at=Setting(
            task=first["task"], shift=first["shift"], model=first["model"], family=first["family"],
            params=first["params"], stage=steps(first["stage"]), method=first["method"], labels=first["labels"],
        ),
        metric=ACCURACY,
        draws=tuple(cell["seed"] for cell in cells),
        items=tuple(place),
        values=_numbers(held, place),
        targets=tuple(targets),
        prompts=_strings(held, place, "prompt_hash"),
        statuses=_strings(held, place, "status"),
        source=source,
        twins=tuple(twins),
        plans=tuple(cell["plan_hash"] for cell in cells),
        versions=tuple(cell["task_hash"] for cell in cells),
        chance=first["chance"],
        asked=Asked(
            prompt=first["prompt"],
            tune=first["tune"],
            vote=first["vote"],
            template=first.get("template") or "plain",
            shown=(min(shown), max(shown)) if first["tune"] is None and first["labels"] else None,
        ),
        ran=Ran(
            flops=Flops(
                query=sum(cell["flops_inference"] for cell in cells) / n,
                tuning=sum(cell["flops_tuning"] for cell in cells) / len(cells),
            ),
            overlong=sum(cell["overlong"] for cell in cells),
            failed=sum(cell["failed_items"] for cell in cells),
            cause=next(
                (
                    why
                    for one in held
                    for why, how in zip(one["cause"], one["status"], strict=True)
                    if how == "failed"
                ),
                None,
            ),
        ),
    )  # fmt: skip


def _numbers(held: Sequence[Mapping[str, list[Any]]], place: Mapping[str, int]) -> Array:
    values = np.full((len(held), len(place)), np.nan)
    for row, one in enumerate(held):
        values[row, [place[item] for item in one["item"]]] = one["correct"]
    return values


def _strings(held: Sequence[Mapping[str, list[Any]]], place: Mapping[str, int], column: str) -> Strings:
    rows = []
    for one in held:
        row: list[str | None] = [None] * len(place)
        for item, value in zip(one["item"], one[column], strict=True):
            row[place[item]] = value
        rows.append(tuple(row))
    return tuple(rows)
