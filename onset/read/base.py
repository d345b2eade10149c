"""What readers share on the way to `onset.analysis.outcomes.Outcomes`: how one model did on one task, item by item.

Readers never choose: a source with two filters and three metrics gives six `Outcomes`, and
`onset.analysis.outcomes.choosing` says which one is used and why.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from onset.analysis.outcomes import Outputs, Text
from onset.analysis.setting import Setting
from onset.errors import DataError
from onset.models.families import family_of
from onset.records import content_hash
from onset.untrusted import fault, halved, loads, printable, whole


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the user says of models: ``params`` by model name, and one ``family`` for all (None: from the names)."""

    params: Mapping[str, float] = field(default_factory=dict)
    family: str | None = None

    def of(self, model: str, stated: Any) -> float | None:
        """The size of ``model``: what the user says, else what the source states, else None."""
        value = self.params.get(model, stated)
        return float(value) if is_number(value) and value > 0 else None

    def family_of(self, model: str) -> str:
        """The family: what the user says, else the name without its size (``pythia`` of ``pythia-70m``)."""
        return self.family if self.family is not None else family_of(model, "").removeprefix(":") or model

    def at(
        self, task: str, model: str, stated: Any, *, family: str | None = None, method: str | None = None
    ) -> Setting:
        """The setting of ``model`` on ``task``, whose source states a size, perhaps a ``family`` and a ``method``."""
        named = family if family is not None and self.family is None else self.family_of(model)
        params = self.of(model, stated)
        task, model, named = (_in_a_line(name) for name in (task, model, named))
        return Setting(task, model=model, family=named, params=params, method=method and _in_a_line(method))


def _in_a_line(name: str) -> str:
    """A name of somebody's log as it can stand in a table, a chart and a terminal."""
    return printable(" ".join(name.split()) if any(one in name for one in "\n\t\r") else name)


@dataclass(slots=True)
class ItemRow:
    """One item of one draw, on its way into `Outcomes`."""

    key: str
    value: float
    target: str | None = None
    prompt: str | None = None
    status: str | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    text: Text | None = None


def tabulate(draws: Mapping[int, Sequence[ItemRow]], source: str) -> dict[str, Any]:
    """The fields of `Outcomes` that hold items, from the rows of each draw.

    Raises DataError when draws disagree on the target of an item, or an item is twice in one draw.
    """
    targets: dict[str, str | None] = {}
    for rows in draws.values():
        for row in rows:
            if targets.setdefault(row.key, row.target) != row.target:
                raise DataError(f"{source}: item {row.key} has different targets in different draws")
    place = {key: column for column, key in enumerate(targets)}
    shape = (len(draws), len(place))
    values = np.full(shape, np.nan)
    names = sorted({name for rows in draws.values() for row in rows for name in row.scores})
    scores = {name: np.full(shape, np.nan) for name in names}
    prompts: list[list[str | None]] = [[None] * len(place) for _ in draws]
    statuses: list[list[str | None]] = [[None] * len(place) for _ in draws]
    texts: list[list[Text | None]] = [[None] * len(place) for _ in draws]
    for line, rows in enumerate(draws.values()):
        if len({row.key for row in rows}) < len(rows):
            raise DataError(f"{source}: item {_repeated(row.key for row in rows)} appears more than once")
        for row in rows:
            column = place[row.key]
            values[line, column] = row.value
            prompts[line][column], statuses[line][column], texts[line][column] = row.prompt, row.status, row.text
            for name, score in row.scores.items():
                scores[name][line, column] = np.nan if score is None else score
    return {
        "draws": tuple(draws),
        "items": tuple(place),
        "values": values,
        "targets": tuple(targets.values()),
        "outputs": Outputs(
            prompts=tuple(tuple(line) for line in prompts),
            statuses=tuple(tuple(line) for line in statuses),
            texts=tuple(map(tuple, texts)) if any(row.text for rows in draws.values() for row in rows) else (),
            scores={name: table for name, table in scores.items() if np.isfinite(table).any()},
        ),
    }


def _repeated(keys: Iterable[str]) -> str:
    return Counter(keys).most_common(1)[0][0]


