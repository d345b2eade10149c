"""The page's own words in Chinese, by the English words of the template.

What is said of results is in `onset.analysis.phrases`; here are headings, buttons, labels and help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from onset.analysis.phrases import Language

Say = Callable[[str], str]
"""Words of the page in English -> in the page's language."""


def words_in(language: Language) -> Say:
    """What says the page's words in a language; English and names stay as they are."""
    return (lambda text: text) if language == "en" else (lambda text: CHINESE.get(text, text))


CHINESE: Mapping[str, str] = MappingProxyType({})
