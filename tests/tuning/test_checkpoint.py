"""Training goes on where it was killed: the same bits, and nothing of a checkpoint that does not fit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import gpt2, llama  # noqa: E402
from safetensors.torch import load_file, safe_open, save_file  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, bytes_of, hf_model, same  # noqa: E402

from onset.errors import StoreError  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.results.folder import Store  # noqa: E402
from onset.tuning import TUNERS, tuner  # noqa: E402
from onset.tuning.base import Schedule, Tuning  # noqa: E402
from onset.tuning.checkpoint import SHARE, Checkpoint, State  # noqa: E402
from onset.tuning.lora import LoRA  # noqa: E402

STEPS = 7
SCHEDULE = Schedule(steps=STEPS, batch_size=4, learning_rate=1e-2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def model_for(kind: str) -> HFModel:
    return hf_model(gpt2() if kind == "bitfit" else llama())


class Killed(BaseException):
    """Nothing that training catches."""


def tune(
    method: Tuning, model: HFModel, path: Path, kill: int | None = None, **changed: Any
) -> tuple[HFModel, Any, list[int], list[str]]:
    """With a checkpoint after every step, stopped dead after step ``kill``: model, report, steps taken, notes."""
    steps: list[int] = []
    notes: list[str] = []

    def progress(done: int, _: int) -> None:
        steps.append(done)
        if done == kill:
            raise Killed

    arguments = {"examples": EXAMPLES, "seeds": SEEDS, "schedule": SCHEDULE, **changed}
    checkpoint = Checkpoint(path, {"base": "r"}, notes.append, every=0)
    tuned, report = method.tune(model, **arguments, progress=progress, checkpoint=checkpoint)
    return tuned, report, steps, notes


@pytest.mark.parametrize("kind", sorted(TUNERS))
def test_a_stopped_run_goes_on_to_the_same_bits(kind: str, tmp_path: Path) -> None:
    method, model, path = tuner(kind), model_for(kind), tmp_path / "c"
    whole, report = method.tune(model, EXAMPLES, SEEDS, SCHEDULE)
    for kill in (2, 5):
        with pytest.raises(Killed):
            tune(method, model, path, kill)
    again, report_again, steps, notes = tune(method, model, path)
    assert steps == [6, 7]
    assert notes == [f"training goes on after 5 steps, from {path}"]
    assert same(bytes_of(again), bytes_of(whole))
    assert (again.facts, report_again) == (whole.facts, report)


DROPOUT = {"kind": "lora", "rank": 4, "dropout": 0.3, "dora": True}

CHILD = """
import os, signal, sys
sys.path[:0] = {path!r}
import torch
torch.set_num_threads(1)
from models_fixtures import llama
from tuner_conformance import EXAMPLES, SEEDS, hf_model
from onset.tuning import tuner
from onset.tuning.base import Schedule
from onset.tuning.checkpoint import Checkpoint
from pathlib import Path

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if {writing}:
    count = iter(range(100))
    replace = os.replace
    os.replace = lambda *a: kill() if next(count) == {at} else replace(*a)
