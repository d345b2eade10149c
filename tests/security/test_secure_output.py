"""What models, servers and files wrote commands no terminal and no spreadsheet, and keys are in nothing that is written."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import STUDY, call
from served import Served, quick, status
from werkzeug import Response

from onset.cli.common import console, print_json
from onset.errors import ModelError
from onset.models import open_model
from onset.models.scripted import ScriptedModel
from onset.models.servers.client import key_name
from onset.records import Request

COMMANDS = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\x08[red][/red][link=javascript:x]"

# ---- terminals -----------------------------------------------------------------------------------------------------


def _obeyed(text: str) -> list[str]:
    """What a terminal would obey of a text."""
    return re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_a_console_spells_out_what_a_terminal_obeys_and_keeps_its_own_colours() -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.file = io.StringIO()
    out._force_terminal, out._color_system = True, out._detect_color_system()
    table = Table()
    table.add_column(Text(COMMANDS))
    table.add_row(Text(f"x{COMMANDS}", style="red"))
    out.print(table)
    out.print(f"note: {COMMANDS}", markup=False)
    shown = out.file.getvalue()
    assert "\\x1b[2J" in shown
    assert "[red]" in shown
    assert _obeyed(re.sub(r"\x1b\[[0-9;]*m", "", shown)) == []


def test_json_for_programs_has_the_same_values_and_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": COMMANDS, "b": ["ä", "\u2028", "\ud800"]}
    print_json(value)
    shown = capsys.readouterr().out
    assert json.loads(shown) == value
    assert "ä" in shown
    assert _obeyed(shown) == []


LOG = {
    "version": 2, "status": "success",
    "eval": {"task": f"t{COMMANDS}", "model": f"m{COMMANDS}", "metadata": {"params": 7}},
    "plan": {"steps": [{"solver": f"s{COMMANDS}"}]},
    "results": {"total_samples": 9},
}  # fmt: skip


@pytest.mark.slow
def test_no_command_prints_what_a_log_would_have_a_terminal_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for model, right in (("a", 6), ("b", 2)):
        rows = [
            {"id": i, "epoch": 1, "input": f"q{i}{COMMANDS}", "target": COMMANDS,
             "output": {"completion": COMMANDS}, "scores": {f"c{COMMANDS}": {"value": "C" if i < right else "I", "answer": COMMANDS}}}
            for i in range(8)
        ]  # fmt: skip
        held = {**LOG, "eval": {**LOG["eval"], "model": f"{model}{COMMANDS}"}, "samples": rows}  # type: ignore[dict-item]
        (tmp_path / f"{model}.json").write_text(json.dumps(held))
    asked = [
        ("show", "."), ("show", ".", "--details"), ("show", ".", "--json"), ("report", "."), ("pairs", "."),
        ("compare", "a.json", "b.json"), ("emergence", "."), ("show", f"no{COMMANDS}"), ("show", ".", "--only", COMMANDS),
    ]  # fmt: skip
    for arguments in asked:
        _, out, err = call(capsys, *(one.replace("\0", "") for one in arguments))
        assert out + err != ""
        assert _obeyed(out + err) == [], arguments


# ---- keys ----------------------------------------------------------------------------------------------------------

KEY = "sk-proj-0123456789abcdefSECRET"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    one = Served(ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")).start()
    monkeypatch.setenv(key_name(one.url), KEY)
    quick(monkeypatch)
    yield one
    one.server.clear()
    one.server.stop()


@pytest.mark.slow
def test_a_server_that_says_again_what_it_was_sent_puts_no_key_into_any_file(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The text, the model's name in the list and the error of one request hold the key that came with the request."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    said = {"index": 0, "finish_reason": "stop", "text": f" The answer is heads. Authorization: Bearer {KEY}"}
    served.rows = [{"id": "fake", "max_model_len": 512, "owned_by": KEY}, {"id": f"x-{KEY}"}]
    seen: list[str] = []

    def answer(body: object) -> Response:
        seen.append(served.headers[-1]["Authorization"])
        if len(seen) == 6:
            found = status(400, f"Incorrect API key provided: {KEY}")(body)  # type: ignore[arg-type]
            assert found is not None
            return found
        return Response(json.dumps({"choices": [said]}), content_type="application/json")

    served.when = lambda body: answer(body) if "max_tokens" in body else None
    text = STUDY.replace("scripted:replies.json", served.spec).replace("seeds: 2", "seeds: 1")
    text = text.replace(", cot, {prompt: cot, vote: {samples: 3}}", "").replace("[2, 4]", "[0]")
    (tmp_path / "study.yaml").write_text(text + "template: plain\ncontinuous: false\nerror_budget: 1\n")
    printed = ""
    for arguments in (
        ("plan", "study.yaml"), ("run", "study.yaml", "--out", "out"), ("show", "out", "--json"), ("report", "out"),
        ("batch", "write", "study.yaml", "asked", "--out", "out2"), ("export", "out", "--format", "lm-eval", "--out", "e"),
        ("check-server", served.spec.replace("#fake", "#none"), "scripted:x.json"),
    ):  # fmt: skip
        _, out, err = call(capsys, *arguments)
        printed += out + err
    assert f"Bearer {KEY}" in seen
    assert "The answer is heads" in "".join(path.read_text() for path in tmp_path.rglob("samples_*.jsonl"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in printed
    assert "SECRET" not in caplog.text
    from onset.results.read import load

    assert not load(tmp_path / "out").records["outputs"].list.join("").str.contains("SECRET").any()


@pytest.mark.parametrize("code", [401, 403, 400, 404, 500])
def test_no_error_of_a_server_says_a_key(served: Served, code: int) -> None:
    model = open_model(served.spec)
    served.when = status(code, f"bad key {KEY} in Authorization: Bearer {KEY}")
    with pytest.raises(ModelError) as stopped:
        model.generate([Request("x", 8)])
    chain, error = [], stopped.value
    while error is not None:
        chain.append(f"{error} {error.args}")
        error = error.__cause__  # type: ignore[assignment]
    assert "SECRET" not in "".join(chain)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{KEY}@h/v1", f"http://{KEY}@h/v1", f"http://:{KEY}@h/v1", f"http://u:{KEY}@h:99999999/v1",
        f"http://h/v1?api_key={KEY}", f"ftp://u:{KEY}@h/v1", f"http://u:{KEY}@[::1/v1",
    ],
)  # fmt: skip
def test_a_key_in_a_url_is_refused_and_not_said_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("scripted:replies.json", f"openai:{url}#m"))
    for command in ("plan", "run"):
        code, out, err = call(capsys, command, str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out"))
        assert code == 2
        assert "SECRET" not in out + err
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_a_server_that_sends_elsewhere_is_followed_without_the_key(served: Served) -> None:
    other = Served(ScriptedModel({}, default=" x")).start()
    try:
        model = open_model(served.spec)
        served.when = lambda _: Response(
            "", 307, headers={"Location": f"{other.url.replace('127.0.0.1', 'localhost')}/completions"}
        )
        model.generate([Request("x", 8)])
        assert other.headers
        assert "SECRET" not in json.dumps(other.headers)
    finally:
        other.server.clear()
        other.server.stop()


def test_what_the_environment_says_of_an_account_goes_to_openai_alone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-SECRET")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-SECRET")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other-SECRET-000000")
    monkeypatch.setenv(key_name(served.url), "mine-12345678")
    open_model(served.spec).generate([Request("x", 8)])
    assert served.headers
    assert "SECRET" not in json.dumps(served.headers)
    assert served.headers[-1]["Authorization"] == "Bearer mine-12345678"


# ---- spreadsheets --------------------------------------------------------------------------------------------------


def test_a_table_that_the_page_saves_holds_no_formula(tmp_path: Path) -> None:
    """The script's own function, in the engine of a browser."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    script = (Path(__file__).parents[2] / "onset" / "report" / "templates" / "figures.js").read_text()
    begins = script.index("async function csv(panel)")
    function = script[begins : script.index("\n}\n", begins) + 3]
    rows = [{"a": one, "n": -0.25} for one in ("=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "-0.5", "+12", 'say "=x"')]
    probe = f"""const specs = [[{{datasets: {{r: {json.dumps(rows)}}}, layer: [{{data: {{name: "r"}}}}]}}]];
    {function}
    csv({{dataset: {{panel: "0"}}}}).then((made) => made.text()).then((text) => console.log(text));"""
    (tmp_path / "probe.mjs").write_text(probe)
    done = subprocess.run(
        [node, tmp_path / "probe.mjs"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    lines = done.stdout.split("\n")
    assert lines[:4] == ['"a","n"', '"\'=1+1","-0.25"', '"\'+cmd|x","-0.25"', '"\'-2+3","-0.25"']
    assert lines[4] == '"\'@SUM(A1)","-0.25"'
    assert lines[6:9] == ['"-0.5","-0.25"', '"+12","-0.25"', '"say ""=x""","-0.25"']
