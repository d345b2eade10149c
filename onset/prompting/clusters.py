"""Groups of texts that use the same words: TF-IDF vectors and k-means, with nothing but numpy and scipy."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def tf_idf(texts: Sequence[str]) -> NDArray[np.float64]:
    """One row of unit length a text, one column a word: count times ln((1 + n) / (1 + df)) + 1, as
    ``TfidfVectorizer()`` of scikit-learn. Words are of two letters or digits at least, in lower case; a text without
    any has a row of zeros.
    """
    counts = [Counter(re.findall(r"\b\w\w+\b", text.lower())) for text in texts]
    words = {word: place for place, word in enumerate(sorted({word for one in counts for word in one}))}
    weights = np.zeros((len(texts), len(words)))
    for row, one in enumerate(counts):
        for word, count in one.items():
            weights[row, words[word]] = count
    frequency = (weights > 0).sum(axis=0)
    weights *= np.log((1 + len(texts)) / (1 + frequency)) + 1
    length = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(length > 0, length, 1.0)


def clusters(texts: Sequence[str], count: int, seed: int) -> list[list[int]]:
    """At most ``count`` groups of places in ``texts``, each in order, that with the first text first: k-means with
    k-means++ seeding (Arthur and Vassilvitskii 2007). Fewer where a group came out empty. Raises ValueError for fewer
    texts than groups.
    """
    from scipy.cluster.vq import kmeans2

    if not 1 <= count <= len(texts):
        raise ValueError(f"{count} clusters of {len(texts)} texts")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        _, labels = kmeans2(tf_idf(texts), count, iter=100, minit="++", rng=np.random.default_rng(seed))
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(place)
    return list(groups.values())
