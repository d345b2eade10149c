"""Banks of samples: a study's records against what was put into them, and against going through every subset."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.questions import question
from onset.models.scripted import ScriptedModel
from onset.report.figures import figures
from onset.results.read import Results
from onset.study.runner import run
from onset.study.spec import make_study

FAST = 300


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return load(synthetic_results(tmp_path_factory.mktemp("d") / "d", items=40, seeds=2))


@pytest.fixture(scope="module")
def study(results: Results) -> Analysis:
    return analyse(results, replicates=FAST)


def by_hand(rows: list[dict[str, Any]], k: int) -> tuple[float, float]:
    """maj@k and pass@k over every subset of every item."""
    majority, anything = [], []
    for row in rows:
        pairs = list(zip(row["answers"], row["rights"], strict=True))
        won = hit = 0.0
        for subset in itertools.combinations(pairs, k):
            counts = Counter(pair for pair in subset if pair[0] is not None)
            top = [pair for pair, count in counts.items() if count == max(counts.values())]
            won += sum(right for _, right in top) / len(top) if top else 0
            hit += any(right for _, right in subset)
        majority.append(won / math.comb(len(pairs), k))
        anything.append(hit / math.comb(len(pairs), k))
    return float(np.mean(majority)), float(np.mean(anything))


def test_every_k_is_what_going_through_all_subsets_gives(study: Analysis, results: Results) -> None:
    (bank,) = study.banks
    cell = results.cells.filter(pl.col("vote").is_not_null())["cell"][0]
    rows = results.records.filter(pl.col("cell") == cell).to_dicts()
    assert [one.k for one in bank.points] == [1, 2, 3, 4, 5]
    for point in bank.points:
        assert (point.majority, point.any) == pytest.approx(by_hand(rows, point.k))
        assert point.majority_interval[0] <= point.majority <= point.majority_interval[1]
        assert 0 <= point.any_interval[0] <= point.any <= point.any_interval[1] <= 1
    assert bank.gain.difference == pytest.approx(bank.all.majority - bank.one.majority)
    assert bank.room == pytest.approx(bank.all.any - bank.all.majority)
    assert bank.unread == pytest.approx(np.mean([answer is None for row in rows for answer in row["answers"]]))


def test_a_bank_is_in_json_figure_and_finding(study: Analysis) -> None:
    shown = to_json(study)
    (bank,) = shown["banks"]
    assert json.loads(json.dumps(bank, allow_nan=False)) == bank
    (figure,) = [one for one in figures(shown) if one.name == "samples"]
    (panel,) = figure.panels
    rows = next(part["data"]["values"] for part in panel.charts[0]["layer"] if part["mark"]["type"] == "line")
    assert {(row["k"], row["what"]) for row in rows} == {
        (k, what) for k in range(1, 6) for what in ("majority of k samples", "any of k samples")
    }
    assert [row["accuracy"] for row in rows][::2] == pytest.approx(
        [one["majority"] for one in bank["points"]], rel=1e-4
    )
    (found,) = question("samples").ask(study)
    assert found.estimate == bank["gain"]
    assert "at least one of them is right in" in found.sentence


def test_a_cell_without_rights_gives_no_bank(results: Results) -> None:
    """As cells have that were measured before records held them."""
    old = results.records.with_columns(pl.lit(None, pl.List(pl.Boolean)).alias("rights"))
    assert analyse(Results(results.study, results.cells, old, (), {}), replicates=FAST).banks == ()


def test_votes_over_the_same_samples_are_one_bank(results: Results) -> None:
    """A second vote that was read from what the first sampled has its samples, and a cell of its own."""
    mine = pl.col("cell") == results.cells.filter(pl.col("vote").is_not_null())["cell"][0]
    again = [pl.lit("again").alias("cell")]
    cells = results.cells.filter(mine).with_columns(*again, pl.lit("other-vote").alias("method"))
    records = results.records.filter(mine).with_columns(again)
    both = Results(results.study, pl.concat([results.cells, cells]), pl.concat([results.records, records]), (), {})
    (bank,) = analyse(both, replicates=FAST).banks
    assert bank.methods == ("cot-vote", "other-vote")


def test_a_run_keeps_which_samples_are_right(tmp_path: Path) -> None:
    """Four samples an item: heads, tails, heads, and none that can be read."""
    replies = [" The answer is heads.", " The answer is tails.", " The answer is heads.", " No idea"]
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "pool": 8, "test": 6}],
        methods=[{"prompt": "cot", "vote": 4}],
        labels=[2],
        seeds=1,
        items=6,
    )
    run(study, tmp_path / "d", models={"fake": ScriptedModel({"coin": replies})})
    held = load(tmp_path / "d")
    for row in held.records.to_dicts():
        assert row["rights"] == [row["gold"] == side for side in ("heads", "tails", "heads")] + [False]
    heads = (held.records["gold"] == "heads").mean()
    (bank,) = analyse(held, replicates=FAST).banks
    assert bank.one.majority == pytest.approx((2 * heads + (1 - heads)) / 4)
    assert bank.all.majority == pytest.approx(heads)
    assert bank.all.any == 1
    assert bank.unread == pytest.approx(1 / 4)
