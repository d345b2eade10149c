"""Which training made it appear: size alone, code, instructions, chains, self-improvement (claims 12 to 15)."""

from __future__ import annotations

from collections.abc import Sequence

from onset.published.claim import Claim
from onset.published.judge import Part, below, compared
from onset.published.numbers import Figures, Rows
from onset.published.papers import CHUNG, HUANG, SUZGUN, WEI

# ---- 12 ------------------------------------------------------------------------------------------------------------

ENOUGH = 170_000_000_000
_REFERENCE = "PaLM 62B"
_SUSPECTS = {"the GPT-3 of 2020": ("davinci", "GPT-3 175B"), "OPT": ("OPT",), "BLOOM": ("BLOOM",)}


def _size_parts(figures: Figures) -> list[Part]:
    """Does a model of 175 billion parameters do worse with a chain of thought than one of 62 billion?"""
    smaller = figures.where(model=_REFERENCE)
    return [_suspect(name, figures.starting("model", *models), smaller) for name, models in _SUSPECTS.items()]


def _suspect(name: str, figures: Figures, smaller: Figures) -> Part:
    if not figures:
        return Part(name, "undecided", "no figures held")
    one = figures[0]
    part = compared(name, Figures([one]), smaller.where(dataset=one.dataset), below)
    if one.params is None:
        words = f"{part.words} by {_REFERENCE} on {one.dataset}, but its size is not stated there"
        return Part(name, "undecided", words)
    return part if one.params >= ENOUGH else Part(name, "undecided", f"it has {one.params} parameters")


def _larger_and_worse(figures: Figures) -> str:
    large, small = figures.where(paper=WEI, model="LaMDA 137B"), figures.where(paper=WEI, model=_REFERENCE)
    if not large or not small:
        return ""
    part = compared("", large, small, below)
    return f"on GSM8K LaMDA 137B stays below {_REFERENCE} ({part.words})" if part.state == "holds" else ""


# ---- 13 ------------------------------------------------------------------------------------------------------------

_CODE_TASKS = (
    "GSM8K", "SVAMP", "ASDiv", "AQuA", "MAWPS", "CSQA", "StrategyQA", "Date Understanding", "Sports Understanding",
    "SayCan",
)  # fmt: skip
_PROMPTS = {"chain of thought": "chain-of-thought prompting", "answer-only": "standard prompting"}
_BBH_PROMPTS = {"chain of thought": "chain-of-thought", "answer-only": "answer-only (No CoT)"}
_BBH_PAIRS = {
    "001 models": ("Codex d-1 (code-davinci-001)", "InstructGPT d-1 (davinci-001)"),
    "002 models": ("Codex d-2 (code-davinci-002)", "InstructGPT d-2 (text-davinci-002)"),
}


def _code_parts(figures: Figures) -> list[Part]:
    parts = []
    for prompt, method in _PROMPTS.items():
        wei = figures.where(paper=WEI, method=method)
        for task in _CODE_TASKS:
            here = wei.where(dataset=task)
            parts.append(compared(f"{task}, {prompt}", here.where(model="Codex"), here.where(model="GPT 175B")))
    for prompt, method in _BBH_PROMPTS.items():
        for name, (code, text) in _BBH_PAIRS.items():
            here = figures.where(paper=SUZGUN, method=method)
            parts.append(compared(f"BBH, {prompt}, {name}", here.where(model=code), here.where(model=text)))
    for task in ("TyDiQA", "MGSM"):
        here = figures.where(paper=CHUNG, dataset=task)
        parts.append(compared(task, here.where(model="code-davinci-002"), here.where(model="text-davinci-002")))
    return parts


# ---- 14 ------------------------------------------------------------------------------------------------------------

_BENCHMARKS = ("MMLU", "BBH", "MGSM")
_WITH_COT = "few-shot CoT"
_SIZES = {"8B": 8_000_000_000, "62B": 62_000_000_000, "540B": 540_000_000_000}
_BEFORE, _CHAINS, _ALL = (
    f"finetuning mixture: {mixture}"
    for mixture in ("None (no finetuning) (0 tasks)", "CoT (9 tasks)", "CoT, Muffin, T0-SF, NIV2 (1836 tasks)")
)
_INSTRUCTED = (
    "T5-Small", "T5-Base", "T5-Large", "T5-XL", "T5-XXL", "PaLM 8B", "PaLM 62B", "PaLM 540B", "cont-PaLM 62B",
    "U-PaLM 540B",
)  # fmt: skip


def _instruction_parts(figures: Figures) -> list[Part]:
    parts = []
    for model in _INSTRUCTED:
        for benchmark in _BENCHMARKS:
            here = figures.where(dataset=benchmark, setting=_WITH_COT)
            after = [*here.where(model=f"Flan-{model}"), *here.where(model=model, method=_ALL)]
            before = here.where(model=model, method=("pretrained only (no Flan)", _BEFORE))
            parts.append(compared(f"{model} on {benchmark}", Figures(after), before))
    return parts


