"""What findings about stages of training call a stage, its reference, and what both were trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from onset.analysis.estimates.stages import Against, Tokens
from onset.analysis.questions.say import Say
from onset.analysis.setting import BASE


def stage_words(name: str, say: Say) -> str:
    """``the base model`` or ``the model after steps, programs``."""
    return say("the base model") if name == BASE else say("the model after “{stage}”", stage=say.stage(name))


def reference_words(name: str, against: Against, say: Say) -> str:
    """The reference, and that it is a placebo where it is one."""
    if against == "placebo":
        return say("its placebo “{stage}”", stage=say.stage(name))
    return stage_words(name, say)


def token_words(tokens: Tokens, against: Against, say: Say) -> str:
    """Whether both were trained on as many tokens, and what follows where they were not."""
    if tokens.stage is None or tokens.reference is None:
        return say("how many tokens each was trained on is not known")
    if tokens.equal:
        return say("both trained on {tokens} tokens", tokens=_count(tokens.stage))
    if tokens.reference == 0:
        return say(
            "trained on {tokens} tokens more than its reference: whether what they say matters, or only that there are"
            " more, a placebo of as many would show",
            tokens=_count(tokens.stage),
        )  # fmt: skip
    return say(
        "trained on unequal numbers of tokens, {tokens} against {others}",
        tokens=_count(tokens.stage), others=_count(tokens.reference),
    )  # fmt: skip


def _count(tokens: int) -> str:
    return f"{tokens:,}"


def order(against: Against, tokens: Tokens) -> int:
    """The best reference first: a placebo of as many tokens, another placebo, what the stage was made from."""
    return 2 if against != "placebo" else 0 if tokens.equal else 1


class Held(Protocol):
    """An estimate of a stage beside one reference."""

    @property
    def against(self) -> Against:
        """What the reference is."""

    @property
    def tokens(self) -> Tokens:
        """Of training, of either."""


_Held = TypeVar("_Held", bound=Held)
_Verdict = TypeVar("_Verdict", bound=str)


def agreed(rows: Sequence[_Held], verdict: Callable[[_Held], _Verdict]) -> _Verdict | None:
    """What holds of a stage against all that it was held against; None where these differ: a placebo may lose what the
    base model had.
    """
    found = {verdict(one) for one in rows}
    return found.pop() if len(found) == 1 else None


def weakest(rows: Sequence[_Held], verdict: Callable[[_Held], str]) -> _Held:
    """Where the references agree the best of them (`order`); else one by which nothing is shown."""
    ranked = sorted(rows, key=lambda one: order(one.against, one.tokens))
    if agreed(rows, verdict) is not None:
        return ranked[0]
    return next((one for one in ranked if verdict(one) == "undecided"), ranked[-1])
