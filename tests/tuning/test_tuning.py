"""Tuning methods: against transformers' own loss and schedule, against peft, and one conformance suite for all."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import gemma3, gpt2, llama, tokenizer  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, get_linear_schedule_with_warmup  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, SHORT, hf_model, same  # noqa: E402

from onset.errors import Diverged, InputError, ModelError, StoreError, UnknownName  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.records import Pair, Request  # noqa: E402
from onset.tuning import TUNERS, loop, optimise, tuner  # noqa: E402
from onset.tuning.base import Example, Schedule, Seeds, Tuning  # noqa: E402
from onset.tuning.full import Full  # noqa: E402
from onset.tuning.lora import LoRA  # noqa: E402
from onset.tuning.shapes import Shapes  # noqa: E402


@pytest.fixture(params=sorted(TUNERS))
def method(request: pytest.FixtureRequest) -> Tuning:
    """Registering a tuning method enrols it in every test that asks for one."""
    return tuner(request.param)


@pytest.fixture
def build(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """What makes the module of `model`: one with biases where the method needs some."""
    biased = "method" in request.fixturenames and request.getfixturevalue("method").kind == "bitfit"
    return gpt2 if biased else llama


@pytest.fixture
def model(build: Callable[..., Any]) -> HFModel:
    return hf_model(build())


def easy(method: Tuning, steps: int) -> tuple[list[Example], Schedule]:
    """What ``method`` can learn of a frozen random model: all examples, or two by few weights."""
    if method.kind in ("full", "lora"):
        return EXAMPLES, Schedule(steps=steps, batch_size=4, learning_rate=1e-2)
    if method.kind.endswith("adapter"):
        return EXAMPLES[:2], Schedule(steps=150, batch_size=4, learning_rate=1e-2)
    return EXAMPLES[:2], Schedule(steps=150, batch_size=4, learning_rate=0.1)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights_of(model: HFModel) -> dict[str, Any]:
    return {name: weight.detach().clone() for name, weight in model.module.named_parameters()}


def answers(model: HFModel) -> list[str]:
    completions = model.generate([Request(example.prompt, max_tokens=24) for example in EXAMPLES])
    return [one.text for [one] in completions]


# --- examples to tokens ---


@pytest.mark.parametrize("bos", [True, False])
def test_prompt_and_completion_are_one_string_and_the_end_token_is_last(bos: bool) -> None:
    tok = tokenizer(bos=bos)
    for row, example in zip(loop.encode(tok, EXAMPLES, 512), EXAMPLES, strict=True):
        prompt = tok(example.prompt).input_ids
        completion = tok(example.completion, add_special_tokens=False).input_ids
        assert list(row.ids) == [*prompt, *completion, tok.eos_token_id]
        assert row.start == len(prompt)


def test_a_token_across_the_boundary_belongs_to_the_completion() -> None:
    tok = tokenizer(bos=True)
    [row] = loop.encode(tok, [Example("Question: How ma", "ny keys")], 512)
    assert tok.convert_ids_to_tokens(row.ids[row.start]) == "Ġman"
    assert tok.decode(row.ids[: row.start]) == "<bos>Question: How"
    assert tok.decode(row.ids[row.start :]) == " many keys<eos>"


def test_a_long_example_is_an_error_with_counts(model: HFModel, method: Tuning, build: Callable[..., Any]) -> None:
    longest = max(len(row.ids) for row in loop.encode(model.tokenizer, EXAMPLES, 512))
    message = (
        f"1 of 6 training examples are longer than {longest - 1} tokens (longest {longest}): "
        "raise the schedule's max_length or use a model with a longer context"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        method.tune(model, EXAMPLES, SEEDS, Schedule(max_length=longest - 1))
    narrow = hf_model(build(context=longest - 1 + method.length))
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        method.tune(narrow, EXAMPLES, SEEDS, Schedule())


def test_examples_must_be_there_and_have_completions(model: HFModel, method: Tuning) -> None:
    with pytest.raises(ModelError, match=r"^tuning needs at least 1 labelled example, received 0$"):
        method.tune(model, [], SEEDS, SHORT)
    with pytest.raises(ModelError, match=r"^1 of 7 training examples have an empty completion$"):
        method.tune(model, [*EXAMPLES, Example("Question:", "")], SEEDS, SHORT)


# --- the loss ---


def reference_loss(module: Any, tok: Any, example: Example) -> tuple[float, int]:
    """transformers' own loss with the prompt masked by -100: (summed nats, completion tokens)."""
    prompt = tok(example.prompt).input_ids
    completion = [*tok(example.completion, add_special_tokens=False).input_ids, tok.eos_token_id]
    labels = torch.tensor([[-100] * len(prompt) + completion])
    with torch.no_grad():
        mean = module(input_ids=torch.tensor([[*prompt, *completion]]), labels=labels).loss
    return float(mean) * len(completion), len(completion)


