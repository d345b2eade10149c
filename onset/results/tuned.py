"""Tuned weights in a results folder: there as a whole, with what was said of their training, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.errors import Damaged, StoreError
from onset.records import canonical_json
from onset.results.files import Files, as_files, get_json, put_json, set_aside, set_folder_aside
from onset.results.sealed import seal, seal_lines

MARKER, TEMPLATE, TIMING = "tuning.json", "template.json", "timing.json"
SAID = (MARKER, TEMPLATE, TIMING)
"""Files that hold their own digest; of all others it is in `MARKER`."""

AGAIN = "run the study again: it is set aside, and this tuning alone is done again"
"""The remedy for damaged weights."""


def _nobody(_: str) -> None:
    pass


class TunedFolder:
    """One tuned model's files, in ``files``, the folder of all of them; several cells may use it. ``note`` is told of
    what is set aside.
    """

    def __init__(self, files: Files, tuned_id: str, note: Callable[[str], None] = _nobody) -> None:
        self._all = files
        self.files = files.at(tuned_id)
        self.id = tuned_id
        self._note = note

    @classmethod
    def of(cls, folder: Path) -> TunedFolder:
        """The tuned model in ``folder``."""
        return cls(as_files(folder.parent), folder.name)

    @property
    def done(self) -> bool:
        """Are the weights here?"""
        return self.files.exists(MARKER)

    @property
    def there(self) -> bool:
        """Is anything of them here?"""
        return self.done or bool(self._names())

    @property
    def set_aside(self) -> bool:
        """Were damaged weights set aside?"""
        return any(True for _ in self._all.names(f"{self.id}.damaged"))

    @property
    def checkpoint(self) -> Path:
        """The file that training writes its checkpoints to, until the weights are here."""
        return self._all.scratch(f"{self.id}.checkpoint")

    @property
    def samples(self) -> Path:
        """The file of what the base model writes to be tuned on, until the weights are here."""
        return self._all.scratch(f"{self.id}.samples.jsonl")

    def check_writer(self) -> None:
        """To be called before `checkpoint` or `samples` is changed. Raises StoreError where this run may change nothing
        any more.
        """
        self._all.check(self.id)

    @property
    def _diverged(self) -> str:
        return f"{self.id}.diverged.json"

    def settle(self, *, whole: bool) -> bool:
        """`done`, after setting the weights aside where they are damaged: with ``whole`` every byte is read, else sizes
        are compared.
        """
        if not self.done:
            if self._names():
                aside = set_folder_aside(self._all, self.id, MARKER)
                self._note(f"damaged folder {self.files.name()}: no {MARKER}; set aside in {aside}")
            return False
        try:
            self.check(whole=whole)
        except Damaged as error:
            aside = set_folder_aside(self._all, self.id, MARKER)
            self._note(f"damaged file {error.name}: {error.why}; set aside in {aside}, this tuning is done again")
            return False
        return True

    def check(self, *, whole: bool) -> None:
        """Raises Damaged, with the remedy, where a file is not as it was written; without ``whole`` the weights' sizes
        alone are looked at.
        """
        held = self._json(MARKER)
        if self.files.exists(TEMPLATE):
            self._json(TEMPLATE)
        for name, told in held.get("files", {}).items():  # formats 1 and 2 did not say
            try:
                if self.files.size(name) != told["bytes"]:
                    raise self._damaged(name, f"{self.files.size(name)} bytes, {MARKER} says {told['bytes']}")
                if whole and self.files.digest(name) != told["sha256"]:
                    raise self._damaged(name, f"its SHA-256 is not the one in {MARKER}")
            except FileNotFoundError:
                raise self._damaged(name, "it is missing") from None

    def diverged(self, by: Mapping[str, Any]) -> tuple[dict[str, Any], str] | None:
        """What was noted of a training that diverged, and where, if it was done ``by`` the same (`note_diverged`)."""
        if not self._all.exists(self._diverged):
            return None
        try:
            held = get_json(self._all, self._diverged)
        except Damaged as error:
            self._note(f"{error}; set aside as {set_aside(self._all, self._diverged)}")
            return None
        same = held.get("by") == dict(by) and isinstance(held.get("diverged"), dict)
        return (held["diverged"], self._all.name(self._diverged)) if same else None

    def note_diverged(self, what: Mapping[str, Any], by: Mapping[str, Any]) -> None:
        """Note that training diverged: ``what`` happened, and what it was done ``by`` (versions, device, base)."""
        put_json(self._all, self._diverged, {"diverged": dict(what), "by": dict(by)})

    def note_material(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Note how what is trained on came about, a line of JSON each: to be read by people, and by nothing else. It
        stays where the weights go.
        """
        self._all.put(f"{self.id}.material.jsonl", seal_lines(canonical_json(one) for one in rows))

    def report(self) -> dict[str, Any]:
        """The fields of the `onset.tuning.base.TuningReport`. Raises Damaged."""
        held = self._json(MARKER)
        held.pop("files", None)
        return held

    def template(self) -> dict[str, str | None] | None:
        """The chat template that they were trained with; None: in plain text. Raises Damaged."""
        return self._json(TEMPLATE) if self.files.exists(TEMPLATE) else None

    def took(self) -> tuple[float | None, int | None]:
        """Wall time of the training, and the most memory that it held in bytes (`save`); each where it is known."""
        if not self.files.exists(TIMING):
            return None, None
        try:
            held = get_json(self.files, TIMING)
        except Damaged as error:
            self._note(f"{error}; set aside as {set_aside(self.files, TIMING)}; how long it took is not known")
            return None, None
        return held.get("seconds"), held.get("peak_bytes")

    def bytes(self) -> int | None:
        """Size of all its files; None where the weights were not kept. Raises Damaged where one is not whole."""
        if not self.done:
            return None
        self.check(whole=False)
        return sum(self.files.size(one) for one in self._names())

    def local(self) -> Path:
        """A real folder with the weights. Raises StoreError where they are fetched and not what is in the store."""
        place = self._all.local(self.id)
        if str(place) != self.files.name():
            try:
                TunedFolder.of(place).check(whole=True)
            except Damaged as error:
                raise StoreError(
                    f"{self.files.name()} was not fetched as it is there ({error.name}: {error.why}); run again"
                ) from error
        return place

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
        with self._all.put_folder(self.id, MARKER) as scratch:
            weights(scratch)
            made = as_files(scratch)
            if template is not None:
                made.put(TEMPLATE, seal(template), synced=False)
            made.put(TIMING, seal({"seconds": seconds, "peak_bytes": peak}), synced=False)
            made.put(MARKER, seal({**report, "files": digests(made)}), synced=False)
        for left in (self.checkpoint, self.samples):
            left.unlink(missing_ok=True)
        self._all.remove(self._diverged)

    def discard(self) -> None:
        """Remove the weights; a crash leaves them whole or gone."""
        self._all.remove_folder(self.id, MARKER)

    def _names(self) -> list[str]:
        return list(self.files.names())

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return get_json(self.files, name)
        except Damaged as error:
            raise Damaged(error.name, error.why, AGAIN) from error

    def _damaged(self, name: str, why: str) -> Damaged:
        return Damaged(self.files.name(name), why, AGAIN)


def digests(files: Files) -> dict[str, dict[str, Any]]:
    """Bytes and SHA-256 of all files that do not hold their own digest."""
    names = sorted(one for one in files.names() if one not in SAID)
    return {one: {"bytes": files.size(one), "sha256": files.digest(one)} for one in names}
