"""Mode 3 in fixed shapes, for a GPU: a step is recorded when it comes again, and from then on played.

A GPU is done with a step of a small model sooner than Python has asked for its several hundred operations. A CUDA graph
holds them all and starts them at once, but it does the same to the same memory every time. So what differs from step to
step is read from memory that stays where it is (tokens, lengths, positions, who sees which branch), and shapes are
rounded up: rows to a power of two, where the rows too many run in free slots and mean nothing, places to a multiple of
64 or more. A step of a new shape runs as it is, which prepares what must not be prepared in a recording; when the shape
comes again it is recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onset.models.engine.decode import Read, Step, decode, plan_reads
from onset.models.engine.hook import forward
from onset.models.engine.merge import Part, merge, values_in_order
from onset.models.engine.storage import Shape, Shared, Slots
from onset.models.engine.window import Positions, View, only

_MULTIPLE = 64
"""Places read of each slot are rounded up to a multiple of this, or of an eighth of the power of two below them if that
is more: every size is a recording.
"""

STRAGGLERS = 2
"""There is room for this many times the branches that rows need when they finish in the order in which they began."""

_NO_BRANCH, _UNUSED = -1, -2
"""The branch of a row that has none, and of a place where none stands: not the same, so that neither sees the other."""

Recorder = Callable[[Callable[[], None]], Callable[[], None]]
"""Records what a function asks of the device (and need not do it then); what it gives does that again."""


class CudaGraphs:
    """A recorder by CUDA graphs, never two of which are played at the same time: what one of them computes on the way
    lies where another's did. They are to be dropped together, since they also share what cuBLAS keeps for their stream.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        """Record ``run``, which must neither ask the device for a number nor send it any."""
        graph = torch.cuda.CUDAGraph()
        # A recording that fails does not return to the stream before it by itself.
        before = torch.cuda.stream(torch.cuda.current_stream(self._device))
        # "thread_local": what other threads ask of the device meanwhile does not spoil the recording.
        recording = torch.cuda.graph(graph, self._pool, self._stream, capture_error_mode="thread_local")
        with _ONE_AT_A_TIME, torch.cuda.device(self._device), before, recording:
            run()
        return graph.replay


_ONE_AT_A_TIME = Lock()
"""A process makes one CUDA graph at a time."""