@pytest.mark.parametrize("build", [llama, lambda: llama(tied=True), gemma3], ids=["llama", "tied", "gemma3"])
def test_the_loss_of_a_padded_batch_is_transformers_own(build: Any) -> None:
    module, tok = build().eval(), tokenizer(bos=True)
    rows = loop.encode(tok, EXAMPLES, 512)
    with torch.no_grad():
        ours = float(loop.completion_loss(module, rows, pad=tok.eos_token_id))
    reference = [reference_loss(module, tok, example) for example in EXAMPLES]
    assert ours == pytest.approx(sum(nats for nats, _ in reference), rel=1e-5)
    assert sum(len(row.ids) - row.start for row in rows) == sum(count for _, count in reference)


def test_the_loss_needs_no_separate_head(monkeypatch: pytest.MonkeyPatch) -> None:
    module, tok = llama().eval(), tokenizer(bos=True)
    rows = loop.encode(tok, EXAMPLES, 512)
    with torch.no_grad():
        through_head = float(loop.completion_loss(module, rows, pad=0))
        monkeypatch.setattr(module, "get_output_embeddings", lambda: None)
        assert float(loop.completion_loss(module, rows, pad=0)) == pytest.approx(through_head, rel=1e-6)


def test_full_tuning_equals_a_plain_loop(model: HFModel) -> None:
    """Three steps on one batch, written out with transformers' loss and torch's AdamW."""
    schedule = Schedule(steps=3, batch_size=8, learning_rate=1e-3, warmup=0.4, weight_decay=0.1, clip=0.5)
    tuned, report = Full().tune(model, EXAMPLES, SEEDS, schedule)

    module, tok = llama().train(), model.tokenizer
    decays = [[w for w in module.parameters() if w.ndim > 1], [w for w in module.parameters() if w.ndim == 1]]
    groups = [{"params": decays[0], "weight_decay": 0.1}, {"params": decays[1], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, foreach=False)
    losses = []
    for rate in (1.0, 2 / 3, 1 / 3):  # one step of warm-up, then down
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * rate
        counts, nats = 0, 0.0
        for example in EXAMPLES:
            prompt = tok(example.prompt).input_ids
            completion = [*tok(example.completion, add_special_tokens=False).input_ids, tok.eos_token_id]
            labels = torch.tensor([[-100] * len(prompt) + completion])
            loss = module(input_ids=torch.tensor([[*prompt, *completion]]), labels=labels).loss
            nats, counts = nats + loss * len(completion), counts + len(completion)
        (nats / counts).backward()
        losses.append((nats / counts).item())
        torch.nn.utils.clip_grad_norm_(module.parameters(), 0.5)
        optimiser.step()
        optimiser.zero_grad()
    assert report.first_loss == pytest.approx(losses[0], rel=1e-5)
    assert report.last_loss == pytest.approx(losses[2], rel=1e-5)
    for name, weight in module.named_parameters():
        torch.testing.assert_close(tuned.module.get_parameter(name), weight, rtol=1e-4, atol=1e-5)


def test_small_forward_passes_change_the_result_by_rounding_only(
    model: HFModel, method: Tuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = replace(SHORT, learning_rate=1e-3)
    whole = method.tune(model, EXAMPLES, SEEDS, schedule)[1]
    monkeypatch.setattr(loop, "MICRO_TOKENS", {"cpu": 1})
    parts = method.tune(model, EXAMPLES, SEEDS, schedule)[1]
    assert parts.last_loss == pytest.approx(whole.last_loss, rel=1e-4)
    assert parts.tokens == whole.tokens


# --- batches and the schedule ---


@pytest.mark.parametrize("examples", [1, 3, 8, 10, 64, 65, 131])
def test_every_epoch_visits_every_example_once(examples: int) -> None:
    lengths = [random.Random(at).randint(5, 90) for at in range(examples)]
    per_epoch = math.ceil(examples / 8)  # a window is 8 whole batches, so windows add no batch
    schedule = Schedule(steps=3 * per_epoch)
    plan = list(loop.batches(lengths, schedule, seed=5))
    assert len(plan) == schedule.steps
    for epoch in range(3):
        seen = [at for batch in plan[epoch * per_epoch : (epoch + 1) * per_epoch] for at in batch]
        assert sorted(seen) == list(range(examples))
    assert max(len(batch) for batch in plan) <= 8
    assert len({len(batch) for batch in plan if examples <= 64}) <= 2
    assert plan == list(loop.batches(lengths, schedule, seed=5))


def test_epochs_and_seeds_differ_in_order() -> None:
    lengths = [at % 7 + 5 for at in range(40)]
    plan = list(loop.batches(lengths, Schedule(steps=10), seed=5))
    assert plan[:5] != plan[5:]
    assert plan != list(loop.batches(lengths, Schedule(steps=10), seed=6))


def test_batches_hold_little_padding() -> None:
    lengths = [random.Random(at).randint(10, 200) for at in range(128)]
    plan = list(loop.batches(lengths, Schedule(steps=16), seed=0))
    padded = sum(len(batch) * max(lengths[at] for at in batch) for batch in plan)
    assert padded / sum(lengths) < 1.15  # batches of 8 in random order: about 1.7


def test_a_last_small_batch_is_spread_over_the_others() -> None:
    plan = loop.batches([9] * 10, Schedule(steps=2), seed=0)
    assert sorted(len(batch) for batch in plan) == [5, 5]


def test_the_rate_is_transformers_linear_schedule_without_its_step_at_zero() -> None:
    schedule = Schedule(steps=30, warmup=0.2)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = get_linear_schedule_with_warmup(optimiser, 6, 31)
    for step in range(1, 31):
        optimiser.step()
        reference.step()
        assert optimise.rate(step, schedule) == pytest.approx(reference.get_last_lr()[0])


@pytest.mark.parametrize(("warmup", "steps"), [(0.0, 1), (0.0, 7), (1.0, 1), (1.0, 7), (0.1, 3)])
def test_the_rate_stays_above_zero_and_reaches_one(warmup: float, steps: int) -> None:
    rates = [optimise.rate(step, Schedule(steps=steps, warmup=warmup)) for step in range(1, steps + 1)]
    assert max(rates) == 1.0
    assert min(rates) > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "tuning schedule: steps is 0, must be at least 1"),
        ({"batch_size": 0}, "tuning schedule: batch_size is 0, must be at least 1"),
        ({"learning_rate": 0.0}, "tuning schedule: learning_rate is 0.0, must be above 0"),
        ({"warmup": 1.5}, "tuning schedule: warmup is 1.5, must be between 0 and 1"),
        ({"weight_decay": -1.0}, "tuning schedule: weight_decay is -1.0, must be at least 0"),
        ({"clip": 0.0}, "tuning schedule: clip is 0.0, must be above 0"),
        ({"max_length": 0}, "tuning schedule: max_length is 0, must be at least 1"),
    ],
)
def test_a_schedule_out_of_range(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Schedule(**wrong)


# --- every tuning method ---


def test_names() -> None:
    assert all(tuner(name).kind == name for name in TUNERS)
    message = f"unknown tuning method 'loar': did you mean 'lora'? Known: {', '.join(sorted(TUNERS))}"
    with pytest.raises(UnknownName, match=f"^{re.escape(message)}$"):
        tuner("loar")


def test_a_mapping_is_learnt_and_the_base_does_not_know_it(model: HFModel, method: Tuning) -> None:
    examples, schedule = easy(method, 100)
    wanted = [example.completion for example in examples]
    assert not set(answers(model)) & set(wanted)
    steps: list[tuple[int, int]] = []
    tuned, report = method.tune(model, examples, SEEDS, schedule, progress=lambda done, of: steps.append((done, of)))
    assert answers(tuned)[: len(wanted)] == wanted  # the text alone: the end-of-text token was learnt as well
    assert report.last_loss < 0.3
    assert report.first_loss > 1
    assert steps == [(step, schedule.steps) for step in range(1, schedule.steps + 1)]


def test_the_report_counts_what_was_run(model: HFModel, method: Tuning) -> None:
    _, report = method.tune(model, EXAMPLES, SEEDS, replace(SHORT, batch_size=6))
    tokens = 3 * sum(len(row.ids) + method.own_tokens for row in loop.encode(model.tokenizer, EXAMPLES, 512))
    each = {"full": 6}.get(method.kind, 4)
    assert (report.steps, report.tokens) == (3, tokens)
    assert report.flops == each * model.facts.known("params_compute") * tokens
    assert report.trained_params == method.trained(Shapes.of(model.module))


def test_the_base_and_the_global_generators_stay_as_they_were(model: HFModel, method: Tuning) -> None:
    module = model.module
    before, texts = weights_of(model), answers(model)
    layers = [type(layer) for layer in module.modules()]
    flags = [(weight.requires_grad, weight.grad) for weight in module.parameters()]
    state = torch.get_rng_state()
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(weights_of(model), before)
    assert [type(layer) for layer in module.modules()] == layers
    assert [(weight.requires_grad, weight.grad) for weight in module.parameters()] == flags
    assert answers(model) == texts
    assert not tuned.module.training
    assert not any(weight.requires_grad for weight in tuned.module.parameters())


def test_equal_seeds_give_equal_bits_whatever_was_tuned_before(model: HFModel, method: Tuning) -> None:
    first, report = method.tune(model, EXAMPLES, SEEDS, SHORT)
    other, _ = method.tune(model, EXAMPLES[:3], Seeds(7, 8, 9), SHORT)
    torch.rand(5)  # the global generator stands elsewhere
    again, report_again = method.tune(model, EXAMPLES, SEEDS, SHORT)
    assert same(weights_of(first), weights_of(again))
    assert report == report_again
    assert first.facts == again.facts
    assert first.facts.revision not in (other.facts.revision, model.facts.revision)
    assert replace(first.facts, revision="base-revision") == model.facts


def test_saved_and_read_back_bit_for_bit(model: HFModel, method: Tuning, tmp_path: Path) -> None:
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, tmp_path / "new" / "folder")
    state = torch.get_rng_state()
    loaded = method.load(model, tmp_path / "new" / "folder")
    assert torch.equal(torch.get_rng_state(), state)
    assert same(weights_of(loaded), weights_of(tuned))
    assert loaded.facts == tuned.facts
    requests = [Request(example.prompt, max_tokens=12, n=2, temperature=1.0, seed=4) for example in EXAMPLES]
    assert loaded.generate(requests) == tuned.generate(requests)
    pairs = [Pair(example.prompt, example.completion) for example in EXAMPLES]
    assert loaded.score(pairs) == tuned.score(pairs)


