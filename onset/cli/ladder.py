"""The commands ``onset ladder ...``: what the embedded ladder's models read, and training one of your own.

They need torch, transformers, typer and rich, and nothing else of Onset's requirements, so that they run on a bare GPU
machine from a checkout: ``python -m onset ladder train ...``.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer
from rich.table import Table

from onset.cli.common import Json, console, print_json, print_line
from onset.errors import InputError, StoreError
from onset.processors import processors

if TYPE_CHECKING:
    from onset.ladder.recipe import Recipe
    from onset.ladder.shards import Source
    from onset.study.spec import Study

app = typer.Typer(
    help="The embedded ladder: its models, the documents they read, and training one with or without an ingredient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Tokens = Annotated[str, typer.Option(help="How many tokens: 500k, 20M, 1B or a plain number.")]
MixtureName = Annotated[str, typer.Option("--mixture", help="standard, pilot or scarce.")]
Without = Annotated[str, typer.Option(help="Ingredients to leave out: chain-of-thought, code, instructions.")]
FillName = Annotated[str, typer.Option("--fill", help="What takes their room: neutral (statements) or rest.")]
ExtraFolder = Annotated[Path | None, typer.Option("--extra", help="A folder of your own .txt and .jsonl documents.")]
Share = Annotated[float | None, typer.Option(help="The share of the tokens that your documents are, in (0, 1).")]
CorpusSeed = Annotated[int, typer.Option(help="The seed of the documents.")]
TokenizerFile = Annotated[Path | None, typer.Option("--tokenizer", help="Another tokenizer.json [default: shipped].")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes that make documents [default: all cores].")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """The sizes of the ladder, and the models of each that come with the package."""
    from onset.ladder.recipe import RUNGS
    from onset.ladder.rungs import NAMES

    rows = [
        {
            "rung": one.name,
            "params": one.params(),
            "width": one.width,
            "layers": one.layers,
            "heads": one.heads,
            "shipped": [f"ladder/{name}" for name in NAMES if name.split("-")[0] == one.name],
        }
        for one in RUNGS.values()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("rung", "parameters", "width", "layers", "heads", "comes with the package", box=None)
    for row in rows:
        numbers = [f"{row[key]:,}" for key in ("params", "width", "layers", "heads")]
        table.add_row(str(row["rung"]), *numbers, "\n".join(cast(list[str], row["shipped"])))
    console().print(table)


@app.command()
def corpus(  # noqa: PLR0913 - one parameter an option
    *,
    tokens: Tokens,
    out: Annotated[Path, typer.Option(help="The file to write, JSON lines.")],
    mixture: MixtureName = "standard",
    without: Without = "",
    fill: FillName = "neutral",
    extra: ExtraFolder = None,
    share: Share = None,
    seed: CorpusSeed = 0,
    tokenizer: TokenizerFile = None,
    workers: Workers = None,
) -> None:
    """Write documents as text, one JSON line each with its kind: what a model of the ladder reads."""
    from onset.ladder.shards import read_documents
    from onset.progress import Phases

    source = _source(mixture, without, fill, extra, share, seed, tokenizer)
    wanted = parse_tokens(tokens)
    counted: Counter[str] = Counter()
    documents, partial = 0, out.with_name(f"{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file, Phases() as bar:
            told = bar.of("writing documents")
            for document in read_documents(source, wanted, workers=workers or processors(), progress=told):
                file.write(json.dumps({"kind": document.kind, "text": document.text}, ensure_ascii=False) + "\n")
                documents += 1
                counted[document.kind] += len(document.ids) + 1
        os.replace(partial, out)
    except OSError as error:
        raise StoreError(f"cannot write the documents to {out}: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
    table = Table("kind", "share of tokens", box=None)
    for kind, number in counted.most_common():
        table.add_row(kind, f"{number / counted.total():.1%}")
    console().print(table)
    print_line(f"{documents:,} documents, {counted.total():,} tokens: {out}")


@app.command("tokenizer")
def train_tokenizer(
    *,
    out: Annotated[Path, typer.Option(help="The tokenizer.json to write.")],
    tokens: Tokens = "500k",
    vocabulary: Annotated[int, typer.Option(help="How many tokens it knows, at most.")] = 1024,
    mixture: MixtureName = "standard",
    extra: ExtraFolder = None,
    share: Share = None,
    seed: CorpusSeed = 0,
) -> None:
    """Learn a tokenizer from documents, for `--tokenizer`: worth it when your own are in another script."""
    from onset.ladder.shards import read_documents
    from onset.ladder.tokenizer import train

    source = _source(mixture, "", "neutral", extra, share, seed, None)
    made = train((document.text for document in read_documents(source, parse_tokens(tokens))), vocabulary)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(made.to_str(pretty=True), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write the tokenizer to {out}: {error.strerror or error}") from None
    print_line(f"{made.get_vocab_size():,} tokens: {out}")


@app.command()
def train(  # noqa: PLR0913 - one parameter an option
    *,
    rung: Annotated[str, typer.Option(help="The size: r0 to r7 (see `onset ladder list`).")],
    tokens: Tokens = "163.84M",
    mixture: MixtureName = "standard",
    without: Without = "",
    fill: FillName = "neutral",
    extra: ExtraFolder = None,
    share: Share = None,
    seed: Annotated[int, typer.Option(help="The seed of the first weights and of the order of reading.")] = 0,
    seeds: Annotated[
        str | None, typer.Option(metavar="K|A-B", help="Several seeds: 5, 0-4 or 0,3,7; a model each in OUT/seed-N.")
    ] = None,
    vary: Annotated[
        str, typer.Option(help="What --seeds draw: both, weights (the first ones) or order (of reading).")
    ] = "both",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Seeds side by side, one thread each [default: all cores; GPU: 1].")
    ] = None,
    corpus_seed: CorpusSeed = 0,
    out: Annotated[Path | None, typer.Option(help="The model's folder [default: trained/NAME].")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    tokenizer: TokenizerFile = None,
    workers: Workers = None,
) -> None:
    """Train a model of the ladder from nothing: with or without an ingredient, with documents of your own.

    Resumes after any stop when it is called again. With `--seeds` several models of one size, which differ in what
    a seed draws: the other one of weights and order is drawn by `--seed`. All of them read the same documents.
    """
    from onset.ladder import recipe
    from onset.models.reproducible import make_reproducible

    source = _source(mixture, without, fill, extra, share, corpus_seed, tokenizer)
    schedule = recipe.Schedule(tokens=parse_tokens(tokens))
    chosen = recipe.Recipe(recipe.rung(rung), schedule, seed=seed)
    if seeds is None and (vary != "both" or jobs is not None):
        raise InputError(f"{'--vary' if vary != 'both' else '--jobs'} is of several seeds: say which, --seeds 0-4")
    make_reproducible()  # before torch is imported
    if seeds is not None:
        folder = out or Path("trained") / _name(rung, tokens, source, 0, vary)
        _train_seeds(chosen, source, folder, seeds, vary, device, workers or processors(), jobs)
        return
    folder = out or Path("trained") / _name(rung, tokens, source, seed)
    from onset.ladder.pretrain import pretrain
    from onset.progress import Phases

    with Phases() as bar:
        pretrain(chosen, source, folder, device=device, workers=workers or processors(), progress=bar.told)
    _say_model(folder)
    print_line(f"Measure it: onset ladder evaluate {folder} ladder/{rung}")
    print_line(f"Or name it in a study, models: [ladder/{rung}, {_spec(folder)}], and call onset run STUDY")


def _train_seeds(
    chosen: Recipe, source: Source, out: Path, asked: str, vary: str, device: str, workers: int, jobs: int | None
) -> None:
    from onset.analysis.words import duration
    from onset.ladder.seeds import Vary, pace_of, parse_seeds, pretrain_seeds, recipes_of
    from onset.models.loading import pick_device
    from onset.progress import Phases

    if vary not in get_args(Vary):
        raise InputError(f"--vary {vary}: expected {', '.join(get_args(Vary))}")
    seeds = parse_seeds(asked)
    if vary == "both" and chosen.seed:
        raise InputError(f"--seed {chosen.seed} is of one model, --seeds {asked} of several: give one of them")
    recipes = recipes_of(chosen, seeds, cast(Vary, vary))
    on_cpu = pick_device(chosen.rung.name, device) == "cpu"
    side = min(jobs or (processors() if on_cpu else 1), len(recipes))
    documents = source.fingerprint()
    if pace := pace_of(recipes, source, out, device=device, jobs=side, documents=documents):
        about = duration(pace.seconds)
        print_line(
            f"{pace.models} of {len(recipes)} models to train on {pace.tokens:,} tokens, {pace.jobs} at a time: about"
            f" {about} at the {pace.rate:,.0f} tokens a second that one was measured to reach just now; longer where"
            " several share a core or its cache"
        )
    with Phases() as bar:
        folders = pretrain_seeds(
            recipes, source, out, device=device, workers=workers, jobs=side, progress=bar.told, documents=documents
        )
    for folder in folders:
        _say_model(folder)
    print_line(f"Measure them: onset ladder evaluate {_spec(out)}")
    print_line(f"Or name them in a study, models: [{_spec(out)}]: every seed in it is a model of its own")


def _say_model(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    timing = json.loads((folder / "timing.json").read_text(encoding="utf-8"))
    print_line(
        f"Model: {folder} ({card['params']:,} parameters, {card['tokens']:,} tokens, loss {card['loss']:.3f} nats a "
        f"token, {timing['tokens_per_second']:,.0f} tokens a second on {timing['device']})"
    )


@app.command()
def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Folders or ladder/NAME [default: all shipped].")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="The results folder.")] = Path("results/ladder-evaluation"),
    items: Annotated[int | None, typer.Option(min=1, help="Test items of each cell [default: 200].")] = None,
) -> None:
    """Ask models of the ladder, yours or the shipped ones, everything about the world: what appears at which size?

    Prints a table of accuracies and the findings, and writes a report. Resumes after any stop.
    """
    from onset.cli.study import finish, run_study

    finish(run_study(evaluation(models or (), items), out), accuracies=True)


def evaluation(models: Sequence[str] = (), items: int | None = None) -> Study:
    """The study of `evaluate` on the ``models`` (none: the whole ladder with its variants, without the tasks that no
    shipped model has read) with ``items`` test items.

    Raises StudyError for a model that cannot be named so.
    """
    from onset.study.spec import read_study, vary

    study = read_study(Path(str(files("onset.ladder") / "evaluate.yaml")))
    values: dict[str, Any] = {} if items is None else {"items": items}
    if models:
        values["models"] = list(models)
    else:
        study = study.model_copy(update={"parts": tuple(one for one in study.parts if one.tasks != _UNREAD)})
    return vary(study, **values)


_UNREAD = ("world-compare",)
"""Tasks of `standard` documents: the shipped models answer them with a country, never with one of the options."""


def parse_tokens(text: str) -> int:
    """``20M`` as 20,000,000: a number, ``_`` or ``,`` between its digits, k, M or B. Raises InputError.

    >>> parse_tokens("163.84M")
    163840000
    """
    match = re.fullmatch(r"(\d[\d_,]*(?:\.\d+)?)([kmb]?)", text.strip().lower())
    whole = re.sub(r"[_,]", "", match[1]) if match else "0"
    count = round(float(whole) * {"": 1, "k": 1e3, "m": 1e6, "b": 1e9}[match[2]]) if match else 0
    if count < 1:
        raise InputError(f"tokens are a number such as 500k, 20M or 1B, received '{text}'")
    return count


def _source(
    mixture: str, without: str, fill: str, extra: Path | None, share: float | None, seed: int, tokenizer: Path | None
) -> Source:
    from onset.ladder.corpora import Corpus, Fill, Ingredient
    from onset.ladder.extra import read_extra
    from onset.ladder.shards import Source
    from onset.ladder.tokenizer import load

    if extra is not None and share is None:
        raise InputError(f"say how large a share of the tokens the documents of {extra} are: --share, in (0, 1)")
    if extra is None and share is not None:
        raise InputError(f"--share {share:g} is of the documents in --extra FOLDER, and none is named")
    names = tuple(name.strip() for name in without.split(",") if name.strip())
    added = read_extra(extra, share) if extra is not None and share is not None else None
    chosen = Corpus(mixture, cast(tuple[Ingredient, ...], names), cast(Fill, fill), seed, added)
    load(tokenizer)  # a bad file is said before anything is made
    return Source(chosen, tokenizer)


_SHORT = {"chain-of-thought": "nocot", "code": "nocode", "instructions": "noinst"}


def _name(rung: str, tokens: str, source: Source, seed: int, vary: str = "both") -> str:
    """``r3-20M-nocode-seed1``: what is not as by default."""
    corpus = source.corpus
    parts = [rung, re.sub(r"[_,]", "", tokens.strip())]
    parts += [corpus.mixture] if corpus.mixture != "standard" else []
    parts += [_SHORT[name] for name in corpus.without]
    parts += ["rest"] if corpus.without and corpus.fill == "rest" else []
    parts += [f"{corpus.extra.source}{corpus.extra.share:g}"] if corpus.extra else []
    parts += [f"corpus{corpus.seed}"] if corpus.seed else []
    parts += [f"seed{seed}"] if seed else []
    parts += [vary] if vary != "both" else []
    return "-".join(parts)


def _spec(folder: Path) -> str:
    return str(folder) if folder.is_absolute() or str(folder).startswith(".") else f"./{folder}"
