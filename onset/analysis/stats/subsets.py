"""What a few samples would have done, from many: pass@k and maj@k of every k at once, without drawing any subset.

Of N samples of one item, every subset of k is as likely as any other. `passes` is the share of subsets that hold a
right answer (Chen et al. 2021, arXiv 2107.03374, section 2.1, equation 1); `majorities` the share in which the majority
is right (maj1@k of Lewkowycz et al. 2022, arXiv 2206.14858, section 4), where those whose samples are level share their
subset evenly. Both are means over all subsets, so they are unbiased: what k new samples would do on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import special

from onset.analysis.stats.bootstrap import Array


@lru_cache(maxsize=4096)
def passes(right: int, samples: int) -> Array:
    """The share of the subsets of k of ``samples`` that hold one of the ``right`` ones, for k = 1 to ``samples``.

    1 - C(N - c, k) / C(N, k), as a product. Raises ValueError unless 0 <= right <= samples and samples > 0.
    """
    if not (samples > 0 and 0 <= right <= samples):
        raise ValueError(f"pass@k needs 0 <= right <= samples, samples > 0; got {right}, {samples}")
    k = np.arange(samples)
    return np.asarray(1 - np.cumprod(np.maximum(samples - right - k, 0) / (samples - k)), dtype=np.float64)


def majorities(right: Sequence[int], wrong: Sequence[int], unread: int) -> Array:
    """The share of the subsets of k whose majority is right, for k = 1 to the number of samples.

    ``right``, ``wrong``: how many samples gave each of the answers that are right (mostly there is one) and wrong;
    ``unread``: samples without an answer, which do not vote; a subset of these alone is wrong. Answers that are level
    in a subset count as their share of it: of three, a third. Raises ValueError for a negative count or no samples.
    """
    if min([unread, *right, *wrong], default=0) < 0:
        raise ValueError(f"maj@k needs counts from 0 on; got {list(right)}, {list(wrong)}, {unread}")
    kept = tuple(sorted(count for count in right if count)), tuple(sorted(count for count in wrong if count))
    samples = sum(kept[0]) + sum(kept[1]) + unread
    if samples == 0:
        raise ValueError("maj@k needs at least one sample")
    total = np.zeros(samples)
    for place, votes in enumerate(kept[0]):
        total += _won(votes, tuple(sorted(kept[0][:place] + kept[0][place + 1 :] + kept[1])), unread)
    return total


@lru_cache(maxsize=4096)
def _won(votes: int, others: tuple[int, ...], unread: int) -> Array:
    """The share of the subsets of each k that the answer of ``votes`` samples wins against ``others``.

    Over the number j of its samples in a subset: no other answer has more, and t of them have as many, each of which
    takes an equal part. Answers with fewer than j samples can be chosen as the unread are.
    """
    samples = votes + sum(others) + unread
    won = np.zeros(samples + 1)
    for mine in range(1, votes + 1):
        rivals = [count for count in others if count >= mine]
        free = samples - votes - sum(rivals)
        ways = _binomials(free)[None, :]  # [tied, chosen]: subsets of what was gone through so far
        for count in rivals:
            row = _binomials(count)
            fewer = _times(ways, row[:mine])
            level = _times(ways, np.concatenate([np.zeros(mine), row[mine : mine + 1]]))
            grown = np.zeros((ways.shape[0] + 1, max(fewer.shape[1], level.shape[1])))
            grown[:-1, : fewer.shape[1]] += fewer
            grown[1:, : level.shape[1]] += level
            ways = grown
        shares = (ways / np.arange(1, ways.shape[0] + 1)[:, None]).sum(axis=0)
        won[mine : mine + len(shares)] += special.comb(votes, mine) * shares
    every = _binomials(samples)
    share: Array = np.clip(won[1:] / every[1:], 0, 1)
    share.setflags(write=False)
    return share


def _times(ways: Array, row: Array) -> Array:
    """Each row of ``ways`` times the polynomial ``row``."""
    return np.array([np.convolve(one, row) for one in ways])


@lru_cache(maxsize=2048)
def _binomials(n: int) -> Array:
    """C(n, 0) to C(n, n); at most 1000 over 500, which a double holds."""
    row: Array = special.comb(n, np.arange(n + 1))
    return row
