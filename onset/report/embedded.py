"""What the page's script reads: JSON in script elements, packed where there is much of it; and the rows of its table of
cells, where there are more than a page should carry.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from onset.analysis.outcomes import KEY

PLAIN = 4_000_000
"""Characters of JSON that stand in the page as they are. Charts of a large study have ten times as many and say much
the same: packed they are a tenth.
"""

MOST_ROWS = 3_000
"""Rows of the table of cells, of 1.4 KB each; but one of each way of asking."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The ``text`` of a script element, of the ``type`` by which templates/address.js knows how it is to be read."""

    text: Markup
    type: str


def embedded(value: Any) -> Markup:
    """JSON that may stand inside a script element: no ``<`` is left in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def packed_if_large(value: Any, plain: int = PLAIN) -> Embedded:
    """`embedded`, or base64 of the same gzipped where it has more than ``plain`` characters."""
    text = embedded(value)
    if len(text) <= plain:
        return Embedded(text, "application/json")
    packed = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0))
    return Embedded(Markup(packed.decode("ascii")), "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Rows:
    """The ``cells`` that have a row, of ``total``; ``draws``: how many of each way of asking at most, None: all."""

    cells: Sequence[Mapping[str, Any]]
    total: int
    draws: int | None


def rows_of(cells: Sequence[Mapping[str, Any]], most: int = MOST_ROWS) -> Rows:
    """The first draws of each way of asking, equally many of all, at least one, that are ``most`` rows together."""
    if len(cells) <= most:
        return Rows(cells, len(cells), None)
    counts: Counter[tuple[Any, ...]] = Counter()
    place = []
    for cell in cells:
        key = tuple(cell[name] for name in KEY)
        counts[key] += 1
        place.append(counts[key])
    fitting = [draws for draws in range(1, max(place)) if sum(one <= draws for one in place) <= most]
    draws = max(fitting, default=1)
    kept = [cell for cell, one in zip(cells, place, strict=True) if one <= draws]
    return Rows(kept, len(cells), None if len(kept) == len(cells) else draws)
