"""Demonstrations in a chat: a turn each, or all of them in one turn of text? The same items both ways.

    python benchmarks/chat_demonstrations.py gguf:FILE --task FOLDER [--items 100] [--shots 4] [--out FILE]

FOLDER holds GSM8K (train.jsonl, test.jsonl). Both prompts hold the same words but for the labels "Question:" and
"Answer:", which turns make needless. Printed: answers read and right, texts that do not begin with the answer (``with
steps``), tokens a text, and the exact McNemar test of each.
With --out every output stands beside what was read in it, as JSON lines.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

from onset.analysis.stats.shares import tango
from onset.models import open_model
from onset.models.chat import ChatTemplate
from onset.plan import make_plan
from onset.prompting.text import end_rule, most_tokens, render, turns
from onset.records import Item, Request
from onset.tasks import open_tasks
from onset.tasks.base import Task

WAYS = ("turns", "one turn")


def prompt(task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate, way: str, *, rationale: bool) -> str:
    """What the model is given, as text."""
    said = turns(task, demos, item, rationale=rationale)
    if way == "turns":
        return chat(said)
    opening = said[0][1].partition("\n\n")[0]
    return chat([("user", f"{opening}\n\n{render(task, demos, item, rationale=rationale)}")])


def measure(
    model: Any, task: Task, demos: Sequence[Item], items: Sequence[Item], *, rationale: bool
) -> list[dict[str, Any]]:
    """A row an item and way: the text, the answer read and whether it is right."""
    rows = []
    for way in WAYS:
        requests = [
            Request(
                prompt(task, demos, item, model.chat, way, rationale=rationale),
                max_tokens=most_tokens(task, rationale=rationale, chat=model.chat),
                stop=() if model.chat.end is None else (model.chat.end,),
                until=end_rule(task, item),
                templated=True,
            )
            for item in items
        ]
        for item, [done] in zip(items, model.generate(requests), strict=True):
            answer = task.format.extract(done.text, item, truncated=done.finish == "length")
            rows.append(
                {
                    "way": way, "rationale": rationale, "item": item.id, "gold": item.answer, "text": done.text,
                    "tokens": done.tokens, "finish": done.finish, "status": answer.status, "answer": answer.value,
                    "read": answer.value is not None, "steps": not done.text.lstrip().startswith(task.layout.marker),
                    "right": task.format.score(answer, item).correct,
                }
            )  # fmt: skip
    return rows


def report(rows: Sequence[dict[str, Any]]) -> None:
    """One line a way, then the paired difference of what was read and of what was right."""
    sides = [[row for row in rows if row["way"] == way] for way in WAYS]
    n = len(sides[0])
    for way, side in zip(WAYS, sides, strict=True):
        read, right, steps, tokens = (sum(row[name] for row in side) for name in ("read", "right", "steps", "tokens"))
        cut = sum(row["finish"] == "length" for row in side)
        print(
            f"  {way:9} read {read:4} right {right:4} with steps {steps:4} of {n}, {tokens / n:6.1f} tokens a text,"
            f" {cut} at the limit"
        )
    for name in ("read", "right", "steps"):
        pairs = [(bool(a[name]), bool(b[name])) for a, b in zip(*sides, strict=True)]
        plus, minus = pairs.count((True, False)), pairs.count((False, True))
        p = stats.binomtest(plus, plus + minus).pvalue if plus + minus else 1.0
        ends = tango(plus, minus, n)
        said = "" if ends is None else f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
        print(f"  {name}: {100 * (plus - minus) / n:+.1f} points{said}, {plus} : {minus} discordant, McNemar p {p:.3g}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--task", required=True)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    [task] = open_tasks({"name": "gsm8k", "path": given.task})
    model = open_model(given.model, device="cpu", dtype=given.dtype)
    demos = make_plan(task, 0).order[: given.shots]
    items = task.test[: given.items]
    made = []
    for rationale in (False, True):
        rows = measure(model, task, demos, items, rationale=rationale)
        print("chain of thought" if rationale else "answer only")
        report(rows)
        made += rows
    if given.out:
        given.out.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")


if __name__ == "__main__":
    main()
