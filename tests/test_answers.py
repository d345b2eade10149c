"""Answers found in texts: the failure cases of other extractors, the dresses a number wears, real outputs."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections import defaultdict
from fractions import Fraction

import pytest
from conftest import shared
from hypothesis import given, settings
from hypothesis import strategies as st

from onset.answers import (
    BBHFormat,
    ChoiceFormat,
    NumberFormat,
    TextFormat,
    canonical_number,
    canonical_text,
    canonical_verbatim,
)
from onset.errors import DataError
from onset.records import Answer, Item

NUMBER = Item("How many?", "18")

# lm-evaluation-harness 0.4.13, lm_eval/tasks/gsm8k: strict-match of gsm8k_cot, the self-consistency filter, flexible-
# extract (last match), and the patterns deleted from the result before it is compared
STRICT = r"The answer is (\-?[0-9\.\,]+)."
SELF_CONSISTENCY = r"The answer is (\-?[0-9\.\,]*[0-9]+)"
FLEXIBLE = r"(-?[$0-9.,]{2,})|(-?[0-9]+)"
DELETED = (",", r"\$", r"(?s).*#### ", r"\.$")


def harness(pattern: str, text: str, *, last: bool = False) -> str:
    found = re.findall(pattern, text)
    if not found:
        return "[invalid]"
    match = found[-1 if last else 0]
    value = next(filter(None, match)) if isinstance(match, tuple) else match
    for deleted in DELETED:
        value = re.sub(deleted, "", value)
    return value


def number(text: str, *, truncated: bool = False) -> str | None:
    """The number found, or its status in angle brackets."""
    answer = NumberFormat().extract(text, NUMBER, truncated=truncated)
    return answer.value if answer.status == "ok" else f"<{answer.status}>"


@pytest.mark.parametrize(
    ("text", "theirs", "ours"),
    [
        # text, (strict, self-consistency, flexible) of the harness, and ours
        ("The answer is 18.", ("18", "18", "18"), "18"),
        ("The answer is 18", ("1", "18", "18"), "18"),
        ("The answer is 8", ("[invalid]", "8", "8"), "8"),
        ("The answer is $18.", ("[invalid]", "[invalid]", "18"), "18"),
        ("The answer is 18.00.", ("18.00", "18.00", "18.00"), "18"),
        ("so 18... The end", ("[invalid]", "[invalid]", "18.."), "18"),
        ("answer: 18 (see 3.)", ("[invalid]", "[invalid]", "3"), "18"),
    ],
)
def test_every_failure_of_the_harness_patterns(text: str, theirs: tuple[str, str, str], ours: str) -> None:
    assert (harness(STRICT, text), harness(SELF_CONSISTENCY, text), harness(FLEXIBLE, text, last=True)) == theirs
    assert number(text) == ours


def test_the_harness_gsm8k_pattern_loses_a_dollar_after_hashes() -> None:
    assert harness(r"#### (\-?[0-9\.\,]+)", "#### $18") == "[invalid]"
    assert number("#### $18") == "18"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is $1,000.", "1000"),
        ("The answer is 18 dollars (see 3.)", "18"),
        ("the ANSWER is -3", "-3"),
        ("The answer is \u2212$3.50", "-3.5"),
        ("The answer is $-3", "-3"),
        ("The answer is 3/4.", "0.75"),
        ("The answer is 2/6 of it", "1/3"),
        ("The answer is 1 1/2 hours.", "1.5"),
        ("The answer is 1½.", "1.5"),
        ("The answer is 1\u20442.", "0.5"),
        ("The answer is 18 and a half.", "18.5"),
        ("The answer is 2 and three quarters hours", "2.75"),
        ("The answer is minus 5.", "-5"),
        ("The answer is negative $5.", "-5"),
        ("The answer is - 5.", "-5"),
        ("The answer is 8 minus 3 = 5.", "5"),
        ("The answer is 8 minus 3.", "<ambiguous>"),
        ("The answer is $70k.", "70000"),
        ("The answer is $2.5M.", "2500000"),
        ("The answer is a 5k run.", "5"),
        ("The answer is 2.5 Million.", "2500000"),
        ("The answer is 5 hundred.", "500"),
        ("The answer is 12 hundred-dollar bills.", "12"),
        ("The answer is 1'000'000.", "1000000"),
        ("The answer is 1_000.", "1000"),
        ("The answer is 5'11.", "<ambiguous>"),
        ("The answer is 2**10.", "<ambiguous>"),
        ("The answer is **2**", "2"),
        ("The answer is 10² = 100.", "100"),
        ("The answer is 5².", "<ambiguous>"),
        ("The answer is √16.", "<none>"),
        (r"The answer is \sqrt{16} = 4.", "4"),
        ("The answer is 5, 6 and 7.", "<ambiguous>"),
        ("The answer is 5, 6, 7.", "<ambiguous>"),
        ("The answer is 5, since 6 and 7 are not.", "5"),
        ("The answer is -½.", "-0.5"),
        ("The answer is $1\\frac{1}{2}$.", "1.5"),
        ("The answer is 50%.", "50"),
        ("The answer is 2.5 million.", "2500000"),
        ("The answer is 1e3.", "1000"),
        ("The answer is .5", "0.5"),
        ("The answer is: **18**", "18"),
        ("The answer is:\n\n18", "18"),
        ("The final answer is $\\boxed{1{,}000}$.", "1000"),
        ("Therefore \\boxed{-\\frac{3}{4}}", "-0.75"),
        ("The answer is about 18.", "18"),
        ("The answer is x = 18", "18"),
        ("The answer is 9 * 2 = $18.", "18"),
        ("The answer is 18 = 9 * 2.", "18"),
        ("The answer is 15 gallons * 8 pints / gallon = 120 pints", "120"),
        ("The answer is $9 \\times 2 = 18$.", "18"),
        ("The answer is \\(9 \\cdot 2 = 18\\).", "18"),
        ("The answer is $36 \\div 2 = 18$.", "18"),
        ("\\boxed{9 \\text{ eggs} \\times \\$2 = \\$18}", "18"),
        ("The answer is 9 eggs x $2 per egg = $18.", "18"),
        ("The answer is $2 per egg * 9 eggs = $18.", "18"),
        ("The answer is 3 boxes * 12 pencils/box = 36 pencils.", "36"),
        ("The answer is 40% of 50 = 20.", "20"),
        ("The answer is 5 out of 7 apples.", "5"),
        ("The answer is 18 dollars because 9 * 2 = 19", "18"),
        ("The answer is 18 dollars as 9 * 2 = 18", "18"),
        ("The answer is 18, since 3 + 4 = 7 are left.", "18"),
        ("The answer is 48/2 = <<48/2=24>>24.", "24"),
        ("The answer is that she sells 9 eggs. There were 16.", "9"),
        ("The answer is 5. Let me check. The answer is 5.00.", "5"),
        # evidence of a higher kind decides
        ("The answer is 17.\n#### 18", "18"),
        ("Answer: 17 is wrong. The answer is 18.", "18"),
        ("Answer: Pam has 17 - 7 = 10. The answer is 10.", "10"),
        ("#### 1. Count the eggs\n16 - 7 = 9\n#### 18", "18"),
        ("#### Step 1\nThe answer is 18", "18"),
        # what comes after a new question is not the model's answer
        ("The answer is 18.\nQuestion: And now?\nThe answer is 3.", "18"),
        (" 18\nQ: What is 3 + 4?\nA: 7", "18"),
        # bare
        (" 18", "18"),
        ("$18.00", "18"),
        ("She eats 3 of 16.\nShe makes 9 * 2 = $18 every day", "18"),
        ("There were 16 and 4.\nSo 18 remain.", "18"),
        # statuses
        ("", "<none>"),
        ("I do not know", "<none>"),
        ("x2", "<none>"),
        ("The answer is unknown. 5 + 3 = 8", "<none>"),
        ("The answer is not 18.", "<none>"),
        ("The answer is 5/0.", "<none>"),
        ("The answer is 1,00.", "<none>"),
        ("The answer is 1.2.3.", "<none>"),
        ("The answer is 5. Or: The answer is 6.", "<ambiguous>"),
        ("The answer is 5 or 6.", "<ambiguous>"),
        ("The answer is 5-7.", "<ambiguous>"),
        ("The answer is 5 + 3.", "<ambiguous>"),
        ("The answer is 9 eggs x $2.", "<ambiguous>"),
        ("The answer is 9 \\times 2.", "<ambiguous>"),
        ("The answer is 9 eggs at $2 each x 7 = $126.", "<ambiguous>"),
        ("The answer is 5:30.", "<ambiguous>"),
        ("The answer is 1 000.", "<ambiguous>"),
        ("The answer is between 5 and 6.", "<ambiguous>"),
        ("She has 5 and he has 6", "<ambiguous>"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is 1", "<truncated>"),
        ("The answer is 18.", "<truncated>"),
        ("The answer is", "<truncated>"),
        ("The answer is $", "<truncated>"),
        ("The answer is 5 +", "<truncated>"),
        ("The answer is that she has", "<truncated>"),
        ("She has 18", "<truncated>"),
        ("She has 18 eggs. Then", "<truncated>"),
        ("#### 1", "<truncated>"),
        ("\\boxed{1", "<truncated>"),
        ("The answer is \\boxed{1", "<truncated>"),
        ("The answer is 18. The answer is 2", "<truncated>"),
        ("The answer is 18. Then", "18"),
        ("The answer is 18.\n", "18"),
        ("The answer is 18%", "18"),
        ("\\boxed{18}", "18"),
        ("The answer is **18**", "18"),
        ("The answer is 18 dollars and", "18"),
        ("The answer is 18. The answer is 18. The answer is 1", "18"),
        ("The answer is 18. The answer is", "18"),
        ("The answer is 18.\n\nThe answer is 18", "18"),
        ("The answer is 18\nQuestion: How many", "18"),
    ],
)
def test_numbers_in_a_text_that_was_cut(text: str, expected: str) -> None:
    assert number(text, truncated=True) == expected


@st.composite
def decimals(draw: st.DrawFn) -> tuple[int, str]:
    """An integer part and up to four decimals that do not end in 0."""
    return draw(st.integers(-(10**15), 10**15)), draw(st.from_regex(r"\A([0-9]{0,3}[1-9])?\Z"))


DRESSES = (
    "The answer is {}.",
    "The answer is {}",
    "the answer is: {} apples.",
    "The answer is **{}**.",
    "9 + x = {}\n#### {}",
    "\\boxed{{{}}}",
    "Answer: {}",
    " {}",
    "It is {} (I think).",
    "The answer is {}.\n\nQuestion: 7 + 5?\nAnswer: The answer is 12.",
    "The answer is {}. So the answer is {}.",
)


@settings(deadline=None)
@given(parts=decimals(), dress=st.sampled_from(DRESSES), data=st.data())
def test_one_number_in_any_dress_has_one_value(parts: tuple[int, str], dress: str, data: st.DataObject) -> None:
    whole, places = parts
    sign, digits = ("-" if whole < 0 else ""), str(abs(whole))
    expected = f"{sign}{digits}.{places}" if places else f"{sign}{digits}"
    assert expected == canonical_number(expected)
    minus = data.draw(st.sampled_from(["-", "\u2212"])) if sign else ""
    grouped = data.draw(st.sampled_from([digits, f"{abs(whole):,}", digits.rjust(len(digits) + 1, "0")]))
    tail = data.draw(st.sampled_from(["", "0", "00"]))
    point = "." if places or tail else ""
    written = f"{minus}{data.draw(st.sampled_from(['', '$']))}{grouped}{point}{places}{tail}"
    assert number(dress.format(written, written)) == expected


@settings(deadline=None)
@given(st.fractions(max_denominator=10**6))
def test_a_fraction_keeps_its_exact_value(value: Fraction) -> None:
    written = canonical_number(f"{value.numerator}/{value.denominator}")
    assert written is not None
    assert Fraction(written) == value
    assert canonical_number(written) == written


@settings(deadline=None)
@given(st.text(), st.booleans())
def test_no_text_breaks_a_format(text: str, truncated: bool) -> None:
    items = (NUMBER, Item("q", "(A)", choices=("(A)", "(B)")), Item("q", "Yes"), Item("q", "] )"), Item("q", "Paris"))
    for item in items:
        for form in (NumberFormat(), BBHFormat(), TextFormat(), *([ChoiceFormat()] if item.choices else [])):
            answer = form.extract(text, item, truncated=truncated)
            assert truncated or answer.status != "truncated"
            if answer.value is not None and isinstance(form, NumberFormat):
                assert canonical_number(answer.value) == answer.value


@pytest.mark.parametrize("text", ["9 eggs x " * 3000, "9 of " * 3000, "9 a b c d " * 3000, "9 " + "a-" * 9000])
def test_a_long_product_is_read_in_no_more_time_than_a_short_one_for_its_length(text: str) -> None:
    start = time.process_time()
    number(f"The answer is {text}")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "text", ["1 " * 5000, "9" * 50000, "\\boxed{" * 2000, "answer:" * 2000, "#### " * 2000, "=" * 9000]
)
def test_repetition_without_end_is_no_number(text: str) -> None:
    assert number(text) in ("1", "<none>")


def test_the_last_lines_of_gsm8k_solutions_are_read() -> None:
    right = wrong = 0
    for line in shared("data", "gsm8k", "train.jsonl").read_text(encoding="utf-8").splitlines():
        solution, _, gold = json.loads(line)["answer"].rpartition("####")
        last = solution.strip().rpartition("\n")[2]
        if (
            re.match(r"[$\d(]", last) and last.count("=") == 2 and "<<" in last
        ):  # "9 eggs * $2/egg = $18" and what goes on behind it
            found = number(f"The answer is {last}")
            right += found == canonical_number(gold)
            wrong += found not in (canonical_number(gold), "<ambiguous>", "<none>")
    assert (right, wrong) == (64, 26)  # (58, 67) where the first factor was taken


def test_the_gold_number_may_be_a_whole_solution() -> None:
    gold = Item("q", "She has 9 * 2 = <<9*2=18>>18.\n#### 1,018")
    assert NumberFormat().score(Answer("1018", "ok"), gold).correct
    assert not NumberFormat().score(Answer("18", "ok"), gold).correct
    assert not NumberFormat().score(Answer(None, "none"), gold).correct
    with pytest.raises(DataError) as error:
        NumberFormat().score(Answer("18", "ok"), Item("q", "eighteen"))
    assert str(error.value) == "gold answer 'eighteen': expected a number"


# ------------------------------------------------------------------------------------------------------------ choices

LETTERS = ("(A)", "(B)", "(C)")
TEXTED = ("(A) red", "(B) dark red")
MOOD = ("positive", "negative")
YES = ("Yes", "No")
VALID = ("valid", "invalid")


def choice(choices: tuple[str, ...], text: str, *, truncated: bool = False) -> str | None:
    answer = ChoiceFormat().extract(text, Item("q", choices[0], choices=choices), truncated=truncated)
    return answer.value if answer.status == "ok" else f"<{answer.status}>"


@pytest.mark.parametrize(
    ("choices", "text", "expected"),
    [
        (LETTERS, "(B)", "(B)"),
        (LETTERS, "B", "(B)"),
        (LETTERS, "b.", "(B)"),
        (LETTERS, "The answer is (b).", "(B)"),
        (LETTERS, "The answer is B", "(B)"),
        (LETTERS, "The answer is option C.", "(C)"),
        (LETTERS, "\\boxed{\\text{B}}", "(B)"),
        (LETTERS, "The answer is (A) or (B).", "<ambiguous>"),
        (LETTERS, "The answer is (A). No, the answer is (B).", "<ambiguous>"),
        (LETTERS, "The answer is (D).", "<none>"),
        (LETTERS, "The answer is a good one", "<none>"),
        (LETTERS, "The answer is not (A).", "<none>"),
        (LETTERS, "A big dog", "<none>"),
        (LETTERS, "It has two legs.\nSo (B) is right", "(B)"),
        (TEXTED, "The answer is red.", "(A) red"),
        (TEXTED, "The answer is dark  Red.", "(B) dark red"),
        (TEXTED, "B", "(B) dark red"),
        (TEXTED, "The answer is (A) red.", "(A) red"),
        (MOOD, "Positive.", "positive"),
        (MOOD, " negative", "negative"),
        (MOOD, "The answer is clearly positive.", "positive"),
        (MOOD, "So the review is negative.", "negative"),
        (MOOD, "It is not positive", "<none>"),
        (MOOD, "A", "<none>"),
        (MOOD, "The answer is (A).", "<none>"),
        (YES, "Yes.", "Yes"),
        (YES, "yes, because no one can.", "Yes"),
        (YES, "She has no apples left", "<none>"),
        (YES, "The answer is Nothing", "<none>"),
        (VALID, "The answer is invalid.", "invalid"),
        (VALID, "The answer is not valid.", "<none>"),
        (("A", "B"), "The answer is B", "B"),
        (LETTERS, "(B) blue\n\nExplanation: the others do not fit.", "(B)"),
        (LETTERS, "B) blue", "(B)"),
        (LETTERS, "**B) blue**", "(B)"),
        (LETTERS, "The answer is B because it fits.", "(B)"),
        (LETTERS, "The answer is B or C.", "<ambiguous>"),
        (LETTERS, "The correct option is B.", "(B)"),
        (LETTERS, "The correct option is A.", "(A)"),
        (LETTERS, "Option A is correct.", "(A)"),
        (LETTERS, "Option (B) is the correct one.", "(B)"),
        (LETTERS, "Option B is not correct.", "<none>"),
        (LETTERS, "(A) or (B)", "<ambiguous>"),
        (LETTERS, "(A) red is warm.\n(B) blue is cold.\nSo it is (B)", "(B)"),
        (LETTERS, "A) red is warm.\nB) blue is cold.\nOption B is right.", "(B)"),
        (("4", "5"), "The answer is 4.5", "<none>"),
        (("4", "5"), "The answer is -4", "<none>"),
        (("4", "5"), "The answer is 4,000", "<none>"),
        (("4", "5"), "The answer is 4.", "4"),
        (("4", "5"), "It is 5", "5"),
        (("-5", "5"), "The answer is \u22125.", "-5"),
        (("toxic", "neutral"), "The answer is non-toxic.", "<none>"),
        (("toxic", "non-toxic"), "The answer is non-toxic.", "non-toxic"),
        (("vitamin B", "vitamin B-12"), "The answer is vitamin B-12.", "vitamin B-12"),
        (("yes", "no"), "-yes", "yes"),
        (("yes", "no"), "Yes\u2013it is.", "yes"),
        (("yes", "don't know"), "The answer is don\u2019t know.", "don't know"),
        (("cafe\u0301", "tea"), "The answer is caf\u00e9.", "cafe\u0301"),
    ],
)
def test_choices(choices: tuple[str, ...], text: str, expected: str) -> None:
    assert choice(choices, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is", "<truncated>"),
        ("The answer is Ye", "<truncated>"),
        ("The answer is Yes", "<truncated>"),
        ("Yes", "<truncated>"),
        ("The answer is Yes.", "Yes"),
    ],
)
def test_choices_in_a_text_that_was_cut(text: str, expected: str) -> None:
    assert choice(YES, text, truncated=True) == expected


def test_the_gold_choice_by_text_or_letter() -> None:
    item = Item("q", "B", choices=TEXTED)
    assert ChoiceFormat().score(Answer("(B) dark red", "ok"), item).correct
    assert not ChoiceFormat().score(Answer("(A) red", "ok"), item).correct
    with pytest.raises(DataError) as error:
        ChoiceFormat().score(Answer("(A) red", "ok"), Item("q", "blue", choices=TEXTED))
    assert str(error.value) == "gold answer 'blue': expected one of (A) red, (B) dark red"
    with pytest.raises(DataError) as error:
        ChoiceFormat().extract("(A)", Item("Which?", "(A)"))
    assert str(error.value) == "question 'Which?': expected choices, found none"


# --------------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "truncated", "expected"),
    [
        ("The answer is Paris.", False, "paris"),
        ("The answer is the  Eiffel Tower.", False, "eiffel tower"),
        ('The answer is "nk".', False, "nk"),
        ("The answer is J. K. Rowling. She wrote it.", False, "j. k. rowling"),
        ("Answer: St. Louis\nIt lies on a river.", False, "st. louis"),
        (" Paris", False, "paris"),
        ("Paris\nParis.", False, "paris"),
        ("Paris\nRome", False, "<ambiguous>"),
        ("I am not sure at all but I think that it may well be Paris", False, "<none>"),
        ("  ", False, "<none>"),
        ("The answer is Par", True, "<truncated>"),
        ("Paris", True, "<truncated>"),
        ("The answer is Paris.", True, "paris"),
        ("The answer is Paris. The answer is Par", True, "paris"),
        ("\\boxed{\\text{Paris}}", False, "paris"),
        ("The answer is \\boxed{Paris}.", False, "paris"),
        ("The final answer is: $\\boxed{Paris}$", False, "paris"),
        ("The answer is $\\boxed{\\textbf{New York}}$, a city. It is big.", False, "new york"),
        ("The answer is:\n\n\\[\n\\text{Paris}\n\\]\n", False, "paris"),
        ("$\\text{Paris}$", False, "paris"),
        ("**The answer is Paris.** It is big.", False, "paris"),
        ('The answer is "Paris." It is big.', False, "paris"),
        ("**The answer is:**\n**Paris**, that is", False, "paris**, that is"),
        ("The answer is $\\boxed{Par", True, "<truncated>"),
        ("The answer is $\\boxed{Paris}$", True, "paris"),
    ],
)
def test_text(text: str, truncated: bool, expected: str) -> None:
    answer = TextFormat().extract(text, Item("q", "x"), truncated=truncated)
    assert (answer.value if answer.status == "ok" else f"<{answer.status}>") == expected


def test_the_gold_text() -> None:
    assert TextFormat().score(Answer("eiffel tower", "ok"), Item("q", "The Eiffel Tower")).correct
    assert not TextFormat().score(Answer("paris", "ok"), Item("q", "The Eiffel Tower")).correct
    with pytest.raises(DataError) as error:
        TextFormat().score(Answer("x", "ok"), Item("q", " "))
    assert str(error.value) == "gold answer ' ': expected some text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("** ] ) **", "] )"),
        ("`] )`.", "] )"),
        ("\"a 'b'\"", "a 'b'"),
        ("“a b”", "a b"),
        ("$ ] \\} $", "$ ] \\} $"[2:-2]),
        ("\\text{] \\}}", "] }"),
        # what is not closed opened nothing, and brackets are never dress
        ("( ] )", "( ] )"),
        ("$5 a", "$5 a"),
        ("'tis so", "'tis so"),
        ("*", "*"),
        ('""', '""'),
    ],
)
def test_the_dress_of_a_text_whose_punctuation_counts(text: str, expected: str) -> None:
    assert canonical_verbatim(text) == expected


def test_canonical_texts() -> None:
    assert [canonical_text(text) for text in ("An Apple.", "] )", "the", "")] == ["apple", "] )", "the", None]
    assert canonical_verbatim(" ] )\n}. ") == "] ) }"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5", "-5"), ("(\u22125)", "-5"), ("-$5.", "-5"), ("-.5", "-0.5"), (".5", "0.5"), ("...5", "5"), ("+5", "5"),
        ("- 5", "5"), ("C++.", "c++"), ("C#", "c#"), ("A+", "a+"), ("Paris #", "paris"), ("5+", "5"),
        ("\u5317\u4eac\u3002", "\u5317\u4eac"), ("\u00abParis\u00bb\u2026", "paris"),
    ],
)  # fmt: skip
def test_marks_around_a_text_go_and_those_of_it_stay(text: str, expected: str) -> None:
    assert canonical_text(text) == expected


# -------------------------------------------------------------------------------------------------- BIG-Bench Hard

PUBLISHED = {"direct": (52.8, 56.6), "cot": (73.7, 73.9)}
"""code-davinci-002 in Suzgun et al. 2022 (arXiv 2210.09261), answer-only and chain-of-thought: the mean over the 27
subtasks, and over the 23 tasks, the three sizes of two of them averaged first (its Table 2)."""


def _codex(prompting: str) -> list[dict[str, str]]:
    path = shared("data", "bbh", "codex", f"{prompting}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _after_the_last_marker(prediction: str) -> str:
    """What the paper's authors compare: the text after the last "the answer is ", without a final full stop."""
    return prediction.rpartition("the answer is ")[2].strip().removesuffix(".")


