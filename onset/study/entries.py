"""What a study says of each of its models and methods: the entries of its lists."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from onset.methods import Method, method
from onset.models.backend import Told
from onset.step import Settings

Template = Literal["auto", "chat", "plain"]
"""Ask in plain text or through the tokenizer's chat template; ``auto``: through it where a model was trained on it."""


class PriceEntry(Settings):
    """What a model costs its user: an ``hour`` of the machine, or a million tokens of ``input``, of ``output`` and,
    where it is tuned, of ``training``, in ``currency``. Costs and recommendations say what that comes to; nothing else
    depends on it. ``batch``: what tokens cost in a batch, as a share of that (0.5: half), for what `onset batch read`
    says was billed.
    """

    hour: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    input: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    training: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    currency: str = Field(default="$", min_length=1, max_length=8)
    batch: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _one_way(self) -> PriceEntry:
        tokens = (self.input is not None, self.output is not None)
        if (self.hour is not None) == any(tokens) or any(tokens) != all(tokens):
            raise ValueError("a price is either 'hour', or 'input' and 'output' (of a million tokens)")
        if self.batch is not None and self.hour is not None:
            raise ValueError("'batch' is a share of the price of tokens: 'input' and 'output'")
        if self.training is not None and self.hour is not None:
            raise ValueError(
                "'training' is a price of tokens, beside 'input' and 'output'; an 'hour' is one of tuning too"
            )
        return self


_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMBT])", re.IGNORECASE)


def _count(value: Any) -> Any:
    """``7B``, ``1.5 B``, ``350M``, ``7e9`` as whole numbers; anything else as it is."""
    match = _COUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _without_point(value)
    return round(float(match[1]) * 10 ** (3 * ("KMBT".index(match[2].upper()) + 1)))


def _without_point(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])i?B", re.IGNORECASE)


def _size(value: Any) -> Any:
    """``80GB``, ``1.5 TB``, ``8e10`` as bytes, in powers of 1000, ``80GiB`` of 1024; anything else as it is."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _without_point(value)
    base = 1024 if "i" in value.lower() else 1000
    return round(float(match[1]) * base ** ("KMGT".index(match[2].upper()) + 1))


class Resources(Settings):
    """What a worker that holds a model takes of a cluster: ``cpus`` (its threads), ``gpus`` (None: one for weights
    that are loaded, where the cluster has any), ``memory`` (bytes, or ``80GB``) and a kind of ``accelerator``
    (``A100``, as the cluster calls it). An executor without such notions does not look at them.
    """

    cpus: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    gpus: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    memory: Annotated[int, BeforeValidator(_size)] | None = Field(default=None, ge=1)
    accelerator: str | None = Field(default=None, min_length=1)

    @property
    def words(self) -> str:
        """For a message."""
        parts = [f"cpus {self.cpus:g}", f"gpus {self.gpus:g}" if self.gpus else None]
        parts += [f"memory {self.memory / 1e9:.3g} GB" if self.memory else None, self.accelerator]
        return ", ".join(one for one in parts if one)


class ModelEntry(Settings):
    """A model of the study: how to open it (``spec``), how to call it in tables (``label``), and which other
    sizes it shares a curve with (``family``; without it, those whose labels differ in their size alone). ``template``:
    how to ask it (``chat``, ``plain``) where a method leaves that to the model (``auto``); ``price``: its own, not the
    study's. Of a model behind a server, which may tell none of it: ``params`` (parameters, ``7B`` or a number),
    ``context`` (the longest sequence in tokens), ``revision`` (a word for the version of its weights). Of a run
    that has others of its size: ``pretraining_seed`` (`onset.study.runs`). ``resources``: what a worker with it takes
    of a cluster.
    """

    spec: str = Field(min_length=1)
    label: str | None = None
    family: str | None = None
    template: Template | None = None
    price: PriceEntry | None = None
    params: Annotated[int, BeforeValidator(_count)] | None = Field(default=None, ge=1)
    context: int | None = Field(default=None, ge=2)
    revision: str | None = Field(default=None, min_length=1)
    pretraining_seed: int | None = Field(default=None, ge=0)
    resources: Resources | None = None

    @property
    def told(self) -> Told:
        """What the study says of the model."""
        return Told(self.params, self.context, self.revision)


class MethodEntry(Settings):
    """A method spelled out; see `onset.methods.Method` for the meaning of each key. ``prompt``, ``choose``, ``vote``,
    ``tune`` and ``on`` are steps: a name, or a mapping of settings that the step itself checks.
    """

    name: str | None = None
    prompt: str | dict[str, Any] | None = None
    shots: int | None = Field(default=None, ge=0)
    choose: str | dict[str, Any] | None = None
    vote: int | dict[str, Any] | None = None
    tune: str | dict[str, Any] | None = None
    on: str | dict[str, Any] | None = None
    steps: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    template: Template | None = None
    search: str | dict[str, Any] | None = None
    grid: dict[str, list[Any]] | list[dict[str, Any]] | None = None

    def build(self) -> Method:
        """The checked method."""
        return method(
            prompt=self.prompt,
            shots=self.shots,
            choose=self.choose,
            vote=self.vote,
            tune=self.tune,
            on=self.on,
            steps=self.steps,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            template=self.template,
            name=self.name,
        )
