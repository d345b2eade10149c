"""What a person should know of a study before it runs: what is left out and why, and what examples lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from onset.methods import Method
from onset.study.searched import blind, greedy
from onset.study.spec import Study
from onset.tasks.base import Task


def notes_of(
    study: Study, tasks: Mapping[str, Task], methods: Sequence[Method], asides: Mapping[str, Task]
) -> tuple[str, ...]:
    """A line each. ``asides``: what is asked beside the study's own ``tasks``."""
    notes = []
    if 0 in study.labels:
        left_out = [one.name for one in methods if one.tune]
        if left_out:
            notes.append(f"0 labels: nothing to tune on, left out: {', '.join(left_out)}")
        notes += blind(methods)
        if len(study.seeds) > 1 and greedy(methods):
            notes.append(f"0 labels, greedy: every seed gives the same answers, run once (seed {study.seeds[0]})")
    searched = [one.name for one in methods if one.tune is not None and one.search is not None]
    if searched and (study.elsewhere or study.text is not None):
        notes.append(f"not asked elsewhere, since their settings are searched: {', '.join(searched)}")
    needing = [one.name for one in methods if one.rationales]
    recipes = {recipe.name: recipe for stage in study.build_stages() for recipe in stage}
    for task in tasks.values():
        notes += [f"task {task.name}: {note}" for note in task.notes]
        notes += [note for recipe in recipes.values() if (note := recipe.known(task.name, task.pool))]
        notes += _untold(study, task, methods)
        explained = sum(1 for item in task.pool if item.rationale)
        short = [labels for labels in study.labels if needing and labels > explained]
        if short:
            budgets = ", ".join(map(str, short))
            notes.append(
                f"task {task.name}: {explained} labelled examples have a rationale; {', '.join(needing)} use no more"
                f" than these at {budgets} labels"
            )
        if len(study.seeds) > 1 and 0 < explained < len(task.pool) and any(0 < n <= explained for n in study.labels):
            notes.append(
                f"task {task.name}: the {explained} examples with a rationale come first in every draw; at so few"
                " labels, seeds differ in the order or choice of these alone"
            )
    for task, recipe in product(asides.values(), recipes.values()):
        if held := recipe.step.holds([item.question for item in task.pool]):
            notes.append(
                f"stage {recipe.name} has {len(held)} of the {len(task.pool)} labelled examples of task {task.name} in"
                " its training, which is asked elsewhere: what is lost or gained there is no other task's"
            )
    return tuple(notes)


def unnamed(study: Study) -> list[str]:
    """The recipes that no stage of any part names."""
    named = {name for part in study.grids() for stage in part.stages for name in stage}
    return [
        f"recipe {name}: no stage of 'stages' names it, so nothing is trained on it and its data are not read"
        for name in study.recipes
        if name not in named
    ]


def _untold(study: Study, task: Task, methods: Sequence[Method]) -> list[str]:
    """Budgets that hold fewer of a task's new facts than are asked about (`onset.tasks.world_new_facts`)."""
    facts = max((int(item.meta["facts"]) for item in task.test if "facts" in item.meta), default=0)
    few = [str(labels) for labels in study.labels if 0 < labels < facts]
    if not few or any(item.context for item in task.test) or not any(one.tune for one in methods):
        return []
    return [
        f"task {task.name}: {', '.join(few)} labelled examples tell fewer than its {facts} facts; a model tuned on them"
        f" cannot know the others, and facts in weights are compared with facts in a passage at {facts} labels alone"
    ]
