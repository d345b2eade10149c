"""Does a model believe a passage, or what it has read before, where the two differ?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.conflicts import Conflict
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.say import Say


class PassageOrMemory(Question):
    """Per task: the largest model with the method that is furthest on the passage's side (answers by the passage less
    those by memory), and the smallest asked alike. The interval holds whichever method that is.
    """

    kind = "passage or memory"
    figure = "passage or memory"
    unit = "points"
    verdicts = tones({"passage": "for", "memory": "against", "undecided": "open"})
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task in dict.fromkeys(one.task for one in study.conflicts if one.at.clean):
            here = [one for one in study.conflicts if one.task == task and one.at.clean]
            largest = max(one.params for one in here)
            rivals = [each for each in here if each.params == largest]
            one = max(rivals, key=lambda each: each.lead.value)
            verdict, interval = one.among(len(rivals))
            alike = [
                each for each in here if (each.method, each.labels, each.stage) == (one.method, one.labels, one.stage)
            ]
            yield self.finding(
                f"{task}, {one.method}, {one.model}", verdict, partial(_sentence, study, one, alike, len(rivals)),
                lines.line(
                    f"passage or memory.{verdict}", study.named(task), model=one.model,
                    share=words.percent(one.shares["passage"].value), other=words.percent(one.shares["memory"].value),
                    points=lines.points(one.lead.value), range=lines.share_range(interval),
                ),
                estimate=one.lead.value, interval=interval, n=one.n, test="t over draws and items",
            )  # fmt: skip


def _sentence(study: Analysis, one: Conflict, alike: Sequence[Conflict], rivals: int, say: Say) -> str:
    """The three shares, what becomes of what the model knows, and how it is at the smallest size. ``rivals``: from how
    many ways of asking it was picked.
    """
    verdict, interval = one.among(rivals)
    given = say.with_labels(one.labels, study.shown(one.labels, [one.method], one.task))
    shares = one.shares
    head = say(
        "where a passage contradicts what is true outside of it, on {task}, {model} ({method}, {given}) answers by"
        " the passage in {passage} ({first}), by memory in {memory} ({second}) and neither in {neither}: {points}"
        " apart ({range}; {verdict}; {sample})",
        task=say.named_task(one.task), model=one.model, method=say.named(one.method), given=given,
        passage=words.percent(shares["passage"].value), first=say.share_range(shares["passage"].interval),
        memory=words.percent(shares["memory"].value), second=say.share_range(shares["memory"].interval),
        neither=words.percent(shares["neither"].value), points=say.points(one.lead.value),
        range=say.point_range(interval), verdict=say(_SAID[verdict]),
        sample=say.sample(one.n, len(one.arm.draws)),
    )  # fmt: skip
    picked = ""
    if rivals > 1:
        picked = say(
            "of {count} ways of asking it is furthest on the passage's side, and that interval holds for each of them",
            count=rivals,
        )
    known = ""
    if one.kept is not None:
        known = say(
            "of {known} answers that it knows without a passage ({closed}) it keeps {kept} ({range})",
            known=one.known, closed=say.named_task(one.closed or ""), kept=words.percent(one.kept.value),
            range=say.share_range(one.kept.interval),
        )  # fmt: skip
    smallest = min(alike, key=lambda each: each.params)
    size = ""
    if smallest.params < one.params:
        size = say(
            "of {count} sizes the smallest, {model}, follows the passage in {passage} and memory in {memory}",
            count=len({each.params for each in alike}), model=smallest.model,
            passage=words.percent(smallest.shares["passage"].value),
            memory=words.percent(smallest.shares["memory"].value),
        )  # fmt: skip
    return say.text([head, picked, known, size])


_SAID = {"passage": "the passage is believed", "memory": "memory is believed", "undecided": "undecided"}
