"""The engine against plain forward passes and the plain path, on tiny random models of several architectures."""

from __future__ import annotations

import dataclasses
import math
import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from models_fixtures import PROMPTS as TEXTS
from models_fixtures import VOCABULARY, gemma3, llama, plain_greedy, tokenizer
from peft import LoraConfig, get_peft_model
from tape import Tape

from onset.errors import ModelError
from onset.models import engine, plain
from onset.models.endings import Endings, Marks
from onset.models.engine import Machine, Unfit, fixed, groups, linear, memory, merge, refill, window
from onset.models.engine.groups import Group, group
from onset.models.engine.head import precise_head
from onset.models.engine.storage import Slots
from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.models.rows import Row, Sample, Span
from onset.records import EndRule, Pair, Request, Thinking

SHARED = tuple(range(40, 40 + 90))
TAILS = [(5,), (7, 8, 9), tuple(range(10, 35)), (11, 12), tuple(range(200, 214))]
PROMPTS = [SHARED + tail for tail in TAILS]
WIDE = 256


def other(kind: str, **more: Any) -> Any:
    """A tiny random model of another architecture; its window, where it has one, cuts the shared beginning."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    neither = kind in ("gpt_neox", "gpt2", "bloom")
    heads = {} if neither else {"num_key_value_heads": 2, "head_dim": 8}
    names = {"vocab_size": WIDE, "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 0}
    config = AutoConfig.for_model(kind, **{"initializer_range": 0.4, **names, **sizes, **heads, **more})
    return AutoModelForCausalLM.from_config(config)


ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "llama": llama,
    "gemma3": gemma3,
    "gemma3-wide": lambda: gemma3(window=70),
    "gpt_neox": partial(other, "gpt_neox"),
    "gpt2": partial(other, "gpt2"),
    "mistral": partial(other, "mistral", sliding_window=60),
    "qwen2": partial(other, "qwen2", sliding_window=60, use_sliding_window=True, max_window_layers=1),
    "qwen3": partial(other, "qwen3"),
    "qwen3_moe": partial(other, "qwen3_moe"),
    "olmo2": partial(other, "olmo2"),
}
MODELS = pytest.mark.parametrize("make", ARCHITECTURES.values(), ids=ARCHITECTURES.keys())


def machine(module: Any, budget: int = 4000, stop_at: tuple[int, ...] = (0,), recorder: Any = None) -> Machine:
    module.eval()
    decode = tokenizer(bos=False).backend_tokenizer.decode
    width = module.config.vocab_size
    known: dict[Any, Endings] = {}

    def endings(stop: tuple[str, ...], until: EndRule | None = None, thinking: Thinking | None = None) -> Endings:
        marks = None if thinking is None else Marks(thinking, (), ())
        made = Endings(decode, frozenset(stop_at), stop, width, until=until, marks=marks)
        return known.setdefault((stop, until, thinking), made)

    return Machine(module, engine.probe(module), width, endings, budget, new_recorder=recorder)


def plainly(one: Machine, rows: Sequence[Row]) -> list[Sample]:
    """Every row alone through the plain path."""
    return [plain.generate(one.module, [row], one.endings, one.vocabulary, one.batch_tokens)[0] for row in rows]


def row(prompt: tuple[int, ...], tokens: int = 12, temperature: float = 0.0, seed: int = 3, sample: int = 0) -> Row:
    return Row(prompt, tokens, (), temperature, seed, sample)


def assert_same(found: Sequence[Sample], expected: Sequence[Sample]) -> None:
    assert [(s.text, s.tokens, s.finish) for s in found] == [(s.text, s.tokens, s.finish) for s in expected]
    assert [s.logprob for s in found] == pytest.approx([s.logprob for s in expected], abs=2e-4)


# --- the whole engine -----------------------------------------------------------------------------------


@MODELS
def test_texts_are_those_of_every_prompt_alone(make: Any) -> None:
    one = machine(make())
    rows = [row(prompt, temperature=temperature) for prompt in PROMPTS for temperature in (0.0, 0.8)]
    rows += [row(PROMPTS[1], 9, 0.9, sample=sample) for sample in range(11)]  # shared twice: trunk and question
    found = engine.generate(one, rows)
    assert_same(found, plainly(one, rows))
    assert len({sample.text for sample in found}) > 8
    assert len(SHARED) > groups.SHARE_FROM


@pytest.mark.parametrize("by", ["onednn", "onednn but for attention", "mkl", "mkl with exceptions", "torch"])
@pytest.mark.parametrize("make", [llama, gemma3], ids=["llama", "gemma3"])
def test_texts_do_not_depend_on_who_multiplies(make: Any, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which library does is the processor's and the sizes': all ways are tried on every machine."""
    if (by.startswith("onednn") or by == "mkl with exceptions") and not linear._works():
        pytest.skip("torch has no linear layer by oneDNN here")
    monkeypatch.setattr(linear, "by_onednn", lambda: by.startswith("onednn"))
    monkeypatch.setattr(merge, "half_by_mkl", lambda: by == "onednn")
    monkeypatch.setattr(linear, "by_mkl", lambda: by.startswith("mkl"))
    if by == "mkl with exceptions":  # as with models of real size
        for name, value in {"_FEW": range(3, 6), "_LARGE": 1, "_SOME": range(6, 13), "_NOT_SMALL": 1}.items():
            monkeypatch.setattr(linear, name, value)
        monkeypatch.setattr(linear, "_KEPT_BY_MALLOC", 1)
        assert linear.Logits.of(make(), 14) is not None
    monkeypatch.setattr(merge, "_SHORT", 10)
    one = machine(make())
    rows = [row(prompt) for prompt in PROMPTS]
    rows += [row(PROMPTS[2], 9, 0.9, sample=sample) for sample in range(9)]
    assert_same(engine.generate(one, rows), plainly(one, rows))
    expected = [plain.score(one.module, [Span(prompt, (3, 4))], one.vocabulary, 4000)[0] for prompt in PROMPTS]
    found = engine.score(one, [Span(prompt, (3, 4)) for prompt in PROMPTS])
    assert found == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(
    ("processor", "onednn", "half"),
    [
        ("vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 207\n", False, False),
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n", True, False),
        ("vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\n", True, True),
        ("AMD64 Family 26 Model 68 Stepping 0, AuthenticAMD", True, True),
        ("Intel64 Family 6 Model 143 Stepping 8, GenuineIntel", False, False),
        ("", True, False),
    ],
)
def test_the_processor_decides_who_multiplies(
    processor: str, onednn: bool, half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "_processor", lambda: processor)
    monkeypatch.setattr(linear, "_has_both", lambda: True)
    known = (linear.by_onednn, linear.by_mkl, linear.half_by_mkl)
    for one in known:
        one.cache_clear()
    try:
        assert [one() for one in known] == [onednn, not onednn, half]
    finally:
        for one in known:
            one.cache_clear()


