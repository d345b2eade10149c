"""From a results folder to two tables: one row per finished cell, one row per record.

The formats are in docs/notes/formats.md. Nothing is repaired or skipped: a damaged file is a `StoreError` that names
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import polars as pl

from onset import markup
from onset.errors import Damaged
from onset.processors import side_by_side
from onset.records import canonical_json
from onset.results.cell import AGAIN, CELL, DONE, FAILED, NO_TIME, PREPARED, TIMING, check_own
from onset.results.files import Files, Place, as_files, get_json
from onset.results.format import CELL_SCHEMA, FINDINGS, REPORT, STUDY, check_format, read_study
from onset.results.recorded import Gathered, read_records
from onset.results.sealed import FORMAT
from onset.results.shared import AT_ONCE, Shared
from onset.results.snapshot import INDEX
from onset.results.stages import StageFolder
from onset.results.tuned import SAID, TunedFolder
from onset.scores import wilson


@dataclass(frozen=True)
class Results:
    """A results folder, read.

    ``study``: the canonical study; ``cells``: one row per finished cell (columns of `CELL_SCHEMA`), in running order;
    ``records``: column ``cell`` and the fields of `onset.records.Record`; ``missing``: ids of the study's cells that
    are neither finished nor failed; ``failed``: id of each failed cell -> its error in one line. ``aside``: finished
    cells of tasks that are asked beside the study's own (`onset.study.aside`), which are in no other table; None: none.
    ``shared``: what costs need of the prompts, by cell, where ``records`` have none (`load`); None: they have them.
    """

    study: Mapping[str, Any]
    cells: pl.DataFrame
    records: pl.DataFrame
    missing: tuple[str, ...]
    failed: Mapping[str, str]
    aside: Results | None = None
    shared: Mapping[str, Shared] | None = None

    def _repr_html_(self) -> str:
        """What a notebook shows: how far the study is, and the accuracy of each finished cell."""
        name = str(self.study.get("name", ""))
        counts = [f"{len(self.cells)} cells finished"]
        counts += [f"{len(self.missing)} missing"] if self.missing else []
        counts += [f"{len(self.failed)} failed"] if self.failed else []
        head = ("model", "method", "labels", "task", "shift", "seed", "n", "accuracy", "95 % interval")
        rows = [
            (*(cell[key] for key in head[:7]), *_accuracy(cell["accuracy"], cell["low"], cell["high"]))
            for cell in self.cells.to_dicts()
        ]
        return markup.heading(f"Results of {name}", *counts) + markup.table(head, rows, _SHOWN)


_SHOWN = 30
"""Cells that a notebook shows."""


def _accuracy(mean: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    if mean is None or low is None or high is None:
        return "not measured", ""
    return f"{100 * mean:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %"


def load(folder: Place, *, prompts: bool = True) -> Results:
    """Read the results folder ``folder``. Without ``prompts``, half of what a large folder takes, no record and no call
    has the column ``prompt`` (`onset.results.recorded.Prompts` reads it again).

    Raises StoreError, with the path, for a folder that holds no study or has another format, Damaged for one that holds
    a damaged file.
    """
    files = as_files(folder).to_read(_of_cells)
    held = _study(files)
    rows: list[dict[str, Any]] = []
    specs: list[Mapping[str, Any]] = []
    beside: list[dict[str, Any]] = []
    tables, theirs = Gathered(prompts=prompts), Gathered(prompts=prompts)
    missing: list[str] = []
    failed: dict[str, str] = {}

    def read(cells: Sequence[str]) -> list[tuple[pl.DataFrame, dict[str, Any], Mapping[str, Any]] | str | None]:
        """Records, row and method of each finished cell, the error of each failed one."""
        places = {one: files.at(f"cells/{one}") for one in cells}
        done = {one: place for one, place in places.items() if place.exists(DONE)}
        records = dict(zip(done, read_records([(place, one) for one, place in done.items()]), strict=True))

        def found(one: str) -> tuple[pl.DataFrame, dict[str, Any], Mapping[str, Any]] | str | None:
            if one in done:
                return records[one], *_row(done[one], _own(one, held), files, records[one])
            place = places[one]
            return str(_json(place, FAILED).get("error", "")) if place.exists(FAILED) else None

        return [found(one) for one in cells]

    every = held["cells"]
    batches = [every[first : first + AT_ONCE] for first in range(0, len(every), AT_ONCE)]
    for cell_id, found in zip(every, chain.from_iterable(side_by_side(read, batches)), strict=True):
        if found is None:
            missing.append(cell_id)
        elif isinstance(found, str):
            failed[cell_id] = found
        else:
            records, row, spec = found
            aside = row.pop("aside")
            (beside if aside else rows).append(row | {"cell": cell_id})
            (theirs if aside else tables).add(cell_id, records)
            specs += [] if aside else [spec]
    _tell_apart(rows, specs)

    def told(cells: list[dict[str, Any]], records: Gathered) -> tuple[pl.DataFrame, pl.DataFrame]:
        return pl.DataFrame(cells, schema=CELL_SCHEMA, orient="row"), records.table()

    elsewhere = Results(held["study"], *told(beside, theirs), (), {}, shared=theirs.shared) if beside else None
    return Results(held["study"], *told(rows, tables), tuple(missing), failed, elsewhere, tables.shared)


def _of_cells(path: str) -> bool:
    """What `load` reads: all but chunks of unfinished cells and the weights themselves."""
    match path.split("/"):
        case ["cells", _, _] | ["stages", _, "stage.json"] | [_]:
            return not path.endswith((FINDINGS, REPORT, INDEX))
        case ["tuned", _, name]:
            return name in SAID
    return False


def is_results(place: Place) -> bool:
    """Is ``place`` a results folder of Onset, of any format?"""
    return as_files(place).exists(STUDY)


def read_cells(folder: Place) -> list[dict[str, Any]]:
    """The ``cell.json`` of every cell that was begun, in running order, under the names that `load` gives methods.

    Raises StoreError, with the path, for a file that cannot be read.
    """
    files = as_files(folder).to_read(lambda path: path == STUDY or path.endswith(f"/{CELL}"))
    held = _study(files)
    places = {one: files.at(f"cells/{one}") for one in held["cells"]}
    cells = [_cell_json(place, _own(one, held)) for one, place in places.items() if place.exists(CELL)]
    own = [cell for cell in cells if "elsewhere" not in cell]
    names = iter(distinct_names(*([cell[key] for cell in own] for key in ("method", "method_spec", "model"))))
    return [cell if "elsewhere" in cell else {**cell, "method": next(names)} for cell in cells]


def finished_at(folder: Place, cells: Iterable[str]) -> datetime:
    """When the last of the finished ``cells`` (ids) was."""
    files = as_files(folder).to_read(lambda path: path.endswith(f"/{TIMING}"))
    return max(_finished(files.at(f"cells/{one}")) for one in cells)


def _finished(cell: Files) -> datetime:
    """When a cell was; in formats 1 and 2 the time of its last file said so."""
    told = _json(cell, TIMING, NO_TIME).get("finished") if cell.exists(TIMING) else None
    return cell.modified(DONE) if told is None else datetime.fromisoformat(told)


def _study(files: Files) -> Mapping[str, Any]:
    """The content of ``study.json``."""
    try:
        held = read_study(files)
    except Damaged as error:
        raise Damaged(error.name, error.why, "run the study again: it is set aside and written again") from error
    check_format(held["format"], files.name())
    return held


def _tell_apart(rows: Sequence[dict[str, Any]], specs: Sequence[Mapping[str, Any]]) -> None:
    """Give methods of one name and different settings names of their own: ``cot (shots 4)``.

    A study of today cannot have them (`onset.study.grid`); folders of earlier versions may, and comparing one with
    itself, or describing one by the other, would be wrong.
    """
    names = distinct_names([row["method"] for row in rows], specs, [row["model"] for row in rows])
    for row, name in zip(rows, names, strict=True):
        row["method"] = name


def distinct_names(names: Sequence[str], specs: Sequence[Mapping[str, Any]], models: Sequence[str]) -> list[str]:
    """``names``, of which those that stand for several of ``specs`` say in what these differ.

    What a spec leaves unset is not said: ``cot`` beside ``cot (shots 4)``. Templates tell
    them apart only where one of ``models`` has several: else they are what a study says of its models.
    """
    asked: dict[tuple[str, str], set[str | None]] = {}
    for name, spec, model in zip(names, specs, models, strict=True):
        asked.setdefault((name, model), set()).add(spec.get("template"))
    several = {name for (name, _), templates in asked.items() if len(templates) > 1}
    specs = [
        spec if name in several else {key: value for key, value in spec.items() if key != "template"}
        for name, spec in zip(names, specs, strict=True)
    ]
    held: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, spec in zip(names, specs, strict=True):
        held.setdefault(name, {})[canonical_json(spec)] = spec
    out = []
    for name, spec in zip(names, specs, strict=True):
        rivals = list(held[name].values())
        keys = sorted({key for one in rivals for key in one if any(other.get(key) != one[key] for other in rivals)})
        said = ", ".join(f"{key} {spec[key]}" for key in keys if spec.get(key) is not None)
        out.append(f"{name} ({said})" if said else name)
    return out


def _own(cell_id: str, study: Mapping[str, Any]) -> str | None:
    """The id that the ``cell.json`` of a cell must have; None: any, since a migration that gives cells of format 1
    their new ids may have been stopped.
    """
    return cell_id if study["format"] >= FORMAT else None


def _cell_json(cell: Files, own: str | None) -> dict[str, Any]:
    """The content of its ``cell.json``."""
    held = _json(cell, CELL)
    if own is not None:
        check_own(cell, CELL, held.get("id"), own)
    return held


def _json(cell: Files, name: str, remedy: str = AGAIN) -> dict[str, Any]:
    try:
        return get_json(cell, name)
    except Damaged as error:
        raise Damaged(error.name, error.why, remedy) from error


def _row(cell: Files, own: str | None, files: Files, records: pl.DataFrame) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Row and method of a finished cell of the results folder ``files``."""
    held = _cell_json(cell, own)
    try:
        row = _identity(held) | _used(held) | _outcome(records, held["tuning"], _prepared(cell)) | _time(cell)
        row |= _stages(held.get("made"), files)
        row["tuned"] = _kept(files, held["tuned"])
        row |= _search(held, row["flops"]) | _once(held)
        row["stored_bytes"] = _stored(files, held["tuned"], held.get("verifier"))
        return row, held["method_spec"]
    except (KeyError, TypeError) as error:
        raise Damaged(cell.name(CELL), f"{type(error).__name__} at {error}", AGAIN) from error


