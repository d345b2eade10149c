"""What a study will be able to tell apart, before it runs: the smallest differences its comparisons find.

For every kind of comparison (tuned or prompted on either side) with its number of draws and items: the smallest true
difference that the test it will have finds with 80 % power, at the level of the first step of Holm's correction in the
largest family. Noise between draws is taken from the finished cells of the results folder, else from the recorded
studies (`RECORDED`). Where other draws x items of the same cost see a smaller difference, they are proposed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from onset.analysis.contrast.asked import compare_all, said_kind
from onset.analysis.outcomes import outcomes_of
from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.pooling import independent_links, most_prior_df
from onset.analysis.stats.power import DISCORDANCES, NOTHING, minimum_detectable_difference
from onset.results.files import Place, as_files
from onset.results.read import is_results, load
from onset.study.cell import Cell
from onset.study.grid import Grid

RECORDED: Mapping[str, tuple[float, str]] = {
    "tuned against prompted": (0.125, "SST-2 with Gemma 3 270M and SmolLM2 135M, 18 comparisons of 3 draws"),
    "tuned against tuned": (0.053, "SST-2 with SmolLM2 135M, LoRA against full tuning, 6 comparisons of 3 draws"),
    "prompted against prompted": (
        0.093,
        "one prompt's accuracy, SST-2 with Gemma 3 270M and SmolLM2 135M, 12 settings of 3 draws;"
        " no recorded study compares two prompts over draws",
    ),
}
"""Standard deviations between draws of a difference (shares), and where they were measured (docs/results): root mean
squares, noise of single outcomes taken out of the first two.
"""
LEAST_ITEMS = 20
MOST_DRAWS = 12


@dataclass(frozen=True, slots=True)
class Proposal:
    """Draws x items of at most the same cost that find a smaller ``difference`` (a share)."""

    draws: int
    items: int
    difference: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Between draws: ``sd``, the standard deviation of a difference (a share), and where it is known from."""

    sd: float
    source: str


