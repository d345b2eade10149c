"""Scoring: the log-probability of continuations, in one pass and with nothing stored.

The continuations of one context are laid out behind it as leaves of a tree: each token sees the context and, of the
continuations, only its own. So a question with its choices is run once, whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from onset.models.choosing import LOGIT_CELLS, logprobs_of
from onset.models.engine.groups import group
from onset.models.engine.hook import forward
from onset.models.engine.machine import Machine
from onset.models.engine.memory import PACKED, is_out_of_memory
from onset.models.engine.prefill import Packed
from onset.models.engine.storage import Shape, Shared, as_index
from onset.models.engine.window import hidden
from onset.models.rows import Span

_PASS = 64
"""What a pass more costs, in tokens: a small one reads all weights for little."""


@dataclass(frozen=True)
class Tree:
    """``stem``: the tokens of a context after the trunk (at least one); ``leaves``: tokens of its continuations, none
    empty; ``places``: which span each of these is.
    """

    stem: tuple[int, ...]
    leaves: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]

    @property
    def run(self) -> int:
        """Tokens that are run: a continuation's last token predicts nothing."""
        return len(self.stem) + sum(len(leaf) - 1 for leaf in self.leaves)

    @property
    def wanted(self) -> int:
        """Logits that are looked at: those after the context and after each token that is run of a continuation."""
        return 1 + sum(len(leaf) - 1 for leaf in self.leaves)


def score(machine: Machine, spans: Sequence[Span]) -> list[float]:
    """Log-probability (nats) of each continuation; 0.0, the probability one, for an empty one. Raises torch's own error
    when the memory does not hold a single context with its continuations.
    """
    results = [0.0] * len(spans)
    asked: dict[tuple[int, ...], list[int]] = {}
    for place, span in enumerate(spans):
        if span.continuation:
            asked.setdefault(span.before, []).append(place)
    contexts = list(asked)
    for one in group(contexts, _PASS):
        members = [contexts[member] for member in one.members]
        trunk = machine.trunk(members[0][: one.trunk])
        trees = [
            tree
            for context in sorted(members, key=lambda tokens: (len(tokens), tokens))
            for tree in _trees(context[one.trunk :], asked[context], spans, machine.vocabulary)
        ]
        for batch in _batches(trees, machine.vocabulary):
            _score_batch(machine, trunk, batch, results)
    return results


def _trees(stem: tuple[int, ...], places: Sequence[int], spans: Sequence[Span], vocabulary: int) -> Iterator[Tree]:
    """One tree for a context, or several where its continuations are too many for one pass."""
    taken: list[int] = []
    tokens = 0
    for place in places:
        new = len(spans[place].continuation) - 1
        if taken and (tokens + new > PACKED or (tokens + new + 1) * vocabulary > LOGIT_CELLS):
            yield Tree(stem, tuple(spans[one].continuation for one in taken), tuple(taken))
            taken, tokens = [], 0
        taken.append(place)
        tokens += new
    yield Tree(stem, tuple(spans[one].continuation for one in taken), tuple(taken))


def _batches(trees: Sequence[Tree], vocabulary: int) -> Iterator[list[Tree]]:
    """Trees cut into passes of at most `PACKED` tokens whose logits fit; a tree that does not fit alone runs alone."""
    batch: list[Tree] = []
    tokens = wanted = 0
    for tree in trees:
        more = wanted + tree.wanted
        if batch and (tokens + tree.run > PACKED or more * vocabulary > LOGIT_CELLS):
            yield batch
            batch, tokens, more = [], 0, tree.wanted
        batch.append(tree)
        tokens, wanted = tokens + tree.run, more
    if batch:
        yield batch


