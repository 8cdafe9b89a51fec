"""The outbox: kept before it is sent, sent once, tried again, never in the way."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.channel import Batch, Channel, Rules
from pipeline.alerts.command import Command
from pipeline.alerts.event import Event, decoded
from pipeline.alerts.limits import Flushed
from pipeline.alerts.notify import notify
from pipeline.alerts.outbox import Outbox
from pipeline.alerts.settings import load_channels
from pipeline.outbound.errors import DeliveryError
from tests.pipeline.alerts.conftest import NOON, Hook, Letters, event, late, silent, smtp
from tests.waiting import wait_for


@dataclass
class Clock:
    """A clock that is set by hand."""

    time: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass
class Kept:
    """A way out that keeps what it is sent, after it has failed as often as it is told to."""

    failures: list[DeliveryError] = field(default_factory=list)
    sent: list[Batch] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def send(self, batch: Batch) -> None:
        self.tried.append(batch.id)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(batch)

    def probe(self) -> None:
        pass

    @property
    def paths(self) -> list[list[str]]:
        return [[it.url.rpartition("/")[2] for it in batch.events] for batch in self.sent]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(tmp_path: Path, clock: Clock) -> Outbox:
    return Outbox(tmp_path / "outbox", clock=clock)


def test_each_event_is_sent_once_to_each_channel(box: Outbox, clock: Clock) -> None:
    first, second = Kept(), Kept()
    channels = [Channel("one", first), Channel("two", second)]
    assert box.add([event("a"), event("b"), event("a")]) == 2
    assert box.waiting() == 2
    assert box.flush(channels, sleep=clock.sleep) == Flushed(4, 0)
    assert box.add([event("a"), event("c")]) == 1
    assert box.flush(channels, sleep=clock.sleep) == Flushed(2, 0)
    assert box.flush(channels, sleep=clock.sleep) == Flushed(0, 0)
    assert [sorted(paths) for paths in first.paths] == [["a", "b"], ["c"]]
    assert first.paths == second.paths


def test_a_channel_that_comes_later_is_not_told_of_what_was(box: Outbox) -> None:
    box.add([event("a")])
    assert box.flush([]) == Flushed(0, 0)
    late = Kept()
    assert box.flush([Channel("late", late)]) == Flushed(0, 0)
    assert late.sent == []


def test_rules_choose_and_gather(box: Outbox, clock: Clock) -> None:
    gone, press, each, daily = Kept(), Kept(), Kept(), Kept()
    channels = [
        Channel("gone", gone, Rules(kinds=frozenset({"gone"}))),
        Channel("press", press, Rules(tags=frozenset({"press"}))),
        Channel("each", each, Rules(digest="each")),
        Channel("daily", daily, Rules(digest="daily", digest_at=7 * 60)),
    ]
    box.add([event("a"), event("b", "changed", tags=("press", "law"))])
    assert box.flush(channels, sleep=clock.sleep).waiting == 2
    assert (gone.paths, press.paths, sorted(each.paths)) == ([["a"]], [["b"]], [["a"], ["b"]])
    clock.time = NOON + timedelta(hours=12)
    box.add([event("c")])
    assert box.flush(channels).waiting == 3
    assert daily.sent == []
    clock.time = NOON + timedelta(hours=19)
    assert box.flush(channels).waiting == 0
    assert [sorted(paths) for paths in daily.paths] == [["a", "b", "c"]]


def test_a_passing_failure_is_tried_again_at_once_and_a_lasting_one_later(box: Outbox, clock: Clock) -> None:
    way = Kept([DeliveryError("busy"), DeliveryError("busy")])
    box.add([event("a")])
    assert box.flush([Channel("way", way)], sleep=clock.sleep) == Flushed(1, 0)
    assert clock.slept == [1, 4]
    way.failures = [DeliveryError("down") for _ in range(9)]
    box.add([event("b")])
    waits = []
    while way.failures:
        tries = len(way.tried)
        done = box.flush([Channel("way", way)], sleep=clock.sleep)
        if len(way.tried) > tries:
            assert done == Flushed(0, 1, ("way: down",))
            waits.append(clock.time)
        clock.time += timedelta(seconds=20)
    assert [(after - before).total_seconds() // 60 for before, after in itertools.pairwise(waits)] == [1, 2]
    clock.time += timedelta(hours=1)
    box.add([event("c")])
    assert box.flush([Channel("way", way)], sleep=clock.sleep) == Flushed(2, 0)
    assert sorted(way.paths[-1]) == ["b", "c"]


def test_a_refusal_is_not_repeated_at_once(box: Outbox, clock: Clock) -> None:
    way = Kept([DeliveryError("401", permanent=True), DeliveryError("wait", permanent=True, after=3600)])
    box.add([event("a")])
    box.flush([Channel("way", way)], sleep=clock.sleep)
    clock.time += timedelta(minutes=2)
    box.flush([Channel("way", way)], sleep=clock.sleep)
    assert (len(way.tried), clock.slept) == (2, [])
    clock.time += timedelta(minutes=59)
    box.flush([Channel("way", way)], sleep=clock.sleep)
    assert len(way.tried) == 2
    clock.time += timedelta(minutes=2)
    assert box.flush([Channel("way", way)]) == Flushed(1, 0)


def test_what_may_have_arrived_is_sent_again_as_it_was(box: Outbox, clock: Clock) -> None:
    way = Kept([DeliveryError("silent", uncertain=True), *(DeliveryError("refused") for _ in range(4))])
    box.add([event("a")])
    box.flush([Channel("way", way)], sleep=clock.sleep)
    assert len(way.tried) == 1
    box.add([event("b")])
    clock.time += timedelta(hours=1)
    assert box.flush([Channel("way", way)], sleep=clock.sleep) == Flushed(0, 2, ("way: refused",))
    clock.time += timedelta(hours=1)
    assert box.flush([Channel("way", way)], sleep=clock.sleep) == Flushed(2, 0)
    assert len(set(way.tried[:6])) == 1
    assert way.paths == [["a"], ["b"]]


def test_one_channel_that_fails_keeps_no_other_waiting(box: Outbox, clock: Clock) -> None:
    class Broken(Kept):
        def send(self, batch: Batch) -> None:
            raise ZeroDivisionError("hunter2")

    well = Kept()
    box.add([event("a")])
    done = box.flush([Channel("broken", Broken()), Channel("well", well)], sleep=clock.sleep)
    assert done == Flushed(1, 1, ("broken: failed with ZeroDivisionError",))
    assert well.paths == [["a"]]


def test_it_is_bounded(box: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.alerts import delivery, limits

    monkeypatch.setattr(delivery, "WAITING_LIMIT", 10)
    way = Kept([DeliveryError("down", permanent=True)] * 99)
    for number in range(25):
        box.add([event(f"{number:02}", diff="x" * 1_000_000)])
        clock.time += timedelta(seconds=1)
        box.flush([Channel("way", way)])
    assert box.waiting() <= 11
    assert (box.folder / "outbox.db").stat().st_size < 2_000_000
    clock.time += limits.GIVE_UP + timedelta(days=1)
    box.flush([Channel("way", way)])
    assert box.waiting() == 0
    way.failures = []
    box.add([event("new")])
    assert box.flush([Channel("way", way)]) == Flushed(1, 0)
    assert way.paths == [["new"]]


def test_an_outbox_that_cannot_be_used_ends_no_capture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    told = notify([event()], [Channel("way", Kept())], tmp_path / "file" / "outbox")
    assert not told.kept
    assert told.flushed.sent == 0
    assert "cannot be used" in caplog.text
    folder = tmp_path / "outbox"
    folder.mkdir()
    (folder / "outbox.db").write_bytes(b"not a database at all" * 500)
    way = Kept()
    told = notify([event()], [Channel("way", way)], folder)
    assert (told.kept, told.flushed.sent) == (True, 1)
    (aside,) = folder.glob("outbox.db.unreadable-*")
    assert aside.read_bytes().startswith(b"not a database")


ADD_AND_WAIT = """
import sys
from pathlib import Path
from pipeline.alerts.outbox import Outbox
from tests.pipeline.alerts.conftest import event
Outbox(Path(sys.argv[1])).add([event(name) for name in sys.argv[2:]])
print("added", flush=True)
sys.stdin.read()
"""
FLUSH = """
import sys
from pathlib import Path
from pipeline.alerts.outbox import Outbox
from pipeline.alerts.settings import load_channels
channels = load_channels({"webhook": {"url": sys.argv[2], "timeout": 20}})
print(Outbox(Path(sys.argv[1])).flush(channels).sent)
"""


def _python(code: str, *arguments: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code, *arguments]
    env = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def test_killed_between_adding_and_sending_loses_nothing_and_sends_once(tmp_path: Path, letters: Letters) -> None:
    folder = tmp_path / "outbox"
    with _python(ADD_AND_WAIT, str(folder), "a", "b") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "added\n"
        process.send_signal(signal.SIGKILL)
    with smtp(letters) as port:
        channels = load_channels({"mail": {"to": "ida@quay.example", "host": "127.0.0.1", "port": port}})
        assert notify([event("a"), event("b")], channels, folder).flushed == Flushed(2, 0)
        assert notify([event("a"), event("b")], channels, folder).flushed == Flushed(0, 0)
    (message,) = letters.messages
    assert message["Subject"] == "onrecord: 2 gone"


def test_killed_while_sending_sends_the_same_message_again(tmp_path: Path, hook: Hook) -> None:
    folder = tmp_path / "outbox"
    Outbox(folder).add([event("a"), event("b")])
    hook.answers = [silent]
    with _python(FLUSH, str(folder), hook.url()) as process:
        wait_for(lambda: bool(hook.requests))
        process.send_signal(signal.SIGKILL)
    Outbox(folder).add([event("c")])
    channels = load_channels({"webhook": {"url": hook.url()}})
    assert Outbox(folder).flush(channels) == Flushed(3, 0)
    keys = [headers["idempotency-key"] for _, headers, _ in hook.requests]
    assert keys[0] == keys[1] != keys[2]


def test_two_processes_at_once_send_once(tmp_path: Path, hook: Hook) -> None:
    folder = tmp_path / "outbox"
    Outbox(folder).add([event(str(number)) for number in range(5)])
    hook.answers = [late] * 4
    processes = [_python(FLUSH, str(folder), hook.url()) for _ in range(4)]
    counts = sorted(int(process.communicate()[0]) for process in processes)
    assert counts == [0, 0, 0, 5]
    assert len(hook.requests) == 1


def test_a_webhook_that_first_fails_gets_it_in_the_end(tmp_path: Path, hook: Hook, clock: Clock) -> None:
    hook.answers = [500, 503]
    channels = load_channels({"webhook": {"url": hook.url()}})
    box = Outbox(tmp_path / "outbox", clock=clock)
    box.add([event()])
    assert box.flush(channels, sleep=clock.sleep) == Flushed(1, 0)
    assert len({body for _, _, body in hook.requests}) == 1
    assert len(hook.requests) == 3


def test_a_command_has_it_on_stdin_and_is_ended_in_time(tmp_path: Path, box: Outbox, clock: Clock) -> None:
    got = tmp_path / "got"
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat > {got}\n[ \"$1\" = '; false' ]\n")
    script.chmod(0o755)
    box.add([event("a")])
    (channel,) = load_channels({"command": {"argv": [str(script), "; false"]}})
    assert box.flush([channel]) == Flushed(1, 0)
    assert '"https://gazette.example/a"' in got.read_text()
    box.add([event("b")])
    stuck = Channel("stuck", Command(("/bin/sh", "-c", "sleep 60 & echo $! > stuck.pid; wait"), timeout=3.0))
    absent = Channel("absent", Command((str(tmp_path / "none"),)))
    os.chdir(tmp_path)
    done = box.flush([stuck, absent], sleep=clock.sleep)
    assert done.errors == (
        "stuck: /bin/sh took more than 3 s",
        f"absent: {tmp_path}/none cannot be started: No such file or directory",
    )
    child = int((tmp_path / "stuck.pid").read_text())
    wait_for(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


@given(
    url=st.text(max_size=5000), title=st.none() | st.text(), summary=st.text(max_size=3000), diff=st.none() | st.text()
)
def test_events_of_any_text_keep_their_id(url: str, title: str | None, summary: str, diff: str | None) -> None:
    made = Event("gone", url, NOON, title=title, summary=summary, diff=diff)
    again = decoded(made.encoded())
    assert again.id == made.id
    assert decoded(again.encoded()) == again


def test_nobody_else_reads_the_outbox(box: Outbox) -> None:
    box.add([event()])
    assert box.folder.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(box.folder / "outbox.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture(autouse=True)
def _stay_here() -> Iterator[None]:
    here = Path.cwd()
    yield
    os.chdir(here)
