"""The command ``onset``: parse, call, print.

A command is a function in one of the files beside this one and a line of `COMMANDS`. Exit codes: 0 done, 1 failed cells
over the error budget, 2 bad input (`onset.errors`), 130 stopped from the keyboard, 143 by SIGTERM.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from onset.cli import advise, batch, ladder, names, others, servers, shifts, study
from onset.cli.common import print_line
from onset.errors import Interrupted, OnsetError
from onset.stopping import WORDS, Stopped, code_of, leave
from onset.untrusted import printable

COMMANDS: Mapping[str, Callable[..., Any]] = {
    "demo": study.demo,
    "run": study.run,
    "plan": study.plan,
    "show": study.show,
    "report": study.report,
    "advise": advise.advise,
    "compare": others.compare,
    "pairs": others.pairs,
    "emergence": others.emergence,
    "export": others.export,
    "grade": others.grade,
    "claims": others.claims,
    "list": names.list_names,
    "shift": shifts.shift,
    "check-server": servers.check_server,
}
"""Name -> command, in the order of ``onset --help``."""

app = typer.Typer(
    help="Prompt or tune? How large? Does it survive a shift? Fair comparisons of language models, with intervals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(batch.app, name="batch")
app.add_typer(ladder.app, name="ladder")


def _say_version(asked: bool) -> None:
    if asked:
        from onset import __version__

        print_line(f"onset {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Prompt or tune? How large? Does it survive a shift? Fair comparisons of language models, with intervals."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every `OnsetError` becomes one line on standard error and its exit code."""
    try:
        app(args=None if arguments is None else list(arguments))
    except Interrupted as error:
        if arguments is None:  # the process is the command's: threads that wait for a server are not waited for
            leave(printable(str(error)), error.exit_code)
        print_line(f"onset: {error}", stderr=True)
        raise SystemExit(error.exit_code) from None
    except OnsetError as error:
        print_line(f"onset: {error}", stderr=True)
        raise SystemExit(error.exit_code) from None
    except Stopped:
        raise
    except KeyboardInterrupt as stop:
        print_line(f"onset: {WORDS}", stderr=True)
        raise SystemExit(code_of(stop)) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
