"""Tiny random models with a tokenizer trained on the spot, and plain transformers as the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from onset.records import Request

TEXT = (
    "Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?\nAnswer: Pam has 17 - 7 = 10. "
    "The answer is 10.\n\nQuestion: Is the sky blue?\nAnswer: Yes, the sky is blue: naïve façade, 漢字, 😀.\n\n"
)

VOCABULARY = 340

PROMPTS = [
    "Question: Is it?\nAnswer:",
    TEXT * 2 + "Question: How many keys does Ray own?\nAnswer:",
    "Ray",
    TEXT + "Question: Is the façade blue? 😀",
    "Question: How many keys does Pam have? Pam has 7 fewer.\nAnswer:",
]


def tokenizer(*, bos: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of `VOCABULARY` tokens; ``bos``: put <bos> before every text, as Gemma's does."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<eos>", "<bos>"], initial_alphabet=alphabet)
    )
    if bos:
        tok.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tok, eos_token="<eos>", bos_token="<bos>")


def llama(*, tied: bool = False, hidden: int = 32, context: int = 512) -> LlamaForCausalLM:
    """Two layers, grouped queries, large random weights: its texts are varied."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.4,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=0,
    )
    return LlamaForCausalLM(config)


def gemma3(*, tied: bool = False, window: int = 16) -> Gemma3ForCausalLM:
    """One sliding-window and one full layer; prompts are longer than the window."""
    torch.manual_seed(2)
    config = Gemma3TextConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=8,
        query_pre_attn_scalar=8,
        max_position_embeddings=512,
        sliding_window=window,
        layer_types=["sliding_attention", "full_attention"],
        initializer_range=0.4,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=0,
        pad_token_id=0,
    )
    return Gemma3ForCausalLM(config)


def qwen2() -> Qwen2ForCausalLM:
    """Biases of queries, keys and values alone, none of them zero; tied embeddings."""
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.4,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=0,
    )
    return _with_biases(Qwen2ForCausalLM(config))


def gpt2(*, hidden: int = 32, context: int = 512) -> GPT2LMHeadModel:
    """Learnt positions, one layer for queries, keys and values, biases everywhere; no dropout."""
    torch.manual_seed(4)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=hidden,
        n_layer=2,
        n_head=4,
        n_positions=context,
        initializer_range=0.4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=1,
        eos_token_id=0,
    )
    return _with_biases(GPT2LMHeadModel(config))


def gpt_neox() -> GPTNeoXForCausalLM:
    """As Pythia: queries, keys and values of a head beside each other, a quarter of each rotated, separate head."""
    torch.manual_seed(5)
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        initializer_range=0.4,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=0,
    )
    return _with_biases(GPTNeoXForCausalLM(config))


def _with_biases(module: Any) -> Any:
    """Biases that begin at zero, as most do, would hide one that is left out."""
    for name, weight in module.named_parameters():
        if name.endswith(".bias"):
            torch.nn.init.normal_(weight, std=0.1)
    return module


def save(folder: Path, module: Any, tok: Any) -> Path:
    """A model folder as users have them."""
    module.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


CLASSIFIER_SIZE: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 80, "num_labels": 3, "initializer_range": 0.9,
}  # fmt: skip
CLASSIFIERS = {
    "bert": lambda **more: BertForSequenceClassification(BertConfig(**CLASSIFIER_SIZE, **more)),
    "deberta": lambda **more: DebertaV2ForSequenceClassification(
        DebertaV2Config(**CLASSIFIER_SIZE, relative_attention=True, pos_att_type=["c2p", "p2c"], **more)
    ),
    "roberta": lambda **more: RobertaForSequenceClassification(
        RobertaConfig(**CLASSIFIER_SIZE, type_vocab_size=1, pad_token_id=1, **more)
    ),
}
NLI_LABELS = {0: "contradiction", 1: "NEUTRAL", 2: "Entailment"}


def save_nli(folder: Path, kind: str = "bert", labels: dict[int, str] | None = None, seed: int = 3) -> Path:
    """A tiny classifier with random weights, as users have one."""
    torch.manual_seed(seed)
    named = labels or NLI_LABELS
    module = CLASSIFIERS[kind](id2label=named, label2id={name: place for place, name in named.items()})
    tok = tokenizer(bos=False)
    tok._tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", pair="<bos> $A <eos> $B:1 <eos>:1", special_tokens=[("<eos>", 0), ("<bos>", 1)]
    )
    module.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def plain_greedy(module: Any, tok: Any, request: Request) -> tuple[str, int]:
    """What plain ``generate`` makes of one prompt alone: text up to the first stop string, and tokens."""
    inputs = tok([request.prompt], return_tensors="pt").to(module.device)
    inputs.pop("token_type_ids", None)
    stopping = {"stop_strings": list(request.stop), "tokenizer": tok} if request.stop else {}
    out = module.generate(**inputs, do_sample=False, max_new_tokens=request.max_tokens, **stopping)
    new = out[0, inputs["input_ids"].shape[1] :]
    text = tok.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    places = [place for stop in request.stop if (place := text.find(stop)) >= 0]
    return (text[: min(places)] if places else text), len(new)


def plain_logprob(module: Any, ids: list[int], start: int) -> float:
    """Sum of the log-probabilities of ``ids[start:]``, from one forward pass over the whole text."""
    with torch.no_grad():
        logits = module(torch.tensor([ids], device=module.device)).logits[0].double()
    table = logits.log_softmax(-1)
    return float(sum(table[place - 1, ids[place]] for place in range(start, len(ids))))
