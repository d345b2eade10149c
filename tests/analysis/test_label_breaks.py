"""Break-even labels against label curves that are planted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_arms import arm
from scipy import stats
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load
from onset.analysis.contrast.asked import compare_all
from onset.analysis.estimates.label_breaks import LabelBreak, label_breaks
from onset.analysis.finding import Finding
from onset.analysis.outcomes import KEY, Outcomes
from onset.analysis.questions import question
from onset.analysis.questions.break_even import _shown
from onset.analysis.stats.bootstrap import Array

BUDGETS = (8, 32, 128, 512)
FAST = 400


def study(
    rng: np.random.Generator, *, draws: int = 5, items: int = 200, noise: float = 0.3, tuned: float = 0.7
) -> list[Outcomes]:
    """Logits of tuning rise with the labels, those of prompting do not; both are even at ``AT`` labels. ``noise``:
    standard deviation of a draw's logits.
    """
    hard = rng.normal(0, 1.2, items)
    arms = []
    for labels in BUDGETS:
        for method, level in (("lora", tuned * math.log(labels / AT)), ("cot", 0.0)):
            logits = level + rng.normal(0, noise, (draws, 1)) - hard
            values = (rng.random((draws, items)) < 1 / (1 + np.exp(-logits))).astype(float)
            arms.append(arm(values, method, labels=labels, tune="lora" if method == "lora" else None))
    return arms


AT = 50.0


def broken(arms: list[Outcomes], **more: object) -> LabelBreak:
    (one,) = label_breaks(compare_all(arms, replicates=FAST), arms, **more)  # type: ignore[arg-type]
    return one


def test_a_planted_break_even_is_found() -> None:
    one = broken(study(np.random.default_rng(0), items=600, noise=0.05))
    assert (one.tuned, one.prompted, one.draws) == ("lora", "cot", 5)
    assert one.mean.verdict == "reached"
    low, high = one.mean.interval
    assert low is not None
    assert high is not None
    assert low <= AT <= high
    assert one.mean.at == pytest.approx(AT, rel=0.4)


def test_more_labels_are_needed_where_draws_count() -> None:
    """One standard deviation of the lead between draws is 0.3 * sqrt(2) logits: at slope 0.7 a factor of e^0.6."""
    found = [broken(study(np.random.default_rng(seed), items=400)) for seed in range(12)]
    ratios = [one.counted.at / one.mean.at for one in found if one.counted and one.counted.at and one.mean.at]
    assert len(ratios) > 8
    assert min(ratios) >= 1.0
    assert np.median(ratios) == pytest.approx(math.exp(0.3 * math.sqrt(2) / 0.7), rel=0.3)


def test_leads_are_those_of_the_comparisons() -> None:
    arms = study(np.random.default_rng(3))
    compared = {one.labels: one for one in compare_all(arms, replicates=FAST)}
    for lead in broken(arms).leads:
        assert lead.mean == compared[lead.labels].difference
        assert lead.interval == compared[lead.labels].interval
        assert lead.of_a_draw is not None
        assert lead.of_a_draw <= lead.mean


def test_one_draw_has_no_variance_to_count() -> None:
    one = broken(study(np.random.default_rng(4), draws=1))
    assert one.counted is None
    assert {lead.of_a_draw for lead in one.leads} == {None}
    assert one.json()["variance_counted"] is None


def used(arms: list[Outcomes], rationales: dict[str, float]) -> dict[tuple[object, ...], tuple[float, float]]:
    return {
        tuple(getattr(one, name) for name in KEY): (float(one.labels), one.labels * rationales[one.method])
        for one in arms
    }


def test_where_no_side_uses_rationales_nothing_is_priced() -> None:
    arms = study(np.random.default_rng(5))
    assert broken(arms, uses=used(arms, {"lora": 0, "cot": 0})).priced == ()
    assert broken(arms).priced == ()


def test_rationales_that_both_use_alike_scale_the_cost() -> None:
    """Each example costs 1 + price: the break-even in cost is that in labels times as much."""
    arms = study(np.random.default_rng(6), items=600, noise=0.05)
    one = broken(arms, uses=used(arms, {"lora": 1, "cot": 1}), prices=(0.0, 1.0, 3.0))
    ats = [priced.place.at for priced in one.priced]
    assert None not in ats
    assert [at / ats[0] for at in ats] == pytest.approx([1.0, 2.0, 4.0])
    assert ats[0] == pytest.approx(one.mean.at, rel=0.1)


def test_dear_rationales_move_the_break_even_of_who_uses_them() -> None:
    """Prompting shows answers alone: at a price of 3, tuning gets a quarter of the examples for the same money."""
    arms = study(np.random.default_rng(7), items=600, noise=0.05)
    free, dear = broken(arms, uses=used(arms, {"lora": 1, "cot": 0}), prices=(0.0, 3.0)).priced
    assert free.place.at == pytest.approx(AT, rel=0.5)
    assert dear.place.at == pytest.approx(4 * AT, rel=0.5)


def test_money_beyond_the_largest_budget_buys_nothing() -> None:
    """A prompt that shows four examples costs the same at every budget: it stays what it is."""
    arms = study(np.random.default_rng(8), items=600, noise=0.05)
    uses = used(arms, {"lora": 1, "cot": 0}) | {
        tuple(getattr(one, name) for name in KEY): (4.0, 0.0) for one in arms if one.method == "cot"
    }
    (free,) = broken(arms, uses=uses, prices=(0.0,)).priced
    assert free.place.at == pytest.approx(AT, rel=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_intervals_cover_with_five_draws(noise: float) -> None:
    """Nominal 95 %: curves that are no lines in log labels, five draws, 150 items."""
    studies = 300
    held = {"mean": 0, "counted": 0}
    expected = {"mean": AT, "counted": AT * math.exp(one_deviation(noise) / 0.7)}
    for seed in range(studies):
        one = broken(study(np.random.default_rng([9, seed]), items=150, noise=noise))
        for name, place in (("mean", one.mean), ("counted", one.counted)):
            assert place is not None
            low, high = place.interval
            held[name] += place.verdict != "lost again" and (low or 0) <= expected[name] <= (high or math.inf)
    assert min(held.values()) / studies >= 0.90


def one_deviation(noise: float) -> float:
    """The shift in logits at which the mean lead is one standard deviation between draws of it, by integration."""
    rng = np.random.default_rng(11)
    hard = rng.normal(0, 1.2, 4000)

    def share(logits: Array) -> Array:
        return (1 / (1 + np.exp(-(logits[:, None] - hard)))).mean(axis=1)

    ours, theirs = rng.normal(0, noise, (2, 500))
    grid = np.linspace(0, 1.5, 31)
    gaps = [share(ours + shift) - share(theirs) for shift in grid]
    values = np.array([gap.mean() - gap.std() for gap in gaps])
    return float(np.interp(0.0, values, grid)) if noise else 0.0


# ---- as a finding: of the pair that does best ---------------------------------------------------------------------


def no_difference(rng: np.random.Generator, tuned: int, draws: int = 4, items: int = 100) -> list[Outcomes]:
    """Tuned methods and one prompt that are all equally good: items differ in difficulty, and for each method."""
    hard = rng.normal(0, 1.5, (1, items))
    arms = []
    for name, kind in [*((f"tuned{at}", "lora") for at in range(tuned)), ("prompt", None)]:
        for labels in (8, 128):
            logits = rng.normal(0, 0.5, (1, items)) + rng.normal(0, 0.25, (draws, 1)) - hard
            values = (rng.random((draws, items)) < 1 / (1 + np.exp(-logits))).astype(float)
            arms.append(arm(values, name, labels=labels, tune=kind))
    return arms


def told(folder: Analysis, arms: list[Outcomes]) -> Finding:
    breaks = label_breaks(compare_all(arms, replicates=FAST), arms)
    measured = replace(folder.measured, outcomes=tuple(arms))
    labels = replace(folder.labels, breaks=breaks)
    (finding,) = question("break-even labels").ask(replace(folder, measured=measured, labels=labels))
    return finding


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    made = synthetic_results(tmp_path_factory.mktemp("d"), models=(("m", 10**6),), seeds=1, items=20, voting=False)
    return analyse(load(made), replicates=FAST)


@pytest.mark.slow
def test_the_best_of_many_pairs_is_seldom_said_to_beat_prompting(folder: Analysis) -> None:
    """Six tuned methods no better than the prompt: one of them is picked as the best, and at most 2.5 % beat it."""
    rng, runs = np.random.default_rng(12), 200
    wrong = sum(told(folder, no_difference(rng, 6)).verdict in ("reached", "throughout") for _ in range(runs))
    assert stats.binomtest(wrong, runs, 0.025, alternative="greater").pvalue > 0.01


def test_a_pair_that_was_picked_has_to_be_shown_among_those_it_was_picked_from(folder: Analysis) -> None:
    """A lead of p = .02 or so: shown of one pair that is all there is, not of the best of six."""
    arms = study(np.random.default_rng(0), items=600, noise=0.05)
    clear = told(folder, arms)
    assert (clear.verdict, "picked" in clear.sentence) == ("reached", False)
    others = [
        replace(one, at=replace(one.at, method=f"{one.method}{at}")) for one in arms for at in range(3) if one.tuned
    ]
    many = told(folder, [*arms, *others])
    assert many.verdict == "reached"
    assert "the best of 4 pairs: that one is ahead on the mean, or behind, is corrected for this" in many.sentence
    (weak,) = [replace(one, p=0.02) for one in label_breaks(compare_all(arms, replicates=FAST), arms)]
    assert _shown(weak, 2).mean == weak.mean
    picked = _shown(weak, 3)
    assert (picked.mean.verdict, picked.mean.interval, picked.priced) == ("undecided", (None, None), ())
    assert picked.counted is None or picked.counted.verdict == "undecided"
