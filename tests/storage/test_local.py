"""What only files can get wrong: killed writers, links, folders in the way, full disks, names that are no keys."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

import pytest

from storage.errors import ObjectMissing, StoreDenied, StoreError, StoreMissing, StoreUnavailable
from storage.files import store_error
from storage.local import LocalStore
from tests.waiting import wait_for

TEMPORARY = ".~tmp"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def keys(root: Path) -> list[str]:
    return [info.key for info in LocalStore(root).list()]


def left_over(root: Path) -> list[str]:
    return sorted(path.name for path in (root / TEMPORARY).iterdir())


def test_a_writer_killed_in_the_middle_shows_nothing(root: Path, tmp_path: Path) -> None:
    LocalStore(root).put("a/old", b"old")
    pipe = tmp_path / "pipe"  # a source that stops where the test wants it to
    os.mkfifo(pipe)
    script = "import sys; from pathlib import Path; from storage.local import LocalStore as L;"
    script += "L(Path(sys.argv[1])).put_file(sys.argv[2], Path(sys.argv[3]))"
    for key in ("a/new", "a/old"):
        writer = subprocess.Popen([sys.executable, "-c", script, str(root), key, str(pipe)])
        with pipe.open("wb", buffering=0) as source:
            source.write(b"x" * 3_000_000)
            wait_for(lambda: sum(path.stat().st_size for path in (root / TEMPORARY).iterdir()) >= 2_000_000)
            assert keys(root) == ["a/old"]
            writer.send_signal(signal.SIGKILL)
            assert writer.wait(60) == -signal.SIGKILL
        assert keys(root) == ["a/old"]
        assert LocalStore(root).get("a/old") == b"old"
        assert LocalStore(root).head("a/new") is None
        for path in (root / TEMPORARY).iterdir():
            path.unlink()


def test_what_killed_writers_left_goes_after_a_day_and_not_before(root: Path) -> None:
    LocalStore(root).put("a", b"x")
    for name, age in [("old", 25 * 3600), ("young", 23 * 3600), ("lock", 25 * 3600)]:
        path = root / TEMPORARY / name
        path.write_bytes(b"left")
        os.utime(path, (time.time() - age,) * 2)
    LocalStore(root).put("b", b"x")
    assert left_over(root) == ["lock", "young"]
    assert keys(root) == ["a", "b"]


def test_failed_puts_leave_nothing(root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    store.put("a/b", b"x")
    with pytest.raises(StoreUnavailable, match=r"cannot read .*absent: No such file"):
        store.put_file("c", tmp_path / "absent")
    for put in (store.put, store.put_if_absent):
        with pytest.raises(StoreDenied, match="a file lies where a folder has to be, or the other way round"):
            put("a", b"y")
        with pytest.raises(StoreDenied, match="a file lies where a folder has to be, or the other way round"):
            put("a/b/c", b"y")
        with pytest.raises(StoreDenied, match="too long"):
            put("n" * 300, b"y")
    assert keys(root) == ["a/b"]
    assert left_over(root) == []


def test_the_order_in_which_things_reach_the_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = root / "runs/one/key"
    synced: list[tuple[Path, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), target.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    for put in (LocalStore(root).put, LocalStore(root).put_if_absent):
        synced.clear()
        put("runs/one/key", b"x")
        content = next(at for at, (path, _) in enumerate(synced) if path.parent.name == TEMPORARY)
        assert synced[content][1] is False
        assert (root / "runs/one", True) in synced[content:]  # the name itself, once it is there
        folders = {path for path, _ in synced}
        assert {root, root / "runs"} <= folders  # and the names of the folders that lead to it
        target.unlink()


def test_a_new_root_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    LocalStore(tmp_path / "x" / "y").put("a", b"")
    assert {tmp_path, tmp_path / "x", tmp_path / "x" / "y"} <= synced


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_without_hard_links_one_writer_still_wins(root: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", link)
    with ThreadPoolExecutor(8) as pool:
        for key in ("a/one", "a/two", "a/three"):
            won = list(pool.map(lambda number: LocalStore(root).put_if_absent(key, b"%d" % number * 9999), range(8)))  # noqa: B023
            assert won.count(True) == 1
            assert LocalStore(root).get(key) == b"%d" % won.index(True) * 9999
    with pytest.raises(StoreDenied, match="a file lies where a folder"):
        LocalStore(root).put_if_absent("a", b"x")
    assert left_over(root) == ["lock"]


def test_without_hard_links_writers_wait_for_each_other(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Event()

    def link(*_: object, **__: object) -> None:
        tried.set()
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    LocalStore(root).put_if_absent("b", b"makes the lock")
    tried.clear()
    with (root / TEMPORARY / "lock").open() as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a writer that has looked, and is about to rename
        late = pool.submit(LocalStore(root).put_if_absent, "a", b"late")
        assert tried.wait(60)
        assert not wait([late], 0.2).done
        (root / "a").write_bytes(b"first")
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert late.result(60) is False
    assert LocalStore(root).get("a") == b"first"


def test_links_that_fail_for_another_reason_are_errors(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(StoreUnavailable, match="check the disk"):
        LocalStore(root).put_if_absent("a", b"x")
    assert keys(root) == []


def test_symbolic_links_lead_nowhere(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store = LocalStore(root)
    store.put("a/kept", b"x")
    (root / "runs").symlink_to(outside)
    (root / "a/file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(root)
    for use in (
        lambda: store.get("runs/secret"),
        lambda: store.get("a/file"),
        lambda: store.get_range("a/file", 0, 1),
        lambda: list(store.stream("runs/secret")),
        lambda: store.head("runs/secret"),
        lambda: store.put("runs/new", b"x"),
        lambda: store.put_if_absent("runs/new", b"x"),
        lambda: store.put_file("runs/new", outside / "secret"),
        lambda: store.delete("runs/secret"),
        lambda: list(store.list("runs/")),
        lambda: store.get("loop/a/kept"),
    ):
        with pytest.raises(StoreDenied, match="leads through a symbolic link"):
            use()
    assert keys(root) == ["a/kept"]
    assert "does not follow symbolic links" in caplog.text
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_a_planted_temporary_folder_takes_nothing_out(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / TEMPORARY).symlink_to(tmp_path / "outside")
    with pytest.raises(StoreDenied, match="symbolic links"):
        LocalStore(root).put("a", b"x")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_root_that_is_a_link_is_the_users_choice(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    store = LocalStore(tmp_path / "link")
    store.put("a", b"x")
    assert LocalStore(root).get("a") == b"x"
    assert store.url == str(root)


def test_files_that_are_no_objects(root: Path) -> None:
    store = LocalStore(root)
    store.put("a/b", b"x")
    for name in ("a/with space", "a/b~", "ü", "Icon\r"):
        (root / name).write_bytes(b"foreign")
    os.mkfifo(root / "a/pipe")
    assert keys(root) == ["a/b"]
    with pytest.raises(ObjectMissing):
        store.get("a/pipe")
    with pytest.raises(ObjectMissing):
        store.get("a")
    assert store.head("a/pipe") is None


def test_only_the_folders_in_question_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(root)
    for run in range(5):
        for name in ("archive/0", "pages/0", "top"):
            store.put(f"runs/{run}/{name}", b"x")
    store.put("index/a/b", b"x")
    read: list[str] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        read.append(str(Path(path).relative_to(root)))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [info.key for info in store.list("runs/", "runs/3/pages/0")] == [
        *("runs/3/top", "runs/4/archive/0", "runs/4/pages/0", "runs/4/top")
    ]
    assert read == ["runs", "runs/3", "runs/3/pages", "runs/4", "runs/4/archive", "runs/4/pages"]
    read.clear()
    assert next(iter(store.list())).key == "index/a/b"
    assert read == [".", "index", "index/a"]


def test_a_root_that_is_not_there(root: Path) -> None:
    store = LocalStore(root)
    for read in (
        lambda: store.get("a"),
        lambda: list(store.list()),
        lambda: list(store.list("a/b")),
        lambda: list(store.stream("a")),
    ):
        with pytest.raises(StoreMissing, match=r"no directory .*: capture something into it first"):
            read()
    assert store.head("a") is None
    store.delete("a")
    assert not root.exists()
    store.put("a", b"x")
    assert store.get("a") == b"x"


def test_a_root_that_goes_away_and_comes_back(root: Path) -> None:
    store = LocalStore(root)
    store.put("a/b", b"x")
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(StoreMissing):
        store.get("a/b")
    store.put("a/b", b"y")
    assert store.get("a/b") == b"y"


def test_a_root_that_is_a_file(root: Path) -> None:
    root.write_bytes(b"a file")
    store = LocalStore(root)
    for use in (lambda: store.get("a"), lambda: list(store.list())):
        with pytest.raises(StoreDenied, match="is a file, not a directory"):
            use()
    with pytest.raises(StoreDenied, match="a file lies where a folder"):
        store.put("a", b"x")
    assert root.read_bytes() == b"a file"


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="wants a folder where nobody may write: /sys of Linux")
def test_where_nobody_may_write() -> None:
    with pytest.raises(StoreDenied, match="give this user the right"):
        LocalStore(Path("/sys/kernel/onrecord-store")).put("a", b"x")


def test_a_disk_that_fills_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(root)
    store.put("a", b"before")

    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(StoreUnavailable, match=r"disk full at .*: free space, then run again"):
            store.put("a", b"after")
    assert store.get("a") == b"before"
    assert left_over(root) == []


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.ENOSPC, StoreUnavailable, "disk full at /x: free space"),
        (errno.EDQUOT, StoreUnavailable, "disk full at /x: free space"),
        (errno.EIO, StoreUnavailable, "check the disk"),
        (errno.ETIMEDOUT, StoreUnavailable, "run again"),
        (errno.EMFILE, StoreUnavailable, "Too many open files"),
        (errno.EACCES, StoreDenied, "give this user the right"),
        (errno.EPERM, StoreDenied, "give this user the right"),
        (errno.EROFS, StoreDenied, "Read-only file system"),
        (errno.ENOTDIR, StoreDenied, "move it away"),
        (errno.ELOOP, StoreDenied, "symbolic links"),
        (errno.ENAMETOOLONG, StoreDenied, "too long"),
    ],
)
def test_what_the_systems_errors_mean(number: int, kind: type[StoreError], says: str) -> None:
    error = store_error(OSError(number, os.strerror(number)), Path("/x"))
    assert type(error) is kind
    assert says in str(error)


def test_files_have_the_modes_that_the_user_asks_for(root: Path) -> None:
    before = os.umask(0o027)
    try:
        LocalStore(root).put("a", b"x")
        LocalStore(root).put_if_absent("b", b"x")
    finally:
        os.umask(before)
    assert {stat.S_IMODE((root / name).stat().st_mode) for name in ("a", "b")} == {0o640}


@pytest.mark.full
def test_large_copies_need_little_memory(root: Path, tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(300 << 20)
    script = "import re, sys; from pathlib import Path; from storage.local import LocalStore as L;"
    script += "s = L(Path(sys.argv[1])); s.put_file('big', Path(sys.argv[2])); print(sum(map(len, s.stream('big'))));"
    script += "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    said = subprocess.run(
        [sys.executable, "-c", script, str(root), str(big)], capture_output=True, text=True, timeout=200
    )
    size, peak = said.stdout.split()
    assert int(size) == 300 << 20
    assert int(peak) < 100 << 10  # kibibytes
