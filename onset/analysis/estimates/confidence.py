"""How sure a method is of its answers, and whether that tells right answers from wrong ones.

Confidence is what a record holds of one answer, by how the answer came about (the calibration of prompts is something
else: `onset.prompting.chosen`):

    choice      the probability of the answer among the item's choices, over their prior where the method divides by one
    p_true      the probability that the model calls the answer true (Kadavath et al. 2022, arXiv 2207.05221)
    agreement   the share of samples that gave the answer (Wang et al. 2022, arXiv 2203.11171, section 3.4; samples
                without an answer count)
    text        the probability of the text that states the answer, where nothing but that was written: no steps and no
                vote (Si et al. 2022, arXiv 2210.09150, take its root over the tokens, with which a text of few words is
                surer than one of many)

Calibration speaks of answers: outcomes without one are left out of it, and their number is said. Abstention speaks of
all outcomes: those without an answer are withheld first. Two methods are compared by the AURC of their orders, item by
item (`onset.analysis.stats.confidence`), decided together with all others on their task, shift, model and stage.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import polars as pl

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.outcomes import KEY, Measure, Measured, Outcomes, Outputs
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.confidence import Assessment, assess
from onset.processors import Elsewhere, gathered
from onset.scores import choice_probabilities

Kind = Literal["choice", "p_true", "agreement", "text", "mixed"]
"""As above; ``mixed``: of the most accurate of several ways of asking that have it from different things."""


@dataclass(frozen=True, eq=False)
class Confident(Placed, Assessment):
    """The confidence of one way of asking, and what it says of its outcomes.

    ``arm``: the outcomes; ``kind``: what confidence is taken from; ``sure``: that of each outcome (NaN: not answered).
    """

    at: Setting
    arm: Outcomes
    kind: Kind
    sure: Array

    @property
    def n(self) -> int:
        """Items."""
        return len(self.arm.items)

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        error = self.error
        told = {
            "plain": error.plain, "value": error.value, "interval": list(error.interval), "chance": error.chance,
            "p": error.p,
        } if error else None  # fmt: skip
        return self.coordinates(method=self.method) | {
            "seeds": list(self.arm.draws),
            "kind": self.kind,
            "n": self.n,
            "answered": self.answered,
            "outcomes": self.outcomes,
            "unanswered": self.unanswered,
            "accuracy": self.accuracy,
            "confidence": self.confidence,
            "overconfidence": self.over.value,
            "overconfidence_interval": list(self.over.interval),
            "brier": self.brier.value,
            "brier_interval": list(self.brier.interval),
            "ece": told,
            "bins": [{"n": one.n, "confidence": one.confidence, "accuracy": one.accuracy} for one in self.bins],
            "aurc": self.aurc.value,
            "aurc_interval": list(self.aurc.interval),
            "ordered": self.ordered.value,
            "ordered_interval": list(self.ordered.interval),
            "curve": [{"coverage": share, "accuracy": value} for share, value in self.curve],
            "kept": [
                {"coverage": share, "accuracy": one.value, "interval": list(one.interval)} for share, one in self.kept
            ],
        }


@dataclass(frozen=True, eq=False)
class Abstention(Placed):
    """Two methods by the AURC of their orders: ``contrast`` (lower is better), and both sides."""

    contrast: Contrast
    plus: Confident
    minus: Confident

    @property
    def at(self) -> Setting:
        """The setting of the minus side."""
        return self.contrast.at

    def json(self) -> dict[str, Any]:
        """As plain JSON; the verdict is said of side a: ``wins`` has the lower area."""
        held = self.contrast.json()
        return self.coordinates(sides=held["sides"]) | {
            "kinds": [self.plus.kind, self.minus.kind],
            "aurc_a": self.plus.aurc.value,
            "aurc_b": self.minus.aurc.value,
            **{key: held[key] for key in ("seeds", "n", "difference", "interval", "p", "p_holm", "test", "family_size",
                                          "verdict")},
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Confidences:
    """Every way of asking whose records hold a confidence, in the order of the cells, and its comparisons."""

    arms: tuple[Confident, ...] = ()
    pairs: tuple[Abstention, ...] = ()


class Begun:
    """The `Confidences` of a results folder, begun; none of an arm in which one answered outcome has no confidence.

    What is computed of an arm is many small things, for which threads wait for each other's turn: where there is much
    of it, other processes do it.
    """

    def __init__(self, measured: Measured) -> None:
        arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
        self._arms: list[tuple[Outcomes, Kind, Array]] = []
        self._assessed: list[Elsewhere[..., list[Assessment | None]]] = []
        self._left: list[tuple[Array, Array]] = []
        for key, kind, draws in _read_all(measured):
            arm = arms[key]
            sure = _confidences(arm, draws)
            self._arms.append((arm, kind, sure))
            self._left.append((sure, arm.values))
            if sum(values.size for _, values in self._left) >= _ENOUGH:
                self._give()
        if self._assessed and self._left:
            self._give()

    def _give(self) -> None:
        self._assessed.append(Elsewhere(_assess, self._left))
        self._left = []

    def end(self, *, replicates: int) -> Confidences:
        """All of them, and their comparisons."""
        assessed = [one for some in gathered(self._assessed) for one in some] + _assess(self._left)
        every = (_confident(*arm, one) for arm, one in zip(self._arms, assessed, strict=True))
        made = [one for one in every if one is not None]
        return Confidences(tuple(made), _pairs(made, replicates))


_ENOUGH = 50_000
"""Outcomes that another process is given at a time: with fewer it would take longer to start one."""


def _assess(arms: Sequence[tuple[Array, Array]]) -> list[Assessment | None]:
    return [assess(sure, right) for sure, right in arms]


def _read_all(measured: Measured) -> Iterator[tuple[tuple[object, ...], Kind, list[_Draw]]]:
    """Key, kind and confidences of each way of asking that has some."""
    cells = measured.cells.filter(pl.col("n") > 0).select(*KEY, "seed", "cell", "vote")
    wanted = ("item", "answer", "answers", "scores", "detail", _TEXT)
    tables, detail = by_cell(measured.records, wanted), functools.lru_cache(maxsize=16_384)(_detail)
    for key, table in cells.group_by(KEY, maintain_order=True):
        draws = table.sort("seed")
        held = [tables[cell].filter(pl.col("answer").is_not_null()) for cell in draws["cell"].to_list()]
        found = _read(held, detail, vote=draws["vote"][0] is not None)
        if found is not None:
            yield key, *found


def _pairs(made: Sequence[Confident], replicates: int) -> tuple[Abstention, ...]:
    by_arm = {one.at: one for one in made}
    scored = [
        replace(one.arm, measure=Measure("AURC", higher_is_better=False), values=one.risks)
        for one in made
        if one.risks.shape[1] > 1
    ]
    found = compare_all(scored, replicates=replicates, kind="score")
    return tuple(Abstention(one, by_arm[one.plus], by_arm[one.minus]) for one in found if one.difference is not None)


# ---- from records to confidences -----------------------------------------------------------------------------------


_Details = Callable[[str | None], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Draw:
    """The answered ``items`` of a draw, and how ``sure`` each answer is."""

    items: list[str]
    sure: Array


def _read(draws: Sequence[pl.DataFrame], detail: _Details, *, vote: bool) -> tuple[Kind, list[_Draw]] | None:
    """The kind of confidence, and that of each draw's answered outcomes; None where one has none."""
    for kind, (columns, read) in _KINDS.items():
        if (kind == "agreement") != vote and kind in ("agreement", "text"):
            continue
        # most have another kind, which their first record tells
        if any(_held(draw.head(1), columns, read, detail) is None for draw in draws):
            continue
        known = [one for draw in draws if (one := _held(draw, columns, read, detail)) is not None]
        if len(known) == len(draws) and any(map(len, known)):
            items = [draw["item"].to_list() for draw in draws]
            return cast("Kind", kind), [_Draw(*one) for one in zip(items, known, strict=True)]
    return None


