"""Jobs of a study and who gets them, with workers that run here and die as they are told."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from executor_studies import Died, Here, On, Watch, bytes_of, fakes

from onset.errors import CellsFailed, ExecutorError, RequestRefused, StoreError, StudyError
from onset.executors import EXECUTORS, open_executor
from onset.executors.base import Message, Staff
from onset.models.base import Request
from onset.models.scripted import ScriptedModel
from onset.results.admitted import admit, dismiss, dismiss_all
from onset.results.folder import Store
from onset.results.lease import LEASE
from onset.study.grid import expand
from onset.study.jobs import Ended, Job, jobs_of
from onset.study.runner import run
from onset.study.spec import Study
from onset.tasks import open_tasks


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


def small(place: Path) -> Study:
    """Eight cells in six jobs: two of a model have one bank of samples."""
    methods = ["answer-only", {"prompt": "cot", "shots": 0, "name": "zero"}]
    methods += [{"prompt": "cot", "vote": {"kind": one, "samples": 2}, "name": one} for one in ("majority", "weighted")]
    return fakes(place, methods=methods, labels=[4], items=4, chunk=2)


def test_every_cell_is_in_one_job_and_with_those_that_it_reads(tmp_path: Path) -> None:
    cells = expand(fakes(tmp_path, seeds=2)).cells
    jobs = jobs_of(cells)
    assert Counter(cell.id for job in jobs for cell in job.cells) == Counter(cell.id for cell in cells)
    place = {cell.id: job.key for job in jobs for cell in job.cells}
    for kind in ("bank", "tuned", "search"):
        shared = [(getattr(cell, kind), place[cell.id]) for cell in cells if getattr(cell, kind)]
        assert len(set(shared)) == len({one for one, _ in shared})
    names = [sorted({cell.method.name for cell in job.cells}) for job in jobs if job.label == "one"]
    assert names.count(["likely", "most"]) == 4  # of a budget and seed: one bank of samples
    assert names.count(["zero"]) == 1  # the same whatever the budget
    assert all(pickle.loads(pickle.dumps(job)) == job for job in jobs)
    assert [job.label for job in jobs] == sorted([job.label for job in jobs], key=["one", "two"].index)


GENERATED = ["addition", "coin-flip", "last-letters", "multi-hop", "word-problems", "world-coin", "world-compare"]


@pytest.mark.parametrize("name", [*GENERATED, "world-problems", "world-programs", "world-one-hop"])
def test_a_task_can_be_sent_to_a_worker(name: str) -> None:
    (task,) = open_tasks({"name": name, "pool": 4, "test": 4})
    sent = pickle.loads(pickle.dumps(task))
    assert sent == task
    assert sent.hash == task.hash
    if task.longer is not None:
        assert sent.longer(1) == task.longer(1)
    if task.solver is not None:
        assert [sent.solver.solve(one) for one in task.test] == [task.solver.solve(one) for one in task.test]


def test_who_has_a_model_open_is_given_its_jobs_first(tmp_path: Path) -> None:
    pool = Here()
    run(small(tmp_path), tmp_path / "d", executor=On(pool))
    labels: dict[str, list[str]] = {}
    for worker, job, _ in pool.given:
        labels.setdefault(worker, []).append(job.label)
    assert len(labels) == 2
    assert all(len(set(held)) == 1 for held in labels.values())
    assert not pool.alive
    assert not list((tmp_path / "d" / "workers").glob("*"))


def test_a_model_is_opened_by_one_worker_before_others_have_its_jobs(tmp_path: Path) -> None:
    pool = Here()
    study = small(tmp_path)
    run(study.model_copy(update={"models": study.models[:1]}), tmp_path / "d", executor=On(pool, 3))
    assert [dtype for _, _, dtype in pool.given] == [None, "none", "none"]
    assert len({worker for worker, _, _ in pool.given[1:]}) == 2


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_worker_that_dies_loses_its_job_alone(tmp_path: Path, after: int) -> None:
    plain, watched = Watch(), Watch()
    run(small(tmp_path), tmp_path / "a", observer=plain)
    pool = Here(dies={1: after, 3: after})
    summary = run(small(tmp_path), tmp_path / "b", observer=watched, executor=On(pool))
    assert (summary.ran, dict(summary.failed)) == (8, {})
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert watched.items() == plain.items() == {cell.id: 4 for cell in expand(small(tmp_path)).cells}
    notes = [text for (text,) in watched.told("note")]
    assert len(notes) == 2
    assert all(text.startswith("a worker died (signal 9); its job, ") for text in notes)
    assert len(pool.given) == 6 + 2


@pytest.mark.parametrize("dies", [{}, {1: 1, 3: 1}])
def test_what_is_told_first_of_a_cell_is_what_was_there_before(tmp_path: Path, dies: dict[int, int]) -> None:
    watched = Watch()
    run(small(tmp_path), tmp_path / "d", observer=watched, executor=On(Here(dies=dies)))
    first: dict[str, int] = {}
    for cell, items in watched.told("advanced"):
        first.setdefault(cell.id, items)
    assert first == {cell.id: 0 for cell in expand(small(tmp_path)).cells}  # the pace of a run is reckoned without it


def test_a_job_that_kills_its_workers_fails_and_the_others_run(tmp_path: Path) -> None:
    study = small(tmp_path)
    one = study.model_copy(update={"models": study.models[:1]})
    watch = Watch()
    with pytest.raises(CellsFailed, match=r"1 of 4 cells failed .*the worker died \(signal 9\), 3 times in all"):
        run(one, tmp_path / "d", observer=watch, executor=On(Here(dies={0: 2, 1: 2, 2: 2}), 1))
    assert [error for _, error in watch.told("failed")] == ["the worker died (signal 9), 3 times in all"]
    again = run(one, tmp_path / "d")
    assert (again.ran, again.kept) == (1, 3)


def test_workers_that_do_not_begin_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match=r"4 workers have ended before they began \(exit status 1\); a script"):
        run(small(tmp_path), tmp_path / "d", executor=On(Here(stillborn=range(9))))


def test_those_that_begin_go_on_without_those_that_do_not(tmp_path: Path) -> None:
    watch, pool = Watch(), Here(stillborn=range(1, 99))
    summary = run(small(tmp_path), tmp_path / "d", observer=watch, executor=On(pool))
    assert (summary.ran, dict(summary.failed)) == (8, {})
    assert watch.told("note") == [
        ("3 workers have ended before they began (exit status 1): no more are started while others work",)
    ]
    assert list(pool.shapes) == ["w001", "w002", "w003", "w004"]


def test_one_more_is_tried_where_the_last_that_began_has_died(tmp_path: Path) -> None:
    pool = Here(stillborn=range(1, 4), dies={1: 0})
    summary = run(small(tmp_path), tmp_path / "d", executor=On(pool))
    assert (summary.ran, dict(summary.failed)) == (8, {})
    assert list(pool.shapes)[:5] == ["w001", "w002", "w003", "w004", "w005"]


class Silenced(Here):
    """The first worker dies when its first job is done, before it says so."""

    silent = False

    def _say(self, worker: str, message: Message) -> None:
        if isinstance(message, Ended) and not self.silent:
            self.silent = True
            raise Died
        super()._say(worker, message)


def test_failed_items_of_a_worker_that_died_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(self: ScriptedModel, requests: Sequence[Request]) -> list[Any]:
        given = self.generate(requests)
        return [RequestRefused("no") if place == 0 else one for place, one in enumerate(given)]

    monkeypatch.setattr(ScriptedModel, "answers", answers, raising=False)
    study = small(tmp_path).model_copy(update={"item_error_budget": 0.75})
    pool = Silenced()
    assert run(study, tmp_path / "a").items == run(study, tmp_path / "b", executor=On(pool)).items > 0
    assert len(pool.given) == 6 + 1
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


@pytest.mark.parametrize("after", range(2, 10))
def test_a_worker_that_dies_after_it_mended_a_finished_cell_leaves_it_mended(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --retry-failed its job is begun again: the cell is done, and nothing of it is left to be asked."""
    refused, generate = [True], ScriptedModel.generate

    def answers(self: ScriptedModel, requests: Sequence[Request]) -> list[Any]:
        found: list[Any] = [generate(self, [one])[0] for one in requests]
        if refused[0]:
            found[0] = RequestRefused("content filter")
        return found

    monkeypatch.setattr(ScriptedModel, "answers", answers, raising=False)
    study = fakes(
        tmp_path,
        methods=[{"prompt": "cot", "shots": 0, "name": "zero"}],
        labels=[4],
        items=6,
        chunk=4,
        item_error_budget=1,
        continuous=False,
    )
    assert run(study, tmp_path / "d").items == 4
    refused[0] = False
    done = run(study, tmp_path / "d", retry_failed=True, executor=On(Here(dies={0: after})))
    assert (done.failed, done.items) == ({}, 0)
    run(study, tmp_path / "whole")
    records = {one: kept for one, kept in bytes_of(tmp_path / "d").items() if one.endswith(".parquet")}
    assert records == {one: kept for one, kept in bytes_of(tmp_path / "whole").items() if one.endswith(".parquet")}


