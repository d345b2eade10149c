"""The embedded ladder as models: ``ladder/r4`` (and ``ladder`` in a study: every rung, smallest first)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from onset.ladder.rungs import folder

if TYPE_CHECKING:
    from onset.models import LoadOptions
    from onset.models.hf import HFModel


def open_ladder(target: str, options: LoadOptions) -> HFModel:
    """The backend of ``ladder/NAME``; the default label is the whole name. Raises UnknownName."""
    from onset.models.hf import load_hf

    spec = f"ladder/{target}"
    return load_hf(spec, str(folder(target)), options.label or spec, replace(options, label=options.label or spec))
