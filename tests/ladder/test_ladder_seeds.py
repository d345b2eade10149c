"""Several seeds of one size: what a seed draws, that they can be stopped, and that a study takes them as runs."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import pytest
import torch

from onset.cli import main
from onset.errors import InputError, ModelError, StoreError, StudyError
from onset.ladder import pretrain as training
from onset.ladder.corpora import Corpus
from onset.ladder.pretrain import family_of, pretrain
from onset.ladder.recipe import Held, Recipe, Schedule, rung
from onset.ladder.run import Run, check_same
from onset.ladder.rungs import folder
from onset.ladder.seeds import Pace, folder_of, pace_of, parse_seeds, pretrain_seeds, recipes_of
from onset.ladder.shards import Source
from onset.models import open_model
from onset.study.grid import expand
from onset.study.spec import make_study, read_study

TINY = Schedule(tokens=8 * 64 * 4, batch=8, sequence=64)
SOURCE = Source(Corpus())


@functools.cache
def documents() -> str:
    """The fingerprint of what is trained on: made by the first test that needs it, not where tests are collected."""
    return SOURCE.fingerprint()


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (0, 1, 2)), ("2-4", (2, 3, 4)), ("0,3,7", (0, 3, 7)), (" 0-1, 9 ", (0, 1, 9))]
)
def test_seeds_are_said_in_short(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received '0'"),
        ("4-2", "seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received '4-2'"),
        ("-3", "seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received '-3'"),
        ("a", "seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received 'a'"),
        ("9999", "seeds are a number such as 5, a range such as 0-4 or a list 0,3,7, received '9999'"),
        ("0-2,1", "seeds '0-2,1': seed 1 comes twice"),
    ],
)
def test_other_seeds_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_seeds(text)
    assert str(raised.value) == message


def test_a_seed_draws_weights_and_order_or_one_of_them() -> None:
    base = Recipe(rung("r0"), TINY, seed=4)
    assert [(one.seed_of("weights"), one.seed_of("order")) for one in recipes_of(base, (0, 7))] == [(0, 0), (7, 7)]
    weights, order = recipes_of(base, (0, 7), "weights"), recipes_of(base, (0, 7), "order")
    assert [(one.seed_of("weights"), one.seed_of("order")) for one in weights] == [(0, 4), (7, 4)]
    assert [(one.seed_of("weights"), one.seed_of("order")) for one in order] == [(4, 0), (4, 7)]
    first = [Run.begin(one, 300, torch.device("cpu")).module.state_dict() for one in (*weights, *order)]
    same = [all(torch.equal(a[name], b[name]) for name in a) for a, b in ((first[0], first[1]), (first[2], first[3]))]
    assert same == [False, True]
    assert weights[1].describe() != order[1].describe() != recipes_of(base, (7,))[0].describe()
    assert "held" not in base.describe()  # runs from before there was such a thing are what they were
    families = [family_of(one, Corpus()) for one in (base, weights[0], order[0])]
    assert families == [
        "onset-ladder-0.002048M",
        "onset-ladder-0.002048M-same-order",
        "onset-ladder-0.002048M-same-weights",
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("seeds") / "r0-tiny"
    pretrain_seeds(recipes_of(Recipe(rung("r0"), TINY), (0, 2)), SOURCE, out)  # finds the fingerprint itself
    return out


def test_each_seed_is_the_model_that_its_seed_alone_gives(trained: Path, tmp_path: Path) -> None:
    assert sorted(one.name for one in trained.iterdir()) == ["seed-0", "seed-2"]
    assert len(list((trained.parent / "corpora").iterdir())) == 1  # all read the same documents
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    kept = trained.parent / "corpora"
    alone = pretrain(Recipe(rung("r0"), TINY, seed=2), SOURCE, tmp_path / "alone", corpora=kept, documents=documents())
    torch.set_num_threads(threads)
    for name in ("model.safetensors", "onset.json", "losses.jsonl"):
        assert (alone / name).read_bytes() == (trained / "seed-2" / name).read_bytes(), name
    assert (trained / "seed-0" / "model.safetensors").read_bytes() != (alone / "model.safetensors").read_bytes()
    assert open_model(str(trained / "seed-2")).facts.pretraining_seed == 2
    assert open_model("ladder/r0").facts.pretraining_seed == 0


def test_more_seeds_are_added_and_those_there_are_kept(trained: Path) -> None:
    recipes = recipes_of(Recipe(rung("r0"), TINY), (0, 1, 2))
    out = trained.parent / "more"
    shutil.copytree(trained, out)
    before = {one: one.stat().st_mtime_ns for one in out.rglob("*") if one.is_file()}
    pace = pace_of(recipes, SOURCE, out, jobs=2, documents=documents())
    assert pace is not None
    assert (pace.models, pace.tokens, pace.jobs) == (1, 2048, 1)
    assert pace.rate > 0
    told: list[tuple[str, int]] = []
    found = pretrain_seeds(
        recipes, SOURCE, out, progress=lambda phase, done, *_: told.append((phase, done)), documents=documents()
    )
    assert found == tuple(out / f"seed-{seed}" for seed in range(3))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert told == [("seed 1", step) for step in range(1, 5)]
    assert pace_of(recipes, SOURCE, out, documents=documents()) is None
    assert Pace(5, 1000, 2, 10.0).seconds == 300  # three rounds


def test_a_seed_that_fails_leaves_the_others_their_turn(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = training._train

    def diverges(run: Run, *arguments: object) -> None:
        if run.recipe.seed == 0:
            raise ModelError("training of r0 diverged: the loss is nan at step 2")
        real(run, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_train", diverges)
    with pytest.raises(ModelError) as raised:
        pretrain_seeds(
            recipes_of(Recipe(rung("r0"), TINY), (0, 1)), SOURCE, tmp_path / "out",
            corpora=trained.parent / "corpora", documents=documents(),
        )  # fmt: skip
    assert str(raised.value) == "seed 0: training of r0 diverged: the loss is nan at step 2"
    assert (tmp_path / "out" / "seed-1" / "card.json").exists()


@pytest.mark.slow
def test_side_by_side_they_are_the_same_models(trained: Path, tmp_path: Path) -> None:
    told: set[str] = set()
    recipes = recipes_of(Recipe(rung("r0"), TINY), (0, 2))
    out = tmp_path / "out"
    pretrain_seeds(recipes, SOURCE, out, jobs=2, progress=lambda phase, *_: told.add(phase))
    for seed in (0, 2):
        name = Path(f"seed-{seed}", "model.safetensors")
        assert (out / name).read_bytes() == (trained / name).read_bytes()
    assert told == {"corpus", "seed 0", "seed 2"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--seeds 2 --seed 3", "--seed 3 is of one model, --seeds 2 of several: give one of them"),
        ("--seeds 2 --vary data", "--vary data: expected both, weights, order"),
        ("--jobs 2", "--jobs is of several seeds: say which, --seeds 0-4"),
        ("--vary order", "--vary is of several seeds: say which, --seeds 0-4"),
    ],
)
def test_bad_options_are_one_line(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ladder", "train", "--rung", "r0", "--tokens", "70k", *arguments.split()])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"onset: {message}\n"


# ---- in a study ------------------------------------------------------------------------------------------------------

ASKED = {"name": "x", "tasks": ["world-coin"], "methods": ["answer-only"], "labels": 0, "seeds": 1, "items": 4}


def test_a_folder_of_seeds_is_a_model_a_seed(trained: Path, tmp_path: Path) -> None:
    study = make_study(models=[str(trained), {"spec": str(trained), "label": "small", "family": "mine"}], **ASKED)
    assert [(one.label, one.pretraining_seed, one.family) for one in study.models] == [
        ("r0-tiny/seed-0", 0, None),
        ("r0-tiny/seed-2", 2, None),
        ("small/seed-0", 0, "mine"),
        ("small/seed-2", 2, "mine"),
    ]
    assert {cell.model_spec for cell in expand(study).cells} == {str(trained / "seed-0"), str(trained / "seed-2")}
    file = tmp_path / "study.yaml"
    shutil.copytree(trained, tmp_path / "runs" / "tiny")
    file.write_text(json.dumps({**ASKED, "models": ["./runs/tiny", "ladder/r0"]}))
    assert [one.label for one in read_study(file).models] == ["tiny/seed-0", "tiny/seed-2", None]


def test_a_seed_that_is_not_trained_to_its_end_is_no_seed_less(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"
    shutil.copytree(trained, out)
    (out / "seed-5").mkdir()
    with pytest.raises(StudyError) as raised:
        make_study(models=[str(out)], **ASKED)
    assert str(raised.value) == (
        f"study: {out} holds seeds that are not trained to their end: seed-5; call onset ladder train again, or name"
        " the others one by one"
    )
    with pytest.raises(StudyError, match=r"holds 2 seeds: leave out 'pretraining_seed'$"):
        make_study(models=[{"spec": str(trained), "pretraining_seed": 1}], **ASKED)


def test_cells_say_the_seed_of_pretraining(trained: Path, tmp_path: Path) -> None:
    from onset.results.read import load
    from onset.study.runner import run

    models = [str(trained), {"spec": "ladder/r0", "pretraining_seed": 9}]
    run(make_study(models=models, **ASKED), tmp_path / "out")
    cells = load(tmp_path / "out").cells
    assert dict(zip(cells["model"], cells["pretraining_seed"], strict=True)) == {
        "r0-tiny/seed-0": 0,
        "r0-tiny/seed-2": 2,
        "ladder/r0": 9,
    }


def test_a_seed_beside_the_weights_is_a_whole_number(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder("r0"), mine)
    (mine / "onset.json").write_text('{"family": "f", "seed": "three"}')
    with pytest.raises(ModelError, match=r"onset\.json: seed must be a whole number, received 'three'$"):
        open_model(str(mine))


def test_held_is_of_the_identity_of_a_run() -> None:
    assert folder_of(Path("out"), Recipe(rung("r0"), seed=3)) == Path("out/seed-3")
    one = Recipe(rung("r0"), seed=3, held=Held("order", 1)).describe()
    whole, card = Recipe(rung("r0"), seed=3).describe(), {"loss": 1.0, "device": "cpu"}
    for found, wanted in ((one, whole), (whole, one)):
        with pytest.raises(StoreError, match="recipe held"):
            check_same(Path("out"), card | {"recipe": found}, {"recipe": wanted})
    check_same(Path("out"), card | {"recipe": one}, {"recipe": one})
    assert one["held"] == {"what": "order", "seed": 1}
