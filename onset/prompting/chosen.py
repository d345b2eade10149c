"""Rank classification: the answer is the choice that the model finds most probable after the prompt.

Source: Brown et al. 2020, arXiv 2005.14165, section 2.4; the name is of Wei et al. 2022, arXiv 2109.01652, appendix B.
Nothing is generated: after the answer-only prompt and the words "The answer is" each choice has the sum of its tokens'
log-probabilities, with the full stop, so that "positive" is not credited with what "positively" has. The answer is
always one of the choices; two that are exactly equally probable are ``ambiguous``.

What a model finds probable depends on the examples that it is shown, whatever is asked: it prefers the label that is
shown more often, or last, or is frequent elsewhere. ``calibration`` divides by that preference, the prior of the
prompt:

    none         the most probable choice: argmax_j p(j | x)
    contextual   Zhao et al. 2021, arXiv 2102.09690, section 5: argmax_j p(j | x) / p_cf(j). p_cf is the mean of the
                 choices' probabilities where "N/A", "" and "[MASK]" stand in the place of the question, normalised over
                 the choices (as in the released code: the mean first, so that an input after which the choices are
                 improbable weighs little). That is W = diag(p_cf)^-1, b = 0; the softmax of the
                 paper around it changes no order.
    batch        Zhou et al. 2023, arXiv 2309.17249: argmax_j p(j | x) / mean_x p(j | x), the mean over all test items
                 of the cell. It looks at the test questions, never at their answers: it is transductive, other methods
                 are not, and with other test items beside it an item may get another answer.

Where all items share their choices and the demonstrations, p_cf is measured once a cell; else for each item anew, with
its choices. A context is stood in for like the question. The paper has labels of one token; here each is a text.
The continuous score is the gold choice's uncalibrated probability under every setting: the model's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from onset.errors import DataError, MethodError, StudyError
from onset.prompting.ask import ANSWER, Ask
from onset.prompting.base import Need, Planned, Prompt
from onset.records import Answer, Attempt, Completion, Gold, Item, Scored
from onset.scores import choice_probabilities, normalised_choice_probability
from onset.tasks.base import Task
from onset.votes.base import Vote

CALIBRATION = "calibration"
"""Role of the calls that measure the prior."""

CONTENT_FREE = ("N/A", "", "[MASK]")
"""Zhao et al. 2021, section 5."""

CHOICE_TOKENS = 3.0
"""Tokens of a choice and its full stop, as `onset plan` guesses."""


@dataclass(frozen=True, slots=True)
class Prior:
    """How probable a prompt makes each of ``choices`` whatever is asked: ``probabilities`` sum to 1, none is 0."""

    choices: tuple[str, ...]
    probabilities: tuple[float, ...]


class Chosen(Prompt):
    """The most probable of an item's choices. ``calibration``: what the probabilities are divided by."""

    kind: ClassVar[str] = "rank-classification"
    source: ClassVar[str] = (
        "Brown et al. 2020, arXiv 2005.14165, section 2.4; calibration: contextual, Zhao et al. 2021, arXiv 2102.09690;"
        " batch, Zhou et al. 2023, arXiv 2309.17249 (uses the test questions without their labels)"
    )
    words: ClassVar[str] = "question and answer pairs, answered by the most probable choice (rank classification)"
    needs: ClassVar[frozenset[Need]] = frozenset({"choices", "scores"})
    calls: ClassVar[str] = "1 call an item that scores each choice; contextual calibration: 3 more a cell"

    calibration: Literal["none", "contextual", "batch"] = "none"

    def check(self, vote: Vote | None) -> None:
        """Raises StudyError for a vote: there are no samples."""
        if vote is not None:
            raise StudyError(f"method: '{self.kind}' samples nothing to vote on; leave out 'vote'")

    def check_task(self, task: Task) -> None:
        """Raises DataError for batch calibration where items have choices of their own: there is no mean of them."""
        if self.calibration == "batch" and (count := len({item.choices for item in task.test})) > 1:
            raise DataError(
                f"task {task.name}: '{self.kind}' with 'calibration: batch' needs the same choices in every item, its"
                f" {len(task.test)} test items have {count} different lists of choices"
            )

    def grid(self) -> Sequence[Mapping[str, Any]]:
        """Contextual calibration, or none where it is written. Batch calibration is left out: its prior is a mean over
        many questions, and a few are held out.
        """
        return [{"calibration": "none" if self.calibration == "contextual" else "contextual"}]

    def limit(self, task: Task, chat: Any) -> int:
        """Room for the words "The answer is" and the longest choice, as for an answer at once."""
        return task.answer_tokens

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """The prompt once, and the tokens of every choice; where items have choices of their own, their priors too."""
        lists = {item.choices or () for item in task.test}
        options = CHOICE_TOKENS * max(map(len, lists), default=0)
        calls = [Planned(ANSWER, 0.0), Planned(ANSWER, 0.0, tokens_in=options)]
        if self.calibration == "contextual" and len(lists) > 1:
            calls += [Planned(CALIBRATION, 0.0, prompts=len(CONTENT_FREE))]
        return tuple(calls)

    async def prepare(self, ask: Ask, examples: Sequence[Item]) -> Any:
        """The prior, for contextual calibration where all items share their choices and the demonstrations."""
        if self.calibration != "contextual" or not ask.item.choices:
            return None
        return await _prior(ask.item, ask)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Score every choice once, and take the one that is most probable, or most above its prior."""
        if not item.choices:
            raise MethodError(f"'{self.kind}' needs an item with choices; question '{item.question[:60]}' has none")
        prompt = _announced(item, ask)
        scored = await _score(prompt, item, ask, ANSWER)
        missing = [one for one in scored if one.logprob is None]
        if missing:
            done = Completion("", 0, missing[0].context_tokens, None, "overlong")
            nothing = Answer(None, "none")
            return Attempt(prompt, (done,), (nothing,), nothing)
        logprobs = [one.logprob for one in scored]
        prior = await self._prior_of(item, ask)
        answer = chosen(item.choices, logprobs, None if prior is None else prior.probabilities)
        at = item.choices.index(item.answer)
        gold = Gold(logprobs[at], normalised_choice_probability(at, logprobs)) if ask.continuous else Gold(None, None)
        detail: dict[str, Any] = {"choices": list(item.choices)}
        if prior is not None:
            detail["prior"] = list(prior.probabilities)
        return Attempt(prompt, (), (answer,), answer, gold, tuple(logprobs), detail)

    async def _prior_of(self, item: Item, ask: Ask) -> Prior | None:
        """What the item's probabilities are divided by; batch calibration knows only when all items are there."""
        if self.calibration != "contextual":
            return None
        held = ask.state
        return held if isinstance(held, Prior) and held.choices == item.choices else await _prior(item, ask)

    def conclude(self, items: Sequence[Item], scores: Sequence[Sequence[float | None] | None]) -> list[Answer] | None:
        """Batch calibration: every answer, by the mean over all items that have scores. A score of None among others is
        a probability of 0, which is stored so.
        """
        if self.calibration != "batch":
            return None
        found = [None if held is None else choice_probabilities([_known(one) for one in held]) for held in scores]
        measured = [one for one in found if one is not None]
        count = len(measured[0]) if measured else 0
        if any(len(one) != count for one in measured):
            raise MethodError(
                f"'{self.kind}' with 'calibration: batch': items of one cell have more choices than others"
            )
        prior = [math.fsum(one[label] for one in measured) / len(measured) for label in range(count)]
        return [
            Answer(None, "none") if held is None or not item.choices else chosen(item.choices, _logs(held), prior)
            for item, held in zip(items, found, strict=True)
        ]


