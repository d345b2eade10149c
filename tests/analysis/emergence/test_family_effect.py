"""One ability in several families: against statsmodels, known truth, and families that never cross."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import shared
from scipy.stats import binom, t
from statsmodels.stats.meta_analysis import combine_effects

from onset.analysis.curves.place import Censored, Place
from onset.analysis.curves.series import Curve, Scale, SizePoint, curves_of
from onset.analysis.curves.shapes import Logistic
from onset.analysis.curves.threshold import NOT_IN_RANGE, Threshold, leave_by
from onset.analysis.emergence.families import FamilyEffect, _known, family_effect
from onset.analysis.emergence.verdict import Emergence, Settings
from onset.analysis.stats.random_effects import random_effects
from onset.errors import InputError

QUICK = Settings(replicates=19, threshold_replicates=0)
SIZES = np.linspace(8, 11, 7)


def curve_of(family: str, right: Sequence[int], n: int = 200, chance: float = 0.0, scale: Scale = "params") -> Curve:
    places = SIZES[: len(right)]
    sizes = 10 ** (-0.076 * (places - 20)) if scale == "loss" else 10**places
    points = [
        SizePoint("addition", family, f"{family}-{i}", float(sizes[i]), "acc", n=n, correct=one, chance=chance)
        for i, one in enumerate(right)
    ]
    return curves_of(points, scale)[0]


def result(
    family: str, estimate: float | None, low: float | None, high: float | None, censored: Censored | None = None
) -> Emergence:
    """A verdict whose threshold is given, in decades."""
    sizes = [None if one is None else 10**one for one in (estimate, low, high)]
    return Emergence(
        curve=curve_of(family, [0, 0, 0, 50, 120, 180, 190]), verdict="emergent", p_value=0.01, q_value=0.01, p_change=0.001,
        p_jump=0.9,
        threshold=Threshold(Place(sizes[0], sizes[1], sizes[2], censored), 0.05), floor=None, rise=0.9, rho=0.0, replicates=19,
        notes=(),
    )  # fmt: skip


def level(family: str, right: Sequence[int], verdict: str = "flat", chance: float = 0.0) -> Emergence:
    """A verdict without a threshold."""
    one = result(family, None, None, None)
    return Emergence(**{**vars(one), "curve": curve_of(family, right, chance=chance), "verdict": verdict,
                        "threshold": NOT_IN_RANGE})  # fmt: skip


EFFECTS = (9.1, 9.6, 9.3, 10.2, 8.9)
ERRORS = (0.10, 0.15, 0.08, 0.20, 0.12)


def five(errors: Sequence[float] = ERRORS) -> list[Emergence]:
    return [
        result(name, mean, mean - 1.959964 * error, mean + 1.959964 * error)
        for name, mean, error in zip("ABCDE", EFFECTS, errors, strict=True)
    ]


def test_random_effects_agree_with_statsmodels() -> None:
    """Paule and Mandel's spread and Hartung and Knapp's interval, where nothing is censored."""
    effect, variance = np.array(EFFECTS), np.array(ERRORS) ** 2
    other = combine_effects(effect, variance, method_re="iterated", use_t=True)
    mean, half, spread, q_p = random_effects(effect, np.sqrt(variance))
    low, high = other.conf_int(use_t=True)[3]
    assert mean == pytest.approx(other.mean_effect_re, abs=1e-6)
    assert spread**2 == pytest.approx(other.tau2, abs=1e-6)
    assert mean - half == pytest.approx(low, abs=1e-5)
    assert mean + half == pytest.approx(high, abs=1e-5)
    assert q_p == pytest.approx(other.test_homogeneity().pvalue, abs=1e-6)
    made = family_effect(five()).classical
    assert made is not None
    assert math.log10(made.mean.estimate) == pytest.approx(mean, abs=1e-6)
    assert made.spread == pytest.approx(spread, abs=1e-6)


def test_no_difference_has_no_spread() -> None:
    mean, half, spread, q_p = random_effects(np.array([9.0, 9.01, 8.99]), np.array([0.1, 0.1, 0.1]))
    assert (round(mean, 6), spread) == (9.0, 0.0)
    assert half == pytest.approx(t.ppf(0.975, 2) * 0.1 / math.sqrt(3))  # no narrower than the errors allow
    assert q_p > 0.9


def test_the_posterior_agrees_with_the_classical_estimate_where_nothing_is_censored() -> None:
    made = family_effect(five())
    assert made.mean is not None
    assert made.classical is not None
    assert made.spread is not None
    assert math.log10(made.mean.estimate) == pytest.approx(math.log10(made.classical.mean.estimate), abs=0.03)
    assert made.spread.estimate == pytest.approx(made.classical.spread, abs=0.12)
    assert math.log10(made.mean.low) == pytest.approx(math.log10(made.classical.mean.low), abs=0.15)
    assert math.log10(made.mean.high) == pytest.approx(math.log10(made.classical.mean.high), abs=0.15)
    assert made.new_family is not None
    assert made.new_family[0] < made.mean.low
    assert made.mean.high < made.new_family[1]


def test_vague_families_are_drawn_in_more() -> None:
    errors = list(ERRORS)
    errors[3] = 0.6
    sharp, vague = family_effect(five()).families[3], family_effect(five(errors)).families[3]
    assert sharp.pooled is not None
    assert vague.pooled is not None
    assert 9.4 < math.log10(vague.pooled.estimate) < math.log10(sharp.pooled.estimate) - 0.2
    assert math.log10(sharp.pooled.estimate) < 10.2
    assert math.log10(vague.pooled.high) - math.log10(vague.pooled.low) < 2 * 1.96 * 0.6


def test_a_family_still_at_chance_moves_the_mean_and_is_not_dropped() -> None:
    """The mistake this guards against: leaving out families that never cross makes the ability look easier."""
    crossed = five()
    at_chance = level("F", [0, 0, 1, 0, 0, 1, 0])
    without, made = family_effect(crossed), family_effect([*crossed, at_chance])
    assert without.mean is not None
    assert made.mean is not None
    assert math.log10(made.mean.estimate) > math.log10(without.mean.estimate) + 0.15
    last = made.families[-1]
    assert last.used
    assert last.alone.censored == "above"
    assert last.pooled is not None
    assert last.pooled.low > 10**10.9
    assert made.classical is None
    assert "F beyond" in made.sentence


def test_a_family_past_it_at_every_size_is_censored_below() -> None:
    made = family_effect([*five(), level("F", [150, 150, 152, 149, 151, 150, 152])])
    assert made.families[-1].alone.censored == "below"
    assert made.families[-1].pooled is not None
    assert made.families[-1].pooled.high < 10**8.1
    assert "F before 1" in made.sentence


def test_what_is_not_known_is_said_and_not_guessed() -> None:
    falling = level("F", [60, 50, 40, 30, 20, 10, 5], "inverse")
    made = family_effect([*five(), falling])
    assert not made.families[-1].used
    assert made.notes == ("nothing is known of the threshold in F",)
    assert made.mean == family_effect(five()).mean


def test_thresholds_on_one_side_only_are_not_pooled() -> None:
    made = family_effect([level("A", [0] * 7), level("B", [1, 0, 0, 1, 0, 0, 0])])
    assert (made.mean, made.spread, made.new_family) == (None, None, None)
    assert made.sentence == (
        "addition in 2 families: the families together do not bound the threshold from both sides: nothing is pooled."
    )


def test_a_gap_is_level_inside_and_nothing_outside() -> None:
    sharp = result("A", 9.25, 9.0, 9.5, "gap")
    made = family_effect([sharp, result("B", 9.3, 9.0, 9.6)])
    pooled = made.families[0].pooled
    assert pooled is not None
    assert 10**8.98 < pooled.low < pooled.high < 10**9.52
    assert made.classical is None


def test_open_ends_say_no_more_than_no_sooner() -> None:
    """An interval without an upper end: the estimate does not hold the family back from above."""
    closed = family_effect([result("A", 9.0, 8.8, 9.2), result("B", 9.5, 9.2, 9.8)])
    opened = family_effect([result("A", 9.0, 8.8, 9.2), result("B", 9.5, 9.2, None)])
    assert closed.families[1].pooled is not None
    assert opened.families[1].pooled is not None
    assert opened.families[1].pooled.high > 10 * closed.families[1].pooled.high


def test_two_families_say_that_the_spread_is_mostly_prior() -> None:
    made = family_effect(five()[:2])
    assert made.notes == (
        "with two families the spread between families is hardly estimable: its interval is mostly prior",
    )
    assert made.sentence.endswith(
        "With two families the spread between families is hardly estimable: its interval is mostly prior."
    )


def test_a_spread_that_leans_on_its_prior_says_so() -> None:
    """Half of the families censored: a wider prior gives a wider spread. Five precise ones: it hardly matters."""
    ends = [level("F", [0] * 7), level("G", [0] * 7), level("H", [150] * 7)]
    made = family_effect([*five()[:2], *ends])
    assert made.notes[0].startswith("the spread leans on its prior: with one twice as wide it would be a factor of ")
    assert family_effect(five()).notes == ()


def test_a_family_at_chance_weighs_what_its_outcomes_are_worth() -> None:
    """Of thresholds up to its largest size: how much less likely right answers are from there on at the target."""
    right, n, chance = [48, 52, 50, 49, 51, 50, 47], 200, 0.25
    known = _known(level("F", right, chance=chance), Settings())
    assert known is not None
    assert known.censored == "above"
    target = chance + leave_by(chance, n, Settings().margin)
    at = np.array([8.0, 9.2, 10.9, 11.0, 11.5])
    lost = [
        sum(
            binom.logpmf(k, n, target) - binom.logpmf(k, n, k / n)
            for k, size in zip(right, SIZES, strict=True)
            if size >= one - 1e-9
        )
        for one in at
    ]
    assert known.log_likelihood(at) == pytest.approx(lost)
    assert -40 < lost[0] < lost[2] < -2
    assert lost[-1] == 0


def test_a_family_whose_largest_size_is_past_the_target_is_not_beyond_its_sizes() -> None:
    open_ended = level("F", [50, 48, 52, 50, 50, 50, 72], "unresolved", chance=0.25)
    assert _known(open_ended, Settings()) is None
    alone, joined = family_effect(five()), family_effect([*five(), open_ended])
    assert not joined.families[-1].used
    assert joined.mean == alone.mean


def test_curves_are_given_to_emergence_first() -> None:
    curves = [curve_of("A", [0, 1, 2, 40, 120, 180, 190]), curve_of("B", [0, 0, 1, 1, 40, 120, 180])]
    made = family_effect(curves, QUICK)
    estimates = [one.alone.estimate for one in made.families]
    assert None not in estimates
    assert (estimates[0] or 0) < (estimates[1] or 0)
    assert made.mean is not None
    assert (estimates[0] or 0) < made.mean.estimate < (estimates[1] or 0)


def test_a_loss_falls_as_models_grow() -> None:
    curves = [
        curve_of(name, right, scale="loss")
        for name, right in (("A", [0, 1, 2, 40, 120, 180, 190]), ("B", [0, 0, 1, 1, 40, 120, 180]), ("C", [0] * 7))
    ]
    made = family_effect(curves, QUICK)
    first, second, third = (one.pooled for one in made.families)
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.estimate > second.estimate > third.estimate
    assert made.families[2].alone.censored == "above"
    assert "a loss of" in made.sentence


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([result("A", 9, 8.8, 9.2)], "family effect: 1 family, at least 2 are needed"),
        ([result("A", 9, 8.8, 9.2), result("A", 9, 8.8, 9.2), result("B", 9, 8, 10)], "family effect: A given more than once"),
        (
            [result("A", 9, 8.8, 9.2), level("B", [0] * 7, chance=0.0).__class__(**{
                **vars(result("B", 9, 8, 10)), "curve": curve_of("B", [0] * 7, scale="loss")})],
            "family effect: expected one scale, received loss and params",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(results: list[Emergence], message: str) -> None:
    with pytest.raises(InputError) as raised:
        family_effect(results)
    assert str(raised.value) == message


def test_json_is_json() -> None:
    made = family_effect([*five(), level("F", [0] * 7)])
    said = made.json()
    json.dumps(said, allow_nan=False)
    assert list(said) == [
        "curve", "metric", "scale", "families", "mean", "spread_decades", "new_family", "classical", "notes", "sentence",
    ]  # fmt: skip
    assert said["families"][5]["threshold"]["censored"] == "above"
    assert said["families"][5]["threshold"]["high"] is None


# ---- real curves: two-digit addition (2,000 problems) in families of base models ------------------------------------


def addition(scale: Scale) -> list[Curve]:
    """Every score is a whole number of 2,000, the size of the set (Brown et al. 2020, section 3.9.1): so counts."""
    scores = {}
    with shared("data", "scaling", "obsscaling", "base_llm_emergent_capability_eval.csv").open() as file:
        for row in csv.DictReader(file):
            scores[row["Model"]] = row["arithmetic_2da_2_acc"]
    column, unit = ("Model Size (B)", 1e9) if scale == "params" else ("FLOPs (1E21)", 1e21)
    points = []
    with shared("data", "scaling", "obsscaling", "base_llm_benchmark_eval.csv").open() as file:
        for row in csv.DictReader(file):
            if scores.get(row["Model"]) and row[column]:
                right = 2000 * float(scores[row["Model"]])
                assert right == pytest.approx(round(right), abs=1e-6)
                points.append(
                    SizePoint("2-digit addition", row["Model Family"], row["Model"], unit * float(row[column]), "acc",
                              n=2000, correct=round(right), chance=0.0)
                )  # fmt: skip
    return [one for one in curves_of(points, scale) if one.sizes >= 4]


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["params", "flops"])
def test_two_digit_addition(scale: Scale) -> None:
    """Families differ several-fold in the size at which they begin to add, by parameters and by FLOPs."""
    made = family_effect(addition(scale), Settings(threshold_replicates=0))
    by = {one.family: one for one in made.families}
    assert len(by) == 8
    assert by["XGLM"].alone.censored == "above"
    assert by["Qwen1.5"].alone.censored == "below"
    assert made.spread is not None
    assert made.spread.low > 0.2
    if scale == "params":
        assert by["Qwen1.5"].pooled is not None
        assert by["BLOOM"].pooled is not None
        assert by["Qwen1.5"].pooled.high < 1e9 < by["BLOOM"].pooled.low


@pytest.mark.slow
def test_intervals_hold_the_truth_though_most_families_are_censored_somewhere() -> None:
    """Families of 5 sizes each at other sizes; thresholds scatter by 0.4 decades around 1.6 B parameters."""
    rng = np.random.default_rng(3)
    held, held_new, dropped = 0, 0, 0.0
    runs = 60
    for _ in range(runs):
        curves = []
        for number in range(6):
            at = rng.normal(9.2, 0.4)
            x = rng.uniform(7.6, 9.2) + np.linspace(0, 2, 5)
            # 5 points above a chance of 0 at the threshold, then up to 80 %
            truth = Logistic(0.0, 0.8, 3.0, at + math.log(0.75 / 0.05) / 3.0)
            right = rng.binomial(200, truth(x))
            curves += curves_of(
                SizePoint(
                    "t", f"f{number}", f"m{i}", float(10 ** x[i]), "acc", n=200, correct=int(right[i]), chance=0.0
                )
                for i in range(5)
            )
        made: FamilyEffect = family_effect(curves, QUICK)
        assert made.mean is not None
        assert made.new_family is not None
        held += made.mean.low < 10**9.2 < made.mean.high
        held_new += made.new_family[0] < 10 ** rng.normal(9.2, 0.4) < made.new_family[1]
        dropped += math.log10(made.mean.estimate) - 9.2
    assert held >= 0.87 * runs
    assert held_new >= 0.87 * runs
    assert abs(dropped / runs) < 0.1
