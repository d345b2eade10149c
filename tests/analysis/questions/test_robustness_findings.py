"""What is said of robustness: who falls how much, does the order change, from which size on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_arms import arm, changed
from scipy.stats import binomtest
from synthetic import METHOD_SPECS, ladder_results, synthetic_results

from onset.analysis import Analysis, analyse, load
from onset.analysis.contrast.asked import compare_all, loss_differences, losses
from onset.analysis.estimates.falls import falls, worst_cases
from onset.analysis.estimates.label_curves import label_curves, means_of
from onset.analysis.estimates.reorder import leads
from onset.analysis.estimates.shift_wins import ShiftWin, shift_wins
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import question
from onset.analysis.stats.adjust import ALPHA

FAST = 300
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
NAMES = ("matched loss", "order under shift", "worst shift", "drop by size", "trap set")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Two test sets under a shift, one of them other items."""
    folder = synthetic_results(
        tmp_path_factory.mktemp("shifts"), shifts=("none", "typos", "domain"), labels=(8,), seeds=2, items=60,
        tasks=(("coin-flip", 0.5),), models=tuple((f"m{at}", size) for at, size in enumerate(SIZES)), voting=False,
        methods=("answer-only", "lora-answers", "full-answers"),
    )  # fmt: skip
    return analyse(load(folder), replicates=FAST)


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A tuned method that leads on clean items, and falls behind under the shift from the third size on."""
    truth = {
        ("chains", "cot"): (0.20, 0.40, 0.60, 0.75),
        ("chains", "lora-rationales"): (0.40, 0.60, 0.80, 0.95),
        ("chains", "cot", "names"): (0.15, 0.35, 0.60, 0.75),
        ("chains", "lora-rationales", "names"): (0.35, 0.40, 0.42, 0.45),
    }
    return analyse(
        load(ladder_results(tmp_path_factory.mktemp("crossing"), truth, sizes=SIZES, items=300)), replicates=FAST
    )


def first(study: Analysis, name: str) -> Finding:
    return next(iter(question(name).ask(study)))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_said_in_both_languages_with_its_estimate_within_its_interval(name: str, study: Analysis) -> None:
    for one in question(name).ask(study):
        assert one.sentence.endswith(".")
        assert re.search("[\u4e00-\u9fff]", one.sentences["zh"])
        assert not re.search("[a-z]{4} [a-z]{4} [a-z]{4}", one.sentences["zh"])
        assert one.interval is not None
        assert one.estimate is not None
        assert one.interval[0] is not None
        assert one.interval[1] is not None
        assert one.interval[0] <= one.estimate <= one.interval[1]
        assert "(" in one.short
        for line in one.lines.values():
            assert len(line) <= 110


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("verdict", ["undecided", "equivalent"])
def test_more_and_less_are_said_where_a_fall_is_not_shown_to_differ(study: Analysis, verdict: Any, sign: float) -> None:
    grids = study.robustness.grids
    (top,) = [one for one in grids[0].methods if one.difference is not None][:1]
    turned = replace(top, difference=sign * 0.03, verdict=verdict)
    held = replace(grids[0], methods=(turned,))
    (said,) = question("matched loss").ask(replace(study, robustness=replace(study.robustness, grids=(held,))))
    assert said.estimate == sign * 0.03
    word = "less" if sign > 0 else "more"
    assert f"3.0 points {word}" in said.sentence
    assert f"3.0 points {word} (" in said.short
    assert f"{'少' if sign > 0 else '多'}降 3.0" in said.lines["zh"]


def test_a_reversal_is_said_with_its_sizes_and_where_the_curves_meet(crossing: Analysis) -> None:
    said = first(crossing, "order under shift")
    assert (said.verdict, said.tone) == ("reverses", "against")
    assert "the order of lora-rationales and cot reverses" in said.sentence
    assert "on clean items lora-rationales is ahead at every size" in said.sentence
    assert "under the shift cot is shown ahead from 10 M on, the fitted curves meeting at" in said.sentence
    assert "the order is shown to reverse at 10 M and 100 M" in said.sentence
    assert said.estimate is not None
    assert said.estimate < -0.3
    drop = first(crossing, "drop by size")
    assert (drop.verdict, drop.tone) == ("rises", "against")
    assert "that of lora-rationales rises by" in drop.sentence


def test_the_same_finding_says_that_a_lead_is_kept(tmp_path: Path) -> None:
    truth = {
        ("chains", "cot"): (0.2, 0.4),
        ("chains", "lora-rationales"): (0.5, 0.8),
        ("chains", "cot", "names"): (0.2, 0.4),
        ("chains", "lora-rationales", "names"): (0.5, 0.8),
    }
    held = analyse(load(ladder_results(tmp_path, truth, sizes=SIZES[:2], items=200)), replicates=FAST)
    said = first(held, "order under shift")
    assert (said.verdict, said.tone) == ("keeps", "for")
    assert "lora-rationales keeps its lead over cot" in said.sentence
    assert not list(question("drop by size").ask(held))  # two sizes are no trend


def test_of_prompts_with_complex_demonstrations_the_lead_is_followed(tmp_path: Path) -> None:
    shown: dict[str, Mapping[str, object]] = {**METHOD_SPECS}
    METHOD_SPECS["cot-complex"] = {"prompt": "cot", "choose": {"kind": "complex"}}
    try:
        truth = {
            ("chains", "cot"): (0.4, 0.5),
            ("chains", "cot-complex"): (0.6, 0.7),
            ("chains", "cot", "names"): (0.35, 0.45),
            ("chains", "cot-complex", "names"): (0.2, 0.25),
        }
        held = analyse(load(ladder_results(tmp_path, truth, sizes=SIZES[:2], items=300)), replicates=FAST)
    finally:
        METHOD_SPECS.clear()
        METHOD_SPECS.update({name: dict(spec) for name, spec in shown.items()})
    said = first(held, "complex demonstrations")
    assert (said.verdict, said.kind) == ("reverses", "complex demonstrations")
    assert "the order of cot-complex and cot reverses" in said.sentence
    assert not list(question("order under shift").ask(held))  # nothing is tuned


def test_a_trap_set_is_held_against_a_constant_answer_with_both_halves(study: Analysis) -> None:
    (said,) = question("trap set").ask(study)
    assert "a constant answer is right on 50.0 % of the items, each answer counted the same" in said.sentence
    assert re.search(r'[\d.]+ % of "yes" right', said.sentence)
    assert re.search(r'[\d.]+ % of "no" right', said.sentence)


def edited(folder: Path, shift: str, change: pl.Expr) -> Path:
    """The records of a made-up study under one shift, changed."""
    for cell in (folder / "cells").iterdir():
        if json.loads((cell / "cell.json").read_text())["shift"] == shift:
            table = pl.read_parquet(cell / "records.parquet").with_columns(change)
            table.write_parquet(cell / "records.parquet")
            told = json.loads((cell / "done.json").read_text())
            told["sha256"] = hashlib.sha256((cell / "records.parquet").read_bytes()).hexdigest()
            (cell / "done.json").write_text(json.dumps(told))
    return folder


def test_a_test_set_of_one_answer_is_a_warning_that_always_has_a_place(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path, shifts=("none", "domain"), labels=(8,), seeds=1, items=40, tasks=(("coin-flip", 0.5),),
        models=(("m", 10**7),), voting=False,
    )  # fmt: skip
    held = analyse(load(edited(folder, "domain", pl.lit("yes").alias("gold"))), replicates=FAST)
    (said,) = question("single answer").ask(held)
    assert (said.tone, said.n) == ("warning", 40)
    assert 'all 40 items of the test set domain of coin-flip have the answer "yes"' in said.sentence
    assert said in held.findings
    assert not list(question("trap set").ask(held))


def test_the_worst_group_is_said_with_its_name(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path, shifts=("none", "typos"), labels=(8,), seeds=1, items=60, tasks=(("addition", 0.0),),
        models=(("m", 10**8),), voting=False,
    )  # fmt: skip
    group = (
        pl.when(pl.col("position") % 2 == 0)
        .then(pl.lit('{"kind": "even"}'))
        .otherwise(pl.lit('{"kind": "odd"}'))
        .alias("meta")
    )
    folder = edited(edited(folder, "typos", group), "none", group)
    right = (pl.col("correct") & (pl.col("position") % 2 == 0)).alias("correct")
    held = analyse(load(edited(folder, "typos", right)), replicates=FAST)
    (said,) = question("worst group").ask(held)
    assert said.verdict == "uneven"
    assert "Worst group of 2 by kind under the shift typos on addition" in said.sentence
    assert "odd with 0.0 % right" in said.sentence


def test_the_worst_shift_names_it_and_where_accuracy_is_lowest(study: Analysis) -> None:
    (said,) = question("worst shift").ask(study)
    assert "Worst of 2 shifts on coin-flip, m3" in said.sentence
    assert "loses most under" in said.sentence
    assert said.test == "simultaneous over 2 shifts (Bonferroni)"


# ---- a win under a shift alone -------------------------------------------------------------------------------------


def of_one_shift(a: int, b: int, shift: str) -> list[Outcomes]:
    """Two methods, alike on clean items; under the shift ``a`` items are right with the first alone, ``b`` with the
    other alone.
    """
    level = np.array([1.0] * 50 + [0.0] * 50)
    first, other = level.copy(), level.copy()
    other[:a] = 0
    first[a : a + b] = 0
    names, twins = (tuple(f"{start}{at:04d}" for at in range(100)) for start in (shift, ""))
    return [
        made
        for method, values in (("lora", first), ("prompt", other))
        for made in (arm(values, items=names, shift=shift, twins=twins, method=method), arm(level, method=method))
    ]


def wins_of(arms: Sequence[Outcomes]) -> tuple[ShiftWin, ...]:
    distinct = tuple({one.at: one for one in arms}.values())
    methods = compare_all(distinct)
    return shift_wins(methods, leads(methods, loss_differences(distinct)))


def test_a_win_under_a_shift_alone_is_corrected_for_all_shifts() -> None:
    (alone,) = wins_of(of_one_shift(12, 3, "reviews"))
    exact = binomtest(3, 15).pvalue
    assert alone.sides == ("lora", "prompt")
    assert alone.p_shifts == pytest.approx(exact)
    assert (alone.compared, alone.shifts) == (1, 1)
    beside = [*of_one_shift(12, 3, "reviews"), *of_one_shift(4, 4, "typos")]
    assert 2 * exact > ALPHA
    assert wins_of(beside) == ()
    (found,) = wins_of([*of_one_shift(2, 18, "reviews"), *of_one_shift(4, 4, "typos")])
    assert found.sides == ("prompt", "lora")
    assert found.p_shifts == pytest.approx(2 * binomtest(2, 20).pvalue)
    shown = found.json()
    assert shown["sides"] == ["prompt", "lora"]
    assert shown["difference"] == pytest.approx(0.16)
    assert (shown["clean"], shown["clean_verdict"], shown["shifts"]) == (0.0, "equivalent", 2)


def test_it_is_said_beside_what_is_not_shown_on_clean_items(crossing: Analysis, tmp_path: Path) -> None:
    assert not list(question("win under shift").ask(crossing))  # there the order reverses, or the lead is kept
    truth = {
        ("chains", "cot"): (0.2, 0.5),
        ("chains", "lora-rationales"): (0.3, 0.52),
        ("chains", "cot", "names"): (0.1, 0.2),
        ("chains", "lora-rationales", "names"): (0.3, 0.5),
        ("chains", "cot", "typos"): (0.2, 0.5),
        ("chains", "lora-rationales", "typos"): (0.3, 0.52),
    }
    held = analyse(load(ladder_results(tmp_path, truth, sizes=SIZES[:2], items=300)), replicates=FAST)
    (said,) = question("win under shift").ask(held)
    assert (said.verdict, said.tone, said.subject) == (
        "wins",
        "for",
        "chains, names, lora-rationales and cot, rungs/r1",
    )
    assert "lora-rationales is better than cot, by" in said.sentence
    assert "corrected for 2 comparisons of methods under 2 shifts" in said.sentence
    assert "On clean items that is not shown (" in said.sentence
    assert "That the shift widens the lead is shown too (" in said.sentence
    assert said.short.startswith("Under names alone LoRA on worked steps is shown to beat chain of thought: ")
    assert not re.search("[a-z]{4} [a-z]{4} [a-z]{4}", said.sentences["zh"])


def test_what_is_asked_without_examples_is_one_test_at_every_budget() -> None:
    found = {}
    for budgets in ((8,), (8, 32, 128)):
        arms = [
            changed(one, labels=labels, shown=(0, 0), used=0)
            for labels in budgets
            for one in of_one_shift(12, 3, "reviews")
        ]
        found[budgets] = {(one.p_shifts, one.compared) for one in wins_of(arms)}
    assert found[8,] == found[8, 32, 128]
    assert [*found[8,]] == [(pytest.approx(binomtest(3, 15).pvalue), 1)]


# ---- models of one size --------------------------------------------------------------------------------------------


def stub(arms: Sequence[Outcomes], **held: Any) -> Any:
    """As much of an analysis as these questions look at."""
    return SimpleNamespace(
        arms=arms,
        robustness=SimpleNamespace(**held),
        contrasts=SimpleNamespace(losses=losses(arms), loss_differences=()),
        named=lambda task: None,
        given=lambda *_, **__: "with 8 labels",
        shown=lambda *_, **__: {},
        used=lambda *_, **__: 8,
    )


def test_a_win_under_a_shift_is_said_of_one_model() -> None:
    arms = [
        changed(one, model=model)
        for model, counts in (("base", (2, 18)), ("instruct", (12, 2)))
        for one in of_one_shift(*counts, "reviews")
    ]
    found = wins_of(arms)
    assert {(one.model, one.sides[0]) for one in found} == {("base", "prompt"), ("instruct", "lora")}
    (said,) = question("win under shift").ask(stub(arms, wins=found))
    assert "The same holds for" not in said.sentence


def test_the_worst_shift_is_said_of_one_model() -> None:
    arms = []
    for model, method, right, lost in (
        ("base", "lora", 60, 3),
        ("instruct", "lora", 55, 2),
        ("base", "prompt", 50, 4),
    ):
        clean = (np.arange(100) < right).astype(float)
        arms.append(arm(clean, method=method, model=model))
        for shift in ("typos", "swaps"):
            names = tuple(f"{shift}{at:04d}" for at in range(100))
            twins = tuple(f"{at:04d}" for at in range(100))
            arms.append(
                arm((np.arange(100) < right - lost).astype(float), method=method, model=model, shift=shift, items=names,
                    twins=twins)
            )  # fmt: skip
    worst = worst_cases(falls(losses(arms), means_of(label_curves(arms))), arms, margin=0.05)
    (said,) = question("worst shift").ask(stub(arms, worst=worst))
    assert "base" in said.sentence
    assert said.sentence.count("lora") == said.sentence.count("prompt") == 1


def test_where_only_gains_are_shown_the_largest_is_named() -> None:
    level = np.array([1.0] * 50 + [0.0] * 50)
    up = np.array([1.0] * 65 + [0.0] * 35)
    flat = np.array([0.0] * 2 + [1.0] * 49 + [0.0] * 49)
    arms = []
    for method, shifted in (("a", flat), ("b", up)):
        twins = tuple(f"{at:04d}" for at in range(100))
        names = tuple(f"typos{at:04d}" for at in range(100))
        arms += [arm(level, method=method), arm(shifted, method=method, shift="typos", items=names, twins=twins)]
    (said,) = question("shift").ask(stub(arms))
    assert (said.verdict, said.estimate) == ("gains", -0.15)
    assert said.lines["en"].startswith("No method is shown to lose under the shift typos; b gains 15.0 points")
