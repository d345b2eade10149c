"""Which of two methods is better on the same model, examples and items: paired tests and verdicts in words.

One draw of examples: exact McNemar test (McNemar 1947; two-sided binomial on the discordant pairs). Its interval is the
wider of Tango's (1998) score interval and the exact one given the number of discordant pairs (Clopper and Pearson's
for the share of them that side a has right), so that it excludes 0 exactly where the test rejects. It says nothing
about other draws (``scope``).

Several draws: where a study has enough comparisons of one design, noise between draws is pooled over them
(`onset.analysis.stats.pooling`), and interval, p and equivalence are those of one moderated t. Else the crossed
bootstrap over draws x items (`onset.analysis.stats.bootstrap`) gives interval and p. Below six draws the interval is
then the wider of that one and a t interval on the draw-level differences, and p the larger of the two: neither is
enough on its own there (the t interval takes the items as given, the bootstrap hardly sees the draws). All intervals
are cut at -1 and 1.

p is adjusted by Holm (1979) within the family of all comparisons on one task, shift, model and stage. Equivalence: two
one-sided tests at a stated margin (Schuirmann 1987), adjusted in the same way. The verdict is said of side a.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from typing import Literal

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.contrast.sentences import comparison_sentence
from onset.analysis.outcomes import Aligned, Outcomes, aligned
from onset.analysis.stats.adjust import ALPHA, MARGIN, holm, two_one_sided
from onset.analysis.stats.bootstrap import REPLICATES, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.draws import ENOUGH_DRAWS, OverDraws, over_draws, rounding_of
from onset.analysis.stats.pooling import Link, Moderated, Pool, pool
from onset.analysis.stats.power import items_needed
from onset.analysis.stats.shares import Interval, exact_interval, mcnemar, tango, tango_z

Verdict = Literal["wins", "loses", "equivalent", "undecided"]
Scope = Literal["these examples", "draws", "no examples"]
"""What a verdict is about: the one draw of examples that was compared, draws of examples like those, or no examples at
all (a budget of 0, where nothing is drawn).
"""


@dataclass(frozen=True)
class Comparison:
    """Side a against side b (values of accuracy as shares, 0..1; ``difference`` is a - b).

    ``n``: items compared; ``seeds``: the draws compared; ``mismatch``: draws left out and why; ``discordant``: outcomes
    only a has right, only b has right; ``unpaired``: outcomes only a has, only b has; ``p_equivalent`` the larger p of
    the two one-sided tests; ``family``: what the family's members share, with ``family_size`` comparisons; ``needed``:
    items at which the observed difference would be found with 80 % power (None when decided, when there is no
    difference, and when more items alone cannot decide), ``needed_draws`` draws of as many items (None for one draw,
    too). ``by_draw``: the difference in each draw, and ``p_by_draw`` its exact McNemar p (empty for other outcomes than
    right and wrong). ``pool``: what noise between draws was pooled with; ``not_pooled`` says why it was not.
    Everything measured is None when nothing could be paired.
    """

    sides: tuple[str, str]
    model: str
    params: int
    stage: str
    labels: int
    task: str
    shift: str
    seeds: tuple[int, ...]
    n: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    interval: Interval | None
    t_interval: Interval | None
    p: float | None
    p_equivalent: float | None
    test: str
    margin: float
    discordant: tuple[int, int]
    unpaired: tuple[int, int]
    mismatch: tuple[str, ...]
    family: str
    crossed: Crossed | None
    scope: Scope = "draws"
    by_draw: tuple[float, ...] = ()
    p_by_draw: tuple[float, ...] = ()
    pool: Pool | None = None
    not_pooled: str | None = None
    p_holm: float | None = None
    p_equivalent_holm: float | None = None
    family_size: int = 1
    verdict: Verdict = "undecided"
    needed: int | None = None
    needed_draws: int | None = None
    sentence: str = ""
    moderated: Moderated | None = None


def pair(a: Outcomes, b: Outcomes, *, names: tuple[str, str] | None = None) -> Aligned:
    """Pair two ways of asking by seed and item; draws whose task or example plan differ are refused and reported.

    ``names``: what the sides are called in the report; by default their methods.
    """
    called = names or (a.method, b.method)
    refused = [*_lone_draws(a, b, called[0]), *_lone_draws(b, a, called[1])]
    draws = []
    for draw in sorted(set(a.draws) & set(b.draws)):
        why = _unlike("task hash", a, b, draw, a.versions, b.versions)
        why = why or _unlike("example plan", a, b, draw, a.plans, b.plans)
        if why is None:
            draws.append(draw)
        else:
            refused.append(why)
    return aligned(a, b, draws, refused)


def _unlike(what: str, a: Outcomes, b: Outcomes, draw: int, ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Why a draw is refused: where both sides say what they had there, and it differs."""
    if not ours or not theirs:
        return None
    left, right = ours[a.draws.index(draw)], theirs[b.draws.index(draw)]
    return None if left == right else f"seed {draw}: {what} {left} against {right}, refused"


