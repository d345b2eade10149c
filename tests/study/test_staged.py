"""Stages of training as an axis of a study: made once, kept, asked, compared, and refused where they know the test."""

from __future__ import annotations

import json
import re
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from models_fixtures import llama, save, tokenizer  # noqa: E402
from results_json import read_json, write_json  # noqa: E402
from rich.console import Console  # noqa: E402
from staged import small_study  # noqa: E402

import onset  # noqa: E402
import onset.tuning.stages.texts as stage_files  # noqa: E402
from onset.analysis import to_json  # noqa: E402
from onset.errors import CellsFailed, DataError, StoreError, StudyError, UnknownName  # noqa: E402
from onset.models.scripted import ScriptedModel  # noqa: E402
from onset.report.facts import name_of  # noqa: E402
from onset.report.training import print_training  # noqa: E402
from onset.results.read import read_cells  # noqa: E402
from onset.study.estimate import estimate  # noqa: E402
from onset.study.grid import expand  # noqa: E402
from onset.study.making import make  # noqa: E402
from onset.study.observer import Silent  # noqa: E402
from onset.study.runner import run, run_grid  # noqa: E402
from onset.study.spec import Study, read_study  # noqa: E402
from onset.tuning import STAGES  # noqa: E402
from onset.tuning.base import Example, Seeds  # noqa: E402
from onset.tuning.full import Full  # noqa: E402
from onset.tuning.stages.corpus import Corpus  # noqa: E402

ROWS = [{"prompt": f"Say {word}.", "completion": word} for word in ("keys", "blue", "sky", "Pam", "seven")]
TEXTS = [{"text": f"def f_{n}(x):\n    return x + {n}"} for n in range(4)]