def weight_file(folder: Path) -> Path:
    [path] = folder.glob("*.safetensors")
    return path


def test_weights_of_another_base_are_refused(
    model: HFModel, method: Tuning, build: Callable[..., Any], tmp_path: Path
) -> None:
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, tmp_path)
    other = model.derive(model.module, replace(model.facts, revision="another"))
    with pytest.raises(StoreError) as caught:
        method.load(other, tmp_path)
    path = re.escape(str(weight_file(tmp_path)))
    assert re.fullmatch(
        rf"tuned weights {path} have revision [0-9a-f]{{16}} on tiny another, expected {tuned.facts.revision}: "
        "they are damaged or were tuned from another base model",
        str(caught.value),
    )
    with pytest.raises(
        StoreError, match=r"tuned weights .* do not fit tiny: .* is float32 \[.*\], the model's float32 \["
    ):
        method.load(hf_model(build(hidden=16)), tmp_path)


def test_damaged_weights_are_refused(model: HFModel, method: Tuning, tmp_path: Path) -> None:
    method.save(method.tune(model, EXAMPLES, SEEDS, SHORT)[0], tmp_path)
    path = weight_file(tmp_path)
    whole = path.read_bytes()

    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match=r"they are damaged or were tuned from another base model$"):
        method.load(model, tmp_path)

    path.write_bytes(whole[:-7])
    with pytest.raises(StoreError, match=f"^cannot read tuned weights {re.escape(str(path))}: "):
        method.load(model, tmp_path)

    path.write_bytes(whole)
    fewer = load_file(path)
    names = sorted(fewer)
    del fewer[names[0]]
    fewer["extra"] = torch.zeros(1)
    save_file(fewer, path)
    message = f"tuned weights {path} do not fit tiny: 1 of {len(names)} are not in the model, 1 are missing"
    with pytest.raises(StoreError, match=f"^{re.escape(message)}$"):
        method.load(model, tmp_path)

    path.unlink()
    with pytest.raises(StoreError, match=f"^cannot read tuned weights {re.escape(str(path))}: "):
        method.load(model, tmp_path)


