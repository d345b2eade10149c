"""The figure library that a page carries."""

from __future__ import annotations

import sys

import pytest
import vl_convert

from onset.report import library
from onset.report.figures.pictures import schema_version


def test_another_process_makes_the_same_script(monkeypatch: pytest.MonkeyPatch) -> None:
    script = library._elsewhere(schema_version())
    assert script == vl_convert.javascript_bundle(library._START, vl_version=schema_version())
    for none in ("", "/nonexistent/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", none)
        assert library._elsewhere(schema_version()) is None
    assert library._bundled() == script
