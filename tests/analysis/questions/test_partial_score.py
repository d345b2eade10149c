"""Token F1 beside exact match: from records to what is said of it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.outcomes.scores import cell_scores
from onset.analysis.questions import question
from onset.models.scripted import ScriptedModel
from onset.report.terminal import print_show
from onset.results.read import Results
from onset.study.runner import run
from onset.study.spec import make_study

ASKED = 24


def reply(prompt: str, sample: int) -> str:
    """Asked with an example it says too much and is right in some words; asked without it says the bare name, or
    another one."""
    number = int(prompt.rpartition("city ")[2].partition("?")[0])
    if prompt.count("Question:") > 1:
        return f" The answer is the old town of Place{number}."
    return f" The answer is {'Place' if number % 4 else 'Spot'}{number}."


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    place = tmp_path_factory.mktemp("open")
    rows = [{"question": f"What is city {i}?", "answer": [f"Place{i}", f"The Place{i}, Old"]} for i in range(ASKED + 4)]
    for name, held in (("train", rows[:4]), ("test", rows[4:])):
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, held)))
    study = make_study(
        name="open",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "cities", "train": str(place / "train.jsonl"), "test": str(place / "test.jsonl"),
                "near_duplicates": "allow"}],
        methods=[{"prompt": "answer-only", "shots": 0, "name": "bare"}, {"prompt": "answer-only", "shots": 2, "name": "shown"}],
        labels=[4], seeds=2, items="all",
    )  # fmt: skip
    run(study, place / "out", models={"fake": ScriptedModel(reply)})
    return load(place / "out")


@pytest.fixture(scope="module")
def study(results: Results) -> Analysis:
    return analyse(results, replicates=500)


def test_records_cells_and_continuous_scores_have_it(results: Results) -> None:
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    assert (cells["bare"]["accuracy"], cells["bare"]["partial"]) == (0.75, 0.75)
    # "old town of placeN" and "placeN old": two words of four and two
    assert cells["shown"]["accuracy"] == 0
    assert cells["shown"]["partial"] == pytest.approx(2 / 3)
    assert results.records["partial"].null_count() == 0
    assert all("token F1" in one for one in cell_scores(results).values())


def test_the_scores_disagree_and_it_is_said(study: Analysis) -> None:
    (pair,) = to_json(study)["partial_scores"]
    assert pair["sides"] == ["shown", "bare"]
    assert (pair["strict_difference"], pair["strict_verdict"]) == (-0.75, "loses")
    assert pair["difference"] == pytest.approx(2 / 3 - 3 / 4)
    assert (pair["n"], pair["verdict"], pair["family_size"]) == (ASKED, "undecided", 1)
    (found,) = question("partial score").ask(study)
    assert (found.verdict, found.tone, found.n) == ("differs", "open", ASKED)
    assert found.sentence.startswith(
        "cities, fake with 4 labelled examples, of which bare shows 0 and shown shows 2: by token F1, how"
        " much of a right answer each answer is, 1 of 1 comparisons of methods have another verdict than by exact match. Token F1 is"
    )
    assert "by exact match the difference is 75.0 points (the first is better)" in found.sentence
    assert found.short.startswith("Token F1 decides otherwise than exact match; ")
    assert found in study.findings


def test_the_table_of_cells_has_a_column(study: Analysis) -> None:
    out = io.StringIO()
    print_show(to_json(study), Console(file=out, width=200))
    assert "Token F1" in out.getvalue()


def test_cells_from_before_it_was_kept_have_none(results: Results, tmp_path: Path) -> None:
    old = results.records.with_columns(pl.lit(None, pl.Float64).alias("partial"))
    before = Results(results.study, results.cells.with_columns(partial=pl.lit(None, pl.Float64)), old, (), {})
    assert not any("token F1" in one for one in cell_scores(before).values())
    found = analyse(before, replicates=200)
    assert (found.partial, question("partial score").ask(found)) == ((), ())
