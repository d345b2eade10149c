"""Do two draws of one experiment get the same verdict? The same tasks on models pretrained on two corpora.

    python benchmarks/twin_corpora.py ../shared/data/scaling/openlm_shared.csv [--figure twins.svg] [--list]

Gadre et al. 2024 (arXiv 2403.08540): 46 tasks on models of 10.6M to 6.9B parameters, pretrained on C4 or on RedPajama,
with token multipliers of 5 to 640. Whether an ability emerges with size should not hang on which of the two corpora
the models read, so no eye has to say what is true: one corpus stands for the other. Each corpus is judged by itself,
with q-values over its own tasks: over parameters at token multiplier 20 (six sizes), and over FLOPs of pretraining with
all models. Left out: the four tasks that are means over groups, which have no counts. Chance levels are the source's;
those of four tasks are doubtful (`DOUBTFUL`), so equal verdicts are counted without them too.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from onset.analysis.curves.place import Place
from onset.analysis.curves.series import Scale, SizePoint, curves_of
from onset.analysis.emergence.verdict import Emergence, emergence_of

CORPORA = ("c4", "rpj")
DOUBTFUL = {"commonsense_qa", "boolq", "pubmed_qa_labeled", "bigbench_cs_algorithms"}
AXES: tuple[tuple[str, Scale], ...] = (("parameters, token multiplier 20", "params"), ("FLOPs, all models", "flops"))


@dataclass(frozen=True)
class Pair:
    """One task: what was found for models of each corpus."""

    task: str
    c4: Emergence
    rpj: Emergence

    @property
    def both(self) -> tuple[Emergence, Emergence]:
        return self.c4, self.rpj

    @property
    def equal(self) -> bool:
        return self.c4.verdict == self.rpj.verdict

    @property
    def clash(self) -> bool:
        """A verdict and its opposite."""
        found = {one.verdict for one in self.both}
        return {"emergent", "smooth"} <= found or ("inverse" in found and bool(found & {"smooth", "emergent"}))


def pairs(path: Path, scale: Scale) -> list[Pair]:
    """Of the tasks with counts, by name."""
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["averaging"] == "micro"]
    if scale == "params":
        rows = [row for row in rows if float(row["token_multiplier"]) == 20]
    held: dict[str, dict[str, Emergence]] = {}
    for corpus in CORPORA:
        points = [
            SizePoint(
                row["task"], corpus, row["model"], float(row[scale]), "accuracy", n=int(row["n"]),
                correct=int(row["n_correct"]), chance=float(row["chance"]),
            )
            for row in rows if row["corpus"] == corpus
        ]  # fmt: skip
        for one in emergence_of(curves_of(points, scale), here=True):
            held.setdefault(one.curve.curve, {})[corpus] = one
    return [Pair(task, found["c4"], found["rpj"]) for task, found in sorted(held.items())]


def middle(place: Place) -> float | None:
    """Log10 of a threshold: its estimate, or the middle of the gap it lies in."""
    if place.estimate is not None:
        return float(np.log10(place.estimate))
    if place.censored == "gap" and place.low and place.high:
        return float(np.log10(place.low * place.high) / 2)
    return None


def growing(made: list[Pair]) -> list[Pair]:
    """Shown to grow with both corpora."""
    return [one for one in made if all(each.q_value is not None and each.p_jump is not None for each in one.both)]


def thresholds(made: list[Pair]) -> list[tuple[str, float, float]]:
    """(task, decades with C4, with RedPajama) where both are in range."""
    found = [(one.task, middle(one.c4.threshold.place), middle(one.rpj.threshold.place)) for one in made]
    return [(task, a, b) for task, a, b in found if a is not None and b is not None]


def rank_correlation(values: list[tuple[float, float]]) -> str:
    """Spearman's, with a 95 % interval over 2,000 resamples of tasks."""
    if len(values) < 4:
        return f"too few ({len(values)})"
    rng, table = np.random.default_rng(0), np.array(values)
    found = float(stats.spearmanr(*table.T).statistic)
    draws = [table[rng.integers(0, len(table), len(table))] for _ in range(2000)]
    again = [float(stats.spearmanr(*draw.T).statistic) for draw in draws if np.ptp(draw, axis=0).all()]
    low, high = np.nanquantile(again, [0.025, 0.975])
    return f"{found:.2f} ({low:.2f} to {high:.2f}; {len(table)} tasks)"


