"""Items at which a method raises an error: a budget of them, their records, and asking them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from commands import call

from onset.analysis.study import analyse
from onset.errors import CellsFailed, ModelError, RequestRefused
from onset.models.scripted import ScriptedModel
from onset.records import Completion, Request
from onset.results.read import load
from onset.study.runner import Summary, run
from onset.study.spec import make_study

REPLIES: Mapping[str, str | Sequence[str]] = {"heads": " The answer is heads."}
N = 40


class Refusing:
    """A scripted model behind something that refuses some of the questions, by their number, until it is mended."""

    def __init__(self, refused: Sequence[int] = (), *, gone: bool = False) -> None:
        self.inner = ScriptedModel(REPLIES, default=" The answer is tails.")
        self.refused, self.gone = set(refused), gone
        self.asked: list[str] = []
        self.known: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def answers(self, requests: Sequence[Request]) -> list[list[Completion] | RequestRefused]:
        if self.gone:
            raise ModelError("the server went away")
        found: list[list[Completion] | RequestRefused] = []
        for one in requests:
            question = one.prompt.rpartition("Question: ")[2]
            if question not in self.known:
                self.known.append(question)
            self.asked.append(question)
            refuse = self.known.index(question) in self.refused
            found.append(RequestRefused("content filter") if refuse else self.inner.generate([one])[0])
        return found


def study(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "far"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": N}],
        "methods": ["answer-only"],
        "labels": [0],
        "seeds": 1,
        "items": N,
        "chunk": 16,
        "continuous": False,
    }
    return make_study(**{**values, **changes})


def go(folder: Path, model: Refusing, *, retry_failed: bool = False, **changes: Any) -> Summary:
    return run(study(**changes), folder, models={"far": model}, retry_failed=retry_failed)


def table(folder: Path) -> pl.DataFrame:
    (path,) = folder.glob("cells/*/records.parquet")
    return pl.read_parquet(path)


def parquet(folder: Path) -> bytes:
    (path,) = folder.glob("cells/*/records.parquet")
    return path.read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The records of a run in which nothing failed."""
    folder = tmp_path_factory.mktemp("sound")
    assert go(folder, Refusing()).items == 0
    return parquet(folder)


def test_a_few_failed_items_stay_in_the_denominator_as_wrong_with_their_cause(tmp_path: Path) -> None:
    assert go(tmp_path, Refusing([3, 30])).items == 2
    held = table(tmp_path)
    assert len(held) == N
    failed = held.filter(pl.col("status") == "failed")
    assert failed["position"].to_list() == [3, 30]
    assert failed["cause"].to_list() == ["RequestRefused: content filter"] * 2
    assert not failed["correct"].any()
    analysis = analyse(load(tmp_path))
    (cell,) = load(tmp_path).cells.to_dicts()
    assert (cell["n"], cell["correct"]) == (N, int(held["correct"].sum()))
    assert [one.n for one in analysis.findings if one.verdict == "failed items"] == [2]


@pytest.mark.parametrize(
    ("refused", "budget", "fails"), [(2, 0.05, False), (3, 0.05, True), (1, 0.0, True), (39, 1, False)]
)
def test_the_budget_decides_whether_the_cell_fails(tmp_path: Path, refused: int, budget: float, fails: bool) -> None:
    model = Refusing(range(refused))
    if not fails:
        assert go(tmp_path, model, item_error_budget=budget).items == refused
        return
    with pytest.raises(CellsFailed) as stopped:
        go(tmp_path, model, item_error_budget=budget)
    said = f"ItemsFailed: {refused} of {N} items failed (item_error_budget {budget:.0%}), the others are kept; first:"
    assert f"first: {said} RequestRefused: content filter" in str(stopped.value)
    results = load(tmp_path)
    assert list(results.failed.values()) == [f"{said} RequestRefused: content filter"]
    assert len(results.cells) == 0


def test_a_cell_above_the_budget_is_gone_on_with_and_asks_its_failed_items_alone(tmp_path: Path, sound: bytes) -> None:
    model = Refusing(range(5, 12))
    with pytest.raises(CellsFailed):
        go(tmp_path, model)
    asked = len(model.asked)
    with pytest.raises(CellsFailed):
        go(tmp_path, model)  # no better
    assert len(model.asked) == asked + 7
    model.refused = set()
    assert go(tmp_path, model) == Summary(cells=1, ran=1, kept=0, failed={})
    assert len(model.asked) == asked + 14
    assert set(model.asked[asked:]) == set(model.known[5:12])
    assert parquet(tmp_path) == sound


