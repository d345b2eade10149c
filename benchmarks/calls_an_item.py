"""Methods of one call and of two calls an item: the same tokens a second?

    python benchmarks/calls_an_item.py MODEL --task FOLDER [--items 64] [--tokens 64] [--rounds 5]

FOLDER holds GSM8K (train.jsonl, test.jsonl); MODEL is opened as in a study. One call writes ``tokens`` tokens after
four demonstrations; two calls write half of them, then the other half after the same prompt and what was written. Both
go through `onset.pipeline.Evaluation`, in turn, after a round that is not counted. Printed, medians over the rounds,
and their ratios with the range over rounds: tokens written a second, and tokens run a second, which are those of every
prompt after what all prompts have in common (the demonstrations, run once) and those written. Two calls write as much
and run more: the question a second time, and the first half of the text.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import takewhile
from typing import Any, ClassVar

from onset.demos.fit import Shown
from onset.methods import method
from onset.models import open_model
from onset.pipeline import Evaluation
from onset.plan import make_plan
from onset.prompting.ask import ANSWER, Ask
from onset.prompting.base import Prompt
from onset.records import Answer, Attempt, Item
from onset.tasks import open_tasks

SHOTS = 4


class InParts(Prompt):
    """Writes ``tokens`` tokens in ``parts`` calls, each going on where the last one stopped. Nothing ends it sooner."""

    kind: ClassVar[str] = "in-parts"
    parts: int = 1
    tokens: int = 64

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        prompt, text, done = ask.prompt(item, rationale=True), "", ()
        for _ in range(self.parts):
            done = await ask.generate(prompt + text, ANSWER, max_tokens=self.tokens // self.parts, stop=())
            text += done[0].text
        return Attempt(prompt, done, (Answer(None, "none"),), Answer(None, "none"))


def speed(evaluation: Evaluation, items: tuple[Item, ...], common: int) -> tuple[float, float]:
    """Tokens written and tokens run a second; ``common``: tokens that all prompts begin with."""
    started = time.perf_counter()
    records = evaluation.evaluate(items, 0)
    took = time.perf_counter() - started
    calls = [call for one in records for call in one.calls]
    written = sum(call.output_tokens or 0 for call in calls)
    return written / took, (written + sum((call.prompt_tokens or 0) - common for call in calls)) / took


def common_tokens(model: Any, evaluation: Evaluation, items: tuple[Item, ...]) -> int:
    """How many tokens the prompts of all ``items`` begin with."""
    prompts = [model.tokenizer(one.prompt)["input_ids"] for one in evaluation.evaluate(items, 0)]
    return sum(1 for _ in takewhile(lambda place: len(set(place)) == 1, zip(*prompts, strict=False)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--task", required=True)
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    (task,) = open_tasks({"name": "gsm8k", "path": told.task})
    model: Any = open_model(told.model)
    shown = Shown(make_plan(task, 0).take(SHOTS))
    ways = {
        parts: Evaluation(
            model, task, method(prompt=InParts(parts=parts, tokens=told.tokens)), shown, seed=0, continuous=False
        )
        for parts in (1, 2)
    }
    items = task.test[: told.items]
    with model.keeping():  # as in a run
        common = common_tokens(model, ways[1], items)
        rounds = [{parts: speed(way, items, common) for parts, way in ways.items()} for _ in range(told.rounds + 1)][1:]
    print(f"{common} tokens in common")
    for place, what in enumerate(("written", "run")):
        for parts in ways:
            middle = statistics.median(one[parts][place] for one in rounds)
            print(f"{parts} call(s) an item: {middle:.1f} tokens {what} a second")
        ratios = sorted(one[2][place] / one[1][place] for one in rounds)
        span = f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
        print(f"two calls against one, tokens {what}: {statistics.median(ratios):.3f} {span}")


if __name__ == "__main__":
    main()
