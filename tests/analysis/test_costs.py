"""What arms cost: counted again from the records, and break-evens against ratios that are known."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_arms import arm
from rich.console import Console
from synthetic import synthetic_results

from onset.analysis import Analysis, analyse, load, to_json
from onset.analysis.estimates.break_evens import ratio_interval
from onset.analysis.estimates.costs import front, key_of, spent_of
from onset.analysis.outcomes import KEY, measured_of
from onset.analysis.questions.say import Say
from onset.models.facts import attention_of
from onset.report.costs import break_even_tables, cost_table, print_break_evens, print_costs
from onset.report.html import page
from onset.report.words import flops
from onset.results.shared import AT_ONCE

FAST = 300


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = synthetic_results(
        tmp_path_factory.mktemp("costs"), models=(("mid", 10**8),), tasks=(("addition", 0.0),), seeds=2, items=30
    )
    return analyse(load(folder), replicates=FAST)


def of(study: Analysis, method: str, labels: int = 32) -> tuple[pl.DataFrame, pl.DataFrame]:
    cells = study.measured.cells.filter((pl.col("method") == method) & (pl.col("labels") == labels))
    return cells, study.measured.records.filter(pl.col("cell").is_in(cells["cell"].to_list()))


@pytest.mark.parametrize("method", ["answer-only", "lora-answers", "cot-vote"])
def test_a_query_costs_what_its_records_say(study: Analysis, method: str) -> None:
    cells, records = of(study, method)
    spent = study.spent[tuple(cells[0, name] for name in KEY)]
    assert spent.flops == pytest.approx(records["flops"].mean())
    assert spent.prompt_tokens == pytest.approx(records["prompt_tokens"].mean())
    assert spent.tuning == (pytest.approx(cells["flops_tuning"].mean()) if method == "lora-answers" else 0.0)
    assert spent.stages == 0.0
    assert spent.total(1000.0) == pytest.approx(spent.tuning + 1000 * spent.flops)


def test_what_prompts_begin_with_is_run_once_where_it_is_kept(study: Analysis) -> None:
    """By hand: the letters in common of all prompts of a cell, as a share of each, times its tokens at 2 N each."""
    cells, records = of(study, "answer-only")
    (first, *rest) = records["prompt"].to_list()
    letters = next(at for at in range(len(first)) if any(text[: at + 1] != first[: at + 1] for text in rest))
    assert letters > 40
    shared = sum(
        letters / len(text) * tokens for text, tokens in zip(records["prompt"], records["prompt_tokens"], strict=True)
    )
    spent = study.spent[tuple(cells[0, name] for name in KEY)]
    each = records["flops"].sum() / (records["prompt_tokens"].sum() + records["output_tokens"].sum())
    assert spent.flops - spent.flops_reused == pytest.approx(each * shared / len(records))
    assert spent.prefix == pytest.approx(each * shared / len(records))
    assert spent.total(10.0, reused=True) < spent.total(10.0)


def test_attention_and_stages_are_stated(tmp_path: Path) -> None:
    """Attention of T tokens takes 4 L d T^2, half of it where causal; what a stage took is in ``made`` of cell.json."""
    folder = synthetic_results(tmp_path, models=(("mid", 10**8),), tasks=(("addition", 0.0),), seeds=1, items=12)
    for path in folder.glob("cells/*/cell.json"):
        cell = json.loads(path.read_text())
        cell["facts"]["attention"] = 6 * 128
        steps = [("first", 2.5e12), ("second", 1e12)]
        stages = [{"name": n, "made": n, "step": {}, "training": {"flops": f, "tokens": 9}} for n, f in steps]
        cell["made"] = {"id": "second", "base_revision": "base", "stages": stages}
        path.write_text(json.dumps(cell))
    made = analyse(load(folder), replicates=FAST)
    for method in ("answer-only", "cot-vote"):
        cells, records = of(made, method)
        spent = made.spent[tuple(cells[0, name] for name in KEY)]
        samples = 5 if method == "cot-vote" else 1
        tokens = zip(records["prompt_tokens"].to_list(), records["output_tokens"].to_list(), strict=True)
        # each sample's tokens attend to the prompt and to those before them; the prompt runs once
        pairs = [p * p / 2 + samples * (p * o / samples + (o / samples) ** 2 / 2) for p, o in tokens]
        assert spent.attention == pytest.approx(4 * 6 * 128 * sum(pairs) / len(pairs))
        assert spent.stages == 3.5e12
        assert spent.once == spent.tuning + 3.5e12


def test_a_ratio_covers_in_95_per_cent() -> None:
    """Fieller's interval by inversion: tuning 900 +- 30 a draw, 3 saved a query, which varies over items and draws."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        once = rng.normal(900, 30, 5)
        saved = 3 + rng.normal(0, 0.1, (5, 1)) + rng.normal(0, 1, (1, 40)) + rng.normal(0, 0.5, (5, 40))
        low, high = ratio_interval(once, saved, once.mean() / saved.mean())
        held += (low or 0) <= 300 <= (high or math.inf)
    assert held / 300 >= 0.93


