"""What does training make a model forget, beside what it gains?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.forgetting import Forgetting
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.questions.stage_words import stage_words
from onset.analysis.setting import BASE

_VERDICTS = tones(
    {"forgets": "against", "keeps": "level", "improves": "for", "nothing to lose": "open", "undecided": "open"}
)
_LISTED = 6
_SAID = {
    "forgets": "{what} forgets: {before} before, {after} after ({change}; {range}{gain})",
    "improves": "{what} improves: {before} before, {after} after ({change}; {range}{gain})",
    "keeps": "{what} keeps what was there: {before} before, {after} after ({change}; {range}{gain})",
    "undecided": "{what} is undecided: {before} before, {after} after ({change}; {range}{gain})",
    "nothing to lose": (
        "{what} has nothing to lose, the model before is not above chance: {before} before, {after} after ({change};"
        " {range}{gain})"
    ),
}
_ORDER = ("forgets", "improves", "keeps", "undecided", "nothing to lose")


class Forgets(Question):
    """Per other task: the training that forgets most, at the largest model and budget; all others in the sentence."""

    kind = "forgetting"
    figure = "forgetting"
    unit = "points"
    verdicts = _VERDICTS

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for rows in _groups(one for one in study.forgetting if not one.is_text):
            top = rows[0]
            yield self.finding(
                f"{top.task}, {_plain(top)}", top.verdict, partial(_sentence, rows), _short(top),
                estimate=top.change.difference, interval=top.change.interval, n=top.change.n, test=top.change.test,
            )  # fmt: skip


class ForgetsText(Question):
    """The same of a plain text, in bits a byte."""

    kind = "forgetting of text"
    figure = "forgetting"
    unit = "score"
    verdicts = tones({"forgets": "against", "improves": "for", "undecided": "open"})
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for rows in _groups(one for one in study.forgetting if one.is_text):
            top = rows[0]
            before, after = top.levels
            yield self.finding(
                f"text, {_plain(top)}", top.verdict, partial(_sentence, rows),
                lines.line(
                    f"forgetting of text.{top.verdict}", None, what=_what(top), before=words.number(before, 2),
                    after=words.number(after, 2), range=lines.score_range(top.change.interval),
                ),
                estimate=top.change.difference, interval=top.change.interval, n=top.change.n, test=top.change.test,
            )  # fmt: skip


def _groups(found: Iterable[Forgetting]) -> list[list[Forgetting]]:
    """By task: those of the largest model at the largest budget, the most forgotten first. Of tuned models those made
    of the base model, where there are such.
    """
    groups: dict[str, list[Forgetting]] = {}
    for one in found:
        groups.setdefault(one.task, []).append(one)
    out = []
    for rows in groups.values():
        size = max(one.params for one in rows)
        budget = max(one.labels for one in rows if one.params == size)
        held = [one for one in rows if one.params == size and (one.home is None or one.labels == budget)]
        if any(one.home is not None and one.stage == BASE for one in held):
            held = [one for one in held if one.home is None or one.stage == BASE]
        out.append(sorted(held, key=_rank))
    return out


def _rank(one: Forgetting) -> tuple[int, float]:
    worse = one.change.gap if one.is_text else -one.change.gap
    return _ORDER.index(one.verdict), -worse


def _called(one: Forgetting, ways: int, say: Say) -> str:
    """The method, on which stage where it is not the base model, and on which task's examples; or the stage, and how it
    is asked where stages are asked in several ``ways``.
    """
    if one.home is None and ways < 2:
        return stage_words(one.stage, say)
    name = say.named(one.method)
    return name if one.stage == BASE else say("{method} on {model}", method=name, model=stage_words(one.stage, say))


def _plain(one: Forgetting) -> str:
    return one.method if one.home is not None else one.stage


def _what(one: Forgetting) -> lines.Word:
    """The method, or the stage in quotes."""
    if one.home is not None:
        return lines.method(one.method)
    stage = lines.stage(one.stage)
    return lambda language: f"“{stage if isinstance(stage, str) else stage(language)}”"


def _short(top: Forgetting) -> Lines:
    shown = top.change.turned() if top.verdict == "forgets" else top.change
    return lines.line(
        f"forgetting.{top.verdict}",
        None,
        what=_what(top),
        task=lambda language: words.plain_task(top.task, language),
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )


def _sentence(rows: Sequence[Forgetting], say: Say) -> str:
    top = rows[0]
    if top.is_text:
        head = say("What training forgets of plain text at {size}, in bits a byte", size=say.size(top.params))
    else:
        head = say(
            "What training forgets of {task} at {size}, asked without examples", task=say.named_task(top.task),
            size=say.size(top.params),
        )  # fmt: skip
    ways = len({one.method for one in rows if one.home is None})
    said = say.first(rows, _LISTED, lambda one: _one(one, ways, say))
    last = say("a method that prompts changes no weight and forgets nothing")
    sample = _sample(rows[:_LISTED], say)
    first = say("{head}: {said}", head=head, said=say.clauses(said))
    return say.text([say("{sentence} ({sample})", sentence=first, sample=sample), last])


def _sample(rows: Sequence[Forgetting], say: Say) -> str:
    """Items and draws behind all ``rows``: a stage is asked without examples, so once, a tuned model of every draw."""
    items, draws = ({one.change.n for one in rows}, {len(one.change.draws) for one in rows})
    if len(items) == len(draws) == 1:
        return say.sample(max(items), max(draws))
    spans = ["–".join(dict.fromkeys((str(min(one)), str(max(one))))) for one in (items, draws)]
    return say("n = {items} items × {draws} draws", items=spans[0], draws=spans[1])


def _one(one: Forgetting, ways: int, say: Say) -> str:
    before, after = (words.number(level, 3) if one.is_text else words.percent(level) for level in one.levels)
    return say(
        _SAID[one.verdict], what=_called(one, ways, say),
        before=before, after=after,
        change=words.number(one.change.gap, 3) if one.is_text else say.points(one.change.gap),
        range=_range(one.change, say) if one.is_text else say.point_range(one.change.spread),
        gain="" if one.gain is None else _gain(one.gain, say),
    )  # fmt: skip


def _range(one: Contrast, say: Say) -> str:
    return say.interval(one.spread, lambda end: words.number(end, 3))


def _gain(one: Contrast, say: Say) -> str:
    against = say.named(one.names[1]) if one.axis == "method" else stage_words(one.names[1], say)
    return say(
        "; on {task} {points} against {against}, {range}", task=say.named_task(one.task), points=say.points(one.gap),
        against=against, range=say.point_range(one.spread),
    )  # fmt: skip
