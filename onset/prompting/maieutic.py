"""Maieutic prompting: a tree of explanations of why a statement is true and why it is false, and the answer that
contradicts the fewest of them.

Source: Jung et al. 2022, arXiv 2205.11822, section 3, and the released code where the paper leaves a number open
(https://github.com/jaehunjung1/Maieutic-Prompting). Of a statement and its negation the model says how probably each is
true; where both are judged alike (not *integral*) it explains why the statement is true, and why it is false, and each
explanation is judged, and explained again, in the same way. Branches without an integral leaf are cut. Weighted
MaxSAT over what is left: an integral node counts |p - q| / (p + q) for its belief, two nodes of which one entails or
contradicts the other count 1. The explanations taken for true then say whether the statement is.

    Q: Eating soup means eating only solids?
    A: This statement is false, because <soup is a liquid.>      Soup is a liquid. -> contradicts Q: false

Deviations. Beliefs are the probability of " true" among " true" and " false", from log-probabilities (released: of the
first five tokens, else none). Entailment is judged by the model itself (`onset.prompting.entailment`), unless
``entailment`` names a model for it, as the paper has one in its tuned RoBERTa: then the labels that this one was
tuned on are in no ledger. Calls are bounded: what a sample does not finish with a point, says twice, or cannot be
negated is no explanation, and none is drawn in its place. No explanation comes
before a belief unless ``explanations`` is set (released: always), and then alone the prompt that explains shows
demonstrations. The six examples of how to negate are made by hand, as the paper's are: no labelled examples of any
task, and so in no ledger. Nothing is true by default (released: on a tie, and where nothing is left): then the
statement's own two beliefs decide, and where these are equal the answer is ``ambiguous``. Of several optima of MaxSAT
the mean decides.

A task may bring a statement in words of its own (column ``statement``) and its negation (``negation``), as the data of
the paper do; else the question is the statement, and the model negates it. With ``explanations`` the prompts show the
demonstrations' rationales; without, their answers alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.errors import DataError, StudyError
from onset.models import nli
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, GREEDY, Ask
from onset.prompting.base import Need, Planned, Prompt, gold_score, guessed_tokens, unanswered
from onset.prompting.entailment import ENTAILMENT, judged
from onset.prompting.maxsat import SOLVERS, Clause, mean_of_optima
from onset.prompting.statements import (
    NEGATE,
    TRUTHS,
    explain_prompt,
    judge_prompt,
    statement,
    statement_of,
)
from onset.prompting.text import is_statement
from onset.records import Answer, Attempt, Completion, Item, Sampling
from onset.scores import normalised_choice_probability
from onset.tasks.base import Task
from onset.votes.base import Vote

NEGATION, EXPLANATION, BELIEF = "negation", "explanation", "belief"
"""Roles of the calls: that negate, that explain, that judge a statement."""


@dataclass(slots=True)
class Node:
    """A statement and its negation, how probably each is true (None: too long to be judged), and what explains it.
    ``name``: "Q", "QT0" (why it is true, the first), "QT0F1" ...
    """

    name: str
    said: str
    negated: str
    beliefs: tuple[float | None, float | None]
    integral: bool
    children: list[Node] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Is the statement believed at least as much as its negation, or not judged?"""
        p, q = self.beliefs
        return p is None or q is None or p >= q

    @property
    def text(self) -> str:
        """What it stands for in the inference: the statement, or its negation where that is believed more."""
        return self.said if self.holds else self.negated

    @property
    def weight(self) -> float:
        """How sure the belief is (0..1)."""
        p, q = self.beliefs
        return 0.0 if p is None or q is None or p + q == 0 else abs(p - q) / (p + q)

    def walk(self) -> list[Node]:
        """The nodes of its tree, itself first."""
        return [self, *(one for child in self.children for one in child.walk())]

    def pruned(self) -> bool:
        """Cut branches without an integral leaf; is one left?"""
        if not self.children:
            return self.integral
        self.children = [one for one in self.children if one.pruned()]
        return bool(self.children)


