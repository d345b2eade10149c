"""What is said of break-even queries where tuning is cheaper at once."""

from __future__ import annotations

import pytest

from onset.analysis.estimates.break_evens import BreakEven
from onset.analysis.questions.cost import _line, _sentence
from onset.analysis.questions.say import Say

PAIR = BreakEven("m", "base", 8, "t", "none", "lora", "cot", 0.0)


def test_tuning_that_takes_less_than_finding_the_prompt_pays_from_the_first_query_on() -> None:
    said = _sentence(PAIR, Say("en"))
    assert "lora is cheaper than cot from the first query on: finding the prompt took more" in said
    assert "about 0" not in said
    assert _line(PAIR) == "cost.pays.first"


@pytest.mark.parametrize(
    ("reused", "words"), [(0.0, "from the first on"), (12.0, "from about 12 on"), (None, "it never is")]
)
def test_with_beginnings_kept_too(reused: float | None, words: str) -> None:
    one = BreakEven("m", "base", 8, "t", "none", "lora", "cot", 5.0, None, reused, True)
    assert f"where what the prompts begin with is kept between queries, {words}" in _sentence(one, Say("en")).lower()
    assert "queries" not in _sentence(one, Say("zh"))
    assert _line(one) == "cost.pays"
