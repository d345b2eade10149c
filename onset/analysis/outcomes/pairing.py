"""Two ways of asking side by side, on the draws and items that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onset.analysis.outcomes.table import Outcomes
from onset.analysis.stats.bootstrap import Array
from onset.analysis.words import listed

Examples = tuple[str | None, str | None]
"""What a draw was asked with: version of the task and example plan, None where the source does not say."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Two tables side by side, on what both have.

    ``plus`` and ``minus``: draws x items. With ``paired`` a column is one item (or an item and its clean twin), NaN
    where either side lacks it; else the sides are two test sets, ``items`` and ``others``. ``only``: outcomes of the
    draws compared that only one side has; ``refused``: draws left out, and why; ``examples``: of each draw, those of
    the minus side.
    """

    draws: tuple[int, ...]
    items: tuple[str, ...]
    others: tuple[str, ...]
    plus: Array
    minus: Array
    paired: bool = True
    only: tuple[int, int] = (0, 0)
    refused: tuple[str, ...] = ()
    examples: tuple[Examples, ...] = ()


def pair(plus: Outcomes, minus: Outcomes, names: tuple[str, str]) -> Aligned:
    """Pair two ways of asking by draw and item; draws whose task or example plan differ are refused and reported.

    ``names``: what the sides are called in the report.
    """
    refused = [*_lone_draws(plus.draws, minus.draws, names[0]), *_lone_draws(minus.draws, plus.draws, names[1])]
    shared = sorted(set(plus.draws) & set(minus.draws))
    draws, unlike = _alike(shared, _examples(plus, shared), _examples(minus, shared))
    return aligned(plus, minus, draws, [*refused, *unlike])


def _examples(one: Outcomes, draws: Sequence[int]) -> tuple[Examples, ...]:
    places = [one.draws.index(draw) for draw in draws]
    return tuple(
        (one.versions[place] if one.versions else None, one.plans[place] if one.plans else None) for place in places
    )


def _alike(draws: Sequence[int], ours: Sequence[Examples], theirs: Sequence[Examples]) -> tuple[list[int], list[str]]:
    """The draws that were asked with the same on both sides, as far as both say, and why the others are refused."""
    kept, refused = [], []
    for draw, *sides in zip(draws, ours, theirs, strict=True):
        known = zip(("task hash", "example plan"), *sides, strict=True)
        differ = [(what, a, b) for what, a, b in known if None not in (a, b) and a != b]
        if differ:
            what, a, b = differ[0]
            refused.append(f"seed {draw}: {what} {a} against {b}, refused")
        else:
            kept.append(draw)
    return kept, refused


def _lone_draws(draws: Sequence[int], others: Sequence[int], name: str) -> list[str]:
    lone = [str(draw) for draw in draws if draw not in others]
    return [f"only {name} has seed{'s' if len(lone) > 1 else ''} {listed(lone)}"] if lone else []


def aligned(plus: Outcomes, minus: Outcomes, draws: Sequence[int], refused: Sequence[str] = ()) -> Aligned:
    """The tables of both on ``draws``, their items paired by name and in the order of their names.

    The order does not depend on which side is which, so that resamples of a pair and of its mirror are the same.
    """
    items = sorted({*plus.items, *minus.items})
    left, right = _table(plus, draws, items), _table(minus, draws, items)
    has_plus, has_minus = np.isfinite(left), np.isfinite(right)
    both = has_plus & has_minus
    shared = both.any(axis=0)
    names = tuple(items[place] for place in np.flatnonzero(shared))
    return Aligned(
        tuple(draws),
        names,
        names,
        np.where(both, left, np.nan)[:, shared],
        np.where(both, right, np.nan)[:, shared],
        only=(int((has_plus & ~has_minus).sum()), int((has_minus & ~has_plus).sum())),
        refused=tuple(refused),
        examples=_examples(minus, draws),
    )


def _table(one: Outcomes, draws: Sequence[int], items: Sequence[str]) -> Array:
    out = np.full((len(draws), len(items)), np.nan)
    position = {item: index for index, item in enumerate(items)}
    rows = [one.draws.index(draw) for draw in draws]
    out[:, [position[item] for item in one.items]] = one.values[rows]
    return out


def twinned(clean: Outcomes, shifted: Outcomes, names: tuple[str, str]) -> Aligned:
    """Clean (plus) and shifted (minus) outcomes on the draws of both, in the order of the shifted items; draws whose
    example plan differs are refused and reported. ``names``: as of `pair`.

    Shifted items that were made from clean ones are paired with them; where none was, the shift is another test set.
    """
    refused = [*_lone_draws(clean.draws, shifted.draws, names[0]), *_lone_draws(shifted.draws, clean.draws, names[1])]
    shared = [draw for draw in shifted.draws if draw in clean.draws]
    plans = [[(None, plan) for _, plan in _examples(one, shared)] for one in (clean, shifted)]
    draws, unlike = _alike(shared, *plans)  # of another test set the task has another hash
    rows = [clean.draws.index(draw) for draw in draws], [shifted.draws.index(draw) for draw in draws]
    column = {item: index for index, item in enumerate(clean.items)}
    made = [(index, column[twin]) for index, twin in enumerate(shifted.twins) if twin is not None and twin in column]
    places, twins = [place for place, _ in made], [twin for _, twin in made]
    if not made:
        places, twins = list(range(len(shifted.items))), list(range(len(clean.items)))
    plus, minus = clean.values[np.ix_(rows[0], twins)], shifted.values[np.ix_(rows[1], places)]
    both = int((np.isfinite(plus) & np.isfinite(minus)).sum()) if made else 0
    every = [int(np.isfinite(one.values[some]).sum()) for one, some in zip((clean, shifted), rows, strict=True)]
    return Aligned(
        tuple(draws),
        tuple(clean.items[twin] for twin in twins),
        tuple(shifted.items[place] for place in places),
        plus,
        minus,
        paired=bool(made),
        only=(every[0] - both, every[1] - both) if made else (0, 0),
        refused=(*refused, *unlike) if draws else (*refused, *unlike, "they share no draw"),
        examples=_examples(shifted, draws),
    )


def between(a: Aligned, b: Aligned, names: tuple[str, str]) -> Aligned:
    """Table ``a`` minus table ``b``, side by side, on the draws and items (or pairs of twins) that both have.

    Its mean difference is the difference of their mean differences. Draws with other examples are refused, as in
    `pair`, and what either table had refused is told; nothing is left where one is paired and the other holds two test
    sets.
    """
    refused = list(dict.fromkeys((*a.refused, *b.refused)))
    refused += [*_lone_draws(a.draws, b.draws, names[0]), *_lone_draws(b.draws, a.draws, names[1])]
    shared = [draw for draw in a.draws if draw in b.draws]
    examples = [tuple(one.examples[one.draws.index(draw)] for draw in shared) for one in (a, b)]
    draws, unlike = _alike(shared, *examples)
    refused += unlike
    if a.paired != b.paired:
        paired, sets = names if a.paired else names[::-1]
        refused.append(f"{paired} is paired on its items and {sets} is of two test sets")
        draws = []
    rows = [[one.draws.index(draw) for draw in draws] for one in (a, b)]
    if a.paired:
        known = {couple: place for place, couple in enumerate(zip(b.items, b.others, strict=True))}
        couples = list(zip(a.items, a.others, strict=True))
        places = [place for place, couple in enumerate(couples) if couple in known]
        there = [known[couples[place]] for place in places]
        columns = [(places, there), (places, there)]
    else:
        columns = [_common(a.items, b.items), _common(a.others, b.others)]
    plus, minus = (
        ours[np.ix_(rows[0], left)] - theirs[np.ix_(rows[1], right)]
        for (ours, theirs), (left, right) in zip(((a.plus, b.plus), (a.minus, b.minus)), columns, strict=True)
    )
    measured = [np.isfinite(one).any(axis=0) for one in (plus, minus)]
    if a.paired:
        measured = [(np.isfinite(plus) & np.isfinite(minus)).any(axis=0)] * 2
    kept = [np.flatnonzero(one) for one in measured]
    made = Aligned(
        tuple(draws),
        tuple(a.items[columns[0][0][place]] for place in kept[0]),
        tuple(a.others[columns[1][0][place]] for place in kept[1]),
        plus.take(kept[0], axis=1),
        minus.take(kept[1], axis=1),
        a.paired,
        refused=tuple(refused),
        examples=tuple(one for draw, one in zip(shared, examples[0], strict=True) if draw in draws),
    )
    counts = [_measured(one, held) for one, held in zip((a, b), rows, strict=True)]
    both = _measured(made, range(len(draws)))
    return replace(made, only=(counts[0] - both, counts[1] - both))


def _common(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[int], list[int]]:
    place = {item: index for index, item in enumerate(theirs)}
    kept = [index for index, item in enumerate(ours) if item in place]
    return kept, [place[ours[index]] for index in kept]


def _measured(one: Aligned, rows: Sequence[int]) -> int:
    """How many pairs of outcomes (outcomes, of two test sets) there are in ``rows``."""
    plus, minus = np.isfinite(one.plus[list(rows)]), np.isfinite(one.minus[list(rows)])
    return int((plus & minus).sum() if one.paired else plus.sum() + minus.sum())
