r"""BIG-Bench Hard: 27 subtasks (23 tasks, two of them in three sizes) on which models were below the average human.

Source: Suzgun et al. 2022, arXiv 2210.09261; data, demonstrations and licence (MIT) at
https://github.com/suzgunmirac/BIG-Bench-Hard/tree/9ee07bd481feebf959a6b59d61ea57bdcf30964d

    bbh/navigate.json           {"examples": [{"input": "If you follow these instructions, do you return to the
                                 starting point? Turn left. ...\nOptions:\n- Yes\n- No", "target": "No"}, ...]}
    cot-prompts/navigate.txt    a canary line, "-----", the instruction, then three demonstrations:
                                 Q: ...\nA: Let's think step by step.\n ... So the answer is No.

**Questions.** Options are printed by the prompt format from ``choices``, so the block at the end of a question is
rewritten and loses nothing: ``- Yes``, ``- No`` goes (the choices say it), and of lettered options only the heading
``Options:`` goes, the choices being ``(A)``, ``(B)`` ... Subtasks whose closed answers are not in the question
(boolean_expressions, sports_understanding, web_of_lies) get them as choices. web_of_lies loses the "Question: " that
each of its questions begins with. Three items (one of movie_recommendation, two of ruin_names) have a gold answer that
is none of their options, split at commas as these are: they stay, as open questions with their text as it is.

**Labelled pool and test.** The pool is the demonstrations (with rationales) and then 40 % of the examples (without):
those whose questions have the smallest content hash, so that the choice depends on nothing else. The rest is the test
set, in file order (88 to 150 items a subtask). No question is in both; an example that is also a demonstration is left
out of both (none is). A question that is there twice is kept once (2 in sports_understanding), one that is there with
different answers is dropped (2 questions, 4 examples, in causal_judgement).

**Chance** is the mean of 1 / options over the test set; 0 where the answer is open.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.answers import BBHFormat
from onset.errors import DataError, UnknownName
from onset.records import Item, content_hash
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.checks import Split, question_key, settle
from onset.tasks.solving.base import Solver
from onset.tasks.solving.bbh import Deduction, Liars
from onset.tasks.tables import folder_of, unpaired
from onset.untrusted import loads

SUBTASKS = (
    "boolean_expressions",
    "causal_judgement",
    "date_understanding",
    "disambiguation_qa",
    "dyck_languages",
    "formal_fallacies",
    "geometric_shapes",
    "hyperbaton",
    "logical_deduction_five_objects",
    "logical_deduction_seven_objects",
    "logical_deduction_three_objects",
    "movie_recommendation",
    "multistep_arithmetic_two",
    "navigate",
    "object_counting",
    "penguins_in_a_table",
    "reasoning_about_colored_objects",
    "ruin_names",
    "salient_translation_error_detection",
    "snarks",
    "sports_understanding",
    "temporal_sequences",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "tracking_shuffled_objects_three_objects",
    "web_of_lies",
    "word_sorting",
)
FAMILIES = ("logical_deduction", "tracking_shuffled_objects")
"""Tasks in three sizes: a subtask may be named by its family."""

POOL_SHARE = 0.4
"""Share of the examples that are labelled examples to learn from: 100 of 250."""

HUB = ("SaylorTwift/bbh", "b5306be6f827cfafbb545ff5a51f96916029b0fd")
"""The examples on the hub, and the revision: a configuration a subtask, split ``test``."""
HUB_PROMPTS = ("Joschka/big_bench_hard", "76eaa8c29ad448752cd44201a1246618e2454cac")
"""The demonstration files on the hub: configuration and split ``few_shot_prompts``."""

_UNSTATED_OPTIONS = {
    "boolean_expressions": ("True", "False"),
    "sports_understanding": ("yes", "no"),
    "web_of_lies": ("Yes", "No"),
}
_SOLVERS: Mapping[str, Solver] = {"logical_deduction": Deduction(), "web_of_lies": Liars()}
_ANSWER_TOKENS = {"word_sorting": 128}
_OPTIONS = re.compile(r"\nOptions:\n(?P<block>.*)\Z", re.DOTALL)
_DEMONSTRATION = re.compile(
    r"Q:\s*(?P<question>.*?)\nA:\s*(?:Let's think step by step\.)?\s*(?P<rationale>.*?)\s*"
    r"So the answer is (?P<answer>[^\n]*?)\.?\s*\Z",
    re.DOTALL,
)


def answer_format() -> AnswerFormat:
    """An option letter, one of a pair, a number or open text: see `onset.answers.BBHFormat`."""
    return BBHFormat()


def group_of(subtask: str) -> str:
    """The task of a subtask: the paper averages the three sizes of a family before its mean over 23 tasks."""
    return next((name for name in FAMILIES if subtask.startswith(f"{name}_")), subtask)


def load(*, subtask: str | None = None, path: str | None = None) -> list[Task]:
    """A task ``bbh/SUBTASK`` for one subtask, each size of a family, or (None) all 27.

    ``path``: a copy of the source repository, or a folder with ``tasks/*.json`` and ``cot_prompts/*.txt``; without it
    the hub. Raises UnknownName for an unknown subtask, DataError for a file that is missing or not in the format of the
    source, and when the hub cannot be reached.
    """
    folder = None if path is None else folder_of("bbh", path)
    return [_task(name, folder) for name in _chosen(subtask)]


def _chosen(subtask: str | None) -> tuple[str, ...]:
    if subtask is None:
        return SUBTASKS
    names = tuple(name for name in SUBTASKS if name == subtask or (subtask in FAMILIES and name.startswith(subtask)))
    if not names:
        raise UnknownName("BBH subtask", str(subtask), [*SUBTASKS, *FAMILIES])
    return names


def _task(subtask: str, folder: Path | None) -> Task:
    where, rows = _rows_on_hub(subtask) if folder is None else _rows_in_folder(subtask, folder)
    origin, prompts = _prompts_on_hub(subtask) if folder is None else _prompts_in_folder(subtask, folder)
    instruction, demonstrations = _demonstrations(subtask, origin, prompts)
    examples = tuple(_example(subtask, where, number, row) for number, row in enumerate(rows, 1))
    split = Split("examples", where, examples, tuple(range(1, len(examples) + 1)))
    (settled,), notes = settle(split, [], task=f"bbh/{subtask}", duplicates="drop")
    shown = {question_key(item) for item in demonstrations}
    items = [item for item in settled.items if question_key(item) not in shown]
    if len(items) < len(settled.items):
        notes.append(f"{len(settled.items) - len(items)} dropped: also a demonstration")
    pool, test = _divide(items)
    if not test or not pool:
        raise DataError(f"task 'bbh/{subtask}': {where}: too few examples to divide, found {len(items)}")
    return Task(
        name=f"bbh/{subtask}",
        ability="complex reasoning",
        pool=(*demonstrations, *pool),
        test=test,
        format=answer_format(),
        chance=math.fsum(1 / len(item.choices) if item.choices else 0.0 for item in test) / len(test),
        source="; ".join([f"{where}: {len(items)} items", f"{origin}: demonstrations ({len(demonstrations)})", *notes]),
        instruction=instruction,
        answer_tokens=_ANSWER_TOKENS.get(subtask, 24),
        rationale_tokens=512,
        solver=_SOLVERS.get(group_of(subtask)),
    )


def _divide(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Labelled examples and test items, both in file order."""
    by_hash = sorted(items, key=lambda item: content_hash(list(question_key(item))))
    chosen = {item.id for item in by_hash[: int(POOL_SHARE * len(items))]}
    return tuple(item for item in items if item.id in chosen), tuple(item for item in items if item.id not in chosen)


# ------------------------------------------------------------------------------------------------------------- items


def _example(subtask: str, where: str, number: int, row: Any) -> Item:
    question, target = (row.get("input"), row.get("target")) if isinstance(row, Mapping) else (None, None)
    if not (isinstance(question, str) and question.strip() and isinstance(target, str) and target.strip()):
        raise DataError(f"task 'bbh/{subtask}': {where}, example {number}: expected texts 'input' and 'target'")
    for part, text in (("input", question), ("target", target)):
        if what := unpaired(text):
            raise DataError(f"task 'bbh/{subtask}': {where}, example {number}: {part} {what}")
    return _item(subtask, question, target)


def _item(subtask: str, question: str, answer: str, rationale: str | None = None) -> Item:
    question, answer = question.strip(), answer.strip()
    if subtask == "web_of_lies":
        question = question.removeprefix("Question: ")
    shorter, choices = _options(subtask, question)
    if choices is None or answer not in choices:
        shorter, choices = question, None
    return Item(shorter, answer, rationale=rationale, choices=choices, meta={"subtask": subtask})


def _options(subtask: str, question: str) -> tuple[str, tuple[str, ...] | None]:
    """The question as the prompt format needs it, and the allowed answers."""
    found = _OPTIONS.search(question)
    if found is None:
        return question, _UNSTATED_OPTIONS.get(subtask)
    block = found["block"]
    bullets = re.findall(r"^- (.+?)\s*$", block, re.MULTILINE)
    if bullets:
        return question[: found.start()], tuple(bullets)
    letters = re.findall(r"^(\([A-Z]\)) ", block, re.MULTILINE)
    return f"{question[: found.start()]}\n{block}", tuple(letters) or None


def _demonstrations(subtask: str, origin: str, text: str) -> tuple[str, tuple[Item, ...]]:
    """The instruction and the demonstrations in the text of a prompt file."""
    _, line, after = text.partition("\n-----\n")
    instruction, *parts = re.split(r"\n\s*\n(?=Q:)", (after if line else text).strip())
    matches = [_DEMONSTRATION.match(part) for part in parts]
    if not matches or not all(matches):
        broken = next((number for number, match in enumerate(matches, 1) if match is None), 1)
        raise DataError(
            f"task 'bbh/{subtask}': {origin}, demonstration {broken}: expected 'Q: ...', 'A: ...' and "
            "'So the answer is ...', as in the source's cot-prompts (give 'path:' with a copy of it)"
        )
    items = (
        _item(subtask, match["question"], match["answer"], re.sub(r"\n\s*\n", "\n", match["rationale"]))
        for match in matches
        if match
    )
    return instruction.strip(), tuple(items)


# ----------------------------------------------------------------------------------------------------------- sources


def _rows_in_folder(subtask: str, folder: Path) -> tuple[str, list[Any]]:
    file = _file(subtask, folder, ("tasks", "bbh"), f"{subtask}.json")
    try:
        data = loads(_text(subtask, file))
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if error.doc else ""
        raise DataError(f"task 'bbh/{subtask}': {file}{line}: not JSON ({error.msg})") from None
    rows = data.get("examples") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise DataError(f"task 'bbh/{subtask}': {file}: expected an object with a list 'examples'")
    return str(file), rows


def _prompts_in_folder(subtask: str, folder: Path) -> tuple[str, str]:
    file = _file(subtask, folder, ("cot_prompts", "cot-prompts"), f"{subtask}.txt")
    return str(file), _text(subtask, file)


def _file(subtask: str, folder: Path, places: tuple[str, str], name: str) -> Path:
    for place in places:
        if (folder / place / name).is_file():
            return folder / place / name
    raise DataError(f"task 'bbh/{subtask}': no file '{folder / places[0] / name}', nor one in '{places[1]}'")


def _text(subtask: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"task 'bbh/{subtask}': cannot read '{file}': {reason}") from None


def _rows_on_hub(subtask: str) -> tuple[str, list[Any]]:
    return f"{HUB[0]} ({subtask})", _from_hub(subtask, HUB, subtask, "test")


def _prompts_on_hub(subtask: str) -> tuple[str, str]:
    rows = _from_hub(subtask, HUB_PROMPTS, "few_shot_prompts", "few_shot_prompts")
    texts = [row.get("chain_of_thought_prompt") for row in rows if row.get("dataset_name") == subtask]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise DataError(
            f"task 'bbh/{subtask}': {HUB_PROMPTS[0]}: expected one chain_of_thought_prompt, found {len(texts)}; "
            "give 'path:' with a copy of the source repository"
        )
    return f"{HUB_PROMPTS[0]} ({subtask})", texts[0]


def _from_hub(subtask: str, source: tuple[str, str], configuration: str, split: str) -> list[Any]:
    try:
        import datasets

        return list(datasets.load_dataset(source[0], configuration, split=split, revision=source[1]))
    except ImportError:
        reason = "reading from the hub needs the package 'datasets' (extra 'local')"
    except Exception as error:  # whatever the hub's client raises without a network: there is no common base class
        reason = f"cannot load {source[0]} ({configuration}) from the hub ({type(error).__name__})"
    raise DataError(
        f"task 'bbh/{subtask}': {reason}; or give 'path:' with a folder that holds tasks/*.json and cot_prompts/*.txt"
    )
