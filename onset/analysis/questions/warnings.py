"""What a reader has to know before believing the rest: cells missing, answers unread, prompts too long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import LOW_PARSE_RATE, Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say


class NoResults(Question):
    """A study without a finished cell."""

    kind = "results"
    unit = "count"
    verdicts = tones({"no results": "open"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        if not study.arms and study.bounds is not None and study.bounds.outcomes:
            yield self.finding("the study", "no results", _bounds_alone, lines.line("results.no results.bounds"))
        elif not study.arms:
            yield self.finding("the study", "no results", _nothing, lines.line("results.no results"))


def _nothing(say: Say) -> str:
    return say.text([say("no cell of this study is finished")])


def _bounds_alone(say: Say) -> str:
    return say.text([say("every finished cell is an upper bound, its settings chosen on labels beyond the budget")])


class Incomplete(Question):
    """Cells that have not run, or failed."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"incomplete": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        missing, failed = len(study.measured.missing), len(study.measured.failed)
        if not missing and not failed:
            return
        error = next(iter(study.measured.failed.values()), "").rstrip(".")
        short = lines.line("cells.incomplete", cells=lines.count("cell", missing + failed))
        yield self.finding(
            "cells", "incomplete", partial(_incomplete, missing, failed, error), short, n=missing + failed
        )


def _incomplete(missing: int, failed: int, error: str, say: Say) -> str:
    parts = [say("{cells} not run yet", cells=say.counted("cell", missing))] if missing else []
    if failed:
        parts.append(say("{cells} failed (for example: {error})", cells=say.counted("cell", failed), error=error))
    said = "Incomplete: {what}; what is said here rests on the rest"
    return say.text([say(said, what=say(" and ").join(parts))])


class Refused(Question):
    """Seeds at which two sides did not have the same task or examples."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"refused": "warning"})
    always = True
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        refused = [one for one in study.contrasts.methods if any("refused" in reason for reason in one.refused)]
        if refused:
            short = lines.line("pairing.refused", comparisons=lines.count("comparison", len(refused)))
            yield self.finding("pairing", "refused", partial(_refused, refused), short, n=len(refused))


def _refused(refused: Sequence[Contrast], say: Say) -> str:
    text = say(
        "in {comparisons} the two sides did not have the same task or example plan at some seed; those seeds were left"
        " out{why}",
        comparisons=say.counted("comparison", len(refused)), why=say.reasons([f"first: {refused[0].refused[-1]}"]),
    )  # fmt: skip
    return say.text([text])


class Unread(Question):
    """Settings whose outputs often held no readable answer."""

    kind = "warning"
    unit = "share"
    verdicts = tones({"low parse rate": "warning"})
    always = True
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        low = sorted((arm for arm in study.arms if arm.readable < LOW_PARSE_RATE), key=lambda arm: arm.readable)
        if not low:
            return
        settings = {(arm.model, arm.stage, arm.labels, arm.task, arm.shift, arm.method) for arm in low}
        touched = sum(
            one.verdict in ("wins", "loses")
            and any((one.model, one.stage, one.labels, one.task, one.shift, side) in settings for side in one.names)
            for one in study.contrasts.methods
        )
        worst = low[0]
        share = words.percent(worst.readable)
        short = lines.line("parse rate.low parse rate", settings=lines.count("setting", len(low)), share=share)
        yield self.finding(
            "parse rate",
            "low parse rate",
            partial(_unread, study, low, touched),
            short,
            estimate=worst.readable,
            n=len(low),
        )


def _unread(study: Analysis, low: Sequence[Outcomes], touched: int, say: Say) -> str:
    """``low``: the worst first; ``touched``: verdicts that rest on them."""
    worst = low[0]
    given = given_words(study, worst.at.labels, [worst.method], worst.task, say)
    parts = [
        say(
            "Answers not found: in {count} of {settings} fewer than {share} % of the outputs held a readable answer"
            " (lowest: {method}{given} for {model} on {task}, {readable})",
            count=len(low), settings=say.counted("setting", len(study.arms)),
            share=words.number(100 * LOW_PARSE_RATE, 0), method=say.named(worst.method),
            given=say(" {given}", given=given) if given else "", model=worst.model, task=say.named_task(worst.task),
            readable=words.percent(worst.readable),
        ),
        say("a low accuracy there may be a matter of format, not of ability"),
    ]  # fmt: skip
    if touched:
        parts.append(
            say(
                "{verdicts} on who wins rests on them" if touched == 1 else "{verdicts} on who wins rest on them",
                verdicts=say.counted("verdict", touched),
            )
        )
    return say.text([say.clauses(parts)])


def _settings(arms: Sequence[Outcomes], say: Say) -> str:
    """Where something went wrong; of more than three settings the first two, and how many others."""
    names = [
        say("{method} on {task} for {model}", method=say.named(method), task=say.named_task(task), model=model)
        for method, task, model in dict.fromkeys((arm.method, arm.task, arm.model) for arm in arms)
    ]
    if len(names) > 3:
        names = [*names[:2], say("{count} other settings", count=len(names) - 2)]
    return say.listed(names)


class Lost(Question):
    """Items that count as wrong for another reason than their answer: the prompt does not fit the model's context, or
    the method raised an error.
    """

    kind = "warning"
    unit = "count"
    verdicts = tones({"overlong prompts": "warning", "failed items": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for subject, verdict, said in (
            ("context", "overlong prompts", _too_long),
            ("failed items", "failed items", _failed),
        ):
            lost = {arm: count for arm in study.arms if (count := _lost(arm, verdict))}
            if lost:
                total = sum(lost.values())
                counts = {name: lines.count(name, total) for name in ("prompt", "item")}
                short = lines.line(f"lost.{verdict}", prompts=counts["prompt"], items=counts["item"])
                yield self.finding(subject, verdict, partial(said, tuple(lost), total), short, n=total)


def _lost(arm: Outcomes, verdict: str) -> int:
    return arm.ran.overlong if verdict == "overlong prompts" else arm.ran.failed


def _too_long(longer: Sequence[Outcomes], total: int, say: Say) -> str:
    text = say(
        "{prompts} does not fit the model's context and counts as wrong ({settings})"
        if total == 1
        else "{prompts} do not fit the model's context and count as wrong ({settings})",
        prompts=say.counted("prompt", total), settings=_settings(longer, say),
    )  # fmt: skip
    return say.text([text])


class SizeUnknown(Question):
    """Models that say nothing of their size: they are on no curve over size."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"size unknown": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        models = tuple(dict.fromkeys(arm.model for arm in study.arms if not arm.at.params))
        if models:
            short = lines.line("sizes.size unknown", models=lines.count("model", len(models)))
            yield self.finding("sizes", "size unknown", partial(_size_unknown, models), short, n=len(models))


def _size_unknown(models: Sequence[str], say: Say) -> str:
    said = (
        "The size of {models} is not known: it is on no curve over size, and what it costs is not counted"
        if len(models) == 1
        else "The sizes of {models} are not known: they are on no curve over size, and what they cost is not counted"
    )
    remedy = say("a study can tell it: `{key}` beside the model", key="params: 7B")
    return say.text([say(said, models=say.listed(list(models))), remedy])


def _failed(broken: Sequence[Outcomes], total: int, say: Say) -> str:
    counted = say(
        "at {items} the method raised an error: it counts as wrong ({settings})"
        if total == 1
        else "at {items} the method raised an error: they count as wrong ({settings})",
        items=say.counted("item", total), settings=_settings(broken, say),
    )  # fmt: skip
    return say.text([counted, say("the first error: {error}", error=f"{broken[0].ran.cause}".rstrip("."))])
