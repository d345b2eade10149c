"""Training a model of the ladder: sizes, optimiser, what is saved, what a stop loses."""

from __future__ import annotations

import copy
import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from onset.cli import main
from onset.cli.ladder import parse_tokens
from onset.errors import InputError, ModelError, StoreError, UnknownName
from onset.ladder import pretrain as training
from onset.ladder.corpora import KINDS, MIXTURES, Corpus
from onset.ladder.optimiser import MuonAdam, orthogonalise
from onset.ladder.pretrain import family_of, next_token_loss, pretrain
from onset.ladder.recipe import RUNGS, Optimiser, Recipe, Rung, Schedule, rung
from onset.ladder.run import Run, build
from onset.ladder.rungs import FAMILY, folder
from onset.ladder.shards import Source
from onset.ladder.tokenizer import load, shipped_file
from onset.models import open_model

SMALL = Schedule(tokens=8 * 64 * 60, batch=8, sequence=64)
CPU = torch.device("cpu")


@pytest.mark.parametrize("name", list(RUNGS))
def test_rungs_are_the_shipped_models(name: str) -> None:
    made, shipped = build(rung(name), 1024, 0), AutoConfig.from_pretrained(folder(name))
    of_the_file = {"architectures", "dtype", "_name_or_path"}
    mine, theirs = made.config.to_dict(), shipped.to_dict()
    assert {key for key in theirs if mine[key] != theirs[key]} <= of_the_file
    assert made.num_parameters() == rung(name).params()


def test_an_unknown_rung_is_refused() -> None:
    with pytest.raises(UnknownName) as raised:
        rung("r33")
    assert str(raised.value) == "unknown rung 'r33': did you mean 'r3'? Known: r0, r1, r2, r3, r4, r5, r6, r7"


def test_first_weights_follow_the_recipe() -> None:
    one = build(rung("r4"), 1024, 1)
    parts = dict(one.named_parameters())
    expected = {
        "model.embed_tokens.weight": 0.02,
        "model.layers.2.self_attn.q_proj.weight": 96**-0.5,
        "model.layers.2.self_attn.o_proj.weight": 96**-0.5 / 10**0.5,
        "model.layers.4.mlp.gate_proj.weight": 96**-0.5,
        "model.layers.4.mlp.down_proj.weight": 256**-0.5 / 10**0.5,
    }
    for name, deviation in expected.items():
        assert parts[name].std().item() == pytest.approx(deviation, rel=0.05), name
    assert bool((parts["model.norm.weight"] == 1).all())
    assert one.lm_head.weight is one.model.embed_tokens.weight
    again, other = (
        dict(build(rung("r4"), 1024, 1).named_parameters()),
        dict(build(rung("r4"), 1024, 2).named_parameters()),
    )
    name = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(parts[name], again[name])
    assert not torch.equal(parts[name], other[name])


def test_the_schedule_warms_up_stays_and_falls() -> None:
    schedule = Schedule()
    assert schedule.steps == 5000
    assert [schedule.rate(step) for step in (0, 99, 199, 1499, 1500)] == [0.005, 0.5, 1, 1, 1]
    assert schedule.rate(1500 + 1750) == pytest.approx(0.51)  # half-way down from 1 to .02
    falling = [schedule.rate(step) for step in range(1500, 5000)]
    assert all(later < earlier for earlier, later in itertools.pairwise(falling))
    assert falling[-1] == pytest.approx(0.02, abs=1e-5)
    assert Schedule(tokens=10 * 64 * 512).rate(0) == 0.5  # a tenth of ten steps, and one
    with pytest.raises(InputError) as raised:
        Schedule(tokens=20_000)
    assert str(raised.value) == "training takes at least one batch of 32,768 tokens, received 20,000"


@pytest.mark.parametrize("shape", [(3, 48, 48), (2, 128, 48), (2, 48, 128)])
def test_orthogonalisation_keeps_singular_vectors_and_brings_values_near_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonalise(matrices, 5).numpy()
    for matrix, made in zip(matrices.numpy(), found, strict=True):
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        assert values.max() / values.min() > 2 or shape[1] != shape[2]
        turned = left.T @ made @ right.T
        assert np.abs(turned - np.diag(np.diag(turned))).max() < 1e-3
        kept = np.diag(turned)[values > 0.02 * values.max()]  # the source's five iterations do not reach lower
        assert kept.min() > 0.5
        assert kept.max() < 1.3


