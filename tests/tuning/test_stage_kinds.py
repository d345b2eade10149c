"""Stages with losses of their own: against trl, by hand, and what they teach a tiny model."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from models_fixtures import llama  # noqa: E402
from tuner_conformance import bytes_of, hf_model, same  # noqa: E402

from onset.errors import DataError, ModelError, StudyError  # noqa: E402
from onset.models.chat import ChatTemplate  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.records import Item  # noqa: E402
from onset.records import Pair as Scored  # noqa: E402
from onset.step import read_step  # noqa: E402
from onset.tasks import open_task  # noqa: E402
from onset.tuning import STAGES  # noqa: E402
from onset.tuning.base import Example, Seeds  # noqa: E402
from onset.tuning.checkpoint import Checkpoint  # noqa: E402
from onset.tuning.loop import Encoded, batches, encode, run_and_learnt  # noqa: E402
from onset.tuning.stages import dpo, grpo, held, mixture  # noqa: E402
from onset.tuning.stages.base import Stage, Trained  # noqa: E402
from onset.tuning.stages.corpus import Corpus  # noqa: E402
from onset.tuning.stages.logprobs import completion_logprobs  # noqa: E402
from onset.tuning.stages.mixture import Source  # noqa: E402
from onset.tuning.stages.multi_format import MultiFormat, encoded, format_of  # noqa: E402
from onset.tuning.stages.plain import in_the_shape_of  # noqa: E402
from onset.tuning.stages.preference import Preference  # noqa: E402
from onset.tuning.stages.reinforcement import Reinforcement  # noqa: E402

FIXTURES = Path(__file__).parent / "fixtures"
SEEDS = Seeds(0, 0, 0)


def filled(module: Any, phase: float) -> Any:
    """The weights that the fixtures' values belong to."""
    with torch.no_grad():
        for place, (_, weight) in enumerate(sorted(module.named_parameters())):
            k = torch.arange(weight.numel(), dtype=torch.float64)
            weight.copy_((0.3 * torch.sin(0.37 * k + place + phase)).reshape(weight.shape))
    return module.eval()


def gradients(module: Any) -> dict[str, list[float]]:
    return {
        name: [float(weight.grad.double().sum()), float(weight.grad.double().norm())]
        for name, weight in module.named_parameters()
    }


