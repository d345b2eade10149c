"""Tasks and a text beside the study's own: asked of every model, tuned and staged ones too, and in tables of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from models_fixtures import llama, save, tokenizer  # noqa: E402
from results_json import read_json  # noqa: E402
from staged import small_study  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

import onset  # noqa: E402
from onset.analysis import to_json  # noqa: E402
from onset.errors import DataError, StudyError  # noqa: E402
from onset.results.read import load  # noqa: E402
from onset.study.estimate import estimate  # noqa: E402
from onset.study.grid import expand  # noqa: E402
from onset.study.runner import run  # noqa: E402
from onset.study.spec import Study, read_study  # noqa: E402
from onset.study.text import TextEntry, text_task  # noqa: E402

PROSE = " ".join(f"The {n}. sky is blue, and Pam has seven keys of {n} doors." for n in range(60))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aside")
    save(folder / "model", llama(context=512), tokenizer(bos=False))
    (folder / "prose.txt").write_text(PROSE, encoding="utf-8")
    rows = [{"prompt": f"Say {word}.", "completion": word} for word in ("keys", "blue", "sky")]
    (folder / "say.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return folder


def study(place: Path, **changes: Any) -> Study:
    own = {
        "seeds": 2,
        "elsewhere": [{"name": "last-letters", "pool": 4, "test": 8}],
        "text": {"file": str(place / "prose.txt"), "segment": 60, "context": 80, "segments": 12},
    }
    return small_study(place, **(own | changes))


@pytest.fixture(scope="module")
def folder(place: Path) -> Path:
    run(study(place), place / "d")
    return place / "d"


def test_every_model_is_asked_and_no_table_of_the_study_has_it(place: Path, folder: Path) -> None:
    results = load(folder)
    assert results.aside is not None
    assert set(results.cells["task"]) == {"coin-flip"}
    assert len(results.cells) == 2 * (2 + 2)
    rows = results.aside.cells.to_dicts()
    found = {(row["stage"], row["task"], row["method"], row["labels"], row["home"], row["seed"]) for row in rows}
    assert len(found) == len(rows) == 2 * 2 * (1 + 2)
    tuned = next(one.name for one in study(place).build_methods() if one.tune)
    for stage in ("base", "say"):
        assert (stage, "last-letters", "answer-only", 0, None, 0) in found
        assert (stage, "text", "text", 0, None, 0) in found
        for seed in (0, 1):
            assert (stage, "text", tuned, 4, "coin-flip", seed) in found
    # the very weights that the study's own cells were measured on, and the examples that these were tuned on
    own = {row["cell"]: read_json(folder / "cells" / row["cell"] / "cell.json") for row in results.cells.to_dicts()}
    kept = {
        one["tuned"]: (one["tuned_revision"], one["plan_hash"], one["ledger"]) for one in own.values() if one["tuned"]
    }
    for row in rows:
        held = read_json(folder / "cells" / row["cell"] / "cell.json")
        assert held["elsewhere"] == {"task": row["home"]}
        if held["tuned"]:
            assert (held["tuned_revision"], held["plan_hash"], held["ledger"]) == kept[held["tuned"]]
        else:
            assert held["ledger"] == []
    shown = to_json(onset.analyse(results, replicates=100))
    assert {one["task"] for one in shown["cells"]} == {"coin-flip"}


def test_asking_aside_changes_no_id_and_only_adds_cells(place: Path) -> None:
    plain = study(place, elsewhere=[], text=None, stages=[[]])
    whole = study(place, stages=[[]])
    before = {cell.id for cell in expand(plain).cells}
    assert before == {cell.id for cell in expand(whole).cells if not cell.aside}
    target = place / "later"
    run(plain, target)
    weights = {path: path.stat().st_mtime_ns for path in (target / "tuned").rglob("*.safetensors")}
    assert weights
    summary = run(whole, target)
    assert (summary.kept, summary.ran) == (len(before), len(expand(whole).cells) - len(before))
    assert {path: path.stat().st_mtime_ns for path in (target / "tuned").rglob("*.safetensors")} == weights
    assert run(whole, target).ran == 0


def test_a_text_has_the_probability_that_transformers_gives_it(place: Path, folder: Path) -> None:
    results = load(folder).aside
    assert results is not None
    cell = next(
        row["cell"]
        for row in results.cells.to_dicts()
        if (row["task"], row["stage"], row["home"]) == ("text", "base", None)
    )
    rows = [row for row in results.records.to_dicts() if row["cell"] == cell]
    assert len(rows) == 12
    model = AutoModelForCausalLM.from_pretrained(place / "model").eval()
    coder = AutoTokenizer.from_pretrained(place / "model")
    for row in rows:
        assert row["question"] + row["gold"] in PROSE
        coded = coder(row["question"] + row["gold"], return_offsets_mapping=True)
        ids = torch.tensor([coded["input_ids"]])
        start = next(at for at, (_, end) in enumerate(coded["offset_mapping"]) if end > len(row["question"]))
        with torch.no_grad():
            logits = model(ids).logits.log_softmax(-1)
        direct = sum(float(logits[0, at - 1, ids[0, at]]) for at in range(start, ids.shape[1]))
        assert row["gold_logprob"] == pytest.approx(direct, abs=1e-3)
        assert row["output_tokens"] == ids.shape[1] - start


def test_windows_score_every_character_behind_the_first_context_once(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(PROSE, encoding="utf-8")
    items = text_task(TextEntry(file=str(path), segment=60, context=80, segments=1000)).test
    assert PROSE.startswith(items[0].question)
    assert (
        "".join(item.answer for item in items) == PROSE[len(items[0].question) :][: sum(len(i.answer) for i in items)]
    )
    assert all(len(item.question) == 80 for item in items[1:])
    assert all(item.answer[0].isspace() for item in items)
    path.write_text("字" * 900, encoding="utf-8")  # no white space to cut at
    assert {len(item.answer) for item in text_task(TextEntry(file=str(path), segment=60, context=80)).test} == {60}


def test_the_plan_counts_what_is_asked_aside(place: Path) -> None:
    whole, plain = (expand(study(place, **one)) for one in ({}, {"elsewhere": [], "text": None}))
    more, less = estimate(whole), estimate(plain)
    assert len(more.tunings) == len(less.tunings)
    assert (more.total().flops or 0) > (less.total().flops or 0)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"elsewhere": [{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}]},
            StudyError,
            "study: 'coin-flip' is in 'tasks' and in 'elsewhere'; what is forgotten is asked on other tasks",
        ),
        (
            {"elsewhere": [{"name": "last-letters", "pool": 4, "test": 8}] * 2},
            StudyError,
            "study: task 'last-letters' appears twice in 'elsewhere'; each may appear once",
        ),
        ({"text": "nowhere.txt"}, DataError, "text nowhere.txt: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_asked_is_refused(place: Path, changes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        expand(study(place, **changes))


def test_a_short_text_and_one_that_a_corpus_holds_are_refused(place: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.txt"
    short.write_text("Too short.", encoding="utf-8")
    message = f"text {short}: 10 characters make 0 windows of 800 and 400 characters; at least 10 are needed"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        expand(study(place, text=str(short)))
    held = tmp_path / "held.jsonl"
    held.write_text(json.dumps({"text": PROSE}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"holds 12 of the 12 test items of task text; leave them out"):
        expand(study(place, recipes={"say": {"data": str(held), "steps": 2}}))


def test_the_example_asks_elsewhere_with_the_files_beside_it() -> None:
    grid = expand(read_study(Path(__file__).parents[2] / "examples" / "forgetting.yaml"))
    asked = [cell for cell in grid.cells if cell.aside]
    assert len({cell.id for cell in grid.cells}) == len(grid.cells) == 36 + 63
    assert {cell.task for cell in asked} == {"world-one-hop[frequency=head]", "world-reading", "text"}
    assert {cell.tuned for cell in asked} == {cell.tuned for cell in grid.cells}


def test_paths_of_a_text_are_beside_the_study_file(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "prose.txt").write_text(PROSE * 5, encoding="utf-8")
    text = "name: s\nmodels: [m]\ntasks: [coin-flip]\nmethods: [cot]\nlabels: 4\nseeds: 1\nitems: 4\n"
    for line in ("text: prose.txt", "text: {file: prose.txt, segment: 200}"):
        (tmp_path / "s" / "s.yaml").write_text(f"{text}{line}\n", encoding="utf-8")
        held = read_study(tmp_path / "s" / "s.yaml").text
        file = held if isinstance(held, str) else held.file if held else ""
        assert Path(file).resolve() == tmp_path / "s" / "prose.txt"
