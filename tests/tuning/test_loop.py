"""What the loop saves: virtual tokens run once for all rows, products by whichever library is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import gemma3, gpt2, gpt_neox, llama, qwen2  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, bytes_of, hf_model  # noqa: E402

from onset.models.engine import linear  # noqa: E402
from onset.tuning import loop, tuner  # noqa: E402
from onset.tuning.base import Schedule  # noqa: E402
from onset.tuning.beside import Beside  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("make", [llama, qwen2, gemma3, gpt2, gpt_neox])
@pytest.mark.parametrize(
    "way", [{"kind": "prefix-tuning", "tokens": 5}, {"kind": "mam", "tokens": 20}], ids=["prefix", "mam"]
)
def test_virtual_tokens_run_once_give_the_gradients_of_running_them_in_every_row(
    way: dict[str, Any], make: Callable[[], Any]
) -> None:
    """20 of them are more than the window of Gemma's layers, so the first are out of sight of some tokens."""
    model, method = hf_model(make()), tuner(way)
    assert isinstance(method, Beside)
    put = method.put(model, 1, EXAMPLES)
    generator = torch.Generator().manual_seed(4)
    for weight in put.weights.values():
        with torch.no_grad():  # adapters begin as nothing
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.05)
        weight.requires_grad_(True)
    put.module.train()
    before = put.virtual
    rows = [
        replace(row, ids=before.ids + row.ids, start=row.start + len(before.ids), given=before.given)
        for row in loop.encode(model.tokenizer, EXAMPLES, 400)
    ]
    found = []
    for given in (before.given, 0):
        put.module.zero_grad()
        loss = loop.completion_loss(put.module, [replace(row, given=given) for row in rows], pad=0)
        loss.backward()
        found.append((loss.detach(), {name: weight.grad.clone() for name, weight in put.weights.items()}))
    (once, gradients), (each, expected) = found
    torch.testing.assert_close(once, each, rtol=1e-5, atol=1e-5)
    for name, gradient in gradients.items():
        assert gradient.abs().max() > 0
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-4)


def test_of_virtual_tokens_run_once_the_layers_are_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, method = hf_model(llama()), tuner({"kind": "prefix-tuning", "tokens": 5})
    widths: list[tuple[int, int]] = []
    forward = type(model.module.model.layers[0].mlp).forward
    monkeypatch.setattr(
        type(model.module.model.layers[0].mlp),
        "forward",
        lambda self, x: (widths.append(tuple(x.shape[:2])), forward(self, x))[1],
    )
    method.tune(model, EXAMPLES, SEEDS, Schedule(steps=1, batch_size=6))
    longest = max(len(row.ids) for row in loop.encode(model.tokenizer, EXAMPLES, 400))
    layers = len(model.module.model.layers)
    assert widths[-2 * layers :] == [(1, 5)] * layers + [(6, longest)] * layers


@pytest.mark.parametrize("kind", ["full", "lora", "bitfit"])
def test_products_by_onednn_train_the_same_weights(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to rounding. Which library multiplies is the processor's: both are tried on every machine."""
    if not linear._works():
        pytest.skip("torch has no linear layer by oneDNN here")
    monkeypatch.setattr(linear, "_WORTH", 1)
    called: list[str] = []
    backward = linear._Product.backward

    def counted(ctx: Any, grad: Any) -> Any:
        called.append("once")
        return backward(ctx, grad)

    monkeypatch.setattr(linear._Product, "backward", staticmethod(counted))
    schedule = Schedule(steps=3, batch_size=6, learning_rate=1e-3)
    make = qwen2 if kind == "bitfit" else llama
    found = []
    for by in (False, True):
        monkeypatch.setattr(linear, "by_onednn", lambda by=by: by)
        found.append(tuner(kind).tune(hf_model(make()), EXAMPLES, SEEDS, schedule))
        assert bool(called) is by
        assert torch.nn.functional.linear is linear._BY_TORCH
    (by_mkl, report), (by_onednn, other) = found
    assert other.last_loss == pytest.approx(report.last_loss, rel=1e-4)
    expected = bytes_of(by_mkl)
    for name, weight in bytes_of(by_onednn).items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-3, atol=2e-4)


def test_gradients_of_a_product_are_those_of_torch() -> None:
    if not linear._works():
        pytest.skip("torch has no linear layer by oneDNN here")
    generator = torch.Generator().manual_seed(1)
    x, weight, bias, out = (
        torch.randn(*size, generator=generator) for size in ((2, 7, 16), (24, 16), (24,), (2, 7, 24))
    )
    for needs in [(True, True, True), (True, False, False), (False, True, False), (False, False, True)]:
        found = []
        for product in (torch.nn.functional.linear, linear._Product.apply):
            inputs = [one.clone().requires_grad_(need) for one, need in zip((x, weight, bias), needs, strict=True)]
            product(*inputs).backward(out)
            found.append([one.grad for one in inputs])
        for ours, theirs in zip(*found, strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [llama, qwen2, gemma3])
def test_attention_by_plain_products_gives_the_gradients_of_the_fused_one(
    make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16, up to its rounding."""
    model, method = hf_model(make().to(torch.bfloat16)), tuner("lora")
    assert isinstance(method, Beside)
    put = method.put(model, 1, EXAMPLES)
    generator = torch.Generator().manual_seed(4)
    for weight in put.weights.values():
        with torch.no_grad():  # LoRA begins as nothing
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.05)
        weight.requires_grad_(True)
    rows = loop.encode(model.tokenizer, EXAMPLES, 400)
    found, asked = [], []
    plain = loop.sdpa_kernel
    monkeypatch.setattr(loop, "sdpa_kernel", lambda backend: (asked.append(backend), plain(backend))[1])
    for fused_from in (0, 10_000):
        monkeypatch.setattr(loop, "_FUSED_FROM", fused_from)
        put.module.zero_grad()
        (loop.completion_loss(put.module, rows, pad=0) / 100).backward()
        found.append(torch.cat([weight.grad.flatten() for weight in put.weights.values()]))
    fused, products = found
    assert len(asked) == 1
    assert fused.abs().max() > 0
    assert float(torch.nn.functional.cosine_similarity(fused, products, dim=0)) > 0.999
    assert float((fused - products).norm() / fused.norm()) < 0.03
