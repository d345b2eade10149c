"""What stages of training took, in the terminal: a line a stage, in the order in which a model went through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import number
from onset.report.tables import WIDE, add_row, heading, table
from onset.report.words import DASH, count, flops, share


def print_training(shown: Mapping[str, Any], console: Console) -> None:
    """Steps, tokens, FLOPs and loss (first and last tenth) of every stage that a study made; of one that learnt from
    rewards the rewards in place of its loss, which says nothing of how far it is, and how many answers were right.
    Nothing where there is none.

    ``shown``: what ``onset show --json`` prints.
    """
    stages: dict[str, tuple[str, str, Mapping[str, Any]]] = {}
    for cell in shown["cells"]:
        chain = (cell.get("made") or {"stages": ()})["stages"]
        for at, one in enumerate(chain):
            names = ", ".join(each["name"] for each in chain[: at + 1])
            stages.setdefault(one["made"], (cell["model"].removesuffix(f" ({cell['stage']})"), names, one))
    if not stages:
        return
    wide = console.width >= WIDE
    heading(console, "Stages of training (loss and right answers: first and last tenth of the steps)")
    kind = [("Kind", "name")] if wide else []
    heads = [("Stage", "name"), *kind, ("Steps", "n"), ("Tokens", "n"), ("FLOPs", "n"), ("Loss", "n"), ("Right", "n")]
    for model in dict.fromkeys(model for model, *_ in stages.values()):
        drawn = table(heads)
        for its, names, one in stages.values():
            if its == model:
                add_row(drawn, names, *_values(one, wide=wide))
        console.print()
        console.print(Text(model, style="underline"))
        console.print(drawn)


def _values(one: Mapping[str, Any], *, wide: bool) -> list[str | int]:
    training, step = one["training"], one["step"]
    right = training.get("detail", {}).get("right")
    kind = ", ".join(filter(None, [step.get("kind", "corpus"), step.get("control")]))
    return [
        *([kind] if wide else []),
        training["steps"],
        count(training["tokens"]),
        flops(training["flops"]),
        _learnt(training),
        f"{number(100 * right[0])} to {share(right[1])}" if isinstance(right, list) else DASH,
    ]


def _learnt(training: Mapping[str, Any]) -> str:
    """What training brought down, or up: the loss, or the reward."""
    reward = training.get("detail", {}).get("reward")
    first, last = (training["first_loss"], training["last_loss"]) if reward is None else reward
    said = f"{number(first, 2)} to {number(last, 2)}"
    return said if reward is None else f"reward {said}"
