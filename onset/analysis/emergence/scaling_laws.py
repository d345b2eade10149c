"""How a score grows with parameters and training tokens, and how accuracy follows a score: posterior draws.

Three models of one number y a run, each with normal noise of unknown spread:

* `fit_law`: a score above a limit that it never reaches, limit + A / N^a + B / D^b (Hoffmann et al. 2022, "Training
  Compute-Optimal Large Language Models", arXiv 2203.15556, section 3.3; without D where tokens are not known or do not
  vary on their own). Besiroglu et al. 2024 ("Chinchilla Scaling: A replication attempt", arXiv 2404.10102) show how an
  optimiser that stops early gives intervals that are too narrow; here the exponents are averaged over.
* `fit_link`: accuracy over a score, a logistic between a floor near chance and a ceiling of at most 1, both free
  (Bhagia et al. 2024, "Establishing Task Scaling Laws via Compute-Efficient Model Ladders", arXiv 2412.04403, fit the
  same curve by least squares).
* `fit_direct`: accuracy over a weighted mean of log parameters and log tokens, by the same logistic (`fit_bounded`: of
  a score that is bounded by 0 and 1).

Priors are weak and stated at each function; the noise has a scaled inverse chi-square prior and is summed over, so the
likelihood of the rest is a power of the sum of squares (Gelman et al., "Bayesian Data Analysis", third edition, section
3.2). Draws: the affine-invariant ensemble sampler (Goodman and Weare 2010, "Ensemble samplers with affine invariance",
Communications in Applied Mathematics and Computational Science 5, 65-80), started at the best shapes of a grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import special

from onset.analysis.curves.shapes import Array

WALKERS, BURN, EVERY = 128, 250, 8
"""Of the sampler: walkers, steps thrown away, steps between two that are kept."""
STRETCH = 2.0
"""The scale a of the stretch move; Goodman and Weare's value."""
EXPONENT, SPREAD = 0.3, 0.4
"""Median of an exponent before the data, and the standard deviation of its natural logarithm."""
STEEPNESS, STEEPER = 1.0, 1.0
"""The same of a logistic's slope, in log-odds a standard deviation of what it grows with over the runs."""
FLOOR = 0.03
"""Standard deviation of the floor about chance before the data, of an accuracy."""
BEYOND = 3.0
"""How far beyond the runs (standard deviations of what accuracy grows with) half of the rise may lie."""
SURE = 2.0
"""Runs that the prior of the noise is worth."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Posterior draws. ``mean``: draws x places; ``noise``: standard deviation of one run about it, draws."""

    mean: Array
    noise: Array

    def noisy(self, generator: np.random.Generator) -> Array:
        """One run at each place, for each draw."""
        return self.mean + self.noise[:, None] * generator.standard_normal(self.mean.shape)


@dataclass(frozen=True, eq=False)
class _Problem:
    """``y``: one number a run, with its ``weight`` (mean 1); ``noise``: what one run is expected to scatter by, a prior
    worth `SURE` runs. ``curve``: (parameters K x P, ``at`` or ``places``) -> K x runs or places; ``prior``: log density
    of parameters, -inf where impossible; ``starts``: parameters to begin from.
    """

    y: Array
    weight: Array
    noise: float
    at: Array
    places: Array
    curve: Callable[[Array, Array], Array]
    prior: Callable[[Array], Array]
    starts: Array

    def squares(self, parameters: Array) -> Array:
        """Weighted sum of squares, that of the prior of the noise included."""
        rest = self.y - self.curve(parameters, self.at)
        out: Array = (self.weight * rest**2).sum(axis=1) + SURE * self.noise**2
        return out

    def log_posterior(self, parameters: Array) -> Array:
        """Of each row of parameters, the noise summed over."""
        out = self.prior(parameters)
        possible = np.isfinite(out)
        if possible.any():
            out[possible] -= 0.5 * (self.y.size + SURE) * np.log(self.squares(parameters[possible]))
        return out

    def draws(self, generator: np.random.Generator, draws: int) -> Draws:
        drawn = sample(self.log_posterior, self.starts[np.isfinite(self.prior(self.starts))], generator, draws)
        spread = np.sqrt(self.squares(drawn) / generator.chisquare(self.y.size + SURE, len(drawn)))
        return Draws(self.curve(drawn, self.places), spread)


