"""LoRA on a real model and real data: does tuning on 32 labels help?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from conftest import shared

from onset.errors import ModelError
from onset.models import open_model
from onset.models.base import Model
from onset.models.hf import HFModel
from onset.prompting.text import STOP, answer_text, question_block
from onset.records import Item, Pair, Request
from onset.tasks.base import PLAIN
from onset.tuning import tuner
from onset.tuning.base import Example, Schedule, Seeds


def sentences(path: Path, count: int) -> list[Item]:
    """The first ``count`` items of a file, half of them of each class."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    items = [Item(row["question"], row["answer"], choices=tuple(row["choices"])) for row in rows]
    classes = sorted({item.answer for item in items})
    return [item for name in classes for item in [one for one in items if one.answer == name][: count // 2]]


def choice_accuracy(model: Model, items: Sequence[Item]) -> float:
    """Share of items whose gold answer has the highest log-probability of the choices."""
    pairs = [
        Pair(question_block(item), f" {PLAIN.marker} {choice}.") for item in items for choice in item.choices or ()
    ]
    scores = iter(model.score(pairs))
    best = [max((next(scores).logprob or float("-inf"), choice) for choice in item.choices or ())[1] for item in items]
    return sum(choice == item.answer for choice, item in zip(best, items, strict=True)) / len(items)


def written_in_format(model: Model, items: Sequence[Item]) -> int:
    """How many greedy answers are exactly `` The answer is X.`` with X among the choices."""
    completions = model.generate([Request(question_block(item), max_tokens=12, stop=STOP) for item in items])
    allowed = {f" {PLAIN.marker} {choice}." for item in items for choice in item.choices or ()}
    return sum(one.text in allowed for [one] in completions)


@pytest.mark.slow
def test_lora_on_32_labels_beats_the_same_model_untuned(tmp_path: Path) -> None:
    train, dev = (
        sentences(shared("data", "sentiment", "sst2_train.jsonl"), 32),
        sentences(shared("data", "sentiment", "sst2_dev.jsonl"), 100),
    )
    try:
        base = open_model("packaged:smollm2-135m-instruct", device="cpu", dtype="float32")
    except ModelError as error:
        pytest.skip(str(error))
    assert isinstance(base, HFModel)
    untuned, unformatted = choice_accuracy(base, dev), written_in_format(base, dev)

    method = tuner("lora")
    examples = [Example(question_block(item), answer_text(item, rationale=False)) for item in train]
    tuned, report = method.tune(base, examples, Seeds(0, 0, 0), Schedule())
    accuracy = choice_accuracy(tuned, dev)
    assert report.last_loss < 0.1 * report.first_loss
    assert accuracy > untuned
    assert written_in_format(tuned, dev) >= 95 > unformatted + 50

    pairs = [Pair(example.prompt, example.completion) for example in examples[:4]]
    method.save(tuned, tmp_path)
    assert method.load(base, tmp_path).score(pairs) == tuned.score(pairs)
    assert base.score(pairs) != tuned.score(pairs)
