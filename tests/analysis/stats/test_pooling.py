"""Noise between draws pooled over comparisons: the fit against scipy and closed forms, what is pooled, and the verdicts."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from made_arms import arm, changed
from scipy import optimize, special, stats

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import contrast, decide, share_noise
from onset.analysis.outcomes import Outcomes
from onset.analysis.stats.bootstrap import Array, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.pooling import (
    LEAST_INDEPENDENT,
    MOST_DF,
    Moderated,
    independent_links,
    pool,
    prior_df,
    trigamma_inverse,
)

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks"))
from few_draws import Setting, compared, rates
from few_draws import study as simulated


def differences(rng: np.random.Generator, draws: int, items: int, gap: float, noise: float = 0.08) -> Array:
    """Differences of single outcomes: 40 % of the items differ, a draw moves all of them."""
    share = gap + noise * rng.normal(size=(draws, 1))
    side = np.where(rng.random((draws, items)) < (1 + share / 0.4) / 2, 1.0, -1.0)
    return np.where(rng.random(items) < 0.4, side, 0.0)


def crossed(values: Array) -> Crossed:
    made = crossed_bootstrap([Block(values)], 50)
    assert made is not None
    return made


def links(count: int) -> list[tuple[int, int]]:
    return [(2 * index, 2 * index + 1) for index in range(count)]


# ---- the fit -------------------------------------------------------------------------------------------------------


def test_the_inverse_of_trigamma() -> None:
    for x in (1e-3, 0.1, 0.5, 1.0, 3.7, 50.0, 1e4):
        assert trigamma_inverse(float(special.polygamma(1, x))) == pytest.approx(x, rel=1e-8)
    # closed forms: trigamma(1/2) = pi^2 / 2, trigamma(1) = pi^2 / 6
    assert trigamma_inverse(math.pi**2 / 2) == pytest.approx(0.5)
    assert trigamma_inverse(math.pi**2 / 6) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="trigamma_inverse: 0 must be above 0 and finite"):
        trigamma_inverse(0)


@pytest.mark.parametrize(("df", "truth"), [(1, 3.0), (2, 4.0), (4, 10.0)])
def test_the_priors_degrees_of_freedom_are_those_of_maximum_likelihood(df: int, truth: float) -> None:
    """Variances over a scaled inverse chi-square prior are s0^2 F(df, d0): scipy's F density, maximised directly."""
    rng = np.random.default_rng(df)
    sigma2 = truth / rng.chisquare(truth, 40_000)
    variances = 0.3 * sigma2 * rng.chisquare(df, 40_000) / df

    def loss(place: Array) -> float:
        d0, scale = np.exp(place)
        return -float(stats.f.logpdf(variances / scale, df, d0).sum() - len(variances) * np.log(scale))

    best = np.exp(optimize.minimize(loss, np.log([5.0, 0.5]), method="Nelder-Mead", bounds=[(-3, 6), (-6, 3)]).x)
    assert best[0] == pytest.approx(truth, rel=0.1)
    assert prior_df(list(variances), df) == pytest.approx(best[0], rel=0.12)


def test_equal_variances_have_a_prior_without_end() -> None:
    assert prior_df([0.2] * 10, 3) == math.inf


def test_what_is_independent_is_counted() -> None:
    assert independent_links([("a", "b"), ("a", "c"), ("b", "c")]) == 2
    assert independent_links([("a", "b"), ("a", "b")]) == 1
    assert independent_links([("a", "b"), ("c", "d"), ("b", "c"), ("a", "d")]) == 3
    assert independent_links([]) == 0


# ---- one pool ------------------------------------------------------------------------------------------------------


