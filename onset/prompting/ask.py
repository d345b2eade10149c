"""How a prompting method asks: one `Ask` an item, which keeps every call, so that no token goes uncounted.

A solver awaits `Ask.generate` and `Ask.score`; a batcher (`onset.batching`) collects the waiting calls of many items.
The labelled examples a solver sees are those it was given (`Ask.demos`, and those that
`onset.prompting.base.Prompt.prepare` got): the task it sees has neither pool nor test items.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from onset.models.chat import ChatTemplate
from onset.models.nli import Inference, Label
from onset.prompting.text import STOP, end_rule, render
from onset.records import Call, Completion, EndRule, Item, Pair, Request, Sampling, Scored, Thinking, derive_seed
from onset.tasks.base import Task
from onset.votes.base import Vote

ANSWER, GOLD, VERIFY = "answer", "gold", "verify"
"""Roles of a call: whose texts are read for an answer; that measures the gold answer's log-probability, which is no
part of the method and of what it costs; and that scores the answers by a verifier. Any other role is the method's own
word (``passage``, ``calibration`` ...)."""

GREEDY = Sampling()


class Calls(Protocol):
    """The two questions that a model can be asked, awaited one at a time."""

    async def generate(self, request: Request) -> list[Completion]:
        """``request.n`` completions."""
        ...

    async def score(self, pair: Pair) -> Scored:
        """The log-probability of one continuation."""
        ...


@dataclass(frozen=True, slots=True)
class Rated:
    """What a verifier says of texts: their ``scores`` in order (None: one does not fit its context), and the tokens it
    ran: of the prompt that they share (``read``) and of the texts (``tokens``).
    """

    scores: tuple[float | None, ...]
    read: int
    tokens: int


class Rater(Protocol):
    """A verifier, as an `Ask` knows it (`onset.tuning.verifier.Verifier`)."""

    @property
    def name(self) -> str:
        """What its calls are called by."""
        ...

    def rate(self, prompt: str, texts: Sequence[str], chat: ChatTemplate | None) -> Rated:
        """Its score of each of ``texts`` as the whole answer to ``prompt``; equal texts have equal scores."""
        ...

    def flops(self, tokens: int) -> float:
        """Operations of running so many tokens."""
        ...


def bare(task: Task) -> Task:
    """``task`` without its examples: what a solver may know of it."""
    return replace(task, pool=(), test=(), test_sets=())


@dataclass(slots=True)
class Ask:
    """Everything a solver knows besides the item, and all that it asks about it.

    ``task``: without examples; ``demos``: the demonstrations, as shown; ``seed``: the cell's; ``vote``: how one answer
    is taken of several (None: one greedy answer); ``continuous``: whether the gold answer is to be scored too;
    ``chat``: the template to ask through (None: plain text); ``state``: what the method prepared once for the cell;
    ``questions``: those of all items of the cell, in their order and without their answers, for controls;
    ``verifier``: what scores the samples of a vote that ranks them so (None: nothing does).
    ``transcript``: the calls so far, in the order in which they were answered. ``closed``: the item has ended: what
    other calls of it still bring is no part of it, so that nothing depends on which items share its batches.
    """

    calls: Calls
    task: Task
    item: Item
    demos: tuple[Item, ...] = ()
    seed: int = 0
    vote: Vote | None = None
    continuous: bool = True
    chat: ChatTemplate | None = None
    state: Any = None
    questions: tuple[str, ...] = ()
    verifier: Rater | None = None
    transcript: list[Call] = field(default_factory=list)
    closed: bool = False

    def prompt(self, item: Item, *, rationale: bool, demos: Sequence[Item] | None = None) -> str:
        """The prompt that asks ``item`` after the demonstrations, in the format that all methods share."""
        shown = self.demos if demos is None else demos
        return render(self.task, shown, item, rationale=rationale, chat=self.chat)

    def wrap(self, text: str) -> str:
        """``text`` as a user's turn where the model is asked through its template, else as it is."""
        return text if self.chat is None else self.chat([("user", text)])

    @property
    def lead(self) -> str:
        """What stands between a prompt and the first word of its completion."""
        return self.task.layout.lead if self.chat is None else ""

    @property
    def stop(self) -> tuple[str, ...]:
        """A blank line or a new question ends an answer in plain text; a turn of a chat may have paragraphs and ends
        with its token.
        """
        if self.chat is None:
            return STOP
        return () if self.chat.end is None else (self.chat.end,)

    @property
    def sampling(self) -> Sampling:
        """How answers are drawn: as the vote says, else one, greedily."""
        return self.vote.sampling if self.vote else GREEDY

    @property
    def end(self) -> EndRule:
        """Where a text that answers the item ends."""
        return end_rule(self.task, self.item)

    def _check_open(self) -> None:
        """Ends what is left of a solver that has raised: one that gathers calls leaves the others behind."""
        if self.closed:
            raise asyncio.CancelledError

    async def generate(
        self,
        prompt: str,
        role: str,
        *,
        max_tokens: int,
        sampling: Sampling = GREEDY,
        stop: Sequence[str] | None = None,
        until: EndRule | None = None,
        thinking: Thinking | None = None,
        key: str = "",
    ) -> tuple[Completion, ...]:
        """``sampling.n`` completions of ``prompt``.

        ``stop``: texts that end a completion (None: those of an answer); ``until``: the rule by which it ends, for an
        answer `end`; ``thinking``: whether it may think first, and how long. Draws are keyed by cell, item and ``key``:
        a solver that samples several times gives each call a key of its own, so that no result depends on the order in
        which calls are answered. A prompt that does not fit the model's context is never run: its completions have
        ``finish="overlong"``.
        """
        request = Request(
            prompt,
            max_tokens=max_tokens,
            stop=self.stop if stop is None else tuple(stop),
            n=sampling.n,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=derive_seed(self.seed, self.item.id, key) if key else derive_seed(self.seed, self.item.id),
            until=until,
            templated=self.chat is not None,
            thinking=thinking,
        )
        done = tuple(await self.calls.generate(request))
        self._check_open()
        ran = bool(done) and done[0].finish != "overlong"
        self.transcript.append(
            Call(
                role=role,
                prompt=prompt,
                prompt_tokens=done[0].prompt_tokens if ran else 0,  # samples share the prefill of their prompt
                output_tokens=total(one.tokens for one in done) if ran else 0,
                texts=tuple(one.text for one in done),
            )
        )
        return done

    async def score(self, context: str, options: Sequence[str], role: str) -> tuple[Scored, ...]:
        """The log-probability of each of ``options`` after ``context``; each owns the space before it. All share the
        context: its tokens count once.
        """
        templated = self.chat is not None
        scored = await asyncio.gather(*(self.calls.score(Pair(context, one, templated)) for one in options))
        self._check_open()
        ran = [one for one in scored if one.logprob is not None]
        self.transcript.append(
            Call(
                role=role,
                prompt=context,
                prompt_tokens=max((one.context_tokens for one in ran), default=0),
                output_tokens=sum(one.tokens for one in ran),
                texts=tuple(options),
            )
        )
        return tuple(scored)

    def verify(self, prompt: str, done: Sequence[Completion]) -> tuple[float | None, ...] | None:
        """The verifier's score of each of ``done``, as a call of another model; None where there is no verifier. A text
        that was drawn several times is run once.
        """
        if self.verifier is None:
            return None
        if done[0].finish == "overlong":
            return (None,) * len(done)
        scores, call = verify(self.verifier, prompt, [one.text for one in done], self.chat)
        self.transcript.append(call)
        return scores

    def judge(self, second: Inference, pairs: Sequence[tuple[str, str]], role: str) -> list[Label | None]:
        """What a ``second`` model says of each (premise, hypothesis) of ``pairs``; None where one is too long for it.
        Each is a call of that model, with its tokens and FLOPs.
        """
        found = second.judge(pairs)
        for (premise, hypothesis), one in zip(pairs, found, strict=True):
            self.transcript.append(
                Call(
                    role=role,
                    prompt=f"{premise}\n{hypothesis}",
                    prompt_tokens=one.tokens,
                    output_tokens=0,
                    texts=(one.label or "",),
                    model=second.name,
                    flops=second.flops(one.tokens),
                )
            )
        return [one.label for one in found]


def verify(
    verifier: Rater, prompt: str, texts: Sequence[str], chat: ChatTemplate | None
) -> tuple[tuple[float | None, ...], Call]:
    """The scores of ``texts``, and the call that they took."""
    different = tuple(dict.fromkeys(texts))
    rated = verifier.rate(prompt, different, chat)
    known = dict(zip(different, rated.scores, strict=True))
    flops = verifier.flops(rated.read + rated.tokens)
    call = Call(VERIFY, prompt, rated.read, rated.tokens, different, model=verifier.name, flops=flops)
    return tuple(known[text] for text in texts), call


def spent(transcript: Sequence[Call]) -> tuple[int | None, int | None]:
    """Tokens of the measured model that went in and that came out, over all calls that are part of the method; None
    where a call's are not known.
    """
    own = [one for one in transcript if one.role != GOLD and one.model is None]
    return total(one.prompt_tokens for one in own), total(one.output_tokens for one in own)


def total(counts: Iterable[int | None]) -> int | None:
    """The sum, None where one is not known."""
    held = list(counts)
    return None if None in held else sum(one or 0 for one in held)