def test_a_saving_that_may_be_none_leaves_the_interval_open() -> None:
    rng = np.random.default_rng(1)
    saved = 0.1 + rng.normal(0, 1, (3, 20)) - 0.0
    saved += 0.1 - saved.mean()
    low, high = ratio_interval(np.full(3, 90.0), saved, 900.0)
    assert high is None
    assert low is not None
    assert 0 < low < 900


def test_break_even_queries_have_an_interval(study: Analysis) -> None:
    found = [one for one in study.break_evens if one.queries is not None]
    assert found
    for one in found:
        if one.interval is not None:
            low, high = one.interval
            assert (low or 0) <= one.queries <= (high or math.inf)
        assert one.knows_reuse
        assert one.reused is None or one.reused > 0


def test_the_front_is_what_none_beats_for_less() -> None:
    shares = {"a": 0.5, "b": 0.7, "c": 0.6, "d": 0.7, "e": 0.9}
    arms = [arm((np.arange(10) < 10 * share).astype(float), name) for name, share in shares.items()]
    costs = dict(zip(map(key_of, arms), (1.0, 2.0, 3.0, 4.0, 5.0), strict=True))
    found = front(arms, costs)
    assert [one.method for one in found] == ["a", "b", "e"]
    for one in arms:
        beaten = any(
            costs[key_of(other)] <= costs[key_of(one)]
            and other.accuracy >= one.accuracy
            and (costs[key_of(other)], -other.accuracy) != (costs[key_of(one)], -one.accuracy)
            for other in arms
        )
        assert beaten == (one not in found)
    assert front(arms, {}) == ()


def test_what_the_json_says_is_what_was_spent(study: Analysis) -> None:
    shown = to_json(study)
    assert len(shown["costs"]) == len(study.spent) == len(study.arms)
    assert {(one["method"], one["labels"]) for one in shown["costs"]} == {
        (one.method, one.labels) for one in study.arms
    }
    assert {one["labels"] for one in shown["costs"] if one["method"] == "cot"} == {8, 32}
    assert all(one["labels_used"] == one["labels"] for one in shown["costs"])
    (curve,) = [one for one in shown["label_curves"] if one["method"] == "cot"]
    assert [one["labels"] for one in curve["points"]] == [8, 32]
    fitted = [one["fitted"] for one in curve["points"]]
    assert fitted == sorted(fitted)
    assert {one["tuned"] for one in shown["break_even_labels"]} == {"lora-answers"}
    assert {one["prompted"] for one in shown["break_even_labels"]} == {"answer-only", "cot"}