def _held(
    draw: pl.DataFrame, columns: Sequence[str], read: Callable[..., float | None] | None, detail: _Details
) -> Array | None:
    """The confidence of each answered outcome of a draw; None, and no row read behind it, where one has none."""
    if read is None:
        (column,) = (draw[name] for name in columns)
        return None if column.null_count() else _within(column.to_numpy())
    out = []
    for row in zip(*(draw[name].to_list() for name in columns), strict=True):
        if (value := read(detail, *row)) is None:
            return None
        out.append(value)
    return _within(np.array(out, dtype=np.float64))


def _within(values: Array) -> Array:
    """Within 0..1: 0 of what is no number."""
    out: Array = np.fmin(1.0, np.fmax(0.0, values))
    return out


def _detail(text: str | None) -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(text) if text else {}
    return held


def _choice(read: _Details, scores: Sequence[float | None] | None, detail: str | None, answer: str) -> float | None:
    shares = choice_probabilities(scores) if scores else None
    if shares is None or answer not in read(detail).get("choices", ()):
        return None
    prior = read(detail).get("prior")
    weighed = [share / base for share, base in zip(shares, prior, strict=True)] if prior else shares
    return float(weighed[read(detail)["choices"].index(answer)] / math.fsum(weighed))


def _p_true(read: _Details, detail: str | None, answers: Sequence[str | None], answer: str) -> float | None:
    scores = read(detail).get("p_true")
    if scores is None:
        return None
    mine = [one for one, said in zip(scores, answers, strict=True) if said == answer and one is not None]
    return max(mine, default=None)


