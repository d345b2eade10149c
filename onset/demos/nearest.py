"""The examples nearest to the question, by BM25: for each question its own.

Sources: Liu et al. 2022, arXiv 2101.06804 (kNN-augmented selection: the nearest examples of the pool for each
question); BM25 in the place of their sentence encoder as in Rubin et al. 2022, arXiv 2112.08633: no second model is
asked.
BM25 is Lucene's (bm25s): a word w of the question counts in an example of length n with

    log(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * n / mean n))

Words are runs of letters and digits, in lower case; Chinese, Japanese and Korean characters one each; no stop words, no
stemming. Compared are question and context, never an answer or a rationale. Examples that share no word come last; ties
stay in the order of the plan.

The nearest is shown last, next to the question: the order that did best on Natural Questions in the ablation of Liu et
al. (their "reverse order"); ``closest: first`` is the other one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.demos.base import Choice, Ranking
from onset.errors import NotInstalled
from onset.records import Item
from onset.tasks.base import Task

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def words_of(text: str) -> list[str]:
    """The words of a text, as they are compared.

    >>> words_of("Ray's 17 keys: 钥匙")
    ['ray', 's', '17', 'keys', '钥', '匙']
    """
    return _WORD.findall(text.lower())


class Nearest(Choice):
    """The examples whose questions share most words with the question. ``k1`` and ``b``: BM25's; ``closest``: where the
    nearest is shown.
    """

    kind: ClassVar[str] = "nearest"
    source: ClassVar[str] = "Liu et al. 2022, arXiv 2101.06804; BM25 as in Rubin et al. 2022, arXiv 2112.08633"
    words: ClassVar[str] = "the nearest to the question by BM25"
    per_item: ClassVar[bool] = True
    reads: ClassVar[bool] = True

    k1: float = Field(default=1.5, gt=0, le=10)
    b: float = Field(default=0.75, ge=0, le=1)
    closest: Literal["last", "first"] = "last"

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """The nearest first. Raises ValueError without a question."""
        return self.ranking(examples, task)(item)

    def ranking(self, examples: Sequence[Item], task: Task) -> Ranking:
        """Indexed once. Raises NotInstalled where bm25s is not installed."""
        index = self._index([words_of(_text(one)) for one in examples])

        def rank(item: Item | None) -> Sequence[Item]:
            if item is None:
                raise ValueError("nearest to which question?")
            asked = words_of(_text(item))
            if index is None or not asked:
                return examples
            scores = index.get_scores(asked)
            return [examples[place] for place in (-scores).argsort(kind="stable")]

        return rank

    def check_installed(self) -> None:
        """It needs bm25s."""
        _library()

    def _index(self, texts: list[list[str]]) -> Any:
        """None where no example has a word."""
        bm25s = _library()
        if not any(texts):
            return None
        index = bm25s.BM25(k1=self.k1, b=self.b, method="lucene", dtype="float64")
        index.index(texts, show_progress=False)
        return index

    def arrange(self, chosen: Sequence[Item]) -> tuple[Item, ...]:
        """The nearest last, or first."""
        return tuple(chosen) if self.closest == "first" else tuple(reversed(chosen))


def _library() -> Any:
    try:
        import bm25s
    except ModuleNotFoundError:
        raise NotInstalled("'choose: nearest' needs the package bm25s: pip install 'lm-onset[local]'") from None
    return bm25s


def _text(item: Item) -> str:
    return f"{item.context}\n{item.question}" if item.context else item.question
