"""Choices of demonstrations: what holds for all of them (a line in the table enrols it here), and each one's own."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onset.answers import TextFormat
from onset.demos import DEMOS
from onset.demos.base import Choice
from onset.demos.complexity import sentences, steps
from onset.demos.fit import Shown, choose_demonstrations
from onset.demos.nearest import words_of
from onset.errors import DataError, InputError, PlanMismatch
from onset.methods import method
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.plan import ExamplePlan, check_ledger, make_plan
from onset.records import Item
from onset.results.read import load
from onset.step import read_step
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tasks.base import Task

EVERY = pytest.mark.parametrize("name", DEMOS)
NEEDED: dict[str, dict[str, Any]] = {"fixed": {"positions": [3, 1]}}
"""What has no default."""


def choice(name: str, **settings: Any) -> Choice:
    step: Choice = read_step(DEMOS, {"kind": name, **NEEDED.get(name, {}), **settings}, "test")
    return step


def item(question: str, answer: str = "yes", rationale: str | None = None, **more: Any) -> Item:
    return Item(question, answer, rationale, **more)


def made(items: Sequence[Item], **more: Any) -> Task:
    return Task("t", "own", tuple(items), tuple(items), TextFormat(), 0.0, "made up", **more)


@pytest.fixture(scope="module")
def task() -> Task:
    (task,) = open_tasks({"name": "coin-flip", "pool": 12, "test": 6})
    return task


def shown(task: Task, plan: ExamplePlan, k: int | None, labels: int = 9, **settings: Any) -> Shown:
    how = method(prompt="answer-only", shots=k, choose={**NEEDED.get(settings["kind"], {}), **settings})
    return choose_demonstrations(
        ScriptedModel({}), task, how, plan, labels, task.test[0] if k is None else None, items=task.test
    )


# ---------------------------------------------------------------------------------------------- every choice


@EVERY
def test_it_ranks_examples_that_it_was_given_each_once(name: str, task: Task) -> None:
    ranked = choice(name).rank(task.pool, task, task.test[0])
    assert set(map(id, ranked)) <= set(map(id, task.pool))
    assert len(set(map(id, ranked))) == len(ranked) > 0
    if name != "fixed":
        assert len(ranked) == len(task.pool)


@EVERY
def test_it_is_pure(name: str, task: Task) -> None:
    one, held = choice(name), list(task.pool)
    first = list(one.rank(held, task, task.test[0]))
    one.rank(held[::-1], task, task.test[1])
    assert list(one.rank(held, task, task.test[0])) == first
    assert held == list(task.pool)
    ranking = one.ranking(held, task)
    assert [list(ranking(asked)) for asked in task.test] == [list(one.rank(held, task, asked)) for asked in task.test]


@EVERY
def test_what_is_shown_does_not_depend_on_the_order_of_the_pools_file(name: str, task: Task) -> None:
    other = replace(task, pool=task.pool[::-1])
    there, here = (shown(one, make_plan(one, 4), 3, kind=name) for one in (other, task))
    assert [here.of(asked) for asked in task.test] == [there.of(asked) for asked in task.test]
    assert here.ledger == there.ledger


@EVERY
@pytest.mark.parametrize("k", [1, 3, 100])
def test_at_most_k_of_the_granted_ones_are_shown_and_are_in_the_ledger(name: str, k: int, task: Task) -> None:
    plan = make_plan(task, 1)
    found = shown(task, plan, k, labels=9, kind=name)
    granted = {one.id for one in plan.take(9)}
    used = {one for line in found.ledger for one in line.ids}
    for asked in task.test:
        ids = [one.id for one in found.of(asked)]
        assert 0 < len(ids) <= k
        assert len(set(ids)) == len(ids)
        assert set(ids) <= used <= granted
    assert ("index" in {line.use for line in found.ledger}) == choice(name).reads
    assert not choice(name).reads or used == granted
    check_ledger(found.ledger, plan, 9)


@EVERY
def test_order_shuffles_those_chosen_and_changes_nothing_else(name: str, task: Task) -> None:
    plan = make_plan(task, 1)
    k = len(NEEDED[name]["positions"]) if name == "fixed" else 6
    plain = shown(task, plan, k, kind=name)
    mixed = [shown(task, plan, k, kind=name, order=seed) for seed in range(8)]
    asked = task.test[0]
    assert {frozenset(one.id for one in found.of(asked)) for found in [plain, *mixed]} == {
        frozenset(one.id for one in plain.of(asked))
    }
    assert len({tuple(one.id for one in found.of(asked)) for found in mixed}) > 1
    assert shown(task, plan, k, kind=name, order=3).of(asked) == mixed[3].of(asked)
    assert {found.ledger[-1].use for found in mixed} == {"demonstration"}


def test_draws_are_shuffled_apart() -> None:
    chosen = [item(f"q{place}") for place in range(10)]
    one = choice("random", order=0)
    orders = {tuple(chosen.index(each) for each in one.shown(chosen, seed)) for seed in range(5)}
    assert len(orders) == 5
    some = [each for each in chosen if each is not chosen[1]]  # what a search shows of them comes in the same order
    for seed in range(5):
        assert one.shown(some, seed) == tuple(each for each in one.shown(chosen, seed) if each is not chosen[1])


@EVERY
def test_as_many_as_fit_are_the_first_in_rank(name: str, task: Task) -> None:
    if choice(name).per_item:
        with pytest.raises(InputError, match="chooses for each question: it needs 'shots', a number"):
            method(prompt="answer-only", choose=name)
        return
    plan = make_plan(task, 2)
    how = method(prompt="answer-only", choose={"kind": name, **NEEDED.get(name, {})})
    small = ScriptedModel({}, facts=replace(MADE_UP_FACTS, context=task.answer_tokens + 120))
    fitted = choose_demonstrations(small, task, how, plan, 9, task.test[0]).everywhere
    ranked = choice(name).rank(plan.take(9), task)
    assert 0 < len(fitted) < 9
    assert set(map(id, fitted)) == set(map(id, ranked[: len(fitted)]))
    assert choose_demonstrations(ScriptedModel({}), task, how, plan, 9, task.test[0]).everywhere == choice(name).shown(
        ranked, 2
    )


def test_nearest_ones_of_a_model_that_tells_no_context_are_as_many_as_asked_for(task: Task) -> None:
    server = ScriptedModel({}, facts=replace(MADE_UP_FACTS, context=None))
    how = method(prompt="answer-only", shots=3, choose="nearest")
    found = choose_demonstrations(server, task, how, make_plan(task, 1), 9, None, items=task.test)
    assert found == shown(task, make_plan(task, 1), 3, kind="nearest")


@pytest.mark.parametrize("choose", ["random", "balanced", {"kind": "random", "order": 2}], ids=str)
def test_a_shift_that_is_added_shows_what_finished_cells_have_shown(choose: Any, tmp_path: Path) -> None:
    """Where more would fit by now, those are kept: also by a choice that does not show the best ones first."""
    made = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "pool": 12, "test": 6}],
        "methods": [{"prompt": "answer-only", "choose": choose, "name": "a"}],
        "labels": [9],
        "seeds": 1,
        "items": 6,
    }
    small, large = (
        ScriptedModel({}, default=" The answer is heads.", facts=replace(MADE_UP_FACTS, context=context, revision="r"))
        for context in (150, 4096)
    )
    run(make_study(**made), tmp_path / "d", models={"fake": small})
    run(make_study(**made, shifts=["none", "typos"]), tmp_path / "d", models={"fake": large})
    counts = {row["demonstrations"] for row in load(tmp_path / "d").cells.to_dicts()}
    assert len(counts) == 1
    assert 0 < counts.pop() < 9


# ---------------------------------------------------------------------------------------------------- balanced


def test_labels_take_turns() -> None:
    pool = [item(f"q{place}", label) for place, label in enumerate("aabacab")]
    ranked = choice("balanced").rank(pool, made(pool))
    assert [one.answer for one in ranked] == ["a", "b", "c", "a", "b", "a", "a"]
    assert [one.question for one in ranked] == ["q0", "q2", "q4", "q1", "q6", "q3", "q5"]


def test_a_balanced_choice_has_as_many_of_each_label_give_or_take_one() -> None:
    pool = [item(f"q{place}", label) for place, label in enumerate("aaaaaaaabbbbbbcccccc" * 2)]
    task = made(pool)
    for seed in range(5):
        for k in range(1, 13):
            counts = Counter(
                one.answer for one in shown(task, make_plan(task, seed), k, 40, kind="balanced").everywhere
            )
            assert max(counts.values()) - min(counts[one] for one in "abc") <= 1


def test_balanced_ones_are_not_shown_in_turn() -> None:
    task = made([item(f"q{place}", "ab"[place % 2]) for place in range(40)])
    labels = [
        "".join(one.answer for one in shown(task, make_plan(task, seed), 8, 40, kind="balanced").everywhere)
        for seed in range(6)
    ]
    assert not {"abababab", "babababa"} & set(labels)


def test_answers_that_are_no_labels_are_refused() -> None:
    for count, pool in ((30, 300), (6, 10)):
        task = made([item(f"q{place}", f"a{place % count}") for place in range(pool)])
        with pytest.raises(DataError) as error:
            choice("balanced").check_task(task)
        assert str(error.value) == (
            "task t: 'choose: balanced' needs answers that are a few labels (at most 20, or choices that all items"
            f" share), its {pool} labelled examples have {count} different answers"
        )
    sides = tuple(f"a{place}" for place in range(30))
    choice("balanced").check_task(made([item(f"q{one}", one, choices=sides) for one in sides]))


# ----------------------------------------------------------------------------------------------------- nearest


def bm25(asked: str, texts: Sequence[str], k1: float = 1.5, b: float = 0.75) -> list[float]:
    """The formula in the module's first lines, by hand."""
    split = [words_of(text) for text in texts]
    mean = sum(map(len, split)) / len(split)
    scores = []
    for words in split:
        score = 0.0
        for word in words_of(asked):
            df, tf = sum(word in other for other in split), words.count(word)
            if df:
                idf = math.log(1 + (len(split) - df + 0.5) / (df + 0.5))
                score += idf * tf / (tf + k1 * (1 - b + b * len(words) / mean))
        scores.append(score)
    return scores


