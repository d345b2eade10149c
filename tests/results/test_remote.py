"""Results in an object store: the contract of `Files` on a disk, in memory and on a server of S3, and whole studies."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from results_faults import Killed, Plan, Shim, as_a_dead_process, promised
from test_faults import TIMES, go, opened, prompted, tuned

from onset.cli import main
from onset.errors import StoreError
from onset.read import read_outcomes
from onset.results import remote
from onset.results.files import Files, as_files
from onset.results.folder import Store
from onset.results.read import finished_at, load, read_cells
from onset.results.tuned import TunedFolder

pytest.importorskip("s3fs")
pytest.importorskip("moto")

SECRET = "wJalrXUtnFEMI-never-printed"


class Server:
    """A server of S3 in this process, that may fail or be slow: ``fails`` is asked of each request."""

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self.fails: Callable[[int], bool] = lambda _: False
        self.waits = 0.0
        self.asked = 0
        app = DomainDispatcherApplication(create_backend_app)

        def answer(environ: dict[str, Any], start: Any) -> Any:
            self.asked += 1
            time.sleep(self.waits)
            if self.fails(self.asked):
                start("500 Internal Server Error", [("Content-Type", "text/xml")])
                return [
                    b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
                ]
            return app(environ, start)

        self._server = make_server("127.0.0.1", 0, answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


@pytest.fixture(scope="session")
def server() -> Server:
    return Server()


_buckets = iter(range(10**6))


@pytest.fixture
def bucket(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty bucket of a server that fails nothing."""
    server.fails, server.waits = (lambda _: False), 0.0
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("ONSET_SCRATCH", str(tmp_path / "scratch"))
    remote._system.cache_clear()
    url = f"s3://bucket-{next(_buckets)}"
    as_files(f"{url}/d").system.mkdir(url)  # type: ignore[attr-defined]
    yield url
    server.fails = lambda _: False
    remote._system.cache_clear()


