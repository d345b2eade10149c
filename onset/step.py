"""A step of a method, with settings of its own: how to ask, which demonstrations, which answer of several.

    prompt: cot                                       # the step called so, as it is by default
    prompt: {kind: generate-then-read, passages: 3}   # with its settings

A step is a class of frozen settings with a name (``kind``) in a table. Its `spec` holds what is set and nothing else,
so that a setting added later, left as it was by default, changes no cell's id.
"""

from __future__ import annotations

import difflib
import numbers
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from onset.errors import StudyError
from onset.registry import Registry

LARGEST = 2**63 - 1
"""The largest whole number that the tables of a results folder hold."""


def _strict(schema: Any, own: type[Settings]) -> Any:
    """``schema`` of ``own`` with every number in it checked; other models in it have checked theirs."""
    if isinstance(schema, list | tuple):
        return type(schema)(_strict(one, own) for one in schema)
    if not isinstance(schema, dict) or (schema.get("type") == "model" and schema["cls"] is not own):
        return schema
    if schema.get("type") == "int":
        bounds = {"ge": -LARGEST - 1} | ({} if "lt" in schema else {"le": LARGEST})
        return core_schema.no_info_before_validator_function(_whole, bounds | schema)
    if schema.get("type") == "float":
        return core_schema.no_info_before_validator_function(_real, schema)
    return {key: _strict(one, own) for key, one in schema.items()}


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError("expected a whole number")
    return int(value)


def _real(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError("expected a number")
    return value


class Settings(BaseModel):
    """What a study says of something: of the keys it has alone, and numbers where numbers are meant.

    ``true`` is no number, nor is a text of digits, and a whole number has no point and 64 bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = _strict(handler(source), cls)
        return schema


class Step(Settings):
    """Settings of one step. ``kind``: its name in the table; ``source``: the paper (or what else) it follows."""

    kind: ClassVar[str]
    source: ClassVar[str] = ""
    words: ClassVar[str] = ""
    """What it does, as a report says it: the end of "Prompt with ...", "demonstrations: ..." or "one answer: ..."."""
    paths: ClassVar[tuple[str, ...]] = ()
    """Settings that name files, relative to the study file."""

    models: ClassVar[tuple[str, ...]] = ()
    """Settings that name models: a hub id, or a folder relative to the study file."""

    def contents(self) -> Mapping[str, Any]:
        """Of each of `paths` and `models` that is set, a hash of what its files hold, which stands in a cell's id in
        its place: a file may move, and other contents are another method. Raises DataError or ModelError, in one line,
        for one that cannot be used.
        """
        return {}

    def set(self) -> dict[str, Any]:
        """What differs from the defaults, as plain JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def spec(self) -> Any:
        """The step as a study file writes it in the shortest way: its name, or a mapping of what is set."""
        settings = self.set()
        return {"kind": self.kind, **settings} if settings else self.kind

    def identity(self) -> Any:
        """`spec`, with what files hold in place of where they are. Raises DataError as `contents` does."""
        held = self.contents()
        return {**self.spec(), **held} if held else self.spec()

    def label(self) -> str:
        """Name and settings in one word: ``nearest-order3``."""
        named = {
            key: Path(value).stem if key in self.paths else Path(value).name if key in self.models else value
            for key, value in self.set().items()
        }
        return "-".join([self.kind, *(f"{key}{short(value)}" for key, value in named.items())])

    @classmethod
    def settings(cls) -> list[str]:
        """What may be set, with the default of each: ``samples=N (20)``."""
        said = []
        for name, one in cls.model_fields.items():
            default = "needed" if one.is_required() else f"{_plain(one.default)}"
            said.append(f"{name}={_type_words(one.annotation)} ({default})")
        return said


def read_step(table: Registry, value: Any, where: str) -> Any:
    """The step that ``value`` names: a name of ``table``, a mapping with ``kind`` and settings, or a step as it is.

    ``where`` begins the error's line (``method: 'prompt'``). Raises UnknownName for a name that is in no table,
    StudyError for settings that do not validate.
    """
    if isinstance(value, Step):
        return value
    settings = dict(value) if isinstance(value, Mapping) else {"kind": value}
    kind = settings.pop("kind", None)
    if not isinstance(kind, str):
        raise StudyError(f"{where}: expected one of {', '.join(table)}, or a mapping with 'kind' (received {value!r})")
    return read_settings(table, kind, settings, where)


def read_settings(table: Registry, kind: str, settings: Mapping[str, Any], where: str) -> Any:
    """The step of ``table`` that is called ``kind``, with ``settings``, none of which names another. Raises as
    `read_step`.
    """
    step: type[Step] = table.load(kind)
    try:
        return step.model_validate(settings)
    except ValidationError as error:
        raise StudyError(f"{where}, {kind}: {_one_line(error, step)}") from None


def _one_line(error: ValidationError, step: type[Step]) -> str:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    place, known = ".".join(keys), list(step.model_fields)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(place, known, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        return f"unknown setting '{place}': {hint}Known: {', '.join(known) or 'none'}"
    if first["type"] == "missing":
        return f"'{place}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"'{place}': {message} (received {first['input']!r})" if place else message


def short(value: Any) -> str:
    """A setting's value as a part of a name: letters, digits and ``._+-``."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return "".join(one for one in text if one.isalnum() or one in "._+-")[:24]


def _plain(value: Any) -> str:
    if value is None:
        return "unset"
    return f"{value:g}" if isinstance(value, float) else str(value) if value != "" else "none"


_WORDS = {int: "N", float: "X", str: "TEXT", bool: "true|false"}


def _type_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if get_origin(kind) in (Union, types.UnionType):
        return "|".join(_type_words(one) for one in get_args(kind) if one is not type(None))
    return _WORDS.get(kind, "LIST" if get_origin(kind) in (tuple, list) else "VALUE")
