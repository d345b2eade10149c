"""Are answers counted as wrong that say the right one among other words?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import polars as pl

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.outcomes import KEY
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say

OFTEN = 0.1
"""Share of the outcomes of a way of asking from which on it is said."""
_MORE = 2
"""Words that an answer has beside the right one's."""


@dataclass(frozen=True, slots=True)
class _Wordy:
    """A way of asking (values of `KEY`), and the share of its outcomes that are such answers."""

    key: Mapping[str, Any]
    share: float


class WordyAnswers(Question):
    """Ways of asking of which a tenth of the answers and more is counted as wrong and has the words of the right one in
    a row among others ("The capital of Ghana is Accra" for "Accra"): exact match takes them for wrong, as others do.
    """

    kind = "warning"
    unit = "share"
    verdicts = tones({"wordy answers": "warning"})
    always = True
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        found = _wordy(study.measured.cells, study.measured.records)
        if not found:
            return
        short = lines.line(
            "wordy.wordy answers", settings=lines.count("setting", len(found)), share=words.percent(found[0].share)
        )
        yield self.finding(
            "wordy answers", "wordy answers", partial(_sentence, study, found), short, estimate=found[0].share,
            n=len(found),
        )  # fmt: skip


def _wordy(cells: pl.DataFrame, records: pl.DataFrame) -> list[_Wordy]:
    """Those that are said, the worst first."""
    long = pl.col("answer").str.count_matches(r"\w+") > _MORE
    held = records.lazy().filter((pl.col("status") == "ok") & ~pl.col("correct") & long)
    rows = held.select("cell", "answer", "gold", "golds").collect().to_dicts()
    if not rows:
        return []
    labels = {text for text in records["gold"].unique().to_list() if text is not None}
    named = {" ".join(_words(one)) for one in labels}
    counts = Counter(row["cell"] for row in rows if _says(row, named))
    out = []
    for key, table in cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        share = sum(counts[one] for one in table["cell"].to_list()) / int(table["n"].sum())
        if share >= OFTEN:
            out.append(_Wordy(dict(zip(KEY, key, strict=True)), share))
    return sorted(out, key=lambda one: -one.share)


def _says(row: Mapping[str, Any], named: Iterable[str]) -> bool:
    """Are the words of a right answer in a row in the answer, which is no right answer of another item?"""
    answer = _words(row["answer"])
    text = " ".join(answer)
    if text in named:
        return False
    golds = [_words(one) for one in (row["gold"], *(row["golds"] or ())) if one]
    return any(0 < len(gold) <= len(answer) - _MORE and f" {' '.join(gold)} " in f" {text} " for gold in golds)


@lru_cache(maxsize=16_384)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.casefold()))


def _sentence(study: Analysis, found: Sequence[_Wordy], say: Say) -> str:
    worst, at = found[0], found[0].key
    given = given_words(study, at["labels"], [at["method"]], at["task"], say)
    text = say(
        "Answers that say more: in {count} of {settings} at least {share} % of the outcomes are answers that are"
        " counted as wrong and hold the right one among other words (most: {method}{given} for {model} on {task},"
        " {most})",
        count=len(found), settings=say.counted("setting", len(study.arms)), share=words.number(100 * OFTEN, 0),
        method=say.named(at["method"]), given=say(" {given}", given=given) if given else "", model=at["model"],
        task=say.named_task(at["task"]), most=words.percent(worst.share),
    )  # fmt: skip
    return say.text([say.clauses([text, say("ask for the answer alone (`instruction`), or show examples")])])
