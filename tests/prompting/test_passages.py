"""Methods that put knowledge before a question: retrieved, generated, recited, or from a graph."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from told import Told
from told import solve as told_solve

from onset.answers import ChoiceFormat, TextFormat
from onset.demos.fit import Shown
from onset.errors import DataError, MethodError, StudyError
from onset.methods import method
from onset.models.scripted import ScriptedModel
from onset.pipeline import Evaluation
from onset.prompting import PROMPTING
from onset.prompting.ask import ANSWER, Ask, bare
from onset.prompting.base import Prompt
from onset.prompting.clusters import clusters, tf_idf
from onset.prompting.generate import holds, passage_prompt
from onset.prompting.knowledge import read_knowledge
from onset.prompting.passages import Corpus, index_of, read_corpus
from onset.prompting.reading import reading_prompt
from onset.prompting.recite import answer_prompt, recite_prompt
from onset.records import Attempt, Item
from onset.step import read_step
from onset.study.grid import expand
from onset.study.runner import run, run_grid
from onset.study.spec import make_study, read_study
from onset.tasks.base import Task

FIXTURES = Path(__file__).parent / "fixtures"
CORPUS = str(FIXTURES / "passages.jsonl")
BORN = Item("Where was Marie Curie born?", "Warsaw")
RIVER = Item("On which river does Warsaw lie?", "Vistula")
KEYS = Item("Where would you look for keys?", "bag", choices=("bag", "lake"))
SOUP = Item("Eating soup means eating only solids.", "false", choices=("true", "false"))
DEMO = Item("Who wrote Emma?", "Jane Austen", rationale="Emma is a novel of 1815\nby Jane Austen.")

Reply = Callable[[str, int], str]


def task_of(items: Sequence[Item], pool: Sequence[Item] = ()) -> Task:
    kind = ChoiceFormat() if items[0].choices else TextFormat()
    return Task("facts", "knowledge reasoning", tuple(pool), tuple(items), kind, 0.0, "made")


def step(kind: str, **settings: Any) -> Prompt:
    made: Prompt = read_step(PROMPTING, {"kind": kind, **settings}, "test")
    return made


class Calls:
    """A model behind an `Ask`, whose prompts are kept."""

    def __init__(self, reply: Reply) -> None:
        self.model = ScriptedModel(reply)
        self.prompts: list[str] = []
        self.requests: list[Any] = []

    async def generate(self, request: Any) -> Any:
        self.prompts.append(request.prompt)
        self.requests.append(request)
        return self.model.generate([request])[0]

    async def score(self, pair: Any) -> Any:
        return self.model.score([pair])[0]


def solve(
    made: Prompt, item: Item, reply: Reply, examples: Sequence[Item] = (), demos: Sequence[Item] = (), **options: Any
) -> tuple[Attempt, Calls, Ask]:
    calls = Calls(reply)
    ask = Ask(calls, bare(task_of([item])), item, tuple(demos), seed=5, **options)

    async def both() -> Attempt:
        ask.state = await made.prepare(replace(ask, transcript=[]), examples)
        calls.prompts.clear()
        return await made.solve(item, ask)

    return asyncio.run(both()), calls, ask


# ---- the reader's prompt -------------------------------------------------------------------------------------------


def test_the_reader_asks_word_by_word_as_released() -> None:
    assert reading_prompt("She was born in Warsaw.", BORN) == (
        "Refer to the passage below and answer the following question with just one entity. \n\n"
        " Passage: She was born in Warsaw. \n\n Question: Where was Marie Curie born? \n\n The answer is"
    )
    assert reading_prompt("Soup is liquid.", SOUP) == (
        "Soup is liquid. \n\n claim: Eating soup means eating only solids. \n\n Is the claim true or false?"
    )
    assert reading_prompt("Keys open locks.", replace(KEYS, context="It is dark.")) == (
        "Refer to the passage below and answer the following question with just one entity. \n\n Passage: Keys open"
        " locks. \n\n Question: It is dark.\nWhere would you look for keys?\nOptions: bag; lake \n\n The answer is"
    )


@pytest.mark.parametrize(
    ("text", "item", "value", "status"),
    [
        (" Warsaw", BORN, "warsaw", "ok"),
        (" Warsaw. \n\n Passage: more", BORN, "warsaw", "ok"),
        ("\nWarsaw\n", BORN, "warsaw", "ok"),
        ("The answer is Warsaw, Poland.", BORN, "warsaw, poland", "ok"),
        (" True", SOUP, "true", "ok"),
        (" The claim is false.", SOUP, "false", "ok"),
        ("", BORN, None, "none"),
    ],
)
def test_what_a_reader_answers(text: str, item: Item, value: str | None, status: str) -> None:
    attempt, _, _ = (
        solve(step("retrieve-then-read", corpus=CORPUS), item, lambda prompt, _: text)
        if item is BORN
        else (solve(step("generate-then-read"), item, lambda prompt, _: text))
    )
    assert (attempt.answer.value, attempt.answer.status) == (value, status)


class Turns:
    """A chat template that can be read."""

    end = "<end>"

    def __call__(self, turns: Sequence[tuple[str, str]]) -> str:
        return "".join(f"<{who}>{text}" for who, text in turns) + "<assistant>"


def test_through_a_chat_the_same_words_are_the_users_turn() -> None:
    chat = Turns()
    attempt, calls, _ = solve(step("generate-then-read"), BORN, lambda *_: "Warsaw.", chat=chat)
    assert calls.prompts == [
        f"<user>{one}<assistant>" for one in (passage_prompt(BORN), reading_prompt("Warsaw.", BORN))
    ]
    assert all(request.templated and request.stop == ("<end>",) for request in calls.requests)
    assert attempt.answer.value == "warsaw"


# ---- retrieve ------------------------------------------------------------------------------------------------------


def test_bm25_is_the_formula_worked_out_by_hand() -> None:
    """Lucene's variant: idf ln(1 + (N - df + .5) / (df + .5)), and the term frequency without the factor k1 + 1."""
    texts = ["red fox", "red red dog runs", "blue bird"]
    index = index_of(Corpus("x", tuple(texts)), 1.2, 0.75)
    mean = sum(len(one.split()) for one in texts) / 3

    def score(word: str, text: str) -> float:
        df = sum(word in one.split() for one in texts)
        tf, size = text.split().count(word), len(text.split())
        return math.log(1 + (3 - df + 0.5) / (df + 0.5)) * tf / (tf + 1.2 * (1 - 0.75 + 0.75 * size / mean))

    found = index.best("Red dog?", 3)
    expected = sorted(((i, score("red", t) + score("dog", t)) for i, t in enumerate(texts)), key=lambda one: -one[1])
    assert [place for place, _ in found] == [1, 0]
    assert [value for _, value in found] == pytest.approx([value for _, value in expected[:2]], abs=1e-6)
    assert index.best("nothing here", 3) == []


