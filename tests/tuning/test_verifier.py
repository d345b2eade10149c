"""A verifier holds what tuned models hold, and its scores and loss are those of plain torch and transformers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import gemma3, gpt2, gpt_neox, llama, qwen2  # noqa: E402
from scipy.stats import mannwhitneyu  # noqa: E402
from torch.nn.functional import mse_loss  # noqa: E402
from tuner_conformance import COLOURS, EXAMPLES, SEEDS, SHORT, bytes_of, hf_model, logits, same  # noqa: E402

from onset.errors import ModelError  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.tuning import TUNERS, tuner, verifier  # noqa: E402
from onset.tuning.base import Example, Schedule, Seeds, Tuning  # noqa: E402
from onset.tuning.checkpoint import Checkpoint  # noqa: E402
from onset.tuning.loop import encode, encode_one  # noqa: E402
from onset.tuning.shapes import Shapes  # noqa: E402
from onset.tuning.verifier import Lessons, Solution, Verifier, VerifierReport  # noqa: E402

SOLUTIONS = [
    *(Solution(one, right=True) for one in EXAMPLES),
    *(Solution(replace(one, completion=f" So {one.completion} The answer is Ray."), right=False) for one in EXAMPLES),
]
LESSONS = Lessons(SOLUTIONS, EXAMPLES)
STILL = Schedule(steps=1, batch_size=len(SOLUTIONS), learning_rate=1e-37)
"""One step of all solutions, too small to move anything."""
WAYS: list[Any] = [*sorted(TUNERS), {"kind": "prefix-tuning", "tokens": 4, "begin": "random", "projection": 6}]
BUILDS: dict[str, Callable[[], Any]] = {"llama": llama, "gemma3": gemma3, "gpt2": gpt2, "gpt_neox": gpt_neox}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def learn(
    method: Tuning,
    base: HFModel,
    generator: Path,
    lessons: Lessons = LESSONS,
    seeds: Seeds = SEEDS,
    schedule: Schedule = SHORT,
    **more: Any,
) -> tuple[Verifier, VerifierReport]:
    return verifier.train(base, method.further(base, generator), lessons, seeds, schedule, method.flops, **more)


def generator_of(method: Tuning, base: HFModel, folder: Path) -> HFModel:
    tuned, _ = method.tune(base, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, folder)
    return tuned


def rated(one: Verifier) -> Any:
    return [one.rate(EXAMPLES[0].prompt, [solution.example.completion for solution in SOLUTIONS])]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: tuner(way).label())
def test_conformance(way: Any, tmp_path: Path) -> None:
    method, base = tuner(way), hf_model(qwen2() if way == "bitfit" else llama())
    generator = generator_of(method, base, tmp_path / "g")
    before, spoken = bytes_of(base), bytes_of(generator)
    made, report = learn(method, base, tmp_path / "g")

    # base and generator are what they were to the bit; the verifier is another model on the same frozen weights
    assert same(bytes_of(base), before)
    assert same(bytes_of(generator), spoken)
    assert not torch.equal(logits(made.model), logits(generator))
    assert not any(weight.requires_grad for weight in made.judge.parameters())
    own = {name.replace(".base_layer.", "."): weight for name, weight in bytes_of(made.model).items()}
    if method.keep:
        kept = sum(weight.numel() for weight in method.further(base, tmp_path / "g").weights.values())
        changed = [name for name in before if not torch.equal(before[name], own[name])]
        assert sum(before[name].numel() for name in changed) in (0, kept)
    else:
        kept = method.trained(Shapes.of(base.module))
    assert report.trained_params == kept + 32 + 2
    if "projection" not in (way if isinstance(way, dict) else {}):
        assert kept == method.trained(Shapes.of(base.module))

    # the report: an epoch of all solutions, as many worked examples beside them, FLOPs by the rule
    whole = learn(method, base, tmp_path / "g", schedule=replace(SHORT, batch_size=len(SOLUTIONS)))[1]
    rows = encode(base.tokenizer, [*(one.example for one in SOLUTIONS), *EXAMPLES], 512)
    assert (report.steps, whole.steps) == (3, 1)
    assert whole.tokens == sum(len(row.ids) + method.own_tokens for row in rows) - len(SOLUTIONS)  # they have no end
    assert whole.flops == method.flops * base.facts.known("params_compute") * whole.tokens
    assert (report.solutions, report.right, report.left_out) == (12, 6, 0)

    # the same seeds, the same bits; written and read back, the same scores
    torch.rand(3)
    again, report_again = learn(method, base, tmp_path / "g")
    assert (again.revision, report_again) == (made.revision, report)
    assert learn(method, base, tmp_path / "g", seeds=Seeds(7, 8, 9))[0].revision != made.revision
    verifier.save(made, method, tmp_path / "v")
    loaded = verifier.load(base, method, tmp_path / "v")
    assert (loaded.revision, rated(loaded)) == (made.revision, rated(made))


def plainly(one: Verifier, prompt: str, text: str) -> float:
    """The score by transformers alone: the last hidden state of the whole text, run by itself."""
    row = encode_one(one.model.tokenizer, Example(prompt, text))
    ids = torch.tensor([[*one.model.virtual.ids, *row.ids[:-1]]])
    with torch.no_grad():
        hidden = one.model.module(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states[-1]
    head = one.judge
    return float(torch.dot(hidden[0, -1], head.reserved) * head.gain + head.bias)


@pytest.mark.parametrize("kind", BUILDS)
@pytest.mark.parametrize("way", ["lora", "prefix-tuning", "prompt-tuning"])
def test_scores_are_those_of_the_whole_text_run_alone(way: str, kind: str, tmp_path: Path) -> None:
    """What texts share is run once, and shorter ones are padded."""
    method, base = tuner(way), hf_model(BUILDS[kind](), bos=kind == "gemma3")
    generator_of(method, base, tmp_path / "g")
    made, _ = learn(method, base, tmp_path / "g")
    prompt = EXAMPLES[3].prompt
    texts = [" The answer is 10.", " Pam has 17 - 7 = 10. The answer is 10.", " Yes", "", " The answer is 10."]
    found = made.rate(prompt, texts)
    assert found.scores == pytest.approx([plainly(made, prompt, text) for text in texts], abs=2e-4)
    assert found.scores[0] == found.scores[4]
    assert len(set(found.scores)) == 4
    rows = [encode_one(base.tokenizer, Example(prompt, text)) for text in texts]
    lengths = [len(row.ids) - 1 + len(made.model.virtual.ids) for row in rows]
    shared = (sum(lengths) - found.tokens) // len(texts)
    assert found.read == shared - made.model.virtual.given >= base.count_tokens(prompt) - 1


def test_the_joint_loss_is_that_of_torch_and_transformers(tmp_path: Path) -> None:
    method, base = tuner("lora"), hf_model(llama())
    generator = generator_of(method, base, tmp_path / "g")
    _, report = learn(method, base, tmp_path / "g", schedule=STILL)
    _, alone = learn(method, base, tmp_path / "g", Lessons(SOLUTIONS), schedule=STILL)
    judge = verifier.Judge(generator.module, SEEDS.init)
    values, aims, words, counts = [], [], [], []
    for one, right in [*((each.example, each.right) for each in SOLUTIONS), *((each, None) for each in EXAMPLES)]:
        (row,) = encode(base.tokenizer, [one], 512)
        ids = torch.tensor([row.ids])
        labels = ids.clone()
        labels[0, : row.start] = -100
        with torch.no_grad():
            out = generator.module(input_ids=ids, labels=labels, output_hidden_states=True, use_cache=False)
            if right is None:
                words.append(out.loss)
                counts.append(len(row.ids) - row.start)
            else:
                values.append(judge.scores(out.hidden_states[-1][0, row.start : -1]))
                aims.append(torch.full_like(values[-1], float(right)))
    error = mse_loss(torch.cat(values), torch.cat(aims)).item()
    language = sum(loss.item() * count for loss, count in zip(words, counts, strict=True)) / sum(counts)
    assert report.first_error == report.last_error == pytest.approx(error, rel=1e-4)
    assert report.first_loss == pytest.approx(error + language, rel=1e-4)
    assert alone.first_loss == pytest.approx(error, rel=1e-4)


def test_it_learns_to_tell_right_from_wrong_on_questions_that_it_has_not_seen(tmp_path: Path) -> None:
    """By the rank-sum test's statistic, which is the area under the curve."""
    draw = random.Random(5)
    method, base = tuner("lora"), hf_model(llama())
    generator_of(method, base, tmp_path / "g")

    def drawn(count: int) -> list[Solution]:
        """Right where the answer is a number."""
        found = []
        for _ in range(count):
            right, shown = draw.random() < 0.5, draw.choice(COLOURS)
            said = draw.choice(("10", "17", "7") if right else ("blue", "Ray", "keys"))
            prompt = f"Question: How many {shown}? {draw.randrange(100)}\nAnswer:"
            found.append(Solution(Example(prompt, f" {said}."), right))
        return found

    schedule = Schedule(batch_size=8, learning_rate=1e-2)
    made, report = learn(method, base, tmp_path / "g", Lessons(drawn(160), epochs=6), schedule=schedule)
    assert report.last_error < report.first_error / 2
    new = drawn(60)
    scores = [made.rate(one.example.prompt, [one.example.completion]).scores[0] for one in new]
    right, wrong = (
        [score for score, one in zip(scores, new, strict=True) if one.right is side] for side in (True, False)
    )
    assert mannwhitneyu(right, wrong).statistic / (len(right) * len(wrong)) > 0.9


