"""Several seeds of pretraining a size: the dip, the trend, what the mean is due to, the verdict, and who reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from scipy.optimize import linprog
from scipy.stats import fisher_exact
from synthetic import CellKey

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.emergence.seeds import SeedCurve, seed_curves, trend
from onset.analysis.estimates.pretraining_seeds import pretraining_seeds
from onset.analysis.questions import question
from onset.analysis.stats.counting import Counted
from onset.analysis.stats.dip import dip, dip_test, spread_ties, uniform_dips
from onset.cli import main
from onset.errors import DataError, InputError
from onset.read import read_points
from onset.report.figures import figures
from onset.scores import wilson

SIZES = (20_000, 60_000, 130_000, 260_000, 650_000, 1_300_000)


# ---- the dip ---------------------------------------------------------------------------------------------------------


def by_linear_programming(x: Sequence[float]) -> float:
    """The distance to the closest unimodal distribution function, over every point as its mode: convex before the mode,
    concave behind it, a jump at it.
    """
    x = sorted(x)
    n, best = len(x), 1.0
    for mode in range(n):
        # unknown: the left limits and values at the points (equal but at the mode), and the distance
        names = [(place, side) for place in range(n) for side in ((0, 1) if place == mode else (0,))]
        columns = {key: column for column, key in enumerate(names)}
        columns |= {(place, 1): columns[place, 0] for place in range(n) if place != mode}
        rows, bounds = [], []

        def add(
            terms: dict[int, float], most: float, rows: Any = rows, bounds: Any = bounds, wide: int = len(names)
        ) -> None:
            row = np.zeros(wide + 1)
            for column, factor in terms.items():
                row[column] += factor
            rows.append(row)
            bounds.append(most)

        distance = len(names)
        for place in range(n):
            for side, step in ((0, place / n), (1, (place + 1) / n)):
                at = columns[place, side]
                add({at: 1, distance: -1}, step)
                add({at: -1, distance: -1}, -step)
        add({columns[mode, 0]: 1, columns[mode, 1]: -1}, 0)
        parts = [[(place, 0) for place in range(mode + 1)], [(place, 1) for place in range(mode, n)]]
        for part, sign in zip(parts, (1, -1), strict=True):
            for one, two in pairwise(part):
                add({columns[one]: 1, columns[two]: -1}, 0)
            for one, two, three in zip(part, part[1:], part[2:], strict=False):
                first, second = x[two[0]] - x[one[0]], x[three[0]] - x[two[0]]
                slope = {columns[one]: -1 / first, columns[two]: 1 / first + 1 / second, columns[three]: -1 / second}
                add({key: sign * value for key, value in slope.items()}, 0)
        cost = np.zeros(distance + 1)
        cost[distance] = 1
        found = linprog(cost, A_ub=np.array(rows), b_ub=bounds, bounds=[(0, 1)] * (distance + 1))
        best = min(best, found.fun)
    return best


def test_the_dip_is_the_distance_to_the_closest_unimodal_distribution() -> None:
    rng = np.random.default_rng(3)
    for n in (4, 5, 7, 11):
        for x in (rng.random(n), rng.beta(0.3, 0.3, n), rng.exponential(size=n)):
            assert dip(x.tolist()) == pytest.approx(by_linear_programming(x.tolist()), abs=1e-9), x


def test_dips_of_known_samples() -> None:
    assert dip([3.0]) == 0.5
    assert dip([1, 2, 3, 4, 5, 6, 7, 8]) == pytest.approx(1 / 16)
    assert dip([0, 0, 0, 1, 1, 1]) == pytest.approx(0.25)
    assert dip([0, 1e-9, 2e-9, 3e-9, 1.0]) == pytest.approx(0.1, abs=1e-6)  # one apart is no cluster
    # 50 %, 95 % and 99 % of uniform samples by the table of diptest 0.12.0, which has the same dips to the last bits
    for n, quantiles in ((4, (0.125, 0.2073, 0.2318)), (5, (0.1216, 0.1864, 0.1965)), (10, (0.0978, 0.1396, 0.1597))):
        assert np.quantile(uniform_dips(n), [0.5, 0.95, 0.99]) == pytest.approx(quantiles, abs=0.006)


def test_p_of_the_dip_is_uniform_for_uniform_samples_and_small_for_two_clusters() -> None:
    rng = np.random.default_rng(5)
    p = np.array([dip_test([rng.random(5).tolist(), rng.random(8).tolist()]) for _ in range(300)])
    assert np.quantile(p, [0.1, 0.5]) == pytest.approx([0.1, 0.5], abs=0.09)
    two = [0.02, 0.03, 0.05, 0.91, 0.93]
    assert dip_test([two]) < 0.02
    assert dip_test([two, two]) < dip_test([two]) / 5
    assert dip_test([]) == 1.0


def test_equal_counts_are_laid_out_over_the_step_of_the_rounding() -> None:
    out = spread_ties([0.1, 0.1, 0.5, 0.1, 0.1], [0.04] * 5)
    assert out == pytest.approx([0.085, 0.095, 0.5, 0.105, 0.115])
    few = [0.05, 0.05, 0.1, 0.1, 0.1]  # of 20 items: one item apart
    assert dip_test([spread_ties(few, [0.05] * 5)]) > 0.5 > dip_test([few])


# ---- the trend and the mean --------------------------------------------------------------------------------------------


def test_over_two_sizes_the_trend_is_fishers_exact_test() -> None:
    for has, of in (((0, 5), (5, 5)), ((1, 4), (5, 8)), ((3, 1), (4, 6))):
        table = [[has[0], of[0] - has[0]], [has[1], of[1] - has[1]]]
        tails = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
        assert trend(has, of) == pytest.approx(min(1.0, 2 * min(tails)))


def test_a_trend_over_several_sizes_counts_all_ways_of_dealing() -> None:
    assert trend((0, 1, 2), (2, 2, 2)) == pytest.approx(2 * (1 * 2 * 1) / 20)  # 3 of 6: the most extreme two of 20
    assert trend((2, 2), (2, 2)) is trend((0, 0), (3, 2)) is trend((1,), (2,)) is None
    assert trend((1, 1, 1), (2, 2, 2)) == 1.0


def curve(
    shares: Sequence[Sequence[float]], *, n: int = 200, chance: float | None = 0.0, sizes: Sequence[int] = SIZES
) -> Curve:
    points = tuple(
        SizePoint(
            "sums", "f", f"m{size}-{seed}", float(size), "accuracy", n=n, correct=round(share * n), chance=chance,
            pretraining_seed=seed,
        )
        for size, row in zip(sizes, shares, strict=False)
        for seed, share in enumerate(row)
    )  # fmt: skip
    return Curve("sums", "f", "accuracy", "params", points)


def said(shares: Sequence[Sequence[float]], **more: object) -> SeedCurve:
    (found,) = seed_curves([curve(shares, **more)])  # type: ignore[arg-type]
    assert found is not None
    return found


LOTTERY = (
    (0.01, 0.015, 0.005, 0.0, 0.01),
    (0.015, 0.93, 0.01, 0.005, 0.0),
    (0.91, 0.015, 0.94, 0.005, 0.01),
    (0.015, 0.95, 0.92, 0.94, 0.01),
    (0.94, 0.96, 0.95, 0.93, 0.95),
)


def test_a_lottery_over_seeds_is_emergent_in_distribution() -> None:
    found = said(LOTTERY)
    assert [(one.has, one.of, one.open) for one in found.sizes] == [
        (0, 5, 0),
        (1, 5, 0),
        (2, 5, 0),
        (3, 5, 0),
        (5, 5, 0),
    ]
    assert found.sizes[2].interval == pytest.approx((0.0527, 0.8534), abs=1e-4)  # Clopper and Pearson, 2 of 5
    assert [one.size for one in found.mixed] == [130_000, 260_000]
    assert found.p_trend is not None
    assert found.p_trend < 0.001
    assert found.q_clusters == found.p_clusters
    assert found.q_clusters is not None
    assert found.q_clusters < 0.01
    assert found.due_to_share is not None
    assert 0.95 < found.due_to_share < 1.05
    assert found.verdict == "emergent in distribution"
    assert found.notes == ()


def test_seeds_that_grow_together_are_not() -> None:
    found = said([(a, a + 0.01, a - 0.01, a + 0.02, a) for a in (0.02, 0.06, 0.12, 0.35, 0.7, 0.9)])
    assert found.verdict == "rises"
    assert found.due_to_share is not None
    assert found.due_to_share < 0.5


def test_few_seeds_say_nothing_of_clusters() -> None:
    found = said([(0.01, 0.0), (0.0, 0.95), (0.94, 0.95)])
    assert (found.p_clusters, found.verdict) == (None, "open")
    assert found.notes == ("nothing is said of clusters: that takes 5 seeds of a size, the most are 2",)
    found = said([(0.01,) * 5, (0.01, 0.01, 0.0, 0.01, 0.9), (0.9,) * 5])
    assert found.notes == ("nothing is said of clusters: at no size with 5 seeds are 2 or more on either side",)
    assert found.verdict == "rises"


def test_other_verdicts() -> None:
    assert said(LOTTERY[::-1]).verdict == "falls"
    half = (0.01, 0.93, 0.94, 0.015, 0.0, 0.95)
    assert said([half, half[::-1], half]).verdict == "two clusters"
    assert said([half]).p_trend is None
    assert said([(0.01,) * 5] * 3).verdict == "open"


@pytest.mark.parametrize("has", [(0, 0, 0, 5, 5, 0), (2, 0, 0, 5, 5, 2)])
def test_a_trend_that_the_ends_contradict_is_neither_a_rise_nor_a_fall(has: tuple[int, ...]) -> None:
    found = said([(0.9,) * many + (0.01,) * (5 - many) for many in has])
    assert found.p_trend is not None
    assert found.p_trend < 0.05  # more seeds have it at the larger sizes, but for the largest
    assert found.verdict not in ("rises", "falls")


def test_trends_of_many_curves_are_corrected_for_how_many_there_are() -> None:
    """Of twelve curves without a trend one in 20 is still below .05 by itself, and the most decided one is told."""
    rising = curve([(0.01,) * 5, (0.01,) * 2 + (0.9,) * 3, (0.01,) + (0.9,) * 4])
    level = curve([(0.01,) * 2 + (0.9,) * 3] * 3)
    alone, *_ = seed_curves([rising])
    among, *others = seed_curves([rising, *(replace(level, curve=f"other {at}") for at in range(11))])
    assert alone is not None
    assert among is not None
    assert alone.p_trend is not None
    assert 0.05 / 12 < alone.p_trend <= 0.05
    assert (alone.q_trend, alone.verdict) == (pytest.approx(alone.p_trend), "emergent in distribution")
    assert among.p_trend == alone.p_trend
    assert among.q_trend == pytest.approx(12 * alone.p_trend)
    assert among.verdict == "two clusters"
    assert all(one is not None and one.q_trend == 1.0 for one in others)
    kept, *_ = seed_curves([rising, *(replace(level, curve=f"other {at}") for at in range(11))], adjust=False)
    assert kept is not None
    assert kept.verdict == alone.verdict


def test_the_accuracy_of_a_seed_is_of_all_its_outcomes() -> None:
    """Draws of the same items are worth few trials, by which an interval is made, and no share is rounded to them."""
    made = curve([(1 / 3,) * 5], n=3)
    points = tuple(replace(point, counted=Counted(130, 300, 100.0)) for point in made.points)
    (found,) = seed_curves([replace(made, points=points)])
    assert found is not None
    assert [(one.accuracy, one.interval) for one in found.sizes[0].seeds] == [(130 / 300, wilson(1, 3))] * 5
    assert found.sizes[0].mean == pytest.approx(130 / 300)


def test_what_items_do_not_tell_counts_as_not_having_it_and_is_said() -> None:
    found = said([(0.0, 0.1, 0.4), (0.5, 0.5, 0.5)], n=20)
    (small, large) = found.sizes
    assert [(one.has, one.lacks) for one in small.seeds] == [(False, False), (False, False), (True, False)]
    assert (small.has, small.of, small.open) == (1, 3, 2)
    assert large.share == 1.0
    assert found.notes[-1] == "of 2 seeds the items do not tell whether they have it: counted as not having it"
    at_chance = said([(0.5, 0.5), (0.6, 0.9)], chance=0.5)
    assert [one.has for one in at_chance.sizes] == [0, 1]
    assert at_chance.above == 0.55


def test_the_accuracy_from_which_a_seed_has_it_can_be_asked_for() -> None:
    held = curve([(0.3, 0.4), (0.5, 0.9)])
    found = [seed_curves([held], above=above)[0] for above in (None, 0.45, 0.7)]
    assert [[size.has for size in one.sizes] for one in found if one] == [[2, 2], [0, 1], [0, 1]]
    assert [size.open for size in found[1].sizes if found[1]] == [1, 1]  # type: ignore[union-attr]
    for above, chance in ((0.04, 0.0), (0.54, 0.5), (1.0, 0.0)):
        with pytest.raises(
            InputError,
            match=rf"is above {above:g}: expected at least chance and the margin, {chance + 0.05:g}, and less than 1$",
        ):
            seed_curves([curve([(0.6, 0.7)], chance=chance)], above=above)


def test_what_cannot_be_asked_is_not() -> None:
    alone = curve([(0.1,), (0.2,)])
    unknown = curve([(0.1, 0.2)], chance=None)
    score = replace(curve([(0.1, 0.2)]), points=tuple(
        replace(point, n=None, correct=None, score=-1.0, stderr=0.1, continuous=True, chance=None)
        for point in curve([(0.1, 0.2)]).points
    ))  # fmt: skip
    assert seed_curves([alone, unknown, score]) == (None, None, None)
    twice = curve([(0.1, 0.2)])
    twice = replace(twice, points=(*twice.points, replace(twice.points[0], model="again", source="t.csv, line 4")))
    with pytest.raises(DataError) as raised:
        seed_curves([twice])
    assert str(raised.value) == (
        "t.csv, line 4: sums: m20000-0 and again are of one size and both of pretraining seed 0: each seed may come once"
    )
    nameless = replace(
        twice, points=(*twice.points[:2], replace(twice.points[0], model="other", pretraining_seed=None))
    )
    with pytest.raises(
        DataError, match=r"^sums, other: no seed of pretraining, where other runs of its size have one$"
    ):
        seed_curves([nameless])


def test_scores_with_standard_errors_have_it_too_and_those_without_are_refused() -> None:
    held = curve(LOTTERY)
    scores = replace(held, points=tuple(
        replace(point, n=None, correct=None, score=(point.correct or 0) / 200, stderr=0.01) for point in held.points
    ))  # fmt: skip
    (found,) = seed_curves([scores])
    assert found is not None
    assert found.verdict == "emergent in distribution"
    bare = replace(scores, points=tuple(replace(point, stderr=None) for point in scores.points))
    with pytest.raises(
        DataError, match="neither counts nor a standard error: whether a seed has the ability cannot be told"
    ):
        seed_curves([bare])


def smooth(rng: np.random.Generator, seeds: int) -> Curve:
    """All seeds of a size grow along one logistic, apart from each other by a logit's standard deviation of .5."""
    x = np.log10(SIZES)
    rise = rng.uniform(2, 8) * (x - rng.uniform(4.6, 6.0))
    shares = rng.uniform(0.6, 1.0) / (1 + np.exp(-(rise[:, None] + rng.normal(0, 0.5, (len(x), seeds)))))
    return curve((rng.binomial(200, shares) / 200).tolist())


