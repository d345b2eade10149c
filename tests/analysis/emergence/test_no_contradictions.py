"""No verdict contradicts what stands beside it: over many simulated curves, and on cases that once did."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from onset.analysis.curves.series import Curve, SizePoint, curves_of
from onset.analysis.curves.shapes import Constant, Hinge, Logistic, LogLinear, Quadratic, Step
from onset.analysis.emergence.overview import Entry, Overview
from onset.analysis.emergence.verdict import Emergence, Settings, emergence_of
from onset.report.emergence import print_emergence

SETTINGS = Settings(replicates=99, threshold_replicates=0)
NOTHING = (None, None, None)


def made(share: np.ndarray, n: int, chance: float, seed: int, name: str, *, scatter: float = 0.0) -> Curve:
    rng = np.random.default_rng([seed, n])
    share = np.clip(share, 0.0, 1.0)
    if scatter:
        size = (1 - scatter) / scatter
        share = rng.beta(np.maximum(share * size, 1e-6), np.maximum((1 - share) * size, 1e-6))
    right = rng.binomial(n, share)
    sizes = 10 ** np.linspace(7.0, 7.0 + 0.4 * (len(share) - 1), len(share))
    return curves_of(
        SizePoint(name, "f", f"m{i}", float(size), "accuracy", n=n, correct=int(right[i]), chance=chance)
        for i, size in enumerate(sizes)
    )[0]


def truths(chance: float, wide: float) -> list[Callable[[np.ndarray], np.ndarray]]:
    """Of many kinds, over places from 7 to 7 + ``wide``."""
    end = 7 + wide
    return [
        Constant(chance),
        Constant(chance + 0.3),
        LogLinear(chance - 7 * 0.5 / wide, 0.5 / wide),
        Logistic(chance, 0.9, 2.0, 7 + wide / 2),
        Logistic(chance, 0.9, 2.0, end + 0.5),
        Logistic(chance, 0.9, 12.0, 7 + 0.6 * wide),
        Step(chance, chance + 0.6, end - 0.5),
        Step(chance, chance + 0.07, 7 + wide / 2),
        Step(chance + 0.2, 0.95, 7 + wide / 2),
        Hinge(chance, 0.4, end - 0.6),
        LogLinear(0.9 + 7 * 0.6 / wide, -0.6 / wide),
        Quadratic(chance + 0.05, 1.6 / wide**2, 7 + wide / 2),
    ]


def simulated() -> list[Curve]:
    out = []
    for sizes, n, chance in product((4, 6, 9), (8, 60, 400), (0.0, 0.25)):
        x = np.linspace(7.0, 7.0 + 0.4 * (sizes - 1), sizes)
        for kind, truth in enumerate(truths(chance, float(np.ptp(x)))):
            if (kind + sizes + n) % 2:
                scatter = 0.03 if kind % 3 == 2 else 0.0
                out.append(made(np.asarray(truth(x)), n, chance, kind, f"{kind}/{sizes}/{n}/{chance}", scatter=scatter))
    return out


def contradictions(found: Emergence, settings: Settings) -> list[str]:
    """What does not go together in a verdict and what is said beside it."""
    points, place, family, verdict = found.curve.points, found.threshold.place, found.best_family, found.verdict
    somewhere = (place.estimate, place.low, place.high) != NOTHING
    jump = found.p_jump
    p, q = (1.0 if one is None else one for one in (found.p_value, found.q_value))
    drawn = found.fit is not None and found.fit.drawn
    exact = [float(stats.binom.sf((one.correct or 0) - 1, one.n or 1, one.chance or 0.0)) for one in points]
    emergent, smooth, still = verdict == "emergent", verdict == "smooth", verdict in ("flat", "inverse", "u-shaped")
    rules = {
        f"emergent at p {p}, q {q}": emergent and max(p, q) > settings.level,
        f"emergent, best family {family}": emergent and drawn and family in SLOW,
        f"emergent with p_jump {jump}": emergent and jump is not None and jump <= 0.5,
        "emergent without a word on where": emergent and drawn and not somewhere,
        f"emergent, but {found.notes}": emergent and any("not shown" in note for note in found.notes),
        f"{verdict} with a threshold": still and somewhere,
        f"{verdict} with a midpoint": still and found.midpoint is not None,
        f"u-shaped of {points[0].n} items, {family}": verdict == "u-shaped" and (
            family not in VALLEYS or max(one.n or 0 for one in points) < 9
        ),
        f"smooth, best family {family}": smooth and q > settings.level and drawn and family in NOT_SMOOTH,
        f"{verdict} without growth": (smooth or emergent) and (found.p_change or 0.0) > settings.level,
        "a threshold where no size is above chance": somewhere and min(exact) * len(exact) > settings.level,
        "a place on a curve that does not fit": not drawn and (found.midpoint is not None or somewhere),
    }  # fmt: skip
    return [text for text, wrong in rules.items() if wrong]


SLOW = ("constant", "log-linear", "quadratic", "power law of the error", "power law of the log-probability")
VALLEYS = ("quadratic", "smoothly broken power law")
NOT_SMOOTH = ("step", "constant")


def test_no_verdict_contradicts_what_stands_beside_it() -> None:
    curves = simulated()
    judged = [one for start in range(0, len(curves), 9) for one in emergence_of(curves[start : start + 9], SETTINGS)]
    assert {"emergent", "smooth", "flat", "inverse", "u-shaped", "unresolved"} == {one.verdict for one in judged}
    wrong = {one.curve.curve: said for one in judged if (said := contradictions(one, SETTINGS))}
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nor_over_many_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curves = []
    for index in range(250):
        sizes, n = int(rng.integers(4, 12)), int(rng.choice([8, 20, 50, 100, 300, 1000]))
        chance = float(rng.choice([0.0, 0.1, 0.25, 0.5]))
        x = np.linspace(7.0, 7.0 + 0.4 * (sizes - 1), sizes)
        truth = truths(chance, float(np.ptp(x)))[int(rng.integers(12))]
        scatter = float(rng.choice([0.0, 0.0, 0.02]))
        curves.append(made(np.asarray(truth(x)), n, chance, 1000 * seed + index, f"c{index}", scatter=scatter))
    judged = emergence_of(curves, SETTINGS, adjust=False)
    assert {one.curve.curve: said for one in judged if (said := contradictions(one, SETTINGS))} == {}


def counted(correct: list[int], n: int, chance: float = 0.0) -> Curve:
    return curves_of(
        SizePoint("task", "f", f"m{i}", 10 ** (8 + 0.4 * i), "accuracy", n=n, correct=right, chance=chance)
        for i, right in enumerate(correct)
    )[0]


def test_eight_items_make_no_valley() -> None:
    (found,) = emergence_of([counted([3, 2, 1, 0, 1, 2, 3, 4], 8)], SETTINGS)
    assert found.verdict != "u-shaped"
    (clear,) = emergence_of([counted([150, 90, 40, 20, 40, 90, 150, 180], 200)], SETTINGS)
    assert clear.verdict == "u-shaped"
    assert clear.best_family in VALLEYS


@pytest.mark.slow
def test_what_only_falls_or_rises_is_hardly_ever_called_a_valley() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(7.0, 10.0, 8)
    curves = []
    for index in range(400):
        slope = float(rng.uniform(-0.25, 0.25))
        n = int(rng.choice([8, 16, 40, 200]))
        curves.append(made(0.5 + slope * (x - 8.5), n, 0.0, index, f"c{index}"))
    found = emergence_of(curves, SETTINGS, adjust=False)
    assert sum(one.verdict == "u-shaped" for one in found) <= 400 * 0.05


def test_few_sizes_can_be_more_than_a_straight_line() -> None:
    """Of five sizes with a clear jump the curve is no straight line: a correction for small samples would make it one."""
    (found,) = emergence_of([counted([2, 15, 95, 94, 100], 100)], SETTINGS)
    assert found.best_family not in ("constant", "log-linear")
    (four,) = emergence_of([counted([1, 2, 1, 90], 100)], SETTINGS)
    assert four.best_family in ("step", "hinge")


def test_flat_has_no_threshold_and_the_table_says_nothing_of_one() -> None:
    (found,) = emergence_of([counted([500, 508, 515, 524, 530, 538], 2000, 0.25)], SETTINGS)
    assert found.verdict == "flat"
    assert found.threshold.place.low is None
    out = io.StringIO()
    print_emergence(Overview((Entry(found),), ()), SETTINGS, [], Console(file=out, width=120))
    assert "not in range" not in out.getvalue()


def test_notes_name_the_metric_where_a_curve_has_several_and_say_why_a_likely_jump_is_not_shown() -> None:
    (found,) = emergence_of([counted([10, 10, 11, 11, 13, 17], 40, 0.25)], SETTINGS)
    noted = [replace(found, notes=("first",)), replace(found, notes=("second",))]
    noted[1] = replace(noted[1], curve=replace(found.curve, metric="edit similarity"))
    out = io.StringIO()
    print_emergence(Overview(tuple(map(Entry, noted)), ()), SETTINGS, [], Console(file=out, width=120))
    assert "task (accuracy): first." in out.getvalue()
    assert "task (edit similarity): second." in out.getvalue()
    (likely,) = emergence_of([counted([0, 0, 2, 7, 9], 10)], SETTINGS)
    assert (likely.verdict, likely.p_jump > 0.5, likely.q_value > 0.05) == ("unresolved", True, True)
    (note,) = likely.notes
    assert note.endswith(f", yet the test does not reject smooth growth (q = {likely.q_value:.2g})")


def test_no_threshold_where_no_size_is_above_chance() -> None:
    (found,) = emergence_of([counted([10, 10, 11, 11, 13, 17], 40, 0.25)], SETTINGS)
    assert (found.threshold.place.estimate, found.threshold.place.low, found.threshold.place.high) == NOTHING