class Maieutic(Prompt):
    """``depth`` of the tree; ``width``: explanations of each side of the statement, ``deeper``: below that, each drawn
    at ``temperature`` and ``deeper_temperature``; ``integrity``: ``flip``, the more probable of true and false differs
    between a statement and its negation (the paper), or ``threshold``, their probabilities differ by more than
    ``threshold`` (released: 0.45); ``explanations``: show the demonstrations' rationales; ``solver`` of MaxSAT;
    ``entailment``: a folder or hub id of the model that judges pairs (`onset.models.nli`; unset: the measured model).
    """

    kind: ClassVar[str] = "maieutic"
    models: ClassVar[tuple[str, ...]] = ("entailment",)
    source: ClassVar[str] = "Jung et al. 2022, arXiv 2205.11822, section 3"
    words: ClassVar[str] = "a tree of explanations of why a statement is true and false (maieutic)"
    needs: ClassVar[frozenset[Need]] = frozenset({"choices", "scores"})
    instead: ClassVar[tuple[str, ...]] = ("statement", "negation")
    calls: ClassVar[str] = (
        "2 or 3 calls an item whose statement is integral; else 3 a node, 2 to explain each that is not, and 1 an"
        " ordered pair of nodes: up to 71 and 342 at the defaults"
    )

    depth: int = Field(default=2, ge=1, le=3)
    width: int = Field(default=3, ge=1, le=10)
    deeper: int = Field(default=1, ge=1, le=10)
    temperature: float = Field(default=1.0, gt=0, le=5)
    deeper_temperature: float = Field(default=0.5, gt=0, le=5)
    integrity: Literal["flip", "threshold"] = "flip"
    threshold: float = Field(default=0.45, ge=0, lt=1)
    explanations: bool = False
    tokens: int = Field(default=64, ge=1, le=1024)
    solver: Literal["exact", "rc2"] = "exact"
    entailment: str | None = Field(default=None, min_length=1)

    def contents(self) -> dict[str, str]:
        """The revision of the model that judges pairs. Raises ModelError for one that cannot."""
        return {} if self.entailment is None else {"entailment": nli.revision_of(self.entailment)}

    async def prepare(self, ask: Ask, examples: object) -> nli.Inference | None:
        """The model that judges pairs, where one is named. No example is looked at."""
        return None if self.entailment is None else nli.open_nli(self.entailment)

    def needed(self) -> frozenset[Need]:
        """With ``explanations``, rationales too."""
        return self.needs | {"rationales"} if self.explanations else self.needs

    def check(self, vote: Vote | None) -> None:
        """It has one answer; a threshold goes with its kind of integrity."""
        if vote is not None:
            raise StudyError(f"method: '{self.kind}' infers one answer of its tree; leave out 'vote'")
        if self.integrity == "flip" and "threshold" in self.set():
            raise StudyError(f"method: '{self.kind}': 'threshold' needs 'integrity: threshold'")

    def check_task(self, task: Task) -> None:
        """Raises DataError for items whose choices are not true and false."""
        for one in (*task.test, *task.pool):
            if not is_statement(one):
                raise DataError(
                    f"task {task.name}: method '{self.kind}' judges statements, whose choices are true and false"
                    f" (received {', '.join(one.choices or ()) or 'none'}: {one.question[:60]})"
                )

    def seeded(self) -> bool:
        """Its explanations are drawn."""
        return True

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """The prompt that explains the statement; `limit` leaves room for the prompts that judge explanations."""
        text = explain_prompt(statement_of(item), demos if self.explanations else ())
        judged = judge_prompt(statement_of(item), demos, explained=self.explanations)
        text = max(text, judged, key=len)
        return text if chat is None else chat([("user", text)])

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """An explanation, and the belief about one."""
        return 2 * self.tokens + 8

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """Half of the statements are taken to be integral, of the others' trees half of the branches to grow."""
        nodes = self.width * (1 + self.deeper)
        own = guessed_tokens(task, statement_of)
        pairs = Planned(ENTAILMENT, 1.0, prompts=nodes * (nodes + 1) / 2, tokens_in=2 * own + 20)
        if self.entailment is not None:
            pairs = replace(pairs, tokens_out=0.0, tokens_in=2 * own, params=nli.parameters(self.entailment))
        out = 0.5 * self.tokens if self.explanations else 2.0
        judge = Planned(BELIEF, out, prompts=2 + nodes)
        explain = Planned(EXPLANATION, 0.5 * self.tokens, prompts=1 + self.width, samples=self.width)
        return (judge, explain, Planned(NEGATION, own, prompts=1 + nodes / 2, tokens_in=200 + own), pairs)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Grow the tree, infer. The output says the tree in lines; ``detail`` holds what decided (``decided``:
        ``statement`` or ``explanations``), the score and the number of nodes left.

        Where the model writes no negation of the statement the status is ``none`` and ``decided`` is ``nothing``. An
        item of which any prompt that generates, or the statement's belief, does not fit is overlong. Raises MethodError
        for too many nodes (`onset.prompting.maxsat`).
        """
        tree = _Tree(self, item, ask)
        root = await tree.root()
        if root is not None and tree.overlong is None:
            await tree.grow(root)
        stem = tree.asked
        if tree.overlong is not None:
            return unanswered(stem, tree.overlong)
        if root is None:
            silent, done = Answer(None, "none"), Completion("No negation.", 0, 0, None, "eos")
            gold = await gold_score(stem, item, ask, run=True)
            held: dict[str, Any] = {"decided": "nothing", "score": None, "nodes": 0}
            return Attempt(stem, (done,), (silent,), silent, gold, detail=held)
        left = root.walk()[1:] if root.pruned() and not root.integral else []
        score = await self._score(root, left, ask)
        answer, decided = _decide(root, score, item)
        lines = [_line(one) for one in [root, *left]]
        said = f"{ask.task.layout.marker} {answer.value}." if answer.value else "No answer."
        done = Completion("\n".join([*lines, said]), 0, 0, None, "eos")
        gold = await gold_score(stem, item, ask, run=True)
        detail: dict[str, Any] = {"decided": decided, "score": score, "nodes": len(left)}
        return Attempt(stem, (done,), (answer,), answer, gold, detail=detail)

    def is_integral(self, p: float | None, q: float | None) -> bool:
        """Do a statement and its negation, true with p and q, get opposite judgements?"""
        if p is None or q is None:
            return False
        return (p - 0.5) * (q - 0.5) < 0 if self.integrity == "flip" else abs(p - q) > self.threshold

    async def _score(self, root: Node, nodes: Sequence[Node], ask: Ask) -> float | None:
        """What the explanations taken for true say of the statement: above 0 true, below 0 false; None without any."""
        if not nodes:
            return None
        pairs = list(itertools.permutations(range(len(nodes)), 2))
        with_root = [(one.text, other) for one in nodes for other in (root.said, root.negated)]
        asked = [*((nodes[a].text, nodes[b].text) for a, b in pairs), *with_root]
        labels = await judged(asked, ask, ask.state)
        held = clauses(nodes, dict(zip(pairs, labels, strict=False)))
        verdicts = labels[len(pairs) :]
        votes = [_sign(verdicts[2 * place]) - _sign(verdicts[2 * place + 1]) for place in range(len(nodes))]
        return mean_of_optima(SOLVERS[self.solver], votes, held)


def _sign(label: str) -> int:
    return {"True": 1, "False": -1, "Neither": 0}[label]


def clauses(nodes: Sequence[Node], judged: dict[tuple[int, int], str]) -> list[Clause]:
    """The weighted clauses of the inference: beliefs of integral nodes, and 1 for each ordered pair of which the first
    entails or contradicts the second.
    """
    own: list[Clause] = [(one.weight, (place,)) for place, one in enumerate(nodes, 1) if one.integral and one.weight]
    for (a, b), label in judged.items():
        if label != "Neither":
            own.append((1.0, (-(a + 1), b + 1 if label == "True" else -(b + 1))))
    return own


def _decide(root: Node, score: float | None, item: Item) -> tuple[Answer, str]:
    """The answer, and whether the explanations decided or the statement's own beliefs."""
    decided = "explanations" if score else "statement"
    p, q = root.beliefs
    lead = score or (0.0 if p is None or q is None else p - q)
    if lead == 0:
        return Answer(None, "ambiguous"), decided
    wanted = "true" if lead > 0 else "false"
    return Answer(next(one for one in item.choices or () if one.casefold() == wanted), "ok"), decided


