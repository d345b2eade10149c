"""What a sample's value of a metric of lm-evaluation-harness stands for, as a number a document.

Most metrics of a task are the mean of what the samples hold. Some are not: `perplexity` is exp(-mean) of
log-likelihoods, `word_perplexity` and `byte_perplexity` exp(-sum / units), `bits_per_byte` -sum / units / ln 2, where a
sample holds the log-likelihood (nats) and its words or bytes (``lm_eval/api/metrics.py``, 0.4.13). Of these a document
gets its linearised value: the task's value moved by what the document adds to it, to first order (Woodruff 1971, "A
Simple Method for Approximating the Variance of a Complicated Estimate", JASA 66). Their mean is the task's value, and
their variance that of it; differences of two models on the same documents are paired as those of any other score are.

A metric that is aggregated in any other way, or whose documents make another value than the results file states (a
custom aggregation, samples of a part of the run), is known by what is stated alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onset.read.base import is_number

_AGGREGATIONS = {
    "perplexity": "perplexity",
    "word_perplexity": "weighted_perplexity",
    "byte_perplexity": "weighted_perplexity",
    "bits_per_byte": "bits_per_byte",
}
"""How the harness aggregates where a task does not say."""
_MEANS = ("mean", "nanmean")
_UNITS = {"word_perplexity": "words", "byte_perplexity": "bytes", "bits_per_byte": "bytes"}


def aggregation_of(metric: str, config: Mapping[str, Any]) -> str:
    """How a task's ``config`` aggregates ``metric``; ``mean`` where neither says."""
    listed = config.get("metric_list")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping) and one.get("metric") == metric and isinstance(one.get("aggregation"), str):
            return str(one["aggregation"])
    return _AGGREGATIONS.get(metric, "mean")


def lower_is_better(metric: str) -> bool:
    """Is less of it better, as far as the harness says by itself?"""
    return metric in _AGGREGATIONS


def per_document(metric: str, values: Sequence[Any], config: Mapping[str, Any]) -> list[float] | None:
    """A number a document (NaN: it has none); None where the samples do not hold what the metric is made of, as those
    of a whole corpus (BLEU, chrF), whose samples hold texts, and where it is aggregated in a way that is not known.

    ``values``: as the samples have them, a number, true or false, or a pair of log-likelihood (nats) and units.
    """
    kind = aggregation_of(metric, config)
    if kind in ("weighted_perplexity", "bits_per_byte"):
        if not any(map(_is_pair, values)):
            return None
        table = np.array([one if _is_pair(one) else (np.nan, np.nan) for one in values], dtype=np.float64)
        return _linearised(-table[:, 0], table[:, 1], exponential=kind == "weighted_perplexity")
    if not any(map(_is_value, values)) or kind not in (*_MEANS, "perplexity"):
        return None
    numbers = np.array([float(one) if _is_value(one) else np.nan for one in values])
    if kind == "perplexity":
        return _linearised(-numbers, np.where(np.isfinite(numbers), 1.0, np.nan), exponential=True)
    return [float(one) for one in numbers]


ROUNDING = 5e-4
"""How much a score may differ from what its documents make: a share of it, and at least that much."""


def mean_of(numbers: Sequence[float]) -> float:
    """What numbers of `per_document` make: the mean of the documents that have one, NaN where none has."""
    known = [one for one in numbers if math.isfinite(one)]
    return float(np.mean(known)) if known else math.nan


def agree(made: float, stated: float) -> bool:
    """Is what documents make the score that is stated, but for rounding? So it is where either is not a number."""
    return not abs(made - stated) > ROUNDING * max(1.0, abs(stated))


def note_of(metric: str, config: Mapping[str, Any]) -> str | None:
    """What is to be said of a metric that is no mean of its documents' values; None for one that is."""
    kind = aggregation_of(metric, config)
    if kind in ("weighted_perplexity", "bits_per_byte"):
        return f"{metric}: over all {_UNITS.get(metric, 'units')}, so a document counts by how many it has"
    return None


def _is_value(value: Any) -> bool:
    return isinstance(value, bool) or is_number(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value)) and value[1] > 0


def _linearised(nats: Any, units: Any, *, exponential: bool) -> list[float] | None:
    """Of exp(rate), else of rate in bits: ``rate``, the nats of all documents over their units.

    None where no document has a finite number, or the value of the task is too large for one.
    """
    known = np.isfinite(nats) & np.isfinite(units)
    if not known.any():
        return None
    rate = float(nats[known].sum() / units[known].sum())
    if exponential and rate > 700:
        return None
    value = math.exp(rate) if exponential else rate / math.log(2)
    slope = value if exponential else 1 / math.log(2)
    off = (nats - rate * units) / float(units[known].mean())
    return [float(one) for one in np.where(known, value + slope * off, np.nan)]
