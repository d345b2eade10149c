"""Word problems: who has how many, from sentences that give, compare and change quantities."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from onset.records import Item
from onset.tasks.solving.base import Premises, Solved, Solver, sentences

_B, _A, _T, _K = r"(?P<b>[A-Z]\w*)", r"(?P<a>[A-Z]\w*)", r"(?P<t>[a-z]+)", r"(?P<k>\d+)"
_GIVEN = [rf"{_B} (?:has|owns|keeps|is the owner of) {_K} {_T}"]
_MORE = [
    rf"{_B} has {_K} more {_T} than {_A}(?: has now)?",
    rf"{_B} owns {_K} {_T} more than {_A}",
    rf"{_B} keeps {_K} extra {_T} over {_A}",
    rf"{_B} has as many {_T} as {_A}(?: has now)?, plus {_K}",
]
_LESS = [
    rf"{_B} has {_K} fewer {_T} than {_A}(?: has now)?",
    rf"{_B} owns {_K} {_T} less than {_A}",
    rf"{_B} keeps {_K} {_T} under {_A}",
    rf"{_B} has as many {_T} as {_A}(?: has now)?, minus {_K}",
]
_MANY = [
    rf"{_B} has (?P<many>twice|three times|four times|half|a third) as many {_T} as {_A}(?: has now)?",
    rf"{_B} owns (?P<many>double|half) the {_T} of {_A}",
    rf"{_B} keeps (?P<many>two times|one half of) the {_T} of {_A}",
    rf"{_B} has the number of {_T} that {_A} has(?: now)?,"
    r" (?P<many>doubled|tripled|quadrupled|halved|divided by three)",
]
_GETS = [rf"{_B} then (?:finds|buys|gets) {_K} more", rf"{_B} comes by another {_K} after that"]
_GIVES = [
    rf"{_B} then (?:gives away|loses|sells) {_K} of them",
    rf"{_B} parts with {_K} of them after that",
]
_SPLITS = [
    rf"{_B} then splits them into {_K} equal piles and keeps one pile",
    rf"{_B} sorts them into {_K} equal piles after that and is left with one pile",
]
_OF = [
    rf"How many {_T} does {_B} (?:have|own|keep)(?: now)?",
    rf"What number of {_T} has {_B} got(?: now)?",
]
_TOGETHER = [
    rf"How many {_T} do {_B} and {_A} have together(?: now)?",
    rf"What number of {_T} have {_B} and {_A} got between them(?: now)?",
]
_DIFFERENCE = [
    rf"How many more {_T} does {_B} have than {_A}(?: now)?",
    rf"By how many {_T} is {_B} ahead of {_A}(?: now)?",
]
_COMPARED = [rf"Does {_B} (?:have|own) more or fewer {_T} than {_A}"]
_TIMES = {
    "twice": 2, "three times": 3, "four times": 4, "double": 2, "two times": 2, "doubled": 2, "tripled": 3,
    "quadrupled": 4,
}  # fmt: skip
_PARTS = {"half": 2, "a third": 3, "one half of": 2, "halved": 2, "divided by three": 3}

_Waiting = tuple[re.Match[str], str]
_COMPARE = [("+", _MORE), ("-", _LESS), ("many", _MANY)]
_CHANGE = [("+", _GETS), ("-", _GIVES), ("/", _SPLITS)]


def _match(patterns: list[str], sentence: str) -> re.Match[str] | None:
    return next((found for one in patterns if (found := re.fullmatch(one, sentence.rstrip(".?"))) is not None), None)


def _which(kinds: list[tuple[str, list[str]]], sentence: str) -> tuple[re.Match[str] | None, str]:
    """The kind of sentence that it is, and its sign."""
    return next(((found, sign) for sign, of in kinds if (found := _match(of, sentence)) is not None), (None, ""))


def _work(value: int, sign: str, by: int) -> int | None:
    """None where it is no whole number."""
    if sign == "/":
        return value // by if by and value % by == 0 else None
    return {"+": value + by, "-": value - by, "*": value * by}[sign]


@dataclass(slots=True)
class _State:
    """Who has how much, which step each step needs, and the steps worked so far."""

    has: dict[str, int] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)  # (person, step)
    source: dict[str, str] = field(default_factory=dict)


class Chains(Solver):
    """``starts``: do worked steps begin with what is given? ``most``: the largest quantity that there is."""

    def __init__(self, *, starts: bool, most: int) -> None:
        self._starts, self._most = starts, most

    def solve(self, item: Item, *, strict: bool = True) -> Solved | None:
        """What is asked of the quantities."""
        *told, asked = sentences(item.question)
        state = _State()
        thing = next(
            (one.group("t") for of in (_OF, _TOGETHER, _DIFFERENCE, _COMPARED) if (one := _match(of, asked))), None
        )
        if thing is None or not self._read(state, told, thing, strict):
            return None
        return self._answer(state, asked)

    def _read(self, state: _State, told: list[str], thing: str, strict: bool) -> bool:
        """Take in what is ``told`` of ``thing``: False where it cannot be worked out."""
        waiting: list[_Waiting] = []
        for sentence in told:
            given, (compared, sign), (changed, how) = (
                _match(_GIVEN, sentence), _which(_COMPARE, sentence), _which(_CHANGE, sentence)
            )  # fmt: skip
            if given is not None and given["t"] == thing:
                self._put(state, given["b"], int(given["k"]), f"{given['b']} has {given['k']}." if self._starts else "")
            elif compared is not None and compared["t"] == thing:
                waiting.append((compared, sign))
            elif changed is not None:
                if changed["b"] not in state.has:
                    return False
                self._step(state, changed["b"], changed["b"], how, int(changed["k"]), now=True)
            elif strict and given is None and compared is None:
                return False
            waiting = self._compared(state, waiting)
        return not waiting and all(0 < value <= self._most for value in state.has.values())

    def _compared(self, state: _State, waiting: list[_Waiting]) -> list[_Waiting]:
        """Those that still wait for somebody they compare with."""
        while ready := [one for one in waiting if one[0]["a"] in state.has]:
            match, sign = ready[0]
            waiting = [one for one in waiting if one is not ready[0]]
            if sign == "many":
                many = match["many"]
                sign, by = ("*", _TIMES[many]) if many in _TIMES else ("/", _PARTS[many])
            else:
                by = int(match["k"])
            self._step(state, match["b"], match["a"], sign, by, now=False)
        return waiting

    def _step(self, state: _State, person: str, other: str, sign: str, by: int, *, now: bool) -> None:
        before = state.has[other]
        value = _work(before, sign, by)
        said = f"{person} {'now ' if now else ''}has {before} {sign} {by} = {value}."
        if not now:
            state.source[person] = other
        self._put(state, person, -1 if value is None or before < 0 else value, said)

    def _put(self, state: _State, person: str, value: int, said: str) -> None:
        state.has[person] = value
        if said:
            state.told.append((person, said))

    def _answer(self, state: _State, asked: str) -> Solved | None:
        if (one := _match(_OF, asked)) is not None:
            return self._solved(state, [one["b"]], "", lambda value: str(value[0]))
        if (one := _match(_TOGETHER, asked)) is not None:
            return self._two(state, one["b"], one["a"], "+")
        if (one := _match(_DIFFERENCE, asked)) is not None:
            return self._two(state, one["b"], one["a"], "-")
        if (one := _match(_COMPARED, asked)) is not None and {one["b"], one["a"]} <= state.has.keys():
            last, first = state.has[one["b"]], state.has[one["a"]]
            said = "more" if last > first else "fewer"
            step = f"{last} is {said} than {first}."
            return None if last == first else self._solved(state, [one["b"], one["a"]], step, lambda _: said)
        return None

    def _two(self, state: _State, first: str, second: str, sign: str) -> Solved | None:
        if not {first, second} <= state.has.keys():
            return None
        x, y = state.has[first], state.has[second]
        value = x + y if sign == "+" else x - y
        step = f"Together they have {x} + {y} = {value}." if sign == "+" else f"{first} has {x} - {y} = {value} more."
        return None if value < 1 else self._solved(state, [first, second], step, lambda _: str(value))

    def _solved(self, state: _State, people: list[str], step: str, say: Callable[[list[int]], str]) -> Solved | None:
        needed: list[str] = []
        for person in people:
            at: str | None = person
            while at is not None and at not in needed:
                if at not in state.has:
                    return None
                needed.append(at)
                at = state.source.get(at)
        steps = [said for person, said in state.told if person in needed]
        values = [state.has[person] for person in people]
        return Solved(say(values), " ".join([*steps, *([step] if step else [])]))

    def premises(self, item: Item) -> Premises | None:
        """All sentences but the question, where nothing changes as the story goes on."""
        *told, asked = sentences(item.question)
        if any(_match(of, one) for one in told for _, of in _CHANGE) or self.solve(item) is None:
            return None
        return Premises("question", "", tuple(told), asked)
