r"""Answer formats: how an answer is found in a text, and what makes two answers the same.

Every format reads a text in the same order and stops at the first kind of evidence that is there:

    1. ``#### 18``
    2. ``the answer is 18``, ``final answer: 18``, ``\boxed{18}``
    3. ``answer: 18``
    4. no marker: what the format says of a bare answer (below)

A text is first cut where a new turn begins (``Question:``, ``Human:``, ``<|im_start|>`` and their like:
`onset.turns`), unless the item's own text has that mark: what follows is another problem. If the evidence of the kind
that decides names different answers, the status is ``ambiguous``; if it names none, ``none``. A text that a token
limit cut (``truncated=True``) before the answer was complete has status ``truncated``: when there is no marker, and
also when nothing but a point or a space follows the answer ("The answer is 1" may be the head of 18, "The answer is
18." of 18.5). In a text that repeats itself, a last repetition that the limit cut does no harm.

Values are canonical: equal answers are equal strings, so that votes for ``$1,000`` and ``1000.00`` add up. Nothing
looks at the gold answer to find an answer, except `BBHFormat`, and that only at its kind.
"""

from __future__ import annotations

from onset.answers.bbh import BBHFormat
from onset.answers.choices import ChoiceFormat
from onset.answers.numbers import NumberFormat, canonical_number
from onset.answers.text import OpenFormat, TextFormat, canonical_text, canonical_verbatim, normalised_answer

__all__ = [
    "BBHFormat",
    "ChoiceFormat",
    "NumberFormat",
    "OpenFormat",
    "TextFormat",
    "canonical_number",
    "canonical_text",
    "canonical_verbatim",
    "normalised_answer",
]
