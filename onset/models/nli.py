"""Natural language inference by a named model: does a sentence entail another, contradict it, or neither?

A sequence-classification model of transformers in a folder or on the hub, trained on such pairs (MNLI: Williams et al.
2018, doi 10.18653/v1/N18-1101), whose configuration calls its three labels entailment, contradiction and neutral
(``id2label``, in any case and order). It is a second model beside the one that is measured: what it runs is counted as
its own (`onset.prompting.ask.Ask.judge`).

    premise "Soup is a liquid."   hypothesis "Eating soup means eating only solids."    -> contradiction

Pairs of one length share a pass and nothing is padded, in float32. A pair longer than the model reads is not judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from onset.errors import ModelError
from onset.models import split_spec
from onset.models.base import ModelFacts
from onset.models.hub import HUB

Label = Literal["entailment", "contradiction", "neutral"]
LABELS: tuple[Label, ...] = get_args(Label)
Pair = tuple[str, str]
"""Premise and hypothesis."""
ROWS = 32
"""Pairs of one length that share a pass."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The most probable ``label`` of a pair (None: it is longer than the model reads), and the ``tokens`` that ran."""

    label: Label | None
    tokens: int


class Inference(Protocol):
    """A model that judges pairs: its ``name``, what running ``tokens`` costs in FLOPs (2 N a token), and `judge`."""

    @property
    def name(self) -> str:
        """What it is called in records."""
        ...

    def flops(self, tokens: int) -> float | None:
        """Of running ``tokens``."""
        ...

    def judge(self, pairs: Sequence[Pair]) -> list[Judged]:
        """A verdict on each of ``pairs``, in order."""
        ...


class NLIModel:
    """An `Inference` of transformers. ``labels``: by the number of its logit; ``most``: tokens that it reads."""

    def __init__(self, module: Any, tokenizer: Any, facts: ModelFacts, labels: Sequence[Label], most: int) -> None:
        self.facts = facts
        self.labels = tuple(labels)
        self.most = most
        self._module = module.eval()
        self._tokenizer = tokenizer

    @property
    def name(self) -> str:
        """The hub id, or the folder's name."""
        return self.facts.name

    def flops(self, tokens: int) -> float | None:
        """2 N a token, N without lookup tables."""
        return self.facts.flops(tokens)

    def judge(self, pairs: Sequence[Pair]) -> list[Judged]:
        """See `Inference.judge`. Raises ModelError where logits are no numbers."""
        import torch

        encoded = [dict(self._tokenizer(*one, verbose=False)) for one in pairs]
        found = [Judged(None, 0)] * len(pairs)
        lengths: dict[int, list[int]] = {}
        for place, one in enumerate(encoded):
            lengths.setdefault(len(one["input_ids"]), []).append(place)
        for length, places in lengths.items():
            for start in range(0, len(places) if length <= self.most else 0, ROWS):
                rows = places[start : start + ROWS]
                batch = {
                    key: torch.tensor([encoded[place][key] for place in rows], device=self._module.device)
                    for key in encoded[rows[0]]
                }
                with torch.inference_mode():
                    logits = self._module(**batch).logits.float()
                if not bool(torch.isfinite(logits).all()):
                    raise ModelError(f"entailment model '{self.name}': its logits are no numbers")
                for place, best in zip(rows, logits.argmax(-1).tolist(), strict=True):
                    found[place] = Judged(self.labels[best], length)
        return found


def open_nli(spec: str) -> NLIModel:
    """The model that ``spec`` names, a folder or a hub id: loaded once, and again where its files have changed.

    Raises ModelError, in one line, for what cannot be loaded, has weights missing or other labels.
    """
    return _open(spec, tuple(HUB.identity(_checked(spec)) or ()))


def revision_of(spec: str) -> str:
    """16 hex digits over weights, configuration and tokenizer of the model that ``spec`` names; a hub model that is not
    here is fetched. Raises ModelError as `open_nli` does, but looks at no weights.
    """
    source = _checked(spec)
    if HUB.identity(source) is None:
        open_nli(spec)
    _labels(spec, source)
    return _revision(spec, tuple(HUB.identity(source) or ()))


@lru_cache(maxsize=8)
def parameters(spec: str) -> int:
    """Parameters that each token is multiplied with, from the configuration alone. Raises ModelError."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from onset.models.facts import count_parameters
    from onset.models.loading import loading

    with loading(spec, quiet=True), torch.device("meta"):
        config = AutoConfig.from_pretrained(_checked(spec), trust_remote_code=False)
        module = AutoModelForSequenceClassification.from_config(config)
    return count_parameters(module).compute


def _checked(spec: str) -> str:
    """Where transformers finds it."""
    if split_spec(spec)[0] != "hf":
        raise ModelError(f"entailment model '{spec}': expected a folder or a hub id of a model of transformers")
    source = str(Path(spec).expanduser()) if spec.startswith("~") else spec
    if source.startswith((".", "/")) and not Path(source).is_dir():
        raise ModelError(f"entailment model '{spec}': no such folder")
    return source


@lru_cache(maxsize=8)
def _revision(spec: str, files: tuple[str, ...]) -> str:
    """``files``: names, sizes and times, so that a file that changes is read again."""
    found = HUB.revision(_checked(spec))
    if found is None:
        raise ModelError(f"entailment model '{spec}': its files are not here")
    return found


def _labels(spec: str, source: str) -> tuple[Label, ...]:
    from transformers import AutoConfig

    from onset.models.loading import loading

    with loading(spec, quiet=True):
        named = AutoConfig.from_pretrained(source, trust_remote_code=False).id2label
    told = [str(named[place]).casefold() for place in sorted(named)]
    if sorted(told) != sorted(LABELS):
        raise ModelError(
            f"entailment model '{spec}': its labels are {', '.join(map(str, named.values()))}; expected {LABELS[0]},"
            f" {LABELS[1]} and {LABELS[2]} (id2label in config.json)"
        )
    return tuple(next(label for label in LABELS if label == one) for one in told)


@lru_cache(maxsize=1)
def _open(spec: str, files: tuple[str, ...]) -> NLIModel:
    """``files`` as in `_revision`."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from onset.models.facts import describe
    from onset.models.loading import loading, pick_device

    source = _checked(spec)
    labels = _labels(spec, source)
    device = pick_device(spec, "auto")
    with loading(spec, quiet=Path(source).is_dir()):
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        module, report = AutoModelForSequenceClassification.from_pretrained(
            source, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
        )
    if absent := sorted(report["missing_keys"]):
        raise ModelError(
            f"entailment model '{spec}': {len(absent)} weights are not in its files, the first is {absent[0]}"
        )
    revision = _revision(spec, tuple(HUB.identity(source) or ()))
    facts = describe(module, tokenizer, HUB.label(source), revision)
    return NLIModel(module.to(device), tokenizer, facts, labels, _most(module, tokenizer))


def _most(module: Any, tokenizer: Any) -> int:
    """Tokens that it reads: positions of the RoBERTa family begin after that of its padding."""
    tables = [part for name, part in module.named_modules() if name.endswith("position_embeddings")]
    before = max((part.padding_idx + 1 for part in tables if getattr(part, "padding_idx", None) is not None), default=0)
    told = getattr(module.config, "max_position_embeddings", None) or math.inf
    return int(min(told - before, tokenizer.model_max_length))
