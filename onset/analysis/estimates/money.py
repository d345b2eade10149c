"""What an arm costs in money, by the price that the study gives of its model, else of all: a query, and what is done
once before the first.

By the ``hour`` of the machine: the seconds that the study took for each. By tokens: a million of prompts (``input``)
and of outputs (``output``), and a million of ``training`` (an example counts once for each time it is trained on).
Trials of a search cost what they ran. Nothing is said of what is not known: of tuning where tokens of training have no
price, of times that were not measured, of texts that a base model wrote to be trained on (their tokens are not told
apart into prompts and outputs), of tokens of a second model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onset.analysis.setting import model_of_stage
from onset.models import default_label

if TYPE_CHECKING:
    from onset.analysis.estimates.costs import Spent

NO_PRICE = "the study gives no 'price'"
NO_TIME = "how long it took is not known"
NO_TOKENS = "its tokens are not known"
NO_TRAINING = "the price says nothing of 'training', a million tokens of it"
NO_TEXTS = "tokens that the model wrote to be trained on have no price"
NO_SECOND = "tokens of a second model, which a query takes too, have no price"


@dataclass(frozen=True, slots=True)
class Money:
    """In ``currency``: a ``query``, and ``once`` (tuning, the search for settings and the stages before it; 0: nothing
    is done once); None where it is not known, which ``why`` then says.
    """

    query: float | None
    once: float | None
    currency: str
    why: str | None = None

    def total(self, queries: float) -> float | None:
        """Of so many queries and what is done once."""
        return None if self.query is None or self.once is None else self.once + queries * self.query

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"query": self.query, "once": self.once, "currency": self.currency}


def price_of(study: Mapping[str, Any], model: str, stage: str) -> Mapping[str, Any] | None:
    """What the canonical ``study`` says of the price of a model, as outcomes call it; None: nothing."""
    entries = [one for grid in (study, *study.get("parts", ())) for one in grid.get("models", ()) if one.get("price")]
    named = [(one.get("label") or default_label(one["spec"]), one["price"]) for one in entries]
    own = [price for label, price in named if model in (label, model_of_stage(label, stage))]
    found: Mapping[str, Any] | None = own[0] if own else study.get("price")
    return found or None


def money_of(price: Mapping[str, Any] | None, used: Spent, *, second: bool = False) -> Money | None:
    """What an arm costs; None where there is no ``price``. ``second``: does a query ask another model too?"""
    if price is None:
        return None
    query, once = _by_hour(price["hour"], used) if price.get("hour") is not None else _by_tokens(price, used, second)
    why = next((one for one in (query, once) if isinstance(one, str)), None)
    known = [None if isinstance(one, str) else one for one in (query, once)]
    return Money(known[0], known[1], price["currency"], why)


def _by_hour(hour: float, used: Spent) -> tuple[float | str, float | str]:
    """The query and what is done once: money, or why it is not known."""
    parts = [
        seconds
        for done, seconds in (
            (used.stages, used.stages_seconds),
            (used.tuning, used.tuning_seconds),
            (used.searched, used.search_seconds),
        )
        if done
    ]
    known = [one for one in parts if one is not None]
    return (
        NO_TIME if used.seconds is None else hour * used.seconds / 3600,
        NO_TIME if len(known) < len(parts) else hour * sum(known) / 3600,
    )


def _by_tokens(price: Mapping[str, Any], used: Spent, second: bool) -> tuple[float | str, float | str]:
    query = (
        NO_SECOND if second else _tokens((used.prompt_tokens, used.output_tokens), (price["input"], price["output"]))
    )
    parts = []
    if used.searched:
        rates = (price["input"], price["output"], price.get("training"))
        parts.append(_tokens(used.search_tokens or (None,), rates))
    if used.tuning:
        parts.append(NO_TEXTS if used.prepared_tokens else _tokens((used.tuning_tokens,), (price.get("training"),)))
    if used.stages:
        parts.append(NO_TEXTS if used.stages_sampled else _tokens((used.stages_tokens,), (price.get("training"),)))
    unknown = [one for one in parts if isinstance(one, str)]
    return query, unknown[0] if unknown else sum(one for one in parts if not isinstance(one, str))


def _tokens(counts: Sequence[float | None], rates: Sequence[float | None]) -> float | str:
    """Money of so many tokens at so much a million; or why it is not known."""
    total = 0.0
    for count, rate in zip(counts, rates, strict=False):
        if count is None:
            return NO_TOKENS
        if count and rate is None:
            return NO_TRAINING
        total += count * (rate or 0.0) / 1e6
    return total
