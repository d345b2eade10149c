"""Batches: what is written, what is read, and that a study so asked is the study asked live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from batched import EXPIRED, serve, unanswered
from commands import call
from hypothesis import given
from hypothesis import strategies as st
from served import Served, raw, status

from onset.errors import CellsFailed, DataError, InputError, ModelError, OnsetError, StoreError, StudyError
from onset.models.scripted import ScriptedModel
from onset.models.servers.batch import MOST_REQUESTS, parcels, read_line, request_line
from onset.models.servers.kept import Wanted, name_of
from onset.results.read import load
from onset.study.batches import Round, read, write
from onset.study.grid import expand
from onset.study.runner import check_failed, run
from onset.study.spec import Study, make_study

REPLIES = {
    "heads": " The answer is heads.",
    "tails": [" It is tails.", " The answer is tails.", " The answer is heads."],
}


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served(ScriptedModel(REPLIES, default=" I cannot say.")).start()
    yield one
    one.server.clear()
    one.server.stop()


def study(served: Served, **changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": served.spec, "label": "far", "template": "plain", "context": 400}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only"],
        "labels": [0],
        "seeds": 1,
        "items": 6,
        "chunk": 3,
        "continuous": False,
        "item_error_budget": 1,
    }
    return make_study(**{**values, **changes})


def answer_all(asked: Study, root: Path, served: Served, most: int = 8, **how: Any) -> list[Round]:
    """Write, have answered and read until nothing is left to write; what each reading found."""
    found: list[Round] = []
    while True:
        written = write(asked, root / "b", root / "r", **how)
        if not written.files:
            return found
        assert len(found) < most
        serve(root / "b", served)
        found.append(read(asked, root / "b", root / "r"))


def assert_as_live(asked: Study, root: Path) -> None:
    """The results are those of a run, byte for byte but for the wall time, which is not known."""
    run(asked, root / "live")
    live = sorted((root / "live" / "cells").iterdir())
    assert [one.name for one in live] == sorted(one.name for one in (root / "r" / "cells").iterdir())
    for one in live:
        other = root / "r" / "cells" / one.name
        for name in ("records.parquet", "cell.json", "done.json"):
            assert (one / name).read_bytes() == (other / name).read_bytes(), name
        if (one / "prepared.json").exists():
            assert (one / "prepared.json").read_bytes() == (other / "prepared.json").read_bytes()
    assert load(root / "r").cells["seconds"].null_count() == len(live)
    assert load(root / "live").cells["seconds"].null_count() == 0


def rows(folder: Path) -> list[dict[str, Any]]:
    """The lines of all files in a folder."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def bodies(folder: Path) -> list[dict[str, Any]]:
    return [one["body"] for one in rows(folder / "requests")]


# ---- as if asked live --------------------------------------------------------------------------------------------


def test_a_study_in_batches_is_the_study_asked_live(served: Served, tmp_path: Path) -> None:
    methods = ["cot", "zero-shot-cot", {"prompt": "cot", "vote": {"samples": 3}}, {"prompt": "rank-classification"}]
    asked = study(served, methods=methods, labels=[0, 2], continuous=True)
    found = answer_all(asked, tmp_path, served)
    assert [one.done < one.cells for one in found] == [True, True, False]  # chains, their answers, gold's scores
    ended = found[-1]
    assert (ended.done, ended.waiting, ended.wanted, ended.under_way) == (ended.cells, 0, 0, 0)
    sent = [one["custom_id"] for one in rows(tmp_path / "b/requests")]
    assert len(sent) == len(set(sent))
    assert_as_live(asked, tmp_path)


def test_a_chat_in_batches_is_the_chat_asked_live(served: Served, tmp_path: Path) -> None:
    models = [{"spec": served.spec, "label": "far", "params": "7B"}]
    asked = study(served, models=models, methods=["zero-shot-cot", {"prompt": "answer-only", "vote": 2}])
    assert len(answer_all(asked, tmp_path, served)) == 2
    endpoints = {one["url"] for one in rows(tmp_path / "b/requests")}
    assert endpoints == {"/v1/chat/completions"}
    assert any(one.get("continue_final_message") for one in bodies(tmp_path / "b"))
    assert_as_live(asked, tmp_path)


def test_what_is_done_once_for_a_cell_waits_too(served: Served, tmp_path: Path) -> None:
    asked = study(
        served, methods=[{"prompt": {"kind": "rank-classification", "calibration": "contextual"}}], labels=[2]
    )
    found = answer_all(asked, tmp_path, served)
    assert [one.done for one in found] == [0, 0, 0, 1]  # three questions without content, one after another
    assert_as_live(asked, tmp_path)