@dataclass(frozen=True, slots=True)
class Company:
    """Contrasts of one kind and number of draws in a study: how many, ``independent`` of them count for pooling, from
    which the prior has ``prior_df`` (0: not pooled); ``family_size``: contrasts that are corrected together.
    """

    comparisons: int
    independent: int
    prior_df: float
    family_size: int


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest ``difference`` (a share) one kind of contrast finds with 80 % power, beside others in its study.

    ``discordance``: the share of items that exactly one side has right; ``noise``: None for one draw, which is about
    its examples; ``proposal``: what would find less at the same cost.
    """

    design: str
    items: int
    draws: int
    discordance: float
    difference: float
    beside: Company
    noise: Noise | None
    proposal: Proposal | None

    @property
    def decides(self) -> bool:
        """Is there a difference worth the name that it can find?"""
        return self.difference < NOTHING

    def json(self) -> dict[str, Any]:
        """Plain JSON, flat."""
        return {
            "design": self.design,
            "items": self.items,
            "draws": self.draws,
            "discordance": self.discordance,
            "difference": self.difference,
            **asdict(self.beside),
            "noise": None if self.noise is None else self.noise.sd,
            "source": None if self.noise is None else self.noise.source,
            "decides": self.decides,
            "proposal": None if self.proposal is None else asdict(self.proposal),
        }


@dataclass(frozen=True, slots=True)
class _Planned:
    """One comparison to come."""

    design: str
    draws: int
    items: int
    family: tuple[str, str, str, str]
    link: tuple[tuple[Any, ...], tuple[Any, ...]]
    cells: tuple[Cell, ...]


def detectable(
    grid: Grid, price: Callable[[Cell], tuple[float, float]], folder: Place | None = None
) -> tuple[Detectable, ...]:
    """What the comparisons of ``grid`` can find.

    ``price``: FLOPs of a cell that grow with its items, and those that do not (its share of the tuning); ``folder``: a
    results folder, read for noise between draws where it exists. Raises StoreError when it is damaged.
    """
    planned = _planned(grid)
    measured = _measured(folder)
    sizes: dict[tuple[str, str, str, str], int] = {}
    for one in planned:
        sizes[one.family] = sizes.get(one.family, 0) + 1
    rows = []
    groups: dict[tuple[str, int, int], list[_Planned]] = {}
    for one in planned:
        groups.setdefault((one.design, one.items, one.draws), []).append(one)
    for (design, items, draws), group in groups.items():
        alike = [one for one in planned if (one.design, one.draws) == (design, draws)]
        family = max(sizes[one.family] for one in group)
        noise = measured.get(design) or _recorded(design)
        independent = independent_links([one.link for one in alike])
        for discordance in DISCORDANCES:

            def found(
                draws: int, items: int, discordance: float = discordance, noise: float = noise.sd,
                independent: int = independent, family: int = family,
            ) -> float:  # fmt: skip
                level = (1 - LEVEL) / family
                return minimum_detectable_difference(
                    items, discordance, draws, level, noise=noise, independent=independent
                )

            difference = found(draws, items)
            rows.append(
                Detectable(
                    design=design,
                    items=items,
                    draws=draws,
                    discordance=discordance,
                    difference=difference,
                    beside=Company(
                        comparisons=len(alike),
                        independent=independent,
                        prior_df=most_prior_df(independent, draws) if draws > 1 else 0.0,
                        family_size=family,
                    ),
                    noise=None if draws == 1 else noise,
                    proposal=None if draws == 1 else _proposal(group, draws, items, difference, found, grid, price),
                )
            )
    return tuple(rows)


def _planned(grid: Grid) -> list[_Planned]:
    """Every comparison the finished study will hold, as `onset.analysis.contrast.asked.compare_all` makes them: of two
    methods without examples, whose answers are the same at every budget, one.
    """
    places: dict[tuple[str, str, str, str, int], dict[str, list[Cell]]] = {}
    for cell in grid.cells:
        if cell.aside or (cell.method.search is not None and cell.method.search.bound):
            continue
        place = (cell.task, cell.shift, cell.model, cell.stage, cell.labels)
        places.setdefault(place, {}).setdefault(cell.method.name, []).append(cell)
    out = []
    held: set[tuple[Any, ...]] = set()
    for (task, shift, model, stage, labels), methods in places.items():
        for first, second in combinations(methods.values(), 2):
            draws = len({cell.seed for cell in first} & {cell.seed for cell in second})
            if draws:
                tuned = [cells[0].method.tune is not None for cells in (first, second)]
                a, b = (
                    (model, stage, cells[0].method.name, None if _without_examples(cells[0]) else labels, task)
                    for cells in (first, second)
                )
                if (shift, a, b) in held:
                    continue
                held.add((shift, a, b))
                family = (task, shift, model, stage)
                cells = (first[0], second[0])
                out.append(_Planned(said_kind(sum(tuned)), draws, first[0].items, family, (a, b), cells))
    return out


def _without_examples(cell: Cell) -> bool:
    return cell.method.zero_shot or cell.labels == 0


def _measured(folder: Place | None) -> dict[str, Noise]:
    """Noise between draws of the finished cells in ``folder``, by kind of comparison."""
    if folder is None or not is_results(folder):
        return {}
    held: dict[str, list[tuple[float, int]]] = {}
    done = [one for one in outcomes_of(load(folder, prompts=False)) if not one.asked.bound]
    tuned = {one.method: one.tuned for one in done}
    for one in compare_all(done, replicates=20):
        crossed = one.sample.crossed
        if crossed is not None and crossed.parts.between_draws is not None and crossed.parts.residual is not None:
            noise = (crossed.parts.between_draws - crossed.parts.residual) * crossed.draws
            held.setdefault(said_kind(sum(tuned[side] for side in one.names)), []).append((noise, crossed.draws))
    out = {}
    for design, rows in held.items():
        sd = math.sqrt(max(float(np.mean([noise for noise, _ in rows])), 0.0))
        draws = sorted({draws for _, draws in rows})
        span = f"{draws[0]} draws" if len(draws) == 1 else f"{draws[0]} to {draws[-1]} draws"
        out[design] = Noise(
            sd, f"{len(rows)} finished comparison{'s' * (len(rows) > 1)} of {span} in {as_files(folder).name()}"
        )
    return out


def _recorded(design: str) -> Noise:
    sd, where = RECORDED[design]
    return Noise(sd, f"no finished cells of this kind; recorded: {where}")


def _proposal(
    group: Sequence[_Planned],
    draws: int,
    items: int,
    difference: float,
    found: Callable[[int, int], float],
    grid: Grid,
    price: Callable[[Cell], tuple[float, float]],
) -> Proposal | None:
    """The draws x items of at most the same FLOPs that find the smallest difference, where it is clearly smaller."""
    cells = {id(cell): cell for one in group for cell in one.cells}.values()
    per_item = sum(price(cell)[0] / cell.items for cell in cells)
    fixed = sum(price(cell)[1] for cell in cells)
    there = min(len(grid.tasks[cell.task].test) for cell in cells)
    best = None
    for other in range(2, MOST_DRAWS + 1):
        left = draws * (fixed + items * per_item) / other - fixed
        fewer = min(there, math.floor(left / per_item + 1e-9))
        if other != draws and fewer >= LEAST_ITEMS:
            gap = found(other, fewer)
            if best is None or gap < best.difference:
                best = Proposal(other, fewer, gap)
    return best if best is not None and best.difference < 0.95 * difference else None


def to_json(rows: Sequence[Detectable]) -> list[dict[str, Any]]:
    """The value of ``detectable`` in ``onset plan --json``."""
    return [one.json() for one in rows]
