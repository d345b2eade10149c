"""Pretraining of a model of the ladder: from a recipe and a corpus to an ordinary transformers folder.

    OUT/model.safetensors, config.json, generation_config.json, tokenizer.json, tokenizer_config.json   bfloat16
    OUT/onset.json      what Onset reads of it: family, stage, and what it was trained on
    OUT/losses.jsonl    {"step", "tokens", "loss", "rate"} every `REPORT` steps: the mean loss in nats a token since the
                        last line, and the share of the peak learning rate
    OUT/timing.json     {"seconds", "tokens_per_second", "device"}: wall time lives outside what is reproducible
    OUT/card.json       recipe, corpus, its shares and a hash of its beginning, last loss, FLOPs,
                        versions; written last: the model is finished
    OUT/checkpoint.pt   only until then

A run that was stopped goes on from its checkpoint. On a CPU in the reproducible mode of `onset.models.reproducible` it
ends with the same bytes as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers
from safetensors.torch import save as save_tensors
from transformers import PreTrainedTokenizerFast

from onset.errors import StoreError
from onset.ladder import tokenizer as tokenizers
from onset.ladder.corpora import Corpus, shares
from onset.ladder.recipe import Recipe
from onset.ladder.run import Run, check_same, write_json, write_whole
from onset.ladder.rungs import FAMILY
from onset.ladder.shards import Source, write_tokens
from onset.models.loading import pick_device

REPORT = 50
"""Steps between two lines of the loss curve."""
CHECKPOINT = 250
"""Steps between two checkpoints."""
MICRO = {"cpu": 8, "cuda": 64}
"""Sequences in one forward and backward pass, by device. It bounds memory and changes no result but the order of a
sum. On a CPU core 2 to 16 are as fast as each other.
"""

Loss = Callable[[Any, torch.Tensor], torch.Tensor]


class Progress(Protocol):
    """Told how far a run is: ``phase`` is ``corpus`` (``done`` of ``total`` tokens) or ``training`` (steps; ``loss`` in
    nats a token once there is one).
    """

    def __call__(self, phase: str, done: int, total: int, loss: float | None) -> None:
        """Take note."""
        ...


def pretrain(  # noqa: PLR0913 - what is known already, and where things go
    recipe: Recipe,
    source: Source,
    out: Path,
    *,
    corpora: Path | None = None,
    device: str = "auto",
    workers: int = 1,
    checkpoint: int = CHECKPOINT,
    progress: Progress | None = None,
    documents: str | None = None,
) -> Path:
    """Train a model and save it in ``out``, which is returned; goes on where an earlier run stopped, and returns at
    once when the model is there.

    The corpus is made by ``workers`` processes and kept in ``corpora`` (default: ``corpora`` beside ``out``), where
    other runs find it. ``device``: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; bfloat16 autocast on a GPU, float32 on a
    CPU. ``checkpoint``: steps between checkpoints; ``documents``: the source's fingerprint, where it is known already.

    Raises StoreError when ``out`` holds another model or cannot be written, ModelError for a device that is not there
    or a loss that is not finite, InputError for a tokenizer that cannot be used.
    """
    where = torch.device(pick_device(recipe.rung.name, device))
    known = documents or source.fingerprint()
    identity = _identity(recipe, source, known)
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if is_finished(recipe, source, out, known):
            return out
        data = read_corpus(recipe, source, known, corpora or out.parent / "corpora", workers, progress)
        run = Run.begin(recipe, tokenizers.load(source.tokenizer).get_vocab_size(), where)
        run.restore(out / "checkpoint.pt", identity)
        _train(run, data, out, identity, checkpoint, progress)
        _save(run, source, out, identity)
    return out


def next_token_loss(module: Any, ids: torch.Tensor) -> torch.Tensor:
    """The mean loss in nats of every token of ``ids`` (sequences x tokens) after the first."""
    logits = module(input_ids=ids[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())


def read_corpus(
    recipe: Recipe, source: Source, documents: str, folder: Path, workers: int, progress: Progress | None
) -> torch.Tensor:
    """All tokens that are read, and one more to be predicted last: 16-bit integers in memory.

    They are made by ``workers`` processes where ``folder`` does not hold them yet; ``documents``: their fingerprint.
    """
    schedule, identity = recipe.schedule, _identity(recipe, source, documents)
    tokens = schedule.steps * schedule.batch * schedule.sequence + 1
    named = json.dumps([identity["corpus"], identity["documents"], identity["tokenizer"], tokens], sort_keys=True)
    path = folder / f"{hashlib.sha256(named.encode()).hexdigest()[:16]}.npy"
    told = None if progress is None else lambda done, total: progress("corpus", done, total, None)
    return torch.from_numpy(np.array(write_tokens(path, source, tokens, workers=workers, progress=told)))


def _train(
    run: Run, data: torch.Tensor, out: Path, identity: dict[str, Any], every: int, progress: Progress | None
) -> None:
    """The remaining steps, with checkpoints."""
    schedule = run.recipe.schedule
    if run.step == schedule.steps:
        return
    data = data.to(run.device)
    order = torch.randperm(
        schedule.steps * schedule.batch, generator=torch.Generator().manual_seed(run.recipe.seed_of("order"))
    ).to(run.device)
    window = torch.arange(schedule.sequence + 1, device=run.device)
    loss_of = _fastest(run, data[window].long().repeat(min(MICRO[run.device.type], schedule.batch), 1))
    begun, before = time.monotonic(), run.seconds
    while run.step < schedule.steps:
        chosen = order[run.step * schedule.batch :][: schedule.batch]
        _step(run, data[chosen[:, None] * schedule.sequence + window].long(), loss_of)
        last = run.step == schedule.steps
        if run.step % REPORT == 0 or last:
            loss = run.report()
            run.seconds = before + time.monotonic() - begun
            write_whole(out / "losses.jsonl", "".join(json.dumps(row) + "\n" for row in run.losses).encode())
            if progress:
                progress("training", run.step, schedule.steps, loss)
        elif progress and run.device.type == "cpu":
            progress("training", run.step, schedule.steps, None)
        if run.step % every == 0 or last:
            run.seconds = before + time.monotonic() - begun
            run.save(out / "checkpoint.pt", identity)


def _step(run: Run, batch: torch.Tensor, loss_of: Loss) -> None:
    for part in torch.split(batch, MICRO[run.device.type]):
        with torch.autocast(run.device.type, torch.bfloat16, enabled=run.device.type == "cuda"):
            loss = loss_of(run.module, part) * (len(part) / len(batch))
        torch.autograd.backward(loss)
        run.unreported += loss.detach()
    run.optimiser.step(run.recipe.schedule.rate(run.step))
    run.step += 1


def _fastest(run: Run, sample: torch.Tensor) -> Loss:
    """The loss compiled, on a GPU where that works; else as it is."""
    if run.device.type != "cuda":
        return next_token_loss
    compiled = torch.compile(next_token_loss, dynamic=False)
    try:
        with torch.autocast("cuda", torch.bfloat16):
            torch.autograd.backward(compiled(run.module, sample))
    except Exception as error:  # no compiler, no headers, an operator it does not know: training goes on without
        reason = str(error).strip().splitlines() or [type(error).__name__]
        print(f"training without torch.compile: {reason[0]}", file=sys.stderr)
        compiled = next_token_loss
    run.module.zero_grad(set_to_none=True)
    return compiled


def _save(run: Run, source: Source, out: Path, identity: dict[str, Any]) -> None:
    """The model's folder; the card last, then the checkpoint goes."""
    corpus, schedule = source.corpus, run.recipe.schedule
    module = run.module.to(torch.bfloat16)
    module.config.architectures, module.config.dtype = [type(module).__name__], torch.bfloat16
    module.config.save_pretrained(out)
    module.generation_config.save_pretrained(out)
    weights = {name: weight.detach().cpu() for name, weight in module.named_parameters()}  # a tied matrix once
    write_whole(out / "model.safetensors", save_tensors(weights, metadata={"format": "pt"}))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.load(source.tokenizer),
        bos_token=tokenizers.END_OF_TEXT,
        eos_token=tokenizers.END_OF_TEXT,
        pad_token=tokenizers.END_OF_TEXT,
        padding_side="left",
    )
    tokenizer.save_pretrained(out)
    params, tokens = run.module.num_parameters(), schedule.steps * schedule.batch * schedule.sequence
    told = {
        "family": family_of(run.recipe, corpus),
        "stage": corpus.stage,
        "params": params,
        "corpus": corpus.mixture,
        "tokens": tokens,
        "seed": run.recipe.seed,
        **({} if run.recipe.held is None else {"held": asdict(run.recipe.held)}),
    }
    write_json(out / "onset.json", told)
    timing = {"seconds": run.seconds, "tokens_per_second": tokens / run.seconds, "device": _device_name(run.device)}
    write_json(out / "timing.json", timing)
    card = {
        **identity,
        "shares": shares(corpus),
        "params": params,
        "tokens": tokens,
        "flops": 6 * params * tokens,
        "loss": run.losses[-1]["loss"],
        "device": run.device.type,
        "versions": {
            "onset": _onset_version(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }
    write_json(out / "card.json", card)
    (out / "checkpoint.pt").unlink(missing_ok=True)


def family_of(recipe: Recipe, corpus: Corpus) -> str:
    """What sizes share a curve with, and ingredients are held against: models that read as many tokens of one mixture
    (``scarce`` is an ingredient of ``pilot``). Never that of the shipped models, so that a short run is not taken for
    their equal; and seeds that draw only the weights, or only the order, vary less than those that draw both.
    """
    mixture = {"standard": "", "scarce": "pilot-"}.get(corpus.mixture, f"{corpus.mixture}-")
    held = "" if recipe.held is None else f"-same-{recipe.held.what}"
    return f"{FAMILY}-{mixture}{recipe.schedule.tokens / 1e6:.4g}M{held}"


def _identity(recipe: Recipe, source: Source, documents: str) -> dict[str, Any]:
    """What makes a run another one, as JSON."""
    return {
        "recipe": recipe.describe(),
        "corpus": source.corpus.describe(),
        "documents": documents,
        "tokenizer": _digest(source),
    }


def _digest(source: Source) -> str:
    return hashlib.sha256(tokenizers.load(source.tokenizer).to_str().encode()).hexdigest()


def is_finished(recipe: Recipe, source: Source, out: Path, documents: str) -> bool:
    """Does ``out`` hold this model, of documents of that fingerprint? Raises StoreError where it holds another one."""
    path, identity = out / "card.json", _identity(recipe, source, documents)
    if not path.exists():
        return False
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        found = {key: card[key] for key in identity}
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path} is no card of a model of the ladder: choose another folder") from None
    check_same(out, found, identity)
    return True


def _onset_version() -> str | None:
    try:
        return version("lm-onset")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return None


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu (threads: {torch.get_num_threads()})"


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """One line for a disk that cannot be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write the model to {out}: {error.strerror or error}") from None
