"""`onset show` and `onset report` on results of other tools, as a user calls them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from foreign import INSPECT, LM_EVAL, copied, edited_log, harness_run

from onset.cli import main

PARAMS = (10**6, 10**7, 10**8, 10**9, 10**10)
RIGHT = (0.3, 0.45, 0.6, 0.75, 0.9)


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five sizes of one family, each right on the first share of 240 documents."""
    folder = tmp_path_factory.mktemp("harness")
    for size, share in zip(PARAMS, RIGHT, strict=True):
        right = [place < round(share * 240) for place in range(240)]
        harness_run(folder / str(size), f"pythia-{size // 10**6}m", size, right)
    return folder


def run(*command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    try:
        main([*command])
    except SystemExit as end:
        said = capsys.readouterr()
        return int(end.code or 0), said.out, said.err
    said = capsys.readouterr()
    return 0, said.out, said.err


def shown(*command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, err = run("show", *command, "--json", capsys=capsys)
    assert (code, err) == (0, "")
    return dict(json.loads(out))


def test_curves_are_those_of_the_command_emergence(ladder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine,) = shown(str(ladder), capsys=capsys)["curves"]
    code, out, _ = run("emergence", str(ladder), "--only", "world_facts", "--json", capsys=capsys)
    theirs = next(one for one in json.loads(out) if one["metric"] == "acc")
    assert code == 0
    assert mine["labels"] is None
    assert mine["sizes"] == list(PARAMS)
    assert mine["correct"] == [round(share * 240) for share in RIGHT]
    assert mine["emergence"]["points"] == theirs["points"]
    for key in ("verdict", "p_value", "q_value", "best_family", "rise"):
        assert mine["emergence"][key] == theirs[key]


def test_sizes_and_families_can_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    cells = shown(str(LM_EVAL), "--params", "r2=5e6", "--family", "ladder", capsys=capsys)["cells"]
    assert {(cell["model"], cell["params"], cell["family"]) for cell in cells} == {
        ("r2", 5_000_000, "ladder"),
        ("r4", 652_320, "ladder"),
    }
    only = shown(str(LM_EVAL), "--only", "world_steps", "--filter", "flexible-extract", capsys=capsys)
    assert {(one["task"], one["metric"], one["filter"]) for one in only["sources"]} == {
        ("world_steps", "exact_match", "flexible-extract")
    }


@pytest.mark.parametrize("source", [LM_EVAL, INSPECT], ids=["lm-eval", "inspect"])
def test_the_page_stands_in_the_working_folder_and_has_every_item(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs, here = copied(source, tmp_path / "logs"), tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = sorted(logs.rglob("*"))
    code, out, err = run("report", str(logs), capsys=capsys)
    assert (code, out, err) == (0, "logs-report.html\n", "")
    assert sorted(logs.rglob("*")) == before
    page = (here / "logs-report.html").read_text()
    packed = re.search(r'id="packed">([^<]+)<', page)
    assert packed is not None
    held = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    assert len(held["rows"]["item"]) == sum(cell["n"] for cell in shown(str(logs), capsys=capsys)["cells"])
    facts = page.partition('<section id="facts"')[2]
    assert "What was read" in facts
    # nothing that only a study has
    assert not {"Example plans", "Labelled examples used", "The study as it was run", "FLOPs"} & set(
        re.findall(r">([^<>]+)<", facts)
    )
    assert not re.search(r">\s*(None|null)\s*<", page)


def test_nothing_is_written_into_the_folder_of_the_logs_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = copied(LM_EVAL, tmp_path / "logs")
    monkeypatch.chdir(logs / "r2")
    before = sorted(logs.rglob("*"))
    code, out, err = run("report", "..", capsys=capsys)
    assert (code, out) == (2, "")
    assert err == "onset: ..: these results are not Onset's, nothing is written into their folder: name --out FILE\n"
    assert sorted(logs.rglob("*")) == before
    assert run("report", "..", "--out", "page.html", capsys=capsys) == (0, "page.html\n", "")


def test_what_has_no_score_counts_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unscored(log: dict[str, Any]) -> None:
        for sample in log["samples"][:3]:
            sample["scores"] = {}

    for name in ("small", "large"):
        copied(INSPECT / name, tmp_path / "logs" / name)
    edited_log(INSPECT / "small" / "sums.json", tmp_path / "logs" / "small" / "sums.json", unscored)
    found = shown(str(tmp_path / "logs"), "--only", "sums", capsys=capsys)
    assert {cell["model"]: cell["n"] for cell in found["cells"]} == {"mockllm/large": 12, "mockllm/small": 9}
    (pair,) = found["models"]
    assert (pair["n"], pair["unpaired"]) == (9, [3, 0])
    monkeypatch.chdir(tmp_path)
    assert run("report", "logs", capsys=capsys) == (0, "logs-report.html\n", "")


def test_numbers_of_examples_are_compared_without_a_budget_of_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for shots, date in ((0, "2026-11-24"), (5, "2026-11-25")):
        harness_run(
            tmp_path / "logs", "a", 10**6, [place % 3 < 1 + shots % 2 for place in range(90)], shots=shots, date=date
        )
    monkeypatch.chdir(tmp_path)
    (pair,) = shown("logs", capsys=capsys)["comparisons"]
    assert (pair["sides"], pair["labels"], pair["verdict"]) == (["5-shot", "0-shot"], None, "wins")
    _, out, _ = run("show", "logs", "--details", capsys=capsys)
    assert "5-shot  0-shot   +33.3" in out
    assert "Labels" not in out
    assert run("report", "logs", capsys=capsys) == (0, "logs-report.html\n", "")
    page = (tmp_path / "logs-report.html").read_text()
    assert not re.search(r">\s*(None|null)\s*<", page)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_terminal_says_what_was_read_and_what_was_decided(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run("show", str(LM_EVAL), "--details", "--language", language, capsys=capsys)
    assert (code, err) == (0, "")
    assert "note: world_steps: filter strict-match was used, not flexible-extract" in " ".join(out.split())
    assert "Labels" not in out
    assert "None" not in out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no file"),
        ({"results": {"a": {"alias": "a"}}, "configs": {}}, "no score to show (metrics found: none)"),
        ([1], "not a known format"),
    ],
)
def test_bad_input_is_one_line(content: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results_2026-01-01T00-00-00.json"
    if content is not None:
        file.write_text(json.dumps(content))
    for command in ("show", "report"):
        code, out, err = run(command, str(file), capsys=capsys)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
