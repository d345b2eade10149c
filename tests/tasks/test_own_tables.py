"""The user's own task from CSV, TSV, Parquet, datasets folders and hub-like folders; columns, labels, and one file cut
in two.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from onset.answers import ChoiceFormat, NumberFormat
from onset.errors import DataError
from onset.study.grid import expand
from onset.study.spec import make_study, read_study
from onset.tasks import open_tasks
from onset.tasks.base import Task

WORDS = [
    "parcel",
    "refund",
    "invoice",
    "password",
    "courier",
    "damaged",
    "colour",
    "return",
    "voucher",
    "delay",
    "wrong",
]
ROWS = [
    {"text": "Where is my parcel?", "label": "shipping"},
    {"text": 'He said "never",\nthen left, unpaid', "label": "refund"},
    {"text": "Größe stimmt nicht; 尺码不对", "label": "refund"},
]
COLUMNS = {"question": "text", "answer": "label"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))


def task(**spec: Any) -> Task:
    (found,) = open_tasks({"name": "tickets", **spec})
    return found


def refusal(**spec: Any) -> str:
    with pytest.raises(DataError) as caught:
        task(**spec)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix("task 'tickets'").removeprefix(":").strip()


def write_test() -> str:
    Path("test.jsonl").write_text('{"text": "It never came.", "label": "shipping"}\n')
    return "test.jsonl"


def asks(found: Task) -> list[tuple[str, str]]:
    return [(item.question, item.answer) for item in found.pool]


# ------------------------------------------------------------------------------------------- formats


def write_all() -> dict[str, str]:
    frame = pl.DataFrame(ROWS)
    frame.write_csv("rows.csv")
    frame.write_csv("rows.tsv", separator="\t")
    frame.write_csv("bom.csv", separator=";", include_bom=True)
    frame.write_parquet("rows.parquet")
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("rows.json").write_text(json.dumps(ROWS, indent=1))
    return {kind: f"rows.{kind}" for kind in ("csv", "tsv", "parquet", "jsonl", "json")} | {"bom": "bom.csv"}


def test_equal_rows_make_equal_tasks_whatever_the_format() -> None:
    files, test = write_all(), write_test()
    tasks = {kind: task(train=file, test=test, columns=COLUMNS) for kind, file in files.items()}
    assert asks(tasks["jsonl"]) == [(row["text"], row["label"]) for row in ROWS]
    assert {kind: one.pool for kind, one in tasks.items()} == dict.fromkeys(tasks, tasks["jsonl"].pool)
    assert len({one.hash for one in tasks.values()}) == 1


def test_the_hash_of_a_json_lines_task_is_what_it_was() -> None:
    # pinned: cells of results folders made before other formats could be read are named by it
    rows = [{"question": "Where is my parcel?", "answer": "shipping"}, {"question": "Pay me back.", "answer": 7}]
    Path("train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("t.jsonl").write_text('{"question": "It never came.", "answer": "shipping"}\n')
    assert task(train="train.jsonl", test="t.jsonl").hash == "3e0d4b6511580234"


def test_numbers_of_a_parquet_file_are_those_of_the_text_formats() -> None:
    pl.DataFrame({"question": ["a", "b"], "answer": [3, -7]}).write_parquet("n.parquet")
    Path("n.csv").write_text("question,answer\na,3\nb,-7\n")
    Path("t.csv").write_text("question,answer\nc,4\n")
    parquet, table = task(train="n.parquet", test="t.csv"), task(train="n.csv", test="t.csv")
    assert isinstance(parquet.format, NumberFormat)
    assert parquet.hash == table.hash


def test_floats_are_answers_as_a_person_writes_them() -> None:
    values = [0.1, -0.3, 1e-05, 2.5e16, 2.0]
    rows = [{"question": f"about {word}", "answer": value} for word, value in zip(WORDS, values, strict=False)]
    Path("n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pl.DataFrame(rows).write_parquet("n.parquet")
    pl.DataFrame(rows, schema_overrides={"answer": pl.Float32}).write_parquet("single.parquet")
    chosen = [{"question": "c", "answer": 0.1, "choices": [0.1, 0.00001]}]
    singles = pl.DataFrame(chosen, schema_overrides={"answer": pl.Float32, "choices": pl.List(pl.Float32)})
    singles.write_parquet("c.parquet")
    Path("t.csv").write_text("question,answer\nq,4\n")
    for file in ("n.jsonl", "n.parquet", "single.parquet"):
        found = task(train=file, test="t.csv")
        assert [item.answer for item in found.pool] == ["0.1", "-0.3", "0.00001", "25000000000000000", "2.0"]
        assert isinstance(found.format, NumberFormat)
        assert found.format.score(found.format.extract("The answer is 0.00001.", found.pool[2]), found.pool[2]).correct
    Path("t.jsonl").write_text('{"question": "q", "answer": 1, "choices": [1, 2]}\n')
    (item,) = task(train="c.parquet", test="t.jsonl").pool
    assert (item.answer, item.choices) == ("0.1", ("0.1", "0.00001"))


def test_floats_of_a_datasets_folder_are_those_of_a_parquet_file() -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    features = {"question": datasets.Value("string"), "answer": datasets.Sequence(datasets.Value("float32"))}
    rows = [{"question": "a", "answer": [0.1, 0.3]}]
    datasets.Dataset.from_list(rows, features=datasets.Features(features)).save_to_disk("one")
    Path("t.csv").write_text("question,answer\nq,4\n")
    assert task(train="one", test="t.csv").pool[0].golds == ("0.1", "0.3")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_no_answer(value: float) -> None:
    pl.DataFrame({"question": ["a", "b"], "answer": [0.5, value]}).write_parquet("n.parquet")
    Path("t.csv").write_text("question,answer\nq,4\n")
    assert refusal(train="n.parquet", test="t.csv") == (
        f"n.parquet, row 2: answer must be text or a finite number, found {value}"
    )


def test_a_datasets_folder_a_split_of_several_and_a_hub_like_folder() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["refund", "shipping"])}
    )
    numbered = [{**row, "label": ["refund", "shipping"].index(row["label"])} for row in ROWS]
    data = datasets.Dataset.from_list(numbered, features=features)
    held_out = datasets.Dataset.from_list([{"text": "It never came.", "label": 1}], features=features)
    datasets.disable_progress_bars()
    data.save_to_disk("one")
    datasets.DatasetDict({"train": data, "test": held_out}).save_to_disk("several")
    Path("hub").mkdir()
    data.to_parquet("hub/train-00000.parquet")
    held_out.to_parquet("hub/test-00000.parquet")

    given = {"columns": COLUMNS}
    found = [
        task(train="one", test="several/test", **given),
        task(train="several/train", test="several/test", **given),
        task(train="hub/train-00000.parquet", test="hub/test-00000.parquet", **given),
        task(hub="./hub", train="train", test="test", **given),
    ]
    Path("rows.csv").write_text(pl.DataFrame(numbered).write_csv())
    Path("test.csv").write_text("text,label\nIt never came.,1\n")
    found.append(task(train="rows.csv", test="test.csv", labels={0: "refund", 1: "shipping"}, **given))
    assert [asks(one) for one in found] == [[(row["text"], row["label"]) for row in ROWS]] * 5
    assert found[0].pool[0].choices == ("refund", "shipping")
    assert isinstance(found[0].format, ChoiceFormat)
    assert len({one.hash for one in found}) == 1
    assert refusal(train="several", test="several/test", **given) == (
        "several holds several splits; name one, as 'several/test' (test and train)"
    )
    assert refusal(hub="./hub", train="training", test="test", **given).startswith(
        "cannot load split 'training' of ./hub: "
    )


def test_a_study_file_keeps_the_names_of_splits_and_moves_paths(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    entry = "{name: t, hub: org/name, train: train, test: test, columns: {question: q, answer: a}}"
    study = "name: s\nmodels: [m]\ntasks: [%s]\nmethods: [cot]\nlabels: 1\nseeds: 1\nitems: 1\n"
    Path("in/hub.yaml").write_text(study % entry)
    Path("in/file.yaml").write_text(study % "{name: t, train: rows.csv, test: 0.3}")
    Path("in/local.yaml").write_text(study % "{name: t, hub: ./data, train: train, test: 0.3}")
    assert read_study(Path("in/hub.yaml")).tasks[0]["train"] == "train"  # type: ignore[index]
    assert read_study(Path("in/file.yaml")).tasks[0] == {"name": "t", "train": "in/rows.csv", "test": 0.3}
    assert read_study(Path("in/local.yaml")).tasks[0]["hub"] == "./in/data"  # type: ignore[index]


# ------------------------------------------------------------------------------------------- bad files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,body,topic\n1,a,b\n",
            "rows.csv has no column 'question', its columns are id, body and topic; "
            "write 'columns: {question: NAME}' for the one that holds it",
        ),
        (
            "question,answer\na,b\n,c\n",
            "rows.csv, line 3: question is empty; write 'empty: drop' to leave such rows out",
        ),
        ('question,answer\n"a\nb",c\nd,\n', "rows.csv, line 4: answer is empty"),
        (
            "question,answer\na, b, c\n",
            "rows.csv, line 2: 3 cells where the header names 2; a text that holds a separator stands in double quotes",
        ),
        ("question,answer\na\n", "rows.csv, line 2: 1 cells where the header names 2"),
        (
            'question,answer\nx,y\n"a,b\nc,d\n',
            "rows.csv, line 3: not a table of cells: a double quote is opened here and never closed",
        ),
        (
            'question,answer\n"a" b,c\n',
            "rows.csv, line 2: not a table of cells: a double quote inside a quoted text is written twice",
        ),
        ("question,answer,answer\na,b,c\n", "rows.csv, line 1: two columns are called 'answer'"),
        ("question,answer\n", "rows.csv: train is empty, at least one row is needed"),
        ("", "rows.csv: train is empty, at least one row is needed"),
    ],
)
def test_a_bad_csv_file_is_one_line(text: str, message: str) -> None:
    Path("rows.csv").write_text(text)
    Path("t.csv").write_text("question,answer\nq,b\n")
    assert refusal(train="rows.csv", test="t.csv") == message


def test_bad_parquet_and_rows_without_a_value() -> None:
    Path("bad.parquet").write_text("no table")
    Path("t.csv").write_text("question,answer\nq,b\n")
    assert refusal(train="bad.parquet", test="t.csv") == "bad.parquet is no Parquet file"
    assert refusal(train="none.parquet", test="t.csv") == "no file 'none.parquet' for train"
    pl.DataFrame({"question": ["a", None], "answer": ["b", "c"]}).write_parquet("null.parquet")
    assert refusal(train="null.parquet", test="t.csv") == "null.parquet, row 2: question must be text, found null"
    assert len(task(train="null.parquet", test="t.csv", empty="drop").pool) == 1


# ------------------------------------------------------------------------------------------- columns and labels


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"columns": "text"},
            "columns must map question, answer, rationale, choices, context to columns of the file, not 'text'",
        ),
        (
            {"columns": {"input": "q"}},
            "columns has no part 'input'. Allowed: question, answer, rationale, choices, context",
        ),
        ({"columns": {"answer": 3}}, "columns: answer must be a column, not 3"),
        ({"columns": {"rationale": "why"}}, "rows.csv has no column 'why', its columns are question and answer"),
        (
            {"labels": ["x"]},
            "labels must be a list of at least two different answers, or map what stands in the file to them, not ['x']",
        ),
        ({"labels": {0: "x", 1: "y"}}, "rows.csv, line 2: answer 'b' is not among the labels 0 and 1"),
        ({"answer_as": "number"}, "answer_as must be one of text, letter, index, not 'number'"),
        ({"answer_as": "letter"}, "rows.csv, line 2: 'answer_as: letter' needs choices on every row"),
        ({"config": "en"}, "'config' goes with 'hub', a data set of the Hugging Face hub"),
        ({"split_seed": 3}, "'split_seed' goes with a share as 'test' (0.3), which cuts 'train' in two"),
        ({"split_seed": True, "test": 0.5}, "split_seed must be a whole number from 0 to 2147483647, not True"),
        ({"test": 30}, "test must be a file, or the share of the rows to test on (0.3), not 30"),
        ({"test": 0.1}, "'test: 0.1' of the 1 rows of rows.csv leaves none for test"),
        ({"near_duplicates": "keep"}, "near_duplicates must be one of refuse, drop, allow, not 'keep'"),
    ],
)
def test_bad_parameters(more: dict[str, Any], message: str) -> None:
    Path("rows.csv").write_text("question,answer\na,b\n")
    Path("t.csv").write_text("question,answer\nq,b\n")
    assert refusal(**{"train": "rows.csv", "test": "t.csv", **more}) == message


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"context": "pasage"}, "pasage"),
        ({"rationale": "whi"}, "whi"),
        ({"choices": ["a", "B", "C"]}, "a"),
        ({"question": "ask"}, "ask"),
    ],
)
def test_a_column_that_is_named_and_in_no_row_is_refused(ending: str, columns: dict[str, Any], found: str) -> None:
    row = {"question": "Which is wet?", "passage": "So.", "why": "So.", "A": "sand", "B": "rain", "C": "dust"}
    row |= {"answer": "B"}
    text = json.dumps([row]) if ending == "json" else json.dumps(row)
    Path(f"rows.{ending}").write_text(text if ending != "csv" else pl.DataFrame([row]).write_csv())
    answer_as = "letter" if "choices" in columns else "text"
    assert refusal(train=f"rows.{ending}", test=f"rows.{ending}", columns=columns, answer_as=answer_as) == (
        f"rows.{ending} has no column '{found}', its columns are question, passage, why, A, B, C and answer"
    )


def test_rows_of_json_leave_out_what_they_do_not_have() -> None:
    rows = [{"question": "a", "answer": "x"}, {"question": "b", "answer": "y", "why": "So.", "told": "It is."}]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("t.jsonl").write_text('{"question": "q", "answer": "x", "told": null}\n')
    found = task(train="rows.jsonl", test="t.jsonl", columns={"rationale": "why", "context": "told"})
    assert [(item.rationale, item.context) for item in found.pool] == [(None, None), ("So.", "It is.")]


def test_what_an_own_task_needs_is_said() -> None:
    assert refusal(hub="org/name").startswith("needs 'train'. Allowed: ")
    assert refusal(columns=COLUMNS, test="t.csv").startswith("needs 'train'. Allowed: ")


def test_labels_by_name_are_the_choices_of_every_item() -> None:
    Path("rows.csv").write_text("question,answer\na,0\nb,1\n")
    Path("t.csv").write_text("question,answer\nc,1\n")
    found = task(train="rows.csv", test="t.csv", labels={0: "negative", 1: "positive"})
    assert [(item.answer, item.choices) for item in found.pool] == [
        ("negative", ("negative", "positive")),
        ("positive", ("negative", "positive")),
    ]
    assert (found.chance, found.notes) == (0.5, ())


def test_choices_in_one_cell_or_in_columns_of_their_own_and_answers_by_letter_or_index() -> None:
    Path("cell.csv").write_text('question,answer,choices\nq,x,"[""x"", ""y""]"\n')
    Path("letters.csv").write_text("question,answer,A,B,C\nq,a,x,y,\n")
    Path("indices.jsonl").write_text('{"question": "q", "answer": 0, "choices": ["x", "y"]}\n')
    Path("t.csv").write_text("question,answer,A,B,C\nr,B,u,v,w\n")
    apart = {"question": "question", "answer": "answer", "choices": ["A", "B", "C"]}
    Path("t.jsonl").write_text('{"question": "r", "answer": 1, "choices": ["u", "v", "w"]}\n')
    Path("t2.jsonl").write_text('{"question": "r", "answer": "v", "choices": ["u", "v", "w"]}\n')
    found = [
        task(train="cell.csv", test="t2.jsonl"),
        task(train="letters.csv", test="t.csv", columns=apart, answer_as="letter"),
        task(train="indices.jsonl", test="t.jsonl", answer_as="index"),
    ]
    assert [(one.pool[0].answer, one.pool[0].choices, one.test[0].answer) for one in found] == [
        ("x", ("x", "y"), "v")
    ] * 3
    Path("letters.csv").write_text("question,answer,A,B,C\nq,c,x,y,\n")
    assert refusal(train="letters.csv", test="t.csv", columns=apart, answer_as="letter") == (
        "letters.csv, line 2: answer must be a letter from A to B, found 'c'"
    )


@pytest.mark.parametrize(("answer_as", "names"), [("letter", "ABCD"), ("index", "0123")])
def test_an_empty_choice_keeps_its_letter_and_is_no_answer(answer_as: str, names: str) -> None:
    columns = {"choices": ["A", "B", "C", "D"]}
    Path("train.csv").write_text(f"question,A,B,C,D,answer\nWhich is cold?,fire,sun,ice,,{names[2]}\n")
    Path("t.csv").write_text(
        f"question,A,B,C,D,answer\nHow many bones has a jellyfish?,ten,,two,none,{names[3]}\n"
        f"How many wheels has a boat?,,one,none,two,{names[1]}\n"
    )
    found = task(train="train.csv", test="t.csv", columns=columns, answer_as=answer_as)
    assert [(item.answer, item.choices) for item in (*found.pool, *found.test)] == [
        ("ice", ("fire", "sun", "ice")),
        ("none", ("ten", "two", "none")),
        ("one", ("one", "none", "two")),
    ]
    Path("t.csv").write_text(f"question,A,B,C,D,answer\nHow many wheels has a boat?,ten,,two,none,{names[1]}\n")
    assert refusal(train="train.csv", test="t.csv", columns=columns, answer_as=answer_as) == (
        f"t.csv, line 2: answer '{names[1]}' points at column 'B', which is empty"
    )


def test_a_few_numbers_as_answers_are_named_before_a_run() -> None:
    rows = "".join(f"about {word} {number},{number % 2}\n" for number, word in enumerate(WORDS))
    Path("rows.csv").write_text("question,answer\n" + rows)
    Path("t.csv").write_text("question,answer\nq,1\n")
    study = make_study(
        name="s", models=["m"], tasks=[{"name": "t", "train": "rows.csv", "test": "t.csv"}], methods=["cot"],
        labels=1, seeds=1, items=1,
    )  # fmt: skip
    study = study.model_copy(update={"methods": ("answer-only",)})
    assert expand(study).notes == (
        "task t: every answer is one of the numbers 0, 1; if they are classes, name them: 'labels: {0: NAME, ...}'",
    )


def test_a_few_words_as_answers_are_named_or_have_a_chance() -> None:
    rows = "".join(f"about {word} {number},{['bad', 'good'][number % 2]}\n" for number, word in enumerate(WORDS))
    Path("rows.csv").write_text("question,answer\n" + rows)
    Path("t.csv").write_text("question,answer\nq,good\n")
    assert task(train="rows.csv", test="t.csv").notes == (
        "every answer is one of bad and good, and chance counts as 0; if they are classes, write 'labels: [...]', or"
        " give 'chance'",
    )
    for more in ({"labels": ["bad", "good"]}, {"chance": 0.5}):
        found = task(train="rows.csv", test="t.csv", **more)
        assert (found.chance, found.notes) == (0.5, ())


# ------------------------------------------------------------------------------------------- one file cut in two


def made(count: int, seed: int = 0) -> list[dict[str, str]]:
    draw = random.Random(seed)
    labels = ["shipping"] * 5 + ["refund"] * 3 + ["account"] * 2
    return [
        {"question": " ".join(draw.choices(WORDS, k=9)) + f" {seed} {n}", "answer": labels[n % 10]}
        for n in range(count)
    ]


def cut(rows: list[dict[str, str]], **more: Any) -> tuple[set[str], set[str]]:
    pl.DataFrame(rows).write_csv("all.csv")
    found = task(train="all.csv", **{"test": 0.3, **more})
    return {item.question for item in found.pool}, {item.question for item in found.test}


def test_a_share_cuts_every_label_alike_and_nothing_is_lost() -> None:
    rows = made(60)
    train, test = cut(rows)
    assert (len(train), len(test), train & test) == (42, 18, set())
    by_label = {
        label: sum(row["answer"] == label for row in rows if row["question"] in test)
        for label in ("shipping", "refund", "account")
    }
    assert by_label == {"shipping": 9, "refund": 5, "account": 4}  # 0.3 of 30, 18 and 12, rounded


def test_the_cut_follows_content_and_seed_alone() -> None:
    rows = made(60)
    first = cut(rows)
    assert cut(rows[::-1]) == first
    assert cut(rows, split_seed=1)[1] != first[1]
    assert cut(rows, split_seed=1) == cut(rows, split_seed=1)
    Path("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = task(train="all.jsonl", test=0.3)
    assert {item.question for item in found.test} == first[1]
    assert [item.question for item in found.test] == [row["question"] for row in rows if row["question"] in first[1]]


def test_a_row_more_moves_at_most_one_other_row() -> None:
    rows = made(40)
    before = cut(rows)[1]
    moved = []
    for extra in made(25, seed=1):
        rows.append(extra)
        after = cut(rows)[1]
        moved.append(len((before ^ after) - {extra["question"]}))
        before = after
    assert max(moved) == 1  # and not always: the share is rounded
    assert min(moved) == 0


def test_what_a_cut_could_not_give_is_said(tmp_path: Path) -> None:
    same = [
        {
            "question": f"Please refund my order, it never arrived at my home address in the city {when}",
            "answer": "refund",
        }
        for when in ("today", "again", "now", "soon", "later", "once")
    ]
    other = [{"question": f"Where is parcel {name}?", "answer": "shipping"} for name in "abcdef"]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, [*same, *other])))
    [task] = open_tasks({"name": "t", "train": str(tmp_path / "d.jsonl"), "test": 0.3})
    assert {item.answer for item in task.test} == {"shipping"}
    assert (
        "2 of 12 rows are test items, fewer than 'test: 0.3' asks for: near duplicates stay on one side" in task.notes
    )
    assert "no test item has the answer refund" in task.notes


def test_copies_stay_on_one_side_of_the_cut() -> None:
    rows = made(60)
    sides = []
    for seed in range(12):
        copies = [{**row, "question": row["question"].replace("a", "A") + "!!"} for row in rows[:10]]
        _, test = cut(rows + copies, split_seed=seed)
        for row, copy in zip(rows, copies, strict=False):
            assert (row["question"] in test) == (copy["question"] in test)
            sides.append(row["question"] in test)
    assert set(sides) == {True, False}
    pl.DataFrame(rows + copies).write_csv("all.csv")
    apart = [cut(rows + copies, split_seed=seed, near_duplicates="allow")[1] for seed in range(3)]
    assert any(
        (row["question"] in test) != (copy["question"] in test)
        for test in apart
        for row, copy in zip(rows, copies, strict=False)
    )
