"""From outcomes to points of curves over size: one way for a study, and for anybody's results.

A curve is one way of asking (task, method, labels, shift, stage) in one family. Its points are counts
(`Outcomes.counts`), or a mean with its standard error for scores that are not right or wrong; the continuous scores of
the same outputs are curves of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onset.analysis.curves.series import Curve, SizePoint, curves_of
from onset.analysis.outcomes import NO_FILTER, Outcomes
from onset.analysis.outcomes.scores import BOUNDED, SCORES
from onset.analysis.stats.counting import mean_and_error
from onset.errors import DataError


def curve_label(one: Outcomes) -> str:
    """What a curve is called: ``addition, cot, 8 labels``, with shift and stage where there are any."""
    parts = [one.task, one.method, "" if one.at.labels is None else f"{one.at.labels} labels"]
    parts += [f"shift {one.shift}"] if not one.at.clean else []
    parts += [f"stage {one.stage}"] if one.at.stage else []
    return ", ".join(part for part in parts if part)


def metric_label(metric: str, filter: str) -> str:
    """``exact_match,strict-match``, as lm-evaluation-harness writes it; the metric alone without a filter."""
    return metric if filter == NO_FILTER else f"{metric},{filter}"


def point_of(
    one: Outcomes, size: float, note: Callable[[str], None] = lambda _: None, *, continuous: bool = False
) -> SizePoint:
    """The point of a model of ``size``: counts of what is right or wrong, else a mean with its standard error.

    ``note``: told of outcomes that are not measured; ``continuous``: a score of the outputs, whatever its values.
    Raises DataError where nothing is measured.
    """
    continuous = continuous or one.metric in SCORES
    known = one.values[np.isfinite(one.values)]
    if known.size < one.values.size:
        where = f"{curve_label(one)}, {one.model}, {one.metric}"
        note(f"{where}: {one.values.size - known.size} of {one.values.size} outcomes are not measured")
    common = {
        "curve": curve_label(one),
        "family": one.family,
        "model": one.model,
        "x": size,
        "metric": one.metric if continuous else metric_label(one.metric, one.filter),
        "source": one.source,
        "pretraining_seed": one.at.pretraining_seed,
    }
    if not known.size:
        raise DataError(f"{one.source}: {one.task}, {one.model}: no outcome of metric {one.metric} is measured")
    if one.binary and not continuous:
        found = one.counts()
        correct, n = found.effective()
        return SizePoint(**common, n=n, correct=correct, chance=one.chance, counted=found)  # type: ignore[arg-type]
    score, error = mean_and_error(one.values, bounded=one.metric in BOUNDED)
    shares = bool(((known >= 0) & (known <= 1)).all())
    chance = one.chance if not continuous else None
    return SizePoint(**common, score=score, stderr=error, chance=chance, continuous=continuous or not shares)  # type: ignore[arg-type]


def score_points(one: Outcomes, size: float, note: Callable[[str], None] = lambda _: None) -> list[SizePoint]:
    """The continuous scores of the same outputs, each as a point of its own.

    Items are clusters over draws; with several draws their noise is in the error too.
    """
    return [point_of(one.as_score(name), size, note, continuous=True) for name in one.outputs.scores]


def score_curves(outcomes: Sequence[Outcomes]) -> tuple[Curve, ...]:
    """The continuous scores of all ``outcomes`` with a size, as curves."""
    sized = ((one, one.at.params) for one in outcomes)
    return curves_of(point for one, size in sized if size is not None for point in score_points(one, size))
