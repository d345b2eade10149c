"""Which findings are shown: warnings always, then each question's first, in the order of reading."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from onset.analysis import Analysis
from onset.analysis.finding import ALWAYS, Finding, deal
from onset.analysis.questions.base import Question, tones


def finding(name: str, rank: float) -> Finding:
    return Finding("k", name, "v", None, None, None, None, "open", "count", None, rank, {}, {})


def names(findings: Iterable[Finding]) -> list[str]:
    return [one.subject for one in findings]


def test_the_lowest_ranks_are_dealt_and_read_in_the_order_given() -> None:
    asked = [finding("a", 0), finding("a2", 1), finding("b", 0), finding("b2", 1), finding("w", ALWAYS)]
    assert names(deal(asked, 5)) == ["a", "a2", "b", "b2", "w"]
    assert names(deal(asked, 4)) == ["a", "a2", "b", "w"]
    assert names(deal(asked, 2)) == ["a", "w"]
    assert names(deal([], 2)) == []


def test_warnings_are_never_left_out() -> None:
    assert names(deal([finding("a", 0), *(finding(name, ALWAYS) for name in "xyz")], 2)) == ["x", "y", "z"]


SHORT = {"en": "It is so", "zh": "如此"}


class Asked(Question):
    """Says whatever it is told to."""

    kind = "asked"
    unit = "points"
    figure = "size"
    verdicts = tones({"yes": "for", "unclear": "open"})
    wait = 1
    about_size = True

    def __init__(self, *verdicts: str) -> None:
        self.said = verdicts

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        return [self.finding("s", verdict, lambda _: "It is so.", SHORT, estimate=0.1) for verdict in self.said]


def test_what_is_left_open_about_size_waits_a_round_more(nothing: Analysis) -> None:
    found = Asked("yes", "yes", "unclear").ask(nothing)
    assert [one.rank for one in found] == [1, 2, 4]
    assert {(one.kind, one.unit, one.figure) for one in found} == {("asked", "points", "size")}
    assert [one.tone for one in found] == ["for", "for", "open"]


def test_a_verdict_that_is_not_declared_is_an_error(nothing: Analysis) -> None:
    with pytest.raises(ValueError, match=r'^the question "asked" declares no verdict "maybe", but yes, unclear$'):
        Asked("maybe").ask(nothing)


@pytest.fixture
def nothing() -> Analysis:
    return Analysis(**dict.fromkeys(Analysis.__dataclass_fields__, ()))  # type: ignore[arg-type]
