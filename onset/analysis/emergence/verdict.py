"""Does an ability grow smoothly with size, or does it emerge?

Wei et al. 2022 ("Emergent Abilities of Large Language Models", TMLR; arXiv 2206.07682, section 2) call an ability
emergent when it is near chance up to some size and well above chance beyond. By eye that cannot be told from a smooth
curve that starts low, so the verdict `emergent` here asks three things of the counts:

1. **Faster than smooth.** The null hypothesis is the best *smooth* curve, never a straight line: a logistic in log size
   with free floor and ceiling whose odds (of what lies between floor and ceiling) grow at most in proportion to size,
   one log-odds per e-fold, so that a tenth to nine tenths of the rise take 1.9 decades; a straight line in log size; an
   error that falls as a power law of size, at most in proportion; or a log-probability that falls
   as a power law of size with an exponent up to 0.3 (three to four times that of the loss of language models, 0.05
   to 0.1: Kaplan et al. 2020), which is what looks sharp under exact match (Schaeffer et al. 2023). Against it stand
   steeper logistics, hinges and steps between sizes. The log-likelihood ratio is compared with parametric bootstrap
   replicates under the null: with a break that exists only under the alternative, chi-square quantiles are wrong
   (Davies 1987, Biometrika 74, 33-43). Replicates stop early where ten exceed the observed value (Besag and Clifford
   1991, "Sequential Monte Carlo p-values", Biometrika 78, 301-304), which keeps the p-values valid.
   Over many curves, Benjamini and Hochberg's (1995) procedure gives q-values, first for growth, then, over the curves
   that grow, for this (Yekutieli 2008, "Hierarchical False Discovery Rate-Controlling Methodology", JASA 103,
   309-316); the verdict uses q.
2. **From chance.** The sizes before the rise (at least two: those that the steep curve puts within a margin of chance,
   the larger of 5 points and a quarter of the rise), taken together, are shown to lie within that margin: two one-sided
   exact tests (Schuirmann 1987).
3. **To something.** At the largest size the fitted curve is at least 10 points above chance, and the sizes past the
   rise are above chance by an exact test.

Beside the test stands `p_jump`, the posterior probability that growth, given that there is any, is a jump from chance
rather than smooth (`onset.analysis.emergence.jump`). A curve is not called emergent unless it is above one half.

`smooth`: growth is shown, and either a jump from chance has a probability of at most 0.1, or the curve starts above
chance and smooth growth is the likelier of the two; `flat`: no change,
and one of 10 points over the sizes is excluded; `inverse`: falls; `u-shaped`: falls, then rises, by the test of Lind
and Mehlum (2010, "With or Without U?", Oxford Bulletin of Economics and Statistics 72, 109-118) and a better fit than
any monotone curve, by more than replicates of the best monotone curve show by chance. All else is
`unresolved`, with the reason: most often the items are too few to resolve what a smooth
curve would show at small sizes (1 / n).

How the replicates are drawn. A bootstrap from the one best smooth curve rejects too often with few sizes (10 % of true
nulls at a nominal 5 % with 7 sizes of 50 items): four parameters fitted to seven sizes are not the truth. So each
replicate comes from a smooth curve drawn in proportion to its likelihood (posterior predictive p-value under a flat
prior: Meng 1994, Annals of Statistics 22, 1142-1160). `benchmarks/emergence_calibration.py` measures the error rates.

Where sizes scatter more than items can explain (training runs differ), counts are taken as beta-binomial and a note
says so. The scatter is estimated again in every replicate, so its uncertainty is in the p-value. Noise between training
runs that does not show in the data is in no interval.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from scipy import stats

from onset.analysis import words
from onset.analysis.curves.fit import Best, Draws, Limits, Refined, Shapes, best_fit, refine
from onset.analysis.curves.goodness import Candidate, Fit, best, candidates, fit_of
from onset.analysis.curves.likelihood import Counts, Data, Indices, Scores, constant_fit, overdispersion, with_rho
from onset.analysis.curves.midpoint import Profile, midpoint_profile
from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.curves.shapes import (
    STEEPEST,
    Array,
    BrokenPowerLaw,
    Constant,
    ErrorPowerLaw,
    Family,
    Hinge,
    Logistic,
    LogLinear,
    LossPowerLaw,
    Quadratic,
    Step,
    logistics,
    loss_power_laws,
    place,
    unplace,
)
from onset.analysis.curves.shapes import Curve as FittedCurve
from onset.analysis.curves.threshold import NOT_IN_RANGE, Threshold, threshold_of
from onset.analysis.emergence.jump import Bounds, p_jump
from onset.analysis.stats.adjust import benjamini_hochberg
from onset.errors import InputError
from onset.records import derive_seed

EmergenceVerdict = Literal["flat", "smooth", "emergent", "inverse", "u-shaped", "unresolved"]
VERDICTS: tuple[EmergenceVerdict, ...] = get_args(EmergenceVerdict)

_NEAREST = 1e-3
MIN_SIZES = 4
"""Two sizes at chance and two to rise over are the least a jump can be seen in."""
_TOGETHER = 400
"""Curves fitted in one go."""
_BLOCK = 64
_SURE = 1e-5
"""p of a change that no replicate could show."""
_CHANGE_REPLICATES = 999
EVEN = 0.5
"""The prior probability of a jump, and what `p_jump` must exceed for `emergent`."""
_FINER = (5, 50)
"""By how much the replicates grow, in turn, where p is at their resolution and q, over many curves, is left open."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the verdict rests on; every number is printed with the results.

    ``level``: of all tests; ``margin`` and ``least_rise``: shares (0.05 = 5 points); ``steepest_smooth``: log-odds per
    decade of the steepest logistic that counts as smooth (ln 10: odds in proportion to size); ``loss_exponent``: the
    largest exponent of the power law of the log-probability in the null; ``smooth_below``: the largest probability of a
    jump with which growth is called smooth; ``support``: log-likelihood by which a valley must beat every monotone
    curve to be called u-shaped; ``replicates`` and ``exceedances``: the most bootstrap
    replicates of the test against smooth growth, and at how many larger values they stop;
    ``threshold_replicates``: of the threshold's bootstrap interval.
    """

    level: float = 0.05
    margin: float = 0.05
    least_rise: float = 0.10
    steepest_smooth: float = math.log(10)
    loss_exponent: float = 0.3
    smooth_below: float = 0.1
    support: float = 2.0
    replicates: int = 199
    exceedances: int = 10
    threshold_replicates: int = 200

    def __post_init__(self) -> None:
        for name in ("level", "margin", "least_rise", "loss_exponent"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise InputError(f"{name} is {value}: expected a number between 0 and 1")
        if not 0 < self.smooth_below <= EVEN:
            raise InputError(f"smooth_below is {self.smooth_below}: expected a number above 0, up to {EVEN}")
        if not 0 < self.steepest_smooth < STEEPEST:
            raise InputError(f"steepest_smooth is {self.steepest_smooth}: expected a number between 0 and {STEEPEST}")


@dataclass(frozen=True)
class Emergence:
    """The verdict on one curve.

    ``p_value``, ``q_value``: against smooth growth (None where nothing could be tested, q also where the curve is not
    shown to grow); ``p_change``: against no
    change at all; ``best_family``: of the families that agree with the verdict the one of lowest AIC, ``fitted`` its
    curve, ``fit`` whether the data bear it (None: not tested); ``midpoint``: where a rising curve is halfway between
    its floor and its ceiling (`onset.analysis.curves.midpoint`; None: no growth shown, no counts, or no logistic fits);
    ``p_jump``: probability that its growth is a jump from chance, given that it grows (None where it falls or could not
    be tested; where growth is not shown it says little); ``floor``: pooled accuracy of the sizes before the rise, its
    90 % interval and how many sizes; ``rise``: of the best rising curve over the sizes; ``rho``: intra-size
    correlation where sizes are overdispersed, else 0; ``scatter``: its estimate, shown or not; ``smooth_fit``: the
    best smooth curve at the sizes.
    """

    curve: Curve
    verdict: EmergenceVerdict
    p_value: float | None
    q_value: float | None
    p_change: float | None
    p_jump: float | None
    best_family: str | None
    fitted: FittedCurve | None
    threshold: Threshold
    floor: tuple[float, float, float, int] | None
    rise: float | None
    rho: float
    replicates: int
    notes: tuple[str, ...]
    smooth_fit: tuple[float, ...] = ()
    fit: Fit | None = None
    midpoint: Profile | None = field(default=None, compare=False)
    scatter: float = 0.0

    def json(self) -> dict[str, Any]:
        """The stable keys of ``onset emergence --json``, and what further says how the verdict came about."""
        return {
            "curve": self.curve.curve,
            "family": self.curve.family,
            "verdict": self.verdict,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "threshold": self.threshold.json() | {"midpoint": self._midpoint()},
            "best_family": self.best_family,
            "n_sizes": self.curve.sizes,
            "notes": list(self.notes),
            "metric": self.curve.metric,
            "scale": self.curve.scale,
            "p_jump": self.p_jump,
            "p_change": self.p_change,
            "rise": self.rise,
            "floor": None
            if self.floor is None
            else dict(zip(("share", "low", "high", "sizes"), self.floor, strict=True)),
            "overdispersion": self.rho,
            "replicates": self.replicates,
            "scatter": self.scatter,
            "fit": None if self.fit is None else self.fit.json() | self._line(self.fit),
            "points": [point.json() for point in self.curve.points],
        }

    def _midpoint(self) -> dict[str, Any] | None:
        if self.midpoint is None:
            return None
        found = self.midpoint.place(self.curve.scale)
        return {"estimate": found.estimate, "low": found.low, "high": found.high, "censored": found.censored}

    def _line(self, fit: Fit) -> dict[str, Any]:
        """The curve as values over the sizes; none where it is rejected."""
        if not fit.drawn:
            return {"sizes": [], "values": []}
        scale = self.curve.scale
        measured = place([point.x for point in self.curve.points], scale)
        places, values = fit.values(measured, bounded=not self.curve.points[0].continuous)
        return {"sizes": [unplace(float(one), scale) for one in places], "values": [float(one) for one in values]}


def emergence_of(
    curves: Sequence[Curve],
    settings: Settings | None = None,
    *,
    adjust: bool = True,
    workers: int | None = None,
) -> tuple[Emergence, ...]:
    """The verdict on each of ``curves``, in their order, with q-values over all of them.

    A curve's own numbers depend on nothing but its points and the settings; q depends on the company, and where it is
    left open because p is at the resolution of the replicates, that curve gets five, then fifty times as many.
    ``adjust``: False takes every curve as the only one (q is p).
    ``workers``: processes (None: as many as there are processors, where there are curves enough to be worth it).
    """
    settings = settings or Settings()
    tasks: list[tuple[list[int], list[Curve]]] = []
    for members in _same_axis(curves):
        for start in range(0, len(members), _TOGETHER):
            rows = members[start : start + _TOGETHER]
            tasks.append((rows, [curves[row] for row in rows]))
    count = workers or (os.cpu_count() or 1)
    if count > 1 and len(curves) > _TOGETHER:
        with ProcessPoolExecutor(count) as pool:
            parts = list(pool.map(_measured, [part for _, part in tasks], [settings] * len(tasks)))
    else:
        parts = [_measured(part, settings) for _, part in tasks]
    measured: list[_Measured | None] = [None] * len(curves)
    for (rows, _), part in zip(tasks, parts, strict=True):
        for row, one in zip(rows, part, strict=True):
            measured[row] = one
    whole = [one for one in measured if one is not None]
    whole = _with_q_change(whole, adjust)
    q = _q_values(whole, settings, adjust)
    for times in _FINER if adjust else ():
        finer = replace(settings, replicates=times * settings.replicates)
        whole = [_finer(one, value, finer) for one, value in zip(whole, q, strict=True)]
        q = _q_values(whole, settings, adjust)
    return tuple(_decide(one, value, settings) for one, value in zip(whole, q, strict=True))


def _finer(one: _Measured, q: float | None, settings: Settings) -> _Measured:
    """More replicates where p is as small as the replicates can show and q is not small enough to say so."""
    few = one.p_value is not None and one.p_value * (one.replicates + 1) <= settings.exceedances / 2
    if q is None or q <= settings.level or not few:
        return one
    data, axis, keys = _prepared([one.curve], settings)
    p, used = _test_smooth(_fit(data, axis, any_direction=True), axis, keys, settings)
    return replace(one, p_value=float(p[0]), replicates=int(used[0]))


def _with_q_change(measured: Sequence[_Measured], adjust: bool) -> list[_Measured]:
    """With q against no change at all, over all curves tested."""
    tested = [row for row, one in enumerate(measured) if not one.problem]
    changes = [measured[row].p_change for row in tested]
    q = dict(zip(tested, benjamini_hochberg(changes) if adjust else changes, strict=True))
    return [replace(one, q_change=q.get(row, 1.0)) for row, one in enumerate(measured)]


def _q_values(measured: Sequence[_Measured], settings: Settings, adjust: bool) -> list[float | None]:
    """Each q against smooth growth, over the curves whose growth is shown at the same rate; None for the others."""
    grown = [
        row for row, one in enumerate(measured)
        if not one.problem and one.q_change <= settings.level and one.direction > 0
    ]  # fmt: skip
    values = [float(measured[row].p_value or 1.0) for row in grown]
    found = dict(zip(grown, benjamini_hochberg(values) if adjust else values, strict=True))
    return [found.get(row) for row in range(len(measured))]


def _same_axis(curves: Sequence[Curve]) -> Iterable[list[int]]:
    """Rows that can be fitted together: same sizes, scale and kind of data."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, curve in enumerate(curves):
        key = (curve.scale, tuple(point.x for point in curve.points), _kind(curve))
        groups.setdefault(key, []).append(row)
    return groups.values()