def test_a_pool_by_hand() -> None:
    """Every number of a pool of four, from mean squares computed here."""
    rng = np.random.default_rng(4)
    tables = [differences(rng, 3, 60, 0.1) for _ in range(4)]
    made = pool([crossed(table) for table in tables], ["d"] * 4, links(4))
    d, n = 2, 60
    s2 = np.array([table.mean(axis=1).var(ddof=1) for table in tables])
    rest = []
    for table in tables:
        left = table - table.mean(axis=1)[:, None] - table.mean(axis=0)[None] + table.mean()
        rest.append((left**2).sum() / (d * (n - 1)) / n)
    r, q = np.array(rest), np.array([(table**2).mean() for table in tables])
    k = max(((s2 - r) / q).mean(), 0.0) * 4 / 3
    logs = np.log(s2 / (r + k * q))
    excess = logs.var(ddof=1) - special.polygamma(1, d / 2)
    d0 = min(MOST_DF, 3 * d / 2, 2 * trigamma_inverse(excess) if excess > 0 else math.inf)
    for place, one in enumerate(made):
        assert isinstance(one, Moderated)
        assert one.pool.prior_df == pytest.approx(d0)
        assert one.pool.prior_sd == pytest.approx(math.sqrt(k * q[place]))
        assert (one.pool.comparisons, one.pool.independent, one.pool.design) == (4, 4, "d, 3 draws")
        between = (d0 * (r + k * q)[place] + d * s2[place]) / (d0 + d) / 3
        assert one.between == pytest.approx(between)
        items = 3 * tables[place].mean(axis=0).var(ddof=1) / 3 / n
        variance = max(between + items - r[place] / 3, between, items)
        assert one.standard_error == pytest.approx(math.sqrt(variance))
        whole = between**2 / (d0 + d) + items**2 / (n - 1) + (r[place] / 3) ** 2 / (d * (n - 1))
        assert one.df == pytest.approx(variance**2 / whole)
        reference = stats.t(one.df, one.estimate, one.standard_error)
        assert one.interval() == pytest.approx(reference.interval(0.95))
        assert one.p(0.3) == pytest.approx(2 * min(reference.sf(0.3), reference.cdf(0.3)))


def test_too_few_comparisons_are_not_pooled_and_say_so() -> None:
    rng = np.random.default_rng(0)
    held = [crossed(differences(rng, 2, 60, 0.1)) for _ in range(3)]
    same = pool(held, ["prompted against prompted"] * 3, [("a", "b"), ("a", "c"), ("b", "c")])
    assert set(same) == {
        "3 comparisons of this design (prompted against prompted, 2 draws), 2 independent: too few to pool noise"
        f" between draws over, {LEAST_INDEPENDENT} are needed"
    }
    assert all(isinstance(one, Moderated) for one in pool(held, ["d"] * 3, links(3)))
    assert all(isinstance(one, str) for one in pool(held, ["d", "d", "e"], links(3)))


def test_one_draw_and_gaps_have_nothing_to_pool() -> None:
    rng = np.random.default_rng(0)
    whole = [crossed(differences(rng, 2, 60, 0.1)) for _ in range(4)]
    table = differences(rng, 2, 60, 0.1)
    table[0, 0] = np.nan
    made = pool([*whole, crossed(table[:1, 1:]), crossed(table), None], ["d"] * 7, links(7))
    assert all(isinstance(one, Moderated) for one in made[:4])
    assert made[4] is None
    assert made[5] == "draws that lack items have no variance to pool"
    assert made[6] is None


def test_methods_that_never_disagree_get_no_noise_from_those_that_do() -> None:
    rng = np.random.default_rng(1)
    tables = [*(differences(rng, 3, 400, 0.0) for _ in range(5)), np.zeros((3, 400))]
    members = [contrast(arm(np.maximum(one, 0), "a"), arm(np.maximum(-one, 0), "b"), "method") for one in tables]
    shared = share_noise(members, ["d"] * 6, links(6))
    assert shared[5].interval == pytest.approx(members[5].interval, abs=1e-3)
    assert decide([shared[5]])[0].verdict == "equivalent"
    assert shared[5].pool is not None
    assert shared[5].pool.prior_sd == 0


def test_draws_that_tie_exactly_do_not_look_quiet() -> None:
    """Two draws with one difference have a variance of 0 by chance: their interval is that of the pool."""
    rng = np.random.default_rng(2)
    tables = [differences(rng, 2, 40, 0.0) for _ in range(6)]
    tables[0][1] = rng.permutation(tables[0][0])
    made = pool([crossed(table) for table in tables], ["d"] * 6, links(6))
    assert crossed(tables[0]).parts.between_draws == pytest.approx(0)
    halves = [one.interval()[1] - one.estimate for one in made if isinstance(one, Moderated)]
    assert halves[0] > 0.5 * float(np.median(halves))
    assert all(math.isfinite(half) for half in halves)


# ---- comparisons ---------------------------------------------------------------------------------------------------


