"""Advice for given queries, labels and shift: what it follows from, what changes it, and how it is said."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_arms import arm
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load
from onset.analysis.contrast.contrast import measure
from onset.analysis.estimates.advice import Advice, Wanted, _payable, _too_few, advise
from onset.analysis.estimates.costs import Spent, key_of
from onset.analysis.estimates.decisions import Alternative, Basis, Decision, NextStep, _price, alternative, decide_among
from onset.analysis.estimates.label_curves import mean_accuracy
from onset.analysis.estimates.money import Money
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions.advice_words import advice_words
from onset.analysis.questions.decision import cost_words, name_words, sure_words, use_words
from onset.analysis.questions.say import Say
from onset.analysis.words import money, percent
from onset.cli import main
from onset.errors import DataError

FAST = 300
SPENT = Spent(10.0, 5.0, 1.0, 1.0, None, 0.1, 0.0, 0.0, 0.0, 0.0, None, 0.0, 0.0, 8.0, 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results(
        tmp_path_factory.mktemp("advice") / "d", tasks=(("tickets", 0.25),), own=["tickets"], shifts=("none", "typos"),
        items=60, price={"hour": 3.6, "currency": "$"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def study(folder: Path) -> Analysis:
    return analyse(load(folder), replicates=FAST)


def test_without_anything_said_it_is_the_recommendation_of_the_page(study: Analysis) -> None:
    (one,) = advise(study, Wanted())
    assert one.decision.json() == study.decisions[0].json()


def test_no_more_labels_are_used_than_there_are(study: Analysis) -> None:
    (few,) = advise(study, Wanted(labels=20))
    assert few.decision.labels <= 20
    assert few.decision.others.tried == sum(arm.shift == "none" and arm.labels <= 20 for arm in study.arms) - 1
    assert (
        "budgets measured are 8 and 32: no more of the 20 labels was used" in " ".join(said(few, study).reasons).lower()
    )
    (many,) = advise(study, Wanted(labels=1000))
    assert "what 1000 labels would bring is not known" in " ".join(said(many, study).reasons)


def test_under_a_shift_only_what_was_measured_there_counts(study: Analysis) -> None:
    (one,) = advise(study, Wanted(shift="typos"))
    assert one.decision.shift == "typos"
    assert one.decision.point.accuracy == max(arm.accuracy for arm in study.arms if arm.shift == "typos")


def test_the_total_is_what_is_done_once_and_every_query(study: Analysis) -> None:
    (one,) = advise(study, Wanted(queries=5000))
    assert one.spent is not None
    assert one.total == pytest.approx(one.spent.tuning + 5000 * one.spent.flops)
    assert one.money == (pytest.approx((5000 * one.spent.seconds + (one.spent.tuning_seconds or 0.0)) / 1000), "$")
    totals = [point.total for point in one.front]
    assert totals == sorted(totals)
    assert [point.accuracy for point in one.front] == sorted(point.accuracy for point in one.front)


@pytest.mark.parametrize(
    ("wanted", "task", "message"),
    [
        (Wanted(shift="rain"), None, "no results under shift 'rain'; there are: none and typos"),
        (Wanted(labels=4), None, "no results with 4 labels or fewer; budgets measured: 8 and 32"),
        (Wanted(), "mail", "no results of task 'mail'; there are: tickets"),
        (Wanted(shift="rain"), "tickets", "no results on task tickets under shift 'rain'; there are: none and typos"),
        (
            Wanted(labels=4, rationale=1),
            None,
            "no results that cost 4 answers or fewer, a rationale at 1; the cheapest costs 8",
        ),
    ],
)
def test_what_was_not_measured_is_said_with_what_there_is(
    study: Analysis, wanted: Wanted, task: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        advise(study, wanted, task)


def test_where_labels_are_too_few_the_budgets_of_every_task_are_said() -> None:
    group = [arm([1, 0], "a", labels=labels) for labels in (8, 32)]
    other = [arm([1, 0], "a", labels=16, task="u")]
    said_ = "no results with 4 labels or fewer; budgets measured: "
    basis = Basis({}, {}, {}, {})
    assert _too_few([group, other], Wanted(labels=4), basis) == f"{said_}t: 8 and 32; u: 16"
    assert _too_few([group, group], Wanted(labels=4), basis) == f"{said_}8 and 32"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"queries": 0.0}, "--queries 0: expected 1 or more"),
        ({"queries": float("nan")}, "--queries nan: expected 1 or more"),
        ({"queries": 1e300}, "--queries 1e+300: expected at most 1e+15"),
        ({"labels": 10**400}, f"--labels 1{'0' * 400}: expected at most 1e+15"),
        ({"labels": -1}, "--labels -1: expected 0 or more"),
        ({"labels": 8, "rationale": -1.0}, "--rationale-price -1: expected 0 or more answers"),
        ({"rationale": 2.0}, "--rationale-price needs --labels: what may be spent, in answers"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Wanted(**values)  # type: ignore[arg-type]


# ---- planted: what the number of queries decides -------------------------------------------------------------------


def planted(queries: float | None, tuned_share: float = 0.75) -> tuple[Decision, list[Outcomes]]:
    """A prompt of 5 FLOPs a query, and tuning of 900 with 2 a query that is as good, within the margin."""
    values = (np.arange(800) % 4 != 0).astype(float)
    other = np.roll(values, 4)
    other[: int(800 * (0.75 - tuned_share))] = 0.0
    arms = [arm(values, "cot"), arm(other, "lora", tune="lora")]
    spent = {
        key_of(arms[0]): replace(SPENT, flops=5.0),
        key_of(arms[1]): replace(SPENT, flops=2.0, tuning=900.0),
    }
    means = {key_of(one): mean_accuracy(one, FAST) for one in arms}
    return decide_among(arms, Basis({}, means, spent, {}, replicates=FAST), queries), arms


@pytest.mark.parametrize(
    ("queries", "method"), [(10, "cot"), (299, "cot"), (301, "lora"), (1e6, "lora"), (None, "cot")]
)
def test_of_level_arms_the_cheaper_one_in_total_is_taken(queries: float | None, method: str) -> None:
    made, _ = planted(queries)
    assert (made.verdict, made.method) == ("level", method)


@pytest.mark.parametrize(("queries", "method"), [(99, "lora"), (101, "cot"), (None, "cot")])
def test_of_level_arms_money_decides_where_it_is_asked_for(queries: float | None, method: str) -> None:
    """The tuned one, dearer in operations for so few, costs nothing once and more a query in money."""
    _, arms = planted(queries)
    prices = (Money(1.0, 100.0, "$"), Money(2.0, 0.0, "$"))
    spent = {key_of(one): replace(SPENT, flops=5.0, money=price) for one, price in zip(arms, prices, strict=True)}
    means = {key_of(one): mean_accuracy(one, FAST) for one in arms}
    made = decide_among(arms, Basis({}, means, spent, {}, replicates=FAST), queries, "money")
    assert (made.verdict, made.method) == ("level", method)


def test_cost_may_be_counted_in_money(study: Analysis, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = advise(study, Wanted(queries=5000, by="money"))
    assert one.spent is not None
    assert one.spent.money is not None
    assert len(one.front) > 1
    amounts = [point.money[0] for point in one.front if point.money is not None]
    assert len(amounts) == len(one.front)
    assert amounts == sorted(amounts) == [point.total for point in one.front]
    assert one.front[-1].accuracy == max(each.accuracy for each in study.arms if each.shift == "none")
    for each in study.arms:  # none beats a point of the front for less
        if each.shift == "none":
            cost = study.spent[key_of(each)].money.total(5000)
            assert not any(each.accuracy > point.accuracy and cost <= point.total for point in one.front)
    ours = one.spent.money
    for other in one.cheaper:
        assert other.total is not None
        assert other.now == (other.total < ours.total(5000))
    told = " ".join(said(one, study).reasons)
    assert f"({percent(one.front[0].accuracy)}, {money(amounts[0], '$')})" in told
    main_ok(["advise", str(folder), "--queries", "5000", "--by", "money", "--json"])
    (made,) = json.loads(capsys.readouterr().out)["advice"]
    assert [point["money"]["amount"] for point in made["front"]] == amounts
    assert {point["total_flops"] for point in made["front"]} == {None}


def test_without_a_price_money_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    def of(price: dict[str, object] | None) -> Analysis:
        name = "none" if price is None else "tokens"
        folder = synthetic_results(
            tmp_path / name, tasks=(("tickets", 0.25),), own=["tickets"], items=20, seeds=1, price=price
        )
        return analyse(load(folder), replicates=FAST)

    with pytest.raises(DataError, match=r"^--by money: what .* labels costs is not known: the study gives no 'price'$"):
        advise(of(None), Wanted(by="money"))
    tokens = {"input": 1.0, "output": 2.0, "currency": "$"}
    message = "^--by money: what lora-answers on .* is not known: the price says nothing of 'training', a million"
    with pytest.raises(DataError, match=message):
        advise(of(tokens), Wanted(by="money"))


def test_accuracy_comes_before_cost() -> None:
    made, _ = planted(1e6, tuned_share=0.5)
    assert (made.verdict, made.method) == ("best", "cot")


def test_where_another_becomes_cheaper_is_the_break_even(study: Analysis) -> None:
    """Every number of queries that is named: on it both cost the same, and on its cheaper side the other costs less."""
    (one,) = advise(study, Wanted(queries=100))
    ours = one.spent
    assert ours is not None
    named = [other for other in one.cheaper if other.queries is not None]
    for other in named:
        theirs = next(
            study.spent[key_of(arm)]
            for arm in study.arms
            if arm.shift == "none"
            and arm.method == other.arm.method
            and arm.model == (other.arm.model or one.decision.model)
            and arm.labels == (one.decision.labels if other.arm.labels is None else other.arm.labels)
        )
        assert ours.total(other.queries) == pytest.approx(theirs.total(other.queries))
        inside = other.queries * (0.5 if other.below else 2.0)
        assert theirs.total(inside) < ours.total(inside)
        assert other.now == (other.queries > 100 if other.below else other.queries < 100)


# ---- as it is said -------------------------------------------------------------------------------------------------


def said(one, study: Analysis, language: str = "en"):  # noqa: ANN001, ANN201
    return advice_words(one, Say(language))  # type: ignore[arg-type]


def test_it_says_what_to_do_in_one_sentence(study: Analysis) -> None:
    (one,) = advise(study, Wanted(queries=10_000, labels=32, shift="typos"))
    told = said(one, study)
    assert told.sentence.startswith("For 10,000 queries, with at most 32 labels, under the shift typos: use ")
    assert told.sentence.count(". ") == 0
    assert "95 % interval" in told.sentence
    for text in (told.sentence, *told.reasons, *told.changes):
        assert text.endswith(".")
        assert "None" not in text


def test_in_chinese_every_sentence_is_chinese(study: Analysis) -> None:
    names = {
        word for arm in study.arms for word in re.findall("[A-Za-z]+", f"{arm.model} {arm.method} {arm.shift} tickets")
    }
    for wanted in (Wanted(), Wanted(10_000, 20, "typos"), Wanted(5, 500), Wanted(100, 40, rationale=1.0)):
        for one in advise(study, wanted):
            told = said(one, study, "zh")
            for text in (told.sentence, *told.reasons, *told.changes, told.next_step or ""):
                words = {one for one in re.findall("[A-Za-z]{4,}", text) if one.lower() not in names}
                assert words <= {
                    "LoRA",
                    "MFLOPs",
                    "GFLOPs",
                    "TFLOPs",
                    "PFLOPs",
                    "FLOPs",
                    "seeds",
                    "items",
                    "import",
                    "onset",
                    "open",
                    "tuned",
                }, text


def test_the_command_prints_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_ok(["advise", str(folder), "--queries", "1000", "--labels", "32"])
    out = capsys.readouterr().out
    assert out.startswith("For 1,000 queries, with at most 32 labels: use ")
    assert "Why" in out
    main_ok(["advise", str(folder), "--queries", "1000", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert made["wanted"] == {"queries": 1000.0, "labels": None, "shift": "none", "rationale": None, "by": "flops"}
    (one,) = made["advice"]
    assert {
        "decision",
        "nearest",
        "cost",
        "total_flops",
        "cheaper",
        "instead",
        "front",
        "sentence",
        "reasons",
        "changes",
        "next_step",
    } <= set(one)


def test_the_command_refuses_what_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["advise", str(folder), "--under", "rain"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "onset: no results under shift 'rain'; there are: none and typos\n"


def main_ok(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0


def test_level_arms_are_said_to_be_no_cheaper_in_what_they_were_compared_in() -> None:
    """Of ten queries the prompt is cheaper in all, though a query of it is dearer than one of the level tuned arm."""
    few, _ = planted(10)
    assert few.method == "cot"
    assert "no cheaper for so many queries" in sure_words(few, Say("en"), total=True)
    told = advice_words(advice_of(few, Wanted(queries=10)), Say("en"))
    assert not any("no cheaper to ask" in reason for reason in told.reasons)
    assert any("no cheaper for so many queries: " in reason for reason in told.reasons)


def test_the_nearest_that_more_items_would_settle_is_the_nearest_undecided_one() -> None:
    """A rival that is level may be nearer, and stands as the nearest among the reasons."""
    few, _ = planted(10)
    open_ = NextStep(Alternative("own", "mid", 8), None, 900, None)
    told = advice_words(replace(advice_of(few, Wanted(queries=10)), decisive=open_), Say("en"))
    assert "`items: 900` may tell it from the nearest undecided, own" in (told.next_step or "")


def test_the_highest_is_named_by_what_tells_it_from_the_one_recommended() -> None:
    """Both are of one method: the labels are what differs."""
    values = (np.arange(800) % 4 != 0).astype(float)
    less = np.roll(values, 5)
    less[:8] = 0.0  # others are wrong, and a little fewer right
    arms = [arm(values, "lora", tune="lora", labels=32), arm(less, "lora", tune="lora", labels=8)]
    spent = {key_of(arms[0]): replace(SPENT, flops=3.0), key_of(arms[1]): replace(SPENT, flops=2.0)}
    means = {key_of(one): mean_accuracy(one, FAST) for one in arms}
    made = decide_among(arms, Basis({}, means, spent, {}, replicates=FAST), 10)
    assert (made.verdict, made.labels) == ("level", 8)
    told = advice_words(advice_of(made, Wanted(queries=10)), Say("en"))
    assert any("the highest, lora with 32 labelled examples, leads it by" in one.lower() for one in told.reasons)


def advice_of(made: Decision, wanted: Wanted) -> Advice:
    """What is said of a decision alone: nothing of costs, fronts or what else would be recommended."""
    rivals = [one for one in made.held.rivals if made.arm in (made.held.best, one.arm)]
    return Advice(wanted, made, rivals[0], None, None, None, None, None, (), (), (), (8,))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "$0"), (0.0000123, "$0.000012"), (0.0144, "$0.014"), (3.04, "$3"), (9.96, "$10"), (42.4, "$42"), (99.4, "$99"),
     (99.6, "$100"), (1000.0, "$1,000"), (1_234_567.8, "$1,234,568")],
)  # fmt: skip
def test_money_is_never_said_in_powers_of_ten(amount: float, text: str) -> None:
    assert money(amount, "$") == text


def test_what_is_done_once_is_in_the_price_that_is_said() -> None:
    """The search and the stages of training, beside tuning."""
    made, _ = planted(None)
    price = replace(made.price, tuning_flops=5e9, search_flops=3e9, stages_flops=2e9)
    said_ = cost_words(replace(made, price=price), Say("en"))
    assert "tuning, once, 5 GFLOPs" in said_
    assert "the search for settings, once, 3 GFLOPs" in said_
    assert "stages of training, once, 2 GFLOPs" in said_
    used = replace(SPENT, money=Money(None, 1.5, "$", "a reason"))  # what is done once is known, a query is not
    assert "all that is done once, $1.5" in cost_words(replace(made, price=_price(made.arm, used)), Say("en"))


def test_the_rival_of_the_next_step_is_named_beside_what_is_recommended() -> None:
    """The highest has 32 labels and so has the open rival; the level and cheaper one that is recommended has 8."""
    rng = np.random.default_rng(3)
    values = (np.arange(2000) % 4 != 0).astype(float)
    rival = (rng.random(2000) < 0.74).astype(float)
    arms = [
        arm(values, "lora", tune="lora", labels=32),
        arm(np.roll(values, 4), "cot", labels=8),
        arm(rival[:2000], "full", tune="full", labels=32),
    ]
    arms[1].values[0, :8] = 0.0
    spent = {key_of(one): replace(SPENT, flops=cost) for one, cost in zip(arms, (3.0, 1.0, 3.0), strict=True)}
    means = {key_of(one): mean_accuracy(one, FAST) for one in arms}
    made = decide_among(arms, Basis({}, means, spent, {}, margin=0.02, replicates=FAST), 10)
    assert (made.held.best.method, made.method, made.verdict) == ("lora", "cot", "open")
    assert made.next_step is not None
    assert str(made.next_step.rival) == str(made.others.open[0]) == "full with 32 labels"


# ---- arms that use no example --------------------------------------------------------------------------------------


def test_an_arm_without_examples_is_never_said_to_have_them() -> None:
    """Asked at a budget of 32 as at 0: zero-shot is recommended, or is the alternative."""
    values = (np.arange(400) % 4 != 0).astype(float)
    worse = np.where(np.arange(400) % 8 == 1, 0.0, values)
    for best, other in (("zero", "few"), ("few", "zero")):
        arms = [
            arm(values if name == best else worse, name, labels=32, used=used, shown=(used, used))
            for name, used in (("zero", 0), ("few", 32))
        ]
        means = {key_of(one): mean_accuracy(one, FAST) for one in arms}
        made = decide_among(arms, Basis({}, means, {}, {}, replicates=FAST))
        assert (made.method, made.others.ruled_out) == (best, 1)
        words_ = {"zero": "without labelled examples", "few": "with 32 labelled examples"}
        assert f"{best} on m {words_[best]}" in use_words(made, Say("en"))
        assert words_[other] in name_words(alternative(arms[0 if other == "zero" else 1], made.arm), Say("en"))
    assert measure(arms[0], arms[0], "method").scope == "no examples"
    assert measure(arms[1], arms[0], "method").scope == "these examples"
    # four labels are enough for what uses none, and other examples change nothing of it
    zero, few = (arm(values, name, labels=32, used=used, shown=(used, used)) for name, used in (("z", 0), ("f", 32)))
    assert _payable([zero, few], Wanted(labels=4), Basis({}, {}, {}, {})) == [zero]
    means = {key_of(one): mean_accuracy(one, FAST) for one in (zero, few)}
    (drawn,) = decide_among([few], Basis({}, means, {}, {}, replicates=FAST)).changes
    assert drawn.what == "draws"
    assert not decide_among([zero], Basis({}, means, {}, {}, replicates=FAST)).changes
    # examples that are used for something else than demonstrations are examples
    assert not arm(values, "clusters", labels=32, shown=(0, 0), used=32).shows_none
