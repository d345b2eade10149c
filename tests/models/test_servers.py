"""Models behind a server, over HTTP: what is sent, what comes back, and what a server may do wrong."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from commands import call
from served import Served, cut, quick, raw, status
from werkzeug import Response

from onset.analysis.study import analyse
from onset.errors import CellsFailed, ModelError, RequestRefused, StudyError
from onset.models import Told, open_model
from onset.models.base import ability
from onset.models.scripted import ScriptedModel
from onset.models.servers import client
from onset.models.servers.agreement import Agreement, agreement
from onset.models.servers.client import key_name
from onset.models.servers.gate import Gate
from onset.records import EndRule, Pair, Request, Scored
from onset.results.read import load
from onset.study.estimate import estimate
from onset.study.grid import expand
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import make_study

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


def study(served: Served, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": served.spec, "label": "far", "template": "plain"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only"],
        "labels": [0],
        "seeds": 1,
        "items": 8,
        "chunk": 4,
        "continuous": False,
        "item_error_budget": 1,
    }
    return make_study(**{**values, **changes})


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


# ---- what is asked -----------------------------------------------------------------------------------------------


def test_answers_are_in_the_order_of_the_requests_whichever_ends_first(served: Served) -> None:
    asked = [Request(f"{place} {'heads' if place % 2 else 'tails'}?", 8) for place in range(24)]
    chance = random.Random(0)

    def late(_: Any) -> None:
        time.sleep(chance.uniform(0, 0.02))

    served.when = late  # type: ignore[assignment]
    found = open_model(served.spec).generate(asked)
    wanted = [" The answer is heads." if place % 2 else " It is tails." for place in range(24)]
    assert [one.text for (one,) in found] == wanted
    assert {body["seed"] for body in served.texts()} == {0}


def test_a_chat_is_sent_as_turns_and_a_begun_answer_is_gone_on_with(served: Served) -> None:
    model = open_model(served.spec)
    prompt = model.chat([("user", "Name\n\na ⟦user⟧\nside."), ("assistant", "heads"), ("user", "tails?")])  # type: ignore[attr-defined]
    ((first,), _) = model.generate([Request(prompt, 8, templated=True), Request(f"{prompt}I say", 8, templated=True)])
    whole, begun = sorted(served.texts(), key=lambda body: len(body["messages"]))
    assert [(one["role"], one["content"]) for one in whole["messages"]] == [
        ("user", "Name\n\na ⟦user⟧\nside."), ("assistant", "heads"), ("user", "tails?"),
    ]  # fmt: skip
    assert "continue_final_message" not in whole
    assert begun["messages"][-1] == {"role": "assistant", "content": "I say"}
    assert (begun["continue_final_message"], begun["add_generation_prompt"]) == (True, False)
    assert first.text == " It is tails."


def test_a_text_is_cut_at_every_stop_string_and_where_its_answer_ends(served: Served) -> None:
    served.model = ScriptedModel({}, default=" The answer is 7. And so on\n\nQuestion: more")
    rule, stops = EndRule("The answer is"), ("a!", "b!", "c!", "d!", "\n\n")
    found = open_model(served.spec).generate([Request("x", 30, stops), Request("x", 30, until=rule)])
    assert [(one.text, one.finish) for (one,) in found] == [
        (" The answer is 7. And so on", "stop"), (" The answer is 7.", "stop"),
    ]  # fmt: skip
    assert max(len(body.get("stop", ())) for body in served.texts()) == 4


@pytest.mark.parametrize("takes_n", [True, False])
def test_samples_are_as_many_as_are_asked_whether_or_not_the_server_knows_n(served: Served, takes_n: bool) -> None:
    served.n = takes_n
    model = open_model(served.spec)
    for again in range(2):
        (found,) = model.generate([Request("tails", 8, n=3, temperature=0.7, seed=7)])
        assert [one.text for one in found] == REPLIES["tails"]
        billed = 1 if takes_n else 3
        assert {one.prompt_tokens for one in found} == {billed}
        assert [one.tokens for one in found] == [4, 5, 5]
        assert len(served.texts()) == billed * (again + 1)
    if not takes_n:
        assert [body["seed"] for body in served.texts()[:3]] == [7, 8, 9]


def test_tokens_and_logprobs_are_the_servers_or_unknown(served: Served) -> None:
    model = open_model(served.spec)
    ((told,),) = model.generate([Request("heads", 8)])
    words = [" The", " answer", " is", " heads."]
    values = [
        served.model.score([Pair("heads" + "".join(words[:place]), word)])[0].logprob
        for place, word in enumerate(words)
    ]
    assert told.logprob == pytest.approx(sum(one or 0 for one in values))
    assert (told.tokens, told.prompt_tokens) == (5, 1)
    served.usage, served.logprobs, served.refuses = False, "absent", ("logprobs", "seed", "max_tokens")
    ((untold,),) = model.generate([Request("heads", 8)])
    assert (untold.text, untold.tokens, untold.prompt_tokens, untold.logprob) == (told.text, None, None, None)
    assert set(served.texts()[-1] if served.texts() else {}) >= {"prompt"}
    assert set(served.bodies[-1]) == {"model", "prompt", "temperature", "max_completion_tokens"}


def test_scores_are_those_of_the_model(served: Served) -> None:
    model = open_model(served.spec)
    pairs = [Pair("the coin is", " heads."), Pair("the coin is", " tails up.")]
    found = model.score(pairs)
    for one, pair in zip(found, pairs, strict=True):
        words = pair.continuation.split(" ")[1:]
        spelled = [f" {word}" for word in words]
        values = [
            served.model.score([Pair(pair.context + "".join(spelled[:place]), word)])[0].logprob
            for place, word in enumerate(spelled)
        ]
        assert one.logprob == pytest.approx(sum(value or 0 for value in values))
        assert (one.tokens, one.context_tokens) == (len(words), 3)
    chat = model.chat([("user", "heads or tails?")])  # type: ignore[attr-defined]
    (templated,) = model.score([Pair(f"{chat}The answer is", " heads.", templated=True)])
    assert templated.tokens == 1
    assert ability(model).scores(chat=True)


# ---- what a server may do wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logprobs", "why"),
    [
        ("absent", "'prompt_logprobs' is not told"),
        ("zero", "it gives 0.0 and 0.0 for two sentences, which are no log-probabilities"),
        ("equal", "it gives -2 for two sentences that differ"),
    ],
)
def test_scores_that_a_server_makes_up_are_not_believed(
    served: Served, tmp_path: Path, logprobs: str, why: str
) -> None:
    served.logprobs = logprobs
    model = open_model(served.spec)
    assert (ability(model).score, ability(model).why) == (False, why)
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        model.score([Pair("a", " b")])
    notes = Notes()
    run(study(served, continuous=True), tmp_path / "r", observer=notes)
    assert any(
        f"gives no log-probabilities ({why}): those of the gold answers are not measured" in one for one in notes.said
    )
    assert load(tmp_path / "r").records["gold_logprob"].null_count() == 8


def test_too_many_requests_are_sent_again_and_fewer_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = quick(monkeypatch)
    model = open_model(served.spec)
    served.faults = [
        status(429, "slow down", retry_after="7"),
        status(503),
        status(500),
        cut,
        raw("<html>busy</html>", "text/html"),
    ]
    found = model.generate([Request(f"heads {place}", 8) for place in range(6)])
    assert {one.text for (one,) in found} == {" The answer is heads."}
    assert len(served.texts()) == 6 + 5
    assert 7.0 in waits
    assert model.client.gate.limit < 4 + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (raw("<html>", "text/html"), "speaks another dialect: its reply is no JSON object"),
        (raw('{"choices": [{"te'), "speaks another dialect: its reply is no JSON object"),
        (raw("[1]"), "speaks another dialect: its reply is no JSON object"),
        (raw('{"results": []}'), "speaks another dialect: its reply has no list 'choices' (keys: results)"),
        (raw('{"choices": [{"index": 0}]}'), "speaks another dialect: a choice of its reply has no 'text'"),
        (cut, "cannot be reached"),
        (status(404, "no such path"), "refuses (404): no such path"),
        (
            status(429, "quota", retry_after="9000"),
            "does not serve any more (429, asks to wait 9000 s): quota; run again to go on",
        ),
        (status(500, "broken"), "does not serve any more (500): broken; run again to go on"),
        (
            raw('{"error": {"message": "Provider overloaded", "code": 503}, "user_id": "x"}'),
            "does not serve any more (503): Provider overloaded; run again to go on",
        ),
        (raw('{"error": "no worker"}'), "does not serve any more (502): no worker; run again to go on"),
        (raw('{"error": {"message": "bad key", "code": 401}}'), "refuses (401): bad key"),
    ],
)
def test_what_is_no_answer_is_one_line(
    served: Served, monkeypatch: pytest.MonkeyPatch, fault: Any, message: str
) -> None:
    quick(monkeypatch)
    model = open_model(served.spec)
    served.when = lambda body: fault(body) if "max_tokens" in body else None
    with pytest.raises(ModelError) as caught:
        model.generate([Request("heads", 8)])
    assert message in str(caught.value)
    assert served.url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_with_a_status_of_success_is_asked_again_as_one_of_its_own(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = quick(monkeypatch)
    asked = open_model(served.spec)
    served.faults = [raw('{"error": {"message": "Provider overloaded", "code": 502}}'), raw('{"error": "no worker"}')]
    assert asked.generate([Request("heads", 8)])[0][0].text == " The answer is heads."
    assert len(waits) == 2
    served.faults = [raw('{"error": {"message": "I will not", "code": 400}}')]
    with pytest.raises(RequestRefused, match=r"the server refused it \(400\): I will not"):
        asked.generate([Request("heads", 8)])
    assert len(waits) == 2


def test_a_text_that_the_server_broke_off_fails_its_item_alone(served: Served, tmp_path: Path) -> None:
    first = expand(study(served)).items("coin-flip", "none")[2].question
    broken = raw('{"choices": [{"index": 0, "text": " It is", "finish_reason": "error"}], "usage": {}}')
    served.when = lambda body: broken(body) if first in body.get("prompt", "") else None
    run(study(served), tmp_path / "r")
    failed = load(tmp_path / "r").records.filter(pl.col("status") == "failed")
    assert failed["cause"].to_list() == ["RequestRefused: the server broke the text off (finish_reason 'error')"]


def test_a_reply_that_does_not_come_is_waited_for_twice(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    model = open_model(served.spec)
    held = threading.Event()

    def slow(body: Any) -> Response | None:
        held.wait(5)
        return None

    served.when = lambda body: slow(body) if "max_tokens" in body else None
    with pytest.raises(ModelError, match="no reply in time, twice"):
        model.generate([Request("heads", 8)])
    held.set()


def test_a_request_that_is_refused_fails_its_item_alone(served: Served, tmp_path: Path) -> None:
    first = expand(study(served)).items("coin-flip", "none")[2].question
    served.when = lambda body: status(400, "I will not")(body) if first in body.get("prompt", "") else None
    run(study(served), tmp_path / "r")
    records = load(tmp_path / "r").records
    failed = records.filter(records["status"] == "failed")
    assert failed["cause"].to_list() == ["RequestRefused: the server refused it (400): I will not"]
    assert len(records) == 8
    with pytest.raises(RequestRefused):
        open_model(served.spec).generate([Request(first, 8)])


def test_a_server_that_goes_away_loses_nothing_and_a_second_run_goes_on(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    asked = study(served, methods=["answer-only", "cot"], labels=[2], error_budget=0)
    shown = [{"spec": served.spec, "label": "far", "template": "plain", "context": 400}]
    asked = study(served, models=shown, methods=["answer-only", "cot"], labels=[2])
    served.when = lambda body: status(500)(body) if len(served.texts()) > 4 else None
    with pytest.raises(CellsFailed, match="2 of 2 cells failed"):
        run(asked, tmp_path / "r")
    before = len(served.texts())
    served.when = lambda _: None
    summary = run(asked, tmp_path / "r")
    assert (summary.ran, summary.failed) == (2, {})
    assert len(served.texts()) - before == 16 - 4  # the chunk that was committed is kept
    assert len(load(tmp_path / "r").records) == 16


def test_a_server_that_is_not_there_fails_its_cells_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = quick(monkeypatch)
    with pytest.raises(ModelError) as caught:
        open_model("openai:http://127.0.0.1:9/v1#fake")
    assert str(caught.value).startswith("server http://127.0.0.1:9/v1 cannot be reached: ")
    assert len(waits) == client.CUT


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://localhost:8000/v1", "expected openai:http(s)://HOST[:PORT]/v1#MODEL"),
        ("localhost#m", "expected openai:http(s)://HOST[:PORT]/v1#MODEL"),
        ("https://me:secret@host/v1#m", "keys are read from the environment"),
        ("https://host/v1?key=secret#m", "keys are read from the environment"),
    ],
)
def test_what_names_no_model_of_a_server_is_refused(target: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(f"openai:{target}")
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "fault", [status(500, "no cache"), status(404), raw('{"models": []}'), raw("<html>", "text/html")]
)
def test_a_server_without_a_list_of_models_is_asked_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    quick(monkeypatch)
    served.when = lambda body: None if body else fault(body)
    model = open_model(served.spec)
    assert model.generate([Request("heads", 8)])[0][0].text == " The answer is heads."
    assert model.facts.context is None


def test_a_model_that_the_server_has_not_is_said_with_those_it_has(served: Served) -> None:
    with pytest.raises(ModelError, match=r"has no model 'other'\. It has: fake"):
        open_model(f"openai:{served.url}#other")


# ---- keys, facts and methods -------------------------------------------------------------------------------------

KEY = "k-3f9a77c1e5"


def test_a_key_is_sent_and_stands_in_nothing_that_is_written(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv(key_name(served.url), KEY)
    notes, asked = Notes(), study(served)
    first = expand(asked).items("coin-flip", "none")[0].question

    def refused(body: Any) -> Response | None:
        if first in body.get("prompt", ""):
            return status(400, f"bad key {KEY} in Bearer {KEY}")(body)
        return None

    served.when = refused
    run(asked, tmp_path / "r", observer=notes)
    assert {one["Authorization"] for one in served.headers} == {f"Bearer {KEY}"}
    served.when = status(401, f"Incorrect API key provided: {KEY}")
    with pytest.raises(ModelError) as caught:
        open_model(served.spec)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path
    for text in (*notes.said, str(caught.value), caplog.text, repr(load(tmp_path / "r").records.to_dicts())):
        assert KEY not in text
    assert "bad key ***" in load(tmp_path / "r").records["cause"].drop_nulls()[0]
    assert f"its key is read from {key_name(served.url)}, which is set" in str(caught.value)


def test_the_key_of_openai_is_sent_to_openai_alone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    open_model(served.spec).generate([Request("heads", 8)])
    assert KEY not in json.dumps(served.headers)
    assert key_name("https://api.openai.com/v1") == "OPENAI_API_KEY"
    assert key_name("https://openrouter.ai/api/v1") == "ONSET_API_KEY_OPENROUTER_AI"


def test_what_a_server_does_not_tell_is_unknown_and_what_a_study_tells_is_counted(
    served: Served, tmp_path: Path
) -> None:
    plan = estimate(expand(study(served))).to_json(expand(study(served)))
    assert (plan["flops"], plan["seconds"]) == (None, None)
    run(study(served), tmp_path / "silent")
    cells = load(tmp_path / "silent").cells
    assert (cells["params"][0], cells["flops"][0], cells["flops_inference"][0]) == (None, None, None)
    assert cells["tokens"][0] > 0
    told = {"spec": served.spec, "label": "far", "template": "plain", "params": "1.5B", "revision": "june"}
    run(study(served, models=[told]), tmp_path / "told")
    cells = load(tmp_path / "told").cells
    assert cells["params"][0] == 1_500_000_000
    assert cells["flops"][0] == 2 * 1.5e9 * cells["tokens"][0]
    assert estimate(expand(study(served, models=[told]))).total().flops > 0  # type: ignore[operator]
    served.usage = False
    run(study(served, models=[told]), tmp_path / "uncounted")
    cells = load(tmp_path / "uncounted").cells
    assert (cells["tokens"][0], cells["flops"][0], cells["params"][0]) == (None, None, 1_500_000_000)
    with pytest.raises(ModelError, match="'params' is read from its files; leave it out"):
        open_model("ladder/r0", told=Told(params=7))
    with pytest.raises((StudyError, ModelError), match="'context' is read from its files"):
        study(served, models=[{"spec": "ladder/r0", "context": 5}])


def test_a_model_of_a_server_is_not_tuned(served: Served, tmp_path: Path) -> None:
    with pytest.raises(CellsFailed, match="cannot be tuned"):
        run(study(served, methods=["lora-answers"], labels=[4]), tmp_path / "r")


def test_demonstrations_need_a_context_or_a_number(served: Served, tmp_path: Path) -> None:
    served.rows = [{"id": "fake"}]
    with pytest.raises(CellsFailed, match=r"does not tell its context.*'context: \.\.\.'"):
        run(study(served, labels=[4]), tmp_path / "r")
    run(study(served, labels=[4], methods=[{"prompt": "answer-only", "shots": 3}]), tmp_path / "r2")
    assert load(tmp_path / "r2").cells["demonstrations"][0] == 3


def test_a_prompt_that_the_server_finds_too_long_is_overlong(served: Served) -> None:
    model = open_model(served.spec)
    ((found,),) = model.generate([Request("heads " * 600, 8)])
    assert (found.finish, found.text, found.tokens) == ("overlong", "", 0)
    assert model.score([Pair("heads " * 600, " b")])[0].logprob is None


def test_a_size_that_nobody_tells_is_said(served: Served, tmp_path: Path) -> None:
    run(study(served), tmp_path / "r")
    (said,) = [one for one in analyse(load(tmp_path / "r"), replicates=50).findings if one.subject == "sizes"]
    assert said.verdict == "size unknown"
    assert said.sentence.startswith("The size of far is not known: it is on no curve over size")


def test_a_plan_says_what_is_unknown(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(
        json.dumps(study(served).canonical() | {"parts": []}).replace(', "parts": []', "")
    )
    code, out, _ = call(capsys, "plan", str(tmp_path / "study.yaml"))
    assert code == 0
    (row,) = [line for line in out.splitlines() if line.startswith("far")]
    assert row.split() == ["far", "plain", "1", "0", "unknown", "unknown"]


# ---- is it the model it is said to be? ---------------------------------------------------------------------------


class ByWord(ScriptedModel):
    """Scores are sums over words, as the server's are."""

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        return [self._sum(pair) for pair in pairs]

    def _sum(self, pair: Pair) -> Scored:
        words, before = re.findall(r"\s*\S+|\s+$", pair.continuation), pair.context
        values = [
            super(ByWord, self).score([Pair(before + "".join(words[:at]), word)])[0].logprob
            for at, word in enumerate(words)
        ]
        return Scored(sum(one or 0 for one in values), len(words), self.count_tokens(before))


