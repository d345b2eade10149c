"""Work side by side: in order, not far ahead, and with its errors."""

from __future__ import annotations

import threading
import time

import pytest

from onset import processors


@pytest.fixture(params=[1, 3])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    number: int = request.param
    monkeypatch.setattr(processors, "processors", lambda: number)
    return number


def test_what_is_made_side_by_side_comes_in_the_order_of_the_items(count: int) -> None:
    def make(item: int) -> int:
        time.sleep(0.02 if item % 2 == 0 else 0.0)  # the later ones are ready first
        return item * item

    assert list(processors.side_by_side(make, range(7))) == [item * item for item in range(7)]
    assert list(processors.side_by_side(make, [])) == []


def test_little_is_made_before_it_is_taken(count: int) -> None:
    begun: list[int] = []
    made = processors.side_by_side(begun.append, range(20))
    assert begun == []
    next(made)
    time.sleep(0.05)
    assert len(begun) <= count + 1
    list(made)
    assert sorted(begun) == list(range(20))


def test_the_error_of_an_item_comes_in_its_place(count: int) -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("item 2")
        return item

    made = processors.side_by_side(make, range(9))
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="item 2"):
        next(made)


def test_several_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "processors", lambda: 2)
    both = threading.Barrier(2, timeout=10)  # passed by two threads together, or not at all
    assert len(list(processors.side_by_side(lambda _: both.wait(), range(2)))) == 2
