"""The ladder's tokenizer: BPE of 1,024 tokens over bytes (Sennrich et al. 2016, arXiv 1508.07909).

Lines are split off first, then single digits with the space before them, so that " 16" is the two tokens " 1" and "6"
and a sum can be done digit by digit. One special token, ``<eos>`` (id 0), stands before each document. A statement of
the world is about eight tokens. All models of the ladder share the tokenizer that comes with their weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from onset.errors import InputError
from onset.ladder.rungs import folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 1024
END_OF_TEXT = "<eos>"
LARGEST_VOCABULARY = 2**15
"""Corpora are kept as signed 16-bit integers."""


def train(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A tokenizer of at most ``vocabulary`` tokens (257 to `LARGEST_VOCABULARY`) learnt from ``texts``.

    Raises InputError for a vocabulary out of range.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if not 257 <= vocabulary <= LARGEST_VOCABULARY:
        raise InputError(f"a vocabulary is 257 to {LARGEST_VOCABULARY} tokens, received {vocabulary}")
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n"), "isolated"),
            pre_tokenizers.Split(Regex(r" ?\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def shipped_file() -> Path:
    """The ``tokenizer.json`` that all shipped models share."""
    return folder("r0") / "tokenizer.json"


def load(path: Path | None = None) -> Tokenizer:
    """The tokenizer in ``path`` (default: the shipped one).

    Raises InputError when there is no such file, when it is no tokenizer, when its ``<eos>`` is not id 0, or when it
    has more than `LARGEST_VOCABULARY` tokens.
    """
    from tokenizers import Tokenizer

    path = path or shipped_file()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the tokenizer {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        loaded = Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare exceptions
        raise InputError(f"{path} is no tokenizer.json: {error}") from None
    if loaded.token_to_id(END_OF_TEXT) != 0:
        raise InputError(f"{path}: the ladder needs '{END_OF_TEXT}' as token 0, found {loaded.id_to_token(0)!r}")
    if loaded.get_vocab_size() > LARGEST_VOCABULARY:
        raise InputError(f"{path} has {loaded.get_vocab_size()} tokens, at most {LARGEST_VOCABULARY} are possible")
    return loaded


_PIECE = re.compile(r"\n| ?\d| ?[A-Za-z]+| ?[^\sA-Za-z\d]+")
_UNUSUAL = re.compile(r"[^\n -~]|'|<|  | \n| $")
"""What the pieces above do not split as the tokenizer does: anything but ASCII, contractions, special tokens, and
spaces that stand before no word.
"""


class Encoder:
    """The same tokens as the tokenizer's, several times faster on text whose words repeat.

    The text is cut into the words, digits and marks that the tokenizer merges within, and the tokens of each are
    remembered. Text with anything unusual in it goes to the tokenizer itself.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._pieces = _Pieces(tokenizer)

    def __call__(self, text: str) -> list[int]:
        """Token ids of ``text``, without ``<eos>``."""
        if _UNUSUAL.search(text):
            return list(self._tokenizer.encode(text).ids)
        return list(chain.from_iterable(map(self._pieces.__getitem__, _PIECE.findall(text))))


class _Pieces(dict[str, tuple[int, ...]]):
    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, piece: str) -> tuple[int, ...]:
        ids = self[piece] = tuple(self._tokenizer.encode(piece).ids)
        return ids
