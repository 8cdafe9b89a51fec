"""Only those who call this machine by its own names are answered."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pipeline.web.common.host_check import LOOPBACK, KnownHosts, own_names, readable_by
from tests.command import Command
from tests.site import Site, answer

INNER = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("127.0.0.1:8080", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:8080", 200),
        ("archive.example", 200), ("evil.example", 421), ("evil.example:8080", 421), ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421), ("", 421), ("[::1", 421), ("localhost:8080:evil", 421), ("a b", 421),
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_told_so(host: str, status: int) -> None:
    client = TestClient(KnownHosts(INNER, frozenset({*LOOPBACK, "archive.example"})))
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.0.2.7", 200), ("192.0.2.7:8080", 200), ("[2001:db8::7]:8080", 200), ("localhost", 200), ("desk", 200),
        ("rebound.example", 421), ("192.0.2.7.rebound.example", 421), ("2001:db8::7", 421), ("[192.0.2.7]", 421),
        ("127.1", 421), ("0x7f000001", 421), ("2130706433", 421), ("", 421),
    ],
)  # fmt: skip
def test_an_address_is_answered_where_others_may_come_and_a_strangers_name_is_not(host: str, status: int) -> None:
    client = TestClient(KnownHosts(INNER, frozenset({*LOOPBACK, "desk"}), addresses=True))
    assert client.get("/", headers={"Host": host}).status_code == status


def test_this_machine_has_names_of_its_own() -> None:
    assert socket.gethostname().lower() in own_names()
    assert "rebound.example" not in own_names()


def test_a_public_archive_answers_to_addresses_and_names_that_are_its_own(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    with Site() as site:
        site.answers["/post"] = answer(b"<html><title>A</title><p>Text of it.</p></html>")
        assert onrecord.capture(site.url("/post")).code == 0
    process = onrecord.start("serve", "--public", "--port", "0", "--replay-port", "0", "--name", "Archive.example")
    assert process.stderr is not None
    try:
        ports = [int(process.stderr.readline().split("//127.0.0.1:")[1].split("/")[0]) for _ in range(2)]
        for port in ports:
            assert b" 421 " in _asked(port, b"rebound.example")
            for host in (b"127.0.0.1", b"192.0.2.7", b"archive.example", socket.gethostname().encode()):
                assert b" 421 " not in _asked(port, host), host
    finally:
        process.send_signal(2)
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [
        ([], "https://reader.example", None),
        (["https://reader.example"], "https://reader.example", "https://reader.example"),
        (["https://reader.example"], "https://evil.example", None),
        (["https://reader.example"], "null", None),
        (["*"], "https://evil.example", "*"),
    ],
)
def test_pages_of_other_origins_read_only_where_they_may(allowed: list[str], origin: str, told: str | None) -> None:
    answer = TestClient(readable_by(INNER, allowed)).get("/", headers={"Origin": origin})
    assert answer.headers.get("access-control-allow-origin") == told
    assert "access-control-allow-credentials" not in answer.headers


def test_both_ports_refuse_a_name_of_somebody_elses(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    with Site() as site:
        site.answers["/post"] = answer(b"<html><title>A</title><p>Text of it.</p></html>")
        assert onrecord.capture(site.url("/post")).code == 0
    process = onrecord.start("serve", "--port", "0", "--replay-port", "0")
    assert process.stderr is not None
    try:
        ports = [int(process.stderr.readline().split("//127.0.0.1:")[1].split("/")[0]) for _ in range(2)]
        assert len(set(ports)) == 2
        for port in ports:
            assert b" 421 " in _asked(port, b"rebound.example")
            assert b" 421 " not in _asked(port, b"127.0.0.1:%d" % port)
    finally:
        process.send_signal(2)
        process.communicate(timeout=30)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()


def _asked(port: int, host: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)
        return connection.recv(100)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--origin", "https://a.example"), "go together"),
        (("--origin", "https://a.example", "--replay-origin", "https://a.example/"), "an origin of their own"),
        (("--origin", "a.example", "--replay-origin", "https://b.example"), "'a.example' is no origin"),
        (("--allow-origin", "reader.example"), "--allow-origin 'reader.example' is no origin"),
        (("--origin", "https://a.example/x", "--replay-origin", "https://b.example"), "is no origin"),
        (("--public", "--name", "https://a.example"), "--name 'https://a.example' is no host name"),
    ],
)
def test_origins_that_are_none_are_told(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = Command.at(tmp_path / "store", tmp_path / "home")("serve", *arguments)
    assert done.code == 2
    assert said in done.err
