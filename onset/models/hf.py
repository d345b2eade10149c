"""Causal language models through transformers: a hub id, a local folder, or objects already loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onset.models.backend import DEFAULT_BATCH_TOKENS
from onset.models.base import NOTHING, Can, ModelFacts, Virtual
from onset.models.facts import count_parameters, describe, end_tokens
from onset.models.text import TextModel

if TYPE_CHECKING:
    import torch

    from onset.models.engine import Machine, Recorder, Shape, Trunks
    from onset.models.rows import Row, Sample, Span

__all__ = ["HFModel", "count_parameters", "describe"]


class HFModel(TextModel):
    """A transformers causal LM and its tokenizer as an Onset model.

    ``module`` (a ``PreTrainedModel`` or a peft wrapper of one) is used in evaluation mode; ``tokenizer``
    is a fast one; ``facts`` are what the study will store. A tuned model is made by `derive`, or from
    the parts. ``batch_tokens`` is the most tokens whose keys and values are held at once: what prompts have
    in common counts once, and each row of a batch as many as the longest may need.

    The next token is the largest logit at temperature 0, else the inverse of the cumulative distribution (of what
    ``top_k`` and ``top_p`` leave of it) at a uniform drawn for (seed, sample, step). What prompts have in common is run
    once, and neither that nor the batches change what is generated. Of a checkpoint's generation config only the
    end-of-text tokens are used: never its temperature or penalties.
    """

    can = Can(tune=True)

    def __init__(
        self,
        module: Any,
        tokenizer: Any,
        facts: ModelFacts,
        *,
        batch_tokens: int = DEFAULT_BATCH_TOKENS,
        origin: str = "",
        virtual: Virtual = NOTHING,
    ) -> None:
        from onset.models.engine import Spare

        ends = end_tokens(getattr(module.generation_config, "eos_token_id", None), tokenizer)
        super().__init__(tokenizer, facts, ends, origin, virtual)
        self.module = module
        self.batch_tokens = batch_tokens
        self._probed: dict[Any, _Tried] = {}
        self._spare = Spare()
        self._trunks: Trunks | None = None
        module.eval()

    def derive(self, module: Any, facts: ModelFacts, virtual: Virtual = NOTHING) -> HFModel:
        """Another module (a tuned one) with this model's tokenizer and batches; ``virtual``: before every text."""
        tuned = HFModel(
            module, self.tokenizer, facts, batch_tokens=self.batch_tokens, origin=self.origin, virtual=virtual
        )
        tuned._spare = self._spare
        return tuned

    def free(self) -> None:
        """Give back the memory, up to ``batch_tokens``, that is kept between calls for keys and values."""
        self._spare.free()
        if self._trunks is not None:
            self._trunks.free()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """While this is open the caller leaves ``module`` alone (weights, hooks, configuration), so that what prompts
        begin with, run by one call, serves the next that begins with the same tokens. Outside, every call runs all that
        it needs: not every write to a weight can be seen (``weight.data``, torch's fused optimisers).
        """
        from onset.models.engine import Trunks

        before, self._trunks = self._trunks, self._trunks or Trunks()
        try:
            yield
        finally:
            self._trunks = before

    @property
    def engine_note(self) -> str | None:
        """One line when the engine cannot run this model, so that prompts are run whole, or not as fast as it could on
        a GPU (see `onset.models.engine`).
        """
        note = self._tried().note
        return None if note is None else f"{self._facts.name} {note}"

    def _generate(self, rows: Sequence[Row]) -> list[Sample]:
        from onset.models import engine, plain

        machine = self._machine() if rows else None
        if machine is not None:
            return engine.generate(machine, rows)
        return plain.generate(self.module, rows, self._endings, self._vocabulary, self.batch_tokens)

    def _score(self, spans: Sequence[Span]) -> list[float]:
        from onset.models import engine, plain

        machine = self._machine() if spans else None
        if machine is not None:
            return engine.score(machine, spans)
        return plain.score(self.module, spans, self._vocabulary, self.batch_tokens)

    def _machine(self) -> Machine | None:
        """The engine for this model, None when it does not pass the probe."""
        from onset.models.engine import Machine, Trunks

        self.module.eval()
        tried = self._tried()
        if tried.shape is None:
            return None
        return Machine(
            self.module,
            tried.shape,
            self._vocabulary,
            self._endings,
            self.batch_tokens,
            self._spare,
            tried.new_recorder,
            self._trunks or Trunks(),
        )

    def _tried(self) -> _Tried:
        """What the probe found, tried once for each dtype and device the module has been in."""
        weight = self.module.get_input_embeddings().weight
        now = (weight.dtype, weight.device)
        if now not in self._probed:
            self.module.eval()
            self._probed[now] = _try_out(self.module)
        return self._probed[now]

    @property
    def _vocabulary(self) -> int:
        from onset.models.stepper import vocabulary_size

        return vocabulary_size(self.module)


@dataclass(frozen=True, slots=True)
class _Tried:
    """The shape of keys and values, None when the engine cannot run a model; what records its steps, where they can
    be; and why one or the other is not so, in words that follow its name.
    """

    shape: Shape | None
    new_recorder: Callable[[torch.device], Recorder] | None
    note: str | None


def _try_out(module: Any) -> _Tried:
    """Try ``module`` with the engine, and on a GPU its steps as CUDA graphs."""
    from onset.models.engine import CudaGraphs, Unfit, probe, probe_recording

    try:
        shape = probe(module)
    except Unfit as error:
        return _Tried(None, None, f"runs without the shared-prefix engine: {error}")
    if shape.device.type != "cuda":
        return _Tried(shape, None, None)
    try:
        probe_recording(module, CudaGraphs(shape.device))
    except Unfit as error:
        return _Tried(shape, None, f"generates without CUDA graphs, which takes longer: {error}")
    return _Tried(shape, CudaGraphs, None)