@pytest.fixture(params=["disk", "memory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("ONSET_SCRATCH", str(tmp_path / "scratch"))
    if request.param == "disk":
        return as_files(tmp_path / "d")
    if request.param == "memory":
        return as_files(f"memory://{tmp_path.name}-{next(_buckets)}/d")
    return as_files(f"{request.getfixturevalue('bucket')}/a/d")


# ---- the contract --------------------------------------------------------------------------------------------------


def test_files_are_put_read_listed_and_removed(files: Files) -> None:
    assert list(files.names()) == []
    assert not files.exists("a.json")
    with pytest.raises(FileNotFoundError):
        files.get("a.json")
    with pytest.raises(FileNotFoundError):
        files.size("a.json")
    files.remove("a.json")  # nothing to do
    files.put("a.json", b"one")
    files.put("a.json", b"two!")
    files.put_all({"cells/x/b": b"b", "cells/x/c": b""})
    assert (files.get("a.json"), files.size("a.json")) == (b"two!", 4)
    assert files.digest("a.json") == hashlib.sha256(b"two!").hexdigest()
    assert list(files.names()) == ["a.json", "cells/x/b", "cells/x/c"]
    assert list(files.names("cells")) == ["cells/x/b", "cells/x/c"]
    assert list(files.names("cell")) == []
    below = files.at("cells/x")
    assert list(below.names()) == ["b", "c"]
    assert below.name("b") == f"{files.name()}/cells/x/b"
    assert (below.exists("b"), below.exists(""), files.exists("cells")) == (True, False, False)
    assert abs((files.modified("a.json") - datetime.now(UTC)).total_seconds()) < 3600
    files.move("a.json", "a.json.damaged")
    files.remove("cells/x/c")
    assert list(files.names()) == ["a.json.damaged", "cells/x/b"]
    files.remove_folder("cells")
    files.remove_folder("cells")
    assert list(files.names()) == ["a.json.damaged"]


def test_of_many_that_create_a_file_one_succeeds(files: Files) -> None:
    made: list[int] = []

    def race(number: int) -> None:
        if files.create("lease.json", str(number).encode()):
            made.append(number)

    racers = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for one in racers:
        one.start()
    for one in racers:
        one.join()
    assert [str(number).encode() for number in made] == [files.get("lease.json")]
    assert list(files.names()) == ["lease.json"]


@pytest.mark.parametrize("files", ["memory", "s3"], indirect=True)
def test_who_finds_a_file_that_goes_before_it_is_read_has_not_created_it(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run's lease is there when ours is put, and released before it is looked at."""
    get = remote.RemoteFiles.get

    def released(self: remote.RemoteFiles, path: str) -> bytes:
        self.remove(path)
        return get(self, path)

    files.put("lease.json", b"other")
    with monkeypatch.context() as patched:
        patched.setattr(remote.RemoteFiles, "exists", lambda *_: False)
        patched.setattr(remote.RemoteFiles, "get", released)
        assert not files.create("lease.json", b"mine")
    assert files.create("lease.json", b"mine")


def test_a_bucket_that_is_not_there_is_one_line(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = as_files("s3://bucket-of-nobody/d")
    writes: list[Callable[[], Any]] = [
        lambda: files.put("a", b"1"),
        lambda: files.put_all({"a": b"1"}),
        lambda: files.create("a", b"1"),
        lambda: Store("s3://bucket-of-nobody/d").__enter__(),
    ]
    for write in writes:
        with pytest.raises(StoreError) as caught:
            write()
        assert re.fullmatch(
            r"cannot write s3://bucket-of-nobody/d/[a-z.]+: there is no bucket 'bucket-of-nobody' \(.*\); create it, or"
            r" name another",
            str(caught.value),
        )
    files.remove("a")  # nothing to do
    with pytest.raises(FileNotFoundError):
        as_files(f"{bucket}/d").move("a", "b")


def test_a_folder_is_there_with_its_marker_or_not_at_all(files: Files) -> None:
    with files.put_folder("tuned/x", "tuning.json") as scratch:
        (scratch / "weights").write_bytes(b"w")
        (scratch / "tuning.json").write_bytes(b"t")
        assert list(files.names()) == []
    assert list(files.names()) == ["tuned/x/tuning.json", "tuned/x/weights"]
    with pytest.raises(ZeroDivisionError), files.put_folder("tuned/y", "tuning.json") as scratch:
        raise ZeroDivisionError
    assert not scratch.exists()
    local = files.local("tuned/x")
    assert {one.name: one.read_bytes() for one in local.iterdir()} == {"weights": b"w", "tuning.json": b"t"}
    files.move_folder("tuned/x", "tuned/z", "tuning.json")
    assert list(files.names()) == ["tuned/z/tuning.json", "tuned/z/weights"]
    files.remove_folder("tuned/z", "tuning.json")
    assert list(files.names()) == []
    checkpoint = files.scratch("tuned/x.checkpoint")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write_bytes(b"c")
    assert files.scratch("tuned/x.checkpoint") == checkpoint


@pytest.mark.parametrize("files", ["memory"], indirect=True)
def test_a_copy_that_is_read_stays_whole_while_another_process_fetches_it(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def there(folder: Path) -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in folder.rglob("*") if one.is_file()}

    files.put_all({"tuned/x/a": b"1", "tuned/x/b": b"2"})
    local, seen = files.local("tuned/x"), list[dict[str, bytes]]()
    system = files.system  # type: ignore[attr-defined]
    fetch = system.get_file

    def get_file(*args: Any) -> None:
        seen.append(there(local))
        fetch(*args)

    monkeypatch.setattr(system, "get_file", get_file, raising=False)
    files.put("tuned/x/b", b"3")
    assert files.local("tuned/x") == local
    assert seen == [{"a": b"1", "b": b"2"}] * 2
    assert there(local) == {"a": b"1", "b": b"3"}
    assert [one.name for one in local.parent.iterdir()] == [local.name]


@pytest.mark.parametrize("files", ["memory"], indirect=True)
def test_weights_that_are_not_fetched_as_they_are_in_the_store_are_not_used(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = TunedFolder(files.at("tuned"), "x")
    tuned.save(lambda place: (place / "adapter.safetensors").write_bytes(b"weights"), {}, 1.0, None)
    assert (tuned.local() / "adapter.safetensors").read_bytes() == b"weights"
    system = files.system  # type: ignore[attr-defined]
    fetch = system.get_file

    def get_file(there: str, here: str) -> None:
        fetch(there, here)
        if here.endswith(".safetensors"):
            Path(here).write_bytes(b"wrights")

    monkeypatch.setattr(system, "get_file", get_file, raising=False)
    with pytest.raises(StoreError) as error:
        tuned.local()
    assert str(error.value).startswith(f"{files.name()}/tuned/x was not fetched as it is there (")
    assert str(error.value).endswith("adapter.safetensors: its SHA-256 is not the one in tuning.json); run again")


def test_files_can_be_pickled_and_read_all_together(files: Files) -> None:
    files.put_all({"d/a": b"a", "d/b": b"bb", "c": b""})
    assert pickle.loads(pickle.dumps(files)).get("d/a") == b"a"
    read = files.to_read(lambda path: path.startswith("d/"))
    below = read.at("d")
    assert (below.get("a"), below.size("b"), read.get("c")) == (b"a", 2, b"")
    assert (list(read.names()), list(below.names()), list(read.names("d"))) == (
        ["c", "d/a", "d/b"],
        ["a", "b"],
        ["d/a", "d/b"],
    )
    assert (read.exists("d/a"), below.exists("z"), read.exists("d")) == (True, False, False)
    assert below.name("a") == f"{files.name()}/d/a"
    assert below.digest("a") == files.digest("d/a")
    with pytest.raises(FileNotFoundError):
        below.get("z")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://AKIA:hidden@bucket/d", "s3://...: a URL with a user or a password is refused"),
        ("ftp://host/d", "ftp://host/d: results are kept in a folder or at s3://, "),
        ("s3://", "s3://: no folder is named in it"),
    ],
)
def test_what_is_no_place_for_results_is_refused(url: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["show", url])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"onset: {message}")
    assert "hidden" not in printed
    assert len(printed.splitlines()) == 1


# ---- studies -------------------------------------------------------------------------------------------------------


def fetched(files: Files, into: Path) -> Path:
    """All files of a place, on a disk."""
    for path in files.names():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(files.get(path))
    return into


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_a_study_in_a_store_has_the_bytes_of_one_on_a_disk(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"memory://{tmp_path.name}/d" if kind == "memory" else f"{request.getfixturevalue('bucket')}/d"
    go(prompted(), tmp_path / "local")
    summary = go(prompted(), url)
    assert (summary.ran, summary.kept) == (2, 0)
    assert promised(fetched(as_files(url), tmp_path / "remote")) == promised(tmp_path / "local")
    assert go(prompted(), url).kept == 2
    here, there = load(tmp_path / "local"), load(url)
    assert there.records.equals(here.records)
    times = ("seconds", "peak_bytes")
    assert there.cells.drop(times).equals(here.cells.drop(times))
    assert read_cells(url) == read_cells(tmp_path / "local")
    ids = there.cells["cell"].to_list()
    assert abs((finished_at(url, ids) - datetime.now(UTC)).total_seconds()) < 3600
    assert [one.source for one in read_outcomes(url)] == [url] * 2
    with Store(url), pytest.raises(StoreError, match=rf"^results folder {url} is in use by another run \(process"):
        go(prompted(), url)


@pytest.mark.slow
def test_every_command_reads_a_url_and_prints_no_key(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("replies.json").write_text(
        json.dumps({"rules": [{"contains": "heads", "text": " The answer is heads."}], "default": " It is tails."})
    )
    Path("s.yaml").write_text(
        "name: s\nmodels: [{spec: 'scripted:replies.json', label: fake}]\n"
        "tasks: [{name: coin-flip, flips: 2, pool: 40, test: 20}]\nmethods: [answer-only, cot]\nlabels: [2]\n"
        "seeds: 1\nitems: 10\n"
    )
    url = f"{bucket}/deep/d"
    printed = ""
    for command in (
        ["plan", "s.yaml", "--out", url],
        ["run", "s.yaml", "--out", url],
        ["plan", "s.yaml", "--out", url],
        ["show", url, "--details"],
        ["show", url, "--json"],
        ["report", url],
        ["report", url, "--out", "page.html"],
        ["advise", url],
        ["compare", url, url, "--a", "method=cot", "--b", "method=answer-only"],
        ["export", url, "--format", "lm-eval", "--out", "exported"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        told = capsys.readouterr()
        assert ended.value.code == 0, (command, told.err)
        printed += told.out + told.err
    assert f"Report: {url}/report.html" in printed.replace("\n", "")
    files = as_files(url)
    assert {"report.html", "findings.json", "study.json"} <= set(files.names())
    assert "lease.json" not in set(files.names())
    local = fetched(files, tmp_path / "copy")
    for text in (printed, *(path.read_text(errors="replace") for path in local.rglob("*") if path.is_file())):
        assert SECRET not in text
        assert "AKIAIOSFODNN7EXAMPLE" not in text


@pytest.mark.slow
def test_killed_at_every_change_of_a_store_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(prompted(), tmp_path / "whole")
    expected, at = promised(tmp_path / "whole"), 0
    while True:
        files, plan = as_files(f"memory://{tmp_path.name}/{at}"), Plan(at)
        with as_a_dead_process(monkeypatch):
            try:
                go(prompted(), Shim(files, plan))
            except Killed:
                pass
            else:
                break
        go(prompted(), files)
        assert promised(fetched(files, tmp_path / str(at))) == expected, plan.met[-1]
        at += 1
    assert at > 30


# ---- servers that fail ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_that_fails_now_and_then_and_is_slow_loses_nothing(
    bucket: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "WAITS", (0.01,) * 6)
    go(prompted(), tmp_path / "local")
    before = server.asked
    draw = random.Random(0)
    server.fails, server.waits = (lambda _: draw.random() < 0.2), 0.002
    go(prompted(), f"{bucket}/d")
    server.fails, server.waits = (lambda _: False), 0.0
    assert server.asked - before > 100
    assert promised(fetched(as_files(f"{bucket}/d"), tmp_path / "remote")) == promised(tmp_path / "local")


def test_a_server_that_always_fails_is_one_line_and_a_later_run_goes_on(
    bucket: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{bucket}/d"
    monkeypatch.setattr(remote, "WAITS", (0.01,))
    begun = server.asked
    server.fails = lambda number: number > begun + 60
    with pytest.raises(StoreError) as caught:
        go(prompted(), url)
    assert url in str(caught.value)
    assert str(caught.value).startswith("cannot ")
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    server.fails = lambda _: False
    files = as_files(url)
    if files.exists("lease.json"):  # it could not be removed
        files.remove("lease.json")
    go(prompted(), url)
    go(prompted(), tmp_path / "local")
    assert promised(fetched(files, tmp_path / "remote")) == promised(tmp_path / "local")


# ---- tuning --------------------------------------------------------------------------------------------------------


REALLY = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {tests!r} + "/results"]
from results_faults import Plan, Shim
from test_faults import go, opened, tuned
from onset.results.files import as_files
place, url, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
plan = Plan(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
go(tuned(place), Shim(as_files(url), plan), tiny=opened(place))
"""


@pytest.mark.slow
def test_tuned_weights_in_a_store_resume_after_kill_9_and_are_the_same_bytes(bucket: str, tmp_path: Path) -> None:
    study, base = tuned(tmp_path), opened(tmp_path)
    go(study, tmp_path / "local", tiny=base)
    without = (*TIMES, "stage.json")
    expected = promised(tmp_path / "local", without=without)
    plan = Plan()
    go(study, Shim(as_files(f"{bucket}/whole"), plan), tiny=base)
    assert promised(fetched(as_files(f"{bucket}/whole"), tmp_path / "whole"), without=without) == expected
    here, there = (load(place).cells["stored_bytes"].to_list() for place in (tmp_path / "local", f"{bucket}/whole"))
    assert there == pytest.approx(here, abs=40)  # a time has more digits or fewer
    code = REALLY.format(tests=str(Path(__file__).parents[1]))
    for at in range(3, len(plan.met), len(plan.met) // 3):
        url = f"{bucket}/killed-{at}"
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), url, str(at)],
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ),
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        notes: list[str] = []
        go(study, url, notes, tiny=base)
        assert "which is gone: going on from what it kept" in notes[0]
        assert promised(fetched(as_files(url), tmp_path / "killed"), without=without) == expected, plan.met[at]
        shutil.rmtree(tmp_path / "killed")


@pytest.mark.slow
def test_two_workers_put_into_a_store_what_one_process_puts_on_a_disk(bucket: str, tmp_path: Path) -> None:
    from executor_studies import bytes_of, fakes

    from onset.executors import open_executor
    from onset.study.runner import run

    study = fakes(tmp_path, labels=[4], items=4)
    run(study, tmp_path / "here")
    assert run(study, f"{bucket}/d", executor=open_executor("local", workers=2)).failed == {}
    assert bytes_of(fetched(as_files(f"{bucket}/d"), tmp_path / "got")) == bytes_of(tmp_path / "here")