@pytest.mark.parametrize("offline", [True, False])
def test_keys_that_a_server_refuses_are_left_out(served: Served, tmp_path: Path, offline: bool) -> None:
    served.refuses, served.n = ("logprobs", "max_tokens"), False
    asked = study(served, methods=[{"prompt": "cot", "vote": {"samples": 3}}])
    found = answer_all(asked, tmp_path, served, offline=offline)
    refused = [sum(file.refused for file in one.answers.files) for one in found]
    wasted = [one for one in bodies(tmp_path / "b") if "max_tokens" in one or "logprobs" in one]
    if offline:  # a refused key costs a round, which nobody bills
        assert (len(found), refused, len(wasted)) == (4, [9, 18, 18, 18], 18)
    else:  # one request was tried first
        assert (len(found), refused, wasted) == (2, [0, 0], [])
    assert found[-1].done == 1
    assert_as_live(asked, tmp_path)


def test_samples_of_a_server_without_seeds_are_asked_apart(served: Served, tmp_path: Path) -> None:
    served.refuses, served.n = ("seed",), False
    asked = study(served, methods=[{"prompt": "cot", "vote": {"samples": 3}}])
    answer_all(asked, tmp_path, served)
    assert not any("seed" in one for one in bodies(tmp_path / "b"))
    assert len(bodies(tmp_path / "b")) == 6 * 3 - 1  # and one that was tried first
    drawn = [set(one) for one in load(tmp_path / "r").records["outputs"].to_list()]
    assert max(map(len, drawn)) > 1


def test_a_live_run_goes_on_where_a_batch_stopped(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    late = expand(asked).items("coin-flip", "none")[4].question
    serve(tmp_path / "b", served, lambda row: EXPIRED if late in row["body"]["prompt"] else None)
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, found.waiting, found.wanted) == (0, 1, 1)
    before = len(served.texts())
    run(asked, tmp_path / "r")
    assert len(served.texts()) == before + 3  # the second chunk alone
    assert_as_live(asked, tmp_path)


def test_the_time_of_a_cell_is_known_where_none_of_its_answers_came_in_a_batch(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    run(asked, tmp_path / "r")
    assert load(tmp_path / "r").cells["seconds"].null_count() == 0


# ---- what comes back ---------------------------------------------------------------------------------------------


def test_a_refused_request_fails_its_item_as_it_does_live(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    bad = expand(asked).items("coin-flip", "none")[2].question
    served.when = lambda body: status(400, "I will not")(body) if bad in body.get("prompt", "") else None
    (found,) = answer_all(asked, tmp_path, served)
    assert sum(one.refused for one in found.answers.files) == 1
    failed = load(tmp_path / "r").records.filter(pl.col("status") == "failed")
    assert failed["cause"].to_list() == ["RequestRefused: the server refused it (400): I will not"]
    assert_as_live(asked, tmp_path)


def test_half_a_surrogate_pair_in_a_reply_is_replaced_and_its_item_stays(served: Served, tmp_path: Path) -> None:
    reply = {"choices": [{"index": 0, "text": " It is \ud800tails.", "finish_reason": "stop"}]}
    served.when = lambda body: raw(json.dumps(reply))(body) if "prompt" in body else None
    asked = study(served, methods=["zero-shot-cot"])  # whose second prompt holds the first reply
    found = answer_all(asked, tmp_path, served)
    assert found[-1].done == 1
    assert set(load(tmp_path / "r").records["status"]) == {"ok"}
    assert "\ufffdtails" in load(tmp_path / "r").records["outputs"][0][0]
    assert_as_live(asked, tmp_path)


def test_a_prompt_that_is_too_long_is_overlong_as_it_is_live(served: Served, tmp_path: Path) -> None:
    models = [{"spec": served.spec, "label": "far", "template": "plain"}]
    asked = study(served, models=models)
    long = expand(asked).items("coin-flip", "none")[1].question
    said = status(400, "This model's maximum context length is 512 tokens.")
    served.when = lambda body: said(body) if long in body.get("prompt", "") else None
    answer_all(asked, tmp_path, served)
    assert load(tmp_path / "r").records["overlong"].sum() == 1
    assert_as_live(asked, tmp_path)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (EXPIRED, "batch_expired: This request could not be executed before the completion window expired"),
        ({"response": {"status_code": 500, "request_id": "r", "body": {"error": {"message": "broken"}}}, "error": None},
         "500: broken"),
        ({"response": {"status_code": 429, "request_id": "r", "body": {"error": {"message": "quota", "code": "rate_limit_exceeded"}}}, "error": None},
         "rate_limit_exceeded: quota"),
        ({"response": {"status_code": 200, "request_id": "r", "body": {"id": "x"}}, "error": None},
         "its reply has no list 'choices'"),
        ({"response": {"status_code": 200, "request_id": "r", "body": {"error": {"message": "overloaded", "code": 502}}}, "error": None},
         "502: overloaded"),
        ({"response": {"status_code": 200, "request_id": "r", "body": {"choices": [
            {"index": 0, "text": " It is tails.", "finish_reason": "stop"}, {"index": 1, "text": " It", "finish_reason": "abort"}]}}, "error": None},
         "the server broke the text off (finish_reason 'abort')"),
        ({"response": None, "error": None}, "no answer and no error"),
    ],
)  # fmt: skip
def test_what_ended_with_an_error_is_asked_again(
    served: Served, tmp_path: Path, written: dict[str, Any], why: str
) -> None:
    asked = study(served)
    first = write(asked, tmp_path / "b", tmp_path / "r")
    lost = expand(asked).items("coin-flip", "none")[5].question
    serve(tmp_path / "b", served, lambda row: written if lost in row["body"]["prompt"] else None)
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, found.waiting, found.wanted, found.under_way) == (0, 1, 1, 0)
    assert set(found.answers.failed.values()) == {why}
    again = write(asked, tmp_path / "b", tmp_path / "r")
    assert [one.requests for one in first.files + again.files] == [5, 1]  # and one that was asked at once
    serve(tmp_path / "b", served)
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, dict(found.answers.failed)) == (1, {})
    assert_as_live(asked, tmp_path)