def lines(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


# --- preference ---


def test_the_loss_of_dpo_and_its_gradient_are_trls() -> None:
    held = json.loads((FIXTURES / "dpo_trl.json").read_text())
    policy, reference = (filled(llama(), phase) for phase in held["phases"])
    pairs = [
        dpo.Pair(
            *(
                Encoded((*row["prompt_ids"], *row[side]), len(row["prompt_ids"]))
                for side in ("chosen_ids", "rejected_ids")
            )
        )
        for row in held["rows"]
    ]
    with torch.no_grad():
        before = dpo.margins_of(reference, pairs, 0)
    loss = dpo.dpo_loss(dpo.margins_of(policy, pairs, 0), before, held["beta"]).mean()
    loss.backward()
    assert loss.item() == pytest.approx(held["loss"], rel=1e-5)
    for name, found in gradients(policy).items():
        assert found == pytest.approx(held["gradients"][name], rel=1e-3, abs=1e-5), name


def test_pairs_are_tokenised_as_trl_does() -> None:
    held = json.loads((FIXTURES / "dpo_trl.json").read_text())
    model = hf_model(llama(), bos=False)
    for text, row in zip(held["texts"], held["rows"], strict=True):
        for side in ("chosen", "rejected"):
            (one,) = encode(model.tokenizer, [Example(text["prompt"], text[side])], 100)
            assert list(one.ids) == [*row["prompt_ids"], *row[f"{side}_ids"]]
            assert one.start == len(row["prompt_ids"])


PAIRS = [
    {"prompt": f"Say {word}.", "chosen": " keys", "rejected": " blue sky"} for word in ("one", "two", "three", "four")
]


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    return lines(tmp_path / "pairs.jsonl", PAIRS)


def prefers(model: HFModel) -> float:
    """How much likelier the chosen completions are than the rejected ones (nats)."""
    scored = model.score([Scored(row["prompt"], row[side]) for row in PAIRS for side in ("chosen", "rejected")])
    values = [one.logprob or 0.0 for one in scored]
    return sum(values[0::2]) - sum(values[1::2])


def test_what_is_chosen_becomes_likelier_and_the_placebo_draws(pairs: str) -> None:
    model = hf_model(llama())
    before, held = prefers(model), bytes_of(model)
    settings = {"data": pairs, "steps": 12, "batch_size": 2, "learning_rate": 1e-2}
    one = Preference(**settings).train(model, SEEDS)
    assert same(bytes_of(model), held)
    assert prefers(one.model) > before + 4
    report = one.report
    assert one.kept["steps"][0]["loss"] == pytest.approx(math.log(2), abs=1e-5)  # it begins as its own reference
    assert report.detail["accuracy"][1] == 1.0
    assert report.first_loss == pytest.approx(math.log(2), abs=1e-5)
    params = model.facts.known("params_compute")
    assert report.flops == params * (6 * report.tokens + 2 * report.detail["read"])
    again = Preference(**settings).train(model, SEEDS)
    assert same(bytes_of(again.model), bytes_of(one.model))

    placebo = Preference(**settings, control="swapped", seed=3)
    drawn = placebo.pairs()
    swapped = sum(a != b for a, b in zip(drawn, Preference(**settings).pairs(), strict=True))
    assert 0 < swapped < len(PAIRS)
    other = placebo.train(model, SEEDS)
    assert other.report.tokens == report.tokens
    assert other.report.detail["swapped"] == swapped


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "chosen": "b"}, "expected an object with 'prompt', 'chosen' and 'rejected'"),
        ({"prompt": "a", "chosen": "b", "rejected": ["c"]}, "expected an object with"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, "'chosen' and 'rejected' are equal"),
    ],
)
def test_lines_that_are_no_pairs(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "p.jsonl", [PAIRS[0], row])
    with pytest.raises(DataError, match=f"p.jsonl, line 2: {message}"):
        Preference(data=path, steps=1).pairs()


def test_a_stage_that_diverges_says_so(pairs: str) -> None:
    with pytest.raises(ModelError, match=r"^tuning diverged: the (loss|gradient) of step \d+ of 9 is (nan|inf) at"):
        Preference(data=pairs, steps=9, learning_rate=1e30).train(hf_model(llama()), SEEDS)


# --- reinforcement ---


def test_the_loss_of_grpo_and_its_gradient_are_trls() -> None:
    held = json.loads((FIXTURES / "grpo_trl.json").read_text())
    old, reference = (filled(llama(), held["phases"][one]) for one in ("old", "reference"))
    rows = [Encoded((*held["prompt"], *answer), len(held["prompt"])) for answer in held["answers"]]
    with torch.no_grad():
        olds, references = (completion_logprobs(one, rows, 0, held["temperature"]) for one in (old, reference))
    tried = [grpo.Tried(*one) for one in zip(rows, held["advantages"], olds, references, strict=True)]
    for case in held["cases"]:
        policy = filled(llama(), held["phases"]["policy"])
        logprobs = completion_logprobs(policy, rows, 0, held["temperature"])
        longest = held["longest"] if case["variant"] == "dr-grpo" else None
        loss = grpo.policy_loss(logprobs, tried, held["clip"], held["kl"], longest) / len(tried)
        loss.backward()
        assert loss.item() == pytest.approx(case["loss"], rel=1e-4)
        for name, found in gradients(policy).items():
            assert found == pytest.approx(case["gradients"][name], rel=1e-3, abs=1e-5), name


