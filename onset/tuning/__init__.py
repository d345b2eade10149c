"""Tuning methods: how labelled examples change a model's weights, and what of them is trained on. One file each, one
line in its table.
"""

from __future__ import annotations

from typing import Any

from onset.registry import Entry, Registry
from onset.step import read_step
from onset.tuning.base import Tuning
from onset.tuning.materials.base import Material

TUNERS = Registry(
    "tuning method",
    {
        "full": Entry("onset.tuning.full:Full", "full fine-tuning: every weight of a copy of the model is trained"),
        "lora": Entry("onset.tuning.lora:LoRA", "low-rank adapters beside the frozen weights (Hu et al. 2021)"),
        "bitfit": Entry("onset.tuning.bitfit:BitFit", "the bias terms alone, of models that have some"),
        "ia3": Entry("onset.tuning.ia3:IA3", "vectors that scale keys, values and inner activations (Liu et al. 2022)"),
        "prefix-tuning": Entry("onset.tuning.prefix:PrefixTuning", "keys and values before the text, in every layer"),
        "sequential-adapter": Entry(
            "onset.tuning.adapter:SequentialAdapter", "bottlenecks after the layers (Houlsby 2019, Pfeiffer 2021)"
        ),
        "parallel-adapter": Entry(
            "onset.tuning.adapter:ParallelAdapter", "bottlenecks beside the feed-forward parts (He et al. 2022)"
        ),
        "mam": Entry("onset.tuning.mam:MAM", "mix-and-match: a prefix and scaled parallel adapters (He et al. 2022)"),
        "prompt-tuning": Entry("onset.tuning.prompt:PromptTuning", "embeddings before the text: a soft prompt"),
    },
)

MATERIALS = Registry(
    "material to tune on",
    {
        "answers": Entry("onset.tuning.materials.answers:Answers", "the examples' answers"),
        "rationales": Entry("onset.tuning.materials.rationales:Rationales", "the examples' worked steps and answers"),
        "few-shot": Entry(
            "onset.tuning.materials.few_shot:FewShot", "prompts that hold demonstrations, as few-shot ones"
        ),
        "distilled": Entry(
            "onset.tuning.materials.distilled:Distilled", "the few-shot prompt: what the base model says after it"
        ),
        "self-improvement": Entry(
            "onset.tuning.materials.self_improvement:SelfImprovement",
            "the base model's own steps that lead to the majority's answer",
        ),
    },
)

STAGES = Registry(
    "stage of training",
    {
        "corpus": Entry(
            "onset.tuning.stages.corpus:Corpus",
            "training of all weights on a corpus of your own, or a mixture of several, before any example",
        ),
        "multi-format": Entry(
            "onset.tuning.stages.multi_format:MultiFormat",
            "training on questions of several formats in UnifiedQA's encoding",
        ),
        "preference": Entry(
            "onset.tuning.stages.preference:Preference",
            "preference tuning (DPO) on pairs of a chosen and a rejected text",
        ),
        "reinforcement": Entry(
            "onset.tuning.stages.reinforcement:Reinforcement",
            "reinforcement learning (GRPO) from right and wrong answers to a task's pool",
        ),
    },
)


def tuner(value: Any, where: str = "'tune'") -> Tuning:
    """The tuning method that ``value`` names: a name of the table, or a mapping with ``kind`` and settings.

    Raises UnknownName for a name that is in no table, StudyError for settings that do not validate (``where`` begins
    the line).
    """
    method: Tuning = read_step(TUNERS, value, where)
    return method


def material(value: Any, where: str = "'on'") -> Material:
    """What is trained on, as ``value`` names it: a name of the table, or a mapping with ``kind`` and settings.

    Raises as `tuner` does.
    """
    what: Material = read_step(MATERIALS, value, where)
    return what
