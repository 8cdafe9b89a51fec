"""One addition: what a user says of a snapshot, of a page or of a run, as the object that keeps it.

Two lines of text, a title and a JSON object that begins with its own digest; below them, where a signing key is there,
the signature (C2SP signed-note). An addition never changes: it ends by a further object, its removal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.checked_json import text_of, texts_of
from archive.crypto.signed_note import PublicKey, Signer, open_note
from archive.digests import read_self_digested, self_digested
from archive.errors import IntegrityError
from archive.object_keys import is_run_id
from archive.times import from_iso, iso

LONGEST = 64 << 10  # bytes of an addition
LONGEST_NAME = 200  # characters of a collection's name, or of a label
LONGEST_NOTE = 10_000  # characters
MOST_NAMES = 100  # of each kind in one addition
_LONGEST_URL = 8192  # characters
_FORM = 1
_TITLE = "onrecord annotation 1\n"
_SIGNATURE = "\n\n\u2014 "
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Words:
    """What a user says: names of collections, labels, and a note."""

    collections: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    note: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is said."""
        return not (self.collections or self.labels or self.note)

    @classmethod
    def checked(cls, collections: Iterable[str], labels: Iterable[str], note: str | None) -> Words:
        """Return what a user wrote, blanks around names removed; raises ValueError for what cannot be kept."""
        named = _names(collections, "a collection's name"), _names(labels, "a label")
        text = (note or "").strip().replace("\r\n", "\n")
        if len(text) > LONGEST_NOTE or _CONTROL.search(text):
            raise ValueError(f"a note is text without control characters, {LONGEST_NOTE:,} characters at most")
        return cls(*named, text or None)

    def entry(self) -> dict[str, object]:
        """Return the words as plain values, without those that are empty."""
        said = {"collections": list(self.collections), "labels": list(self.labels), "note": self.note}
        return {name: value for name, value in said.items() if value}

    @classmethod
    def taken(cls, entry: dict[str, Any]) -> Words:
        """Take the words out of plain values; raises ValueError."""
        note = entry.pop("note", None)
        collections, labels = (texts_of(entry.pop(name, [])) for name in ("collections", "labels"))
        return cls.checked(collections, labels, None if note is None else text_of(note))


@dataclass(frozen=True, slots=True)
class Subject:
    """What an addition is about: a run; or a page by its URL; or one snapshot of it, by its time and record id."""

    run: str | None = None
    url: str | None = None
    at: datetime | None = None
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """What was said, of what, and when; `id` is the name by which it is removed."""

    id: str
    subject: Subject
    words: Words
    added: datetime


def encode_addition(addition: Addition, signer: Signer | None) -> bytes:
    """Return an addition as the object that keeps it, signed if there is a key; raises ValueError for a large one."""
    subject = addition.subject
    about = {
        "run": subject.run, "url": subject.url, "at": subject.at and iso(subject.at), "record": subject.record_id,
    }  # fmt: skip
    entry: dict[str, object] = {"form": _FORM, "id": addition.id, "added": iso(addition.added)}
    entry |= {name: value for name, value in about.items() if value} | addition.words.entry()
    data = _written(entry, signer)
    if len(data) > LONGEST or len(subject.url or "") > _LONGEST_URL:
        raise ValueError(f"an annotation has at most {LONGEST:,} bytes, and its URL {_LONGEST_URL:,} characters")
    return data


def decode_addition(data: bytes, name: str, known: Iterable[PublicKey] = ()) -> tuple[Addition, bool, list[PublicKey]]:
    """Return an addition, whether it has a signature, and those of the known keys that signed it.

    Raises IntegrityError for what cannot be understood, and where a known key's signature is not over it.
    """
    try:
        entry, is_signed, signers = _read(data, known)
        addition = Addition(
            id=text_of(entry.pop("id")),
            subject=_subject(entry),
            words=Words.taken(entry),
            added=from_iso(text_of(entry.pop("added"))),
        )
        if addition.id != name or addition.words.empty or entry:
            raise ValueError("it says something that no annotation says, or is that of another name")
    except (ValueError, KeyError, OverflowError) as error:
        raise IntegrityError(f"an annotation that cannot be understood ({error})") from error
    return addition, is_signed, signers


def encode_removal(name: str, why: str | None, at: datetime, signer: Signer | None) -> bytes:
    """Return the object that ends an addition, signed if there is a key."""
    return _written({"form": _FORM, "removes": name, "at": iso(at), "why": why or ""}, signer)


def check_removal(data: bytes, name: str, known: Iterable[PublicKey] = ()) -> None:
    """Raise IntegrityError for what is no removal of that addition, though the addition ends by whatever lies there."""
    try:
        if _read(data, known)[0].get("removes") == name:
            return
    except (ValueError, KeyError, IntegrityError) as error:
        raise IntegrityError(f"a removal that cannot be understood ({error})") from error
    raise IntegrityError("a removal of another annotation")


def _written(entry: dict[str, object], signer: Signer | None) -> bytes:
    text = _TITLE + self_digested(entry).decode()
    return (signer.sign(text) if signer else text).encode()


def _read(data: bytes, known: Iterable[PublicKey]) -> tuple[dict[str, Any], bool, list[PublicKey]]:
    text, signers = data.decode(), list[PublicKey]()
    is_signed = _SIGNATURE in text
    if is_signed:
        text, signers = open_note(text, known)
    if not text.startswith(_TITLE):
        raise ValueError("it is no annotation, or of a newer onrecord")
    entry = read_self_digested(text.removeprefix(_TITLE).encode())
    if entry.pop("form") != _FORM:
        raise ValueError("a newer onrecord wrote it: upgrade")
    return entry, is_signed, signers


def _subject(entry: dict[str, Any]) -> Subject:
    run, url, at, record = (entry.pop(name, None) for name in ("run", "url", "at", "record"))
    for value in (run, url, at, record):
        if value is not None:
            text_of(value)
    if (run is None) == (url is None) or (run is not None and (at or record or not is_run_id(run))):
        raise ValueError("it is about a run, or about a URL")
    if url is not None and not 0 < len(url) <= _LONGEST_URL:
        raise ValueError("its URL is empty, or too long")
    return Subject(run, url, from_iso(at) if at else None, record)


def _names(names: Iterable[str], what: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(" ".join(name.split()) for name in names))
    if any(not 0 < len(name) <= LONGEST_NAME or not name.isprintable() for name in found):
        raise ValueError(f"{what} is one line of text, 1 to {LONGEST_NAME} characters")
    if len(found) > MOST_NAMES:
        raise ValueError(f"one annotation has at most {MOST_NAMES} collections, and as many labels")
    return found
