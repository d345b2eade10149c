"""Is it told apart at all? Methods stuck on one label, and tasks where none beats the most frequent one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.classification import Classified
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.say import Say


class Stuck(Question):
    """Methods that nearly always answer one label."""

    kind = "warning"
    unit = "share"
    verdicts = tones({"one label": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        stuck = sorted((one for one in study.classes.arms if one.said.stuck), key=lambda one: -one.said.top_share)
        if not stuck:
            return
        worst = stuck[0]
        share_given = words.percent(worst.said.top_share)
        short = lines.line("one label.one label", worst.task, method=lines.method(worst.method), share=share_given)
        yield self.finding(
            "labels",
            "one label",
            partial(_stuck, stuck, len(study.classes.arms)),
            short,
            estimate=worst.said.top_share,
            n=len(stuck),
        )


class Majority(Question):
    """Tasks on which nothing is shown to beat always answering the most frequent label."""

    kind = "warning"
    unit = "points"
    verdicts = tones({"majority baseline": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        places: dict[tuple[str, str], list[Classified]] = {}
        for one in study.classes.arms:
            places.setdefault((one.task, one.shift), []).append(one)
        for (task, _), group in places.items():
            if any(one.lead_interval[0] > 0 for one in group):
                continue
            best = max(group, key=lambda one: one.lead)
            yield self.finding(
                f"{task}, majority", "majority baseline", partial(_majority, group, best),
                lines.line("majority.majority baseline", task, share=words.percent(best.said.majority)),
                estimate=best.lead, interval=best.lead_interval,
                n=best.said.n, test="paired with a constant answer",
            )  # fmt: skip


def _stuck(stuck: Sequence[Classified], settings: int, say: Say) -> str:
    """``stuck``: the worst first, of so many ``settings``."""
    worst = stuck[0]
    outputs = sum(map(sum, worst.said.counts))
    share = worst.said.gold[worst.said.classes.index(worst.said.top or "")] / worst.said.n
    text = say(
        'One label nearly always: {method} {given} for {model} answers "{label}" in {count} of {outputs} on {task}'
        " (right for {share} of its items)",
        method=say.named(worst.method), given=say.with_labels(worst.labels), model=worst.model,
        label=worst.said.top or "", count=round(worst.said.top_share * outputs),
        outputs=say.counted("output", outputs), task=say.named_task(worst.task), share=words.percent(share),
    )  # fmt: skip
    if len(stuck) > 1:
        text += say(
            ", and in {count} more of {settings} with labels one label is given to nine in ten items or more",
            count=len(stuck) - 1, settings=say.counted("setting", settings),
        )  # fmt: skip
    says = say("its accuracy says how frequent that label is, not what the method can tell apart")
    return say.text([say.clauses([text, says])])


def _majority(group: Sequence[Classified], best: Classified, say: Say) -> str:
    """``group``: everything on a task, the ``best`` of it with the largest lead."""
    task = say.named_task(best.task)
    text = say(
        'No better than one label: always answering "{label}" is right on {share} of the test items of {where}, and'
        " none of {settings} is shown to do better (best: {method} {given} for {model}, {points} above it, {range})"
        if best.lead >= 0
        else 'No better than one label: always answering "{label}" is right on {share} of the test items of {where},'
        " and none of {settings} is shown to do better (best: {method} {given} for {model}, {points} below it,"
        " {range})",
        label=best.said.classes[0], share=words.percent(best.said.majority),
        where=task
        if best.shift == "none"
        else say("{task} under the shift {shift}", task=task, shift=say.shift(best.shift)),
        settings=say.counted("setting", len(group)), method=say.named(best.method),
        given=say.with_labels(best.labels), model=best.model, points=say.points(abs(best.lead)),
        range=say.point_range(best.lead_interval),
    )  # fmt: skip
    return say.text([text])
