"""What is sent for a request and what a reply says, at ``/completions`` and ``/chat/completions``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from onset.errors import ModelError, RequestRefused
from onset.models.servers.spelled import Token
from onset.models.servers.template import ServerChat
from onset.records import Completion, Finish, Request
from onset.thinking import answer_start
from onset.turns import find_end

MOST_STOPS = 4
"""Stop strings that OpenAI's protocol takes; texts are cut at all of them here."""
SEEDS = 2**31
"""Seeds that every server takes."""

_TOO_LONG = re.compile(
    r"context.?length|context.?window|context.?size|maximum context|max_model_len|too long|too many tokens|longer than"
    r" the maximum",
    re.IGNORECASE,
)

REPLACED: Mapping[str, str | None] = {
    "max_tokens": "max_completion_tokens",
    "seed": None,
    "stop": None,
    "logprobs": None,
    "top_logprobs": None,
    "chat_template_kwargs": None,
}
"""Keys that some servers refuse, and what is sent instead (None: nothing, for texts are cut at stop strings here, no
result needs a seed or log-probabilities, and a server that knows no such switch decides itself whether its model
thinks). Of the others none is left out: an answer would be drawn in another way.
"""


def is_too_long(error: RequestRefused) -> bool:
    """Does a refusal say that the prompt does not fit the model's context?"""
    return _TOO_LONG.search(str(error)) is not None


def complained_of(error: RequestRefused, sent: Mapping[str, Any]) -> str | None:
    """The key of ``sent`` that a refusal complains of, of those that can be done without; None where it is the request
    that is refused.
    """
    if is_too_long(error):
        return None
    if error.key in REPLACED and error.key in sent:
        return error.key
    return next((key for key in REPLACED if key in sent and re.search(rf"\b{key}\b", str(error))), None)


def path_of(request: Request) -> str:
    """The endpoint that is asked."""
    return "/chat/completions" if request.templated else "/completions"


def body_of(model: str, request: Request, sample: int | None, chat: ServerChat) -> dict[str, Any]:
    """What is sent for ``request``; ``sample``: for this one alone, None for all at once."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": (request.seed + (sample or 0)) % SEEDS,
    }
    if request.templated:
        body |= messages_of(chat, request.prompt) | {"logprobs": True}
    else:
        body |= {"prompt": request.prompt, "logprobs": 0}
    if request.stop:
        body["stop"] = list(request.stop[:MOST_STOPS])
    if sample is None and request.n > 1:
        body["n"] = request.n
    if request.top_p < 1.0:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    if request.templated and request.thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": True}
    return body


def messages_of(chat: ServerChat, prompt: str) -> dict[str, Any]:
    """The messages of a prompt; where its answer is begun, that the server is to go on with it."""
    turns, begun = chat.turns(prompt)
    messages = [{"role": role, "content": content} for role, content in turns]
    if not begun:
        return {"messages": messages}
    messages.append({"role": "assistant", "content": begun})
    return {"messages": messages, "continue_final_message": True, "add_generation_prompt": False}


@dataclass(frozen=True, slots=True)
class Reply:
    """The texts of one reply, each with why it ended and, where the server tells them, its tokens; and what was billed
    in all (None: not told).
    """

    texts: tuple[tuple[str, Finish, tuple[Token, ...] | None], ...]
    prompt_tokens: int | None
    output_tokens: int | None


def read_reply(found: Mapping[str, Any], request: Request, url: str) -> Reply:
    """Raises ModelError for what is no reply of the protocol, RequestRefused where the server withholds a text."""
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(one, Mapping) for one in choices):
        raise ModelError(
            f"server {url} speaks another dialect: its reply has no list 'choices' (keys: {', '.join(sorted(found))})"
        )
    ordered = sorted(choices, key=lambda one: one["index"] if isinstance(one.get("index"), int) else 0)
    usage = found.get("usage") or {}
    went_in, came_out = (
        value if isinstance(value := usage.get(key), int) and not isinstance(value, bool) and value >= 0 else None
        for key in ("prompt_tokens", "completion_tokens")
    )
    return Reply(tuple(_text(one, request, url) for one in ordered[: request.n]), went_in, came_out)


def _text(choice: Mapping[str, Any], request: Request, url: str) -> tuple[str, Finish, tuple[Token, ...] | None]:
    if choice.get("finish_reason") == "content_filter":
        raise RequestRefused("the server's content filter withheld the text")
    if request.templated:
        message = choice.get("message")
        text = message.get("content", "") if isinstance(message, Mapping) else None
        text = "" if text is None and isinstance(message, Mapping) else text  # all of its tokens went into thinking
    else:
        text = choice.get("text")
    if not isinstance(text, str):
        key = "message.content" if request.templated else "text"
        raise ModelError(f"server {url} speaks another dialect: a choice of its reply has no '{key}'")
    text, cut = cut_text(text, request)
    stopped = cut or isinstance(choice.get("stop_reason"), str)
    finish: Finish = "stop" if stopped else "length" if choice.get("finish_reason") == "length" else "eos"
    if finish == "length" and request.thinking is not None and answer_start(text, request.thinking) is None:
        finish = "budget"  # a server gives thinking and answer one limit; what it thought it may keep to itself
    return text, finish, tokens_of(choice.get("logprobs"))


def cut_text(text: str, request: Request) -> tuple[str, bool]:
    """A text up to the first stop string or the end of its answer, after its thinking, and was there one?"""
    if request.thinking is not None:
        begin = answer_start(text, request.thinking)
        rest, cut = ("", False) if begin is None else cut_text(text[begin:], replace(request, thinking=None))
        return text[:begin] + rest, cut
    stops = [(place, place) for stop in request.stop if (place := text.find(stop)) >= 0]
    ended = find_end(text, request.until) if request.until else None
    stops += [] if ended is None else [ended]
    return (text[: min(stops)[0]], True) if stops else (text, False)


def tokens_of(told: Any) -> tuple[Token, ...] | None:
    """The tokens that a choice's ``logprobs`` tell, in the form of either endpoint; None where they tell none."""
    if not isinstance(told, Mapping):
        return None
    if isinstance(told.get("content"), list):
        rows = [(one.get("token"), one.get("logprob")) for one in told["content"] if isinstance(one, Mapping)]
    elif isinstance(told.get("tokens"), list) and isinstance(told.get("token_logprobs"), list):
        if len(told["tokens"]) != len(told["token_logprobs"]):
            return None
        rows = list(zip(told["tokens"], told["token_logprobs"], strict=True))
    else:
        return None
    if not rows or not all(isinstance(text, str) for text, _ in rows):
        return None
    return tuple(Token(str(text), number(value)) for text, value in rows)


