"""State traces against examples of the paper and against the answers of the items they work out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from onset.records import Item
from onset.tasks import open_tasks
from onset.tasks.base import Task
from onset.tasks.traces import of_chain, of_coin, of_problem, of_program, of_sum

# The first is figure 2 of Nye et al. 2021 (arXiv 2112.00114) without its comments; the others follow its rule.
SUMS = {
    "29 + 57": ["2 9 + 5 7 , C: 0", "2 + 5 , 6 C: 1", ", 8 6 C: 0", "0 8 6"],
    "83 + 76": ["8 3 + 7 6 , C: 0", "8 + 7 , 9 C: 0", ", 5 9 C: 1", "1 5 9"],
    "123 + 169": ["1 2 3 + 1 6 9 , C: 0", "1 2 + 1 6 , 2 C: 1", "1 + 1 , 9 2 C: 0", ", 2 9 2 C: 0", "0 2 9 2"],
}


@pytest.mark.parametrize(("asked", "lines"), SUMS.items())
def test_a_sum_is_traced_as_in_the_paper(asked: str, lines: list[str]) -> None:
    assert of_sum(Item(f"What is {asked}?", "0")).split("\n") == lines


def test_problems_are_traced_as_programs() -> None:
    told = Item(
        "Ray has 17 keys. Pam has 7 fewer keys than Ray. Pam then finds 5 more. How many keys do Ray and Pam have together now?",
        "32",
        "Pam has 17 - 7 = 10. Pam now has 10 + 5 = 15. Together they have 17 + 15 = 32.",
    )
    assert of_problem(told) == "\n".join(
        [
            "state: {}",
            "line: Ray has 17 keys.",
            'state: {"Ray": 17}',
            "line: Pam has 7 fewer keys than Ray.",
            'state: {"Ray": 17, "Pam": 10}',
            "line: Pam then finds 5 more.",
            'state: {"Ray": 17, "Pam": 15}',
            "line: How many keys do Ray and Pam have together now?",
            "output: 32",
        ]
    )
    shuffled = Item(
        "Pam owns 7 keys less than Ray. Gil has 3 cups. Ray owns 17 keys. How many keys does Pam own?",
        "10",
        "Ray has 17. Pam has 17 - 7 = 10.",
    )
    assert of_chain(shuffled).split("\n")[1:5] == [
        "line: Ray owns 17 keys.",
        'state: {"Ray": 17}',
        "line: Pam owns 7 keys less than Ray.",
        'state: {"Ray": 17, "Pam": 10}',
    ]
    program = Item("solve b:\nb = a / 2\na = 18", "9", "# a = 18\n# b = 18 / 2 = 9")
    assert of_program(program) == (
        'state: {}\nline: a = 18\nstate: {"a": 18}\nline: b = a / 2\nstate: {"a": 18, "b": 9}\nline: solve b:\noutput: 9'
    )
    coin = Item("A coin lies heads up. Theo does not flip the coin. Eva flips the coin. Which side is up now?", "tails")
    assert of_coin(coin).split("\n")[-5:] == [
        'state: {"up": "heads"}',
        "line: Eva flips the coin.",
        'state: {"up": "tails"}',
        "line: Which side is up now?",
        "output: tails",
    ]


def loaded(**entry: Any) -> Task:
    (task,) = open_tasks({"pool": 120, "test": 40, **entry})
    return task


TRACED = [
    {"name": "addition", "digits": 2},
    {"name": "addition", "digits": 7},
    {"name": "coin-flip", "flips": 5},
    {"name": "word-problems", "steps": 1},
    {"name": "word-problems", "steps": 6},
    {"name": "world-problems", "steps": 4},
    {"name": "world-problems", "steps": 8, "order": "shuffled"},
    {"name": "world-programs", "steps": 3},
    {"name": "world-programs", "steps": 8, "order": "shuffled"},
]


@pytest.mark.parametrize("entry", TRACED, ids=str)
def test_every_labelled_example_has_a_trace_that_ends_with_its_answer(entry: dict[str, Any]) -> None:
    task = loaded(**entry)
    assert task.trace is not None
    for item in (*task.pool, *task.test):
        *lines, last = task.trace(item).split("\n")
        if entry["name"] == "addition":
            assert int(last.replace(" ", "")) == int(item.answer)
            continue
        assert last == f"output: {item.answer}"
        named = [line.removeprefix("line: ") for line in lines if line.startswith("line: ")]
        assert all(line in item.question for line in named)
        state = next(line for line in reversed(lines) if line.startswith("state: "))
        parts = re.findall(r"\d+|heads|tails", state)
        if "together" in item.question or "How many more" in item.question:
            sums = {abs(int(a) + sign * int(b)) for a in parts for b in parts for sign in (1, -1)}
            assert int(item.answer) in sums
        else:
            assert parts[-1] == item.answer


@pytest.mark.parametrize("entry", TRACED, ids=str)
def test_a_trace_fits_its_limit_at_a_token_for_two_characters(entry: dict[str, Any]) -> None:
    """Digits apart (sums) at a token a character."""
    task = loaded(**entry)
    assert task.trace is not None
    longest = max(len(task.trace(item)) for item in (*task.pool, *task.test)) + 40
    assert longest / (1 if entry["name"] == "addition" else 2) <= task.trace_tokens


def test_traces_are_known_by_a_hash_of_their_own() -> None:
    task = loaded(name="addition")
    (other,) = open_tasks({"name": "multi-hop", "pool": 8, "test": 4})
    assert re.fullmatch("[0-9a-f]{16}", task.traces or "")
    assert loaded(name="addition", digits=4).traces != task.traces
    assert (other.trace, other.traces) == (None, None)
