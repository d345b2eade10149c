"""The command ``onset emergence``: verdict, threshold and the tests behind them, for anybody's results over size."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer
from rich.console import Console

from onset.cli.others import parse_pairs
from onset.errors import DataError

if TYPE_CHECKING:
    from onset.analysis.curves.series import Curve

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="CSV tables, results folders of Onset, lm-eval results, inspect logs."),
]
Scales = Annotated[str, typer.Option(help="What size is: params, flops or loss (of pretraining).")]
Task = Annotated[str | None, typer.Option(help="Only this task; of JSON lines, whose extractor grades them.")]
Metric = Annotated[str | None, typer.Option(help="Only this metric.")]
Filter = Annotated[str | None, typer.Option(help="Which filter of lm-eval, where there are several.")]
Params = Annotated[
    list[str] | None, typer.Option("--params", metavar="MODEL=N", help="The size of a model that does not say: r2=7e9.")
]
Family = Annotated[str | None, typer.Option(help="Take all models as one family of this name.")]
Margin = Annotated[float, typer.Option(help="How near chance counts as at chance, as a share.")]
LeastRise = Annotated[float, typer.Option(help="The smallest rise above chance called emergent, as a share.")]
Level = Annotated[float, typer.Option(help="Level of all tests; with many curves, the false discovery rate.")]
Replicates = Annotated[int, typer.Option(help="The most bootstrap replicates of the test against smooth growth.")]
Forecast = Annotated[
    list[str] | None,
    typer.Option(
        "--forecast",
        metavar="next|SIZE",
        help="Also forecast: the next size, or one you name (7B, 6.9e9; with tokens 7B@4T). Repeatable.",
    ),
]
Crossover = Annotated[
    tuple[str, str] | None,
    typer.Option(metavar="A B", help="Names of two curves: also say from which size on B is ahead of A."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of a table.")]


def emergence(  # noqa: PLR0913 - one parameter an option
    paths: Paths,
    *,
    scale: Scales = "params",
    task: Task = None,
    metric: Metric = None,
    filter: Filter = None,
    params: Params = None,
    family: Family = None,
    margin: Margin = 0.05,
    least_rise: LeastRise = 0.10,
    level: Level = 0.05,
    replicates: Replicates = 199,
    forecast: Forecast = None,
    crossover: Crossover = None,
    as_json: Json = False,
) -> None:
    """Does an ability grow smoothly with size or emerge, where, and how sure is that?"""
    from onset.analysis.curves.series import Scale, curves_of
    from onset.analysis.emergence.forecast import Target
    from onset.analysis.emergence.overview import overview
    from onset.analysis.emergence.verdict import Settings
    from onset.read import read_points
    from onset.report.emergence import print_emergence

    known = get_args(Scale)
    if scale not in known:
        raise DataError(f"--scale {scale}: expected params, flops or loss")
    if replicates < 99:
        raise DataError(f"--replicates {replicates}: expected at least 99, the fewest that can show p = 0.01")
    ahead = None if forecast is None else [Target.parse(text) for text in forecast if text != "next"]
    if ahead and "next" in (forecast or []):
        raise DataError("--forecast next: expected alone, or sizes such as 7B")
    given = {}
    for model, text in parse_pairs(params or [], "--params").items():
        try:
            given[model] = float(text)
        except ValueError:
            raise DataError(f"--params {model}={text}: expected a number, such as 7e9") from None
    notes: list[str] = []
    points = read_points(
        paths,
        scale=cast(Scale, scale),
        task=task,
        metric=metric,
        filter=filter,
        params=given,
        family=family,
        note=notes.append,
    )
    settings = Settings(level=level, margin=margin, least_rise=least_rise, replicates=replicates)
    curves = curves_of(points, cast(Scale, scale))
    if family is None:
        notes += _alone(curves)
    found = overview(curves, settings, ahead=ahead, pair=crossover)
    if as_json:
        for line in notes:
            print(f"note: {line}", file=sys.stderr)
        print(json.dumps(found.json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print_emergence(found, settings, notes, Console(highlight=False, soft_wrap=False))


def _alone(curves: Sequence[Curve]) -> list[str]:
    """A hint where names that do not say a size keep every model in a family of its own."""
    families = list(dict.fromkeys(curve.family for curve in curves))
    if len(families) < 2 or any(len({point.x for point in curve.points}) > 1 for curve in curves):
        return []
    named = ", ".join(families[:3]) + (" ..." if len(families) > 3 else "")
    return [
        f"no two models share a family ({named}), so there is no curve over size: names that differ in more than their"
        " size are families of their own; --family NAME takes all of them as one"
    ]
