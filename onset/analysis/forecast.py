"""What the next size would score: an interval, beside carrying the last value forward, with a back-test.

The forecast is the ensemble of `onset.analysis.ensemble`. It always comes with persistence (the share at the largest
size, with Wilson's interval of that share, which says nothing of growth) and with a back-test: the same forecast made
without the largest size, and without the largest two, against what was then measured. Three intervals are told apart:
of the curve (what is not known of its course), of one model of that size (models of one size differ where sizes
scatter), and of a measurement of it with n items.

At chance everything looks alike: before its jump, a curve that will emerge and one that never will are the same
counts. On ten of BIG-bench's tasks that Wei et al. (2022, appendix E) label emergent (BIG-G, 3-shot;
benchmarks/RESULTS.md), persistence, mean of the last three, log-linear and logistic alike miss the largest size by 15
to 17 points on average. So where no size is shown to be above chance, no forecast is made from accuracy; a continuous
score of the same outputs (log-probability, Brier, edit distance) can move before accuracy does (Wei et al. 2022,
appendix A.1; Schaeffer et al. 2023), and its trend is reported instead where it is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from onset.analysis import wording
from onset.analysis.curves import Array, place, unplace
from onset.analysis.ensemble import Ensemble, ensemble
from onset.analysis.fitting import Counts, Data, Scores
from onset.analysis.points import Curve, SizePoint
from onset.errors import InputError
from onset.records import derive_seed
from onset.scores import wilson

MIN_SIZES = 4
"""Fewest sizes to forecast from; a back-test leaves at least three."""
_LEAST = 3
FAR, TOO_FAR = 1.0, 2.0
"""Decades beyond the largest size: from the first on intervals are widened, beyond the second nothing is said."""
LEVEL = 0.95
_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Predicted:
    """One size to come. Shares (0..1), or values where the curve is of scores.

    ``decades``: beyond the largest size. ``estimate``: median of the ensemble; ``curve``: 95 % interval of the curve
    there; ``model``: of one model of that size, scatter between models included; ``measured``: of its score on ``n``
    items (of a score: with the median standard error); all None where a forecast is refused. ``persistence``: the last
    value, with the 95 % interval of that value.
    """

    size: float
    decades: float
    estimate: float | None
    curve: tuple[float, float] | None
    model: tuple[float, float] | None
    measured: tuple[float, float] | None
    n: int | None
    persistence: float
    persistence_interval: tuple[float, float]

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "size": self.size,
            "decades": self.decades,
            "estimate": self.estimate,
            "interval": _pair(self.curve),
            "model_interval": _pair(self.model),
            "measured_interval": _pair(self.measured),
            "n": self.n,
            "persistence": self.persistence,
            "persistence_interval": _pair(self.persistence_interval),
        }


@dataclass(frozen=True, slots=True)
class Backtest:
    """One size that was left out: ``left_out`` largest sizes were not used, ``size`` is one of them.

    ``refused``: the sizes used would have been refused, being at chance (``estimate`` and ``measured`` are None then).
    """

    left_out: int
    size: float
    observed: float
    estimate: float | None
    measured: tuple[float, float] | None
    persistence: float
    refused: bool

    @property
    def error(self) -> float | None:
        """Forecast minus what was observed."""
        return None if self.estimate is None else self.estimate - self.observed

    @property
    def persistence_error(self) -> float:
        """The last value used minus what was observed."""
        return self.persistence - self.observed

    @property
    def held(self) -> bool | None:
        """Did the interval of a measurement hold what was observed?"""
        return None if self.measured is None else self.measured[0] - 1e-12 <= self.observed <= self.measured[1] + 1e-12

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "left_out": self.left_out,
            "size": self.size,
            "observed": self.observed,
            "estimate": self.estimate,
            "measured_interval": _pair(self.measured),
            "error": self.error,
            "held": self.held,
            "persistence": self.persistence,
            "persistence_error": self.persistence_error,
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class Trend:
    """Of a continuous score: ``slope`` per decade of size, its 95 % interval, and ``p`` of no trend, over ``sizes``.

    Weighted least squares; where the scatter about the line exceeds the standard errors, they are scaled up to it
    (Birge 1932, Physical Review 40, 207-227) and the t distribution is used.
    """

    metric: str
    slope: float
    interval: tuple[float, float]
    p: float
    sizes: int

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "metric": self.metric,
            "slope": self.slope,
            "interval": _pair(self.interval),
            "p": self.p,
            "sizes": self.sizes,
        }

    @property
    def sentence(self) -> str:
        """The trend in words."""
        low, high = (wording.number(end, 3) for end in self.interval)
        said = "shows no trend" if self.p > 1 - LEVEL else "falls" if self.slope < 0 else "rises"
        slope = wording.number(self.slope, 3)
        return f"The continuous score {self.metric} {said}: {slope} a decade of size (95 % interval {low} to {high})."


@dataclass(frozen=True)
class Forecast:
    """Of one curve. ``refused``: why there is none (None: there is one); ``weights``: of the families in the ensemble;
    ``scatter``: between models of one size, posterior mean (intra-size correlation for counts, standard deviation for
    scores); ``companion``: the trend of a continuous score of the same outputs.
    """

    curve: Curve
    sizes: tuple[Predicted, ...]
    backtest: tuple[Backtest, ...]
    weights: dict[str, float]
    scatter: float
    refused: str | None
    companion: Trend | None
    notes: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "curve": self.curve.curve,
            "family": self.curve.family,
            "metric": self.curve.metric,
            "scale": self.curve.scale,
            "refused": self.refused,
            "sizes": [one.json() for one in self.sizes],
            "backtest": [one.json() for one in self.backtest],
            "weights": self.weights,
            "scatter": self.scatter,
            "companion": None if self.companion is None else self.companion.json(),
            "notes": list(self.notes),
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """What a reader is told, in the house's words."""
        if self.refused is not None:
            trend = "" if self.companion is None else f" {self.companion.sentence}"
            return f"{self.curve.curve}, {self.curve.family}: no forecast: {self.refused}.{trend}"
        return " ".join(
            [*(_said(one, self.curve) for one in self.sizes), *_said_back(self.backtest, self.curve), *self.notes]
        )


