"""Equal folders give equal bytes, whatever the order of Python's sets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import ladder_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sizes, two methods, four shifts: sentences list sizes, methods and shifts."""
    methods = {"cot": (0.2, 0.5, 0.8), "lora-answers": (0.5, 0.6, 0.7)}
    truth = {
        ("addition", method, shift): shares
        for method, shares in methods.items()
        for shift in ("none", "typos", "domain", "order")
    }
    place = tmp_path_factory.mktemp("ladder")
    return ladder_results(place, truth, sizes=(20_000, 260_000, 3_300_000), items=30)


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "D", "--json"],
        pytest.param(["emergence", "D", "--json"], marks=pytest.mark.slow),
        pytest.param(
            ["compare", "D", "D", "--a", "method=cot", "--b", "method=lora-answers", "--json"], marks=pytest.mark.slow
        ),
    ],
    ids=lambda arguments: arguments[0],
)
def test_equal_folders_give_equal_bytes(folder: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "onset", *(str(folder) if one == "D" else one for one in arguments)]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": str(seed)})
        for seed in range(3)
    ]
    outputs = {one.communicate()[0] for one in runs}
    assert [one.returncode for one in runs] == [0] * 3
    assert len(outputs) == 1