def test_the_best_passages_stand_before_the_question_each_in_a_line() -> None:
    made = step("retrieve-then-read", corpus=CORPUS, passages=2)
    attempt, calls, ask = solve(made, RIVER, lambda *_: " Vistula.")
    warsaw = "Warsaw: Warsaw is the capital of Poland, on the river Vistula."
    curie = "Marie Curie: Born in Warsaw in 1867, she won two Nobel prizes."
    assert calls.prompts == [reading_prompt(f"{warsaw}\n{curie}", RIVER)] == [attempt.prompt]
    assert attempt.detail["passages"] == [3, 1]
    assert [call.role for call in ask.transcript] == [ANSWER, "gold"]
    assert attempt.answer.value == "vistula"


def test_the_control_shows_the_passages_of_another_question() -> None:
    questions = (BORN.question, RIVER.question, "What is a coin?", RIVER.question)
    made = step("retrieve-then-read", corpus=CORPUS, control="shuffled")
    attempt, calls, _ = solve(made, BORN, lambda *_: " Warsaw.", questions=questions[:2])
    assert calls.prompts == [reading_prompt("Warsaw: Warsaw is the capital of Poland, on the river Vistula.", BORN)]
    assert attempt.detail["found_for"] == RIVER.question
    for same in ((BORN.question,), (BORN.question, "Who was Marie Curie?", "?")):
        with pytest.raises(MethodError) as error:
            solve(made, BORN, lambda *_: "", questions=same)
        assert str(error.value) == (
            f"control 'shuffled': no other of the cell's {len(same)} questions finds passages of {CORPUS} that are not"
            " this one's: Where was Marie Curie born?"
        )


