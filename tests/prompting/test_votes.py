"""Votes against arithmetic done by hand, and the presets of the papers."""

from __future__ import annotations

import math

import pytest

from onset.errors import MethodError, StudyError
from onset.methods import METHODS, method, read_vote
from onset.records import Answer, Item
from onset.votes.base import Sample, Vote
from onset.votes.complexity import Complexity
from onset.votes.verifier import Verifier
from onset.votes.weighted import Weighted

ITEM = Item("How many?", "18")


def sample(value: str | None, logprob: float | None = -1.0, tokens: int = 4, text: str = "") -> Sample:
    answer = Answer(value, "ok") if value is not None else Answer(None, "none")
    return Sample(text, answer, logprob, tokens)


EXAMPLE = [sample("18", -3.0, 3), sample("18", -6.0, 3), sample("26", -1.0, 2), sample(None, -0.1, 9)]


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({}, {"18": math.exp(-1) + math.exp(-2), "26": math.exp(-0.5)}),
        ({"combine": "mean"}, {"18": (math.exp(-1) + math.exp(-2)) / 2, "26": math.exp(-0.5)}),
        ({"normalised": False}, {"18": math.exp(-3) + math.exp(-6), "26": math.exp(-1)}),
        ({"normalised": False, "combine": "mean"}, {"18": (math.exp(-3) + math.exp(-6)) / 2, "26": math.exp(-1)}),
    ],
)
def test_weights_are_the_probabilities_of_samples(settings: dict[str, object], weights: dict[str, float]) -> None:
    voted = Weighted(samples=4, **settings).choose(EXAMPLE, ITEM)
    assert voted.answer == Answer("26", "ok")  # the majority says 18
    assert voted.detail["weights"] == pytest.approx({key: one / sum(weights.values()) for key, one in weights.items()})


def test_weights_of_very_long_samples_do_not_vanish() -> None:
    long = [sample("18", -5000.0, 900), sample("26", -5001.0, 900), sample("26", -5001.0, 900)]
    voted = Weighted(samples=3, normalised=False).choose(long, ITEM)
    assert voted.answer == Answer("18", "ok")
    assert voted.detail["weights"]["18"] == pytest.approx(1 / (1 + 2 * math.exp(-1)))
    assert Weighted(samples=3).choose(long, ITEM).answer == Answer("26", "ok")


def test_equal_weights_go_to_the_first_and_nothing_found_is_counted() -> None:
    assert Weighted(samples=2).choose([sample("26"), sample("18")], ITEM).answer == Answer("26", "ok")
    nothing = [
        sample(None),
        Sample("", Answer(None, "truncated"), None, 0),
        Sample("", Answer(None, "truncated"), None, 0),
    ]
    assert Weighted(samples=3).choose(nothing, ITEM).answer == Answer(None, "truncated")


def test_a_sample_of_unknown_probability_cannot_be_weighed() -> None:
    with pytest.raises(MethodError) as caught:
        Weighted(samples=3).choose([sample("18"), sample("18", None), sample(None, None)], ITEM)
    assert str(caught.value) == (
        "vote 'weighted': 1 of 2 samples with an answer have no log-probability; this model gives none: use 'majority'"
    )


CHAINS = [
    sample("18", text=" One.\nTwo.\nThe answer is 18."),
    sample("26", text=" One. Two.\nThe answer is 26."),
    sample("26", text=" One.\n\n  \nThe answer is 26."),
    sample("26", text=" The answer is 26."),
    sample(None, text=" One. Two. Three. Four. Five. Six"),
]


@pytest.mark.parametrize(
    ("settings", "value", "detail"),
    [
        ({"keep": 1}, "18", {"kept": 1, "bound": 3, "answered": 1}),
        ({"keep": 2}, "26", {"kept": 3, "bound": 2, "answered": 3}),  # both of rank 2
        ({"keep": 3}, "26", {"kept": 3, "bound": 2, "answered": 3}),
        ({"keep": 5}, "26", {"kept": 5, "bound": 1, "answered": 4}),  # self-consistency
        ({"keep": 1, "simplest": True}, "26", {"kept": 2, "bound": 1, "answered": 1}),
        ({"keep": 1, "by": "sentences"}, None, {"kept": 1, "bound": 6, "answered": 0}),
        ({"keep": 2, "by": "sentences"}, "18", {"kept": 3, "bound": 3, "answered": 2}),
    ],
)
def test_the_most_complex_vote(settings: dict[str, int], value: str | None, detail: dict[str, int]) -> None:
    voted = Complexity(samples=5, **settings).choose(CHAINS, ITEM)
    assert (voted.answer.value, dict(voted.detail)) == (value, detail)
    assert voted.answer.status == ("ok" if value else "none")


