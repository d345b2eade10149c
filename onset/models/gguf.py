"""GGUF files, dequantised tensor by tensor into the dtype that is wanted.

What is slow to read (the tokenizer, the configuration, where each tensor lies) is kept in the cache folder, a few
megabytes a model. Weights are not: they are dequantised, with the ``gguf`` package, at every load, a block of rows at a
time, straight into the tensors that the model then holds, so that the most memory a load takes is the weights and one
tensor of the file. Names and layouts are those of transformers, and so are the weights, bit for bit, but for one case:

**A tied output matrix that is stored twice.** Many models use one matrix for the embeddings and the output, and some of
their files hold it twice, quantised in two ways. transformers takes the two for matrices of their own: Qwen2.5 0.5B
then has 630 million parameters instead of 494. Two roundings of one matrix point the same way (cosine .999 there),
matrices that were trained apart do not, so from `TIED` on they are one, and the one stored with more bits is used for
both.

The revision is the GGUF file's hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from onset.errors import ModelError
from onset.models.backend import Backend, LoadOptions, Size, under
from onset.models.cache import cache_folder, fresh
from onset.models.configs import seen, size_of, template_of_files
from onset.models.hf import HFModel
from onset.models.loading import load_hf, loading

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

LAYOUT = 2
"""Raised when what `convert` writes changes, so that folders of an older release are not used."""

TIED = 0.9
"""Cosine between embeddings and output matrix from which on they are one matrix, rounded twice: .997 and more were seen
in files of 4 to 8 bits a weight; an error as large as that of 2 bits (a quarter of a weight) leaves .97.
"""

_ROWS_COMPARED = 2048
_BLOCK = 1 << 21
"""Numbers dequantised at once: 8 MB in float32."""
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"
_LAYOUT_FILE = "tensors.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of a file: ``name`` there, ``kind`` of quantisation, ``shape`` and ``dtype`` of its data as an array,
    and the ``offset`` in bytes from the start of the file.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    offset: int

    @property
    def bytes(self) -> int:
        """How many bytes of the file it takes."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def read(self, file: Path, rows: slice | NDArray[np.int64] = slice(None)) -> NDArray[np.float32]:
        """Dequantised ``rows`` (of the first dimension, all if not said)."""
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        # Not through a memory map: what is read of one counts as the process's memory.
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.shape[0])
            inner = self.shape[1:]
            width = int(np.prod(inner, dtype=np.int64))
            at = self.offset + start * width * np.dtype(self.dtype).itemsize
            data = np.fromfile(file, self.dtype, (stop - start) * width, offset=at).reshape(stop - start, *inner)
        else:
            data = np.memmap(file, self.dtype, "r", self.offset, self.shape)[rows]
        found: NDArray[np.float32] = dequantize(data, GGMLQuantizationType[self.kind])
        return found


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds: its ``architecture``, the configuration as transformers reads it, the tensors, and whether
    embeddings and output are one matrix stored twice.
    """

    architecture: str
    config: Mapping[str, Any]
    tensors: tuple[Stored, ...]
    tied: bool

    @classmethod
    def of(cls, folder: Path) -> Layout:
        """The layout that `convert` wrote."""
        told = json.loads((folder / _LAYOUT_FILE).read_text(encoding="utf-8"))
        tensors = tuple(Stored(**{**one, "shape": tuple(one["shape"])}) for one in told["tensors"])
        return cls(told["architecture"], told["config"], tensors, told["tied"])


class Gguf(Backend):
    """``gguf:PATH``: a GGUF file."""

    written: ClassVar[str] = "gguf:..."

    def label(self, target: str) -> str:
        """The file's stem."""
        return Path(target).stem

    def rebase(self, target: str, folder: Path) -> str:
        """A path."""
        return under(target, folder)

    def peek(self, target: str) -> Size:
        """From the file's header."""
        return size_of(str(prepare(Path(target).expanduser())[0]))

    def template(self, target: str) -> Literal["chat", "plain"]:
        """From the file's header."""
        return template_of_files(str(prepare(Path(target).expanduser())[0]), f"gguf:{target}")

    def identity(self, target: str) -> list[str] | None:
        """The file."""
        return seen([Path(target).expanduser()])

    def revision(self, target: str) -> str | None:
        """The file's hash."""
        return hash_file(Path(target).expanduser())

    def open(self, target: str, options: LoadOptions) -> HFModel:
        """See `open_gguf`."""
        return open_gguf(target, options)


