"""GSM8K and BIG-Bench Hard, on the real files and on broken ones."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import shared

from onset.errors import DataError, UnknownName
from onset.prompting.text import answer_text, render
from onset.tasks import bbh, gsm8k, open_tasks
from onset.tasks.base import Task
from onset.tasks.checks import question_key

# --------------------------------------------------------------------------------------------------------------- gsm8k

ROW = {
    "question": "How many clips?",
    "answer": "She sold 48/2 = <<48/2=24>>24.\nSo $<<48+24=72>>72 thousand.\n#### 1,072",
}


def write_gsm8k(folder: Path, train: list[Any], test: list[Any]) -> str:
    for name, rows in (("train", train), ("test", test)):
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder)


def other(question: str) -> dict[str, str]:
    return {**ROW, "question": question}


def test_gsm8k_as_released() -> None:
    (task,) = gsm8k.load(path=str(shared("data", "gsm8k")))
    assert (task.name, task.chance, len(task.pool), len(task.test)) == ("gsm8k", 0.0, 7473, 1319)
    first = task.test[0]
    assert first.answer == "18"
    assert first.rationale == (
        "Janet sells 16 - 3 - 4 = 9 duck eggs a day.\nShe makes 9 * 2 = $18 every day at the farmer\u2019s market."
    )
    assert first.meta == {"steps": 2, "sums": "16-3-4=9;9*2=18"}
    items = [*task.pool, *task.test]
    assert len({item.id for item in items}) == len(items)
    assert not any("<<" in (item.rationale or "") or "####" in (item.rationale or "") for item in items)
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", item.answer) for item in items)


def test_every_gsm8k_demonstration_and_solution_is_read_back() -> None:
    folder = shared("data", "gsm8k")
    (task,) = gsm8k.load(path=str(folder))
    form = task.format
    for item in (*task.pool, *task.test):
        shown = answer_text(item, rationale=True)
        assert form.score(form.extract(shown, item), item).correct, shown
    lines = (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()
    for line, item in zip(lines, task.test, strict=True):
        assert form.score(form.extract(json.loads(line)["answer"], item), item).correct


def test_a_gsm8k_row(tmp_path: Path) -> None:
    (task,) = gsm8k.load(path=write_gsm8k(tmp_path, [ROW], [other("And then?")]))
    assert task.pool[0].rationale == "She sold 48/2 = 24.\nSo $72 thousand."
    assert task.pool[0].answer == "1072"


@pytest.mark.parametrize(
    "solution",
    ["3*$40= $120, and 120+40=<<120+40=160>>160", "9000(.30)=2700, 9000-2700=<<9000-2700=6300>>6300", "<<5=5;6=6>>5"],
)
def test_gsm8k_keeps_no_sums_where_steps_stand_beside_them(solution: str, tmp_path: Path) -> None:
    rows = [{**ROW, "answer": f"{solution}\n#### 160"}]
    (task,) = gsm8k.load(path=write_gsm8k(tmp_path, rows, [other("And then?")]))
    assert task.pool[0].meta == {"steps": 1}
    assert task.test[0].meta["sums"] == "48/2=24;48+24=72"


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([], "{train}: train is empty, at least one row is needed"),
        ([ROW, '{"question": '], "{train}, line 2: not JSON (Expecting value)"),
        ([ROW, {"question": "q"}], "{train}, line 2: expected text in column 'answer', found: question"),
        ([ROW, ["q"]], "{train}, line 2: expected text in column 'question', found: list"),
        ([ROW, other("Ray \ud800?")], "{train}, line 2: question holds half a surrogate pair at character 5"),
        (
            [ROW, {"question": "q", "answer": "\udfff 2.\n#### 2"}],
            "{train}, line 2: answer holds half a surrogate pair at character 1",
        ),
        (
            [ROW, {"question": "q", "answer": "no number\n#### many"}],
            "{train}, line 2: expected a solution that ends in '#### n', found the end 'no number\\n#### many'",
        ),
        (
            [ROW, other("b"), other("how many  clips?")],
            "{train}: 1 duplicate item in train, first at line 3 (same question as line 1); "
            "write 'duplicates: drop' to drop them",
        ),
        (
            [ROW, other("test question")],
            "{train}: 1 training item also in test ({test}), first at line 2 (line 1 of test); "
            "write 'duplicates: drop' to drop them from train",
        ),
    ],
)
def test_gsm8k_files_that_cannot_be_used(tmp_path: Path, train: list[Any], message: str) -> None:
    path = write_gsm8k(tmp_path, train, [other("Test question")])
    with pytest.raises(DataError) as error:
        gsm8k.load(path=path)
    expected = message.format(train=tmp_path / "train.jsonl", test=tmp_path / "test.jsonl")
    assert str(error.value) == f"task 'gsm8k': {expected}"


def test_gsm8k_duplicates_can_be_dropped(tmp_path: Path) -> None:
    path = write_gsm8k(tmp_path, [ROW, ROW, other("b"), other("t")], [other("t")])
    (task,) = gsm8k.load(path=path, duplicates="drop")
    assert [item.question for item in task.pool] == ["How many clips?", "b"]
    assert task.source.endswith("; 1 duplicate dropped from train; 1 item dropped from train: also in test")


def test_gsm8k_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        gsm8k.load(path=str(tmp_path))
    assert str(error.value) == (
        f"task 'gsm8k': no file '{tmp_path / 'train.jsonl'}': path must be a folder with train.jsonl, test.jsonl"
    )


def test_a_path_is_a_folder() -> None:
    for name in ("gsm8k", "bbh"):
        with pytest.raises(DataError) as error:
            open_tasks({"name": name, "path": 2023})
        assert str(error.value) == f"task '{name}': path must be a folder, not 2023"


def test_gsm8k_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(*source: str, split: str) -> list[dict[str, str]]:
        asked.append((source, split))
        return [other(split)]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    (task,) = gsm8k.load()
    assert asked == [(("openai/gsm8k", "main"), "train"), (("openai/gsm8k", "main"), "test")]
    assert (task.pool[0].question, task.test[0].question) == ("train", "test")


def unreachable(*_: object, **__: object) -> None:
    raise ConnectionError("many\nlines")


def test_the_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=unreachable))
    with pytest.raises(DataError) as error:
        gsm8k.load()
    assert str(error.value) == (
        "task 'gsm8k': cannot load openai/gsm8k (main, train) from the hub (ConnectionError); "
        "without a network give 'path:' with a folder that holds train.jsonl and test.jsonl"
    )
    with pytest.raises(DataError) as error:
        bbh.load(subtask="navigate")
    assert str(error.value) == (
        "task 'bbh/navigate': cannot load SaylorTwift/bbh (navigate) from the hub (ConnectionError); "
        "or give 'path:' with a folder that holds tasks/*.json and cot_prompts/*.txt"
    )


def test_without_the_package_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError) as error:
        gsm8k.load()
    assert str(error.value) == (
        "task 'gsm8k': reading from the hub needs the package 'datasets' (extra 'local'); "
        "or give 'path:' with a folder that holds train.jsonl and test.jsonl"
    )
    with pytest.raises(DataError) as error:
        bbh.load(subtask="navigate")
    assert str(error.value) == (
        "task 'bbh/navigate': reading from the hub needs the package 'datasets' (extra 'local'); "
        "or give 'path:' with a folder that holds tasks/*.json and cot_prompts/*.txt"
    )


# ----------------------------------------------------------------------------------------------------------------- bbh


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    return {task.name.removeprefix("bbh/"): task for task in bbh.load(path=str(shared("data", "bbh")))}


def released(subtask: str) -> list[dict[str, str]]:
    file = shared("data", "bbh", "tasks", f"{subtask}.json")
    return json.loads(file.read_text(encoding="utf-8"))["examples"]


LEFT_OUT = {"sports_understanding": 2, "causal_judgement": 4}


def test_all_of_bbh(tasks: dict[str, Task]) -> None:
    assert tuple(tasks) == bbh.SUBTASKS
    assert len(tasks) == 27
    for name, task in tasks.items():
        demonstrations, labelled = task.pool[:3], task.pool[3:]
        assert all(item.rationale for item in demonstrations)
        assert not any(item.rationale for item in (*labelled, *task.test))
        examples = len(released(name)) - LEFT_OUT.get(name, 0)
        assert (len(labelled), len(task.test)) == (int(0.4 * examples), examples - int(0.4 * examples))
        keys = [question_key(item) for item in (*task.pool, *task.test)]
        assert len(set(keys)) == len(keys)
        assert task.instruction
        assert not any(item.meta["subtask"] != name for item in (*task.pool, *task.test))


def test_every_bbh_answer_is_read_back(tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        for item in (*task.pool, *task.test):
            shown = answer_text(item, rationale=item.rationale is not None)
            assert task.format.score(task.format.extract(shown, item), item).correct, shown
            assert item.choices is None or item.answer in item.choices


def test_no_word_of_a_bbh_question_is_lost(tasks: dict[str, Task]) -> None:
    """The prompt holds each word of the released question; only "Options:" and the bullets' dashes move."""
    for name, task in tasks.items():
        rendered = {frozenset(words(render(task, [], item, rationale=False))) for item in task.test}
        given = [frozenset(words(row["input"].removeprefix("Question: "))) for row in released(name)]
        assert sum(any(row <= prompt for row in given) for prompt in rendered) == len(rendered)


