"""Other units of measure and another currency: the numbers stay, and so does the answer.

Each pound costs $3.  ->  Each kilogram costs €3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.swapping import check_told, swapped
from onset.shifts.text import kept_words
from onset.tasks.base import Task

_LENGTHS = (
    "feet",
    "foot",
    "yards",
    "yard",
    "inches",
    "inch",
    "miles",
    "mile",
    "meters",
    "metres",
    "cm",
    "km",
    "kilometers",
)
_WEIGHTS = ("ounces", "ounce", "pounds", "pound", "tons", "ton", "grams", "gram", "kg")
_VOLUMES = ("gallons", "gallon", "quarts", "quart", "pints", "pint", "cups", "cup", "ounces", "ounce", "liters")
_UNITS: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"miles": "kilometres", "mile": "kilometre", "mph": "km/h"}, (*_LENGTHS, "acres", "acre")),
    ({"feet": "metres", "foot": "metre"}, (*_LENGTHS, "legs", "toes", "hands")),
    ({"inches": "centimetres", "inch": "centimetre"}, _LENGTHS),
    ({"pounds": "kilograms", "pound": "kilogram"}, (*_WEIGHTS, "£", "sterling", "pence")),
    ({"ounces": "grams", "ounce": "gram"}, (*_WEIGHTS, *_VOLUMES, "fluid")),
    ({"gallons": "litres", "gallon": "litre"}, _VOLUMES),
    ({"acres": "hectares", "acre": "hectare"}, (*_LENGTHS, "square")),
)
"""Units and what stands in their place, and the words beside which one cannot be taken for the other: those of a
conversion, and those that mean something else."""
_SHORT = {"miles": "mi|mph", "feet": "ft", "inches": "inch", "pounds": "lbs?", "ounces": "oz", "gallons": "gal"}
"""How else a unit may be written; where one is left beside its new name, the item would have two units of one thing."""
_MONEY = ("euro", "euros", "€", "exchange", "currency", "quarters", "dimes", "nickels", "yen", "pesos")
_DOLLARS = r"dollars?|\$"


class OtherUnits(Shift):
    """Kilometres for miles, kilograms for pounds, euros for dollars ...: a unit stays where the item has another one
    that it is converted to, or that it could be, and where a right answer or a choice has it; an item in which it would
    change in one place alone stays as it is.
    """

    kind: ClassVar[str] = "other-units"
    source: ClassVar[str] = "after Mirzadeh et al. 2024, arXiv 2410.05229"
    group: ClassVar[Group] = "domain"
    example: ClassVar[Any] = "A pound of nuts costs $3. How much do 4 pounds cost?"

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task that asks for knowledge without a context."""
        check_told(self, task)

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item in other units."""
        text = f"{item.question}\n{item.context or ''}"
        present = {one.casefold() for one in re.findall(r"[A-Za-z]+|[€£$]", text)} | kept_words(item)
        answers = "\n".join((*item.golds, *(item.choices or ())))
        words: dict[str, str] = {}
        for units, beside in _UNITS:
            met = present & ({*beside, *units.values()} - units.keys())
            if not met and not re.search(_old(units), answers, re.IGNORECASE):
                words |= units | _with_articles(units)
        made = swapped(item, words)
        if not present & {*_MONEY} and not re.search(_DOLLARS, answers, re.IGNORECASE):
            made = _in_euros(made)
        return item if _mixed(text, f"{made.question}\n{made.context or ''}") else made


def _with_articles(units: Mapping[str, str]) -> dict[str, str]:
    """``an ounce`` -> ``a gram``: no new unit begins with a vowel."""
    articles = {"an": "a", "An": "A"}
    return {f"{an} {old}": f"{a} {new}" for an, a in articles.items() for old, new in units.items() if old[0] in "aio"}


def _old(units: dict[str, str]) -> str:
    """The pattern of these units as they are written before, in short too."""
    names = "|".join([*units, _SHORT.get(next(iter(units)), "")]).strip("|")
    return rf"(?<![A-Za-z])(?:{names})(?![A-Za-z])"


def _mixed(before: str, after: str) -> bool:
    """Is a unit written in the old way somewhere, hyphenated, short or with a capital, and elsewhere in the new one?"""
    pairs = [(_old(units), "|".join(units.values())) for units, _ in _UNITS]
    return any(
        len(re.findall(new, after)) > len(re.findall(new, before)) and re.search(old, after, re.IGNORECASE)
        for old, new in [*pairs, (_DOLLARS, "euros?|€")]
    )


def _in_euros(item: Item) -> Item:
    made = swapped(item, {"dollars": "euros", "dollar": "euro"})

    def change(text: str) -> str:
        return re.sub(r"\$ ?(?=\.?\d)", "€", text)

    return replace(
        made,
        question=change(made.question),
        context=None if made.context is None else change(made.context),
        rationale=None if made.rationale is None else change(made.rationale),
    )
