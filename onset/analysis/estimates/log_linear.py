"""Does what a model knows grow by equal steps while its size grows tenfold?

That accuracy on facts is linear in the logarithm of the size is what closed-book question answering found (Roberts et
al. 2020, arXiv 2002.08910; Kandpal et al. 2023, arXiv 2211.08411), where reasoning may emerge. A line is fitted to
every curve of a knowledge task over four sizes or more (`onset.analysis.stats.log_line`, on the independent trials that
the outcomes are worth); its misfit is the test, p adjusted by Holm over all such curves of the study.

What outcomes of several draws are worth is itself estimated, at one size from as few as two draws. The line is of
quasi-likelihood (McCullagh and Nelder 1989, section 4.5): one dispersion a curve, the mean of its sizes' design
effects, and F tests with the degrees of freedom of all of them. With one draw nothing is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.curves.series import MIN_SIZES
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.outcomes import Measured
from onset.analysis.outcomes.cells import cells_with
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.counting import Counted
from onset.analysis.stats.log_line import LogLine, log_line


@dataclass(frozen=True, eq=False)
class Growth(Placed):
    """The ``line`` through ``curve``, which is ``at`` a setting without a model; ``p_holm``: of its misfit."""

    curve: SizeCurve
    line: LogLine
    p_holm: float

    @property
    def at(self) -> Setting:
        """Where the curve was measured."""
        return self.curve.at

    @property
    def verdict(self) -> str:
        """``not linear`` where a line is refused; else ``grows``, ``falls`` or ``undecided`` by its slope."""
        if self.p_holm <= ALPHA:
            return "not linear"
        low, high = self.line.interval
        return "grows" if low > 0 else "falls" if high < 0 else "undecided"

    def json(self) -> dict[str, Any]:
        """As plain JSON; the slope is of shares for a tenfold size."""
        return {
            "task": self.task,
            "method": self.method,
            "labels": self.labels,
            "shift": self.shift,
            "stage": self.stage,
            "family": self.at.family,
            "sizes": list(self.curve.sizes),
            "per_tenfold": self.line.slope,
            "interval": list(self.line.interval),
            "p": self.line.p,
            "p_holm": self.p_holm,
            "line": [list(one) for one in self.line.points(self.curve.sizes[0], self.curve.sizes[-1])],
            "verdict": self.verdict,
        }


def growths_of(measured: Measured, curves: Sequence[SizeCurve]) -> tuple[Growth, ...]:
    """Every curve of a knowledge task without a shift that has four sizes or more; not where the right answer is that
    of a passage against memory (`onset.analysis.estimates.conflicts`).
    """
    cells = measured.cells.filter(pl.col("ability") == "knowledge reasoning")
    against = cells_with(measured.records, "detail", '"memory":')
    known = set(cells.filter(~pl.col("cell").is_in(against))["task"].to_list())
    wanted = [one for one in curves if one.task in known and one.at.clean and one.different >= MIN_SIZES]
    fitted = [line_of(one.sizes, one.counts) for one in wanted]
    adjusted = holm([line.p for line in fitted])
    return tuple(Growth(*one) for one in zip(wanted, fitted, adjusted, strict=True))


def line_of(sizes: Sequence[int], counts: Sequence[Counted]) -> LogLine:
    """The line through ``counts`` at ``sizes``: design effects that are estimated are pooled, as their mean."""
    effects = [one.design_effect for one in counts if one.freedom]
    pooled = [replace(one, design_effect=float(np.mean(effects))) if one.freedom else one for one in counts]
    trials = np.array([one.effective() for one in pooled], dtype=np.float64)
    df = sum(one.freedom for one in counts) or math.inf
    return log_line(np.array(sizes, dtype=np.float64), trials[:, 0], trials[:, 1], df=df)