def _kind(curve: Curve) -> str:
    """``counts``, ``scores``, or why the curve cannot be tested."""
    points = curve.points
    if curve.sizes < MIN_SIZES:
        return f"{words.counted(curve.sizes, 'size')}, at least {MIN_SIZES} are needed"
    if float(np.ptp(place([point.x for point in points], curve.scale))) < _NEAREST:
        return "no test: its sizes differ by less than a thousandth of a decade"
    if all(point.n for point in points) and not points[0].continuous:
        return "counts"
    return "scores" if all(point.score is not None and point.stderr for point in points) else _no_errors(points)


def _no_errors(points: Sequence[SizePoint]) -> str:
    exact = [point.model for point in points if point.score is not None and point.stderr == 0]
    if exact:
        return f"no test: the standard error is 0 for {words.listed(exact[:3])}: give n and correct instead"
    missing = [point.model for point in points if not point.n and not point.stderr]
    if missing:
        return f"no test: neither counts nor a standard error is known for {words.listed(missing[:3])}"
    return "no test: some points are counts, others scores: give all of them in one way"


# ---- what is measured, curve by curve ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Measured:
    """Everything the verdict on one curve is decided from."""

    curve: Curve
    problem: str = ""
    p_value: float | None = None
    replicates: int = 0
    p_change: float = 1.0
    direction: int = 0
    change: float = 0.0
    fall: float = 0.0
    q_change: float = 1.0
    change_range: tuple[float, float] = (0.0, 0.0)
    rise: float = 0.0
    top: float = 0.0
    top_p: float = 1.0
    floor: tuple[float, float, float, int] | None = None
    floor_state: str = ""
    u_shaped: bool = False
    p_jump: float = EVEN
    p_valley: float = 1.0
    above: bool = True
    scatter: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    midpoint: Profile | None = None
    threshold: Threshold = field(default_factory=lambda: NOT_IN_RANGE)
    rho: float = 0.0
    smooth_fit: tuple[float, ...] = ()
    unseen: float | None = None
    below: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Axis:
    """The shapes over one set of sizes."""

    x: Array
    smooth: Shapes
    sharp: Shapes
    every: Shapes
    coarse: Shapes
    limits: Limits
    sharp_limits: Limits


