"""A study: what the user writes, in YAML or in Python.

    name: gsm8k-small
    models: [./my-model, "gguf:file.gguf", {spec: HuggingFaceTB/SmolLM2-135M, label: smol}]
    tasks: [gsm8k, {name: tickets, train: train.jsonl, test: test.jsonl}]
    methods: [answer-only, cot, {tune: lora, on: rationales}]
    labels: [8, 32]
    seeds: 5
    items: 200

Paths are relative to the study file (in Python: to the working directory). Anything that does not
validate is one line naming the place, what was received and what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from onset import markup
from onset.errors import StudyError, UnknownName
from onset.methods import METHODS, Method
from onset.models import DEFAULT_BATCH_TOKENS, check_told, default_label, expand_spec
from onset.shifts.base import Named, read_shift
from onset.step import Settings, read_step
from onset.study.checked import MOST_SEEDS, check_names
from onset.study.entries import MethodEntry, ModelEntry, PriceEntry, Resources, Template
from onset.study.paths import rebase
from onset.study.runs import with_runs
from onset.study.searched import searched
from onset.study.text import TextEntry
from onset.tuning import STAGES
from onset.tuning.stages.base import Recipe, Stage
from onset.untrusted import load_yaml

PART_KEYS = ("models", "tasks", "methods", "labels", "stages", "shifts", "seeds", "items", "elsewhere")
"""What a part of a study may say for itself."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) or value is None else [value]


def _models(value: Any) -> Any:
    entries = [{"spec": one} if isinstance(one, str) else one for one in _listed(value) or []]
    return [
        {**entry, "spec": spec} if isinstance(entry, dict) and "spec" in entry else entry
        for entry in entries
        for spec in (expand_spec(entry["spec"]) if isinstance(entry, dict) and "spec" in entry else (None,))
    ]


def _methods(value: Any) -> Any:
    return list(_listed(value) or [])


