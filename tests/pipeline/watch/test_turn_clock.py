"""Two machines whose clocks are two hours apart take turns, and do not capture what the other one has captured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys, times
from archive.archive import Archive
from archive.coordination import WatchMarks
from archive.model import Outcome
from archive.runs.warc_files import RunSettings
from archive.times import iso, now
from pipeline.watch.due import plan
from pipeline.watch.history import Ledger
from pipeline.watch.lease import Elsewhere, turn
from pipeline.watch.watch_list import Watch, load
from storage.memory import MemoryStore
from tests.exchanges import an_exchange

URL = "http://example.org/a"
APART = [timedelta(hours=2), timedelta(hours=-2)]


@pytest.fixture(autouse=True)
def right_again() -> Iterator[None]:
    yield
    times.rehearse(timedelta())


@pytest.mark.parametrize("apart", APART, ids=["ahead", "behind"])
def test_a_turn_is_respected_whatever_the_clocks_say(apart: timedelta) -> None:
    store = MemoryStore()
    times.rehearse(apart, wrong=True)
    with turn(WatchMarks(store), "one"):
        times.rehearse(timedelta())
        with pytest.raises(Elsewhere), turn(WatchMarks(store), "other"):
            pass
    with turn(WatchMarks(store), "other") as mine:
        assert mine is not None


def test_a_turn_is_over_when_the_beats_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    with turn(WatchMarks(store), "one"):
        for key in store._objects:
            store._modified[key] -= timedelta(minutes=4)
        with turn(WatchMarks(store), "other") as mine:
            assert mine is not None


@pytest.mark.parametrize("apart", APART, ids=["ahead", "behind"])
def test_what_another_machine_captured_just_now_is_not_due(apart: timedelta, tmp_path: Path) -> None:
    store = MemoryStore()
    archive = Archive(store, spool=tmp_path / "spool")
    archive.prepare()
    times.rehearse(apart, wrong=True)
    with closing(archive.session(RunSettings("test/1"))) as session:
        session.add(an_exchange(URL, at=now().replace(microsecond=0)), page=False)
        session.add_outcome(Outcome(URL, "ok", iso(now()), status=200, digest="sha256:" + 64 * "0", text="x"))
        session.commit()
    times.rehearse(timedelta())
    archive.refresh()
    listed = tmp_path / "watches.toml"
    listed.write_text(f'[[watch]]\npage = "{URL}"\nevery = "1h"\n')
    watches: list[Watch] = load(listed)
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.sync(archive) == 1
    with ledger.opened() as database:
        assert plan(watches, ledger, database, archive.present()) == []
        assert len(plan(watches, ledger, database, archive.present() + timedelta(minutes=61))) == 1
    assert object_keys.is_run_id(archive.runs()[0])
