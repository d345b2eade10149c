"""From a results folder to findings in words: nothing hard-coded, nothing claimed that is within noise."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load, to_json, write_findings
from onset.analysis.contrast.parts import Decided
from onset.analysis.questions import MOST, MOST_WITH_LADDER
from onset.analysis.questions.shift import ShiftLoss
from onset.analysis.questions.undecided import Undecided, items_needed
from onset.analysis.study import comparison_json
from onset.errors import StoreError

FAST = 2000
TWO_SIZES = (("tiny", 1_000_000), ("mid", 100_000_000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results(
        tmp_path_factory.mktemp("results") / "study", shifts=("none", "typos"), incomplete=True, seeds=5, items=100
    )


@pytest.fixture(scope="module")
def analysis(folder: Path) -> Analysis:
    """Three sizes of one family: a ladder."""
    return analyse(load(folder), replicates=FAST)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Two sizes: no ladder."""
    made = synthetic_results(
        tmp_path_factory.mktemp("plain") / "study", models=TWO_SIZES, shifts=("none", "typos"), seeds=5, items=100
    )
    return analyse(load(made), replicates=FAST)


def of_kind(analysis: Analysis, kind: str) -> list[str]:
    return [finding.sentence for finding in analysis.findings if finding.kind == kind]


def test_the_json_has_the_documented_shape(analysis: Analysis) -> None:
    shown = json.loads(json.dumps(to_json(analysis), allow_nan=False))
    known = [
        "study",
        "sources",
        "notes",
        "cells",
        "comparisons",
        "models",
        "scores",
        "score_pairs",
        "partial_scores",
        "confidence",
        "abstention",
        "knowledge_by_size",
        "facts_in_weights",
        "conflicts",
        "stages",
        "stage_gains",
        "stage_reach",
        "stage_steps",
        "forgetting",
        "robustness",
        "stage_shifts",
        "pretraining_seeds",
        "curves",
        "gains",
        "task_orders",
        "label_curves",
        "break_even_labels",
        "costs",
        "break_even_queries",
        "classification",
        "banks",
        "chains",
        "calibrations",
        "thinking",
        "searches",
        "second_readings",
        "decisions",
        "findings",
        "missing",
        "failed",
    ]
    assert list(shown) == known
    assert shown["study"] == "synthetic"
    cell = {"model", "params", "stage", "method", "labels", "task", "shift", "seed", "n", "correct", "accuracy"}
    assert cell | {"interval", "parse_rate", "tokens", "flops", "seconds"} <= set(shown["cells"][0])
    comparison = {"sides", "model", "params", "stage", "labels", "task", "shift", "seeds", "n", "accuracy_a"}
    comparison |= {"accuracy_b", "difference", "interval", "t_interval", "p", "p_holm", "test", "family", "margin"}
    assert comparison | {"verdict", "needed", "sentence", "mismatch"} <= set(shown["comparisons"][0])
    assert {"task", "method", "labels", "family", "sizes", "n", "correct", "emergence", "sentence"} <= set(
        shown["curves"][0]
    )
    finding = {"subject", "verdict", "tone", "estimate", "unit", "interval", "n", "test", "sentence", "figure"}
    assert all(finding <= set(one) for one in shown["findings"])
    assert len(shown["missing"]) == len(shown["failed"]) == 1
    (row, *_) = shown["cells"]
    assert row["interval"] == [row["low"], row["high"]]


def test_findings_are_few_and_every_kind_of_question_is_answered(analysis: Analysis, plain: Analysis) -> None:
    assert len(analysis.findings) <= MOST_WITH_LADDER
    kinds = list(dict.fromkeys(finding.kind for finding in analysis.findings))
    assert kinds == ["crossover", "prompt or tune", "best method", "chain of thought", "shift", "size", "warning"]
    assert len(plain.findings) <= MOST
    kinds = list(dict.fromkeys(finding.kind for finding in plain.findings))
    assert kinds == ["best method", "prompt or tune", "chain of thought", "shift", "warning"]


