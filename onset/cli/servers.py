"""``onset check-server``: is it the model it is said to be?"""

from __future__ import annotations

from typing import Annotated

import typer

from onset.cli.common import Json, print_json, print_line

Served = Annotated[str, typer.Argument(metavar="URL#MODEL", help="A model of a server, as a study names it.")]
Local = Annotated[str, typer.Argument(metavar="LOCAL", help="A local copy of the same weights, as a study names it.")]


def check_server(server: Served, local: Local, as_json: Json = False) -> None:
    """Hold a server's model against a local copy of its weights, on eight texts; exit code 1 where they differ."""
    from onset.models import open_model
    from onset.models.servers.agreement import NEAR, agreement

    spec = server if server.startswith("openai:") else f"openai:{server}"
    found = agreement(open_model(spec), open_model(local))
    if as_json:
        print_json(found.json())
    else:
        lengths = "the server counts no tokens" if found.lengths is None else f"{found.lengths} of {found.texts}"
        apart = f"not known: {found.why}" if found.apart is None else f"{found.apart:.3f} nats a token (near: {NEAR})"
        print_line(f"Equal numbers of tokens       {lengths}")
        print_line(f"Log-probabilities differ by   {apart}")
        print_line(f"Greedy texts begin alike      {found.begun} of {found.texts}")
        said = {"same": "The same weights, as far as can be seen.", "different": "Not the same model."}
        print_line(said.get(found.verdict, "Not shown to be the same: the server gives no log-probabilities."))
    if found.verdict == "different":
        raise typer.Exit(1)