TEXTS = (
    "How far is it from Denver to Aspen ?",
    "Who was Galileo ?",
    "What county is Modesto , California in ?",
    "How far is the moon from the earth , and how far the sun ?",
    "Who was the first man on the moon ?",
)


@pytest.mark.parametrize("settings", [{}, {"k1": 0.9, "b": 0.4}])
def test_nearest_is_bm25(settings: dict[str, float]) -> None:
    pool = [item(text) for text in TEXTS]
    task = made(pool)
    for asked in ("How far is the sun ?", "Who was on the moon ?", "In what county is Aspen ?", "Galileo Galileo moon"):
        scores = bm25(asked, TEXTS, **settings)
        by_hand = sorted(range(len(TEXTS)), key=lambda place: -scores[place])
        ranked = choice("nearest", **settings).rank(pool, task, item(asked))
        assert [TEXTS.index(one.question) for one in ranked] == by_hand


def test_bm25_says_what_another_implementation_does() -> None:
    """The orders that rank_bm25 0.2.2 (BM25Okapi and BM25Plus, k1 1.5, b 0.75) gives: its idf differs, not its order."""
    pool = [item(text) for text in TEXTS]
    for asked, order in (("Who was on the moon ?", [4, 1, 3, 0, 2]), ("How far is the sun ?", [3, 0, 4, 2, 1])):
        ranked = choice("nearest").rank(pool, made(pool), item(asked))
        assert [TEXTS.index(one.question) for one in ranked] == order


