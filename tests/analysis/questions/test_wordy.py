"""Answers that are counted as wrong and say the right one among other words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onset.analysis import Analysis, analyse, load
from onset.analysis.finding import Finding
from onset.analysis.questions import question
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.study.runner import run
from onset.study.spec import make_study

CITIES = ["Accra", "Port Moresby", "Lima", "Oslo", "Rome", "Riga", "Bern", "Kyiv", "Minsk", "Praia"]


def studied(place: Path, say: str, often: int) -> Analysis:
    """A model that answers the first ``often`` of ten questions with the sentence ``say``, the others with the city."""
    rows = [{"question": f"What is the capital of land {at}?", "answer": city} for at, city in enumerate(CITIES)]
    train = [{"question": f"What is the capital of isle {at}?", "answer": f"Town{at}"} for at in range(4)]
    for name, held in (("test", rows), ("train", train)):
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, held)))
    study = make_study(
        name="capitals",
        models=["scripted:m.json"],
        tasks=[{"name": "capitals", "train": str(place / "train.jsonl"), "test": str(place / "test.jsonl"),
                "near_duplicates": "allow"}],
        methods=[{"prompt": "answer-only", "shots": 0}], labels=[0], seeds=1, items="all",
    )  # fmt: skip

    def answers(prompt: str, sample: int) -> str:
        at = int(prompt.rpartition("land ")[2].partition("?")[0])
        return (say if at < often else " The answer is {city}.").format(city=CITIES[at])

    run(study, place / "d", models={"m": ScriptedModel(answers, facts=MADE_UP_FACTS)})
    return analyse(load(place / "d"), replicates=100)


def told(study: Analysis) -> list[Finding]:
    return list(question("wordy").ask(study))


def test_a_sentence_that_holds_the_answer_is_a_warning(tmp_path: Path) -> None:
    (said,) = told(studied(tmp_path, " The capital is of course {city}.", 10))
    assert (said.verdict, said.estimate, said.n) == ("wordy answers", 1.0, 1)
    assert "Answers that say more: in 1 of 1 setting at least 10 % of the outcomes" in said.sentence
    assert "on capitals, 100.0 %)" in said.sentence


@pytest.mark.parametrize(
    ("say", "often"),
    [
        (" The answer is {city}.", 10),
        (" The answer is {city} City.", 10),  # one word more: another name
        (" The capital is of course Atlantis.", 10),  # wrong, and not the right one
        (" It is Port Moresby, or Lima, or Oslo, who knows.", 0),
    ],
)
def test_other_answers_are_none(tmp_path: Path, say: str, often: int) -> None:
    assert told(studied(tmp_path, say, often)) == []
