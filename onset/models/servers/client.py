"""Requests to a server, through the ``openai`` client: sent again where that helps, and errors in one line.

    refused at once        401, 403, 404, 405, 501: nothing of this server can be measured (ModelError)
    refused alone          400, 413, 422: one request (RequestRefused), whose item fails
    by its code            200 with an error in the place of the texts (a proxy whose server failed): as the status that
                           the error has, else 502
    sent again             429, 408, 409 and 5xx up to `RETRIES` times, when the server says or after twice the time;
                           no connection, or one that broke off, and replies that are no JSON: `CUT` times; no reply
                           in `TIMEOUT` seconds: once

The client's own retries are not used: it sends a request that took ten minutes as often again as one that was refused
in a millisecond, and does not tell of a 429 that it sends again, by which the number of requests at once is found
(`onset.models.servers.gate`).

Keys are read from the environment and stand in no message: ``OPENAI_API_KEY`` goes to api.openai.com and to
``OPENAI_BASE_URL`` alone, since a study file names any server; that of another server is in `key_name`.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from onset.errors import ModelError, RequestRefused, Unanswered
from onset.models.servers.gate import Gate, Pass
from onset.untrusted import whole

TIMEOUT = 600.0
"""Seconds for a whole reply."""
RETRIES, CUT = 10, 3
LONGEST_WAIT = 120.0
"""Seconds that a server may ask to wait; a day's quota that is used up is no reason to sit here for hours."""


class ServerGone(ModelError):
    """No reply, or none of the kind that was hoped for after all tries: it may be there again later. ``answered``: is
    something there at all?
    """

    def __init__(self, message: str, *, answered: bool = True) -> None:
        super().__init__(message)
        self.answered = answered


class ServerRefuses(ModelError):
    """What was asked for is refused, whatever the request; ``status``: of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


ALONE = frozenset({400, 413, 422})
"""Statuses of HTTP by which one request is refused, whatever becomes of others."""
_ACCOUNT = ("OpenAI-Organization", "OpenAI-Project")
"""Headers that the client fills from the environment for whatever server it asks: they are OpenAI's business alone."""
_AGAIN = frozenset({408, 409, 429})
T = TypeVar("T")


def key_name(url: str) -> str:
    """The variable of the environment that holds the key of the server at ``url``.

    >>> key_name("https://api.openai.com/v1"), key_name("http://localhost:8000/v1")
    ('OPENAI_API_KEY', 'ONSET_API_KEY_LOCALHOST_8000')
    """
    known = {"api.openai.com", urlsplit(os.environ.get("OPENAI_BASE_URL", "")).netloc}
    place = urlsplit(url).netloc
    return "OPENAI_API_KEY" if place in known else f"ONSET_API_KEY_{re.sub(r'[^A-Za-z0-9]', '_', place).upper()}"


