"""What can be known of a model without loading it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from models_fixtures import llama, save, tokenizer

from onset.errors import ModelError, UnknownName
from onset.models import open_model
from onset.models.peek import fingerprint, revision


def test_a_fingerprint_changes_with_each_file_of_a_folder(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", llama(), tokenizer(bos=False))
    spec = str(folder)
    seen = [fingerprint(spec), fingerprint(spec)]
    assert seen[0] == seen[1]
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        file = folder / name
        content = file.read_bytes()
        file.write_bytes(content + b" ")  # another size
        seen.append(fingerprint(spec))
        file.write_bytes(content)  # the same size at another time
        os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
        seen.append(fingerprint(spec))
    assert len(set(seen[1:])) == len(seen) - 1
    (folder / "README.md").write_text("of no matter")
    assert fingerprint(spec) == seen[-1]


def test_a_revision_without_loading_is_that_of_the_loaded_model(tmp_path: Path) -> None:
    spec = str(save(tmp_path / "model", llama(), tokenizer(bos=False)))
    for one in (spec, "ladder/r0"):
        assert revision(one) == open_model(one, device="cpu").facts.revision


def test_a_fingerprint_of_files(tmp_path: Path) -> None:
    for kind, content in (("gguf", b"GGUF"), ("scripted", b"{}")):
        file = tmp_path / f"file.{kind}"
        assert fingerprint(f"{kind}:{file}") is None
        file.write_bytes(content)
        first = fingerprint(f"{kind}:{file}")
        file.write_bytes(content + b" ")
        assert first != fingerprint(f"{kind}:{file}") is not None


def test_a_hub_model_is_known_by_the_commit_in_the_cache(tmp_path: Path) -> None:
    """In a process of its own: the hub's client reads where its cache is when it is imported."""
    folder = tmp_path / "models--some--model"
    for commit in ("a" * 40, "b" * 40):
        save(folder / "snapshots" / commit, llama(), tokenizer(bos=False))
    (folder / "refs").mkdir()
    code = "from onset.models.peek import *; print(fingerprint('some/model'), revision('some/model'))"

    def told(commit: str | None) -> list[str]:
        if commit is not None:
            (folder / "refs" / "main").write_text(commit)
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "HF_HUB_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert told(None) == ["None", "None"]
    (folder / "snapshots" / ("c" * 40)).mkdir()
    (folder / "snapshots" / ("c" * 40) / "config.json").write_text("{}")  # all that `onset plan` fetches
    assert told("c" * 40) == ["None", "None"]
    first, second = told("a" * 40), told("b" * 40)
    assert first[0] != second[0]
    assert first[1] == second[1] == revision(str(folder / "snapshots" / ("a" * 40)))


def test_fingerprints_of_what_is_not_there(tmp_path: Path) -> None:
    assert fingerprint(str(tmp_path / "nothing")) is None
    assert fingerprint(str(tmp_path)) is None  # no config.json
    assert revision(str(tmp_path)) is None
    with pytest.raises(UnknownName, match="unknown packaged model"):
        fingerprint("packaged:nothing")
    with pytest.raises(ModelError, match="names nothing"):
        fingerprint("gguf:")
