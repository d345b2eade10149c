"""Is a jump in accuracy a jump of the ability, or of the metric?

Schaeffer et al. 2023 ("Are Emergent Abilities of Large Language Models a Mirage?", arXiv 2304.15004) hold that a smooth
gain per token looks sharp once a score asks for all tokens at once: exact match over L tokens is about p^L. Their test
is to score the same outputs by a continuous metric. Here the same detector (`onset.analysis.emergence.verdict`) judges
both:

* ``genuine``: accuracy emerges, and every continuous score that tells anything breaks where accuracy breaks (Du et al.
  2024, arXiv 2403.15796, find abilities for which it does);
* ``metric-induced``: accuracy emerges, and every score that tells anything grows smoothly;
* ``unresolved``: all else, among it accuracy that has no jump to explain, and scores that break elsewhere.

What a score does is weighed on equal terms, by marginal likelihoods as in `onset.analysis.emergence.jump`: growth by a
smooth shape; by a shape that breaks where accuracy does, its places and widths being those that accuracy's own counts
leave open; and by one that breaks anywhere. A break makes at least half of the score's gain, the rest is an even trend
in log size. All three have two ends with the same flat prior, so nothing but the shape decides. A score tells what it
does where that has a posterior probability of at least 0.95, beginning from 0.45 for smooth growth, 0.45 for a break
where accuracy breaks and 0.1 for one elsewhere; with few sizes or large errors none has it, and the check stays open.
`benchmarks/metric_check.py` measures how often it is wrong.

`exact_match` is the arithmetic beside it: what p^L itself predicts, where the answer's length is known.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.curves.growth import jump_shapes
from onset.analysis.curves.likelihood import Counts, Data, Scores
from onset.analysis.curves.series import SizePoint
from onset.analysis.curves.shapes import Array, place
from onset.analysis.emergence.jump import Bounds, jump_score_shapes, jump_weights, score_evidence, smooth_score_shapes
from onset.analysis.emergence.verdict import Emergence, Settings
from onset.errors import InputError
from onset.scores import wilson

MetricVerdict = Literal["genuine", "metric-induced", "unresolved"]
ScoreState = Literal["breaks", "breaks elsewhere", "smooth", "open", "not tested"]

_SURE = 0.95
_PRIOR = np.array([0.45, 0.45, 0.10])
"""Of smooth growth, of a break where accuracy breaks, of one elsewhere."""
_EXPECTED = 3.0
"""Right answers expected at small sizes below which seeing none says nothing (95 %: Hanley and Lippman-Hand 1983)."""


@dataclass(frozen=True, slots=True)
class ScoreCheck:
    """One continuous score: what its curve does.

    ``p_smooth``, ``p_break``, ``p_elsewhere``: posterior probabilities that it grows smoothly, breaks where accuracy
    breaks, or breaks elsewhere (None where it was not tested). ``p_value``, ``q_value``: of its own test against smooth
    growth, for comparison; nothing rests on them.
    """

    metric: str
    state: ScoreState
    p_value: float | None
    q_value: float | None
    p_smooth: float | None = None
    p_break: float | None = None
    p_elsewhere: float | None = None

    def json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class LengthEffect:
    """What exact match over ``tokens`` tokens predicts from the log-probability of a token (`exact_match`).

    ``predicted``: accuracy at each size; ``largest_gap``: the largest absolute difference to what was measured (share);
    ``share_of_rise``: rise that is predicted over the rise measured (None: nothing rises); ``explains``: no size is
    outside its Wilson interval, adjusted over the sizes.
    """

    tokens: float
    predicted: tuple[float, ...]
    largest_gap: float
    share_of_rise: float | None
    explains: bool

    def json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"predicted": list(self.predicted)}


@dataclass(frozen=True, slots=True)
class MetricCheck:
    """The verdict on one jump. ``length``: see `exact_match`; ``notes``: why it is unresolved, and what limits it."""

    verdict: MetricVerdict
    accuracy: Emergence
    scores: tuple[ScoreCheck, ...]
    length: LengthEffect | None = None
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        named = {state: [one.metric for one in self.scores if one.state == state] for state in ("breaks", "smooth")}
        what = self.accuracy.curve.curve
        if self.verdict == "genuine":
            text = f"{what}: the jump is no matter of the metric: {words.listed(named['breaks'])} of the same outputs"
            text += f" {'breaks' if len(named['breaks']) == 1 else 'break'} as well"
        elif self.verdict == "metric-induced":
            text = (
                f"{what}: {self.accuracy.curve.metric} jumps, but {words.listed(named['smooth'])} of the same outputs"
            )
            text += f" {'grows' if len(named['smooth']) == 1 else 'grow'} smoothly: the jump is one of the metric"
        else:
            text = f"{what}: whether a jump is one of the metric is unresolved"
            text += f": {'; '.join(self.notes)}" if self.notes else ""
        if self.length is not None and self.verdict != "unresolved":
            does = "accounts" if self.length.explains else "does not account"
            text += f"; exact match over {self.length.tokens:g} tokens alone {does} for the accuracies"
        return f"{text}."

    def json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "verdict": self.verdict,
            "metric": self.accuracy.curve.metric,
            "scores": [one.json() for one in self.scores],
            "length": None if self.length is None else self.length.json(),
            "notes": list(self.notes),
            "sentence": self.sentence,
        }


def metric_check(
    accuracy: Emergence,
    continuous: Sequence[Emergence],
    settings: Settings | None = None,
    *,
    length: LengthEffect | None = None,
) -> MetricCheck:
    """Judge the jump of ``accuracy`` by ``continuous`` scores of the same outputs that grow with the ability.

    ``settings``: those the verdicts were made with. Raises InputError for a score of another curve or family.
    """
    settings = settings or Settings()
    for one in continuous:
        if (one.curve.curve, one.curve.family) != (accuracy.curve.curve, accuracy.curve.family):
            raise InputError(
                f"metric check: {one.curve.metric} is of {one.curve.curve} ({one.curve.family}), not of"
                f" {accuracy.curve.curve} ({accuracy.curve.family})"
            )
    jump = functools.cache(lambda: _jump_of(accuracy, settings))
    checked = tuple(_checked(accuracy, one, settings, jump) for one in continuous)
    notes: list[str] = []
    told = {state: [one.metric for one in checked if one.state == state] for state in get_args(ScoreState)}
    verdict: MetricVerdict = "unresolved"
    if accuracy.verdict != "emergent":
        notes.append("accuracy shows no jump to explain")
        notes += _covered(accuracy)
    elif all(one.state == "not tested" for one in checked):
        notes.append("no continuous score of the same outputs could be tested")
    elif told["breaks"] and (told["smooth"] or told["breaks elsewhere"]):
        broken, rest = words.listed(told["breaks"]), words.listed(told["smooth"] + told["breaks elsewhere"])
        notes.append(f"the scores disagree: where accuracy breaks, {broken} does, {rest} does not")
    elif told["breaks elsewhere"]:
        notes.append(f"a break of {words.listed(told['breaks elsewhere'])} is shown, but not where accuracy breaks")
    elif told["breaks"]:
        verdict = "genuine"
    elif told["smooth"]:
        verdict = "metric-induced"
    else:
        notes.append(f"{words.listed(told['open'])}: neither a break nor smooth growth is shown")
    return MetricCheck(verdict, accuracy, checked, length, tuple(notes))


def _jump_of(accuracy: Emergence, settings: Settings) -> tuple[Array, Array]:
    """Places of its sizes, and the masses of where it may break, given a jump (`jump_weights`)."""
    points = _ascending(accuracy)
    x = place([point.x for point in points], accuracy.curve.scale)
    chance = np.array([math.nan if points[0].chance is None else points[0].chance])
    weights: Array = jump_weights(_data(points), x, chance, Bounds(settings.margin, settings.steepest_smooth))[0]
    return x, weights


def _checked(
    accuracy: Emergence, score: Emergence, settings: Settings, jump: Callable[[], tuple[Array, Array]]
) -> ScoreCheck:
    """``jump``: `_jump_of` the accuracy."""
    known, points = (score.curve.metric, score.p_value, score.q_value), _ascending(score)
    if score.p_value is None or accuracy.p_value is None or any(not point.stderr for point in points):
        return ScoreCheck(known[0], "not tested", None, None)
    if score.q_value is None or score.verdict in ("inverse", "u-shaped", "flat"):
        return ScoreCheck(known[0], "open", known[1], known[2])
    bounds = Bounds(settings.margin, settings.steepest_smooth)
    (x, weights), at = jump(), place([point.x for point in points], score.curve.scale)
    data = Scores(
        np.array([[float(point.score or 0.0) for point in points]]), np.array([[point.stderr for point in points]])
    )
    found = np.array(
        [
            score_evidence(data, *smooth_score_shapes(at, bounds))[0],
            score_evidence(data, *jump_score_shapes(jump_shapes(x, bounds.steepest, at), at, weights))[0],
            score_evidence(data, *jump_score_shapes(jump_shapes(at, bounds.steepest), at))[0],
        ]
    )
    smooth, breaks, elsewhere = (float(value) for value in special.softmax(found + np.log(_PRIOR)))
    state: ScoreState = "open"
    if smooth >= _SURE:
        state = "smooth"
    elif breaks >= _SURE:
        state = "breaks"
    elif elsewhere >= _SURE:
        state = "breaks elsewhere"
    return ScoreCheck(known[0], state, known[1], known[2], smooth, breaks, elsewhere)


def _data(points: Sequence[SizePoint]) -> Data:
    """Accuracy's counts, or its scores and errors, as a row."""
    if all(point.n for point in points):
        n = np.array([[float(point.n or 1) for point in points]])
        return Counts(np.array([[float(point.correct or 0) for point in points]]), n, np.zeros(1))
    value = np.array([[float(point.score or 0.0) for point in points]])
    return Scores(value, np.array([[float(point.stderr or 0.0) for point in points]]))


