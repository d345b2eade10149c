"""The figure library of a page: Vega, Vega-Lite and vega-embed in one script, put together while the rest is computed.

It takes vl-convert a second or two, and as long as it works nothing else in its process can: hence in one of its own.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor

from onset.report.figures.pictures import schema_version

_START = "window.vegaEmbed = vegaEmbed;"
_COMMAND = """
import sys, vl_convert
script = vl_convert.javascript_bundle(sys.argv[1], vl_version=sys.argv[2])
sys.stdout.buffer.write(script.encode())
"""


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
    script = _elsewhere(version) or str(vl_convert.javascript_bundle(_START, vl_version=version))
    vl_convert.vegalite_to_vega({"mark": "point"}, vl_version=version)  # starts its engine, which the pictures wait for
    return script


def _elsewhere(version: str) -> str | None:
    """The script, by another process; None where none can be had."""
    if not sys.executable:
        return None
    try:  # -P: nothing is imported from the working folder; a session of its own: Ctrl-C is answered here
        done = subprocess.run(
            [sys.executable, "-P", "-c", _COMMAND, _START, version],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode()
