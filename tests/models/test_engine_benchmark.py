"""The parts of the engine's benchmark that decide what is compared. The contenders themselves need environments of their own."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from engine_parts import floor, tables, workloads
from engine_parts.serve import cut
from engine_parts.workloads import MissingData, Sizes, Workload


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "gsm8k"
    folder.mkdir()
    rows = [{"question": "how many " * n, "answer": f"steps <<1+1=2>>2\nmore\n#### {n}"} for n in range(1, 40)]
    for name in ("train", "test"):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path


def test_prompts_share_a_prefix_of_about_the_wished_length(data: Path) -> None:
    work = workloads.make("greedy", 200, data, Sizes(5, 2, 40, 3, 128), words)
    prompts = [prompt.split() for prompt in work.prompts]
    assert len(prompts) == 5
    assert abs(workloads.shared_length(prompts) - 200) < 20
    assert work.prompts[0].count("Q:") == workloads.SHOTS + 1
    assert "<<" not in work.prompts[0]


def test_absent_data_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"logical_deduction_five_objects\.json is absent"):
        workloads.make("choice", 200, tmp_path, Sizes(5, 2, 40, 3, 128), words)


@pytest.mark.parametrize(
    ("units", "questions", "samples"), [(32, 4, 8), (40, 1, 40), (80, 2, 40), (8, 1, 8), (320, 8, 40)]
)
def test_the_slow_get_whole_questions_or_fewer_samples(units: int, questions: int, samples: int) -> None:
    work = Workload("vote", 700, tuple("abcdefgh"), 128, samples=40).first(units)
    assert (len(work.prompts), work.samples) == (questions, samples)


def test_the_floor_counts_what_must_be_computed(tmp_path: Path) -> None:
    config = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1}
    config |= {"num_hidden_layers": 2, "vocab_size": 32, "sliding_window": 2}
    config["layer_types"] = ["sliding_attention", "full_attention"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape = floor.shape_of(tmp_path)
    assert shape.layer_weights == 2 * (8 * 16 + 8 * 8 + 8 * 32 + 16 * 8)
    # positions 0, 1, 2: one, two and two keys in the window, one to three without it
    assert shape.attention_flops(0, 3) == 4 * 8 * (5 + 6)
    work = floor.Work(prefix=3, questions=[2], texts=[[4]], generated=True, rows=1)
    linear = 2 * shape.layer_weights * 9 + 2 * 8 * 32 * 4
    assert floor.flops(shape, work) == linear + shape.attention_flops(0, 9)
    assert floor.traffic(shape, work) > 4 * shape.weight_bytes


def test_a_text_ends_at_the_first_stop_string() -> None:
    assert cut(" 2. Q: more\nA: x", ["Q:", "A:"]) == " 2. "


def test_a_ratio_stands_beside_both_figures() -> None:
    def side(name: str, seconds: list[float]) -> dict[str, object]:
        return {"name": name, "units": 2, "seconds": seconds, "tokens": [10] * len(seconds), "peak": 2**30, "tried": {}}

    told = {"kind": "greedy", "questions": 2, "samples": 1, "prefix": 700, "memory": {"weights": 2**30, "kv": 2**30}}
    told |= {"sides": {"onset": side("onset", [2.0, 4.0, 3.0]), "vllm": side("vllm", [6.0])}}
    text = tables.cell({**told, "agreement": {"vllm": {"same": 1, "of": 2, "same_tokens": False}}})
    assert "| vllm | 2 | 1 | 3.000 (3.000 to 3.000) | 1.7 | 2.00 | 2.00 | 1 of 2 | 1.00 |" in text
    assert "| onset | 2 | 3 | 1.500 (1.000 to 2.000) |" in text
    assert "Not the same prompt tokens as Onset's: vllm." in text