def test_the_control_never_shows_a_passage_of_the_question_itself() -> None:
    made = step("retrieve-then-read", corpus=CORPUS, control="shuffled")
    questions = (BORN.question, "Who was Marie Curie?", RIVER.question)
    attempt, _, _ = solve(made, BORN, lambda *_: " Warsaw.", questions=questions)
    assert attempt.detail["found_for"] == RIVER.question
    two = step("retrieve-then-read", corpus=CORPUS, control="shuffled", passages=2)
    with pytest.raises(MethodError, match=r"passages of .* that are not this one's"):
        solve(two, BORN, lambda *_: " Warsaw.", questions=(BORN.question, RIVER.question))  # both find both


def test_a_whole_cell_knows_the_questions_of_the_others() -> None:
    made = method(prompt={"kind": "retrieve-then-read", "corpus": CORPUS, "control": "shuffled"})
    items = [BORN, RIVER]
    model = ScriptedModel({"": " Warsaw."})
    evaluation = Evaluation(model, task_of(items), made, Shown(), 0, questions=tuple(one.question for one in items))
    evaluation = replace(evaluation, state=evaluation.prepare(()).state)
    details = [json.loads(one.detail or "{}") for one in evaluation.evaluate(items, 0)]
    assert [one["found_for"] for one in details] == [RIVER.question, BORN.question]


def test_a_question_that_shares_no_word_is_asked_without_a_passage() -> None:
    item = Item("Why?", "because")
    attempt, calls, _ = solve(step("retrieve-then-read", corpus=CORPUS), item, lambda *_: " Because.")
    assert calls.prompts == [reading_prompt("", item)]
    assert (attempt.answer.value, attempt.detail) == ("because", {"passages": [], "scores": []})


# ---- where readings end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Warsaw \n\n Refer to the passage below. \n\n Passage: x \n\n The answer is Paris", " Warsaw "),
        ("\n\nWarsaw.\n \nThe answer is Paris.", "\n\nWarsaw."),
        (" Warsaw. Question: Who? The answer is Paris.", " Warsaw. "),
        (" I see. The answer is Warsaw. The answer is Paris.", " I see. The answer is Warsaw."),
    ],
)
def test_in_plain_text_a_reading_ends_with_its_paragraph(text: str, kept: str) -> None:
    attempt, calls, _ = solve(step("retrieve-then-read", corpus=CORPUS), BORN, lambda *_: text)
    assert attempt.completions[0].text == kept
    assert (attempt.answer.value, attempt.completions[0].finish) == ("warsaw", "stop")
    assert calls.requests[-1].max_tokens == task_of([BORN]).answer_tokens


def test_through_a_chat_a_reading_may_have_paragraphs() -> None:
    text = "Marie Curie is from Poland.\n\nThe answer is Warsaw."
    attempt, _, _ = solve(step("retrieve-then-read", corpus=CORPUS), BORN, lambda *_: text, chat=Turns())
    assert attempt.answer.value == "warsaw"