@pytest.mark.parametrize("prompting", ["direct", "cot"])
def test_codex_scores_are_the_published_ones(prompting: str) -> None:
    rows, form = _codex(prompting), BBHFormat()
    assert len(rows) == 6511
    outcomes, families = defaultdict(list), defaultdict(list)
    for row in rows:
        item = Item(row["question"], row["target"])
        correct = form.score(form.extract(row["prediction"], item), item).correct
        # not only the means: every single row agrees with the exact match of the strings
        assert correct == (_after_the_last_marker(row["prediction"]) == row["target"]), row
        outcomes[row["task"]].append(correct)
    for task, correct_ones in outcomes.items():
        family = re.sub(r"_(three|five|seven)_objects$", "", task)
        families[family].append(statistics.mean(correct_ones))
    accuracies = [statistics.mean(correct_ones) for correct_ones in outcomes.values()]
    assert (len(outcomes), len(families)) == (27, 23)
    assert round(100 * statistics.mean(accuracies), 1) == PUBLISHED[prompting][0]
    assert round(100 * statistics.mean(map(statistics.mean, families.values())), 1) == PUBLISHED[prompting][1]


@pytest.mark.parametrize(
    ("gold", "text", "expected"),
    [
        ("(B)", "So the answer is (B).", "(B)"),
        ("(B)", "The answer is (R).", "(R)"),
        ("(B)", "The answer is (S).", None),
        ("False", "So the answer is False", "False"),
        ("yes", "So the answer is Yes.", "yes"),
        ("Yes", "So the answer is yes.", "Yes"),
        ("valid", "the argument is deductively invalid.", "invalid"),
        ("-35", "So the answer is -1,035.", "-1035"),
        ("] ) }", "So the answer is ] ) }.", "] ) }"),
        ("apple no true", "apple no true", "apple no true"),
        ("Monsters, Inc", "So the answer is Monsters, Inc.", "monsters, inc"),
    ],
)
def test_the_kind_of_a_bbh_answer_is_the_kind_of_the_gold_one(gold: str, text: str, expected: str | None) -> None:
    assert BBHFormat().extract(text, Item("", gold)).value == expected


