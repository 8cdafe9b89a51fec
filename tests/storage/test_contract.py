"""One suite over every store: what `storage.base` promises."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from pathlib import Path
from threading import Barrier

import pytest

from storage.base import CHUNK_SIZE, ObjectInfo, ObjectStore
from storage.errors import ObjectMissing
from storage.local import LocalStore

BINARY = bytes(range(256)) * 3 + b"\r\n\0\x1f\x8b"
# Names that a walk through folders and the bytes of the whole key put in different orders.
TRICKY = ["a-b", "a.b", "a/b", "a/c-d", "a/c.d", "a/c/e", "a/c/f/g", "a0", "aB", "a_b", "ab", "b", "runs/2025/x"]
TRICKY += ["runs/2026-a/x", "runs/2026.x", "runs/2026/x", "runs/20260/x", "runs/2027/x"]
BAD_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a\nb",
    "a\n",
    "ü",
    "a\\b",
    "a b",
    "a~b",
    "a\0",
]


FOR_THREADS = [
    "memory",
    "local",
    "seaweedfs",
    "replicas",
]  # moto keeps its objects without a lock: threads break it, not the store


def keys(store: ObjectStore, prefix: str = "", start_after: str = "") -> list[str]:
    return [info.key for info in store.list(prefix, start_after)]


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    barrier = Barrier(count)

    def wait_and_work(number: int) -> object:
        barrier.wait(60)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_work, range(count)))


@pytest.mark.parametrize(
    "data", [b"", b"x", BINARY, bytes(3 * CHUNK_SIZE + 1)], ids=["empty", "one", "binary", "chunks"]
)
def test_what_is_put_is_had(store: ObjectStore, again: Callable[[], ObjectStore], data: bytes) -> None:
    store.put("a/key.bin", data)
    for one in (store, again()):
        assert one.get("a/key.bin") == data
        assert b"".join(one.stream("a/key.bin")) == data
        assert one.head("a/key.bin") == ObjectInfo("a/key.bin", len(data))
        assert list(one.list()) == [ObjectInfo("a/key.bin", len(data))]


def test_a_put_replaces(store: ObjectStore) -> None:
    store.put("a", b"a longer first one")
    store.put("a", b"second")
    assert store.get("a") == b"second"
    assert list(store.list()) == [ObjectInfo("a", 6)]


@pytest.mark.parametrize("size", [0, 1, (5 << 20) - 1, 5 << 20, (12 << 20) + 1])
def test_a_file_is_put_whatever_its_size(store: ObjectStore, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(random.Random(size).randbytes(size))
    store.put("files/one.warc.gz", b"there before")
    store.put_file("files/one.warc.gz", path)
    digest = hashlib.sha256()
    for chunk in store.stream("files/one.warc.gz"):
        assert 0 < len(chunk) <= CHUNK_SIZE
        digest.update(chunk)
    assert digest.digest() == hashlib.sha256(path.read_bytes()).digest()
    assert store.head("files/one.warc.gz") == ObjectInfo("files/one.warc.gz", size)
    assert store.get_range("files/one.warc.gz", max(0, size - 3), 10) == path.read_bytes()[-3:]


def test_ranges_at_every_boundary(store: ObjectStore) -> None:
    data = b"0123456789"
    store.put("ten", data)
    store.put("none", b"")
    for start in (0, 1, 5, 9, 10, 11, 1 << 40):
        for length in (0, 1, 4, 5, 9, 10, 11, 1 << 40):
            assert store.get_range("ten", start, length) == data[start : start + length], (start, length)
    assert store.get_range("none", 0, 10) == b""
    assert store.get_range("none", 5, 10) == b""


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, -1)])
def test_ranges_that_cannot_be_are_the_callers_fault(store: ObjectStore, start: int, length: int) -> None:
    store.put("ten", b"0123456789")
    with pytest.raises(ValueError, match="not a range"):
        store.get_range("ten", start, length)


def test_keys_come_in_the_order_of_their_bytes(store: ObjectStore) -> None:
    for key in random.Random(7).sample(TRICKY, len(TRICKY)):
        store.put(key, key.encode())
    assert list(store.list()) == [ObjectInfo(key, len(key)) for key in sorted(TRICKY)]
    for prefix in (
        "",
        "a",
        "a/",
        "a/c",
        "a/c/",
        "a-",
        "runs/",
        "runs/2026",
        "runs/2026/",
        "zzz",
        "runs/2026/x",
        "x/y/",
    ):
        expected = sorted(key for key in TRICKY if key.startswith(prefix))
        assert keys(store, prefix) == expected, prefix
        for after in [
            *TRICKY,
            "a",
            "a/",
            "a/c",
            "a/c/",
            "runs",
            "runs/",
            "runs/2026",
            "runs/2026/",
            "runs/2026~",
            "0",
            "zz",
        ]:
            assert keys(store, prefix, after) == [key for key in expected if key > after], (prefix, after)


def test_prefixes_that_no_key_has(store: ObjectStore) -> None:
    store.put("a/b", b"")
    for prefix in ("/", "../", "..", "a//", "./", "/etc/", "a/../", "ü", "~", "a b/"):
        assert keys(store, prefix) == [], prefix


def test_a_listing_of_more_than_a_page(store: ObjectStore) -> None:
    names = [f"runs/{number // 100:03d}/{number:05d}" for number in range(1100)] + ["runs/000-x", "zz"]
    # What moto does in threads is its own affair; to a server, and to a disk, many at once are a matter of a second.
    with ThreadPoolExecutor(1 if "moto" in store.url else 8) as pool:
        list(pool.map(lambda name: store.put(name, b"x"), names))
    names.sort()
    assert keys(store) == names
    assert keys(store, "runs/", names[1050]) == names[1051:-1]
    assert [info.key for info in islice(store.list("runs/005"), 3)] == [
        "runs/005/00500",
        "runs/005/00501",
        "runs/005/00502",
    ]


def test_missing_objects(store: ObjectStore) -> None:
    store.put("there/it/is", b"x")
    for key in ("there/it/isnt", "there/it", "there", "th", "there/it/is/not", "long" * 200):
        for read in (
            lambda key=key: store.get(key),
            lambda key=key: store.get_range(key, 0, 1),
            lambda key=key: store.get_range(key, 0, 0),
            lambda key=key: list(store.stream(key)),
        ):
            with pytest.raises(ObjectMissing) as caught:
                read()
            assert caught.value.key == key
        assert store.head(key) is None
        store.delete(key)
    assert keys(store) == ["there/it/is"]


def test_deleting(store: ObjectStore) -> None:
    store.put("a/b/c", b"x")
    store.put("a/d", b"y")
    store.delete("a/b/c")
    store.delete("a/b/c")
    assert store.head("a/b/c") is None
    assert keys(store) == ["a/d"]
    store.put("a/b", b"now an object where a folder was")
    assert store.get("a/b").startswith(b"now")
    assert store.put_if_absent("a/d", b"z") is False
    store.delete("a/d")
    assert store.put_if_absent("a/d", b"z") is True


def test_bad_keys_are_refused_before_anything_is_touched(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    store.put("a", b"kept")
    uses: list[Callable[[str], object]] = [
        lambda key: store.put(key, b"x"),
        lambda key: store.put_if_absent(key, b"x"),
        lambda key: store.put_file(key, file),
        store.get,
        lambda key: store.get_range(key, 0, 1),
        lambda key: list(store.stream(key)),
        store.head,
        store.delete,
    ]
    for key in BAD_KEYS:
        for use in uses:
            with pytest.raises(ValueError, match="not a key"):
                use(key)
    assert keys(store) == ["a"]
    assert store.get("a") == b"kept"


def test_odd_keys_are_keys(store: ObjectStore) -> None:
    odd = [".hidden", "..a", "...", ".tmp/x", "_", "-", "a.b.c/-._", "A/z9"]
    for key in odd:
        store.put(key, key.encode())
    assert keys(store) == sorted(odd)
    for key in odd:
        assert store.get(key) == key.encode()


def test_put_if_absent(store: ObjectStore, again: Callable[[], ObjectStore]) -> None:
    assert store.put_if_absent("runs/one/datapackage.json", b"first") is True
    assert store.put_if_absent("runs/one/datapackage.json", b"second") is False
    assert again().put_if_absent("runs/one/datapackage.json", b"third") is False
    assert store.get("runs/one/datapackage.json") == b"first"
    assert keys(store) == ["runs/one/datapackage.json"]  # and nothing that was only a trial
    store.put("put", b"by a plain put")
    assert store.put_if_absent("put", b"") is False
    assert getattr(store, "conditional_puts", True) is True


@pytest.mark.parametrize("store", FOR_THREADS, indirect=True)
@pytest.mark.parametrize("shared", [True, False], ids=["one-object", "many-objects"])
def test_of_eight_writers_at_once_one_wins(store: ObjectStore, again: Callable[[], ObjectStore], shared: bool) -> None:
    for round_ in range(2):
        key = f"round/{round_}"
        stores = [store if shared else again() for _ in range(8)]
        bodies = [bytes([number]) * 50_000 for number in range(8)]
        won = at_once(8, lambda number: stores[number].put_if_absent(key, bodies[number]))  # noqa: B023 - used at once
        assert sorted(won, key=bool) == [False] * 7 + [True]
        assert store.get(key) == bodies[won.index(True)]


@pytest.mark.parametrize("store", FOR_THREADS, indirect=True)
def test_puts_at_once_never_mix(store: ObjectStore, tmp_path: Path) -> None:
    bodies = [bytes([number]) * (40_000 + number) for number in range(4)]
    files = [tmp_path / str(number) for number in range(4)]
    for file, body in zip(files, bodies, strict=True):
        file.write_bytes(body)
    store.put("a/b", bodies[0])

    def work(number: int) -> set[int]:
        seen = set()
        for turn in range(6):
            if number >= 4:
                seen.add(bodies.index(store.get("a/b")))
                seen.add(bodies.index(b"".join(store.stream("a/b"))))
            elif turn % 2:
                store.put("a/b", bodies[number])
            else:
                store.put_file("a/b", files[number])
        return seen

    at_once(8, work)  # bodies.index raises for anything but a whole one
    assert store.get("a/b") in bodies


@pytest.mark.parametrize("store", FOR_THREADS, indirect=True)
def test_puts_and_deletes_at_once_in_one_folder(store: ObjectStore) -> None:
    def work(number: int) -> None:
        for _ in range(8):
            store.put(f"shared/folder/{number}", b"x")
            store.delete(f"shared/folder/{number}")

    at_once(4, work)
    assert keys(store) == []


def test_the_address_opens_the_same_store_and_shows_in_its_repr(
    store: ObjectStore, again: Callable[[], ObjectStore]
) -> None:
    assert again().url == store.url
    assert "Store(" in repr(store)
    if not isinstance(store, LocalStore):
        assert "\n" not in repr(store)


def test_the_time_is_that_by_which_objects_are_dated(store: ObjectStore) -> None:
    before = store.now()
    store.put("a", b"x")
    found = store.head("a")
    assert found is not None
    assert found.modified is not None
    second = timedelta(seconds=2)  # some stores date objects by the second
    assert before - second <= found.modified <= store.now() + second
    assert [info.key for info in store.list()] == ["a"], "asking leaves nothing behind"
