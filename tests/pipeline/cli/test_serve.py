"""`onrecord serve`: what keeps it from serving is one line."""

from __future__ import annotations

import socket

import pytest

from tests.command import Command
from tests.site import Site


def test_a_port_in_use_is_named(onrecord: Command, site: Site) -> None:
    onrecord.capture(site.url("/post"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = onrecord("serve", "--port", str(taken.getsockname()[1]))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "name another --port" in done.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "no such host"])
def test_an_address_that_others_reach_must_be_meant(onrecord: Command, site: Site, host: str) -> None:
    done = onrecord("serve", "--host", host)
    assert done.code == 2
    assert "--public" in done.err


def test_without_an_archive_there_is_nothing_to_serve(onrecord: Command) -> None:
    done = onrecord("serve")
    assert done.code == 10
    assert "no archive at" in done.err


def test_answers_are_sent_at_once() -> None:
    from pipeline.cli.commands.serve import _listening

    with _listening("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
