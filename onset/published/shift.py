"""Robustness: what is lost out of distribution, and complex demonstrations (claims 10 and 11)."""

from __future__ import annotations

from collections.abc import Sequence

from onset.published.claim import Claim
from onset.published.judge import Part
from onset.published.numbers import Figures, Rows
from onset.published.papers import FU, SI, YANG

# ---- 10 ------------------------------------------------------------------------------------------------------------

OUTSIDE = "out-of-distribution test"
INSIDE = "in-distribution test"

_PAIRS = {
    "BERT": ("bert-base-uncased", "bert-large-uncased"),
    "RoBERTa": ("roberta-base", "roberta-large"),
    "T5": ("t5-small", "t5-large"),
    "ELECTRA": ("electra-small-discriminator", "electra-large-discriminator"),
    "BART": ("bart-base", "bart-large"),
    "XLNet": ("xlnet-base-cased", "xlnet-large-cased"),
    "GPT-2": ("gpt2", "gpt2-large"),
}
"""Smallest and largest of a family."""


def _loss_parts(figures: Figures) -> list[Part]:
    return [*_prompted(figures.where(paper=SI)), *(_family(name, *models, figures) for name, models in _PAIRS.items())]


def _prompted(figures: Figures) -> list[Part]:
    """Of this comparison only one side is held; the part stays undecided until the other is."""
    shown = " and ".join(f"{one.value:g} on {one.dataset}" for one in list(figures.starting("metric", "EM"))[:2])
    words = f"prompted {shown}; the tuned RoBERTa of the same paper is not held"
    return [Part("GPT-3 prompted against RoBERTa tuned", "undecided", words)] if figures else []


def _family(name: str, small: str, large: str, figures: Figures) -> Part:
    """Does the large model of a family lose less, on most pairs of a training task and a test set?"""
    label = f"{name}, smallest and largest"
    sides = [figures.where(paper=YANG, model=model) for model in (small, large)]
    outside = [_by_test(side.where(setting=OUTSIDE)) for side in sides]
    tests = [test for test in outside[0] if test in outside[1]]
    if not tests:
        return Part(label, "undecided", "no figures held")
    better = sum(outside[1][test] > outside[0][test] for test in tests)
    inside = [_by_task(side.where(setting=INSIDE)) for side in sides]
    losses = [
        tuple(inside[side][_task(test)] - outside[side][test] for side in (0, 1))
        for test in tests
        if all(_task(test) in one for one in inside)
    ]
    if not losses:
        return Part(label, "undecided", f"large ahead on {better} of {len(tests)} shifted tests, no accuracy before")
    less = sum(large_loss < small_loss for small_loss, large_loss in losses)
    words = f"large loses less on {less} of {len(losses)} tests"
    return Part(label, "holds" if 2 * less > len(losses) else "fails", words, 100 * less / len(losses))


def _what_is_missing(figures: Figures) -> str:
    held = figures.where(paper=YANG)
    if held.where(setting=INSIDE):
        return ""
    ahead = total = 0
    for models in _PAIRS.values():
        small, large = (_by_test(held.where(model=model, setting=OUTSIDE)) for model in models)
        ahead += sum(large[test] > small[test] for test in small if test in large)
        total += sum(test in large for test in small)
    return f"large models are ahead on {ahead} of {total} shifted tests, but no accuracy before the shift is held"


def _by_test(figures: Figures) -> dict[str, float]:
    return {one.dataset: one.value for one in figures}


def _by_task(figures: Figures) -> dict[str, float]:
    return {_task(one.dataset): one.value for one in figures}


def _task(dataset: str) -> str:
    """``train:mnli -> test:snli`` -> ``train:mnli``."""
    return dataset.split(" -> ", maxsplit=1)[0]


# ---- 11 ------------------------------------------------------------------------------------------------------------

SIMPLE, COMPLEX = "simple demonstrations", "complex demonstrations"


def _complex_parts(figures: Figures) -> list[Part]:
    gains = figures.starting("metric", "average accuracy", "max accuracy")
    said = " and ".join(f"{one.value:g}" for one in gains)
    abstract = f"the abstract gives gains of {said} points and no figure behind them" if said else "no figures held"
    return [
        _complexity("in distribution", figures.where(setting=INSIDE), abstract),
        _complexity("under a shift", figures.where(setting=OUTSIDE), "no figures held"),
    ]


def _complexity(name: str, figures: Figures, missing: str) -> Part:
    simple, elaborate = figures.where(method=SIMPLE), figures.where(method=COMPLEX)
    gaps = [
        high.value - low.value
        for high in elaborate
        for low in simple
        if (high.dataset, high.model) == (low.dataset, low.model)
    ]
    if not gaps:
        return Part(name, "undecided", missing)
    ahead = sum(gap > 0 for gap in gaps)
    words = f"complex ahead in {ahead} of {len(gaps)} comparisons"
    return Part(name, "holds" if 2 * ahead > len(gaps) else "fails", words, sum(gaps) / len(gaps))


def _steps(figures: Figures) -> str:
    prompts = figures.where(dataset="GSM8K", table="released prompt file")
    shown = ", ".join(f"{one.value:g} in the {one.method}" for one in prompts)
    return f"steps per demonstration on GSM8K: {shown}" if shown else ""


CLAIMS: Sequence[Claim] = (
    Claim(
        id="large-models-lose-less",
        number="10",
        statement="Large models lose less out of distribution than small ones.",
        rows=(
            Rows(
                YANG,
                model=tuple(model for pair in _PAIRS.values() for model in pair),
                metric=("accuracy %",),
            ),
            Rows(SI, metric=("EM % (accuracy)",)),
        ),
        statistic="the share of shifted tests on which the large model loses less, in per cent",
        unit="comparisons",
        rule="most",
        parts=_loss_parts,
        note=_what_is_missing,
    ),
    Claim(
        id="complex-demonstrations",
        number="11",
        statement="Complex demonstrations beat simple ones, also out of distribution.",
        rows=(Rows(FU),),
        statistic="complex minus simple demonstrations, in points",
        unit="settings",
        rule="every",
        parts=_complex_parts,
        note=_steps,
    ),
)