def _stages(made: Mapping[str, Any] | None, files: Files) -> dict[str, Any]:
    """Tokens and seconds of the stages of training that the cell's model went through, all together, and the most
    memory that one of them held; None where that of one is not known (a folder from before it was kept), or there is no
    stage that held any. Cells of one model share them.
    """
    stages = [] if made is None else made["stages"]
    took = [StageFolder(files.at(f"stages/{one['made']}")).took() for one in stages]
    for one in stages:
        TunedFolder(files.at("tuned"), one["made"]).bytes()  # weights that were kept are whole
    seconds, peaks = [one for one, _ in took], [one for _, one in took]
    return {
        "stage_tokens": sum(one["training"]["tokens"] for one in stages),
        "stage_seconds": None if None in seconds else sum(one or 0.0 for one in seconds),
        "stage_peak_bytes": None if None in peaks else max((one or 0 for one in peaks), default=None),
    }


def _kind(step: Any) -> str:
    """The name in a step as ``cell.json`` holds it (`onset.step.Step.spec`)."""
    return str(step["kind"] if isinstance(step, Mapping) else step)


def _kept(files: Files, tuned: str | None) -> str | None:
    """The id of the tuned weights, where they are still there."""
    return tuned if tuned is not None and TunedFolder(files.at("tuned"), tuned).done else None


