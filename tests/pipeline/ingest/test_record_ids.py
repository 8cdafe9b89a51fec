"""Record ids are public, and come from strangers: a file that carries ours harms nothing of ours."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.crypto.signed_note import Signer
from archive.errors import AmbiguousRecord, Withheld
from archive.evidence.bundle_create import create
from archive.model import Document, Snapshot
from archive.redaction.plan import plan_redaction, redact
from archive.runs.warc_files import RunSettings
from archive.search import search_index
from archive.times import iso
from pipeline.export.export import export_warc
from pipeline.export.selection import Wanted
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from storage.memory import MemoryStore
from tests.command import Command
from tests.exchanges import NOON, a_document, an_exchange

URL = "http://gazette.example/court"
SIGNER = Signer("clinic.example", b"s" * 32)
ID = "<urn:uuid:00000000-0000-4000-8000-000000000001>"


def of_stranger(body: str, record_id: str = ID, url: str = URL, *, kind: str = "response", about: str = "") -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{body}</p>".encode()
    lines = [
        "WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: {record_id}", f"WARC-Date: {iso(NOON)}",
        f"WARC-Target-URI: {url}", *([f"WARC-Concurrent-To: {about}"] if about else []),
        f"Content-Length: {len(block)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + block + b"\r\n\r\n"


class Place:
    """An archive in memory that strangers' files are imported into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = Archive(MemoryStore(), spool=folder / "spool")
        self.archive.prepare()
        self.left: list[Left] = []

    def take(self, *records: bytes) -> str | None:
        """Import a file of records; returns its run."""
        path = self.folder / "theirs.warc"
        path.write_bytes(b"".join(records))
        self.left = []
        self.done = import_file(self.archive, path, self.left.append, None)
        self.archive.refresh()
        return self.done.run

    def capture(self, body: str, *, text: bool = True) -> Snapshot:
        """Capture the page ourselves."""
        session = self.archive.session(RunSettings("test/1"))
        snapshot = session.add(an_exchange(URL, f"<p>{body}</p>".encode()), page=text)
        if text:
            session.add_document(a_document(snapshot, body))
        session.commit()
        session.close()
        self.archive.refresh()
        return next(each for each in self.archive.snapshots(URL) if each.place == snapshot.place)

    def bodies(self) -> list[str]:
        """What is shown of the page, sorted."""
        shown = [snapshot for snapshot in self.archive.snapshots(URL) if not snapshot.withheld]
        return sorted(b"".join(self.archive.payload(snapshot)[2]).decode()[3:-4] for snapshot in shown)

    def faults(self) -> list[str]:
        return [fault for each in self.archive.verify(known=[SIGNER.public]) for fault in each.faults]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_forged_record_that_came_first_keeps_nothing_out(place: Place) -> None:
    place.take(of_stranger("forged"))
    run = place.take(of_stranger("genuine"))
    assert run is not None
    assert (place.done.already, place.done.clashes) == (0, 1)
    assert [(left.taken, left.clashes) for left in place.left] == [(True, True)]
    assert ID in place.left[0].reason
    assert place.bodies() == ["forged", "genuine"]
    for body in ("forged", "genuine"):
        assert place.take(of_stranger(body)) is None
        assert (place.done.already, place.done.clashes, place.left) == (1, 0, [])
    assert place.faults() == []


