"""Processes to which something happens at a chosen step: children of one server, forked, so that each costs little.

The server is started with `faults.c` preloaded; an order is a line of JSON, and so is its answer.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BEFORE, BEHIND, TORN, POWER = -1, -2, -3, -4
KILLS = {"before": BEFORE, "behind": BEHIND, "torn": TORN, "power": POWER}
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Order:
    """What a child does, and what happens to it at which call that touches a file below `root` of its folder.

    With `store` it happens at a call to the store instead.
    """

    action: str
    folder: str
    at: int = 0
    what: int = 0
    stays: bool = False
    reads: bool = False
    root: str = ""
    store: bool = False
    bucket: str = ""


@dataclass(frozen=True)
class Fate:
    """How a child ended: killed, with an error, or well; what it had told, and the calls that were counted."""

    killed: bool
    told: list[str]
    error: str = ""
    text: str = ""
    code: int = 0
    calls: int = 0

    @property
    def well(self) -> bool:
        return not self.killed and not self.error


class Victims:
    """The server."""

    def __init__(self, library: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.victims"],
            cwd=ROOT,
            env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, order: Order) -> Fate:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        self._process.stdin.write(json.dumps({"order": order.__dict__, "credentials": credentials}) + "\n")
        self._process.stdin.flush()
        return Fate(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        self._process.communicate()


def compiled(folder: Path) -> Path:
    """The library; a test that wants it is skipped where there is no compiler, but not in CI."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        unavailable("no C compiler for Linux here: tests/torture/faults.c cannot be made")
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([str(compiler), "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def unavailable(reason: str) -> None:
    """Skip a test for a reason, unless this is CI."""
    if os.environ.get("CI"):
        pytest.fail(reason + ", and in CI nothing is skipped")
    pytest.skip(reason)


@contextmanager
def victims(folder: Path) -> Iterator[Victims]:
    server = Victims(compiled(folder))
    try:
        yield server
    finally:
        server.end()


# The server's side


def _child(order: Order, pipe: int) -> None:
    from tests.torture.actions import ACTIONS, Place
    from tests.torture.dying import dying_store

    def tell(**said: Any) -> None:
        os.write(pipe, json.dumps(said).encode() + b"\n")

    library = ctypes.CDLL(None)
    place = Place(Path(order.folder), order.bucket)
    if order.store:
        place = Place(place.folder, place.bucket, dying_store(order.at, order.what))
    else:
        root = place.folder / order.root if order.root else place.folder
        library.faults_arm(str(root).encode(), order.at, order.what, order.stays, order.reads)
    try:
        ACTIONS[order.action](place, lambda record_id: tell(told=record_id))
    except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
        code = getattr(error, "exit_code", 1)
        tell(error=type(error).__name__, code=code, text=str(error) if code != 1 else traceback.format_exc())
    library.faults_seen.restype = ctypes.c_long
    tell(calls=library.faults_seen())


def _fate(order: Order) -> dict[str, Any]:
    from tests.torture.actions import opened

    for name in ("store", "copy") if order.bucket else ():
        opened(order.bucket.replace("NAME", name))  # its client is made before the fork, and unused
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(read)
            _child(order, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        lines = [json.loads(line) for line in said]
    _, status = os.waitpid(pid, 0)
    found: dict[str, Any] = {"killed": os.WIFSIGNALED(status), "told": []}
    for line in lines:
        if "told" in line:
            found["told"].append(line["told"])
        else:
            found.update(line)
    return found


def serve() -> None:
    import storage.s3  # noqa: F401 - forked children have it already
    import tests.torture.actions
    import tests.torture.dying  # noqa: F401

    gc.freeze()  # a collection in a child would write to, and so copy, every page of memory

    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.update(asked["credentials"])
        print(json.dumps(_fate(Order(**asked["order"]))), flush=True)


if __name__ == "__main__":
    serve()
