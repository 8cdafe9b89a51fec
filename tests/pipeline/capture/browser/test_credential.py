"""A page's proxy serves the browser that it was made for, and no other process of this machine."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable

import pytest

from archive.model import Exchange
from pipeline.capture.browser.credential import Credential
from pipeline.capture.browser.recording_proxy import Asked, PageProxy
from tests.exchanges import an_exchange


def _ask(lines: Callable[[PageProxy], str]) -> tuple[bytes, list[str]]:
    """Send one request to a proxy: the first bytes of its answer, and what it would have fetched."""
    fetched: list[str] = []

    async def answer(asked: Asked) -> Exchange:
        fetched.append(asked.url)
        return an_exchange(asked.url, b"hello", head=b"Content-Type: text/plain\r\nContent-Length: 5\r\n")

    async def talk(given: Callable[[Asked], Awaitable[Exchange]]) -> bytes:
        async with PageProxy(given, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as proxy:
            host, port = proxy.address.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(lines(proxy).encode())
            reply = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            writer.close()
            return reply

    return asyncio.run(talk(answer)), fetched


def _basic(credential: Credential) -> str:
    return "Basic " + base64.b64encode(f"{credential.name}:{credential.password}".encode()).decode()


@pytest.mark.parametrize("line", ["GET http://a.example/x HTTP/1.1", "CONNECT a.example:443 HTTP/1.1"])
@pytest.mark.parametrize(
    "header",
    ["", "Proxy-Authorization: Basic\r\n", "Proxy-Authorization: Basic b25yZWNvcmQ6\r\n", "Proxy-Authorization: é\r\n"],
)
def test_another_process_is_refused_and_nothing_is_fetched_for_it(line: str, header: str) -> None:
    reply, fetched = _ask(lambda _: f"{line}\r\nHost: a.example\r\n{header}\r\n")
    assert reply.startswith(b"HTTP/1.1 407 ")
    assert b'proxy-authenticate: basic realm="onrecord"' in reply.lower()
    assert fetched == []


def test_who_has_the_credential_is_served() -> None:
    def lines(proxy: PageProxy) -> str:
        given = _basic(proxy.credential)
        return f"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nProxy-Authorization: {given}\r\n\r\n"

    reply, fetched = _ask(lines)
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert fetched == ["http://a.example/x"]


def test_the_greeting_is_answered_and_never_fetched() -> None:
    def lines(proxy: PageProxy) -> str:
        given = _basic(proxy.credential)
        host = proxy.credential.greeting
        return f"GET {host} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {given}\r\n\r\n"

    reply, fetched = _ask(lines)
    assert reply.startswith(b"HTTP/1.1 204 ")
    assert fetched == []
    credential = Credential.new()
    assert credential.is_greeting(credential.greeting.replace("http://", "https://"))
    assert not credential.is_greeting("http://other.invalid/")


def test_each_page_has_a_credential_of_its_own() -> None:
    assert Credential.new() != Credential.new()
    assert not Credential("onrecord", "x").granted(_basic(Credential.new()))
