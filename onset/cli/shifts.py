"""The command ``onset shift``: the test items of a task under a shift, as JSON lines for other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onset.cli.common import print_line
from onset.errors import DataError, StoreError
from onset.untrusted import escaped, load_yaml

if TYPE_CHECKING:
    from onset.records import Item


def shift(
    task: Annotated[str, typer.Argument(metavar="TASK", help="As in a study: gsm8k, or '{name: gsm8k, path: data}'.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As in a study: typos, or '{shift: typos, rate: 0.2}'.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file.")] = None,
    items: Annotated[int | None, typer.Option(metavar="N", help="As many as a study with 'items: N' asks.")] = None,
) -> None:
    """A task's test items under a shift, as JSON lines: id, question, answers, the clean question, changed or not."""
    from onset.records import canonical_json
    from onset.shifts.base import Perturbed, read_shift
    from onset.study.shifted import asked_under
    from onset.tasks import open_task

    if items is not None and items < 1:
        raise DataError(f"--items {items}: expected 1 or more")
    opened, named = open_task(_read(task, "TASK")), read_shift(_read(kind, "KIND"))
    asked = asked_under(opened, named, "all" if items is None else items)
    if isinstance(asked.shift, Perturbed):
        raise DataError(
            f"shift '{named.label}' changes the prompt around the items, which stay: there is nothing to write"
        )
    held = {item.id: item for item in opened.test}
    rows = [_row(one, held.get(one.twin or one.id)) for one in asked.items]
    text = "".join(f"{canonical_json(row)}\n" for row in rows)
    if out is None:
        sys.stdout.write(escaped(text))
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot write {out}: {error.strerror}") from None
    changed = sum(row["changed"] for row in rows)
    where = "" if out is None else f", in {out}"
    print_line(f"{opened.name}, {named.label}: {len(rows)} items, {changed} changed{where}", stderr=True)


def _read(text: str, what: str) -> Any:
    refused = DataError(f"{what}: expected a name or a mapping such as '{{name: gsm8k, path: data}}', not {text!r}")
    try:
        value = load_yaml(text)
    except ValueError:
        raise refused from None
    if value is None:
        raise refused
    return value


def _row(item: Item, clean: Item | None) -> dict[str, Any]:
    """``clean``: the item that it was made from; None of another test set."""
    row: dict[str, Any] = {
        "id": item.id,
        "question": item.question,
        "answer": item.answer,
        "answers": list(item.golds),
        "clean_id": None if clean is None else clean.id,
        "clean_question": None if clean is None else clean.question,
        "changed": clean is None or item.id != clean.id,
    }
    if item.choices is not None:
        row["choices"] = list(item.choices)
    if item.context is not None:
        row |= {"context": item.context, "clean_context": None if clean is None else clean.context}
    return row
