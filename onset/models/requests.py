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
    return _problem_of_length(request) or _problem_of_drawing(request)


def _problem_of_length(request: Request) -> str | None:
    if request.max_tokens < 1:
        return f"max_tokens must be at least 1, got {request.max_tokens}"
    if request.thinking is not None and not 1 <= request.thinking.tokens < request.max_tokens:
        return f"thinking may take 1 to {request.max_tokens - 1} of its max_tokens, got {request.thinking.tokens}"
    if request.thinking is not None and "" in (request.thinking.start, request.thinking.end):
        return "an empty mark of thinking is in every text"
    if "" in request.stop:
        return "an empty stop string ends every text"
    return None


def _problem_of_drawing(request: Request) -> str | None:
    if request.n < 1:
        return f"n must be at least 1, got {request.n}"
    if not 0.0 <= request.temperature < float("inf"):
        return f"temperature must be 0 or a positive number, got {request.temperature}"
    if request.temperature == 0.0 and request.n > 1:
        return f"temperature 0 is greedy and has one completion, got n={request.n}"
    if not 0.0 < request.top_p <= 1.0:
        return f"top_p must be above 0 and at most 1, got {request.top_p}"
    if request.top_k is not None and request.top_k < 1:
        return f"top_k must be at least 1, got {request.top_k}"
    return None
