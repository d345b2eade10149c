"""Example plans and the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onset.errors import DataError, PlanMismatch
from onset.plan import Use, check_ledger, make_plan, use_of
from onset.records import Item
from onset.tasks.base import Task


class AnyFormat:
    """Enough of an AnswerFormat to build a task."""

    def extract(self, text, item, *, truncated=False):  # noqa: ANN001, ANN201
        raise NotImplementedError

    def score(self, answer, item):  # noqa: ANN001, ANN201
        raise NotImplementedError


def make_task(rationales: int = 100) -> Task:
    pool = tuple(Item(f"q{i}", str(i), rationale=f"r{i}" if i < rationales else None) for i in range(100))
    return Task("t", "own", pool, (Item("test", "1"),), AnyFormat(), 0.0, "made here")


def test_budgets_are_nested_and_every_example_is_granted_once() -> None:
    plan = make_plan(make_task(), seed=3)
    assert plan.take(8) == plan.take(32)[:8] == plan.take(100)[:8]
    assert len({item.id for item in plan.order}) == 100


def test_the_order_depends_on_the_seed_and_not_on_the_order_of_the_file() -> None:
    task = make_task()
    turned = replace(task, pool=task.pool[::-1])
    assert make_plan(task, 0).order == make_plan(turned, 0).order
    assert make_plan(task, 0).order != make_plan(task, 1).order
    assert make_plan(task, 0).hash == make_plan(turned, 0).hash != make_plan(task, 1).hash


def test_plans_that_are_kept_are_of_their_own_pool_and_seed() -> None:
    task = make_task()
    assert make_plan(task, 5) is make_plan(task, 5)
    for count in range(50):  # pools that come and go, at one place in memory or another
        other = make_task(rationales=count)
        assert {item.id for item in make_plan(other, 5).take(count)} == {item.id for item in other.pool[:count]}
        assert [item.rationale for item in make_plan(other, 5).order].count(None) == 100 - count
        del other
    assert make_plan(replace(task, name="u"), 5).task == "u"


def test_every_example_comes_first_equally_often() -> None:
    task = make_task()
    firsts = [make_plan(task, seed).order[0].question for seed in range(3000)]
    counts = [firsts.count(item.question) for item in task.pool]
    expected = 3000 / 100
    chi_square = sum((count - expected) ** 2 / expected for count in counts)
    assert chi_square < 149.4  # 0.999 quantile of chi-square with 99 degrees of freedom


def test_scarce_rationales_come_first() -> None:
    plan = make_plan(make_task(rationales=3), seed=0)
    assert all(item.rationale for item in plan.take(3))
    assert not any(item.rationale for item in plan.order[3:])


def test_more_labels_than_the_pool_holds_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        make_plan(make_task(), 0).take(101)
    assert str(caught.value) == "task t: 101 labelled examples asked, its pool holds 100"


def test_a_use_within_the_plan_is_accepted() -> None:
    plan = make_plan(make_task(), 0)
    check_ledger([use_of("demonstration", plan.take(8), rationales=True)], plan, 8)


def test_a_use_outside_the_budget_is_refused() -> None:
    plan = make_plan(make_task(), 0)
    ledger = [use_of("training", plan.take(9), rationales=False)]
    stranger = plan.order[8].id
    with pytest.raises(PlanMismatch) as caught:
        check_ledger(ledger, plan, 8)
    assert str(caught.value) == (
        f"task t, seed 0, 8 labels: 1 of 9 examples used for training are not in the example plan {plan.hash}"
        f" (first: {stranger})"
    )


def test_the_examples_of_another_seed_are_refused() -> None:
    task = make_task()
    with pytest.raises(PlanMismatch):
        check_ledger([use_of("demonstration", make_plan(task, 1).take(8), rationales=False)], make_plan(task, 0), 8)


def test_a_rationale_that_is_not_there_cannot_be_used() -> None:
    plan = make_plan(make_task(rationales=3), 0)
    bare = plan.order[5].id
    with pytest.raises(PlanMismatch) as caught:
        check_ledger([Use("demonstration", (bare,), rationales=True)], plan, 8)
    assert str(caught.value) == (
        f"task t, seed 0: 1 examples used for demonstration with rationales have none (first: {bare})"
    )
