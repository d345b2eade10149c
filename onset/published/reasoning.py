"""Chain of thought on arithmetic and reasoning: from which size, against what, along which path (claims 1 to 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from onset.analysis.words import listed, number, short_count
from onset.published.claim import Claim
from onset.published.judge import (
    Difference,
    Part,
    State,
    above,
    agreed,
    all_of,
    compared,
    crossover,
    difference,
    little,
    nearest,
    pairs_of,
    pairs_words,
    value_words,
)
from onset.published.numbers import Figures, Rows
from onset.published.papers import CHUNG, COBBE, COBBE_IN_WANG, FU, HUANG, LLAMA, SUZGUN, WANG, WEI

SMALL = 10_000_000_000
"""Models of so many parameters or fewer are the small ones of claim 1."""

JUMP = 10.0
"""Points by which chain of thought is ahead at the largest size where it is said to jump."""

OVERTAKES = 62_000_000_000
BEATS_TUNED = 175_000_000_000

ESSAYS_COT = 56.6
"""What the essay quotes for PaLM with chain of thought on GSM8K."""

_FAMILIES = {"LaMDA": "LaMDA", "GPT": "GPT-3/InstructGPT", "PaLM": "PaLM"}

_PALM = ("PaLM", "PaLM/Minerva")

_COT = (
    "chain-of-thought prompting",
    "CoT-prompting (greedy)",
    "CoT-prompting, w/o LMSI",
    "chain-of-thought",
)
_DIRECT = ("standard prompting", "standard prompting, w/o LMSI", "answer-only (No CoT)")

_COMPLEX = "complexity-based prompting + voting"
"""No figure of it is held yet (`papers.FU` gives an average in its abstract)."""

_GSM8K_COT_ELSEWHERE = (
    Rows(WANG, table=("Table 2",), dataset=("GSM8K",), family=("LaMDA", "PaLM"), method=("CoT-prompting (greedy)",)),
    Rows(HUANG, table=("Table 7",), dataset=("GSM8K",), method=("CoT-prompting, w/o LMSI",)),
    Rows(LLAMA, dataset=("GSM8K",), model=("PaLM 8B", "PaLM 62B", "PaLM 540B")),
)
_GSM8K = (
    Rows(
        WEI,
        table=("Table 2 (App. B)",),
        dataset=("GSM8K",),
        family=tuple(_FAMILIES.values()),
        method=("standard prompting", "chain-of-thought prompting"),
    ),
    *_GSM8K_COT_ELSEWHERE,
    Rows(HUANG, table=("Table 3",), dataset=("GSM8K",), method=("standard prompting, w/o LMSI",)),
)


def _with_cot(figures: Figures) -> Figures:
    """Chain of thought without a vote; the reprint of PaLM's figures calls it greedy."""
    return Figures(one for one in figures if one.method in _COT or one.paper == LLAMA)


# ---- 1 -------------------------------------------------------------------------------------------------------------


def _jump_parts(figures: Figures) -> list[Part]:
    return [_jump_part(name, _gsm8k_family(figures, family)) for name, family in _FAMILIES.items()]


def _gsm8k_family(figures: Figures, family: str) -> Figures:
    """A family's figures; the reprint of PaLM's stands under the name of the paper's own family."""
    return figures.where(dataset="GSM8K", family=_PALM if family == "PaLM" else family)


def _sides(figures: Figures, size: int) -> tuple[Figures, Figures]:
    """(chain of thought, answer-only) at one size, each in one source or more."""
    here = figures.where(params=size)
    return _with_cot(here), here.where(method=_DIRECT)


def _jump_part(name: str, figures: Figures) -> Part:
    sides = {size: _sides(figures, size) for size in figures.sizes()}
    held = [size for size, (cot, direct) in sides.items() if cot and direct]
    small = [size for size in held if size <= SMALL]
    if not small or held[-1] <= SMALL:
        return Part(name, "undecided", "small and large sizes are not both held")
    largest = pairs_of(*sides[held[-1]])
    states = [agreed(little(one) for one in pairs_of(*sides[size])) for size in small]
    jumps = [_jumps(one) for one in largest]
    gain = {size: nearest(pairs_of(*sides[size])) for size in held}
    steps = {pair: gain[pair[1]].estimate - gain[pair[0]].estimate for pair in pairwise(held)}
    low, high = max(steps, key=lambda pair: steps[pair])
    most = max((one for size in small for one in pairs_of(*sides[size])), key=lambda one: one.estimate)
    ahead = pairs_words(largest, apart=len(set(jumps)) > 1)
    brief = f"at {short_count(held[-1])} {ahead}; up to {short_count(small[-1])} at most {most.gap()}"
    words = f"{brief}; steepest step of the gain {number(steps[low, high])}, {short_count(low)} to {short_count(high)}"
    one = gain[held[-1]]
    return Part(name, all_of([*states, agreed(jumps)]), words, one.estimate, one.interval, brief)


