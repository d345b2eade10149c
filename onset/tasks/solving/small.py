"""Sums, last letters, coins and programs, read from their questions."""

from __future__ import annotations

import re
from collections.abc import Callable

from onset.records import Item
from onset.tasks.solving.base import Premises, Solved, Solver, sentences

_SIDES = ("heads", "tails")


class Sums(Solver):
    """``What is 347 + 589?`` ``steps``: the worked steps of two operands (None where they are not of one length)."""

    def __init__(self, steps: Callable[[int, int], str | None]) -> None:
        self._steps = steps

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """The sum."""
        forms = (r"What is (\d+) \+ (\d+)\?", r"Add (\d+) and (\d+)\. What do you get\?")
        found = next((one for form in forms if (one := re.search(form, item.question))), None)
        if found is None or (strict and found.group() != item.question):
            return None
        a, b = int(found[1]), int(found[2])
        steps = self._steps(a, b)
        return None if steps is None else Solved(str(a + b), steps)


class LastLetters(Solver):
    """The last letters of the quoted words."""

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """Them, joined."""
        found = re.search(r"\"([^\"]+)\"", item.question)
        if found is None:
            return None
        words = found[1].split()
        answer = "".join(word[-1] for word in words)
        steps = [f'The last letter of "{word}" is "{word[-1]}".' for word in words]
        return Solved(answer, " ".join([*steps, *([f'Together: "{answer}".'] if len(words) > 1 else [])]))


class Coins(Solver):
    """A coin that people flip or leave. ``start`` and ``question``: patterns of the first and of the last sentence;
    ``first``, ``flipped`` and ``left`` write the steps from name and side.
    """

    FLIPS = (
        r"(?P<name>[A-Z]\w*) (?:flips (?:the coin|it)|turns the coin over|turns it over"
        r"|does not leave (?:the coin|it) as it is)\."
    )
    LEAVES = (
        r"(?P<name>[A-Z]\w*) (?:does not flip the coin|does not flip it|leaves it|leaves (?:the coin|it) as it is"
        r"|does not turn (?:the coin|it) over)\."
    )

    def __init__(self, first: str, flipped: str, left: str) -> None:
        self._words = first, flipped, left

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """The side that is up in the end."""
        start, *told, asked = sentences(item.question)
        found = re.fullmatch(r"A coin (?:lies|shows) (heads|tails)(?: up)?\.", start)
        if found is None or not asked.startswith("Which side "):
            return None
        up = _SIDES.index(found[1])
        first, flipped, left = self._words
        steps = [first.format(side=_SIDES[up])]
        for sentence in told:
            turned, stayed = re.fullmatch(self.FLIPS, sentence), re.fullmatch(self.LEAVES, sentence)
            if turned is not None:
                up ^= 1
                steps.append(flipped.format(name=turned["name"], side=_SIDES[up]))
            elif stayed is not None:
                steps.append(left.format(name=stayed["name"], side=_SIDES[up]))
            elif strict:
                return None
        return Solved(_SIDES[up], " ".join(steps))

    def premises(self, item: Item) -> Premises | None:
        """What people do: flips commute."""
        start, *told, asked = sentences(item.question)
        return None if self.solve(item) is None else Premises("question", start, tuple(told), asked)


class Programs(Solver):
    """A program of assignments in any order that can run; every value is a whole number from 1 to ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """What it prints, or what the variable to be solved for is."""
        lines = item.question.split("\n")
        asked = next((one for line in lines if (one := re.fullmatch(r"print\((\w)\)|solve (\w):", line))), None)
        made = {one[1]: one for line in lines if (one := re.fullmatch(r"(\w) = (\d+|\w)(?: ([-+*/]) (\d+))?", line))}
        if asked is None or len(made) != len(lines) - 1:
            return None
        values: dict[str, int] = {}
        steps = []
        while left := [one for name, one in made.items() if name not in values]:
            ready = [one for one in left if one[2].isdigit() or one[2] in values]
            if not ready:
                return None
            one = ready[0]
            start = int(one[2]) if one[2].isdigit() else values[one[2]]
            by = int(one[4] or 0)
            value = start
            if one[3]:
                if one[3] == "/" and (by == 0 or start % by):
                    return None
                value = {"+": start + by, "-": start - by, "*": start * by, "/": start // (by or 1)}[one[3]]
            if not 0 < value <= self._most:
                return None
            values[one[1]] = value
            steps.append(f"# {one[1]} = {f'{start} {one[3]} {by} = ' if one[3] else ''}{value}")
        name = asked[1] or asked[2]
        return Solved(str(values[name]), "\n".join(steps)) if name in values else None
