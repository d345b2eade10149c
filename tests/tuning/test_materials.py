"""What is trained on: texts, ledger, what the base model is asked first, and how the tuned model is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from models_fixtures import gemma3, llama, qwen2  # noqa: E402
from tuner_conformance import SEEDS, SHORT, bytes_of, hf_model, same  # noqa: E402

from onset.analysis.phrases.figures import FIGURES  # noqa: E402
from onset.answers import NumberFormat  # noqa: E402
from onset.errors import DataError, ModelError, StoreError  # noqa: E402
from onset.methods import method  # noqa: E402
from onset.models.base import Model  # noqa: E402
from onset.models.chat import ChatTemplate  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel  # noqa: E402
from onset.plan import ExamplePlan, check_ledger  # noqa: E402
from onset.prompting.text import STOP, end_rule, render  # noqa: E402
from onset.records import Item, Request, content_hash  # noqa: E402
from onset.results.folder import Store  # noqa: E402
from onset.results.tuned import TunedFolder  # noqa: E402
from onset.study import making  # noqa: E402
from onset.study.observer import Silent  # noqa: E402
from onset.tasks.base import Task  # noqa: E402
from onset.tuning import MATERIALS, TUNERS, material, tuner  # noqa: E402
from onset.tuning.base import Example, Schedule, TuningReport  # noqa: E402
from onset.tuning.checkpoint import Checkpoint  # noqa: E402
from onset.tuning.loop import Encoded, completion_loss, encode, encode_one  # noqa: E402
from onset.tuning.materials import kept as kept_samples  # noqa: E402
from onset.tuning.materials.base import Given, Texts  # noqa: E402
from onset.tuning.materials.kept import Kept  # noqa: E402
from onset.tuning.target import target_of  # noqa: E402

POOL = tuple(
    Item(f"Ray owns {n} keys. Pam has {n + 2} more.", f"{n + n + 2}", rationale=f"{n} + {n + 2} = {n + n + 2}.")
    for n in range(2, 7)
)
TASK = Task(
    "keys",
    "arithmetic",
    POOL,
    (Item("How many?", "1"),),
    NumberFormat(),
    0.0,
    "made",
    answer_tokens=12,
    rationale_tokens=24,
)
SETTINGS: dict[str, dict[str, Any]] = {
    "few-shot": {"shots": 2, "draws": 2},
    "distilled": {"shots": 2, "samples": 3},
    "self-improvement": {"shots": 2, "samples": 3},
}
"""For the few examples here."""
PATHS = [" 5 + 5 = 10. The answer is 10.", " 7. The answer is 7.", " So 10. The answer is 10."]


def given(
    model: Model | None = None, examples: tuple[Item, ...] = POOL, seed: int = 0, chat: ChatTemplate | None = None
) -> Given:
    return Given(model or ScriptedModel({"": PATHS}), TASK, examples, chat, seed)


def small(name: str, **more: Any) -> Any:
    return material({"kind": name, **SETTINGS.get(name, {}), **more})


def saying(module: Any, *texts: str) -> HFModel:
    """A real module that is said to have written ``texts`` when it is asked."""
    model = hf_model(module, bos=False)
    model.generate = ScriptedModel({"": texts}).generate  # type: ignore[method-assign]
    return model


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_says_what_it_is(name: str) -> None:
    what = small(name)
    assert what.kind == name
    assert what.words in FIGURES
    assert what.source
    assert what.facts()["uses"]
    made = method(tune="lora", on={"kind": name, **SETTINGS.get(name, {})})
    assert (made.prompt.spec(), made.shots) == (what.asked, what.shown)
    check_ledger(what.ledger(POOL), ExamplePlan("keys", 0, POOL), len(POOL))


def test_answers_and_rationales_are_the_texts_that_are_asked() -> None:
    question = "Question: Ray owns 2 keys. Pam has 4 more.\nAnswer:"
    assert material("answers").make(given()).examples[0] == Example(question, " The answer is 6.")
    steps = material("rationales").make(given())
    assert steps.examples[0] == Example(question, " 2 + 4 = 6. The answer is 6.")
    assert (len(steps.examples), steps.tokens, steps.rows) == (len(POOL), 0, ())


# ------------------------------------------------------------------------------------------ prompts with demonstrations


@pytest.mark.parametrize("of", ["answers", "rationales"])
def test_few_shot_prompts_hold_other_examples(of: str) -> None:
    what = small("few-shot", of=of, draws=6)
    texts = what.make(given()).examples
    assert len(texts) == 6 * len(POOL)
    bare = {render(TASK, (), one, rationale=True): one for one in POOL}
    for one, item in zip(texts, POOL * 6, strict=True):
        *shown, asked = one.prompt.split("\n\n")
        assert bare[asked] == item
        assert one.completion == (f" {item.rationale}" if of == "rationales" else "") + f" The answer is {item.answer}."
        questions = [text.splitlines()[0] for text in shown]
        assert len(set(questions)) == 2
        assert asked.splitlines()[0] not in questions
        assert all((" = " in text) == (of == "rationales") for text in shown)
    assert len({one.prompt for one in texts if one.prompt.endswith(render(TASK, (), POOL[0], rationale=True))}) > 3
    assert what.make(given()).examples == texts != what.make(given(seed=1)).examples
    tuned = method(tune="lora", on=what.spec())
    assert (tuned.prompt.kind, tuned.shots) == ("cot" if of == "rationales" else "answer-only", 2)


# ------------------------------------------------------------------------------------------ asked of the base model


WORKED = (
    "Question: Ray owns 2 keys. Pam has 4 more.\nAnswer: 2 + 4 = 6. The answer is 6.\n\n",
    "Question: Ray owns 2 keys. Pam has 4 more.\nAnswer: The answer is 6.\n\n",
    "Question: Ray owns 3 keys. Pam has 5 more.\nAnswer:",
)
"""A demonstration with steps and without, and a question."""


def test_self_improvement_by_hand() -> None:
    """Three samples, of which two say 10: the example of the module's first lines, in the paper's four formats."""
    what = material({"kind": "self-improvement", "shots": 1, "samples": 3})
    made = what.make(given(examples=POOL[:2]))
    shown, direct, question = WORKED
    first = [
        Example(shown + question, " 5 + 5 = 10. The answer is 10."),
        Example(direct + question, " The answer is 10."),
        Example(f"{question} Let's think step by step.", " 5 + 5 = 10. The answer is 10."),
        Example(question, " The answer is 10."),
    ]
    second = [
        replace(one, completion=" So 10. The answer is 10.") if one.completion.startswith(" 5") else one
        for one in first
    ]
    assert list(made.examples) == first + second
    (row,) = made.rows
    assert (row["answer"], row["agreeing"], row["samples"], row["answers"]) == ("10", 2, 3, {"10": 2, "7": 1})
    assert row["prompt"] == shown + question
    assert row["paths"] == [{"text": PATHS[0], "count": 1}, {"text": PATHS[2], "count": 1}]
    assert row["left_out"] == [{"text": PATHS[1], "answer": "7", "status": "ok"}]
    words = len(re.findall(r"\S+", shown + question)) + sum(len(one.split()) for one in PATHS)
    assert made.tokens == words + 3 * 1  # and the word that shows that a text has ended, or its end, once a sample


def test_a_question_without_an_answer_is_left_out_and_said() -> None:
    silent = {"owns 4": " I do not know", "owns 5": PATHS, "owns 6": PATHS}
    made = small("self-improvement").make(given(ScriptedModel(silent)))
    assert [(row["answer"], row["agreeing"]) for row in made.rows] == [(None, 0), ("10", 2), ("10", 2)]
    assert len(made.examples) == 4 * 4
    assert [one["status"] for one in made.rows[0]["left_out"]] == ["none"] * 3
    message = (
        "'on: self-improvement': none of 3 samples for each of 3 questions has an answer that can be read, nothing is"
        " left to tune on (first: ' I do not know')"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        small("self-improvement").make(given(ScriptedModel({}, default=" I do not know")))


def test_self_improvement_is_asked_as_in_the_paper_or_without_demonstrations() -> None:
    few, none = (method(tune="lora", on={"kind": "self-improvement", "zero_shot": one}) for one in (False, True))
    assert (few.prompt.kind, few.shots, few.rationales) == ("cot", 8, True)
    assert none.prompt.spec() == {"kind": "zero-shot-cot", "announced": True}
    assert (none.shots, none.rationales) == (0, True)


@pytest.mark.parametrize("name", ["distilled", "self-improvement"])
def test_labels_beyond_the_demonstrations_are_not_looked_at(name: str) -> None:
    what = small(name, of="rationales") if name == "distilled" else small(name)
    others = tuple(replace(one, answer="0", rationale=None) for one in POOL[2:])
    asked: list[tuple[Any, ...]] = []

    def texts(examples: tuple[Item, ...]) -> Texts:
        model = saying(llama(), *PATHS)
        answers = model.generate

        def noting(requests: Any) -> Any:
            asked.append(tuple(requests))
            return answers(requests)

        model.generate = noting  # type: ignore[method-assign]
        return what.make(given(model, examples))  # type: ignore[no-any-return]

    told, untold = (texts(examples) for examples in (POOL, POOL[:2] + others))
    assert asked[0] == asked[1]
    assert [(one.prompt, one.completion) for one in told.examples] == [
        (one.prompt, one.completion) for one in untold.examples
    ]
    ledger = {line.use: line for line in what.ledger(POOL)}
    assert ledger["demonstration"].ids == tuple(one.id for one in POOL[:2])
    assert (ledger["demonstration"].rationales, ledger["question"].rationales) == (True, False)
    assert ledger["question"].ids == tuple(one.id for one in POOL[2:])


def test_other_seeds_draw_other_samples() -> None:
    asked: list[int] = []

    class Seen(ScriptedModel):
        def generate(self, requests: Any) -> Any:
            asked.extend(one.seed for one in requests)
            return super().generate(requests)

    for seed in (0, 0, 1):
        small("self-improvement").make(given(Seen({"": PATHS}), seed=seed))
    assert asked[:3] == asked[3:6]
    assert len(set(asked)) == 6


@pytest.mark.parametrize("name", ["distilled", "self-improvement"])
def test_prompts_that_do_not_fit_are_one_line(name: str) -> None:
    model = ScriptedModel({"": PATHS}, facts=replace(MADE_UP_FACTS, context=40))
    tokens = {"distilled": 12, "self-improvement": 24}[name]
    message = (
        f"'on: {name}': 3 of 3 questions after 2 demonstrations leave no room for {tokens} tokens in the context of model"
        " 'scripted' (40 tokens); lower 'shots'"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        small(name).make(given(model))


@pytest.mark.parametrize(
    ("spec", "labels", "told"),
    [
        ({"kind": "few-shot", "shots": 4}, 4, "received 4"),
        ({"kind": "few-shot", "shots": 2, "of": "rationales"}, 5, "received 5 (2 with a rationale)"),
        ({"kind": "distilled", "shots": 4}, 3, "received 3"),
        ({"kind": "distilled", "shots": 3, "of": "rationales"}, 5, "received 5 (2 with a rationale)"),
        ({"kind": "self-improvement", "shots": 2}, 2, "received 2 (2 with a rationale)"),
    ],
    ids=str,
)  # fmt: skip
def test_too_few_examples_are_one_line(spec: dict[str, Any], labels: int, told: str) -> None:
    task = replace(TASK, pool=POOL[:2] + tuple(replace(one, rationale=None) for one in POOL[2:]))
    what = material(spec)
    message = (
        f"task keys: 'on: {spec['kind']}' with {spec['shots']} demonstrations needs {spec['shots'] + 1} labelled examples"
        f" or more, {told}; lower 'shots' or raise 'labels'"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        what.check(task, labels)
    material({**spec, "shots": 1}).check(task, 5)


# ------------------------------------------------------------------------------------------ distributions as the target


TEXTS = [" The answer is 10.", " The answer is 7.", ""]


def plain_logprobs(module: Any, prompt: Encoded) -> Any:
    """What transformers says at the completion tokens, [tokens, vocabulary]."""
    with torch.no_grad():
        logits = module(torch.tensor([prompt.ids])).logits[0]
    return torch.log_softmax(logits[prompt.start - 1 : -1].double(), -1)


def test_the_loss_is_the_divergence_of_transformers_distributions() -> None:
    model = saying(llama(), *TEXTS)
    made = small("distilled").make(given(model))
    rows = encode(model.tokenizer, made.examples, 512)
    student = llama(tied=True).eval()
    expected, taught = 0.0, 0
    for row, text in zip(rows, made.examples, strict=True):
        demos = render(TASK, POOL[:2], POOL[2], rationale=False).removesuffix(
            render(TASK, (), POOL[2], rationale=False)
        )
        teacher = encode_one(model.tokenizer, Example(demos + text.prompt, text.completion))
        p, q = plain_logprobs(model.module, teacher), plain_logprobs(student, row)
        assert p.shape == q.shape == (len(row.ids) - row.start, 340)
        expected += float((p.exp() * (p - q)).sum())
        taught += len(teacher.ids)
    assert expected > 1
    assert completion_loss(student, rows, 0).item() == pytest.approx(expected, rel=1e-4)
    sampled = [done for row in made.rows for done in ScriptedModel({"": TEXTS}).generate([_asked(row["prompt"])])]
    assert made.tokens == taught + sum(one[0].prompt_tokens + sum(each.tokens for each in one) for one in sampled)
    assert all(row["samples"] == [{"text": text, "count": 1} for text in TEXTS] for row in made.rows)


def _asked(prompt: str) -> Request:
    return Request(prompt, max_tokens=12, n=3, temperature=1.0, stop=STOP, until=end_rule(TASK, POOL[0]))


def test_a_teacher_that_reads_the_same_prompt_leaves_nothing_to_learn() -> None:
    model = hf_model(llama(), bos=False)
    shown = [Example(render(TASK, (), one, rationale=False), text) for one in POOL for text in TEXTS]
    rows = encode(model.tokenizer, [replace(one, target=target_of(model, one)) for one in shown], 512)
    module = llama().requires_grad_(True)
    loss = completion_loss(module, rows, 0)
    loss.backward()
    largest = max(float(weight.grad.abs().max()) for weight in module.parameters())
    assert abs(loss.item()) < 1e-4
    assert largest < 1e-4
    module.zero_grad()
    completion_loss(module, [replace(one, target=None) for one in rows], 0).backward()
    assert max(float(weight.grad.abs().max()) for weight in module.parameters()) > 0.1


def test_a_target_keeps_states_where_the_head_is_the_last_thing_and_logits_elsewhere() -> None:
    example = Example(WORKED[2], " The answer is 10.")
    for module, kept in ((llama(), True), (qwen2(), True), (gemma3(), True), (_capped(), False)):
        model = hf_model(module, bos=False)
        target = target_of(model, example)
        assert (target.head is not None) == kept
        row = encode_one(model.tokenizer, example)
        assert target.ran == len(row.ids)
        torch.testing.assert_close(target.logprobs().double(), plain_logprobs(model.module, row), atol=1e-5, rtol=0)


def _capped() -> Any:
    """A model that squashes its logits after its head."""
    module = gemma3()
    module.config.final_logit_softcapping = 0.5
    return module


def test_a_target_of_other_tokens_is_refused() -> None:
    model = hf_model(llama(), bos=False)
    target = target_of(model, Example("Ray", " The answer is 10."))
    with pytest.raises(ModelError, match=r"^a text to distil has other tokens after another prompt: ' 7\.'$"):
        encode(model.tokenizer, [Example("Ray", " 7.", target=target)], 512)


# ------------------------------------------------------------------------------------------ every way of tuning on each


@pytest.mark.parametrize("name", MATERIALS)
@pytest.mark.parametrize("way", TUNERS)
def test_every_tuner_learns_every_material(way: str, name: str) -> None:
    """The same seed gives the same texts, targets and weights; the base stays as it was; the loss falls."""
    model, how = saying(qwen2(), *PATHS), tuner(way)
    before = bytes_of(model)
    schedule = Schedule(steps=4, batch_size=32, learning_rate=5e-3)  # a batch is all texts
    made = [small(name).make(given(model)) for _ in range(2)]
    assert [_said(one) for one in made[0].examples] == [_said(one) for one in made[1].examples]
    assert (made[0].tokens, made[0].rows) == (made[1].tokens, made[1].rows)
    (tuned, report), (again, _) = (how.tune(model, one.examples, SEEDS, schedule) for one in made)
    assert same(bytes_of(model), before)
    assert same(bytes_of(tuned), bytes_of(again))
    assert tuned.facts.revision != model.facts.revision
    assert report.last_loss < report.first_loss
    other, _ = how.tune(model, small(name).make(given(model, seed=5)).examples, replace(SEEDS, order=9), SHORT)
    assert other.facts.revision != tuned.facts.revision


def _said(one: Example) -> tuple[Any, ...]:
    return one.prompt, one.completion, one.end, one.target and one.target.hash


def test_training_towards_distributions_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """With the same targets to the same bits; with others from the beginning."""
    model, how, notes, taken = saying(qwen2(), *PATHS), tuner("lora"), list[str](), list[int]()
    made, path = small("distilled").make(given(model)).examples, tmp_path / "c"
    whole, _ = how.tune(model, made, SEEDS, SHORT)

    def killed(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    def run(examples: Sequence[Example]) -> HFModel:
        taken.clear()
        with pytest.raises(KeyboardInterrupt):
            how.tune(model, made, SEEDS, SHORT, killed, Checkpoint(path, {}, every=0))
        held = Checkpoint(path, {}, notes.append, every=0)
        return how.tune(model, examples, SEEDS, SHORT, lambda done, _: taken.append(done), held)[0]

    assert same(bytes_of(run(made)), bytes_of(whole))
    assert taken == [3]
    path.unlink(missing_ok=True)
    teacher = hf_model(qwen2(), bos=False)
    with torch.no_grad():
        teacher.module.get_output_embeddings().weight.mul_(2.0)
    others = [replace(one, target=target_of(teacher, replace(one, target=None))) for one in made]
    run(others)
    assert taken == [1, 2, 3]
    assert "is of another run (another examples)" in notes[-1]


# ---- kept while they are sampled -----------------------------------------------------------------------------------


class Stopped(ScriptedModel):
    """Stops before it is asked for the chunk number ``at``; ``asked``: how many questions it was asked."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__({"": PATHS})
        self.at, self.chunks, self.asked = at, 0, 0

    def generate(self, requests: Sequence[Request]) -> Any:
        if self.chunks == self.at:
            raise KeyboardInterrupt
        self.chunks += 1
        self.asked += len(requests)
        return super().generate(requests)


@pytest.fixture
def two_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_samples, "ROWS", 6)


def test_sampling_goes_on_where_it_was_killed(two_a_chunk: None, tmp_path: Path) -> None:
    """Five questions of three samples, two questions a chunk: what was written is read and not asked again."""
    what, pool = small("self-improvement", shots=1), (*POOL, replace(POOL[0], question="Ray owns 9. Pam has 1 more."))
    path, notes = tmp_path / "deep" / "s.jsonl", list[str]()

    def make(model: Stopped, identity: str = "a") -> Texts:
        return what.make(replace(given(model, pool), kept=Kept(path, {"base": identity}, notes.append)))

    whole = what.make(given(Stopped(), pool))
    with pytest.raises(KeyboardInterrupt):
        make(Stopped(at=1))
    rest = Stopped()
    assert make(rest) == whole
    assert rest.asked == 3
    assert notes == [f"sampling goes on after 2 of 5 questions, from {path}"]
    # all of it is there now; of another base model nothing is
    known, other = Stopped(), Stopped()
    assert make(known) == whole
    assert known.asked == 0
    assert make(other, "b") == whole
    assert other.asked == 5


@pytest.mark.parametrize("damage", ["cut", "no JSON", "another number", "another text"])
def test_a_chunk_that_is_not_whole_is_asked_again(damage: str, two_a_chunk: None, tmp_path: Path) -> None:
    requests = [Request(f"Say {n}.", 9, n=3, temperature=1.0, seed=n) for n in range(5)]
    path = tmp_path / "s.jsonl"

    def no_time() -> float:
        return 0.0

    whole = Kept(path, {}, clock=no_time).sampled(Stopped(), requests)
    content = path.read_bytes()
    head, first, second, third = content.splitlines(keepends=True)
    broken = {
        "cut": third[:-9],
        "no JSON": b"[\n",
        "another number": b"[[]]\n",
        "another text": third.replace(b'"text": "', b'"text": "!', 1),
    }[damage]
    path.write_bytes(head + first + second + broken)
    rest = Stopped()
    assert Kept(path, {}, clock=no_time).sampled(rest, requests) == whole
    assert rest.asked == 1
    assert path.read_bytes() == content
    # nothing behind a damaged line is taken
    path.write_bytes(head + broken + second + third)
    rest = Stopped()
    assert Kept(path, {}).sampled(rest, requests) == whole
    assert rest.asked == 5


