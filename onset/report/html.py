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
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup, escape

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.outcomes import Measured
from onset.analysis.phrases import Language
from onset.analysis.phrases.page import CHINESE, Say, words_in
from onset.analysis.questions.new_facts import PROBES
from onset.analysis.questions.say import Say as Speaker
from onset.analysis.study import analyse, to_json
from onset.analysis.words import (
    counted,
    percent,
    plain_method,
    plain_shift,
    plain_stage,
    plain_task,
    score,
    signed_bound,
    signed_score,
)
from onset.errors import DataError
from onset.processors import Elsewhere
from onset.report import facts, figures
from onset.report.bars import difference_bar, reach_of_bars, share_bar
from onset.report.costs import break_even_tables, cost_table
from onset.report.embedded import embedded, packed_if_large, rows_of
from onset.report.findings import Lines
from onset.report.first import first_lines, main_figure, set_apart
from onset.report.head import distinct, question_of, summary, tally, vital
from onset.report.items import MOST_ITEMS, TEXT_LIMIT, Packed, PromptsOf, begin_pack, pack
from onset.report.layout import in_words, laid_out, legend_of, responsive
from onset.report.library import figure_library
from onset.report.notes import budget_notes, comparison_notes
from onset.report.places import places_said
from onset.report.searches import search_tables
from onset.report.still import still
from onset.report.words import count, flops, lead, p_value, sentences, share, signed, whole
from onset.results.files import Place, as_place, write_bytes
from onset.results.format import REPORT
from onset.results.read import Results, load, read_cells
from onset.results.recorded import Prompts

VERDICT_WORDS = {
    "wins": "The method is more accurate than the one it is against: p, corrected for the number of comparisons, is at"
    " most 0.05.",
    "loses": "The method is less accurate than the one it is against: p, corrected for the number of comparisons, is at"
    " most 0.05.",
    "equivalent": "The difference is shown to be smaller than the margin in both directions (two one-sided tests).",
    "undecided": "Neither a difference nor equivalence is shown. Where more test items or draws could decide, the table"
    " says how many. An interval that leaves out zero can still be undecided after the correction.",
}


def begin_report(folder: Place, results: Results | Measured) -> Elsewhere[..., Packed] | None:
    """Begin what the report of ``results``, read from ``folder``, needs no analysis for: the figure library, and the
    items of the page, which are returned (None: they are few).
    """
    figure_library()
    place, records = as_place(folder), results.records
    # a store may be one that this process alone can read
    if "prompt" in records.columns or len(records) <= MOST_ITEMS or not isinstance(place, Path):
        return None
    return begin_pack(results.cells.filter(~pl.col("bound"))["cell"].to_list(), records, place)


def build_report(
    folder: Place,
    *,
    out: Path | None = None,
    analysis: Analysis | None = None,
    items: Elsewhere[..., Packed] | None = None,
    language: Language = "en",
) -> Path | str:
    """Write the report of the results folder ``folder`` to ``out`` (default ``folder/report.html``).

    ``analysis``: the folder's analysis, where it is at hand already, or one of other tools' results under ``folder``:
    these are left as they are, and the default is ``NAME-report.html`` in the working folder. ``language``: of the
    page's words; ``items``: what `begin_report` gave, before the analysis. Returns the path written. Raises StoreError
    for a damaged folder or a path that cannot be written, DataError for that default inside the folder of other tools'
    results.
    """
    folder = as_place(folder)
    if analysis is None:
        results = load(folder, prompts=False)
        items = begin_report(folder, results)
        analysis = analyse(results)
    shown = to_json(analysis, language)
    cells = [] if analysis.measured.foreign else [one for one in read_cells(folder) if "elsewhere" not in one]
    records = analysis.measured.records
    prompts = None if "prompt" in records.columns else Prompts(folder).of
    text = page(shown, analysis.study, cells, records, prompts=prompts, items=items, language=language)
    if isinstance(folder, Path):
        path = out or (_place_beside(folder, analysis) if analysis.measured.foreign else folder / REPORT)
    elif out is None:
        folder.put(REPORT, text.encode())
        return folder.name(REPORT)
    else:
        path = out
    write_bytes(path, text.encode(), "the results are as they were; name another file for the report (--out FILE)")
    return path


