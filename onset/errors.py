"""The exceptions Onset raises, and the exit code each one ends the command with.

    OnsetError                     base of all; ``exit_code`` 2 unless said otherwise
    ├── InputError                 what the user gave cannot be used
    │   ├── UnknownName            a name that is in no table (with a did-you-mean)
    │   ├── StudyError             a study file that does not validate
    │   ├── DataError              a data file: missing, a bad row, duplicates, overlap, too few
    │   ├── ExecutorError          workers that cannot be started, or a cluster that is not there or has no room
    │   └── ModelError             a model that cannot be loaded or does not fit the request
    │       ├── RequestRefused     one request that a server will not answer: its item fails
    │       ├── OutOfMemory        the least that can be run at once is more than memory holds
    │       ├── TooLong            examples to train on that fit no context of the model, or no schedule
    │       └── Diverged           training whose loss or gradient became infinite or no number
    ├── PlanMismatch               a method used examples its plan does not hold
    ├── StoreError                 a results folder: of another study, in use, unwritable, disk full
    │   └── Damaged                a file in it that is not as it was written (exit code 1)
    ├── MethodError                a method could not do what it does, once for a cell or with what it got
    │   └── NotInstalled           a package or a program that it needs is not there
    ├── ItemsFailed                the method raised an error at every item of a cell
    ├── Unanswered                 an answer is yet to come, of a batch: what asked for it waits, and nothing fails
    ├── CellsFailed                more cells failed than the error budget allows (exit code 1)
    └── Interrupted                a run was stopped: Ctrl-C (exit code 130) or SIGTERM (143)

Every message is one line that says what is wrong, where, what was received and what is allowed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class OnsetError(Exception):
    """Base of every error Onset raises on purpose."""

    exit_code = 2


class InputError(OnsetError):
    """Something the user gave cannot be used."""


class UnknownName(InputError, KeyError):
    """A name that is in no table.

    >>> str(UnknownName("task", "gms8k", ["gsm8k", "bbh"]))
    "unknown task 'gms8k': did you mean 'gsm8k'? Known: bbh, gsm8k"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f": did you mean '{close[0]}'?" if close else "."
        self.message = f"unknown {kind} '{name}'{hint} Known: {', '.join(names)}"
        super().__init__(self.message)

    def __str__(self) -> str:  # KeyError would print the repr
        return self.message


class StudyError(InputError):
    """A study file that does not validate."""


class DataError(InputError):
    """A data file that is missing, malformed, duplicated, overlapping or too small."""


class ExecutorError(InputError):
    """Who is to run a study cannot: workers that do not start, a cluster that is not there or lacks what is asked."""


class ModelError(InputError):
    """A model that cannot be loaded, or cannot serve what is asked of it."""


class RequestRefused(ModelError):
    """One request that a server will not answer; others it may. ``key``: of the request that it complains of."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class OutOfMemory(ModelError):
    """The least that can be run at once is more than the memory of this machine holds now."""


class TooLong(ModelError):
    """Examples to train on that do not fit a model's context, or what a schedule allows: they never will."""


class Diverged(ModelError):
    """Training that was stopped because ``what`` (the loss, the gradient) of ``step`` (of ``steps``, from 1) is
    ``value``, no finite number, at the peak learning ``rate``. The same run diverges again; ``kept``: the file in which
    an earlier one noted it.
    """

    def __init__(
        self, what: str, value: float | str, step: int, steps: int, rate: float, kept: str | None = None
    ) -> None:
        again = "" if kept is None else f"; not tried again, since it would do the same: remove {kept} to try it"
        super().__init__(
            f"tuning diverged: the {what} of step {step} of {steps} is {value} at a peak learning rate of"
            f" {rate:g}{again}"
        )
        self.what, self.value, self.step, self.steps, self.rate = what, str(value), step, steps, rate

    def to_json(self) -> dict[str, str | int | float]:
        """What `__init__` takes, but ``kept``."""
        return {
            "what": self.what,
            "value": self.value,
            "step": self.step,
            "steps": self.steps,
            "rate": self.rate,
        }


class PlanMismatch(OnsetError):
    """A method consumed labelled examples that its example plan does not grant."""


class StoreError(OnsetError):
    """A results folder that cannot be used or written."""


class Damaged(StoreError):
    """A file of a results folder that is not as it was written: ``name`` is damaged, ``why``, and the ``remedy``."""

    exit_code = 1

    def __init__(self, name: str, why: str, remedy: str | None = None) -> None:
        super().__init__(f"damaged file {name}: {why}" + ("" if remedy is None else f"; {remedy}"))
        self.name, self.why, self.remedy = name, why, remedy

    def __reduce__(self) -> tuple[type[Damaged], tuple[str, str, str | None]]:
        return Damaged, (self.name, self.why, self.remedy)


class MethodError(OnsetError):
    """A method could not prepare what it needs before its first item, or cannot use what a model gave it."""


class NotInstalled(MethodError):
    """A package or a program that a method needs is not on this machine."""


class ItemsFailed(OnsetError):
    """A method raised an error at every item of a cell."""


class Unanswered(OnsetError):
    """An answer that is yet to come (`onset batch`): what asked for it waits. Nothing failed, nothing is stored."""


class CellsFailed(OnsetError):
    """More cells failed than the study's error budget allows."""

    exit_code = 1


class Interrupted(OnsetError):
    """A run was stopped from the keyboard, or by SIGTERM (``exit_code`` 143); what was finished is kept."""

    exit_code = 130

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code
