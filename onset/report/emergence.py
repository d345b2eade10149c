"""``onset emergence`` in the terminal: a row a curve, what it means in words below, and what the verdicts rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from onset.analysis.emergence.overview import Overview
from onset.analysis.emergence.seeds import SeedCurve
from onset.analysis.emergence.verdict import EVEN, MIN_SIZES, VERDICTS, Emergence, Settings
from onset.analysis.words import counted, listed, number, on_scale, percent, points
from onset.report.tables import WIDE, add_row, heading, table
from onset.report.words import p_value, place_words

_STYLES = {"emergent": "bold blue", "inverse": "bold yellow", "u-shaped": "bold yellow", "unresolved": "dim"}
_SIZES = {"params": "parameters", "flops": "FLOPs of pretraining", "loss": "pretraining loss, nats"}
SHOWN_NOTES = 12


def print_emergence(whole: Overview, settings: Settings, notes: Sequence[str], console: Console) -> None:
    """Print verdicts, thresholds and what rests on them; ``notes``: what reading the sources had to decide."""
    found = [entry.found for entry in whole.entries]
    scale = found[0].curve.scale
    heading(console, f"Emergence: {counted(len(found), 'curve')} over size ({_SIZES[scale]})")
    tested = [one for one in found if one.curve.sizes >= MIN_SIZES]
    wide = console.width >= WIDE
    heads = [("Curve", "name"), ("Family", "name"), ("Metric", "name"), ("Sizes", "n"), ("Verdict", "key")]
    heads += [("p(jump)", "n"), ("p", "n"), ("q", "n"), ("Leaves chance at", "key"), ("Best family", "name")]
    left_out = {
        *([] if len({one.curve.family for one in found}) > 1 else ["Family"]),
        *([] if len({one.curve.metric for one in found}) > 1 and (wide or _same_names(found)) else ["Metric"]),
        *([] if len(found) > 1 else ["q"]), *([] if wide else ["Best family"]),
    }  # fmt: skip
    drawn = table(head for head in heads if head[0] not in left_out)
    for one in tested:
        cells: tuple[RenderableType | float, ...] = (
            one.curve.curve, one.curve.family, one.curve.metric, one.curve.sizes,
            Text(one.verdict, style=_STYLES.get(one.verdict, "")),
            _p_jump(one), p_value(one.p_value), p_value(one.q_value),
            place_words(one.threshold.place, scale), _family_words(one),
        )  # fmt: skip
        add_row(drawn, *(cell for cell, head in zip(cells, heads, strict=True) if head[0] not in left_out))
    console.print(drawn)
    console.print()
    counts = Counter(one.verdict for one in tested)
    said = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    if len(tested) < len(found):
        said.append(f"{len(found) - len(tested)} not tested, with fewer than {MIN_SIZES} sizes")
    console.print(Text(listed(said) + "."))
    _print_notes(found, notes, console)
    for entry in whole.entries:
        if entry.check is not None and entry.found.verdict == "emergent":
            console.print(Text(entry.check.sentence))
    for crossed in whole.crossings:
        text = f"{crossed.b.curve} ahead of {crossed.a.curve} in {crossed.b.family}: {crossed.words}"
        console.print(Text("; ".join([text, *crossed.notes]) + "."))
    for effect in whole.effects:
        console.print(Text(effect.sentence))
    for entry in whole.entries:
        if entry.seeds is not None:
            console.print(Text(_seeds(entry.seeds)))
    for entry in whole.entries:
        if entry.forecast is not None:
            console.print(Text(f"{entry.found.curve.curve}: {entry.forecast.sentence}"))
    console.print(Text(basis(settings), style="dim"))


def _seeds(one: SeedCurve) -> str:
    """What several seeds of pretraining a size say."""
    sizes = [
        f"{size.has} of {size.of} at {on_scale(size.size, one.scale, bare=True)} ({number(100 * size.interval[0])} to"
        f" {number(100 * size.interval[1])} %)"
        for size in one.sizes
    ]
    said = [
        f"{one.curve}, seeds of pretraining in {one.family}: {one.verdict}; {', '.join(sizes)} are shown to be above"
        f" {percent(one.above)}"
    ]
    said += [f"trend: q = {p_value(one.q_trend)}"] if one.q_trend is not None else []
    said += [f"two clusters: q = {p_value(one.q_clusters)}"] if one.q_clusters is not None else []
    if one.due_to_share is not None:
        part = percent(one.due_to_share) if one.due_to_share <= 1 else "more than all"
        said.append(f"{part} of the rise of the mean is due to that share")
    return "; ".join([*said, *one.notes]) + "."


def _p_jump(one: Emergence) -> str:
    """Blank where no growth is shown: given none, the probability of a jump says nothing."""
    return "" if one.p_jump is None or one.q_value is None else number(one.p_jump, 2)


def _family_words(one: Emergence) -> str:
    """The family of the curve that is drawn."""
    if one.fit is None or one.best_family is None:
        return "–"
    return one.best_family if one.fit.drawn else "none fits"


def _same_names(found: Sequence[Emergence]) -> bool:
    """Are there curves that only their metric tells apart?"""
    names = [(one.curve.curve, one.curve.family) for one in found]
    return len(set(names)) < len(names)


def basis(settings: Settings) -> str:
    """What the verdicts rest on, with every number that can be set."""
    floor, rise = points(settings.margin), points(settings.least_rise)
    return (
        "p(jump): probability that the growth is a jump from chance and not smooth, even odds beforehand;"
        " p: against the best smooth curve (odds that grow at most in proportion to size), bootstrap; q: over the"
        f" curves that grow. Emergent: q at most {settings.level:g}, p(jump) above {EVEN:g}, within {floor} of chance"
        f" (or a quarter of the rise) before it, at least {rise} above chance at the end. Smooth: p(jump) at most"
        f" {settings.smooth_below:g}, or starts above chance. Intervals: 95 %, profile likelihood."
    )


def _print_notes(found: Sequence[Emergence], notes: Sequence[str], console: Console) -> None:
    said: dict[str, list[str]] = {}
    names = Counter((one.curve.curve, one.curve.family) for one in found)
    for one in found:
        if one.curve.sizes < MIN_SIZES:
            continue
        several = names[one.curve.curve, one.curve.family] > 1
        name = f"{one.curve.curve} ({one.curve.metric})" if several else one.curve.curve
        for note in one.notes:
            said.setdefault(note, []).append(name)
    shown = sorted(said.items(), key=lambda pair: -len(pair[1]))
    for note, curves in shown[:SHOWN_NOTES]:
        who = listed(curves) if len(curves) <= 3 else f"{curves[0]}, {curves[1]} and {len(curves) - 2} more"
        console.print(Text(f"{who}: {note}."))
    if len(shown) > SHOWN_NOTES:
        console.print(Text(f"{counted(len(shown) - SHOWN_NOTES, 'further note')}: --json has all of them."))
    for line in notes:
        console.print(Text(f"note: {line}"))