def test_a_server_is_held_against_a_local_copy(served: Served) -> None:
    model = open_model(served.spec)
    same = agreement(model, ByWord(REPLIES, default=" I cannot say."))
    assert (same.lengths, same.begun, same.verdict) == (8, 8, "same")
    assert same.apart == pytest.approx(0)
    assert agreement(model, ScriptedModel(REPLIES, default=" I cannot say.")).verdict == "different"  # other scores
    served.usage = False
    other = agreement(open_model(served.spec), ByWord({}, default=" Something else."))
    assert (other.lengths, other.begun, other.verdict) == (None, 0, "different")


def test_the_command_says_what_was_compared(served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served.logprobs = "absent"
    for name, default, verdict, code in (("same", " I cannot say.", "same", 0), ("other", " No.", "different", 1)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"default": default}))
        ended, out, _ = call(capsys, "check-server", served.spec, f"scripted:{tmp_path / name}.json", "--json")
        assert (json.loads(out)["verdict"], ended) == (verdict, code)
    ended, out, _ = call(capsys, "check-server", f"{served.url}#fake", f"scripted:{tmp_path}/same.json")
    assert ended == 0
    assert "not known: 'prompt_logprobs' is not told" in out


@pytest.mark.parametrize(
    ("lengths", "apart", "begun", "verdict"),
    [
        (8, 0.03, 7, "same"), (8, 0.5, 8, "different"), (7, 0.0, 8, "different"), (8, 0.0, 3, "different"),
        (None, None, 8, "same"), (8, None, 5, "not shown"),
    ],
)  # fmt: skip
def test_what_is_said_of_an_agreement(lengths: int | None, apart: float | None, begun: int, verdict: str) -> None:
    assert Agreement(8, lengths, apart, begun, "").verdict == verdict


