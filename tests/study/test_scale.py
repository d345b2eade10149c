"""The simulation of a study past one machine: its parts by hand, and that it grows as it should."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
import scale  # type: ignore[import-not-found]

ROOMY = scale.Device(hours=1e12)


def test_a_job_has_the_operations_of_its_methods() -> None:
    items, params = 100, 1e9
    prompts = sum(
        2 * params * (one.own * items + one.share) * scale.SHIFTS for one in scale.METHODS if one.share
    ) + sum(
        2 * params * one.own * items * scale.SHIFTS for one in scale.METHODS if not one.share
    )  # a beginning is run once for each test set, not for each item
    written = sum(2 * params * one.written * one.samples * items * scale.SHIFTS for one in scale.METHODS)
    tuned = sum(4 * params * one.steps * 8 * scale.TEXT for one in scale.METHODS if one.tune == "lora")
    assert scale.job(params, items, ROOMY).flops == pytest.approx(prompts + written + tuned)


@pytest.mark.parametrize(("params", "devices"), [(1e9, 1), (25e9, 1), (32e9, 2), (70e9, 4)])
def test_a_model_takes_as_many_devices_as_hold_it(params: float, devices: int) -> None:
    assert scale.group_of(params, ROOMY) == devices
    assert 2 * params < devices * ROOMY.memory


def test_jobs_are_dealt_to_what_is_free() -> None:
    jobs = [scale.Job(1, seconds, 0.0) for seconds in (5.0, 3.0, 2.0, 2.0)] + [scale.Job(2, 10.0, 0.0)]
    assert scale.run(jobs, 2, ROOMY) == (pytest.approx(17.0), pytest.approx(32.0), 0)


def test_devices_that_fail_cost_time() -> None:
    jobs = [scale.Job(1, 3600.0, 0.0)] * 50
    whole, _, none = scale.run(jobs, 5, ROOMY)
    longer, _, some = scale.run(jobs, 5, replace(ROOMY, hours=5.0))
    assert none == 0 < some
    assert longer > whole


def test_ten_times_the_records_are_ten_times_the_disk_and_break_at_the_same_places() -> None:
    small, large = (scale.study(records, 64, ROOMY, scale.Measured()) for records in (1e7, 1e8))
    assert large["disk GB"] / small["disk GB"] == pytest.approx(large["records"] / small["records"])
    assert small["cells"] == large["cells"]
    places = [limit["records"] for limit in large["breaks"]]
    assert places == sorted(places)
    by_memory = [one["records"] for one in large["breaks"] if "GiB" in one["what"]]
    assert by_memory == [one["records"] for one in small["breaks"] if "GiB" in one["what"]]
    assert by_memory[1] == pytest.approx(16 * by_memory[0])
