"""Processes of our own: a fresh interpreter that runs one of our functions, at the other end of a socket pair.

Both ends are this program, and speak in pickled objects. A slow reader fills the socket and so slows the writer; when
either process dies, however it dies, the other sees the end of the stream.
"""

from __future__ import annotations

import importlib
import io
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
from typing import Any

_HEADER = struct.Struct("!Q")
_READ = 1 << 18  # bytes
_MAIN = "import sys; from pipeline.child_process import main; main(*sys.argv[1:])"


class Channel:
    """Pickled objects over a socket. One thread may send while another one receives."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.close = sock.close  # of this end
        self._received = bytearray()
        self._buffer = memoryview(bytearray(_READ))  # one for all: fresh memory of this size costs more than a copy
        self._poll = select.poll()  # a timeout of the socket's own would cut off the thread that sends
        self._poll.register(sock, select.POLLIN)

    def send(self, item: object) -> None:
        """Send an object; raises OSError when the other end is gone."""
        message = io.BytesIO(bytes(_HEADER.size))
        message.seek(_HEADER.size)
        pickle.dump(item, message, pickle.HIGHEST_PROTOCOL)
        with message.getbuffer() as view:
            _HEADER.pack_into(view, 0, len(view) - _HEADER.size)
            self._socket.sendall(view)

    def receive(self, timeout: float | None = None) -> Any:
        """Return the next object.

        Raises TimeoutError when none has begun after `timeout` seconds, EOFError at the other end's end, OSError.
        """
        self._have(_HEADER.size, timeout)
        (size,) = _HEADER.unpack_from(self._received)
        end = _HEADER.size + size
        self._have(end, None)
        with memoryview(self._received) as view:
            item = pickle.loads(view[_HEADER.size : end])  # noqa: S301 - written by our own process
        del self._received[:end]
        return item

    def _have(self, size: int, timeout: float | None) -> None:
        while len(self._received) < size:
            if timeout is not None and not self._received and not self._poll.poll(timeout * 1000):
                raise TimeoutError
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise EOFError
            self._received += self._buffer[:count]

    def wait_for_end(self) -> None:
        """Wait until the other end is closed."""
        poll = select.poll()
        poll.register(self._socket, 0)  # nothing but the hang-up, which is always reported
        poll.poll()


class ChildProcess:
    """A process that runs `function`, named as "module:function", with its channel and further arguments.

    `buffer` is how many bytes may lie between the two, where the system's usual number is not enough. Ctrl-C is the
    parent's to answer: the child ignores it.
    """

    def __init__(self, function: str, *arguments: str, buffer: int | None = None) -> None:
        ours, theirs = socket.socketpair()
        if buffer is not None:
            for end in (ours, theirs):
                for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                    end.setsockopt(socket.SOL_SOCKET, option, buffer)
        with theirs:
            # -P: a folder named like one of our packages, where the user happens to be, is not imported instead.
            command = [sys.executable, "-P", "-c", _MAIN, str(theirs.fileno()), function, *arguments]
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        self.channel = Channel(ours)

    def wait(self, seconds: float) -> int:
        """Return the exit code, negative for a signal; raises subprocess.TimeoutExpired."""
        return self._process.wait(seconds)

    def end(self, patience: float = 0.0) -> None:
        """Close the channel and end the process: by itself within `patience` seconds, else at once."""
        if not patience:
            self._process.kill()
        self.channel.close()
        try:
            self._process.wait(patience or None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(descriptor: str, function: str, *arguments: str) -> None:
    """Run a child's function, until it returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    module, _, name = function.partition(":")
    with socket.socket(fileno=int(descriptor)) as sock:
        getattr(importlib.import_module(module), name)(Channel(sock), *arguments)
