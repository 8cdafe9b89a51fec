"""How many functions of ours the capture of one page passes through: python -m tests.bench.ways [--list].

A page is served on loopback and captured into a directory by a fresh `onrecord capture`, with every thread and every
process of it traced by `sys.setprofile`. Counted are the distinct functions, methods and lambdas, by file and line, of
files under archive/, pipeline/ and storage/ that were called. Not counted are the bodies of modules and classes, what
only runs while a module is imported, comprehensions and generator expressions, and code that is generated (the
`__init__` of dataclasses). The command's own process is the measure; its helpers (fetching, extraction) come beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.site import Site

_PAGE = (
    b"<html><head><title>Harbour court</title></head><body><article><h1>Harbour court</h1>"
    + b"<p>The court of the harbour sat on a bench of oak, and heard three cases before noon.</p>" * 30
    + b"</article></body></html>"
)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE) + _PAGE

# Each Python process of the capture runs this before its own code.
_TRACER = """
import os, sys, threading

OURS = tuple(os.path.join(os.environ["WAYS_ROOT"], name, "") for name in ("archive", "pipeline", "storage"))
OUT = os.open(os.path.join(os.environ["WAYS_OUT"], str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
FUNCTION = 1  # of a code's flags: the body of a function, not that of a module or a class
seen = set()

def imported(frame):
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(OURS):
            return True
        frame = frame.f_back
    return False

def note(frame, event, argument):
    code = frame.f_code
    if event != "call" or code in seen or not code.co_flags & FUNCTION or not code.co_filename.startswith(OURS):
        return
    if code.co_name not in {"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"} and not imported(frame):
        seen.add(code)
        os.write(OUT, f"{code.co_filename}:{code.co_firstlineno}:{code.co_qualname}\\n".encode())

threading.setprofile(note)
sys.setprofile(note)
"""


def traced(root: Path) -> dict[str, set[str]]:
    """Return what the command's process ("command") and its helpers ("helpers") called, as "file:line:name"."""
    with tempfile.TemporaryDirectory(prefix="onrecord-ways-") as folder, Site({"/": _ANSWER}) as site:
        place = Path(folder)
        for name in ("out", "tracer"):
            (place / name).mkdir()
        (place / "tracer" / "sitecustomize.py").write_text(_TRACER)
        env = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(place / "tracer"), str(root))),
            "WAYS_ROOT": str(root),
            "WAYS_OUT": str(place / "out"),
            "HOME": folder,
        }
        code = "from pipeline.cli.main import main; main()"
        command = [sys.executable, "-P", "-c", code, "-q", "--store", str(place / "store"), "capture"]
        process = subprocess.Popen([*command, "--allow-private", site.url()], env=env, cwd=folder)
        if process.wait():
            sys.exit(f"the capture ended with exit code {process.returncode}")
        found: dict[str, set[str]] = {"command": set(), "helpers": set()}
        for file in (place / "out").iterdir():
            kind = "command" if file.name == str(process.pid) else "helpers"
            found[kind].update(line.removeprefix(f"{root}/") for line in file.read_text().splitlines())
        return found


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print every function too")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the source tree that is traced")
    options = parser.parse_args()
    found = traced(options.root.resolve())
    together = set().union(*found.values())
    for name, ways in [*sorted(found.items()), ("all", together)]:
        files = {way.partition(":")[0] for way in ways}
        print(f"{name:<8} {len(ways):4} functions in {len(files):3} files")
    if options.list:
        for name, ways in sorted(found.items()):
            print("\n".join(f"{name} {way}" for way in sorted(ways)))


if __name__ == "__main__":
    main()