method, model, out = tuner({method!r}), hf_model(llama()), Path(sys.argv[1])
tuned, _ = method.tune(
    model, EXAMPLES, SEEDS, Schedule(steps=7, batch_size=4, learning_rate=1e-2),
    progress=lambda done, of: kill() if done == {at} and not {writing} else None,
    checkpoint=Checkpoint(out / "c", every=0),
)
"""


@pytest.mark.slow
@pytest.mark.parametrize("writing", [False, True], ids=["after a step", "while a checkpoint is written"])
def test_a_killed_process_goes_on_to_the_same_bits_with_dropout(writing: bool, tmp_path: Path) -> None:
    code = CHILD.format(path=[p for p in sys.path if p], writing=writing, at=4, method=DROPOUT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env=environment)
    assert killed.returncode == -signal.SIGKILL
    left = sorted(one.name for one in tmp_path.iterdir())
    assert left == (["c", "c.part"] if writing else ["c"])
    method, model = tuner(DROPOUT), hf_model(llama())
    whole, report = method.tune(model, EXAMPLES, SEEDS, SCHEDULE)
    steps: list[int] = []
    notes: list[str] = []
    checkpoint = Checkpoint(tmp_path / "c", note=notes.append)
    again, report_again = method.tune(model, EXAMPLES, SEEDS, SCHEDULE, lambda done, of: steps.append(done), checkpoint)
    assert steps == [5, 6, 7]
    assert same(bytes_of(again), bytes_of(whole))
    assert report == report_again
    assert checkpoint.seconds > 0  # of the killed process


def test_the_generators_are_what_dropout_needs(tmp_path: Path) -> None:
    """The state of the generators is in a checkpoint: without it the resumed run draws others."""
    method, model, path = tuner(DROPOUT), model_for("lora"), tmp_path / "c"
    whole, _ = method.tune(model, EXAMPLES, SEEDS, SCHEDULE)
    with pytest.raises(Killed):
        tune(method, model, path, 4)
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    tensors = load_file(path)
    tensors["generator cpu"] = torch.Generator().manual_seed(99).get_state()
    from onset.tuning.weights import digest

    save_file(tensors, path, metadata={**told, "digest": digest(told["told"], tensors)})
    again, *_ = tune(method, model, path)
    assert not same(bytes_of(again), bytes_of(whole))


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[: len(content) // 2]
    elif how == "one bit":
        content[-3] ^= 1
    elif how == "no checkpoint":
        content = bytearray(b"nothing")
    else:
        content = bytearray(b"")
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "one bit", "no checkpoint", "empty"])
def test_a_damaged_checkpoint_is_put_aside_and_never_used(how: str, tmp_path: Path) -> None:
    method, model, path = LoRA(rank=4), model_for("lora"), tmp_path / "c"
    with pytest.raises(Killed):
        tune(method, model, path, 4)
    damage(path, how)
    content = path.read_bytes()
    again, report, steps, notes = tune(method, model, path)
    whole, wanted = method.tune(model, EXAMPLES, SEEDS, SCHEDULE)
    assert steps == list(range(1, STEPS + 1))
    assert same(bytes_of(again), bytes_of(whole))
    assert report == wanted
    assert (tmp_path / "c.aside").read_bytes() == content
    [note] = notes
    assert re.fullmatch(rf"checkpoint {re.escape(str(path))} is damaged \(.+\): put aside as c\.aside, .*anew", note)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"examples": EXAMPLES[:3]}, "examples"),
        ({"seeds": replace(SEEDS, order=9)}, "seeds"),
        ({"seeds": replace(SEEDS, init=9)}, "first weights, seeds"),
        ({"schedule": replace(SCHEDULE, steps=9)}, "schedule"),
        ({"schedule": replace(SCHEDULE, learning_rate=1e-3)}, "schedule"),
    ],
)
def test_a_checkpoint_of_another_run_is_put_aside(changed: dict[str, Any], what: str, tmp_path: Path) -> None:
    method, model, path = LoRA(rank=4), model_for("lora"), tmp_path / "c"
    with pytest.raises(Killed):
        tune(method, model, path, 4)
    arguments: dict[str, Any] = {"examples": EXAMPLES, "seeds": SEEDS, "schedule": SCHEDULE, **changed}
    again, _, steps, notes = tune(method, model, path, **changed)
    whole, _ = method.tune(model, **arguments)
    assert steps[0] == 1
    assert same(bytes_of(again), bytes_of(whole))
    assert notes == [
        f"checkpoint {path} is of another run (another {what}): put aside as c.aside, training begins anew"
    ]


def test_another_base_and_another_version_are_another_run(tmp_path: Path) -> None:
    notes: list[str] = []
    path = tmp_path / "c"
    checkpoint = Checkpoint(path, {"base": "a"}, notes.append)
    checkpoint.write({"torch": "2"}, State(1, [0.5], 10, {}, None, {"weight w": torch.ones(2)}))
    assert Checkpoint(path, {"base": "a"}).resume({"torch": "2"}) is not None
    assert Checkpoint(path, {"base": "b"}, notes.append).resume({"torch": "2"}) is None
    checkpoint.write({"torch": "2"}, State(1, [0.5], 10, {}, None, {"weight w": torch.ones(2)}))
    assert Checkpoint(path, {"base": "a"}, notes.append).resume({"torch": "3"}) is None
    assert [note.split("(")[1].split(")")[0] for note in notes] == ["another base", "another torch"]


def test_a_clock_says_when_and_writing_takes_a_tenth_of_the_time_at_most(tmp_path: Path) -> None:
    now = 100.0

    def slow_clock() -> float:
        return now

    checkpoint = Checkpoint(tmp_path / "c", every=60, clock=slow_clock)
    assert checkpoint.resume({}) is None
    assert not checkpoint.due
    now = 159.0
    assert not checkpoint.due
    now = 160.0
    assert checkpoint.due

    class Slow(dict[str, Any]):
        """Takes 9 s to be written, by the clock."""

        def items(self) -> Any:
            nonlocal now
            now += 9.0
            return super().items()

    checkpoint.write({}, State(3, [1.0, 0.1 + 0.2, 1e-300], 30, {"reward": [0.0, 0.5, 1.0]}, 64, Slow()))
    assert now == 169.0
    now += 9.0 / SHARE - 1
    assert not checkpoint.due
    now += 1
    assert checkpoint.due
    later = Checkpoint(tmp_path / "c", clock=slow_clock)
    state = later.resume({})
    assert state is not None
    assert (state.step, state.losses, state.tokens, state.micro) == (3, [1.0, 0.1 + 0.2, 1e-300], 30, 64)
    assert state.figures == {"reward": [0.0, 0.5, 1.0]}
    assert later.seconds == 60.0  # when it was written; what the writing took is not training


def test_where_no_checkpoint_can_be_written_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "c"
    method, model = LoRA(rank=4), model_for("lora")
    again, _, steps, notes = tune(method, model, path)
    whole, _ = method.tune(model, EXAMPLES, SEEDS, SCHEDULE)
    assert steps == list(range(1, STEPS + 1))
    assert same(bytes_of(again), bytes_of(whole))
    [note] = notes  # once, not at every step
    assert re.fullmatch(rf"no checkpoint in {re.escape(str(path))} \(.*\): training goes on", note)


@pytest.mark.parametrize("lost", ["before it is written", "while it is written"])
def test_a_run_that_may_write_no_more_leaves_the_checkpoint_of_the_one_that_took_over(
    lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.torch

    lease, notes = tmp_path / "d" / "lease.json", list[str]()
    writing = safetensors.torch.save_file
    monkeypatch.setattr(
        safetensors.torch, "save_file", lambda *given, **more: [lease.unlink(missing_ok=True), writing(*given, **more)]
    )
    with Store(tmp_path / "d") as store:
        held = store.tuned("ab")
        checkpoint = Checkpoint(held.checkpoint, {}, notes.append, held.check_writer)
        checkpoint.resume({})
        held.checkpoint.parent.mkdir()
        held.checkpoint.write_bytes(b"of the run that took over")
        if lost == "before it is written":
            lease.unlink()
        with pytest.raises(StoreError, match="its lease was removed while this run stood still"):
            checkpoint.write({}, State(3, [], 0, {}, None, {"w": torch.zeros(1)}))
        with pytest.raises(StoreError, match="its lease was removed while this run stood still"):
            Checkpoint(held.checkpoint, {}, notes.append, held.check_writer).resume({})
        assert held.checkpoint.read_bytes() == b"of the run that took over"
    assert notes == []


def test_a_checkpoint_of_full_tuning_is_weights_and_two_moments(tmp_path: Path) -> None:
    model, path = model_for("full"), tmp_path / "c"
    tune(tuner("full"), model, path)
    weights = 4 * sum(weight.numel() for weight in model.module.parameters())
    assert 3 * weights < path.stat().st_size < 3 * weights + 100_000
    Checkpoint(path).remove()
    Checkpoint(path).remove()
    assert not path.exists()
