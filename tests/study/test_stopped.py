"""Ctrl-C and SIGTERM, sent to a real run at many moments: one line, what is finished is kept, and the end is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import RULES, STUDY
from served import Served

from onset.models.scripted import ScriptedModel
from onset.stopping import Stopped, stoppable

LONG = STUDY.replace("seeds: 2", "seeds: 4")
TUNED = """
name: tuned
models: [ladder/r0]
tasks: [{name: coin-flip, flips: 2, pool: 40, test: 30}]
methods: [answer-only, {tune: lora, on: answers, steps: 400}]
labels: 8
seeds: 1
items: 16
"""


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, from the moment at which it answers signals: what came before is Python's own start."""
    command = [sys.executable, "-m", "onset", *arguments]
    # whoever starts the tests in the background has Ctrl-C ignored, and what they start would inherit that
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    while run.poll() is None:
        told = Path(f"/proc/{run.pid}/status").read_text()
        caught = int(next(line.split()[1] for line in told.splitlines() if line.startswith("SigCgt:")), 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            break
        time.sleep(0.01)
    return run


def records(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("cells/*/records.parquet")}


def settled(out: str, err: str, code: int, number: int) -> None:
    """How a stopped command ends."""
    assert "Traceback" not in err
    assert "Exception" not in err
    last = err.splitlines()[-1]
    assert last.startswith("onset: stopped; "), err
    assert last.endswith("run again to go on")
    assert code == 128 + number


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], float]:
    """A study's folder, the records of an uninterrupted run, and how many seconds that took."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "replies.json").write_text(json.dumps(RULES))
    (folder / "study.yaml").write_text(LONG)
    started = time.monotonic()
    run = begin(folder, "run", "study.yaml", "--out", "whole")
    ready = time.monotonic()
    run.communicate()
    assert run.returncode == 0
    assert ready > started
    return folder, records(folder / "whole"), time.monotonic() - ready


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to see that a signal is caught")
@pytest.mark.parametrize(("number", "share"), [(2, 0.0), (15, 0.2), (2, 0.35), (15, 0.5), (2, 0.65), (15, 0.85)])
def test_a_run_that_is_stopped_at_any_moment_goes_on_to_the_same_records(
    whole: tuple[Path, dict[str, bytes], float], number: int, share: float
) -> None:
    folder, wanted, seconds = whole
    out = folder / f"stopped-{number}-{share}"
    run = begin(folder, "run", "study.yaml", "--out", str(out))
    time.sleep(share * seconds)
    run.send_signal(number)
    said, err = run.communicate(timeout=300)
    if run.returncode != 0:  # else it was done before
        settled(said, err, run.returncode, number)
    kept = records(out)
    assert {name: wanted[name] for name in kept} == kept
    again = begin(folder, "run", "study.yaml", "--out", str(out))
    _, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "in use" not in err
    assert records(out) == wanted


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to see that a signal is caught")
def test_a_run_that_waits_for_a_server_does_not_wait_to_stop(tmp_path: Path) -> None:
    asked, over = threading.Event(), threading.Event()
    served = Served(ScriptedModel({}, default=" The answer is heads.")).start()

    def hang(body: object) -> None:
        if isinstance(body, dict) and "max_tokens" in body:
            asked.set()
            over.wait(600)

    served.when = hang  # type: ignore[assignment]
    try:
        text = STUDY.replace("scripted:replies.json", served.spec) + "template: plain\ncontinuous: false\n"
        (tmp_path / "study.yaml").write_text(text)
        run = begin(tmp_path, "run", "study.yaml", "--out", "out")
        assert asked.wait(300)
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=300)
        settled(out, err, run.returncode, signal.SIGTERM)
        assert "0 of 12 cells done" in err
    finally:
        over.set()
        served.server.clear()
        served.server.stop()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to see that a signal is caught")
def test_a_tuning_that_is_stopped_says_what_is_lost(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TUNED)
    run = begin(tmp_path, "run", "study.yaml", "--out", "out")
    lines: list[str] = []
    assert run.stderr is not None
    for line in run.stderr:
        lines.append(line)
        if "· tuning " in line:
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=300)
    settled(out, "".join(lines) + err, run.returncode, signal.SIGINT)
    assert "the tuning that was under way loses a minute at most" in err
    assert [path.name for path in (tmp_path / "out").glob(".lease*")] == []


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Codes with which the process would have ended; here it goes on with a SystemExit."""
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    given = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    before = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    for one, handler in before.items():  # whoever started the tests in the background had Ctrl-C ignored
        signal.signal(one, handler)
    yield codes
    now = {one: signal.getsignal(one) for one in before}
    for one, handler in given.items():
        signal.signal(one, handler)
    assert now == before


def test_what_python_swallows_is_sent_again(exits: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    class Closing:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(10_000):  # somewhere here it arrives, and an exception in a destructor goes nowhere
                pass

    def work() -> None:
        one = Closing()
        del one
        time.sleep(60)

    with pytest.raises(SystemExit):
        stoppable(work)
    assert exits == [143]
    assert capsys.readouterr().err == "onset: stopped; what was finished is kept, run again to go on\n"


def test_a_second_signal_does_not_wait_for_the_first(exits: list[int]) -> None:
    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        except Stopped:
            os.kill(os.getpid(), signal.SIGTERM)  # while what is finished is counted, say
            time.sleep(60)

    with pytest.raises(SystemExit):
        stoppable(work)
    assert exits[0] == 143


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_command_is_done_changes_nothing(number: int) -> None:
    late = f"import atexit, os, sys; atexit.register(os.kill, os.getpid(), {int(number)})\n"
    command = "from onset.__main__ import main; sys.argv = ['onset', '--version']; main()"
    run = subprocess.run([sys.executable, "-c", late + command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("onset ")
