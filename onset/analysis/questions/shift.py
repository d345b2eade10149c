"""How much does a method lose where the test items differ from the examples?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say


class ShiftLoss(Question):
    """Per shift, task and model: which methods lose, and which of them more than another.

    A loss is a contrast of the clean test set with the shifted one: where the clean side wins, the method loses.
    """

    kind = "shift"
    figure = "shift"
    unit = "points"
    verdicts = tones({"loses": "against", "gains": "for", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[str, str], list[Contrast]] = {}
        for loss in study.contrasts.losses:
            groups.setdefault((loss.shift, loss.task), []).append(loss)
        findings = []
        for (shift, task), losses in groups.items():
            params = max(loss.params for loss in losses)
            labels = max(loss.labels for loss in losses if loss.params == params)
            top = [loss for loss in losses if (loss.params, loss.labels) == (params, labels)]
            for model in dict.fromkeys(loss.model for loss in top):
                of_it = sorted((loss for loss in top if loss.model == model), key=lambda loss: -(loss.gap))
                findings.append(self._finding(study, shift, task, of_it))
        yield from sorted(findings, key=lambda finding: finding.verdict == "undecided")

    def _finding(self, study: Analysis, shift: str, task: str, top: Sequence[Contrast]) -> Finding:
        lost = [loss for loss in top if loss.verdict == "wins"]
        gained = [loss for loss in reversed(top) if loss.verdict == "loses"]
        worst = (lost or gained or top)[0]
        held = {loss.verdict for loss in top}
        verdict = "loses" if "wins" in held else "gains" if "loses" in held else "undecided"
        return self.finding(
            f"{task}, {shift}, {worst.model}", verdict, partial(_sentence, study, worst, top),
            _short(worst, verdict, study.named(task)), estimate=worst.difference,
            interval=worst.interval, n=worst.n, test=worst.test,
        )  # fmt: skip


def _sentence(study: Analysis, worst: Contrast, top: Sequence[Contrast], say: Say) -> str:
    """``top``: losses of the methods, the largest first; ``worst``: the first that is shown, or the largest gain."""
    lose = [loss for loss in top if loss.verdict == "wins"]
    gain = [say.named(loss.method) for loss in top if loss.verdict == "loses"]
    unsettled = [say.named(loss.method) for loss in top if loss.verdict == "undecided"]
    parts = [
        say(
            "{method} loses {points} ({range})", method=say.named(loss.method), points=say.points(loss.gap),
            range=say.point_range(loss.spread),
        )
        for loss in lose[:3]
    ]  # fmt: skip
    less = [say.named(loss.method) for loss in lose[3:]]
    if less:
        parts.append(say("{methods} loses less" if len(less) == 1 else "{methods} lose less", methods=say.listed(less)))
    if gain:
        parts.append(say("{methods} gains" if len(gain) == 1 else "{methods} gain", methods=say.listed(gain)))
    parts += [say("a change is not shown for {methods}", methods=say.listed(unsettled))] if unsettled else []
    between = [
        one
        for one in study.contrasts.loss_differences
        if (one.model, one.task, one.shift, one.labels) == (worst.model, worst.task, worst.shift, worst.labels)
    ]
    decided = [
        say(
            "{a} loses more than {b}" if one.verdict == "wins" else "{a} loses less than {b}",
            a=say.named(one.names[0]), b=say.named(one.names[1]),
        )
        for one in between
        if one.verdict != "undecided"
    ]  # fmt: skip
    if decided:
        parts.append(say("between methods, {said}", said=say.listed(decided)))
    elif between:
        parts.append(say("which method suffers more is undecided"))
    scoped = worst.scope == "these examples" and (lose or gain)
    text = say(
        "under the shift {shift} on {task}, {model} {given}: {scope}{said} ({sample})", shift=say.shift(worst.shift),
        task=say.named_task(worst.task), model=worst.model,
        given=given_words(study, worst.labels, [loss.method for loss in top], worst.task, say),
        scope=say("with these examples ") if scoped else "", said=say.clauses(parts),
        sample=say.sample(worst.n, len(worst.draws)),
    )  # fmt: skip
    return say.text([text])


def _short(worst: Contrast, verdict: str, of: str | None) -> Lines:
    shown = worst.turned() if verdict == "gains" else worst
    return lines.line(
        f"shift.{verdict}",
        of,
        method=lines.method(worst.method),
        shift=lines.shift(worst.shift),
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )
