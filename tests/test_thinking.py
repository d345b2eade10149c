"""Where a text stops thinking, and the budget of it, through both ways of generating and the scripted model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from models_fixtures import PROMPTS, VOCABULARY, gemma3, llama, tokenizer

from onset.answers import NumberFormat
from onset.errors import ModelError
from onset.grading import grade
from onset.models import plain
from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.models.rows import Row
from onset.models.scripted import ScriptedModel
from onset.models.servers.dialect import body_of, read_reply
from onset.models.servers.template import server_chat
from onset.records import EndRule, Request, Thinking
from onset.thinking import MARKS, answer_part, answer_start, marks_in
from onset.turns import find_end

RULE = Thinking("<think>", "</think>", 9)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<think>\nIt is 9. The answer is 9. No.\n</think>\n\nThe answer is 10.", "\n\nThe answer is 10."),
        ("It is 9.</think> 10.", " 10."),  # the mark that begins it stood in the prompt
        ("The answer is 10.", "The answer is 10."),
        ("<think>It is 9. The answer is 9.", ""),
        ("<think>a</think> 10 <think>b</think> 11", " 11"),
        (" 10. <think>Or is it", " 10. "),
        ("[THINK]9[/THINK]10", "10"),
        ("<|channel|>analysis<|message|>9<|end|><|start|>assistant<|channel|>final<|message|>10", "10"),
    ],
)
def test_what_is_thought_is_no_answer(text: str, part: str) -> None:
    assert answer_part(text) == part


def test_a_text_thinks_from_its_beginning_on() -> None:
    cases = [("", None), (" <th", None), (" <think>a", None), (" <think>a</think>b", 17), (" a <think>", 0), (" a", 0)]
    assert [answer_start(text, RULE) for text, _ in cases] == [place for _, place in cases]
    inside = replace(RULE, inside=True)
    assert [answer_start(text, inside) for text in ("", " a", " a</think>b")] == [None, None, 10]


def test_a_template_says_which_marks_it_uses() -> None:
    assert marks_in("{% if enable_thinking %}{{ '[THINK]' }}{% endif %}") == ("[THINK]", "[/THINK]")
    assert marks_in("nothing") == MARKS[0] == ("<think>", "</think>")


def test_grading_reads_what_follows_the_thinking() -> None:
    rows = [
        {"prediction": "<think>The answer is 9.</think>The answer is 10.", "target": "10"},
        {"prediction": "<think>The answer is 10. But", "target": "10"},
    ]
    found = grade(rows, lambda _: NumberFormat())
    assert [(row["answer"], row["status"]) for row in found["rows"]] == [("10", "ok"), (None, "none")]


def endless(module: Any, tok: Any) -> HFModel:
    """A model whose texts never end by themselves."""
    module.generation_config.eos_token_id = None
    tok.eos_token_id = VOCABULARY + 1
    return HFModel(module, tok, describe(module, tok, "tiny", "0"))


def greedy(model: HFModel, prompt: str, count: int) -> list[int]:
    """``count`` tokens by plain transformers."""
    ids = torch.tensor([model.encode([prompt])[0]])
    module = model.module
    out = module.generate(ids, do_sample=False, max_new_tokens=count)[0]
    return [int(one) for one in out[ids.shape[1] :]]


def expected(shown: list[str], request: Request) -> tuple[str, int, str, int | None]:
    """Text, tokens, finish and thinking, looked at after every token. ``shown``: the text after so many tokens."""
    rule = request.thinking
    assert rule is not None
    for count in range(1, request.max_tokens + 1):
        text = shown[count]
        place = text.find(rule.end)
        if place < 0:
            if count == rule.tokens:
                return text, count, "budget", count
            continue
        place += len(rule.end)
        thought = next(n for n in range(1, count + 1) if rule.end in shown[n])
        rest = text[place:]
        places = [at for one in request.stop if (at := rest.find(one)) >= 0]
        ended = find_end(rest, request.until) if request.until else None
        places += [] if ended is None else [ended[0]]
        if places:
            return text[: place + min(places)], count, "stop", thought
    return shown[request.max_tokens], request.max_tokens, "length", thought


def both_ways(model: HFModel, requests: list[Request]) -> list[tuple[str, int, str, int | None]]:
    """What the engine gives, which has to be what the plain way gives."""
    assert model.engine_note is None
    done = [one for [one] in model.generate(requests)]
    rows = [
        Row(tuple(model.encode([one.prompt])[0]), one.max_tokens, one.stop, 0, 0, 0, one.until, thinking=one.thinking)
        for one in requests
    ]
    plainly = plain.generate(model.module, rows, model._endings, VOCABULARY, 4000)
    found = [(one.text, one.tokens, one.finish, one.thinking) for one in done]
    assert found == [(one.text, one.tokens, one.finish, one.thinking) for one in plainly]
    return found


@pytest.mark.parametrize("make", [llama, gemma3])
def test_thinking_ends_at_its_mark_or_with_its_budget(make: Any) -> None:
    tok = tokenizer(bos=make is gemma3)
    model = endless(make(), tok)
    requests, wanted = [], []
    for prompt in (PROMPTS[0], PROMPTS[2]):
        tokens = greedy(model, prompt, 60)
        shown = [tok.decode(tokens[:count], skip_special_tokens=True) for count in range(61)]
        text = shown[60]
        for mark in dict.fromkeys((text[20:22], text[-3:])):
            for budget in (1, 12, 59):
                rule = Thinking("<never>", mark, budget, inside=True)
                stop = (text[10:12], "e")
                until = EndRule(text[14:15], "", turns=("Human",))
                for request in (
                    Request(prompt, 60, thinking=rule),
                    Request(prompt, 60, stop, thinking=rule),
                    Request(prompt, 60, stop[:1], until=until, thinking=rule),
                ):
                    requests.append(request)
                    wanted.append(expected(shown, request))
    found = both_ways(model, requests)
    assert found == wanted
    assert {finish for _, _, finish, _ in found} == {"stop", "budget", "length"}


def test_marks_that_are_special_tokens_are_put_into_the_text() -> None:
    tok = tokenizer(bos=False)
    module = llama()
    written = {prompt: greedy(endless(module, tok), prompt, 12) for prompt in PROMPTS}
    marks = {
        prompt: [tok.convert_ids_to_tokens(tokens[place]) for place in (0, 4)] for prompt, tokens in written.items()
    }
    prompt = next(  # as special tokens they must not be in the prompt
        one
        for one in PROMPTS
        if not any(mark in one for mark in marks[one]) and written[one].count(written[one][4]) == 1
    )
    tokens, (begin, end) = written[prompt], marks[prompt]
    texts = [tok.decode(part) for part in (tokens[1:4], tokens[5:12], tokens[5:7])]
    tok.add_special_tokens({"additional_special_tokens": [begin, end]})
    model = endless(module, tok)
    rule = Thinking(begin, end, 6)
    requests = [
        Request(prompt, 12, thinking=rule),
        Request(prompt, 12, thinking=replace(rule, tokens=4)),
        Request(prompt, 12, (texts[2],), thinking=rule),
        Request(prompt, 12, thinking=replace(rule, start="<never>")),
    ]
    assert both_ways(model, requests) == [
        (f"{begin}{texts[0]}{end}{texts[1]}", 12, "length", 5),
        (f"{begin}{texts[0]}", 4, "budget", 4),
        (f"{begin}{texts[0]}{end}", 7, "stop", 5),
        (f"{texts[0]}{end}{texts[1]}", 12, "length", 5),
    ]


def test_a_request_that_thinks_has_room_for_an_answer() -> None:
    for rule, message in [
        (replace(RULE, tokens=20), "request 0: thinking may take 1 to 19 of its max_tokens, got 20"),
        (replace(RULE, tokens=0), "request 0: thinking may take 1 to 19 of its max_tokens, got 0"),
        (replace(RULE, end=""), "request 0: an empty mark of thinking is in every text"),
    ]:
        with pytest.raises(ModelError) as caught:
            ScriptedModel({}).generate([Request("a", 20, thinking=rule)])
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "done"),
    [
        (" <think> a b c </think> The answer is 10. So", (" <think> a b c </think> The answer is 10.", 10, "stop", 5)),
        (" The answer is 10. So", (" The answer is 10.", 5, "stop", None)),
        (" <think> The answer is 9. No. a b c d </think> e", (" <think> The answer is 9. No. a b c", 9, "budget", 9)),
        (" <think> a b", (" <think> a b", 4, "eos", 4)),
        (" <think> a b </think> 1 2 3 4 5 6 7 8 9 0", (" <think> a b </think> 1 2 3 4 5 6 7 8", 12, "length", 4)),
    ],
)
def test_the_scripted_model_thinks_like_a_real_one(text: str, done: tuple[Any, ...]) -> None:
    request = Request("a", 12, until=EndRule("The answer is"), thinking=RULE)
    [[one]] = ScriptedModel({"a": text}).generate([request])
    assert (one.text, one.tokens, one.finish, one.thinking) == done


def test_a_server_is_told_to_think_and_what_it_thought_is_no_answer() -> None:
    chat = server_chat("m")
    assert (chat.marks, chat.that_thinks()([("user", "a")])) == (MARKS[0], chat([("user", "a")]))
    request = Request(chat([("user", "a")]), 60, until=EndRule("The answer is"), templated=True, thinking=RULE)
    body = body_of("m", request, None, chat)
    assert (body["chat_template_kwargs"], body["max_tokens"]) == ({"enable_thinking": True}, 60)
    assert "chat_template_kwargs" not in body_of("m", replace(request, thinking=None), None, chat)

    def read(content: str | None, reason: str) -> tuple[str, str]:
        choice = {"index": 0, "message": {"content": content}, "finish_reason": reason}
        told = read_reply({"choices": [choice]}, request, "here").texts[0]
        return told.text, told.finish

    thought = "<think>The answer is 9. No.</think>"
    assert read(f"{thought}The answer is 10. So", "stop") == (f"{thought}The answer is 10.", "stop")
    assert read("The answer is 10. So", "stop") == ("The answer is 10.", "stop")  # it keeps its thinking to itself
    assert read(None, "length") == ("", "budget")
    assert read("<think>The answer is 9. No", "length") == ("<think>The answer is 9. No", "budget")
    assert read(f"{thought}10 and", "length") == (f"{thought}10 and", "length")
