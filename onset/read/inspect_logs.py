"""Logs of inspect_ai, version 2: ``.eval`` (a ZIP of JSON files) and ``.json`` (one document).

Format: https://github.com/UKGovernmentBEIS/inspect_ai, ``src/inspect_ai/log/_log.py`` (0.3.285); unknown keys are
passed over. A sample's key is the hash of its input and choices; epochs are draws; each scorer is a metric. Values are
read as inspect's ``value_to_float`` does (``C`` 1, ``P`` 0.5, ``I`` and ``N`` 0, yes/no, numbers). A sample without a
score (it failed) stays, as not measured. The size of a model is not in a log: it is read from the metadata key
``params`` of the evaluation, where there is one.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import polars as pl

from onset.analysis.outcomes import Measure, Outcomes, Text
from onset.errors import DataError
from onset.read.base import ItemRow, Sizes, is_number, numbered, parse_json, read_text, tabulate, written_gold
from onset.records import canonical_json, content_hash
from onset.untrusted import printable

VERSION = 2
_ZSTD = 93
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
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

    Of several logs of one task, model and solver in one folder the latest is read, and a note says so. Raises DataError
    for a file that is no log of version 2, a damaged one, and one without samples or scores.
    """
    files = find(path) if path.is_dir() else [path]
    latest: dict[str, tuple[str, list[Outcomes]]] = {}
    counts: Counter[str] = Counter()
    for file in files:
        header, samples = _archive(file) if is_archive(file) else _document(file)
        held = header["eval"]
        same = [held.get(name) for name in ("task", "model", "task_args_passed")]
        key = canonical_json([str(file.parent), *same, solvers(header)])
        counts[key] += 1
        if key not in latest or str(held.get("created")) >= latest[key][0]:
            latest[key] = str(held.get("created")), _read_log(file, header, samples, sizes, texts=texts)
    out: list[Outcomes] = []
    for key, (created, outcomes) in latest.items():
        said = f"{outcomes[0].task}: of {counts[key]} logs the latest was read ({created})"
        out += [replace(one, notes=(*one.notes, said)) for one in outcomes] if counts[key] > 1 else outcomes
    return tuple(out)


def solvers(header: Mapping[str, Any]) -> str | None:
    """How an evaluation asked: its solvers in order, ``chain_of_thought, generate``; None where it names none."""
    steps = (header.get("plan") or {}).get("steps") or ()
    names = [str(step["solver"]).rpartition("/")[2] for step in steps if isinstance(step, Mapping) and "solver" in step]
    return ", ".join(names) or None


def _read_log(
    path: Path, header: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], sizes: Sizes, *, texts: bool
) -> list[Outcomes]:
    evaluation = header["eval"]
    if not samples:
        raise DataError(f"{path}: the log holds no samples; run inspect with log_samples")
    scorers = list(dict.fromkeys(name for sample in samples for name in sample.get("scores") or {}))
    values = {name: [_value(sample, name) for sample in samples] for name in scorers}
    usable = [name for name in scorers if any(value is not None for value in values[name])]
    if not usable:
        found = ", ".join(scorers) or "none"
        raise DataError(f"{path}: no scorer gave a number for a sample, scorers: {found}")
    task, model = str(evaluation.get("task")), str(evaluation.get("model"))
    metadata = evaluation.get("metadata") or {}
    tables = {name: tabulate(_by_epoch(samples, name, values[name], path, texts=texts), str(path)) for name in usable}
    return [
        Outcomes(
            at=sizes.at(task, model, metadata.get("params"), method=solvers(header)),
            measure=Measure(name, chance=_chance(samples)),
            versions=(str(evaluation.get("task_version")),) * len(table["draws"]),
            source=str(path),
            notes=tuple(_notes(task, header, samples, values[name])),
            **table,
        )
        for name, table in tables.items()
    ]


def _notes(
    task: str, header: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], values: Sequence[float | None]
) -> list[str]:
    unscored = sum(value is None for value in values)
    notes = [] if header.get("status") == "success" else [f"{task}: the log's status is {header.get('status')}"]
    said = (header.get("results") or {}).get("total_samples")
    if isinstance(said, int) and said > len(samples):
        notes.append(f"{task}: {len(samples)} of {said} samples are in the log")
    return [*notes, *([f"{task}: {unscored} of {len(values)} samples have no score"] if unscored else [])]


