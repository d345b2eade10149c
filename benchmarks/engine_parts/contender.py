"""A contender: a worker process in an interpreter of its own, asleep (SIGSTOP) except while it is asked something."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]


class Failed(Exception):
    """The contender could not do what it was asked; the message says where its log is."""


class Contender:
    """``name`` is also its module's: ``engine_parts.worker_NAME``. Times are seconds by the wall clock."""

    def __init__(self, name: str, python: Path, environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}-{time.time_ns()}.log"
        self._stderr = self.log.open("w")
        self.started = time.time()
        self.process = subprocess.Popen(
            [str(python), "-m", f"engine_parts.worker_{name.replace('-', '_')}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **environment},
            cwd=HERE,
            text=True,
            start_new_session=True,  # a process group, so that what it starts sleeps with it
        )

    def ask(self, command: str, **message: Any) -> dict[str, Any]:
        """Wake it, ask, put it to sleep again. Raises Failed."""
        self._signal(signal.SIGCONT)
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps({"command": command, **message}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"{self.name} ended (log: {self.log})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self.name}: {answer['error']} (log: {self.log})")
        self._signal(signal.SIGSTOP)
        return answer

    def load(self, **message: Any) -> dict[str, Any]:
        """Seconds from the start of the process until it was ready and until its first token; versions; threads."""
        answer = self.ask("load", **message)
        return {
            **answer,
            "ready": answer["ready"] - self.started,
            "first_token": answer["first_token"] - self.started,
        }

    def reset_peak(self) -> None:
        """Forget the peak memory so far, where the kernel allows it."""
        for process in self._group():
            try:
                (process / "clear_refs").write_text("5")
            except OSError:
                continue

    def peak(self) -> int:
        """Bytes: the most memory each of its processes has held, added up (pages they share count for each)."""
        return sum(1024 * _status(process, "VmHWM") for process in self._group())

    def close(self) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._stderr.close()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def _group(self) -> Iterator[Path]:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            except (OSError, ValueError, IndexError):
                continue
            if group == self.process.pid:
                yield folder


@contextmanager
def opened(name: str, python: Path, environment: Mapping[str, str], logs: Path) -> Iterator[Contender]:
    one = Contender(name, python, environment, logs)
    try:
        yield one
    finally:
        one.close()


def _status(process: Path, key: str) -> int:
    """A figure of /proc/PID/status, in KiB; 0 when the process has gone."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0)


def free_memory() -> int:
    """Bytes that can be had without swapping."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
