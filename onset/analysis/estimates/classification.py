"""Tasks whose answers are labels: the majority baseline, macro-F1, the confusion matrix, and methods stuck on a label.

A task has labels where its test items have two to twenty different gold answers, five items or more to each on average,
and they are not open numbers (numbers are labels where the items have them as choices). Labels are told apart as
`onset.answers.canonical_text` does: ``Yes`` and ``yes`` are one.

Macro-F1 is the mean, over the classes of the gold answers, of F1 = 2 TP / (2 TP + FP + FN): of the two definitions in
use, the mean of the F1 values and not the F1 of mean precision and mean recall (Opitz and Burst 2019, "Macro F1 and
Macro F1", arXiv 1911.03347). A class that is never answered has F1 0. An answer that is no gold class, and an output no
answer was found in, count against the class of the item: as wrong, never dropped.

Its interval is that of a mean (`onset.analysis.stats.bootstrap.crossed_bootstrap` for several draws, Student's t over
the items for one): macro-F1 is replaced by its linearisation, one value an item and draw whose mean is macro-F1 and
whose spread is the delta method's.
"""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from onset.analysis.outcomes import Measured
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.setting import Placed, Setting, steps
from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, crossed_bootstrap
from onset.analysis.stats.draws import draw_means, with_draws
from onset.analysis.stats.shares import Interval
from onset.answers import canonical_number, canonical_text

OTHER = "other answer"
UNREAD = "no answer found"
MOST_CLASSES, FEWEST_EACH = 20, 5
STUCK, BEYOND = 0.9, 0.1
"""A method is stuck on a label that is the answer to this share of all items, this much more than are of that label."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was answered, by what is right.

    ``classes``: the gold answers, the most frequent first; ``gold``: how many test items each has; ``counts``: gold
    class x answered class, two more columns for other answers and none found, summed over the draws.
    """

    classes: tuple[str, ...]
    gold: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """Test items."""
        return sum(self.gold)

    @property
    def majority(self) -> float:
        """The share of the most frequent class: the accuracy of always answering it."""
        return self.gold[0] / self.n

    @property
    def answered(self) -> tuple[int, ...]:
        """How often each class was answered."""
        return tuple(sum(row[code] for row in self.counts) for code in range(len(self.classes)))

    @property
    def top(self) -> str | None:
        """The class that is answered most; None where none was."""
        most = max(self.answered)
        return self.classes[self.answered.index(most)] if most else None

    @property
    def top_share(self) -> float:
        """In which share of all outputs it is answered."""
        return max(self.answered) / sum(map(sum, self.counts))

    @property
    def stuck(self) -> bool:
        """Is one label nearly always the answer, much more often than it is right?"""
        if self.top is None:
            return False
        share = self.gold[self.classes.index(self.top)] / self.n
        return self.top_share >= STUCK and self.top_share - share >= BEYOND


@dataclass(frozen=True)
class Classified(Placed):
    """One arm on a task with labels.

    ``f1``: of each class (mean over draws); ``macro_f1``: their mean, with its 95 % ``interval``; ``lead``: accuracy
    minus that of always answering the most frequent class on the same items, with ``lead_interval``.
    """

    at: Setting
    seeds: tuple[int, ...]
    said: Confusion
    f1: tuple[float, ...]
    macro_f1: float
    interval: Interval
    lead: float
    lead_interval: Interval

    def json(self) -> dict[str, Any]:
        """As plain JSON; ``columns``: the heads of ``counts``."""
        return {
            "model": self.model,
            "stage": self.stage,
            "method": self.method,
            "labels": self.labels,
            "task": self.task,
            "shift": self.shift,
            "seeds": list(self.seeds),
            "n": self.said.n,
            "classes": list(self.said.classes),
            "gold": list(self.said.gold),
            "counts": [list(row) for row in self.said.counts],
            "f1": list(self.f1),
            "macro_f1": self.macro_f1,
            "interval": list(self.interval),
            "top": self.said.top,
            "top_share": self.said.top_share,
            "majority": self.said.majority,
            "lead": self.lead,
            "lead_interval": list(self.lead_interval),
            "columns": [*self.said.classes, OTHER, UNREAD],
            "stuck": self.said.stuck,
        }


@dataclass(frozen=True, slots=True)
class CellF1:
    """Macro-F1 of one cell, and the majority baseline of its items with its label."""

    macro_f1: float
    interval: Interval
    majority: float
    majority_label: str


