"""A primary and its replicas as one: what the primary decides, and what a store that fails costs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.copies.failover import FailoverStore
from storage.base import ObjectInfo, ObjectStore
from storage.errors import ObjectMissing, StoreDenied, StoreError, StoreMissing, StoreUnavailable
from storage.memory import MemoryStore

WRITES: dict[str, Callable[[ObjectStore, Path], object]] = {
    "put": lambda store, path: store.put("a", b"new"),
    "put_if_absent": lambda store, path: store.put_if_absent("b", b"new"),
    "put_file": lambda store, path: store.put_file("a", path),
    "delete": lambda store, path: store.delete("a"),
}
READS: dict[str, Callable[[ObjectStore], object]] = {
    "get": lambda store: store.get("a"),
    "get_range": lambda store: store.get_range("a", 1, 2),
    "stream": lambda store: b"".join(store.stream("a")),
    "list": lambda store: list(store.list()),
    "head": lambda store: store.head("a"),
}


class Failing(MemoryStore):
    """Fails at the calls that are named, with the error that is given."""

    def __init__(self, *calls: str, error: StoreError | None = None) -> None:
        super().__init__()
        self.calls = set(calls)
        self.error = error or StoreUnavailable("out of reach")
        self.asked = 0

    def _at(self, call: str) -> None:
        self.asked += 1
        if call in self.calls:
            raise self.error

    def put(self, key: str, data: bytes) -> None:
        self._at("put")
        super().put(key, data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._at("put_if_absent")
        return super().put_if_absent(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self._at("put_file")
        MemoryStore.put(self, key, path.read_bytes())

    def get(self, key: str) -> bytes:
        self._at("get")
        return super().get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self._at("get_range")
        return MemoryStore.get(self, key)[start : start + length]

    def stream(self, key: str) -> Iterator[bytes]:
        yield MemoryStore.get(self, key)[:2]
        self._at("stream")
        yield MemoryStore.get(self, key)[2:]

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        self._at("list")
        return super().list(prefix, start_after)

    def head(self, key: str) -> ObjectInfo | None:
        self._at("head")
        return super().head(key)

    def delete(self, key: str) -> None:
        self._at("delete")
        super().delete(key)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"new")
    return path


@pytest.mark.parametrize("call", WRITES)
def test_what_the_primary_refuses_is_not_done(call: str, source: Path) -> None:
    first, second = Failing(call), MemoryStore()
    stores = FailoverStore([first, second])
    for store in (first, second):
        store._objects["a"] = b"whole"
    with pytest.raises(StoreUnavailable, match="out of reach"):
        WRITES[call](stores, source)
    assert first._objects == second._objects == {"a": b"whole"}


@pytest.mark.parametrize("call", WRITES)
def test_what_a_replica_refuses_is_done_and_told_once(
    call: str, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = MemoryStore(), Failing(call), MemoryStore()
    stores = FailoverStore([first, second, third])
    for store in (first, second, third):
        store._objects["a"] = b"whole"
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            WRITES[call](stores, source)
    assert first._objects == third._objects != second._objects
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "it lacks what is put meanwhile" in caplog.text
    assert second.asked == 1, "it is left alone for a while"


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("error", [StoreUnavailable("gone"), StoreDenied("no"), StoreMissing("no bucket")])
def test_a_replica_is_read_where_the_first_does_not_answer(
    call: str, error: StoreError, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Failing(call, error=error), MemoryStore()
    stores = FailoverStore([first, second])
    stores.put("a", b"whole")
    if call == "stream":  # it had begun: what follows could be of another object
        with pytest.raises(type(error)):
            READS[call](stores)
        return
    with caplog.at_level(logging.WARNING):
        assert READS[call](stores) == READS[call](second)
    assert "which may lack what is newest" in caplog.text


@pytest.mark.parametrize("call", ["get", "get_range", "head"])
def test_only_the_primary_can_say_that_there_is_nothing(call: str) -> None:
    first, second = Failing(), MemoryStore()
    stores = FailoverStore([first, second])
    second._objects["a"] = b"left from before it was deleted"
    if call == "head":
        assert stores.head("a") is None
    else:
        with pytest.raises(ObjectMissing):
            READS[call](stores)
    second.delete("a")
    first.put("a", b"not brought to the other yet")
    first.calls = {call}
    with pytest.raises(StoreUnavailable):
        READS[call](stores)


def test_the_primary_decides_who_was_first() -> None:
    first, second = MemoryStore(), MemoryStore()
    stores = FailoverStore([first, second])
    second._objects["a"] = b"of another time"
    assert stores.put_if_absent("a", b"x") is True
    assert stores.put_if_absent("a", b"y") is False
    assert (first.get("a"), second.get("a")) == (b"x", b"of another time")


def test_a_store_is_asked_again_after_a_while() -> None:
    first, second = Failing("get", "put"), Failing("put")
    stores = FailoverStore([first, second], rest=0)
    with pytest.raises(StoreUnavailable):
        stores.put("a", b"x")
    first.calls = set()
    stores.put("a", b"x")
    assert second._objects == {}
    second.calls = set()
    stores.put("a", b"x")
    assert second._objects == {"a": b"x"}
    assert stores.get("a") == b"x"


def test_all_out_of_reach_is_the_primarys_fault() -> None:
    stores = FailoverStore([Failing("get"), Failing("get", error=StoreDenied("the second"))])
    with pytest.raises(StoreError, match="out of reach"):
        stores.get("a")
