"""Rank classification and its calibration, against worked examples and numpy."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onset.answers import ChoiceFormat
from onset.demos.fit import Shown
from onset.errors import DataError, StudyError
from onset.methods import method
from onset.models.scripted import MADE_UP_FACTS, Rule, ScriptedModel
from onset.pipeline import Evaluation, Prepared
from onset.prompting.ask import ANSWER, Ask, bare
from onset.prompting.chosen import CALIBRATION, Chosen, chosen
from onset.records import Answer, Attempt, Completion, Item, Pair, Request, Scored
from onset.results.read import load
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks.base import Task

SIDES = ("negative", "positive")
ITEMS = tuple(
    Item(f"review {place}", answer, choices=SIDES)
    for place, answer in enumerate(("negative", "positive", "positive", "negative"))
)
POOL = (Item("good film", "positive", choices=SIDES), Item("bad film", "negative", choices=SIDES))
TASK = Task("sst", "own", POOL, ITEMS, ChoiceFormat(), 0.5, "made up", "Classify.")
P = {"review 0": (0.3, 0.5), "review 1": (0.1, 0.8), "review 2": (0.2, 0.35), "review 3": (0.05, 0.06)}
"""Probabilities of the choices after each question; they do not sum to 1: other texts have some."""
FREE = {"N/A": (0.1, 0.3), "": (0.2, 0.2), "[MASK]": (0.03, 0.27)}
PROMPT = """Classify.

Question: good film
Options: negative; positive
Answer: The answer is positive.

Question: bad film
Options: negative; positive
Answer: The answer is negative.

Question: review 1
Options: negative; positive
Answer: The answer is"""


def logs(pair: Sequence[float]) -> dict[str, float]:
    return {f" {side}.": math.log(one) for side, one in zip(SIDES, pair, strict=True)}


def model(**changes: Any) -> ScriptedModel:
    asked = {f"Question: {text}\nOptions: .*\nAnswer: The answer is$": pair for text, pair in P.items()}
    free = {
        "Question: N/A\nOptions: .*\nAnswer: The answer is$": FREE["N/A"],
        "Question: \nOptions: .*\nAnswer: The answer is$": FREE[""],
        r"Question: \[MASK\]\nOptions: .*\nAnswer: The answer is$": FREE["[MASK]"],
    }
    rules = [Rule(pattern, logprobs=logs(pair)) for pattern, pair in {**asked, **free}.items()]
    return ScriptedModel(rules, facts=replace(MADE_UP_FACTS, **changes))


class Through:
    """A model's calls, awaited."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model

    async def generate(self, request: Request) -> list[Completion]:
        raise AssertionError("rank classification generates nothing")

    async def score(self, pair: Pair) -> Scored:
        return self.model.score([pair])[0]


def solve(item: Item, settings: Mapping[str, Any] = {}, *, state: Any = None, **options: Any) -> tuple[Attempt, Ask]:
    ask = Ask(Through(options.pop("by", model())), bare(TASK), item, options.pop("demos", POOL), state=state, **options)
    return asyncio.run(Chosen(**settings).solve(item, ask)), ask


def by_zhao(p: Sequence[float], rows: Sequence[Sequence[float]]) -> int:
    """As the released code of Zhao et al. 2021 has it: the mean of what is not normalised, W = diag(p_cf)^-1, b = 0."""
    prior = np.mean([np.array(row) for row in rows], axis=0)
    w = np.linalg.inv(np.identity(len(p)) * (prior / prior.sum()))
    return int(np.argmax(w @ (np.array(p) / np.sum(p)).reshape(-1, 1)))


def test_the_prompt_is_that_of_answering_at_once_up_to_the_answer() -> None:
    attempt, ask = solve(ITEMS[1])
    assert attempt.prompt == PROMPT
    assert [(call.role, call.prompt, call.texts) for call in ask.transcript] == [
        (ANSWER, PROMPT, (" negative.", " positive."))
    ]
    words = ScriptedModel({}).count_tokens(PROMPT)
    assert (ask.transcript[0].prompt_tokens, ask.transcript[0].output_tokens) == (words, 2)


def test_the_most_probable_choice_is_the_answer() -> None:
    attempt, _ = solve(ITEMS[0])
    assert attempt.answer == Answer("positive", "ok")
    assert attempt.answers == (attempt.answer,)
    assert attempt.completions == ()
    assert attempt.scores == pytest.approx([math.log(0.3), math.log(0.5)])
    assert attempt.gold.logprob == pytest.approx(math.log(0.3))
    assert attempt.gold.probability == pytest.approx(0.3 / 0.8)
    assert attempt.detail == {"choices": list(SIDES)}