def test_what_has_not_come_back_is_not_written_again_unless_it_is_asked_for(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    assert [one.requests for one in write(asked, tmp_path / "b", tmp_path / "r").files] == [5]
    second = write(asked, tmp_path / "b", tmp_path / "r")
    assert (second.files, second.under_way, second.wanted) == ((), 5, 0)
    third = write(asked, tmp_path / "b", tmp_path / "r", again=True)
    assert [(one.name, one.requests) for one in third.files] == [("round-2-far-completions-1.jsonl", 5)]
    serve(tmp_path / "b", served)  # answered twice: the first answer stays
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, found.under_way) == (1, 0)
    assert_as_live(asked, tmp_path)


def test_reading_a_file_twice_or_under_two_names_changes_nothing(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    serve(tmp_path / "b", served)
    (path,) = (tmp_path / "b/answers").iterdir()
    path.with_name("copy.txt").write_bytes(path.read_bytes())
    first = read(asked, tmp_path / "b", tmp_path / "r")
    second = read(asked, tmp_path / "b", tmp_path / "r")
    assert first.answers.tokens == second.answers.tokens
    assert sum(one.answered for one in first.answers.files) == 5
    assert (first.done, second.done) == (1, 1)


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(served: Served, tmp_path: Path) -> None:
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    serve(tmp_path / "b", served)
    (path,) = (tmp_path / "b/answers").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, found.under_way, [one.cut for one in found.answers.files]) == (0, 1, [True])
    path.write_bytes(whole)
    assert read(asked, tmp_path / "b", tmp_path / "r").done == 1


def test_reading_needs_no_server_and_no_file_holds_a_key(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = served.url.split(":")[-1].split("/")[0]
    monkeypatch.setenv(f"ONSET_API_KEY_127_0_0_1_{port}", "secret-of-mine")
    asked = study(served, methods=["cot", {"prompt": "cot", "vote": 2}], labels=[2], continuous=True)
    write(asked, tmp_path / "b", tmp_path / "r")
    assert any("secret-of-mine" in str(one) for one in served.headers)
    serve(tmp_path / "b", served)
    served.bodies.clear()
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.waiting, served.bodies) == (2, [])
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"secret-of-mine" not in path.read_bytes()


# ---- offline -----------------------------------------------------------------------------------------------------