def test_an_unwritable_folder_is_a_store_error(model: HFModel, method: Tuning, tmp_path: Path) -> None:
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, tmp_path)
    path = weight_file(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match=f"^cannot write tuned weights {re.escape(str(path))}: "):
        method.save(tuned, tmp_path)


def test_a_diverging_run_is_an_error(model: HFModel, method: Tuning) -> None:
    message = r"tuning diverged: the (loss|gradient) of step [1-5] of 5 is (nan|inf) at a peak learning rate of 3e\+38"
    with pytest.raises(Diverged, match=f"^{message}$"):
        method.tune(model, EXAMPLES, SEEDS, Schedule(steps=5, learning_rate=3e38))


def test_an_adapted_model_is_refused(model: HFModel, method: Tuning) -> None:
    adapted, _ = LoRA().tune(model, EXAMPLES, SEEDS, SHORT)
    message = f"cannot tune tiny with '{method.kind}': it already carries an adapter"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        method.tune(adapted, EXAMPLES, SEEDS, SHORT)


OWN = r"\.lora_|\.ia3_|onset_virtual|onset_adapter"
"""What only weights beside frozen ones have in their names."""

HALF = [
    pytest.param("cpu", torch.bfloat16, id="cpu-bfloat16"),
    pytest.param(
        "cuda",
        torch.bfloat16,
        id="cuda-bfloat16",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    ),
]


