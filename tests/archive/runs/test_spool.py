"""What lies in the spool: torn, damaged, of another version, without room; nothing acknowledged is thrown away.

Killed at every step: `tests/torture/test_every_step.py`.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.model import Outcome
from archive.runs.commit import publish
from archive.runs.session import Session
from archive.runs.spool import Spool, SpooledRun
from archive.runs.warc_files import RunSettings
from storage.errors import OnrecordError, StoreUnavailable
from storage.memory import MemoryStore
from tests.exchanges import an_exchange

STARTED = {"started": "2026-11-23T12:00:00+00:00"}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", "memory:")


def a_run(archive: Archive, checkpoints: int = 3) -> Session:
    session = archive.session(RunSettings("test/1"))
    for number in range(checkpoints):
        session.add(an_exchange(f"http://example.org/{number}", b"%d" % number * 100), page=False)
        session.add_outcome(Outcome(f"http://example.org/{number}", "ok", "2026-11-23T12:00:00Z"))
        session.checkpoint()
    return session


def recovered(archive: Archive) -> int:
    """Finish what waits; how many snapshots can be seen then."""
    for session in archive.recover():
        session.commit()
        session.close()
    archive.refresh()
    return len(list(archive.snapshots("http://example.org/", match="host")))


@pytest.mark.parametrize("keep", range(0, 400, 13))
def test_a_journal_torn_anywhere_loses_no_earlier_checkpoint(archive: Archive, tmp_path: Path, keep: int) -> None:
    session = a_run(archive)
    session.close()
    journal = tmp_path / "spool" / "x"
    (journal,) = (tmp_path / "spool").glob("*/*/journal.jsonl")
    whole = journal.read_bytes()
    cut = whole[: len(whole) * keep // 400]
    journal.write_bytes(cut)
    assert recovered(archive) == cut.count(b"\n")
    assert not any(finding.faults for finding in archive.verify())


@pytest.mark.parametrize("damage", [b"\0", b"{", b"\xff"])
def test_a_journal_damaged_before_its_end_is_never_cut_back(
    archive: Archive, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A line that cannot be read with sound ones behind it is no torn end: what came later was acknowledged."""
    session = a_run(archive)
    session.close()
    folder = session.work.parent
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = damage * (len(lines[1]) - 1) + b"\n"
    journal.write_bytes(b"".join(lines))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with caplog.at_level(logging.WARNING):
        assert recovered(archive) == 0
    assert "line 2 of its journal" in caplog.text
    assert str(folder) in caplog.text
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_file_that_lost_bytes_is_not_filled_up_with_zeros(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    session = a_run(archive)
    session.close()
    warc = session.work.parent / object_keys.warc_path(0)
    os.truncate(warc, 100)
    with caplog.at_level(logging.WARNING):
        assert recovered(archive) == 0
    assert object_keys.warc_path(0) in caplog.text
    assert warc.stat().st_size == 100


@pytest.mark.parametrize(
    "line",
    [b"[]", b"{}", b'{"ends":[],"entries":[]}', b'{"ends":{},"entries":5}', b'{"ends":{"x":-1},"entries":[]}',
     b'{"ends":{"../../x":1},"entries":[]}', b'{"ends":{},"entries":[5]}', b"[" * 100_000],
)  # fmt: skip
def test_lines_that_are_no_checkpoint_are_named(spool: Spool, line: bytes) -> None:
    run = spool.create("20261123T120000Z-00000000", STARTED)
    run.checkpoint([])
    with (run.folder / "journal.jsonl").open("ab") as journal:
        journal.write(line + b"\n")
        journal.write(b'{"ends":{},"entries":[]}\n')
    with pytest.raises(OnrecordError, match="line 2"):
        run.replay(cut=True)


def test_a_run_of_a_newer_version_is_left_alone(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = a_run(archive)
    session.close()
    (settings,) = (tmp_path / "spool").glob("*/*/run.json")
    kept = json.loads(settings.read_bytes())
    settings.write_text(json.dumps(kept | {"spool": 99}))
    with caplog.at_level(logging.WARNING):
        assert list(archive.recover()) == []
    assert "upgrade onrecord" in caplog.text
    settings.write_text(json.dumps(kept))
    assert recovered(archive) == 3


def test_a_second_recovery_finds_nothing_while_the_first_is_under_way(archive: Archive) -> None:
    a_run(archive).close()
    (first,) = archive.recover()
    assert list(archive.recover()) == []
    first.close()
    assert recovered(archive) == 3


def test_folders_left_by_killed_writers_go(spool: Spool, tmp_path: Path) -> None:
    run = spool.create("20261123T120000Z-00000000", STARTED)
    folder = run.folder.parent
    gone, old, young = (folder / name for name in (".x.gone", ".a.new", ".b.new"))
    for path in (gone, old, young):
        (path / "archive").mkdir(parents=True)
    os.utime(old, (1, 1))
    assert list(spool.waiting()) == []
    assert [path.exists() for path in (gone, old, young)] == [False, False, True]


def test_what_is_no_folder_of_ours_is_passed_over(spool: Spool) -> None:
    run = spool.create("20261123T120000Z-00000000", STARTED)
    run.close()
    (run.folder.parent / "20261123T120001Z-00000000").write_text("a file")
    (run.folder.parent / "notes").mkdir()
    assert [found.run for found in spool.waiting()] == [run.run]
    assert spool.names() == [run.run]


def test_a_spool_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be, which stops root too")
    with pytest.raises(StoreUnavailable, match="spool"):
        Spool(tmp_path / "spool", "memory:").create("20261123T120000Z-00000000", STARTED)


def test_locks_that_cannot_be_had_are_named(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have none: that is no bug of ours, and no living writer either."""
    import fcntl

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreUnavailable, match=os.strerror(errno.ENOLCK)):
        spool.create("20261123T120000Z-00000000", STARTED)


def test_every_folder_on_the_way_is_seen_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is acknowledged survives a power failure only where the folders that lead to it are durable too."""
    synced: set[tuple[int, int]] = set()
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.add((found.st_dev, found.st_ino))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    root = tmp_path / "state" / "spool"
    run = Spool(root, "memory:").create("20261123T120000Z-00000000", STARTED)
    run.append(object_keys.warc_path(0), b"data")
    run.checkpoint([])
    wanted = [tmp_path, root.parent, root, run.folder.parent, run.folder, run.folder / "archive"]
    places = {path: (path.stat().st_dev, path.stat().st_ino) for path in wanted}
    assert [path for path, place in places.items() if place not in synced] == []


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writes beyond so many bytes of a file fail, as on a disk without room."""
    import signal

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [0, 50, 150, 300, 500, 700, 1000, 1500])
def test_a_disk_that_fills_while_a_run_is_sealed_loses_nothing(archive: Archive, size: int) -> None:
    session = a_run(archive)
    session.close()
    (again,) = archive.recover()
    with largest_file(size):
        try:
            again.commit()
        except StoreUnavailable as error:
            assert "free space" in str(error)  # noqa: PT017 - it may also succeed
    again.close()
    assert recovered(archive) == 3
    assert not any(finding.faults for finding in archive.verify())


@pytest.mark.parametrize("size", [0, 100, 500, 1200, 3000])
def test_a_disk_that_fills_while_captures_are_written_keeps_the_acknowledged(archive: Archive, size: int) -> None:
    session = archive.session(RunSettings("test/1"))
    acknowledged: list[int] = []

    def capture(number: int) -> None:
        session.add(an_exchange(f"http://example.org/{number}", os.urandom(200).hex().encode()), page=False)
        session.checkpoint()
        acknowledged.append(number)

    with largest_file(size), pytest.raises(StoreUnavailable, match="free space"):
        any(map(capture, range(1000)))
    session.close()
    assert recovered(archive) >= len(acknowledged)
    assert not any(finding.faults for finding in archive.verify())


def test_files_that_are_gone_when_a_run_is_published_are_named(archive: Archive) -> None:
    class Offline(MemoryStore):
        def get_range(self, key: str, start: int, length: int) -> bytes:
            raise StoreUnavailable("the store is out of reach")

    session = a_run(archive)
    session._publish = partial(publish, Offline())
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.close()
    folder = session.work.parent
    (folder / object_keys.CDX).unlink()
    (sealed,) = archive.recover()
    with pytest.raises(OnrecordError, match=r"index\.cdx\.gz"):
        sealed.commit()
    sealed.close()
    (folder / object_keys.MANIFEST).write_bytes(b"damaged")
    (sealed,) = archive.recover()
    with pytest.raises(OnrecordError, match=session.run):
        sealed.commit()


def test_a_run_folder_is_of_its_writer_alone(spool: Spool) -> None:
    run: SpooledRun = spool.create("20261123T120000Z-00000000", STARTED)
    assert run.folder.parent.stat().st_mode & 0o77 == 0
