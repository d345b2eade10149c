"""Asking through a chat template: token-exact prompts, the same texts as plain transformers, who is asked so, and studies."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from models_fixtures import VOCABULARY, llama, plain_logprob, save
from results_json import read_json, write_json
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from onset.answers import NumberFormat
from onset.demos.fit import Shown, choose_demonstrations
from onset.errors import ModelError, StoreError, StudyError
from onset.methods import method, method_parameters
from onset.models import open_model
from onset.models.chat import ChatTemplate, chosen_template
from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.models.scripted import ScriptedModel
from onset.pipeline import Evaluation
from onset.plan import make_plan
from onset.prompting.ask import Ask
from onset.prompting.text import CHAT_CHAIN, STOP, answer_text, render, turns
from onset.records import Item, Pair, Request
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks.base import Task
from onset.tuning import material
from onset.tuning.loop import encode
from onset.tuning.materials.base import Given

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DEMOS = (
    Item("Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?", "10", "Pam has 17 - 7 = 10."),
    Item("Pam has 3 keys and 4 more. How many?", "7", "She has 3 + 4.\nThat is 7."),
)
ITEMS = tuple(Item(f"Ray has {n} keys. How many?", str(n)) for n in (4, 5, 6))
TASK = Task("keys", "own", DEMOS, ITEMS, NumberFormat(), 0.0, "made", answer_tokens=12, rationale_tokens=24)


def tokenizer(
    template: str | None = TEMPLATE, *, end: str = "<|im_end|>", eos: str = "<eos>"
) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that puts <bos> before every text, with a chat template that puts one too."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    special = ["<eos>", "<bos>", "<|im_start|>", "<|im_end|>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [one.question + " The answer is" for one in (*DEMOS, *ITEMS)]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    tok.train_from_iterator(texts, trainer)
    tok.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    made = PreTrainedTokenizerFast(tokenizer_object=tok, eos_token=eos, bos_token="<bos>")
    made.chat_template = None if template is None else template.replace("<|im_end|>", end)
    return made


def wrap(tok: Any, *, eos: Any = (0, 3), name: str = "tiny") -> HFModel:
    module = llama()
    module.generation_config.eos_token_id = list(eos)
    return HFModel(module, tok, describe(module, tok, name, "0"))


@pytest.fixture(scope="module")
def model() -> HFModel:
    return wrap(tokenizer())


def chat_of(model: HFModel) -> ChatTemplate:
    chat = model.chat
    assert chat is not None
    return chat


# ---------------------------------------------------------------------------------------------------- prompts


ASKED = 'Write the answer as "The answer is ...".'


def test_demonstrations_are_turns_and_the_answer_has_no_space() -> None:
    ray = "Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?"
    assert turns(TASK, DEMOS, ITEMS[0], rationale=True) == [
        ("user", f"{ASKED}\n\n{ray}"),
        ("assistant", "Pam has 17 - 7 = 10. The answer is 10."),
        ("user", "Pam has 3 keys and 4 more. How many?"),
        ("assistant", "She has 3 + 4.\nThat is 7.\nThe answer is 7."),
        ("user", "Ray has 4 keys. How many?"),
    ]
    told = replace(TASK, instruction="Count.")
    passage = Item("Is it?", "Yes", choices=("Yes", "No"), context="It is.")
    assert turns(told, DEMOS[:1], passage, rationale=False) == [
        ("user", f"Count.\n{ASKED}\n\n{ray}"),
        ("assistant", "The answer is 10."),
        ("user", "Context: It is.\nIs it?\nOptions: Yes; No"),
    ]
    # the steps are the only difference between the two ways; without demonstrations there is none
    assert turns(TASK, (), ITEMS[0], rationale=False) == [("user", f"{ASKED}\n\nRay has 4 keys. How many?")]
    assert turns(TASK, (), ITEMS[0], rationale=True) == turns(TASK, (), ITEMS[0], rationale=False)


def test_prompts_are_the_templates_own_to_the_token(model: HFModel) -> None:
    prompt = render(TASK, DEMOS, ITEMS[0], rationale=True, chat=chat_of(model))
    messages = [{"role": who, "content": text} for who, text in turns(TASK, DEMOS, ITEMS[0], rationale=True)]
    theirs = model.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    [ours] = model.encode([prompt], templated=True)
    assert ours == theirs
    assert ours.count(model.tokenizer.bos_token_id) == 1
    assert ours.count(2) == 6  # <|im_start|> is one token
    assert model.count_tokens(prompt, templated=True) == len(theirs)
    assert model.count_tokens(prompt) == len(theirs) + 1


def test_texts_are_those_of_plain_transformers(model: HFModel) -> None:
    prompts = [render(TASK, DEMOS, item, rationale=True, chat=chat_of(model)) for item in ITEMS]
    requests = [Request(prompt, 40, ("<|im_end|>",), templated=True) for prompt in prompts]
    mixed = [*requests, Request("Ray has", 10)]  # a plain one beside them
    found = [one for [one] in model.generate(mixed)]
    for item, one in zip(ITEMS, found, strict=False):
        messages = [{"role": who, "content": text} for who, text in turns(TASK, DEMOS, item, rationale=True)]
        inputs = model.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        out = model.module.generate(inputs["input_ids"], do_sample=False, max_new_tokens=40)[0]
        new = out[inputs["input_ids"].shape[1] :]
        assert one.text == model.tokenizer.decode(new, skip_special_tokens=True)
        assert (one.tokens, one.prompt_tokens) == (len(new), inputs["input_ids"].shape[1])
    assert found[3].prompt_tokens == len(model.tokenizer("Ray has")["input_ids"])


def test_what_chat_prompts_have_in_common_is_run_once(model: HFModel) -> None:
    prompts = [render(TASK, DEMOS, item, rationale=True, chat=chat_of(model)) for item in ITEMS]
    ids = model.encode(prompts, templated=True)
    shared = next(place for place, tokens in enumerate(zip(*ids, strict=False)) if len(set(tokens)) > 1)
    run_: list[tuple[int, ...]] = []
    assert model.engine_note is None  # the probe has run
    hook = model.module.register_forward_pre_hook(
        lambda module, args, given: run_.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    model.generate([Request(prompt, 4, templated=True) for prompt in prompts])
    hook.remove()
    assert shared > 0.7 * len(ids[0])
    assert run_[:2] == [(1, shared), (1, sum(map(len, ids)) - 3 * shared)]


def test_the_gold_answer_is_scored_in_the_assistants_turn(model: HFModel) -> None:
    chat = chat_of(model)
    [record] = Evaluation(model, TASK, method(prompt="answer-only"), Shown(DEMOS), 0, True, chat).evaluate(ITEMS[:1], 0)
    assert record.prompt == render(TASK, DEMOS, ITEMS[0], rationale=False, chat=chat)
    stem = model.encode([f"{record.prompt}The answer is"], templated=True)[0]
    whole = model.encode([f"{record.prompt}The answer is 4."], templated=True)[0]
    assert whole[: len(stem)] == stem
    assert record.gold_logprob == pytest.approx(plain_logprob(model.module, whole, len(stem)), abs=1e-4)
    [scored] = model.score([Pair(f"{record.prompt}The answer is", " 4.", templated=True)])
    assert (scored.context_tokens, scored.tokens) == (len(stem), len(whole) - len(stem))


def test_a_turn_of_a_chat_may_have_paragraphs(model: HFModel) -> None:
    asked = Ask(ScriptedModel({}), TASK, ITEMS[0])  # type: ignore[arg-type]
    assert asked.stop == STOP
    assert replace(asked, chat=chat_of(model)).stop == ("<|im_end|>",)


def test_a_chain_in_a_chat_may_be_longer(model: HFModel, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []
    generate = HFModel.generate

    def seen(self: HFModel, requests: Any) -> Any:
        limits.extend(request.max_tokens for request in requests)
        return generate(self, requests)

    monkeypatch.setattr(HFModel, "generate", seen)
    for prompt in ("answer-only", "cot"):
        for chat in (None, chat_of(model)):
            Evaluation(model, TASK, method(prompt=prompt), Shown(DEMOS), 0, False, chat).evaluate(ITEMS[:1], 0)
    assert limits == [TASK.answer_tokens, TASK.answer_tokens, TASK.rationale_tokens, 2 * TASK.rationale_tokens]


def test_as_many_demonstrations_as_fit_with_the_template(model: HFModel) -> None:
    chat, plan = chat_of(model), make_plan(TASK, 0)
    prompts = [render(TASK, plan.order[:k], ITEMS[0], rationale=True, chat=chat) for k in (1, 2)]
    one, two = (len(ids) for ids in model.encode(prompts, templated=True))
    plain = model.count_tokens(render(TASK, plan.order, ITEMS[0], rationale=True))
    assert one < plain < two - 1  # in plain text both fit where with the template one does
    room = two - 2 + (model.facts.context - two) % 2  # a chain in a chat takes twice the limit
    assert one <= room < two
    task = replace(TASK, rationale_tokens=(model.facts.context - room) // CHAT_CHAIN)
    with_template = choose_demonstrations(model, task, method(prompt="cot"), plan, 2, ITEMS[0], chat)
    assert with_template.everywhere == plan.order[:1]
    assert choose_demonstrations(model, task, method(prompt="cot"), plan, 2, ITEMS[0]).everywhere == plan.order


def test_tuning_and_asking_share_the_prompt(model: HFModel) -> None:
    chat = chat_of(model)
    example = material("rationales").make(Given(model, TASK, DEMOS[:1], chat, seed=0)).examples[0]
    assert example.prompt == render(TASK, (), DEMOS[0], rationale=True, chat=chat)
    assert example.completion == answer_text(DEMOS[0], rationale=True, chat=True)
    [coded] = encode(model.tokenizer, [example], 512)
    said = [*turns(TASK, (), DEMOS[0], rationale=True), ("assistant", example.completion)]
    messages = [{"role": who, "content": text} for who, text in said]
    theirs = model.tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"]
    end = model.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert list(coded.ids) == theirs[: len(theirs) - theirs[::-1].index(end)]  # up to the token that ends the turn
    assert coded.start == model.count_tokens(example.prompt, templated=True)


def test_materials_through_a_template(model: HFModel) -> None:
    """What is tuned on and asked are turns, the samples are of turns, and every text ends with the turn's token."""
    chat, pool = chat_of(model), (*DEMOS, *ITEMS)
    said = ["Ray has 4 = 4. The answer is 4.", "The answer is 4.", "4."]
    asking = wrap(tokenizer())
    asking.generate = ScriptedModel({"": said}).generate  # type: ignore[method-assign]
    for spec in (
        {"kind": "few-shot", "shots": 1, "draws": 1},
        {"kind": "distilled", "shots": 2, "samples": 3, "of": "rationales"},
        {"kind": "self-improvement", "shots": 2, "samples": 3},
    ):
        made = material(spec).make(Given(asking, TASK, pool, chat, seed=0)).examples
        assert made
        for one, row in zip(made, encode(model.tokenizer, made, 512), strict=True):
            assert (one.templated, one.end) == (True, "<|im_end|>")
            assert row.ids[-1] == model.tokenizer.convert_tokens_to_ids("<|im_end|>")
            assert list(row.ids).count(1) == 1  # one <bos>
            assert one.prompt.startswith("<bos><|im_start|>user")
    asked = {one.prompt: [] for one in made}  # self-improvement, in its four formats
    for one in made:
        asked[one.prompt].append(one.completion)
    steps, direct, told, alone = list(asked)[:4]
    question = ITEMS[0].question
    assert steps == render(TASK, DEMOS, ITEMS[0], rationale=True, chat=chat)
    assert direct == render(TASK, DEMOS, ITEMS[0], rationale=False, chat=chat)
    assert told == chat([("user", question)]) + "Let's think step by step."
    assert alone == render(TASK, (), ITEMS[0], rationale=False, chat=chat)
    assert asked[steps][0] == said[0]
    assert asked[told][0] == f" {said[0]}"
    assert set(asked[direct]) == set(asked[alone]) == {"The answer is 4."}