# ---- what does not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("generate-then-read", {}), ("generate-then-read", {"passages": 3}), ("recite", {"recitations": 2})],
)
def test_what_cannot_be_asked_for_knowledge_is_overlong_and_not_closed_book(
    kind: str, settings: dict[str, Any]
) -> None:
    """The prompt fits with the few tokens of an answer, and not with those of a passage."""
    told = Told(lambda *_: " Warsaw.", fits=lambda prompt: "Passage:" in prompt or prompt.endswith("A:"))
    attempt, ask = told_solve(step(kind, **settings), BORN, told, demos=[DEMO])
    assert [one.finish for one in attempt.completions] == ["overlong"]
    assert (attempt.answer.status, attempt.gold.logprob, len(ask.transcript)) == ("none", None, 1)


def test_one_cluster_that_does_not_fit_makes_the_item_overlong() -> None:
    made = step("generate-then-read", clusters=2)
    told = Told(lambda *_: " Warsaw.", fits=lambda prompt: "long" not in prompt)
    ask = Ask(told, bare(task_of([BORN])), BORN, seed=5, state=("short ", "long "))
    attempt = asyncio.run(made.solve(BORN, ask))
    assert ([one.finish for one in attempt.completions], attempt.answer.status) == (["overlong"], "none")


def test_a_corpus_is_the_same_in_every_format_and_place(tmp_path: Path) -> None:
    import polars as pl

    held = read_corpus(CORPUS, "x")
    assert len(held.texts) == 4
    (tmp_path / "a.txt").write_text("\n\n".join(held.texts).replace(" of ", "\nof "))
    pl.read_ndjson(CORPUS).write_parquet(tmp_path / "a.parquet")
    for name in ("a.txt", "a.parquet"):
        assert read_corpus(str(tmp_path / name), "x").hash == held.hash


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "method retrieve-then-read, 'corpus': no file '{path}'"),
        ("empty.txt", " \n\n", "method retrieve-then-read, 'corpus': {path} holds no passage"),
        ("empty.jsonl", "", "method retrieve-then-read, 'corpus': {path} holds no passage"),
        ("bad.jsonl", '{"text": "a"}\n{"txt": "b"}', "'corpus': {path}, line 2: no 'text' (received txt)"),
        ("list.jsonl", "[1]", "'corpus': {path}, line 1: expected a JSON object, received [1]"),
        ("null.jsonl", '{"text": null}', "'corpus': {path}, line 1: 'text' must be text, received None"),
        ("broken.jsonl", '{"text": ', "'corpus': {path}, line 1: not JSON ("),
        ("broken.parquet", "x", "'corpus': {path} is no Parquet file"),
    ],
)
def test_a_bad_corpus_is_one_line_before_anything_runs(
    name: str, content: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    asked = study(methods=[{"prompt": {"kind": "retrieve-then-read", "corpus": str(path)}}])
    with pytest.raises(DataError) as error:
        expand(make_study(**asked))
    assert message.format(path=path) in str(error.value)
    assert "\n" not in str(error.value)


def study(**changes: Any) -> dict[str, Any]:
    held = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "pool": 8, "test": 4}],
        "methods": ["answer-only"],
        "labels": [2],
        "seeds": 1,
        "items": 4,
    }
    return held | changes


def test_a_corpus_stands_beside_its_study_and_moves_without_changing_cells(tmp_path: Path) -> None:
    ids = []
    for folder in ("a", "b/c"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "facts.jsonl").write_text(Path(CORPUS).read_text())
        written = study(methods=[{"prompt": {"kind": "retrieve-then-read", "corpus": "facts.jsonl"}}])
        (tmp_path / folder / "s.yaml").write_text(json.dumps(written))
        made = read_study(tmp_path / folder / "s.yaml")
        (cell,) = expand(made).cells
        assert cell.method.prompt.corpus == str(tmp_path / folder / "facts.jsonl")
        assert cell.method.name == "retrieve-then-read-corpusfacts"
        ids.append(cell.id)
    assert ids[0] == ids[1]
    (tmp_path / "a" / "facts.jsonl").write_text('{"text": "Other."}')
    assert expand(read_study(tmp_path / "a" / "s.yaml")).cells[0].id != ids[0]