def _chain_parts(figures: Figures) -> list[Part]:
    parts = []
    for name, size in _SIZES.items():
        for benchmark in _BENCHMARKS:
            here = figures.where(dataset=benchmark, setting=_WITH_COT, params=size)
            after, before = here.where(method=_CHAINS), here.where(method=_BEFORE)
            parts.append(compared(f"PaLM {name} on {benchmark}", after, before))
    return parts


# ---- 15 ------------------------------------------------------------------------------------------------------------


def _self_parts(figures: Figures) -> list[Part]:
    after, before = (figures.where(method=f"CoT-prompting, {which} LMSI") for which in ("w.", "w/o"))
    return [
        compared(task, after.where(dataset=task), before.where(dataset=task)) for task in figures.values_of("dataset")
    ]


CLAIMS: Sequence[Claim] = (
    Claim(
        id="size-is-not-enough",
        number="12",
        statement="Size alone is not enough: OPT, BLOOM and the GPT-3 of 2020, all with about 175 billion parameters, "
        "do worse with a chain of thought than a model of 62 billion.",
        rows=(
            Rows(CHUNG, dataset=("MGSM",), setting=(_WITH_COT,), model=("davinci", "OPT 175B", "BLOOM 176B")),
            Rows(CHUNG, table=("Table 5",), dataset=("MGSM",), model=(_REFERENCE,)),
            Rows(
                WEI,
                table=("Table 2 (App. B)",),
                dataset=("GSM8K",),
                model=("LaMDA 137B", _REFERENCE),
                method=("chain-of-thought prompting",),
            ),
        ),
        statistic="chain of thought of the large model minus that of PaLM 62B, in points",
        unit="models",
        rule="every",
        parts=_size_parts,
        note=_larger_and_worse,
    ),
    Claim(
        id="code-beats-text",
        number="13",
        statement="As a rule models trained on code (Codex) beat their siblings trained on text (InstructGPT).",
        rows=(
            Rows(
                WEI,
                table=("Table 2 (App. B)", "Table 4 (App. B)"),
                dataset=_CODE_TASKS,
                model=("Codex", "GPT 175B"),
                method=tuple(_PROMPTS.values()),
            ),
            Rows(
                SUZGUN,
                table=("Scaling figure (bbh-results.png)",),
                model=tuple(model for pair in _BBH_PAIRS.values() for model in pair),
            ),
            Rows(CHUNG, table=("Table 20", "Table 21"), model=("code-davinci-002", "text-davinci-002")),
        ),
        statistic="the code model minus the text model, in points",
        unit="comparisons",
        rule="most",
        parts=_code_parts,
        note=lambda _: "the sources state neither the size of Codex nor what either model was trained on",
    ),
    Claim(
        id="instruction-tuning-raises-cot",
        number="14a",
        statement="As a rule instruction tuning (Flan, chains among its tasks) raises chain-of-thought performance.",
        rows=(
            Rows(
                CHUNG,
                table=("Table 5",),
                dataset=_BENCHMARKS,
                model=tuple(name for model in _INSTRUCTED for name in (model, f"Flan-{model}")),
                setting=(_WITH_COT,),
            ),
            Rows(CHUNG, table=("Table 3",), dataset=_BENCHMARKS, method=(_BEFORE, _ALL), setting=(_WITH_COT,)),
        ),
        statistic="with instruction tuning minus without, in points",
        unit="pairs of model and benchmark",
        rule="most",
        parts=_instruction_parts,
    ),
    Claim(
        id="cot-tuning-raises-cot",
        number="14b",
        statement="As a rule tuning on chains of thought alone raises chain-of-thought performance.",
        rows=(Rows(CHUNG, table=("Table 3",), dataset=_BENCHMARKS, method=(_BEFORE, _CHAINS), setting=(_WITH_COT,)),),
        statistic="tuned on nine chain-of-thought tasks minus not tuned, in points",
        unit="pairs of model and benchmark",
        rule="most",
        parts=_chain_parts,
    ),
    Claim(
        id="self-improvement-raises-cot",
        number="15",
        statement="As a rule self-improvement (tuning on the model's own voted chains) raises chain-of-thought "
        "performance.",
        rows=(
            Rows(
                HUANG,
                table=("Table 3", "Table 4 (out-of-domain)"),
                method=("CoT-prompting, w. LMSI", "CoT-prompting, w/o LMSI"),
            ),
        ),
        statistic="with self-improvement minus without, in points",
        unit="tasks",
        rule="most",
        parts=_self_parts,
    ),
)
