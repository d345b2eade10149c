"""Published questions on knowledge: rows as the hub and their authors have them, and files of aliases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import shared
from released_rows import RELEASED

from onset.errors import DataError
from onset.records import Item
from onset.tasks import format_for, open_task, open_tasks, rows
from onset.tasks.base import Task
from onset.tasks.tables import Table


def task_of(name: str, **given: Any) -> Task:
    return open_task({"name": name, **given})


def written(folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def files(folder: Path, name: str, ending: str = "jsonl") -> dict[str, str]:
    """The released rows of a task as files of one format."""
    out = {}
    for split, held in zip(("train", "test"), RELEASED[name], strict=True):
        if ending == "jsonl":
            out[split] = written(folder, f"{split}.jsonl", "\n".join(map(json.dumps, held)))
        elif ending == "json":
            out[split] = written(folder, f"{split}.json", json.dumps(held, indent=1))
        else:
            cells = [
                {key: json.dumps(one) if isinstance(one, dict | list) else one for key, one in row.items()}
                for row in held
            ]
            table = pl.DataFrame(cells if ending == "csv" else held, infer_schema_length=None, strict=False)
            path = folder / f"{split}.{ending}"
            table.write_csv(path) if ending == "csv" else table.write_parquet(path)
            out[split] = str(path)
    return out


def refused(**spec: Any) -> str:
    with pytest.raises(DataError) as error:
        open_tasks(spec)
    return str(error.value)


def test_rows_of_the_hub_become_items(tmp_path: Path) -> None:
    first = {name: task_of(name, **files(tmp_path / name, name)) for name in RELEASED}
    found = {name: one.test[0] for name, one in first.items()}
    assert found["triviaqa"] == Item(
        "Who won Super Bowl XX?", "Chicago Bears", others=("Chicago Staleys", "Decatur Staleys"), meta={}
    )
    assert found["natural-questions"].golds == ("14 December 1972 UTC", "1972")
    assert found["webquestions"].golds == ("Jamaican Creole", "English")
    concept = found["commonsenseqa"]
    assert (concept.answer, concept.choices) == ("library", ("club", "street", "library", "pool", "bus"))
    assert concept.meta == {"concept": "reading"}
    assert (found["strategyqa"].answer, found["strategyqa"].choices) == ("no", ("yes", "no"))
    assert first["strategyqa"].pool[0].rationale == (
        "Julius Caesar had three children.\nGenghis Khan had sixteen children."
    )
    assert [item.rationale for item in first["strategyqa"].test] == [
        "The gestation period of a llama is eleven months.", None,
    ]  # fmt: skip
    assert found["creak"].meta == {"statement": "Eating soup means eating only solids."}
    assert (found["creak"].answer, found["creak"].rationale) == ("false", "Soup is liquid.")
    assert (found["csqa2"].answer, found["csqa2"].meta) == ("no", {})
    assert found["com2sense"].meta["domain"] == "physical"
    assert {name: one.chance for name, one in first.items()} == {
        "triviaqa": 0, "natural-questions": 0, "webquestions": 0, "commonsenseqa": 0.2, "strategyqa": 0.5, "creak": 0.5,
        "csqa2": 0.5, "com2sense": 0.5,
    }  # fmt: skip
    for name, one in first.items():
        assert format_for(name, {}) == one.format


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
@pytest.mark.parametrize("name", sorted(set(RELEASED) - {"strategyqa"}))
def test_every_format_of_table_gives_the_same_task(name: str, ending: str, tmp_path: Path) -> None:
    plain = task_of(name, **files(tmp_path, name))
    other = task_of(name, **files(tmp_path, name, ending))
    assert (other.hash, other.test) == (plain.hash, plain.test)


OFFICIAL: dict[str, tuple[str, str]] = {
    "triviaqa": (
        "d.json",
        """{
    "Data": [{"Question": "Who won Super Bowl XX?", "QuestionId": "tc_33", "Answer": {"Value": "Chicago Bears",
              "Aliases": ["Chicago Bears", "Da Bears"], "NormalizedAliases": ["chicago bears"], "HumanAnswers": ["Bears"]}},
             {"Question": "Who hid it?", "Answer": {"Value": "<unk>", "Aliases": []}}],
    "Domain": "Web", "Version": 1.0}""",
    ),
    "webquestions": (
        "d.json",
        '[{"url": "u", "utterance": "who?", "targetValue": '
        '"(list (description \\"Jazmyn \\\\\\"J\\\\\\" Bieber\\") (description Jaxon))"}]',
    ),
    "commonsenseqa": (
        "d.jsonl",
        '{"answerKey": "B", "id": "1", "question": {"question_concept": "river", "stem": "Where is a river?", '
        '"choices": [{"label": "A", "text": "waterfall"}, {"label": "B", "text": "valley"}]}}',
    ),
    "strategyqa": (
        "d.json",
        '[{"qid": "1", "term": "t", "question": "Is it?", "answer": true, "facts": ["A.", "B."], "decomposition": ["?"]}]',
    ),
}
"""One row as its authors released it."""


def test_files_as_their_authors_released_them(tmp_path: Path) -> None:
    found = {}
    for name, (file, text) in OFFICIAL.items():
        train = files(tmp_path / name, name)["train"]
        found[name] = task_of(name, train=train, test=written(tmp_path / name, file, text))
    (bears,) = found["triviaqa"].test
    assert bears.golds == ("Chicago Bears", "Da Bears", "Bears")
    assert "1 published without an answer left out of test" in found["triviaqa"].source
    assert found["webquestions"].test[0].golds == ('Jazmyn "J" Bieber', "Jaxon")
    (river,) = found["commonsenseqa"].test
    assert (river.question, river.answer, river.meta) == ("Where is a river?", "valley", {"concept": "river"})
    assert found["strategyqa"].test[0].rationale == "A.\nB."


def test_the_hub_is_asked_for_what_the_task_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hub(name: str, split: str, *, task: str, config: str | None, revision: str | None) -> Table:
        asked.append((name, split, config, revision))
        held = RELEASED[task][split not in ("train", "mine")]
        return Table(name, "row", tuple(held), tuple(range(1, len(held) + 1)), tuple(held[0]))

    monkeypatch.setattr(rows, "read_hub", hub)
    for name in RELEASED:
        assert task_of(name).test
    assert asked[:4] == [
        ("mandarjoshi/trivia_qa", "train", "rc.nocontext", None),
        ("mandarjoshi/trivia_qa", "validation", "rc.nocontext", None),
        ("google-research-datasets/nq_open", "train", None, None),
        ("google-research-datasets/nq_open", "validation", None, None),
    ]
    asked.clear()
    task_of("triviaqa", hub="org/copy", train="mine", revision="v1")
    assert asked == [("org/copy", "mine", None, "v1"), ("org/copy", "validation", None, "v1")]


def test_true_and_false_statements_of_another_release(tmp_path: Path) -> None:
    """Com2Sense, CREAK and CSQA 2.0 as released with maieutic prompting: with their negations."""
    lines = shared("data", "statements", "com2sense_dev.jsonl").read_text().splitlines()[:120]
    rows, file = list(map(json.loads, lines)), written(tmp_path, "dev.jsonl", "\n".join(lines))
    task = task_of("com2sense", train=file, test=0.3, pool=40, most=30)
    known = {row["question"]: row for row in rows}
    assert (len(task.pool), len(task.test), task.chance) == (40, 30, 0.5)
    for item in (*task.pool, *task.test):
        row = known[item.question]
        assert (item.answer, dict(item.meta)) == (row["answer"], {k: row[k] for k in ("statement", "negation")})
    assert "40 of " in task.source
    again = task_of("com2sense", train=file, test=0.3, pool=20, most=30)
    assert {one.id for one in again.pool} < {one.id for one in task.pool}


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("triviaqa", {"question": "q", "answer": "Paris"}, "answer must be an object with value and aliases, found text"),
        ("triviaqa", {"question": "q"}, "expected column 'answer', found columns: question"),
        ("natural-questions", {"question": "q", "answer": []},
         "answer must be a text or a list of at least one, found []"),
        ("webquestions", {"utterance": "q", "targetValue": "(list)"},
         "targetValue must be a list of descriptions, found '(list)'"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": "F",
                           "choices": {"label": ["A", "B"], "text": ["x", "y"]}},
         "answerKey 'F' is none of the choices' letters A, B"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": "A", "choices": None},
         "choices must be letters and texts, found None"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": "A", "choices": [None]},
         "choices must be letters and texts, found [None]"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": "A",
                           "choices": {"label": None, "text": ["x"]}},
         "label of choices must be a text or a list of at least one, found None"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": "A",
                           "choices": {"label": ["A"], "text": ["x", "y"]}},
         "choices have 1 letters and 2 texts"),
        ("commonsenseqa", {"question": "q", "question_concept": "c", "answerKey": ["A"], "choices": []},
         "answerKey must be a letter, found a list"),
        ("commonsenseqa", {"question": "q", "question_concept": "\ud800", "answerKey": "A",
                           "choices": {"label": ["A", "B"], "text": ["x", "y"]}},
         "column 'concept' holds half a surrogate pair at character 1"),
        ("strategyqa", {"question": "q", "answer": "maybe"}, "answer must be yes or no, found 'maybe'"),
        ("creak", {"sentence": "s", "label": 3}, "label must be true or false, found 3"),
        ("com2sense", {"label": "True"}, "expected column 'sent', found columns: label"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_of_the_data_set_is_refused_in_one_line(
    name: str, row: dict[str, Any], said: str, tmp_path: Path
) -> None:
    train = files(tmp_path, name)["train"]
    test = written(tmp_path, "wrong.jsonl", json.dumps(row))
    assert refused(name=name, train=train, test=test) == f"task '{name}': {test}, line 1: {said}"


def test_train_and_test_go_together() -> None:
    assert refused(name="creak", train="a.jsonl") == (
        "task 'creak': 'train: a.jsonl' needs 'test': a file, or the share of its rows to test on (0.3)"
    )
    assert refused(name="creak", test="a.jsonl") == (
        "task 'creak': 'test' goes with 'train', a file of its own, or with 'hub', whose split it names"
    )


# ---- aliases -------------------------------------------------------------------------------------------------------


def test_aliases_are_right_answers_of_every_item_that_has_the_answer(tmp_path: Path) -> None:
    given = files(tmp_path, "triviaqa")
    table = [
        {"answer": "the Chicago Bears", "aliases": ["Da Bears", "Chicago Staleys"]},
        {"answer": "Decatur Staleys", "aliases": ["Staleys"]},
        {"answer": "Oslo", "aliases": ["Christiania"]},
    ]
    plain = task_of("triviaqa", **given)
    for file in (
        written(tmp_path, "a.jsonl", "\n".join(map(json.dumps, table))),
        written(tmp_path, "a.csv", "answer,aliases\nThe Chicago Bears,Da Bears|Chicago Staleys\n"
                                   "decatur staleys,Staleys\nOslo,Christiania\n"),
    ):  # fmt: skip
        task = task_of("triviaqa", **given, aliases=file)
        assert task.test[0].golds == ("Chicago Bears", "Chicago Staleys", "Decatur Staleys", "Da Bears", "Staleys")
        assert task.test[1] == plain.test[1]
        assert task.notes[-1] == f"1 of 3 answers of {file} is no right answer of any item, first 'Oslo'"
    own = [{"question": "Who won?", "answer": "Chicago Bears"}, {"question": "Who else?", "answer": "Giants"}]
    train = written(tmp_path, "own.jsonl", json.dumps({"question": "Who lost?", "answer": "Nobody"}))
    test = written(tmp_path, "own-test.jsonl", "\n".join(map(json.dumps, own)))
    mine = task_of("mine", train=train, test=test, aliases=str(tmp_path / "a.jsonl"))
    assert mine.test[0].others == ("Da Bears", "Chicago Staleys")
    assert repr(mine.format) == "OpenFormat()"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"answer": "Oslo", "aliases": ["Christiania"]}],
         ": none of its 1 answers is a right answer of the task, the first is 'Oslo'"),
        ([{"answer": "Oslo"}], ", line 1: expected column 'aliases' of a file of aliases, found: answer"),
        ([{"answer": "Oslo", "aliases": []}],
         ", line 1: aliases must be a list of at least one text, found a list"),
        ([{"answer": "Oslo", "aliases": ["x", 3]}], ", line 1: an alias must be some text, found 3"),
        ([{"answer": "Chicago Bears", "aliases": ["x\ud800"]}],
         ", line 1: alias 'x\\ud800' holds half a surrogate pair at character 2"),
        ([{"answer": " ", "aliases": ["x"]}], ", line 1: answer must be some text, found ' '"),
        ([], " is empty: expected rows with 'answer' and 'aliases'"),
    ],
)  # fmt: skip
def test_a_file_of_aliases_that_does_not_fit(rows: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    file = written(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert refused(name="triviaqa", **files(tmp_path, "triviaqa"), aliases=file) == f"task 'triviaqa': {file}{said}"


def test_choices_have_no_aliases(tmp_path: Path) -> None:
    file = written(tmp_path, "a.jsonl", '{"answer": "true", "aliases": ["yes"]}')
    assert refused(name="creak", **files(tmp_path, "creak"), aliases=file) == (
        f"task 'creak': aliases go with open answers, and its items have choices: {file}"
    )
