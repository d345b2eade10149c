"""Figures out of the page: Vega-Lite specifications, and PNG and SVG files for papers."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onset.errors import StoreError
from onset.report.figures.base import DEFAULT_QUERIES, FACETS, FOCUS, PAPER, QUERIES, Figure, Panel, Spec, shown

PAPER_CONFIG: Spec = {
    "background": "white",
    "font": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "gridColor": "#e6e6e6",
        "domainColor": "#999999",
        "tickColor": "#999999",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"orient": "bottom", "labelLimit": 240},
}
"""How every picture on paper looks."""


def specification(chart: Spec) -> Spec:
    """The Vega-Lite specification of a chart, with the parameters every chart understands: ``focus`` (the
    one method to show, or empty), ``queries`` (queries that share the cost of tuning) and ``paper`` (the
    colour behind the chart). Equal rows are held once.
    """
    datasets: dict[str, list[Any]] = {}
    drawn = _with_datasets(shown(chart), datasets, {})
    values = {FOCUS: "", QUERIES: DEFAULT_QUERIES, PAPER: "white"}
    params = [{"name": name, "value": value} for name, value in values.items()]
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", **drawn} | {
        "params": params,
        "datasets": datasets,
    }


def _with_datasets(part: Any, datasets: dict[str, list[Any]], names: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [_with_datasets(one, datasets, names) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: value if key == "data" else _with_datasets(value, datasets, names) for key, value in part.items()}
    if "data" in part:
        rows = part["data"]["values"]
        name = names.setdefault(json.dumps(rows), f"rows{len(names)}")
        datasets[name] = rows
        made["data"] = {"name": name}
    return made


def schema_version() -> str:
    """The newest version of Vega-Lite that vl-convert draws (``6.4``)."""
    import vl_convert

    return str(max(vl_convert.get_vegalite_versions(), key=lambda version: tuple(map(int, version.split(".")))))


def pictures(figure: Figure, *, columns: int = 3, width: int = 300) -> dict[str, Spec]:
    """File name (without ending) -> specification of one static picture for each choice of the facets that
    are not side by side; ``width`` of a panel in pixels.
    """
    varying = [name for name in FACETS if len({panel.where.get(name) for panel in figure.panels}) > 1]
    names = [name for name in varying if name != figure.grid]
    chosen: dict[tuple[str, ...], list[Panel]] = defaultdict(list)
    for panel in figure.panels:
        chosen[tuple(panel.where[name] for name in names)].append(panel)
    drawn = {}
    for values, panels in chosen.items():
        parts = [f"{name}-{value}" for name, value in zip(names, values, strict=True)]
        stacked = [_stacked(panel, width) for panel in panels]
        whole = {"concat": stacked, "columns": columns} if len(stacked) > 1 else stacked[0]
        drawn[_slug("_".join([figure.name, *parts]))] = specification(whole) | {"config": PAPER_CONFIG}
    return drawn


def _stacked(panel: Panel, width: int) -> Spec:
    charts = [chart | {"width": width} for chart in panel.charts]
    said = {"subtitle": list(panel.said), "subtitleFontSize": 12, "subtitlePadding": 4} if panel.said else {}
    title = {"text": panel.title, "anchor": "start", "fontSize": 13, **said}
    return {"vconcat": charts, "spacing": 6, "title": title, "resolve": {"scale": {"yOffset": "independent"}}}


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", text).strip("-")


def _write_as(fmt: str, spec: Spec) -> bytes:
    import vl_convert

    if fmt == "svg":
        return str(vl_convert.vegalite_to_svg(spec, vl_version=schema_version())).encode()
    picture: bytes = vl_convert.vegalite_to_png(spec, vl_version=schema_version(), scale=2)
    return picture


def write_pictures(drawn: Sequence[Figure], folder: Path, *, fmt: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write every figure into ``folder`` (created), PNG at two pixels a point and SVG, and the captions
    into ``captions.txt``; returns the paths. Raises StoreError when the folder cannot be written.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in drawn:
            for name, spec in pictures(figure).items():
                for ending in fmt:
                    path = folder / f"{name}.{ending}"
                    path.write_bytes(_write_as(ending, spec))
                    paths.append(path)
        captions = folder / "captions.txt"
        captions.write_text("\n\n".join(f"{one.name}: {one.caption}" for one in drawn) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write figures into {folder}: {error.strerror}") from error
    return [*paths, captions]
