"""Results of other tools, and of Onset: read per-item outcomes and points of curves over size, write shared formats.

read_outcomes(path)    per-item results, for a paired comparison (`onset.analysis.contrast.sets`)
read_measured(path)    right or wrong, each setting once, for `onset show` and `onset report`
read_points(paths)     points of curves over size, for the analysis of emergence
"""

from __future__ import annotations

from onset.analysis.outcomes import Outcomes
from onset.read.detect import read_outcomes, read_points
from onset.read.measured import read_measured

__all__ = ["Outcomes", "read_measured", "read_outcomes", "read_points"]