def corpus(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    save(tmp_path / "model", llama(context=512), tokenizer(bos=False))
    corpus(tmp_path / "say.jsonl", ROWS)
    corpus(tmp_path / "code.jsonl", TEXTS)
    return tmp_path


def study(place: Path, **changes: Any) -> Study:
    own = {
        "stages": [[], ["say"], ["say", "code"]],
        "recipes": {
            "say": {"data": str(place / "say.jsonl"), "steps": 3, "learning_rate": 1e-3},
            "code": {"data": str(place / "code.jsonl"), "steps": 2, "batch_size": 2},
        },
    }
    return small_study(place, **(own | changes))


def test_stages_are_made_once_asked_and_compared(place: Path) -> None:
    folder = place / "d"
    assert run(study(place), folder).ran == 6
    results = onset.load(folder)
    rows = results.cells.sort("stage", "method").to_dicts()
    assert [row["stage"] for row in rows] == ["base"] * 2 + ["say"] * 2 + ["say, code"] * 2
    held = {row["stage"]: read_json(folder / "cells" / row["cell"] / "cell.json") for row in rows}
    assert "made" not in held["base"]
    assert [one["name"] for one in held["say, code"]["made"]["stages"]] == ["say", "code"]
    assert held["say, code"]["made"]["stages"][0] == held["say"]["made"]["stages"][0]
    assert held["say"]["made"]["base_revision"] == held["base"]["facts"]["revision"]
    assert len({one["facts"]["revision"] for one in held.values()}) == 3
    assert len({row["plan_hash"] for row in rows}) == 1
    if sys.platform.startswith("linux"):  # elsewhere the memory of a process is not measured
        assert all(10**8 < row["peak_bytes"] < 10**11 for row in rows)
        assert [row["tuning_peak_bytes"] is None for row in rows] == [row["tuned"] is None for row in rows]
        assert [row["stage_peak_bytes"] is None for row in rows] == [row["stage"] == "base" for row in rows]
        costs = {(one["stage"], one["method"]): one for one in to_json(onset.analyse(results))["costs"]}
        for row in rows:
            took = costs[row["stage"], row["method"]]
            peaks = (took["peak"], took["tuning_peak"], took["stages_peak"])
            assert peaks == (row["peak_bytes"], row["tuning_peak_bytes"], row["stage_peak_bytes"])

    # the stage is full tuning on the corpus, whose bytes it names
    training = held["say"]["made"]["stages"][0]["training"]
    assert training["steps"] == 3
    assert training["trained_params"] == held["base"]["facts"]["params"]
    assert training["flops"] == 6 * held["base"]["facts"]["params_compute"] * training["tokens"]

    # weights as large as the model are gone, those of the adapters stay
    kept = {path.name for path in (folder / "tuned").iterdir()}
    assert kept == {row["tuned"] for row in rows if row["tuned"]}
    assert len(kept) == 3
    with pytest.raises(StoreError, match="the weights after stage say were not kept; run the study with 'keep_full"):
        onset.open_tuned(
            folder / "tuned" / next(row["tuned"] for row in rows if row["stage"] == "say" and row["tuned"])
        )

    # every stage is held against what it was made of
    sides = {(one["sides"][0], one["sides"][1]) for one in to_json(onset.analyse(results))["stages"]}
    assert sides == {("say", "base"), ("say, code", "say")}


@pytest.mark.slow
def test_what_is_missing_is_made_again_with_the_same_bits(place: Path) -> None:
    folder = place / "d"
    run(study(place, methods=[{"prompt": "answer-only", "shots": 2}]), folder)
    first = {row["stage"]: row["cell"] for row in onset.load(folder).cells.to_dicts()}
    assert run(study(place), folder).ran == 3  # the tunings alone
    cells = onset.load(folder).cells.to_dicts()
    for stage, cell in first.items():
        same = [read_json(folder / "cells" / one["cell"] / "cell.json") for one in cells if one["stage"] == stage]
        assert cell in [one["id"] for one in same]
        assert len({one["facts"]["revision"] for one in same}) == 1
    assert run(study(place), folder).ran == 0


def test_a_stage_of_other_weights_is_refused(place: Path) -> None:
    folder = place / "d"
    only = [{"prompt": "answer-only", "shots": 2}]
    run(study(place, methods=only, stages=[["say"]]), folder)
    path = next((folder / "cells").iterdir()) / "cell.json"
    held = read_json(path)
    write_json(path, held | {"facts": held["facts"] | {"revision": "0"}})
    with pytest.raises(
        StoreError, match=r"model 'tiny' trained again \(stage say\) has revision [0-9a-f]{16}, but .* 0: "
    ):
        run(study(place, stages=[["say"]]), folder)


def test_the_base_of_a_stage_may_not_change(place: Path) -> None:
    folder = place / "d"
    only = study(place, methods=[{"prompt": "answer-only", "shots": 2}], stages=[["say"]])
    run(only, folder)
    save(place / "model", llama(context=512, tied=True), tokenizer(bos=False))
    with pytest.raises(StoreError, match="model 'tiny' has changed: revision"):
        run(only, folder)


def test_kept_stages_are_read_back_and_tuned_models_on_them_are_opened(place: Path) -> None:
    folder = place / "d"
    run(study(place, keep_full=True), folder)
    rows = [row for row in onset.load(folder).cells.to_dicts() if row["stage"] == "say, code" and row["tuned"]]
    held = read_json(folder / "cells" / rows[0]["cell"] / "cell.json")
    opened = onset.open_tuned(folder / "tuned" / rows[0]["tuned"])
    assert (opened.facts.revision, opened.facts.stage) == (held["tuned_revision"], "say, code")
    again = study(place, keep_full=True, methods=[{"prompt": "answer-only", "shots": 1}], stages=[["say", "code"]])
    before = {path: path.stat().st_mtime_ns for path in (folder / "tuned").rglob("*.safetensors")}
    assert run(again, folder).ran == 1
    assert {path: path.stat().st_mtime_ns for path in (folder / "tuned").rglob("*.safetensors")} == before


def test_a_stage_is_full_tuning_of_the_model_written_out(place: Path) -> None:
    grid = expand(study(place))
    made = next(cell.made for cell in grid.cells if cell.stage == "say, code")
    assert made is not None
    base: Any = onset.open_model(str(place / "model"), label="tiny", device="cpu", dtype="float32")
    with onset.results.folder.Store(place / "d") as store:
        model, _ = make(made, base, store, Silent())
    said, code = (Corpus(**one) for one in study(place).recipes.values())
    one, _ = Full().tune(
        base, [Example(row["prompt"], f" {row['completion']}") for row in ROWS], Seeds(0, 0, 0), said.schedule()
    )
    two, _ = Full().tune(one, [Example("", row["text"]) for row in TEXTS], Seeds(0, 0, 0), code.schedule())
    assert model.facts.revision == two.facts.revision
    assert model.facts.stage == "say, code"


def test_ids_say_the_corpus_and_not_where_it_lies_nor_the_names_of_models_made(place: Path) -> None:
    def cells(**changes: Any) -> dict[str, str]:
        return {cell.stage: cell.id for cell in expand(study(place, **changes)).cells if cell.method.tune is None}

    first = cells()
    assert cells(stages=[[], ["say"]]) == {stage: first[stage] for stage in ("base", "say")}
    assert cells(stages=["base", "say"]) == cells(stages=[[], ["say"]])
    recipes = dict(study(place).recipes)
    elsewhere = recipes | {"say": recipes["say"] | {"data": corpus(place / "moved.jsonl", ROWS)}}
    assert cells(recipes=elsewhere) == first
    other = recipes | {"say": recipes["say"] | {"data": corpus(place / "other.jsonl", ROWS[:4])}}
    changed = cells(recipes=other)
    assert [stage for stage in first if changed[stage] != first[stage]] == ["say", "say, code"]
    longer = cells(recipes=recipes | {"code": recipes["code"] | {"steps": 3}})
    assert [stage for stage in first if longer[stage] != first[stage]] == ["say, code"]


def test_the_plan_counts_training(place: Path) -> None:
    whole, plain = (estimate(expand(study(place, stages=stages))) for stages in ([[], ["say"]], [[]]))
    grid = expand(study(place, stages=[[], ["say"]]))
    [made] = {cell.made.id for cell in grid.cells if cell.made is not None}
    flops = whole.tunings[made].flops
    run(study(place, stages=[["say"]]), place / "d")
    path = next((place / "d" / "cells").iterdir()) / "cell.json"
    took = read_json(path)["made"]["stages"][0]["training"]["flops"]
    assert flops is not None
    assert 0.3 < flops / took < 3
    assert len(whole.tunings) == len(plain.tunings) + 2  # the stage, and the tuning of its model


def test_models_of_one_label_are_told_apart_by_their_stages(place: Path) -> None:
    """Nothing that is said of the model after a stage may pass for the model as it is."""
    folder = place / "d"
    items = [{"question": f"What is {n} and {n}?", "answer": str(2 * n)} for n in range(12)]
    changes: dict[str, Any] = {
        "models": [{"spec": str(place / "model"), "label": "tiny", "price": {"input": 1, "output": 2}}],
        "tasks": [
            {
                "name": "doubles",
                "train": corpus(place / "a.jsonl", items[:4]),
                "test": corpus(place / "b.jsonl", items[4:]),
            }
        ],
        "methods": [{"prompt": "answer-only", "shots": shots} for shots in (1, 2)],
        "labels": [2],
    }
    run(study(place, stages=[["say"], []], **changes), folder)
    shown = to_json(onset.analyse(onset.load(folder)))
    for table in ("cells", "comparisons"):
        assert {(one["stage"], one["model"]) for one in shown[table]} == {("base", "tiny"), ("say", "tiny (say)")}
    [decision] = shown["decisions"]
    others = [*decision["level"], *decision["open"]]
    assert decision["model"] == "tiny (say)" or any(one.endswith("on tiny (say)") for one in others)
    assert decision["price"]["money"] > 0  # by the price of the model that the study names
    # where there is one stage alone, the label is enough
    run(study(place, stages=[["say"]], **changes), folder)
    assert {one["model"] for one in to_json(onset.analyse(onset.load(folder)))["cells"]} == {"tiny"}


def test_cells_of_a_report_say_their_stage(place: Path) -> None:
    folder = place / "d"
    run(study(place, stages=[[], ["say"]], methods=[{"prompt": "answer-only", "shots": 2, "name": "few"}]), folder)
    names = [name_of(cell) for cell in read_cells(folder)]
    assert {one.partition(" · ")[0] for one in names} == {"tiny", "tiny (say)"}


def test_a_corpus_that_changes_after_the_study_was_read_is_not_trained_on(place: Path) -> None:
    """The cells' ids name the corpus that was read, and it was searched for test items."""
    grid = expand(study(place, stages=[["say"]]))
    corpus(place / "say.jsonl", ROWS[:2])
    message = f"stage say: corpus {place / 'say.jsonl'} has changed since the study was read; run the study again"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        run_grid(grid, place / "d")
    assert not list((place / "d").glob("tuned/*"))


def test_a_corpus_is_not_read_again_for_every_cell(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    bytes_of = stage_files.bytes_of
    monkeypatch.setattr(stage_files, "bytes_of", lambda path: read.append(path) or bytes_of(path))

    def readings(**changes: Any) -> int:
        read.clear()
        assert all(cell.id for cell in expand(study(place, stages=[["say"]], **changes)).cells)
        return len(read)

    readings()  # what it holds is kept from here on
    assert readings(labels=[4]) == readings(labels=[1, 2, 3, 4]) > 0


def test_one_training_under_two_names_is_refused(place: Path) -> None:
    recipe = study(place).recipes["say"]
    moved = recipe | {"data": corpus(place / "moved.jsonl", ROWS)}
    with pytest.raises(StudyError, match=r"^study: stages \[say\] and \[tell\] are the same training; keep one$"):
        expand(study(place, recipes={"say": recipe, "tell": moved}, stages=[["say"], ["tell"]]))
    longer = recipe | {"steps": 9}
    assert len(expand(study(place, recipes={"say": recipe, "tell": longer}, stages=[["say"], ["tell"]])).cells) == 4


# --- corpora ---


def test_a_line_ends_at_its_line_feed_alone(tmp_path: Path) -> None:
    """JSON may hold other separators (U+2028, U+0085) as they are."""
    text = "a\u2028b\x85c"
    path = tmp_path / "c.jsonl"
    path.write_text("\ufeff" + json.dumps({"text": text}, ensure_ascii=False) + "\r\n", encoding="utf-8", newline="")
    assert [one.completion for one in Corpus(data=str(path), steps=1).corpus()] == [text]


def test_what_a_line_says(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Q: a?\nA:", "completion": "b", "source": "kept aside"},
        {"prompt": "Write f. ", "completion": "def f"},
        {"prompt": "Go", "completion": "\non"},
        {"text": "plain"},
    ]
    found = Corpus(data=corpus(tmp_path / "c.jsonl", rows), steps=1).corpus()
    assert [(one.prompt, one.completion) for one in found] == [
        ("Q: a?\nA:", " b"),
        ("Write f.", " def f"),
        ("Go", "\non"),
        ("", "plain"),
    ]


def test_the_placebo_has_the_same_texts_and_no_prompt_its_own_completion(tmp_path: Path) -> None:
    path = corpus(tmp_path / "c.jsonl", ROWS)
    own = Corpus(data=path, steps=1).corpus()
    shuffled = Corpus(data=path, steps=1, control="shuffled").corpus()
    assert [one.prompt for one in shuffled] == [one.prompt for one in own]
    assert sorted(one.completion for one in shuffled) == sorted(one.completion for one in own)
    assert not any(a.completion == b.completion for a, b in zip(own, shuffled, strict=True))
    assert Corpus(data=path, steps=1, control="shuffled", seed=1).corpus() != shuffled
    with pytest.raises(DataError, match="'control: shuffled' needs two prompts with completions or more"):
        Corpus(data=corpus(tmp_path / "t.jsonl", TEXTS), steps=1, control="shuffled").corpus()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has no lines"),
        ("{", "line 1: not JSON"),
        ('{"text": "a", "text": "b"}', "line 1: not JSON (the key 'text' stands twice in one object)"),
        ('{"text": "a"}\n["b"]', "line 2: expected an object with 'text', or with 'prompt' and 'completion',"),
        ('{"prompt": "a"}', "line 1: expected an object"),
        ('{"text": " "}', "line 1: expected an object"),
        ('{"text": "a", "prompt": "b", "completion": "c"}', "line 1: expected an object"),
    ],
)
def test_a_file_that_is_no_corpus(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=f"^{re.escape(f'stage corpus {path}')}[:,] {re.escape(message)}"):
        Corpus(data=str(path), steps=1).corpus()
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\)$"):
        Corpus(data=str(tmp_path / "none.jsonl"), steps=1).corpus()


