"""What a comparison can see: computed before a study runs, and again for what stayed undecided.

The variance of a paired difference of accuracies is at most ``discordance / n``, where discordance is the share of
items that exactly one side has right (Connor 1987, "Sample size for testing differences in proportions for the
paired-sample design", Biometrics 43, 207-211; McNemar's test).
"""

from __future__ import annotations

import math

from scipy import special

from onset.errors import InputError

DISCORDANCES = (0.2, 0.4)
"""Two plain assumptions for a study that has not run: methods that mostly agree, methods that often differ."""


def _multiplier(level: float, power: float) -> float:
    return float(special.ndtri(1 - level / 2) + special.ndtri(power))


def minimum_detectable_difference(
    items: int, discordance: float, draws: int = 1, level: float = 0.05, power: float = 0.8
) -> float:
    """The smallest true difference of accuracies (0..1) a paired comparison finds with probability ``power``.

    (z_{1 - level/2} + z_power) sqrt(discordance / (items * draws)): 2.8 sqrt(discordance / n) at the defaults.
    ``draws`` above 1 assumes outcomes that are independent from draw to draw, which is the best case: items that keep
    their outcome over draws, and noise between draws, make the detectable difference larger. Never above 1, which means
    that no difference can be detected. Raises InputError for values outside their range.
    """
    if items < 1 or draws < 1:
        raise InputError(f"detectable difference: items {items} and draws {draws} must be at least 1")
    for name, value in (("discordance", discordance), ("level", level), ("power", power)):
        if not 0 < value < 1 and not (name == "discordance" and value == 1):
            raise InputError(f"detectable difference: {name} {value} must lie between 0 and 1")
    return min(1.0, _multiplier(level, power) * math.sqrt(discordance / (items * draws)))


def items_needed(difference: float, discordance: float, level: float = 0.05, power: float = 0.8) -> int | None:
    """Items at which McNemar's test finds ``difference`` with probability ``power``; None when it is 0.

    Connor 1987: ((z_{1 - level/2} sqrt(d) + z_power sqrt(d - difference^2)) / difference)^2.
    """
    if difference == 0:
        return None
    spread = special.ndtri(1 - level / 2) * math.sqrt(discordance)
    spread += special.ndtri(power) * math.sqrt(max(discordance - difference * difference, 0.0))
    return math.ceil((float(spread) / difference) ** 2)