@lru_cache(maxsize=64)
def _axis(places: tuple[float, ...], settings: Settings) -> _Axis:
    x = np.array(places)
    smooth = (
        (Logistic, logistics(x, 0.25, settings.steepest_smooth, 6)),
        (LossPowerLaw, loss_power_laws(x, settings.loss_exponent)),
        (ErrorPowerLaw, np.array([[one, x.min()] for one in np.geomspace(0.05, 1.0, 6)])),
        (LogLinear, LogLinear.grid(x)),
    )
    sharp = (
        (Logistic, logistics(x, 1.2 * settings.steepest_smooth, STEEPEST, 7)),
        (Hinge, Hinge.grid(x)),
        (Step, Step.grid(x)),
    )
    limits: Limits = {
        Logistic: (((0.05, settings.steepest_smooth), (float(x.min()) - 2, float(x.max()) + 2)), (0.3, 0.12)),
        ErrorPowerLaw: (((0.01, 1.0), (float(x.min()), float(x.min()))), (0.15, 0.0)),
        LossPowerLaw: (((0.01, settings.loss_exponent), (float(x.min()) - 20, float(x.max()) + 20)), (0.05, 0.3)),
    }
    return _Axis(
        x,
        Shapes.of(x, *smooth),
        Shapes.of(x, *sharp),
        Shapes.of(x, *smooth, *sharp),
        Shapes.of(x, (Logistic, logistics(x, 0.5, STEEPEST / 4, 4)), (Step, Step.grid(x))),
        limits,
        {
            Logistic: (((0.05, STEEPEST), (float(x.min()) - 2, float(x.max()) + 2)), (1.0, 0.06)),
            Hinge: ((Hinge.bounds(x)[0],), (0.05,)),
        },
    )


_PAST = 0.9
_FLOOR_SIZES = 2
_NO_SCATTER = 1e-6
_KEPT = 60
"""Shapes solved exactly where the best has to be found: the first pass misranks them where shares are near 0 or 1."""


def _of_rise(values: Array) -> Array:
    """Shapes as shares of their rise over the sizes (last axis)."""
    low = values.min(axis=-1, keepdims=True)
    out: Array = (values - low) / np.maximum(np.ptp(values, axis=-1, keepdims=True), 1e-12)
    return out


