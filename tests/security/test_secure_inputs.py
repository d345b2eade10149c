"""Files and names from outside: each hole is tried, and ends in one clear line."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from commands import RULES, STUDY, call

from onset.errors import DataError, StudyError
from onset.models.backend import under
from onset.read import read_outcomes
from onset.read.base import safe
from onset.read.inspect_logs import MOST_BYTES
from onset.study.spec import make_study, read_study
from onset.untrusted import loads, printable

# ---- YAML ----------------------------------------------------------------------------------------------------------

LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
)
MERGES = "\n".join(
    ["m0: &m0 {k: v}"] + [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}" for i in range(1, 10)]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "more than 200000 values when its aliases are written out"),
        (MERGES, "more than 200000 values when its aliases are written out"),
        ("a: &a [*a]", "an alias stands for what it is in"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: !!python/object/apply:os.system ['touch owned']", "could not determine a constructor for the tag"),
        (f"a: {'9' * 100_000}", "Exceeds the limit"),
        ("a: 2026-99-99", "month must be in 1..12"),
    ],
    ids=["aliases", "merges", "circle", "deep", "object", "digits", "date"],
)
def test_a_study_file_that_grows_or_runs_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(STUDY + text)
    with pytest.raises(StudyError, match="is not YAML: ") as stopped:
        read_study(tmp_path / "study.yaml")
    assert said in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert not (tmp_path / "owned").exists()


def test_a_number_of_draws_cannot_take_the_memory(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("seeds: 2", "seeds: 99999999999"))
    with pytest.raises(StudyError, match=r"'seeds': .*at most 10000 draws are allowed"):
        read_study(tmp_path / "study.yaml")


# ---- JSON ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("1e999", "the number 1e999 is larger than a float can be"),
        ("-1e400", "the number -1e400 is larger than a float can be"),
        ("9" * 100_000, "a number of thousands of digits"),
        ('[{"a": {"b": 1, "c": 2, "b": 1}}]', "the key 'b' stands twice in one object"),
        (b'"\xff"', "not UTF-8 text"),
    ],
)
def test_json_that_no_reader_is_made_for_is_an_error_like_any_other(text: str | bytes, said: str) -> None:
    with pytest.raises(json.JSONDecodeError) as stopped:
        loads(text)
    assert stopped.value.msg == said
    held = text if isinstance(text, bytes) else text.encode()
    assert loads(b'{"a": [1.5e300, NaN, "x"]}')["a"][0] == 1.5e300
    with pytest.raises(json.JSONDecodeError):
        loads(held)


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "1e999", "9" * 5000])
@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("rows.jsonl", '{{"prediction": "7", "target": "7", "extra": {}}}\n'),
        ("log.json", '{{"version": 2, "status": "success", "eval": {{"task": "t", "metadata": {}}}, "samples": []}}'),
        ("results_2026.json", '{{"results": {}}}'),
    ],
)
def test_a_log_with_such_json_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, row: str, value: str
) -> None:
    path = tmp_path / name
    path.write_text(row.format(value))
    for command in ("show", "report"):
        code, out, err = call(capsys, command, str(path), "--grade-as", "number")
        assert code == 2
        assert err.startswith(f"onset: {path}")
        assert err.count("\n") == 1
        assert "not JSON" in err
        assert out == ""


def test_a_task_file_with_such_json_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"question": "a", "answer": "b"}\n' + "[" * 5000 + "\n")
    task = {"name": "mine", "train": "train.jsonl", "test": 0.5}
    from onset.tasks import open_tasks

    with pytest.raises(DataError, match=r"train\.jsonl, line 2: not JSON \(nested too deeply"):
        open_tasks({**task, "train": str(tmp_path / "train.jsonl")})


# ---- archives ------------------------------------------------------------------------------------------------------

HEADER = json.dumps({"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "plan": {}})


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def as_zstd(path: Path, name: str, packed: bytes, said: int) -> None:
    """Replace the stored member ``name`` by ``packed``, with method 93 and ``said`` for its size."""
    data = bytearray(path.read_bytes())
    at = data.find(packed)
    assert at > 0
    local = data.rfind(b"PK\x03\x04", 0, at)
    struct.pack_into("<H", data, local + 8, 93)
    struct.pack_into("<I", data, local + 22, said)
    central = data.rfind(b"PK\x01\x02", 0, data.find(name.encode(), at))
    struct.pack_into("<H", data, central + 10, 93)
    struct.pack_into("<I", data, central + 24, said)
    path.write_bytes(data)


def test_an_archive_that_unpacks_to_more_than_a_log_is_refused_before_it_is(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.eval", {"header.json": HEADER.encode(), "samples/1.json": b" " * 3_000_000})
    data = bytearray(path.read_bytes())
    central = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 3_000_000_000)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"bomb\.eval: samples/1\.json would unpack to 3\.0 GB, at most 1\.1 GB"):
        read_outcomes(path)


@pytest.mark.parametrize("said", [10, 2_000_000_000])
def test_a_zstandard_member_is_measured_by_its_blocks_whatever_it_says_of_itself(tmp_path: Path, said: int) -> None:
    block = (2 << 1 | 1 << 3).to_bytes(3, "little")  # one byte, repeated
    count = MOST_BYTES // (128 * 1024) + 1
    frame = (0xFD2FB528).to_bytes(4, "little") + bytes([0, 0x58]) + (block + b" ") * count
    frame += ((2 << 1 | 1 << 3) | 1).to_bytes(3, "little") + b" "
    path = tmp_path / "bomb.eval"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("header.json", HEADER)
        made.writestr("samples/1.json", frame)
    as_zstd(path, "samples/1.json", frame, said)
    with pytest.raises(DataError, match=r"samples/1\.json would unpack to 1\.1 GB, at most 1\.1 GB of a file of"):
        read_outcomes(path)


def test_a_member_that_names_a_place_outside_is_read_where_it_lies_and_written_nowhere(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    sample = {"id": 1, "epoch": 1, "input": "q", "target": "a", "scores": {"s": {"value": "C"}}}
    members = {"header.json": HEADER.encode(), "samples/../../owned.json": json.dumps(sample).encode()}
    (found,) = read_outcomes(archive(inside / "log.eval", members))
    assert found.values.tolist() == [[1.0]]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "log.eval"]


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + b"\0" * 40, b"PK\x05\x06" + b"\xff" * 18])
def test_what_only_begins_like_an_archive_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.eval").write_bytes(content)
    with pytest.raises(DataError, match=r"log\.eval"):
        read_outcomes(tmp_path / "log.eval")


def test_an_archive_under_a_password_is_said(tmp_path: Path) -> None:
    path = archive(tmp_path / "log.eval", {"header.json": HEADER.encode(), "samples/1.json": b"{}"})
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rfind(mark)
        struct.pack_into("<H", data, at + place, 1)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"log\.eval: damaged, samples/1\.json cannot be unpacked"):
        read_outcomes(path)
    assert isinstance(zipfile.ZipFile(io.BytesIO(data)), zipfile.ZipFile)


# ---- paths ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A study's folder, beside which lies something secret."""
    (tmp_path / "secret").write_text('{"question": "key?", "answer": "sesame"}\n')
    folder = tmp_path / "study"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "replies.json").write_text(json.dumps(RULES))
    return folder


