"""Killed at every step: each call that changes the disk or the store is a place where a writer ends.

The long form goes through all of them, by each kind of death: before the call, behind it, in the middle of a write, and
with the power (then what was not fsynced is lost besides).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.location import open_store
from tests.torture.actions import ACTIONS, Place
from tests.torture.conftest import Tally
from tests.torture.places import Bench, recorded, steps, whole
from tests.torture.scale import LONG, count
from tests.torture.victims import BEFORE, BEHIND, KILLS, Order, Victims, victims

STEPS = count("STEPS", 8, 1_000_000)  # of each action, shared by the kinds of death
CHAINS = count("CHAINS", 6, 200)
CALLS = count("CALLS", 1, 1_000_000)  # to a bucket
ENDLESS = 1 << 40
WRITERS = sorted(ACTIONS.keys() - {"read", "ledger", "outbox"})


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with victims(tmp_path_factory.mktemp("library")) as server:
        yield server


def bench(folder: Path, action: str, bucket: str = "") -> Bench:
    return Bench(Place(folder / "place", bucket), action, folder / "kept")


@pytest.mark.parametrize(
    "action", [pytest.param(name, marks=() if name == "capture" else pytest.mark.full) for name in WRITERS]
)
def test_killed_at_every_step_on_the_disk(quick: Path, action: str, victim: Victims, tally: Tally) -> None:
    bench_ = bench(quick, action)
    dice = random.Random(action)
    calls = victim(Order(action, str(bench_.place.folder), ENDLESS)).calls
    assert calls > 20
    for how, what in KILLS.items():
        for step in steps(calls, -(-STEPS // len(KILLS)), dice):
            bench_.restore()
            fate = victim(Order(action, str(bench_.place.folder), step, what))
            assert fate.killed or fate.well, fate.text
            after_a_kill(bench_, fate.told)
            tally(f"kills of {action} at a step on the disk ({how})", fate.killed)


@pytest.mark.full
@pytest.mark.parametrize("action", WRITERS if LONG else ["capture", "merge"])
def test_killed_at_every_call_to_a_bucket(
    quick: Path, action: str, victim: Victims, s3_bucket: str, tally: Tally
) -> None:
    bench_ = bench(quick, action, s3_bucket.replace("?", "/NAME?"))
    step = 0
    for what in (BEFORE, BEHIND):
        for step in range(1, CALLS + 1):
            bench_.restore()
            fate = victim(Order(action, str(bench_.place.folder), step, what, store=True, bucket=bench_.place.bucket))
            assert fate.killed or fate.well, fate.text
            after_a_kill(bench_, fate.told)
            tally(f"kills of {action} at a call to a bucket", fate.killed)
            if not fate.killed:
                break
    assert step


def after_a_kill(bench_: Bench, told: list[str]) -> None:
    if bench_.action != "repair":
        whole(bench_.place)
    if bench_.action == "replicate":
        whole(bench_.place, "copy")
    bench_.finish()
    whole(bench_.place)
    bench_.check(told)


@pytest.mark.full
def test_a_recovery_of_a_recovery_that_was_killed_loses_nothing(quick: Path, victim: Victims, tally: Tally) -> None:
    bench_ = bench(quick, "capture")
    dice = random.Random(3)
    calls = {}
    for action in ("capture", "recover"):
        bench_.restore()
        calls[action] = victim(Order(action, str(bench_.place.folder), ENDLESS)).calls
    for _ in range(CHAINS):
        bench_.restore()
        told = []
        for action in ("capture", *["recover"] * dice.randrange(1, 5), "capture", "recover"):
            what = dice.choice(list(KILLS.values()))
            fate = victim(Order(action, str(bench_.place.folder), dice.randrange(1, calls[action] + 1), what))
            assert fate.killed or fate.well, fate.text
            told += fate.told
            whole(bench_.place)
            tally("kills in chains of captures and recoveries", fate.killed)
        bench_.finish()
        bench_.check(told)


def test_a_kill_before_there_is_a_store_loses_nothing(quick: Path, victim: Victims, tally: Tally) -> None:
    """The very first capture: the store, the spool and all folders are yet to be made."""
    calls = victim(Order("capture", str(quick / "first"), ENDLESS)).calls
    for step in steps(calls, STEPS, random.Random(4)):
        place = Place(quick / f"{step}")
        fate = victim(Order("capture", str(place.folder), step, BEFORE))
        assert fate.killed or fate.well, fate.text
        ACTIONS["capture"](place, fate.told.append)
        assert open_store(place.location("store")).head("onrecord.json")
        whole(place)
        found = recorded(place)
        assert set(found.values()) == {1}
        assert set(fate.told) <= set(found)
        tally("kills of a first capture at a step on the disk", fate.killed)