def _measured(curves: Sequence[Curve], settings: Settings) -> list[_Measured]:
    """Of curves over the same sizes."""
    kind = _kind(curves[0])
    if kind not in ("counts", "scores"):
        return [_Measured(curve, problem=kind) for curve in curves]
    data, axis, keys = _prepared(curves, settings)
    chance = np.array([_chance(curve) for curve in curves])
    fit = _fit(data, axis, any_direction=True)
    data, smooth = fit.data, fit.smooth
    p_values, used = _test_smooth(fit, axis, keys, settings)
    shares = [not curve.points[0].continuous for curve in curves]
    changes = _changes(data, axis, fit, keys, shares, settings)
    bounds = Bounds(settings.margin, settings.steepest_smooth)
    jump = p_jump(data, axis.x, chance, bounds, continuous=curves[0].points[0].continuous)
    described = candidates(data, axis.x)
    fitted = fit.shares(axis)
    made = []
    for row, curve in enumerate(curves):
        one = _Measured(
            curve=curve,
            p_value=float(p_values[row]),
            replicates=int(used[row]),
            p_jump=float(jump[row]),
            rho=float(data.rho[row]) if isinstance(data, Counts) else 0.0,
            smooth_fit=tuple(float(value) for value in smooth.shares[row]),
            rise=float(np.ptp(fitted[row])),
            **changes[row],
            candidates=described[row],
            scatter=_scatter(data, axis.x, row, described[row]),
        )
        made.append(_described(one, fit, axis, row, float(chance[row]), keys[row], settings))
    return made


def _prepared(curves: Sequence[Curve], settings: Settings) -> tuple[Data, _Axis, list[int]]:
    """(data by ascending place, axis, a seed of each row's own) of curves over the same sizes."""
    x = place([point.x for point in curves[0].points], curves[0].scale)
    order = np.argsort(x, kind="stable")  # loss falls as models grow
    data = _data(curves, order, _kind(curves[0]))
    keys = [derive_seed("emergence", str(_numbers(data, row))) for row in range(len(curves))]
    return data, _axis(tuple(x[order].tolist()), settings), keys


def _data(curves: Sequence[Curve], order: np.ndarray[Any, Any], kind: str) -> Data:
    def table(name: str) -> Array:
        return np.array([[getattr(point, name) for point in curve.points] for curve in curves], dtype=np.float64)[
            :, order
        ]

    if kind == "counts":
        return Counts(table("correct"), table("n"), np.zeros(len(curves)))
    return Scores(table("score"), table("stderr"))


def _numbers(data: Data, row: int) -> list[float]:
    parts = (data.right, data.n) if isinstance(data, Counts) else (data.value, data.error)
    return [float(value) for part in parts for value in part[row]]


def _chance(curve: Curve) -> float:
    chance = curve.points[0].chance
    return math.nan if chance is None else chance


@dataclass(frozen=True, eq=False)
class _Fit:
    """The best smooth and the best sharp curve of each row, with the scatter between sizes that they leave.

    ``scatter``: the estimate of rho, shown or not (replicates are drawn with it); ``data`` carry it where it is shown.
    """

    data: Data
    sharp: Best
    smooth: Refined
    scatter: Array

    @property
    def ratio(self) -> Array:
        """Log-likelihood ratio against smooth growth, per row."""
        return np.maximum(self.sharp.log_likelihood - self.smooth.log_likelihood, 0.0)

    def shares(self, axis: _Axis) -> Array:
        """The better of the two curves at the sizes."""
        better = self.sharp.log_likelihood > self.smooth.log_likelihood
        return np.where(better[:, None], self.sharp.shares(axis.sharp), self.smooth.shares)


def _fit(data: Data, axis: _Axis, *, any_direction: bool = False) -> _Fit:
    """The whole of what is done to a row of counts, observed or simulated.

    ``any_direction``: take scatter around a falling or u-shaped curve where one fits better (replicates all rise).
    """
    fit = _plain(data, axis)
    if not isinstance(data, Counts):
        return fit
    p = _best_of_any(data, axis, fit) if any_direction else fit.shares(axis)
    scatter = overdispersion(data, p, 4, level=1.0)
    rho = np.where(overdispersion(data, p, 4) > 0, scatter, 0.0)
    shown = np.flatnonzero(rho > 0)
    if shown.size:
        # with many items the grid of sharp curves is coarse, and what it misses is no scatter
        part = data.take(shown)
        closer = refine(part, axis.x, axis.sharp, fit.sharp.take(shown), axis.sharp_limits).shares
        options = np.stack([p[shown], closer], axis=1)
        p[shown] = options[np.arange(len(shown)), part.log_likelihood(options).argmax(axis=1)]
        scatter[shown] = overdispersion(part, p[shown], 4, level=1.0)
        rho[shown] = np.where(overdispersion(part, p[shown], 4) > 0, scatter[shown], 0.0)
        shown = np.flatnonzero(rho > 0)
    if not shown.size:
        return replace(fit, scatter=scatter)
    again = _plain(with_rho(data.take(shown), rho[shown]), axis)
    sharp = {name: getattr(fit.sharp, name).copy() for name in Best.__dataclass_fields__}
    for name, values in sharp.items():
        values[shown] = getattr(again.sharp, name)
    found, shares = fit.smooth.log_likelihood.copy(), fit.smooth.shares.copy()
    found[shown], shares[shown] = again.smooth.log_likelihood, again.smooth.shares
    return _Fit(with_rho(data, rho), Best(**sharp), Refined(found, shares), scatter)


def _best_of_any(data: Counts, axis: _Axis, fit: _Fit) -> Array:
    """Shares of the likeliest of the rising, falling and quadratic curves, per row."""
    turned = best_fit(_turned(data), axis.every)
    curved = _polynomial(data, axis.x, 2)[0] @ ((axis.x - axis.x.mean())[:, None] ** np.arange(3)[None, :]).T
    options = np.stack([fit.shares(axis), 1 - turned.shares(axis.every), np.clip(curved, 1e-6, 1 - 1e-6)], axis=1)
    best: Array = options[np.arange(len(options)), data.log_likelihood(options).argmax(axis=1)]
    return best


def _plain(data: Data, axis: _Axis) -> _Fit:
    smooth = refine(data, axis.x, axis.smooth, best_fit(data, axis.smooth), axis.limits)
    return _Fit(data, best_fit(data, axis.sharp), smooth, np.zeros(len(data.share)))


