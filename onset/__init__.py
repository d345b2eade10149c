"""Onset: prompt or tune, how large, and does it survive a shift? Fair comparisons with intervals.

>>> import onset
>>> study = onset.make_study(name="demo", models=["./my-model"], tasks=["addition"], methods=["answer-only", "cot"],
...                          labels=[8], seeds=3, items=100)
>>> onset.run(study, "results")                     # doctest: +SKIP
>>> onset.analyse(onset.load("results")).findings   # doctest: +SKIP

Importing Onset imports nothing heavy: every name below is resolved when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "Item": "onset.records",
    "Request": "onset.records",
    "Completion": "onset.records",
    "Pair": "onset.records",
    "Scored": "onset.records",
    "Record": "onset.records",
    "Task": "onset.tasks.base",
    "open_tasks": "onset.tasks",
    "Model": "onset.models.base",
    "ModelFacts": "onset.models.base",
    "open_model": "onset.models",
    "open_tuned": "onset.study.tuned",
    "open_verifier": "onset.study.tuned",
    "ScriptedModel": "onset.models.scripted",
    "Method": "onset.methods",
    "method": "onset.methods",
    "make_plan": "onset.plan",
    "Study": "onset.study.spec",
    "make_study": "onset.study.spec",
    "read_study": "onset.study.spec",
    "run": "onset.study.runner",
    "open_executor": "onset.executors",
    "grade": "onset.grading",
    "load": "onset.results.read",
    "analyse": "onset.analysis.study",
    "Wanted": "onset.analysis.estimates.advice",
    "advise": "onset.analysis.estimates.advice",
    "build_report": "onset.report.html",
    "read_outcomes": "onset.read",
    "read_measured": "onset.read",
    "compare_sets": "onset.analysis.contrast.sets",
    "read_points": "onset.read",
    "curves_of": "onset.analysis.curves.series",
    "emergence_of": "onset.analysis.emergence.verdict",
    "overview": "onset.analysis.emergence.overview",
    "claims_json": "onset.published.claims",
    "OnsetError": "onset.errors",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("lm-onset")
    raise AttributeError(f"module 'onset' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
