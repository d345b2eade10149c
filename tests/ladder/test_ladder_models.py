"""The models of the ladder: plain transformers loads them, Onset knows what they are, peft can tune them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from onset.errors import ModelError, OnsetError
from onset.ladder.rungs import FAMILY, NAMES, RUNGS, VARIANTS, folder
from onset.models import open_model, split_spec
from onset.models.peek import peek
from onset.records import Request
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tuning import tuner
from onset.tuning.base import Example, Schedule, Seeds

LARGEST_MEGABYTES = 35


def test_the_shipped_weights_are_small_and_share_one_tokenizer() -> None:
    files = [file for name in NAMES for file in folder(name).iterdir()]
    assert sum(file.stat().st_size for file in files) <= LARGEST_MEGABYTES * 1e6
    assert len({(folder(name) / "tokenizer.json").read_bytes() for name in NAMES}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_plain_transformers_loads_them(name: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder(name))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    told = json.loads((folder(name) / "onset.json").read_text())
    assert (
        sum(parameter.numel() for parameter in model.parameters())
        == told["params"]
        == peek(f"ladder/{name}").params_compute
    )


def test_plain_generate_and_onset_write_the_same() -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder("r2"))
    model = AutoModelForCausalLM.from_pretrained(folder("r2"), dtype=torch.float32)
    (task,) = open_tasks("world-coin")
    prompts = [f"Question: {item.question}\nAnswer:" for item in task.test[:8]]
    ours = open_model("ladder/r2", device="cpu").generate([Request(prompt, max_tokens=24) for prompt in prompts])
    for prompt, (completion,) in zip(prompts, ours, strict=True):
        ids = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=24, do_sample=False)
        assert completion.text == tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


def test_rungs_are_one_family_in_order_of_size_and_variants_have_stages() -> None:
    facts = {name: open_model(f"ladder/{name}", device="cpu").facts for name in NAMES}
    assert {one.family for one in facts.values()} == {FAMILY}
    sizes = [facts[name].params for name in RUNGS]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (22_352, 6_541_568)
    assert {facts[name].stage for name in RUNGS} == {"base"}
    for name in VARIANTS:
        assert facts[name].stage != "base"
        assert facts[name].params == facts[name[:2]].params
    assert facts["r4-nocot"].stage == "without chain of thought"


def test_the_ladder_in_a_study_is_every_rung() -> None:
    study = make_study(
        name="s",
        models=["ladder", "ladder/r4-nocot"],
        tasks=["world-coin"],
        methods=["cot"],
        labels=3,
        seeds=1,
        items=9,
    )
    assert [entry.spec for entry in study.models] == [*(f"ladder/{name}" for name in RUNGS), "ladder/r4-nocot"]


def test_a_folder_of_that_name_is_written_with_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ladder" / "r4").mkdir(parents=True)
    assert split_spec("ladder/r4") == ("ladder", "r4")
    assert split_spec("./ladder/r4") == ("hf", "./ladder/r4")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ladder/r44", "unknown model of the ladder 'r44': did you mean 'r4'? Known: r0, r1, "),
        ("ladder", "model 'ladder' is a whole ladder: name one of it, ladder/r0 for example"),
    ],
)
def test_unknown_rungs(spec: str, message: str) -> None:
    with pytest.raises(OnsetError) as caught:
        open_model(spec)
    assert str(caught.value).startswith(message)


def test_a_folder_says_its_family_and_stage(tmp_path: Path) -> None:
    for file in folder("r0").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "onset.json").write_text('{"family": "mine", "stage": "without code"}')
    facts = open_model(str(tmp_path), device="cpu").facts
    assert (facts.family, facts.stage) == ("mine", "without code")
    (tmp_path / "onset.json").write_text('{"stage": 3}')
    with pytest.raises(ModelError, match="family and stage must be text, received"):
        open_model(str(tmp_path), device="cpu")


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_rung_can_be_tuned(method: str) -> None:
    """One example, learnt by heart."""
    model = open_model("ladder/r1", device="cpu")
    examples = [Example("Question: What does Zoe like?\nAnswer:", " The answer is rice.")]
    schedule = Schedule(steps=30, learning_rate=0.01)
    tuned, report = tuner(method).tune(model, examples, Seeds(0, 0, 0), schedule)
    (pair,) = tuned.generate([Request(examples[0].prompt, max_tokens=8, stop=("\n",))])
    assert pair[0].text == " The answer is rice."
    assert report.last_loss < 0.2 < report.first_loss