def words(text: str) -> list[str]:
    return [word for word in text.replace("; ", " ").split() if word not in ("-", "Options:")]


def test_open_questions_and_chance(tasks: dict[str, Task]) -> None:
    open_items = {
        name: count
        for name, task in tasks.items()
        if (count := sum(item.choices is None for item in (*task.pool, *task.test)))
    }
    assert open_items == {
        "dyck_languages": 253,
        "multistep_arithmetic_two": 253,
        "object_counting": 253,
        "word_sorting": 253,
        "movie_recommendation": 1,
        "ruin_names": 2,
    }
    chance = {name: task.chance for name, task in tasks.items()}
    for name in ("dyck_languages", "multistep_arithmetic_two", "object_counting", "word_sorting"):
        assert chance[name] == 0.0
    for name in ("boolean_expressions", "causal_judgement", "navigate", "sports_understanding", "web_of_lies"):
        assert chance[name] == 0.5
    assert chance["logical_deduction_seven_objects"] == pytest.approx(1 / 7)
    # options are counted here from the released text, in another way than the loader does
    for name in ("geometric_shapes", "date_understanding", "reasoning_about_colored_objects"):
        counts = {
            row["input"].replace("Options:\n", ""): len(re.findall(r"\n\([A-R]\) ", row["input"]))
            for row in released(name)
        }
        shares = [1 / counts[item.question] for item in tasks[name].test]
        assert chance[name] == pytest.approx(sum(shares) / len(shares))