def number(value: Any) -> float | None:
    """A log-probability that a server tells; None for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0 else None


def completions(replies: Sequence[Reply], n: int) -> list[Completion]:
    """The first ``n`` texts of the ``replies`` to one request.

    Tokens of the prompt are those that were billed, once a reply. Where the server tells only how many tokens all texts
    of a reply have, they are shared out by the texts' lengths.
    """
    prompts = [one.prompt_tokens for one in replies]
    went_in = None if None in prompts else sum(one or 0 for one in prompts)
    out: list[Completion] = []
    for reply in replies:
        counts = _counts(reply)
        for (text, finish, tokens), count in zip(reply.texts, counts, strict=True):
            out.append(Completion(text, count, went_in, _logprob(text, tokens), finish))
    return out[:n]


def _counts(reply: Reply) -> list[int | None]:
    """Tokens of each text of a reply."""
    own = [None if tokens is None else len(tokens) for _, _, tokens in reply.texts]
    if reply.output_tokens is None:
        return list(own)
    known = [one for one in own if one is not None]
    ended = [finish == "eos" for _, finish, _ in reply.texts]  # the token that ends a text may not be among its tokens
    for more in ([0] * len(own), ended):
        if len(known) == len(own) and sum(known) + sum(more) == reply.output_tokens:
            return [one + each for one, each in zip(known, more, strict=True)]
    sizes = [len(text) + 1 for text, *_ in reply.texts]
    ends = [round(reply.output_tokens * sum(sizes[: place + 1]) / sum(sizes)) for place in range(len(sizes))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _logprob(text: str, tokens: tuple[Token, ...] | None) -> float | None:
    """Of the tokens up to where the text was cut, that which showed it included."""
    if tokens is None or any(one.logprob is None for one in tokens):
        return None
    total, length = 0.0, 0
    for one in tokens:
        total += one.logprob or 0.0
        length += len(one.text)
        if length > len(text):
            break
    return total
