"""Tuning methods: how labelled examples change a model's weights. One file a method, one line in the table."""

from __future__ import annotations

from typing import Any

from onset.registry import Entry, Registry
from onset.step import read_step
from onset.tuning.base import Tuning

TUNERS = Registry(
    "tuning method",
    {
        "full": Entry("onset.tuning.full:Full", "full fine-tuning: every weight of a copy of the model is trained"),
        "lora": Entry("onset.tuning.lora:LoRA", "low-rank adapters beside the frozen weights (Hu et al. 2021)"),
    },
)


def tuner(value: Any, where: str = "'tune'") -> Tuning:
    """The tuning method that ``value`` names: a name of the table, or a mapping with ``kind`` and settings.

    Raises UnknownName for a name that is in no table, StudyError for settings that do not validate (``where`` begins
    the line).
    """
    method: Tuning = read_step(TUNERS, value, where)
    return method