def test_a_relative_path_stays_in_the_folder_of_the_study(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "link").symlink_to(home.parent / "secret")
    (home / "around").symlink_to(home / "data")
    for path in ("../secret", "data/../../secret", "data/../../study/../secret", "link"):
        with pytest.raises(StudyError, match=r"leads out of the study's folder") as stopped:
            under(path, home)
        assert str(stopped.value).count("\n") == 0
    assert under("data/../data/x", home) == str(home / "data" / "x")
    assert under("around/x", home) == str(home / "around" / "x")
    assert under(str(home.parent / "secret"), home) == str(home.parent / "secret")
    monkeypatch.setenv("ONSET_ROOT", str(home.parent))
    assert under("../secret", home) == str(home.parent / "secret")
    with pytest.raises(StudyError, match="leads out"):
        under("../../x", home)


@pytest.mark.parametrize(
    "line",
    [
        'models: ["scripted:../secret"]',
        'models: ["gguf:../secret"]',
        "models: [../secret-model]",
        "tasks: [{name: mine, train: ../secret, test: 0.5}]",
        "tasks: [{name: mine, train: data/a, test: data/b, test_sets: {x: ../secret}}]",
        "tasks: [{name: mine, train: data/a, test: data/b, aliases: ../secret}]",
        "tasks: [{name: mine, hub: ../secret, train: a, test: b}]",
        "tasks: [{name: gsm8k, path: ../secret}]",
        "methods: [{prompt: {kind: retrieve-then-read, corpus: ../secret}}]",
        "text: ../secret",
        "text: {file: ../secret}",
        "shifts: [none, {shift: test-set, name: x, test: ../secret}]",
        "recipes: {more: {data: ../secret, steps: 4}}",
        "recipes: {more: {data: [{file: ../secret}], steps: 4}}",
        "elsewhere: [{name: mine, train: ../secret, test: 0.5}]",
        "parts: [{tasks: [{name: mine, train: ../secret, test: 0.5}]}]",
    ],
)
def test_no_key_of_a_study_reads_outside(home: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    text = STUDY.replace("scripted:replies.json", "scripted:data/replies.json")
    key = line.partition(":")[0]
    kept = "".join(one for one in text.splitlines(keepends=True) if not one.startswith(f"{key}:"))
    (home / "study.yaml").write_text(kept + line + "\n")
    code, _, err = call(capsys, "plan", str(home / "study.yaml"))
    assert code == 2
    assert "leads out of the study's folder" in err
    assert err.count("\n") == 1
    assert "sesame" not in err


# ---- names ---------------------------------------------------------------------------------------------------------

BAD_NAMES = ["a\nb", "a\tb", "a\x00b", "a\x1b[2Jb", "\u202egnp.exe", "a\u2028b", "n" * 201]


def study_with(kind: str, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": "x", "models": ["m"], "tasks": ["coin-flip"], "methods": ["cot"], "labels": 8, "seeds": 1, "items": 9
    }  # fmt: skip
    named: dict[str, dict[str, Any]] = {
        "model": {"models": [{"spec": "m", "label": name}]},
        "family": {"models": [{"spec": "m", "family": name}]},
        "revision": {"models": [{"spec": "openai:http://h/v1#m", "revision": name}]},
        "task": {"tasks": [{"name": name, "train": "a", "test": "b"}]},
        "test set": {"tasks": [{"name": "t", "train": "a", "test": "b", "test_sets": {name: "c"}}]},
        "method": {"methods": [{"prompt": "cot", "name": name}]},
        "shift": {"shifts": ["none", {"shift": "typos", "name": name}]},
        "recipe": {"recipes": {name: {"data": "a"}}},
    }
    return {**values, **named[kind]}


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["model", "family", "revision", "task", "test set", "method", "shift", "recipe"])
def test_a_name_that_a_terminal_would_obey_is_no_name(kind: str, name: str) -> None:
    with pytest.raises(StudyError) as stopped:
        make_study(**study_with(kind, name))
    said = str(stopped.value)
    assert f"the name of a {kind} " in said
    assert printable(said) == said
    assert "\n" not in said
    assert "\t" not in said


