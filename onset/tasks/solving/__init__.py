"""What generated tasks can do with the text of an item: read it, and work its answer out from the text alone.

Shifts of a task go through it: what was written otherwise must still have the answer it says, and a problem with other
numbers gets its own. Nothing here sees how an item was made.
"""

from __future__ import annotations

from onset.tasks.solving.base import Premises, Solved, Solver

__all__ = ["Premises", "Solved", "Solver"]
