"""Study files: what validates, and one clear line for what does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onset.errors import OnsetError, StudyError
from onset.methods import METHODS
from onset.prompting import PROMPTING
from onset.study.entries import ModelEntry
from onset.study.grid import expand
from onset.study.spec import Study, make_study, read_study, vary
from onset.tuning import MATERIALS, material
from onset.untrusted import load_yaml

GOOD: dict[str, Any] = {
    "name": "s",
    "models": ["./m"],
    "tasks": ["addition"],
    "methods": ["answer-only"],
    "labels": [8],
    "seeds": 2,
    "items": 10,
}


def message(**changes: Any) -> str:
    values = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(OnsetError) as caught:
        make_study(**values)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_number_of_seeds_and_a_list_of_seeds() -> None:
    assert make_study(**GOOD).seeds == (0, 1)
    assert make_study(**{**GOOD, "seeds": [3, 7]}).seeds == (3, 7)


def test_a_study_is_varied_in_every_part() -> None:
    plain = vary(make_study(**GOOD), items=4, models=["./a", "ladder"])
    assert (plain.items, plain.labels, plain.parts) == (4, (8,), ())
    assert [one.spec for one in plain.models] == ["./a", *(f"ladder/r{place}" for place in range(8))]
    study = make_study(**GOOD, parts=[{"items": 7}, {"models": ["./b"], "labels": 2}])
    varied = vary(study, models=["./a"])
    assert [(part.models[0].spec, part.items, part.labels) for part in varied.parts] == [
        ("./a", 7, (8,)),
        ("./a", 10, (2,)),
    ]
    assert vary(study) == study
    with pytest.raises(StudyError) as caught:
        vary(study, chunk=3)
    assert str(caught.value) == (
        "a study can be varied in models, tasks, methods, labels, stages, shifts, seeds, items, elsewhere, not in 'chunk'"
    )
    with pytest.raises(StudyError) as caught:
        vary(study, items=0)
    assert str(caught.value) == "study s: 'items': Input should be greater than or equal to 1 (received 0)"


def test_the_methods_of_the_design_are_understood() -> None:
    methods = ["answer-only", "cot", {"prompt": "cot", "vote": {"samples": 20}}, {"tune": "lora", "on": "rationales"}]
    built = make_study(**{**GOOD, "methods": methods}).build_methods()
    assert [one.name for one in built] == ["answer-only", "cot", "cot-vote20", "lora-rationales"]
    assert built[3].prompt.kind == "cot"
    assert built[3].shots == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"methods": ["cott"]}, f"unknown method 'cott': did you mean 'cot'? Known: {', '.join(sorted(METHODS))}"),
        ({"methods": [{"prompt": "cut"}]}, f"unknown prompting method 'cut': did you mean 'cot'? Known: {', '.join(sorted(PROMPTING))}"),
        ({"methods": [{"tune": "lorra", "on": "answers"}]}, "unknown tuning method 'lorra': did you mean 'lora'? Known: bitfit, full, ia3, lora, mam, parallel-adapter, prefix-tuning, prompt-tuning, sequential-adapter"),
        ({"methods": [{"tune": "lora"}]}, f"method: 'tune: lora' needs 'on', what to tune on: one of {', '.join(MATERIALS)}, or a mapping with 'kind'"),
        ({"methods": [{"tune": "lora", "on": "rationale"}]}, f"unknown material to tune on 'rationale': did you mean 'rationales'? Known: {', '.join(sorted(MATERIALS))}"),
        ({"methods": [{"tune": "lora", "on": "answers", "shots": 4}]}, "method: a model tuned on answers is evaluated zero-shot in that format; leave out 'prompt', 'shots' and 'choose' (received prompt: None, shots: 4, choose: None)"),
        ({"methods": [{"prompt": "cot", "on": "answers"}]}, "method: 'on: answers' belongs to a tuning method, but 'tune' is not given"),
        ({"methods": [{"shots": 4}]}, "method: neither 'prompt' nor 'tune' is given; expected at least one of them"),
        ({"methods": ["cot", "cot"]}, "study: 'methods' repeats cot; each may appear once"),
        ({"methods": [{"prompt": "cot", "votes": {"samples": 2}}]}, "study: unknown key 'methods.0.votes': did you mean 'vote'? Known: name, prompt, shots, choose, vote, tune, on, steps, epochs, learning_rate, template, search, grid"),
        ({"labels": [-1]}, "study: 'labels.0': Input should be greater than or equal to 0 (received -1)"),
        ({"labels": [8, 8]}, "study: 'labels' repeats 8; each may appear once"),
        ({"items": ...}, "study: 'items' is missing"),
        ({"items": 0}, "study: 'items': Input should be greater than or equal to 1 (received 0)"),
        ({"seeds": 0}, "study: 'seeds': at least one is needed (received 0)"),
        ({"seeds": 1.5}, "study: 'seeds': expected a number of draws, or a list of seeds, whole numbers (received 1.5)"),
        ({"labels": True}, "study: 'labels': expected a number of labelled examples, or a list of such numbers (received True)"),
        ({"labels": [2, True]}, "study: 'labels.1': expected a whole number (received True)"),
        ({"items": True}, "study: 'items': expected a whole number (received True)"),
        ({"items": "10"}, "study: 'items': expected a whole number (received '10')"),
        ({"items": 10.0}, "study: 'items': expected a whole number (received 10.0)"),
        ({"seeds": [True]}, "study: 'seeds.0': expected a whole number (received True)"),
        ({"seeds": [2**63]}, f"study: 'seeds.0': Input should be less than or equal to {2**63 - 1} (received {2**63})"),
        ({"items": 2**63}, f"study: 'items': Input should be less than or equal to {2**63 - 1} (received {2**63})"),
        ({"models": [{"spec": "m", "params": 2**63}]}, f"study: 'models.0.params': Input should be less than or equal to {2**63 - 1} (received {2**63})"),
        ({"error_budget": True}, "study: 'error_budget': expected a number (received True)"),
        ({"price": {"hour": True}}, "study: 'price.hour': expected a number (received True)"),
        ({"price": {"hour": "2.5"}}, "study: 'price.hour': expected a number (received '2.5')"),
        ({"text": {"file": "t", "segment": True}}, "study: 'text.segment': expected a whole number (received True)"),
        ({"methods": [{"prompt": "cot", "shots": True}]}, "study: 'methods.0.shots': expected a whole number (received True)"),
        ({"methods": [{"prompt": "cot", "vote": True}]}, "study: 'methods.0.vote': expected a whole number (received True)"),
        ({"methods": [{"tune": "lora", "on": "answers", "learning_rate": True}]}, "study: 'methods.0.learning_rate': expected a number (received True)"),
        ({"methods": [{"tune": {"kind": "lora", "rank": True}, "on": "answers"}]}, "method: 'tune', lora: 'rank': expected a whole number (received True)"),
        ({"methods": []}, "study: 'methods': at least one is needed (received [])"),
        ({"model": ["x"]}, "study: unknown key 'model': did you mean 'models'? Known: name, question, models, tasks, methods, labels, stages, recipes, elsewhere, text, shifts, seeds, items, chunk, error_budget, item_error_budget, margin, keep_full, continuous, template, search, device, dtype, batch_tokens, price, parts"),
        ({"text": {"file": "t", "segmnet": 9}}, "study: unknown key 'text.segmnet': did you mean 'segment'? Known: file, segment, context, segments"),
        ({"models": [{"spec": "m", "resources": {"cpu": 1}}]}, "study: unknown key 'models.0.resources.cpu': did you mean 'cpus'? Known: cpus, gpus, memory, accelerator"),
        ({"name": "a/b"}, "study: 'name': String should match pattern '^[A-Za-z0-9][A-Za-z0-9._ -]*$' (received 'a/b')"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_values_are_one_clear_line(changes: dict[str, Any], expected: str) -> None:
    assert message(**changes) == expected


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OnsetError, match=r"^study file not found: .*none\.yaml$"):
        read_study(tmp_path / "none.yaml")


def test_a_file_that_is_not_yaml(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("name: [unclosed")
    with pytest.raises(OnsetError, match=r"s\.yaml is not YAML: .*line 1"):
        read_study(path)


def test_a_file_that_holds_a_list(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("- a\n")
    with pytest.raises(OnsetError, match=r"s\.yaml: expected a mapping of keys, found list$"):
        read_study(path)


def test_the_key_on_is_a_word_and_not_true(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(
        "{name: s, models: [m], tasks: [t], methods: [{tune: lora, on: answers}], labels: 8, seeds: 1, items: 1, keep_full: true}"
    )
    study = read_study(path)
    assert study.build_methods()[0].on == material("answers")
    assert study.keep_full is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("labels: 4\nlabels: 8\n", "line 2: the key 'labels' is there already, in line 1"),
        (
            "tasks:\n- {name: addition,\n   digits: 2, 'digits': 3}",
            "line 3: the key 'digits' is there already, in line 3",
        ),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_its_lines(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert str(caught.value) == f"study file {path} is not YAML: {expected}"


def test_a_key_may_be_merged_and_written_anew() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  y: 3\nc: {<<: [*b, {z: 4}], x: 0}"
    assert load_yaml(text) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 0, "y": 3, "z": 4}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", "010"), ("1:30", "1:30"), ("1:30.5", "1:30.5"), ("08", "08"), ("0", 0), ("-7", -7), ("1_000", 1000), ("0x10", 16),
        ("1e-4", 1e-4), ("1e3", 1000.0), ("1.5e+3", 1500.0), ("-.5", -0.5), ("1.", 1.0), (".inf", float("inf")), ("e5", "e5"),
    ],
)  # fmt: skip
def test_numbers_are_what_they_look_like(text: str, value: Any) -> None:
    read = load_yaml(f"[{text}]")[0]
    assert (type(read), read) == (type(value), value)


def test_numbers_of_numpy_and_whole_numbers_with_an_exponent_are_numbers() -> None:
    study = make_study(**{**GOOD, "labels": [np.int64(4)], "margin": np.float32(0.5)})
    assert (study.labels, study.margin) == ((4,), 0.5)
    assert type(study.labels[0]) is int
    entry = ModelEntry.model_validate({"spec": "m", "params": 7e9, "resources": {"memory": 8e10}})
    assert (entry.params, entry.resources and entry.resources.memory) == (7_000_000_000, 80_000_000_000)


def test_every_whole_number_of_a_study_fits_its_tables() -> None:
    assert make_study(**{**GOOD, "seeds": [-(2**63), 2**63 - 1]}).seeds == (-(2**63), 2**63 - 1)


def test_paths_are_relative_to_the_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "s.yaml"
    path.write_text(
        """
