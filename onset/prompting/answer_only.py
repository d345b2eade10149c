"""Answer-only prompting: the demonstrations show question and answer, no steps.

Source: the "standard prompting" baseline of Wei et al. 2022, arXiv 2201.11903, section 3.1: the same
demonstrations as chain of thought with the rationale deleted (Brown et al. 2020, arXiv 2005.14165).

    Question: What is 27 + 48?
    Answer: The answer is 75.
"""

from __future__ import annotations

from onset.prompting.base import Context, gold_score, most_tokens, sample
from onset.records import Attempt, Item


async def solve(item: Item, context: Context) -> Attempt:
    """Ask once (or ``context.samples`` times) with answers only; the gold answer is scored after the
    same prompt and the words "The answer is".
    """
    prompt = context.prompt(item, rationale=False)
    limit = most_tokens(context.task, rationale=False, chat=context.chat)
    completions, answers, answer = await sample(prompt, item, context, max_tokens=limit)
    announced = f"{prompt}{context.lead}{context.task.layout.marker}"
    gold = await gold_score(announced, item, context, run=completions[0].finish != "overlong")
    return Attempt(prompt, completions, answers, answer, gold.logprob, gold.probability, gold.tokens)
