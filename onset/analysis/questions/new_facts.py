"""Is a fact that was learnt in weights as usable as one that stands in context?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.new_facts import Placement, probes
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.lines import Word
from onset.analysis.questions.say import Say


class FactsInWeights(Question):
    """Of the largest model: the probe on which weights and context differ most clearly, and what the others say."""

    kind = "facts in weights"
    figure = "facts in weights"
    unit = "points"
    verdicts = tones({"context": "against", "weights": "for", "equivalent": "level", "undecided": "open"})
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        if not study.placements:
            return
        size = max(one.params for one in study.placements)
        here = [one for one in study.placements if one.params == size]
        told = min(here, key=lambda one: 1.0 if one.contrast.p is None else one.contrast.p)
        one = told.contrast
        verdict = {"wins": "weights", "loses": "context"}.get(one.verdict, one.verdict)
        yield self.finding(
            f"{told.task}, {told.model}", verdict, partial(_sentence, here),
            lines.line(
                f"facts in weights.{verdict}", None, probe=_probe(told.probe),
                weights=words.percent(one.levels[0] or 0.0), context=words.percent(one.levels[1] or 0.0),
                points=lines.points(one.difference or 0.0), range=lines.share_range(one.interval),
            ),
            estimate=one.difference, interval=one.interval, n=one.n, test=f"{one.test}; p adjusted by Holm",
        )  # fmt: skip


def _probe(name: str) -> Word:
    """How a fact was asked about, in a language."""
    return lambda language: Say(language)(PROBES.get(name, name))


def _sentence(here: Sequence[Placement], say: Say) -> str:
    """A clause a probe and pair of methods."""
    head = say("new facts in weights against the same in context, {model}", model=here[0].model)
    parts = []
    for probe in probes(here):
        for placement in (one for one in here if one.probe == probe):
            one = placement.contrast
            parts.append(
                say(
                    "{probe}: {weights} with {a}, {context} with {b}, {points} ({range}, p {p}; {verdict}; {sample})",
                    probe=say(PROBES.get(probe, probe)), weights=words.percent(one.levels[0] or 0.0),
                    context=words.percent(one.levels[1] or 0.0), a=say.named(one.names[0]), b=say.named(one.names[1]),
                    points=say.points(one.difference or 0.0), range=say.point_range(one.interval or (0.0, 0.0)),
                    p=say.probability(one.p_adjusted), verdict=say(_SAID[one.verdict]),
                    sample=say.sample(one.n, len(one.draws)),
                )
            )  # fmt: skip
    return say.text([say("{where}: {said}", where=head, said=say.clauses(parts))])


PROBES = {"direct": "asked directly", "reversed": "asked in reverse", "syllogism": "asked by syllogism"}
"""Names of probes."""
_SAID = {
    "wins": "weights are better",
    "loses": "context is better",
    "equivalent": "equivalent within the margin",
    "undecided": "undecided",
}