def scored(value: str | None, score: float | None) -> Sample:
    answer = Answer(value, "ok") if value is not None else Answer(None, "none")
    return Sample("", answer, -1.0, 4, score)


SCORED = [
    scored("26", 0.8),
    scored("18", 0.9),
    scored("26", 0.7),
    scored(None, 1.1),
    scored("18", 0.1),
    scored("7", None),
]


@pytest.mark.parametrize(
    ("settings", "value", "ranked", "answered"),
    [
        ({}, None, [3], 0),  # the best has no answer, and keeps its place
        ({"keep": 2}, "18", [3, 1], 1),
        ({"keep": 3}, "18", [3, 1, 0], 2),  # one each: that of the better one
        ({"keep": 4}, "26", [3, 1, 0, 2], 3),
        ({"keep": 5}, "18", [3, 1, 0, 2, 4], 4),  # two each
        ({"keep": 5, "weighted": True}, "26", [3, 1, 0, 2, 4], 4),  # 1.5 against 1.0
        ({"keep": 6}, "18", [3, 1, 0, 2, 4, 5], 5),  # no score ranks last
    ],
)
def test_the_vote_among_those_that_a_verifier_ranks_highest(
    settings: dict[str, object], value: str | None, ranked: list[int], answered: int
) -> None:
    voted = Verifier(samples=6, **settings).choose(SCORED, ITEM)
    assert (voted.answer.value, dict(voted.detail)) == (value, {"ranked": ranked, "answered": answered})
    assert voted.answer.status == ("ok" if value else "none")


def test_equal_scores_go_to_the_sample_drawn_first() -> None:
    same = [scored("26", 0.5), scored("18", 0.5)]
    assert Verifier(samples=2).choose(same, ITEM).answer == Answer("26", "ok")
    assert Verifier(samples=2).choose(same[::-1], ITEM).answer == Answer("18", "ok")
    assert Verifier(samples=2, keep=2, weighted=True).choose([scored("26", -3.0), scored("18", 0.1)], ITEM).answer == (
        Answer("18", "ok")
    )


def test_verifiers_that_learn_alike_are_one_whatever_is_voted() -> None:
    one = Verifier(samples=4, solutions=9)
    assert one.learning() == Verifier(samples=8, keep=3, weighted=True, solutions=9).learning()
    for other in (
        {"temperature": 1.0},
        {"top_k": 5},
        {"epochs": 2},
        {"joint": False},
        {"rate": 1e-3},
        {"solutions": 8},
    ):
        assert one.learning() != Verifier(**{"samples": 4, "solutions": 9, **other}).learning()
    assert method(tune="lora", on="rationales", epochs=2, vote=one).name == (
        "lora-rationales-epochs2-verifier4-solutions9"
    )


def test_no_more_can_be_kept_than_are_drawn() -> None:
    for settings, message in [
        ({"keep": 6}, "'keep' 6 is more than 'samples' 5"),
        ({"keep": 0}, "'keep': Input should be greater than or equal to 1 (received 0)"),
        ({}, "'keep' is missing"),
    ]:
        with pytest.raises(StudyError) as caught:
            read_vote({"kind": "complexity", "samples": 5, **settings})
        assert str(caught.value) == f"method: 'vote', complexity: {message}"


def test_votes_of_one_bank_share_it_and_have_specs_of_their_own() -> None:
    votes = [read_vote(one) for one in (5, {"kind": "weighted", "samples": 5, "combine": "mean"})]
    assert [one.bank() for one in votes if one] == [{"samples": 5, "temperature": 0.7}] * 2
    made = method(prompt="cot", vote={"kind": "weighted", "samples": 5, "top_k": 40})
    assert made.name == "cot-weighted5-topk40"
    assert made.spec()["vote"] == {"kind": "weighted", "samples": 5, "temperature": 0.7, "top_k": 40}


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("self-consistency", {"samples": 40, "temperature": 0.7}),
        ("self-consistency-palm", {"samples": 40, "temperature": 0.7, "top_k": 40}),
        ("self-consistency-lamda", {"samples": 40, "temperature": 0.5, "top_k": 40}),
        ("complexity-vote", {"samples": 50, "temperature": 0.7}),
        ("complexity-based", {"samples": 50, "temperature": 0.7}),
        ("minerva", {"samples": 64, "temperature": 0.6, "top_p": 0.95}),
    ],
)
def test_presets_draw_as_their_papers(name: str, drawn: dict[str, float]) -> None:
    vote: Vote = METHODS.load(name).vote
    assert vote.bank() == drawn


def test_complexity_based_is_its_vote_after_the_eight_most_complex_examples() -> None:
    preset = METHODS.load("complexity-based")
    assert preset.vote.keep == 40
    assert preset.vote == METHODS.load("complexity-vote").vote
    assert (preset.spec()["choose"], preset.spec()["shots"]) == ("complex", 8)