def test_the_nearest_stands_next_to_the_question_unless_told_otherwise() -> None:
    pool = [item(text) for text in TEXTS]
    task = replace(made(pool), test=(item("How far is the sun ?"),))
    plan = ExamplePlan("t", 0, tuple(pool))
    last = shown(task, plan, 2, 5, kind="nearest").of(task.test[0])
    assert [TEXTS.index(one.question) for one in last] == [0, 3]
    assert shown(task, plan, 2, 5, kind="nearest", closest="first").of(task.test[0]) == last[::-1]


def test_what_shares_no_word_comes_last_in_the_order_of_the_plan() -> None:
    pool = [item(text) for text in ("x y", "红 色", "b c", "?!", "c d")]
    rank = choice("nearest").ranking(pool, made(pool))
    assert [one.question for one in rank(item("c"))] == ["b c", "c d", "x y", "红 色", "?!"]
    assert rank(item("红花"))[0].question == "红 色"
    for nothing in ("...", "zzz"):
        assert rank(item(nothing)) == pool
    empty = [item("?"), item("!")]
    assert list(choice("nearest").rank(empty, made(empty), item("a"))) == empty


def test_nearness_looks_at_questions_and_contexts_alone() -> None:
    pool = [item("one two", "gold", "steps gold"), item("three", "x", context="gold"), item("four", "gold")]
    assert choice("nearest").rank(pool, made(pool), item("gold", "four", "four"))[0] is pool[1]