def rows_of(made: list[Pair]) -> dict[str, str]:
    """What is recorded of one axis."""
    sure = [one for one in made if one.task not in DOUBTFUL]
    settled = [one for one in made if "unresolved" not in {each.verdict for each in one.both}]
    tallies = [Counter(getattr(one, corpus).verdict for one in made) for corpus in CORPORA]
    probable = [(one.c4.p_jump or 0.0, one.rpj.p_jump or 0.0) for one in growing(made)]
    same_side = sum((a > 0.5) == (b > 0.5) for a, b in probable)
    found = thresholds(made)
    gaps = [abs(a - b) for _, a, b in found]
    return {
        "tasks": str(len(made)),
        "equal verdicts": f"{sum(one.equal for one in made)} of {len(made)}",
        "equal, without tasks of doubtful chance": f"{sum(one.equal for one in sure)} of {len(sure)}",
        "clashes": str(sum(one.clash for one in made)),
        "resolved with both corpora, of them equal": f"{len(settled)}, {sum(one.equal for one in settled)}",
        "unresolved, C4 and RedPajama": " and ".join(str(tally["unresolved"]) for tally in tallies),
        "p_jump on the same side of one half": f"{same_side} of {len(probable)}",
        "rank correlation of p_jump": rank_correlation(probable),
        "rank correlation of thresholds": rank_correlation([(a, b) for _, a, b in found]),
        "thresholds apart, median (decades)": f"{np.median(gaps):.2f}" if gaps else "none",
    }


def draw(made: list[Pair], into: Path) -> None:
    """Probabilities and thresholds of one axis, corpus against corpus."""
    import altair as alt
    import vl_convert

    from onset.report.figures import PALETTE, PAPER_CONFIG, schema_version

    names = {"c4": "C4", "rpj": "RedPajama"}
    kinds = ("equal", "one unresolved", "unequal")

    def kind(one: Pair) -> str:
        unresolved = "unresolved" in {each.verdict for each in one.both}
        return "equal" if one.equal else "one unresolved" if unresolved else "unequal"

    held = {one.task: kind(one) for one in made}
    jumps = [
        {"c4": one.c4.p_jump, "rpj": one.rpj.p_jump, "kind": held[one.task], "task": one.task} for one in growing(made)
    ]
    places = [{"c4": 10**a, "rpj": 10**b, "kind": held[task], "task": task} for task, a, b in thresholds(made)]
    colour = alt.Color(
        "kind:N", title="Verdicts", scale=alt.Scale(domain=list(kinds), range=[PALETTE[0], "#8a8a8a", PALETTE[1]])
    )

    def panel(
        rows: list[dict[str, object]], title: str, scale: alt.Scale, label: str, ends: list[float]
    ) -> alt.LayerChart:
        axes = {name: alt.Axis(labelExpr=label, tickCount=5) for name in CORPORA}
        x = alt.X("c4:Q", title=names["c4"], scale=scale, axis=axes["c4"])
        y = alt.Y("rpj:Q", title=names["rpj"], scale=scale, axis=axes["rpj"])
        line = alt.Chart(alt.InlineData([{"c4": end, "rpj": end} for end in ends])).mark_line(
            color="#8a8a8a", strokeDash=[3, 3], strokeWidth=1
        )
        spots = alt.Chart(alt.InlineData(rows)).mark_point(filled=True, size=55, opacity=0.8)
        heading = alt.Title(title, anchor="start", fontSize=11, fontWeight="normal")
        return alt.layer(line.encode(x, y), spots.encode(x, y, colour)).properties(width=270, height=270, title=heading)

    sizes = [row[name] for row in places for name in CORPORA]
    ends = [min(sizes) / 1.3, max(sizes) * 1.3]
    chart = alt.hconcat(
        panel(jumps, "Probability of a jump", alt.Scale(domain=[0, 1]), "format(datum.value, '.1f')", [0, 1]),
        panel(
            places,
            "Parameters at which chance is left",
            alt.Scale(type="log", domain=ends),
            "replace(format(datum.value, '~s'), 'G', 'B')",
            ends,
        ),
    )
    spec = {**chart.to_dict(validate=False), "config": PAPER_CONFIG}
    into.write_text(str(vl_convert.vegalite_to_svg(spec, vl_version=schema_version())))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    made = {name: pairs(given.path, scale) for name, scale in AXES}
    found = {name: rows_of(one) for name, one in made.items()}
    print(f"| | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for row in found[AXES[0][0]]:
        print(f"| {row} | {' | '.join(one[row] for one in found.values())} |")
    if given.list:
        for name, some in made.items():
            print(f"\n{name}: verdict and p_jump with C4, with RedPajama")
            for pair in some:
                said = [f"{e.verdict} {'–' if e.p_jump is None else format(e.p_jump, '.2f')}" for e in pair.both]
                print(f"{pair.task}: {', '.join(said)}{'' if pair.equal else ' *'}")
    if given.figure:
        draw(made[AXES[0][0]], given.figure)


if __name__ == "__main__":
    main()
