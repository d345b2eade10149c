"""The batcher: one model call for all waiting solvers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from onset.batching import Solved, Solver, solve_all
from onset.errors import RequestRefused, Unanswered
from onset.prompting.ask import Ask, spent
from onset.records import Completion, Item, Pair, Request, Scored
from onset.tasks.base import Task


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


async def read_then_answer(item: Item, ask: Ask) -> str:
    """Two calls: generate a passage, then answer with it."""
    passage = (await ask.generate(f"passage {item.question}", "passage", max_tokens=1))[0].text
    return (await ask.generate(f"{passage} answer {item.question}", "answer", max_tokens=1))[0].text


ITEMS = [Item(f"q{i}", "a") for i in range(5)]
TASK = Task("t", "own", (), (), None, 0.0, "made")  # type: ignore[arg-type]


def solve(model: Any, solver: Solver) -> list[Solved]:
    return solve_all(model, solver, ITEMS, lambda item, calls: Ask(calls, TASK, item))


def results(solved: Sequence[Solved]) -> list[Any]:
    return [one.result for one in solved]


def test_a_two_call_method_makes_two_model_calls_for_all_items() -> None:
    model = Counting()
    solved = solve(model, read_then_answer)
    assert model.generated == [
        [f"passage q{i}" for i in range(5)],
        [f"<passage q{i}> answer q{i}" for i in range(5)],
    ]
    assert results(solved) == [f"<<passage q{i}> answer q{i}>" for i in range(5)]
    assert [[call.role for call in one.transcript] for one in solved] == [["passage", "answer"]] * 5
    assert [spent(one.transcript) for one in solved] == [(2, 2)] * 5


async def uneven(item: Item, ask: Ask) -> str:
    """The i-th item makes i calls: some solvers end while others wait."""
    text = ""
    for step in range(int(item.question[1:])):
        text = (await ask.generate(f"{item.question} step {step}", "step", max_tokens=1))[0].text
    await ask.score(item.question, [" a"], "gold")
    return text


def test_solvers_of_different_length_share_batches_and_keep_their_results() -> None:
    model = Counting()
    solved = solve(model, uneven)
    assert [len(batch) for batch in model.generated] == [4, 3, 2, 1]
    assert results(solved) == ["", "<q1 step 0>", "<q2 step 1>", "<q3 step 2>", "<q4 step 3>"]
    assert sorted(name for batch in model.scored for name in batch) == [f"q{i}" for i in range(5)]
    assert [spent(one.transcript) for one in solved] == [(i, i) for i in range(5)]  # the gold answer's score is no cost


async def broken(item: Item, ask: Ask) -> str:
    await ask.generate(f"first {item.question}", "first", max_tokens=1)
    if item.question == "q3":
        raise RuntimeError("solver\nbroke")
    if item.question == "q4":
        raise ValueError
    await ask.generate(f"second {item.question}", "second", max_tokens=1)
    return item.question


async def gathers(item: Item, ask: Ask) -> None:
    """One branch of three gives up after its first call, the others go on."""

    async def branch(place: int) -> None:
        await ask.generate(f"{item.question} first {place}", "first", max_tokens=1)
        if place == 1:
            raise ValueError("no way")
        await ask.generate(f"{item.question} second {place}", "second", max_tokens=1)

    await asyncio.gather(*(branch(place) for place in range(3)))


def test_what_an_item_that_failed_had_asked_does_not_depend_on_its_neighbours() -> None:
    async def slow(item: Item, ask: Ask) -> None:
        for step in range(5):
            await ask.generate(f"{item.question} {step}", "step", max_tokens=1)

    async def mixed(item: Item, ask: Ask) -> None:
        await (gathers if item is ITEMS[0] else slow)(item, ask)

    (alone,) = solve_all(Counting(), gathers, ITEMS[:1], lambda item, calls: Ask(calls, TASK, item))  # type: ignore[arg-type]
    beside = solve(Counting(), mixed)[0]
    assert alone == beside
    assert [call.role for call in beside.transcript] == ["first"] * 3


def test_a_solver_that_raises_fails_its_item_alone() -> None:
    model = Counting()
    solved = solve(model, broken)
    assert results(solved) == ["q0", "q1", "q2", None, None]
    assert [one.cause for one in solved] == [None, None, None, "RuntimeError: solver broke", "ValueError"]
    assert [call.prompt for call in solved[3].transcript] == ["first q3"]
    assert spent(solved[4].transcript) == (1, 1)
    assert model.generated[1] == ["second q0", "second q1", "second q2"]


class Gone(Counting):
    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        raise OSError("the server is down")


def test_an_error_of_the_model_reaches_the_caller() -> None:
    with pytest.raises(OSError, match="the server is down"):
        solve(Gone(), broken)


# ---- where an event loop runs already ------------------------------------------------------------------------------

NOTE: ContextVar[str] = ContextVar("note", default="unset")


async def curious(item: Item, ask: Ask) -> str:
    await ask.score(item.question, [" 0", " 1"], "choice")
    return f"{item.question} {NOTE.get()}"


class Later(Counting):
    """Has no answer yet to a prompt that holds one of ``missing``, and refuses those that hold ``refused``."""

    def __init__(self, *missing: str, refused: str = "nothing") -> None:
        super().__init__()
        self.missing = missing
        self.refused = refused

    def answers(self, requests: Sequence[Request]) -> list[Any]:
        return [self._answer(one.prompt, found) for one, found in zip(requests, self.generate(requests), strict=True)]

    def _answer(self, prompt: str, found: list[Completion]) -> Any:
        if any(one in prompt for one in self.missing):
            return Unanswered("later")
        return RequestRefused("no") if self.refused in prompt else found


def test_what_waits_for_an_answer_holds_nobody_up_and_nothing_is_handed_back_without_it() -> None:
    model = Later("passage q1", "answer q3")
    with pytest.raises(Unanswered, match="2 answers are yet to come"):
        solve(model, read_then_answer)
    assert model.generated == [
        [f"passage q{i}" for i in range(5)],
        [f"<passage q{i}> answer q{i}" for i in (0, 2, 3, 4)],
    ]
    assert results(solve(Later(), read_then_answer)) == results(solve(Counting(), read_then_answer))


def test_a_solver_that_catches_everything_is_not_told_that_an_answer_is_yet_to_come() -> None:
    async def careless(item: Item, ask: Ask) -> str:
        try:
            return await read_then_answer(item, ask)
        except Exception:
            return "gave up"

    with pytest.raises(Unanswered):
        solve(Later("passage q2"), careless)


def test_an_item_that_fails_beside_an_answer_that_is_yet_to_come_waits_for_it() -> None:
    """Its transcript holds the other call once it is answered."""

    async def both(item: Item, ask: Ask) -> Any:
        return await asyncio.gather(*(ask.generate(f"{word} {item.question}", word, max_tokens=1) for word in "ab"))

    with pytest.raises(Unanswered, match="1 answers"):
        solve(Later("a q1", refused="b q1"), both)
    solved = solve(Later(refused="b q1"), both)
    assert [one.cause for one in solved] == [None, "RequestRefused: no", None, None, None]
    assert [call.prompt for call in solved[1].transcript] == ["a q1"]


class Placed(Counting):
    """A model that must be called in the thread of the test: a device may belong to it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        self.threads.add(threading.get_ident())
        return super().generate(requests)

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        self.threads.add(threading.get_ident())
        return super().score(pairs)


