"""One self-contained, offline report.html: findings in words, figures, tables, every item, the study's facts.

The page loads nothing: the figure library (Vega, from vl-convert) is inlined once, the records travel as
compressed JSON. Scripts are allowed by their SHA-256 in the page's Content Security Policy, so a text of a
model could not run even if it were not escaped; everything a model wrote is escaped all the same.
Equal results give an equal file.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.study import analyse, to_json
from onset.analysis.words import counted, difference_name, listed, number, percent, said, short_count, signed_bound
from onset.report import facts, figures
from onset.report.items import TEXT_LIMIT, pack
from onset.report.terminal import budget_notes, comparison_notes
from onset.results.files import write_bytes
from onset.results.read import load

VERDICT_WORDS = {
    "wins": "The method is more accurate than the one it is against: p, corrected for the number of comparisons, is at"
    " most 0.05.",
    "loses": "The method is less accurate than the one it is against: p, corrected for the number of comparisons, is at"
    " most 0.05.",
    "equivalent": "The difference is shown to be smaller than the margin in both directions (two one-sided tests).",
    "undecided": "Neither a difference nor equivalence is shown. Where more test items or draws could decide, the table"
    " says how many. An interval that leaves out zero can still be undecided after the correction.",
}


def build_report(folder: Path | str, *, out: Path | None = None, analysis: Analysis | None = None) -> Path:
    """Write the report of the results folder ``folder`` to ``out`` (default ``folder/report.html``).

    ``analysis``: the folder's analysis, where it is at hand already. Returns the path written. Raises StoreError for a
    damaged folder or a path that cannot be written.
    """
    folder = Path(folder)
    analysis = analysis or analyse(load(folder))
    text = page(to_json(analysis), analysis.study, facts.read_cells(folder), analysis.records)
    path = out or folder / "report.html"
    write_bytes(path, text.encode(), "the results are as they were; name another file for the report (--out FILE)")
    return path


def write_png(folder: Path, into: Path, *, fmt: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write every figure of the results folder ``folder`` into ``into``; returns the paths.

    Raises StoreError for a damaged folder or a path that cannot be written.
    """
    return figures.write_pictures(to_json(analyse(load(folder))), into, fmt=fmt)


def page(
    shown: Mapping[str, Any],
    study: Mapping[str, Any],
    cells: Sequence[facts.Facts],
    records: pl.DataFrame,
    *,
    text_limit: int = TEXT_LIMIT,
) -> str:
    """The report as HTML.

    ``shown``: what ``onset show --json`` prints; ``study``: the canonical study; ``cells``: the cell.json of every
    cell begun; ``records``: column ``cell`` and the fields of Record; ``text_limit``: characters of records carried.
    """
    drawn = [figure for figure in figures.figures(shown) if not figure.paper_only]
    style = figures.style_of(shown["cells"])
    scripts = [_library(), _asset("report.js")]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("onset.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": _percent,
        "points": _points,
        "bound": signed_bound,
        "count": _count,
        "p": _p,
        "flops": _flops,
        "whole": _whole,
        "lead": _lead,
    }
    environment.globals |= {"difference_bar": difference_bar, "share_bar": share_bar, "counted": counted}
    return environment.get_template("report.html.j2").render(
        study=study,
        question=study.get("question") or _question(shown["cells"]),
        summary=_summary(shown, cells),
        vital=_vital(shown),
        findings=_findings(shown, {figure.name: figure.title for figure in drawn}),
        tally=_tally(shown["comparisons"]),
        verdict_words=VERDICT_WORDS,
        comparisons=shown["comparisons"],
        comparison_notes=[*comparison_notes(shown["comparisons"]), *budget_notes(shown["cells"])],
        finding_reach=_reach([one for one in shown["findings"] if difference_name(one["kind"])]),
        reach=_reach(shown["comparisons"], fitting=0.9),
        margins=sorted({one["margin"] for one in shown["comparisons"]}),
        curves=[_curve_words(curve) for curve in shown["curves"] if curve["emergence"]],
        figures=[_figure(figure) for figure in drawn],
        legend=_legend(style, shown["cells"]),
        several={name: len({cell[name] for cell in shown["cells"]}) > 1 for name in _FACETS},
        cells=shown["cells"],
        filters=_filters(shown["cells"]),
        packed=pack(shown["cells"], records, text_limit=text_limit),
        facts=_facts(shown, cells),
        has_classes=bool(shown.get("classification")),
        majorities=_majorities(shown["cells"]),
        study_text=json.dumps(study, indent=1, ensure_ascii=False),
        colours=style.colours,
        policy=_policy(scripts),
        css=Markup(_asset("report.css")),
        scripts=[Markup(script) for script in scripts],
        specs=_embedded([[_responsive(chart) for chart in panel.charts] for one in drawn for panel in one.panels]),
        cell_index=_embedded([{name: cell[name] for name in ("cell", *_FACETS)} for cell in shown["cells"]]),
    )


