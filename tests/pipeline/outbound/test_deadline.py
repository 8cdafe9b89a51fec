"""An exchange ends in its time, wherever it is when that is over."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from pipeline.outbound.deadline import TimeUp, bounded


def test_a_connection_that_is_there_only_after_the_end_is_cut_too() -> None:
    """As one that connected slowly: without a timeout of its own, only the cut ends its reading."""
    asked: list[bool] = []
    ours, theirs = socket.socketpair()

    def connection() -> socket.socket | None:
        asked.append(True)
        return ours if len(asked) > 1 else None

    with closing(theirs), closing(ours):
        ours.settimeout(60)
        with pytest.raises(TimeUp), bounded(0.05, connection):
            assert ours.recv(1) == b""


def test_a_timeout_of_the_socket_is_the_end_of_the_time_though_nothing_was_cut_yet() -> None:
    with pytest.raises(TimeUp), bounded(0.0, lambda: None):
        raise ConnectionError("closed: timed out")


def test_what_ends_in_time_is_left_alone() -> None:
    asked: list[bool] = []

    def connection() -> socket.socket | None:
        asked.append(True)
        return None

    with bounded(60, connection):
        pass
    with pytest.raises(ConnectionError), bounded(60, connection):
        raise ConnectionError
    assert asked == []
