"""What single shifts do, one by one: rates, tables, sums, prompts' neighbours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from onset.answers import canonical_number
from onset.chains.arithmetic import equations
from onset.errors import DataError, StudyError
from onset.ladder.stories import NAMES as STORY_NAMES
from onset.records import Item
from onset.shifts import SHIFTS
from onset.shifts.base import Shift, apply_shift, read_shift
from onset.shifts.fillers import Fillers
from onset.shifts.letters import Letters
from onset.shifts.names import OtherNames, names_in
from onset.shifts.numbers import EditedNumbers
from onset.shifts.things import OtherThings
from onset.shifts.units import OtherUnits
from onset.shifts.words import EITHER, MEN, OTHER_MEN, OTHER_WOMEN, SORTS, WOMEN, singular
from onset.study.shifted import asked_under
from onset.tasks import open_task
from onset.tasks.base import Task
from onset.tasks.words import FIRST_NAMES

NOISE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures" / "textnoisr.json").read_text())


@pytest.fixture(scope="module")
def problems() -> Task:
    return open_task({"name": "word-problems", "pool": 30, "test": 10})


def rewritten(shift: Shift, item: Item, task: Task) -> Item:
    (found,) = shift.rewritten(task, [item])
    return found


def distance(a: str, b: str) -> int:
    """Levenshtein's, by its recursion."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


# ---- noise ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("edit", ["delete", "insert", "substitute", "swap"])
def test_letters_are_wrong_as_often_as_in_textnoisr(edit: str, rate: float, problems: Task) -> None:
    text = NOISE["text"]
    words = text.split()
    letters = sum(len(one) for one in words if len(one) > 2)  # the others are left alone
    found = []
    for seed in range(12):
        noisy = rewritten(Letters(rate=rate, edit=edit, seed=seed), Item(text, "yes"), problems).question.split()
        assert len(noisy) == len(words)
        found.append(sum(map(distance, words, noisy)) / letters)
    assert sum(found) / len(found) == pytest.approx(NOISE["rates"][f"{edit} {rate}"], abs=0.003 + 0.12 * rate)


def test_each_kind_of_typing_error_is_of_its_kind(problems: Task) -> None:
    for edit in ("swap", "key", "drop"):
        shift = SHIFTS.load("typos")(edit=edit, rate=0.5)
        for clean, typed in zip(
            NOISE["text"].split(), rewritten(shift, Item(NOISE["text"], "x"), problems).question.split(), strict=True
        ):
            if clean == typed:
                continue
            assert {"drop": len(clean) - 1}.get(edit, len(clean)) == len(typed)
            assert (sorted(clean) == sorted(typed)) == (edit == "swap")


@pytest.mark.parametrize(
    ("kind", "settings", "text", "holds"),
    [
        ("casing", {}, "Ray's keys fit.", lambda new: new == "RAY'S KEYS FIT."),
        ("casing", {"to": "lower"}, "Ray's keys FIT.", lambda new: new == "ray's keys fit."),
        ("casing", {"to": "title"}, "Ray's keys fit", lambda new: new == "Ray's Keys Fit"),
        ("casing", {"to": "random"}, "Ray's keys fit", lambda new: new.lower() == "ray's keys fit" != new),
        ("spacing", {"edit": "drop", "rate": 1}, "old keys fit 3 doors", lambda new: new == "oldkeysfit 3 doors"),
        ("spacing", {"edit": "double", "rate": 1}, "old keys fit 3 doors", lambda new: new == "old  keys  fit 3 doors"),
        ("spacing", {"edit": "split", "rate": 1}, "opening 3 keys", lambda new: re.fullmatch(r"op(?=.* ).{3,5}ng 3 keys", new)),
        ("punctuation", {"edit": "drop", "rate": 1}, "Yes, 3.5 (or 1,000) do.", lambda new: new == "Yes 3.5 (or 1,000) do"),
        ("punctuation", {"edit": "double", "rate": 1}, "Yes, 3.5 do.", lambda new: new == "Yes,, 3.5 do.."),
        ("fillers", {"rate": 1}, "old keys fit 3 doors", lambda new: re.fullmatch(r"old, [\w ]+, keys, [\w ]+, fit 3 doors", new)),
    ],
)  # fmt: skip
def test_noises_do_what_they_say(kind: str, settings: dict[str, Any], text: str, holds: Any, problems: Task) -> None:
    assert holds(rewritten(SHIFTS.load(kind)(**settings), Item(text, "x"), problems).question)