def test_a_bbh_prompt(tasks: dict[str, Task]) -> None:
    task = tasks["sports_understanding"]
    prompt = render(task, task.pool[:1], task.test[0], rationale=True)
    assert prompt == (
        "Determine whether an artificially constructed sentence relating to sports is plausible or not.\n\n"
        'Question: Is the following sentence plausible? "Bam Adebayo scored a reverse layup in the Western Conference '
        'Finals."\nOptions: yes; no\nAnswer: Bam Adebayo is an American basketball player. Scoring a reverse layup in '
        "the Western Conference Finals is part of the NBA Finals. The answer is yes.\n\n"
        f"Question: {task.test[0].question}\nOptions: yes; no\nAnswer:"
    )
    snarks = tasks["snarks"].pool[0]
    assert snarks.question.startswith("Which statement is sarcastic?\n(A) ")
    assert snarks.choices == ("(A)", "(B)")
    assert tasks["web_of_lies"].pool[0].question.startswith("Fidel tells the truth.")
    assert tasks["formal_fallacies"].pool[0].choices == ("valid", "invalid")


def test_a_subtask_by_its_family() -> None:
    path = str(shared("data", "bbh"))
    assert [task.name for task in bbh.load(subtask="logical_deduction", path=path)] == [
        f"bbh/logical_deduction_{size}_objects" for size in ("five", "seven", "three")
    ]
    assert [task.name for task in bbh.load(subtask="snarks", path=path)] == ["bbh/snarks"]
    with pytest.raises(UnknownName) as error:
        bbh.load(subtask="navigat", path=path)
    assert str(error.value).startswith("unknown BBH subtask 'navigat': did you mean 'navigate'? Known: boolean_exp")


def write_bbh(folder: Path, examples: Any, prompt: str) -> str:
    (folder / "bbh").mkdir()
    (folder / "cot-prompts").mkdir()
    (folder / "bbh" / "navigate.json").write_text(
        examples if isinstance(examples, str) else json.dumps({"examples": examples}), encoding="utf-8"
    )
    (folder / "cot-prompts" / "navigate.txt").write_text(prompt, encoding="utf-8")
    return str(folder)


PROMPT = (
    "CANARY\n-----\nDo you return?\n\nQ: Take 1 step.\nOptions:\n- Yes\n- No\nA: Let's think step by step.\n"
    "One step.\n\nThen none. So the answer is No."
)
EXAMPLES = [{"input": f"Take {n} steps.\nOptions:\n- Yes\n- No", "target": "No"} for n in range(2, 12)]


