"""Models: one way to open any of them, and the table of backends.

    open_model("HuggingFaceTB/SmolLM2-135M")      a model of the Hugging Face hub
    open_model("./my-model")                      a local folder with config.json, safetensors and tokenizer.json
    open_model("gguf:path/file.gguf")             a GGUF file, dequantised
    open_model("packaged:gemma-3-270m")           a model that installs from the package registry
    open_model("ladder/r4")                       a model of the embedded ladder (`onset.ladder.rungs`)
    open_model("vllm:Qwen/Qwen2.5-7B-Instruct")   a hub id or folder, run by vLLM in this process (docs/vllm.md)
    open_model("openai:http://localhost:8000/v1#NAME")   a model behind a server (docs/servers.md)
    open_model("scripted:replies.json")           a fake that answers from a file (see `onset.models.scripted`)

A backend is a `onset.models.backend.Backend` in a file of its own and one line of `BACKENDS`. Importing this package
imports none of them.
"""

from __future__ import annotations

import re
from pathlib import Path

from onset.errors import ModelError, UnknownName
from onset.models.backend import DEFAULT_BATCH_TOKENS, Backend, LoadOptions, Told
from onset.models.base import Can, Model, ModelFacts
from onset.registry import Entry, Registry

__all__ = [
    "BACKENDS",
    "DEFAULT_BATCH_TOKENS",
    "DTYPES",
    "Can",
    "LoadOptions",
    "Model",
    "ModelFacts",
    "Told",
    "open_model",
]

BACKENDS = Registry(
    "model backend",
    {
        "hf": Entry("onset.models.hub:HUB", "Hugging Face hub id or local folder (the default, no prefix needed)"),
        "gguf": Entry("onset.models.gguf:GGUF", "a GGUF file, dequantised"),
        "packaged": Entry("onset.models.packaged:PACKAGES", "a model that installs from the package registry"),
        "ladder": Entry("onset.models.ladder:LADDER", "the embedded ladder; in a study, ladder is r0 to r7"),
        "vllm": Entry(
            "onset.models.vllm.backend:VLLM_IN_PROCESS", "a hub id or local folder, run by vLLM in this process"
        ),
        "openai": Entry("onset.models.servers.backend:OPENAI", "a model behind a server of OpenAI's protocol"),
        "scripted": Entry("onset.models.scripted:SCRIPTED", "a fake that answers from a JSON file of rules"),
    },
)

LADDER = "ladder"

DTYPES = ("auto", "float32", "bfloat16", "float16")
"""Allowed names of the type of the weights; ``auto`` is bfloat16 on a GPU, and on a CPU where a trial shows it faster,
else float32 (`onset.models.dtypes`).
"""


def open_model(
    spec: str,
    *,
    label: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    batch_tokens: int = DEFAULT_BATCH_TOKENS,
    told: Told = Told(),  # noqa: B008 - frozen
    rank: int = 0,
) -> Model:
    """Load the model that ``spec`` names (see the module's first lines for the forms it takes).

    ``label`` defaults to the hub id, or to the name of the folder or file. Batch composition, and with
    it the last bits of a log-probability, depends on ``batch_tokens``: keep it fixed within a study.
    ``told``: size, context and revision of a model that does not tell them, a server's. ``rank``: the largest of the
    LoRA adapters that a model run by vLLM will be asked with.

    Raises ModelError (one line) for a missing folder or file, an architecture that cannot be used, a
    hub that cannot be reached, a bad option; UnknownName for an unknown ``prefix:``.
    """
    if dtype not in DTYPES:
        raise ModelError(f"model '{spec}': dtype '{dtype}' is not one of {', '.join(DTYPES)}")
    if batch_tokens < 1:
        raise ModelError(f"model '{spec}': batch_tokens must be at least 1, got {batch_tokens}")
    backend, target = backend_of(spec)
    check_told(spec, told)
    return backend.open(target, LoadOptions(label, device, dtype, batch_tokens, told, rank))


def backend_of(spec: str) -> tuple[Backend, str]:
    """The backend of a spec, and what stands behind its prefix. Raises as `split_spec` does."""
    name, target = split_spec(spec)
    backend: Backend = BACKENDS.load(name)
    return backend, target


def check_told(spec: str, told: Told) -> None:
    """Raises ModelError where a study says of a model what the model's own files say."""
    if told.said and backend_of(spec)[0].local:
        raise ModelError(f"model '{spec}': '{told.said[0]}' is read from its files; leave it out")


def split_spec(spec: str) -> tuple[str, str]:
    """``prefix:target`` apart; a spec without a prefix, or one that exists as a folder, is ``hf``.

    ``ladder/NAME`` is always the embedded ladder: write ``./ladder/NAME`` for a folder of that name.
    Raises UnknownName for a prefix that is in no table, ModelError for an empty target.
    """
    if spec == LADDER or spec.startswith(f"{LADDER}/"):
        return LADDER, _ladder_name(spec.removeprefix(LADDER).removeprefix("/"))
    # One letter and a colon is a Windows drive, not a prefix.
    match = re.match(r"([A-Za-z][\w-]+):", spec)
    if match is None or Path(spec).expanduser().is_dir():
        backend, target = "hf", spec
    else:
        backend, target = match.group(1), spec[match.end() :]
        if backend not in BACKENDS:
            raise UnknownName(BACKENDS.kind, backend, BACKENDS)
    if not target:
        raise ModelError(f"model '{spec}' names nothing: write a hub id, a folder or PREFIX:TARGET")
    return backend, target


def _ladder_name(target: str) -> str:
    from onset.ladder.rungs import NAMES

    if not target:
        raise ModelError(f"model '{LADDER}' is a whole ladder: name one of it, {LADDER}/{NAMES[0]} for example")
    if target not in NAMES:
        raise UnknownName("model of the ladder", target, NAMES)
    return target


def expand_spec(spec: str) -> tuple[str, ...]:
    """The models that a line of a study stands for: ``ladder`` is every rung, any other spec itself."""
    from onset.ladder.rungs import RUNGS

    return tuple(f"{LADDER}/{name}" for name in RUNGS) if spec == LADDER else (spec,)


def default_label(spec: str) -> str:
    """What a model is called in tables when the study gives no label: the hub id, the name in
    ``packaged:NAME``, or the last part of a path without its ending. Raises as `split_spec` does.
    """
    backend, target = backend_of(spec)
    return backend.label(target)


def rebase_spec(spec: str, folder: Path) -> str:
    """The spec of a study file in ``folder`` as it is written in the working directory. Raises as `split_spec` does."""
    name, target = split_spec(spec)
    held = backend_of(spec)[0].rebase(target, folder)
    return spec if held == target else held if name == "hf" else f"{name}:{held}"


def describe() -> list[dict[str, str]]:
    """One line for each way of naming a model: name, summary."""
    out = []
    for name, entry in BACKENDS.items():
        backend: Backend = BACKENDS.load(name)
        inside = ", ".join(backend.inside())
        out.append({"name": backend.written, "summary": f"{entry.summary}: {inside}" if inside else entry.summary})
    return out