class Killed(BaseException):
    """Nothing that training catches."""


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    method, base = tuner("lora"), hf_model(llama())
    generator_of(method, base, tmp_path / "g")
    schedule, path, steps = replace(SHORT, batch_size=2), tmp_path / "c", list[int]()
    whole, report = learn(method, base, tmp_path / "g", schedule=schedule)

    def stop(done: int, _: int) -> None:
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        learn(method, base, tmp_path / "g", schedule=schedule, progress=stop, checkpoint=Checkpoint(path, every=0))
    again, report_again = learn(
        method,
        base,
        tmp_path / "g",
        schedule=schedule,
        progress=lambda done, _: steps.append(done),
        checkpoint=Checkpoint(path, every=0),
    )
    assert steps == [5, 6]
    assert (again.revision, report_again) == (whole.revision, report)
    notes: list[str] = []
    other = Lessons([replace(one, right=not one.right) for one in SOLUTIONS], EXAMPLES)
    learn(
        method, base, tmp_path / "g", other, schedule=schedule, checkpoint=Checkpoint(path, note=notes.append, every=0)
    )
    assert "is of another run (another examples)" in notes[0]


def test_solutions_of_one_kind_teach_a_constant(tmp_path: Path) -> None:
    method, base = tuner("lora"), hf_model(llama())
    generator_of(method, base, tmp_path / "g")
    lessons = Lessons([replace(one, right=False) for one in SOLUTIONS], EXAMPLES)
    made, report = learn(method, base, tmp_path / "g", lessons)
    assert (report.right, report.solutions) == (0, 12)
    assert None not in made.rate(EXAMPLES[0].prompt, [" Yes.", " No."]).scores