def study(draws: int, *, budgets: int = 4, gap: float = 0.2, seed: int = 1) -> list:  # type: ignore[type-arg]
    """A prompted and a tuned method at several budgets."""
    rng = np.random.default_rng(seed)
    arms = []
    for budget in range(budgets):
        table = differences(rng, draws, 200, gap)
        arms.append(arm(np.maximum(-table, 0), "prompt", labels=8 * 2**budget))
        arms.append(arm(np.maximum(table, 0), "tuned", labels=8 * 2**budget, tune="lora"))
    return arms


def test_two_draws_are_no_longer_an_interval_of_everything() -> None:
    compared = compare_all(study(2), replicates=500)
    assert len(compared) == 4
    for one in compared:
        assert one.pool is not None
        assert one.pool.design == "tuned against prompted, 2 draws"
        assert (one.pool.comparisons, one.pool.independent) == (4, 4)
        assert one.test.startswith("moderated t over draws and items (noise between draws pooled over 4 comparisons")
        assert one.interval is not None
        assert one.t_interval is not None
        # the interval and the p say the same
        assert ((one.p or 1.0) <= 0.05) == (one.interval[0] > 0 or one.interval[1] < 0)
    pooled, alone = ([one.interval[1] - one.interval[0] for one in rows if one.interval] for rows in (
        compared, [contrast(b, a, "method", replicates=500) for a, b in zip(study(2)[::2], study(2)[1::2], strict=True)]
    ))  # fmt: skip
    assert float(np.median(pooled)) < 0.6 * float(np.median(alone))


def test_one_comparison_alone_says_why_its_interval_is_wide() -> None:
    (one,) = compare_all(study(2, budgets=1), replicates=500)
    assert one.pool is None
    assert one.not_pooled == (
        "1 comparison of this design (tuned against prompted, 2 draws), 1 independent: too few to pool noise between"
        " draws over, 3 are needed"
    )
    assert one.test.endswith("with a t interval over 2 draws: the wider of the two")


def test_a_shift_is_not_counted_twice() -> None:
    arms = study(3, budgets=2)
    shifted = [changed(one, shift="typos") for one in arms]
    compared = compare_all([*arms, *shifted], replicates=300)
    assert len(compared) == 4
    assert all(one.pool is None and "4 comparisons" in (one.not_pooled or "") for one in compared)
    assert all("2 independent" in (one.not_pooled or "") for one in compared)


def test_the_items_and_draws_that_would_decide_do_decide() -> None:
    """`needed` and `needed_draws` of pooled comparisons rest on the pooled variance: power at them is about 80 %."""
    arms = study(3, budgets=6, gap=0.1, seed=3)
    open_ones = [one for one in compare_all(arms, replicates=300) if one.verdict == "undecided" and one.needed_draws]
    assert open_ones
    for one in open_ones:
        assert one.needed_draws is not None
        assert one.needed_draws > 3
        assert one.estimate is not None
        assert one.estimate.moderated is not None
        items = max((one.sample.crossed.parts.item_part or 0) - (one.sample.crossed.parts.residual or 0), 0)
        error = math.sqrt(one.estimate.moderated.between * 3 / one.needed_draws + items)
        least = stats.norm.ppf(1 - 0.025 / one.decided.size) + stats.norm.ppf(0.8)
        # t quantiles are a little larger than normal ones
        assert abs(one.difference or 0) / error > least


# ---- error rates ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("items", [40, 200])
@pytest.mark.parametrize("comparisons", [3, 6, 18])
@pytest.mark.parametrize("draws", [2, 3, 5, 10])
def test_pooled_comparisons_reject_true_nulls_in_at_most_six_percent(draws: int, comparisons: int, items: int) -> None:
    """Also where standard deviations between draws differ threefold between comparisons."""
    for threefold in (False, True):
        one = rates(Setting(draws, comparisons, items, threefold=threefold), 3600, replicates=100)
        print(f"{draws} draws, {comparisons} comparisons, {items} items, threefold {threefold}: {one}")
        assert one.is_pooled > 0.99
        assert one.pooled <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "comparisons"), [("pairs", 6), ("pairs", 15), ("shifts", 6), ("shifts", 18)])