GGUF = Gguf()


def open_gguf(target: str, options: LoadOptions) -> HFModel:
    """The backend of ``gguf:PATH``. The default label is the file's stem.

    Raises ModelError when the file is missing, is not GGUF, is cut short, or holds an unsupported architecture or no
    tokenizer.
    """
    file = Path(target).expanduser()
    folder, revision = prepare(file)
    return load_hf(
        f"gguf:{target}",
        str(folder),
        options.label or file.stem,
        options,
        revision=revision,
        read=partial(read_module, file, Layout.of(folder)),
    )


def prepare(file: Path) -> tuple[Path, str]:
    """The folder with configuration, tokenizer and layout of ``file``, written when it is not there yet, and the
    file's revision. Raises ModelError as `open_gguf` does.
    """
    import transformers

    if not file.is_file():
        raise ModelError(f"GGUF file not found: {file}")
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ModelError(f"not a GGUF file: {file}")
    revision = hash_file(file)
    target = cache_folder() / "gguf" / f"{file.stem}-{revision}-{LAYOUT}-transformers-{transformers.__version__}"
    if not target.exists():
        convert(file, target)
    return target, revision


def hash_file(file: Path) -> str:
    """The revision of a GGUF file: 16 hex digits of its SHA-256, read once while its size and time stay."""
    stat = file.stat()
    return _hashed(file.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(file: Path, size: int, changed: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def convert(file: Path, target: Path) -> None:
    """Write all but the weights of ``file`` into the folder ``target``. Raises ModelError."""
    from transformers import AutoConfig, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    with _naming(file):
        reader = _read_header(file)
    with _naming(file), _reading_once(reader):
        # Of the file alone, and so before its folder is searched for the files of a tokenizer.
        parsed = load_gguf_checkpoint(str(file), return_tensors=False)["config"]
        config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name, trust_remote_code=False)
        if "tokenizer.ggml.tokens" not in reader.fields:
            raise ValueError("it holds no tokenizer (tokenizer.ggml.tokens)")
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, trust_remote_code=False)
        tensors = tuple(
            Stored(
                str(one.name),
                one.tensor_type.name,
                tuple(map(int, one.data.shape)),
                one.data.dtype.str,
                int(one.data_offset),
            )
            for one in reader.tensors
        )
        tied = not config.tie_word_embeddings and _stored_twice(file, tensors)
    if tied:
        config.tie_word_embeddings = True
    # The weights are plain numbers when they are loaded: a config that says otherwise would quantise them again.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    layout = Layout(_architecture(reader), parsed, tensors, tied)
    with _naming(file), fresh(target) as scratch:
        config.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        text = json.dumps(asdict(layout), default=_plain)
        (scratch / _LAYOUT_FILE).write_text(text, encoding="utf-8")


def read_module(file: Path, layout: Layout, config: Any, dtype: torch.dtype) -> tuple[Any, Mapping[str, Any]]:
    """The model in ``file`` with weights of ``dtype``, and what transformers reports of them."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.integrations.gguf.utils import is_gguf_arch_supported

    if is_gguf_arch_supported(layout.architecture):  # transformers reads these tensor by tensor itself
        from transformers import GgufConfig

        loaded = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            trust_remote_code=False,
            dtype=dtype,
            quantization_config=GgufConfig(dequantize=True),
            output_loading_info=True,
        )
    else:
        with torch.device("meta"):
            skeleton = AutoModelForCausalLM.from_config(config)
        weights = read_weights(file, layout, skeleton, dtype)
        loaded = type(skeleton).from_pretrained(
            None, config=config, state_dict=weights, dtype=dtype, output_loading_info=True
        )
    found: tuple[Any, Mapping[str, Any]] = loaded
    return found


def read_weights(file: Path, layout: Layout, skeleton: Any, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The weights in ``file`` under the names they have in ``skeleton``, a module without weights of its own, as
    `load_gguf_checkpoint` of transformers has them (but for a matrix that is stored twice), dequantised in float32 and
    rounded to ``dtype``.
    """
    import torch
    from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map

    processor = TENSOR_PROCESSORS.get(layout.architecture, TensorProcessor)(config=dict(layout.config))
    names = get_gguf_hf_weights_map(skeleton, processor)
    as_stored = type(processor).process is TensorProcessor.process
    weights: dict[str, torch.Tensor] = {}
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for one, name in _wanted(layout):
            if name in names and (as_stored or name in (_EMBEDDING, _OUTPUT)):
                weights[names[name]] = _in_blocks(one, file, dtype, pool)
                continue
            made = processor.process(
                weights=one.read(file), name=name, tensor_key_mapping=names, parsed_parameters={"tensors": weights}
            )
            if made.name in names:
                weights[names[made.name]] = torch.from_numpy(np.copy(made.weights)).to(dtype)
            elif made.name is None:  # put where it belongs by the processor, in float32
                weights |= {key: weight.to(dtype) for key, weight in weights.items() if weight.dtype != dtype}
    return weights


