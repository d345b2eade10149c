"""What a verdict rests on: levels, margins and the bound on smooth growth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onset.analysis.curves.shapes import STEEPEST
from onset.errors import InputError

EVEN = 0.5
"""The prior probability of a jump, and what `p_jump` must exceed for `emergent`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the verdict rests on; every number is printed with the results.

    ``level``: of all tests; ``margin`` and ``least_rise``: shares (0.05 = 5 points); ``steepest_smooth``: log-odds per
    decade of the steepest logistic that counts as smooth (ln 10: odds in proportion to size); ``loss_exponent``: the
    largest exponent of the power law of the log-probability in the null; ``smooth_below``: the largest probability of a
    jump with which growth is called smooth; ``support``: log-likelihood by which a valley must beat every monotone
    curve to be called u-shaped; ``replicates`` and ``exceedances``: the most bootstrap
    replicates of the test against smooth growth, and at how many larger values they stop;
    ``threshold_replicates``: of the threshold's bootstrap interval.
    """

    level: float = 0.05
    margin: float = 0.05
    least_rise: float = 0.10
    steepest_smooth: float = math.log(10)
    loss_exponent: float = 0.3
    smooth_below: float = 0.1
    support: float = 2.0
    replicates: int = 199
    exceedances: int = 10
    threshold_replicates: int = 200

    def __post_init__(self) -> None:
        for name in ("level", "margin", "least_rise", "loss_exponent"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise InputError(f"{name} is {value}: expected a number between 0 and 1")
        if not 0 < self.smooth_below <= EVEN:
            raise InputError(f"smooth_below is {self.smooth_below}: expected a number above 0, up to {EVEN}")
        if not 0 < self.steepest_smooth < STEEPEST:
            raise InputError(f"steepest_smooth is {self.steepest_smooth}: expected a number between 0 and {STEEPEST}")