def _test_smooth(fit: _Fit, axis: _Axis, keys: Sequence[int], settings: Settings) -> tuple[Array, Array]:
    """(p, replicates used) of "no faster than smooth", per row."""
    model = with_rho(fit.data, fit.scatter) if isinstance(fit.data, Counts) else fit.data

    def statistic(replicates: Data) -> Array:
        plain = with_rho(replicates, np.zeros(len(replicates.share))) if isinstance(replicates, Counts) else replicates
        return _fit(plain, axis).ratio

    generators = [np.random.default_rng([key, 1]) for key in keys]
    draws = Draws.of(fit.data, axis.smooth)
    return _sequential(model, draws.shares, fit.ratio, statistic, generators, settings)


def _sequential(
    data: Data,
    null: Callable[[int, int, np.random.Generator], Array],
    observed: Array,
    statistic: Any,
    generators: Sequence[np.random.Generator],
    settings: Settings,
) -> tuple[Array, Array]:
    """Sequential Monte Carlo p-values: h / l when the h-th exceedance comes at replicate l, else (g + 1) / (n + 1)."""
    rows = len(observed)
    p, used, hits = np.ones(rows), np.zeros(rows), np.zeros(rows)
    active: Indices = np.flatnonzero(observed > 1e-6)
    done = 0
    while active.size and done < settings.replicates:
        size = min(_BLOCK if done else 24, settings.replicates - done)
        chosen = [generators[int(row)] for row in active]
        shares = np.stack([null(int(row), size, generator) for row, generator in zip(active, chosen, strict=True)])
        simulated = data.take(active).simulate(shares, chosen)
        values = statistic(simulated).reshape(len(active), size)
        above = values >= observed[active, None] - 1e-9
        counted = hits[active, None] + above.cumsum(axis=1)
        stopped = counted >= settings.exceedances
        ends = stopped.any(axis=1)
        first = stopped.argmax(axis=1) + 1
        used[active] = done + np.where(ends, first, size)
        hits[active] = counted[:, -1]
        p[active] = np.where(ends, settings.exceedances / used[active], (hits[active] + 1) / (used[active] + 1))
        active = active[~ends]
        done += size
    return p, used


def _changes(
    data: Data, axis: _Axis, fit: _Fit, keys: Sequence[int], shares: Sequence[bool], settings: Settings
) -> list[dict[str, Any]]:
    """Change over the sizes: its test, direction and range, and whether it is u-shaped."""
    plain = with_rho(data, np.zeros(len(data.share))) if isinstance(data, Counts) else data
    level = constant_fit(plain)[1]
    up = np.maximum(fit.sharp.log_likelihood, fit.smooth.log_likelihood)
    falling = best_fit(_turned(data), axis.every)
    down, falls = falling.log_likelihood, np.ptp(falling.shares(axis.every), axis=1)

    def statistic(replicates: Data) -> Array:
        return _change_ratio(replicates, axis)

    fitted = _best_of_any(plain, axis, fit) if isinstance(plain, Counts) else fit.shares(axis)
    observed = _change_ratio(plain, axis, fitted)
    rows = len(observed)
    # more than 12 nats are beyond any search over these shapes: 1e-8 before a factor of some hundred
    p = np.full(rows, _SURE)
    open_rows = np.flatnonzero(observed <= 12)

    if open_rows.size:
        sizes = data.share.shape[1]

        def flat(row: int, times: int, generator: np.random.Generator) -> Array:
            at = int(open_rows[row])
            if isinstance(plain, Counts):
                return _scattered(plain.right[at], plain.n[at], float(level[at]), fitted[at], times, generator)
            return np.full((times, sizes), level[at])

        generators = [np.random.default_rng([keys[int(row)], 2]) for row in open_rows]
        more = replace(settings, replicates=max(settings.replicates, _CHANGE_REPLICATES))
        p[open_rows] = _sequential(plain.take(open_rows), flat, observed[open_rows], statistic, generators, more)[0]
    linear = _polynomial(data, axis.x, 1)
    curved = _polynomial(data, axis.x, 2)
    out = []
    for row in range(rows):
        width = float(np.ptp(axis.x))
        slope, error = float(linear[0][row, 1]), math.sqrt(float(linear[1][row, 1, 1]))
        reach = float(stats.norm.ppf(1 - settings.level)) * error
        out.append(
            {
                "p_change": float(p[row]),
                "direction": 1 if up[row] >= down[row] else -1,
                "fall": float(falls[row]),
                "change": slope * width,
                "change_range": ((slope - reach) * width, (slope + reach) * width),
                "u_shaped": _u_shaped(axis.x, curved, row, float(max(up[row], down[row])), settings, shares[row]),
            }
        )
    valleys = np.array([row for row in range(rows) if out[row]["u_shaped"]], dtype=np.intp)
    if valleys.size:
        rising = np.where((up >= down)[:, None], fit.shares(axis), _unturned(data, falling.shares(axis.every)))
        beaten = curved[2] - np.maximum(up, down)
        p_valley = _test_valley(data.take(valleys), axis, rising[valleys], beaten[valleys], keys, valleys, settings)
        for row, value in zip(valleys, p_valley, strict=True):
            out[row]["p_valley"] = float(value)
    return out


def _test_valley(
    data: Data, axis: _Axis, monotone: Array, beaten: Array, keys: Sequence[int], rows: Indices, settings: Settings
) -> Array:
    """The p of a quadratic beating every monotone curve by as much: replicates of the best monotone one.

    With few items the slopes of Lind and Mehlum's test are far from normal. ``beaten``: nats, as measured.
    """

    def statistic(replicates: Data) -> Array:
        rising = best_fit(replicates, axis.every, kept=_KEPT)
        falling = best_fit(_turned(replicates), axis.every, kept=_KEPT)
        most = np.maximum(rising.log_likelihood, falling.log_likelihood)
        out: Array = _polynomial(replicates, axis.x, 2)[2] - most
        return out

    def null(row: int, times: int, generator: np.random.Generator) -> Array:
        return np.repeat(monotone[row][None], times, axis=0)

    generators = [np.random.default_rng([keys[int(row)], 5]) for row in rows]
    more = replace(settings, replicates=max(settings.replicates, _CHANGE_REPLICATES))
    return _sequential(data, null, np.minimum(beaten, statistic(data)), statistic, generators, more)[0]


