"""What every tuning method has to hold, one of a user's own too: `check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from models_fixtures import tokenizer

from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.records import Pair, Request
from onset.tuning.base import Example, Schedule, Seeds, Tuning
from onset.tuning.loop import encode
from onset.tuning.shapes import Shapes

SEEDS = Seeds(init=1, order=2, sampling=3)
COLOURS = ["blue", "10", "keys", "Pam", "Ray", "naïve"]
EXAMPLES = [
    Example(f"Question: What is {'so ' * n}{n}?\nAnswer:", f" The answer is {colour}.")
    for n, colour in enumerate(COLOURS)
]
SHORT = Schedule(steps=3, batch_size=4, learning_rate=1e-2)


def hf_model(module: Any, *, bos: bool = True) -> HFModel:
    tok = tokenizer(bos=bos)
    return HFModel(module, tok, describe(module, tok, "tiny", "base-revision"))


def bytes_of(model: HFModel) -> dict[str, Any]:
    return {name: weight.detach().clone() for name, weight in model.module.state_dict().items()}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def logits(model: HFModel, text: str = EXAMPLES[0].prompt) -> Any:
    """After every token of ``text`` [tokens, vocabulary], by one plain forward pass."""
    ids = [*model.virtual.ids, *model.encode([text])[0]]
    with torch.no_grad():
        return model.module(input_ids=torch.tensor([ids]), use_cache=False).logits[0, len(model.virtual.ids) :]


def said(model: HFModel) -> Any:
    """What a study asks of a model: texts, and log-probabilities."""
    requests = [Request(one.prompt, max_tokens=12, n=2, temperature=1.0, seed=4) for one in EXAMPLES]
    return model.generate(requests), model.score([Pair(one.prompt, one.completion) for one in EXAMPLES])


def check(method: Tuning, model: HFModel, folder: Path) -> HFModel:
    """Tune ``model`` briefly; returns the tuned one. ``folder`` is new."""
    before, layers = bytes_of(model), [type(layer) for layer in model.module.modules()]
    flags = [(weight.requires_grad, weight.grad) for weight in model.module.parameters()]
    state, answered = torch.get_rng_state(), said(model)
    tuned, report = method.tune(model, EXAMPLES, SEEDS, SHORT)

    # the base: bytes, layers, flags, answers and the global generator are what they were
    assert torch.equal(torch.get_rng_state(), state)
    assert same(bytes_of(model), before)
    assert [type(layer) for layer in model.module.modules()] == layers
    assert [(weight.requires_grad, weight.grad) for weight in model.module.parameters()] == flags
    assert said(model) == answered

    # the tuned model: frozen weights are the base's to the bit, and it is another model
    assert not any(weight.requires_grad for weight in tuned.module.parameters())
    own = {name.replace(".base_layer.", "."): weight for name, weight in bytes_of(tuned).items()}
    assert before.keys() <= own.keys()
    frozen = [name for name in before if torch.equal(before[name], own[name])]
    assert not torch.equal(logits(tuned), logits(model))
    assert tuned.facts == replace(model.facts, revision=tuned.facts.revision)
    assert tuned.facts.revision != model.facts.revision

    # the report: trained numbers are the formula's, FLOPs are the rule's
    trained = method.trained(Shapes.of(model.module))
    assert report.trained_params == trained > 0
    if method.keep:
        changed = sum(before[name].numel() for name in before if name not in frozen)
        assert changed in (0, trained)
    tokens = sum(len(row.ids) + method.own_tokens for row in encode(model.tokenizer, EXAMPLES, 512))
    whole = method.tune(model, EXAMPLES, SEEDS, replace(SHORT, batch_size=len(EXAMPLES)))[1]
    assert whole.tokens == SHORT.steps * tokens
    assert whole.flops == method.flops * model.facts.known("params_compute") * whole.tokens

    # the same seeds, the same bits; other ones, other bits
    torch.rand(5)
    again, report_again = method.tune(model, EXAMPLES, SEEDS, SHORT)
    assert (again.facts, report_again) == (tuned.facts, report)
    assert same(bytes_of(again), bytes_of(tuned))
    other, _ = method.tune(model, EXAMPLES, Seeds(7, 8, 9), SHORT)
    assert other.facts.revision != tuned.facts.revision

    # written and read back: the same bits, the same logits, the same answers
    method.save(tuned, folder)
    loaded = method.load(model, folder)
    assert same(bytes_of(loaded), bytes_of(tuned))
    assert (loaded.facts, loaded.virtual) == (tuned.facts, tuned.virtual)
    assert torch.equal(logits(loaded), logits(tuned))
    assert said(loaded) == said(tuned)
    return tuned
