"""The demo: what it asks, and that its findings come from the weights and from nothing else."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from onset.analysis import Analysis, analyse, load
from onset.ladder.rungs import folder
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import make_study, read_study

KINDS = {"emergence", "crossover", "voting", "size by task", "prompt or tune", "ingredient"}


def ingredient(models: dict[str, Path], out: Path) -> Analysis:
    study = make_study(
        name="swap",
        models=[{"spec": str(path), "label": label} for label, path in models.items()],
        tasks=["world-problems"],
        methods=["cot"],
        labels=3,
        seeds=1,
        items=60,
        chunk=60,
        continuous=False,
    )
    run(study, out)
    return analyse(load(out), replicates=200)


SHIPPED = [Path(str(files("onset") / "demo.yaml")), Path(str(files("onset.ladder") / "evaluate.yaml"))]
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))


@pytest.mark.parametrize(
    "path", [*SHIPPED, *EXAMPLES], ids=lambda path: path.stem if path.stem != "study" else path.parent.name
)
def test_shipped_studies_have_cells(path: Path) -> None:
    assert expand(read_study(path)).cells


def test_other_weights_give_other_findings(tmp_path: Path) -> None:
    """The base model and the one without chain of thought change their weights, and nothing else."""
    names = {"base": "r3", "lacking": "r3-nocot"}
    plain, swapped = {}, {}
    for label, other in (("base", "lacking"), ("lacking", "base")):
        plain[label] = folder(names[label])
        swapped[label] = tmp_path / label
        shutil.copytree(folder(names[label]), swapped[label])
        shutil.copy(folder(names[other]) / "model.safetensors", swapped[label])
    found = {}
    for name, models in (("plain", plain), ("swapped", swapped)):
        analysis = ingredient(models, tmp_path / name)
        (found[name],) = [one for one in analysis.findings if one.kind == "ingredient"]
    assert (found["plain"].verdict, found["swapped"].verdict) == ("loses", "gains")
    assert found["plain"].estimate == pytest.approx(-(found["swapped"].estimate or 0))
    assert "the model without chain of thought loses" in found["plain"].sentence
    assert "the model without chain of thought gains" in found["swapped"].sentence


@pytest.mark.slow
def test_the_demo_answers_its_six_questions(tmp_path: Path) -> None:
    run(read_study(Path(str(files("onset") / "demo.yaml"))), tmp_path / "demo")
    analysis = analyse(load(tmp_path / "demo"))
    first = {}
    for finding in analysis.findings:
        first.setdefault(finding.kind, finding)
    assert set(first) >= KINDS
    assert first["emergence"].verdict == "emergent"
    low, high = first["emergence"].interval or (0.0, 0.0)
    assert 22_352 < low < high < 260_672
    assert first["ingredient"].verdict == "loses"
    assert first["size by task"].verdict == "ordered"