def _in_blocks(one: Stored, file: Path, dtype: torch.dtype, pool: ThreadPoolExecutor) -> torch.Tensor:
    """A tensor that is the model's as it is stored, dequantised some rows at a time."""
    import torch

    first = torch.from_numpy(one.read(file, slice(0, 1)))
    out = torch.empty(one.shape[0], *first.shape[1:], dtype=dtype)
    rows = max(1, _BLOCK // max(1, first.numel()))

    def fill(start: int) -> None:
        some = slice(start, start + rows)
        out[some] = torch.from_numpy(one.read(file, some))

    for _ in pool.map(fill, range(0, len(out), rows)):
        pass
    return out


def _wanted(layout: Layout) -> Iterator[tuple[Stored, str]]:
    """The tensors to read, each with the name it is read as: of a matrix stored twice only the one of more bits."""
    twice = {one.name: one for one in layout.tensors if layout.tied and one.name in (_EMBEDDING, _OUTPUT)}
    best = max(twice.values(), key=lambda one: one.bytes, default=None)
    for one in layout.tensors:
        if one.name not in twice:
            yield one, one.name
        elif one is best:
            yield one, _EMBEDDING


def _stored_twice(file: Path, tensors: tuple[Stored, ...]) -> bool:
    """Are embeddings and output matrix two roundings of one matrix? Decided on rows from all over them."""
    named = {one.name: one for one in tensors}
    if not {_EMBEDDING, _OUTPUT} <= named.keys() or named[_EMBEDDING].shape[0] != named[_OUTPUT].shape[0]:
        return False
    height = named[_EMBEDDING].shape[0]
    rows = np.unique(np.linspace(0, height - 1, min(height, _ROWS_COMPARED)).astype(np.int64))
    left, right = (named[name].read(file, rows).astype(np.float64) for name in (_EMBEDDING, _OUTPUT))
    if left.shape != right.shape:
        return False
    lengths = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return lengths > 0 and float((left * right).sum()) / lengths >= TIED


def _read_header(file: Path) -> Any:
    """The ``gguf`` package's reader. Raises ValueError for a file that ends too early."""
    from gguf import GGUFReader

    try:
        reader = GGUFReader(file)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise ValueError("it is damaged or cut short: its header cannot be read") from error
    if "general.architecture" not in reader.fields:
        raise ValueError("it names no architecture (general.architecture)")
    end = max((int(one.data_offset) + int(one.n_bytes) for one in reader.tensors), default=0)
    if end > file.stat().st_size:
        raise ValueError(f"it is cut short: {file.stat().st_size} bytes of {end}")
    return reader


def _architecture(reader: Any) -> str:
    return str(reader.fields["general.architecture"].contents())


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """One line that names the file for whatever goes wrong in the block."""
    with loading(f"gguf:{file}", quiet=True):
        yield


@contextmanager
def _reading_once(reader: Any) -> Iterator[None]:
    """Have transformers use ``reader`` where it would read the same file again, which takes seconds each time."""
    import gguf

    original = gguf.GGUFReader
    gguf.GGUFReader = lambda *_, **__: reader
    try:
        yield
    finally:
        gguf.GGUFReader = original


def _plain(value: Any) -> Any:
    """A NumPy value of a file's metadata as JSON has it."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
