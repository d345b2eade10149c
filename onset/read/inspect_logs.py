"""Logs of inspect_ai, version 2: ``.eval`` (a ZIP of JSON files) and ``.json`` (one document).

Format: https://github.com/UKGovernmentBEIS/inspect_ai, ``src/inspect_ai/log/_log.py`` (0.3.285); unknown keys are
passed over. A sample's key is the hash of its input and choices, with its id where several of a log ask the same;
epochs are draws; each scorer is a metric (of one that gives an object, each of its keys: ``rubric/helpful``), and logs
whose settings differ are other methods. Values are read as inspect's ``value_to_float`` does (``C`` 1, ``P`` 0.5, ``I``
and ``N`` 0, yes/no, numbers). A sample without a score (it failed) stays, as not measured. The size of a model is not
in a log: it is read from the metadata key ``params`` of the evaluation, where there is one.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_uppercase
from types import NoneType
from typing import Any

import polars as pl

from onset.analysis.outcomes import Measure, Outcomes, Text
from onset.analysis.words import counted
from onset.errors import DataError
from onset.read.base import ItemRow, Sizes, expect, is_number, numbered, parse_json, read_text, tabulate, written_gold
from onset.records import content_hash
from onset.untrusted import printable

VERSION = 2
_ZSTD = 93
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_SAMPLE = {
    "epoch": int,
    "target": (str, int, [(str, int)], NoneType),
    "choices": ([str], NoneType),
    "output": (dict, NoneType),
    "scores": ({"*": (dict, NoneType)}, NoneType),
    "attachments": (dict, NoneType),
}
_SHAPE = {
    "eval": {
        "dataset": ({"samples": (int, NoneType), "sample_ids": (list, NoneType)}, NoneType),
        "config": ({"epochs": (int, NoneType)}, NoneType),
        "model_generate_config": (dict, NoneType),
        "metadata": (dict, NoneType),
    },
    "plan": ({"steps": ([{"params": (dict, NoneType)}], NoneType), "config": (dict, NoneType)}, NoneType),
    "results": ({"total_samples": (int, NoneType)}, NoneType),
    "samples": ([_SAMPLE], NoneType),
}
"""What is read of a log, and of which types it must be."""
_CONNECTION = {
    "adaptive_connections",
    "attempt_timeout",
    "batch",
    "cache",
    "cache_prompt",
    "extra_headers",
    "max_connections",
    "max_retries",
    "timeout",
}
"""Settings of how a model is called that change nothing of what it answers."""
_SHORT = 40
"""Characters of a setting that can stand in the name of a method."""
_ATTACHMENT = re.compile(r"attachment://([0-9a-f]+)")


def is_log(content: Any) -> bool:
    """Does a JSON document look like a log?"""
    return isinstance(content, dict) and "version" in content and isinstance(content.get("eval"), dict)


def is_archive(path: Path) -> bool:
    """Does a file look like an ``.eval`` log?"""
    return path.is_file() and path.suffix == ".eval"


def find(folder: Path) -> list[Path]:
    """The logs under a folder, at any depth, in order of path."""
    logs = [path for path in folder.rglob("*.eval") if path.is_file()]
    for path in folder.rglob("*.json"):
        with path.open("rb") as file:
            begins = file.read(400)
        if re.match(rb'\s*\{\s*"version":\s*\d+,\s*"status":', begins):
            logs.append(path)
    return sorted(logs)


def read(path: Path, sizes: Sizes, *, texts: bool = False) -> tuple[Outcomes, ...]:
    """The outcomes of every scorer of the log at ``path``, or of all logs under a folder; ``texts``: with what was
    asked and answered.

    Of several logs of one task, model and method in one folder one that is finished is read before others, of these
    that of the most samples, of these the latest, and a note says so; logs whose settings differ are other methods.
    Raises DataError for a file that is no log of version 2, a damaged one, and one without samples or scores.
    """
    files = find(path) if path.is_dir() else [path]
    logs = [_Log(file, *_opened(file)[:2]) for file in files]
    same: dict[str, list[_Log]] = {}
    for log in logs:
        key = [str(log.path.parent), *log.asked, solvers(log.header), settings(log.header)]
        same.setdefault(_written(key), []).append(log)
    out: list[Outcomes] = []
    varied = _varied(logs)
    for held in same.values():
        log, notes = _of_several(held)
        method = _method(log.header, varied[log.asked[0], solvers(log.header)])
        samples = list(_opened(log.path)[2])
        made = _read_log(log.path, log.header, samples, sizes, method, texts=texts)
        out += [replace(one, notes=(*one.notes, *notes)) for one in made]
    return tuple(out)


@dataclass(frozen=True, eq=False, slots=True)
class _Log:
    """A log without its samples, which are counted."""

    path: Path
    header: Mapping[str, Any]
    samples: int

    @property
    def asked(self) -> tuple[str, str, str]:
        """Task, model and arguments of the task."""
        held = self.header["eval"]
        return str(held.get("task")), str(held.get("model")), _written(held.get("task_args_passed"))

    @property
    def finished(self) -> bool:
        """Neither failed nor cancelled."""
        return self.header.get("status") == "success"

    def created(self) -> datetime:
        """When; DataError where that is no time."""
        said = self.header["eval"].get("created")
        try:
            time = datetime.fromisoformat(said)
        except (TypeError, ValueError):
            raise DataError(f"{self.path}: expected a date and time as eval.created, found {said!r}") from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def told(self) -> str:
        """Its time, its samples, and its status where it is not finished."""
        status = "" if self.finished else f", {self.header.get('status')}"
        return f"{self.header['eval'].get('created')}, {counted(self.samples, 'sample')}{status}"


def _of_several(same: Sequence[_Log]) -> tuple[_Log, list[str]]:
    """The log of one task, model and method that is read, and what is to be said of that."""
    if len(same) == 1:
        return same[0], []
    log = max(same, key=lambda one: (one.finished, one.samples, one.created()))
    latest = max(same, key=_Log.created)
    said = f"{log.asked[0]}: of {len(same)} logs"
    if log is latest:
        return log, [f"{said} the latest was read ({log.header['eval']['created']})"]
    return log, [f"{said} one was read ({log.told()}) that is not the latest ({latest.told()})"]


def solvers(header: Mapping[str, Any]) -> str | None:
    """How an evaluation asked: its solvers in order, ``chain_of_thought, generate``; None where it names none."""
    return ", ".join(_solver_names(header)) or None


def _solver_names(header: Mapping[str, Any]) -> list[str]:
    steps = (header.get("plan") or {}).get("steps") or ()
    return [str(step["solver"]).rpartition("/")[2] for step in steps if "solver" in step]


def settings(header: Mapping[str, Any]) -> dict[str, Any]:
    """What may differ between evaluations of the same solvers: their parameters (``prompt_template.template``) and how
    the model generates (``temperature``), but for what is not said and what concerns the connection alone.
    """
    plan = header.get("plan") or {}
    steps = [step for step in plan.get("steps") or () if "solver" in step]
    names, _ = numbered(_solver_names(header))
    held = {
        f"{name}.{key}": value
        for name, step in zip(names, steps, strict=True)
        for key, value in (step.get("params") or {}).items()
    }
    held |= (header["eval"].get("model_generate_config") or {}) | (plan.get("config") or {})
    return {key: value for key, value in held.items() if value is not None and key not in _CONNECTION}


def _written(value: Any) -> str:
    """JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True)