def test_the_gradient_of_a_group_by_hand() -> None:
    """Of one step without a divergence it is that of the advantage-weighted mean log-probability."""
    module = llama().eval()
    rows = [Encoded((5, 6, 7, 20, 21), 3), Encoded((5, 6, 7, 30), 3), Encoded((5, 6, 7, 40, 41, 42), 3)]
    worth = grpo.advantages([1.0, 0.0, 0.0], divide=True)
    assert worth == pytest.approx([2 / 3 / 0.57735, -1 / 3 / 0.57735, -1 / 3 / 0.57735], rel=1e-4)
    tried = [grpo.Tried(row, gain) for row, gain in zip(rows, worth, strict=True)]
    (grpo.policy_loss(completion_logprobs(module, rows, 0), tried, 0.2, 0.0, None) / 3).backward()
    found = {name: weight.grad.clone() for name, weight in module.named_parameters()}
    module.zero_grad()
    total = torch.zeros(())
    for row, gain in zip(rows, worth, strict=True):
        logits = module(input_ids=torch.tensor([row.ids])).logits[0].float()
        own = torch.log_softmax(logits, -1)[range(2, len(row.ids) - 1), list(row.ids[3:])]
        total = total - gain * own.mean() / 3
    total.backward()
    for name, weight in module.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-6)


def test_groups_of_equal_rewards_have_no_advantage() -> None:
    assert grpo.advantages([1.0, 1.0, 1.0], divide=True) == [0.0, 0.0, 0.0]
    assert grpo.advantages([1.0, 0.0], divide=False) == [0.5, -0.5]


QUESTIONS = [{"question": f"Is {word} blue?", "answer": "keys"} for word in ("it", "Pam", "sky", "Ray")]
"""A task with one answer, which a model that says it now and then can learn to say always."""


def primed() -> HFModel:
    """A tiny model that knows how answers are written, and says one of two."""
    rows = [
        Example(f"Question: Is {word} blue?\nAnswer:", f" The answer is {answer}.")
        for word in ("it", "Pam", "sky", "Ray")
        for answer in ("keys", "sky")
    ]
    from onset.tuning.base import Schedule
    from onset.tuning.full import Full

    made, _ = Full().tune(hf_model(llama()), rows, SEEDS, Schedule(steps=60, batch_size=8, learning_rate=1e-2))
    return made


@pytest.fixture(scope="module")
def base() -> HFModel:
    return primed()


def rewarded(tmp_path: Path, **changes: Any) -> Reinforcement:
    settings = {"data": lines(tmp_path / "q.jsonl", QUESTIONS), "prompt": "answer-only", "batch_size": 4, "samples": 6}
    return Reinforcement(**{**settings, "steps": 8, "learning_rate": 3e-3, **changes})


def test_reward_rises_where_there_is_something_to_learn(base: HFModel, tmp_path: Path) -> None:
    held = bytes_of(base)
    done = rewarded(tmp_path).train(base, SEEDS)
    assert same(bytes_of(base), held)
    first, last = done.report.detail["reward"]
    assert 0.1 < first < 0.9
    assert last > 0.95
    assert done.report.detail["right"] == done.report.detail["reward"]
    # what a person can read
    group = done.kept["samples"][0]
    assert group["gold"] == "keys"
    assert group["prompt"].startswith("Question: Is ")
    assert {one["reward"] for one in group["answers"]} <= {0.0, 1.0}
    assert all((one["answer"] == "keys") == (one["reward"] == 1.0) for one in group["answers"])
    assert len(done.kept["steps"]) == 8
    # tokens of all passes
    report, params = done.report, base.facts.known("params_compute")
    assert report.flops == params * (6 * report.tokens + 2 * (report.detail["asked"] + report.detail["written"]))
    again = rewarded(tmp_path).train(base, SEEDS)
    assert same(bytes_of(again.model), bytes_of(done.model))


@pytest.mark.parametrize(
    "changes",
    [{"updates": 2}, {"variant": "dr-grpo", "learning_rate": 1e-2}, {"kl": 0.05}],
    ids=["updates", "dr", "kl"],
)
def test_its_variants_learn_too(changes: dict[str, Any], base: HFModel, tmp_path: Path) -> None:
    done = rewarded(tmp_path, **changes).train(base, SEEDS)
    first, last = done.report.detail["reward"]
    assert last > first
    assert (done.report.detail["read"] > 0) == ("kl" in changes)


