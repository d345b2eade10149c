"""The user's own task: JSON lines with a question and an answer.

    {"question": "Where is my parcel?", "answer": "shipping", "choices": ["shipping", "refund"]}

``question`` and ``answer`` (text or number) are required; ``rationale`` (worked steps without the final
answer), ``choices`` (at least two, on every item or on none) and ``context`` may be there. Other keys whose
value is text or a number are kept as facts of the item.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from onset.answers import ChoiceFormat, NumberFormat, TextFormat
from onset.errors import DataError
from onset.prompting.base import STOP, answer_text
from onset.records import Item
from onset.shifts import SHIFTS
from onset.tasks.base import Ability, AnswerFormat, Task
from onset.tasks.checks import Duplicates, Split, settle
from onset.tasks.generated import token_limit, whole

FormatName = Literal["number", "choice", "text"]
FORMATS: Mapping[str, type[NumberFormat] | type[ChoiceFormat] | type[TextFormat]] = {
    "number": NumberFormat,
    "choice": ChoiceFormat,
    "text": TextFormat,
}

_COLUMNS = ("question", "answer", "rationale", "choices", "context")
_NUMBER = re.compile(r"[-+]?\$?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?%?|[-+]?\d+/\d+")


def answer_format(*, choices: bool = False) -> AnswerFormat:
    """A short text, or one of the item's choices where it has some."""
    return ChoiceFormat() if choices else TextFormat()


def load(  # noqa: PLR0913 - each is a key of the study file, most are rarely given
    *,
    name: str = "own",
    train: str | Path,
    test: str | Path,
    test_sets: Mapping[str, str | Path] | None = None,
    format: FormatName | None = None,
    chance: float | None = None,
    instruction: str = "",
    ability: Ability = "own",
    duplicates: Duplicates = "refuse",
    empty: Literal["refuse", "drop"] = "refuse",
    answer_tokens: int | None = None,
    rationale_tokens: int | None = None,
) -> list[Task]:
    """The task in ``train`` and ``test``; ``test_sets`` names further test files, chosen as a shift.

    ``format`` is ``choice`` when every item has choices, ``number`` when every answer is a number, ``text``
    otherwise, unless given. ``chance`` (0..1) is the mean of 1 / choices over the test items, 0 without choices,
    unless given. ``duplicates`` and overlap: see `onset.tasks.checks.settle`. ``empty: drop`` leaves out
    rows whose question is empty. The token limits follow the longest answer and rationale of ``train``
    (at least 24 and 256) unless given. What was dropped is said in ``Task.source``.

    Raises DataError, with file and line, for a missing file, a row that is no JSON object or lacks a
    column, an answer that is not among the choices or that the format cannot read back, an empty split,
    duplicates and overlap.
    """
    _check_words(name, ability, format, empty, instruction)
    files = {"train": train, "test": test, **_named_files(name, test_sets)}
    notes: list[str] = []
    read = [_read(name, split, str(path), empty, notes) for split, path in files.items()]
    splits, dropped = settle(read[0], read[1:], task=name, duplicates=duplicates)
    for split in splits:
        if not split.items:
            raise DataError(f"task '{name}': {split.path}: {split.name} is empty once duplicates are dropped")
    pool = splits[0].items
    chosen = _format(name, splits, format)
    return [
        Task(
            name=name,
            ability=ability,
            pool=pool,
            test=splits[1].items,
            format=chosen,
            chance=_chance(name, splits[1].items, chance),
            source="; ".join([*(f"{split.path}: {len(split.items)} items" for split in splits), *notes, *dropped]),
            instruction=instruction,
            answer_tokens=_limit(name, "answer_tokens", answer_tokens, 24, [item.answer for item in pool]),
            rationale_tokens=_limit(name, "rationale_tokens", rationale_tokens, 256, [i.rationale or "" for i in pool]),
            test_sets=tuple((split.name, split.items) for split in splits[2:]),
        )
    ]


def _check_words(name: object, ability: object, format: object, empty: object, instruction: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"a task of your own needs a name, not {name!r}")
    for key, value, allowed in (
        ("ability", ability, get_args(Ability)),
        ("format", format, (None, *FORMATS)),
        ("empty", empty, ("refuse", "drop")),
    ):
        if value not in allowed:
            words = ", ".join(str(word) for word in allowed if word is not None)
            raise DataError(f"task '{name}': {key} must be one of {words}, not {value!r}")
    if not isinstance(instruction, str):
        raise DataError(f"task '{name}': instruction must be text, not {instruction!r}")


def _named_files(name: str, test_sets: Mapping[str, str | Path] | None) -> dict[str, str | Path]:
    if test_sets is None:
        return {}
    if not isinstance(test_sets, Mapping):
        raise DataError(f"task '{name}': test_sets must map names to files, not {test_sets!r}")
    for shift in test_sets:
        if shift in SHIFTS or shift in ("train", "test"):
            raise DataError(f"task '{name}': a test set cannot be called '{shift}', that name is taken")
    return dict(test_sets)


def _limit(name: str, key: str, given: int | None, least: int, texts: Sequence[str]) -> int:
    """The limit given, or one that holds the longest text, at least ``least`` tokens."""
    if given is not None:
        return whole(name, key, given, 1, 1_000_000)
    longest = max(map(len, texts))
    return max(least, token_limit(longest)) if longest > least else least


