"""Sentences in every language: each template that is said has its Chinese, with the same places."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import onset.analysis.questions as home
from onset import report
from onset.analysis.emergence.drawn import EmergenceVerdict, curve_kind
from onset.analysis.phrases.page import CHINESE
from onset.analysis.phrases.sentences import SENTENCES
from onset.analysis.questions.say import Say
from onset.report import figures

Values = dict[str, list[ast.expr]]
"""What a name is assigned in its function."""


def templates(node: ast.expr, names: Values) -> list[str]:
    """The texts that an argument may be."""
    if isinstance(node, ast.IfExp):
        return templates(node.body, names) + templates(node.orelse, names)
    if isinstance(node, ast.Name):
        return [text for value in names.get(node.id, []) for text in templates(value, {})]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def said_in(path: Path) -> set[str]:
    found: set[str] = set()
    for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
        names: Values = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names.setdefault(node.targets[0].id, []).append(node.value)
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args]
        named = [one for one in calls if ast.unparse(one.func).rpartition(".")[2] in ("say", "self")]
        found |= {text for one in named for text in templates(one.args[0], names)}
    return found


def test_every_sentence_that_is_said_has_a_chinese_one() -> None:
    places = [home.__file__, report.__file__, figures.__file__]
    said = set().union(*(said_in(path) for place in places for path in Path(place).parent.glob("*.py")))
    assert len(said) > 100
    said |= {curve_kind(verdict) for verdict in get_args(EmergenceVerdict)}
    assert said - set(SENTENCES) - set(CHINESE) == set()


@pytest.mark.parametrize(("english", "chinese"), SENTENCES.items())
def test_a_template_has_the_same_places_in_chinese(english: str, chinese: str) -> None:
    assert sorted(set(re.findall(r"{\w+}", english))) == sorted(set(re.findall(r"{\w+}", chinese)))
    words = re.sub(r"{\w+}", "", english)
    assert re.search(r"[\u4e00-\u9fff\uff00-\uffef]", chinese) or not re.search("[a-z]", words)
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert not re.search(r"[\u4e00-\u9fff][,;:()]", chinese), "half-width punctuation"


def test_numbers_and_names_are_said_in_the_language() -> None:
    english, chinese = Say("en"), Say("zh")
    assert english.with_labels(64, {"cot": (4, 4)}) == "with 64 labelled examples, 4 of them shown"
    assert english.with_labels(64, {"cot": (4, 6), "own": (64, 64)}, 2) == (
        "with 64 labelled examples, of which chain of thought shows 4 to 6"
    )
    assert chinese.with_labels(0) == "不用标注样例"
    assert (english.points(0.01), english.points(0.1)) == ("1.0 point", "10.0 points")
    assert chinese.points(-0.1) == "\N{MINUS SIGN}10.0 个百分点"
    assert english.interval((None, 2e6), english.size) == "95 % interval below 2 M"
    assert chinese.interval((4.6e4, None), chinese.size) == "95 % 区间高于 4.6 万"
    assert english.text(["one", "", "two"]) == "One. Two."
    assert chinese.text(["在约 4.6 万 参数 处", ""]) == "在约 4.6 万参数处\u3002"
    assert chinese.text(["在 6 万（3.0 个百分点） 处"]) == "在 6 万（3.0 个百分点）处\u3002"
    assert (english.named("cot"), chinese.named("cot")) == ("cot", "思维链")
    assert (english.named_task("gsm8k"), chinese.named_task("coin-flip")) == ("gsm8k", "抛硬币")
    assert (english.reasons(["a", "b"]), english.reasons([]), chinese.reasons(["a"])) == (" (a; b)", "", "")
    assert [say.told("filter a was used, and not b") for say in (english, chinese)] == [
        "filter a was used, and not b"
    ] * 2
    assert chinese.reasons(["seed 1: example plan p against q, refused", "so"]) == (
        "（种子 1：样例计划 p 对 q，拒绝比较）"
    )
    assert (english.why(["no test"]), english.why([]), chinese.why(["so"])) == (": no test", "", "")
    assert [say.probability(p) for say in (english, chinese) for p in (0.02, 1e-5)] == [
        ".020", "below .001", ".020", "小于 .001",
    ]  # fmt: skip
    assert chinese.duration(95) == "1 分 35 秒"
    # a study is no worse for a sentence that was never translated
    assert chinese("never said") == "never said"
