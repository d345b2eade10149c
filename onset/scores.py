"""Scores: what an answer is worth, and one answer out of several.

Strict: `exact_match`. Continuous: the log-probability of the gold answer, `normalised_choice_probability`, `token_f1`
and `edit_similarity`, so that a jump in ability can be told from a jump in its metric (Schaeffer et al. 2023, arXiv
2304.15004).
One out of several: `vote`. `wilson` puts an interval on a proportion.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

from onset.records import Answer


def exact_match(answer: Answer, gold: str) -> bool:
    """Strict score: was an answer found, and is it the canonical gold answer? An answer that was not found is wrong
    here; that it was not found stays visible in its status.
    """
    return answer.status == "ok" and answer.value == gold


def token_f1(answer: str, gold: str) -> float:
    """F1 of the words that two normalised texts share, each as often as both have it: 0 none, 1 the same words.

    The ``f1_score`` of SQuAD's evaluation script, version 1.1 (Rajpurkar et al. 2016, arXiv 1606.05250, section 6.1).
    Words are parted by spaces. Two texts without words have 0 here and there, though they match exactly.

    >>> token_f1("gulf of tunis", "tunis")
    0.5
    """
    said, right = answer.split(), gold.split()
    common = sum((Counter(said) & Counter(right)).values())
    return 2 * common / (len(said) + len(right)) if common else 0.0


def normalised_choice_probability(gold_index: int, logprobs: Sequence[float | None]) -> float | None:
    """Probability (0..1) of the gold choice among the choices: the softmax over the summed log-probabilities.

    ``logprobs`` holds, for each choice, the sum over its tokens (nats; no length normalisation), so that the ratio of
    two results is the ratio the model itself gives to the two continuations. None when any choice has no
    log-probability or when all of them are impossible (-inf): a softmax over some of the choices is another quantity.
    Raises ValueError when ``gold_index`` is not the index of a choice.
    """
    if not 0 <= gold_index < len(logprobs):
        raise ValueError(f"gold_index {gold_index} with {len(logprobs)} choices")
    shares = choice_probabilities(logprobs)
    return None if shares is None else shares[gold_index]


def choice_probabilities(logprobs: Sequence[float | None]) -> tuple[float, ...] | None:
    """Probability (0..1) of each choice among the choices: the softmax over ``logprobs`` (nats), as in
    `normalised_choice_probability`; None where that is.
    """
    known = [logprob for logprob in logprobs if logprob is not None]
    highest = max(known, default=-math.inf)
    if len(known) < len(logprobs) or highest == -math.inf:
        return None
    weights = [math.exp(logprob - highest) for logprob in known]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """Insertions, deletions and substitutions that make ``b`` of ``a`` (Levenshtein 1966), token by token; a text is
    a sequence of characters.
    """
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (one != other))
    return row[-1]


def edit_similarity(answer: Sequence[object], gold: Sequence[object]) -> float:
    """1 - edit distance / length of the longer one: 1 equal, 0 nothing in common (two empty ones are equal).

    The continuous companion of exact match: where a token is right with probability p, it grows with p, not with p^L
    (Schaeffer et al. 2023, arXiv 2304.15004, section 3).
    """
    longest = max(len(answer), len(gold))
    return 1 - edit_distance(answer, gold) / longest if longest else 1.0


def vote(answers: Sequence[Answer], logprobs: Sequence[float | None] | None) -> Answer:
    """The majority among canonical answers: self-consistency, Wang et al. 2022 (arXiv 2203.11171), section 2 and the
    "unweighted sum" row of its Table 1.

    ``answers`` and ``logprobs`` (nats, one a sample; None: not known) are in sample order. Only answers with status
    ``ok`` vote. A tie goes to the tied answer whose samples have the highest summed log-probability; where one of the
    tied samples has none, or the sums are equal, to the one that was sampled first. When nothing was found in any
    sample, the result has the most common status (``none``, ``truncated`` or ``ambiguous``), a tie going to the one
    sampled first. Raises ValueError for no answers, or lengths that differ.
    """
    if not answers:
        raise ValueError("no answers to vote on")
    if logprobs is not None and len(logprobs) != len(answers):
        raise ValueError(f"{len(answers)} answers with {len(logprobs)} log-probabilities")
    counts = Counter(answer.value for answer in answers if answer.value is not None)
    if not counts:
        # Counter keeps the order of first appearance and `most_common` is stable: ties go to the earliest
        return Answer(None, Counter(answer.status for answer in answers).most_common(1)[0][0])
    most = max(counts.values())
    tied = [value for value, count in counts.items() if count == most]
    if len(tied) > 1 and logprobs is not None:
        tied = _most_probable(tied, answers, logprobs)
    return Answer(tied[0], "ok")


def _most_probable(tied: list[str], answers: Sequence[Answer], logprobs: Sequence[float | None]) -> list[str]:
    """The tied values whose samples' log-probabilities have the highest sum; all of them when one is missing."""
    sums: list[float] = []
    for value in tied:
        own = [logprob for answer, logprob in zip(answers, logprobs, strict=True) if answer.value == value]
        known = [logprob for logprob in own if logprob is not None]
        if len(known) < len(own):
            return tied
        sums.append(math.fsum(known))
    return [value for value, total in zip(tied, sums, strict=True) if total == max(sums)]


def wilson(correct: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval for a proportion: Wilson 1927 (doi 10.1080/01621459.1927.10502953), no continuity correction.

    Returns (low, high) within 0..1. Raises ValueError unless 0 <= correct <= n, n > 0 and 0 < confidence < 1: an
    interval on nothing is missing, not (0, 1).
    """
    if not (n > 0 and 0 <= correct <= n and 0 < confidence < 1):
        raise ValueError(f"wilson needs 0 <= correct <= n, n > 0, 0 < confidence < 1; got {correct}, {n}, {confidence}")
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    share = correct / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # at the ends the bound is exactly 0 or 1; rounding would leave it a hair off
    return (0.0 if correct == 0 else centre - half, 1.0 if correct == n else centre + half)
