"""Everything that can be done to an archive, in any order, beside a model that is a dictionary."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.model import Outcome, Snapshot
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from pipeline.export.export import export_warc
from pipeline.export.selection import Wanted
from pipeline.ingest.import_files import import_file
from storage.base import ObjectStore
from storage.local import LocalStore
from storage.memory import MemoryStore
from tests.exchanges import NOON, a_document, an_exchange
from tests.torture.conftest import Tally
from tests.torture.places import objects_in, of_runs
from tests.torture.scale import LONG, count

EXAMPLES = count("EXAMPLES", 12, 300)
RULES = count("RULES", 40, 60)
PATHS = ["a", "a/b", "ab", "b", "c/a"]
HOST = "http://example.org/"

paths = st.sampled_from(PATHS)
minutes = st.integers(0, 40)


@dataclass(frozen=True)
class Capture:
    """What the model knows of a capture."""

    record_id: str
    path: str
    at: datetime
    body: bytes


@dataclass
class Writing:
    """A run that is being written: what would survive a kill, and what would not."""

    session: Session
    durable: list[Capture] = field(default_factory=list)
    added: list[Capture] = field(default_factory=list)


class ArchiveBesideItsModel(RuleBasedStateMachine):
    """Up to three runs are written at once; those that are abandoned wait in the spool."""

    make: Callable[[Path], ObjectStore]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None, prefix="model-"))
        self.store = type(self).make(self.folder / "store")
        self.copy = type(self).make(self.folder / "copy")
        self.archive = Archive(
            self.store, spool=self.folder / "spool", cache=self.folder / "cache", kept_blocks=1 << 20
        )
        self.archive.prepare()
        self.writing: list[Writing] = []
        self.waiting: list[Capture] = []  # in the spool, acknowledged
        self.kept: dict[str, Capture] = {}

    def teardown(self) -> None:
        for each in self.writing:
            each.session.close()
        shutil.rmtree(self.folder)

    # Writing

    @precondition(lambda self: len(self.writing) < 3)
    @rule()
    def begin(self) -> None:
        self.writing.append(Writing(self.archive.session(RunSettings("test/1"))))

    @precondition(lambda self: self.writing)
    @rule(which=st.integers(0, 2), path=paths, body=st.sampled_from([b"<p>one</p>", b"<p>two</p>"]), minute=minutes)
    def capture(self, which: int, path: str, body: bytes, minute: int) -> None:
        """A page, changed or not, at any time: what is imported may be older than what is kept."""
        writing = self.writing[which % len(self.writing)]
        at = NOON + timedelta(minutes=minute)
        session = writing.session
        snapshot = session.add(an_exchange(HOST + path, body, at=at), page=True)
        if not snapshot.revisit:
            session.add_document(a_document(snapshot, text=body.decode()))
        session.add_outcome(Outcome(HOST + path, "ok", "2026-11-23T12:00:00Z", status=200))
        writing.added.append(Capture(snapshot.record_id, path, at, body))

    @precondition(lambda self: self.writing)
    @rule(which=st.integers(0, 2))
    def checkpoint(self, which: int) -> None:
        writing = self.writing[which % len(self.writing)]
        writing.session.checkpoint()
        writing.durable, writing.added = [*writing.durable, *writing.added], []

    @precondition(lambda self: self.writing)
    @rule(which=st.integers(0, 2))
    def commit(self, which: int) -> None:
        writing = self.writing.pop(which % len(self.writing))
        manifest = writing.session.commit()
        writing.session.close()
        captures = [*writing.durable, *writing.added]
        assert (manifest is not None) == bool(captures)
        self._keep(captures)

    @precondition(lambda self: self.writing)
    @rule(which=st.integers(0, 2))
    def abandon(self, which: int) -> None:
        writing = self.writing.pop(which % len(self.writing))
        writing.session.close()
        self.waiting += writing.durable

    @rule()
    def recover(self) -> None:
        for session in self.archive.recover():
            session.commit()
            session.close()
        self._keep(self.waiting)
        self.waiting = []

    def _keep(self, captures: list[Capture]) -> None:
        self.archive.refresh()
        self.kept |= {capture.record_id: capture for capture in captures}

    # What changes nothing that can be seen

    @rule(whole=st.booleans(), rebuild=st.booleans())
    def merge(self, whole: bool, rebuild: bool) -> None:
        self.archive.merge(whole=whole, rebuild=rebuild)

    @rule()
    def replicate(self) -> None:
        assert [fault for copied in self._replica().replicate() for fault in copied.faults] == []
        assert of_runs(objects_in(self.copy)) == of_runs(objects_in(self.store))

    def _replica(self) -> Replica:
        return Replica(self.store, self.copy, self.folder / "scratch")

    @precondition(lambda self: self.kept)
    @rule(seed=st.integers(0, 1 << 16), how=st.sampled_from(["loss", "flip", "cut"]))
    def damage_and_repair(self, seed: int, how: str) -> None:
        self.replicate()
        dice = random.Random(seed)
        whole = of_runs(objects_in(self.store))
        key = dice.choice(sorted(key for key, data in whole.items() if data))
        data = whole[key]
        if how == "loss":
            self.store.delete(key)
        elif how == "cut":
            self.store.put(key, data[: dice.randrange(len(data))])
        else:
            place = dice.randrange(len(data))
            self.store.put(key, data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :])
        list(Replica(self.copy, self.store, self.folder / "scratch").repair())
        assert of_runs(objects_in(self.store)) == whole
        self.archive = Archive(
            self.store, spool=self.folder / "spool", cache=self.folder / "cache", kept_blocks=1 << 20
        )

    @precondition(lambda self: self.kept)
    @rule()
    def import_what_was_exported(self) -> None:
        """Into this archive nothing comes that is there; into an empty one comes all of it."""
        file = self.folder / "exported.warc.gz"
        with file.open("wb") as out:
            export_warc(self.archive, Wanted(), out)
        again = import_file(self.archive, file, lambda left: None, None)
        assert (again.run, again.left) == (None, 0)
        other = Archive(MemoryStore(), spool=self.folder / "other")
        other.prepare()
        brought = import_file(other, file, lambda left: None, None)
        assert (brought.captures, brought.left) == (len(self.kept), 0)
        other.refresh()
        assert {self._seen(each) for each in other.every()} == set(self.kept.values())
        shutil.rmtree(self.folder / "other")

    # Reading

    @rule(path=paths, start=minutes, end=minutes)
    def look_up_a_span(self, path: str, start: int, end: int) -> None:
        first, last = NOON + timedelta(minutes=start), NOON + timedelta(minutes=end)
        found = list(self.archive.snapshots(HOST + path, start=first, end=last))
        wanted = [capture for capture in self._of(path) if first <= capture.at <= last]
        assert [each.timestamp for each in found] == sorted(capture.at for capture in wanted)
        assert {each.record_id for each in found} == {capture.record_id for capture in wanted}

    @rule(path=paths)
    def look_up_a_prefix(self, path: str) -> None:
        found = [each.record_id for each in self.archive.snapshots(HOST + path, match="prefix")]
        wanted = {capture.record_id for capture in self.kept.values() if capture.path.startswith(path)}
        assert len(found) == len(set(found))
        assert set(found) == wanted

    @rule(path=paths, minute=minutes, second=st.integers(0, 59))
    def look_up_the_nearest(self, path: str, minute: int, second: int) -> None:
        at = NOON + timedelta(minutes=minute, seconds=second)
        wanted = self._of(path)
        near = self.archive.near(HOST + path, at)
        if not wanted:
            assert near is None
            return
        assert near is not None
        assert abs(near.timestamp - at) == min(abs(capture.at - at) for capture in wanted)
        newest = self.archive.closest(HOST + path)
        assert newest.timestamp == max(capture.at for capture in wanted)
        for snapshot in (near, newest):
            assert b"".join(self.archive.payload(snapshot)[2]) == self.kept[snapshot.record_id].body

    def _of(self, path: str) -> list[Capture]:
        return [capture for capture in self.kept.values() if capture.path == path]

    def _seen(self, snapshot: Snapshot) -> Capture:
        return Capture(
            snapshot.record_id,
            snapshot.url.removeprefix(HOST),
            snapshot.timestamp,
            self.kept[snapshot.record_id].body,
        )

    @rule()
    def verify(self) -> None:
        assert [fault for finding in self.archive.verify() for fault in finding.faults] == []

    @invariant()
    def everything_is_there_once_and_nothing_else(self) -> None:
        type(self).steps += 1
        found = [each.record_id for each in self.archive.every()]
        assert len(found) == len(set(found))
        assert set(found) == set(self.kept)


def run_beside_its_model(make: Callable[[Path], ObjectStore]) -> int:
    machine = type("Machine", (ArchiveBesideItsModel,), {"make": staticmethod(make)})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=RULES,
            deadline=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.steps


def test_an_archive_in_memory_does_as_its_model(tally: Tally) -> None:
    tally("steps of an archive in memory beside its model", run_beside_its_model(lambda path: MemoryStore()))


def test_an_archive_in_a_directory_does_as_its_model(tally: Tally) -> None:
    tally("steps of an archive in a directory beside its model", run_beside_its_model(LocalStore))
