"""The command, called in this process, and a small study to call it on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onset.cli import main

RULES = {"rules": [{"contains": "heads", "text": " The answer is heads."}], "default": " The answer is tails."}

STUDY = """
name: coins
models: ["scripted:replies.json"]
tasks: [{name: coin-flip, flips: 2, pool: 40, test: 30}]
methods: [answer-only, cot, {prompt: cot, vote: {samples: 3}}]
labels: [2, 4]
seeds: 2
items: 30
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    capsys.readouterr()
    code: int | str | None = 0
    try:
        main(arguments)
    except SystemExit as ended:
        code = ended.code
    shown = capsys.readouterr()
    return int(code or 0), shown.out, shown.err


def shown_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    return json.loads(out)
