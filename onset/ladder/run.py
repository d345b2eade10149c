"""A training run of the ladder as it stands: its model, how far it is, its checkpoint."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from onset.errors import ModelError, StoreError
from onset.ladder.optimiser import MuonAdam
from onset.ladder.recipe import CONTEXT, NORM_EPSILON, ROPE_BASE, Recipe, Rung


def build(rung: Rung, vocabulary: int, seed: int) -> LlamaForCausalLM:
    """A new model in float32: embeddings drawn with a deviation of .02, matrices with 1 / sqrt(inputs), those that
    write into the residual stream divided by sqrt(2 layers) too (Radford et al. 2019, section 2.3); norms 1.
    """
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=rung.width,
        intermediate_size=rung.feed_forward,
        num_hidden_layers=rung.layers,
        num_attention_heads=rung.heads,
        num_key_value_heads=rung.heads,
        head_dim=rung.width // rung.heads,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=NORM_EPSILON,
        rope_parameters={"rope_theta": ROPE_BASE, "rope_type": "default"},
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        attn_implementation="sdpa",
    )
    with torch.random.fork_rng(devices=[]):
        module = LlamaForCausalLM(config).float()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.ndim != 2:
                weight.fill_(1.0)
                continue
            deviation = 0.02 if "embed_tokens" in name else 1 / math.sqrt(weight.shape[1])
            if "o_proj" in name or "down_proj" in name:
                deviation /= math.sqrt(2 * rung.layers)
            weight.normal_(0, deviation, generator=generator)
    return module


@dataclass(slots=True)
class Run:
    """A training run as it stands: after ``step`` steps of ``recipe`` on ``device``.

    ``unreported`` is the sum of the losses since the last line of ``losses``; ``seconds`` of training so far.
    """

    recipe: Recipe
    device: torch.device
    module: LlamaForCausalLM
    optimiser: MuonAdam
    unreported: torch.Tensor
    step: int = 0
    losses: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def begin(cls, recipe: Recipe, vocabulary: int, device: torch.device) -> Run:
        """Before the first step."""
        module = build(recipe.rung, vocabulary, recipe.seed_of("weights")).to(device).train()
        optimiser = MuonAdam(module, recipe.rung.width, recipe.optimiser)
        return cls(recipe, device, module, optimiser, torch.zeros((), device=device))

    def save(self, path: Path, identity: dict[str, Any]) -> None:
        """A checkpoint, by rename. No state of a random generator is in it: nothing is drawn after the first weights
        and the order of the sequences, which the seed gives.
        """
        content = {
            "identity": json.dumps(identity),
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state(),
            "unreported": self.unreported,
            "step": self.step,
            "losses": self.losses,
            "seconds": self.seconds,
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_whole(path, buffer.getvalue())

    def restore(self, path: Path, identity: dict[str, Any]) -> None:
        """Go on from the checkpoint in ``path``, if there is one. Raises StoreError for that of another run."""
        if not path.exists():
            return
        try:
            content = torch.load(path, map_location=self.device, weights_only=True)
            found = json.loads(content["identity"])
        except Exception as error:  # torch raises many kinds
            raise StoreError(f"{path} is no checkpoint: {str(error).splitlines()[0]}; delete it") from None
        check_same(path.parent, found, identity)
        self.module.load_state_dict(content["module"])
        self.optimiser.restore(content["optimiser"])
        self.unreported = content["unreported"]
        self.step, self.losses, self.seconds = content["step"], content["losses"], content["seconds"]

    def report(self) -> float:
        """Add a line to the loss curve and return its loss. Raises ModelError when it is not finite."""
        begun = int(self.losses[-1]["step"]) if self.losses else 0
        loss = self.unreported.item() / (self.step - begun)
        if not math.isfinite(loss):
            raise ModelError(f"training of {self.recipe.rung.name} diverged: the loss is {loss} at step {self.step}")
        schedule = self.recipe.schedule
        tokens = self.step * schedule.batch * schedule.sequence
        self.losses.append({"step": self.step, "tokens": tokens, "loss": loss, "rate": schedule.rate(self.step - 1)})
        self.unreported = torch.zeros_like(self.unreported)
        return loss


def check_same(out: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise StoreError, naming what differs, unless the run in ``out`` is the one that is wanted."""
    differing = list(_differences(found, wanted))
    if differing:
        raise StoreError(f"{out} holds a model of another run ({'; '.join(differing)}): choose another folder")


def _differences(found: Any, wanted: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in wanted:
            yield from _differences(found.get(key), wanted[key], f"{name} {key}".strip())
        for key in sorted(found.keys() - wanted.keys()) if name else ():  # a card says more than what it is of
            yield f"{name} {key} {json.dumps(found[key])} there, none asked for"
    elif found != wanted:
        yield f"{name} {json.dumps(found)} there, {json.dumps(wanted)} asked for"


def write_json(path: Path, content: dict[str, Any]) -> None:
    """`write_whole` as indented JSON."""
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, by rename."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
