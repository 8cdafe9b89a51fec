"""The guarded reader gives out nothing that is withheld, and who needs the unguarded one asks for it by name."""

from __future__ import annotations

import pytest

from archive import object_keys
from archive.access.rules import Rule
from archive.archive import Archive
from archive.errors import IntegrityError, Withheld
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange

HIDDEN, SHOWN = "http://example.org/hidden", "http://example.org/shown"


@pytest.fixture
def run(archive: Archive, keep: Keep) -> str:
    made = keep(an_exchange(HIDDEN, b"<p>hidden</p>"), an_exchange(SHOWN, b"<p>shown</p>"))
    archive.notices.add(Rule(HIDDEN))
    archive.refresh()
    return made


def test_bytes_of_a_warc_file_go_through_the_guard(archive: Archive, run: str) -> None:
    key = object_keys.run_key(run, object_keys.warc_path(0))
    hidden, shown = (next(archive.unguarded().snapshots(url)).record for url in (HIDDEN, SHOWN))
    size = archive.warc_size(key)
    assert size is not None
    whole = b"".join(archive.unguarded().warc_range(key, 0, size))
    assert len(whole) == size
    assert (
        b"".join(archive.warc_range(key, shown.offset, shown.offset + shown.length))
        == whole[shown.offset : shown.offset + shown.length]
    )
    for start, end in (
        (hidden.offset, hidden.offset + hidden.length),
        (shown.offset, shown.offset + shown.length + 1),
        (shown.offset - 1, shown.offset + shown.length),
        (0, size),
    ):
        with pytest.raises(Withheld):
            archive.warc_range(key, start, end)


def test_only_warc_files_of_committed_runs_are_given_out(archive: Archive, store: MemoryStore, run: str) -> None:
    for key in (
        object_keys.run_key(run, object_keys.OUTCOMES),
        "onrecord.json",
        f"runs/{run}/archive/../x",
        "runs/x/archive/y",
    ):
        with pytest.raises(ValueError, match="no WARC file"):
            archive.warc_size(key)
    key = object_keys.run_key(run, object_keys.warc_path(0))
    assert archive.warc_size(object_keys.run_key(run, object_keys.warc_path(7))) is None
    store.delete(object_keys.run_key(run, object_keys.MANIFEST))
    assert archive.warc_size(key) is None


def test_the_unguarded_reader_is_another_object_and_no_writer(archive: Archive, run: str) -> None:
    unguarded = archive.unguarded()
    assert not hasattr(archive, "store")
    assert not hasattr(archive, "stores")
    assert not hasattr(archive, "catalog")
    assert not hasattr(unguarded, "session")
    assert b"".join(unguarded.payload(unguarded.closest(HIDDEN))[2]) == b"<p>hidden</p>"
    with pytest.raises(Withheld):
        archive.closest(HIDDEN)
    assert [each.withheld is None for each in archive.captures_of(run)] == [False, True]


def test_a_log_of_outcomes_that_was_altered_is_not_believed(archive: Archive, store: MemoryStore, run: str) -> None:
    unguarded = archive.unguarded()
    assert len(list(unguarded.outcomes(run, checked=True))) == 2
    key = object_keys.run_key(run, object_keys.OUTCOMES)
    store.put(key, store.get(key).replace(b"ok", b"OK"))
    assert len(list(unguarded.outcomes(run))) == 2
    with pytest.raises(IntegrityError, match="is not the file"):
        list(unguarded.outcomes(run, checked=True))


def test_runs_from_a_name_on(archive: Archive, keep: Keep) -> None:
    runs = [keep(an_exchange(f"http://example.org/{number}")) for number in range(3)]
    assert archive.runs() == runs
    assert archive.runs(runs[1]) == runs[1:]
    assert archive.runs(runs[0][:16]) == runs
    assert archive.runs("9") == []
