"""What is read from a server's reply: texts, why they ended, their tokens and their log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from served import Served

from onset.errors import RequestRefused
from onset.models.endings import Endings
from onset.models.endings import Text as Growing
from onset.models.rows import Row
from onset.models.scripted import ScriptedModel
from onset.models.servers.dialect import completions, read_reply
from onset.pipeline import as_record
from onset.prompting.base import joined, taken
from onset.records import Answer, Completion, EndRule, Item, Request, Thinking
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.votes.weighted import Weighted

RULE = EndRule("The answer is", turns=("Question", "Q"))
WORDS = [" The", " answer", " is", " 18", ".", "\n", " Ray", "Question", ":", " So", "</think>", "\n\n"]
LOGPROBS = [-0.1, -0.2, -0.3, -0.4, -0.5, -2.0, -0.7, -3.0, -1.0, -0.9, -0.6, -1.5]


def reply(tokens: Sequence[str], values: Sequence[float], finish: Any = "stop", **more: Any) -> dict[str, Any]:
    told = {"tokens": list(tokens), "token_logprobs": list(values)}
    row = {"index": 0, "text": "".join(tokens), "finish_reason": finish, "logprobs": told, **more}
    return {"choices": [row], "usage": {"prompt_tokens": 1, "completion_tokens": len(tokens)}}


@pytest.mark.parametrize(
    ("stop", "until", "ids", "most"),
    [
        (("\n\n",), None, [0, 1, 2, 3, 5, 5, 6, 6], 6),  # a stop string of two tokens
        (("\n\n",), None, [9, 11, 6, 6], 2),  # of one
        ((), RULE, [0, 1, 2, 3, 4, 6, 6, 6], 6),  # the space after the sentence
        ((), RULE, [0, 1, 2, 3, 4, 7, 8, 6, 6], 7),  # the mark of a turn, of two tokens
        ((), RULE, [9, 9, 6], 3),  # none
        (("Question:",), RULE, [9, 7, 8, 0, 1, 2], 3),
    ],
)
@pytest.mark.parametrize("thinks", [False, True])
def test_a_logprob_is_that_of_the_tokens_that_a_model_here_would_have_sampled(
    stop: tuple[str, ...], until: EndRule | None, ids: list[int], most: int, thinks: bool
) -> None:
    if not thinks:

        def decode(ids: Sequence[int], skip_special_tokens: bool = True) -> str:
            return "".join(WORDS[one] for one in ids)

        row = Row((9,), len(ids), stop, 0.0, 0, 0, until)
        here = Growing(row, Endings(decode, frozenset(), stop, len(WORDS), until=until))
        for one in ids:
            here.push(one, LOGPROBS[one])
            if here.finish:
                break
        assert here.sample().tokens == most
    before = [9, 4, 5, 10] if thinks else []
    asked = Request(
        "P", 20, stop=stop, until=until, thinking=Thinking("", "</think>", 9, inside=True) if thinks else None
    )
    every = before + ids
    told = reply([WORDS[one] for one in every], [LOGPROBS[one] for one in every])
    (done,) = completions([read_reply(told, asked, "u")], 1)
    assert done.logprob == pytest.approx(sum(LOGPROBS[one] for one in before + ids[:most]))
    assert (done.tokens, done.length) == (len(every), len(before) + most)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "eos"),
        ("eos_token", "eos"),
        ("tool_calls", "eos"),
        ("function_call", "eos"),
        (None, "eos"),
        ("", "eos"),
        ("length", "length"),
        ("model_length", "length"),
    ],
)
def test_a_text_that_came_to_an_end_or_to_its_limit_is_an_answer(reason: str | None, finish: str) -> None:
    (done,) = completions([read_reply(reply([" So"], [-1.0], reason), Request("P", 9), "u")], 1)
    assert (done.text, done.finish) == (" So", finish)


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource", ["stop"], "x" * 50 + "\n"])
@pytest.mark.parametrize("templated", [True, False])
def test_a_text_that_the_server_broke_off_is_none(reason: Any, templated: bool) -> None:
    told = reply([" So"], [-1.0], reason, message={"content": " So", "reasoning": "Hm."})
    with pytest.raises(RequestRefused) as caught:
        read_reply(told, Request("P", 9, templated=templated), "u")
    assert str(caught.value) == f"the server broke the text off (finish_reason {str(reason)[:40]!r})"
    with pytest.raises(RequestRefused, match=r"^the server's content filter withheld the text$"):
        read_reply(reply([" So"], [-1.0], "content_filter"), Request("P", 9), "u")


def test_tokens_that_the_server_cut_from_the_text_itself_are_summed() -> None:
    """It was sent the stop string: what it tells of tokens is all that it sampled."""
    told = reply([" So", "\n", "\n"], [-1.0, -2.0, -4.0], text=" So")
    (done,) = completions([read_reply(told, Request("P", 9, stop=("\n\n",)), "u")], 1)
    assert (done.text, done.logprob, done.tokens, done.summed) == (" So", -7.0, 3, None)


def sample(answer: str, value: float, *, rambles: bool) -> Completion:
    tokens = [" The", " answer", " is", f" {answer}", ".", "\n"] + [" Ray"] * 250 * rambles
    told = reply(tokens, [-0.1, -0.1, -0.1, value, -0.1, -0.1] + [-0.5] * 250 * rambles)
    return completions([read_reply(told, Request("P", 256, until=RULE), "u")], 1)[0]


def test_a_weighted_vote_does_not_count_what_a_server_wrote_behind_the_answer() -> None:
    """A weight is that of six tokens, whatever was billed; so it is where the samples are read again from records."""
    done = [sample("18", -0.1, rambles=False), sample("7", -6.0, rambles=False), sample("99", -9.0, rambles=True)]
    assert [one.tokens for one in done] == [6, 6, 256]
    assert [one.length for one in done] == [6, 6, 6]
    answers = [Answer(value, "ok") for value in ("18", "7", "99")]
    vote, item = Weighted(samples=3), Item("q", "18")
    shorter = [replace(one, tokens=one.length, summed=None) for one in done]
    assert taken(vote, done, answers, item) == taken(vote, shorter, answers, item)
    assert taken(vote, done, answers, item).detail["weights"]["99"] < 0.2


def test_records_keep_how_many_tokens_were_summed(tmp_path: Path) -> None:
    """A weighted vote that reads the samples of another cell weighs them as one that asked for them."""
    served = Served(ScriptedModel({"": " The answer is heads. And so on, and so on."})).start()

    def records(folder: str, *votes: str) -> list[dict[str, Any]]:
        study = make_study(
            name="s",
            models=[{"spec": served.spec, "label": "far"}],
            tasks=[{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
            methods=[{"prompt": "cot", "shots": 0, "vote": {"kind": kind, "samples": 2}} for kind in votes],
            labels=[0],
            seeds=1,
            items=2,
            continuous=False,
        )
        run(study, tmp_path / folder)
        cells = load(tmp_path / folder)
        wanted = cells.cells.filter(pl.col("method_spec").str.contains("weighted"))["cell"].item()
        return cells.records.filter(pl.col("cell") == wanted).to_dicts()

    try:
        asked, read = records("asked", "weighted"), records("read", "majority", "weighted")
    finally:
        served.server.clear()
        served.server.stop()
    assert read == asked
    for one in asked:
        assert all(0 < few < every for few, every in zip(one["summed"], one["lengths"], strict=True))
        assert as_record({key: value for key, value in one.items() if key != "cell"}).summed == tuple(one["summed"])


def test_a_text_of_two_calls_has_the_length_of_both() -> None:
    first, then = sample("18", -0.1, rambles=True), sample("7", -6.0, rambles=False)
    both = joined(first, first.text, then)
    assert (both.tokens, both.summed, both.length) == (262, 12, 12)
    both = joined(then, then.text, then)
    assert (both.tokens, both.summed, both.length) == (12, None, 12)
