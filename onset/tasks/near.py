"""Near duplicates: two items that ask the same in almost the same words and have the same answer (of several right
ones: one in common).

Texts are compared without case, punctuation and spacing. Two texts are near where the sets of their runs of five
characters have a Jaccard similarity of at least 0.8, and both have 40 characters or more; a shorter text has too few
runs ("great movie", "a great movie"), so it is near to its equal alone. Characters instead of words, so that one
changed word in a sentence does not hide a copy and so that it works where words are not spaced.

Two items are near duplicates where question and context are near (each by itself: two questions on one passage are
not), their choices are the same, and the numbers in them are the same in the same order: "Ray owns 17 keys" and "Ray
owns 19 keys" share a template and have different answers, so they are two problems. Items equal but for their numbers
are told apart (`Nearness.numbers`). Where the answers differ it is no leak (a test item is not given away by a training
item with another answer); those are counted as well (`Nearness.differing`).

Candidates come from MinHash with locality-sensitive hashing (Broder 1997, "On the resemblance and containment of
documents"; Indyk and Motwani 1998), 25 bands of 5 permutations, from the library datasketch: of pairs at a similarity
of exactly 0.8 one in twenty thousand is missed. Each candidate is checked on the sets themselves, so nothing is flagged
that is not near. Equal items give equal results.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onset.records import Item

SIMILARITY = 0.8
SHORTEST = 40
"""Characters, after normalisation, from which on a text may be near to one that is not its equal."""
_RUN = 5
_BANDS, _ROWS = 25, 5
_FEW = 32
_MULTIPLIERS = np.random.default_rng(1).integers(2**63, 2**64 - 1, size=_RUN, dtype=np.uint64) | np.uint64(1)

Runs = NDArray[np.uint64]
"""Hashes of runs of characters, ascending and each once."""
_DIGITS = re.compile(r"\d+")


class _Folded(dict[int, str]):
    """For `str.translate`: letters, marks and digits stay, everything else is a space."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kept = self[code] = char if unicodedata.category(char)[0] in "LMN" else " "
        return kept


_FOLD = _Folded()


def folded(text: str) -> str:
    """Text without case, punctuation and spacing: ``"It's 3 o'clock!"`` -> ``"it s 3 o clock"``."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_FOLD).split())


class Sketch:
    """An item, made ready to be compared. ``group``: what near items share exactly (numbers, choices); ``parts``:
    question and context, a set of runs where the text is long, else the text; ``answers``: the right ones, folded;
    ``masked``: everything but the numbers.
    """

    def __init__(self, item: Item) -> None:
        # a text of punctuation alone ("?!") has nothing left to fold, and is itself
        texts = [folded(text) or text.strip() for text in (item.question, item.context or "")]
        choices = tuple(sorted(folded(choice) for choice in item.choices or ()))
        self.group = (*(tuple(_DIGITS.findall(text)) for text in texts), choices)
        self.parts: tuple[Runs | str, ...] = tuple(_runs(text) if len(text) >= SHORTEST else text for text in texts)
        self.answers = frozenset(folded(one) or one.strip() for one in item.golds)
        self.masked = (*(_DIGITS.sub("0", text) for text in texts), *choices)

    @property
    def short(self) -> bool:
        """Is no part long enough to be near to anything but its equal?"""
        return all(isinstance(part, str) for part in self.parts)

    def near(self, other: Sketch) -> bool:
        """Of two sketches of one group: are they near?"""
        return all(map(_near, self.parts, other.parts))

    @functools.cached_property
    def minhash(self) -> Any:
        """The MinHash of all runs (of a short part: of the text as one run)."""
        made = _blank().copy()
        for place, part in enumerate(self.parts):
            runs = _hashed(part.ljust(_RUN))[:1] if isinstance(part, str) else part
            made.update_batch((runs >> np.uint64(32 - place)) & np.uint64(0xFFFFFFFF))  # a run of each part by itself
        return made


def _hashed(text: str) -> Runs:
    """A hash of every run of characters, in the order of the text: 64 bits, so that equal hashes are equal runs."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    runs: Runs = np.lib.stride_tricks.sliding_window_view(codes, _RUN) @ _MULTIPLIERS
    return runs


def _runs(text: str) -> Runs:
    return np.unique(_hashed(text))


