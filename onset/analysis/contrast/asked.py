"""Which contrasts a study asks: between its methods, between stages of training, of what a shift takes, and between
neighbouring sizes.

Methods: every pair on the same model, at equal labels. Side plus is the more elaborate method (tuned after prompted,
voted after single, then in order of appearance).

Stages: a stage is a step of training, or an ingredient left out of it ("base" against "without chain of thought"); a
stage of several steps names them in order ("scarce chain of thought, without code"). Two models are held against each
other when they are of one family, differ in size by at most `SAME_SIZE` and one has the stage of the other less its
last step, or "base" where no model has that (`made_of`: where several have it, the one of the same label); then with
every method both were asked with, at equal labels, task and shift. One training run stands on either
side: noise between runs of the same recipe is not in the intervals.

Shifts: accuracy on the clean test set minus accuracy on the shifted one. A shift that rewrites items is paired, every
shifted item with its clean twin. A shift that is another test set has no twins: the items of the two sets are resampled
apart and only the draws together. Two methods that saw the same items are paired on them in either case, so that the
difference of their losses is sharper than either loss.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations, groupby, pairwise
from typing import TypeVar

from onset.analysis.contrast.contrast import Contrast, decide, interaction, measure, share_noise
from onset.analysis.contrast.parts import Kind
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import BASE, Placed, label_of
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Link

_Of = TypeVar("_Of", bound=Placed)
SAME_SIZE = 0.02
"""Sizes count as equal when they differ by at most this share of the reference's."""


def kinds(a: Outcomes, b: Outcomes) -> str:
    """What a comparison of ``a`` and ``b`` is, as far as noise between draws is concerned.

    A prompt shows the examples and a tuned model has learnt from them: in the recorded studies (docs/results) the
    standard deviation between draws is 13 points for tuned against prompted and 6 for tuned against tuned.
    """
    return said_kind(a.tuned + b.tuned)


def said_kind(tuned: int) -> str:
    """The kind of a comparison with ``tuned`` sides (0, 1 or 2) that are tuned, in words."""
    return ("prompted against prompted", "tuned against prompted", "tuned against tuned")[tuned]


def link(a: Outcomes, b: Outcomes) -> Link:
    """What is compared, as far as noise between draws is concerned (`place`)."""
    return place(a), place(b)


def place(arm: Outcomes) -> Hashable:
    """Where an arm stands, without its shift: a shift asks the same tuned model, or shows the same examples. Where none
    is shown, without the budget too: it is one and the same arm.
    """
    return arm.at.without("shift", *(("labels",) if arm.shows_none else ()))


def decided(
    members: Sequence[Contrast], together: Sequence[Hashable], family: Callable[[Contrast], str]
) -> tuple[Contrast, ...]:
    """Decide every run of ``members`` that is asked ``together``; ``family``: what a run shares, in words."""
    out: list[Contrast] = []
    for _, rows in groupby(zip(members, together, strict=True), key=lambda row: row[1]):
        held = [member for member, _ in rows]
        out += decide(held, family(held[0]))
    return tuple(out)


# ---- methods -------------------------------------------------------------------------------------------------------


def compare_all(
    arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES, kind: Kind = "binary"
) -> tuple[Contrast, ...]:
    """Every pair of methods at equal labels, decided with all others on its task, shift, model and stage; ``kind``: of
    the outcomes.
    """
    groups: dict[Hashable, list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.shift, arm.model, arm.stage), []).append(arm)
    pairs = [(key, a, b) for key, group in groups.items() for a, b in _methods(group)]
    members = share_noise(
        [measure(a, b, "method", margin=margin, replicates=replicates, kind=kind) for _, a, b in pairs],
        [kinds(a, b) for _, a, b in pairs],
        [link(a, b) for _, a, b in pairs],
    )
    return decided(
        members,
        [key for key, *_ in pairs],
        lambda one: f"{one.task}, shift {one.shift}, {one.model}, stage {one.stage}",
    )


def _methods(arms: Sequence[Outcomes]) -> Iterator[tuple[Outcomes, Outcomes]]:
    """Every (more elaborate, simpler) pair of methods at equal labels."""
    ranked = sorted(arms, key=lambda arm: (arm.labels, arm.tuned, arm.asked.vote is not None))
    for _, same in groupby(ranked, key=lambda arm: arm.labels):
        for b, a in combinations(list(same), 2):
            yield a, b


# ---- stages --------------------------------------------------------------------------------------------------------


def stage_comparisons(
    arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[Contrast, ...]:
    """Every stage against the reference of its family and size, decided with all others on its task, shift and model
    family; none without a reference.
    """
    groups: dict[Hashable, list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.shift, arm.family), []).append(arm)
    pairs = [(key, a, b) for key, group in groups.items() for a, b in _stages(group)]
    members = share_noise(
        [measure(a, b, "stage", margin=margin, replicates=replicates) for _, a, b in pairs],
        # one method on two models: the same examples in the same words on both sides
        [f"stages, {'tuned' if a.tuned else 'prompted'}" for _, a, _ in pairs],
        [link(a, b) for _, a, b in pairs],
    )
    return decided(
        members, [key for key, *_ in pairs], lambda one: f"stages of {one.family} on {one.task}, shift {one.shift}"
    )


