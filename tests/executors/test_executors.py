"""Every executor of the table gives the records that this process gives, byte for byte, through deaths of its parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from executor_studies import Watch, bytes_of, fakes, ladder

from onset.cli import main
from onset.errors import CellsFailed, ExecutorError
from onset.executors import EXECUTORS, open_executor
from onset.models.reproducible import make_reproducible
from onset.study.entries import Resources
from onset.study.grid import expand
from onset.study.jobs import Executor
from onset.study.runner import run
from onset.study.spec import Study, read_study

pytestmark = pytest.mark.slow
SETTINGS: dict[str, dict[str, Any]] = {
    "in-process": {},
    "local": {"workers": 2},
    "ray": {"address": "auto", "workers": 2},
}


@pytest.fixture(scope="module", autouse=True)
def _reproducible() -> Iterator[None]:
    """Workers, and runs in processes of their own, compute as the command does; this process computes nothing."""
    before = dict(os.environ)
    make_reproducible()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    yield
    os.environ.clear()
    os.environ |= before


@pytest.fixture(scope="module")
def cluster(_reproducible: None) -> Iterator[Any]:
    """A Ray cluster of two machines of one processor, both on this one; no process of it outlives the module."""
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    memory = {"object_store_memory": 80 << 20}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **memory})
    made.add_node(num_cpus=1, **memory)
    os.environ["RAY_ADDRESS"] = made.address
    try:
        yield made
    finally:
        made.shutdown()
        os.environ.clear()
        os.environ |= before


@pytest.fixture(params=list(EXECUTORS))
def name(request: pytest.FixtureRequest) -> str:
    """An executor of the table, which there is something to run on for."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    return str(request.param)


@pytest.fixture(params=[one for one in EXECUTORS if one != "in-process"])
def apart(request: pytest.FixtureRequest) -> str:
    """Likewise, of those whose workers are other processes."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    return str(request.param)


def opened(name: str) -> Executor:
    assert set(SETTINGS) == set(EXECUTORS), "a new executor: say here how it is opened for its tests"
    return open_executor(name, **SETTINGS[name])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def plain(place: Path) -> tuple[Study, Path, dict[str, int]]:
    """A study of fakes, run here."""
    study, watch = fakes(place), Watch()
    run(study, place / "fakes", observer=watch)
    return study, place / "fakes", watch.items()


def test_a_study_of_fakes_has_the_same_bytes_and_words(name: str, plain: Any, tmp_path: Path) -> None:
    study, held, items = plain
    watch = Watch()
    summary = run(study, tmp_path / "d", observer=watch, executor=opened(name))
    assert (summary.ran, summary.kept, dict(summary.failed)) == (16, 0, {})
    assert bytes_of(tmp_path / "d") == bytes_of(held)
    assert watch.items() == items
    assert run(study, tmp_path / "d", executor=opened(name)).kept == 16


@pytest.fixture(scope="module")
def rungs(place: Path) -> tuple[Path, Path]:
    """A study of the ladder, and its folder, run by a process of its own."""
    study = place / "ladder.json"
    study.write_text(json.dumps(_written(ladder(place))))
    with started(study, place / "ladder", "in-process") as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    return study, place / "ladder"


def test_tuned_staged_and_voting_models_have_the_same_bytes(apart: str, rungs: Any, tmp_path: Path) -> None:
    study, held = rungs
    assert run(read_study(study), tmp_path / "d", executor=opened(apart)).failed == {}
    assert bytes_of(tmp_path / "d") == bytes_of(held)
    assert sum(path.endswith("safetensors") for path in bytes_of(held)) >= 2


def test_failures_are_told_once_and_count_as_they_do_here(name: str, tmp_path: Path) -> None:
    study = fakes(tmp_path)
    (tmp_path / "two.json").write_text("[]")
    watch = Watch()
    with pytest.raises(CellsFailed, match="8 of 16 cells failed"):
        run(study, tmp_path / "d", observer=watch, executor=opened(name))
    cells = [cell.id for cell in expand(study).cells if cell.model == "two"]
    assert sorted(cell.id for cell, _ in watch.told("failed")) == sorted(cells)


class KillsOne(Watch):
    """Kills a worker when a tuning has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.killed: list[int] = []

    def tuning(self, cell: Any, done: int, steps: int) -> None:
        if not self.killed:
            self.killed += workers()[:1]
            os.kill(self.killed[0], signal.SIGKILL)


