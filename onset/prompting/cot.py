"""Chain-of-thought prompting: the demonstrations show the steps before the answer.

Source: Wei et al. 2022, arXiv 2201.11903, section 2. Greedy decoding as there; with samples and a
temperature it is the sampling half of self-consistency (Wang et al. 2022, arXiv 2203.11171).

    Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
    Answer: Pam has 17 - 7 = 10. The answer is 10.
"""

from __future__ import annotations

from onset.prompting.base import Context, gold_score, most_tokens, sample
from onset.records import Attempt, Item
from onset.tasks.base import Layout


async def solve(item: Item, context: Context) -> Attempt:
    """Ask once (or ``context.samples`` times) for steps and answer.

    The continuous score is the log-probability of the gold answer after the model's *own* chain (the
    first sample's), cut at "The answer is": it measures what the chain made of the question.
    """
    prompt = context.prompt(item, rationale=True)
    limit = most_tokens(context.task, rationale=True, chat=context.chat)
    completions, answers, answer = await sample(prompt, item, context, max_tokens=limit)
    first = completions[0]
    announced = prompt + until_marker(first.text, context.task.layout, context.lead)
    gold = await gold_score(announced, item, context, run=first.finish != "overlong")
    return Attempt(prompt, completions, answers, answer, gold.logprob, gold.probability, gold.tokens)


def until_marker(chain: str, layout: Layout, lead: str) -> str:
    """The chain up to and including its last "the answer is" (in any case), added where it is missing: after ``lead``
    where nothing stands before it.
    """
    place = chain.lower().rfind(layout.marker.lower())
    if place >= 0:
        return chain[: place + len(layout.marker)]
    return f"{chain.rstrip()}{layout.lead if chain.strip() else lead}{layout.marker}"
