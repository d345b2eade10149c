"""How much does a method lose where the test items differ from the examples?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.lines import Lines


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
        worst = next((loss for loss in top if loss.verdict == "wins"), top[0])
        lose = [loss for loss in top if loss.verdict == "wins"]
        gain = [loss.method for loss in top if loss.verdict == "loses"]
        unsettled = [loss.method for loss in top if loss.verdict == "undecided"]
        parts = [
            f"{loss.method} loses {words.points(loss.gap)} ({words.point_range(loss.spread)})" for loss in lose[:3]
        ]
        parts += [f"{words.listed([loss.method for loss in lose[3:]])} lose less"] if lose[3:] else []
        parts += [f"{words.listed(gain)} gain{'s' if len(gain) == 1 else ''}"] if gain else []
        parts += [f"a change is not shown for {words.listed(unsettled)}"] if unsettled else []
        between = [
            one
            for one in study.contrasts.loss_differences
            if (one.model, one.task, one.shift, one.labels) == (worst.model, task, shift, worst.labels)
        ]
        decided = [
            f"{one.names[0]} loses {'more' if one.verdict == 'wins' else 'less'} than {one.names[1]}"
            for one in between
            if one.verdict != "undecided"
        ]
        if decided:
            parts.append(f"between methods, {words.listed(decided)}")
        elif between:
            parts.append("which method suffers more is undecided")
        verdict = "loses" if lose else "gains" if gain else "undecided"
        scope = "with these examples " if worst.scope == "these examples" and (lose or gain) else ""
        given = study.given(worst.labels, [loss.method for loss in top], task)
        text = f"Under the shift {shift} on {task}, {worst.model} {given}: {scope}"
        text += "; ".join(parts)
        size = words.sample(worst.n, len(worst.draws))
        return self.finding(
            f"{task}, {shift}, {worst.model}", verdict, f"{text} ({size}).", _short(worst, verdict, study.named(task)),
            estimate=worst.difference,
            interval=worst.interval, n=worst.n, test=worst.test,
        )  # fmt: skip


def _short(worst: Contrast, verdict: str, of: str | None) -> Lines:
    shown = worst.turned() if verdict == "gains" else worst
    return lines.line(
        f"shift.{verdict}",
        of,
        method=lines.method(worst.method),
        shift=worst.shift,
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )
