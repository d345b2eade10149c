"""Noise between draws, pooled over the comparisons of a study: what two draws of examples can say.

Two draws leave one degree of freedom for the variance between them, and t has 12.7 as its 97.5 % point there. But a
study makes many comparisons whose draws are noisy in much the same measure. The moderated t of Smyth (2004, "Linear
models and empirical Bayes methods for assessing differential expression in microarray experiments", Statistical
Applications in Genetics and Molecular Biology 3(1), article 3) takes variances as draws from a scaled inverse
chi-square distribution with d0 degrees of freedom, and gives each the mean of its own and the prior's, weighted by
degrees of freedom.

What is pooled is the mean square of draws of the two-way layout (`onset.analysis.stats.bootstrap`), of comparisons with
one number of draws and one kind of sides. Noise of items stays each comparison's own, as the intervals always held it.
For comparison g with d = D - 1 degrees of freedom let s2_g be the variance of its draw-level differences and r_g the
part of it that single outcomes explain (residual mean square over I, which has (D - 1)(I - 1) degrees of freedom and is
taken as known), and q_g the mean square of its single differences: the share of outcomes that exactly one side has
right. Its prior is r_g + k q_g: the variance of noise between draws is in proportion to how often the sides disagree,
with one k for the pool, so that two methods that never disagree get no noise from those that do. (In proportion to r_g
would be wrong: where one side is far ahead by the luck of the draws, r_g is small.)

Deviations from the paper, each because simulation asked for it (`benchmarks/few_draws.py`, type-I error at most 6 %):

* the prior's scale k is the mean over the pool of (s2_g - r_g) / q_g, times m / (m - 1) for m independent
  comparisons, not a mean of logarithms: with one degree of freedom and few items a variance is often exactly 0;
* d0 comes from the variance of log s2_g by the trigamma function, as in the paper, and is at most `MOST_DF`: from a
  handful of variances with one degree of freedom it is infinite more often than not, also where standard deviations
  differ threefold;
* d0 is at most half of the (m - 1) d degrees of freedom that the other comparisons have. (limma, the paper's package,
  bounds d0 + d by the sum of all.)

Comparisons are not independent: of three methods compared pair by pair the third difference follows from two, and a
shift asks the same tuned model. ``m`` counts the links of a spanning forest over what was compared, shifts left out.
Below `LEAST_INDEPENDENT` nothing is pooled.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import Crossed, layout_variance
from onset.analysis.stats.shares import Interval
from onset.analysis.stats.tails import root

MOST_DF = 3.0
"""The most degrees of freedom a prior has, whatever the fit says."""
LEAST_INDEPENDENT = 3
"""Independent comparisons below which nothing is pooled: two variances do not show how far variances differ."""

Link = tuple[Hashable, Hashable]
"""What a comparison has on either side, the shift left out."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What the variance between draws of one comparison was pooled with.

    ``design``: what the pool's members share, in words; ``comparisons``: its members, ``independent`` of them count;
    ``prior_df``; ``prior_sd``: the standard deviation that the pool expects of this comparison's draw-level differences
    (in the unit of the estimate, noise of single outcomes within a draw left out).
    """

    design: str
    comparisons: int
    independent: int
    prior_df: float
    prior_sd: float


@dataclass(frozen=True, slots=True)
class Moderated:
    """An estimate whose variance between draws is pooled: estimate and error on a t scale with ``df``.

    ``between``: the pooled mean square of draws over D I, ``df_between`` its degrees of freedom.
    """

    estimate: float
    standard_error: float
    df: float
    between: float
    df_between: float
    pool: Pool

    def interval(self, limit: float = math.inf, level: float = LEVEL) -> Interval:
        """Cut at ``limit`` on both sides."""
        half = float(special.stdtrit(self.df, (1 + level) / 2)) * self.standard_error
        return max(-limit, self.estimate - half), min(limit, self.estimate + half)

    def tail(self, value: float, *, above: bool) -> float:
        """One-sided p of the hypothesis that the truth lies at ``value`` or beyond (``above`` or below it)."""
        gap = (value - self.estimate) if above else (self.estimate - value)
        if self.standard_error == 0:
            return 0.0 if gap > 0 else 1.0
        return float(special.stdtr(self.df, -gap / self.standard_error))

    def p(self, value: float = 0.0) -> float:
        """Two-sided p of "the truth is ``value``"."""
        return min(1.0, 2 * min(self.tail(value, above=True), self.tail(value, above=False)))

    @property
    def test(self) -> str:
        """The test's name in words."""
        return (
            f"moderated t over draws and items (noise between draws pooled over {self.pool.comparisons} comparisons:"
            f" {self.pool.design}; prior {self.pool.prior_df:.1f} degrees of freedom)"
        )


def trigamma_inverse(value: float) -> float:
    """The x > 0 at which the trigamma function is ``value`` > 0."""
    if not 0 < value < math.inf:
        raise ValueError(f"trigamma_inverse: {value} must be above 0 and finite")
    # 1/x < trigamma(x) < 1/x + 1/x^2
    low, high = 1 / value, 1 / value + 1 / math.sqrt(value)
    return root(lambda x: float(special.polygamma(1, x)) - value, 0.5 * low, 2 * high, xtol=1e-12)


