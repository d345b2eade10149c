"""The spread between draws before and after calibration: the test of paired variances, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.estimates.calibration import Calibrated
from onset.analysis.questions import question
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import holm
from onset.analysis.stats.draws import rounding_of
from onset.analysis.stats.spread import compare_spreads
from onset.models.scripted import ScriptedModel
from onset.study.runner import run
from onset.study.spec import make_study


def test_it_is_the_correlation_of_sum_and_difference() -> None:
    rng = np.random.default_rng(0)
    for n in (4, 5, 12):
        for _ in range(20):
            x, y = rng.normal(size=(2, n))
            found = compare_spreads(x, x + 0.7 * y)
            r, p = stats.pearsonr(2 * x + 0.7 * y, -0.7 * y)
            assert found.p == pytest.approx(p, abs=1e-9)
            assert (found.ratio is not None and found.ratio > 1) == (r < 0) or r == 0
            assert found.ratio == pytest.approx(np.std(x + 0.7 * y) / np.std(x))


@pytest.mark.parametrize("hidden", [0.0, 0.01, 0.2])
def test_the_interval_holds_one_just_where_the_test_does_not_reject(hidden: float) -> None:
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(300):
        x, y = rng.normal(size=(2, 8)) * [[1.0], [rng.uniform(0.2, 4)]]
        found = compare_spreads(x, y + 0.5 * x, hidden=hidden)
        low, high = found.interval or (0.0, 0.0)
        assert (low <= 1 <= high) == ((found.p or 0) >= 0.05)
        assert low < (found.ratio or 0) < high
        rejected += (found.p or 1) < 0.05
    assert 50 < rejected < 250


def test_the_interval_covers_the_true_ratio_of_correlated_spreads_at_five_draws() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        shared, own = rng.normal(size=(2, 5))
        low, high = compare_spreads(shared, 0.5 * (0.8 * shared + 0.6 * own)).interval or (0.0, 0.0)
        covered += low <= 0.5 <= high
    assert 0.935 < covered / 2000 < 0.965  # standard error 0.5 %


def test_steps_of_few_items_show_no_spread_that_is_not_there() -> None:
    rng = np.random.default_rng(3)
    items, pairs, studies = 10, 16, 400
    false = 0
    for _ in range(studies):
        draws = rng.binomial(items, 0.9, size=(pairs, 2, 4)) / items
        found = [compare_spreads(*pair, hidden=rounding_of(items)) for pair in draws]
        false += min(holm([one.p for one in found if one.p is not None])) < 0.05
    assert false / studies < 0.05  # without what steps hide: 17 %


def test_draws_on_one_line_are_no_proof() -> None:
    line = np.array([0.6, 0.7, 0.8, 0.9])
    wide, narrow = 0.05 + line, 0.4 + 0.5 * line
    assert (compare_spreads(wide, narrow).p or 0.0) < 1e-6
    found = compare_spreads(wide, narrow, hidden=rounding_of(20))
    low, high = found.interval or (0.0, 0.0)
    assert (found.p or 0.0) > 0.001
    assert found.ratio == pytest.approx(0.5)
    assert low < 0.5 < high


def test_what_does_not_vary_has_no_ratio() -> None:
    found = compare_spreads(np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert (found.before, found.ratio, found.interval, found.p) == (0, None, None, None)
    same = compare_spreads(np.array([0.1, 0.2, 0.4, 0.3]), np.array([0.1, 0.2, 0.4, 0.3]))
    assert (same.ratio, same.p) == (pytest.approx(1), pytest.approx(1))
    for pair in ((3, 3), (5, 4)):
        with pytest.raises(ValueError, match="spreads need at least 4 pairs"):
            compare_spreads(*(np.arange(one, dtype=float) for one in pair))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Two methods of ranking, each without and with calibration, over five draws; the probabilities are made up."""
    place = tmp_path_factory.mktemp("calibration")
    methods = [
        {"prompt": {"kind": "rank-classification", "calibration": how}, "shots": shots, "name": f"{how}-{shots}"}
        for how in ("none", "contextual", "batch")
        for shots in (1, 3)
    ]
    made = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "pool": 30, "test": 20}],
        methods=[*methods, "answer-only"],
        labels=[6],
        seeds=5,
        items=20,
    )
    run(made, place / "d", models={"fake": ScriptedModel({}, default=" The answer is heads.")})
    return analyse(load(place / "d"), replicates=200)


def test_each_calibration_is_held_against_the_same_method_without(study: Analysis) -> None:
    rows = to_json(study)["calibrations"]
    assert [(row["methods"], row["calibration"]) for row in rows] == [
        (["none-1", "contextual-1"], "contextual"),
        (["none-1", "batch-1"], "batch"),
        (["none-3", "contextual-3"], "contextual"),
        (["none-3", "batch-3"], "batch"),
    ]
    cells = to_json(study)["cells"]
    for row in rows:
        for place, name in enumerate(row["methods"]):
            held = [cell["accuracy"] for cell in cells if cell["method"] == name]
            assert len(held) == 5
            assert row["accuracies"][place] == pytest.approx(np.mean(held))
            assert row["deviations"][place] == pytest.approx(np.std(held, ddof=1))
        assert row["p_holm"] >= row["p"]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_a_study_without_calibration_has_none(study: Analysis, tmp_path: Path) -> None:
    plain = replace(study.measured, study={**study.study, "methods": ["answer-only"]})
    assert analyse(plain, replicates=200).calibrations == ()


@pytest.mark.parametrize(
    ("after", "p_holm", "verdict"), [(0.02, 0.01, "narrows"), (0.3, 0.01, "widens"), (0.02, 0.2, "undecided")]
)
def test_what_is_said(after: float, p_holm: float, verdict: str, study: Analysis) -> None:
    before = np.array([0.5, 0.6, 0.75, 0.55, 0.9])
    spreads = compare_spreads(before, after / 0.16 * before)
    at = Setting("coin-flip", model="fake", family="f", params=1, method="batch-1", labels=6)
    made = Calibrated(at, "none-1", "batch", (0, 1, 2, 3, 4), 20, (0.66, 0.7), spreads, p_holm)
    (finding,) = question("calibration").ask(replace(study, calibrations=(made,)))
    assert finding.verdict == verdict
    assert finding.estimate == spreads.ratio
    assert "standard deviation of 16.4 points, that of batch-1 of" in finding.sentence
    assert "n average the two are right in 66.0 % and 70.0 %" in finding.sentence
    assert "without their labels" in finding.sentence
    assert finding.sentences["zh"].startswith("校准")
    assert "batch-1" in finding.short
    assert len(finding.short) <= 110