@pytest.mark.parametrize("kind", ["retrieve-then-read", "knowledge"])
def test_a_file_that_changes_under_a_study_changes_no_cell_in_silence(kind: str, tmp_path: Path) -> None:
    """Changed before its cell begins, the run ends in one line; under a running cell, every item sees the content that
    its id was made of.
    """
    path, key = tmp_path / "facts.jsonl", "corpus" if kind == "retrieve-then-read" else "glosses"

    def write(said: str) -> None:
        row = {"text": f"A coin is {said}."} if key == "corpus" else {"term": "coin", "gloss": f"It is {said}."}
        path.write_text(json.dumps(row))

    prompts: list[str] = []

    def reply(prompt: str, _: int) -> str:
        prompts.append(prompt)
        write("replaced by another text")
        return " heads."

    write("flat")
    asked = make_study(**study(methods=[{"prompt": {"kind": kind, key: str(path)}}], chunk=1, labels=[0]))
    models = {"fake": ScriptedModel(reply)}
    summary = run(asked, tmp_path / "one", models=models)
    assert (summary.ran, dict(summary.failed), len(prompts)) == (1, {}, 4)
    assert all("is flat" in one and "replaced" not in one for one in prompts)

    write("flat")
    grid = expand(asked)
    write("replaced by another text")
    with pytest.raises(DataError) as error:
        run_grid(grid, tmp_path / "two", models=models)
    assert str(error.value) == (
        f"method {grid.cells[0].method.name}: a file that its settings name has changed since the study was read; run"
        " the study again"
    )
    assert len(prompts) == 4


# ---- generate ------------------------------------------------------------------------------------------------------


def test_a_document_is_written_and_read() -> None:
    def reply(prompt: str, _: int) -> str:
        return " Marie Curie was born\n\nin Warsaw. " if prompt.startswith("Provide") else " Warsaw."

    attempt, calls, ask = solve(step("generate-then-read"), BORN, reply)
    assert calls.prompts == [
        "Provide a background document from Wikipedia to answer the given question. \n\n"
        " Where was Marie Curie born? \n\n",
        reading_prompt("Marie Curie was born in Warsaw.", BORN),
    ]
    assert [(call.role, call.texts) for call in ask.transcript[:2]] == [
        ("passage", (" Marie Curie was born\n\nin Warsaw. ",)),
        (ANSWER, (" Warsaw.",)),
    ]
    assert (calls.requests[0].max_tokens, calls.requests[0].temperature, calls.requests[0].stop) == (300, 0.0, ())
    assert attempt.answer.value == "warsaw"
    assert passage_prompt(SOUP) == (
        "Generate a background document from Wikipedia to support or refute the statement. \n\n"
        " Statement: Eating soup means eating only solids. \n\n"
    )


def test_retrieved_and_generated_passages_are_read_by_one_prompt() -> None:
    passage = "Marie Curie: Born in Warsaw in 1867, she won two Nobel prizes."
    _, retrieved, _ = solve(step("retrieve-then-read", corpus=CORPUS), BORN, lambda *_: " Warsaw.")
    _, generated, _ = solve(step("generate-then-read"), BORN, lambda prompt, _: passage)
    assert retrieved.prompts[-1] == generated.prompts[-1]
    assert retrieved.requests[-1] == generated.requests[-1]


def test_several_documents_are_read_apart_and_the_majority_is_taken() -> None:
    places = ["in Warsaw", "in Paris", "in Warsaw"]

    def reply(prompt: str, sample: int) -> str:
        if prompt.startswith("Provide"):
            return places[sample]
        return " Paris." if "Paris" in prompt else " Warsaw."

    attempt, calls, _ = solve(step("generate-then-read", passages=3), BORN, reply)
    assert (calls.requests[0].n, calls.requests[0].temperature) == (3, 0.95)
    assert [one.value for one in attempt.answers] == ["warsaw", "paris", "warsaw"]
    assert attempt.answer.value == "warsaw"
    assert attempt.prompt == reading_prompt("in Warsaw", BORN)


