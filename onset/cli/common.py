"""What the commands share: their arguments and options of one kind, and how they print."""

from __future__ import annotations

import functools
import gc
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from onset.errors import DataError
from onset.untrusted import escaped, printable

Json = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of tables.")]


def place(text: Any) -> Any:
    """What a user names: a path, or the files at a URL."""
    from onset.results.files import as_place

    return as_place(text) if isinstance(text, str) else text


Folder = Annotated[Path, typer.Argument(metavar="D", help="A results folder of `onset run`, or its URL.", parser=place)]
Details = Annotated[
    bool, typer.Option("--details", help="Also all findings in full, comparisons and cells (tables are English).")
]
InLanguage = Annotated[
    Literal["en", "zh"], typer.Option("--language", help="Of findings and of the report's own words.")
]
MathVerify = Annotated[
    bool,
    typer.Option("--math-verify", help="Also read answers that are numbers with the library math-verify."),
]
OfShifts = Annotated[
    bool, typer.Option("--robustness", help="What shifts take alone: drops, flips, matched drops, parts, orders.")
]
AnyResults = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="A results folder of `onset run` (or its URL), lm-eval results, inspect logs or JSON lines.",
        parser=place,
    ),
]
Metric = Annotated[str | None, typer.Option(help="Which metric, where there are several [default: exact_match, acc].")]
Filter = Annotated[str | None, typer.Option(help="Which filter of lm-eval, where there are several.")]
Params = Annotated[
    list[str] | None,
    typer.Option("--params", metavar="MODEL=N", help="The size of a model, whatever the results say of it: r2=7e9."),
]
Family = Annotated[str | None, typer.Option(help="Take all models as one family of this name.")]
GradeAs = Annotated[
    str | None,
    typer.Option(metavar="TASK", help="JSON lines of texts: the task whose extractor and scorer grade them."),
]
Only = Annotated[str | None, typer.Option(metavar="TASK", help="Only this task, or its subtasks.")]


@dataclass(frozen=True)
class Reading:
    """How results are read that do not say everything themselves: the options of every command that has `reads`."""

    only: Only = None
    grade_as: GradeAs = None
    metric: Metric = None
    filter: Filter = None
    params: Params = None
    family: Family = None

    def asked(self) -> dict[str, Any]:
        """Arguments of `onset.read.read_measured` and `onset.read.read_points`. Raises DataError as `sizes` does."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"params": sizes(self.params)}


def reads(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with an option for every field of `Reading`, which it gets as ``reading``."""
    hints = get_type_hints(Reading, include_extras=True)
    options = [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(Reading)
    ]
    whole = signature(command, eval_str=True)
    own = [one for one in whole.parameters.values() if one.name != "reading"]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
        reading = Reading(**{one.name: given.pop(one.name) for one in options})
        command(**given, reading=reading)

    made: Any = called
    made.__signature__ = whole.replace(parameters=[*own, *options])
    made.__annotations__ = {one.name: one.annotation for one in (*own, *options)}
    return called


_OBJECTS = 50_000
"""New objects after which Python looks for garbage: what is read is many objects that stay to the end."""


class _Inert(Console):
    """A console on which a text of a model or a file can do nothing: what a terminal would obey is spelled out, what
    Rich itself writes there is not.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of ``renderable``."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment(printable(one.text), one.style)


def console(*, stderr: bool = False) -> Console:
    """Where tables and lines for a person go."""
    return _Inert(stderr=stderr, highlight=False, soft_wrap=False)


def print_line(text: object = "", *, stderr: bool = False) -> None:
    """Print a line in which nothing can command the terminal."""
    print(printable(str(text)), file=sys.stderr if stderr else None)


def print_json(value: Any) -> None:
    """Print ``value`` as indented JSON, text as it is where standard output can hold it and a terminal does not obey
    it.
    """
    try:
        print(escaped(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)))
    except UnicodeEncodeError:  # half a surrogate pair in somebody's text, or a terminal that is not UTF-8
        print(json.dumps(value, indent=1, allow_nan=False))


def sizes(texts: Sequence[str] | None) -> dict[str, float]:
    """The values of ``--params``. Raises DataError for one that is no size."""
    out = {}
    for model, text in parse_pairs(texts or (), "--params").items():
        try:
            out[model] = float(text)
        except ValueError:
            raise DataError(f"--params {model}={text}: expected a number, such as 7e9") from None
        if not 0 < out[model] < math.inf:
            raise DataError(f"--params {model}={text}: expected a number above 0, such as 7e9")
    return out


def parse_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """``["model=r2", "labels=8"]`` as a mapping. Raises DataError for a text without ``=``."""
    out: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise DataError(f"{option} {text}: expected KEY=VALUE, such as model=r2")
        if key in out:
            raise DataError(f"{option} {text}: {key} is given twice, also as {out[key]}")
        out[key] = value
    return out