@pytest.mark.parametrize(("device", "dtype"), HALF)
def test_a_half_precision_base_stays_one(
    method: Tuning, build: Callable[..., Any], device: str, dtype: Any, tmp_path: Path
) -> None:
    """Small updates are not lost in bfloat16's rounding, and the tuned model computes as its base does."""
    base = hf_model(build().to(device=device, dtype=dtype))
    before = weights_of(base)
    examples, schedule = easy(method, 60)
    tuned, report = method.tune(base, examples, SEEDS, schedule)
    assert report.last_loss < 0.5
    assert report.first_loss > 1
    assert same(weights_of(base), before)
    own = {name: weight.dtype for name, weight in tuned.module.named_parameters() if re.search(OWN, name)}
    assert {weight.dtype for name, weight in tuned.module.named_parameters() if name not in own} == {dtype}
    assert set(own.values()) <= {torch.float32}
    assert bool(own) is (method.kind not in ("full", "bitfit"))
    if build is llama:
        assert tuned.module.model.rotary_emb.inv_freq.dtype == base.module.model.rotary_emb.inv_freq.dtype
    method.save(tuned, tmp_path)
    assert same(weights_of(method.load(base, tmp_path)), weights_of(tuned))


# --- full fine-tuning ---


def test_a_fully_tuned_folder_is_a_transformers_model(tmp_path: Path) -> None:
    model = hf_model(llama(tied=True))
    tuned, _ = Full().tune(model, EXAMPLES, SEEDS, SHORT)
    Full().save(tuned, tmp_path)
    module = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    inputs = AutoTokenizer.from_pretrained(tmp_path)(EXAMPLES[0].prompt, return_tensors="pt")
    with torch.no_grad():
        ours = tuned.module(input_ids=inputs["input_ids"]).logits
        assert torch.equal(module(input_ids=inputs["input_ids"]).logits, ours)


# --- LoRA ---


def lora_weights(model: HFModel, half: str) -> dict[str, Any]:
    return {name: weight for name, weight in weights_of(model).items() if f".lora_{half}." in name}


