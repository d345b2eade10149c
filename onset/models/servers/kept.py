"""A server's answers that were kept: a client that answers from them, and notes what has no answer yet.

A model over it (`onset.models.servers.backend.connected`) asks as it would ask the server, so that no method is run in
another way. What has no answer is noted (`KeptClient.wanted`) and Unanswered is raised.

A request is known by the hash of what is asked of which server, before keys that the server refuses are left out
(`onset.models.servers.dialect.REPLACED`), so that its answer is its answer in whatever words it was sent, and two
samples stay two where a server takes no seed. Equal requests are one request: they are sent once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from onset.errors import ModelError, RequestRefused, Unanswered
from onset.models.servers.client import ALONE, Client, ServerRefuses, in_one_line, message_in, refusal
from onset.models.servers.dialect import complained_of
from onset.records import content_hash

T = TypeVar("T")
OFFLINE = "a batch that is written offline does not ask for them"
"""Why a model gives no log-probabilities whose server was not asked whether it does."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request without an answer: its ``name``, the endpoint's ``path`` and the ``body`` that is to be sent."""

    name: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept: HTTP's ``status`` and the ``body``, or for a refusal what is ``said`` of it and the
    ``key`` of the request that it complains of.
    """

    status: int = 200
    body: Mapping[str, Any] | None = None
    said: str = ""
    key: str | None = None

    def answer(self) -> Mapping[str, Any]:
        """The body. Raises RequestRefused or ServerRefuses where it is none."""
        if self.body is not None:
            return self.body
        raise self.refusal()

    def refusal(self) -> RequestRefused | ServerRefuses:
        """The error that the server answered with, as a run would have it."""
        if self.status in ALONE:
            return RequestRefused(self.said, self.key)
        return ServerRefuses(self.said, self.status)


def kept_refusal(status: int, body: Any) -> Kept:
    """The refusal of one request, from the body that came with a ``status`` of `ALONE`."""
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    key = inner.get("param") if isinstance(inner, Mapping) else None
    said = in_one_line(message_in(inner) or (inner if isinstance(inner, str) else "") or "it says nothing")
    error = refusal(status, said, key if isinstance(key, str) else None)
    return Kept(status, None, str(error), error.key)


def name_of(url: str, path: str, body: Mapping[str, Any]) -> str:
    """The name of a request, which does not depend on the order of its keys.

    >>> name_of("http://x/v1", "/completions", {"n": 2, "seed": 1}) == name_of(
    ...     "http://x/v1", "/completions", {"seed": 1, "n": 2}
    ... )
    True
    """
    return f"onset-{content_hash([url, path, body], 32)}"


class KeptClient:
    """Answers from ``held`` (name -> answer). ``refused``: keys that the server is known to refuse, added to here.

    ``live``: the server itself, which is asked the first request to each endpoint at once, so that a key that it
    refuses costs one request and not a batch; its answers are ``kept`` by a function of name and answer. ``tried``:
    endpoints that were asked already.
    """

    remembers = True

    def __init__(
        self,
        url: str,
        held: Mapping[str, Kept],
        *,
        refused: set[str],
        tried: set[str],
        live: Client | None = None,
        keep: Callable[[str, Kept], None] = lambda _, __: None,
    ) -> None:
        self.url = url
        self.held = held
        self.refused = refused
        self.tried = tried
        self.live = live
        self.keep = keep
        self.wanted: dict[str, Wanted] = {}

    def models(self) -> list[Mapping[str, Any]]:
        """Nothing: what the server lists is asked by `Trials`."""
        return []

    def post(self, path: str, body: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> Any:
        """The JSON that answers ``body``. Raises Unanswered, and as `Client.post` what the server answered."""
        name = name_of(self.url, path, body if of is None else of)
        kept = self.held.get(name)
        if kept is None and self.live is not None and path not in self.tried:
            kept = self._tried(self.live, name, path, body)
        if kept is not None:
            return kept.answer()
        self.wanted.setdefault(name, Wanted(name, path, dict(body)))
        raise Unanswered("its answer is yet to come")

    def _tried(self, live: Client, name: str, path: str, body: Mapping[str, Any]) -> Kept:
        kept = _asked(lambda: live.post(path, body))
        if kept.body is None:
            error = kept.refusal()
            if isinstance(error, ServerRefuses) or complained_of(error, body) is not None:
                raise error  # asked again in other words, or not at all
        else:
            self.tried.add(path)
        self.keep(name, kept)
        return kept

    def all(self, work: Sequence[Callable[[], T]]) -> list[T | RequestRefused | Unanswered]:
        """What each piece of ``work`` returns, with a refusal and Unanswered in its place. Raises ModelError."""
        return [_in_place(one) for one in work]


class Trials:
    """What has to be known of a server before anything is measured: asked of it ``live``, kept, and read again.

    Where the server is not to be asked (``offline``), its list of models is empty, it tells no log-probabilities and
    counts no tokens, and whether it draws samples is asked with the batch's own ``requests``.
    """

    remembers = True

    def __init__(self, requests: KeptClient, *, live: Client | None, offline: bool) -> None:
        self.url = requests.url
        self.requests = requests
        self.live = live
        self.offline = offline

    def models(self) -> list[Mapping[str, Any]]:
        """What the server listed. Raises as `Client.models`, and Unanswered where it was not asked."""
        if self.offline:
            return []
        live = self.live
        found = self._kept("/models", {}, None if live is None else lambda: {"data": live.models()})
        return list(found["data"])

    def post(self, path: str, body: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> Any:
        """The JSON that answers ``body``, as `KeptClient.post`."""
        if self.offline:
            if path.endswith("/tokenize") or "echo" in body or "prompt_logprobs" in body:
                raise ModelError(OFFLINE)
            return self.requests.post(path, body, of)
        live = self.live
        work = None if live is None else lambda: live.post(path, body)
        return self._kept(path, body if of is None else of, work, None if of is None else body)

    def _kept(
        self,
        path: str,
        asked: Mapping[str, Any],
        work: Callable[[], Mapping[str, Any]] | None,
        sent: Mapping[str, Any] | None = None,
    ) -> Any:
        name = name_of(self.url, f"trial {path}", asked)
        kept = self.requests.held.get(name)
        if kept is None:
            if work is None:
                raise Unanswered(f"the server was not asked {path} yet")
            kept = _asked(work)
            error = None if kept.body is not None else kept.refusal()
            if sent is not None and isinstance(error, RequestRefused) and complained_of(error, sent) is not None:
                raise error  # asked again in other words
            self.requests.keep(name, kept)
        return kept.answer()

    def all(self, work: Sequence[Callable[[], T]]) -> list[T | RequestRefused | Unanswered]:
        """As `KeptClient.all`."""
        return [_in_place(one) for one in work]


def _asked(work: Callable[[], Mapping[str, Any]]) -> Kept:
    """What the server answers, also where it refuses. Raises ModelError where it is not there."""
    try:
        return Kept(200, work())
    except RequestRefused as error:
        return Kept(min(ALONE), None, str(error), error.key)
    except ServerRefuses as error:
        return Kept(error.status, None, str(error))


def _in_place(work: Callable[[], T]) -> T | RequestRefused | Unanswered:
    try:
        return work()
    except (RequestRefused, Unanswered) as error:
        return error
