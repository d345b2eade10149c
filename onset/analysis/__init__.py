"""From records to findings in words: tables, paired comparisons, curves, costs. Never imports torch.

>>> analysis = analyse(load(Path("results")))  # doctest: +SKIP
>>> print(analysis.findings[0].sentence)  # doctest: +SKIP

The names below are resolved when they are first used: a curve needs none of them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onset.analysis.estimates.analysis import Analysis
    from onset.analysis.study import analyse, to_json, write_findings
    from onset.results.read import Results, load

__all__ = ["Analysis", "Results", "analyse", "load", "to_json", "write_findings"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'onset.analysis' has no attribute '{name}'")
    home = {"Analysis": "analysis.estimates.analysis", "Results": "results.read", "load": "results.read"}
    return getattr(importlib.import_module(f"onset.{home.get(name, 'analysis.study')}"), name)