def test_a_template_that_refuses_is_one_line() -> None:
    tok = tokenizer("{{ raise_exception('no such\nturns') }}")
    with pytest.raises(ModelError) as error:
        wrap(tok).chat  # noqa: B018
    assert str(error.value) == (
        "model 'tiny': its chat template refuses the prompt (no such turns): use 'template: plain'"
    )
    assert chosen_template(wrap(tok), "plain") is None


# --------------------------------------------------------------------------------------------- who is asked so


@pytest.mark.parametrize(
    ("tok", "eos", "name", "instruct"),
    [
        (tokenizer(), [0, 3], "tiny", True),  # <|im_end|> ends its texts
        (tokenizer(), [0], "tiny", False),  # a base model whose tokenizer has a template
        (tokenizer(), [0], "tiny-Instruct", False),
        (tokenizer(), [0, 3], "tiny-base", False),
        (tokenizer(eos="<|im_end|>"), [0], "tiny", True),
        (tokenizer(None), [0, 3], "tiny-instruct", False),  # no template
        (tokenizer(end="</s>"), [4], "llama-chat", True),  # turns end as documents do: the name says it
        (tokenizer(end="</s>"), [4], "llama", False),
        (tokenizer(end="</s>"), [4], "gemma-it", True),
        (tokenizer(end="</s>"), [4], "bitnet-audit", False),
        (tokenizer(end=""), [0, 3], "tiny-instruct", False),  # a template whose turns do not end
    ],
)
def test_who_is_an_instruct_model(tok: Any, eos: list[int], name: str, instruct: bool) -> None:
    model = wrap(tok, eos=eos, name=name)
    assert model.instruct is instruct
    assert (chosen_template(model, None) is not None) is instruct
    if model.chat is not None:
        assert chosen_template(model, "chat") is model.chat
        assert chosen_template(model, "plain") is None