def test_each_question_of_a_study_is_shown_its_nearest(tmp_path: Path, task: Task) -> None:
    how = {"prompt": "answer-only", "shots": 2, "choose": "nearest", "name": "near"}
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "pool": 12, "test": 6}],
        methods=[how],
        labels=[9],
        seeds=1,
        items=6,
    )
    run(study, tmp_path / "d", models={"fake": ScriptedModel({}, default=" The answer is heads.")})
    results = load(tmp_path / "d")
    plan = make_plan(task, 0)
    for row in results.records.to_dicts():
        asked = next(one for one in task.test if one.id == row["item"])
        near = choice("nearest").rank(plan.take(9), task, asked)[:2]
        places = [row["prompt"].index(one.question) for one in reversed(near)]
        assert places == sorted(places)
        assert row["prompt"].count("Question:") == 3


# -------------------------------------------------------------------------------------------------- complexity


def test_a_step_is_a_line_and_a_sentence_ends_with_its_point() -> None:
    assert [steps(text) for text in ("one", "a\n\nb\n", "a. b.\nc", "")] == [1, 2, 2, 0]
    assert [sentences(text) for text in ("It is 3.5. So 4.", "a\nb", "Yes! No? 好。坏。", "", "a. b.\nc")] == [
        2,
        2,
        4,
        0,
        3,
    ]


RATIONALES = ("a\nb", "a", "a\nb\nc", "one. two. three. four.", "d\ne")


def by_rationale(**settings: Any) -> list[int]:
    pool = [item("q" * (place + 1), rationale=text) for place, text in enumerate(RATIONALES)]
    return [RATIONALES.index(one.rationale or "") for one in choice(**settings).rank(pool, made(pool))]


def test_the_most_complex_and_the_simplest_and_the_longest() -> None:
    assert by_rationale(name="complex") == [2, 0, 4, 1, 3]  # ties stay in the order of the plan
    assert by_rationale(name="simple") == [1, 3, 0, 4, 2]
    assert by_rationale(name="complex", by="sentences") == [3, 2, 0, 4, 1]
    assert by_rationale(name="complex", by="rationale")[:2] == [3, 2]
    assert by_rationale(name="complex", by="question") == [4, 3, 2, 1, 0]
    assert by_rationale(name="longest") == [3, 2, 4, 0, 1]


def test_complexity_by_question_needs_no_rationales() -> None:
    assert method(prompt="answer-only", choose="complex").rationales
    assert not method(prompt="answer-only", choose={"kind": "complex", "by": "question"}).rationales
    assert not method(prompt="answer-only", choose="longest").rationales


def test_rationales_read_to_choose_are_in_the_ledger() -> None:
    task = made([item(f"q{place}", rationale="a\n" * place + "a") for place in range(4)])
    found = shown(task, make_plan(task, 0), 1, 4, kind="complex")
    assert [(line.use, len(line.ids), line.rationales) for line in found.ledger] == [
        ("index", 4, True),
        ("demonstration", 1, False),
    ]
    assert found.everywhere[0].question == "q3"


