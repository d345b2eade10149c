"""Tokens as servers spell them, laid on the text that they are of; and turns written as one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onset.errors import ModelError
from onset.models.servers.spelled import Token, ending
from onset.models.servers.template import server_chat

TEXTS = st.text(alphabet="ab é漢 .\n", min_size=1, max_size=30)


@given(TEXTS, st.data())
def test_the_tokens_that_end_behind_a_place_are_counted_and_summed(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=8)) & set(range(1, len(text))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    tokens = [Token(piece, -float(place + 1)) for place, piece in enumerate(pieces)]
    start = data.draw(st.integers(0, len(text)))
    ends = [*cuts, len(text)]
    wanted = [-float(place + 1) for place, end in enumerate(ends) if end > start]
    behind = [Token("more", -9.0)] if data.draw(st.booleans()) else []
    before = [Token("<s>", None)] if data.draw(st.booleans()) else []
    total, count, held = ending([*before, *tokens, *behind], text, start)
    assert (total, count, held) == (sum(wanted), len(wanted), len(ends) - len(wanted) + len(before))


def test_a_character_in_several_tokens_and_a_space_that_is_left_out_are_found() -> None:
    tokens = [Token("It", None), Token("costs", -1.0), Token("\ufffd", -2.0), Token("\ufffd", -3.0), Token("5", -4.0)]
    assert ending(tokens, "It costs €5", len("It costs")) == (-9.0, 3, 2)
    named = [Token("It", None), Token(" costs ", -1.0), Token("bytes:\\xe2", -2.0), Token("5", -4.0)]
    assert ending(named, "It costs €5", len("It costs €")) == (-4.0, 1, 3)
    unsaid = [Token("", None), Token(" costs", -1.0), Token(" 5", -4.0)]
    assert ending(unsaid, "Everything costs 5", len("Everything")) == (-5.0, 2, 1)


@pytest.mark.parametrize("spelled", ["It cost", "It costs 6", "Nothing of it"])
def test_tokens_of_another_text_are_refused(spelled: str) -> None:
    with pytest.raises(ModelError, match="do not spell the text"):
        ending([Token(one, -1.0) for one in spelled.split()], "It costs 5", 2)


def test_a_token_without_a_number_is_refused() -> None:
    with pytest.raises(ModelError, match="gives a token no log-probability"):
        ending([Token("a", -1.0), Token("b", None)], "ab", 1)


ROLES = st.sampled_from(["user", "assistant"])
CONTENTS = st.text(alphabet="ab⟦⟧\n user", max_size=20)


@given(st.lists(st.tuples(ROLES, CONTENTS), min_size=1, max_size=5))
def test_turns_that_are_written_are_read_again(turns: list[tuple[str, str]]) -> None:
    chat = server_chat("m")
    assert chat.turns(chat(turns)) == (tuple(turns), "")  # type: ignore[arg-type]
    assert chat.turns(f"{chat(turns)}The answer is") == (tuple(turns), "The answer is")  # type: ignore[arg-type]
