"""Annotations: read back as written, signed, ended, named where they are damaged, and said of the right captures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive import object_keys
from archive.annotations import Annotations, Said, Subject, Words
from archive.annotations.additions import Addition, decode_addition, encode_addition
from archive.annotations.annotation_store import annotation_faults
from archive.copies.annotations import carry_annotations
from archive.crypto import Signer
from archive.errors import IntegrityError, NoSuchAnnotation
from archive.local_cache import Cache
from storage.memory import MemoryStore

AT = datetime(2026, 11, 23, 17, 25, tzinfo=UTC)
ID = "20261123T172500Z-7f3a0000"
PAGE = Subject(url="https://gazette.example/post")
WORDS = Words(("Case 7",), ("draft", "to read"), "Page 2 names\nthe minister.")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.create(tmp_path / "key", "clinic.example")


@pytest.mark.parametrize(
    "subject", [PAGE, Subject(run=ID), Subject(url="https://a.example/", at=AT, record_id="<urn:uuid:1>")]
)
@pytest.mark.parametrize("is_signed", [False, True])
def test_an_addition_is_read_back_as_it_was_written(signer: Signer, subject: Subject, is_signed: bool) -> None:
    made = Addition(ID, subject, WORDS, AT)
    data = encode_addition(made, signer if is_signed else None)
    expected = (made, is_signed, [signer.public] if is_signed else [])
    assert decode_addition(data, ID, [signer.public]) == expected
    assert decode_addition(data, ID) == (made, is_signed, [])


@pytest.mark.parametrize(
    ("old", "new"), [(b"Case 7", b"Case 8"), (b"clinic", b"clinia"), (b"\n", b"\n\n"), (b'"', b"'")]
)
def test_an_addition_that_was_altered_is_not_read(signer: Signer, old: bytes, new: bytes) -> None:
    data = encode_addition(Addition(ID, PAGE, WORDS, AT), signer)
    altered = data.replace(old, new, 1)
    if old == b"clinic":  # of a key that is not known here
        assert decode_addition(altered, ID, [signer.public])[2] == []
        return
    with pytest.raises(IntegrityError):
        decode_addition(altered, ID, [signer.public])


def test_an_addition_of_another_name_is_not_read() -> None:
    data = encode_addition(Addition(ID, PAGE, WORDS, AT), None)
    with pytest.raises(IntegrityError):
        decode_addition(data, ID.replace("7f3a", "0000"))


@pytest.mark.parametrize(
    ("collections", "labels", "note"),
    [([""], [], None), (["a\tb\x1b"], [], None), ([], ["x" * 201], None), ([], [], "\x00"), ([], [], "n" * 10_001)],
)
def test_what_cannot_be_kept_is_refused(collections: list[str], labels: list[str], note: str | None) -> None:
    with pytest.raises(ValueError, match=r"note is|name is|label is"):
        Words.checked(collections, labels, note)


def test_many_write_and_what_is_ended_is_no_longer_said(signer: Signer) -> None:
    store = MemoryStore()
    one, other = Annotations(store, Cache(None)), Annotations(store, Cache(None))
    first, second = one.add(PAGE, WORDS, signer), other.add(Subject(run=ID), Words(("Case 8",)), None)
    other.refresh()
    assert one.said().collections == other.said().collections == ["Case 7", "Case 8"]
    by = {each.addition.id: each.by for each in one.additions([signer.public])[0]}  # of one millisecond: in any order
    assert by == {first.id: "signed by clinic.example", second.id: "not signed"}
    by = {each.addition.id: each.by for each in one.additions()[0]}
    assert by == {first.id: "signed by an unknown key", second.id: "not signed"}
    one.remove(first.id, "a mistake", signer)
    assert one.said().collections == ["Case 8"]
    with pytest.raises(NoSuchAnnotation):
        one.remove(first.id, None, signer)
    assert second.id in {each.addition.id for each in one.additions()[0]}


def test_what_was_said_of_a_run_is_kept_once() -> None:
    notes = Annotations(MemoryStore(), Cache(None))
    for note in ("as it was captured", "again"):
        notes.add_of_run(ID, Words(note=note), None)
    (kept,) = notes.additions()[0]
    assert (kept.addition.id, kept.addition.words.note) == (ID, "as it was captured")


def test_a_damaged_one_is_named_and_hides_no_other(signer: Signer, caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    notes = Annotations(store, Cache(None))
    bad, good = notes.add(PAGE, WORDS, signer), notes.add(PAGE, Words(("Case 8",)), signer)
    key = object_keys.annotation_key(bad.id)
    store.put(key, store.get(key).replace(b"draft", b"drift"))
    assert notes.said().collections == ["Case 8"]
    assert f"annotations that cannot be read: 1, {key} the first" in caplog.text
    assert [each for each, _ in annotation_faults(store)] == [key]
    assert [each.addition.id for each in notes.additions()[0]] == [good.id]


def test_a_replica_gets_what_it_lacks_and_what_it_holds_damaged() -> None:
    source, target = MemoryStore(), MemoryStore()
    notes = Annotations(source, Cache(None))
    made = [notes.add(PAGE, Words((name,)), None) for name in ("Case 7", "Case 8")]
    notes.remove(made[0].id, None, None)
    assert carry_annotations(source, target, [])[::2] == (3, [])
    assert carry_annotations(source, target, [])[::2] == (0, [])
    key = object_keys.annotation_key(made[1].id)
    target.put(key, target.get(key).replace(b"Case 8", b"Case 9"))
    assert carry_annotations(source, target, [], repair=True)[::2] == (1, [])
    assert target.get(key) == source.get(key)
    source.put(key, source.get(key).replace(b"Case 8", b"Case 9"))
    copied = carry_annotations(source, target, [], repair=True)
    assert copied[0] == 0
    assert key in copied[2][0]


def test_each_is_said_of_what_it_is_about() -> None:
    key = object_keys.run_key(ID, object_keys.warc_path(0))
    said = Said(
        [
            Addition(ID, Subject(run=ID), Words(("of the run",)), AT),
            Addition(ID, PAGE, Words(("of the page",)), AT),
            Addition(ID, Subject(url=PAGE.url, at=AT, record_id="<urn:uuid:1>"), Words(("of one",)), AT),
        ]
    )
    url = PAGE.url or ""
    other = "runs/20261124T172500Z-7f3a0000/archive/00000.warc.gz"
    assert said.at(url, AT, "<urn:uuid:1>", key).collections == ("of the run", "of the page", "of one")
    assert said.at(url, AT, "<urn:uuid:2>", other).collections == ("of the page",)
    assert said.at(f"urn:dom:{url}", AT, "<urn:uuid:2>", other).collections == ("of the page",)
    assert said.at("https://gazette.example/other", AT, "<urn:uuid:1>", other).empty