_FACETS = ("model", "task", "method", "labels", "shift", "stage", "seed")
_FACET_NAMES = {"labels": "Labelled examples", "shift": "Test items"}


# ---- what stands in the page's head --------------------------------------------------------------------------------


@functools.cache
def _library() -> str:
    """Vega, Vega-Lite and vega-embed in one script, of the version Altair writes for."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=figures.schema_version()))


def _asset(name: str) -> str:
    return (files("onset.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(scripts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"


def _embedded(value: Any) -> Markup:
    """JSON that may stand inside a script element: no ``<`` is left in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


# ---- words ---------------------------------------------------------------------------------------------------------


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _lead(text: str) -> tuple[str, str]:
    """The first sentence, which a first-time reader must understand, and the rest (may be empty)."""
    lead, stop, rest = text.partition(". ")
    return (f"{lead}.", rest) if stop and rest[:1].isupper() else (text, "")


def _whole(text: str) -> str:
    """The text with numbers kept on one line with their percent signs and their k, M, B or T."""
    text = re.sub(r"(?<=\d) (?=(?:%|[kMBT]\b))", "\N{NO-BREAK SPACE}", text)
    return text.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def _points(value: float | None) -> str:
    return "–" if value is None else ("+" if value > 0 else "") + number(100 * value)


def _count(value: float | None) -> str:
    return "–" if value is None else short_count(value)


