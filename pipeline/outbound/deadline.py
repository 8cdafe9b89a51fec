"""A time limit for all of an exchange: a socket's own timeout begins again with every byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_AGAIN = 0.1  # seconds


class TimeUp(OSError):
    """The exchange took longer than it may."""


@contextmanager
def bounded(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection after `seconds`; whatever that makes of the exchange is raised as TimeUp."""
    end = time.monotonic() + seconds
    over, left = threading.Event(), threading.Event()

    def cut() -> None:
        while not left.wait(_AGAIN if over.is_set() else seconds):  # again: it may have been connecting until now
            over.set()
            opened = connection()
            if opened is not None:
                with suppress(OSError):
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)  # of TLS too: it is the wire that is cut

    threading.Thread(target=cut, daemon=True).start()
    try:
        yield
        if over.is_set():  # what was cut off can look whole: to http.client a head ends where the connection does
            raise TimeUp(f"no end within {seconds:g} s")
    except Exception as error:
        late = over.is_set() or time.monotonic() >= end  # the socket's own timeout can come before the thread does
        if late and not isinstance(error, TimeUp):
            raise TimeUp(f"no end within {seconds:g} s") from error
        raise
    finally:
        left.set()
