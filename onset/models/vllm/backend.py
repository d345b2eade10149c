"""Models of the hub and local folders that vLLM runs: what is asked of their names is what is asked of `HUB`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from onset.models.backend import LoadOptions
from onset.models.hub import Hub

if TYPE_CHECKING:
    from onset.models.vllm.model import VLLMModel


class VLLM(Hub):
    """``vllm:ORG/NAME``, or ``vllm:FOLDER`` with config.json, safetensors and tokenizer.json."""

    written: ClassVar[str] = "vllm:ORG/NAME or vllm:FOLDER"
    adapters: ClassVar[bool] = True

    def open(self, target: str, options: LoadOptions) -> VLLMModel:
        """See `onset.models.vllm.opening.open_vllm`."""
        from onset.models.vllm.opening import open_vllm

        return open_vllm(target, options)


VLLM_IN_PROCESS = VLLM()
