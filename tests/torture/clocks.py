"""Machines whose clocks are from two hours behind to eight days ahead, at one store, stopped and killed at random.

Each machine is a process with a spool of its own. It writes down what it was told is durable; at the end all of that
must be there, once, and what was redacted must be gone. Run as a program it prints what was done, and what is wrong, as
JSON: `python -m tests.torture.clocks FOLDER LOCATION SECONDS SEED`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import archive.times
from archive.access.unfinished_redactions import unfinished
from archive.archive import Archive
from archive.crypto.signed_note import Signer
from archive.local_cache import Cache
from archive.redaction.apply import finish
from archive.redaction.plan import finish_overtaken, plan_redaction, redact
from archive.runs.garbage import Orphans
from storage.base import Leftover, ObjectStore
from storage.errors import OnrecordError
from tests.torture.actions import BROUGHT, Place, bring, capture, finish_left, foreign_file, merge

SIGNER = Signer("clinic.example", bytes(32))
_DAYS = 8  # that the store's clock says have passed, for garbage collection
_RECENT = 12  # runs among which a redaction chooses: two at once are to meet


@dataclass(frozen=True)
class Machine:
    """What a machine does again and again, and how far its clock is ahead."""

    name: str
    does: str
    ahead: timedelta


MACHINES = (
    Machine("writer", "capture", timedelta(hours=-2)),
    Machine("far writer", "capture", timedelta(days=8)),
    Machine("importer", "import", timedelta(hours=1)),
    Machine("collector", "gc", timedelta(days=8)),
    Machine("late collector", "gc", timedelta(hours=-2)),
    Machine("compactor", "merge", timedelta()),
    Machine("redactor", "redact", timedelta(hours=-2)),
    Machine("far redactor", "redact", timedelta(days=8)),
)


class Later:
    """A store whose clock says that days have passed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        """A put that is under way here is no week old, whatever the clock says."""
        found = getattr(self._store, "leftovers", lambda _: ())
        return iter(found(before - timedelta(days=_DAYS)))

    def now(self) -> datetime:
        return self._store.now() + timedelta(days=_DAYS)


