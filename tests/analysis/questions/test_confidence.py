"""Confidence, from records to what is said and drawn of it."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_arms import arm
from rich.console import Console
from sklearn.metrics import brier_score_loss

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.estimates.confidence import Confident, _confident, _half, of_most_accurate
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import question
from onset.analysis.stats.confidence import assess
from onset.models.scripted import Rule, ScriptedModel
from onset.report.confidence import print_confidence
from onset.report.figures import figures
from onset.study.runner import run
from onset.study.spec import make_study

ITEMS = 120


def written(place: Path, rows: list[dict[str, Any]]) -> dict[str, str]:
    out = {}
    for name, held in (("train", rows[:4]), ("test", rows[4:])):
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, held)))
        out[name] = str(place / f"{name}.jsonl")
    return out


def studied(place: Path, rows: list[dict[str, Any]], model: ScriptedModel, methods: list[dict[str, Any]]) -> Analysis:
    study = make_study(
        name="sure",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "quiz", **written(place, rows), "near_duplicates": "allow"}],
        methods=methods, labels=[4], seeds=1, items="all",
    )  # fmt: skip
    run(study, place / "out", models={"fake": model})
    return analyse(load(place / "out"), replicates=300)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Choices of probability .9: right in 60 %, however sure."""
    rows = [
        {"question": f"Is number {i} red?", "answer": ["yes", "no"][i % 5 in (1, 3)], "choices": ["yes", "no"]}
        for i in range(ITEMS + 4)
    ]
    logprobs = {" yes.": math.log(0.09), " no.": math.log(0.01)}
    model = ScriptedModel([Rule("number", (" The answer is yes.",), logprobs)])
    return studied(
        tmp_path_factory.mktemp("chosen"), rows, model,
        [{"prompt": "rank-classification", "shots": 2, "name": "chosen"}],
    )  # fmt: skip


def says(prompt: str, sample: int) -> str:
    """One sample of five says another city where the number is even; odd numbers are answered wrongly by all."""
    number = int(prompt.rpartition("city ")[2].partition("?")[0])
    wrong = number % 3 == 0 or (sample == 4 and number % 2 == 0)
    return f" The answer is {'Spot' if wrong else 'Place'}{number}."


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    rows = [{"question": f"What is city {i}?", "answer": f"Place{i}"} for i in range(ITEMS + 4)]
    methods = [
        {"prompt": "answer-only", "shots": 2, "name": "once"},
        {"prompt": "answer-only", "shots": 2, "vote": 5, "name": "voted"},
    ]
    return studied(tmp_path_factory.mktemp("voted"), rows, ScriptedModel(says), methods)


def test_a_choice_is_as_sure_as_its_share_of_the_choices(chosen: Analysis) -> None:
    (one,) = chosen.confidence.arms
    assert (one.kind, one.n, one.answered, one.unanswered) == ("choice", ITEMS, ITEMS, 0)
    assert one.confidence == pytest.approx(0.9)
    assert one.accuracy == pytest.approx(0.6)
    assert one.over.value == pytest.approx(0.3)
    right = one.arm.values[0]
    assert one.brier.value == pytest.approx(brier_score_loss(right, np.full(ITEMS, 0.9)))
    assert one.error is not None
    assert one.error.plain == pytest.approx(0.3)
    assert [(each.n, each.accuracy) for each in one.bins] == [(ITEMS, pytest.approx(0.6))]
    low, high = dict(one.kept)[0.5].interval
    assert 0.45 < low < 0.56
    assert 0.64 < high < 0.75
    # all are equally sure: the order tells nothing
    assert one.aurc.value == pytest.approx(0.4, abs=1e-6)
    assert one.ordered.value == pytest.approx(0, abs=1e-6)


def test_it_is_said_that_a_method_is_too_sure(chosen: Analysis) -> None:
    (found,) = question("confidence").ask(chosen)
    assert (found.verdict, found.tone, found.figure) == ("overconfident", "against", "confidence")
    assert found.estimate == pytest.approx(0.3)
    assert found.sentence.startswith(
        "Confidence on quiz, fake with 4 labelled examples, 2 of them shown: chosen is 90.0 % sure of its"
        " answers on average, by the probability of the answer among the choices, and right in 60.0 % of them, a"
        " difference of 30.0 points ("
    )
    assert "Its calibration error (ECE, at most 10 bins of equal mass) is 30" in found.sentence
    assert "Of the surest half of all questions 60.0 % are right" in found.sentence
    assert found.sentences["zh"].startswith("quiz的置信度（fake，")
    assert question("abstention").ask(chosen) == ()


