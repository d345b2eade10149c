"""Work side by side, in threads and in processes: in order, not far ahead, and with its errors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from of_process import of_process

from onset import processors
from onset.errors import Damaged
from onset.processors import Elsewhere, across, gathered


@pytest.fixture(params=[1, 3])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    number: int = request.param
    monkeypatch.setattr(processors, "processors", lambda: number)
    return number


def test_what_is_made_side_by_side_comes_in_the_order_of_the_items(count: int) -> None:
    def make(item: int) -> int:
        time.sleep(0.02 if item % 2 == 0 else 0.0)  # the later ones are ready first
        return item * item

    assert list(processors.side_by_side(make, range(7))) == [item * item for item in range(7)]
    assert list(processors.side_by_side(make, [])) == []


def test_little_is_made_before_it_is_taken(count: int) -> None:
    begun: list[int] = []
    made = processors.side_by_side(begun.append, range(20))
    assert begun == []
    next(made)
    time.sleep(0.05)
    assert len(begun) <= count + 1
    list(made)
    assert sorted(begun) == list(range(20))


def test_the_error_of_an_item_comes_in_its_place(count: int) -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("item 2")
        return item

    made = processors.side_by_side(make, range(9))
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="item 2"):
        next(made)


def test_several_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "processors", lambda: 2)
    both = threading.Barrier(2, timeout=10)  # passed by two threads together, or not at all
    assert len(list(processors.side_by_side(lambda _: both.wait(), range(2)))) == 2


# ---- in processes --------------------------------------------------------------------------------------------------


def damaged(name: str) -> None:
    raise Damaged(name, "empty", "write it again")


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def by_another(make: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """The result of what another process has begun."""
    one = Elsewhere(make, *given, **named)
    while one._begun is not None and not (one._begun.running() or one._begun.done()):
        time.sleep(0.01)
    return one.result()


def test_another_process_makes_it_where_there_is_another_processor(two: None) -> None:
    assert by_another(of_process) != os.getpid()
    assert by_another(pow, 7, 2, mod=5) == 4


def test_this_process_makes_it_when_it_is_asked_for_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "processors", lambda: 1)
    assert Elsewhere(of_process).result() == os.getpid()
    assert Elsewhere(damaged, "a.json") is not None
    with pytest.raises(Damaged, match=r"damaged file a\.json: empty; write it again"):
        Elsewhere(damaged, "a.json").result()


def test_its_error_comes_with_the_result(two: None) -> None:
    with pytest.raises(Damaged, match=r"damaged file a\.json: empty; write it again"):
        by_another(damaged, "a.json")


def test_what_others_do_not_come_to_is_made_here(two: None) -> None:
    made = gathered([Elsewhere(of_process, 0.2) for _ in range(20)])
    assert {os.getpid()} < set(made)
    assert made[-1] == os.getpid() != made[0]


def test_what_is_made_across_comes_in_order(two: None) -> None:
    assert across(pow, [(place, 2) for place in range(9)]) == [place**2 for place in range(9)]
    assert across(pow, []) == []


def of_processors() -> int:
    return processors.processors()


def test_a_process_beside_another_has_one_processor(two: None) -> None:
    assert by_another(of_processors) == 1


def test_any_error_ends_the_wait(two: None) -> None:
    for error in (SystemExit, KeyboardInterrupt, pl.exceptions.PanicException):
        with pytest.raises(error):
            by_another(raising, error)
    assert by_another(of_process) != os.getpid()


def raising(error: type[BaseException]) -> None:
    raise error("gone")


def test_it_works_in_the_folder_of_this_process(two: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert by_another(os.getcwd) == str(tmp_path / name)


def test_nothing_is_imported_from_the_folder_of_this_process(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "json.py").write_text("import pathlib; pathlib.Path('owned').touch()")
    script, _ = begun(tmp_path / "scripts", "", folder=tmp_path)
    assert script.communicate() == ("", "")
    assert not (tmp_path / "owned").exists()


def test_a_pool_of_forks_keeps_nothing_waiting(two: None) -> None:
    assert by_another(of_process) != os.getpid()
    with multiprocessing.get_context("fork").Pool(1) as pool:  # its process has what leads to the other one
        assert by_another(lambda: 1) == 1
        assert pool.apply(across, (pow, [(2, 3), (3, 3), (4, 3)])) == [8, 27, 64]


def test_what_is_no_python_is_waited_for_once(two: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    monkeypatch.setattr(processors, "_CREW", processors._Crew())
    monkeypatch.setattr(processors, "_START", 0.3)
    monkeypatch.setattr(sys, "executable", str(program))
    assert by_another(of_process) == os.getpid()
    assert Elsewhere(of_process)._begun is None


def test_no_thread_to_be_had_is_no_error(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(processors, "_CREW", processors._Crew())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        assert Elsewhere(of_process).result() == os.getpid()
    assert by_another(of_process) != os.getpid()


def test_what_another_process_cannot_make_is_made_here(two: None) -> None:
    def inner() -> int:  # of no module
        return os.getpid()

    assert by_another(inner) == os.getpid()
    assert by_another(killed, os.getpid()) == os.getpid()
    assert by_another(of_process) != os.getpid()


def killed(asking: int) -> int:
    if os.getpid() != asking:
        os.kill(os.getpid(), signal.SIGKILL)
    return asking


def test_a_process_ends_that_has_nothing_to_do(two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_CREW", processors._Crew())
    monkeypatch.setattr(processors, "_IDLE", 0.3)
    other = by_another(of_process)
    assert ended(other)
    assert by_another(of_process) not in (other, os.getpid())


SCRIPT = """
import os, signal, sys, time
from onset import processors
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
processors.processors = lambda: 2
begun = processors.Elsewhere(os.getpid)
time.sleep(0.5)
print(begun.result(), flush=True)
processors.Elsewhere(time.sleep, 0.3)
{then}
"""


def begun(place: Path, then: str, folder: Path | None = None) -> tuple[subprocess.Popen[str], int]:
    """A script without a guard that began a process, and that process; ``folder``: in which it is run."""
    path = place / "script.py"
    path.write_text(SCRIPT.format(then=then))
    one = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           cwd=folder, start_new_session=True)  # fmt: skip
    assert one.stdout is not None
    return one, int(one.stdout.readline())


def ended(pid: int, seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_script_needs_no_guard_and_leaves_no_process(tmp_path: Path) -> None:
    script, other = begun(tmp_path, "")
    assert (script.wait(60), script.communicate()) == (0, ("", ""))
    assert ended(other)


def test_no_process_is_left_where_this_one_is_killed(tmp_path: Path) -> None:
    script, other = begun(tmp_path, "time.sleep(60)")
    script.kill()
    script.communicate()
    assert script.returncode == -signal.SIGKILL
    assert ended(other)


def test_ctrl_c_is_for_the_process_that_asks(tmp_path: Path) -> None:
    script, other = begun(tmp_path, "from onset.stopping import stoppable; stoppable(lambda: time.sleep(60))")
    time.sleep(0.5)
    os.killpg(script.pid, signal.SIGINT)  # as a terminal does
    said = script.communicate()
    assert (script.returncode, said) == (130, ("", "onset: stopped; what was finished is kept, run again to go on\n"))
    assert ended(other)
