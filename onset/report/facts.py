"""The facts of a study, gathered from the cell.json files: what ran, on what, with which labelled examples."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.setting import model_of_stage
from onset.demos import DEMOS
from onset.prompting import PROMPTING
from onset.registry import Registry
from onset.search import SEARCH
from onset.tuning import MATERIALS, TUNERS
from onset.votes import VOTES

Facts = Mapping[str, Any]
"""The content of one cell.json (docs/notes/formats.md)."""

_USES = {
    "demonstration": "{count} shown in the prompt",
    "training": "{count} trained on",
    "question": "{count} asked without their answers",
    "dev": "{count} tried settings on",
    "verifier": "{count} whose solutions a verifier learnt from",
}
_ASKED = "{how} on {what}; the tuned model is asked without demonstrations"
_ASKED_SO = "{how} on {what}; the tuned model is asked with {count} demonstrations"
_TEMPLATES = {"chat": "through the model's chat template", "plain": "in plain text"}
_EXTRA = {"steps": "optimiser steps {count}", "epochs": "epochs {count}", "learning_rate": "peak learning rate {count}"}


def models(cells: Iterable[Facts]) -> list[dict[str, Any]]:
    """One row a model: its label, where it was loaded from, its facts, and the ``templates`` it was asked through."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in cells:
        row = {**cell["facts"], "model": cell["model"], "spec": cell["model_spec"], "templates": []}
        asked = found.setdefault((cell["model"], cell["stage"]), row)["templates"]
        if (template := cell.get("template", "plain")) not in asked:  # a folder from before there were templates
            asked.append(template)
    return list(found.values())


def tasks(cells: Iterable[Facts]) -> list[dict[str, Any]]:
    """One row a task and shift: ability, items, chance level, hash and source of its data (None: not recorded)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in cells:
        row = {key: cell[key] for key in ("task", "shift", "ability", "items", "chance", "task_hash")}
        found.setdefault((cell["task"], cell["shift"]), {**row, "source": cell.get("task_source")})
    return list(found.values())


def methods(cells: Iterable[Facts], say: Say = ENGLISH) -> list[dict[str, str]]:
    """One row a method: its name and what it does, in words."""
    return [{"method": name, "words": spell(spec, say)} for name, spec in _by_name(cells).items()]


def _by_name(cells: Iterable[Facts]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for cell in cells:
        spec = found.setdefault(cell["method"], cell["method_spec"])
        if spec.get("template") != cell["method_spec"].get("template"):  # it is what the study says of its models
            found[cell["method"]] = {key: value for key, value in spec.items() if key != "template"}
    return found


def spell(spec: Mapping[str, Any], say: Say = ENGLISH) -> str:
    """A method's specification as a sentence without its full stop."""
    if spec.get("tune"):
        shots = spec.get("shots") or 0
        tuned = _ASKED_SO if shots else _ASKED
        parts = [
            say(tuned, how=_words(TUNERS, spec["tune"], say), what=_words(MATERIALS, spec["on"], say), count=shots)
        ]
        parts += [say(text, count=f"{spec[key]:g}") for key, text in _EXTRA.items() if spec.get(key) is not None]
    else:
        parts = [say("Prompt with {what}; {how}", what=_words(PROMPTING, spec["prompt"], say), how=_shown(spec, say))]
    if spec.get("template"):
        parts.append(say(_TEMPLATES[spec["template"]]))
    if vote := spec.get("vote"):
        said = "{vote} of {samples} samples at temperature {temperature}"
        how = _words(VOTES, {"kind": "majority", **vote}, say)
        parts.append(say(said, vote=how, samples=vote["samples"], temperature=f"{vote['temperature']:g}"))
    if search := spec.get("search"):
        parts.append(_words(SEARCH, {key: one for key, one in search.items() if key != "grid"}, say))
    return say.clauses(parts)


def _shown(spec: Mapping[str, Any], say: Say) -> str:
    """How many demonstrations, and which."""
    shots = spec.get("shots")
    if shots == 0:
        return say("no demonstrations")
    many = (
        say("as many of the labelled examples as fit") if shots is None else say("{count} demonstrations", count=shots)
    )
    if "choose" not in spec:
        return many
    return say("{many}, {which}", many=many, which=_words(DEMOS, spec["choose"], say))


_OWN = ("kind", "samples", "temperature")
"""Settings that a sentence about a step says already."""


def _words(table: Registry, spec: Any, say: Say) -> str:
    """What a step does, with what is set of it in brackets."""
    held = spec if isinstance(spec, Mapping) else {"kind": spec}
    known = table.load(held["kind"]).words if held["kind"] in table else held["kind"]
    settings = ", ".join(f"{key} {_listed(value)}" for key, value in held.items() if key not in _OWN)
    return f"{say(known)} ({settings})" if settings else say(known)


def _listed(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def examples(cells: Iterable[Facts], say: Say = ENGLISH) -> list[dict[str, Any]]:
    """One row a method and budget: labelled examples granted, and how many it used for what.

    Counts are of distinct examples, "low–high" where cells differ (a long prompt may hold fewer).
    """
    groups: dict[tuple[str, int], list[Facts]] = defaultdict(list)
    for cell in cells:
        groups[cell["method"], cell["labels"]].append(cell)
    rows = []
    for (method, labels), group in groups.items():
        uses = {line["use"]: None for cell in group for line in cell["ledger"]}
        used = [
            say(_USES.get(use, "{count} used for {use}"), count=_range(_used(cell, use) for cell in group), use=use)
            for use in uses
        ]
        beyond = [len(cell["search"]["outside"]) for cell in group if cell.get("search")]
        if any(beyond):
            used.append(say("{count} beyond the budget", count=_range(beyond)))
        rationales = _range(_used(cell, None) for cell in group)
        rows.append(
            {"method": method, "labels": labels, "used": say.parted(used) or say("none"), "rationales": rationales}
        )
    return rows


def _used(cell: Facts, use: str | None) -> int:
    """Distinct examples used for ``use``; with None, those whose rationales were used for anything."""
    lines = [line for line in cell["ledger"] if (line["rationales"] if use is None else line["use"] == use)]
    return len({one for line in lines for one in line["ids"]})


def _range(counts: Iterable[int]) -> str:
    found = sorted(set(counts))
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"


def plans(cells: Sequence[Facts]) -> list[dict[str, Any]]:
    """One row a task and seed: the hashes of the example plans its cells used (one, when all share it)."""
    found: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    for cell in cells:
        found[cell["task"], cell["seed"]][cell["plan_hash"]] = None
    return [{"task": task, "seed": seed, "plans": list(hashes)} for (task, seed), hashes in found.items()]


def environments(cells: Iterable[Facts]) -> list[dict[str, str]]:
    """The distinct environments the cells ran in, as name -> version."""
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        environment = {key: str(value) for key, value in cell["environment"].items()}
        found.setdefault(json.dumps(environment, sort_keys=True), environment)
    return list(found.values())


def name_of(cell: Facts, say: Say = ENGLISH) -> str:
    """A cell in words: model, method, labels, task, and shift and seed; in English by the names of the study."""
    model = model_of_stage(cell["model"], cell["stage"]) if cell.get("made") else cell["model"]
    parts = [model, say.named(cell["method"]), say.counted("label", cell["labels"])]
    parts.append(say.named_task(cell["task"]))
    parts += [say("shift {shift}", shift=say.shift(cell["shift"]))] if cell["shift"] != "none" else []
    return " · ".join([*parts, say("seed {seed}", seed=cell["seed"])])
