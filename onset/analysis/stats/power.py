"""What a comparison can see: computed before a study runs, and again for what stayed undecided.

The variance of a paired difference of accuracies is at most ``discordance / n``, where discordance is the share of
items that exactly one side has right (Connor 1987, "Sample size for testing differences in proportions for the
paired-sample design", Biometrics 43, 207-211; McNemar's test). Over several draws of examples noise between draws is
added, which more items do not lessen, and the test is the one of `onset.analysis.contrast.estimating`: a moderated t
where noise is pooled, else the wider of two.
"""

from __future__ import annotations

import math

from scipy import special

from onset.analysis.stats.draws import ENOUGH_DRAWS
from onset.analysis.stats.pooling import most_prior_df
from onset.analysis.stats.tails import root
from onset.errors import InputError

DISCORDANCES = (0.2, 0.4)
"""Two plain assumptions for a study that has not run: methods that mostly agree, methods that often differ."""


def _multiplier(level: float, power: float) -> float:
    return float(special.ndtri(1 - level / 2) + special.ndtri(power))


KEPT = 0.5
"""The share of the discordant items that are assumed to keep their outcome from draw to draw."""
NOTHING = 0.5
"""A comparison that finds only differences above this (a share) is said to decide nothing."""


def minimum_detectable_difference(
    items: int,
    discordance: float,
    draws: int = 1,
    level: float = 0.05,
    power: float = 0.8,
    *,
    noise: float = 0.0,
    independent: int = 1,
) -> float:
    """The smallest true difference of accuracies (0..1) a paired comparison finds with probability ``power``.

    One draw: (z_{1 - level/2} + z_power) sqrt(discordance / items), 2.8 sqrt(discordance / n) at the defaults, for the
    examples of that draw. Several: of the t test that the comparison will have, where ``noise`` is the standard
    deviation between draws of the difference (a share), `KEPT` of the discordant items keep their outcome from draw to
    draw, and ``independent`` comparisons of the design share their noise. Never above 1, which means that no difference
    can be detected. Raises InputError for values outside their range.
    """
    if items < 1 or draws < 1:
        raise InputError(f"detectable difference: items {items} and draws {draws} must be at least 1")
    for name, value in (("discordance", discordance), ("level", level), ("power", power)):
        if not 0 < value < 1 and not (name == "discordance" and value == 1):
            raise InputError(f"detectable difference: {name} {value} must lie between 0 and 1")
    if not noise >= 0:
        raise InputError(f"detectable difference: noise {noise} must be at least 0")
    if draws == 1:
        return min(1.0, _multiplier(level, power) * math.sqrt(discordance / items))
    kept, single = KEPT * discordance / items, (1 - KEPT) * discordance / items
    prior = most_prior_df(independent, draws)
    # a pool's noise is raised by m / (m - 1)
    raised = noise**2 * (prior * independent / max(independent - 1, 1) + draws - 1) / (prior + draws - 1)
    between = (raised + single) / draws
    variance = between + kept
    df = variance**2 / (between**2 / (prior + draws - 1) + kept**2 / max(items - 1, 1))
    found = [_found(variance, df, level, power)]
    if prior == 0 and draws < ENOUGH_DRAWS:
        # the wider of two intervals: the other is a t over draws alone
        found.append(_found(between, draws - 1, level, power, spread=variance))
    return min(1.0, max(found))


def _found(variance: float, df: float, level: float, power: float, *, spread: float | None = None) -> float:
    """The difference at which a t test with this ``variance`` and ``df`` has its power (noncentral t).

    ``spread``: the variance that the estimate really has, where the test takes another one for it.
    """
    ratio = math.sqrt((spread or variance) / variance)
    critical = float(special.stdtrit(df, 1 - level / 2)) / ratio

    from scipy import stats  # takes as long to import as reading a small study, which has no use for it

    def short(away: float) -> float:
        return float(stats.nct.sf(critical, df, away)) - power

    low, high = 0.0, critical + 10.0
    while short(high) < 0 and high < 1e4:
        high *= 2
    away = root(short, low, high) if short(high) >= 0 else high
    return away * math.sqrt(spread or variance)


def items_needed(difference: float, discordance: float, level: float = 0.05, power: float = 0.8) -> int | None:
    """Items at which McNemar's test finds ``difference`` with probability ``power``; None when it is 0.

    Connor 1987: ((z_{1 - level/2} sqrt(d) + z_power sqrt(d - difference^2)) / difference)^2.
    """
    if difference == 0:
        return None
    spread = special.ndtri(1 - level / 2) * math.sqrt(discordance)
    spread += special.ndtri(power) * math.sqrt(max(discordance - difference * difference, 0.0))
    return math.ceil((float(spread) / difference) ** 2)
