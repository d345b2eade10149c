"""Tuned weights in a results folder: there as a whole, with what was said of their training, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.records import canonical_json
from onset.results.files import read_json, remove_folder, write_bytes, write_json, writing_folder


class TunedFolder:
    """One tuned model's files; several cells may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def done(self) -> bool:
        """Are the weights here?"""
        return (self.folder / "tuning.json").exists()

    def report(self) -> dict[str, Any]:
        """The fields of the `onset.tuning.base.TuningReport`."""
        held: dict[str, Any] = read_json(self.folder / "tuning.json")
        return held

    def template(self) -> dict[str, str | None] | None:
        """The chat template that they were trained with; None: in plain text."""
        path = self.folder / "template.json"
        held: dict[str, str | None] | None = read_json(path) if path.exists() else None
        return held

    def seconds(self) -> float | None:
        """Wall time of the training, where it was written."""
        path = self.folder / "timing.json"
        return float(read_json(path)["seconds"]) if path.exists() else None

    def save(
        self,
        weights: Callable[[Path], None],
        report: Mapping[str, Any],
        seconds: float,
        template: Mapping[str, str | None] | None,
    ) -> None:
        """Write everything: ``weights`` writes the model into the folder that it is given."""
        with writing_folder(self.folder) as scratch:
            weights(scratch)
            if template is not None:
                write_json(scratch / "template.json", dict(template))
            write_json(scratch / "timing.json", {"seconds": seconds})
            write_json(scratch / "tuning.json", dict(report))

    def discard(self) -> None:
        """Remove the weights; a crash leaves them whole or gone."""
        remove_folder(self.folder)


def write_material(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """How some of what was trained on came about, a line of JSON each, beside the weights in ``folder``: to be read by
    people, and by nothing else.
    """
    write_bytes(folder / "material.jsonl", "".join(f"{canonical_json(one)}\n" for one in rows).encode())
