"""Disks that are full or fail: at every step, for the spool, the store, the cache and what is known of watches."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.archive import Archive
from pipeline.alerts.outbox import Outbox
from pipeline.watch.history import Ledger
from storage.location import open_store
from tests.command import Command, Done
from tests.pipeline.cli.conftest import post
from tests.site import Site
from tests.torture.actions import ACTIONS, PAGES, Place, recover
from tests.torture.conftest import Tally
from tests.torture.places import Bench, silent, steps, whole
from tests.torture.scale import count
from tests.torture.victims import Fate, Order, Victims, unavailable, victims

pytestmark = pytest.mark.full

STEPS = count("ERRORS", 2, 1_000_000)  # of each action, folder and error
ROOMS = count("ROOMS", 2, 24)  # sizes of a disk for the command
ENDLESS = 1 << 40
ERRORS = {"full": errno.ENOSPC, "failing": errno.EIO}
WHERE = [
    *(("capture", root) for root in ("spool", "store", "cache")),
    *(("merge", root) for root in ("spool", "store", "cache")),
    *(("import", "spool"), ("import", "store"), ("replicate", "copy"), ("repair", "store")),
]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with victims(tmp_path_factory.mktemp("library")) as server:
        yield server


@pytest.mark.parametrize(("action", "root"), WHERE)
def test_a_disk_that_is_full_or_fails_at_any_step_is_named_and_loses_nothing(
    quick: Path, action: str, root: str, victim: Victims, tally: Tally
) -> None:
    bench = Bench(Place(quick / "place"), action, quick / "kept")
    order = Order(action, str(bench.place.folder), ENDLESS, root=root)
    calls = victim(order).calls
    dice = random.Random(action + root)
    for name, number in ERRORS.items():
        for stays in (True, False):
            for step in steps(calls, STEPS, dice):
                bench.restore()
                fate = victim(Order(action, str(bench.place.folder), step, number, stays, root=root))
                assert not fate.killed
                assert fate.well or (fate.code in {5, 10} and "\n" not in fate.text), fate.text
                assert fate.well or root != "cache", "a cache that cannot be written is no fault"
                if action != "repair":
                    whole(bench.place)
                bench.finish()
                whole(bench.place)
                bench.check(fate.told)
                tally(f"errors of a {name} disk under {action}, each named in a line, nothing lost", 1)


def test_a_disk_that_fails_to_read_is_named_and_is_no_end_of_a_file(quick: Path, victim: Victims, tally: Tally) -> None:
    bench = Bench(Place(quick / "place"), "read", quick / "kept")
    for action in ("read", "merge", "replicate", "repair"):
        bench.restore()
        order = Order(action, str(bench.place.folder), ENDLESS, reads=True, root="store")
        for step in steps(victim(order).calls, STEPS, random.Random(action)):
            bench.restore()
            fate = victim(Order(action, str(bench.place.folder), step, errno.EIO, True, True, "store"))
            assert not fate.killed
            assert fate.well or (fate.code in {5, 10} and "\n" not in fate.text), fate.text
            recover(bench.place, silent)
            whole(bench.place)
            whole(bench.place, "copy")
            tally(f"errors of a disk that fails to read under {action}, each named in a line", 1)


# By the command, on a real file system


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of so many bytes; skipped where it may not be mounted, but not in CI."""
    folder.mkdir(parents=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mounting, capture_output=True, text=True) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        unavailable(f"a tmpfs cannot be mounted here ({done.stderr.strip() if done else 'this user is not root'})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """Leave so many bytes of a disk."""
    ballast = disk / "ballast"
    about = os.statvfs(disk)
    ballast.write_bytes(bytes(max(0, about.f_bavail * about.f_frsize - free)))
    try:
        yield
    finally:
        ballast.unlink()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        for number in range(6):
            running.answers[f"/{number}"] = post(f"Page {number}", f"The text of page {number}. " * 200)
        yield running


def judged(done: Done, codes: set[int]) -> None:
    assert done.code in codes, (done.code, done.err)
    assert "Traceback" not in done.err
    assert all(line.startswith(("onrecord:", "200 ", "--- ")) for line in done.err.splitlines()), done.err


FOLDERS = {"spool": ".local/state/onrecord/spool", "cache": ".cache/onrecord", "store": "../store"}


@pytest.mark.parametrize("what", sorted(FOLDERS))
def test_a_small_disk_that_is_full_is_named_by_the_command_and_loses_nothing(
    tmp_path: Path, site: Site, what: str, tally: Tally
) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    (tmp_path / "home").mkdir()
    acknowledged = []
    urls = [site.url(f"/{number}") for number in range(6)]
    with small_disk((tmp_path / "home" / FOLDERS[what]).resolve(), 16 << 20) as disk:
        onrecord.capture(urls[0])
        for room in range(ROOMS):
            with filled(disk, [0, 24_000, 60_000][room] if room < 3 else room * 5_000):
                done = onrecord.capture(*urls)
            judged(done, {0} if what == "cache" else {0, 10})
            acknowledged += [line["record_id"] for line in done.lines if line["outcome"] == "ok"]
            tally(f"captures with a full disk under the {what}", 1)
        last = onrecord.capture(*urls)
        assert last.code == 0, last.err
        assert onrecord.spooled == []
        archive = Archive(open_store(onrecord.store), spool=tmp_path / "no-spool")
        kept = [snapshot.record_id for snapshot in archive.snapshots(site.url("/"), match="host")]
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept))
        assert [fault for finding in archive.verify() for fault in finding.faults] == []


def test_the_ledger_on_a_disk_that_is_full_or_fails_is_named_and_knows_all_the_next_time(
    quick: Path, victim: Victims, tally: Tally
) -> None:
    bench = Bench(Place(quick / "place"), "ledger", quick / "kept")
    for fate in failed(bench, victim, tally, "watch"):
        assert fate.well or fate.code == 10, fate.text
        ledger = Ledger(bench.place.folder / "watch" / "ledger.db")
        ledger.sync(bench.place.archive())
        with ledger.opened() as database:
            assert len(list(ledger.urls(database))) == PAGES
            assert all(ledger.history(database, url)[0].good for url in ledger.urls(database))


def test_the_outbox_on_a_disk_that_is_full_or_fails_keeps_what_it_took(
    quick: Path, victim: Victims, tally: Tally
) -> None:
    bench = Bench(Place(quick / "place"), "outbox", quick / "kept")
    for fate in failed(bench, victim, tally, "outbox"):
        assert fate.well or fate.code == 2, fate.text
        waiting = Outbox(bench.place.folder / "outbox").waiting()
        assert waiting >= len(fate.told)
        ACTIONS["outbox"](bench.place, silent)
        assert Outbox(bench.place.folder / "outbox").waiting() == 3


def failed(bench: Bench, victim: Victims, tally: Tally, root: str) -> Iterator[Fate]:
    """An action after each step of which the disk was full or failed, once and for good."""
    folder = str(bench.place.folder)
    calls = victim(Order(bench.action, folder, ENDLESS, root=root)).calls
    assert calls > 5
    for name, number in ERRORS.items():
        for stays in (True, False):
            for step in steps(calls, STEPS, random.Random(bench.action)):
                bench.restore()
                fate = victim(Order(bench.action, folder, step, number, stays, root=root))
                assert not fate.killed
                assert "\n" not in fate.text, fate.text
                yield fate
                tally(f"errors of a {name} disk under the {bench.action}, each named in a line, nothing lost", 1)
