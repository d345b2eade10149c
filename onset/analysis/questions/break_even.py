"""From how many labelled examples on does tuning beat prompting?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from onset.analysis.curves.break_even import Place
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.label_breaks import LabelBreak, Priced
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.say import Say
from onset.analysis.stats.adjust import ALPHA


class LabelsNeeded(Question):
    """Per task: the tuned and the prompted method of the largest model that do best at its largest budget.

    The best of several pairs is ahead by chance more often than one pair named before: that one is ahead or behind at
    the largest budget counts as shown where its p, times the pairs it was picked from (Bonferroni), is at most 5 %.
    """

    kind = "break-even labels"
    figure = "labels"
    unit = "labels"
    verdicts = tones(
        {"reached": "for", "throughout": "for", "not reached": "against", "lost again": "open", "undecided": "open"}
    )
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        clean = [one for one in study.labels.breaks if one.shift == "none"]
        for task in dict.fromkeys(one.task for one in clean):
            here = [one for one in clean if one.task == task]
            most = max((pair.params, pair.leads[-1].labels) for pair in here)
            among = [pair for pair in here if (pair.params, pair.leads[-1].labels) == most]
            one = max(among, key=lambda pair: _reach(study, pair))
            yield self._found(study, _shown(one, len(among)), len(among))

    def _found(self, study: Analysis, one: LabelBreak, among: int) -> Finding:
        place, verdict = one.mean, one.mean.verdict
        low, high = place.interval
        at = place.at if verdict == "reached" else None
        shown = {"reached": at or high, "throughout": high, "not reached": low}.get(verdict)
        line = (
            "break-even labels.reached.bound" if verdict == "reached" and at is None else f"break-even labels.{verdict}"
        )
        return self.finding(
            f"{one.task}, {one.model}", verdict, partial(_sentence, one, among),
            lines.line(
                line, study.named(one.task), tuned=lines.method(one.tuned), prompted=lines.method(one.prompted),
                labels=_number(shown or one.leads[-1].labels), range=lines.label_range(place.interval),
            ),
            estimate=at, interval=None if at is None else place.interval, n=one.n,
            test="crossing of the lead in log labels; interval: where that of the lead holds 0",
        )  # fmt: skip


_DECIDED = ("reached", "throughout", "not reached")


def _shown(one: LabelBreak, among: int) -> LabelBreak:
    """As far as it is shown of a pair that was picked from so many: else undecided, with the estimates alone."""
    if one.mean.verdict not in _DECIDED:
        return one
    if one.p is not None and one.p * among <= ALPHA:
        return one
    places = (one.mean, one.counted)
    mean, counted = (place and Place("undecided", place.at, (None, None)) for place in places)
    return replace(one, mean=mean or one.mean, counted=counted, priced=())


def _reach(study: Analysis, pair: LabelBreak) -> float:
    """Both accuracies at the largest budget that the pair shares."""
    of = {(arm.method, arm.labels): arm.accuracy for arm in study.arms if arm.at.without("method", "labels") == pair.at}
    last = pair.leads[-1].labels
    return sum(of.get((method, last), 0.0) for method in (pair.tuned, pair.prompted))


def _number(labels: float) -> str:
    return f"{labels:.0f}"


def _sentence(one: LabelBreak, among: int, say: Say) -> str:
    said = say(
        "Labels needed on {task}, {model} ({sample}): {said}",
        task=say.named_task(one.task), model=one.model, sample=say.sample(one.n, one.draws),
        said=say("on the mean over draws {said}", said=break_even_words(one, one.mean, say))
        if one.draws > 1
        else break_even_words(one, one.mean, say),
    )  # fmt: skip
    parts = [said]
    if one.counted is not None:
        deviation = say("the mean lead less one standard deviation between draws")
        parts.append(
            say(
                "for one draw of your own ({deviation}), {said}",
                deviation=deviation, said=break_even_words(one, one.counted, say),
            )
        )  # fmt: skip
    if one.priced:
        parts.append(say("in what annotation costs, in answers: {said}", said=_prices(one.priced, say)))
    if among > 1:
        parts.append(
            say(
                "they were picked as the best of {count} pairs: that one is ahead on the mean, or behind, is corrected"
                " for this, the ranges and what is said of one draw are of this pair alone"
                if one.mean.verdict in _DECIDED
                else "they were picked as the best of {count} pairs, and the ranges are of this pair alone",
                count=among,
            )
        )
    return say.text(parts)


def break_even_words(one: LabelBreak, place: Place, say: Say) -> str:
    """From which number of labels on, or that it is not reached or not shown."""
    sides = {"tuned": say.named(one.tuned), "prompted": say.named(one.prompted)}
    low, high = place.interval
    last = one.leads[-1].labels
    if place.verdict == "reached":
        if place.at is None:
            said = "{tuned} is ahead of {prompted} from at most {labels} labels on"
            return say(said, labels=_number(high or last), **sides)
        said = "{tuned} is ahead of {prompted} from about {labels} labels on ({range})"
        return say(said, labels=_number(place.at), range=say.interval(place.interval, _number), **sides)
    if place.verdict == "throughout":
        said = "{tuned} is ahead of {prompted} at every budget tried, {labels} labels or fewer being enough"
        return say(said, labels=_number(high or one.leads[0].labels), **sides)
    if place.verdict == "not reached":
        said = "{tuned} is behind {prompted} at the largest budget tried, {labels} labels: not reached"
        return say(said, labels=_number(last), **sides)
    if place.verdict == "lost again":
        said = "{tuned} is ahead of {prompted} at some budgets and behind at larger ones: there is no break-even"
        return say(said, **sides)
    said = "whether {tuned} is ahead of {prompted} at {labels} labels, the largest budget tried, is not shown"
    parts = [say(said, labels=_number(last), **sides)]
    parts += [say("it takes more than {labels}", labels=_number(low))] if low is not None else []
    parts += [say("the estimate is {labels}", labels=_number(place.at))] if place.at is not None else []
    return say.parted(parts)


def _prices(priced: Sequence[Priced], say: Say) -> str:
    return say.clauses(
        say("with a rationale at {price}, {cost}", price=f"{one.rationale:g}", cost=_cost(one.place, say))
        for one in priced
    )


def _cost(place: Place, say: Say) -> str:
    if place.verdict == "reached":
        at = place.at or place.interval[1] or 0.0
        text = say("from {cost} on", cost=_number(at))
        return (
            text
            if place.at is None
            else say("{said} ({range})", said=text, range=say.interval(place.interval, _number))
        )
    return say("at every cost") if place.verdict == "throughout" else say(place.verdict)
