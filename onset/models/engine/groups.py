"""Which prompts share a trunk: grouping by longest common beginning, in tokens.

Nobody says what prompts have in common: it is read off their tokens, so a method may put together its prompts as it
likes. Prompts with the same demonstrations end up together; those with others form a group of their own, run after the
first, when what it saves outweighs that its last rows run in a smaller batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SHARE_FROM = 32
"""Shortest trunk worth a second part of the attention, in tokens."""


@dataclass(frozen=True, slots=True)
class Group:
    """Prompts (by place) whose first ``trunk`` tokens are the same; 0: they share nothing worth sharing."""

    trunk: int
    members: tuple[int, ...]


def group(prompts: Sequence[Sequence[int]], toll: int) -> list[Group]:
    """Group different ``prompts``, none empty. Every member of a group keeps at least one token after the trunk.

    ``toll``: the tokens of prefill that a group of its own must save. The order of groups, and of members within one,
    is that of the prompts' tokens.
    """
    order = sorted(range(len(prompts)), key=lambda place: tuple(prompts[place]))
    arrays = [np.array(prompts[place], dtype=np.int64) for place in order]
    common = [_common(one, other) for one, other in pairwise(arrays)]
    lengths = [len(array) for array in arrays]
    found: list[Group] = []
    pending = [list(range(len(order)))] if order else []
    while pending:
        members = pending.pop()
        trunk = _trunk(members, common, lengths)
        apart = [part for part in _parts(members, common, trunk) if _saves(part, common, lengths, trunk) >= toll]
        if len(apart) == 1 and len(apart[0]) == len(members):
            apart = []
        gone = {place for part in apart for place in part}
        rest = [place for place in members if place not in gone]
        pending += apart
        if rest and gone:
            trunk = _trunk(rest, common, lengths)
        if rest:
            found.append(Group(trunk if len(rest) > 1 and trunk >= SHARE_FROM else 0, tuple(order[i] for i in rest)))
    return found


def _common(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many first tokens two prompts have in common."""
    length = min(len(one), len(other))
    different = np.flatnonzero(one[:length] != other[:length])
    return int(different[0]) if len(different) else length


def _trunk(members: Sequence[int], common: Sequence[int], lengths: Sequence[int]) -> int:
    """What members (places in sorted order) have in common. Of sorted prompts that is the least that any two
    neighbours between the first and the last of them have.
    """
    between = common[members[0] : members[-1]]
    return min([*between, min(lengths[place] for place in members) - 1])


def _parts(members: Sequence[int], common: Sequence[int], trunk: int) -> list[list[int]]:
    """Members cut where neighbours have no more than the trunk in common."""
    parts = [[members[0]]]
    for last, place in pairwise(members):
        if min(common[last:place]) <= trunk:
            parts.append([])
        parts[-1].append(place)
    return parts


def _saves(part: Sequence[int], common: Sequence[int], lengths: Sequence[int], trunk: int) -> int:
    """Tokens of prefill that a group of its own saves: each but the first is spared the longer trunk, which for its
    part is run from the start.
    """
    longer = _trunk(part, common, lengths)
    if len(part) < 2 or longer < SHARE_FROM:
        return -1
    return (longer - trunk) * (len(part) - 1) - trunk
