"""A model of several machines at one store: each agent may stop before any of its calls, for as long as others take.

The agents run the real code. One runs until it stops before its n-th call; then the next one runs, to its end or until
it stops too; then those that were stopped go on. A clock of its own may be ahead, and days may pass while one sleeps.
"""

from __future__ import annotations

import itertools
import random
import shutil
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import archive.times
from archive import object_keys
from archive.access.unfinished_redactions import unfinished
from archive.archive import Archive
from archive.crypto.signed_note import Signer
from archive.formats import manifest
from archive.local_cache import Cache
from archive.model import Outcome
from archive.redaction.apply import finish
from archive.redaction.plan import finish_overtaken, plan_redaction, redact
from archive.runs.garbage import Orphans
from archive.runs.warc_files import RunSettings
from storage.base import ObjectInfo, ObjectStore
from storage.errors import OnrecordError, StoreError
from storage.memory import MemoryStore
from tests.exchanges import a_document, an_exchange

# No agent makes more calls.
CALLS = {"writer": 70, "other writer": 70, "gc": 40, "gc'": 40, "compactor": 50}
CALLS |= {"redaction": 130, "other redaction": 130}
SIGNER = Signer("clinic.example", bytes(32))
REDACTED = {"redaction": "http://example.org/redacted", "other redaction": "http://example.org/also-redacted"}


