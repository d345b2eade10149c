"""The first screen: the headline, at most five lines, each with its picture, and the figure that bears it out."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from synthetic import ladder_results, synthetic_results

from onset import report
from onset.analysis import analyse, to_json
from onset.analysis.phrases.page import CHINESE
from onset.analysis.questions.say import Say
from onset.analysis.words import short_count
from onset.report import figures
from onset.report.bars import difference_bar, place_bar, ratio_bar, share_bar
from onset.report.figures.base import name_axis, rows_high, wrapped
from onset.report.findings import Lines
from onset.report.first import MOST, first_lines, main_figure, set_apart
from onset.report.html import VERDICT_WORDS, page
from onset.report.layout import laid_out
from onset.report.places import places_said
from onset.report.words import sentences
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
    tested = re.findall(r'<details class="tested[^"]*"><summary>[^<]*</summary>(.*?)</details>', why, re.DOTALL)
    assert [text_of(one) for one in tested] == [f"{head['test']} · n = {head['n']}"]
    assert 'class="line top"' not in screen
    # a name that is cut in the headline is whole when pointed at
    assert html.unescape(re.findall(r'<h1[^>]*title="(.*?)">', screen)[0]) == sentences(head["sentence"])[0]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_of_a_recommendation_is_of_its_model_however_long_its_name(language: Any, tmp_path: Path) -> None:
    long = "some-organisation/a-model-with-a-very-long-name-and-more-of-it-270m"
    models = ((f"{long}-base", 135_000_000), (long, 270_000_000), ("b", 300_000_000))
    folder = synthetic_results(tmp_path, models=models, families=("a", "b", "c"), tasks=(("tickets", 0.25),),
                               own=["tickets"], seeds=1, items=40)  # fmt: skip
    analysis = analyse(load(folder), replicates=100)
    for one in models:
        shown = to_json(analysis, language)
        # whatever was the best: the line and the sentence say this one
        best = analysis.decisions[0].model
        head = {**shown["findings"][0], "short": "\N{HORIZONTAL ELLIPSIS}"}
        head["sentence"] = head["sentence"].replace(best, one[0], 1)
        found = main_figure([head], figures.figures(shown))
        assert found is not None
        assert found[1].where["model"] == one[0]


def test_a_panel_is_titled_in_words_and_a_model_by_its_name() -> None:
    panels = (
        figures.Panel("world-problems[steps=2] · cot", {"task": "world-problems[steps=2]"}, (), ""),
        figures.Panel("ladder/r1", {"task": "world-problems", "model": "ladder/r1"}, (), ""),
    )
    laid = laid_out(figures.Figure("size", "t", "c", "task", panels))
    assert [one["title"] for one in laid["panels"]] == ["word problems, two steps · chain of thought", "ladder/r1"]
    assert laid["panels"][0]["spec"] == "world-problems[steps=2] · cot"


# ---- small pictures ------------------------------------------------------------------------------------------------


def of_points(kind: str, verdict: str, value: float, low: float, high: float) -> dict[str, Any]:
    held = {"kind": kind, "verdict": verdict, "tone": "for", "estimate": value, "interval": [low, high], "n": 40}
    return held | {"unit": "points", "test": "paired bootstrap over items", "figure": None}


@pytest.mark.parametrize(
    ("found", "right", "said"),
    [
        (of_points("prompt or tune", "tuning", 0.1, 0.05, 0.2), True, "tuned − prompted: +10.0"),
        (of_points("prompt or tune", "prompting", -0.1, -0.2, -0.05), True, "prompted − tuned: +10.0"),
        (of_points("prompt or tune", "undecided", -0.1, -0.2, 0.05), False, "tuned − prompted: -10.0"),
        (of_points("shift", "loses", 0.1, 0.05, 0.2), False, "shifted − as given: -10.0"),
        (of_points("shift", "gains", -0.1, -0.2, -0.05), True, "shifted − as given: +10.0"),
        (of_points("ingredient", "loses", -0.1, -0.2, -0.05), False, "stage − base: -10.0"),
    ],
)
def test_right_of_nothing_is_what_the_line_says_first(found: dict[str, Any], right: bool, said: str) -> None:
    said = said.replace("-", "\N{MINUS SIGN}")
    made = Lines({"findings": [found], "cells": []}, {}, "en").of(found)
    place = float(re.search(r'cx="([\d.]+)"', made["picture"])[1])  # type: ignore[index]
    middle = float(re.search(r'class="zero" x1="([\d.]+)"', made["picture"])[1])  # type: ignore[index]
    assert (place > middle) == right
    assert made["facts"] == [said, "paired bootstrap over items", "n = 40"]
    sign = "" if right else "\N{MINUS SIGN}"
    ends = sorted(abs(end) for end in found["interval"])
    low, high = (f"{100 * end:.1f}" for end in ends)
    if found["verdict"] != "undecided":
        whole = f"{low} to {high}" if right else f"{sign}{high} to {sign}{low}"
        assert f"<title>{said} points, 95 % interval {whole}</title>" in made["picture"]


def test_a_picture_seen_alone_has_its_scale() -> None:
    def ticks(picture: str) -> list[str]:
        return re.findall(r'<text class="tick"[^>]*>([^<]*)</text>', picture)

    assert ticks(difference_bar(0.1, (0, 0.2), 0.4, "wins", scaled=True)) == ["\N{MINUS SIGN}40", "0", "+40"]
    assert ticks(place_bar(2e3, (1e3, 1e4), (1e3, 2e3, 1e5), "wins", scaled=True)) == ["1 k", "100 k"]
    assert ticks(share_bar(0.5, (0.4, 0.6), None, scaled=True)) == ["0", "100 %"]
    assert ticks(ratio_bar(2, (1, 4), 100, "wins", scaled=True)) == ["1/100", "1", "100 ×"]
    assert ticks(difference_bar(0.1, (0, 0.2), 0.4, "wins")) == []
    chinese = place_bar(2e4, (1e4, None), (1e4, 1e6), "wins", say=Say("zh"), scaled=True)
    assert ticks(chinese) == ["1 万", "100 万"]
    assert "<title>2 万参数，95 % 区间高于 1 万；测过的规模从 1 万到 100 万参数</title>" in chinese


def test_a_name_is_whole_however_long() -> None:
    names = [
        "tiny",
        "SmolLM2-135M-Instruct-long-name",
        "a" * 60,
        "用解题步骤做的全参数微调（60 步，学习率 0.002）",
        "no steps\n1.3 M",
    ]
    for name in names:
        lines = wrapped(name)
        assert "".join(lines).replace(" ", "") == name.replace("\n", "").replace(" ", "")
        assert rows_high([name], 20) >= 13 * len(lines)
    assert wrapped(names[1]) == ["SmolLM2-135M-Instruct-", "long-name"]
    assert wrapped(names[-1]) == ["no steps", "1.3 M"]
    axis = name_axis({"m": names[1]})
    assert axis["labelExpr"] == '({"m": ["SmolLM2-135M-Instruct-", "long-name"]})[datum.value]'
    assert axis["labelLimit"] >= 6.4 * len("SmolLM2-135M-Instruct-")


# ---- what stands around the figure ---------------------------------------------------------------------------------


def test_the_sizes_said_of_a_method_are_told_apart_under_the_figure(made: tuple[dict[str, Any], str]) -> None:
    shown, text = made
    (block,) = re.findall(r'<ul class="places">(.*?)</ul>', screen_of(text), re.DOTALL)
    told = [text_of(one) for one in re.findall("<li>(.*?)</li>", block)]
    curve = next(one for one in shown["curves"] if (one["task"], one["method"]) == ("sums", "cot"))["emergence"]
    gain = next(one for one in shown["gains"] if one["task"] == "sums")["crossover"]
    threshold = curve["threshold"]
    sizes = {
        "appears": threshold["estimate"],
        "is halfway": threshold["midpoint"]["estimate"],
        "overtakes answering at once": gain["estimate"],
        "is shown to beat answering at once": gain["shown_from"],
    }
    clauses = [one.partition(": ")[2].split(":")[0] for one in told]
    assert clauses == [f"chain of thought {what}" for what in sorted(sizes, key=lambda what: sizes[what])]
    for what in ("overtakes answering at once", "is shown to beat answering at once"):
        assert told[clauses.index(f"chain of thought {what}")].startswith(f"{short_count(sizes[what])}: ")
    assert "Appears: where its curve" not in screen_of(text)


def test_one_size_alone_needs_no_telling_apart() -> None:
    place = {"estimate": None, "low": None, "high": None, "censored": None}
    threshold = {"estimate": 5e4, "low": 4e4, "high": 6e4, "censored": None, "above_chance": 0.05, "midpoint": place}
    where = {"task": "sums", "shift": "none", "stage": "base", "labels": "3"}
    curve = {**where, "labels": 3, "method": "cot", "emergence": {"verdict": "emergent", "threshold": threshold}}
    gain = {**where, "labels": 3, "kind": "chain of thought", "sides": ["cot", "answer-only"]}
    gain["crossover"] = {"verdict": "from", "estimate": None, "shown_from": 6e4}
    both = {"curves": [curve], "gains": [gain]}
    assert places_said({"curves": [curve], "gains": []}, where, "sums, cot, family x", Say()) == []
    assert [one.split(":")[0] for one in places_said(both, where, "sums, cot, family x", Say())] == ["50 k", "60 k"]
    assert places_said(both, {**where, "labels": "64"}, "sums, cot, family x", Say()) == []
    assert places_said(both, where, "sums, other, family x", Say()) == []
    between = {**threshold, "censored": "gap"}
    curve["emergence"] = {"verdict": "smooth", "threshold": between}
    first = places_said(both, where, "sums, cot, family x", Say("zh"))[0]
    assert first == "4 万至 6 万：思维链离开随机水平：其曲线高出 5 个百分点（虚线；阴影：95 % 区间）"


def test_unfinished_cells_are_named_before_everything_with_the_command_that_runs_them(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path, seeds=1, items=20, incomplete=True)
    analysis = analyse(load(folder), replicates=50)
    shown = to_json(analysis)
    screen = screen_of(page(shown, analysis.study, read_cells(folder), analysis.measured.records))
    ((summary, behind),) = re.findall(r'<details class="notice unfinished"><summary>(.*?)</summary>(.*?)</details>',
                                      screen, re.DOTALL)  # fmt: skip
    assert text_of(summary).startswith("2 cells missing or failed: ")
    assert "<code>onset run STUDY</code>" in summary
    unfinished, others = set_apart(shown["findings"])
    assert unfinished is not None
    assert unfinished["sentence"] in text_of(behind)
    assert len(others) == len(shown["findings"]) - 1
    lines = re.findall(r'<span class="short"[^>]*>(.*?)</span>', screen)
    assert [line for line in lines if "missing or failed" in line] == []
    assert set_apart(others) == (None, others)


@pytest.mark.parametrize(("rows", "short"), [(1, True), (8, False)])
def test_a_figure_of_few_rows_leaves_no_empty_room_below_it(rows: int, short: bool, tmp_path: Path) -> None:
    names = tuple((f"m{place}", (place + 1) * 1_000_000) for place in range(rows))
    families = [f"f{place}" for place in range(rows)]
    folder = synthetic_results(tmp_path, models=names, families=families, tasks=(("addition", 0.0),), labels=(8,),
                               seeds=1, items=10, voting=False)  # fmt: skip
    analysis = analyse(load(folder), replicates=50)
    text = page(to_json(analysis), analysis.study, read_cells(folder), analysis.measured.records)
    (classes,) = re.findall(r'<section id="findings" class="([^"]*)"', text)
    assert ("short" in classes.split()) == short


# ---- in Chinese ----------------------------------------------------------------------------------------------------

TEMPLATES = Path(report.__file__).parent / "templates"
TEMPLATE = "".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.j2")))


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
