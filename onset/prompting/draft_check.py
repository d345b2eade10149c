"""Draft, sketch, check: the model works a problem out and writes its steps as equations, each of which is checked.

Source: Jiang et al. 2023, arXiv 2210.12283, section 3 (Draft, Sketch, and Prove), adapted from theorems in Isabelle to
word problems with numbers. A greedy draft (a chain of thought); a formal sketch of it; the checker looks at the sketch
line by line. From the first line that it rejects on, the sketch is asked again after the lines accepted so far, drawn
at ``temperature``, until all lines are accepted and the answer is the last line's value, or the budget of sketches is
spent: then there is no answer.

    Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
    Draft: Pam has 17 - 7 = 10. The answer is 10.
    Sketch:
    <17 - 7 = 10
    The answer is 10.>

The demonstrations' sketches are the equations in their rationales that the checker's parser reads; demonstrations
without any show no sketch. Deviations: there is no formal statement of the problem, so an accepted sketch is right
arithmetic and not a proof of the answer; gaps are closed by asking again, where the paper has an automatic prover; one
draft, where it has up to 100. No model's text is evaluated (`onset.prompting.formal`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.answers import NumberFormat, canonical_number
from onset.errors import DataError, StudyError
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, GREEDY, Ask
from onset.prompting.base import Need, Planned, Prompt, gold_score, guessed_chain, unanswered
from onset.prompting.checkers import CHECKERS, INEQUALITIES
from onset.prompting.formal import Equation, Undefined, Unreadable, read_line, value, values
from onset.prompting.reading import query_of
from onset.prompting.text import most_tokens
from onset.records import Answer, Attempt, Completion, Item, Sampling
from onset.tasks.base import Task
from onset.votes.base import Vote

DRAFT, GAP = "draft", "gap"
"""Roles of the calls that draft, and that ask for what was rejected; the first sketch is the answer's."""
HEAD = "Write the steps of each draft as equations, one a line, and then the answer.\n\n"
_ANNOUNCED = re.compile(r"the answer is\b[\s:]*(.*)", re.IGNORECASE)
_EQUATION = re.compile(r"[-+*/^()×÷·\d.,\s]*\d[-+*/^()×÷·\d.,\s]*=\s*-?[\d,]+(?:\.\d+)?")


@dataclass(slots=True)
class Sketch:
    """The lines accepted so far, the answer where it is reached, and what was rejected, with why."""

    lines: list[Equation] = field(default_factory=list)
    answer: str | None = None
    rejected: list[list[str]] = field(default_factory=list)

    def text(self) -> str:
        """The accepted lines, and the answer."""
        said = [one.text for one in self.lines]
        return "\n".join([*said, f"The answer is {self.answer}."] if self.answer else said)


