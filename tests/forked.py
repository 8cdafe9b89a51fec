"""Run commands in processes that are forked from one that has imported what they need.

Most of the time of `onrecord snapshots` is the start of Python and its imports, and the tests call it a thousand times.
A forked process has an id, a home, arguments, an environment and files of its own, as a started one has. Tests about a
started process (its memory, its imports, its death) call `Command.start`. TESTS_START=1 starts every process.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
    given_on = {"arguments": arguments, "environment": environment, "folder": str(Path.cwd()), "umask": _umask()}
    order = json.dumps(given_on).encode()
    with socket.socket(socket.AF_UNIX) as connection, ThreadPoolExecutor(3) as pool:
        connection.connect(_address())
        (given, giving), (taking, out), (watching, err) = os.pipe(), os.pipe(), os.pipe()
        socket.send_fds(connection, [len(order).to_bytes(8, "big")], [given, out, err])
        for theirs in (given, out, err):
            os.close(theirs)
        connection.sendall(order)
        pool.submit(_give, giving, stdin)
        printed, said = pool.submit(_taken, taking), pool.submit(_taken, watching)
        code = b""
        while piece := connection.recv(100):
            code += piece
        return Ended(int(code), printed.result(), said.result())


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
    import select

    import boto3  # noqa: F401 # as below: what commands import, once for all of them
    import cryptography.x509  # noqa: F401

    import archive.archive  # noqa: F401
    import pipeline.ingest.capture_run  # noqa: F401
    import storage.local
    import storage.s3  # noqa: F401
    from pipeline.cli.main import COMMANDS

    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    # A machine of one core: a second extractor costs its imports, and shows nothing.
    os.cpu_count = lambda: 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=number) as listener:
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return _serve_one(connection)
            connection.close()
    return None


def _serve_one(connection: socket.socket) -> None:
    """Fork once more, and say how that process ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, files, _, _ = socket.recv_fds(connection, 8, 3)
    with connection.makefile("rb") as stream:
        order = json.loads(stream.read(int.from_bytes(length, "big")))
    child = os.fork()
    if child:
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    connection.close()
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    os.umask(order["umask"])
    sys.argv = ["-c", *order["arguments"]]
    tempfile.tempdir = None
    from pipeline.cli.main import main

    main()