def _chance(samples: Sequence[Mapping[str, Any]]) -> float | None:
    """The accuracy of guessing a choice: the mean of 1 / choices; None where a sample has none."""
    counts = [len(sample.get("choices") or ()) for sample in samples]
    return round(sum(1 / count for count in counts) / len(counts), 6) if all(counts) else None


def _by_epoch(
    samples: Sequence[Mapping[str, Any]], scorer: str, values: Sequence[float | None], path: Path, *, texts: bool
) -> dict[int, list[ItemRow]]:
    epochs: dict[int, list[tuple[Mapping[str, Any], float | None]]] = {}
    for sample, value in zip(samples, values, strict=True):
        epochs.setdefault(int(sample.get("epoch", 1)), []).append((sample, value))
    out = {}
    for epoch, held in sorted(epochs.items()):
        ordered = sorted(held, key=lambda pair: _order(pair[0].get("id")))
        keys, _ = numbered(_key(sample, path) for sample, _ in ordered)
        out[epoch] = [
            ItemRow(
                key,
                math.nan if value is None else value,
                target=content_hash(sample.get("target")),
                status=_status(sample, scorer),
                text=_text(sample, scorer) if texts else None,
            )
            for key, (sample, value) in zip(keys, ordered, strict=True)
        ]
    return out


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


def _text(sample: Mapping[str, Any], scorer: str) -> Text:
    """Input (of messages the texts), choices and target, what the model wrote, and the answer that the scorer read."""
    asked = sample["input"]
    if isinstance(asked, list):
        held = [one.get("content") for one in asked if isinstance(one, dict)]
        asked = "\n\n".join(text for text in held if isinstance(text, str))
    choices = [f"{letter}) {text}" for letter, text in zip(ascii_uppercase, sample.get("choices") or (), strict=False)]
    target, wrote = sample.get("target"), (sample.get("output") or {}).get("completion")
    answer = ((sample.get("scores") or {}).get(scorer) or {}).get("answer")
    return Text(
        question="\n".join([_resolved(str(asked), sample), *choices]),
        gold=written_gold(target),
        outputs=(_resolved(wrote, sample),) if isinstance(wrote, str) else (),
        answer=answer if isinstance(answer, str) and answer else None,
    )


def _value(sample: Mapping[str, Any], scorer: str) -> float | None:
    score = (sample.get("scores") or {}).get(scorer)
    value = score.get("value") if isinstance(score, Mapping) else None
    if isinstance(value, bool):
        return float(value)
    if is_number(value):
        return float(value)  # type: ignore[arg-type]
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


def _status(sample: Mapping[str, Any], scorer: str) -> str | None:
    """``ok`` where the scorer names the answer it read, ``none`` where it says that there was none."""
    score = (sample.get("scores") or {}).get(scorer)
    if not isinstance(score, Mapping):
        return None
    if score.get("value") == "N":
        return "none"
    return "ok" if score.get("answer") not in (None, "") else "none"


# ------------------------------------------------------------------------------------------------------------- files


def _checked(content: Any, where: str) -> dict[str, Any]:
    if not is_log(content):
        raise DataError(f"{where}: expected an inspect log with the keys version and eval")
    if content["version"] != VERSION:
        raise DataError(f"{where}: inspect log of version {content['version']}; this Onset reads {VERSION}")
    return dict(content)


def _document(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    content = _checked(parse_json(read_text(path), str(path)), str(path))
    return content, list(content.get("samples") or [])


def _archive(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        data = path.read_bytes()
        archive = zipfile.ZipFile(io.BytesIO(data))
    except FileNotFoundError:
        raise DataError(f"no file '{path}'") from None
    except OSError as error:
        raise DataError(f"cannot read '{path}': {error.strerror}") from None
    except zipfile.BadZipFile:
        raise DataError(f"{path}: expected an inspect log (.eval, a ZIP file), found another kind of file") from None
    with archive:
        names = archive.namelist()
        if "header.json" not in names:
            raise DataError(f"{path}: the log is not finished: it holds no header.json")
        members = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
        _check_sizes([archive.getinfo(name) for name in ("header.json", *members)], data, path)
        header = _checked(_member(archive, data, "header.json", path), str(path))
        return header, [_member(archive, data, name, path) for name in members]


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
