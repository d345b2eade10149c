"""Plain transformers: ``generate`` for one prompt at a time, its samples as ``num_return_sequences``."""

from __future__ import annotations

from typing import Any

from engine_parts.serve import cut, serve


class PlainBackend:
    def __init__(self, told: dict[str, Any]) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(told["folder"])
        self.module: Any = AutoModelForCausalLM.from_pretrained(told["folder"], dtype=torch.float32).eval()

    def prepare(self, work: dict[str, Any]) -> None:
        import torch

        torch.manual_seed(work["seed"])

    def generate(self, work: dict[str, Any]) -> list[list[str]]:
        how: dict[str, Any] = {"do_sample": False}
        if work["temperature"] > 0:
            # top_k 0: the whole distribution, as the others sample it
            how = {"do_sample": True, "temperature": work["temperature"], "top_k": 0, "num_return_sequences": work["n"]}
        return [self._one(prompt, work, how) for prompt in work["prompts"]]

    def _one(self, prompt: str, work: dict[str, Any], how: dict[str, Any]) -> list[str]:
        encoded = self.tokenizer(prompt, return_tensors="pt")
        found = self.module.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            max_new_tokens=work["max_tokens"],
            stop_strings=work["stop"],
            tokenizer=self.tokenizer,
            pad_token_id=self.tokenizer.eos_token_id,
            **how,
        )
        new = found[:, encoded["input_ids"].shape[1] :]
        return [cut(text, work["stop"]) for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]

    def score(self, work: dict[str, Any]) -> list[list[float]]:
        return [
            [self._logprob(prompt, choice) for choice in row]
            for prompt, row in zip(work["prompts"], work["choices"], strict=True)
        ]

    def _logprob(self, context: str, continuation: str) -> float:
        import torch

        whole = self.tokenizer(context + continuation)["input_ids"]
        count = len(whole) - len(self.tokenizer(context)["input_ids"])
        with torch.inference_mode():
            logits = self.module(input_ids=torch.tensor([whole[:-1]]), logits_to_keep=count).logits[0]
        wanted = torch.tensor(whole[-count:])[:, None]
        return float(logits.log_softmax(-1).gather(-1, wanted).sum())

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts)["input_ids"]


if __name__ == "__main__":
    serve(PlainBackend, ["torch", "transformers"])
