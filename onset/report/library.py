"""The figure library of a page: Vega, Vega-Lite and vega-embed in one script, put together while the rest is computed.

It takes vl-convert a second and more in which Python is free, and its first picture most of another half.
"""

from __future__ import annotations

import functools
from concurrent.futures import Future, ThreadPoolExecutor

from onset.report.figures.pictures import schema_version


@functools.cache
def figure_library() -> Future[str]:
    """Begin to put the script together, once; its result is the script.

    Nothing else may be asked of vl-convert before there is a result: its calls wait for each other with Python held.
    """
    worker = ThreadPoolExecutor(1, thread_name_prefix="figure library")
    begun = worker.submit(_bundled)
    worker.shutdown(wait=False)
    return begun


def _bundled() -> str:
    import vl_convert

    version = schema_version()
    script = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version))
    vl_convert.vegalite_to_vega({"mark": "point"}, vl_version=version)  # starts its engine, which the pictures wait for
    return script
