"""What a forecast says: sizes to come, its back-test, the trend of a score, and all of it in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from onset.analysis import words
from onset.analysis.curves.series import Curve
from onset.analysis.stats.adjust import ALPHA

Best = Literal["forecast", "last value"]
"""What to go by: see `Forecast.best`."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """One size to come. Shares (0..1), or values where the curve is of scores.

    ``tokens``: of pretraining, where the ladder varies them (else None). ``decades``: beyond the largest size, or
    beyond the most tokens where that is more. ``refused``: why nothing is said of this size (None: something is).
    ``estimate``: median over all routes; ``curve``: 95 % interval of the curve there; ``model``: of one model of that
    size, scatter between models included; ``measured``: of its score on ``n`` items (of a score: with the median
    standard error; None: on the items of the ladder), ``measured_90`` its 90 % interval; all None where a forecast is
    refused. ``persistence``: the last
    value, with the 95 % interval of that value. ``routes``: the median of each route alone.
    """

    size: float
    tokens: float | None
    decades: float
    refused: str | None
    estimate: float | None
    curve: tuple[float, float] | None
    model: tuple[float, float] | None
    measured: tuple[float, float] | None
    measured_90: tuple[float, float] | None
    n: int | None
    persistence: float
    persistence_interval: tuple[float, float]
    routes: dict[str, float]

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "size": self.size,
            "tokens": self.tokens,
            "decades": self.decades,
            "refused": self.refused,
            "estimate": self.estimate,
            "interval": _pair(self.curve),
            "model_interval": _pair(self.model),
            "measured_interval": _pair(self.measured),
            "measured_interval_90": _pair(self.measured_90),
            "n": self.n,
            "persistence": self.persistence,
            "persistence_interval": _pair(self.persistence_interval),
            "routes": self.routes,
        }


@dataclass(frozen=True, slots=True)
class Backtest:
    """One size that was left out: ``left_out`` largest sizes were not used, ``size`` is one of them.

    Where tokens vary, of that size the run of most ``tokens`` (else None).

    ``refused``: the sizes used would have been refused, being at chance (``estimate`` and ``measured`` are None then).
    """

    left_out: int
    size: float
    tokens: float | None
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
            "tokens": self.tokens,
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
        low, high = (words.number(end, 3) for end in self.interval)
        said = "shows no trend" if self.p > ALPHA else "falls" if self.slope < 0 else "rises"
        slope = words.number(self.slope, 3)
        return f"The continuous score {self.metric} {said}: {slope} a decade of size (95 % interval {low} to {high})."


@dataclass(frozen=True)
class Forecast:
    """Of one curve.

    ``refused``: why there is none (None: there is one); ``best``: what to go by. From accuracy over one scale of size
    alone forecasts gained about a point over the last value one size ahead, not on every set of tasks, and nothing two
    ahead (benchmarks/RESULTS.md): it is ``last value`` there, and the interval says how far off it may be. Through a
    score, or over parameters and tokens, it is ``forecast``. ``weights``: of the routes (scores gone through, loss,
    size alone, and the families of the ensemble on one axis); ``scatter``: between models of one size, posterior mean
    (intra-size correlation for counts, standard deviation for scores; None: not estimated apart); ``companion``: the
    trend of a continuous score of the same outputs.
    """

    curve: Curve
    sizes: tuple[Predicted, ...]
    backtest: tuple[Backtest, ...]
    best: Best
    weights: dict[str, float]
    scatter: float | None
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
            "best": self.best,
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
            return f"No forecast: {self.refused}.{trend}"
        return " ".join(
            [
                *(_said(one, self.curve, self.best) for one in self.sizes),
                *_said_back(self.backtest, self.curve, self.best),
                *self.notes,
            ]
        )


def _said(one: Predicted, curve: Curve, best: Best) -> str:
    where = _where(one.size, one.tokens, curve)
    if one.refused is not None:
        return f"At {where} no forecast: {one.refused}."
    if one.estimate is None or one.curve is None or one.measured is None:
        return ""
    text = words.percent if _shares(curve) else _score

    def both(pair: tuple[float, float]) -> str:
        return f"{text(pair[0]).removesuffix(' %')} to {text(pair[1]).removesuffix(' %')}"

    items = f" on {words.counted(one.n, 'item')}" if one.n else ""
    if best == "last value":
        return (
            f"At {where} the best guess is the last value carried forward, {text(one.persistence)}: from accuracy alone"
            " forecasts gained about a point over it one size ahead and nothing two ahead."
            f" Measured there{items}, 95 % lie within {both(one.measured)}; the curves that the points allow have"
            f" their median at {text(one.estimate)}."
        )
    return (
        f"At {where} the forecast is {text(one.estimate)} (95 % interval {both(one.curve)}; measured{items}"
        f" {both(one.measured)}){_by(one)}; carrying the last value forward gives {text(one.persistence)} (95 %"
        f" interval {both(one.persistence_interval)})."
    )


def _by(one: Predicted) -> str:
    """Which routes there are, where there are several or one is no mere growth with size."""
    names = list(one.routes)
    if not names:
        return ""
    said = [f"{name} {words.percent(one.routes[name])}" for name in names]
    return f", by {words.listed(said)}"


def _said_back(backtest: Sequence[Backtest], curve: Curve, best: Best) -> list[str]:
    text = words.points if _shares(curve) else _score
    said = []
    for one in backtest[:1]:
        if one.error is None or one.held is None:
            said.append("Without the largest size no forecast would have been made: the others are at chance.")
            continue
        held = "held" if one.held else "did not hold"
        last = text(one.persistence_error)
        if best == "last value":
            said.append(f"Without the largest size, the last value is off by {last} there; the interval {held} it.")
            continue
        said.append(
            f"Made without the largest size, the forecast of it is off by {text(one.error)}, the last value by {last};"
            f" the interval {held} what was measured."
        )
    return said


def _shares(curve: Curve) -> bool:
    return not curve.points[0].continuous


def _score(value: float) -> str:
    return words.number(value, 3)


def _where(size: float, tokens: float | None, curve: Curve) -> str:
    beside = "" if tokens is None else f" and {words.short_count(tokens)} tokens"
    return f"{words.on_scale(size, curve.scale)}{beside}"


def _pair(pair: tuple[float, float] | None) -> list[float | None] | None:
    return None if pair is None else [end if math.isfinite(end) else None for end in pair]
