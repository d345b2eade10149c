"""What is sent for a request and what a reply says, at ``/completions`` and ``/chat/completions``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
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

ENDED = ("stop", "eos", "eos_token", "stop_sequence", "end_turn", "tool_calls", "function_call", "")
LENGTH = ("length", "max_tokens", "model_length")
"""Why a text came to an end, as servers say it, and why it was cut at a limit. With any other reason it is no answer:
``error`` (OpenRouter, Mistral), ``abort`` (vLLM, SGLang), ``insufficient_system_resource`` (DeepSeek).
"""

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
class Text:
    """A text of a reply, why it ended and, where the server tells them, its ``tokens``, of which ``shown`` characters
    are the text and what showed where it is cut (None: it is not). ``thought``: what was set apart as thinking and is
    no part of ``text``; ``thinking``: how many characters of both together are thinking.
    """

    text: str
    finish: Finish
    tokens: tuple[Token, ...] | None
    shown: int | None
    thought: str = ""
    thinking: int = 0

    @property
    def size(self) -> int:
        """Characters, by which tokens are shared out: one more for what ends the text."""
        return len(self.text) + len(self.thought) + 1


@dataclass(frozen=True, slots=True)
class Reply:
    """The ``texts`` of one reply, and what was billed in all (None: not told): ``thinking_tokens`` are some of
    ``output_tokens``.
    """

    texts: tuple[Text, ...]
    prompt_tokens: int | None
    output_tokens: int | None
    thinking_tokens: int | None = None


def read_reply(found: Mapping[str, Any], request: Request, url: str) -> Reply:
    """Raises ModelError for what is no reply of the protocol, RequestRefused where the server withholds a text or broke
    it off.
    """
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(one, Mapping) for one in choices):
        raise ModelError(
            f"server {url} speaks another dialect: its reply has no list 'choices' (keys: {', '.join(sorted(found))})"
        )
    ordered = sorted(choices, key=lambda one: one["index"] if isinstance(one.get("index"), int) else 0)
    usage = found.get("usage") or {}
    details = usage.get("completion_tokens_details")
    return Reply(
        tuple(_text(one, request, url) for one in ordered[: request.n]),
        told_count(usage, "prompt_tokens"),
        told_count(usage, "completion_tokens"),
        told_count(details, "reasoning_tokens") if isinstance(details, Mapping) else None,
    )


def told_count(told: Mapping[str, Any], key: str) -> int | None:
    """A number of tokens that a server tells; None for what is none."""
    value = told.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(choice: Mapping[str, Any], request: Request, url: str) -> Text:
    if choice.get("finish_reason") == "content_filter":
        raise RequestRefused("the server's content filter withheld the text")
    if (why := broken_off(choice)) is not None:
        raise RequestRefused(why)
    thought = ""
    if request.templated:
        message = choice.get("message")
        text = message.get("content", "") if isinstance(message, Mapping) else None
        text = "" if text is None and isinstance(message, Mapping) else text  # all of its tokens went into thinking
        thought = _set_apart(message) if isinstance(message, Mapping) else ""
    else:
        text = choice.get("text")
    if not isinstance(text, str):
        key = "message.content" if request.templated else "text"
        raise ModelError(f"server {url} speaks another dialect: a choice of its reply has no '{key}'")
    tokens = tokens_of(choice.get("logprobs"))
    if thought:
        return _thinking(choice, request, thought, text, tokens)
    text, shown = cut_text(text, request)
    begin = None if request.thinking is None else answer_start(text, request.thinking)
    finish = _finish(choice, shown is not None)
    if finish == "length" and request.thinking is not None and begin is None:
        finish = "budget"  # a server gives thinking and answer one limit; what it thought it may keep to itself
    return Text(text, finish, tokens, shown, thinking=len(text) if request.thinking and begin is None else begin or 0)


def broken_off(choice: Mapping[str, Any]) -> str | None:
    """In one line, where the server did not let a text come to an end; None where it did."""
    reason = choice.get("finish_reason")
    if reason is None or reason in (*ENDED, *LENGTH, "content_filter"):
        return None
    return f"the server broke the text off (finish_reason {str(reason)[:40]!r})"


def _set_apart(message: Mapping[str, Any]) -> str:
    """What a server sets apart of a message as thinking: ``reasoning_content`` (DeepSeek, vLLM, llama.cpp, SGLang) or
    ``reasoning`` (vLLM since 0.11, OpenRouter, Groq, Ollama).
    """
    found = (message.get(key) for key in ("reasoning_content", "reasoning"))
    return next((one for one in found if isinstance(one, str) and one.strip()), "")


def _thinking(
    choice: Mapping[str, Any], request: Request, thought: str, text: str, tokens: tuple[Token, ...] | None
) -> Text:
    """A text whose thinking the server set apart: for a request that lets it think as if it stood there between its
    marks, else beside the text. Only what follows it is cut.
    """
    kept, shown = cut_text(text, replace(request, thinking=None))
    finish = _finish(choice, shown is not None)
    spelled = "" if tokens is None else "".join(one.text for one in tokens)
    if thought.strip() not in spelled:
        tokens = None  # those of the answer alone
    if shown is not None:
        shown += len(spelled) - len(text)
    if request.thinking is None:
        return Text(kept, finish, tokens, shown, thought, len(thought))
    begun = request.thinking.start * (not request.thinking.inside) + thought
    if finish == "length" and not text:
        return Text(begun, "budget", tokens, shown, thinking=len(begun))
    begun += request.thinking.end
    return Text(begun + kept, finish, tokens, shown, thinking=len(begun))


def _finish(choice: Mapping[str, Any], cut: bool) -> Finish:
    if cut or isinstance(choice.get("stop_reason"), str):
        return "stop"
    return "length" if choice.get("finish_reason") in LENGTH else "eos"


def cut_text(text: str, request: Request) -> tuple[str, int | None]:
    """A text up to the first stop string or the end of its answer, after its thinking, and where what shows that end
    is over (None: there is none).
    """
    if request.thinking is not None:
        begin = answer_start(text, request.thinking)
        if begin is None:
            return text, None
        rest, shown = cut_text(text[begin:], replace(request, thinking=None))
        return text[:begin] + rest, None if shown is None else begin + shown
    stops = [(place, place + len(stop)) for stop in request.stop if (place := text.find(stop)) >= 0]
    ended = find_end(text, request.until) if request.until else None
    stops += [] if ended is None else [ended]
    if not stops:
        return text, None
    place, shown = min(stops)
    return text[:place], shown


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
    of a reply have, they are shared out by the texts' lengths; so is a text's thinking where its tokens are not told.
    """
    prompts = [one.prompt_tokens for one in replies]
    went_in = None if None in prompts else sum(one or 0 for one in prompts)
    out: list[Completion] = []
    for reply in replies:
        for one, count, thinking in zip(reply.texts, *_counts(reply), strict=True):
            logprob, summed = _logprob(one.shown, one.tokens)
            known = None if summed == count else summed
            out.append(Completion(one.text, count, went_in, logprob, one.finish, thinking, one.thought, known))
    return out[:n]