def test_a_model_that_does_not_open_fails_its_cells_once(tmp_path: Path) -> None:
    study = small(tmp_path)
    (tmp_path / "one.json").write_text("[]")
    seen = []
    for name, executor in (("a", None), ("b", On(Here()))):
        watch = Watch()
        with pytest.raises(CellsFailed, match="4 of 8 cells failed") as caught:
            run(study, tmp_path / name, observer=watch, executor=executor)
        failed = [(cell.id, error) for cell, error in watch.told("failed")]
        assert len(failed) == 4
        seen.append((str(caught.value).replace(f"/{name},", ","), sorted(failed)))
    assert seen[0] == seen[1]
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


class Breaking(Here):
    """The file of the model breaks when its first job is done, and the worker that had it open dies."""

    def __init__(self, file: Path) -> None:
        super().__init__(dies={1: 0})
        self.file, self.asked = file, 0

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        self.asked += 1
        assert self.asked < 100, "waits for nothing"
        return super().news(seconds)

    def _run(self, worker: str, job: Job, dtype: str | None) -> None:
        super()._run(worker, job, dtype)
        self.file.write_text("[]")


def test_a_model_that_does_not_open_again_ends_the_run(tmp_path: Path) -> None:
    study = small(tmp_path)
    one = study.model_copy(update={"models": study.models[:1]})
    with pytest.raises(CellsFailed, match="3 of 4 cells failed"):
        run(one, tmp_path / "d", executor=On(Breaking(tmp_path / "one.json"), 1))


