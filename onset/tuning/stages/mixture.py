r"""Several sources of examples, mixed: how many rows of each, and in which words.

    data:
      - {file: flan.jsonl, cap: 3000, templates: ["{prompt}\n{completion}", "Task: {prompt}\n{completion}"]}
      - {file: code.jsonl, share: 0.25}

Sources are drawn from in proportion to their rows, of which at most ``cap`` count (examples-proportional mixing with an
artificial limit, Raffel et al. 2020, arXiv 1910.10683, section 3.5.2; with templates, Wei et al. 2021, arXiv
2109.01652), or as much as ``share`` says. A row is not drawn again before every other row of its source was.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from onset.errors import DataError
from onset.step import Settings
from onset.tuning.base import Example

_PLACE = re.compile(r"\{(prompt|completion)\}")


class Source(Settings):
    """One source of a mixture: a ``file``, or the labelled pool of a ``task``.

    ``share``: how much of all rows it gets (above 0, at most 1), or ``cap``: the most rows of it that count;
    ``templates``: in which words, one drawn for each row, with the places ``{prompt}`` and, behind it,
    ``{completion}``, from which on everything is learnt.
    """

    file: str | None = Field(default=None, min_length=1)
    task: str | dict[str, Any] | None = None
    share: float | None = Field(default=None, gt=0, le=1)
    cap: int | None = Field(default=None, ge=1)
    templates: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As messages and reports call it."""
        if self.file is not None:
            return self.file
        return str(self.task["name"] if isinstance(self.task, Mapping) and "name" in self.task else self.task)

    @property
    def short(self) -> str:
        """Its name without the folders, which may be others tomorrow: what a report holds."""
        return self.name if self.file is None else Path(self.file).name

    def said(self) -> dict[str, Any]:
        """What is set of it, as plain JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


def sources(value: Any) -> Any:
    """``data`` of a recipe: a file by its name, as it is; a mapping or a list as a tuple of `Source`. Raises ValueError
    in one line.
    """
    if isinstance(value, str):
        return value
    listed = [value] if isinstance(value, Mapping | Source) else value
    if not isinstance(listed, list | tuple) or not listed:
        raise ValueError("expected a file, or a list of sources, {file: ..., share or cap: ..., templates: [...]}")
    return tuple(_source({"file": one} if isinstance(one, str) else one, at) for at, one in enumerate(listed, 1))


def _source(value: Any, at: int) -> Source:
    try:
        one = Source.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ValueError(f"source {at} has no setting '{place}', it has {', '.join(Source.model_fields)}") from None
        raise ValueError(f"source {at}, '{place}': {first['msg'].removeprefix('Value error, ')}") from None
    if (one.file is None) == (one.task is None):
        raise ValueError(f"source {at} needs either 'file' or 'task'")
    if one.share is not None and one.cap is not None:
        raise ValueError(f"source {at} has a 'share' and a 'cap'; it can have one of them")
    for template in one.templates:
        if [*_PLACE.findall(template)].count("completion") != 1 or not template.partition("{completion}")[0].count(
            "{prompt}"
        ):
            raise ValueError(
                f"source {at}: template {template!r} needs the place {{prompt}} and, behind it, {{completion}}"
            )
    return one


def rates(listed: Sequence[Source], sizes: Sequence[int], *, equal: bool = False) -> list[float]:
    """The share of all rows that each source gets; they sum to 1. ``sizes``: rows of each; ``equal``: sources without a
    ``share`` get as much as each other, whatever their size. Raises DataError where the shares cannot be kept.
    """
    given = sum(one.share or 0.0 for one in listed)
    free = [at for at, one in enumerate(listed) if one.share is None]
    if given > 1 + 1e-9 or (free and given > 1 - 1e-9) or (not free and given < 1 - 1e-9):
        allowed = "less than 1, since others have none" if free else "1"
        raise DataError(f"stage mixture: the shares of its sources sum to {given:g}, they must sum to {allowed}")
    weights = {at: 1.0 if equal else float(min(sizes[at], listed[at].cap or sizes[at])) for at in free}
    total = sum(weights.values())
    return [one.share if one.share is not None else (1 - given) * weights[at] / total for at, one in enumerate(listed)]


def apportioned(shares: Sequence[float], rows: int) -> list[int]:
    """``rows`` in whole numbers by ``shares``: the largest remainders are rounded up."""
    exact = [share * rows for share in shares]
    counts = [int(one) for one in exact]
    order = sorted(range(len(shares)), key=lambda at: counts[at] - exact[at])
    for at in order[: rows - sum(counts)]:
        counts[at] += 1
    return counts


def drawn(rows: Sequence[Example], source: Source, count: int, seed: str) -> list[Example]:
    """``count`` of ``rows``: in rounds that visit every row once, in an order and in words drawn from ``seed``."""
    generator = random.Random(seed)
    out: list[Example] = []
    while len(out) < count:
        order = list(range(len(rows)))
        generator.shuffle(order)
        for at in order[: count - len(out)]:
            words = generator.choice(source.templates) if source.templates else None
            out.append(rows[at] if words is None else worded(rows[at], words))
    return out


def worded(row: Example, template: str) -> Example:
    """``row`` in the words of ``template``: what stands behind its prompt is learnt from the completion's place on."""
    before, _, after = template.partition("{completion}")
    asked = before.replace("{prompt}", row.prompt)
    bare = asked.rstrip()
    return Example(bare, (asked[len(bare) :] or " ") + row.completion.strip() + after)
