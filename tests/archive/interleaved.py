"""Several agents at one store, their calls one after the other, in an order that is drawn."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from storage.base import ObjectInfo
from storage.memory import MemoryStore


class Turns:
    """Whose call is next: drawn once every agent that has not ended waits for its turn."""

    def __init__(self, seed: int, check: Callable[[], None]) -> None:
        self._dice = random.Random(seed)
        self._stay = self._dice.choice([0, 0.5, 0.9, 0.97])  # one may do much while another sleeps between two calls
        self._last = ""
        self._check = check
        self._changed = threading.Condition()
        self._waiting: dict[str, int] = {}
        self._chosen: str | None = None
        self._errors: list[BaseException] = []

    def run(self, agents: dict[str, Callable[[], object]]) -> None:
        """Run all agents to their ends; raises what one of them, or the check after a call, raised."""
        self._waiting = dict.fromkeys(agents, 0)
        threads = [threading.Thread(target=self._agent, args=pair, daemon=True) for pair in agents.items()]
        for thread in threads:
            thread.start()
        with self._changed:
            while self._waiting:
                if self._chosen is None and all(self._waiting.values()):
                    self._chosen = self._last = self._draw()
                    self._changed.notify_all()
                self._changed.wait(60)
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _draw(self) -> str:
        if self._last in self._waiting and self._dice.random() < self._stay:
            return self._last
        return self._dice.choice(sorted(self._waiting))

    def _agent(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where all began
            self._errors.append(error)
        with self._changed:
            del self._waiting[name]
            self._changed.notify_all()

    def call(self, name: str, act: Callable[[], object]) -> object:
        """Do one thing in its turn."""
        with self._changed:
            self._waiting[name] += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._chosen == name)
            self._chosen = ""  # nobody's, until this is done
            self._waiting[name] -= 1
            try:
                done = act()
                self._check()
            finally:
                self._chosen = None
                self._changed.notify_all()
            return done


class View(MemoryStore):
    """A store as one agent uses it."""

    def __init__(self, store: MemoryStore, turns: Turns, name: str) -> None:
        super().__init__()
        self._store, self._turns, self._name = store, turns, name

    def _do(self, act: Callable[[], object]) -> object:
        return self._turns.call(self._name, act)

    def put(self, key: str, data: bytes) -> None:
        self._do(lambda: self._store.put(key, data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        return bool(self._do(lambda: self._store.put_if_absent(key, data)))

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes:
        return self._do(lambda: self._store.get(key))  # type: ignore[return-value]

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        return iter(self._do(lambda: [*self._store.list(prefix, start_after)]))  # type: ignore[call-overload,no-any-return]

    def head(self, key: str) -> ObjectInfo | None:
        return self._do(lambda: self._store.head(key))  # type: ignore[return-value]

    def delete(self, key: str) -> None:
        self._do(lambda: self._store.delete(key))
