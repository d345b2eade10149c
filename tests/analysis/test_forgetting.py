"""What training forgets elsewhere, against what was planted, and out of a folder."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_arms import arm, changed
from results_json import read_json
from scipy import stats
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.contrast.asked import compare_all, stage_comparisons
from onset.analysis.estimates.forgetting import Forgetting, forgettings
from onset.analysis.outcomes import Aside
from onset.analysis.outcomes.aside import BITS, asides_of
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.stats.bootstrap import Array
from onset.report.figures import figures

FAST = 300


def drawn(rng: np.random.Generator, share: float, hard: Array, draws: int) -> Array:
    """Right answers of items of unlike difficulty, about ``share`` of them."""
    level = stats.logistic.ppf(share) * 1.3
    return (rng.random((draws, len(hard))) < stats.logistic.cdf(level - hard)).astype(float)


def elsewhere(values: Array, method: str, home: str | None, **changes: Any) -> Aside:
    labels = 0 if home is None else 8
    return Aside(arm(values, method, task="other", labels=labels, plans=(), **changes), home)


def found(
    rng: np.random.Generator, before: float, after: float, draws: int = 3, items: int = 200
) -> tuple[Forgetting, ...]:
    """A tuned model whose accuracy elsewhere goes from ``before`` to ``after``, and at home from .5 to .8."""
    hard = rng.normal(0, 1, items)
    asides = [
        elsewhere(drawn(rng, before, hard, 1), "answer-only", None),
        elsewhere(drawn(rng, after, hard, draws), "mine", "t", tune="lora"),
    ]
    own = [
        arm(drawn(rng, share, hard, draws), name, tune=tune)
        for name, share, tune in (("few", 0.5, None), ("fewer", 0.3, None), ("mine", 0.8, "lora"))
    ]
    return forgettings(asides, own, compare_all(own, replicates=FAST), (), replicates=FAST)


def test_what_is_planted_is_found_beside_the_gain() -> None:
    (one,) = found(np.random.default_rng(1), 0.7, 0.3)
    assert one.verdict == "forgets"
    assert one.change.interval is not None
    assert one.change.interval[0] < -0.4 < one.change.interval[1]
    assert one.levels == pytest.approx((0.7, 0.3), abs=0.1)
    assert one.gain is not None
    assert one.gain.names == ("mine", "few")  # the most accurate prompt
    assert (one.home, one.gain.task) == ("t", "t")
    assert json.loads(json.dumps(one.json(), allow_nan=False)) == one.json()
    (better,) = found(np.random.default_rng(2), 0.3, 0.7)
    assert better.verdict == "improves"


def test_a_model_that_knew_nothing_has_nothing_to_lose() -> None:
    """Equivalence at the floor is no keeping."""
    rng = np.random.default_rng(3)
    nothing = np.zeros((1, 400))
    asides = [elsewhere(nothing, "answer-only", None), elsewhere(np.zeros((3, 400)), "mine", "t", tune="lora")]
    (one,) = forgettings(asides, (), (), (), replicates=FAST)
    assert one.change.verdict == "equivalent"
    assert one.verdict == "nothing to lose"
    known = drawn(rng, 0.8, rng.normal(0, 1, 4000), 1)
    same = [elsewhere(known, "answer-only", None), elsewhere(known.repeat(3, 0), "mine", "t", tune="lora")]
    (kept,) = forgettings(same, (), (), (), replicates=FAST)
    assert kept.verdict == "keeps"


def test_models_are_held_against_what_they_were_made_of_and_asked_alike() -> None:
    rng = np.random.default_rng(4)
    table = drawn(rng, 0.5, rng.normal(0, 1, 50), 1)
    staged = {"stage": "steps", "model": "m (steps)"}
    asides = [
        elsewhere(table, "answer-only", None),
        elsewhere(table, "cot", None, prompt="cot"),
        elsewhere(table, "answer-only", None, **staged),
        elsewhere(table, "cot", None, prompt="cot", **staged),
        elsewhere(table, "answers", "t", tune="lora"),
        elsewhere(table, "rationales", "t", tune="lora", prompt="cot", **staged),
        elsewhere(table, "other", "t", tune="lora", model="unasked"),
    ]
    pairs = {
        (one.change.plus.method, one.stage, one.change.minus.method, one.change.minus.stage_name)
        for one in forgettings(asides, (), (), (), replicates=FAST)
    }
    assert pairs == {
        ("answer-only", "steps", "answer-only", "base"),
        ("cot", "steps", "cot", "base"),
        ("answers", "base", "answer-only", "base"),
        ("rationales", "steps", "cot", "steps"),
    }


def test_near_the_floor_equivalence_is_no_keeping() -> None:
    """3 % before and nothing after is all that was there, and within a margin of 5 points."""
    before = np.zeros((1, 1000))
    before[0, :30] = 1.0
    asides = [elsewhere(before, "answer-only", None), elsewhere(np.zeros((3, 1000)), "mine", "t", tune="lora")]
    same = [asides[0], elsewhere(before.repeat(3, 0), "mine", "t", tune="lora")]
    (lost,), (level,) = (forgettings(both, (), (), (), replicates=FAST) for both in (asides, same))
    assert lost.verdict == "forgets"
    assert level.change.verdict == "equivalent"
    assert level.verdict == "undecided"


def test_of_two_models_of_one_size_each_stage_is_held_against_its_own() -> None:
    table = drawn(np.random.default_rng(8), 0.5, np.zeros(50), 1)
    places = [{"model": label} for label in ("one", "two")]
    places += [{"model": f"{label} (steps)", "stage": "steps"} for label in ("one", "two")]
    asides = [elsewhere(table, "answer-only", None, **where) for where in places]
    found_ = forgettings(asides, (), (), (), replicates=FAST)
    assert {(one.model, one.change.minus.model) for one in found_} == {("one (steps)", "one"), ("two (steps)", "two")}


def test_the_largest_budget_is_that_of_the_largest_model(study: Analysis) -> None:
    """A smaller model was tuned on more labels than the largest one."""
    table = drawn(np.random.default_rng(9), 0.5, np.zeros(50), 1)
    asides = []
    for model, params, labels in (("small", 10**6, 32), ("large", 10**8, 8)):
        asides.append(elsewhere(table, "answer-only", None, model=model, params=params))
        tuned = elsewhere(table.repeat(3, 0), "mine", "t", tune="lora", model=model, params=params)
        asides.append(replace(tuned, outcomes=changed(tuned.outcomes, labels=labels)))
    told = forgettings(asides, (), (), (), replicates=FAST)
    assert {one.labels for one in told} == {8, 32}
    (said,) = question("forgetting").ask(replace(study, forgetting=told))
    assert "at 100 M" in said.sentence


def test_a_stage_has_the_gain_of_its_most_accurate_method() -> None:
    rng = np.random.default_rng(5)
    hard = rng.normal(0, 1, 200)
    staged = {"stage": "steps", "model": "m (steps)"}
    own = [
        arm(drawn(rng, share, hard, 2), name, **where)
        for name, share, where in (("a", 0.3, {}), ("b", 0.4, {}), ("a", 0.9, staged), ("b", 0.5, staged))
    ]
    asides = [elsewhere(drawn(rng, 0.5, hard, 1), "answer-only", None, **where) for where in ({}, staged)]
    (one,) = forgettings(asides, own, (), stage_comparisons(own, replicates=FAST), replicates=FAST)
    assert one.home is None
    assert one.gain is not None
    assert (one.gain.method, one.gain.names) == ("a", ("steps", "base"))


def text(values: Array, method: str, home: str | None) -> Aside:
    one = elsewhere(values, method, home, tune=None if home is None else "lora", prompt="text")
    return replace(
        one, outcomes=replace(one.outcomes, measure=replace(one.outcomes.measure, metric=BITS, higher_is_better=False))
    )


def test_bits_that_rise_are_forgotten() -> None:
    rng = np.random.default_rng(6)
    before = rng.uniform(0.8, 1.2, (1, 80))
    for shift, verdict in ((0.1, "forgets"), (-0.1, "improves")):
        after = before + shift + rng.normal(0, 0.03, (3, 80))
        (one,) = forgettings([text(before, "text", None), text(after, "mine", "t")], (), (), (), replicates=FAST)
        assert one.verdict == verdict
        assert one.is_text
        assert one.change.difference == pytest.approx(shift, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "share"), [(1, 0.5), (3, 0.5), (5, 0.85)])
def test_forgetting_is_found_no_more_often_than_its_level(draws: int, share: float) -> None:
    """Nothing changes elsewhere: at most 5 % of studies say that something does."""
    rng = np.random.default_rng(draws)
    runs = 300
    wrong = sum(found(rng, share, share, draws, 80)[0].change.verdict in ("wins", "loses") for _ in range(runs))
    assert stats.binomtest(wrong, runs, 0.06, alternative="greater").pvalue > 0.01


# ---- out of a folder -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A study whose cells of coin flips were asked elsewhere: those of answers at once as before, LoRA's as after."""
    folder = synthetic_results(
        tmp_path_factory.mktemp("d") / "d",
        models=(("mid", 10**8),),
        methods=("answer-only", "lora-answers"),
        labels=(32,),
        seeds=3,
        items=80,
        voting=False,
    )
    kept = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    for path in sorted(folder.glob("cells/*/cell.json")):
        held = read_json(path)
        if held["task"] == "coin-flip":
            tuned = "tune" in held["method_spec"]
            if not tuned and held["seed"]:
                kept["cells"].remove(held["id"])
            held["elsewhere"] = {"task": "addition" if tuned else None}
            path.write_text(json.dumps(held if tuned else held | {"labels": 0}), encoding="utf-8")
    (folder / "study.json").write_text(json.dumps(kept), encoding="utf-8")
    return analyse(load(folder), replicates=FAST)


def test_it_is_said_drawn_and_in_json(study: Analysis) -> None:
    (one,) = study.forgetting
    assert (one.task, one.home, one.method, one.model) == ("coin-flip", "addition", "lora-answers", "mid")
    assert one.gain is not None
    shown = to_json(study)
    assert {cell["task"] for cell in shown["cells"]} == {"addition"}
    (held,) = shown["forgetting"]
    assert held["gain"]["sides"] == ["lora-answers", "answer-only"]
    (said,) = question("forgetting").ask(study)
    assert "What training forgets of coin-flip at 100 M, asked without examples: lora-answers" in said.sentence
    assert "; on addition" in said.sentence
    assert said.sentence.endswith("A method that prompts changes no weight and forgets nothing.")
    for language in ("en", "zh"):
        assert len(said.lines[language]) <= LONGEST
        drawn_ = {figure.name: figure for figure in figures(shown, language)}
        (panel,) = drawn_["forgetting"].panels
        assert len(panel.charts) == 2


def test_stages_asked_in_two_ways_are_told_apart_and_all_draws_are_said(study: Analysis) -> None:
    rng = np.random.default_rng(4)
    table = drawn(rng, 0.5, rng.normal(0, 1, 50), 2)
    staged = {"stage": "steps", "model": "m (steps)"}
    asides = [
        elsewhere(table[:1], way, None, prompt=way, **more) for way in ("answer-only", "cot") for more in ({}, staged)
    ]
    asides.append(elsewhere(table, "answers", "t", tune="lora"))
    (said,) = question("forgetting").ask(replace(study, forgetting=forgettings(asides, (), (), (), replicates=FAST)))
    for way in ("answer-only", "cot"):
        assert said.sentence.count(f"{way} on the model after “steps”") == 1
    assert "(n = 50 items × 1–2 draws)" in said.sentence
    (said,) = question("forgetting").ask(
        replace(study, forgetting=forgettings(asides[:2], (), (), (), replicates=FAST))
    )
    assert "answer-only" not in said.sentence
    assert "(n = 50 items, one draw of examples)" in said.sentence


