"""`onset plan`: the smallest differences a study can find, with noise between draws."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import RULES, STUDY, call, shown_json
from made_arms import arm
from synthetic import synthetic_results

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.planning import RECORDED, _measured
from onset.analysis.stats.power import minimum_detectable_difference
from onset.report.plans import detectable_notes

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks"))
from few_draws import DISAGREE, Setting, compared, rates
from few_draws import study as simulated

RESULTS = Path(__file__).resolve().parents[3] / "docs" / "results"


@pytest.fixture
def coins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A study file of scripted answers, in the folder it is run from."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "replies.json").write_text(json.dumps(RULES))
    (tmp_path / "coins.yaml").write_text(STUDY)
    return "coins.yaml"


def test_noise_between_draws_sets_a_limit_that_items_do_not_move() -> None:
    def found(items: int, draws: int, independent: int = 6) -> float:
        return minimum_detectable_difference(items, 0.4, draws, noise=0.1, independent=independent)

    assert found(200, 3) > found(2000, 3) > found(200_000, 3) > 2.8 * 0.1 / math.sqrt(3)
    assert found(200, 2) > found(200, 3) > found(200, 5) > found(200, 10)
    # alone, two draws find nothing: 12.7 standard errors are more than all there is
    assert found(200, 2, independent=1) == 1.0
    assert found(200, 3, independent=1) > found(200, 3, independent=3) > found(200, 3, independent=30)
    # one draw is about its examples: noise between draws is not in it
    assert found(200, 1) == minimum_detectable_difference(200, 0.4)


def test_the_recorded_noise_is_that_of_the_records() -> None:
    """Root mean squares over the recorded comparisons; noise of single outcomes (at most) taken out."""
    squares: dict[str, list[float]] = {"tuned against prompted": [], "tuned against tuned": []}
    single: dict[str, list[float]] = {"tuned against prompted": [], "tuned against tuned": []}
    prompts: dict[tuple[object, ...], list[float]] = {}
    for name in ("sst2-gemma", "sst2-smollm2"):
        shown = json.loads((RESULTS / f"{name}.json").read_text())
        accuracy = {(c["method"], c["labels"], c["shift"], c["seed"]): c["accuracy"] for c in shown["cells"]}
        for one in shown["comparisons"]:
            a, b = one["sides"]
            kind = "tuned against tuned" if b != "answer-only" else "tuned against prompted"
            gaps = [
                accuracy[a, one["labels"], one["shift"], seed] - accuracy[b, one["labels"], one["shift"], seed]
                for seed in one["seeds"]
            ]
            squares[kind].append(float(np.var(gaps, ddof=1)))
            # half of the discordant outcomes are taken for noise of single outcomes
            single[kind].append(0.5 * sum(one["discordant"]) / (len(gaps) * one["n"]) / one["n"])
        for (method, labels, shift, _), value in accuracy.items():
            if method == "answer-only":
                prompts.setdefault((name, labels, shift), []).append(value)
    for kind, values in squares.items():
        noise = math.sqrt(float(np.mean(values)) - float(np.mean(single[kind])))
        assert RECORDED[kind][0] == pytest.approx(noise, abs=0.002)
    alone = math.sqrt(float(np.mean([np.var(values, ddof=1) for values in prompts.values()])))
    assert RECORDED["prompted against prompted"][0] == pytest.approx(alone, abs=0.001)
    assert (len(squares["tuned against prompted"]), len(squares["tuned against tuned"]), len(prompts)) == (18, 6, 12)


def test_noise_is_read_from_finished_cells(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path / "study", seeds=4, items=60, voting=False)
    held = _measured(folder)
    assert set(held) == {"prompted against prompted", "tuned against prompted"}
    noise = held["tuned against prompted"]
    assert 0 < noise.sd < 0.3
    assert noise.source == f"24 finished comparisons of 4 draws in {folder}"
    assert _measured(tmp_path / "none") == {}
    assert _measured(None) == {}


def test_the_plan_says_what_it_rests_on(
    coins: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = shown_json(capsys, "plan", coins, "--json")
    assert {(row["design"], row["draws"], row["items"]) for row in plan["detectable"]} == {
        ("prompted against prompted", 2, 30)
    }
    for row in plan["detectable"]:
        # cot, its vote and answer-only at two budgets: six comparisons, four of them independent
        assert (row["comparisons"], row["independent"], row["family_size"], row["prior_df"]) == (6, 4, 6, 1.5)
        assert row["noise"] == RECORDED["prompted against prompted"][0]
        assert row["source"].startswith("no finished cells of this kind; recorded: ")
    assert call(capsys, "run", coins)[0] == 0
    again = shown_json(capsys, "plan", coins, "--json")["detectable"]
    assert {row["source"] for row in again} == {"6 finished comparisons of 2 draws in results/coins"}
    elsewhere = shown_json(capsys, "plan", coins, "--json", "--out", str(tmp_path / "other"))["detectable"]
    assert elsewhere == plan["detectable"]
    code, out, _ = call(capsys, "plan", coins)
    assert code == 0
    assert "Corrected for the 6 comparisons of a family" in " ".join(out.split())


def test_two_draws_that_decide_nothing_say_so() -> None:
    row = {
        "design": "tuned against prompted", "draws": 2, "items": 100, "discordance": 0.4, "difference": 1.0,
        "comparisons": 1, "independent": 1, "prior_df": 0.0, "family_size": 1, "noise": 0.125, "source": "recorded: here",
        "decides": False, "proposal": {"draws": 5, "items": 40, "difference": 0.31},
    }  # fmt: skip
    assert detectable_notes([row]) == [
        "Tuned against prompted, 2 draws: noise between draws 12.5 points (recorded: here), not pooled: 1 of at least 3"
        " independent comparisons.",
        "  2 draws decide nothing here: they find no difference at all.",
        "  For the same cost 5 draws x 40 items find 31.0 points.",
    ]
    single = row | {"draws": 1, "noise": None, "source": None, "decides": True, "proposal": None}
    assert detectable_notes([single]) == [
        "One draw answers about its own examples: how other examples would do is not in it."
    ]


def test_plan_and_study_agree_on_what_is_compared_and_pooled(
    coins: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = shown_json(capsys, "plan", coins, "--json")["detectable"]
    assert call(capsys, "run", coins)[0] == 0
    rows = shown_json(capsys, "show", "results/coins", "--json")["comparisons"]
    assert len(rows) == plan[0]["comparisons"]
    assert {row["family_size"] for row in rows} <= {plan[0]["family_size"]}
    # scripted answers are the same in every draw, so fewer comparisons may have anything to learn from
    assert all((row["pool"] or {"independent": 0})["independent"] <= plan[0]["independent"] for row in rows)


def test_compare_all_gives_what_the_plan_counts() -> None:
    rng = np.random.default_rng(0)
    arms = [arm((rng.random((2, 40)) < 0.5).astype(float), name, labels=labels) for labels in (8, 32) for name in "abc"]
    pools = {one.pool.independent for one in compare_all(arms, replicates=100) if one.pool}
    assert pools == {4}


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "comparisons", "items"), [(2, 6, 200), (3, 6, 200), (5, 6, 60), (3, 18, 200)])
def test_what_the_plan_promises_is_found_four_times_in_five(draws: int, comparisons: int, items: int) -> None:
    gap = minimum_detectable_difference(items, DISAGREE, draws, noise=0.08, independent=comparisons)
    one = rates(Setting(draws, comparisons, items, difference=gap), 1800, replicates=100)
    print(f"{draws} draws, {comparisons} comparisons, {items} items, {gap:.3f}: {one}")
    assert 0.72 < one.pooled < 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("draws", "items"), [(3, 200), (5, 200), (8, 100)])
def test_what_the_plan_promises_without_pooling_is_found_four_times_in_five(draws: int, items: int) -> None:
    gap = minimum_detectable_difference(items, DISAGREE, draws, noise=0.08)
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(600):
        differences, links, _ = simulated(Setting(draws, 1, items, difference=gap), rng)
        hits.append((compared(differences, links, 1000)[0][0].p or 0.0) <= 0.05)
    print(f"{draws} draws, {items} items, {gap:.3f}: {np.mean(hits):.3f}")
    assert 0.68 < np.mean(hits) < 0.9
