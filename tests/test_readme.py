"""What the README shows, in both languages, runs as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from onset.demos import DEMOS
from onset.prompting import PROMPTING
from onset.registry import Registry
from onset.study.spec import Study, read_study
from onset.votes import VOTES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [README, CHINESE], ids=["README.md", "README.zh.md"])


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line]


@BOTH
def test_every_target_of_make_it_names_exists(text: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = set(re.findall(r"make (\w+)", "\n".join(blocks("sh", text))))
    assert {"demo", "test"} <= named <= set(targets)


@BOTH
def test_every_file_it_links_is_there(text: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(targets) >= 5
    for target in targets:
        assert (ROOT / target).exists(), target


@BOTH
@pytest.mark.parametrize("table", [PROMPTING, DEMOS, VOTES], ids=lambda table: table.kind)
def test_every_way_of_asking_is_in_its_table(text: str, table: Registry) -> None:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    named = {name for line in rows for name in re.findall(r"`([\w-]+)`", line)}
    assert set(table) <= named


@pytest.mark.parametrize("language", ["sh", "yaml", "python"])
def test_both_languages_show_the_same(language: str) -> None:
    assert blocks(language, CHINESE) == blocks(language)


def test_its_studies_are_those_of_the_examples() -> None:
    files = [ROOT / "examples" / name / "study.yaml" for name in ("tickets", "own-task")]
    assert blocks("yaml") == [file.read_text(encoding="utf-8") for file in files]


@pytest.mark.parametrize("file", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda file: file.name)
def test_the_studies_of_the_examples_validate(file: Path) -> None:
    assert read_study(file).build_methods()


def test_the_key_table_names_every_key() -> None:
    table = "\n".join(line for line in README.splitlines() if line.startswith("|"))
    for key in Study.model_fields:
        if key != "name":
            assert f"`{key}`" in table, key


@pytest.mark.slow
def test_its_commands_run_as_written(tmp_path: Path) -> None:
    """In their order, in a folder with the examples; `make` is what runs this."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    onset = [sys.executable, "-c", "import sys; from onset.cli import main; main(sys.argv[1:])"]
    shown = [words[1:] for words in commands() if words[0] == "onset"]
    known = {"advise", "plan", "run", "show", "report", "grade", "claims", "ladder", "compare", "export", "emergence"}
    assert {words[0] for words in shown} == known
    for words in shown:
        done = subprocess.run(
            [*onset, *words],
            check=False,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout.strip(), words
    assert (tmp_path / "results" / "lamps" / "report.html").exists()
    assert list((tmp_path / "figures").glob("*.svg"))
    assert (tmp_path / "trained" / "r0-nocode" / "model.safetensors").exists()


def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()