@dataclass
class Hand:
    """One life of a machine: a process that goes on until it is killed."""

    machine: Machine
    folder: Path
    bucket: str
    life: int

    @property
    def place(self) -> Place:
        home = self.folder / self.machine.name.replace(" ", "-")
        home.mkdir(exist_ok=True)
        return Place(home, self.bucket)

    def live(self) -> None:
        archive.times.rehearse(self.machine.ahead, wrong=True)
        self._dice = random.Random(f"{self.machine.name} {self.life}")
        act: dict[str, Callable[[int], object]] = {
            "capture": lambda turn: capture(self.place, self.told, self.life * 10_000 + turn),
            "import": self._import,
            "gc": lambda turn: list(Orphans(Later(self.place.store()), Cache(None)).collect()),  # type: ignore[arg-type]
            "merge": lambda turn: merge(self.place, self.told),
            "redact": self._redact,
        }
        parent = os.getppid()
        for turn in range(10_000):
            if os.getppid() != parent:  # nobody is there to end this one
                return
            try:
                act[self.machine.does](turn)
            except OnrecordError as error:  # a line that a command prints
                self._write(f"line {type(error).__name__} {self.machine.does}: {error}".replace("\n", " ")[:1000])
            else:
                self._write(f"did {self.machine.does}")

    def told(self, record_id: str) -> None:
        self._write(f"told {record_id}")

    def _write(self, line: str) -> None:
        descriptor = os.open(self.folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{line}\n".encode())  # whole, or not at all
        os.close(descriptor)

    def _import(self, turn: int) -> None:
        first = (self.life * 10_000 + turn) * BROUGHT
        foreign_file(self.place, "second", first)
        bring(self.place, self.told)
        for number in range(first, first + BROUGHT):
            self.told(f"<urn:uuid:00000000-0000-4000-8000-{number:012}>")

    def _redact(self, turn: int) -> None:
        made = self.place.archive()
        ended(made)
        runs = made.runs()
        run = self._dice.choice(self._dice.choice([runs[:_RECENT], runs[-_RECENT:]]))
        places = [each.place for each in made.unguarded().captures_of(run) if each.run == run and not each.withheld]
        if places:
            statement = redact(made, plan_redaction(made, run, [], [self._dice.choice(places)]), SIGNER, "asked for")
            for gone in statement.gone:
                self._write(f"gone {gone.place}")


def ended(made: Archive) -> None:
    """Do what `onrecord redact --finish` does."""
    finish(made, [SIGNER.public])
    finish_overtaken(made, SIGNER, [SIGNER.public])


@dataclass
class Scene:
    """All machines at one store, and what is done to them."""

    folder: Path
    bucket: str
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    alive: dict[str, int] = field(default_factory=dict)
    asleep: dict[str, float] = field(default_factory=dict)  # until when, by the monotonic clock

    def start(self, number: int) -> None:
        machine = MACHINES[number]
        self.done["lives"] += 1
        hand = Hand(machine, self.folder, self.bucket, self.done["lives"])
        pid = os.fork()
        if not pid:
            try:
                hand.live()
            except BaseException:  # noqa: BLE001 - it is a fault of the program
                (self.folder / f"error-{os.getpid()}").write_text(f"{machine.name}: {traceback.format_exc()}")
            os._exit(1)
        self.alive[machine.name] = pid

    def go_on(self, seconds: float) -> None:
        """Stop, wake and kill machines at random moments."""
        end = time.monotonic() + seconds
        for number in range(len(MACHINES)):
            self.start(number)
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(0.05, 1.0))
            for name, until in list(self.asleep.items()):
                if time.monotonic() > until:
                    os.kill(self.alive[name], signal.SIGCONT)
                    del self.asleep[name]
            number = self.dice.randrange(len(MACHINES))
            name = MACHINES[number].name
            if self.dice.random() < 0.6:
                os.kill(self.alive[name], signal.SIGSTOP)
                self.asleep[name] = time.monotonic() + self.dice.expovariate(0.3)
                self.done["stops"] += 1
            else:
                self.kill(name)
                self.start(number)
        for name in list(self.alive):
            self.kill(name)

    def kill(self, name: str) -> None:
        pid = self.alive.pop(name)
        self.asleep.pop(name, None)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.done["kills"] += 1

    def end(self) -> None:
        """Start every machine once more, with a clock that is right, and look at what there is."""
        journal = (self.folder / "journal").read_text().splitlines() if (self.folder / "journal").exists() else []
        self.done.update("ended with " + line.split(" ")[1] for line in journal if line.startswith("line "))
        self.done.update(line for line in journal if line.startswith("did "))
        self.faults += [path.read_text() for path in self.folder.glob("error-*")]
        places = [Hand(machine, self.folder, self.bucket, 0).place for machine in MACHINES]
        for place in places:
            ended(place.archive())
        for place in places:  # days later: what a killed removal holds is published under another name
            made, said = replace(place, wrap=Later).archive(), ""  # type: ignore[arg-type]
            for _ in range(5):
                try:
                    finish_left(made)
                except OnrecordError as error:
                    said = str(error)
            self.faults += [
                f"run {run} stays in the spool of {place.folder.name}: {said}" for run in made.spool.names()
            ]
        made = Place(self.folder, self.bucket).archive()
        self.faults += [f"{each.run}: {it}" for each in made.verify(known=[SIGNER.public]) for it in each.faults]
        told = {line.partition(" ")[2] for line in journal if line.startswith("told ")}
        seen = Counter(snapshot.record_id for snapshot in made.every())
        by_runs = Counter(each.record_id for run in made.runs() for each in made.captures_of(run) if each.run == run)
        gone = {it.record_id for each in made.notices.statements() for it in each.statement.gone}
        self.faults += [f"lost: {record_id}" for record_id in told - seen.keys() - gone]
        self.faults += [f"doubled: {record_id}" for record_id, times in seen.items() if times > 1 and record_id]
        self.faults += [
            f"not found by a lookup, or twice: {record_id}" for record_id in (by_runs - seen) | (seen - by_runs)
        ]
        self.faults += list(
            self._undone(made, {line.partition(" ")[2] for line in journal if line.startswith("gone ")})
        )
        self.done |= {"acknowledged captures": len(told), "runs": len(made.runs())}

    def _undone(self, made: Archive, gone: set[str]) -> Iterator[str]:
        """What was redacted, or stated to be, and is there still."""
        store = made.unguarded().stores.primary
        stated, left = made.notices.statements(), unfinished(store)
        yield from (f"a redaction does not end: {each.statement.id}" for each in stated if each.statement.id in left)
        for place in sorted(gone | {it.place for each in stated for it in each.statement.gone}):
            key, _, offset = place.rpartition(" ")
            member = zlib.decompressobj(31).decompress(store.get_range(key, int(offset), 1 << 16))
            if b"\r\nContent-Length: 0\r\n" not in member and b"redacted: see " not in member:
                yield f"it was redacted, and is there: {place}"
            self.done["records redacted"] += 1


def main() -> None:
    folder, bucket, seconds, seed = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
    scene = Scene(folder, bucket, random.Random(seed))
    if not bucket.startswith("s3"):
        bucket = scene.bucket = bucket or f"{folder}/NAME"
    capture(Hand(MACHINES[0], folder, bucket, 0).place, lambda record_id: None)
    from tests.torture import actions

    actions.opened.cache_clear()  # no connection is shared with the children
    scene.go_on(seconds)
    scene.end()
    print(json.dumps({"done": scene.done, "faults": scene.faults}))


if __name__ == "__main__":
    main()
