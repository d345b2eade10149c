"""The table of curve families: every row against values written down once, and its curve against its unit."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onset.analysis.curves.shapes import FAMILIES, Family, LossPowerLaw, Ramp

X = np.linspace(7, 11, 9)
GOLDEN: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("golden_shapes.json").read_text())
ROWS = (*FAMILIES, LossPowerLaw, Ramp)


def test_every_family_has_golden_values() -> None:
    assert set(GOLDEN) == {family.name for family in ROWS}


@pytest.mark.parametrize("family", ROWS, ids=lambda family: family.name)
def test_a_family_is_what_it_was(family: Family) -> None:
    known = GOLDEN[family.name]
    assert (family.free, family.asymptotic) == (known["free"], known["asymptotic"])
    grid = family.grid(X)
    assert len(grid) == known["grid"][0]
    np.testing.assert_allclose(grid.sum(axis=0), known["grid"][1], rtol=1e-12)
    np.testing.assert_allclose(np.array(family.bounds(X)), np.array(known["bounds"]), rtol=1e-12)
    for one in known["shapes"]:
        shape = np.array(one["shape"])
        np.testing.assert_allclose(family.unit(X, shape[None])[0], one["unit"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(family.make(shape, 0.2, 0.05)(X), one["curve"], rtol=1e-9)
        np.testing.assert_allclose(family(*one["parameters"])(X), one["curve"], rtol=1e-9)
        assert len(one["parameters"]) == len(family.parameters)


@pytest.mark.parametrize("family", ROWS, ids=lambda family: family.name)
def test_a_curve_is_its_unit_scaled(family: Family) -> None:
    for shape in family.grid(X)[::7]:
        made = family.make(shape, 0.2, 0.05)
        np.testing.assert_allclose(made(X), 0.2 + 0.05 * family.unit(X, shape[None, :])[0], atol=1e-12)
        assert all(low <= value <= high for value, (low, high) in zip(shape, family.bounds(X), strict=True))
        values, low, span = family.scaled(X, shape)
        np.testing.assert_allclose(low + span * values, family.unit(X, shape[None, :])[0], atol=1e-9)


def test_a_family_stays_itself_from_process_to_process() -> None:
    for family in ROWS:
        assert pickle.loads(pickle.dumps(family)) is family