def test_offline_no_server_is_asked_and_what_needs_scores_is_refused(served: Served, tmp_path: Path) -> None:
    asked = study(
        served,
        methods=["cot", {"prompt": "rank-classification"}, {"prompt": "cot", "vote": 2}],
        labels=[2],
        continuous=True,
    )
    found = write(asked, tmp_path / "b", tmp_path / "r", offline=True)
    assert served.bodies == []
    (why,) = found.summary.failed.values()
    assert why == (
        "ModelError: model 'far' gives no log-probabilities (a batch that is written offline does not ask for them):"
        " method rank-classification needs them"
    )
    with pytest.raises(CellsFailed, match="1 of 3 cells failed"):
        check_failed(found.summary, asked, tmp_path / "r")
    serve(tmp_path / "b", served)
    found = read(asked, tmp_path / "b", tmp_path / "r")
    assert (found.done, found.waiting) == (2, 0)
    assert load(tmp_path / "r").records["gold_logprob"].null_count() == 12


def test_a_server_that_draws_nothing_is_found_out_offline_too(served: Served, tmp_path: Path) -> None:
    served.draws = False
    asked = study(served, methods=[{"prompt": "cot", "vote": 2}])
    written = write(asked, tmp_path / "b", tmp_path / "r", offline=True)
    assert [one.requests for one in written.files] == [6 + 3]
    serve(tmp_path / "b", served)
    (why,) = read(asked, tmp_path / "b", tmp_path / "r").summary.failed.values()
    assert "the server draws no samples" in why


# ---- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: is not JSON"),
        ("[1]", "line 1: is no JSON object"),
        ('{"response": null}', "line 1: has no 'custom_id'"),
        ('{"custom_id": "a"}', "line 1: has neither 'response' nor 'error'"),
        ('{"custom_id": "a", "response": null, "error": null}',
         "line 1: 'a' is no request that was written into {folder}: is the file of another study or folder?"),
        ('{"custom_id": "a", "method": "POST", "url": "/v1", "body": {}}',
         "line 1: is a request: the service's output is expected here, not the file that was sent"),
    ],
)  # fmt: skip
def test_a_file_of_answers_that_is_none_is_named_and_nothing_is_taken(
    served: Served, tmp_path: Path, line: str, message: str
) -> None:
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    serve(tmp_path / "b", served)
    bad = tmp_path / "b/answers/zz.jsonl"
    bad.write_text(line + "\n" + line + "\n")
    with pytest.raises(DataError) as caught:
        read(asked, tmp_path / "b", tmp_path / "r")
    assert str(caught.value) == f"{bad}, {message.format(folder=tmp_path / 'b')}"
    bad.unlink()
    assert read(asked, tmp_path / "b", tmp_path / "r").done == 1


