"""Whatever names and texts hold, the page has the elements that it would have with plain ones, and runs nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
import synthetic
from synthetic import synthetic_results

from onset.analysis.study import analyse, to_json
from onset.report.html import page
from onset.results.read import load, read_cells

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OWNED = "document.documentElement.dataset.owned='yes'"
PIECES = [
    f"</script><script>{OWNED}</script>",
    f'"><img src=x onerror="{OWNED}">',
    f"' onmouseover='{OWNED}' x='",
    f"javascript:{OWNED}",
    f"]]></style></title></svg><svg onload={OWNED}>",
    "{{ 7*7 }}{% raw %}",
    f'"}})["x"] + {OWNED} + ({{"',
    f"<!--<script>{OWNED}//-->",
    "=HYPERLINK(1)\u2028\u2029",
    f"[x](javascript:{OWNED}) `<b>`",
]
"""A break-out for every place a text may come to stand in: element, attribute, address, script, style, template, Vega."""


def _tame(text: str) -> str:
    """A name of the same length and with the same places to wrap, in which nothing could run."""
    return re.sub(r"[<>\"'&=;:()\[\]{}`%*+.!|\\]", "x", text.replace("\u2028", "x").replace("\u2029", "x"))


class _Elements(HTMLParser):
    """Every tag with the names of its attributes, what scripts hold, and where links go."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.scripts: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        held = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "action")]
        self._open = tag
        if tag == "script":
            self.scripts.append((held.get("type") or "", ""))

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            kind, held = self.scripts[-1]
            self.scripts[-1] = kind, held + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A page of which models, families, tasks, methods, texts and errors are all such names, and its tame twin of the
    same numbers.
    """
    tame, specs = [_tame(one) for one in PIECES], synthetic.METHOD_SPECS
    renamed = {"answer-only": tame[0], "cot": tame[1], "lora-answers": tame[6]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "METHOD_SPECS", {**specs, **{new: specs[old] for old, new in renamed.items()}})
        folder = synthetic_results(
            tmp_path_factory.mktemp("study"),
            models=[(tame[place], 10 ** (5 + place)) for place in (2, 3, 4, 9)],
            methods=list(renamed.values()),
            tasks=[("coin-flip", 0.5), ("addition", 0.0)],
            seeds=2,
            items=20,
            families=[tame[5]] * 4,
            incomplete=True,
        )
    results = load(folder)
    shown = to_json(analyse(results, replicates=50))
    for one in (*shown["findings"], *shown["comparisons"]):
        one["sentence"] = f"{one['sentence']} {tame[0]}. {tame[1]}"
    shown["failed"] = dict.fromkeys(shown["failed"], tame[0])
    study = {**results.study, "name": tame[0], "question": tame[1], "extra": tame}
    held = [json.dumps(one) for one in (shown, study, read_cells(folder))]
    for place, old in ((7, "coin-flip"), (8, "addition")):
        held = [text.replace(json.dumps(old), json.dumps(tame[place])) for text in held]
    every = pl.lit("".join(PIECES))
    records = results.records.with_columns(
        question=every, gold=every, prompt=every, answer=every, cause=every,
        outputs=pl.col("outputs").list.eval(pl.concat_str(pl.element(), every)),
        answers=pl.col("answers").list.eval(pl.concat_str(pl.element(), every)),
    )  # fmt: skip
    made = []
    for names in (PIECES, tame):
        parts = held
        for old, new in zip(tame, names, strict=True):
            parts = [text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]) for text in parts]
        made.append(page(*map(json.loads, parts), records))
    return made[0], made[1]


@pytest.mark.slow
def test_the_elements_and_attributes_of_the_page_are_those_of_plain_names(pages: tuple[str, str]) -> None:
    hostile, tame = (_Elements(text) for text in pages)
    assert len(hostile.found) > 1000
    assert hostile.found == tame.found
    assert not [name for _, names in hostile.found for name in names if name.startswith("on")]
    assert all(one.startswith(("#", "data:")) for one in hostile.addresses), hostile.addresses
    assert hostile.addresses == tame.addresses


@pytest.mark.slow
def test_only_scripts_that_the_policy_names_may_run(pages: tuple[str, str]) -> None:
    elements = _Elements(pages[0])
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', pages[0])
    assert found is not None
    policy = html.unescape(found[1])
    named = set(re.findall(r"sha256-([\w+/=]+)", policy))
    run = [held for kind, held in elements.scripts if kind in ("", "text/javascript", "module")]
    assert {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in run} == named
    assert "unsafe-eval" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for kind, held in elements.scripts:
        if kind == "application/json":
            json.loads(held)
    packed = next(held for kind, held in elements.scripts if kind == "application/octet-stream")
    assert "".join(PIECES) in json.loads(gzip.decompress(base64.b64decode(packed)))["texts"]


@pytest.mark.slow
@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "without it"])
def test_a_browser_runs_nothing_of_it(pages: tuple[str, str], tmp_path: Path, policy: bool) -> None:
    """Also where a browser does not know the policy; every item is opened, every method pressed."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    text = pages[0]
    if not policy:
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        end = text.rindex("</body>")
        probe = (
            "<script>(async () => { const wait = (ms) => new Promise((done) => setTimeout(done, ms)); await wait(3000);"
            " for (const one of document.querySelectorAll('details')) one.open = true; await wait(500);"
            " for (const one of document.querySelectorAll('[data-focus], .sortable button')) one.click();"
            " for (const one of document.querySelectorAll('*')) one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));"
            " await wait(500); document.documentElement.dataset.pressed = 'yes'; })();</script>"
        )
        text = text[:end] + probe + text[end:]
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    quiet = "--disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet.split(), f"--user-data-dir={tmp_path}/p"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, "--dump-dom", path.as_uri() + "#items"], capture_output=True, text=True, timeout=300, check=True
    )
    opening = done.stdout[: done.stdout.index("<head")]
    assert "data-owned" not in opening
    assert ("data-pressed" in opening) is not policy
    assert len(re.findall(r'<div class="panel"[^>]* data-drawn', done.stdout)) > 5
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
