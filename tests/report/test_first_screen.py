"""The first screen: the headline, at most five lines, each with its picture, and the figure that bears it out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from synthetic import ladder_results, synthetic_results

from onset import report
from onset.analysis import analyse, to_json
from onset.analysis.phrases.page import CHINESE
from onset.report import figures
from onset.report.bars import place_bar, ratio_bar
from onset.report.first import MOST, first_lines, main_figure
from onset.report.html import VERDICT_WORDS, page
from onset.report.layout import laid_out
from onset.results.read import load, read_cells

TRUTH = {
    ("sums", "cot"): [0.0, 0.0, 0.0, 0.0, 0.9, 0.9, 0.95, 0.95],
    ("sums", "answer-only"): [0.2, 0.27, 0.33, 0.4, 0.46, 0.53, 0.6, 0.66],
    ("names", "cot"): [0.5] * 8,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = ladder_results(tmp_path_factory.mktemp("rungs"), TRUTH, items=150)
    analysis = analyse(load(folder), replicates=200)
    shown = to_json(analysis)
    return shown, page(shown, analysis.study, read_cells(folder), analysis.measured.records)


def text_of(part: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", part).replace("\N{NO-BREAK SPACE}", " ").split())


def screen_of(text: str) -> str:
    return text.split('<section id="findings"')[1].split("</section>", maxsplit=1)[0]


def test_the_first_finding_is_the_headline_and_five_follow(made: tuple[dict[str, Any], str]) -> None:
    shown, text = made
    screen = screen_of(text)
    ((spec, headline),) = re.findall(r'<h1[^>]*title="(.*?)">(.*?)</h1>', screen, re.DOTALL)
    assert spec == shown["findings"][0]["subject"]
    assert text_of(headline) == shown["findings"][0]["short"]
    lines = [text_of(one) for one in re.findall(r'<span class="short"[^>]*>(.*?)</span>', screen)]
    kept, rest = first_lines(shown["findings"])
    assert lines == [one["short"] for one in kept[1:]]
    below = text.split('<section id="more-findings"')[1].split("</section>")[0]
    assert [text_of(one) for one in re.findall(r'<span class="short"[^>]*>(.*?)</span>', below)] == [
        one["short"] for one in rest
    ]


def test_what_stands_behind_a_line_opens_on_a_click_without_a_script(made: tuple[dict[str, Any], str]) -> None:
    shown, text = made
    blocks = re.findall(r'<details class="line[^"]*">(.*?)</details>', text, re.DOTALL)
    said = [text_of(block.split("</summary>")[1]) for block in blocks]
    assert len(said) == len(shown["findings"])
    for finding in shown["findings"]:
        (behind,) = [one for one in said if finding["sentence"] in one]
        assert finding["test"] is None or finding["test"] in behind


def finding(place: int, tone: str = "for") -> dict[str, Any]:
    return {"short": str(place), "tone": tone, "figure": None, "subject": ""}


@pytest.mark.parametrize(
    ("tones", "first"),
    [
        ("r", [0]),
        ("rrrrrr", [0, 1, 2, 3, 4, 5]),
        ("rrrrrrrr", [0, 1, 2, 3, 4, 5]),
        ("rrrrrrrww", [0, 1, 2, 3, 7, 8]),
        ("rrrrrrrw", [0, 1, 2, 3, 4, 7]),
        ("rrwwwww", [0, 1, 2, 3, 4, 5]),
        ("", []),
    ],
)
def test_warnings_have_a_place_among_the_first(tones: str, first: list[int]) -> None:
    findings = [finding(place, {"r": "for", "w": "warning"}[tone]) for place, tone in enumerate(tones)]
    kept, rest = first_lines(findings)
    assert [int(one["short"]) for one in kept] == first
    assert len(kept) <= MOST + 1
    assert sorted(int(one["short"]) for one in [*kept, *rest]) == list(range(len(findings)))


def test_the_main_figure_is_that_of_the_headline(made: tuple[dict[str, Any], str]) -> None:
    shown, text = made
    drawn = figures.figures(shown)
    head = shown["findings"][0]
    found = main_figure(shown["findings"], drawn)
    assert found is not None
    assert (found[0].name, found[1].where["task"]) == (head["figure"], "sums")
    other = main_figure([{**head, "figure": None, "subject": "names, rungs/r7"}], drawn)
    assert other is not None
    assert (other[0].name, other[1].where["task"]) == (drawn[0].name, "names")
    assert main_figure(shown["findings"], []) is None
    screen = screen_of(text)
    assert screen.count('<svg xmlns="http://www.w3.org/2000/svg"') == 2
    assert 'class="still wide"' in screen
    assert 'class="still narrow"' in screen
    assert "Parameters" in screen  # the axis that the page's stacked charts have below the last
    assert "var(--soft)" in screen
    assert not re.findall(r"#0[1-4]0[1-4]0[1-4]", screen)
    assert len(set(re.findall(r'id="(still-[^"]*)"', screen))) == len(re.findall(r'id="(still-[^"]*)"', screen))


def test_a_place_is_drawn_on_the_sizes_and_an_open_end_runs_to_the_edge() -> None:
    def band(low: float | None, high: float | None) -> tuple[float, float]:
        found = re.search(
            r'class="band" x="([\d.]+)" width="([\d.]+)"', place_bar(None, (low, high), (1e3, 1e5), "wins")
        )
        assert found
        return float(found[1]), float(found[1]) + float(found[2])

    assert band(1e4, 1e5) == (80.0, 155.0)
    assert band(None, 1e4) == (2.0, 80.0)
    assert band(1e4, None) == (80.0, 158.0)
    assert "<circle" not in place_bar(None, (1e3, 1e4), (1e3, 1e5), "wins")
    words = "2 k parameters, 95 % interval 1 k to 10 k, of sizes from 1 k to 100 k parameters"
    drawn = place_bar(2e3, (1e3, 1e4), (1e3, 1e5), "wins")
    assert f'aria-label="{words}"' in drawn
    assert f"<title>{words}</title>" in drawn


def test_a_study_without_findings_has_its_question_as_headline(tmp_path: Path) -> None:
    shown = {"study": "s", "findings": [], "cells": [], "comparisons": [], "curves": [], "missing": [], "failed": {}}
    folder = ladder_results(tmp_path, {("sums", "cot"): [0.5]}, sizes=[1000], items=2)
    records = load(folder).records.clear()
    text = page(shown, {"name": "s", "question": "Which one?"}, [], records)
    assert '<h1 id="headline">Which one?</h1>' in text


def test_a_recommendation_stands_open_beside_the_figure_of_its_model(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path, tasks=(("tickets", 0.25),), own=["tickets"], seeds=2, items=40)
    analysis = analyse(load(folder), replicates=100)
    shown = to_json(analysis)
    head = shown["findings"][0]
    assert head["kind"] == "decision"
    found = main_figure(shown["findings"], figures.figures(shown))
    assert found is not None
    assert (found[0].name, found[1].where["model"]) == ("labels", analysis.decisions[0].model)
    screen = screen_of(page(shown, analysis.study, read_cells(folder), analysis.measured.records))
    (why,) = re.findall(r'<div class="why">(.*?)</div>', screen, re.DOTALL)
    assert text_of(re.sub("</?code>", "`", why)).find(head["sentence"]) > 0
    assert "<code>" in why
    assert 'class="line top"' not in screen


def test_a_panel_is_titled_in_words_and_a_model_by_its_name() -> None:
    panels = (
        figures.Panel("world-problems[steps=2] · cot", {"task": "world-problems[steps=2]"}, (), ""),
        figures.Panel("ladder/r1", {"task": "world-problems", "model": "ladder/r1"}, (), ""),
    )
    laid = laid_out(figures.Figure("size", "t", "c", "task", panels))
    assert [one["title"] for one in laid["panels"]] == ["word problems, two steps · chain of thought", "ladder/r1"]
    assert laid["panels"][0]["spec"] == "world-problems[steps=2] · cot"


# ---- in Chinese ----------------------------------------------------------------------------------------------------

TEMPLATES = Path(report.__file__).parent / "templates"
TEMPLATE = (TEMPLATES / "report.html.j2").read_text(encoding="utf-8")


def test_every_word_of_the_page_has_a_chinese_one() -> None:
    words = re.findall(r'_\("((?:[^"\\]|\\.)*)"\)', TEMPLATE)
    assert len(words) > 100
    assert [one for one in words if one not in CHINESE] == []
    scripts = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.js"))
    calls = re.findall(r'\bsay\((?:[\w ]+ \? )?"([^"]+)"(?: : "([^"]+)")?', scripts)
    spoken = {text for call in calls for text in call if text}
    assert len(spoken) > 20
    assert [one for one in spoken if one not in CHINESE] == []
    assert [one for one in VERDICT_WORDS.values() if one not in CHINESE] == []
    places = {one: (set(re.findall(r"{\w+}", one)), set(re.findall(r"{\w+}", said))) for one, said in CHINESE.items()}
    assert [one for one, (english, chinese) in places.items() if english != chinese] == []


def test_a_page_in_chinese_says_lines_headings_and_axes(tmp_path: Path) -> None:
    folder = ladder_results(tmp_path, TRUTH, items=60)
    analysis = analyse(load(folder), replicates=100)
    shown = to_json(analysis, "zh")
    text = page(shown, analysis.study, read_cells(folder), analysis.measured.records, language="zh")
    assert '<html lang="zh">' in text
    screen = screen_of(text)
    for finding in first_lines(shown["findings"])[0]:
        assert finding["short"] in text_of(screen)
    assert "参数量" in screen
    assert "思维链" in screen
    heads = re.findall(r"<(?:th|h2|h3)(?: [^>]*)?>([^<]*)<", text.split("<script", maxsplit=1)[0])
    names = {"answer-only", "cot", "sums", "names", *(f"rungs/r{place}" for place in range(8))}
    assert len(heads) > 50
    assert [head for head in heads if re.search("[a-z]{4}", head) and head not in names] == []


def test_a_ratio_is_drawn_on_a_log_scale_around_one() -> None:
    def places(value: float, interval: tuple[float | None, float | None]) -> tuple[str, ...]:
        found = re.search(
            r'class="span" x1="([\d.]+)" x2="([\d.]+)".*cx="([\d.]+)"', ratio_bar(value, interval, 100, "wins")
        )
        assert found is not None
        return found.groups()

    # of a hundred in both directions ten lies half way, and what is further out or open at the edge
    assert places(1, (0.1, 10)) == ("41.0", "119.0", "80.0")
    assert places(10, (None, 1e4)) == ("2", "158.0", "119.0")
    assert "10 times, 95 % interval above 2" in ratio_bar(10, (2, None), 100, "wins")