def _lone_draws(a: Outcomes, b: Outcomes, name: str) -> list[str]:
    lone = [str(draw) for draw in a.draws if draw not in b.draws]
    return [f"only {name} has seed{'s' if len(lone) > 1 else ''} {words.listed(lone)}"] if lone else []


Kind = Literal["binary", "share", "score"]
"""Outcomes that are right or wrong, shares in 0..1, or scores on any scale."""


def compare(
    a: Outcomes,
    b: Outcomes,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    names: tuple[str, str] | None = None,
    kind: Kind = "binary",
) -> Comparison:
    """Compare two ways of asking with the same labels, task and shift; not yet adjusted for a family.

    Methods are compared on the same model and stage. ``names``: what the sides are called when it is not the method
    that they differ in; model, stage and family are those of ``a``. ``kind``: McNemar's test and its interval are
    for right and wrong only; other values get the bootstrap alone, and a ``score`` has no limits and no equivalence.
    Noise between draws is that of these two alone: `share_noise` pools it.
    """
    return _tested(measure(a, b, margin=margin, replicates=replicates, names=names, kind=kind), kind)


def measure(
    a: Outcomes,
    b: Outcomes,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    names: tuple[str, str] | None = None,
    kind: Kind = "binary",
) -> Comparison:
    """What `compare` tests, without interval and p: `share_noise` gives them, from a bootstrap only where noise between
    draws is not pooled.
    """
    paired = pair(a, b, names=names)
    difference = paired.plus - paired.minus
    crossed = crossed_bootstrap([Block(difference)], replicates) if difference.size else None
    blank = Comparison(
        sides=names or (a.method, b.method),
        model=a.model,
        params=a.params,
        stage=a.stage,
        labels=a.labels,
        task=a.task,
        shift=a.shift,
        seeds=paired.draws,
        n=difference.shape[1],
        accuracy_a=None,
        accuracy_b=None,
        difference=None,
        interval=None,
        t_interval=None,
        p=None,
        p_equivalent=None,
        test="none: nothing to pair",
        margin=margin,
        discordant=(int((difference > 0).sum()), int((difference < 0).sum())),
        unpaired=paired.only,
        mismatch=paired.refused,
        family=f"{a.task}, shift {a.shift}, {a.model}, stage {a.stage}",
        crossed=crossed,
        scope="no examples" if a.labels == b.labels == 0 else "these examples" if len(paired.draws) < 2 else "draws",
    )
    if crossed is None:
        return blank
    return replace(
        blank,
        accuracy_a=float(np.nanmean(paired.plus)),
        accuracy_b=float(np.nanmean(paired.minus)),
        difference=float(np.nanmean(difference)),
        by_draw=tuple(float(np.nanmean(row)) for row in difference),
        p_by_draw=tuple(mcnemar(int((row > 0).sum()), int((row < 0).sum())) for row in difference)
        if kind == "binary"
        else (),
    )


def _tested(one: Comparison, kind: Kind) -> Comparison:
    """With interval and p of this comparison alone."""
    if one.crossed is None:
        return one
    limit = _limit(kind)
    if len(one.seeds) > 1:
        made = _several_draws(one, one.crossed, limit)
    else:
        made = _one_draw(one) if kind == "binary" else _one_draw_of_scores(one, one.crossed, limit)
    return made if kind != "score" else replace(made, p_equivalent=None)


def _limit(kind: Kind) -> float:
    return math.inf if kind == "score" else 1.0


def _one_draw(measured: Comparison) -> Comparison:
    only_a, only_b = measured.discordant
    score, margin = tango(only_a, only_b, measured.n), measured.margin
    low = float(special.ndtr(-tango_z(only_a, only_b, measured.n, -margin)))
    high = float(special.ndtr(tango_z(only_a, only_b, measured.n, margin)))
    assert score is not None  # there are items
    return replace(
        measured,
        interval=_wider(score, exact_interval(only_a, only_b, measured.n)),
        p=mcnemar(only_a, only_b),
        p_equivalent=max(low, high),
        test="exact McNemar; interval: the wider of its own and Tango's score interval",
    )


