"""The same bits from run to run.

What is promised: on one machine with one number of threads (``OMP_NUM_THREADS``), the same versions,
dtype and ``batch_tokens``, float32 on a CPU, two runs of the same requests in the same order give the
same texts and log-probabilities, and two tunings on the same examples and seeds the same weights, bit
for bit. That is what lets a study resumed after a crash end with the bytes of an uninterrupted one.

What stands in the way: Intel's MKL, which torch multiplies matrices with on x86, picks kernels by the
alignment of the memory it is handed, and those differ in the last bits: the product of a 1 x 640 and
a 640 x 2048 float32 matrix had four values over 24 placements in memory (MKL 2024.2, an AVX-512
machine, 1 and 2 threads), attention up to sixteen. In its conditional numerical reproducibility mode
(``MKL_CBWR``) it had one, at no cost that could be measured. ``AUTO`` is that mode with the machine's
own instructions; ``COMPATIBLE``, the same on all machines, took twice the time. The ``STRICT`` modes,
meant to be independent of the number of threads, still differed between 1 and 2 threads on some
shapes, so nothing is promised across numbers of threads.

Not promised: the same bits on another machine, with another number of threads or on a GPU (there
generation and scoring repeat in practice, while the backward pass of attention adds in any order).
"""

from __future__ import annotations

import os

SETTINGS = {
    "MKL_CBWR": "AUTO",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}
"""Environment variables read when the maths libraries start: MKL's reproducible mode; a fixed workspace
for cuBLAS, without which its results depend on what ran on other streams; and, for the memory's sake, how many
kernels oneDNN keeps, which it makes anew for each number of rows: with 1,024 they took 0.13 GiB, and runs no less
time."""


def make_reproducible() -> None:
    """Set what the promise above needs. Call once, before torch is imported: a library that has started
    does not look again. A variable that the user has set is left as it is.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