def _scattered(
    right: Array, n: Array, level: float, fitted: Array, times: int, generator: np.random.Generator
) -> Array:
    """``times`` x sizes: shares of no change, with scatter between sizes drawn from what the counts say of it.

    Pearson's statistic around the best curve, over the scatter's factor 1 + (n - 1) rho, is about chi-square with four
    degrees of freedom fewer than sizes: each replicate takes one draw of that (a flat prior, as for the smooth
    curves). Around no change, a jump would be taken for scatter.
    """
    around, inside = np.clip(fitted, 1e-6, 1 - 1e-6), min(max(level, 1e-6), 1 - 1e-6)
    used = np.minimum(n * around, n * (1 - around)) >= 1
    statistic = float(((right - n * around) ** 2 / (n * around * (1 - around)))[used].sum())
    factor = statistic / generator.chisquare(max(int(used.sum()) - 4, 1), times)
    rho = np.clip((factor - 1) / max(float(n.mean()) - 1, 1.0), 0.0, 0.95)[:, None]
    size = (1 - rho) / np.maximum(rho, 1e-9)
    spread = generator.beta(np.maximum(inside * size, 1e-6), np.maximum((1 - inside) * size, 1e-6), (times, len(n)))
    return np.where(rho > 1e-6, spread, level)


def _change_ratio(data: Data, axis: _Axis, around: Array | None = None) -> Array:
    """Log-likelihood ratio of the best rising, falling or quadratic curve against none, with the scatter it leaves.

    ``around``: shares of a closer fit to take the scatter from (rows x sizes); what a coarse one misses is no scatter.
    """
    rising, falling = best_fit(data, axis.coarse), best_fit(_turned(data), axis.coarse)
    coefficients, _, curved = _polynomial(data, axis.x, 2)
    found = np.stack([rising.log_likelihood, falling.log_likelihood, curved])
    ratio = found.max(axis=0) - constant_fit(data)[0]
    if isinstance(data, Counts) and not data.rho.any():
        arch = coefficients @ ((axis.x - axis.x.mean())[:, None] ** np.arange(3)[None, :]).T
        options = np.stack([rising.shares(axis.coarse), 1 - falling.shares(axis.coarse), np.clip(arch, 1e-6, 1 - 1e-6)])
        chosen = options[found.argmax(axis=0), np.arange(len(ratio))] if around is None else around
        rho = overdispersion(data, chosen, 4)
        shown = np.flatnonzero(rho > 0)
        if shown.size:
            ratio[shown] = _change_ratio(with_rho(data.take(shown), rho[shown]), axis)
    out: Array = np.maximum(ratio, 0.0)
    return out


def _turned(data: Data) -> Data:
    """The same data with right and wrong exchanged: falling curves become rising ones."""
    if isinstance(data, Counts):
        return Counts(data.n - data.right, data.n, data.rho)
    return Scores(-data.value, data.error)


def _unturned(data: Data, fitted: Array) -> Array:
    """Values fitted to turned data as values of the data themselves."""
    out: Array = 1 - fitted if isinstance(data, Counts) else -fitted
    return out


def _polynomial(data: Data, x: Array, degree: int) -> tuple[Array, Array, Array]:
    """Polynomial of the share in x (identity link): coefficients, covariances, log-likelihoods, per row."""
    centred = x - x.mean()
    basis = centred[:, None] ** np.arange(degree + 1)[None, :]
    weight = data.start_weight()
    for _ in range(4):
        information = np.einsum("rs,si,sj->rij", weight, basis, basis)
        moment = np.einsum("rs,si,rs->ri", weight, basis, data.share)
        coefficients = np.linalg.solve(information, moment[:, :, None])[:, :, 0]
        fitted = coefficients @ basis.T
        weight = data.weight(np.clip(fitted, 0.005, 0.995)[:, None, :])[:, 0] if data.bounded else weight
    found = data.log_likelihood(fitted[:, None, :])[:, 0]
    return coefficients, np.linalg.inv(information), found


def _u_shaped(
    x: Array, curved: tuple[Array, Array, Array], row: int, monotone: float, settings: Settings, bounded: bool
) -> bool:
    """Lind and Mehlum's test: the slope is negative at the smallest size and positive at the largest."""
    coefficients, covariance, found = curved[0][row], curved[1][row], float(curved[2][row])
    if found < monotone + settings.support:
        return False
    centred = x - x.mean()
    for end, sign in ((float(centred[0]), -1.0), (float(centred[-1]), 1.0)):
        gradient = np.array([0.0, 1.0, 2 * end])
        slope = float(gradient @ coefficients)
        error = math.sqrt(float(gradient @ covariance @ gradient))
        if stats.norm.sf(sign * slope / error) > settings.level:
            return False
    bottom = -coefficients[1] / (2 * coefficients[2])
    arms = [coefficients[2] * (float(end) - bottom) ** 2 for end in (centred[0], centred[-1])]
    return bool(min(arms) >= (settings.margin if bounded else 0.0))


def _agrees(one: Candidate, verdict: EmergenceVerdict, q: float | None, settings: Settings, x: Array) -> bool:
    """Is the curve of the kind that the verdict names?"""
    curve, ends = one.curve, np.asarray(one.curve(x[[0, -1]]))
    kind = curve.family
    steep = kind in (Hinge, Step, BrokenPowerLaw) or (kind is Logistic and curve["slope"] > settings.steepest_smooth)
    if verdict == "u-shaped":
        return kind is Quadratic
    if verdict == "inverse":
        return bool(ends[1] < ends[0]) and kind is not Constant
    if kind is Quadratic and x[0] < curve["at"] < x[-1]:
        return verdict == "unresolved"
    if verdict == "emergent":
        return steep and bool(ends[1] > ends[0])
    if verdict == "smooth":
        return bool(ends[1] > ends[0]) and (not steep or (q is not None and q <= settings.level))
    return verdict == "flat" or q is None or bool(ends[1] > ends[0])


_OPPOSITE: Mapping[str, tuple[Family, ...]] = {
    "emergent": (Constant, LogLinear, Quadratic, ErrorPowerLaw, LossPowerLaw),
    "smooth": (Constant, Step),
    "u-shaped": (Constant, LogLinear, Logistic, Hinge, Step, ErrorPowerLaw, LossPowerLaw),
}
"""What is never drawn under a verdict, however well it fits."""


def curve_kind(verdict: EmergenceVerdict) -> str:
    """What a curve has to be to be drawn under the verdict, in words."""
    return {"emergent": "steep curve", "smooth": "smooth curve"}.get(verdict, "curve of the families")