class Asks(Protocol):
    """Whoever answers requests in a server's place, or the server itself (`Client`). ``remembers``: an answer stays as
    it is, and a request is to be made in the same words every time.
    """

    url: str
    remembers: bool

    def models(self) -> list[Mapping[str, Any]]:
        """What the server lists of its models."""
        ...

    def post(self, path: str, body: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> Any:
        """The JSON that answers ``body``; ``of``: the request before it was put into the server's dialect."""
        ...

    def all(self, work: Sequence[Callable[[], T]]) -> list[T | RequestRefused | Unanswered]:
        """What each piece of ``work`` returns, in order, with what it raises alone in its place."""
        ...


class Client:
    """One server."""

    remembers = False

    def __init__(self, url: str) -> None:
        try:
            import openai
        except ImportError:
            raise ModelError(
                "a model behind a server needs the package openai: pip install 'lm-onset[server]'"
            ) from None
        self.url = url
        self.gate = Gate()
        self._openai = openai
        self._key = os.environ.get(key_name(url), "")
        other = {} if key_name(url) == "OPENAI_API_KEY" else {name: openai.Omit() for name in _ACCOUNT}
        self._client = openai.OpenAI(
            base_url=url,
            api_key=self._key or "none",
            timeout=openai.Timeout(TIMEOUT, connect=10.0),
            max_retries=0,
            default_headers=other,
        )

    def models(self) -> list[Mapping[str, Any]]:
        """What the server lists of its models; empty where it has no list (``transformers serve`` fails at it where
        nothing is in its cache). Raises ServerGone where there is no server, ServerRefuses where the key is missing.
        """
        try:
            found = self._kept_up(lambda: self._client.get("/models", cast_to=object), retries=1)
        except RequestRefused:
            return []
        except ServerRefuses as error:
            if error.status in (401, 403):
                raise
            return []
        except ServerGone as error:
            if error.answered:
                return []
            raise
        rows = found.get("data")
        return [one for one in rows if isinstance(one, Mapping)] if isinstance(rows, list) else []

    def post(self, path: str, body: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> Any:
        """The JSON that answers ``body``. Raises ModelError, RequestRefused."""

        def send() -> Any:
            found = self._client.post(path, body=dict(body), cast_to=object)
            if path.endswith("/completions") and isinstance(found, dict) and failed(found):
                raise _Failed(found)
            return found

        return self._kept_up(send)

    def all(self, work: Sequence[Callable[[], T]]) -> list[T | RequestRefused | Unanswered]:
        """What each piece of ``work`` returns, in order, whichever ends first; several at once. The refusal of one is
        in its place. Raises the ModelError of the first, in order, that has one: the others are not begun any more.
        """
        if not work:
            return []
        pool = ThreadPoolExecutor(min(len(work), self.gate.most), thread_name_prefix="onset-server")
        futures: list[Future[T | RequestRefused | Unanswered]] = [pool.submit(_refusal, one) for one in work]
        try:
            return [one.result() for one in futures]
        except ModelError:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        except BaseException:  # an interrupt: what is under way is cut off
            self._client.close()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _kept_up(self, send: Callable[[], Any], retries: int = RETRIES) -> Any:
        with self.gate.through() as held:
            tried = 0
            while True:
                try:
                    found = send()
                    if not isinstance(found, dict):
                        raise _NoJSON
                    found = whole(found)
                    self.gate.went_well()
                    return without(found, self._key) if len(self._key) >= 8 else found
                except (self._openai.APIError, ValueError, RecursionError, _NoJSON, _Failed) as error:
                    tried += 1
                    pause(self._wait(error, tried, held, retries))

    def _wait(self, error: Exception, tried: int, held: Pass, retries: int) -> float:
        """Seconds after which it may help to send it again. Raises the error in one line where it does not."""
        status = int(getattr(error, "status_code", 0))
        if isinstance(error, self._openai.APITimeoutError):
            self.gate.too_much(held)
            if tried > 1:
                raise ServerGone(f"server {self.url}: no reply in time, twice", answered=False) from None
            return 0.0
        if isinstance(error, self._openai.APIConnectionError):
            if tried > CUT:
                raise ServerGone(
                    f"server {self.url} cannot be reached: {self._said(error.__cause__ or error)}", answered=False
                ) from None
            return _doubled(tried)
        if not isinstance(error, (self._openai.APIStatusError, _Failed)):
            if tried > CUT:
                raise ServerGone(
                    f"server {self.url} speaks another dialect: its reply is no JSON object ({self._said(error)})"
                ) from None
            return _doubled(tried)
        if status in ALONE:
            raise refusal(status, self._said(error), getattr(error, "param", None)) from None
        if status not in _AGAIN and (status < 500 or status == 501):
            raise ServerRefuses(
                f"server {self.url} refuses ({status}): {self._said(error)}{self._remedy(status)}", status
            ) from None
        if status in (429, 503, 529):
            self.gate.too_much(held)
        wait = None if isinstance(error, _Failed) else _asked(error.response.headers)
        spent = getattr(error, "code", None) == "insufficient_quota"
        if tried > retries or spent or (wait or 0.0) > LONGEST_WAIT:
            asks = f", asks to wait {wait:.0f} s" if wait and wait > LONGEST_WAIT else ""
            raise ServerGone(
                f"server {self.url} does not serve any more ({status}{asks}): {self._said(error)}; run again to go on"
            ) from None
        return _doubled(tried) if wait is None else wait

    def _remedy(self, status: int) -> str:
        if status not in (401, 403):
            return ""
        held = "is set" if self._key else "is not set"
        return f"; its key is read from {key_name(self.url)}, which {held}"

    def _said(self, error: BaseException) -> str:
        """What an error says in one line, without the key."""
        text = message_in(getattr(error, "body", None)) or str(error) or type(error).__name__
        return in_one_line(text.replace(self._key, "***") if self._key else text)


def without(value: Any, key: str) -> Any:
    """``value``, JSON of a server, with ``***`` where a text holds the ``key``: a server that says again what it was
    sent would put it into records and reports.
    """
    if isinstance(value, str):
        return value.replace(key, "***") if key in value else value
    if isinstance(value, dict):
        return {without(name, key): without(one, key) for name, one in value.items()}
    return [without(one, key) for one in value] if isinstance(value, list) else value


def refusal(status: int, said: str, key: str | None) -> RequestRefused:
    """The refusal of one request with ``status`` (one of `ALONE`); ``key``: of the request that it complains of."""
    return RequestRefused(f"the server refused it ({status}): {said}", key)


def message_in(body: Any) -> str:
    """What the body of an error says; nothing where it is none of a kind that is known."""
    if not isinstance(body, Mapping):
        return ""
    return str(next((body[key] for key in ("message", "detail", "error") if body.get(key)), ""))


def in_one_line(text: str) -> str:
    """At most 200 characters of what a server says, without what looks like a key."""
    text = re.sub(r"\b(sk-|Bearer )\S+", r"\1***", " ".join(whole(text).split()))
    return (text if len(text) <= 200 else f"{text[:200]} ...").rstrip(".")


class _NoJSON(Exception):
    """A reply that is no JSON object."""

    def __str__(self) -> str:
        return "text or HTML"


class _Failed(Exception):
    """A reply whose status is that of success, and which holds an error alone; with what an error of a status has."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        super().__init__("it says nothing")
        told = found["error"] if isinstance(found["error"], Mapping) else found
        self.body, self.code, self.param = told, told.get("code"), told.get("param")
        known = isinstance(self.code, int) and 400 <= self.code < 600
        self.status_code = self.code if known else 502


def failed(found: Mapping[str, Any]) -> bool:
    """Does a reply hold an error in the place of texts?"""
    return bool(found.get("error")) and not found.get("choices")


def pause(seconds: float) -> None:
    """Wait before a request is sent again."""
    time.sleep(seconds)


def _refusal(work: Callable[[], T]) -> T | RequestRefused | Unanswered:
    try:
        return work()
    except RequestRefused as error:
        return error


def _doubled(tried: int) -> float:
    """Half a second, then twice as long each time up to 20 s; a little less by chance, so that not all come at once."""
    return float(min(20.0, 0.5 * 2.0 ** (tried - 1)) * random.uniform(0.75, 1.0))


def _asked(headers: Mapping[str, str]) -> float | None:
    """How many seconds the server asks to wait; None where it does not say (or names a date)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
