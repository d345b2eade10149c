"""Items, or draws, at which an undecided difference would be found with 80 % power."""

from __future__ import annotations

import math

from scipy import special

from onset.analysis.contrast.parts import Kind, Sample
from onset.analysis.stats.draws import ENOUGH_DRAWS
from onset.analysis.stats.pooling import Moderated
from onset.analysis.stats.power import items_needed

MOST_DRAWS = 50


def needed_items(sample: Sample, moderated: Moderated | None, kind: Kind, level: float) -> int | None:
    """At the observed difference, tested at ``level``; None for two test sets and where more items alone cannot
    decide.

    Noise between draws stays when items are added, the rest of the variance falls as 1 / items.
    """
    crossed, n = sample.crossed, sample.n
    if crossed is None or not crossed.estimate or not sample.table.paired:
        return None
    if crossed.draws == 1 and kind == "binary":
        found = items_needed(crossed.estimate, sum(sample.discordant) / n, level)
        return None if found is None else max(found, n + 1)
    residual, between = crossed.parts.residual or 0.0, crossed.parts.between_draws or 0.0
    checks = [(crossed.standard_error**2, crossed.parts.df)]
    if moderated is not None:
        between = moderated.between
        checks = [(moderated.standard_error**2, moderated.df)]
    elif crossed.draws < ENOUGH_DRAWS and crossed.parts.between_draws is not None:
        checks.append((between, float(crossed.draws - 1)))
    stays = max(between - residual, 0.0)
    wanted = []
    for variance, df in checks:
        allowed = (crossed.estimate / _multiplier(df, level)) ** 2
        if allowed <= stays:
            return None
        wanted.append(math.ceil(n * (variance - stays) / (allowed - stays)))
    return max(*wanted, n + 1)


def _multiplier(df: float, level: float) -> float:
    """Standard errors between 0 and a difference that is found at ``level`` with 80 % power."""
    return float(special.stdtrit(df, 1 - level / 2) + special.stdtrit(df, 0.8))


def needed_draws(sample: Sample, moderated: Moderated | None, level: float) -> int | None:
    """Draws of as many items, at the observed difference tested at ``level``; None for one draw and where `MOST_DRAWS`
    are not enough.
    """
    held = sample.crossed
    if held is None or not held.estimate or held.parts.between_draws is None or held.draws < 2:
        return None
    now = held.draws
    between, df = held.parts.between_draws, float(now - 1)
    if moderated is not None:
        between, df = moderated.between, moderated.df_between
    items = max((held.parts.item_part or 0.0) - (held.parts.residual or 0.0), 0.0)
    for draws in range(now + 1, MOST_DRAWS + 1):
        variance, parts = between * now / draws + items, (between * now / draws, items)
        later = df + draws - now
        whole = parts[0] ** 2 / later + parts[1] ** 2 / max(sample.n - 1, 1)
        freedom = variance**2 / whole if variance > 0 else later
        if abs(held.estimate) >= _multiplier(freedom, level) * math.sqrt(variance):
            return draws
    return None