def test_bbh_in_the_layout_of_its_repository(tmp_path: Path) -> None:
    again = {"input": "Take 1 step.\nOptions:\n- Yes\n- No", "target": "No"}
    (task,) = bbh.load(subtask="navigate", path=write_bbh(tmp_path, [*EXAMPLES, again], PROMPT))
    assert (task.instruction, task.pool[0].rationale, task.pool[0].answer) == (
        "Do you return?",
        "One step.\nThen none.",
        "No",
    )
    assert (len(task.pool), len(task.test)) == (5, 6)
    assert task.source.endswith(": demonstrations (1); 1 dropped: also a demonstration")


def test_the_division_of_bbh_depends_on_the_questions_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (task,) = bbh.load(subtask="navigate", path=write_bbh(tmp_path / "a", EXAMPLES, PROMPT))
    turned = [{**row, "target": "Yes"} for row in reversed(EXAMPLES)]
    (other_task,) = bbh.load(subtask="navigate", path=write_bbh(tmp_path / "b", turned, PROMPT))
    assert {item.question for item in task.test} == {item.question for item in other_task.test}
    assert [item.question for item in task.test] == [item.question for item in reversed(other_task.test)]


@pytest.mark.parametrize(
    ("examples", "prompt", "message"),
    [
        ("{", PROMPT, "{json}, line 1: not JSON (Expecting property name enclosed in double quotes)"),
        ("[]", PROMPT, "{json}: expected an object with a list 'examples'"),
        ([*EXAMPLES, {"input": "x"}], PROMPT, "{json}, example 11: expected texts 'input' and 'target'"),
        (
            [{"input": "x\ud800", "target": "No"}, *EXAMPLES],
            PROMPT,
            "{json}, example 1: input holds half a surrogate pair at character 2",
        ),
        (EXAMPLES[:2], PROMPT, "{json}: too few examples to divide, found 2"),
        (
            EXAMPLES,
            PROMPT.replace("So the answer is", "It is"),
            "{txt}, demonstration 1: expected 'Q: ...', 'A: ...' and 'So the answer is ...', as in the source's "
            "cot-prompts (give 'path:' with a copy of it)",
        ),
        (
            EXAMPLES,
            "Nothing here",
            "{txt}, demonstration 1: expected 'Q: ...', 'A: ...' and 'So the answer is ...', as in the source's "
            "cot-prompts (give 'path:' with a copy of it)",
        ),
    ],
)
def test_bbh_files_that_cannot_be_used(tmp_path: Path, examples: Any, prompt: str, message: str) -> None:
    path = write_bbh(tmp_path, examples, prompt)
    with pytest.raises(DataError) as error:
        bbh.load(subtask="navigate", path=path)
    files = {"json": tmp_path / "bbh" / "navigate.json", "txt": tmp_path / "cot-prompts" / "navigate.txt"}
    assert str(error.value) == f"task 'bbh/navigate': {message.format(**files)}"


def test_bbh_without_demonstrations(tmp_path: Path) -> None:
    path = write_bbh(tmp_path, EXAMPLES, PROMPT)
    (tmp_path / "cot-prompts" / "navigate.txt").unlink()
    with pytest.raises(DataError) as error:
        bbh.load(subtask="navigate", path=path)
    missing = tmp_path / "cot_prompts" / "navigate.txt"
    assert str(error.value) == f"task 'bbh/navigate': no file '{missing}', nor one in 'cot-prompts'"


def test_bbh_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [{"dataset_name": "navigate", "chain_of_thought_prompt": PROMPT}]

    def load_dataset(name: str, configuration: str, *, split: str, revision: str) -> list[dict[str, str]]:
        assert re.fullmatch(r"[0-9a-f]{40}", revision)
        return {
            ("SaylorTwift/bbh", "navigate", "test"): EXAMPLES,
            ("Joschka/big_bench_hard", "few_shot_prompts", "few_shot_prompts"): prompts,
        }[name, configuration, split]

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    (task,) = bbh.load(subtask="navigate")
    assert (len(task.pool), len(task.test)) == (5, 6)
    assert task.pool[0].rationale == "One step.\nThen none."
    prompts.clear()
    with pytest.raises(DataError) as error:
        bbh.load(subtask="navigate")
    assert str(error.value) == (
        "task 'bbh/navigate': Joschka/big_bench_hard: expected one chain_of_thought_prompt, found 0; "
        "give 'path:' with a copy of the source repository"
    )
