"""Macro-F1, confusion, majority baseline and methods stuck on one label, against counts made in another way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from synthetic import synthetic_results

from onset.analysis import Analysis
from onset.analysis.estimates.analysis import Classes
from onset.analysis.estimates.classification import OTHER, UNREAD, Classified, classified
from onset.analysis.outcomes import foreign
from onset.analysis.questions.labels import Majority, Stuck
from onset.analysis.study import analyse, to_json
from onset.report.figures import figures
from onset.report.html import build_report
from onset.report.terminal import print_show
from onset.results.format import CELL_SCHEMA
from onset.results.read import Results, load

Said = Sequence[str | None]


def results(gold: Sequence[str], draws: Sequence[Said], *, choices: bool = True, correct: bool = True) -> Results:
    """One arm; ``draws``: the answer to each item in each draw (None: none found)."""
    cells, rows = [], []
    for seed, said in enumerate(draws):
        right = [
            answer is not None and answer.casefold() == truth.casefold()
            for answer, truth in zip(said, gold, strict=True)
        ]
        cells.append(
            {
                "cell": f"c{seed}",
                "model": "m",
                "stage": "base",
                "method": "cot",
                "labels": 8,
                "task": "t",
                "shift": "none",
            }
            | {"seed": seed, "n": len(gold)}
        )
        rows += [
            {
                "cell": f"c{seed}",
                "item": f"i{place}",
                "gold": truth,
                "answer": answer,
                "correct": hit,
                "gold_prob": 0.5 if choices else None,
                "golds": [],
            }
            for place, (truth, answer, hit) in enumerate(zip(gold, said, right, strict=True))
        ]
    kinds = {
        "cell": pl.String,
        "item": pl.String,
        "gold": pl.String,
        "answer": pl.String,
        "correct": pl.Boolean,
        "gold_prob": pl.Float64,
        "golds": pl.List(pl.String),
    }
    table = pl.DataFrame(cells).select(
        pl.lit(None).cast(kind).alias(name) if name not in cells[0] else pl.col(name)
        for name, kind in CELL_SCHEMA.items()
    )
    return Results({}, table, pl.DataFrame(rows, schema=kinds), (), {})


def arm(gold: Sequence[str], *draws: Said, choices: bool = True) -> Classified:
    ((one,), _) = classified(results(gold, draws, choices=choices), replicates=2000)
    return one


def by_hand(gold: Sequence[str], said: Said) -> float:
    """Macro-F1 from precision and recall, one class after the other."""
    values = []
    for label in set(gold):
        hits = [truth == label for truth, answer in zip(gold, said, strict=True) if answer == label]
        found = [answer == label for truth, answer in zip(gold, said, strict=True) if truth == label]
        precision = sum(hits) / len(hits) if hits else 0.0
        recall = sum(found) / len(found)
        values.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return sum(values) / len(values)


def test_macro_f1_is_that_of_the_scikit_learn_manual() -> None:
    # the example of f1_score: y_true 0 1 2 0 1 2, y_pred 0 2 1 0 0 1, average="macro" -> 0.26666666666666666
    gold, said = list("012012") * 5, list("021001") * 5
    one = arm(gold, said)
    assert one.macro_f1 == pytest.approx(0.26666666666666666)
    assert dict(zip(one.said.classes, one.f1, strict=True)) == pytest.approx({"0": 0.8, "1": 0.0, "2": 0.0})


def test_macro_f1_is_the_mean_over_draws_of_counts_by_hand() -> None:
    draw = random.Random(3)
    gold = draw.choices(["refund", "shipping", "account"], weights=[5, 3, 2], k=60)
    draws = [[draw.choice([truth, truth, "shipping", "nonsense", None]) for truth in gold] for _ in range(3)]
    one = arm(gold, *draws)
    assert one.macro_f1 == pytest.approx(sum(by_hand(gold, said) for said in draws) / 3)
    _, cells = classified(results(gold, draws), replicates=2000)
    assert [cells[f"c{seed}"].macro_f1 for seed in range(3)] == pytest.approx([by_hand(gold, said) for said in draws])


def test_the_confusion_counts_every_output_once() -> None:
    gold = ["a"] * 6 + ["b"] * 5 + ["c"] * 5
    said: list[str | None] = ["a", "a", "b", None, "x", "A", *["b"] * 5, "a", "a", "a", "a", None]
    one = arm(gold, said)
    assert one.said.classes == ("a", "b", "c")
    assert one.json()["columns"] == ["a", "b", "c", OTHER, UNREAD]
    assert one.said.counts == ((3, 1, 0, 1, 1), (0, 5, 0, 0, 0), (4, 0, 0, 0, 1))
    assert one.f1[2] == 0.0  # c is never answered
    assert (one.said.gold, one.said.majority, one.said.top, one.said.top_share) == ((6, 5, 5), 6 / 16, "a", 7 / 16)
    assert one.lead == pytest.approx((3 + 5) / 16 - 6 / 16)


def test_spellings_of_a_label_are_one_class() -> None:
    gold = ["Yes", "yes", "No"] * 5
    one = arm(gold, ["yes", "yes", "yes"] * 5, choices=False)
    assert one.said.classes == ("Yes", "No")
    assert one.said.counts == ((10, 0, 0, 0), (5, 0, 0, 0))


@pytest.mark.parametrize(
    ("gold", "choices"),
    [
        (["3", "4"] * 10, False),  # open numbers
        (["a"] * 20, True),  # one answer
        ([f"w{n}" for n in range(30)], False),  # as many answers as items
        (["a", "b", "c", "d", "e"] * 4, True),  # four items a class
    ],
)
def test_what_has_no_labels(gold: list[str], choices: bool) -> None:
    assert classified(results(gold, [gold], choices=choices)) == ((), {})


def test_numbers_are_labels_where_they_are_choices() -> None:
    assert arm(["3", "4"] * 10, ["3"] * 20).said.classes == ("3", "4")


def test_stuck_is_said_of_a_label_given_far_more_often_than_it_is_right() -> None:
    gold = ["a"] * 18 + ["b"] * 22
    assert arm(gold, ["b"] * 39 + ["a"]).said.stuck
    assert arm(gold, ["b"] * 36 + ["a"] * 4).said.stuck
    assert not arm(gold, ["b"] * 35 + ["a"] * 5).said.stuck
    assert not arm(gold, [None] * 40).said.stuck
    assert not arm(["a"] * 74 + ["b"] * 6, ["a"] * 80).said.stuck  # nearly all items are of that class


def test_the_interval_of_one_draw_agrees_with_a_bootstrap_of_items() -> None:
    draw = random.Random(5)
    gold = draw.choices("abc", weights=[5, 3, 2], k=150)
    said = [truth if draw.random() < 0.7 else draw.choice("abc") for truth in gold]
    one = arm(gold, said)
    again = []
    for _ in range(1500):
        places = draw.choices(range(150), k=150)
        again.append(by_hand([gold[p] for p in places], [said[p] for p in places]))
    low, high = np.quantile(again, [0.025, 0.975])
    assert one.interval == pytest.approx((low, high), abs=0.02)


def test_intervals_know_what_equal_outcomes_cannot() -> None:
    gold = ["a", "b"] * 10
    one = arm(gold, gold)
    assert one.macro_f1 == 1.0
    assert one.interval == (pytest.approx(1 - 3.84 / 23.84, abs=1e-3), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(("items", "draws"), [(40, 1), (60, 3), (200, 1), (200, 5)])
def test_macro_f1_intervals_cover(items: int, draws: int) -> None:
    """95 % intervals hold the truth in 91 % of simulated studies or more; one draw answers about that draw."""
    rng = np.random.default_rng(items + draws)
    chances = np.array([0.5, 0.3, 0.2])
    labels = np.array(["a", "b", "c"])

    def study(n: int, m: int) -> tuple[list[str], list[list[str]]]:
        gold = rng.choice(3, n, p=chances)
        easy = rng.normal(0.9, 1, n)
        said = []
        for noise in rng.normal(0, 0.4 if draws > 1 else 0, m):
            right = rng.random(n) < 1 / (1 + np.exp(-(easy + noise)))
            said.append(np.where(right, gold, rng.integers(0, 3, n)))
        return list(labels[gold]), [list(labels[row]) for row in said]

    gold, said = study(2000, 400)
    truth = float(np.mean([by_hand(gold, row) for row in said]))
    held = 0
    for _ in range(300):
        gold, said = study(items, draws)
        if min(gold.count(label) for label in "abc") == 0:
            gold[:3] = "abc"
        ((one,), _) = classified(results(gold, said), replicates=1000)
        held += one.interval[0] <= truth <= one.interval[1]
    assert 0.91 <= held / 300 <= (0.98 if draws == 1 else 1.0)


# ------------------------------------------------------------------------------------------- what a reader sees


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results(
        tmp_path_factory.mktemp("classified") / "results",
        models=(("small", 10_000_000),),
        methods=("answer-only", "lora-answers"),
        labels=(8,),
        seeds=2,
        items=30,
        voting=False,
    )


def test_show_json_and_tables_have_the_baseline_and_macro_f1(folder: Path) -> None:
    analysis = analyse(load(folder), replicates=500)
    shown = to_json(analysis)
    coins = [cell for cell in shown["cells"] if cell["task"] == "coin-flip"]
    sums = [cell for cell in shown["cells"] if cell["task"] == "addition"]
    assert {(cell["majority"], cell["majority_label"]) for cell in coins} == {(0.5, "no")}
    assert all(cell["macro_f1_interval"][0] <= cell["macro_f1"] <= cell["macro_f1_interval"][1] for cell in coins)
    assert {(cell["majority"], cell["macro_f1"], cell["macro_f1_interval"]) for cell in sums} == {(None, None, None)}
    assert [(one["task"], one["method"]) for one in shown["classification"]] == [
        ("coin-flip", "answer-only"),
        ("coin-flip", "lora-answers"),
    ]
    for one in shown["classification"]:
        cells = [cell for cell in coins if cell["method"] == one["method"]]
        assert sum(map(sum, one["counts"])) == 60
        assert sum(one["counts"][place][place] for place in range(2)) == sum(cell["correct"] for cell in cells)
        assert one["macro_f1"] == pytest.approx(sum(cell["macro_f1"] for cell in cells) / 2)
        found = sum(cell["parse_rate"] * cell["n"] for cell in cells)
        assert sum(row[-1] for row in one["counts"]) == 60 - round(found)
    text = StringIO()
    print_show(shown, Console(file=text, width=80))
    assert 'coin-flip (30 items, chance 50.0 %, always "no" 50.0 %)' in text.getvalue()
    assert text.getvalue().count("Macro-F1") == 1
    assert max(map(len, text.getvalue().splitlines())) <= 80


def test_the_report_draws_the_confusion_and_explains_it(folder: Path, tmp_path: Path) -> None:
    shown = to_json(analyse(load(folder), replicates=500))
    (figure,) = [one for one in figures(shown) if one.name == "confusion"]
    (panel,) = figure.panels
    drawn = [chart["layer"][0]["data"]["values"] for chart in panel.charts]
    for rows, one in zip(drawn, shown["classification"], strict=True):
        assert [row["count"] for row in rows] == [count for counts in one["counts"] for count in counts]
        assert [row["answer"] for row in rows[:4]] == ["no", "yes", OTHER, UNREAD]
        assert sum(row["share"] for row in rows) == pytest.approx(2, abs=1e-4)  # five digits are drawn
    assert not [one for one in figures({**shown, "classification": []}) if one.name == "confusion"]
    page = build_report(folder, out=tmp_path / "r.html").read_text()
    assert "Which labels are taken for which" in page
    assert "<dt>Macro-F1</dt>" in page
    assert "<td>no, 50.0 %</td>" in page


def warnings(gold: Sequence[str], *draws: Said) -> list[str]:
    one = arm(gold, *draws)
    made = {"measured": foreign([], "made up"), "classes": Classes((one,), {})}
    held = dict.fromkeys(Analysis.__dataclass_fields__, ()) | made
    study = Analysis(**held)  # type: ignore[arg-type]
    return [finding.sentence for asked in (Stuck(), Majority()) for finding in asked.ask(study)]


def test_a_method_stuck_on_a_label_is_warned_of_in_words() -> None:
    gold = ["billing"] * 18 + ["shipping"] * 22
    assert warnings(gold, ["billing"] * 39 + [None]) == [
        'One label nearly always: cot with 8 labelled examples for m answers "billing" in 39 of 40 outputs on t (right'
        " for 45.0 % of its items); its accuracy says how frequent that label is, not what the method can tell apart.",
        'No better than one label: always answering "shipping" is right on 55.0 % of the test items of t, and none of 1'
        " setting is shown to do better (best: cot with 8 labelled examples for m, 10.0 points below it, 95 % interval"
        " −42.2 to 22.2).",
    ]


def test_a_method_that_tells_labels_apart_is_not_warned_of() -> None:
    gold = ["billing"] * 18 + ["shipping"] * 22
    assert warnings(gold, gold) == []
