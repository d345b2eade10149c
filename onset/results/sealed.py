"""Files that say by which format they are written, and show that nothing of them was lost or changed.

A JSON file has ``format`` as its first member and ``digest`` as its last: the SHA-256 of all bytes before the line of
the digest. A file of JSON lines begins with a line of its own, ``{"digest", "format", "lines"}``: the SHA-256 of all
bytes after that line, and how many lines they are. Both stay what they were to other tools: JSON, and JSON lines.
Files of formats 1 and 2 have neither member, and are read as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from onset.errors import Damaged
from onset.records import canonical_json

FORMAT = 3
"""The format that is written."""

_DIGEST = b' "digest": "'
_SINCE = 3  # formats from which on every file has a digest


def seal(value: Mapping[str, Any]) -> bytes:
    """``value`` (without ``digest``) as the bytes of a JSON file."""
    text = json.dumps({"format": FORMAT, **value}, indent=1, ensure_ascii=False, allow_nan=False)
    head = text.removesuffix("\n}").encode() + b",\n"
    return head + _DIGEST + _hash(head) + b'"\n}\n'


def unseal(data: bytes, name: str) -> dict[str, Any]:
    """The members of a JSON file but for ``format`` and ``digest``. Raises Damaged, which calls the file ``name``,
    where it is not JSON, no object, or not as it was written.
    """
    held, _ = unseal_with_format(data, name)
    return held


def unseal_with_format(data: bytes, name: str) -> tuple[dict[str, Any], Any]:
    """`unseal`, and ``format`` as the file says it; None: it does not."""
    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        raise Damaged(name, "it is not JSON") from None
    if not isinstance(held, dict):
        raise Damaged(name, "expected a JSON object")
    version = held.pop("format", None)
    if "digest" in held or (isinstance(version, int) and _SINCE <= version <= FORMAT):
        head, _, tail = data.rpartition(_DIGEST)
        if tail != _hash(head) + b'"\n}\n':
            raise Damaged(name, "its content is not what its digest says")
        held.pop("digest", None)
    return held, version


def sealed(data: bytes) -> bool:
    """Is ``data``, a whole JSON file, of a format with digests?"""
    return _DIGEST in data


def seal_lines(lines: Iterable[str]) -> bytes:
    """``lines``, JSON each and without their ends, as the bytes of a file."""
    every = list(lines)
    body = "".join(f"{line}\n" for line in every).encode()
    return _head(body, len(every)) + body


def unseal_lines(data: bytes, name: str) -> list[bytes]:
    """The lines of a file that `seal_lines` made. Raises Damaged where it is not as it was written."""
    head, _, body = data.partition(b"\n")
    lines = body.split(b"\n")[:-1]  # not splitlines: a text may hold other ends of lines
    if head + b"\n" != _head(body, len(lines)):
        raise Damaged(name, "its content is not what its first line says")
    return lines


def sealed_lines(data: bytes) -> bool:
    """Does ``data`` begin as a file that `seal_lines` made?"""
    return data.startswith(b'{"digest":"')


def _head(body: bytes, lines: int) -> bytes:
    said = {"digest": _hash(body).decode(), "format": FORMAT, "lines": lines}
    return f"{canonical_json(said)}\n".encode()


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
