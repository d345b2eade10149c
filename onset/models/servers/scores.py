"""Log-probabilities of texts from a server: a prompt is sent with its continuation, and its own tokens are asked for.

    completions  {"prompt": context + continuation, "echo": true, "logprobs": 0, "max_tokens": 1}
                 {"prompt": context + continuation, "prompt_logprobs": 0, "max_tokens": 1}
    chat         {"messages": [..., {"role": "assistant", "content": begun + continuation}], "continue_final_message":
                  true, "add_generation_prompt": false, "prompt_logprobs": 0, "max_tokens": 1}

Servers exist that take these keys and tell nothing, or zeros, by which every choice would be as probable as any other.
So they are tried with a known answer before they are believed: two continuations must have numbers, below 0, that
differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from onset.errors import ModelError
from onset.models.servers.client import Asks, ServerGone
from onset.models.servers.dialect import messages_of, number, tokens_of
from onset.models.servers.spelled import Token, ending
from onset.models.servers.template import ServerChat
from onset.records import Pair, Scored

Way = Callable[[Asks, str, ServerChat, Pair], Scored]
"""(client, model, chat, pair) -> its score. Raises ModelError and RequestRefused."""


def by_echo(client: Asks, model: str, chat: ServerChat, pair: Pair) -> Scored:
    """The prompt is given back with its tokens."""
    text = pair.context + pair.continuation
    body = {"model": model, "prompt": text, "echo": True, "logprobs": 0, "max_tokens": 1, "temperature": 0.0}
    tokens = tokens_of(_first(client.post("/completions", body)).get("logprobs"))
    if tokens is None or len(tokens) < 2:
        raise ModelError("'echo' gives back no tokens")
    return _scored(tokens, text, len(pair.context))  # with one token more, where the server must generate one


def by_prompt(client: Asks, model: str, chat: ServerChat, pair: Pair) -> Scored:
    """``prompt_logprobs`` of vLLM."""
    text = pair.context + pair.continuation
    body = {"model": model, "prompt": text, "prompt_logprobs": 0, "max_tokens": 1, "temperature": 0.0}
    return _scored(_of_prompt(client.post("/completions", body)), text, len(pair.context))


def by_chat(client: Asks, model: str, chat: ServerChat, pair: Pair) -> Scored:
    """``prompt_logprobs`` of vLLM, for the end of an assistant's turn."""
    body = {"model": model, "prompt_logprobs": 0, "max_tokens": 1, "temperature": 0.0}
    body |= messages_of(chat, pair.context + pair.continuation)
    tokens = _of_prompt(client.post("/chat/completions", body))
    # the template's own text before the continuation is not known here: it is read from the end
    shown = "".join(one.text for one in tokens)
    if not shown.endswith(pair.continuation):
        raise ModelError(f"the server's tokens do not spell the text: {shown[-60:]!r} for {pair.continuation!r}")
    return _scored(tokens, shown, len(shown) - len(pair.continuation))


def choose(client: Asks, model: str, chat: ServerChat, *, templated: bool) -> Way | str:
    """The way in which this server tells log-probabilities, or why it does not. Raises ModelError where the server is
    not there.
    """
    ways: tuple[Way, ...] = (by_chat,) if templated else (by_echo, by_prompt)
    context = chat([("user", "What is the capital of France?")]) if templated else "The capital of France"
    pairs = [
        Pair(context, f"{begin}is {end}.", templated)
        for begin in (("" if templated else " "),)
        for end in ("Paris", "of")
    ]
    why = ""
    for way in ways:
        try:
            values = [way(client, model, chat, one).logprob for one in pairs]
        except ServerGone:
            raise
        except ModelError as error:
            why = str(error)
            continue
        problem = _doubt(values)
        if problem is None:
            return way
        why = problem
    return why


def _doubt(values: list[float | None]) -> str | None:
    known = [one for one in values if one is not None and math.isfinite(one) and one < 0]
    if len(known) < len(values):
        return f"it gives {values[0]} and {values[1]} for two sentences, which are no log-probabilities"
    if known[0] == known[1]:
        return f"it gives {known[0]:.3g} for two sentences that differ"
    return None


def _scored(tokens: tuple[Token, ...], text: str, start: int) -> Scored:
    total, count, before = ending(tokens, text, start)
    return Scored(total, count, before)


def _first(found: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise ModelError("its reply has no list 'choices'")
    return choices[0]


def _of_prompt(found: Mapping[str, Any]) -> tuple[Token, ...]:
    """The tokens of ``prompt_logprobs``: a mapping of id -> {logprob, decoded_token} for each, null for the first."""
    told = found.get("prompt_logprobs") or _first(found).get("prompt_logprobs")
    if not isinstance(told, list) or not told:
        raise ModelError("'prompt_logprobs' is not told")
    out = []
    for place, one in enumerate(told):
        if one is None and place == 0:
            out.append(Token("", None))
            continue
        rows = list(one.values()) if isinstance(one, Mapping) else []
        if not rows or not isinstance(rows[0], Mapping) or not isinstance(rows[0].get("decoded_token"), str):
            raise ModelError("'prompt_logprobs' holds a token without its text")
        out.append(Token(rows[0]["decoded_token"], number(rows[0].get("logprob"))))
    return tuple(out)