@pytest.mark.parametrize("control", ["random-rewards", "shuffled-rewards"])
def test_placebos_ask_the_same_questions_and_are_rewarded_otherwise(
    control: Any, base: HFModel, tmp_path: Path
) -> None:
    own, placebo = rewarded(tmp_path), rewarded(tmp_path, control=control)
    pool = own.asked().pool
    assert [placebo.batch(pool, at) for at in range(3)] == [own.batch(pool, at) for at in range(3)]
    rewards = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    dealt = [placebo.dealt(rewards, at, pool[0]) for at in range(20)]
    assert any(one != rewards for one in dealt)
    if control == "shuffled-rewards":
        assert all(sorted(one) == sorted(rewards) for one in dealt)
    done = placebo.train(base, SEEDS)
    given = [(one["reward"], one["answer"] == "keys") for group in done.kept["samples"] for one in group["answers"]]
    assert {(1.0, False), (0.0, True)} <= set(given)


def test_every_question_is_asked_before_one_is_asked_again(tmp_path: Path) -> None:
    stage = rewarded(tmp_path, batch_size=3)
    pool = stage.asked().pool
    asked = [item.question for at in range(4) for item in stage.batch(pool, at)]
    assert [sorted(asked[low : low + 4]) for low in (0, 4, 8)] == [sorted(item.question for item in pool)] * 3


def test_a_question_that_comes_twice_in_a_batch_is_answered_anew(base: HFModel, tmp_path: Path) -> None:
    """As where a round ends within a batch."""
    asking = grpo.Asking(rewarded(tmp_path, batch_size=8, control="random-rewards", temperature=2.0), base, None)
    said = asking.batch(0).samples
    by_question: dict[str, list[Any]] = {}
    for one in said:
        by_question.setdefault(one["question"], []).append(one["answers"])
    assert [len(groups) for groups in by_question.values()] == [2] * 4
    for what in ("text", "reward"):
        groups = [[[answer[what] for answer in group] for group in both] for both in by_question.values()]
        assert any(first != second for first, second in groups), what


def test_demonstrations_are_other_questions(tmp_path: Path) -> None:
    stage = rewarded(tmp_path, shots=2)
    pool = stage.asked().pool
    for at, item in enumerate(pool):
        shown = stage.demonstrations(pool, item, at)
        assert len(shown) == 2
        assert item not in shown
    with pytest.raises(DataError, match=r"4 shots and a question need 5 labelled examples, it has 4$"):
        rewarded(tmp_path, shots=4).asked()
    with pytest.raises(DataError, match=r"1 shots and a question need 2 labelled examples with a rationale, it has 0$"):
        rewarded(tmp_path, shots=1, prompt="cot").asked()


