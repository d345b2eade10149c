"""Capitals asked from memory, with a passage that is right, and with one that says another country's.

    python docs/results/webquestions/capitals.py

Reads ``corpus.jsonl`` (made by corpus.py beside this file) and writes beside it, none of it kept in the repository, for
`TEST` of the countries whose passage names a capital:

    capitals-{closed,right,wrong}.jsonl   questions to test on
    capitals-{closed,right}-pool.jsonl    those of `POOL` other countries, to learn from: their passages are right

A wrong passage has another capital of these countries wherever the right one stood (an entity of the same type in place
of the answer: Longpre et al. 2021, arXiv 2109.05052, section 3); its answer is what it says, and ``memory`` is the
capital that it had. Left out are countries whose capital has a word of their name in it (Singapore, Guatemala City):
there the question says the answer. ``people`` says whether the country has more people than half of all.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
POOL, TEST = 40, 100
"""Countries to learn from, and to ask about."""
SEED = 0

_CAPITAL = re.compile(
    r"The capital of (?P<country>.+?) is (?P<capital>.+?)\."  # "St. John's" has a full stop too
    r"(?= (?:The |[A-Z][\w' -]* (?:people speak|borders|has a population)))"
)
_PEOPLE = re.compile(r"has a population of ([\d,]+)\.")

Row = dict[str, Any]


def words(text: str) -> set[str]:
    """The words of a text of four letters and more, in lower case."""
    return {one for one in re.findall(r"\w+", text.casefold()) if len(one) > 3}


def capitals(passages: list[Row]) -> list[Row]:
    """Country, capital, passage and people, where all are there and the question does not say the answer."""
    found = []
    for one in passages:
        told, people = _CAPITAL.search(one["text"]), _PEOPLE.search(one["text"])
        if told is None or people is None or told["country"] != one["title"]:
            continue
        if words(told["capital"]) & words(one["title"]):
            continue
        row = {"country": one["title"], "capital": told["capital"], "text": one["text"]}
        found.append(row | {"people": int(people[1].replace(",", ""))})
    return found


def closed(one: Row) -> Row:
    """The question alone."""
    return {"question": f"What is the capital of {one['country']}?", "answer": one["capital"], "people": one["share"]}


def right(one: Row) -> Row:
    """With its passage."""
    return closed(one) | {"context": f"{one['country']}: {one['text']}"}


def wrong(one: Row, other: str) -> Row:
    """With a passage that has ``other`` in place of the capital."""
    text = re.sub(rf"\b{re.escape(one['capital'])}(?!\w)", lambda _: other, one["text"])
    context = f"{one['country']}: {text}"
    return closed(one) | {"answer": other, "context": context, "memory": one["capital"]}


def write(name: str, rows: list[Row]) -> None:
    """Write ``rows`` as JSON lines, and say how many."""
    path = HERE / f"capitals-{name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{path.name}: {len(rows)} rows")


def main() -> None:
    """Write all five files."""
    lines = (HERE / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    known = capitals([json.loads(line) for line in lines])
    random.Random(SEED).shuffle(known)
    middle = median(one["people"] for one in known)
    for one in known:
        one["share"] = "many" if one["people"] > middle else "few"
    pool, test = known[:POOL], known[POOL : POOL + TEST]
    others = [one["capital"] for one in test]
    write("closed-pool", [closed(one) for one in pool])
    write("right-pool", [right(one) for one in pool])
    write("closed", [closed(one) for one in test])
    write("right", [right(one) for one in test])
    write("wrong", [wrong(one, other) for one, other in zip(test, others[1:] + others[:1], strict=True)])


if __name__ == "__main__":
    main()
