"""A time limit for all of an exchange: a socket's own timeout begins again with every byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class TimeUp(OSError):
    """The exchange took longer than it may."""


@contextmanager
def bounded(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection after `seconds`; whatever that makes of the exchange is raised as TimeUp."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        opened = connection()
        if opened is not None:
            with suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)  # of TLS too: it is the wire that is cut

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if over.is_set():  # what was cut off can look whole: to http.client a head ends where the connection does
            raise TimeUp(f"no end within {seconds:g} s")
    except Exception as error:
        if over.is_set() and not isinstance(error, TimeUp):
            raise TimeUp(f"no end within {seconds:g} s") from error
        raise
    finally:
        timer.cancel()
