r"""What comes from outside: read within limits, and shown so that it does nothing but stand there.

JSON and YAML of servers, logs and other people's files are read here, so that a file of a few kB cannot take the
memory of the machine or the interpreter's stack; text that a model, a server or a file wrote is made `printable` before
it goes to a terminal, where a control character would move the cursor, colour what follows or turn its direction.

    loads('[1e999]')              JSONDecodeError: a number that no float holds
    printable("a\x1b[2Jb")        a\x1b[2Jb, spelled out
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import yaml

MOST_YAML = 200_000
"""Nodes that a YAML document may have, each alias counted with all that it stands for."""
LONGEST_NAME = 200
"""Characters of a name that stands in tables and files."""


def loads(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """``text`` as JSON. ``parse_constant``: what becomes of ``NaN`` and ``Infinity`` (default: they are read).

    Raises json.JSONDecodeError, which is a ValueError, for what is no JSON, and, without a document, as the place is
    not known, for what no reader is made for: a key twice in one object, a number that overflows, one of thousands of
    digits, brackets nested some hundreds deep.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=parse_constant, object_pairs_hook=_object)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None
    except UnicodeDecodeError:
        raise json.JSONDecodeError("not UTF-8 text", "", 0) from None
    except ValueError as error:
        if "integer string conversion" in str(error):  # of `int`, which reads no more than `sys.get_int_max_str_digits`
            raise json.JSONDecodeError("a number of thousands of digits", "", 0) from None
        raise


def fault(error: ValueError, *, column: bool = False) -> str:
    """What is wrong with a text that `loads` refused, with its ``column`` where that is known."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    return f"{error.msg} at column {error.colno}" if column and error.doc else error.msg


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise json.JSONDecodeError(f"the number {text[:20]} is larger than a float can be", "", 0)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise json.JSONDecodeError(f"the key '{key[:60]}' stands twice in one object", "", 0)
    return made


_HALF = re.compile("[\ud800-\udfff]")


def halved(text: str | bytes, value: Any) -> bool:
    """Does ``text``, JSON that was read as ``value``, hold half a surrogate pair? JSON can escape one, and no file and
    no hash can hold it.
    """
    marks = ("\\ud", "\\uD") if isinstance(text, str) else (b"\\ud", b"\\uD", b"\xed")
    return any(mark in text for mark in marks) and _HALF.search(json.dumps(value, ensure_ascii=False)) is not None  # type: ignore[operator]


def whole(value: Any) -> Any:
    """``value``, JSON that a model or a server wrote, with U+FFFD for every half of a surrogate pair."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, dict):
        return {whole(name): whole(one) for name, one in value.items()}
    return [whole(one) for one in value] if isinstance(value, list) else value


# ---- YAML ----------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads the key ``on`` as true; here only ``true`` and ``false`` are booleans (as in YAML 1.2). It
    reads ``010`` as 8, ``1:30`` as 90 and ``1e-4`` as a text; here the first two are texts and the third is a number.

    A key stands once in a mapping; what is merged (``<<``) gives way to the mapping's own keys.
    """

    def get_single_node(self) -> Any:
        """The document's node, of at most `MOST_YAML` nodes when every alias is written out."""
        node = super().get_single_node()
        if node is not None:
            _expanded(node, {})
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        """The node of a mapping. Raises ValueError for a key that is there twice."""
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            line = key.start_mark.line + 1
            if (name := (key.tag, key.value)) in lines:
                raise ValueError(f"line {line}: the key '{key.value[:60]}' is there already, in line {lines[name]}")
            lines[name] = line
        return node


_MERGE = "tag:yaml.org,2002:merge"
_BOOLEAN, _INT, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float"))
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _INT, _FLOAT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    _INT, re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"^(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def load_yaml(text: str) -> Any:
    """``text`` as YAML of plain values: no tag makes an object.

    Raises ValueError, with the reason in one line, for what is no YAML, for a document that its aliases make larger
    than `MOST_YAML` nodes or endless, and for one nested too deeply.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except _TooLarge:
        raise
    except ValueError as error:  # what looks like a date or a number and is none
        raise ValueError(" ".join(str(error).split())[:200]) from None


class _TooLarge(ValueError):
    """A document that its aliases blow up."""


def _expanded(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Nodes in ``node`` with every alias written out. ``known``: by identity; None while it is counted."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _TooLarge("an alias stands for what it is in")
        return size
    known[id(node)] = None
    total = 1
    if isinstance(node, yaml.CollectionNode):
        for one in node.value:
            for part in one if isinstance(one, tuple) else (one,):
                total += _expanded(part, known)
    if total > MOST_YAML:
        raise _TooLarge(f"more than {MOST_YAML} values when its aliases are written out")
    known[id(node)] = total
    return total


# ---- text ----------------------------------------------------------------------------------------------------------

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
r"""Control characters but tab and newline; what turns the direction of text; separators of lines; half characters."""


def printable(text: str) -> str:
    r"""``text`` with every character that a terminal would obey spelled out.

    >>> print(printable("a\x1b[31mred\u202e"))
    a\x1b[31mred\u202e
    """
    return text if text.isprintable() else _CONTROL.sub(lambda match: _spelled(match[0]), text)


def _spelled(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def escaped(text: str) -> str:
    """JSON with what `printable` spells out as JSON's own escapes: the same values."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def name_fault(name: str) -> str | None:
    r"""What keeps ``name`` from being the name of a model, a task or a method, in a few words; None where nothing does.

    >>> name_fault("r2\nr3")
    'holds a control character (\\x0a)'
    """
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters, at most {LONGEST_NAME} are allowed"
    found = _CONTROL.search(name) or re.search("[\t\n]", name)
    return None if found is None else f"holds a control character ({_spelled(found[0])})"
