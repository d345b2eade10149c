"""Verifiers of a study: made beside the generator whose samples they rank, and kept like tuned models.

The generator of a cell solves the granted problems anew, its solutions are labelled by the task's own reading of their
answers, and the verifier learns from them (`onset.tuning.verifier`). No example is used but those that the generator
was tuned on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from onset.errors import DataError
from onset.models.base import Model
from onset.models.chat import ChatTemplate, chosen_template
from onset.plan import ExamplePlan, Use, use_of
from onset.prompting.ask import bare
from onset.records import Sampling, derive_seed
from onset.results.folder import Store
from onset.study.cell import Cell
from onset.study.making import kept, prepared
from onset.study.memory import Peak
from onset.study.observer import Observer
from onset.tasks.base import Task
from onset.tuning.base import Example, Seeds, TuningReport
from onset.tuning.materials.base import Given, labelled
from onset.tuning.materials.demonstrations import Sampled, sample
from onset.tuning.materials.kept import Kept
from onset.votes.verifier import Verifier as Ranking

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint
    from onset.tuning.verifier import Solution, Verifier, VerifierReport


@dataclass(frozen=True)
class Verified:
    """A cell's ``verifier``; what tuning and the verifier took together (``report``); the examples that it used; and
    what ``cell.json`` says of it.
    """

    verifier: Verifier
    report: TuningReport
    ledger: tuple[Use, ...]
    facts: Mapping[str, Any]


def hf_model(model: Model) -> HFModel:
    """``model``, which is tuned or can be. No other says so."""
    from onset.models.hf import HFModel

    assert isinstance(model, HFModel)
    return model


def verify(
    cell: Cell,
    task: Task,
    plan: ExamplePlan,
    models: tuple[HFModel, HFModel],
    report: TuningReport,
    store: Store,
    watch: Observer,
) -> Verified:
    """The verifier of ``cell``, made or read back. ``models``: the base and the generator tuned from it, as ``report``
    says. Raises DataError where no granted example has a rationale; ModelError, Diverged and StoreError as
    `onset.study.making.tune` does.
    """
    from onset.tuning import verifier
    from onset.tuning.verifier import VerifierReport

    method, (base, generator) = cell.used, models
    tuner, vote = method.tune, method.vote
    assert tuner is not None
    assert isinstance(vote, Ranking)
    problems = tuple(one for one in plan.take(cell.labels) if one.rationale)
    if not problems:
        raise DataError(f"task {task.name}: none of the first {cell.labels} examples has a rationale to verify by")
    chat = chosen_template(base, method.template)
    held = store.tuned(cell.verifier or "")
    where = f"{method.name} · {cell.task} · {cell.labels} labels · seed {cell.seed}"

    def train(checkpoint: Checkpoint, _: Peak) -> tuple[Verifier, VerifierReport]:
        watch.doing(f"{cell.model} · asking the generator for solutions · {where}")
        how = Sampling(vote.solutions, vote.temperature, vote.top_p, vote.top_k)
        samples = Kept(held.samples, checkpoint.identity, watch.note, held.check_writer)
        given = Given(generator, bare(task), problems, chat, cell.seed, samples)
        found, tokens = sample(given, "'vote: verifier'", (), problems, "rationales", how)
        checkpoint.before = samples.seconds
        rights = [[_right(method.prompt, one, done, task) for done in one.done] for one in found]
        held.note_material([_row(one, right) for one, right in zip(found, rights, strict=True)])
        solutions = _solutions(found, rights, chat)
        watch.doing(f"{cell.model} · tuning the verifier of {where}")
        worked = tuple(labelled(given, (), one, "rationales") for one in problems) if vote.joint else ()
        schedule = replace(method.schedule(), learning_rate=vote.rate or method.learning_rate).at(tuner.learning_rate)
        made, own = verifier.train(
            base,
            tuner.further(base, store.tuned(cell.tuned or "").local()),
            verifier.Lessons(solutions, worked, vote.epochs),
            Seeds(*(derive_seed("verifier", what, cell.seed) for what in ("init", "order", "sampling"))),
            schedule,
            tuner.flops,
            partial(watch.verifying, cell),
            checkpoint,
        )
        return made, prepared(own, base, tokens)

    made, own = kept(
        held,
        chat,
        train,
        generator,
        watch,
        lambda one, folder: verifier.save(one, tuner, folder),
        partial(verifier.load, base, tuner),
        VerifierReport,
    )
    if own.right in (0, own.solutions):
        watch.note(f"{cell.model} · {where}: {one_kind(own.solutions, own.right, len(problems))}")
    counts = {"problems": len(problems), "solutions": own.solutions, "right": own.right, "left_out": own.left_out}
    said = {"id": cell.verifier, "revision": made.revision, **own.to_json(), **counts}
    uses = (use_of("verifier", problems, rationales=True),)
    return Verified(made, _together(report, own), uses, {"verifier": said})


def one_kind(solutions: int, right: int, problems: int) -> str:
    """What a person should know of a verifier whose solutions are all ``right``, or none of them."""
    which = "right" if right else "wrong"
    return (
        f"all {solutions} solutions of {problems} problems are {which}: the verifier had nothing to tell apart, its"
        " scores rank by chance"
    )


def _right(prompt: Any, one: Sampled, done: Any, task: Task) -> bool:
    right: bool = task.format.score(prompt.read(done, one.item, task), one.item).correct
    return right


def _solutions(found: Sequence[Sampled], rights: Sequence[Sequence[bool]], chat: ChatTemplate | None) -> list[Solution]:
    """Every sample with its label; equal ones count as often as they were drawn."""
    from onset.tuning.verifier import Solution

    end = None if chat is None else chat.end
    return [
        Solution(Example(one.prompt, done.text, templated=chat is not None, end=end), right)
        for one, own in zip(found, rights, strict=True)
        for done, right in zip(one.done, own, strict=True)
    ]


def _row(one: Sampled, rights: Sequence[bool]) -> dict[str, Any]:
    """A problem with its different solutions, to be read by people."""
    counts = Counter((done.text, right) for done, right in zip(one.done, rights, strict=True))
    return {
        "question": one.item.question,
        "prompt": one.prompt,
        "gold": one.item.answer,
        "samples": len(one.done),
        "right": sum(rights),
        "solutions": [{"text": text, "right": right, "count": count} for (text, right), count in counts.items()],
    }


def _together(generator: TuningReport, own: TuningReport) -> TuningReport:
    """What generator and verifier took; losses and the limit of memory are the generator's."""
    sums = ("steps", "tokens", "flops", "trained_params", "prepared_tokens", "prepared_flops")
    held = {one.name: getattr(generator, one.name) for one in fields(generator)}
    return TuningReport(**{**held, **{name: held[name] + getattr(own, name) for name in sums}})