@pytest.mark.slow
def test_smooth_growth_of_all_seeds_is_hardly_ever_called_emergent_in_distribution() -> None:
    rng = np.random.default_rng(11)
    verdicts = [one.verdict for one in seed_curves([smooth(rng, 5) for _ in range(400)], adjust=False) if one]
    assert verdicts.count("emergent in distribution") <= 20


# ---- a table of others -------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    rows = [
        f"sums,f,m{size},{size},{seed},200,{round(share * 200)},0"
        for size, row in zip(SIZES, LOTTERY, strict=False)
        for seed, share in enumerate(row)
    ]
    path.write_text("\n".join(["task,family,model,params,seed,n,correct,chance", *rows]) + "\n")
    return path


def test_a_table_with_a_column_seed_is_read_so(table: Path) -> None:
    assert [point.pretraining_seed for point in read_points(table)][:6] == [0, 1, 2, 3, 4, 0]
    table.write_text(table.read_text().replace(",20000,0,", ",20000,a,"))
    with pytest.raises(DataError, match=r"line 2: seed is 'a': expected a number$"):
        read_points(table)


def test_onset_emergence_says_it(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["emergence", str(table)])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "sums, seeds of pretraining in f: emergent in distribution; 0 of 5 at 20 k (0.0 to 52.2 %)" in text
    with pytest.raises(SystemExit):
        main(["emergence", str(table), "--json"])
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["verdict"] in ("emergent", "smooth", "unresolved")  # of all seeds together, which it leaves alone
    found = entry["pretraining_seeds"]
    assert found["verdict"] == "emergent in distribution"
    assert [size["has"] for size in found["sizes"]] == [0, 1, 2, 3, 5]
    assert set(found["sizes"][0]["seeds"][0]) == {"model", "pretraining_seed", "accuracy", "interval", "has", "lacks"}