def test_models_of_the_ladder_and_fakes_are_asked_plainly() -> None:
    for model in (open_model("ladder/r0", device="cpu"), ScriptedModel({})):
        assert chosen_template(model, None) is None
        with pytest.raises(ModelError) as error:
            chosen_template(model, "chat")
        assert str(error.value) == (
            f"model '{model.facts.name}' has no chat template: write 'template: plain', or 'auto'"
        )


def check_plain_texts(model: HFModel) -> None:
    """Greedy texts behind worked demonstrations are those of transformers with the tokenizer's own template."""
    assert model.chat is not None
    prompts = [render(TASK, DEMOS, item, rationale=True, chat=model.chat) for item in ITEMS]
    done = model.generate([Request(prompt, 48, templated=True) for prompt in prompts])
    for item, [one] in zip(ITEMS, done, strict=True):
        messages = [{"role": who, "content": text} for who, text in turns(TASK, DEMOS, item, rationale=True)]
        inputs = model.tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        out = model.module.generate(inputs["input_ids"], do_sample=False, max_new_tokens=48)[0]
        new = out[inputs["input_ids"].shape[1] :]
        assert one.text == model.tokenizer.decode(new, skip_special_tokens=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "instruct"), [("smollm2-135m-instruct", True), ("gemma-3-270m", False)])
