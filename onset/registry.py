"""One lazy table: name -> "module:object".

Importing Onset imports nothing heavy: an entry is resolved when it is first used. Adding a task, a
method or a shift is one file plus one line in its table.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onset.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a table: where the object lives (``package.module:attribute``) and one line about it."""

    target: str
    summary: str

    def load(self) -> Any:
        """Import and return the object."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


class Registry(Mapping[str, Entry]):
    """A table of one kind of thing; unknown names raise `UnknownName` with a did-you-mean."""

    def __init__(self, kind: str, entries: Mapping[str, Entry]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownName(self.kind, name, self._entries) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def load(self, name: str) -> Any:
        """Resolve ``name`` to its object. Raises `UnknownName`."""
        return self[name].load()
