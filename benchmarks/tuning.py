"""The loop of tuning beside the Hugging Face Trainer, on the same work: seconds and ratios.

Both train the same copies of a model on the same tokens with the same optimiser (AdamW, fused), schedule, clipping,
batches and dtype, on completions alone, without checkpoints, logging or evaluation. Contenders take turns within one
process, another one first each round, and the median over rounds of the ratio to Onset is reported, so that whatever
else the machine does meets all of them. Processor time is beside the clock's: on one thread it is what other processes
disturb least. A line is refused whose losses differ: then it was not the same work.

    OMP_NUM_THREADS=1 python benchmarks/tuning.py                       # ladder/r3 and SmolLM2, minutes
    OMP_NUM_THREADS=1 python benchmarks/tuning.py --models ladder/r3 --methods lora --rounds 9
    python benchmarks/tuning.py --shuffled       # beside them the Trainer with batches of its own, in random order

bfloat16: LoRA beside frozen weights of bfloat16 (adapters in float32), full tuning of a float32 copy whose products run
in bfloat16 (autocast).
"""

from __future__ import annotations

import argparse
import copy
import logging
import os
import platform
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from onset.models import open_model
from onset.tasks import open_tasks
from onset.tuning import tuner
from onset.tuning.base import Schedule, Seeds
from onset.tuning.loop import Encoded, batches, encode, train
from onset.tuning.materials.base import Given, labelled
from onset.tuning.optimise import rate

MODELS = ("ladder/r3", "packaged:smollm2-135m-instruct")
SEEDS = Seeds(0, 0, 0)
CLOSE = 0.02
"""The share by which mean losses may differ: bfloat16 rounds in other places."""


@dataclass(frozen=True)
class Work:
    """One comparison: ``rows`` trained on by ``schedule`` of a ``model`` in ``dtype``, by a ``method``."""

    model: str
    method: str
    dtype: str
    rows: Sequence[Encoded]
    schedule: Schedule
    hf: Any

    def module(self) -> tuple[Any, bool]:
        """A fresh copy, its trained weights marked, and whether products run in bfloat16 by autocast."""
        if self.method == "full":
            return copy.deepcopy(self.hf.module).float().requires_grad_(True), self.dtype == "bfloat16"
        put = tuner(self.method).put(self.hf, 0, ())  # type: ignore[attr-defined]
        for weight in put.weights.values():
            weight.requires_grad_(True)
        return put.module, False

    @property
    def rate(self) -> float:
        return tuner(self.method).learning_rate


@dataclass(frozen=True)
class Took:
    """``clock`` and ``processor`` seconds of training, and the mean ``loss`` of its steps."""

    clock: float
    processor: float
    loss: float


def onset(work: Work) -> Took:
    """By `onset.tuning.loop.train`."""
    module, autocast = work.module()
    pad = work.hf.tokenizer.eos_token_id
    clock, processor = time.perf_counter(), time.process_time()
    trace = train(module, work.rows, SEEDS, work.schedule.at(work.rate), pad=pad, autocast=autocast)
    return Took(time.perf_counter() - clock, time.process_time() - processor, statistics.fmean(trace.losses))


class Plan(torch.utils.data.Sampler[list[int]]):
    """The batches of a plan."""

    def __init__(self, plan: Sequence[list[int]]) -> None:
        self.plan = plan

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.plan)

    def __len__(self) -> int:
        return len(self.plan)