def _refused(work: Any) -> str:
    with pytest.raises(OnsetError) as caught:
        work()
    assert isinstance(caught.value, StoreError | InputError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_wrong_folder_is_one_line(served: Served, tmp_path: Path) -> None:
    asked, b, r = study(served), tmp_path / "b", tmp_path / "r"
    assert _refused(lambda: read(asked, b, r)) == f"folder {b} holds no batch: run `onset batch write STUDY {b}` first"
    assert not b.exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x.txt").write_text("mine")
    assert _refused(lambda: write(asked, tmp_path / "full", r)).endswith(
        "is not empty and holds no batch; use another folder"
    )
    assert (tmp_path / "full/x.txt").read_text() == "mine"
    write(asked, b, r)
    other = study(served, name="t")
    assert _refused(lambda: write(other, b, tmp_path / "o")) == f"folder {b} holds the batch of study 's', not 't'"
    moved = study(served, models=[{"spec": "openai:http://localhost:1/v1#fake", "label": "far", "context": 400}])
    assert "holds requests of model 'far' for openai:http://127.0.0.1:" in _refused(lambda: write(moved, b, r))
    local = study(served, models=["scripted:x.json"])
    assert _refused(lambda: write(local, b, r)) == (
        "study 's' asks no server: a batch needs a model 'openai:URL#MODEL'"
    )
    (path,) = (b / "requests").iterdir()
    path.rename(tmp_path / "away")
    assert _refused(lambda: read(asked, b, r)) == (
        f"{path} is missing: it tells which request an answer belongs to; put it back"
    )
    (tmp_path / "away").rename(path)
    for damaged in ("{", "{}", '{"format": 1, "study": "s", "rounds": 1, "servers": [], "files": []}'):
        held = (b / "batch.json").read_text()
        (b / "batch.json").write_text(damaged)
        assert _refused(lambda: read(asked, b, r)).startswith(f"damaged file {b / 'batch.json'}")
        (b / "batch.json").write_text(held)
    serve(b, served)
    assert read(asked, b, r).done == 1


def test_a_server_that_is_not_there_is_said_with_the_way_around_it(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from served import quick

    quick(monkeypatch)
    asked = study(served, models=[{"spec": "openai:http://127.0.0.1:1/v1#fake", "label": "far", "context": 400}])
    with pytest.raises(ModelError, match=r"cannot be reached.*--offline writes a batch without asking the server"):
        write(asked, tmp_path / "b", tmp_path / "r")
    assert [one.requests for one in write(asked, tmp_path / "b", tmp_path / "r", offline=True).files] == [6]


@pytest.mark.parametrize(("told", "count"), [(7, 7), (-7, 0), (True, 0), ("7", 0)])
def test_tokens_that_are_no_count_are_not_billed(told: Any, count: int) -> None:
    body = {"choices": [{"index": 0, "text": "5"}], "usage": {"prompt_tokens": told, "completion_tokens": 2}}
    line = {"id": "1", "custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    assert read_line(json.dumps(line).encode()).tokens == (count, 2)


# ---- the format --------------------------------------------------------------------------------------------------

REAL = {
    "id": "batch_req_403hYy7nMxrxXFWXiwvoLG1q",
    "custom_id": "request-1",
    "response": {
        "status_code": 200,
        "request_id": "af0bac0d82530234e09bd6b5d9fbf5cf",
        "body": {
            "id": "chatcmpl-A1Efhv97EZNQeHKSLPnTmZex20gf2", "object": "chat.completion", "created": 1724858089,
            "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": "fp_f33667828e",
            "choices": [{"index": 0, "logprobs": None, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "2 + 2 equals 4.", "refusal": None}}],
            "usage": {"prompt_tokens": 24, "completion_tokens": 8, "total_tokens": 32},
        },
    },
    "error": None,
}  # fmt: skip
"""A line that OpenAI's service wrote (examples/data/batch_result.json of openai-api-rs)."""


def test_a_line_that_openai_wrote_is_read() -> None:
    line = read_line(json.dumps(REAL).encode())
    assert (line.name, line.id, line.tokens) == ("request-1", REAL["id"], (24, 8))
    assert line.kept is not None
    assert line.kept.answer()["choices"][0]["message"]["content"] == "2 + 2 equals 4."


def test_vllm_says_what_is_wrong_beside_a_response_without_a_body() -> None:
    row = {
        "id": "vllm-1",
        "custom_id": "a",
        "response": {"status_code": 400, "request_id": "vllm-batch-1", "body": None},
        "error": {"error": {"message": "maximum context length is 512", "type": "BadRequestError", "code": 400}},
    }
    kept = read_line(json.dumps(row).encode()).kept
    assert kept is not None
    assert str(kept.refusal()) == "the server refused it (400): maximum context length is 512"


def test_the_requests_are_as_the_package_of_openai_types_them(served: Served, tmp_path: Path) -> None:
    from openai.types import batch_create_params
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Chat
    from openai.types.completion_create_params import CompletionCreateParamsNonStreaming as Plain
    from pydantic import ConfigDict, TypeAdapter, with_config

    models = [{"spec": served.spec, "label": name, "template": name} for name in ("plain", "chat")]
    written = write(
        study(served, models=models, methods=["answer-only", {"prompt": "cot", "vote": 3}]),
        tmp_path / "b",
        tmp_path / "r",
    )
    hints = batch_create_params.BatchCreateParams.__annotations__["endpoint"]
    allowed = get_args(get_args(eval(hints.__forward_arg__, vars(batch_create_params)))[0])
    assert {one.endpoint for one in written.files} == {"/v1/chat/completions", "/v1/completions"} <= set(allowed)
    for row in rows(tmp_path / "b/requests"):
        typed: Any = Chat if row["url"].startswith("/v1/chat") else Plain
        TypeAdapter(with_config(ConfigDict(extra="forbid"))(typed)).validate_python(row["body"])


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=6), st.randoms())
def test_a_name_depends_on_what_is_asked_and_not_on_the_order_of_its_keys(body: dict[str, Any], chance: Any) -> None:
    turned = dict(chance.sample(sorted(body.items()), len(body)))
    assert name_of("u", "/p", body) == name_of("u", "/p", turned)
    others = [("v", "/p", body), ("u", "/q", body), ("u", "/p", {**body, "seed ": 1})]
    assert name_of("u", "/p", body) not in {name_of(*other) for other in others}
    row = json.loads(request_line(Wanted(name_of("u", "/p", body), "/p", body)))
    assert row == {"custom_id": name_of("u", "/p", turned), "method": "POST", "url": "/v1/p", "body": body}


