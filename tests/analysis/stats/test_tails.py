"""Tails and quantiles are those of scipy.stats, at the ends of their ranges too."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onset.analysis.stats.tails import binomial_above, binomial_below, chi2_above, chi2_quantile, f_quantile

PROBABILITIES = np.concatenate([[0.0, 1e-12, 0.025, 0.5, 0.95, 0.975], np.random.default_rng(0).random(200)])[:, None]
DF = np.array([1, 2, 7, 30, 400])


def test_chi_squared_and_f() -> None:
    assert np.array_equal(chi2_quantile(PROBABILITIES, DF), stats.chi2.ppf(PROBABILITIES, DF))
    assert np.array_equal(chi2_above(60 * PROBABILITIES, DF), stats.chi2.sf(60 * PROBABILITIES, DF))
    assert np.array_equal(f_quantile(PROBABILITIES, 1, DF), stats.f.ppf(PROBABILITIES, 1, DF))


def test_binomial_tails_from_no_success_to_all() -> None:
    for n in (1, 2, 20, 313):
        right = np.arange(-1, n + 2)[:, None]
        share = np.array([0.0, 1e-9, 0.1, 0.25, 0.5, 0.9, 1.0])
        assert binomial_below(right, n, share) == pytest.approx(stats.binom.cdf(right, n, share), rel=1e-12)
        assert np.array_equal(binomial_above(right, n, share), stats.binom.sf(right, n, share))
    assert binomial_below(3.7, 10, 0.25) == stats.binom.cdf(3.7, 10, 0.25)