POOL = tuple(
    Item(f"Which {kind} has number {number}?", f"{kind}{number}") for kind in ("river", "king") for number in range(4)
)
WORDS = {"river": "water flows long to the sea by", "king": "ruled a crown and a throne was"}


def written(prompt: str, _: int) -> str:
    """Documents about rivers and kings; that of the king with number 3 lacks its answer."""
    asked = prompt.rpartition("question. \n\n ")[2]
    for item in POOL:
        if item.question in asked:
            kind = item.question.split()[1]
            return f" {WORDS[kind]} {'nobody' if item.answer == 'king3' else item.answer}."
    return f" about {'the river' if 'water' in prompt else 'the king'}" if "Provide" in prompt else " Warsaw."


def test_clusters_show_documents_that_hold_their_answer_and_give_one_document_each() -> None:
    made = step("generate-then-read", clusters=2)
    attempt, calls, ask = solve(made, BORN, written, examples=POOL)
    one = "Provide a background document from Wikipedia to answer the given question. \n\n "
    for prompt in calls.prompts[:2]:
        shown = prompt.split(" \n\n\n\n ")
        assert shown[-1] == f"{one}Where was Marie Curie born? \n\n"
        kinds = {text.split()[12] for text in shown[:-1]}
        assert all(text.startswith(one) for text in shown)
        assert kinds in ({"river"}, {"king"})
        assert len(shown) - 1 == (4 if kinds == {"river"} else 3)
    assert "number 3?" not in next(prompt for prompt in calls.prompts if "king" in prompt)
    assert {prompt.count("water") for prompt in calls.prompts[:2]} == {0, 4}
    assert [(one.n, one.temperature) for one in calls.requests[-4:-2]] == [(1, 0.95)] * 2
    assert len({one.seed for one in calls.requests[-4:-2]}) == 2
    assert len(attempt.completions) == 2
    assert [call.role for call in ask.transcript[:4]] == ["passage", "passage", ANSWER, ANSWER]


def test_the_filter_of_clusters_is_in_the_ledger() -> None:
    made = step("generate-then-read", clusters=2)
    (line,) = made.used(POOL)
    assert (line.use, line.ids, line.rationales) == ("filter", tuple(one.id for one in POOL), False)
    assert step("generate-then-read").used(POOL) == ()


def test_a_model_with_too_few_documents_for_its_clusters_is_asked_without_for_the_others() -> None:
    attempt, calls, _ = solve(step("generate-then-read", clusters=8), BORN, written, examples=POOL)
    asked = calls.prompts[:8]
    assert [prompt.count("\n\n\n\n") for prompt in asked] == [1] * 7 + [0]
    assert (asked[7], attempt.detail["clusters"], len(attempt.answers)) == (passage_prompt(BORN), 7, 8)
    attempt, calls, _ = solve(step("generate-then-read", clusters=2), BORN, lambda *_: " so", examples=POOL)
    assert calls.prompts[:2] == [passage_prompt(BORN)] * 2
    assert (attempt.detail["clusters"], attempt.answer.status) == (0, "ok")


def test_fewer_labels_than_clusters_are_refused_before_anything_runs() -> None:
    for labels in (0, 2):
        asked = make_study(
            **study(methods=[{"prompt": {"kind": "generate-then-read", "clusters": 3}}], labels=[labels, 4])
        )
        with pytest.raises(StudyError) as error:
            expand(asked)
        assert str(error.value) == (
            f"method: 'generate-then-read' with 'clusters: 3' needs as many labelled examples (received {labels});"
            " leave out smaller budgets, or set fewer clusters"
        )
    enough = study(methods=[{"prompt": {"kind": "generate-then-read", "clusters": 3}}], labels=[3])
    assert len(expand(make_study(**enough)).cells) == 1


