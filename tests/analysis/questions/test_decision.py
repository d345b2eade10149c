"""What is recommended for a task of the user's own, against truths that are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_arms import arm, changed
from scipy import stats
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.best import known_pairs, standing
from onset.analysis.estimates.costs import Spent, key_of
from onset.analysis.estimates.decisions import Decision, distinct, own_tasks
from onset.analysis.estimates.money import NO_SECOND, NO_TEXTS, NO_TIME, NO_TOKENS, NO_TRAINING, money_of
from onset.analysis.outcomes import Flops
from onset.analysis.questions import question
from onset.analysis.questions.decision import cost_words
from onset.analysis.questions.say import Say
from onset.analysis.words import money

FAST = 500


def study(folder: Path, **changes: object) -> Analysis:
    tasks = (("tickets", 0.25),)
    return analyse(load(synthetic_results(folder, tasks=tasks, own=["tickets"], **changes)), replicates=FAST)  # type: ignore[arg-type]


def only(analysis: Analysis) -> Decision:
    (one,) = analysis.decisions
    return one


def drawn(share: float, name: str, *, seed: int, items: int = 400, cost: float = 1.0, draws: int = 1):  # noqa: ANN201
    rng = np.random.default_rng(seed)
    return arm((rng.random((draws, items)) < share).astype(float), name, flops=Flops(cost, 0.0))


def test_the_best_of_all_is_said_to_be_so() -> None:
    held = standing(
        [drawn(0.9, "good", seed=1), drawn(0.6, "fair", seed=2), drawn(0.3, "poor", seed=3)], replicates=FAST
    )
    assert held.best.method == "good"
    assert [one.arm.method for one in held.rivals] == ["fair", "poor"]
    assert all(one.ruled_out for one in held.rivals)
    assert held.open == ()


def test_a_rival_is_ruled_out_by_its_test_times_their_number() -> None:
    arms = [
        drawn(0.62, "a", seed=5, items=200),
        drawn(0.5, "b", seed=6, items=200),
        drawn(0.52, "c", seed=7, items=200),
    ]
    held = standing(arms, replicates=FAST)
    for one in held.rivals:
        more, fewer = (int((sign * (held.best.values - one.arm.values) > 0).sum()) for sign in (1, -1))
        p = stats.binomtest(more, more + fewer).pvalue
        assert one.ruled_out == (2 * p <= 0.05)


@pytest.mark.slow
def test_the_truly_best_is_seldom_ruled_out() -> None:
    """Five arms, two of them equally good: whichever is picked, the other must stay in 95 % of studies."""
    wrong = 0
    for seed in range(400):
        arms = [
            drawn(share, f"m{at}", seed=10 * seed + at, items=150) for at, share in enumerate((0.7, 0.7, 0.6, 0.5, 0.5))
        ]
        held = standing(arms, replicates=200)
        wrong += any(one.ruled_out and one.arm.method in ("m0", "m1") for one in held.rivals) or held.best.method not in (
            "m0", "m1", *(one.arm.method for one in held.rivals),
        )  # fmt: skip
    assert wrong / 400 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_a_level_rival_that_is_cheaper_is_taken(tmp_path: Path) -> None:
    same = (np.arange(800) % 4 != 0).astype(float)[None]
    arms = [arm(same, "dear", flops=Flops(9.0, 0.0)), arm(np.roll(same, 4), "cheap", flops=Flops(1.0, 0.0))]
    held = standing([*arms, arm(np.zeros_like(same), "none")], replicates=FAST)
    assert held.best.method == "cheap"  # of equal accuracies
    better = same.copy()
    better[0, 0] = 1.0
    held = standing([arm(better, "dear", flops=Flops(9.0, 0.0)), arms[1]], replicates=FAST)
    assert held.best.method == "dear"
    assert [one.level for one in held.rivals] == [True]


def test_what_it_says_is_what_was_measured(tmp_path: Path) -> None:
    analysis = study(tmp_path / "d", items=120, price={"hour": 3.6, "currency": "€"})
    one = only(analysis)
    cells = analysis.measured.cells.filter(
        (analysis.measured.cells["model"] == one.model)
        & (analysis.measured.cells["method"] == one.method)
        & (analysis.measured.cells["labels"] == one.labels)
    )
    n = cells["n"].sum()
    assert one.point.accuracy == pytest.approx(cells["correct"].sum() / n)
    assert one.price.flops == pytest.approx(1000 * cells["flops_inference"].sum() / n)
    assert one.price.seconds == pytest.approx(1000 * cells["seconds"].sum() / n)
    assert one.price.money == pytest.approx(one.price.seconds / 1000)
    assert one.others.tried == one.others.ruled_out + len(one.others.level) + len(one.others.open)
    (finding,) = [found for found in analysis.findings if found.kind == "decision"]
    assert analysis.findings[0] == finding
    assert money(one.price.money, "€") in finding.sentence
    assert to_json(analysis)["decisions"] == [one.json()]


def test_tokens_have_a_price_too(tmp_path: Path) -> None:
    analysis = study(tmp_path / "d", items=60, price={"input": 0.5, "output": 2.0, "currency": "$"})
    one = only(analysis)
    cells = analysis.measured.cells.filter(
        (analysis.measured.cells["model"] == one.model)
        & (analysis.measured.cells["method"] == one.method)
        & (analysis.measured.cells["labels"] == one.labels)
    )
    tokens = 0.5 * cells["prompt_tokens"].sum() + 2.0 * cells["output_tokens"].sum()
    assert one.price.money == pytest.approx(1000 * tokens / cells["n"].sum() / 1e6)


def test_where_nothing_is_settled_a_next_step_is_named(tmp_path: Path) -> None:
    one = only(study(tmp_path / "d", items=12, seeds=2, labels=(8,)))
    assert one.verdict == "open"
    assert one.next_step is not None
    assert one.next_step.flops is None or one.next_step.flops > 0


@pytest.mark.parametrize("own", [["tickets"], []])
def test_that_none_is_above_chance_is_said_once(own: list[str], tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path, tasks=(("tickets", 0.5),), own=own, models=(("tiny", 10_000),), items=20)
    found = {finding.kind: finding.verdict for finding in analyse(load(folder), replicates=FAST).findings}
    name, silent = ("decision", "best method") if own else ("best method", "decision")
    assert found[name] == "not above chance"
    assert silent not in found


def test_only_tasks_of_the_users_own() -> None:
    own = {"name": "tickets", "train": "t.csv"}
    assert own_tasks({"tasks": ["gsm8k", {"name": "word-problems", "steps": 2}, own]}) == ("tickets",)
    assert own_tasks({"tasks": ["gsm8k"], "parts": [{"tasks": [own]}, {"tasks": [own]}]}) == ("tickets",)


def test_a_pair_has_one_verdict(tmp_path: Path) -> None:
    """Of methods that the study compares anyway the comparison's verdict stands, also where Bonferroni's would differ."""
    analysis = study(tmp_path / "d", models=(("mid", 10**8),), items=80, seeds=3)
    held = only(analysis).held
    pairs = {frozenset((one.plus, one.minus)): one for one in analysis.contrasts.methods}
    shared = [one for one in held.rivals if frozenset((held.best.at, one.arm.at)) in pairs]
    assert shared
    for one in shared:
        pair = pairs[frozenset((held.best.at, one.arm.at))]
        said = pair.verdict if pair.plus == held.best.at else pair.turned().verdict
        assert one.ruled_out == (said == "wins")
        assert one.level == (said == "equivalent")
        assert one.against.p_adjusted == pair.p_adjusted


def test_recommendation_and_best_method_agree(tmp_path: Path) -> None:
    """Where what is recommended is the best method of the largest model, both name the same ones as beaten."""
    for seed in range(6):
        analysis = study(tmp_path / str(seed), models=(("mid", 10**8),), labels=(8,), items=60, seed=seed)
        held = only(analysis).held
        (best,) = findings_of_kind(analysis, "best method")
        beaten = {one.arm.method for one in held.rivals if one.ruled_out}
        assert (best.verdict == "best") == (len(beaten) == len(held.rivals))
        for name in beaten:
            assert name in best.sentence.partition("cannot be told apart")[0]


def findings_of_kind(analysis: Analysis, kind: str):  # noqa: ANN201
    return question(kind).ask(analysis)


def test_one_prompt_at_several_budgets_counts_once() -> None:
    """Four examples are shown at 8 labels and at 32: what is known of the pair at 32 is known of it."""
    rng = np.random.default_rng(0)
    asked = (tuple(f"p{at}" for at in range(200)),)
    few = arm((rng.random((1, 200)) < 0.5).astype(float), "cot", prompts=asked)
    many = changed(few, labels=32)
    tuned = arm((rng.random((1, 200)) < 0.8).astype(float), "lora", tune="lora", labels=32, prompts=asked)
    known = known_pairs(compare_all([few, many, tuned], replicates=FAST))
    kept, pairs = distinct([few, many, tuned], known)
    assert kept == [few, tuned]
    held = standing(kept, known=pairs, replicates=FAST)
    assert held.rivals[0].against is known[(tuned.at, many.at)]
    other = changed(many, values=1 - many.values)
    assert distinct([few, other], known)[0] == [few, other]  # asked the same, but it came out differently
    assert distinct([tuned, changed(tuned, labels=8)], known)[0][0] is tuned


@pytest.mark.slow
def test_the_truly_best_is_seldom_ruled_out_by_the_comparisons_of_the_study() -> None:
    """Five methods at two budgets, two of them equally good at both: none of these four may be ruled out."""
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng([3, seed])
        arms = [
            arm((rng.random((1, 150)) < share).astype(float), f"m{at}", labels=labels)
            for labels in (8, 32)
            for at, share in enumerate((0.7, 0.7, 0.6, 0.5, 0.5))
        ]
        held = standing(arms, known=known_pairs(compare_all(arms, replicates=200)), replicates=200)
        wrong += any(one.ruled_out and one.arm.method in ("m0", "m1") for one in held.rivals)
    assert wrong / 200 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


USED = Spent(9.0, 1.0, 1.0, 1.0, None, 2.0, 5.0, 7.0, 0.0, 1.0, 30.0, 0.0, 70.0, 8.0, 0.0)
"""Asked with 9 tokens in and 1 out in 2 s; tuned on 1 token in 30 s, after stages of 70 s."""


def test_the_machine_is_paid_for_tuning_and_for_the_stages_before_it() -> None:
    hour = {"hour": 36.0, "currency": "$"}
    prompted = replace(USED, tuning=0.0, tuning_seconds=0.0)

    def money(used: Spent) -> float | None:
        made = money_of(hour, used)
        assert made is not None
        assert made.currency == "$"
        assert made.query == pytest.approx(0.02)
        return made.total(100)

    assert money(replace(prompted, stages=0.0)) == pytest.approx(2.0)
    assert money(prompted) == pytest.approx(2.7)
    assert money(USED) == pytest.approx(3.0)
    assert money(replace(USED, search=9.0, search_seconds=20.0)) == pytest.approx(3.2)
    assert money(replace(USED, stages_seconds=None)) is None
    assert money_of(hour, replace(USED, stages_seconds=None)).why == NO_TIME
    assert money_of(None, USED) is None


def test_tokens_of_training_have_a_price_where_the_study_gives_one() -> None:
    tokens = {"input": 1.0, "output": 2.0, "currency": "$"}
    trained = tokens | {"training": 5.0}
    plain = replace(USED, tuning=0.0, stages=0.0)
    assert money_of(tokens, plain).total(1e6) == pytest.approx(11.0)
    tuned = replace(USED, stages=0.0, tuning_tokens=3e6)
    assert (money_of(tokens, tuned).once, money_of(tokens, tuned).why) == (None, NO_TRAINING)
    assert money_of(trained, tuned).total(1e6) == pytest.approx(11.0 + 15.0)
    staged = replace(tuned, stages=7.0, stages_tokens=2e6)
    assert money_of(trained, staged).once == pytest.approx(15.0 + 10.0)
    # texts that a model wrote first are in no price by tokens
    assert money_of(trained, replace(tuned, prepared_tokens=9.0)).why == NO_TEXTS
    assert money_of(trained, replace(staged, stages_sampled=True)).why == NO_TEXTS
    # trials of a search: what they read, wrote and trained on
    searched = replace(plain, search=1.0, search_tokens=(4e6, 1e6, 0.0))
    assert money_of(tokens, searched).once == pytest.approx(6.0)
    assert money_of(trained, replace(searched, search_tokens=(4e6, 1e6, 2e6))).once == pytest.approx(16.0)
    assert money_of(tokens, replace(searched, search_tokens=(4e6, 1e6, 2e6))).why == NO_TRAINING
    assert money_of(trained, replace(searched, search_tokens=(None, 1e6, 0.0))).why == NO_TOKENS
    # what a server's model took has no FLOPs, and is not free for that
    served = replace(searched, search=0.0, search_seconds=1800.0)
    assert money_of(tokens, served).once == pytest.approx(6.0)
    assert money_of({"hour": 3.0, "currency": "$"}, served).once == pytest.approx(1.5)
    # a second model that a query asks is in no price by tokens
    asked = money_of(tokens, plain, second=True)
    assert (asked.query, asked.why) == (None, NO_SECOND)


def test_what_is_done_once_is_said_in_money_too(tmp_path: Path) -> None:
    """Tuning by tokens of training, from the study file to the ledger."""
    price = {"input": 0.5, "output": 2.0, "training": 8.0, "currency": "$"}
    analysis = study(tmp_path / "d", items=60, price=price)
    tuned = next(arm for arm in analysis.arms if arm.tuned)
    cost = analysis.spent[key_of(tuned)].money
    cells = analysis.measured.cells.filter((pl.col("method") == tuned.method) & (pl.col("labels") == tuned.labels))
    assert cost is not None
    assert cost.once == pytest.approx(8.0 * cells["tuning_tokens"].mean() / 1e6)
    costs = [one for one in to_json(analysis)["costs"] if one["method"] == tuned.method]
    assert all(one["money"]["once"] == pytest.approx(cost.once) for one in costs)
    one = only(analysis)
    said = cost_words(replace(one, price=replace(one.price, once_money=1.5, currency="$")), Say("en"))
    assert "all that is done once, $1.5" in said
