"""Ways from a ladder of models to the accuracy of a larger one: through a score, through loss, over size alone.

A continuous score of the same outputs, or the loss on held-out text, moves before accuracy does and along a simpler
curve. So a forecast takes two steps where it can: the score over size (and over tokens, where they vary on their own),
then accuracy over the score (`onset.analysis.emergence.scaling_laws`). The likelihood of a run is that of its score
given its size, times that of its accuracy given its score; the two share no parameter, so the joint posterior is the
product of both, and a draw of the one is carried through a draw of the other: the interval holds the uncertainty of
both and the noise of one run in each.

Every route that the data allow counts the same (`mixture`): where they disagree the interval holds them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis import words
from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.curves.shapes import Array, place
from onset.analysis.emergence.scaling_laws import Draws, Shares, fit_bounded, fit_direct, fit_law, fit_link
from onset.analysis.stats.adjust import ALPHA
from onset.records import derive_seed

LOSS = "loss"
"""The name of the route through the loss of pretraining."""
DIRECT = "size alone"
"""The name of the route that needs no score."""
APART = 0.05
"""Tokens are an axis of their own where they scatter about the best line in log size by as many decades."""
MIN_RUNS = 4
"""Fewest runs with an accuracy and a score to go through the score; a back-test leaves at least `LEAST_RUNS`."""
LEAST_RUNS = 3
_SHARED = 0.7
"""What a run is expected to scatter by, as a part of the binomial standard deviation: models answer the same items."""
_UNKNOWN = 0.01
"""The same as a share, where neither items nor a standard error are known."""
_SCORE_NOISE = 0.02
"""What a score is expected to scatter by, as a part of its range over the runs."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Models of a ladder: ``at``: decades of size and, on two axes, of tokens (runs x axes); ``share``: accuracy (NaN:
    not measured); ``n``: items (NaN: unknown); ``error``: standard error (NaN: unknown); ``scores``: name -> value of
    each run (NaN: not measured).
    """

    at: Array
    share: Array
    n: Array
    error: Array
    chance: float | None
    scores: dict[str, Array]

    @classmethod
    def of(cls, curve: Curve, scores: Sequence[Curve]) -> Runs:
        """The models of ``curve``, with their scores; models that share name and size are one, with the mean score."""
        points = curve.points
        x = place([point.x for point in points], curve.scale)
        at = np.column_stack([x, _tokens(points)]) if two_axes(curve) else x[:, None]
        beside: dict[str, Array] = {}
        for score in scores:
            known: dict[tuple[str, float], list[float]] = {}
            for point in score.points:
                if point.score is not None:
                    known.setdefault((point.model, point.x), []).append(point.score)
            beside[score.metric] = np.array([np.mean(known.get((one.model, one.x), [math.nan])) for one in points])
        if any(point.loss is not None for point in points):
            beside[LOSS] = np.array([math.nan if point.loss is None else point.loss for point in points])
        share = [point.correct / point.n if point.n and point.correct is not None else point.score for point in points]
        return cls(
            at,
            np.array([math.nan if one is None else one for one in share]),
            np.array([math.nan if not point.n else point.n for point in points], dtype=np.float64),
            np.array([math.nan if point.stderr is None else point.stderr for point in points], dtype=np.float64),
            points[0].chance,
            beside,
        )

    def only(self, rows: NDArray[np.bool_]) -> Runs:
        """Some of the runs."""
        scores = {name: value[rows] for name, value in self.scores.items()}
        return replace(
            self, at=self.at[rows], share=self.share[rows], n=self.n[rows], error=self.error[rows], scores=scores
        )

    @property
    def axes(self) -> int:
        """1: size; 2: size and tokens."""
        return int(self.at.shape[1])

    def generator(self, stream: str) -> np.random.Generator:
        """A stream of random numbers that follows from the data."""
        return np.random.default_rng(derive_seed("routes", stream, str(self.at.tolist()), str(self.share.tolist())))

    def shares(self, rows: NDArray[np.bool_]) -> Shares:
        """Accuracy of some runs, as the fits want it."""
        share, n, error = self.share[rows], self.n[rows], self.error[rows]
        inside = np.clip(share, 0.02, 0.98)
        noise = np.where(np.isfinite(n), _SHARED * np.sqrt(inside * (1 - inside) / n), _SHARED * error)
        noise = np.where(np.isfinite(noise), noise, _UNKNOWN)
        weight = np.where(np.isfinite(n), n, np.nanmean(n) if np.isfinite(n).any() else 1.0)
        floor = 0.0 if self.chance is None else self.chance
        return Shares(share, weight / weight.mean(), float(np.sqrt(np.mean(noise**2))), floor)


def _tokens(points: Sequence[SizePoint]) -> Array:
    out: Array = np.log10(np.array([math.nan if point.tokens is None else point.tokens for point in points]))
    return out


def two_axes(curve: Curve) -> bool:
    """Do tokens vary on their own, and are they known for every model?"""
    tokens = _tokens(curve.points)
    if curve.scale != "params" or not np.isfinite(tokens).all() or curve.sizes < 2:
        return False
    x = place([point.x for point in curve.points], curve.scale)
    rest = tokens - np.polyval(np.polyfit(x, tokens, 1), x)
    return bool(np.sqrt(np.mean(rest**2)) > APART)


def usable(runs: Runs, least: int = MIN_RUNS) -> tuple[list[str], list[str]]:
    """(scores to go through, notes on those that are left out): a score must be known and move with size."""
    names, notes = [], []
    for name, value in runs.scores.items():
        both = np.isfinite(value) & np.isfinite(runs.share)
        places = len(np.unique(runs.at[both], axis=0))
        if places < least:
            notes.append(f"{name} is known for {words.counted(places, 'run')} with an accuracy: not gone through.")
        elif np.ptp(value[both]) == 0 or _trend(runs, name)[1] > ALPHA:
            notes.append(f"{name} shows no trend over size: not gone through.")
        else:
            names.append(name)
    return names, notes


def _trend(runs: Runs, name: str) -> tuple[float, float]:
    """(rank correlation of a score with size times tokens, its two-sided p)."""
    from scipy import stats  # takes as long to import as reading a small study, which has no use for it

    value = runs.scores[name]
    known = np.isfinite(value)
    found = stats.kendalltau(runs.at[known].sum(axis=1), value[known])
    # four sizes in perfect order have p .083: that is all an order of four can show
    exact = abs(found.statistic) > 1 - 1e-9
    return float(found.statistic), 0.0 if exact else float(found.pvalue)


def carried(runs: Runs, names: Sequence[str]) -> list[str]:
    """Scores along which accuracy rises although no size alone is shown to be above chance.

    One-sided test of a trend of proportions with the score as the dose (Cochran 1954, "Some methods for strengthening
    the common chi-squared tests", Biometrics 10, 417-451; Armitage 1955, "Tests for linear trends in proportions and
    frequencies", Biometrics 11, 375-386), Bonferroni over the scores, at 5 %; counts are needed.
    """
    kept = []
    for name in names:
        score = runs.scores[name] * math.copysign(1.0, _trend(runs, name)[0])
        rows = np.isfinite(score) & np.isfinite(runs.share) & np.isfinite(runs.n)
        n, share, dose = runs.n[rows], runs.share[rows], score[rows]
        if len(n) < MIN_RUNS:
            continue
        pooled, centre = np.average(share, weights=n), np.average(dose, weights=n)
        spread = math.sqrt(pooled * (1 - pooled) * float((n * (dose - centre) ** 2).sum()))
        rise = float((n * (dose - centre) * (share - pooled)).sum())
        if spread > 0 and special.ndtr(-rise / spread) * len(names) <= ALPHA:
            kept.append(name)
    return kept


@dataclass(frozen=True, eq=False)
class Route:
    """One way: ``curve`` and ``model`` (draws x places): the curve, and one model with the noise of a run."""

    name: str
    curve: Array
    model: Array


def through(runs: Runs, name: str, places: Array, draws: int) -> Route:
    """Through the score ``name``: of each draw of it a draw of accuracy."""
    generator = runs.generator(f"through {name}")
    value = runs.scores[name]
    scored = np.isfinite(value)
    law, falls = _score_over_size(runs, name, places, generator, draws)
    both = scored & np.isfinite(runs.share)
    sign = 1.0 if falls else -1.0
    # of every draw: the score on its curve, and the score of one run
    ends = np.hstack([law.mean, law.noisy(generator)])
    made = fit_link(runs.shares(both), sign * value[both], sign * ends, generator, draws=draws)
    count = len(places)
    model = made.noisy(generator)[:, count:]
    return Route(name, made.mean[:, :count], np.clip(model, 0.0, 1.0))


def _score_over_size(
    runs: Runs, name: str, places: Array, generator: np.random.Generator, draws: int
) -> tuple[Draws, bool]:
    """(the score at ``places``, whether it falls as models improve).

    A loss (above 0 and falling, or below 0 and rising, as a log-probability) is limit + power laws, the limit not below
    0; a score that rises within 0..1 is a logistic between ends there; any other is limit + power laws, the limit at
    most twice the range that was seen beyond the best.
    """
    known = np.isfinite(runs.scores[name])
    value, at = runs.scores[name][known], runs.at[known]
    falls = _trend(runs, name)[0] < 0
    noise = _SCORE_NOISE * float(np.ptp(value))
    if not falls and value.min() >= 0 and value.max() <= 1:
        return fit_bounded(value, at, places, generator, noise=noise, draws=draws), falls
    loss = value if falls else -value
    lowest = 0.0 if loss.min() >= 0 else float(loss.min()) - 2 * float(np.ptp(loss))
    law = fit_law(loss, at, places, generator, lowest=lowest, noise=noise, draws=draws)
    return (law if falls else Draws(-law.mean, law.noise)), falls


def direct(runs: Runs, places: Array, draws: int) -> Route:
    """Over size and tokens alone, on two axes."""
    generator = runs.generator(DIRECT)
    known = np.isfinite(runs.share)
    made = fit_direct(runs.shares(known), runs.at[known], places, generator, draws=draws)
    return Route(DIRECT, made.mean, np.clip(made.noisy(generator), 0.0, 1.0))


def mixture(parts: Sequence[Route], draws: int) -> tuple[Array, Array]:
    """(curve, model): as many draws of each route."""
    share = math.ceil(draws / len(parts))
    curve = np.concatenate([part.curve[:share] for part in parts])
    return curve, np.concatenate([part.model[:share] for part in parts])
