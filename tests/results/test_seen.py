"""What a run on an object store looks at when it begins: few requests, and all damage noticed all the same."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from results_faults import promised
from test_faults import go, prompted
from test_remote import Server, bucket, fetched, server  # noqa: F401 - fixtures

from onset.results.files import Files, as_files
from onset.results.folder import Store
from onset.results.snapshot import INDEX, Listed, Listing, Looked, Snapshot, known
from onset.study.spec import Study

SEEDS = 10


def study(seeds: int = SEEDS) -> Study:
    """Two cells a seed, of a chunk each."""
    return prompted(seeds, items=4)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder, on a disk."""
    folder = tmp_path_factory.mktemp("seen") / "d"
    assert go(study(), folder).ran == 2 * SEEDS
    return folder


def put_at(url: str, folder: Path) -> Files:
    files = as_files(url)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.put(path.relative_to(folder).as_posix(), path.read_bytes())
    return files


def test_a_run_looks_at_finished_cells_by_a_listing_and_an_index(
    finished: Path,
    bucket: str,  # noqa: F811
    server: Server,  # noqa: F811
) -> None:
    """Each object is fetched once, by the first run; the second asks no more of twenty cells than of none."""
    files = put_at(f"{bucket}/d", finished)
    objects = len(list(files.names("cells")))
    assert objects == 4 * 2 * SEEDS
    asked = []
    for _ in range(2):
        before = server.asked
        assert go(study(), f"{bucket}/d").kept == 2 * SEEDS
        asked.append(server.asked - before)
    assert INDEX in set(files.names())
    assert asked[1] < 30
    assert asked[0] - asked[1] == pytest.approx(objects, abs=10)  # and the first puts the index
    copy = fetched(files, finished.parent / "copy")
    (copy / INDEX).unlink()
    assert promised(copy) == promised(finished)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *product(["cell.json", "done.json", "timing.json", "records.parquet"], ["cut", "changed"]),
        ("done.json", "gone"),
        ("records.parquet", "gone"),
    ],
)
def test_damage_is_noticed_behind_an_index(name: str, how: str, finished: Path, tmp_path: Path) -> None:
    files = put_at(f"memory://{tmp_path.name}/{name}-{how}", finished)
    assert go(study(), files).kept == 2 * SEEDS
    held, _ = known(files.get(INDEX), files.to_read(lambda path: False).listing)  # type: ignore[attr-defined]
    path = next(one for one in files.names("cells") if one.endswith(f"/{name}"))
    assert (path in held) == (name != "records.parquet")
    data = files.get(path)
    if how == "gone":
        files.remove(path)
    else:
        files.put(path, data[: len(data) // 2] if how == "cut" else data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    notes: list[str] = []
    summary = go(study(), files, notes)
    again = 0 if name == "timing.json" else 1
    assert (summary.ran, summary.kept) == (again, 2 * SEEDS - again)
    if (name, how) != ("done.json", "gone"):  # without done.json a cell is not finished
        assert any(files.name(path) in note for note in notes), notes
    left = [one for one in files.names() if one.endswith(".damaged") or one == INDEX]
    for one in left:
        files.remove(one)
    assert promised(fetched(files, tmp_path / "copy")) == promised(finished)


def test_an_index_is_a_copy_that_nobody_needs(finished: Path, tmp_path: Path) -> None:
    """Not what it says, but that the object is the same as then, lets a file be taken from it."""
    files = put_at(f"memory://{tmp_path.name}/d", finished)
    go(study(), files)
    whole = files.get(INDEX)
    content = json.loads(gzip.decompress(whole))
    assert set(content["digests"]) == {one for one in files.names() if one.endswith("records.parquet")}
    other: dict[str, Any] = {kind: {path: ["another mark", "{}"] for path in held} for kind, held in content.items()}
    for bad in (b"", b"no gzip", whole[:-40], gzip.compress(b"[]"), gzip.compress(json.dumps(other).encode())):
        files.put(INDEX, bad)
        notes: list[str] = []
        assert go(study(), files, notes).kept == 2 * SEEDS
        assert notes == []
        assert files.get(INDEX) == whole


def test_what_is_changed_is_looked_up_and_what_is_not_there_is_not_removed(finished: Path, tmp_path: Path) -> None:
    class Counted(Looked):
        def before(self, what: str, path: str) -> None:
            asked.append((what, path))
            super().before(what, path)

    asked: list[tuple[str, str]] = []
    files = put_at(f"memory://{tmp_path.name}/d", finished)
    seen = files.to_read(lambda path: path.endswith(".json"))
    assert isinstance(seen, Snapshot)
    looked = Counted(files, seen)
    one, other = sorted({path.split("/")[1] for path in files.names("cells")})[:2]
    cell = looked.at(f"cells/{one}")
    files.put(f"cells/{one}/note", b"another's")
    cell.remove("note")
    cell.remove_folder("records")
    assert (asked, cell.exists("note"), files.exists(f"cells/{one}/note")) == ([], False, True)
    looked.at(f"cells/{other}").put("mine", b"m")
    assert (looked.get(f"cells/{other}/mine"), cell.exists("note")) == (b"m", False)
    cell.move("done.json", "done.json.damaged")
    assert (cell.exists("done.json"), cell.exists("note")) == (False, True)
    assert list(cell.names())[1:3] == ["done.json.damaged", "note"]
    looked.move_folder(f"cells/{one}", "cells/moved", "cell.json")
    assert list(looked.names(f"cells/{one}")) == []
    assert len(list(looked.names("cells/moved"))) == 5
    assert len(list(looked.names("cells"))) == 4 * 2 * SEEDS + 2
    assert [what for what, _ in asked] == ["put", "move", "move", "move folder", "move folder"]


def test_a_store_on_a_disk_is_its_own_look(finished: Path) -> None:
    store = Store(finished)
    assert store.seen() is store


def test_what_is_below_a_folder() -> None:
    paths = ["a", "a-b/c", "a/b/c", "a/d", "a0/e", "b/f"]
    listing = Listing({path: Listed(1, None) for path in paths})
    assert list(listing.below("a")) == ["a/b/c", "a/d"]
    assert list(listing.below("a/b")) == ["a/b/c"]
    assert list(listing.below("")) == sorted(paths)
    assert list(listing.below("z")) == []
