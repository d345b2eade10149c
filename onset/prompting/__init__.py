"""Prompting methods: one file each and one line in this table.

A method is ``async def solve(item, context) -> Attempt``; `onset.prompting.base` has the contract.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

PROMPTING = Registry(
    "prompting method",
    {
        "answer-only": Entry("onset.prompting.answer_only:solve", "demonstrations with their answers alone"),
        "cot": Entry("onset.prompting.cot:solve", "chain of thought: demonstrations with their rationales"),
    },
)

NEEDS_RATIONALES = frozenset({"cot"})
"""Prompting methods whose demonstrations must carry a rationale."""
