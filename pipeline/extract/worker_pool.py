"""Long-lived worker processes with a time and a memory limit a task; a task that ends its worker harms no other.

A thread for each worker hands it one task at a time. When this process dies, however it dies, the workers end by
themselves.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pipeline.child_process import Channel, ChildProcess

T = TypeVar("T")

_WAITING_A_WORKER = 4  # tasks that may wait for each worker before `submit` does
_START_COST = 0.5  # seconds a worker takes to start: another one is started for tasks that wait as long
_RECYCLED_AFTER = 2000  # tasks, for parsers leak
_START_LIMIT = 120.0  # seconds a worker may take to be ready
_TICK = 0.01  # seconds: the least that a timer of the processor's time can be set to
_OVER = signal.SIGPROF  # ends a worker, in whichever library it is, once its task's allowance is used


class TaskFailure(Exception):
    """A task gave no result; `kind` is "timeout", "work", "memory", "killed" or "failed"."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return TaskFailure, (self.kind, str(self))


@dataclass(slots=True)
class Allowance:
    """Seconds of the processor that a task may take, and how many it took: known once its future is done."""

    seconds: float
    used: float = 0.0


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    task: object
    future: Future[T]
    since: float  # of the monotonic clock
    allowance: Allowance | None


@dataclass(slots=True, eq=False)
class _Backlog(Generic[T]):
    """The tasks that wait, and whether they are worth the start of another worker."""

    room: int  # for so many more tasks
    _tasks: deque[_Waiting[T]] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _running: int = 0  # workers
    _closed: bool = False

    def put(self, task: object, future: Future[T], allowance: Allowance | None) -> None:
        """Add a task, once there is room."""
        with self._changed:
            while not self.room:
                self._changed.wait()
            self.room -= 1
            self._tasks.append(_Waiting(task, future, time.monotonic(), allowance))
            self._changed.notify_all()

    def take(self, running: bool) -> _Waiting[T] | None:
        """Return the next task, for a worker that runs or for one that is worth its start; None once all is closed."""
        with self._changed:
            while True:
                worth = running or not self._running or len(self._tasks) >= _WAITING_A_WORKER * self._running
                if self._tasks and (worth or time.monotonic() - self._tasks[0].since >= _START_COST):
                    break
                if self._closed:
                    return None
                self._changed.wait(None if running or not self._tasks else _START_COST / 2)
            self._running += not running
            task = self._tasks.popleft()
            self.room += 1
            self._changed.notify_all()
            return task

    def one_fewer(self) -> None:
        """Count a worker that ended."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel what waits, and let no one wait any more."""
        with self._changed:
            self._closed = True
            self.room += len(self._tasks)
            while self._tasks:
                self._tasks.popleft().future.cancel()
            self._changed.notify_all()


class WorkerPool(Generic[T]):
    """Runs a function, named as "module:function", over tasks in worker processes.

    The module may have a function `warm`, which a worker calls before its first task, and `load`, which it calls with
    each task: what that loads is no part of the task's allowance. No worker is started before the
    first task, and another one only for what those that run do not soon come to: a start costs as much as some pages.
    `submit` waits while 4 tasks a worker wait.
    """

    def __init__(self, function: str, workers: int, *, time_limit: float, memory_limit: int) -> None:
        self._function = function
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._workers = max(workers, 1)
        self._tasks = _Backlog[T](self._workers * _WAITING_A_WORKER)
        self._threads: list[threading.Thread] = []
        self._processes: set[_Worker] = set()
        self._closing = False

    @property
    def started(self) -> bool:
        """Whether any worker was ever started."""
        return bool(self._threads)

    @property
    def has_room(self) -> bool:
        """Whether `submit` would return at once."""
        return self._tasks.room > 0

    def submit(self, task: object, allowance: Allowance | None = None) -> Future[T]:
        """Run the function on a task; the future raises TaskFailure when there is no result.

        A task that takes more than its `allowance` of the processor's time ends with its worker.
        """
        if not self._threads:
            for number in range(self._workers):
                thread = threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
        future: Future[T] = Future()
        self._tasks.put(task, future, allowance)
        return future

    def close(self) -> None:
        """End the workers; tasks that are not done are cancelled."""
        self._closing = True
        self._tasks.close()
        for worker in list(self._processes):
            worker.kill()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self) -> None:
        worker = None
        while (waiting := self._tasks.take(worker is not None)) is not None:
            try:
                if waiting.future.set_running_or_notify_cancel():
                    worker = worker or self._start()
                    waiting.future.set_result(worker.run(waiting.task, self._time_limit, waiting.allowance))
            except TaskFailure as failure:
                waiting.future.set_exception(failure)
            except Exception as error:  # noqa: BLE001 - a thread that ended would leave every later task waiting
                if worker is not None:
                    worker.usable = False
                waiting.future.set_exception(TaskFailure("failed", _told(error)))
            if worker is None or not worker.usable:
                if worker is not None:
                    self._end(worker)
                worker = None
                self._tasks.one_fewer()
        if worker is not None:
            self._end(worker)

    def _start(self) -> _Worker:
        worker = _Worker(self._function, self._memory_limit)
        self._processes.add(worker)
        if self._closing:
            worker.kill()
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.kill()
        self._processes.discard(worker)


