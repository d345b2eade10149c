"""The granted examples' worked steps and answers.

Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
Answer: Pam has 17 - 7 = 10. The answer is 10.
"""

from __future__ import annotations

from onset.tuning.materials.answers import Answers
from onset.tuning.materials.base import Format


class Rationales(Answers):
    """Questions with their worked steps and answers; the tuned model is asked so, without demonstrations."""

    kind = "rationales"
    source = "Cobbe et al. 2021, arXiv 2110.14168, section 4.1; the format of Wei et al. 2022, arXiv 2201.11903"
    words = "questions with worked steps and answers"
    uses = "every example that has a rationale: training, with its rationale"

    @property
    def format(self) -> Format:
        """Steps before the answer."""
        return "rationales"