def test_the_optimiser_is_torchs_muon_and_adam() -> None:
    settings, small = Optimiser(clip=1e9), Rung("small", 32, 2, 2)
    mine, theirs = build(small, 300, 0), build(small, 300, 0)
    chosen = MuonAdam(mine, 32, settings)
    matrices = [one for name, one in theirs.named_parameters() if one.ndim == 2 and "embed" not in name]
    vectors = [one for name, one in theirs.named_parameters() if one.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(matrices, lr=0.03, weight_decay=0.05, momentum=0.95, nesterov=True)
    adam = torch.optim.Adam(vectors, lr=0.006, betas=(0.9, 0.95), eps=1e-8)
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        ids = torch.randint(300, (4, 20), generator=generator)
        for module in (mine, theirs):
            next_token_loss(module, ids).backward()
        chosen.step(1.0)
        muon.step()
        adam.step()
        theirs.zero_grad()
    begun = dict(build(small, 300, 0).named_parameters())
    for (name, one), other in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        moved, expected = (one - begun[name]).flatten(), (other - begun[name]).flatten()
        # torch orthogonalises in bfloat16, so that the steps agree to its precision
        assert torch.nn.functional.cosine_similarity(moved, expected, dim=0) > 0.995, name
        assert moved.norm().item() == pytest.approx(expected.norm().item(), rel=0.02), name


def test_the_loss_is_transformers_own() -> None:
    module, ids = build(rung("r0"), 1024, 0), torch.randint(1024, (3, 40))
    assert next_token_loss(module, ids).item() == pytest.approx(module(ids, labels=ids).loss.item(), abs=1e-5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, list[Any]]:
    """A model's folder, its module before it was saved, and what progress was told."""
    kept: list[Any] = []
    told: list[Any] = []
    saving = training._save

    def keep(run: Run, *rest: Any) -> None:
        kept.append(copy.deepcopy(run.module))
        saving(run, *rest)

    out = tmp_path_factory.mktemp("ladder") / "r0"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_save", keep)
        source = Source(Corpus(without=("code",)))
        assert pretrain(Recipe(rung("r0"), SMALL), source, out, progress=lambda *args: told.append(args)) == out
    return out, kept[0], told


def test_training_lowers_the_loss(trained: tuple[Path, Any, list[Any]]) -> None:
    out, _, told = trained
    rows = [json.loads(line) for line in (out / "losses.jsonl").read_text().splitlines()]
    assert [(row["step"], row["tokens"]) for row in rows] == [(50, 25_600), (60, 30_720)]
    assert rows[-1]["loss"] < rows[0]["loss"] < np.log(1024)
    assert rows[-1]["loss"] < 5.5
    assert told[0] == ("corpus", 30_721, 30_721, None)
    assert told[-1] == ("training", 60, 60, rows[-1]["loss"])
    assert [args[1] for args in told if args[0] == "training"] == list(range(1, 61))


def test_the_folder_is_an_ordinary_model(trained: tuple[Path, Any, list[Any]]) -> None:
    out, module, _ = trained
    assert AutoModelForCausalLM.from_pretrained(out, dtype="auto").dtype == torch.bfloat16
    loaded = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(weight.bfloat16())
        ids = torch.randint(1024, (2, 30))
        torch.testing.assert_close(loaded(ids).logits, module.eval()(ids).logits, rtol=0, atol=1e-5)
    tokenizer, shipped = AutoTokenizer.from_pretrained(out), AutoTokenizer.from_pretrained(folder("r0"))
    text = "Question: Ann has 12 eggs.\nAnswer:"
    assert tokenizer(text)["input_ids"] == load().encode(text).ids == shipped(text)["input_ids"]
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.padding_side) == (0, 0, "left")
    assert (out / "tokenizer.json").read_bytes() == shipped_file().read_bytes()
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        assert json.loads((out / name).read_text()) == json.loads((folder("r0") / name).read_text()), name
    assert sorted(one.name for one in out.iterdir()) == [
        "card.json", "config.json", "generation_config.json", "losses.jsonl", "model.safetensors", "onset.json",
        "timing.json", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip


def test_the_folder_says_what_it_is(trained: tuple[Path, Any, list[Any]]) -> None:
    out, _, _ = trained
    facts, shipped = open_model(str(out)).facts, open_model("ladder/r0").facts
    assert (facts.stage, facts.params) == ("without code", 22_352)
    assert (facts.family, facts.tokenizer) == ("onset-ladder-0.03072M", shipped.tokenizer)
    card = json.loads((out / "card.json").read_text())
    assert card["corpus"] == {"mixture": "standard", "without": ["code"], "fill": "neutral", "seed": 0, "extra": None}
    assert "programs" not in card["shares"]
    assert (card["tokens"], card["params"], card["flops"]) == (30_720, 22_352, 6 * 22_352 * 30_720)
    assert card["recipe"]["optimiser"]["muon_rate"] == 0.03
    assert card["loss"] == json.loads((out / "losses.jsonl").read_text().splitlines()[-1])["loss"]
    assert card["versions"]["torch"] == torch.__version__


def test_a_short_run_is_no_equal_of_the_shipped_models() -> None:
    """Else an ingredient left out of 20M tokens would be held against a model that read eight times as many."""
    short, full = Schedule(tokens=20_000_000), Schedule()
    families = {
        (mixture, tokens): family_of(Recipe(rung("r3"), schedule), Corpus(mixture, without, seed=1))
        for mixture in MIXTURES
        for without in ((), ("code",))
        for tokens, schedule in (("short", short), ("full", full))
    }
    assert families == {
        ("standard", "short"): "onset-ladder-20M",
        ("standard", "full"): "onset-ladder-163.8M",
        ("pilot", "short"): "onset-ladder-pilot-20M",
        ("pilot", "full"): "onset-ladder-pilot-163.8M",
        ("scarce", "short"): "onset-ladder-pilot-20M",
        ("scarce", "full"): "onset-ladder-pilot-163.8M",
    }
    assert open_model("ladder/r3").facts.family == FAMILY


def test_a_finished_model_is_kept_and_another_refused(trained: tuple[Path, Any, list[Any]]) -> None:
    out, _, _ = trained
    before = {one.name: one.stat().st_mtime_ns for one in out.iterdir()}
    source = Source(Corpus(without=("code",)))
    pretrain(Recipe(rung("r0"), SMALL), source, out, progress=lambda *_: pytest.fail("trained again"))
    assert {one.name: one.stat().st_mtime_ns for one in out.iterdir()} == before
    with pytest.raises(StoreError) as raised:
        pretrain(Recipe(rung("r0"), SMALL, seed=1), Source(Corpus()), out)
    expected = (
        f"{out} holds a model of another run (recipe seed 0 there, 1 asked for; "
        f'corpus without ["code"] there, [] asked for; documents "{source.fingerprint()}" there, '
        f'"{Source(Corpus()).fingerprint()}" asked for): choose another folder'
    )
    assert str(raised.value) == expected


def test_documents_of_another_version_are_no_part_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a mixture stays when its documents change: neither its cached corpus nor a checkpoint fits then."""
    tiny, source = Recipe(rung("r0"), Schedule(tokens=8 * 64, batch=8, sequence=64)), Source(Corpus())
    pretrain(tiny, source, tmp_path / "a")
    pretrain(tiny, source, tmp_path / "b")
    assert len(list((tmp_path / "corpora").iterdir())) == 1
    coins = replace(KINDS["coins"], make=lambda *_: "Something else. ")
    monkeypatch.setattr("onset.ladder.shards.KINDS", {**KINDS, "coins": coins})
    with pytest.raises(StoreError, match=r'another run \(documents "\w+" there, "\w+" asked for\)'):
        pretrain(tiny, source, tmp_path / "a")
    pretrain(tiny, source, tmp_path / "c")
    assert len(list((tmp_path / "corpora").iterdir())) == 2


RESUME = """
import os, sys
from pathlib import Path
from onset.models.reproducible import make_reproducible
make_reproducible()
from onset.ladder.corpora import Corpus
from onset.ladder.pretrain import pretrain
from onset.ladder.recipe import Recipe, Schedule, rung
from onset.ladder.shards import Source

def train(out, stop=None):
    def told(phase, done, total, loss):
        if phase == "training" and done == stop:
            os._exit(9)
    recipe = Recipe(rung("r0"), Schedule(tokens=8 * 64 * 24, batch=8, sequence=64))
    pretrain(recipe, Source(Corpus()), Path(out), checkpoint=5, progress=told)

for one in sys.argv[1:]:
    out, _, stop = one.partition("@")
    train(out, int(stop) if stop else None)
"""


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    def call(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-c", RESUME, *arguments], check=False).returncode

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert call(str(whole), f"{stopped}@13") == 9
    assert not (stopped / "card.json").exists()
    assert (stopped / "checkpoint.pt").exists()
    assert call(str(stopped)) == 0
    files = {one.name for one in whole.iterdir()}
    assert files == {one.name for one in stopped.iterdir()}
    for name in files - {"timing.json"}:
        assert (whole / name).read_bytes() == (stopped / name).read_bytes(), name


def test_a_checkpoint_of_another_run_or_none_at_all_is_refused(tmp_path: Path) -> None:
    recipe = Recipe(rung("r0"), SMALL)
    run, path = Run.begin(recipe, 1024, CPU), tmp_path / "checkpoint.pt"
    run.save(path, {"recipe": {"seed": 0}})
    with pytest.raises(StoreError) as raised:
        run.restore(path, {"recipe": {"seed": 1}})
    assert str(raised.value) == (
        f"{tmp_path} holds a model of another run (recipe seed 0 there, 1 asked for): choose another folder"
    )
    path.write_bytes(b"nothing")
    with pytest.raises(StoreError, match=rf"^{re.escape(str(path))} is no checkpoint: .*; delete it$"):
        run.restore(path, {})


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    run = Run.begin(Recipe(rung("r0"), SMALL), 1024, CPU)
    run.step, run.unreported = 2, torch.tensor(float("nan"))
    with pytest.raises(ModelError) as raised:
        run.report()
    assert str(raised.value) == "training of r0 diverged: the loss is nan at step 2"


@pytest.mark.parametrize(
    ("text", "count"), [("20M", 20_000_000), ("500k", 500_000), ("1.5B", 1_500_000_000), ("65_536", 65_536), ("7", 7)]
)
def test_tokens_are_said_in_short(text: str, count: int) -> None:
    assert parse_tokens(text) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--rung r33 --tokens 1M", "unknown rung 'r33': did you mean 'r3'? Known: r0, r1, r2, r3, r4, r5, r6, r7"),
        ("--rung r0 --tokens many", "tokens are a number such as 500k, 20M or 1B, received 'many'"),
        ("--rung r0 --tokens 0M", "tokens are a number such as 500k, 20M or 1B, received '0M'"),
        ("--rung r0 --share 0.1", "--share 0.1 is of the documents in --extra FOLDER, and none is named"),
        ("--rung r0 --extra .", "say how large a share of the tokens the documents of . are: --share, in (0, 1)"),
        ("--rung r0 --extra . --share 0.1", ". holds no file to read: expected *.txt or *.jsonl"),
        ("--rung r0 --extra none --share 0.1", "no folder of extra documents: none"),
        ("--rung r0 --device tpu", "model 'r0': unknown device 'tpu': use auto, cpu, cuda or cuda:N"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["ladder", "train", *arguments.split()])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"onset: {message}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_command_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.txt").write_text("Something else altogether.\n" * 20)
    call = "ladder train --rung r0 --tokens 70k --extra notes --share 0.05 --device cpu --workers 1"
    with pytest.raises(SystemExit) as ended:
        main(call.split())
    assert ended.value.code == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1].startswith("[100%] training loss 6.")
    lines = shown.out.splitlines()
    assert lines[0].startswith("Model: trained/r0-70k-notes0.05 (22,352 parameters, 65,536 tokens, loss 6.")
    assert lines[1] == ("Measure it: onset ladder evaluate trained/r0-70k-notes0.05 ladder/r0")
    assert lines[2] == (
        "Or name it in a study, models: [ladder/r0, ./trained/r0-70k-notes0.05], and call onset run STUDY"
    )
    assert json.loads(Path("trained/r0-70k-notes0.05/onset.json").read_text())["stage"] == "base, extra notes"


def test_the_command_lists_the_ladder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ladder", "list", "--json"])
    assert ended.value.code == 0
    rows = {row["rung"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(RUNGS)
    assert rows["r7"]["params"] == 6_541_568
    assert rows["r4"]["shipped"][:2] == ["ladder/r4", "ladder/r4-nocot"]


@pytest.mark.slow
def test_training_needs_none_of_the_packages_for_tables_and_figures() -> None:
    code = """
import sys
for name in ("polars", "scipy", "jinja2", "peft", "vl_convert"):
    sys.modules[name] = None
import onset.cli.ladder, onset.ladder.pretrain
from onset.cli import main
main(["ladder", "list"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "6,541,568" in done.stdout
