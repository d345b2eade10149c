"""A scripted model behind a real HTTP server of OpenAI's protocol, which can be told to misbehave."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest

pytest.importorskip("openai", reason="the extra 'server' is not installed")
pytest.importorskip("pytest_httpserver", reason="pytest-httpserver is not installed")

from pytest_httpserver import HTTPServer
from werkzeug import Request as Asked
from werkzeug import Response

from onset.models.scripted import ScriptedModel
from onset.models.servers import client
from onset.models.servers.model import STORY
from onset.records import Pair, Request

CONTEXT = 512
Fault = Callable[[Mapping[str, Any]], Response | None]
"""What is answered instead of what was asked; None: what was asked."""


def status(code: int, message: str = "no", **headers: str) -> Fault:
    body = json.dumps({"error": {"message": message, "type": "fault"}})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(body, code, headers=named, content_type="application/json")


def raw(text: str, content_type: str = "application/json") -> Fault:
    return lambda _: Response(text, 200, content_type=content_type)


def cut(_: Mapping[str, Any]) -> Response:
    """A reply that ends in the middle."""
    return Response(
        iter([b'{"choices": [{"te']), 200, headers={"Content-Length": "500"}, content_type="application/json"
    )


class Served:
    """``apart``: the key of a message in which thinking is set apart, and ``details``: does it tell how many tokens it
    has? ``faults``: what the next requests for texts get; ``when``: what a request gets by its body. ``n``, ``usage``,
    ``logprobs`` ("right", "absent", "zero", "equal") and ``refuses`` (keys): what the server's dialect has.
    """

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
        self.faults: list[Fault] = []
        self.when: Fault = lambda _: None
        self.n, self.usage, self.logprobs, self.refuses = True, True, "right", ()
        self.draws, self.checks_context = True, True
        self.apart, self.details = "", False
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: Counter[str] = Counter()
        self.rows: list[dict[str, Any]] = [{"id": "fake", "max_model_len": CONTEXT}]
        self._lock = threading.Lock()
        self._unseeded = count()
        for path in ("/v1/models", "/v1/completions", "/v1/chat/completions", "/tokenize"):
            self.server.expect_request(path).respond_with_handler(self._handle)

    def start(self) -> Served:
        self.server.start()
        return self

    @property
    def url(self) -> str:
        return self.server.url_for("/v1")

    @property
    def spec(self) -> str:
        return f"openai:{self.url}#fake"

    def texts(self) -> list[dict[str, Any]]:
        """Bodies of the requests for texts."""
        tried = ("echo", "prompt_logprobs")
        asked = [one for one in self.bodies if "max_tokens" in one and not any(key in one for key in tried)]
        return [one for one in asked if STORY not in json.dumps(one)]

    def _handle(self, asked: Asked) -> Response:
        body = json.loads(asked.get_data() or b"{}")
        with self._lock:
            self.bodies.append(body)
            self.headers.append(dict(asked.headers))
            self.paths[asked.path] += 1
            fault = self.faults.pop(0) if self.faults and "max_tokens" in body else self.when
        found = fault(body)
        if found is not None:
            return found
        if asked.path == "/v1/models":
            return _json({"object": "list", "data": self.rows})
        prompt = body["prompt"] if "prompt" in body else _rendered(body)
        if asked.path == "/tokenize":
            return _json({"count": self.model.count_tokens(prompt)})
        return self._complete(body, prompt, chat="messages" in body)

    def _complete(self, body: Mapping[str, Any], prompt: str, *, chat: bool) -> Response:
        for key in self.refuses:
            if key in body:
                return (
                    status(400, f"Unsupported parameter: '{key}' is not supported with this model.")(body) or Response()
                )
        most = body.get("max_tokens", body.get("max_completion_tokens"))
        length = self.model.count_tokens(prompt)
        if self.checks_context and length + most > CONTEXT:
            said = f"This model's maximum context length is {CONTEXT} tokens. However, you requested {length + most} tokens."
            return status(400, said)(body) or Response()
        if STORY in prompt and body["temperature"] == 1.0:  # is it a server that draws?
            story = f" dog number {body.get('seed', next(self._unseeded)) if self.draws else 0}."
            text = {"message": {"content": story}} if chat else {"text": story}
            return _json({"choices": [{"index": 0, "finish_reason": "stop", **text}]})
        asked = Request(prompt, most, tuple(body.get("stop", ())), 1, body["temperature"])
        choices, total, thinking = [], 0, 0
        for sample in range(body.get("n", 1) if self.n else 1):
            seed = body["seed"] if "seed" in body else next(self._unseeded)
            done = self.model._complete(asked, sample + seed % 7 if body["temperature"] else 0)
            total += done.tokens or 0
            reason = "length" if done.finish == "length" else "stop"
            told = self._told(prompt, done.text) if body.get("logprobs", False) is not False else None
            if chat and told is not None:
                pairs = zip(told["tokens"], told["token_logprobs"], strict=True)
                told = {"content": [{"token": text, "logprob": value} for text, value in pairs]}
            row: dict[str, Any] = {"index": sample, "finish_reason": reason, "logprobs": told}
            message, more = _message(done.text, self.apart)
            thinking += more
            row |= {"message": message} if chat else {"text": done.text}
            choices.append(row)
        found: dict[str, Any] = {"id": "1", "object": "text_completion", "choices": choices[::-1]}
        if body.get("echo") and self.logprobs != "absent":
            choices[0]["logprobs"] = self._told("", prompt)
        if "prompt_logprobs" in body and self.logprobs != "absent":
            told = self._told("", prompt)
            rows: list[Any] = [
                {str(place): {"logprob": value, "rank": 1, "decoded_token": text}}
                for place, (text, value) in enumerate(zip(told["tokens"], told["token_logprobs"], strict=True))
            ]
            found["prompt_logprobs" if chat else "choices"] = (
                rows if chat else [{**choices[0], "prompt_logprobs": rows}]
            )
        if self.usage:
            found["usage"] = {"prompt_tokens": length, "completion_tokens": total, "total_tokens": length + total}
            if self.details:
                found["usage"]["completion_tokens_details"] = {"reasoning_tokens": thinking}
        return _json(found)

    def _told(self, before: str, text: str) -> dict[str, Any]:
        """Words with their log-probabilities, the first of a prompt without."""
        from onset.models.scripted import _words

        words, values = _words(text), []
        for place, word in enumerate(words):
            value = self.model.score([Pair(before + "".join(words[:place]), word)])[0].logprob
            values.append({"right": value, "zero": 0.0, "equal": -1.0}.get(self.logprobs, value))
        if not before and values and self.logprobs == "right":
            values[0] = None
        return {"tokens": words, "token_logprobs": values}


def _message(text: str, apart: str) -> tuple[dict[str, Any], int]:
    """A message as a server with a parser of thinking gives it (vLLM, DeepSeek), and the words of its thinking."""
    if not apart or not text.startswith("<think>"):
        return {"role": "assistant", "content": text}, 0
    thought, ended, rest = text.removeprefix("<think>").partition("</think>")
    return {"role": "assistant", apart: thought, "content": rest if ended else None}, len(thought.split())


def _rendered(body: Mapping[str, Any]) -> str:
    lines = [f"<{one['role']}> {one['content']}" for one in body["messages"]]
    return "\n".join(lines if body.get("continue_final_message") else [*lines, "<assistant>"])


def _json(found: Any) -> Response:
    return Response(json.dumps(found), 200, content_type="application/json")


def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits before a request is sent again are noted and not kept."""
    waits: list[float] = []
    monkeypatch.setattr(client, "pause", waits.append)
    return waits
