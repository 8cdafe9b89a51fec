"""Run commands in processes that are forked from one that has imported what they need.

Most of the time of `onrecord snapshots` is the start of Python and its imports, and the tests call it a thousand times.
A forked process has an id, a home, arguments, an environment and files of its own, as a started one has; and the
processes that it begins, which fetch and extract, are forked in the same way. Tests about a started process (its
memory, its imports, its death) call `Command.start`. TESTS_START=1 starts every process.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
# These say how an interpreter is to start: with others than ours, one is started.
_STARTING = ("PYTHON", "LC_", "LANG", "TZ", "MALLOC", "LD_")
_OURS = dict(os.environ)  # before any test changes it
_SERVER = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.forked import serve; serve(int(sys.argv[1]))"


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it printed."""

    code: int  # below 0: the signal that ended it
    out: bytes
    err: bytes


def possible(environment: dict[str, str]) -> bool:
    """Whether a process with this environment may be forked from one that was started with ours."""

    def starting(variables: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith(_STARTING)}

    return not os.environ.get("TESTS_START") and starting(environment) == starting(_OURS)


def run(arguments: tuple[str, ...], environment: dict[str, str], stdin: bytes) -> Ended:
    """Run `onrecord` with these arguments in a process of its own."""
    (given, giving), (taking, out), (watching, err) = os.pipe(), os.pipe(), os.pipe()
    with ThreadPoolExecutor(3) as pool:
        connection = _ordered(_address(), environment, [given, out, err], arguments=arguments)
        for theirs in (given, out, err):
            os.close(theirs)
        pool.submit(_give, giving, stdin)
        printed, said = pool.submit(_taken, taking), pool.submit(_taken, watching)
        with connection, connection.makefile("rb") as answer:
            _, code = answer
        return Ended(int(code), printed.result(), said.result())


def _ordered(address: str, environment: dict[str, str], files: list[int], **what: Sequence[str]) -> socket.socket:
    """Order a process with these files; returns where its id is said, in a line, and at its end its exit code."""
    order = json.dumps({**what, "environment": environment, "folder": str(Path.cwd()), "umask": _umask()}).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    socket.send_fds(connection, [len(order).to_bytes(8, "big")], files)
    connection.sendall(order)
    return connection


class _Begun:
    """A process of our own, forked where `ChildProcess` would start it: as much of `Popen` as that uses."""

    def __init__(self, address: str, command: list[str], *, pass_fds: list[int], stdin: int, stdout: int) -> None:
        self._command = command
        with Path(os.devnull).open("r+b", buffering=0) as nothing:
            files = [nothing.fileno(), nothing.fileno(), 2, *pass_fds]
            self._answer = _ordered(address, dict(os.environ), files, child=command[5:]).makefile("rb")
        self._process = int(self._answer.readline())
        self._code: int | None = None
        self._waiting = threading.Lock()

    def kill(self) -> None:
        """End it, unless it has ended."""
        if self._code is None and not select.select([self._answer], [], [], 0)[0]:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code, below 0 for a signal."""
        with self._waiting:
            if self._code is None:
                if timeout is not None and not select.select([self._answer], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(self._command, timeout)
                self._code = int(self._answer.readline())
            return self._code


def _umask() -> int:
    """The umask of this process; it can only be read by setting it, which one thread does at a time."""
    with _reading:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def _give(pipe: int, data: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as stream:
        stream.write(data)


def _taken(pipe: int) -> bytes:
    with os.fdopen(pipe, "rb") as stream:
        return stream.read()


class _Server:
    """The process that has imported everything; it ends with ours, when its standard input does."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fork-")
        self.address = f"{self._folder.name}/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            listener.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVER, str(listener.fileno())],
                pass_fds=[listener.fileno()],
                stdin=subprocess.PIPE,  # as its children have: Python asks once whether one can seek
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_OURS,
            )


_reading = threading.Lock()
_servers: dict[int, _Server] = {}  # by process: a worker of xdist has its own


def _address() -> str:
    if os.getpid() not in _servers:
        _servers[os.getpid()] = _Server()
    return _servers[os.getpid()].address


def serve(number: int) -> None:
    """Fork a process for every order that comes, until standard input ends."""
    import gc

    import boto3  # noqa: F401 # as below: what commands and their children import, once for all of them
    import cryptography.x509  # noqa: F401
    import trafilatura  # noqa: F401

    import archive.archive  # noqa: F401
    import pipeline.capture.http.fetch_many
    import pipeline.extract.worker
    import pipeline.ingest.capture_run  # noqa: F401
    import storage.local
    import storage.s3  # noqa: F401
    from pipeline.cli.main import COMMANDS

    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    # A machine of one core: a second extractor costs its imports, and shows nothing.
    os.cpu_count = lambda: 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # a collection in a child would write to, and so copy, every page of memory
    with socket.socket(fileno=number) as listener:
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                address = listener.getsockname()
                listener.close()
                return _serve_one(connection, address)
            connection.close()
    return None


def _serve_one(connection: socket.socket, address: str) -> None:
    """Fork once more, and say which process that is, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, files, _, _ = socket.recv_fds(connection, 8, 4)
    with connection.makefile("rb") as stream:
        order = json.loads(stream.read(int.from_bytes(length, "big")))
    child = os.fork()
    if child:
        for file in files:
            os.close(file)
        with suppress(OSError):  # who ordered it is gone: it ends by itself
            connection.sendall(b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        with suppress(OSError):
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    connection.close()
    for target, file in enumerate(files[:3]):
        os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    os.umask(order["umask"])
    tempfile.tempdir = None
    from pipeline import child_process
    from pipeline.cli.main import main

    if "child" in order:
        sys.argv = ["-c"]
        return child_process.main(str(files[3]), *order["child"])
    sys.argv = ["-c", *order["arguments"]]
    start = partial(_Begun, address)
    vars(child_process)["subprocess"] = SimpleNamespace(**(vars(subprocess) | {"Popen": start}))
    return main()
