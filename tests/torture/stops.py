"""Processes that are stopped (SIGSTOP) before a chosen call to the store, and go on later: children of one server.

An order is a line of JSON, and so is its answer, given once the child has stopped or ended.
"""

from __future__ import annotations

import fnmatch
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storage.base import ObjectStore

ROOT = Path(__file__).parents[2]
_CALLS = frozenset({"put", "put_if_absent", "put_file", "get", "get_range", "stream", "list", "head", "delete"})


@dataclass(frozen=True)
class Order:
    """What a child does in a folder and at a location, by a clock that is `ahead` days ahead.

    It stops before its n-th call `at`, or before the first one that is like one of `before`: "delete runs/*|put
    index/*". The clock of the store says that `days` have passed.
    """

    action: str
    folder: str
    location: str
    at: int = -1
    before: str = ""
    days: int = 0
    ahead: int = 0


@dataclass(frozen=True)
class Fate:
    """How a child was left: stopped, or ended with an error or well."""

    pid: int
    stopped: bool
    error: str = ""


class Stopped:
    """A store whose user stops before a call."""

    def __init__(self, store: ObjectStore, order: Order) -> None:
        self._store, self._order = store, order
        self._calls = 0
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        return self._counted(name, call) if name in _CALLS else call

    def now(self) -> datetime:
        return self._store.now() + timedelta(days=self._order.days)

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                here = self._calls
                self._calls += 1
            key = arguments[0] if arguments else ""
            patterns = self._order.before.split("|")
            if here == self._order.at or any(fnmatch.fnmatch(f"{name} {key}", pattern) for pattern in patterns):
                os.kill(os.getpid(), signal.SIGSTOP)
            return call(*arguments, **options)

        return calling


class Stops:
    """The server, as its user sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.stops"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, order: Order) -> Fate:
        """Start a process; returns once it has stopped or ended."""
        return self._ask({"start": asdict(order)})

    def go_on(self, fate: Fate) -> Fate:
        """Let a stopped process go on to its end, or to where it stops again."""
        return self._ask({"continue": fate.pid})

    def kill(self, fate: Fate) -> None:
        """Kill a stopped process."""
        self._ask({"kill": fate.pid})

    def _ask(self, order: dict[str, Any]) -> Fate:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        self._process.stdin.write(json.dumps(order | {"credentials": credentials}) + "\n")
        self._process.stdin.flush()
        return Fate(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        self._process.communicate()


@contextmanager
def stops() -> Iterator[Stops]:
    server = Stops()
    try:
        yield server
    finally:
        server.end()


def told(folder: Path) -> set[str]:
    """What the processes of a folder said that they captured."""
    path = folder / "told"
    return set(path.read_text().split()) if path.exists() else set()


# The server's side


def _child(order: Order) -> None:
    import archive.times
    from storage.location import open_store
    from tests.archive.races import Machines

    folder = Path(order.folder)

    def tell(record_id: str) -> None:
        with (folder / "told").open("a") as file:
            file.write(f"{record_id}\n")

    archive.times.rehearse(timedelta(days=order.days + order.ahead))
    Machines(folder, tell).actions[order.action](Stopped(open_store(order.location), order))  # type: ignore[arg-type]


def _waited(pid: int, errors: Path) -> Fate:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return Fate(pid, stopped=True)
    return Fate(pid, stopped=False, error=errors.read_text() if errors.exists() else "")


def serve() -> None:
    import storage.s3  # noqa: F401 - forked children have it already
    import tests.archive.races  # noqa: F401
    from storage.errors import OnrecordError

    gc.freeze()  # a collection in a child would write to, and so copy, every page of memory

    errors: dict[int, Path] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.update(asked["credentials"])
        if pid := asked.get("continue"):
            os.kill(pid, signal.SIGCONT)
        elif pid := asked.get("kill"):
            os.kill(pid, signal.SIGKILL)
        else:
            order = Order(**asked["start"])
            pid = os.fork()
            if not pid:
                try:
                    _child(order)
                except OnrecordError:  # a line that a command prints
                    os._exit(0)
                except BaseException:  # noqa: BLE001 - the test is to see it
                    (Path(order.folder) / f"error-{os.getpid()}").write_text(traceback.format_exc())
                    os._exit(1)
                os._exit(0)
            errors[pid] = Path(order.folder) / f"error-{pid}"
        print(json.dumps(asdict(_waited(pid, errors[pid]))), flush=True)


if __name__ == "__main__":
    serve()
