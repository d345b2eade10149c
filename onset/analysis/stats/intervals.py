"""The names of `bootstrap`, `shares` and `adjust` under one roof, for modules that still ask here."""

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, Crossed, crossed_bootstrap, joint_replicates
from onset.analysis.stats.shares import Interval, tango, tango_z

__all__ = [
    "LEVEL",
    "REPLICATES",
    "Array",
    "Block",
    "Crossed",
    "Interval",
    "crossed_bootstrap",
    "joint_replicates",
    "tango",
    "tango_z",
]
