"""Maieutic prompting: prompts word by word, and the inference worked out by hand."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import pytest
from told import Told, Turns, solve, task_of

from onset.errors import DataError, StudyError
from onset.methods import method
from onset.prompting.maieutic import Maieutic
from onset.prompting.statements import EXPLAIN, JUDGE, NEGATE, explain_prompt, judge_prompt, statement
from onset.records import Item
from onset.study.grid import expand
from onset.study.spec import make_study

Q, NOT_Q = "Eating soup means eating only solids.", "Eating soup means eating solids and liquids."
SOUP = Item(Q, "false", choices=("true", "false"), meta={"negation": NOT_Q})
DEMO = Item("Hair grows?", "true", choices=("true", "false"), rationale="hair never stops\ngrowing.")
LIQUID, NO_LIQUID = "Soup is a liquid.", "Soup is not a liquid."
DRINK, NO_DRINK = "People drink soup.", "People do not drink soup."
SOLIDS, NO_SOLIDS = "Soup has solids.", "Soup has no solids."
BELIEFS = {Q: 0.6, NOT_Q: 0.7, LIQUID: 0.9, NO_LIQUID: 0.2, DRINK: 0.3, NO_DRINK: 0.8, SOLIDS: 0.3, NO_SOLIDS: 0.4}
FALSE_BECAUSE = [" soup is a liquid.", " people drink soup.", " soup is a liquid."]
TRUE_BECAUSE = [" soup has solids.", " and then", " "]
NEGATED = {LIQUID: NO_LIQUID, DRINK: NO_DRINK, SOLIDS: NO_SOLIDS}
JUDGED = {
    (LIQUID, NO_DRINK): "False",
    (NO_DRINK, LIQUID): "False",
    (LIQUID, Q): "False",
    (LIQUID, NOT_Q): "True",
    (NO_DRINK, Q): "True",
}


class World(Told):
    """The model of the example; what it is told otherwise is changed."""

    def __init__(self, beliefs: dict[str, float | None] | None = None, judged: dict[Any, str] | None = None) -> None:
        self.beliefs: dict[str, float | None] = {**BELIEFS, **(beliefs or {})}
        self.judged = JUDGED if judged is None else judged
        super().__init__(self._reply, self._probability)

    def _reply(self, prompt: str, sample: int) -> str:
        if prompt.startswith(NEGATE):
            said = prompt.rpartition("Q: ")[2].partition("\n")[0]
            return f" {NEGATED[said]}"
        if not prompt.partition("Q: Eating")[2]:
            return " nothing more"  # the second level explains nothing
        return (TRUE_BECAUSE if "is true, because" in prompt else FALSE_BECAUSE)[sample]

    def _probability(self, context: str, option: str) -> float | None:
        if context.endswith("Answer:"):
            premise, _, rest = context.partition("\nQuestion: ")
            hypothesis = rest.removesuffix(" True, False, or Neither?\nAnswer:")
            return 0.8 if option == f" {self.judged.get((premise, hypothesis), 'Neither')}" else 0.1
        said = context.rpartition("Q: ")[2].partition("?\nA:")[0] + "."
        p = self.beliefs[said]
        return None if p is None else p if option.startswith(" true") else 1 - p


def asked(world: World | None = None, item: Item = SOUP, **settings: Any) -> tuple[Any, World, Any]:
    world = world or World()
    attempt, ask = solve(Maieutic(**settings), item, world)
    return attempt, world, ask


# ---- prompts -------------------------------------------------------------------------------------------------------


def test_prompts_are_word_by_word() -> None:
    assert explain_prompt(Q, [DEMO]) == (
        "Given a statement, infer whether the statement makes sense or does not make sense, and explain the reason.\n###\n"
        "Q: Hair grows?\nA: This statement is true, because hair never stops growing.\n###\n"
        "Q: Eating soup means eating only solids?\nA:"
    )
    assert judge_prompt(Q, [DEMO], explained=True) == (
        "Given a statement, correctly explain whether the statement is true or false.\n###\n"
        "Q: Hair grows?\nA: Hair never stops growing. Therefore, the statement is true.\n###\n"
        "Q: Eating soup means eating only solids?\nA:"
    )
    assert judge_prompt(Q, [DEMO], explained=False) == (
        f"{JUDGE}Q: Hair grows?\nA: The statement is true.\n###\nQ: Eating soup means eating only solids?\nA:"
    )
    assert [statement(one) for one in ("soup is hot", "Is it?", " It is. ")] == ["Soup is hot.", "Is it.", "It is."]


def test_the_calls_of_the_example() -> None:
    attempt, world, ask = asked()
    question = f"Q: {Q[:-1]}?\nA:"
    explains = [one for one in world.requests if one.prompt.startswith(EXPLAIN)]
    first = {one.prompt: one for one in explains}
    for truth in ("true", "false"):
        one = first[f"{EXPLAIN}{question} This statement is {truth}, because"]
        assert (one.n, one.temperature, one.max_tokens, one.stop) == (3, 1.0, 64, ("\n", "###"))
    deeper = [one for one in explains if question not in one.prompt]
    assert {one.prompt.rpartition("Q: ")[2].partition("?")[0] for one in deeper} == {"Soup has solids"}
    assert [(one.n, one.temperature) for one in deeper] == [(1, 0.5), (1, 0.5)]
    assert f"{NEGATE}Q: {LIQUID}\nA: The statement is false." in world.prompts
    beliefs = [call.prompt for call in ask.transcript if call.role in ("belief", "answer")]
    assert beliefs[0] == attempt.prompt == f"{JUDGE}{question} The statement is"
    assert len(beliefs) == 2 + 2 * 3  # the statement and three explanations, each with its negation
    entailments = [call.prompt for call in ask.transcript if call.role == "entailment"]
    assert entailments[0] == f"{LIQUID}\nQuestion: {NO_DRINK} True, False, or Neither?\nAnswer:"
    assert len(entailments) == 2 + 2 * 2


def test_with_explanations_a_belief_comes_after_one() -> None:
    world = World({"Eating soup means eating only solids.": 0.9, NOT_Q: 0.1})
    made = Maieutic(explanations=True)
    world.reply = lambda prompt, _: " Soup is wet. Therefore, the statement is false.\n"
    attempt, ask = solve(made, SOUP, world, demos=[DEMO])
    stem = f"{judge_prompt(Q, [DEMO], explained=True)} Soup is wet. Therefore, the statement is"
    assert [call.prompt for call in ask.transcript if call.role == "answer"] == [stem] == [attempt.prompt]
    assert made.rationale
    assert not Maieutic().rationale


def test_through_a_chat_an_answer_begins_the_assistants_turn() -> None:
    world = World({Q: 0.9, NOT_Q: 0.1})
    world.probability = lambda context, option: 0.9 if (NOT_Q[:-1] in context) == ("false" in option) else 0.1
    attempt, _ = solve(Maieutic(), SOUP, world, chat=Turns())
    assert attempt.prompt == f"<user>{JUDGE}Q: {Q[:-1]}?<assistant>The statement is"
    assert attempt.answer.value == "true"


def test_a_task_may_bring_its_statement_and_else_the_model_negates() -> None:
    own = replace(SOUP, question="Does eating soup mean eating only solids?", meta={"statement": Q, "negation": NOT_Q})
    attempt, world, _ = asked(item=own)
    assert attempt.prompt == f"{JUDGE}Q: {Q[:-1]}?\nA: The statement is"
    NEGATED_Q = NEGATED | {Q: NOT_Q}
    world = World()
    world.reply = lambda prompt, sample: (
        f" {NEGATED_Q[prompt.rpartition('Q: ')[2].partition(chr(10))[0]]}" if prompt.startswith(NEGATE) else " so"
    )
    bare = replace(SOUP, meta={})
    solve(Maieutic(), bare, world)
    assert world.prompts[0] == f"{NEGATE}Q: {Q}\nA: The statement is false."
    world.reply = lambda *_: "  "
    attempt, ask = solve(Maieutic(), bare, world)
    assert (attempt.answer.status, attempt.detail) == ("none", {"decided": "nothing", "score": None, "nodes": 0})
    assert [call.role for call in ask.transcript] == ["negation", "answer", "gold"]
    assert attempt.completions[0].finish == "eos"


@pytest.mark.parametrize("part", [NEGATE, EXPLAIN, f"{NEGATE}Q: {LIQUID}", f"{EXPLAIN}Q: {SOLIDS[:-1]}"])
def test_a_prompt_that_does_not_fit_is_overlong_and_no_inability(part: str) -> None:
    world = World()
    world.fits = lambda prompt: not prompt.startswith(part)
    item = replace(SOUP, meta={}) if part == NEGATE else SOUP
    attempt, _ = solve(Maieutic(), item, world)
    assert [one.finish for one in attempt.completions] == ["overlong"]
    assert (attempt.answer.status, attempt.gold.logprob) == ("none", None)


def test_of_a_negation_that_is_cut_whole_sentences_stay() -> None:
    world = World()
    cut = " Eating soup means eating liquids. Soup is" + " so" * 70
    world.reply = lambda prompt, _: cut if prompt.startswith(NEGATE) else " so"
    world.beliefs["Eating soup means eating liquids."] = 0.1
    attempt, _ = solve(Maieutic(), replace(SOUP, meta={}), world)
    assert attempt.completions[0].text == f"Q: {Q} (true 0.60, 0.10)\nThe answer is true."


# ---- inference -----------------------------------------------------------------------------------------------------


def test_the_example_worked_out_by_hand() -> None:
    """Left are "Soup is a liquid" (0.9 against 0.2: weight 0.64) and, since its negation is believed more, "People do
    not drink soup" (0.8 against 0.3: 0.45). They contradict each other, so the first stays; it contradicts the
    statement and entails its negation: -2. "Soup has solids" is not integral, and nothing explains it: it is cut.
    """
    attempt, _, _ = asked()
    assert (attempt.answer.value, attempt.detail) == ("false", {"decided": "explanations", "score": -2.0, "nodes": 2})
    assert attempt.completions[0].text == (
        f"Q: {Q} (true 0.60, 0.70, not integral)\nQF0: {LIQUID} (true 0.90, 0.20)\n"
        f"QF1: not: {DRINK} but: {NO_DRINK} (true 0.30, 0.80)\nThe answer is false."
    )


def test_of_several_optima_the_mean_decides() -> None:
    """Both beliefs weigh the same: either stays. One says -2, the other +1."""
    attempt, _, _ = asked(World({DRINK: 0.2, NO_DRINK: 0.9}))
    assert attempt.detail["score"] == -0.5
    assert attempt.answer.value == "false"


def test_an_integral_statement_is_decided_by_itself() -> None:
    attempt, world, ask = asked(World({Q: 0.2, NOT_Q: 0.7}))
    assert (attempt.answer.value, attempt.detail["decided"]) == ("false", "statement")
    assert world.requests == []
    assert [call.role for call in ask.transcript] == ["answer", "belief", "gold"]


def test_a_threshold_is_stricter_than_a_flip() -> None:
    close = {Q: 0.45, NOT_Q: 0.6}
    assert asked(World(close))[0].detail["decided"] == "statement"
    strict, world, _ = asked(World(close), integrity="threshold")
    assert world.requests
    assert strict.detail["decided"] == "explanations"
    assert asked(World({Q: 0.1, NOT_Q: 0.56}), integrity="threshold")[0].detail["nodes"] == 0
    assert asked(World({Q: 0.1, NOT_Q: 0.56}), integrity="threshold")[1].requests == []


def test_nothing_is_true_by_default() -> None:
    """Explanations that say nothing leave it to the statement's own beliefs; where these are level there is no answer."""
    silent: dict[Any, str] = {}
    attempt, _, _ = asked(World(judged=silent))
    assert (attempt.answer.value, attempt.detail) == ("false", {"decided": "statement", "score": 0.0, "nodes": 2})
    attempt, _, _ = asked(World({Q: 0.7, NOT_Q: 0.6}, silent))
    assert attempt.answer.value == "true"
    attempt, _, _ = asked(World({Q: 0.6, NOT_Q: 0.6}, silent))
    assert (attempt.answer.value, attempt.answer.status) == (None, "ambiguous")
    attempt, _, _ = asked(World({Q: 0.6, NOT_Q: 0.6, LIQUID: 0.3, DRINK: 0.4, NO_DRINK: 0.3}, silent))
    assert (attempt.answer.status, attempt.detail["nodes"], attempt.detail["score"]) == ("ambiguous", 0, None)