def forecast(
    curve: Curve,
    sizes: Sequence[float] | None = None,
    *,
    n: int | None = None,
    companion: Curve | None = None,
    draws: int = 4000,
) -> Forecast:
    """Forecast ``curve`` at ``sizes`` (None: one, at the ladder's mean spacing, at most a decade further).

    ``n``: items of the measurement to come (None: the median of the curve's). ``companion``: a continuous score of the
    same outputs. Equal arguments give equal numbers. Raises InputError for sizes no larger than the largest, or more
    than two decades beyond it, for ``n`` < 1, and for a companion that is not continuous.
    """
    if n is not None and n < 1:
        raise InputError(f"n is {n}: expected at least 1 item")
    if companion is not None and not companion.points[0].continuous:
        raise InputError(f"companion {companion.metric} of {curve.curve}: expected a continuous score")
    series = _Series.of(curve)
    further = _further(series, curve, sizes)
    trend = None if companion is None else _trend(companion)
    refused = series.problem or _at_chance(series)
    blank = [_blank(series, float(to), curve) for to in further]
    if refused is not None:
        tested = () if series.problem else tuple(_backtest(series, curve, draws))
        return Forecast(curve, tuple(blank), tested, {}, 0.0, refused, trend, ())
    items = series.items if n is None else n
    made = series.ensemble(further, draws)
    told = [_told(one, made, index, series, items) for index, one in enumerate(blank)]
    return Forecast(
        curve, tuple(told), tuple(_backtest(series, curve, draws)), made.weights, made.scatter, None, trend,
        tuple(_notes(series, told)),
    )  # fmt: skip


# ---- the points, by ascending place ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Series:
    """A curve's points as one row of data at ascending places; ``problem``: why nothing can be fitted."""

    x: Array
    data: Data | None
    share: Array
    chance: float | None
    continuous: bool
    problem: str | None

    @classmethod
    def of(cls, curve: Curve) -> _Series:
        x = place([point.x for point in curve.points], curve.scale)
        order = np.argsort(x, kind="stable")
        points = [curve.points[index] for index in order]
        continuous = points[0].continuous
        data, problem = _row(points)
        if curve.sizes < MIN_SIZES:
            problem = f"{wording.counted(curve.sizes, 'size')}, at least {MIN_SIZES} are needed"
        return cls(x[order], data, np.array([_value(point) for point in points]), points[0].chance, continuous, problem)

    @property
    def places(self) -> Array:
        """The different places."""
        return np.unique(self.x)

    @property
    def items(self) -> int | None:
        return round(float(np.median(self.data.n))) if isinstance(self.data, Counts) else None

    def only(self, rows: Array) -> _Series:
        """The points for which ``rows`` is true."""
        data: Data | None = self.data
        if isinstance(data, Counts):
            data = Counts(data.right[:, rows], data.n[:, rows], data.rho)
        elif isinstance(data, Scores):
            data = Scores(data.value[:, rows], data.error[:, rows])
        return replace(self, x=self.x[rows], data=data, share=self.share[rows])

    def generator(self, stream: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed("forecast", stream, str(self.x.tolist()), str(self.share.tolist())))

    def ensemble(self, further: Array, draws: int) -> Ensemble:
        assert self.data is not None
        return ensemble(self.data, self.x, further, self.generator("curves"), draws=draws)

    def last(self) -> tuple[float, tuple[float, float]]:
        """The value at the largest size, models of that size taken together, and its 95 % interval."""
        end = self.only(self.x == self.x.max())
        if isinstance(end.data, Counts):
            right, total = int(end.data.right.sum()), int(end.data.n.sum())
            return right / total, wilson(right, total)
        if isinstance(end.data, Scores):
            weight = 1 / end.data.error[0] ** 2
            value, half = float(np.average(end.data.value[0], weights=weight)), 1.96 / math.sqrt(float(weight.sum()))
            return value, (value - half, value + half)
        value = float(end.share.mean())
        return value, (math.nan, math.nan)