def _rounded(places: int) -> int:
    multiple = max(_MULTIPLE, 1 << max(0, places.bit_length() - 4))
    return -(-places // multiple) * multiple


class Grove:
    """Branches side by side, as one piece of keys that all rows could see: [key heads, ``count`` * ``places``,
    dimension] a layer, of which each row sees its own branch. For many branches that is more to multiply than branch by
    branch, and far fewer operations.
    """

    def __init__(self, shape: Shape, count: int, places: int) -> None:
        """Room for ``count`` branches of at most ``places`` tokens each."""
        self._count, self._places = count, places
        self._standing: list[Shared | None] = [None] * count
        keys = count * places
        # Keys and values of a layer: [key heads, keys, dimension].
        self.keys = [torch.zeros(heads, keys, size, **_like(shape)) for heads, size, _ in shape.layers]
        self.values = [
            values_in_order(torch.zeros(heads, keys, size, **_like(shape))) for heads, _, size in shape.layers
        ]
        self.owner = torch.full((keys,), _UNUSED, device=shape.device)
        """[keys]: which branch a key belongs to."""
        self.positions = torch.zeros(keys, dtype=torch.long, device=shape.device)
        """[keys]: where in its prompt a key's token stands."""

    def plant(self, branches: Sequence[Shared]) -> list[int] | None:
        """Where each of ``branches`` stands (0 to ``count``), after those that are new took the place of those that are
        not among them. None when there are too many.
        """
        alive = {id(branch) for branch in branches}
        self._standing = [one if id(one) in alive else None for one in self._standing]
        if len(branches) > self._count:
            return None
        places = {id(one): place for place, one in enumerate(self._standing)}
        free = [place for place, one in enumerate(self._standing) if one is None]
        for branch in branches:
            if id(branch) not in places:
                places[id(branch)] = free.pop(0)
                self._put(branch, places[id(branch)])
        return [places[id(branch)] for branch in branches]

    def _put(self, branch: Shared, place: int) -> None:
        start = place * self._places
        there = slice(start, start + len(branch.tokens))
        for mine, its in zip((*self.keys, *self.values), (*branch.keys, *branch.values), strict=True):
            mine[:, there] = its
        self.owner[start : start + self._places] = _UNUSED
        self.owner[there] = place
        self.positions[there] = torch.arange(branch.start, branch.end, device=self.positions.device)
        self._standing[place] = branch


def _like(shape: Shape) -> dict[str, Any]:
    return {"dtype": shape.dtype, "device": shape.device}


class Fixed(Step):
    """A step in which nothing but the contents of its tensors says what is computed."""

    def __init__(
        self,
        trunk: Shared | None,
        slots: Slots,
        lengths: Tensor,
        positions: Tensor,
        reads: Sequence[Read],
        grove: Grove | None,
        branch: Tensor,
    ) -> None:
        """``lengths`` [n]: tokens already in each slot; ``positions`` [n]: of the new tokens; ``branch`` [n]: where in
        the ``grove`` each row's branch stands.
        """
        # Which positions these are is not to be known when a step is recorded, so they may be any.
        super().__init__(trunk, slots, lengths, Positions(positions, 0, sys.maxsize), reads)
        self._grove = grove
        self._branch = branch

    def branch_view(self, which: int, window: int | None) -> View:
        """Of all branches side by side: masks [n, keys]."""
        assert self._grove is not None
        seen = self._grove.owner[None, :] == self._branch[:, None]
        if window is not None:
            seen &= self._grove.positions[None, :] > self.positions[:, None] - window
        return only(seen, self._dtype)

    def with_branches(self, layer: int, grouped: Tensor, own: Part, scale: float, window: int | None) -> Part:
        """All branches at once."""
        if self._grove is None:
            return own
        return merge(self.shared(self._grove.keys[layer], self._grove.values[layer], grouped, 0, scale, window), own)


class Steps:
    """The steps of a batch; called as `decode` is. The logits it returns are overwritten by its next step."""

    def __init__(
        self,
        module: Any,
        trunk: Shared | None,
        slots: Slots,
        recorder: Recorder,
        room: tuple[int, int] = (0, 0),
    ) -> None:
        """``room``: for how many branches at a time, and for how many tokens of each; where there are more branches, or
        a step cannot be recorded, steps run as they are.
        """
        self._module = module
        self._trunk = trunk
        self._slots = slots
        self._recorder = recorder
        self._grove = Grove(slots.shape, *room) if all(room) else None
        self._told = torch.zeros(4, slots.rows, dtype=torch.long, device=slots.shape.device)
        """[4, slots]: of each row its token, the tokens in its slot, the position, the branch."""
        self._logits: Tensor | None = None
        """[slots, vocabulary], made in the first step."""
        self._known: dict[tuple[int, ...], Callable[[], None] | None] = {}
        self.refused: str | None = None
        """Why the first step that could not be recorded could not."""

    def __call__(
        self,
        tokens: NDArray[np.int64],
        lengths: NDArray[np.int64],
        bases: NDArray[np.int64],
        branches: Sequence[tuple[Shared, Sequence[int]]],
    ) -> Tensor:
        """Append ``tokens`` [rows] to the first slots and return the logits after them: [rows, vocabulary].

        ``lengths`` [rows]: tokens already in each slot; ``bases`` [rows]: the position of a slot's first token;
        ``branches``: each with the rows that see it.
        """
        standing = self._grove.plant([branch for branch, _ in branches]) if self._grove else None
        if branches and standing is None:
            return decode(self._module, self._trunk, self._slots, tokens, lengths, bases, branches)
        rows = len(tokens)
        size = min(1 << (rows - 1).bit_length(), self._slots.rows)
        told = np.zeros((4, self._slots.rows), dtype=np.int64)
        told[3] = _NO_BRANCH
        told[:3, :rows] = tokens, lengths, bases + lengths
        for place, (_, its) in zip(standing or (), branches, strict=True):
            told[3, its] = place
        self._told.copy_(torch.from_numpy(told))
        self._step(size, plan_reads(self._slots, told[1, :size], _rounded))
        assert self._logits is not None
        return self._logits[:rows]

    def _step(self, size: int, reads: Sequence[Read]) -> None:
        """Run a step of ``size`` rows, recorded if one like it was run before."""
        shape = (size, *(read.places for read in reads))
        run = partial(self._run, size, reads)
        if shape not in self._known:
            self._known[shape] = None
            run()
            return
        recorded = self._known[shape]
        if recorded is None:
            recorded = self._known[shape] = self._recorded(run) or run
        recorded()

    def _recorded(self, run: Callable[[], None]) -> Callable[[], None] | None:
        """The recording, or None when there can be none: nothing has been run then."""
        try:
            return self._recorder(run)
        except Exception as error:  # whatever a device, a driver or a model refuses, memory among it
            cause: BaseException = error
            while cause.__context__ is not None:  # ending a recording that was spoilt raises an error of its own
                cause = cause.__context__
            first = str(cause).strip().partition("\n")[0]
            self.refused = self.refused or f"{type(cause).__name__}: {first}"
            return None

    def _run(self, size: int, reads: Sequence[Read]) -> None:
        tokens, lengths, positions, branch = self._told[:, :size]
        running = Fixed(self._trunk, self._slots, lengths, positions, reads, self._grove, branch)
        logits = forward(self._module, tokens[:, None], positions[:, None], 1, running)[:, -1]
        if self._logits is None:
            self._logits = logits.new_empty(self._slots.rows, logits.shape[-1])
        self._logits[:size] = logits
