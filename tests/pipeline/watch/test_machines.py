"""Two machines on one bucket, killed at random: no source is missed for long, and nothing is told twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from archive import times
from archive.archive import Archive
from pipeline.watch.events import FRESH
from pipeline.watch.history import Ledger
from storage.location import open_store
from tests.pipeline.watch.conftest import article, gone
from tests.pipeline.watch.scheduler import SPEED
from tests.site import Site

MINUTE = timedelta(minutes=1)  # a second of the rehearsal
EVERY = 10 * MINUTE
SECONDS = float(os.environ.get("ONRECORD_TEST_SECONDS", "30"))  # for which schedulers are killed
PAGES = 12


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

    def kill(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            said.readline()  # it has begun: what is killed before that, again and again, can do nothing
        self.process.kill()
        self.process.wait()


def test_two_schedulers_on_one_bucket_killed_at_random(s3_bucket: str, site: Site, tmp_path: Path) -> None:
    chance = random.Random(20261124)
    pages = {f"/{number}": article(f"Page {number}", "As it was.") for number in range(PAGES)}
    site.answers |= pages
    watches, alerts = tmp_path / "watches.toml", tmp_path / "alerts"
    watches.write_text("".join(f'[[watch]]\npage = "{site.url(path)}"\nevery = "10m"\n' for path in pages))
    began = time.time()
    arguments = [s3_bucket, str(watches), str(began), str(alerts)]
    machines = [Scheduler(arguments, tmp_path / name) for name in ("one", "two")]
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end or sum(machine.kills for machine in machines) < 5:
            time.sleep(chance.uniform(1.5, 5))
            path = chance.choice(sorted(pages))
            site.answers[path] = chance.choice([pages[path], gone(), article(path, f"Edited {time.time()}.")])
            machine = chance.choice(machines)
            machine.kill()
            machine.start()
        _settled(s3_bucket, tmp_path, alerts, began)
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
    _rehearse(began)
    ledger.sync(archive)
    decided = 0
    with ledger.opened() as database:
        for path in pages:
            _, transitions = ledger.history(database, site.url(path))
            decided += len(transitions)
    told = _told(alerts)
    assert len(set(told)) == len(told), "something was told twice"
    assert len(told) == decided > 0
    assert timedelta(seconds=(time.time() - began) * 60) < FRESH
    assert not list((tmp_path / "one" / "spool").glob("*/2*-broken"))
    print(
        f"{sum(machine.kills for machine in machines)} kills, {len(site.requests)} requests, {decided} told once each"
    )


def _rehearse(began: float) -> None:
    """Have the time of the schedulers here too: runs that are dated far ahead are not believed."""
    times.rehearse(timedelta(seconds=(time.time() - began) * (SPEED - 1)))


def _settled(store: str, folder: Path, alerts: Path, began: float) -> None:
    """Wait until what was begun is confirmed and told, or for what should have been enough."""
    archive, ledger = Archive(open_store(store), spool=folder / "spool"), Ledger(folder / "waiting.db")
    time.sleep(12)  # every page is looked at once more
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(3)
        archive.refresh()
        _rehearse(began)
        ledger.sync(archive)
        with ledger.opened() as database:
            (pending,) = database.execute("SELECT count(*) FROM pages WHERE pending > 0").fetchone()
            urls = list(ledger.urls(database))
            decided = sum(len(ledger.history(database, url)[1]) for url in urls)
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
