"""Typing errors keep what must not change; how a task names its shifts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from onset.answers import TextFormat
from onset.errors import UnknownName
from onset.records import Item
from onset.shifts import SHIFTS
from onset.shifts.base import apply_shift
from onset.shifts.typos import Typos
from onset.tasks import open_tasks
from onset.tasks.base import Task

REVIEW = Item("Nice.", "positive")


def generated(name: str) -> Task:
    (task,) = open_tasks({"name": name, "pool": 4, "test": 60})
    return task


TASK = generated("addition")


def test_no_shift_is_the_test_items() -> None:
    assert apply_shift(TASK, "none") == TASK.test


def test_a_test_set_of_the_task_is_a_shift_and_unknown_names_list_it() -> None:
    task = replace(generated("addition"), test_sets=(("reviews", (REVIEW,)),))
    assert apply_shift(task, "reviews") == (REVIEW,)
    with pytest.raises(UnknownName) as caught:
        apply_shift(task, "review")
    known = ", ".join(sorted([*SHIFTS, "reviews"]))
    assert str(caught.value) == f"unknown shift 'review': did you mean 'reviews'? Known: {known}"


# ------------------------------------------------------------------------------------------- typos

TEXT = (
    "The museum received 1200 visitors on Sunday, nearly seventy-three percent of them children travelling together "
    "with grandparents from neighbouring villages, although twelve buses broke down before reaching Edinburgh castle."
)


def words(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text)


def one_edit(clean: str, typed: str) -> bool:
    """Whether ``typed`` is ``clean`` with one inner letter dropped, replaced, or swapped with its neighbour."""
    inner = range(1, len(clean) - 1)
    dropped = {clean[:i] + clean[i + 1 :] for i in inner}
    swapped = {clean[:i] + clean[i + 1] + clean[i] + clean[i + 2 :] for i in inner[:-1]}
    differing = [i for i in range(len(clean)) if len(typed) == len(clean) and typed[i] != clean[i]]
    return typed in dropped | swapped or (len(differing) == 1 and differing[0] in inner)


@pytest.mark.parametrize("seed", range(20))
def test_typos_are_single_edits_inside_long_words_and_spare_the_rest(seed: int) -> None:
    item = Item(TEXT, "Edinburgh", choices=("Edinburgh", "the villages"))
    shifted = Typos(rate=0.5, seed=seed).rewrite(item, TASK)
    pairs = list(zip(words(TEXT), words(shifted.question), strict=True))
    changed = [(clean, typed) for clean, typed in pairs if clean != typed]
    spared = {"1200", "seventy-three", "twelve", "Edinburgh", "villages", "The", "the"}
    eligible = [word for word in words(TEXT) if len(word) >= 4 and word not in spared]
    assert len(changed) == round(0.5 * len(eligible))
    for clean, typed in changed:
        assert clean in eligible
        assert one_edit(clean, typed), (clean, typed)
        assert (clean[0], clean[-1]) == (typed[0], typed[-1])


def test_typos_are_keyed_by_item_and_seed_and_reach_the_context() -> None:
    item = Item("Short one here?", "yes", context=TEXT)
    first, again, other = (Typos(seed=seed).rewrite(item, TASK) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first.context != TEXT
    assert Typos().rewrite(replace(item, question="Another thing here?"), TASK).context != first.context


def test_an_item_without_an_eligible_word_stays_and_is_its_own_twin() -> None:
    item = Item("Is 12 > 9?", "yes")
    assert Typos().items(replace(TASK, test=(item,))) == (replace(item, twin=item.id),)


def test_last_letters_survive_typos() -> None:
    for item in apply_shift(generated("last-letters"), "typos"):
        quoted = re.search(r'"([^"]+)"', item.question)
        assert quoted is not None
        assert "".join(word[-1] for word in quoted[1].split()) == item.answer


def test_no_typo_makes_another_word_of_the_item() -> None:
    item = Item("trail trial trail trial", "none")
    for seed in range(30):
        typed = words(Typos(rate=1.0, seed=seed).rewrite(item, TASK).question)
        assert not set(typed) & {"trail", "trial"}


def test_misspelt_text_is_still_read_by_the_same_format() -> None:
    item = Item(TEXT, "Edinburgh")
    shifted = Typos(seed=3).rewrite(item, TASK)
    assert TextFormat().score(TextFormat().extract(" The answer is Edinburgh.", shifted), shifted).correct