def test_lora_begins_at_the_base_and_shares_its_memory(model: HFModel) -> None:
    tuned, _ = LoRA().tune(model, EXAMPLES, SEEDS, SHORT)
    places = {weight.data_ptr() for weight in model.module.parameters()}
    frozen = [weight for name, weight in tuned.module.named_parameters() if ".lora_" not in name]
    assert {weight.data_ptr() for weight in frozen} == places
    # At a rate too small to move anything, the tuned model is the base.
    still, _ = LoRA().tune(model, EXAMPLES, SEEDS, Schedule(steps=1, learning_rate=1e-37))
    ids = model.tokenizer(EXAMPLES[0].prompt, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(still.module(ids).logits, model.module(ids).logits)


def test_lora_adapts_every_linear_layer_but_the_head(model: HFModel) -> None:
    tuned, _ = LoRA().tune(model, EXAMPLES, SEEDS, Schedule(steps=1))
    linear = {
        name for name, layer in model.module.named_modules() if isinstance(layer, torch.nn.Linear) and name != "lm_head"
    }
    assert {name.removesuffix(".lora_A.default.weight") for name in lora_weights(tuned, "A")} == linear


def test_the_three_seeds_are_apart(model: HFModel) -> None:
    method = LoRA(dropout=0.1)

    def tuned(schedule: Schedule, **changed: int) -> HFModel:
        return method.tune(model, EXAMPLES, replace(SEEDS, **changed), schedule)[0]

    # A rate too small to move A shows what it began as: the init seed's, and no other's.
    still = Schedule(steps=2, batch_size=4, learning_rate=1e-37)
    begun = lora_weights(tuned(still), "A")
    assert same(lora_weights(tuned(still, order=20, sampling=30), "A"), begun)
    assert not same(lora_weights(tuned(still, init=10), "A"), begun)

    reference = tuned(SHORT).facts.revision
    assert tuned(SHORT).facts.revision == reference
    for changed in ({"init": 10}, {"order": 20}, {"sampling": 30}):
        assert tuned(SHORT, **changed).facts.revision != reference


def test_without_dropout_the_sampling_seed_changes_nothing(model: HFModel, method: Tuning) -> None:
    a, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    b, _ = method.tune(model, EXAMPLES, replace(SEEDS, sampling=30), SHORT)
    assert a.facts.revision == b.facts.revision


def test_full_tuning_draws_no_weights(model: HFModel) -> None:
    a, _ = Full().tune(model, EXAMPLES, SEEDS, SHORT)
    b, _ = Full().tune(model, EXAMPLES, replace(SEEDS, init=10), SHORT)
    assert a.facts.revision == b.facts.revision


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's own call
def test_peft_reads_the_adapter(model: HFModel, tmp_path: Path) -> None:
    from peft import PeftModel

    tuned, _ = LoRA().tune(model, EXAMPLES, SEEDS, SHORT)
    LoRA().save(tuned, tmp_path)
    theirs = PeftModel.from_pretrained(llama(), tmp_path).eval()
    ids = model.tokenizer(EXAMPLES[0].prompt, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.equal(theirs(ids).logits, tuned.module(ids).logits)
        assert not torch.allclose(model.module(ids).logits, tuned.module(ids).logits)


def test_an_adapter_remembers_its_rank_and_scaling(model: HFModel, tmp_path: Path) -> None:
    tuned, _ = LoRA(rank=4, alpha=32).tune(model, EXAMPLES, SEEDS, SHORT)
    LoRA(rank=4, alpha=32).save(tuned, tmp_path)
    loaded = LoRA().load(model, tmp_path)
    assert loaded.facts == tuned.facts
    assert answers(loaded) == answers(tuned)


def test_missing_and_broken_adapter_settings(model: HFModel, tmp_path: Path) -> None:
    message = f"no adapter at {tmp_path}: adapter_config.json is missing"
    with pytest.raises(StoreError, match=f"^{re.escape(message)}$"):
        LoRA().load(model, tmp_path)
    path = tmp_path / "adapter_config.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=f"^cannot read adapter settings {re.escape(str(path))}: "):
        LoRA().load(model, tmp_path)


def test_equal_weights_are_written_as_equal_bytes(tmp_path: Path) -> None:
    """The library writes metadata in an order that differs from time to time."""
    from safetensors import safe_open

    from onset.tuning.weights import write

    weights, written = {"b.weight": torch.ones(3, 2), "a.bias": torch.zeros(5)}, set()
    for number in range(20):
        write(weights, tmp_path / f"{number}.safetensors", "r")
        written.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(written) == 1
    with safe_open(tmp_path / "0.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt", "onset_format": "3", "onset_revision": "r"}
        assert all(torch.equal(file.get_tensor(name), weights[name]) for name in weights)
