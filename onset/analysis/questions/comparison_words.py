"""What a contrast of methods or stages says in words: the verdict, what it is about, and for an undecided one why and
what is missing.
"""

from __future__ import annotations

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.stats.adjust import ALPHA

LEAST_DISCORDANT = 6
"""Discordant pairs below which McNemar's exact test cannot reach p below .05: 2 / 2^5 is .0625, 2 / 2^6 is .031."""
_LISTED = 6


def comparison_sentence(one: Contrast) -> str:
    """The contrast in a sentence, said of the plus side."""
    a, b = one.names
    shown = one.turned() if one.verdict == "loses" else one
    if shown.difference is None or shown.interval is None:
        why = "; ".join(one.refused) or "they share no items"
        return f"{a} and {b} cannot be compared: {why}."
    size, margin = words.sample(one.n, len(one.draws)), one.scale.margin or 0.0
    gap, spread = words.points(shown.difference), words.point_range(shown.interval)
    small = f", less than the margin of {words.points(margin)}" if abs(shown.difference) < margin else ""
    scope = " with these examples" if one.scope == "these examples" else ""
    text = {
        "wins": f"{a} beats {b}{scope} by {gap} ({spread}; {size}){small}",
        "loses": f"{a} is worse than {b}{scope} by {gap} ({spread}; {size}){small}",
        "equivalent": f"{a} and {b} are equivalent within {words.points(margin)}{scope}:"
        f" they differ by {gap} ({spread}; {size})",
        "undecided": f"undecided between {a} and {b}{scope}: they differ by {gap} ({spread}; {size})"
        f"{draws_agree(one)}{_why(one)}{_what_is_missing(one)}",
    }[one.verdict]
    flagged = f"; not all draws were compared ({'; '.join(one.refused)})" if one.refused else ""
    return f"{text}{flagged}."


def stage_sentence(one: Contrast) -> str:
    """The contrast of two stages in a sentence, with how they were asked."""
    where = f"{one.method} with {words.counted(one.labels, 'label')} on {one.task}, {words.parameters(one.params)}"
    where += "" if one.at.clean else f", shift {one.shift}"
    return f"{where}: {comparison_sentence(one)}"


def draws_agree(one: Contrast) -> str:
    """Where every one of several draws puts the same side ahead: which, by how much, and whether each one does so for
    its own examples; empty otherwise.
    """
    held = agreement(one)
    return "" if held is None else f"; {held[0]} is ahead in {held[1]}"


def agreement(one: Contrast) -> tuple[str, str] | None:
    """The side that is ahead in every one of several draws, and in words in how many and by how much; else None."""
    signs = {(value > 0) - (value < 0) for value in one.by_draw}
    if len(one.by_draw) < 2 or len(signs) > 1 or signs == {0}:
        return None
    ahead = one.names[0 if signs == {1} else 1]
    gaps = [words.number(100 * abs(value)) for value in one.by_draw]
    shown = words.listed(gaps) if len(gaps) <= _LISTED else f"{min(gaps, key=float)} to {max(gaps, key=float)}"
    count = "both draws" if len(gaps) == 2 else f"each of the {len(gaps)} draws"
    found = sum(p <= ALPHA for p in one.p_by_draw)
    each = ""
    if found == len(gaps):
        each = "; each alone would settle it for its own examples"
    elif found:
        each = f"; {found} of them alone would settle it for {'its' if found == 1 else 'their'} own examples"
    return ahead, f"{count} (by {shown} points{each})"


def _why(one: Contrast) -> str:
    """Why an undecided comparison is not decided, where that does not show in its interval."""
    if one.decided is not None and one.p is not None and one.p <= ALPHA:
        alone, together = words.probability(one.p), words.probability(one.decided.p)
        return f", p {alone} alone and {together} after correcting for {one.decided.size} comparisons"
    pairs = sum(one.discordant)
    if len(one.draws) == 1 and one.p_by_draw and 0 < pairs < LEAST_DISCORDANT:
        return (
            f"; an exact McNemar test needs at least {LEAST_DISCORDANT} items that only one side has right, all the"
            f" same side, for p below .05, and here {'there is 1' if pairs == 1 else f'there are {pairs}'}"
        )
    return ""


def _what_is_missing(one: Contrast) -> str:
    if not one.difference:
        return "; the two are level, which shows neither a difference nor equivalence"
    ways = [f"about {one.needed} items"] if one.needed is not None else []
    ways += [f"{one.needed_draws} draws of as many items"] if one.needed_draws is not None else []
    few = ""
    if one.not_pooled is not None and len(one.draws) < 4:
        few = f"; {words.counted(len(one.draws), 'draw')} alone hardly show how draws differ"
    if ways:
        return f"{few}; {' or '.join(ways)} would decide it with 80 % power"
    return f"{few}; more items alone may not decide it, because the draws differ by too much: use more seeds"
