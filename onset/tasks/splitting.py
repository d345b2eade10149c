"""One set of labelled rows cut into a pool and a test set, by the hash of what a row says.

The order of rows and the format of the file play no part. Within each label (where the answers are few, else over all
rows) the rows are put in the order of a seeded hash of their question, and the first of them, as many as the share asks
for, are test items: a row that is added to the file moves at most one other row of its label to the other side. Near
duplicates stay together: a copy on either side would give the answer away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from onset.errors import DataError
from onset.records import Item, content_hash
from onset.tasks.checks import Split, question_key

FEW_ANSWERS = 20
"""Different answers up to which each is a label of its own in the split."""


def has_few_answers(items: Sequence[Item]) -> bool:
    """Are the answers labels? At most `FEW_ANSWERS` of them, five items or more to each on average, and no item with
    several right ones.
    """
    if any(item.others for item in items):
        return False
    different = len({item.answer for item in items})
    return different <= FEW_ANSWERS and 5 * different <= len(items)


def cut(rows: Split, share: float, seed: int, bound: Sequence[int], *, task: str) -> tuple[Split, Split]:
    """``rows`` as train and test, both in file order; ``share`` (0..1) of each label's rows, rounded, are test items.

    ``bound``: for each row the place of the first row it has to stay with (its own place: none before it). Rows bound
    together go where the first of them in hash order goes, to the test set only where it has room for all of them.
    Raises DataError where a side would be empty.
    """
    labels = [item.answer for item in rows.items] if has_few_answers(rows.items) else [""] * len(rows.items)
    members: dict[int, list[int]] = {}
    for place, first in enumerate(bound):
        members.setdefault(first, []).append(place)
    keys = [content_hash(["split", seed, *question_key(item)], 64) for item in rows.items]
    groups = sorted(members.values(), key=lambda group: min(keys[place] for place in group))
    wanted = {label: round(share * count) for label, count in Counter(labels).items()}
    chosen: set[int] = set()
    for group in groups:
        need = Counter(labels[place] for place in group)
        if all(wanted[label] >= count for label, count in need.items()):
            chosen.update(group)
            wanted = {label: left - need[label] for label, left in wanted.items()}
    for name, count in (("test", len(chosen)), ("train", len(rows.items) - len(chosen))):
        if not count:
            raise DataError(
                f"task '{task}': 'test: {share:g}' of the {len(rows.items)} rows of {rows.path} leaves none for {name}"
            )
    everywhere = range(len(rows.items))
    return rows.only("train", [p for p in everywhere if p not in chosen]), rows.only("test", sorted(chosen))
