r"""Where a text stops thinking: what reasoning models write between their marks is no answer.

A text thinks from its beginning on, up to the first end mark. The mark that begins it may stand in the prompt
(templates of models that always think put it there), and then only its end is in the text.

    <think>             </think>                DeepSeek-R1, Qwen3, QwQ, SmolLM3
    [THINK]             [/THINK]                Magistral
    <seed:think>        </seed:think>           Seed-OSS
    ◁think▷             ◁/think▷                Kimi
    <|channel|>analysis<|message|>   <|channel|>final<|message|>    gpt-oss
    <thinking>, <thought>, <reasoning>, <|begin_of_thought|> ...    and their like
"""

from __future__ import annotations

from onset.records import Thinking

MARKS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
"""Marks of thinking that are known, where it begins and where it ends; the first is what a model is taken to use that
says nothing else."""


def marks_in(template: str) -> tuple[str, str]:
    """The marks that the text of a chat template speaks of."""
    return next((pair for pair in MARKS if pair[1] in template or pair[0] in template), MARKS[0])


def answer_part(text: str) -> str:
    """What follows the thinking in ``text``: all of it where there are no marks, nothing where thinking does not end.

    >>> [answer_part(one) for one in ("<think>It is 9. No, 10.</think> 10.", " 10.", "<think>It is 9.")]
    [' 10.', ' 10.', '']
    """
    place = max((at + len(end) for _, end in MARKS if (at := text.rfind(end)) >= 0), default=0)
    begun = [at for start, _ in MARKS if (at := text.find(start, place)) >= 0]
    return text[place : min(begun)] if begun else text[place:]


def answer_start(text: str, rule: Thinking) -> int | None:
    """Where the answer begins in ``text``: after the first end mark, at 0 where it does not think, and None while it
    thinks (or may have begun to).
    """
    place = text.find(rule.end)
    if place >= 0:
        return place + len(rule.end)
    said = text.lstrip()
    return None if rule.inside or said.startswith(rule.start) or rule.start.startswith(said) else 0
