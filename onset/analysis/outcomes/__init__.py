"""Outcomes: what one way of asking got right at one setting, draws x items. Contrasts and curves start from them.

Whoever's logs are read, the same table comes out; what a source does not say is None, or empty.

table     the table itself, and its counts
pairing   two of them on the draws and items that both have
choosing  which metric and filter is used where a source has several
scores    continuous scores of the same outputs, from records
folder    a results folder's outcomes
aside     what was asked beside the study's own tasks
measured  outcomes, and the tables of cells and records beside them
"""

from __future__ import annotations

from onset.analysis.outcomes.aside import Aside
from onset.analysis.outcomes.folder import KEY, outcomes_of
from onset.analysis.outcomes.measured import Measured, Stated, foreign, measured_of, source_of
from onset.analysis.outcomes.pairing import Aligned, between, pair, twinned
from onset.analysis.outcomes.table import (
    ACCURACY,
    NO_FILTER,
    Asked,
    Flops,
    Measure,
    Measuring,
    Outcomes,
    Outputs,
    Ran,
    Text,
)

__all__ = [
    "ACCURACY",
    "KEY",
    "NO_FILTER",
    "Aligned",
    "Aside",
    "Asked",
    "Flops",
    "Measure",
    "Measured",
    "Measuring",
    "Outcomes",
    "Outputs",
    "Ran",
    "Stated",
    "Text",
    "between",
    "foreign",
    "measured_of",
    "outcomes_of",
    "pair",
    "source_of",
    "twinned",
]
