"""What should I use? The recommendation for a task of the user's own."""

from __future__ import annotations

from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.decisions import Change, Decision, NextStep
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones

_NAMED = 3


class Recommendation(Question):
    """Per own task of the study: what to use, how sure that is, what it costs, what may change it."""

    kind = "decision"
    figure = "labels"
    unit = "share"
    always = True
    verdicts = tones({"best": "for", "level": "for", "open": "open", "only one": "open", "not above chance": "warning"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for one in study.decisions:
            yield self.finding(
                one.task, one.verdict, recommendation(one), _short(one, study.named(one.task)),
                estimate=one.accuracy, interval=one.interval, n=one.n,
                test="against the observed best, adjusted by Bonferroni over all alternatives",
            )  # fmt: skip


def _short(one: Decision, of: str | None) -> lines.Lines:
    return lines.line(
        f"decision.{one.verdict}", of, method=lines.method(one.method), model=one.model,
        labels=lines.count("label", one.labels), share=words.percent(one.accuracy),
        range=lines.share_range(one.interval),
    )  # fmt: skip


def setting(one: Decision) -> str:
    """``lora-answers on ladder/r5 with 64 labelled examples``."""
    return f"{one.method} on {one.model} {words.with_labels(one.labels)}"


def recommendation(one: Decision) -> str:
    """All of it in words."""
    low, high = (words.number(100 * end) for end in one.interval)
    right = f"{words.percent(one.accuracy)} right (95 % interval {low} to {high} %; {words.sample(one.n, one.draws)})"
    if one.verdict == "not above chance":
        text = (
            f"Use none of these yet on {one.task}: the best, {setting(one)}, is not shown to be above chance: {right}"
        )
    elif one.verdict == "open":
        text = f"Not settled on {one.task}; highest so far is {setting(one)}: {right}"
    else:
        text = f"Use {setting(one)} on {one.task}: {right}"
    return " ".join(f"{part}." for part in (text, *_sure(one), _cost(one), *_next(one), *_changes(one), *_load(one)))


def _sure(one: Decision) -> list[str]:
    if one.alternatives == 0:
        return ["Nothing else was tried"]
    if one.ruled_out == one.alternatives:
        return [f"It does better than {_all(one.alternatives)} tried"]
    said = []
    if one.ruled_out:
        said.append(f"{one.ruled_out} of {words.counted(one.alternatives, 'alternative')} are ruled out")
    if one.level:
        said.append(f"as good within the margin, and no cheaper to ask: {_some(one.level)}")
    if one.open:
        said.append(f"as good or better may be: {_some(one.open)}")
    text = "; ".join(said)
    return [text[0].upper() + text[1:]]


def _all(count: int) -> str:
    return "the other one" if count == 1 else f"all {count} others"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _cost(one: Decision) -> str:
    price = one.price
    parts = [f"{words.operations(price.flops)}"]
    if price.seconds is not None:
        parts.append(f"{words.duration(price.seconds)} as measured here")
    if price.money is not None:
        parts.append(f"{price.currency}{price.money:.2g}")
    text = f"A thousand queries cost {', '.join(parts)}"
    if price.tuning_flops > 0:
        once = [words.operations(price.tuning_flops)]
        once += [words.duration(price.tuning_seconds)] if price.tuning_seconds else []
        text += f"; tuning, once, {', '.join(once)}"
    return text


def _next(one: Decision) -> list[str]:
    step = one.next_step
    return [] if step is None else [_step(step)]


def _step(step: NextStep) -> str:
    if step.flops is None:
        return f"More seeds or items would hardly tell it from {step.rival}: take the cheaper one"
    key = f"`seeds: {step.seeds}`" if step.seeds is not None else f"`items: {step.items}`"
    return f"The cheapest next step is {key} ({words.operations(step.flops)}), which may tell it from {step.rival}"


def _changes(one: Decision) -> list[str]:
    said = [_change(change) for change in one.changes]
    return [f"What may change it: {'; '.join(said)}"] if said else []


def _change(one: Change) -> str:
    if one.what == "draws":
        return "other examples, since one draw was tried (`seeds: 3`)"
    more = "more labels" if one.what == "labels" else "a larger model"
    if one.gain is None:
        return f"{more} hardly ({one.after} is not shown to beat {one.before})"
    return f"{more} ({one.after} beats {one.before} by {words.points(one.gain)})"


def _load(one: Decision) -> list[str]:
    if not one.adapters:
        return []
    more = f" ({words.counted(len(one.adapters), 'draw')}, one each)" if len(one.adapters) > 1 else ""
    return [f'Its weights are in the results folder{more}: `import onset`, `onset.open_tuned("D/{one.adapters[0]}")`']
