"""The command ``onset claims``: the essay's claims, decided from published figures."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console


def claims(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Claims to show in full.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of tables.")] = False,
) -> None:
    """The essay's claims, each with its verdict from the published figures it rests on."""
    from onset.published.claims import claims_json
    from onset.report.terminal import print_claims

    shown = claims_json(ids or [])
    if as_json:
        print(json.dumps(shown, indent=1, allow_nan=False))
    else:
        print_claims(shown, Console(highlight=False, soft_wrap=False), full=bool(ids))
