"""Markdown for people. Every ratio stands beside the two figures it comes from."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

UNITS = {"greedy": "item", "vote": "sample", "choice": "item"}
TITLES = {
    "greedy": "GSM8K with chain of thought, greedy: {questions} items",
    "vote": "GSM8K voting: {questions} questions x {samples} samples",
    "choice": "multiple choice: {questions} items",
}


def heading(machine: dict[str, Any]) -> str:
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['gib']} GiB; "
        f"load {machine['load']:.1f} at the start; {machine['date']}"
    )


def cell(found: dict[str, Any]) -> str:
    """One workload behind one prefix."""
    unit = UNITS[found["kind"]]
    a = "an" if unit == "item" else "a"
    title = TITLES[found["kind"]].format(**found)
    columns = ["contender", f"{unit}s", "runs", f"seconds {a} {unit}: median (range)"]
    columns += ["tokens a second", f"times Onset's, by {unit}", "by token", "same as Onset", "peak GiB"]
    onset = found["sides"].get("onset")
    rows = [_row(side, onset, found["agreement"].get(name, {})) for name, side in found["sides"].items()]
    lines = [f"### {title}, prefix of {found['prefix']} tokens", "", _table(columns, rows), ""]
    if onset:
        lines += [_memory(onset["peak"], found["memory"]), ""]
    for name, side in found["sides"].items():
        if side["tried"]:
            tried = ", ".join(f"{batch}: {seconds:.3f}" for batch, seconds in side["tried"].items())
            lines += [
                f"{name}, seconds {a} {unit} by batch size: {tried}; its rounds are at {side['batch']}.",
                "",
            ]
    if differing := [name for name, one in found["agreement"].items() if one.get("same_tokens") is False]:
        lines += [f"**Not the same prompt tokens as Onset's: {', '.join(differing)}.**", ""]
    return "\n".join(lines)


def _row(side: dict[str, Any], onset: dict[str, Any] | None, agreement: dict[str, Any]) -> list[str]:
    each, speed = _each(side), _speed(side)
    return [
        side["name"],
        str(side["units"]),
        str(len(side["seconds"])),
        f"{statistics.median(each):.3f} ({min(each):.3f} to {max(each):.3f})",
        f"{speed:.1f}" if speed else "",
        f"{statistics.median(each) / statistics.median(_each(onset)):.2f}" if onset else "",
        f"{_speed(onset) / speed:.2f}" if onset and speed else "",
        _agreed(agreement),
        f"{side['peak'] / 2**30:.2f}",
    ]


def _each(side: dict[str, Any]) -> list[float]:
    """Seconds a unit of each run."""
    return [seconds / side["units"] for seconds in side["seconds"]]


def _speed(side: dict[str, Any]) -> float:
    """Tokens a second, the median of the runs; 0 where no text was made."""
    speeds = [count / seconds for count, seconds in zip(side["tokens"], side["seconds"], strict=False)]
    return statistics.median(speeds) if speeds else 0.0


def _agreed(agreement: dict[str, Any]) -> str:
    if "of" not in agreement:
        return ""
    text = f"{agreement['same']} of {agreement['of']}"
    return text + (f", log-probabilities within {agreement['difference']:.1e}" if "difference" in agreement else "")


def _memory(peak: int, memory: dict[str, int]) -> str:
    total = memory["weights"] + memory["kv"]
    return (
        f"Onset's peak: {peak / 2**30:.2f} GiB with Python and torch, {peak / total:.2f} times weights "
        f"({memory['weights'] / 2**30:.2f}) and K/V budget ({memory['kv'] / 2**30:.2f})."
    )


def starts(found: dict[str, list[dict[str, Any]]]) -> str:
    """Starting: from the process's start, to ready and to the first token."""
    rows = []
    for name, loads in found.items():
        versions = ", ".join(f"{package} {version}" for package, version in loads[0]["versions"].items())
        first = [load["first_token"] for load in loads]
        listed = ", ".join(f"{seconds:.1f}" for seconds in first)
        rows.append([name, versions, str(loads[0]["threads"]), f"{statistics.median(first):.1f}", listed])
    columns = ["contender", "versions", "threads", "seconds to the first token: median", "each, in order"]
    return "\n".join(["### Starting", "", _table(columns, rows), ""])


def profile(found: dict[str, Any]) -> str:
    shares = [[name, f"{100 * share:.1f} %"] for name, share in found["shares"].items()]
    largest = ", ".join(f"`{name}` {100 * share:.1f} %" for name, share in found["largest"])
    title = (
        f"Where Onset's time goes: a run of {found['seconds']:.1f} s ({found['profiled_seconds']:.1f} s while profiled)"
    )
    return "\n".join([title, "", _table(["what", "share"], shares), "", f"Largest operations: {largest}.", ""])


def floor(found: dict[str, Any], seconds: float) -> str:
    """``seconds``: Onset's median run."""
    hardware = found["hardware"]
    peak = max(speed for way in hardware["gflops"].values() for speed in way.values())
    compute = found["floor"]["flops"] / peak / 1e9
    memory = found["floor"]["bytes"] / hardware["read"] / 1e9
    ways = hardware["gflops"]
    products = [[shape, *(f"{way[shape]:.0f}" for way in ways.values())] for shape in next(iter(ways.values()))]
    return "\n".join(
        [
            f"Floor: {found['floor']['flops'] / 1e12:.2f} TFLOP at {peak:.0f} GFLOP/s take {compute:.1f} s, "
            f"{found['floor']['bytes'] / 1e9:.0f} GB at {hardware['read']:.1f} GB/s {memory:.1f} s; "
            f"Onset took {seconds:.1f} s, {seconds / max(compute, memory):.2f} times the longer.",
            "",
            f"Copying moves {hardware['copy']:.1f} GB/s. Products of float32 matrices, GFLOP/s:",
            "",
            _table(["rows x inputs x outputs", *ways], products),
            "",
        ]
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
