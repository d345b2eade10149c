"""Where a model's layers compute what tuning methods change, and how wide that is.

Layers are found by the names of their projections, as transformers has them; what is not found is refused with the
covered ones listed, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onset.errors import ModelError

COVERED = (
    "layers with k_proj, v_proj and down_proj (Llama, Mistral, Qwen2, Qwen3, Gemma, Gemma 2, Gemma 3, SmolLM2, OLMo 2"
    " and the like), gpt2, gpt_neox (Pythia)"
)


@dataclass(frozen=True, slots=True)
class Projection:
    """A layer's module ``name`` whose outputs, ``width`` in all, are keys or values at the places ``columns`` (None:
    all of them).
    """

    name: str
    width: int
    columns: tuple[int, ...] | None = None

    @property
    def given(self) -> int:
        """How many of its outputs are keys or values."""
        return self.width if self.columns is None else len(self.columns)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of every layer, in order: what computes keys and values (``attention``), and the module that ends its
    feed-forward part (``ends``, with its number of inputs).
    """

    attention: tuple[tuple[Projection, ...], ...]
    ends: tuple[tuple[str, int], ...]

    @property
    def blocks(self) -> list[Block]:
        """The modules of every layer, in order."""
        found = []
        for projections, (end, _) in zip(self.attention, self.ends, strict=True):
            part = end.rpartition(".")[0]
            found.append(Block(part.rpartition(".")[0], projections[0].name.rpartition(".")[0], part))
        return found


@dataclass(frozen=True, slots=True)
class Block:
    """Names of a layer's module, and of its attention and its feed-forward part."""

    layer: str
    attention: str
    feed_forward: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the numbers of trained weights depend on.

    ``params``: all weights, tied ones once; ``biases``: numbers in bias terms; ``linear``: inputs and outputs of each
    linear layer but the head; ``hidden``: the width of embeddings; ``parts``: None where the layers are not covered.
    """

    params: int
    biases: int
    linear: tuple[tuple[int, int], ...]
    hidden: int
    parts: Parts | None

    @classmethod
    def of(cls, module: Any) -> Shapes:
        """The shapes of a transformers causal LM."""
        weights = dict(module.named_parameters())
        head = module.get_output_embeddings()
        return cls(
            sum(weight.numel() for weight in weights.values()),
            sum(weight.numel() for name, weight in weights.items() if name.endswith(".bias")),
            tuple(_widths(layer) for layer in module.modules() if _is_linear(layer) and layer is not head),
            int(module.get_input_embeddings().weight.shape[1]),
            _parts(module),
        )

    def covered(self) -> Parts:
        """`parts` of a model whose layers are covered (what a formula is asked for otherwise has no answer)."""
        if self.parts is None:
            raise ModelError(f"the layers of this model are not covered: {COVERED}")
        return self.parts


def parts_of(module: Any, name: str, method: str) -> Parts:
    """The parts of ``module``. Raises ModelError where its layers are not covered (``name``, ``method``: whose)."""
    found = _parts(module)
    if found is None:
        raise ModelError(
            f"cannot tune {name} with '{method}': model type '{module.config.model_type}' is not covered; covered:"
            f" {COVERED}"
        )
    return found


def _is_linear(layer: Any) -> bool:
    return type(layer).__name__ in ("Linear", "Conv1D")


def _widths(layer: Any) -> tuple[int, int]:
    """Inputs and outputs. A ``Conv1D`` of transformers holds its weight the other way round."""
    first, second = layer.weight.shape
    return (first, second) if type(layer).__name__ == "Conv1D" else (second, first)


def _parts(module: Any) -> Parts | None:
    config = module.config.get_text_config()
    if config.model_type == "gpt2":
        return _fused(module, "attn.c_attn", "mlp.c_proj", _after_queries)
    if config.model_type == "gpt_neox":
        return _fused(module, "attention.query_key_value", "mlp.dense_4h_to_h", _between_heads)
    return _separate(module, config.num_hidden_layers)


def _separate(module: Any, layers: int) -> Parts | None:
    """One linear layer each for keys and for values."""
    found = {kind: _ending(module, f".{kind}") for kind in ("self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj")}
    if {len(one) for one in found.values()} != {layers}:
        return None
    keys, values, ends = found.values()
    attention = tuple(
        (Projection(key, _widths(one)[1]), Projection(value, _widths(other)[1]))
        for (key, one), (value, other) in zip(keys.items(), values.items(), strict=True)
    )
    return Parts(attention, tuple((name, _widths(layer)[0]) for name, layer in ends.items()))


def _fused(module: Any, attention: str, end: str, columns: Any) -> Parts:
    """One layer for queries, keys and values."""
    config = module.config
    heads = config.num_attention_heads
    fused = _ending(module, f".{attention}")
    return Parts(
        tuple((Projection(name, width := _widths(layer)[1], columns(width, heads)),) for name, layer in fused.items()),
        tuple((name, _widths(layer)[0]) for name, layer in _ending(module, f".{end}").items()),
    )


def _after_queries(width: int, heads: int) -> tuple[int, ...]:
    """Queries of all heads, then keys, then values."""
    return tuple(range(width // 3, width))


def _between_heads(width: int, heads: int) -> tuple[int, ...]:
    """Of each head its query, its key, its value."""
    each = width // (3 * heads)
    return tuple(place for place in range(width) if place // each % 3)


def _ending(module: Any, name: str) -> dict[str, Any]:
    return {place: layer for place, layer in module.named_modules() if place.endswith(name) and _is_linear(layer)}
