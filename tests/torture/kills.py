"""Invocations of the command that are killed at random moments, and a reader that looks on."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from archive.archive import Archive
from storage.errors import ObjectMissing, StoreMissing
from storage.location import open_store
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.pipeline.ingest.test_import_files import members, record
from tests.site import Site

PAGES = 40
BROUGHT = 300  # captures in the file that is imported
CAPTURE = ("--json", "capture", "--allow-private", "--delay", "0", "--workers", "1")


def change(site: Site, edition: int) -> list[str]:
    """A new edition of every second page."""
    for number in range(PAGES):
        if number % 2 == edition % 2 or not edition:
            site.answers[f"/{number}"] = post(f"Page {number}", f"Edition {edition} of page {number}.")
    return [site.url(f"/{number}") for number in range(PAGES)]


def kill(process: subprocess.Popen[str], dice: random.Random, lines: int) -> list[str]:
    """Kill a process, at a random moment or behind one of so many lines; returns the lines that it printed whole."""
    assert process.stdout is not None
    printed = []
    if dice.random() < 0.5 or not lines:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.1, 2.0))
    else:
        printed = [process.stdout.readline() for _ in range(dice.randrange(1, lines))]
    process.kill()
    out = process.stdout.read()  # what readline took ahead with it: `communicate` knows nothing of that
    process.communicate()
    return [line for line in [*printed, *out.splitlines(keepends=True)] if line.endswith("\n")]


class Reader:
    """Reads an archive again and again while others write it: every run that it sees must be whole, and stay."""

    def __init__(self, location: str, folder: Path) -> None:
        self._location = location
        self._folder = folder
        self._thread = threading.Thread(target=self._read_on)
        self._end = threading.Event()
        self.seen: set[str] = set()
        self.faults: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        with contextlib.suppress(StoreMissing):
            self.look()

    def _read_on(self) -> None:
        while not self._end.wait(0.05):
            try:
                self.look()
            except (StoreMissing, ObjectMissing):  # nothing was put yet
                continue
            except Exception as error:  # noqa: BLE001 - a thread's exception would be told to nobody
                self.faults.append(repr(error))

    def look(self) -> None:
        """See which runs there are, and read those that are new to their last byte."""
        archive = Archive(open_store(self._location), spool=self._folder / "no-spool")
        there = set(archive.runs())
        self.faults += [f"run {run} is gone" for run in self.seen - there]
        if new := sorted(there - self.seen):
            self.faults += [f"{found.run}: {fault}" for found in archive.verify(new) for fault in found.faults]
        self.seen |= there


class Range:
    """An archive, a copy of it and a site, and the invocations that write to them until they are killed."""

    def __init__(self, folder: Path, dice: random.Random, site: Site) -> None:
        self.onrecord = Command.at(folder / "store", folder / "home")
        self.copy = folder / "copy"
        self.acknowledged: list[str] = []
        self.killed = Counter[str]()
        self._folder = folder
        self._dice = dice
        self._site = site
        self._edition = 0
        self._file = folder / "brought.warc.gz"
        self._file.write_bytes(
            members(*(record(url=f"http://a.example/{number}", number=number + 1) for number in range(BROUGHT)))
        )
        change(site, 0)

    def shoot(self) -> None:
        """Start an invocation and kill it, unless it has ended before."""
        name = self._dice.choices(["capture", "import", "compact", "replicate", "extract"], [76, 6, 6, 6, 6])[0]
        if not self.acknowledged:
            name = "capture"
        arguments = {
            "capture": CAPTURE,
            "import": ("import", "--no-extract", str(self._file)),
            "compact": ("compact", "--all"),
            "replicate": ("replicate", str(self.copy)),
            "extract": ("extract", "--force", "--workers", "1"),
        }[name]
        if name == "capture":
            self._edition += 1
            arguments = (*arguments, *change(self._site, self._edition))
        process = self.onrecord.start(*arguments)
        lines = kill(process, self._dice, PAGES if name == "capture" else 0)
        if name == "capture":
            self.acknowledged += [json.loads(line)["record_id"] for line in lines]
        self.killed[name] += process.returncode == -9

    def finish(self) -> None:
        """What is left to do once nobody is killed any more, and what must be true then."""
        final = self.onrecord.capture(*change(self._site, self._edition + 1))
        assert final.code == 0, final.err
        assert self.onrecord.spooled == []
        assert self.onrecord("import", "--no-extract", str(self._file)).code == 0
        assert self.onrecord("replicate", str(self.copy)).code == 0
        for place in (self.onrecord.store, str(self.copy)):
            self._check(place)

    def _check(self, place: str) -> None:
        archive = Archive(open_store(place), spool=self._folder / "no-spool")
        assert [fault for finding in archive.verify() for fault in finding.faults] == []
        captured = list(archive.snapshots(self._site.url("/"), match="host"))
        kept = Counter(snapshot.record_id for snapshot in captured)
        assert set(self.acknowledged) <= set(kept)
        assert set(kept.values()) == {1}
        assert not [snapshot for snapshot in captured if archive.document(snapshot) is None]
        brought = Counter(snapshot.record_id for snapshot in archive.snapshots("http://a.example/", match="host"))
        assert (len(brought), set(brought.values())) == (BROUGHT, {1})
        in_runs = Counter(
            (snapshot.record.key, snapshot.record.offset)
            for run in archive.runs()
            for snapshot in archive.captures_of(run)
            if snapshot.run == run
        )
        assert set(in_runs.values()) == {1}
        assert len(in_runs) == len(captured) + BROUGHT, "a capture lies in two runs"
