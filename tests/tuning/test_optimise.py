"""Steps of an optimiser: memory that runs out, runs that diverge, gradients of a caller's own."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import llama  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, bytes_of, hf_model  # noqa: E402

from onset.errors import Diverged, ModelError  # noqa: E402
from onset.tuning import loop, optimise  # noqa: E402
from onset.tuning.base import Schedule, TuningReport  # noqa: E402
from onset.tuning.checkpoint import Checkpoint  # noqa: E402
from onset.tuning.full import Full  # noqa: E402
from onset.tuning.lora import LoRA  # noqa: E402
from onset.tuning.optimise import Micro, Taken, Trace  # noqa: E402

SCHEDULE = Schedule(steps=3, batch_size=6, learning_rate=1e-3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def by_torch() -> None:
    """What torch raises on a CPU without memory."""
    torch.empty(1 << 56, dtype=torch.uint8)


def by_cuda() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def by_python() -> None:
    raise MemoryError


def scarce(monkeypatch: pytest.MonkeyPatch, tokens: int, fail: Callable[[], None]) -> list[int]:
    """Memory for passes of so many padded tokens, and no more; returns the sizes of those that were run."""
    whole, run = loop.completion_loss, []

    def limited(module: Any, rows: Sequence[loop.Encoded], pad: int) -> Any:
        loss = whole(module, rows, pad)  # memory runs out after the forward pass
        size = len(rows) * max(len(row.ids) for row in rows)
        if size > tokens:
            fail()
        run.append(size)
        return loss

    monkeypatch.setattr(loop, "completion_loss", limited)
    return run


@pytest.mark.parametrize("fail", [by_torch, by_cuda, by_python])
def test_where_memory_runs_out_passes_are_halved_and_that_is_recorded(
    fail: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = hf_model(llama())
    whole, report = Full().tune(model, EXAMPLES, SEEDS, SCHEDULE)
    assert report.micro_tokens is None
    assert "micro_tokens" not in report.to_json()
    run = scarce(monkeypatch, 64, fail)
    parts, scant = Full().tune(model, EXAMPLES, SEEDS, SCHEDULE)
    assert scant.micro_tokens is not None
    assert 32 < scant.micro_tokens <= 64
    assert max(run) <= scant.micro_tokens
    assert len(run) > SCHEDULE.steps
    assert TuningReport(**scant.to_json()) == scant
    assert scant.to_json()["micro_tokens"] == scant.micro_tokens
    assert (scant.tokens, scant.flops, scant.steps) == (report.tokens, report.flops, report.steps)
    assert scant.last_loss == pytest.approx(report.last_loss, rel=1e-4)
    of_whole = bytes_of(whole)
    for name, weight in bytes_of(parts).items():
        torch.testing.assert_close(weight, of_whole[name], rtol=1e-3, atol=2e-5)


def test_an_example_too_large_for_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    scarce(monkeypatch, 10, by_torch)
    longest = min(len(row.ids) for row in loop.encode(hf_model(llama()).tokenizer, EXAMPLES, 512))
    message = re.escape(
        f"out of memory: one training example of {longest} tokens does not fit on cpu with its gradients;"
        " leave long examples out, or use a smaller model"
    )
    with pytest.raises(ModelError, match=f"^{message}$"):
        Full().tune(hf_model(llama()), EXAMPLES, SEEDS, SCHEDULE)


def test_moments_too_large_for_memory_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda _: by_torch())
    with pytest.raises(ModelError, match=r"^out of memory: \d+ weights are trained, whose gradients and two moments"):
        LoRA(rank=2).tune(hf_model(llama()), EXAMPLES, SEEDS, SCHEDULE)


def test_other_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("something else")

    scarce(monkeypatch, 10, fail)
    with pytest.raises(RuntimeError, match=r"^something else$"):
        Full().tune(hf_model(llama()), EXAMPLES, SEEDS, SCHEDULE)


def test_a_resumed_run_knows_what_memory_was_enough_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(done: int, _: int) -> None:
        if done == 2:
            raise Killed

    model = hf_model(llama())
    with monkeypatch.context() as patch:
        scarce(patch, 64, by_torch)
        _, report = Full().tune(model, EXAMPLES, SEEDS, SCHEDULE)
        with pytest.raises(Killed):
            Full().tune(model, EXAMPLES, SEEDS, SCHEDULE, kill, Checkpoint(tmp_path / "c", every=0))
    _, resumed = Full().tune(model, EXAMPLES, SEEDS, SCHEDULE, None, Checkpoint(tmp_path / "c"))  # memory is there now
    assert resumed == report
    assert resumed.micro_tokens is not None


def test_groups_of_a_batch() -> None:
    def lengths(tokens: int, extra: int, *rows: int) -> list[list[int]]:
        return [list(map(len, one)) for one in Micro(tokens, extra).groups(["a" * n for n in rows], len)]

    assert lengths(1000, 0, 9, 3, 5, 4, 20) == [[3], [4], [5], [9], [20]]
    assert lengths(1000, 64, 9, 3, 5, 4, 20) == [[3, 4, 5, 9, 20]]
    assert lengths(1000, 64, 10, 10, 200, 12) == [[10, 10, 12], [200]]  # padding to 200 is more than a pass
    assert lengths(30, 64, 10, 10, 200, 10, 10) == [[10], [10, 10, 10], [200]]


@pytest.mark.parametrize("seed", range(20))
def test_groups_cost_least_of_all_ways_to_cut(seed: int) -> None:
    draw = random.Random(seed)
    rows = sorted(draw.randint(1, 60) for _ in range(8))
    tokens, extra = draw.choice([40, 90, 1000]), draw.choice([0, 5, 40])

    def cost(groups: Sequence[Sequence[int]]) -> int:
        return sum(extra + len(one) * max(one) for one in groups)

    def ways(rest: list[int]) -> Iterator[list[list[int]]]:
        if not rest:
            yield []
        for cut in range(1, len(rest) + 1):
            if cut == 1 or cut * rest[cut - 1] <= tokens:
                yield from ([rest[:cut], *more] for more in ways(rest[cut:]))

    found = Micro(tokens, extra).groups(draw.sample(rows, 8), lambda row: row)
    assert [row for group in found for row in group] == rows
    assert cost(found) == min(map(cost, ways(rows)))


class Line(torch.nn.Module):
    """w in the loss (w - 3)^2 + noise."""

    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(1))


def run_line(steps: int, rate: float = 0.1, explode: int | None = None, **arguments: Any) -> tuple[Trace, Line]:
    module = Line()

    def gradients(step: int) -> Taken:
        loss = (module.w - 3).square().sum() + 0.01 * torch.randn(())
        (loss * (torch.inf if step == explode else 1)).backward()
        return Taken(loss.item(), 2, {"reward": float(step)})

    schedule = Schedule(steps=steps, learning_rate=rate, clip=100.0)
    return optimise.optimise(module, gradients, SEEDS, schedule, **arguments), module


def test_gradients_of_a_callers_own_are_followed_and_their_figures_kept() -> None:
    trace, module = run_line(120)
    assert module.w.item() == pytest.approx(3, abs=0.1)
    assert not module.w.requires_grad
    assert trace.figures == {"reward": tuple(float(step) for step in range(1, 121))}
    assert (len(trace.losses), trace.tokens) == (120, 240)


def test_figures_and_draws_of_a_resumed_run_are_those_of_a_whole_one(tmp_path: Path) -> None:
    whole, module = run_line(9)

    class Killed(BaseException):
        pass

    def kill(done: int, _: int) -> None:
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        run_line(9, progress=kill, checkpoint=Checkpoint(tmp_path / "c", every=0))
    seen: list[int] = []
    again, resumed = run_line(
        9, progress=lambda done, _: seen.append(done), checkpoint=Checkpoint(tmp_path / "c", every=0)
    )
    assert seen == [5, 6, 7, 8, 9]
    assert again == whole
    assert torch.equal(module.w, resumed.w)


@pytest.mark.parametrize("step", [1, 3])
def test_a_gradient_that_is_not_finite_stops_the_run_at_its_step(step: int) -> None:
    """At the last step too, after which no loss would show it."""
    with pytest.raises(
        Diverged, match=rf"^tuning diverged: the gradient of step {step} of 3 is inf at a peak"
    ) as stopped:
        run_line(3, explode=step)
    assert (stopped.value.step, stopped.value.steps, stopped.value.rate) == (step, 3, 0.1)
    assert isinstance(stopped.value, ModelError)
    assert str(Diverged(**stopped.value.to_json())) == str(stopped.value)


def test_a_schedule_without_a_rate_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="names no learning rate"):
        run_line(3, rate=None)  # type: ignore[arg-type]