class TimedStore(MemoryStore):
    """A store with a clock of its own, which nobody's clock moves."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def _keep(self, key: str, data: bytes) -> None:
        self._objects[key] = bytes(data)
        self._modified[key] = self.now()


class Killed(BaseException):
    """The process ends before a call."""


class Agent(MemoryStore):
    """A process of one machine, and the store as it uses it: one call at a time."""

    def __init__(self, world: World, name: str, skew: timedelta = timedelta()) -> None:
        super().__init__()
        self.name, self.calls = name, 0
        self._world, self._skew = world, skew
        self._turn = threading.Lock()
        self._go, self._rests = threading.Event(), threading.Event()
        self._stop_before: int | None = None
        self._kill = self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def run(self, stop_before: int | None = None, *, kill: bool = False) -> bool:
        """Run, or go on, until the process ends, or before its n-th call; whether it stopped there."""
        self._stop_before, self._kill = stop_before, kill
        self._rests.clear()
        archive.times.rehearse(self._world.store.passed + self._skew)
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.set()
        assert self._rests.wait(60), f"{self.name} hangs"
        archive.times.rehearse(timedelta())
        if self._error:
            raise self._error
        return not self._ended

    def _work(self) -> None:
        try:
            self._world.machines.actions[self.name.rstrip("'")](self)
        except (Killed, OnrecordError):  # the latter is a line that a command prints
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again where all began
            self._error = error
        self._ended = True
        self._rests.set()

    def _do(self, what: str, key: str, act: Callable[[], object]) -> object:
        with self._turn:
            if self.calls == self._stop_before:
                if self._kill:
                    raise Killed
                self._stop_before = None
                self._rests.set()
                self._go.wait()
                self._go.clear()
            self.calls += 1
            done = act()
            self._world.look(self, what, key)
            return done

    def put(self, key: str, data: bytes) -> None:
        self._do("put", key, lambda: self._world.store.put(key, data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        return bool(self._do("put", key, lambda: self._world.store.put_if_absent(key, data)))

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes:
        return self._do("get", key, lambda: self._world.store.get(key))  # type: ignore[return-value]

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        found = self._do("list", prefix, lambda: [*self._world.store.list(prefix, start_after)])
        return iter(found)  # type: ignore[call-overload,no-any-return]

    def head(self, key: str) -> ObjectInfo | None:
        return self._do("head", key, lambda: self._world.store.head(key))  # type: ignore[return-value]

    def delete(self, key: str) -> None:
        self._do("delete", key, lambda: self._world.store.delete(key))

    def now(self) -> datetime:
        return self._world.store.now()


class Machines:
    """What several machines do at one store, each with its spool; `told` is given what was captured durably."""

    def __init__(self, folder: Path, told: Callable[[str], object]) -> None:
        self.folder = folder
        self._told = told
        self.actions: dict[str, Callable[[ObjectStore], object]] = {
            "writer": lambda store: self.write(store, "writer"),
            "other writer": lambda store: self.write(store, "other writer"),
            "recoverer": lambda store: recover(self.archive(store, "writer")),
            "gc": lambda store: list(Orphans(store, Cache(None)).collect()),
            "compactor": lambda store: self.archive(store, "compactor").merge(whole=True),
            "redaction": lambda store: self.redact(store, "redaction"),
            "other redaction": lambda store: self.redact(store, "other redaction"),
            "left": lambda store: self.capture(self.archive(store, "writer"), "http://example.org/left"),
        }

    def archive(self, store: ObjectStore, machine: str) -> Archive:
        return Archive(store, spool=self.folder / machine)

    def write(self, store: ObjectStore, machine: str) -> None:
        made = self.archive(store, machine)
        recover(made)
        self.capture(made, f"http://example.org/{machine.replace(' ', '-')}")

    def capture(self, made: Archive, *urls: str) -> None:
        with closing(made.session(RunSettings("test/1"))) as session:
            for url in urls:
                snapshot = session.add(an_exchange(url, f"the content of {url}".encode()), page=True)
                session.add_document(a_document(snapshot))
                session.add_outcome(Outcome(url, "ok", "2026-11-23T12:00:00Z"))
                session.checkpoint()
                self._told(snapshot.record_id)
            session.commit()

    def begin(self, store: ObjectStore) -> None:
        """Commit two runs, and merge the first."""
        old = self.archive(store, "earlier")
        old.prepare()
        self.capture(old, *REDACTED.values())
        old.merge()
        self.capture(old, "http://example.org/earlier")

    def finish(self, store: ObjectStore, machine: str) -> Archive:
        """Do what `onrecord redact --finish` does."""
        made = self.archive(store, machine)
        finish(made, [SIGNER.public])
        finish_overtaken(made, SIGNER, [SIGNER.public])
        return made

    def redact(self, store: ObjectStore, machine: str) -> None:
        made = self.finish(store, machine)
        redact(made, plan_redaction(made, min(made.runs()), [REDACTED[machine]], ()), SIGNER, "asked for")

    def faults(self, store: ObjectStore, captured: Collection[str]) -> Iterator[str]:
        """What is lost, doubled or damaged once everybody has ended and each machine was started again."""
        for machine in ("writer", "other writer"):
            made = self.archive(store, machine)
            recover(made)
            yield from (f"lost: run {run} stays in the spool of {machine}" for run in made.spool.names())
        made = self.archive(store, "reader")
        try:
            for machine in REDACTED:
                self.finish(store, machine)
            yield from self._undone(made)
            for found in made.verify(known=[SIGNER.public]):
                yield from (f"damaged: {found.run}: {fault}" for fault in found.faults)
            seen = Counter(snapshot.record_id for snapshot in made.every())
        except OnrecordError as error:
            yield f"damaged: {error}"
            return
        yield from (f"lost: {record_id}" for record_id in set(captured) - seen.keys())
        yield from (f"doubled: {record_id}" for record_id, number in seen.items() if number > 1)

    def _undone(self, made: Archive) -> Iterator[str]:
        """Redactions that were decided, and whose content is there still, or that never end."""
        store = made.unguarded().stores.primary
        stated = {each.statement.id: each.statement for each in made.notices.statements()}
        for statement in stated.values():
            for gone in statement.gone:
                member = zlib.decompressobj(31).decompress(store.get(gone.key)[gone.offset :])
                if b"\r\nContent-Length: 0\r\n" not in member and b"redacted: see " not in member:
                    yield f"undone: {statement.id} said that {gone.place} is gone"
        yield from (f"undone: {name} does not end" for name in unfinished(store) if name in stated)


def recover(made: Archive) -> None:
    """Publish what waits in a machine's spool, as far as that can be done now."""
    for session in made.recover():
        with closing(session), suppress(StoreError):
            session.commit()