def test_questions_that_do_not_fit_are_refused(base: HFModel, tmp_path: Path) -> None:
    long = [{"question": "so " * 600 + "?", "answer": "keys"}, *QUESTIONS]
    with pytest.raises(
        ModelError, match=r"has \d+ tokens, and its answer 24 more, which do not fit the context of tiny"
    ):
        rewarded(tmp_path, data=lines(tmp_path / "l.jsonl", long), batch_size=5).train(base, SEEDS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 1}, "needs either 'task', whose labelled pool is asked, or 'data', a file of questions"),
        ({"steps": 3, "task": "x", "updates": 2}, "'steps' (3) must be a multiple of 'updates' (2)"),
        ({"steps": 3, "task": "x", "samples": 1}, "'samples': Input should be greater than or equal to 2 (received 1)"),
    ],
)
def test_settings_of_reinforcement_that_do_not_hold(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as told:
        read_step(STAGES, {"kind": "reinforcement", **settings}, "recipe")
    assert str(told.value) == f"recipe, reinforcement: {message}"


def test_the_policy_that_is_trained_is_the_one_that_was_asked(base: HFModel, tmp_path: Path) -> None:
    """The engine's log-probability of an answer is that of the tokens which are learnt, ends included."""
    asking = grpo.Asking(rewarded(tmp_path), base, None)
    ends = set()
    requests = [asking._request(item, 0) for item in asking.task.pool]
    for prompt, samples in base.drawn([*requests, *(replace(one, stop=(" answer",)) for one in requests)]):
        assert samples is not None
        rows = [Encoded((*prompt, *one.ids), len(prompt)) for one in samples]
        with torch.no_grad():
            found = [one.sum().item() for one in completion_logprobs(base.module, rows, 0)]
        assert found == pytest.approx([one.logprob for one in samples], abs=1e-3)
        assert [one.tokens for one in samples] == [len(one.ids) for one in samples]
        ends |= {one.finish for one in samples}
    assert {"stop", "eos"} <= ends


@pytest.mark.parametrize("kind", ["preference", "reinforcement"])
def test_training_that_was_stopped_goes_on_to_the_same_bits(
    kind: str, base: HFModel, pairs: str, tmp_path: Path
) -> None:
    stage: Stage = rewarded(tmp_path, steps=5) if kind == "reinforcement" else Preference(data=pairs, steps=5)
    whole = stage.train(base, SEEDS)
    seen: list[int] = []

    def stop(done: int, steps: int) -> None:
        seen.append(done)
        if done == 3:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        stage.train(base, SEEDS, stop, Checkpoint(path, every=0.0))
    again = stage.train(base, SEEDS, lambda done, _: seen.append(done), Checkpoint(path, every=0.0))
    assert seen == [1, 2, 3, 4, 5]
    assert same(bytes_of(again.model), bytes_of(whole.model))
    assert again.report == whole.report
    assert again.kept == whole.kept  # the texts that people read too
    assert bool(again.kept.get("samples")) == (kind == "reinforcement")


def test_a_model_that_learnt_its_chat_template_is_asked_through_it(base: HFModel, tmp_path: Path) -> None:
    chat = ChatTemplate(tokenizer=None, model="tiny", end="<|im_end|>", hash="0" * 16)
    asking = grpo.Asking(rewarded(tmp_path), base, replace_call(chat))
    request = asking._request(asking.task.pool[0], 0)
    assert request.templated
    assert request.stop == ("<|im_end|>",)
    assert request.prompt.startswith("<user> Write the answer as")
    assert request.prompt.endswith("Is it blue? <assistant>")


def replace_call(chat: ChatTemplate) -> Any:
    """``chat`` with a template of its own."""

    class Said(ChatTemplate):
        def __call__(self, turns: Any) -> str:
            return " ".join(f"<{role}> {text}" for role, text in turns) + " <assistant>"

    return Said(chat.tokenizer, chat.model, chat.end, chat.hash)


# --- questions in the texts of a stage ---


def test_questions_are_found_wherever_they_stand() -> None:
    """Against a search of every question in every text."""
    draw = random.Random(0)
    words = ["Ray", "owns", "17", "keys.", "Pam", "has", "fewer,", "how", "many?", "so"]
    questions = [" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(300)]
    texts = [("", " ".join(draw.choices(words, k=40))) for _ in range(40)]
    texts += [(f'He asked: "{one}"', f"  {one.upper()}") for one in draw.sample(questions, 60)]
    texts += [(one, " Yes.") for one in draw.sample(questions, 60)]

    def stands(question: str) -> bool:
        one = held.plain(question)
        if len(one) >= held.WHOLE:
            return any(one in held.plain(prompt + rest) for prompt, rest in texts)
        return any(one in (held.plain(prompt), held.plain(prompt + rest)) for prompt, rest in texts)

    found = held.held_in(texts, questions)
    assert found == [one for one in questions if stands(one)]
    assert 60 < len(found) < 250
    assert held.held_in([("", "一二三四五六七八九十" * 4)], ["四五六七八九十一二三" * 3]) == [
        "四五六七八九十一二三" * 3
    ]


def test_short_questions_are_found_in_lines_and_in_the_encoding_of_formats() -> None:
    asked = "What is 27 + 48?"
    assert len(asked) < held.WHOLE
    in_a_line = [
        (f"Question: {asked}\nAnswer:", " 75"),
        (f"Q: {asked}\nA:", " 75"),
        ("", f"Work this out.\n{asked.upper()}\n75"),
        (encoded(Item(asked, "75", context="Sums."), "t").prompt, " 75"),
    ]
    for text in in_a_line:
        assert held.held_in([text], [asked]) == [asked], text
    for text in [("Question: What is 27 + 481?\nAnswer:", " 75"), ("", f"He asked {asked}"), ("", f"{asked} Say it.")]:
        assert held.held_in([text], [asked]) == []


def test_a_stage_of_several_formats_knows_all_questions_that_it_asks() -> None:
    task = {"name": "world-reading", "pool": 48, "test": 24}
    stage = read_step(STAGES, {"kind": "multi-format", "data": [{"task": task}], "steps": 2}, "recipe")
    pool = [one.question for one in open_task(task).pool]
    assert any(len(one) < held.WHOLE for one in pool)
    assert stage.holds(pool) == pool


def test_plain_text_holds_what_it_says_and_not_the_corpus_in_whose_place_it_stands(tmp_path: Path) -> None:
    rows = [{"prompt": "How many keys does Pam have in the box?", "completion": "17"}]
    (tmp_path / "book.txt").write_text("Nobody knows where the keys of Pam are now. So it goes.", encoding="utf-8")
    settings: dict[str, Any] = {"data": lines(tmp_path / "c.jsonl", rows), "steps": 1}
    asked = [str(rows[0]["prompt"]), "Nobody knows where the keys of Pam are now."]
    plain = Corpus(**settings, control="plain", text=str(tmp_path / "book.txt"))
    assert Corpus(**settings).holds(asked) == asked[:1]
    assert plain.holds(asked) == asked[1:]
    with pytest.raises(DataError, match=r"^stage text .*book.txt holds 1 of the 2 test items of task t;"):
        plain.refuse(asked, "t")


# --- mixtures ---


def test_rates_are_t5s() -> None:
    """r_m = min(e_m, K) / sum of min(e_n, K) (Raffel et al. 2020, section 3.5.2)."""
    sources = [Source(file="a", cap=300), Source(file="b", cap=300), Source(file="c")]
    assert mixture.rates(sources, [1000, 100, 100]) == pytest.approx([0.6, 0.2, 0.2])
    assert mixture.rates([Source(file="a", share=0.25), Source(file="b")], [7, 1]) == pytest.approx([0.25, 0.75])
    assert mixture.rates([Source(file="a"), Source(file="b")], [90, 10], equal=True) == [0.5, 0.5]
    assert mixture.apportioned([0.6, 0.25, 0.15], 10) == [6, 3, 1]
    for shares in ([0.7, 0.7], [0.4, 0.4], [1.0, None]):
        listed = [Source(file=str(at), share=share) for at, share in enumerate(shares)]
        with pytest.raises(DataError, match="the shares of its sources sum to"):
            mixture.rates(listed, [1, 1])


def test_rows_are_drawn_in_rounds_and_in_the_words_of_templates(tmp_path: Path) -> None:
    a = lines(tmp_path / "a.jsonl", [{"prompt": f"Say {n}.", "completion": str(n)} for n in range(4)])
    b = lines(tmp_path / "b.jsonl", [{"text": f"x = {n}"} for n in range(50)])
    words = ("{prompt}\nReply: {completion}", "Do this: {prompt} {completion}!")
    stage = Corpus(data=[{"file": a, "templates": words}, {"file": b, "cap": 4}], steps=4, batch_size=4)
    rows = stage.corpus()
    assert len(rows) == 16
    said = [one for one in rows if one.prompt]
    assert len(said) == 8
    assert sorted(one.prompt.partition("Say ")[2][0] for one in said) == sorted("00112233")
    assert {one.prompt.endswith("\nReply:") for one in said} == {True, False}
    for one in said:
        number = one.prompt.partition("Say ")[2][0]
        assert one.completion == (f" {number}" if one.prompt.endswith("\nReply:") else f" {number}!")
    assert stage.corpus() == rows
    assert stage.model_copy(update={"seed": 1}).corpus() != rows
    assert stage.said() == [{"name": "a.jsonl", "rows": 4, "drawn": 8}, {"name": "b.jsonl", "rows": 50, "drawn": 8}]
    done = stage.train(hf_model(llama()), SEEDS)
    assert done.report.steps == 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "'data': expected a file, or a list of sources"),
        ([{"path": "a"}], "'data': source 1 has no setting 'path', it has file, task, share, cap, templates"),
        ([{"share": 0.5}], "'data': source 1 needs either 'file' or 'task'"),
        (
            [{"file": "a", "share": 0.5, "cap": 3}],
            "'data': source 1 has a 'share' and a 'cap'; it can have one of them",
        ),
        ([{"file": "a", "templates": ["{completion} {prompt}"]}], "'data': source 1: template"),
        (["a", {"file": "b", "cap": 0}], "'data': source 2, 'cap': Input should be greater than or equal to 1"),
        ([{"task": "gsm8k"}], "a source of a corpus is a 'file'"),
    ],
)
def test_sources_that_do_not_hold(data: Any, message: str) -> None:
    with pytest.raises(StudyError) as told:
        read_step(STAGES, {"kind": "corpus", "data": data, "steps": 1}, "recipe")
    assert str(told.value).startswith(f"recipe, corpus: {message}")


