"""A model behind a server: requests one by one, many at once, answers in order (docs/servers.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeVar

from onset.errors import ModelError, RequestRefused, Unanswered
from onset.models.base import Can, ModelFacts
from onset.models.chat import says_base
from onset.models.requests import check_requests
from onset.models.servers.client import Asks, ServerGone
from onset.models.servers.dialect import (
    REPLACED,
    Reply,
    body_of,
    complained_of,
    completions,
    is_too_long,
    messages_of,
    path_of,
    read_reply,
)
from onset.models.servers.scores import Way, choose
from onset.models.servers.template import ServerChat, server_chat
from onset.records import Completion, Pair, Request, Scored

STORY = "Once upon a time there was a"
"""What is asked to see whether a server draws: hardly any two drawn texts of `STORY_TOKENS` tokens go on alike."""
STORY_TOKENS, STORY_SEEDS = 16, (1, 2, 3)
STORY_TOKENS_THINKING = 1024
"""Where all of these went into thinking that the server keeps to itself."""
T = TypeVar("T")
BYTES_PER_TOKEN = 3
"""A guess on the safe side, for servers that count no tokens: English has four bytes and more a token."""


class ServerModel:
    """A model that `onset.models.servers.backend` connected to.

    Which requests end first changes nothing: each has its own seed, and answers are handed back in the order of the
    requests. What the server itself does is another matter: of equal requests it may answer each in another way, so
    ``can.repeat`` is false. ``chat``: the server's own template; ``instruct``: is it asked through it where a study
    leaves that to the model? Unless its name says that it is a base model.

    ``trial``: who is asked what has to be known before anything is measured (which log-probabilities are told, whether
    samples are drawn, how many tokens a prompt has), where it is not ``client``; ``refused``: keys that the server is
    known to refuse, to which others are added.
    """

    def __init__(
        self,
        client: Asks,
        model: str,
        facts: ModelFacts,
        trial: Asks | None = None,
        refused: set[str] | None = None,
    ) -> None:
        self.client = client
        self.trial = trial or client
        self.timed = not client.remembers  # how long answers took that were kept, nobody knows
        self.model = model
        self.chat: ServerChat = server_chat(facts.name)
        self.instruct = not says_base(model)
        self._facts = facts
        self._refused: set[str] = set() if refused is None else refused
        self._many = True
        self._counts = True
        self._drawn: set[bool] = set()
        self._gone = False

    @property
    def facts(self) -> ModelFacts:
        """What the server and the study tell."""
        return self._facts

    @property
    def engine_note(self) -> str:
        """One line about what is not known of it."""
        facts = self._facts
        unknown = [key for key, value in (("params", facts.params), ("revision", facts.revision)) if value is None]
        said = f"; not known: {', '.join(unknown)} (a study may tell them)" if unknown else ""
        return f"{facts.name} is asked at {self.client.url}: equal requests may get other answers another time{said}"

    @cached_property
    def can(self) -> Can:
        """Scores where the server gave the right ones when it was tried, with a few short requests."""
        plain, chat = (self._way(templated) for templated in (False, True))
        why = plain if isinstance(plain, str) else chat if isinstance(chat, str) else ""
        return Can(
            score=not isinstance(plain, str), score_chat=not isinstance(chat, str), tune=False, repeat=False, why=why
        )

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Completions of each request, in order. Raises ModelError, also for the first request that was refused."""
        found = self.answers(requests)
        return _raised(found)

    def answers(self, requests: Sequence[Request]) -> list[list[Completion] | RequestRefused | Unanswered]:
        """As `generate`, with the refusal of a request in its place: the item's that asked; and with Unanswered in that
        of one whose answer is yet to come. Raises ModelError where the server is not there any more, or speaks another
        dialect.
        """
        check_requests(requests)
        self._there()
        asked = dict.fromkeys(one.templated for one in requests if one.temperature > 0)
        untried = {templated for templated in asked if not self._draws(templated)}
        jobs: list[tuple[int, int | None]] = []
        for place, request in enumerate(requests):
            apart = request.n > 1 and not self._many
            jobs += [(place, sample) for sample in range(request.n)] if apart else [(place, None)]
        found = self._all([partial(self._replies, requests[place], sample) for place, sample in jobs])
        replies: list[list[Reply]] = [[] for _ in requests]
        refused: dict[int, RequestRefused] = {}
        waits = {
            place: Unanswered("whether the server draws samples is not known yet")
            for place, request in enumerate(requests)
            if request.temperature > 0 and request.templated in untried
        }
        for (place, _), one in zip(jobs, found, strict=True):
            if isinstance(one, Unanswered):
                waits.setdefault(place, one)
            elif isinstance(one, RequestRefused):
                refused.setdefault(place, one)
            else:
                replies[place] += one
        return [
            waits[place]
            if place in waits
            else _refusal(refused[place], request)
            if place in refused
            else self._done(replies[place], request)
            for place, request in enumerate(requests)
        ]

    def _done(self, replies: Sequence[Reply], request: Request) -> list[Completion]:
        """What came back, but for a prompt that is longer than the context and was run all the same."""
        most = self._facts.context
        if most is not None and any((one.prompt_tokens or 0) + request.max_tokens > most for one in replies):
            return [Completion("", 0, replies[0].prompt_tokens, None, "overlong")] * request.n
        return completions(replies, request.n)

    def _draws(self, templated: bool) -> bool:
        """Tried once: three seeds at temperature 1 give texts that are not all the same. A vote over samples that are
        one greedy text would be no vote. False where the answers are yet to come. Raises ModelError.
        """
        if templated in self._drawn:
            return True
        prompt = self.chat([("user", f"Go on: {STORY}")]) if templated else STORY
        asked = [Request(prompt, STORY_TOKENS, temperature=1.0, seed=seed, templated=templated) for seed in STORY_SEEDS]
        most = min(STORY_TOKENS_THINKING, (self._facts.context or 2 * STORY_TOKENS_THINKING) // 2)
        for tokens in (STORY_TOKENS, most):
            texts: list[str] = []
            for one in asked:
                with suppress(Unanswered):  # the others are asked for all the same
                    found = self._reply(replace(one, max_tokens=tokens), None, self.trial).texts[0]
                    texts.append(found.thought + found.text)
            if len(texts) < len(asked):
                return False
            if any(texts):
                break
        else:
            raise ModelError(
                f"model '{self._facts.name}': {most} tokens show no text of {len(asked)} requests (is thinking kept"
                " back?), so whether the server draws samples cannot be seen; ask it greedily"
            )
        if len(set(texts)) == 1:
            raise ModelError(
                f"model '{self._facts.name}': the server draws no samples: temperature 1 gives one text for"
                f" {len(STORY_SEEDS)} seeds, so nothing can be voted on; ask it greedily, or make the server sample"
            )
        self._drawn.add(templated)
        return True

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        """The log-probability of each continuation, in order; None where it does not fit the context. Raises ModelError
        where the server tells none, also for the first that was refused.
        """
        return _raised(self.scores(pairs))

    def scores(self, pairs: Sequence[Pair]) -> list[Scored | RequestRefused | Unanswered]:
        """As `score`, with a refusal, or Unanswered for a score that is yet to come, in the place of its pair."""
        ways = {templated: self._way(templated) for templated in {one.templated for one in pairs}}
        for way in ways.values():
            if isinstance(way, str):
                raise ModelError(f"model '{self._facts.name}' gives no log-probabilities: {way}")
        self._there()
        return self._all([partial(self._score, ways[one.templated], one) for one in pairs])

    def count_tokens(self, text: str, *, templated: bool = False) -> int:
        """Tokens of a prompt: as the server counts them (vLLM's ``/tokenize``), else a guess on the safe side, which
        decides how many demonstrations fit and nothing else.
        """
        if self._counts:
            asked = self._messages(text) if templated else {"prompt": text}
            try:
                found = self.trial.post(
                    f"{self.client.url.removesuffix('/v1')}/tokenize", {"model": self.model, **asked}
                )
                if isinstance(found.get("count"), int):
                    return int(found["count"])
            except ServerGone:
                raise
            except ModelError:
                pass
            self._counts = False
        return -(-len(text.encode()) // BYTES_PER_TOKEN)

    def _messages(self, prompt: str) -> dict[str, Any]:
        return messages_of(self.chat, prompt)

    def _way(self, templated: bool) -> Way | str:
        held: dict[bool, Way | str] = self.__dict__.setdefault("_ways", {})
        if templated not in held:
            held[templated] = choose(self.trial, self.model, self.chat, templated=templated)
        return held[templated]

    def _score(self, way: Way | str, pair: Pair) -> Scored:
        assert not isinstance(way, str)
        try:
            return way(self.client, self.model, self.chat, pair)
        except RequestRefused as error:
            if is_too_long(error):
                return Scored(None, 0, 0)
            raise

    def _replies(self, request: Request, sample: int | None) -> list[Reply]:
        """One request, or one sample of it; where the server takes no ``n``, the samples that it left out too."""
        replies = [self._reply(request, sample)]
        wanted = request.n if sample is None else 1
        if sample is None and len(replies[0].texts) < wanted:
            self._many = self.client.remembers
            waits: Unanswered | None = None
            for place in range(len(replies[0].texts), wanted):
                try:
                    replies.append(self._reply(request, place))
                except Unanswered as error:  # the others are asked for all the same
                    waits = error
            if waits is not None:
                raise waits
        return replies

    def _reply(self, request: Request, sample: int | None, client: Asks | None = None) -> Reply:
        asked = client or self.client
        body = body_of(self.model, request, sample, self.chat)
        while True:
            sent = self._in_dialect(body)
            try:
                found = asked.post(path_of(request), sent, body)
            except RequestRefused as error:
                key = complained_of(error, sent)
                if key is None:
                    raise
                self._refused.add(key)
            else:
                return read_reply(found, request, asked.url)

    def _in_dialect(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``body`` without the keys that this server has refused."""
        out = {}
        for key, value in body.items():
            name = REPLACED[key] if key in self._refused else key
            if name is not None:
                out[name] = value
        return out

    def _all(self, work: Sequence[Callable[[], Any]]) -> list[Any]:
        try:
            return self.client.all(work)
        except ServerGone:
            self._gone = True
            raise

    def _there(self) -> None:
        """After a server went away: is it there again? Asked once, so that each cell that is left fails at once."""
        if self._gone:
            self.client.models()
            self._gone = False


def _raised(found: Sequence[T | RequestRefused | Unanswered]) -> list[T]:
    """``found``, or the first error in it raised."""
    out: list[T] = []
    for one in found:
        if isinstance(one, RequestRefused | Unanswered):
            raise one
        out.append(one)
    return out


def _refusal(error: RequestRefused, request: Request) -> list[Completion] | RequestRefused:
    if is_too_long(error):
        return [Completion("", 0, None, None, "overlong")] * request.n
    return error
