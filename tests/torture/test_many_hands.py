"""Two writers and one who compacts, each killed again and again, and readers: all on one store."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from archive.archive import Archive
from storage.location import open_store
from tests.torture.actions import Place, capture, finish_left, merge
from tests.torture.conftest import Tally
from tests.torture.kills import Reader
from tests.torture.scale import LONG, count
from tests.torture.victims import ROOT

pytestmark = pytest.mark.full

ROUNDS = count("HANDS", 6, 200)  # kills
WRITERS = 2

HAND = """
import sys
from pathlib import Path
from tests.torture.actions import Place, capture, merge
kind, folder, bucket, edition = sys.argv[1:]
place = Place(Path(folder), bucket)
told = lambda record_id: print(record_id, flush=True)
for number in range(10_000):
    if kind == "writer":
        capture(place, told, int(edition) * 10_000 + number)
    else:
        place.archive().merge(whole=number % 3 == 0, rebuild=number % 5 == 4)
        print("merged", flush=True)
"""


class Hand:
    """A process that goes on until it is killed."""

    def __init__(self, kind: str, folder: Path, bucket: str, edition: int) -> None:
        self.kind = kind
        arguments = [sys.executable, "-c", HAND, kind, str(folder), bucket, str(edition)]
        self._process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self, lines: int, seconds: float) -> list[str]:
        """End it some time behind so many lines; returns what it had acknowledged."""
        assert self._process.stdout is not None
        printed = [self._process.stdout.readline() for _ in range(lines)]
        time.sleep(seconds)
        self._process.kill()
        printed += self._process.stdout.read().splitlines(keepends=True)
        _, errors = self._process.communicate()
        assert self._process.returncode == -9, errors
        return [line for line in printed if line.endswith("\n") and self.kind == "writer"]


@pytest.fixture(params=["directory", "bucket"] if LONG else ["directory"])
def shared(request: pytest.FixtureRequest, quick: Path) -> str:
    """Where all of them write."""
    if request.param == "bucket":
        return str(request.getfixturevalue("s3_bucket")).replace("?", "/NAME?")
    return f"{quick}/NAME"


def test_two_writers_a_compactor_and_readers_lose_and_double_nothing(shared: str, quick: Path, tally: Tally) -> None:
    dice = random.Random(7)
    folders = {f"writer {number}": quick / f"home-{number}" for number in range(WRITERS)}
    folders["compactor"] = quick / "home-compactor"
    capture(Place(folders["writer 0"], shared), lambda record_id: None)
    location = Place(quick, shared).location("store")
    acknowledged: list[str] = []
    editions = Counter[str]()

    def start(name: str) -> Hand:
        editions[name] += 1
        number = list(folders).index(name) * 1000 + editions[name]
        return Hand(name.partition(" ")[0], folders[name], shared, number)

    with Reader(location, quick) as one, Reader(location, quick) as other:
        hands = {name: start(name) for name in folders}
        for _ in range(ROUNDS):
            name = dice.choice(list(hands))
            lines = dice.randrange(1, 12 if hands[name].kind == "writer" else 4)
            acknowledged += hands[name].kill(lines, dice.uniform(0, 0.3))
            tally(f"kills of a {hands[name].kind} beside others", 1)
            hands[name] = start(name)
        for hand in hands.values():
            acknowledged += hand.kill(1, 0)
        for folder in folders.values():
            finish_left(Place(folder, shared).archive())
    assert one.faults == other.faults == []
    last = Place(folders["writer 0"], shared)
    capture(last, acknowledged.append, 999_999_999)
    check(last, {line.strip() for line in acknowledged})
    merge(last, lambda record_id: None)
    check(last, {line.strip() for line in acknowledged})
    tally("captures acknowledged beside others, each there once", len(acknowledged))
    tally("runs read whole by two readers beside them", len(one.seen) + len(other.seen))


def check(place: Place, acknowledged: set[str]) -> None:
    archive = Archive(open_store(place.location("store")), spool=place.folder / "no-spool")
    assert [fault for finding in archive.verify() for fault in finding.faults] == []
    runs = archive.runs()
    by_runs = Counter(snapshot.record_id for run in runs for snapshot in archive.captures_of(run))
    assert set(by_runs.values()) == {1}
    assert acknowledged <= set(by_runs)
    assert {snapshot.record_id for snapshot in archive.every()} == set(by_runs)
    # Writers at once fork the chain; whoever comes next joins it: every run is behind the last one.
    manifests = {found.hash: found for found in map(archive.manifest, runs)}
    behind: set[str] = set()
    left = archive.unguarded().catalog.heads()
    assert len(left) == 1
    while left:
        if (found := left.pop()) not in behind:
            behind.add(found)
            left += manifests[found].parents
    assert behind == set(manifests)
    assert sum(not found.parents for found in manifests.values()) == 1, "only the first run has no parent"
