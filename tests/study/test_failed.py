"""What a run says at its end of cells that failed: what may be tried again, and what would do the same."""

from __future__ import annotations

import pytest

from onset.errors import CellsFailed, Diverged
from onset.study.runner import Summary, check_failed
from onset.study.spec import make_study

STUDY = make_study(name="x", models=["m"], tasks=["gsm8k"], methods=["cot"], labels=8, seeds=1, items=9)
DIVERGED = f"Diverged: {Diverged('loss', 'nan', 3, 60, 0.5)}"


@pytest.mark.parametrize(
    ("causes", "end"),
    [
        ([DIVERGED, DIVERGED], "a run does not try again what diverged: lower its learning rate"),
        ([DIVERGED, "ModelError: x"], "run again to retry all but the 1 that diverged: lower their learning rate"),
        (["ModelError: x", "ModelError: y"], "run again to retry"),
    ],
)
def test_what_diverged_is_not_to_be_run_again(causes: list[str], end: str) -> None:
    failed = {f"c{place}": cause for place, cause in enumerate(causes)}
    with pytest.raises(CellsFailed) as stopped:
        check_failed(Summary(cells=4, ran=2, kept=0, failed=failed), STUDY, "D")
    first = f"2 of 4 cells failed (budget 0%); first: {causes[0]}; what succeeded is in D, "
    assert str(stopped.value) == first + end
