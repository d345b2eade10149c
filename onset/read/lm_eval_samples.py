"""The samples of one task in a run of lm-evaluation-harness: outcomes of every filter and metric, item by item."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any

from onset.analysis.curves.points import metric_label
from onset.analysis.outcomes import NO_FILTER, Measure, Outcomes, Text
from onset.errors import DataError
from onset.read.base import ItemRow, Sizes, expect, is_number, json_lines, numbered, tabulate, written_gold
from onset.read.lm_eval_metrics import agree, mean_of, note_of, per_document
from onset.read.lm_eval_results import higher_is_better, shots
from onset.scores import normalised_choice_probability

INVALID = "[invalid]"
"""What a filter answers where its pattern found nothing."""

_SHAPE = {
    "doc_id": int,
    "filtered_resps": list,
    "resps": ([list], NoneType),
    "arguments": ({"*": dict}, list, NoneType),
    "metrics": ([str], NoneType),
}
_UNCONDITIONAL = "acc_mutual_info"
"""The metric for which the choices are asked for a second time, without their context."""
_FIXED = {
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "scores_per_repeat",
}


def is_sample(row: Any) -> bool:
    """Does a JSON line look like one of a samples file?"""
    return isinstance(row, dict) and {"doc_id", "doc", "filtered_resps"} <= row.keys()


def read_samples(
    path: Path,
    task: str,
    model: str,
    content: Mapping[str, Any],
    sizes: Sizes,
    notes: Sequence[str],
    *,
    texts: bool,
) -> tuple[list[Outcomes], list[str]]:
    """The outcomes of every filter and metric of the samples file ``path`` of a task, and why others have none.

    ``content``: the results file, empty without one; ``texts``: with what was asked and answered. Raises DataError for
    a line without what the format promises, and for a document that is there twice with different outcomes.
    """
    by_filter: dict[str, dict[int, dict[str, Any]]] = {}
    repeated = unhashed = 0
    for number, row in json_lines(path):
        where = f"{path}, line {number}"
        if not is_sample(row):
            found = ", ".join(sorted(row))
            raise DataError(f"{where}: expected the keys doc_id, doc and filtered_resps, found: {found}")
        expect(row, _SHAPE, where, "")
        held = by_filter.setdefault(str(row.get("filter", NO_FILTER)), {})
        before = held.setdefault(row["doc_id"], row)
        if before is row:
            unhashed += "doc_hash" not in row
        elif _told(before) == _told(row):
            repeated += 1
        else:
            raise DataError(f"{where}: document {row['doc_id']} is there twice with different outcomes")
    said = list(notes)
    said += [f"{task}: {repeated} repeated lines counted once"] if repeated else []
    said += [f"{task}: {unhashed} lines without doc_hash, which was computed"] if unhashed else []
    config = (content.get("configs") or {}).get(task) or {}
    size = content.get("config", {}).get("model_num_parameters")
    out: list[Outcomes] = []
    left: list[str] = []
    for filter, held in by_filter.items():
        rows = [_once(held[doc_id]) for doc_id in sorted(held)]
        keys, twice = numbered(_key(row) for row in rows)
        more = [f"{task}: {twice} of {len(rows)} documents are copies of another and count too"] if twice else []
        for metric in dict.fromkeys(name for row in rows for name in _listed(row)):
            label = metric_label(metric, filter)
            values = per_document(metric, [row.get(metric) for row in rows], config)
            stated = content.get("results", {}).get(task, {}).get(f"{metric},{filter}")
            if values is None:
                left.append(f"{task}: {label} is made of its documents in a way not known here: what is stated is read")
                continue
            if is_number(stated) and not agree(made := mean_of(values), stated):
                left.append(
                    f"{task}: {label} is stated as {stated:.4g}, its documents make {made:.4g}: the former is read"
                )
                continue
            table = tabulate({0: _item_rows(rows, keys, metric, values, config, texts=texts)}, str(path))
            version = (content.get("versions") or {}).get(task)
            out.append(
                Outcomes(
                    at=sizes.at(task, model, size, method=shots(content, task)),
                    measure=Measure(
                        metric,
                        filter,
                        chance=_chance(rows, config) if metric in ("acc", "acc_norm") and _hits(values) else None,
                        higher_is_better=higher_is_better(content, task, metric),
                    ),
                    versions=() if version is None else (str(version),),
                    source=str(path),
                    notes=(*said, *more, *([f"{task}: {weighed}"] if (weighed := note_of(metric, config)) else [])),
                    **table,
                )
            )
    return [replace(one, notes=(*one.notes, *left)) for one in out], left


def _once(row: dict[str, Any]) -> dict[str, Any]:
    """Without the log-probabilities of choices without their context, which stand after the others."""
    answers, asked = row["filtered_resps"], row.get("arguments")
    if _UNCONDITIONAL not in _listed(row) or len(answers) % 2:
        return row
    half = len(answers) // 2
    kept = dict(list(asked.items())[:half]) if isinstance(asked, dict) else asked and asked[:half]
    return {**row, "filtered_resps": answers[:half], "arguments": kept}


def _hits(values: Sequence[float]) -> bool:
    """Is every document right or wrong? ``acc`` is also a share of probability (``truthfulqa_mc2``)."""
    return all(value in (0.0, 1.0) for value in values if not math.isnan(value))


def _chance(rows: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> float | None:
    """The accuracy of guessing a choice: the mean of 1 / choices; None for other kinds of task."""
    if config.get("output_type") != "multiple_choice" or not all(row["filtered_resps"] for row in rows):
        return None
    return round(sum(1 / len(row["filtered_resps"]) for row in rows) / len(rows), 6)


def _told(row: Mapping[str, Any]) -> str:
    """What makes two lines the same: everything but the raw responses (whose order may differ between ranks)."""
    return json.dumps({key: value for key, value in row.items() if key not in ("resps", "arguments")}, sort_keys=True)


def _key(row: Mapping[str, Any]) -> str:
    held = row.get("doc_hash")
    return held if isinstance(held, str) else hash_of(json.dumps(row["doc"], indent=2, ensure_ascii=False))


def hash_of(text: str) -> str:
    """The hash the harness writes: SHA-256 of the text, 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _listed(row: Mapping[str, Any]) -> list[str]:
    names = row.get("metrics")
    return [name for name in (row if names is None else names) if name not in _FIXED]