@pytest.mark.parametrize("kind", [name for name in SHIFTS if SHIFTS.load(name).group == "noise" and name != "typos"])
def test_noises_leave_quotes_code_and_right_answers_alone(kind: str, problems: Task) -> None:
    quoted = Item('Please join the final letters of "garden valley" together, quickly and quietly', "ny")
    code = Item("alpha = 3\nb = alpha + 4\nprint(b)", "7")
    gold = Item("Somebody visited Edinburgh castle during another rather pleasant summer", "Edinburgh castle")
    for seed in range(10):
        shift = SHIFTS.load(kind)(seed=seed)
        assert '"garden valley"' in rewritten(shift, quoted, problems).question
        assert rewritten(shift, code, problems).question == code.question
        found = rewritten(shift, gold, problems).question
        assert "Edinburgh castle" in found
        assert found != gold.question or kind == "punctuation"


# ---- another domain ------------------------------------------------------------------------------------------------


def test_name_tables_are_disjoint_and_hold_the_names_of_generated_tasks() -> None:
    told, others = [*WOMEN, *MEN, *EITHER], [*OTHER_WOMEN, *OTHER_MEN]
    assert len(set(others)) == len(others)
    assert not set(told) & set(others)
    assert not set(WOMEN) & set(MEN)
    assert {*FIRST_NAMES, *STORY_NAMES} <= set(told)
    for known, unseen in SORTS:
        assert not set(known) & set(unseen)
        assert len({singular(one) for one in (*known, *unseen)}) == len(known) + len(unseen)


def test_names_are_replaced_everywhere_by_unseen_ones_of_their_gender(problems: Task) -> None:
    item = Item("Emily, whose cat is Tom's, met Tom. Emily saw Lake Helen and Nora Brown. How old is she?", "Tom 7")
    for seed in range(10):
        found = rewritten(OtherNames(seed=seed), replace(item, rationale="Emily is 7."), problems)
        name = found.question.split(",")[0]
        assert name in OTHER_WOMEN
        assert (
            found.question
            == f"{name}, whose cat is Tom's, met Tom. {name} saw Lake Helen and Nora Brown. How old is she?"
        )
        assert found.rationale == f"{name} is 7."
        assert names_in(" ".join(one.question for one in problems.pool))
        assert name not in str(problems.pool)


@pytest.mark.parametrize(
    "text",
    [
        "C. S. Lewis wrote it.", "Paul Allen invented it.", "Ray Charles sang.", "He saw Saving Private Ryan.",
        "Louis C.K. tells jokes.", "Richard III was king.", "Was Queen Mary I crowned?", "Joan of Arc won.",
        "Billy the Kid ran.", "George S. Patton led.", "Tom ran. Then Tom Brown ran.", 'Tom ran. "I saw Tom," he said.',
    ],
)  # fmt: skip
def test_names_that_are_part_of_others_or_quoted_stay(text: str, problems: Task) -> None:
    assert rewritten(OtherNames(), Item(text, "9"), problems).question == text


def test_names_at_the_beginning_of_sentences_are_replaced(problems: Task) -> None:
    found = rewritten(OtherNames(), Item("He met Tom. Emily left. If Ann stays, who is she?", "9"), problems).question
    assert not {"Tom", "Emily", "Ann"} & {*re.findall(r"\w+", found)}


@pytest.mark.parametrize("kind", ["other-names", "other-things", "other-units"])
def test_knowledge_without_a_context_is_not_told_of_others(kind: str, problems: Task) -> None:
    known = replace(problems, ability="knowledge reasoning", solver=None)
    with pytest.raises(DataError) as error:
        apply_shift(known, kind)
    assert str(error.value) == (
        f"shift '{kind}' on task word-problems: it asks for knowledge without a context: with others in it other answers"
        " are right"
    )
    passages = tuple(replace(item, context="Emily ran 3 miles.") for item in known.test)
    assert len(apply_shift(replace(known, test=passages), kind)) == len(passages)


