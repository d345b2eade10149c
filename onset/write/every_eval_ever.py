"""Onset's results in the shared schema of every_eval_ever 0.3.0: an aggregate and an instance file for each run.

    OUT/data/COLLECTION/DEVELOPER/MODEL/UUID.json            scores with intervals, one a task
    OUT/data/COLLECTION/DEVELOPER/MODEL/UUID_samples.jsonl   one line an item

Schema: https://github.com/evaleval/every_eval_ever, ``every_eval_ever/schemas`` (0.3.0); its command ``every_eval_ever
validate`` passes on what is written. It has no fields for the method, the labels, the parse status or the number of
parameters: they stand in its maps of texts (``generation_config.additional_details``, ``metadata``,
``model_info.additional_details.num_parameters``). The collection is the study; a model without an organisation in its
name stands under ``local``. The UUID follows from the content of the run, so equal results give equal paths.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.prompting.ask import total
from onset.read.base import safe
from onset.records import canonical_json
from onset.scores import wilson
from onset.write.base import ExportRun, json_bytes, lines_bytes, own_version

SCHEMA = "0.3.0"
UNKNOWN = "unknown"
LOCAL = "local"
"""The developer of a model without an organisation in its name."""


def write(runs: Sequence[ExportRun]) -> Iterable[tuple[Path, bytes]]:
    """Relative path and content of every file."""
    for run in runs:
        developer, slash, model = run.model.partition("/")
        developer, model = (developer, model) if slash else (LOCAL, run.model)
        names = [safe(part) for part in (run.study, developer, model)]
        model_id = f"{names[1]}/{names[2]}"
        stem = str(_uuid(run))
        evaluation = f"{names[0]}/{model_id}/{stem}"
        folder = Path("data", *names)
        rows = [
            _instance(evaluation, model_id, str(cell["task"]), record)
            for cell, records in zip(run.cells, run.records, strict=True)
            for record in records
        ]
        packed, place = lines_bytes(rows), folder / f"{stem}_samples.jsonl"
        yield place, packed
        details = {
            "format": "jsonl",
            "file_path": place.as_posix(),
            "hash_algorithm": "sha256",
            "checksum": hashlib.sha256(packed).hexdigest(),
            "total_rows": len(rows),
        }
        yield folder / f"{stem}.json", json_bytes(_aggregate(run, evaluation, model_id) | {_DETAILS: details})


_KEPT = ("status", "gold_logprob", "gold_prob", "prompt_hash", "twin")
_DETAILS = "detailed_evaluation_results"


def _uuid(run: ExportRun) -> uuid.UUID:
    content = [run.name, run.study, [[cell["cell"], cell["correct"], cell["n"]] for cell in run.cells]]
    return uuid.UUID(bytes=hashlib.sha256(canonical_json(content).encode()).digest()[:16], version=4)


def _texts(held: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in held.items() if value is not None}


def _aggregate(run: ExportRun, evaluation: str, model_id: str) -> dict[str, Any]:
    first, time = run.cells[0], str(run.finished.timestamp())
    return {
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "evaluation_timestamp": time,
        "retrieved_timestamp": time,
        "source_metadata": {
            "source_name": run.study,
            "source_type": "evaluation_run",
            "source_organization_name": UNKNOWN,
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": "onset", "version": own_version()},
        "model_info": {
            "name": run.model,
            "id": model_id,
            "developer": model_id.partition("/")[0],
            "additional_details": {
                "deployment_type": "self_deployed",
                "model_availability": UNKNOWN,
                **_texts({"num_parameters": first["params"], "family": first["family"], "stage": run.stage}),
            },
        },
        "evaluation_results": [_result(run, evaluation, cell) for cell in run.cells],
    }


def _result(run: ExportRun, evaluation: str, cell: Mapping[str, Any]) -> dict[str, Any]:
    n, correct = cell["n"], cell["correct"]
    low, high = wilson(correct, n)
    share = correct / n
    return {
        "evaluation_result_id": f"{evaluation}#{cell['task']}",
        "evaluation_name": cell["task"],
        "source_data": {
            "dataset_name": cell["task"],
            "source_type": "other",
            "additional_details": _texts({"task_hash": cell["task_hash"], "shift": run.shift}),
        },
        "metric_config": {
            "evaluation_description": "share of items whose extracted answer is the gold answer",
            "metric_id": "accuracy",
            "metric_name": "accuracy",
            "metric_kind": "accuracy",
            "metric_unit": "proportion",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {
            "score": share,
            "details": _texts({"parse_rate": cell["parse_rate"], "chance": cell["chance"]}),
            "uncertainty": {
                "standard_error": {"value": (share * (1 - share) / n) ** 0.5, "method": "binomial"},
                "confidence_interval": {"lower": low, "upper": high, "confidence_level": 0.95, "method": "wilson"},
                "num_samples": n,
            },
        },
        "generation_config": {
            "additional_details": _texts(
                {**run.setting, "tune": cell["tune"], "vote": cell["vote"], "demonstrations": cell["demonstrations"]}
            )
        },
    }


def _instance(evaluation: str, model_id: str, task: str, record: Mapping[str, Any]) -> dict[str, Any]:
    asked, golds = record["question"], list(record["golds"] or [record["gold"]])
    return {
        "schema_version": SCHEMA,
        "evaluation_id": evaluation,
        "model_id": model_id,
        "evaluation_name": task,
        "evaluation_result_id": f"{evaluation}#{task}",
        "sample_id": record["item"],
        "sample_hash": hashlib.sha256(f"{asked}{''.join(golds)}".encode()).hexdigest(),
        "interaction_type": "single_turn",
        "input": {"raw": asked, "formatted": record["prompt"], "reference": golds},
        "output": {"raw": list(record["outputs"])},
        "answer_attribution": [
            {
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": record["answer"] or "",
                "extraction_method": "onset answer format",
                "is_terminal": True,
            }
        ],
        "evaluation": {"score": float(record["correct"]), "is_correct": record["correct"]},
        "token_usage": {
            "input_tokens": record["prompt_tokens"],
            "output_tokens": record["output_tokens"],
            "total_tokens": total([record["prompt_tokens"], record["output_tokens"]]),
        },
        "metadata": _texts({name: record[name] for name in _KEPT}),
    }
