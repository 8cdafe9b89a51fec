"""What is started once for all workers of a test session, by the process that outlives them.

pytest-xdist runs the tests in several processes, each with session fixtures of its own. The controller (or the only
process, without xdist) answers on a Unix socket instead: the first request for a name starts what has that name, later
ones get the same answer, and the end of the session stops everything.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from multiprocessing.connection import Client, Listener
from pathlib import Path

Started = dict[str, str]  # whatever a test must know: addresses, keys
_KEY = b"one session's tests"  # the socket's folder is what keeps strangers out


class Once:
    """Starts each thing at most once, when it is first asked for, and ends them all together."""

    def __init__(self, starters: Mapping[str, Callable[[], AbstractContextManager[Started]]]) -> None:
        self._starters = starters
        self._running = ExitStack()
        self._answers: dict[str, Started | str] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="once-"))  # 0700, and short: a socket's path may have 107 bytes
        self.address = str(self._folder / "socket")
        self._listener = Listener(self.address, "AF_UNIX", authkey=_KEY)
        self._thread = threading.Thread(target=self._serve, name="once", daemon=True)
        self._thread.start()

    @property
    def started(self) -> dict[str, Started]:
        """What was asked for and runs."""
        return {name: answer for name, answer in self._answers.items() if isinstance(answer, dict)}

    def close(self) -> None:
        """End what was started, and answer no more."""
        ask(self.address, "")
        self._thread.join()
        self._listener.close()
        self._running.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        name = None
        while name != "":
            with suppress(EOFError, OSError), self._listener.accept() as connection:  # a worker that has died
                name = connection.recv()
                connection.send(self._answer(name) if name else "")

    def _answer(self, name: str) -> Started | str:
        if name not in self._answers:
            try:
                self._answers[name] = self._running.enter_context(self._starters[name]())
            except Exception as error:  # noqa: BLE001 # whatever it is, the tests that asked for it say so
                self._answers[name] = f"{type(error).__name__}: {error}"
        return self._answers[name]


def ask(address: str, name: str) -> Started | str:
    """Return what a test must know of a thing, once it runs; a text says why it does not."""
    with Client(address, "AF_UNIX", authkey=_KEY) as connection:
        connection.send(name)
        answer: Started | str = connection.recv()
        return answer
