"""Tails and quantiles of the usual distributions, and roots.

They are those of `scipy.stats`, by the functions of `scipy.special` beneath it: `scipy.stats` itself takes as long to
import as a small study to read. The normal distribution's are in `scipy.special` under names of their own: `ndtr`,
`ndtri` and `log_ndtr`. Arguments are numbers or arrays, and are broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special


def root(function: Callable[[float], float], low: float, high: float, *, xtol: float = 2e-12) -> float:
    """Where ``function`` crosses 0 between ``low`` and ``high``, to within ``xtol`` (Brent 1973)."""
    from scipy import optimize  # takes as long to import as all of numpy, and curves have no use for it

    return float(optimize.brentq(function, low, high, xtol=xtol))


def chi2_above(value: Any, df: Any) -> Any:
    """P(X > ``value``) of chi-squared with ``df`` degrees of freedom."""
    return special.chdtrc(df, value)


def chi2_quantile(probability: Any, df: Any) -> Any:
    """The value that chi-squared with ``df`` degrees of freedom stays below with ``probability`` (0..1)."""
    return 2 * special.gammaincinv(np.asarray(df) / 2, probability)


def f_above(value: Any, df_above: Any, df_below: Any) -> Any:
    """P(X > ``value``) of F with these degrees of freedom."""
    return special.fdtrc(df_above, df_below, value)


def f_quantile(probability: Any, df_above: Any, df_below: Any) -> Any:
    """The value that F with these degrees of freedom stays below with ``probability`` (0..1)."""
    return special.fdtri(df_above, df_below, probability)


def binomial_below(right: Any, n: Any, share: Any) -> Any:
    """P(X <= ``right``) of ``n`` trials that succeed with probability ``share``."""
    right, n = np.floor(right), np.asarray(n, dtype=np.float64)
    # the incomplete beta has no value at its ends
    inner = (right >= 0) & (right < n)
    below = special.betainc(np.where(inner, n - right, 1.0), np.where(inner, right + 1, 1.0), 1 - np.asarray(share))
    return np.where(inner, below, right >= n)


def binomial_above(right: Any, n: Any, share: Any) -> Any:
    """P(X > ``right``) of ``n`` trials that succeed with probability ``share``."""
    right, n = np.floor(right), np.asarray(n, dtype=np.float64)
    inner = (right >= 0) & (right < n)
    above = special.betainc(np.where(inner, right + 1, 1.0), np.where(inner, n - right, 1.0), share)
    return np.where(inner, above, right < 0)
