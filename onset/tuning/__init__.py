"""Tuning methods: how labelled examples change a model's weights. One file a method, one line in the table."""

from __future__ import annotations

from onset.registry import Entry, Registry
from onset.tuning.base import Tuner

TUNERS = Registry(
    "tuning method",
    {
        "full": Entry("onset.tuning.full:Full", "full fine-tuning: every weight of a copy of the model is trained"),
        "lora": Entry("onset.tuning.lora:LoRA", "low-rank adapters beside the frozen weights (Hu et al. 2021)"),
    },
)


def tuner(name: str) -> Tuner:
    """The tuning method called ``name`` with its default settings. Raises `UnknownName`."""
    method: Tuner = TUNERS.load(name)()
    return method
