"""A Chinese page says everything in Chinese: text, what is said where something is pointed at, and what figures say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from foreign import LM_EVAL, SCORES
from synthetic import METHOD_SPECS, ladder_results, synthetic_results

from onset.analysis import analyse, to_json
from onset.analysis.phrases import PHRASES
from onset.analysis.phrases.page import CHINESE
from onset.analysis.phrases.sentences import SENTENCES
from onset.read import read_measured
from onset.report.html import page
from onset.results.read import load, read_cells

SKIPPED = ("script", "style", "code", "pre")
SAID = ("title", "aria-label", "placeholder", "alt", "label")
TERMS = {
    english.casefold()
    for english, chinese in [
        *((texts["en"], texts["zh"]) for texts in PHRASES.values()), *CHINESE.items(), *SENTENCES.items()
    ]
    if english != chinese and "{" not in english and re.fullmatch(r"[A-Za-z][-A-Za-z ]{2,}", english.strip())
}  # fmt: skip
"""Every English word and phrase of the tables that has no places."""
TERM = re.compile(rf"(?<![-\w])(?:{'|'.join(sorted(map(re.escape, TERMS), key=len, reverse=True))})(?![-\w])", re.I)
ENGLISH = re.compile(r"[A-Za-z]{3,},? [A-Za-z]{3,}")
"""Two English words beside each other."""


class _Said(HTMLParser):
    """Every text and every attribute that a reader is told, outside of scripts and code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts: dict[str, str] = {}
        self._within: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.found += [value for name in SAID if (value := held.get(name))]
        if tag in SKIPPED:
            self._within.append((tag, held.get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1][0] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.found.append(" ".join(data.split()))
        elif self._within[-1][0] == "script":
            self.scripts[self._within[-1][1]] = data


def drawn(part: Any) -> list[str]:
    """What the charts of a specification say: titles, text marks, axes and what is told of a mark pointed at."""
    if isinstance(part, list):
        return [text for one in part for text in drawn(one)]
    if not isinstance(part, dict):
        return []
    said = [part["title"]] if isinstance(part.get("title"), str) else []
    axis = part.get("axis") or {}
    said += re.findall(r'"((?:[^"\\]|\\.)*)"(?!:)', axis.get("labelExpr", ""))
    return said + [text for one in part.values() for text in drawn(one)]


def pointed_at(chart: dict[str, Any]) -> list[str]:
    """The values behind the tooltips and texts of a chart, as they are shown."""
    said = []
    for layer in chart["layer"]:
        channels = layer["encoding"]
        told = [*channels.get("tooltip", []), *([channels["text"]] if "text" in channels else [])]
        made = {one["as"]: one["calculate"] for one in layer.get("transform", []) if "calculate" in one}
        for channel in told:
            if channel["field"] in made:
                said += re.findall(r'": "((?:[^"\\]|\\.)*)"', made[channel["field"]])
            else:
                said += [str(row.get(channel["field"], "")) for row in chart["datasets"][layer["data"]["name"]]]
    return said


def told(folder: Path, replicates: int) -> tuple[list[str], set[str]]:
    """What the Chinese page of a folder says, and the names that the study gave."""
    ours = (folder / "study.json").exists()
    analysis = analyse(load(folder) if ours else read_measured(folder, texts=True), replicates=replicates)
    shown = to_json(analysis, "zh")
    cells = read_cells(folder) if ours else []
    said = _Said(page(shown, analysis.study, cells, analysis.measured.records, language="zh"))
    charts = [chart for panel in json.loads(said.scripts["specs"]) for chart in panel]
    names = {str(cell[name]) for cell in shown["cells"] for name in ("model", "task", "method", "stage", "shift")}
    names |= {family for cell in shown["cells"] if (family := cell["family"])} | set(METHOD_SPECS)
    names |= {str(one[name]) for one in shown["scores"] for name in ("model", "task", "method", "metric", "filter")}
    names |= {one["subject"] for one in shown["findings"]} | {str(analysis.study["name"])}
    return [*said.found, *drawn(charts), *(text for chart in charts for text in pointed_at(chart))], names


def ladder(folder: Path) -> Path:
    """Curves of every kind, gains, votes' rivals, a shift and stages that the package names."""
    truth = {
        ("world-problems[steps=2]", "cot"): [0.0, 0.0, 0.0, 0.0, 0.9, 0.9, 0.95, 0.95],
        ("world-problems[steps=2]", "answer-only"): [0.2, 0.27, 0.33, 0.4, 0.46, 0.53, 0.6, 0.66],
        ("world-problems[steps=1]", "cot"): [0.1, 0.2, 0.1, 0.3, 0.2, 0.3, 0.3, 0.2],
        ("world-problems[steps=1]", "answer-only"): [0.3] * 8,
        ("world-problems[steps=2]", "cot", "typos"): [0.0, 0.0, 0.0, 0.0, 0.6, 0.7, 0.75, 0.75],
        ("world-problems[steps=2]", "answer-only", "typos"): [0.2, 0.27, 0.23, 0.3, 0.36, 0.43, 0.5, 0.56],
    }
    held = {("world-problems[steps=2]", "cot"): 0.2, ("world-problems[steps=2]", "answer-only"): 0.5}
    variants = [("without chain of thought", 650_000, held), ("scarce chain of thought", 1_300_000, held)]
    return ladder_results(folder, truth, variants=variants, items=60)


def grid(folder: Path) -> Path:
    """Several draws, labels as answers, tuning, a vote, a shift of the user's, cells missing and failed."""
    return synthetic_results(folder, seeds=2, items=20, shifts=("none", "unlike"), incomplete=True)


def own(folder: Path) -> Path:
    """A recommendation, on two models that are no family."""
    models, families = (("m-135", 135_000_000), ("m-270", 270_000_000)), ("a", "b")
    return synthetic_results(folder, models=models, families=families, tasks=(("coin-flip", 0.5),), own=["coin-flip"],
                             seeds=1, items=20)  # fmt: skip


def of_others(_: Path) -> Path:
    """Right and wrong of another tool, model by model."""
    return LM_EVAL


def scores_of_others(_: Path) -> Path:
    """Scores that are not right or wrong."""
    return SCORES


@pytest.mark.parametrize("made", [ladder, grid, own, of_others, scores_of_others])
def test_nothing_on_a_chinese_page_is_left_in_english(made: Any, tmp_path: Path) -> None:
    said, names = told(made(tmp_path), replicates=50)
    kept = (
        "ModelError: the model ran out of memory at batch size 1",
        "device cpu",
        "dtype float32",
        "exact_match, strict-match",
    )
    assert len(set(said)) > 150
    bare = {text for text in said if text not in names}
    for name in sorted({*names, *kept}, key=len, reverse=True):
        bare = {re.sub(rf"(?<![-\w]){re.escape(name)}(?![-\w])", "·", text) for text in bare}
    assert {text for text in bare if ENGLISH.search(text)} == set()
    assert {text for text in bare if TERM.search(text)} == set()


def test_the_search_for_english_finds_it() -> None:
    assert {"undecided", "without labelled examples", "method"} <= TERMS
    assert TERM.search("判断：undecided")
    assert not TERM.search("undecidedly 未定")
    assert ENGLISH.search("区间 profile likelihood")