def test_attention_is_layers_times_heads_times_their_size() -> None:
    from transformers import GemmaConfig, GPT2Config, LlamaConfig

    llama = LlamaConfig(num_hidden_layers=3, num_attention_heads=4, hidden_size=64)
    gemma = GemmaConfig(num_hidden_layers=2, num_attention_heads=4, head_dim=32, hidden_size=64)
    assert attention_of(llama) == 3 * 64
    assert attention_of(gemma) == 2 * 4 * 32
    assert attention_of(GPT2Config(n_layer=2, n_head=2, n_embd=32)) == 2 * 32
    assert attention_of(object()) is None


@pytest.mark.parametrize("width", [80, 140])
def test_costs_are_printed_as_they_are(study: Analysis, width: int) -> None:
    shown, out = to_json(study), io.StringIO()
    console = Console(file=out, width=width)
    print_costs(shown, console)
    print_break_evens(shown, console)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    (one,) = [one for one in shown["costs"] if (one["method"], one["labels"]) == ("lora-answers", 32)]
    (line,) = [
        line for line in text.splitlines() if line.startswith("mid") and "lora-answers" in line and " 32 " in line
    ]
    assert flops(one["flops"]) in line
    assert flops(one["flops_reused"]) in line
    assert flops(one["tuning"]) in line
    assert "Break-even labels" in text
    assert "Break-even queries" in text


def test_nothing_is_printed_of_what_has_no_costs() -> None:
    out = io.StringIO()
    print_costs({"costs": []}, Console(file=out))
    print_break_evens({}, Console(file=out))
    assert out.getvalue() == ""


# ---- on the page ---------------------------------------------------------------------------------------------------


def test_the_page_has_every_arm_and_every_pair(study: Analysis) -> None:
    shown = to_json(study)
    text = page(shown, study.study, [], study.measured.records)
    table = rows_of(text, "Costs")
    assert len(table) == len(study.arms)
    (one,) = [one for one in shown["costs"] if (one["method"], one["labels"]) == ("lora-answers", 32)]
    (row,) = [row for row in table if "lora-answers" in row and ">32<" in row]
    assert f">{flops(one['flops'])}<" in row
    assert f">{flops(one['tuning'])}<" in row
    assert ">9.0<" in row  # seconds of tuning
    assert len(rows_of(text, "Break-even labels")) == len(shown["break_even_labels"])
    paying = [one for one in shown["break_even_queries"] if one["queries"] is not None]
    assert len(rows_of(text, "Break-even queries")) == len(paying) > 0
    never = {"break_even_queries": [*paying, {**paying[0], "queries": None}]}
    tables = break_even_tables(never, Say())
    assert tables is not None
    assert len(tables["queries"]) == len(paying)
    assert f"Tuning that never pays is left out (1 of {len(paying) + 1})." in tables["queries_note"]


def test_an_end_of_an_interval_that_is_out_of_reach_is_said_as_such() -> None:
    pair = {"model": "m", "stage": "base", "task": "t", "shift": "none", "labels": 8, "tuned": "a", "prompted": "b"}
    pair |= {"queries": 38.2, "reused": None, "knows_reuse": False}

    def at(interval: list[float | None] | None) -> str:
        tables = break_even_tables({"break_even_queries": [pair | {"interval": interval}]}, Say())
        assert tables is not None
        return tables["queries"][0]["at"]

    assert at([12.4, 70.1]) == "39 (13–71)"
    assert at([12.4, None]) == "39 (above 13)"
    assert at([None, 70.1]) == "39 (up to 71)"
    assert at([None, None]) == at(None) == "39"


def rows_of(text: str, title: str) -> list[str]:
    """The rows of the body of the page's table called so."""
    (table,) = re.findall(rf'aria-label="{title}"><table>(.*?)</table>', text, re.DOTALL)
    return re.findall("<tr>.*?</tr>", table.split("<tbody>")[1], re.DOTALL)


