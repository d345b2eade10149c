"""Two ways of asking side by side, on the draws and items that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onset.analysis.outcomes.table import Outcomes
from onset.analysis.stats.bootstrap import Array


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