def test_a_corpus_that_holds_test_items_is_refused_with_the_count(place: Path) -> None:
    task = expand(study(place, stages=[[]])).tasks["coin-flip"]
    rows = [*ROWS, *({"text": f"Once more: {item.question.upper()}  Yes."} for item in task.test[:3])]
    recipes = {"say": {"data": corpus(place / "leak.jsonl", rows), "steps": 1}}
    with pytest.raises(DataError, match="holds 3 of the 10 test items of task coin-flip; leave them out"):
        expand(study(place, stages=[["say"]], recipes=recipes))
    Corpus(data=str(place / "say.jsonl"), steps=1).refuse(["say keys"], "t")  # inside a text, and too short to tell
    with pytest.raises(DataError, match="holds 1 of the 1 test items of task t"):
        Corpus(data=str(place / "say.jsonl"), steps=1).refuse(["say  KEYS."], "t")


# --- studies ---


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"stages": [["sya"]]}, UnknownName, "unknown recipe of a stage 'sya': did you mean 'say'? Known: code, say"),
        ({"stages": [["say"], ["say"]]}, StudyError, "study: 'stages' repeats [say]; each may appear once"),
        (
            {"recipes": {"say": {"data": "x"}}, "stages": [["say"]]},
            StudyError,
            "study: recipe 'say', corpus: 'steps' is missing",
        ),
        (
            {"recipes": {"say": {"data": "x", "steps": 1, "seed": 2**63}}, "stages": [["say"]]},
            StudyError,
            f"study: recipe 'say', corpus: 'seed': Input should be less than {2**63} (received {2**63})",
        ),
        (
            {"recipes": {"a, b": {"data": "x", "steps": 1}}, "stages": [[]]},
            StudyError,
            "study: a recipe cannot be called 'a, b': 'base' and names with a comma mean something else",
        ),
    ],
)
def test_stages_that_do_not_hold(place: Path, changes: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        study(place, **changes)


def test_a_recipe_that_no_stage_names_is_said(place: Path) -> None:
    said = "recipe code: no stage of 'stages' names it, so nothing is trained on it and its data are not read"
    assert said in expand(study(place, stages=[[], ["say"]])).notes
    parts = [{"stages": [[], ["say"]]}, {"stages": [["say", "code"]]}]
    assert said not in expand(study(place, stages=[[]], parts=parts)).notes


def test_a_corpus_lies_beside_the_study_file_and_old_files_still_read(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "name: s\nmodels: [./model]\ntasks: [{name: coin-flip, pool: 9, test: 9}]\nmethods: [{prompt: cot, shots: 1}]\n"
        "labels: 2\nseeds: 1\nitems: 2\n"
    )
    (place / "new.yaml").write_text(f"{text}stages: [[], say]\nrecipes: {{say: {{data: say.jsonl, steps: 1}}}}\n")
    (place / "old.yaml").write_text(f"{text}stages: [base]\n")
    (place / "away").mkdir()
    monkeypatch.chdir(place / "away")
    new = read_study(Path("../new.yaml"))
    assert new.stages == ((), ("say",))
    assert {cell.stage for cell in expand(new).cells} == {"base", "say"}
    assert read_study(Path("../old.yaml")).stages == ((),)


def test_a_model_that_cannot_be_trained_fails_its_stages_alone(place: Path) -> None:
    fake = ScriptedModel({})
    with pytest.raises(CellsFailed, match="model 'tiny' cannot be trained: stage say needs a local Hugging Face model"):
        run(
            study(place, stages=[["say"]], methods=[{"prompt": "answer-only", "shots": 1}]),
            place / "d",
            models={"tiny": fake},
        )


def test_the_table_of_stages_holds_what_recipes_name() -> None:
    assert STAGES.load("corpus") is Corpus
    assert Corpus.settings()[0] == "steps=N (needed)"
    assert "data=TEXT|LIST (needed)" in Corpus.settings()
    assert {"learning_rate=X (1e-06)"} == {
        one for kind in ("preference", "reinforcement") for one in STAGES.load(kind).settings() if "rate=" in one
    }


# --- kinds of stages in a study ---

QUESTIONS = [{"question": f"Is {word} blue?", "answer": "keys"} for word in ("it", "Pam", "sky", "Ray")]
PAIRS = [{"prompt": f"Say {word}.", "chosen": " keys", "rejected": " blue sky"} for word in ("one", "two", "three")]


class Told(Silent):
    """Notes what it is told of stages."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def training(self, made: Any, done: int, steps: int) -> None:
        self.steps.append((made.stage, done, steps))


def kinds(place: Path) -> dict[str, Any]:
    return {
        "prefer": {"kind": "preference", "data": corpus(place / "pairs.jsonl", PAIRS), "steps": 2, "batch_size": 2},
        "rl": {
            "kind": "reinforcement",
            "data": corpus(place / "q.jsonl", QUESTIONS),
            "prompt": "answer-only",
            "steps": 2,
            "batch_size": 2,
            "samples": 2,
        },
    }


def test_every_kind_is_made_kept_and_counted(place: Path) -> None:
    folder, told = place / "d", Told()
    only = [{"prompt": "answer-only", "shots": 2}]
    changes: dict[str, Any] = {"methods": only, "recipes": kinds(place), "stages": [[], ["prefer"], ["prefer", "rl"]]}
    whole = estimate(expand(study(place, **changes)))
    assert run(study(place, **changes), folder, observer=told).ran == 3
    assert told.steps[:3] == [("prefer", 1, 2), ("prefer", 2, 2), ("prefer", 2, 2)]
    assert ("prefer, rl", 2, 2) in told.steps
    rows = {row["stage"]: row for row in onset.load(folder).cells.to_dicts()}
    assert [rows["base"][key] for key in ("stage_tokens", "flops_stages", "stage_seconds")] == [0, 0.0, 0.0]
    held = read_json(folder / "cells" / rows["prefer, rl"]["cell"] / "cell.json")["made"]["stages"]
    for row, stages in ((rows["prefer"], held[:1]), (rows["prefer, rl"], held)):
        assert row["stage_tokens"] == sum(one["training"]["tokens"] for one in stages)
        assert row["flops_stages"] == sum(one["training"]["flops"] for one in stages)
        assert row["stage_seconds"] > 0
    for one in held:
        kept = folder / "stages" / one["made"]
        assert read_json(kept / "stage.json")["training"] == one["training"]
        assert len((kept / "steps.jsonl").read_text().splitlines()[1:]) == 2
        assert whole.tunings[one["made"]].flops
    samples = [
        json.loads(line)
        for line in (folder / "stages" / held[1]["made"] / "samples.jsonl").read_text().splitlines()[1:]
    ]
    assert {len(one["answers"]) for one in samples} == {2}
    assert not any((folder / "tuned").iterdir())  # the weights are gone, what they took is not

    console = Console(file=StringIO(), width=80)
    print_training(to_json(onset.analyse(onset.load(folder))), console)
    lines = [line.split() for line in console.file.getvalue().splitlines() if line.strip()]
    assert lines[1] == ["tiny"]
    assert [line[: line.index("2") + 1] for line in lines[3:]] == [["prefer", "2"], ["prefer,", "rl", "2"]]
    right = held[1]["training"]["detail"]["right"]
    assert lines[4][-4:] == [f"{100 * right[0]:.1f}", "to", f"{100 * right[1]:.1f}", "%"]
    reward = held[1]["training"]["detail"]["reward"]  # its surrogate loss is about 0 throughout
    assert " ".join(lines[4][:-4]).endswith(f"reward {reward[0]:.2f} to {reward[1]:.2f}")


def test_a_stage_that_learns_from_the_labelled_pool_says_so(place: Path) -> None:
    task = {"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}
    recipes = kinds(place)
    own = {key: value for key, value in recipes["rl"].items() if key != "data"} | {"task": task}
    grid = expand(study(place, recipes=recipes | {"own": own}, stages=[["rl"], ["own"]]))
    assert [note for note in grid.notes if "in its training" in note] == [
        "stage own has 20 of the 20 labelled examples of task coin-flip in its training, whatever a budget grants after it"
    ]


def test_questions_that_are_test_items_are_refused(place: Path) -> None:
    task = expand(study(place, stages=[[]])).tasks["coin-flip"]
    rows = [*QUESTIONS, {"question": task.test[0].question, "answer": "heads"}]
    recipes = {"rl": kinds(place)["rl"] | {"data": corpus(place / "leak.jsonl", rows)}}
    with pytest.raises(DataError, match=r"leak.jsonl holds 1 of the 10 test items of task coin-flip; leave them out"):
        expand(study(place, recipes=recipes, stages=[["rl"]]))


def test_files_of_sources_and_tasks_lie_beside_the_study_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus(place / "q.jsonl", QUESTIONS)
    corpus(place / "t.jsonl", [{"question": "Is Una blue?", "answer": "keys"}])
    (place / "book.txt").write_text("Once upon a time. " * 50)
    (place / "s.yaml").write_text(
        "name: s\nmodels: [./model]\ntasks: [{name: coin-flip, pool: 9, test: 9}]\nmethods: [{prompt: cot, shots: 1}]\n"
        "labels: 2\nseeds: 1\nitems: 2\nstages: [mix, formats, rl]\nrecipes:\n"
        "  mix: {data: [say.jsonl, {file: code.jsonl, share: 0.5}], steps: 1, control: plain, text: book.txt}\n"
        "  formats: {kind: multi-format, data: {file: q.jsonl}, steps: 1}\n"
        "  rl: {kind: reinforcement, task: {name: mine, train: q.jsonl, test: t.jsonl}, steps: 1}\n"
    )
    before = [cell.id for cell in expand(read_study(place / "s.yaml")).cells]
    (place / "away").mkdir()
    monkeypatch.chdir(place / "away")
    assert [cell.id for cell in expand(read_study(Path("../s.yaml"))).cells] == before
    (place / "book.txt").write_text("Once upon a night. " * 50)
    after = [cell.id for cell in expand(read_study(Path("../s.yaml"))).cells]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, True]


def test_a_study_says_where_a_stage_trains_on_what_is_asked_elsewhere(place: Path) -> None:
    task = {"name": "addition", "digits": 2, "pool": 20, "test": 10}
    recipes = {"say": {"data": str(place / "say.jsonl"), "steps": 1}}
    recipes["add"] = {"kind": "reinforcement", "task": task, "prompt": "answer-only", "steps": 1}
    notes = expand(study(place, recipes=recipes, stages=[[], ["say"], ["add"]], elsewhere=[task])).notes
    assert [one for one in notes if "elsewhere" in one] == [
        "stage add has 20 of the 20 labelled examples of task addition[digits=2] in its training, which is asked"
        " elsewhere: what is lost or gained there is no other task's"
    ]