def classified(results: Measured, *, replicates: int = REPLICATES) -> tuple[tuple[Classified, ...], dict[str, CellF1]]:
    """Every arm of a task with labels, in the order of the cells, and macro-F1 by cell id."""
    several, chosen = (pl.col("golds").list.len() > 0).alias("several"), pl.col("gold_prob").is_not_null()
    tables = by_cell(results.records, ("item", "gold", several, "answer", "correct", chosen.alias("chosen")))
    arms: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for cell in results.cells.filter(pl.col("n") > 0).to_dicts():
        arms[tuple(cell[name] for name in ("model", "stage", "method", "labels", "task", "shift"))].append(cell)
    classes = {place: _classes(held, tables) for place, held in _places(results, tables).items()}
    found: list[Classified] = []
    cells: dict[str, CellF1] = {}
    for key, group in arms.items():
        known = classes[key[4], key[5]]
        if known is None:
            continue
        group.sort(key=lambda cell: int(cell["seed"]))
        one = _Outcomes.of([tables[cell["cell"]] for cell in group], known)
        found.append(_classified(key, group, one, known, replicates))
        for row, cell in enumerate(group):
            cells[cell["cell"]] = _cell(one.only(row), known)
    return tuple(found), cells


def _places(results: Measured, tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], list[str]]:
    """The cells of each task and shift."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for cell, task, shift in results.cells.select("cell", "task", "shift").iter_rows():
        places[task, shift].extend([cell] if cell in tables else [])
    return places


def _classes(cells: Sequence[str], tables: Mapping[str, pl.DataFrame]) -> dict[str, str] | None:
    """Canonical form -> label as written, the most frequent first; None where the answers are no labels."""
    gold: dict[str, str] = {}
    has_choices = False
    for cell in cells:
        table = tables[cell]
        gold.update(_rows(table, "item", "gold"))
        if table["several"].any():
            return None  # an item with several right answers is of no one class
        has_choices = has_choices or table["chosen"].any()
    written = Counter(gold.values())
    forms: Counter[str] = Counter()
    for text, count in written.items():
        forms[_form(text)] += count
    if not 2 <= len(forms) <= MOST_CLASSES or FEWEST_EACH * len(forms) > len(gold):
        return None
    if not has_choices and all(canonical_number(text) is not None for text in written):
        return None
    spelled = {
        form: min((text for text in written if _form(text) == form), key=lambda text: (-written[text], text))
        for form in forms
    }
    return {form: spelled[form] for form, _ in sorted(forms.items(), key=lambda pair: (-pair[1], pair[0]))}


def _rows(table: pl.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_list() for name in columns), strict=True)


@functools.lru_cache(maxsize=65_536)
def _form(text: str) -> str:
    return canonical_text(text) or text


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """``gold``: class of each item; ``said``: draws x items, the class answered, one beyond the classes for another
    answer, two beyond for none, -1 where that draw did not have the item; ``classes``: how many.
    """

    gold: Codes
    said: Codes
    classes: int

    @staticmethod
    def of(tables: Sequence[pl.DataFrame], known: Mapping[str, str]) -> _Outcomes:
        codes = {form: code for code, form in enumerate(known)}
        columns: dict[str, int] = {}
        gold: list[int] = []
        for table in tables:
            for item, text in _rows(table, "item", "gold"):
                if item not in columns:
                    columns[item] = len(columns)
                    gold.append(codes[_form(text)])
        said = np.full((len(tables), len(columns)), -1, dtype=np.int64)
        for row, table in enumerate(tables):
            for item, answer, correct in _rows(table, "item", "answer", "correct"):
                column = columns[item]
                said[row, column] = gold[column] if correct else _code(answer, gold[column], codes)
        return _Outcomes(np.array(gold), said, len(codes))

    def only(self, row: int) -> _Outcomes:
        """One draw, without the items it did not have."""
        had = self.said[row] >= 0
        return _Outcomes(self.gold[had], self.said[row : row + 1, had], self.classes)

    def f1(self) -> Array:
        """F1 of each class, draws x classes; NaN for a class that none of the draw's items has."""
        return np.array([_f1(*_shares(self.gold, row, self.classes)) for row in self.said])

    def linear(self) -> Array:
        """Draws x items: values whose mean over a draw is its macro-F1 (NaN where it lacks the item)."""
        rows = []
        for said in self.said:
            had = said >= 0
            right, answered, is_gold = _indicators(self.gold[had], said[had], self.classes)
            f1 = _f1(right.sum(axis=0), answered.sum(axis=0), is_gold.sum(axis=0))
            present = ~np.isnan(f1)
            mass = (answered.sum(axis=0) + is_gold.sum(axis=0))[present]
            moves = (2 * right - np.where(present, f1, 0) * (answered + is_gold))[:, present] / mass
            row = np.full(len(said), np.nan)
            row[had] = f1[present].mean() + had.sum() * moves.mean(axis=1)
            rows.append(row)
        return np.array(rows)


