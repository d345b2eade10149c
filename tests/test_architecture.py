"""docs/architecture.md against the package: its floors are those of the imports, its paths are there, no table is missing."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET

import pytest
from test_layering import LEVELS, ROOT, modules

HOME = ROOT.parent
DOCS = HOME / "docs"
PAGE = (DOCS / "architecture.md").read_text()
ADDITIONS = PAGE.partition("## Where an addition goes")[2]
OTHER_TABLES = {
    "onset/report/figures/__init__.py",
    "onset/published/claims.py",
    "onset/read/detect.py",
    "onset/cli/__init__.py",
}
"""Files with a table of things to add that is no `Registry`."""


def registries() -> set[str]:
    """Files that make a `Registry`."""
    found = set()
    for path in modules():
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        if any(isinstance(called, ast.Name) and called.id == "Registry" for called in calls):
            found.add(str(path.relative_to(HOME)))
    return found


def test_the_floors_are_those_of_the_imports() -> None:
    rows = re.findall(r"^\| (\d+) \| `([\w.]+)` \| .+ \|$", PAGE, flags=re.MULTILINE)
    assert {room: int(floor) for floor, room in rows} == LEVELS, "docs/architecture.md: a row a line of LEVELS"
    assert [int(floor) for floor, _ in rows] == sorted(LEVELS.values())


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:onset|tests|docs)/[\w./-]+)`", PAGE))
    named |= {f"docs/{one}" for one in re.findall(r"\]\(([\w./-]+)\)", PAGE)}
    assert len(named) > 30
    assert {one for one in named if not (HOME / one).exists()} == set()


def test_every_table_is_named_with_its_file() -> None:
    found = registries()
    assert len(found) >= 8
    assert {one for one in found | OTHER_TABLES if f"`{one}`" not in ADDITIONS} == set()


@pytest.mark.parametrize(("table", "path"), re.findall(r"`([A-Z_]{5,})` in `([\w./]+)`", ADDITIONS))
def test_a_table_is_in_its_file(table: str, path: str) -> None:
    assert re.search(rf"^{table}\b.* =", (HOME / path).read_text(), flags=re.MULTILINE)


def test_the_picture_has_the_rooms() -> None:
    texts = " ".join("".join(one.itertext()) for one in ET.parse(DOCS / "architecture.svg").iter() if one.text)
    rooms = {room.rpartition(".")[2] for room in LEVELS} - {"series", "__main__"}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", texts)} == set()


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 120
