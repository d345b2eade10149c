"""The line everything hangs off, in one screen:

Item -> Prompt -> Completion -> Answer -> Score -> Record
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from onset.answers import NumberFormat
from onset.batching import Solved, cause_of, solve_all
from onset.chains import check, worked
from onset.demos.fit import Shown
from onset.errors import MethodError
from onset.methods import Method
from onset.models.base import Model, ModelFacts
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, GOLD, VERIFY, Ask, Calls, Rater, bare, spent, total, verify
from onset.prompting.base import Scores, taken, vote_detail
from onset.records import Answer, Attempt, Call, CallRecord, Completion, Item, Record, canonical_json, content_hash
from onset.tasks.base import Task
from onset.votes.base import Voted

ASKING = 3
"""Raised whenever a cell with equal settings would be asked, or its answers read, in another way than before. 1: until
results folders got format 2; 2: a text ends where its answer does, and reading stops where a new turn begins; 3: what
reasoning models write between their marks is no answer.
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a method did once for a cell: the ``state`` its items are solved with, and the ``calls`` that it took."""

    state: Any = None
    calls: tuple[Call, ...] = ()

    def to_json(self, facts: ModelFacts) -> dict[str, Any]:
        """Its cost, as kept beside the records; null where it is not known. ``facts``: of the model asked."""
        went_in, came_out = spent(self.calls)
        return {
            "calls": len(self.calls),
            "prompt_tokens": went_in,
            "output_tokens": came_out,
            "flops": _flops(facts, self.calls),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model asked in one way: what `evaluate` needs for any chunk of items. ``chat``: the template it is asked
    through, None for plain text; ``state``: what the method prepared (`prepare`); ``questions``: those of the whole
    cell; ``clean``: by the id of an item that a noise made, the item without it;
    ``verifier``: what scores the samples of a vote that ranks them so.
    """

    model: Model
    task: Task
    method: Method
    shown: Shown
    seed: int
    continuous: bool = True
    chat: ChatTemplate | None = None
    state: Any = None
    questions: tuple[str, ...] = ()
    clean: Mapping[str, Item] = field(default_factory=dict)
    verifier: Rater | None = None

    def prepare(self, examples: Sequence[Item]) -> Prepared:
        """What the method does once for the cell. ``examples``: all that the budget grants.

        Raises MethodError when that fails.
        """
        if not self.method.prompt.prepares():
            return Prepared()

        async def work(_: Item, ask: Ask) -> Any:
            return await self.method.prompt.prepare(ask, examples)

        (done,) = solve_all(self.model, work, [self._no_item()], partial(self._ask, demos=self.shown.everywhere))
        if done.cause is not None:
            raise MethodError(f"method {self.method.name} could not be prepared: {done.cause}")
        return Prepared(done.result, done.transcript)

    def _no_item(self) -> Item:
        """What a method that prepares is asked about: no question, with what all items have in common."""
        every = [*self.task.test, *self.task.pool, *(one for _, items in self.task.test_sets for one in items)]
        lists = {one.choices for one in every}
        shared = lists.pop() if len(lists) == 1 and self.shown.by_item is None else None
        context = "" if every and all(one.context is not None for one in every) else None
        return Item("", "", choices=shared, context=context)

    def evaluate(self, items: Sequence[Item], first: int) -> list[Record]:
        """The records of ``items``, whose first has position ``first`` in its cell."""
        solved = solve_all(self.model, self.method.prompt.solve, items, self._ask)
        return [
            self._record(item, one, first + offset)
            for offset, (item, one) in enumerate(zip(items, solved, strict=True))
        ]

    def _ask(self, item: Item, calls: Calls, demos: tuple[Item, ...] | None = None) -> Ask:
        return Ask(
            calls=calls,
            task=bare(self.task),
            item=item,
            demos=self.shown.of(item) if demos is None else demos,
            seed=self.seed,
            vote=self.method.vote,
            continuous=self.continuous,
            chat=self.chat,
            state=self.state,
            questions=self.questions,
            verifier=self.verifier,
        )

    def _record(self, item: Item, solved: Solved, position: int) -> Record:
        """The record of an item; of one whose solver raised: wrong, with its cause and with what it cost."""
        attempt: Attempt | None = solved.result
        went_in, came_out = spent(solved.transcript)
        asked = [one.prompt for one in solved.transcript if one.role != GOLD]
        prompt = attempt.prompt if attempt else asked[0] if asked else ""
        done: tuple[Completion, ...] = attempt.completions if attempt else ()
        answer = attempt.answer if attempt else None
        worth = self.task.format.score(answer or Answer(None, "none"), item)
        return Record(
            position=position,
            item=item.id,
            twin=item.twin,
            question=item.question,
            gold=item.answer,
            prompt_hash=content_hash(prompt),
            prompt=prompt,
            outputs=tuple(one.text for one in done),
            finishes=tuple(one.finish for one in done),
            answers=tuple(one.value for one in attempt.answers) if attempt else (),
            answer=answer.value if answer else None,
            status=answer.status if answer else "failed",
            correct=worth.correct,
            overlong=any(one.finish == "overlong" for one in done),
            gold_logprob=_finite(attempt.gold.logprob) if attempt else None,
            gold_prob=_finite(attempt.gold.probability) if attempt else None,
            prompt_tokens=went_in,
            output_tokens=came_out,
            flops=_flops(self.model.facts, solved.transcript),
            cause=solved.cause,
            logprobs=tuple(_finite(one.logprob) for one in done),
            lengths=tuple(one.tokens for one in done),
            scores=None if attempt is None or attempt.scores is None else tuple(map(_finite, attempt.scores)),
            calls=tuple(_call(one, prompt) for one in solved.transcript),
            detail=_json(
                attempt.detail, self._chains(item, done, _scores(attempt.detail)), _thought(done), self._memory(item)
            )
            if attempt
            else None,
            rights=self._rights(item, attempt.answers) if attempt else (),
            thinking=tuple(one.thinking for one in done),
            golds=item.golds if item.others else (),
            partial=worth.partial,
            meta=item.facts,
            summed=_summed(done),
        )

    def _rights(self, item: Item, answers: Sequence[Answer]) -> tuple[bool, ...]:
        return tuple(self.task.format.score(one, item).correct for one in answers)

    def reread(self, items: Sequence[Item], held: Sequence[Mapping[str, Any]]) -> list[Record]:
        """The records of ``items`` under this method's vote, from ``held``, those of another one over the same bank."""
        return [self._reread(item, row) for item, row in zip(items, held, strict=True)]

    def _reread(self, item: Item, row: Mapping[str, Any]) -> Record:
        kept = as_record(row)
        if kept.status == "failed" or self.method.vote is None:
            return kept
        done = tuple(
            Completion(text, length, 0, logprob, finish, summed=summed)  # type: ignore[arg-type]
            for text, finish, logprob, length, summed in zip(
                kept.outputs,
                kept.finishes,
                kept.logprobs,
                kept.lengths,
                kept.summed or (None,) * len(kept.outputs),
                strict=True,
            )
        )
        detail = json.loads(kept.detail) if kept.detail else {}
        kept, scores = self._scored(kept, _scores(detail))
        try:
            answers, voted = self._voted(item, done, scores)
        except MethodError as error:
            return _failed(kept, cause_of(error))
        worth = self.task.format.score(voted.answer, item)
        said = {key: value for key, value in detail.items() if key != "vote"}
        return replace(
            kept,
            answer=voted.answer.value,
            status=voted.answer.status,
            correct=worth.correct,
            partial=worth.partial,
            detail=_json(said, vote_detail(voted, scores), self._chains(item, done, scores)),
            rights=self._rights(item, answers),
        )

    def _scored(self, kept: Record, scores: Scores) -> tuple[Record, Scores]:
        """``kept`` with a call of the verifier that scores its outputs, where there is one and they have no ``scores``
        yet; and the scores.
        """
        if self.verifier is None or scores is not None:
            return kept, scores
        if kept.overlong:
            return kept, (None,) * len(kept.outputs)
        scores, call = verify(self.verifier, kept.prompt, kept.outputs, self.chat)
        flops = None if kept.flops is None or call.flops is None else kept.flops + call.flops
        calls = list(kept.calls)
        behind = next((place for place, one in enumerate(calls) if one.role == GOLD), len(calls))
        calls.insert(behind, _call(call, kept.prompt))  # where it stands when it is asked anew
        return replace(kept, calls=tuple(calls), flops=flops), scores

    def _voted(self, item: Item, done: Sequence[Completion], scores: Scores = None) -> tuple[list[Answer], Voted]:
        """The answers in ``done``, and the one that is taken."""
        answers = [self.method.prompt.read(one, item, self.task) for one in done]
        return answers, taken(self.method.vote, done, answers, item, scores)

    def _chains(self, item: Item, done: Sequence[Completion], scores: Scores = None) -> dict[str, Any]:
        """What is read of steps after the fact, without a call: ``process``, the steps of each output that are right,
        wrong and unchecked, and, where answers are numbers, ``calculator``: the answer as it would be had a calculator
        done the sums (a verifier's ``scores`` are of the steps as they were written).
        """
        if not self.method.prompt.chain or not done:
            return {}
        marker = self.method.prompt.announces(item, self.task)
        found: dict[str, Any] = {
            "process": [
                asdict(check(one.text, item, self.task.claims, marker, self.clean.get(item.id))) for one in done
            ]
        }
        if isinstance(self.task.format, NumberFormat):
            sums = [worked(one.text) for one in done]
            texts = [replace(one, text=new.text) for one, new in zip(done, sums, strict=True)]
            try:
                answer = self._voted(item, texts, scores)[1].answer
            except MethodError:  # a vote that cannot weigh an answer which only the calculator made readable
                return found
            found["calculator"] = {
                "answer": answer.value,
                "correct": self.task.format.score(answer, item).correct,
                "replaced": [one.replaced for one in sums],
            }
        return found

    def _memory(self, item: Item) -> dict[str, Any]:
        """``memory``: what the item says is true outside its context, as answers are written, where it says that."""
        told = item.meta.get("memory")
        if told is None:
            return {}
        text = f"{self.task.layout.marker} {told}{self.task.layout.end}"
        return {"memory": self.task.format.extract(text, item).value}

    def conclude(self, items: Sequence[Item], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a whole cell, with the answers that depend on all of them, where the method has such."""
        scores = [None if row["status"] == "failed" else row["scores"] for row in rows]
        answers = self.method.prompt.conclude(items, scores)
        if answers is None:
            return rows
        return [
            row if row["status"] == "failed" else {**row, **self._final(item, answer)}
            for row, item, answer in zip(rows, items, answers, strict=True)
        ]

    def _final(self, item: Item, answer: Answer) -> dict[str, Any]:
        worth = self.task.format.score(answer, item)
        return {
            "answer": answer.value,
            "answers": [answer.value],
            "status": answer.status,
            "correct": worth.correct,
            "partial": worth.partial,
            "rights": [*self._rights(item, [answer])],
        }


def _thought(done: Sequence[Completion]) -> dict[str, Any]:
    """What a server set apart of each output as thinking, where it did."""
    texts = [one.thought or None for one in done]
    return {"thought": texts} if any(texts) else {}


def _call(one: Call, prompt: str) -> CallRecord:
    """``prompt``: the record's, which is not said twice."""
    bare_call = one.role == GOLD or (one.role in (ANSWER, VERIFY) and one.prompt == prompt)
    return CallRecord(
        role=one.role,
        prompt_hash=content_hash(one.prompt),
        prompt=None if bare_call else one.prompt,
        prompt_tokens=one.prompt_tokens,
        output_tokens=one.output_tokens,
        n=len(one.texts),
        texts=None if bare_call else one.texts,
        model=one.model,
        flops=one.flops,
    )


def _flops(facts: ModelFacts, transcript: Sequence[Call]) -> float | None:
    """Of the measured model's calls, by its tokens, and of other models', as they say; None where one is not known."""
    own = facts.flops(total(spent(transcript)))
    others = [one.flops for one in transcript if one.model is not None]
    return None if own is None or None in others else own + sum(one or 0.0 for one in others)


def _failed(kept: Record, cause: str) -> Record:
    """The record of an item on whose samples a vote raised, from that of a vote that did not: as if asked anew."""
    return replace(
        kept,
        outputs=(),
        finishes=(),
        answers=(),
        answer=None,
        status="failed",
        correct=False,
        overlong=False,
        gold_logprob=None,
        gold_prob=None,
        cause=cause,
        logprobs=(),
        lengths=(),
        calls=tuple(one for one in kept.calls if one.role != GOLD),
        detail=None,
        rights=(),
        thinking=(),
        summed=None,
        partial=None if kept.partial is None else 0.0,
    )


def _scores(detail: Mapping[str, Any]) -> Scores:
    """A verifier's scores of the samples, as a record's detail has them."""
    held: Scores = detail.get("verifier")
    return held


def _summed(done: Sequence[Completion]) -> tuple[int | None, ...] | None:
    found = tuple(one.summed for one in done)
    return None if all(one is None for one in found) else found


def as_record(row: Mapping[str, Any]) -> Record:
    """A stored row as the record it was."""
    held: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    calls = [{**call, "texts": None if call["texts"] is None else tuple(call["texts"])} for call in row["calls"] or ()]
    return Record(**{**held, "calls": tuple(CallRecord(**call) for call in calls)})


def _json(*parts: Mapping[str, Any]) -> str | None:
    """All ``parts`` as one JSON object; None where they are empty."""
    joined = {key: value for part in parts for key, value in part.items()}
    return canonical_json(joined) if joined else None


def _finite(value: float | None) -> float | None:
    """None for a probability of exactly 0: its logarithm is no number that JSON or a mean could hold."""
    return value if value is not None and math.isfinite(value) else None