def _chance(name: str, test: Sequence[Item], given: float | None) -> float:
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
            raise DataError(f"task '{name}': chance must be from 0 to 1, not {given!r}")
        return float(given)
    return math.fsum(1 / len(item.choices) if item.choices else 0.0 for item in test) / len(test)


def _format(name: str, splits: Sequence[Split], given: FormatName | None) -> AnswerFormat:
    """The answer format; raises DataError where items do not fit it."""
    rows = [(split, line, item) for split in splits for line, item in zip(split.lines, split.items, strict=True)]
    with_choices = bool(rows[0][2].choices)
    for split, line, item in rows:
        if bool(item.choices) != with_choices:
            has, others = ("choices", "none") if item.choices else ("no choices", "choices")
            _refuse(name, split.path, line, f"this item has {has}, the first item of {splits[0].name} has {others}")
    if given == "choice" and not with_choices:
        raise DataError(f"task '{name}': format 'choice' needs choices on every item, {splits[0].path} has none")
    numbers = all(_NUMBER.fullmatch(item.answer) for _, _, item in rows)
    chosen = FORMATS[given or ("choice" if with_choices else "number" if numbers else "text")]()
    for split, line, item in rows:
        told = answer_text(item, rationale=bool(item.rationale))
        stop = next((one for one in STOP if one in told), None)
        if stop:
            _refuse(name, split.path, line, f"answer or rationale holds {stop!r}, which ends an answer in every prompt")
        # a gold answer that its own format cannot read would count every prediction as wrong, in silence
        try:
            read = chosen.correct(chosen.extract(answer_text(item, rationale=False), item), item)
        except DataError as error:
            _refuse(name, split.path, line, str(error))
        if not read:
            kind = type(chosen).__name__
            _refuse(name, split.path, line, f"{kind} cannot read the answer {_short(item.answer)} back from a text")
    return chosen


def _read(name: str, split: str, path: str, empty: str, notes: list[str]) -> Split:
    """All items of a file."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise DataError(f"task '{name}': no file '{path}' for {split}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"task '{name}': cannot read '{path}' for {split}: {reason}") from None
    items: list[Item] = []
    at: list[int] = []
    without_question = 0
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        row = _row(name, path, line, text)
        if empty == "drop" and isinstance(row.get("question"), str) and not row["question"].strip():
            without_question += 1
            continue
        items.append(_item(name, path, line, row))
        at.append(line)
    if not items:
        raise DataError(f"task '{name}': {path}: {split} is empty, at least one row is needed")
    if without_question:
        notes.append(f"{without_question} without a question dropped from {split}")
    return Split(split, path, tuple(items), tuple(at))


def _row(name: str, path: str, line: int, text: str) -> dict[str, Any]:
    def no_constant(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON number")

    try:
        row = json.loads(text, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        _refuse(name, path, line, f"not JSON ({error.msg} at column {error.colno})")
    except ValueError as error:
        _refuse(name, path, line, f"not JSON ({error})")
    if not isinstance(row, dict):
        _refuse(name, path, line, f"expected a JSON object, found {_kind(row)}")
    return row


def _item(name: str, path: str, line: int, row: Mapping[str, Any]) -> Item:
    for column in ("question", "answer"):
        if column not in row:
            found = ", ".join(sorted(row)) or "none"
            _refuse(name, path, line, f"expected column '{column}', found columns: {found}")
    answer = row["answer"]
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        answer = str(answer)
    choices = _choices(name, path, line, row.get("choices"))
    item = Item(
        question=_text(name, path, line, "question", row["question"]),
        answer=_text(name, path, line, "answer", answer),
        rationale=_optional(name, path, line, "rationale", row.get("rationale")),
        choices=choices,
        context=_optional(name, path, line, "context", row.get("context")),
        meta={key: value for key, value in row.items() if key not in _COLUMNS and isinstance(value, str | int | float)},
    )
    if choices is not None and item.answer not in choices:
        _refuse(name, path, line, f"answer {_short(item.answer)} is not among the choices: {'; '.join(choices)}")
    return item


def _choices(name: str, path: str, line: int, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) < 2:
        _refuse(name, path, line, f"choices must be a list of at least two, found {_short(value)}")
    numbered = [str(choice) if isinstance(choice, int | float) else choice for choice in value]
    choices = tuple(_text(name, path, line, "choices", choice) for choice in numbered)
    if len(set(choices)) < len(choices):
        _refuse(name, path, line, f"choices must differ, found {_short(value)}")
    return choices


def _text(name: str, path: str, line: int, column: str, value: object) -> str:
    if not isinstance(value, str):
        _refuse(name, path, line, f"{column} must be text, found {_kind(value)}")
    if not value.strip():
        hint = "; write 'empty: drop' to leave such rows out" if column == "question" else ""
        _refuse(name, path, line, f"{column} is empty{hint}")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON can escape half a surrogate pair, which no file and no hash can hold
        _refuse(name, path, line, f"{column} holds half a surrogate pair at character {error.start + 1}")
    return value.strip()


def _optional(name: str, path: str, line: int, column: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _text(name, path, line, column, value)


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else kinds[type(value)]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse(name: str, path: str, line: int, what: str) -> NoReturn:
    raise DataError(f"task '{name}': {path}, line {line}: {what}")
