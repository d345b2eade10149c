"""The one table of words in every language, and names a person can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

import pytest

from onset.analysis.outcomes.measured import AS_ASKED
from onset.analysis.phrases import LANGUAGES, PHRASES, counted, phrase
from onset.analysis.phrases.names import STEPS
from onset.analysis.phrases.reading import READING
from onset.analysis.phrases.told import _COUNTS, CHECKED, SCORES, TOLD, retold
from onset.analysis.questions import lines
from onset.analysis.questions.say import Say
from onset.analysis.words import (
    begun,
    difference_name,
    myriads,
    plain_method,
    plain_shift,
    plain_stage,
    plain_task,
    said,
)
from onset.ladder.corpora import INGREDIENTS, MIXTURES, Corpus
from onset.methods import METHODS
from onset.shifts import SHIFTS
from onset.tasks import TASKS, world_problems


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", PHRASES)
def test_every_language_has_every_phrase_with_the_same_places(key: str) -> None:
    assert set(PHRASES[key]) == set(LANGUAGES)
    assert all(PHRASES[key].values())
    assert len({frozenset(places(text)) for text in PHRASES[key].values()}) == 1


def test_chinese_is_chinese() -> None:
    for key, texts in PHRASES.items():
        if key.startswith("line.") and key != "line.of":
            assert re.search(r"[\u4e00-\u9fff]", texts["zh"])
            assert not re.search(r"[\u4e00-\u9fff]", texts["en"])


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        (
            "world-problems[steps=2, things=held]",
            "word problems, two steps, unseen things",
            "应用题，2 步，没见过的事物",
        ),
        ("word-problems[steps=1]", "word problems, one step", "应用题，1 步"),
        ("world-one-hop[frequency=tail]", "facts, hardly ever read", "事实，罕见"),
        ("addition[digits=12]", "addition, 12 digits", "加法，12 位"),
        ("bbh/boolean_expressions", "BBH boolean expressions", "BBH boolean expressions"),
        ("my-tickets", "my-tickets", "my-tickets"),
        ("mine[size=big]", "mine, size big", "mine，size big"),
    ],
)
def test_tasks_have_names_a_person_can_read(name: str, english: str, chinese: str) -> None:
    assert (plain_task(name), plain_task(name, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("answer-only", "answering at once"),
        ("cot", "chain of thought"),
        ("cot-vote", "a vote over chain of thought"),
        ("cot-shots4-vote8-t0.5", "a vote over chain of thought (4 shown, 8 samples, temperature 0.5)"),
        ("cot-chat", "chain of thought (as a chat)"),
        ("cot-complexity8-keep5", "a vote of the most complex of chain of thought (8 samples, 5 kept)"),
        ("cot-weighted8-topk40", "a weighted vote over chain of thought (8 samples, top 40)"),
        ("verifier", "LoRA with a verifier"),
        (
            "lora-rationales-epochs2-verifier16-keep5-solutions32",
            "a verifier's pick of LoRA on worked steps (2 epochs, 16 samples, 5 kept, 32 solutions to learn from)",
        ),
        ("zero-shot-cot-vote5", "a vote over zero-shot chain of thought (5 samples)"),
        ("lora-rationales-steps60-lr0.002", "LoRA on worked steps (60 steps, rate 0.002)"),
        ("cot-of-mine", "cot-of-mine"),
        ("mine", "mine"),
    ],
)
def test_methods_have_names_a_person_can_read(name: str, english: str) -> None:
    assert plain_method(name) == english


def test_a_method_that_results_do_not_name_has_a_name() -> None:
    assert (plain_method(AS_ASKED), plain_method(AS_ASKED, "zh")) == ("as asked", "原样提问")


def test_shifts_and_stages_of_the_package_have_names_and_others_keep_theirs() -> None:
    told = [world_problems.load(steps=1, things=things, pool=8, test=4) for things in ("told", "held")]
    known = {*SHIFTS, *(shift for tasks in told for task in tasks for shift, _ in task.test_sets)}
    assert known >= {"typos", "longer", "demo-order", "second-root", "seen-things"}
    assert {name for name in known if plain_shift(name, "zh") == name} == set()
    assert {name for name in known - {"none"} if plain_shift(name) != name} == set()
    assert (plain_shift("none"), plain_shift("domain", "zh")) == ("as given", "domain")
    assert (plain_shift("typos-rate0.2"), plain_shift("typos-rate0.2", "zh")) == (
        "typos-rate0.2",
        "拼写错误（rate0.2）",
    )
    assert plain_shift("demo-order-orderreversed", "zh") == "示例换序（orderreversed）"
    stages = {Corpus(mixture, without).stage for mixture in MIXTURES for without in ((), INGREDIENTS)}
    for stage in {*stages, *(Corpus("pilot", (one,)).stage for one in INGREDIENTS)}:
        assert plain_stage(stage) == stage
        assert not re.search("[a-z]", plain_stage(stage, "zh"))
    assert plain_stage("extra notes, sft", "zh") == "另加 notes，sft"


@pytest.mark.parametrize("table", [TOLD, CHECKED, SCORES, READING, STEPS])
def test_what_is_told_has_the_places_of_its_template(table: dict[str, str]) -> None:
    for english, chinese in table.items():
        assert places(chinese) <= places(english)
        assert places(english) - places(chinese) <= {"curve"}
        assert re.search(r"[\u4e00-\u9fff]", re.sub(r"{\w+}", "", chinese)) or not re.search(
            "[a-z]{4}", re.sub(r"{\w+}", "", english)
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exact McNemar; interval: the wider of its own and Tango's score interval; p adjusted by Holm",
         "McNemar 精确检验；区间：其自身的区间与 Tango 得分区间中较宽者；p 按 Holm 校正"),
        ("crossed bootstrap, paired on clean twins, with a t interval over 3 draws: the wider of the two",
         "交叉自助法，按原题配对，并有 3 次抽取的 t 区间：取两者中较宽者"),
        ("loss of a tuned method, paired items, 2 draws", "微调方法的损失，题配对，2 次抽取"),
        ("a test of somebody else's", None),
        ("something and, of all things, another", None),
    ],
)  # fmt: skip
def test_a_test_is_said_by_the_template_that_it_was_made_from(text: str, said: str | None) -> None:
    assert retold(text, TOLD) == said


def test_presets_and_tasks_of_the_tables_have_names() -> None:
    assert all(plain_method(name, language) != name for name in METHODS for language in LANGUAGES)
    assert {name for name in TASKS if f"task.{name}" not in PHRASES} == {"own"}


def test_counts_and_sizes_follow_their_language() -> None:
    assert (counted("cell", 1), counted("cell", 2), counted("cell", 2, "zh")) == ("1 cell", "2 cells", "2 个单元")
    assert [myriads(size) for size in (500, 46_000, 650_000, 6_500_000, 1.7e9)] == [
        "500", "4.6 万", "65 万", "650 万", "17 亿",
    ]  # fmt: skip
    assert (said("crossover", "from"), said("size", "emergent", "zh")) == ("from a size on", "突现")
    assert (difference_name("shift", "zh"), difference_name("cost")) == ("变化后 − 原样", None)
    assert difference_name("prompt or tune", "en", "prompting") == "prompted − tuned"
    assert difference_name("prompt or tune", "en", "undecided") == "tuned − prompted"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("word problems: best", "Word problems: best"),
        ("world_facts: best", "world_facts: best"),
        ("gsm8k: best", "gsm8k: best"),
        ("r4 is best", "r4 is best"),
        ("bbh/causal is open.", "bbh/causal is open."),
        ("", ""),
    ],
)
def test_sentences_begin_with_a_capital_but_for_names_spelled_without(text: str, said: str) -> None:
    assert begun(text) == said


def test_a_line_says_its_task_as_far_as_there_is_room() -> None:
    def shift(of: str | None, method: str) -> str:
        made = lines.line(
            "shift.loses",
            of,
            method=method,
            shift="typos",
            points=lines.points(0.01),
            range=lines.share_range((0, None)),
        )
        return made["en"]

    assert shift(None, "cot") == "cot loses 1.0 point under the shift typos (above 0.0)"
    task = "world-problems[steps=2, things=held]"
    assert shift(task, "cot").startswith("Word problems, two steps, unseen things: cot loses 1.0 point under")
    assert shift(task, "m" * 30).startswith("Word problems: mmm")
    assert shift(task, "m" * 60).startswith("mmm")
    # where a name leaves no room on one line it is said whole on two
    name = "a" * 60 + "b" * 60
    wrapped = shift(task, name)
    assert wrapped == f"{name} loses 1.0 point under the shift typos (above 0.0)"
    assert lines.LONGEST < len(wrapped) <= lines.WRAPPED
    # beyond two it is cut in its middle, never a number
    cut = shift(task, "a" * 120 + "b" * 120)
    assert len(cut) == lines.WRAPPED
    assert re.fullmatch("a+\N{HORIZONTAL ELLIPSIS}b+ loses 1.0 point under the shift typos \\(above 0.0\\)", cut)
    # where names cannot give enough, the interval is kept
    long = lines.line("curve.flat", None, method="m" * 100, first="f" * 120, last="(1)")["en"]
    assert len(long) == lines.WRAPPED


def test_a_phrase_without_its_places_is_an_error() -> None:
    with pytest.raises(KeyError):
        phrase("line.cost.pays")
    with pytest.raises(KeyError):
        phrase("line.nothing")


@pytest.mark.parametrize("table", [TOLD, CHECKED, READING])
def test_no_template_is_swallowed_by_one_before_it(table: Mapping[str, str]) -> None:
    for template, chinese in table.items():
        filled = {name: "7" if name in _COUNTS else f"<{name}>" for name in re.findall(r"{(\w+)}", template)}
        assert retold(template.format(**filled), table, {}) == chinese.format(**filled)


def test_a_reason_within_a_reason_is_told() -> None:
    text = "a jump has probability 1.00, yet the test does not reject smooth growth (q = 0.07)"
    assert retold(text, TOLD) == "跃升的概率为 1.00，但检验没有拒绝平滑增长（q = 0.07）"


def test_names_keep_their_case_where_a_sentence_begins_with_them() -> None:
    def line(of: str | None, model: str) -> list[str]:
        made = lines.line("chain of thought.helps", of, method=lines.method("cot"), model=model, points="7", range="1")
        return [made[language] for language in LANGUAGES]

    assert line("tickets", "alpha") == [
        "tickets: chain of thought helps alpha by 7 (1)",
        "tickets：思维链使 alpha 提高 7（1）",
    ]
    assert line("coin-flip", "a")[0].startswith("Coin flips: ")
    assert line(None, "a")[0].startswith("Chain of thought ")
    own = lines.line("chain of thought.helps", method=lines.method("mine"), model="a", points="7", range="1")
    assert own["en"].startswith("mine helps a")
    say, chinese = Say("en"), Say("zh")
    where = say.parted([say.named_task("tickets"), say("{model} {given}", model="alpha", given="here")])
    assert say.text([say("{where}: {said}", where=where, said="so"), say("on {where}", where="t")]) == (
        "tickets, alpha here: so. On t."
    )
    assert (
        say.text([say("{model} on {task}", model="alpha", task="t"), say.method("cot")])
        == "alpha on t. Chain of thought."
    )
    assert chinese.text([chinese("{where}: {said}", where="tickets", said="7")]) == "tickets：7。"