def test_things_keep_their_sort_number_and_article(problems: Task) -> None:
    item = Item("Ray eats an apple and 3 cherries, then 2 apples. Cherry trees need a box of coins for $5.", "5")
    plain = replace(problems, solver=None)
    found = rewritten(OtherThings(), item, plain).question
    match = re.fullmatch(
        r"Ray eats an (\w+) and 3 (\w+), then 2 (\w+)\. Cherry trees need a box of coins for \$5\.", found
    )
    assert match is not None
    assert match[1] == singular(match[3])
    assert {match[2], match[3]} <= set(SORTS[0][1])


def test_units_stay_where_they_are_converted(problems: Task) -> None:
    def told(text: str) -> str:
        return rewritten(OtherUnits(), Item(text, "9"), problems).question

    assert told("He ran 3 miles for $5 and ate a pound.") == "He ran 3 kilometres for €5 and ate a kilogram."
    assert told("Tea costs $.25 or $ 5.") == "Tea costs €.25 or €5."
    assert told("An ounce costs $2, so does an ounce of tea.") == "A gram costs €2, so does a gram of tea."
    assert told("A mile has 5280 feet.") == "A mile has 5280 feet."
    assert told("16 ounces are a pound.") == "16 ounces are a pound."
    assert told("$5 are 4 euros.") == "$5 are 4 euros."


@pytest.mark.parametrize(
    "text",
    [
        "A 12-mile trail, of which 4 miles are flat.", "It holds 10 lbs, then 3 pounds.", "Miles away, 3 miles.",
        "He drives 30mph and then 60 mph.", "She pays $3 of a fifty-dollar bill.", "2 oz and an ounce of ham.",
        "A room of 36 sq ft, 2 tiles a square foot.", "An 8-ounce bottle and an ounce.", 'A "3 mile" race of 3 miles.',
    ],
)  # fmt: skip
def test_a_unit_changes_everywhere_or_nowhere(text: str, problems: Task) -> None:
    assert rewritten(OtherUnits(), Item(text, "9"), problems).question == text


def test_a_unit_of_a_right_answer_or_a_choice_stays(problems: Task) -> None:
    def told(text: str, *golds: str, choices: tuple[str, ...] | None = None) -> str:
        item = Item(text, golds[0], others=golds[1:], choices=choices, rationale=text)
        made = rewritten(OtherUnits(), item, problems)
        assert (made.golds, made.choices, made.rationale) == (golds, choices, made.question)
        return made.question

    far = "Ray walks 3 miles a day with 2 pounds of nuts. How far does he walk in 2 days?"
    assert told(far, "6 miles") == far.replace("pounds", "kilograms")
    assert told(far, "6", "6 mi") == far.replace("pounds", "kilograms")
    assert told(far, "6", choices=("6", "6 Miles")) == far.replace("pounds", "kilograms")
    assert told(far, "pounds") == far.replace("miles", "kilometres")
    paid = "A pen costs $2 and weighs 2 ounces. What do 3 pens cost?"
    for gold in ("6 dollars", "$6", "6 Dollars"):
        assert told(paid, gold) == paid.replace("ounces", "grams")
    assert told(paid, "6") == paid.replace("$", "€").replace("ounces", "grams")


# ---- adversarial ---------------------------------------------------------------------------------------------------


def test_sentences_that_do_not_matter_stand_before_the_question() -> None:
    task = open_task({"name": "word-problems", "pool": 4, "test": 40})
    for settings in ({}, {"topic": "in", "sentences": 2}, {"role": "other", "number": "large", "sentences": 4}):
        shift = SHIFTS.load("irrelevant")(**settings)
        for item, clean in zip(shift.items(task), task.test, strict=True):
            told, question = clean.question.rsplit(". ", 1)
            assert item.question.startswith(f"{told}.")
            assert item.question.endswith(question)
            between = item.question[len(told) + 2 : -len(question)].strip()
            assert len(re.findall(r"[.!?](?= |$)", between)) == settings.get("sentences", 1)
            numbers = [int(one) for one in re.findall(r"\d+", between)]
            held = [int(one) for one in re.findall(r"\d+", clean.question)]
            assert not {*numbers} & {*held, int(clean.answer)}
            assert settings.get("number") != "large" or min(numbers) > max(held)
            assert settings.get("role") != "other" or not {*names_in(between)} & {*names_in(clean.question)}


