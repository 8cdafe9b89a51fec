"""Worker processes: limits hold, one bad task harms no other, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.extract.worker_pool import Allowance, TaskFailure, WorkerPool
from tests.waiting import wait_for

TASKS = """
import os, signal, time

def run(task):
    kind, value = task
    if kind == "echo":
        return value
    if kind == "pid":
        return os.getpid()
    if kind == "raise":
        raise ValueError("a fault\\nin two lines")
    if kind == "hang":
        time.sleep(3600)
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "leave":
        os._exit(7)
    if kind == "burn":
        return sum(range(10**13))  # one call into C, which no handler interrupts
    if kind == "eat":
        return len(bytearray(value))
    return os.getcwd()
"""


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool[object]]:
    (tmp_path / "tasks_for_pool.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool("tasks_for_pool:run", 2, time_limit=20, memory_limit=300_000_000) as made:
        yield made


def test_results_come_back(pool: WorkerPool[object]) -> None:
    assert not pool.started
    futures = [pool.submit(("echo", number)) for number in range(50)]
    assert [future.result() for future in futures] == list(range(50))
    assert pool.started


@pytest.mark.parametrize(
    ("task", "kind", "detail"),
    [
        (("raise", None), "failed", "ValueError: a fault"),
        (("die", None), "killed", "SIGKILL"),
        (("leave", None), "killed", "exit code 7"),
        (("eat", 2_000_000_000), "memory", "memory"),
    ],
)
def test_a_bad_task_harms_no_other(pool: WorkerPool[object], task: object, kind: str, detail: str) -> None:
    before = [pool.submit(("echo", number)) for number in range(3)]
    bad = pool.submit(task)
    after = [pool.submit(("echo", number)) for number in range(3, 6)]
    with pytest.raises(TaskFailure, match=detail) as failure:
        bad.result()
    assert failure.value.kind == kind
    assert [future.result() for future in before + after] == list(range(6))


def test_a_task_that_takes_more_of_the_processor_than_it_may_is_ended(pool: WorkerPool[object]) -> None:
    endless, small = Allowance(0.2), Allowance(60.0)
    burning = pool.submit(("burn", None), endless)
    assert pool.submit(("echo", "other"), small).result() == "other"
    with pytest.raises(TaskFailure, match=r"not done within 0\.2 s of the processor") as failure:
        burning.result()
    assert failure.value.kind == "work"
    assert (endless.used, 0.0 <= small.used < 30.0) == (0.2, True)
    assert pool.submit(("echo", "after"), Allowance(60.0)).result() == "after"


def test_a_task_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks_for_pool.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool[object]("tasks_for_pool:run", 1, time_limit=0.5, memory_limit=10**9) as pool:
        hung = pool.submit(("hang", None))
        after = pool.submit(("echo", "after"))
        with pytest.raises(TaskFailure) as failure:
            hung.result()
        assert failure.value.kind == "timeout"
        assert after.result() == "after"


def test_a_worker_is_started_only_for_what_the_others_do_not_soon_come_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks_for_pool.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool[object]("tasks_for_pool:run", 2, time_limit=10_000, memory_limit=10**9) as pool:
        alone = {pool.submit(("pid", None)).result() for _ in range(5)}
        assert len(alone) == 1, "one task at a time needs one worker"
        hanging = pool.submit(("hang", None))
        assert pool.submit(("pid", None)).result() not in alone, "it does not wait for the one that hangs"
        assert not hanging.done()


def test_closing_ends_workers_in_the_middle_of_a_task(pool: WorkerPool[object]) -> None:
    worker = pool.submit(("pid", None)).result()
    assert isinstance(worker, int)
    hanging = [pool.submit(("hang", None)) for _ in range(4)]
    pool.close()
    assert all(future.done() or future.cancelled() for future in hanging)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


PARENT = """
import sys
from pipeline.extract.worker_pool import WorkerPool
pool = WorkerPool("tasks_for_pool:run", 1, time_limit=60, memory_limit=10**9)
print(pool.submit(("pid", None)).result(), flush=True)
pool.submit(("echo", 1)).result()
sys.stdin.read()
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks_for_pool.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not _alive(worker))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_folders_named_like_our_packages_are_not_imported(
    pool: WorkerPool[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoys = tmp_path / "decoys"
    for name in ("pipeline", "archive", "storage"):
        (decoys / name).mkdir(parents=True)
        (decoys / name / "__init__.py").write_text("raise SystemExit('a decoy was imported')")
    monkeypatch.chdir(decoys)
    assert pool.submit(("echo", "whole")).result() == "whole"