def test_samples_and_texts_have_confidences_of_their_own(voted: Analysis) -> None:
    arms = {one.method: one for one in voted.confidence.arms}
    assert {name: one.kind for name, one in arms.items()} == {"once": "text", "voted": "agreement"}
    agreed = arms["voted"]
    assert {round(one.confidence, 6) for one in agreed.bins} == {0.8, 1.0}
    even = [i for i in range(4, ITEMS + 4) if i % 2 == 0 and i % 3]
    assert agreed.confidence == pytest.approx(1 - 0.2 * len(even) / ITEMS)
    (pair,) = voted.confidence.pairs
    assert pair.json()["kinds"] == ["agreement", "text"]
    assert pair.contrast.difference == pytest.approx(agreed.risks.mean() - arms["once"].risks.mean())
    (found,) = question("abstention").ask(voted)
    assert found.estimate == pytest.approx(-pair.contrast.difference)
    assert found.sentence.startswith("Withholding unsure answers on quiz, fake with 4 labelled examples")
    assert "(AURC)" in found.sentence


def test_figure_table_and_json(voted: Analysis) -> None:
    shown = to_json(voted)
    json.dumps(shown["confidence"], allow_nan=False)
    (drawn,) = [one for one in figures(shown) if one.name == "confidence"]
    (panel,) = drawn.panels
    assert len(panel.charts) == 2
    assert "area under the risk-coverage curve" in panel.describe
    out = io.StringIO()
    print_confidence(shown, Console(file=out, width=200))
    assert "agreement" in out.getvalue()
    assert "AURC" in out.getvalue()


def test_few_items_have_no_calibration_error_and_no_answer_is_counted(tmp_path: Path) -> None:
    rows = [{"question": f"What is city {i}?", "answer": f"Place{i}"} for i in range(24)]

    def shy(prompt: str, sample: int) -> str:
        number = int(prompt.rpartition("city ")[2].partition("?")[0])
        return (
            " I cannot say\n what it is, since nobody told me.\n So what" if number % 4 == 0 else says(prompt, sample)
        )

    found = studied(tmp_path, rows, ScriptedModel(shy), [{"prompt": "answer-only", "shots": 2}])
    (one,) = found.confidence.arms
    assert (one.n, one.answered, one.unanswered, one.error, one.bins) == (20, 15, 5, None, ())
    assert one.json()["ece"] is None
    (said,) = question("confidence").ask(found)
    assert "Of fewer than 100 answered items no calibration error is told" in said.sentence
    assert "5 of 20 outcomes have no answer and are withheld first" in said.sentence
    # 15 answered of 20: what is kept at .8 holds one that was not answered
    assert dict(one.kept)[0.8].value == pytest.approx(one.arm.values.sum() / 16)


def test_chains_have_no_confidence_of_their_text(tmp_path: Path) -> None:
    rows = [
        {"question": f"What is city {i}?", "answer": f"Place{i}", "rationale": f"City {i} is a place."}
        for i in range(12)
    ]
    found = studied(tmp_path, rows, ScriptedModel(says), [{"prompt": "cot", "shots": 2}])
    assert found.confidence.arms == ()


# ---- the most accurate of several ----------------------------------------------------------------------------------


def confident(rng: np.random.Generator, method: str, accuracy: float, items: int = 100, draws: int = 1) -> Confident:
    right = (rng.random((draws, items)) < accuracy).astype(float)
    names = tuple(f"{at:03d}" for at in range(items))
    return assured(arm(right, items=names, method=method))


def assured(of: Outcomes) -> Confident:
    """An arm that is sure of every answer by .6."""
    sure = np.full(of.values.shape, 0.6)
    made = _confident(of, "text", sure, assess(sure, of.values))
    assert made is not None
    return made


def test_the_most_accurate_of_equals_is_not_flattered_by_being_picked() -> None:
    """Four methods that are right in 60 % and say so: the luckiest is right in some 65 %."""
    rng = np.random.default_rng(3)
    picked, lucky = [], []
    for _ in range(40):
        arms = [confident(rng, f"m{at}", 0.6) for at in range(4)]
        picked.append(of_most_accurate(arms).over.value)
        lucky.append(max(arms, key=lambda one: one.arm.accuracy).over.value)
    error = float(np.std(picked)) / math.sqrt(len(picked))
    assert np.mean(lucky) < -0.03
    assert abs(float(np.mean(picked))) < 3 * error < 0.03


def test_it_is_the_best_one_as_it_is_where_both_halves_pick_it() -> None:
    rng = np.random.default_rng(4)
    low, high = confident(rng, "low", 0.2), confident(rng, "high", 0.9)
    assert of_most_accurate([low, high]) is high
    assert of_most_accurate([low]) is low


def test_each_half_is_of_the_arm_that_the_other_half_picked() -> None:
    rng = np.random.default_rng(5)
    held = [confident(rng, name, 0.5, draws=2) for name in ("a", "b")]
    halves = np.array([_half(item) for item in held[0].arm.items])
    arms = []
    for half, one in enumerate(held):
        values = np.where(halves == half, 1.0, one.arm.values)  # the best on its half by far
        arms.append(assured(replace(one.arm, values=values)))
    found = of_most_accurate(arms)
    assert (found.method, found.n, found.arm.draws) == ("a / b", 100, (0, 1))
    right = np.where(halves == 1, arms[0].arm.values, arms[1].arm.values)
    assert found.accuracy == pytest.approx(right.mean())
    assert found.over.value == pytest.approx(0.6 - right.mean())
