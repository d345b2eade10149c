"""The tables read from a results folder, and what happens when a file in it is damaged."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint
from synthetic import synthetic_results

from onset.errors import Damaged, StoreError
from onset.read import read_outcomes
from onset.results.cell import AGAIN
from onset.results.files import as_files, get_json, put_json
from onset.results.format import CELL_SCHEMA, RECORD_SCHEMA
from onset.results.read import load, read_cells
from onset.results.recorded import Prompts

SMALL: dict[str, Any] = {
    "models": (("tiny", 1_000_000), ("small", 10_000_000)),
    "labels": (8,),
    "seeds": 2,
    "items": 20,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return synthetic_results(tmp_path / "results", **SMALL, incomplete=True)


def finished(folder: Path) -> Path:
    return next(path.parent for path in sorted(folder.glob("cells/*/done.json")))


def test_a_row_per_finished_cell_and_a_row_per_record(folder: Path) -> None:
    results = load(folder)
    ids = json.loads((folder / "study.json").read_text())["cells"]
    assert len(results.missing) == 1
    assert len(results.failed) == 1
    assert results.cells["cell"].to_list() == [one for one in ids if one not in {*results.missing, *results.failed}]
    assert results.cells.schema == pl.Schema(CELL_SCHEMA)
    assert len(results.records) == 20 * len(results.cells)
    assert results.study["name"] == "synthetic"
    assert list(results.failed.values()) == ["ModelError: the model ran out of memory at batch size 1"]


def test_a_row_agrees_with_the_files_it_came_from(folder: Path) -> None:
    cell = finished(folder)
    facts = json.loads((cell / "cell.json").read_text())
    records = pl.read_parquet(cell / "records.parquet").to_dicts()
    (row,) = load(folder).cells.filter(pl.col("cell") == cell.name).to_dicts()
    right = sum(record["correct"] for record in records)
    low, high = proportion_confint(right, 20, method="wilson")
    assert (row["n"], row["correct"], row["accuracy"]) == (20, right, right / 20)
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["parse_rate"] == sum(record["status"] == "ok" for record in records) / 20
    assert row["truncated_rate"] == sum(record["status"] == "truncated" for record in records) / 20
    assert row["tokens"] == sum(record["prompt_tokens"] + record["output_tokens"] for record in records)
    assert row["flops"] == pytest.approx(sum(record["flops"] for record in records))
    assert row["gold_prob"] is None
    assert row["labels_used"] == len(facts["ledger"][0]["ids"]) == 8
    assert (row["model"], row["params"], row["plan_hash"]) == ("tiny", 1_000_000, facts["plan_hash"])


def test_tuning_and_votes_have_columns(folder: Path) -> None:
    cells = load(folder).cells
    tuned = cells.filter(pl.col("method") == "lora-answers")
    assert tuned["tune"].unique().to_list() == ["lora"]
    assert (tuned["flops"] == tuned["flops_inference"] + tuned["flops_tuning"]).all()
    assert tuned["flops_tuning"].min() == 4 * 1_000_000 * 120 * 8 * 60
    assert tuned["demonstrations"].unique().to_list() == [0]
    assert cells.filter(pl.col("method") == "cot-vote")["vote"].to_list() == [5]
    assert cells.filter(pl.col("method") == "cot")["rationales"].unique().to_list() == [8]


def test_examples_used_twice_count_once(folder: Path) -> None:
    cells = load(folder).cells
    path = folder / "cells" / cells.filter(pl.col("method") == "answer-only")["cell"][0] / "cell.json"
    facts = json.loads(path.read_text())
    ids = facts["ledger"][0]["ids"]
    facts["ledger"].append({"use": "dev", "ids": ids[:3], "rationales": True})
    path.write_text(json.dumps(facts))
    (row,) = load(folder).cells.filter(pl.col("cell") == path.parent.name).to_dicts()
    assert (row["labels_used"], row["rationales"], row["demonstrations"]) == (8, 3, 8)


def test_wall_time_that_was_not_written_is_missing_not_zero(folder: Path) -> None:
    cell = finished(folder)
    (cell / "timing.json").unlink()
    assert load(folder).cells.filter(pl.col("cell") == cell.name)["seconds"].to_list() == [None]


def test_a_folder_that_is_no_results_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        load(tmp_path)
    assert str(error.value) == f"{tmp_path} is no results folder: it holds no study.json"


def test_changed_records_are_noticed(folder: Path) -> None:
    cell = finished(folder)
    path = cell / "records.parquet"
    pl.read_parquet(path).with_columns(correct=True).write_parquet(path)
    with pytest.raises(StoreError) as error:
        load(folder)
    assert str(error.value) == (f"damaged file {path}: its SHA-256 is not the one in done.json; {AGAIN}")


@pytest.mark.parametrize("name", ["cell.json", "done.json"])
def test_a_file_of_another_cell_is_not_taken_for_this_ones(folder: Path, name: str) -> None:
    put_json(as_files(folder), "study.json", get_json(as_files(folder), "study.json"))  # of the present format
    done = sorted(path.parent for path in folder.glob("cells/*/done.json"))
    for cell in done[:2]:
        put_json(as_files(cell), "done.json", {"cell": cell.name, **get_json(as_files(cell), "done.json")})
    assert len(load(folder).cells) == len(done)
    put_json(as_files(done[0]), name, get_json(as_files(done[1]), name))
    for read in (load, read_cells) if name == "cell.json" else (load,):
        with pytest.raises(Damaged) as error:
            read(folder)
        assert str(error.value) == f"damaged file {done[0] / name}: it is that of cell {done[1].name}; {AGAIN}"


def rewrite(cell: Path, records: pl.DataFrame) -> Path:
    """Replace a cell's records, with a done.json that fits."""
    path = cell / "records.parquet"
    records.write_parquet(path)
    done = {"records": 20, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (cell / "done.json").write_text(json.dumps(done))
    return path


def test_prompts_are_left_out_and_read_again_where_they_are_wanted(folder: Path) -> None:
    cell = finished(folder)
    call = {"role": "draft", "prompt_hash": "h", "prompt": "Think.", "prompt_tokens": 2, "output_tokens": 1, "n": 1}
    call |= {"texts": ["so"], "model": None, "flops": None}
    made = pl.Series("calls", [[call], None, [], *([[call, call]] * 17)], RECORD_SCHEMA["calls"])
    rewrite(cell, pl.read_parquet(cell / "records.parquet").with_columns(made))
    whole, light = load(folder), load(folder, prompts=False)
    assert light.cells.equals(whole.cells)
    assert light.records.drop("calls").equals(whole.records.drop("prompt", "calls"))
    was, now = (one.records.filter(pl.col("cell") == cell.name)["calls"].to_list() for one in (whole, light))
    without = [None if row is None else [{k: v for k, v in one.items() if k != "prompt"} for one in row] for row in was]
    assert now == without
    prompts = Prompts(folder)
    tables = {str(name): table for (name,), table in whole.records.partition_by("cell", as_dict=True).items()}
    asked = [(name, table["item"]) for name, table in tables.items()]
    for held, table in zip(prompts.of(asked), tables.values(), strict=True):
        assert held.equals(table["prompt"])
    older = pl.read_parquet(cell / "records.parquet")
    rewrite(cell, older.drop("calls"))  # read beside files that have the column
    assert [one.to_list() for one in prompts.of(asked)] == [one["prompt"].to_list() for one in tables.values()]
    rewrite(cell, older.reverse())
    with pytest.raises(StoreError) as error:
        prompts.of(asked)
    assert str(error.value) == (
        f"{cell / 'records.parquet'} was written again while it was read: read the folder again"
    )
    (cell / "records.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"its SHA-256 is not the one in done\.json; run the study again"):
        prompts.of(asked)


def test_records_that_do_not_fit_their_description(folder: Path) -> None:
    cell = finished(folder)
    whole = pl.read_parquet(cell / "records.parquet")
    twice = whole.with_columns(item=pl.lit(whole["item"][0]))
    cases = {
        "column 'correct' is missing or of another type": whole.drop("correct"),
        "column 'flops' is missing or of another type": whole.with_columns(flops=pl.lit("1")),
        "19 records, done.json says 20": whole.head(19),
        f"item {whole['item'][0]} appears more than once": twice,
    }
    for message, records in cases.items():
        path = rewrite(cell, records)
        with pytest.raises(StoreError) as error:
            load(folder)
        assert str(error.value) == f"damaged file {path}: {message}; {AGAIN}"


def test_damaged_json_and_missing_files_name_the_path(folder: Path) -> None:
    cell = finished(folder)
    facts = json.loads((cell / "cell.json").read_text())
    del facts["facts"]["family"]
    (cell / "cell.json").write_text(json.dumps(facts))
    with pytest.raises(StoreError) as error:
        load(folder)
    assert str(error.value) == (f"damaged file {cell / 'cell.json'}: KeyError at 'family'; {AGAIN}")
    (cell / "cell.json").write_text('{"id": ')
    with pytest.raises(StoreError, match=f"^damaged file {cell / 'cell.json'}: it is not JSON"):
        load(folder)
    (cell / "records.parquet").unlink()
    with pytest.raises(StoreError) as error:
        load(folder)
    assert str(error.value) == (
        f"damaged file {cell / 'records.parquet'}: it cannot be read (No such file or directory); {AGAIN}"
    )
    (cell / "done.json").write_text('{"records": 20}')
    with pytest.raises(StoreError) as error:
        load(folder)
    assert str(error.value) == (f"damaged file {cell / 'done.json'}: no key 'sha256'; {AGAIN}")


def test_a_damaged_cell_that_was_begun_is_named(folder: Path) -> None:
    begun = [cell["id"] for cell in read_cells(folder)]
    ids = json.loads((folder / "study.json").read_text())["cells"]
    assert begun == [one for one in ids if (folder / "cells" / one / "cell.json").exists()]
    path = folder / "cells" / begun[-1] / "cell.json"
    path.write_text("{")
    with pytest.raises(StoreError) as error:
        read_cells(folder)
    assert str(error.value) == f"damaged file {path}: it is not JSON; {AGAIN}"


def test_results_are_read_and_written_where_the_system_has_no_locks(folder: Path) -> None:
    code = f"""
import sys
sys.modules["fcntl"] = None
from pathlib import Path
import onset
from onset.read import read_outcomes
from onset.results.folder import Store
folder = Path({str(folder)!r})
print(len(onset.load(folder).cells), len(onset.read_outcomes(folder)))
with Store(folder):
    print((folder / "lease.json").exists())
print((folder / "lease.json").exists())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts, held, left = done.stdout.splitlines()
    assert counts == f"{len(load(folder).cells)} {len(read_outcomes(folder))}"
    assert (held, left) == ("True", "False")