class Losses(TrainerCallback):
    """Keeps the losses that are logged."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if "train_loss" in (logs or {}):
            self.seen.append(logs["train_loss"])


def by_trainer(work: Work, *, own_batches: bool = False) -> Took:
    """By transformers' Trainer, on the same batches or on its own in random order."""
    module, autocast = work.module()
    pad = work.hf.tokenizer.eos_token_id

    def collate(rows: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        width = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), width), pad)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        labels = torch.full((len(rows), width), -100)
        for at, row in enumerate(rows):
            end = len(row.ids)
            ids[at, :end], mask[at, :end] = torch.tensor(row.ids), 1
            labels[at, row.start : end] = ids[at, row.start : end]
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    class Same(Trainer):
        """With our schedule: its own begins with a step at rate 0."""

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            by = work.schedule
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, lambda at: rate(at + 1, by)
            )
            return self.lr_scheduler

    class Planned(Same):
        def get_train_dataloader(self) -> Any:
            plan = Plan(list(batches([len(row.ids) for row in work.rows], work.schedule, SEEDS.order)))
            return torch.utils.data.DataLoader(list(work.rows), batch_sampler=plan, collate_fn=collate)  # type: ignore[arg-type]

    schedule, losses = work.schedule, Losses()
    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=schedule.steps,
            per_device_train_batch_size=schedule.batch_size,
            learning_rate=work.rate,
            weight_decay=schedule.weight_decay,
            max_grad_norm=schedule.clip,
            optim="adamw_torch_fused",
            bf16=autocast,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            seed=0,
        )
        kind = Same if own_batches else Planned
        trainer = kind(
            module,
            arguments,
            train_dataset=list(work.rows),
            data_collator=collate,
            callbacks=[losses],  # type: ignore[arg-type]
        )
        trainer.remove_callback(PrinterCallback)
        clock, processor = time.perf_counter(), time.process_time()
        trainer.train()
        took = time.perf_counter() - clock, time.process_time() - processor
    return Took(*took, losses.seen[-1])


def works(arguments: argparse.Namespace) -> Iterator[Work]:
    """What is compared, a model in one dtype after another."""
    [task] = open_tasks({"name": "word-problems", "pool": arguments.examples, "test": 1})
    for spec in arguments.models:
        for dtype in arguments.dtypes:
            hf: Any = open_model(spec, device=arguments.device, dtype=dtype)
            given = Given(hf, task, task.pool, None, 0)
            examples = [labelled(given, (), item, "rationales") for item in task.pool]
            rows = encode(hf.tokenizer, examples, hf.facts.known("context"))
            steps = Schedule(steps=arguments.steps, batch_size=arguments.batch)
            for method in arguments.methods:
                yield Work(spec, method, dtype, rows, steps, hf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--methods", nargs="+", default=["lora", "full"])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--examples", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shuffled", action="store_true", help="the Trainer with batches of its own too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    contenders = {"Trainer": by_trainer}
    if arguments.shuffled:
        contenders["Trainer, own batches"] = lambda work: by_trainer(work, own_batches=True)
    ways = {"Onset": onset, **contenders}
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__};"
        f" {arguments.rounds} rounds of {arguments.steps} steps, load {os.getloadavg()[0]:.1f} at the start"
    )
    print("| model | method | dtype | contender | seconds | processor | times Onset's | processor | loss |")
    print("|---|---|---|---|---|---|---|---|---|")
    for work in works(arguments):
        took: dict[str, list[Took]] = {name: [] for name in ways}
        for way in ways.values():  # the first time costs what later ones do not
            way(work)
        for turn in range(arguments.rounds):
            names = list(ways)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                took[name].append(ways[name](work))
        for name, runs in took.items():
            base = took["Onset"]
            clock = statistics.median(one.clock / two.clock for one, two in zip(runs, base, strict=True))
            processor = statistics.median(one.processor / two.processor for one, two in zip(runs, base, strict=True))
            spread = sorted(one.clock for one in runs)
            print(
                f"| {Path(work.model).name} | {work.method} | {work.dtype} | {name} |"
                f" {statistics.median(spread):.2f} ({spread[0]:.2f} to {spread[-1]:.2f}) |"
                f" {statistics.median(one.processor for one in runs):.2f} | {clock:.2f} | {processor:.2f} |"
                f" {runs[0].loss:.4f} |",
                flush=True,
            )
            if name == "Trainer" and abs(runs[0].loss / base[0].loss - 1) > CLOSE:
                raise SystemExit("the losses differ: this was not the same work")


if __name__ == "__main__":
    main()