def _flops(value: float | None) -> str:
    return f"{value:.2g}".replace("e+", "e") if value else "–"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _distinct(cells: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    return list(dict.fromkeys(cell[name] for cell in cells))


def _question(cells: Sequence[Mapping[str, Any]]) -> str:
    """The study's question where its author wrote none: what varies is what is asked."""
    sizes = len(_distinct(cells, "params")) > 1
    if len(_distinct(cells, "method")) > 1:
        tail = ", and does that change with the size of the model?" if sizes else "?"
        return "Which way of using the same labelled examples works best" + tail
    return "How does accuracy change with the size of the model?" if sizes else "How accurate is the model?"


def _summary(shown: Mapping[str, Any], cells: Sequence[facts.Facts]) -> str:
    """What was run, in a sentence or two; no result."""
    if not cells:
        return "No cell of this study has been run yet."
    methods, tasks = _distinct(cells, "method"), _distinct(cells, "task")
    budgets = sorted(labels for labels in _distinct(cells, "labels") if labels)
    seeds = len(_distinct(cells, "seed"))
    models = _distinct(cells, "model")
    named = listed(models) if len(models) <= 6 else f"{len(models)} models"
    text = f"{counted(len(methods), 'method')} ({listed(methods)}) on {named}"
    text += (
        f", for {counted(len(tasks), 'task')} ({listed(tasks)})." if len(tasks) <= 6 else f", for {len(tasks)} tasks."
    )
    if budgets:
        given = " Every method was given the same labelled examples"
        given += (
            f" (budgets of {listed([str(n) for n in budgets])})" if len(budgets) > 1 else f" ({budgets[0]} of them)"
        )
        text += given + (f", drawn {seeds} times," if seeds > 1 else "") + " and was asked the same test items."
    return text


def _vital(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The study's size at a glance: (value, what it is)."""
    cells = shown["cells"]
    if not cells:
        return []
    sizes = sorted({cell["params"] for cell in cells if cell["params"]})
    span = " to ".join(dict.fromkeys(short_count(size) for size in (sizes[0], sizes[-1]))) if sizes else "unknown size"
    items = sorted({cell["n"] for cell in cells})
    unfinished = len(shown["missing"]) + len(shown["failed"])
    done = f"{len(cells)} of {len(cells) + unfinished}" if unfinished else str(len(cells))
    counts = [("model", f", {span} parameters"), ("method", ""), ("task", "")]
    rows = [_counted(len(_distinct(cells, name)), name, tail) for name, tail in counts]
    return [
        *rows,
        (", ".join(str(n) for n in sorted(_distinct(cells, "labels"))), "labelled examples"),
        _counted(len(_distinct(cells, "seed")), "draw", " of examples (seeds)"),
        ("–".join(dict.fromkeys(str(n) for n in (items[0], items[-1]))), "test items a cell"),
        (done, "cells finished"),
    ]


def _majorities(cells: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Task and shift -> the most frequent label and its share, of tasks whose answers are labels."""
    return {
        (cell["task"], cell["shift"]): f"{cell['majority_label']}, {percent(cell['majority'])}"
        for cell in cells
        if cell.get("majority") is not None
    }


def _counted(count: int, name: str, tail: str) -> tuple[str, str]:
    return str(count), counted(count, name).partition(" ")[2] + tail


_CLASSES = {"for": "wins", "against": "loses", "level": "equivalent", "open": "undecided", "warning": "warning"}
"""Tone of a finding -> its class in the page."""


def _findings(shown: Mapping[str, Any], drawn: Mapping[str, str]) -> list[dict[str, Any]]:
    """Findings in the order of the analysis, each with a tone (a colour), what is drawn beside it and its figure.

    ``drawn``: name -> title of the figures in the page.
    """
    rows = []
    for finding in shown["findings"]:
        tone = _CLASSES[finding["tone"]]
        has_interval = finding["estimate"] is not None and finding["interval"] is not None
        difference = difference_name(finding["kind"]) if has_interval and finding["unit"] == "points" else None
        share = has_interval and finding["unit"] == "share"
        name = finding["figure"]
        figure = {"name": name, "title": drawn[name]} if name in drawn else None
        badge = said(finding["kind"], finding["verdict"])
        rows.append(
            {**finding, "tone": tone, "badge": badge, "difference": difference, "share": share, "figure": figure}
        )
    return rows


def _curve_words(curve: Mapping[str, Any]) -> str:
    """The verdict on a curve in words, and what the continuous scores say of a jump."""
    check = curve.get("metric_check")
    said = f" {check['sentence']}" if check and check["verdict"] != "unresolved" else ""
    return f"{curve['sentence']}{said}"


def _tally(comparisons: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, str]]:
    """(verdicts, how many comparisons, in words), empty ones left out."""
    verdicts = [one["verdict"] for one in comparisons]
    found = verdicts.count("wins") + verdicts.count("loses")
    rows = [
        ("wins", found, "found a difference"),
        ("equivalent", verdicts.count("equivalent"), "found the two equivalent"),
        ("undecided", verdicts.count("undecided"), "undecided"),
    ]
    return [row for row in rows if row[1]]


# ---- small pictures in the text ------------------------------------------------------------------------------------


def _reach(rows: Sequence[Mapping[str, Any]], *, fitting: float = 1.0) -> float:
    """Half the width of a difference scale: every estimate fits, and the share ``fitting`` of the intervals.

    In a long table a single very wide interval (two draws of examples) would shrink all others to a dot.
    """
    ends = sorted(max(abs(end) for end in one["interval"]) for one in rows if one["interval"])
    values = [abs(one.get("difference", one.get("estimate")) or 0.0) for one in rows]
    widest: float = max([ends[int(fitting * (len(ends) - 1))] if ends else 0.0, *values, 0.05])
    return min(1.0, math.ceil(widest * 20 + 0.2) / 20)


def difference_bar(
    value: float | None, interval: Sequence[float] | None, reach: float, tone: str, *, width: int = 160
) -> Markup:
    """A difference (0 in the middle, ``reach`` at both ends) with its interval, as inline SVG."""
    if value is None or interval is None:
        return Markup('<span class="nothing">–</span>')

    def place(share: float) -> float:
        return round(width / 2 + max(-1.0, min(1.0, share / reach)) * (width / 2 - 2), 1)

    words = (
        f"difference {_points(value)} points, 95 % interval {signed_bound(interval[0])} to {signed_bound(interval[1])}"
    )
    return Markup(
        '<svg class="bar {tone}" role="img" aria-label="{words}" width="{w}" height="20" viewBox="0 0 {w} 20">'
        '<line class="axis" x1="2" x2="{end}" y1="10" y2="10"/>'
        '<line class="zero" x1="{mid}" x2="{mid}" y1="2" y2="18"/>'
        '<line class="span" x1="{low}" x2="{high}" y1="10" y2="10"/><circle cx="{x}" cy="10" r="4"/></svg>'
    ).format(
        tone=tone,
        words=words,
        w=width,
        end=width - 2,
        mid=width / 2,
        low=place(interval[0]),
        high=place(interval[1]),
        x=place(value),
    )


def share_bar(
    value: float, interval: Sequence[float], chance: float | None, colour: str = "currentColor", *, width: int = 110
) -> Markup:
    """An accuracy on 0..1 with its interval and the chance level, as inline SVG."""
    low, high = (round(3 + end * (width - 6), 1) for end in interval)
    words = f"accuracy {percent(value)}, 95 % interval {percent(interval[0])} to {percent(interval[1])}"
    return Markup(
        '<svg class="bar" role="img" aria-label="{words}" width="{w}" height="18" viewBox="0 0 {w} 18">'
        '<line class="axis" x1="3" x2="{end}" y1="9" y2="9"/><line class="zero" x1="{c}" x2="{c}" y1="3" y2="15"/>'
        '<line class="span" x1="{low}" x2="{high}" y1="9" y2="9" style="stroke:{colour}"/>'
        '<circle cx="{x}" cy="9" r="3.5" style="fill:{colour}"/></svg>'
    ).format(
        words=words,
        w=width,
        end=width - 3,
        c=round(3 + (chance or 0.0) * (width - 6), 1),
        low=low,
        high=high,
        colour=colour,
        x=round(3 + value * (width - 6), 1),
    )


# ---- figures, filters, facts ---------------------------------------------------------------------------------------


def _responsive(chart: Any) -> dict[str, Any]:
    """A chart's specification as wide as its place in the page, which has a legend of its own."""
    return dict(_without_legend(figures.specification(chart.properties(width="container"))))


def _without_legend(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_legend(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: {**value, "legend": None} if _is_channel(key, value) else _without_legend(value)
        for key, value in part.items()
    }


def _is_channel(key: str, value: Any) -> bool:
    return key in ("color", "shape", "strokeOpacity", "strokeDash") and isinstance(value, dict) and "field" in value


def _figure(figure: figures.Figure) -> dict[str, Any]:
    """A figure for the template: the facets to choose from (all but the one laid out), and its panels."""
    values = {
        name: list(dict.fromkeys(p.where[name] for p in figure.panels if name in p.where)) for name in figures.FACETS
    }
    chosen = [name for name in figures.FACETS if len(values[name]) > 1 and name != figure.grid]
    choices = [{"facet": name, "label": figures.FACETS[name], "values": values[name]} for name in chosen]
    first = figure.panels[0].where
    panels = [
        {
            "title": panel.title,
            "where": {name: panel.where[name] for name in chosen},
            "describe": panel.describe,
            "charts": len(panel.charts),
            "shown": all(panel.where[name] == first[name] for name in chosen),
        }
        for panel in figure.panels
    ]
    return {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "choices": choices,
        "panels": panels,
    } | {
        "per_query": figure.per_query,
        "queries": figures.DEFAULT_QUERIES,
    }


def _legend(style: figures.Style, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tuned = {cell["method"] for cell in cells if cell["tune"]}
    by_family = style.mark_field == "family"
    methods = [
        {
            "name": name,
            "colour": colour,
            "mark": _mark("circle" if by_family else style.marks[name]),
            "tuned": name in tuned,
        }
        for name, colour in style.colours.items()
    ]
    families = [{"name": name, "mark": _mark(mark)} for name, mark in style.marks.items()] if by_family else []
    return {"methods": methods, "families": families}


_MARKS = {
    "circle": "M-4.5,0A4.5,4.5,0,1,0,4.5,0A4.5,4.5,0,1,0,-4.5,0Z",
    "square": "M-4,-4H4V4H-4Z",
    "triangle-up": "M0,-4.8L5,4.2H-5Z",
    "diamond": "M0,-5.2L4.2,0L0,5.2L-4.2,0Z",
    "triangle-down": "M0,4.8L5,-4.2H-5Z",
    "cross": "M-5,-1.7H-1.7V-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5Z",
    "triangle-right": "M4.8,0L-4.2,5V-5Z",
    "triangle-left": "M-4.8,0L4.2,5V-5Z",
}


def _mark(shape: str) -> str:
    """The path of a point's shape, as Vega draws it."""
    return _MARKS[shape]


def _filters(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for name in _FACETS:
        values = [str(value) for value in _distinct(cells, name)]
        if len(values) > 1:
            rows.append({"facet": name, "label": _FACET_NAMES.get(name, name.capitalize()), "values": values})
    return rows


def _facts(shown: Mapping[str, Any], cells: Sequence[facts.Facts]) -> dict[str, Any]:
    begun = {cell["id"]: facts.name_of(cell) for cell in cells}
    return {
        "models": facts.models(cells),
        "tasks": facts.tasks(cells),
        "methods": facts.methods(cells),
        "examples": facts.examples(cells),
        "plans": facts.plans(cells),
        "environments": facts.environments(cells),
        "failed": [(begun.get(one, one), error) for one, error in shown["failed"].items()],
        "missing": [begun.get(one, f"{one} (not begun)") for one in shown["missing"]],
    }
