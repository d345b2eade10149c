"""Comparing two sets of results: published numbers, other statistics packages, and what is told instead of dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import shared
from made_arms import changed
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests
from synthetic import synthetic_results

from onset.analysis.contrast.matching import select
from onset.analysis.contrast.sets import SetComparison, compare_sets, to_json
from onset.analysis.outcomes import Measure, Outputs
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import benjamini_hochberg
from onset.analysis.stats.bootstrap import Block, crossed_bootstrap
from onset.cli import main
from onset.errors import DataError
from onset.read import Outcomes, read_outcomes
from onset.tasks import group_of, label_of

FIXTURES = Path(__file__).parents[2] / "fixtures"
FAST = 500


def outcomes(values: Any, *, task: str = "t", model: str = "a", **changes: Any) -> Outcomes:
    """Made-up outcomes: draws x items."""
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    draws, n = values.shape
    made = Outcomes(
        at=Setting(task, model=model, family="f", params=1e6),
        measure=Measure("acc"),
        draws=tuple(range(draws)),
        items=tuple(f"{task}{index}" for index in range(n)),
        values=values,
        targets=("gold",) * n,
        outputs=Outputs(prompts=((None,) * n,) * draws, statuses=((None,) * n,) * draws),
        source=f"{model}.jsonl",
    )
    return changed(made, **changes)


def compared(a: Sequence[Outcomes] | Outcomes, b: Sequence[Outcomes] | Outcomes, **options: Any) -> SetComparison:
    first, second = ([side] if isinstance(side, Outcomes) else side for side in (a, b))
    return compare_sets(first, second, replicates=FAST, **options)


def told(one: SetComparison) -> list[tuple[str, int, bool, str]]:
    return [(m.kind, m.count, m.refused, m.message) for m in one.mismatches]


# ------------------------------------------------------------------------------------------------ published numbers


@pytest.fixture(scope="module")
def codex() -> SetComparison:
    """code-davinci-002 on BIG-Bench Hard, answer-only and chain of thought (Suzgun et al. 2022, Table 2)."""
    sides = [
        read_outcomes(shared("data", "bbh", "codex", f"{name}.jsonl"), grade_as="bbh") for name in ("direct", "cot")
    ]
    return compare_sets(*sides)


def test_codex_means_are_the_published_ones(codex: SetComparison) -> None:
    tasks, families, items = (codex.means[name] for name in ("tasks", "families", "items"))
    assert (tasks.n_tasks, families.n_tasks, items.n) == (27, 23, 6511)
    assert (100 * tasks.accuracy_a, 100 * tasks.accuracy_b) == pytest.approx((52.8, 73.7), abs=0.1)
    assert (100 * families.accuracy_a, 100 * families.accuracy_b) == pytest.approx((56.6, 73.9), abs=0.1)
    for mean in (tasks, families, items):
        assert mean.difference == pytest.approx(mean.accuracy_b - mean.accuracy_a)
        low, high = mean.interval
        # a paired interval of 6511 items is a few points wide, and this difference is large
        assert 0.02 < high - low < 0.04
        assert low < mean.difference < high
        assert mean.p < 0.001


def test_codex_pooled_test_is_mcnemars(codex: SetComparison) -> None:
    whole = codex.overall
    assert whole is not None
    only_b, only_a = whole.contrast.discordant
    reference = reference_mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue
    assert whole.contrast.p == pytest.approx(reference)
    assert (whole.contrast.verdict, whole.contrast.n) == ("wins", 6511)
    assert whole.contrast.difference == pytest.approx((only_b - only_a) / 6511)
    assert whole.parse_rates[1] == pytest.approx(0.948, abs=0.001)


def test_codex_subtasks_where_chain_of_thought_loses(codex: SetComparison) -> None:
    assert [one.task for one in codex.tasks if one.contrast.verdict == "loses"] == ["bbh/word_sorting"]
    lower = {one.task.removeprefix("bbh/") for one in codex.tasks if (one.contrast.difference or 0.0) < 0}
    assert lower == {
        "causal_judgement",
        "formal_fallacies",
        "ruin_names",
        "salient_translation_error_detection",
        "snarks",
        "word_sorting",
    }
    q = multipletests([one.contrast.p for one in codex.tasks], method="fdr_bh")[1]
    assert [one.contrast.p_adjusted for one in codex.tasks] == pytest.approx(list(q))
    assert not codex.mismatches


# ---------------------------------------------------------------------------------------------------------- statistics


def test_benjamini_hochberg_agrees_with_scipy_and_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 40):
        p = rng.random(size) ** 3
        p[: size // 3] = p[0]  # ties
        assert benjamini_hochberg(list(p)) == pytest.approx(list(stats.false_discovery_control(p)))
        assert benjamini_hochberg(list(p)) == pytest.approx(list(multipletests(p, method="fdr_bh")[1]))
    assert benjamini_hochberg([]) == []


def test_weighted_blocks_are_the_mean_over_tasks() -> None:
    rng = np.random.default_rng(1)
    tables = [rng.normal(0.1 * k, 1 + k, (1, 60 + 40 * k)) for k in range(3)]
    crossed = crossed_bootstrap([Block(table, 1 / 3) for table in tables])
    assert crossed is not None
    assert crossed.estimate == pytest.approx(np.mean([table.mean() for table in tables]))
    errors = [table.std(ddof=1) / table.size**0.5 for table in tables]
    assert crossed.standard_error == pytest.approx(sum(error**2 for error in errors) ** 0.5 / 3)
    low, high = crossed.interval()
    assert high - low == pytest.approx(2 * 1.97 * crossed.standard_error, rel=0.05)
    # the sign of a weight turns the block around
    turned = crossed_bootstrap([Block(table, -1 / 3) for table in tables])
    assert turned is not None
    assert turned.standard_error == pytest.approx(crossed.standard_error)


def test_b_that_wins_wins_and_the_other_way_around_loses() -> None:
    low, high = np.zeros(40), np.r_[np.ones(20), np.zeros(20)]
    (task,) = compared(outcomes(low), outcomes(high, model="b")).tasks
    assert (task.contrast.verdict, task.contrast.difference, task.contrast.discordant, task.contrast.p) == (
        "wins",
        0.5,
        (20, 0),
        pytest.approx(2 / 2**20),
    )
    assert task.contrast.levels == (0.5, 0.0)
    (back,) = compared(outcomes(high, model="b"), outcomes(low)).tasks
    assert (back.contrast.verdict, back.contrast.difference, back.contrast.discordant) == ("loses", -0.5, (0, 20))
    assert task.contrast.interval is not None
    assert back.contrast.interval == pytest.approx((-task.contrast.interval[1], -task.contrast.interval[0]))


def test_an_error_that_falls_wins() -> None:
    errors = np.linspace(1, 3, 50)
    first = outcomes(errors, metric="loss", higher_is_better=False)
    rng = np.random.default_rng(2)
    better = outcomes(errors - 0.5 + rng.normal(0, 0.1, 50), model="b", metric="loss", higher_is_better=False)
    (task,) = compared(first, better).tasks
    assert (task.contrast.verdict, task.contrast.test) == ("wins", "paired bootstrap over items")
    difference = better.values - first.values
    reference = stats.t.interval(0.95, 49, difference.mean(), stats.sem(difference[0]))
    assert task.contrast.interval == pytest.approx(reference, abs=0.02)
    assert task.contrast.p == pytest.approx(2 / (FAST + 1))


def test_scores_on_any_scale_have_no_limits_and_no_equivalence() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(-5, 2, 30)
    (task,) = compared(outcomes(base), outcomes(base + 3 + rng.normal(0, 0.3, 30), model="b")).tasks
    assert task.contrast.interval is not None
    assert task.contrast.interval[0] > 2.5
    (same,) = compared(outcomes(base), outcomes(base + rng.normal(0, 1e-6, 30), model="b")).tasks
    assert same.contrast.verdict == "undecided"


def test_equivalent_needs_the_margin() -> None:
    values = np.r_[np.ones(500), np.zeros(500)]
    (task,) = compared(outcomes(values), outcomes(values, model="b")).tasks
    assert (task.contrast.verdict, task.contrast.difference, task.contrast.p) == ("equivalent", 0.0, 1.0)
    (task,) = compared(outcomes(values[480:520]), outcomes(values[480:520], model="b")).tasks
    assert task.contrast.verdict == "undecided"


def test_several_draws_are_crossed_with_the_items() -> None:
    rng = np.random.default_rng(4)
    a, b = (rng.random((3, 80)) < share for share in (0.3, 0.8))
    one = compared(
        [outcomes(a), outcomes(a[:, :50], task="u")], [outcomes(b, model="b"), outcomes(b[:, :50], task="u")]
    )
    assert {len(task.contrast.draws) for task in one.tasks} == {3}
    assert one.tasks[0].contrast.test.startswith("crossed bootstrap over draws and items")
    assert one.overall is not None
    assert len(one.overall.contrast.draws) == 3
    gaps = np.mean([(b * 1.0 - a).mean(axis=1), (b[:, :50] * 1.0 - a[:, :50]).mean(axis=1)], axis=0)
    mean = one.means["tasks"]
    assert mean.difference == pytest.approx(gaps.mean())
    # three draws: the interval is at least that of a t test on the draws
    low, high = stats.t.interval(0.95, 2, gaps.mean(), stats.sem(gaps))
    assert mean.interval[0] <= max(low, -1) + 1e-9
    assert mean.interval[1] >= min(high, 1) - 1e-9
    assert mean.p >= stats.ttest_1samp(gaps, 0).pvalue - 1e-9


def test_tasks_with_different_draws_are_averaged_over_them_first() -> None:
    rng = np.random.default_rng(5)
    a, b = ([rng.random((draws, 40)) < share for draws in (1, 2)] for share in (0.3, 0.8))
    sides = [
        [outcomes(side[0], model=name), outcomes(side[1], task="u", model=name)] for side, name in ((a, "a"), (b, "b"))
    ]
    one = compared(*sides)
    assert one.overall is not None
    assert one.overall.contrast.n == 80
    assert one.overall.contrast.test == "paired bootstrap over items, each item averaged over its draws"
    assert one.overall.contrast.difference == pytest.approx(one.means["items"].difference)


# ----------------------------------------------------------------------------------------------------- nothing dropped


def test_items_of_one_side_are_counted() -> None:
    a = outcomes(np.ones(10), items=tuple("abcdefghij"))
    b = outcomes(np.ones(7), model="b", items=tuple("cdefghi"))
    one = compared(a, b)
    assert one.tasks[0].contrast.n == 7
    assert told(one) == [("items", 3, True, "t: only a has 3 items of 10")]


def test_parse_rates_are_of_the_items_compared() -> None:
    read, unread, unknown = ("ok",), ("none",), (None,)
    a = outcomes(
        [[1] * 4 + [0] * 4], outputs=Outputs(statuses=(read * 3 + unread + unread * 4,), prompts=((None,) * 8,))
    )
    b = outcomes([[1] * 4], model="b", items=a.items[:4], outputs=Outputs(((None,) * 4,), (read * 3 + unknown,)))
    one = compared(a, b)
    assert one.overall is not None
    assert one.tasks[0].parse_rates == one.overall.parse_rates == (3 / 4, 1.0)


def test_items_of_one_side_are_counted_beside_another_gold_answer() -> None:
    a = outcomes(np.ones(10))
    b = outcomes(np.zeros(4), model="b", items=a.items[:4], targets=("other", *("gold",) * 3))
    assert told(compared(a, b)) == [
        ("target", 1, True, "t: 1 item of 4 have another gold answer, refused"),
        ("items", 6, True, "t: only a has 6 items of 10"),
    ]


def test_items_with_another_gold_answer_are_refused() -> None:
    a = outcomes(np.ones(10))
    b = outcomes(np.zeros(10), model="b", targets=("gold",) * 8 + ("other", None))
    one = compared(a, b)
    assert one.tasks[0].contrast.n == 9
    assert told(one) == [("target", 1, True, "t: 1 item of 10 have another gold answer, refused")]


def test_another_version_of_a_task_is_refused() -> None:
    a = [outcomes(np.ones(10), versions=("1.0",)), outcomes(np.ones(10), task="u")]
    b = [outcomes(np.zeros(10), model="b", versions=("2.0",)), outcomes(np.zeros(10), task="u", model="b")]
    one = compared(a, b)
    assert told(one) == [("version", 10, True, "t: version 1.0 of the task against 2.0, refused")]
    assert [(task.contrast.n, task.contrast.difference, task.contrast.verdict) for task in one.tasks] == [
        (0, None, "undecided"),
        (10, -1.0, "loses"),
    ]
    assert one.means["tasks"].n_tasks == 1
    with pytest.raises(DataError) as error:
        compared(a[:1], b[:1])
    assert str(error.value) == (
        "nothing to compare between a.jsonl and b.jsonl: t: version 1.0 of the task against 2.0, refused"
    )


def test_prompts_and_settings_that_differ_are_told_and_compared() -> None:
    a = outcomes(np.ones(3), prompts=(("p", "q", None),), labels=8, filter="x")
    b = outcomes(np.ones(3), model="b", prompts=(("p", "r", "s"),), labels=32, filter="x")
    one = compared(a, b)
    assert one.tasks[0].contrast.n == 3
    assert told(one) == [
        ("prompt", 1, False, "t: 1 of 2 prompts differ"),
        ("setting", 1, False, "t: labels 8 against 32"),
    ]


def test_outcomes_without_a_score_are_counted() -> None:
    one = compared(outcomes([1, 0, np.nan, 1]), outcomes([1, 1, 1, 1], model="b"))
    assert one.tasks[0].contrast.n == 3
    assert told(one) == [("unscored", 1, True, "t: 1 outcome of 4 of a have no score")]


def test_draws_of_one_side_are_counted() -> None:
    one = compared(outcomes(np.ones((3, 5))), outcomes(np.ones((2, 5)), model="b"))
    assert len(one.tasks[0].contrast.draws) == 2
    assert told(one) == [("draws", 1, True, "t: only a has 1 draw of 3")]


def test_tasks_of_one_side_are_told() -> None:
    one = compared([outcomes(np.ones(5)), outcomes(np.ones(5), task="u")], outcomes(np.ones(5), model="b"))
    assert [task.task for task in one.tasks] == ["t"]
    assert told(one) == [("task", 1, True, "u: only a has this task")]


def test_two_names_of_one_set_of_documents_are_compared_and_told() -> None:
    a, b = outcomes(np.ones(5)), outcomes(np.ones(5), task="t_cot", model="b", items=tuple(f"t{k}" for k in range(5)))
    one = compared(a, b)
    assert one.tasks[0].contrast.n == 5
    assert told(one) == [("task", 1, False, "the tasks have different names: t / t_cot")]
    with pytest.raises(DataError) as error:
        compared(a, replace(b, items=tuple("vwxyz")))
    assert str(error.value).startswith("nothing to compare between a.jsonl and b.jsonl: ")


def test_runs_are_matched_by_what_varies_within_a_side() -> None:
    a = [outcomes(np.ones(4), model=m, method=k) for m in ("small", "large") for k in ("direct", "cot")]
    b = [
        outcomes(np.zeros(4), model=m, method=k, source="b")
        for m in ("small", "large")
        for k in ("direct", "cot", "vote")
    ]
    one = compared(a, b)
    assert [task.task for task in one.tasks] == [
        "t, model small, method direct",
        "t, model small, method cot",
        "t, model large, method direct",
        "t, model large, method cot",
    ]
    assert told(one)[0] == ("run", 1, True, "t: only b has model small, method vote")
    # of one model a side, the models are what is compared
    one = compared(a[:2], b[3:5])
    assert [task.task for task in one.tasks] == ["t, method direct", "t, method cot"]
    assert one.sides == ("small", "large")


def test_the_same_run_twice_is_refused() -> None:
    twice = [outcomes(np.ones(4), source="one"), outcomes(np.ones(4), source="two")]
    with pytest.raises(DataError) as error:
        compared(twice, outcomes(np.ones(4), model="b"))
    assert str(error.value) == "side A has task t by a more than once: one and two; name one"


def test_choosing_of_a_side() -> None:
    held = [outcomes(np.ones(4), model="small", labels=8), outcomes(np.ones(4), model="large", labels=8)]
    assert [one.model for one in select(held, {"model": "large", "labels": "8"}, "A")] == ["large"]
    with pytest.raises(DataError) as error:
        select(held, {"model": "huge"}, "A")
    assert str(error.value) == "side A: no results with model 'huge', found: large, small"
    with pytest.raises(DataError) as error:
        select(held, {"seed": "1"}, "B")
    assert str(error.value) == ("side B: cannot choose by 'seed'. Allowed: model, method, labels, stage, task, shift")


def test_metrics_that_do_not_add_up_have_no_mean() -> None:
    a = [outcomes(np.ones(5)), outcomes(np.linspace(0, 1, 5), task="u", metric="bleu")]
    b = [outcomes(np.zeros(5), model="b"), outcomes(np.linspace(0, 1, 5), task="u", metric="bleu", model="b")]
    one = compared(a, b)
    assert (one.overall, dict(one.means), len(one.tasks)) == (None, {}, 2)


def test_groups_and_labels_of_tasks() -> None:
    assert group_of("bbh/logical_deduction_five_objects") == "bbh/logical_deduction"
    assert group_of("bbh/navigate") == "bbh/navigate"
    assert group_of("gsm8k") == "gsm8k"
    assert group_of("somewhere/else") == "somewhere/else"
    assert label_of("bbh", "navigate") == label_of("bbh", "bbh/navigate") == "bbh/navigate"
    assert (label_of("bbh", None), label_of("number", "mine"), label_of("gsm8k", None)) == ("bbh", "mine", "gsm8k")


# ------------------------------------------------------------------------------------------------------- the command


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code: int | str | None = 0
    try:
        main(["compare", *arguments])
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    return int(code or 0), out, err


LM_EVAL = [str(FIXTURES / "lm_eval" / rung) for rung in ("r2", "r4")]
INSPECT = [str(FIXTURES / "inspect" / size) for size in ("small", "large")]


def test_two_real_lm_eval_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *LM_EVAL, "--json")
    shown = json.loads(out)
    assert code == 0
    assert set(shown) == {"sides", "sources", "margin", "tasks", "overall", "means", "mismatches", "notes"}
    assert (shown["sides"], shown["sources"]) == (["r2", "r4"], LM_EVAL)
    keys = ("task", "metric", "filter", "n", "accuracy_a", "accuracy_b", "discordant", "verdict")
    assert [[task[key] for key in keys] for task in shown["tasks"]] == [
        ["world_facts", "acc", "none", 24, pytest.approx(20 / 24), 1.0, [0, 4], "undecided"],
        ["world_steps", "exact_match", "strict-match", 25, 0.4, 0.52, [2, 5], "undecided"],
    ]
    for task in shown["tasks"]:
        assert {"difference", "interval", "p", "q", "test", "draws", "parse_rate_a", "parse_rate_b"} <= set(task)
        assert task["p"] == pytest.approx(
            reference_mcnemar([[0, task["discordant"][0]], [task["discordant"][1], 0]]).pvalue
        )
    assert shown["notes"] == [
        "world_steps: 1 of 25 documents are copies of another and count too",
        "world_steps: filter strict-match was used, not flexible-extract (choose with --filter)",
    ]
    code, out, _ = call(capsys, *LM_EVAL, "--only", "world_steps", "--filter", "flexible-extract", "--json")
    (task,) = json.loads(out)["tasks"]
    assert (task["accuracy_a"], task["accuracy_b"], json.loads(out)["notes"]) == (0.68, 0.72, shown["notes"][:1])


def test_a_continuous_score_of_two_real_lm_eval_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *LM_EVAL, "--metric", "gold_logprob", "--json")
    shown = json.loads(out)
    (task,) = shown["tasks"]
    assert (code, task["task"], task["verdict"], task["test"]) == (
        0,
        "world_facts",
        "wins",
        "paired bootstrap over items",
    )
    assert [one["message"] for one in shown["mismatches"]] == [
        "world_steps: no metric 'gold_logprob': it has exact_match"
    ]


def test_two_real_inspect_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, *INSPECT, "--json")
    shown = json.loads(out)
    assert code == 0
    assert [(t["task"], t["metric"], t["n"], t["draws"]) for t in shown["tasks"]] == [
        ("colours", "choice", 6, 2),
        ("sums", "match", 12, 1),
    ]
    assert shown["notes"] == ["sums: metric match was used, not exact (choose with --metric)"]


def test_the_text_names_what_is_lost_and_what_is_not_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(6)
    rows: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
    for task, old, new in (("up", 0.2, 0.9), ("down", 0.9, 0.2), ("dip", 0.5, 0.4)):
        for index in range(60):
            for side, share in (("old", old), ("new", new)):
                found = "The answer is 1." if rng.random() < share else "no idea"
                rows[side].append({"task": task, "index": index, "prediction": found, "target": "1"})
    rows["new"][0]["target"] = "2"
    rows["old"].append({"task": "gone", "index": 0, "prediction": "1", "target": "1"})
    for side, held in rows.items():
        (tmp_path / f"{side}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    code, out, _ = call(capsys, str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl"), "--grade-as", "number")
    words = " ".join(out.split())
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    assert "From old to new" in words
    assert "Metric: exact_match Differences are B minus A" in words
    assert "new loses on down (−" in words
    assert "Lower with new, but undecided: dip (−" in words
    assert "Mean over 3 tasks: " in words
    assert "An answer was found in " in words
    assert "up: 1 item of 60 have another gold answer, refused (left out)" in words
    assert "gone: only old has this task (left out)" in words


def test_two_methods_of_one_results_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(synthetic_results(tmp_path / "d", labels=(8,), seeds=2, items=30, voting=False))
    code, out, _ = call(capsys, folder, folder, "--a", "method=answer-only", "--b", "method=cot", "--json")
    shown = json.loads(out)
    assert (code, shown["sides"]) == (0, ["answer-only", "cot"])
    assert len(shown["tasks"]) == 2 * 3
    assert {(task["n"], task["draws"]) for task in shown["tasks"]} == {(30, 2)}
    assert {one["kind"] for one in shown["mismatches"]} <= {"prompt"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["gone", LM_EVAL[0]], "onset: no file 'gone'"),
        ([*LM_EVAL, "--a", "model"], "onset: --a model: expected KEY=VALUE, such as model=r2"),
        ([*LM_EVAL, "--b", "model=r9"], "onset: side B: no results with model 'r9', found: r4"),
        ([*LM_EVAL, "--margin", "5"], "onset: --margin 5: expected a share between 0 and 1, such as 0.05"),
        ([*LM_EVAL, "--metric", "f1"], f"onset: nothing to compare between {LM_EVAL[0]} and {LM_EVAL[1]}: world_facts: no metric 'f1': it has acc, acc_norm, gold_logprob, gold_prob; world_steps: no metric 'f1': it has exact_match"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, *arguments)
    assert (code, out, err.strip()) == (2, "", error)


def test_what_is_printed_is_what_is_returned() -> None:
    one = compared(outcomes(np.ones(5)), outcomes(np.zeros(5), model="b"))
    held = to_json(one)
    assert json.loads(json.dumps(held)) == held
    assert held["overall"]["difference"] == -1.0


def test_one_measurement_at_two_budgets_counts_once() -> None:
    """Prompts with four examples are the same with 16 labels and with 64."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (2, 30))
    prompts = (tuple(map(str, range(30))),)
    a, b = (
        [outcomes(row, model=name, prompts=prompts, labels=labels) for labels in (16, 64)]
        for name, row in zip("ab", values, strict=True)
    )
    once, twice = compared(a[:1], b[:1]), compared(a, b)
    assert len(twice.tasks) == 1
    assert twice.overall is not None
    assert once.overall is not None
    assert (twice.overall.contrast.n, twice.overall.contrast.p) == (30, once.overall.contrast.p)
    assert twice.notes == ("t, labels 64: the same prompts and outcomes as t, labels 16, counted once",)
    other = [a[1], outcomes(1 - values[0], model="a", prompts=prompts, labels=16)]
    assert len(compared(other, b).tasks) == 2
