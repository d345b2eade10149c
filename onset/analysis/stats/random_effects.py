"""The classical random-effects estimate: effects with known standard errors that differ by more than these.

The spread is that of Paule and Mandel (1982, "Consensus Values and Weighting Factors", Journal of Research of the NBS
87, 377-385), the interval of the mean that of Hartung and Knapp (2001, Statistics in Medicine 20, 3875-3889), which is
never narrower than what the standard errors alone allow (Roever, Knapp and Friede 2015, BMC Medical Research
Methodology 15, 99): a few effects that agree by chance would else leave none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.tails import chi2_above, root

Array = NDArray[np.float64]


def random_effects(effect: Array, error: Array) -> tuple[float, float, float, float]:
    """(mean, half of its 95 % interval, spread, p of no difference) of effects with known standard errors, two or more.

    Spread: Paule and Mandel, the value at which the weighted sum of squares equals its degrees of freedom; interval:
    Hartung and Knapp, with a t distribution; p: Cochran's Q.
    """
    spare = len(effect) - 1

    def squares(variance: float) -> float:
        weight = 1 / (error**2 + variance)
        return float((weight * (effect - np.average(effect, weights=weight)) ** 2).sum())

    q = squares(0.0)
    variance = 0.0
    if q > spare:
        most = float(np.ptp(effect)) ** 2 + 1.0
        variance = root(lambda value: squares(value) - spare, 0.0, most, xtol=1e-12)
    weight = 1 / (error**2 + variance)
    mean = float(np.average(effect, weights=weight))
    scale = math.sqrt(max(1.0, squares(variance) / spare) / float(weight.sum()))
    return (
        mean,
        float(special.stdtrit(spare, (1 + LEVEL) / 2)) * scale,
        math.sqrt(variance),
        float(chi2_above(q, spare)),
    )
