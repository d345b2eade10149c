"""What tasks made of a table's rows have in common, whoever named the columns: a file cut in two, answers that the
format reads back, limits of tokens, and the chance level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from onset.answers import OpenFormat
from onset.errors import DataError
from onset.prompting.text import STOP, answer_text
from onset.records import Item
from onset.tasks.base import AnswerFormat
from onset.tasks.checks import Duplicates, NearDuplicates, Split, without_duplicates
from onset.tasks.generated import token_limit, whole
from onset.tasks.near import Sketch, clusters
from onset.tasks.splitting import cut, has_few_answers
from onset.tasks.tables import listed, refuse, short


def cut_rows(
    name: str,
    rows: Split,
    share: object,
    seed: int,
    duplicates: Duplicates,
    near_duplicates: NearDuplicates,
    notes: list[str],
) -> tuple[Split, Split]:
    """The rows of one file as train and test, near duplicates on one side unless they are allowed on both."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise DataError(f"task '{name}': test must be a file, or the share of the rows to test on (0.3), not {share!r}")
    rows, dropped = without_duplicates(rows, task=name, duplicates=duplicates)
    notes += dropped
    alone = tuple(range(len(rows.items)))
    bound = alone if near_duplicates == "allow" else clusters([Sketch(item) for item in rows.items])
    return cut(rows, share, seed, bound, task=name)


def unmet(train: Split, test: Split, share: float) -> list[str]:
    """What a cut could not give: as many test items as asked, some of each answer where the answers are few."""
    every = [*train.items, *test.items]
    lines = []
    if len(test.items) < 0.9 * round(share * len(every)):
        lines.append(
            f"{len(test.items)} of {len(every)} rows are test items, fewer than 'test: {share:g}' asks for: near "
            "duplicates stay on one side"
        )
    gone = sorted({item.answer for item in train.items} - {item.answer for item in test.items})
    if gone and has_few_answers(every):
        lines.append(f"no test item has the answer {listed(gone)}")
    return lines


def check_filled(name: str, splits: Sequence[Split], dropped: str) -> None:
    """Raises DataError where a split is empty once ``dropped`` are dropped."""
    for split in splits:
        if not split.items:
            raise DataError(f"task '{name}': {split.path}: {split.name} is empty once {dropped} are dropped")


def limit_of(name: str, key: str, given: int | None, least: int, texts: Sequence[str]) -> int:
    """The limit given, or one that holds the longest text, at least ``least`` tokens."""
    if given is not None:
        return whole(name, key, given, 1, 1_000_000)
    longest = max(map(len, texts))
    return max(least, token_limit(longest)) if longest > least else least


def chance_of(name: str, test: Sequence[Item], given: float | None) -> float:
    """The chance given, or the mean of 1 / choices over the test items (0 without choices)."""
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1:
            raise DataError(f"task '{name}': chance must be from 0 to below 1, not {given!r}")
        return float(given)
    return math.fsum(1 / len(item.choices) if item.choices else 0.0 for item in test) / len(test)


def readable(
    name: str, splits: Sequence[Split], chosen: AnswerFormat, unreadable: str
) -> tuple[list[Split], list[str], list[str]]:
    """The splits with the rows whose right answer can be read back from a text; a line on each split that lost rows,
    and one on each in which some of an item's right answers cannot be.

    A gold answer that its own format cannot read would count every prediction as wrong, in silence. Raises DataError
    at the first such row, unless they are dropped, and where the format refuses an answer.
    """
    kept, dropped, partly = [], [], []
    for split in splits:
        keep: list[int] = []
        lost: list[tuple[str, str]] = []
        for place, item in enumerate(split.items):
            where = split.place(place)
            try:
                unread = _unread(item, chosen)
            except DataError as error:
                refuse(name, split.path, where, str(error))
            what = _unreadable(item, unread, chosen)
            if what is None:
                keep.append(place)
                lost += [(where, one) for one in unread]
            elif unreadable == "refuse":
                hint = "; write 'unreadable: drop' to leave such rows out" if isinstance(chosen, OpenFormat) else ""
                refuse(name, split.path, where, what + hint)
        gone = len(split.items) - len(keep)
        kept.append(split.only(split.name, keep) if gone else split)
        if gone:
            dropped.append(f"{gone} whose answer cannot be read back dropped from {split.name}")
        if lost:
            verb = "right answer cannot" if len(lost) == 1 else "right answers cannot"
            partly.append(
                f"{len(lost)} {verb} be read back from a text of {split.name}, others of the same items can (first "
                f"{lost[0][0]}, {short(lost[0][1])})"
            )
    return kept, dropped, partly


def _unread(item: Item, chosen: AnswerFormat) -> list[str]:
    """The right answers of ``item`` that ``chosen`` does not read back from a text that states them."""
    single = [replace(item, answer=one, others=()) for one in item.golds]
    texts = [answer_text(one, rationale=False) for one in single]
    return [
        one.answer
        for one, text in zip(single, texts, strict=True)
        if not chosen.score(chosen.extract(text, one), one).correct or (item.others and _stop(text))
    ]


def _unreadable(item: Item, unread: Sequence[str], chosen: AnswerFormat) -> str | None:
    """Why nothing that a model writes could be right, or the item be shown; None where it can."""
    if stop := _stop(answer_text(item, rationale=bool(item.rationale))):
        return f"answer or rationale holds {stop!r}, which ends an answer in every prompt"
    if len(unread) < len(item.golds):
        return None
    read = f"{short(item.answer)}" if not item.others else f"{short(item.answer)} or any other right one"
    return f"{type(chosen).__name__} cannot read the answer {read} back from a text"


def _stop(text: str) -> str | None:
    return next((one for one in STOP if one in text), None)