def workers() -> list[int]:
    """Processes of workers of this process, or of its Ray cluster."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if b"ray::Seat" in words:
            found.append(int(path.name))
    from multiprocessing import active_children

    return found + [one.pid for one in active_children() if one.pid and (one.name or "").startswith("onset-w")]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_worker_that_is_killed_within_a_tuning_changes_no_byte(apart: str, rungs: Any, tmp_path: Path) -> None:
    study, held = rungs
    watch = KillsOne()
    assert run(read_study(study), tmp_path / "d", observer=watch, executor=opened(apart)).failed == {}
    assert watch.killed
    assert bytes_of(tmp_path / "d") == bytes_of(held)
    assert any("a worker died (" in text for (text,) in watch.told("note"))


@contextmanager
def started(study: Path, out: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """``onset run`` in a process of its own, with its workers, and all of them gone afterwards."""
    options = [f"--{key}={value}" for key, value in SETTINGS[name].items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "onset", "run", str(study), "--out", str(out), "--executor", name, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def descendants(pid: int) -> list[int]:
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [one for child in children for one in descendants(child)]


def until(true: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_takes_its_workers_along_and_goes_on(
    apart: str, sent: signal.Signals, plain: Any, tmp_path: Path
) -> None:
    study, held, _ = plain
    slow = tmp_path / "study.json"
    slow.write_text(json.dumps(_written(study)))
    out = tmp_path / "d"
    with started(slow, out, apart) as process:
        until(lambda: len(list(out.glob("cells/*/done.json"))) >= 2 or process.poll() is not None)
        children = descendants(process.pid)
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    until(lambda: not any(alive(one) for one in children), 30)
    until(lambda: not any(alive(one) for one in workers()), 60)
    if sent == signal.SIGINT:
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert "run again to go on" in said
    summary = run(study, out, executor=opened(apart))
    assert summary.kept >= 2
    assert bytes_of(out) == bytes_of(held)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _written(study: Study) -> dict[str, Any]:
    return study.model_dump(mode="json", exclude_defaults=True)


def test_a_node_that_is_lost_in_tuning_changes_no_byte(cluster: Any, rungs: Any, tmp_path: Path) -> None:
    study, held = rungs
    node = cluster.add_node(num_cpus=2, object_store_memory=80 << 20)

    class Loses(Watch):
        lost = False

        def tuning(self, cell: Any, done: int, steps: int) -> None:
            if not self.lost:
                self.lost = True
                cluster.remove_node(node, allow_graceful=False)

    watch = Loses()
    by = open_executor("ray", address="auto", workers=3)
    summary = run(read_study(study), tmp_path / "d", observer=watch, executor=by)
    assert summary.failed == {}
    assert watch.lost
    assert bytes_of(tmp_path / "d") == bytes_of(held)


@pytest.mark.usefixtures("cluster")
def test_what_no_machine_of_a_cluster_has_is_said_before_anything_runs(tmp_path: Path) -> None:
    study = fakes(tmp_path)
    needs = Resources(cpus=64, gpus=2, accelerator="H100")
    first = study.models[0].model_copy(update={"resources": needs})
    greedy = study.model_copy(update={"models": (first, *study.models[1:])})
    with pytest.raises(
        ExecutorError, match=r"^model 'one' needs cpus 64, gpus 2, H100, which no machine of the cluster"
    ):
        run(greedy, tmp_path / "d", executor=open_executor("ray", address="auto"))


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    with pytest.raises(ExecutorError, match=r"^no Ray cluster at address '127\.0\.0\.1:1': .+$") as caught:
        run(fakes(tmp_path), tmp_path / "d", executor=open_executor("ray", address="127.0.0.1:1"))
    assert "\n" not in str(caught.value)


def test_the_command_takes_an_executor(plain: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, held, _ = plain
    path = tmp_path / "study.json"
    path.write_text(json.dumps(_written(study)))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(path), "--out", str(tmp_path / "d"), "--executor", "local", "--workers", "2"])
    assert ended.value.code == 0
    assert "16 cells run, 0 kept, 0 failed" in capsys.readouterr().err
    assert bytes_of(tmp_path / "d") == bytes_of(held)
