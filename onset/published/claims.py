"""The table of claims, in the order of the essay. Adding one is a `Claim` in a module that `_MODULES` names.

What is in the table is checked by the conformance tests of ``tests/published/test_claims.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from typing import Any

from onset.errors import UnknownName
from onset.published.claim import Claim
from onset.published.numbers import Figures, published

_MODULES = ("reasoning", "scaling", "knowledge", "shift", "training", "tuning")


@cache
def all_claims() -> dict[str, Claim]:
    """Every claim by its id."""
    modules = (importlib.import_module(f"onset.published.{name}") for name in _MODULES)
    return {claim.id: claim for module in modules for claim in module.CLAIMS}


def claims(ids: Iterable[str] = ()) -> list[Claim]:
    """The claims with these ids, in the order given; all of them without ids. Raises `UnknownName`."""
    table = all_claims()
    wanted = list(ids) or list(table)
    for one in wanted:
        if one not in table:
            raise UnknownName("claim", one, table)
    return [table[one] for one in wanted]


def claims_json(ids: Iterable[str] = (), held: Figures | None = None) -> list[dict[str, Any]]:
    """What ``onset claims --json`` prints: each claim decided from ``held``, by default the figures shipped."""
    figures = published() if held is None else held
    return [claim.to_json(figures) for claim in claims(ids)]
