"""Does calibration make a prompt depend less on its examples? The spread of accuracy between draws, before and after.

Two methods are held against each other that differ in nothing but the calibration of their rank classification
(`onset.prompting.chosen`), one of them without any, over the draws that both have: the same examples and test items.
Which ratio of standard deviations is shown is decided for all pairs of a study together (Holm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onset.analysis.outcomes import Measured, Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.draws import rounding_of
from onset.analysis.stats.spread import FEWEST, Spreads, compare_spreads
from onset.methods import method
from onset.prompting.chosen import Chosen
from onset.records import canonical_json


@dataclass(frozen=True, eq=False)
class Calibrated(Placed):
    """A calibrated method (``at.method``) beside the same one without calibration (``plain``), over ``draws``.

    ``how``: ``contextual`` or ``batch``; ``n``: test items; ``accuracies``: means of plain and calibrated; ``spreads``:
    standard deviations of the draws' accuracies (shares); ``p_holm``: corrected over the study, None where a spread is
    0.
    """

    at: Setting
    plain: str
    how: str
    draws: tuple[int, ...]
    n: int
    accuracies: tuple[float, float]
    spreads: Spreads
    p_holm: float | None = None

    @property
    def verdict(self) -> str:
        """``narrows``, ``widens`` or ``undecided``."""
        if self.p_holm is None or self.p_holm >= ALPHA:
            return "undecided"
        return "narrows" if self.spreads.after < self.spreads.before else "widens"

    def json(self) -> dict[str, Any]:
        """As plain JSON; accuracies and standard deviations are shares (0..1)."""
        interval = self.spreads.interval
        return {
            "model": self.model,
            "params": self.params,
            "stage": self.stage,
            "task": self.task,
            "shift": self.shift,
            "labels": self.labels,
            "methods": [self.plain, self.method],
            "calibration": self.how,
            "seeds": list(self.draws),
            "n": self.n,
            "accuracies": list(self.accuracies),
            "deviations": [self.spreads.before, self.spreads.after],
            "ratio": self.spreads.ratio,
            "interval": None if interval is None else list(interval),
            "p": self.spreads.p,
            "p_holm": self.p_holm,
            "verdict": self.verdict,
        }


def calibrations_of(measured: Measured) -> tuple[Calibrated, ...]:
    """Every calibrated method of a study beside its plain one, where both have at least four draws in common."""
    known = _settings(measured.study)
    groups: dict[tuple[Setting, str], dict[str, Outcomes]] = {}
    for arm in measured.outcomes:
        if arm.method in known:
            how, rest = known[arm.method]
            groups.setdefault((arm.at.without("method"), rest), {})[how] = arm
    made = [
        one
        for held in groups.values()
        for how, arm in held.items()
        if how != "none" and "none" in held and (one := _beside(held["none"], arm, how)) is not None
    ]
    tested = [one for one in made if one.spreads.p is not None]
    corrected = dict(zip(map(id, tested), holm([one.spreads.p or 0.0 for one in tested]), strict=True))
    return tuple(replace(one, p_holm=corrected.get(id(one))) for one in made)


def _settings(study: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Method -> its calibration, and all else that is set of it; of rank classification alone."""
    entries = [one for part in (study, *(study.get("parts") or ())) for one in part.get("methods") or ()]
    found = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or not _ranks(entry):
            continue
        said = {key: value for key, value in entry.items() if value is not None and key not in ("search", "grid")}
        made = method(**said)  # what is searched has another name
        assert isinstance(made.prompt, Chosen)
        rest = replace(made, prompt=made.prompt.model_copy(update={"calibration": "none"})).spec()
        for template in study.get("template") or ("auto",):  # a method that does not say how it asks is each of these
            added = "" if template == "auto" or made.template else f"-{template}"
            found[made.name + added] = (str(made.prompt.calibration), canonical_json([rest, added]))
    return found


def _ranks(entry: Mapping[str, Any]) -> bool:
    prompt = entry.get("prompt")
    return (prompt.get("kind") if isinstance(prompt, Mapping) else prompt) == Chosen.kind


def _beside(plain: Outcomes, calibrated: Outcomes, how: str) -> Calibrated | None:
    """None with fewer than four draws of the same examples, or no item in common."""
    plans = dict(zip(plain.draws, plain.plans, strict=True))
    mine = dict(zip(calibrated.draws, calibrated.plans, strict=True))
    draws = tuple(draw for draw in plain.draws if mine.get(draw) == plans[draw])
    items = [one for one in plain.items if one in set(calibrated.items)]
    if len(draws) < FEWEST or not items:
        return None
    before, after = (_accuracies(one, draws, items) for one in (plain, calibrated))
    means = float(before.mean()), float(after.mean())
    spreads = compare_spreads(before, after, hidden=rounding_of(len(items)))
    return Calibrated(calibrated.at, plain.method, how, draws, len(items), means, spreads)


def _accuracies(arm: Outcomes, draws: Sequence[int], items: Sequence[str]) -> Any:
    """The accuracy of each draw over ``items``."""
    rows, columns = [arm.draws.index(one) for one in draws], [arm.items.index(one) for one in items]
    return np.nanmean(arm.values[np.ix_(rows, columns)], axis=1)