def _near(a: Runs | str, b: Runs | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    if min(len(a), len(b)) < SIMILARITY * max(len(a), len(b)):
        return False
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared >= SIMILARITY * (len(a) + len(b) - shared)


@functools.cache
def _blank() -> Any:
    from datasketch import MinHash  # here: it takes a second to import, and most commands do without

    return MinHash(num_perm=_BANDS * _ROWS, hashfunc=int, seed=1)


class _Group:
    """Long sketches that share their numbers and choices: compared one by one while they are few."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self._hashed: Any = None
        self._inserted = 0

    def candidates(self, sketch: Sketch, sketches: Sequence[Sketch]) -> Sequence[int]:
        if len(self.places) <= _FEW:
            return self.places
        if self._hashed is None:
            from datasketch import MinHashLSH

            self._hashed = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
        for place in self.places[self._inserted :]:
            self._hashed.insert(place, sketches[place].minhash, check_duplication=False)
        self._inserted = len(self.places)
        return sorted(self._hashed.query(sketch.minhash))


class _Index:
    """Sketches that can be asked for those near to another one."""

    def __init__(self) -> None:
        self.sketches: list[Sketch] = []
        self._short: dict[tuple[Any, ...], list[int]] = {}
        self._long: dict[tuple[Any, ...], _Group] = {}

    def add(self, sketch: Sketch) -> None:
        place = len(self.sketches)
        self.sketches.append(sketch)
        if sketch.short:
            self._short.setdefault((sketch.group, sketch.parts), []).append(place)
        else:
            self._long.setdefault(sketch.group, _Group()).places.append(place)

    def candidates(self, sketch: Sketch) -> Sequence[int]:
        """Places of the sketches that may be near to ``sketch``, ascending."""
        if sketch.short:
            return self._short.get((sketch.group, sketch.parts), ())
        group = self._long.get(sketch.group)
        return group.candidates(sketch, self.sketches) if group else ()

    def near(self, sketch: Sketch) -> Iterator[int]:
        """Places of the sketches near to ``sketch``, ascending."""
        return (place for place in self.candidates(sketch) if sketch.near(self.sketches[place]))


@dataclass(frozen=True, slots=True)
class Nearness:
    """What some items have near them among others, as pairs of places (theirs, the first of the others).

    ``same``: near duplicates with the same answer; ``differing``: those with another answer (and none with the same);
    ``numbers``: equal but for the numbers in them.
    """

    same: tuple[tuple[int, int], ...]
    differing: tuple[tuple[int, int], ...]
    numbers: tuple[tuple[int, int], ...]


def near_across(sketches: Sequence[Sketch], others: Sequence[Sketch]) -> Nearness:
    """Which of ``sketches`` have a near duplicate among ``others``, or one equal but for its numbers."""
    index, templates = _Index(), dict[tuple[str, ...], int]()
    for place, sketch in enumerate(others):
        index.add(sketch)
        templates.setdefault(sketch.masked, place)
    same, differing, numbers = [], [], []
    for place, sketch in enumerate(sketches):
        another: int | None = None
        for found in index.near(sketch):
            if others[found].answers & sketch.answers:
                same.append((place, found))
                break
            another = found if another is None else another
        else:
            if another is not None:
                differing.append((place, another))
            elif sketch.masked in templates:
                numbers.append((place, templates[sketch.masked]))
    return Nearness(tuple(same), tuple(differing), tuple(numbers))


def clusters(sketches: Sequence[Sketch]) -> tuple[int, ...]:
    """For each item the place of the first one it is bound to by a chain of near duplicates with equal answers."""
    index = _Index()
    first: list[int] = []

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = place = first[first[place]]
        return place

    for place, sketch in enumerate(sketches):
        first.append(place)
        for found in index.candidates(sketch):
            ends = sorted((root(found), root(place)))
            if ends[0] != ends[1] and sketches[found].answers & sketch.answers and sketch.near(sketches[found]):
                first[ends[1]] = ends[0]
        index.add(sketch)
    return tuple(root(place) for place in range(len(sketches)))


def near_within(sketches: Sequence[Sketch]) -> tuple[tuple[int, int], ...]:
    """Items that are near duplicates of an earlier one, whatever the answers, each with the first such (places)."""
    index = _Index()
    pairs = []
    for place, sketch in enumerate(sketches):
        found = next(index.near(sketch), None)
        if found is not None:
            pairs.append((place, found))
        index.add(sketch)
    return tuple(pairs)