def test_packaged_models(name: str, instruct: bool) -> None:
    """The base model's file has no template, the instruct model's has one and is asked through it."""
    model = open_model(f"packaged:{name}", device="cpu", dtype="float32")
    assert isinstance(model, HFModel)
    assert (model.chat is not None) is instruct
    assert model.instruct is instruct
    if instruct:
        check_plain_texts(model)


@pytest.mark.slow
def test_an_instruct_model_of_a_file() -> None:
    """Qwen2.5-Coder 0.5B Instruct, whose generation config would sample with a penalty."""
    file = Path(os.environ.get("ONSET_QWEN", "")) / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    if not file.is_file():
        pytest.skip(f"model not here: {file.name} (set ONSET_QWEN to its folder)")
    model = open_model(f"gguf:{file}", device="cpu", dtype="float32")
    assert isinstance(model, HFModel)
    assert model.instruct
    assert model.facts.params == 494_032_768
    check_plain_texts(model)


# ------------------------------------------------------------------------------------------------------- studies


def study(folder: Path, **more: Any) -> Any:
    values = {"name": "s", "models": [{"spec": str(folder), "label": "m"}], "tasks": ["addition"], "methods": ["cot"]}
    return make_study(**{**values, "labels": 2, "seeds": 1, "items": 3, "device": "cpu", "dtype": "float32", **more})


def test_the_template_is_a_factor(tmp_path: Path) -> None:
    both = study(tmp_path, methods=["cot", {"prompt": "answer-only", "template": "plain"}], template=["chat", "plain"])
    assert [(one.name, one.template) for one in both.build_methods()] == [
        ("cot-chat", "chat"),
        ("cot-plain", "plain"),
        ("answer-only-plain", "plain"),
    ]
    assert method(prompt="cot", template="chat", tune=None).spec() == {"prompt": "cot", "template": "chat"}
    # what is not set, or left to the model, changes no id
    plain = [cell.id for cell in expand(study(tmp_path)).cells]
    assert plain == [cell.id for cell in expand(study(tmp_path, template="auto")).cells]
    assert plain == [cell.id for cell in expand(study(tmp_path, methods=[{"prompt": "cot", "template": "auto"}])).cells]
    said = {"spec": str(tmp_path), "label": "m", "template": "chat"}
    [cell] = expand(study(tmp_path, models=[said])).cells
    assert (cell.method.name, cell.method.template) == ("cot", "chat")
    assert cell.id != plain[0]
    with pytest.raises(StudyError, match=r"^study: 'template' repeats chat; each may appear once$"):
        study(tmp_path, template=["chat", "chat"])
    with pytest.raises(StudyError, match=r"'template\.0'"):
        study(tmp_path, template="chatty")


