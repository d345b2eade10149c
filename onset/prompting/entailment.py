"""Does one statement entail or contradict another: by the model that is measured, or by a second one that is named.

The measured model is asked in the words of Brown et al. 2020, arXiv 2005.14165, appendix G (ANLI), and the most
probable of True, False and Neither is taken; a second model is a classifier of such pairs (`onset.models.nli`), each
pair one call of its own in the transcript.

    Soup is a liquid.
    Question: Eating soup means eating only solids. True, False, or Neither?
    Answer: False
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from onset.models.nli import Inference
from onset.prompting.ask import Ask

ENTAILMENT = "entailment"
"""Role of the calls that judge two statements against each other."""
LABELS = ("True", "False", "Neither")
_SAID = {"entailment": "True", "contradiction": "False", "neutral": "Neither", None: "Neither"}


async def judged(pairs: Sequence[tuple[str, str]], ask: Ask, second: Inference | None) -> list[str]:
    """One of `LABELS` for each (premise, hypothesis) of ``pairs``, by ``second`` (None: by the measured model). A pair
    that does not fit is ``Neither``.
    """
    if second is None:
        return list(await asyncio.gather(*(entails(*one, ask) for one in pairs)))
    return [_SAID[one] for one in ask.judge(second, pairs, ENTAILMENT)]


async def entails(premise: str, hypothesis: str, ask: Ask) -> str:
    """``True`` where the model says that ``hypothesis`` follows, ``False`` where it is contradicted, ``Neither``; of
    equally probable ones, and where they do not fit the context, ``Neither``.
    """
    context = ask.wrap(f"{premise}\nQuestion: {hypothesis} True, False, or Neither?\nAnswer:")
    lead = " " if ask.chat is None else ""
    scored = await ask.score(context, [f"{lead}{one}" for one in LABELS], ENTAILMENT)
    known = [-math.inf if one.logprob is None else one.logprob for one in scored]
    best = max(known)
    return LABELS[known.index(best)] if known.count(best) == 1 else "Neither"
