"""The loss curves of training runs of the ladder as one figure.

    python benchmarks/ladder_losses.py docs/ladder/losses docs/figures/losses.svg

The folder holds the ``losses.jsonl`` of each run under its model's name: ``r0.jsonl``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import altair as alt
import vl_convert

FROM = 5_000_000
"""Tokens: before them the losses fall from 7 and would flatten the rest."""


def figure(folder: Path) -> alt.LayerChart:
    rows = [
        {"model": path.stem, **json.loads(line)}
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    rows = [{**row, "millions": row["tokens"] / 1e6} for row in rows if row["tokens"] > FROM]
    lines = alt.Chart(alt.InlineData(rows)).encode(
        x=alt.X("millions:Q", title="million tokens read"),
        y=alt.Y("loss:Q", title="training loss, nats a token", scale=alt.Scale(zero=False)),
        color=alt.Color("model:N", title=None),
    )
    return (lines.mark_line() + lines.mark_point(size=12)).properties(width=420, height=220)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.write_text(vl_convert.vegalite_to_svg(figure(given.folder).to_json()))


if __name__ == "__main__":
    main()