def _search(held: Mapping[str, Any], flops: float | None) -> dict[str, Any]:
    """How its settings were chosen, and the cost of that, a part of the cell's; ``flops``: of all else."""
    said = held.get("search")
    if said is None:
        return {"select": "none", "bound": False, "flops_search": 0.0, "search": None}
    spent = said["flops"]
    return {
        "select": said["select"],
        "bound": bool(said["outside"]),
        "flops_search": spent,
        "search": canonical_json(said),
        "flops": None if flops is None or spent is None else flops + spent,
    }


def _once(held: Mapping[str, Any]) -> dict[str, Any]:
    """What was taken once, before any question: tokens of tuning, and those that the base model ran to make what it is
    tuned on; FLOPs of the stages before it; and the model's attention, by which a question's own is known.
    """
    stages = [one["training"]["flops"] for one in (held.get("made") or {"stages": ()})["stages"]]
    return {
        "tuning_tokens": int(held["tuning"]["tokens"]) if held["tuning"] else 0,
        "prepared_tokens": int(held["tuning"].get("prepared_tokens", 0)) if held["tuning"] else 0,
        "flops_stages": float(sum(stages)),
        "attention": held["facts"].get("attention"),
    }


def _stored(files: Files, tuned: str | None, verifier: Mapping[str, Any] | None) -> int | None:
    """Bytes of the tuned weights, and of those of a verifier, on the disk: 0 of a model that was not tuned, None where
    they were not kept.
    """
    made = [tuned, None if verifier is None else verifier["id"]]
    sizes = [TunedFolder(files.at("tuned"), one).bytes() for one in made if one is not None]
    return None if None in sizes else sum(one or 0 for one in sizes)


