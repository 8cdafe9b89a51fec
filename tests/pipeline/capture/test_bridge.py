"""Between threads and an event loop: what is read ahead is bounded, and nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from archive.model import Role, Target
from pipeline.capture.bridge import Ended, Inbox, Outbox, ReadAhead, run_on_loop
from pipeline.capture.engines import AHEAD, Lanes
from tests.pipeline.capture.http.test_hostile import wait_for


class Endless:
    """A source that is longer than anybody needs, and knows how much was read of it."""

    def __init__(self, make: Callable[[int], object]) -> None:
        self.read = 0
        self._make = make

    def __iter__(self) -> Iterator[object]:
        for number in range(100_000):
            self.read += 1
            yield self._make(number)


def test_a_source_is_read_no_further_than_allowed() -> None:
    source, got, before = Endless(int), [], set(threading.enumerate())
    reader = ReadAhead(source, 10, got.append)
    wait_for(lambda: source.read == 11)  # the last one waits to be given
    reader.release(5)
    wait_for(lambda: source.read == 16)
    assert got == list(range(15))
    reader.stop()
    wait_for(lambda: before.issuperset(threading.enumerate()))
    assert got == list(range(15))


def test_an_error_of_the_source_comes_with_its_end() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise LookupError("broke off")

    got: list[object] = []
    ReadAhead(source(), 10, got.append)
    wait_for(lambda: len(got) == 2)
    assert isinstance(got[1], Ended)
    with pytest.raises(LookupError, match="broke off"):
        got[1].check()


def test_pages_for_a_browser_are_read_as_they_are_taken() -> None:
    """A long list was read to its end before the first page of it was visited."""
    source = Endless(lambda number: Target(f"http://a.example/{number}"))
    lanes = Lanes(source)
    wait_for(lambda: source.read > AHEAD)
    pages = lanes.pages()
    assert [next(pages).url for _ in range(3)] == [f"http://a.example/{number}" for number in range(3)]
    wait_for(lambda: source.read == AHEAD + 4)
    lanes.stop()
    assert len(list(pages)) <= AHEAD + 1
    assert list(lanes.others()) == []


def test_targets_go_to_their_lanes_in_order() -> None:
    roles = [Role.PAGE, Role.FEED, Role.PAGE, Role.REQUISITE, Role.ROBOTS]
    lanes = Lanes([Target(str(number), role=role) for number, role in enumerate(roles)])
    assert [target.url for target in lanes.others()] == ["1", "3", "4"]
    assert [target.url for target in lanes.pages()] == ["0", "2"]


def test_results_wait_for_their_consumer_and_are_discarded_when_it_goes() -> None:
    source, discarded, under_way = Endless(int), [], []

    async def engine(inbox: Inbox[int], outbox: Outbox[int]) -> None:
        async for item in inbox:
            under_way.append(item)
            await outbox.put(item)
            inbox.finished()

    before = set(threading.enumerate())
    results = run_on_loop(engine, source, ahead=5, room=4, discard=discarded.append, tick=None)
    assert next(results) == 0
    wait_for(lambda: len(under_way) == 6)  # one is taken, four wait, and one is not put yet
    assert [next(results) for _ in range(20)] == list(range(1, 21))
    results.close()
    assert sorted(discarded) == under_way[21:], "what nobody took"
    wait_for(lambda: before.issuperset(threading.enumerate()))


def test_items_go_round_among_tasks_and_the_first_error_ends_all() -> None:
    async def engine(inbox: Inbox[int], outbox: Outbox[tuple[int, int]]) -> None:
        both = asyncio.Barrier(2)

        async def work(number: int) -> None:
            async for item in inbox:
                await both.wait()
                await outbox.put((number, item))

        await asyncio.gather(work(1), work(2))

    def source() -> Iterator[int]:
        yield from range(4)
        raise LookupError("broke off")

    results = run_on_loop(engine, source(), ahead=100, room=100, discard=lambda _: None, tick=None)
    found = []
    with pytest.raises(LookupError, match="broke off"):
        found.extend(results)
    first = sorted(found, key=lambda pair: pair[1])[:2]
    assert {number for number, _ in first} == {1, 2}
    assert [item for _, item in first] == [0, 1]
