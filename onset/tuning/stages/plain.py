"""Plain text in the shape of examples: the placebo of a stage that says whether it is the examples or any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from onset.errors import DataError
from onset.tuning.loop import Encoded

AT_MOST = 32
"""Characters of the text that are tokenised for each token that is needed: a long text is not read to its end."""


def in_the_shape_of(rows: Sequence[Encoded], text: str, tokenizer: Any, name: str) -> list[Encoded]:
    """Each of ``rows`` with the tokens of a run of ``text`` in the place of its own: as many, of which as many at the
    end are learnt. A special token that stands first and the end-of-text token stay. Equal rows get equal runs, so that
    what is repeated is repeated likewise; runs follow each other in the text.

    Raises DataError where the text (the file ``name``) has too few tokens.
    """
    begin = 1 if tokenizer.bos_token_id is not None and rows[0].ids[0] == tokenizer.bos_token_id else 0
    different = list(dict.fromkeys(rows))
    needed = sum(len(row.ids) - begin - 1 for row in different)
    ids = tokenizer(text[: AT_MOST * needed], add_special_tokens=False, verbose=False)["input_ids"]
    if len(ids) < needed:
        raise DataError(
            f"stage text {name}: it has {len(ids):,} tokens, the {len(different):,} rows in whose place it stands have"
            f" {needed:,}; use a longer text"
        )
    runs: dict[Encoded, Encoded] = {}
    at = 0
    for row in different:
        size = len(row.ids) - begin - 1
        runs[row] = replace(row, ids=(*row.ids[:begin], *ids[at : at + size], row.ids[-1]))
        at += size
    return [runs[row] for row in rows]
