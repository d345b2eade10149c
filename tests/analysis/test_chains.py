"""Answers by their steps, and with a calculator: counted by hand over the records of a scripted study."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from scipy import stats

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.estimates.shares import ratio
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.words import said
from onset.models.scripted import ScriptedModel
from onset.report.figures import figures
from onset.report.outputs import print_banks, print_chains
from onset.results.read import Results
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks

FAST = 300
TASK = {"name": "word-problems", "pool": 16, "test": 24, "steps": 1}


def replies(number: int, answer: str, rationale: str) -> list[str]:
    """By the item's number: all right; a right answer after a wrong sum; a wrong sum and its answer; no steps."""
    off = str(int(answer) + 1)
    wrong = re.sub(r"= (\d+)", f"= {off}", rationale)
    kinds = (
        f" {rationale} The answer is {answer}.",
        f" {wrong} The answer is {answer}.",
        f" {wrong} The answer is {off}.",
        f" Let us see. The answer is {answer}.",
    )
    return [kinds[number % 4], kinds[(number + number // 4) % 4]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    (task,) = open_tasks(TASK)
    rules = {item.question: replies(at, item.answer, item.rationale or "") for at, item in enumerate(task.test)}
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[TASK],
        methods=["cot", {"prompt": "cot", "vote": 2}, "answer-only"],
        labels=[2],
        seeds=2,
        items=24,
    )
    folder = tmp_path_factory.mktemp("d") / "d"
    run(study, folder, models={"fake": ScriptedModel(rules)})
    return load(folder)


@pytest.fixture(scope="module")
def study(results: Results) -> Analysis:
    return analyse(results, replicates=FAST)


def rows_of(results: Results, method: str) -> list[dict[str, Any]]:
    cells = results.cells.filter(pl.col("method") == method)["cell"].to_list()
    return results.records.filter(pl.col("cell").is_in(cells)).to_dicts()


def test_outputs_are_counted_by_answer_and_steps(study: Analysis, results: Results) -> None:
    assert [one.method for one in study.chains] == ["cot", "cot-vote2"]
    for one in study.chains:
        counts = {True: dict.fromkeys(("right", "wrong", "unchecked"), 0)}
        counts[False] = dict(counts[True])
        for row in rows_of(results, one.method):
            for text in row["outputs"]:
                good = text.endswith(f"The answer is {row['gold']}.")
                equation = re.search(r"(\d+) ([-+*/]) (\d+) = (\d+)", text)
                steps = "unchecked"
                if equation is not None:
                    a, sign, b, c = equation.groups()
                    worked = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b), "/": int(a) / int(b)}
                    steps = "right" if worked[sign] == int(c) else "wrong"
                counts[good][steps] += 1
        assert one.counts == counts
        assert min(counts[True].values()) > 0
        assert one.outputs == sum(sum(kinds.values()) for kinds in counts.values())
        right, false = counts[True], counts[False]
        assert one.lucky is not None
        assert one.lucky.value == pytest.approx(right["wrong"] / (right["wrong"] + right["right"]))
        assert one.sound is not None
        assert (one.sound.value, one.sound.part) == (1, right["right"])
        assert one.faulty is not None
        assert one.faulty.value == pytest.approx(right["wrong"] / (right["wrong"] + false["wrong"]))
        for share in (one.lucky, one.sound, one.faulty, one.steps):
            assert share is not None
            assert 0 <= share.interval[0] <= share.value <= share.interval[1] <= 1


def test_a_calculator_mends_wrong_sums_and_spoils_right_answers_by_wrong_ones_never(study: Analysis) -> None:
    """A wrong sum whose result is the answer becomes right; an answer that no sum gives stays as it is."""
    cot = study.chains[0]
    assert cot.calculator is not None
    assert cot.calculator.levels == pytest.approx((1.0, 0.75))
    assert cot.calculator.discordant == (6 * 2, 0)
    assert cot.replaced == 12 * 2
    assert cot.calculator.verdict == "wins"


