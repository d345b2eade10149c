"""Imports go downwards only, and reading commands never reach torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import onset

ROOT = Path(onset.__file__).parent

LEVELS = {  # of the longest name that a module begins with
    "records": 0,
    "errors": 0,
    "registry": 0,
    "untrusted": 0,
    "stopping": 0,
    "processors": 0,
    "step": 1,
    "demos": 1,
    "votes": 1,
    "markup": 0,
    "turns": 1,
    "chains": 1,
    "thinking": 1,
    "answers": 1,
    "scores": 1,
    "tasks": 1,
    "shifts": 1,
    "models": 1,
    "prompting": 1,
    "tuning": 1,
    "ladder": 1,
    "methods": 1,
    "plan": 1,
    "search": 1,
    "batching": 2,
    "pipeline": 2,
    "grading": 2,
    "results": 3,
    "study": 4,
    "executors": 5,
    "analysis.stats": 5,
    "analysis.phrases": 4,
    "analysis.words": 5,
    "analysis.setting": 5,
    "analysis.outcomes": 6,
    "analysis.curves.series": 6,
    "analysis.contrast": 7,
    "analysis.curves": 7,
    "published": 7,
    "analysis.emergence": 8,
    "analysis.finding": 8,
    "read": 8,
    "analysis.estimates": 9,
    "write": 9,
    "analysis.questions": 10,
    "analysis": 11,
    "report": 12,
    "progress": 13,
    "cli": 14,
    "__main__": 15,
}
"""A module imports its own part and what is below. From `results` up, parts of one level leave each other alone."""

ALONE = LEVELS["results"]

HEAVY = ("torch", "transformers", "peft", "datasets", "accelerate")
LIGHT_PARTS = ("results", "analysis", "published", "read", "write", "report")


@cache
def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def module_name(path: Path) -> str:
    """``analysis.curves.fit``: without the package's own name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def part(name: str) -> str:
    """The line of `LEVELS` that a module belongs to; "" where there is none."""
    folders = name.split(".")
    beginnings = [".".join(folders[:length]) for length in range(len(folders), 0, -1)]
    return next((one for one in beginnings if one in LEVELS), "")


@cache
def imported(path: Path) -> list[str]:
    """Every absolute module name imported anywhere in the file (also inside functions)."""
    names = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            inside = [f"{module}.{alias.name}" for alias in node.names]
            names += [one if is_module(one) else module for one in inside]  # from onset.analysis import words
    return names


@cache
def is_module(name: str) -> bool:
    place = ROOT.parent / Path(*name.split("."))
    return name.startswith("onset.") and (place.is_dir() or place.with_suffix(".py").is_file())


def upwards() -> set[tuple[str, str]]:
    """Every import of a part above, or beside."""
    found = set()
    for path in modules():
        importer = module_name(path)
        if path == ROOT / "__init__.py":
            continue
        own = part(importer)
        for name in imported(path):
            target = name.removeprefix("onset.")
            if name == target:
                continue
            its = part(target)
            beside = its != own and LEVELS[its] == LEVELS[own] >= ALONE
            if LEVELS[its] > LEVELS[own] or beside:
                found.add((importer, target))
    return found


def test_imports_go_downwards() -> None:
    assert upwards() == set()


def test_every_level_is_of_a_part_that_is_there() -> None:
    assert {part(module_name(path)) for path in modules() if path != ROOT / "__init__.py"} == set(LEVELS)


def test_only_results_knows_the_layout_of_a_results_folder() -> None:
    files = {"study.json", "models.json", "findings.json", "report.html", "cell.json", "done.json", "failed.json"}
    files |= {"records.jsonl", "records.parquet", "tuning.json", "template.json", "lease.json"}
    for path in modules():
        if part(module_name(path)) != "results":
            said = {one.value for one in nodes(path) if isinstance(one, ast.Constant)}
            assert not said & files, f"{path} names {said & files}: let it ask onset.results"


@pytest.mark.parametrize("path", [one for one in modules() if module_name(one).split(".")[0] in LIGHT_PARTS], ids=str)
def test_reading_parts_never_name_a_heavy_package(path: Path) -> None:
    for name in imported(path):
        assert name.split(".")[0] not in HEAVY, f"{path} imports {name}"


def loaded_heavy(code: str) -> str:
    probe = f"{code}\nimport sys\nprint('loaded:' + ','.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].removeprefix("loaded:")


LIGHT = (
    "import onset",
    "import onset.cli",
    "import onset.analysis.study, onset.results.read",
    "import onset.report.html, onset.report.terminal, onset.report.figures",
    "import onset.grading, onset.tasks; onset.tasks.format_for('gsm8k', {})",
    "import onset.study.runner, onset.study.grid",
)


def test_light_imports_do_not_reach_torch() -> None:
    """In one process: what the first import loads is there at the second, so that the first to load torch is named."""
    code = f"""
import sys
for one in {LIGHT!r}:
    exec(one)
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    assert not heavy, (one, heavy)
"""
    assert loaded_heavy(code) == ""


def test_the_probe_sees_torch_when_it_is_there() -> None:
    assert loaded_heavy("import sys, types; sys.modules['torch'] = types.ModuleType('torch')") == "torch"


def test_every_reading_command_stays_light(tmp_path: Path) -> None:
    """Of `show`, asked first, too: scipy.stats takes as long to import as the rest."""
    from foreign import INSPECT, LM_EVAL
    from synthetic import synthetic_results

    folder = synthetic_results(tmp_path / "results", items=20, seeds=2, labels=(8,), tasks=(("addition", 0.0),))
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prediction": "The answer is 18", "target": "18"}\n')
    commands = [
        ["show", str(folder), "--json"],
        ["list", "tasks"],
        ["list", "methods"],
        ["show", str(folder), "--details"],
        ["report", str(folder)],
        ["show", str(LM_EVAL)],
        ["report", str(INSPECT), "--out", str(tmp_path / "page.html")],
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
for place, command in enumerate({commands!r}):
    try:
        onset.cli.main(command)
    except SystemExit as end:
        assert not end.code, (command, end.code)
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    assert not heavy, (command, heavy)
    if place == 0:
        scipy = [name for name in ("scipy.special", "scipy.stats") if name in sys.modules]
        assert scipy == ["scipy.special"], scipy
"""
    assert loaded_heavy(code) == ""
