"""OpenAI's Batch API: requests in a file, answers in another (https://platform.openai.com/docs/guides/batch).

    in    {"custom_id": ..., "method": "POST", "url": "/v1/chat/completions", "body": {...}}
    out   {"id": ..., "custom_id": ..., "response": {"status_code": 200, "request_id": ..., "body": {...}},
           "error": null}
          {"id": ..., "custom_id": ..., "response": null, "error": {"code": "batch_expired", "message": ...}}

A file asks one model at one endpoint and has at most `MOST_REQUESTS` lines and `MOST_BYTES` bytes. Answers come in any
order; those that failed come in a file of errors, of the same form. ``vllm run-batch`` reads and writes the same lines
(chat alone), and puts what is wrong with a request beside a response without a body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onset.models.servers.client import ALONE, failed, in_one_line, message_in
from onset.models.servers.dialect import broken_off, told_count
from onset.models.servers.kept import Kept, Wanted, kept_refusal
from onset.records import canonical_json
from onset.untrusted import halved, loads, whole

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
_NAME = re.compile(rb'\{"custom_id":"(onset-[0-9a-f]{32})"')


def request_line(wanted: Wanted) -> bytes:
    """A request's line, its end included. The name stands first."""
    rest = canonical_json({"method": "POST", "url": f"/v1{wanted.path}", "body": wanted.body})
    return f'{{"custom_id":"{wanted.name}",{rest[1:]}\n'.encode()


def name_in(line: bytes) -> str | None:
    """The name of the request that `request_line` wrote into ``line``; None where it wrote none."""
    found = _NAME.match(line)
    return found[1].decode() if found else None


def parcels(lines: Iterable[bytes], requests: int = MOST_REQUESTS, size: int = MOST_BYTES) -> Iterator[list[bytes]]:
    """``lines`` in order, as many together as a file may hold: ``requests`` of them, and ``size`` bytes."""
    held: list[bytes] = []
    length = 0
    for line in lines:
        if held and (len(held) == requests or length + len(line) > size):
            yield held
            held, length = [], 0
        held.append(line)
        length += len(line)
    if held:
        yield held


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of an output or error file says of the request ``name``: its answer or refusal (``kept``), or, where
    that is None, ``why`` there is neither. ``id``: what the service calls the line; ``tokens``: those that were billed
    in and out (0: not told).
    """

    name: str
    id: str
    kept: Kept | None
    why: str = ""
    tokens: tuple[int, int] = (0, 0)


def read_line(text: bytes) -> Line:
    """Raises ValueError, with what is wrong, for what is no line of the format."""
    try:
        row = loads(text)
        row = whole(row) if halved(text, row) else row
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(row, dict):
        raise ValueError("is no JSON object")
    name = row.get("custom_id")
    if not isinstance(name, str) or not name:
        raise ValueError("has no 'custom_id'")
    if "method" in row and "body" in row:
        raise ValueError("is a request: the service's output is expected here, not the file that was sent")
    if "response" not in row and "error" not in row:
        raise ValueError("has neither 'response' nor 'error'")
    return _read(row, name, str(row.get("id") or ""))


def _read(row: Mapping[str, Any], name: str, line_id: str) -> Line:
    response, error = row.get("response"), row.get("error")
    response = response if isinstance(response, Mapping) else {}
    status, body = response.get("status_code"), response.get("body")
    status = status if isinstance(status, int) else None
    if status is not None and 200 <= status < 300 and isinstance(body, Mapping) and not error and not failed(body):
        return _answer(name, line_id, Kept(status, body), body)
    if status in ALONE:
        assert status is not None
        return Line(name, line_id, kept_refusal(status, body or error))
    inner = body.get("error", body) if isinstance(body, Mapping) and body else error
    inner = inner.get("error", inner) if isinstance(inner, Mapping) else inner
    code = inner.get("code") if isinstance(inner, Mapping) else None
    said = in_one_line(message_in(inner) or (inner if isinstance(inner, str) else ""))
    why = ": ".join(str(one) for one in (code or status, said) if one)
    return Line(name, line_id, None, why or "no answer and no error")


def _answer(name: str, line_id: str, kept: Kept, body: Mapping[str, Any]) -> Line:
    """The line of a reply, whose texts have all come to an end: else it is asked again, as after an error."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        return Line(name, line_id, None, "its reply has no list 'choices'")
    broken = (broken_off(one) for one in choices if isinstance(one, Mapping))
    if (why := next(filter(None, broken), None)) is not None:
        return Line(name, line_id, None, why)
    return Line(name, line_id, kept, tokens=_billed(body))


def _billed(body: Mapping[str, Any]) -> tuple[int, int]:
    usage = body.get("usage")
    if not isinstance(usage, Mapping):
        return 0, 0
    went_in, came_out = (told_count(usage, key) or 0 for key in ("prompt_tokens", "completion_tokens"))
    return went_in, came_out
