"""One harness under atheris, in a process of its own: `python -m tests.fuzz.one NAME [libFuzzer options] FOLDER…`."""

from __future__ import annotations

import logging
import sys

import atheris

# What the coverage of is measured: our own rooms, and the parsers that they hand strangers' bytes to.
_MEASURED = ["archive", "pipeline", "storage", "h11", "protego", "tinycss2", "warcio"]


def main() -> None:
    """Fuzz until the options say that it is enough; a defect ends the process, its input kept as an artifact."""
    name = sys.argv.pop(1)
    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(include=_MEASURED):
        import protego  # noqa: F401 - what harnesses would import later, and unmeasured
        import tinycss2  # noqa: F401 - as above

        from tests.fuzz.targets import TARGETS
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


main()
