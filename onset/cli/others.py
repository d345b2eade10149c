"""The commands on anybody's results: ``compare``, ``pairs``, ``emergence``, ``export``, ``grade`` and ``claims``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from onset.cli.common import (
    Filter,
    Folder,
    GradeAs,
    Json,
    Metric,
    Only,
    Reading,
    console,
    parse_pairs,
    place,
    print_json,
    print_line,
    reads,
)
from onset.errors import DataError

if TYPE_CHECKING:
    from onset.analysis.curves.series import Curve


def compare(  # noqa: PLR0913 - one parameter an option
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A", help="Results: a folder or file of Onset, lm-eval, inspect or JSONL.", parser=place
        ),
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="What it is compared with: differences are B minus A.", parser=place)
    ],
    *,
    only: Only = None,
    grade_as: GradeAs = None,
    metric: Metric = None,
    filter: Filter = None,
    of_a: Annotated[
        list[str] | None, typer.Option("--a", metavar="KEY=VALUE", help="Only these results of A: model=r2.")
    ] = None,
    of_b: Annotated[list[str] | None, typer.Option("--b", metavar="KEY=VALUE", help="Only these results of B.")] = None,
    margin: Annotated[float, typer.Option(help="Differences below this share count as equivalent.")] = 0.05,
    as_json: Json = False,
) -> None:
    """Paired comparison of two sets of results, own or imported: from A to B, item by item."""
    from onset.analysis.contrast.matching import select
    from onset.analysis.contrast.sets import compare_sets, to_json
    from onset.read import read_outcomes
    from onset.read.detect import check_asked
    from onset.report.comparison import print_comparison

    if not 0 < margin < 1:
        raise DataError(f"--margin {margin:g}: expected a share between 0 and 1, such as 0.05")
    wanted = parse_pairs(of_a or [], "--a"), parse_pairs(of_b or [], "--b")
    check_asked([a, b], grade_as, filter)
    first = select(read_outcomes(a, only=only, grade_as=grade_as), wanted[0], "A")
    second = select(read_outcomes(b, only=only, grade_as=grade_as), wanted[1], "B")
    compared = compare_sets(first, second, metric=metric, filter=filter, margin=margin, sources=(str(a), str(b)))
    content = to_json(compared)
    if as_json:
        print_json(content)
    else:
        print_comparison(content, console())


def pairs(
    file: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="Columns family, base, model, stage, params, benchmark, before, after, n."),
    ],
    *,
    benchmark: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this benchmark. Repeatable.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only rows with this value. Repeatable.")
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Also every pair.")] = False,
    as_json: Json = False,
) -> None:
    """What training went with in models that others trained: scores before and after, over families and sizes."""
    from onset.analysis.contrast.trained import stages_on_benchmarks
    from onset.read.pairs import read_pairs
    from onset.report.pairs import print_pairs

    held = read_pairs(
        file,
        where=parse_pairs(where or [], "--where"),
        note=lambda line: print_line(f"note: {line}", stderr=True),
    )
    for name in benchmark or ():
        if all(one.benchmark != name for one in held):
            known = list(dict.fromkeys(one.benchmark for one in held))
            more = f" and {len(known) - 8} more" if len(known) > 8 else ""
            raise DataError(f"--benchmark {name}: {file} has none of that name, it has {', '.join(known[:8])}{more}")
    kept = [one for one in held if not benchmark or one.benchmark in benchmark]
    shown = [one.json() for one in stages_on_benchmarks(kept)]
    if as_json:
        print_json(shown)
    else:
        print_pairs(shown, console(), full=details)


@reads
def emergence(  # noqa: PLR0913 - one parameter an option
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="CSV tables, results folders of Onset, lm-eval results, inspect logs.",
            parser=place,
        ),
    ],
    *,
    scale: Annotated[str, typer.Option(help="What size is: params, flops or loss (of pretraining).")] = "params",
    margin: Annotated[float, typer.Option(help="How near chance counts as at chance, as a share.")] = 0.05,
    least_rise: Annotated[
        float, typer.Option(help="The smallest rise above chance called emergent, as a share.")
    ] = 0.10,
    level: Annotated[
        float, typer.Option(help="Level of all tests; with many curves, the false discovery rate.")
    ] = 0.05,
    replicates: Annotated[
        int, typer.Option(help="The most bootstrap replicates of the test against smooth growth.")
    ] = 199,
    forecast: Annotated[
        list[str] | None,
        typer.Option(
            "--forecast",
            metavar="next|SIZE",
            help="Also forecast: the next size, or one you name (7B, 6.9e9; with tokens 7B@4T). Repeatable.",
        ),
    ] = None,
    has: Annotated[
        float | None,
        typer.Option(
            "--has",
            help="Of several seeds a size: the accuracy from which one has the ability [default: chance and margin].",
        ),
    ] = None,
    crossover: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Names of two curves: also say from which size on B is ahead of A."),
    ] = None,
    as_json: Json = False,
    reading: Reading,
) -> None:
    """Does an ability grow smoothly with size or emerge, where, and how sure is that?"""
    from onset.analysis.curves.series import Scale, curves_of
    from onset.analysis.emergence.forecast import Target
    from onset.analysis.emergence.overview import overview
    from onset.analysis.emergence.verdict import Settings
    from onset.read import read_points
    from onset.report.emergence import print_emergence

    if scale not in get_args(Scale):
        raise DataError(f"--scale {scale}: expected params, flops or loss")
    size = cast(Scale, scale)
    if replicates < 99:
        raise DataError(f"--replicates {replicates}: expected at least 99, the fewest that can show p = 0.01")
    if has is not None and not 0 < has < 1:
        raise DataError(f"--has {has:g}: expected an accuracy between 0 and 1")
    ahead = None if forecast is None else [Target.parse(text) for text in forecast if text != "next"]
    if ahead and "next" in (forecast or []):
        raise DataError("--forecast next: expected alone, or sizes such as 7B")
    notes: list[str] = []
    points = read_points(paths, scale=size, note=notes.append, **reading.asked())
    settings = Settings(level=level, margin=margin, least_rise=least_rise, replicates=replicates)
    curves = curves_of(points, size)
    if reading.family is None:
        notes += _alone(curves)
    found = overview(curves, settings, ahead=ahead, pair=crossover, has=has)
    if as_json:
        for line in notes:
            print_line(f"note: {line}", stderr=True)
        print_json(found.json())
    else:
        print_emergence(found, settings, notes, console())


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


def export(
    folder: Folder,
    *,
    format: Annotated[str, typer.Option(help="lm-eval or every-eval-ever.")],
    out: Annotated[Path, typer.Option(help="A new or empty folder.")],
) -> None:
    """Write results in a format that other tools read."""
    from onset.write.base import export as write

    files = write(folder, out, format)
    print_line(f"{len(files)} files: {out}")


def grade(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL rows with prediction, target and question?.")],
    task: Annotated[
        str, typer.Option(help="Whose extractor and scorer: a task's name, or number, choice, text, open.")
    ],
    as_json: Json = False,
) -> None:
    """Extract and score answers in text from anywhere, exactly as a run would."""
    from onset.grading import grade as grade_rows
    from onset.grading import read_rows
    from onset.report.lists import print_grade
    from onset.tasks import format_for

    graded = grade_rows(read_rows(file), lambda row: format_for(task, row), source=str(file))
    if as_json:
        print_json(graded)
    else:
        print_grade(graded, console())


def claims(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Claims to show in full.")] = None,
    as_json: Json = False,
) -> None:
    """The essay's claims, each with its verdict from the published figures it rests on."""
    from onset.published.claims import claims_json
    from onset.report.lists import print_claims

    shown = claims_json(ids or [])
    if as_json:
        print_json(shown)
    else:
        print_claims(shown, console(), full=bool(ids))