def _jumps(one: Difference) -> State:
    low, high = one.interval or (one.estimate, one.estimate)
    if high < JUMP:
        return "fails"
    return "holds" if low > 0 and one.estimate >= JUMP else "undecided"


# ---- 2 -------------------------------------------------------------------------------------------------------------

_CHUNG_BENCHMARKS = ("BBH", "MMLU")
_CHUNG_LADDERS = {
    "PaLM": ("PaLM 8B", "PaLM 62B", "PaLM 540B"),
    "Flan-PaLM": ("Flan-PaLM 8B", "Flan-PaLM 62B", "Flan-PaLM 540B"),
    "Flan-T5": ("Flan-T5-Small", "Flan-T5-Base", "Flan-T5-Large", "Flan-T5-XL", "Flan-T5-XXL"),
}


def _overtakes_parts(figures: Figures) -> list[Part]:
    parts = []
    for name, family in _FAMILIES.items():
        own = _gsm8k_family(figures, family)
        parts.append(_crossing(f"{name} on GSM8K", {size: _sides(own, size) for size in own.sizes()}))
    for benchmark in _CHUNG_BENCHMARKS:
        for name, models in _CHUNG_LADDERS.items():
            own = figures.where(paper=CHUNG, dataset=benchmark, model=models)
            sides = {
                size: (
                    own.where(params=size, setting="few-shot CoT"),
                    own.where(params=size, setting="few-shot direct"),
                )
                for size in own.sizes()
            }
            parts.append(_crossing(f"{name} on {benchmark}", sides))
    bbh = figures.where(paper=SUZGUN)
    own = bbh.where(family="PaLM")
    parts.append(_crossing("PaLM on BBH (Suzgun)", {size: _sides(own, size) for size in own.sizes()}))
    parts += [_unsized(family, bbh.where(family=family)) for family in ("InstructGPT", "Codex")]
    return parts


def _crossing(name: str, sides: dict[int, tuple[Figures, Figures]], at: int = OVERTAKES) -> Part:
    held = {size: pair for size, pair in sorted(sides.items()) if pair[0] and pair[1]}
    if not held:
        return Part(name, "undecided", "no figures held")
    pairs = {size: pairs_of(*cells) for size, cells in held.items()}
    state, gap = crossover([(size, agreed(map(above, own))) for size, own in pairs.items()], at)
    around = [size for size in gap if size is not None] if gap[1] else [list(held)[-1]]
    where = "never ahead for good" if gap[1] is None else f"ahead for good from {short_count(gap[1])}"
    shown = " and ".join(f"at {short_count(size)} {pairs_words(pairs[size])}" for size in around)
    gaps = ", ".join(f"{nearest(pairs[size]).gap()} at {short_count(size)}" for size in around)
    ends = [nearest(pairs[size]) for size in around]
    # a size that is judged without an interval makes the whole part one that rests on values alone
    interval = ends[-1].interval if all(one.interval for one in ends) else None
    return Part(name, state, f"{where}: {shown}", ends[-1].estimate, interval, gaps)


def _unsized(family: str, figures: Figures) -> Part:
    name = f"{family} on BBH"
    shown = []
    for model in figures.values_of("model"):
        own = figures.where(model=model)
        cot, direct = own.where(method=_COT), own.where(method=_DIRECT)
        if cot and direct and own[0].params is None:
            shown.append(f"{model.removeprefix(family).strip()} {difference(cot[0], direct[0]).gap()}")
    return Part(name, "undecided", f"sizes not stated: {listed(shown)}" if shown else "no figures held")


# ---- 3 -------------------------------------------------------------------------------------------------------------

_TASKS = ("SVAMP", "ASDiv", "AQuA", "MAWPS", "CSQA", "StrategyQA")
_VERIFIER = ("finetuning + verifier", "verification", "finetuned GPT-3 + verifier")
_FINE_TUNED = ("finetuning (7.5k examples)", "finetuning")