def _varied(logs: Iterable[_Log]) -> dict[tuple[str, str | None], list[str]]:
    """By task and solvers the settings in which logs of one model differ; all models' methods are named by them."""
    groups: dict[tuple[str, str | None], dict[str, list[dict[str, str]]]] = {}
    for log in logs:
        task, *asked = log.asked
        held = {key: _written(value) for key, value in settings(log.header).items()}
        groups.setdefault((task, solvers(log.header)), {}).setdefault(str(asked), []).append(held)
    return {
        group: sorted(
            key
            for key in {key for several in of_asked.values() for held in several for key in held}
            if any(len({held.get(key) for held in several}) > 1 for several in of_asked.values())
        )
        for group, of_asked in groups.items()
    }


def _method(header: Mapping[str, Any], varied: Sequence[str]) -> str | None:
    """Its solvers, and its settings where those differ: ``generate, temperature=0.7``; of a long text its hash."""
    held = settings(header)
    texts = {key: value if isinstance(value := held[key], str) else _written(value) for key in varied if key in held}
    said = [f"{key}={text if len(text) <= _SHORT else content_hash(text)[:8]}" for key, text in texts.items()]
    return ", ".join([*_solver_names(header), *said]) or None


@dataclass(frozen=True, slots=True)
class _Scorer:
    """A scorer, or one ``part`` of an object that it gives (None: it gives one value)."""

    name: str
    part: str | None = None

    @property
    def metric(self) -> str:
        """What its scores are called."""
        return self.name if self.part is None else f"{self.name}/{self.part}"

    def score(self, sample: Mapping[str, Any]) -> Mapping[str, Any]:
        """All that it says of a sample; empty where it says nothing."""
        return (sample.get("scores") or {}).get(self.name) or {}

    def value(self, sample: Mapping[str, Any]) -> Any:
        """Its score as the log has it."""
        value = self.score(sample).get("value")
        if self.part is None:
            return value
        return value.get(self.part) if isinstance(value, Mapping) else None

    def answer(self, sample: Mapping[str, Any]) -> Any:
        """The answer that it read; None where it names none."""
        return self.score(sample).get("answer") or None


