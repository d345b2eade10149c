"""The search of a cell's settings: every setting of a method is used with some examples and asked about others.

A trial is asked as the cell will be: the same template, limits, votes and seeds, and the same way of choosing
demonstrations or of tuning. The task that it sees has the examples of its part alone: test items and shifts are not
there to be looked at. As many demonstrations as fit are as many as leave room for the longest labelled example.

A setting whose training does not go (it diverges, or an example does not fit) or whose method raises at every example
of all parts is a trial that failed: it counts, and is not taken. One that diverged, or whose examples do not fit or
lack what is trained on, would fail again; any other is tried again where the search is made again, and so is what
raised at an example where every trial failed. A package that a setting needs and that is not installed is no failed
trial: it would lose untried.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from onset.demos.fit import Shown, choose_demonstrations, longest_question
from onset.errors import DataError, Diverged, MethodError, ModelError, NotInstalled, TooLong, Unanswered
from onset.methods import Method
from onset.models.base import Model, ability
from onset.models.chat import chosen_template
from onset.pipeline import ASKING, Evaluation
from onset.plan import ExamplePlan, Use, check_ledger
from onset.prompting.ask import GOLD, Rater, total
from onset.records import Record, derive_seed
from onset.results.folder import Store
from onset.results.searches import SearchFolder
from onset.search.base import Part, Search, taken
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.making import tune
from onset.study.observer import Observer, Silent
from onset.study.verifying import Verified, hf_model, verify
from onset.study.written import template_json
from onset.tasks.base import Task
from onset.tuning.base import TuningReport

CHUNK = 64
"""Held-out examples asked together."""

COSTS = ("prompt_tokens", "output_tokens", "tuning_tokens", "flops")


@dataclass(frozen=True)
class Found:
    """What a search took: the ``method`` with its setting, what ``cell.json`` says of the search (``facts``), the
    granted examples that it used (``ledger``), and the wall time of all trials.
    """

    method: Method
    facts: Mapping[str, Any]
    ledger: tuple[Use, ...]
    seconds: float


class Searches:
    """The searches of a study, each made once for the cells that share it, its trials kept in the results folder."""

    def __init__(self, store: Store, grid: Grid, watch: Observer) -> None:
        self._store = store
        self._grid = grid
        self._watch = watch
        self._found: dict[str, Found] = {}

    def of(self, cell: Cell, model: Model, plan: ExamplePlan) -> Found | None:
        """What the search of ``cell`` takes, with ``model`` before any tuning; None where nothing is searched.

        Raises ModelError where every trial failed, NotInstalled where a setting needs what is not here, Unanswered
        where answers are yet to come (after all has been asked that can be), and what asking raises.
        """
        if cell.search is None:
            return None
        if cell.search not in self._found:
            self._found[cell.search] = self._search(cell, model, plan)
        return self._found[cell.search]

    def chosen(self, cell: Cell, model: Model, plan: ExamplePlan) -> Cell:
        """``cell`` with the setting that its search takes, where it has one. Raises as `of`."""
        found = self.of(cell, model, plan)
        return cell if found is None else replace(cell, chosen=found.method)

    def _search(self, cell: Cell, model: Model, plan: ExamplePlan) -> Found:
        rule, settings = cell.method.search, cell.settings or ()
        assert rule is not None
        assert cell.search is not None
        parts = rule.parts(plan, cell.labels)
        folder = SearchFolder(self._store, cell.search)
        scored: list[list[dict[str, Any]]] = []
        waits: Unanswered | None = None
        for number, setting in enumerate(settings):
            trial = _Trial(cell, setting, model, self._grid.tasks[cell.task], plan, parts, rule)
            scored.append([])
            for place in range(len(parts)):
                held = folder.part(number, place)
                if held is None or held["measured"] != trial.measured:
                    said = f"setting {number + 1} of {len(settings)}, part {place + 1} of {len(parts)}"
                    where = f"{cell.model} · searching {cell.method.name} · {cell.task} · {cell.labels} labels"
                    self._watch.doing(f"{where} · seed {cell.seed} · {said}")
                    try:
                        held, passing = trial.score(place, folder.scratch(number, place, trial.measured), self._watch)
                    except Unanswered as error:
                        waits = waits or error
                        continue
                    if not passing:
                        folder.keep(number, place, held)
                scored[-1].append(held)
                if held["failed"] is not None:
                    break
            self._watch.searched(cell, number + 1, len(settings))
        if waits is not None:
            raise waits
        try:
            return _found(cell, rule, plan, scored)
        except ModelError:  # no trial is left: what a method raised at an example may pass until the next run
            for number, parts_of in enumerate(scored):
                for place, held in enumerate(parts_of):
                    if held.get("causes"):
                        folder.forget(number, place)
            raise


@dataclass(frozen=True)
class _Trial:
    """One setting of the method of a cell, scored part by part."""

    cell: Cell
    method: Method
    base: Model
    task: Task
    plan: ExamplePlan
    parts: Sequence[Part]
    rule: Search

    @property
    def measured(self) -> dict[str, Any]:
        """What a part that is kept has to have been measured with."""
        facts, chat = self.base.facts, chosen_template(self.base, self.method.template)
        known = {"revision": facts.revision, "dtype": facts.dtype, "device": facts.device}
        return {**known, "plan": self.plan.hash, "asking": ASKING, **template_json(chat)}

    def score(self, place: int, scratch: Store, watch: Observer) -> tuple[dict[str, Any], bool]:
        """What part ``place`` scores, as it is kept: plain JSON; and whether it failed for what may pass, such as want
        of memory, which there may be at another time or on another machine. Raises as `Searches.of`.
        """
        part, started = self.parts[place], time.perf_counter()
        task = replace(self.task, pool=part.used, test=part.held, test_sets=())
        plan = ExamplePlan(task.name, self.plan.seed, part.used)
        failed, report, passing, earlier = None, None, False, 0.0
        rows: list[dict[str, Any]] = []
        uses: tuple[Use, ...] = ()
        try:
            model, shown, report, verified = self._made(task, plan, part, scratch, watch)
            earlier = max(0.0, self._took(part, scratch) - (time.perf_counter() - started))
            uses = (*shown.ledger, *self.method.prompt.used(part.used))
            if verified is not None:
                uses, report = (*uses, *verified.ledger), verified.report
            rows, prepared = self._asked(model, task, part, shown, None if verified is None else verified.verifier)
            _check_installed(rows)
        except NotInstalled:
            raise
        except (ModelError, MethodError, DataError) as error:
            if isinstance(error, ModelError) and report is None and self.method.tune is None:
                raise  # of a model that prompts are sent to: it cannot be asked at all
            passing = not isinstance(error, Diverged | TooLong | DataError)
            failed, prepared = " ".join(f"{error}".split())[:500], dict.fromkeys(COSTS, 0)
            uses = uses or self._seen(part)
        held = {
            "measured": self.measured,
            "failed": failed,
            "causes": [row["cause"] for row in rows if row["status"] == "failed"],
            "items": [item.id for item in part.held],
            "correct": [bool(row["correct"]) for row in rows],
            "gold_logprobs": [row["gold_logprob"] for row in rows],
            "uses": [{"ids": list(one.ids), "rationales": one.rationales} for one in uses],
            **self._costs(rows, prepared, report),
            "tuning_flops": 0.0 if report is None else report.flops,
            "steps": self.method.schedule().steps if self.method.tune is not None else 0,
            "seconds": earlier + time.perf_counter() - started,
        }
        return held, passing

    def _seen(self, part: Part) -> tuple[Use, ...]:
        """What a trial that failed may have used: all that it had."""
        steps = tuple(item.id for item in part.used if self.method.rationales and item.rationale)
        return (Use("dev", tuple(item.id for item in part.used), False), Use("dev", steps, True))

    def _tuned(self, part: Part) -> Cell:
        """The cell that a part is, to those who tune."""
        return replace(self.cell, method=self.method, settings=None, chosen=None, labels=len(part.used))

    def _took(self, part: Part, scratch: Store) -> float:
        """Seconds of all runs that tuned the part's model and its verifier, as far as they are known."""
        cell = self._tuned(part)
        return sum(scratch.tuned(one).took()[0] or 0.0 for one in (cell.tuned, cell.verifier) if one is not None)

    def _made(
        self, task: Task, plan: ExamplePlan, part: Part, scratch: Store, watch: Observer
    ) -> tuple[Model, Shown, TuningReport | None, Verified | None]:
        """The model that is asked, what it is shown, what its tuning took, and the verifier of its samples."""
        if self.method.tune is not None:
            cell = self._tuned(part)
            words = _Words(watch)
            tuned, report, shown = tune(cell, task, plan, self.base, scratch, words)
            if cell.verifier is None:
                return tuned, shown, report, None
            models = (hf_model(self.base), hf_model(tuned))
            return tuned, shown, report, verify(cell, task, plan, models, report, scratch, words)
        chat = chosen_template(self.base, self.method.template)
        longest = None
        if self.method.shots is None:
            every = {item.id: item for one in self.parts for item in (*one.used, *one.held)}
            labelled = replace(task, test=tuple(every.values()))
            longest = longest_question(self.base, labelled, ("none",), self.method.prompt)
        shown = choose_demonstrations(
            self.base, task, self.method, plan, len(part.used), longest, chat, items=part.held
        )
        return self.base, shown, None, None

    def _asked(
        self, model: Model, task: Task, part: Part, shown: Shown, verifier: Rater | None
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The records of the held-out examples, and what was done once for them."""
        chat = chosen_template(self.base, self.method.template)
        continuous = self.rule.ties == "log-probability" and ability(model).scores(chat=chat is not None)
        seed, questions = derive_seed("cell", self.cell.seed), tuple(item.question for item in part.held)
        evaluation = Evaluation(
            model, task, self.method, shown, seed, continuous, chat, questions=questions, verifier=verifier
        )
        prepared = evaluation.prepare(part.used)
        evaluation = replace(evaluation, state=prepared.state)
        records: list[Record] = []
        for first in range(0, len(part.held), CHUNK):
            records += evaluation.evaluate(part.held[first : first + CHUNK], first)
        rows = [asdict(one) | {"gold_cost": _gold(one)} for one in records]
        return evaluation.conclude(part.held, rows), prepared.to_json(model.facts)

    def _costs(
        self, rows: Sequence[Mapping[str, Any]], prepared: Mapping[str, Any], report: TuningReport | None
    ) -> dict[str, float | None]:
        """Tokens and FLOPs of a part. Scoring the gold answers is a part of a search's cost: it decides."""
        gold = total(row["gold_cost"] for row in rows)
        known = {
            key: _sum([*(row[key] for row in rows), prepared[key]])
            for key in ("prompt_tokens", "output_tokens", "flops")
        }
        known["prompt_tokens"] = _sum([known["prompt_tokens"], gold])
        tuning = (0, 0.0) if report is None else (report.tokens, report.flops)
        flops = _sum([known["flops"], self.base.facts.flops(gold), tuning[1]])
        return {**known, "tuning_tokens": tuning[0], "flops": flops}


def _check_installed(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises NotInstalled where a method raised it at an example."""
    kind = f"{NotInstalled.__name__}: "
    for row in rows:
        if row["status"] == "failed" and row["cause"].startswith(kind):
            raise NotInstalled(row["cause"].removeprefix(kind))


def _gold(record: Record) -> int | None:
    """Tokens that scoring the gold answer took."""
    return total(
        count for call in record.calls if call.role == GOLD for count in (call.prompt_tokens, call.output_tokens)
    )


def _sum(values: Sequence[float | None]) -> float | None:
    return None if None in values else sum(one or 0 for one in values)


class _Words(Silent):
    """Of a trial's tuning the words alone are shown: the bar counts trials."""

    def __init__(self, watch: Observer) -> None:
        self._watch = watch

    def note(self, text: str) -> None:
        """As the run does."""
        self._watch.note(text)


def _found(cell: Cell, rule: Search, plan: ExamplePlan, scored: Sequence[Sequence[dict[str, Any]]]) -> Found:
    settings = cell.settings or ()
    trained = [part for parts in scored for part in parts if part["tuning_flops"]]
    dearest = {
        key: max((part[of] / part["steps"] for part in trained), default=None)
        for key, of in (("flops", "tuning_flops"), ("tuning_tokens", "tuning_tokens"))
    }
    trials = [_summed(one, settings[0], parts, dearest) for one, parts in zip(settings, scored, strict=True)]
    if all(one["failed"] is not None for one in trials):
        raise ModelError(
            f"method {cell.method.name}: all {len(trials)} trials of its search failed; first: {trials[0]['failed']}"
        )
    place, decided = taken(trials, rule.ties)
    outside = [item.id for item in rule.outside(plan, cell.labels)] if rule.bound else []
    ledger = _ledger(scored, plan, cell.labels, outside)
    check_ledger(ledger, plan, cell.labels)
    facts = {
        "select": rule.kind,
        "trials": trials,
        "taken": place,
        "decided": decided,
        "method": settings[place].spec(),
        "outside": outside,
        **{key: _sum([one[key] for one in trials]) for key in COSTS},
    }
    return Found(settings[place], facts, ledger, sum(part["seconds"] for parts in scored for part in parts))


def _summed(
    setting: Method, own: Method, parts: Sequence[Mapping[str, Any]], dearest: Mapping[str, float | None]
) -> dict[str, Any]:
    """A trial, as ``cell.json`` has it. A training that failed counts as if it had gone to its end, a step at what the
    dearest of this search took, of FLOPs and of tokens (None: no other was trained, and the cost is not known).
    """
    failed = next((part["failed"] for part in parts if part["failed"] is not None), None)
    right = [one for part in parts for one in part["correct"]]
    causes = [one for part in parts for one in part.get("causes", ())]
    if failed is None and len(causes) == len(right):
        failed = f"the method raised an error at every example; first: {causes[0]}"
    gold = [one for part in parts for one in part["gold_logprobs"]]
    costs = {key: _sum([part[key] for part in parts]) for key in COSTS}
    if failed is not None and parts[-1]["steps"] and not parts[-1]["tuning_flops"]:
        for key, each in dearest.items():
            costs[key] = _sum([costs[key], None if each is None else each * parts[-1]["steps"]])
    said, default = setting.spec(), own.spec()
    return {
        "setting": {key: said.get(key) for key in {**default, **said} if said.get(key) != default.get(key)},
        "accuracy": None if failed is not None else sum(right) / len(right),
        "correct": sum(right),
        "n": len(right),
        "gold_logprob": None if failed is not None or None in gold else sum(gold) / len(gold),
        **costs,
        "failed": failed,
    }


def _ledger(
    scored: Sequence[Sequence[Mapping[str, Any]]], plan: ExamplePlan, labels: int, outside: Sequence[str]
) -> tuple[Use, ...]:
    """Examples that trials used, or held out (but not those of a dev set ``outside`` the budget), and those whose
    rationales they used.
    """
    granted = [item.id for item in plan.take(labels)]
    parts = [part for trial in scored for part in trial]
    used = {one for part in parts for use in part["uses"] for one in use["ids"]}
    steps = {one for part in parts for use in part["uses"] if use["rationales"] for one in use["ids"]}
    plain = {item for part in parts for item in part["items"] if item not in outside} | (used - steps)
    place = {name: at for at, name in enumerate(granted)}

    def line(ids: set[str], rationales: bool) -> tuple[Use, ...]:
        ordered = sorted(ids, key=lambda one: (place.get(one, len(place)), one))
        return (Use("dev", tuple(ordered), rationales),) if ordered else ()

    return (*line(plain, False), *line(steps, True))