name: s
models: [./m, "gguf:g.gguf", org/name, "packaged:x"]
tasks: [{name: t, train: a.jsonl, test: /b.jsonl, test_sets: {far: c.jsonl}}, {name: gsm8k, path: data}]
methods: answer-only
labels: 8
seeds: 1
items: all
"""
    )
    monkeypatch.chdir(tmp_path)
    study = read_study(Path("deep/s.yaml"))
    assert [one.spec for one in study.models] == ["./deep/m", "gguf:deep/g.gguf", "org/name", "packaged:x"]
    assert study.tasks[0] == {
        "name": "t",
        "train": "deep/a.jsonl",
        "test": "/b.jsonl",
        "test_sets": {"far": "deep/c.jsonl"},
    }
    assert study.tasks[1] == {"name": "gsm8k", "path": "deep/data"}
    assert study.items == "all"


# Parts.

PARTS = """
name: parts
models: ["scripted:a.json", "scripted:b.json"]
tasks: [{name: coin-flip, flips: 1, pool: 40, test: 20}]
methods: [answer-only]
labels: 2
seeds: 1
items: 4
parts:
  - {}
  - {models: ["scripted:b.json"], methods: [answer-only, cot]}
  - {models: ["scripted:a.json"], shifts: [typos], seeds: 2}
