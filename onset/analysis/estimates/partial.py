"""Methods compared by the partial score of their answers, beside the strict one: token F1 beside exact match.

An answer that is nearly right is wrong by exact match, so that a method which writes "the Gulf of Tunis, of course" can
lose by its form alone. SQuAD's two scores (Rajpurkar et al. 2016, arXiv 1606.05250, section 6.1) are shown side by side
for that reason; neither takes the other's place. Items without an answer have 0, as they are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES

PARTIAL = "token F1"


@dataclass(frozen=True, eq=False)
class PartialPair(Placed):
    """One pair of methods: ``partial``, by the partial score (shares, 0..1), and ``strict``, by right and wrong."""

    partial: Contrast
    strict: Contrast

    @property
    def at(self) -> Setting:
        """The setting of the minus side."""
        return self.partial.at

    @property
    def same(self) -> bool:
        """Do both scores give the pair one verdict?"""
        return self.partial.verdict == self.strict.verdict

    def json(self) -> dict[str, Any]:
        """Plain JSON; values and differences are shares."""
        held = self.partial.json()
        value_a, value_b = self.partial.levels
        return self.coordinates(metric=PARTIAL) | {
            "sides": held["sides"],
            "seeds": held["seeds"],
            "n": self.partial.n,
            "value_a": value_a,
            "value_b": value_b,
            **{key: held[key] for key in _SAME},
            "strict_difference": self.strict.difference,
            "strict_verdict": self.strict.verdict,
        }


_SAME = (
    "difference", "interval", "p", "p_holm", "p_equivalent_holm", "margin", "test", "family_size", "verdict",
)  # fmt: skip


def partial_pairs(
    arms: Sequence[Outcomes],
    strict: Sequence[Contrast],
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> tuple[PartialPair, ...]:
    """Every pair of methods both of which have partial scores of all their answers, decided as ``strict`` is, the same
    pairs by right and wrong: with all others on its task, shift, model and stage.
    """
    scored = [arm.as_score(PARTIAL) for arm in arms if PARTIAL in arm.outputs.scores]
    known = {(one.plus, one.minus): one for one in strict}
    found = compare_all(scored, margin=margin, replicates=replicates, kind="share")
    return tuple(PartialPair(one, known[one.plus, one.minus]) for one in found)