def test_findings_agree_with_the_tables(plain: Analysis) -> None:
    """A claim about chain of thought names exactly the models whose comparison was decided that way."""
    assert of_kind(plain, "chain of thought")
    for finding in plain.findings:
        if finding.kind != "chain of thought":
            continue
        pairs = [
            one
            for one in plain.contrasts.methods
            if one.names == ("cot", "answer-only")
            and (one.task, one.shift, one.labels) == (finding.subject, "none", 32)
        ]
        helped = [one.model for one in pairs if one.verdict == "wins"]
        hurt = [one.model for one in pairs if one.verdict == "loses"]
        said = finding.sentence.split(": ", 1)[1]
        assert ("helps " in said) == bool(helped)
        assert ("hurts " in said) == bool(hurt)
        largest = next(one for one in pairs if one.model == "mid")
        assert (finding.estimate, finding.interval) == (largest.difference, largest.interval)


def test_warnings_name_what_is_missing_unread_and_too_long(analysis: Analysis) -> None:
    warnings = of_kind(analysis, "warning")
    assert warnings[0] == (
        "Incomplete: 1 cell not run yet and 1 cell failed (for example: ModelError: the model ran out of memory at"
        " batch size 1); what is said here rests on the rest."
    )
    low = [arm for arm in analysis.arms if arm.readable < 0.8]
    assert warnings[1].startswith(f"Answers not found: in {len(low)} of {len(analysis.arms)} settings fewer than 80 %")
    total = int(analysis.measured.cells["overlong"].sum())
    assert total > 0
    assert warnings[2].startswith(f"{total} prompts do not fit the model's context and count as wrong (cot on ")