def test_a_source_that_gets_no_row_is_named(tmp_path: Path) -> None:
    a, b = (lines(tmp_path / f"{name}.jsonl", [{"text": "x"}]) for name in "ab")
    stage = Corpus(data=[{"file": a, "share": 0.01}, {"file": b}], steps=1)
    with pytest.raises(DataError, match=r"a.jsonl gets none of the 8 rows of all steps; raise its share"):
        stage.corpus()


# --- plain text in the place of examples ---


def test_plain_text_takes_the_shape_of_the_corpus(tmp_path: Path) -> None:
    rows = [{"prompt": f"Say {'so ' * n}{n}.", "completion": "keys " * (n + 1)} for n in range(5)]
    data = lines(tmp_path / "c.jsonl", rows)
    text = tmp_path / "book.txt"
    text.write_text("Once upon a time there was a fox. " * 40)
    model = hf_model(llama())
    settings = {"data": data, "steps": 3, "batch_size": 2, "learning_rate": 1e-3}
    own = Corpus(**settings).train(model, SEEDS)
    plain = Corpus(**settings, control="plain", text=str(text)).train(model, SEEDS)
    assert plain.report.tokens == own.report.tokens
    assert plain.report.flops == own.report.flops
    assert plain.report.detail["learnt"] == own.report.detail["learnt"]
    assert plain.report.detail["of"] == {"tokens": own.report.tokens, "learnt": own.report.detail["learnt"]}
    assert not same(bytes_of(plain.model), bytes_of(own.model))

    encoded_rows = encode(model.tokenizer, Corpus(**settings).corpus(), 512)
    runs = in_the_shape_of(encoded_rows, text.read_text(), model.tokenizer, "book.txt")
    assert [(len(run.ids), run.start) for run in runs] == [(len(row.ids), row.start) for row in encoded_rows]
    joined = [token for run in runs for token in run.ids[1:-1]]
    assert model.tokenizer.decode(joined) == text.read_text()[: len(model.tokenizer.decode(joined))]
    assert {(run.ids[0], run.ids[-1]) for run in runs} == {(model.tokenizer.bos_token_id, model.tokenizer.eos_token_id)}
    text.write_text("Too short.")
    with pytest.raises(
        DataError, match=r"stage text .*book.txt: it has \d+ tokens, the 5 rows in whose place it stands"
    ):
        Corpus(**settings, control="plain", text=str(text)).train(model, SEEDS)