def _value(point: SizePoint) -> float:
    if point.n and point.correct is not None and not (point.continuous and point.score is not None):
        return point.correct / point.n
    return math.nan if point.score is None else point.score


def _row(points: Sequence[SizePoint]) -> tuple[Data | None, str | None]:
    if not points[0].continuous and all(point.n for point in points):
        table = np.array(
            [[point.correct or 0 for point in points], [point.n or 0 for point in points]], dtype=np.float64
        )
        return Counts(table[:1], table[1:], np.zeros(1)), None
    if all(point.score is not None and point.stderr for point in points):
        pairs = np.array([[point.score for point in points], [point.stderr for point in points]], dtype=np.float64)
        return Scores(pairs[:1], pairs[1:]), None
    missing = [point.model for point in points if not point.n and not point.stderr]
    return None, f"neither counts nor a standard error is known for {wording.listed(missing[:3])}"


def _further(series: _Series, curve: Curve, sizes: Sequence[float] | None) -> Array:
    """Places to forecast at, ascending."""
    last = float(series.x.max())
    if sizes is None:
        known = series.places
        step = float(np.ptp(known)) / (len(known) - 1) if len(known) > 1 else FAR
        return np.array([last + min(step, FAR)])
    if not sizes:
        raise InputError("sizes to forecast: expected at least one")
    further = np.unique(place(sizes, curve.scale))
    largest = _size(unplace(last, curve.scale), curve)
    for one in further:
        said = _size(unplace(float(one), curve.scale), curve)
        if one <= last + 1e-9:
            raise InputError(f"{said} is not beyond the largest measured size, {largest}")
        if one > last + TOO_FAR + 1e-9:
            raise InputError(
                f"{said} is {one - last:.1f} decades beyond the largest size, {largest}: at most {TOO_FAR:g}"
            )
    return further


# ---- refusal --------------------------------------------------------------------------------------------------------


def _at_chance(series: _Series) -> str | None:
    """Why emergence cannot be forecast: no size is shown to be above chance (exact tests, Holm over sizes, at 5 %)."""
    if series.continuous or series.chance is None or series.data is None:
        return None
    data = series.data
    if isinstance(data, Counts):
        p = stats.binom.sf(data.right[0] - 1, data.n[0], series.chance)
    else:
        p = stats.norm.sf((data.value[0] - series.chance) / data.error[0])
    if float(np.min(p)) * len(p) <= 1 - LEVEL:
        return None
    return (
        f"no size is shown to be above chance ({wording.percent(series.chance)}), and from accuracy at chance an"
        " ability about to emerge cannot be told from one that never will (on ten BIG-bench tasks labelled emergent,"
        " every method missed the largest size by 15 points or more on average); a continuous score of the same outputs"
        " is needed, such as the log-probability of the right answer"
    )


def _trend(curve: Curve) -> Trend:
    """Raises InputError for fewer than three sizes or unknown values."""
    series = _Series.of(curve)
    sizes, x, value = len(series.places), series.x, series.share
    if sizes < _LEAST or not np.isfinite(value).all():
        raise InputError(f"companion {curve.metric} of {curve.curve}: expected scores at {_LEAST} sizes or more")
    known = isinstance(series.data, Scores)
    weight = 1 / series.data.error[0] ** 2 if isinstance(series.data, Scores) else np.ones_like(x)
    centred = x - np.average(x, weights=weight)
    total = float((weight * centred**2).sum())
    slope = float((weight * centred * value).sum()) / total
    rest = value - np.average(value, weights=weight) - slope * centred
    spare = x.size - 2
    birge = float((weight * rest**2).sum()) / spare
    error = math.sqrt((max(birge, 1.0) if known else birge) / total)
    half = float(stats.t.ppf(_TAILS[1], spare)) * error
    p = float(2 * stats.t.sf(abs(slope) / error, spare)) if error > 0 else 0.0
    return Trend(curve.metric, slope, (slope - half, slope + half), p, sizes)


