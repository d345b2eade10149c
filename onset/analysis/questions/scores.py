"""Which model has the best score, where scores are not right or wrong (F1, perplexity)? For results of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.scores import ScoreMean, ScorePair
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, means_in_common, tones
from onset.analysis.questions.say import Say
from onset.analysis.questions.score_words import level, score_range
from onset.analysis.setting import Setting

_SAID_BY = {"word_perplexity": "bits_per_byte", "byte_perplexity": "bits_per_byte"}
"""Metrics of the same log-likelihoods: not said where the other is."""
_SAID = 4
"""Rivals that are named; of more, the rest is counted."""
_Rival = tuple[ScoreMean, ScorePair | None]
"""Another model, and how far the best is from it."""


class Score(Question):
    """For each metric of a task, in its own unit: the model with the best value, and which others it beats."""

    kind = "score"
    unit = "score"
    verdicts = tones({"best": "for", "undecided": "open", "measured": "open"})
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[Setting, str, str], list[ScoreMean]] = {}
        for one in study.contrasts.scores.means:
            if one.at.clean:
                key = one.at.without("model", "family", "params"), one.metric, one.filter
                groups.setdefault(key, []).append(one)
        known = {(at, metric) for at, metric, _ in groups}
        for (at, metric, _), means in groups.items():
            if (at, _SAID_BY.get(metric, "")) not in known:
                yield self._finding(study, means)

    def _finding(self, study: Analysis, means: Sequence[ScoreMean]) -> Finding:
        ranked = _ranked(means)
        best = ranked[0]
        several = len({one.method for one in study.contrasts.scores.means if one.task == best.task}) > 1
        rivals = [(one, _between(study.contrasts.scores.pairs, best, one)) for one in ranked[1:]]
        parts = [best.task] if study.named(best.task) else []
        of = ", ".join([*parts, *([best.method] if several else [])]) or None
        subject = ", ".join([best.task, *([best.method] if several else []), best.metric])
        value = words.score(best.value)
        if not rivals:
            short = lines.line(
                f"score.measured{'' if best.interval else '.bare'}", of, metric=best.metric, model=best.model,
                value=value, range=lines.score_range(best.interval),
            )  # fmt: skip
            return self.finding(subject, "measured", partial(_alone, best), short, n=best.n)
        verdict = "best" if all(one is not None and one.verdict == "wins" for _, one in rivals) else "undecided"
        rival, nearest = rivals[0]
        gap, interval = (None, None) if nearest is None else nearest.ahead()
        short = lines.line(
            f"score.{verdict}{'' if interval else '.bare'}", of, metric=best.metric, model=best.model, value=value,
            other=rival.model, against=words.score(rival.value), gap=words.score(gap or 0.0, 3),
            range=lines.score_range(interval),
        )  # fmt: skip
        return self.finding(
            subject, verdict, partial(_sentence, best, rivals, verdict), short,
            estimate=gap, interval=interval if gap is not None else None,
            n=None if nearest is None else nearest.n,
            test=None if nearest is None else f"{nearest.test}; p adjusted by Holm",
        )  # fmt: skip


def _ranked(means: Sequence[ScoreMean]) -> list[ScoreMean]:
    """The best first: on the items that all have, where every score is known item by item and there are such."""
    tables = [one.of for one in means if isinstance(one.of, Outcomes)]
    values = means_in_common(tables) if len(tables) == len(means) else [one.value for one in means]
    ranked = sorted(zip(values, means, strict=True), key=lambda row: -row[0] if row[1].higher_is_better else row[0])
    return [one for _, one in ranked]


def _between(pairs: Iterable[ScorePair], best: ScoreMean, other: ScoreMean) -> ScorePair | None:
    """The pair of the two, said of ``best``."""
    for one in pairs:
        if one.axis == "model" and {id(one.plus), id(one.minus)} == {id(best), id(other)}:
            return one if one.plus is best else one.turned()
    return None


def _alone(one: ScoreMean, say: Say) -> str:
    text = say(
        "{metric} of {model} on {task} is {level}", metric=one.metric, model=one.model, task=say.named_task(one.task),
        level=level(one, say),
    )  # fmt: skip
    return say.text([text])


def _sentence(best: ScoreMean, rivals: Sequence[_Rival], verdict: str, say: Say) -> str:
    """``rivals``: the nearest first."""
    won = [rival for rival in rivals if rival[1] is not None and rival[1].verdict == "wins"]
    level_with = [rival for rival in rivals if rival[1] is not None and rival[1].verdict == "equivalent"]
    behind = [rival for rival in rivals if rival[1] is not None and rival[1].verdict == "loses"]
    rest = [rival for rival in rivals if rival not in (*won, *level_with, *behind)]
    parts = [say("it beats {models}", models=_said(won, say))] if won else []
    parts += [say("on what both were asked it loses to {models}", models=_said(behind, say))] if behind else []
    parts += [say("it is equivalent to {models}", models=_said(level_with, say))] if level_with else []
    parts += [say("it cannot be told apart from {models}", models=_said(rest, say))] if rest else []
    text = say(
        "on {task}, {model} has the best {metric}, where higher is better ({level}): {standing}"
        if best.higher_is_better
        else "on {task}, {model} has the best {metric}, where lower is better ({level}): {standing}",
        task=say.named_task(best.task), model=best.model, metric=best.metric, level=level(best, say),
        standing=say.clauses(parts),
    )  # fmt: skip
    return say.text([text])


def _said(rivals: Sequence[_Rival], say: Say) -> str:
    """``r2 (better by 0.049, 95 % interval 0.018 to 0.081)``, the nearest first; many are counted."""

    def told(rival: _Rival) -> str:
        mean, one = rival
        gap, interval = (None, None) if one is None else one.ahead()
        if gap is None:
            far = say("they share no items")
        elif interval is None:
            far = say("by {gap}, no interval", gap=words.score(gap, 3))
        else:
            far = say("by {gap}, {range}", gap=words.score(gap, 3), range=score_range(interval, say))
        return say("{model} ({far})", model=mean.model, far=far)

    return say.listed(say.first(rivals, _SAID, told))
