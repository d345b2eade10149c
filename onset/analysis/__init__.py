"""From records to findings in words: tables, paired comparisons, curves, costs. Never imports torch.

>>> analysis = analyse(load(Path("results")))  # doctest: +SKIP
>>> print(analysis.findings[0].sentence)  # doctest: +SKIP
"""

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.study import analyse, to_json, write_findings
from onset.results.read import Results, load

__all__ = ["Analysis", "Results", "analyse", "load", "to_json", "write_findings"]