# ---- a study -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seeds at each of five sizes: chain of thought is a lottery, answering at once grows with all seeds."""
    folder = tmp_path_factory.mktemp("seeds") / "results"
    together = [(share,) * 5 for share in (0.0, 0.1, 0.2, 0.4, 0.6)]
    keys = [
        (CellKey(f"r{place}/seed-{seed}", size, method, 3, "addition", 0.0, "none", 0), share, seed)
        for method, table in (("cot", LOTTERY), ("answer-only", together))
        for place, (size, row) in enumerate(zip(SIZES, table, strict=False))
        for seed, share in enumerate(row)
    ]
    study = {"name": "seeds", "items": 200, "seeds": 1}
    cells = [key.id for key, _, _ in keys]
    (folder / "cells").mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps({"format": 2, "onset": "0.1.0", "study": study, "cells": cells}))
    for key, share, seed in keys:
        synthetic._write_records(folder, key, "rungs", synthetic._drawn_records(key, 200, seed, share))
        file = folder / "cells" / key.id / "cell.json"
        held = json.loads(file.read_text())
        file.write_text(json.dumps(held | {"facts": held["facts"] | {"pretraining_seed": seed}}))
    return folder


@pytest.fixture(scope="module")
def study(results: Path) -> Analysis:
    return analyse(load(results), replicates=99)


