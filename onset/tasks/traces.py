"""State traces: what a scratchpad holds while a task is worked line by line.

Source: Nye et al. 2021, arXiv 2112.00114, section 5: after each line of a program the state of its variables, as a
mapping. Word problems and stories are executed in the same way, a sentence being a line.

    state: {}
    line: a = 5
    state: {"a": 5}
    line: print(a)
    output: 5
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from onset.records import Item


def executed(lines: Iterable[tuple[str, Mapping[str, int | str]]], last: str, output: str) -> str:
    """The trace of ``lines``, each with the state after it, up to the ``last``, which asks for the ``output``."""
    said = ["state: {}"]
    for line, state in lines:
        said += [f"line: {line}", f"state: {json.dumps(dict(state), ensure_ascii=False)}"]
    return "\n".join([*said, f"line: {last}", f"output: {output}"])


def sentences(text: str) -> list[str]:
    """The sentences of a problem, each with its full stop or question mark."""
    return re.split(r"(?<=[.?])\s+", text.strip())


def quantity(sentence: str) -> int:
    """The last number of a worked step: ``10`` of ``Pam has 17 - 7 = 10.``"""
    return int(re.findall(r"\d+", sentence)[-1])


def limit(lines: int) -> int:
    """Tokens that hold a trace of so many lines, whose state grows by one entry each, and the answer."""
    return 30 * (lines + 1) + 5 * (lines + 1) ** 2 + 30


def of_problem(item: Item) -> str:
    """The trace of a word problem told in order: who has how many, a sentence at a time. A sentence that compares or
    changes takes the next worked step's number.
    """
    *told, asked = sentences(item.question)
    worked = iter(sentences(item.rationale or ""))
    state: dict[str, int | str] = {}
    lines: list[tuple[str, Mapping[str, int | str]]] = []
    for line in told:
        derived = any(word in line for word in (" than ", " as many ", " then "))
        state[line.split()[0]] = quantity(next(worked) if derived else line)
        lines.append((line, dict(state)))
    return executed(lines, asked, item.answer)


def of_chain(item: Item) -> str:
    """The trace of a word problem told in any order: its sentences in the order in which they can be worked, those that
    do not matter left out. Each person who matters is the subject of one sentence.
    """
    *told, asked = sentences(item.question)
    subjects = {line.split()[0]: line for line in told}
    state: dict[str, int | str] = {}
    lines: list[tuple[str, Mapping[str, int | str]]] = []
    for step in sentences(item.rationale or ""):
        name = step.split()[0]
        state[name] = quantity(step)
        lines.append((subjects[name], dict(state)))
    return executed(lines, asked, item.answer)


def of_program(item: Item) -> str:
    """The trace of a program, its lines in the order in which they can run."""
    written = item.question.split("\n")
    state: dict[str, int | str] = {}
    lines: list[tuple[str, Mapping[str, int | str]]] = []
    for step in (item.rationale or "").split("\n"):
        name = step.removeprefix("# ").split(" = ")[0]
        state[name] = quantity(step)
        lines.append((next(line for line in written if line.startswith(f"{name} =")), dict(state)))
    asked = next(line for line in written if line.startswith(("print", "solve")))
    return executed(lines, asked, item.answer)


def of_coin(item: Item) -> str:
    """The trace of a coin-flip story: the side that is up after each sentence."""
    first, *told, asked = sentences(item.question)
    up = "heads" if " heads " in first else "tails"
    lines: list[tuple[str, Mapping[str, int | str]]] = [(first, {"up": up})]
    for line in told:
        if " does not flip " not in line:
            up = "tails" if up == "heads" else "heads"
        lines.append((line, {"up": up}))
    return executed(lines, asked, item.answer)


def of_sum(item: Item) -> str:
    """The trace of a sum, as in figure 2 of the paper (without its comments, which are no part of the target there):
    what is left to add, the digits of the result so far and the carry.

        2 9 + 5 7 , C: 0
        2 + 5 , 6 C: 1
        , 8 6 C: 0
        0 8 6
    """
    left, right = re.findall(r"\d+", item.question)
    result: list[str] = []
    carry = 0
    lines = [f"{' '.join(left)} + {' '.join(right)} , C: 0"]
    for place in range(1, len(left) + 1):
        total = int(left[-place]) + int(right[-place]) + carry
        carry = total // 10
        result.insert(0, str(total % 10))
        rest = left[:-place], right[:-place]
        adding = f"{' '.join(rest[0])} + {' '.join(rest[1])} " if rest[0] else ""
        lines.append(f"{adding}, {' '.join(result)} C: {carry}")
    return "\n".join([*lines, " ".join([str(carry), *result])])
