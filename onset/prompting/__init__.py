"""Prompting methods: one file each and one line in this table.

A method is a `onset.prompting.base.Prompt`: its settings and ``async def solve(self, item, ask) -> Attempt``.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

PROMPTING = Registry(
    "prompting method",
    {
        "answer-only": Entry("onset.prompting.answer_only:AnswerOnly", "demonstrations with their answers alone"),
        "cot": Entry("onset.prompting.cot:Chain", "chain of thought: demonstrations with their rationales"),
        "scratchpad": Entry(
            "onset.prompting.scratchpad:Scratchpad", "demonstrations with a state trace, as the task writes it"
        ),
        "thinking": Entry(
            "onset.prompting.thinking:Thinks", "a reasoning model thinks, for a budget of tokens, and answers"
        ),
        "zero-shot-cot": Entry(
            "onset.prompting.zero_shot_cot:ZeroShotChain", "zero-shot chain of thought: let's think step by step"
        ),
        "rank-classification": Entry("onset.prompting.chosen:Chosen", "the most probable choice; may be calibrated"),
        "retrieve-then-read": Entry(
            "onset.prompting.retrieve:RetrieveThenRead", "passages found by BM25, then the answer"
        ),
        "generate-then-read": Entry(
            "onset.prompting.generate:GenerateThenRead", "the model writes a passage, then answers"
        ),
        "recite": Entry("onset.prompting.recite:Recite", "the model recites passages, answers after each, majority"),
        "knowledge": Entry("onset.prompting.knowledge:KnowledgePrompt", "triples and glosses before the question"),
        "self-check": Entry(
            "onset.prompting.self_check:SelfCheck", "samples that the model itself calls true or false"
        ),
        "maieutic": Entry("onset.prompting.maieutic:Maieutic", "a tree of explanations, of statements true or false"),
        "draft-sketch-check": Entry(
            "onset.prompting.draft_check:DraftCheck", "worked steps as equations, each checked"
        ),
    },
)