def _agreement(read: _Details, answers: Sequence[str | None] | None, answer: str) -> float | None:
    said = answers or ()
    return sum(one == answer for one in said) / len(said) if len(said) > 1 else None


_TEXT = (
    pl.when(
        pl.col("logprobs").list.len() == 1,
        pl.col("outputs").list.len() == 1,
        pl.col("thinking").list.max().fill_null(0) == 0,
        ~pl.col("detail").str.contains('"process":', literal=True).fill_null(value=False),
    )
    .then(pl.col("logprobs").list.first().exp())
    .alias("text")
)
"""The probability of the one text that is the answer; null where a thought or steps came before it."""
_KINDS: Mapping[str, tuple[tuple[str, ...], Callable[..., float | None] | None]] = {
    "choice": (("scores", "detail", "answer"), _choice),
    "p_true": (("detail", "answers", "answer"), _p_true),
    "agreement": (("answers", "answer"), _agreement),
    "text": (("text",), None),
}
"""Kind -> the columns of a record that it is read from, and how; None: it is the column."""


def _confidences(arm: Outcomes, draws: Sequence[_Draw]) -> Array:
    """Of each outcome, draws x items; NaN where it was not answered."""
    place = {item: column for column, item in enumerate(arm.items)}
    sure = np.full(arm.values.shape, np.nan)
    for row, draw in enumerate(draws):
        sure[row, [place[item] for item in draw.items]] = draw.sure
    return sure


def _confident(arm: Outcomes, kind: Kind, sure: Array, made: Assessment | None) -> Confident | None:
    return None if made is None else Confident(**vars(made), at=arm.at, arm=arm, kind=kind, sure=sure)


# ---- of the most accurate of several -------------------------------------------------------------------------------


def of_most_accurate(arms: Sequence[Confident]) -> Confident:
    """The confidence of whichever of ``arms`` (at least one, of one setting but for the method) is most accurate.

    What is picked by its accuracy was lucky, so that it seems surer than it should by less than it is. Hence each half
    of the items is measured with the arm that is most accurate on the other half (cross-fitting: Chernozhukov et al.
    2018, doi 10.1111/ectj.12097). Which half an item is in follows from its hash. Where one arm is picked twice it is
    given as it is; else the method is called by both names, the one picked on the first half first. Where the items of
    a half do not allow it (fewer than two that are answered), the arm that is most accurate on all.
    """
    top = max(arms, key=lambda one: one.arm.accuracy)
    found = [_best_on(arms, half) for half in (0, 1)]
    if None in found or found[0] is found[1]:
        return top if None in found else cast("Confident", found[0])
    first, second = cast("list[Confident]", found)
    draws = sorted({*first.arm.draws} & {*second.arm.draws}) or list(range(min(map(_height, (first, second)))))
    parts = [_on_half(one, half, draws) for one, half in ((first, 1), (second, 0))]
    items = tuple(item for names, *_ in parts for item in names)
    sure, right = (np.concatenate([one[place] for one in parts], axis=1) for place in (1, 2))
    name = " / ".join((first.method, second.method))
    arm = replace(
        first.arm, at=replace(first.at, method=name), draws=tuple(draws), items=items, values=right, targets=(),
        twins=(), plans=(), versions=(), outputs=Outputs(),
    )  # fmt: skip
    kind: Kind = first.kind if first.kind == second.kind else "mixed"
    made = _confident(arm, kind, sure, assess(sure, right))
    return top if made is None else made


def _half(item: str) -> int:
    return hashlib.sha256(item.encode()).digest()[0] & 1


def _best_on(arms: Sequence[Confident], half: int) -> Confident | None:
    """The most accurate arm on a half of the items; None where no arm has two answered items there."""
    scored = []
    for one in arms:
        places = [place for place, item in enumerate(one.arm.items) if _half(item) == half]
        if np.isfinite(one.sure[:, places]).any(axis=0).sum() > 1:
            scored.append((float(np.nanmean(one.arm.values[:, places])), one))
    return max(scored, key=lambda each: each[0])[1] if scored else None


def _height(one: Confident) -> int:
    return len(one.arm.draws)


def _on_half(one: Confident, half: int, draws: Sequence[int]) -> tuple[list[str], Array, Array]:
    """The items of a half, and what an arm has of them in ``draws``: confidences and outcomes."""
    places = [place for place, item in enumerate(one.arm.items) if _half(item) == half]
    rows = [one.arm.draws.index(seed) for seed in draws] if {*draws} <= {*one.arm.draws} else [*range(len(draws))]
    table = np.ix_(rows, places)
    return [one.arm.items[place] for place in places], one.sure[table], one.arm.values[table]