@MODELS
def test_scores_are_those_of_every_continuation_alone(make: Any) -> None:
    one = machine(make())
    choices = [(3,), (3, 4, 5), (6, 4, 5, 7, 9, 11), (250, 3)]
    spans = [Span(prompt, choice) for prompt in PROMPTS for choice in choices] + [Span(PROMPTS[0], ())]
    expected = [plain.score(one.module, [span], one.vocabulary, 4000)[0] for span in spans]
    assert engine.score(one, spans) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("make", [llama, gemma3], ids=["llama", "gemma3"])
def test_what_is_shared_twice_draws_what_is_shared_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machine(make().double())  # in float32, one draw in thousands falls between two roundings
    rows = [row(prompt, 20, 0.8, sample=sample) for prompt in PROMPTS for sample in range(refill.BRANCH_FROM + 2)]
    twice = engine.generate(one, rows)
    monkeypatch.setattr(refill, "BRANCH_FROM", 10**9)
    once = engine.generate(one, rows)
    assert_same(twice, once)
    assert len({sample.text for sample in once}) > 40


@pytest.mark.parametrize("budget", [1, 200, 330, 700])
def test_rows_are_refilled_whatever_the_memory(budget: int) -> None:
    module = gemma3()
    rows = [row(prompt, 3 + 5 * place, 0.7, sample=place) for place in range(6) for prompt in PROMPTS]
    rows += [row(PROMPTS[2], 8, 0.9, seed=9, sample=sample) for sample in range(10)]
    assert_same(engine.generate(machine(module, budget), rows), engine.generate(machine(module, 10**6), rows))


def test_storage_keeps_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    plain_init = Slots.__init__

    def watched(self: Slots, shape: Any, blocks: Any, spare: Any = None) -> None:
        plain_init(self, shape, blocks, spare)
        taken.append(self.places)

    monkeypatch.setattr(Slots, "__init__", watched)
    one = machine(llama(), budget=400)
    taken.clear()
    engine.generate(one, [row(prompt, 3 + 4 * place) for place in range(8) for prompt in PROMPTS])
    assert taken
    assert max(taken) <= 400 - len(SHARED)
    assert max(taken) > 200  # and it is used