def test_the_command_says_so_and_ends_with_3(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    files = [tmp_path / "first.warc", tmp_path / "second.warc"]
    for file in files:
        file.write_bytes(of_stranger(file.name))
    done = onrecord("import", "--no-extract", *map(str, files))
    assert (done.code, f"another record has its id, {ID}" in done.err) == (3, True), done.err
    assert "1 with the ids of others" in done.out
    assert onrecord("import", "--no-extract", str(files[1])).code == 0


def test_two_records_of_one_id_in_one_file_are_both_shown(place: Place) -> None:
    place.take(of_stranger("one"), of_stranger("two"), of_stranger("one"))
    assert (place.done.captures, place.done.clashes, place.done.already) == (2, 1, 1)
    assert place.bodies() == ["one", "two"]
    assert place.faults() == []


def test_what_is_about_a_record_that_is_there_comes_in_unless_it_is_there_too(place: Place) -> None:
    request = of_stranger("asked", "<urn:uuid:2>", kind="request", about=ID)
    place.take(of_stranger("page"), request)
    assert place.take(of_stranger("page"), request) is None
    assert place.take(of_stranger("page"), of_stranger("other", "<urn:uuid:2>", kind="request", about=ID)) is not None
    assert place.done.records == 1


def test_a_revisit_of_an_id_that_two_records_have_gets_the_payload_that_it_names(place: Place) -> None:
    def named(body: str, digest: str) -> bytes:
        return of_stranger(body).replace(b"WARC-Target", f"WARC-Payload-Digest: {digest}\r\nWARC-Target".encode())

    revisit = of_stranger("", "<urn:uuid:9>", kind="revisit").replace(
        b"WARC-Target", f"WARC-Refers-To: {ID}\r\nWARC-Payload-Digest: md5:{2:032}\r\nWARC-Target".encode()
    )
    place.take(named("one", f"md5:{1:032}"), named("two", f"md5:{2:032}"), revisit)
    (found,) = [each for each in place.archive.snapshots(URL) if each.revisit]
    assert b"".join(place.archive.payload(found)[2]) == b"<p>two</p>"


def test_a_redaction_of_an_import_leaves_our_capture_of_that_id(place: Place) -> None:
    ours = place.capture("our own words")
    run = place.take(of_stranger("a forgery", ours.record_id))
    assert run is not None
    index = search_index(place.archive, None)
    index.refresh(place.archive.runs())
    what = plan_redaction(place.archive, run, (), [ours.record_id])
    assert [(each.run, each.record_id) for each in what.captures] == [(run, ours.record_id)]
    assert what.runs == (run,)
    redact(place.archive, what, SIGNER, "Court order")
    place.archive.refresh()
    assert place.bodies() == ["our own words"]
    document = place.archive.document(next(each for each in place.archive.snapshots(URL) if not each.withheld))
    assert document is not None
    assert document.article.text == "our own words"
    assert len(list(index.search("words"))) == 1
    assert len(list(place.archive.documents_of(ours.run))) == 1
    (gone,) = [each for each in place.archive.snapshots(URL) if each.withheld]
    assert gone.run == run
    assert place.faults() == []


def test_what_was_redacted_is_not_imported_again(place: Place) -> None:
    run = place.take(of_stranger("a secret"))
    assert run is not None
    redact(place.archive, plan_redaction(place.archive, run, (), [ID]), SIGNER, "Court order")
    place.archive.refresh()
    place.take(of_stranger("a secret"))
    assert [(left.taken, "redacted: Court order" in left.reason) for left in place.left] == [(False, True)]
    assert place.bodies() == []


def test_an_id_that_two_captures_of_a_run_have_is_refused(place: Place) -> None:
    run = place.take(of_stranger("one"), of_stranger("two"))
    assert run is not None
    found = {b"".join(place.archive.payload(each)[2]): each for each in place.archive.snapshots(URL)}
    with pytest.raises(AmbiguousRecord, match="name one by its place") as refused:
        plan_redaction(place.archive, run, (), [ID])
    assert refused.value.exit_code == 2
    assert all(f"'{each.place}'" in str(refused.value) for each in found.values())
    what = plan_redaction(place.archive, run, (), [found[b"<p>two</p>"].place])
    redact(place.archive, what, SIGNER, "Court order")
    place.archive.refresh()
    assert place.bodies() == ["one"]
    assert place.faults() == []


def test_a_statement_of_onrecord_0_4_withholds_its_ids_in_its_runs_alone(place: Place) -> None:
    first = place.take(of_stranger("redacted long ago"))
    place.capture("our own words", text=False)
    second = place.take(of_stranger("something else"))
    assert first is not None
    name, digest = "20260101T000000Z-00000000", f"sha256:{0:064}"
    lines = ["onrecord redaction 1", f"id {name}", "at 2026-01-01T00:00:00Z", "reason Order"]
    lines += [f"run {first} {digest} {digest}", f"record {ID}"]
    note = SIGNER.sign("".join(f"{line}\n" for line in lines))
    place.archive.unguarded().stores.primary.put(object_keys.redaction_key(name), note.encode())
    place.archive.refresh()
    assert place.bodies() == ["our own words", "something else"]
    shown = {each.run: each.withheld for each in place.archive.snapshots(URL) if each.record_id == ID}
    assert (str(shown[first]), shown[str(second)]) == ("redacted: Order", None)
    with pytest.raises(Withheld):
        place.archive.read(next(each for each in place.archive.snapshots(URL) if each.run == first))


def test_search_and_exports_hold_both(place: Place) -> None:
    ours = place.capture("our own words")
    forged = an_exchange(URL, b"<p>forged words</p>")
    session = place.archive.session(RunSettings("test/1"))
    snapshot = session.add(forged, page=False)
    alike = replace(snapshot, record_id=ours.record_id)
    session.index(alike, page=True)
    session.add_document(a_document(alike, "forged words"))
    session.commit()
    session.close()
    place.archive.refresh()
    index = search_index(place.archive, None)
    index.refresh(place.archive.runs())
    assert len(list(index.search("words"))) == 2
    place.take(of_stranger("imported words", ours.record_id, "http://gazette.example/other"))
    sink = io.BytesIO()
    export_warc(place.archive, Wanted("http://gazette.example/", "host", runs=(ours.run, str(place.done.run))), sink)
    assert sink.getvalue().count(b"\x1f\x8b\x08") == 3, "the file's description and both records"


def test_texts_made_again_of_two_captures_of_one_id_stay_apart(place: Place) -> None:
    first, second = (place.take(of_stranger(body)) for body in ("one", "two"))
    session = place.archive.session(RunSettings("test/2"))
    captures = [each for each in place.archive.snapshots(URL) if each.run in {first, second}]
    for each in captures:
        session.adopt(each)
        session.add_document(a_document(each, f"text of {each.run}"))
    session.commit()
    session.close()
    place.archive.refresh()
    found = [(each.run, place.archive.document(each)) for each in place.archive.snapshots(URL)]
    assert len(found) == 2
    assert all(isinstance(it, Document) and it.article.text == f"text of {run}" for run, it in found)


def test_a_journal_of_onrecord_0_4_that_names_ids_is_taken_up(place: Place) -> None:
    session = place.archive.session(RunSettings("test/1"))
    snapshot = session.add(an_exchange(URL), page=True, read=True)
    session.add_document(a_document(snapshot, "some text"))
    session.describe(snapshot.place, ())
    for entry in session._entries:
        if "described" in entry:
            entry["described"] = snapshot.record_id
        if "document" in entry:
            entry["document"]["record"] = snapshot.record_id
    session.checkpoint()
    session._spooled.close()
    (taken,) = place.archive.recover()
    assert taken.pending == []
    taken.commit()
    taken.close()
    place.archive.refresh()
    (found,) = place.archive.snapshots(URL)
    document = place.archive.document(found)
    assert document is not None
    assert document.article.text == "some text"


def test_a_bundle_proves_the_record_that_was_asked_for(place: Place) -> None:
    place.take(of_stranger("one"), of_stranger("two"))
    place.archive.checkpoint(SIGNER, place.folder / "remembered")
    for snapshot in place.archive.snapshots(URL):
        sink = io.BytesIO()
        made = create(place.archive.unguarded().stores.view, snapshot, sink)
        assert made.records == 1
        with zipfile.ZipFile(sink) as packed:
            (name,) = [name for name in packed.namelist() if name.startswith("records/")]
            record = snapshot.record
            assert packed.read(name) == place.archive.unguarded().stores.primary.get_range(
                record.key, record.offset, record.length
            )
