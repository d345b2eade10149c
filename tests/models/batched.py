"""A batch service: it sends the lines of request files to a server, and writes output and errors in OpenAI's format."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from served import Served

Fault = Callable[[dict[str, Any]], dict[str, Any] | None]
"""What is written for a line instead of its answer: keys of the output line; None: its answer."""

EXPIRED = {
    "response": None,
    "error": {
        "code": "batch_expired",
        "message": "This request could not be executed before the completion window expired.",
    },
}


def unanswered(folder: Path) -> list[Path]:
    """The request files that no answers are there of."""
    done = {path.name for path in (folder / "answers").iterdir()}
    return [one for one in sorted((folder / "requests").iterdir()) if f"{one.stem}-output.jsonl" not in done]


def serve(folder: Path, served: Served, fault: Fault = lambda _: None) -> list[dict[str, Any]]:
    """Answer every request file that has no answers, in any order; returns the requests, of which each is checked as
    the service checks them.
    """
    asked: list[dict[str, Any]] = []
    for path in unanswered(folder):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        _check(rows)
        asked += rows
        random.Random(len(rows)).shuffle(rows)
        output, errors = [], []
        for place, row in enumerate(rows):
            line = {"id": f"batch_req_{path.stem}_{place}", "custom_id": row["custom_id"]}
            line |= fault(row) or _sent(row, served, place)
            response: Any = line["response"]
            (output if response and response["status_code"] == 200 else errors).append(line)
        _write(folder / "answers" / f"{path.stem}-output.jsonl", output)
        if errors:
            _write(folder / "answers" / f"{path.stem}-errors.jsonl", errors)
    return asked


def _check(rows: list[dict[str, Any]]) -> None:
    assert {tuple(sorted(row)) for row in rows} == {("body", "custom_id", "method", "url")}
    assert len({row["custom_id"] for row in rows}) == len(rows)
    assert len({(row["method"], row["url"], row["body"]["model"]) for row in rows}) == 1
    assert all(len(row["custom_id"]) <= 64 for row in rows)


def _sent(row: dict[str, Any], served: Served, place: int) -> dict[str, Any]:
    url = served.url.removesuffix("/v1") + row["url"]
    asked = Request(url, json.dumps(row["body"]).encode(), {"Content-Type": "application/json"}, method=row["method"])
    try:
        with urlopen(asked) as found:
            status, body = found.status, json.load(found)
    except HTTPError as error:
        status, body = error.code, json.load(error)
    return {"response": {"status_code": status, "request_id": f"req_{place}", "body": body}, "error": None}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))  # a model's half of a surrogate pair as it is
