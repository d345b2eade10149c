"""The page's head in words: what was asked, what was run, how large the study is. No result but a count of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.analysis.phrases import Language, counted, phrase
from onset.analysis.phrases.page import Say, words_in
from onset.analysis.words import listed, myriads, plain_method, plain_task, short_count
from onset.report.facts import Facts

_FEW = 6
"""Names that are all said; of more, only their number is."""


def distinct(cells: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of a field, in order of appearance."""
    return list(dict.fromkeys(cell[name] for cell in cells))


def question_of(cells: Sequence[Mapping[str, Any]], language: Language = "en") -> str:
    """The study's question where its author wrote none: what varies is what is asked."""
    say = words_in(language)
    sizes = len(distinct(cells, "params")) > 1
    if len(distinct(cells, "method")) > 1:
        if sizes:
            return say(
                "Which way of using the same labelled examples works best, and does that change with the size of the"
                " model?"
            )
        return say("Which way of using the same labelled examples works best?")
    return say("How does accuracy change with the size of the model?" if sizes else "How accurate is the model?")


def summary(shown: Mapping[str, Any], cells: Sequence[Facts], language: Language = "en") -> str:
    """What was run, in a sentence or two; no result."""
    say = words_in(language)
    if not cells and not shown["cells"]:
        return _scored(shown, language) if shown.get("scores") else say("No cell of this study has been run yet.")
    cells = cells or shown["cells"]
    budgets = sorted(labels for labels in distinct(cells, "labels") if labels)
    seeds = len(distinct(cells, "seed"))
    models = distinct(cells, "model")
    text = say("{methods} on {models}, for {tasks}.").format(
        methods=_named("method", [plain_method(name, language) for name in distinct(cells, "method")], language),
        models=_listed(models, language) if len(models) <= _FEW else counted("model", len(models), language),
        tasks=_named("task", [plain_task(name, language) for name in distinct(cells, "task")], language),
    )
    if not budgets:
        return text
    many = _listed([str(labels) for labels in budgets], language)
    given = say(
        "Every method was given the same labelled examples ({many} of them) and was asked the same test items."
        if seeds == 1
        else "Every method was given the same labelled examples ({many} of them, drawn {seeds} times) and was asked the"
        " same test items."
    )
    return f"{text}{' ' if language == 'en' else ''}{given.format(many=many, seeds=seeds)}"


def _scored(shown: Mapping[str, Any], language: Language) -> str:
    """Of results in which nothing is right or wrong."""
    held = shown["scores"]
    models = distinct(held, "model")
    return words_in(language)("{scores} of {models}, for {tasks}.").format(
        scores=_listed(distinct(held, "metric"), language),
        models=_listed(models, language) if len(models) <= _FEW else counted("model", len(models), language),
        tasks=_named("task", [plain_task(name, language) for name in distinct(held, "task")], language),
    )


def _named(key: str, names: Sequence[str], language: Language) -> str:
    """``2 methods (chain of thought and answering at once)``; many are only counted."""
    count = counted(key, len(names), language)
    if len(names) > _FEW:
        return count
    return phrase("word.bracket", language, name=count, more=_listed(names, language))


def _listed(names: Sequence[str], language: Language) -> str:
    if any(", " in name or "," in name for name in names):
        return "; ".join(names) if language == "en" else "；".join(names)
    return listed(names) if language == "en" else "、".join(names)


def vital(shown: Mapping[str, Any], language: Language = "en") -> list[tuple[str, str]]:
    """The study's size at a glance: (value, what it is)."""
    cells, say = shown["cells"], words_in(language)
    if not cells:
        held = shown.get("scores") or ()
        return [_counted(len(distinct(held, name)), name, say) for name in ("model", "method", "task") if held]
    items = sorted({cell["n"] for cell in cells})
    unfinished = len(shown["missing"]) + len(shown["failed"])
    done = (
        say("{done} of {all}").format(done=len(cells), all=len(cells) + unfinished) if unfinished else str(len(cells))
    )
    budgets = distinct(cells, "labels")
    models, draws = len(distinct(cells, "model")), len(distinct(cells, "seed"))
    drawn = str(draws), say("draw of examples (seeds)" if draws == 1 else "draws of examples (seeds)")
    return [
        (str(models), say("model, {span}" if models == 1 else "models, {span}").format(span=_span(cells, language))),
        *(_counted(len(distinct(cells, name)), name, say) for name in ("method", "task")),
        *([] if None in budgets else [(", ".join(map(str, sorted(budgets))), say("labelled examples"))]),
        *([] if shown.get("sources") else [drawn]),
        ("–".join(dict.fromkeys(str(n) for n in (items[0], items[-1]))), say("test items a cell")),
        (done, say("cells finished")),
    ]


def _span(cells: Sequence[Mapping[str, Any]], language: Language) -> str:
    """``1 M to 100 M parameters``."""
    say, written = words_in(language), myriads if language == "zh" else short_count
    sizes = sorted({cell["params"] for cell in cells if cell["params"]})
    if not sizes:
        return say("unknown size")
    ends = say(" to ").join(dict.fromkeys(written(size) for size in (sizes[0], sizes[-1])))
    return say("{sizes} parameters").format(sizes=ends)


def _counted(count: int, name: str, say: Say) -> tuple[str, str]:
    return str(count), say(name if count == 1 else f"{name}s")


def tally(comparisons: Sequence[Mapping[str, Any]], language: Language = "en") -> list[tuple[str, int, str]]:
    """(verdicts, how many comparisons, in words), empty ones left out."""
    verdicts, say = [one["verdict"] for one in comparisons], words_in(language)
    found = verdicts.count("wins") + verdicts.count("loses")
    rows = [
        ("wins", found, say("found a difference")),
        ("equivalent", verdicts.count("equivalent"), say("found the two equivalent")),
        ("undecided", verdicts.count("undecided"), say("undecided")),
    ]
    return [row for row in rows if row[1]]
