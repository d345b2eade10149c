"""What a contrast of methods or stages says in words: the verdict, what it is about, and for an undecided one why and
what is missing.
"""

from __future__ import annotations

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.stats.adjust import ALPHA

LEAST_DISCORDANT = 6
"""Discordant pairs below which McNemar's exact test cannot reach p below .05: 2 / 2^5 is .0625, 2 / 2^6 is .031."""
_LISTED = 6


def comparison_sentence(one: Contrast, say: Say = ENGLISH) -> str:
    """The contrast in a sentence, said of the plus side."""
    return say.stopped(comparison_words(one, say))


def comparison_words(one: Contrast, say: Say) -> str:
    """The contrast in words without a stop, said of the plus side."""
    a, b = (_called(one, name, say) for name in one.names)
    shown = one.turned() if one.verdict == "loses" else one
    if shown.difference is None or shown.interval is None:
        why = say.clauses(map(say.told, one.refused)) or say("they share no items")
        return say("{a} and {b} cannot be compared: {why}", a=a, b=b, why=why)
    margin = one.scale.margin or 0.0
    small = abs(shown.difference) < margin
    places = {
        "a": a,
        "b": b,
        "scope": say(" with these examples") if one.scope == "these examples" else "",
        "gap": say.points(shown.difference),
        "range": say.point_range(shown.interval),
        "sample": say.sample(one.n, len(one.draws)),
        "margin": say.points(margin),
    }
    if one.verdict == "wins":
        text = say("{a} beats {b}{scope} by {gap} ({range}; {sample})", **places)
        text += say(", less than the margin of {margin}", **places) if small else ""
    elif one.verdict == "loses":
        text = say("{a} is worse than {b}{scope} by {gap} ({range}; {sample})", **places)
        text += say(", less than the margin of {margin}", **places) if small else ""
    elif one.verdict == "equivalent":
        said = "{a} and {b} are equivalent within {margin}{scope}: they differ by {gap} ({range}; {sample})"
        text = say(said, **places)
    else:
        text = say("undecided between {a} and {b}{scope}: they differ by {gap} ({range}; {sample})", **places)
        text += f"{draws_agree(one, say)}{_why(one, say)}{_what_is_missing(one, say)}"
    return text + (say("; not all draws were compared{why}", why=say.reasons(one.refused)) if one.refused else "")


def _called(one: Contrast, name: str, say: Say) -> str:
    """A side by its name: methods and stages in the language, others as they are."""
    return {"method": say.named, "stage": say.stage}.get(one.axis, str)(name)


def stage_sentence(one: Contrast, say: Say = ENGLISH) -> str:
    """The contrast of two stages in a sentence, with how they were asked."""
    where = say(
        "{method} with {labels} on {task}, {size}", method=say.named(one.method),
        labels=say.counted("label", one.labels), task=say.named_task(one.task), size=say.parameters(one.params),
    )  # fmt: skip
    where += "" if one.at.clean else say(", shift {shift}", shift=say.shift(one.shift))
    return say("{where}: {said}", where=where, said=comparison_sentence(one, say))


def draws_agree(one: Contrast, say: Say = ENGLISH) -> str:
    """Where every one of several draws puts the same side ahead: which, by how much, and whether each one does so for
    its own examples; empty otherwise.
    """
    held = agreement(one, say)
    return "" if held is None else say("; {side} is ahead in {draws}", side=_called(one, held[0], say), draws=held[1])


def agreement(one: Contrast, say: Say = ENGLISH) -> tuple[str, str] | None:
    """The side that is ahead in every one of several draws, and in words in how many and by how much; else None."""
    signs = {(value > 0) - (value < 0) for value in one.by_draw}
    if len(one.by_draw) < 2 or len(signs) > 1 or signs == {0}:
        return None
    ahead = one.names[0 if signs == {1} else 1]
    gaps = [words.number(100 * abs(value)) for value in one.by_draw]
    shown = say.listed(gaps)
    if len(gaps) > _LISTED:
        shown = say("{low} to {high}", low=min(gaps, key=float), high=max(gaps, key=float))
    found, each = sum(p <= ALPHA for p in one.p_by_draw), ""
    if found == len(gaps):
        each = say("; each alone would settle it for its own examples")
    elif found:
        each = say(
            "; {count} of them alone would settle it for its own examples"
            if found == 1
            else "; {count} of them alone would settle it for their own examples",
            count=found,
        )
    return ahead, say(
        "both draws (by {shown} points{each})"
        if len(gaps) == 2
        else "each of the {count} draws (by {shown} points{each})",
        count=len(gaps), shown=shown, each=each,
    )  # fmt: skip


def _why(one: Contrast, say: Say) -> str:
    """Why an undecided comparison is not decided, where that does not show in its interval."""
    if one.decided is not None and one.p is not None and one.p <= ALPHA:
        return say(
            ", p {alone} alone and {together} after correcting for {count} comparisons",
            alone=say.probability(one.p), together=say.probability(one.decided.p), count=one.decided.size,
        )  # fmt: skip
    pairs = sum(one.discordant)
    if len(one.draws) == 1 and one.p_by_draw and 0 < pairs < LEAST_DISCORDANT:
        return say(
            "; an exact McNemar test needs at least {least} items that only one side has right, all the same side, for"
            " p below .05, and here {found}",
            least=LEAST_DISCORDANT, found=say("there is 1") if pairs == 1 else say("there are {count}", count=pairs),
        )  # fmt: skip
    return ""


def _what_is_missing(one: Contrast, say: Say) -> str:
    if not one.difference:
        return say("; the two are level, which shows neither a difference nor equivalence")
    ways = [say("about {items} items", items=one.needed)] if one.needed is not None else []
    if one.needed_draws is not None:
        ways.append(say("{draws} draws of as many items", draws=one.needed_draws))
    few = ""
    if one.not_pooled is not None and len(one.draws) < 4:
        few = say("; {draws} alone hardly show how draws differ", draws=say.counted("draw", len(one.draws)))
    if ways:
        return few + say("; {ways} would decide it with 80 % power", ways=say(" or ").join(ways))
    return few + say("; more items alone may not decide it, because the draws differ by too much: use more seeds")
