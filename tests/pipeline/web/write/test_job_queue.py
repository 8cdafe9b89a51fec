"""The queue of what people asked to be saved: durable, bounded, taken in order, and put back after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from pipeline.web.write import job_queue
from pipeline.web.write.job_queue import JobQueue, QueueFull, file_name
from pipeline.web.write.jobs import Ended, Job, Kind, State
from tests.waiting import wait_for


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / "saving")


def _uploaded(queue: JobQueue, data: bytes, name: str = "page.html", person: str = "ida") -> Job:
    with queue.upload() as upload:
        upload.file.write(data)
        return queue.add_import(upload, name, person)


def _state(queue: JobQueue, job: Job) -> State:
    found = queue.job(job.id)
    assert found is not None
    return found.state


def test_jobs_are_taken_in_order_captures_of_one_person_together(queue: JobQueue) -> None:
    first, second = (queue.add_capture(f"https://quay.example/{each}", "ida") for each in range(2))
    other = queue.add_capture("https://quay.example/2", "joost")
    third = queue.add_capture("https://quay.example/3", "ida")
    file = _uploaded(queue, b"a page")
    assert queue.ahead_of(other) == 2
    taken = queue.take(10)
    assert [each.id for each in taken] == [first.id, second.id, third.id]
    assert [each.id for each in queue.take(10)] == [other.id]
    (imported,) = queue.take(10)
    assert (imported.id, imported.kind, queue.path(imported).read_bytes()) == (file.id, Kind.IMPORT, b"a page")
    assert queue.take(10) == []
    queue.finish(imported, Ended(True, "ok", run="r"))
    assert not queue.path(imported).parent.exists()
    done = queue.job(imported.id)
    assert done is not None
    assert (done.state, done.result) == (State.DONE, Ended(True, "ok", run="r"))
    assert queue.job("0" * 32) is None


def test_what_a_worker_that_is_gone_had_begun_is_taken_again_and_given_up_in_the_end(queue: JobQueue) -> None:
    job = queue.add_capture("https://quay.example/", "ida")
    queue.take(1)
    queue.put_back([job])  # the user ended the server: no fault of the job's
    for _ in range(5):
        assert [each.id for each in queue.take(1)] == [job.id]
        queue.reopen()
    found = queue.job(job.id)
    assert found is not None
    assert found.result is not None
    assert (found.state, found.result.outcome) == (State.FAILED, "given-up")


def test_more_than_may_wait_is_refused_and_its_file_removed(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MOST_BYTES", 10)
    _uploaded(queue, b"12345")
    with pytest.raises(QueueFull):
        _uploaded(queue, b"123456")
    monkeypatch.setattr(job_queue, "MOST_WAITING", 1)
    with pytest.raises(QueueFull):
        queue.add_capture("https://quay.example/", "ida")
    folder = queue.path(queue.take(1)[0]).parents[1]
    assert len(list(folder.iterdir())) == 1
    assert list(folder.with_name("incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ida\\page.html", "page.html"),
        ("...", "upload"),
        ("", "upload"),
        ("a b\n\x00ü.mhtml", "a_b_.mhtml"),
        ("x" * 300 + ".wacz", "x" * 95 + ".wacz"),
    ],
)
def test_a_name_leads_nowhere_else(written: str, kept: str) -> None:
    assert file_name(written) == kept


_ADDS = """
import sys
from pathlib import Path
from pipeline.web.write.job_queue import JobQueue
queue = JobQueue(Path(sys.argv[1]))
while True:
    with queue.upload() as upload:
        upload.file.write(b"x" * 10_000)
        job = queue.add_import(upload, "a.html", "ida")
    print(job.id, queue.add_capture("https://quay.example/", "ida").id, flush=True)
"""


def _has_lines(path: Path, count: int) -> bool:
    return path.read_text().count("\n") >= count


def test_a_kill_at_any_time_loses_no_job_that_was_answered(queue: JobQueue, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for number in range(3):
        with log.open("a") as said:
            argv = [sys.executable, "-c", _ADDS, str(tmp_path / "saving")]
            adding = subprocess.Popen(argv, stdout=said, cwd=Path(__file__).parents[4])
            wait_for(partial(_has_lines, log, 3 * number + 3))
            os.kill(adding.pid, signal.SIGKILL)
            adding.wait()
    answered = [each for line in log.read_text().splitlines() for each in line.split() if len(each) == 32]
    queue.reopen()
    for each in answered:
        job = queue.job(each)
        assert job is not None
        assert job.state == State.QUEUED
        assert job.kind == Kind.CAPTURE or queue.path(job).stat().st_size == 10_000


def test_one_worker_at_a_time(queue: JobQueue) -> None:
    with queue.alone() as mine, queue.alone() as its:
        assert (mine, its) == (True, False)