def _scorers(samples: Iterable[Mapping[str, Any]]) -> list[_Scorer]:
    found: dict[_Scorer, None] = {}
    for sample in samples:
        for name, score in (sample.get("scores") or {}).items():
            value = (score or {}).get("value")
            parts = [_Scorer(name, part) for part in value] if isinstance(value, Mapping) else [_Scorer(name)]
            found |= dict.fromkeys(parts)
    return list(found)


def _read_log(
    path: Path,
    header: Mapping[str, Any],
    samples: Sequence[Mapping[str, Any]],
    sizes: Sizes,
    method: str | None,
    *,
    texts: bool,
) -> list[Outcomes]:
    evaluation = header["eval"]
    if not samples:
        raise DataError(f"{path}: the log holds no samples; run inspect with log_samples")
    scorers = _scorers(samples)
    values = {one: [_number(one.value(sample)) for sample in samples] for one in scorers}
    usable = [one for one in scorers if any(value is not None for value in values[one])]
    unread = [one.metric for one in scorers if one not in usable]
    if not usable:
        raise DataError(f"{path}: no scorer gave a number for a sample, scorers: {', '.join(unread) or 'none'}")
    task, model = str(evaluation.get("task")), str(evaluation.get("model"))
    metadata = evaluation.get("metadata") or {}
    said = [f"{task}: {name} gives no number for any sample and is left out" for name in unread]
    keys = _keys(samples, path)
    tables = {one: tabulate(_by_epoch(samples, keys, one, values[one], texts=texts), str(path)) for one in usable}
    return [
        Outcomes(
            at=sizes.at(task, model, metadata.get("params"), method=method),
            measure=Measure(one.metric, chance=_chance(samples)),
            versions=(str(evaluation.get("task_version")),) * len(table["draws"]),
            source=str(path),
            notes=(*_notes(task, header, samples, values[one]), *said),
            **table,
        )
        for one, table in tables.items()
    ]


def _notes(
    task: str, header: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], values: Sequence[float | None]
) -> list[str]:
    unscored = sum(value is None for value in values)
    notes = [] if header.get("status") == "success" else [f"{task}: the log's status is {header.get('status')}"]
    said = _asked_for(header)
    if said is not None and said > len(samples):
        notes.append(f"{task}: {len(samples)} of {said} samples are in the log")
    return [*notes, *([f"{task}: {unscored} of {len(values)} samples have no score"] if unscored else [])]


def _asked_for(header: Mapping[str, Any]) -> int | None:
    """How many samples the evaluation has, epochs counted: as its results say, else (it did not finish) its dataset."""
    said = (header.get("results") or {}).get("total_samples")
    if said is not None:
        return int(said)
    dataset = header["eval"].get("dataset") or {}
    named, epochs = dataset.get("sample_ids"), (header["eval"].get("config") or {}).get("epochs")
    count = len(named) if named else dataset.get("samples")
    return None if count is None else count * (epochs or 1)


def _chance(samples: Sequence[Mapping[str, Any]]) -> float | None:
    """The accuracy of guessing a choice: the mean of 1 / choices; None where a sample has none."""
    counts = [len(sample.get("choices") or ()) for sample in samples]
    return round(sum(1 / count for count in counts) / len(counts), 6) if all(counts) else None


