"""The most memory that a step held: against arrays of known size, in every way that it is measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from onset.study import memory
from onset.study.memory import Peak

MB = 10**6
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the pages of a process are read from /proc")


def step(size: int) -> int:
    """What `Peak` says of a step that holds ``size`` bytes and lets them go."""
    with Peak("cpu") as peak:
        held = np.ones(size, dtype=np.uint8)
        assert held[-1] == 1
        del held
    assert peak.bytes is not None
    return peak.bytes


@linux
@pytest.mark.parametrize("allowed", [True, False])
def test_a_step_is_charged_what_it_holds_and_the_next_one_is_not(
    allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not allowed:
        monkeypatch.setattr(memory, "_set_back", lambda: False)
    before = memory._pages()
    assert before is not None
    large, small = step(400 * MB), step(10 * MB)
    assert large - before == pytest.approx(400 * MB, abs=60 * MB)
    assert small < before + 100 * MB


@linux
def test_what_is_said_within_a_step_only_rises() -> None:
    with Peak("cpu") as peak:
        first = peak.bytes
        held = np.ones(200 * MB, dtype=np.uint8)
        second = peak.bytes
        del held
        third = peak.bytes
    behind = np.ones(400 * MB, dtype=np.uint8)
    assert behind[-1] == 1
    assert peak.bytes == third
    assert first is not None
    assert second is not None
    assert third is not None
    assert first + 150 * MB < second <= third


@linux
def test_a_mark_that_does_not_go_back_is_not_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As of a system that takes the command and does nothing: pages are counted instead."""
    real = Path("/proc/self")
    (tmp_path / "status").write_text("VmHWM:\t999999999 kB\n")
    (tmp_path / "statm").write_text((real / "statm").read_text())
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    with Peak("cpu") as peak:
        pass
    assert peak.bytes == int((tmp_path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("device", ["server", "mps"])
def test_elsewhere_nothing_is_measured(device: str) -> None:
    with Peak(device) as peak:
        pass
    assert peak.bytes is None


def test_without_proc_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_PROC", tmp_path / "none")
    with Peak("cpu") as peak:
        pass
    assert peak.bytes is None


def test_a_gpu_is_asked_for_what_its_tensors_took() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    with Peak("cuda") as peak:
        held = torch.ones(50 * MB, dtype=torch.float32, device="cuda")
        del held
    assert peak.bytes == pytest.approx(200 * MB, abs=20 * MB)
