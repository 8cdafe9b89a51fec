"""The process in which `serve --write` captures and imports, so that readers wait for neither.

It takes jobs from the queue, a run each; captures of one person that wait together share one. When the server goes, by
whatever end, it goes too: what it had begun waits in the spool, and its jobs are taken again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.child_process import Channel, ChildProcess
from pipeline.cli.capture_options import options_of
from pipeline.cli.context import Context
from pipeline.cli.unfinished_runs import prepare, recover, sign
from pipeline.outbound.plain_text import one_line
from pipeline.web.write.job_queue import JobQueue
from pipeline.web.write.jobs import Ended, Job, Kind
from storage.errors import OnrecordError, StoreError

if TYPE_CHECKING:
    from archive.model import Outcome
    from pipeline.ingest.capture_run import CaptureOptions, RunResult
    from pipeline.ingest.import_result import Imported

_log = logging.getLogger("onrecord.save")

_TOGETHER = 20  # captures in a run
_TIME = 600.0  # seconds of a run, after which what is left of it is named as not reached
_LOOKS = 5.0  # seconds between two looks for a job of another server's
_SOON = 1.0  # seconds after which the lock of another worker, which may just be ending, is tried again
_LATER = 30.0  # seconds after which a store that is out of reach is tried again
_ENDING = 5.0  # seconds that the worker gets to end
_LONGEST_PAUSE = 60.0  # seconds before a worker that keeps ending is started again
_LONGEST = 1_000  # characters of what is said of a job
_WORK = "pipeline.cli.save_worker:work"


@dataclass(frozen=True, slots=True)
class Saving:
    """What the worker is started with."""

    flags: Mapping[str, Any]  # as `Context.load` takes them
    store_id: str | None
    queue: Path
    allow_private: bool


class Supervisor:
    """Keeps one worker going for as long as the server does."""

    def __init__(self, saving: Saving) -> None:
        self.saving = saving
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._thread = threading.Thread(target=self._keep, name="saving", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(2 * _ENDING)

    def wake(self) -> None:
        """Let the worker look for jobs now."""
        with self._lock, suppress(OSError):  # a worker that is gone looks when it is there again
            if self._child is not None:
                self._child.channel.send(None)

    def _keep(self) -> None:
        pause = 1.0
        while not self._ended.is_set():
            begun = time.monotonic()
            self._child = ChildProcess(_WORK)
            try:
                with suppress(OSError):
                    self._child.channel.send(self.saving)
                self._watch(self._child)
            finally:
                self._child.end(_ENDING)
            pause = 1.0 if time.monotonic() - begun > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            self._ended.wait(pause)

    def _watch(self, child: ChildProcess) -> None:
        """Return once the worker is gone, or is to go."""
        import subprocess

        while not self._ended.is_set():
            with suppress(subprocess.TimeoutExpired):
                _log.warning("the process that saves pages ended (exit code %s); it is started again", child.wait(0.2))
                return


def work(channel: Channel) -> None:
    """Do what is in the queue, in the child, until the server is gone."""
    saving = channel.receive()
    assert isinstance(saving, Saving), "the server sends nothing else first"
    threading.Thread(target=_end_with, args=(channel,), daemon=True).start()
    context = Context.load(**saving.flags)
    context.store_id = saving.store_id
    queue = JobQueue(saving.queue)
    with suppress(EOFError, ConnectionError), closing(_Worker(context, queue, saving.allow_private)) as worker:
        while True:
            with queue.alone() as alone:
                if alone:
                    queue.reopen()
                    _take_all(channel, worker)
            _pause(channel, _LATER if alone else _SOON)  # the store is out of reach, or another server's worker saves


def _take_all(channel: Channel, worker: _Worker) -> None:
    """Do jobs for as long as the store can be used."""
    while True:
        try:
            if not worker.step():
                _pause(channel, _LOOKS)
        except OnrecordError as error:
            _log.warning("what waits to be saved waits longer: %s", error)
            return


def _pause(channel: Channel, seconds: float) -> None:
    with suppress(TimeoutError):
        channel.receive(seconds)


def _end_with(channel: Channel) -> None:
    channel.wait_for_end()
    os.kill(os.getpid(), signal.SIGTERM)


class _Worker:
    def __init__(self, context: Context, queue: JobQueue, allow_private: bool) -> None:
        from pipeline.extract.extractor_pool import ExtractorPool

        self._context = context
        self._queue = queue
        self._archive = context.open_archive(look=False)
        given = {"depth": 0, "force": False, "allow_private": allow_private}
        self._options = options_of(context.defaults.get("capture", {}), given)
        options = self._options
        self._pool = ExtractorPool(
            options.workers, time_limit=options.extract_time, memory_limit=options.extract_memory
        )
        self._waits = True  # whether runs may wait in the spool

    def close(self) -> None:
        """End the extractors."""
        self._pool.close()

    def step(self) -> bool:
        """Do the next jobs; whether there were any. Raises OnrecordError where none can be done now."""
        if self._waits and not prepare(self._archive):
            self._waits = bool(recover(self._context, self._archive, self._options))
        jobs = self._queue.take(_TOGETHER)
        if not jobs:
            return False
        try:
            if jobs[0].kind == Kind.CAPTURE:
                self._capture(jobs)
            else:
                self._queue.finish(jobs[0], self._imported(jobs[0]))
        except StoreError:
            self._queue.put_back(jobs)
            raise
        self._archive.refresh()
        return True

    def _capture(self, jobs: list[Job]) -> None:
        from archive.model import Target
        from pipeline.ingest.capture_run import capture_all

        outcomes: dict[str, Outcome] = {}

        def note(outcome: Outcome, _line: bytes) -> None:
            if outcome.role is None:
                outcomes[outcome.url] = outcome

        targets = [Target(url) for url in dict.fromkeys(job.what for job in jobs)]
        result = capture_all(self._archive, targets, self._by(jobs[0].person), note, pool=self._pool)
        self._committed(result)
        for job in jobs:
            self._queue.finish(job, _came(outcomes.get(job.what), result))

    def _by(self, person: str) -> CaptureOptions:
        """Return the options with the name of who asked, which the run's manifest and WARC files keep."""
        run = self._options.run
        run = replace(run, options={**run.options, "saved-by": person})
        return replace(self._options, run=run, time_limit=_TIME)

    def _imported(self, job: Job) -> Ended:
        from archive.errors import FormatError
        from pipeline.ingest.import_files import import_file

        path = self._queue.path(job)
        faults: list[str] = []
        try:
            self._archive.prepare()
            done = import_file(
                self._archive, path, lambda left: faults.append(left.reason), self._pool, said={"saved-by": job.person}
            )
        except (FormatError, OSError) as error:
            return Ended(False, "not-imported", _said(str(error).replace(str(path), path.name)))
        self._committed(done.result)
        return _brought(done, faults)

    def _committed(self, result: RunResult | None) -> None:
        if result is not None and result.manifest is not None:
            sign(self._context, self._archive)
        elif result is not None and result.waiting:
            self._waits = True


