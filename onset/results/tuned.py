"""Tuned weights in a results folder: there as a whole, with what was said of their training, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.records import canonical_json
from onset.results.files import read_json, remove_folder, write_bytes, write_json, writing, writing_folder


class TunedFolder:
    """One tuned model's files; several cells may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def done(self) -> bool:
        """Are the weights here?"""
        return (self.folder / "tuning.json").exists()

    @property
    def checkpoint(self) -> Path:
        """The file that training writes its checkpoints to, until the weights are here."""
        return self.folder.with_name(f"{self.folder.name}.checkpoint")

    @property
    def samples(self) -> Path:
        """The file of what the base model writes to be tuned on, until the weights are here."""
        return self.folder.with_name(f"{self.folder.name}.samples.jsonl")

    @property
    def _diverged(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.diverged.json")

    def diverged(self, by: Mapping[str, Any]) -> tuple[dict[str, Any], Path] | None:
        """What was noted of a training that diverged, and where, if it was done ``by`` the same (`note_diverged`)."""
        if not self._diverged.exists():
            return None
        held = read_json(self._diverged)
        same = isinstance(held, dict) and held.get("by") == dict(by) and isinstance(held.get("diverged"), dict)
        return (held["diverged"], self._diverged) if same else None

    def note_diverged(self, what: Mapping[str, Any], by: Mapping[str, Any]) -> None:
        """Note that training diverged: ``what`` happened, and what it was done ``by`` (versions, device, base)."""
        with writing(self._diverged):
            self._diverged.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._diverged, {"diverged": dict(what), "by": dict(by)})

    def note_material(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Note how what is trained on came about, a line of JSON each: to be read by people, and by nothing else. It
        stays where the weights go.
        """
        path = self.folder.with_name(f"{self.folder.name}.material.jsonl")
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, "".join(f"{canonical_json(one)}\n" for one in rows).encode())

    def report(self) -> dict[str, Any]:
        """The fields of the `onset.tuning.base.TuningReport`."""
        held: dict[str, Any] = read_json(self.folder / "tuning.json")
        return held

    def template(self) -> dict[str, str | None] | None:
        """The chat template that they were trained with; None: in plain text."""
        path = self.folder / "template.json"
        held: dict[str, str | None] | None = read_json(path) if path.exists() else None
        return held

    def took(self) -> tuple[float | None, int | None]:
        """Wall time of the training, and the most memory that it held in bytes (`save`); each where it is known."""
        path = self.folder / "timing.json"
        held = read_json(path) if path.exists() else {}
        return held.get("seconds"), held.get("peak_bytes")

    def save(
        self,
        weights: Callable[[Path], None],
        report: Mapping[str, Any],
        seconds: float,
        template: Mapping[str, str | None] | None,
        peak: int | None = None,
    ) -> None:
        """Write everything: ``weights`` writes the model into the folder that it is given; ``seconds`` and ``peak``
        (bytes of memory; None: not measured): what the training took.
        """
        with writing_folder(self.folder) as scratch:
            weights(scratch)
            if template is not None:
                write_json(scratch / "template.json", dict(template))
            write_json(scratch / "timing.json", {"seconds": seconds, "peak_bytes": peak})
            write_json(scratch / "tuning.json", dict(report))
        with writing(self.folder):
            for left in (self.checkpoint, self.samples, self._diverged):
                left.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the weights; a crash leaves them whole or gone."""
        remove_folder(self.folder)
