"""Does a fitted curve describe what was measured? Its deviance against the saturated model, and what follows from it.

The deviance of a curve (McCullagh and Nelder 1989, "Generalized Linear Models", section 2.3) is twice the
log-likelihood that it loses against a model with a share of its own at every size: of counts the binomial one, of
scores the squared distances in standard errors. Under the curve it is about chi-square with as many degrees of freedom
as there are sizes beyond its parameters. Where no size is left (as many parameters as sizes) the curve could only be
off because it cannot bend as the points do, and one degree of freedom is counted. Where chi-square says that the curve
does not fit, parametric replicates of the curve, each fitted anew, have to say so too: at shares near 0 and 1
chi-square is wrong.

A curve is *rejected* where p is below `LEVEL` and, for shares, some size lies farther from it than the margin (5
points): with many thousands of items every curve is off by something, and a distance that small is scatter, which
widens the intervals (`onset.analysis.curves.likelihood`), and no other shape. Of a rejected curve nothing
is drawn or said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from onset.analysis.curves.fit import fit_family
from onset.analysis.curves.likelihood import Counts, Data
from onset.analysis.curves.shapes import FAMILIES, Array, Curve, Family, Hinge, LossPowerLaw
from onset.analysis.stats.tails import chi2_above

_OFFERED: tuple[Family, ...] = (*FAMILIES, LossPowerLaw)
LEVEL = 0.01
"""p below which a curve is rejected. Low, because a study draws tens of curves and a good one is to be kept."""
PLACES = 33
"""At how many places a drawn curve is given."""
_REPLICATES = 299
_SURE = 1e-4
"""p of chi-square below which replicates are not asked: it is not off by that much."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One family's best curve: ``free`` parameters, ``aic`` (Akaike 1974; lower is better, nats twice)."""

    curve: Curve
    aic: float

    @property
    def family(self) -> str:
        """The family's name."""
        return self.curve.name


@dataclass(frozen=True, slots=True)
class Fit:
    """The curve that goes with a verdict, and whether the data bear it.

    ``df``: degrees of freedom of ``deviance``, at least 1; ``gap``: the largest distance between a measured value and
    the curve, in the unit of the score; ``drawn``: not rejected.
    """

    curve: Curve
    deviance: float
    df: int
    p_value: float
    gap: float
    drawn: bool

    def values(self, x: Array, *, bounded: bool) -> tuple[Array, Array]:
        """(places, values) at `PLACES` places over ``x``, for a line."""
        places = np.linspace(float(x.min()), float(x.max()), PLACES)
        found = np.asarray(self.curve(places), dtype=np.float64)
        return places, np.clip(found, 0.0, 1.0) if bounded else found

    def json(self) -> dict[str, Any]:
        """Plain JSON, without the curve itself."""
        return {
            "family": self.curve.name,
            "parameters": self.curve.free,
            "deviance": self.deviance,
            "df": self.df,
            "p_value": self.p_value,
            "largest_gap": self.gap,
            "drawn": self.drawn,
        }


def candidates(data: Data, x: Array) -> list[tuple[Candidate, ...]]:
    """Of each row the best curve of every family that has no more parameters than there are sizes, simplest first.

    They are compared by AIC without the correction for small samples, which belongs to a variance that is estimated
    (Hurvich and Tsai 1989): counts bring their own. With it, four or five sizes could only ever be a straight line.
    """
    sizes = np.unique(x).size
    used = [family for family in _OFFERED if family.free <= sizes and (family is not Hinge or sizes > 2)]
    fits = [fit_family(data, x, family) for family in used]
    return [tuple(Candidate(fit.curves[row], float(fit.aic[row])) for fit in fits) for row in range(len(data.share))]


def deviance(data: Data, fitted: Array) -> Array:
    """Of values ``fitted`` (rows x sizes), per row; scatter between sizes is not counted on."""
    if isinstance(data, Counts):
        p = np.clip(fitted, 1e-9, 1 - 1e-9)
        wrong = data.n - data.right
        parts = special.xlogy(data.right, data.share / p) + special.xlogy(wrong, (1 - data.share) / (1 - p))
        # of a curve that goes through every share it may be below 0 by rounding
        out: Array = np.maximum(2 * parts.sum(axis=1), 0.0)
        return out
    squares: Array = (((data.value - fitted) / data.error) ** 2).sum(axis=1)
    return squares


def fit_of(data: Data, x: Array, curve: Curve, generator: np.random.Generator, *, margin: float) -> Fit:
    """Hold ``curve`` against its ``data`` (one row over places ``x``); ``margin``: see the module."""
    fitted = np.asarray(curve(x), dtype=np.float64)[None]
    fitted = np.clip(fitted, 0.0, 1.0) if data.bounded else fitted
    found, gap = float(deviance(data, fitted)[0]), float(np.abs(data.share - fitted).max())
    df = max(x.size - curve.free, 1)
    p = float(chi2_above(found, df))
    if _SURE < p < LEVEL and isinstance(data, Counts):
        drawn = data.plain().simulate(np.repeat(fitted[:, None, :], _REPLICATES, axis=1), [generator])
        fits = np.repeat(fitted, _REPLICATES, axis=0)
        # of a row: what no curve loses, half its deviance above what this one does
        most = drawn.log_likelihood(fits[:, None, :])[:, 0] + deviance(drawn, fits) / 2
        again = fit_family(drawn, x, curve.family, enough=most - found / 2 + 1e-6)
        hits = int((2 * (most - again.log_likelihood) >= found - 1e-9).sum())
        p = max(p, (hits + 1) / (_REPLICATES + 1))
    return Fit(curve, found, df, p, gap, p >= LEVEL or (data.bounded and gap <= margin))


def best(among: Sequence[Candidate]) -> Candidate:
    """The candidate of lowest AIC, of equal ones the first."""
    return min(among, key=lambda one: one.aic)