def _stages(group: Sequence[Outcomes]) -> list[tuple[Outcomes, Outcomes]]:
    """(stage, reference) of equal size, method and labels, ascending in size."""
    pairs = []
    for arm in (one for one in group if one.stage != BASE):
        found = (_like(group, arm, stage) for stage in (arm.stage.rpartition(", ")[0], BASE))
        reference = next((one for one in found if one is not None), None)
        if reference is not None:
            pairs.append((arm, reference))
    return sorted(pairs, key=lambda pair: pair[1].params)


def _like(group: Sequence[Outcomes], arm: Outcomes, stage: str) -> Outcomes | None:
    """The arm of that stage that is asked in the same way and of the same size."""
    asked = (arm.method, arm.labels, stage)
    return made_of(arm, [other for other in group if (other.method, other.labels, other.stage) == asked])


def made_of(one: _Of, others: Sequence[_Of]) -> _Of | None:
    """The first of ``others``, of one stage, that has the size of ``one``: of its label where one has; where a study
    made ``one`` and calls it by its label and stage, of no other label.
    """
    level = [other for other in others if same_size(one, other)]
    own = [other for other in level if label_of(other.model, other.stage) == label_of(one.model, one.stage)]
    named = label_of(one.model, one.stage) != one.model
    return next(iter(own or ([] if named else level)), None)


def same_size(one: Placed, other: Placed) -> bool:
    """Are both sizes known, and differ by at most `SAME_SIZE`?"""
    return bool(one.params and other.params) and abs(one.params - other.params) <= SAME_SIZE * other.params


# ---- shifts --------------------------------------------------------------------------------------------------------


def losses(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[Contrast, ...]:
    """What every arm with a shift loses whose clean counterpart is in the results, decided with all others on its task,
    shift, model and stage.
    """
    held = [(where, arm, one) for where, group in _shifted(arms, replicates) for arm, one in group]
    members = share_noise(
        [one for *_, one in held],
        [_loss_design(f"loss of a {'tuned' if arm.tuned else 'prompted'} method", one) for _, arm, one in held],
        # a method's losses under several shifts have their clean side in common: they count once
        [(place(arm), "its loss") for _, arm, _ in held],
    )
    return decided(members, [where for where, *_ in held], _loss_family)


def loss_differences(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[Contrast, ...]:
    """Every pair of methods at equal labels: how much more one loses under a shift than the other."""
    held = []
    for where, group in _shifted(arms, replicates):
        of = {id(arm): one for arm, one in group}
        # by labels, then pairs: with the more elaborate method first, as in `compare_all`
        for a, b in _methods([arm for arm, _ in group]):
            one = interaction(of[id(a)], of[id(b)], replicates=replicates)
            if one.difference is not None:
                held.append((where, kinds(a, b), link(a, b), one))
    members = share_noise(
        [one for *_, one in held],
        [_loss_design(f"losses, {kind}", one) for _, kind, _, one in held],
        [compared for *_, compared, _ in held],
    )
    return decided(members, [where for where, *_ in held], _loss_family)


def _shifted(arms: Sequence[Outcomes], replicates: int) -> Iterator[tuple[int, list[tuple[Outcomes, Contrast]]]]:
    """By task, shift, model and stage: each shifted arm and what it loses, where that was measured."""
    clean: Mapping[Hashable, Outcomes] = {arm.at: arm for arm in arms if arm.at.clean}
    groups: dict[Hashable, list[tuple[Outcomes, Contrast]]] = {}
    for arm in arms:
        partner = None if arm.at.clean else clean.get(arm.at.without("shift"))
        if partner is not None:
            one = measure(partner, arm, "shift", replicates=replicates)
            if one.difference is not None:
                groups.setdefault(arm.at.without("method", "labels"), []).append((arm, one))
    yield from enumerate(groups.values())


def _loss_design(what: str, one: Contrast) -> str:
    return f"{what}, {'paired items' if one.sample.table.paired else 'two test sets'}"


def _loss_family(one: Contrast) -> str:
    return f"losses on {one.task}, shift {one.shift}, {one.model}, stage {one.stage}"


# ---- sizes ---------------------------------------------------------------------------------------------------------


def size_steps(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[Contrast, ...]:
    """The larger against the smaller model, for all pairs of models of two neighbouring sizes that share items.

    ``arms``: of one way of asking. Not yet tested.
    """
    sizes = sorted({arm.params for arm in arms})
    steps = [
        measure(high, low, "size", replicates=replicates)
        for small, large in pairwise(sizes)
        for low in arms
        for high in arms
        if (low.params, high.params) == (small, large)
    ]
    return tuple(one for one in steps if one.difference is not None)
