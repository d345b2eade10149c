"""Which curve is drawn under a verdict: of its kind, of lowest AIC, and borne by the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from onset.analysis.curves.goodness import Candidate, Fit, fit_of
from onset.analysis.curves.shapes import (
    Array,
    BrokenPowerLaw,
    Constant,
    ErrorPowerLaw,
    Family,
    Hinge,
    Logistic,
    LogLinear,
    LossPowerLaw,
    Quadratic,
    Step,
)
from onset.analysis.emergence.axis import prepared
from onset.analysis.emergence.measured import Measured
from onset.analysis.emergence.settings import Settings

EmergenceVerdict = Literal["flat", "smooth", "emergent", "inverse", "u-shaped", "unresolved"]
VERDICTS: tuple[EmergenceVerdict, ...] = get_args(EmergenceVerdict)


def _agrees(one: Candidate, verdict: EmergenceVerdict, q: float | None, settings: Settings, x: Array) -> bool:
    """Is the curve of the kind that the verdict names?"""
    curve, ends = one.curve, np.asarray(one.curve(x[[0, -1]]))
    kind = curve.family
    steep = kind in (Hinge, Step, BrokenPowerLaw) or (kind is Logistic and curve["slope"] > settings.steepest_smooth)
    if verdict == "u-shaped":
        return kind is Quadratic
    if verdict == "inverse":
        return bool(ends[1] < ends[0]) and kind is not Constant
    if kind is Quadratic and x[0] < curve["at"] < x[-1]:
        return verdict == "unresolved"
    if verdict == "emergent":
        return steep and bool(ends[1] > ends[0])
    if verdict == "smooth":
        return bool(ends[1] > ends[0]) and (not steep or (q is not None and q <= settings.level))
    return verdict == "flat" or q is None or bool(ends[1] > ends[0])


_OPPOSITE: Mapping[str, tuple[Family, ...]] = {
    "emergent": (Constant, LogLinear, Quadratic, ErrorPowerLaw, LossPowerLaw),
    "smooth": (Constant, Step),
    "u-shaped": (Constant, LogLinear, Logistic, Hinge, Step, ErrorPowerLaw, LossPowerLaw),
}
"""What is never drawn under a verdict, however well it fits."""


def curve_kind(verdict: EmergenceVerdict) -> str:
    """What a curve has to be to be drawn under the verdict, in words."""
    return {"emergent": "steep curve", "smooth": "smooth curve"}.get(verdict, "curve of the families")


def fit_with(one: Measured, verdict: EmergenceVerdict, q: float | None, settings: Settings) -> Fit | None:
    """The curve that goes with the verdict: of the families of its kind the one of lowest AIC that the data bear.

    Where they bear none of these, of the other families but for those that say the opposite of the verdict; where they
    bear no curve at all, the first one, not drawn.
    """
    if one.problem:
        return None
    data, axis, keys = prepared([one.curve], settings)
    generator = np.random.default_rng([keys[0], 4])
    kind = [candidate for candidate in one.candidates if _agrees(candidate, verdict, q, settings, axis.x)]
    if verdict == "flat" and one.change.q_value > settings.level:
        kind = [candidate for candidate in one.candidates if candidate.curve.family is Constant]
    others = [candidate for candidate in one.candidates if candidate.curve.family not in _OPPOSITE.get(verdict, ())]
    tried = [candidate for among in (kind, others) for candidate in sorted(among, key=lambda candidate: candidate.aic)]
    fits = (fit_of(data, axis.x, candidate.curve, generator, margin=settings.margin) for candidate in tried)
    first = next(fits)
    return first if first.drawn else next((fit for fit in fits if fit.drawn), first)
