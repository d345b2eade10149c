"""Is it told apart at all? Methods stuck on one label, and tasks where none beats the most frequent one."""

from __future__ import annotations

from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.classification import Classified
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones


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
        outputs = sum(map(sum, worst.said.counts))
        share = worst.said.gold[worst.said.classes.index(worst.said.top or "")] / worst.said.n
        text = f"One label nearly always: {worst.method} {words.with_labels(worst.labels)} for {worst.model} answers"
        given = round(worst.said.top_share * outputs)
        text += f' "{worst.said.top}" in {given} of {words.counted(outputs, "output")} on {worst.task}'
        text += f" (right for {words.percent(share)} of its items)"
        if len(stuck) > 1:
            text += f", and in {len(stuck) - 1} more of {words.counted(len(study.classes.arms), 'setting')} with labels"
            text += " one label is given to nine in ten items or more"
        text += "; its accuracy says how frequent that label is, not what the method can tell apart"
        share_given = words.percent(worst.said.top_share)
        short = lines.line("one label.one label", worst.task, method=lines.method(worst.method), share=share_given)
        yield self.finding("labels", "one label", f"{text}.", short, estimate=worst.said.top_share, n=len(stuck))


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
        for (task, shift), group in places.items():
            if any(one.lead_interval[0] > 0 for one in group):
                continue
            best = max(group, key=lambda one: one.lead)
            where = task if shift == "none" else f"{task} under the shift {shift}"
            text = (
                f'No better than one label: always answering "{best.said.classes[0]}" is right on'
                f" {words.percent(best.said.majority)} of the test items of {where}, and none of"
                f" {words.counted(len(group), 'setting')} is shown to do better (best: {best.method}"
                f" {words.with_labels(best.labels)} for {best.model}, {words.points(abs(best.lead))}"
                f" {'above' if best.lead >= 0 else 'below'} it,"
                f" {words.point_range(best.lead_interval)})."
            )
            yield self.finding(
                f"{task}, majority", "majority baseline", text,
                lines.line("majority.majority baseline", task, share=words.percent(best.said.majority)),
                estimate=best.lead, interval=best.lead_interval,
                n=best.said.n, test="paired with a constant answer",
            )  # fmt: skip