def test_what_does_not_fit_is_left_out_and_counted_and_has_no_score(tmp_path: Path) -> None:
    method, base = tuner("lora"), hf_model(llama(context=96))
    examples = [one for one in EXAMPLES if base.count_tokens(one.prompt + one.completion) < 60]
    method.save(method.tune(base, examples, SEEDS, SHORT)[0], tmp_path / "g")
    long = Solution(Example(examples[0].prompt, " keys" * 200), right=False)
    short = [Solution(one, right=True) for one in examples]
    made, report = learn(method, base, tmp_path / "g", Lessons([*short, long], examples))
    assert (report.solutions, report.left_out) == (len(short) + 1, 1)
    found = made.rate(examples[0].prompt, [" 10.", long.example.completion])
    assert (found.scores[0] is None, found.scores[1]) == (False, None)
    with pytest.raises(ModelError) as caught:
        learn(method, base, tmp_path / "g", Lessons([long], examples))
    assert str(caught.value) == ("a verifier of tiny has nothing to learn from: none of 1 solutions fits 96 tokens")


def test_weights_of_fewer_bits_are_trained_in_float32(tmp_path: Path) -> None:
    for way, build in (("full", llama), ("bitfit", gpt2)):
        method, base = tuner(way), hf_model(build().to(torch.bfloat16))
        generator_of(method, base, tmp_path / way)
        schedule = Schedule(batch_size=2, learning_rate=2e-3)
        made, report = learn(method, base, tmp_path / way, replace(LESSONS, epochs=6), schedule=schedule)
        assert report.last_error < report.first_error
        assert {weight.dtype for weight in made.model.module.parameters()} == {torch.bfloat16}
        verifier.save(made, method, tmp_path / f"{way}-v")
        assert rated(verifier.load(base, method, tmp_path / f"{way}-v")) == rated(made)
