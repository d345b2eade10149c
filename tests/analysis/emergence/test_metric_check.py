"""Jumps of the ability and jumps of the metric, by construction; the continuous scores of a study."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from synthetic import synthetic_results

from onset.analysis.curves.points import point_of, score_curves
from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.emergence.metric import MetricCheck, exact_match, metric_check
from onset.analysis.emergence.verdict import Emergence, Settings, emergence_of
from onset.analysis.outcomes import outcomes_of
from onset.analysis.outcomes.scores import SCORES
from onset.errors import InputError
from onset.results.read import Results, load
from onset.scores import edit_distance, edit_similarity

X = np.linspace(8, 11, 9)
SETTINGS = Settings(replicates=299, threshold_replicates=0)
LENGTH = 8


def accuracies(shares: np.ndarray, n: int, seed: int, chance: float = 0.0) -> Curve:
    right = np.random.default_rng(seed).binomial(n, shares)
    points = tuple(
        SizePoint("sums", "made-up", f"m{i}", 10**x, "accuracy", n=n, correct=int(right[i]), chance=chance)
        for i, x in enumerate(X)
    )
    return Curve("sums", "made-up", "accuracy", "params", points)


def scores(means: np.ndarray, error: float, seed: int, metric: str = "gold_logprob") -> Curve:
    drawn = means + error * np.random.default_rng(seed).standard_normal(len(X))
    points = tuple(
        SizePoint(
            "sums", "made-up", f"m{i}", 10**x, metric, score=float(drawn[i]), stderr=error, continuous=True
        )
        for i, x in enumerate(X)
    )  # fmt: skip
    return Curve("sums", "made-up", metric, "params", points)


def checked(accuracy: Curve, *continuous: Curve) -> MetricCheck:
    first = emergence_of([accuracy], SETTINGS)[0]
    return metric_check(first, emergence_of(list(continuous), SETTINGS), SETTINGS)


TOKEN = -0.44 * (11.1 - X)
"""Log-probability of a token: a straight line in log size. Over 8 tokens it gives accuracies of 0 to 70 %."""
MIRAGE = np.exp(LENGTH * TOKEN)
JUMP = np.where(X > 10, 0.7, 0.0)


def test_the_mirage_of_exact_match_is_of_the_metric() -> None:
    found = checked(accuracies(MIRAGE, 1000, 0), scores(TOKEN, 0.02, 1))
    assert found.accuracy.verdict == "emergent"
    assert found.verdict == "metric-induced"
    assert found.scores[0].state == "smooth"
    assert found.scores[0].p_smooth is not None
    assert found.scores[0].p_smooth > 0.99
    assert "accuracy jumps, but gold_logprob of the same outputs grows smoothly" in found.sentence


def test_an_ability_that_breaks_breaks_under_both() -> None:
    found = checked(accuracies(JUMP, 1000, 0), scores(np.where(X > 10, -0.1, -1.2), 0.03, 1))
    assert (found.verdict, found.scores[0].state) == ("genuine", "breaks")
    assert "gold_logprob of the same outputs breaks as well" in found.sentence


def test_noise_that_hides_either_answer_leaves_it_unresolved() -> None:
    found = checked(accuracies(MIRAGE, 1000, 0), scores(TOKEN, 0.8, 1))
    assert (found.verdict, found.scores[0].state) == ("unresolved", "open")
    assert found.notes == ("gold_logprob: neither a break nor smooth growth is shown",)


def test_scores_that_disagree_leave_it_unresolved() -> None:
    breaks = scores(np.where(X > 10, 0.9, 0.2), 0.02, 2, "edit similarity")
    found = checked(accuracies(JUMP, 1000, 0), scores(TOKEN, 0.02, 1), breaks)
    assert found.verdict == "unresolved"
    assert found.notes == ("the scores disagree: where accuracy breaks, edit similarity does, gold_logprob does not",)


def test_a_score_that_gained_before_accuracy_left_chance_does_not_break_with_it() -> None:
    # 82 % of the gain lies before the jump of accuracy, most of it in a break of its own
    means = np.where(X > 10, 1.0, np.where(X > 8.9, 0.82, 0.0))
    found = checked(accuracies(JUMP, 1000, 0), scores(means, 0.02, 1))
    assert found.accuracy.verdict == "emergent"
    assert (found.verdict, found.scores[0].state) == ("unresolved", "breaks elsewhere")
    assert found.notes == ("a break of gold_logprob is shown, but not where accuracy breaks",)


def benchmark() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "metric_check.py"
    spec = importlib.util.spec_from_file_location("metric_check_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_with_four_sizes_a_jump_at_the_last_is_not_of_the_metric() -> None:
    found = benchmark().verdicts(4, 200, 12, "at the last size", 1)
    assert sum(found.values()) >= 6
    assert found["metric-induced"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [4, 5, 6, 8])
def test_checks_are_seldom_wrong_and_mostly_decided_with_eight_sizes(sizes: int) -> None:
    simulate = benchmark().verdicts
    decided, total = 0, 0
    for truth in ("inside", "at the last size", "of the metric"):
        found = simulate(sizes, 200, 60, truth, 2)
        wrong = found["genuine" if truth == "of the metric" else "metric-induced"]
        number = sum(found.values())
        assert wrong <= 0.05 * number + 2 * math.sqrt(0.05 * 0.95 * number)
        decided, total = decided + number - found["unresolved"], total + number
    assert sizes < 8 or decided > total / 2


def test_without_a_jump_or_a_score_there_is_nothing_to_check() -> None:
    smooth = checked(accuracies(0.1 + 0.2 * (X - 8), 1000, 0), scores(TOKEN, 0.02, 1))
    assert smooth.verdict == "unresolved"
    assert smooth.notes[0] == "accuracy shows no jump to explain"
    alone = checked(accuracies(JUMP, 1000, 0))
    assert (alone.verdict, alone.notes) == ("unresolved", ("no continuous score of the same outputs could be tested",))


def test_scores_without_errors_are_not_tested() -> None:
    curve = scores(TOKEN, 0.02, 1)
    bare = tuple(
        SizePoint("sums", "made-up", p.model, p.x, "gold_logprob", score=p.score, continuous=True) for p in curve.points
    )
    found = checked(accuracies(JUMP, 1000, 0), Curve("sums", "made-up", "gold_logprob", "params", bare))
    assert (found.verdict, found.scores[0].state) == ("unresolved", "not tested")


def test_scores_of_other_outputs_are_refused() -> None:
    accuracy = emergence_of([accuracies(JUMP, 50, 0)], SETTINGS)[0]
    curve = scores(TOKEN, 0.02, 1)
    other = emergence_of([Curve("other", "made-up", curve.metric, "params", curve.points)], SETTINGS)
    message = r"^metric check: gold_logprob is of other \(made-up\), not of sums \(made-up\)$"
    with pytest.raises(InputError, match=message):
        metric_check(accuracy, other)


def test_verdicts_over_many_mirages_and_many_breaks() -> None:
    # repetitions of one curve, not a family of curves: each is judged on its own
    mirages = emergence_of([accuracies(MIRAGE, 500, seed) for seed in range(8)], SETTINGS, adjust=False)
    smooth = emergence_of([scores(TOKEN, 0.04, 100 + seed) for seed in range(8)], SETTINGS)
    sharp = emergence_of([scores(np.where(X > 10, -0.1, -1.2), 0.04, 100 + seed) for seed in range(8)], SETTINGS)
    induced = [metric_check(a, [s], SETTINGS).verdict for a, s in zip(mirages, smooth, strict=True)]
    genuine = [metric_check(a, [s], SETTINGS).verdict for a, s in zip(mirages, sharp, strict=True)]
    assert induced.count("metric-induced") >= 5
    assert "genuine" not in induced
    assert "metric-induced" not in genuine


# ---- the arithmetic ------------------------------------------------------------------------------------------------


def emerged(shares: np.ndarray) -> Emergence:
    return emergence_of([accuracies(shares, 1000, 0)], SETTINGS)[0]


def test_exact_match_over_the_tokens_accounts_for_the_mirage() -> None:
    effect = exact_match(emerged(MIRAGE), TOKEN.tolist(), LENGTH)
    assert effect.predicted == pytest.approx(MIRAGE)
    assert effect.explains
    assert effect.largest_gap < 0.05
    assert effect.share_of_rise == pytest.approx(1.0, abs=0.1)
    wrong = exact_match(emerged(JUMP), TOKEN.tolist(), LENGTH)
    assert not wrong.explains
    assert wrong.largest_gap > 0.3


def test_exact_match_says_what_it_lacks() -> None:
    with pytest.raises(InputError, match=r"^exact match: 1 log-probabilities for 9 sizes$"):
        exact_match(emerged(JUMP), [-1.0], 3)


def test_the_arithmetic_stands_in_the_sentence() -> None:
    accuracy, score = emerged(MIRAGE), emergence_of([scores(TOKEN, 0.02, 1)], SETTINGS)[0]
    effect = exact_match(accuracy, TOKEN.tolist(), LENGTH)
    found = metric_check(accuracy, [score], SETTINGS, length=effect)
    assert found.sentence.endswith("; exact match over 8 tokens alone accounts for the accuracies.")
    assert found.json()["length"]["explains"] is True


# ---- distances -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("flaw", "lawn", 2)],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance
    assert edit_similarity(a, b) == 1 - distance / max(len(a), len(b))


def test_edit_distance_of_tokens() -> None:
    assert edit_distance(["1", "24", "7"], ["1", "7"]) == 1
    assert edit_similarity([], []) == 1.0


# ---- the scores of a study -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("scores")
    return load(synthetic_results(folder, labels=(8,), methods=("answer-only", "cot"), seeds=2, items=40))


def scores_of(results: Results) -> list[SizePoint]:
    return [point for curve in score_curves(outcomes_of(results)) for point in curve.points]


def test_scores_of_a_study_are_means_over_items_with_errors(results: Results) -> None:
    points = scores_of(results)
    assert {point.metric for point in points} <= set(SCORES)
    assert all(point.continuous and point.stderr is not None for point in points)
    first = next(point for point in points if point.metric == "edit similarity")
    cells = results.cells.filter(
        (results.cells["model"] == first.model) & (results.cells["task"] == first.curve.split(",")[0])
    ).to_dicts()
    cells = [cell for cell in cells if first.curve == f"{cell['task']}, {cell['method']}, {cell['labels']} labels"]
    rows = [row for cell in cells for row in results.records.filter(results.records["cell"] == cell["cell"]).to_dicts()]
    mean = np.mean([edit_similarity(row["answer"] or "", row["gold"]) for row in rows])
    assert first.score == pytest.approx(float(mean), abs=0.05)
    assert first.stderr is not None
    assert 0 < first.stderr < 0.2


def test_pass_rates_come_from_samples_alone(results: Results) -> None:
    found = [point for point in scores_of(results) if point.metric == "pass rate"]
    assert {point.curve.split(", ")[1] for point in found} == {"cot-vote"}
    assert all(point.score is not None and 0 <= point.score <= 1 for point in found)


def test_brier_and_probability_agree(results: Results) -> None:
    points = {(p.curve, p.model, p.metric): p for p in scores_of(results)}
    pairs = [(p, points[c, m, "1 - Brier"]) for (c, m, metric), p in points.items() if metric == "gold_prob"]
    assert pairs
    # 1 - (1 - p)^2 is at least p
    assert all((brier.score or 0) >= (prob.score or 0) for prob, brier in pairs)


def test_accuracies_of_a_study_are_effective_counts(results: Results) -> None:
    for one in outcomes_of(results):
        point = point_of(one, float(one.params))
        assert point.n is not None
        assert point.correct is not None
        assert point.n <= one.values.size
        assert math.isclose(point.correct / point.n, one.accuracy, abs_tol=0.5 / point.n + 1e-9)
    assert {curve.scale for curve in score_curves(outcomes_of(results))} == {"params"}


def test_a_study_without_records_has_no_scores(tmp_path: Path, results: Results) -> None:
    empty = Results(results.study, results.cells.clear(), results.records.clear(), (), {})
    assert outcomes_of(empty) == ()
