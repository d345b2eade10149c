"""Scores against scipy and statsmodels, and the rules of the vote."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from onset.records import Answer, Status
from onset.scores import exact_match, normalised_choice_probability, vote, wilson

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # statsmodels' own imports
    from statsmodels.stats.proportion import proportion_confint


def ok(value: str) -> Answer:
    return Answer(value, "ok")


def lost(status: Status) -> Answer:
    return Answer(None, status)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(ok("18"), True), (ok("1"), False), (lost("none"), False), (lost("truncated"), False), (lost("ambiguous"), False)],
)
def test_exact_match(answer: Answer, expected: bool) -> None:
    assert exact_match(answer, "18") is expected


@settings(deadline=None)
@given(st.lists(st.floats(-900, 0), min_size=1, max_size=8), st.data())
def test_choice_probability_is_scipys_softmax(logprobs: list[float], data: st.DataObject) -> None:
    gold = data.draw(st.integers(0, len(logprobs) - 1))
    assert normalised_choice_probability(gold, logprobs) == pytest.approx(softmax(logprobs)[gold], rel=1e-9, abs=1e-300)


def test_choice_probability_is_missing_when_a_choice_is() -> None:
    assert normalised_choice_probability(0, [-1.0, None]) is None
    assert normalised_choice_probability(0, [-math.inf, -math.inf]) is None
    assert normalised_choice_probability(0, [-math.inf, -3.0]) == 0.0
    with pytest.raises(ValueError, match=r"^gold_index 2 with 2 choices$"):
        normalised_choice_probability(2, [-1.0, -2.0])


@pytest.mark.parametrize(
    ("answers", "logprobs", "expected"),
    [
        ([ok("18"), ok("17"), ok("18")], None, ok("18")),
        # five samples without an answer do not outvote four with one (the harness elects "[invalid]" here)
        ([lost("none")] * 5 + [ok("18")] * 4 + [ok("17")] * 3, None, ok("18")),
        # the majority is of samples, not of probability
        ([ok("17"), ok("18"), ok("18")], [-0.1, -9.0, -9.0], ok("18")),
        # ties: summed log-probability, whatever the order
        ([ok("17"), ok("18"), ok("18"), ok("17")], [-1.0, -2.0, -2.0, -9.0], ok("18")),
        # a sample without an answer has no part in the sums
        ([ok("17"), lost("none"), ok("18")], [-5.0, None, -4.0], ok("18")),
        # ties that log-probabilities cannot break: the earliest sample
        ([ok("17"), ok("18")], None, ok("17")),
        ([ok("17"), ok("18")], [-2.0, -2.0], ok("17")),
        ([ok("17"), ok("18")], [-2.0, None], ok("17")),
        # nothing found
        ([lost("none"), lost("truncated"), lost("truncated")], None, lost("truncated")),
        ([lost("ambiguous"), lost("none")], [-1.0, -0.5], lost("ambiguous")),
    ],
)
def test_vote(answers: list[Answer], logprobs: list[float | None] | None, expected: Answer) -> None:
    assert vote(answers, logprobs) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=12))
def test_the_vote_is_the_mode_that_was_sampled_first(values: list[str | None]) -> None:
    answers = [lost("none") if value is None else ok(value) for value in values]
    winner = vote(answers, None).value
    known = [value for value in values if value is not None]
    if not known:
        assert winner is None
        return
    most = max(known.count(value) for value in known)
    modes = [value for value in known if known.count(value) == most]
    assert winner == modes[0]


def test_vote_refuses_nothing_and_lengths_that_differ() -> None:
    with pytest.raises(ValueError, match=r"^no answers to vote on$"):
        vote([], None)
    with pytest.raises(ValueError, match=r"^2 answers with 1 log-probabilities$"):
        vote([ok("1"), ok("2")], [-1.0])


@pytest.mark.parametrize("confidence", [0.95, 0.9])
@pytest.mark.parametrize(("correct", "n"), [(0, 1), (1, 1), (0, 200), (200, 200), (3, 17), (660, 1319), (1, 10**6)])
def test_wilson_is_statsmodels(correct: int, n: int, confidence: float) -> None:
    expected = proportion_confint(correct, n, alpha=1 - confidence, method="wilson")
    np.testing.assert_allclose(wilson(correct, n, confidence), expected, rtol=1e-10, atol=1e-12)


def test_wilson_ends_are_exact() -> None:
    assert wilson(0, 30)[0] == 0.0
    assert wilson(30, 30)[1] == 1.0


@pytest.mark.parametrize(("correct", "n", "confidence"), [(0, 0, 0.95), (5, 4, 0.95), (-1, 4, 0.95), (1, 4, 1.0)])
def test_wilson_of_nothing_is_refused(correct: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=rf"^wilson needs .*; got {correct}, {n}, {confidence}$"):
        wilson(correct, n, confidence)
