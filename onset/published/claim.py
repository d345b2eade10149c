"""A claim as data and check: a statement, the figures it rests on, and a function that decides it from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.words import listed
from onset.published.judge import UNDECIDABLE, Part, Rule, Verdict, verdict
from onset.published.numbers import Figures, Rows

SHOWN = {"holds": 2, "fails": 3, "undecided": 2}
"""How many parts of a state a sentence spells out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: the verdict, the parts it counts, and one sentence."""

    verdict: Verdict
    parts: tuple[Part, ...]
    sentence: str

    def count(self, state: str) -> int:
        """How many parts are in ``state``."""
        return sum(part.state == state for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of the essay.

    ``id``: a stable slug; ``number``: its place in the list, ``14a`` and ``14b`` where one place holds two claims;
    ``statement``: in our words; ``rows``: the figures it rests on; ``statistic``: what is computed of them; ``unit``:
    what its parts are called; ``rule``: whether every part has to hold or most (`statistics.verdict`); ``parts``: the
    check; ``note``: what the sentence adds from the same figures.

    ``parts`` gets every figure that ``rows`` asks for and must cope with any of them missing: such a part is undecided.
    """

    id: str
    number: str
    statement: str
    rows: tuple[Rows, ...]
    statistic: str
    unit: str
    rule: Rule
    parts: Callable[[Figures], Sequence[Part]]
    note: Callable[[Figures], str] = lambda _: ""

    def figures(self, held: Figures) -> Figures:
        """Those of ``held`` that the claim rests on."""
        return held.any_of(self.rows)

    def judge(self, held: Figures) -> Outcome:
        """Decide the claim from the figures held."""
        figures = self.figures(held)
        if not figures:
            return Outcome(UNDECIDABLE, (), "None of the figures that it rests on is held.")
        parts = tuple(self.parts(figures))
        return Outcome(verdict(parts, self.rule), parts, self._sentence(parts, figures))

    def to_json(self, held: Figures) -> dict[str, Any]:
        """The claim with the stable keys of ``onset claims --json``."""
        outcome = self.judge(held)
        return {
            "id": self.id,
            "statement": self.statement,
            "verdict": outcome.verdict,
            "statistic": {
                "name": self.statistic,
                "rule": self.rule,
                "unit": self.unit,
                "holds": outcome.count("holds"),
                "fails": outcome.count("fails"),
                "undecided": outcome.count("undecided"),
                "parts": [
                    {
                        "part": part.name,
                        "state": part.state,
                        "estimate": part.estimate,
                        "interval": part.interval,
                        "words": part.words,
                    }
                    for part in outcome.parts
                ],
            },
            "figures": [figure.to_json() for figure in self.figures(held)],
            "sentence": outcome.sentence,
        }

    def _sentence(self, parts: Sequence[Part], figures: Figures) -> str:
        groups = {state: [part for part in parts if part.state == state] for state in SHOWN}
        counts = {state: len(group) for state, group in groups.items()}
        openings = {
            "holds": f"It holds for {counts['holds']} of {len(parts)} {self.unit}",
            "fails": f"it fails for {counts['fails']}",
            "undecided": f"{counts['undecided']} cannot be decided",
        }
        said = [f"{openings[state]}: {_spelled(group, SHOWN[state])}" for state, group in groups.items() if group]
        if counts["undecided"] == len(parts):
            said = [f"None of {len(parts)} {self.unit} can be decided: {_spelled(parts, SHOWN['undecided'])}"]
        elif not counts["holds"]:
            said.insert(0, openings["holds"])
        alone = sum(part.state != "undecided" and part.interval is None and part.estimate is not None for part in parts)
        if alone:
            said.append(f"{alone} rest on values without an interval, as no number of items is stated")
        note = self.note(figures)
        return "; ".join([*said, note] if note else said) + "."


def _spelled(parts: Sequence[Part], most: int) -> str:
    shown = [f"{part.name} ({part.brief or part.words})" for part in parts[:most]]
    return listed([*shown, f"{len(parts) - most} more"] if len(parts) > most else shown)