def _place_beside(source: Path, analysis: Analysis) -> Path:
    """Where a report of other tools' results goes by default. Raises DataError inside the folder that has them."""
    here, theirs = Path.cwd(), (source if source.is_dir() else source.parent).resolve()
    if here.is_relative_to(theirs):
        raise DataError(
            f"{source}: these results are not Onset's, nothing is written into their folder: name --out FILE"
        )
    return Path(f"{analysis.study['name']}-{REPORT}")


def write_png(analysis: Analysis, into: Path, *, fmt: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write every figure of an analysis into ``into``; returns the paths.

    Raises StoreError for a path that cannot be written.
    """
    return figures.write_pictures(figures.figures(to_json(analysis)), into, fmt=fmt)


def page(
    shown: Mapping[str, Any],
    study: Mapping[str, Any],
    cells: Sequence[facts.Facts],
    records: pl.DataFrame,
    *,
    prompts: PromptsOf | None = None,
    items: Elsewhere[..., Packed] | None = None,
    text_limit: int = TEXT_LIMIT,
    language: Language = "en",
) -> str:
    """The report as HTML.

    ``shown``: what ``onset show --json`` prints, its short lines in ``language``; ``study``: the canonical study;
    ``cells``: the cell.json of every cell begun; ``records``: column ``cell`` and the fields of Record; ``prompts``:
    where these have none; ``items``: these packed, where that was begun; ``text_limit``: characters of records carried.
    """
    library = figure_library()
    say = words_in(language)
    drawn = [figure for figure in figures.figures(shown, language) if not figure.paper_only]
    style = figures.style_of(shown["cells"], language)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("onset.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": share,
        "points": signed,
        "bound": signed_bound,
        "count": count,
        "p": p_value,
        "flops": flops,
        "whole": whole,
        "sentences": sentences,
        "coded": _coded,
        "lead": lead,
        "score": score,
        "signed_score": signed_score,
    }
    environment.filters |= {
        "method": partial(plain_method, language=language),
        "task": partial(plain_task, language=language),
        "shift": partial(plain_shift, language=language),
        "stage": partial(plain_stage, language=language),
        "told": style.say.told,
        "named": partial(_named, say=say, language=language),
    }
    environment.globals |= {
        "difference_bar": partial(difference_bar, say=style.say),
        "share_bar": partial(share_bar, say=style.say),
        "counted": counted,
        "_": say,
    }
    lines = Lines(shown, {figure.name: figure.title for figure in drawn}, language)
    unfinished, findings = set_apart(shown["findings"])
    kept, rest = first_lines(findings)
    first = [lines.of(one) for one in kept]
    main = main_figure(findings, drawn)
    subject = kept[0]["subject"] if kept else ""
    packed = items.result() if items else pack(shown["cells"], records, prompts=prompts, text_limit=text_limit)
    template = environment.get_template("report.html.j2")
    scripts = [library.result(), _behaviour()]
    return template.render(
        language=language,
        space=" " if language == "en" else "",
        study=study,
        question=study.get("question") or question_of(shown["cells"], language),
        summary=summary(shown, cells, language),
        vital=vital(shown, language),
        unfinished=unfinished,
        headline=first[0] if first else None,
        findings=first[1:],
        more=[lines.of(one) for one in rest],
        main=main and still(*main, style, subject, language, say),
        places=places_said(shown, main[1].where, subject, style.say) if main else [],
        tally=tally(shown["comparisons"], language),
        verdict_words=VERDICT_WORDS,
        comparisons=shown["comparisons"],
        comparison_notes=[*comparison_notes(shown["comparisons"], style.say), *budget_notes(shown["cells"], style.say)],
        reach=reach_of_bars(shown["comparisons"], fitting=0.9),
        margins=sorted({one["margin"] for one in shown["comparisons"]}),
        curves=[_curve_words(curve, style.say) for curve in shown["curves"] if curve["emergence"]],
        figures=[laid_out(figure, language) for figure in drawn],
        legend=legend_of(style, shown["cells"]),
        several={name: len({cell[name] for cell in shown["cells"]}) > 1 for name in _FACETS},
        cells=shown["cells"],
        rows=rows_of(shown["cells"]),
        filters=_filters(shown["cells"]),
        packed=packed,
        facts=_facts(shown, cells, style.say),
        searches=search_tables(shown, say),
        costs=cost_table(shown),
        break_evens=break_even_tables(shown, style.say),
        sources=shown.get("sources"),
        models=[one | {"where": _asked_alike(one)} for one in shown.get("models", ())],
        model_reach=reach_of_bars(shown.get("models", ()), fitting=0.9),
        scores=shown.get("scores"),
        score_pairs=shown.get("score_pairs"),
        conflicts=shown.get("conflicts"),
        placements=shown.get("facts_in_weights"),
        growths=shown.get("knowledge_by_size"),
        probes={name: style.say(text) for name, text in PROBES.items()},
        several_shifts=len({one["shift"] for one in shown.get("scores", ())}) > 1,
        reading=shown.get("notes"),
        has_classes=bool(shown.get("classification")),
        has_partial=any(cell.get("partial") is not None for cell in shown["cells"]),
        majorities=_majorities(shown["cells"]),
        study_text=json.dumps(study, indent=1, ensure_ascii=False),
        colours=style.colours,
        policy=_policy(scripts),
        css=Markup(_asset("report.css")),
        scripts=[Markup(script) for script in scripts],
        specs=packed_if_large(
            [[responsive(in_words(chart, style)) for chart in panel.charts] for one in drawn for panel in one.panels]
        ),
        cell_index=embedded(
            [
                {name: cell[name] for name in ("cell", *_FACETS)}
                | {"plain": plain_method(cell["method"], language), "about": plain_task(cell["task"], language)}
                | {"test": plain_shift(cell["shift"], language)}
                for cell in shown["cells"]
            ]
        ),
        words=embedded(_script_words(language)),
    )


_FACETS = ("model", "task", "method", "labels", "shift", "stage", "seed")
_FACET_NAMES = {"labels": "Labelled examples", "shift": "Test items"}


# ---- what stands in the page's head --------------------------------------------------------------------------------


@functools.cache
def _behaviour() -> str:
    """The page's own script: its parts in one function, each with what those before it declare."""
    parts = "\n".join(_asset(f"{name}.js") for name in ("address", "figures", "tables", "items"))
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _script_words(language: Language) -> dict[str, str]:
    """What the script says -> the same in ``language``; empty in English."""
    script = _behaviour()
    return {} if language == "en" else {text: said for text, said in CHINESE.items() if f'"{text}"' in script}


def _asset(name: str) -> str:
    return (files("onset.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(scripts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"


# ---- words ---------------------------------------------------------------------------------------------------------


def _coded(text: str) -> Markup:
    """Escaped text whose parts between backticks are code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _curve_words(curve: Mapping[str, Any], in_language: Speaker) -> str:
    """The verdict on a curve in words, and what the continuous scores say of a jump."""
    check, between = curve.get("metric_check"), " " if in_language.language == "en" else ""
    said = in_language.told(check["sentence"]) if check and check["verdict"] != "unresolved" else ""
    return between.join(filter(None, [curve["sentence"], said]))


# ---- filters, facts ---------------------------------------------------------------------------------------


def _majorities(cells: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Task and shift -> the most frequent label and its share, of tasks whose answers are labels."""
    return {
        (cell["task"], cell["shift"]): f"{cell['majority_label']}, {percent(cell['majority'])}"
        for cell in cells
        if cell.get("majority") is not None
    }


def _filters(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for name in _FACETS:
        values = [str(value) for value in distinct(cells, name)]
        if len(values) > 1:
            rows.append({"facet": name, "label": _FACET_NAMES.get(name, name.capitalize()), "values": values})
    return rows


def _asked_alike(pair: Mapping[str, Any]) -> dict[str, str]:
    """The facets in which two models are alike; a comparison over all tasks has no task and no method."""
    return {name: pair[name] for name in ("task", "method", "shift") if pair[name] is not None}


def _named(value: str, facet: str, say: Say, language: Language) -> str:
    """A value of a facet as a person says it."""
    if facet == "labels":
        return say(value)
    spoken = {"method": plain_method, "task": plain_task, "shift": plain_shift, "stage": plain_stage}.get(facet)
    return spoken(value, language) if spoken else value


def _facts(shown: Mapping[str, Any], cells: Sequence[facts.Facts], in_language: Speaker) -> dict[str, Any]:
    begun = {cell["id"]: facts.name_of(cell, in_language) for cell in cells}
    return {
        "models": facts.models(cells),
        "tasks": facts.tasks(cells),
        "methods": facts.methods(cells, in_language),
        "examples": facts.examples(cells, in_language),
        "plans": facts.plans(cells),
        "environments": facts.environments(cells),
        "failed": [(begun.get(one, one), error) for one, error in shown["failed"].items()],
        "missing": [begun.get(one, in_language("{cell} (not begun)", cell=one)) for one in shown["missing"]],
    }
