"""Scores that are not right or wrong, as lm-evaluation-harness wrote them: read, averaged, compared, shown."""

from __future__ import annotations

import json
import math
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import SCORES, copied
from scipy import stats
from statsmodels.stats.multitest import multipletests

from onset.analysis import analyse, to_json
from onset.analysis.contrast.sets import compare_sets
from onset.analysis.estimates.scores import ScorePair, Scores, compare_scores
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.stats.bootstrap import Block, crossed_bootstrap
from onset.cli import main
from onset.errors import DataError
from onset.read import read_measured, read_outcomes
from onset.report.comparison import summary

PER_ITEM = {
    "world_text": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "world_place": ("perplexity",),
    "world_words": ("f1",),
}


def told(model: str, folder: Path = SCORES) -> dict[str, Any]:
    (file,) = (folder / model).glob("results_*.json")
    return dict(json.loads(file.read_text())["results"])


def samples(model: str, task: str, folder: Path = SCORES) -> list[dict[str, Any]]:
    (file,) = (folder / model).glob(f"samples_{task}_*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def compared(folder: Path = SCORES, **asked: Any) -> Scores:
    measured = read_measured(folder, **asked)
    return compare_scores(measured.scores, measured.stated)


def run(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints; it has to end well."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([*command])
    assert not end.value.code
    return capsys.readouterr().out


def pair(scores: Scores, metric: str) -> ScorePair:
    (one,) = (one for one in scores.pairs if one.plus.metric == metric)
    return one


@pytest.fixture(scope="module")
def scores() -> Scores:
    return compared()


def jackknife(estimate: Any, items: int) -> float:
    """The standard error of ``estimate`` of the places kept, leaving one item out at a time."""
    left_out = np.array([estimate([place for place in range(items) if place != out]) for out in range(items)])
    return math.sqrt((items - 1) / items * float(((left_out - left_out.mean()) ** 2).sum()))


# --------------------------------------------------------------------------------------------------------------- means


def test_every_mean_is_the_one_that_the_harness_states(scores: Scores) -> None:
    found = {(one.task, one.model, one.metric): one for one in scores.means}
    assert {(task, metric) for task, _, metric in found} == {
        *((task, metric) for task, metrics in PER_ITEM.items() for metric in metrics),
        ("world_words", "chrf"),
    }
    for (task, model, metric), one in found.items():
        assert one.value == pytest.approx(told(model)[task][f"{metric},none"], rel=1e-12)
        assert one.higher_is_better == (metric in ("f1", "chrf"))
        assert one.n == len(samples(model, task))
        assert (one.draws > 0) == (metric != "chrf")
    # the harness states the standard error of a mean, and bootstraps that of a perplexity
    for model in ("r2", "r4"):
        f1 = found["world_words", model, "f1"]
        assert f1.stderr == pytest.approx(told(model)["world_words"]["f1_stderr,none"])
        perplexity = found["world_place", model, "perplexity"]
        assert perplexity.stderr == pytest.approx(told(model)["world_place"]["perplexity_stderr,none"], rel=0.1)


@pytest.mark.parametrize("metric", PER_ITEM["world_text"])
def test_the_error_of_a_ratio_of_sums_is_that_of_the_jackknife(metric: str, scores: Scores) -> None:
    held = {model: np.array([row[metric] for row in samples(model, "world_text")]) for model in ("r2", "r4")}

    def value(model: str, kept: list[int]) -> float:
        nats, units = held[model][kept].sum(axis=0)
        return -nats / units / math.log(2) if metric == "bits_per_byte" else math.exp(-nats / units)

    items = len(held["r2"])
    for one in (one for one in scores.means if one.metric == metric):
        assert one.stderr == pytest.approx(jackknife(partial(value, one.model), items), rel=0.05)
    found = pair(scores, metric)
    assert found.names == ("r4", "r2")
    assert found.difference == pytest.approx(value("r4", list(range(items))) - value("r2", list(range(items))))
    apart = jackknife(lambda kept: value("r4", kept) - value("r2", kept), items)
    assert found.interval is not None
    low, high = found.interval
    # a t interval of the paired differences: both models are asked the same documents
    half = stats.t.ppf(0.975, items - 1) * apart
    assert (low, high) == pytest.approx((found.difference - half, found.difference + half), abs=0.25 * half)
    assert found.verdict == "loses"  # of r4: lower is better
    assert found.turned().ahead()[0] == found.difference


def test_a_perplexity_of_one_unit_a_document_is_no_mean_log_likelihood(scores: Scores) -> None:
    nats = {model: np.array([row["perplexity"] for row in samples(model, "world_place")]) for model in ("r2", "r4")}
    found = pair(scores, "perplexity")
    assert found.difference == pytest.approx(math.exp(-nats["r4"].mean()) - math.exp(-nats["r2"].mean()))
    assert found.verdict == "wins"
    assert found.ahead()[0] == pytest.approx(-found.difference)


# --------------------------------------------------------------------------------------------------------------- pairs


def test_p_is_adjusted_over_the_pairs_of_one_metric(tmp_path: Path) -> None:
    for model in ("r2", "r4"):
        shutil.copytree(SCORES / model, tmp_path / model)
    shutil.copytree(SCORES / "r4", tmp_path / "r5")
    (results,) = (tmp_path / "r5").glob("results_*.json")
    results.write_text(json.dumps(json.loads(results.read_text()) | {"model_name": "r5"}))
    (file,) = (tmp_path / "r5").glob("samples_world_words_*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("\n".join(json.dumps(row | {"f1": min(1.0, row["f1"] + 0.2)}) for row in rows))
    pairs = [one for one in compared(tmp_path).pairs if one.plus.metric == "f1"]
    assert [one.names for one in pairs] == [("r4", "r2"), ("r5", "r2"), ("r5", "r4")]
    adjusted = multipletests([one.p for one in pairs], method="holm")[1]
    assert [one.p_adjusted for one in pairs] == pytest.approx(list(adjusted))
    assert [one.size for one in pairs] == [3, 3, 3]


def test_a_score_without_items_is_compared_by_its_standard_errors(scores: Scores) -> None:
    found = pair(scores, "chrf")
    (a, b) = (told(model)["world_words"] for model in ("r4", "r2"))
    error = math.hypot(a["chrf_stderr,none"], b["chrf_stderr,none"])
    difference = a["chrf,none"] - b["chrf,none"]
    assert found.difference == pytest.approx(difference)
    assert found.interval == pytest.approx(stats.norm.interval(0.95, difference, error))
    assert found.p == pytest.approx(2 * stats.norm.sf(difference / error))
    assert (found.contrast, found.n) == (None, None)
    assert found.test == "normal, from both standard errors, not paired"


def test_results_files_alone_show_what_they_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("r2", "r4"):
        (tmp_path / model).mkdir()
        (file,) = (SCORES / model).glob("results_*.json")
        shutil.copy(file, tmp_path / model)
    measured = read_measured(tmp_path)
    assert (measured.outcomes, measured.scores) == ((), ())
    found = compare_scores(measured.scores, measured.stated)
    bits = pair(found, "bits_per_byte")
    assert bits.difference == pytest.approx(
        told("r4")["world_text"]["bits_per_byte,none"] - told("r2")["world_text"]["bits_per_byte,none"]
    )
    assert (bits.interval, bits.p, bits.verdict) == (None, None, "undecided")
    assert bits.test == "none: a standard error is not known"
    accuracy = pair(found, "acc")
    assert accuracy.verdict == "wins"
    out = " ".join(run("show", str(tmp_path), "--details", capsys=capsys).split())
    assert "no items, no standard error" in out
    assert "only what the results files state of them is known" in out
    assert "None" not in out


def test_one_standard_error_of_zero_bounds_nothing(tmp_path: Path) -> None:
    content = {"results": {"a": {"f1,none": 1.0, "f1_stderr,none": 0.0}}, "configs": {}, "model_name": "m"}
    (tmp_path / "results_2026-01-01T00-00-00.json").write_text(json.dumps(content))
    (one,) = compared(tmp_path).means
    assert (one.value, one.stderr, one.interval) == (1.0, 0.0, None)


def test_ways_of_asking_one_model_are_compared_too(tmp_path: Path) -> None:
    shutil.copytree(SCORES / "r2", tmp_path / "zero")
    shutil.copytree(SCORES / "r4", tmp_path / "five")
    (results,) = (tmp_path / "five").glob("results_*.json")
    content = json.loads(results.read_text())
    content |= {"model_name": "r2", "n-shot": dict.fromkeys(content["n-shot"], 5)}
    content["config"]["model_num_parameters"] = 132432
    results.write_text(json.dumps(content))
    found = [one for one in compared(tmp_path).pairs if one.plus.metric == "f1"]
    assert [(one.axis, set(one.names)) for one in found] == [("method", {"0-shot", "5-shot"})]


def test_the_same_score_twice_is_refused(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (file,) = (SCORES / "r2").glob("results_*.json")
        shutil.copy(file, tmp_path / name)
    with pytest.raises(
        DataError, match=r"world_text by r2 0-shot is there more than once: .*first/results_.*json and "
    ):
        read_measured(tmp_path)


# --------------------------------------------------------------------------------------------------------- one metric


def test_a_metric_that_is_asked_for_is_shown_alone() -> None:
    assert {one.metric for one in compared(metric="f1").means} == {"f1"}
    measured = read_measured(SCORES, metric="f1")
    assert measured.outcomes == ()
    measured = read_measured(SCORES, metric="acc")
    assert ({one.metric for one in measured.outcomes}, measured.scores, measured.stated) == ({"acc"}, (), ())
    logprob = read_measured(SCORES, metric="gold_logprob")
    assert logprob.outcomes == ()
    (small, large) = logprob.scores
    for one, model in ((small, "r2"), (large, "r4")):
        assert one.accuracy == pytest.approx(np.mean([row["perplexity"] for row in samples(model, "world_place")]))


def test_compare_takes_bits_per_byte_for_no_share_although_it_lies_within_0_and_1(tmp_path: Path) -> None:
    sides = [read_outcomes(SCORES / model, only="world_text") for model in ("r2", "r4")]
    found = compare_sets(*sides, metric="bits_per_byte")
    (one,) = found.tasks
    content: dict[str, Any] = {"sides": ["r2", "r4"], "means": {}, "overall": one.json(), "tasks": [one.json()]}
    assert one.json()["kind"] == "score"
    assert one.contrast.verdict == "loses"
    assert "difference +0.0492 (95 % interval 0.0" in summary(content)[0]


def test_a_corpus_metric_has_no_items(tmp_path: Path) -> None:
    folder = copied(SCORES / "r2", tmp_path / "r2")
    for file in folder.glob("samples_*"):
        if "world_words" not in file.name:
            file.unlink()
    (file,) = folder.glob("samples_world_words_*")
    rows = [json.loads(line) | {"metrics": ["chrf"]} for line in file.read_text().splitlines()]
    file.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="no metric with a number for a document"):
        read_outcomes(folder)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_an_interval_of_scores_moves_with_their_scale(scale: float) -> None:
    values = np.array([[0.1, 0.3, 0.2, 0.7, 0.4]])
    one, other = (crossed_bootstrap([Block(values * by)], 2000, shares=False) for by in (1.0, scale))
    assert one is not None
    assert other is not None
    assert other.interval() == pytest.approx([scale * end for end in one.interval()])
    low, high = one.interval()
    t = stats.ttest_1samp(values[0], 0).confidence_interval()
    assert (low, high) == pytest.approx((t.low, t.high), rel=0.03)


# ---------------------------------------------------------------------------------------------------------------- shown


def test_the_finding_of_each_metric_is_in_its_own_unit() -> None:
    analysis = analyse(read_measured(SCORES))
    found = {one.subject: one for one in question("score").ask(analysis)}
    # the two perplexities of the same log-likelihoods are in the tables alone
    assert set(found) == {
        "world_place, perplexity", "world_text, bits_per_byte", "world_words, f1", "world_words, chrf",
    }  # fmt: skip
    bits = found["world_text, bits_per_byte"]
    assert (bits.verdict, bits.unit) == ("best", "score")
    assert bits.short.startswith("world_text: best bits_per_byte is that of r2: 0.6572, better than r4 by 0.0492 (")
    assert bits.estimate == pytest.approx(0.0492336, abs=1e-6)
    assert "where lower is better" in bits.sentence
    assert found["world_words, f1"].verdict == "undecided"
    assert "no items, only what is stated" in found["world_words, chrf"].sentence
    for one in found.values():
        assert one.sentences["zh"].endswith("\N{IDEOGRAPHIC FULL STOP}")
        for language in LANGUAGES:
            assert 0 < len(one.lines[language]) <= LONGEST
            assert "None" not in one.lines[language] + one.sentences[language]


def test_one_model_alone_is_measured(tmp_path: Path) -> None:
    copied(SCORES / "r2", tmp_path / "r2")
    found = {one.subject: one for one in question("score").ask(analyse(read_measured(tmp_path)))}
    assert {one.verdict for one in found.values()} == {"measured"}
    assert "0.4073 f1 with r2 (" in found["world_words, f1"].short


def test_scores_and_accuracies_are_never_mixed() -> None:
    shown: dict[str, Any] = to_json(analyse(read_measured(SCORES)))
    assert {cell["task"] for cell in shown["cells"]} == {"world_place"}
    assert {one["task"] for one in shown["models"]} == {"world_place"}
    assert "acc" not in {one["metric"] for one in shown["scores"]}
    read = {(one["task"], one["metric"]) for one in shown["sources"]}
    assert ("world_words", "chrf") in read
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    for one in shown["score_pairs"]:
        assert one["sentence"].lower().startswith(f"{one['metric']} on {one['task']}, ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("only", [None, "world_text"])
def test_page_and_terminal_have_each_score_by_its_metric(
    only: str | None, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    more = [] if only is None else ["--only", only]
    run("report", str(SCORES), "--language", language, "--out", "page.html", *more, capsys=capsys)
    page = (tmp_path / "page.html").read_text()
    section = page.partition('<section id="scores"')[2].partition("</section>")[0]
    rows = re.findall(r'<tr>\s*<th scope="row">(\w+)</th><td>(\w+)</td>', section)
    tasks = PER_ITEM if only is None else [only]
    expected = {(metric, model) for task in tasks for metric in PER_ITEM[task] for model in ("r2", "r4")}
    expected |= {("chrf", "r2"), ("chrf", "r4")} if only is None else set()
    assert set(rows) == expected
    assert not re.search(r">\s*(None|null)\s*<", page)
    assert "No cell of this study" not in page
    out = run("show", str(SCORES), "--details", "--language", language, *more, capsys=capsys)
    assert "world_text · bits_per_byte (lower is better)" in out
    assert "None" not in out
