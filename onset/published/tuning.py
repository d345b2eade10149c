"""Tuning a few per cent of the parameters against tuning all of them (claim 16)."""

from __future__ import annotations

from collections.abc import Sequence

from onset.published.claim import Claim
from onset.published.judge import Difference, Part, State, compared, no_worse
from onset.published.numbers import Figures, Rows
from onset.published.papers import HE, LI

TOLERANCE = 1.0
"""Points by which a method may stay below full tuning and still match it: BLEU, ROUGE and accuracy alike."""

_METRICS = ("ROUGE-1", "ROUGE-2", "ROUGE-L", "BLEU", "MET", "dev accuracy %")
_FULL = ("full fine-tuning (our run)", "Full-FT", "fine-tune")
_PREFIX = ("prefix tuning l=200", "Prefix", "prefix-tuning (0.1%)", "prefix-tuning")
_MIXED = ("MAM Adapter (l=30, r=512)", "MAM Adapter")


def _matches(one: Difference) -> State:
    return no_worse(one, TOLERANCE)


def _parts(figures: Figures, methods: tuple[str, ...]) -> list[Part]:
    parts = []
    cells = dict.fromkeys((one.model, one.dataset, one.metric) for one in figures)
    for model, dataset, metric in cells:
        here = figures.where(model=model, dataset=dataset, metric=metric)
        few, full = here.where(method=methods), here.where(method=_FULL)
        if few or full:
            name = f"{dataset}, {metric.removesuffix(' %')}, {model}"
            parts.append(compared(name, few, full, _matches))
    return parts


def _rows(methods: tuple[str, ...]) -> tuple[Rows, ...]:
    return (
        Rows(HE, table=("Table 2", "Table 6"), method=(*methods, *_FULL), metric=_METRICS),
        Rows(LI, model=("GPT-2 medium", "GPT-2 large"), method=(*methods, *_FULL), metric=_METRICS),
    )


def _note(figures: Figures, methods: tuple[str, ...]) -> str:
    settings = {one.setting for one in figures.where(method=methods)}
    shares = sorted(
        {float(one.removeprefix("trainable params ").removesuffix("%")) for one in settings if one.startswith("train")}
    )
    tuned = f"{shares[0]:g} to {shares[-1]:g} % of the parameters are tuned, and " if shares else ""
    return f"{tuned}{TOLERANCE:g} point below counts as a match"


CLAIMS: Sequence[Claim] = (
    Claim(
        id="prefix-matches-full-tuning",
        number="16a",
        statement="Prefix tuning matches full fine-tuning at a few per cent of the parameters.",
        rows=_rows(_PREFIX),
        statistic="prefix tuning minus full fine-tuning, in points of the metric",
        unit="comparisons",
        rule="every",
        parts=lambda figures: _parts(figures, _PREFIX),
        note=lambda figures: _note(figures, _PREFIX),
    ),
    Claim(
        id="mix-and-match-matches-full-tuning",
        number="16b",
        statement="The mix-and-match adapter matches full fine-tuning at a few per cent of the parameters.",
        rows=(Rows(HE, table=("Table 2", "Table 6"), method=(*_MIXED, *_FULL), metric=_METRICS),),
        statistic="mix-and-match adapter minus full fine-tuning, in points of the metric",
        unit="comparisons",
        rule="every",
        parts=lambda figures: _parts(figures, _MIXED),
        note=lambda figures: _note(figures, _MIXED),
    ),
)
