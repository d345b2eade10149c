"""Which models are sizes of one family: only these may share a curve over size."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(?<![A-Za-z0-9.])\d+(?:\.\d+)?\s*[KMBT](?![A-Za-z0-9])", re.IGNORECASE)


def family_of(label: str, architecture: str) -> str:
    """The family of a model called ``label``: architecture and label without its size.

    Models of one architecture are many families (Llama and SmolLM2 are both ``llama``): what is trained alike
    is told by the name alone, so names that differ in more than their size are kept apart.

    >>> family_of("EleutherAI/pythia-70m", "gpt_neox"), family_of("SmolLM2-135M-Instruct", "llama")
    ('gpt_neox:EleutherAI/pythia', 'llama:SmolLM2-Instruct')
    """
    name = _SIZE.sub("", label)
    return f"{architecture}:{re.sub(r'[-_ ]+(?=[-_ ]|$)', '', name)}"