class Failing(Here):
    """The second worker cannot open the model, which the first had open."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file, self.whole, self.asked = file, file.read_text(), 0

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        self.asked += 1
        assert self.asked < 100, "waits for nothing"
        return super().news(seconds)

    def _run(self, worker: str, job: Job, dtype: str | None) -> None:
        self.file.write_text("[]" if worker == "w002" else self.whole)
        super()._run(worker, job, dtype)


def test_a_third_worker_does_what_the_second_could_not_open(tmp_path: Path) -> None:
    study = small(tmp_path)
    one = study.model_copy(update={"models": study.models[:1]})
    pool = Failing(tmp_path / "one.json")
    assert run(one, tmp_path / "d", executor=On(pool)).ran == 4
    assert set(pool.shapes) > {"w001", "w002"}


def test_an_error_of_the_folder_ends_the_run_as_it_does_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("model 'one' has changed")

    monkeypatch.setattr("onset.study.session.Held.check", refuse)
    pool = Here()
    with pytest.raises(StoreError, match=r"^model 'one' has changed$"):
        run(small(tmp_path), tmp_path / "d", executor=On(pool))
    assert not pool.alive


def test_an_error_of_ours_ends_the_run_with_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("onset.study.session.Held.check", fall)
    with pytest.raises(RuntimeError, match=r"(?s)^a worker could not go on: Traceback .*ZeroDivisionError: by nothing"):
        run(small(tmp_path), tmp_path / "d", executor=On(Here()))


def test_models_that_are_open_here_are_not_taken_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="model 'one' was given open, and is in this process alone"):
        run(small(tmp_path), tmp_path / "d", models={"one": ScriptedModel({})}, executor=On(Here()))


def test_workers_of_one_shape_give_way_to_those_of_another(tmp_path: Path) -> None:
    pool = Here()
    staff = Staff(lambda _: 1, lambda label: label, together=1)
    assert run(small(tmp_path), tmp_path / "d", executor=On(pool, staff=staff)).ran == 8
    assert [pool.shapes[worker] for worker in sorted(pool.shapes)] == ["one", "two"]


def test_a_worker_that_was_given_up_changes_nothing_more(tmp_path: Path) -> None:
    with Store(tmp_path / "d") as store:
        files = admit(store.files, "w1", "here")
        files.at("cells").put("kept", b"1")
        dismiss(store.files, "w1")
        with pytest.raises(StoreError, match="the run has given this worker up; it stops, and has changed nothing"):
            files.at("cells").put("lost", b"1")
        assert list(store.files.names("cells")) == ["cells/kept"]
        with pytest.raises(StoreError, match="the run has given this worker up"):
            files.at("tuned").check("ab.checkpoint")
        other = admit(store.files, "w2", "here")
        other.at("tuned").check("ab.checkpoint")
        dismiss_all(store.files)
        with pytest.raises(StoreError, match="the run has given this worker up"):
            other.put("lost", b"1")


def test_a_worker_of_a_run_whose_folder_was_taken_over_changes_nothing_more(tmp_path: Path) -> None:
    with Store(tmp_path / "d") as store:
        files = admit(store.files, "w1", "here")
        (tmp_path / "d" / LEASE).unlink()
        with pytest.raises(StoreError, match="its lease was removed"):
            files.at("cells").put("lost", b"1")


def test_settings_that_an_executor_does_not_have_are_refused() -> None:
    assert list(EXECUTORS) == ["in-process", "local", "ray"]
    with pytest.raises(ExecutorError, match=r"^executor 'in-process' takes no 'workers'; it has no settings$"):
        open_executor("in-process", workers=2, address=None)
    with pytest.raises(ExecutorError, match=r"^executor 'local' takes no 'address'; its settings: workers$"):
        open_executor("local", address="auto")
    with pytest.raises(ExecutorError, match=r"^executor 'local': workers: 0, at least 1 is needed$"):
        open_executor("local", workers=0)