# ---- what is told ---------------------------------------------------------------------------------------------------


def _blank(series: _Series, to: float, curve: Curve) -> Predicted:
    value, interval = series.last()
    decades = to - float(series.x.max())
    return Predicted(unplace(to, curve.scale), decades, None, None, None, None, None, value, interval)


def _told(one: Predicted, made: Ensemble, index: int, series: _Series, items: int | None) -> Predicted:
    """With the forecast; deviations from the median grow with the decades beyond the first."""
    expected, model = made.expected[:, index], made.model[:, index]
    middle = float(np.median(expected))
    bounded = isinstance(series.data, Counts)
    if one.decades > FAR + 1e-9:
        expected, model = middle + one.decades * (expected - middle), middle + one.decades * (model - middle)
        if bounded:
            expected, model = np.clip(expected, 0.0, 1.0), np.clip(model, 0.0, 1.0)
    generator = series.generator(f"measured {one.size:g} {items}")
    if isinstance(series.data, Scores):
        error = float(np.median(series.data.error))
        measured = model + error * generator.standard_normal(model.shape)
    else:
        measured = generator.binomial(items or 1, np.clip(model, 0.0, 1.0)) / (items or 1)
    return replace(one, estimate=middle, curve=_ends(expected), model=_ends(model), measured=_ends(measured), n=items)


def _ends(draws: Array) -> tuple[float, float]:
    low, high = np.quantile(draws, _TAILS)
    return float(low), float(high)


def _backtest(series: _Series, curve: Curve, draws: int) -> list[Backtest]:
    """Without the largest size, then without the largest two, where three remain."""
    out = []
    known = series.places
    for left_out in (1, 2):
        if len(known) - left_out < _LEAST:
            break
        used = series.only(series.x <= known[-left_out - 1])
        further = known[-left_out:]
        refused = _at_chance(used) is not None
        made = None if refused else used.ensemble(further, draws)
        for index, to in enumerate(further):
            seen = series.only(series.x == to)
            observed, _ = seen.last()
            one = _blank(used, float(to), curve)
            if made is not None:
                items = round(float(seen.data.n.sum())) if isinstance(seen.data, Counts) else None
                one = _told(one, made, index, used, items)
            out.append(Backtest(left_out, one.size, observed, one.estimate, one.measured, one.persistence, refused))
    return out


def _notes(series: _Series, told: Sequence[Predicted]) -> list[str]:
    notes = []
    if any(one.decades > FAR + 1e-9 for one in told):
        notes.append(
            "More than one decade beyond the largest size: intervals are widened in proportion to the decades, a rule"
            " of thumb that no data back."
        )
    if series.chance is None and not series.continuous:
        notes.append("The source states no chance level: whether the sizes are at chance was not tested.")
    return notes


def _said(one: Predicted, curve: Curve) -> str:
    if one.estimate is None or one.curve is None or one.measured is None:
        return ""
    shares = not curve.points[0].continuous and bool(curve.points[0].n)
    text = wording.percent if shares else _score

    def both(pair: tuple[float, float]) -> str:
        return f"{text(pair[0]).removesuffix(' %')} to {text(pair[1]).removesuffix(' %')}"

    items = f" on {wording.counted(one.n, 'item')}" if one.n else ""
    return (
        f"At {_size(one.size, curve)} the forecast is {text(one.estimate)} (95 % interval {both(one.curve)};"
        f" measured{items} {both(one.measured)}); carrying the last value forward gives {text(one.persistence)}"
        f" (95 % interval {both(one.persistence_interval)})."
    )


def _said_back(backtest: Sequence[Backtest], curve: Curve) -> list[str]:
    shares = not curve.points[0].continuous and bool(curve.points[0].n)
    text = wording.points if shares else _score
    said = []
    for one in backtest[:1]:
        if one.error is None or one.held is None:
            said.append("Without the largest size no forecast would have been made: the others are at chance.")
            continue
        held = "held" if one.held else "did not hold"
        said.append(
            f"Made without the largest size, the forecast of it is off by {text(one.error)}, the last value by"
            f" {text(one.persistence_error)}; the interval {held} what was measured."
        )
    return said


def _score(value: float) -> str:
    return wording.number(value, 3)


def _size(size: float, curve: Curve) -> str:
    if curve.scale == "params":
        return wording.parameters(size)
    return f"{size:.3g} FLOPs" if curve.scale == "flops" else f"a loss of {size:.3g}"


def _pair(pair: tuple[float, float] | None) -> list[float | None] | None:
    return None if pair is None else [end if math.isfinite(end) else None for end in pair]