def test_a_choice_that_would_be_one_at_random_is_refused() -> None:
    task = made([item(f"q{place}", rationale="a. " * place + "a.") for place in range(4)])
    with pytest.raises(DataError) as error:
        choice("complex").check_task(task)
    assert str(error.value) == (
        "task t: 'choose: complex' by steps finds no example more complex than another, all of them have 1; write"
        " 'by: sentences' where steps share a line"
    )
    choice("complex", by="sentences").check_task(task)


# ------------------------------------------------------------------------------------------------------- fixed


def test_fixed_ones_are_shown_as_they_are_named() -> None:
    pool = tuple(item(f"q{place}") for place in range(6))
    task, plan = made(pool), ExamplePlan("t", 0, pool)
    assert shown(task, plan, None, 6, kind="fixed", positions=[5, 1, 2]).everywhere == (pool[4], pool[0], pool[1])
    ids = [pool[3].id, pool[0].id]
    how = method(prompt="answer-only", choose={"kind": "fixed", "ids": ids})
    found = choose_demonstrations(ScriptedModel({}), task, how, plan, 4, pool[0])
    assert found.everywhere == (pool[3], pool[0])
    assert [(line.use, line.ids) for line in found.ledger] == [("demonstration", tuple(ids))]
    with pytest.raises(PlanMismatch) as error:
        choose_demonstrations(ScriptedModel({}), task, how, plan, 3, pool[0])
    assert str(error.value) == (
        f"task t: 'choose: fixed' names '{pool[3].id}', which is not among the 3 examples that the budget grants and"
        " the method can show"
    )
    with pytest.raises(PlanMismatch, match="names position 5, which is not among the 4 examples"):
        shown(task, plan, None, 4, kind="fixed", positions=[5])


def test_what_is_wrong_with_a_choice_is_said_in_one_line() -> None:
    task = made([item("q")])
    cases: list[tuple[dict[str, Any], str]] = [
        ({"kind": "fixed"}, "method: 'choose', fixed: needs either 'ids' or 'positions', a list of at least one"),
        ({"kind": "fixed", "ids": ["a"], "positions": [1]}, "needs either 'ids' or 'positions'"),
        ({"kind": "fixed", "positions": [2, 2]}, "fixed: 2 is named twice"),
        ({"kind": "fixed", "positions": [0]}, "positions begin with 1 (received 0)"),
        ({"kind": "nearest", "k1": 0}, "'choose', nearest: 'k1': Input should be greater than 0 (received 0)"),
        ({"kind": "complex", "by": "lines"}, "'choose', complex: 'by': Input should be 'steps', 'sentences',"),
        ({"kind": "random", "order": -1}, "'choose', random: 'order': Input should be greater than or equal to 0"),
        ({"kind": "nearst"}, "unknown choice of demonstrations 'nearst': did you mean 'nearest'?"),
    ]
    for settings, message in cases:
        with pytest.raises(InputError) as error:
            method(prompt="answer-only", shots=1, choose=settings)
        assert message in str(error.value)
    for settings, message in (
        ({"ids": ["abc"]}, "task t: 'choose: fixed' names 'abc', none of its 1 examples"),
        ({"positions": [7]}, "task t: 'choose: fixed' names position 7, its pool holds 1 labelled examples"),
    ):
        with pytest.raises(DataError) as refused:
            read_step(DEMOS, {"kind": "fixed", **settings}, "t").check_task(task)
        assert str(refused.value) == message


def test_a_study_refuses_a_choice_that_its_task_cannot_have() -> None:
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "multi-hop", "pool": 30, "test": 6}],
        methods=[{"prompt": "answer-only", "choose": "balanced"}],
        labels=[9],
        seeds=1,
        items=6,
    )
    with pytest.raises(DataError, match="'choose: balanced' needs answers that are a few labels"):
        expand(study)