def chosen(choices: Sequence[str], logprobs: Sequence[float | None], prior: Sequence[float] | None) -> Answer:
    """The choice of the largest log-probability, less the logarithm of its ``prior`` where there is one.

    ``logprobs`` in nats, one a choice (-inf: impossible; it never wins). ``ambiguous`` where two are exactly equal,
    ``none`` where every choice is impossible.
    """
    logs = [-math.inf if one is None else one for one in logprobs]
    if prior is not None:
        logs = [one - math.log(base) if one > -math.inf else one for one, base in zip(logs, prior, strict=True)]
    best = max(logs)
    if best == -math.inf:
        return Answer(None, "none")
    winners = [choice for choice, one in zip(choices, logs, strict=True) if one == best]
    return Answer(winners[0], "ok") if len(winners) == 1 else Answer(None, "ambiguous")


def _announced(item: Item, ask: Ask) -> str:
    return f"{ask.prompt(item, rationale=False)}{ask.lead}{ask.task.layout.marker}"


async def _score(prompt: str, item: Item, ask: Ask, role: str) -> tuple[Scored, ...]:
    return await ask.score(prompt, [f" {choice}{ask.task.layout.end}" for choice in item.choices or ()], role)


async def _prior(item: Item, ask: Ask) -> Prior:
    """The mean over the content-free inputs of the probabilities of ``item``'s choices."""
    rows = []
    for text in CONTENT_FREE:
        context = text if item.context is not None else None
        stand_in = Item(text, "", choices=item.choices, context=context)
        scored = await _score(_announced(stand_in, ask), stand_in, ask, CALIBRATION)
        if choice_probabilities([one.logprob for one in scored]) is None:
            raise MethodError(f"contextual calibration: no choice has a probability with {text!r} as the question")
        rows.append([_known(one.logprob) for one in scored])
    highest = max(map(max, rows))
    sums = [math.fsum(math.exp(one - highest) for one in column) for column in zip(*rows, strict=True)]
    prior = tuple(one / math.fsum(sums) for one in sums)
    if min(prior) == 0:
        never = (item.choices or ())[prior.index(0)]
        raise MethodError(
            f"contextual calibration: '{never}' has probability 0 whatever is asked, nothing to divide by"
        )
    return Prior(tuple(item.choices or ()), prior)


def _known(score: float | None) -> float:
    return -math.inf if score is None else score


def _logs(probabilities: Sequence[float]) -> list[float]:
    return [math.log(one) if one > 0 else -math.inf for one in probabilities]