"""


def parts(tmp_path: Path, text: str = PARTS) -> Study:
    file = tmp_path / "parts.yaml"
    file.write_text(text)
    return read_study(file)


def test_the_parts_of_a_study_share_cells_and_keep_models_together(tmp_path: Path) -> None:
    cells = expand(parts(tmp_path)).cells
    found = [(cell.model, cell.method.name, cell.shift, cell.seed) for cell in cells]
    assert found == [
        ("a", "answer-only", "none", 0),
        ("a", "answer-only", "typos", 0),
        ("a", "answer-only", "typos", 1),
        ("b", "answer-only", "none", 0),
        ("b", "cot", "none", 0),
    ]
    whole = PARTS[: PARTS.index("parts:")].replace("name: parts", "name: whole")
    assert {cell.id for cell in expand(parts(tmp_path, whole)).cells} < {cell.id for cell in cells}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "{chunk: 3}",
            "unknown key 'parts.0.chunk'. Known: models, tasks, methods, labels, stages, shifts, seeds, items, elsewhere",
        ),
        ("{labels: -1}", "part 1: 'labels.0': Input should be greater than or equal to 0 (received -1)"),
        (
            "5",
            "'parts' must be a list of mappings, each with some of models, tasks, methods, labels, stages, shifts, seeds, items, elsewhere",
        ),
    ],
)
def test_a_bad_part_is_named(tmp_path: Path, part: str, message: str) -> None:
    text = PARTS[: PARTS.index("parts:")] + f"parts: [{part}]\n"
    with pytest.raises(StudyError, match=re.escape(message)):
        parts(tmp_path, text)


def test_parts_must_ask_the_same_items(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"two parts ask different numbers of items of coin-flip\[flips=1\] under shift none"
    ):
        expand(parts(tmp_path, PARTS.replace("  - {}", "  - {items: 5}")))
