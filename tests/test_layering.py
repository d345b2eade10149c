"""Imports go downwards only, and reading commands never reach torch."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import onset

ROOT = Path(onset.__file__).parent

LEVELS = {  # of the longest name that a module begins with
    "records": 0,
    "errors": 0,
    "registry": 0,
    "markup": 0,
    "turns": 1,
    "answers": 1,
    "scores": 1,
    "tasks": 1,
    "shifts": 1,
    "models": 1,
    "prompting": 1,
    "tuning": 1,
    "ladder": 1,
    "methods": 1,
    "plan": 2,
    "batching": 2,
    "pipeline": 2,
    "grading": 2,
    "study": 3,
    "results": 3,
    "analysis": 4,
    "published": 4,
    "read": 4,
    "write": 4,
    "report": 5,
    "progress": 5,
    "cli": 6,
    "__main__": 7,
}

HEAVY = ("torch", "transformers", "peft", "datasets", "accelerate")
LIGHT_PARTS = ("results", "analysis", "published", "read", "write", "report")


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def part(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> list[str]:
    """Every absolute module name imported anywhere in the file (also inside functions)."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [node.module or ""]
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    if path == ROOT / "__init__.py":
        return
    level = LEVELS[part(path)]
    for name in imported(path):
        if name.startswith("onset."):
            target = name.split(".")[1]
            assert LEVELS[target] <= level, f"{part(path)} (level {level}) imports {name} (level {LEVELS[target]})"


@pytest.mark.parametrize("path", [one for one in modules() if part(one) in LIGHT_PARTS], ids=str)
def test_reading_parts_never_name_a_heavy_package(path: Path) -> None:
    for name in imported(path):
        assert name.split(".")[0] not in HEAVY, f"{path} imports {name}"


def loaded_heavy(code: str) -> str:
    probe = f"{code}\nimport sys\nprint('loaded:' + ','.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].removeprefix("loaded:")


@pytest.mark.parametrize(
    "code",
    [
        "import onset",
        "import onset.cli",
        "import onset.analysis.study, onset.results.read",
        "import onset.report.html, onset.report.terminal, onset.report.figures",
        "import onset.grading, onset.tasks; onset.tasks.format_for('gsm8k', {})",
        "import onset.study.runner, onset.study.grid",
    ],
)
def test_light_imports_do_not_reach_torch(code: str) -> None:
    assert loaded_heavy(code) == ""


def test_the_probe_sees_torch_when_it_is_there() -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("the extra 'local' is not installed")
    assert "torch" in loaded_heavy("import torch")


def test_every_reading_command_stays_light(tmp_path: Path) -> None:
    from synthetic import synthetic_results

    folder = synthetic_results(tmp_path / "results")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prediction": "The answer is 18", "target": "18"}\n')
    commands = [
        ["list", "tasks"],
        ["list", "methods"],
        ["show", str(folder)],
        ["show", str(folder), "--json"],
        ["report", str(folder)],
        ["grade", str(rows), "--task", "gsm8k"],
        ["claims"],
        ["claims", "--json"],
        ["emergence", str(folder)],
        ["compare", str(folder), str(folder), "--a", "method=cot", "--b", "method=answer-only"],
        ["export", str(folder), "--format", "lm-eval", "--out", str(tmp_path / "exported")],
    ]
    code = f"""
import sys
import onset.cli
for command in {commands!r}:
    try:
        onset.cli.main(command)
    except SystemExit as end:
        assert not end.code, (command, end.code)
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    assert not heavy, (command, heavy)
"""
    assert loaded_heavy(code) == ""
