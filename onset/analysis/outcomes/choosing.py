"""Which metric and which filter of a task is used, where a source has several.

Metric: the one asked for; else ``exact_match``, else ``acc``; else the only one; else the first of the source, and a
note says so. Filter: the only one; else the one asked for; else (of two sides: the only one that both have); else the
strictest by name (one with "strict" in it, then ``none``, then the first of the source), and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onset.analysis.outcomes.table import NO_FILTER, Outcomes

PREFERRED = ("exact_match", "acc", "accuracy")


@dataclass(frozen=True, slots=True)
class Choice:
    """A metric and a filter, and what is to be said about how they were chosen."""

    metric: str
    filter: str
    notes: tuple[str, ...]


class NoChoice(Exception):
    """Nothing fits; the message says what there is."""


def choose(
    candidates: Sequence[Outcomes],
    *,
    metric: str | None = None,
    filter: str | None = None,
    other: Sequence[Outcomes] = (),
) -> Choice:
    """Choose among the outcomes of one model on one task, which differ in metric and filter alone.

    ``other``: those of the other side of a comparison; then only what both have is allowed. Raises NoChoice.
    """
    chosen, notes = _metric(candidates, metric, other)
    ours = _filters(candidates, chosen)
    theirs = _filters(other, chosen) if other else ours
    filters = [name for name in ours if name in theirs]
    if not filters:
        raise NoChoice(f"no filter in common: {', '.join(ours)} against {', '.join(theirs)}")
    if filter is not None and filter in filters:
        return Choice(chosen, filter, notes)
    if filter is not None and not len(ours) == len(theirs) == 1:
        raise NoChoice(f"no filter '{filter}': it has {', '.join(filters)}")
    if len(filters) == 1:
        return Choice(chosen, filters[0], notes)
    strict = [name for name in filters if "strict" in name]
    plain = [name for name in filters if name == NO_FILTER]
    best = (strict or plain or filters)[0]
    rest = ", ".join(name for name in filters if name != best)
    return Choice(chosen, best, (*notes, f"filter {best} was used, not {rest} (choose with --filter)"))


def _metric(
    candidates: Sequence[Outcomes], asked: str | None, other: Sequence[Outcomes]
) -> tuple[str, tuple[str, ...]]:
    metrics, scores = _metrics(candidates), _scores(candidates)
    if other:
        metrics = [name for name in metrics if name in _metrics(other)]
        scores = [name for name in scores if name in _scores(other)]
        if not metrics:
            ours, theirs = ", ".join(_metrics(candidates)), ", ".join(_metrics(other))
            raise NoChoice(f"no metric in common: {ours} against {theirs}")
    if asked is not None:
        if asked not in metrics and asked not in scores:
            raise NoChoice(f"no metric '{asked}': it has {', '.join([*metrics, *scores])}")
        return asked, ()
    preferred = [name for name in PREFERRED if name in metrics]
    best = (preferred or metrics)[0]
    if preferred or len(metrics) == 1:
        return best, ()
    rest = ", ".join(name for name in metrics if name != best)
    return best, (f"metric {best} was used, not {rest} (choose with --metric)",)


def _metrics(candidates: Sequence[Outcomes]) -> list[str]:
    return list(dict.fromkeys(one.metric for one in candidates))


def _scores(candidates: Sequence[Outcomes]) -> list[str]:
    return list(dict.fromkeys(name for one in candidates for name in one.outputs.scores))


def _filters(candidates: Sequence[Outcomes], metric: str) -> list[str]:
    return list(dict.fromkeys(one.filter for one in candidates if one.metric == metric or metric in one.outputs.scores))


def picked(candidates: Sequence[Outcomes], choice: Choice) -> Outcomes:
    """The outcomes of a choice; a continuous score takes the place of ``values``."""
    same = [one for one in candidates if one.filter == choice.filter]
    for one in same:
        if one.metric == choice.metric:
            return one
    return next(one for one in same if choice.metric in one.outputs.scores).as_score(choice.metric)
