"""Results of other tools, and of Onset: read per-item outcomes and points of curves over size, write shared formats.

read_outcomes(path)    per-item results, for a paired comparison (`onset.analysis.contrast.sets`)
read_points(paths)     points of curves over size, for the analysis of emergence
"""

from __future__ import annotations

from onset.analysis.outcomes import Outcomes
from onset.read.detect import read_outcomes, read_points

__all__ = ["Outcomes", "read_outcomes", "read_points"]