def sample(log_posterior: Callable[[Array], Array], starts: Array, generator: np.random.Generator, draws: int) -> Array:
    """``draws`` draws (draws x P) by the stretch move, from those of ``starts`` (S x P) that are likely enough."""
    value = log_posterior(starts)
    # a quarter of the log-density: walkers begin spread wider than they end
    weight = np.exp((value - value.max()) / 4)
    walker = starts[generator.choice(len(starts), WALKERS, p=weight / weight.sum())]
    scale = np.maximum(walker.std(axis=0), 0.01)
    moved = walker + 0.1 * scale * generator.standard_normal(walker.shape)
    possible = np.isfinite(log_posterior(moved))
    walker = np.where(possible[:, None], moved, walker)
    value = log_posterior(walker)
    half, size = WALKERS // 2, starts.shape[1]
    kept = []
    for step in range(BURN + EVERY * math.ceil(draws / WALKERS)):
        for first in (True, False):
            own, other = (slice(None, half), slice(half, None)) if first else (slice(half, None), slice(None, half))
            stretch = ((STRETCH - 1) * generator.random(half) + 1) ** 2 / STRETCH
            partner = walker[other][generator.integers(0, half, half)]
            tried = partner + stretch[:, None] * (walker[own] - partner)
            new = log_posterior(tried)
            taken = np.log(generator.random(half)) < (size - 1) * np.log(stretch) + new - value[own]
            walker[own] = np.where(taken[:, None], tried, walker[own])
            value[own] = np.where(taken, new, value[own])
        if step >= BURN and (step - BURN) % EVERY == EVERY - 1:
            kept.append(walker.copy())
    every = np.concatenate(kept)
    return every[generator.permutation(len(every))[:draws]]


# ---- a score over parameters and tokens -----------------------------------------------------------------------------


def fit_law(
    y: Array, at: Array, places: Array, generator: np.random.Generator, *, lowest: float, noise: float, draws: int
) -> Draws:
    """A limit + the sum of A_i 10^(-a_i x_i) over the axes i: a score that falls with size.

    ``y``: a score a run; ``at``, ``places``: decades of size (and of tokens), runs x axes and places x axes.
    Priors: the limit uniform above ``lowest``; A_i uniform above 0; a_i log-normal (`EXPONENT`, `SPREAD`).
    """
    middle, axes = at.mean(axis=0), at.shape[1]
    spread = float(np.ptp(y)) or 1.0

    def curve(parameters: Array, x: Array) -> Array:
        out = np.repeat(parameters[:, :1], len(x), axis=1)
        for axis in range(axes):
            part, power = parameters[:, 1 + axis, None], np.exp(parameters[:, 1 + axes + axis, None])
            out = out + part * 10.0 ** (-power * (x[None, :, axis] - middle[axis]))
        return out

    def prior(parameters: Array) -> Array:
        power = parameters[:, 1 + axes :]
        inside = (parameters[:, 0] >= lowest) & (parameters[:, 1 : 1 + axes] >= 0).all(axis=1) & (power < 3).all(axis=1)
        density = -0.5 * (((power - math.log(EXPONENT)) / SPREAD) ** 2).sum(axis=1)
        return np.where(inside, density, -np.inf)

    starts = []
    for powers in product(np.geomspace(0.05, 1.5, 12 if axes > 1 else 40), repeat=axes):
        basis = np.column_stack([np.ones(len(y)), 10.0 ** (-np.array(powers) * (at - middle))])
        found = np.linalg.lstsq(basis, y, rcond=None)[0]
        found[1:] = np.maximum(found[1:], 0.01 * spread)
        found[0] = max(float(np.mean(y - basis[:, 1:] @ found[1:])), lowest)
        starts.append([*found, *np.log(powers)])
    problem = _Problem(y, np.ones(len(y)), noise, at, places, curve, prior, np.array(starts))
    return problem.draws(generator, draws)


# ---- accuracy -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shares:
    """Accuracy of each run: ``share``, its ``weight`` (mean 1), the expected ``noise`` of a run and ``chance``.

    ``spread``: standard deviation of the floor about chance before the data.
    """

    share: Array
    weight: Array
    noise: float
    chance: float
    spread: float = FLOOR


def _logistic(parameters: Array, u: Array) -> Array:
    low, high, slope, middle = (parameters[:, [i]] for i in range(4))
    out: Array = low + (high - low) * special.expit(np.exp(slope) * (u - middle))
    return out