_WAITS = "it waits on this machine until the store can be reached"


def _came(outcome: Outcome | None, result: RunResult) -> Ended:
    """Return what came of a capture."""
    from archive.times import from_iso

    if outcome is None:
        return Ended(False, "out-of-time", "it was not reached; send it again")
    kept = outcome.record_id is not None
    error = _said(*filter(None, [outcome.error, _WAITS if result.waiting else None])) or None
    return Ended(
        outcome.ok, outcome.outcome, error, result.run if kept else None,
        (outcome.final_url or outcome.url) if kept else None, from_iso(outcome.timestamp) if kept else None,
    )  # fmt: skip


def _said(*parts: str) -> str:
    """Return what a person is shown, on one line: a page, or a file, may have a say in it."""
    return one_line("; ".join(parts), _LONGEST)


def _brought(done: Imported, faults: list[str]) -> Ended:
    """Return what came of an import: all of it that is in, and what is left out."""
    said = [f"{done.records:,} records, {done.captures:,} captures"]
    said += [f"{done.already:,} were in already"] if done.already else []
    said += [f"{done.left:,} left out ({faults[0]})" if faults else f"{done.left:,} left out"] if done.left else []
    said += [_WAITS] if done.result is not None and done.result.waiting else []
    whole = not done.left and bool(done.records or done.already)
    run = done.result.run if done.result is not None and done.records else None
    return Ended(whole, "imported" if done.records or done.already else "not-imported", _said(*said), run)
