"""A study against models of servers in batches: its requests are written, answered by the service, and read.

The study is run (`onset.study.runner`) over a client that answers from what came back and notes what has no answer
(`onset.models.servers.kept`): what a method asks, how it is read and what is recorded is decided in one place. Calls
that need the answers of others become known when these are there: write, have it answered, read, and again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from onset.errors import ModelError, StudyError, Unanswered
from onset.models import LoadOptions, Told, split_spec
from onset.models.servers.backend import connected, split
from onset.models.servers.client import Client, ServerGone
from onset.models.servers.kept import Kept, KeptClient, Trials
from onset.models.servers.model import ServerModel
from onset.results.files import Place
from onset.results.folder import Store
from onset.study.batch_folder import Answers, BatchFolder, RequestFile
from onset.study.grid import Grid, expand
from onset.study.observer import Observer, Silent
from onset.study.runner import Summary, run_cells
from onset.study.spec import Study


@dataclass(frozen=True, slots=True)
class Round:
    """What became of a study's cells that ask servers: ``done`` of ``cells``, ``waiting``; ``wanted``: requests that
    are to be written; ``under_way``: those that were, and have neither answer nor error; ``files``: written now;
    ``answers``: all that came back; ``others``: cells of other models that are missing; ``summary``: of the run.
    """

    cells: int
    done: int
    waiting: int
    wanted: int
    under_way: int
    files: tuple[RequestFile, ...]
    answers: Answers
    others: int
    summary: Summary


def write(
    study: Study,
    folder: Path | str,
    out: Place,
    *,
    offline: bool = False,
    again: bool = False,
    observer: Observer | None = None,
) -> Round:
    """Write what ``study`` asks of servers, as far as it is known, into files of ``folder``; what has been answered
    becomes cells of the results folder ``out``.

    ``offline``: the servers are not asked which models they have, which keys they take, whether they draw samples and
    tell log-probabilities (a folder that was begun so stays so). ``again``: also requests that were written before and
    of which nothing came back. Raises InputError and StoreError.
    """
    return _round(expand(study), Path(folder), out, observer, writes=True, offline=offline, again=again)


def read(study: Study, folder: Path | str, out: Place, *, observer: Observer | None = None) -> Round:
    """Read the answers in ``folder`` and run what they suffice for, into the results folder ``out``. Raises DataError
    for a file of answers that is none of this batch, StoreError for a folder of another study.
    """
    return _round(expand(study), Path(folder), out, observer, writes=False)


def _round(
    grid: Grid,
    folder: Path,
    out: Place,
    observer: Observer | None,
    *,
    writes: bool,
    offline: bool = False,
    again: bool = False,
) -> Round:
    mine = [cell for cell in grid.cells if split_spec(cell.model_spec)[0] == "openai"]
    if not mine:
        raise StudyError(f"study '{grid.study.name}' asks no server: a batch needs a model 'openai:URL#MODEL'")
    store, note = Store(out), (observer or Silent()).note
    with BatchFolder(folder, grid.study.name, make=writes, note=note) as held:
        sent = held.sent()
        answers = held.answers(sent)
        seen = store.seen()
        left = {cell.model: cell.model_spec for cell in mine if not seen.cell(cell.id).done}
        if not writes:
            left = {label: spec for label, spec in left.items() if label in held.servers}
        models = _open(left, grid, held, answers, writes=writes, offline=offline)
        summary = run_cells(
            grid, out, observer=observer, models={label: one for label, (one, _) in models.items()}, only=models
        )
        wanted = [(label, one) for label, (_, client) in models.items() for one in client.wanted.values()]
        new = [pair for pair in wanted if len(sent.get(pair[1].name, ())) <= answers.lines.get(pair[1].name, 0)]
        files = held.write(wanted if again else new) if writes else []
        held.save()
    seen = store.seen()
    done = sum(seen.cell(cell.id).done for cell in mine)
    return Round(
        cells=len(mine),
        done=done,
        waiting=len(mine) - done - len(summary.failed),
        wanted=len(new),
        under_way=len(wanted) - len(new),
        files=tuple(files),
        answers=answers,
        others=sum(not seen.cell(cell.id).done for cell in set(grid.cells) - set(mine)),
        summary=summary,
    )


def _open(
    specs: Mapping[str, str], grid: Grid, held: BatchFolder, answers: Answers, *, writes: bool, offline: bool
) -> dict[str, tuple[ServerModel, KeptClient]]:
    """The models of ``specs`` (label -> spec) over what is kept, and what they ask; without those whose servers have to
    be asked something first. Raises ModelError where a server is not there.
    """
    trials = held.trials()
    known = ChainMap(trials, cast(dict[str, Kept], answers.held))

    def keep(name: str, kept: Kept) -> None:
        held.keep_trial(name, kept)
        trials[name] = kept

    out = {}
    for label, spec in specs.items():
        url, name = split(split_spec(spec)[1])
        server = held.server(label, url, name, offline=offline)
        live = Client(url) if writes and not (offline or server.offline) else None
        client = KeptClient(url, known, refused=server.refused, tried=server.tried, live=live, keep=keep)
        trial = Trials(client, live=live, offline=server.offline)
        options = LoadOptions(label, told=grid.told.get(label, Told()))
        try:
            out[label] = connected(client, name, options, trial, server.refused), client
        except Unanswered:
            continue
        except ServerGone as error:
            raise ModelError(f"{error}; --offline writes a batch without asking the server") from None
    return out
