"""Killed at random moments: what was acknowledged is there, once; what can be seen is whole."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.site import Site
from tests.torture.conftest import Tally
from tests.torture.kills import Range, Reader
from tests.torture.scale import count

pytestmark = pytest.mark.full

KILLS = count("KILLS", 12, 1000)
SEED = count("SEED", 50, 50)
EACH = 50  # kills of one archive
JOBS = count("JOBS", 1, 3)


def shot_at(folder: Path, number: int, kills: int) -> tuple[Range, Reader]:
    """An archive whose writers were killed so many times, and who read it meanwhile."""
    folder.mkdir()
    with Site() as site:
        site.latency = 0.01
        place = Range(folder, random.Random(SEED + number), site)
        with Reader(place.onrecord.store, folder) as reader:
            while place.killed.total() < kills:
                place.shoot()
            place.finish()
    return place, reader


def test_random_kills_lose_nothing_that_was_acknowledged_and_show_no_half_run(tmp_path: Path, tally: Tally) -> None:
    shares = [min(EACH, KILLS - done) for done in range(0, KILLS, EACH)]
    with ThreadPoolExecutor(JOBS) as pool:
        folders = [tmp_path / str(number) for number in range(len(shares))]
        for place, reader in pool.map(shot_at, folders, range(len(shares)), shares):
            assert reader.faults == []
            assert place.acknowledged or KILLS < 8, "then none may have come so far"
            for name, number in place.killed.items():
                tally(f"random kills of {name}", number)
            tally("captures acknowledged by killed writers, each there once", len(place.acknowledged))
            tally("runs read whole by a reader while writers were killed", len(reader.seen))
