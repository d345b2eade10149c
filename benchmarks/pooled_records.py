"""How intervals of the recorded SST-2 studies change when noise between draws is pooled, from what docs/results holds.

The outcomes item by item are not kept; the accuracy of every draw and the count of discordant outcomes are. From these
follow, exactly, the mean square of draws and the sum of squares of everything else (share of discordant outcomes less
the squared mean difference, less the draws'). How much of that is noise of items that keep their outcome from draw to
draw, and how much of single outcomes, is not known: half is assumed, and --kept says otherwise.

    python benchmarks/pooled_records.py [--kept 0.5]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onset.analysis.stats.adjust import holm
from onset.analysis.stats.bootstrap import Crossed, Parts
from onset.analysis.stats.pooling import Moderated, pool

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"


def layout(row: Mapping[str, Any], by_draw: list[float], kept: float) -> Crossed:
    """The two-way layout of a recorded comparison, items having the share ``kept`` of outcomes' variance."""
    draws, items = len(by_draw), row["n"]
    gaps = np.asarray(by_draw)
    discordance = sum(row["discordant"]) / (draws * items)
    rest = draws * items * (discordance - gaps.mean() ** 2) - items * float(((gaps - gaps.mean()) ** 2).sum())
    outcome = rest / (draws * (items - 1))
    item, residual = ((1 - kept) + draws * kept) * outcome / (draws * items), (1 - kept) * outcome / (draws * items)
    spread = item**2 / (items - 1) + residual**2 / ((draws - 1) * (items - 1))
    return Crossed(
        estimate=float(gaps.mean()),
        parts=Parts(0.0, 1.0, float(gaps.var(ddof=1)) / draws, residual, item, spread),
        draws=draws,
        items=items,
        square=discordance,
    )


def pooled(shown: Mapping[str, Any], kept: float) -> list[Moderated | str | None]:
    """The recorded comparisons of one study with their noise between draws pooled."""
    accuracy = {(c["method"], c["labels"], c["shift"], c["seed"]): c["accuracy"] for c in shown["cells"]}
    layouts, designs, links = [], [], []
    for row in shown["comparisons"]:
        a, b = ([accuracy[side, row["labels"], row["shift"], seed] for seed in row["seeds"]] for side in row["sides"])
        layouts.append(layout(row, [x - y for x, y in zip(a, b, strict=True)], kept))
        tuned = sum(side != "answer-only" for side in row["sides"])
        designs.append("tuned against prompted" if tuned == 1 else "tuned against tuned")
        links.append(((row["sides"][0], row["labels"]), (row["sides"][1], row["labels"])))
    return pool(layouts, designs, links)


def main() -> None:
    """Print a table for each study, and the medians and means of half widths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=float, default=0.5, help="share of outcomes' variance that items keep (0..1)")
    kept = parser.parse_args().kept
    for name in ("sst2-gemma", "sst2-smollm2"):
        shown = json.loads((RESULTS / f"{name}.json").read_text())
        made = pooled(shown, kept)
        p = [one.p() if isinstance(one, Moderated) else None for one in made]
        families = [(row["shift"],) for row in shown["comparisons"]]
        adjusted: dict[int, float] = {}
        for family in dict.fromkeys(families):
            places = [place for place, one in enumerate(families) if one == family and p[place] is not None]
            adjusted |= dict(zip(places, holm([p[place] or 0.0 for place in places]), strict=True))
        print(f"\n{name}\n\n| test set | labels | difference | as recorded | pooled | p (Holm) recorded | pooled |")
        print("|---|---|---|---|---|---|---|")
        halves: list[tuple[float, float]] = []
        for place, (row, one) in enumerate(zip(shown["comparisons"], made, strict=True)):
            before = row["interval"]
            after = one.interval(1.0) if isinstance(one, Moderated) else tuple(before)
            halves.append(((before[1] - before[0]) / 2, (after[1] - after[0]) / 2))
            ends = " | ".join(f"{100 * low:.1f} to {100 * high:.1f}" for low, high in (before, after))
            what = f"{' − '.join(row['sides'])} {100 * row['difference']:+.1f}"
            now = f"{adjusted[place]:.2f}" if place in adjusted else "not pooled"
            print(f"| {row['shift']} | {row['labels']} | {what} | {ends} | {row['p_holm']:.2f} | {now} |")
        table = 100 * np.array(halves)
        print(f"\nhalf widths, median {np.median(table, axis=0).round(1)}, mean {table.mean(axis=0).round(1)},")
        print(f"widest {table.max(axis=0).round(1)}; narrower {int((table[:, 1] < table[:, 0]).sum())} of {len(table)}")
        print(
            "prior:",
            sorted({(one.pool.design, round(one.pool.prior_df, 1)) for one in made if isinstance(one, Moderated)}),
        )


if __name__ == "__main__":
    main()