def test_a_chunk_that_two_runs_wrote_is_no_answer_to_the_next_one(two_a_chunk: None, tmp_path: Path) -> None:
    """Machines that share a disk: A stands still, B takes over and samples on, A wakes and writes what B has written."""
    requests = [Request(f"Say {n}.", 9, n=3, temperature=1.0, seed=n) for n in range(5)]
    path, notes = tmp_path / "s.jsonl", list[str]()
    whole = Kept(path, {}).sampled(Stopped(), requests)
    head, first, second, third = path.read_bytes().splitlines(keepends=True)
    for left, known in (
        (first + second + second, 4),
        (first + third, 2),
        (second + first, 0),
        (first + first + second, 2),
    ):
        path.write_bytes(head + left)
        rest = Stopped()
        assert Kept(path, {}, notes.append).sampled(rest, requests) == whole
        assert rest.asked == 5 - known
    assert notes[0] == f"sampling goes on after 4 of 5 questions, from {path}"


def test_lines_of_another_version_that_do_not_say_their_place_are_asked_again(
    two_a_chunk: None, tmp_path: Path
) -> None:
    requests, path = [Request(f"Say {n}.", 9, n=3, temperature=1.0) for n in range(5)], tmp_path / "s.jsonl"
    whole = Kept(path, {}).sampled(Stopped(), requests)
    head, *lines = path.read_bytes().splitlines()
    old = [{key: value for key, value in json.loads(one).items() if key in ("seconds", "samples")} for one in lines]
    path.write_bytes(
        b"\n".join([head, *(json.dumps({**one, "digest": content_hash(one)}).encode() for one in old), b""])
    )
    rest = Stopped()
    assert Kept(path, {}).sampled(rest, requests) == whole
    assert rest.asked == 5


