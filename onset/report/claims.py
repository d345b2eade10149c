"""The claims as a page: ``python -m onset.report.claims > docs/claims.md``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.published.claims import claims, claims_json
from onset.report.lists import cited

_HEAD = """# The essay's claims, checked against published figures

What `onset claims` prints, as a page (`python -m onset.report.claims` writes it). The claims are those of Yao Fu, "A
Closer Look at Large Language Models' Emergent Abilities" (November 2022), in our words. Each verdict is computed from
the figures listed under it, which come with the package (`onset/published/figures.csv`).

- A claim has parts: families, tasks, pairs. `supported` and `contradicted` are said only when the undecided parts could
  not change it: a claim without "as a rule" needs all of its parts, one with it three quarters. Otherwise it is `not
  decidable from the figures held`, also where a row is missing.
- A difference decides by its 95 % interval (Newcombe's, from two binomial counts; `items.csv` cites the numbers of
  items). Papers do not print outcomes item by item, so the interval is not paired, and it holds neither for another
  training run nor another prompt. It is not adjusted for the number of parts. Where no number of items is stated there
  is no interval, and values at least one point apart decide.
- Where sources print different figures for one cell all of them are listed, and the part is decided only if it comes
  out the same under each; the gap shown is the one nearest to zero.
- `digitised figure`: read off a plot, to about 0.3 points. `secondary`: as another text quotes it. Some tables were
  read in machine-converted text; the TriviaQA figure of GENREAD, zero-shot (59.4), may be 59.0 in the paper.
- Sizes are those the sources print, except GLUE-X, BART, RoBERTa, GPT-2 and the small GPT-3 models, filled in
  from what is generally known; the GPT models of Wei et al. are InstructGPT, and those of undisclosed size have none.
"""


def page() -> str:
    """The page as Markdown, from the figures that come with the package."""
    numbers = {one.id: one.number for one in claims()}
    shown = claims_json()
    rows = [f"| {numbers[one['id']]} | [{one['id']}](#{one['id']}) | {one['verdict']} |" for one in shown]
    index = "\n".join(["| | claim | verdict |", "|---|---|---|", *rows])
    return "\n".join([_HEAD, index, *(_section(one) for one in shown)]) + "\n"


def _section(claim: Mapping[str, Any]) -> str:
    statistic = claim["statistic"]
    lines = [f"\n## {claim['id']}\n", f"{claim['statement']}\n", f"**{claim['verdict']}.** {claim['sentence']}\n"]
    lines += [f"Computed: {statistic['name']}.\n"]
    return "\n".join([*lines, *_cited(claim["figures"])])


def _cited(figures: Iterable[Mapping[str, Any]]) -> list[str]:
    tables: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in figures:
        table = tables[one["paper"], one["table"], one["metric"], one["provenance"]]
        what = ", ".join(text for text in (one["model"], one["method"], one["setting"]) if text)
        table[one["dataset"]].append(f"{what}: {one['value']:g}")
    return [
        f"- {cited(paper, table)}: {metric} ({provenance})\n{_by_dataset(sets)}"
        for (paper, table, metric, provenance), sets in tables.items()
    ]


def _by_dataset(sets: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"  - {dataset}: {'; '.join(values)}" for dataset, values in sets.items())


if __name__ == "__main__":
    print(page(), end="")