def test_no_more_sentences_are_promised_than_there_are() -> None:
    with pytest.raises(StudyError) as error:
        read_shift({"shift": "irrelevant", "topic": "in", "sentences": 4})
    assert str(error.value) == (
        "shift, irrelevant: 'sentences' must be at most 3 with 'topic: in', which has no more (received 4)"
    )


def test_premises_of_bbh_keep_their_list_and_their_options() -> None:
    task = open_task({"name": "bbh/logical_deduction_three_objects", "path": str(shared("data", "bbh"))})
    for item, clean in zip(apply_shift(task, "reordered"), task.test, strict=True):
        assert item.question != clean.question
        assert sorted(re.split(r"(?<=\.)\s", item.question)) == sorted(re.split(r"(?<=\.)\s", clean.question))
        assert item.question.split("\n(A)")[1] == clean.question.split("\n(A)")[1]


UNANNOTATED = (
    "trees in Chris", "for lunch today at Subway", "Jeff owns a catering", "A company's HR", "Fern is trying",
    "Craig and his brother", "Bahati, Azibo", "Zeke's baseball", "Generally, a 5-year", "Gary bought a boat",
    "Cecelia went", "Grandma walks 3", "In a jewelers", "Six years ago, when Noah", "Andrea has 8 more", "Argo has",
    "To have the car for the weekend",
)  # fmt: skip
"""Of GSM8K: problems whose solution has a step that is in no annotated sum, and hangs on numbers of the question."""


@pytest.mark.slow
def test_edited_problems_of_gsm8k_have_the_answers_of_their_sums() -> None:
    """Their solution, with the new numbers put in by text, is arithmetic that holds and ends in the new answer."""
    task = open_task({"name": "gsm8k", "path": str(shared("data", "gsm8k"))})
    items = EditedNumbers().items(task)
    changed = [(item, clean) for item, clean in zip(items, task.test, strict=True) if item.id != clean.id]
    assert len(changed) == 401
    assert not [item for item, _ in changed if any(one in item.question for one in UNANNOTATED)]
    for item, clean in changed:
        assert canonical_number(item.answer) == item.answer != clean.answer
        old, new = (re.findall(r"\d+", one.question) for one in (clean, item))
        assert re.sub(r"\d+", "", item.question) == re.sub(r"\d+", "", clean.question)
        put = {a: b for a, b in zip(old, new, strict=True) if a != b}
        sums = str(clean.meta["sums"]).split(";")
        found = _redone([one.split("=") for one in sums], put)
        assert found is not None
        assert canonical_number(found) == item.answer


def _redone(sums: list[list[str]], put: dict[str, str]) -> str | None:
    """The last result of sums that Python works out, each number and each earlier result replaced by its new one."""
    new = {float(old): value for old, value in put.items()}
    value = None
    for left, old in sums:
        plain = left.replace(",", "").replace("$", "").replace("%", "/100").replace("x", "*")
        text = re.sub(r"\d+(?:\.\d+)?|\.\d+", lambda one: str(new.get(float(one.group()), one.group())), plain)
        assert re.fullmatch(r"[\d.+*/() -]+", text)
        value = f"{eval(text):.10g}"
        new[float(old.replace(",", "").replace("$", ""))] = value
    return value


