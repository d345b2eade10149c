"""Where an answer ends: the end rule in a text, token by token in every path, and turns that are not the model's own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import shared
from models_fixtures import PROMPTS, TEXT, VOCABULARY, llama, tokenizer

from onset.answers import BBHFormat, NumberFormat, TextFormat
from onset.models.endings import Endings
from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.models.plain import generate as generate_plainly
from onset.models.rows import Row
from onset.models.scripted import ScriptedModel
from onset.prompting.text import answer_text, end_rule
from onset.records import EndRule, Item, Request
from onset.tasks import open_tasks
from onset.tasks.base import Layout, Task
from onset.turns import TURNS, find_end, new_turn, turns_of

SAID = EndRule("The answer is", turns=TURNS)
NUMBER = replace(SAID, number=True)
ITEM = Item("How many?", "18")


def ended(text: str, rule: EndRule = SAID) -> str | None:
    """What is kept of a text that has ended, None while it goes on."""
    end = find_end(text, rule)
    return None if end is None else text[: end[0]]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # the sentence's point, with a space, a line or a turn after it
        (" 17 - 7 = 10. The answer is 10. Next", " 17 - 7 = 10. The answer is 10."),
        ("The answer is 3160.Human: A man has 5 apples.", "The answer is 3160."),
        ("The answer is 10.\n\nQuestion: And now?", "The answer is 10."),
        ("The answer is (A). It is", "The answer is (A)."),
        ("**The answer is 18.** So", "**The answer is 18.**"),
        ("The answer is $\\boxed{18}$. So", "The answer is $\\boxed{18}$."),
        ('So the answer is "no." Then', 'So the answer is "no."'),
        ("the ANSWER is ] ) }.\n", "the ANSWER is ] ) }."),
        ("The answer is John! He", "The answer is John!"),
        # a value that goes on after a point
        ("The answer is 3.5. So", "The answer is 3.5."),
        ("The answer is $1,000.00. So", "The answer is $1,000.00."),
        ("The answer is J. K. Rowling. She", "The answer is J. K. Rowling."),
        ("The answer is St. Louis, Mo. It", "The answer is St. Louis, Mo."),
        ("**Question:** How many?\nThe answer is 18. So", "**Question:** How many?\nThe answer is 18."),
        # the line, where there is no point or where the answer stands on a line of its own
        ("The answer is 18\nIt", "The answer is 18"),
        ("The answer is:\n\n**18**\n", "The answer is:\n\n**18**"),
        ("The answer is:\n\n\\[\n\\text{Yes}\n\\]\n", "The answer is:\n\n\\[\n\\text{Yes}"),
        ("The answer is as follows:\n5 + 3 = 8.\n", "The answer is as follows:\n5 + 3 = 8."),
        # not yet
        ("The answer is 18.", None),
        ("The answer is 3. ", "The answer is 3."),
        ("The answer is", None),
        ("The answer is:\n\n", None),
        ("The answer is ... ", None),
        ("It has 4. It has 5.\n So 20.", None),
        # a new turn, wherever it stands
        ("He has 5.Assistant: He", "He has 5."),
        (" 18 User : x", " 18 "),
        (" 18. Q: What", " 18."),
        (" 18<|im_start|>user", " 18"),
        (" 18\n### Instruction:\nSay", " 18\n"),
        ("Human: a man", ""),
        ("Superuser: root, MyUser: he, FAQ: no, (P: 3, Q: 4)", None),
        ("Assistant: I count. Question", None),
    ],
)
def test_where_a_text_ends(text: str, kept: str | None) -> None:
    assert ended(text) == kept


def test_a_sentence_without_a_number_announces_none() -> None:
    text = "The answer is not obvious. We count. The answer is 9. So"
    assert ended(text, NUMBER) == "The answer is not obvious. We count. The answer is 9."
    assert ended(text) == "The answer is not obvious."


def test_a_layout_without_a_point_ends_with_the_line() -> None:
    layout = Layout(question="", answer="", lead="\n", marker=">>>", end="")
    task = Task("t", "own", (), (), NumberFormat(), 0.0, "", layout=layout)
    rule = end_rule(task, ITEM)
    assert rule == EndRule(">>>", "", True, TURNS)
    assert ended("\n# a = 3. So\n>>> 8. b\n>>>", rule) == "\n# a = 3. So\n>>> 8. b"
    assert ended("\n# a = 3. So\n>>> 8. b", rule) is None


def test_a_mark_in_the_items_own_text_begins_no_turn() -> None:
    dialogue = Item("Is the user angry? User: Where is it? Assistant: Here.", "No", choices=("Yes", "No"))
    assert set(TURNS) - set(turns_of(dialogue)) == {"User", "Assistant"}
    text = 'The user says "User: Where is it?" which is calm. The answer is No.\nHuman: The answer is Yes.'
    assert new_turn(text, turns_of(dialogue)) is not None
    assert BBHFormat().extract(text, dialogue).value == "No"
    assert TextFormat().extract("The answer is a tree. User: x", Item("q", "tree")).value == "tree"


def test_the_rule_is_plain_data() -> None:
    rule = end_rule(Task("t", "own", (), (), NumberFormat(), 0.0, ""), ITEM)
    assert pickle.loads(pickle.dumps(rule)) == rule == EndRule("The answer is", ".", True, TURNS)
    assert hash(rule) == hash(replace(rule))


def _tasks() -> Iterator[Task]:
    for name in ("gsm8k", "bbh"):
        yield from open_tasks({"name": name, "path": str(shared("data", name))})
    for name in (
        "addition",
        "coin-flip",
        "last-letters",
        "multi-hop",
        "word-problems",
        "world-programs",
        "world-two-hop",
    ):
        yield from open_tasks(name)


def test_the_answers_of_all_tasks_end_at_their_end() -> None:
    """What an example of any task answers, with or without steps, is not cut short, and is seen to end."""
    counted = 0
    for task in _tasks():
        for item in (*task.pool, *task.test)[::9]:
            for rationale in (False, True) if item.rationale else (False,):
                text = answer_text(item, rationale=rationale, layout=task.layout)
                counted += 1
                assert ended(f"{text}\n\n", end_rule(task, item)) == text
    assert counted > 2_000


# ------------------------------------------------------------------------------------------------- token by token

CASES = [
    " 17 - 7 = 10. The answer is 10. Next one.",
    " The answer is 3160.Human: A man has 5",
    " so: **The answer is $1,000.50.**\n\nMore",
    " The answer is J. K. Rowling. She",
    " The answer is \u201cna\u00efve \u6f22\u5b57.\u201d It",
    " 18. It is.\nQ: What",
    " nothing here. No end",
]


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("stop", [(), ("\n\n", "Question:")])
def test_what_is_not_looked_at_never_ends_a_text(text: str, stop: tuple[str, ...]) -> None:
    """Looking at flagged tokens alone finds the first token at which the text so far has ended."""
    tok = tokenizer(bos=False)
    prompt, tokens = tok("Answer:")["input_ids"], tok(text)["input_ids"]
    endings = Endings(tok.backend_tokenizer.decode, frozenset({0}), stop, VOCABULARY, until=SAID)
    shown = [tok.decode(tokens[:n]) for n in range(len(tokens) + 1)]
    expected = next(
        (n for n in range(1, len(tokens) + 1) if ended(shown[n]) is not None or any(one in shown[n] for one in stop)),
        None,
    )
    for _ in range(2):  # the second time it is known which tokens need a look
        found, looked = None, 0
        for n in range(1, len(tokens) + 1):
            last, before = np.array([tokens[n - 1]]), np.array([tokens[max(n - 2, 0)]])
            if endings.may_end(last, before)[0]:
                looked += 1
                if endings.finish(prompt, tokens[:n]) is not None:
                    found = n
                    break
        assert found == expected
    assert looked < len(tokens) / 2 or not text.isascii()  # parts of characters always need a look
    if expected is not None:
        assert endings.text(prompt, tokens[:expected], "stop") == ended(text)


def _model() -> HFModel:
    module, tok = llama(), tokenizer(bos=False)
    return HFModel(module, tok, describe(module, tok, "tiny", "0"))


def test_generation_ends_with_the_answer_in_both_paths() -> None:
    """Rules made of what the tiny model writes: its texts end where each rule says, in the engine and without it. The
    reference looks at the whole text after each token of plain `generate`.
    """
    model = _model()
    requests, expected = [], []
    for prompt in PROMPTS[:3]:
        ids = _tensor(model.encode([prompt])[0])
        out = model.module.generate(ids, do_sample=False, max_new_tokens=60)[0, ids.shape[1] :].tolist()
        texts = [model.tokenizer.decode(out[:count], skip_special_tokens=True) for count in range(len(out) + 1)]
        for word in texts[-1].split()[:4]:
            for end in ("e", ""):
                rule = EndRule(word, end)
                ends = ((count, find_end(text, rule)) for count, text in enumerate(texts))
                count, place = next(((count, end[0]) for count, end in ends if end), (len(out), None))
                requests.append(Request(prompt, 60, until=rule))
                expected.append((texts[count][:place], count))
    found = [(one.text, one.tokens) for [one] in model.generate(requests)]
    assert found == expected
    assert 0 < sum(count < 60 for _, count in expected) < len(expected)
    prompts = model.encode([one.prompt for one in requests])
    rows = [Row(tuple(ids), 60, (), 0.0, 0, 0, one.until) for ids, one in zip(prompts, requests, strict=True)]
    plainly = generate_plainly(model.module, rows, model._endings, VOCABULARY, 4000)
    assert [(one.text, one.tokens) for one in plainly] == expected


def test_a_special_token_that_marks_a_turn_ends_a_text() -> None:
    model = _model()
    [[whole]] = model.generate([Request(TEXT, 12)])
    ids = model.encode([TEXT])[0]
    out = model.module.generate(_tensor(ids), do_sample=False, max_new_tokens=6)[0, len(ids) :].tolist()
    tok = tokenizer(bos=False)
    tokens = tok.backend_tokenizer
    content = json.loads(tokens.to_str())
    mark = next(word for word, place in content["model"]["vocab"].items() if place == out[3])
    content["model"]["vocab"]["<|im_start|>"] = content["model"]["vocab"].pop(mark)
    content["model"]["merges"] = [pair for pair in content["model"]["merges"] if mark not in ("".join(pair), *pair)]
    content["added_tokens"].append({**content["added_tokens"][0], "id": out[3], "content": "<|im_start|>"})
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    changed = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(content)), eos_token="<eos>", bos_token="<bos>"
    )
    marked = HFModel(model.module, changed, model.facts)
    if marked.encode([TEXT])[0] != ids:
        pytest.fail("the prompt must not hold the changed token")
    [[one]] = marked.generate([Request(TEXT, 12, until=SAID)])
    assert (one.tokens, one.finish) == (out.index(out[3]) + 1, "stop")
    assert whole.text.startswith(one.text)
    [[on]] = marked.generate([Request(TEXT, 12, until=replace(SAID, turns=("Q",)))])
    assert on.tokens == 12


def _tensor(ids: list[int]) -> Any:
    import torch

    return torch.tensor([ids])


@pytest.mark.parametrize(
    ("reply", "text", "tokens", "finish"),
    [
        (" It has 4. The answer is 3.5. The end.", " It has 4. The answer is 3.5.", 8, "stop"),
        (" The answer is 18.\n\nQuestion: x", " The answer is 18.", 5, "stop"),
        (" The answer is 18.", " The answer is 18.", 5, "eos"),
        (" He has 5. Human: A man", " He has 5. ", 4, "stop"),
    ],
)
def test_a_scripted_model_ends_as_a_real_one(reply: str, text: str, tokens: int, finish: str) -> None:
    model = ScriptedModel(lambda prompt, sample: reply)
    [[one]] = model.generate([Request("Q", 20, until=SAID)])
    assert (one.text, one.finish, one.tokens) == (text, finish, tokens)
    sampled = model.generate([Request("Q", 20, n=2, temperature=0.7, until=SAID)])[0]
    assert [done.text for done in sampled] == [text, text]


# ------------------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # outputs as instruct models write them
        ("He sells 9 eggs.\n\nSo he makes 9 * 2 = $18.\n\n**Answer:** 18", "18"),
        ("9 * 2 = 18.\n\n**Answer: $18**", "18"),
        ("**The answer is 18.**", "18"),
        ("Final answer: **18** dollars", "18"),
        ("**Final Answer:** $\\boxed{18}$", "18"),
        ("To find it:\n\n1. 16 - 7 = 9\n2. 9 * 2 = 18\n\nTherefore, \\(\\boxed{18}\\).", "18"),
        # a new problem after an announced answer is no second answer
        ("The answer is 3160.Human: A man has 5 apples.\nAssistant: The answer is 5.", "3160"),
        ("The answer is 3160. User: And 3 + 4?\n\nThe answer is 7.", "3160"),
        ("The answer is 3160.<|im_end|>\n<|im_start|>user\nThe answer is 7.", "3160"),
        ("The answer is 3160. Question: What is it? Answer: The answer is 7.", "3160"),
        ("The answer is 3160. Q: What is it? A: The answer is 7.", "3160"),
        ("The answer is 3160.\n### Instruction:\nAdd.\nThe answer is 7.", "3160"),
        ("18.Human: A man has 5 apples. How many has he?", "18"),
        ("Assistant: The answer is 18.", "18"),
        ("Human: A man has 5 apples.", None),
        ("**Human:** A man has 5 apples.", None),
        # the question said again, as the title of its answer
        ("**Question:** How many?\n\n**Answer:** 18", "18"),
        ("### Question: How many?\nThe answer is 18.\n\n**Question:** And 3 + 4?\nThe answer is 7.", "18"),
        # two in one chain are
        ("The answer is 5. Let me check. The answer is 6.", None),
        ("The answer is 5. Superuser: the answer is 6.", None),
    ],
)
def test_numbers_of_instruct_models(text: str, value: str | None) -> None:
    assert NumberFormat().extract(text, ITEM).value == value
