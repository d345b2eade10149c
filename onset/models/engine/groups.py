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
        apart = _apart(members, common, lengths, toll)
        pending += apart
        gone = {place for part in apart for place in part}
        rest = [place for place in members if place not in gone]
        if rest:
            trunk = _trunk(rest, common, lengths)
            found.append(Group(trunk if len(rest) > 1 and trunk >= SHARE_FROM else 0, tuple(order[i] for i in rest)))
    return found


def _apart(members: Sequence[int], common: Sequence[int], lengths: Sequence[int], toll: int) -> list[list[int]]:
    """The parts of ``members`` that are worth a group of their own. Where a part is not, parts of it may be: two sets
    of demonstrations can begin alike.
    """
    trunk = _trunk(members, common, lengths)
    worth: list[list[int]] = []
    parts = _parts(members, common, lengths, trunk)
    while parts:
        part = parts.pop()
        if _saves(part, common, lengths, trunk) >= toll:
            worth.append(part)
        elif len(part) > 1:
            parts += _parts(part, common, lengths, _trunk(part, common, lengths))
    return worth


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


def _parts(members: Sequence[int], common: Sequence[int], lengths: Sequence[int], trunk: int) -> list[list[int]]:
    """Members cut where neighbours have no more than their ``trunk`` in common, and after a prompt that ends there."""
    parts = [[members[0]]]
    for last, place in pairwise(members):
        if min(common[last:place]) <= trunk or lengths[last] - 1 <= trunk:
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