def test_comparisons_that_share_methods_or_draws_reject_true_nulls_in_at_most_six_percent(
    layout: str, comparisons: int
) -> None:
    for draws in (2, 3, 5):
        for threefold in (False, True):
            one = rates(Setting(draws, comparisons, threefold=threefold, layout=layout), 3600, replicates=100)
            print(f"{draws} draws, {layout} of {comparisons}, threefold {threefold}: {one}")
            assert one.pooled <= 0.06


@pytest.mark.slow
def test_pooling_finds_what_comparisons_alone_cannot() -> None:
    """Alone, draws find at most what scipy's noncentral t says of that many draws whose items carry no noise."""
    for draws, least in ((2, 0.5), (3, 0.7), (5, 0.9)):
        setting = Setting(draws, 9, difference=0.2)
        one = rates(setting, 3600)
        shift, least_t = setting.difference / setting.sd * math.sqrt(draws), stats.t.ppf(0.975, draws - 1)
        alone = stats.nct.sf(least_t, draws - 1, shift) + stats.nct.cdf(-least_t, draws - 1, shift)
        print(f"{draws} draws, {alone:.3f} with one t: {one}")
        assert one.pooled >= least
        # 720 comparisons: two standard errors are 3 points
        assert one.alone <= alone + 0.03
        assert one.alone < one.pooled
        assert one.half_pooled < one.half_alone


@pytest.mark.slow
@pytest.mark.parametrize("draws", [2, 3, 5])
def test_pooled_comparisons_at_the_margin_are_called_equivalent_in_at_most_six_percent(draws: int) -> None:
    """The truth lies exactly 5 points apart, which is not inside the margin."""
    setting = Setting(draws, 6, items=2000, sd=0.01, difference=0.05)
    rng = np.random.default_rng(draws)
    called = []
    for _ in range(200):
        tables, pairs, _ = simulated(setting, rng)
        called += [(one.p_equivalent or 0.0) <= 0.05 for one in compared(tables, pairs, 20)[1]]
    print(f"{draws} draws: {np.mean(called):.4f}")
    assert 0.005 <= np.mean(called) <= 0.06


# ---- no examples, no draws -----------------------------------------------------------------------------------------


def _zero_shot(rng: np.random.Generator, method: str, labels: int, right: float = 0.5) -> Outcomes:
    """An arm that shows nothing: three draws that say the same."""
    values = (rng.random((1, 80)) < right).astype(float).repeat(3, axis=0)
    return arm(values, method, labels=labels, shown=(0, 0))


def test_arms_that_show_no_example_are_compared_over_items_alone() -> None:
    rng = np.random.default_rng(7)
    a, b = _zero_shot(rng, "a", 8), _zero_shot(rng, "b", 8, 0.7)
    (one,) = compare_all([a, b], replicates=300)
    once = [changed(side, draws=(0,), values=side.values[:1], plans=("plan0",), versions=("task",)) for side in (a, b)]
    (single,) = compare_all(once, replicates=300)
    assert one.estimate is not None
    assert single.estimate is not None
    assert asdict(one.estimate) == asdict(single.estimate)
    assert one.p == pytest.approx(stats.binomtest(*_discordant(a, b)).pvalue)


def _discordant(a: Outcomes, b: Outcomes) -> tuple[int, int]:
    only = a.values[0] - b.values[0]
    return int((only > 0).sum()), int((only != 0).sum())


def test_arms_that_show_no_example_say_nothing_of_noise_between_draws() -> None:
    rng = np.random.default_rng(8)
    shown = study(3, budgets=4)
    before = compare_all(shown, replicates=300)
    beside = [changed(_zero_shot(rng, name, labels), task="other") for labels in (8, 32, 128) for name in "xyz"]
    after = compare_all([*shown, *beside], replicates=300)
    assert [one.pool for one in after if one.task != "other"] == [one.pool for one in before]
    assert all(one.pool is None and one.not_pooled is None for one in after if one.task == "other")


def test_an_arm_without_examples_is_one_arm_at_every_budget() -> None:
    rng = np.random.default_rng(9)
    drawn = [
        changed(_zero_shot(rng, name, labels), values=rng.integers(0, 2, (3, 80)).astype(float))
        for labels in (8, 32, 128)
        for name in "xy"
    ]
    compared = compare_all(drawn, replicates=300)
    assert len(compared) == 3
    assert all("1 independent" in (one.not_pooled or "") for one in compared)