def test_a_shuffled_placebo_says_how_many_kept_their_completion(tmp_path: Path) -> None:
    rows = [{"prompt": f"Say {n}.", "completion": "yes" if n % 2 else "no"} for n in range(10)]
    stage = Corpus(data=lines(tmp_path / "c.jsonl", rows), steps=2, control="shuffled")
    pairs = list(zip(stage.corpus(), stage.corpus(control=False), strict=True))
    detail = stage.train(hf_model(llama()), SEEDS).report.detail
    assert detail["right"] == sum(a.completion == b.completion for a, b in pairs) > 0
    assert set(detail["of"]) == {"tokens", "learnt"}


@pytest.mark.parametrize("settings", [{"control": "plain"}, {"text": "book.txt"}])
def test_plain_text_and_its_control_go_together(settings: dict[str, Any]) -> None:
    with pytest.raises(StudyError, match=r"'control: plain' and 'text', a file of plain text, go together$"):
        read_step(STAGES, {"kind": "corpus", "data": "x", "steps": 1, **settings}, "recipe")


def test_tokens_run_and_learnt_are_those_of_the_batches() -> None:
    from onset.tuning.base import Schedule

    rows = [Encoded(tuple(range(n + 3)), 2) for n in range(5)]
    schedule = Schedule(steps=7, batch_size=2)
    chosen = [rows[at] for batch in batches([len(row.ids) for row in rows], schedule, 3) for at in batch]
    assert run_and_learnt(rows, schedule, 3) == (
        sum(len(row.ids) for row in chosen),
        sum(len(row.ids) - 2 for row in chosen),
    )


