"""The queue ends when nothing is left anywhere, whatever thread finds more, and waits when something may come."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from archive.model import Role, Target
from pipeline.crawl.target_queue import TargetQueue


def test_it_ends_when_all_is_done() -> None:
    queue = TargetQueue(iter([Target("a"), Target("b")]))
    seen = []
    for target in queue:
        seen.append(target.url)
        if target.url == "a":
            queue.add(Target("a/found"))
        queue.done()
    assert sorted(seen) == ["a", "a/found", "b"]


def test_it_waits_for_what_another_thread_may_find() -> None:
    queue = TargetQueue(iter([Target("a")]))
    targets = iter(queue)
    assert next(targets).url == "a"

    def find() -> None:
        queue.add(Target("b"))
        queue.done()

    timer = threading.Timer(0.2, find)
    timer.start()
    assert next(targets).url == "b"
    queue.done()
    assert next(targets, None) is None
    timer.join()


def test_requisites_go_first_and_a_blocking_source_holds_nobody_up() -> None:
    gate = threading.Event()

    def named() -> Iterator[Target]:
        yield Target("a")
        gate.wait()
        yield Target("z")

    queue = TargetQueue(named())
    targets = iter(queue)
    assert next(targets).url == "a"
    queue.add(Target("page"))
    queue.add(Target("style", role=Role.REQUISITE))
    queue.done()
    assert [next(targets).url, next(targets).url] == ["style", "page"]
    gate.set()
    assert next(targets).url == "z"
    for _ in range(3):
        queue.done()
    assert next(targets, None) is None


def test_the_source_is_read_no_further_than_needed() -> None:
    read = []

    def named() -> Iterator[Target]:
        for number in range(100_000):
            read.append(number)
            yield Target(str(number))

    queue = TargetQueue(named())
    next(iter(queue))
    assert len(read) < 5000
    queue.close()
    assert next(iter(queue), None) is None


def test_what_the_source_raises_is_raised() -> None:
    def named() -> Iterator[Target]:
        yield Target("a")
        raise ValueError("no line")

    targets = iter(TargetQueue(named()))
    assert next(targets).url == "a"
    with pytest.raises(ValueError, match="no line"):
        next(targets)