def _line(node: Node) -> str:
    said = ", ".join("not judged" if one is None else f"{one:.2f}" for one in node.beliefs)
    text = node.said if node.name == "Q" or node.holds else f"not: {node.said} but: {node.negated}"
    return f"{node.name}: {text} (true {said}{'' if node.integral else ', not integral'})"


class _Tree:
    """The growing tree of one item."""

    def __init__(self, method: Maieutic, item: Item, ask: Ask) -> None:
        self._method = method
        self._item = item
        self._ask = ask
        self.asked = ""
        """What the statement's own answer is scored after."""
        self.overlong: Completion | None = None
        """Of a prompt that did not fit."""

    async def root(self) -> Node | None:
        """The statement, judged; None where the model writes no negation of it."""
        said, own = statement_of(self._item), self._item.meta.get("negation")
        negated = statement(own) if isinstance(own, str) and own.strip() else await self._negation(said, "Q")
        self.asked, p = await self._belief(said, ANSWER)
        if p is None and self.overlong is None:
            self.overlong = Completion("", 0, 0, None, "overlong")
        if negated is None or self.overlong is not None:
            return None
        _, q = await self._belief(negated, BELIEF)
        return Node("Q", said, negated, (p, q), self._method.is_integral(p, q))

    async def grow(self, root: Node) -> None:
        """Explain what is not integral, level by level."""
        method, level = self._method, [root]
        for depth in range(method.depth):
            drawn = (
                Sampling(method.width, method.temperature)
                if depth == 0
                else (Sampling(method.deeper, method.deeper_temperature))
            )
            open_nodes = [one for one in level if not one.integral]
            grown = await asyncio.gather(*(self._children(one, drawn) for one in open_nodes))
            for parent, children in zip(open_nodes, grown, strict=True):
                parent.children = children
            level = [one for children in grown for one in children]

    async def _children(self, parent: Node, drawn: Sampling) -> list[Node]:
        sides = await asyncio.gather(*(self._explanations(parent, truth, drawn) for truth in TRUTHS))
        named = [
            (f"{parent.name}{truth[0].upper()}{place}", text)
            for truth, texts in zip(TRUTHS, sides, strict=True)
            for place, text in enumerate(texts)
        ]
        nodes = await asyncio.gather(*(self._node(name, text) for name, text in named))
        return [one for one in nodes if one is not None]

    async def _node(self, name: str, said: str) -> Node | None:
        negated = await self._negation(said, name)
        if negated is None:
            return None
        (_, p), (_, q) = await asyncio.gather(self._belief(said, BELIEF), self._belief(negated, BELIEF))
        return Node(name, said, negated, (p, q), self._method.is_integral(p, q))

    async def _explanations(self, parent: Node, truth: str, drawn: Sampling) -> list[str]:
        shown = self._ask.demos if self._method.explanations else ()
        begun = f"This statement is {truth}, because"
        done = await self._complete(
            explain_prompt(parent.said, shown), begun, EXPLANATION, drawn, f"{parent.name}{truth[0].upper()}"
        )
        texts = [" ".join(one.text.split()) for one in done]
        return list(dict.fromkeys(statement(one) for one in texts if len(one) > 1 and one.endswith(".")))

    async def _negation(self, said: str, name: str) -> str | None:
        head = f"{NEGATE}Q: {said}\nA:"
        (done,) = await self._complete(head, "The statement is false.", NEGATION, GREEDY, f"{name}N")
        text = " ".join(done.text.split())
        if done.finish == "length":  # whole sentences alone: a half one says something else
            text = text[: text.rfind(".") + 1]
        return statement(text) if text else None

    async def _belief(self, said: str, role: str) -> tuple[str, float | None]:
        """What " true" is scored after, and its probability."""
        method, ask = self._method, self._ask
        head = judge_prompt(said, ask.demos, explained=method.explanations)
        if method.explanations:
            (done,) = await self._complete(head, "", EXPLANATION, GREEDY, f"{said}B")
            reason = " ".join(done.text.partition("Therefore, the statement is")[0].split())
            stem = self._begun(head, f"{reason} Therefore, the statement is".strip())
        else:
            stem = self._begun(head, "The statement is")
        scored = await ask.score(stem, [f" {one}" for one in TRUTHS], role)
        return stem, normalised_choice_probability(0, [one.logprob for one in scored])

    def _begun(self, head: str, begun: str) -> str:
        """A prompt whose answer has begun, in plain text or as the assistant's turn."""
        if self._ask.chat is None:
            return f"{head} {begun}".rstrip()
        return f"{self._ask.wrap(head.removesuffix('A:').rstrip())}{begun}"

    async def _complete(self, head: str, begun: str, role: str, drawn: Sampling, key: str) -> tuple[Completion, ...]:
        stop = ("\n", "###") if self._ask.chat is None else ("\n", *self._ask.stop)
        prompt = self._begun(head, begun)
        done = await self._ask.generate(
            prompt, role, max_tokens=self._method.tokens, sampling=drawn, stop=stop, key=key
        )
        if done[0].finish == "overlong":
            self.overlong = done[0]
        return done
