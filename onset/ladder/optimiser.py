"""Muon for matrices, Adam for the rest.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): the momentum of a matrix is replaced by the
nearest semi-orthogonal matrix, so that every direction moves by about the same amount. torch has it too
(``torch.optim.Muon``, from 2.9), one matrix at a time; matrices this small are bound by the number of operations, so
here all of one shape are taken together.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from onset.ladder.recipe import Optimiser

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration in the source: steep at 0, and not exact at 1 (singular values end in about 0.7 to 1.2)."""


def orthogonalise(matrices: torch.Tensor, iterations: int) -> torch.Tensor:
    """Each matrix (``... x rows x columns``) with its singular values pushed towards 1 by a Newton-Schulz iteration.

    In bfloat16 on a GPU, as in the source, in float32 elsewhere.
    """
    x: torch.Tensor = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class MuonAdam:
    """Steps of ``settings`` over the parameters of ``module``, a model of ``width``: Muon for every matrix that is no
    embedding, Adam for everything else.
    """

    def __init__(self, module: torch.nn.Module, width: int, settings: Optimiser) -> None:
        self.settings = settings
        self._muon_rate, self._adam_rate = settings.muon_rate(width), settings.adam_rate(width)
        embeddings = {id(part.weight) for part in module.modules() if isinstance(part, torch.nn.Embedding)}
        shapes: dict[torch.Size, list[torch.Tensor]] = {}
        self._vectors: list[torch.Tensor] = []
        for parameter in module.parameters():  # a tied matrix comes once
            if parameter.ndim == 2 and id(parameter) not in embeddings:
                shapes.setdefault(parameter.shape, []).append(parameter)
            else:
                self._vectors.append(parameter)
        self._matrices = list(shapes.values())
        self._momenta = [torch.zeros(len(same), *same[0].shape, device=same[0].device) for same in self._matrices]
        self._means = [torch.zeros_like(parameter) for parameter in self._vectors]
        self._squares = [torch.zeros_like(parameter) for parameter in self._vectors]
        self._steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change the parameters by their gradients, clipped together, at ``rate`` of the peak learning rates; the
        gradients are spent.
        """
        parameters = [one for same in self._matrices for one in same] + self._vectors
        torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip, foreach=True)
        self._steps += 1
        for same, momentum in zip(self._matrices, self._momenta, strict=True):
            self._muon(same, momentum, rate * self._muon_rate)
        self._adam(rate * self._adam_rate)
        for parameter in parameters:
            parameter.grad = None

    def _muon(self, same: list[torch.Tensor], momentum: torch.Tensor, rate: float) -> None:
        gradient = torch.stack([_gradient(parameter) for parameter in same])
        momentum.lerp_(gradient, 1 - self.settings.momentum)
        ahead = torch.lerp(gradient, momentum, self.settings.momentum)  # Nesterov
        update = orthogonalise(ahead, self.settings.newton_schulz)
        rows, columns = same[0].shape
        weights = torch.stack(same).mul_(1 - rate * self.settings.weight_decay)
        weights.sub_(update, alpha=rate * math.sqrt(max(1.0, rows / columns)))
        torch._foreach_copy_(same, list(weights.unbind(0)))

    def _adam(self, rate: float) -> None:
        first, second = self.settings.betas
        gradients = [_gradient(parameter) for parameter in self._vectors]
        torch._foreach_lerp_(self._means, gradients, 1 - first)
        torch._foreach_mul_(self._squares, second)
        torch._foreach_addcmul_(self._squares, gradients, gradients, 1 - second)
        scale = torch._foreach_div(self._squares, 1 - second**self._steps)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, self.settings.epsilon)
        torch._foreach_addcdiv_(self._vectors, self._means, scale, -rate / (1 - first**self._steps))

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on with the same bits."""
        return {"momenta": self._momenta, "means": self._means, "squares": self._squares, "steps": self._steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        for name in ("momenta", "means", "squares"):
            for mine, saved in zip(getattr(self, f"_{name}"), state[name], strict=True):
                mine.copy_(saved)
        self._steps = state["steps"]


def _gradient(parameter: torch.Tensor) -> torch.Tensor:
    if parameter.grad is None:
        raise ValueError(f"a parameter of shape {tuple(parameter.shape)} has no gradient")
    return parameter.grad