def test_a_study_says_it_of_the_method_that_shows_most(study: Analysis) -> None:
    by_method = {one.method: one for one in study.sizes.pretraining_seeds}
    found = by_method["cot"].found
    assert found is not None
    assert [size.has for size in found.sizes] == [0, 1, 2, 3, 5]
    assert by_method["answer-only"].found is not None
    assert by_method["answer-only"].found.verdict == "rises"
    (one,) = question("pretraining seeds").ask(study)
    assert (one.verdict, one.figure, one.unit, one.n) == ("emergent in distribution", "seeds", "points", 25)
    assert one.estimate == 1.0
    assert one.sentence.startswith(
        "Seeds of pretraining on addition (cot, with 3 labelled examples, family rungs): emergent in distribution: what"
        " grows with size is the share of seeds that have the ability, and not how good those are that have it."
        " Shown to be above 5.0 %, and so to have it, are 0 of 5 at 20 k (95 % interval 0.0 to 52.2 %);"
    )
    assert (
        one.lines["en"] == "Chain of thought is emergent in distribution: 0 of 5 seeds have it at 20 k, 5 of 5 at 650 k"
    )
    assert one.lines["zh"] == "思维链在种子的分布上突现：2 万处 5 个中的 0 个种子有此能力，65 万处 5 个中的 5 个"
    assert "95 % 区间" in one.sentences["zh"]
    assert not re.search("[a-z]{4,}", one.sentences["zh"].replace("rungs", ""))


