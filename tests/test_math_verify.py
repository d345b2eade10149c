"""math-verify as a second reader: its published behaviour through ours, what it gets of a text, and where it cannot read."""

from __future__ import annotations

import json
import logging
import sys
import threading

import pytest
from conftest import shared

from onset.answers import NumberFormat, canonical_number
from onset.answers.math_verify import SECONDS, Second, math_verify
from onset.errors import DataError, InputError
from onset.records import Item

ITEM = Item("How many?", "18")

# tests/test_all.py of the library: a gold answer, a text, and whether they are equal
PUBLISHED = [
    ("0.5", r"\boxed{\frac{1}{2}}", True),
    ("10/9", r"\frac{10}{9}", True),
    ("-10/9", r"-\frac{10}{9}", True),
    ("7425000", "7,425,000", True),
    ("1000", "1000.0", True),
    ("0.4", ".4", True),
    ("1000.99", "the number is not 10 which is 1,000.99\u20ac", True),
    ("1000.99", "so the number is 10 which is 1,000.99m\u00b2", True),
    ("9", r"Answer \[ 9 \]", True),
    ("9", "Answer $ \n 9 \n $", True),  # LaTeX alone does not find it; plain numbers are looked for too
    ("10", r"Answer \( (9+1) \)", True),
    ("1/3", r"$\frac13 $", True),
    ("1/3", r"$\left( \frac{1}{3} \right)$", True),
    ("1/3", r"$\frac{1}{3} \text{meters}$", True),
    ("1/3", r"$k = \frac{1}{3}$", True),
    ("28", "28 percent", True),
    ("28", "28 %", True),
    ("0.28", "28", False),
    ("28", "28/100", False),
    ("2", "AZYUK2A", False),
]


@pytest.mark.parametrize(("gold", "text", "right"), PUBLISHED)
def test_it_says_what_the_library_says(gold: str, text: str, right: bool) -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    with math_verify() as read:
        assert read(text, ITEM, [gold], gold).right is right


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("16 - 7 = 9, 9 * 2 = 18. The answer is $18.00.", Second(True, True, True)),
        ("The answer is 5 or 6.", Second(True, False, False)),  # ambiguous by the task's reader
        ("The answer is eighteen.", Second(False, False, True)),  # by neither a number
        ("<think>19? No, 18.</think> The answer is 18.", Second(True, True, True)),
        ("<think>It may be 18", Second(False, False, True)),
        ("The answer is 18.\nQuestion: What is 3 * 3?\nAnswer: The answer is 9.", Second(True, True, True)),
        ("", Second(False, False, True)),
    ],
)
def test_it_reads_the_part_that_the_task_reads(text: str, second: Second) -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    first = NumberFormat().extract(text.rpartition("</think>")[2].removeprefix("<think>It may be 18"), ITEM)
    with math_verify() as read:
        assert read(text, ITEM, ["18"], first.value) == second


@pytest.mark.slow
@pytest.mark.parametrize(("prompting", "right", "differ"), [("cot", 352, 9), ("direct", 116, 0)])
def test_both_readers_judge_the_released_codex_outputs_alike(prompting: str, right: int, differ: int) -> None:
    """Suzgun et al. 2022: outputs of the subtasks whose answers are numbers. They differ on chains that were cut."""
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    lines = shared("data", "bbh", "codex", f"{prompting}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if canonical_number(row["target"]) is not None]
    assert len(rows) == 500
    counts = {"right": 0, "differ": 0}
    with math_verify() as read:
        for row in rows:
            item = Item(row["question"], row["target"])
            first = NumberFormat().extract(row["prediction"], item)
            second = read(row["prediction"], item, [row["target"]], first.value)
            assert second.right is NumberFormat().score(first, item).correct
            counts["right"] += second.right
            counts["differ"] += not second.same
    assert counts == {"right": right, "differ": differ}


def test_a_mark_in_the_question_begins_no_turn() -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    text = "Q: 3. User: 4. The answer is 18."
    with math_verify() as read:
        assert read(text, Item("User: asks. How many?", "18"), ["18"], "18").right
        assert not read(text, ITEM, ["18"], "18").right


def test_one_of_several_right_answers_is_right() -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    with math_verify() as read:
        assert read("The answer is 0.5.", ITEM, ["18", "1/2"], "18") == Second(True, True, False)
        assert read("The answer is 3.", ITEM, ["18", "1/2"], "3") == Second(True, False, True)


def test_what_takes_too_long_is_counted_and_printed_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    monkeypatch.setattr("onset.answers.math_verify.SECONDS", 1)
    with caplog.at_level(logging.WARNING), math_verify() as read:
        late = read("The answer is $9^{9^{9^{9}}}$.", ITEM, ["18"], None)
        assert (late.found, late.right, late.same) == (True, False, False)
        assert late.timeouts > 0
        assert read("The answer is 18.", ITEM, ["18"], "18") == Second(True, True, True)
    assert caplog.records == []
    assert logging.getLogger("math_verify").propagate
    assert SECONDS == 5


def test_a_gold_answer_that_is_no_number_is_refused() -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    with math_verify() as read, pytest.raises(DataError, match="no number in the answer 'red'"):
        read("The answer is 18.", ITEM, ["red"], "18")


def test_another_thread_is_refused() -> None:
    pytest.importorskip("math_verify", reason="the extra 'math' is not installed")
    said: list[str] = []

    def work() -> None:
        try:
            with math_verify():
                pass
        except InputError as error:
            said.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == ["math-verify sets its time limits by a signal: call it from the main thread"]


def test_without_the_library_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(
        InputError, match=r"^reading with math-verify needs the library: pip install 'lm-onset\[math\]'$"
    ):
        math_verify().__enter__()