def test_a_run_that_may_write_no_more_keeps_no_samples(two_a_chunk: None, tmp_path: Path) -> None:
    """The folder is taken over while the second chunk is sampled: its answers are not written."""
    requests = [Request(f"Say {n}.", 9, n=3, temperature=1.0) for n in range(5)]

    class TakenOver(Stopped):
        def generate(self, asked: Sequence[Request]) -> Any:
            if self.chunks == 1:
                (tmp_path / "d" / "lease.json").unlink()
            return super().generate(asked)

    with Store(tmp_path / "d") as store:
        held = store.tuned("ab")
        with pytest.raises(StoreError, match="its lease was removed while this run stood still"):
            Kept(held.samples, {}, check=held.check_writer).sampled(TakenOver(), requests)
    assert len((tmp_path / "d" / "tuned" / "ab.samples.jsonl").read_bytes().splitlines()) == 2


def test_what_a_killed_run_took_to_sample_is_told(two_a_chunk: None, tmp_path: Path) -> None:
    """Three chunks at ten seconds: what is read back took as long as it did, what is asked now is timed by who asks."""
    requests, path = [Request(f"Say {n}.", 9, n=3, temperature=1.0) for n in range(5)], tmp_path / "s.jsonl"

    def kept() -> Kept:
        ticks = count(0, 10)
        return Kept(path, {}, clock=lambda: float(next(ticks)))

    killed, rest, again = kept(), kept(), kept()
    with pytest.raises(KeyboardInterrupt):
        killed.sampled(Stopped(at=2), requests)
    assert killed.seconds == 0.0
    rest.sampled(Stopped(), requests)
    assert rest.seconds == 20.0
    again.sampled(Stopped(), requests)
    assert again.seconds == 30.0


def test_sampling_of_a_killed_run_is_in_the_time_of_a_tuning(tmp_path: Path) -> None:
    def train(checkpoint: Checkpoint, _: Any) -> tuple[str, TuningReport]:
        checkpoint.before, checkpoint.seconds = 1000.0, 200.0
        return "model", TuningReport(1, 1, 1.0, 1, 0.0, 0.0)

    held, base = TunedFolder.of(tmp_path / "t"), hf_model(llama())
    making.kept(held, None, train, base, Silent(), lambda *_: None, lambda _: "model", TuningReport)
    seconds, _ = held.took()
    assert seconds is not None
    assert 1200.0 <= seconds < 1300.0


def test_where_samples_cannot_be_kept_sampling_goes_on(two_a_chunk: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    requests, notes = [Request(f"Say {n}.", 9, n=3, temperature=1.0) for n in range(5)], list[str]()
    kept = Kept(tmp_path / "file" / "s.jsonl", {}, notes.append)
    assert len(kept.sampled(Stopped(), requests)) == 5
    (note,) = notes
    assert re.fullmatch(r"samples are not kept in .*s.jsonl \(.+\): sampling goes on", note)
