"""Models of the Hugging Face hub and local folders: what is asked of their names. `onset.models.hf` is the model,
`onset.models.loading` loads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from onset.models.backend import Backend, LoadOptions, Size, under
from onset.models.configs import model_files, seen, size_of, template_of_files

if TYPE_CHECKING:
    from onset.models.text import TextModel


class Hub(Backend):
    """``ORG/NAME``, or a folder with config.json, safetensors and tokenizer.json."""

    written: ClassVar[str] = "ORG/NAME or FOLDER"

    def label(self, target: str) -> str:
        """The hub id, or the folder's name."""
        if _path_like(target) or Path(target).expanduser().is_dir():
            return Path(target).expanduser().resolve().name
        return target

    def rebase(self, target: str, folder: Path) -> str:
        """A path is a path still: a leading dot keeps a missing folder from being looked for on the hub."""
        if not _path_like(target) and not (folder / target).is_dir():
            return target
        path = under(target, folder)
        return path if path.startswith((".", "/")) else f"./{path}"

    def peek(self, target: str) -> Size:
        """From its configuration."""
        return size_of(_source(target))

    def template(self, target: str) -> Literal["chat", "plain"]:
        """From its configuration and tokenizer."""
        return template_of_files(_source(target), target)

    def identity(self, target: str) -> list[str] | None:
        """The files of a folder; a snapshot of the hub's cache is named by its commit."""
        where = _folder(target)
        if where is None or not (where / "config.json").is_file():
            return None
        if Path(target).expanduser().is_dir():
            return seen(model_files(where))
        weights = any(file.suffix in (".safetensors", ".bin") for file in model_files(where))
        return [target, where.name] if weights else None

    def revision(self, target: str) -> str | None:
        """The hash of its files."""
        from onset.models.facts import hash_files

        where = _folder(target)
        return None if where is None else hash_files(where)

    def open(self, target: str, options: LoadOptions) -> TextModel:
        """See `onset.models.loading.open_hf`."""
        from onset.models.loading import open_hf

        return open_hf(target, options)


HUB = Hub()


def _path_like(target: str) -> bool:
    return target.startswith((".", "/", "~"))


def _source(target: str) -> str:
    return str(Path(target).expanduser()) if target.startswith("~") else target


def _folder(target: str) -> Path | None:
    """A local folder, or the snapshot of a hub model in the cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    path = Path(target).expanduser()
    if path.is_dir():
        return path
    try:
        found = try_to_load_from_cache(target, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
