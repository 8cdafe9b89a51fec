"""Two machines on one bucket, killed at random: no source is missed for long, and nothing is told twice."""

from __future__ import annotations

import json
import queue
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest

from archive import times
from archive.archive import Archive
from pipeline.watch.events import FRESH
from pipeline.watch.history import Ledger
from storage.location import open_store
from tests.pipeline.watch.conftest import article, gone
from tests.site import Site
from tests.torture.scale import count

MINUTE = timedelta(minutes=1)
EVERY = 10 * MINUTE
MINUTES = count("MINUTES", 24, 1000)  # of the rehearsal, during which schedulers are killed
PAGES = 12
ENOUGH = 300  # minutes in which everything is confirmed and told


class Scheduler:
    """A scheduler with a machine of its own: its folder outlives it."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.folder = folder
        self._arguments = arguments
        self.kills = -1
        self.start()

    def start(self) -> None:
        self.kills += 1
        store, *rest = self._arguments
        command = [sys.executable, "-m", "tests.pipeline.watch.scheduler", store, str(self.folder), *rest]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.rounds: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(self.process.stdout, self.rounds), daemon=True).start()

    def a_round(self) -> None:
        """Wait until one that began after this call is over: the first may have begun before."""
        while not self.rounds.empty():
            self.rounds.get()
        for _ in range(2):
            assert self.rounds.get(timeout=240), "the scheduler ended by itself"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @staticmethod
    def _listen(said: IO[bytes], rounds: queue.SimpleQueue[bytes]) -> None:
        with said:
            for line in said:
                rounds.put(line)
        rounds.put(b"")


@dataclass
class Clock:
    """The rehearsal's clock: it goes on once every machine had a round, however long that took."""

    file: Path
    minutes: int = 0

    def set(self, minutes: int) -> None:
        self.minutes = minutes
        new = self.file.with_suffix(".new")
        new.write_text(str(minutes))
        new.replace(self.file)

    def go_on(self, machines: list[Scheduler]) -> None:
        for machine in machines:
            machine.a_round()
        self.set(self.minutes + 1)


@pytest.mark.full
@pytest.mark.torture
@pytest.mark.timeout(1500)
def test_two_schedulers_on_one_bucket_killed_at_random(s3_bucket: str, site: Site, tmp_path: Path) -> None:
    chance = random.Random(20261124)
    pages = {f"/{number}": article(f"Page {number}", "As it was.") for number in range(PAGES)}
    site.answers |= pages
    watches, alerts, clock = tmp_path / "watches.toml", tmp_path / "alerts", Clock(tmp_path / "clock")
    watches.write_text("".join(f'[[watch]]\npage = "{site.url(path)}"\nevery = "10m"\n' for path in pages))
    clock.set(0)
    arguments = [s3_bucket, str(watches), str(clock.file), str(alerts)]
    machines = [Scheduler(arguments, tmp_path / name) for name in ("one", "two")]
    try:
        while clock.minutes < MINUTES or sum(machine.kills for machine in machines) < 5:
            for _ in range(chance.randrange(2, 7)):
                clock.go_on(machines)
            path = chance.choice(sorted(pages))
            site.answers[path] = chance.choice([pages[path], gone(), article(path, f"Edited {clock.minutes}.")])
            machine = chance.choice(machines)
            time.sleep(chance.uniform(0, 1))  # somewhere in its round
            machine.kill()
            machine.start()
        _settle(s3_bucket, tmp_path, alerts, clock, machines)
    finally:
        for machine in machines:
            machine.kill()
    assert sum(machine.kills for machine in machines) >= 5
    archive = Archive(open_store(s3_bucket), spool=tmp_path / "spool")
    for path in pages:
        at = [snapshot.timestamp for snapshot in archive.snapshots(site.url(path))]
        gaps = [other - one for one, other in pairwise(at)]
        assert max(gaps) <= 2 * EVERY + MINUTE, "a source was missed for longer than one interval"
    ledger = Ledger(tmp_path / "ledger.db")
    decided = _decided(ledger, archive)
    told = _told(alerts)
    assert len(set(told)) == len(told), "something was told twice"
    assert len(told) == decided > 0
    assert clock.minutes * MINUTE < FRESH
    assert not list((tmp_path / "one" / "spool").glob("*/2*-broken"))
    kills = sum(machine.kills for machine in machines)
    print(f"{kills} kills, {clock.minutes} minutes, {len(site.requests)} requests, {decided} told once each")


def _decided(ledger: Ledger, archive: Archive) -> int:
    ledger.sync(archive)
    with ledger.opened() as database:
        return sum(len(ledger.history(database, url)[1]) for url in list(ledger.urls(database)))


def _settle(store: str, folder: Path, alerts: Path, clock: Clock, machines: list[Scheduler]) -> None:
    """Let the clock go on until what was begun is confirmed and told, or for what should have been enough."""
    archive, ledger = Archive(open_store(store), spool=folder / "spool"), Ledger(folder / "waiting.db")
    end = clock.minutes + ENOUGH
    looked = clock.minutes + EVERY // MINUTE + 2  # every page is looked at once more
    while clock.minutes < end:
        clock.go_on(machines)
        if clock.minutes < looked:
            continue
        archive.refresh()
        times.rehearse(clock.minutes * MINUTE)  # runs that are dated far ahead are not believed
        decided = _decided(ledger, archive)
        with ledger.opened() as database:
            (pending,) = database.execute("SELECT count(*) FROM pages WHERE pending > 0").fetchone()
        if not pending and len(_told(alerts)) == decided:
            return


def _told(alerts: Path) -> list[tuple[str, str, str]]:
    """Each event by URL, kind and the record that decided it; a message that was sent again counts once."""
    messages = {}
    for line in alerts.read_text().splitlines() if alerts.exists() else ():
        if line:
            message = json.loads(line)
            messages[message["id"]] = message
    return [
        (event["url"], event["kind"], event["records"][-1])
        for message in messages.values()
        for event in message["events"]
    ]
