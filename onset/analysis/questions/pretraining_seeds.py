"""Is an ability a matter of size, or of the seed that a model was pretrained with?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.emergence.seeds import MIN_SEEDS, VERDICTS, SeedCurve, SeedSize
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.pretraining_seeds import PretrainingSeeds
from onset.analysis.finding import Finding
from onset.analysis.phrases import phrase
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, first_of_tasks, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say
from onset.analysis.stats.shares import newcombe

_SAID = {
    "emergent in distribution": "emergent in distribution: what grows with size is the share of seeds that have the"
    " ability, and not how good those are that have it",
    "rises": "the share of seeds that have the ability rises with size",
    "falls": "the share of seeds that have the ability falls with size",
    "two clusters": "seeds of one size have the ability or lack it, and no trend over size is shown",
    "open": "neither a trend over size nor two clusters of seeds are shown",
}


class Lottery(Question):
    """Per task: P(has) over size, of the method that says most; what is decided first, then the larger budget."""

    kind = "pretraining seeds"
    figure = "seeds"
    unit = "points"
    verdicts = tones(
        {
            "emergent in distribution": "for",
            "rises": "for",
            "falls": "against",
            "two clusters": "level",
            "open": "open",
            "refused": "warning",
        }
    )
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        def rank(one: PretrainingSeeds) -> tuple[bool, int, int, float]:
            found = one.found
            if found is None:
                return False, one.labels, 0, 0.0
            order = len(VERDICTS) - VERDICTS.index(found.verdict)
            return True, order, one.labels, abs(found.sizes[-1].share - found.sizes[0].share)

        for one in first_of_tasks((one for one in study.sizes.pretraining_seeds if one.at.clean), rank):
            yield _refused(self, study, one) if one.found is None else self._finding(study, one, one.found)

    def _finding(self, study: Analysis, one: PretrainingSeeds, found: SeedCurve) -> Finding:
        first, last = found.sizes[0], found.sizes[-1]
        alone = len(found.sizes) == 1
        return self.finding(
            f"{one.task}, {one.method}, {one.family}", found.verdict, partial(_sentence, study, one, found),
            lines.line(
                f"pretraining seeds.{'one size' if alone else found.verdict}", study.named(one.task),
                method=lines.method(one.method), small=lines.size(first.size), large=lines.size(last.size),
                low=_of(first), high=_of(last),
            ),
            estimate=last.share if alone else last.share - first.share,
            interval=last.interval if alone else newcombe((last.has, last.of), (first.has, first.of)),
            n=sum(size.of for size in found.sizes),
            test="exact trend of the share of seeds (Cochran, Armitage); clusters: dip test",
        )  # fmt: skip


def _refused(question: Question, study: Analysis, one: PretrainingSeeds) -> Finding:
    return question.finding(
        f"{one.task}, {one.method}, {one.family}", "refused", partial(_why, one),
        lines.line("pretraining seeds.refused", study.named(one.task), method=lines.method(one.method)), n=one.items,
    )  # fmt: skip


def _of(size: SeedSize) -> lines.Word:
    return lambda language: phrase("word.of seeds", language, has=str(size.has), of=str(size.of))


def _why(one: PretrainingSeeds, say: Say) -> str:
    head = say(
        "Seeds of pretraining on {task} ({method}, {family}): nothing is said, two models of one size have the same"
        " seed"
        " or one has none",
        task=say.named_task(one.task), method=say.named(one.method), family=say("family {family}", family=one.family),
    )  # fmt: skip
    return say.stopped(head if say.language != "en" else f"{head}: {one.problem}")


def _sentence(study: Analysis, one: PretrainingSeeds, found: SeedCurve, say: Say) -> str:
    head = say(
        "Seeds of pretraining on {task} ({method}, {given}, {family}): {said}",
        task=say.named_task(one.task), method=say.named(one.method),
        given=given_words(study, one.labels, (one.method,), one.task, say),
        family=say("family {family}", family=one.family), said=say(_SAID[found.verdict]),
    )  # fmt: skip
    shares = say(
        "shown to be above {above}, and so to have it, are {shares}",
        above=words.percent(found.above), shares=say.clauses(_share(size, say) for size in found.sizes),
    )  # fmt: skip
    more = say.clauses([*_tests(found, say), *_levels(found, say)])
    return say.text([say.clauses([head]), shares, more, *_cautions(one, found, say)])


def _share(size: SeedSize, say: Say) -> str:
    return say(
        "{has} of {of} at {size} ({range})", has=size.has, of=size.of, size=say.size(size.size),
        range=say.share_range(size.interval),
    )  # fmt: skip


def _tests(found: SeedCurve, say: Say) -> list[str]:
    said = []
    if found.q_trend is not None:
        said.append(say("trend of the share over size, exact test: q = {p}", p=say.probability(found.q_trend)))
    if found.q_clusters is not None:
        said.append(
            say(
                "two clusters of seeds rather than one at {sizes}, dip test: q = {p}",
                sizes=say.listed([say.size(size.size) for size in found.mixed]), p=say.probability(found.q_clusters),
            )
        )  # fmt: skip
    elif max(size.of for size in found.sizes) < MIN_SEEDS:
        said.append(
            say(
                "whether seeds fall into clusters is not asked, which takes {least} seeds of a size (at most {most}"
                " here)",
                least=MIN_SEEDS, most=max(size.of for size in found.sizes),
            )
        )  # fmt: skip
    else:
        said.append(say("whether seeds fall into clusters is not asked: at no size are two or more on either side"))
    return said


def _levels(found: SeedCurve, say: Say) -> list[str]:
    said = []
    if found.due_to_share is not None:
        said.append(
            say(
                "the mean over seeds rises by {points}, of which {share} is due to the share that has it",
                points=say.points(found.rise),
                share=words.percent(found.due_to_share) if found.due_to_share <= 1 else say("more than all"),
            )
        )  # fmt: skip
    levels = [(size.size, level) for size in found.sizes if (level := size.level(has=True)) is not None]
    if len(levels) > 1:
        said.append(
            say(
                "those that have it are right in {first} at {small} and in {last} at {large}",
                first=words.percent(levels[0][1]), small=say.size(levels[0][0]), last=words.percent(levels[-1][1]),
                large=say.size(levels[-1][0]),
            )
        )  # fmt: skip
    widest = max(found.sizes, key=lambda size: size.spread or 0.0)
    if widest.spread is not None:
        said.append(
            say(
                "accuracies of seeds of one size differ most at {size} (standard deviation {points})",
                size=say.size(widest.size), points=say.points(widest.spread),
            )
        )  # fmt: skip
    return said


def _cautions(one: PretrainingSeeds, found: SeedCurve, say: Say) -> list[str]:
    unknown = sum(size.open for size in found.sizes)
    said = []
    if unknown:
        said.append(
            say(
                "of {count} of {all} seeds the items do not tell whether they have it: they count as not having it",
                count=unknown, all=sum(size.of for size in found.sizes),
            )
        )  # fmt: skip
    single = [say.size(size.size) for size in found.sizes if size.of == 1]
    if single:
        said.append(say("there is one seed alone at {sizes}", sizes=say.listed(single)))
    return said