def test_text_is_said_in_bits(study: Analysis) -> None:
    rng = np.random.default_rng(7)
    before = rng.uniform(0.8, 1.2, (1, 80))
    asides = [text(before, "text", None), text(before + 0.2 + rng.normal(0, 0.02, (3, 80)), "lora-answers", "t")]
    told = forgettings(asides, (), (), (), replicates=FAST)
    (said,) = question("forgetting of text").ask(replace(study, forgetting=told))
    assert said.verdict == "forgets"
    assert said.unit == "score"
    assert "bits a byte" in said.sentence
    assert len(said.short) <= LONGEST
    assert "None" not in said.sentences["zh"]


def test_bits_are_those_of_the_whole_text_over_its_bytes(tmp_path: Path, study: Analysis) -> None:
    """Log-probabilities of segments of unlike length, summed by hand."""
    cells = study.measured.cells.head(1).with_columns(task=_lit("text"), home=_lit(None))
    results = load(
        synthetic_results(tmp_path / "d", models=(("m", 10**6),), methods=("cot",), labels=(8,), seeds=1, voting=False)
    )
    first = results.cells.head(1).with_columns(task=_lit("text"))
    records = results.records.filter(results.records["cell"] == first["cell"][0])
    (one,) = asides_of(replace(results, cells=first, records=records))
    rows = records.to_dicts()
    known = [row for row in rows if row["gold_logprob"] is not None]
    bits = -sum(row["gold_logprob"] for row in known) / math.log(2)
    mean = np.mean([len(row["gold"].encode()) for row in rows])
    assert one.is_text
    assert float(np.nansum(one.outcomes.values)) * mean == pytest.approx(bits)
    assert not one.outcomes.higher_is_better
    assert len(cells)


def _lit(value: str | None) -> Any:
    import polars as pl

    return pl.lit(value, dtype=pl.String)
