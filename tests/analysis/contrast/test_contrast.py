"""One contrast along any axis: said of either side, and the difference of two differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_arms import arm, by_itself, changed
from scipy import stats

from onset.analysis.contrast.contrast import Axis, Contrast, contrast, decide, estimated, interaction, share_noise
from onset.analysis.outcomes import Outcomes
from onset.analysis.stats.bootstrap import Array, Block
from onset.errors import InputError

FAST = 1000


def right(rng: np.random.Generator, share: float, draws: int = 3, items: int = 80) -> Array:
    return (rng.random((draws, items)) < share).astype(float)


def four(seed: int, draws: int = 3, items: int = 80) -> tuple[list[Array], list[Outcomes]]:
    """Chain of thought and answering at once, with a stage of training and without."""
    rng = np.random.default_rng(seed)
    tables = [right(rng, share, draws, items) for share in (0.9, 0.5, 0.6, 0.5)]
    names = [("cot", "code"), ("direct", "code"), ("cot", "base"), ("direct", "base")]
    arms = [
        arm(table, method, stage=stage, model=f"m-{stage}")
        for table, (method, stage) in zip(tables, names, strict=True)
    ]
    return tables, arms


def methods(a: Outcomes, b: Outcomes) -> Contrast:
    return contrast(a, b, "method", replicates=FAST)


# ---- said of the other side ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("draws", [1, 3, 7])
def test_a_contrast_turned_is_the_contrast_of_the_sides_the_other_way_round(draws: int) -> None:
    rng = np.random.default_rng(draws)
    a, b = arm(right(rng, 0.8, draws), "a"), arm(right(rng, 0.5, draws), "b")
    (turned,), (again,) = (decide([one]) for one in (methods(a, b), methods(b, a)))
    turned = turned.turned()
    assert (turned.names, turned.plus, turned.minus) == (("b", "a"), b.at, a.at)
    assert turned.levels == again.levels
    assert (turned.difference, turned.discordant, turned.by_draw) == (again.difference, again.discordant, again.by_draw)
    assert (turned.verdict, turned.needed) == (again.verdict, again.needed)
    assert turned.interval == pytest.approx(again.interval, abs=1e-9)
    assert turned.p == pytest.approx(again.p, abs=1e-3)
    assert turned.turned().json() == decide([methods(a, b)])[0].json()


def test_a_shift_turned_swaps_the_two_test_sets() -> None:
    rng = np.random.default_rng(4)
    clean = arm(right(rng, 0.8, 4, 60), "a")
    elsewhere = changed(
        clean, shift="domain", items=tuple(f"x{k}" for k in range(40)), twins=(None,) * 40,
        values=right(rng, 0.5, 4, 40),
    )  # fmt: skip
    one = contrast(clean, elsewhere, "shift", replicates=FAST)
    other = one.turned()
    assert (one.n, other.n, one.p_equivalent) == (40, 60, None)
    assert one.difference == pytest.approx(clean.accuracy - elsewhere.accuracy)
    assert other.levels == one.levels[::-1]
    assert other.interval == (-one.spread[1], -one.spread[0])
    assert other.by_draw == pytest.approx([-gap for gap in one.by_draw])


# ---- the difference of two differences -----------------------------------------------------------------------------


@pytest.mark.parametrize("draws", [1, 2, 3, 7])
def test_an_interaction_is_the_bootstrap_of_the_four_tables(draws: int) -> None:
    (a, b, c, d), arms = four(draws, draws)
    one = estimated(interaction(methods(*arms[:2]), methods(*arms[2:]), replicates=FAST))
    assert (one.axis, one.of, one.names) == ("stage", "method", ("code", "base"))
    assert one.difference == pytest.approx(a.mean() - b.mean() - c.mean() + d.mean())
    interval, p = by_itself(Block((a - b) - (c - d)), replicates=FAST)
    assert one.interval == pytest.approx(interval)
    assert one.p == pytest.approx(p)
    assert one.levels == pytest.approx((a.mean() - c.mean(), b.mean() - d.mean()))
    assert one.by_draw == pytest.approx((a - b - c + d).mean(axis=1))
    assert (one.n, one.draws, one.p_equivalent) == (80, tuple(range(draws)), None)


def test_one_draw_of_an_interaction_is_a_paired_t_test_over_items() -> None:
    (a, b, c, d), arms = four(5, draws=1, items=400)
    one = estimated(interaction(methods(*arms[:2]), methods(*arms[2:])))
    reference = stats.ttest_1samp((a - b - c + d)[0], 0)
    assert one.interval == pytest.approx(tuple(reference.confidence_interval()), abs=0.004)


def test_an_interaction_may_be_larger_than_one() -> None:
    ones, noughts = np.ones((3, 40)), np.zeros((3, 40))
    _, arms = four(0, items=40)
    filled = [changed(one, values=table) for one, table in zip(arms, (ones, noughts, noughts, ones), strict=True)]
    one = estimated(interaction(methods(*filled[:2]), methods(*filled[2:]), replicates=FAST))
    assert one.difference == 2.0
    assert one.spread[1] == 2.0
    assert one.spread[0] > 1.5
    (decided,) = decide([one])
    assert (decided.verdict, decided.turned().verdict) == ("wins", "loses")


def test_signs_of_an_interaction() -> None:
    _, arms = four(1)
    a, b = methods(*arms[:2]), methods(*arms[2:])
    one, back, inside = (
        estimated(made)
        for made in (
            interaction(a, b, replicates=FAST),
            interaction(b, a, replicates=FAST),
            interaction(a.turned(), b.turned(), replicates=FAST),
        )
    )
    assert one.difference == pytest.approx(-back.gap) == pytest.approx(-inside.gap)
    assert one.gap > 0.1
    turned = one.turned()
    assert (turned.difference, turned.names) == (back.difference, back.names)
    assert turned.levels == back.levels
    assert turned.interval == pytest.approx(back.interval, abs=1e-9)
    # whichever axis comes first, it is the same difference of differences
    stages = [contrast(arms[place], arms[place + 2], "stage", replicates=FAST) for place in (0, 1)]
    across = estimated(interaction(*stages, replicates=FAST))
    assert (across.axis, across.of, across.names) == ("method", "stage", ("cot", "direct"))
    assert (across.difference, across.interval) == (one.difference, one.interval)


def test_an_interaction_rests_on_the_items_and_draws_that_all_have() -> None:
    (a, b, c, d), arms = four(2, draws=4, items=50)
    items = arms[0].items
    arms[1] = changed(arms[1], items=items[10:], values=b[:, 10:])
    arms[2] = changed(arms[2], items=items[:45], values=c[:, :45])
    arms[3] = changed(arms[3], draws=(0, 1, 2), values=d[:3], plans=arms[3].plans[:3], versions=arms[3].versions[:3])
    one = estimated(interaction(methods(*arms[:2]), methods(*arms[2:]), replicates=FAST))
    whole = (a - b - c + d)[:3, 10:45]
    assert (one.n, one.draws) == (35, (0, 1, 2))
    assert one.difference == pytest.approx(whole.mean())
    assert one.interval == pytest.approx(by_itself(Block(whole), replicates=FAST)[0])
    # of the three draws: what the first contrast has beyond the 35 items, and the second
    assert one.sample.table.only == (3 * 5, 3 * 10)
    assert one.refused == ("only cot has seed 3", "only code has seed 3")


def test_a_gap_in_one_table_leaves_that_outcome_out() -> None:
    (a, b, c, d), arms = four(3)
    a = a.copy()
    a[1, 7] = np.nan
    arms[0] = changed(arms[0], values=a)
    one = interaction(methods(*arms[:2]), methods(*arms[2:]), replicates=FAST)
    assert one.difference == pytest.approx(float(np.nanmean(a - b - c + d)))
    assert one.sample.table.only == (0, 1)


def test_two_shifts_are_compared_on_each_test_set() -> None:
    rng = np.random.default_rng(6)
    tables = [right(rng, share, 3, n) for share, n in ((0.9, 70), (0.5, 40), (0.8, 70), (0.7, 40))]
    names, others = tuple(f"c{k:03d}" for k in range(70)), tuple(f"x{k:03d}" for k in range(40))
    losses = []
    for method, clean, shifted in (("cot", *tables[:2]), ("direct", *tables[2:])):
        start = arm(clean, method, items=names)
        there = changed(start, shift="domain", items=others, twins=(None,) * 40, values=shifted)
        losses.append(contrast(start, there, "shift", replicates=FAST))
    one = estimated(interaction(*losses, replicates=FAST))
    blocks = Block(tables[0] - tables[2]), Block(tables[1] - tables[3], -1.0)
    interval, p = by_itself(*blocks, replicates=FAST)
    assert one.difference == pytest.approx(sum(block.weight * block.values.mean() for block in blocks))
    assert one.interval == pytest.approx(interval)
    assert one.p == pytest.approx(p)
    assert (one.n, one.names, one.of) == (40, ("cot", "direct"), "shift")
    assert (
        one.test == "crossed bootstrap, two test sets, not paired, with a t interval over 3 draws: the wider of the two"
    )


def test_what_is_not_comparable_is_refused_with_the_reason() -> None:
    _, arms = four(7, draws=2)
    b = methods(*arms[2:])
    elsewhere = [changed(one, plans=("plan0", "another")) for one in arms[:2]]
    one = interaction(methods(*elsewhere), b, replicates=FAST)
    assert (one.draws, one.refused) == ((0,), ("seed 1: example plan another against plan1, refused",))
    version = [changed(one, versions=("v2",) * 2) for one in arms[:2]]
    none = estimated(interaction(methods(*version), b, replicates=FAST))
    assert (none.difference, none.interval, none.p, none.n) == (None, None, None, 0)
    assert none.refused[0] == "seed 0: task hash v2 against task, refused"
    assert decide([none])[0].verdict == "undecided"
    apart = [changed(one, items=tuple(f"z{k}" for k in range(80))) for one in arms[:2]]
    assert interaction(methods(*apart), b, replicates=FAST).difference is None
    twins, sets = (
        contrast(
            arms[place],
            changed(arms[place], shift="typos", items=tuple(f"y{k}" for k in range(80)), twins=twins),
            "shift",
            replicates=FAST,
        )
        for place, twins in ((0, arms[0].items), (2, (None,) * 80))
    )
    mixed = interaction(twins, sets, replicates=FAST)
    assert (mixed.difference, mixed.refused) == (None, ("code is paired on its items and base is of two test sets",))


def test_what_cannot_be_asked_is_an_error() -> None:
    _, arms = four(8)
    a, b = methods(*arms[:2]), methods(*arms[2:])
    axis: Axis = "stage"
    along = contrast(arms[0], arms[2], axis, replicates=FAST)
    both = interaction(a, b, replicates=FAST)
    scores = contrast(arms[0], arms[1], "method", replicates=FAST, kind="score")
    for wrong, message in (
        ((a, along), "interaction: contrasts of one axis have a difference, not method and stage"),
        ((scores, b), "interaction: contrasts of one kind of outcomes have a difference, not score and binary"),
        (
            (a, a),
            "interaction: both contrasts along method are of one setting, ('cot', 'direct') and ('cot', 'direct')",
        ),
    ):
        with pytest.raises(InputError) as error:
            interaction(*wrong)
        assert str(error.value) == message
    with pytest.raises(InputError, match="contrasts of outcomes have one, not of interactions along method"):
        interaction(both, interaction(a, b).turned())


def test_nothing_measured_has_no_gap() -> None:
    _, arms = four(9)
    lone = methods(arms[0], changed(arms[1], items=tuple(f"z{k}" for k in range(80))))
    for read in ("gap", "spread"):
        with pytest.raises(ValueError, match="cot and direct: nothing was "):
            getattr(lone, read)


# ---- error rates ---------------------------------------------------------------------------------------------------


def null_study(rng: np.random.Generator, draws: int, count: int, items: int, noise: float) -> list[Contrast]:
    """Interactions that are all 0, of ``count`` stages each with methods of its own: items differ, and each of the four
    tables moves from draw to draw by itself (standard deviation ``noise``, in logits).
    """
    out = []
    for place in range(count):
        arms = []
        for stage in ("code", "base"):
            for method, gain in (("cot", 0.8), ("direct", 0.0)):
                ease = rng.normal(0, 1.0, (1, items)) + rng.normal(0, noise, (draws, 1)) + gain
                values = (rng.random((draws, items)) < 1 / (1 + np.exp(-ease))).astype(float)
                arms.append(arm(values, f"{method}{place}", stage=stage, model=f"{stage}{place}"))
        made = [contrast(arms[place], arms[place + 1], "method", replicates=20) for place in (0, 2)]
        out.append(interaction(*made, replicates=500))
    return share_noise(out, ["interactions"] * count, [(one.plus, one.minus) for one in out])


@pytest.mark.slow
@pytest.mark.parametrize("draws", [2, 3, 5])
def test_interactions_that_are_nothing_are_found_in_at_most_six_percent(draws: int) -> None:
    rng = np.random.default_rng(draws)
    studies = 300
    for noise in (0.1, 0.5):
        found = [one for _ in range(studies) for one in null_study(rng, draws, 8, 100, noise)]
        assert all(one.pool is not None for one in found)
        rate = float(np.mean([(one.p or 0.0) <= 0.05 for one in found]))
        wide = float(np.median([one.spread[1] - one.spread[0] for one in found]))
        print(f"{draws} draws, noise {noise}: {rate:.4f}, half width {50 * wide:.1f} points")
        # a test, not a refusal to speak
        assert 0.01 < rate <= 0.06 + 2 * math.sqrt(0.06 * 0.94 / len(found))


@pytest.mark.slow
@pytest.mark.parametrize("draws", [2, 3, 5])
def test_lone_interactions_that_are_nothing_are_found_in_at_most_six_percent(draws: int) -> None:
    """Strong noise between draws that nothing is pooled with: the bootstrap alone rejects 7.7 % over two draws."""
    rng = np.random.default_rng(draws)
    found = [one for _ in range(700) for one in null_study(rng, draws, 1, 100, 0.5)]
    assert all(one.pool is None for one in found)
    rate = float(np.mean([(one.p or 0.0) <= 0.05 for one in found]))
    print(f"{draws} draws: {rate:.4f}")
    assert rate <= 0.06 + 2 * math.sqrt(0.06 * 0.94 / len(found))
