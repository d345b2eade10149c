"""The error rates that are promised, measured: 4,000 simulated studies a setting, with draws and items that differ.

A simulated study compares two methods on D draws of examples x I items. The logit of a correct answer is the sum of an
item effect (common to both methods), an item x method effect, a draw effect (common) and a draw x method effect. Under
the null both methods have equal parameters. The method x draw and method x item effects are what a bootstrap over items
alone, or a t test over draws alone, does not see.

Rejections at 5 % of true nulls, and of a difference of 0.6 logits (about 10 points), 1,000 bootstrap replicates:

    draws  items  setting                    null   0.6 logits     null, t over draws alone
        5    100  independent outcomes       1.7 %     91 %           5 %
        5    100  items differ               1.1 %     79 %           5 %
        5    100  items differ by method     3.6 %     64 %          12 %
        5    100  draws differ by method     4.7 %     25 %           6 %
        5    100  both, moderately           3.4 %     50 %           6 %
       10    100  independent outcomes       2.3 %    100 %           5 %
       10    100  items differ               2.7 %    100 %           5 %
       10    100  items differ by method     4.4 %     86 %          22 %
       10    100  draws differ by method     5.4 %     51 %           7 %
       10    100  both, moderately           4.8 %     87 %           8 %
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from made_arms import arm

from onset.analysis.contrast.contrast import contrast, decide
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap

STUDIES = 4000
REPLICATES = 1000


@dataclass(frozen=True)
class Setting:
    """Standard deviations in logits."""

    item: float
    item_by_method: float
    draw: float
    draw_by_method: float


SETTINGS = {
    "independent outcomes": Setting(0.0, 0.0, 0.0, 0.0),
    "items differ": Setting(1.5, 0.0, 0.3, 0.0),
    "items differ by method": Setting(1.5, 1.0, 0.3, 0.0),
    "draws differ by method": Setting(1.5, 0.7, 0.3, 0.5),
    "both, moderately": Setting(1.5, 0.5, 0.2, 0.25),
}
GAP = 0.6
LEAST_POWER = {
    (5, "independent outcomes"): 0.85,
    (5, "items differ"): 0.75,
    (5, "items differ by method"): 0.55,
    (5, "draws differ by method"): 0.2,
    (5, "both, moderately"): 0.45,
    (10, "independent outcomes"): 0.97,
    (10, "items differ"): 0.95,
    (10, "items differ by method"): 0.75,
    (10, "draws differ by method"): 0.45,
    (10, "both, moderately"): 0.8,
}


def studies(setting: Setting, draws: int, items: int, gap: float, count: int, seed: int) -> tuple[Array, Array]:
    """Outcomes of both methods: studies x draws x items."""
    rng = np.random.default_rng(seed)
    shape = (count, draws, items)
    common = rng.normal(0, setting.item, (count, 1, items)) + rng.normal(0, setting.draw, (count, draws, 1))

    def method(shift: float) -> Array:
        own = rng.normal(0, setting.item_by_method, (count, 1, items))
        own = own + rng.normal(0, setting.draw_by_method, (count, draws, 1))
        return (rng.random(shape) < 1 / (1 + np.exp(-(common + own + shift)))).astype(float)

    return method(gap), method(0.0)


def rejected(first: Array, second: Array) -> float:
    """Share of studies in which the comparison, as reported, names a winner."""
    named = 0
    for a, b in zip(first, second, strict=True):
        (one,) = decide([contrast(arm(a, "a"), arm(b, "b"), "method", replicates=REPLICATES)])
        named += one.verdict in ("wins", "loses")
    return named / len(first)


@pytest.mark.slow
@pytest.mark.parametrize("draws", [5, 10])
@pytest.mark.parametrize("name", SETTINGS)
def test_true_nulls_are_rejected_in_at_most_six_percent(name: str, draws: int) -> None:
    rate = rejected(*studies(SETTINGS[name], draws, 100, 0.0, STUDIES, seed=draws))
    print(f"{draws} draws, {name}: {rate:.4f}")
    assert rate <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("draws", [5, 10])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_test_is_not_trivially_conservative(name: str, draws: int) -> None:
    power = rejected(*studies(SETTINGS[name], draws, 100, GAP, 1000, seed=draws))
    print(f"{draws} draws, {name}: power {power:.3f}")
    assert power >= LEAST_POWER[draws, name]


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "items", "count"), [(1, 3000, 1500), (5, 400, STUDIES), (10, 400, STUDIES)])
def test_methods_at_the_margin_are_called_equivalent_in_at_most_six_percent(draws: int, items: int, count: int) -> None:
    """The truth lies exactly 5 points apart, which is not inside the margin."""
    rng = np.random.default_rng(draws)
    called = 0
    for _ in range(count):
        # one draw says nothing about others, so there is no noise between draws to generalise over
        noise = rng.normal(0, 0.02 if draws > 1 else 0.0, (2, draws, 1))
        effects = rng.normal(0, 0.1, (2, 1, items)) + noise
        share = np.clip(np.array([0.525, 0.475])[:, None, None] + effects, 0, 1)
        a, b = (rng.random((2, draws, items)) < share).astype(float)
        (one,) = decide([contrast(arm(a, "a"), arm(b, "b"), "method", replicates=REPLICATES)])
        called += one.verdict == "equivalent"
    print(f"{draws} draws: {called / count:.4f}")
    assert 0.005 <= called / count <= 0.06


@pytest.mark.slow
def test_equal_methods_are_called_equivalent_when_there_is_enough_to_see() -> None:
    first, second = studies(Setting(1.5, 0.0, 0.2, 0.0), 10, 500, 0.0, 300, seed=1)
    called = 0
    for a, b in zip(first, second, strict=True):
        (one,) = decide([contrast(arm(a, "a"), arm(b, "b"), "method", replicates=REPLICATES)])
        called += one.verdict == "equivalent"
    assert called / 300 > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("draws", [5, 10])
def test_one_methods_accuracy_is_covered(draws: int) -> None:
    """The interval of a mean accuracy holds the truth over other draws and items in at least 94 % of studies."""
    setting = SETTINGS["both, moderately"]
    truth = float(studies(setting, 20, 20, 0.5, 20_000, seed=0)[0].mean())
    inside = 0
    for values in studies(setting, draws, 100, 0.5, STUDIES, seed=draws)[0]:
        crossed = crossed_bootstrap([Block(values)], REPLICATES)
        assert crossed is not None
        low, high = crossed.interval()
        inside += low <= truth <= high
    print(f"{draws} draws: coverage {inside / STUDIES:.4f}")
    assert inside / STUDIES >= 0.94


@pytest.mark.parametrize(("small", "large", "right"), [(20, 200, 0.9), (100, 20, 0.95), (20, 200, 0.98)])
def test_a_small_set_that_is_all_right_beside_a_large_one_is_not_certain(small: int, large: int, right: float) -> None:
    """Without a least variance of its own the smaller set's missing one rejects up to 13 %."""
    rng, rejected = np.random.default_rng(3), 0
    for _ in range(400):
        sets = [Block((rng.random((1, items)) < right).astype(float), weight)
                for items, weight in ((small, 1.0), (large, -1.0))]  # fmt: skip
        found = crossed_bootstrap(sets, 500)
        assert found is not None
        low, high = found.interval()
        rejected += not low <= 0 <= high
    assert rejected <= 400 * 0.05


def test_the_least_variance_of_one_set_does_not_add_up_over_many() -> None:
    rng, held, widths = np.random.default_rng(4), 0, []
    for _ in range(200):
        sets = [Block(rng.choice([-1.0, 0.0, 1.0], p=[0.025, 0.95, 0.025], size=(1, 20)), 1 / 30) for _ in range(30)]
        found = crossed_bootstrap(sets, 500)
        assert found is not None
        low, high = found.interval()
        held += low <= 0 <= high
        widths.append(high - low)
    assert held >= 200 * 0.92
    assert np.mean(widths) < 1.1 * 2 * 1.96 * np.sqrt(0.05 / 20 / 30)
