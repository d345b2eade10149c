"""Paired comparisons, against statsmodels, scipy and counts made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_arms import arm, changed, outcomes
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import contrast, decide
from onset.analysis.outcomes import pair
from onset.analysis.questions.comparison_words import comparison_sentence
from onset.analysis.stats import bootstrap
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap
from onset.analysis.stats.power import items_needed, minimum_detectable_difference
from onset.analysis.stats.shares import mcnemar, tango
from onset.errors import InputError


def test_one_draw_by_hand() -> None:
    a = np.array([1.0] * 60 + [1.0] * 30 + [0.0] * 10 + [0.0] * 100)
    b = np.array([1.0] * 60 + [0.0] * 30 + [1.0] * 10 + [0.0] * 100)
    one = contrast(arm(a, "a"), arm(b, "b"), "method")
    assert one.levels == (0.45, 0.35)
    assert one.difference == pytest.approx(0.1)
    assert (one.discordant, one.n, one.draws, one.t_interval) == ((30, 10), 200, (0,), None)
    assert one.p == pytest.approx(reference_mcnemar([[60, 30], [10, 100]], exact=True).pvalue)
    assert one.interval is not None
    reference = stats.bootstrap((a - b,), np.mean, method="percentile", n_resamples=20_000, random_state=1)
    assert one.interval == pytest.approx(tuple(reference.confidence_interval), abs=0.006)
    score = tango(30, 10, 200) or (0.0, 0.0)
    assert one.interval[0] <= score[0] + 1e-12
    assert one.interval[1] >= score[1] - 1e-12
    (decided,) = decide([one])
    low, high = (f"{100 * end:.1f}" for end in one.interval)
    assert decided.verdict == "wins"
    assert comparison_sentence(decided) == (
        f"a beats b with these examples by 10.0 points (95 % interval {low} to {high}; n = 200 items, one draw of examples)."
    )


def test_pairs_follow_item_ids_not_positions() -> None:
    rng = np.random.default_rng(0)
    left, right = outcomes(rng, 3, 50, 0.5)
    plain = contrast(arm(left, "a"), arm(right, "b"), "method")
    order = rng.permutation(50)
    names = tuple(f"{index:04d}" for index in order)
    shuffled = contrast(arm(left, "a"), arm(right[:, order], "b", items=names), "method")
    assert (shuffled.discordant, shuffled.interval, shuffled.p) == (plain.discordant, plain.interval, plain.p)


def test_items_of_one_side_only_are_counted() -> None:
    left = arm(np.ones((2, 4)), "a", items=("1", "2", "3", "4"))
    right = arm(np.zeros((2, 3)), "b", items=("3", "4", "5"))
    one = contrast(left, right, "method")
    assert (one.n, one.sample.table.only, one.difference) == (2, (4, 2), 1.0)
    nothing = contrast(left, arm(np.zeros((2, 1)), "b", items=("9",)), "method")
    assert (nothing.n, nothing.difference, nothing.p, nothing.interval) == (0, None, None, None)
    (decided,) = decide([nothing])
    assert comparison_sentence(decided) == "a and b cannot be compared: they share no items."
    assert (decided.verdict, decided.p_adjusted, decided.needed) == ("undecided", None, None)


def test_another_plan_or_task_is_refused_for_that_seed() -> None:
    rng = np.random.default_rng(1)
    left, right = outcomes(rng, 3, 40, 0.4)
    other = arm(right, "b", plans=("plan0", "elsewhere", "plan2"))
    one = contrast(arm(left, "a"), other, "method")
    assert one.draws == (0, 2)
    assert one.refused == ("seed 1: example plan plan1 against elsewhere, refused",)
    assert one.difference == pytest.approx(float((left - right)[[0, 2]].mean()))
    (decided,) = decide([one])
    assert "not all draws were compared (seed 1: example plan plan1 against elsewhere, refused)" in comparison_sentence(
        decided
    )
    (refused,) = decide([contrast(arm(left, "a"), arm(right, "b", versions=("other",) * 3), "method")])
    assert (refused.n, refused.verdict, refused.p) == (0, "undecided", None)
    assert comparison_sentence(refused).startswith(
        "a and b cannot be compared: seed 0: task hash task against other, refused;"
    )


def test_seeds_of_one_side_only_are_reported() -> None:
    left, right = np.ones((3, 5)), np.ones((1, 5))
    paired = pair(arm(left, "a"), arm(right, "b"), ("a", "b"))
    assert (paired.draws, paired.refused) == ((0,), ("only a has seeds 1 and 2",))


def layout(d: Array) -> tuple[float, float, float]:
    """Mean squares over draws x items of a two-way layout, item by item in plain loops."""
    draws, items = d.shape
    mean = d.mean()
    ms_draw = items * sum((row.mean() - mean) ** 2 for row in d) / (draws - 1)
    ms_item = draws * sum((column.mean() - mean) ** 2 for column in d.T) / (items - 1)
    rest = sum((d[s, i] - d[s].mean() - d[:, i].mean() + mean) ** 2 for s in range(draws) for i in range(items)) / (
        (draws - 1) * (items - 1)
    )
    return ms_draw / d.size, ms_item / d.size, rest / d.size


def test_crossed_variance_is_that_of_the_two_way_layout() -> None:
    for draw_noise in (0.0, 0.6):
        left, right = outcomes(np.random.default_rng(3), 5, 60, 0.3, draw_noise)
        by_draw, by_item, rest = layout(left - right)
        crossed = crossed_bootstrap([Block(left - right)])
        assert crossed is not None
        expected = max(by_draw + by_item - rest, by_draw, by_item)
        assert crossed.standard_error**2 == pytest.approx(expected)
        satterthwaite = expected**2 / (by_draw**2 / 4 + by_item**2 / 59 + rest**2 / (4 * 59))
        assert crossed.parts.df == pytest.approx(max(1.0, satterthwaite))
        assert crossed.parts.between_draws == pytest.approx(by_draw)
        assert crossed.parts.residual == pytest.approx(rest)


def test_crossed_p_and_interval_say_the_same() -> None:
    for seed in range(30):
        left, right = outcomes(np.random.default_rng(seed), 8, 60, 0.35)
        crossed = crossed_bootstrap([Block(left - right)], 2000)
        assert crossed is not None
        low, high = crossed.interval()
        # at the very edge the p of +1 counting and the interpolated quantile may differ by a replicate
        if abs(crossed.p() - 0.05) > 0.003:
            assert (crossed.p() < 0.05) == (low > 0 or high < 0)
        assert crossed.p(crossed.estimate) > 0.8


def test_sides_swapped_mirror_the_answer() -> None:
    left, right = outcomes(np.random.default_rng(5), 5, 80, 0.6)
    forth, back = (
        contrast(arm(left, "a"), arm(right, "b"), "method"),
        contrast(arm(right, "b"), arm(left, "a"), "method"),
    )
    assert forth.difference == pytest.approx(-(back.difference or 0))
    assert forth.interval is not None
    assert back.interval is not None
    assert forth.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert forth.p == pytest.approx(back.p, abs=2e-4)


def test_below_six_draws_the_wider_interval_decides() -> None:
    for seed in range(10):
        left, right = outcomes(np.random.default_rng(seed), 5, 60, 0.4, 0.5)
        one = contrast(arm(left, "a"), arm(right, "b"), "method")
        t = stats.ttest_1samp((left - right).mean(axis=1), 0)
        assert one.t_interval == pytest.approx(tuple(t.confidence_interval()))
        assert one.interval is not None
        assert one.t_interval is not None
        assert one.interval[0] <= one.t_interval[0]
        assert one.interval[1] >= one.t_interval[1]
        assert one.p is not None
        assert one.p >= t.pvalue - 1e-12
    left, right = outcomes(np.random.default_rng(0), 6, 60, 0.4)
    six = contrast(arm(left, "a"), arm(right, "b"), "method")
    assert six.t_interval is None


def test_two_draws_that_agree_to_the_item_are_not_free_of_noise() -> None:
    """Counting 40 items hides differences of draws below 1 / 40: the t interval has at least that width."""
    left = np.zeros((2, 40))
    left[0, :12] = left[1, 8:20] = 1.0
    one = contrast(arm(left, "a"), arm(np.zeros((2, 40)), "b"), "method")
    half = float(stats.t.ppf(0.975, 1)) * math.sqrt(1 / (12 * 40**2) / 2)
    assert one.difference == pytest.approx(0.3)
    assert one.t_interval == pytest.approx((0.3 - half, 0.3 + half))
    assert one.p is not None
    assert one.p >= 2 * float(stats.t.sf(0.3 / math.sqrt(1 / (12 * 40**2) / 2), 1)) - 1e-12


def test_outcomes_that_never_differ_do_not_prove_equivalence_from_few_items() -> None:
    for draws in (1, 3, 8):
        same = np.ones((draws, 30))
        (few,) = decide([contrast(arm(same, "a"), arm(same, "b"), "method")])
        assert (few.verdict, few.difference, few.needed) == ("undecided", 0.0, None)
        assert few.interval is not None
        assert few.interval[1] - few.interval[0] > 0.1
        many = np.ones((draws, 400))
        (enough,) = decide([contrast(arm(many, "a"), arm(many, "b"), "method")])
        assert enough.verdict == "equivalent"
        scope = " with these examples" if draws == 1 else ""
        assert comparison_sentence(enough).startswith(
            f"a and b are equivalent within 5.0 points{scope}: they differ by 0.0 points (95 %"
        )


def test_the_margin_decides_equivalence() -> None:
    rng = np.random.default_rng(2)
    left, right = outcomes(rng, 10, 400, 0.0, 0.0)
    members = [contrast(arm(left, "a"), arm(right, "b"), "method", margin=margin) for margin in (0.005, 0.1)]
    assert [decide([one])[0].verdict for one in members] == ["undecided", "equivalent"]
    assert [one.scale.margin for one in members] == [0.005, 0.1]


def test_verdicts_are_adjusted_within_the_family() -> None:
    rng = np.random.default_rng(8)
    arms = []
    for labels in (8, 32):
        _, base = outcomes(rng, 5, 60, 0.0)
        for method in "abcd":
            shift = outcomes(rng, 5, 60, 0.0)[0]
            values = np.where(rng.random((5, 60)) < 0.6, base, shift)
            arms.append(arm(values, method, labels=labels))
    other = [changed(one, model="other") for one in arms[:2]]
    compared = compare_all([*arms, *other], replicates=2000)
    assert len(compared) == 13
    family = [one for one in compared if one.model == "m"]
    assert {one.decided.family for one in family if one.decided} == {"t, shift none, m, stage base"}
    assert [one.p_adjusted for one in family] == pytest.approx(
        list(multipletests([one.p for one in family], method="holm")[1])
    )
    assert [one.decided.size for one in compared if one.decided] == [12] * 12 + [1]
    for one in compared:
        assert (one.verdict in ("wins", "loses")) == ((one.p_adjusted or 1.0) <= 0.05)


def test_the_more_elaborate_method_is_side_a() -> None:
    values = np.ones((2, 10))
    arms = [
        arm(values, "tuned", tune="lora"),
        arm(values, "voted", vote=5),
        arm(values, "cot"),
        arm(values, "plain"),
    ]
    assert [one.names for one in compare_all(arms, replicates=500)] == [
        ("plain", "cot"),
        ("voted", "cot"),
        ("tuned", "cot"),
        ("voted", "plain"),
        ("tuned", "plain"),
        ("tuned", "voted"),
    ]


def test_undecided_says_how_many_items_and_that_many_suffice() -> None:
    a = np.array([1.0] * 12 + [0.0] * 6 + [1.0] * 42)
    b = np.array([0.0] * 12 + [1.0] * 6 + [1.0] * 42)
    (one,) = decide([contrast(arm(a, "a"), arm(b, "b"), "method")])
    assert (one.verdict, one.needed) == ("undecided", items_needed(0.1, 0.3))
    assert f"about {one.needed} items would decide it with 80 % power" in comparison_sentence(one)
    rng = np.random.default_rng(0)
    counts = rng.multinomial(one.needed or 0, [0.2, 0.1, 0.7], size=1500)
    power = np.mean([mcnemar(int(x), int(y)) <= 0.05 for x, y, _ in counts])
    assert 0.75 < power < 0.84


def test_where_draws_differ_too_much_more_items_are_not_promised() -> None:
    base = np.zeros((5, 200))
    better = np.zeros((5, 200))
    for row, right in enumerate((10, 0, 90, 0, 60)):
        better[row, :right] = 1
    (one,) = decide([contrast(arm(better, "a"), arm(base, "b"), "method")])
    assert (one.verdict, one.needed) == ("undecided", None)
    assert one.needed_draws == 16
    assert comparison_sentence(one).endswith("; 16 draws of as many items would decide it with 80 % power.")
    huge = np.zeros((3, 200))
    huge[0, :199], huge[1, :190], huge[2, :] = 1, 0, 0
    (stuck,) = decide([contrast(arm(huge, "a"), arm(base[:3] + huge[[1, 0, 2]] * 0.97, "b"), "method", kind="share")])
    assert (stuck.needed, stuck.needed_draws) == (None, None)
    assert comparison_sentence(stuck).endswith(
        "more items alone may not decide it, because the draws differ by too much: use more seeds."
    )


def test_needed_items_over_several_draws_reach_the_power() -> None:
    """The items named for an undecided comparison of ten draws do find that difference about four times in five."""
    rng = np.random.default_rng(7)
    left, right = outcomes(rng, 10, 60, 0.25, 0.0)
    (one,) = decide([contrast(arm(left, "a"), arm(right, "b"), "method")])
    assert one.verdict == "undecided"
    assert one.needed is not None
    calibration = outcomes(rng, 10, 20_000, 0.25, 0.0)
    gap = 0.25 * (one.difference or 0) / float((calibration[0] - calibration[1]).mean())
    found = 0
    for _ in range(200):
        left, right = outcomes(rng, 10, one.needed, gap, 0.0)
        again = crossed_bootstrap([Block(left - right)], 500)
        found += again is not None and again.p() <= 0.05
    # the variance the items needed rest on was itself estimated from sixty items
    assert 0.65 < found / 200 < 0.95


def test_two_test_sets_are_resampled_apart() -> None:
    """Two blocks of independent items: the variance is the sum of theirs, as in a two-sample problem."""
    rng = np.random.default_rng(6)
    first, second = (rng.random((1, 300)) < 0.7).astype(float), (rng.random((1, 120)) < 0.5).astype(float)
    crossed = crossed_bootstrap([Block(first), Block(second, -1.0)])
    assert crossed is not None
    welch = stats.ttest_ind(first[0], second[0], equal_var=False)
    assert crossed.estimate == pytest.approx(first.mean() - second.mean())
    assert crossed.standard_error == pytest.approx(crossed.estimate / welch.statistic)
    assert crossed.parts.df == pytest.approx(welch.df)
    interval = welch.confidence_interval()
    assert crossed.interval() == pytest.approx((interval.low, interval.high), abs=0.006)


def test_tables_with_gaps_keep_their_denominator() -> None:
    values = np.array([[1.0, 0.0, np.nan, 1.0], [1.0, np.nan, 0.0, 1.0], [0.0, 0.0, 1.0, np.nan]] * 2)
    crossed = crossed_bootstrap([Block(values)], 2000)
    assert crossed is not None
    assert crossed.estimate == pytest.approx(np.nanmean(values))
    assert crossed.parts.between_draws is None
    assert crossed_bootstrap([Block(np.full((2, 3), np.nan))]) is None


def test_smallest_detectable_difference_is_found_four_times_in_five() -> None:
    for items, discordance in ((200, 0.2), (500, 0.4)):
        gap = minimum_detectable_difference(items, discordance)
        assert gap == pytest.approx(2.8 * np.sqrt(discordance / items), rel=0.002)
        shares = [(discordance + gap) / 2, (discordance - gap) / 2, 1 - discordance]
        counts = np.random.default_rng(items).multinomial(items, shares, size=1500)
        power = np.mean([mcnemar(int(x), int(y)) <= 0.05 for x, y, _ in counts])
        # exact McNemar is a little conservative
        assert 0.74 < power < 0.83
    assert minimum_detectable_difference(2, 1.0) == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": 0}, "detectable difference: items 0 and draws 1 must be at least 1"),
        ({"discordance": 0.0}, "detectable difference: discordance 0.0 must lie between 0 and 1"),
        ({"power": 1.0}, "detectable difference: power 1.0 must lie between 0 and 1"),
        ({"noise": -0.1}, "detectable difference: noise -0.1 must be at least 0"),
    ],
)
def test_impossible_designs_are_refused(changes: dict[str, float], message: str) -> None:
    values: dict[str, float] = {"items": 100, "discordance": 0.2} | changes
    with pytest.raises(InputError) as error:
        minimum_detectable_difference(**values)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_the_raw_bootstrap_counts_residual_noise_three_times() -> None:
    """Owen 2007: for outcomes without any draw or item effect the pigeonhole variance is about three times too large."""
    values = np.random.default_rng(0).normal(size=(40, 300))
    raw = bootstrap._raw_replicates([Block(values)], 10_000)
    assert raw.var() / (1 / values.size) == pytest.approx(3.0, rel=0.15)
    crossed = crossed_bootstrap([Block(values)])
    assert crossed is not None
    assert crossed.standard_error**2 / (1 / values.size) == pytest.approx(1.0, rel=0.35)