def test_sums_that_cannot_be_done_again_leave_a_problem_as_it_is() -> None:
    base = Item("A box holds 34 keys. 5 boxes?", "170", meta={"sums": "34*5=170"})
    task = replace(open_task({"name": "addition", "pool": 1, "test": 1}), solver=None, test=(base,))

    def told(**changes: Any) -> Item:
        item = replace(base, **changes)
        return rewritten(EditedNumbers(), item, task)

    assert told().answer != "170"
    left, right = re.findall(r"\d+", told().question)
    assert int(told().answer) == int(left) * int(right)
    same = [
        {"meta": {"sums": ""}},
        {"meta": {"sums": "34*5=171"}},
        {"answer": "171"},
        {"question": "A box holds 34 keys of 34. Twice?", "meta": {"sums": "34*2=68"}, "answer": "68"},
        {"question": "It takes 12 months, of 30 days.", "meta": {"sums": "12*30=360"}, "answer": "360"},
        # 102 is thrice 34, in a step that is not annotated
        {"question": "It costs 34 and thrice as much.", "meta": {"sums": "34+102=136"}, "answer": "136"},
        {"question": "34 pies. Twice thirty-four pies?", "meta": {"sums": "34*2=68"}, "answer": "68"},
        {"question": "It is 2:14, and 12 more?", "meta": {"sums": "14+12=26"}, "answer": "26"},
        {"question": "He slept at 9 p.m. and 12 more?", "meta": {"sums": "9+12=21"}, "answer": "21"},
        # is it the 3 boxes, or what is left of 5?
        {"question": "3 boxes, 5 less 2 wide?", "meta": {"sums": "5-2=3;3*3=9"}, "answer": "9"},
    ]
    for changes in same:
        assert told(**changes).question == changes.get("question", base.question)
    many = told(question="34 boxes of 1,000?", meta={"sums": "34*1,000=34,000"}, answer="34000")
    assert many.answer == f"{many.question.split()[0]}000" != "34000"
    with pytest.raises(DataError, match=r"its answers cannot be worked out"):
        EditedNumbers().check_task(replace(task, test=(Item("What is 2 + 3?", "5"),)))


def test_edited_problems_of_generated_tasks_have_steps_that_hold() -> None:
    task = open_task({"name": "word-problems", "pool": 4, "test": 40, "steps": 4})
    for item, clean in zip(EditedNumbers().items(task), task.test, strict=True):
        assert item.answer != clean.answer
        assert item.rationale is not None
        found = equations(item.rationale)
        assert found
        assert all(one.right for one in found)


def test_traps_name_a_wrong_option_with_the_words_of_the_question() -> None:
    task = open_task({"name": "multi-hop", "pool": 4, "test": 40})
    for item, clean in zip(apply_shift(task, "overlap"), task.test, strict=True):
        added = {*(item.context or "").split(". ")} - {*(clean.context or "").split(". ")}
        if item.id == clean.id:
            continue
        trap = next(one for one in added if clean.question.rsplit(" ", 1)[1].rstrip("?") in one)
        value = trap.rstrip(".").rsplit(" ", 1)[1]
        assert value in set(item.choices or ()) - {item.answer}


def test_right_is_no_filler_among_directions(problems: Task) -> None:
    walk = Item("Turn around. Take 2 steps forward. Turn left and walk on until you see the old house.", "No")
    told = [Fillers(rate=1.0, seed=seed).rewrite(walk, problems).question for seed in range(5)]
    assert all(one.count(",") > walk.question.count(",") and "right" not in one for one in told)
    talk = replace(walk, question=walk.question.replace("left", "away"))
    assert any("right" in Fillers(rate=1.0, seed=seed).rewrite(talk, problems).question for seed in range(5))


def test_miles_stay_miles_beside_acres(problems: Task) -> None:
    farm = Item("A square mile has 640 acres. How many acres have 3 square miles?", "1920")
    assert OtherUnits().rewrite(farm, problems) == farm


# ---- rewrites that meet --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [1, 2])
def test_no_rewrite_is_a_labelled_example_or_asked_twice(digits: int) -> None:
    size = {1: (16, 20), 2: (64, 200)}[digits]
    task = open_task({"name": "addition", "digits": digits, "pool": size[0], "test": size[1]})
    items = apply_shift(task, "edited-numbers")
    questions = [one.question for one in items]
    assert len(set(questions)) == len(questions)
    assert not {one.question for one in task.pool} & set(questions)
    assert sum(one.id != one.twin for one in items) >= 0.7 * len(items)
    assert [one.twin for one in items] == [one.id for one in task.test]
    some = asked_under(task, read_shift("edited-numbers"), len(items) // 2).items
    whole = asked_under(task, read_shift("edited-numbers"), "all").items
    assert some == whole[: len(some)]


class Same(Shift):
    """Everything asked in the same words."""

    kind = "same"

    def rewrite(self, item: Item, task: Task) -> Item:
        return replace(item, question="What is it?", answer="it")


def test_items_whose_rewrites_would_be_one_stay(problems: Task) -> None:
    items = Same().items(problems)
    assert sorted(one.id == one.twin for one in items) == [False] + [True] * (len(items) - 1)
    known = replace(problems, pool=(*problems.pool, Item("what is  IT?", "no")))
    assert all(one.id == one.twin for one in Same().items(known))
