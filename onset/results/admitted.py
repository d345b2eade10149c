"""Workers that may change a results folder while a run holds it: each has a ticket, and changes nothing without it.

A run that takes a worker for lost, and gives its job to another, takes the ticket away: a worker that was only cut off
then stops before its next change. What it had put there before is whole, and the same bytes as the other's.
"""

from __future__ import annotations

from dataclasses import dataclass

from onset.errors import StoreError
from onset.results.files import Files, Wrapped
from onset.results.sealed import seal

TICKETS = "workers"


@dataclass(frozen=True)
class Admitted(Wrapped):
    """``files`` of a results folder, or of a part of it, that are changed only while ``ticket`` is in ``root``."""

    root: Files
    ticket: str

    def before(self, what: str, path: str) -> None:
        """Look for the ticket."""
        if not self.root.exists(self.ticket):
            raise StoreError(
                f"results folder {self.root.name()}: the run has given this worker up; it stops, and has changed"
                " nothing since"
            )


def admit(files: Files, worker: str, said: str) -> Admitted:
    """A ticket for ``worker`` (a name of its own), and the ``files`` as it may change them. ``said``: where it is, for
    people.
    """
    ticket = f"{TICKETS}/{worker}.json"
    files.put(ticket, seal({"worker": worker, "where": said}))
    return Admitted(files, files, ticket)


def dismiss(files: Files, worker: str) -> None:
    """Take the ticket of ``worker`` away."""
    files.remove(f"{TICKETS}/{worker}.json")


def dismiss_all(files: Files) -> None:
    """Take all tickets away: those of a run that was stopped."""
    for ticket in list(files.names(TICKETS)):
        files.remove(ticket)
