"""Questions of granted examples, asked of the base model after demonstrations: what some materials begin with.

The first examples of the plan are the demonstrations, those that a prompting method with as many shots would show; of
all others the question alone is used, so that they count as no labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from onset.errors import DataError, TooLong
from onset.models.base import keeping
from onset.models.chat import ChatTemplate
from onset.plan import Use, use_of
from onset.prompting.base import CHARACTERS_PER_TOKEN, guessed_chain
from onset.prompting.text import STOP, end_rule, most_tokens, render
from onset.records import Completion, Item, Request, Sampling, content_hash, derive_seed
from onset.tasks.base import Task
from onset.tuning.materials.base import Format, Given, guessed
from onset.tuning.materials.kept import chunked


def refuse_few(kind: str, task: Task, labels: int, shots: int, *, steps: bool, others: bool) -> None:
    """Raises DataError where ``labels`` granted examples are not ``shots`` demonstrations and one more. ``steps``:
    demonstrations have to have rationales; ``others``: the rest too.
    """
    held = min(labels, sum(1 for item in task.pool if item.rationale)) if steps else labels
    if labels <= shots or held < shots + others:
        told = f" ({held} with a rationale)" if steps else ""
        raise DataError(
            f"task {task.name}: 'on: {kind}' with {shots} demonstrations needs {shots + 1} labelled examples or more,"
            f" received {labels}{told}; lower 'shots' or raise 'labels'"
        )


def split(examples: Sequence[Item], shots: int, form: Format) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """The demonstrations, and the examples whose questions are asked."""
    able = [one for one in examples if one.rationale or form == "answers"][:shots]
    shown = {one.id for one in able}
    return tuple(able), tuple(one for one in examples if one.id not in shown)


def uses(examples: Sequence[Item], shots: int, form: Format) -> tuple[Use, ...]:
    """The ledger of `split`."""
    demos, asked = split(examples, shots, form)
    return (
        use_of("demonstration", demos, rationales=form == "rationales"),
        use_of("question", asked, rationales=False),
    )


@dataclass(frozen=True, slots=True)
class Sampled:
    """A question of ``item``, the ``prompt`` that asked it after the demonstrations, and what came back."""

    item: Item
    prompt: str
    done: tuple[Completion, ...]


def sample(
    given: Given, where: str, demos: Sequence[Item], asked: Sequence[Item], form: Format, how: Sampling
) -> tuple[list[Sampled], int]:
    """The model's samples for the questions of ``asked``, and the tokens it ran, as a prompting method with these
    demonstrations asks. Draws are keyed by the cell's seed and the question, so that no label decides them. ``where``:
    in the study, for an error.

    Raises TooLong where a prompt does not fit the model's context.
    """
    steps = form == "rationales"
    requests = [_request(given, demos, one, how, steps=steps) for one in asked]
    with keeping(given.model):
        if given.kept is not None:
            answers = given.kept.sampled(given.model, requests)
        else:
            answers = [tuple(done) for chunk in chunked(requests) for done in given.model.generate(chunk)]
    found = [Sampled(item, request.prompt, done) for item, request, done in zip(asked, requests, answers, strict=True)]
    long = sum(one.done[0].finish == "overlong" for one in found)
    if long:
        remedy = "lower 'shots'" if demos else "use a model with a longer context"
        raise TooLong(
            f"{where}: {long} of {len(found)} questions after {len(demos)} demonstrations leave no room for"
            f" {requests[0].max_tokens} tokens in the context of model '{given.model.facts.name}'"
            f" ({given.model.facts.context} tokens); {remedy}"
        )
    return found, sum((one.done[0].prompt_tokens or 0) + sum(each.tokens or 0 for each in one.done) for one in found)


def counted(texts: Sequence[str]) -> list[dict[str, object]]:
    """Different ones of ``texts`` with how many of each there are, in the order in which they were drawn."""
    return [{"text": text, "count": count} for text, count in Counter(texts).items()]


def _request(given: Given, demos: Sequence[Item], item: Item, how: Sampling, *, steps: bool) -> Request:
    task, chat = given.task, given.chat
    question = content_hash([item.question, item.choices, item.context])
    return Request(
        render(task, demos, item, rationale=steps, chat=chat),
        max_tokens=most_tokens(task, rationale=steps, chat=chat),
        stop=_stop(chat),
        n=how.n,
        temperature=how.temperature,
        top_p=how.top_p,
        top_k=how.top_k,
        seed=derive_seed("material", given.seed, question),
        until=end_rule(task, item),
        templated=chat is not None,
    )


def _stop(chat: ChatTemplate | None) -> tuple[str, ...]:
    """As `onset.prompting.ask.Ask.stop`."""
    if chat is None:
        return STOP
    return () if chat.end is None else (chat.end,)


def lengths(task: Task, examples: Sequence[Item], form: Format) -> tuple[float, float, float]:
    """Guessed tokens of a question, of a demonstration, and of what a model writes."""
    question = sum(len(render(task, (), one, rationale=False)) for one in examples) / len(examples)
    written = guessed_chain(task) if form == "rationales" else 8.0
    return question / CHARACTERS_PER_TOKEN, guessed(task, examples, form), written