@pytest.mark.parametrize(
    "name", ["../../owned", "a/../../b", "/etc/owned", "..", ".", "a\0b", "a\nb", "n" * 400, "é" * 200]
)
def test_a_name_as_a_part_of_a_path_is_one_part_of_it(tmp_path: Path, name: str) -> None:
    part = safe(name)
    path = tmp_path / part
    path.write_text("x")
    assert path.parent == tmp_path
    assert [one.name for one in tmp_path.iterdir()] == [part]
    assert part not in (".", "..")
    assert printable(part) == part


@pytest.mark.slow
def test_names_with_separators_stay_in_the_folders_of_results_figures_and_exports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "replies.json").write_text(json.dumps(RULES))
    labels = ["../../owned", "/owned", "a/../../../owned"]
    models = json.dumps([{"spec": "scripted:replies.json", "label": one} for one in labels])
    text = STUDY.replace('["scripted:replies.json"]', models).replace("labels: [2, 4]", "labels: 2")
    text = text.replace("items: 30", "items: 8").replace("seeds: 2", "seeds: 1").replace("test: 30", "test: 8")
    (tmp_path / "study.yaml").write_text(text.replace(", cot, {prompt: cot, vote: {samples: 3}}", ""))
    out = tmp_path / "deep" / "er" / "results"
    assert call(capsys, "run", "study.yaml", "--out", str(out))[0] == 0
    for form in ("lm-eval", "every-eval-ever"):
        assert call(capsys, "export", str(out), "--format", form, "--out", f"deep/er/{form}")[0] == 0
    assert call(capsys, "report", str(out), "--png", "deep/er/png")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"replies.json", "study.yaml", "deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"er"}
    assert {path.name for path in (tmp_path / "deep" / "er").iterdir()} == {
        "results", "lm-eval", "every-eval-ever", "png"
    }  # fmt: skip