def noise(folder: Path, **changes: Any) -> Path:
    """Results in which no method differs from another: the same outcomes, shuffled by a coin."""
    made = synthetic_results(folder, methods=("answer-only", "cot", "lora-answers"), voting=False, **changes)
    rng = np.random.default_rng(0)
    for path in sorted(made.glob("cells/*/records.parquet")):
        table = pl.read_parquet(path)
        table = table.with_columns(correct=pl.Series(rng.random(len(table)) < 0.5), status=pl.lit("ok"))
        table.write_parquet(path)
        done = {"records": len(table), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        path.with_name("done.json").write_text(json.dumps(done))
    return made


def test_nothing_is_claimed_where_there_is_only_noise(tmp_path: Path) -> None:
    folder = noise(tmp_path / "noise", models=TWO_SIZES, seeds=5, items=60, shifts=("none", "typos"))
    quiet = analyse(load(folder), replicates=FAST)
    assert {one.verdict for one in quiet.contrasts.methods} <= {"undecided", "equivalent"}
    verdicts = {finding.kind: finding.verdict for finding in quiet.findings}
    assert verdicts["best method"] in ("undecided", "not above chance")
    assert verdicts["prompt or tune"] == "undecided"
    assert verdicts["chain of thought"] == "undecided"
    assert verdicts["shift"] == "undecided"
    text = " ".join(finding.sentence for finding in quiet.findings)
    assert " beats " not in text
    assert "helps" not in text
    assert "does best" not in text
    assert "no method is shown to be above chance (50.0 %)" in text


def test_two_families_share_no_curve_and_the_findings_say_so(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path / "two", families=("alpha", "alpha", "beta"), tasks=(("addition", 0.0),), items=40, voting=False
    )
    mixed = analyse(load(folder), replicates=FAST)
    assert {curve.family for curve in mixed.sizes.curves} == {"alpha", "beta"}
    assert all(curve.found is None for curve in mixed.sizes.curves)
    (chain,) = of_kind(mixed, "chain of thought")
    assert chain.endswith("The models are of different families, so this is not an effect of size alone.")
    assert not of_kind(mixed, "size")


def test_a_single_model_and_method_is_measured(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path / "one", models=(("only", 5_000_000),), methods=("answer-only",), labels=(8,), voting=False,
        tasks=(("addition", 0.0),), seeds=1,
    )  # fmt: skip
    alone = analyse(load(folder))
    (finding,) = alone.findings
    row = alone.measured.cells.to_dicts()[0]
    assert (finding.verdict, finding.estimate, finding.interval) == (
        "measured",
        row["accuracy"],
        (row["low"], row["high"]),
    )
    assert finding.sentence == (
        f"On addition, only with 8 labelled examples reaches {100 * row['accuracy']:.1f} % with answer-only"
        f" ({100 * row['accuracy']:.1f} %, 95 % interval {100 * row['low']:.1f} to {100 * row['high']:.1f} %;"
        " n = 60 items, one draw of examples)."
    )


def test_a_study_without_a_finished_cell(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(
        json.dumps({"format": 1, "onset": "0.1.0", "study": {"name": "new"}, "cells": ["a", "b"]})
    )
    empty = analyse(load(tmp_path))
    assert [finding.sentence for finding in empty.findings] == [
        "No cell of this study is finished.",
        "Incomplete: 2 cells not run yet; what is said here rests on the rest.",
    ]
    assert to_json(empty)["missing"] == ["a", "b"]


def test_the_margin_is_the_studys(folder: Path) -> None:
    results = load(folder)
    results.study["margin"] = 0.02  # type: ignore[index]
    assert {one.scale.margin for one in analyse(results, replicates=200).contrasts.methods} == {0.02}
    assert {one.scale.margin for one in analyse(results, margin=0.1, replicates=200).contrasts.methods} == {0.1}


def test_equal_results_give_equal_bytes(folder: Path, analysis: Analysis) -> None:
    path = folder / "findings.json"
    assert write_findings(folder, analysis) == str(path)
    first = path.read_bytes()
    held = json.loads(first)
    assert held["format"] == 3
    assert held["comparisons"][0] == json.loads(json.dumps(comparison_json(analysis.contrasts.methods[0])))
    assert len(held["findings"]) == len(analysis.findings)
    write_findings(folder, analyse(load(folder), replicates=FAST))
    assert path.read_bytes() == first


def test_findings_that_cannot_be_written(tmp_path: Path, analysis: Analysis) -> None:
    (tmp_path / "gone").write_text("")
    with pytest.raises(StoreError, match=r"^cannot write .*gone"):
        write_findings(tmp_path / "gone", analysis)


def test_reading_results_never_imports_torch(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from onset.analysis import analyse, load, to_json;"
        f"to_json(analyse(load(Path({str(folder)!r})), replicates=100));"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        ((310,), "one of them takes about 310 items to decide"),
        ((310, 900), "2 of them take about 310 to 900 items to decide"),
        ((310, 310), "2 of them take about 310 items to decide"),
        ((310, 500, 900), "3 of them take about 310 to 900 items to decide, half of them at most 500"),
    ],
)
def test_the_items_that_would_decide_are_said_in_plain_words(needed: tuple[int, ...], text: str) -> None:
    assert items_needed(needed) == text


def test_models_of_one_size_each_have_their_own_finding_under_a_shift(analysis: Analysis) -> None:
    """Not one sentence that names one of them and lists the methods of both."""
    top = max(loss.params for loss in analysis.contrasts.losses)
    other = [
        replace(loss, minus=replace(loss.minus, model="its twin"))
        for loss in analysis.contrasts.losses
        if loss.params == top
    ]
    both = replace(
        analysis,
        contrasts=replace(analysis.contrasts, losses=(*analysis.contrasts.losses, *other), loss_differences=()),
    )
    alone = replace(analysis, contrasts=replace(analysis.contrasts, loss_differences=()))
    (model,) = {loss.model for loss in analysis.contrasts.losses if loss.params == top}
    plain = [finding.sentence for finding in ShiftLoss().ask(alone)]
    twins = [finding.sentence.replace("its twin", model) for finding in ShiftLoss().ask(both)]
    assert sorted(twins) == sorted(plain * 2)


def test_one_undecided_comparison_is_spoken_of_as_one(plain: Analysis) -> None:
    stuck = replace(plain.contrasts.methods[0], decided=Decided("", 1, 0.5, 0.5, "undecided"))
    assert stuck.difference
    wins = replace(stuck, decided=Decided("", 1, 0.01, 1.0, "wins"))
    for rows, expected in (
        ((stuck, wins), "1 of 2 comparisons is undecided: .*; 1 needs more seeds rather than more items."),
        ((stuck, stuck, wins), "2 of 3 comparisons are undecided: .*; 2 need more seeds rather than more items."),
    ):
        (said,) = Undecided().ask(cast(Any, SimpleNamespace(contrasts=SimpleNamespace(methods=rows))))
        assert re.fullmatch(expected, said.sentence)