@pytest.mark.parametrize("task", ["word_sorting", "dyck_languages"])
@pytest.mark.parametrize(
    "dress",
    [
        "So the answer is {}.",
        "So the answer is **{}**.",
        "The answer is: **{}**",
        "The answer is:\n\n**{}**\n",
        "The answer is:\n```\n{}\n```",
        "**The answer is {}.**",
        "**The answer is {}**",
        "**Answer:** `{}`",
        "The answer is `{}`.",
        'The answer is "{}."',
        '"The answer is {}."',
        "The answer is ${}$.",
        "The answer is \\boxed{{{}}}",
        "The answer is $\\boxed{{\\text{{{}}}}}$.",
        "$\\boxed{{{}}}$ closes them. It is over.",
        "**{}**",
        "{}",
    ],
)
def test_open_text_of_bbh_in_any_dress(task: str, dress: str) -> None:
    rows = json.loads(shared("data", "bbh", "tasks", f"{task}.json").read_text(encoding="utf-8"))["examples"]
    assert len(rows) == 250
    for row in rows:
        item = Item(row["input"], row["target"])
        answer = BBHFormat().extract(dress.format(row["target"]), item)
        assert BBHFormat().score(answer, item).correct, answer


@pytest.mark.parametrize("written", ["\\boxed{] \\} >}", "\\boxed{\\text{] \\} >}}", "\\boxed{ ] } > }"])
def test_brackets_in_a_box(written: str) -> None:
    assert BBHFormat().extract(f"The answer is ${written}$. It", Item("q", "] } >")).value == "] } >"


def test_bbh_options_of_the_item_come_first() -> None:
    item = Item("q", "(A)", choices=("(A)", "(B)"))
    assert BBHFormat().extract("The answer is (C).", item) == Answer(None, "none")
    assert BBHFormat().score(Answer("(A)", "ok"), item).correct