def _item_rows(
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    metric: str,
    values: Sequence[float],
    config: Mapping[str, Any],
    *,
    texts: bool,
) -> list[ItemRow]:
    out = []
    for row, key, value in zip(rows, keys, values, strict=True):
        target = row.get("target_hash")
        out.append(
            ItemRow(
                key,
                value,
                target=target if isinstance(target, str) else hash_of(str(row.get("target"))),
                prompt=row.get("prompt_hash"),
                status=_status(row),
                scores=_choice_scores(row, config),
                text=_text(row, metric) if texts else None,
            )
        )
    return out


_QUESTIONS = ("question", "query", "problem", "input")
"""What documents most often call their question."""


def _text(row: Mapping[str, Any], metric: str) -> Text:
    """Prompt and question (the document's own, else the prompt's last paragraph), and what came back.

    Of choices the answer is the likeliest one, which is what ``acc`` means by it; another metric weighs them otherwise.
    """
    doc, arguments = row["doc"], row.get("arguments")
    held = list(arguments.values()) if isinstance(arguments, Mapping) else arguments
    first = held[0] if isinstance(held, list) and held else None
    given = (
        first.get("arg_0") if isinstance(first, Mapping) else first[0] if isinstance(first, list) and first else None
    )
    prompt = given if isinstance(given, str) else None
    named = (doc.get(name) for name in _QUESTIONS) if isinstance(doc, Mapping) else ()
    question = next((text for text in named if isinstance(text, str)), None)
    answers, logprobs = row["filtered_resps"], _logprobs(row["filtered_resps"])
    gold = written_gold(row.get("target"))
    if logprobs is None:
        outputs = tuple(text for one in row.get("resps") or () for text in one if isinstance(text, str))
        answer = answers[0] if isinstance(answers, list) and answers and isinstance(answers[0], str) else None
        answer = None if answer == INVALID else answer
    else:
        choices = _choices(arguments)
        shown = choices if len(choices) == len(logprobs) else [str(place) for place in range(len(logprobs))]
        outputs = ("\n".join(f"{value:8.3f}  {text.strip()}" for value, text in zip(logprobs, shown, strict=True)),)
        answer = shown[logprobs.index(max(logprobs))].strip() if metric == "acc" and len(logprobs) > 1 else None
        right = _gold(row, len(logprobs))
        gold = gold if right is None else shown[right].strip()
    return Text(
        question=(prompt or "").strip().rpartition("\n\n")[2] if question is None else question,
        gold=gold,
        prompt=prompt,
        outputs=outputs,
        answer=answer,
    )


def _status(row: Mapping[str, Any]) -> str | None:
    """Whether the filter found an answer in a generated text; None for log-probabilities, where none is looked for."""
    answers = row["filtered_resps"]
    if not isinstance(answers, list) or not answers or not isinstance(answers[0], str):
        return None
    return "none" if answers[0] in (INVALID, "") else "ok"


def _choice_scores(row: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, float | None]:
    """Log-probability and normalised probability of the gold choice."""
    logprobs = _logprobs(row["filtered_resps"])
    kind = config.get("output_type")
    if logprobs is None or kind not in (None, "multiple_choice", "loglikelihood"):
        return {}
    if kind == "loglikelihood":
        return {"gold_logprob": logprobs[0]} if len(logprobs) == 1 else {}
    gold = _gold(row, len(logprobs))
    if gold is None:
        return {"gold_logprob": None, "gold_prob": None}
    return {"gold_logprob": logprobs[gold], "gold_prob": normalised_choice_probability(gold, logprobs)}


def _logprobs(answers: Any) -> list[float] | None:
    """The log-probabilities of ``[[logprob, is_greedy], ...]``, which the harness writes as text."""
    if not isinstance(answers, list) or not answers or not all(isinstance(one, list) and one for one in answers):
        return None
    try:
        return [float(one[0]) for one in answers]
    except (TypeError, ValueError):
        return None


def _choices(arguments: Any) -> list[str]:
    """The texts whose log-probabilities were asked for."""
    shown = [one.get("arg_1") for one in arguments.values()] if isinstance(arguments, Mapping) else []
    return [text for text in shown if isinstance(text, str)]


def _gold(row: Mapping[str, Any], count: int) -> int | None:
    """The index of the gold choice: ``target`` is an index or the choice's text; None where both could be meant."""
    arguments = row.get("arguments")
    texts = [text.strip() for text in _choices(arguments)]
    if len(texts) != count or len(set(texts)) < count:
        texts = []
    if texts and isinstance(arguments, Mapping):
        contexts = {str(one.get("arg_0")) for one in arguments.values()}
        if len(contexts) > 1:  # one context for all choices, or these are not its choices
            return None
    target = str(row.get("target")).strip()
    meant = {texts.index(target)} if target in texts else set()
    if target.isdigit() and int(target) < count:
        meant.add(int(target))
    return meant.pop() if len(meant) == 1 else None
