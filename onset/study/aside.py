"""What a study asks beside its own tasks, to see what training made a model forget.

    elsewhere: [addition, {name: tickets, train: train.jsonl, test: test.jsonl}]
    text: prose.txt

On a task of ``elsewhere`` no example is granted. Every model, every staged one and every tuned one is asked there
without examples, in the format that the tuned models are asked in (answering at once, where the study tunes none), and
``text`` is scored by all of them (`onset.study.text`), but for tuned models whose settings are searched, of which
`onset.study.notes` tells. What a method that prompts forgets is 0 by construction: it
changes no weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from onset.errors import StudyError
from onset.methods import Method, method
from onset.study.text import TEXT, ReadText, TextEntry, text_task
from onset.tasks import open_tasks
from onset.tasks.base import Task

if TYPE_CHECKING:
    from onset.study.spec import Study


@dataclass(frozen=True, slots=True)
class Aside:
    """One way of asking on ``task``, beside the study's own. ``home``: the task whose examples a tuned model has learnt
    from; None: the model as it is, or after its stages.
    """

    task: str
    method: Method
    labels: int
    seed: int
    home: str | None = None


def open_asides(study: Study, own: Mapping[str, Task]) -> dict[str, Task]:
    """The tasks of ``elsewhere``, and the text, by name. Raises StudyError where one is a task of the study, or appears
    twice, and what loading raises.
    """
    found: dict[str, Task] = {}
    tasks = [task for entry in study.elsewhere for task in open_tasks(entry)]
    for task in (*tasks, *([] if study.text is None else [text_task(read_text(study.text))])):
        if task.name in own:
            raise StudyError(
                f"study: '{task.name}' is in 'tasks' and in 'elsewhere'; what is forgotten is asked on other tasks"
            )
        if task.name in found:
            raise StudyError(f"study: task '{task.name}' appears twice in 'elsewhere'; each may appear once")
        found[task.name] = task
    return found


def read_text(value: str | TextEntry) -> TextEntry:
    """``text`` of a study: a file, or a mapping of settings."""
    return TextEntry(file=value) if isinstance(value, str) else value


def asides_of(study: Study, methods: Sequence[Method], own: Sequence[str], asides: Sequence[str]) -> Iterator[Aside]:
    """Every way of asking on every task beside the study's own: untuned ones first."""
    tuned = [one for one in methods if one.tune is not None and one.search is None]
    plain = [_untuned(one) for one in tuned] or [method(prompt="answer-only", shots=0, name="answer-only")]
    seed = study.seeds[0]
    for task in asides:
        for one in [_reading(None)] if task == TEXT else dict.fromkeys(plain):
            yield Aside(task, one, 0, seed)
    for task in asides:
        for one in tuned:
            for home in own:
                for labels in (count for count in study.labels if count > 0):
                    for number in study.seeds:
                        asked = _reading(one) if task == TEXT else replace(one, shots=0)
                        yield Aside(task, asked, labels, number, home)


def _untuned(tuned: Method) -> Method:
    """The way in which a tuned model is asked, of a model that is not."""
    return method(prompt=tuned.prompt, shots=0, template=tuned.template, name=tuned.prompt.kind)


def _reading(tuned: Method | None) -> Method:
    """A method that reads a text, and keeps how its model is tuned."""
    return method(prompt=ReadText(), name=TEXT) if tuned is None else replace(tuned, prompt=ReadText(), shots=0)