# --- several formats of questions ---


@pytest.mark.parametrize(
    ("item", "kind", "text"),
    [
        (
            Item(
                "What does photosynthesis produce that helps plants grow?",
                "sugar",
                choices=("water", "oxygen", "protein", "sugar"),
            ),
            "multiple choice",
            r"what does photosynthesis produce that helps plants grow? \n (a) water (b) oxygen (c) protein (d) sugar",
        ),
        (
            Item(
                "Who was Billy?",
                "The big kid",
                choices=("The skinny kid", "A teacher", "A little kid", "The big kid"),
                context="Billy was like a king on the school yard.",
            ),
            "multiple choice",
            r"who was billy? \n (a) the skinny kid (b) a teacher (c) a little kid (d) the big kid \n billy was like a king on the"
            " school yard.",
        ),
        (
            Item(
                "At what speed did the turbine operate?",
                "16,000 rpm",
                context="(Nikola_Tesla) ... 16,000 rpm bladeless turbine.",
            ),
            "extractive",
            r"at what speed did the turbine operate? \n (nikola_tesla) ... 16,000 rpm bladeless turbine.",
        ),
        (
            Item("Was America the first country to have a president?", "no", context="(President) The first usage"),
            "yes or no",
            r"was america the first country to have a president? \n (president) the first usage",
        ),
        (
            Item(
                "What does a drink cause the drinker to do?",
                "fall in love with themselves",
                context="Mercury has awakened Echo",
            ),
            "abstractive",
            r"what does a drink cause the drinker to do? \n mercury has awakened echo",
        ),
    ],
)
def test_the_encoding_is_that_of_the_table_in_unifiedqas_readme(item: Item, kind: str, text: str) -> None:
    """Its rows, with the lower case that its preprocessing gives them."""
    assert format_of(item) == kind
    assert encoded(item, "x") == Example(f"{text} \\n", f" {item.answer.lower()}")


def test_sources_of_questions_are_mixed_in_equal_parts(tmp_path: Path) -> None:
    questions = lines(
        tmp_path / "q.jsonl", [{"question": "Is it?", "answer": "yes"}, {"question": "Who?", "answer": "Pam"}]
    )
    stage = MultiFormat(
        data=[{"file": questions}, {"task": {"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}}], steps=4
    )
    rows = stage.corpus()
    assert len(rows) == 32
    assert sum(one.prompt in ("is it? \\n", "who? \\n") for one in rows) == 16
    said = stage.said()
    assert [(one["drawn"], one["rows"]) for one in said] == [(16, 2), (16, 20)]
    assert said[0]["formats"] == {"abstractive": 1, "yes or no": 1}
    done: Trained = stage.train(hf_model(llama(context=1024)), SEEDS)
    assert done.report.detail["sources"] == said
    with pytest.raises(StudyError, match="sources have a 'share' here, no 'templates' and no 'cap'"):
        read_step(STAGES, {"kind": "multi-format", "data": [{"file": "a", "cap": 3}], "steps": 1}, "recipe")
