"""Sharing the beginning of the prompts changes no text and no log-probability."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from onset.models import prefix as prefix_module
from onset.models import stepper as stepper_module
from onset.models.decoding import Row, generate
from onset.models.prefix import shared_prefix
from onset.models.scoring import Span, score
from onset.models.stepper import Stepper, forward_arguments
from tests.models_fixtures import gemma3, llama, tokenizer

SHARED = tuple(range(40, 40 + 90))
PROMPTS = [SHARED + tail for tail in [(5,), (7, 8, 9), tuple(range(10, 35)), (11, 12), tuple(range(200, 214))]]


def other(kind: str) -> Any:
    """A tiny random model of another architecture; its window, where it has one, cuts the shared beginning."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    groups = {} if kind == "gpt_neox" else {"num_key_value_heads": 2, "head_dim": 8}
    window = {"mistral": {"sliding_window": 60}, "qwen2": {"sliding_window": 60, "use_sliding_window": True}}
    config = AutoConfig.for_model(
        kind,
        vocab_size=256,
        max_position_embeddings=256,
        max_window_layers=1,
        **sizes,
        **groups,
        **window.get(kind, {}),
    )
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")


ARCHITECTURES = {
    "llama": llama,
    "gemma3_text": gemma3,
    "wide": lambda: gemma3(window=70),
    **{kind: partial(other, kind) for kind in ("gpt_neox", "mistral", "qwen2", "qwen3")},
}
MODELS = pytest.mark.parametrize("make", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())


def test_every_architecture_that_shares_is_compared() -> None:
    assert set(prefix_module.ARCHITECTURES) == set(ARCHITECTURES) - {"wide"}


@MODELS
def test_logits_after_a_shared_prefix_are_those_of_each_prompt_alone(make: Any) -> None:
    module = make().eval()
    shared = shared_prefix(module, PROMPTS, forward_arguments(module))
    assert shared is not None
    assert shared.tokens == SHARED
    stepper = Stepper(module, shared)
    logits = stepper.prefill(PROMPTS)
    later = stepper.step([[3]] * len(PROMPTS))[:, -1]
    assert module.config._attn_implementation == "sdpa"
    with torch.no_grad():
        for row, prompt in enumerate(PROMPTS):
            alone = module(input_ids=torch.tensor([[*prompt, 3]])).logits[0]
            torch.testing.assert_close(logits[row], alone[-2], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(later[row], alone[-1], atol=1e-4, rtol=1e-4)


@MODELS
def test_texts_and_scores_do_not_change(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = make().eval()
    rows = [Row(prompt, 12, (), temperature, 3, 0) for prompt in PROMPTS for temperature in (0.0, 0.8)]
    spans = [Span(prompt, (3, 4, 5)) for prompt in PROMPTS]
    tok = tokenizer(bos=False)
    with_sharing = generate(module, tok, rows, frozenset({0}), 2000), score(module, spans, 2000)
    monkeypatch.setattr(prefix_module, "SHARE_FROM", 10**9)
    without = generate(module, tok, rows, frozenset({0}), 2000), score(module, spans, 2000)
    assert [one.text for one in with_sharing[0]] == [one.text for one in without[0]]
    assert [one.logprob for one in with_sharing[0]] == pytest.approx([one.logprob for one in without[0]], abs=1e-3)
    assert with_sharing[1] == pytest.approx(without[1], abs=1e-3)


def test_the_prefix_is_run_once_for_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    module = llama().eval()
    widths: list[int] = []
    forward = stepper_module.Stepper._forward

    def watched(self: Any, tokens: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        widths.append(tokens.shape[1])
        return forward(self, tokens, *rest, **more)

    monkeypatch.setattr(stepper_module.Stepper, "_forward", watched)
    rows = [Row(prompt, 1, (), 0.0, 0, 0) for prompt in PROMPTS]
    generate(module, tokenizer(bos=False), rows, frozenset({0}), len(SHARED) + 60)
    assert widths == [25, 3]  # batches of 2 and 3 rows, what they share counted once and never run


def test_too_little_in_common_is_not_shared() -> None:
    module = llama()
    arguments = forward_arguments(module)
    assert shared_prefix(module, [prompt[80:] for prompt in PROMPTS], arguments) is None
    assert shared_prefix(module, [PROMPTS[0], PROMPTS[0]], arguments) is None
