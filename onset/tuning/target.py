"""What a teacher says at each token of a text: the target of tuning by its distribution in place of the tokens.

A teacher is a model's own module, frozen, that reads another prompt before the same text. Of what it says the last
hidden states are kept, and the output head is applied anew when the target is wanted: logits of a large vocabulary
would fill the memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from onset.errors import TooLong
from onset.records import content_hash
from onset.tuning.base import Example

if TYPE_CHECKING:
    from onset.models.hf import HFModel


@dataclass(frozen=True, eq=False)
class Target:
    """The teacher's distributions at the completion tokens ``ids`` of a text, its end-of-text token the last.

    ``states`` are the teacher's last hidden states, [1, tokens, hidden], of which ``head`` makes logits; where a model
    does more to them than that, ``states`` are the logits, [1, tokens, vocabulary], and there is no ``head``. ``ran``:
    the tokens that the teacher read for it (its head is run again in every step of training, which is not counted).
    """

    ids: tuple[int, ...]
    states: torch.Tensor
    head: Any
    ran: int

    def logprobs(self) -> torch.Tensor:
        """Log-probabilities (nats), [tokens, vocabulary], float32, without a gradient."""
        with torch.no_grad():
            logits = self.states if self.head is None else self.head(self.states)
            return torch.nn.functional.log_softmax(logits[0].float(), dim=-1)

    @property
    def hash(self) -> str:
        """16 hex digits of tokens and states."""
        states = hashlib.sha256(self.states.float().cpu().numpy().tobytes()).hexdigest()
        return content_hash([self.ids, states])


def target_of(model: HFModel, example: Example) -> Target:
    """What ``model`` says at the completion of ``example``, read by itself.

    Raises ModelError as `onset.tuning.loop.encode` does, TooLong where the text does not fit the model's context.
    """
    from onset.tuning.loop import encode_one  # which knows of targets

    row = encode_one(model.tokenizer, example)
    context = model.facts.known("context")
    if len(row.ids) > context:
        raise TooLong(f"a text to distil has {len(row.ids)} tokens, model '{model.facts.name}' a context of {context}")
    module = model.module.eval()
    head, places = module.get_output_embeddings(), slice(row.start - 1, len(row.ids) - 1)
    held: list[torch.Tensor] = []

    def kept(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        held.append(inputs[0][:, places].clone())  # position t predicts token t + 1
        return (held[0],)

    hook = None if head is None else head.register_forward_pre_hook(kept)
    try:
        with torch.no_grad():
            ids = torch.tensor([row.ids], device=module.get_input_embeddings().weight.device)
            logits = module(input_ids=ids, use_cache=False).logits
    finally:
        if hook is not None:
            hook.remove()
    own = row.ids[row.start :]
    if not held:
        return Target(own, logits[:, places].clone(), None, len(row.ids))
    with torch.no_grad():
        alone = torch.equal(head(held[0]), logits)  # not where logits are scaled or capped after it
    return Target(own, held[0] if alone else logits.clone(), head if alone else None, len(row.ids))