def test_passages_and_a_vote_or_clusters_are_refused() -> None:
    for prompt, vote, message in (
        ({"passages": 2}, 5, "method: 'generate-then-read' votes over its 2 passages; leave out 'vote'"),
        ({"clusters": 2, "passages": 3}, None, "method: 'generate-then-read' takes 'passages' or 'clusters', not both"),
    ):
        with pytest.raises(StudyError) as error:
            method(prompt={"kind": "generate-then-read", **prompt}, vote=vote)
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("Warsaw", True),
        ("warsaw poland", True),
        ("war", False),
        ("1867", True),
        ("?", False),
        ("in Warsaw, Poland", True),
    ],
)
def test_a_document_holds_an_answer_as_a_run_of_words(answer: str, held: bool) -> None:
    assert holds("Born in Warsaw, Poland (1867).", answer) is held


def test_tf_idf_is_that_of_scikit_learn() -> None:
    library = pytest.importorskip("sklearn.feature_extraction.text", reason="scikit-learn is not installed")
    texts = ["The red fox, the fox.", "A red dog runs 12 miles", "blue", ""]
    np.testing.assert_allclose(tf_idf(texts), library.TfidfVectorizer().fit_transform(texts).toarray(), atol=1e-12)


def test_tf_idf_by_hand() -> None:
    rows = tf_idf(["ab ab cd", "cd"])  # columns ab, cd
    weight = 2 * (math.log(3 / 2) + 1)
    assert rows[0] == pytest.approx(np.array([weight, 1.0]) / math.hypot(weight, 1.0))
    assert rows[1].tolist() == [0.0, 1.0]


def test_clusters_part_texts_with_other_words_and_repeat() -> None:
    texts = ["river sea water", "king crown", "water river", "crown king throne", "sea water"]
    assert clusters(texts, 2, seed=1) == [[0, 2, 4], [1, 3]]
    assert clusters(texts, 2, seed=1) == clusters(texts, 2, seed=1)
    assert sorted(one for group in clusters(texts, 5, 0) for one in group) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="3 clusters of 2 texts"):
        clusters(texts[:2], 3, 0)


def test_methods_that_draw_run_every_seed_though_they_show_nothing() -> None:
    kinds = [{"kind": "generate-then-read", "clusters": 2}, {"kind": "generate-then-read"}]
    asked = study(methods=[{"prompt": one} for one in kinds], seeds=3)
    cells = expand(make_study(**asked)).cells
    assert [sum(cell.method.prompt.set() == {"clusters": 2} for cell in cells), len(cells)] == [3, 4]


# ---- recite --------------------------------------------------------------------------------------------------------

RECITE = "The answer to the above question can be found in the following Wikipedia page, section, and paragraph:"


def test_recitation_prompts_are_word_by_word_as_released() -> None:
    assert recite_prompt([DEMO], BORN) == (
        f"Question: Who wrote Emma?\n\n{RECITE}\n\nAnswer: Emma is a novel of 1815 by Jane Austen.\n\n\n"
        f"Question: Where was Marie Curie born?\n\n{RECITE}\n\nAnswer:"
    )
    assert answer_prompt(" Curie was\nborn in Warsaw.", [DEMO], BORN) == (
        "Curie was born in Warsaw.\n\nBased on the above paragraph, could you answer the following (probably) relevant"
        " questions?\n\nQ: Who wrote Emma?\n\nA: Jane Austen\n\n\nQ: Where was Marie Curie born?\n\nA:"
    )