class World:
    """One store, the spools of two machines, and what was captured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = TimedStore()
        self.captured: set[str] = set()
        self.machines = Machines(folder, self.captured.add)
        self.half: list[str] = []  # runs that could be seen and lacked something
        self.agents: list[Agent] = []
        self.states: set[tuple[tuple[str, int], ...]] = set()

    def fill(self) -> None:
        """Commit two runs, and leave a third one without its manifest, in the store and in the writer's spool."""
        self.machines.begin(self.store)
        for calls in range(100):  # one call further each time, until all files are there
            trial = self.copy(self.folder.with_name(f"{self.folder.name}-{calls}"))
            trial.agent("left").run(calls, kill=True)
            if (
                sum(
                    key.startswith(object_keys.RUNS_PREFIX) for key in trial.store._objects.keys() - self.store._objects
                )
                == 6
            ):
                break
        self.store._objects, self.store._modified = trial.store._objects, trial.store._modified
        self.captured |= trial.captured
        shutil.rmtree(self.folder)
        trial.folder.rename(self.folder)

    def copy(self, folder: Path) -> World:
        """The same world again, to be changed."""
        shutil.copytree(self.folder, folder)
        made = World(folder)
        made.store._objects, made.store._modified = dict(self.store._objects), dict(self.store._modified)
        made.captured |= self.captured
        return made

    def agent(self, name: str, skew: timedelta = timedelta()) -> Agent:
        self.agents.append(Agent(self, name, skew))
        return self.agents[-1]

    def look(self, agent: Agent, what: str, key: str) -> None:
        """See whether a run that exists lacks a file, after a call that can have made it so."""
        self.states.add(tuple(sorted((each.name, each.calls) for each in self.agents)))
        if what == "delete" or (what == "put" and key.endswith(object_keys.MANIFEST)):
            self.half += [f"half: {run} lacks a file, after {agent.name}: {what} {key}" for run in self._half_runs()]

    def _half_runs(self) -> Iterator[str]:
        objects = dict(self.store._objects)
        for key, data in objects.items():
            if key.endswith(f"/{object_keys.MANIFEST}") and key.startswith(object_keys.RUNS_PREFIX):
                found = manifest.parse(data)
                if any(
                    len(objects.get(object_keys.run_key(found.run, it.path), b"-")) != it.bytes
                    for it in found.resources
                ):
                    yield found.run

    def faults(self) -> list[str]:
        """What is lost, doubled, damaged, or could once be seen by halves."""
        archive.times.rehearse(self.store.passed)
        try:
            return [*self.half, *self.machines.faults(self.store, self.captured)]
        finally:
            archive.times.rehearse(timedelta())


@dataclass(frozen=True)
class Course:
    """Who begins, and before which call of its own each but the last one stops; in which order they go on.

    `days` pass while the first one sleeps; the clock of garbage collection is `ahead` days ahead. With `killed` the
    first one is killed rather than stopped, and its machine is started again at the end.
    """

    names: tuple[str, ...]
    stops: tuple[int, ...]
    days: int = 0
    ahead: int = 0
    killed: bool = False
    first_in_first_out: bool = False

    def run(self, world: World) -> bool:
        """Let it happen; False where an agent ended before it could be stopped, so that this is another course."""
        agents = [world.agent(name, timedelta(days=self.ahead if "gc" in name else 0)) for name in self.names]
        stopped = []
        for number, (agent, stop) in enumerate(zip(agents, self.stops, strict=False)):
            if not agent.run(stop, kill=self.killed and not number) and not (self.killed and not number):
                return False
            if not (self.killed and not number):
                stopped.append(agent)
            if not number:
                world.store.passed = timedelta(days=self.days)
        agents[-1].run()
        for agent in stopped if self.first_in_first_out else reversed(stopped):
            agent.run()
        return True


@dataclass
class Result:
    """How many orders of calls were run, the states that they led through, and the orders that lost something."""

    orders: int = 0
    states: set[object] = field(default_factory=set)
    losing: list[tuple[Course, list[str]]] = field(default_factory=list)


def courses(names: tuple[str, ...], most: int, seed: int) -> list[Course]:
    """Every course in which the agents stop before each of their calls, or so many that are drawn from these."""
    dice = random.Random(f"{names} {seed}")
    every = itertools.product(
        *(range(CALLS[name]) for name in names[:-1]),
        (0, 8),
        (0, 8),
        (False, True),
        (False, True) if len(names) > 2 else (False,),
    )
    found = [Course(names, values[:-4], *values[-4:]) for values in every]
    return found if len(found) <= most else dice.sample(found, most)


def explored(folder: Path, names: tuple[str, ...], most: int, seed: int = 0) -> Result:
    """Run the courses of some agents; returns how many there were, their states, and what each did wrong."""
    template = World(folder / "template")
    template.folder.mkdir()
    template.fill()
    result = Result()
    for course in courses(names, most, seed):
        world = template.copy(folder / "world")
        if course.run(world):
            result.orders += 1
            result.states |= {(course.names, state) for state in world.states}
            if faults := world.faults():
                result.losing.append((course, faults))
        shutil.rmtree(world.folder)
    return result
