"""Is it better to prompt with the labelled examples or to tune on them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import MIN_SIZES
from onset.analysis.estimates.label_curves import Overtaking
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, tones
from onset.analysis.questions.comparison_words import comparison_sentence
from onset.analysis.questions.lines import Lines
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
            wins, losses = (sum(one.verdict == verdict for one in facing) for verdict in ("wins", "loses"))
            shown = _strongest_pair(arms, facing)
            verdict = {"wins": "tuning", "loses": "prompting"}.get(shown.verdict, shown.verdict)
            text = f"Prompt or tune on {task}, {shown.model} {study.given(shown.labels, shown.names, task)}:"
            text += f" {comparison_sentence(shown)}"
            path = _overtaking(study.labels.overtakings, shown)
            text += f" Over the budgets, {budget_sentence(path)}" if path and len(path.comparisons) > 1 else ""
            text += _by_size(study, everywhere)
            if len(facing) > 1:
                text += f" Of all {len(facing)} comparisons of tuning with prompting on the same examples, tuning wins"
                open_ones = len(facing) - wins - losses
                text += f" {wins}, prompting {losses}; {open_ones} {'has' if open_ones == 1 else 'have'} no winner."
            yield self.finding(
                f"{task}, {shown.model}", verdict, text, _short(shown, verdict, study.named(task)),
                estimate=shown.difference, interval=shown.interval,
                n=shown.n, test=shown.test,
            )  # fmt: skip


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


def budget_sentence(one: Overtaking) -> str:
    """From which budget on tuning is ahead, and what the others say."""
    first = one.comparisons[0]
    tuned, prompted = first.names
    where = f"{first.model} on {first.task}" + ("" if first.shift == "none" else f", shift {first.shift}")
    budgets = [pair.labels for pair in one.comparisons]
    wins, losses, level, still = (one.at(verdict) for verdict in ("wins", "loses", "equivalent", "undecided"))
    if not wins:
        return f"{where}: {_not_shown(one)}."
    if len(wins) == len(budgets):
        return f"{where}: {tuned} is ahead of {prompted} at every budget tried ({_at(budgets)})."
    ahead = f"; {prompted} is ahead at {_at(losses)}" if losses else ""
    equal = f"; equivalent at {_at(level)}" if level else ""
    undecided = f"; not settled at {_at(still)}" if still else ""
    start = (
        f"overtakes {prompted} at {wins[0]} labels"
        if wins[0] > budgets[0]
        else f"is ahead of {prompted} at {_at(wins)}"
    )
    return f"{where}: {tuned} {start}{ahead}{equal}{undecided}."


def _not_shown(one: Overtaking) -> str:
    """No budget is won. That tuning does not overtake is said only where prompting wins or both are level."""
    tuned, prompted = one.comparisons[0].names
    losses, level, still = (one.at(verdict) for verdict in ("loses", "equivalent", "undecided"))
    parts = [f"{prompted} is ahead at {_at(losses)}"] if losses else []
    parts += [f"equivalent at {_at(level)}"] if level else []
    if not still:
        return f"{tuned} does not overtake {prompted}: {'; '.join(parts)}"
    lead = max(pair.gap for pair in one.comparisons if pair.verdict == "undecided")
    if lead > 0:
        most = " up to" if len(still) > 1 else ""
        parts.append(f"undecided at {_at(still)}, where it leads by{most} {words.points(lead)}")
    else:
        parts.append(f"undecided at {_at(still)}, without a lead")
    return f"it is not shown that {tuned} overtakes {prompted}: {'; '.join(parts)}"


def _at(budgets: Sequence[int]) -> str:
    return f"{words.listed([str(one) for one in budgets])} labels"


def _strongest_pair(arms: Sequence[Outcomes], facing: Sequence[Contrast]) -> Contrast:
    """On the largest model at its largest budget, the most accurate tuned method against the best prompting one."""
    score = {(arm.model, arm.stage, arm.method, arm.labels): arm.accuracy for arm in arms}

    def rank(one: Contrast) -> tuple[float, ...]:
        a, b = (score[(one.model, one.stage, side, one.labels)] for side in one.names)
        return one.params, one.labels, a + b

    return max(facing, key=rank)


def _by_size(study: Analysis, facing: Sequence[Contrast]) -> str:
    """Where tuning and where prompting wins, by size, unshifted and under each shift; empty below three sizes.

    ``facing``: tuned methods against prompting ones on one task, under any shift. At each size the most accurate
    tuned method stands against the most accurate prompting one, at the largest budget.
    """
    families = {arm.model: arm.family for arm in study.arms}
    score = {(arm.model, arm.stage, arm.method, arm.labels, arm.task, arm.shift): arm.accuracy for arm in study.arms}
    text = ""
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
            where = "" if shift == "none" else f"under the shift {shift} "
            parts.append(f"{where}{_winners(rows)}")
        text += f" By size in the family {family}, the best tuned against the best prompted method"
        text += f" {study.given(budget, [side for one in mine for side in one.names])}: {'; '.join(parts)}."
    return text


def _best_pairs(facing: Sequence[Contrast], score: dict[tuple[str, str, str, int, str, str], float]) -> list[Contrast]:
    def rank(one: Contrast) -> float:
        return sum(score[(one.model, one.stage, side, one.labels, one.task, one.shift)] for side in one.names)

    models = dict.fromkeys(one.model for one in sorted(facing, key=lambda one: one.params))
    return [max((one for one in facing if one.model == model), key=rank) for model in models]


def _winners(rows: Sequence[Contrast]) -> str:
    verbs = {
        "wins": "tuning wins at",
        "loses": "prompting wins at",
        "equivalent": "equivalent at",
        "undecided": "undecided at",
    }
    parts = []
    for verdict, said in verbs.items():
        sizes = [words.short_count(one.params) for one in rows if one.verdict == verdict]
        parts += [f"{said} {words.listed(sizes)}"] if sizes else []
    return ", ".join(parts)
