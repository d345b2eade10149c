"""What can be known of a model without loading its weights: size, template, and whether its files have changed."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Literal

from onset.models import backend_of
from onset.models.backend import Size, Told

__all__ = ["Size", "fingerprint", "peek", "peek_template", "revision"]


def peek(spec: str, told: Told = Told()) -> Size:  # noqa: B008 - frozen
    """The size of the model ``spec`` names (see `onset.models.open_model`), from its configuration alone, or as
    ``told`` by the study where it has none here.

    Raises ModelError when there is no such file, folder or hub model.
    """
    backend, target = backend_of(spec)
    return backend.peek(target) if backend.local else Size(told.params, told.context)


@cache
def peek_template(spec: str) -> Literal["chat", "plain"]:
    """How the model ``spec`` names is asked where a study leaves it to the model (see `onset.models.chat`), from its
    configuration and tokenizer alone. Raises ModelError as `peek` does.
    """
    backend, target = backend_of(spec)
    return backend.template(target)


def fingerprint(spec: str) -> str | None:
    """16 hex digits that change when the files under ``spec`` do, from their names, sizes and times of change: nothing
    is read, which takes milliseconds. None where nothing tells: a hub model whose weights are not in the cache, no
    file, a package that is not installed, a server.

    Equal fingerprints: the same weights, unless somebody set a file's time back. Different ones: look closer, with
    `revision`, for a file that was copied has another time. A packaged model is known by the version of its package,
    one of the ladder by Onset's version and its files' sizes, a hub model by its commit.

    Raises UnknownName and ModelError as `onset.models.split_spec` does.
    """
    backend, target = backend_of(spec)
    told = backend.identity(target)
    return None if told is None else hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def revision(spec: str) -> str | None:
    """The `onset.models.ModelFacts.revision` that the model under ``spec`` would have, by reading its files and loading
    nothing: about a second a gigabyte. None where `fingerprint` is None. Raises as `fingerprint` does.
    """
    backend, target = backend_of(spec)
    return None if backend.identity(target) is None else backend.revision(target)
