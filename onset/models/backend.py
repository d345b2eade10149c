"""The contract of a backend: what is asked of the name of a model, before it is opened and to open it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from onset.errors import StudyError
from onset.models.base import Model
from onset.untrusted import printable

DEFAULT_BATCH_TOKENS = 32768
"""Tokens whose keys and values are held at once: they take 1.2 GB for Gemma 3 270M in float32, 4 GB for a 7B model with
grouped queries in bfloat16."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a study says of a model that does not tell it itself: parameters (those each token is multiplied with), the
    longest sequence in tokens, and a word for the version of its weights. None: it says nothing.
    """

    params: int | None = None
    context: int | None = None
    revision: str | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The keys that are given."""
        return tuple(key for key in ("params", "context", "revision") if getattr(self, key) is not None)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load: ``label`` is the name in tables (None: the backend's default), ``device`` ``auto``
    (a GPU when there is one), ``cpu``, ``cuda``, ``cuda:1`` ...; ``dtype`` one of `onset.models.DTYPES`;
    ``batch_tokens`` the most tokens whose keys and values are held at once (what prompts have in common
    once, each row's own prompt and output); ``told``: what the model does not tell itself; ``rank``: the largest of the
    LoRA adapters that it will be asked with, where these are served beside its weights (0: none will be).
    """

    label: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_tokens: int = DEFAULT_BATCH_TOKENS
    told: Told = Told()
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """``params_compute``: parameters each token is multiplied with; ``context`` in tokens; None: not known."""

    params_compute: int | None
    context: int | None


class Backend(ABC):
    """A kind of model: one file, one line of `onset.models.BACKENDS`. ``target`` is what stands behind its prefix.

    ``written``: how a study writes one. ``local``: are its weights in files here, which tell its facts? Where they are
    not, a study may tell them (`Told`). ``adapters``: does what runs it leave its weights as they are, and serve LoRA
    adapters beside them?
    """

    written: ClassVar[str]
    local: ClassVar[bool] = True
    adapters: ClassVar[bool] = False

    def inside(self) -> Sequence[str]:
        """All targets there are, where they can be listed."""
        return ()

    def label(self, target: str) -> str:
        """What the model is called in tables when the study gives no label."""
        return target

    def rebase(self, target: str, folder: Path) -> str:
        """``target`` of a study file in ``folder`` as it is written in the working directory."""
        return target

    @abstractmethod
    def peek(self, target: str) -> Size:
        """Its size, without loading its weights. Raises ModelError when there is no such file, folder or model."""

    def template(self, target: str) -> Literal["chat", "plain"]:
        """How it is asked where a study leaves it to the model (`onset.models.chat`), without loading its weights."""
        return "plain"

    def identity(self, target: str) -> list[str] | None:
        """Lines that change when its files do, from names, sizes and times; None where nothing tells."""
        return None

    def revision(self, target: str) -> str | None:
        """The `onset.models.ModelFacts.revision` it would have, by reading its files; None where nothing tells."""
        return None

    @abstractmethod
    def open(self, target: str, options: LoadOptions) -> Model:
        """Load it. Raises ModelError, one line that names the target."""


def under(path: str, folder: Path) -> str:
    """``path`` as seen from the working directory, kept relative where it was relative.

    A relative path stays in ``folder``, the study file's, or in the folder that ``ONSET_ROOT`` of the environment
    names: raises StudyError where it leads out of it, also through a symbolic link.
    """
    try:
        expanded = Path(path).expanduser()
    except RuntimeError as error:
        raise StudyError(f"path '{printable(path)}': {error}") from None
    if "\0" in path:
        raise StudyError(f"path '{printable(path)}': a path cannot hold a zero byte")
    if expanded.is_absolute():
        return str(expanded)
    named, root = folder / expanded, Path(os.environ.get("ONSET_ROOT") or folder)
    if not _inside(Path(os.path.abspath(named)), Path(os.path.abspath(root))):
        raise _leaves(path, root, "")
    try:
        real = named.resolve()
    except (OSError, RuntimeError):  # links in a circle: whatever opens it says so
        return os.path.normpath(named)
    if not _inside(real, root.resolve()):
        raise _leaves(path, root, " through a symbolic link")
    return os.path.normpath(named)


def _inside(path: Path, root: Path) -> bool:
    return path == root or root in path.parents


def _leaves(path: str, root: Path, how: str) -> StudyError:
    return StudyError(
        f"path '{printable(path)}' leads out of the study's folder {root}{how}; write the absolute path, or let the"
        " environment's ONSET_ROOT name a folder that holds both"
    )
