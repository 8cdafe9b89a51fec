"""Names to addresses, without the event loop's pool: a few names that hang would hold up every other."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from ipaddress import ip_address

Addresses = list[tuple[str, int]]


async def resolve(host: str, port: int) -> Addresses:
    """Return the addresses of a host, in the resolver's order; raises OSError or UnicodeError as the resolver does.

    Each lookup has a daemon thread of its own, which a caller that gives up leaves behind: the system's resolver cannot
    be interrupted, and nobody waits for it when the run ends.
    """
    with suppress(ValueError):
        return [(str(ip_address(host)), port)]
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Addresses] = loop.create_future()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            result: Addresses | Exception = list(dict.fromkeys((str(entry[4][0]), port) for entry in found))
        except Exception as error:  # noqa: BLE001 - raised again in the loop's thread
            result = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell, answer, result)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    return await answer


def _tell(answer: asyncio.Future[Addresses], result: Addresses | Exception) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