def test_contextual_calibration_is_that_of_zhao() -> None:
    """p_cf = (.1 + .2 + .03, .3 + .2 + .27) / 1.1 = (.3, .7)."""
    found = []
    for item in ITEMS:
        attempt, ask = solve(item, {"calibration": "contextual"})
        assert attempt.detail["prior"] == pytest.approx([0.3, 0.7])
        assert [call.role for call in ask.transcript] == [ANSWER, *[CALIBRATION] * 3]
        assert attempt.answer.value == SIDES[by_zhao(P[item.question], list(FREE.values()))]
        assert attempt.gold == solve(item)[0].gold  # the model's own
        found.append(attempt.answer.value)
    assert found == ["negative", "positive", "negative", "negative"]


def test_the_prior_is_measured_once_where_all_share_it() -> None:
    ask = Ask(Through(model()), bare(TASK), Item("", "", choices=SIDES), POOL)
    prior = asyncio.run(Chosen(calibration="contextual").prepare(ask, POOL))
    before = PROMPT.partition("Question: review")[0]
    assert [call.prompt for call in ask.transcript] == [
        f"{before}Question: {text}\nOptions: negative; positive\nAnswer: The answer is" for text in FREE
    ]
    attempt, of_item = solve(ITEMS[0], {"calibration": "contextual"}, state=prior)
    assert [call.role for call in of_item.transcript] == [ANSWER]
    assert attempt == solve(ITEMS[0], {"calibration": "contextual"})[0]
    other = replace(ITEMS[0], choices=SIDES[::-1])
    _, anew = solve(other, {"calibration": "contextual"}, state=prior)
    assert [call.role for call in anew.transcript] == [ANSWER, *[CALIBRATION] * 3]
    for settings in ({}, {"calibration": "batch"}):
        assert asyncio.run(Chosen(**settings).prepare(ask, POOL)) is None


def test_a_context_is_stood_in_for_too() -> None:
    _, ask = solve(replace(ITEMS[0], context="a passage"), {"calibration": "contextual"}, by=ScriptedModel({}))
    first, empty, mask = (call.prompt.rpartition("\n\n")[2] for call in ask.transcript[1:])
    assert first.startswith("Context: N/A\nQuestion: N/A\n")
    assert empty.startswith("Question: \n")
    assert mask.startswith("Context: [MASK]\nQuestion: [MASK]\n")


def test_batch_calibration_is_that_of_zhou() -> None:
    scores = [[math.log(one) for one in P[item.question]] for item in ITEMS]
    shares = np.array([np.array(P[item.question]) / np.sum(P[item.question]) for item in ITEMS])
    by_hand = np.argmax(shares / shares.mean(axis=0), axis=1)
    found = Chosen(calibration="batch").conclude(ITEMS, scores)
    assert found == [Answer(SIDES[one], "ok") for one in by_hand]
    assert [one.value for one in found or ()] == ["negative", "positive", "negative", "negative"]
    assert Chosen().conclude(ITEMS, scores) is None
    assert Chosen(calibration="contextual").conclude(ITEMS, scores) is None


def test_batch_calibration_leaves_out_what_has_no_scores_and_says_so() -> None:
    scores = [None, *([math.log(one) for one in P[item.question]] for item in ITEMS[1:])]
    found = Chosen(calibration="batch").conclude(ITEMS, scores)
    shares = np.array([np.array(P[item.question]) / np.sum(P[item.question]) for item in ITEMS[1:]])
    assert found == [
        Answer(None, "none"),
        *(Answer(SIDES[one], "ok") for one in np.argmax(shares / shares.mean(axis=0), axis=1)),
    ]
    assert Chosen(calibration="batch").conclude(ITEMS[:1], [None]) == [Answer(None, "none")]
    # a probability of 0 is stored as None beside others
    never = Chosen(calibration="batch").conclude(ITEMS[:2], [[None, -1.0], [None, -2.0]])
    assert never == [Answer("positive", "ok")] * 2


def test_ties_and_impossible_choices() -> None:
    assert chosen("ab", [-1.0, -1.0], None) == Answer(None, "ambiguous")
    assert chosen("ab", [-1.0, -1.0], [0.25, 0.75]) == Answer("a", "ok")
    assert chosen("abc", [-math.inf, -9.0, -math.inf], [0.1, 0.8, 0.1]) == Answer("b", "ok")
    assert chosen("ab", [-math.inf, -math.inf], None) == Answer(None, "none")