def _seeds(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("expected a number of draws, or a list of seeds, whole numbers")
    if value > MOST_SEEDS:
        raise ValueError(f"at most {MOST_SEEDS} draws are allowed")
    return list(range(value))


def _stages(value: Any) -> Any:
    """``[]`` and ``base`` are the model as it is; a stage of one step may stand without its brackets."""
    listed = _listed(value)
    if not isinstance(listed, list | tuple):
        return listed
    steps = [[one] if isinstance(one, str) else one for one in listed]
    return [() if one in (None, ["base"]) else one for one in steps]


def _labels(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        raise ValueError("expected a number of labelled examples, or a list of such numbers")
    return _listed(value)


Labels = Annotated[int, Field(ge=0)]


class Study(Settings):
    """A study, validated. It expands to cells in `onset.study.grid`.

    ``labels``: budgets of labelled examples (0: zero-shot); ``seeds``: a number of example draws or a
    list of seeds; ``items``: test items of each task (the same for every cell), or ``all``; ``chunk``:
    items committed together (batches are made within a chunk, so a resume repeats every bit);
    ``error_budget``: the share of cells that may fail before the run ends with exit code 1; ``item_error_budget``: the
    share of a cell's items at which the method may raise an error, which count as wrong, before the cell fails;
    ``margin``:
    the equivalence margin of the comparisons, as a share (0.05 = 5 points); ``keep_full``: keep fully
    tuned weights, each as large as its model, after their cells are finished (adapters are always kept);
    ``continuous``: also score the gold answer's log-probability, one more pass over every prompt;
    ``template``: how methods that do not say are to ask (`Template`); of several values each method gets each, with the
    value in its name: ``cot-chat``, ``cot-plain``;
    ``search``: by which rule each method's settings are chosen (`onset.search`; ``none``: they are as written), so too:
    ``cot``, ``cot-within``, ``cot-oracle-dev``;
    ``batch_tokens``: the most tokens whose keys and values are held at once: more rows run together;
    ``price``: of an hour or of tokens, for what a recommendation costs;
    ``stages``: what each model is trained on first, names of ``recipes`` in order (``[]``: nothing), and ``recipes``,
    the settings of each (`onset.tuning.stages.base.Stage`);
    ``elsewhere``: tasks on which no example is granted and every model, tuned and staged ones too, is asked without
    any, and ``text``: a file that all of them score, to see what training makes them forget (`onset.study.aside`);
    ``parts``: grids that differ in some of `PART_KEYS` and share everything else; the cells are those of all of them.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$")
    question: str | None = None
    models: Annotated[tuple[ModelEntry, ...], BeforeValidator(_models)] = Field(min_length=1)
    tasks: Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_listed)] = Field(min_length=1)
    methods: Annotated[tuple[str | MethodEntry, ...], BeforeValidator(_methods)] = Field(min_length=1)
    labels: Annotated[tuple[Labels, ...], BeforeValidator(_labels)] = Field(min_length=1)
    stages: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_stages)] = Field(default=((),), min_length=1)
    recipes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    elsewhere: Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_listed)] = ()
    text: str | TextEntry | None = None
    shifts: Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_listed)] = Field(("none",), min_length=1)
    seeds: Annotated[tuple[int, ...], BeforeValidator(_seeds)] = Field(min_length=1)
    items: Annotated[int, Field(ge=1)] | Literal["all"]
    chunk: int = Field(default=64, ge=1)
    error_budget: float = Field(default=0.0, ge=0, le=1)
    item_error_budget: float = Field(default=0.05, ge=0, le=1)
    margin: float = Field(default=0.05, gt=0, lt=1)
    keep_full: bool = False
    continuous: bool = True
    template: Annotated[tuple[Template, ...], BeforeValidator(_listed)] = Field(default=("auto",), min_length=1)
    search: Annotated[tuple[str | dict[str, Any], ...], BeforeValidator(_listed)] = Field(("none",), min_length=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_tokens: int = Field(default=DEFAULT_BATCH_TOKENS, ge=1)
    price: PriceEntry | None = None
    parts: tuple[Study, ...] = ()

    def grids(self) -> tuple[Study, ...]:
        """What is expanded to cells: the parts, or the study itself where it has none."""
        return self.parts or (self,)

    @property
    def named(self) -> tuple[Named, ...]:
        """The shifts. Raises UnknownName or StudyError."""
        return tuple(read_shift(one) for one in self.shifts)

    def build_methods(self) -> tuple[Method, ...]:
        """The methods, presets resolved. Raises UnknownName or StudyError."""
        written = (
            (METHODS.load(one), None, None, None)
            if isinstance(one, str)
            else (one.build(), one.template, one.search, one.grid)
            for one in self.methods
        )
        built = tuple(
            each
            for one, said, rule, grid in written
            for asked in ([one] if said else _asked(one, self.template))
            for each in searched(asked, self.search if rule is None else (rule,), grid)
        )
        _refuse_repeats("methods", [one.name for one in built])
        for place, one in enumerate(built):
            same = [other.name for other in built[:place] if other.spec() == one.spec()]
            if same:
                raise StudyError(f"study: methods '{same[0]}' and '{one.name}' are the same; keep one")
        return built

    def build_stages(self) -> tuple[tuple[Recipe, ...], ...]:
        """The recipes of each stage in order. Raises UnknownName for a name that is no recipe, StudyError for settings
        that do not validate.
        """
        built = {name: Recipe(name, _recipe(name, settings)) for name, settings in self.recipes.items()}
        for name in {name for stage in self.stages for name in stage}:
            if name not in built:
                raise UnknownName("recipe of a stage", name, built)
        return tuple(tuple(built[name] for name in stage) for stage in self.stages)

    def canonical(self) -> dict[str, Any]:
        """Plain JSON, every default written out."""
        return self.model_dump(mode="json")

    def _repr_html_(self) -> str:
        """What a notebook shows: the axes of each part."""
        parts = []
        for place, part in enumerate(self.grids(), start=1):
            rows: list[tuple[str, object]] = [
                ("models", [one.label or default_label(one.spec) for one in part.models]),
                ("tasks", [one if isinstance(one, str) else one.get("name", one) for one in part.tasks]),
                ("methods", [one.name for one in part.build_methods()]),
                ("labels", part.labels),
                ("shifts", [one.label for one in part.named if one.label != "none"] or None),
                ("seeds", part.seeds),
                ("items", part.items),
            ]
            title = f"Part {place}" if self.parts else f"Study {self.name}"
            parts.append(markup.heading(title, *([] if self.parts else [self.question])) + markup.facts(rows))
        return (markup.heading(f"Study {self.name}", self.question) if self.parts else "") + "".join(parts)


def _recipe(name: str, settings: Mapping[str, Any]) -> Stage:
    if name == "base" or "," in name:
        raise StudyError(
            f"study: a recipe cannot be called '{name}': 'base' and names with a comma mean something else"
        )
    step: Stage = read_step(STAGES, {"kind": "corpus", **settings}, f"study: recipe '{name}'")
    return step


def _asked(one: Method, templates: Sequence[Template]) -> list[Method]:
    """A method that does not say how it asks, in each way that the study names."""
    return [
        one if template == "auto" else replace(one, name=f"{one.name}-{template}", template=template)
        for template in templates
    ]


def make_study(**values: Any) -> Study:
    """A `Study` from Python values. Raises StudyError in one line.

    >>> make_study(name="x", models=["m"], tasks=["gsm8k"], methods=["cot"], labels=8, seeds=1, items=9).labels
    (8,)
    """
    return with_runs(_validate(values, "study"))


def vary(study: Study, **values: Any) -> Study:
    """The study with some of `PART_KEYS` changed, in every part where it has parts.

    Raises StudyError when the result does not validate.
    """
    for key in values:
        if key not in PART_KEYS:
            raise StudyError(f"a study can be varied in {', '.join(PART_KEYS)}, not in '{key}'")
    parts = [part.model_dump(mode="json", exclude={"parts"}) | values for part in study.grids()]
    made = tuple(_validate_grid(part, f"study {study.name}") for part in parts)
    return with_runs(made[0].model_copy(update={"parts": made}) if study.parts else made[0])


def read_study(path: Path) -> Study:
    """Read a YAML study; its relative paths become relative to the working directory.

    Raises StudyError: missing file, not YAML, not a mapping, a value that does not validate, or a relative path that
    leads out of the file's folder.
    """
    try:
        loaded = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"study file not found: {path}") from None
    except OSError as error:
        raise StudyError(f"study file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StudyError(f"study file {path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict):
        raise StudyError(f"study file {path}: expected a mapping of keys, found {type(loaded).__name__}")
    study = _validate(loaded, str(path))
    return with_runs(rebase(study, path.parent))


def _validate(values: Mapping[str, Any], where: str) -> Study:
    if "parts" not in values:
        return _validate_grid(values, where)
    common, parts = {key: value for key, value in values.items() if key != "parts"}, values["parts"]
    if not isinstance(parts, list | tuple) or not parts or not all(isinstance(part, Mapping) for part in parts):
        raise StudyError(f"{where}: 'parts' must be a list of mappings, each with some of {', '.join(PART_KEYS)}")
    studies = []
    for place, part in enumerate(parts):
        for key in part:
            if key not in PART_KEYS:
                raise StudyError(f"{where}: unknown key 'parts.{place}.{key}'. Known: {', '.join(PART_KEYS)}")
        studies.append(_validate_grid({**common, **part}, f"{where}, part {place + 1}"))
    return studies[0].model_copy(update={"parts": tuple(studies)})


def _validate_grid(values: Mapping[str, Any], where: str) -> Study:
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        raise StudyError(f"{where}: {_one_line(error, values)}") from None
    check_names(study, where)
    _refuse_repeats("labels", study.labels)
    _refuse_repeats("seeds", study.seeds)
    _refuse_repeats("shifts", [one.label for one in study.named])
    _refuse_repeats("template", study.template)
    study.build_methods()
    if repeated := [stage for stage in study.stages if study.stages.count(stage) > 1]:
        raise StudyError(f"study: 'stages' repeats [{', '.join(repeated[0])}]; each may appear once")
    study.build_stages()
    for entry in study.models:
        check_told(entry.spec, entry.told)
    return study


_ENTRIES: Mapping[str | int, type[Settings]] = {
    "models": ModelEntry,
    "methods": MethodEntry,
    "text": TextEntry,
    "price": PriceEntry,
    "resources": Resources,
}


def _one_line(error: ValidationError, values: Mapping[str, Any]) -> str:
    """The first problem of a validation, in our words."""
    problems = error.errors()
    first = next((one for one in problems if not _wrong_branch(one)), problems[0])
    keys = [part for part in first["loc"] if not _branch_name(part)]
    place = ".".join(str(part) for part in keys)
    if first["type"] == "extra_forbidden":
        inside = next((key for key in reversed(keys[:-1]) if key in _ENTRIES), None)
        known = Study.model_fields if inside is None else _ENTRIES[inside].model_fields
        close = difflib.get_close_matches(str(keys[-1]), known, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        return f"unknown key '{place}': {hint}Known: {', '.join(known)}"
    if first["type"] == "missing":
        return f"'{place}' is missing"
    if first["type"] == "too_short":
        return f"'{place}': at least one is needed (received {values.get(str(keys[0]), first['input'])!r})"
    received = values.get(str(keys[0]), first["input"]) if len(keys) == 1 else first["input"]
    return f"'{place}': {first['msg'].removeprefix('Value error, ')} (received {received!r})"


def _branch_name(part: str | int) -> bool:
    """Pydantic puts the name of a union's branch into the location; it is no key of the file."""
    named = ("str", "MethodEntry", "TextEntry", "dict[str,any]")
    return isinstance(part, str) and (part in named or part.startswith(("function-before[", "literal[")))


def _wrong_branch(problem: Any) -> bool:
    """A union reports every branch: 'not a string' for a mapping is noise."""
    branch = problem["loc"][-1] if problem["loc"] else ""
    return _branch_name(branch) and (branch == "str" or str(branch).startswith("literal["))


_T = TypeVar("_T", str, int)


def _refuse_repeats(what: str, values: Sequence[_T]) -> None:
    repeated = sorted({one for one in values if values.count(one) > 1})
    if repeated:
        raise StudyError(f"study: '{what}' repeats {', '.join(map(str, repeated))}; each may appear once")