def _one_draw_of_scores(measured: Comparison, crossed: Crossed, limit: float) -> Comparison:
    return replace(
        measured,
        interval=_wider(crossed.interval(), limit=limit),
        p=crossed.p(),
        p_equivalent=two_one_sided(crossed, measured.margin),
        test="paired bootstrap over items",
    )


def _several_draws(measured: Comparison, crossed: Crossed, limit: float) -> Comparison:
    margin, draws = measured.margin, len(measured.seeds)
    name = "crossed bootstrap over draws and items"
    if draws >= ENOUGH_DRAWS:
        return replace(
            measured,
            interval=_wider(crossed.interval(), limit=limit),
            p=crossed.p(),
            p_equivalent=two_one_sided(crossed, margin),
            test=name,
        )
    apart = _apart(measured, crossed, limit)
    t_interval = apart.interval(limit)
    return replace(
        measured,
        interval=_wider(crossed.interval(), t_interval, limit),
        t_interval=t_interval,
        p=max(crossed.p(), apart.p()),
        p_equivalent=max(two_one_sided(apart, margin), two_one_sided(crossed, margin)),
        test=f"{name}, with a t interval over {draws} draws: the wider of the two",
    )


def _apart(one: Comparison, crossed: Crossed, limit: float) -> OverDraws:
    by_draw = np.nanmean(crossed.blocks[0].values, axis=1)
    return over_draws(by_draw, rounding_of(one.n) if limit == 1.0 else 0.0)


def _wider(first: Interval, second: Interval | None = None, limit: float = 1.0) -> Interval:
    second = second or first
    return max(-limit, min(first[0], second[0])), min(limit, max(first[1], second[1]))


def share_noise(
    members: Sequence[Comparison], designs: Sequence[str], links: Sequence[Link], *, kind: Kind = "binary"
) -> list[Comparison]:
    """The comparisons with noise between draws pooled over those of one design and number of draws, where there are
    enough (`onset.analysis.stats.pooling.pool`); the others as they are, with the reason.
    """
    out = []
    for one, made in zip(members, pool([one.crossed for one in members], designs, links), strict=True):
        if isinstance(made, Moderated):
            out.append(_moderated(one, made, kind))
        else:
            out.append(replace(_tested(one, kind), not_pooled=made))
    return out


def _moderated(one: Comparison, made: Moderated, kind: Kind) -> Comparison:
    limit = _limit(kind)
    few = len(one.seeds) < ENOUGH_DRAWS
    return replace(
        one,
        interval=made.interval(limit),
        t_interval=_apart(one, one.crossed, limit).interval(limit) if few and one.crossed is not None else None,
        p=made.p(),
        p_equivalent=None if kind == "score" else two_one_sided(made, one.margin),
        test=made.test,
        pool=made.pool,
        moderated=made,
    )


def kinds(a: Outcomes, b: Outcomes) -> str:
    """What a comparison of ``a`` and ``b`` is, as far as noise between draws is concerned.

    A prompt shows the examples and a tuned model has learnt from them: in the recorded studies (docs/results) the
    standard deviation between draws is 13 points for tuned against prompted and 6 for tuned against tuned.
    """
    return said_kind(a.tuned + b.tuned)


def said_kind(tuned: int) -> str:
    """The kind of a comparison with ``tuned`` sides (0, 1 or 2) that are tuned, in words."""
    return ("prompted against prompted", "tuned against prompted", "tuned against tuned")[tuned]


def compare_all(
    arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[Comparison, ...]:
    """Every pair of methods at equal labels, decided within its family.

    Side a is the more elaborate method (tuned after prompted, voted after single, then in order of appearance), side b
    the simpler one.
    """
    pairs = [(a, b, index) for index, family in enumerate(_families(arms)) for a, b in _pairs(family)]
    members = share_noise(
        [measure(a, b, margin=margin, replicates=replicates) for a, b, _ in pairs],
        [kinds(a, b) for a, b, _ in pairs],
        [(_source(a), _source(b)) for a, b, _ in pairs],
    )
    families = groupby(zip(members, pairs, strict=True), key=lambda row: row[1][2])
    return tuple(one for _, rows in families for one in decide([member for member, _ in rows]))


def _source(arm: Outcomes) -> tuple[str, str, str, int, str]:
    """An arm without its shift: a shift asks the same tuned model, or shows the same examples."""
    return arm.model, arm.stage, arm.method, arm.labels, arm.task


def _families(arms: Sequence[Outcomes]) -> Iterator[list[Outcomes]]:
    groups: dict[tuple[str, ...], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.shift, arm.model, arm.stage), []).append(arm)
    yield from groups.values()


