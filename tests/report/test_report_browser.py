"""The report in a real browser: it draws, it searches, it is silent, and it fits a phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from foreign import LM_EVAL
from synthetic import synthetic_results

from onset.analysis.study import analyse, to_json
from onset.analysis.words import plain_method
from onset.read import read_measured
from onset.report.embedded import packed_if_large
from onset.report.html import build_report, page
from onset.results.read import load, read_cells

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small study whose model writes HTML."""
    folder = synthetic_results(tmp_path_factory.mktemp("study"), seeds=2, items=30, shifts=("none", "domain"))
    results = load(folder)
    analysis = analyse(results, replicates=50)
    outputs = pl.col("outputs").list.eval(pl.concat_str(pl.element(), pl.lit(HOSTILE)))
    path = folder / "report.html"
    records = results.records.with_columns(outputs)
    path.write_text(page(to_json(analysis), results.study, read_cells(folder), records), encoding="utf-8")
    return path


def _browse(path: Path, profile: Path, *, fragment: str = "") -> tuple[str, list[str]]:
    """The page's DOM after its scripts have run, and what it wrote to the console."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    quiet = "--disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet.split(), f"--user-data-dir={profile}"]
    command += ["--enable-logging=stderr", "--v=0", "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1400,3000"]
    command += ["--virtual-time-budget=20000", "--dump-dom", path.as_uri() + fragment]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def _probed(report: Path, name: str, script: str) -> Path:
    """A copy of the report without its policy that also runs ``script`` and keeps what it returns in the DOM."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.read_text(encoding="utf-8"))
    end = text.rindex("</body>")
    probe = (
        "<script>(async () => { const wait = (ms) => new Promise((done) => setTimeout(done, ms));"
        " const until = async (ready) => { for (let i = 0; i < 100 && !ready(); i += 1) await wait(50); };"
        f" const answer = await (async () => {{ {script} }})();"
        " const node = document.createElement('script'); node.type = 'application/json'; node.id = 'probe';"
        " node.textContent = JSON.stringify(answer).replaceAll('<', '\\\\u003c'); document.body.append(node); })();</script>"
    )
    path = report.with_name(name)
    path.write_text(text[:end] + probe + text[end:], encoding="utf-8")
    return path


def _answer(dom: str) -> Any:
    found = re.search(r'<script type="application/json" id="probe">(.*?)</script>', dom, re.DOTALL)
    assert found is not None, "the probe did not answer"
    return json.loads(found.group(1))


def test_report_draws_every_figure_and_says_nothing(report: Path, tmp_path: Path) -> None:
    dom, console = _browse(report, tmp_path, fragment="#items")
    assert console == []
    shown = len(re.findall(r'<div class="panel"(?![^>]* hidden)', dom))
    drawn = len(re.findall(r'<div class="panel"(?![^>]* hidden)[^>]* data-drawn', dom))
    # size, gain, labels, cost, samples, shift, matched, drops by size, halves, confusion, confidence
    assert shown == drawn == 2 + 2 + 3 + 2 + 1 + 3 + 1 + 1 + 3 + 3 + 1
    assert (
        len(re.findall(r'<svg[^>]*class="marks"', dom)) == drawn + 2 + 3 * 2
    )  # parse rates below sizes, a matrix a method
    assert '<details class="item">' in dom
    assert "<title>synthetic – Onset report</title>" in dom


