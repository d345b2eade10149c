"""lm-evaluation-harness: its ``HFLM`` with the requests that its evaluator makes, ``repeats`` cloned as there."""

from __future__ import annotations

from typing import Any

from engine_parts.serve import serve


class LmEvalBackend:
    def __init__(self, told: dict[str, Any]) -> None:
        from lm_eval.models.huggingface import HFLM

        self.lm: Any = HFLM(pretrained=told["folder"], device="cpu", dtype="float32", batch_size=8)

    def prepare(self, work: dict[str, Any]) -> None:
        import torch

        torch.manual_seed(work["seed"])
        self.lm.batch_size_per_gpu = work["batch"]

    def generate(self, work: dict[str, Any]) -> list[list[str]]:
        from lm_eval.api.instance import Instance

        how: dict[str, Any] = {"until": work["stop"], "max_gen_toks": work["max_tokens"], "do_sample": False}
        if work["temperature"] > 0:
            # top_k 0: the whole distribution, as the others sample it
            how |= {"do_sample": True, "temperature": work["temperature"], "top_k": 0}
        requests = [
            Instance("generate_until", {}, (prompt, dict(how)), 0, (None, place, work["n"]))
            for place, prompt in enumerate(work["prompts"])
        ]
        cloned = [one for request in requests for one in [request] * request.repeats]
        texts = self.lm.generate_until(cloned, disable_tqdm=True)
        return [texts[start : start + work["n"]] for start in range(0, len(texts), work["n"])]

    def score(self, work: dict[str, Any]) -> list[list[float]]:
        from lm_eval.api.instance import Instance

        requests = [
            Instance("loglikelihood", {}, (prompt, choice), index, (None, place, 1))
            for place, (prompt, row) in enumerate(zip(work["prompts"], work["choices"], strict=True))
            for index, choice in enumerate(row)
        ]
        values = iter(self.lm.loglikelihood(requests, disable_tqdm=True))
        return [[float(next(values)[0]) for _ in row] for row in work["choices"]]

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        return [self.lm.tok_encode(text) for text in texts]


if __name__ == "__main__":
    serve(LmEvalBackend, ["lm_eval", "torch", "transformers"])
