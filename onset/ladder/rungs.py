"""The models of the ladder that come with the package: ordinary transformers Llama folders.

    r0 ... r7                   eight sizes, 22 thousand to 6.5 million parameters, one recipe
    r3-nocot, r4-nocot          no document with a chain of thought
    r3-noinst                   no document with an instruction
    r3-scarce, r4-scarce        chain of thought in 3 % of the tokens, no instructions, more code
    r3-scarce-nocode, r4-...    the same with all code replaced by plain statements

Each folder also holds ``onset.json``: the model's family, its stage and what it was trained on. `MODEL_CARD.md` beside
them says where they come from and what they are not.
"""

from __future__ import annotations

from pathlib import Path

from onset.errors import UnknownName

FAMILY = "onset-ladder"
RUNGS = tuple(f"r{place}" for place in range(8))
VARIANTS = (
    "r3-nocot",
    "r4-nocot",
    "r3-noinst",
    "r3-scarce",
    "r4-scarce",
    "r3-scarce-nocode",
    "r4-scarce-nocode",
)
NAMES = (*RUNGS, *VARIANTS)
WEIGHTS = Path(__file__).with_name("weights")


def folder(name: str) -> Path:
    """The folder of a model of the ladder, for plain transformers too. Raises UnknownName.

    >>> folder("r4").name
    'r4'
    """
    if name not in NAMES:
        raise UnknownName("model of the ladder", name, NAMES)
    return WEIGHTS / name
