"""What is asked under a study's shifts: the items, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from onset.errors import DataError
from onset.methods import Method
from onset.records import Item
from onset.shifts.base import AnyShift, Named, Perturbed, Shift, place
from onset.shifts.option_order import OptionOrder
from onset.study.spec import Study
from onset.tasks.base import Task


@dataclass(frozen=True)
class Asked:
    """A ``task`` under a ``shift``: the ``items`` that are asked, in order."""

    task: Task
    shift: AnyShift
    items: tuple[Item, ...]

    @cached_property
    def said(self) -> Any:
        """What shapes prompts and is neither in the items nor in the shift's name, for the ids of cells: the settings
        of a rewrite or a perturbation, and the task's hash where the shift writes it in other words. None: nothing.
        """
        asked = self.shift.asked(self.task)
        other = None if asked is self.task or asked.hash == self.task.hash else asked.hash
        spec = self.shift.identity() if isinstance(self.shift, Shift | Perturbed) else self.shift.kind
        return None if isinstance(spec, str) and other is None else [spec, other]

    def takes(self, method: Method, labels: int) -> bool:
        """Is there something to change for ``method``? Where no demonstration is shown, none can be perturbed, nor can
        the order of one, nor the number of no more than are to stay; where no options are shown, they have no order;
        and a rewrite of the question does not reach what a method says in its place.
        """
        if isinstance(self.shift, OptionOrder):
            return self._shows_options(method)
        if isinstance(self.shift, Shift):
            return not self._says_otherwise(method)
        if not (isinstance(self.shift, Perturbed) and self.shift.needs_demonstrations):
            return True
        if method.tune is not None or not method.prompt.shows or method.shots == 0:
            return False
        if not self.shift.demonstrations:
            return labels > 0
        most = labels if method.shots is None or method.search is not None else min(labels, method.shots)
        places = tuple(Item(str(at), "") for at in range(most))
        return self.shift.demos(places, 0) != places

    def _says_otherwise(self, method: Method) -> bool:
        """Does an item that is rewritten have a statement or a negation in words of its own that the prompt holds?"""
        rewritten = [item for item in self.items if item.id != item.twin]
        said = [(item.meta.get(key), item.question) for item in rewritten for key in method.prompt.instead]
        return any(isinstance(one, str) and one.strip() not in ("", question.strip()) for one, question in said)

    def _shows_options(self, method: Method) -> bool:
        """Does the order of options change the prompt about some item?"""
        clean = {item.id: item for item in self.task.test}

        def prompt(item: Item) -> str:
            return method.prompt.longest(self.task, [], item, None)

        return any(item.twin in clean and prompt(item) != prompt(clean[item.twin]) for item in self.items)

    @property
    def unchanged(self) -> int | None:
        """How many of the items a rewrite left as they were; None where nothing is rewritten."""
        return _unchanged(self.items) if isinstance(self.shift, Shift) else None


def shift_json(shift: AnyShift, items: Sequence[Item]) -> dict[str, Any]:
    """What ``cell.json`` says of a shift beyond its label: its settings, and how many of ``items`` it left as they
    were; nothing of none and of other test sets.
    """
    if not isinstance(shift, Shift | Perturbed):
        return {}
    return {"shift_spec": shift.spec(), **({"unchanged": _unchanged(items)} if isinstance(shift, Shift) else {})}


def clean_twins(task: Task, shift: AnyShift, items: Sequence[Item]) -> Mapping[str, Item]:
    """By the ids of ``items`` under a noise, which leaves all that is so as it was, the items without it."""
    if shift.group != "noise":
        return {}
    held = {item.id: item for item in task.test}
    return {item.id: held[item.twin] for item in items if item.twin in held}


def _unchanged(items: Sequence[Item]) -> int:
    return sum(item.id == item.twin for item in items)


def asked_under(task: Task, named: Named, count: int | str) -> Asked:
    """The first ``count`` items of a fixed random order (by the hash of the clean item), or all of them.

    Raises DataError when the test set holds fewer: a smaller denominator is never silent; where a rewrite finds nothing
    to change in any of them; and as `Named.on` does.
    """
    shift = named.on(task)
    items = sorted(task.test if isinstance(shift, Shift) else shift.items(task), key=place)
    if count != "all" and int(count) > len(items):
        where = task.name if named.label == "none" else f"{task.name} under shift {named.label}"
        raise DataError(
            f"task {where}: {count} test items asked, it has {len(items)}; lower 'items' or write 'items: all'"
        )
    chosen = items if count == "all" else items[: int(count)]
    if not isinstance(shift, Shift):
        return Asked(task, shift, tuple(chosen))
    asked = Asked(task, shift, shift.rewritten(task, chosen))
    if asked.unchanged == len(chosen):
        raise shift.refuse(task, f"it finds nothing to change in any of the {len(chosen)} test items")
    return asked


def shift_notes(study: Study, methods: Sequence[Method], under: Mapping[tuple[str, str], Asked]) -> Iterator[str]:
    """A line on what rewrites left as it was, and on what has no demonstrations to perturb."""
    for (task, label), one in under.items():
        if one.unchanged:
            yield (
                f"task {task}, shift {label}: {one.unchanged} of {len(one.items)} test items have nothing that it"
                " changes and are asked as they are"
            )
    for label in dict.fromkeys(label for (_, label), one in under.items() if isinstance(one.shift, Perturbed)):
        some = next(one for (_, name), one in under.items() if name == label)
        left = [f"{one.name} at {n} labels" for one in methods for n in study.labels if not some.takes(one, n)]
        if left:
            yield f"shift {label}: no demonstrations to change, left out: {', '.join(left)}"
    for (task, label), one in under.items():
        blind = [each.name for each in methods if isinstance(one.shift, OptionOrder) and not one.takes(each, 0)]
        if blind:
            yield f"task {task}, shift {label}: the prompt shows no options, left out: {', '.join(blind)}"
        rewrite = isinstance(one.shift, Shift) and not isinstance(one.shift, OptionOrder)
        clean = [each.name for each in methods if rewrite and not one.takes(each, 0)]
        if clean:
            yield (
                f"task {task}, shift {label}: statements and negations in words of their own are not rewritten with the"
                f" question, left out: {', '.join(clean)}"
            )
