"""Thinking that a server sets apart from the text: read as thinking, counted, kept, and no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from served import Served

from onset.errors import ModelError
from onset.models import open_model
from onset.models.scripted import ScriptedModel
from onset.models.servers.dialect import completions, read_reply
from onset.records import EndRule, Request, Thinking
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study

RULE = Thinking("<think>", "</think>", 40)
ANSWERED = "<think>It was heads.\n\nThe answer is heads. No, it is flipped.</think> The answer is tails. Or so."


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served(ScriptedModel({"flips": ANSWERED}, default="<think>Hm hm hm")).start()
    yield one
    one.server.clear()
    one.server.stop()


def outputs(served: Served, folder: Path, method: Any, **changes: Any) -> list[dict[str, Any]]:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": served.spec, "label": "far"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": [method],
        "labels": [0],
        "seeds": 1,
        "items": 3,
        "continuous": False,
    }
    run(make_study(**{**values, **changes}), folder)
    return load(folder).records.select(pl.exclude("cell")).to_dicts()


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize("forced", [True, False])
def test_the_method_thinking_reads_what_is_set_apart_as_if_it_stood_in_the_text(
    served: Served, tmp_path: Path, key: str, details: bool, forced: bool
) -> None:
    method = {"prompt": {"kind": "thinking", "budget": 60, "forced": forced}}
    inside = outputs(served, tmp_path / "inside", method)
    served.apart, served.details = key, details
    apart = outputs(served, tmp_path / "apart", method)
    assert inside == apart
    assert {one["answer"] for one in inside} == {"tails"}
    assert {one["status"] for one in inside} == {"ok"}
    assert [one["thinking"] for one in inside] == [[11]] * 3  # its words
    assert all(one["lengths"][0] > 11 for one in inside)


@pytest.mark.parametrize("apart", ["", "reasoning_content"])
def test_thinking_that_does_not_end_is_out_of_budget(served: Served, tmp_path: Path, apart: str) -> None:
    served.apart = apart
    served.model = ScriptedModel({}, default="<think>" + "hm " * 300)
    found = outputs(served, tmp_path, {"prompt": {"kind": "thinking", "budget": 20}})
    assert {one["status"] for one in found} == {"out of budget"}
    assert all(one["thinking"] == one["lengths"] for one in found)
    assert all(one["outputs"][0].startswith("<think>hm hm") for one in found)


def test_other_methods_keep_it_beside_the_output_and_count_its_tokens(served: Served, tmp_path: Path) -> None:
    served.apart = "reasoning_content"
    found = outputs(served, tmp_path, "cot")
    thought = ANSWERED.removeprefix("<think>").partition("</think>")[0]
    assert {one["answer"] for one in found} == {"tails"}
    assert [one["outputs"] for one in found] == [[" The answer is tails."]] * 3
    assert [json.loads(one["detail"])["thought"] for one in found] == [[thought]] * 3
    assert [one["output_tokens"] for one in found] == [len(ANSWERED.split()) + 1] * 3
    assert all(0 < one["thinking"][0] < one["lengths"][0] for one in found)


def test_a_second_call_is_asked_without_it(served: Served, tmp_path: Path) -> None:
    served.apart = "reasoning"
    (one, *_) = outputs(served, tmp_path, "zero-shot-cot")
    assert "It was heads" not in one["outputs"][0]
    assert all("It was heads" not in json.dumps(body) for body in served.texts())
    assert json.loads(one["detail"])["thought"][0].count("It was heads") == 2  # of both calls


@pytest.mark.parametrize("needs", [100, 1000])
def test_a_server_that_thinks_first_is_seen_to_draw_where_it_can_be_seen(served: Served, needs: int) -> None:
    served.apart = "reasoning"
    drawn = served._complete

    def thinks(body: Any, prompt: str, *, chat: bool) -> Any:
        found = drawn(body, prompt, chat=chat)
        row = json.loads(found.get_data())
        if "dog" in json.dumps(row) and body["max_tokens"] < needs:
            row["choices"][0]["message"]["content"] = None
            found.set_data(json.dumps(row))
        return found

    served._complete = thinks  # type: ignore[method-assign]
    model = open_model(served.spec)
    prompt = model.chat([("user", "flips")])  # type: ignore[attr-defined]
    asked = Request(prompt, 60, n=2, temperature=0.7, templated=True)
    if needs > 256:
        with pytest.raises(ModelError, match="256 tokens show no text of 3 requests"):
            model.generate([asked])
    else:
        assert [len(found) for found in model.generate([asked])] == [2]


def reply(rows: list[dict[str, Any]], **usage: Any) -> dict[str, Any]:
    return {
        "choices": [{"index": place, "finish_reason": "stop", **row} for place, row in enumerate(rows)],
        "usage": usage,
    }


def test_thinking_tokens_that_are_told_are_shared_out_by_how_much_each_text_thought() -> None:
    rows = [{"message": {"content": "7", "reasoning": "x" * size}} for size in (30, 10, 0)]
    usage = {"completion_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 80}}
    asked = Request("p", 200, n=3, temperature=1.0, templated=True)
    done = completions([read_reply(reply(rows, **usage), asked, "u")], 3)
    assert [one.thinking for one in done] == [60, 20, None]
    assert sum(one.tokens or 0 for one in done) == 100
    assert [one.thought for one in done] == ["x" * 30, "x" * 10, ""]
    hidden = [{"message": {"content": "7"}}]
    (one,) = completions([read_reply(reply(hidden, **usage), Request("p", 200, templated=True), "u")], 1)
    assert (one.text, one.thinking, one.tokens, one.thought) == ("7", 80, 100, "")


def test_a_logprob_is_that_of_all_tokens_or_unknown() -> None:
    words = ["<think>", "Hm.", "</think>", " It", " is", " 7.", " Or", " 8."]
    told = {"content": [{"token": word, "logprob": -1.0} for word in words]}
    message = {"reasoning_content": "Hm.", "content": " It is 7. Or 8."}
    rule = EndRule("It is")
    for thinking in (None, RULE):
        asked = Request("p", 99, until=rule, templated=True, thinking=thinking)
        (whole,) = completions([read_reply(reply([{"message": message, "logprobs": told}]), asked, "u")], 1)
        assert whole.text == ("" if thinking is None else "<think>Hm.</think>") + " It is 7."
        assert (whole.logprob, whole.tokens) == (-7.0, 8)  # with the token that showed the end
        alone = {"content": told["content"][3:]}
        (part,) = completions([read_reply(reply([{"message": message, "logprobs": alone}]), asked, "u")], 1)
        assert (part.logprob, part.tokens) == (None, None)