def test_of_one_size_the_share_is_said(study: Analysis) -> None:
    arms = [arm for arm in study.arms if arm.params == 130_000 and arm.method == "cot"]
    found = pretraining_seeds(arms, margin=0.05)
    (one,) = question("pretraining seeds").ask(replace(study, sizes=replace(study.sizes, pretraining_seeds=found)))
    assert (one.verdict, one.estimate, one.lines["en"]) == (
        "two clusters",
        0.4,
        "2 of 5 seeds have it at 130 k (chain of thought)",
    )
    assert one.interval == pytest.approx((0.0527, 0.8534), abs=1e-4)


def test_seeds_of_pretraining_are_no_draws_of_examples(study: Analysis) -> None:
    assert {len(arm.draws) for arm in study.arms} == {1}
    assert {arm.at.pretraining_seed for arm in study.arms} == set(range(5))
    curve = next(one for one in study.sizes.curves if one.method == "cot")
    assert (curve.at.pretraining_seed, len(curve.models), curve.different) == (None, 25, 5)


def test_it_is_in_the_json_and_drawn(study: Analysis) -> None:
    shown = to_json(study)
    (told,) = [one for one in shown["pretraining_seeds"] if one["method"] == "cot"]
    assert told["verdict"] == "emergent in distribution"
    assert {cell["pretraining_seed"] for cell in shown["cells"]} == set(range(5))
    (drawn,) = [one for one in figures(shown) if one.name == "seeds"]
    (panel,) = drawn.panels
    above, below = panel.charts
    points = [row for one in above["layer"] if one["mark"]["type"] == "point" for row in one["data"]["values"]]
    assert len(points) == 50
    assert sum(row["has"] for row in points if row["method"] == "cot") == 11
    bars = next(one for one in below["layer"] if one["mark"]["type"] == "rule")["data"]["values"]
    assert [row["share"] for row in bars if row["method"] == "cot"] == [0, 0.2, 0.4, 0.6, 1]
    (chinese,) = [one for one in figures(shown, "zh") if one.name == "seeds"]
    assert "预训练的种子" in chinese.caption


def test_one_seed_under_two_names_is_said_and_not_counted_twice(study: Analysis) -> None:
    arms = [
        replace(arm, at=replace(arm.at, pretraining_seed=min(arm.at.pretraining_seed or 0, 1))) for arm in study.arms
    ]
    found = pretraining_seeds(arms, margin=0.05)
    assert {one.found for one in found} == {None}
    assert all("each seed may come once" in one.problem for one in found)
    again = replace(study, sizes=replace(study.sizes, pretraining_seeds=found))
    (one,) = question("pretraining seeds").ask(again)
    assert one.verdict == "refused"
    assert one.sentence.startswith("Seeds of pretraining on addition (cot, family rungs): nothing is said")