def _ascending(found: Emergence) -> list[SizePoint]:
    """Points in the order of the fits."""
    scale = found.curve.scale
    return sorted(found.curve.points, key=lambda point: float(place([point.x], scale)[0]))


def _covered(accuracy: Emergence) -> list[str]:
    """Do so few right answers have to be seen at small sizes that a smooth curve may hide below 1 / n?"""
    points = _ascending(accuracy)
    if accuracy.verdict != "unresolved" or accuracy.floor is None or not accuracy.smooth_fit:
        return []
    low = points[: accuracy.floor[3]]
    if not low or any(not point.n for point in low):
        return []
    chance = low[0].chance or 0.0
    expected = sum(
        (point.n or 0) * max(share - chance, 0.0) for point, share in zip(low, accuracy.smooth_fit, strict=False)
    )
    if expected >= _EXPECTED:
        return []
    return [f"a smooth curve expects {expected:.1f} right answers above chance at the small sizes, too few to be seen"]


def exact_match(accuracy: Emergence, token_logprob: Sequence[float], tokens: float) -> LengthEffect:
    """Does exact match over ``tokens`` tokens account for the accuracies?

    ``token_logprob``: mean log-probability (nats) of a token of the gold answer at each point of the curve, in its
    order; accuracy is then about exp(tokens * token_logprob) (Schaeffer et al. 2023, section 2), an underestimate where
    items differ. Raises InputError for a curve without counts or another number of sizes.
    """
    points = accuracy.curve.points
    if len(token_logprob) != len(points):
        raise InputError(f"exact match: {len(token_logprob)} log-probabilities for {len(points)} sizes")
    if any(not point.n for point in points):
        raise InputError(f"exact match: {accuracy.curve.curve} has no counts")
    predicted: Array = np.exp(tokens * np.asarray(token_logprob, dtype=np.float64))
    right = [(point.correct or 0, point.n or 1) for point in points]
    measured = np.array([correct / n for correct, n in right])
    level = 1 - 0.05 / len(points)
    ends = [wilson(correct, n, level) for correct, n in right]
    rise = float(measured[-1] - measured[0])
    return LengthEffect(
        tokens=tokens,
        predicted=tuple(float(one) for one in predicted),
        largest_gap=float(np.abs(predicted - measured).max()),
        share_of_rise=float(predicted[-1] - predicted[0]) / rise if math.fabs(rise) > 1e-9 else None,
        explains=all(low <= one <= high for one, (low, high) in zip(predicted, ends, strict=True)),
    )
