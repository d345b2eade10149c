"""Models compared on other tools' results: pairs against scipy and statsmodels, and what the finding says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import INSPECT, also, harness_run
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from onset.analysis import Analysis, analyse, to_json
from onset.analysis.phrases import LANGUAGES
from onset.analysis.questions import question
from onset.analysis.questions.lines import LONGEST
from onset.analysis.study import model_json
from onset.read import read_measured

ITEMS = 240
SHARES = {"small": 0.5, "middle": 0.56, "large": 0.8}


def drawn(share: float, seed: int) -> list[bool]:
    """Right on items in the order of one difficulty, with some luck of its own."""
    rng = np.random.default_rng(seed)
    ease = np.linspace(1, 0, ITEMS) + rng.normal(0, 0.25, ITEMS)
    return list(map(bool, ease >= np.quantile(ease, 1 - share)))


@pytest.fixture(scope="module")
def right() -> dict[str, list[bool]]:
    return {name: drawn(share, seed) for seed, (name, share) in enumerate(SHARES.items())}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, right: dict[str, list[bool]]) -> Analysis:
    folder = tmp_path_factory.mktemp("models")
    for size, (name, hits) in enumerate(right.items(), 6):
        harness_run(folder / name, name, 10**size, hits)
    return analyse(read_measured(folder))


def test_pairs_are_exact_mcnemar_adjusted_by_holm_over_the_task(found: Analysis, right: dict[str, list[bool]]) -> None:
    rows = [model_json(one) for one in found.contrasts.models.pairs]
    # the larger model first
    assert [row["sides"] for row in rows] == [["middle", "small"], ["large", "small"], ["large", "middle"]]
    alone = []
    for row in rows:
        a, b = (np.array(right[name]) for name in row["sides"])
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        assert row["discordant"] == [only_a, only_b]
        assert row["difference"] == pytest.approx(a.mean() - b.mean())
        assert (row["accuracy_a"], row["accuracy_b"]) == pytest.approx((a.mean(), b.mean()))
        alone.append(stats.binomtest(only_a, only_a + only_b).pvalue)
        assert row["p"] == pytest.approx(alone[-1])
        # at least as wide as the exact interval of the discordant pairs (Clopper and Pearson)
        low, high = proportion_confint(only_a, only_a + only_b, method="beta")
        share = (only_a + only_b) / ITEMS
        assert row["interval"][0] <= (2 * low - 1) * share + 1e-9
        assert row["interval"][1] >= (2 * high - 1) * share - 1e-9
    adjusted = multipletests(alone, method="holm")[1]
    assert [row["p_holm"] for row in rows] == pytest.approx(list(adjusted))
    assert [row["family_size"] for row in rows] == [3, 3, 3]
    assert [row["verdict"] for row in rows][1:] == ["wins", "wins"]


def test_the_finding_names_the_best_model_and_its_lead(found: Analysis) -> None:
    (one,) = question("best model").ask(found)
    lead = next(row for row in found.contrasts.models.pairs if row.names == ("large", "middle"))
    assert (one.verdict, one.subject, one.figure) == ("best", "world_facts", "size")
    assert (one.estimate, one.interval) == (lead.difference, lead.interval)
    assert one.sentence.startswith("On world_facts, large does best (80.0 %, 95 % interval ")
    assert "it beats middle (by 24.2 points, " in one.sentence
    assert "and small (by " in one.sentence
    for language in LANGUAGES:
        assert len(one.lines[language]) <= LONGEST
        assert "large" in one.lines[language]
    assert "examples" not in one.sentence
    assert found.findings[0] == one


def test_what_is_level_or_not_settled_is_said_so(tmp_path: Path, right: dict[str, list[bool]]) -> None:
    for name, model in (("a", "large"), ("b", "large")):
        harness_run(tmp_path / name, name, 10**6, right[model])
    harness_run(tmp_path / "c", "c", 10**6, drawn(0.77, 9))
    found = analyse(read_measured(tmp_path), margin=0.02)
    (one,) = question("best model").ask(found)
    assert one.verdict == "undecided"
    assert "equivalent to b (by 0.0 points" in one.sentence
    assert "cannot be told apart from c (by " in one.sentence
    assert one.short == "As many right with a as with b, 80.0 % (−1.6 to 1.6 points); none is ahead"


@pytest.mark.parametrize(
    ("shared", "english", "chinese", "sentence"),
    [
        (
            0,
            "Highest is a, 50.0 %; it shares no items with b, so they are not compared",
            "最高的是 a，50.0 %；它与 b 没有共同的题，不作比较",
            ": it shares no items with b.",
        ),
        (
            1,
            "Highest is a, 50.0 %; level with b on the items of both (−79.3 to 79.3 points; n = 1)",
            "最高的是 a，50.0 %；在共有的题上与 b 持平（−79.3 至 79.3 个百分点；n = 1）",
            ": it cannot be told apart from b (by 0.0 points, 95 % interval −79.3 to 79.3, n = 1 items of both).",
        ),
    ],
)
def test_models_of_other_items_are_not_said_to_be_level(
    tmp_path: Path, shared: int, english: str, chinese: str, sentence: str
) -> None:
    asked = {"a": range(50), "b": range(50 - shared, 100)}
    rows = [
        {"task": "tickets", "model": name, "index": index, "correct": index % 2 == 1 if name == "a" else index % 7 == 0}
        for name, held in asked.items()
        for index in held
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (one,) = question("best model").ask(analyse(read_measured(file)))
    assert (one.lines["en"], one.lines["zh"]) == (english, chinese)
    assert one.sentence.endswith(sentence)


def test_models_are_ranked_on_the_items_that_all_have(tmp_path: Path) -> None:
    # a has the first 60 items alone, on which b is better; of its other 180 b has few right
    harness_run(tmp_path / "a", "a", 10**6, [place % 2 == 0 for place in range(60)])
    harness_run(tmp_path / "b", "b", 10**6, [place < 50 or place % 3 == 0 for place in range(240)])
    measured = read_measured(tmp_path)
    (one,) = question("best model").ask(analyse(measured))
    assert one.sentence.startswith("On world_facts, b does best (47.1 %")
    assert one.estimate == pytest.approx(53 / 60 - 0.5)
    assert one.n == 60
    said = "world_facts: not all runs have the same items (60 to 240, of which 60 are in all)"
    assert f"{said}; pairs are compared on those that both have" in measured.notes


def test_one_model_is_measured_and_one_near_chance_is_not_above_it(tmp_path: Path) -> None:
    harness_run(tmp_path / "one", "one", 10**6, drawn(0.6, 1))
    (one,) = question("best model").ask(analyse(read_measured(tmp_path)))
    assert (one.verdict, one.estimate) == ("measured", None)
    assert one.short.startswith("60.0 % right with one (")
    harness_run(tmp_path / "one", "one", 10**6, drawn(0.26, 1))
    (one,) = question("best model").ask(analyse(read_measured(tmp_path)))
    assert one.verdict == "not above chance"


def test_other_numbers_of_examples_are_compared_as_methods_and_never_across_models(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for shots, date in ((0, "2026-11-24"), (5, "2026-11-25")):
            harness_run(tmp_path / name, name, 10**6, drawn(0.5 + shots / 20, shots), shots=shots, date=date)
    shown: dict[str, Any] = to_json(analyse(read_measured(tmp_path)))
    assert [(one["sides"], one["method"]) for one in shown["models"]] == [
        (["b", "a"], "0-shot"),
        (["b", "a"], "5-shot"),
    ]
    assert sorted((one["model"], *one["sides"]) for one in shown["comparisons"]) == [
        ("a", "5-shot", "0-shot"),
        ("b", "5-shot", "0-shot"),
    ]
    best = [one["short"] for one in shown["findings"] if one["kind"] == "best model"]
    assert [line.partition(":")[0] for line in best] == ["0-shot", "5-shot"]
    assert {one["labels"] for one in shown["comparisons"]} == {None}
    kinds = {one["kind"] for one in shown["findings"]}
    assert "best method" not in kinds
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_epochs_are_draws_of_a_comparison() -> None:
    (colours,) = (one for one in analyse(read_measured(INSPECT)).contrasts.models.pairs if one.task == "colours")
    assert colours.draws == (1, 2)
    assert colours.n == 6


def test_over_all_tasks_each_item_counts_the_same(tmp_path: Path, right: dict[str, list[bool]]) -> None:
    second = {"small": drawn(0.3, 5)[::-1], "middle": drawn(0.6, 6), "large": drawn(0.5, 7)}
    for name, hits in right.items():
        folder = harness_run(tmp_path / name, name, 10**6, hits)
        also(folder, "other", second[name])
    found = analyse(read_measured(tmp_path))
    assert [model_json(one)["task"] for one in found.contrasts.models.pairs] == [None] * 3 + ["other"] * 3 + [
        "world_facts"
    ] * 3
    joined = {name: np.array([*second[name], *right[name]]) for name in right}
    for row in (model_json(one) for one in found.contrasts.models.pairs[:3]):
        a, b = (joined[name] for name in row["sides"])
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        assert (row["n"], row["discordant"]) == (a.size, [only_a, only_b])
        assert row["p"] == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
        assert row["method"] is None
    first = question("best model").ask(found)[0]
    assert first.subject == "all tasks"
    assert first.short.startswith("All tasks: ")
    assert first.lines["zh"].startswith("所有任务")


def test_draws_that_differ_between_tasks_are_averaged_before_tasks_are_joined() -> None:
    found = analyse(read_measured(INSPECT))
    pair = next(model_json(one) for one in found.contrasts.models.pairs)
    tables = {arm.model: {one.task: one.values for one in found.arms if one.model == arm.model} for arm in found.arms}
    means = {
        model: np.concatenate([table.mean(axis=0) for table in held.values()]).mean() for model, held in tables.items()
    }
    assert (pair["task"], pair["n"]) == (None, 18)
    assert pair["test"] == "paired bootstrap over items"
    assert [pair["accuracy_a"], pair["accuracy_b"]] == pytest.approx([means[name] for name in pair["sides"]])
