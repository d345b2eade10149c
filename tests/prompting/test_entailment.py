"""Entailment by a second model: the same inference, and its calls, tokens and FLOPs counted as its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from models_fixtures import save_nli
from results_json import write_json
from test_maieutic import JUDGED, SOUP, World, asked
from told import solve

from onset.errors import ModelError
from onset.models import nli
from onset.models.nli import Judged, open_nli, parameters
from onset.models.scripted import ScriptedModel
from onset.pipeline import _flops
from onset.prompting.ask import spent
from onset.prompting.maieutic import Maieutic
from onset.records import content_hash
from onset.results.read import load
from onset.study.estimate import estimate
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import Study, make_study, read_study

SAID = {"True": "entailment", "False": "contradiction", "Neither": "neutral"}
FILES = Path(__file__).parents[2] / "examples" / "methods"


@dataclass
class Scripted:
    """Judges pairs as the example of `test_maieutic` does; those in ``long`` are too long for it."""

    name: str = "nli"
    long: tuple[tuple[str, str], ...] = ()
    seen: list[tuple[str, str]] = field(default_factory=list)

    def flops(self, tokens: int) -> float:
        return 100.0 * tokens

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judged]:
        self.seen += pairs
        return [
            Judged(None, 0) if pair in self.long else Judged(SAID[JUDGED.get(pair, "Neither")], 7)  # type: ignore[arg-type]
            for pair in pairs
        ]


def judged_by(second: Scripted, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    monkeypatch.setattr(nli, "open_nli", lambda spec: {"a/model": second}[spec])
    return solve(Maieutic(entailment="a/model"), SOUP, World(judged={}))


def test_it_infers_from_what_the_second_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    own, _, own_ask = asked()
    second = Scripted()
    attempt, ask = judged_by(second, monkeypatch)
    assert attempt == own
    assert attempt.detail == {"decided": "explanations", "score": -2.0, "nodes": 2}
    calls = [one for one in ask.transcript if one.role == "entailment"]
    assert [tuple(one.prompt.split("\n")) for one in calls] == second.seen
    assert len(second.seen) == 2 + 2 * 2
    assert {one.model for one in calls} == {"nli"}
    others = [one for one in ask.transcript if one.role != "entailment"]
    assert others == [one for one in own_ask.transcript if one.role != "entailment"]
    assert {one.model for one in others} == {None}


def test_its_tokens_are_its_own_and_its_flops_are_part_of_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    _, ask = judged_by(Scripted(), monkeypatch)
    own = [one for one in ask.transcript if one.role not in ("entailment", "gold")]
    assert spent(ask.transcript) == (sum(one.prompt_tokens for one in own), sum(one.output_tokens for one in own))

    class Facts:
        def flops(self, tokens: int) -> float:
            return 2.0 * tokens

    assert _flops(Facts(), ask.transcript) == 2.0 * sum(spent(ask.transcript)) + 6 * 700.0  # type: ignore[arg-type]


def test_a_pair_too_long_for_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    every = tuple((a, b) for a, b in JUDGED)
    attempt, ask = judged_by(Scripted(long=every), monkeypatch)
    assert attempt.detail["decided"] == "statement"
    assert sum(one.texts == ("",) for one in ask.transcript) == len(every)


FAKE = {"spec": "scripted:none.json", "label": "fake"}


def talker() -> ScriptedModel:
    """Says something else to every prompt, and believes it as a hash of it says."""
    return ScriptedModel(lambda prompt, sample: f" reason {content_hash(prompt, 4)} is {sample}.")


def statements(model: Any = FAKE, **prompt: Any) -> Study:
    return make_study(
        name="s",
        models=[model],
        tasks=[{"name": "statements", "train": str(FILES / "statements.jsonl"), "test": 0.4}],
        methods=[{"prompt": {"kind": "maieutic", "tokens": 12, "width": 1, **prompt}, "shots": 0, "name": "m"}],
        labels=4,
        seeds=1,
        items=4,
    )


def test_a_study_counts_both_models(tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli")
    run(statements(entailment=str(folder)), tmp_path / "d", models={"fake": talker()})
    results = load(tmp_path / "d")
    (cell,) = results.cells.to_dicts()
    calls = [one | {"item": row["item"]} for row in results.records.to_dicts() for one in row["calls"]]
    second = [one for one in calls if one["model"] is not None]
    judge = open_nli(str(folder))
    assert len(second) > 5
    for one, found in zip(second, judge.judge([tuple(one["prompt"].split("\n")) for one in second]), strict=True):
        assert (one["texts"], one["prompt_tokens"], one["output_tokens"]) == ([found.label], found.tokens, 0)
        assert one["flops"] == judge.flops(found.tokens)
    tokens = sum(one["prompt_tokens"] for one in second)
    flops = 2.0 * parameters(str(folder)) * tokens
    assert cell["others"] == [{"model": "nli", "calls": len(second), "tokens": tokens, "flops": flops}]
    own = [one for one in calls if one["model"] is None and one["role"] != "gold"]
    assert cell["prompt_tokens"] == sum(one["prompt_tokens"] for one in own)
    assert cell["flops_inference"] == pytest.approx(2.0 * 1_000_000 * cell["tokens"] + flops)
    run(statements(), tmp_path / "plain", models={"fake": talker()})
    (alone,) = load(tmp_path / "plain").cells.to_dicts()
    assert alone["others"] == []
    assert alone["flops_inference"] == 2.0 * 1_000_000 * alone["tokens"]


def test_other_weights_are_another_cell_and_a_plan_knows_its_size(tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli")
    (before,) = [cell.id for cell in expand(statements(entailment=str(folder))).cells]
    moved = tmp_path / "moved"
    folder.rename(moved)
    assert [cell.id for cell in expand(statements(entailment=str(moved))).cells] == [before]
    save_nli(moved, seed=9)
    assert [cell.id for cell in expand(statements(entailment=str(moved))).cells] != [before]
    plain, named = (
        estimate(expand(statements("ladder/r1", **more))).total().flops for more in ({}, {"entailment": str(moved)})
    )
    assert plain is not None
    assert named is not None
    assert named < plain  # the second model is smaller than the measured one


def test_what_cannot_judge_is_refused_when_the_study_is_laid_out(tmp_path: Path) -> None:
    folder = save_nli(tmp_path / "nli", labels={0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})
    with pytest.raises(ModelError, match="its labels are LABEL_0, LABEL_1, LABEL_2; expected entailment"):
        expand(statements(entailment=str(folder)))


def test_a_folder_is_named_as_seen_from_the_study_file_and_a_hub_id_stays(tmp_path: Path) -> None:
    save_nli(tmp_path / "nli")
    for written, read in (("nli", str(tmp_path / "nli")), ("./nli", str(tmp_path / "nli")), ("org/name", "org/name")):
        text = {
            "name": "s", "models": ["ladder/r0"], "tasks": ["world-coin"], "labels": 2, "seeds": 1, "items": 4,
            "methods": [{"prompt": {"kind": "maieutic", "entailment": written}}],
        }  # fmt: skip
        (tmp_path / "s.yaml").write_text(json.dumps(text))
        (one,) = read_study(tmp_path / "s.yaml").build_methods()
        assert one.prompt.set()["entailment"] == read
        assert one.name == f"maieutic-entailment{Path(read).name}"


def test_records_from_before_a_second_model_are_read(tmp_path: Path) -> None:
    run(statements(), tmp_path / "d", models={"fake": talker()})
    (path,) = (tmp_path / "d" / "cells").glob("*/records.parquet")
    records = pl.read_parquet(path)
    kept = ["role", "prompt_hash", "prompt", "prompt_tokens", "output_tokens", "n", "texts"]
    fields = [pl.element().struct.field(name) for name in kept]
    old = records.with_columns(pl.col("calls").list.eval(pl.struct(fields)))
    old.write_parquet(path)
    done = path.parent / "done.json"
    write_json(done, {"records": len(old), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    assert load(tmp_path / "d").records.drop("cell").equals(records)
