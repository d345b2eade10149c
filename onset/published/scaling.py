"""Curves over size, and the few-shot GPT-3 of 2020 against tuned models (claims 6 to 8)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.tails import chi2_above
from onset.analysis.words import number, short_count
from onset.published.claim import Claim
from onset.published.judge import Part, below, compared, steepest, value_words
from onset.published.numbers import Figure, Figures, Rows
from onset.published.papers import BROWN, COBBE, COBBE_IN_WANG, WEI

FEWEST_SIZES = 4
"""Sizes below which no curve is told from another: two parameters are fitted, and one left over is no test."""


# ---- 6 -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogLinear:
    """Accuracy as a straight line in log10 of the size, by maximum binomial likelihood.

    ``slope``: points for a tenfold size; ``p``: of the deviance from one free share per size (chi-squared).
    """

    slope: float
    p: float


def log_linear(figures: Sequence[Figure]) -> LogLinear:
    """Fit the line. ``figures``: three sizes or more, each with its size and number of items."""
    x = np.log10([float(one.params or math.nan) for one in figures])
    n = np.array([one.items or 0 for one in figures], dtype=float)
    right = np.round(np.array([one.value for one in figures]) / 100 * n)
    share = right / n

    def lack(line: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        fitted = np.clip(line[0] + line[1] * (x - x.mean()), 1e-6, 1 - 1e-6)
        return float(2 * (_log_likelihood(right, n, share) - _log_likelihood(right, n, fitted)))

    slope, _ = np.polyfit(x, share, 1)
    best = optimize.minimize(lack, np.array([share.mean(), slope]), method="Nelder-Mead", options={"xatol": 1e-8})
    return LogLinear(slope=100 * float(best.x[1]), p=float(chi2_above(best.fun, len(figures) - 2)))


def _log_likelihood(
    right: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    n: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    share: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> float:
    inner = np.clip(share, 1e-12, 1 - 1e-12)
    return float((right * np.log(inner) + (n - right) * np.log1p(-inner)).sum())


def _log_linear_parts(figures: Figures) -> list[Part]:
    return [
        _log_linear_part(name, figures.where(dataset="GSM8K", family="GPT-3", paper=COBBE, method=method))
        for name, method in (("fine-tuned GPT-3", "finetuning"), ("GPT-3 with a verifier", "verification"))
    ]


def _log_linear_part(name: str, figures: Figures) -> Part:
    by_size = sorted(figures, key=lambda one: one.params or 0)
    sizes = figures.sizes()
    shown = " and ".join(f"{value_words(one)} at {short_count(one.params or 0)}" for one in by_size)
    if len(sizes) < FEWEST_SIZES or any(one.items is None for one in by_size):
        have = f"{len(sizes)} sizes: {shown}" if sizes else "no sizes held"
        return Part(name, "undecided", f"{have}, and through {len(sizes)} any curve can be drawn" if sizes else have)
    fit = log_linear(by_size)
    words = f"{shown}: {number(fit.slope)} points for a tenfold size, misfit p = {fit.p:.3f}"
    return Part(name, "holds" if fit.p > 1 - LEVEL and fit.slope > 0 else "fails", words, fit.slope)


def _extrapolated(figures: Figures) -> str:
    said = figures.where(dataset="GSM8K", metric="parameters needed for 80% solve rate")
    released = figures.where(paper=COBBE, method="finetuning", table="released model solutions")
    if not said or len(released.sizes()) != 2:
        return ""
    low, high = sorted(released, key=lambda one: one.params or 0)
    decades = math.log10((high.params or 1) / (low.params or 1))
    slope = (high.value - low.value) / decades
    needed = (high.params or 1) * 10 ** ((80 - high.value) / slope)
    return (
        f"a line through the two would reach 80 at {_power(needed)} parameters, "
        f"the authors' own extrapolation at {_power(said[0].value)}"
    )


def _power(count: float) -> str:
    exponent = math.floor(math.log10(count))
    return f"{count / 10**exponent:.1g}e{exponent}"


# ---- 7 -------------------------------------------------------------------------------------------------------------

_SOTA = "fine-tuning (SOTA at the time)"
_TASKS = (
    "HellaSwag", "LAMBADA", "StoryCloze", "NaturalQuestions", "TriviaQA", "WebQs", "Winograd", "Winogrande", "PIQA",
    "ARC (Challenge)", "ARC (Easy)", "OpenBookQA", "RACE-h", "SQuADv2", "CoQA", "DROP", "BoolQ", "Copa", "RTE", "WiC",
    "WSC", "ANLI R1", "ANLI R2", "ANLI R3",
)  # fmt: skip
_SHOTS = (5, 7, 10, 15, 16, 20, 32, 50, 64, 70, 100)
_FEW_SHOT = (*(f"few-shot (K={shots})" for shots in _SHOTS), "few-shot, test server")


def _tuned_parts(figures: Figures) -> list[Part]:
    tuned = figures.where(method=_SOTA)
    prompted = figures.where(setting=_FEW_SHOT)
    return [compared(task, prompted.where(dataset=task), tuned.where(dataset=task), below) for task in _TASKS]


# ---- 8 -------------------------------------------------------------------------------------------------------------

_ADDITION = "2-digit addition (2D+)"


def is_sudden(name: str, figures: Figures) -> Part:
    """Does the ability appear suddenly: do its odds grow faster than the size somewhere?

    The one place that says what a phase change is (`statistics.steepest`).
    """
    step = steepest(list(figures))
    if step is None:
        return Part(name, "undecided", "fewer than three sizes with numbers of items")
    low, high = step.low, step.high
    before = "" if step.before is None else f", {number(step.before)} up to there"
    words = (
        f"{value_words(low)} to {value_words(high)} between {short_count(low.params or 0)} and "
        f"{short_count(high.params or 0)}: odds as size to the power {number(step.exponent)} "
        f"({number(step.interval[0])} to {number(step.interval[1])}){before}; "
        f"{number(100 * step.share, 0)} % of the rise"
    )
    faster, slower = step.interval[0] > 1, step.interval[1] < 1
    return Part(name, "holds" if faster else "fails" if slower else "undecided", words, step.exponent, step.interval)


def _addition_parts(figures: Figures) -> list[Part]:
    on = figures.where(dataset=_ADDITION)
    return [is_sudden(shots, on.starting("setting", shots)) for shots in ("zero-shot", "one-shot", "few-shot")]


CLAIMS: Sequence[Claim] = (
    Claim(
        id="fine-tuning-log-linear",
        number="6",
        statement="Fine-tuning follows log-linear scaling: accuracy rises by equal steps while size rises tenfold.",
        rows=(
            Rows(COBBE, table=("released model solutions",)),
            Rows(COBBE, table=("Section 4.1 text",), metric=("parameters needed for 80% solve rate",)),
            Rows(COBBE_IN_WANG),
            Rows(WEI, table=("Figure 2",), family=("GPT-3",)),
        ),
        statistic="slope in points for a tenfold size, and the deviance from a straight line",
        unit="curves",
        rule="every",
        parts=_log_linear_parts,
        note=_extrapolated,
    ),
    Claim(
        id="gpt3-2020-below-tuned",
        number="7",
        statement="As a rule the few-shot GPT-3 of 2020 did not beat tuned models.",
        rows=(
            Rows(BROWN, table=("Table H.1",), dataset=_TASKS, method=(_SOTA,)),
            Rows(BROWN, table=("Table H.1",), dataset=_TASKS, model=("GPT-3 175B",), setting=_FEW_SHOT),
        ),
        statistic="few-shot GPT-3 175B minus the best tuned model, in points",
        unit="tasks",
        rule="most",
        parts=_tuned_parts,
        note=lambda _: "where a test-server score is printed too, both have to agree",
    ),
    Claim(
        id="addition-phase-change",
        number="8",
        statement="Two-digit addition by GPT-3 is a phase change over size: somewhere its odds grow faster than size.",
        rows=(Rows(BROWN, table=("Table H.1",), dataset=(_ADDITION,)),),
        statistic="the power of size by which the odds grow in the steepest step between neighbouring sizes",
        unit="prompts",
        rule="every",
        parts=_addition_parts,
    ),
)
