"""Which method does best on a task, with the largest model at its largest shared budget?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.phrases import Language
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, largest, tones
from onset.analysis.questions.comparison_words import agreement
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say


@dataclass(frozen=True, slots=True)
class _Standing:
    """Which methods the best one beats, is equivalent to, and cannot be told apart from, with their contrasts."""

    beaten: tuple[str, ...]
    level: tuple[str, ...]
    unsettled: tuple[tuple[str, Contrast | None], ...]


class BestMethod(Question):
    """Per task: the most accurate method, and which of the others it is shown to beat.

    That none is above chance is left to the recommendation, which speaks of all models and budgets, where there is one.
    """

    kind = "best method"
    unit = "share"
    verdicts = tones({"best": "for", "undecided": "open", "measured": "open", "not above chance": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        recommended = {one.task for one in study.decisions}
        for task, arms in by_task(study.clean()).items():
            rivals = sorted(largest(arms), key=lambda arm: -arm.accuracy)
            best, point = rivals[0], study.point(rivals[0])
            standing = _standing(study, best, rivals[1:])
            if not point.above_chance(len(rivals)):
                verdict = "not above chance"
                if task in recommended:
                    continue
            elif not rivals[1:]:
                verdict = "measured"
            else:
                verdict = "best" if len(standing.beaten) == len(rivals) - 1 else "undecided"
            tied = [arm.method for arm in _tied(rivals)]
            form = ".tied" if verdict == "undecided" and len(tied) > 1 else ""
            yield self.finding(
                f"{task}, {best.model}", verdict, partial(_sentence, study, rivals, standing, verdict),
                lines.line(
                    f"best method.{verdict}{form}", study.named(task),
                    method=partial(_listed, tied) if form else lines.method(best.method),
                    share=words.percent(point.accuracy), range=lines.share_range(point.interval),
                    chance=words.percent(best.chance or 0.0),
                ),
                estimate=point.accuracy, interval=point.interval,
                n=point.n, test="mean over draws and items; comparisons adjusted by Holm",
            )  # fmt: skip


def _listed(methods: Sequence[str], language: Language) -> str:
    say = Say(language)
    return say.listed([say.method(one) for one in methods])


def _tied(rivals: Sequence[Outcomes]) -> list[Outcomes]:
    """Those that are as accurate as the first."""
    return [arm for arm in rivals if arm.accuracy == rivals[0].accuracy]


def _sentence(study: Analysis, rivals: Sequence[Outcomes], standing: _Standing, verdict: str, say: Say) -> str:
    """``rivals``: the most accurate first."""
    best, point = rivals[0], study.point(rivals[0])
    methods = [arm.method for arm in rivals if arm.labels == best.labels]
    given = given_words(study, best.labels, methods, best.task, say)
    start = say("on {task}, {model} {given}", task=say.named_task(best.task), model=best.model, given=given)
    share = words.percent(point.accuracy)
    level = say(
        "{share}, {range}; {sample}", share=share, range=say.share_range(point.interval),
        sample=say.sample(point.n, point.draws),
    )  # fmt: skip
    method = say.listed([say.named(arm.method) for arm in _tied(rivals)])
    if verdict == "not above chance":
        said = "{start}: no method is shown to be above chance ({chance}); best is {method} ({level})"
        chance = words.percent(best.chance or 0.0)
        return say.text([say(said, start=start, chance=chance, method=method, level=level)])
    # a clause of its own in what is given ends with a comma in English
    start += "," if say.language == "en" and given != say.with_labels(best.labels) else ""
    if verdict == "measured":
        said = "{start} reaches {share} with {method} ({level})"
        return say.text([say(said, start=start, share=share, method=method, level=level)])
    stands = say(
        "{start} does best with {method} ({level}): {scope}{standing}"
        if verdict == "best"
        else "{start} scores highest with {method} ({level}): {scope}{standing}",
        start=start, method=method, level=level, standing=_standing_words(best, standing, say),
        scope=say("with these examples ") if standing.beaten and point.draws == 1 and best.labels else "",
    )  # fmt: skip
    return say.text([stands])


def _standing_words(best: Outcomes, standing: _Standing, say: Say) -> str:
    beaten, level = ([say.named(name) for name in names] for names in (standing.beaten, standing.level))
    unsettled = []
    for method, one in standing.unsettled:
        name, agreed = say.named(method), None if one is None else agreement(one, say)
        if agreed is not None and agreed[0] == best.method:
            name = say("{name}, though it is ahead in {draws}", name=name, draws=agreed[1])
        unsettled.append(name)
    longer = any(comma in name for name in unsettled for comma in (", ", "\N{FULLWIDTH COMMA}"))
    apart = say("; nor from ").join(unsettled) if longer else say.listed(unsettled)
    parts = [say("it beats {methods}", methods=say.listed(beaten))] if beaten else []
    parts += [say("it is equivalent to {methods}", methods=say.listed(level))] if level else []
    parts += [say("it cannot be told apart from {methods}", methods=apart)] if unsettled else []
    return say.parted(parts)


def _standing(study: Analysis, best: Outcomes, others: Sequence[Outcomes]) -> _Standing:
    beaten: list[str] = []
    level: list[str] = []
    unsettled: list[tuple[str, Contrast | None]] = []
    for other in others:
        one = _between(study.contrasts.methods, best, other)
        verdict = "undecided" if one is None else one.verdict
        if one is not None and verdict == ("wins" if one.names[0] == best.method else "loses"):
            beaten.append(other.method)
        elif verdict == "equivalent":
            level.append(other.method)
        else:
            unsettled.append((other.method, one if verdict == "undecided" else None))
    return _Standing(tuple(beaten), tuple(level), tuple(unsettled))


def _between(comparisons: Iterable[Contrast], a: Outcomes, b: Outcomes) -> Contrast | None:
    for one in comparisons:
        place = (one.model, one.stage, one.labels, one.task, one.shift)
        if place == (a.model, a.stage, a.labels, a.task, a.shift) and set(one.names) == {a.method, b.method}:
            return one
    return None
