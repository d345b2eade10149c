"""``onset batch``: a study against hosted models through files of OpenAI's Batch API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onset.cli.common import console, place, print_line
from onset.cli.study import StudyFile, finish

if TYPE_CHECKING:
    from onset.study.batches import Round
    from onset.study.cell import Cell
    from onset.study.entries import PriceEntry
    from onset.study.observer import Observer
    from onset.study.spec import Study

app = typer.Typer(
    help="Ask hosted models (openai:URL#MODEL) in batch files, which cost less: write, have them answered, read, and"
    " again while calls are left that need answers of others.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

BatchFolder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Requests are in its folder requests, answers in answers.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Results folder, or its URL [default: results/NAME].", metavar="PATH", parser=place),
]


@app.command("write")
def write_batch(
    study: StudyFile,
    folder: BatchFolder,
    out: Out = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Do not ask the server first what it has and can: no log-probabilities."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was written before and has neither answer nor error.")
    ] = False,
) -> None:
    """Write the requests of a study that are known and not answered: one file a model and endpoint, or several."""
    from onset.study.batches import write
    from onset.study.runner import check_failed
    from onset.study.spec import read_study

    asked = read_study(study)
    results = out or Path("results") / asked.name
    found = write(asked, folder, results, offline=offline, again=again, observer=_notes())
    for one in found.files:
        size = f"{one.bytes / 1e6:.1f} MB" if one.bytes >= 1e5 else f"{one.bytes / 1e3:.1f} kB"
        print_line(f"{folder / 'requests' / one.name}  {one.requests} requests, {size}, {one.label}, {one.endpoint}")
    if found.under_way and not again:
        print_line(
            f"{found.under_way} requests were written before and have neither answer nor error: they are not written"
            " again (--again does)"
        )
    if found.files:
        print_line(f"Put the files that come back, of output and of errors, into {folder / 'answers'}; then")
        print_line(f"  onset batch read {study} {folder}{f' --out {out}' if out else ''}")
    else:
        print_line("No request to write.")
        _say_cells(found, study, folder, out)
    check_failed(found.summary, asked, results)


@app.command("read")
def read_batch(study: StudyFile, folder: BatchFolder, out: Out = None) -> None:
    """Read the files in FOLDER/answers; what they suffice for becomes cells of the results, as if asked live."""
    from onset.study.batches import read
    from onset.study.runner import check_failed
    from onset.study.spec import read_study

    asked = read_study(study)
    results = out or Path("results") / asked.name
    found = read(asked, folder, results, observer=_notes())
    if not found.answers.files:
        print_line(f"{folder / 'answers'} holds no file yet.")
    for file in found.answers.files:
        refused = f", {file.refused} refused" if file.refused else ""
        print_line(f"{file.path.name}: {file.answered} answered{refused}")
        for why, count in file.errors.items():
            print_line(f"  {count} with an error: {why}")
        if file.cut:
            print_line("  it ends within a line: the rest is missing; get the file again")
    if found.answers.failed:
        print_line(
            f"{len(found.answers.failed)} requests ended with an error: the next `onset batch write` asks them again"
        )
    for line in _bills(found, asked):
        print_line(line)
    _say_cells(found, study, folder, out)
    check_failed(found.summary, asked, results)
    if found.done == found.cells and not found.others:
        finish(results)


def _say_cells(found: Round, study: Path, folder: Path, out: Path | None) -> None:
    said = f"{found.done} of {found.cells} cells complete"
    if found.summary.failed:
        said += f"; {len(found.summary.failed)} failed"
    if found.waiting and found.wanted:
        said += f"; {found.waiting} need another round: run `onset batch write` again ({found.wanted} requests)"
    elif found.waiting and found.under_way:
        said += f"; {found.waiting} wait for {found.under_way} answers that have not come back"
    elif found.waiting:
        said += f"; {found.waiting} have not been asked: run `onset batch write`"
    print_line(said)
    if found.others and found.done == found.cells:
        print_line(f"{found.others} cells of other models are left: onset run {study}{f' --out {out}' if out else ''}")


def _bills(found: Round, study: Study) -> list[str]:
    """What was billed, of each model; and what it cost, where the study tells the price."""
    out = []
    prices = {entry.label: entry.price or study.price for part in study.grids() for entry in part.models}
    for label, (went_in, came_out) in found.answers.tokens.items():
        money = _money(prices.get(label, study.price), went_in, came_out)
        if went_in or came_out:
            out.append(f"{label}: {went_in:,} tokens in and {came_out:,} out were billed{money}")
    return out


def _money(price: PriceEntry | None, went_in: int, came_out: int) -> str:
    if price is None or price.input is None or price.output is None:
        return ""
    cost = (went_in * price.input + came_out * price.output) / 1e6
    if price.batch is None:
        return f": {price.currency}{cost:.2f} without what a batch costs less (price: {{batch: 0.5}})"
    return f": {price.currency}{cost * price.batch:.2f}"


def _notes() -> Observer:
    from onset.study.observer import Silent

    class Notes(Silent):
        def note(self, text: str) -> None:
            console(stderr=True).print(f"note: {text}", markup=False)

        def failed(self, cell: Cell, error: str) -> None:
            console(stderr=True).print(f"failed: {error}", markup=False)

    return Notes()
