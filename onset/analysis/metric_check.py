"""Is a jump in accuracy a jump of the ability, or of the metric?

Schaeffer et al. 2023 ("Are Emergent Abilities of Large Language Models a Mirage?", arXiv 2304.15004) hold that a smooth
gain per token looks sharp once a score asks for all tokens at once: exact match over L tokens is about p^L. Their test
is to score the same outputs by a continuous metric. Here the same detector (`onset.analysis.emergence`) judges both:

* ``genuine``: accuracy emerges, and every continuous score that could be tested rises faster than a smooth curve too
  (Du et al. 2024, arXiv 2403.15796, find abilities for which it does);
* ``metric-induced``: accuracy emerges, and a continuous score grows, is not shown to break, and would have been if it
  moved with accuracy: its best smooth curve explains it e^2 times better than any curve of accuracy's own shape, after
  a penalty of one nat for each of the two further parameters (Akaike 1974); no other score breaks;
* ``unresolved``: all else, among it accuracy that has no jump to explain.

`exact_match` is the arithmetic beside it: what p^L itself predicts, where the answer's length is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from onset.analysis import wording
from onset.analysis.curves import Array, place
from onset.analysis.emergence import Emergence, Settings
from onset.analysis.fitting import Scores, solve
from onset.analysis.points import SizePoint
from onset.errors import InputError
from onset.scores import wilson

MetricVerdict = Literal["genuine", "metric-induced", "unresolved"]
ScoreState = Literal["breaks", "smooth", "open", "not tested"]

_MORE_PARAMETERS = 2
_EXPECTED = 3.0
"""Right answers expected at small sizes below which seeing none says nothing (95 %: Hanley and Lippman-Hand 1983)."""


@dataclass(frozen=True, slots=True)
class ScoreCheck:
    """One continuous score: what its curve does.

    ``against_jump``: nats by which its best smooth curve beats a curve of accuracy's shape, after the penalty; None
    where it was not tested.
    """

    metric: str
    state: ScoreState
    p_value: float | None
    q_value: float | None
    against_jump: float | None

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
            text = f"{what}: the jump is no matter of the metric: {wording.listed(named['breaks'])} of the same outputs"
            text += f" {'breaks' if len(named['breaks']) == 1 else 'break'} as well"
        elif self.verdict == "metric-induced":
            text = (
                f"{what}: {self.accuracy.curve.metric} jumps, but {wording.listed(named['smooth'])} of the same outputs"
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
    checked = tuple(_checked(accuracy, one, settings) for one in continuous)
    notes: list[str] = []
    states = [one.state for one in checked if one.state != "not tested"]
    verdict: MetricVerdict = "unresolved"
    if accuracy.verdict != "emergent":
        notes.append("accuracy shows no jump to explain")
        notes += _covered(accuracy)
    elif not states:
        notes.append("no continuous score of the same outputs could be tested")
    elif all(state == "breaks" for state in states):
        verdict = "genuine"
    elif "smooth" in states and "breaks" not in states:
        verdict = "metric-induced"
    elif "breaks" in states:
        broken = [one.metric for one in checked if one.state == "breaks"]
        rest = [one.metric for one in checked if one.state in ("smooth", "open")]
        notes.append(f"the scores disagree: {wording.listed(broken)} breaks, {wording.listed(rest)} is not shown to")
    else:
        names = wording.listed([one.metric for one in checked if one.state == "open"])
        notes.append(f"{names}: neither a break nor smooth growth is shown")
    return MetricCheck(verdict, accuracy, checked, length, tuple(notes))


def _checked(accuracy: Emergence, score: Emergence, settings: Settings) -> ScoreCheck:
    known = score.curve.metric, score.p_value, score.q_value
    if score.p_value is None:
        return ScoreCheck(known[0], "not tested", None, None, None)
    beats = _against_jump(accuracy, score)
    state: ScoreState = "open"
    if score.q_value is not None and score.verdict not in ("inverse", "u-shaped", "flat"):
        if score.q_value <= settings.level:
            state = "breaks"
        elif score.verdict == "smooth" or (beats is not None and beats >= settings.support):
            state = "smooth"
    return ScoreCheck(known[0], state, known[1], known[2], beats)


def _against_jump(accuracy: Emergence, score: Emergence) -> float | None:
    """Nats by which the score's smooth curve beats accuracy's shape, each with its own ends."""
    points = _ascending(score)
    if accuracy.fitted is None or not score.smooth_fit or any(not point.stderr for point in points):
        return None
    shape = np.asarray(accuracy.fitted(place([point.x for point in points], score.curve.scale)))
    if np.ptp(shape) < 1e-9:
        return None
    data = Scores(
        np.array([[float(point.score or 0.0) for point in points]]), np.array([[point.stderr for point in points]])
    )
    moved = solve(data, ((shape - shape.min()) / np.ptp(shape))[None, None, :])[0]
    smooth = data.log_likelihood(np.array(score.smooth_fit)[None, None, :])
    return float(smooth[0, 0] - moved[0, 0]) - _MORE_PARAMETERS


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
