"""The batcher: one model call for all waiting solvers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from onset.batching import solve_all
from onset.prompting.base import Context
from onset.records import Answer, Attempt, Completion, Item, Pair, Request, Scored


class Counting:
    """A model that records every call."""

    def __init__(self) -> None:
        self.generated: list[list[str]] = []
        self.scored: list[list[str]] = []

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        self.generated.append([one.prompt for one in requests])
        return [[Completion(f"<{one.prompt}>", 1, 1, 0.0, "stop")] for one in requests]

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        self.scored.append([one.context for one in pairs])
        return [Scored(-1.0, 1, 1) for _ in pairs]


def attempt(text: str) -> Attempt:
    return Attempt(text, (), (), Answer(None, "none"))


async def read_then_answer(item: Item, context: Context) -> Attempt:
    """Two calls: generate a passage, then answer with it."""
    passage = (await context.calls.generate(Request(f"passage {item.question}", 1)))[0].text
    answer = (await context.calls.generate(Request(f"{passage} answer {item.question}", 1)))[0].text
    return attempt(answer)


ITEMS = [Item(f"q{i}", "a") for i in range(5)]


def test_a_two_call_method_makes_two_model_calls_for_all_items() -> None:
    model = Counting()
    attempts = solve_all(model, read_then_answer, ITEMS, lambda calls: Context(None, (), calls, 0))  # type: ignore[arg-type]
    assert model.generated == [
        [f"passage q{i}" for i in range(5)],
        [f"<passage q{i}> answer q{i}" for i in range(5)],
    ]
    assert [one.prompt for one in attempts] == [f"<<passage q{i}> answer q{i}>" for i in range(5)]


async def uneven(item: Item, context: Context) -> Attempt:
    """The i-th item makes i calls: some solvers end while others wait."""
    text = ""
    for step in range(int(item.question[1:])):
        text = (await context.calls.generate(Request(f"{item.question} step {step}", 1)))[0].text
    await context.calls.score(Pair(item.question, " a"))
    return attempt(text)


def test_solvers_of_different_length_share_batches_and_keep_their_results() -> None:
    model = Counting()
    attempts = solve_all(model, uneven, ITEMS, lambda calls: Context(None, (), calls, 0))  # type: ignore[arg-type]
    assert [len(batch) for batch in model.generated] == [4, 3, 2, 1]
    assert [one.prompt for one in attempts] == ["", "<q1 step 0>", "<q2 step 1>", "<q3 step 2>", "<q4 step 3>"]
    assert sorted(name for batch in model.scored for name in batch) == [f"q{i}" for i in range(5)]


async def broken(item: Item, context: Context) -> Attempt:
    await context.calls.generate(Request("x", 1))
    if item.question == "q3":
        raise RuntimeError("solver broke")
    return attempt("")


def test_an_error_of_a_solver_reaches_the_caller() -> None:
    with pytest.raises(RuntimeError, match="solver broke"):
        solve_all(Counting(), broken, ITEMS, lambda calls: Context(None, (), calls, 0))  # type: ignore[arg-type]