class DraftCheck(Prompt):
    """``checker`` of the lines (`onset.prompting.checkers`); ``budget``: the most sketches of an item, the first one
    included; ``tokens``: the most that one has; ``temperature`` of those after the first.
    """

    kind: ClassVar[str] = "draft-sketch-check"
    source: ClassVar[str] = "Jiang et al. 2023, arXiv 2210.12283, section 3"
    words: ClassVar[str] = "worked steps, written again as equations that are checked line by line"
    needs: ClassVar[frozenset[Need]] = frozenset({"rationales"})
    chain: ClassVar[bool] = True
    calls: ClassVar[str] = "1 call an item that drafts, and 1 a sketch, up to the budget"

    checker: Literal["arithmetic", "sympy", "coq", "z3", "z3-integers"] = "arithmetic"
    budget: int = Field(default=5, ge=1, le=100)
    tokens: int = Field(default=200, ge=1, le=4096)
    temperature: float = Field(default=0.7, gt=0, le=5)

    def check(self, vote: Vote | None) -> None:
        """Its one answer was checked."""
        if vote is not None:
            raise StudyError(f"method: '{self.kind}' has one checked answer; leave out 'vote'")

    def check_task(self, task: Task) -> None:
        """Raises DataError where answers are no numbers."""
        if not isinstance(task.format, NumberFormat):
            raise DataError(
                f"task {task.name}: method '{self.kind}' needs answers that are numbers (received"
                f" {type(task.format).__name__})"
            )

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """What an accepted sketch says is its answer; without one no number in it is."""
        return super().read(done, item, task) if _ANNOUNCED.search(done.text) else Answer(None, "none")

    def seeded(self) -> bool:
        """Sketches after the first are drawn."""
        return self.budget > 1

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """The longer of the prompt that drafts and of that which asks for a sketch, before its draft is written."""
        sketched = sketch_prompt(item, "", demos)
        asked = (super().longest(task, demos, item, chat), sketched if chat is None else chat([("user", sketched)]))
        return max(asked, key=len)

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """Room for a draft, the lines accepted before, and a sketch."""
        return self._draft_tokens(task, chat) + 2 * self.tokens

    def _draft_tokens(self, task: Task, chat: ChatTemplate | None) -> int:
        return most_tokens(task, rationale=True, chat=chat)

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """A draft, and sketches of half the budget."""
        out = guessed_chain(task)
        sketches = (1 + self.budget) / 2
        return (Planned(DRAFT, out), Planned(ANSWER, 0.3 * self.tokens, prompts=sketches, tokens_more=out))

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Draft, sketch, check. ``detail``: the ``sketches`` it took, and what was ``rejected``, each with why. Where
        no sketch is accepted within the budget the status is ``none``, and the output the lines that were accepted.
        """
        asked = ask.prompt(item, rationale=True)
        (draft,) = await ask.generate(asked, DRAFT, max_tokens=self._draft_tokens(ask.task, ask.chat), until=ask.end)
        if draft.finish == "overlong":
            return unanswered(asked, draft)
        prompt = sketch_prompt(item, draft.text, ask.demos)
        sketch, sketches, done = Sketch(), 0, draft
        while sketch.answer is None and sketches < self.budget:
            role, drawn = (ANSWER, GREEDY) if sketches == 0 else (GAP, Sampling(1, self.temperature))
            (done,) = await self._ask(prompt, sketch, role, drawn, ask, f"sketch{sketches}")
            if done.finish == "overlong":
                return unanswered(_begun(ask, prompt, Sketch()), done)
            sketches += 1
            self._take(done.text, sketch)
        own = _begun(ask, prompt, Sketch())
        text = Completion(sketch.text(), done.tokens, done.prompt_tokens, None, "eos")
        gold = await gold_score(f"{_begun(ask, prompt, Sketch(sketch.lines))}\nThe answer is", item, ask, run=True)
        answer = Answer(sketch.answer, "none" if sketch.answer is None else "ok")
        detail: dict[str, Any] = {"sketches": sketches, "rejected": sketch.rejected, "draft": draft.text}
        return Attempt(own, (text,), (answer,), answer, gold, detail=detail)

    async def _ask(
        self, prompt: str, sketch: Sketch, role: str, drawn: Sampling, ask: Ask, key: str
    ) -> tuple[Completion, ...]:
        stop = ("\n\n", "Question:") if ask.chat is None else None
        text = _begun(ask, prompt, sketch)
        return await ask.generate(text, role, max_tokens=self.tokens, sampling=drawn, stop=stop, key=key)

    def _take(self, text: str, sketch: Sketch) -> None:
        """Add the lines of ``text`` that are accepted, up to the first that is not."""
        for line in (one.strip() for one in text.splitlines()):
            if not line:
                continue
            announced = _ANNOUNCED.search(line)
            why = _conclude(announced.group(1), sketch) if announced else self._add(line, sketch)
            if why is not None:
                sketch.rejected.append([line, why])
            if why is not None or announced:
                return
        sketch.rejected.append(["", "it ends without an answer"])

    def _add(self, line: str, sketch: Sketch) -> str | None:
        try:
            equation = read_line(line, inequalities=self.checker in INEQUALITIES)
        except Unreadable as error:
            return str(error)
        why = CHECKERS[self.checker](sketch.lines, equation)
        if why is None:
            sketch.lines.append(equation)
        return why


def _conclude(said: str, sketch: Sketch) -> str | None:
    """Take the answer, or say what is wrong with it."""
    found = canonical_number(said)
    if found is None:
        return "the answer is no number"
    if not sketch.lines:
        return "no line stands before the answer"
    last = _last(sketch.lines)
    if last is None or last != Fraction(found):
        return f"the last line is worth {'nothing that is known' if last is None else last}"
    sketch.answer = found
    return None


def _last(lines: Sequence[Equation]) -> Fraction | None:
    """The value of the last line: of the side furthest right that has one; an inequality has none."""
    if not lines[-1].equal:
        return None
    known = values(lines)
    for side in reversed(lines[-1].sides):
        try:
            return value(side, known)
        except Undefined:
            continue
    return None


def sketch_prompt(item: Item, draft: str, demos: Sequence[Item]) -> str:
    """The prompt that asks for a sketch, in plain text, up to where its lines begin."""
    shown = []
    for one in demos:
        lines = equations(one.rationale or "")
        if lines:
            chain = f"{' '.join((one.rationale or '').split())} The answer is {one.answer}."
            shown.append(
                _block(one, chain) + "".join(f"{line}\n" for line in lines) + f"The answer is {one.answer}.\n\n"
            )
    return HEAD + "".join(shown) + _block(item, " ".join(draft.split())).rstrip("\n")


def _block(item: Item, draft: str) -> str:
    return f"Question: {query_of(item)}\nDraft: {draft}\nSketch:\n"


def equations(rationale: str) -> list[str]:
    """The equations between numbers that a rationale has and that are read here, in its order."""
    found = []
    for match in _EQUATION.finditer(rationale):
        text = match.group().strip(" \t\n.,")
        try:
            found.append(read_line(text).text)
        except Unreadable:
            continue
    return found


def _begun(ask: Ask, prompt: str, sketch: Sketch) -> str:
    """The prompt with the lines accepted so far; through a chat they begin the assistant's turn."""
    said = sketch.text()
    if ask.chat is None:
        return f"{prompt}\n{said}" if said else prompt
    return f"{ask.wrap(prompt)}{said}"
