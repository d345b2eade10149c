"""The figures, drawn from what `onset show --json` holds. Nothing here is estimated.

Every figure is a set of panels. A panel is one or two Vega-Lite charts stacked (accuracy, and the parse rate
below it) plus the values of the facets it belongs to, so that the report can lay panels out, hide them
behind a choice, or join them into one picture for a paper. Colours belong to methods and are the same in
every figure; dashes tell tuned from prompted; a line joins sizes of one family only.

A new figure is one file here and one line of `FIGURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onset.analysis.phrases import Language
from onset.report.figures.base import PALETTE, Figure, Panel, Shown, Style, style_of
from onset.report.figures.chains import chain_figure
from onset.report.figures.comparisons import comparison_figure
from onset.report.figures.confidence import confidence_figure
from onset.report.figures.confusion import confusion_figure
from onset.report.figures.cost import cost_figure
from onset.report.figures.forgetting import forgetting_figure
from onset.report.figures.gains import gain_figure
from onset.report.figures.halves import halves_figure
from onset.report.figures.labels import label_figure
from onset.report.figures.passages import conflict_figure, placement_figure
from onset.report.figures.pictures import PAPER_CONFIG, pictures, schema_version, specification, write_pictures
from onset.report.figures.reach import reach_figure
from onset.report.figures.robustness import drop_figure, map_figure, matched_figure
from onset.report.figures.samples import sample_figure
from onset.report.figures.seeds import seed_figure
from onset.report.figures.shift import shift_figure
from onset.report.figures.size import size_figure
from onset.report.figures.stage_gains import stage_gain_figure
from onset.report.figures.stages import stage_figure
from onset.report.figures.tasks import task_figure
from onset.report.figures.thinking import thinking_figure

__all__ = [
    "FIGURES",
    "PALETTE",
    "PAPER_CONFIG",
    "Figure",
    "Panel",
    "Shown",
    "Style",
    "figures",
    "pictures",
    "schema_version",
    "specification",
    "stage_figure",
    "style_of",
    "write_pictures",
]

FIGURES: tuple[Callable[[Shown], Figure | None], ...] = (
    size_figure,
    seed_figure,
    gain_figure,
    task_figure,
    stage_figure,
    stage_gain_figure,
    reach_figure,
    forgetting_figure,
    label_figure,
    cost_figure,
    sample_figure,
    thinking_figure,
    chain_figure,
    conflict_figure,
    placement_figure,
    confidence_figure,
    shift_figure,
    matched_figure,
    map_figure,
    drop_figure,
    halves_figure,
    comparison_figure,
    confusion_figure,
)
"""Every figure in reading order; one that has nothing to draw gives None."""


def figures(shown: Mapping[str, Any], language: Language = "en") -> list[Figure]:
    """Every figure with something in it, in reading order. ``shown``: what ``onset show --json`` prints; ``language``:
    of captions and of what stands beside the plots.
    """
    cells = [cell for cell in shown["cells"] if cell["accuracy"] is not None]
    study = Shown(cells, style_of(cells, language), shown)
    return [figure for draw in FIGURES if (figure := draw(study)) is not None]
