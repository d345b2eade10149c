"""The commands on other people's results and for them: ``onset compare`` and ``onset export``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from onset.errors import DataError

A = Annotated[Path, typer.Argument(metavar="A", help="Results: a folder or file of Onset, lm-eval, inspect or JSONL.")]
B = Annotated[Path, typer.Argument(metavar="B", help="What it is compared with: differences are B minus A.")]
Task = Annotated[str | None, typer.Option(help="JSONL: whose extractor grades it. Otherwise: only this task.")]
Metric = Annotated[str | None, typer.Option(help="Which metric, where there are several [default: exact_match, acc].")]
Filter = Annotated[str | None, typer.Option(help="Which filter of lm-eval, where there are several.")]
OfA = Annotated[list[str] | None, typer.Option("--a", metavar="KEY=VALUE", help="Only these results of A: model=r2.")]
OfB = Annotated[list[str] | None, typer.Option("--b", metavar="KEY=VALUE", help="Only these results of B.")]
Margin = Annotated[float, typer.Option(help="Differences below this share count as equivalent.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of tables.")]


def compare(  # noqa: PLR0913 - one parameter an option
    a: A,
    b: B,
    *,
    task: Task = None,
    metric: Metric = None,
    filter: Filter = None,
    of_a: OfA = None,
    of_b: OfB = None,
    margin: Margin = 0.05,
    as_json: Json = False,
) -> None:
    """Paired comparison of two sets of results, own or imported: from A to B, item by item."""
    from onset.analysis.contrast.sets import compare_sets, select, to_json
    from onset.read import read_outcomes
    from onset.report.comparison import print_comparison

    if not 0 < margin < 1:
        raise DataError(f"--margin {margin:g}: expected a share between 0 and 1, such as 0.05")
    wanted = parse_pairs(of_a or [], "--a"), parse_pairs(of_b or [], "--b")
    first = select(read_outcomes(a, task=task), wanted[0], "A")
    second = select(read_outcomes(b, task=task), wanted[1], "B")
    compared = compare_sets(first, second, metric=metric, filter=filter, margin=margin, sources=(str(a), str(b)))
    content = to_json(compared)
    if as_json:
        _print_json(content)
    else:
        print_comparison(content, Console(highlight=False, soft_wrap=False))


def export(
    folder: Annotated[Path, typer.Argument(metavar="D", help="A results folder, as written by `onset run`.")],
    *,
    format: Annotated[str, typer.Option(help="lm-eval or every-eval-ever.")],
    out: Annotated[Path, typer.Option(help="A new or empty folder.")],
) -> None:
    """Write results in a format that other tools read."""
    from onset.write.base import export as write

    files = write(folder, out, format)
    print(f"{len(files)} files: {out}")


def _print_json(value: Any) -> None:
    try:
        print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
    except UnicodeEncodeError:  # half a surrogate pair in somebody's text, or a terminal that is not UTF-8
        print(json.dumps(value, indent=1, allow_nan=False))


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """``["model=r2", "labels=8"]`` as a mapping. Raises DataError for a text without ``=``."""
    out = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise DataError(f"{option} {text}: expected KEY=VALUE, such as model=r2")
        out[key] = value
    return out