def test_packed_charts_are_drawn_and_saved(report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the charts of a study of thousands of cells are."""
    monkeypatch.setattr("onset.report.html.packed_if_large", lambda value: packed_if_large(value, 1000))
    packed = tmp_path / "packed.html"
    build_report(report.parent, out=packed)
    script = """
      await until(() => document.querySelector(".panel svg.marks"));
      const saved = [];
      URL.createObjectURL = (blob) => { saved.push(blob); return "#saved"; };
      document.querySelector('[data-save="csv"]').click();
      await until(() => saved.length);
      return { type: document.querySelector("#specs").type, csv: await saved[0].text() };
    """
    dom, console = _browse(_probed(packed, "probed.html", script), tmp_path / "profile")
    answer = _answer(dom)
    assert answer["type"] == "application/octet-stream"
    assert len(answer["csv"].splitlines()) > 2
    assert console == []
    shown = len(re.findall(r'<div class="panel"(?![^>]* hidden)', dom))
    assert len(re.findall(r'<div class="panel"(?![^>]* hidden)[^>]* data-drawn', dom)) == shown > 0


def test_items_are_found_and_shown_as_text(report: Path, tmp_path: Path) -> None:
    script = """
      const form = document.querySelector("#filters");
      form.elements.method.value = "cot-vote";
      form.elements.text.value = "ADDITION 7:";
      form.dispatchEvent(new Event("input"));
      await until(() => document.querySelector("#item-count").textContent.startsWith("1 of"));
      const item = document.querySelector(".item");
      item.open = true;
      await until(() => item.querySelector(".body"));
      return {
        count: document.querySelector("#item-count").textContent,
        items: document.querySelectorAll(".item").length,
        outputs: [...item.querySelectorAll(".body > pre")].map((one) => one.textContent),
        beginning: item.querySelector(".beginning pre").textContent,
        votes: [...item.querySelectorAll("dt")].map((one) => one.textContent),
        images: document.querySelectorAll("img").length,
        title: document.title,
      };
    """
    dom, console = _browse(_probed(report, "items.html", script), tmp_path, fragment="#items")
    answer = _answer(dom)
    assert console == []
    assert answer["count"].startswith("1 of ")
    assert answer["items"] == 1
    assert answer["beginning"] == "Question: An example?\nAnswer: The answer is 1.\n\n"
    prompt, *outputs = answer["outputs"]
    assert prompt.startswith("Question: addition 7: what is")
    assert len(outputs) == 5
    assert all(output.endswith(HOSTILE) for output in outputs)
    assert "Votes" in answer["votes"]
    assert (answer["images"], answer["title"]) == (0, "synthetic – Onset report")


def test_tables_sort_and_figures_answer(report: Path, tmp_path: Path) -> None:
    script = """
      const table = document.querySelector("#cell-table");
      const column = [...table.tHead.rows[0].cells].findIndex((one) => one.textContent.startsWith("Accuracy"));
      const values = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[column].dataset.v));
      table.tHead.rows[0].cells[column].querySelector("button").click();
      const up = values();
      table.tHead.rows[0].cells[column].querySelector("button").click();
      const figure = document.querySelector("#figure-size");
      const select = figure.querySelector("[data-facet=labels]");
      select.value = "8";
      select.dispatchEvent(new Event("change"));
      const open = () => [...figure.querySelectorAll(".panel:not([hidden])")];
      await until(() => open().every((panel) => panel.querySelector("svg.marks")));
      return { up, down: values(), labels: open().map((one) => one.dataset.labels), drawn: open().length };
    """
    dom, console = _browse(_probed(report, "tables.html", script), tmp_path)
    answer = _answer(dom)
    assert console == []
    assert answer["up"] == sorted(answer["up"])
    assert answer["down"] == sorted(answer["up"], reverse=True)
    assert answer["labels"] == ["8", "8"]


def test_the_address_keeps_what_is_chosen(report: Path, tmp_path: Path) -> None:
    script = """
      const figure = document.querySelector("#figure-size");
      const select = figure.querySelector("[data-facet=labels]");
      const before = select.value;
      select.value = "8";
      select.dispatchEvent(new Event("change"));
      const form = document.querySelector("#filters");
      form.elements.task.value = "addition";
      form.elements.task.dispatchEvent(new Event("input", { bubbles: true }));
      const pressed = document.querySelector("[aria-pressed=true]").dataset.focus;
      return { before, pressed, task: form.elements.model.value, address: location.hash };
    """
    fragment = "#cells&focus=cot&size.labels=32&items.model=mid&size.shift=nonsense"
    dom, console = _browse(_probed(report, "address.html", script), tmp_path, fragment=fragment)
    answer = _answer(dom)
    assert console == []
    assert (answer["before"], answer["pressed"], answer["task"]) == ("32", "cot", "mid")
    assert answer["address"].startswith("#cells&focus=cot&")
    assert {"size.labels=8", "items.model=mid", "items.task=addition"} <= set(answer["address"].split("&"))


def test_a_panel_is_saved_and_a_comparison_leads_to_its_items(report: Path, tmp_path: Path) -> None:
    script = """
      const saved = {};
      const blobs = [];
      URL.createObjectURL = (blob) => { blobs.push(blob); return "#saved"; };
      const panel = document.querySelector("#figure-size .panel");
      for (const kind of ["png", "svg", "csv"]) {
        const count = blobs.length;
        panel.querySelector(`[data-save=${kind}]`).click();
        await until(() => blobs.length > count);
        saved[kind] = { type: blobs.at(-1).type, size: blobs.at(-1).size, text: kind === "png" ? "" : await blobs.at(-1).text() };
      }
      const button = document.querySelector("[data-pair]");
      button.click();
      await until(() => document.querySelector("#item-count").textContent.includes("(A)"));
      const item = document.querySelector(".item.two");
      item.open = true;
      await until(() => item.querySelector(".pair"));
      return {
        saved, sides: [button.dataset.a, button.dataset.b],
        count: document.querySelector("#item-count").textContent,
        badges: [...document.querySelectorAll(".item .badge")].map((one) => one.textContent),
        names: [...item.querySelectorAll(".pair h3")].map((one) => one.textContent),
        pair: JSON.parse(button.dataset.pair), model: document.querySelector("#filters").elements.model.value,
      };
    """
    dom, console = _browse(_probed(report, "saved.html", script), tmp_path)
    answer = _answer(dom)
    assert console == []
    assert answer["saved"]["png"]["type"] == "image/png"
    assert answer["saved"]["png"]["size"] > 5000
    assert answer["saved"]["svg"]["text"].count("<svg") == 3  # two charts in one
    head, *rows = answer["saved"]["csv"]["text"].splitlines()
    assert '"method"' in head
    assert '"accuracy"' in head
    assert len(rows) == len(set(rows)) == 10
    a, b = answer["names"]
    assert [a, b] == [plain_method(side) for side in answer["sides"]]
    assert answer["model"] == answer["pair"]["model"]
    assert f"items on which {a} (A) and {b} (B) differ" in answer["count"]
    assert all((f"right in {a}" in badge) != (f"right in {b}" in badge) for badge in answer["badges"])


def test_the_address_of_a_comparison_restores_its_pair(report: Path, tmp_path: Path) -> None:
    click = """
      document.querySelector("[data-pair]").click();
      await until(() => document.querySelector("#item-count").textContent.includes("(A)"));
      return [location.hash, document.querySelector("#item-count").textContent];
    """
    dom, console = _browse(_probed(report, "linked.html", click), tmp_path)
    address, said = _answer(dom)
    again = """
      await until(() => document.querySelector("#item-count").textContent.includes("(A)"));
      const restored = document.querySelector("#item-count").textContent;
      const form = document.querySelector("#filters");
      form.elements.order.value = "item";
      form.elements.order.dispatchEvent(new Event("input", { bubbles: true }));
      return [restored, location.hash];
    """
    dom, more = _browse(_probed(report, "again.html", again), tmp_path, fragment=address)
    restored, after = _answer(dom)
    assert console == more == []
    assert restored == said
    assert "items.a=" in address
    assert "items.a=" not in after


def test_models_of_another_tool_lead_to_the_items_on_which_they_differ(tmp_path: Path) -> None:
    written = build_report(LM_EVAL, out=tmp_path / "report.html", analysis=analyse(read_measured(LM_EVAL, texts=True)))
    script = """
      const button = [...document.querySelectorAll("[data-by=model]")].find((one) => JSON.parse(one.dataset.pair).task === "world_facts");
      button.click();
      await until(() => document.querySelector("#item-count").textContent.includes("(A)"));
      const item = document.querySelector(".item.two");
      item.open = true;
      await until(() => item.querySelector(".pair"));
      return {
        address: location.hash, sides: [button.dataset.a, button.dataset.b],
        count: document.querySelector("#item-count").textContent,
        questions: [...document.querySelectorAll(".item.two .what")].map((one) => one.textContent),
        badges: [...document.querySelectorAll(".item.two .badge")].map((one) => one.textContent),
        names: [...item.querySelectorAll(".pair h3")].map((one) => one.textContent),
        where: item.querySelector("summary .small").textContent,
      };
    """
    dom, console = _browse(_probed(written, "models.html", script), tmp_path / "profile")
    answer = _answer(dom)
    assert console == []
    right = {}
    for model in ("r2", "r4"):
        (file,) = (LM_EVAL / model).glob("samples_world_facts_*.jsonl")
        rows = map(json.loads, file.read_text().splitlines())
        right[model] = {row["doc"]["question"]: row["acc"] == 1 for row in rows}
    differ = [question for question in right["r2"] if right["r2"][question] != right["r4"][question]]
    assert 0 < len(differ) <= 20
    assert sorted(answer["questions"]) == sorted(differ)
    a, b = answer["names"]
    assert [a, b] == answer["sides"] == ["r4", "r2"]
    assert answer["count"].startswith(f"{len(differ)} items on which r4 (A) and r2 (B) differ")
    assert answer["badges"] == [
        f"{'right' if right[a][question] else 'wrong'} in {a}, {'right' if right[b][question] else 'wrong'} in {b}"
        for question in answer["questions"]
    ]
    assert "0-shot" in answer["where"]
    assert "r4" not in answer["where"]
    again = """
      await until(() => document.querySelector("#item-count").textContent.includes("(A)"));
      return document.querySelector("#item-count").textContent;
    """
    dom, more = _browse(_probed(written, "again.html", again), tmp_path / "profile", fragment=answer["address"])
    assert (_answer(dom), more) == (answer["count"], [])


ENGLISH = re.compile(r"[A-Za-z]{3,} [A-Za-z]{3,}")
"""Two English words beside each other."""


def test_a_chinese_page_has_no_english_but_what_is_marked(tmp_path: Path) -> None:
    folder = synthetic_results(tmp_path / "study", seeds=2, items=30, shifts=("none", "domain"))
    results = load(folder)
    analysis = analyse(results, replicates=50)
    written = tmp_path / "report.html"
    shown = to_json(analysis, "zh")
    text = page(shown, results.study, read_cells(folder), results.records, language="zh")
    written.write_text(text, encoding="utf-8")
    script = """
      await until(() => document.querySelectorAll(".item").length > 0);
      await wait(2000);
      document.querySelector(".item").open = true;
      await until(() => document.querySelector(".item .body"));
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) {
        const at = walker.currentNode.parentElement;
        if (!at.closest("script, style, pre, code, .what, .where")) texts.push(walker.currentNode.textContent.trim());
      }
      const mark = [...document.querySelectorAll("#figure-size .panel svg .mark-symbol path")].at(-1);
      const { left, top, width, height } = mark.getBoundingClientRect();
      const at = { bubbles: true, clientX: left + width / 2, clientY: top + height / 2 };
      for (const kind of ["pointerover", "pointermove", "mouseover", "mousemove"]) mark.dispatchEvent(new MouseEvent(kind, at));
      await until(() => document.querySelector("#vg-tooltip-element td"));
      const pointed = [...document.querySelectorAll("#vg-tooltip-element td")].map((one) => one.textContent);
      return { texts: [...new Set(texts)], pointed };
    """
    dom, console = _browse(_probed(written, "chinese.html", script), tmp_path / "profile", fragment="#items")
    answer = _answer(dom)
    seen = [*answer["texts"], *answer["pointed"]]
    allowed = (*(cell["task"] for cell in shown["cells"]), "torch", "Pad ")
    left = [one for one in seen if ENGLISH.search(one) and not any(name in one for name in allowed)]
    assert console == []
    assert len(seen) > 200
    assert any(one.startswith("可读率") for one in answer["pointed"])
    assert left == []


def test_phone_width_needs_no_sideways_scrolling(report: Path, tmp_path: Path) -> None:
    # A frame, because a headless window is at least 500 pixels wide.
    script = """
      await until(() => document.querySelectorAll(".item").length > 0);
      await wait(2000);
      const size = { page: document.documentElement.scrollWidth, window: innerWidth };
      console.log(JSON.stringify(size));
      return size;
    """
    probed = _probed(report, "phone.html", script)
    frame = report.with_name("frame.html")
    frame.write_text(f'<iframe src="{probed.name}#items" width="390" height="2500" style="border:0"></iframe>')
    _, console = _browse(frame, tmp_path)
    (line,) = console
    size = json.loads(line.split('"', 1)[1].rsplit('", source', 1)[0])
    assert size["window"] == 390
    assert size["page"] <= 390