def _code(answer: str | None, gold: int, codes: Mapping[str, int]) -> int:
    if answer is None:
        return len(codes) + 1
    code = codes.get(_form(answer), len(codes))
    return len(codes) if code == gold else code  # the task's own grading decides what is right


def _indicators(gold: Codes, said: Codes, classes: int) -> tuple[Array, Array, Array]:
    """Items x classes: right, answered, gold."""
    every = np.arange(classes)
    is_gold, answered = gold[:, None] == every, said[:, None] == every
    return (is_gold & answered).astype(float), answered.astype(float), is_gold.astype(float)


def _shares(gold: Codes, said: Codes, classes: int) -> tuple[Array, Array, Array]:
    had = said >= 0
    right, answered, is_gold = _indicators(gold[had], said[had], classes)
    return right.sum(axis=0), answered.sum(axis=0), is_gold.sum(axis=0)


def _f1(right: Array, answered: Array, is_gold: Array) -> Array:
    f1: Array = np.where(is_gold > 0, 2 * right / np.where(is_gold > 0, answered + is_gold, 1), np.nan)
    return f1


def _interval(values: Array, replicates: int, *, low: float = 0.0) -> Interval:
    """95 % interval of the mean of ``values`` (draws x items), cut at ``low`` and 1."""
    draws, items = values.shape
    if draws > 1:
        crossed = crossed_bootstrap([Block(values)], replicates)
        assert crossed is not None  # an arm holds at least one outcome
        ends = with_draws(crossed.interval(), draw_means(values))
    else:
        z = float(special.ndtri((1 + LEVEL) / 2))
        spread = float(values.std(ddof=1)) / math.sqrt(items) if items > 1 else 0.0
        # the least is the half-width of a score interval for a share of 0 or 1: equal values are no certainty
        half = max(spread * float(special.stdtrit(max(items - 1, 1), (1 + LEVEL) / 2)), z * z / (items + z * z))
        ends = float(values.mean()) - half, float(values.mean()) + half
    return max(low, ends[0]), min(1.0, ends[1])


def _classified(
    key: tuple[Any, ...], group: Sequence[Mapping[str, Any]], one: _Outcomes, known: Mapping[str, str], replicates: int
) -> Classified:
    model, stage, method, labels, task, shift = key
    classes = tuple(known.values())
    counts = np.zeros((len(classes), len(classes) + 2), dtype=np.int64)
    for said in one.said:
        np.add.at(counts, (one.gold[said >= 0], said[said >= 0]), 1)
    linear, by_class = one.linear(), one.f1()
    majority = one.gold == 0
    lead = np.where(one.said >= 0, (one.said == one.gold).astype(float) - majority, np.nan)
    return Classified(
        at=Setting(task, shift, model=model, stage=steps(stage), method=method, labels=labels),
        seeds=tuple(cell["seed"] for cell in group),
        said=Confusion(
            classes=classes,
            gold=tuple(int((one.gold == code).sum()) for code in range(len(classes))),
            counts=tuple(tuple(int(count) for count in row) for row in counts),
        ),
        f1=tuple(float(np.nanmean(by_class[:, code])) for code in range(len(classes))),
        macro_f1=float(np.nanmean(linear)),
        interval=_interval(linear, replicates),
        lead=float(np.nanmean(lead)),
        lead_interval=_interval(lead, replicates, low=-1.0),
    )


def _cell(one: _Outcomes, known: Mapping[str, str]) -> CellF1:
    values = one.linear()
    shares = np.bincount(one.gold, minlength=one.classes) / len(one.gold)
    most = int(shares.argmax())
    return CellF1(float(values.mean()), _interval(values, 0), float(shares[most]), list(known.values())[most])
