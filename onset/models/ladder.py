"""The embedded ladder as models: ``ladder/r4`` (and ``ladder`` in a study: every rung, smallest first)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar

from onset.ladder.rungs import NAMES, folder
from onset.models.backend import Backend, LoadOptions, Size
from onset.models.configs import model_files, size_of

if TYPE_CHECKING:
    from onset.models.hf import HFModel


class Ladder(Backend):
    """``ladder/NAME``; the default label is the whole name. It has no chat template."""

    written: ClassVar[str] = "ladder/..."

    def inside(self) -> Sequence[str]:
        """Every model that is shipped."""
        return [self.label(one) for one in NAMES]

    def label(self, target: str) -> str:
        """The whole name."""
        return f"ladder/{target}"

    def peek(self, target: str) -> Size:
        """From its configuration."""
        return size_of(str(folder(target)))

    def identity(self, target: str) -> list[str] | None:
        """Onset's version, and its files' sizes: they are laid down by the installation, at any time."""
        files = model_files(folder(target))
        return [version("lm-onset"), *(f"{file.name} {file.stat().st_size}" for file in files)]

    def revision(self, target: str) -> str | None:
        """The hash of its files."""
        from onset.models.facts import hash_files

        return hash_files(folder(target))

    def open(self, target: str, options: LoadOptions) -> HFModel:
        """Raises UnknownName."""
        from onset.models.loading import load_hf

        label = options.label or self.label(target)
        return load_hf(self.label(target), str(folder(target)), label, replace(options, label=label))


LADDER = Ladder()
