"""Findings for the page, each with its words, its small picture and the figure it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onset.analysis.phrases import Language, phrase
from onset.analysis.questions.say import Say
from onset.analysis.words import difference_name, said
from onset.report.bars import difference_bar, place_bar, ratio_bar, reach_of_bars, share_bar
from onset.report.words import signed

_CLASSES = {"for": "wins", "against": "loses", "level": "equivalent", "open": "undecided", "warning": "warning"}
"""Tone of a finding -> its class in the page."""

RATIO_REACH = 100
"""Ratios are drawn from a hundredth to a hundred times."""

_TURNED = {("prompt or tune", "prompting"), *(("shift", verdict) for verdict in ("loses", "gains", "undecided"))}
"""Kind and verdict of findings whose line says the other side of their estimate first: prompting over tuning, and what
a method has after a shift over what it has before. Their picture is mirrored, so that right is better in every picture.
"""


class Lines:
    """Findings of ``onset show --json`` as the template wants them."""

    def __init__(self, shown: Mapping[str, Any], drawn: Mapping[str, str], language: Language) -> None:
        """``drawn``: name -> title of the figures in the page."""
        self._drawn, self._language, self._say = drawn, language, Say(language)
        self._sizes = sorted({cell["params"] for cell in shown["cells"] if cell["params"]})
        known = [
            one for one in shown["findings"] if one["unit"] == "points" and None not in (one["interval"] or (None,))
        ]
        self.reach = reach_of_bars(known)

    def of(self, finding: Mapping[str, Any]) -> dict[str, Any]:
        """The finding's fields, and ``tone`` (a class), ``badge``, ``about``, ``picture``, ``facts``, ``figure``."""
        kind, name = finding["kind"], finding["figure"]
        tone = _CLASSES[finding["tone"]]
        return {
            **finding,
            "tone": tone,
            "badge": said(kind, finding["verdict"], self._language),
            "about": phrase(f"label.kind.{kind}", self._language),
            "picture": self._picture(finding, tone),
            "facts": self._facts(finding),
            "figure": {"name": name, "title": self._drawn[name]} if name in self._drawn else None,
        }

    def _picture(self, finding: Mapping[str, Any], tone: str) -> Markup:
        """Nothing where there is no interval, or no scale for its unit."""
        value, interval, unit, say = finding["estimate"], finding["interval"], finding["unit"], self._say
        if interval is None or (value is None and unit != "parameters"):
            return Markup("")
        if unit == "parameters" and len(self._sizes) > 1:
            return place_bar(value, interval, self._sizes, tone, say=say, scaled=True)
        if unit == "points" and None not in interval:
            value, interval = _as_said(finding)
            name = self._difference(finding) or ""
            return difference_bar(value, interval, self.reach, tone, say=say, name=name, scaled=True)
        if unit == "ratio" and value:
            return ratio_bar(value, interval, RATIO_REACH, tone, say=say, scaled=True)
        if unit == "share" and None not in interval:
            return share_bar(value, interval, None, f"var(--{tone})", say=say, width=160, scaled=True)
        return Markup("")

    def _difference(self, finding: Mapping[str, Any]) -> str | None:
        """What its difference is of, on the side that its line says first."""
        return difference_name(finding["kind"], self._language, finding["verdict"])

    def _facts(self, finding: Mapping[str, Any]) -> list[str]:
        name = self._difference(finding)
        drawn = name and finding["unit"] == "points" and finding["estimate"] is not None
        held = [self._say("{name}: {said}", name=name, said=signed(_as_said(finding)[0]))] if name and drawn else []
        held += [self._say.told(finding["test"])] if finding["test"] else []
        return held + ([f"n = {finding['n']}"] if finding["test"] and finding["n"] else [])


def _as_said(finding: Mapping[str, Any]) -> tuple[float, Sequence[float]]:
    """Estimate and interval on the side that the line says first."""
    value, interval = finding["estimate"], finding["interval"] or ()
    if (finding["kind"], finding["verdict"]) not in _TURNED:
        return value, interval
    return -value, [-end for end in reversed(interval)]
