"""One road from outcomes to a curve: `onset show` and `onset emergence` say the same of every curve of a folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from synthetic import LADDER, synthetic_results

from onset.analysis.stats.bootstrap import Block, crossed_bootstrap
from onset.analysis.stats.counting import counted, mean_and_error, variance
from onset.cli import app
from onset.results.format import RECORD_SCHEMA

SIZES = tuple((f"m{size}", size) for size in LADDER)
SAME = (
    "verdict",
    "p_value",
    "q_value",
    "p_change",
    "p_jump",
    "best_family",
    "rise",
    "floor",
    "overdispersion",
    "notes",
)


def shown(command: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    app([*command, "--json"], standalone_mode=False)
    return json.loads(capsys.readouterr().out)


def uneven(folder: Path) -> Path:
    """Take a third of the items from every second cell: draws then have different items."""
    for place, path in enumerate(sorted(folder.glob("cells/*/records.parquet"))):
        if place % 2:
            rows = pl.read_parquet(path)
            kept = rows.filter(pl.col("position") % 3 != place // 2 % 3)
            pl.DataFrame(kept.to_dicts(), schema=RECORD_SCHEMA).write_parquet(path)
            done = path.with_name("done.json")
            content = json.loads(done.read_text())
            content |= {"records": len(kept), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            done.write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("sizes", "items", "seeds", "unequal"),
    [(6, 80, 3, False), (8, 60, 5, False), (6, 60, 3, True)],
)
def test_both_commands_say_the_same_of_every_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sizes: int, items: int, seeds: int, unequal: bool
) -> None:
    folder = synthetic_results(
        tmp_path / "d",
        models=SIZES[:sizes],
        methods=("answer-only", "cot"),
        labels=(8,),
        seeds=seeds,
        items=items,
        voting=False,
    )
    if unequal:
        uneven(folder)
    told = {
        (one["curve"], one["family"]): one
        for one in shown(["emergence", str(folder)], capsys)
        if one["metric"] == "accuracy"
    }
    curves = [one for one in shown(["show", str(folder)], capsys)["curves"] if len(one["sizes"]) >= 4]
    assert len(curves) == len(told) == 4
    effects = []
    for curve in curves:
        name = f"{curve['task']}, {curve['method']}, {curve['labels']} labels"
        other, mine = told[name, curve["family"]], curve["emergence"]
        assert {key: mine[key] for key in SAME} == {key: other[key] for key in SAME}
        places = ("estimate", "low", "high", "censored", "above_chance", "midpoint", "break")
        assert {key: mine["threshold"][key] for key in places} == {key: other["threshold"][key] for key in places}
        assert [(one["n"], one["correct"], one["design_effect"]) for one in other["points"]] == list(
            zip(curve["n"], curve["correct"], curve["design_effect"], strict=True)
        )
        assert mine["points"] == other["points"]
        check, theirs = curve["metric_check"], other["metric_check"]
        assert {key: check[key] for key in ("verdict", "scores")} == {key: theirs[key] for key in ("verdict", "scores")}
        effects += curve["design_effect"]
    assert max(effects) > 1.2


def test_the_variance_of_a_balanced_table_is_that_of_the_crossed_layout() -> None:
    rng = np.random.default_rng(0)
    for draws, items in ((2, 40), (5, 200), (10, 30)):
        table = rng.normal(0, 1, (draws, items)) + rng.normal(0, 1, (draws, 1)) + rng.normal(0, 1, items)
        crossed = crossed_bootstrap([Block(table)], 200)
        assert crossed is not None
        assert variance(table) == pytest.approx(crossed.standard_error**2)
    single = rng.random(50)
    assert mean_and_error(single[None], bounded=True) == pytest.approx((single.mean(), stats.sem(single)))
    assert mean_and_error(np.array([[0.5]]), bounded=True) == (0.5, None)


def test_the_order_of_draws_and_items_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    table = (rng.random((4, 60)) < rng.random(60)).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    mixed = table[rng.permutation(4)][:, rng.permutation(60)]
    assert counted(mixed).design_effect == pytest.approx(counted(table).design_effect, rel=1e-12)
    assert counted(mixed).effective() == counted(table).effective()


def test_the_design_effect_of_repeated_and_of_independent_draws() -> None:
    rng = np.random.default_rng(1)
    once = (rng.random((1, 400)) < 0.4).astype(float)
    assert counted(once).design_effect == 1.0
    assert counted(np.repeat(once, 5, axis=0)).design_effect == pytest.approx(5.0)
    assert counted((rng.random((5, 400)) < 0.4).astype(float)).design_effect < 2.0
    # no draw says anything another one does not: worth one draw, and one right answer changes little
    assert counted(np.zeros((5, 50))).design_effect == pytest.approx(5.0)
    one = np.zeros((5, 50))
    one[0, 0] = 1.0
    assert 3.0 < counted(one).design_effect < 5.0
    # items of their own in every draw: as many trials as outcomes, if draws do not differ
    nested = np.full((4, 400), np.nan)
    for draw in range(4):
        nested[draw, 100 * draw : 100 * (draw + 1)] = rng.random(100) < 0.4
    assert counted(nested).design_effect < 2.5


@pytest.mark.parametrize("draw_noise", [0.0, 0.08])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_effective_counts_have_the_variance_of_repeated_studies(draw_noise: float, missing: float) -> None:
    """Studies of 5 draws x 60 items, items of different difficulty: the spread of their means, in effective trials."""
    rng = np.random.default_rng(2)
    means, worth = [], []
    for _ in range(1500):
        ease = rng.beta(2, 2, 60)
        draws = rng.normal(0, draw_noise, 5) if draw_noise else np.zeros(5)
        table = (rng.random((5, 60)) < np.clip(ease + draws[:, None], 0, 1)).astype(float)
        table[rng.random(table.shape) < missing] = np.nan
        found = counted(table)
        means.append(found.correct / found.n)
        worth.append(found.n / found.design_effect)
    true = 0.25 / float(np.var(means))
    # the mean of estimated variances, i.e. the harmonic mean of what the outcomes are worth
    assert stats.hmean(worth) == pytest.approx(true, rel=0.2)