def test_a_statement_and_its_negation_get_opposite_answers() -> None:
    mirrored = replace(SOUP, question=NOT_Q, answer="true", meta={"negation": Q})
    world = World()
    reply = world.reply
    world.reply = lambda prompt, sample: (
        reply(
            prompt.replace("is true, because", "is <>, because")
            .replace("is false, because", "is true, because")
            .replace("is <>, because", "is false, because"),
            sample,
        )
        if prompt.startswith(EXPLAIN)
        else reply(prompt, sample)
    )
    attempt, _, _ = asked(world, mirrored)
    assert (attempt.answer.value, attempt.detail["score"]) == ("true", 2.0)


def test_a_statement_that_does_not_fit_is_overlong() -> None:
    attempt, _, ask = asked(World({Q: None}))
    assert attempt.completions[0].finish == "overlong"
    assert (attempt.answer.status, attempt.gold.logprob) == ("none", None)
    assert "gold" not in {call.role for call in ask.transcript}


@pytest.mark.skipif(importlib.util.find_spec("pysat") is None, reason="python-sat is not installed")
def test_both_solvers_answer_alike() -> None:
    assert asked()[0].detail == asked(solver="rc2")[0].detail


# ---- bad input -----------------------------------------------------------------------------------------------------


def test_what_it_cannot_judge_is_refused_before_anything_runs() -> None:
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "pool": 8, "test": 4}],
        methods=[{"prompt": "maieutic"}],
        labels=[2],
        seeds=1,
        items=4,
    )
    with pytest.raises(DataError) as error:
        expand(study)
    assert str(error.value).startswith(
        "task coin-flip: method 'maieutic' judges statements, whose choices are true and false (received heads, tails: "
    )
    Maieutic().check_task(task_of(SOUP))


def test_settings_that_do_not_go_together_are_refused() -> None:
    for prompt, vote, message in (
        ({}, 5, "method: 'maieutic' infers one answer of its tree; leave out 'vote'"),
        ({"threshold": 0.3}, None, "method: 'maieutic': 'threshold' needs 'integrity: threshold'"),
    ):
        with pytest.raises(StudyError) as error:
            method(prompt={"kind": "maieutic", **prompt}, vote=vote)
        assert str(error.value) == message
