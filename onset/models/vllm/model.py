"""A model that vLLM runs in this process: asked in the same tokens, and ended at the same ones, as `HFModel`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError, StoreError
from onset.models.base import Can, ModelFacts
from onset.models.text import TextModel

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.models.rows import Row, Sample, Span
    from onset.models.vllm.engine import Adapter, Engine


class VLLMModel(TextModel):
    """A model behind ``engine`` (`onset.models.vllm.engine`); ``vocabulary`` is the width of its logits.

    The next token is the most probable at temperature 0, else vLLM's own draw with a seed made of those of the request
    and the sample: other texts than `onset.models.hf.HFModel` draws, and what is asked at the same time moves the last
    bits of a logit, so ``can.repeat`` is false. Its weights stay as they are: a LoRA adapter is trained on
    ``trainable`` (the same files by transformers), and `adapted` asks with it beside them, never merged.
    """

    can = Can(repeat=False, adapters=True)

    def __init__(
        self,
        engine: Engine,
        tokenizer: Any,
        facts: ModelFacts,
        ends: frozenset[int],
        *,
        vocabulary: int,
        origin: str,
        trainable: Callable[[], HFModel],
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__(tokenizer, facts, ends, origin)
        self.engine = engine
        self.trainable = trainable
        self.versions = {"vllm": engine.version}
        self._width = vocabulary
        self._adapter = adapter

    @property
    def _vocabulary(self) -> int:
        return self._width

    @property
    def engine_note(self) -> str:
        """One line about how it is run."""
        spread = f", over {self.engine.how.gpus} GPUs" if self.engine.how.gpus > 1 else ""
        return (
            f"{self._facts.name} is run by vLLM {self.engine.version}{spread}: what is asked together moves the last"
            " bits, so equal requests may get other answers another time"
        )

    def adapted(self, folder: Path, revision: str) -> VLLMModel:
        """The same model asked with the LoRA adapter of ``folder`` (peft's layout) beside its weights; ``revision``:
        that of both. Raises StoreError where there is none that can be read, ModelError for one that vLLM does not
        serve.
        """
        path = folder / "adapter_config.json"
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            rank, dora = int(told["r"]), bool(told.get("use_dora"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"cannot read adapter settings {path}: {error}") from error
        most = self.engine.how.rank
        if dora or rank > most:
            why = "of DoRA" if dora else f"of rank {rank}, and it was opened for ranks up to {most}"
            raise ModelError(f"model '{self._facts.name}' cannot be asked with the adapter {folder}: it is {why}")
        return VLLMModel(
            self.engine,
            self.tokenizer,
            replace(self._facts, revision=revision),
            self._eos,
            vocabulary=self._width,
            origin=self.origin,
            trainable=self.trainable,
            adapter=self.engine.adapter(revision, folder.resolve()),
        )

    def close(self) -> None:
        """Give back the memory of the engine, which every model that was `adapted` from this one shares."""
        self.engine.close()

    def _generate(self, rows: Sequence[Row]) -> list[Sample]:
        return self.engine.generate(rows, self._endings, self._adapter)

    def _score(self, spans: Sequence[Span]) -> list[float]:
        return self.engine.score(spans, self._adapter)
