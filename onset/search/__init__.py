"""Selection rules: by which examples a method's settings are chosen. One file a rule, one line in this table.

    search: {select: within, trials: 6, folds: 4}     # every method of the study: six of its settings, by four folds
    search: [none, within, {select: oracle-dev, dev: 100}]

A rule is a `onset.search.base.Search`: settings, and ``parts``, the (used, held out) examples of a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.errors import StudyError
from onset.registry import Entry, Registry
from onset.search.base import Search
from onset.step import read_step

NONE = "none"
"""Not a rule: a method as it is written, as where a study says nothing."""

SEARCH = Registry(
    "selection rule",
    {
        "within": Entry("onset.search.within:Within", "folds or next examples within the granted examples"),
        "oracle-dev": Entry(
            "onset.search.oracle_dev:OracleDev", "labelled examples beyond the budget: an upper bound, never compared"
        ),
    },
)


def read_search(value: Any, where: str) -> Search | None:
    """The rule that ``value`` names: a name of the table, or a mapping with ``select`` and settings; None for ``none``.

    Raises UnknownName for a name that is in no table, StudyError for settings that do not validate (``where`` begins
    the line).
    """
    if value is None or value == NONE or isinstance(value, Search):
        return None if value == NONE else value
    if isinstance(value, Mapping):
        if "kind" in value or not isinstance(value.get("select"), str):
            raise StudyError(f"{where}: expected 'select' and settings, as {{select: within, trials: 6}} ({value!r})")
        value = {"kind": value["select"], **{key: one for key, one in value.items() if key != "select"}}
        if value["kind"] == NONE:
            raise StudyError(f"{where}: 'select: none' has no settings; write 'none'")
    rule: Search = read_step(SEARCH, value, where)
    return rule
