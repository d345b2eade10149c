"""Accuracy against model size: a logistic in log10 parameters above a chance floor.

    p(N) = c + (u - c) / (1 + exp(-k (log10 N - m)))

fitted by maximum binomial likelihood to the counts of each size, never by least squares on proportions. Without a floor
(c = 0, u = 1) it is logistic regression on log10 N. Sizes of two families never share a curve: they differ in data and
recipe as well as in size.

The counts of one size are not independent trials (the same items in every draw, noise between draws). For tests and
intervals the log-likelihood of each size is divided by its design effect (`onset.analysis.counting`). Noise between
training runs of the models themselves is not in it: one run per size cannot show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import optimize, special, stats

from onset.analysis import wording
from onset.analysis.arms import Arm
from onset.analysis.counting import counted
from onset.analysis.intervals import LEVEL, Array
from onset.errors import InputError
from onset.scores import wilson

MIN_SIZES = 3
MIN_SIZES_FOR_CEILING = 6
REACH = 3.0
"""How many decades beyond the measured sizes a midpoint is looked for."""
_STEEPEST = 60.0
_EPS = 1e-9
_ZOOMS = 6
_FLATTEST = 1e-9
_NEAR, _FAR = 61, 43
"""Midpoints at which a profile is tabled: around the best one, and over the whole reach."""

CurveVerdict = Literal["grows", "falls", "flat", "not fitted"]


@dataclass(frozen=True, slots=True)
class LogisticWithFloor:
    """``floor`` c and ``ceiling`` u (shares), ``slope`` k per decade of parameters, ``midpoint`` m in log10 of them."""

    floor: float
    ceiling: float
    slope: float
    midpoint: float

    def __call__(self, params: Array | Sequence[float]) -> Array:
        """Accuracy at ``params`` parameters."""
        x = np.log10(np.asarray(params, dtype=np.float64))
        share: Array = self.floor + (self.ceiling - self.floor) * special.expit(self.slope * (x - self.midpoint))
        return share

    @staticmethod
    def bounds(x: Array, floor: float) -> list[tuple[float, float]]:
        """Allowed (slope, midpoint, ceiling) for sizes at ``x`` = log10 parameters."""
        reach = (float(x.min()) - REACH, float(x.max()) + REACH)
        return [(-_STEEPEST, _STEEPEST), reach, (floor + 0.05 * (1 - floor), 1.0)]

    @staticmethod
    def grid(x: Array, floor: float, *, fit_ceiling: bool) -> tuple[Array, Array, Array]:
        """Midpoints, slopes and ceilings to start from: slopes are dense near 0 and reach the bounds of both signs."""
        (_, steepest), reach, (lowest, _) = LogisticWithFloor.bounds(x, floor)
        fine = 81 if fit_ceiling else 161
        slopes = np.sinh(np.linspace(-1, 1, fine) * math.asinh(steepest / 0.05)) * 0.05
        ceilings = np.linspace(lowest, 1.0, 24) if fit_ceiling else np.ones(1)
        return np.linspace(*reach, 65), slopes, ceilings


@dataclass(frozen=True)
class Fit:
    """A maximum-likelihood fit.

    ``log_likelihood`` (nats, design effects applied, without the binomial coefficients) and that of the best constant;
    ``p_flat``: chi-square p of the likelihood-ratio test against it; ``midpoint_interval``: profile likelihood, in
    log10 parameters, an end is None when it lies more than `REACH` decades beyond the sizes measured; ``at_limit``: the
    slope ran into its bound, i.e. all of the change lies between two sizes.
    """

    curve: LogisticWithFloor
    log_likelihood: float
    flat_log_likelihood: float
    p_flat: float
    midpoint_interval: tuple[float | None, float | None]
    at_limit: bool


@dataclass(frozen=True)
class SizeCurve:
    """One method's accuracy over the sizes of one family.

    ``sizes``: parameters, ascending; ``n`` and ``correct``: pooled counts of each size over all draws; ``models``: the
    models of each size. ``fit`` is None with ``verdict`` "not fitted" below three sizes.
    """

    task: str
    method: str
    labels: int
    shift: str
    stage: str
    family: str
    chance: float
    models: tuple[str, ...]
    sizes: tuple[int, ...]
    n: tuple[int, ...]
    correct: tuple[int, ...]
    design_effect: tuple[float, ...]
    fit: Fit | None
    verdict: CurveVerdict
    sentence: str


def fit_logistic(
    sizes: Sequence[int],
    correct: Sequence[int],
    n: Sequence[int],
    *,
    floor: float = 0.0,
    fit_ceiling: bool = False,
    design_effect: Sequence[float] | None = None,
) -> Fit:
    """Fit `LogisticWithFloor` to counts; the ceiling is 1 unless ``fit_ceiling``.

    Raises InputError for fewer than three different sizes (six with a fitted ceiling) or impossible counts.
    """
    _check(sizes, correct, n, floor, fit_ceiling)
    x, right, trials = (np.asarray(values, dtype=np.float64) for values in (np.log10(sizes), correct, n))
    weight = 1 / np.asarray(design_effect if design_effect is not None else np.ones(len(x)), dtype=np.float64)
    problem = _Problem(x, right, trials, weight, floor, fit_ceiling)
    best, value = _maximise(problem)
    constant = np.full(len(x), max(floor, float(weight @ right) / float(weight @ trials)))
    flat = float(_log_likelihood(constant, right, trials, weight))
    return Fit(
        curve=LogisticWithFloor(floor, float(best[2]) if fit_ceiling else 1.0, float(best[0]), float(best[1])),
        log_likelihood=value,
        flat_log_likelihood=flat,
        p_flat=float(stats.chi2.sf(max(0.0, 2 * (value - flat)), 2 if fit_ceiling else 1)),
        midpoint_interval=_profile_interval(problem, float(best[1]), value),
        at_limit=abs(float(best[0])) > 0.99 * _STEEPEST,
    )


def _check(sizes: Sequence[int], correct: Sequence[int], n: Sequence[int], floor: float, fit_ceiling: bool) -> None:
    needed = MIN_SIZES_FOR_CEILING if fit_ceiling else MIN_SIZES
    if len(set(sizes)) < needed:
        raise InputError(f"size curve: {len(set(sizes))} different sizes, at least {needed} are needed")
    if not 0 <= floor < 1:
        raise InputError(f"size curve: floor {floor} must lie in [0, 1)")
    for size, right, trials in zip(sizes, correct, n, strict=True):
        if size < 1 or trials < 1 or not 0 <= right <= trials:
            raise InputError(f"size curve: {right} correct of {trials} at {size} parameters is impossible")


def _log_likelihood(share: Array, right: Array, trials: Array, weight: Array) -> Array:
    """Over the last axis of ``share`` (sizes)."""
    share = np.clip(share, _EPS, 1 - _EPS)
    out: Array = (right * np.log(share) + (trials - right) * np.log1p(-share)) @ weight
    return out


@dataclass(frozen=True)
class _Problem:
    """Counts at ``x`` = log10 parameters, and which parameters are free."""

    x: Array
    right: Array
    trials: Array
    weight: Array
    floor: float
    fit_ceiling: bool

    def at(self, theta: Array) -> float:
        """Log-likelihood at (slope, midpoint[, ceiling])."""
        top = float(theta[2]) if self.fit_ceiling else 1.0
        return float(self.over(np.array([theta[0]]), float(theta[1]), np.array([top]))[0, 0])

    def over(self, slopes: Array, midpoint: float, ceilings: Array) -> Array:
        """Log-likelihood for all ``slopes`` x ``ceilings``."""
        rise = special.expit(slopes[:, None] * (self.x - midpoint))[:, None, :]
        share = self.floor + (ceilings[None, :, None] - self.floor) * rise
        return _log_likelihood(share, self.right, self.trials, self.weight)

    def profile(self, midpoint: float, slopes: Array, ceilings: Array) -> float:
        """Log-likelihood of a midpoint, maximal over the rest: a grid, closed in on its best point."""
        best = -math.inf
        for _ in range(_ZOOMS):
            values = self.over(slopes, midpoint, ceilings)
            row, column = np.unravel_index(int(values.argmax()), values.shape)
            best = max(best, float(values[row, column]))
            slopes, ceilings = _closer(slopes, int(row)), _closer(ceilings, int(column))
        return best


def _closer(grid: Array, best: int) -> Array:
    """A grid of 17 points between the neighbours of the best one."""
    return grid if len(grid) == 1 else np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 17)


def _maximise(problem: _Problem) -> tuple[Array, float]:
    """(slope, midpoint, ceiling) and log-likelihood: bounded quasi-Newton from several starts, polished by a simplex.

    Fitted in the logit at the mean size instead of the midpoint, which runs off to infinity when nothing changes.
    """
    centre = float(problem.x.mean())
    (flattest, steepest), reach, ceiling = LogisticWithFloor.bounds(problem.x, problem.floor)
    farthest = steepest * (reach[1] - reach[0])
    bounds = [(flattest, steepest), (-farthest, farthest), ceiling][: 3 if problem.fit_ceiling else 2]

    def loss(theta: Array) -> float:
        # a slope of exactly 0 has no midpoint
        slope = theta[0] if abs(theta[0]) > _FLATTEST else _FLATTEST
        return -problem.at(np.array([slope, centre - theta[1] / slope, *theta[2:]]))

    runs = [optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in _starts(problem, centre)]
    best = min(runs, key=lambda run: float(run.fun))
    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000}
    polished = optimize.minimize(loss, best.x, method="Nelder-Mead", bounds=bounds, options=options)
    chosen = polished if polished.fun < best.fun else best
    slope = float(chosen.x[0]) if abs(chosen.x[0]) > _FLATTEST else _FLATTEST
    top = float(chosen.x[2]) if problem.fit_ceiling else 1.0
    return np.array([slope, centre - float(chosen.x[1]) / slope, top]), -float(chosen.fun)


def _starts(problem: _Problem, centre: float) -> list[tuple[float, ...]]:
    """(slope, logit at the mean size[, ceiling]): the best three midpoints of the grid, and next to no change."""
    midpoints, slopes, ceilings = LogisticWithFloor.grid(problem.x, problem.floor, fit_ceiling=problem.fit_ceiling)
    tops = []
    for midpoint in midpoints:
        values = problem.over(slopes, float(midpoint), ceilings)
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        slope = float(slopes[row])
        tops.append((float(values.max()), (slope, slope * (centre - float(midpoint)), float(ceilings[column]))))
    tops.sort(key=lambda pair: -pair[0])
    share = float(problem.right.sum() / problem.trials.sum())
    level = float(special.logit(np.clip((share - problem.floor) / (1 - problem.floor), 0.01, 0.99)))
    free = 3 if problem.fit_ceiling else 2
    return [start[:free] for start in [*(start for _, start in tops[:3]), (0.1, level, 1.0), (-0.1, level, 1.0)]]


def _profile_interval(problem: _Problem, midpoint: float, top: float) -> tuple[float | None, float | None]:
    """Where the profile deviance first exceeds the chi-square quantile on either side; None beyond the bounds."""
    allowed = float(stats.chi2.ppf(LEVEL, 1)) / 2
    _, slopes, ceilings = LogisticWithFloor.grid(problem.x, problem.floor, fit_ceiling=problem.fit_ceiling)

    def excess(place: float) -> float:
        return top - problem.profile(place, slopes, ceilings) - allowed

    ends: list[float | None] = []
    lowest, highest = LogisticWithFloor.bounds(problem.x, problem.floor)[1]
    if not lowest < midpoint < highest:
        return _open_interval(excess, lowest, highest)
    for edge in LogisticWithFloor.bounds(problem.x, problem.floor)[1]:
        inside, outside = midpoint, None
        for place in np.linspace(midpoint, edge, 41)[1:]:
            if excess(float(place)) > 0:
                outside = float(place)
                break
            inside = float(place)
        crossed = outside is not None and excess(inside) <= 0
        ends.append(float(optimize.brentq(excess, inside, outside, xtol=1e-4)) if crossed else outside)
    return ends[0], ends[1]


def _open_interval(
    excess: Callable[[float], float], lowest: float, highest: float
) -> tuple[float | None, float | None]:
    """The midpoint itself is out of reach: the interval is open there, and may end inside on the other side."""
    places = np.linspace(lowest, highest, 81)
    allowed = [float(place) for place in places if excess(float(place)) <= 0]
    if not allowed or (allowed[0] == lowest and allowed[-1] == highest):
        return None, None
    low = None if allowed[0] == lowest else allowed[0]
    return low, None if allowed[-1] == highest else allowed[-1]


def size_curves(arms: Sequence[Arm]) -> tuple[SizeCurve, ...]:
    """One curve for every (task, method, labels, shift, stage, family)."""
    groups: dict[tuple[str, str, int, str, str, str], list[Arm]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.method, arm.labels, arm.shift, arm.stage, arm.family), []).append(arm)
    return tuple(_curve(sorted(group, key=lambda arm: arm.params)) for group in groups.values())


def _curve(group: Sequence[Arm]) -> SizeCurve:
    first = group[0]
    counts = [counted(arm.values) for arm in group]
    blank = SizeCurve(
        task=first.task,
        method=first.method,
        labels=first.labels,
        shift=first.shift,
        stage=first.stage,
        family=first.family,
        chance=first.chance,
        models=tuple(arm.model for arm in group),
        sizes=tuple(arm.params for arm in group),
        n=tuple(one.n for one in counts),
        correct=tuple(one.correct for one in counts),
        design_effect=tuple(one.design_effect for one in counts),
        fit=None,
        verdict="not fitted",
        sentence="",
    )
    distinct = len(set(blank.sizes))
    if distinct < MIN_SIZES:
        have = wording.counted(distinct, "size")
        text = f"no curve for {_what(blank)}: {have} of the family {first.family}, at least {MIN_SIZES} are needed."
        return replace(blank, sentence=text)
    fit = fit_logistic(
        blank.sizes,
        blank.correct,
        blank.n,
        floor=first.chance,
        design_effect=blank.design_effect,
        fit_ceiling=distinct >= MIN_SIZES_FOR_CEILING,
    )
    verdict: CurveVerdict = "flat" if fit.p_flat > 1 - LEVEL else "grows" if fit.curve.slope > 0 else "falls"
    fitted = replace(blank, fit=fit, verdict=verdict)
    return replace(fitted, sentence=_sentence(fitted, fit))


def midpoint_deviance(curve: SizeCurve) -> tuple[Array, Array]:
    """Midpoints (log10 parameters, ascending) and twice the log-likelihood each one loses against the best (nats).

    The places reach `REACH` decades beyond the sizes and are dense around the fitted midpoint. Raises InputError for a
    curve that was not fitted.
    """
    if curve.fit is None:
        raise InputError(f"midpoint of {_what(curve)}: the curve was not fitted, which takes {MIN_SIZES} sizes")
    x = np.log10(np.asarray(curve.sizes, dtype=np.float64))
    right, trials, effect = (np.asarray(one, dtype=np.float64) for one in (curve.correct, curve.n, curve.design_effect))
    free = len(set(curve.sizes)) >= MIN_SIZES_FOR_CEILING
    problem = _Problem(x, right, trials, 1 / effect, curve.chance, free)
    _, slopes, ceilings = LogisticWithFloor.grid(x, curve.chance, fit_ceiling=free)
    lowest, highest = LogisticWithFloor.bounds(x, curve.chance)[1]
    best = min(max(curve.fit.curve.midpoint, lowest), highest)
    ends = [best if end is None else end for end in curve.fit.midpoint_interval]
    width = max(ends[1] - ends[0], 0.05)
    near = np.linspace(best - 2 * width, best + 2 * width, _NEAR)
    places = np.unique(np.clip([*np.linspace(lowest, highest, _FAR), *near, best], lowest, highest))
    values = np.array([problem.profile(float(place), slopes, ceilings) for place in places])
    return places, 2 * (max(curve.fit.log_likelihood, float(values.max())) - values)


def size_within_reach(curve: SizeCurve, midpoint: float) -> float | None:
    """The midpoint in parameters; None when it lies more than `REACH` decades beyond the sizes measured."""
    low, high = math.log10(min(curve.sizes)) - REACH, math.log10(max(curve.sizes)) + REACH
    return 10**midpoint if low <= midpoint <= high else None


def _what(curve: SizeCurve) -> str:
    labels = wording.counted(curve.labels, "label")
    shift = "" if curve.shift == "none" else f", shift {curve.shift}"
    return f"{curve.method} on {curve.task} ({labels}{shift})"


def _sentence(curve: SizeCurve, fit: Fit) -> str:
    span = f"{wording.short_count(min(curve.sizes))} and {wording.parameters(max(curve.sizes))}"
    what = f"{_what(curve)}, family {curve.family}"
    if curve.verdict == "flat":
        text = f"{what}: no change of accuracy with size can be shown between {span}"
    elif curve.verdict == "falls":
        text = f"{what}: accuracy falls with size between {span}"
    else:
        text = f"{what}: accuracy grows with size and {midpoint_words(curve, fit)}"
    low = [
        str(model)
        for model, right, n in zip(curve.models, curve.correct, curve.n, strict=True)
        if wilson(right, n)[1] < curve.chance
    ]
    below = f"; {wording.listed(low)} lies below the chance level, which the curve cannot follow" if low else ""
    return f"{text}{below}."


def midpoint_words(curve: SizeCurve, fit: Fit) -> str:
    """Where the curve is halfway between chance and its ceiling, with its interval: the end of a sentence."""
    start = wording.percent(curve.chance) if curve.chance else "0 %"
    halfway = f"halfway between {start} and {wording.percent(fit.curve.ceiling)}"
    if fit.at_limit and math.log10(min(curve.sizes)) < fit.curve.midpoint <= math.log10(max(curve.sizes)):
        above = min(size for size in curve.sizes if math.log10(size) >= fit.curve.midpoint)
        below = max(size for size in curve.sizes if math.log10(size) < fit.curve.midpoint)
        gap = f"{wording.short_count(below)} and {wording.parameters(above)}"
        return f"passes {halfway} between {gap}; how steeply is open"
    low, high = fit.midpoint_interval
    ends = [
        f"below {wording.short_count(min(curve.sizes) / 10**REACH)}" if low is None else wording.short_count(10**low),
        f"beyond {wording.short_count(max(curve.sizes) * 10**REACH)}"
        if high is None
        else wording.short_count(10**high),
    ]
    interval = f"95 % interval {ends[0]} to {ends[1]}"
    if fit.curve.midpoint > math.log10(max(curve.sizes)):
        return f"is not yet {halfway} at the largest model ({wording.parameters(max(curve.sizes))}; {interval})"
    if fit.curve.midpoint < math.log10(min(curve.sizes)):
        return f"is already past {halfway} at the smallest model ({wording.parameters(min(curve.sizes))}; {interval})"
    return f"is {halfway} at about {wording.parameters(10**fit.curve.midpoint)} ({interval})"
