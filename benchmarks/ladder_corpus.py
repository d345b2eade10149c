"""How fast documents of the ladder are made and encoded: megabytes of text and tokens a second of one core.

    python benchmarks/ladder_corpus.py [--shards 8]

Processor time is counted, not the clock, so that a busy machine says (nearly) the same.
"""

from __future__ import annotations

import argparse
import time

from onset.ladder.corpora import MIXTURES, Corpus
from onset.ladder.shards import Source


def measure(mixture: str, shards: int) -> str:
    source = Source(Corpus(mixture)).open()
    begun = time.process_time()
    characters = tokens = 0
    for shard in range(shards):
        for document in source.documents(shard):
            characters += len(document.text)
            tokens += len(document.ids) + 1
    seconds = time.process_time() - begun
    return (
        f"{mixture:9} {characters / seconds / 1e6:6.2f} MB/s {tokens / seconds / 1e6:6.2f} million tokens/s "
        f"({characters / tokens:.2f} characters a token)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=8, help="how much is made: shards of 262,144 tokens")
    shards = parser.parse_args().shards
    for mixture in MIXTURES:
        print(measure(mixture, shards))


if __name__ == "__main__":
    main()
