"""What a size to come would score: an interval, beside carrying the last value forward, with a back-test.

Where a continuous score of the same outputs or the loss of pretraining is there, the forecast goes through it
(`onset.analysis.emergence.routes`: the score over size, and over tokens where they vary on their own, then accuracy
over the score), through every one of them equally. Without any, over parameters and tokens, it is a logistic in both;
over one scale of size it is the ensemble of `onset.analysis.emergence.ensemble`, and then only the interval is to be
gone by: there the last value is recommended (`Forecast.best`).

The forecast always comes with persistence (the share at the largest size, with Wilson's interval of that share, which
says nothing of growth) and with a back-test: the same forecast made without the largest size, and without the largest
two, against what was then measured. Three intervals are told apart: of the curve (what is not known of its course), of
one model of that size (models of one size differ where sizes scatter), and of a measurement of it with n items.

At chance everything looks alike: before its jump, a curve that will emerge and one that never will are the same counts.
On ten of BIG-bench's tasks that Wei et al. (2022, appendix E) label emergent (BIG-G, 3-shot; benchmarks/RESULTS.md),
persistence, mean of the last three, log-linear and logistic alike miss the largest size by 15 to 17 points on average.
So where no size is shown to be above chance, no forecast is made from accuracy; through a score it is made where
accuracy is shown to rise along the score (`onset.analysis.emergence.routes.carried`), else the score's trend is all
that is reported.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onset.analysis import words
from onset.analysis.curves.likelihood import Counts, Scores
from onset.analysis.curves.series import MIN_SIZES, Curve
from onset.analysis.curves.shapes import Array, place, unplace
from onset.analysis.emergence import routes
from onset.analysis.emergence.ensemble import ensemble
from onset.analysis.emergence.forecast_result import Backtest, Best, Forecast, Predicted, Trend
from onset.analysis.emergence.forecast_series import LEAST, Series, at_chance, trend_of
from onset.analysis.emergence.routes import Runs
from onset.analysis.stats.adjust import LEVEL
from onset.errors import InputError

__all__ = ["Backtest", "Forecast", "Predicted", "Target", "Trend", "forecast"]

MIN_RUNS = 6
"""Fewest runs where parameters and tokens vary, of three sizes or more."""
FAR, TOO_FAR = 1.0, 2.0
"""Decades beyond the largest size: from the first on intervals are widened, beyond the second nothing is said."""
_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


@dataclass(frozen=True, slots=True)
class Target:
    """A model to come: ``size`` on the scale of the curve, ``tokens`` of pretraining (None: not said)."""

    size: float
    tokens: float | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """``7B``, ``6.9e9``, or with tokens ``7B@4T``. Raises InputError for anything else."""
        size, at, tokens = text.partition("@")
        values = [_count(part) for part in ((size, tokens) if at else (size,))]
        if any(value is None for value in values):
            raise InputError(f"size to forecast '{text}': expected a number such as 7B or 6.9e9, or with tokens 7B@4T")
        return cls(values[0] or 0.0, values[1] if at else None)


def _count(text: str) -> float | None:
    found = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kMBT]?)\s*", text, re.IGNORECASE)
    if found is None:
        return None
    unit = found[2].upper()
    try:
        value = float(found[1]) * _UNITS["k" if unit == "K" else unit]
    except ValueError:
        return None
    return value if value > 0 and math.isfinite(value) else None


def forecast(
    curve: Curve,
    sizes: Sequence[float | Target] | None = None,
    *,
    n: int | None = None,
    scores: Sequence[Curve] = (),
    draws: int = 4000,
    tested: bool = True,
) -> Forecast:
    """Forecast ``curve`` at ``sizes`` (None: one, at the ladder's mean spacing, at most a decade further).

    ``n``: items of the measurement to come (None: the median of the curve's; through a score, the ladder's own items).
    ``scores``: continuous scores of the same outputs, whose models are matched by name and size. ``tested``: also make
    the back-test, which takes as long again twice. A size that is not
    beyond the ladder, or more than two decades, is refused with the reason. Equal arguments give equal numbers. Raises
    InputError for no sizes, ``n`` < 1 and a score that is not continuous.
    """
    if n is not None and n < 1:
        raise InputError(f"n is {n}: expected at least 1 item")
    for one in scores:
        if not one.points[0].continuous:
            raise InputError(f"score {one.metric} of {one.curve}: expected a continuous score")
    ladder = _Ladder.of(curve, scores)
    targets, notes = _targets(ladder, sizes)
    known = [one for one in scores if one.sizes >= LEAST and all(point.score is not None for point in one.points)]
    trend = trend_of(known[0]) if known else None
    low = None if ladder.problem else at_chance(ladder.series)
    refused = ladder.problem
    if low is not None:
        ladder = ladder.carried()
        refused = None if ladder.names else low
    blank = [_blank(ladder, one) for one in targets]
    seen = tuple(_backtest(ladder, draws)) if tested and not ladder.problem else ()
    if refused is not None:
        return Forecast(curve, tuple(blank), seen, "last value", {}, None, refused, trend, ())
    wanted = [index for index, one in enumerate(blank) if one.refused is None]
    told, weights, scatter = list(blank), {}, None
    if wanted:
        made = ladder.predict(np.array([_place(ladder, targets[index]) for index in wanted]), draws)
        weights, scatter = made.weights, made.scatter
        for row, index in enumerate(wanted):
            told[index] = _told(blank[index], made, row, ladder, n)
    return Forecast(
        curve, tuple(told), seen, ladder.best, weights, scatter, None, trend,
        (*notes, *ladder.notes, *_notes(ladder, told, low is not None)),
    )  # fmt: skip


# ---- the ladder: all that is known of the models --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Made:
    """Draws (draws x places) of the curve and of one model; medians of each route; see `Forecast`."""

    expected: Array
    model: Array
    routes: dict[str, Array]
    weights: dict[str, float]
    scatter: float | None


@dataclass(frozen=True, eq=False)
class _Ladder:
    """``series``: accuracies over size; ``runs``: models with tokens and scores; ``names``: scores to go through."""

    curve: Curve
    series: Series
    runs: Runs
    names: list[str]
    notes: list[str]

    @classmethod
    def of(cls, curve: Curve, scores: Sequence[Curve]) -> _Ladder:
        series, runs = Series.of(curve), Runs.of(curve, scores)
        names, notes = ([], []) if series.continuous else routes.usable(runs)
        return cls(curve, series, runs, names, notes)

    @property
    def problem(self) -> str | None:
        """Why nothing can be fitted."""
        sizes = len(self.series.places)
        if self.runs.axes == 2:
            runs = len(self.runs.share)
            if sizes >= LEAST and runs >= MIN_RUNS:
                return None
            return (
                f"{words.counted(runs, 'run')} of {words.counted(sizes, 'size')}, at least {MIN_RUNS} of {LEAST}"
                " are needed"
            )
        if sizes < MIN_SIZES:
            return f"{words.counted(sizes, 'size')}, at least {MIN_SIZES} are needed"
        return None if self.names else self.series.problem

    @property
    def best(self) -> Best:
        direct = not self.names and self.runs.axes == 1 and not self.series.continuous
        return "last value" if direct else "forecast"

    def carried(self) -> _Ladder:
        """With those scores only along which accuracy is shown to rise."""
        return replace(self, names=routes.carried(self.runs, self.names))

    def upto(self, size: float) -> _Ladder:
        """The models up to a place."""
        runs = self.runs.only(self.runs.at[:, 0] <= size + 1e-9)
        series = self.series.only(self.series.x <= size + 1e-9)
        names = [name for name in self.names if name in routes.usable(runs, routes.LEAST_RUNS)[0]]
        return replace(self, runs=runs, series=series, names=names)

    def last(self) -> tuple[float, tuple[float, float]]:
        """The value at the largest size, or of the run of most compute, and its 95 % interval."""
        series = self.series
        if self.runs.axes == 2:
            run = int(self.runs.at.sum(axis=1).argmax())
            return self.single(run).last()
        return series.last()

    def single(self, run: int) -> Series:
        """One run, where tokens vary (runs and series are then in one order)."""
        rows = np.zeros(len(self.runs.share), dtype=bool)
        rows[run] = True
        return self.series.only(rows)

    def predict(self, places: Array, draws: int) -> _Made:
        """At ``places`` (places x axes), ascending on one axis."""
        if self.names or self.runs.axes == 2:
            parts = [routes.through(self.runs, name, places, draws) for name in self.names]
            parts = parts or [routes.direct(self.runs, places, draws)]
            curve, model = routes.mixture(parts, draws)
            medians = {part.name: np.median(part.curve, axis=0) for part in parts}
            return _Made(curve, model, medians, {part.name: 1 / len(parts) for part in parts}, None)
        assert self.series.data is not None
        made = ensemble(self.series.data, self.series.x, places[:, 0], self.series.generator("curves"), draws=draws)
        return _Made(made.expected, made.model, {}, made.weights, made.scatter)


# ---- sizes to come --------------------------------------------------------------------------------------------------


def _targets(ladder: _Ladder, sizes: Sequence[float | Target] | None) -> tuple[list[Target], list[str]]:
    """Models to forecast, ascending, and what had to be assumed of them."""
    scale, x = ladder.curve.scale, ladder.series.x
    last = float(x.max())
    if sizes is None:
        known = ladder.series.places
        step = float(np.ptp(known)) / (len(known) - 1) if len(known) > 1 else FAR
        wanted = [Target(unplace(last + min(step, FAR), scale))]
    elif not sizes:
        raise InputError("sizes to forecast: expected at least one")
    else:
        wanted = [one if isinstance(one, Target) else Target(float(one)) for one in sizes]
    notes = []
    if ladder.runs.axes == 2:
        most = ladder.runs.at[int(ladder.runs.at.sum(axis=1).argmax())]
        ratio = 10 ** float(most[1] - most[0])
        if any(one.tokens is None for one in wanted):
            notes.append(
                f"Where no tokens are named, as many a parameter as in the largest run, {words.ratio(ratio)}, are"
                " assumed."
            )
        wanted = [one if one.tokens else replace(one, tokens=ratio * one.size) for one in wanted]
    elif any(one.tokens for one in wanted):
        notes.append(
            "Tokens that are named are not used: those of the ladder are not known or do not vary on their own."
        )
        wanted = [replace(one, tokens=None) for one in wanted]
    places = {float(place([one.size], scale)[0]): one for one in wanted} if ladder.runs.axes == 1 else {}
    if places:
        return [places[key] for key in sorted(places)], notes
    return sorted(set(wanted), key=lambda one: (one.size, one.tokens or 0.0)), notes


def _place(ladder: _Ladder, to: Target) -> list[float]:
    size = float(place([to.size], ladder.curve.scale)[0])
    return [size] if to.tokens is None else [size, math.log10(to.tokens)]


def _blank(ladder: _Ladder, to: Target) -> Predicted:
    value, interval = ladder.last()
    beyond = np.array(_place(ladder, to)) - ladder.runs.at.max(axis=0)
    decades = float(beyond.max())
    refused, curve = None, ladder.curve
    largest = words.on_scale(unplace(float(ladder.runs.at[:, 0].max()), curve.scale), curve.scale)
    if decades <= 1e-9:
        refused = f"it is not beyond the largest measured size, {largest}"
        if to.tokens is not None:
            refused = f"neither its size nor its tokens are beyond the ladder's, {largest} at the most"
    elif decades > TOO_FAR + 1e-9:
        what = f"the largest size, {largest}" if beyond[0] == beyond.max() else "the most tokens of the ladder"
        refused = f"it is {decades:.1f} decades beyond {what}, and at most {TOO_FAR:g} are forecast"
    return Predicted(to.size, to.tokens, decades, refused, None, None, None, None, None, None, value, interval, {})


# ---- what is told ----------------------------------------------------------------------------------------------------


def _told(one: Predicted, made: _Made, row: int, ladder: _Ladder, n: int | None) -> Predicted:
    """With the forecast; deviations from the median grow with the decades beyond the first."""
    expected, model = made.expected[:, row], made.model[:, row]
    middle = float(np.median(expected))
    bounded = not ladder.series.continuous
    if one.decades > FAR + 1e-9:
        expected, model = middle + one.decades * (expected - middle), middle + one.decades * (model - middle)
        if bounded:
            expected, model = np.clip(expected, 0.0, 1.0), np.clip(model, 0.0, 1.0)
    items = n if made.routes or n is not None else ladder.series.items
    generator = ladder.series.generator(f"measured {one.size:g} {items}")
    if items is not None:
        measured = generator.binomial(items, np.clip(model, 0.0, 1.0)) / items
    elif isinstance(ladder.series.data, Scores) and not made.routes:
        error = float(np.median(ladder.series.data.error))
        measured = model + error * generator.standard_normal(model.shape)
    else:
        # through a score, the noise of a run is that of a measurement on the ladder's items
        measured = model
    medians = {name: float(value[row]) for name, value in made.routes.items()}
    return replace(
        one, estimate=middle, curve=_ends(expected), model=_ends(model), measured=_ends(measured),
        measured_90=_ends(measured, 0.9), n=items, routes=medians,
    )  # fmt: skip


def _ends(draws: Array, level: float = LEVEL) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _backtest(ladder: _Ladder, draws: int) -> list[Backtest]:
    """Without the largest size, then without the largest two, where three remain."""
    out = []
    known = ladder.series.places
    for left_out in (1, 2):
        if len(known) - left_out < LEAST:
            break
        used = ladder.upto(float(known[-left_out - 1]))
        refused = at_chance(used.series) is not None
        if refused:
            used = used.carried()
            refused = not used.names
        seen = [_seen(ladder, float(to)) for to in known[-left_out:]]
        possible = not refused and bool(used.names or used.runs.axes == 2 or used.series.data is not None)
        made = used.predict(np.array([_place(ladder, to) for to, _ in seen]), draws) if possible else None
        for row, (to, series) in enumerate(seen):
            one = replace(_blank(used, to), refused=None)
            if made is not None:
                data = series.data if not made.routes else None
                items = round(float(data.n.sum())) if isinstance(data, Counts) else None
                one = _told(one, made, row, used, items)
            out.append(
                Backtest(
                    left_out, to.size, to.tokens, series.last()[0], one.estimate, one.measured, one.persistence,
                    made is None,
                )
            )  # fmt: skip
    return out


def _seen(ladder: _Ladder, to: float) -> tuple[Target, Series]:
    """What was measured at a size: all models of it, or that of most tokens where these vary."""
    size = unplace(to, ladder.curve.scale)
    if ladder.runs.axes == 1:
        return Target(size), ladder.series.only(ladder.series.x == to)
    run = int(np.where(ladder.runs.at[:, 0] == to, ladder.runs.at[:, 1], -np.inf).argmax())
    return Target(size, 10 ** float(ladder.runs.at[run, 1])), ladder.single(run)


def _notes(ladder: _Ladder, told: Sequence[Predicted], carried: bool) -> list[str]:
    notes = []
    if any(one.refused is None and one.decades > FAR + 1e-9 for one in told):
        notes.append(
            "More than one decade beyond the largest size: intervals are widened in proportion to the decades, a rule"
            " of thumb that no data back."
        )
    if carried:
        notes.append(
            f"No size alone is shown to be above chance; accuracy rises along {words.listed(ladder.names)} all the"
            " same (test of a trend, 5 %)."
        )
    if ladder.series.chance is None and not ladder.series.continuous:
        notes.append("The source states no chance level: whether the sizes are at chance was not tested.")
    elif ladder.series.data is None:
        notes.append("Neither counts nor standard errors are known: whether the sizes are at chance was not tested.")
    return notes
