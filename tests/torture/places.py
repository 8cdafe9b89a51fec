"""Archives to do harm to, each put back as it was before the next harm, and what must be true of them afterwards."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive import object_keys
from archive.access.rule_store import Notices
from archive.access.rules import Rule
from archive.archive import Archive
from archive.local_cache import Cache
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable
from tests.exchanges import an_exchange
from tests.torture.actions import (
    ACTIONS,
    BROUGHT,
    Place,
    bring,
    capture,
    foreign_file,
    merge,
    opened,
    recover,
    replicate,
    write,
)

Objects = dict[str, bytes]


def objects_in(store: ObjectStore) -> Objects:
    return {info.key: store.get(info.key) for info in store.list()}


def of_runs(objects: Objects) -> Objects:
    """All but the merged index and its marks, which are made again, and intents, which garbage collection removes."""
    return {key: data for key, data in objects.items() if not key.startswith(("index/", "intents/"))}


def silent(record_id: str) -> None:
    """Nobody is told."""


class Offline:
    """A store that takes nothing."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put_file(self, key: str, path: Path) -> None:
        raise StoreUnavailable("out of reach")


def full(place: Place) -> None:
    """Merged runs, loose ones, one of another program, a rule of what is not to be shown, and a copy of it all."""
    for edition in range(2):
        capture(place, silent, edition)
    merge(place, silent)
    foreign_file(place, "first", 1)
    bring(place, silent, "first")
    foreign_file(place, "second", 1 + BROUGHT)
    capture(place, silent, 2)
    notices = Notices(place.store(), Cache(None))
    notices.add(Rule("http://withheld.example/"))
    notices.remove(notices.add(Rule("http://shown-again.example/")))
    replicate(place, silent)


def with_left_runs(place: Place) -> None:
    """Besides, a run that was killed while it was written, and one that its store did not take."""
    full(place)
    from archive.runs.warc_files import RunSettings

    killed = place.archive().session(RunSettings("test/1"))
    write(killed, silent, 3)
    killed.add(an_exchange("http://example.org/torn"), page=False)  # behind the last checkpoint
    killed.close()
    offline = Place(place.folder, place.bucket, Offline)  # type: ignore[arg-type, return-value]
    session = offline.archive().session(RunSettings("test/1"))
    write(session, silent, 4)
    try:
        session.commit()
    except StoreError:
        session.close()


def with_new_runs(place: Place) -> None:
    """Besides, runs that the copy lacks."""
    full(place)
    for edition in (3, 4):
        capture(place, silent, edition)


def damaged(place: Place) -> None:
    """Besides, harm to the store that its copy can mend."""
    full(place)
    store = place.store()
    runs = Archive(store, spool=place.folder / "no-spool").runs()
    store.delete(object_keys.run_key(runs[0], object_keys.warc_path(0)))
    store.put(object_keys.run_key(runs[1], object_keys.PAGES), b"")
    store.delete(object_keys.run_key(runs[2], object_keys.MANIFEST))
    store.put(object_keys.STORE_KEY, b"{}")


BEFORE: dict[str, Callable[[Place], None]] = {
    "capture": with_left_runs,
    "recover": with_left_runs,
    "merge": with_new_runs,
    "replicate": with_new_runs,
    "repair": damaged,
    "import": full,
    "read": full,
    "ledger": full,
    "outbox": full,
}


@dataclass
class Bench:
    """A place that is put back as it was, again and again."""

    place: Place
    action: str
    kept: Path

    def __post_init__(self) -> None:
        self.place.folder.mkdir()
        BEFORE[self.action](self.place)
        shutil.copytree(self.place.folder, self.kept)
        self.ids = set(recorded(self.place))
        self._objects = {name: objects_in(opened(self.place.location(name))) for name in ("store", "copy")}
        self.runs = of_runs(self._objects["copy"]) if self.action == "repair" else of_runs(self._objects["store"])

    def restore(self) -> None:
        """As it was before."""
        shutil.rmtree(self.place.folder)
        shutil.copytree(self.kept, self.place.folder)
        for name, objects in self._objects.items() if self.place.bucket else ():
            put_back(opened(self.place.location(name)), objects)

    def finish(self) -> None:
        """What the next invocation does, whom nothing happens to."""
        if self.action != "repair":
            recover(self.place, silent)
        ACTIONS[self.action](self.place, silent)

    def check(self, acknowledged: list[str] = ()) -> None:  # type: ignore[assignment]  # an empty tuple will do
        """What must be true once it is finished: all is there, once, and nothing is left to do."""
        found = recorded(self.place)
        assert set(found.values()) <= {1}
        assert self.ids <= set(found)
        assert set(acknowledged) <= set(found)
        store = opened(self.place.location("store"))
        now = of_runs(objects_in(store))
        assert {key: now.get(key) for key in self.runs} == self.runs, "what was committed is as it was"
        assert Archive(store, spool=self.place.folder / "spool").spool.names() == []
        if self.action == "import":
            brought = [number for record_id, number in found.items() if "00000000-0000-4000" in record_id]
            assert brought == [1] * 2 * BROUGHT
        if self.action in {"replicate", "repair"}:
            assert set(recorded(self.place, "copy")) == set(found)
            assert of_runs(objects_in(opened(self.place.location("copy")))) == now


def recorded(place: Place, name: str = "store") -> Counter[str]:
    """Every capture by its record, as a reader of the merged index finds it; the runs must be whole and say the same.

    A capture that lies in two runs counts twice.
    """
    archive = Archive(opened(place.location(name)), spool=place.folder / "no-spool")
    if name == "store" and not place.store().head(object_keys.STORE_KEY):
        return Counter()
    said = {snapshot.record_id for snapshot in archive.every()}
    by_runs = Counter(snapshot.record_id for run in archive.runs() for snapshot in archive.captures_of(run))
    assert said == set(by_runs)
    return by_runs


def whole(place: Place, name: str = "store") -> None:
    """What a reader sees while nothing is finished: whole runs, and an index that says what they say."""
    archive = Archive(opened(place.location(name)), spool=place.folder / "no-spool")
    assert [fault for finding in archive.verify() for fault in finding.faults] == []
    assert set(recorded(place, name).values()) <= {1}


def put_back(store: ObjectStore, objects: Objects) -> None:
    there = objects_in(store)
    for key in there.keys() - objects.keys():
        store.delete(key)
    for key, data in objects.items():
        if there.get(key) != data:
            store.put(key, data)


def steps(calls: int, wanted: int, dice: random.Random) -> list[int]:
    """So many of the steps, or all, spread over the whole way."""
    if wanted >= calls:
        return list(range(1, calls + 1))
    width = calls / wanted
    return [1 + int(width * (number + dice.random())) for number in range(wanted)]