def _pairs(family: Sequence[Outcomes]) -> Iterator[tuple[Outcomes, Outcomes]]:
    ranked = sorted(family, key=lambda arm: (arm.labels, arm.tuned, arm.asked.vote is not None))
    for _, same in groupby(ranked, key=lambda arm: arm.labels):
        for b, a in combinations(list(same), 2):
            yield a, b


def decide(members: Sequence[Comparison]) -> list[Comparison]:
    """Adjust one family's p-values and give each member its verdict, items needed and sentence."""
    tested = [index for index, one in enumerate(members) if one.p is not None]
    adjusted = dict(zip(tested, holm([one.p for one in members if one.p is not None]), strict=True))
    equivalent = holm([one.p_equivalent for one in members if one.p_equivalent is not None])
    both = dict(zip(tested, equivalent, strict=True))
    out = []
    for index, one in enumerate(members):
        settled = replace(
            one,
            p_holm=adjusted.get(index),
            p_equivalent_holm=both.get(index),
            family_size=max(len(tested), 1),
        )
        settled = replace(settled, verdict=_verdict(settled))
        if settled.verdict == "undecided":
            settled = replace(settled, needed=_needed(settled), needed_draws=_needed_draws(settled))
        out.append(replace(settled, sentence=comparison_sentence(settled)))
    return out


def _verdict(one: Comparison) -> Verdict:
    if one.difference is None or one.p_holm is None or one.p_equivalent_holm is None:
        return "undecided"
    if one.p_holm <= ALPHA and one.difference != 0:
        return "wins" if one.difference > 0 else "loses"
    return "equivalent" if one.p_equivalent_holm <= ALPHA else "undecided"


def _needed(one: Comparison) -> int | None:
    """Items for 80 % power at the observed difference, at the family's first Holm step."""
    if not one.difference or one.crossed is None:
        return None
    level = ALPHA / one.family_size
    if len(one.seeds) == 1:
        n = items_needed(one.difference, sum(one.discordant) / one.n, level)
        return None if n is None else max(n, one.n + 1)
    return _needed_items(one, one.crossed, level)


def _needed_items(one: Comparison, crossed: Crossed, level: float) -> int | None:
    """Noise between draws stays when items are added, the rest of the variance falls as 1 / items."""
    residual, between = crossed.parts.residual or 0.0, crossed.parts.between_draws or 0.0
    checks = [(crossed.standard_error**2, crossed.parts.df)]
    if one.moderated is not None:
        between = one.moderated.between
        checks = [(one.moderated.standard_error**2, one.moderated.df)]
    elif len(one.seeds) < ENOUGH_DRAWS and crossed.parts.between_draws is not None:
        checks.append((between, float(len(one.seeds) - 1)))
    stays = max(between - residual, 0.0)
    wanted = []
    for variance, df in checks:
        allowed = (crossed.estimate / _multiplier(df, level)) ** 2
        if allowed <= stays:
            return None
        wanted.append(math.ceil(one.n * (variance - stays) / (allowed - stays)))
    return max(*wanted, one.n + 1)


def _multiplier(df: float, level: float) -> float:
    """Standard errors between 0 and a difference that is found at ``level`` with 80 % power."""
    return float(special.stdtrit(df, 1 - level / 2) + special.stdtrit(df, 0.8))


MOST_DRAWS = 50


def _needed_draws(one: Comparison) -> int | None:
    """Draws of as many items for 80 % power at the observed difference; None where `MOST_DRAWS` are not enough."""
    held = one.crossed
    if not one.difference or held is None or held.parts.between_draws is None or len(one.seeds) < 2:
        return None
    now, level = len(one.seeds), ALPHA / one.family_size
    between, df = held.parts.between_draws, float(now - 1)
    if one.moderated is not None:
        between, df = one.moderated.between, one.moderated.df_between
    items = max((held.parts.item_part or 0.0) - (held.parts.residual or 0.0), 0.0)
    for draws in range(now + 1, MOST_DRAWS + 1):
        variance, parts = between * now / draws + items, (between * now / draws, items)
        later = df + draws - now
        freedom = variance**2 / (parts[0] ** 2 / later + parts[1] ** 2 / max(one.n - 1, 1)) if variance > 0 else later
        if abs(one.difference) >= _multiplier(freedom, level) * math.sqrt(variance):
            return draws
    return None