def _by_epoch(
    samples: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    scorer: _Scorer,
    values: Sequence[float | None],
    *,
    texts: bool,
) -> dict[int, list[ItemRow]]:
    epochs: dict[int, list[tuple[Mapping[str, Any], str, float | None]]] = {}
    for sample, key, value in zip(samples, keys, values, strict=True):
        epochs.setdefault(sample.get("epoch", 1), []).append((sample, key, value))
    names_answers = any(scorer.answer(sample) is not None for sample in samples)
    out = {}
    for epoch, held in sorted(epochs.items()):
        ordered = sorted(held, key=lambda one: _order(one[0].get("id")))
        different, _ = numbered(key for _, key, _ in ordered)
        out[epoch] = [
            ItemRow(
                key,
                math.nan if value is None else value,
                target=content_hash(sample.get("target")),
                status=_status(sample, scorer) if names_answers else None,
                text=_text(sample, scorer) if texts else None,
            )
            for key, (sample, _, value) in zip(different, ordered, strict=True)
        ]
    return out


def _keys(samples: Sequence[Mapping[str, Any]], path: Path) -> list[str]:
    """What each sample asks, and its id where others of the log ask the same."""
    keys = [_key(sample, path) for sample in samples]
    ids: dict[str, set[str]] = {}
    for key, sample in zip(keys, samples, strict=True):
        ids.setdefault(key, set()).add(str(sample.get("id")))
    return [f"{key}#{one.get('id')}" if len(ids[key]) > 1 else key for key, one in zip(keys, samples, strict=True)]


def _order(name: Any) -> tuple[bool, float, str]:
    """Numbers by size, before texts."""
    return (False, float(name), "") if is_number(name) else (True, 0.0, str(name))


def _key(sample: Mapping[str, Any], path: Path) -> str:
    if "input" not in sample:
        raise DataError(f"{path}: sample {sample.get('id')} has no input")
    asked = sample["input"]
    if isinstance(asked, list):  # messages: their ids are new in every run
        parts = [[one.get("role"), one.get("content")] for one in asked if isinstance(one, dict)]
        asked = content_hash(parts)
    return content_hash([_resolved(str(asked), sample), sample.get("choices") or None])


def _resolved(text: str, sample: Mapping[str, Any]) -> str:
    """With long texts, which stand in a table of the sample's, in their places."""
    attachments = sample.get("attachments") or {}
    return _ATTACHMENT.sub(lambda match: str(attachments.get(match[1], match[0])), text)


def _text(sample: Mapping[str, Any], scorer: _Scorer) -> Text:
    """Input (of messages the texts), choices and target, what the model wrote, and the answer that the scorer read."""
    asked = sample["input"]
    if isinstance(asked, list):
        held = [one.get("content") for one in asked if isinstance(one, dict)]
        asked = "\n\n".join(text for text in held if isinstance(text, str))
    choices = [f"{letter}) {text}" for letter, text in zip(ascii_uppercase, sample.get("choices") or (), strict=False)]
    target, wrote = sample.get("target"), (sample.get("output") or {}).get("completion")
    answer = scorer.answer(sample)
    return Text(
        question="\n".join([_resolved(str(asked), sample), *choices]),
        gold=written_gold(target),
        outputs=(_resolved(wrote, sample),) if isinstance(wrote, str) else (),
        answer=answer if isinstance(answer, str) else None,
    )


def _number(value: Any) -> float | None:
    """A score as inspect reads it; None for what is no number to it."""
    if isinstance(value, bool):
        return float(value)
    if is_number(value):
        return float(value)
    if not isinstance(value, str):
        return None
    known = _LETTERS.get(value, _WORDS.get(value.casefold()))
    if known is not None:
        return known
    try:
        read = float(value)
    except ValueError:
        return None
    return read if is_number(read) else None


def _status(sample: Mapping[str, Any], scorer: _Scorer) -> str | None:
    """``ok`` where a scorer that names answers names one, ``none`` where it does not."""
    if not scorer.score(sample):
        return None
    return "none" if scorer.answer(sample) is None or scorer.value(sample) == "N" else "ok"


# ------------------------------------------------------------------------------------------------------------- files


def _checked(content: Any, where: str) -> dict[str, Any]:
    if not is_log(content):
        raise DataError(f"{where}: expected an inspect log with the keys version and eval")
    if content["version"] != VERSION:
        raise DataError(f"{where}: inspect log of version {content['version']}; this Onset reads {VERSION}")
    expect(content, _SHAPE, where, "")
    return dict(content)


def _opened(path: Path) -> tuple[dict[str, Any], int, Iterator[dict[str, Any]]]:
    """The header of a log, how many samples it has, and the samples, each read when it is asked for."""
    if is_archive(path):
        return _archive(path)
    content = _checked(parse_json(read_text(path), str(path)), str(path))
    samples = content.pop("samples", None) or []
    return content, len(samples), iter(samples)


