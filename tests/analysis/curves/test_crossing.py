"""Where one curve overtakes another: known truths, unbounded intervals, pairing, and published figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from conftest import shared
from scipy.optimize import brentq
from scipy.special import expit

from onset.analysis.curves.crossing import (
    Crossing,
    crossing,
    interval_words,
    start_of_wins,
)
from onset.analysis.curves.likelihood import Counts
from onset.analysis.curves.meeting import meet
from onset.analysis.curves.place import Place
from onset.analysis.curves.series import Curve, SizePoint
from onset.errors import InputError

SIZES = np.array([1e8, 3e8, 1e9, 3e9, 1e10, 3e10, 1e11, 3e11])
X = np.log10(SIZES)
Truth = Callable[[np.ndarray], np.ndarray]


def rising(floor: float, ceiling: float, slope: float, midpoint: float) -> Truth:
    return lambda x: floor + (ceiling - floor) * expit(slope * (np.asarray(x) - midpoint))


def counted(name: str, shares: np.ndarray, n: int, rng: np.random.Generator) -> Curve:
    right = rng.binomial(n, shares)
    points = tuple(
        SizePoint(name, "made-up", f"m{i}", float(size), "accuracy", n=n, correct=int(right[i]))
        for i, size in enumerate(SIZES)
    )
    return Curve(name, "made-up", "accuracy", "params", points)


def simulated(a: Truth, b: Truth, n: int, seed: int = 0, replicates: int = 200) -> Crossing:
    rng = np.random.default_rng(seed)
    return crossing(counted("direct", a(X), n, rng), counted("chain", b(X), n, rng), replicates=replicates)


SLOW, STEEP = rising(0.1, 0.6, 1.5, 9.5), rising(0.05, 0.9, 5.0, 10.2)


def test_a_crossing_is_found_where_it_is() -> None:
    truth = 10 ** float(brentq(lambda x: float(STEEP(x) - SLOW(x)), 8, 11.4))
    found = simulated(SLOW, STEEP, 1000)
    assert found.verdict == "from"
    assert found.gap == (1e10, 3e10)
    assert found.estimate == pytest.approx(truth, rel=0.1)
    assert found.meeting is not None
    for place in (found.meeting.place, found.meeting.bootstrap):
        assert place.low is not None
        assert place.high is not None
        assert 1e10 < place.low < truth < place.high < 3e10
    assert found.words.startswith("from 1")
    assert "unbounded" not in found.words


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    a, b = rising(0.2, 0.6, 2.0, 10.0), rising(0.15, 0.8, 3.0, 10.2)
    truth = 10 ** float(brentq(lambda x: float(b(x) - a(x)), 8, 11))
    held = 0
    for seed in range(8):
        found = simulated(a, b, 150, seed, replicates=0)
        assert found.meeting is not None
        low, high = found.meeting.place.low, found.meeting.place.high
        held += (low is None or low <= truth) and (high is None or high >= truth)
    assert held >= 7


def test_a_method_ahead_everywhere_crosses_below_the_sizes() -> None:
    found = simulated(rising(0.1, 0.4, 1.5, 9.5), rising(0.3, 0.9, 3.0, 9.5), 1000)
    assert (found.verdict, found.words, found.estimate, found.gap) == ("always", "always", None, None)
    assert found.meeting is not None
    assert found.meeting.place.censored == "below"
    assert (found.meeting.place.low, found.meeting.every) == (None, 1.0)


def test_a_method_behind_everywhere_crosses_nowhere() -> None:
    found = simulated(rising(0.1, 0.9, 3.0, 9.5), rising(0.05, 0.5, 1.5, 9.5), 1000)
    assert (found.verdict, found.estimate) == ("none", None)
    assert found.meeting is not None
    assert found.meeting.place.censored == "above"
    assert found.meeting.place.high is None
    assert found.meeting.none > 0.95


def test_too_few_items_leave_it_unresolved_rather_than_none() -> None:
    assert simulated(rising(0.1, 0.9, 3.0, 9.5), rising(0.05, 0.5, 1.5, 9.5), 40).verdict == "unresolved"


def test_two_methods_at_chance_below_some_size_have_no_lower_end() -> None:
    found = simulated(rising(0.25, 0.2501, 1.0, 10.0), rising(0.25, 0.8, 6.0, 10.0), 100)
    assert found.verdict == "from"
    assert found.meeting is not None
    assert found.meeting.place.low is None
    assert found.meeting.place.high is not None
    assert "[unbounded to" in found.words
    assert found.json()["interval"] == [None, found.meeting.place.high]


def test_the_same_curve_twice_is_not_bounded_at_both_ends() -> None:
    same = rising(0.1, 0.9, 3.0, 9.5)
    found = simulated(same, same, 1000)
    assert found.verdict in ("unresolved", "none")
    assert found.meeting is not None
    assert found.meeting.place.low is None or found.meeting.place.high is None


@pytest.mark.parametrize("right", [[10, 30, 90, 150, 180], [0, 0, 0, 0, 0]])
def test_where_no_size_is_excluded_no_meeting_is_named(right: list[int]) -> None:
    x, same = np.arange(6.0, 11.0), Counts(np.array([right], dtype=float), np.full((1, 5), 200.0), np.zeros(1))
    assert meet(same, same, x, replicates=0).place == Place()  # the middle of the sizes would be a number of nothing
    ahead = Counts(np.array([[0, 20, 100, 190, 195]], dtype=float), np.full((1, 5), 200.0), np.zeros(1))
    level = Counts(np.full((1, 5), 100.0), np.full((1, 5), 200.0), np.zeros(1))
    assert meet(level, ahead, x, replicates=0).place.estimate == pytest.approx(1e8, rel=0.3)


def test_intervals_over_the_sizes_agree_with_holms_verdicts() -> None:
    found = simulated(SLOW, STEEP, 100)
    for one in found.differences:
        assert (one.standing == "above") == (one.interval[0] > 0 and one.p_holm <= 0.05)
        assert (one.standing == "below") == (one.interval[1] < 0 and one.p_holm <= 0.05)
        assert one.p <= one.p_holm <= 1
    ordered = sorted(found.differences, key=lambda one: one.p)
    assert all(a.p_holm <= b.p_holm for a, b in pairwise(ordered))


def test_scores_with_standard_errors_cross_as_well() -> None:
    def scored(name: str, values: np.ndarray) -> Curve:
        points = tuple(
            SizePoint(name, "f", f"m{i}", float(SIZES[i]), "logprob", score=float(v), stderr=0.05, continuous=True)
            for i, v in enumerate(values)
        )
        return Curve(name, "f", "logprob", "params", points)

    found = crossing(scored("a", -3 + 0.3 * (X - 8)), scored("b", -4 + 0.9 * (X - 8)))
    assert found.verdict == "from"
    assert found.gap == (3e9, 1e10)
    assert found.estimate is not None
    # -3 + 0.3 d = -4 + 0.9 d at d = 5 / 3
    assert math.log10(found.estimate) == pytest.approx(8 + 5 / 3, abs=0.15)


def test_a_size_with_two_models_is_won_when_both_win() -> None:
    wins = np.array([[False], [True], [True], [False], [True]])
    assert start_of_wins(wins, [[0], [1], [2], [3], [4]])[0] == 4
    assert start_of_wins(wins, [[0], [1, 2], [4]])[0] == 1
    assert start_of_wins(wins, [[0], [1, 3]])[0] == 2


def test_open_ends_are_printed_as_unbounded() -> None:
    assert interval_words(None, None) == "unbounded at both ends"
    assert interval_words(None, 5.5e9) == "unbounded to 5.5 B"
    assert interval_words(2.9e9, None) == "2.9 B to unbounded"


def test_below_four_sizes_there_is_no_curve_but_a_verdict() -> None:
    rng = np.random.default_rng(0)
    a, b = counted("a", np.full(8, 0.2), 500, rng), counted("b", np.full(8, 0.6), 500, rng)
    short = [Curve(one.curve, one.family, one.metric, one.scale, one.points[:3]) for one in (a, b)]
    found = crossing(*short)
    assert (found.verdict, found.meeting, found.estimate) == ("always", None, None)
    assert found.notes == ("3 sizes: curves are fitted from 4 on",)


def test_what_cannot_be_compared_is_refused() -> None:
    rng = np.random.default_rng(0)
    a = counted("a", np.full(8, 0.2), 50, rng)
    points = tuple(SizePoint("b", "f", f"other {i}", 1e9, "accuracy", n=9, correct=1) for i in range(2))
    other = Curve("b", "f", "accuracy", "params", points)
    with pytest.raises(InputError, match=r"^crossing: a and b have no model in common$"):
        crossing(a, other)
    with pytest.raises(InputError, match=r"^crossing: a is measured in params, a in flops$"):
        crossing(a, Curve("a", "f", "accuracy", "flops", a.points))


@pytest.fixture(scope="module")
def published() -> dict[str, Crossing]:
    figures = shared("data", "scaling", "method_crossover_bbh_gsm8k.csv")
    table = pl.read_csv(figures).filter(pl.col("task").str.starts_with("bbh_") & pl.col("score").is_not_null())
    means = table.group_by("family", "model", "size_b", "method").agg(
        pl.col("n_nominal").sum().alias("n"), pl.col("score").mean()
    )
    found = {}
    for family in ("GPT-Neo/J", "OPT", "Pythia", "Llama"):
        curves = []
        for method in ("direct", "cot"):
            rows = means.filter((pl.col("family") == family) & (pl.col("method") == method)).sort("size_b").to_dicts()
            points = tuple(
                SizePoint(
                    method, family, row["model"], row["size_b"] * 1e9, "accuracy",
                    n=row["n"], correct=round(row["score"] * row["n"]),
                )
                for row in rows
            )  # fmt: skip
            curves.append(Curve(method, family, "accuracy", "params", points))
        found[family] = crossing(*curves, replicates=0)
    return found


def test_chain_of_thought_on_bbh_by_family(published: dict[str, Crossing]) -> None:
    neo, opt, pythia, llama = published.values()
    assert neo.verdict == "from"
    assert neo.estimate is not None
    assert 2.7e9 < neo.estimate < 6.05e9
    assert opt.verdict == "from"
    assert opt.meeting is not None
    # between 13 B and 30 B the sign changes; below, the two are level, so the interval has no lower end; sizes scatter,
    # which makes it reach beyond 30 B
    assert opt.meeting.place.low is None
    assert opt.meeting.place.high is not None
    assert 1.3e10 < opt.meeting.place.high < 6.6e10
    assert pythia.verdict == "none"
    assert llama.meeting is not None
    assert llama.meeting.place.censored == "below"
    assert llama.differences[0].standing == "above"