def _fit_with(one: _Measured, verdict: EmergenceVerdict, q: float | None, settings: Settings) -> Fit | None:
    """The curve that goes with the verdict: of the families of its kind the one of lowest AIC that the data bear.

    Where they bear none of these, of the other families but for those that say the opposite of the verdict; where they
    bear no curve at all, the first one, not drawn.
    """
    if one.problem:
        return None
    data, axis, keys = _prepared([one.curve], settings)
    generator = np.random.default_rng([keys[0], 4])
    kind = [candidate for candidate in one.candidates if _agrees(candidate, verdict, q, settings, axis.x)]
    if verdict == "flat" and one.q_change > settings.level:
        kind = [candidate for candidate in one.candidates if candidate.curve.family is Constant]
    others = [candidate for candidate in one.candidates if candidate.curve.family not in _OPPOSITE.get(verdict, ())]
    tried = [candidate for among in (kind, others) for candidate in sorted(among, key=lambda candidate: candidate.aic)]
    fits = (fit_of(data, axis.x, candidate.curve, generator, margin=settings.margin) for candidate in tried)
    first = next(fits)
    return first if first.drawn else next((fit for fit in fits if fit.drawn), first)


# ---- floor, top, threshold of one curve -----------------------------------------------------------------------------


def _described(
    one: _Measured, fit: _Fit, axis: _Axis, row: int, chance: float, key: int, settings: Settings
) -> _Measured:
    """With floor, top and threshold."""
    data, sharp = fit.data.take(np.array([row])), fit.sharp
    values = _of_rise(axis.sharp.values[sharp.shape[row]])
    margin = max(settings.margin, one.rise / 4)
    low, past = values < 0.25, values > _PAST
    if math.isfinite(chance):
        within = sharp.shares(axis.sharp)[row] < chance + margin
        low = within if within.any() else low
    low_sizes = int(np.unique(axis.x[low]).size)
    floor, state = _floor(data, low, low_sizes, chance, margin, settings)
    top, top_p = _top(data, past, chance, float(sharp.shares(axis.sharp)[row, -1]))
    grows = one.p_change <= settings.level and one.direction > 0
    threshold = NOT_IN_RANGE
    if grows and math.isfinite(chance) and not one.curve.points[0].continuous:
        # an interval is too short if it takes scatter for none because few sizes cannot show it
        scattered = with_rho(data, np.array([one.scatter])) if isinstance(data, Counts) else data
        threshold = threshold_of(
            scattered, axis.x, axis.every, chance, np.random.default_rng([key, 3]), margin=settings.margin,
            replicates=settings.threshold_replicates, to_size=lambda value: unplace(value, one.curve.scale),
        )  # fmt: skip
    midpoint = None
    if grows and isinstance(data, Counts):
        plain = with_rho(data, np.zeros(1))
        found = midpoint_profile(plain, axis.x, np.random.default_rng([key, 6]), margin=settings.margin)
        midpoint = found if found.fit.drawn else None
    return replace(
        one, midpoint=midpoint, above=_shown_above(data, chance, settings.level),
        floor=floor, floor_state=state, top=top, top_p=top_p, threshold=threshold,
        unseen=_unseen(one, data, low, chance), below=_below(one.curve, data, chance),
    )  # fmt: skip


def _floor(
    data: Data, low: np.ndarray[Any, Any], sizes: int, chance: float, margin: float, settings: Settings
) -> tuple[tuple[float, float, float, int] | None, str]:
    """(pooled share, interval at 1 - 2 level, sizes) before the rise, and whether it is at chance."""
    if not low.any():
        return None, "open"
    if isinstance(data, Counts):
        inflation = 1 + (data.n[0] - 1) * data.rho[0]
        n, right = float((data.n[0] / inflation)[low].sum()), float((data.right[0] / inflation)[low].sum())
        share = right / n
        ends = clopper_pearson(right, n, 1 - 2 * settings.level)
    else:
        weight = data.start_weight()[0][low]
        share = float(np.average(data.share[0][low], weights=weight))
        half = float(stats.norm.ppf(1 - settings.level)) / math.sqrt(float(weight.sum()))
        ends = share - half, share + half
    floor = (share, *ends, sizes)
    if sizes < _FLOOR_SIZES:
        return floor, "too few sizes"
    if not math.isfinite(chance):
        return floor, "chance unknown"
    if chance - margin < ends[0] and ends[1] < chance + margin:
        return floor, "at chance"
    return floor, "above" if ends[0] > chance + margin else "below" if ends[1] < chance - margin else "open"


