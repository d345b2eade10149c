"""The least time a workload can take: its operations at the measured peak, its bytes at the measured speed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLOAT = 4
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a Llama-like or Gemma-3 configuration decides how much there is to compute."""

    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    windows: tuple[int | None, ...]
    """One a layer: tokens a query sees at most, None for all."""

    @property
    def matrices(self) -> list[list[int]]:
        """[inputs, outputs] of the products of one layer: queries, keys and values, output, gate and up, down."""
        attention = self.heads * self.head
        return [
            [self.hidden, attention + 2 * self.kv_heads * self.head],
            [attention, self.hidden],
            [self.hidden, 2 * self.inner],
            [self.inner, self.hidden],
        ]

    @property
    def layer_weights(self) -> int:
        """Weights of all layers that every token is multiplied with."""
        return len(self.windows) * sum(inputs * outputs for inputs, outputs in self.matrices)

    @property
    def output_weights(self) -> int:
        """Weights of the output matrix (tied to the embeddings or not)."""
        return self.hidden * self.vocabulary

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights in float32, a tied output matrix counted once; norms left out."""
        return FLOAT * (self.layer_weights + self.output_weights)

    @property
    def kv_bytes(self) -> int:
        """Bytes of the keys and values of one token in float32."""
        return FLOAT * 2 * len(self.windows) * self.kv_heads * self.head

    def attention_flops(self, start: int, count: int) -> float:
        """Scores and sums of ``count`` queries at positions from ``start`` on, each over what it may see."""
        total = 0.0
        for window in self.windows:
            seen = (min(at + 1, window or at + 1) for at in range(start, start + count))
            total += 4 * self.heads * self.head * sum(seen)
        return total


def shape_of(folder: Path) -> Shape:
    """From config.json."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers = config["num_hidden_layers"]
    kinds = config.get("layer_types") or ["full_attention"] * layers
    return Shape(
        hidden=config["hidden_size"],
        inner=config["intermediate_size"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        head=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        windows=tuple(config["sliding_window"] if kind == "sliding_attention" else None for kind in kinds),
    )


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens that must be run when the prefix is run once: ``questions`` behind it, and of each the tokens of its
    ``texts`` (generated, or choices to score). ``generated``: one step a token; otherwise all at once.
    """

    prefix: int
    questions: Sequence[int]
    texts: Sequence[Sequence[int]]
    generated: bool
    rows: int
    """Most texts that the stated K/V budget holds at once."""


def flops(shape: Shape, work: Work) -> float:
    """Additions and multiplications."""
    run = work.prefix + sum(work.questions) + sum(map(sum, work.texts))
    logits = sum(map(sum, work.texts))
    attention = shape.attention_flops(0, work.prefix)
    for question, texts in zip(work.questions, work.texts, strict=True):
        attention += shape.attention_flops(work.prefix, question)
        attention += sum(shape.attention_flops(work.prefix + question, text) for text in texts)
    return 2 * shape.layer_weights * run + 2 * shape.output_weights * logits + attention


def traffic(shape: Shape, work: Work) -> float:
    """Bytes read at least: weights and the prefix's keys and values once a step, a row's own once a token. Steps: the
    texts spread evenly over the rows, and no fewer than the longest text has tokens.
    """
    texts = [(question, text) for question, row in zip(work.questions, work.texts, strict=True) for text in row]
    if not work.generated:
        return shape.weight_bytes + shape.kv_bytes * (work.prefix + sum(work.questions))
    lengths = [text for _, text in texts]
    steps = max(*lengths, math.ceil(sum(lengths) / work.rows))
    own = sum(text * question + text * text / 2 for question, text in texts)
    return steps * (shape.weight_bytes + shape.kv_bytes * work.prefix) + shape.kv_bytes * own
