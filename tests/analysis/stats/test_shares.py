"""Tests and intervals of shares and adjusted p-values, against statsmodels, scipy and published examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from onset.analysis.stats.adjust import holm, two_one_sided
from onset.analysis.stats.draws import over_draws
from onset.analysis.stats.shares import clopper_pearson, exact_interval, mcnemar, newcombe, tango, tango_z


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (3, 9), (9, 3), (25, 40), (7, 7), (120, 80)])
def test_exact_mcnemar_agrees_with_statsmodels(only_a: int, only_b: int) -> None:
    table = [[50, only_a], [only_b, 50]]
    assert mcnemar(only_a, only_b) == pytest.approx(reference_mcnemar(table, exact=True).pvalue, abs=1e-12)


def test_holm_agrees_with_statsmodels() -> None:
    for size in (1, 2, 7, 30):
        p = np.random.default_rng(size).uniform(0, 0.2, size)
        assert holm(list(p)) == pytest.approx(list(multipletests(p, method="holm")[1]))


def test_tango_is_mcnemar_at_zero_and_gives_the_published_interval() -> None:
    for only_a, only_b in ((3, 9), (12, 4), (40, 41)):
        z = tango_z(only_a, only_b, 200, 0.0)
        assert z == pytest.approx((only_a - only_b) / np.sqrt(only_a + only_b))
        low, high = tango(only_a, only_b, 200) or (0.0, 0.0)
        assert tango_z(only_a, only_b, 200, low) == pytest.approx(stats.norm.ppf(0.975), abs=1e-6)
        assert tango_z(only_a, only_b, 200, high) == pytest.approx(-stats.norm.ppf(0.975), abs=1e-6)
    # Airway hyper-responsiveness before and after stem cell transplantation: Fagerland, Lydersen and Laake 2014,
    # Statistics in Medicine 33, 2850-2875: 1 and 7 discordant of 21 pairs, Tango's interval -0.517 to -0.026.
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert tango(0, 0, 60) == pytest.approx((-0.0602, 0.0602), abs=1e-4)
    assert tango(0, 0, 0) is None


@pytest.mark.parametrize(("right", "n"), [(0, 20), (3, 50), (50, 50), (17, 200)])
def test_the_exact_interval_of_a_share_is_that_of_statsmodels(right: int, n: int) -> None:
    assert clopper_pearson(right, n, 0.9) == pytest.approx(proportion_confint(right, n, 0.1, method="beta"))


def test_the_exact_interval_excludes_zero_where_the_exact_test_rejects() -> None:
    for only_a, only_b in ((0, 0), (4, 0), (5, 0), (6, 0), (9, 1), (9, 2), (40, 22), (40, 24), (3, 12)):
        low, high = exact_interval(only_a, only_b, 100)
        assert (low > 0 or high < 0) == (mcnemar(only_a, only_b) <= 0.05)
    share = stats.binomtest(9, 10).proportion_ci(method="exact")
    assert exact_interval(9, 1, 40) == pytest.approx([(2 * end - 1) * 10 / 40 for end in share])


def test_newcombe_against_the_paper() -> None:
    # Newcombe 1998, Table II, (a) 56/70 - 48/80 by method 10
    low, high = newcombe((48, 80), (56, 70))
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_a_mean_over_draws_is_scipys_t_test() -> None:
    values = np.array([0.02, 0.07, -0.01, 0.05])
    one, reference = over_draws(values), stats.ttest_1samp(values, 0)
    assert one.p() == pytest.approx(reference.pvalue)
    assert one.interval() == pytest.approx(tuple(reference.confidence_interval()))
    sides = [stats.ttest_1samp(values, end, alternative=way).pvalue for end, way in ((-0.1, "greater"), (0.1, "less"))]
    assert two_one_sided(one, 0.1) == pytest.approx(max(sides))
