"""What a model writes before its answer, checked step by step. Nothing in it is ever evaluated but sums, by a parser.

arithmetic  the equations of a text, each right or wrong
calculator  a text with the results of its sums worked out anew
steps       a chain's steps, right, wrong or unchecked: by its sums, and by what a task knows of them
"""

from __future__ import annotations

from onset.chains.calculator import Worked, worked
from onset.chains.steps import Claims, Steps, check

__all__ = ["Claims", "Steps", "Worked", "check", "worked"]
