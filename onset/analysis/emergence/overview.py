"""All that is said of a set of curves over size: verdicts, metric checks, forecasts, families, crossovers.

A curve of accuracy is checked against the continuous scores of the same outputs (same curve and family, another
metric); curves of one ability in several families are pooled partially, never on raw size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.curves.crossing import Crossing, crossing
from onset.analysis.curves.series import Curve
from onset.analysis.emergence.families import FamilyEffect, family_effect
from onset.analysis.emergence.forecast import Forecast, Target, forecast
from onset.analysis.emergence.metric import MetricCheck, metric_check
from onset.analysis.emergence.seeds import SeedCurve, seed_curves
from onset.analysis.emergence.verdict import Emergence, Settings, emergence_of
from onset.errors import DataError, UnknownName


@dataclass(frozen=True)
class Entry:
    """One curve: ``check`` where continuous scores of the same outputs are there; ``forecast`` where asked for;
    ``seeds`` where a size has several seeds of pretraining.
    """

    found: Emergence
    check: MetricCheck | None = None
    forecast: Forecast | None = None
    seeds: SeedCurve | None = None

    def json(self) -> dict[str, Any]:
        """The keys of `Emergence.json`, and ``metric_check``, ``forecast``, ``pretraining_seeds`` (null: not made)."""
        return {
            **self.found.json(),
            "metric_check": None if self.check is None else self.check.json(),
            "forecast": None if self.forecast is None else self.forecast.json(),
            "pretraining_seeds": None if self.seeds is None else self.seeds.json(),
        }


@dataclass(frozen=True)
class Overview:
    """``entries``: a curve each, in order; ``effects``: one for each ability with thresholds in several families;
    ``crossings``: of the two curves asked for, one for each family and metric that has both.
    """

    entries: tuple[Entry, ...]
    effects: tuple[FamilyEffect, ...]
    crossings: tuple[Crossing, ...] = ()

    def json(self) -> list[dict[str, Any]]:
        """A list, one entry a curve; ``family_effect`` is that of the curve's ability (null: one family), ``crossover``
        that of the second curve asked for over the first (null: another curve).
        """
        crossed = {(one.b.curve, one.b.family, one.b.metric): one.json() for one in self.crossings}
        effects = {(one.curve, one.metric): one.json() for one in self.effects}
        return [
            {
                **one.json(),
                "family_effect": effects.get((one.found.curve.curve, one.found.curve.metric)),
                "crossover": crossed.get((one.found.curve.curve, one.found.curve.family, one.found.curve.metric)),
            }
            for one in self.entries
        ]


def overview(
    curves: Sequence[Curve],
    settings: Settings | None = None,
    *,
    ahead: Sequence[Target] | None = None,
    pair: tuple[str, str] | None = None,
    has: float | None = None,
) -> Overview:
    """Verdicts on ``curves`` and what rests on them.

    ``ahead``: also forecast each curve at these sizes (none: at its next; None: no forecast). ``pair``: names of two
    curves; from which size on is the second ahead of the first? ``has``: the accuracy that a seed of pretraining must
    be shown to exceed to have an ability (None: chance plus the margin).

    Raises InputError as `onset.analysis.emergence.forecast.forecast` and `onset.analysis.emergence.seeds.seed_curves`
    do, UnknownName for a curve that is not there, and DataError where no family has both, or seeds cannot be told
    apart.
    """
    settings = settings or Settings()
    found = _judged(curves, settings)
    scores: dict[tuple[str, str], list[Emergence]] = {}
    for one in found:
        if _is_score(one.curve):
            scores.setdefault((one.curve.curve, one.curve.family), []).append(one)
    entries = []
    for one, seeds in zip(found, seed_curves(curves, settings, above=has), strict=True):
        beside = [] if _is_score(one.curve) else scores.get((one.curve.curve, one.curve.family), [])
        check = metric_check(one, beside, settings) if beside and one.p_value is not None else None
        told = None
        if ahead is not None and _told(one):
            told = forecast(one.curve, ahead or None, scores=[score.curve for score in beside])
        entries.append(Entry(one, check, told, seeds))
    crossings = () if pair is None else _crossings(curves, pair, settings)
    return Overview(tuple(entries), _effects(found, settings), crossings)


def _crossings(curves: Sequence[Curve], pair: tuple[str, str], settings: Settings) -> tuple[Crossing, ...]:
    known = {one.curve for one in curves}
    for name in pair:
        if name not in known:
            raise UnknownName("curve", name, known)
    if pair[0] == pair[1]:
        raise DataError(f"--crossover {pair[0]} {pair[1]}: expected two curves, not one twice")
    first = {(one.family, one.metric): one for one in curves if one.curve == pair[0]}
    second = [one for one in curves if one.curve == pair[1] and (one.family, one.metric) in first]
    if not second:
        raise DataError(f"no family has both {pair[0]} and {pair[1]} in the same metric")
    return tuple(crossing(first[one.family, one.metric], one, margin=settings.margin) for one in second)


def _judged(curves: Sequence[Curve], settings: Settings) -> list[Emergence]:
    """Accuracies and continuous scores are tested apart: a score must not cost accuracy its verdict."""
    verdicts: dict[int, Emergence] = {}
    for kind in (False, True):
        rows = [row for row, one in enumerate(curves) if _is_score(one) == kind]
        judged = emergence_of([curves[row] for row in rows], settings)
        verdicts |= dict(zip(rows, judged, strict=True))
    return [verdicts[row] for row in range(len(curves))]


def _is_score(curve: Curve) -> bool:
    return curve.points[0].continuous


def _told(one: Emergence) -> bool:
    """Enough sizes to test, and an accuracy rather than a score."""
    return one.p_value is not None and not _is_score(one.curve)


def _effects(found: Sequence[Emergence], settings: Settings) -> tuple[FamilyEffect, ...]:
    groups: dict[tuple[str, str], list[Emergence]] = {}
    for one in found:
        if _told(one):
            groups.setdefault((one.curve.curve, one.curve.metric), []).append(one)
    return tuple(family_effect(members, settings) for members in groups.values() if len(members) > 1)