def clopper_pearson(right: float, n: float, level: float) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934); ``right`` and ``n`` may be effective numbers."""
    tail = (1 - level) / 2
    low = 0.0 if right <= 0 else float(stats.beta.ppf(tail, right, n - right + 1))
    high = 1.0 if right >= n else float(stats.beta.ppf(1 - tail, right + 1, n - right))
    return low, high


def _top(data: Data, past: np.ndarray[Any, Any], chance: float, fitted: float) -> tuple[float, float]:
    """Fitted share at the largest size, and the p of the sizes past the rise being no better than chance."""
    past = past.copy()
    past[-1] = True
    if not math.isfinite(chance):
        return fitted, 0.0
    if isinstance(data, Counts):
        inflation = 1 + (data.n[0] - 1) * data.rho[0]
        n, right = float((data.n[0] / inflation)[past].sum()), float((data.right[0] / inflation)[past].sum())
        # P(X >= right) as the tail of a beta, for fractional counts
        p = 1.0 if right <= 0 else float(stats.beta.cdf(chance, right, n - right + 1))
        return fitted, p
    weight = data.start_weight()[0][past]
    mean = float(np.average(data.share[0][past], weights=weight))
    return fitted, float(stats.norm.sf((mean - chance) * math.sqrt(float(weight.sum()))))


def _scatter(data: Data, x: Array, row: int, among: Sequence[Candidate]) -> float:
    """Scatter between sizes around the closest fit of any family, whether it is shown or not."""
    if not isinstance(data, Counts):
        return 0.0
    plain = Counts(data.right[[row]], data.n[[row]], np.zeros(1))
    fitted = np.clip(np.asarray(best(among).curve(x), dtype=np.float64), 0.0, 1.0)[None]
    found = float(overdispersion(plain, fitted, max(best(among).curve.free, 4), level=1.0)[0])
    return float(f"{found:.4g}") if found > _NO_SCATTER else 0.0  # the last digits depend on what is fitted beside it


def _shown_above(data: Data, chance: float, level: float) -> bool:
    """Is some size above chance by an exact test, adjusted over the sizes? True where chance is not known."""
    if not math.isfinite(chance):
        return True
    if isinstance(data, Counts):
        p = stats.binom.sf(data.right[0] - 1, data.n[0], chance)
    else:
        p = stats.norm.sf((data.value[0] - chance) / data.error[0])
    return bool(float(np.min(p)) * len(p) <= level)


def _unseen(one: _Measured, data: Data, low: np.ndarray[Any, Any], chance: float) -> float | None:
    """Right answers above chance that the best smooth curve expects at the sizes before the rise."""
    if not isinstance(data, Counts) or not low.any() or not math.isfinite(chance):
        return None
    smooth = np.array(one.smooth_fit)
    return float((data.n[0] * np.maximum(smooth - chance, 0.0))[low].sum())


def _below(curve: Curve, data: Data, chance: float) -> tuple[str, ...]:
    if not isinstance(data, Counts) or not math.isfinite(chance) or chance <= 0:
        return ()
    points = curve.points
    return tuple(
        point.model for point in points
        if point.n and point.correct is not None and stats.binom.cdf(point.correct, point.n, chance) < 0.01
    )  # fmt: skip


# ---- the verdict ----------------------------------------------------------------------------------------------------


def _decide(one: _Measured, q: float | None, settings: Settings) -> Emergence:
    notes: list[str] = []
    verdict = _verdict(one, q, settings, notes)
    if one.rho > 0:
        notes.append(f"sizes scatter more than items explain: beta-binomial, intra-size correlation {one.rho:.3g}")
    if one.below:
        models = words.listed(list(one.below[:3])) + (f" and {len(one.below) - 3} more" if len(one.below) > 3 else "")
        notes.append(f"below chance at {models}: the form of the answers may be what is learnt")
    if not one.problem and not math.isfinite(_chance(one.curve)) and not one.curve.points[0].continuous:
        notes.append("the source states no chance level: whether small sizes are at chance was not tested")
    tested = not one.problem
    fit = _fit_with(one, verdict, q, settings)
    if fit is not None and not fit.drawn:
        notes.append(f"no {curve_kind(verdict)} fits (p {fit.p_value:.2g}): none is drawn")
    drawn = fit is not None and fit.drawn
    said = drawn and verdict in _RISES and one.above and one.top_p <= settings.level
    return Emergence(
        curve=one.curve, verdict=verdict, p_value=one.p_value, q_value=q,
        p_change=one.p_change if tested else None,
        p_jump=one.p_jump if tested and one.direction > 0 else None,
        best_family=None if fit is None else fit.curve.name, fitted=None if fit is None else fit.curve,
        threshold=one.threshold if said else NOT_IN_RANGE, floor=one.floor,
        rise=one.rise if tested else None, rho=one.rho, replicates=one.replicates, notes=tuple(notes),
        smooth_fit=one.smooth_fit, fit=fit, midpoint=one.midpoint if drawn and verdict in _RISES else None,
        scatter=one.scatter,
    )  # fmt: skip


_RISES = ("emergent", "smooth", "unresolved")


def _verdict(one: _Measured, q: float | None, settings: Settings, notes: list[str]) -> EmergenceVerdict:
    if one.problem:
        notes.append(one.problem)
        return "unresolved"
    if one.u_shaped and max(one.p_valley, one.q_change) <= settings.level:
        return "u-shaped"
    bounded = not one.curve.points[0].continuous
    level = bounded and -settings.least_rise < one.change_range[0] and one.change_range[1] < settings.least_rise
    if q is None and not (one.direction < 0 and one.q_change <= settings.level):
        if not level:
            notes.append(f"no change is shown, and one of {words.points(settings.least_rise)} is not excluded")
        return "flat" if level else "unresolved"
    moved = one.fall if one.direction < 0 else one.rise
    small = abs(one.change) < settings.margin and moved < settings.least_rise
    if level and small:
        margin = words.points(settings.margin)
        notes.append(f"changes by {words.points(one.change)}, less than the margin of {margin}")
        return "flat"
    return "inverse" if q is None else _rising(one, q, settings, notes, bounded=bounded)


def _why_not(one: _Measured, settings: Settings, *, bounded: bool) -> str:
    """What a curve that rises faster than smooth growth lacks to be emergent; empty: nothing."""
    reasons = {
        "too few sizes": f"fewer than {_FLOOR_SIZES} sizes before the rise",
        "open": "the sizes before the rise are not shown to be at chance",
        "below": "the sizes before the rise are below chance",
    }
    if one.floor_state in reasons:
        return reasons[one.floor_state]
    chance = _chance(one.curve)
    if bounded and not math.isfinite(chance):
        return "from where is open: the source states no chance level"
    if bounded and not one.above:
        return "no size is shown to be above chance"
    if bounded and (one.top - chance < settings.least_rise or one.top_p > settings.level):
        return f"is not shown to end {words.points(settings.least_rise)} above chance"
    return ""


def _rising(one: _Measured, q: float, settings: Settings, notes: list[str], *, bounded: bool) -> EmergenceVerdict:
    likely = f"a jump has probability {one.p_jump:.2f}"
    if q <= settings.level:
        reason = "from above chance" if one.floor_state == "above" else _why_not(one, settings, bounded=bounded)
        if not reason and one.p_jump <= EVEN:
            reason = f"smooth growth is the likelier of the two: {likely}"
        if reason:
            notes.append(f"rises faster than a smooth curve, but {reason}")
        if one.floor_state == "above" and one.p_jump < EVEN:
            return "smooth"
        return "unresolved" if reason else "emergent"
    if one.p_jump <= settings.smooth_below or (one.floor_state == "above" and one.p_jump < EVEN):
        return "smooth"
    text = f"grows, but neither smooth growth nor a jump is shown: {likely}"
    if one.p_jump > EVEN:
        text += f", yet the test does not reject smooth growth (q = {words.p_words(q)})"
    if one.unseen is not None and one.unseen < 3:
        text += (
            f": before the rise a smooth curve expects {one.unseen:.1f} right answers above chance, too few to be seen"
            " with these items"
        )
    notes.append(text)
    return "unresolved"