def _identity(held: Mapping[str, Any]) -> dict[str, Any]:
    facts, spec = held["facts"], held["method_spec"]
    same = {
        key: held[key]
        for key in ("model", "stage", "method", "labels", "task", "ability", "chance", "shift", "seed", "plan_hash")
    }
    return same | {
        "cell": held["id"],
        "family": facts["family"],
        "pretraining_seed": facts.get("pretraining_seed"),  # not known before there were runs of one size
        "params": facts["params"],
        "params_non_embedding": facts["params_non_embedding"],
        "tune": _kind(spec["tune"]) if spec.get("tune") else None,
        "prompt": _kind(spec["prompt"]),
        "vote": spec["vote"]["samples"] if spec.get("vote") else None,
        "template": held.get("template", "plain"),  # a folder from before there were templates
        "task_hash": held["task_hash"],
        "aside": "elsewhere" in held,
        "home": held["elsewhere"]["task"] if "elsewhere" in held else None,
        "made": None if held.get("made") is None else canonical_json(held["made"]),
        "method_spec": canonical_json({key: value for key, value in spec.items() if value is not None}),
    }


def _used(held: Mapping[str, Any]) -> dict[str, int]:
    """Labelled examples used, from the ledger: an example used twice counts once, one asked without its label not."""
    ledger = [line for line in held["ledger"] if line["use"] != "question"]

    def distinct(*, use: str | None = None, rationales: bool = False) -> int:
        lines = [line for line in ledger if use in (None, line["use"]) and (line["rationales"] or not rationales)]
        return len({one for line in lines for one in line["ids"]})

    return {
        "demonstrations": distinct(use="demonstration"),
        "rationales": distinct(rationales=True),
        "labels_used": distinct(),
    }


