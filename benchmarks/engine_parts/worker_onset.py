"""Onset, through its public interface."""

from __future__ import annotations

from typing import Any

from engine_parts.serve import HELLO, serve


class OnsetBackend:
    def __init__(self, told: dict[str, Any]) -> None:
        from onset.models.reproducible import make_reproducible

        make_reproducible()  # as `onset run` does, before torch is imported

        from onset.models import open_model

        self.model: Any = open_model(told["spec"], device="cpu", dtype="float32", batch_tokens=told["batch_tokens"])

    def prepare(self, work: dict[str, Any]) -> None:
        """Another prompt, so that nothing that may have been kept of the last run's prefix is at hand."""
        self.generate(HELLO)

    def generate(self, work: dict[str, Any]) -> list[list[str]]:
        from onset.records import Request

        requests = [
            Request(
                prompt=prompt,
                max_tokens=work["max_tokens"],
                stop=tuple(work["stop"]),
                n=work["n"],
                temperature=work["temperature"],
                seed=work["seed"] + place,
            )
            for place, prompt in enumerate(work["prompts"])
        ]
        return [[one.text for one in row] for row in self.model.generate(requests)]

    def score(self, work: dict[str, Any]) -> list[list[float]]:
        from onset.records import Pair

        pairs = [
            Pair(prompt, choice) for prompt, row in zip(work["prompts"], work["choices"], strict=True) for choice in row
        ]
        values = iter(self.model.score(pairs))
        return [[next(values).logprob for _ in row] for row in work["choices"]]

    def token_ids(self, texts: list[str]) -> list[list[int]]:
        return self.model.encode(texts)


def folder(backend: Any, _: dict[str, Any]) -> dict[str, Any]:
    """Where the float32 weights lie that Onset has loaded, for the other contenders."""
    return {"folder": str(backend.model.module.name_or_path)}


def profile(backend: Any, message: dict[str, Any]) -> dict[str, Any]:
    from engine_parts.measure import profiled

    return profiled(backend, message["work"])


def hardware(_: Any, message: dict[str, Any]) -> dict[str, Any]:
    from engine_parts.measure import hardware

    return hardware(message["shapes"], message["rows"])


if __name__ == "__main__":
    serve(
        OnsetBackend,
        ["lm-onset", "torch", "transformers"],
        {"folder": folder, "profile": profile, "hardware": hardware},
    )