def _logistic_prior(parameters: Array, shares: Shares, least: float, most: float) -> Array:
    low, high, slope, middle = (parameters[:, i] for i in range(4))
    inside = (low >= 0) & (high >= low) & (high <= 1) & (np.abs(slope) < 4) & (middle >= least) & (middle <= most)
    rise = np.log(np.maximum(high - low, 1e-12) / np.maximum(1 - low, 1e-12))
    floor, steep = (low - shares.chance) / shares.spread, (slope - math.log(STEEPNESS)) / STEEPER
    density = rise - 0.5 * floor**2 - 0.5 * steep**2
    return np.where(inside, density, -np.inf)


def _logistic_starts(u: Array, shares: Shares) -> Array:
    starts = []
    for slope, middle in product(np.linspace(-1.5, 2, 12), np.linspace(u.min() - 0.5, u.max() + BEYOND, 24)):
        shape = special.expit(math.exp(slope) * (u - middle))
        low, high = np.linalg.lstsq(np.column_stack([1 - shape, shape]), shares.share, rcond=None)[0]
        low = float(np.clip(low, 0.0, 0.98))
        starts.append([low, float(np.clip(high, low + 0.001, 1.0)), slope, middle])
    return np.array(starts)


def fit_link(shares: Shares, score: Array, places: Array, generator: np.random.Generator, *, draws: int) -> Draws:
    """Accuracy over a score that falls as models improve; ``places``: scores of models to come, one a draw and place.

    Priors: floor normal about chance (`FLOOR`); ceiling between floor and 1, its density in proportion to the rise, so
    that most tasks are solved for the most part in the end; slope log-normal (`STEEPNESS`, `STEEPER`); the middle
    uniform from half a standard deviation below the runs to `BEYOND` above them.
    """
    centre, unit = float(score.mean()), float(score.std()) or 1.0
    # of the runs one row for all parameters, of the models to come a row for each draw
    u, further = -(score - centre) / unit, -(places - centre) / unit
    least, most = float(u.min()) - 0.5, float(u.max()) + BEYOND

    def prior(parameters: Array) -> Array:
        return _logistic_prior(parameters, shares, least, most)

    starts = _logistic_starts(u, shares)
    problem = _Problem(shares.share, shares.weight, shares.noise, u[None, :], further, _logistic, prior, starts)
    return problem.draws(generator, draws)


def fit_direct(shares: Shares, at: Array, places: Array, generator: np.random.Generator, *, draws: int) -> Draws:
    """Accuracy over size: over the mean of log parameters and log tokens, its weight uniform in 0..1.

    ``at``, ``places``: decades, runs x axes and places x axes (one or two axes). Priors of the logistic: as in
    `fit_link`.
    """
    middle, unit = at.mean(axis=0), float(at.mean(axis=1).std()) or 1.0

    def mixed(part: Array, x: Array) -> Array:
        moved = (x - middle) / unit
        if moved.shape[1] == 1:
            return np.repeat(moved[None, :, 0], len(part), axis=0)
        out: Array = part[:, None] * moved[None, :, 0] + (1 - part[:, None]) * moved[None, :, 1]
        return out

    ends = mixed(np.linspace(0, 1, 5), at)
    least, most = float(ends.min()) - 0.5, float(ends.max()) + BEYOND

    def prior(parameters: Array) -> Array:
        part = parameters[:, 4]
        density = _logistic_prior(parameters, shares, least, most)
        return np.where((part >= 0) & (part <= 1), density, -np.inf)

    def curve(parameters: Array, x: Array) -> Array:
        return _logistic(parameters, mixed(parameters[:, 4], x))

    starts = [
        np.column_stack([made, np.full(len(made), part)])
        for part in np.linspace(0.02, 0.98, 9)
        for made in [_logistic_starts(mixed(np.array([part]), at)[0], shares)]
    ]
    problem = _Problem(shares.share, shares.weight, shares.noise, at, places, curve, prior, np.concatenate(starts))
    return problem.draws(generator, draws)


def fit_bounded(
    value: Array, at: Array, places: Array, generator: np.random.Generator, *, noise: float, draws: int
) -> Draws:
    """A score within 0..1 that rises with size: as `fit_direct`, its floor normal about the least that was seen."""
    shares = Shares(value, np.ones(len(value)), noise, float(value.min()), max(float(np.ptp(value)), noise))
    return fit_direct(shares, at, places, generator, draws=draws)
