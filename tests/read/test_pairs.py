"""Pairs of models before and after training that others did: reading, means over families, slopes within them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from onset.analysis.contrast.trained import (
    TrainedPair,
    mean_over_families,
    slope_within_families,
    stages_on_benchmarks,
)
from onset.cli import main
from onset.errors import DataError
from onset.read.pairs import read_pairs

HEAD = "family,base,model,stage,params,benchmark,before,after,n"


def pair(family: str, params: float, change: float, before: float = 0.4, n: int | None = 500) -> TrainedPair:
    return TrainedPair(family, "b", f"{family}-{params:g}", "instruct", params, "X", before, before + change, n)


def table(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def test_a_mean_over_families_is_students_t_of_their_means() -> None:
    held = [pair("a", 1e9, 0.1), pair("a", 2e9, 0.3), pair("b", 1e9, 0.0), pair("c", 1e9, 0.05), pair("d", 1e9, 0.1)]
    found = mean_over_families(held)
    direct = stats.ttest_1samp([0.2, 0.0, 0.05, 0.1], 0)
    assert found.value == pytest.approx(0.0875)
    assert found.interval == pytest.approx(tuple(direct.confidence_interval()))
    assert (found.families, found.verdict) == (4, "undecided")
    two = mean_over_families(held[:3])
    assert (two.interval, two.verdict, two.families) == (None, "undecided", 2)


def test_a_family_of_many_sizes_counts_once() -> None:
    many = [pair("a", 10**at, -0.4) for at in range(7, 12)]
    others = [pair(name, 1e9, 0.1) for name in "bcd"]
    assert mean_over_families([*many, *others]).value == pytest.approx((-0.4 + 3 * 0.1) / 4)


def test_a_slope_is_within_families_alone() -> None:
    """Families of larger models have larger changes, which says nothing of size within one."""
    held = [
        pair(name, size * scale, level + 0.02 * np.log10(size))
        for name, scale, level in (("a", 1e8, 0.0), ("b", 1e9, 0.2), ("c", 1e10, 0.4), ("d", 1e11, 0.5))
        for size in (1, 10)
    ]
    found = slope_within_families([*held, pair("lone", 1e15, -0.3)])
    assert found is not None
    assert found.value == pytest.approx(0.02)
    assert found.families == 4
    assert found.interval == pytest.approx((0.02, 0.02))
    assert slope_within_families([pair("a", 1e8, 0.1), pair("b", 1e9, 0.2)]) is None
    two = slope_within_families(held[:4])
    assert two is not None
    assert two.interval is None


def test_a_slope_is_the_mean_of_the_families_own() -> None:
    rng = np.random.default_rng(1)
    groups = {name: 10 ** rng.uniform(7, 11, int(rng.integers(2, 6))) for name in "abcd"}
    held = [pair(name, size, float(rng.normal(0, 0.05))) for name, sizes in groups.items() for size in sizes]
    own = [
        stats.linregress(np.log10(sizes), [one.change for one in held if one.family == name]).slope
        for name, sizes in groups.items()
    ]
    found = slope_within_families(held)
    assert found is not None
    assert found.value == pytest.approx(np.mean(own))
    assert found.interval == pytest.approx(tuple(stats.ttest_1samp(own, 0).confidence_interval()))


def test_pairs_that_are_shown_are_counted_after_holm() -> None:
    held = [pair("a", 1e9, 0.2), pair("b", 1e9, -0.2), pair("c", 1e9, 0.02), pair("d", 1e9, 0.3, n=None)]
    (found,) = stages_on_benchmarks(held)
    assert (found.up, found.down, found.shown_of) == (1, 1, 3)
    assert json.loads(json.dumps(found.json(), allow_nan=False)) == found.json()


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(2, 2, 2, 2), (8, 3, 2, 2, 2, 2), (3, 3, 3, 3, 3, 3, 3, 3)])
def test_intervals_cover_what_is_true(sizes: Sequence[int]) -> None:
    """Families of their own levels and slopes around none: 95 % intervals miss in at most 5 % of tables, and 2 more."""
    rng = np.random.default_rng(sum(sizes))
    runs, missed = 600, {"mean": 0, "slope": 0}
    for _ in range(runs):
        held = []
        for place, count in enumerate(sizes):
            level, slope = rng.normal(0, 0.1), rng.normal(0, 0.05)
            x = np.sort(rng.uniform(8, 11, count))
            held += [
                pair(f"f{place}", 10**at, float(level + slope * (at - x.mean()) + rng.normal(0, 0.03))) for at in x
            ]
        for name, one in (("mean", mean_over_families(held)), ("slope", slope_within_families(held))):
            assert one is not None
            assert one.interval is not None
            missed[name] += not one.interval[0] <= 0 <= one.interval[1]
    for count in missed.values():
        assert stats.binomtest(count, runs, 0.06, alternative="greater").pvalue > 0.01


def test_a_pair_has_the_interval_of_its_own_change() -> None:
    """After minus before: a gain of 10 points of 200 items, by statsmodels' method of Newcombe (1998)."""
    one = pair("a", 1e9, 0.1, before=0.4, n=200)
    assert one.interval == pytest.approx((0.0026, 0.1949), abs=2e-4)
    lost = pair("a", 1e9, -0.2, before=0.5, n=200)
    assert lost.interval is not None
    assert lost.interval[0] < -0.2 < lost.interval[1] < 0


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_a_table_is_read_under_either_names(tmp_path: Path) -> None:
    ours = table(tmp_path / "a.csv", "f,b,m,chat,7e9,X,0.4,0.5,200", "f,b,m2,chat,7e9,X,,0.5,200")
    head = "family,base_model,instruct_model,stage,params_b,benchmark,score_base,score_instruct,n,kind"
    theirs = table(
        tmp_path / "b.csv", "f,b,m,chat,7,X,0.4,0.5,200,official", "f,b,n,chat,7,X,0.4,0.5,,other", head=head
    )
    (one,) = read_pairs(ours)
    assert read_pairs(theirs, where={"kind": "official"}) == (one,)
    assert read_pairs(theirs)[1].n is None


