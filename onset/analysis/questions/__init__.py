"""The table of questions, in the order of reading. Adding one is one file with a `Question` and one line here.

What is said of a study is chosen by rule from what its questions find, never written in advance: each question's first
finding, then each one's second, until there is no room. Warnings about the data (cells missing, answers unread, prompts
too long) always have a place. Nothing is claimed whose verdict is not decided.
"""

from __future__ import annotations

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding, deal
from onset.analysis.questions.base import Question
from onset.registry import Entry, Registry

_HOME = "onset.analysis.questions"

QUESTIONS = Registry(
    "question",
    {
        "decision": Entry(f"{_HOME}.decision:Recommendation", "what should I use on my own task?"),
        "emergence": Entry(f"{_HOME}.emergence:Emerges", "does chain of thought emerge with size?"),
        "crossover": Entry(f"{_HOME}.crossover:Overtakes", "from which size on does chain of thought win?"),
        "voting": Entry(f"{_HOME}.voting:Voting", "at which size does a vote over samples add most?"),
        "samples": Entry(f"{_HOME}.samples:Samples", "what do more samples bring, and a perfect choice?"),
        "process": Entry(f"{_HOME}.process:Process", "do right answers come from right steps?"),
        "calculator": Entry(f"{_HOME}.process:Calculator", "what would a calculator change?"),
        "second reader": Entry(f"{_HOME}.second_reader:SecondReader", "does accuracy depend on who reads the answers?"),
        "passage or memory": Entry(f"{_HOME}.conflict:PassageOrMemory", "is a passage believed, or memory?"),
        "facts in weights": Entry(f"{_HOME}.new_facts:FactsInWeights", "are facts as usable in weights as in context?"),
        "confidence": Entry(f"{_HOME}.confidence:Confidence", "is a method as sure as it is right?"),
        "abstention": Entry(f"{_HOME}.confidence:Abstaining", "which method knows best when it is wrong?"),
        "calibration": Entry(f"{_HOME}.calibration:Calibration", "does calibration make draws differ less?"),
        "partial score": Entry(f"{_HOME}.partial_score:PartialScore", "does token F1 say what exact match says?"),
        "search": Entry(f"{_HOME}.search:Search", "what does choosing settings bring?"),
        "pretraining seeds": Entry(f"{_HOME}.pretraining_seeds:Lottery", "is an ability of a size, or of a seed?"),
        "size by task": Entry(f"{_HOME}.size_by_task:SizeByTask", "which of related tasks needs the larger model?"),
        "prompt or tune": Entry(f"{_HOME}.prompt_or_tune:PromptOrTune", "is it better to prompt or to tune?"),
        "ingredient": Entry(f"{_HOME}.training:Ingredient", "what does an ingredient of training change?"),
        "ingredient by size": Entry(f"{_HOME}.training:IngredientBySize", "does an ingredient move the size needed?"),
        "gain by stage": Entry(f"{_HOME}.stage_gain:GainByStage", "what does a stage add to the gain of worked steps?"),
        "reach": Entry(f"{_HOME}.stage_reach:Reach", "does a stage create an ability, or make it likelier?"),
        "steps by stage": Entry(f"{_HOME}.stage_reach:StepsByStage", "does a stage make more steps right?"),
        "forgetting": Entry(f"{_HOME}.forgetting:Forgets", "what does training forget on other tasks?"),
        "forgetting of text": Entry(f"{_HOME}.forgetting:ForgetsText", "what does it forget of plain text?"),
        "best method": Entry(f"{_HOME}.best_method:BestMethod", "which method does best?"),
        "best model": Entry(f"{_HOME}.best_model:BestModel", "which model does best?"),
        "score": Entry(f"{_HOME}.scores:Score", "which model has the best score, where none is right or wrong?"),
        "chain of thought": Entry(f"{_HOME}.chain_of_thought:ChainOfThought", "which models does it help?"),
        "size": Entry(f"{_HOME}.size:Size", "how does accuracy grow with size?"),
        "knowledge by size": Entry(f"{_HOME}.knowledge:KnowledgeBySize", "does knowledge grow by equal steps?"),
        "shift": Entry(f"{_HOME}.shift:ShiftLoss", "what does a shift of the test items cost?"),
        "matched loss": Entry(f"{_HOME}.robustness:MatchedLoss", "which method falls more at equal accuracy?"),
        "order under shift": Entry(f"{_HOME}.robustness:OrderUnderShift", "does prompting or tuning keep its lead?"),
        "win under shift": Entry(f"{_HOME}.shift_win:WinUnderShift", "who is better under a shift alone?"),
        "complex demonstrations": Entry(f"{_HOME}.robustness:ComplexLead", "do complex examples keep their lead?"),
        "worst shift": Entry(f"{_HOME}.robustness:WorstShift", "what does the worst of several shifts take?"),
        "drop by size": Entry(f"{_HOME}.robustness:DropBySize", "does a larger model fall less?"),
        "trap set": Entry(f"{_HOME}.parts:TrapSet", "is a trap set solved, or guessed?"),
        "worst group": Entry(f"{_HOME}.parts:WorstGroup", "which group of items is worst?"),
        "cost": Entry(f"{_HOME}.cost:Cost", "from how many queries on is tuning cheaper?"),
        "break-even labels": Entry(
            f"{_HOME}.break_even:LabelsNeeded", "from how many labels on does tuning beat prompting?"
        ),
        "undecided": Entry(f"{_HOME}.undecided:Undecided", "what is not decided, and what would decide it?"),
        "results": Entry(f"{_HOME}.warnings:NoResults", "is anything measured?"),
        "curves": Entry(f"{_HOME}.size:NoCurve", "which tasks have too few sizes for a curve?"),
        "cells": Entry(f"{_HOME}.warnings:Incomplete", "which cells are missing or failed?"),
        "pairing": Entry(f"{_HOME}.warnings:Refused", "which seeds cannot be compared?"),
        "parse rate": Entry(f"{_HOME}.warnings:Unread", "where is no answer found?"),
        "wordy": Entry(f"{_HOME}.wordy:WordyAnswers", "where are answers wrong that say the right one and more?"),
        "sizes": Entry(f"{_HOME}.warnings:SizeUnknown", "of which models is the size not known?"),
        "lost": Entry(f"{_HOME}.warnings:Lost", "where did a prompt not fit, or a method raise an error?"),
        "one label": Entry(f"{_HOME}.labels:Stuck", "which methods are stuck on one label?"),
        "single answer": Entry(f"{_HOME}.parts:SingleAnswer", "which test sets have one answer alone?"),
        "majority": Entry(f"{_HOME}.labels:Majority", "where does none beat the most frequent label?"),
    },
)
MOST = 8
MOST_WITH_LADDER = 11


def findings_of(study: Analysis) -> tuple[Finding, ...]:
    """At most `MOST` findings (`MOST_WITH_LADDER` over a ladder), in the order of reading: results, then warnings."""
    names = list(QUESTIONS)
    if not study.has_ladder:
        # a study over sizes is read by size first, any other by what does best
        names.sort(key=lambda name: (name != "decision", name != "best method"))
    asked = [one for one in map(question, names) if one.of_anybody or not study.measured.foreign]
    found = [one for each in asked for one in each.ask(study)]
    return deal(found, MOST_WITH_LADDER if study.has_ladder else MOST)


def question(name: str) -> Question:
    """The question of that name. Raises `onset.errors.UnknownName`."""
    made: Question = QUESTIONS.load(name)()
    return made