def _counts(reply: Reply) -> tuple[list[int | None], list[int | None]]:
    """Tokens of each text of a reply, and how many of them are thinking (None: none, or not known)."""
    tokens = _all_tokens(reply)
    if not reply.thinking_tokens:
        return tokens, [_thought_tokens(one, count) for one, count in zip(reply.texts, tokens, strict=True)]
    seen = [one.thinking for one in reply.texts]
    shares = _shared(reply.thinking_tokens, seen if any(seen) else [one.size for one in reply.texts])
    return tokens, [one or None for one in shares]


def _all_tokens(reply: Reply) -> list[int | None]:
    own = [None if one.tokens is None else len(one.tokens) for one in reply.texts]
    if reply.output_tokens is None:
        return list(own)
    known = [one for one in own if one is not None]
    ended = [one.finish == "eos" for one in reply.texts]  # the token that ends a text may not be among its tokens
    for more in ([0] * len(own), ended):
        if len(known) == len(own) and sum(known) + sum(more) == reply.output_tokens:
            return [one + each for one, each in zip(known, more, strict=True)]
    return list(_shared(reply.output_tokens, [one.size for one in reply.texts]))


def _thought_tokens(one: Text, count: int | None) -> int | None:
    """Tokens of a text's thinking: those that spell it, where they are told, else its share of ``count``."""
    if not one.thinking:
        return None
    if one.tokens is not None and not one.thought:
        spelled = "".join(token.text for token in one.tokens)
        if spelled.startswith(one.text[: one.thinking]):
            ends = accumulate(len(token.text) for token in one.tokens)
            return sum(end <= one.thinking for end in ends)
    return None if count is None else round(count * one.thinking / one.size)


def _shared(total: int, sizes: Sequence[int]) -> list[int]:
    """``total`` shared out by ``sizes``; the shares sum up to it."""
    ends = [round(total * part / sum(sizes)) for part in accumulate(sizes)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _logprob(shown: int | None, tokens: tuple[Token, ...] | None) -> tuple[float | None, int | None]:
    """Of the tokens up to that which showed where the text is cut, as a model in this process would have sampled them,
    and how many these are. ``shown``: as in `Text`.
    """
    if tokens is None or any(one.logprob is None for one in tokens):
        return None, None
    ends = accumulate(len(one.text) for one in tokens)
    more = len(tokens) if shown is None else next((n for n, end in enumerate(ends, 1) if end >= shown), len(tokens))
    return sum(one.logprob or 0.0 for one in tokens[:more]), more