def _tuned_parts(figures: Figures) -> list[Part]:
    parts = []
    for name in ("GPT", "PaLM"):
        own = figures.where(family=_PALM if name == "PaLM" else _FAMILIES[name])
        cot = _with_cot(own)
        on = cot.where(dataset="GSM8K")
        large = figures.where(dataset="GSM8K", family="GPT-3", params=BEATS_TUNED)
        parts.append(_against(f"{name} on GSM8K, fine-tuned GPT-3", on, large.where(method=_FINE_TUNED)))
        parts.append(_against(f"{name} on GSM8K, with a verifier", on, large.where(method=_VERIFIER)))
        tuned = figures.where(family=("finetuned SOTA", "supervised SOTA"))
        parts += [_against(f"{name} on {task}", cot.where(dataset=task), tuned.where(dataset=task)) for task in _TASKS]
    return parts


def _against(name: str, cot: Figures, tuned: Figures) -> Part:
    return _crossing(name, {size: (cot.where(params=size), tuned) for size in cot.sizes()}, BEATS_TUNED)


_TUNED_ROWS = (
    Rows(
        WEI,
        table=("Table 2 (App. B)", "Table 4 (App. B)"),
        dataset=("GSM8K", *_TASKS),
        family=("GPT-3/InstructGPT", "PaLM"),
        method=("chain-of-thought prompting",),
    ),
    *_GSM8K_COT_ELSEWHERE,
    Rows(
        WANG,
        table=("Table 2", "Table 3"),
        dataset=_TASKS,
        family=("PaLM", "supervised SOTA"),
        method=("CoT-prompting (greedy)", "previous SoTA"),
    ),
    Rows(WEI, table=("Table 1 (App. B)",), dataset=_TASKS, family=("finetuned SOTA",)),
    Rows(COBBE, table=("released model solutions",), model=("GPT-3 175B",)),
    Rows(COBBE_IN_WANG),
    Rows(WEI, table=("Figure 2",), family=("GPT-3",)),
)


# ---- 4 and 5 -------------------------------------------------------------------------------------------------------


def _path_parts(figures: Figures) -> list[Part]:
    on = figures.where(dataset="GSM8K")
    tuned = on.where(family="GPT-3", params=BEATS_TUNED, method=_FINE_TUNED)
    cot = _with_cot(on.where(family=_PALM, params=540_000_000_000))
    voted = on.where(family="PaLM", method=("self-consistency", "self-consistency, w/o LMSI"))
    complex_chains = on.where(method=_COMPLEX)
    return [
        compared("fine-tuned to chain of thought", cot, tuned),
        compared("chain of thought to voting", voted, cot),
        compared("voting to complex chains on Codex", complex_chains, voted)
        if complex_chains
        else Part("voting to complex chains on Codex", "undecided", "the figure of Fu et al. 2022 is not held"),
    ]


def _sources_of_the_path(figures: Figures) -> str:
    on = figures.where(dataset="GSM8K")
    tuned = on.where(family="GPT-3", params=BEATS_TUNED, method=_FINE_TUNED)
    cot = _with_cot(on.where(family=_PALM, params=540_000_000_000))
    said = [_alternatives("fine-tuned GPT-3", tuned), _alternatives("PaLM with chain of thought", cot)]
    if ESSAYS_COT not in {one.value for one in cot}:
        said.append(f"none prints {ESSAYS_COT}")
    return "the sources say " + listed([one for one in said if one])


def _alternatives(name: str, figures: Figures) -> str:
    values = sorted({one.value for one in figures})
    return f"{name} {' or '.join(f'{value:g}' for value in values)}" if values else ""


_PATH_ROWS = (
    Rows(COBBE, table=("released model solutions",), model=("GPT-3 175B",), method=("finetuning",)),
    Rows(COBBE_IN_WANG, method=("finetuning (7.5k examples)",)),
    Rows(WEI, table=("Figure 2",), method=("finetuning",)),
    Rows(WEI, table=("Table 2 (App. B)",), dataset=("GSM8K",), model=("PaLM 540B",), method=(_COT[0],)),
    Rows(
        WANG,
        table=("Table 2",),
        dataset=("GSM8K",),
        model=("PaLM-540B",),
        method=("CoT-prompting (greedy)", "self-consistency"),
    ),
    Rows(
        HUANG, table=("Table 3",), dataset=("GSM8K",), method=("CoT-prompting, w/o LMSI", "self-consistency, w/o LMSI")
    ),
    Rows(LLAMA, dataset=("GSM8K",), model=("PaLM 540B",)),
    Rows(FU, dataset=("GSM8K",), method=(_COMPLEX,)),
)