@pytest.mark.parametrize("solver", [read_then_answer, uneven, broken, curious])
def test_a_running_loop_changes_nothing(solver: Solver) -> None:
    async def program(model: Placed) -> list[Solved]:
        return solve(model, solver)

    NOTE.set("set")
    plain, inside = Placed(), Placed()
    assert asyncio.run(program(inside)) == solve(plain, solver)
    assert (inside.generated, inside.scored) == (plain.generated, plain.scored)
    assert inside.threads == plain.threads == {threading.get_ident()}
    assert not [one for one in threading.enumerate() if one.name == "onset-solvers"]


def test_errors_and_interrupts_inside_a_running_loop_reach_the_caller() -> None:
    class Stopped(Counting):
        def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
            raise KeyboardInterrupt  # what Ctrl-C raises in the thread that computes

    async def program(model: Counting) -> str:
        try:
            solve(model, read_then_answer)
        except (OSError, KeyboardInterrupt) as error:
            return type(error).__name__
        return "nothing"

    assert asyncio.run(program(Gone())) == "OSError"
    assert asyncio.run(program(Stopped())) == "KeyboardInterrupt"
    assert not [one for one in threading.enumerate() if one.name == "onset-solvers"]


def test_the_loop_of_an_async_program_goes_on_afterwards() -> None:
    async def program() -> str:
        task = asyncio.create_task(asyncio.sleep(0, "later"))
        solve(Counting(), read_then_answer)
        return await task

    assert asyncio.run(program()) == "later"