def test_failed_items_of_finished_cells_are_asked_again_where_that_is_wished(tmp_path: Path, sound: bytes) -> None:
    model = Refusing([0, 39])
    go(tmp_path, model)
    before, asked = table(tmp_path), len(model.asked)
    model.refused = {39}
    assert go(tmp_path, model) == Summary(cells=1, ran=0, kept=1, failed={})
    assert len(model.asked) == asked
    assert go(tmp_path, model, retry_failed=True) == Summary(cells=1, ran=1, kept=0, failed={}, items=1)
    assert model.asked[asked:] == [model.known[0], model.known[39]]
    rest = pl.col("position") != 0
    assert table(tmp_path).filter(rest).equals(before.filter(rest))
    model.refused = set()
    go(tmp_path, model, retry_failed=True)
    assert parquet(tmp_path) == sound
    assert go(tmp_path, model, retry_failed=True) == Summary(cells=1, ran=0, kept=1, failed={})


def test_a_server_that_goes_while_failed_items_are_asked_again_costs_nothing(tmp_path: Path, sound: bytes) -> None:
    model = Refusing([7])
    go(tmp_path, model)
    before = parquet(tmp_path)
    model.gone = True
    with pytest.raises(CellsFailed, match="the server went away"):
        go(tmp_path, model, retry_failed=True)
    assert parquet(tmp_path) == before
    assert len(load(tmp_path).cells) == 1
    model.gone, model.refused = False, set()
    go(tmp_path, model, retry_failed=True)
    assert parquet(tmp_path) == sound


class Stopping(Refusing):
    """Refuses nothing, and is stopped at a call."""

    def __init__(self, known: Sequence[str], at: int) -> None:
        super().__init__()
        self.known, self.calls, self.at = list(known), 0, at

    def answers(self, requests: Sequence[Request]) -> list[list[Completion] | RequestRefused]:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return super().answers(requests)


@pytest.mark.parametrize(("at", "kept"), [(1, 0), (2, 15), (3, 31)])
def test_a_run_that_is_stopped_while_it_asks_again_keeps_the_chunks_that_it_asked(
    tmp_path: Path, sound: bytes, at: int, kept: int
) -> None:
    model = Refusing(range(1, N))
    with pytest.raises(CellsFailed):
        go(tmp_path, model)
    stopped = Stopping(model.known, at)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, stopped)
    assert len(stopped.asked) == kept
    assert len(load(tmp_path).failed) == 1
    last = Refusing()
    assert go(tmp_path, last) == Summary(cells=1, ran=1, kept=0, failed={})
    assert last.asked == model.known[kept + 1 :]
    assert parquet(tmp_path) == sound


def test_a_cell_whose_items_all_failed_begins_anew(tmp_path: Path, sound: bytes) -> None:
    model = Refusing(range(N))
    with pytest.raises(CellsFailed, match=f"every one of the {N} items failed"):
        go(tmp_path, model, item_error_budget=1)
    model.refused = set()
    go(tmp_path, model, item_error_budget=1)
    assert parquet(tmp_path) == sound


def test_another_budget_is_no_other_study(tmp_path: Path) -> None:
    """A cell that failed for its budget is finished under a wider one; its failures are asked once more before."""
    model = Refusing(range(10))
    with pytest.raises(CellsFailed):
        go(tmp_path, model)
    assert go(tmp_path, model, item_error_budget=0.5).items == 10
    assert table(tmp_path)["status"].to_list().count("failed") == 10


@pytest.mark.slow
def test_the_command_says_how_many_items_failed_and_how_to_ask_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rules = {"rules": [{"contains": "heads", "text": " The answer is heads."}], "default": " The answer is tails."}
    (tmp_path / "replies.json").write_text(json.dumps(rules))
    values = study(models=["scripted:replies.json"]).canonical()
    keys = ("name", "models", "tasks", "methods", "labels", "items", "continuous")
    text = json.dumps({key: values[key] for key in keys} | {"seeds": 1, "models": ["scripted:replies.json"]})
    (tmp_path / "study.yaml").write_text(text)
    seen = ScriptedModel.generate
    fails = [True]

    def generate(self: ScriptedModel, requests: Sequence[Request]) -> list[list[Completion]]:
        return seen(self, requests)

    def answers(self: ScriptedModel, requests: Sequence[Request]) -> list[Any]:
        found: list[Any] = generate(self, requests)
        if fails[0]:
            found[2] = RequestRefused("no")
        return found

    monkeypatch.setattr(ScriptedModel, "answers", answers, raising=False)
    code, _, err = call(capsys, "run", "study.yaml", "--out", "out")
    assert code == 0
    assert "1 cells run, 0 kept, 0 failed\n1 item of these cells failed and count as wrong" in err
    fails[0] = False
    code, _, err = call(capsys, "run", "study.yaml", "--out", "out", "--retry-failed")
    assert code == 0
    assert "1 cells run, 0 kept, 0 failed" in err
    assert "count as wrong" not in err
    assert "failed" not in table(tmp_path / "out")["status"].to_list()