def test_cells_say_how_they_were_asked(tmp_path: Path) -> None:
    """Recorded, and a finished cell that would be asked in another way now is refused with the remedy."""
    tok = tokenizer()
    module = llama(context=2048)
    module.generation_config.eos_token_id = [0, 3]
    folder = save(tmp_path / "model", module, tok)
    out = tmp_path / "out"
    asked = study(folder, template=["auto", "plain"], continuous=False)
    run(asked, out)
    held = {}
    for file in out.glob("cells/*/cell.json"):
        facts = json.loads(file.read_text())
        held[facts["method"]] = facts["template"], facts["template_hash"]
    chat = open_model(str(folder), device="cpu").chat  # type: ignore[attr-defined]
    assert held == {"cot": ("chat", chat.hash), "cot-plain": ("plain", None)}
    run(asked, out)  # nothing to do
    facts = next(file for file in out.glob("cells/*/cell.json") if json.loads(file.read_text())["method"] == "cot")
    content = read_json(facts)
    del content["template"], content["template_hash"]  # as before there were templates
    write_json(facts, content)
    with pytest.raises(StoreError) as error:
        run(study(folder, template=["auto", "plain"], methods=["cot", "answer-only"], continuous=False), out)
    assert str(error.value) == (
        f"model 'm', method cot: {out} holds results of asking in plain text, now it would be asked through its chat"
        " template; use another folder"
    )


def test_tuned_models_are_asked_as_they_were_trained(tmp_path: Path) -> None:
    module, tok = llama(context=2048), tokenizer()
    module.generation_config.eos_token_id = [0, 3]
    folder = save(tmp_path / "model", module, tok)
    tuned = {"tune": "lora", "on": "answers", "steps": 2}
    run(study(folder, methods=[tuned], template=["chat", "plain"], continuous=False), tmp_path / "out")
    cells = [json.loads(file.read_text()) for file in (tmp_path / "out").glob("cells/*/cell.json")]
    assert {(one["method"], one["template"]) for one in cells} == {
        ("lora-answers-steps2-chat", "chat"),
        ("lora-answers-steps2-plain", "plain"),
    }
    assert len({one["tuned"] for one in cells}) == 2


def test_weights_tuned_in_another_way_than_they_would_be_asked_are_tuned_again(tmp_path: Path) -> None:
    """An interrupted run left weights and no finished cell; since then the model is asked through its template."""
    module, tok = llama(context=2048), tokenizer()
    folder, out = save(tmp_path / "model", module, tok), tmp_path / "out"
    asked = study(folder, methods=[{"tune": "lora", "on": "answers", "steps": 2}], continuous=False)
    run(asked, out)
    [cell] = (out / "cells").iterdir()
    plain = json.loads((cell / "cell.json").read_text())
    shutil.rmtree(cell)
    assert not list(out.glob("tuned/*/template.json"))
    module.generation_config.eos_token_id = [0, 3]
    save(folder, module, tok)
    (out / "models.json").unlink()
    run(asked, out)
    chat = json.loads((cell / "cell.json").read_text())
    assert (plain["template"], chat["template"]) == ("plain", "chat")
    assert (plain["tuned"], chat["tuned"]) == (chat["tuned"], plain["tuned"])
    assert plain["tuned_revision"] != chat["tuned_revision"]
    shutil.rmtree(cell)
    tuning = out / "tuned" / chat["tuned"] / "tuning.json"
    before = tuning.stat().st_mtime_ns
    run(asked, out)  # these are the ones
    assert tuning.stat().st_mtime_ns == before


def test_the_list_of_methods_names_the_template() -> None:
    assert any(one.startswith("template=auto|chat|plain") for one in method_parameters())


# --------------------------------------------------------------------------------------------------- thinking

SWITCHED = TEMPLATE.replace(
    "<|im_start|>assistant\n{% endif %}",
    "<|im_start|>assistant\n{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
)
"""Thinking is switched off by an empty thought, as Qwen3's template does."""


def test_thinking_is_off_but_for_the_template_that_thinks() -> None:
    chat = chat_of(wrap(tokenizer(SWITCHED)))
    said = [("user", "Ray has 4 keys.")]
    off, on = chat(said), chat.that_thinks()(said)  # type: ignore[arg-type]
    assert off.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert on == off.removesuffix("<think>\n\n</think>\n\n")
    assert chat.marks == ("<think>", "</think>")
    assert (chat.hash, chat.end) == (chat.that_thinks().hash, chat.that_thinks().end)