def _eight_parts(figures: Figures) -> list[Part]:
    on = figures.where(dataset="GSM8K")
    tuned = on.where(family="GPT-3", params=BEATS_TUNED, method=_FINE_TUNED)
    palm = _with_cot(on.where(family=_PALM))
    return [
        compared("GPT 175B (text-davinci-002)", on.where(family="GPT-3/InstructGPT", params=BEATS_TUNED), tuned),
        compared("PaLM 540B", palm.where(params=540_000_000_000), tuned),
    ]


def _eight_note(figures: Figures) -> str:
    on = figures.where(dataset="GSM8K")
    verified = on.where(family="GPT-3", params=BEATS_TUNED, method=_VERIFIER)
    prompted = [
        f"{name} {value_words(one[0])}"
        for name, one in (
            ("GPT 175B", on.where(family="GPT-3/InstructGPT")),
            ("PaLM 540B", on.where(paper=WEI, family="PaLM")),
        )
        if one
    ]
    values = " or ".join(f"{value:g}" for value in sorted({one.value for one in verified}))
    beside = f"with a verifier trained on the same set GPT-3 175B reaches {values} against {listed(prompted)}, and "
    return (beside if verified and prompted else "") + "no comparison is on one base model"


CLAIMS: Sequence[Claim] = (
    Claim(
        id="gsm8k-cot-jump",
        number="1",
        statement="On GSM8K chain of thought is at or below answer-only prompting for models of 10 billion parameters "
        "or fewer and at least 10 points ahead for the largest, in each of LaMDA, GPT and PaLM.",
        rows=_GSM8K,
        statistic="chain of thought minus answer-only, in points, at the largest size and at the small ones",
        unit="families",
        rule="every",
        parts=_jump_parts,
    ),
    Claim(
        id="cot-overtakes-at-62b",
        number="2",
        statement="Chain of thought overtakes answer-only prompting at 62 billion parameters.",
        rows=(
            *_GSM8K,
            Rows(
                CHUNG,
                table=("Table 5",),
                dataset=_CHUNG_BENCHMARKS,
                model=tuple(model for models in _CHUNG_LADDERS.values() for model in models),
                setting=("few-shot direct", "few-shot CoT"),
            ),
            Rows(
                SUZGUN,
                table=("Scaling figure (bbh-results.png)",),
                family=("PaLM", "InstructGPT", "Codex"),
                method=("answer-only (No CoT)", "chain-of-thought"),
            ),
        ),
        statistic="the two sizes between which chain of thought gets ahead for good; points at the upper one",
        unit="curves",
        rule="every",
        parts=_overtakes_parts,
    ),
    Claim(
        id="cot-beats-tuned-at-175b",
        number="3",
        statement="From 175 billion parameters on chain of thought beats the tuned models that were best before it.",
        rows=_TUNED_ROWS,
        statistic="the two sizes between which chain of thought gets ahead of the tuned model for good; points there",
        unit="pairs of family and task",
        rule="every",
        parts=_tuned_parts,
        note=lambda _: "no figure of a tuned T5-11B, which the essay names, is held",
    ),
    Claim(
        id="gsm8k-path",
        number="4",
        statement="On GSM8K accuracy rose from 35 (GPT-3 fine-tuned) to 56.6 (chain of thought on PaLM), 74.4 (with "
        "voting) and 82.9 (complex chains on Codex).",
        rows=_PATH_ROWS,
        statistic="rise of each step, in points",
        unit="steps",
        rule="every",
        parts=_path_parts,
        note=_sources_of_the_path,
    ),
    Claim(
        id="eight-demonstrations",
        number="5",
        statement="On GSM8K eight demonstrations with chain of thought beat fine-tuning on the whole training set.",
        rows=(
            *(row for row in _PATH_ROWS if row.paper not in (HUANG, WANG, FU)),
            Rows(
                WANG, table=("Table 2",), dataset=("GSM8K",), model=("PaLM-540B",), method=("CoT-prompting (greedy)",)
            ),
            Rows(WEI, table=("Table 2 (App. B)",), dataset=("GSM8K",), model=("GPT 175B",), method=(_COT[0],)),
            Rows(COBBE, table=("released model solutions",), model=("GPT-3 175B",), method=("verification",)),
            Rows(COBBE_IN_WANG, method=("finetuning + verifier",)),
        ),
        statistic="chain of thought minus fine-tuned GPT-3 175B, in points",
        unit="models",
        rule="every",
        parts=_eight_parts,
        note=_eight_note,
    ),
)
