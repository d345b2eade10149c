"""Many tables resampled together have the intervals that each has by itself: of whole numbers, right or wrong, to the
bit, of others as far as sums of single precision in another order agree.
"""

from __future__ import annotations

import numpy as np
import pytest

from onset.analysis.estimates.shares import mean, means
from onset.analysis.stats import bootstrap
from onset.analysis.stats.bootstrap import Block, Crossed, crossed_bootstrap, intervals

COUNT = 2000


def tables(seed: int = 0) -> list[list[Block]]:
    """Right and wrong, differences and scores; one draw and several; with holes; of two test sets; hardly different."""
    rng = np.random.default_rng(seed)
    made = []
    for draws, items in ((1, 60), (3, 60), (3, 61), (4, 60), (3, 60)):
        right = (rng.random((draws, items)) < 0.7).astype(float)
        holes = np.where(rng.random((draws, items)) < 0.1, np.nan, right)
        made += [[Block(right)], [Block(rng.normal(size=(draws, items)), 0.5)], [Block(holes)]]
        made += [[Block(right), Block(right[:, : items // 2], -1.0)]]
        made += [[Block(np.zeros((draws, items)))]]
    return made * 2


def crossed(blocks: list[Block]) -> Crossed:
    found = crossed_bootstrap(blocks, COUNT)
    assert found is not None
    return found


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_intervals_are_those_of_each_by_itself(level: float) -> None:
    every = tables()
    together = intervals([crossed(one) for one in every], level)
    alone = [crossed(one).interval(level) for one in every]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    whole = [all((block.values % 1 == 0).all() for block in one) for one in every]
    assert [one for one, is_whole in zip(together, whole, strict=True) if is_whole] == [
        one for one, is_whole in zip(alone, whole, strict=True) if is_whole
    ]
    assert sum(whole) == 30
    assert len(set(alone)) > 20
    assert len(bootstrap._kept) <= bootstrap._KEPT


def test_weights_are_drawn_once_a_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes that come in turn, more of them than are kept, do not push one another out."""
    rng, drawn = np.random.default_rng(1), list[int]()
    own = bootstrap._drawn.__wrapped__

    def counted(n: int, size: int, start: int, stream: str) -> np.ndarray:
        drawn.extend([n] if stream != "draws" else [])
        return own(n, size, start, stream)

    monkeypatch.setattr(bootstrap, "_drawn", counted)
    bootstrap._counts.cache_clear()
    every = [rng.random((2, n)) for _ in range(20) for n in range(40, 52)]
    found = means(every, COUNT)
    assert sorted(drawn) == [*range(40, 52)]
    monkeypatch.undo()
    bootstrap._counts.cache_clear()
    for place in (5, -1):
        value, interval = mean(every[place], COUNT)
        assert found[place] == (value, pytest.approx(interval, rel=1e-5))
