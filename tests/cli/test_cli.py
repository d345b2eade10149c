"""The command from outside: what it prints, its keys, its exit codes."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from commands import RULES, STUDY, call, shown_json
from rich.console import Console
from synthetic import synthetic_results

from onset.demos import DEMOS
from onset.methods import METHODS
from onset.progress import Display
from onset.prompting import PROMPTING
from onset.study.cell import Cell
from onset.study.entries import MethodEntry
from onset.study.estimate import estimate
from onset.study.grid import Grid, expand
from onset.study.made import Made
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tuning import MATERIALS
from onset.votes import VOTES


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "replies.json").write_text(json.dumps(RULES))
    file = tmp_path / "coins.yaml"
    file.write_text(STUDY)
    return file


def test_a_study_from_plan_to_report(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = shown_json(capsys, "plan", str(study), "--json")
    assert (plan["cells"], len(plan["grid"])) == (12, 12)
    assert plan["flops"] > 0
    assert {row["items"] for row in plan["detectable"]} == {30}
    assert all(0 < row["difference"] < 1 for row in plan["detectable"])

    code, out, _ = call(capsys, "run", str(study))
    assert code == 0
    folder = tmp_path / "results" / "coins"
    assert out.strip().splitlines()[-1] == "Report: results/coins/report.html"
    assert (folder / "report.html").stat().st_size > 100_000
    assert json.loads((folder / "findings.json").read_text())["findings"]

    shown = shown_json(capsys, "show", str(folder), "--json")
    assert len(shown["cells"]) == 12
    for cell in shown["cells"]:
        for key in [
            "model",
            "params",
            "stage",
            "method",
            "labels",
            "task",
            "shift",
            "seed",
            "n",
            "correct",
            "accuracy",
            "interval",
            "parse_rate",
            "tokens",
            "flops",
            "seconds",
        ]:
            assert key in cell
        assert cell["n"] == 30
        assert cell["accuracy"] == cell["correct"] / 30
        low, high = cell["interval"]
        assert 0 <= low <= cell["accuracy"] <= high <= 1
    assert len(shown["comparisons"]) == 2 * 3
    for comparison in shown["comparisons"]:
        for key in ("sides", "n", "difference", "interval", "p", "test", "verdict"):
            assert key in comparison

    code, out, _ = call(capsys, "report", str(folder), "--png", str(tmp_path / "figures"))
    assert code == 0
    assert list((tmp_path / "figures").glob("*.png"))
    assert list((tmp_path / "figures").glob("*.svg"))

    code, out, err = call(capsys, "run", str(study))
    assert code == 0
    assert "0 cells to run, 12 already there" in err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "nowhere"], "onset: no file 'nowhere'"),
        (["report", "nowhere"], "onset: no file 'nowhere'"),
        (["run", "none.yaml"], "onset: study file not found: none.yaml"),
        (["list", "task"], "onset: unknown kind 'task': did you mean 'tasks'? Known: methods, models, shifts, tasks"),
        (["grade", "none.jsonl", "--task", "gsm8k"], "onset: no file 'none.jsonl'"),
        (["grade", "none.jsonl", "--task", "gsm9k"], "gsm8k"),
    ],
    ids=str,
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    if error != "gsm8k":
        assert err.strip().startswith(error)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("coin-flip", "coin-flop"), "onset: unknown task 'coin-flop': did you mean 'coin-flip'?"),
        (("replies.json", "gone.json"), "onset: "),
        (("items: 30", "items: 31"), "onset: task coin-flip: 31 test items asked, it has 30; lower 'items' or write 'items: all'"),
        (("labels: [2, 4]", "labels: [2, 400]"), "onset: task coin-flip: 400 labelled examples asked, its pool holds 40"),
        (("flips: 2", "flops: 2"), "onset: "),
        (("seeds: 2", "seeds: 2\nshifts: [none, typoes]"), "onset: unknown shift 'typoes': did you mean 'typos'? Known: casing, "),
    ],
    ids=str,
)  # fmt: skip
def test_a_study_that_does_not_hold_stops_before_anything_runs(
    study: Path, change: tuple[str, str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study.write_text(STUDY.replace(*change))
    code, _, err = call(capsys, "run", str(study))
    assert code == 2, err
    assert len(err.strip().splitlines()) == 1, err
    assert err.strip().startswith(error)
    assert not (study.parent / "results" / "coins" / "cells").exists()


def test_grade_keeps_rows_in_order_with_their_other_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"id": 3, "question": "?", "prediction": "6 x 3 = 18. The answer is $18.00", "target": "18"},
        {"id": 1, "prediction": "no idea", "target": "5"},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    graded = shown_json(capsys, "grade", str(file), "--task", "gsm8k", "--json")
    assert graded["rows"] == [
        {**rows[0], "answer": "18", "status": "ok", "correct": True},
        {**rows[1], "answer": None, "status": "none", "correct": False},
    ]
    assert (graded["summary"]["n"], graded["summary"]["correct"]) == (2, 1)


@pytest.mark.parametrize("kind", ["tasks", "methods", "shifts", "models"])
def test_list_as_json_names_everything(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = shown_json(capsys, "list", kind, "--json")
    assert all(row["name"] and row["summary"] for row in rows)


def test_show_works_piped_and_narrow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = synthetic_results(tmp_path / "d")
    code, out, _ = call(capsys, "show", str(folder), "--details")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 100
    assert "lora-answers" in out


def test_the_command_is_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "onset", "show", "nowhere"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "onset: no file 'nowhere'\n"


# ------------------------------------------------------------------------------------------- small things people meet


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    import onset

    assert call(capsys, "--version") == (0, f"onset {onset.__version__}\n", "")
    assert onset.__version__ == installed_version("lm-onset")


def test_an_interrupt_says_how_far_it_came(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Display.advanced
    calls = iter(range(100))

    def stop(self: Display, cell: Any, items: int) -> None:
        seen(self, cell, items)
        if next(calls) == 4:  # the fifth cell is committed and not finished
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Display, "advanced", stop)
        code, _, err = call(capsys, "run", str(study))
    assert code == 130
    done = len([*Path("results/coins").glob("cells/*/done.json")])
    assert 0 < done < 12
    said = f"onset: stopped; {done} of 12 cells done, results/coins keeps them; run again to go on"
    assert err.splitlines()[-1] == said
    code, _, err = call(capsys, "run", str(study))
    assert code == 0
    assert f"{12 - done} cells to run, {done} already there" in err


def test_a_tuning_is_known_while_it_is_under_way() -> None:
    display = Display(Console(file=StringIO()), None)  # type: ignore[arg-type]
    display.doing("ladder/r0 · tuning full-answers · coin-flip · 4 labels · seed 0")
    assert display.is_tuning
    display.doing("ladder/r0 · full-answers · coin-flip · 4 labels · seed 0")
    assert not display.is_tuning


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_cuts_names_and_never_numbers(width: int) -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=width, color_system=None)
    display = Display(console, None)  # type: ignore[arg-type]
    bar = display._bar
    bar.add_task(
        "ladder/r3 · tuning full-answers-lr0.002 · tickets · 16 labels · seed 0",
        total=10,
        completed=4,
        left=" about 2 min 30 s left",
    )
    (line,) = console.render_lines(bar.get_renderable(), pad=False)
    shown = "".join(segment.text for segment in line)
    assert len(shown) <= width
    assert re.search(r"40% +0:00:0\d +about 2 min 30 s left", shown), shown
    assert shown.startswith("ladder")


def test_lists_name_the_packaged_models_the_rungs_and_what_a_method_may_set(capsys: pytest.CaptureFixture[str]) -> None:
    models = {row["name"]: row["summary"] for row in shown_json(capsys, "list", "models", "--json")}
    assert "packaged:gemma-3-270m, packaged:smollm2-135m-instruct" in models["packaged:..."]
    assert "ladder/r0, ladder/r1" in models["ladder/..."]
    rows = shown_json(capsys, "list", "methods", "--json")
    *presets, own = (row for row in rows if row["table"] == "methods")
    assert {row["name"] for row in presets} == set(METHODS)
    for table, held in (("prompt", PROMPTING), ("choose", DEMOS), ("vote", VOTES), ("on", MATERIALS)):
        steps = {row["name"]: row for row in rows if row["table"] == table}
        assert steps.keys() == set(held)
        assert all(row["source"] and row["settings"] is not None for row in steps.values())
    (cot,) = (row for row in rows if (row["table"], row["name"]) == ("prompt", "cot"))
    assert (cot["needs"], cot["calls"]) == (["rationales"], "1 call an item")
    assert next(row for row in presets if row["name"] == "cot-vote")["parameters"] == [
        "prompt=cot",
        "vote={samples: 20, temperature: 0.7}",
    ]
    assert {one.partition("=")[0] for one in own["parameters"]} == set(MethodEntry.model_fields)


def test_a_report_that_cannot_be_written_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = synthetic_results(
        tmp_path / "d", models=(("m", 1000),), methods=("cot",), labels=(8,), seeds=1, items=5, voting=False
    )
    out = tmp_path / "none" / "r.html"
    assert call(capsys, "report", str(folder), "--out", str(out)) == (
        2,
        "",
        f"onset: cannot write {out}: No such file or directory; the results are as they were; name another file for the"
        " report (--out FILE)\n",
    )


def test_names_without_a_size_get_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.csv"
    rows = [("alpha", 1e6, 3), ("beta", 1e7, 10), ("gamma", 1e8, 40), ("delta", 1e9, 80)]
    table.write_text("task,model,params,n,correct\n" + "".join(f"x,{name},{size},100,{k}\n" for name, size, k in rows))
    hint = (
        "note: no two models share a family (alpha, beta, gamma ...), so there is no curve over size: names that differ"
        " in more than their size are families of their own; --family NAME takes all of them as one\n"
    )
    code, out, err = call(capsys, "emergence", str(table), "--json")
    assert (code, err, len(json.loads(out))) == (0, hint, 4)
    code, out, err = call(capsys, "emergence", str(table), "--json", "--family", "greek")
    assert (code, err, len(json.loads(out))) == (0, "", 1)


def test_the_model_of_ones_own_in_the_examples_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "own_model.py"))
    example["main"](str(tmp_path / "results"))
    assert "nearest-demonstration" in capsys.readouterr().out
    shown = shown_json(capsys, "show", str(tmp_path / "results"), "--json")
    assert {cell["parse_rate"] for cell in shown["cells"]} == {1.0}
    assert {(cell["labels"], cell["n"]) for cell in shown["cells"]} == {(8, 20), (40, 20)}
    assert sum(cell["correct"] for cell in shown["cells"]) > 6 * 20 / 3  # better than a blind guess


class Steps(Silent):
    def __init__(self, display: Display) -> None:
        self.display = display
        self.seen: list[tuple[int, int, float]] = []

    def tuning(self, cell: Cell, done: int, steps: int) -> None:
        self.display.tuning(cell, done, steps)
        self.seen.append((done, steps, self.display._done))

    def tuned(self, cell: Cell) -> None:
        self.display.tuned(cell)


def test_a_stage_shows_its_steps_and_counts_once(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"prompt": "Say keys.", "completion": "keys"}\n' * 4)
    study = make_study(
        name="t", models=["ladder/r0"], tasks=["world-coin"], methods=[{"prompt": "answer-only", "shots": 1}],
        labels=2, seeds=1, items=4, stages=[["say"]], continuous=False,
        recipes={"say": {"data": str(tmp_path / "c.jsonl"), "steps": 2}},
    )  # fmt: skip
    grid = expand(study)
    costs = estimate(grid)
    (stage,) = costs.tunings.values()
    display = Display(Console(file=StringIO()), costs)
    seen: list[float] = []

    class Stages(Silent):
        def begin(self, grid: Grid, missing: Sequence[Cell]) -> None:
            display.begin(grid, missing)

        def training(self, made: Made, done: int, steps: int) -> None:
            display.training(made, done, steps)
            seen.append(display._done)

    run(study, tmp_path / "d", observer=Stages())
    assert seen == pytest.approx([stage.seconds / 2, stage.seconds, stage.seconds])
    assert display._total == pytest.approx(stage.seconds + sum(costs.weight(cell) for cell in grid.cells))


def test_a_tuning_shows_its_steps_and_counts_once(tmp_path: Path) -> None:
    study = make_study(
        name="t", models=["ladder/r0"], tasks=["world-coin"], methods=[{"tune": "full", "on": "answers", "steps": 3}],
        labels=2, seeds=1, items=4,
    )  # fmt: skip
    costs = estimate(expand(study))
    (tuning,) = costs.tunings.values()
    steps = Steps(Display(Console(file=StringIO()), costs))
    run(study, tmp_path / "d", observer=steps)
    assert [(done, of) for done, of, _ in steps.seen] == [(1, 3), (2, 3), (3, 3)]
    assert [so_far for *_, so_far in steps.seen] == pytest.approx([tuning.seconds * k / 3 for k in (1, 2, 3)])
    assert steps.display._done == pytest.approx(tuning.seconds)


# ---- shift ---------------------------------------------------------------------------------------------------------


def test_a_shifted_test_set_is_written_as_lines_for_other_tools(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    task, out = "{name: word-problems, pool: 4, test: 9}", tmp_path / "far.jsonl"
    code, shown, told = call(capsys, "shift", task, "{shift: edited-numbers, seed: 2}", "--out", str(out))
    assert (code, shown) == (0, "")
    assert told == f"word-problems, edited-numbers-seed2: 9 items, 9 changed, in {out}\n"
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    (clean,) = open_tasks({"name": "word-problems", "pool": 4, "test": 9})
    twins = {item.id: item for item in clean.test}
    for row in rows:
        assert row["clean_question"] == twins[row["clean_id"]].question != row["question"]
        assert (row["answers"], row["changed"]) == ([row["answer"]], True)
    (read,) = open_tasks({"name": "far", "train": str(out), "test": 0.3})  # what it writes is a task's file
    assert {item.question for item in (*read.pool, *read.test)} == {row["question"] for row in rows}
    code, shown, told = call(capsys, "shift", task, "longer", "--items", "5")
    assert (code, told) == (0, "word-problems, longer: 5 items, 5 changed\n")
    assert all(json.loads(line)["clean_id"] is None for line in shown.splitlines())


@pytest.mark.parametrize(
    ("task", "kind", "message"),
    [
        ("addition", "demo-order", "shift 'demo-order' changes the prompt around the items, which stay: there is nothing to"
         " write"),
        ("addition", "irrelevant", "shift 'irrelevant' on task addition: it finds nothing to change in any of the 200 test"
         " items"),
        ("addition", "{shift: [", "KIND: expected a name or a mapping such as '{name: gsm8k, path: data}', not"
         " '{shift: ['"),
        ("addition", "negate", "unknown shift 'negate': did you mean 'negated'? Known: "),
    ],
)  # fmt: skip
def test_what_has_no_shifted_set_is_one_line(
    capsys: pytest.CaptureFixture[str], task: str, kind: str, message: str
) -> None:
    code, shown, told = call(capsys, "shift", task, kind)
    assert (code, shown) == (2, "")
    assert told.startswith(f"onset: {message}")
    assert told.count("\n") == 1


def test_clean_items_are_not_said_to_be_changed(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, told = call(capsys, "shift", "{name: world-coin, pool: 4, test: 9}", "none", "--items", "3")
    assert (code, told) == (0, "world-coin, none: 3 items, 0 changed\n")
    for row in map(json.loads, shown.splitlines()):
        assert (row["changed"], row["clean_id"], row["clean_question"]) == (False, row["id"], row["question"])


@pytest.mark.parametrize("items", ["0", "-3"])
def test_fewer_than_one_item_is_refused(capsys: pytest.CaptureFixture[str], items: str) -> None:
    told = f"onset: --items {items}: expected 1 or more\n"
    assert call(capsys, "shift", "world-coin", "typos", "--items", items) == (2, "", told)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--params", "bogus=7e9"), "unknown model 'bogus'. Known: r0, r1"),
        (("--params", "r1=1e9", "--params", "r1=2e9"), "--params r1=2e9: r1 is given twice, also as 1e9"),
        (("--params", "r1=nan"), "--params r1=nan: expected a number above 0, such as 7e9"),
        (("--params", "r1=-5"), "--params r1=-5: expected a number above 0, such as 7e9"),
        (("--has", "3"), "--has 3: expected an accuracy between 0 and 1"),
        (("--grade-as", "gsm8k"), "--grade-as gsm8k: for JSON lines of texts, and none were named"),
        (("--filter", "strict"), "--filter strict: for results of lm-eval, and none were named"),
        (("--crossover", "coins", "coins"), "--crossover coins coins: expected two curves, not one twice"),
    ],
)
def test_what_nothing_would_come_of_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    table = tmp_path / "curves.csv"
    table.write_text("curve,model,params,n,correct\ncoins,r0,1e6,50,26\ncoins,r1,1e7,50,40\n")
    code, shown, told = call(capsys, "emergence", str(table), *options)
    assert (code, shown, told.count("\n")) == (2, "", 1)
    assert told.startswith(f"onset: {message}")


def test_a_filter_of_results_without_filters_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"index": 0, "correct": true}\n')
    told = "onset: --filter zz: for results of lm-eval, and none were named\n"
    assert call(capsys, "compare", str(file), str(file), "--filter", "zz") == (2, "", told)
