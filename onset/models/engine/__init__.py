"""The engine: one prefill for what prompts have in common, many answers.

Few-shot evaluation asks thousands of questions behind one long beginning, and voting asks each question forty times.
The engine runs the beginning once, keeps one copy of its keys and values, and lets every row attend to that copy. For
any transformers decoder that passes the probe; the figure and the reasons are in docs/engine.md. In reading order:

    storage   what is kept: keys and values that rows share (`Shared`), and each row's own (`Slots`)
    merge     attention over parts of the keys, put together by their log-sum-exp
    window    sliding windows: which of the keys a query sees
    hook      how a forward pass of transformers reaches all this
    linear    linear layers on a CPU
    head      the output layer in half precision on a CPU
    encode    mode 1: the common beginning, one row
    prefill   mode 2: many questions behind it, packed without padding
    decode    mode 3: one token more for every row
    fixed     the same in fixed shapes, recorded and played again, for a GPU
    groups    which prompts share a beginning, read off their tokens
    memory    how many rows fit
    machine   what all of this runs on
    refill    the loop: rows wait, run, finish and are replaced
    scoring   log-probabilities of continuations, as trees behind the beginning
    probing   does the engine compute what the model computes by itself?
"""

from onset.models.engine.encode import Trunks
from onset.models.engine.fixed import CudaGraphs, Recorder
from onset.models.engine.machine import Machine
from onset.models.engine.probing import Unfit, probe, probe_recording
from onset.models.engine.refill import generate
from onset.models.engine.scoring import score
from onset.models.engine.storage import Shape, Spare

__all__ = [
    "CudaGraphs",
    "Machine",
    "Recorder",
    "Shape",
    "Spare",
    "Trunks",
    "Unfit",
    "generate",
    "probe",
    "probe_recording",
    "score",
]
