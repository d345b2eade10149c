"""All that is measured of curves before they are judged: growth, change, both ends, threshold and midpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from onset.analysis.curves.goodness import Candidate, best, candidates
from onset.analysis.curves.likelihood import SCATTER, Counts, Data, overdispersion, with_rho
from onset.analysis.curves.midpoint import Midpoint, midpoints
from onset.analysis.curves.series import Curve
from onset.analysis.curves.shapes import Array
from onset.analysis.curves.threshold import NOT_IN_RANGE, Threshold, leaves_chance
from onset.analysis.emergence.axis import Axis, chance_of, kind_of, prepared
from onset.analysis.emergence.change import Change, changes
from onset.analysis.emergence.ends import Ends, ends_of
from onset.analysis.emergence.jump import Bounds, p_jump
from onset.analysis.emergence.settings import EVEN, Settings
from onset.analysis.emergence.smooth import Growth, fit_growth, test_smooth


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything the verdict on one curve is decided from; ``problem``: why nothing could be tested, else empty."""

    curve: Curve
    problem: str
    growth: Growth
    change: Change
    ends: Ends
    candidates: tuple[Candidate, ...] = ()
    threshold: Threshold = NOT_IN_RANGE
    midpoint: Midpoint | None = None

    @property
    def bounded(self) -> bool:
        """Is it a curve of shares rather than of a continuous score?"""
        return not self.curve.points[0].continuous


def untested(curve: Curve, problem: str) -> Measured:
    """A curve of which nothing could be measured."""
    growth = Growth(1.0, 0, EVEN, 0.0, 0.0, 0.0, ())
    return Measured(curve, problem, growth, Change(1.0, 1.0, 0, 0.0, (0.0, 0.0), 0.0, False, 1.0), Ends())


def measure(curves: Sequence[Curve], settings: Settings) -> list[Measured]:
    """Of curves over the same sizes."""
    kind = kind_of(curves[0])
    if kind not in ("counts", "scores"):
        return [untested(curve, kind) for curve in curves]
    data, axis, keys = prepared(curves, settings)
    chance = np.array([chance_of(curve) for curve in curves])
    continuous = curves[0].points[0].continuous
    fit = fit_growth(data, axis, any_direction=True)
    moved = changes(fit.data, axis, fit, keys, [not curve.points[0].continuous for curve in curves], settings)
    bounds = Bounds(settings.margin, settings.steepest_smooth)
    # of a curve that falls it is not asked
    rises = np.flatnonzero(np.array([one.direction > 0 for one in moved]))
    jump = np.full(len(curves), EVEN)
    with ThreadPoolExecutor(1) as pool:
        jumps = pool.submit(p_jump, fit.data.take(rises), axis.x, chance[rises], bounds, continuous=continuous)
        p_values, used = test_smooth(fit, axis, keys, settings)
        described, fitted = candidates(fit.data, axis.x), fit.shares(axis)
        jump[rises] = jumps.result()
    made = []
    for row, curve in enumerate(curves):
        growth = Growth(
            p_value=float(p_values[row]),
            replicates=int(used[row]),
            p_jump=float(jump[row]),
            rise=float(np.ptp(fitted[row])),
            rho=float(fit.data.rho[row]) if isinstance(fit.data, Counts) else 0.0,
            scatter=_scatter(fit.data, axis.x, row, described[row]),
            smooth_fit=tuple(float(value) for value in fit.smooth.shares[row]),
        )
        ends = ends_of(curve, fit, axis, row, growth, settings)
        made.append(Measured(curve, "", growth, moved[row], ends, described[row]))
    return _placed(made, fit.data, axis, keys, settings)


def again(one: Measured, settings: Settings) -> Measured:
    """With p against smooth growth from as many replicates as ``settings`` say."""
    data, axis, keys = prepared([one.curve], settings)
    p, used = test_smooth(fit_growth(data, axis, any_direction=True), axis, keys, settings)
    return replace(one, growth=replace(one.growth, p_value=float(p[0]), replicates=int(used[0])))


def _placed(
    measured: Sequence[Measured], data: Data, axis: Axis, keys: Sequence[int], settings: Settings
) -> list[Measured]:
    """With thresholds and midpoints of the curves that grow."""
    made = list(measured)
    grow = [row for row, one in enumerate(made) if one.change.p_value <= settings.level and one.change.direction > 0]
    if isinstance(data, Counts):
        rows, generators = np.array(grow, dtype=np.intp), [np.random.default_rng([keys[row], 6]) for row in grow]
        found = midpoints(
            data.take(rows).plain(), axis.x, generators, margin=settings.margin, scale=made[0].curve.scale
        )
        for row, halfway in zip(grow, found, strict=True):
            made[row] = replace(made[row], midpoint=halfway if halfway.fit.drawn else None)
        # an interval is too short if it takes scatter for none because few sizes cannot show it
        data = with_rho(data, np.array([one.growth.scatter for one in made]))
    known = [row for row in grow if math.isfinite(chance_of(made[row].curve)) and made[row].bounded]
    thresholds = leaves_chance(
        data.take(np.array(known, dtype=np.intp)), axis.x, axis.every,
        np.array([chance_of(made[row].curve) for row in known]),
        [np.random.default_rng([keys[row], 3]) for row in known],
        margin=settings.margin, replicates=settings.threshold_replicates, scale=made[0].curve.scale,
    )  # fmt: skip
    for row, threshold in zip(known, thresholds, strict=True):
        made[row] = replace(made[row], threshold=threshold)
    return made


def _scatter(data: Data, x: Array, row: int, among: Sequence[Candidate]) -> float:
    """Scatter between sizes around the closest fit of any family, whether it is shown or not."""
    if not isinstance(data, Counts):
        return 0.0
    plain = data.take(np.array([row])).plain()
    fitted = np.clip(np.asarray(best(among).curve(x), dtype=np.float64), 0.0, 1.0)[None]
    found = float(overdispersion(plain, fitted, max(best(among).curve.free, 4), level=1.0)[0])
    return float(f"{found:.4g}") if found > SCATTER else 0.0  # the last digits depend on what is fitted beside it