@pytest.mark.parametrize("templated", [True, False])
def test_a_server_that_draws_nothing_gives_no_samples_to_vote_on(served: Served, templated: bool) -> None:
    served.draws = False
    model = open_model(served.spec)
    prompt = model.chat([("user", "tails")]) if templated else "tails"  # type: ignore[attr-defined]
    drawn = Request(prompt, 8, n=3, temperature=0.7, templated=templated)
    for _ in range(2):
        with pytest.raises(ModelError, match="the server draws no samples: temperature 1 gives one text for 3 seeds"):
            model.generate([drawn])
    model.generate([Request(prompt, 8, templated=templated)])
    served.draws = True
    assert len(model.generate([drawn, drawn])[1]) == 3
    stories = [one for one in served.bodies if one.get("max_tokens") == 16]
    assert [one["seed"] for one in stories] == [1, 2, 3] * 3  # not tried again once it is known


def test_a_prompt_that_is_run_past_the_context_is_overlong(served: Served) -> None:
    served.checks_context = False
    model = open_model(served.spec, told=Told(context=40))
    found = model.generate([Request("heads " * 40, 8), Request("heads", 8)])
    assert [(one.finish, one.text) for (one,) in found] == [("overlong", ""), ("eos", " The answer is heads.")]


# ---- how many at once --------------------------------------------------------------------------------------------


def test_the_gate_doubles_until_it_is_too_much_then_halves_once_and_grows_by_one() -> None:
    gate = Gate(first=2, most=16)
    seen = []
    for _ in range(6):
        with gate.through():
            gate.went_well()
        seen.append(gate.limit)
    assert seen == [2, 4, 4, 4, 4, 8]
    with gate.through() as one, gate.through() as other:
        gate.too_much(one)
        gate.too_much(other)  # sent before the first was refused
    assert gate.limit == 4
    for _ in range(4):
        gate.went_well()
    assert gate.limit == 5
    for _ in range(5):
        with gate.through() as one:
            gate.too_much(one)
    assert gate.limit == 1


def test_no_more_are_under_way_than_the_gate_lets_through() -> None:
    gate, most, lock = Gate(first=3, most=3), [0, 0], threading.Lock()

    def work() -> None:
        with gate.through():
            with lock:
                most[0] += 1
                most[1] = max(most)
            time.sleep(0.002)
            with lock:
                most[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [0, 3]