def test_they_are_in_json_figures_findings_and_the_terminal(study: Analysis) -> None:
    shown = to_json(study)
    assert json.loads(json.dumps(shown["chains"], allow_nan=False)) == shown["chains"]
    (figure,) = [one for one in figures(shown) if one.name == "chains"]
    rows = figure.panels[0].charts[0]["layer"][0]["data"]["values"]
    for method in ("cot", "cot-vote2"):
        own = [row for row in rows if row["method"] == method]
        assert (own[0]["low"], own[-1]["high"]) == (0, pytest.approx(1))
    for name, verdict in (("process", "lucky"), ("calculator", "gains")):
        (found,) = question(name).ask(study)
        assert (found.verdict, found.kind) == (verdict, name)
        assert found.interval is not None
        assert found.interval[0] <= found.estimate <= found.interval[1]
        for language in LANGUAGES:
            assert 0 < len(found.lines[language]) <= LONGEST
            assert said(found.kind, verdict, language)
        assert "None" not in found.sentence + found.sentences["zh"]
    console = Console(width=80, record=True, file=io.StringIO())
    print_banks(shown, console)
    print_chains(shown, console)
    text = console.export_text()
    assert "with a calculator 100.0 % instead of 75.0 %" in text
    assert "pass@k" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_record_without_steps_leaves_its_arm_out(results: Results) -> None:
    """As records are that were measured before steps were checked: an arm is not counted in part."""
    first = rows_of(results, "cot")[0]
    old = results.records.with_columns(
        pl.when((pl.col("cell") == first["cell"]) & (pl.col("item") == first["item"]))
        .then(None)
        .otherwise(pl.col("detail"))
        .alias("detail")
    )
    kept = analyse(Results(results.study, results.cells, old, (), {}), replicates=FAST)
    assert [one.method for one in kept.chains] == ["cot-vote2"]


def test_shares_of_few_outputs_have_wide_intervals() -> None:
    """Three right answers among 200 items say little, though all three are alike: as wide as of three items."""
    whole = np.zeros((1, 200))
    whole[0, :3] = 1
    share = ratio(np.zeros((1, 200)), whole)
    assert share is not None
    assert share.value == 0
    assert share.interval[1] > 0.4
    assert ratio(whole * 0, whole * 0) is None


@pytest.mark.parametrize(("draws", "items"), [(1, 120), (3, 60), (5, 20)])
def test_a_ratio_covers_its_truth_over_items(draws: int, items: int) -> None:
    """Simulated: of outputs that happen with probability 0.4 an item, 0.3 have the property; 95 % intervals."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        often, prone = rng.beta(2, 3, items), rng.beta(3, 7, items)  # an item has its own, in every draw
        whole = (rng.random((draws, items)) < often).astype(float)
        part = whole * (rng.random((draws, items)) < prone)
        share = ratio(part, whole)
        assert share is not None
        held += share.interval[0] <= 0.3 <= share.interval[1]
    assert 0.92 <= held / 400 <= 0.99


@pytest.mark.parametrize("share", [0.02, 0.05, 0.5, 0.98])
@pytest.mark.parametrize(("draws", "items"), [(1, 100), (3, 60)])
def test_a_ratio_over_samples_covers_shares_that_are_rare(draws: int, items: int, share: float) -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(500):
        whole = rng.binomial(8, np.broadcast_to(rng.beta(1.8, 1.2, items), (draws, items)))
        part = rng.binomial(whole, rng.beta(share, 1 - share, items)).astype(float)
        made = ratio(part, whole.astype(float))
        assert made is not None
        low, high = made.interval
        assert 0 <= low <= made.value <= high <= 1
        covered += low <= share <= high
    assert covered / 500 > 0.92


def test_samples_that_tell_alone_have_their_own_number() -> None:
    rng = np.random.default_rng(6)
    whole = np.full((1, 400), 8.0)
    free = ratio(rng.binomial(8, 0.3, size=(1, 400)).astype(float), whole)
    agreed = ratio(8.0 * rng.binomial(1, 0.3, size=(1, 400)), whole)
    assert free is not None
    assert agreed is not None
    for made, told in ((free, 3200), (agreed, 400)):
        low, high = made.interval
        assert (high - low) / 2 == pytest.approx(1.96 * (0.21 / told) ** 0.5, rel=0.1)


def test_a_ratio_of_one_draw_has_the_variance_of_the_books() -> None:
    """Cochran 1977, equation 6.13, on a t scale; with counts of several samples an item."""
    rng = np.random.default_rng(5)
    whole = rng.integers(1, 9, (1, 80)).astype(float)
    part = rng.binomial(whole.astype(int), 0.4).astype(float)
    share = ratio(part, whole)
    assert share is not None
    value = part.sum() / whole.sum()
    error = np.sqrt(((part - value * whole) ** 2).sum() / 79 / 80) / whole.mean()
    assert (share.part, share.whole, share.value) == (part.sum(), whole.sum(), value)
    low, high = stats.t.interval(0.95, 79, value, error)
    assert share.interval[0] == pytest.approx(low, rel=1e-9)
    assert high <= share.interval[1] < high + 0.003  # Wilson's of effective outputs reaches a little further up
