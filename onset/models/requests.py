"""What a request may hold: checked once, the same way by every backend."""

from __future__ import annotations

from collections.abc import Sequence

from onset.errors import ModelError
from onset.records import Request


def check_requests(requests: Sequence[Request]) -> None:
    """Raises ModelError, with the place in the list, for a request that no model can serve."""
    for place, request in enumerate(requests):
        problem = _problem(request)
        if problem:
            raise ModelError(f"request {place}: {problem}")


def _problem(request: Request) -> str | None:
    if request.max_tokens < 1:
        return f"max_tokens must be at least 1, got {request.max_tokens}"
    if request.n < 1:
        return f"n must be at least 1, got {request.n}"
    if not 0.0 <= request.temperature < float("inf"):
        return f"temperature must be 0 or a positive number, got {request.temperature}"
    if request.temperature == 0.0 and request.n > 1:
        return f"temperature 0 is greedy and has one completion, got n={request.n}"
    if "" in request.stop:
        return "an empty stop string ends every text"
    return None
