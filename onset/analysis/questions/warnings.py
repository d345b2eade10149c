"""What a reader has to know before believing the rest: cells missing, answers unread, prompts too long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import LOW_PARSE_RATE, Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones


class NoResults(Question):
    """A study without a finished cell."""

    kind = "results"
    unit = "count"
    verdicts = tones({"no results": "open"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        if not study.arms:
            yield self.finding(
                "the study", "no results", "No cell of this study is finished.", lines.line("results.no results")
            )


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
        parts = [f"{words.counted(missing, 'cell')} not run yet"] if missing else []
        if failed:
            example = next(iter(study.measured.failed.values())).rstrip(".")
            parts.append(f"{words.counted(failed, 'cell')} failed (for example: {example})")
        text = f"Incomplete: {' and '.join(parts)}; what is said here rests on the rest."
        short = lines.line("cells.incomplete", cells=lines.count("cell", missing + failed))
        yield self.finding("cells", "incomplete", text, short, n=missing + failed)


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
            text = f"In {words.counted(len(refused), 'comparison')} the two sides did not have the same task or example"
            text += f" plan at some seed; those seeds were left out (first: {refused[0].refused[-1]})."
            short = lines.line("pairing.refused", comparisons=lines.count("comparison", len(refused)))
            yield self.finding("pairing", "refused", text, short, n=len(refused))


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
        text = f"Answers not found: in {len(low)} of {words.counted(len(study.arms), 'setting')} fewer than"
        text += (
            f" {words.number(100 * LOW_PARSE_RATE, 0)} % of the outputs held a readable answer (lowest: {worst.method}"
        )
        given = study.given(worst.at.labels, [worst.method], worst.task)
        text += f"{given and ' '}{given} for {worst.model} on {worst.task}, {words.percent(worst.readable)})"
        text += "; a low accuracy there may be a matter of format, not of ability"
        if touched:
            text += f"; {words.counted(touched, 'verdict')} on who wins {'rests' if touched == 1 else 'rest'} on them"
        share = words.percent(worst.readable)
        short = lines.line("parse rate.low parse rate", settings=lines.count("setting", len(low)), share=share)
        yield self.finding("parse rate", "low parse rate", f"{text}.", short, estimate=worst.readable, n=len(low))


def _settings(arms: Sequence[Outcomes]) -> str:
    """Where something went wrong; of more than three settings the first two, and how many others."""
    names = list(dict.fromkeys(f"{arm.method} on {arm.task} for {arm.model}" for arm in arms))
    return words.listed(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} other settings"])


class TooLong(Question):
    """Prompts that do not fit the model's context."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"overlong prompts": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        longer = [arm for arm in study.arms if arm.ran.overlong]
        if longer:
            total = sum(arm.ran.overlong for arm in longer)
            shown = _settings(longer)
            verb = (
                "does not fit the model's context and counts"
                if total == 1
                else "do not fit the model's context and count"
            )
            text = f"{words.counted(total, 'prompt')} {verb} as wrong ({shown})."
            short = lines.line("context.overlong prompts", prompts=lines.count("prompt", total))
            yield self.finding("context", "overlong prompts", text, short, n=total)


class FailedItems(Question):
    """Items at which the method raised an error."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"failed items": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        broken = [arm for arm in study.arms if arm.ran.failed]
        if broken:
            total = sum(arm.ran.failed for arm in broken)
            shown = _settings(broken)
            first = f"{broken[0].ran.cause}".rstrip(".")
            count = "it counts" if total == 1 else "they count"
            text = f"At {words.counted(total, 'item')} the method raised an error: {count} as wrong ({shown})."
            text += f" The first error: {first}."
            short = lines.line("failed items.failed items", items=lines.count("item", total))
            yield self.finding("failed items", "failed items", text, short, n=total)
