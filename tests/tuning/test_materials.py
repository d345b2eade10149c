"""What is trained on: texts, ledger, and how the tuned model is asked."""

from __future__ import annotations

import pytest

from onset.analysis.phrases.figures import FIGURES
from onset.answers import NumberFormat
from onset.methods import method
from onset.models.scripted import ScriptedModel
from onset.records import Item
from onset.tasks.base import Task
from onset.tuning import MATERIALS, material
from onset.tuning.base import Example
from onset.tuning.materials.base import Given

POOL = tuple(
    Item(f"Ray owns {n} keys. Pam has {n + 2} more. How many keys does Pam have?", f"{n + n + 2}",
         rationale=f"Pam has {n} + {n + 2} = {n + n + 2}.")
    for n in range(2, 9)
)  # fmt: skip
TASK = Task("keys", "arithmetic", POOL, (Item("How many?", "1"),), NumberFormat(), 0.0, "made", rationale_tokens=40)
NEEDED: dict[str, dict[str, object]] = {
    "few-shot": {"shots": 2},
    "distilled": {"shots": 2},
    "self-improvement": {"shots": 2},
}
"""Settings that are not there by default, or are too large for the pool here."""


def given(model: object = None, examples: tuple[Item, ...] = POOL, seed: int = 0) -> Given:
    return Given(model or ScriptedModel([]), TASK, examples, None, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_says_what_it_is(name: str) -> None:
    what = material({"kind": name, **NEEDED.get(name, {})})
    assert what.kind == name
    assert what.words in FIGURES
    assert what.source
    assert what.facts()["uses"]
    made = method(tune="lora", on={"kind": name, **NEEDED.get(name, {})})
    assert (made.prompt.kind, made.shots) == (what.asked, what.shown)
    assert {one for line in what.ledger(POOL) for one in line.ids} <= {item.id for item in POOL}


def test_answers_and_rationales_are_the_texts_that_are_asked() -> None:
    question = "Question: Ray owns 2 keys. Pam has 4 more. How many keys does Pam have?\nAnswer:"
    assert material("answers").make(given()).examples[0] == Example(question, " The answer is 6.")
    steps = material("rationales").make(given())
    assert steps.examples[0] == Example(question, " Pam has 2 + 4 = 6. The answer is 6.")
    assert (len(steps.examples), steps.tokens, steps.rows) == (len(POOL), 0, ())