@given(st.lists(st.binary(max_size=30), max_size=40), st.integers(1, 10), st.integers(30, 200))
def test_files_hold_as_much_as_they_may_and_nothing_is_lost(lines: list[bytes], most: int, size: int) -> None:
    found = list(parcels(lines, most, size))
    assert [line for held in found for line in held] == lines
    assert all(0 < len(held) <= most and sum(map(len, held)) <= size for held in found)
    for held, after in pairwise(found):
        assert len(held) == most or sum(map(len, held)) + len(after[0]) > size


def test_more_than_a_file_may_hold_is_two(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_REQUESTS == 50_000
    monkeypatch.setattr("onset.study.batch_folder.parcels", lambda lines: parcels(lines, requests=2))
    asked = study(served)
    write(asked, tmp_path / "b", tmp_path / "r")
    assert [len(path.read_text().splitlines()) for path in unanswered(tmp_path / "b")] == [2, 2, 1]
    serve(tmp_path / "b", served)
    assert read(asked, tmp_path / "b", tmp_path / "r").done == 1


# ---- the command -------------------------------------------------------------------------------------------------


def test_the_commands_say_what_to_do_next(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(
        f"""
name: s
models: [{{spec: "{served.spec}", label: far, template: plain, price: {{input: 1000, output: 2000, batch: 0.5}}}}]
tasks: [{{name: coin-flip, flips: 2, pool: 40, test: 20}}]
methods: [answer-only, zero-shot-cot]
labels: [0]
seeds: 1
items: 6
continuous: false
"""
    )
    code, shown, _ = call(capsys, "batch", "write", "s.yaml", "b")
    assert code == 0
    assert "b/requests/round-1-far-completions-1.jsonl  11 requests, " in shown
    assert shown.splitlines()[-2:] == [
        "Put the files that come back, of output and of errors, into b/answers; then",
        "  onset batch read s.yaml b",
    ]
    code, shown, _ = call(capsys, "batch", "read", "s.yaml", "b")
    assert (code, shown.splitlines()) == (
        0, ["b/answers holds no file yet.", "0 of 2 cells complete; 2 wait for 11 answers that have not come back"],
    )  # fmt: skip
    serve(Path("b"), served)
    code, shown, _ = call(capsys, "batch", "read", "s.yaml", "b")
    assert code == 0
    said = shown.splitlines()
    assert said[0] == "round-1-far-completions-1-output.jsonl: 11 answered"
    assert said[-1] == "1 of 2 cells complete; 1 need another round: run `onset batch write` again (6 requests)"
    call(capsys, "batch", "write", "s.yaml", "b")
    serve(Path("b"), served)
    code, shown, _ = call(capsys, "batch", "read", "s.yaml", "b")
    assert code == 0
    assert "2 of 2 cells complete" in shown
    went_in, came_out = (sum(one[key] for one in _usage(Path("b"))) for key in ("prompt_tokens", "completion_tokens"))
    assert (
        f"far: {went_in:,} tokens in and {came_out:,} out were billed: ${(went_in + 2 * came_out) / 2000:.2f}" in shown
    )
    assert "Report: results/s/report.html" in shown
    code, shown, error = call(capsys, "batch", "write", "s.yaml", "b")
    assert (code, shown.splitlines()) == (0, ["No request to write.", "2 of 2 cells complete"])
    code, _, error = call(capsys, "batch", "read", "s.yaml", "nowhere")
    assert (code, error) == (2, "onset: folder nowhere holds no batch: run `onset batch write STUDY nowhere` first\n")


def _usage(folder: Path) -> list[dict[str, int]]:
    return [one["response"]["body"]["usage"] for one in rows(folder / "answers")]


def test_a_price_in_a_batch_is_a_share_of_that_of_tokens(served: Served) -> None:
    entry = {"spec": served.spec, "label": "far"}
    study(served, models=[{**entry, "price": {"input": 1, "output": 2, "batch": 0.5}}])
    for price in (
        {"hour": 2, "batch": 0.5},
        {"input": 1, "output": 2, "batch": 0},
        {"input": 1, "output": 2, "batch": 2},
    ):
        with pytest.raises(StudyError, match="price"):
            study(served, models=[{**entry, "price": price}])