def test_what_is_done_once_takes_the_seconds_of_all_of_it(study: Analysis) -> None:
    """Tuning, its search and the stages before it, not tuning alone; not known where one of them is not."""
    (one,) = [one for one in to_json(study)["costs"] if (one["method"], one["labels"]) == ("lora-answers", 32)]
    made = one | {"search": 1e9, "search_seconds": 30.0, "stages": 1e9, "stages_seconds": 100.0}

    def said(row: dict[str, object]) -> str:
        table = cost_table({"costs": [row]})
        assert table is not None
        return table["rows"][0]["once_seconds"]

    assert said(made) == "139.0"
    assert said(made | {"stages_seconds": None}) == "–"
    assert said(one | {"tuning": 0.0, "tuning_seconds": 0.0}) == "–"


def test_memory_weights_and_money_are_printed_where_they_are_known(study: Analysis) -> None:
    (one,) = [one for one in to_json(study)["costs"] if (one["method"], one["labels"]) == ("lora-answers", 32)]

    def printed(row: dict[str, object]) -> str:
        out = io.StringIO()
        print_costs({"costs": [row]}, Console(file=out, width=80))
        return out.getvalue()

    assert "Memory" not in printed(one | {"peak": None, "stored": 0})
    money = {"query": 0.0015, "once": 2.25, "currency": "€"}
    peaks = {"peak": 412_000_000, "tuning_peak": 1_236_000_000, "stages_peak": None, "stored": 8300}
    text = printed(one | peaks | {"money": money})
    for word in ("Memory", "412 MB", "1.24 GB", "8.3 kB", "€1.5", "€2.2"):
        assert word in text
    staged = one | peaks | {"stages": 1e9, "stages_peak": 2_000_000_000}
    assert "2 GB" in printed(staged)
    assert "1.24 GB" not in printed(staged | {"stages_peak": None})  # the stage's is not known


def test_a_second_model_takes_no_part_in_what_is_kept(tmp_path: Path) -> None:
    """Its tokens are in no sum and its FLOPs in the record's: a token of the measured model still takes 2 N."""
    folder = synthetic_results(tmp_path, models=(("mid", 10**8),), tasks=(("addition", 0.0),), seeds=1, items=8)
    made = analyse(load(folder), replicates=FAST)
    cells, records = of(made, "answer-only")

    def call(row: dict[str, object], **other: object) -> dict[str, object]:
        own = {"role": "answer", "prompt_hash": "", "prompt": None, "prompt_tokens": row["prompt_tokens"]}
        own |= {"output_tokens": row["output_tokens"], "n": 1, "texts": [], "model": None, "flops": None}
        return own | other

    second = {"role": "check", "prompt": "x", "prompt_tokens": 500, "output_tokens": 9, "model": "nli", "flops": 7e12}
    rows = [
        row | {"calls": [call(row), call(row, **second)], "flops": row["flops"] + 7e12} for row in records.to_dicts()
    ]
    asked = pl.DataFrame(rows, schema=records.schema)
    more = cells.with_columns(pl.col("flops_inference") + 7e12 * len(rows), pl.col("flops") + 7e12 * len(rows))
    plain, both = (
        spent_of(replace(made.measured, cells=table, records=read))[tuple(cells[0, name] for name in KEY)]
        for table, read in ((cells, records), (more, asked))
    )
    assert both.flops == pytest.approx(plain.flops + 7e12)
    assert both.flops - both.flops_reused == pytest.approx(plain.flops - plain.flops_reused)
    assert both.prefix == pytest.approx(plain.prefix)


def test_costs_are_the_same_where_a_folder_is_read_without_prompts(tmp_path: Path) -> None:
    """More cells than are laid out together, so that they come in parts."""
    folder = synthetic_results(tmp_path, labels=(8, 16, 32), seeds=3, items=4)
    whole, light = (measured_of(load(folder, prompts=prompts)) for prompts in (True, False))
    assert len(whole.cells) > AT_ONCE
    assert whole.shared is None
    assert spent_of(light) == spent_of(whole)
    assert any(one.prefix for one in spent_of(light).values())
