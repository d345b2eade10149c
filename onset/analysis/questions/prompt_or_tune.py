"""Is it better to prompt with the labelled examples or to tune on them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.parts import Verdict
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import MIN_SIZES
from onset.analysis.estimates.label_curves import Overtaking
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, tones
from onset.analysis.questions.comparison_words import comparison_words
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.setting import BASE


class PromptOrTune(Question):
    """Per task: the best tuned against the best prompted method, over budgets and over sizes."""

    kind = "prompt or tune"
    figure = "size"
    unit = "points"
    verdicts = tones({"tuning": "for", "prompting": "for", "equivalent": "level", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task, arms in by_task(study.clean()).items():
            tuned = {arm.method for arm in arms if arm.tuned}
            everywhere = [
                one
                for one in study.contrasts.methods
                if one.task == task
                and one.difference is not None
                and one.names[0] in tuned
                and one.names[1] not in tuned
            ]
            facing = [one for one in everywhere if one.shift == "none"]
            if not facing:
                continue
            shown = _strongest_pair(arms, facing)
            verdict = {"wins": "tuning", "loses": "prompting"}.get(shown.verdict, shown.verdict)
            yield self.finding(
                f"{task}, {shown.model}", verdict, partial(_sentence, study, everywhere, shown),
                _short(shown, verdict, study.named(task)), estimate=shown.difference, interval=shown.interval,
                n=shown.n, test=shown.test,
            )  # fmt: skip


def _sentence(study: Analysis, everywhere: Sequence[Contrast], shown: Contrast, say: Say) -> str:
    facing = [one for one in everywhere if one.shift == "none"]
    parts = [
        say(
            "Prompt or tune on {task}, {model} {given}: {said}", task=say.named_task(shown.task), model=shown.model,
            given=given_words(study, shown.labels, shown.names, shown.task, say), said=comparison_words(shown, say),
        )
    ]  # fmt: skip
    path = _overtaking(study.labels.overtakings, shown)
    if path is not None and len(path.comparisons) > 1:
        parts.append(say("Over the budgets, {said}", said=budget_words(path, say)))
    parts += _by_size(study, everywhere, say)
    if len(facing) > 1:
        wins, losses = (sum(one.verdict == verdict for one in facing) for verdict in ("wins", "loses"))
        left = len(facing) - wins - losses
        winner = say("{count} has no winner", count=left) if left == 1 else say("{count} have no winner", count=left)
        parts.append(
            say(
                "Of all {count} comparisons of tuning with prompting on the same examples, tuning wins {wins},"
                " prompting {losses}; {winner}",
                count=len(facing), wins=wins, losses=losses, winner=winner,
            )
        )  # fmt: skip
    return say.text(parts)


def _short(shown: Contrast, verdict: str, of: str | None) -> Lines:
    said = shown.turned() if verdict == "prompting" else shown
    return lines.line(
        f"prompt or tune.{verdict}",
        of,
        tuned=lines.method(shown.names[0]),
        prompted=lines.method(shown.names[1]),
        points=lines.points(said.gap),
        range=lines.share_range(said.spread),
    )


def _overtaking(overtakings: Iterable[Overtaking], pair: Contrast) -> Overtaking | None:
    place = (pair.model, pair.stage, pair.task, pair.shift, *pair.names)
    for one in overtakings:
        first = one.comparisons[0]
        if (first.model, first.stage, first.task, first.shift, *first.names) == place:
            return one
    return None


def budget_words(one: Overtaking, say: Say) -> str:
    """From which budget on tuning is ahead, and what the others say."""
    first = one.comparisons[0]
    sides = {"tuned": say.named(first.names[0]), "prompted": say.named(first.names[1])}
    where = say("{model} on {task}", model=first.model, task=say.named_task(first.task))
    where += "" if first.shift == "none" else say(", shift {shift}", shift=say.shift(first.shift))
    budgets = [pair.labels for pair in one.comparisons]
    wins, losses, level, still = (one.at(verdict) for verdict in ("wins", "loses", "equivalent", "undecided"))
    if not wins:
        said = _not_shown(one, say)
    elif len(wins) == len(budgets):
        said = say("{tuned} is ahead of {prompted} at every budget tried ({at})", at=_at(budgets, say), **sides)
    else:
        if wins[0] > budgets[0]:
            parts = [say("{tuned} overtakes {prompted} at {first} labels", first=wins[0], **sides)]
        else:
            parts = [say("{tuned} is ahead of {prompted} at {at}", at=_at(wins, say), **sides)]
        parts += [say("{prompted} is ahead at {at}", at=_at(losses, say), **sides)] if losses else []
        parts += [say("equivalent at {at}", at=_at(level, say))] if level else []
        parts += [say("not settled at {at}", at=_at(still, say))] if still else []
        said = say.clauses(parts)
    return say("{where}: {said}", where=where, said=said)


def _not_shown(one: Overtaking, say: Say) -> str:
    """No budget is won. That tuning does not overtake is said only where prompting wins or both are level."""
    first = one.comparisons[0]
    sides = {"tuned": say.named(first.names[0]), "prompted": say.named(first.names[1])}
    losses, level, still = (one.at(verdict) for verdict in ("loses", "equivalent", "undecided"))
    parts = [say("{prompted} is ahead at {at}", at=_at(losses, say), **sides)] if losses else []
    parts += [say("equivalent at {at}", at=_at(level, say))] if level else []
    if not still:
        return say("{tuned} does not overtake {prompted}: {why}", why=say.clauses(parts), **sides)
    lead, at = max(pair.gap for pair in one.comparisons if pair.verdict == "undecided"), _at(still, say)
    if lead > 0:
        parts.append(
            say(
                "undecided at {at}, where it leads by up to {points}"
                if len(still) > 1
                else "undecided at {at}, where it leads by {points}",
                at=at, points=say.points(lead),
            )
        )  # fmt: skip
    else:
        parts.append(say("undecided at {at}, without a lead", at=at))
    return say("it is not shown that {tuned} overtakes {prompted}: {why}", why=say.clauses(parts), **sides)


def _at(budgets: Sequence[int], say: Say) -> str:
    return say("{budgets} labels", budgets=say.listed([str(one) for one in budgets]))


def _strongest_pair(arms: Sequence[Outcomes], facing: Sequence[Contrast]) -> Contrast:
    """On the largest model at its largest budget, the most accurate tuned method against the best prompting one."""
    score = {(arm.model, arm.stage, arm.method, arm.labels): arm.accuracy for arm in arms}

    def rank(one: Contrast) -> tuple[float, ...]:
        a, b = (score[(one.model, one.stage, side, one.labels)] for side in one.names)
        return one.params, one.labels, a + b

    return max(facing, key=rank)


def _by_size(study: Analysis, facing: Sequence[Contrast], say: Say) -> list[str]:
    """Where tuning and where prompting wins, by size, unshifted and under each shift; none below three sizes.

    ``facing``: tuned methods against prompting ones on one task, under any shift. At each size the most accurate
    tuned method stands against the most accurate prompting one, at the largest budget.
    """
    families = {arm.model: arm.family for arm in study.arms}
    score = {(arm.model, arm.stage, arm.method, arm.labels, arm.task, arm.shift): arm.accuracy for arm in study.arms}
    said = []
    budget = max((one.labels for one in facing), default=0)
    for family in dict.fromkeys(families[one.model] for one in facing):
        mine = [one for one in facing if families[one.model] == family and one.labels == budget]
        stages = {one.stage for one in mine}
        mine = [one for one in mine if one.stage == BASE or BASE not in stages]
        if len({one.params for one in mine if one.shift == "none"}) < MIN_SIZES:
            continue
        parts = []
        for shift in sorted(dict.fromkeys(one.shift for one in mine), key=lambda shift: shift != "none"):
            rows = _best_pairs([one for one in mine if one.shift == shift], score)
            winners = _winners(rows, say)
            shifted = shift != "none"
            parts.append(
                say("under the shift {shift} {winners}", shift=say.shift(shift), winners=winners)
                if shifted
                else winners
            )
        names = [side for one in mine for side in one.names]
        said.append(
            say(
                "By size in the family {family}, the best tuned against the best prompted method {given}: {parts}",
                family=family, given=given_words(study, budget, names, None, say), parts=say.clauses(parts),
            )
        )  # fmt: skip
    return said


def _best_pairs(facing: Sequence[Contrast], score: dict[tuple[str, str, str, int, str, str], float]) -> list[Contrast]:
    def rank(one: Contrast) -> float:
        return sum(score[(one.model, one.stage, side, one.labels, one.task, one.shift)] for side in one.names)

    models = dict.fromkeys(one.model for one in sorted(facing, key=lambda one: one.params))
    return [max((one for one in facing if one.model == model), key=rank) for model in models]


def _winners(rows: Sequence[Contrast], say: Say) -> str:
    def at(verdict: Verdict) -> str:
        return say.listed([say.size(one.params) for one in rows if one.verdict == verdict])

    said = {
        "wins": say("tuning wins at {sizes}", sizes=at("wins")),
        "loses": say("prompting wins at {sizes}", sizes=at("loses")),
        "equivalent": say("equivalent at {sizes}", sizes=at("equivalent")),
        "undecided": say("undecided at {sizes}", sizes=at("undecided")),
    }
    held = {one.verdict for one in rows}
    return say.parted(text for verdict, text in said.items() if verdict in held)
