"""Knowledge without retrieval (claim 9)."""

from __future__ import annotations

from collections.abc import Sequence

from onset.published.claim import Claim
from onset.published.judge import MARGIN_POINTS, Difference, Part, State, compared, no_worse
from onset.published.numbers import Figures, Rows
from onset.published.papers import BROWN, YU

_DATASETS = {"NQ": "NaturalQuestions", "TriviaQA": "TriviaQA", "WebQ": "WebQs"}
"""The names of Yu et al. and of Brown et al. for one data set."""

_SOTA = "fine-tuning (SOTA at the time)"
_GENERATED = "GENREAD (InstructGPT)"
_RETRIEVED = "DPR + InstructGPT (supervised retriever)"
_GENERATED_TUNED = "GENREAD (FiD-xl) (clustering)"
_RETRIEVED_TUNED = "FiD-xl (DPR, Wikipedia)"


def _matches(one: Difference) -> State:
    return no_worse(one, MARGIN_POINTS)


def _parts(figures: Figures) -> list[Part]:
    parts = []
    for short, long in _DATASETS.items():
        here, brown = figures.where(paper=YU, dataset=short), figures.where(paper=BROWN, dataset=long)
        parts += [
            compared(
                f"{short}, context written by the model, zero-shot",
                here.where(table="Table 1", method=_GENERATED),
                here.where(table="Table 1", method=_RETRIEVED),
                _matches,
            ),
            compared(
                f"{short}, context written by the model, tuned reader",
                here.where(model=_GENERATED_TUNED),
                here.where(model=_RETRIEVED_TUNED),
                _matches,
            ),
            compared(
                f"{short}, GPT-3 from memory, few-shot",
                brown.starting("setting", "few-shot"),
                brown.where(method=_SOTA),
                _matches,
            ),
        ]
    return parts


CLAIMS: Sequence[Claim] = (
    Claim(
        id="closed-book-matches-retrieval",
        number="9",
        statement="On open-domain questions large models without a retriever match systems that retrieve and read.",
        rows=(
            Rows(YU, table=("Table 1",), dataset=tuple(_DATASETS), method=(_GENERATED, _RETRIEVED)),
            Rows(YU, table=("Table 2",), dataset=tuple(_DATASETS), model=(_GENERATED_TUNED, _RETRIEVED_TUNED)),
            Rows(
                BROWN,
                table=("Table H.1",),
                dataset=tuple(_DATASETS.values()),
                model=("GPT-3 175B",),
                setting=("few-shot (K=64)", "few-shot, test server"),
            ),
            Rows(BROWN, table=("Table H.1",), dataset=tuple(_DATASETS.values()), method=(_SOTA,)),
        ),
        statistic="without a retriever minus with one, in points; a match is a deficit below 5 points",
        unit="comparisons",
        rule="every",
        parts=_parts,
    ),
)