def test_what_is_sampled_with_several_lengths_keeps_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question twice, with short and with long texts: what is shared of a question is soon freed."""
    questions = [SHARED + tuple(range(100 + place, 160 + place)) for place in range(20)]
    rows = [row(one, limit, 0.8, sample=sample) for one in questions for limit in (4, 12) for sample in range(8)]
    one = machine(llama(), budget=900)
    plain_decode, held = refill.decode, []

    def watched(
        module: Any, trunk: Any, slots: Slots, tokens: Any, lengths: Any, bases: Any, branches: Any, memory: Any
    ) -> Any:
        held.append(len(SHARED) + slots.places + sum(len(branch.tokens) for branch, _ in branches))
        return plain_decode(module, trunk, slots, tokens, lengths, bases, branches, memory)

    monkeypatch.setattr(refill, "decode", watched)
    assert len(engine.generate(one, rows)) == len(rows)
    assert 600 < max(held) <= 900


def test_rows_are_halved_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(prompt, 12, 0.7, sample=sample) for sample in range(12) for prompt in PROMPTS[:3]]
    one = machine(llama(), budget=10**5)
    expected = engine.generate(one, rows)
    plain_decode, sizes = refill.decode, []

    def limited(module: Any, trunk: Any, slots: Slots, tokens: Any, *rest: Any) -> Any:
        sizes.append(len(tokens))
        if len(tokens) > 5:
            torch.empty(1 << 50)  # more than there is: torch's own error
        return plain_decode(module, trunk, slots, tokens, *rest)

    monkeypatch.setattr(refill, "decode", limited)
    assert_same(engine.generate(one, rows), expected)
    assert max(sizes) == 36
    monkeypatch.setattr(refill, "decode", lambda *_: torch.empty(1 << 50))
    with pytest.raises(ModelError, match="out of memory with one row of 126 tokens: lower max_tokens"):
        engine.generate(one, [row(PROMPTS[2])])


def test_memory_that_did_not_suffice_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: weakref.WeakSet[Slots] = weakref.WeakSet()
    found: list[int] = []

    class Watched(Slots):
        def __init__(self, shape: Any, blocks: Any, spare: Any) -> None:
            found.append(len(alive))
            super().__init__(shape, blocks, spare)
            alive.add(self)

    def scarce(module: Any, trunk: Any, slots: Slots, *rest: Any) -> Any:
        return torch.empty(1 << 50) if slots.rows > 3 else plain_decode(module, trunk, slots, *rest)

    one = machine(llama(), budget=10**5)
    plain_decode = refill.decode
    monkeypatch.setattr(refill, "Slots", Watched)
    monkeypatch.setattr(refill, "decode", scarce)
    engine.generate(one, [row(PROMPTS[0], sample=sample) for sample in range(20)])
    assert found == [0, 0, 0, 0]


def test_memory_is_used_again_unless_rows_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = machine(llama())
    rows = [row(prompt) for prompt in PROMPTS]
    expected = plainly(one, rows)
    found: list[int] = []
    plain_decode = refill.decode

    def watched(module: Any, trunk: Any, slots: Slots, *rest: Any) -> Any:
        found.append(slots.read(0, slots.blocks[0], 1, 1)[0].data_ptr())
        return plain_decode(module, trunk, slots, *rest)

    def last(count: int) -> int:
        assert_same(engine.generate(one, rows[:count]), expected[:count])
        return found[-1]

    monkeypatch.setattr(refill, "decode", watched)
    assert last(5) == last(2) == last(5)
    one.spare.free()
    before = last(5)
    monkeypatch.setattr(refill, "decode", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.generate(one, rows)
    assert one.spare._kept is None
    assert before % 64 == 0


def test_freed_memory_is_given_back_after_large_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    if memory._malloc_trim() is None:
        pytest.skip("not glibc's malloc")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    small = 1 << 16
    blocks = [np.ones(small, dtype=np.uint8) for _ in range(4000)]
    kept = blocks[::40]  # between what is freed, and at the end
    del blocks
    before = resident()
    memory.give_back(memory._WORTH_TRIMMING - 1)
    assert resident() > before - 500 * small
    memory.give_back(memory._WORTH_TRIMMING)
    assert resident() < before - 3000 * small
    assert len(kept) == 100
    used: list[int] = []
    monkeypatch.setattr(refill, "give_back", used.append)
    one = machine(llama())
    engine.generate(one, [row(PROMPTS[0])])
    assert used == [(len(PROMPTS[0]) + 12 - 1) * one.shape.bytes_per_token]


def test_several_threads_may_ask_one_model() -> None:
    one = machine(llama())
    rows = [row(prompt) for prompt in PROMPTS]
    expected = engine.generate(one, rows)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: engine.generate(one, rows), range(12)):
            assert_same(found, expected)
    assert one.module.config._attn_implementation == "sdpa"


def test_scores_are_halved_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from onset.models.engine import scoring

    one = machine(llama())
    spans = [Span(prompt, (3, 4)) for prompt in PROMPTS]
    expected = engine.score(one, spans)
    whole = scoring.tree_logits

    def limited(module: Any, trunk: Any, trees: Any, shape: Any) -> Any:
        if len(trees) > 2:
            torch.empty(1 << 50)
        return whole(module, trunk, trees, shape)

    monkeypatch.setattr(scoring, "tree_logits", limited)
    assert engine.score(one, spans) == pytest.approx(expected, abs=1e-4)


def test_each_beginning_is_run_once() -> None:
    second = tuple(range(130, 230))
    prompts = [*PROMPTS, *(second + tail for tail in TAILS)]
    one = machine(llama(), budget=500)
    run: list[int] = []
    hook = one.module.register_forward_pre_hook(
        lambda module, args, given: run.append(given["input_ids"].numel()), with_kwargs=True
    )
    engine.generate(one, [row(prompt, 1) for prompt in prompts])
    assert sum(run) == len(SHARED) + len(second) + 2 * sum(map(len, TAILS))
    run.clear()
    choices = [(3, 4), (5, 6), (7, 8, 9)]
    engine.score(one, [Span(prompt, choice) for prompt in prompts for choice in choices])
    hook.remove()
    # A question is run once for its choices, and each choice but for its last token.
    assert sum(run) == len(SHARED) + len(second) + 2 * sum(map(len, TAILS)) + len(prompts) * (1 + 1 + 2)


def _tokens_run(one: Machine, call: Callable[[], Any]) -> tuple[int, Any]:
    """How many tokens ``call`` runs, and what it gives."""
    run: list[int] = []
    hook = one.module.register_forward_pre_hook(
        lambda module, args, given: run.append(given["input_ids"].numel()), with_kwargs=True
    )
    found = call()
    hook.remove()
    return sum(run), found


def test_the_beginning_that_was_run_last_is_not_run_again() -> None:
    one = machine(llama())
    rows = [row(prompt, 1) for prompt in PROMPTS]
    own, spans = sum(map(len, TAILS)), [Span(prompt, (3, 4)) for prompt in PROMPTS]
    generate, score = partial(engine.generate, one, rows), partial(engine.score, one, spans)
    first = _tokens_run(one, generate)
    assert first[0] == len(SHARED) + own
    assert _tokens_run(one, generate) == (own, first[1])
    assert _tokens_run(one, score) == (own + len(PROMPTS), engine.score(machine(llama()), spans))
    other = [row(tuple(range(130, 230)) + tail, 1) for tail in TAILS]
    assert _tokens_run(one, partial(engine.generate, one, other))[0] == 100 + own
    assert _tokens_run(one, generate) == first
    one.trunks.free()
    assert _tokens_run(one, generate) == first


def test_a_beginning_is_run_again_when_the_weights_have_changed() -> None:
    one = machine(llama())
    rows = [row(prompt, 4) for prompt in PROMPTS]
    engine.generate(one, rows)
    with torch.no_grad():
        for weight in one.module.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.3)
    assert_same(engine.generate(one, rows), plainly(one, rows))
    held = one.module.model.layers[0].self_attn.k_proj
    held.weight = torch.nn.Parameter(torch.randn_like(held.weight))
    assert_same(engine.generate(one, rows), plainly(one, rows))


def test_the_module_is_left_as_it_was() -> None:
    one = machine(llama())
    before = one.module.config._attn_implementation
    engine.generate(one, [row(prompt) for prompt in PROMPTS])
    assert one.module.config._attn_implementation == before


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_adapters_of_one_base_run_unmerged() -> None:
    base = llama()
    adapted = get_peft_model(base, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"), "one")
    adapted.add_adapter("two", LoraConfig(r=3, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.3)
    rows = [row(prompt) for prompt in PROMPTS]
    texts = []
    one = machine(adapted)
    for name in ("one", "two"):
        adapted.set_adapter(name)
        found = engine.generate(one, rows)
        assert_same(found, plainly(one, rows))
        assert_same(engine.generate(machine(adapted, recorder=Tapes()), rows), found)
        texts.append([sample.text for sample in found])
    assert texts[0] != texts[1]
    with adapted.disable_adapter():
        assert_same(engine.generate(one, rows), plainly(one, rows))


# --- fixed shapes ---------------------------------------------------------------------------------------


class Tapes(list[Tape]):
    """Makes recorders, and keeps them."""

    def __call__(self, device: torch.device) -> Tape:
        self.append(Tape())
        return self[-1]


def many_rows() -> list[Row]:
    """Some alone, some that share a question, ending at different steps."""
    rows = [row(prompt, 5 + 2 * place, 0.8, sample=place) for place in range(6) for prompt in PROMPTS]
    return rows + [row(prompt, 14, 0.9, seed=9, sample=sample) for prompt in PROMPTS for sample in range(10)]


@MODELS
def test_steps_that_are_played_again_say_the_same(make: Any) -> None:
    tapes = Tapes()
    one = machine(make(), 1500, recorder=tapes)
    rows = [row(prompt) for prompt in PROMPTS] + [row(PROMPTS[1], 9, 0.9, sample=sample) for sample in range(11)]
    assert_same(engine.generate(one, rows), plainly(one, rows))
    assert sum(tape.played for tape in tapes) > 2 * sum(tape.recorded for tape in tapes) > 0


@pytest.mark.parametrize("products", [True, False], ids=["products", "fused"])
@pytest.mark.parametrize("make", [llama, gemma3], ids=["llama", "gemma3"])
def test_rows_come_and_go_between_recorded_steps(make: Any, products: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if products:  # as on a GPU
        monkeypatch.setattr(merge, "_fused_on_cpu", lambda _: False)
    monkeypatch.setattr(fixed, "_MULTIPLE", 8)
    rows, tapes = many_rows(), Tapes()
    module = make().double()  # in float32, one draw in thousands falls between two roundings
    found = engine.generate(machine(module, 500, recorder=tapes), rows)
    assert_same(found, engine.generate(machine(module, 10**6), rows))
    assert sum(tape.played for tape in tapes) > 2 * sum(tape.recorded for tape in tapes) > 10


def test_more_branches_than_there_is_room_for_run_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refill._Branched, "at_once", lambda self, rows: 2)
    decoded, plain_decode = [], fixed.decode
    monkeypatch.setattr(fixed, "decode", lambda *given: decoded.append(len(given[-1])) or plain_decode(*given))
    tapes = Tapes()
    rows = [row(PROMPTS[place], 6 + 6 * place, 0.9, sample=sample) for place in range(5) for sample in range(9)]
    module = llama().double()
    assert_same(engine.generate(machine(module, recorder=tapes), rows), engine.generate(machine(module), rows))
    assert min(decoded) > 2
    assert sum(tape.played for tape in tapes) > 0


def test_room_for_recorded_branches_keeps_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [SHARED + tuple(range(100 + place, 160 + place)) for place in range(20)]
    rows = [row(one, limit, 0.8, sample=sample) for one in questions for limit in (4, 12) for sample in range(8)]
    held: list[int] = []
    plain_call = fixed.Steps.__call__

    def watched(self: Any, tokens: Any, lengths: Any, bases: Any, branches: Any) -> Any:
        logits = plain_call(self, tokens, lengths, bases, branches)
        kept = {
            id(one): one for one in [*self._grove._standing, *(branch for branch, _ in branches)] if one is not None
        }
        shared = sum(len(one.tokens) for one in kept.values())
        held.append(len(SHARED) + self._slots.places + shared + self._grove.keys[0].shape[1])
        return logits

    monkeypatch.setattr(fixed.Steps, "__call__", watched)
    engine.generate(machine(llama(), budget=2500, recorder=Tapes()), rows)
    assert 1500 < max(held) <= 2500


def test_a_model_whose_steps_cannot_be_recorded_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = llama().eval()
    layer = module.model.layers[0]
    layer.register_forward_hook(lambda _, given, out: out * float(out.isfinite().all()))  # Python wants to know
    shape = engine.probe(module)
    on_gpu = dataclasses.replace(shape, device=torch.device("cuda"))
    monkeypatch.setattr(engine, "probe", lambda _: on_gpu)
    monkeypatch.setattr(engine, "CudaGraphs", Tape)
    model = HFModel(module, tokenizer(bos=False), describe(llama(), tokenizer(bos=False), "asks", "0"))
    assert model.engine_note == (
        "asks generates without CUDA graphs, which takes longer: recording a step raised RuntimeError: "
        "not permitted in a recording: aten._local_scalar_dense.default"
    )
    fits = HFModel(llama(), tokenizer(bos=False), describe(llama(), tokenizer(bos=False), "fits", "0"))
    assert fits.engine_note is None
    one = fits._machine()
    assert one is not None
    assert one.new_recorder is Tape


def test_what_is_played_again_is_compared_too() -> None:
    def forgets(run: Callable[[], None]) -> Callable[[], None]:
        run()
        return lambda: None

    with pytest.raises(Unfit, match=r"its logits differ by .* from those of plain forward passes"):
        engine.probe_recording(llama().eval(), forgets)


def test_a_step_that_cannot_be_recorded_is_run_as_it_is() -> None:
    class Refusing(Tape):
        def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
            if self.recorded:
                torch.empty(1 << 50)  # more than there is: torch's own error
            return super().__call__(run)

    tapes: list[Tape] = []
    module, rows = llama().double(), many_rows()
    found = engine.generate(machine(module, recorder=lambda _: tapes.append(Refusing()) or tapes[-1]), rows)
    assert_same(found, engine.generate(machine(module), rows))
    assert [tape.recorded for tape in tapes] == [1]


# Its experts' product, in these types, asks for numbers: such a model's steps are not recorded.
UNRECORDED = ("qwen3_moe",)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in UNRECORDED])
def test_cuda_graphs_say_what_plain_passes_say(name: str) -> None:
    module = ARCHITECTURES[name]().to("cuda").double().eval()
    engine.probe_recording(module, engine.CudaGraphs(torch.device("cuda")))
    one = machine(module, 1500, recorder=engine.CudaGraphs)
    rows = many_rows()
    assert_same(engine.generate(one, rows), plainly(one, rows))


# --- the probe ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (partial(other, "gemma2"), "trying it out raised ValueError: attention with softcap"),
        (partial(other, "bloom"), "its forward takes no position_ids"),
        (partial(other, "llama4_text"), "it has layers of type chunked_attention"),
        (
            partial(
                other,
                "llama",
                rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0},
            ),
            "its rotary embedding is of type dynamic: it changes with the length of the text",
        ),
    ],
    ids=["gemma2", "bloom", "llama4", "dynamic"],
)
def test_models_the_engine_cannot_run_are_run_plainly(make: Any, why: str) -> None:
    torch.manual_seed(0)
    module = make().eval()
    with pytest.raises(Unfit) as caught:
        engine.probe(module)
    assert str(caught.value) == why


def test_a_model_that_is_not_what_it_seems_does_not_pass() -> None:
    """A layer that adds something at all but the shortest distances: nothing but the logits shows it."""
    module = llama().eval()
    attention = module.model.layers[1].self_attn
    forward = attention.forward

    def biased(hidden_states: Any, *args: Any, **given: Any) -> Any:
        out, weights = forward(hidden_states, *args, **given)
        return out + 0.01 * hidden_states.mean(1, keepdim=True), weights

    attention.forward = biased
    with pytest.raises(Unfit, match=r"its logits differ by .* from those of plain forward passes \(at most 0.001\)"):
        engine.probe(module)


def test_a_model_without_the_engine_says_so_and_answers() -> None:
    tok = tokenizer(bos=False)
    module = other("gemma2", vocab_size=VOCABULARY, max_position_embeddings=512).eval()
    model = HFModel(module, tok, describe(module, tok, "tiny", "0"))
    assert model.engine_note == (
        "tiny runs without the shared-prefix engine: trying it out raised ValueError: attention with softcap"
    )
    requests = [Request(prompt, 12) for prompt in TEXTS]
    found = [(one.text, one.tokens) for [one] in model.generate(requests)]
    assert found == [plain_greedy(module, tok, request) for request in requests]
    assert model.score([Pair(TEXTS[0], " Yes")])[0].logprob is not None
    fit = HFModel(llama(), tok, describe(llama(), tok, "tiny", "0"))
    assert fit.engine_note is None


def test_a_model_moved_to_another_type_is_tried_again() -> None:
    tok = tokenizer(bos=False)
    module = llama()
    model = HFModel(module, tok, describe(module, tok, "tiny", "0"))
    [[before]] = model.generate([Request(TEXTS[0], 6)])
    module.to(torch.bfloat16)
    [[after]] = model.generate([Request(TEXTS[0], 6)])
    assert before.tokens == after.tokens == 6


def test_half_precision_passes() -> None:
    for dtype in (torch.bfloat16, torch.float16):
        assert engine.probe(llama().to(dtype).eval()).bytes_per_token == 2 * 2 * 2 * 8 * 2


# --- its parts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [True, False])
def test_parts_merge_to_attention_over_all_keys(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    if not fused:
        monkeypatch.setattr(merge, "_fused_on_cpu", lambda _: False)
        monkeypatch.setattr(merge, "_SCORES", 200)
    query, key, value = torch.randn(2, 3, 7, 8), torch.randn(2, 3, 20, 8), torch.randn(2, 3, 20, 8)
    whole = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=0.4)
    cuts = [slice(0, 5), slice(5, 6), slice(6, 20)]
    parts = [merge.attention(query, key[:, :, cut], value[:, :, cut], 0.4) for cut in cuts]
    torch.testing.assert_close(merge.join(merge.merge(parts[0], parts[1]), parts[2]), whole, atol=1e-5, rtol=1e-5)
    scores = (query @ key.transpose(-1, -2)) * 0.4
    torch.testing.assert_close(merge.merge(*parts[:2])[1], scores[..., :6].logsumexp(-1), atol=1e-5, rtol=1e-5)
    nothing = torch.tensor([True] + [False] * 6)
    kept = merge.join(merge.blind(parts[0], nothing), parts[2])
    torch.testing.assert_close(kept[:, :, 0], parts[2][0][:, :, 0])
    causal = merge.attention(query, key[:, :, :7], value[:, :, :7], 0.4, causal=True)[0]
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key[:, :, :7], value[:, :, :7], is_causal=True, scale=0.4
    )
    torch.testing.assert_close(causal, expected, atol=1e-5, rtol=1e-5)


def test_a_view_shows_what_the_window_shows() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        start, length, size = (int(rng.integers(low, 12)) for low in (0, 1, 1))
        at = start + length + rng.integers(0, 12, size=4)
        seen = np.array([[p - size < start + j for j in range(length)] for p in at])
        positions = window.Positions(torch.from_numpy(at), int(at.min()), int(at.max()))
        view = window.view(positions, start, length, size, torch.float32)
        shown = np.zeros_like(seen)
        shown[:, view.first :] = True if view.mask is None else (view.mask == 0).numpy()
        nothing = np.zeros(4, bool) if view.sees_nothing is None else view.sees_nothing.numpy()
        assert (nothing == ~seen.any(-1)).all()
        assert (shown[~nothing] == seen[~nothing]).all()
    assert window.view(positions, 0, 5, None, torch.float32) == window.View()


def test_groups_share_what_all_their_members_have() -> None:
    rng = np.random.default_rng(1)
    for toll in (0, 50, 500):
        for _ in range(60):
            heads = [tuple(rng.integers(0, 3, size=rng.integers(0, 90)).tolist()) for _ in range(3)]
            prompts = list(
                {heads[rng.integers(3)] + tuple(rng.integers(0, 9, size=rng.integers(1, 40))) for _ in range(12)}
            )
            found = group(prompts, toll)
            assert sorted(place for one in found for place in one.members) == list(range(len(prompts)))
            for one in found:
                assert one.trunk == 0 or one.trunk >= groups.SHARE_FROM
                assert one.trunk < min(len(prompts[place]) for place in one.members)
                assert len({prompts[place][: one.trunk] for place in one.members}) == 1


def test_demonstrations_in_several_sets_are_several_groups() -> None:
    first, second = tuple(range(100)), (*range(40), *range(140, 200))
    prompts = [(*head, tail) for tail in range(300, 310) for head in (first, second)]
    found = group(prompts, toll=0)
    assert sorted((one.trunk, len(one.members)) for one in found) == [(100, 10), (100, 10)]
    # Not worth a batch of their own: all share what both sets begin with.
    assert [(one.trunk, len(one.members)) for one in group(prompts, toll=1000)] == [(40, 20)]
    assert group([prompts[0]], toll=0) == [Group(0, (0,))]
    # Sets that begin alike are still told apart, where what they begin with is not worth a group.
    four = [(*range(10), which % 2, 7 + which, *range(20, 1000), 2000 + n) for which in range(4) for n in range(20)]
    assert sorted((one.trunk, len(one.members)) for one in group(four, toll=64)) == [(992, 20)] * 4
    # A prompt that ends where the others begin does not keep them from sharing.
    short = [(1,), *((1, *range(5, 1005), 2000 + n) for n in range(100))]
    assert [(one.trunk, len(one.members)) for one in group(short, toll=64)] == [(0, 1), (1001, 100)]
    assert group([], toll=0) == []


def test_short_rows_get_a_section_where_that_saves_a_batch() -> None:
    def sections(needs: list[int]) -> list[slice]:
        return memory.sections(needs, lambda end: 1000 // needs[end - 1])

    assert sections([100] * 50) == [slice(0, 50)]
    assert sections([10] * 60 + [500] * 4) == [slice(0, 60), slice(60, 64)]
    assert sections([10, 10, 500, 500]) == [slice(0, 4)]
    assert sections([]) == []
    rng = np.random.default_rng(2)
    needs = sorted(rng.integers(1, 900, size=300).tolist())
    cuts = sections(needs)
    assert [cut.start for cut in cuts[1:]] == [cut.stop for cut in cuts[:-1]]
    batches = sum(math.ceil((cut.stop - cut.start) / (1000 // needs[cut.stop - 1])) for cut in cuts)
    assert batches + len(cuts) < math.ceil(300 / (1000 // needs[-1]))


def test_slots_are_as_long_as_their_rows_need() -> None:
    cpu = torch.device("cpu")
    needs = [90, 80, *[20] * 70]
    found = memory.blocks(needs, 10**6, 0, 100, cpu)
    assert [(block.first, block.rows, block.places, block.offset) for block in found] == [
        (0, 32, 90, 0),
        (32, 32, 20, 2880),
        (64, 8, 20, 3520),
    ]
    assert [(block.rows, block.places) for block in memory.blocks(needs, 3000, 0, 100, cpu)] == [(32, 90), (6, 20)]
    assert [(block.rows, block.places) for block in memory.blocks(needs, 3000, 5, 100, cpu)] == [(31, 90), (2, 20)]
    assert [(block.rows, block.places) for block in memory.blocks(needs, 10**6, 0, 33, cpu)] == [(32, 90), (1, 20)]
    assert [(block.rows, block.places) for block in memory.blocks(needs, 1, 0, 100, cpu)] == [(1, 90)]
    assert [(block.rows, block.places) for block in memory.blocks(needs, 10**6, 0, 50, torch.device("cuda"))] == [
        (50, 90)
    ]


def test_half_precision_logits_keep_the_digits_that_decide() -> None:
    """Where the best two are equal in bfloat16, the best is taken; what is scored is as precise as its inputs."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 5000, bias=False).bfloat16()
    module = SimpleNamespace(get_output_embeddings=lambda: layer)
    x = 16 * torch.randn(3, 40, 64).bfloat16()
    cpu = torch.device("cpu")
    with torch.no_grad():
        exact = x.double() @ layer.weight.double().t()
        rounded = layer(x)
        with precise_head(module, cpu, every=False):
            best = layer(x)
        with precise_head(module, cpu, every=True):
            every = layer(x)
    assert best.dtype == every.dtype == torch.float32
    assert torch.equal(best.argmax(-1), exact.argmax(-1))
    assert not torch.equal(rounded.float().argmax(-1), exact.argmax(-1))
    torch.testing.assert_close(every.double(), exact, atol=1e-4, rtol=1e-5)
    changed = best != rounded.float()
    assert 0 < changed.sum() < 0.01 * best.numel()
    torch.testing.assert_close(best.double()[changed], exact[changed], atol=1e-4, rtol=1e-5)
    with torch.no_grad(), precise_head(SimpleNamespace(get_output_embeddings=layer.float), cpu, every=True):
        assert torch.equal(layer(x.float()), torch.nn.functional.linear(x.float(), layer.weight))


def test_half_precision_scores_and_texts_are_those_of_precise_logits() -> None:
    """Against plain passes of the same weights in bfloat16, with the output layer computed in float64."""
    tok = tokenizer(bos=False)
    module = llama().bfloat16()
    model = HFModel(module, tok, describe(module, tok, "tiny", "0"))
    assert model.engine_note is None
    for text in TEXTS[:3]:
        ids = tok(text + " Yes")["input_ids"]
        with torch.no_grad():
            hidden = module.model(torch.tensor([ids])).last_hidden_state[0]
            table = (hidden.double() @ module.lm_head.weight.double().t()).log_softmax(-1)
        [scored] = model.score([Pair(text, " Yes")])
        start = scored.context_tokens
        expected = float(sum(table[place - 1, ids[place]] for place in range(start, len(ids))))
        assert scored.logprob == pytest.approx(expected, abs=1e-3)  # with logits in bfloat16 off by up to 3e-3
        span = Span(tuple(ids[:start]), tuple(ids[start:]))
        [value] = plain.score(module, [span], len(table[0]), 4000)  # where the engine does not run a model
        assert value == pytest.approx(expected, abs=1e-3)
