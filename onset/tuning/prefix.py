"""Prefix tuning: keys and values of virtual tokens before the text are trained (Li and Liang 2021, arXiv 2101.00190).

{kind: prefix-tuning}                                          # begins as the first tokens of the examples
{kind: prefix-tuning, begin: text, text: "Is the coin heads up?"}
{kind: prefix-tuning, begin: random, projection: 512}          # the paper's reparametrisation
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class PrefixTuning(Beside):
    """``tokens`` virtual tokens, whose keys and values in every layer are the weights.

    They are what the layer's projections give, before rotary embeddings and norms of keys: the same prefixes as those
    behind them, since a rotation can be undone, and one that begins as a text is that text. ``begin``: as the first
    tokens of the granted ``examples``, of a ``text``, or ``random`` (normal, of the standard deviation 0.02 that the
    models' own weights begin with). ``projection``: rows come from embeddings through a layer of that many units and
    tanh while they are trained, and are kept alone (section 4.3; peft's ``PrefixEncoder``), which needs
    ``begin: random``. A layer with a sliding window sees the prefix as it would see tokens there.

    Keys and values are no tokens of a prompt: FLOPs of training and asking do not count them, like all attention.
    """

    kind = "prefix-tuning"
    source = "Li and Liang 2021, arXiv 2101.00190, sections 4.2 and 4.3"
    words = "Prefix tuning (keys and values before the text)"
    learning_rate = 3e-2
    trains = "tokens x the widths of keys and values of all layers; with projection the layers that make them"
    file = "prefix.safetensors"
    tokens: int = Field(default=20, ge=1)
    begin: Literal["examples", "text", "random"] = "examples"
    text: str = ""
    projection: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _together(self) -> PrefixTuning:
        if (self.begin == "text") != bool(self.text):
            raise ValueError(
                f"'begin: text' and 'text' go together (received begin: {self.begin}, text: {self.text!r})"
            )
        if self.projection is not None and self.begin != "random":
            raise ValueError(f"'projection' needs 'begin: random' (received begin: {self.begin})")
        return self

    @property
    def length(self) -> int:
        """The virtual tokens."""
        return self.tokens

    def starts(self) -> Sequence[Mapping[str, Any]]:
        """At random, and as the examples, where it does not begin so; with a projection at random alone."""
        if self.projection is not None:
            return ()
        plain = {"text": ""} if self.text else {}
        return [{"begin": one, **plain} for one in ("random", "examples") if one != self.begin]

    def trained(self, shapes: Shapes) -> int:
        """The prefix; with ``projection`` the embeddings and both layers in its place."""
        width = sum(one.given for layer in shapes.covered().attention for one in layer)
        if self.projection is None:
            return self.tokens * width
        hidden = shapes.hidden
        return self.tokens * hidden + (hidden + 1) * self.projection + (self.projection + 1) * width

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """A prefix that begins as the settings say. Raises ModelError for a model whose layers are not covered."""
        from onset.tuning import virtual
        from onset.tuning.shapes import parts_of

        parts = parts_of(model.module, model.facts.name, self.kind)
        shape = (self.tokens, sum(one.given for one in virtual.projections(parts)))
        if not examples or self.begin == "random":
            rows = virtual.drawn(model, seed, shape, 0.02)
        else:
            ids = (
                virtual.text_ids(model, self.text, self.tokens)
                if self.begin == "text"
                else virtual.examples_ids(model, examples, self.tokens)
            )
            rows = virtual.observed(model, ids, parts)
        module, held = virtual.remembered(model, rows, parts)
        before = virtual.virtual(model, self.tokens, given=True)
        module.requires_grad_(False)
        if self.projection is None or not examples:
            return Put(module, self.held(module), virtual=before)
        return self._projected(model, seed, Put(module, self.held(module), virtual=before), held)

    def _projected(self, model: HFModel, seed: int, put: Put, held: Any) -> Put:
        """``put`` with the rows made by an encoder of peft's while they are trained."""
        from dataclasses import replace

        import torch
        from peft import PrefixEncoder, PrefixTuningConfig

        from onset.tuning.optimise import seeded

        count, width = held.weight.shape
        hidden = model.module.get_input_embeddings().weight.shape[1]
        config = PrefixTuningConfig(
            num_virtual_tokens=count,
            token_dim=hidden,
            num_layers=1,
            encoder_hidden_size=self.projection,
            prefix_projection=True,
        )
        device = held.weight.device
        with seeded(seed, device):
            encoder = PrefixEncoder(config)
            encoder.transform[2] = torch.nn.Linear(encoder.transform[0].out_features, width)  # any number of key heads
        held.encoder = encoder.to(device)
        return replace(put, trained=dict(held.encoder.named_parameters()), finish=held.settle)

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """Keys and values of all layers, side by side: [tokens, widths]."""
        from onset.tuning.virtual import NAME

        return {"prefix": module.get_submodule(NAME).weight}
