"""Real processes that sleep (SIGSTOP) before a call to the store while others go on: nothing is lost or doubled."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.location import open_store
from tests.archive.races import Machines
from tests.torture.conftest import Tally
from tests.torture.scale import count
from tests.torture.stops import Fate, Order, Stops, stops, told

STOPS = count("STOPS", 4, 100)  # of each sort of store
SEED = count("SEED", 7, 7)
ACTIONS = ("writer", "other writer", "gc", "compactor", "redaction", "other redaction", "recoverer")
CALLS = {"writer": 60, "other writer": 40, "gc": 30, "compactor": 24, "recoverer": 40}
CALLS |= {"redaction": 100, "other redaction": 100}


@pytest.fixture(scope="module")
def server() -> Iterator[Stops]:
    with stops() as running:
        yield running


@pytest.fixture(params=["directory", pytest.param("bucket", marks=pytest.mark.full)])
def place(request: pytest.FixtureRequest, quick: Path) -> tuple[Path, str]:
    """A folder for spools, and the location of a store with NAME where names of stores come in."""
    if request.param == "directory":
        return quick, str(quick / "NAME")
    bucket, _, rest = request.getfixturevalue("s3_bucket").partition("?")
    return quick, f"{bucket}/NAME?{rest}"


class Scene:
    """A store in which two runs are committed, and a third one lies in the writer's spool, and in part in the store."""

    def __init__(self, server: Stops, folder: Path, location: str) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.location = location.replace("NAME", self.folder.name)
        self._server = server
        self._asleep: list[Fate] = []
        captured: set[str] = set()
        self._machines = Machines(self.folder, captured.add)
        self._machines.begin(open_store(self.location))
        (self.folder / "told").write_text("".join(f"{record_id}\n" for record_id in captured))

    def start(self, action: str, *, at: int = -1, before: str = "", days: int = 0, ahead: int = 0) -> bool:
        """Start a process; whether it stopped before a call."""
        fate = self._server.start(Order(action, str(self.folder), self.location, at, before, days, ahead))
        assert not fate.error, fate.error
        if fate.stopped:
            self._asleep.append(fate)
        return fate.stopped

    def wake(self, number: int = -1) -> None:
        """Let one that sleeps go on to its end."""
        fate = self._asleep.pop(number)
        while fate.stopped:
            fate = self._server.go_on(fate)
        assert not fate.error, fate.error

    def wake_first(self) -> None:
        """Let the one that fell asleep first go on to its end, if there is one."""
        if self._asleep:
            self.wake(0)

    def kill(self) -> None:
        """Kill the one that fell asleep last."""
        self._server.kill(self._asleep.pop())

    def runs(self) -> int:
        """How many runs are committed."""
        return len(self._machines.archive(open_store(self.location), "reader").runs())

    def end(self) -> list[str]:
        """Wake whoever sleeps, start every machine once more; returns what is lost, doubled or damaged."""
        while self._asleep:
            self.wake()
        found = list(self._machines.faults(open_store(self.location), told(self.folder)))
        shutil.rmtree(self.folder)
        return found


def test_a_writer_that_slept_before_its_manifest_loses_nothing_to_gc(server: Stops, place: tuple[Path, str]) -> None:
    scene = Scene(server, *place)
    assert scene.start("left", before="put_if_absent runs/*/datapackage.json")
    scene.start("gc", days=8)
    scene.start("gc", ahead=8)
    scene.wake()
    assert scene.end() == []


def test_a_gc_that_slept_before_a_delete_touches_no_run_that_was_committed_meanwhile(
    server: Stops, place: tuple[Path, str]
) -> None:
    scene = Scene(server, *place)
    assert scene.start("left", before="put intents/commit/*|put index/loose/*"), (
        "all its files are there then, and it never goes on"
    )
    scene.kill()
    assert scene.start("gc", before="delete runs/*/archive/*", days=8, ahead=8)
    scene.start("recoverer", days=8)
    assert scene.runs() == 3, "it is committed whoever sleeps"
    scene.wake()
    assert scene.end() == []


def test_random_stops_lose_nothing_and_double_nothing(server: Stops, place: tuple[Path, str], tally: Tally) -> None:
    dice = random.Random(f"{SEED} {place[1].startswith('s3')}")
    done = Counter[str]()
    while done.total() < STOPS:
        scene = Scene(server, *place)
        days = dice.choice([0, 8])
        chosen = dice.sample(ACTIONS, dice.choice([2, 4]))
        if "recoverer" in chosen and scene.start("left", at=dice.randrange(CALLS["writer"])):
            scene.kill()  # so that there is a run to recover
        for sleeper, other in zip(chosen[::2], chosen[1::2], strict=True):
            if scene.start(sleeper, at=dice.randrange(CALLS[sleeper]), ahead=dice.choice([0, 8])):
                done[sleeper] += 1
            scene.start(other, days=days, ahead=dice.choice([0, 8]))
        if dice.random() < 0.5:
            scene.wake_first()
        assert scene.end() == []
    for action, number in done.items():
        tally(f"random stops of {action} in a {'bucket' if place[1].startswith('s3') else 'directory'}", number)