def _prepared(cell: Files) -> Mapping[str, Any]:
    """What the method took before its first item: no tokens where there is no such file."""
    return _json(cell, PREPARED) if cell.exists(PREPARED) else {"prompt_tokens": 0, "output_tokens": 0, "flops": 0.0}


def _outcome(records: pl.DataFrame, tuning: Mapping[str, Any] | None, prepared: Mapping[str, Any]) -> dict[str, Any]:
    n, correct = len(records), int(records["correct"].sum())
    interval = wilson(correct, n) if n else None
    prompt_tokens, output_tokens, inference = (
        _sum(records[name], prepared[name]) for name in ("prompt_tokens", "output_tokens", "flops")
    )
    tuned = float(tuning["flops"]) if tuning else 0.0
    status = Counter(records["status"].to_list())
    others = records.select(pl.col("calls").explode().struct.field("model").is_not_null().any()).item()
    thinking = None if records["thinking"].null_count() == n else records["thinking"].explode().mean()
    return {
        "n": n,
        "correct": correct,
        "accuracy": correct / n if n else None,
        "low": interval[0] if interval else None,
        "high": interval[1] if interval else None,
        "parse_rate": _share(status, "ok"),
        "truncated_rate": _share(status, "truncated"),
        "out_of_budget_rate": _share(status, "out of budget"),
        "thinking_tokens": thinking,
        "overlong": int(records["overlong"].sum()),
        "failed_items": status["failed"],
        "gold_logprob": records["gold_logprob"].mean(),
        "gold_prob": records["gold_prob"].mean(),
        "partial": None if records["partial"].null_count() else records["partial"].mean(),
        "prompt_tokens": prompt_tokens,
        "output_tokens": output_tokens,
        "tokens": None if prompt_tokens is None or output_tokens is None else prompt_tokens + output_tokens,
        "others": _others(records) if others else [],
        "flops_inference": inference,
        "flops_tuning": tuned,
        "flops": None if inference is None else inference + tuned,
    }


def _share(counts: Mapping[str | None, int], of: str) -> float | None:
    """The share of one of the values that are known."""
    known = sum(count for value, count in counts.items() if value is not None)
    return counts.get(of, 0) / known if known else None


def _others(records: pl.DataFrame) -> list[dict[str, Any]]:
    """Calls, tokens and FLOPs of each model that was asked beside the measured one."""
    calls = records.select(pl.col("calls").explode()).drop_nulls().unnest("calls")
    totals: dict[str, dict[str, Any]] = {}
    for one in calls.filter(pl.col("model").is_not_null()).iter_rows(named=True):
        held = totals.setdefault(one["model"], {"model": one["model"], "calls": 0, "tokens": 0, "flops": 0.0})
        held["calls"] += 1
        held["tokens"] += one["prompt_tokens"] + one["output_tokens"]
        held["flops"] += one["flops"]
    return list(totals.values())


def _sum(column: pl.Series, more: float | None) -> Any:
    """A column's sum and ``more``; None where one of them is not known."""
    if more is None or column.null_count():
        return None
    return sum(column.to_list(), more)


def _time(cell: Files) -> dict[str, float | None]:
    """Wall time of inference and of tuning, and the most memory that each held; None where it was not written (a run
    that was killed between two files, a folder from before it was), or is not known (answers of a batch).
    """
    names = ("tuning_seconds", "search_seconds", "peak_bytes", "tuning_peak_bytes")
    if not cell.exists(TIMING):
        return dict.fromkeys(("seconds", *names))
    held = _json(cell, TIMING, NO_TIME)
    if "seconds" not in held:
        raise Damaged(cell.name(TIMING), "no key 'seconds'", NO_TIME)
    seconds = held["seconds"]
    return {"seconds": None if seconds is None else float(seconds), **{name: held.get(name) for name in names}}
