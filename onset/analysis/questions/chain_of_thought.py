"""Does chain of thought help, and which models?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.parts import Verdict
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, by_task, tones
from onset.analysis.questions.comparison_words import draws_agree
from onset.analysis.questions.emergence import tasks_said
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say, Sentence


class ChainOfThought(Question):
    """Per task without a finding on emergence, which says more: steps against none, model by model."""

    kind = "chain of thought"
    figure = "size"
    unit = "points"
    verdicts = tones({"helps": "for", "hurts": "against", "equivalent": "level", "mixed": "open", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        by_size = tasks_said(study)
        for task, arms in by_task(study.clean()).items():
            if task in by_size:
                continue
            plain = [arm for arm in arms if not arm.tuned and arm.asked.vote is None]
            chains = {arm.method for arm in plain if arm.asked.prompt == "cot"}
            direct = {arm.method for arm in plain if arm.asked.prompt == "answer-only"}
            pairs = [
                one
                for one in study.contrasts.methods
                if one.task == task and one.shift == "none" and one.difference is not None and set(one.names) & chains
                and set(one.names) & direct
            ]  # fmt: skip
            if not pairs:
                continue
            # where a study asks in several ways, steps are held against none asked in the same way
            asked = {(arm.model, arm.method): arm.asked.template for arm in plain}
            alike = [one for one in pairs if len({asked[one.model, side] for side in one.names}) == 1]
            pairs = alike or pairs
            budget = max(one.labels for one in pairs)
            families = {arm.model: arm.family for arm in plain}
            gains = [one if one.names[0] in chains else one.turned() for one in pairs if one.labels == budget]
            settings = dict.fromkeys(tuple(sorted(one.names, key=lambda side: side in direct)) for one in gains)
            for setting in settings:  # a pair of methods each: they may differ in more than the steps
                rows = sorted((one for one in gains if {*one.names} == {*setting}), key=lambda one: one.params)
                where = partial(_where, study, rows[0], setting, len(settings) > 1)
                subject = task if len(settings) == 1 else f"{task}, {' against '.join(setting)}"
                asked_how = setting[0] if len({chain for chain, _ in settings}) > 1 else "cot"
                yield self._finding(subject, where, rows, families, study.named(task), asked_how)

    def _finding(
        self,
        subject: str,
        where: Sentence,
        rows: Sequence[Contrast],
        families: Mapping[str, str],
        of: str | None,
        chain: str,
    ) -> Finding:
        """``of``: the task in a short line; ``chain``: what the line calls chain of thought."""
        one = rows[-1]
        gain, interval = one.gap, one.spread
        mixed = len({one.verdict for one in rows}) > 1
        verdict = {"wins": "helps", "loses": "hurts"}.get(one.verdict, "mixed" if mixed else one.verdict)
        shown = one.turned() if verdict == "hurts" else one
        short = lines.line(
            f"chain of thought.{verdict}", of, method=lines.method(chain), model=one.model,
            points=lines.points(shown.gap), range=lines.share_range(shown.spread),
        )  # fmt: skip
        return self.finding(
            subject,
            verdict,
            partial(_sentence, where, rows, families),
            short,
            estimate=gain,
            interval=interval,
            n=one.n,
            test=one.test,
        )


def _where(study: Analysis, one: Contrast, setting: tuple[str, ...], named: bool, say: Say) -> str:
    """``named``: whether the methods are, as the study holds several against each other."""
    given = given_words(study, one.labels, setting, one.task, say)
    if not named:
        return say("Chain of thought on {task}, {given}", task=say.named_task(one.task), given=given)
    said, (chain, direct) = "Chain of thought ({chain} against {direct}) on {task}, {given}", map(say.named, setting)
    return say(said, chain=chain, direct=direct, task=say.named_task(one.task), given=given)


def _sentence(where: Sentence, rows: Sequence[Contrast], families: Mapping[str, str], say: Say) -> str:
    """``rows``: by size."""

    def models(verdict: Verdict) -> str:
        return say.listed(list(dict.fromkeys(one.model for one in rows if one.verdict == verdict)))

    one, held = rows[-1], {row.verdict for row in rows}
    said = {
        "wins": say("helps {models}", models=models("wins")),
        "loses": say("hurts {models}", models=models("loses")),
        "equivalent": say("makes no difference for {models}", models=models("equivalent")),
        "undecided": say("is undecided for {models}", models=models("undecided")),
    }
    does = say.clauses(text for verdict, text in said.items() if verdict in held)
    scope = say("with these examples it ") if one.scope == "these examples" else ""
    gain = say(
        "the gain for {model} is {points} ({range}; {sample})", model=one.model, points=say.points(one.gap),
        range=say.point_range(one.spread), sample=say.sample(one.n, len(one.draws)),
    )  # fmt: skip
    gain += draws_agree(one, say) if one.verdict == "undecided" else ""
    text = say("{where}: {said}", where=where(say), said=f"{scope}{does}")
    different = len({families[row.model] for row in rows}) > 1
    caution = say("the models are of different families, so this is not an effect of size alone") if different else ""
    return say.text([say.clauses([text, _onset_size(rows, families, say), gain]), caution])


def _onset_size(rows: Sequence[Contrast], families: Mapping[str, str], say: Say) -> str:
    """The size from which on it helps at every size of one family (at least three); empty where there is none."""
    for family in dict.fromkeys(families[row.model] for row in rows):
        ladder = [row for row in rows if families[row.model] == family]
        if len({row.params for row in ladder}) < 3:
            continue
        helped = [row.verdict == "wins" for row in ladder]
        if True in helped and not all(helped) and all(helped[helped.index(True) :]):
            return say(
                "in the family {family} it first helps at {size} and at every larger size tried"
                if len(helped) - helped.index(True) > 1
                else "in the family {family} it first helps at {size}",
                family=family, size=say.parameters(ladder[helped.index(True)].params),
            )  # fmt: skip
    return ""