class _Trees(Packed):
    """Packed trees: like packed prompts, but that a continuation's tokens do not see the other continuations."""

    def __init__(self, trunk: Shared | None, trees: Sequence[Tree], shape: Shape) -> None:
        layouts = [_layout(tree) for tree in trees]
        super().__init__(trunk, [[depth for depth, _ in layout] for layout in layouts], shape)
        self._plain = all(len(tree.leaves) == 1 for tree in trees)
        if self._plain:
            return
        depth = torch.zeros(len(trees), self._longest, dtype=torch.long)
        leaf = torch.full((len(trees), self._longest), -1)
        for row, layout in enumerate(layouts):
            depth[row, : len(layout)] = torch.tensor([place for place, _ in layout])
            leaf[row, : len(layout)] = torch.tensor([which for _, which in layout])
        self._depth, self._leaf = depth.to(shape.device), leaf.to(shape.device)

    def own_mask(self, window: int | None) -> Tensor | None:
        """Causal, and of continuations only one's own; see `Packed.own_mask`."""
        if self._plain:
            return super().own_mask(window)
        behind = self._depth[:, :, None] - self._depth[:, None, :]
        of, key_of = self._leaf[:, :, None], self._leaf[:, None, :]
        seen = (behind >= 0) & ((key_of == 0) | (key_of == of))
        if window is not None:
            seen &= behind < window
        # Padding sees itself, so that no query sees nothing.
        padding = (self._leaf < 0)[:, :, None]
        seen = torch.where(padding, torch.eye(self._longest, dtype=torch.bool, device=seen.device), seen)
        return hidden(~seen, self._dtype)[:, None]


def _layout(tree: Tree) -> list[tuple[int, int]]:
    """For each token that is run: its depth in the tree, and 0 for the stem or the number of its leaf from 1."""
    stem = [(depth, 0) for depth in range(len(tree.stem))]
    return stem + [
        (len(tree.stem) + step, number) for number, leaf in enumerate(tree.leaves, 1) for step in range(len(leaf) - 1)
    ]


def _score_batch(machine: Machine, trunk: Shared | None, trees: Sequence[Tree], results: list[float]) -> None:
    """One pass; in halves where the memory is not enough."""
    try:
        values = _logprobs(machine, trunk, trees)
    except Exception as error:
        if not is_out_of_memory(error) or len(trees) == 1:
            raise
        values = None
    if values is None:
        middle = len(trees) // 2
        _score_batch(machine, trunk, trees[:middle], results)
        _score_batch(machine, trunk, trees[middle:], results)
        return
    for place, value in values:
        results[place] = value


def _logprobs(machine: Machine, trunk: Shared | None, trees: Sequence[Tree]) -> list[tuple[int, float]]:
    """(place, log-probability) of every continuation of ``trees``."""
    logits = tree_logits(machine.module, trunk, trees, machine.shape)
    read: list[int] = []  # for each token of a continuation, which logits predict it
    owner: list[int] = []
    context = 0
    for tree in trees:
        begin = context + 1
        for place, leaf in zip(tree.places, tree.leaves, strict=True):
            read += [context, *range(begin, begin + len(leaf) - 1)]
            owner += [place] * len(leaf)
            begin += len(leaf) - 1
        context = begin
    wanted = [token for tree in trees for leaf in tree.leaves for token in leaf]
    device = machine.shape.device
    values = logprobs_of(logits, as_index(read, device), as_index(wanted, device)).double().tolist()
    sums: dict[int, float] = {}
    for place, value in zip(owner, values, strict=True):
        sums[place] = sums.get(place, 0.0) + value
    return list(sums.items())


def tree_logits(module: Any, trunk: Shared | None, trees: Sequence[Tree], shape: Shape) -> Tensor:
    """Run ``trees`` in one pass. Returns [wanted, vocabulary]: of each tree in turn, the logits after its stem and
    then, leaf by leaf, those after each token but the last.
    """
    running = _Trees(trunk, trees, shape)
    tokens: list[int] = []
    keep: list[int] = []
    for tree in trees:
        tokens += tree.stem
        keep.append(len(tokens) - 1)
        for leaf in tree.leaves:
            keep += range(len(tokens), len(tokens) + len(leaf) - 1)
            tokens += leaf[:-1]
    row = as_index(tokens, shape.device)[None]
    keeping = as_index(keep, shape.device)
    return forward(module, row, running.positions[None], keeping, running, precise=True)[0]