def prior_df(variances: Sequence[float], df: float) -> float:
    """Degrees of freedom of the scaled inverse chi-square distribution behind ``variances`` of ``df`` each.

    Smyth (2004), section 6.2: the variance of log s2 is trigamma(df / 2) + trigamma(d0 / 2). Infinite where the
    variances (above 0) differ no more than chance makes them.
    """
    excess = float(np.var(np.log(np.asarray(variances, dtype=np.float64)), ddof=1)) - float(
        special.polygamma(1, df / 2)
    )
    return 2 * trigamma_inverse(excess) if excess > 0 else math.inf


def most_prior_df(independent: int, draws: int) -> float:
    """The most degrees of freedom a prior from ``independent`` comparisons of ``draws`` draws has; 0: not pooled."""
    return 0.0 if independent < LEAST_INDEPENDENT else min(MOST_DF, (independent - 1) * (draws - 1) / 2)


def pool(
    estimates: Sequence[Crossed | None], designs: Sequence[str], links: Sequence[Link]
) -> list[Moderated | str | None]:
    """Pool the noise between draws of ``estimates`` with one design and one number of draws.

    ``designs``: in words; ``links``: what each one compares. For each estimate the moderated one; a string that says
    why nothing was pooled; None where there are no draws to speak of (one draw, or nothing measured).
    """
    out: list[Moderated | str | None] = [None] * len(estimates)
    groups: dict[tuple[str, int], list[int]] = {}
    for index, (one, design) in enumerate(zip(estimates, designs, strict=True)):
        if one is not None and one.draws > 1:
            groups.setdefault((design, one.draws), []).append(index)
    for (design, _), members in groups.items():
        whole = [index for index in members if (held := estimates[index]) and held.parts.between_draws is not None]
        for index in set(members) - set(whole):
            out[index] = "draws that lack items have no variance to pool"
        made = _pooled([one for index in whole if (one := estimates[index])], [links[index] for index in whole], design)
        for index, said in zip(whole, made, strict=True):
            out[index] = said
    return out


def _pooled(held: Sequence[Crossed], links: Sequence[Link], design: str) -> Sequence[Moderated | str]:
    if not held:
        return []
    draws = held[0].draws
    said = f"{design}, {draws} draws"
    fits = [_noise(one) for one in held]
    # where the sides never disagree there is nothing to learn about draws
    informative = [index for index, one in enumerate(held) if one.square > 0]
    independent = independent_links([links[index] for index in informative])
    if independent < LEAST_INDEPENDENT:
        why = (
            f"{len(held)} comparison{'s' if len(held) > 1 else ''} of this design ({said}), {independent} independent:"
            f" too few to pool noise between draws over, {LEAST_INDEPENDENT} are needed"
        )
        return [why for _ in held]
    d = draws - 1
    ratios = [(fits[index][0] - fits[index][1]) / held[index].square for index in informative]
    ratio = max(0.0, float(np.mean(ratios))) * independent / (independent - 1)
    scaled = []
    for index in informative:
        (between, residual), one = fits[index], held[index]
        # differences of draws below the step between two possible means are rounding (Sheppard's correction)
        step = one.square / (12 * one.items**2)
        scaled.append(max(between, step) / max(residual + ratio * one.square, step))
    df = min(prior_df(scaled, d), most_prior_df(independent, draws))
    made = []
    for one, (_, residual) in zip(held, fits, strict=True):
        noise = ratio * one.square
        made.append(_moderated(one, residual, noise, Pool(said, len(held), independent, df, math.sqrt(noise))))
    return made


def _noise(one: Crossed) -> tuple[float, float]:
    """Variance of the draw-level estimates, and the part of it that single outcomes explain."""
    assert one.parts.between_draws is not None
    assert one.parts.residual is not None
    return one.parts.between_draws * one.draws, one.parts.residual * one.draws


def _moderated(one: Crossed, residual: float, noise: float, held: Pool) -> Moderated:
    assert one.parts.between_draws is not None
    assert one.parts.item_part is not None
    own, d, prior = one.parts.between_draws, one.draws - 1, held.prior_df
    expected = (residual + noise) / one.draws
    between = (prior * expected + d * own) / (prior + d)
    variance, df = layout_variance(between, prior + d, one.parts.item_part, residual / one.draws, one.parts.spread)
    if variance <= one.least:
        # as in the crossed bootstrap: a handful of items that are all alike show little
        variance, df = one.least, float(max(one.items - 1, 1))
    return Moderated(one.estimate, math.sqrt(variance), df, between, prior + d, held)


def independent_links(links: Sequence[Link]) -> int:
    """How many of the ``links`` say something that the others do not: those of a spanning forest."""
    root: dict[Hashable, Hashable] = {}

    def find(node: Hashable) -> Hashable:
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    count = 0
    for a, b in links:
        first, second = find(a), find(b)
        if first != second:
            root[first] = second
            count += 1
    return count
