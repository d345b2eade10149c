"""pass@k and maj@k against the enumeration of every subset, and against what their authors' code gives."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from onset.analysis.stats.subsets import majorities, passes


def enumerated(answers: list[str | None], right: set[str], k: int) -> Fraction:
    """maj@k by going through every subset."""
    total = Fraction(0)
    for subset in itertools.combinations(answers, k):
        counts = Counter(one for one in subset if one is not None)
        top = [one for one, count in counts.items() if count == max(counts.values())]
        total += Fraction(sum(one in right for one in top), len(top)) if top else 0
    return total / math.comb(len(answers), k)


BANKS: list[tuple[list[str | None], set[str]]] = [
    (["a"], {"a"}),
    (["b"], {"a"}),
    ([None, None, "a"], {"a"}),
    (["a", "b"], {"a"}),
    (["a", "a", "b", "b", "c", None], {"a"}),
    (["a", "b", "c", "d", "e"], {"c"}),
    (["a"] * 3 + ["b"] * 3 + ["c"] * 3, {"b"}),
    (["a"] * 4 + ["b"] * 2 + ["c"] * 2 + [None] * 2, {"b"}),
    (["a"] * 2 + ["b"] * 2 + ["c"] * 3 + ["d"], {"a", "b"}),
    ([None] * 4, {"a"}),
    (["a"] * 6, {"a"}),
]


@pytest.mark.parametrize(("answers", "right"), BANKS)
def test_maj_at_k_is_the_mean_over_all_subsets(answers: list[str | None], right: set[str]) -> None:
    counts = Counter(answers)
    found = majorities(
        [n for one, n in counts.items() if one in right],
        [n for one, n in counts.items() if one is not None and one not in right],
        counts[None],
    )
    wanted = [float(enumerated(answers, right, k)) for k in range(1, len(answers) + 1)]
    assert found == pytest.approx(wanted, abs=1e-12)


def test_maj_at_k_of_random_banks_is_the_mean_over_all_subsets() -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        answers = [None if one == 4 else "abcd"[one] for one in rng.integers(0, 5, rng.integers(2, 11))]
        counts = Counter(answers)
        wrong = [n for one, n in counts.items() if one not in ("a", None)]
        found = majorities([counts["a"]], wrong, counts[None])
        assert found == pytest.approx(
            [float(enumerated(answers, {"a"}, k)) for k in range(1, len(answers) + 1)], abs=1e-12
        )


def test_pass_at_k_is_the_estimator_of_its_authors() -> None:
    """`estimate_pass_at_k` of github.com/openai/human-eval, evaluation.py: 1 if n - c < k, else a product."""

    def estimator(n: int, c: int, k: int) -> float:
        if n - c < k:
            return 1.0
        return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))

    for n in (1, 2, 5, 20, 200):
        for c in {0, 1, n // 3, n - 1, n}:
            assert passes(c, n) == pytest.approx([estimator(n, c, k) for k in range(1, n + 1)], abs=1e-12)


def test_one_sample_is_the_share_that_is_right() -> None:
    assert majorities([3], [4, 1], 2)[0] == pytest.approx(0.3)
    assert passes(3, 10)[0] == pytest.approx(0.3)


def test_of_all_samples_there_is_one_subset() -> None:
    assert majorities([5], [4, 1], 0)[-1] == pytest.approx(1)
    assert majorities([4], [4, 2], 3)[-1] == pytest.approx(1 / 2)
    assert majorities([3], [4], 9)[-1] == pytest.approx(0)


def test_a_thousand_samples_overflow_nothing() -> None:
    """Against the limit of many samples: with 60 % right of two answers, the majority of 101 is the binomial's."""
    found = majorities([600], [400], 0)
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(0.6)
    assert found[-1] == pytest.approx(1)
    # two answers and odd k: hypergeometric, at least 51 of 101
    tail = sum(math.comb(600, j) * math.comb(400, 101 - j) for j in range(51, 102)) / math.comb(1000, 101)
    assert found[100] == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("bad", [([-1], [2], 0), ([], [], 0), ([0], [0], 0), ([1], [1], -1)])
def test_counts_that_are_none_are_refused(bad: tuple[list[int], list[int], int]) -> None:
    with pytest.raises(ValueError, match="maj@k needs"):
        majorities(*bad)


@pytest.mark.parametrize("bad", [(-1, 3), (4, 3), (0, 0)])
def test_shares_of_nothing_are_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="pass@k needs"):
        passes(*bad)
