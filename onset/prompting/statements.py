"""Statements, and the prompts of maieutic prompting: that negate them, explain them, and judge them.

Source: Jung et al. 2022, arXiv 2205.11822, section 3, and its released prompts; the six examples of how to negate are
made by hand. `onset.prompting.maieutic` asks with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from onset.records import Item

NEGATE = """Given a statement, negate it to create a new sentence.
###
Q: Bread is baked in an oven.
A: The statement is false. Bread is not baked in an oven.
###
Q: The Moon is larger than the Earth.
A: The statement is false. The Moon is not larger than the Earth.
###
Q: Some birds cannot fly.
A: The statement is false. All birds can fly.
###
Q: All rivers flow to the north.
A: The statement is false. Not all rivers flow to the north.
###
Q: If it rains, the street gets wet.
A: The statement is false. If it rains, the street does not get wet.
###
Q: Nobody has ever climbed Mount Everest.
A: The statement is false. Somebody has climbed Mount Everest.
###
"""
EXPLAIN = (
    "Given a statement, infer whether the statement makes sense or does not make sense, and explain the reason.\n###\n"
)
JUDGE = "Given a statement, correctly explain whether the statement is true or false.\n###\n"
TRUTHS = ("true", "false")


def statement(text: str) -> str:
    """A sentence as a statement: first letter large, a point at its end."""
    text = text.strip().rstrip("?.!").rstrip()
    return f"{text[:1].upper()}{text[1:]}."


def statement_of(item: Item) -> str:
    """What is to be judged: the column ``statement``, else the question."""
    own = item.meta.get("statement")
    return statement(own if isinstance(own, str) and own.strip() else item.question)


def asked_of(said: str) -> str:
    """The question whether ``said`` is true."""
    return f"Q: {said.removesuffix('.')}?\nA:"


def explain_prompt(said: str, demos: Sequence[Item]) -> str:
    """The prompt that explains ``said``; the words that call it true or false begin the answer."""
    shown = [
        f"{asked_of(statement_of(one))} This statement is {one.answer.lower()}, because {reason_of(one)}\n###\n"
        for one in demos
    ]
    return "".join([EXPLAIN, *shown, asked_of(said)])


def judge_prompt(said: str, demos: Sequence[Item], *, explained: bool) -> str:
    """The prompt that judges ``said``, with the demonstrations' rationales or their answers alone."""
    shown = []
    for one in demos:
        reason = f" {statement(reason_of(one))} Therefore, the statement is" if explained else " The statement is"
        shown.append(f"{asked_of(statement_of(one))}{reason} {one.answer.lower()}.\n###\n")
    return "".join([JUDGE, *shown, asked_of(said)])


def reason_of(demo: Item) -> str:
    """A demonstration's rationale, on one line."""
    return " ".join((demo.rationale or "").split())
