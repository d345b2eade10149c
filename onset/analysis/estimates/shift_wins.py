"""Who is better under a shift where neither method is shown to be on clean items.

A pair of methods on one model is compared on clean items and under every shift; each comparison is decided within its
own task, shift, model and stage. To look through all shifts for one that shows something needs a correction for all of
them: p of a comparison under a shift is adjusted by Holm over every comparison of methods under any shift of its task,
model and stage. That one difference is shown and another is not does not show that the two differ; whether they do is
the lead's ``change`` (`onset.analysis.estimates.reorder`), which stands beside both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.reorder import Lead
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm


@dataclass(frozen=True, eq=False)
class ShiftWin(Placed):
    """``lead``, said of the winner: ahead under the shift with ``p_shifts`` (adjusted over the ``compared`` comparisons
    of all ``shifts``) of at most 0.05, and on clean items neither side is shown to be ahead.
    """

    lead: Lead
    p_shifts: float
    compared: int
    shifts: int

    @property
    def at(self) -> Setting:
        """The loser's setting under the shift."""
        return self.lead.at

    @property
    def sides(self) -> tuple[str, str]:
        """The winner and the other method."""
        return self.lead.sides

    def json(self) -> dict[str, Any]:
        """As plain JSON; differences are shares, the winner minus the other method."""
        clean, shifted = self.lead.clean, self.lead.shifted
        return self.coordinates(sides=list(self.sides)) | {
            "seeds": list(shifted.draws),
            "n": shifted.n,
            "difference": shifted.difference,
            "interval": list(shifted.spread),
            "p_shifts": self.p_shifts,
            "family_size": self.compared,
            "shifts": self.shifts,
            "clean": clean.difference,
            "clean_interval": list(clean.spread),
            "clean_p": clean.p_adjusted,
            "clean_verdict": clean.verdict,
            "test": shifted.test,
        }


def shift_wins(methods: Iterable[Contrast], found: Sequence[Lead]) -> tuple[ShiftWin, ...]:
    """Every such pair, in the order of ``found``. ``methods``: all comparisons of methods, with their p."""
    families: dict[Hashable, list[Contrast]] = {}
    for one in methods:
        if not one.at.clean and one.p is not None:
            families.setdefault(_family(one), []).append(one)
    adjusted: dict[int, tuple[float, int, int]] = {}
    for group in families.values():
        shifts = len({one.shift for one in group})
        tests = {id(one.estimate): one.p or 0.0 for one in group}  # what has one estimate is one test, at any budget
        for key, p in zip(tests, holm([*tests.values()]), strict=True):
            adjusted[key] = (p, len(tests), shifts)
    by_pair = {
        (said.at, said.names): adjusted[id(one.estimate)]
        for group in families.values()
        for one in group
        for said in (one, one.turned())
    }
    out = []
    for lead in found:
        known = by_pair.get((lead.shifted.at, lead.shifted.names))
        if known is None or known[0] > ALPHA or lead.clean.verdict in ("wins", "loses"):
            continue
        ahead = lead if lead.shifted.gap > 0 else lead.turned()
        out.append(ShiftWin(ahead, *known))
    return tuple(out)


def _family(one: Contrast) -> Hashable:
    return one.task, one.model, one.stage