def test_each_recitation_is_answered_and_the_majority_is_taken() -> None:
    said = [" Paris it was.", " In Warsaw.", " Born in Warsaw."]

    def reply(prompt: str, sample: int) -> str:
        if prompt.endswith("Answer:"):
            return said[sample]
        return " Paris\n\n\nQ: more" if prompt.startswith("Paris") else " Warsaw"

    attempt, calls, ask = solve(step("recite", recitations=3), BORN, reply, demos=[DEMO])
    assert (calls.requests[0].n, calls.requests[0].temperature, calls.requests[0].max_tokens) == (3, 0.7, 128)
    assert calls.prompts[1:] == [answer_prompt(one, [DEMO], BORN) for one in said]
    assert [one.value for one in attempt.answers] == ["paris", "warsaw", "warsaw"]
    assert attempt.answer.value == "warsaw"
    assert [call.role for call in ask.transcript] == ["recitation", ANSWER, ANSWER, ANSWER, "gold"]
    attempt, calls, _ = solve(step("recite", recitations=1), BORN, reply, demos=[DEMO])
    assert (calls.requests[0].n, calls.requests[0].temperature) == (1, 0.0)
    with pytest.raises(StudyError, match="'recite' votes over its 20 recitations; leave out 'vote'"):
        method(prompt="recite", vote=3)


# ---- knowledge -----------------------------------------------------------------------------------------------------

GRAPH = {"triples": str(FIXTURES / "triples.jsonl"), "glosses": str(FIXTURES / "glosses.jsonl")}


def test_a_choice_has_the_heaviest_edge_to_the_question_or_the_rarest_of_its_own() -> None:
    """lake: RelatedTo twice of three, so 3 x 3/2 = 4.5 and 2 x 3/2 = 3 against 1.8 x 3/1 = 5.4."""
    known = read_knowledge(GRAPH["triples"], GRAPH["glosses"])
    assert known.concept_of(KEYS) == "keys"
    assert known.about(KEYS, 3) == [
        "keys: Metal tools that open locks.",
        "bag: A container of cloth.",
        "lake: A large body of water.",
        "keys at location bag",
        "lake has a shore",
    ]
    open_item = Item("What is a lake?", "water")
    assert read_knowledge(GRAPH["triples"], None).about(open_item, 2) == ["river related to lake", "lake has a shore"]
    told = Item("Where would you look for them?", "bag", choices=("bag", "lake"), meta={"concept": "Keys"})
    assert known.concept_of(told) == "keys"


def test_knowledge_stands_in_the_context_of_question_and_demonstrations() -> None:
    made = step("knowledge", **GRAPH)
    demo = Item("What is a coin?", "money", choices=("money", "water"))
    attempt, calls, _ = solve(made, KEYS, lambda *_: " The answer is bag.", demos=[demo])
    assert calls.prompts == [
        "Context: coin: A piece of money, flat and round.\nQuestion: What is a coin?\nOptions: money; water\n"
        "Answer: The answer is money.\n\n"
        "Context: keys: Metal tools that open locks. bag: A container of cloth. lake: A large body of water. keys at"
        " location bag. lake has a shore.\nQuestion: Where would you look for keys?\nOptions: bag; lake\nAnswer:"
    ]
    assert attempt.answer.value == "bag"
    assert attempt.detail == {"known": 5}
    assert made.longest(task_of([KEYS]), [demo], KEYS, None) == calls.prompts[0]
    attempt, calls, _ = solve(made, BORN, lambda *_: " The answer is Warsaw.")
    assert calls.prompts == ["Question: Where was Marie Curie born?\nAnswer:"]
    assert attempt.detail == {"known": 0}


def test_bad_knowledge_is_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "kg.jsonl"
    cases = [
        ('{"head": "a", "relation": "r"}', "line 1: no 'tail' (received head, relation)"),
        ('{"head": "a", "relation": "r", "tail": "b", "weight": 0}', "'weight' must be a number above 0, received 0"),
        ("", "holds no triple"),
    ]
    for content, message in cases:
        bad.write_text(content)
        with pytest.raises(DataError) as error:
            step("knowledge", triples=str(bad)).contents()
        assert message in str(error.value)
        assert str(error.value).startswith("method knowledge, 'triples': ")
    with pytest.raises(StudyError, match="'knowledge' needs a file: 'triples', 'glosses' or both"):
        method(prompt="knowledge")
    with pytest.raises(DataError, match=r"^method knowledge, 'glosses': no file 'nowhere\.jsonl'$"):
        step("knowledge", glosses="nowhere.jsonl").contents()
