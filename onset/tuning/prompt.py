"""Prompt tuning: embeddings of virtual tokens before the text are trained (Lester et al. 2021, arXiv 2104.08691).

{kind: prompt-tuning}                                     # begins as the first tokens of the examples
{kind: prompt-tuning, tokens: 100, begin: labels}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class PromptTuning(Beside):
    """``tokens`` virtual tokens, a soft prompt, whose embeddings are the weights.

    ``begin``: as the first tokens of the granted ``examples``; of a ``text``; as the ``labels``, a token each, the mean
    of its tokens' embeddings, and the rest from the vocabulary; from the ``vocabulary``, drawn from its first 5,000
    tokens, which most tokenizers order by frequency; or ``random`` (normal, standard deviation 0.02).

    A soft prompt is run by the model with every prompt: its tokens count like demonstrations, in training and in
    asking.
    """

    kind = "prompt-tuning"
    source = "Lester et al. 2021, arXiv 2104.08691, section 2"
    words = "Prompt tuning (a soft prompt)"
    backward = "forward and gradients of activations, over the soft prompt's tokens too"
    learning_rate = 1e-1
    trains = "tokens x the width of embeddings"
    tokens: int = Field(default=20, ge=1)
    begin: Literal["examples", "text", "labels", "vocabulary", "random"] = "examples"
    text: str = ""

    @model_validator(mode="after")
    def _together(self) -> PromptTuning:
        if (self.begin == "text") != bool(self.text):
            raise ValueError(
                f"'begin: text' and 'text' go together (received begin: {self.begin}, text: {self.text!r})"
            )
        return self

    @property
    def own_tokens(self) -> int:
        """The soft prompt's."""
        return self.tokens

    def starts(self) -> Sequence[Mapping[str, Any]]:
        """From the vocabulary, as the labels, at random, and as the examples, where it does not begin so."""
        plain = {"text": ""} if self.text else {}
        others = ("vocabulary", "labels", "random", "examples")
        return [{"begin": one, **plain} for one in others if one != self.begin]

    def trained(self, shapes: Shapes) -> int:
        """An embedding for each token."""
        return self.tokens * shapes.hidden

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """A soft prompt that begins as the settings say."""
        from onset.tuning import virtual

        module, _ = virtual.embedded(model, self._rows(model, seed, examples))
        before = virtual.virtual(model, self.tokens, given=False)
        return Put(module.requires_grad_(False), self.held(module), virtual=before)

    def _rows(self, model: HFModel, seed: int, examples: Sequence[Example]) -> torch.Tensor:
        from onset.tuning import virtual

        if not examples or self.begin == "random":
            width = model.module.get_input_embeddings().weight.shape[1]
            return virtual.drawn(model, seed, (self.tokens, width), 0.02)
        if self.begin == "text":
            return virtual.embeddings(model, virtual.text_ids(model, self.text, self.tokens))
        if self.begin == "examples":
            return virtual.embeddings(model, virtual.examples_ids(model, examples, self.tokens))
        return self._words(model, seed, examples if self.begin == "labels" else ())

    def _words(self, model: HFModel, seed: int, examples: Sequence[Example]) -> torch.Tensor:
        """The labels of ``examples``, as many as there is room for, and tokens of the vocabulary."""
        import torch

        from onset.tuning import virtual
        from onset.tuning.optimise import seeded

        device = model.module.get_input_embeddings().weight.device
        labels = list(dict.fromkeys(one.completion for one in examples))[: self.tokens]
        coded = [model.tokenizer(label, add_special_tokens=False)["input_ids"] for label in labels]
        rows = [virtual.embeddings(model, ids).mean(0, keepdim=True) for ids in coded]
        with seeded(seed, device):
            most = min(5000, model.module.get_input_embeddings().weight.shape[0])
            more = torch.randint(most, (self.tokens - len(rows),)).tolist()
        return torch.cat([*rows, virtual.embeddings(model, more)] if more else rows)

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """An adapter folder in peft's own layout (``PeftModel.from_pretrained`` reads it)."""
        from peft import PromptTuningConfig

        count, width = next(iter(self.held(tuned.module).values())).shape
        config = tuned.module.config.get_text_config()
        PromptTuningConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=count,
            token_dim=width,
            num_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_transformer_submodules=1,
            prompt_tuning_init="RANDOM",
            inference_mode=True,
        ).save_pretrained(str(folder))

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The embeddings, as peft calls them: [tokens, width]."""
        from onset.tuning.virtual import NAME

        return {"prompt_embeddings": module.get_submodule(NAME).weight}
