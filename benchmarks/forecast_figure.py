"""The 7B forecasts against what was measured, as one figure.

python benchmarks/forecast_ladders.py --olmo ../shared/data/scaling --json forecasts.json
python benchmarks/forecast_figure.py forecasts.json docs/figures/forecasts.svg
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import altair as alt
import vl_convert

NAMES = {
    "arc_challenge_test": "ARC challenge",
    "arc_easy_test": "ARC easy",
    "csqa_val": "CommonsenseQA",
    "hellaswag_val": "HellaSwag",
    "mmlu_avg_test": "MMLU",
    "openbookqa_test": "OpenBookQA",
    "piqa_val": "PIQA",
    "socialiqa_val": "Social IQa",
}
SETTINGS = {
    "its authors' 16 runs, to 7B, through bits per byte and loss": "from 16 runs, 190 M to 1.3 B",
    "all 30 runs, to 7B, through bits per byte and loss": "from 30 runs, 190 M to 3.2 B",
}
FORECAST, INK, GREY = "#3b6ea8", "#222222", "#8a8a8a"
SCALE = alt.Scale(domain=[0.3, 0.9], nice=False)
PERCENT = "format(datum.value * 100, '.0f') + ' %'"


def panel(rows: list[dict[str, float | str | None]], title: str, first: bool) -> alt.LayerChart:
    data = alt.InlineData(values=rows)
    y = alt.Y("task:N", title=None, axis=alt.Axis() if first else alt.Axis(labels=False), sort=list(NAMES.values()))
    x = alt.X("value:Q", title="accuracy", scale=SCALE, axis=alt.Axis(labelExpr=PERCENT))
    kind = alt.Color(
        "kind:N", title=None,
        scale=alt.Scale(domain=["forecast, 95 % interval", "measured", "last value"], range=[FORECAST, INK, GREY]),
        legend=alt.Legend(orient="bottom") if first else None,
    )  # fmt: skip
    shape = alt.Shape(
        "kind:N", title=None,
        scale=alt.Scale(
            domain=["forecast, 95 % interval", "measured", "last value"], range=["circle", "diamond", "square"]
        ),
        legend=alt.Legend(orient="bottom") if first else None,
    )  # fmt: skip
    spans = alt.Chart(data).mark_rule(strokeWidth=5, color=FORECAST, opacity=0.3)
    spans = spans.transform_filter("datum.low != null").encode(x=alt.X("low:Q", scale=SCALE), x2=alt.X2("high:Q"), y=y)
    spots = alt.Chart(data).mark_point(filled=True, size=60, opacity=1).encode(x, y, kind, shape)
    return alt.layer(spans, spots).properties(
        width=230, height=190, title=alt.Title(title, anchor="start", fontSize=11, fontWeight="normal")
    )


def figure(path: Path) -> alt.HConcatChart:
    told = json.loads(path.read_text(encoding="utf-8"))
    panels = []
    for setting, title in SETTINGS.items():
        rows: list[dict[str, float | str | None]] = []
        for one in told:
            if one["setting"] == setting and one["task"] in NAMES:
                name = NAMES[one["task"]]
                rows += [
                    {"task": name, "kind": "last value", "value": one["last"], "low": None, "high": None},
                    {
                        "task": name, "kind": "forecast, 95 % interval", "value": one["estimate"], "low": one["low"],
                        "high": one["high"],
                    },
                    {"task": name, "kind": "measured", "value": one["observed"], "low": None, "high": None},
                ]  # fmt: skip
        panels.append(panel(rows, title, not panels))
    return alt.hconcat(*panels, spacing=16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("told", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.write_text(vl_convert.vegalite_to_svg(figure(given.told).to_json()))


if __name__ == "__main__":
    main()
