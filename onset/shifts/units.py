"""Other units of measure and another currency: the numbers stay, and so does the answer.

Each pound costs $3.  ->  Each kilogram costs €3.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, ClassVar

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.swapping import swapped
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
_MONEY = ("euro", "euros", "€", "exchange", "currency", "quarters", "dimes", "nickels", "yen", "pesos")


class OtherUnits(Shift):
    """Kilometres for miles, kilograms for pounds, euros for dollars ...: a unit stays where the item has another one
    that it is converted to, or that it could be.
    """

    kind: ClassVar[str] = "other-units"
    source: ClassVar[str] = "after Mirzadeh et al. 2024, arXiv 2410.05229"
    group: ClassVar[Group] = "domain"
    example: ClassVar[Any] = "A pound of nuts costs $3. How much do 4 pounds cost?"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item in other units."""
        text = f"{item.question}\n{item.context or ''}"
        present = {one.casefold() for one in re.findall(r"[A-Za-z]+|[€£$]", text)} | kept_words(item)
        words: dict[str, str] = {}
        for units, beside in _UNITS:
            if not present & ({*beside, *units.values()} - units.keys()):
                words |= units
        made = swapped(item, words)
        return _in_euros(made) if not present & {*_MONEY} else made


def _in_euros(item: Item) -> Item:
    made = swapped(item, {"dollars": "euros", "dollar": "euro"})

    def change(text: str) -> str:
        return re.sub(r"\$ ?(?=\d)", "€", text)

    return replace(
        made,
        question=change(made.question),
        context=None if made.context is None else change(made.context),
        rationale=None if made.rationale is None else change(made.rationale),
    )
