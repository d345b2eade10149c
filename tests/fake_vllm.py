"""A stand-in of vLLM: the three calls that are made of its engine, answered by transformers without any cache.

What it takes and gives has the names and shapes of vLLM 0.32; `test_vllm_real.py` holds it to the installed one.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar

import pytest
import torch

AT_ONCE = 3
"""Requests that take part in a step: the others wait, as they do where an engine is full."""


class RequestOutputKind(Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2


@dataclass
class SamplingParams:
    max_tokens: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    logprob_token_ids: list[int] | None = None
    stop_token_ids: list[int] = field(default_factory=list)
    ignore_eos: bool = False
    detokenize: bool = True
    output_kind: RequestOutputKind = RequestOutputKind.CUMULATIVE


@dataclass
class Logprob:
    logprob: float


@dataclass
class CompletionOutput:
    token_ids: list[int]
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str | None


@dataclass
class RequestOutput:
    request_id: str
    outputs: list[CompletionOutput]
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    finished: bool


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


@dataclass
class EngineArgs:
    model: str
    dtype: str
    max_model_len: int
    kv_cache_memory_bytes: int
    skip_tokenizer_init: bool = False
    generation_config: str = "auto"
    trust_remote_code: bool = False
    gpu_memory_utilization: float = 0.9
    enable_prefix_caching: bool = False
    logprobs_mode: str = "raw_logprobs"
    disable_log_stats: bool = False
    use_tqdm_on_load: bool = True
    enforce_eager: bool = False
    tensor_parallel_size: int = 1
    distributed_executor_backend: str | None = None
    seed: int = 0
    enable_lora: bool = False
    max_loras: int = 1
    max_lora_rank: int = 16


@dataclass
class _Live:
    prompt: list[int]
    params: SamplingParams
    lora: LoRARequest | None
    generator: torch.Generator
    made: list[int] = field(default_factory=list)


class LLMEngine:
    started: ClassVar[list[LLMEngine]] = []

    def __init__(self, args: EngineArgs) -> None:
        from transformers import AutoModelForCausalLM

        self.args = args
        dtype = getattr(torch, args.dtype)
        self.module = AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype).eval()
        self.adapters: dict[str, Any] = {}
        self.live: dict[str, _Live] = {}
        self.steps = 0
        self.made = 0
        self.aborted: list[str] = []
        self.fail_at: int | None = None

    @classmethod
    def from_engine_args(cls, args: EngineArgs) -> LLMEngine:
        cls.started.append(cls(args))
        return cls.started[-1]

    def add_request(
        self, request_id: str, prompt: Any, params: SamplingParams, lora_request: LoRARequest | None = None
    ) -> str:
        ids = prompt["prompt_token_ids"]
        if len(ids) + params.max_tokens > self.args.max_model_len:
            raise ValueError(f"the prompt has {len(ids)} tokens, the longest is {self.args.max_model_len}")
        if lora_request is not None and not self.args.enable_lora:
            raise ValueError("Got lora_request but LoRA is not enabled!")
        generator = torch.Generator().manual_seed(params.seed or 0)
        self.live[request_id] = _Live(list(ids), params, lora_request, generator)
        return f"{request_id}-0a1b2c3d"

    def abort_request(self, request_ids: list[str]) -> None:
        self.aborted += request_ids
        for one in request_ids:
            self.live.pop(one, None)

    def step(self) -> list[RequestOutput]:
        self.steps += 1
        if self.steps == self.fail_at:
            raise RuntimeError("out of memory\nsomewhere")
        return [self._one(name) for name in list(self.live)[:AT_ONCE]]

    def _one(self, name: str) -> RequestOutput:
        one = self.live[name]
        table = self._logits(one).log_softmax(-1)
        token = self._drawn(table[-1], one)
        first = not one.made
        one.made.append(token)
        self.made += 1
        told = self._told(table[-1], [token, *(one.params.logprob_token_ids or [])])
        stops = token in one.params.stop_token_ids
        reason = "stop" if stops else "length" if len(one.made) == one.params.max_tokens else None
        asked = one.params.logprobs is not None or one.params.logprob_token_ids is not None
        prompt = None
        if first and one.params.prompt_logprobs is not None:
            ids = one.prompt
            prompt = [None, *(self._told(table[place - 1], [ids[place]]) for place in range(1, len(ids)))]
        if reason is not None:
            del self.live[name]
        return RequestOutput(
            name, [CompletionOutput([token], [told] if asked else None, reason)], prompt, reason is not None
        )

    def _told(self, row: torch.Tensor, tokens: list[int]) -> dict[int, Logprob]:
        return {token: Logprob(float(row[token])) for token in tokens}

    def _logits(self, one: _Live) -> torch.Tensor:
        module = self.module if one.lora is None else self._adapted(one.lora)
        with torch.no_grad():
            logits: torch.Tensor = module(torch.tensor([one.prompt + one.made])).logits[0].float()
        return logits

    def _adapted(self, lora: LoRARequest) -> Any:
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        if lora.lora_name not in self.adapters:
            with warnings.catch_warnings(action="ignore"):  # peft asks transformers for what is called otherwise now
                base = AutoModelForCausalLM.from_pretrained(self.args.model, dtype=getattr(torch, self.args.dtype))
                self.adapters[lora.lora_name] = PeftModel.from_pretrained(base, lora.lora_path).eval()
        return self.adapters[lora.lora_name]

    def _drawn(self, row: torch.Tensor, one: _Live) -> int:
        if one.params.temperature == 0:
            return int(row.argmax())
        scaled = row / one.params.temperature
        if one.params.top_k:
            scaled = scaled.masked_fill(scaled < scaled.topk(one.params.top_k).values[-1], float("-inf"))
        return int(torch.multinomial(scaled.softmax(-1), 1, generator=one.generator))


def _modules() -> dict[str, ModuleType]:
    def module(name: str, **names: Any) -> ModuleType:
        made = ModuleType(name)
        made.__spec__ = ModuleSpec(name, None)
        made.__dict__.update(names)
        return made

    def tokens_prompt(prompt_token_ids: list[int]) -> dict[str, Any]:
        return {"prompt_token_ids": prompt_token_ids}

    return {
        "vllm": module(
            "vllm",
            EngineArgs=EngineArgs,
            LLMEngine=LLMEngine,
            SamplingParams=SamplingParams,
            TokensPrompt=tokens_prompt,
        ),
        "vllm.sampling_params": module("vllm.sampling_params", RequestOutputKind=RequestOutputKind),
        "vllm.lora": module("vllm.lora"),
        "vllm.lora.request": module("vllm.lora.request", LoRARequest=LoRARequest),
        "vllm.distributed": module("vllm.distributed"),
        "vllm.distributed.parallel_state": module(
            "vllm.distributed.parallel_state", cleanup_dist_env_and_memory=lambda: None
        ),
    }


@contextmanager
def installed() -> Iterator[list[LLMEngine]]:
    """While this is open ``import vllm`` gives the stand-in. Yields the engines that are started."""
    with pytest.MonkeyPatch.context() as patch:
        for name, one in _modules().items():
            patch.setitem(sys.modules, name, one)
        patch.setattr(LLMEngine, "started", [])
        for key in ("VLLM_ENABLE_V1_MULTIPROCESSING", "VLLM_LOGGING_LEVEL", "VLLM_NO_USAGE_STATS"):
            patch.setenv(key, "0")
        yield LLMEngine.started
