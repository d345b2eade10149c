"""Who is better under a shift where on clean items neither is shown to be?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.shift_wins import ShiftWin
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, of_largest, of_one_model, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say


class WinUnderShift(Question):
    """Per task and shift, at the largest model and budget at which there is one: of all pairs of methods that differ
    under the shift alone, tuned ones against prompts before others, the one whose winner is most accurate there.
    """

    kind = "win under shift"
    figure = "shift"
    unit = "points"
    wait = 1
    verdicts = tones({"wins": "for"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        tuned = {arm.method for arm in study.arms if arm.tuned}
        groups: dict[tuple[str, str], list[ShiftWin]] = {}
        for one in study.robustness.wins:
            groups.setdefault((one.task, one.shift), []).append(one)
        for (task, shift), group in groups.items():
            here = of_largest(group)
            top = max(here, key=lambda one: (len(tuned & {*one.sides}) == 1, *_levels(one)))
            shown = top.lead.shifted
            yield self.finding(
                f"{task}, {shift}, {' and '.join(top.sides)}, {top.model}", "wins",
                partial(_sentence, study, top, [one for one in of_one_model(top, here) if one is not top]),
                lines.line(
                    "win under shift.wins", study.named(task), a=lines.method(top.sides[0]),
                    b=lines.method(top.sides[1]), shift=lines.shift(shift), points=lines.points(shown.gap),
                    range=lines.share_range(shown.spread),
                ),
                estimate=shown.difference, interval=shown.interval, n=shown.n,
                test=f"{shown.test}; p adjusted by Holm over all shifts",
            )  # fmt: skip


def _levels(one: ShiftWin) -> tuple[float, float]:
    """Accuracies of winner and loser under the shift."""
    winner, loser = one.lead.shifted.levels
    return winner or 0.0, loser or 0.0


def _clean_p(clean: Contrast) -> float | None:
    """Of what is said of it: of equivalence, or of a difference."""
    decided = clean.decided
    return decided.p_equivalent if clean.verdict == "equivalent" and decided else clean.p_adjusted


def _sentence(study: Analysis, one: ShiftWin, others: Sequence[ShiftWin], say: Say) -> str:
    """Both differences, each with its p, and what the shift is shown to change; ``others``: further such pairs."""
    a, b = one.sides
    clean, shifted, change = one.lead.clean, one.lead.shifted, one.lead.change
    head = say(
        "under the shift {shift} on {task}, {model} {given}: {a} is better than {b}, by {points} ({range}; p {p},"
        " corrected for {comparisons} of methods under {shifts}; {sample})",
        shift=say.shift(one.shift), task=say.named_task(one.task), model=one.model,
        given=given_words(study, one.labels, one.sides, one.task, say), a=say.named(a), b=say.named(b),
        points=say.points(shifted.gap), range=say.point_range(shifted.spread), p=say.probability(one.p_shifts),
        comparisons=say.counted("comparison", one.compared), shifts=say.counted("shift", one.shifts),
        sample=say.sample(shifted.n, len(shifted.draws)),
    )  # fmt: skip
    before = say(
        "on clean items the two are equivalent within the margin ({points}; {range}; p {p}, corrected)"
        if clean.verdict == "equivalent"
        else "on clean items that is not shown ({points}; {range}; p {p}, corrected)",
        points=say.points(clean.gap), range=say.point_range(clean.spread), p=say.probability(_clean_p(clean)),
    )  # fmt: skip
    moved = say(
        "that the shift widens the lead is shown too ({points}; {range})"
        if change.verdict == "wins"
        else "whether the shift itself changes the difference is not shown ({points}; {range})",
        points=say.points(change.gap), range=say.point_range(change.spread),
    )  # fmt: skip
    more = ""
    if others:
        pairs = say.first(others, 3, lambda each: say("{a} over {b}", a=say.named(each.sides[0]),
                                                      b=say.named(each.sides[1])))  # fmt: skip
        more = say("the same holds for {pairs}", pairs=say.listed(pairs))
    return say.text([head, before, moved, more])
