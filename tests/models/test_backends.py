"""What holds for every backend: a line in the table of `onset.models` enrols it, and asks for a target here."""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import fake_vllm
import pytest
from models_fixtures import llama, save, tokenizer
from test_gguf import write

from onset.errors import ModelError, OnsetError
from onset.models import BACKENDS, Model, Told, backend_of, default_label, describe, open_model, packaged
from onset.models.base import ability
from onset.models.peek import peek
from onset.models.scripted import ScriptedModel
from onset.records import Pair, Request

QUESTION = "Question: How many keys does Pam have?\nAnswer:"
RULES = {"rules": [{"contains": "keys", "text": " The answer is 7."}], "facts": {"params": 1000, "context": 512}}


def _packaged(folder: Path) -> str:
    """A package of a tiny model; those of the package registry are in test_models_real.py."""
    (folder / MADE).mkdir()
    (folder / MADE / "__init__.py").touch()
    write(folder / MADE / "made.gguf", llama(hidden=64))
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    return "packaged:made"


MADE = "made_up_model_package"


@pytest.fixture(scope="module", autouse=True)
def _a_package_more() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        one = packaged.Package(MADE, "made-up-model", packaged._inside_wheel)
        patch.setattr(packaged, "PACKAGED", {**packaged.PACKAGED, "made": one})
        yield


@pytest.fixture(scope="module", autouse=True)
def _vllm_or_its_stand_in() -> Iterator[None]:
    with nullcontext() if importlib.util.find_spec("vllm") else fake_vllm.installed():
        yield


def _by_vllm(folder: Path) -> str:
    """Heads of 32 numbers: vLLM's attention on a CPU takes none smaller."""
    return f"vllm:{save(folder / 'tiny', llama(hidden=128), tokenizer(bos=False))}"


def _scripted(folder: Path) -> str:
    (folder / "replies.json").write_text(json.dumps(RULES))
    return f"scripted:{folder / 'replies.json'}"


def _served(_: Path) -> str:
    pytest.importorskip("openai", reason="the extra 'server' is not installed")
    pytest.importorskip("pytest_httpserver", reason="pytest-httpserver is not installed")
    from served import Served

    one = Served(ScriptedModel({"keys": " The answer is 7."})).start()
    atexit.register(one.server.stop)
    return one.spec


TARGETS: Mapping[str, Callable[[Path], str]] = {
    "hf": lambda folder: str(save(folder / "tiny", llama(), tokenizer(bos=False))),
    "gguf": lambda folder: f"gguf:{write(folder / 'made.gguf', llama(hidden=64))}",
    "packaged": _packaged,
    "ladder": lambda _: "ladder/r0",
    "vllm": _by_vllm,
    "openai": _served,
    "scripted": _scripted,
}
"""Backend -> a small model of its kind, made in a folder, as a study names it."""
NOWHERE = {"hf": "./nowhere", "ladder": "ladder/nowhere", "openai": "openai:nowhere", "vllm": "vllm:./nowhere"}
"""What is not there, where it is not ``BACKEND:nowhere``."""


@pytest.fixture(scope="module", params=list(BACKENDS))
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return TARGETS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(spec: str) -> Model:
    return open_model(spec, device="cpu", dtype="float32")


def test_every_backend_has_a_target_here() -> None:
    assert set(TARGETS) == set(BACKENDS)
    assert len(describe()) == len(BACKENDS)


def test_its_facts_are_those_that_a_study_needs(spec: str, model: Model) -> None:
    facts = model.facts
    assert isinstance(model, Model)
    assert facts.name == default_label(spec)
    assert facts.context is not None
    assert facts.context > 0
    assert all((facts.family, facts.stage, facts.dtype, facts.device))
    if backend_of(spec)[0].local:  # a server may tell none of these
        assert 0 < (facts.params_compute or 0) <= (facts.params or 0)
        assert all((facts.revision, facts.tokenizer))


def test_its_size_is_known_before_it_is_loaded(spec: str, model: Model) -> None:
    told = Told(params=model.facts.params_compute, context=model.facts.context)
    assert (peek(spec, told).params_compute, peek(spec, told).context) == (told.params, told.context)


def test_it_completes_in_order_as_often_as_it_is_asked(model: Model) -> None:
    asked = [Request(QUESTION, 8), Request(f"Pam. {QUESTION}", 8, n=3, temperature=0.7, seed=5)]
    found = model.generate(asked)
    assert [len(completions) for completions in found] == [1, 3]
    if ability(model).repeat:
        assert found == model.generate(asked)
    assert all(0 <= one.tokens <= 8 for completions in found for one in completions)
    assert model.generate([]) == []


def test_a_prompt_that_does_not_fit_is_said_to_be_too_long(model: Model) -> None:
    (found,) = model.generate([Request("keys " * (model.facts.context + 1), 8, n=2, temperature=0.7)])
    assert [(one.finish, one.text, one.tokens) for one in found] == [("overlong", "", 0)] * 2


def test_it_scores_in_order(model: Model) -> None:
    pairs = [Pair(QUESTION, " 7."), Pair(QUESTION, " 8 keys.")]
    found = model.score(pairs)
    assert all(one.logprob < 0 < one.tokens for one in found)
    assert [one.logprob for one in model.score(pairs[::-1])] == pytest.approx([one.logprob for one in found[::-1]])
    assert 0 < model.count_tokens("keys") < model.count_tokens(QUESTION)


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_not_there_is_an_error_of_one_line(name: str) -> None:
    missing = NOWHERE.get(name, f"{name}:nowhere")
    with pytest.raises(OnsetError) as caught:
        open_model(missing)
    assert "nowhere" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"dtype": "float1"}, {"batch_tokens": 0}])
def test_options_are_refused_before_anything_is_loaded(options: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        open_model("scripted:nowhere", **options)  # type: ignore[arg-type]