def test_a_prompt_that_does_not_fit_is_overlong() -> None:
    attempt, _ = solve(ITEMS[0], by=model(context=20))
    assert attempt.completions[0].finish == "overlong"
    assert (attempt.answer, attempt.scores) == (Answer(None, "none"), None)


def test_it_refuses_a_vote_and_items_with_choices_of_their_own() -> None:
    with pytest.raises(StudyError, match="'rank-classification' samples nothing to vote on; leave out 'vote'"):
        method(prompt="rank-classification", vote=3)
    with pytest.raises(DataError) as error:
        expand(study(["batch"], task={"name": "multi-hop", "pool": 4, "test": 4}))
    assert str(error.value) == (
        "task multi-hop: 'rank-classification' with 'calibration: batch' needs the same choices in every item,"
        " its 4 test items have 4 different lists of choices"
    )
    with pytest.raises(DataError, match="needs items with choices, 4 of its 4 test items have none"):
        expand(study(["none"], task={"name": "addition", "pool": 4, "test": 4}))


def test_a_prior_that_cannot_be_divided_by_is_said() -> None:
    flat = [Rule("The answer is$", logprobs={" negative.": -1.0, " positive.": -1e9})]
    with pytest.raises(Exception, match="'positive' has probability 0 whatever is asked, nothing to divide by"):
        solve(ITEMS[0], {"calibration": "contextual"}, by=ScriptedModel(flat))


# ------------------------------------------------------------------------------------------------- in a study


def study(calibrations: Sequence[str], **changes: Any) -> Any:
    return make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[changes.pop("task", None) or changes.pop("tasks")],
        methods=[{"prompt": {"kind": "rank-classification", "calibration": one}, "name": one} for one in calibrations],
        labels=[2],
        seeds=1,
        items=4,
        **changes,
    )


@pytest.fixture
def own(tmp_path: Path) -> dict[str, Any]:
    for name, items in (("pool", POOL), ("test", ITEMS)):
        rows = [{"question": one.question, "answer": one.answer, "choices": list(SIDES)} for one in items]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {"train": str(tmp_path / "pool.jsonl"), "test": str(tmp_path / "test.jsonl")}
    return {"name": "sst", "instruction": "Classify.", "near_duplicates": "allow", **files}


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_cells_do_not_depend_on_their_chunks(chunk: int, own: dict[str, Any], tmp_path: Path) -> None:
    run(study(["none", "contextual", "batch"], task=own, chunk=chunk), tmp_path / "d", models={"fake": model()})
    results = load(tmp_path / "d")
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    answers = {
        name: {one["question"]: one["answer"] for one in results.records.to_dicts() if one["cell"] == row["cell"]}
        for name, row in cells.items()
    }
    asked = [f"review {place}" for place in range(4)]
    assert [answers["none"][one] for one in asked] == ["positive"] * 4
    assert [answers["contextual"][one] for one in asked] == ["negative", "positive", "negative", "negative"]
    assert [answers["batch"][one] for one in asked] == ["negative", "positive", "negative", "negative"]
    assert {name: row["correct"] for name, row in cells.items()} == {"none": 2, "contextual": 3, "batch": 3}
    assert all((row["failed_items"], row["overlong"], row["parse_rate"]) == (0, 0, 1) for row in cells.values())
    extra = cells["contextual"]["tokens"] - cells["none"]["tokens"]
    free = [model().count_tokens(PROMPT.replace("review 1", text)) for text in FREE]
    assert extra == sum(free) + 3 * 2  # three prompts and two choices after each, once a cell
    assert cells["batch"]["tokens"] == cells["none"]["tokens"]
    record = results.records.to_dicts()[0]
    assert len(record["scores"]) == 2
    assert record["outputs"] == []


def test_items_are_looked_at_only_for_a_method_that_prepares_something() -> None:
    unread: Any = None
    blind = replace(TASK, test=unread)
    contextual = method(prompt={"kind": "rank-classification", "calibration": "contextual"})
    assert Evaluation(model(), blind, method(prompt="answer-only"), Shown(), 0).prepare(POOL) == Prepared()
    with pytest.raises(TypeError):
        Evaluation(model(), blind, contextual, Shown(everywhere=POOL), 0).prepare(POOL)
    assert Evaluation(model(), TASK, contextual, Shown(everywhere=POOL), 0).prepare(POOL).calls
