"""What holds for every question: a line in the table of `onset.analysis.questions` enrols it here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from synthetic import LADDER, ladder_results, synthetic_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.finding import Finding
from onset.analysis.phrases import LANGUAGES, phrase
from onset.analysis.questions import QUESTIONS, question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.words import begun, said
from onset.report.figures import figures

FAST = 500
FORMATS = Path(__file__).parents[3] / "docs" / "notes" / "formats.md"
TRUTH = {
    ("chains", "answer-only"): (0.03, 0.04, 0.14, 0.22, 0.45, 0.52, 0.61, 0.73),
    ("chains", "cot"): (0.02, 0.04, 0.88, 0.96, 0.99, 0.99, 0.99, 0.99),
    ("chains", "cot-vote"): (0.03, 0.05, 0.98, 0.99, 1.0, 1.0, 1.0, 1.0),
    ("chains", "lora-rationales"): (0.10, 0.45, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80),
    ("chains", "cot", "names"): (0.02, 0.04, 0.60, 0.70, 0.80, 0.85, 0.90, 0.90),
    ("fact[frequency=head]", "answer-only"): (0.08, 0.30, 0.60, 0.80, 0.90, 0.97, 0.98, 0.99),
    ("fact[frequency=tail]", "answer-only"): (0.05, 0.05, 0.08, 0.15, 0.30, 0.50, 0.70, 0.85),
    ("grows", "cot"): (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
}
LATER = (0.02, 0.03, 0.04, 0.05, 0.06, 0.3, 0.8, 0.95)
"""Accuracy of a model that lacks an ingredient, over the sizes."""
UNHEARD = {
    "calibration",
    "pretraining seeds",
    "partial score",
    "abstention",
    "passage or memory",
    "facts in weights",
    "knowledge by size",
    "search",
    "best model",
    "score",
    "pairing",
    "sizes",
    "one label",
    "majority",
    "results",
    "process",
    "calculator",
    "second reader",
    "steps by stage",
    "forgetting",
    "forgetting of text",
    "complex demonstrations",
    "win under shift",
    "worst shift",
    "trap set",
    "worst group",
    "single answer",
    "wordy",
}
"""Questions about what none of the made-up studies has; their own tests hear them."""
BY_SIZE = {
    "emergence",
    "crossover",
    "voting",
    "size by task",
    "ingredient by size",
    "size",
    "curves",
    "knowledge by size",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def studies(place: Path) -> dict[str, Analysis]:
    """A ladder with tuning, votes, a shift and a lacking ingredient; and a plain study with all else."""
    lacking = [("without steps", size, {("chains", "cot"): LATER[at]}) for at, size in enumerate(LADDER)]
    lacking[-1][-1].update({("chains", "answer-only"): 0.6, ("chains", "cot-vote"): 0.9})
    tasks = (("addition", 0.0), ("coin-flip", 0.5), ("tickets", 0.25))
    plain = synthetic_results(
        place / "plain", tasks=tasks, own=["tickets"], shifts=("none", "typos"), seeds=2, items=40, incomplete=True
    )
    ladder = ladder_results(place / "ladder", TRUTH, variants=lacking, items=80)
    return {name: analyse(load(folder), replicates=FAST) for name, folder in (("plain", plain), ("ladder", ladder))}


@pytest.fixture(scope="module")
def drawn(studies: Mapping[str, Analysis]) -> dict[str, set[str]]:
    return {name: {one.name for one in figures(to_json(study))} for name, study in studies.items()}


@pytest.fixture(scope="module")
def empty(place: Path) -> Analysis:
    folder = place / "empty"
    (folder / "cells").mkdir(parents=True)
    (folder / "study.json").write_bytes((place / "plain" / "study.json").read_bytes())
    return analyse(load(folder), replicates=FAST)


@pytest.fixture(scope="module")
def one_size(place: Path) -> Analysis:
    return analyse(load(synthetic_results(place / "one", models=(("mid", 10**8),), seeds=2, items=30)), replicates=FAST)


def heard(studies: Mapping[str, Analysis], name: str) -> list[tuple[str, Finding]]:
    return [(which, one) for which, study in studies.items() for one in question(name).ask(study)]


@pytest.mark.parametrize("name", sorted(set(QUESTIONS) - UNHEARD))
def test_it_is_heard_in_a_study_that_has_something_to_say_of_it(name: str, studies: dict[str, Analysis]) -> None:
    assert heard(studies, name)


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_findings_are_of_its_kind_and_verdicts(name: str, studies: dict[str, Analysis]) -> None:
    asked = question(name)
    for _, one in heard(studies, name):
        assert (one.kind, one.unit, one.figure) == (asked.kind, asked.unit, asked.figure)
        assert one.tone == asked.verdicts[one.verdict]
        assert one.subject
        assert one.sentence.endswith(".")
        assert one.sentences["zh"].endswith("\N{IDEOGRAPHIC FULL STOP}")
        assert "None" not in one.sentences["zh"]
        assert "None" not in one.sentence
        assert "<" not in one.sentence


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_estimate_is_in_its_unit_and_within_its_interval(name: str, studies: dict[str, Analysis]) -> None:
    within = {"share": (0, 1), "points": (-1, 1)}
    for _, one in heard(studies, name):
        if one.unit == "count":
            assert (one.estimate, one.interval) == (None, None)
            assert (one.n or 0) > 0
        if one.estimate is None:
            assert one.interval is None
            continue
        least, most = within.get(one.unit, (1e-9, float("inf")))
        low, high = one.interval or (None, None)
        assert least <= (least if low is None else low) <= one.estimate <= (most if high is None else high) <= most


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_short_lines_are_short_and_plain(name: str, studies: dict[str, Analysis]) -> None:
    for which, one in heard(studies, name):
        assert set(one.lines) == set(LANGUAGES)
        names = tuple(
            {part for arm in studies[which].arms for part in (arm.task.partition("[")[0], arm.model, arm.method)}
        )
        for language, text in one.lines.items():
            assert 0 < len(text) <= LONGEST
            assert language == "zh" or begun(text) == text or text.startswith(names)
            assert not {"\N{HORIZONTAL ELLIPSIS}", "{", "[", "="} & set(text)
        assert one.interval is None or "(" in one.short


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_kind_and_verdicts_have_labels(name: str) -> None:
    asked = question(name)
    for language in LANGUAGES:
        assert phrase(f"label.kind.{asked.kind}", language)
        assert all(said(asked.kind, verdict, language) for verdict in asked.verdicts)


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_figure_is_among_the_figures_of_the_report(
    name: str, studies: dict[str, Analysis], drawn: dict[str, set[str]]
) -> None:
    for which, one in heard(studies, name):
        assert one.figure is None or one.figure in drawn[which]


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_says_of_a_folder_without_results_that_nothing_is_there(name: str, empty: Analysis) -> None:
    missing = {"results": ["no results"], "cells": ["incomplete"]}
    assert [one.verdict for one in question(name).ask(empty)] == missing.get(name, [])


@pytest.mark.parametrize("name", sorted(BY_SIZE))
def test_it_says_nothing_about_size_of_one_size(name: str, one_size: Analysis) -> None:
    assert question(name).ask(one_size) == ()


def test_questions_about_size_are_known() -> None:
    assert {name for name in QUESTIONS if question(name).about_size} <= BY_SIZE


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_kind_and_verdicts_are_named_in_the_formats(name: str) -> None:
    asked, text = question(name), " ".join(FORMATS.read_text().split())
    assert {one for one in (asked.kind, *asked.verdicts) if f"`{one}`" not in text} == set()


def test_findings_are_plain_json(studies: dict[str, Analysis]) -> None:
    for study in studies.values():
        shown = to_json(study)["findings"]
        assert [one["short"] for one in shown] == [one.short for one in study.findings]
        assert [one["short"] for one in to_json(study, "zh")["findings"]] == [one.lines["zh"] for one in study.findings]
        assert json.loads(json.dumps(shown, allow_nan=False)) == shown
        assert all({"tone", "unit", "figure", "short"} <= set(one) for one in shown)
        assert not any({"rank", "lines"} & set(one) for one in shown)