class _Worker:
    """One process; usable until it died, was killed, or has done its share."""

    def __init__(self, function: str, memory_limit: int) -> None:
        self._process = ChildProcess("pipeline.extract.worker_pool:serve", function, str(memory_limit))
        self._ready = False
        self._done = 0
        self.usable = True

    def run(self, task: object, time_limit: float, allowance: Allowance | None) -> Any:
        """Return the function's result; raises TaskFailure."""
        if allowance is not None:
            allowance.used = allowance.seconds  # of a task that gives no answer
        try:
            if not self._ready:  # a worker that is not reading yet, or never will, takes no large task
                self._receive(_START_LIMIT)
                self._ready = True
            self._process.channel.send((task, allowance.seconds if allowance is not None else None))
            kind, result, used = self._receive(time_limit)
        except (EOFError, OSError) as error:
            self.usable = False
            ending = self._ending()
            if allowance is not None and ending == f"signal {_OVER.name}":
                raise TaskFailure("work", f"not done within {allowance.seconds:.1f} s of the processor") from error
            raise TaskFailure("killed", f"the worker ended ({ending})") from error
        if allowance is not None:
            allowance.used = used
        self._done += 1
        if self._done >= _RECYCLED_AFTER or kind == "memory":
            self.usable = False
        if kind != "result":
            raise TaskFailure(kind, result)
        return result

    def _receive(self, limit: float) -> Any:
        try:
            return self._process.channel.receive(limit)
        except TimeoutError:
            self.kill()
            raise TaskFailure("timeout", f"not done within {limit:g} s") from None

    def _ending(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(5)
            if code < 0:
                with suppress(ValueError):  # real-time signals have no names
                    return f"signal {signal.Signals(-code).name}"
                return f"signal {-code}"
            return f"exit code {code}"
        return "no exit code"

    def kill(self) -> None:
        """End the process at once."""
        self.usable = False
        self._process.end()


def serve(channel: Channel, function: str, memory_limit: str) -> None:
    """Work in the child: get ready, then one result for each task, until the other end closes."""
    module_name, _, name = function.partition(":")
    module = importlib.import_module(module_name)
    warm = getattr(module, "warm", None)
    if warm is not None:
        warm()
    _limit_memory(int(memory_limit))
    run, load = getattr(module, name), getattr(module, "load", None)
    with suppress(EOFError, OSError):
        channel.send("ready")
        while True:
            task, seconds = channel.receive()
            answer = _attempt(run, load, task, seconds)
            try:
                channel.send(answer)
            except (EOFError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - nothing was sent yet: what cannot be packed is a failure too
                channel.send(("failed", _told(error), answer[2]))


def _attempt(run: Any, load: Any, task: object, seconds: float | None) -> tuple[str, object, float]:
    """Return what came of a task, and the seconds of the processor that it took, of `seconds` that it may take."""
    begun = time.process_time()
    try:
        if load is not None:
            load(task)
            begun = time.process_time()
        if seconds is not None:
            signal.setitimer(signal.ITIMER_PROF, max(seconds, _TICK))
        try:
            kind, result = "result", run(task)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except MemoryError:
        kind, result = "memory", "it needed more memory than a page may have"
    except Exception as error:  # noqa: BLE001 - whatever a hostile page provokes is that page's outcome
        kind, result = "failed", _told(error)
    return kind, result, time.process_time() - begun


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _limit_memory(memory_limit: int) -> None:
    """Let the process grow by so many bytes beyond what it is now; not every system can."""
    try:
        import resource
    except ImportError:
        return
    with suppress(OSError, ValueError):
        with open("/proc/self/statm") as statm:  # noqa: PTH123 - a file of the kernel's
            present = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (present + memory_limit, resource.RLIM_INFINITY))
