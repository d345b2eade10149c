"""The backend of ``openai:URL#model``: a model behind a server of OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from onset.errors import ModelError
from onset.models.backend import Backend, LoadOptions, Size
from onset.models.base import ModelFacts
from onset.models.chat import says_base
from onset.models.families import family_of
from onset.models.servers.client import Asks, Client
from onset.models.servers.model import ServerModel


class OpenAI(Backend):
    """``openai:http://localhost:8000/v1#Qwen/Qwen2.5-0.5B-Instruct``: the default label is what stands behind ``#``.

    Without a path the URL gets ``/v1``. It tells neither size nor revision unless the study does.
    """

    written: ClassVar[str] = "openai:URL#MODEL"
    local: ClassVar[bool] = False

    def label(self, target: str) -> str:
        """The model's name at the server."""
        return split(target)[1]

    def peek(self, target: str) -> Size:
        """Nothing is known before a server is asked."""
        split(target)
        return Size(None, None)

    def template(self, target: str) -> Literal["chat", "plain"]:
        """The server's chat template, but for a model whose name says that it is a base model."""
        return "plain" if says_base(split(target)[1]) else "chat"

    def open(self, target: str, options: LoadOptions) -> ServerModel:
        """Ask the server which models it has. Raises ModelError where it is not there, or has no such model."""
        url, model = split(target)
        return connected(Client(url), model, options)


OPENAI = OpenAI()


def connected(
    client: Asks, model: str, options: LoadOptions, trial: Asks | None = None, refused: set[str] | None = None
) -> ServerModel:
    """The ``model`` that ``client`` asks; ``trial`` and ``refused`` as in `ServerModel`. Raises ModelError where the
    server has no such model.
    """
    return ServerModel(client, model, _facts(model, options, _listed(trial or client, model)), trial, refused)


def split(target: str) -> tuple[str, str]:
    """URL and model of ``URL#model``. Raises ModelError."""
    url, _, model = target.partition("#")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # the URL itself is not said again: it may hold a password
        raise ModelError(f"model 'openai:...#{model}': {error}") from None
    if parts.username or parts.password or parts.query:
        where = f"{parts.scheme}://{parts.hostname}{f':{port}' if port else ''}{parts.path}#{model}"
        raise ModelError(
            f"model 'openai:{where}': a URL with a password or a query; keys are read from the environment"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise ModelError(f"model 'openai:{target}': expected openai:http(s)://HOST[:PORT]/v1#MODEL")
    return (url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"), model


def _listed(client: Asks, model: str) -> Mapping[str, Any]:
    """What the server's list of models says of this one; nothing where it has no list."""
    rows = [one for one in client.models() if isinstance(one.get("id"), str)]
    if rows and not any(one["id"] == model for one in rows):
        names = sorted(one["id"] for one in rows)
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise ModelError(f"server {client.url} has no model '{model}'. It has: {', '.join(names[:8])}{more}")
    return next((one for one in rows if one["id"] == model), {})


def _facts(model: str, options: LoadOptions, row: Mapping[str, Any]) -> ModelFacts:
    """What the study says, and what servers say in their lists: vLLM ``max_model_len``, OpenRouter ``context_length``,
    llama.cpp ``meta`` with ``n_ctx`` and ``n_params``.
    """
    meta = row.get("meta") if isinstance(row.get("meta"), Mapping) else {}
    assert isinstance(meta, Mapping)
    told, label = options.told, options.label or model
    params = told.params or _whole(meta.get("n_params"))
    context = told.context or next(
        (
            size
            for size in map(_whole, (row.get("max_model_len"), row.get("context_length"), meta.get("n_ctx")))
            if size
        ),
        None,
    )
    return ModelFacts(
        name=label,
        family=family_of(label, "server"),
        stage="base",
        params=params,
        params_non_embedding=None,
        params_compute=params,
        context=context,
        tokenizer=None,
        revision=told.revision,
        dtype="unknown",
        device="server",
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