@pytest.mark.parametrize(
    ("rows", "head", "message"),
    [
        (["f,b,m,chat,7e9,X,0.4,0.5,200"], HEAD.replace("after", "later"), "no column 'after' (found: "),
        (["f,b,m,chat,7e9,X,0.4,0.5,200,0.6"], f"{HEAD},after", "two columns are called 'after'"),
        (["f,b,m,chat,7e9,X,0.4,55,200"], HEAD, "line 2: 'after' is 55, expected 0 to 1"),
        (["f,b,m,chat,big,X,0.4,0.5,200"], HEAD, "line 2: 'params' is no number (received 'big')"),
        (["f,b,m,chat,inf,X,0.4,0.5,200"], HEAD, "line 2: 'params' is inf, expected a finite number from 1e-06"),
        (["f,b,m,chat,7e9,X,0.4,0.5,inf"], HEAD, "line 2: 'n' is inf, expected a finite number from 1"),
        (["f,b,m,chat,7e9,X,0.4,0.5,10.6"], HEAD, "line 2: 'n' is 10.6, expected a whole number"),
        (["f,b,m,chat,7e9,X,,0.5,200"], HEAD, "no row with a score before and after"),
        (["f,b,m,chat,7e9,X,0.4,0.5,200"] * 2, HEAD, "b and m have two rows of X, stage chat"),
    ],
)
def test_bad_tables_are_one_line(tmp_path: Path, rows: list[str], head: str, message: str) -> None:
    path = table(tmp_path / "t.csv", *rows, head=head)
    with pytest.raises(DataError, match=re.escape(message)):
        read_pairs(path)


def test_rows_without_both_scores_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "t.csv", "f,b,m,chat,7e9,X,0.4,0.5,200", "f,b,o,chat,7e9,X,0.4,,200")
    with pytest.raises(SystemExit) as stopped:
        main(["pairs", str(path), "--json"])
    assert stopped.value.code == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)[0]["pairs"]) == 1
    assert err == f"note: {path}: 1 row of 2 without a score before or after left out (the first is line 3)\n"


def test_the_command_says_means_slopes_and_what_it_cannot_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{name},b{size},{name}{size},chat,{size}e9,X,0.4,{0.5 + 0.01 * place},500"
        for place, name in enumerate("abcd")
        for size in (1, 10)
    ]
    path = table(tmp_path / "t.csv", *rows, "a,c,d,code,1e9,Y,0.4,0.5,500")
    with pytest.raises(SystemExit) as stopped:
        main(["pairs", str(path), "--benchmark", "X", "--details"])
    assert stopped.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "X: chat training goes with a gain of 11.5 points on average over 4 families (95 % interval 9.4 to 13.6" in said
    )
    assert "Observational: the models differ in more than their training" in said
    with pytest.raises(SystemExit) as stopped:
        main(["pairs", str(path), "--benchmark", "Z"])
    assert stopped.value.code == 2
    assert "--benchmark Z: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["pairs", str(path), "--json"])
    assert [one["benchmark"] for one in json.loads(capsys.readouterr().out)] == ["X", "Y"]
