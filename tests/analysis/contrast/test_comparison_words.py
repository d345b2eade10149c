"""What comparisons say in words and in the tables: true, with the reason, for one draw, for several, and undecided."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from made_arms import arm, changed
from rich.console import Console
from synthetic import synthetic_results

from onset.analysis import analyse, load, to_json
from onset.analysis.contrast.asked import compare_all
from onset.analysis.contrast.contrast import Contrast, contrast, decide
from onset.analysis.estimates.label_curves import overtakings
from onset.analysis.questions.comparison_words import comparison_sentence
from onset.analysis.questions.prompt_or_tune import budget_words
from onset.analysis.questions.say import ENGLISH
from onset.analysis.questions.shift import ShiftLoss
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import mcnemar
from onset.analysis.words import bound, signed_bound
from onset.report.notes import comparison_notes
from onset.report.terminal import print_show


def outcomes(only_a: int, only_b: int, items: int = 40) -> tuple[Array, Array]:
    """One draw with so many items that one side alone has right; the others are wrong on both."""
    a, b = np.zeros(items), np.zeros(items)
    a[:only_a] = 1
    b[only_a : only_a + only_b] = 1
    return a, b


def one_draw(only_a: int, only_b: int, items: int = 40, **changes: object) -> Contrast:
    a, b = outcomes(only_a, only_b, items)
    (one,) = decide([contrast(arm(a, "a", **changes), arm(b, "b", **changes), "method", replicates=100)])
    return one


def several(*draws: tuple[int, int], items: int = 40) -> Contrast:
    tables = [outcomes(*draw, items) for draw in draws]
    a, b = (np.array([table[side] for table in tables]) for side in (0, 1))
    (one,) = compare_all([arm(b, "b"), arm(a, "a")], replicates=500)
    return one


def test_the_interval_of_one_draw_and_its_verdict_agree() -> None:
    """Alone in its family: an interval that excludes 0 is a decision, and the other way round."""
    for only_a in range(14):
        for only_b in range(14):
            one = one_draw(only_a, only_b)
            assert one.interval is not None
            assert (one.interval[0] > 0 or one.interval[1] < 0) == (one.verdict in ("wins", "loses"))


def test_four_items_that_agree_are_undecided_and_the_sentence_says_why() -> None:
    one = one_draw(4, 0)
    assert (one.verdict, one.p) == ("undecided", 0.125)
    assert one.interval is not None
    assert one.interval[0] < 0
    assert (
        "; an exact McNemar test needs at least 6 items that only one side has right, all the same side, for p below"
        " .05, and here there are 4; about "
    ) in comparison_sentence(one)
    assert "there is 1;" in comparison_sentence(one_draw(0, 1))
    assert "McNemar" not in comparison_sentence(one_draw(7, 5))


def test_one_draw_answers_about_its_examples() -> None:
    wins, level, without = one_draw(12, 0), one_draw(0, 0, 2000), one_draw(12, 0, labels=0)
    assert (wins.scope, level.scope, without.scope) == ("these examples", "these examples", "no examples")
    assert comparison_sentence(wins).startswith("a beats b with these examples by 30.0 points (95 % interval ")
    assert comparison_sentence(level).startswith("a and b are equivalent within 5.0 points with these examples: ")
    assert comparison_sentence(without).startswith("a beats b by 30.0 points (")
    assert comparison_sentence(one_draw(0, 12)).startswith("a is worse than b with these examples by 30.0 points (")


def test_a_second_draw_that_agrees_is_not_a_word_less() -> None:
    """One draw wins; two that both win are too few to speak of others, and the sentence says all of that."""
    assert one_draw(11, 1).verdict == "wins"
    two = several((11, 1), (13, 1))
    assert (two.verdict, two.scope) == ("undecided", "draws")
    assert two.by_draw == pytest.approx((0.25, 0.3))
    assert two.p_by_draw == pytest.approx((mcnemar(11, 1), mcnemar(13, 1)))
    assert (
        "; a is ahead in both draws (by 25.0 and 30.0 points; each alone would settle it for its own examples);"
        " 2 draws alone hardly show how draws differ; "
    ) in comparison_sentence(two)
    assert two.needed_draws is not None
    assert f"{two.needed_draws} draws of as many items would decide it with 80 % power." in comparison_sentence(two)
    three = several((1, 11), (1, 4), (0, 3))
    assert (
        "; b is ahead in each of the 3 draws (by 25.0, 7.5 and 7.5 points; 1 of them alone would settle it for its own"
        " examples)"
    ) in comparison_sentence(three)
    assert "is ahead" not in comparison_sentence(several((11, 1), (1, 2)))


def test_a_p_that_holm_raises_is_named() -> None:
    a, b = outcomes(9, 1)
    members = [contrast(arm(a, "a"), arm(b, "b"), "method", replicates=100)]
    members += [contrast(arm(b, "c"), arm(b, "b"), "method", replicates=100) for _ in range(5)]  # six tests
    first = decide(members)[0]
    assert first.verdict == "undecided"
    assert ", p .021 alone and .129 after correcting for 6 comparisons; about " in comparison_sentence(first)


def budgets(*rows: tuple[int, int, int]) -> str:
    """The sentence on tuning against prompting for (labels, only tuned right, only prompted right)."""
    arms = []
    for labels, tuned, prompted in rows:
        a, b = outcomes(tuned, prompted)
        arms += [arm(b, "cot", labels=labels), arm(a, "lora", labels=labels, tune="lora")]
    (one,) = overtakings(compare_all(arms, replicates=100), {"lora"})
    return f"{budget_words(one, ENGLISH)}."


def test_a_lead_that_is_not_shown_is_not_called_a_defeat() -> None:
    assert budgets((8, 16, 6)) == (
        "m on t: it is not shown that lora overtakes cot: undecided at 8 labels, where it leads by 25.0 points."
    )
    assert budgets((8, 0, 20), (32, 10, 4)) == (
        "m on t: it is not shown that lora overtakes cot: cot is ahead at 8 labels; undecided at 32 labels, where it"
        " leads by 15.0 points."
    )
    assert budgets((8, 4, 4), (32, 3, 6)) == (
        "m on t: it is not shown that lora overtakes cot: undecided at 8 and 32 labels, without a lead."
    )
    assert budgets((8, 0, 20), (32, 0, 25)) == "m on t: lora does not overtake cot: cot is ahead at 8 and 32 labels."


def shown(folder: Path, width: int = 80) -> str:
    stream = io.StringIO()
    print_show(to_json(analyse(load(folder), replicates=300)), Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


@pytest.mark.parametrize("draws", [1, 2])
def test_the_table_of_comparisons_names_its_columns_and_what_it_is_about(tmp_path: Path, draws: int) -> None:
    folder = synthetic_results(
        tmp_path / "study", models=(("mid", 100_000_000),), tasks=(("addition", 0.0),), seeds=draws, items=40,
        voting=False,
    )  # fmt: skip
    text = shown(folder)
    (head,) = [line for line in text.splitlines() if line.startswith("Labels  Method")][:1]
    assert head.split()[:4] == ["Labels", "Method", "Against", "Diff."]
    assert "First" not in text
    assert "Second" not in text
    assert f"addition · mid (100 M parameters, {draws} draw{'s' * (draws > 1)})" in text
    assert ("One draw: the verdict is about these examples, not about others." in text) == (draws == 1)
    assert "cut" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_notes_say_what_was_pooled_and_why_not() -> None:
    base = {"scope": "draws", "verdict": "wins", "interval": [0.1, 0.2], "pool": None, "not_pooled": None}
    pool = {"design": "d, 2 draws", "comparisons": 6, "independent": 4, "prior_df": 1.5, "prior_sd": 0.1}
    assert comparison_notes([base]) == []
    assert comparison_notes([base | {"pool": pool}, base | {"pool": pool}, base | {"not_pooled": "too few"}]) == [
        "Noise between draws is pooled over 6 comparisons (d, 2 draws; 4 independent): prior of 1.5 degrees of"
        " freedom.",
        "Not pooled: too few.",
    ]
    (line,) = comparison_notes([base | {"verdict": "undecided"}])
    assert line.startswith("Undecided beside an interval without 0: the interval is of that comparison alone, ")


def test_the_json_says_what_was_pooled(tmp_path: Path) -> None:
    folder = synthetic_results(
        tmp_path / "study", models=(("tiny", 1_000_000), ("mid", 100_000_000)), seeds=2, items=40, voting=False
    )
    rows = to_json(analyse(load(folder), replicates=300))["comparisons"]
    for row in rows:
        assert set(row["pool"]) == {"design", "comparisons", "independent", "prior_df", "prior_sd"}
        assert (row["scope"], row["not_pooled"], len(row["by_draw"])) == ("draws", None, 2)
        assert "moderated" not in row
    assert {row["pool"]["design"] for row in rows} == {
        "prompted against prompted, 2 draws",
        "tuned against prompted, 2 draws",
    }


def test_shifts_pool_too_and_say_these_examples(tmp_path: Path) -> None:
    for draws in (1, 3):
        folder = synthetic_results(
            tmp_path / str(draws), seeds=draws, items=200, shifts=("none", "typos"), voting=False, labels=(8, 32),
            tasks=(("addition", 0.0),),
        )  # fmt: skip
        made = analyse(load(folder), replicates=300)
        assert any(one.verdict == "wins" for one in made.contrasts.losses)
        said = [one.sentence for one in ShiftLoss().ask(made) if one.verdict == "loses"]
        assert said
        assert all((": with these examples " in sentence) == (draws == 1) for sentence in said)
        assert all(
            (one.pool is not None) == (draws == 3) for one in (*made.contrasts.losses, *made.contrasts.loss_differences)
        )
        assert all(one.test.startswith("moderated t") == (draws == 3) for one in made.contrasts.losses)


def test_plain_replacement_of_the_verdict_leaves_no_crumbs() -> None:
    """A comparison whose sides share nothing still has its sentence."""
    a, b = outcomes(3, 1)
    (one,) = decide([contrast(arm(a, "a"), changed(arm(b, "b"), items=tuple(f"x{i}" for i in range(40))), "method")])
    assert comparison_sentence(one) == "a and b cannot be compared: they share no items."


def test_an_interval_that_just_excludes_zero_does_not_read_zero() -> None:
    one = one_draw(4, 13, items=100)
    assert one.verdict == "loses"
    assert one.interval is not None
    assert -0.0005 < one.interval[1] < 0
    end = f"{-100 * one.interval[1]:.2f}"
    assert end != "0.00"
    assert f"(95 % interval {end} to " in comparison_sentence(one)
    shown = [bound(share) for share in (0.0, 1e-9, 0.0004, -0.0004, 0.00004, 0.0006, 0.123)]
    assert shown == ["0.0", "0.0", "0.04", "−0.04", "0.004", "0.1", "12.3"]
    assert [signed_bound(share) for share in (0.0, 1e-9, 0.0003, -0.0003)] == ["0.0", "0.0", "+0.03", "−0.03"]
