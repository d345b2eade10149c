"""What `onset show` prints: the lines of the first screen, and tables whose names wrap between their parts."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from synthetic import synthetic_results

from onset.cli import main
from onset.report.tables import Name, add_row, table
from onset.report.terminal import print_lines


def printed(width: int, shown: Any) -> list[str]:
    out = StringIO()
    Console(file=out, width=width, highlight=False).print(shown)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("lora-rationales-lr0.002", 40, ["lora-rationales-lr0.002"]),
        ("lora-rationales-lr0.002", 16, ["lora-rationales-", "lr0.002"]),
        ("lora-rationales-lr0.002", 13, ["lora-", "rationales-", "lr0.002"]),
        ("world-problems[steps=2, things=held]", 18, ["world-problems", "[steps=2,", "things=held]"]),
        ("org/model-7b", 8, ["org/", "model-7b"]),
        ("[bold]text", 10, ["[bold]text"]),
        ("incomprehensible", 9, ["incompreh", "ensible"]),
    ],
)
def test_a_name_wraps_between_its_parts(name: str, width: int, lines: list[str]) -> None:
    assert printed(width, Name(name)) == lines


def test_a_column_is_as_wide_as_the_widest_part() -> None:
    made = table([("Method", "name"), ("Verdict", "key"), ("p", "n")])
    add_row(made, "full-rationales-steps2000", "equivalent", 0.5)
    rows = [line.split() for line in printed(34, made)]
    assert rows[1:] == [["full-rationales-", "equivalent", "0.5"], ["steps2000"]]


def finding(verdict: str, tone: str, short: str) -> dict[str, Any]:
    return {"kind": "best method", "verdict": verdict, "tone": tone, "short": short, "figure": None, "subject": ""}


def test_lines_name_the_verdict_and_fit_80_columns() -> None:
    rows = [finding("best", "for", "Chain of thought " * 6), *[finding("undecided", "open", "Next")] * 6]
    out = StringIO()
    print_lines({"findings": rows}, Console(file=out, width=80, highlight=False))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("best       Chain of thought Chain of")
    assert lines[1].startswith("           ")
    assert lines[-1] == "1 more finding"
    assert lines.count("undecided  Next") == 5
    chinese = StringIO()
    print_lines({"findings": rows}, Console(file=chinese, width=80, highlight=False), "zh")
    assert "另有 1 条结论" in chinese.getvalue()
    assert "未定  Next" in chinese.getvalue()


def test_show_ends_with_the_same_lines_with_and_without_details(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = synthetic_results(tmp_path / "d", seeds=1, items=20)

    def show(*options: str) -> list[str]:
        with pytest.raises(SystemExit) as ended:
            main(["show", str(folder), *options])
        assert ended.value.code == 0
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    short, long = show(), show("--details")
    assert short[-1] == f"Tables: onset show {folder} --details"
    assert long[-len(short) + 1 :] == short[:-1]
    assert not any("95 % interval" in line for line in short)
    assert len(long) > 4 * len(short)
    assert re.search(r"[\u4e00-\u9fff]{4}", "".join(show("--language", "zh")))
