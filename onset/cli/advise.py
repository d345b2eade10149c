"""The command ``advise``: what to use, for so many queries and labelled examples."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from onset.cli.common import Folder, InLanguage, Json, console, print_json, print_line

if TYPE_CHECKING:
    from onset.analysis.questions.advice_words import Told

Queries = Annotated[
    float | None, typer.Option(help="How many queries will be asked [default: cost is that of a query].")
]
Labels = Annotated[int | None, typer.Option(help="Labelled examples that you have [default: as many as were tried].")]
Under = Annotated[str, typer.Option("--under", metavar="SHIFT", help="The shift that your questions will have.")]
Task = Annotated[str | None, typer.Option(help="Only this task of the study.")]
RationalePrice = Annotated[
    float | None,
    typer.Option(help="What a rationale costs, in answers: then --labels is what annotation may cost, in answers."),
]


By = Annotated[
    Literal["flops", "money"],
    typer.Option("--by", help="What cost is counted in: operations, or money where the study gives prices."),
]


def advise(  # noqa: PLR0913 - one parameter an option
    folder: Folder,
    *,
    queries: Queries = None,
    labels: Labels = None,
    under: Under = "none",
    task: Task = None,
    rationale_price: RationalePrice = None,
    by: By = "flops",
    as_json: Json = False,
    language: InLanguage = "en",
) -> None:
    """One recommendation of a study: what to use, why, how sure that is, what would change it, and the next step."""
    from onset.analysis.estimates.advice import Wanted
    from onset.analysis.estimates.advice import advise as advices
    from onset.analysis.questions.advice_words import advice_words
    from onset.analysis.questions.say import Say
    from onset.analysis.study import analyse
    from onset.results.read import load

    wanted, say = Wanted(queries, labels, under, rationale_price, by), Say(language)
    study = analyse(load(folder, prompts=False))
    found = [(one, advice_words(one, say)) for one in advices(study, wanted, task)]
    if as_json:
        made = [one.json() | asdict(told) for one, told in found]
        print_json({"study": study.study.get("name"), "wanted": asdict(wanted), "advice": made})
        return
    for place, (_, told) in enumerate(found):
        if place:
            print_line()
        print_advice(told, say.language == "zh")


def print_advice(told: Told, chinese: bool) -> None:
    """The sentence, and under it why, what would change it, and the next step."""
    from rich.table import Table
    from rich.text import Text

    from onset.analysis.questions.say import Say

    say = Say("zh" if chinese else "en")
    out = console()
    out.print(Text(told.sentence, style="bold"))
    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    heads = ((say("Why"), told.reasons), (say("What would change it"), told.changes))
    for head, lines in heads:
        for place, line in enumerate(lines):
            drawn.add_row(Text("" if place else head, style="dim"), Text(line))
    if told.next_step is not None:
        drawn.add_row(Text(say("Next step"), style="dim"), Text(told.next_step))
    out.print(drawn)
