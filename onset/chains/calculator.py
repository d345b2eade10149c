"""A text whose sums are worked out by a calculator, after it was written.

Source: the external calculator of Wei et al. 2022 (arXiv 2201.11903, appendix B): it is applied to the equations of a
chain that is there already, and where a result changes, the number is put into what follows by matching it. (Cobbe et
al. 2021, arXiv 2110.14168, appendix C, calculate while the model writes: it then goes on from the right result, which
takes calls of its own.)

    Ray has 5 * 3 = 16 keys. With 2 more he has 16 + 2 = 18. The answer is 18.
    Ray has 5 * 3 = 15 keys. With 2 more he has 15 + 2 = 17. The answer is 17.

Deviations: sums are worked out by a parser (there: by Python's `eval`); a result that is right up to the digits shown
stays as it is written; a number that a later equation finds again, rightly, is put in no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from onset.chains.arithmetic import holds, result_of, sides_at, tokens_of

_DIGITS = 2
"""Decimals of a result that has no end, where the text shows fewer."""
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Worked:
    """The ``text`` with its sums worked out, and how many results were ``replaced`` (not counting what follows)."""

    text: str
    replaced: int


def worked(text: str) -> Worked:
    """``text`` with the result of every wrong equation replaced, there and in what follows. A pure function."""
    tokens = tokens_of(text)
    new: dict[int, str] = {}
    instead: dict[Fraction, tuple[Fraction, str]] = {}
    results: set[int] = set()
    replaced = 0
    for place, token in enumerate(tokens):
        if token.kind == "number" and place not in results and token.value in instead:
            token.value, new[place] = instead[token.value]
            token.decimals = len(new[place].partition(".")[2])
        if token.kind != "=" or (sides := sides_at(tokens, place, text)) is None:
            continue
        result = sides.result
        # the number behind the sign is a result where it stands alone, or the sum goes on from it to another sign
        end = place + 1 + len(sides.right)
        alone = len([one for one in sides.right if one.kind == "number"]) == 1
        if result is None or result.percent or not (alone or (end < len(tokens) and tokens[end].kind == "=")):
            continue
        results.add(place + 1)
        right, value = holds(sides, token), result_of(sides.left)
        if right is None or value is None:
            continue
        if right:
            instead.pop(result.value, None)
            continue
        said = written(value, result.decimals)
        instead[result.value] = (Fraction(said), said)
        result.value, result.decimals, new[place + 1] = Fraction(said), len(said.partition(".")[2]), said
        replaced += 1
    return Worked(
        _rewritten(text, [(tokens[place].start, tokens[place].end, said) for place, said in new.items()]), replaced
    )


def written(value: Fraction, decimals: int) -> str:
    """``value`` in digits: whole, or to its last decimal where it has few, else rounded to ``decimals`` or two."""
    if value.denominator == 1:
        return str(value.numerator)
    exact = next((n for n in range(1, _MOST_DIGITS + 1) if (value * 10**n).denominator == 1), None)
    places = max(decimals, _DIGITS) if exact is None else exact
    whole = round(abs(value) * 10**places)
    digits = str(whole).zfill(places + 1)
    return f"{'-' if value < 0 and whole else ''}{digits[:-places]}.{digits[-places:]}"


def _rewritten(text: str, pieces: list[tuple[int, int, str]]) -> str:
    made, at = [], 0
    for start, end, said in sorted(pieces):
        made += [text[at:start], said]
        at = end
    return "".join([*made, text[at:]])
