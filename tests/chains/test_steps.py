"""Steps of chains: those of every generated task are right, and a wrong one is found."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from released_rows import RELEASED

from onset.chains import Claims, Steps, check
from onset.models.scripted import ScriptedModel
from onset.records import Item
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import TASKS, open_tasks
from onset.tasks.base import Task

GENERATED = [name for name in TASKS if name not in ("gsm8k", "bbh", "own", *RELEASED)]
"""Of benchmarks the steps are other people's."""


def tasks_with_steps() -> list[str]:
    return [name for name in GENERATED if with_steps(opened(name))]


def opened(name: str) -> Task:
    return open_tasks({"name": name, "pool": 60, "test": 40})[0]


def with_steps(task: Task) -> list[Item]:
    items = [*task.pool, *task.test, *(item for _, held in task.test_sets for item in held)]
    return [item for item in items if item.rationale]


def steps(text: str, item: Item, task: Task) -> Steps:
    return check(f"{text}{task.layout.lead}{task.layout.marker} {item.answer}", item, task.claims, task.layout.marker)


@pytest.mark.parametrize("name", tasks_with_steps())
def test_every_step_of_a_generated_task_is_checked_and_right(name: str) -> None:
    task = opened(name)
    for item in with_steps(task):
        found = steps(item.rationale or "", item, task)
        assert (found.wrong, found.unchecked) == (0, 0), item
        assert found.right > 0
        assert found.verdict == "right"


SWAPS = {"heads": "tails", "tails": "heads", "flips": "leaves", "more": "fewer", "fewer": "more"}


@pytest.mark.parametrize("name", tasks_with_steps())
def test_one_wrong_word_or_number_is_found(name: str) -> None:
    """A number, a side or a name of the last step is changed: that step is wrong, and no other becomes so."""
    task, rng = opened(name), random.Random(3)
    names = sorted({word for item in with_steps(task) for word in re.findall(r"\b[A-Z]\w+", item.rationale or "")})
    for item in with_steps(task):
        *before, last = re.split(r"(?<=[.\n]) ?(?=\S)", item.rationale or "")
        changed = spoilt(last, rng, names, words_first=name == "world-compare")
        text = (item.rationale or "").removesuffix(last) + changed
        found = steps(text, item, task)
        assert found.verdict == "wrong", (changed, item)
        assert found.wrong == 1
        assert found.right + found.unchecked == len(before)


def spoilt(step: str, rng: random.Random, names: list[str], *, words_first: bool) -> str:
    """The last number (a word of `SWAPS` first, where that is what the step says) is another one, else the last word."""
    words = re.split(r"(\w+)", step)
    numbers = [at for at in range(1, len(words), 2) if words[at].isdigit()]
    swaps = [at for at in range(1, len(words), 2) if words[at] in SWAPS]
    ranked = (swaps or numbers) if words_first else (numbers or swaps)
    place = ranked[-1] if ranked else len(words) - 2
    old = words[place]
    if old.isdigit():
        words[place] = str(int(old) + rng.randint(1, 9))
    elif old in SWAPS:
        words[place] = SWAPS[old]
    else:
        words[place] = rng.choice([name for name in names if name != old]) if old.istitle() else f"{old}q"
    return "".join(words)


def test_a_step_that_says_nothing_known_is_unchecked() -> None:
    item = Item("How many?", "12")
    assert check("Let us think. We need the total.\n3 * 4 = 12.", item, None, "The answer is") == Steps(1, 0, 2)
    assert check("Hm.", item, None, "The answer is").verdict == "unchecked"
    assert check("", item, None, "The answer is") == Steps(0, 0, 0)


def test_the_numbers_of_a_list_and_markup_are_no_steps() -> None:
    """As Qwen2.5-Coder 0.5B writes; its last sum is wrong."""
    item = Item("How long did they all take?", "18")
    text = (
        "1. Amalia's work: 4 hours\n2. Megan's work: 2 hours longer, so 4 + 2 = 6 hours\n\n\\[\n4 + 6 + 8 = 20\n\\]\n\n"
        "Therefore, it took \\(\\boxed{20}\\) hours."
    )
    assert check(text, item, None, "The answer is") == Steps(right=1, wrong=1, unchecked=2)


def test_the_announcement_and_another_problem_are_no_steps() -> None:
    item = Item("How many?", "12")
    text = "3 * 4 = 12. The answer is 12.\n\nQuestion: What is 2 + 2?\nAnswer: 2 + 2 = 5."
    assert check(text, item, None, "The answer is") == Steps(1, 0, 0)


def test_what_is_not_in_a_closed_world_is_wrong_and_else_unchecked() -> None:
    item = Item("Who is the rival of Ann?", "Bo", context="The rival of Ann is Bo.")
    pattern = r"The (?P<key>\w+ of [A-Z]\w+) is (?P<value>[A-Z]\w+)"
    for closed, wrong in ((True, 1), (False, 0)):
        claims = Claims((pattern,), closed=closed)
        assert check("The rival of Ann is Bo. The town of Bo is Rye.", item, claims, "The answer is").wrong == wrong


def test_records_hold_steps_and_the_answer_by_calculator(tmp_path: Path) -> None:
    """Three samples: a wrong sum, a right one, no chain. The majority is wrong alone, right with a calculator."""
    (task,) = open_tasks({"name": "word-problems", "pool": 8, "test": 1, "steps": 1})
    (item,) = task.test
    right, wrong = (
        item.rationale or "",
        re.sub(r"= (\d+)", lambda match: f"= {int(match[1]) + 1}", item.rationale or ""),
    )
    off = str(int(item.answer) + 1)
    replies = [f" {wrong} The answer is {off}.", f" {right} The answer is {item.answer}.", f" The answer is {off}."]
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "word-problems", "pool": 8, "test": 1, "steps": 1}],
        methods=[{"prompt": "cot", "vote": 3}, "cot", "answer-only"],
        labels=[2],
        seeds=1,
        items=1,
    )
    run(study, tmp_path / "d", models={"fake": ScriptedModel({item.question: replies})})
    held = load(tmp_path / "d")
    detail = {
        cell["method"]: json.loads(row["detail"] or "null")
        for cell in held.cells.to_dicts()
        for row in held.records.to_dicts()
        if row["cell"] == cell["cell"]
    }
    assert detail["answer-only"] is None
    voted = detail["cot-vote3"]
    assert voted["process"] == [
        {"right": 0, "wrong": 1, "unchecked": 0},
        {"right": 1, "wrong": 0, "unchecked": 0},
        {"right": 0, "wrong": 0, "unchecked": 0},
    ]
    assert voted["calculator"] == {"answer": item.answer, "correct": True, "replaced": [1, 0, 0]}
    assert held.records["correct"][0] is False
    assert detail["cot"]["calculator"] == {"answer": item.answer, "correct": True, "replaced": [1]}
