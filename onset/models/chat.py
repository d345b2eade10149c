"""Chat templates: how instruct models were trained to be asked, through the tokenizer's own ``apply_chat_template``.

Nothing of a template is rewritten here. The text it makes holds its special tokens, so it is tokenised without adding
any (`onset.records.Request.templated`): a prompt has one ``<bos>``, the template's. There is never a system turn of
ours, and turns alternate, so a template that refuses either serves as well. Two things that templates may take are
pinned, for equal prompts on every day: the date they print (``date_string``), and no thinking before the answer
(``enable_thinking``): whether a model writes steps is what methods differ in. A method that lets it think asks through
`ChatTemplate.that_thinks`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from onset.errors import ModelError
from onset.records import content_hash
from onset.thinking import marks_in

Turn = tuple[Literal["user", "assistant"], str]
"""Who speaks, and what."""

_PINNED = {"date_string": "01 Jan 2025"}
_PROBE = "onset-probe"
_OF_DOCUMENTS = re.compile(r"</s>|<eos>|<\|?end[_▁]?of[_▁]?(?:text|sentence)\|?>|<｜end▁of▁sentence｜>", re.IGNORECASE)
"""Tokens that end any document: a base model ends its texts with one too."""
_SAYS_INSTRUCT = re.compile(r"(?<![a-z])(?:instruct|chat|it|sft|dpo|rlhf|assistant)(?![a-z])", re.IGNORECASE)
_SAYS_BASE = re.compile(r"(?<![a-z])(?:base|pt|pretrained?)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The template of a tokenizer: turns -> the text of a prompt that the assistant's turn begins after.

    ``end``: the special token that ends an assistant's turn (None: the template writes none) and ``hash`` (16 hex
    digits) of the template's text; ``thinks``: is the model to think before it answers?
    """

    tokenizer: Any
    model: str
    end: str | None
    hash: str
    thinks: bool = False

    def __call__(self, turns: Sequence[Turn]) -> str:
        """Raises ModelError when the template refuses the turns."""
        return _apply(self.tokenizer, self.model, turns, begin=True, thinks=self.thinks)

    def that_thinks(self) -> ChatTemplate:
        """The same template with thinking switched on, where it has a switch (``enable_thinking``, ``thinking``)."""
        return replace(self, thinks=True)

    @property
    def marks(self) -> tuple[str, str]:
        """The marks of thinking that the template speaks of (`onset.thinking.MARKS`)."""
        return marks_in("" if self.tokenizer is None else str(self.tokenizer.get_chat_template()))


def template_of(tokenizer: Any, model: str) -> ChatTemplate | None:
    """The template that a tokenizer comes with, None when it has none. ``model``: what to call it in errors."""
    if not getattr(tokenizer, "chat_template", None):
        return None
    text = _apply(tokenizer, model, [("user", _PROBE), ("assistant", _PROBE)], begin=False)
    rest = tokenizer(text.rpartition(_PROBE)[2], add_special_tokens=False)["input_ids"]
    special = {place: one.content for place, one in tokenizer.added_tokens_decoder.items() if one.special}
    end = next((special[token] for token in rest if token in special), None)
    return ChatTemplate(tokenizer, model, end, content_hash(tokenizer.get_chat_template()))


def is_instruct(tokenizer: Any, ends: frozenset[int], template: ChatTemplate | None, name: str) -> bool:
    """Was a model trained on its template? Many base models come with one that they never saw.

    It was when the token that ends an assistant's turn is among ``ends``, the ids that end its texts (its generation
    config's and its tokenizer's): a base model ends documents, not turns. Where turns end with the token that ends
    documents (Llama 2, Mistral, OLMo), the ``name`` has to say it: "Instruct", "chat", "it", "SFT", "DPO". A name with
    "base" or "pt" is a base model's.
    """
    if template is None or template.end is None or says_base(name):
        return False
    if _OF_DOCUMENTS.fullmatch(template.end):
        return _SAYS_INSTRUCT.search(name) is not None
    return tokenizer.convert_tokens_to_ids(template.end) in ends


def says_base(name: str) -> bool:
    """Does the name of a model say that it is a base model?"""
    return _SAYS_BASE.search(name) is not None


def chosen_template(model: Any, wanted: str | None) -> ChatTemplate | None:
    """What ``template: wanted`` (None: auto) means for a model: its chat template, or None for plain text.

    A model of one's own may have the attributes ``chat`` (a `ChatTemplate`) and ``instruct`` (bool); without them it is
    asked in plain text. Raises ModelError for ``chat`` where there is no template.
    """
    if wanted == "plain":
        return None
    chat: ChatTemplate | None = getattr(model, "chat", None)
    if wanted == "chat" and chat is None:
        raise ModelError(f"model '{model.facts.name}' has no chat template: write 'template: plain', or 'auto'")
    return chat if wanted == "chat" or getattr(model, "instruct", False) else None


def _apply(tokenizer: Any, model: str, turns: Sequence[Turn], *, begin: bool, thinks: bool = False) -> str:
    messages = [{"role": role, "content": content} for role, content in turns]
    try:
        asked = _PINNED | {"enable_thinking": thinks} | ({"thinking": True} if thinks else {})
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=begin, **asked)
    except Exception as error:  # jinja's, and whatever a template raises
        first = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"model '{model}': its chat template refuses the prompt ({first}): use 'template: plain'"
        ) from None
    return str(text)
