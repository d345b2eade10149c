"""What a reader sees first: the headline, at most five more findings, and the figure that bears the headline out.

Page and terminal show the same lines in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from onset.report.figures.base import Figure, Panel
from onset.report.words import sentences

MOST = 5
"""Findings under the headline."""
_WARNINGS = 2
"""Places among them that warnings about the data may take before results that come earlier."""

Row = Mapping[str, Any]
"""A finding in the shape of ``onset show --json``."""


def first_lines(findings: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The headline and at most `MOST` findings under it, and the rest; both in the order given.

    Up to two warnings have a place even where results alone would fill it: a low parse rate has to be seen.
    """
    under = range(1, len(findings))
    warnings = [place for place in under if findings[place]["tone"] == "warning"]
    results = [place for place in under if place not in warnings]
    kept = warnings[: max(_WARNINGS, MOST - len(results))]
    kept = [0, *results[: MOST - len(kept)], *kept]
    chosen = [place for place in range(len(findings)) if place in kept]
    return [findings[place] for place in chosen], [one for place, one in enumerate(findings) if place not in chosen]


def set_apart(findings: Sequence[Row]) -> tuple[Row | None, list[Row]]:
    """That cells are missing or failed, which stands before all findings; and the others."""
    unfinished = next((one for one in findings if one["verdict"] == "incomplete"), None)
    return unfinished, [one for one in findings if one is not unfinished]


def main_figure(findings: Sequence[Row], drawn: Sequence[Figure]) -> tuple[Figure, Panel] | None:
    """The figure of the first finding and the panel of its task and model; the first figure where it names none.

    Of several such panels the one of most labelled examples, on test items as given. None where nothing is drawn.
    """
    if not drawn:
        return None
    name = findings[0]["figure"] if findings else None
    figure = next((one for one in drawn if one.name == name), drawn[0])
    # a line may have cut the model's name in two: the first sentence behind it has all of it
    subject, said = findings[0]["subject"] if findings else "", ""
    if findings:
        said = " ".join([subject, findings[0]["short"], *sentences(findings[0].get("sentence", ""))[:1]])
    return figure, max(figure.panels, key=lambda panel: _rank(panel.where, subject, said))


def _rank(where: Mapping[str, str], subject: str, said: str) -> tuple[int, bool, bool, bool, int]:
    model = re.escape(where.get("model", " "))
    named = re.search(rf"(?<![\w./-]){model}(?![\w/-])", said, re.ASCII) is not None
    as_given, plain = where.get("shift") == "none", where.get("stage") == "base"
    labels = where.get("labels", "")
    return _is_about(where.get("task", ""), subject), named, as_given, plain, int(labels) if labels.isdigit() else 0


def _is_about(task: str, subject: str) -> int:
    """How well a panel's task goes with a finding's subject: the task itself, a relative of it, another."""
    if subject == task or subject.startswith(f"{task}, "):
        return 2
    return int(task.partition("[")[0] == subject.partition(",")[0].partition("[")[0])