def written_gold(target: Any) -> str:
    """The right answer as people read it; several of them ("Paris; City of Light")."""
    return "; ".join(map(str, target)) if isinstance(target, list) else str(target)


def numbered(keys: Iterable[str]) -> tuple[list[str], int]:
    """Keys made different: the second ``k`` becomes ``k#2``; with the number of keys that were there before."""
    seen: Counter[str] = Counter()
    out = []
    for key in keys:
        seen[key] += 1
        out.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return out, sum(count - 1 for count in seen.values())


def read_text(path: Path) -> str:
    """The text of a file; DataError, with the path, when there is none or it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"no file '{path}'") from None
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"cannot read '{path}': not UTF-8 text") from None


def parse_json(text: str | bytes, where: str) -> Any:
    """``text`` as JSON (``NaN`` is allowed: some tools write it); DataError that begins with ``where``.

    Half a surrogate pair is refused, and replaced in what a model wrote (``prediction``).
    """
    try:
        held = loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({fault(error)})") from None
    if halved(text, held):
        if isinstance(held, dict) and "prediction" in held:
            held["prediction"] = whole(held["prediction"])
        if halved(text, held):
            raise DataError(f"{where}: holds half a surrogate pair, which is no character (such as \\ud800 alone)")
    return held


_JSON = {dict: "an object", list: "a list", str: "a text", int: "a whole number", NoneType: "null"}


def expect(value: Any, shape: Any, where: str, key: str) -> None:
    """Raises DataError, with ``where`` and the key, for a JSON value that is not of a ``shape``, which is

    | shape | what is allowed |
    |---|---|
    | a type of `_JSON` | a value of it (``int``: neither true nor false) |
    | ``(shape, shape)`` | one of them |
    | ``[shape]`` | a list of such values |
    | ``{name: shape}`` | an object of which these keys, where they are there, have such values; ``*``: any other key |
    """
    allowed = shape if isinstance(shape, tuple) else (shape,)
    kinds = [type(one) if isinstance(one, dict | list) else one for one in allowed]
    if type(value) not in kinds:
        found = _JSON[type(value)] if isinstance(value, dict | list | None) else printable(json.dumps(value))[:40]
        raise DataError(f"{where}: expected {' or '.join(_JSON[one] for one in kinds)} as {key}, found {found}")
    inner = allowed[kinds.index(type(value))]
    if isinstance(inner, list):
        for place, one in enumerate(value):
            expect(one, inner[0], where, f"{key}[{place}]")
    elif isinstance(inner, dict):
        for name, one in value.items():
            if (of := inner.get(name, inner.get("*"))) is not None:
                expect(one, of, where, f"{key}.{printable(name)}".removeprefix("."))


def check_columns(path: Path, names: Sequence[str]) -> None:
    """Raises DataError for a column that a table has twice; one without a name may be."""
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: two columns are called '{twice}'")


def json_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON-lines file with their line numbers, from 1.

    Raises DataError, with the line, for one that is no object, and for a file without any.
    """
    out = []
    for number, line in enumerate(read_text(path).rstrip().split("\n"), 1):
        where = f"{path}, line {number}"
        if not line.strip():
            raise DataError(f"{where}: expected a JSON object, found an empty line")
        row = parse_json(line, where)
        if not isinstance(row, dict):
            raise DataError(f"{where}: expected a JSON object, found {type(row).__name__}")
        out.append((number, row))
    return out


_UNSAFE = re.compile(r'["<>:/|\\?*\[\]\s]+')
"""What lm-evaluation-harness replaces in names of files, and spaces."""
_LONGEST = 120


def safe(name: str) -> str:
    """``name`` as a part of a path: no separator, no control character, no folder above. One that is too long for a
    file, or nothing but dots, gets a hash in place of its end.
    """
    made = _UNSAFE.sub("__", printable(name))
    if len(made.encode()) > _LONGEST or not made.strip("."):
        return f"{made.encode()[: _LONGEST - 17].decode(errors='ignore').strip('.')}-{content_hash(name)}"
    return made


def is_number(value: Any) -> bool:
    """A number (or ``NaN``) that is no truth value, not infinite, and no longer than 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not math.isinf(value) if isinstance(value, float) else abs(value) < 2**63