def _archive(path: Path) -> tuple[dict[str, Any], int, Iterator[dict[str, Any]]]:
    try:
        data = path.read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(data))
    except FileNotFoundError:
        raise DataError(f"no file '{path}'") from None
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from None
    except zipfile.BadZipFile:
        raise DataError(f"{path}: expected an inspect log (.eval, a ZIP file), found another kind of file") from None
    names = archive.namelist()
    if "header.json" not in names:
        raise DataError(f"{path}: the log is not finished: it holds no header.json")
    members = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
    _check_sizes([archive.getinfo(name) for name in ("header.json", *members)], data, path)
    header = _checked(_member(archive, data, "header.json", path), str(path))
    return header, len(members), (_sample(archive, data, name, path) for name in members)


def _sample(archive: zipfile.ZipFile, data: bytes, name: str, path: Path) -> dict[str, Any]:
    sample = _member(archive, data, name, path)
    expect(sample, _SAMPLE, f"{path}, {printable(name)}", "sample")
    return dict(sample)


MOST_BYTES = 1 << 30
"""What a member of an archive may unpack to."""
MOST_TIMES = 200
"""How many times its own size an archive may unpack to in all; logs do some ten to thirty times. `MOST_BYTES` is
allowed in any case.
"""


def _check_sizes(members: Sequence[zipfile.ZipInfo], data: bytes, path: Path) -> None:
    """Raises DataError for an archive that unpacks to more than a log does: read, it would take the memory."""
    total, most = 0, max(MOST_BYTES, MOST_TIMES * len(data))
    for one in members:
        size = _zstd_bound(_packed(one, data)) if one.compress_type == _ZSTD else one.file_size
        total += size
        if size > MOST_BYTES or total > most:
            what, allowed = (one.filename, MOST_BYTES) if size > MOST_BYTES else ("its samples", most)
            raise DataError(
                f"{path}: {printable(what)} would unpack to {max(size, total) / 1e9:.1f} GB, at most"
                f" {allowed / 1e9:.1f} GB of a file of {len(data) / 1e6:.1f} MB are read"
            )


def _packed(info: zipfile.ZipInfo, data: bytes) -> bytes:
    """The member's bytes as they stand in the archive; none where the header names a place outside it."""
    if info.header_offset + 30 > len(data):
        return b""
    # a local header is 30 bytes, a name and extra fields whose lengths stand at 26
    name_length, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name_length + extra
    return data[start : start + info.compress_size]


_BLOCK = 128 * 1024


def _zstd_bound(packed: bytes) -> int:
    """How many bytes Zstandard frames unpack to at most, from the headers of their blocks (RFC 8878, section 3.1.1):
    what a frame says of its own size is not believed.
    """
    at, total = 0, 0
    while at + 5 <= len(packed):
        magic = int.from_bytes(packed[at : at + 4], "little")
        if magic & 0xFFFFFFF0 == 0x184D2A50:  # a frame to be skipped
            at += 8 + int.from_bytes(packed[at + 4 : at + 8], "little")
            continue
        if magic != 0xFD2FB528:
            break
        flags = packed[at + 4]
        single, checksum = flags >> 5 & 1, flags >> 2 & 1
        at += 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + ((single, 2, 4, 8)[flags >> 6])
        last = 0
        while not last and at + 3 <= len(packed):
            header = int.from_bytes(packed[at : at + 3], "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            total += _BLOCK if kind == 2 else size
            at += 3 + (1 if kind == 1 else size)
        at += 4 * checksum
    return total


def _member(archive: zipfile.ZipFile, data: bytes, name: str, path: Path) -> Any:
    """A JSON file of the archive; newer logs are compressed with Zstandard, which `zipfile` learns in Python 3.14."""
    info = archive.getinfo(name)
    try:
        held = _unzstd(_packed(info, data)) if info.compress_type == _ZSTD else archive.read(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, pl.exceptions.PolarsError):
        raise DataError(f"{path}: damaged, {name} cannot be unpacked") from None
    if zlib.crc32(held) != info.CRC:
        raise DataError(f"{path}: damaged, the checksum of {name} is wrong")
    return parse_json(held, f"{path}, {name}")


def _unzstd(packed: bytes) -> bytes:
    """Unpack Zstandard data without a package for it: polars unpacks what it reads as CSV, here one cell of text."""
    table = pl.read_csv(
        packed,
        has_header=False,
        separator="\x01",
        eol_char="\x02",
        quote_char=None,
        infer_schema=False,
    )
    return str(table.item()).encode() if table.height else b""
